"""Where segments come from as their number grows: loops, exhaustive assignments, and laws."""

from __future__ import annotations

import math
from itertools import pairwise, permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from sklearn.cluster import KMeans

from custseg.validation import bootstrap_stability
from custseg.validation._flows import carried_labels, flow_frame
from custseg.validation._measures import origin_shares, origin_stability

tables = arrays(np.int64, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=4), elements=st.integers(0, 6))


@st.composite
def chains(draw):
    """Cross tables of successive solutions, each with as many rows as the one before has columns."""
    sides = draw(st.lists(st.integers(1, 4), min_size=2, max_size=4))
    shapes = list(pairwise(sides))
    return [draw(arrays(np.int64, shape, elements=st.integers(0, 6))) for shape in shapes]


def entropy_by_loop(segment, before, after):
    """Entropy of a segment's origins, relative to equal shares, customer by customer as flexclust's slsaplot has it."""
    members = [customer for customer in range(len(after)) if after[customer] == segment]
    total = 0.0
    for origin in set(before):
        share = sum(before[customer] == origin for customer in members) / len(members)
        if share > 0:
            total -= share * math.log(share)
    return total / math.log(len(set(before)))


@given(tables)
def test_slsa_is_that_of_the_customers_one_by_one(table):
    before, after = (np.repeat(codes.ravel(), table.ravel()).tolist() for codes in np.indices(table.shape))
    found = origin_stability(table)
    for segment in range(table.shape[1]):
        if len(set(before)) < 2 or segment not in after:
            assert math.isnan(found[segment])
        else:
            assert found[segment] == pytest.approx(1 - entropy_by_loop(segment, before, after), abs=1e-12)


@given(tables, st.randoms(use_true_random=False))
def test_relabelling_moves_slsa_with_the_segment_and_changes_nothing_else(table, random):
    rows, columns = (random.sample(range(side), side) for side in table.shape)
    np.testing.assert_allclose(origin_stability(table[rows][:, columns]), origin_stability(table)[columns], atol=1e-12)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ([[5, 0, 2], [0, 3, 2]], [1.0, 1.0, 0.0]),
        ([[1, 0], [1, 0], [1, 4]], [0.0, 1.0]),
        ([[3, 0], [1, 0]], [1 - 0.8112781244591328, np.nan]),
        ([[3, 2], [0, 0]], [np.nan, np.nan]),
    ],
    ids=["one origin and two", "three origins", "three quarters, empty", "nothing but one origin"],
)
def test_slsa_runs_from_equal_origins_to_a_single_one(table, expected):
    np.testing.assert_allclose(origin_stability(np.array(table)), expected, atol=1e-12)


def customers_who_keep(table, before, after):
    return sum(table[row, column] for row, column in np.ndindex(table.shape) if before[row] == after[column])


@given(chains())
def test_no_other_labels_leave_more_customers_with_theirs(chain):
    borne = carried_labels(len(chain[0]), chain)
    for table, before, after in zip(chain, borne[:-1], borne[1:], strict=True):
        padded = np.zeros((max(table.shape),) * 2, dtype=int)
        padded[: table.shape[0], : table.shape[1]] = table
        sides = range(len(padded))
        best = max(sum(padded[row, order[row]] for row in sides) for order in permutations(sides))
        assert customers_who_keep(table, before, after) == best


@given(chains())
def test_a_label_is_borne_once_and_never_comes_again(chain):
    borne = carried_labels(len(chain[0]), chain)
    seen = set(range(len(chain[0])))
    assert borne[0].tolist() == sorted(seen)
    for before, after in pairwise(borne):
        assert len(set(after)) == len(after)
        new = [label for label in after.tolist() if label not in set(before.tolist())]
        assert new == list(range(len(seen), len(seen) + len(new)))
        seen.update(new)


@given(tables, st.randoms(use_true_random=False))
def test_carried_labels_follow_the_segments_where_their_numbers_change(table, random):
    columns = random.sample(range(table.shape[1]), table.shape[1])
    (first, plain), (_, moved) = (carried_labels(len(table), [cells]) for cells in (table, table[:, columns]))
    kept = [customers_who_keep(cells, first, after) for cells, after in ((table, plain), (table[:, columns], moved))]
    assert kept[0] == kept[1]
    # which of several equally good assignments is taken may depend on the numbers
    orders = [order for order in permutations(range(max(table.shape))) if is_best(table, order, kept[0])]
    assume(len(orders) == 1 and len(table) >= table.shape[1])
    carried = plain < len(table)
    np.testing.assert_array_equal(moved[np.argsort(columns)][carried], plain[carried])


def is_best(table, order, most):
    pairs = [(row, column) for row, column in enumerate(order) if row < table.shape[0] and column < table.shape[1]]
    return sum(table[pair] for pair in pairs) == most


def test_of_equally_good_assignments_numbers_that_stay_are_preferred():
    borne = carried_labels(3, [np.array([[2, 2, 0, 0], [2, 2, 0, 0], [0, 0, 5, 1]])])
    assert borne[1].tolist() == [0, 1, 2, 3]


@given(tables)
def test_flows_are_the_table_and_its_shares(table):
    flows = flow_frame([2, 5], [table])
    assert (flows["from_n_segments"] == 2).all()
    assert (flows["n_segments"] == 5).all()
    pairs = flows[["from_segment", "segment"]].itertuples(index=False, name=None)
    assert list(pairs) == list(np.ndindex(table.shape))
    np.testing.assert_array_equal(flows["n_customers"], table.ravel())
    np.testing.assert_array_equal(flows["share"], origin_shares(table).ravel())
    sums = flows.groupby("segment")["share"].sum(min_count=1)
    np.testing.assert_allclose(sums[table.sum(axis=0) > 0], 1.0)


def test_customers_are_followed_from_each_number_tried_to_the_next():
    X = np.random.default_rng(0).normal(size=(120, 2)).round(1)
    result = bootstrap_stability(KMeans(n_init=2, random_state=0), X, [6, 2, 3], n_pairs=2, random_state=0)
    steps = result.flows[["from_n_segments", "n_segments"]].drop_duplicates()
    assert steps.to_numpy().tolist() == [[2, 3], [3, 6]]
    for fewer, more in ((2, 3), (3, 6)):
        expected = pd.crosstab(result.reference_labels[fewer], result.reference_labels[more])
        found = result.flows[result.flows["n_segments"] == more]
        np.testing.assert_array_equal(found["n_customers"], expected.to_numpy().ravel())
        segments = result.segments[result.segments["n_segments"] == more]
        before, after = (result.reference_labels[number].tolist() for number in (fewer, more))
        by_loop = [1 - entropy_by_loop(segment, before, after) for segment in range(more)]
        np.testing.assert_allclose(segments["slsa"], by_loop, atol=1e-12)
        assert sorted(segments["relabelled"]) == list(range(more))
    smallest = result.segments[result.segments["n_segments"] == 2]
    assert smallest["slsa"].isna().all()
    assert smallest["relabelled"].tolist() == smallest["segment"].tolist()


def test_a_single_number_of_segments_has_no_flows():
    X = np.random.default_rng(0).normal(size=(60, 2))
    flows = bootstrap_stability(KMeans(n_init=1), X, 3, n_pairs=2, random_state=0).flows
    columns = ["from_n_segments", "from_segment", "n_segments", "segment", "n_customers", "share"]
    assert flows.empty
    assert list(flows.columns) == columns
    assert flows.dtypes.tolist() == [np.dtype(np.int64)] * 5 + [np.dtype(np.float64)]

"""KPrototypesClusterer: against a plain definition of Huang's distance, against kmodes, and its laws."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from sklearn.utils.estimator_checks import parametrize_with_checks

from custseg.exceptions import (
    ColumnTypeError,
    CustomerIdError,
    DataQualityWarning,
    InfeasibleError,
    InvalidParameterError,
    SegmentLabelError,
    UnseenCategoryWarning,
)
from custseg.segmentation._kmeans.patterns import distinct_patterns
from custseg.segmentation._prototypes.clusterer import KPrototypesClusterer
from custseg.segmentation._prototypes.search import MixedPatterns, improve, prototype_cost, prototypes_of
from custseg.segmentation._prototypes.space import learn_space
from tests.sizes import size
from tests.strategies import customer_tables

NUMBERS, CATEGORIES = ["n0", "n1", "n2"], ["c0", "c1", "c2", "c3"]


def mixed(n_rows=300, n_segments=3, *, noise=0.3, spread=0.7, seed=0):
    """Customers around planted prototypes."""
    rng = np.random.default_rng(seed)
    segment = rng.integers(0, n_segments, n_rows)
    centers = rng.normal(scale=3.0, size=(n_segments, len(NUMBERS)))
    table = pd.DataFrame(centers[segment] + rng.normal(scale=spread, size=(n_rows, len(NUMBERS))), columns=NUMBERS)
    for place, name in enumerate(CATEGORIES):
        drawn = rng.choice(list("abcde"), n_rows)
        planted = np.array(list("abcde"))[(segment * 2 + place) % 5]
        table[name] = np.where(rng.random(n_rows) < noise, drawn, planted)
    return table


def huang(row, prototype, gamma):
    """The distance as Huang writes it."""
    squared = sum((row[name] - prototype[name]) ** 2 for name in NUMBERS)
    return squared + gamma * sum(row[name] != prototype[name] for name in CATEGORIES)


def cost_of(table, labels, gamma):
    """The least cost of a partition: means and modes of its groups."""
    total = 0.0
    for _, group in table.groupby(np.asarray(labels)):
        total += ((group[NUMBERS] - group[NUMBERS].mean()) ** 2).to_numpy().sum()
        total += gamma * sum(len(group) - group[name].value_counts().iloc[0] for name in CATEGORIES)
    return total


def test_labels_and_cost_are_those_of_the_plain_definition():
    table = mixed(80)
    found = KPrototypesClusterer(3, scaling=None, gamma=0.8, random_state=0).fit(table)
    distances = [
        [huang(row, prototype, 0.8) for _, prototype in found.prototypes_.iterrows()] for _, row in table.iterrows()
    ]
    np.testing.assert_array_equal(found.labels_, np.argmin(distances, axis=1))
    assert found.cost_ == pytest.approx(np.min(distances, axis=1).sum(), rel=1e-12)
    assert found.cost_ == pytest.approx(cost_of(table, found.labels_, 0.8), rel=1e-12)
    assert found.optimum_.objective == pytest.approx(found.cost_)


@pytest.mark.thorough
@pytest.mark.parametrize("seed", range(size(1, 5)))
def test_no_move_of_a_customer_lowers_the_cost(seed):
    table = mixed(size(20, 40), noise=0.9, spread=2.0, seed=seed)
    found = KPrototypesClusterer(3, scaling=None, gamma=2.0, n_init=1, random_state=seed).fit(table)
    for row, there in itertools.product(range(len(table)), range(3)):
        moved = found.labels_.copy()
        moved[row] = there
        assert cost_of(table, moved, 2.0) >= found.cost_ - 1e-9


@pytest.mark.thorough
def test_the_best_of_all_partitions_is_found():
    n = size(6, 9)
    table = mixed(n, 2, noise=0.5, spread=2.0)
    least = min(cost_of(table, labels, 1.5) for labels in itertools.product((0, 1), repeat=n) if 0 < sum(labels) < n)
    found = KPrototypesClusterer(2, scaling=None, gamma=1.5, random_state=0).fit(table)
    assert found.cost_ == pytest.approx(least, rel=1e-12)


def encoded(table):
    """What kmodes takes: the matrix, and the position of each category in the sorted levels."""
    codes = np.column_stack([np.unique(table[name].astype(str), return_inverse=True)[1] for name in CATEGORIES])
    return table[NUMBERS + CATEGORIES].to_numpy(dtype=object), codes


def kmodes_from(table, rows, gamma):
    """What kmodes finds when it starts at some rows."""
    library = pytest.importorskip("kmodes.kprototypes")
    matrix, codes = encoded(table)
    start = [table[NUMBERS].to_numpy()[rows].copy(), codes[rows].copy()]
    places = list(range(len(NUMBERS), matrix.shape[1]))
    return library.KPrototypes(len(rows), init=start, n_init=1, gamma=gamma).fit(matrix, categorical=places)


def ours_from(table, rows, gamma):
    """What the same start leads to here: the search for prototypes without its restarts."""
    clusterer = KPrototypesClusterer(2, scaling=None)
    read = clusterer._read(table, fitting=True)
    mass = np.ones(len(table))
    space = learn_space(read, dict.fromkeys(read.names, 1.0), mass, None, gamma)
    groups = distinct_patterns(space.coordinates(read), mass)
    patterns = MixedPatterns.of(groups.values, groups.counts, space.layout)
    starts = patterns.points[groups.inverse[rows]]
    labels = ((patterns.points[:, None] - starts) ** 2).sum(axis=2).argmin(axis=1)
    centers, labels = improve(patterns, labels, len(rows))
    return space.gamma, prototype_cost(patterns, centers, labels) * space.unit**2


@pytest.mark.thorough
@pytest.mark.parametrize("seed", range(size(5, 20)))
def test_kmodes_comes_to_the_same_cost_from_the_same_start(seed):
    table = mixed(200, seed=seed)
    planted = KPrototypesClusterer(3, scaling=None, random_state=0).fit(table)
    rows = [int(np.flatnonzero(planted.labels_ == segment)[seed % 5]) for segment in range(3)]
    theirs = kmodes_from(table, rows, None)
    gamma, cost = ours_from(table, rows, None)
    assert gamma == pytest.approx(theirs.gamma, rel=1e-12)
    assert cost == pytest.approx(theirs.cost_, rel=1e-12)
    assert planted.cost_ == pytest.approx(theirs.cost_, rel=1e-12)


@pytest.mark.thorough
@pytest.mark.parametrize("seed", range(size(5, 20)))
def test_kmodes_never_has_a_lower_cost_than_the_default_starts(seed):
    library = pytest.importorskip("kmodes.kprototypes")
    table = mixed(60, 4, noise=0.8, spread=2.0, seed=seed)
    matrix, _ = encoded(table)
    places = list(range(len(NUMBERS), matrix.shape[1]))
    theirs = library.KPrototypes(4, n_init=4, random_state=seed, init="Huang").fit(matrix, categorical=places)
    ours = KPrototypesClusterer(4, scaling=None, random_state=seed).fit(table)
    assert ours.gamma_ == pytest.approx(theirs.gamma, rel=1e-12)
    assert ours.cost_ <= theirs.cost_ * (1 + 1e-12)
    assert cost_of(table, theirs.labels_, theirs.gamma) <= theirs.cost_ * (1 + 1e-12)


def test_gamma_is_half_the_mean_standard_deviation():
    table = mixed(50)
    assert KPrototypesClusterer(2, random_state=0).fit(table).gamma_ == 0.5
    raw = KPrototypesClusterer(2, scaling=None, random_state=0).fit(table)
    assert raw.gamma_ == pytest.approx(0.5 * table[NUMBERS].std(ddof=0).mean())
    assert KPrototypesClusterer(2, random_state=0).fit(table[CATEGORIES]).gamma_ == 1.0
    weighted = KPrototypesClusterer(2, scaling=None, weights={"n0": 2.0, "n1": 0}, random_state=0).fit(table)
    spread = table[NUMBERS].std(ddof=0)
    assert weighted.gamma_ == pytest.approx(0.5 * (2 * spread["n0"] + spread["n2"]) / 3)


def test_only_numbers_are_k_means_and_only_categories_are_k_modes():
    table = mixed(60)
    numbers = KPrototypesClusterer(3, scaling=None, random_state=0).fit(table[NUMBERS])
    groups = table[NUMBERS].groupby(numbers.labels_)
    assert_frame_equal(numbers.prototypes_, groups.mean().rename_axis(index="segment"))
    modes = KPrototypesClusterer(3, random_state=0).fit(table[CATEGORIES])
    differs = table[CATEGORIES].to_numpy() != modes.prototypes_.to_numpy()[modes.labels_]
    assert modes.cost_ == pytest.approx(differs.sum())


def test_prototypes_are_in_the_terms_of_the_table():
    table = pd.DataFrame(
        {
            "spend": [1.0, 2.0, 3.0, 100.0, 110.0],
            "member": [True, True, False, False, False],
            "tier": pd.Categorical(["low", "low", "low", "high", "high"], ["low", "middle", "high"], ordered=True),
            "region": ["N", "N", None, "S", "S"],
        }
    )
    found = KPrototypesClusterer(2, scaling="standard", random_state=0).fit(table)
    shown = found.prototypes_
    assert shown["spend"].tolist() == pytest.approx([2.0, 105.0])
    assert shown["member"].tolist() == [True, False]
    assert shown["member"].dtype == bool
    assert shown["tier"].dtype == table["tier"].dtype
    assert shown["tier"].tolist() == ["low", "high"]
    assert shown["region"].tolist() == ["N", "S"]
    assert found.predict(shown).tolist() == [0, 1]


def test_of_equally_frequent_levels_the_one_more_frequent_among_all_is_the_mode_then_the_first():
    table = pd.DataFrame({"side": [0.0] * 4 + [9.0] * 5, "c": [*"zzaa", *"zbbcc"]})
    found = KPrototypesClusterer(2, scaling=None, gamma=0.1, random_state=0).fit(table)
    assert found.prototypes_.sort_values("side")["c"].tolist() == ["z", "b"]


def test_a_missing_number_takes_the_mean_and_a_missing_category_is_equally_far_from_all():
    table = mixed(60)
    found = KPrototypesClusterer(3, scaling=None, random_state=0).fit(table)
    row = table.iloc[[7]]
    without = row.assign(c0=None, c1=None, c2=None, c3=None).astype(dict.fromkeys(CATEGORIES, "str"))
    squared = ((row[NUMBERS].to_numpy() - found.prototypes_[NUMBERS].to_numpy()) ** 2).sum(axis=1)
    assert found.predict(without)[0] == squared.argmin()
    assert found.predict(row.assign(n1=np.nan))[0] == found.predict(row.assign(n1=table["n1"].mean()))[0]
    holes = table.copy()
    holes.loc[::4, "c1"] = None
    fitted = KPrototypesClusterer(3, scaling=None, gamma=0.7, random_state=0).fit(holes)
    known = holes["c1"].notna().to_numpy()
    modes = fitted.prototypes_.loc[fitted.labels_]
    differs = (holes[CATEGORIES].to_numpy() != modes[CATEGORIES].to_numpy()) & holes[CATEGORIES].notna().to_numpy()
    squared = ((holes[NUMBERS].to_numpy() - modes[NUMBERS].to_numpy()) ** 2).sum()
    assert not known.all()
    assert fitted.cost_ == pytest.approx(squared + 0.7 * differs.sum())


def test_unseen_categories_count_as_missing_and_are_counted_in_a_warning():
    table = mixed(60)
    found = KPrototypesClusterer(3, random_state=0).fit(table)
    new = table.head(4).assign(c0=["x", "y", "x", table["c0"][3]])
    with pytest.warns(UnseenCategoryWarning, match=r"3 value\(s\) of 'c0' \('x', 'y'\)") as caught:
        labels = found.predict(new)
    assert len(caught) == 1
    assert caught[0].message.counts == {"c0": 3}
    known = new.assign(c0=[None, None, None, table["c0"][3]])
    np.testing.assert_array_equal(labels, found.predict(known))


def test_what_is_poor_in_fit_is_warned_of():
    table = mixed(60).assign(same=1.0, nothing=np.nan, one="a", flag=True)
    with pytest.warns(DataQualityWarning, match="'same', 'nothing', 'one', 'flag' hold one value only") as caught:
        KPrototypesClusterer(3, random_state=0).fit(table)
    assert len(caught) == 1
    weights = np.r_[0.0, np.ones(59)]
    with pytest.warns(UnseenCategoryWarning, match=r"1 value\(s\) of 'c0' \('moon'\)"):
        KPrototypesClusterer(3, random_state=0).fit(mixed(60).assign(c0=["moon", *mixed(60)["c0"][1:]]), None, weights)


def test_bools_that_became_other_numbers_are_refused():
    table = mixed(60).assign(flag=[True, False] * 30)
    with pytest.raises(ColumnTypeError, match=r"column 'flag' must be 0 or 1 as in fit, got 7\.5"):
        KPrototypesClusterer(3, random_state=0).fit(table).predict(table.assign(flag=7.5))


def test_every_segment_holds_the_least_share():
    table = mixed(120, noise=0.5)
    rng = np.random.default_rng(0)
    table = pd.concat([table.iloc[:100], table.iloc[100:104].assign(n0=30.0)])
    table["n1"] += rng.normal(size=len(table)) * 1e-3
    free = KPrototypesClusterer(3, scaling=None, random_state=0).fit(table)
    assert free.segment_sizes_.min() < 0.2 * len(table)
    assert not free.segment_subsidies_.any()
    found = KPrototypesClusterer(3, scaling=None, min_segment_share=0.2, random_state=0).fit(table)
    assert found.segment_sizes_.min() >= 0.2 * len(table)
    assert found.cost_ >= free.cost_
    np.testing.assert_array_equal(found.predict(table), found.labels_)


def test_a_share_that_cannot_be_had_says_the_largest_that_can():
    table = pd.DataFrame({"c": ["a"] * 8 + ["b"] * 2})
    with pytest.raises(InfeasibleError, match="largest share that was found feasible is 0.2") as raised:
        KPrototypesClusterer(2, min_segment_share=0.4, random_state=0).fit(table)
    share = float(re.search(r"feasible is ([0-9.]+)\.", str(raised.value)).group(1))
    found = KPrototypesClusterer(2, min_segment_share=share, random_state=0).fit(table)
    assert found.segment_sizes_.tolist() == [8, 2]


@pytest.mark.parametrize(
    ("change", "parameters", "error", "words"),
    [
        ({}, {"n_segments": 61}, InfeasibleError, "at most 60 segment"),
        ({}, {"gamma": 0.0}, InvalidParameterError, "a finite number > 0"),
        ({}, {"weights": {"n9": 1}}, InvalidParameterError, "unknown name in weights 'n9'"),
        ({}, {"weights": {"n0": -1}}, InvalidParameterError, ">= 0"),
        ({}, {"order_by": "c0"}, InvalidParameterError, "with an order"),
        ({}, {"order_by": "c9"}, InvalidParameterError, "unknown column in order_by"),
        ({"segment": 1}, {}, SegmentLabelError, "a column 'segment' already"),
        ({"name": [f"p{row}" for row in range(60)]}, {}, CustomerIdError, "customer_id='name'"),
    ],
)
def test_bad_input_says_what_to_do(change, parameters, error, words):
    with pytest.raises(error, match=words):
        KPrototypesClusterer(**{"n_segments": 3, **parameters}).fit(mixed(60).assign(**change))


def test_more_segments_than_prototypes_can_tell_apart_are_an_error():
    table = pd.DataFrame({"a": ["x", "x", None], "b": ["u", "u", "u"]})
    with pytest.raises(InfeasibleError, match="at most 1 segment"):
        KPrototypesClusterer(2).fit(table)


@pytest.mark.parametrize("size", [1e-300, 1e150, 1e300, 1.7e307])
@pytest.mark.parametrize("scaling", ["robust", "standard", None])
def test_numbers_of_any_size(size, scaling):
    table = pd.DataFrame({"n": [0.0, size, size, 9 * size, 10 * size], "c": ["a", "a", "a", "b", "b"]})
    found = KPrototypesClusterer(2, scaling=scaling, random_state=0).fit(table)
    assert found.labels_.tolist() == [0, 0, 0, 1, 1]
    assert found.prototypes_["c"].tolist() == ["a", "b"]


def test_order_by_puts_the_highest_first():
    table = mixed(90)
    found = KPrototypesClusterer(3, order_by="n0", random_state=0).fit(table)
    means = table["n0"].groupby(found.labels_).mean()
    assert means.is_monotonic_decreasing


def test_kinds_make_categories_of_numbers():
    rng = np.random.default_rng(0)
    matrix = np.column_stack([rng.normal(size=40), rng.integers(0, 3, 40)])
    found = KPrototypesClusterer(2, kinds={"x1": "nominal"}, random_state=0).fit(matrix)
    assert set(found.prototypes_["x1"]) <= {"0", "1", "2"}
    swapped = KPrototypesClusterer(2, kinds={"x0": "nominal"}, random_state=0).fit(matrix[:, ::-1])
    np.testing.assert_array_equal(found.labels_, swapped.labels_)


def fitted(table, weight=None, **parameters):
    """A fit, or None where the table has too few customers that differ."""
    try:
        return KPrototypesClusterer(**{"n_segments": 2, "n_init": 3, "random_state": 0, **parameters}).fit(
            table, sample_weight=weight
        )
    except InfeasibleError:
        return None


def labels_of(table, weight=None, **parameters):
    found = fitted(table, weight, **parameters)
    return None if found is None else found.labels_


pytestmark = [
    pytest.mark.sampled,
    pytest.mark.filterwarnings(f"ignore::{DataQualityWarning.__module__}.DataQualityWarning"),
]
TABLES = customer_tables(min_rows=4, max_rows=20)


@given(table=TABLES, seed=st.integers(0, 3), scaling=st.sampled_from(["robust", "standard", None]))
@settings(max_examples=size(5, 60))
def test_law_rows_and_columns_in_any_order(table, seed, scaling):
    labels = labels_of(table, scaling=scaling)
    rng = np.random.default_rng(seed)
    rows, columns = rng.permutation(len(table)), rng.permutation(table.shape[1])
    other = labels_of(table.iloc[rows, columns], scaling=scaling)
    assert (labels is None) == (other is None)
    if labels is not None:
        np.testing.assert_array_equal(other, labels[rows])


@given(table=TABLES)
@settings(max_examples=size(5, 60))
def test_law_labels_are_the_prediction_largest_first(table):
    found = fitted(table)
    if found is not None:
        np.testing.assert_array_equal(found.predict(table), found.labels_)
        assert found.segment_sizes_.min() > 0
        assert (np.diff(found.segment_sizes_) <= 0).all()
        one_by_one = [found.predict(table.iloc[[row]])[0] for row in range(len(table))]
        np.testing.assert_array_equal(one_by_one, found.labels_)


@given(table=TABLES, seed=st.integers(0, 3))
@settings(max_examples=size(5, 60))
def test_law_weight_two_is_the_row_twice_and_weight_zero_shapes_nothing(table, seed):
    weight = np.random.default_rng(seed).integers(0, 3, len(table))
    weight[:2] = 1
    repeated = table.loc[table.index.repeat(weight)]
    weighted, plain = fitted(table, weight), fitted(repeated)
    assert (weighted is None) == (plain is None)
    if plain is not None:
        assert_frame_equal(weighted.prototypes_, plain.prototypes_)
        np.testing.assert_array_equal(np.repeat(weighted.labels_, weight), plain.labels_)
        assert weighted.cost_ == pytest.approx(plain.cost_, rel=1e-9, abs=1e-12)


@given(table=customer_tables(min_rows=4, max_rows=20, min_columns=2))
@settings(max_examples=size(5, 60))
def test_law_weight_zero_drops_a_column_and_a_common_factor_changes_nothing(table):
    names = list(table.columns)
    dropped, ignored = labels_of(table[names[1:]]), labels_of(table, weights={names[0]: 0})
    assert (dropped is None) == (ignored is None)
    if dropped is not None:
        np.testing.assert_array_equal(dropped, ignored)
    once, four_times = labels_of(table), labels_of(table, weights=dict.fromkeys(names, 4.0))
    assert (once is None) == (four_times is None)
    if once is not None:
        np.testing.assert_array_equal(once, four_times)


@parametrize_with_checks(
    [KPrototypesClusterer(3, n_init=2), KPrototypesClusterer(3, n_init=2, scaling=None)], xfail_strict=True
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def test_modes_are_updated_for_all_starts_together():
    table = mixed(50)
    clusterer = KPrototypesClusterer(3, random_state=0).fit(table)
    read = clusterer._read(table, fitting=False)
    coordinates = clusterer._space.coordinates(read)
    patterns = MixedPatterns.of(coordinates, np.ones(50), clusterer._space.layout)
    labels = np.random.default_rng(0).integers(0, 3, (4, 50))
    together = prototypes_of(patterns, labels, 3)
    for start in range(4):
        np.testing.assert_allclose(together[start], prototypes_of(patterns, labels[start][None], 3)[0], rtol=1e-12)

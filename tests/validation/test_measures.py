"""Agreement of two partitions, against pair counting, set arithmetic and scikit-learn."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from custseg.validation._measures import adjusted_rand, best_jaccard, cross_table


def table_of(first, second, counts=None):
    first, second = np.asarray(first), np.asarray(second)
    counts = np.ones(len(first), dtype=np.int64) if counts is None else np.asarray(counts)
    return cross_table(first, second, (first.max() + 1, second.max() + 1), counts)


def rand_by_pairs(first, second):
    """Adjusted Rand by looking at every pair of customers, as Hubert and Arabie define it."""
    pairs = list(combinations(range(len(first)), 2))
    in_first = {pair for pair in pairs if first[pair[0]] == first[pair[1]]}
    in_second = {pair for pair in pairs if second[pair[0]] == second[pair[1]]}
    expected = len(in_first) * len(in_second) / len(pairs)
    return (len(in_first & in_second) - expected) / ((len(in_first) + len(in_second)) / 2 - expected)


@st.composite
def two_partitions(draw):
    size = draw(st.integers(2, 40))
    labels = st.lists(st.integers(0, 4), min_size=size, max_size=size)
    return draw(labels), draw(labels)


def test_adjusted_rand_counts_pairs_of_customers():
    first, second = [0, 0, 0, 1, 1, 2, 2, 2], [0, 0, 1, 1, 1, 2, 2, 0]
    assert adjusted_rand(table_of(first, second)) == pytest.approx(rand_by_pairs(first, second), abs=1e-14)


@given(two_partitions())
def test_adjusted_rand_agrees_with_scikit_learn(partitions):
    first, second = partitions
    assert adjusted_rand(table_of(first, second)) == pytest.approx(adjusted_rand_score(first, second), abs=1e-12)


@pytest.mark.parametrize("labels", [[0, 0, 0], [0, 1, 2], [0]])
def test_trivial_equal_partitions_agree_fully(labels):
    assert adjusted_rand(table_of(labels, labels)) == 1.0


def test_adjusted_rand_of_many_customers_does_not_overflow():
    assert adjusted_rand(np.diag([2 * 10**9, 10**9])) == 1.0
    assert adjusted_rand(np.full((2, 2), 10**9)) == pytest.approx(0.0, abs=1e-8)


@given(two_partitions(), st.permutations(range(5)))
def test_relabelling_changes_nothing(partitions, names):
    first, second = partitions
    renamed = np.array(names)[second]
    assert adjusted_rand(table_of(first, renamed)) == pytest.approx(adjusted_rand(table_of(first, second)), abs=1e-12)
    np.testing.assert_array_equal(best_jaccard(table_of(first, renamed)), best_jaccard(table_of(first, second)))


@given(two_partitions())
def test_best_jaccard_is_that_of_the_sets(partitions):
    first, second = map(np.array, partitions)
    for segment, found in enumerate(best_jaccard(table_of(first, second))):
        mine = set(np.flatnonzero(first == segment))
        others = [set(np.flatnonzero(second == label)) for label in np.unique(second)]
        assert found == pytest.approx(max(len(mine & other) / len(mine | other) for other in others))


def test_an_empty_segment_is_never_found_again():
    table = cross_table(np.array([0, 0]), np.array([0, 1]), (2, 3), np.array([3, 1]))
    np.testing.assert_array_equal(table, [[3, 1, 0], [0, 0, 0]])
    np.testing.assert_allclose(best_jaccard(table), [0.75, 0.0])


@given(two_partitions(), st.data())
def test_a_count_is_so_many_customers(partitions, data):
    first, second = map(np.array, partitions)
    counts = np.array(data.draw(st.lists(st.integers(1, 4), min_size=len(first), max_size=len(first))))
    spread = table_of(np.repeat(first, counts), np.repeat(second, counts))
    np.testing.assert_array_equal(table_of(first, second, counts), spread)

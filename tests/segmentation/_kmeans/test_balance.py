"""Least shares by subsidies: against the linear programme, a naive repair and brute force."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import linprog

from custseg.exceptions import InfeasibleError
from custseg.segmentation._kmeans.balance import assign_balanced, balance
from custseg.segmentation._kmeans.kmeans import fit_kmeans
from custseg.segmentation._kmeans.nearest import nearest
from custseg.segmentation._kmeans.patterns import Patterns, distinct_patterns
from tests.sizes import size

Floats = npt.NDArray[np.float64]


def customers(seed: int) -> tuple[Patterns, Floats, int]:
    """Customers that all differ, centres from k-means, and how many customers each segment needs."""
    rng = np.random.RandomState(seed)
    n_customers, n_segments, n_columns = rng.randint(12, 200), rng.randint(2, 7), rng.randint(1, 6)
    matrix = rng.randn(n_customers, n_columns) * rng.uniform(0.2, 3, n_columns)
    if seed % 2:
        matrix = np.exp(matrix)
    patterns = distinct_patterns(matrix)
    centers = fit_kmeans(patterns, n_segments, n_init=3, random_state=0).centers
    return patterns, centers, int(n_customers * rng.uniform(0.5, 1) / n_segments)


def cost_of(patterns: Patterns, centers: Floats, labels: npt.NDArray[Any]) -> float:
    return float(patterns.counts @ ((patterns.values - centers[labels]) ** 2).sum(axis=1))


def optimal_cost(patterns: Patterns, centers: Floats, need: float) -> float:
    squared = ((patterns.values[:, None] - centers) ** 2).sum(axis=2)
    n_patterns, n_segments = squared.shape
    once = sparse.kron(sparse.eye(n_patterns), np.ones((1, n_segments))).tocsr()
    shares = sparse.kron(np.ones((1, n_patterns)), sparse.eye(n_segments)).tocsr()
    solution = linprog(squared.ravel(), A_eq=once, b_eq=patterns.counts, A_ub=-shares, b_ub=-np.full(n_segments, need))
    return float(solution.fun)


def naive_repair(patterns: Patterns, centers: Floats, need: float) -> npt.NDArray[Any]:
    """Fill segment after segment with the nearest customers of those that can spare one."""
    squared = ((patterns.values[:, None] - centers) ** 2).sum(axis=2)
    labels = squared.argmin(axis=1)
    for segment in range(len(centers)):
        while (labels == segment).sum() < need:
            sizes = np.bincount(labels, minlength=len(centers))
            free = np.flatnonzero((sizes[labels] > need) & (labels != segment))
            extra = squared[free, segment] - squared[free, labels[free]]
            labels[free[extra.argmin()]] = segment
    return labels


@pytest.mark.parametrize("seed", range(60))
def test_shares_hold_at_the_cost_of_the_linear_programme(seed: int) -> None:
    patterns, centers, need = customers(seed)
    found = assign_balanced(patterns, centers, need)
    assert found is not None
    labels, subsidies = found
    assert np.bincount(labels, minlength=len(centers)).min() >= need
    squared = ((patterns.values[:, None] - centers) ** 2).sum(axis=2)
    assert np.array_equal(labels, (squared - subsidies).argmin(axis=1))
    assert subsidies.min() == 0.0
    cost = cost_of(patterns, centers, labels)
    assert cost == pytest.approx(optimal_cost(patterns, centers, need), rel=1e-9)
    assert cost <= cost_of(patterns, centers, naive_repair(patterns, centers, need)) * (1 + 1e-9)


@pytest.mark.parametrize("seed", range(8))
def test_centres_follow_and_lower_the_cost(seed: int) -> None:
    patterns, centers, need = customers(seed)
    found = assign_balanced(patterns, centers, need)
    assert found is not None
    share = need / len(patterns.inverse)
    result = balance(patterns, centers, share)
    assert np.bincount(result.labels, minlength=len(centers)).min() >= need
    assert cost_of(patterns, result.centers, result.labels) <= cost_of(patterns, centers, found[0]) * (1 + 1e-9)
    assert np.array_equal(result.labels, nearest(patterns.values, result.centers, result.subsidies))
    if result.subsidies.any():
        means = [patterns.values[result.labels == label].mean(axis=0) for label in range(len(centers))]
        assert result.centers == pytest.approx(np.array(means), abs=1e-9)


def test_nothing_moves_where_the_shares_hold_already() -> None:
    patterns, centers, _ = customers(0)
    labels = nearest(patterns.values, centers)
    least = np.bincount(labels).min() / len(labels)
    result = balance(patterns, centers, least)
    assert np.array_equal(result.labels, labels)
    assert np.array_equal(result.centers, centers)
    assert not result.subsidies.any()


@settings(max_examples=size(5, 60))
@given(
    st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=4, max_size=8),
    st.integers(2, 3),
    st.floats(0.05, 0.5),
)
def test_with_repeated_customers_the_shares_hold_or_the_error_says_which_would(
    rows: list[tuple[int, int]], n_segments: int, share: float
) -> None:
    patterns = distinct_patterns(np.array(rows, dtype=float))
    if patterns.n_patterns < n_segments:
        return
    centers = fit_kmeans(patterns, n_segments, n_init=5, random_state=0).centers
    total = patterns.counts.sum()
    try:
        result = balance(patterns, centers, share)
    except InfeasibleError as error:
        largest = float(str(error).split("feasible is ")[1].split(". ")[0])
        assert largest < share
        again = balance(patterns, centers, largest)
        assert np.bincount(again.labels, weights=patterns.counts).min() >= largest * total * (1 - 1e-6)
        return
    masses = np.bincount(result.labels, weights=patterns.counts, minlength=n_segments)
    assert masses.min() >= share * total * (1 - 1e-6)
    feasible = [
        labels
        for labels in product(range(n_segments), repeat=patterns.n_patterns)
        if np.bincount(labels, weights=patterns.counts, minlength=n_segments).min() >= share * total * (1 - 1e-6)
    ]
    assert tuple(result.labels) in feasible


def test_a_share_above_an_equal_one_names_the_largest() -> None:
    patterns = distinct_patterns(np.arange(12.0)[:, None])
    with pytest.raises(InfeasibleError, match=r"feasible is 0\.25\."):
        balance(patterns, np.array([[0.0], [1.0], [8.0], [9.0]]), 0.26)


@pytest.mark.parametrize("size", [2.0**-470, 2.0**-340, 2.0**340, 2.0**500])
def test_numbers_in_other_units_give_the_same_segments(size: float) -> None:
    patterns = distinct_patterns(np.array([0.0, 0.1, 0.2, 0.3, 0.9, 5.0])[:, None])
    same = Patterns(patterns.values * size, patterns.counts, patterns.inverse)
    centers = np.array([[0.3], [5.0]])
    here, there = balance(patterns, centers, 0.5), balance(same, centers * size, 0.5)
    assert there.labels.tolist() == here.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert (there.centers == here.centers * size).all()
    assert (there.subsidies == here.subsidies * size**2).all()


@pytest.mark.parametrize("size", [1e-165, 1e155])
def test_squares_beyond_the_range_of_numbers_are_not_called_infeasible(size: float) -> None:
    patterns = distinct_patterns(np.array([0.0, 0.1, 0.2, 0.3, 0.9, 5.0])[:, None] * size)
    with pytest.raises(InfeasibleError, match="beyond the range of floats. Divide the columns by a power of ten"):
        balance(patterns, np.array([[0.3], [5.0]]) * size, 0.5)
    apart = balance(patterns, np.array([[0.1], [5.0]]) * size, 1 / 6)  # no customer has to be moved
    assert not apart.subsidies.any()


def test_equal_customers_are_named_as_a_reason() -> None:
    patterns = distinct_patterns([[0.0], [0.0], [0.0], [1.0]])
    with pytest.raises(InfeasibleError, match=r"was found that gives .* Customers with equal rows are never split"):
        balance(patterns, np.array([[0.0], [1.0]]), 0.5)


def test_a_share_that_rounding_makes_infeasible_is_an_error() -> None:
    # Three segments of 10 customers hold 3 each at least; .33 would take 4 each.
    patterns = distinct_patterns(np.arange(10.0)[:, None])
    centers = np.array([[1.0], [5.0], [8.0]])
    with pytest.raises(InfeasibleError, match=r"share of 0\.33; the largest share that was found feasible is 0\.3\."):
        balance(patterns, centers, 0.33)
    assert np.bincount(balance(patterns, centers, 0.3).labels).min() == 3


def test_identical_customers_are_never_split() -> None:
    matrix = np.repeat([[0.0], [1.0], [9.0]], [50, 30, 20], axis=0)
    patterns = distinct_patterns(matrix)
    result = balance(patterns, np.array([[0.5], [9.0]]), 0.4)
    assert result.labels.tolist() == [0, 1, 1]
    with pytest.raises(InfeasibleError, match=r"feasible is 0\.5"):
        balance(patterns, np.array([[0.5], [9.0]]), 0.500001)


def test_equally_well_placed_customers_go_together() -> None:
    # The four customers at distance 1 from the middle are alike to both centres: all of them move, or none.
    matrix = np.array([[0.0, 1.0], [0.0, -1.0], [-4.0, 0.0], [-4.1, 0.0], [-4.2, 0.0], [6.0, 0.0]])
    patterns = distinct_patterns(matrix)
    result = balance(patterns, np.array([[-4.0, 0.0], [6.0, 0.0]]), 0.5)
    assert np.bincount(result.labels).tolist() == [3, 3] or np.bincount(result.labels).min() >= 3


def test_weights_count() -> None:
    patterns = distinct_patterns(np.arange(6.0)[:, None], [1, 1, 1, 1, 1, 10])
    result = balance(patterns, np.array([[2.0], [5.0]]), 1 / 3)
    assert result.labels.tolist() == [0, 0, 0, 0, 0, 1]
    assert result.subsidies.tolist()[1] == 0.0
    assert result.subsidies[0] > 0

"""The search among many points: never worse than scikit-learn's restarts, the same however it is cut up."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from custseg.exceptions import InfeasibleError
from custseg.segmentation._kmeans._many import search as searching
from custseg.segmentation._kmeans.kmeans import KMeansFit, fit_kmeans
from custseg.segmentation._kmeans.patterns import Patterns, distinct_patterns
from tests.sizes import size

pytestmark = pytest.mark.sampled

Floats = npt.NDArray[np.float64]


def continuum(n: int, n_columns: int, seed: int) -> Floats:
    random = np.random.RandomState(seed)
    return random.randn(n, 2) @ random.randn(2, n_columns) + random.randn(n, n_columns)


def planted(n: int, n_columns: int, seed: int) -> Floats:
    random = np.random.RandomState(seed)
    return random.randn(6, n_columns)[random.randint(6, size=n)] * 2 + random.randn(n, n_columns)


def heavy_tailed(n: int, n_columns: int, seed: int) -> Floats:
    return np.asarray(np.exp(0.6 * continuum(n, n_columns, seed)))


def answers(n: int, n_columns: int, seed: int) -> Floats:
    return np.asarray(np.clip(np.round(continuum(n, n_columns, seed)), -2, 2))


def fitted(matrix: Floats, n_clusters: int, n_init: int = 8, seed: int = 0) -> KMeansFit:
    return fit_kmeans(distinct_patterns(matrix), n_clusters, n_init=n_init, random_state=seed)


@pytest.mark.thorough
@pytest.mark.parametrize("make", [continuum, planted, heavy_tailed, answers])
@pytest.mark.parametrize("n", [2_000, size(4_000, 12_000)])
def test_it_is_not_worse_than_as_many_restarts_of_scikit_learn(make: Callable[[int, int, int], Floats], n: int) -> None:
    for n_clusters in (3, 6, 9):
        matrix = make(n, 5, n_clusters)
        ours = fitted(matrix, n_clusters, n_init=10)
        with threadpool_limits(1):
            peer = KMeans(n_clusters, n_init=10, random_state=0).fit(matrix)
        assert ours.sse <= peer.inertia_ * (1 + 5e-5)
        assert ours.optimum.objective == ours.sse


def test_what_is_found_is_a_local_optimum_with_its_means() -> None:
    matrix = np.unique(continuum(2_000, 4, 0), axis=0)
    fit = fitted(matrix, 4)
    assert fit.centers == pytest.approx(np.array([matrix[fit.labels == cluster].mean(axis=0) for cluster in range(4)]))
    squared = ((matrix[:, None] - fit.centers) ** 2).sum(axis=2)
    assert np.array_equal(squared.argmin(axis=1), fit.labels)
    assert fit.sse == pytest.approx(squared.min(axis=1).sum())


def test_clear_groups_are_confirmed_by_the_starts_and_overlapping_ones_by_searches() -> None:
    clear = fitted(planted(2_000, 5, 0), 6, n_init=20).optimum
    assert clear.is_confirmed
    assert clear.n_hits >= 5
    hard = fitted(continuum(2_000, 8, 0), 7, n_init=20).optimum
    assert hard.n_hits < 5
    assert hard.second_best_gap > 1e-4
    assert hard.n_iterations > clear.n_iterations


def test_a_single_start_confirms_nothing() -> None:
    optimum = fitted(planted(2_000, 5, 0), 6, n_init=1).optimum
    assert (optimum.n_init, optimum.n_hits, optimum.is_confirmed) == (1, 1, False)
    assert np.isnan(optimum.second_best_gap)
    assert "higher n_init" in str(optimum)


@pytest.mark.parametrize("n_init", [2, 3, 5, 9])
def test_every_start_is_accounted_for(n_init: int) -> None:
    patterns = distinct_patterns(planted(1_600, 3, 1))
    points = patterns.values - patterns.values.mean(axis=0)
    found = searching.Search(points, patterns.counts).best(6, n_init, np.random.RandomState(0))
    assert found.restarts.shape == (n_init,)
    assert np.isfinite(found.restarts).any()
    best = fitted(patterns.values, 6, n_init).sse
    assert found.restarts.min() >= best * (1 - 1e-6)


def test_among_cells_it_ends_close_to_where_it_does_among_all(monkeypatch: pytest.MonkeyPatch) -> None:
    for make in (continuum, planted):
        matrix = make(3_000, 6, 0)
        whole = fitted(matrix, 5, n_init=20)
        with monkeypatch.context() as patched:
            patched.setattr(searching, "FEW", 1_000)
            patched.setattr(searching, "N_CELLS", 500)
            cells = fitted(matrix, 5, n_init=20)
        assert cells.sse == pytest.approx(whole.sse, rel=2e-3)
        assert cells.optimum.n_hits >= 1
        # the starts ended among cells, and what is within these is counted
        gap = cells.optimum.second_best_gap
        assert np.isnan(gap) or 0 < gap < 1


def test_how_many_starts_move_together_makes_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    matrix = continuum(2_000, 5, 3)
    together = fitted(matrix, 6)
    monkeypatch.setattr(searching, "TOGETHER", 3 * 6 * 2_000)
    apart = fitted(matrix, 6)
    assert apart.sse == pytest.approx(together.sse, rel=1e-4)


def test_weight_two_is_the_row_twice() -> None:
    matrix = continuum(1_800, 4, 5)
    weights = np.random.RandomState(0).randint(1, 4, size=len(matrix))
    weighted = fit_kmeans(distinct_patterns(matrix, weights), 5, n_init=6, random_state=0)
    repeated = fit_kmeans(distinct_patterns(np.repeat(matrix, weights, axis=0)), 5, n_init=6, random_state=0)
    assert np.array_equal(weighted.labels, repeated.labels)


@pytest.mark.parametrize("factor", [2.0**-40, 2.0**-300, 2.0**200])
def test_a_power_of_two_as_a_unit_changes_nothing(factor: float) -> None:
    matrix = planted(1_700, 3, 2)
    assert np.array_equal(fitted(matrix, 5).labels, fitted(matrix * factor, 5).labels)


@pytest.mark.parametrize("factor", [2.0**-200, 2.0**200])
def test_a_unit_of_weights_beyond_short_numbers_changes_nothing(factor: float) -> None:
    matrix = planted(1_700, 3, 2)
    plain, weighted = (
        fit_kmeans(distinct_patterns(matrix, np.full(len(matrix), unit)), 5, n_init=8, random_state=0)
        for unit in (1.0, factor)
    )
    assert np.array_equal(plain.labels, weighted.labels)
    assert weighted.sse == pytest.approx(plain.sse * factor)
    assert weighted.optimum.n_hits == plain.optimum.n_hits


def test_groups_that_hold_nearly_all_the_variance_are_told_apart_inside() -> None:
    # what is within is a millionth of the total: short numbers would call every result the best one
    random = np.random.RandomState(0)
    group = np.arange(1_800) % 3
    matrix = random.randn(1_800, 2) * 1e-3 + np.array([[0.0, 0.0], [0.0, 9.0], [8.0, 1.0]])[group]
    fit = fitted(matrix, 3)
    patterns = distinct_patterns(matrix)
    own = group[np.unique(patterns.inverse, return_index=True)[1]]
    assert len(set(zip(own, fit.labels, strict=True))) == 3
    within = sum(((matrix[group == g] - matrix[group == g].mean(axis=0)) ** 2).sum() for g in range(3))
    assert fit.sse == pytest.approx(within)
    four = fitted(matrix, 4)
    assert four.sse < 0.95 * within


def test_fewer_different_points_than_clusters_are_refused() -> None:
    # they differ by rounding alone, for which a square has no digits
    values = 1.0 + np.arange(1_600)[:, None] * 2.0**-52
    patterns = Patterns(np.append(values, [[1e6]], axis=0), np.ones(1_601), np.arange(1_601))
    with pytest.raises(InfeasibleError, match="n_segments=5"):
        fit_kmeans(patterns, 5, n_init=4, random_state=0)


def test_many_clusters() -> None:
    matrix = continuum(2_000, 2, 0)
    fit = fitted(matrix, 150, n_init=2)
    assert len(np.unique(fit.labels)) == 150
    with threadpool_limits(1):
        peer = KMeans(150, n_init=2, random_state=0).fit(matrix)
    assert fit.sse <= peer.inertia_

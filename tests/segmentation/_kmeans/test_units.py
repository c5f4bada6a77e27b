"""Whoever multiplies all numbers gets the same segments, also where rounding would decide between equal distances."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from custseg.segmentation import SegmentClusterer
from custseg.segmentation._kmeans.units import without_last_digits
from custseg.validation import bootstrap_stability, structure_test
from tests.sizes import size

FACTORS = (3.0, 0.1, 1e5 / 3, 1.7e-300, 1e200)


def clusterer(n_segments: int, **options: int) -> SegmentClusterer:
    return SegmentClusterer(n_segments, embedder="passthrough", random_state=0, **options)


def answers(n_rows: int, n_columns: int) -> npt.NDArray[np.float64]:
    """At random on a scale of five points: many partitions are equally good, and many distances equal."""
    return np.random.RandomState(1).randint(1, 6, (n_rows, n_columns)).astype(np.float64)


@settings(deadline=None)
@given(arrays(np.float64, (24, 2), elements=st.integers(0, 4)), st.sampled_from(FACTORS), st.integers(2, 4))
def test_a_multiple_of_whole_numbers_has_the_same_segments(
    matrix: npt.NDArray[np.float64], factor: float, n_segments: int
) -> None:
    matrix[:4] = [[0, 0], [0, 4], [4, 0], [4, 4]]
    labels = [clusterer(n_segments, n_init=5).fit(own).labels_ for own in (matrix, factor * matrix)]
    assert np.array_equal(*labels)


@pytest.mark.sampled
@pytest.mark.thorough
@pytest.mark.parametrize(
    ("n_rows", "n_columns", "options"),
    [(400, 8, {}), (2_500, 6, {"n_init": 4}), (8_300, 7, {"n_init": 2}), (5_000, 6, {"sample_above": 400})],
    ids=["few", "many", "in cells", "sampled"],
)
def test_however_optima_are_searched_for(n_rows: int, n_columns: int, options: dict[str, int]) -> None:
    matrix = answers(n_rows, n_columns)
    labels = clusterer(4, **options).fit(matrix).labels_
    for factor in FACTORS[1 :: size(3, 2)]:
        assert np.array_equal(clusterer(4, **options).fit(factor * matrix).labels_, labels), factor


@pytest.mark.thorough
@pytest.mark.parametrize("factor", size([1e5 / 3], [7.3, 1e5 / 3]))
def test_what_judges_segments_gives_the_same_figures(factor: float) -> None:
    for matrix in (answers(150, 4), np.random.RandomState(0).gamma(2.0, size=(1_600, 3))):
        stability = [
            bootstrap_stability(clusterer(3, n_init=5), own, (3, 4), 4, random_state=0)
            for own in (matrix, factor * matrix)
        ]
        assert np.array_equal(stability[0].adjusted_rand, stability[1].adjusted_rand)
    matrix = answers(80, 3)
    tested = [structure_test(own, n_draws=19, random_state=0) for own in (matrix, factor * matrix)]
    assert tested[0].p_value == tested[1].p_value
    assert tested[0].table["z"].to_numpy() == pytest.approx(tested[1].table["z"].to_numpy(), abs=1e-6)


def test_only_the_last_digits_are_left_out() -> None:
    points, counts = np.random.RandomState(0).standard_cauchy((500, 3)), np.arange(1.0, 501.0)
    kept = without_last_digits(points, counts)
    unit = np.ptp(points, axis=0).max() / 2
    expected = points - np.average(points, axis=0, weights=counts)
    assert np.abs(kept * unit - expected).max() <= 2.0**-35 * unit
    assert np.array_equal(without_last_digits(np.zeros((2, 2)), np.ones(2)), np.zeros((2, 2)))
    assert np.array_equal(without_last_digits(np.array([[5e-324], [-5e-324]]), np.ones(2)), [[1.0], [-1.0]])
    assert without_last_digits(np.empty((3, 0)), np.ones(3)).shape == (3, 0)

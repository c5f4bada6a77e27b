"""The nearest centres of everyone, in short numbers, are those of the exact search."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from custseg.segmentation._kmeans import nearest as blocks
from custseg.segmentation._kmeans._many.everyone import Everyone
from custseg.segmentation._kmeans.nearest import nearest, two_least


@given(
    seed=st.integers(0, 1000), unit=st.sampled_from([1e-200, 1e-3, 1.0, 1e6, 1e150]), offset=st.sampled_from([0, 1e5])
)
def test_they_are_those_of_the_exact_search(seed, unit, offset):
    random = np.random.RandomState(seed)
    points = (random.normal(size=(200, 3)) + offset) * unit
    points[::5] = np.round(points[::5] / unit) * unit
    centers = points[random.choice(200, 7, replace=False)]
    np.testing.assert_array_equal(Everyone(points).nearest(centers), nearest(points, centers))


@pytest.mark.parametrize("spread", [0.0, 1e-9, 1e-6])
def test_ties_and_near_ties_are_decided_exactly(spread):
    points = np.array([[x, y] for x in range(9) for y in range(9)], dtype=float)
    centers = np.array([[4.0, 4.0 + spread], [4.0, 4.0], [0.0, 8.0], [8.0, 0.0], [0.0, 0.0], [8.0, 8.0]])
    np.testing.assert_array_equal(Everyone(points).nearest(centers), nearest(points, centers))


def test_a_centre_far_beyond_all():
    points = np.random.RandomState(0).normal(size=(50, 2))
    centers = np.array([[1e200, 0.0], [0.0, 0.0]])
    np.testing.assert_array_equal(Everyone(points).nearest(centers), np.ones(50))


def test_equal_rows_have_one_centre():
    points = np.full((10, 2), 3.0)
    np.testing.assert_array_equal(Everyone(points).nearest(np.array([[1.0, 1.0], [2.0, 2.0]])), np.ones(10))


def test_blocks_are_put_together(monkeypatch):
    points = np.random.RandomState(0).normal(size=(1000, 4))
    whole = Everyone(points).nearest(points[:6])
    monkeypatch.setattr(blocks, "BLOCK", 100)
    monkeypatch.setattr(blocks, "FEWEST_ROWS", 1)
    np.testing.assert_array_equal(Everyone(points).nearest(points[:6]), whole)
    assert (whole[:6] == np.arange(6)).all()


def lloyd_by_hand(points, counts, centers, n_iterations):
    for _ in range(n_iterations):
        labels = nearest(points, centers)
        mass = np.bincount(labels, weights=counts, minlength=len(centers))
        means = np.array([(counts * (labels == k)) @ points for k in range(len(centers))])
        centers = np.where(mass[:, None] > 0, means / np.where(mass > 0, mass, 1)[:, None], centers)
    return centers


@given(seed=st.integers(0, 1000), n_clusters=st.integers(1, 6), unit=st.sampled_from([1e-100, 1.0, 1e50]))
def test_iterations_are_those_of_lloyd(seed, n_clusters, unit):
    random = np.random.RandomState(seed)
    points = random.normal(size=(300, 3)) * unit
    counts = random.poisson(1.0, size=300).astype(float)
    start = points[random.choice(300, n_clusters, replace=False)]
    for n_iterations in (0, 1, 3):
        centers, labels = Everyone(points).counted(counts).lloyd(start, n_iterations, 0.0)
        expected = lloyd_by_hand(points, counts, start, n_iterations)
        # short numbers may put a row that is halfway elsewhere
        assert np.abs(centers - expected).max() <= 0.02 * unit
        np.testing.assert_array_equal(labels, nearest(points, centers))


@given(seed=st.integers(0, 200))
def test_labels_after_iterations_are_exact_on_a_grid_of_ties(seed):
    random = np.random.RandomState(seed)
    points = random.randint(-3, 4, size=(400, 2)).astype(float)
    counts = random.randint(0, 3, size=400).astype(float)
    centers, labels = Everyone(points).counted(counts).lloyd(points[:5] + np.arange(5)[:, None] * 1e-9, 10, 0.0)
    np.testing.assert_array_equal(labels, nearest(points, centers))


def test_a_centre_that_nobody_counted_is_nearest_to_stays():
    points = np.array([[0.0], [1.0], [9.0]])
    centers, labels = Everyone(points).counted(np.array([1.0, 1.0, 0.0])).lloyd(np.array([[0.2], [8.0]]), 5, 0.0)
    assert centers.ravel().tolist() == pytest.approx([0.5, 8.0])
    assert labels.tolist() == [0, 0, 1]


@given(scores=arrays(np.float32, st.tuples(st.integers(1, 300), st.integers(1, 20)), elements=st.integers(-3, 3)))
def test_the_two_least_of_each_column(scores):
    labels = np.zeros(scores.shape[1], dtype=np.min_scalar_type(len(scores)))
    ordered = np.sort(np.concatenate([scores, np.full((1, scores.shape[1]), np.inf, dtype=np.float32)]), axis=0)
    expected = scores.argmin(axis=0)
    best, second = two_least(scores.copy(), labels)
    np.testing.assert_array_equal(labels, expected)
    np.testing.assert_array_equal([best, second], ordered[:2])


def test_a_start_without_hope_is_given_up():
    # centres that begin side by side spread slowly along a line
    points = np.linspace(0.0, 1.0, 3_000)[:, None]
    counted = Everyone(points).counted(np.ones(len(points)))
    good, bad = (counted.everyone.standard(points[rows]) for rows in (slice(150, None, 300), slice(10)))
    best = counted.run(good, 100, 1e-7)
    assert best.explained == pytest.approx(0.99 * counted.total, rel=1e-3)
    alone, beside = counted.run(bad, 100, 1e-7), counted.run(bad, 100, 1e-7, best.explained)
    assert beside.n_iterations < alone.n_iterations
    assert beside.explained < alone.explained < best.explained

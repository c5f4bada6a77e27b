"""The nearest centres of everyone, in short numbers, are those of the exact search."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custseg.segmentation._kmeans._many import everyone
from custseg.segmentation._kmeans._many.everyone import Everyone
from custseg.segmentation._kmeans.nearest import nearest


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
    monkeypatch.setattr(everyone, "TOGETHER", 100)
    np.testing.assert_array_equal(Everyone(points).nearest(points[:6]), whole)
    assert (whole[:6] == np.arange(6)).all()

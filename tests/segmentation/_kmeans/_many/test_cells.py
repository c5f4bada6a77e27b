"""Cells of patterns: a partition whose means keep sums, split where patterns differ most."""

from __future__ import annotations

import numpy as np
import pytest

from custseg.segmentation._kmeans._many import cells as module
from custseg.segmentation._kmeans._many.cells import cells_of


def points_and_counts(n=300, n_columns=5, seed=0):
    random = np.random.RandomState(seed)
    return random.normal(size=(n, n_columns)), random.randint(1, 4, n).astype(float)


def within(points, counts, cell):
    return sum(
        counts[cell == each] @ ((points[cell == each] - np.average(points[cell == each], 0, counts[cell == each])) ** 2)
        for each in np.unique(cell)
    ).sum()


@pytest.mark.parametrize("n_cells", [1, 2, 7, 50, 299])
def test_there_are_as_many_cells_as_asked_for_and_none_is_empty(n_cells):
    points, counts = points_and_counts()
    cells = cells_of(points, counts, n_cells)
    assert cells.n_cells == n_cells
    np.testing.assert_array_equal(np.unique(cells.cell), np.arange(n_cells))
    np.testing.assert_array_equal(np.diff(cells.bounds), np.bincount(cells.cell))
    np.testing.assert_array_equal(cells.cell[cells.order], np.repeat(np.arange(n_cells), np.diff(cells.bounds)))


def test_no_more_cells_than_patterns():
    points, counts = points_and_counts(20)
    cells = cells_of(points, counts, 50)
    assert cells.are_patterns
    np.testing.assert_array_equal(cells.means(points, counts), points)


def test_means_and_masses_are_those_of_the_members():
    points, counts = points_and_counts()
    cells = cells_of(points, counts, 20)
    drawn = np.random.RandomState(1).randint(0, 3, 300).astype(float)
    means, masses = cells.means(points, drawn), cells.masses(drawn)
    for each in range(20):
        mine = cells.cell == each
        assert masses[each] == drawn[mine].sum()
        np.testing.assert_allclose(means[each], np.average(points[mine], axis=0, weights=drawn[mine]))


def test_more_cells_leave_less_within_them():
    points, counts = points_and_counts()
    left = [within(points, counts, cells_of(points, counts, n).cell) for n in (1, 5, 25, 125)]
    assert (np.diff(left) < 0).all()


def test_far_groups_are_told_apart_first_whatever_the_scale():
    points, counts = points_and_counts()
    group = np.arange(300) % 3
    points[:, 2] += 50 * group
    for unit in (1e-150, 1.0, 1e150):
        cells = cells_of(points * unit, counts, 6)
        assert all(len(np.unique(group[cells.cell == each])) == 1 for each in range(6))


def test_a_pattern_of_count_two_is_two_customers():
    points, counts = points_and_counts(200, 2)
    once = cells_of(points, counts, 15).cell
    np.testing.assert_array_equal(cells_of(points, counts * 2, 15).cell, once)


def test_very_many_patterns_are_split_as_some_of_them_say(monkeypatch):
    points, counts = points_and_counts(3_000)
    points = points[np.lexsort(points.T)]
    whole = cells_of(points, counts, 40)
    monkeypatch.setattr(module, "LEARNT_FROM", 500)
    learnt = cells_of(points, counts, 40)
    assert learnt.n_cells == 40
    np.testing.assert_array_equal(np.unique(learnt.cell), np.arange(40))
    assert within(points, counts, learnt.cell) < 1.1 * within(points, counts, whole.cell)


def test_the_same_patterns_come_into_the_cells_that_they_made():
    points, counts = points_and_counts()
    tree = module._Tree(points, counts, 30)
    while tree.split():
        pass
    np.testing.assert_array_equal(tree.cells_of(points), tree.cell)

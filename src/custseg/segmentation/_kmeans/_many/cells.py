"""Cells of patterns that lie close together: what a refit by the hundred looks at in place of every customer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from custseg._core.arrays import Floats, Integers
from custseg._core.threads import one_thread

__all__ = ["Cells", "cells_of"]

# Splits go along so many principal components at most: a few thousand cells have no need of more.
MOST_COMPONENTS = 16
# They are learnt from so many patterns, at least.
LEARNT_FROM = 100_000


@dataclass(frozen=True)
class Cells:
    """The cell of each pattern, and the patterns cell by cell.

    Attributes
    ----------
    cell : ndarray of shape (n_patterns,)
        The cell of each pattern.
    order : ndarray of shape (n_patterns,)
        The patterns, those of the first cell first.
    bounds : ndarray of shape (n_cells + 1,)
        Where each cell begins among them, and where the last one ends.
    """

    cell: Integers
    order: Integers
    bounds: Integers

    @classmethod
    def of(cls, cell: Integers, n_cells: int) -> Cells:
        """Sort the patterns by their cells."""
        bounds = np.append(0, np.cumsum(np.bincount(cell, minlength=n_cells)))
        return cls(cell, np.argsort(cell, kind="stable"), bounds)

    @property
    def n_cells(self) -> int:
        """The number of cells."""
        return len(self.bounds) - 1

    @property
    def are_patterns(self) -> bool:
        """Whether each pattern is a cell of its own."""
        return self.n_cells == len(self.cell)

    def masses(self, counts: Floats) -> Floats:
        """Return how many customers each cell holds."""
        return np.bincount(self.cell, weights=counts, minlength=self.n_cells).astype(np.float64)

    def means(self, points: Floats, counts: Floats) -> Floats:
        """Return the mean of each cell with these counts; of no use where a cell holds nobody."""
        if self.are_patterns:
            return points[self.order]
        sums = csr_array((counts[self.order], self.order, self.bounds), shape=(self.n_cells, len(points))) @ points
        mass = self.masses(counts)
        return np.asarray(sums / np.where(mass > 0, mass, 1.0)[:, None])


def cells_of(points: Floats, counts: Floats, n_cells: int) -> Cells:
    """Split patterns into cells, so that little of their sum of squares is left within.

    The splits go along principal components: segments differ along a few of them, and cells that are small
    there cost little, however far they reach along all others. Round by round, half of the cells, those with
    the largest sum of squares, are split along the component with the largest part in it, at the mean.

    Parameters
    ----------
    points : ndarray of shape (n_patterns, n_columns)
        Distinct rows, in an order given by their content.
    counts : ndarray of shape (n_patterns,)
        How many customers show each of them.
    n_cells : int
        The number of cells; where there are no more patterns than that, each is a cell of its own.

    Returns
    -------
    Cells
        The cell of each pattern.

    Examples
    --------
    >>> points = np.array([[0.0, 0.0], [0.1, 0.0], [0.1, 0.1], [5.0, 0.0], [5.2, 0.1]])
    >>> cells_of(points, np.ones(5), 2).cell
    array([1, 1, 1, 0, 0])
    """
    if len(points) <= n_cells:
        return Cells.of(np.arange(len(points)), len(points))
    with one_thread():
        components = _components(points, counts)
        # rows stand in the order of their content: so many of them, evenly spread, say where to split all
        rows = slice(None, None, max(1, len(points) // LEARNT_FROM))
        tree = _Tree(components[rows], counts[rows], n_cells)
        while tree.split():
            pass
        cell = tree.cell if len(tree.cell) == len(points) else tree.cells_of(components)
    return Cells.of(cell, tree.n_cells)


def _components(points: Floats, counts: Floats) -> Floats:
    """Turn centred patterns into their first principal components, in units of the largest number."""
    centred = points - np.average(points, axis=0, weights=counts)
    centred /= np.abs(centred).max() or 1.0
    axes = np.linalg.eigh((centred * counts[:, None]).T @ centred)[1]
    return np.asarray(centred @ axes[:, : -1 - MOST_COMPONENTS : -1])


class _Tree:
    """Cells that are split again and again; means and sums of squares of each, column by column."""

    def __init__(self, points: Floats, counts: Floats, most: int) -> None:
        self.points, self.counts, self.most = points, counts, most
        self.cell = np.zeros(len(points), dtype=np.int64)
        self.n_cells = 1
        self.means = np.zeros((most, points.shape[1]))
        self.squares = np.zeros((most, points.shape[1]))
        self._measure(np.arange(len(points)))
        self._splits: list[tuple[Integers, Integers, Floats]] = []

    def cells_of(self, points: Floats) -> Integers:
        """Put others into the cells, by the same splits."""
        cell = np.zeros(len(points), dtype=np.int64)
        for other, axis, mean in self._splits:
            rows = np.flatnonzero(other[cell] >= 0)
            own = cell[rows]
            beyond = points[rows, axis[own]] > mean[own]
            cell[rows[beyond]] = other[own[beyond]]
        return cell

    def split(self) -> bool:
        """Split half of the cells that can be split; say whether there was one."""
        within = self.squares[: self.n_cells].sum(axis=1)
        able = np.flatnonzero(within > 0)
        chosen = able[np.argsort(-within[able], kind="stable")][: min((len(able) + 1) // 2, self.most - self.n_cells)]
        if not len(chosen):
            return False
        axis = self.squares[: self.n_cells].argmax(axis=1)
        other = np.full(self.n_cells, -1)
        other[chosen] = self.n_cells + np.arange(len(chosen))
        self._splits.append((other, axis, self.means[np.arange(self.n_cells), axis]))
        rows = np.flatnonzero(other[self.cell] >= 0)
        own = self.cell[rows]
        beyond = self.points[rows, axis[own]] > self.means[own, axis[own]]
        sizes = np.bincount(own[beyond], minlength=self.n_cells)
        # where rounding puts all on one side there is nothing to split
        one_sided = chosen[(sizes[chosen] == 0) | (sizes[chosen] == np.bincount(own, minlength=self.n_cells)[chosen])]
        self.means[other[chosen]] = self.means[chosen]
        self.cell[rows[beyond]] = other[own[beyond]]
        self.n_cells += len(chosen)
        self._measure(rows)
        self.squares[one_sided] = self.squares[other[one_sided]] = 0.0
        return True

    def _measure(self, rows: Integers) -> None:
        """Take means and sums of squares of the cells of these rows, from the mean of the cell they come from."""
        by_cell = np.argsort(self.cell[rows], kind="stable")
        rows = rows[by_cell]
        cell = self.cell[rows]
        starts = np.flatnonzero(np.append(True, cell[1:] != cell[:-1]))
        sizes = np.diff(np.append(starts, len(rows)))
        own, weights = cell[starts], self.counts[rows]
        away = self.points[rows] - np.repeat(self.means[own], sizes, axis=0)
        mass = np.add.reduceat(weights, starts)[:, None]
        weighted = away * weights[:, None]
        shift = np.add.reduceat(weighted, starts) / mass
        squares = np.add.reduceat(np.multiply(weighted, away, out=weighted), starts) - shift**2 * mass
        self.means[own] += shift
        self.squares[own] = np.where((sizes > 1)[:, None], np.maximum(squares, 0.0), 0.0)

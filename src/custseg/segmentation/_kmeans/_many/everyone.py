"""All rows again and again: their nearest centres, and Lloyd's last iterations, which move few of them.

In short numbers, and in long ones where these are in doubt.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from custseg._core.arrays import Floats, Integers
from custseg._core.threads import one_thread
from custseg.segmentation._kmeans._many.steps import PROMISES, Numbers
from custseg.segmentation._kmeans.nearest import n_rows_together, nearest, two_least

__all__ = ["Counted", "Everyone", "Reached"]

# Centres that many times farther away than all rows are none of k-means.
FAR = 1e3
# The unit of rounding of short numbers.
ROUNDING = float(np.finfo(np.float32).eps) / 2


class Everyone:
    """Rows whose nearest centres are asked for many times; the answers are those of :func:`nearest`.

    Parameters
    ----------
    points : ndarray of shape (n_points, n_columns)
        The rows.
    """

    def __init__(self, points: Floats) -> None:
        self.points = points
        self._offset = points.mean(axis=0)
        centred = points - self._offset
        # a power of two rounds nothing, and keeps squares in the range of short numbers
        self._exponent = math.frexp(float(np.abs(centred).max(initial=0.0)))[1]
        self.short = _Short(np.ldexp(centred, -self._exponent, out=centred).astype(np.float32))

    def nearest(self, centers: Floats) -> Integers:
        """Return the position of the nearest centre of every row, the first one where several are equally near."""
        standard = self.standard(centers)
        if not np.abs(standard).max() <= FAR:
            return nearest(self.points, centers)
        with one_thread():
            labels, slack = self.short.placed(standard)
            return self.decided(labels, slack, standard)

    def counted(self, counts: Floats) -> Counted:
        """Return the same rows for Lloyd's iterations.

        Parameters
        ----------
        counts : ndarray of shape (n_points,)
            What each row counts for, 0 or more.
        """
        return Counted(self, counts)

    def standard(self, centers: Floats) -> Floats:
        """Return centres in the unit of the short numbers."""
        return np.asarray(np.ldexp(centers - self._offset, -self._exponent))

    def original(self, standard: Floats) -> Floats:
        """Return centres as they were."""
        return np.asarray(np.ldexp(standard, self._exponent) + self._offset)

    def decided(self, labels: Integers, slack: Numbers, standard: Floats) -> Integers:
        """Look at rows again, in long numbers, of which short ones may have mistaken the nearest centre."""
        labels = labels.astype(np.int64)
        if len(standard) == 1:
            return labels
        length = float(np.sqrt((standard**2).sum(axis=1).max()))
        apart = standard[:, None] - standard
        squared = (apart**2).sum(axis=2)[~np.eye(len(standard), dtype=bool)]
        # four times the bound of what rounding does to a sum of so many products; a difference of squared distances is
        # that of the distances times their sum, which is no less than what is between the two centres
        doubt = 8 * (standard.shape[1] + 4) * ROUNDING * length * (2 * np.sqrt(self.short.norms) + length)
        unsure = np.flatnonzero(slack * np.sqrt(squared.min()) <= doubt)
        labels[unsure] = nearest(self.points[unsure], self.original(standard))
        return labels


@dataclass(frozen=True)
class Reached:
    """Where Lloyd's iterations ended, in units of the short numbers.

    Attributes
    ----------
    centers : ndarray of shape (k, n_columns)
        The centres.
    labels : ndarray of shape (n_counting,)
        The nearest centre of each row that counts.
    slack : ndarray of shape (n_counting,)
        How much farther the next one is, at least.
    explained : float
        The sum of squares that these clusters explain.
    n_iterations : int
        How many there were.
    """

    centers: Floats
    labels: Integers
    slack: Numbers
    explained: float
    n_iterations: int


class Counted:
    """Rows of which some count, for Lloyd's iterations from many starts.

    Parameters
    ----------
    everyone : Everyone
        The rows.
    counts : ndarray of shape (n_points,)
        What each row counts for, 0 or more.

    Attributes
    ----------
    total : float
        The sum of squares of those that count, in units of the short numbers.
    """

    def __init__(self, everyone: Everyone, counts: Floats) -> None:
        self.everyone = everyone
        self._counting, self._others = np.flatnonzero(counts > 0), np.flatnonzero(counts <= 0)
        self._short = everyone.short.of(self._counting) if len(self._others) else everyone.short
        self._counts = counts[self._counting].astype(np.float32)
        self.total = float(self._short.norms @ counts[self._counting])

    def lloyd(self, centers: Floats, n_iterations: int, least_gain: float) -> tuple[Floats, Integers]:
        """Run Lloyd's iterations; a row is looked at again when centres have moved by as much as it has to spare.

        Parameters
        ----------
        centers : ndarray of shape (k, n_columns)
            Where to start; a centre without rows stays where it is.
        n_iterations : int
            The most iterations.
        least_gain : float
            They end when one gains less than this share of the total sum of squares.

        Returns
        -------
        centers : ndarray of shape (k, n_columns)
            Where the centres are then.
        labels : ndarray of shape (n_points,)
            The nearest of these of every row, also of those that count nothing.
        """
        with one_thread():
            reached = self.run(self.everyone.standard(centers), n_iterations, least_gain)
            labels, slack = reached.labels, reached.slack
            if len(self._others):
                others = self.everyone.short.placed(reached.centers, self._others)
                labels, slack = map(self._together, (labels, slack), others)
            labels = self.everyone.decided(labels, slack, reached.centers)
            return self.everyone.original(reached.centers), labels

    def _together(self, counting: npt.NDArray[Any], others: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return one value for each row, of those that count and of the others."""
        whole = np.empty(len(self.everyone.points), dtype=counting.dtype)
        whole[self._counting], whole[self._others] = counting, others
        return whole

    def run(self, standard: Floats, n_iterations: int, least_gain: float, best: float = -math.inf) -> Reached:
        """Run Lloyd's iterations, in units of the short numbers.

        Parameters
        ----------
        standard : ndarray of shape (k, n_columns)
            Where to start.
        n_iterations, least_gain : int, float
            As in :meth:`lloyd`.
        best : float, optional
            What another start explains: one that it leaves behind without hope is given up.

        Returns
        -------
        Reached
            Where they end.
        """
        short, counts = self._short, self._counts
        labels, slack = short.placed(standard)
        sums = short.sums(None, labels, counts, len(standard))
        explained = -math.inf
        for iteration in range(n_iterations):  # noqa: B007 - how many there were is told
            mass = sums[:, -1:]
            before, standard = standard, np.where(mass > 0, sums[:, :-1] / np.where(mass > 0, mass, 1.0), standard)
            gain, explained = _explained(sums) - explained, _explained(sums)
            moved = np.sqrt(((standard - before) ** 2).sum(axis=1))
            # so much nearer are they, on the whole, by that alone
            is_last = float(mass[:, 0] @ moved**2) <= least_gain * self.total or best - explained > PROMISES * gain
            # its own centre may have gone away, and another one may have come nearer
            slack -= (moved + _largest_other(moved)).astype(np.float32)[labels]
            again = np.flatnonzero(slack <= 0)
            placed, slack[again] = short.placed(standard, again)
            changed = placed != labels[again]
            rows = again[changed]
            sums -= short.sums(rows, labels[rows], counts[rows], len(standard))
            labels[again] = placed
            sums += short.sums(rows, labels[rows], counts[rows], len(standard))
            if is_last:
                break
        return Reached(standard, labels, slack, _explained(sums), iteration + 1 if n_iterations else 0)


class _Short:
    """Rows in short numbers, and their squared lengths."""

    def __init__(self, rows: Numbers, norms: Numbers | None = None) -> None:
        self.rows = rows
        self.norms: Numbers = np.einsum("nd,nd->n", rows, rows) if norms is None else norms

    def of(self, rows: Integers) -> _Short:
        return _Short(self.rows[rows], self.norms[rows])

    def placed(self, centers: Floats, rows: Integers | None = None) -> tuple[Integers, Numbers]:
        """Return the nearest centre of rows, the first of equally near ones, and how much farther the next one is."""
        short: Numbers = centers.astype(np.float32)
        base = np.einsum("ij,ij->i", short, short)[:, None]
        n_rows = len(self.rows) if rows is None else len(rows)
        # the shortest whole numbers that hold a label: several are compared in one step of a processor
        labels = np.zeros(n_rows, dtype=np.min_scalar_type(len(short)))
        slack = np.empty(n_rows, dtype=np.float32)
        step = n_rows_together(len(short))
        for start in range(0, n_rows, step):
            block = slice(start, start + step)
            own = block if rows is None else rows[block]
            scores = (-2 * short) @ self.rows[own].T
            scores += base
            best, second = two_least(scores, labels[block])
            norms = self.norms[own]
            np.subtract(_root(second, norms), _root(best, norms), out=slack[block])
        return labels, slack

    def sums(self, rows: Integers | None, labels: Integers, counts: Numbers, n_clusters: int) -> Floats:
        """Return what rows add to the sums of their clusters, with their counts as the last column."""
        sums = np.zeros((n_clusters, self.rows.shape[1] + 1))
        step = n_rows_together(n_clusters)
        for start in range(0, len(labels), step):
            block = slice(start, start + step)
            cluster, own = labels[block], block if rows is None else rows[block]
            member: Numbers = np.zeros((n_clusters, len(cluster)), dtype=np.float32)
            member[cluster, np.arange(len(cluster))] = counts[block]
            sums[:, :-1] += member @ self.rows[own]
            sums[:, -1] += member.sum(axis=1, dtype=np.float64)
        return sums


def _explained(sums: Floats) -> float:
    """Return the sum of squares that clusters of these sums, and counts as the last column, explain."""
    held = sums[sums[:, -1] > 0]
    return float(((held[:, :-1] ** 2).sum(axis=1) / held[:, -1]).sum())


def _root(scores: Numbers, norms: Numbers) -> Numbers:
    """Return the distances of these scores, which are written over."""
    scores += norms
    np.maximum(scores, 0, out=scores)
    return np.sqrt(scores, out=scores)


def _largest_other(moved: Floats) -> Floats:
    """Return for each centre how far the others have moved at most."""
    if len(moved) == 1:
        return np.zeros(1)
    first = int(moved.argmax())
    others: npt.NDArray[np.float64] = np.full(len(moved), moved[first])
    others[first] = np.delete(moved, first).max()
    return others

"""All rows again and again: their nearest centres, and Lloyd's last iterations, which move few of them.

In short numbers, and in long ones where these are in doubt.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from custseg._core.arrays import Floats, Integers
from custseg._core.threads import one_thread
from custseg.segmentation._kmeans._many.steps import Numbers
from custseg.segmentation._kmeans.nearest import nearest

__all__ = ["Everyone"]

# Scores that are looked at together; they stay in a cache of an ordinary processor.
TOGETHER = 200_000
# Centres that many times farther away than all rows are none of k-means.
FAR = 1e3
# The unit of rounding of short numbers.
ROUNDING = float(np.finfo(np.float32).eps) / 2
# Iterations end when one gains less than this share of the total sum of squares.
GAIN = 3e-6


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
        self._rows: Numbers = np.ldexp(centred, -self._exponent, out=centred).astype(np.float32)
        self._norms: Numbers = np.einsum("nd,nd->n", self._rows, self._rows)

    def nearest(self, centers: Floats) -> Integers:
        """Return the position of the nearest centre of every row, the first one where several are equally near."""
        standard = np.ldexp(centers - self._offset, -self._exponent)
        if not np.abs(standard).max() <= FAR:
            return nearest(self.points, centers)
        with one_thread():
            labels, slack = self._placed(standard)
            return self._decided(labels, slack, standard, centers)

    def lloyd(self, counts: Floats, centers: Floats, n_iterations: int) -> tuple[Floats, Integers]:
        """Run Lloyd's iterations; a row is looked at again when centres have moved by as much as it has to spare.

        Parameters
        ----------
        counts : ndarray of shape (n_points,)
            What each row counts for, 0 or more.
        centers : ndarray of shape (k, n_columns)
            Where to start; a centre without rows stays where it is.
        n_iterations : int
            The most iterations.

        Returns
        -------
        centers : ndarray of shape (k, n_columns)
            Where the centres are then.
        labels : ndarray of shape (n_points,)
            The nearest of these of every row, also of those that count nothing.
        """
        standard = np.ldexp(centers - self._offset, -self._exponent)
        with one_thread():
            labels, slack = self._placed(standard)
            sums = self._sums(np.arange(len(labels)), labels, counts, len(centers))
            total = float(self._norms @ counts)
            for _ in range(n_iterations):
                mass = sums[:, -1:]
                before, standard = standard, np.where(mass > 0, sums[:, :-1] / np.where(mass > 0, mass, 1.0), standard)
                moved = np.sqrt(((standard - before) ** 2).sum(axis=1))
                # so much nearer are they, on the whole, by that alone
                is_last = float(mass[:, 0] @ moved**2) <= GAIN * total
                # its own centre may have gone away, and another one may have come nearer
                slack -= (moved + _largest_other(moved)).astype(np.float32)[labels]
                again = np.flatnonzero(slack <= 0)
                placed, slack[again] = self._placed(standard, again)
                changed = placed != labels[again]
                rows = again[changed]
                sums -= self._sums(rows, labels[rows], counts, len(centers))
                labels[again] = placed
                sums += self._sums(rows, labels[rows], counts, len(centers))
                if is_last:
                    break
            found = np.ldexp(standard, self._exponent) + self._offset
            return found, self._decided(labels, slack, standard, found)

    def _placed(self, centers: Floats, rows: Integers | None = None) -> tuple[Integers, Numbers]:
        """Return the nearest centre of rows, and how much farther the next one is."""
        short: Numbers = centers.astype(np.float32)
        base = np.einsum("ij,ij->i", short, short)[:, None]
        n_rows = len(self.points) if rows is None else len(rows)
        labels, slack = np.zeros(n_rows, dtype=np.int64), np.empty(n_rows, dtype=np.float32)
        step = max(1, TOGETHER // len(centers))
        for start in range(0, n_rows, step):
            block = slice(start, start + step)
            own = block if rows is None else rows[block]
            scores = (-2 * short) @ self._rows[own].T
            scores += base
            best = scores.min(axis=0)
            member = scores == best
            for center in range(len(centers) - 1, -1, -1):  # of equally near ones the first one
                labels[block][member[center]] = center
            scores[member] = np.inf
            second = scores.min(axis=0)
            equally = np.add.reduce(member, axis=0, dtype=np.int32) > 1
            second[equally] = best[equally]
            norms = self._norms[own]
            slack[block] = np.sqrt(np.maximum(second + norms, 0)) - np.sqrt(np.maximum(best + norms, 0))
        return labels, slack

    def _sums(self, rows: Integers, labels: Integers, counts: Floats, n_clusters: int) -> Floats:
        """Return what rows add to the sums of their clusters, with their counts as the last column."""
        sums = np.zeros((n_clusters, self._rows.shape[1] + 1))
        step = max(1, TOGETHER // n_clusters)
        for start in range(0, len(rows), step):
            own, cluster = rows[start : start + step], labels[start : start + step]
            member: Numbers = np.zeros((n_clusters, len(own)), dtype=np.float32)
            member[cluster, np.arange(len(own))] = counts[own]
            sums[:, :-1] += member @ self._rows[own]
            sums[:, -1] += member.sum(axis=1, dtype=np.float64)
        return sums

    def _decided(self, labels: Integers, slack: Numbers, standard: Floats, centers: Floats) -> Integers:
        """Look at rows again, in long numbers, of which short ones may have mistaken the nearest centre."""
        if len(centers) == 1:
            return labels
        length = float(np.sqrt((standard**2).sum(axis=1).max()))
        apart = standard[:, None] - standard
        squared = (apart**2).sum(axis=2)[~np.eye(len(standard), dtype=bool)]
        # four times the bound of what rounding does to a sum of so many products; a difference of squared distances is
        # that of the distances times their sum, which is no less than what is between the two centres
        doubt = 8 * (standard.shape[1] + 4) * ROUNDING * length * (2 * np.sqrt(self._norms) + length)
        unsure = np.flatnonzero(slack * np.sqrt(squared.min()) <= doubt)
        labels[unsure] = nearest(self.points[unsure], centers)
        return labels


def _largest_other(moved: Floats) -> Floats:
    """Return for each centre how far the others have moved at most."""
    if len(moved) == 1:
        return np.zeros(1)
    first = int(moved.argmax())
    others: npt.NDArray[np.float64] = np.full(len(moved), moved[first])
    others[first] = np.delete(moved, first).max()
    return others

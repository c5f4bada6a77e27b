"""The nearest centre of the same rows again and again: in short numbers, and in long ones where these are in doubt."""

from __future__ import annotations

import math

import numpy as np

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
        self._columns: Numbers = np.ascontiguousarray(np.ldexp(centred, -self._exponent).T, dtype=np.float32)
        self._lengths: Numbers = np.sqrt(np.einsum("dn,dn->n", self._columns, self._columns))

    def nearest(self, centers: Floats) -> Integers:
        """Return the position of the nearest centre of every row, the first one where several are equally near."""
        standard = np.ldexp(centers - self._offset, -self._exponent)
        if not np.abs(standard).max() <= FAR:
            return nearest(self.points, centers)
        short: Numbers = standard.astype(np.float32)
        base = np.einsum("ij,ij->i", short, short)
        length = float(np.sqrt(base.max()))
        # twice the bound of what rounding does to a sum of so many products
        doubt = 4 * (len(self._columns) + 4) * ROUNDING
        labels = np.empty(len(self.points), dtype=np.int64)
        step = max(1, TOGETHER // len(centers))
        with one_thread():
            for start in range(0, len(labels), step):
                block = slice(start, start + step)
                scores = (-2 * short) @ self._columns[:, block]
                scores += base[:, None]
                reach = scores.min(axis=0)
                reach += np.float32(doubt * length) * (2 * self._lengths[block] + np.float32(length))
                labels[block] = _decided(scores <= reach)
            unsure = np.flatnonzero(labels < 0)
            labels[unsure] = nearest(self.points[unsure], centers)
        return labels


def _decided(is_near: np.ndarray) -> Integers:
    """Return the only centre that is near each row, -1 where there are several."""
    labels = np.zeros(is_near.shape[1], dtype=np.int64)
    for center in range(1, len(is_near)):
        labels[is_near[center]] = center
    labels[np.add.reduce(is_near, axis=0, dtype=np.int32) > 1] = -1
    return labels

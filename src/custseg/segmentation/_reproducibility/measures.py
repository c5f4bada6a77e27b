"""How alike two partitions of the same customers are, from their cross table alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from custseg._core.arrays import Floats, Integers

__all__ = ["adjusted_rand", "best_jaccard", "cross_table"]


def cross_table(first: Integers, second: Integers, shape: tuple[int, int], counts: npt.NDArray[Any]) -> Integers:
    """Count the customers in each pair of segments.

    Parameters
    ----------
    first, second : ndarray of shape (n_patterns,)
        The segments, as whole numbers from 0.
    shape : tuple of two ints
        The number of segments of each partition, empty ones included.
    counts : ndarray of shape (n_patterns,)
        How many customers stand behind each entry.

    Returns
    -------
    table : ndarray of shape ``shape``
        Numbers of customers.
    """
    cells = np.bincount(first * shape[1] + second, weights=counts, minlength=shape[0] * shape[1])
    # bincount sums weights as floats, which hold whole numbers exactly up to 2 ** 53
    return cells.reshape(shape).astype(np.int64)


def adjusted_rand(table: npt.NDArray[Any]) -> float:
    """Return the adjusted Rand index of a cross table [1]_.

    1 for equal partitions, 0 on average for partitions drawn at random with the same segment
    sizes, below 0 for less agreement than that.

    References
    ----------
    .. [1] L. Hubert and P. Arabie (1985). Comparing partitions. Journal of Classification 2, 193-218.
    """
    # floats: the pairs of ten million customers exceed what their products could hold as integers
    cells = np.asarray(table, dtype=np.float64)
    both = _pairs(cells)
    first, second = _pairs(cells.sum(axis=1)), _pairs(cells.sum(axis=0))
    if both == first == second:
        return 1.0
    chance = first * second / _pairs(cells.sum())
    return float((both - chance) / ((first + second) / 2 - chance))


def _pairs(counts: Any) -> float:
    return float(np.sum(counts * (counts - 1.0)) / 2.0)


def best_jaccard(table: npt.NDArray[Any]) -> Floats:
    """Return, for each row segment, its Jaccard coefficient with the column segment most like it.

    The Jaccard coefficient of two segments is the number of customers in both over the number in
    either; a segment without customers scores 0.
    """
    cells = np.asarray(table, dtype=np.float64)
    either = cells.sum(axis=1, keepdims=True) + cells.sum(axis=0, keepdims=True) - cells
    best: Floats = np.divide(cells, either, out=np.zeros_like(cells), where=either > 0).max(axis=1)
    return best

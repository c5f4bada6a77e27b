"""The nearest centre of every row, decided alike whatever the other rows and the number of threads."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from custseg._core.arrays import Floats, Integers

__all__ = ["n_rows_together", "nearest", "two_least"]

Numbers = npt.NDArray[Any]

# Numbers per block of the largest intermediate array: they stay in a cache of an ordinary processor. Of many centres
# or columns so many rows are looked at together nonetheless, for each step to be worth its call, up to 64 MB.
BLOCK, FEWEST_ROWS, LARGEST_BLOCK = 150_000, 4_096, 8_000_000
# Numbers of this size and their inverses are squared without overflow and underflow; beyond, units change.
SAFE = 1e100


def nearest(points: Floats, centers: Floats, subsidies: Floats | None = None) -> Integers:
    """Return the position of the nearest centre of every row; the first one where several are equally near.

    With ``subsidies``, the squared distance to each centre is lowered by its subsidy. Rows for which
    two centres are equally near but for rounding are decided by exact differences, so that the
    answer for a row does not depend on the rows beside it.
    """
    offset = centers.mean(axis=0)
    targets = centers - offset
    unit = unit_of(targets)
    targets = targets / unit
    base = np.einsum("ij,ij->i", targets, targets)
    if subsidies is not None:
        subsidies = subsidies / unit / unit
        base = base - subsidies
    labels = np.empty(len(points), dtype=np.int64)
    step = n_rows_together(max(len(centers), points.shape[1]))
    for start in range(0, len(points), step):
        block = points[start : start + step] - offset
        scales = _scales(block, unit)
        if scales is not None:
            block /= scales[:, None]
        scores = (-2.0 * targets) @ block.T
        scores += base[:, None]
        chosen = np.zeros(len(block), dtype=np.min_scalar_type(len(centers)))
        best, second = two_least(scores, chosen)
        norms = np.einsum("ij,ij->i", block, block)
        close = np.flatnonzero(second <= best + 1e-12 * (norms + np.abs(base).max()))
        labels[start : start + step] = chosen
        if len(close):
            scale = None if scales is None else scales[close]
            labels[start + close] = _nearest_exactly(points[start + close], centers, subsidies, scale)
    return labels


def n_rows_together(width: int) -> int:
    """Return how many rows of so many numbers are looked at together."""
    width = max(width, 1)
    return max(1, BLOCK // width, min(FEWEST_ROWS, LARGEST_BLOCK // width))


def two_least(scores: Numbers, labels: Integers) -> tuple[Numbers, Numbers]:
    """Return the least score of each column and the next one, and write where the least is into labels, all 0.

    Scores are written over. Labels are best of the shortest whole numbers that hold them: a processor compares several
    of these in one step.
    """
    best, second = scores[0], np.full(scores.shape[1], np.inf, dtype=scores.dtype)
    is_less, place, larger = np.empty(best.shape, dtype=bool), np.empty_like(labels), np.empty_like(best)
    for center in range(1, len(scores)):
        score = scores[center]
        np.less(score, best, out=is_less)
        # centres come in order: the last one that is less than all before is the largest place
        np.multiply(is_less.view(np.uint8), labels.dtype.type(center), out=place)
        np.maximum(labels, place, out=labels)
        np.maximum(score, best, out=larger)
        np.minimum(second, larger, out=second)
        np.minimum(best, score, out=best)
    return best, second


def unit_of(values: Floats) -> float:
    """Return a power of two near the largest size of numbers whose squares would overflow or vanish, else 1."""
    largest = float(np.abs(values).max(initial=0.0))
    if largest == 0.0 or 1.0 / SAFE <= largest <= SAFE:
        return 1.0
    return math.ldexp(1.0, min(math.frexp(largest)[1], 1023))


def _scales(block: Floats, unit: float) -> Floats | None:
    """Return what to divide each row by: the unit, more for rows far beyond all centres; None where all are 1."""
    if unit == 1.0 and max(block.max(initial=0.0), -block.min(initial=0.0)) <= SAFE:
        return None
    sizes = np.abs(block).max(axis=1, initial=0.0)
    with np.errstate(over="ignore"):
        far = sizes / unit > SAFE
    # So far away the squared norms of the centres no longer count, and the row may come nearer to where they do not.
    nearer = np.ldexp(1.0, np.frexp(sizes)[1] - math.frexp(SAFE)[1])
    return np.where(far, nearer, unit)


def _nearest_exactly(points: Floats, centers: Floats, subsidies: Floats | None, scales: Floats | None) -> Integers:
    away = [points - center if scales is None else (points - center) / scales[:, None] for center in centers]
    scores = np.stack([(difference**2).sum(axis=1) for difference in away], axis=1)
    if subsidies is not None:
        scores -= subsidies
    # Equal but for the last bits counts as equal: the first centre, whatever the units of the columns.
    best = scores.min(axis=1)
    slack = 1e-13 * (np.abs(best) + (0.0 if subsidies is None else np.abs(subsidies).max()))
    return np.asarray((scores <= (best + slack)[:, None]).argmax(axis=1), dtype=np.int64)

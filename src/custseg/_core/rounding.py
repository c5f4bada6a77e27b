"""Differences that are none: numbers that are the same but for the rounding of whatever computed them.

The same mean computed in two ways, or on two machines, differs in its last digits. A spread of that
size says nothing of customers, yet divided by itself it is as large as any other, and a cut through it
parts people who are alike. So it is taken out once, where a table is read to learn from it, and a
number that is compared with a cut has the same room there. Floats of 32 or 16 bits hold fewer digits, so
that their last ones differ by more.
"""

from __future__ import annotations

from typing import Any, TypeVar

import narwhals.stable.v2 as nw
import numpy as np

from custseg._core.arrays import Bools, Floats, Integers
from custseg._core.exact import EXACT_FLOATS, exact_below

__all__ = ["ROUNDING", "doubles", "rounding_in", "rounding_of", "without_rounding"]

Numbers = TypeVar("Numbers", nw.Expr, nw.Series[Any])

# A share of a number. What thousands of additions round off stays well below, and no measurement has so many digits.
ROUNDING = 1e-11

# So many units in the last place, and up to twice as many, may a float of fewer bits be off.
_LAST_PLACES = 4

# Floats below are exact where they are whole: neighbours are counts or codes, and no rounding made them of one another.
_WHOLE = float(EXACT_FLOATS)

_LAST_BITS = 16


def rounding_in(dtype: Any) -> float:
    """Return the share of a number that is rounding where it is stored as a type (of numpy or narwhals).

    Examples
    --------
    >>> import numpy as np
    >>> rounding_in(np.dtype("float64")), rounding_in(np.dtype("float32"))
    (1e-11, 4.76837158203125e-07)
    """
    return max(ROUNDING, 2 * _LAST_PLACES / exact_below(dtype))


def doubles(numbers: Numbers, dtype: Any) -> Numbers:
    """Make floats of 64 bits of a column (an expression, or a series of narwhals), such as 0.1 of the nearest of 32.

    Widened bit by bit, it would be 0.10000000149, and sums that are equal would differ from the ninth digit on.
    """
    return (numbers.cast(nw.String) if dtype == nw.Float32 else numbers).cast(nw.Float64)


def rounding_of(numbers: Floats, share: float = ROUNDING) -> Floats:
    """Return how far a number may lie from each of these and still be the same; whole numbers never reach the next."""
    size = np.abs(numbers)
    room = np.minimum(share * size, np.finfo(np.float64).max - size)
    return np.where((numbers == np.floor(numbers)) & (size < _WHOLE), np.minimum(room, 0.25), room)


def without_rounding(numbers: Floats, share: float = ROUNDING) -> Floats:
    """Make numbers equal that differ by rounding alone: the largest of them stands for all.

    Numbers that follow one another too closely over a wider range are dense, not rounded, and stay as they
    are. Where nothing differs by rounding, which is the rule, the numbers themselves are returned.

    Parameters
    ----------
    numbers : ndarray of shape (n,)
        Finite numbers, NaN where missing.
    share : float, default=1e-11
        The share of a number that is rounding, see :func:`rounding_in`.

    Returns
    -------
    ndarray of shape (n,)
        The numbers; no order is turned round.

    Examples
    --------
    >>> import numpy as np
    >>> from custseg._core.rounding import without_rounding
    >>> without_rounding(np.array([9.99, 9.989999999999998, 5.0]))
    array([9.99, 9.99, 5.  ])
    """
    # counts and codes, or nothing known: no need to sort
    if not (np.floor(numbers) < numbers).any() and not (np.abs(numbers) >= _WHOLE).any():
        return numbers
    ordered = np.sort(numbers)  # NaN last
    ordered = ordered[: np.searchsorted(ordered, np.inf, side="right")]
    # what is not near another number is neither one with it nor between two that are one
    near = np.flatnonzero(_near(ordered, share))
    if not len(near):
        return numbers
    distinct = np.unique(np.concatenate([ordered[near], ordered[near + 1]]))
    close = _same_as_next(distinct, share)
    starts = np.flatnonzero(close & ~np.append(False, close[:-1]))
    ends = np.flatnonzero(close & ~np.append(close[1:], False)) + 1
    lowest, highest = distinct[starts], distinct[ends]
    is_one = highest - lowest <= share * np.maximum(-lowest, highest)
    if not is_one.any():
        return numbers
    edges = np.zeros(len(distinct) + 1, dtype=np.int64)
    edges[starts[is_one]] += 1
    edges[ends[is_one]] -= 1
    moved = distinct[edges.cumsum()[:-1] > 0]
    meant = np.repeat(highest[is_one], (ends - starts)[is_one])
    rows = _rows_of(moved, numbers)
    changed = numbers.copy()
    changed[rows] = meant[np.searchsorted(moved, numbers[rows])]
    return changed


def _near(ordered: Floats, share: float) -> Bools:
    """Say which sorted numbers are followed by another as near as rounding can be of the largest of all."""
    with np.errstate(over="ignore"):
        step = ordered[1:] - ordered[:-1]
    largest = max(-ordered[0], ordered[-1], 0.0) if len(ordered) else 0.0
    return (step <= share * largest) & (step > 0)


def _rows_of(wanted: Floats, numbers: Floats) -> Integers:
    """Find the rows of a few sorted numbers, by their last bits before they are looked up."""
    bits = (1 << _LAST_BITS) - 1
    has = np.zeros(bits + 1, dtype=bool)
    has[wanted.view(np.int64) & bits] = True
    rows = np.flatnonzero(has[numbers.view(np.int64) & bits])
    place = np.minimum(np.searchsorted(wanted, numbers[rows]), len(wanted) - 1)
    return np.asarray(rows[wanted[place] == numbers[rows]])


def _same_as_next(distinct: Floats, share: float) -> Bools:
    """Say which sorted numbers are followed by another that differs by rounding alone."""
    low, high = distinct[:-1], distinct[1:]
    whole = (low == np.floor(low)) & (high == np.floor(high)) & (np.maximum(-low, high) < _WHOLE)
    with np.errstate(over="ignore"):
        return np.asarray((high - low <= share * np.maximum(-low, high)) & ~whole)

"""Differences that are none: numbers that are the same but for the rounding of whatever computed them.

The same mean computed in two ways, or on two machines, differs in its last digits. A spread of that
size says nothing of customers, yet divided by itself it is as large as any other, and a cut through it
parts people who are alike. So it is taken out once, where a table is read to learn from it, and a
number that is compared with a cut has the same room there.
"""

from __future__ import annotations

import numpy as np

from custseg._core.arrays import Bools, Floats

__all__ = ["ROUNDING", "rounding_of", "without_rounding"]

# A share of a number. What thousands of additions round off stays well below, and no measurement has so many digits.
ROUNDING = 1e-11

# Floats below are exact where they are whole: neighbours are counts or codes, and no rounding made them of one another.
_WHOLE = 2.0**53


def rounding_of(numbers: Floats) -> Floats:
    """Return how far a number may lie from each of these and still be the same; whole numbers never reach the next."""
    size = np.abs(numbers)
    room = np.minimum(ROUNDING * size, np.finfo(np.float64).max - size)
    return np.where((numbers == np.floor(numbers)) & (size < _WHOLE), np.minimum(room, 0.25), room)


def without_rounding(numbers: Floats) -> Floats:
    """Make numbers equal that differ by rounding alone: the largest of them stands for all.

    Numbers that follow one another too closely over a wider range are dense, not rounded, and stay as they
    are. Where nothing differs by rounding, which is the rule, the numbers themselves are returned.

    Parameters
    ----------
    numbers : ndarray of shape (n,)
        Finite numbers, NaN where missing.

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
    if not _same_as_next(ordered).any():
        return numbers
    distinct = ordered[np.append(True, ordered[1:] > ordered[:-1])]
    close = _same_as_next(distinct)
    starts = np.flatnonzero(close & ~np.append(False, close[:-1]))
    ends = np.flatnonzero(close & ~np.append(close[1:], False)) + 1
    lowest, highest = distinct[starts], distinct[ends]
    is_one = highest - lowest <= ROUNDING * np.maximum(-lowest, highest)
    if not is_one.any():
        return numbers
    # as a rule few numbers move, so that the others are not looked up among all
    moved = np.concatenate([distinct[start:end] for start, end in zip(starts[is_one], ends[is_one], strict=True)])
    meant = np.repeat(highest[is_one], (ends - starts)[is_one])
    place = np.minimum(np.searchsorted(moved, numbers), len(moved) - 1)
    return np.where(moved[place] == numbers, meant[place], numbers)


def _same_as_next(ordered: Floats) -> Bools:
    """Say which sorted numbers are followed by another that differs by rounding alone."""
    low, high = ordered[:-1], ordered[1:]
    with np.errstate(over="ignore"):
        step = high - low
    differs = step > 0
    # as a rule no two are as near as the largest would allow
    largest = max(-ordered[0], ordered[-1], 0.0) if len(ordered) else 0.0
    if step.min(where=differs, initial=np.inf) > ROUNDING * largest:
        return np.zeros(len(step), dtype=bool)
    close = differs & (step <= ROUNDING * np.maximum(-low, high))
    if not close.any():
        return close
    whole = (ordered == np.floor(ordered)) & (np.abs(ordered) < _WHOLE)
    return np.asarray(close & ~(whole[:-1] & whole[1:]))

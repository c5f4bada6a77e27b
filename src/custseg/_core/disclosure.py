"""What may be told of customers without telling of one: the rules that every output asks.

1. Least number: no figure rests on 1 to ``least - 1`` customers. A segment of so few is hidden; in a segment in which a
   characteristic is known of so few, it counts as unknown. No rare level is named, not even as a median. Nor is a
   most frequent level that leaves one or two customers at most to levels that are hidden.
2. Dominance: no total or mean of which one customer makes more than half.
3. Complements: who is hidden enters no figure at all, neither a total nor "everyone else". Since the number of all
   customers is known from elsewhere, the size of hidden segments would follow from the sizes of the others: the
   largest segment is told without as many customers as make what is left the same whatever the hidden sizes are.
4. Shares: those by whom a share stands out, on either side of a yes and no, are as many as rule 1 asks; numbers that
   take two values are a yes and no. Shares of a segment add up, so where one is hidden others are too, until as many
   customers stand behind those that are hidden. Rare levels are hidden ones. Of ordered levels medians and "this or
   higher" are told as well, so a segment's shares of them are all told or none.

Rules 1 to 3 are the threshold, the (1, 50%)-dominance rule and secondary suppression of Hundepool et al. (2012),
*Statistical Disclosure Control*, Wiley, chapters 4 and 5.
"""

from __future__ import annotations

import numpy as np

from custseg._core.arrays import Bools, Floats, Integers
from custseg._core.customers import CustomerTable

__all__ = ["FEWEST_LEFT", "described", "dominated", "enter", "told_cuts", "told_modes", "told_shares", "told_whole"]

# One customer may make at most so much of a total.
_MOST_OF_ONE = 0.5
# What the middle or the most frequent level leaves for those that are hidden may be no less than 0 to so many.
FEWEST_LEFT = 3
_FIRST = 100
# sums of so large numbers, and halves of so small ones, are exact enough
_IN_RANGE = 1e250


def described(labels: Integers, n_segments: int, least: int, table: CustomerTable | None = None) -> Integers:
    """Return the labels of those of whom figures may be told; -1 for everyone else.

    Parameters
    ----------
    labels : ndarray of shape (n_customers,)
        Segments 0 to ``n_segments`` - 1; -1 for customers in none.
    n_segments : int
        The number of segments.
    least : int
        The smallest segment that is described.
    table : CustomerTable, optional
        The customers. Their ids, or else their values, say who is left out, whatever the order of rows and columns.

    Returns
    -------
    ndarray of shape (n_customers,)
        The labels of the described. Where the largest segment cannot cover for the hidden ones, nobody is.

    Examples
    --------
    One customer alone is hidden. Eight of the largest segment are left out, so that nine of all are, be the hidden
    segment as small as one or as large as nine.

    >>> import numpy as np
    >>> labels = np.repeat([0, 1, 2], [40, 30, 1])
    >>> np.bincount(described(labels, 3, least=10) + 1)
    array([ 9, 32, 30])
    """
    sizes = np.bincount(labels[labels >= 0], minlength=n_segments)
    hidden = (sizes > 0) & (sizes < least)
    if not hidden.any():
        return labels
    told = np.where((labels >= 0) & ~hidden[labels], labels, -1)
    largest = int(sizes.argmax())
    n_out = int(hidden.sum() * (least - 1) - sizes[hidden].sum())
    if sizes[largest] - n_out < least:
        return np.full_like(labels, -1)
    rows = np.flatnonzero(labels == largest)
    if table is not None:
        own = table.take(rows)
        keys = [own.ids] if own.ids is not None else [own[name].values for name in sorted(own.names)]
        rows = rows[np.lexsort(keys)]
    # from all over the segment, whatever the ids say of their customers
    told[rows[np.arange(n_out) * len(rows) // max(1, n_out)]] = -1
    return told


def enter(known: Bools, labels: Integers, n_segments: int, least: int, numbers: Floats | None = None) -> Bools:
    """Say who enters the figures of a characteristic: segments in which enough are known, and nobody dominates.

    Parameters
    ----------
    known : ndarray of shape (n_customers,), of bool
        Of whom it is known.
    labels : ndarray of shape (n_customers,)
        The described, see :func:`described`.
    n_segments, least : int
        The number of segments; how many must be known.
    numbers : ndarray of shape (n_customers,), optional
        What is averaged. Of two values, the share of the higher one must be one that may be told.

    Returns
    -------
    ndarray of shape (n_customers,), of bool
        Part of ``known``.

    Examples
    --------
    >>> import numpy as np
    >>> spend = np.array([5.0, 6.0, 7.0, 1.0, 2.0, 90.0, np.nan])
    >>> enter(~np.isnan(spend), np.array([0, 0, 0, 1, 1, 1, 1]), 2, least=3, numbers=spend).astype(int)
    array([1, 1, 1, 0, 0, 0, 0])
    """
    inside = known & (labels >= 0)
    if not inside.all():
        labels, numbers = labels[inside], None if numbers is None else numbers[inside]
    counts = np.bincount(labels, minlength=n_segments)
    enough = counts >= least
    if numbers is not None:
        enough &= ~dominated(numbers, labels, n_segments, least)
        # of two values where segments that are out already had a third one too
        left = numbers if enough.all() else numbers[enough[labels]]
        lowest, highest = left.min(initial=np.inf), left.max(initial=-np.inf)
        if lowest < highest and _two_values(left, lowest, highest):
            yes = np.bincount(labels, numbers == highest, n_segments).astype(np.float64)[:, None]
            enough &= told_shares(yes, counts * enough, least, is_yes=True)[:, 0]
    if not enough.all():
        inside[inside] = enough[labels]
    return inside


def _two_values(numbers: Floats, lowest: float, highest: float) -> bool:
    """Say whether there is nothing between the lowest and the highest: as a rule the first few show that there is."""
    return all(((part == lowest) | (part == highest)).all() for part in (numbers[:_FIRST], numbers[_FIRST:]))


def dominated(numbers: Floats, labels: Integers, n_segments: int, least: int) -> Bools:
    """Say of which segments one customer makes more than half of the sum; where one may be told alone, of none.

    Examples
    --------
    >>> import numpy as np
    >>> dominated(np.array([1.0, 1.0, 3.0, 2.0, 2.0]), np.array([0, 0, 0, 1, 1]), 2, least=2)
    array([ True, False])
    """
    if least <= 1:
        return np.zeros(n_segments, dtype=bool)
    sizes = np.abs(numbers)
    largest = float(sizes.max(initial=0.0))
    if not 1.0 / _IN_RANGE < largest < _IN_RANGE:
        sizes = sizes / max(largest, np.finfo(np.float64).tiny)
        largest = min(largest, 1.0)
    # but for the rounding of sums
    most = _MOST_OF_ONE * (1 + 1e-9) * np.bincount(labels, sizes, n_segments)
    if largest <= most.min():
        return np.zeros(n_segments, dtype=bool)
    return np.bincount(labels[sizes > most[labels]], minlength=n_segments) > 0


def told_shares(table: Floats, counts: Integers | Floats, least: int, *, is_yes: bool = False) -> Bools:
    """Say which shares may be told; the rest of each is of the segments that may, level by level.

    Parameters
    ----------
    table : ndarray of shape (n_segments, n_levels)
        The customers of each segment that have each level that is named.
    counts : ndarray of shape (n_segments,)
        Those of whom it is known.
    least : int
        How many must have what stands out.
    is_yes : bool, default=False
        Whether the one level is a yes, whose no is told with it; else those who have no level of these have one that is
        not named.

    Returns
    -------
    ndarray of shape (n_segments, n_levels), of bool

    Examples
    --------
    Three of 40 stand out by their yes; and as few as two of 40 by their no.

    >>> import numpy as np
    >>> told_shares(np.array([[3.0], [1.0], [2.0]]), np.array([40, 40, 100]), least=10, is_yes=True).ravel()
    array([False, False, False])
    >>> told_shares(np.array([[38.0], [40.0], [99.0]]), np.array([40, 40, 100]), least=10, is_yes=True).ravel()
    array([False, False, False])
    >>> told_shares(np.array([[30.0], [12.0], [20.0]]), np.array([40, 40, 100]), least=10, is_yes=True).ravel()
    array([ True,  True,  True])

    Two of the first segment have levels that are not named: without the second share nobody knows.

    >>> told_shares(np.array([[23.0, 15.0], [40.0, 40.0]]), np.array([40, 100]), least=10)
    array([[ True, False],
           [ True,  True]])
    """
    n_levels = table.shape[1]
    known = np.broadcast_to(np.asarray(counts, dtype=np.float64)[:, None], table.shape)
    unnamed = np.zeros(len(table)) if is_yes else np.asarray(counts) - table.sum(axis=1)
    told = known > 0
    while True:
        shown, here = known * told, table * told
        elsewhere, n_elsewhere = here.sum(axis=0) - here, shown.sum(axis=0) - shown
        with np.errstate(divide="ignore", invalid="ignore"):
            here_share, rest_share = here / shown, elsewhere / n_elsewhere
        few = _few(here, elsewhere, here_share >= rest_share, n_elsewhere, least)
        if n_levels <= 2:
            few |= _few(shown - here, n_elsewhere - elsewhere, here_share <= rest_share, n_elsewhere, least)
        few &= told
        if not is_yes:
            few |= _more(np.abs(here_share - rest_share), table, told & ~few, unnamed, least)
        if not few.any():
            return told
        told = told & ~few


def _few(here: Floats, elsewhere: Floats, more: Bools, n_elsewhere: Floats, least: int) -> Bools:
    """Say where too few have what stands out; where there is nobody else, where too few have it at all."""
    return np.where(n_elsewhere > 0, np.where(more, here, elsewhere) < least, (here > 0) & (here < least))


def _more(gaps: Floats, table: Floats, told: Bools, unnamed: Floats, least: int) -> Bools:
    """Say which share to hide beside one that is, or beside several that too few have: what stands out least."""
    # rare levels that enough have are two or more
    n_hidden = (~told & (table.sum(axis=0) > 0)).sum(axis=1) + 2 * (unnamed > 0)
    behind = (table * ~told).sum(axis=1) + unnamed
    alone = np.flatnonzero(told.any(axis=1) & (n_hidden > 0) & ((n_hidden == 1) | (behind < least)))
    chosen = np.zeros(gaps.shape, dtype=bool)
    chosen[alone, np.where(told, np.nan_to_num(gaps), np.inf).argmin(axis=1)[alone]] = True
    return chosen


def told_modes(table: Floats, told: Bools, counts: Integers | Floats, least: int) -> Bools:
    """Say of which segments the most frequent level may be named, beside the shares that are told.

    Parameters
    ----------
    table, counts : ndarray
        As in :func:`told_shares`.
    told : ndarray of shape (n_segments, n_levels), of bool
        What it said.
    least : int
        How many must have a level that is named.

    Returns
    -------
    ndarray of shape (n_segments,), of bool

    Examples
    --------
    The first has at least the 11 of the second, which leaves one at most to the third.

    >>> import numpy as np
    >>> table = np.array([[11.0, 11.0, 1.0]])
    >>> told_modes(table, np.array([[False, True, False]]), np.array([23]), least=10)
    array([False])
    """
    rows, modes = np.arange(len(table)), table.argmax(axis=1)
    left = np.asarray(counts) - (table * told).sum(axis=1) - (table * told).max(axis=1)
    return np.asarray((table[rows, modes] >= least) & (told[rows, modes] | (left >= min(FEWEST_LEFT, least))))


def told_cuts(table: Floats, least: int) -> Bools:
    """Say of which segments and ordered levels the share "this or higher" may be told, a yes or no.

    Parameters
    ----------
    table : ndarray of shape (n_segments, n_levels)
        The customers of each segment that have each level, in order.
    least : int
        How many must have a level that is named, and what stands out.

    Returns
    -------
    ndarray of shape (n_segments, n_levels), of bool

    Examples
    --------
    One of the first segment is below the middle, and would be known to have the rare level or the other.

    >>> import numpy as np
    >>> told_cuts(np.array([[1.0, 0.0, 30.0], [1.0, 25.0, 20.0], [0.0, 30.0, 20.0]]), least=10)
    array([[False, False, False],
           [False, False,  True],
           [False,  True,  True]])
    """
    above = np.cumsum(table[:, ::-1], axis=1)[:, ::-1]
    overall, counts = table.sum(axis=0), above[:, :1]
    rare = (overall > 0) & (overall < least)
    few = min(FEWEST_LEFT, least)
    safe = np.ones(table.shape, dtype=bool)
    for side, holds_rare in ((counts - above, np.cumsum(rare) > rare), (above, np.cumsum(rare[::-1])[::-1] > 0)):
        safe &= ~(holds_rare & (side > 0) & (side < few))
    yes, known = above * safe, counts * safe
    cuts = [told_shares(yes[:, [cut]], known[:, cut], least, is_yes=True) for cut in range(table.shape[1])]
    return np.asarray(np.column_stack(cuts) & (overall >= least))


def told_whole(table: Floats, counts: Integers | Floats, least: int) -> Bools:
    """Say of which segments all shares may be told.

    Parameters
    ----------
    table, counts, least
        As in :func:`told_shares`.

    Returns
    -------
    ndarray of shape (n_segments, n_levels), of bool
        Each row alike.

    Examples
    --------
    >>> import numpy as np
    >>> told_whole(np.array([[20.0, 20.0], [8.0, 2.0], [15.0, 10.0]]), np.array([40, 10, 25]), least=10)
    array([[ True,  True],
           [False, False],
           [ True,  True]])
    """
    whole = np.ones(len(table), dtype=bool)
    while True:
        told = np.all(told_shares(table * whole[:, None], counts * whole, least), axis=1)
        if np.array_equal(told, whole):
            return np.broadcast_to(told[:, None], table.shape)
        whole = told

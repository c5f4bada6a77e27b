"""What may be told of customers without telling of one: the rules that every output asks.

1. Least number: no figure rests on 1 to ``least - 1`` customers. A segment of so few is hidden; in a segment in which a
   characteristic is known of so few, it counts as unknown. No rare level is named, not even as a median.
2. Dominance: no total or mean of which one customer makes more than half.
3. Complements: who is hidden enters no figure at all, neither a total nor "everyone else". Since the number of all
   customers is known from elsewhere, the size of hidden segments would follow from the sizes of the others: the
   largest segment is told without as many customers as make what is left the same whatever the hidden sizes are.
4. Shares: those by whom a share stands out, on either side of a yes and no, are as many as rule 1 asks; and where one
   share of a segment is hidden, so is a second, since they add up.

Rules 1 to 3 are the threshold, the (1, 50%)-dominance rule and secondary suppression of Hundepool et al. (2012),
*Statistical Disclosure Control*, Wiley, chapters 4 and 5.
"""

from __future__ import annotations

import numpy as np

from custseg._core.arrays import Bools, Floats, Integers
from custseg._core.customers import CustomerTable

__all__ = ["described", "dominated", "enter", "told_shares"]

# One customer may make at most so much of a total.
_MOST_OF_ONE = 0.5


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
        The customers. Their ids, or else their values, say who is left out, whatever the order of the rows.

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
        keys = [own.ids] if own.ids is not None else [column.values for column in own.columns]
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
        What is averaged.

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
    enough = np.bincount(labels, minlength=n_segments) >= least
    if numbers is not None:
        enough &= ~dominated(numbers, labels, n_segments, least)
    if not enough.all():
        inside[inside] = enough[labels]
    return inside


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
    # in range, however large they are
    sizes = sizes / max(float(sizes.max(initial=0.0)), np.finfo(np.float64).tiny)
    # but for the rounding of sums
    most = _MOST_OF_ONE * (1 + 1e-9) * np.bincount(labels, sizes, n_segments)
    if sizes.max(initial=0.0) <= most.min():
        return np.zeros(n_segments, dtype=bool)
    return np.bincount(labels[sizes > most[labels]], minlength=n_segments) > 0


def told_shares(table: Floats, counts: Integers | Floats, least: int, *, complete: bool) -> Bools:
    """Say which shares may be told; the rest of each is of the segments that may, level by level.

    Parameters
    ----------
    table : ndarray of shape (n_segments, n_levels)
        The customers of each segment that have each level.
    counts : ndarray of shape (n_segments,)
        Those of whom it is known.
    least : int
        How many must have what stands out.
    complete : bool
        Whether the levels are all there are, so that their shares add up to 1. One level is a yes, whose no is not told
        either where the yes is hidden.

    Returns
    -------
    ndarray of shape (n_segments, n_levels), of bool

    Examples
    --------
    Three of 40 stand out by their yes; and as few as two of 40 by their no.

    >>> import numpy as np
    >>> told_shares(np.array([[3.0], [1.0], [2.0]]), np.array([40, 40, 100]), least=10, complete=True).ravel()
    array([False, False, False])
    >>> told_shares(np.array([[38.0], [40.0], [99.0]]), np.array([40, 40, 100]), least=10, complete=True).ravel()
    array([False, False, False])
    >>> told_shares(np.array([[30.0], [12.0], [20.0]]), np.array([40, 40, 100]), least=10, complete=True).ravel()
    array([ True,  True,  True])
    """
    known = np.broadcast_to(np.asarray(counts, dtype=np.float64)[:, None], table.shape)
    told = known > 0
    two_sided = complete and table.shape[1] <= 2
    while True:
        shown, here = known * told, table * told
        elsewhere, n_elsewhere = here.sum(axis=0) - here, shown.sum(axis=0) - shown
        with np.errstate(divide="ignore", invalid="ignore"):
            here_share, rest_share = here / shown, elsewhere / n_elsewhere
        more = here_share > rest_share
        few = np.where(more, here, elsewhere) < least
        if two_sided:
            fewer = here_share < rest_share
            few |= np.where(fewer, shown - here, n_elsewhere - elsewhere) < least
        # everyone there is, here: nothing stands out, and nothing is compared
        few &= told & (n_elsewhere > 0)
        hidden = ~told | few
        if complete and table.shape[1] > 1:
            few |= _second(np.abs(here_share - rest_share), hidden)
        if not few.any():
            return told
        told = told & ~few


def _second(gaps: Floats, hidden: Bools) -> Bools:
    """Say which share to hide beside one that is hidden alone in its segment: the one that stands out least."""
    alone = np.flatnonzero((hidden.sum(axis=1) == 1) & ~hidden.all(axis=1))
    second = np.where(hidden, np.inf, np.nan_to_num(gaps)).argmin(axis=1)
    chosen = np.zeros(gaps.shape, dtype=bool)
    chosen[alone, second[alone]] = True
    return chosen

"""Where the customers of each segment come from, as the number of segments grows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import linear_sum_assignment

from custseg._core.arrays import Integers
from custseg.validation._measures import origin_shares

__all__ = ["carried_labels", "flow_frame"]


def carried_labels(n_first: int, tables: Sequence[npt.NDArray[Any]]) -> list[Integers]:
    """Carry labels over from solution to solution, so that a segment that stays keeps its number.

    Parameters
    ----------
    n_first : int
        The number of segments of the first solution; they bear the labels 0, 1, ...
    tables : sequence of ndarray of shape (n_before, n_after)
        The numbers of customers that each segment of a solution shares with each segment of the next.

    Returns
    -------
    labels : list of ndarray of shape (n_segments,)
        For each solution the label that each of its segments bears. The one-to-one assignment with
        most customers decides which segments continue one of the solution before (of equally good
        ones, one in which most segments keep the number that they have). A segment that continues
        none, for lack of one or of common customers, gets the least number that none has borne so far.

    Examples
    --------
    >>> table = np.array([[0, 40, 10], [50, 0, 0]])
    >>> [labels.tolist() for labels in carried_labels(2, [table])]
    [[0, 1], [1, 0, 2]]
    """
    labels = [np.arange(n_first, dtype=np.int64)]
    free = count(n_first)
    for table in tables:
        labels.append(_carry(table, labels[-1], free))
    return labels


def _carry(table: npt.NDArray[Any], before: Integers, free: Iterator[int]) -> Integers:
    cells = np.asarray(table, dtype=np.float64)
    # one customer outweighs any number of kept labels; up to 2 ** 53 all sums of these are exact
    same = before[:, None] == np.arange(cells.shape[1])
    rows, columns = linear_sum_assignment(cells * (min(cells.shape) + 1.0) + same, maximize=True)
    after = np.full(cells.shape[1], -1, dtype=np.int64)
    common = cells[rows, columns] > 0
    after[columns[common]] = before[rows[common]]
    new = np.flatnonzero(after < 0)
    after[new] = [next(free) for _ in new]
    return after


def flow_frame(tried: Sequence[int], tables: Sequence[npt.NDArray[Any]]) -> pd.DataFrame:
    """Lay out the customers that each pair of segments of successive solutions has in common.

    Parameters
    ----------
    tried : sequence of int
        The numbers of segments, ascending.
    tables : sequence of ndarray of shape (n_before, n_after)
        The numbers of customers that each segment of a solution shares with each segment of the next.

    Returns
    -------
    flows : pandas.DataFrame
        One row per pair: ``from_n_segments``, ``from_segment``, ``n_segments``, ``segment``,
        ``n_customers``, ``share`` (of the customers of ``segment``; NaN where it has none).

    Examples
    --------
    >>> flow_frame([2, 3], [np.array([[2, 0, 1], [0, 1, 1]])])["share"].tolist()
    [1.0, 0.0, 0.5, 0.0, 1.0, 0.5]
    """
    parts = [_step(*step) for step in zip(tried[:-1], tried[1:], tables, strict=True)]
    # without any step, a frame of the same columns without rows
    return pd.concat(parts, ignore_index=True) if parts else _step(0, 0, np.zeros((0, 0), dtype=np.int64))


def _step(fewer: int, more: int, table: npt.NDArray[Any]) -> pd.DataFrame:
    source, segment = np.indices(table.shape, dtype=np.int64)
    return pd.DataFrame(
        {
            "from_n_segments": np.full(table.size, fewer, dtype=np.int64),
            "from_segment": source.ravel(),
            "n_segments": np.full(table.size, more, dtype=np.int64),
            "segment": segment.ravel(),
            "n_customers": table.ravel(),
            "share": origin_shares(table).ravel(),
        }
    )

"""Last times that stand alone far beyond all others: 9999-12-31 for an open end, or a slip such as 2042 for 2024.

One of them would set the time as of which everybody is described.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from custseg._core.arrays import Bools, Floats, Integers
from custseg._core.frames import collect
from custseg.characteristics._times.timestamps import DAY

__all__ = ["LoneTimes", "day_counts", "find_lone", "lone_times"]

_YEAR = 365.2425
# After a gap of so many years, times of at most such a share of the rows are lone; of two halves nobody can tell which.
_LONE = ((2, 0.01), (10, 0.25), (100, 0.49))
# So many times as long as the longest gap before it must the gap be: who sells once in three years has long ones. A gap
# after times that are lone themselves, such as 1900-01-01 for a date that is not known, is none of these.
_GAPS = 10
_SHORTEST = int(_LONE[0][0] * _YEAR * DAY)


@dataclass(frozen=True)
class LoneTimes:
    """Times that stand alone far beyond all others.

    Attributes
    ----------
    column : str
        Where they stand.
    after : int
        The last moment of all others, in microseconds since 1970-01-01, universal time.
    first : int
        The first lone moment.
    n_rows : int
        How many rows have one.
    """

    column: str
    after: int
    first: int
    n_rows: int

    def __str__(self) -> str:
        after, first = (pd.Timestamp(moment, unit="us") for moment in (self.after, self.first))
        return (
            f"{self.n_rows:,} time(s) of column {self.column!r} stand alone far beyond all others, such as {first} "
            f"after {after}. They set no as_of, and what happened at them is left out. Correct them, or pass as_of=... "
            "where they are true."
        )


def lone_times(moments: nw.LazyFrame[Any], column: str, first: int, last: int) -> LoneTimes | None:
    """Find lone times among those of a column ``moment``, which has no missing values, from ``first`` to ``last``.

    A table of at most two years costs nothing; of a longer one the last two years are counted.
    """
    if last - first <= _SHORTEST:
        return None
    moment = nw.col("moment")
    recent = (moment > last - _SHORTEST).cast(nw.Int64).sum()
    counted = collect(moments.select(recent.alias("recent"), nw.len().alias("rows")))
    is_rare = int(counted["recent"].item()) <= _LONE[0][1] * int(counted["rows"].item())
    if not is_rare and last - first <= _LONE[1][0] * _YEAR * DAY:
        return None
    found = find_lone(*day_counts(moments))
    if found is None:
        return None
    # day numbers of what the frame holds, so that the moments themselves are found at one more reading
    is_lone = moment >= found * DAY
    facts = collect(
        moments.select(
            nw.when(~is_lone).then(moment).max().alias("after"),
            nw.when(is_lone).then(moment).min().alias("first"),
            is_lone.cast(nw.Int64).sum().alias("rows"),
        )
    )
    return LoneTimes(column, *(int(facts[name].item()) for name in ("after", "first", "rows")))


def day_counts(moments: nw.LazyFrame[Any]) -> tuple[Integers, Integers]:
    """Return the days that the moments lie on, sorted, and how many lie on each."""
    days = moments.select((nw.col("moment") // DAY).cast(nw.Int64).alias("day"))
    found = collect(days.group_by("day").agg(nw.len().alias("rows"))).sort("day")
    return found["day"].to_numpy().astype(np.int64), found["rows"].to_numpy().astype(np.int64)


def find_lone(days: Integers, counts: Integers) -> int | None:
    """Return the first lone day of sorted ones; None where there is none.

    Examples
    --------
    >>> import numpy as np
    >>> from custseg.characteristics._times.lone_times import find_lone
    >>> find_lone(np.array([0, 3, 10, 6000]), np.array([5, 5, 5, 1]))
    6000
    >>> find_lone(np.array([0, 3, 10, 600]), np.array([5, 5, 5, 1])) is None
    True
    >>> find_lone(np.array([-45000, 0, 3, 10, 6000]), np.array([1, 5, 5, 5, 1]))
    6000
    """
    gaps = np.diff(days)
    until = counts.cumsum()[:-1] / counts.sum()
    ordinary = np.where(_are_few(until, gaps), 0, gaps)
    before = np.maximum.accumulate(np.append(0, ordinary))[:-1]
    lone = np.flatnonzero(_are_few(1.0 - until, gaps) & (gaps > _GAPS * before))
    return int(days[lone[0] + 1]) if len(lone) else None


def _are_few(share: Floats, gaps: Integers) -> Bools:
    """Say which shares of the rows are so few that times apart from all others by such gaps are lone."""
    return np.asarray(np.any([(gaps > years * _YEAR) & (share <= few) for years, few in _LONE], axis=0))

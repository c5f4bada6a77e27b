"""What became of the customers of each segment: shares and means of outcomes, with intervals."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from custseg._core.arrays import Bools, Floats, Integers
from custseg._core.asking import asks
from custseg._core.customers import Column
from custseg._core.disclosure import described, enter, told_shares, told_whole
from custseg._core.params import Instance, Integer, Number, Where, check
from custseg.exceptions import ColumnNotFoundError
from custseg.personas._intervals import mean_interval, wilson_interval
from custseg.segmentation import Segmentation

__all__ = ["outcomes_by_segment"]

_PARAMETERS = {
    "segmentation": (Instance(Segmentation, words="a Segmentation; Segmentation.of(X, labels) makes one"),),
    "outcomes": (Where(lambda names: not isinstance(names, str), "a list of column names"),),
    "confidence_level": (Number(0.5, 1.0, open_high=True),),
    "min_group_size": (Integer(1),),
}
_COLUMNS = (
    "segment",
    "name",
    "outcome",
    "level",
    "statistic",
    "n_known",
    "value",
    "low",
    "high",
    "value_overall",
)


@asks
def outcomes_by_segment(
    segmentation: Segmentation, outcomes: Iterable[str], *, confidence_level: float = 0.95, min_group_size: int = 10
) -> pd.DataFrame:
    """Compare what the company wants or fears, such as who has left, between the segments.

    Parameters
    ----------
    segmentation : Segmentation
        Customers in segments.
    outcomes : iterable of str
        Columns of the customers. Of a yes or no the share of yes is compared, of categories the share of each level
        that is not rare, of numbers the mean.
    confidence_level : float, default=0.95
        How often the intervals hold the figure of all customers like those in the segment.
    min_group_size : int, default=10
        No figure rests on fewer customers, or on one of them for the most part: it is NaN, and they are in no figure of
        the others either.

    Returns
    -------
    pandas.DataFrame
        One row per outcome, level and segment: ``segment, name, outcome, level, statistic`` ("share" or "mean"),
        ``n_known`` (customers of the segment whose outcome is known), ``value`` with its interval ``low`` to ``high``,
        and ``value_overall`` of all customers of whom a figure tells. In the unit of the column, shares from 0 to 1.

    Raises
    ------
    ColumnNotFoundError
        If an outcome is no column of the customers.
    InvalidParameterError
        If a parameter is out of its range or of the wrong kind.

    Notes
    -----
    Intervals are Wilson's [1]_ for shares and Student's for means. They say how sure the figure of each segment is, not
    that segments differ, and nothing of what causes what: segments that were made of a column which goes with the
    outcome will differ in it.

    References
    ----------
    .. [1] E. B. Wilson (1927), "Probable inference, the law of succession, and statistical inference", Journal of the
       American Statistical Association 22, 209-212.

    Examples
    --------
    >>> import pandas as pd
    >>> from custseg.personas import outcomes_by_segment
    >>> from custseg.segmentation import Segmentation
    >>> customers = pd.DataFrame({"spend": range(40), "left": [True] * 12 + [False] * 28})
    >>> segmentation = Segmentation.of(customers, ["low"] * 20 + ["high"] * 20)
    >>> outcomes_by_segment(segmentation, ["left"])[["name", "value", "low", "high"]].round(2)
       name  value   low  high
    0  high    0.0  0.00  0.16
    1   low    0.6  0.39  0.78
    """
    given = {"segmentation": segmentation, "outcomes": outcomes}
    check(_PARAMETERS, given | {"confidence_level": confidence_level, "min_group_size": min_group_size})
    table, wanted = segmentation.customer_table, list(outcomes)
    absent = [name for name in wanted if name not in table.names]
    if absent:
        raise ColumnNotFoundError.in_table(absent, table.names)
    labels = described(segmentation.labels, segmentation.n_segments, min_group_size, table)
    rows = [
        row
        for name in wanted
        for measured in _measured(table[name], labels, segmentation.n_segments, min_group_size)
        for row in _rows(segmentation.segment_names, measured, confidence_level, outcome=name)
    ]
    return pd.DataFrame(rows, columns=list(_COLUMNS))


@dataclass(frozen=True)
class _Measured:
    """What is averaged of an outcome, over those of whom it may be told; ``labels`` are their segments."""

    level: str | None
    values: Floats
    labels: Integers
    is_share: bool


def _measured(column: Column, labels: Integers, n_segments: int, least: int) -> Iterator[_Measured]:
    """Yield what is averaged of a column, by level."""
    if column.kind == "numeric":
        values = np.asarray(column.values, dtype=np.float64)
        told = enter(~column.missing, labels, n_segments, least, values)
        yield _Measured(None, values[told], labels[told], is_share=False)
        return
    known = enter(~column.missing, labels, n_segments, least)
    codes, labels = np.asarray(column.values)[known], labels[known]
    counts = np.bincount(labels, minlength=n_segments)
    has: dict[str | None, Bools]
    if column.categories:
        named = np.flatnonzero(np.bincount(codes, minlength=len(column.categories)) >= least)
        has = {column.categories[level]: codes == level for level in named}
    else:
        has = {None: codes == 1}
    if not has:
        yield _Measured(None, codes[:0].astype(np.float64), labels[:0], is_share=True)
        return
    table = np.column_stack([np.bincount(labels, own, n_segments).astype(np.float64) for own in has.values()])
    is_ordered = column.kind == "ordinal"
    told_of = told_whole(table, counts, least) if is_ordered else told_shares(table, counts, least, is_yes=None in has)
    for (level, own), shown in zip(has.items(), told_of.T, strict=True):
        told = shown[labels]
        yield _Measured(level, own[told].astype(np.float64), labels[told], is_share=True)


def _rows(
    names: Sequence[str], measured: _Measured, confidence_level: float, *, outcome: str
) -> Iterator[dict[str, Any]]:
    labels, values, is_share = measured.labels, measured.values, measured.is_share
    counts = np.bincount(labels, minlength=len(names))
    means, low, high = _intervals(labels, values, counts, confidence_level, is_share=is_share)
    overall = float(values.mean()) if len(values) else math.nan
    for segment, name in enumerate(names):
        figures = {"value": means[segment], "low": low[segment], "high": high[segment]}
        yield {
            "segment": segment,
            "name": name,
            "outcome": outcome,
            "level": measured.level,
            "statistic": "share" if is_share else "mean",
            "n_known": int(counts[segment]) or None,
            **{figure: float(value) if counts[segment] else math.nan for figure, value in figures.items()},
            "value_overall": overall,
        }


def _intervals(
    labels: Integers, values: Floats, counts: Integers, confidence_level: float, *, is_share: bool
) -> tuple[Floats, Floats, Floats]:
    """Return the mean of each segment and the ends of its interval."""
    with np.errstate(divide="ignore", invalid="ignore"):
        means = np.bincount(labels, values, len(counts)) / counts
        if is_share:
            return means, *wilson_interval(means, counts, confidence_level)
        variances = np.bincount(labels, (values - means[labels]) ** 2, len(counts)) / counts
    return means, *mean_interval(means, variances, counts, confidence_level)

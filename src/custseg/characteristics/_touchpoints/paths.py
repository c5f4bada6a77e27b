"""The paths of customers to a purchase, in one query over the events: events -> moments -> paths -> customers.

A path is a run of one customer's events that ends with a purchase or is broken by silence. What
happened at one moment counts in the order of the stages, so that the order of rows decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw


@dataclass(frozen=True)
class PathRule:
    """What makes a path.

    Attributes
    ----------
    n_stages : int
        Number of stages; the last one is the purchase.
    max_gap : int
        The longest silence within a path, in microseconds.
    now : int
        The reference time, in microseconds, counted like ``t``.
    span : int
        A number that no ``t`` exceeds.
    n_codes : int
        Number of channel codes; 0 where channels are not asked for.
    """

    n_stages: int
    max_gap: int
    now: int
    span: int
    n_codes: int

    @property
    def width(self) -> int:
        """Number of pairs of stage and channel: what happens at one moment is ordered by them."""
        return self.n_stages * max(self.n_codes, 1)


def find_paths(events: nw.LazyFrame[Any], rule: PathRule) -> nw.LazyFrame[Any]:
    """Put the events of each customer together to paths.

    Parameters
    ----------
    events : narwhals LazyFrame
        Columns ``customer``, ``t`` (microseconds, not negative), ``step`` (position of the stage), and
        ``code`` (position of the channel, -1 where missing) where the rule has channels.
    rule : PathRule
        What makes a path.

    Returns
    -------
    paths : narwhals LazyFrame
        One row per path: ``customer``, ``start``, ``end``, ``step`` (the furthest), ``touches``
        (events that are no purchase); with channels also ``first`` and ``last`` (codes of the first
        and last touch whose channel is known, -1 where there is none) and ``code_low``, ``code_high``
        (lowest and highest code of a touch; ``code_high`` is -1 where there is none).
    """
    moments = _moments(events, rule)
    # dask has no window functions
    on_dask = events.implementation.is_dask()
    placed = _placed_by_joins(moments, rule) if on_dask else _placed_by_windows(moments, rule)
    wanted = [
        nw.col("touches").sum(),
        nw.col("t").min().alias("start"),
        nw.col("t").max().alias("end"),
        nw.col("step").max(),
    ]
    if rule.n_codes:
        wanted += [nw.col(name).min() for name in ("code_low", "t_low", "key_low")]
        wanted += [nw.col(name).max() for name in ("code_high", "t_high", "key_high")]
    paths = placed.group_by("customer", "path").agg(*wanted)
    return _with_channels(paths, rule) if rule.n_codes else paths.drop("path")


def _moments(events: nw.LazyFrame[Any], rule: PathRule) -> nw.LazyFrame[Any]:
    """Bring together what a customer did at one moment."""
    touch = nw.col("step") < rule.n_stages - 1
    wanted = [nw.col("touches").sum(), nw.col("step").max()]
    events = events.with_columns(touch.cast(nw.Int64).alias("touches"))
    if not rule.n_codes:
        return events.group_by("customer", "t").agg(*wanted)
    pair = nw.col("step") * rule.n_codes + nw.col("code")
    known = touch & (nw.col("code") >= 0)
    # stand-ins instead of null, since pandas would turn whole numbers with gaps into floats
    events = events.with_columns(
        nw.when(known).then(pair).otherwise(nw.lit(rule.width)).cast(nw.Int64).alias("pair_low"),
        nw.when(known).then(pair).otherwise(nw.lit(-1)).cast(nw.Int64).alias("pair_high"),
        nw.when(known).then(nw.col("code")).otherwise(nw.lit(rule.n_codes)).cast(nw.Int64).alias("code_low"),
        nw.when(known).then(nw.col("code")).otherwise(nw.lit(-1)).cast(nw.Int64).alias("code_high"),
    )
    lowest = [nw.col(name).min() for name in ("pair_low", "code_low")]
    highest = [nw.col(name).max() for name in ("pair_high", "code_high")]
    moments = events.group_by("customer", "t").agg(*wanted, *lowest, *highest)
    known = nw.col("pair_high") >= 0
    moments = moments.with_columns(
        nw.when(known).then(nw.col("t")).otherwise(nw.lit(rule.span)).cast(nw.Int64).alias("t_low"),
        nw.when(known).then(nw.col("t")).otherwise(nw.lit(-1)).cast(nw.Int64).alias("t_high"),
    )
    # one number orders touches by time, then stage, then channel
    return moments.with_columns(
        (nw.col("t_low") * rule.width + nw.col("pair_low")).alias("key_low"),
        (nw.col("t_high") * rule.width + nw.col("pair_high")).alias("key_high"),
    ).drop("pair_low", "pair_high")


def _with_channels(paths: nw.LazyFrame[Any], rule: PathRule) -> nw.LazyFrame[Any]:
    """Read the channels of the first and last touch out of the keys."""
    # the times are taken off first: a number this large would not survive the division of some engines
    paths = paths.with_columns(
        (nw.col("key_low") - nw.col("t_low") * rule.width).alias("first"),
        (nw.col("key_high") - nw.col("t_high") * rule.width).alias("last"),
    )
    paths = paths.with_columns(
        (nw.col(name) - nw.col(name) // rule.n_codes * rule.n_codes).cast(nw.Int64).alias(name)
        for name in ("first", "last")
    )
    known = nw.col("code_high") >= 0
    paths = paths.with_columns(
        nw.when(known).then(nw.col(name)).otherwise(nw.lit(-1)).cast(nw.Int64).alias(name) for name in ("first", "last")
    )
    return paths.drop("path", "t_low", "t_high", "key_low", "key_high")


def _placed_by_windows(moments: nw.LazyFrame[Any], rule: PathRule) -> nw.LazyFrame[Any]:
    """Give the paths of each customer numbers in the order of time."""
    moments = moments.with_columns(
        nw.col("t").shift(1).over("customer", order_by="t").alias("t_before"),
        nw.col("step").shift(1).over("customer", order_by="t").alias("step_before"),
    )
    goes_on = (nw.col("t") - nw.col("t_before") <= rule.max_gap) & (nw.col("step_before") < rule.n_stages - 1)
    moments = moments.with_columns((~goes_on.fill_null(value=False)).cast(nw.Int64).alias("starts"))
    return moments.with_columns(nw.col("starts").cum_sum().over("customer", order_by="t").alias("path"))


def _placed_by_joins(moments: nw.LazyFrame[Any], rule: PathRule) -> nw.LazyFrame[Any]:
    """Name the path of each moment after the time at which the path ends.

    Time is cut into stretches as long as the longest silence allowed. Within a stretch no silence is
    longer, and an empty stretch is longer silence, so the last moment of a stretch ends a path unless
    the next stretch goes on in time.
    """
    moments = moments.with_columns((nw.col("t") // rule.max_gap).alias("stretch"))
    stretches = moments.group_by("customer", "stretch").agg(
        nw.col("t").min().alias("begin"), nw.col("t").max().alias("path")
    )
    following = stretches.select("customer", (nw.col("stretch") - 1).alias("stretch"), nw.col("begin").alias("next"))
    stretches = stretches.join(following, on=["customer", "stretch"], how="left")
    goes_on = (nw.col("next") - nw.col("path") <= rule.max_gap).fill_null(value=False)
    silences = stretches.filter(~goes_on).select("customer", "path")
    purchases = moments.filter(nw.col("step") == rule.n_stages - 1).select("customer", nw.col("t").alias("path"))
    ends = nw.concat([silences, purchases]).unique()
    candidates = moments.select("customer", "t").join(ends, on="customer").filter(nw.col("path") >= nw.col("t"))
    return moments.join(candidates.group_by("customer", "t").agg(nw.col("path").min()), on=["customer", "t"])


def count_paths(paths: nw.LazyFrame[Any], rule: PathRule) -> nw.LazyFrame[Any]:
    """Add up the paths of each customer.

    Parameters
    ----------
    paths : narwhals LazyFrame
        One row per path, from :func:`find_paths`.
    rule : PathRule
        What makes a path.

    Returns
    -------
    customers : narwhals LazyFrame
        Whole numbers: ``paths``; ``completed`` (with a purchase); ``lost_0``, ``lost_1``, ... (broken
        by silence, by the furthest stage); ``touches`` and ``time`` (microseconds) of the completed
        ones; with channels also ``first_0``, ... and ``last_0``, ... (completed paths by the channel
        of their first and last touch), ``placed`` and ``several`` (completed or broken paths with a
        known channel, and with more than one).
    """
    completed = (nw.col("step") == rule.n_stages - 1).cast(nw.Int64)
    lost = (rule.now - nw.col("end") > rule.max_gap) & (nw.col("step") < rule.n_stages - 1)
    paths = paths.with_columns(completed.alias("completed"), lost.cast(nw.Int64).alias("lost"))
    done = nw.col("completed")
    columns = {"touches": nw.col("touches") * done, "time": (nw.col("end") - nw.col("start")) * done}
    for step in range(rule.n_stages - 1):
        columns[f"lost_{step}"] = nw.col("lost") * (nw.col("step") == step).cast(nw.Int64)
    if rule.n_codes:
        ended = done + nw.col("lost")
        columns["placed"] = ended * (nw.col("code_high") >= 0).cast(nw.Int64)
        columns["several"] = ended * (nw.col("code_high") > nw.col("code_low")).cast(nw.Int64)
        for code in range(rule.n_codes):
            for end in ("first", "last"):
                columns[f"{end}_{code}"] = done * (nw.col(end) == code).cast(nw.Int64)
    paths = paths.with_columns(**columns)
    sums = [nw.col(name).sum() for name in ("completed", *columns)]
    return paths.group_by("customer").agg(nw.len().alias("paths"), *sums)

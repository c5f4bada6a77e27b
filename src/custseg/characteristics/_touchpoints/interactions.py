"""Interactions on social media: rows as whole numbers, and what they add up to for each customer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from custseg._core.arrays import Floats, Integers
from custseg._core.composed import composed_text
from custseg._core.customers import Column
from custseg.characteristics._records.exact_sum import ExactSum
from custseg.characteristics._records.level_mix import LevelMix
from custseg.characteristics._records.ratio import ratio
from custseg.characteristics._records.records import Records

# The first name of each weight names the depth; the others are what platforms call the same thing.
ACTION_WEIGHTS: Mapping[str, float] = {
    **dict.fromkeys(("reading", "read", "view", "watch", "click"), 1.0),
    **dict.fromkeys(("liking", "like", "reaction", "react", "favorite", "favourite", "upvote", "follow"), 2.0),
    **dict.fromkeys(("commenting", "comment", "reply", "answer"), 3.0),
    **dict.fromkeys(("sharing", "share", "repost", "retweet", "forward", "recommend"), 4.0),
    **dict.fromkeys(("creating", "create", "post", "publish", "upload", "review"), 5.0),
}


def plain_action(name: str) -> str:
    """Return an action without its case and the spaces around it."""
    return composed_text(name).strip().lower()


def action_of_row() -> nw.Expr:
    """Return the same of the column ``action``."""
    return nw.col("action").str.strip_chars().str.to_lowercase()


def rows_of_interactions(records: Records, mix: LevelMix, depths: Mapping[float, list[str]]) -> nw.LazyFrame[Any]:
    """Turn actions and platforms into whole numbers; -1 stands for an action that has no weight."""
    action, depth = nw.col("plain_action"), nw.lit(-1)
    for position, names in enumerate(depths.values()):
        depth = nw.when(action.is_in(names)).then(nw.lit(position)).otherwise(depth)
    rows = records.frame.with_columns(action_of_row().alias("plain_action"))
    rows = rows.select(
        *("customer", "period", "platform", *records.largest),
        depth.cast(nw.Int64).alias("depth"),
        mix.code("platform").alias("code"),
        mix.vocabulary.is_unseen("platform").alias("is_unseen"),
    )
    rows = rows.with_columns(
        (~(nw.col(role).is_null() | nw.col(role).is_nan()).fill_null(value=True)).alias(f"has_{role}")
        for role in records.largest
    )
    # what is used several times is computed once, where the table is in memory anyway
    return rows.collect().lazy() if records.in_memory else rows


def add_up_interactions(
    rows: nw.LazyFrame[Any], records: Records, *, n_depths: int, advocacy: int, middle: float
) -> tuple[nw.LazyFrame[Any], dict[str, ExactSum]]:
    """Add up the rows of each customer, in whole numbers.

    Parameters
    ----------
    rows : narwhals LazyFrame
        As :func:`rows_of_interactions` gives them, with a depth.
    records : Records
        The table that they came from.
    n_depths : int
        How many depths there are.
    advocacy : int
        The first depth that is advocacy.
    middle : float
        A sentiment below it is negative.

    Returns
    -------
    customers : narwhals LazyFrame
        One row per customer.
    sums : dict of str to ExactSum
        How reach and sentiment were split, where they are.
    """
    flags = {f"depth_{depth}": (nw.col("depth") == depth).cast(nw.Int64) for depth in range(n_depths)}
    counted = rows.with_columns(**flags, advocacy=(nw.col("depth") >= advocacy).cast(nw.Int64))
    names, sums = ["advocacy", *flags], {}
    for role, largest in records.largest.items():
        sums[role] = ExactSum.over(largest, records.n_rows)
        known = nw.col(f"has_{role}")
        counted = counted.with_columns(
            nw.when(known).then(nw.col(role)).otherwise(nw.lit(0.0)).alias("amount"),
            known.cast(nw.Int64).alias(f"{role}_known"),
        )
        counted = sums[role].split(counted).rename({"high": f"{role}_high", "low": f"{role}_low"}).drop("amount")
        parts = [f"{role}_{part}" for part in ("high", "low", "known")]
        counted = counted.with_columns((nw.col(part) * nw.col("advocacy")).alias(f"own_{part}") for part in parts)
        names += [*parts, *(f"own_{part}" for part in parts)]
    if "sentiment" in records.largest:
        is_negative = nw.col("has_sentiment") & (nw.col("sentiment") < middle).fill_null(value=False)
        counted = counted.with_columns(is_negative.cast(nw.Int64).alias("negative"))
        names.append("negative")
    customers = counted.group_by("customer").agg(
        *(nw.col(name).sum() for name in names),
        nw.len().alias("interactions"),
        nw.col("period").min().alias("first"),
        nw.col("period").max().alias("last"),
    )
    days = rows.select("customer", "period").unique().group_by("customer").agg(nw.len().alias("active_days"))
    return customers.join(days, on="customer", how="left"), sums


def by_platform(rows: nw.LazyFrame[Any], mix: LevelMix) -> nw.LazyFrame[Any]:
    """Count each customer's platforms, the rows of each leading one, and those of the most used other one."""
    known = rows.filter(nw.col("code") >= 0)
    pairs = known.group_by("customer", "platform").agg(nw.len().alias("rows"), nw.col("code").min())
    names = {f"platform_{code}": nw.col("code") == code for code in range(mix.n_codes)}
    pairs = pairs.with_columns(
        **{name: nw.col("rows").cast(nw.Int64) * flag.cast(nw.Int64) for name, flag in names.items()}
    )
    pairs = pairs.with_columns(nw.col(f"platform_{mix.n_codes - 1}").alias("largest_other"))
    return pairs.group_by("customer").agg(
        nw.len().alias("platforms"), *(nw.col(name).sum() for name in names), nw.col("largest_other").max()
    )


def platform_columns(counts: Mapping[str, Integers], mix: LevelMix) -> list[Column]:
    """Return the leading platform, and the shares of those that lead in the whole table."""
    rows = np.column_stack([counts[f"platform_{code}"] for code in range(mix.n_codes)])
    # pooled platforms are not one platform: the most used of them stands against the leading ones
    alone = np.column_stack([rows[:, :-1], counts["largest_other"]])
    return [
        mix.leader(alone, "leading_platform"),
        *mix.shares(rows, rows.sum(axis=1), "platform"),
    ]


def reach_columns(counts: Mapping[str, Integers], sums: Mapping[str, ExactSum]) -> list[Column]:
    """Return sum and mean of the reach of what was shared and created, where there is a reach."""
    if "reach" not in sums:
        return []
    n_posts = counts["own_reach_known"]
    total = sums["reach"].total(counts["own_reach_high"], counts["own_reach_low"])
    return [
        Column("reach_total", "numeric", np.where(n_posts > 0, total, np.nan)),
        Column("reach_mean", "numeric", _mean(counts, sums["reach"], "own_reach")),
    ]


def sentiment_columns(counts: Mapping[str, Integers], sums: Mapping[str, ExactSum]) -> list[Column]:
    """Return what is said of the tone, where there is a sentiment."""
    if "sentiment" not in sums:
        return []
    known = counts["sentiment_known"]
    own = _mean(counts, sums["sentiment"], "own_sentiment")
    return [
        Column("sentiment_mean", "numeric", _mean(counts, sums["sentiment"], "sentiment")),
        Column("sentiment_negative_share", "numeric", ratio(counts["negative"], known)),
        Column("sentiment_advocacy", "numeric", own),
    ]


def _mean(counts: Mapping[str, Integers], sums: ExactSum, name: str) -> Floats:
    n_values = counts[f"{name}_known"]
    count = np.maximum(n_values, 1)
    mean = sums.mean(counts[f"{name}_high"], counts[f"{name}_low"], count, sums.largest * count)
    return np.where(n_values > 0, mean, np.nan)

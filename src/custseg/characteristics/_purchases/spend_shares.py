"""What each customer spent on each level of a text column (a category, a channel)."""

from __future__ import annotations

from typing import Any

import narwhals.stable.v2 as nw

from custseg.characteristics._purchases.visits import LevelColumn
from custseg.characteristics._records.exact_sum import ExactSum


def level_columns(lines: nw.LazyFrame[Any], column: LevelColumn, sums: ExactSum) -> nw.LazyFrame[Any]:
    """Add up the spend on each level.

    Parameters
    ----------
    lines : narwhals LazyFrame
        The lines of purchases, without returns.
    column : LevelColumn
        What is wanted.
    sums : ExactSum
        How amounts are split.

    Returns
    -------
    customers : narwhals LazyFrame
        One row for each customer with a known level: ``customer``, and what ``Visits`` holds of a text column.
    """
    role = column.role
    leading = column.vocabulary.levels
    frame = lines.select("customer", "amount", role).filter(~nw.col(role).is_null())
    spent = sums.split(frame).group_by("customer", role).agg(nw.col("high").sum(), nw.col("low").sum())
    size = nw.col("high").cast(nw.Float64) + nw.col("low").cast(nw.Float64) * 2.0**-sums.low_bits
    spent = spent.with_columns(size.alias("size"))
    names = [f"{role}_level_{position}" for position in range(len(leading))]
    leads = nw.col(role).is_in(list(leading)) if leading else nw.lit(value=False)
    spent = spent.with_columns(
        # a customer has one row for each level, so the largest of them is the level's spend, exactly
        *(
            nw.when(nw.col(role) == level).then(nw.col("size")).otherwise(nw.lit(0.0)).alias(name)
            for name, level in zip(names, leading, strict=True)
        ),
        *(
            nw.when(leads).then(nw.lit(0)).otherwise(nw.col(part)).alias(f"{role}_other_{part}")
            for part in ("high", "low")
        ),
    )
    spent = spent.rename({part: f"{role}_{part}" for part in ("high", "low")})
    return spent.group_by("customer").agg(
        nw.len().alias(f"{role}_n"),
        *(nw.col(f"{role}_{part}").sum() for part in ("high", "low", "other_high", "other_low")),
        nw.col("size").max().alias(f"{role}_top"),
        *(nw.col(name).max() for name in names),
    )

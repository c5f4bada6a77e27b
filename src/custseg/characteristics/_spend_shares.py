"""What each customer spent on each level of a text column (a category, a channel)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw

from custseg.characteristics._purchases import ExactSum
from custseg.characteristics._records import Records
from custseg.characteristics._vocabulary import Vocabulary


@dataclass(frozen=True)
class LevelShares:
    """One text column, and how to add up what was spent on its levels.

    Attributes
    ----------
    role : str
        The column.
    vocabulary : Vocabulary
        Its leading levels.
    sums : ExactSum
        How amounts are split.
    closed : bool
        Whether the lines hold only levels that the vocabulary knows.
    """

    role: str
    vocabulary: Vocabulary
    sums: ExactSum
    closed: bool


def level_columns(lines: nw.LazyFrame[Any], shares: LevelShares, records: Records) -> nw.LazyFrame[Any]:
    """Add up the spend on each level.

    Parameters
    ----------
    lines : narwhals LazyFrame
        The lines of purchases, without returns.
    shares : LevelShares
        What is wanted.
    records : Records
        The lines used.

    Returns
    -------
    customers : narwhals LazyFrame
        One row for each customer with a known level: ``customer`` and, after the role, ``_n`` (distinct
        levels), ``_high`` and ``_low`` (spend on all of them), ``_top`` (the largest spend on one
        level), ``_level_0`` ... (spend on each leading level), ``_other_high`` and ``_other_low`` (spend
        on all others). All but the split sums are on the scale of ``Visits.size``.
    """
    role = shares.role
    frame = lines.select("customer", "amount", role).filter(~nw.col(role).is_null())
    frame = shares.sums.split(frame).drop("amount")
    coding = _Coding.of(shares, records)
    leading: Sequence[Any] = shares.vocabulary.levels
    if coding is None:
        spent = _by(frame, "customer", role)
    else:
        spent = coding.decoded(_by(coding.coded(frame), "key"), frame.collect_schema()["customer"])
        leading = [coding.levels.index(level) for level in leading]
    size = nw.col("high").cast(nw.Float64) + nw.col("low").cast(nw.Float64) * 2.0**-shares.sums.low_bits
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


def _by(frame: nw.LazyFrame[Any], *keys: str) -> nw.LazyFrame[Any]:
    return frame.group_by(*keys).agg(nw.col("high").sum(), nw.col("low").sum())


@dataclass(frozen=True)
class _Coding:
    """Customer and level in one whole number: it groups twice as fast as a number and a text."""

    role: str
    levels: tuple[str, ...]
    first_customer: int
    dtype: type[nw.Int64 | nw.UInt32]

    @classmethod
    def of(cls, shares: LevelShares, records: Records) -> _Coding | None:
        levels = shares.vocabulary.known
        if not (records.in_memory and shares.closed and levels and records.customers is not None):
            return None
        low, high = records.customers
        n_keys = (high - low + 1) * len(levels)
        fits = n_keys < 2**62 and max(abs(low), abs(high)) < 2**62
        return cls(shares.role, levels, low, nw.UInt32 if n_keys < 2**32 else nw.Int64) if fits else None

    def coded(self, frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        codes = nw.col(self.role).replace_strict(
            list(self.levels), list(range(len(self.levels))), return_dtype=nw.Int64
        )
        key = (nw.col("customer").cast(nw.Int64) - self.first_customer) * len(self.levels) + codes
        return frame.with_columns(key.cast(self.dtype).alias("key")).drop("customer", self.role)

    def decoded(self, frame: nw.LazyFrame[Any], ids: nw.dtypes.DType) -> nw.LazyFrame[Any]:
        """Bring the customers back, and the positions of the levels."""
        frame = frame.with_columns(nw.col("key").cast(nw.Int64))
        frame = frame.with_columns((nw.col("key") // len(self.levels)).alias("customer"))
        code = nw.col("key") - nw.col("customer") * len(self.levels)
        customer = (nw.col("customer") + self.first_customer).cast(ids)
        return frame.with_columns(code.alias(self.role), customer.alias("customer")).drop("key")

"""Other forms of ISO 8601 than the commonest: dates without hyphens, and UTC offsets of hours alone."""

from __future__ import annotations

from typing import Any

import narwhals.stable.v2 as nw
import pandas as pd

from custseg._core.frames import collect

EXTENDED = "__extended"
"""The column that holds text in extended form."""

NUMBERS = "__numbers"
"""The column that holds numbers as text."""

_OFFSET = "(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)?"
_BASIC = f"^[0-9]{{8}}(?:T[0-9]{{4}}(?:[0-9]{{2}}(?:[.][0-9]+)?)?{_OFFSET})?$"
# as PostgreSQL writes it: 2024-03-08 10:00:00+00
_HOURS_ALONE = ":[0-9]{2}(?:[.][0-9]+)?[+-][0-9]{2}$"


def extended(text: nw.Expr) -> nw.Expr:
    """Write basic dates and times with hyphens and colons, and offsets with minutes; other text stays as it is."""
    date = (text.str.slice(0, 4), nw.lit("-"), text.str.slice(4, 2), nw.lit("-"), text.str.slice(6, 2))
    minutes = (nw.lit("T"), text.str.slice(9, 2), nw.lit(":"), text.str.slice(11, 2))
    has_time, has_seconds = text.str.contains("^[0-9]{8}T"), text.str.contains("^[0-9]{8}T[0-9]{6}")
    whole = nw.when(has_seconds).then(nw.concat_str(*date, *minutes, nw.lit(":"), text.str.slice(13)))
    timed = whole.otherwise(nw.concat_str(*date, *minutes, text.str.slice(13)))
    basic = nw.when(has_time).then(timed).otherwise(nw.concat_str(*date))
    found = nw.when(text.str.contains(_BASIC)).then(basic).otherwise(text)
    return nw.when(found.str.contains(_HOURS_ALONE)).then(nw.concat_str(found, nw.lit("00"))).otherwise(found)


def are_basic_dates(frame: nw.LazyFrame[Any], column: str) -> bool:
    """Say whether all numbers of a column are dates such as 20240308, as which files without hyphens are read."""
    number = nw.col(column).cast(nw.Float64)
    known = (~number.is_nan()).fill_null(value=False)
    day, month = number % 100, (number // 100) % 100
    is_date = (number >= 1_000_01_01) & (number <= 9999_12_31) & (day >= 1) & (day <= 31) & (month >= 1) & (month <= 12)
    is_date = known & is_date.fill_null(value=False) & (number == number.round(0)).fill_null(value=False)
    counted = collect(
        frame.select(known.cast(nw.Int64).sum().alias("known"), is_date.cast(nw.Int64).sum().alias("dates"))
    )
    n_known, n_dates = (counted[name].item() for name in ("known", "dates"))
    return not pd.isna(n_known) and 0 < n_known == n_dates

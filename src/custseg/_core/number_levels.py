"""Numbers that name things, such as the code of a channel, as levels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals.stable.v2 as nw
import pandas as pd

from custseg._core.exact import EXACT_FLOATS, exact_below, inexact_levels
from custseg._core.frames import collect


def refuse_inexact(frame: nw.LazyFrame[Any], columns: Sequence[str]) -> None:
    """Refuse floats, and decimals that become some, so large that two levels may have become one."""
    schema = frame.collect_schema()
    floats = [name for name in columns if schema[name].is_float() or schema[name].is_decimal()]
    if not floats:
        return
    numbers = {name: nw.col(name) if schema[name].is_float() else nw.col(name).cast(nw.Float64) for name in floats}
    known = (nw.when(~number.is_nan()).then(number) for number in numbers.values())
    largest = collect(frame.select(value.abs().max().alias(name) for name, value in zip(floats, known, strict=True)))
    for name in floats:
        if not pd.isna(largest[name].item()) and largest[name].item() >= exact_below(schema[name]):
            raise inexact_levels(name, exact_below(schema[name]))


def number_text(number: nw.Expr) -> nw.Expr:
    """Write floats as levels: 1.0, which pandas makes of the code 1 where another is missing, is the level "1"."""
    is_known = (~number.is_nan()).fill_null(value=False)
    is_whole = is_known & (number == number.round(0)).fill_null(value=False) & (number.abs() < EXACT_FLOATS)
    # what is no whole number is not cast to one
    digits = nw.when(is_whole).then(number).otherwise(nw.lit(0.0)).cast(nw.Int64).cast(nw.String)
    return nw.when(is_whole).then(digits).otherwise(nw.when(is_known).then(number.cast(nw.String)))

"""Whole numbers out of a table in time: how many rows are so or so, and what is counted of each customer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from custseg._core.arrays import Integers
from custseg._core.frames import collect


def add_up(rows: nw.LazyFrame[Any], names: Iterable[str]) -> dict[str, int]:
    """Add up columns of whole numbers over all rows; of no rows the sum is 0."""
    row = collect(rows.select(nw.col(name).sum() for name in names))
    return {name: 0 if pd.isna(row[name].item()) else int(row[name].item()) for name in row.columns}


def count_where(rows: nw.LazyFrame[Any], flags: Mapping[str, nw.Expr]) -> dict[str, int]:
    """Count the rows in which each condition holds; a missing answer is none."""
    whole = {name: flag.fill_null(value=False).cast(nw.Int64) for name, flag in flags.items()}
    return add_up(rows.with_columns(**whole), whole)


def counts_by_name(customers: nw.DataFrame[Any]) -> dict[str, Integers]:
    """Return what was counted of each customer, 0 where nothing was, by column."""
    # engines may hold whole numbers in floats or nullable arrays
    return {
        name: np.asarray(customers[name].fill_null(0).to_numpy(), dtype=np.int64)
        for name in customers.columns
        if name != "customer"
    }

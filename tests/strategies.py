"""Hypothesis strategies for the tables that custseg reads: purchase lines, and customers with mixed columns.

``transactions`` draws lines as a pandas DataFrame, clean or with every fault that a row policy
names; ``customer_tables`` draws one row per customer with numeric, binary, ordinal and nominal
columns, with or without missing values.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st

KINDS = ("numeric", "binary", "ordinal", "nominal")
START = datetime(2023, 12, 20)  # noqa: DTZ001 - naive on purpose: the tables are naive unless a test says otherwise
ORDINAL_LEVELS = ("low", "middle", "high")
NOMINAL_LEVELS = ("north", "south", "east", "west")


def timestamps(days: int = 90) -> st.SearchStrategy[datetime]:
    """Whole minutes within ``days`` of ``START``: a year's end, a leap day and month borders are among them."""
    return st.integers(0, days * 24 * 60 - 1).map(lambda minutes: START + timedelta(minutes=minutes))


def amounts(*, returns: bool = True) -> st.SearchStrategy[float]:
    """Multiples of a quarter, so that sums are exact in any order; zero is among them, negative ones on request."""
    return st.integers(-400 if returns else 0, 400).map(lambda quarters: quarters / 4)


@st.composite
def transactions(
    draw: st.DrawFn,
    *,
    min_rows: int = 1,
    max_rows: int = 40,
    n_customers: int = 5,
    days: int = 90,
    returns: bool = True,
    faults: bool = False,
) -> pd.DataFrame:
    """Purchase lines: ``customer_id`` (int), ``timestamp``, ``amount``, ``order_id`` (text).

    With ``faults`` each of the four columns is missing in some rows and the ids are nullable
    integers. The first row is always a clean purchase, so that something is left.
    """

    def some(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        return st.one_of(values, values, values, st.none()) if faults else values

    first = st.tuples(st.integers(1, n_customers), timestamps(days), amounts(returns=False), st.sampled_from("abcdef"))
    line = st.tuples(
        some(st.integers(1, n_customers)),
        some(timestamps(days)),
        some(amounts(returns=returns)),
        some(st.sampled_from("abcdef")),
    )
    rows = [draw(first), *draw(st.lists(line, min_size=max(min_rows - 1, 0), max_size=max_rows - 1))]
    ids, times, values, orders = zip(*rows, strict=True)
    return pd.DataFrame(
        {
            "customer_id": pd.Series(ids, dtype="Int64" if faults else "int64"),
            "timestamp": pd.Series(times, dtype="datetime64[us]"),
            "amount": pd.Series(values, dtype="float64"),
            "order_id": pd.Series(orders, dtype="str"),
        }
    )


def _column(draw: st.DrawFn, kind: str, n_rows: int, missing: bool) -> pd.Series[Any]:
    values: st.SearchStrategy[Any] = {
        "numeric": st.one_of(
            st.integers(-50, 50).map(float),
            st.floats(-1e6, 1e6, allow_nan=False).map(lambda value: round(value, 3)),
        ),
        "binary": st.booleans(),
        "ordinal": st.sampled_from(ORDINAL_LEVELS),
        "nominal": st.sampled_from(NOMINAL_LEVELS),
    }[kind]
    if missing:
        values = st.one_of(values, values, values, values, st.none())
    drawn = draw(st.lists(values, min_size=n_rows, max_size=n_rows))
    if kind == "ordinal":
        return pd.Series(pd.Categorical(drawn, categories=list(ORDINAL_LEVELS), ordered=True))
    if kind == "nominal" and draw(st.booleans()):
        return pd.Series(pd.Categorical(drawn, categories=list(NOMINAL_LEVELS)))
    dtype = {"numeric": "float64", "binary": "boolean" if missing else "bool", "nominal": "str"}[kind]
    return pd.Series(drawn, dtype=dtype)  # type: ignore[call-overload, no-any-return]


@st.composite
def customer_tables(
    draw: st.DrawFn,
    *,
    min_rows: int = 2,
    max_rows: int = 30,
    min_columns: int = 1,
    max_columns: int = 5,
    kinds: Sequence[str] = KINDS,
    missing: bool = True,
) -> pd.DataFrame:
    """Customers: columns named by kind and position (``numeric_0``, ``nominal_1``, ...), indexed by ``customer_id``.

    Binary columns are ``bool`` (``boolean`` where values may be missing), ordinal columns ordered
    categories, nominal columns text or unordered categories. Levels that no row has, constant
    columns, columns with nothing but missing values and repeated rows all occur.
    """
    n_rows = draw(st.integers(min_rows, max_rows))
    drawn = draw(st.lists(st.sampled_from(list(kinds)), min_size=min_columns, max_size=max_columns))
    columns = {f"{kind}_{position}": _column(draw, kind, n_rows, missing) for position, kind in enumerate(drawn)}
    index = pd.Index(np.arange(1, n_rows + 1), name="customer_id")
    return pd.DataFrame(columns).set_axis(index, axis="index")

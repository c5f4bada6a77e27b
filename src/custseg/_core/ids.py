"""The one rule for customer ids: which column, level or number says whose a row is.

A table names its customers by (1) the column that ``customer_id`` names, else (2) the index level of that
name (pandas, dask). With ``customer_id=None`` (3) each row is a customer of its own, numbered by the
index of a pandas table, whatever its name, and from 0 in any other table. Otherwise (4) the column is
missing, and the error says both ways out. An index of several levels (5) names nobody.

Estimators over characteristics, which need no ids to compute anything, take a table without the default
column as it is: its rows are customers, known by their index or by nothing. A name that was chosen must
be there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from custseg._core.asking import asked
from custseg._core.composed import composed_values
from custseg._core.exact import refuse_inexact_ids
from custseg._core.params import COLUMN, NONE, Allowed, Instance
from custseg.exceptions import ColumnNotFoundError, CustomerIdError, InvalidTableError, list_names

DEFAULT_ID = "customer_id"
"""What the column of ids is called unless it is said otherwise, and what numbered rows are called."""

ID_OR_ROWS: tuple[Allowed, ...] = (COLUMN, NONE)
"""What ``customer_id`` may be where a row can be a customer."""

ID_IN_TIME: tuple[Allowed, ...] = (
    Instance(
        str,
        words="a column name (text): a table in time has several rows of one customer, so each must say whose it is",
    ),
)
"""What ``customer_id`` may be where a customer has several rows."""


def refuse_levels(table: Any, wanted: Sequence[Any]) -> None:
    """Refuse a pandas index of several levels where a column is wanted that the table lacks."""
    if isinstance(table.index, pd.MultiIndex) and any(name not in table.columns for name in wanted):
        raise CustomerIdError(
            f"{asked()}: the index of the table has several levels ({list_names(table.index.names)}), which name no "
            "customer. Make them columns with table.reset_index()."
        )


def check_there(table: Any, customer_id: str | None, names: Sequence[Any]) -> None:
    """Refuse a table without the ids that were asked for, saying both ways out."""
    if customer_id is None or customer_id in names:
        return
    if isinstance(table, pd.DataFrame):
        refuse_levels(table, [customer_id])
    remedy = (
        " Name the column that says who the customers are, customer_id='...'; or, if each row is a customer of "
        "its own, pass customer_id=None."
    )
    raise ColumnNotFoundError.in_table([customer_id], [name for name in names if name is not None], remedy)


def check_chosen(table: Any, customer_id: str | None, columns: Sequence[Any]) -> None:
    """Refuse a table without ids of a name that was chosen, where none are needed: the default need not be there."""
    if customer_id == DEFAULT_ID:
        return
    index = getattr(table, "index", None)
    check_there(table, customer_id, [*columns, getattr(index, "name", None)])


def read_ids(
    frame: Any, customer_id: str | None, names: Sequence[Any], *, must_have_id: bool
) -> npt.NDArray[Any] | None:
    """Return the ids of a pandas or narwhals frame; None where rows are known by nothing but their place."""
    if customer_id is None:
        index = row_index(frame)
        return None if index is None else index.to_numpy()
    if customer_id in names:
        ids = np.asarray(frame[customer_id].to_numpy())
    else:
        if must_have_id:
            check_chosen(frame, customer_id, names)
        if not isinstance(frame, pd.DataFrame):
            return None
        refuse_levels(frame, [customer_id])
        ids = frame.index.to_numpy()
    refuse_inexact_ids(customer_id, ids)
    return composed_values(ids, customer_id)


def row_index(table: Any) -> pd.Index[Any] | None:
    """Return what numbers the rows of a table where each is a customer: the index of pandas, else None (from 0)."""
    if not isinstance(table, pd.DataFrame):
        return None
    index = table.index
    refuse_levels(table, [None])
    if not index.is_unique:
        again = index[index.duplicated()]
        raise CustomerIdError(
            f"{asked()}: customer_id=None numbers the customers by the index of the table, which repeats a value in "
            f"{len(again)} row(s), for example {again[0]!r}. Number the rows anew with table.reset_index(drop=True)."
        )
    return index


def without_index(table: Any) -> Any:
    """Drop the index of a pandas or dask table, whose name would count as a column."""
    is_dask = type(table).__module__.partition(".")[0] in ("dask", "dask_expr") and hasattr(table, "reset_index")
    return table.reset_index(drop=True) if isinstance(table, pd.DataFrame) or is_dask else table


def refuse_default(names: Sequence[Any]) -> None:
    """Refuse a column that is called as numbered rows are, beside which it could not stand."""
    if DEFAULT_ID in names:
        raise InvalidTableError(
            f"{asked()}: customer_id=None numbers the rows under the name {DEFAULT_ID!r}, and the table has a column "
            f"of that name ({list_names(names)}). Pass customer_id={DEFAULT_ID!r} if it holds the ids; else rename or "
            "drop it."
        )

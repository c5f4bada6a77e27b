"""Labels of customers who are to be named, and columns that look like ids."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd

from custseg._core.customers import CustomerTable, looks_like_id, read_customers
from custseg._core.frames import is_table, open_table
from custseg._core.segments import column_of_labels
from custseg._core.warning import warn
from custseg.exceptions import ColumnNotFoundError


def labels_of(X: Any, segment: str) -> Any:
    """Return the labels: the column ``segment`` of a table, no other column of which is looked at, or ``X`` itself."""
    if not is_table(X):
        return X
    if not isinstance(X, pd.DataFrame):
        only = open_table(X, columns=[segment], in_order=True).frame.to_native()
    elif segment in X.columns:
        only = X.loc[:, [name for name in X.columns if name == segment]]
    else:
        raise ColumnNotFoundError.in_table([segment], X.columns)
    return column_of_labels(read_customers(only, with_ids=False)[segment])


def find_id(table: CustomerTable, customer_id: str | None, *, first_too: bool) -> CustomerTable:
    """Leave out columns that look like ids, with a warning; with ``customer_id=None`` leave out none."""
    if customer_id is None:
        return table
    found = [
        column.name
        for position, column in enumerate(table.columns)
        if (column.kind == "nominal" or (first_too and position == 0))
        and not column.missing.any()
        and looks_like_id(column)
    ]
    for name in found:
        warn(
            f"column {name!r} differs in every row and is taken for an id, which is not described. "
            f"Pass customer_id={name!r} if it is one, or customer_id=None to describe every column."
        )
    return replace(table, columns=tuple(column for column in table.columns if column.name not in found))

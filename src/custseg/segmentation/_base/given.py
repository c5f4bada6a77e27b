"""What a segmentation is made of, as it is passed: labels, names, columns, values and descriptions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pandas as pd

from custseg._core.arrays import Floats
from custseg._core.asking import asked, asking
from custseg._core.characteristic import Characteristic, from_table
from custseg._core.customers import CustomerTable
from custseg._core.segments import aligned, column_of_labels
from custseg.exceptions import ColumnNotFoundError, ColumnTypeError, InvalidParameterError
from custseg.segmentation._base.errors import no_labels

__all__ = ["checked_columns", "checked_names", "described", "labels_in", "names_for", "values_of"]


def described(characteristics: Any) -> tuple[Characteristic, ...]:
    """Take what the columns are, as a table of descriptions or as they are."""
    if isinstance(characteristics, pd.DataFrame):
        return from_table(characteristics)
    return tuple(characteristics or ())


def labels_in(table: CustomerTable, segment: str) -> tuple[pd.Series[Any], CustomerTable]:
    """Take the labels out of a table; return the rest of it too."""
    if not table.named:
        raise no_labels()
    if segment not in table.names:
        raise ColumnNotFoundError.in_table([segment], table.names)
    return column_of_labels(table[segment]), table.select(name for name in table.names if name != segment)


def checked_names(names: Sequence[str] | None) -> tuple[str, ...]:
    """Check the names of segments; none where there are none."""
    if names is None:
        return ()
    if isinstance(names, str) or not len(names) or not all(isinstance(name, str) for name in names):
        raise InvalidParameterError.not_allowed("names", "a list of names", names)
    if len(set(names)) < len(names):
        raise InvalidParameterError.not_allowed("names", "names that differ", list(names))
    return tuple(names)


def names_for(names: Sequence[str], n_segments: int) -> tuple[str, ...]:
    """Check that there is one name for each segment, no two alike."""
    if len(names) != n_segments:
        words = f"one name for each of {n_segments} segment(s)"
        raise InvalidParameterError.not_allowed("names", words, list(names))
    return checked_names(names)


def checked_columns(names: Collection[str] | None, columns: Sequence[str]) -> tuple[str, ...]:
    """Check the columns that formed the segments, in the order of the table; all where nothing is known."""
    if names is None:
        return tuple(columns)
    if isinstance(names, str):
        raise InvalidParameterError.not_allowed("clustered_on", "a list of column names", names)
    names = tuple(names)
    for name in names:
        if name not in columns:
            with asking(f"{asked()}(clustered_on=...)"):
                raise InvalidParameterError.unknown_name("column", name, columns)
    return tuple(name for name in columns if name in set(names))


def values_of(value: Any, table: CustomerTable, X: Any, customer_id: str | None) -> Floats | None:
    """Read what each customer is worth, in the order of the customers."""
    if value is None:
        return None
    if isinstance(value, str):
        if value not in table.names:
            with asking(f"{asked()}(value=...)"):
                raise ColumnNotFoundError.in_table([value], table.names)
        if table[value].kind not in ("numeric", "binary"):
            remedy = "Name a column of numbers, such as what each customer spent."
            raise ColumnTypeError.expected(value, "numbers to be a value", table[value].kind, remedy)
        return np.asarray(table[value].values, dtype=np.float64)
    if isinstance(value, pd.Series) and table.ids is not None:
        value = aligned("value", value, table.ids, X=X, customer_id=customer_id)
    figures = np.asarray(value, dtype=np.float64)
    if figures.shape != (table.n_customers,):
        words = f"one number for each of {table.n_customers} customers"
        raise InvalidParameterError.not_allowed("value", words, f"an array of shape {figures.shape}")
    return figures

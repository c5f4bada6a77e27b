"""Segment labels as checked integers, wherever they come from; and columns that look like ids."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from custseg._core.arrays import Integers
from custseg._core.customers import Column, CustomerTable, read_customers
from custseg._core.frames import is_table, open_table
from custseg._core.warning import warn
from custseg.exceptions import ColumnNotFoundError, SegmentLabelError

_FEWEST_FOR_ID = 10
"""In fewer rows, values that all differ are no sign of an id."""


def segment_labels(
    table: CustomerTable, y: Any, *, segment: str, is_matrix: bool, n_named: int, who: str
) -> tuple[Integers, CustomerTable]:
    """Take the labels from ``y`` or out of the table; return them and the table without them.

    Of ``n_named`` segments that have names, some may have no customer; without names (0) none may.
    """
    has_column = not is_matrix and segment in table.names
    if y is not None:
        if has_column:
            raise SegmentLabelError.twice(who, segment)
        labels = _whole(_one_dimension(y, who), who)
        if len(labels) != table.n_customers:
            raise SegmentLabelError.length(who, len(labels), table.n_customers)
    elif is_matrix:
        raise SegmentLabelError.absent(who)
    elif not has_column:
        raise ColumnNotFoundError.in_table(who, [segment], table.names)
    else:
        labels = _from_column(table[segment], who)
        table = replace(table, columns=tuple(column for column in table.columns if column.name != segment))
    _check_complete(labels, n_named, who)
    return labels, table


def read_labels(X: Any, *, segment: str, who: str) -> Integers:
    """Read the labels of a table's column ``segment``, or of an array of labels."""
    if not is_table(X):
        return _whole(_one_dimension(X, who), who)
    if not isinstance(X, pd.DataFrame):
        only = open_table(X, who=who, columns=[segment], in_order=True).frame.to_native()
    elif segment in X.columns:
        only = X.loc[:, [name for name in X.columns if name == segment]]
    else:
        raise ColumnNotFoundError.in_table(who, [segment], X.columns)
    return _from_column(read_customers(only, who=who)[segment], who)


def _from_column(column: Column, who: str) -> Integers:
    if column.kind != "numeric":
        raise SegmentLabelError.not_whole(who, f"column {column.name!r} is {column.kind}")
    return _whole(column.values, who)


def _one_dimension(labels: Any, who: str) -> npt.NDArray[Any]:
    array = np.asarray(labels)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise SegmentLabelError.not_whole(who, f"an array of shape {array.shape}")
    return array


def _whole(labels: npt.NDArray[Any], who: str) -> Integers:
    if labels.dtype == object and all(isinstance(label, (int, np.integer)) for label in labels):
        labels = labels.astype(np.int64)
    if labels.dtype.kind not in "iuf":
        raise SegmentLabelError.not_whole(who, f"values of type {labels.dtype}")
    if labels.dtype.kind == "f":
        if np.isnan(labels).any():
            raise SegmentLabelError.missing(who, int(np.isnan(labels).sum()))
        if not (labels == np.floor(labels)).all() or np.isinf(labels).any():
            raise SegmentLabelError.not_whole(who, "fractions")
    whole = labels.astype(np.int64)
    if (whole < -1).any():
        raise SegmentLabelError.not_whole(who, f"the label {whole.min()}")
    return whole


def _check_complete(labels: Integers, n_named: int, who: str) -> None:
    found = np.unique(labels[labels >= 0])
    if not len(found):
        raise SegmentLabelError.none_assigned(who, len(labels))
    if n_named:
        if found[-1] >= n_named:
            raise SegmentLabelError.unnamed(who, found[found >= n_named].tolist(), n_named)
    elif found[-1] != len(found) - 1:
        raise SegmentLabelError.gap(who, found.tolist())


def find_id(table: CustomerTable, customer_id: str | None, *, first_too: bool, who: str) -> CustomerTable:
    """Leave out columns that look like ids, with a warning; with ``customer_id=None`` leave out none."""
    if customer_id is None:
        return table
    found = [
        column.name
        for position, column in enumerate(table.columns)
        if _looks_like_id(column, table.n_customers, whole_numbers=first_too and position == 0)
    ]
    for name in found:
        warn(
            f"{who}: column {name!r} differs in every row and is taken for an id, which is not described. "
            f"Pass customer_id={name!r} if it is one, or customer_id=None to describe every column."
        )
    return replace(table, columns=tuple(column for column in table.columns if column.name not in found))


def _looks_like_id(column: Column, n_customers: int, *, whole_numbers: bool) -> bool:
    if n_customers < _FEWEST_FOR_ID or column.missing.any():
        return False
    if column.kind == "nominal":
        return len(column.categories) == n_customers
    if column.kind != "numeric" or not whole_numbers:
        return False
    return bool((column.values == np.floor(column.values)).all()) and len(np.unique(column.values)) == n_customers

"""Typed columns of customers handed out as a frame, in dtypes that say their kinds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from custseg._core.base import OutputKind
from custseg._core.customers import Column
from custseg._core.ids import DEFAULT_ID
from custseg._core.optional import require

__all__ = ["write_customers"]


def write_customers(
    ids: nw.Series[Any],
    columns: Iterable[Column],
    *,
    kind: OutputKind,
    customer_id: str | None,
    index: pd.Index[Any] | None = None,
) -> Any:
    """Hand typed columns out as a frame with one row per customer, in dtypes that say their kinds.

    Parameters
    ----------
    ids : narwhals Series
        The customer ids.
    columns : iterable of Column
        The characteristics. A numeric column with ``is_integer`` and no missing value comes out as
        integers, a binary one as bools, the others as ordered or unordered categories.
    kind : {"pandas", "polars", "pyarrow"}
        The kind of frame. pandas is indexed by the ids, the others have them as their first column.
    customer_id : str or None
        The name of the ids; None where ``ids`` are the places of rows that are customers.
    index : pandas Index or None, default=None
        What such rows are called where they come from a pandas table.

    Returns
    -------
    frame : DataFrame or Table
        The customers.
    """
    columns = list(columns)
    if customer_id is None:
        customer_id = DEFAULT_ID
        if index is not None:
            named = index[ids.to_numpy()]
            if kind == "pandas":
                return pd.DataFrame({column.name: _to_pandas(column) for column in columns}).set_axis(named)
            ids, customer_id = nw.from_native(named.to_series(), series_only=True), str(index.name or DEFAULT_ID)
    if kind == "pandas":
        index = pd.Index(_plain_ids(ids), name=customer_id)
        return pd.DataFrame({column.name: _to_pandas(column) for column in columns}).set_axis(index)
    if kind == "polars":
        require("polars", 'set_output(transform="polars")')
        values = _plain_ids(ids) if ids.dtype.is_integer() else _plain_ids(ids).tolist()
        plain = nw.new_series(customer_id, values, _id_dtype(ids), backend="polars")
        return plain.to_frame().with_columns(_to_polars(column) for column in columns).to_native()
    arrow = require("pyarrow", "pyarrow output")
    arrays = {customer_id: arrow.array(_plain_ids(ids))}
    return arrow.table(arrays | {column.name: _to_arrow(column, arrow) for column in columns})


def _plain_ids(ids: nw.Series[Any]) -> Any:
    """Return ids as whole numbers of 64 bits, or as text."""
    if ids.dtype.is_integer():
        return ids.to_numpy().astype(np.uint64 if ids.dtype == nw.UInt64 else np.int64)
    return pd.array(ids.to_list(), dtype="str")


def _id_dtype(ids: nw.Series[Any]) -> Any:
    if ids.dtype.is_integer():
        return nw.UInt64 if ids.dtype == nw.UInt64 else nw.Int64
    return nw.String


def _to_pandas(column: Column) -> Any:
    missing = column.missing
    if column.kind in ("ordinal", "nominal"):
        dtype = pd.CategoricalDtype(list(column.categories), ordered=column.kind == "ordinal")
        return pd.Categorical.from_codes(column.values.astype(np.int64), dtype=dtype)
    if column.kind == "binary":
        bits = np.where(missing, 0.0, column.values).astype(bool)
        return pd.arrays.BooleanArray(bits, missing) if missing.any() else bits
    is_whole = column.is_integer and not missing.any()
    return column.values.astype(np.int64 if is_whole else np.float64)


def _to_polars(column: Column) -> nw.Series[Any]:
    name, missing = column.name, column.missing
    if column.kind in ("ordinal", "nominal"):
        levels = np.array([*column.categories, None], dtype=object)[column.values]
        dtype = nw.Enum(list(column.categories)) if column.kind == "ordinal" else nw.Categorical()
        return nw.new_series(name, levels.tolist(), nw.String, backend="polars").cast(dtype)
    if not missing.any():
        return nw.new_series(name, _to_pandas(column), backend="polars")
    series = nw.new_series(name, column.values.astype(np.float64, copy=False), backend="polars").fill_nan(None)
    return series if column.kind == "numeric" else series == 1.0


def _to_arrow(column: Column, arrow: Any) -> Any:
    if column.kind in ("ordinal", "nominal"):
        codes = arrow.array(column.values.astype(np.int32), mask=column.missing)
        is_ordered = column.kind == "ordinal"
        return arrow.DictionaryArray.from_arrays(
            codes, arrow.array(column.categories, arrow.string()), ordered=is_ordered
        )
    values = _to_pandas(column)
    return arrow.array(values, from_pandas=True)

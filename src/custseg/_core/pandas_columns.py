"""Columns of pandas in dtypes that every frame has: objects by their content, sparse ones dense, numbers as numbers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from custseg._core.exact import EXACT_FLOATS, refuse_inexact_ids
from custseg._core.optional import is_installed
from custseg._core.surrogates import refuse_surrogates
from custseg._core.unheld import refuse_pandas_type, text_categories
from custseg._core.uuids import pandas_uuids
from custseg.exceptions import ColumnTypeError, CustomerIdError, InvalidTableError

__all__ = ["numbers_of_categories", "of_dask", "typed_pandas"]


def typed_pandas(column: pd.Series[Any], *, customer_id: bool = False) -> pd.Series[Any]:
    """Give a pandas column a dtype that every frame has; refuse a mixture of types.

    A column of dtype object gets the dtype that its content has, a sparse one is made dense. Any
    other column is returned as it is.
    """
    dtype = column.dtype
    if isinstance(dtype, pd.SparseDtype):
        return column.astype(dtype.subtype)
    if dtype.kind == "c":
        raise ColumnTypeError.expected(column.name, "real numbers", dtype, "Take the real part, or drop it.")
    if dtype == np.longdouble and dtype != np.float64:
        return column.astype("float64")
    if isinstance(dtype, pd.CategoricalDtype):
        if dtype.categories.inferred_type.startswith("mixed"):
            raise _mixture(column, {type(level).__name__ for level in dtype.categories}, customer_id)
        return text_categories(column)
    if "uuid" in str(dtype):
        return column if (text := pandas_uuids(column)) is None else text
    refuse_pandas_type(column)
    if isinstance(dtype, pd.StringDtype) and dtype.storage == "python":
        refuse_surrogates(column.name, column)
    is_object = isinstance(dtype, np.dtype) and dtype.kind == "O"
    return _typed_object(column, customer_id) if is_object else column


def numbers_of_categories(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return categories that are numbers or bools as these; any other column as it is."""
    dtype: Any = column.dtype
    if not isinstance(dtype, pd.CategoricalDtype):
        return column
    levels = dtype.categories
    if levels.inferred_type == "floating":
        return column.astype(levels.dtype)
    plain: Any = {"boolean": "boolean", "integer": "UInt64" if levels.dtype.kind == "u" else "Int64"}
    return column.astype(plain.get(levels.inferred_type, dtype))


def of_dask(native: Any, names: Iterable[str]) -> Any:
    """Return a dask frame with its categories of numbers as numbers, whose text would depend on their type."""
    for name in names:
        if isinstance(native[name].dtype, pd.CategoricalDtype):
            column = native[name].cat.as_known()
            native = native.assign(**{name: column.astype(numbers_of_categories(column._meta).dtype)})  # noqa: SLF001
    return native


def _typed_object(column: pd.Series[Any], customer_id: bool) -> pd.Series[Any]:
    # of the many ways to say "missing" the one that every dtype takes
    column = column.where(column.notna(), None)
    content = pd.api.types.infer_dtype(column, skipna=True)
    if content in ("string", "empty"):
        return _object_text(column) if content == "string" else column.astype("float64")
    if content == "boolean":
        return column.astype("boolean")
    if content == "integer":
        return _object_integers(column)
    if content in ("floating", "mixed-integer-float", "decimal"):
        return _number_ids(column, content) if customer_id else _object_numbers(column)
    if content in ("datetime", "datetime64", "date"):
        return _object_timestamps(column)
    text = pandas_uuids(column)
    if text is None:
        raise _mixture(column, {type(value).__name__ for value in column.dropna().iloc[:10_000]}, customer_id)
    return text


def _object_text(column: pd.Series[Any]) -> pd.Series[Any]:
    try:
        text = column.astype("string")
    except UnicodeEncodeError:
        refuse_surrogates(column.name, column)
        raise
    if not is_installed("pyarrow"):
        # nothing was encoded
        refuse_surrogates(column.name, column)
    return text


def _object_numbers(column: pd.Series[Any]) -> pd.Series[Any]:
    """Make floats of decimals, or of floats and whole numbers; whole numbers where floats would round them."""
    floats = column.astype("float64")
    if not EXACT_FLOATS <= np.nanmax(np.abs(floats.to_numpy())) < 2**63:
        return floats
    known: list[Any] = column.dropna().to_list()
    is_exact = not any(isinstance(value, (float, np.floating)) and abs(float(value)) >= EXACT_FLOATS for value in known)
    is_whole = all(value == int(value) for value in known)
    return _object_integers(column.map(int, na_action="ignore")) if is_exact and is_whole else floats


def _number_ids(ids: pd.Series[Any], content: str) -> pd.Series[Any]:
    if content != "decimal":
        for dtype in (np.float16, np.float32):
            refuse_inexact_ids(ids.name, np.array([value for value in ids if isinstance(value, dtype)]))
        return ids.astype("float64")
    if (ids.dropna() % 1 != 0).any():
        raise CustomerIdError.not_an_id(ids.name, "fractions")
    return _object_integers(ids.map(int, na_action="ignore"))


def _mixture(column: pd.Series[Any], kinds: set[str], customer_id: bool) -> InvalidTableError:
    if customer_id:
        return CustomerIdError.mixed(column.name, kinds)
    return ColumnTypeError.expected(
        column.name,
        "of one type",
        f"a mixture of {', '.join(sorted(kinds))}",
        "Convert the column to one type, for example with astype(str) or pandas.to_numeric.",
    )


def _object_integers(column: pd.Series[Any]) -> pd.Series[Any]:
    known = column.dropna()
    if known.min() >= -(2**63) and known.max() < 2**63:
        return column.astype("Int64")
    if known.min() >= 0 and known.max() < 2**64:
        return column.astype("UInt64")
    remedy = "Convert the column to text with astype(str)."
    raise ColumnTypeError.expected(column.name, "whole numbers of at most 64 bits", "larger ones", remedy)


def _object_timestamps(column: pd.Series[Any]) -> pd.Series[Any]:
    zones = {str(getattr(value, "tzinfo", None)) for value in column.dropna()}
    if len(zones) > 1:
        raise ColumnTypeError.expected(
            column.name,
            "in one time zone (or all without one)",
            f"timestamps of the zones {', '.join(sorted(zones))}",
            "Convert it first, for example pandas.to_datetime(column, utc=True).dt.tz_convert(zone).",
        )
    return pd.to_datetime(column)

"""How far the types of numbers tell every whole number from its neighbours."""

from __future__ import annotations

from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import numpy.typing as npt
import pandas as pd

from custseg._core.asking import asked
from custseg.exceptions import ColumnTypeError, CustomerIdError

EXACT_FLOATS = 2**53
"""From here on not every whole number is a float of 64 bits."""

READ_WHOLE = "Read the column as integers or text; pandas makes floats of integers where one is missing (use Int64)."
"""What to do where whole numbers came as floats."""

_EXACT = {"Float16": 2**11, "Float32": 2**24}


def exact_below(dtype: Any) -> int:
    """Return the least number from which on a type of floats (of numpy or narwhals) holds two whole numbers as one."""
    if isinstance(dtype, np.dtype):
        return int(2 ** (int(np.finfo(dtype).nmant) + 1))
    return _EXACT.get(str(dtype), EXACT_FLOATS)


def as_stored(floats: npt.NDArray[np.float64], dtype: Any) -> npt.NDArray[Any]:
    """Return floats in the type (of numpy or narwhals) that they came in, so that they are written with its digits."""
    name = str(dtype)
    return floats.astype(name.lower()) if name.title() in _EXACT else floats


def _power(limit: int) -> str:
    return f"2**{limit.bit_length() - 1} = {limit:,}"


def inexact_ids(column: object, limit: int) -> CustomerIdError:
    """Return the error for ids that are floats too large to be told apart."""
    return CustomerIdError(
        f"{asked()}: column {str(column)!r} holds ids as floats, which are exact below {_power(limit)}, and some are "
        "not below, so that two ids may have become one. Read the column as integers or text."
    )


def inexact_levels(column: object, limit: int) -> ColumnTypeError:
    """Return the error for levels that are floats too large to be told apart."""
    got = f"floats of {_power(limit)} or more, of which two levels may have become one"
    return ColumnTypeError.expected(column, "told apart to be levels", got, READ_WHOLE)


def exact_numbers(series: nw.Series[Any], floats: npt.NDArray[np.float64]) -> npt.NDArray[Any] | None:
    """Return numbers as a table stores them, 0 for missing ones; None where ``floats`` hold each of them as exactly."""
    dtype = series.dtype
    if not (dtype.is_integer() or dtype.is_decimal()) or not (np.abs(floats) >= EXACT_FLOATS).any():
        return None
    if dtype in (nw.Int64, nw.UInt64):
        return np.asarray(series.fill_null(0).to_numpy())
    return np.array([0 if value is None else value for value in series.to_list()], dtype=object)


def refuse_inexact_ids(column: object, ids: Any) -> None:
    """Refuse ids (an array, or a narwhals Series) among which floats are too large to be told apart."""
    if isinstance(ids, nw.Series):
        if not ids.dtype.is_float():
            return
        ids = ids.to_numpy()
    values: npt.NDArray[Any] = np.asarray(ids)
    if values.dtype.kind == "f" and _too_large(values):
        raise inexact_ids(column, exact_below(values.dtype))


def refuse_inexact_levels(column: object, levels: pd.Index[Any]) -> None:
    """Refuse categories among which floats are too large to be told apart."""
    values: npt.NDArray[Any] = levels.to_numpy()
    if values.dtype.kind == "f" and _too_large(values):
        raise inexact_levels(column, exact_below(values.dtype))


def _too_large(values: npt.NDArray[Any]) -> bool:
    return bool((np.abs(values[np.isfinite(values)]) >= exact_below(values.dtype)).any())

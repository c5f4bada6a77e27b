"""Tables, columns, indices and trees as plain data, for ``custseg._core.plain_kinds``."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd

from custseg._core.optional import require

__all__ = ["PANDAS", "TEXTS", "is_texts", "of_other_libraries"]

Parts = Callable[[Any], Iterable[Any]]
Whole = Callable[..., Any]


# one moment, and spans of time


def _timestamp_parts(when: pd.Timestamp) -> list[Any]:
    moment = when.tz_convert("UTC").tz_localize(None) if when.tz is not None else when
    return [int(moment.asm8.astype(np.int64)), when.unit, _zone(when.tz)]


def _timestamp(count: int, unit: str, zone: Any) -> pd.Timestamp:
    moment = pd.Timestamp(np.datetime64(count, unit))  # type: ignore[call-overload]
    found: pd.Timestamp = moment if zone is None else moment.tz_localize("UTC").tz_convert(zone)
    return found


def _zone(zone: Any) -> Any:
    """Return a time zone as Python's own library has it; those of others are known by their name."""
    return zone if zone is None or type(zone).__module__ in ("datetime", "zoneinfo") else str(zone)


def _timedelta(count: int, unit: str) -> pd.Timedelta:
    return pd.Timedelta(np.timedelta64(count, unit))  # type: ignore[call-overload]


# columns


def _categorical(codes: Any, categories: pd.Index[Any], ordered: bool | None) -> Any:
    return pd.Categorical.from_codes(codes, dtype=pd.CategoricalDtype(categories, ordered=ordered))


def _column(values: Any, dtype: Any) -> Any:
    return pd.array(values, dtype=dtype)


def _times_parts(times: Any) -> list[Any]:
    zone = getattr(times, "tz", None)
    plain = times if zone is None else times.tz_convert("UTC").tz_localize(None)
    return [np.asarray(plain), _zone(zone)]


def _times(moments: Any, zone: Any) -> Any:
    index = pd.DatetimeIndex(moments)
    return (index if zone is None else index.tz_localize("UTC").tz_convert(zone)).array


def _masked_parts(column: Any) -> list[Any]:
    missing = np.asarray(column.isna())
    return [column.to_numpy(dtype=column.dtype.numpy_dtype, na_value=column.dtype.numpy_dtype.type(0)), missing]


def _texts_parts(column: Any) -> list[Any]:
    missing = np.asarray(column.isna())
    texts = column.to_numpy(dtype=object, na_value=None)
    return [column.dtype.storage, bool(column.dtype.na_value is pd.NA), np.where(missing, None, texts)]


def _string_dtype(storage: str, has_na: bool) -> Any:
    return pd.StringDtype(storage, na_value=pd.NA if has_na else np.nan)


def _intervals(left: Any, right: Any, closed: Any) -> Any:
    return pd.arrays.IntervalArray.from_arrays(left, right, closed=closed)


def _arrow_parts(column: Any) -> list[Any]:
    return [_ipc(require("pyarrow").table({"column": column.__arrow_array__()}))]


def _arrow(stored: bytes) -> Any:
    return pd.arrays.ArrowExtensionArray(_from_ipc(stored)["column"])


# indices, series, frames


def _array_of(values: Any) -> Any:
    """Return the values of a column: an array of numpy's, or of pandas' own where it has a kind of its own."""
    return values.to_numpy() if isinstance(values.dtype, np.dtype) and values.dtype.kind not in "mM" else values.array


def _index_parts(index: pd.Index[Any]) -> list[Any]:
    freq = getattr(index, "freq", None)
    is_times = isinstance(index, (pd.DatetimeIndex, pd.TimedeltaIndex))
    return [_array_of(index), index.name, freq.freqstr if is_times and freq is not None else None]


def _index(values: Any, name: Any, freq: str | None) -> Any:
    index: Any = pd.Index(values, name=name, dtype=getattr(values, "dtype", None), copy=False)
    if freq is not None:
        index.freq = freq
    return index


def _levels(names: list[Any], levels: list[Any], codes: list[Any]) -> pd.MultiIndex:
    return pd.MultiIndex(levels=levels, codes=codes, names=names)


def _series_parts(series: pd.Series[Any]) -> list[Any]:
    return [_array_of(series), series.index, series.name, dict(series.attrs)]


def _series(values: Any, index: Any, name: Any, attrs: dict[Any, Any]) -> Any:
    series = pd.Series(values, index=index, name=name, dtype=values.dtype, copy=False)
    series.attrs.update(attrs)
    return series


def _frame_parts(frame: pd.DataFrame) -> list[Any]:
    columns = [_array_of(frame.iloc[:, position]) for position in range(frame.shape[1])]
    return [columns, frame.index, frame.columns, dict(frame.attrs)]


def _frame(columns: list[Any], index: Any, names: Any, attrs: dict[Any, Any]) -> pd.DataFrame:
    # by position first: names may be there twice
    series = {place: pd.Series(one, index=index, dtype=one.dtype) for place, one in enumerate(columns)}
    frame = pd.DataFrame(series, index=index, columns=range(len(columns)))
    frame.columns = names
    frame.attrs.update(attrs)
    return frame


_MASKED_INTEGERS = [f"{sign}Int{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64)]

PANDAS: list[tuple[tuple[type, ...], tuple[str, Parts, Whole]]] = [
    ((type(pd.NA),), ("NA", lambda _: [], lambda: pd.NA)),
    ((type(pd.NaT),), ("NaT", lambda _: [], lambda: pd.NaT)),
    ((pd.Timestamp,), ("Timestamp", _timestamp_parts, _timestamp)),
    ((pd.Timedelta,), ("Timedelta", lambda one: [int(one.asm8.astype(np.int64)), one.unit], _timedelta)),
    ((pd.Period,), ("Period", lambda one: [one.ordinal, one.freqstr], lambda n, freq: pd.Period(ordinal=n, freq=freq))),
    ((pd.Interval,), ("Interval", lambda one: [one.left, one.right, one.closed], pd.Interval)),
    (
        (pd.RangeIndex,),
        (
            "RangeIndex",
            lambda one: [one.start, one.stop, one.step, one.name],
            lambda start, stop, step, name: pd.RangeIndex(start, stop, step, name=name),
        ),
    ),
    (
        (pd.MultiIndex,),
        ("MultiIndex", lambda one: [list(one.names), list(one.levels), [np.asarray(c) for c in one.codes]], _levels),
    ),
    (
        (pd.Index, pd.CategoricalIndex, pd.DatetimeIndex, pd.TimedeltaIndex, pd.PeriodIndex, pd.IntervalIndex),
        ("Index", _index_parts, _index),
    ),
    ((pd.Series,), ("Series", _series_parts, _series)),
    ((pd.DataFrame,), ("DataFrame", _frame_parts, _frame)),
    (
        (pd.Categorical,),
        ("Categorical", lambda one: [np.asarray(one.codes), one.categories, one.ordered], _categorical),
    ),
    ((pd.arrays.DatetimeArray,), ("times", _times_parts, _times)),
    (
        (pd.arrays.TimedeltaArray,),
        ("spans", lambda one: [np.asarray(one)], lambda spans: pd.TimedeltaIndex(spans).array),
    ),
    ((pd.arrays.IntegerArray,), ("integers", _masked_parts, pd.arrays.IntegerArray)),
    ((pd.arrays.FloatingArray,), ("floats", _masked_parts, pd.arrays.FloatingArray)),
    ((pd.arrays.BooleanArray,), ("booleans", _masked_parts, pd.arrays.BooleanArray)),
    ((pd.arrays.PeriodArray,), ("periods", lambda one: [list(one), str(one.dtype)], _column)),
    ((pd.arrays.IntervalArray,), ("intervals", lambda one: [one.left, one.right, one.closed], _intervals)),
    ((pd.arrays.ArrowExtensionArray,), ("arrow", _arrow_parts, _arrow)),
    ((pd.arrays.NumpyExtensionArray,), ("numpy", lambda one: [one.to_numpy()], pd.arrays.NumpyExtensionArray)),
    ((pd.CategoricalDtype,), ("category", lambda one: [one.categories, one.ordered], pd.CategoricalDtype)),
    (
        (pd.StringDtype,),
        ("string dtype", lambda one: [one.storage, bool(one.na_value is pd.NA)], _string_dtype),
    ),
    ((pd.DatetimeTZDtype,), ("time dtype", lambda one: [one.unit, _zone(one.tz)], pd.DatetimeTZDtype)),
    (
        tuple(type(_column([], name).dtype) for name in [*_MASKED_INTEGERS, "Float32", "Float64", "boolean"]),
        ("pandas dtype", lambda one: [str(one)], pd.api.types.pandas_dtype),
    ),
]
"""What pandas has: types, and of each the tag, its parts and how they are put together."""

TEXTS: tuple[Parts, Whole] = (
    _texts_parts,
    lambda storage, has_na, texts: _column(texts, _string_dtype(storage, has_na)),
)
"""Columns of text, whatever stores them."""


def is_texts(value: object) -> bool:
    """Say whether a value is a column of text of pandas' own."""
    return isinstance(value, pd.api.extensions.ExtensionArray) and isinstance(value.dtype, pd.StringDtype)


# other libraries, known by their name alone until something of theirs is there


def _ipc(table: Any) -> bytes:
    pyarrow, buffer = require("pyarrow"), io.BytesIO()
    with pyarrow.ipc.new_stream(buffer, table.schema) as stream:
        stream.write_table(table)
    return buffer.getvalue()


def _from_ipc(stored: bytes) -> Any:
    return require("pyarrow").ipc.open_stream(stored).read_all()


def _polars_parts(frame: Any) -> list[Any]:
    buffer = io.BytesIO()
    frame.write_ipc(buffer)
    return [buffer.getvalue()]


def _polars(stored: bytes) -> Any:
    return require("polars").read_ipc(io.BytesIO(stored))


def _tree(points: Any, leafsize: int) -> Any:
    return require("scipy.spatial").KDTree(points, leafsize=leafsize)


def of_other_libraries() -> dict[str, tuple[Parts, Whole]]:
    """Return what other libraries have, by library and name."""
    return {
        "scipy.KDTree": (lambda tree: [np.asarray(tree.data), int(tree.leafsize)], _tree),
        "polars.DataFrame": (_polars_parts, _polars),
        "polars.Series": (lambda one: [one.to_frame()], lambda frame: frame.to_series()),
        "pyarrow.Table": (lambda table: [_ipc(table)], _from_ipc),
    }

"""UUIDs are text: one id is written one way, whichever library or engine keeps it as what."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from custseg._core.optional import require

_ARROW = "arrow.uuid"


def uuid_texts(values: Iterable[Any]) -> list[str | None]:
    """Write UUIDs, or the bytes of UUIDs, as text; what is missing is None."""
    return [
        str(uuid.UUID(bytes=value) if isinstance(value, bytes) else value) if is_known(value) else None
        for value in values
    ]


def is_known(value: Any) -> bool:
    """Say whether a value is a UUID or its bytes, and not one of the ways to say that it is missing."""
    return isinstance(value, (uuid.UUID, bytes))


def pandas_uuids(column: pd.Series[Any]) -> pd.Series[Any] | None:
    """Return a pandas column of UUIDs as text; None where it holds anything else, or nothing."""
    if _ARROW not in str(column.dtype):
        known = column[column.notna()]
        if not len(known) or not all(isinstance(value, uuid.UUID) for value in known):
            return None
    return pd.Series(uuid_texts(column.astype(object)), index=column.index, name=column.name, dtype="string")


def arrow_uuids(table: Any) -> Any:
    """Return a pyarrow table with its UUIDs as text."""
    for place, field in enumerate(table.schema):
        if getattr(field.type, "extension_name", "") == _ARROW:
            text = require("pyarrow").array(uuid_texts(table[field.name].to_pylist()), "string")
            table = table.set_column(place, field.name, text)
    return table


def frame_uuids(frame: nw.DataFrame[Any] | nw.LazyFrame[Any], columns: Iterable[str]) -> Any:
    """Return a frame with its UUIDs as text: objects of an eager polars frame, or a type of duckdb and ibis."""
    schema = frame.collect_schema()
    unknown = [name for name in columns if schema[name] in (nw.Unknown, nw.Object)]
    if isinstance(frame, nw.DataFrame):
        return frame.with_columns(*(text for name in unknown if (text := _objects(frame[name])) is not None))
    return frame.with_columns(nw.col(name).cast(nw.String) for name in unknown if _is_uuid(frame, name))


def _objects(column: nw.Series[Any]) -> nw.Series[Any] | None:
    values = column.to_list() if column.dtype == nw.Object else []
    if not any(map(is_known, values)) or not all(value is None or isinstance(value, uuid.UUID) for value in values):
        return None
    return nw.new_series(column.name, uuid_texts(values), nw.String(), backend=column.implementation)


def _is_uuid(frame: nw.LazyFrame[Any], name: str) -> bool:
    native: Any = frame.to_native()
    if frame.implementation.is_duckdb():
        return str(native.types[native.columns.index(name)]) == "UUID"
    return frame.implementation.is_ibis() and bool(native.schema()[name].is_uuid())


def without_uuids(ids: Any) -> Any:
    """Return an array of ids with its UUIDs as text."""
    if ids.dtype.kind != "O" or not any(isinstance(value, uuid.UUID) for value in ids):
        return ids
    texts = [str(value) if isinstance(value, uuid.UUID) else value for value in ids]
    return np.fromiter(texts, dtype=object, count=len(texts))

"""Tables of any kind, read in batches of rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import narwhals.stable.v2 as nw
import pandas as pd

from custseg._core.asking import asked, asking
from custseg._core.native import from_native
from custseg._core.optional import require
from custseg._core.paths import is_csv, is_path, open_path, parquet_files, reading_files, with_types
from custseg.exceptions import ColumnNotFoundError
from custseg.segmentation._scoring.scorer import Scorer

__all__ = ["read_batches"]

# Bytes of each column of a Parquet file.
READ_AT_ONCE = 65_536


def read_batches(X: Any, scorer: Scorer, batch_size: int) -> Iterator[nw.DataFrame[Any]]:
    """Read the columns that a scorer needs, at most ``batch_size`` rows at a time, in the order of the table.

    Parameters
    ----------
    X : path or DataFrame
        One row per customer.
    scorer : Scorer
        What names the columns.
    batch_size : int
        The most rows in a batch.

    Yields
    ------
    narwhals DataFrame
        Some of the rows, in memory.
    """
    for native in _native_batches(X, scorer, batch_size):
        yield nw.from_native(native, eager_only=True)


def _native_batches(X: Any, scorer: Scorer, batch_size: int) -> Iterable[Any]:
    if is_path(X):
        return _path_batches(X, scorer, batch_size)
    frame = from_native(X)
    engine = frame.implementation
    if engine.is_pandas() or engine.is_dask():
        # dask holds what it computes, so each partition is asked for by itself
        is_whole = engine.is_pandas()
        parts = [X] if is_whole else (X.get_partition(n).compute() for n in range(X.npartitions))
        return (batch for part in parts for batch in _pandas_batches(part, scorer, batch_size))
    native: Any = frame.select(scorer.columns(frame.collect_schema().names())).to_native()
    if engine.is_polars():
        return _polars_batches(native, batch_size)
    if engine.is_ibis():
        return _ibis_batches(native, batch_size)
    return _arrow_batches(native, batch_size) if engine.is_duckdb() else _slices(native, batch_size)


def _path_batches(path: Any, scorer: Scorer, batch_size: int) -> Iterator[Any]:
    with reading_files(path):
        yield from _read_path(path, scorer, batch_size)


def _read_path(path: Any, scorer: Scorer, batch_size: int) -> Iterator[Any]:
    relation = open_path(path, in_order=True, n_threads=1)
    available = list(relation.columns)
    columns = scorer.columns(available)
    parquet, arrow = require("pyarrow.parquet"), require("pyarrow")
    files = parquet_files(path)
    schemas = [parquet.read_schema(file) for file in files]
    for (file, in_folders), schema in zip(files.items(), schemas, strict=True):
        _refuse_lacking(columns, file, [*schema.names, *in_folders])
    has_own = schemas and not any(files.values())
    if has_own and all(schema.names == available and schema.equals(schemas[0]) for schema in schemas):
        for file in files:
            # not whole groups of rows at once: they can be larger than all else
            with parquet.ParquetFile(file, pre_buffer=False, buffer_size=READ_AT_ONCE) as opened:
                for batch in opened.iter_batches(batch_size, columns=columns):
                    for column in batch.columns:
                        if arrow.types.is_dictionary(column.type):
                            # a damaged file may name categories that there are not
                            column.validate(full=True)
                    yield arrow.Table.from_batches([batch])
        return
    selected: Any = from_native(relation).select(columns).to_native()
    if is_csv(path):
        selected = with_types(selected, path, keep=False)
    yield from _arrow_batches(selected, batch_size)


def _refuse_lacking(columns: Iterable[str], file: Path, available: Sequence[str]) -> None:
    """Refuse a file of a folder that lacks a column: all its customers would have a missing value there."""
    # duckdb takes names that differ in upper and lower case for one
    known = {name.casefold() for name in available}
    missing = [name for name in columns if name.casefold() not in known]
    if missing:
        with asking(f"{asked()}, file {str(file)!r}"):
            raise ColumnNotFoundError.in_table(missing, available)


def _arrow_batches(relation: Any, batch_size: int) -> Iterator[Any]:
    arrow = require("pyarrow")
    # the name of older versions of duckdb
    read = getattr(relation, "to_arrow_reader", None) or relation.fetch_arrow_reader
    for batch in read(batch_size):
        yield from _slices(arrow.Table.from_batches([batch]), batch_size)


def _ibis_batches(table: Any, batch_size: int) -> Iterator[Any]:
    backend = table.get_backend()
    if backend.name == "duckdb" and not hasattr(backend.con, "fetch_record_batch"):
        # what ibis 12 asks for and duckdb 2 no longer has
        duckdb = require("duckdb")
        try:
            relation = backend.con.sql(backend.compile(table))
        except duckdb.CatalogException:  # a table of ibis's own, which is in memory
            yield from _slices(table.to_pyarrow(), batch_size)
        else:
            yield from _arrow_batches(relation, batch_size)
        return
    arrow = require("pyarrow")
    for batch in table.to_pyarrow_batches(chunk_size=batch_size):
        yield from _slices(arrow.Table.from_batches([batch]), batch_size)


def _polars_batches(frame: Any, batch_size: int) -> Iterator[Any]:
    if not hasattr(frame, "collect"):
        yield from _slices(frame, batch_size)
    elif hasattr(frame, "collect_batches"):
        for batch in frame.collect_batches(chunk_size=batch_size, maintain_order=True):
            yield from _slices(batch, batch_size)
    else:  # before polars 1.34
        yield from _slices(frame.collect(), batch_size)


def _pandas_batches(table: pd.DataFrame, scorer: Scorer, batch_size: int) -> Iterator[pd.DataFrame]:
    has_ids = scorer.customer_id in table.columns
    available = [str(name) for name in table.columns]
    columns = scorer.columns(available if has_ids else [*available, scorer.customer_id])
    for start in range(0, len(table), batch_size):
        part = table.iloc[start : start + batch_size]
        if not all(isinstance(name, str) for name in part.columns):
            part = part.set_axis(available, axis="columns")
        if not has_ids:
            part = part.rename_axis(index=scorer.customer_id).reset_index()
        yield part[columns].reset_index(drop=True)


def _slices(table: Any, batch_size: int) -> Iterator[Any]:
    for start in range(0, len(table), batch_size):
        yield table if len(table) <= batch_size else table.slice(start, batch_size)

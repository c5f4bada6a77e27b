"""Counting the rows of everything that comes out of an engine into Python, however it comes."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import narwhals.stable.v2 as nw
import pytest

# How rows come into Python, by library and owner. What the listed methods are made of needs no place
# here: head and first of Spark take, list and values of dask compute. Rows that an engine hands to a
# process or thread of its own (Spark's workers, dask's partitions) stay in the engine.
WAYS = {
    "polars": {
        "LazyFrame": ("collect", "collect_batches"),
        # every frame that is not made of Python's own values comes through here, whichever way it was collected
        "DataFrame": ("_from_pydf",),
    },
    "duckdb": {
        "DuckDBPyRelation": (
            *("fetchall", "fetchone", "fetchmany", "fetchnumpy", "fetchdf", "df", "to_df", "pl", "torch", "tf"),
            *("to_arrow_table", "fetch_arrow_table", "to_arrow_reader", "fetch_arrow_reader", "fetch_record_batch"),
            *("arrow", "iter_rows", "to_dicts", "__arrow_c_stream__"),
        ),
        "DuckDBPyConnection": (
            *("fetchall", "fetchone", "fetchmany", "fetchnumpy", "fetchdf", "fetch_df", "fetch_df_chunk", "df", "pl"),
            *("to_arrow_table", "fetch_arrow_table", "to_arrow_reader", "fetch_record_batch", "arrow", "torch", "tf"),
        ),
    },
    "ibis.expr.types": {
        "Expr": ("execute", "to_pyarrow", "to_pyarrow_batches", "to_polars", "to_pandas_batches", "to_torch"),
        "Table": ("to_pyarrow", "to_pandas", "__arrow_c_stream__", "__dataframe__", "__array__"),
        "Column": ("to_pyarrow", "to_pandas", "to_list", "__array__"),
    },
    "dask.dataframe": {"DataFrame": ("compute",), "Series": ("compute",)},
    "pyspark.sql.classic.dataframe": {
        "DataFrame": ("collect", "toArrow", "toPandas", "_collect_as_arrow", "take", "tail", "toLocalIterator"),
    },
    "pyspark.core.rdd": {"RDD": ("collect", "take", "toLocalIterator")},
    "pandas": {"": ("read_parquet", "read_csv")},
    "pyarrow.parquet": {"": ("read_table",), "ParquetFile": ("read", "read_row_group", "iter_batches")},
    "pyarrow.csv": {"": ("read_csv", "open_csv")},
}


class Seen(list[tuple[str, int]]):
    """What came into Python: how, and how many rows; what comes in parts is added up on the way."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: dict[tuple[str, int], tuple[Any, int]] = {}

    def clear(self) -> None:
        super().clear()
        self._parts.clear()

    def keep(self, how: str, result: Any) -> Any:
        """Count a result, now or as it is read; returns what the caller gets."""
        pyarrow = importlib.import_module("pyarrow")
        if isinstance(result, pyarrow.RecordBatchReader):
            return pyarrow.RecordBatchReader.from_batches(result.schema, self._passing(how, result))
        if how.endswith("__arrow_c_stream__"):
            stream = pyarrow.RecordBatchReader._import_from_c_capsule(result)
            return self.keep(how.removesuffix("c_stream__") + "reader", stream).__arrow_c_stream__()
        if isinstance(result, Iterator):
            return self._passing(how, result)
        self.append((how, n_rows(result)))
        return result

    def keep_part(self, how: str, owner: Any, result: Any) -> Any:
        """Count a part together with those that came from the same owner before."""
        # the owner is kept too, so that no other one gets its id
        _, before = self._parts.get((how, id(owner)), (owner, 0))
        total = before + (0 if result is None else n_rows(result))
        self._parts[how, id(owner)] = (owner, total)
        self.append((how, total))
        return result

    def _passing(self, how: str, parts: Iterable[Any]) -> Iterator[Any]:
        total = 0
        for part in parts:
            # a tuple is one row
            total += 1 if isinstance(part, (tuple, str)) else n_rows(part)
            self.append((how, total))
            yield part


def n_rows(result: Any) -> int:
    """The rows of a frame, array, list of rows, or of several of them; a single value is one row."""
    if isinstance(result, Mapping):
        return max(map(n_rows, result.values()), default=0)
    if isinstance(result, (list, tuple)) and any(_is_frame(part) for part in result):
        return sum(map(n_rows, result))
    if hasattr(result, "num_rows") and not callable(result.num_rows):
        return int(result.num_rows)
    is_rows = hasattr(result, "__len__") and not isinstance(result, str) and getattr(result, "ndim", 1) > 0
    return len(result) if is_rows else 1


def _is_frame(part: Any) -> bool:
    return hasattr(part, "shape") or hasattr(part, "num_rows") or isinstance(part, list)


def watch(monkeypatch: pytest.MonkeyPatch) -> Seen:
    """Count the rows of all that narwhals collects or an engine hands out, from now on: returns a growing list."""
    seen = Seen()
    _count(monkeypatch, seen, nw.LazyFrame, "collect")
    for module, owners in WAYS.items():
        try:
            library = importlib.import_module(module)
        except ImportError:
            continue
        for name, methods in owners.items():
            owner = getattr(library, name) if name else library
            for method in methods:
                # a method that is inherited is counted where it stands
                if method in vars(owner):
                    _count(monkeypatch, seen, owner, method)
    _count_tasks(monkeypatch, seen)
    return seen


_IN_PARTS = ("fetchone", "fetchmany", "fetch_df_chunk", "read_row_group")


def _count(monkeypatch: pytest.MonkeyPatch, seen: Seen, owner: Any, method: str) -> None:
    original = getattr(owner, method)
    where = owner.__name__ if inspect.ismodule(owner) else f"{owner.__module__}.{owner.__name__}"
    how = f"{where}.{method}"

    def counting(*arguments: Any, **options: Any) -> Any:
        result = original(*arguments, **options)
        source = arguments[0] if arguments else None
        # a partition of dask is a pandas frame wherever dask has its workers
        if isinstance(source, nw.LazyFrame) and source.implementation.is_pandas():
            return result
        # nor does a batch leave polars that is composed in its query
        if _composing():
            return result
        if method == "fetchone":
            return seen.keep_part(how, source, None if result is None else [result])
        return seen.keep_part(how, source, result) if method in _IN_PARTS else seen.keep(how, result)

    is_of_class = isinstance(inspect.getattr_static(owner, method), (classmethod, staticmethod))
    # the original is bound already, however it is called
    monkeypatch.setattr(owner, method, staticmethod(counting) if is_of_class else counting)


def _composing() -> bool:
    frame = sys._getframe(2)
    while frame is not None and not frame.f_code.co_filename.endswith("custseg/_core/composed.py"):
        frame = frame.f_back
    return frame is not None


def _count_tasks(monkeypatch: pytest.MonkeyPatch, seen: Seen) -> None:
    """Count what dask's scheduler hands out: whatever is computed or persisted comes from there."""
    try:
        config, threaded = importlib.import_module("dask.config"), importlib.import_module("dask.threaded")
    except ImportError:
        return

    def get(tasks: Any, keys: Any, **options: Any) -> Any:
        found = threaded.get(tasks, keys, **options)
        seen.append(("dask.threaded.get", n_rows(found)))
        return found

    monkeypatch.setitem(config.config, "scheduler", get)


def check_rows(seen: Iterable[tuple[str, int]], n_customers: int) -> None:
    """Something came over, and never more rows at a time than there are customers."""
    found = list(seen)
    assert found, "nothing was collected"
    too_many = sorted({how: n_rows for how, n_rows in found if n_rows > n_customers}.items())
    assert not too_many, too_many

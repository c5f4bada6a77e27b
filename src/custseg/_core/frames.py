"""The one entry and exit for dataframes: any supported frame in, the same kind out.

Inside, every table is a narwhals frame, so each query is written once. pandas and pyarrow input runs
on polars where polars and pyarrow are installed: the same query then takes less time and memory.
polars, duckdb, ibis, dask and Spark run the query themselves, and duckdb runs it on files.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import numpy.typing as npt
import pandas as pd

from custseg._core.asking import asks
from custseg._core.base import OutputKind
from custseg._core.composed import composed
from custseg._core.exact import exact_below, inexact_ids, refuse_inexact_ids
from custseg._core.ids import DEFAULT_ID, check_there, refuse_default, refuse_levels, row_index, without_index
from custseg._core.native import from_native
from custseg._core.optional import polars_is_at_hand, require
from custseg._core.pandas_columns import numbers_of_categories, of_dask, typed_pandas
from custseg._core.paths import half_floats, is_csv, is_path, open_path, reading_files, with_types
from custseg._core.surrogates import refuse_odd_names
from custseg._core.unheld import collecting, held_by_polars
from custseg._core.uuids import arrow_uuids, frame_uuids
from custseg.exceptions import (
    ColumnNotFoundError,
    CustomerIdError,
    DuplicateColumnError,
    InvalidTableError,
)


@dataclass(frozen=True)
class Table:
    """A raw table on its way through an estimator.

    Attributes
    ----------
    frame : narwhals LazyFrame
        The columns asked for, nothing else.
    kind : {"pandas", "polars", "pyarrow"}
        The kind of frame that goes out again.
    columns : tuple of str
        All column names of the table, in its order.
    in_memory : bool
        Whether the rows are in memory already, so that computing them costs no second reading.
    in_files : bool
        Whether duckdb reads them from files, by a connection that nobody else has.
    """

    frame: nw.LazyFrame[Any]
    kind: OutputKind
    columns: tuple[str, ...]
    in_memory: bool = True
    in_files: bool = False


def is_frame(table: Any) -> bool:
    """Say whether ``table`` is a dataframe that narwhals knows, lazy or not."""
    return isinstance(from_native(_checked_names(table), pass_through=True), (nw.DataFrame, nw.LazyFrame))


def is_table(table: Any) -> bool:
    """Say whether ``table`` is a dataframe, or a path to one."""
    return is_path(table) or is_frame(table)


def output_kind(X: Any) -> OutputKind:
    """Return the kind of table that goes out where ``X`` came in, unless ``set_output`` asks for another.

    polars, eager or lazy, gives polars; pyarrow and duckdb give pyarrow; pandas and all that is not in
    memory and has no frame of its own for results (dask, ibis, Spark, a path) give pandas.
    """
    if is_path(X):
        return "pandas"
    engine = from_native(X).implementation
    if engine.is_polars():
        return "polars"
    return "pyarrow" if engine.is_pyarrow() or engine.is_duckdb() else "pandas"


def open_table(
    table: Any,
    *,
    columns: Sequence[str] | None = None,
    customer_id: str | None = None,
    in_order: bool = False,
    or_rows: bool = False,
) -> Table:
    """Open a raw table and keep the named columns (all where ``columns`` is None).

    A text or path-like object is the path of a Parquet or CSV file or folder, which duckdb reads: its
    rows come in any order unless ``in_order`` is true.

    The column ``customer_id`` comes out as whole numbers or text, missing where it was NaN: whole
    numbers that pandas turned into floats because some were missing become whole numbers again, so
    that the id 12345.0 of one table meets the id 12345 of another. A pandas or dask index that bears
    one of the names counts as a column. pandas columns of dtype object become numbers, text or
    timestamps by their content; a mixture is an error. ``or_rows`` says that a row may be a customer of its
    own, which the error for a missing ``customer_id`` then offers.
    """
    if isinstance(table, pd.DataFrame):
        return _open_pandas(table, columns, customer_id, or_rows=or_rows)
    source = open_path(table, in_order=in_order) if is_path(table) else table
    frame = from_native(_checked_names(source), pass_through=True)
    if not isinstance(frame, (nw.DataFrame, nw.LazyFrame)):
        raise InvalidTableError.unsupported(table)
    engine = frame.implementation
    if engine.is_pyarrow():
        return _open_arrow(table, columns, customer_id, or_rows=or_rows)
    if engine.is_dask():
        frame = with_index(frame.lazy(), columns)
    names = tuple(frame.collect_schema().names())
    _check_id(table, customer_id, names, or_rows)
    present = _present(columns, names)
    if engine.is_dask():
        frame = lazy_frame(of_dask(frame.to_native(), present))
    lazy = frame_uuids(frame.select(present), present).lazy()
    if is_path(table) and is_csv(table):
        lazy = lazy_frame(with_types(lazy.to_native(), table))
    if customer_id is not None:
        # duckdb makes floats of 32 bits of those of 16
        is_half = (
            is_path(table) and lazy.collect_schema()[customer_id] == nw.Float32 and customer_id in half_floats(table)
        )
        lazy = _with_normal_ids(lazy, customer_id, "Float16" if is_half else None)
    return Table(lazy, output_kind(table), names, in_memory=isinstance(frame, nw.DataFrame), in_files=is_path(table))


def open_rows(
    table: Any, *, columns: Sequence[str] | None = None
) -> tuple[nw.DataFrame[Any], OutputKind, pd.Index[Any] | None]:
    """Read a table each of whose rows is a customer, in its order.

    Returns
    -------
    rows : narwhals DataFrame
        The places of the rows, from 0, under the name that ids have by default; then the columns.
    kind : {"pandas", "polars", "pyarrow"}
        The kind of frame that goes out again.
    index : pandas Index or None
        What the rows of a pandas table are called.
    """
    index = row_index(table)
    opened = open_table(without_index(table), columns=columns, in_order=True)
    rows = collect(opened.frame)
    refuse_default(rows.columns)
    return rows.with_row_index(DEFAULT_ID).with_columns(nw.col(DEFAULT_ID).cast(nw.Int64)), opened.kind, index


def with_index(frame: nw.LazyFrame[Any], columns: Sequence[str] | None) -> nw.LazyFrame[Any]:
    """Make a named dask index a column, as with pandas."""
    native: Any = frame.to_native()
    name = native.index.name
    if name is None or name in native.columns or not (columns is None or name in columns):
        return frame
    return lazy_frame(native.reset_index())


def _open_arrow(table: Any, columns: Sequence[str] | None, customer_id: str | None, *, or_rows: bool) -> Table:
    names = tuple(table.column_names)
    _check_id(table, customer_id, names, or_rows)
    kept = held_by_polars(arrow_uuids(table.select(_present(columns, names))))
    zones = [getattr(field.type, "tz", None) for field in kept.schema]
    if not polars_is_at_hand() or any(zone is not None and zone[0] in "+-" for zone in zones):
        opened = _open_pandas(kept.to_pandas(integer_object_nulls=True), None, customer_id, or_rows=or_rows)
        return Table(opened.frame, "pyarrow", names)
    lazy = nw.from_native(kept, eager_only=True).lazy("polars")
    # the order of categories, which polars would forget
    orders = {
        field.name: nw.Enum(kept[field.name].combine_chunks().dictionary.to_pylist())
        for field in kept.schema
        if getattr(field.type, "ordered", False)
    }
    lazy = lazy.with_columns(nw.col(name).cast(nw.String).cast(dtype) for name, dtype in orders.items())
    if customer_id is not None:
        lazy = _with_normal_ids(lazy, customer_id)
    return Table(lazy, "pyarrow", names)


def _open_pandas(
    table: pd.DataFrame, columns: Sequence[str] | None, customer_id: str | None, *, or_rows: bool
) -> Table:
    if not all(isinstance(name, str) for name in table.columns):
        table = table.set_axis([str(name) for name in table.columns], axis="columns")
    _checked_names(table)
    refuse_odd_names(table.columns)
    index = table.index.name
    is_column = index is not None and index not in table.columns and (columns is None or index in columns)
    names = (index, *table.columns) if is_column else tuple(table.columns)
    refuse_levels(table, [name for name in (customer_id, *(columns or ())) if name in table.index.names])
    _check_id(table, customer_id, names, or_rows)
    wanted = _present(columns, names)
    kept = table[[name for name in wanted if name in table.columns]]
    if is_column:
        # not by reset_index, which is slow where there are many columns
        kept = pd.concat([table.index.to_frame(), kept], axis="columns")[wanted]
    typed = {}
    for name, column in kept.items():
        usable = numbers_of_categories(typed_pandas(column, customer_id=name == customer_id))
        if name == customer_id and pd.api.types.is_float_dtype(usable.dtype):
            usable = _whole_numbers(usable)
        if usable is not column:
            typed[str(name)] = usable
    frame = nw.from_native(kept.assign(**typed) if typed else kept, eager_only=True)
    on_polars = polars_is_at_hand() and not _has_fixed_offsets(frame.to_native())
    lazy = frame.lazy("polars") if on_polars else frame.lazy()
    if customer_id is not None:
        lazy = _with_normal_ids(lazy, customer_id)
    return Table(lazy, "pandas", names)


def _has_fixed_offsets(table: pd.DataFrame) -> bool:
    """Say whether a column of timestamps has an offset for its zone, such as UTC+02:00, which polars cannot hold."""
    zones = [dtype.tz for dtype in table.dtypes if isinstance(dtype, pd.DatetimeTZDtype)]
    return any(zone.utcoffset(None) is not None and str(zone) != "UTC" for zone in zones)


def _whole_numbers(ids: pd.Series[Any]) -> pd.Series[Any]:
    dtype: Any = ids.dtype
    given = ids.to_numpy(dtype=getattr(dtype, "numpy_dtype", dtype), na_value=np.nan)
    numbers = given.astype(np.float64)
    known = np.isfinite(numbers)
    if (numbers[known] % 1 != 0).any():
        raise CustomerIdError.not_an_id(ids.name, "fractions")
    refuse_inexact_ids(ids.name, given)
    whole = pd.array(np.where(known, numbers, 0.0).astype(np.int64), dtype="Int64")
    whole[~known] = pd.NA
    return pd.Series(whole, index=ids.index, name=ids.name)


def _with_normal_ids(frame: nw.LazyFrame[Any], customer_id: str, was: str | None = None) -> nw.LazyFrame[Any]:
    """Make ids whole numbers or text; ``was`` is their type in the file, where the engine has made another of it."""
    dtype = frame.collect_schema()[customer_id]
    column = nw.col(customer_id)
    is_long = isinstance(dtype, (nw.Int128, nw.UInt128, nw.Decimal))
    if dtype.is_integer() and not is_long:
        return frame
    if isinstance(dtype, (nw.String, nw.Categorical, nw.Enum)):
        text = column if isinstance(dtype, nw.String) else column.cast(nw.String)
        # An empty text is how a file without an id is often read.
        return composed(frame.with_columns(nw.when(text != "").then(text).alias(customer_id)), [customer_id])
    if not dtype.is_numeric():
        raise CustomerIdError.not_an_id(customer_id, dtype)
    number = column if dtype.is_float() else column.cast(nw.Float64)
    limit = 2**63 if is_long else exact_below(was or dtype)
    _refuse_odd_ids(frame, customer_id, number, limit, is_long=is_long)
    frame = frame.with_columns(nw.when(number.is_finite()).then(column if is_long else number).alias(customer_id))
    if frame.implementation.is_dask():
        # plain integers of pandas cannot be missing
        native: Any = frame.to_native()
        return lazy_frame(native.astype({customer_id: "Int64"}))
    return frame.with_columns(column.cast(nw.Int64))


def _refuse_odd_ids(frame: nw.LazyFrame[Any], customer_id: str, number: nw.Expr, limit: int, *, is_long: bool) -> None:
    """Refuse fractions, and numbers so large that the type of the column (or 64 bits) cannot hold each of them."""
    column = nw.col(customer_id)
    is_large = number.abs() >= limit
    held = nw.when(~is_large).then(column)
    is_fraction = held != (held.cast(nw.Int64) if is_long else held.round(0))
    wrong = {"large": is_large, "fraction": is_fraction}
    counted = frame.select(
        (number.is_finite() & odd).fill_null(value=False).cast(nw.Int64).sum().alias(name)
        for name, odd in wrong.items()
    )
    found = collect(counted)
    n_large, n_fractions = (found[name].item() for name in wrong)
    if not pd.isna(n_large) and n_large:
        raise (
            CustomerIdError.not_an_id(customer_id, "numbers beyond 2**63")
            if is_long
            else inexact_ids(customer_id, limit)
        )
    if not pd.isna(n_fractions) and n_fractions:
        raise CustomerIdError.not_an_id(customer_id, "fractions")


def _checked_names(table: Any) -> Any:
    """Refuse repeated names: narwhals would do so in its own words, or take one of the columns."""
    if not _may_repeat(table):
        return table
    # pyarrow has its data where others have the names
    names = list(table.column_names if hasattr(table, "column_names") else table.columns)
    if len(set(names)) < len(names):
        raise DuplicateColumnError.in_table(pd.Index(names)[pd.Index(names).duplicated()].unique())
    return table


def _may_repeat(table: Any) -> bool:
    return isinstance(table, pd.DataFrame) or type(table).__module__.partition(".")[0] in (
        "pyarrow",
        "duckdb",
        "_duckdb",
        "pyspark",
    )


def _check_id(table: Any, customer_id: str | None, names: Sequence[Any], or_rows: bool) -> None:
    if or_rows:
        check_there(table, customer_id, names)
    else:
        _present([] if customer_id is None else [customer_id], names)


def _present(columns: Sequence[str] | None, available: Sequence[Any]) -> list[Any]:
    if columns is None:
        return list(available)
    wanted = list(dict.fromkeys(columns))
    missing = [name for name in wanted if name not in available]
    if missing:
        raise ColumnNotFoundError.in_table(missing, available)
    return wanted


def lazy_frame(native: Any) -> nw.LazyFrame[Any]:
    """Take the frame of an engine back into a query."""
    frame: nw.LazyFrame[Any] = from_native(native)
    return frame


def collect(query: nw.LazyFrame[Any]) -> nw.DataFrame[Any]:
    """Run a query; the result is a polars frame, or a pandas one where the query runs on pandas or polars is absent.

    Whole numbers of 128 bits, as which duckdb sums those of 64, come out with 64 bits.
    """
    if query.implementation.is_pandas() or query.implementation.is_polars():
        return query.collect()
    with reading_files(query=query.to_native()):
        return collecting(query, _collected)


def _collected(query: nw.LazyFrame[Any]) -> nw.DataFrame[Any]:
    schema = query.collect_schema()
    # arrow would make decimals or floats of them
    long = [name for name, dtype in schema.items() if dtype == nw.Int128]
    if long:
        query = query.with_columns(nw.col(name).cast(nw.Int64) for name in long)
    return query.collect("polars" if polars_is_at_hand() else "pandas")


@asks
def keep_rows(X: Any, rows: npt.NDArray[np.bool_]) -> Any:
    """Keep some rows of customers, in the kind of frame that they come in; of a path, in pandas."""
    if isinstance(X, (pd.DataFrame, np.ndarray)):
        return X[rows]
    if not is_table(X):
        return np.asarray(X)[rows]
    if is_path(X):
        return collect(open_table(X, in_order=True).frame).to_pandas()[rows]
    frame = from_native(X)
    eager = frame.collect() if isinstance(frame, nw.LazyFrame) else frame
    return eager.filter(rows.tolist()).to_native()


def by_partition(frame: nw.LazyFrame[Any], step: Callable[[nw.LazyFrame[Any]], nw.LazyFrame[Any]]) -> nw.LazyFrame[Any]:
    """Take a step that looks at one row at a time.

    On dask it is taken partition by partition, on pandas: as a single node of dask's graph, which dask
    would otherwise spend more time on planning than the rows take.
    """
    if not frame.implementation.is_dask():
        return step(frame)
    native: Any = frame.to_native()

    def on_pandas(part: pd.DataFrame) -> Any:
        return step(nw.from_native(part, eager_only=True).lazy()).collect().to_native()

    # dtypes are those of rows that are there: without any, narwhals and pandas may settle for others
    utils = require("dask.dataframe.utils", "a dask dataframe")
    example = utils.meta_nonempty(utils.make_meta(native))
    return lazy_frame(native.map_partitions(on_pandas, meta=on_pandas(example).iloc[:0]))


def to_kind(frame: nw.DataFrame[Any], kind: OutputKind, customer_id: str | None) -> Any:
    """Hand a frame out in the kind asked for; in pandas the customer id becomes the index."""
    if kind == "pandas":
        table = frame.to_pandas()
        # bools with missing values come back as objects
        bools = [name for name, dtype in frame.schema.items() if dtype == nw.Boolean and table[name].dtype == object]
        table = table.astype(dict.fromkeys(bools, "boolean"))
        if customer_id is None:
            return table
        if table[customer_id].dtype == "Int64":
            table[customer_id] = table[customer_id].astype("int64")
        return table.set_index(customer_id)
    if kind == "polars":
        require("polars", 'set_output(transform="polars")')
        return frame.to_polars()
    return frame.to_arrow()

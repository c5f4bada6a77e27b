"""What no frame of ours can hold: made text where its text says it all, else named by its column.

An engine fails over such values in words of its own, polars by a panic that ``except Exception`` does not catch.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import narwhals.stable.v2 as nw
import pandas as pd

from custseg._core.levels import level_text
from custseg._core.optional import require
from custseg._core.surrogates import refuse_odd_levels
from custseg.exceptions import ColumnTypeError

_USABLE = "of a type that its rows can be read as (numbers, bools, text, categories or times)"
_CAST = "Convert the column first: numbers to 64 bits, groups to text; or drop it."
# What engines raise over values, by their modules.
_OVER_VALUES = (
    ("polars.exceptions", "ComputeError"),
    ("duckdb", "ConversionException"),
    ("pyarrow", "ArrowNotImplementedError"),
)
_ODD_CATEGORIES = ("interval", "period", "timedelta64", "timedelta")


def text_categories(column: pd.Series[Any]) -> pd.Series[Any]:
    """Write intervals, periods and durations that are categories as text; other categories stay.

    Their order stays too. Categories of which two would be the same text are refused by name.
    """
    dtype: Any = column.dtype
    categories = dtype.categories
    refuse_odd_levels(column)
    if categories.inferred_type not in _ODD_CATEGORIES:
        return column
    texts = [level_text(level) for level in categories]
    if len(set(texts)) < len(texts):
        got = f"{categories.inferred_type} categories of which two are written alike"
        raise ColumnTypeError.expected(column.name, "categories that differ as text", got, "Rename the categories.")
    plain = pd.Categorical.from_codes(
        column.cat.codes.to_numpy(), categories=pd.Index(texts), ordered=bool(dtype.ordered)
    )
    return pd.Series(plain, index=column.index, name=column.name)


def refuse_pandas_type(column: pd.Series[Any]) -> None:
    """Refuse pandas columns of intervals, of periods, and of those arrow types that nothing else holds."""
    dtype: Any = column.dtype
    if isinstance(dtype, (pd.IntervalDtype, pd.PeriodDtype)):
        time = ".dt.to_timestamp() makes times of them, " if isinstance(dtype, pd.PeriodDtype) else ""
        remedy = f"Say what they are: {time}.astype(str) levels."
        raise ColumnTypeError.expected(column.name, "numbers, bools, text, categories or times", dtype, remedy)
    if isinstance(dtype, pd.ArrowDtype):
        _refuse_arrow_type(column.name, dtype.pyarrow_dtype)


def held_by_polars(table: Any) -> Any:
    """Return a pyarrow table as polars can take it: repeated values written out, categories of pandas as text.

    Types that polars does not know are refused by the name of their column.
    """
    arrow = require("pyarrow")
    for place, field in enumerate(table.schema):
        column = None
        if arrow.types.is_run_end_encoded(field.type):
            column = require("pyarrow.compute").run_end_decode(table[field.name])
        elif arrow.types.is_dictionary(field.type) and _is_of_pandas(field.type.value_type):
            column = _texts_of_pandas(table[field.name], ordered=field.type.ordered)
        if column is not None:
            table = table.set_column(place, field.name, column)
        _refuse_arrow_type(field.name, table.schema.field(place).type)
    return table


def _texts_of_pandas(column: Any, *, ordered: bool) -> Any:
    """Write categories that are intervals or periods of pandas as text, in their order where all chunks share it."""
    arrow = require("pyarrow")
    texts = [[None if level is None else level_text(level) for level in _levels(chunk)] for chunk in column.chunks]
    ordered = ordered and all(each == texts[0] for each in texts)
    chunks = [
        arrow.DictionaryArray.from_arrays(chunk.indices, arrow.array(each, arrow.string()), ordered=ordered)
        for chunk, each in zip(column.chunks, texts, strict=True)
    ]
    return arrow.chunked_array(chunks, arrow.dictionary(column.type.index_type, arrow.string(), ordered))


def _levels(chunk: Any) -> list[Any]:
    """Return the categories of a chunk as pandas has them: of intervals, pyarrow itself has no values."""
    levels = chunk.dictionary
    dtype = levels.type.to_pandas_dtype()
    return list(dtype.__from_arrow__(levels))


def _is_of_pandas(dtype: Any) -> bool:
    return getattr(dtype, "extension_name", "") in ("pandas.interval", "pandas.period")


def _refuse_arrow_type(name: object, dtype: Any) -> None:
    if not all(map(_is_known, _parts(dtype))):
        raise ColumnTypeError.expected(name, _USABLE, dtype, _CAST)


def _parts(dtype: Any) -> Iterator[Any]:
    """Return an arrow type and those it is made of."""
    yield dtype
    if hasattr(dtype, "storage_type"):
        return
    if hasattr(dtype, "index_type"):
        yield from _parts(dtype.value_type)
    for place in range(dtype.num_fields):
        yield from _parts(dtype.field(place).type)


def _is_known(dtype: Any) -> bool:
    types = require("pyarrow").types
    unknown = (
        types.is_decimal256,
        types.is_interval,
        types.is_union,
        types.is_list_view,
        types.is_large_list_view,
        types.is_run_end_encoded,
    )
    return not hasattr(dtype, "storage_type") and not any(is_unknown(dtype) for is_unknown in unknown)


def collecting(query: nw.LazyFrame[Any], run: Callable[[nw.LazyFrame[Any]], nw.DataFrame[Any]]) -> nw.DataFrame[Any]:
    """Run a query, and name the column whose values cannot be brought into memory if it fails over them."""
    try:
        return run(query)
    except BaseException as error:
        if not _is_over_values(error):
            raise
        name = _failing(query, run)
        if name is None:
            raise
        got = f"{query.collect_schema()[name]}, with values that are none of these"
        raise ColumnTypeError.expected(name, _USABLE, got, _CAST) from error


def _is_over_values(error: BaseException) -> bool:
    """Say whether an error, or a panic, is one over values and not over a file, memory, or an interrupt."""
    if isinstance(error, UnicodeEncodeError) or type(error).__name__ == "PanicException":
        return True
    kinds = tuple(getattr(sys.modules[module], name) for module, name in _OVER_VALUES if module in sys.modules)
    return isinstance(error, kinds)


def _failing(query: nw.LazyFrame[Any], run: Callable[[nw.LazyFrame[Any]], nw.DataFrame[Any]]) -> str | None:
    """Return the first column that fails by itself; None where every one does, as in a file that is damaged."""
    names = query.collect_schema().names()
    failing = [name for name in names if _fails(query.select(name), run)]
    return failing[0] if failing and (len(failing) < len(names) or len(names) == 1) else None


def _fails(query: nw.LazyFrame[Any], run: Callable[[nw.LazyFrame[Any]], nw.DataFrame[Any]]) -> bool:
    try:
        run(query)
    except BaseException as error:
        if not _is_over_values(error):
            raise
        return True
    return False

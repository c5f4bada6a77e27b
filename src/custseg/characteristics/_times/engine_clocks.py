"""Times in the words of the engines that narwhals cannot put them in, or only at many times the cost."""

from __future__ import annotations

from typing import Any

import narwhals.stable.v2 as nw

from custseg._core.frames import lazy_frame
from custseg._core.optional import require
from custseg._core.paths import quoted

# what strip_chars of other engines takes off
_SPACE = " \t\n\r\v\f"
_SECOND = 1_000_000


def duckdb_times(frame: nw.LazyFrame[Any], column: str) -> nw.LazyFrame[Any]:
    """Add ``__clock_wall``, ``__clock_moment`` and ``__clock_months`` for a column of timestamps or dates of duckdb.

    Counting from the epoch takes a sixth of the time of putting a date together from its parts.
    """
    relation: Any = frame.to_native()
    name = quoted(column)
    local = f"CAST({name} AS TIMESTAMP)"
    return _with(
        relation,
        __clock_wall=f"CASE WHEN isfinite({local}) THEN epoch_us({local}) END",
        __clock_moment=f"CASE WHEN isfinite({local}) THEN epoch_us({name}) END",
        __clock_months=f"CASE WHEN isfinite({local}) THEN year({local}) * 12 + month({local}) - 1 END",
    )


def duckdb_texts(frame: nw.LazyFrame[Any], column: str, iso: str, offset: str) -> nw.LazyFrame[Any]:
    """Add ``__clock_wall`` and ``_months``, ``_offset`` and ``_readable`` for a column of ISO 8601 text of duckdb.

    duckdb reads what the pattern ``iso`` lets through; the steps that suit every other engine take it
    a hundred times as long to plan, since it writes each step out in the next.
    """
    relation: Any = frame.to_native()
    relation = relation.project(f"*, trim(CAST({quoted(column)} AS VARCHAR), '{_SPACE}') AS __text").project(
        # digits beyond the sixth would be rounded
        rf"*, regexp_replace(regexp_replace(__text, '{offset}$', ''), '([.][0-9]{{6}})[0-9]+$', '\1') AS __plain"
    )
    stamp = f"CASE WHEN regexp_matches(__text, '{iso}') THEN TRY_CAST(__plain AS TIMESTAMP) END"
    relation = relation.project(f"*, {stamp} AS __stamp")
    signed = f"regexp_replace(regexp_extract(__text, '{offset}$'), ':', '')"
    return _with(
        relation,
        __clock_readable="coalesce(year(__stamp) >= 1, false)",
        __clock_wall="epoch_us(__stamp)",
        __clock_months="year(__stamp) * 12 + month(__stamp) - 1",
        __clock_offset=f"CASE WHEN __text LIKE '%Z' THEN '+0000' ELSE {signed} END",
    )


def spark_texts(frame: nw.LazyFrame[Any], column: str, iso: str, offset: str) -> nw.LazyFrame[Any]:
    """Add ``__stamp``, without a zone, and ``__clock_offset`` for a column of ISO 8601 text of Spark.

    As with duckdb, the steps that suit every other engine would take long to plan.
    """
    functions = require("pyspark.sql.functions", "a Spark frame")
    text = functions.regexp_replace(functions.col(f"`{column}`").cast("string"), r"^\s+|\s+$", "")
    plain = functions.regexp_replace(text, f"{offset}$", "")
    signed = functions.regexp_replace(functions.regexp_extract(text, f"({offset})$", 1), ":", "")
    native: Any = frame.to_native()
    native = native.withColumn(
        "__stamp", functions.when(functions.regexp_like(text, functions.lit(iso)), plain).try_cast("timestamp_ntz")
    ).withColumn("__clock_offset", functions.when(signed == "Z", "+0000").otherwise(signed))
    return lazy_frame(native)


def _with(relation: Any, **columns: str) -> nw.LazyFrame[Any]:
    added = ", ".join(f"{expression} AS {name}" for name, expression in columns.items())
    return lazy_frame(relation.project(f"*, {added}"))


def with_moment(frame: nw.LazyFrame[Any], column: str, name: str) -> nw.LazyFrame[Any]:
    """Add the microseconds since 1970-01-01 in universal time of a column of ibis or Spark that has a zone."""
    native: Any = frame.to_native()
    if frame.implementation.is_ibis():
        stamp = native[column]
        return lazy_frame(native.mutate(**{name: stamp.epoch_seconds() * _SECOND + stamp.microsecond()}))
    functions = require("pyspark.sql.functions", "a Spark frame")
    return lazy_frame(native.withColumn(name, functions.unix_micros(functions.col(f"`{column}`"))))

"""Every kind of table that an estimator reads, made from one pandas table, and its output made comparable again.

A Spark session is slow to start, and pytest-xdist would start one in every worker: all tests that need
it stand in one test, tests/common/test_spark.py.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import uuid
import warnings
from functools import cache
from pathlib import Path
from shutil import which

import narwhals.stable.v2 as nw
import pandas as pd
import pytest


def plain(table):
    """The table with what every engine has: text instead of categories, columns instead of an index."""
    table = table.reset_index() if table.index.name is not None else table.reset_index(drop=True)
    categories = table.select_dtypes("category").columns
    return table.astype(dict.fromkeys(categories, "str"))


def _arrow(table):
    return pytest.importorskip("pyarrow").Table.from_pandas(table, preserve_index=False)


def _polars(table):
    return pytest.importorskip("polars").from_arrow(_arrow(table))


def from_duckdb(table, zone="UTC"):
    duckdb = pytest.importorskip("duckdb")
    # a table of its own, so that nothing depends on the life of an arrow buffer
    connection = duckdb.connect(":memory:")
    connection.register("source", _arrow(table))
    connection.execute(f"SET TimeZone = '{zone}'")
    connection.execute("CREATE TABLE copy AS FROM source")
    return connection.table("copy")


def _ibis(table):
    ibis = pytest.importorskip("ibis")
    connection = pytest.importorskip("duckdb").connect(":memory:")
    connection.register("source", _arrow(table))
    connection.execute("CREATE TABLE copy AS FROM source")
    return ibis.duckdb.from_connection(connection).table("copy")


def _dask(table):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return pytest.importorskip("dask.dataframe").from_pandas(table, npartitions=2)


_COMPILED = {"spark.sql.codegen.wholeStage": "true", "spark.sql.codegen.factoryMode": "FALLBACK"}


@cache
def spark_session():
    """The one session of this process: two threads, as little else as possible."""
    sql = pytest.importorskip("pyspark.sql")
    if which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip("Java is not here, which Spark runs on")
    # the workers of Spark would take whatever is called python3
    os.environ["PYSPARK_PYTHON"] = sys.executable
    options = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.default.parallelism": "2",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.timestampType": "TIMESTAMP_NTZ",
        # a short life: what starts fast matters more than what runs fast in the end
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        # small tables take longer to compile for than to read
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.sql.warehouse.dir": tempfile.mkdtemp(prefix="custseg-spark-"),
    }
    builder = sql.SparkSession.builder.master("local[2]").appName("custseg")
    for name, value in options.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    return session


@contextlib.contextmanager
def compiling(session):
    """Let Spark compile its queries, which pays from some hundred thousand rows on."""
    before = {name: session.conf.get(name) for name in _COMPILED}
    for name, value in _COMPILED.items():
        session.conf.set(name, value)
    yield
    for name, value in before.items():
        session.conf.set(name, value)


def _spark(table):
    # from files, in two partitions: a table handed over through Python is handed over again for each query
    return spark_session().read.parquet(_folder(table))


def _file(ending):
    return Path(tempfile.mkdtemp(prefix="custseg-table-")) / f"table-{uuid.uuid4().hex}{ending}"


def _parquet(table):
    pytest.importorskip("duckdb")
    file = _file(".parquet")
    table.to_parquet(file, index=False)
    return file


def _folder(table):
    file = _parquet(table.iloc[: len(table) // 2])
    table.iloc[len(table) // 2 :].to_parquet(file.with_name("second.parquet"), index=False)
    return str(file.parent)


def _csv(table):
    pytest.importorskip("duckdb")
    file = _file(".csv")
    table.to_csv(file, index=False)
    return str(file)


ENGINES = {
    "pandas": lambda table: table,
    "polars": _polars,
    "polars lazy": lambda table: _polars(table).lazy(),
    "pyarrow": _arrow,
    "duckdb": from_duckdb,
    "ibis": _ibis,
    "dask": _dask,
    "spark": _spark,
    "parquet": _parquet,
    "parquet folder": _folder,
    "csv": _csv,
}

# what has its rows somewhere else until one row per customer is collected
LAZY = ("polars lazy", "duckdb", "ibis", "dask", "spark", "parquet", "parquet folder", "csv")

# the library of what goes out again, where that is not pandas
OUTPUT = {"polars": "polars", "polars lazy": "polars", "pyarrow": "pyarrow", "duckdb": "pyarrow"}


def output_kind(engine):
    """The library of the frame that goes out for an engine's table."""
    return OUTPUT.get(engine, "pandas")


def comparable(output, customer_id="customer_id"):
    """Any output as a pandas frame: ids first, numbers as floats, bools and categories as objects."""
    if isinstance(output, pd.DataFrame):
        frame = output.reset_index() if output.index.name == customer_id else output
    else:
        frame = nw.from_native(output, eager_only=True).to_pandas()
    return pd.DataFrame({name: _values(column) for name, column in frame.items()})


def _values(column):
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(object)
    elif pd.api.types.is_bool_dtype(column.dtype) or column.dtype == "boolean":
        column = column.astype("boolean").astype(object)
    elif pd.api.types.is_numeric_dtype(column.dtype):
        return column.astype("float64")
    return pd.Series([None if pd.isna(value) else value for value in column], dtype=object, name=column.name)

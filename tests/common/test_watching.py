"""Rows that come into Python are counted, whichever way they come (for Spark see test_spark.py)."""

from __future__ import annotations

import warnings

import narwhals.stable.v2 as nw
import numpy as np
import pytest

from tests.common.engine_checks import FEW
from tests.engines import ENGINES, plain
from tests.watching import check_rows, watch

pytestmark = pytest.mark.sampled

LINES = plain(FEW)

WAYS = {
    "polars lazy": {
        "collect": lambda lines: lines.collect(),
        "collect of a selection": lambda lines: lines.select("amount").collect(),
        "collect_all": lambda lines: _library("polars").collect_all([lines, lines.head(1)]),
        "collect_batches": lambda lines: list(lines.collect_batches(chunk_size=10)),
        "map_batches": lambda lines: lines.map_batches(lambda frame: frame).head(1).collect(),
        "narwhals": lambda lines: nw.from_native(lines).collect(),
        "narwhals, to pandas": lambda lines: nw.from_native(lines).collect("pandas"),
    },
    "duckdb": {
        **{
            name: lambda lines, name=name: getattr(lines, name)()
            for name in ("df", "to_df", "fetchdf", "pl", "fetchall", "fetchnumpy", "to_arrow_table", "to_dicts")
        },
        **{
            name: lambda lines, name=name: getattr(lines, name)().read_all()
            for name in ("arrow", "to_arrow_reader", "fetch_arrow_reader", "fetch_record_batch")
        },
        "an arrow stream": lambda lines: _library("pyarrow").table(lines),
        "to polars by arrow": lambda lines: _library("polars").DataFrame(lines),
        "to polars lazily": lambda lines: lines.pl(lazy=True).collect(),
        "row by row": lambda lines: list(lines.iter_rows()),
        "a part at a time": lambda lines: _parts(lines.query("rows", "FROM rows").to_arrow_reader(10)),
        "narwhals": lambda lines: nw.from_native(lines).collect(),
        "narwhals, to pandas": lambda lines: nw.from_native(lines).collect("pandas"),
    },
    "ibis": {
        **{
            name: lambda lines, name=name: getattr(lines, name)()
            for name in ("execute", "to_pandas", "to_polars", "to_pyarrow")
        },
        "a column": lambda lines: lines["amount"].to_pandas(),
        "a list": lambda lines: lines["amount"].to_list(),
        "numpy": lambda lines: np.asarray(lines["amount"]),
        "an arrow stream": lambda lines: _library("pyarrow").table(lines),
        "its connection": lambda lines: lines.get_backend().con.execute("FROM copy").fetchall(),
        "its connection, row by row": lambda lines: _by_fetchone(lines.get_backend().con.execute("FROM copy")),
        "its connection, by tens": lambda lines: _by_fetchmany(lines.get_backend().con.execute("FROM copy")),
        "narwhals": lambda lines: nw.from_native(lines).collect(),
    },
    "dask": {
        "compute": lambda lines: lines.compute(),
        "a column": lambda lines: lines["amount"].compute(),
        "dask.compute": lambda lines: _library("dask").compute(lines),
        "persist": lambda lines: lines.persist(),
        "an array": lambda lines: lines["amount"].values.compute(),
        "delayed parts": lambda lines: _library("dask").compute(lines.to_delayed()),
        "narwhals": lambda lines: nw.from_native(lines).collect(),
    },
    "parquet": {
        "pandas": lambda path: _library("pandas").read_parquet(path),
        "polars": lambda path: _library("polars").read_parquet(path),
        "polars lazily": lambda path: _library("polars").scan_parquet(path).collect(),
        "pyarrow": lambda path: _library("pyarrow.parquet").read_table(path),
        "pyarrow by batches": lambda path: list(
            _library("pyarrow.parquet").ParquetFile(path).iter_batches(batch_size=10)
        ),
        "pyarrow by row groups": lambda path: _by_row_group(_library("pyarrow.parquet").ParquetFile(path)),
    },
    "csv": {
        "pandas": lambda path: _library("pandas").read_csv(path),
        "polars": lambda path: _library("polars").read_csv(path),
    },
}


def _library(name):
    return pytest.importorskip(name)


def _parts(reader):
    for _ in reader:
        pass


def _by_fetchone(cursor):
    while cursor.fetchone() is not None:
        pass


def _by_fetchmany(cursor):
    while cursor.fetchmany(10):
        pass


def _by_row_group(file):
    for group in range(file.num_row_groups):
        file.read_row_group(group)


@pytest.mark.parametrize(("engine", "way"), [(engine, way) for engine, ways in WAYS.items() for way in ways])
def test_all_rows_are_counted_whichever_way_they_come(engine, way, monkeypatch):
    native = ENGINES[engine](LINES)
    seen = watch(monkeypatch)
    with warnings.catch_warnings():
        # some ways are on their way out, and Python still takes them
        warnings.simplefilter("ignore")
        WAYS[engine][way](native)
    with pytest.raises(AssertionError, match=str(len(LINES))):
        check_rows(seen, len(LINES) - 1)
    check_rows(seen, len(LINES))


def test_what_stays_in_the_engine_is_not_counted(monkeypatch):
    lines, lazy = ENGINES["duckdb"](LINES), ENGINES["polars lazy"](LINES)
    seen = watch(monkeypatch)
    lines.filter("amount > 0").to_table("more")
    lazy.group_by("customer_id").len()
    with pytest.raises(AssertionError, match="nothing was collected"):
        check_rows(seen, len(LINES))
    assert lines.aggregate("count(*)").fetchall() == [(len(LINES),)]
    assert seen == [("duckdb._relation.DuckDBPyRelation.fetchall", 1)]

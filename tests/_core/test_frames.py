"""The one entry and exit for dataframes."""

from __future__ import annotations

import datetime as dt
import decimal
import warnings

import duckdb
import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from custseg._core import frames
from custseg._core.frames import by_partition, collect, is_frame, open_table, to_kind
from custseg.exceptions import (
    ColumnNotFoundError,
    ColumnTypeError,
    CustomerIdError,
    DuplicateColumnError,
    InvalidTableError,
)
from tests.engines import ENGINES
from tests.sizes import size


@pytest.fixture(params=["through polars", "pandas alone"])
def route(request, monkeypatch):
    """Run a test with pandas input on polars, and with pandas alone."""
    if request.param == "pandas alone":
        monkeypatch.setattr(frames, "polars_is_at_hand", lambda: False)
    return request.param


def rows(table, **options):
    return open_table(table, **options).frame.collect().rows(named=True)


def test_only_the_columns_asked_for_are_opened(route):
    table = open_table(pd.DataFrame({"a": [1], "b": [2], "c": [3]}), columns=["c", "a", "c"])
    assert table.frame.collect_schema().names() == ["c", "a"]
    assert table.columns == ("a", "b", "c")
    assert table.kind == "pandas"


@pytest.mark.parametrize("table", [pl.DataFrame({"a": [1]}), pl.LazyFrame({"a": [1]})])
def test_polars_goes_in_eager_or_lazy(table):
    opened = open_table(table)
    assert opened.kind == "polars"
    assert opened.frame.collect().rows() == [(1,)]


def test_a_pandas_index_that_bears_a_name_counts_as_a_column(route):
    table = pd.DataFrame({"amount": [1.0]}, index=pd.Index([7], name="customer_id"))
    assert rows(table, columns=["customer_id", "amount"], customer_id="customer_id") == [
        {"customer_id": 7, "amount": 1.0}
    ]


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
def test_whole_float_ids_become_whole_numbers(route, make):
    got = rows(make({"id": [12345.0, float("nan"), 7.0]}), customer_id="id")
    assert [None if pd.isna(row["id"]) else row["id"] for row in got] == [12345, None, 7]
    assert isinstance(got[0]["id"], int)


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
@pytest.mark.parametrize("ids", [[1.5, 2.0], [True, False], [dt.datetime(2024, 1, 1)] * 2])  # noqa: DTZ001
def test_what_is_neither_whole_nor_text_is_no_id(route, make, ids):
    with pytest.raises(CustomerIdError, match="'id'.*cannot identify customers"):
        open_table(make({"id": ids}), customer_id="id")


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
def test_floats_that_are_not_exact_are_no_ids(route, make):
    with pytest.raises(CustomerIdError, match=r"2\*\*53"):
        open_table(make({"id": [2.0**53, 1.0]}), customer_id="id")


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
def test_an_empty_text_is_a_missing_id(route, make):
    got = [row["id"] for row in rows(make({"id": ["", "a"]}), customer_id="id")]
    assert [None if pd.isna(value) else value for value in got] == [None, "a"]


def test_floats_of_pyarrow_become_whole_numbers(route):
    table = pd.DataFrame({"id": pd.array([3.0, None], dtype="double[pyarrow]")})
    assert rows(table, customer_id="id")[0] == {"id": 3}


def test_large_whole_numbers_in_object_columns(route):
    assert rows(pd.DataFrame({"id": pd.Series([2**64 - 1], dtype=object)}), customer_id="id") == [{"id": 2**64 - 1}]
    with pytest.raises(ColumnTypeError, match="at most 64 bits"):
        open_table(pd.DataFrame({"id": pd.Series([2**64], dtype=object)}), customer_id="id")


def test_unusual_dtypes(route):
    assert rows(pd.DataFrame({"x": pd.arrays.SparseArray([0.0, 1.0])})) == [{"x": 0.0}, {"x": 1.0}]
    assert rows(pd.DataFrame({"x": np.array([1.5], dtype=np.longdouble)})) == [{"x": 1.5}]
    with pytest.raises(ColumnTypeError, match="real numbers"):
        open_table(pd.DataFrame({"x": [1j]}))
    with pytest.raises(ColumnTypeError, match="a mixture of int, str"):
        open_table(pd.DataFrame({"x": pd.Categorical([1, "a"])}))


def test_mixed_ids_are_refused_with_the_remedy(route):
    table = pd.DataFrame({"id": pd.Series([1, "1"], dtype=object)})
    with pytest.raises(CustomerIdError, match=r"'id' are of mixed type \(int, str\).*astype\(str\)"):
        open_table(table, customer_id="id")


def test_categorical_ids_become_text(route):
    assert rows(pd.DataFrame({"id": pd.Categorical(["b", "a"])}), customer_id="id") == [{"id": "b"}, {"id": "a"}]


@pytest.mark.parametrize(
    ("values", "got"),
    [
        (["a", None], ["a", None]),
        ([True, None], [True, None]),
        ([1, None], [1, None]),
        ([1, 2.5], [1.0, 2.5]),
        ([None, None], [None, None]),
        ([1.5, pd.NA, pd.NaT, decimal.Decimal("NaN"), np.datetime64("NaT")], [1.5, None, None, None, None]),
        ([2, pd.NaT], [2, None]),
        (["a", pd.NA, pd.NaT], ["a", None, None]),
        ([decimal.Decimal("1.5"), pd.NA], [1.5, None]),
        ([dt.date(2024, 1, 2)], [dt.datetime(2024, 1, 2)]),  # noqa: DTZ001
    ],
)
def test_object_columns_take_the_type_of_their_content(route, values, got):
    opened = rows(pd.DataFrame({"x": pd.Series(values, dtype=object)}))
    assert [None if pd.isna(row["x"]) else row["x"] for row in opened] == got


def test_a_mixture_in_one_column_is_refused(route):
    with pytest.raises(ColumnTypeError, match="'x' must be of one type, got a mixture of int, str"):
        open_table(pd.DataFrame({"x": pd.Series([1, "a"], dtype=object)}))


def test_mixed_time_zones_are_refused(route):
    stamps = [pd.Timestamp("2024-01-01", tz="Europe/Berlin"), pd.Timestamp("2024-01-01")]
    with pytest.raises(ColumnTypeError, match="one time zone"):
        open_table(pd.DataFrame({"t": pd.Series(stamps, dtype=object)}))


def test_unknown_columns_are_named_with_the_closest_one():
    with pytest.raises(
        ColumnNotFoundError, match="column 'amout' not found; the table has 'amount', 'id'. Did you mean 'amount'?"
    ):
        open_table(pl.DataFrame({"amount": [1], "id": [1]}), columns=["amout"])


def test_repeated_column_names_are_refused():
    with pytest.raises(DuplicateColumnError, match="got 'a' more than once"):
        open_table(pd.DataFrame([[1, 2]], columns=["a", "a"]))


def test_what_is_no_dataframe_is_refused():
    with pytest.raises(InvalidTableError, match="expects a dataframe .* got list"):
        open_table([1, 2])
    assert not is_frame([1, 2])
    assert not is_frame(np.zeros((2, 2)))
    assert is_frame(pd.DataFrame({"a": [1]}))
    assert is_frame(pl.LazyFrame({"a": [1]}))


def test_what_goes_out_is_the_kind_asked_for(route):
    frame = open_table(pd.DataFrame({"id": [2, 1], "x": [1.0, 2.0]}), customer_id="id").frame.collect()
    expected = pd.DataFrame({"x": [1.0, 2.0]}, index=pd.Index([2, 1], name="id"))
    pd.testing.assert_frame_equal(to_kind(frame, "pandas", "id"), expected)
    assert to_kind(frame, "polars", "id").equals(pl.DataFrame({"id": [2, 1], "x": [1.0, 2.0]}))
    assert to_kind(frame, "pyarrow", "id").column_names == ["id", "x"]
    assert list(to_kind(frame, "pandas", None).columns) == ["id", "x"]


def test_nullable_ids_come_out_as_plain_integers(route):
    table = pd.DataFrame({"id": pd.array([2, 1], dtype="Int64"), "x": [1.0, 2.0]})
    frame = open_table(table, customer_id="id").frame.collect()
    assert to_kind(frame, "pandas", "id").index.dtype == np.int64


def test_pyarrow_comes_out_as_pyarrow_with_its_ordered_categories(monkeypatch):
    size = pa.DictionaryArray.from_arrays(pa.array([1, 0]), pa.array(["small", "large"]), ordered=True)
    stamp = pa.array([dt.datetime(2024, 1, 1)] * 2, pa.timestamp("us", "+02:00"))  # noqa: DTZ001
    table = pa.table({"id": pa.array([2**60 + 1, None]), "size": size, "time": stamp})
    opened = open_table(table, columns=["id", "size"], customer_id="id")
    assert opened.kind == "pyarrow"
    assert opened.frame.collect_schema()["size"] == nw.Enum(["small", "large"])
    for without in (False, True):
        if without:
            monkeypatch.setattr(frames, "polars_is_at_hand", lambda: False)
        # polars has no zone such as +02:00, so these run on pandas
        found = open_table(table, columns=["id", "time"], customer_id="id")
        assert found.kind == "pyarrow"
        assert found.frame.collect()["id"].to_list()[0] == 2**60 + 1


@pytest.mark.thorough
@pytest.mark.parametrize("engine", size(["polars", "duckdb"], ["polars", "duckdb", "ibis", "dask"]))
def test_ids_are_normalised_in_the_engine(engine):
    def got(ids):
        native = ENGINES[engine](pd.DataFrame({"id": ids, "x": 1.0}))
        return collect(open_table(native, customer_id="id").frame)["id"].to_list()

    assert [None if pd.isna(value) else value for value in got([12345.0, np.nan, 7.0])] == [12345, None, 7]
    assert [None if pd.isna(value) else value for value in got(["", "a", None])] == [None, "a", None]
    for odd in ([1.5, 2.0], [2.0**53, 1.0], [1e300, 1.0]):
        with pytest.raises(CustomerIdError, match=r"'id'.*(fractions|exact below)"):
            got(odd)
    with pytest.raises(CustomerIdError, match="'id'.*cannot identify"):
        got([True, False])


@pytest.mark.parametrize("dtype", ["HUGEINT", "DECIMAL(18, 0)", "UBIGINT"])
def test_whole_numbers_of_a_database_are_ids(dtype):
    relation = duckdb.connect().sql(f"SELECT CAST(7 AS {dtype}) AS id")
    assert collect(open_table(relation, customer_id="id").frame)["id"].to_list() == [7]


def test_sums_of_duckdb_keep_every_digit():
    relation = duckdb.connect().sql("SELECT unnest([4611686018427387000, 7]) AS x")
    found = collect(open_table(relation).frame.select(nw.col("x").sum()))
    assert found.rows() == [(4611686018427387007,)]
    assert found.schema["x"] == nw.Int64


@pytest.mark.parametrize("columns", [None, ["c7", "customer_id"]])
def test_an_index_beside_very_many_columns_is_read_without_a_warning(columns):
    table = pd.DataFrame(index=pd.RangeIndex(1, 4, name="customer_id"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pd.errors.PerformanceWarning)
        for number in range(150):
            table[f"c{number}"] = 1.5
    opened = open_table(table, columns=columns, customer_id="customer_id")
    assert collect(opened.frame).columns == (columns or ["customer_id", *table.columns])
    assert opened.columns == ("customer_id", *table.columns)


def test_a_dask_index_that_bears_a_name_counts_as_a_column():
    table = pd.DataFrame({"amount": [1.0]}, index=pd.Index([7], name="customer_id"))
    opened = open_table(ENGINES["dask"](table), columns=["customer_id", "amount"])
    assert collect(opened.frame).rows() == [(7, 1.0)]
    assert opened.columns == ("customer_id", "amount")


def test_a_step_by_partition_keeps_dtypes():
    table = pd.DataFrame({"x": [1, 2, 3], "name": ["a", None, "c"]})
    expected = [(1, "a", 2.5), (2, None, 3.5), (3, "c", 4.5)]
    for engine in ("polars lazy", "dask"):
        frame = nw.from_native(ENGINES[engine](table)).lazy()
        step = by_partition(frame, lambda part: part.with_columns((nw.col("x") + 1.5).alias("y")))
        assert step.collect_schema()["y"] == nw.Float64
        assert collect(step).rows() == expected


@pytest.mark.parametrize(
    "table",
    [
        pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]),
        duckdb.connect().sql("SELECT 1 AS a, 2 AS a"),
    ],
    ids=["pyarrow", "duckdb"],
)
def test_repeated_names_of_other_frames_are_refused(table):
    with pytest.raises(DuplicateColumnError, match="'a' more than once"):
        open_table(table)

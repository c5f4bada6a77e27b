"""The one entry and exit for dataframes."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pytest

from custseg._core import frames
from custseg._core.frames import is_frame, open_table, to_kind
from custseg.exceptions import (
    ColumnNotFoundError,
    ColumnTypeError,
    CustomerIdError,
    DuplicateColumnError,
    InvalidTableError,
)


@pytest.fixture(params=["through polars", "pandas alone"])
def route(request, monkeypatch):
    """Run a test with pandas input on polars, and with pandas alone."""
    if request.param == "pandas alone":
        monkeypatch.setattr(frames, "is_installed", lambda name: False)
    return request.param


def rows(table, **options):
    return open_table(table, who="Test", **options).frame.collect().rows(named=True)


def test_only_the_columns_asked_for_are_opened(route):
    table = open_table(pd.DataFrame({"a": [1], "b": [2], "c": [3]}), who="Test", columns=["c", "a", "c"])
    assert table.frame.collect_schema().names() == ["c", "a"]
    assert table.columns == ("a", "b", "c")
    assert table.kind == "pandas"


@pytest.mark.parametrize("table", [pl.DataFrame({"a": [1]}), pl.LazyFrame({"a": [1]})])
def test_polars_goes_in_eager_or_lazy(table):
    opened = open_table(table, who="Test")
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
        open_table(make({"id": ids}), who="Test", customer_id="id")


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
def test_floats_that_are_not_exact_are_no_ids(route, make):
    with pytest.raises(CustomerIdError, match=r"2\*\*53"):
        open_table(make({"id": [2.0**53, 1.0]}), who="Test", customer_id="id")


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
        open_table(pd.DataFrame({"id": pd.Series([2**64], dtype=object)}), who="Test", customer_id="id")


def test_unusual_dtypes(route):
    assert rows(pd.DataFrame({"x": pd.arrays.SparseArray([0.0, 1.0])})) == [{"x": 0.0}, {"x": 1.0}]
    assert rows(pd.DataFrame({"x": np.array([1.5], dtype=np.longdouble)})) == [{"x": 1.5}]
    with pytest.raises(ColumnTypeError, match="real numbers"):
        open_table(pd.DataFrame({"x": [1j]}), who="Test")
    with pytest.raises(ColumnTypeError, match="a mixture of int, str"):
        open_table(pd.DataFrame({"x": pd.Categorical([1, "a"])}), who="Test")


def test_mixed_ids_are_refused_with_the_remedy(route):
    table = pd.DataFrame({"id": pd.Series([1, "1"], dtype=object)})
    with pytest.raises(CustomerIdError, match=r"'id' are of mixed type \(int, str\).*astype\(str\)"):
        open_table(table, who="Test", customer_id="id")


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
        ([dt.date(2024, 1, 2)], [dt.datetime(2024, 1, 2)]),  # noqa: DTZ001
    ],
)
def test_object_columns_take_the_type_of_their_content(route, values, got):
    opened = rows(pd.DataFrame({"x": pd.Series(values, dtype=object)}))
    assert [None if pd.isna(row["x"]) else row["x"] for row in opened] == got


def test_a_mixture_in_one_column_is_refused(route):
    with pytest.raises(ColumnTypeError, match="'x' must be of one type, got a mixture of int, str"):
        open_table(pd.DataFrame({"x": pd.Series([1, "a"], dtype=object)}), who="Test")


def test_mixed_time_zones_are_refused(route):
    stamps = [pd.Timestamp("2024-01-01", tz="Europe/Berlin"), pd.Timestamp("2024-01-01")]
    with pytest.raises(ColumnTypeError, match="one time zone"):
        open_table(pd.DataFrame({"t": pd.Series(stamps, dtype=object)}), who="Test")


def test_unknown_columns_are_named_with_the_closest_one():
    with pytest.raises(
        ColumnNotFoundError, match="column 'amout' not found; the table has 'amount', 'id'. Did you mean 'amount'?"
    ):
        open_table(pl.DataFrame({"amount": [1], "id": [1]}), who="Test", columns=["amout"])


def test_repeated_column_names_are_refused():
    with pytest.raises(DuplicateColumnError, match="got 'a' more than once"):
        open_table(pd.DataFrame([[1, 2]], columns=["a", "a"]), who="Test")


def test_what_is_no_dataframe_is_refused():
    with pytest.raises(InvalidTableError, match="expects a dataframe .* got list"):
        open_table([1, 2], who="Test")
    assert not is_frame([1, 2])
    assert not is_frame(np.zeros((2, 2)))
    assert is_frame(pd.DataFrame({"a": [1]}))
    assert is_frame(pl.LazyFrame({"a": [1]}))


def test_what_goes_out_is_the_kind_asked_for(route):
    frame = open_table(pd.DataFrame({"id": [2, 1], "x": [1.0, 2.0]}), who="Test", customer_id="id").frame.collect()
    expected = pd.DataFrame({"x": [1.0, 2.0]}, index=pd.Index([2, 1], name="id"))
    pd.testing.assert_frame_equal(to_kind(frame, "pandas", "id"), expected)
    assert to_kind(frame, "polars", "id").equals(pl.DataFrame({"id": [2, 1], "x": [1.0, 2.0]}))
    assert to_kind(frame, "pyarrow", "id").column_names == ["id", "x"]
    assert list(to_kind(frame, "pandas", None).columns) == ["id", "x"]


def test_nullable_ids_come_out_as_plain_integers(route):
    table = pd.DataFrame({"id": pd.array([2, 1], dtype="Int64"), "x": [1.0, 2.0]})
    frame = open_table(table, who="Test", customer_id="id").frame.collect()
    assert to_kind(frame, "pandas", "id").index.dtype == np.int64

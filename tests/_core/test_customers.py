"""Customer tables: dtypes say the kind, and columns are compared with those of fit."""

from __future__ import annotations

import datetime as dt
import decimal

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from custseg._core.base import Estimator
from custseg._core.customer_frames import write_customers
from custseg._core.customers import Column, CustomerTableMixin, looks_like_id, read_customers
from custseg.exceptions import (
    ColumnChangeError,
    ColumnTypeError,
    DuplicateColumnError,
    InvalidParameterError,
    InvalidTableError,
)

ORDER = ["low", "middle", "high"]


def pandas_table():
    return pd.DataFrame(
        {
            "income": [1.5, np.nan, 3.0],
            "visits": pd.array([1, None, 3], dtype="Int64"),
            "member": pd.array([True, None, False], dtype="boolean"),
            "band": pd.Categorical(["high", None, "low"], categories=ORDER, ordered=True),
            "region": ["north", None, "east"],
            "shape": pd.Categorical(["b", None, "a"]),
        },
        index=pd.Index([11, 12, 13], name="customer_id"),
    )


def polars_table():
    return pl.DataFrame(
        {
            "customer_id": [11, 12, 13],
            "income": [1.5, None, 3.0],
            "visits": [1, None, 3],
            "member": [True, None, False],
            "band": pl.Series(["high", None, "low"], dtype=pl.Enum(ORDER)),
            "region": ["north", None, "east"],
            "shape": pl.Series(["b", None, "a"], dtype=pl.Categorical),
        }
    )


@pytest.mark.parametrize("make", [pandas_table, polars_table, lambda: polars_table().lazy()])
def test_every_frame_gives_the_same_typed_columns(make):
    table = read_customers(make(), customer_id="customer_id")
    assert table.n_customers == 3
    assert list(table.ids) == [11, 12, 13]
    assert {column.name: column.kind for column in table.columns} == {
        "income": "numeric",
        "visits": "numeric",
        "member": "binary",
        "band": "ordinal",
        "region": "nominal",
        "shape": "nominal",
    }
    np.testing.assert_array_equal(table["visits"].values, [1.0, np.nan, 3.0])
    np.testing.assert_array_equal(table["member"].values, [1.0, np.nan, 0.0])
    assert table["band"].categories == ("low", "middle", "high")
    np.testing.assert_array_equal(table["band"].values, [2, -1, 0])
    assert table["region"].categories == ("east", "north")
    np.testing.assert_array_equal(table["region"].values, [1, -1, 0])
    for column in table.columns:
        np.testing.assert_array_equal(column.missing, [False, True, False])


def test_rows_and_columns_can_be_taken():
    table = read_customers(pandas_table())
    some = table.take(np.array([2, 0])).select(["region", "income"])
    assert some.names == ["region", "income"]
    assert list(some.ids) == [13, 11]
    np.testing.assert_array_equal(some["income"].values, [3.0, 1.5])
    assert table.take(np.array([True, False, True])).n_customers == 2
    with pytest.raises(KeyError):
        table["unknown"]


def test_decimals_are_numbers_and_declared_kinds_win():
    frame = pd.DataFrame({"price": [decimal.Decimal("1.5"), None], "store": [30, 4], "code": ["1", "2"]})
    table = read_customers(frame, kinds={"store": "nominal"})
    np.testing.assert_array_equal(table["price"].values, [1.5, np.nan])
    assert table["store"].kind == "nominal"
    assert table["store"].categories == ("4", "30")
    np.testing.assert_array_equal(table["store"].values, [1, 0])


@pytest.mark.parametrize(
    ("frame", "kinds"),
    [
        (pd.DataFrame({"x": ["a"]}), {"x": "numeric"}),
        (pd.DataFrame({"x": [2.0]}), {"x": "binary"}),
        (pd.DataFrame({"x": pd.Categorical(["a"])}), {"x": "numeric"}),
        (pd.DataFrame({"x": [dt.datetime(2024, 1, 1)]}), {}),  # noqa: DTZ001
    ],
)
def test_what_cannot_be_read_as_its_kind_is_refused(frame, kinds):
    with pytest.raises(ColumnTypeError, match="column 'x' must be"):
        read_customers(frame, kinds=kinds)


def test_levels_keep_their_names():
    for values in ([10, 9, 2], [10, None, 2]):
        column = read_customers(pd.DataFrame({"x": pd.Categorical(values)}))["x"]
        assert [column.categories[code] for code in column.values if code >= 0] == [str(v) for v in values if v]
    large = pd.DataFrame({"x": [1234567.0, 1234568.0, 0.1]})
    column = read_customers(large, kinds={"x": "nominal"})["x"]
    assert column.categories == ("0.1", "1234567", "1234568")
    with pytest.raises(ColumnTypeError, match="a mixture of int, str"):
        read_customers(pd.DataFrame({"x": pd.Categorical([1, "1"], categories=[1, "1"])}))


def test_text_has_no_order_of_its_own():
    with pytest.raises(ColumnTypeError, match="in a stated order"):
        read_customers(pd.DataFrame({"x": ["low", "high"]}), kinds={"x": "ordinal"})


@pytest.mark.parametrize(
    ("kinds", "message"),
    [({"incme": "numeric"}, "Did you mean 'income'"), ({"income": "numerical"}, "Did you mean 'numeric'")],
)
def test_kinds_must_exist(kinds, message):
    with pytest.raises(InvalidParameterError, match=message):
        read_customers(pd.DataFrame({"income": [1.0]}), kinds=kinds)


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
def test_a_column_without_any_type_is_a_missing_number(make):
    column = read_customers(make({"x": [None, None], "y": [1, 2]}))["x"]
    assert column.kind == "numeric"
    assert column.missing.all()


def test_an_all_missing_column_is_known_to_be_missing():
    table = read_customers(pd.DataFrame({"x": [None, None], "y": pd.Series([None, None], dtype="str")}))
    assert table["x"].missing.all()
    assert table["y"].missing.all()
    assert table["y"].categories == ()


def test_infinite_values_are_refused_with_their_number():
    with pytest.raises(ColumnTypeError, match=r"'x' holds infinite values in 2 row\(s\)"):
        read_customers(pd.DataFrame({"x": [np.inf, -np.inf, 1.0]}))


def test_tables_without_rows_columns_or_unique_names_are_refused():
    with pytest.raises(InvalidTableError, match="0 sample"):
        read_customers(pd.DataFrame({"x": []}))
    with pytest.raises(InvalidTableError, match="no column besides the ids"):
        read_customers(pl.DataFrame({"customer_id": [1]}), customer_id="customer_id")
    with pytest.raises(DuplicateColumnError):
        read_customers(pd.DataFrame([[1, 2]], columns=["a", "a"]))
    with pytest.raises(InvalidTableError, match="no such file"):
        read_customers("table.csv")
    with pytest.raises(InvalidTableError, match="got list"):
        read_customers([1, 2])


@pytest.mark.parametrize("dtype", ["int64", "Int64", "int64[pyarrow]", "polars", "arrow"])
def test_whole_numbers_beyond_2_to_53_are_read(dtype):
    values = [1, 2, 2**53 + 1]
    makers = {"polars": lambda: pl.DataFrame({"n": values}), "arrow": lambda: pa.table({"n": values})}
    frame = makers.get(dtype, lambda: pd.DataFrame({"n": pd.array(values, dtype=dtype)}))()
    column = read_customers(frame)["n"]
    assert column.is_integer
    assert column.values.tolist() == [1.0, 2.0, 2.0**53]


def test_numbers_as_categories_are_named_as_whole_numbers_are():
    codes = pd.Series([1, 2, 2.5, np.nan], dtype="category")
    for frame in (codes.to_frame("code"), pa.table({"code": pa.Array.from_pandas(codes)})):
        assert read_customers(frame)["code"].categories == ("1", "2", "2.5")


def test_the_order_of_categories_survives_arrow_and_parquet(tmp_path):
    frame = pandas_table().assign(empty=pd.Categorical([None] * 3, categories=ORDER, ordered=True))
    frame.to_parquet(tmp_path / "pandas.parquet", row_group_size=1)
    polars_table().write_parquet(tmp_path / "polars.parquet")
    written = write_customers(
        nw.from_native(polars_table(), eager_only=True)["customer_id"],
        [read_customers(frame)["band"]],
        kind="pyarrow",
        customer_id="customer_id",
    )
    for table in (pa.Table.from_pandas(frame), written, *map(str, tmp_path.iterdir())):
        column = read_customers(table)["band"]
        assert column.kind == "ordinal"
        assert column.categories == tuple(ORDER)
        assert column.values.tolist() == [2, -1, 0]


def test_files_that_disagree_give_no_order(tmp_path):
    for name, order in {"a": ORDER, "b": ORDER[::-1]}.items():
        part = pd.DataFrame({"band": pd.Categorical(["high", None], categories=order, ordered=True)})
        part.to_parquet(tmp_path / f"{name}.parquet")
    assert read_customers(tmp_path)["band"].kind == "nominal"
    pd.DataFrame({"band": part["band"].iloc[:0]}).to_parquet(tmp_path / "a.parquet")
    assert read_customers(tmp_path)["band"].categories == tuple(ORDER[::-1])


class Reader(CustomerTableMixin, Estimator):
    """The smallest estimator that reads customers."""

    def fit(self, X, y=None):
        self.table_ = self._read(X, fitting=True)
        return self

    def read(self, X):
        return self._read(X, fitting=False)


def test_reordered_columns_are_put_in_order_others_refused():
    reader = Reader().fit(pandas_table())
    assert reader.read(pandas_table()[reversed(pandas_table().columns)]).names == list(pandas_table().columns)
    changed = pandas_table().drop(columns="income").assign(age=3)
    with pytest.raises(ColumnChangeError, match="unseen at fit time:\n- age\n.*now missing:\n- income"):
        reader.read(changed)


def test_a_matrix_is_read_by_position():
    reader = Reader().fit(np.array([[1.0, np.nan], [2.0, 3.0]]))
    assert reader.n_features_in_ == 2
    assert not hasattr(reader, "feature_names_in_")
    assert reader.read(np.array([[5.0, 6.0]])).names == ["x0", "x1"]
    with pytest.raises(ColumnChangeError):
        reader.read(pandas_table())


def test_columns_of_a_matrix_have_no_names_of_their_own_when_handed_on():
    table = Reader().fit(np.eye(3)).table_
    part = Reader().fit(table.take(np.array([0, 1])).select(["x0", "x2"]))
    assert not hasattr(part, "feature_names_in_")
    assert part.n_features_in_ == 2
    assert part.read(np.array([[5.0, 6.0]])).names == ["x0", "x2"]
    assert list(Reader().fit(read_customers(pandas_table())).feature_names_in_) == list(pandas_table())


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        (np.arange(10), "nominal", True),
        (np.arange(9), "nominal", False),
        (np.array([*range(10), -1]), "nominal", True),
        (np.array([*range(10), 0]), "nominal", False),
        (np.arange(10.0), "numeric", True),
        (np.array([*range(10), np.nan]), "numeric", True),
        (np.arange(10.0) + 0.5, "numeric", False),
        (np.arange(10), "ordinal", False),
    ],
)
def test_an_id_is_text_or_whole_numbers_that_differ_for_ten_customers_or_more(values, kind, expected):
    levels = () if kind == "numeric" else tuple("abcdefghij")
    assert looks_like_id(Column("x", kind, values, levels)) is expected

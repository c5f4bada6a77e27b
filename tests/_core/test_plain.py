"""Plain data: every value comes back as it was, and a file can make nothing that is not custseg's own."""

import copy
import datetime as dt
import decimal
import json
import pathlib
import pickle
import types
import uuid
import zoneinfo
from collections import OrderedDict

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import KDTree

from custseg import RFMFeaturizer
from custseg._core._html import Html
from custseg._core.plain import from_plain, is_plain, to_plain
from custseg.characteristics import RowReport
from custseg.exceptions import InvalidTableError
from tests.sizes import size

DAYS = pd.to_datetime(["2024-03-01", None, "2024-03-02"])
VALUES = {
    "numbers": [1, 2**70, -0.0, 1e-320, float("inf"), True, None],
    "text": ["", "é", "\ud800", "a\x1b[31m\nb", "\x00"],
    "keys": {1: "a", "1": "b", 1.5: "c", None: "d", (1, "x"): "e", False: "f"},
    "ordered": OrderedDict(b=1, a=2),
    "read-only": types.MappingProxyType({"a": [1]}),
    "sets": [{"a"}, frozenset({("a", 2)}), (), range(3, 9, 2), slice(None, 4)],
    "python": [b"\x00\xff", 1 + 2j, decimal.Decimal("1.10"), uuid.UUID(int=7), pathlib.Path("a/b.csv")],
    "days": [dt.date(2024, 2, 29), dt.time(3, 4, 5, 6), dt.timedelta(-1, 2, 3), dt.datetime(2024, 3, 1, fold=1)],  # noqa: DTZ001
    "zones": [
        dt.datetime(2024, 3, 1, tzinfo=dt.UTC),
        dt.datetime(2024, 3, 1, tzinfo=zoneinfo.ZoneInfo("Europe/Paris")),
        pd.Timestamp("2024-03-01 10:00", tz="America/New_York"),
        pd.Timestamp("2024-03-01 10:00+05:30"),
    ],
    "moments": [pd.Timestamp("2024-03-01").as_unit("s"), pd.Timestamp(5), pd.Timedelta("3h"), pd.NaT, pd.NA],
    "spans": [pd.Period("2024-03", freq="M"), pd.Interval(0, 1, closed="left")],
    "scalars": [np.float32(0.1), np.int8(-3), np.bool_(True), np.str_("a"), np.datetime64("2024-03-01", "D")],
    "classes": [str, RowReport, np.dtype("<f4"), np.dtype("M8[us]"), np.dtype([("a", "<i4")])],
    "arrays": [
        np.array([0.1, np.nan, -0.0]),
        np.asfortranarray(np.arange(6).reshape(2, 3)),
        np.zeros((0, 3)),
        np.array(["a", "bcd"]),
        np.array(["2024-03-01", "NaT"], dtype="M8[D]"),
        np.array([["a", None], [(1, 2), 3.5]], dtype=object),
    ],
    "columns": pd.DataFrame(
        {
            "i": [1, 2, 3],
            "f": np.array([0.1, np.nan, 3], dtype="f4"),
            "o": pd.Series(["a", None, 3], dtype=object),
            "s": ["a", None, "b"],
            "python": pd.array(["a", None, "b"], dtype="string[python]"),
            "arrow": pd.array(["a", None, "b"], dtype="string[pyarrow]"),
            "t": DAYS,
            "z": DAYS.tz_localize("Europe/Paris"),
            "d": DAYS - DAYS[0],
            "I": pd.array([1, None, 3], dtype="Int16"),
            "F": pd.array([1.5, None, 3], dtype="Float64"),
            "B": pd.array([True, None, False], dtype="boolean"),
            "p": pd.PeriodIndex(["2024-01", None, "2024-03"], freq="M"),
            "c": pd.Categorical(["x", None, "y"], categories=["y", "x", "w"], ordered=True),
            "cut": pd.cut([1, 5, 9], 3),
            "pa": pd.array([[1], None, []], dtype=pd.ArrowDtype(pa.list_(pa.int64()))),
        },
        index=pd.Index(["k", "l", "m"], name="customer_id"),
    ),
    "twice": pd.DataFrame(np.eye(2), columns=["a", "a"]),
    "none": pd.DataFrame(index=[3, 4]),
    "levels": pd.DataFrame({("a", 1): [1.0]}, index=pd.MultiIndex.from_tuples([("x", 2)], names=["p", "q"])),
    "indices": [
        pd.RangeIndex(1, 9, 2, name="n"),
        pd.Index([1.5, 2.5]),
        pd.date_range("2024-03-01", periods=3, freq="D"),
        pd.CategoricalIndex(["a", "b"]),
    ],
    "series": pd.Series([1, 2], index=["a", "b"], name=("x", 1)),
    "dtypes": [pd.StringDtype(), pd.CategoricalDtype(["b", "a"], ordered=True), pd.Int8Dtype()],
    "polars": pl.DataFrame({"a": ["x", None], "e": pl.Series(["p", "q"], dtype=pl.Enum(["q", "p"]))}),
    "pyarrow": pa.table({"a": pa.array(["x", None]).dictionary_encode(), "d": pa.array([None, 1.5])}),
    "own": [RowReport(n_rows=3, policies=()), Html("<b>")],
}


def there_and_back(value):
    """What comes back of a file that holds texts, numbers and arrays alone."""
    stored = to_plain(None, {"value": value})
    assert not stored["others"]
    assert all(not array.dtype.hasobject for array in stored["arrays"])
    assert is_plain(stored)
    return from_plain(None, {**stored, "text": json.loads(json.dumps(stored["text"]))})["value"]


@pytest.mark.parametrize("name", VALUES)
def test_a_value_comes_back_as_it_was(name):
    # a pickle tells types, dtypes, orders and bits apart; its memory of equal parts is left to the next tests
    value = VALUES[name]
    back = there_and_back(value)
    assert type(back) is type(value)
    if isinstance(value, pd.DataFrame):
        pd.testing.assert_frame_equal(back, value, check_column_type="exact", check_index_type="exact", check_freq=True)
        assert [type(back[one].array) for one in back if back.columns.is_unique] == [
            type(value[one].array) for one in value if value.columns.is_unique
        ]
    elif isinstance(value, pd.Series):
        pd.testing.assert_series_equal(back, value)
    elif isinstance(value, (pl.DataFrame, pa.Table)):
        assert back.equals(value)
    else:
        assert repr(back) == repr(value)
        for old, new in zip(value, back, strict=True) if isinstance(value, list) else ():
            assert type(new) is type(old)
            assert getattr(new, "dtype", None) == getattr(old, "dtype", None)
            assert getattr(new, "unit", None) == getattr(old, "unit", None)
            assert getattr(new, "freq", None) == getattr(old, "freq", None)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.tuples(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=12,
)


def test_sets_hold_what_they_held():
    assert there_and_back({"a", 1, None, (2, "b")}) == {"a", 1, None, (2, "b")}


@given(JSON)
@settings(max_examples=size(8, 100))
def test_whatever_is_nested_comes_back(value):
    assert repr(there_and_back(value)) == repr(value)


def test_what_is_one_object_stays_one_and_may_hold_itself():
    shared = [1.5]
    holds_itself = {"a": shared, "b": (shared,)}
    holds_itself["self"] = holds_itself
    back = there_and_back(holds_itself)
    assert back["a"] is back["b"][0]
    assert back["self"] is back
    owner = RFMFeaturizer()
    assert from_plain(owner, to_plain(owner, {"me": [owner]}))["me"][0] is owner


@pytest.mark.parametrize("source", ["RandomState", "MT19937", "PCG64", "Philox", "SFC64"])
def test_random_numbers_go_on_where_they_were(source):
    made = np.random.RandomState(3) if source == "RandomState" else np.random.Generator(getattr(np.random, source)(3))
    made.standard_normal(3)
    back = there_and_back(made)
    assert back.standard_normal(5).tolist() == made.standard_normal(5).tolist()
    if source != "RandomState":
        assert back.spawn(1)[0].random() == made.spawn(1)[0].random()


def test_a_tree_finds_the_same_neighbours():
    points = np.random.RandomState(0).randn(500, 3)
    tree = KDTree(points, leafsize=7)
    back = there_and_back(tree)
    assert back.leafsize == 7
    for old, new in zip(tree.query(points + 0.1, k=4), back.query(points + 0.1, k=4), strict=True):
        assert np.array_equal(old, new)


@pytest.mark.parametrize(
    "node",
    [
        ["object", "os", "system", ["dict"]],
        ["object", "custseg.__main__", "main", ["dict"]],
        ["object", "custseg.study._stored", "Path", ["dict"]],
        ["object", "custsegment", "Study", ["dict"]],
        ["class", "subprocess", "Popen"],
        ["class", "custseg.study", "write_report"],
        ["Generator", ["dict", "bit_generator", "seed"], None],
        ["unheard of"],
        ["same", 99],
        ["array", 3],
    ],
)
def test_a_file_makes_nothing_that_is_not_ours(node):
    stored = {**to_plain(None, {}), "text": json.dumps(["dict", "value", node])}
    with pytest.raises(InvalidTableError, match="what is stored of an estimator cannot be read"):
        from_plain(None, stored)


def test_a_later_version_is_said():
    with pytest.raises(InvalidTableError, match="is of format 2, and this version reads 1"):
        from_plain(None, {**to_plain(None, {}), "custseg_format": 2})


def test_pickles_and_copies_hold_the_objects_as_they_are():
    table = pd.DataFrame({"customer_id": [1], "timestamp": ["2024-01-01"], "amount": [1.0]})
    fitted = RFMFeaturizer().fit(table)
    assert b"custseg_format" not in pickle.dumps(fitted)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(fitted, protocol=protocol))  # noqa: S301 - our own bytes
        assert again.as_of_ == fitted.as_of_
    assert vars(copy.deepcopy(fitted)).keys() == vars(fitted).keys()


def test_a_class_of_a_user_that_says_what_its_pickles_hold_is_heard():
    class Own(RFMFeaturizer):
        def __getstate__(self):
            return {"kept": 1}

    assert vars(copy.copy(Own())) == {"kept": 1}

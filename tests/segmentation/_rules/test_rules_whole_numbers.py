"""Whole numbers of any size are themselves in rules, in the SQL of rules and in the report, never their neighbours."""

from __future__ import annotations

import operator
import sqlite3

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custseg import RuleSegmenter, SegmentationBrief
from custseg.exceptions import ColumnTypeError, InvalidParameterError
from custseg.segmentation import Rule, RuleFilter
from tests.engines import ENGINES
from tests.sizes import size

pytestmark = pytest.mark.sampled

FIRST = 2**53
NUMBERS = [FIRST - 1, FIRST, FIRST + 1, FIRST + 2, -FIRST - 1, 2**63 - 1, -(2**63), 7]
SIGNS = {"==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
IN_ORDER = [name for name in ENGINES if name not in ("spark", "parquet folder")]
PAIRS = [(sign, engine) for sign in sorted(SIGNS) for engine in IN_ORDER]
# a file is read by duckdb, whatever the sign
FEW_PAIRS = [
    (sign, engine)
    for sign, engine in PAIRS
    if engine in ("pandas", "polars lazy", "duckdb") or (engine == "csv" and sign in ("==", "<"))
]


def met(rule, table):
    return RuleFilter(Rule.read(rule), table).matches(table).tolist()


@pytest.mark.thorough
@pytest.mark.parametrize(("sign", "engine"), size(FEW_PAIRS, PAIRS))
def test_a_comparison_is_exact_on_every_engine(sign, engine):
    table = ENGINES[engine](pd.DataFrame({"s": NUMBERS, "x": range(len(NUMBERS))}))
    for bound in (FIRST + 1, 2**63 - 1, -(2**63), 2**63):
        assert met(f"s {sign} {bound}", table) == [SIGNS[sign](number, bound) for number in NUMBERS]


values = st.integers(-(2**63), 2**63 - 1) | st.integers(FIRST - 3, FIRST + 3) | st.integers(-3, 3)


@given(numbers=st.lists(values, min_size=1), bound=values, sign=st.sampled_from(sorted(SIGNS)))
def test_rules_and_their_sql_compare_as_python_does(numbers, bound, sign):
    table = pd.DataFrame({"s": numbers})
    expected = [SIGNS[sign](number, bound) for number in numbers]
    rule = RuleFilter(Rule.read([("s", sign, bound)]), table)
    assert rule.matches(table).tolist() == expected
    assert RuleFilter(Rule.read(rule.rule.text), table).matches(table).tolist() == expected
    with sqlite3.connect(":memory:") as connection:
        connection.execute("CREATE TABLE t (i INTEGER, s BIGINT)")
        connection.executemany("INSERT INTO t VALUES (?, ?)", enumerate(numbers))
        found = connection.execute(f"SELECT {rule.to_sql()} FROM t ORDER BY i").fetchall()  # noqa: S608
    assert [bool(value) for (value,) in found] == expected


@pytest.mark.parametrize("dtype", ["int64", "uint64", "Int64", "UInt64", "int64[pyarrow]", object])
def test_every_way_that_pandas_keeps_them(dtype):
    numbers = [FIRST, FIRST + 1, FIRST + 2, 5]
    table = pd.DataFrame({"s": pd.array(numbers, dtype=dtype)})
    assert met(f"s in [{FIRST + 1}, 5]", table) == [False, True, False, True]
    assert met(f"s not in [{FIRST + 1}, 5]", table) == [True, False, True, False]
    assert met(f"s <= {FIRST}.0 and s > 5.5", table) == [True, False, False, False]
    assert met("s == 0.5", table) == [False] * 4


@pytest.mark.parametrize("dtype", ["Int64", "int64[pyarrow]"])
def test_a_missing_value_is_still_none_of_them(dtype):
    table = pd.DataFrame({"s": pd.array([FIRST + 1, None, FIRST], dtype=dtype)})
    assert met(f"s == {FIRST + 1}", table) == [True, False, False]
    assert met(f"s != {FIRST + 1}", table) == [False, False, True]


@pytest.mark.parametrize(
    "written", ["9007199254740993", "9007199254740993.0", "9.007199254740993e15", "+9007199254740993"]
)
def test_a_number_means_what_is_written(written):
    table = pd.DataFrame({"s": [FIRST, FIRST + 1, FIRST + 2]})
    assert met(f"s == {written}", table) == [False, True, False]
    assert Rule.read(f"s == {written}").text == "s == 9007199254740993"
    with pytest.raises(InvalidParameterError, match=r"9007199254740993.25 has more digits"):
        Rule.read("s == 9007199254740993.25")


def test_floats_that_may_have_been_neighbours_are_refused():
    table = pd.DataFrame({"s": [float(FIRST + 1), np.nan, 5.0]})
    for rule in (f"s == {FIRST}", f"s != {FIRST + 1}", f"s in [5, {FIRST}]", f"s < {FIRST + 1}"):
        with pytest.raises(ColumnTypeError, match=r"column 's'.*compared with \d+.*neighbours.*Int64"):
            met(rule, table)
    # what floats are sure of, and numbers that were meant as floats
    assert met(f"s <= {FIRST}", table) == [True, False, True]
    assert met("s != 1e20", table.assign(s=[1e20, 1.0, 5.0])) == [False, True, True]
    assert met(f"s == {FIRST + 1}", table.assign(s=[1.0, 2.0, 5.0])) == [False] * 3


def test_the_report_tells_neighbours_apart():
    table = pd.DataFrame({"s": [FIRST, FIRST + 1, FIRST + 2]})
    segmenter = RuleSegmenter({"low": f"s <= {FIRST}", "one": f"s == {FIRST + 1}", "high": f"s > {FIRST + 1}"}).fit(
        table
    )
    assert segmenter.labels_.tolist() == [0, 1, 2]
    report = segmenter.rule_report_
    assert report.exhaustive
    assert not len(report.overlaps)
    gap = RuleSegmenter({"low": f"s <= {FIRST}", "high": f"s > {FIRST + 1}"}).fit(table).rule_report_
    assert f"s == {FIRST + 1}" in gap.to_text()


def test_a_brief_lets_in_whom_it_names():
    brief = SegmentationBrief("pricing", audience=f"s != {FIRST + 1}")
    assert SegmentationBrief.from_dict(brief.to_dict()).audience == f"s != {FIRST + 1}"
    table = pd.DataFrame({"s": [FIRST, FIRST + 1, FIRST + 2]})
    assert RuleFilter(brief.audience_rule, table).matches(table).tolist() == [True, False, True]

"""One rule by itself: who meets it, whom each condition leaves out, and the same as SQL."""

from contextlib import nullcontext

import numpy as np
import pandas as pd
import pytest

from custseg._core.asking import asking
from custseg.exceptions import ColumnTypeError, InvalidParameterError
from custseg.segmentation import Rule, RuleFilter

FRAME = pd.DataFrame(
    {"id": [7, 8, 9, 10], "orders": [1.0, 5.0, np.nan, 9.0], "town": ["Paris", "Lyon", "Paris", "L'Isle"]}
)


def test_a_filter_reads_a_table_as_a_segmenter_does():
    rule = Rule.read("orders >= 2 and town != 'Paris'")
    found = RuleFilter(rule, FRAME, customer_id="id")
    assert found.matches(FRAME).tolist() == [False, True, False, True]
    assert found.report(FRAME)["n_left_out"].tolist() == [2, 0]
    for name, asks in (("RuleFilter", nullcontext()), ("Who", asking("Who"))):
        with pytest.raises(ColumnTypeError, match=f"^{name}: .*infinite"), asks:
            RuleFilter(rule, FRAME.replace(9.0, np.inf), customer_id="id")


def test_a_filter_says_in_sql_what_it_does():
    duckdb = pytest.importorskip("duckdb")
    rule = Rule.read([("orders", ">", 2), ("town", "in", ["L'Isle", "Paris"])])
    found = RuleFilter(rule, FRAME)
    customers = FRAME  # noqa: F841
    rows = duckdb.sql(f"SELECT {found.to_sql()} FROM customers ORDER BY id").fetchall()  # noqa: S608
    assert [bool(met) for (met,) in rows] == found.matches(FRAME).tolist()
    with pytest.raises(InvalidParameterError, match="'quote' must be"):
        found.to_sql(quote="'")


def test_the_parts_of_a_rule_are_what_must_all_be_met():
    rule = Rule.read("2 <= orders < 9 and town == 'Paris'", name="Parisians")
    assert [str(part) for part in rule.parts] == [
        "Parisians: orders >= 2",
        "Parisians: orders < 9",
        "Parisians: town == 'Paris'",
    ]
    either = Rule.read("orders >= 2 or town == 'Paris'")
    assert either.parts == (either,)

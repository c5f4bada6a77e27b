"""The title of a report: what was found, in one line."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from custseg.reporting._finding import finding
from custseg.validation import Verdict
from tests.reporting.stand_in import persona, stand_in, table_of

NAMES = ("One", "Two", "Three")


def worth(value_shares, word="natural", shares=(0.2, 0.5, 0.3)):
    """A study of segments with these shares of the customers and of the value."""
    personas = [persona(place, name, 100, 300) for place, name in enumerate(NAMES[: len(shares)])]
    table = table_of(personas).assign(share=shares, value_share=value_shares)
    return stand_in(personas=personas, table=table, verdict=Verdict(word=word, sentence="Segments."))


@pytest.mark.parametrize(
    ("word", "start"),
    [
        ("natural", "Three real segments"),
        ("reproducible", "Three segments that come back"),
        ("constructive", "Three segments, no more than a cut"),
        ("defined", "Three segments defined by rule"),
    ],
)
def test_the_verdict_and_the_value_are_the_title(word, start):
    assert finding(worth([0.7, 0.1, 0.2], word)) == f"{start}: 20% of the customers bring 70% of the value"


@pytest.mark.parametrize(
    ("value_shares", "told"),
    [
        ([0.5, 0.1, 0.4], "50% of the customers bring 90% of the value"),
        ([0.1, 0.9, 0.0], "50% of the customers bring 90% of the value"),
        ([np.nan, 0.2, 0.8], "30% of the customers bring 80% of the value"),
    ],
)
def test_those_worth_more_than_the_average_are_added_up(value_shares, told):
    assert finding(worth(value_shares)) == f"Three real segments: {told}"


@pytest.mark.parametrize(
    "value_shares",
    [[np.nan] * 3, [0.24, 0.47, 0.29], [0.2, 0.5, 0.3], [1.3, -0.2, -0.1], pd.array([pd.NA] * 3, dtype="Float64")],
    ids=["unknown", "nearly alike", "alike", "losses", "not told"],
)
def test_where_value_says_nothing_nothing_is_said_of_it(value_shares):
    assert finding(worth(value_shares)) == "Three real segments"


def test_of_no_segments_the_title_says_so():
    assert finding(stand_in(cut=True)) == "No segments: one continuum of customers"
    assert finding(stand_in(cut=True, selection=None)) == "All customers in one segment"


def test_one_rule_and_many_segments_are_counted_as_a_reader_would():
    one = worth([1.0], "defined", shares=[1.0])
    assert finding(one) == "One segment defined by rule"
    many = worth([0.7, 0.1, 0.2])
    many.plan_.segmentation.n_segments = 13
    assert finding(many).startswith("13 real segments: ")


def test_customers_who_meet_no_rule_are_not_counted_in():
    study = worth([0.7, 0.1, 0.2], "defined")
    study.plan_.segmentation.n_not_assigned = 5
    assert finding(study).endswith(": 20% of the customers in them bring 70% of the value")

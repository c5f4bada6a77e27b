"""The audience: a rule of the brief, judged as RuleSegmenter judges rules."""

import numpy as np
import pandas as pd
import pytest

from custseg import SegmentationBrief
from custseg._core.customers import read_customers
from custseg.exceptions import (
    ColumnNotFoundError,
    ColumnTypeError,
    InvalidParameterError,
    UnseenCategoryWarning,
)
from custseg.segmentation import RuleSegmenter
from custseg.study._audience import Audience

AGES = pd.CategoricalDtype(["19-24", "25-34", "65+"], ordered=True)
FRAME = pd.DataFrame(
    {
        "orders": [1.0, 2.0, 3.0, 5.0, np.nan, 8.0],
        "country": ["FR", "DE", "IT", None, "FR", "L'Aquila"],
        "age": pd.Categorical(["19-24", "25-34", "65+", "25-34", None, "65+"], dtype=AGES),
        "member": [True, False, True, True, False, True],
    }
)


def admit(audience, frame=FRAME, fitted=FRAME):
    rule = SegmentationBrief(audience=audience).audience_rule
    of = Audience.of(rule, read_customers(fitted))
    return of.admit(read_customers(frame))


@pytest.mark.parametrize(
    ("audience", "expected"),
    [
        ((), [1, 1, 1, 1, 1, 1]),
        ("orders >= 2", [0, 1, 1, 1, 0, 1]),
        ([("orders", "!=", 2)], [1, 0, 1, 1, 0, 1]),
        ([("country", "==", "L'Aquila")], [0, 0, 0, 0, 0, 1]),
        ([("country", "not in", {"FR", "DE"})], [0, 0, 1, 0, 0, 1]),
        ("age > '19-24'", [0, 1, 1, 1, 0, 1]),
        ([("age", "in", ("19-24", "65+"))], [1, 0, 1, 0, 0, 1]),
        ([("member", "==", True)], [1, 0, 1, 1, 0, 1]),
        ([("member", "in", [np.bool_(False)])], [0, 1, 0, 0, 1, 0]),
        ("country == 'IT' or orders > 4 and member == true", [0, 0, 1, 1, 0, 1]),
    ],
)
def test_who_is_let_in(audience, expected):
    inside, report = admit(audience)
    assert inside.tolist() == np.array(expected, dtype=bool).tolist()
    assert report["n_left_out"].sum() == expected.count(0)
    if audience:
        rules = RuleSegmenter({"audience": SegmentationBrief(audience=audience).audience}).fit(FRAME)
        assert ((rules.labels_ == 0) == inside).all()


def test_the_report_counts_each_condition_after_those_before_it():
    _, report = admit("2 <= orders < 8 and country in ['DE', 'IT'] and member == true")
    assert report.to_dict("list") == {
        "condition": ["orders >= 2", "orders < 8", "country in ['DE', 'IT']", "member == true"],
        "n_left_out": [2, 1, 1, 1],
    }
    _, report = admit("orders > 2 and member == true or country == 'DE'")
    assert report["condition"].tolist() == ["orders > 2 and member == true or country == 'DE'"]
    _, report = admit(())
    assert report.columns.tolist() == ["condition", "n_left_out"]


@pytest.mark.parametrize(
    ("audience", "error", "words"),
    [
        ("ordres >= 2", ColumnNotFoundError, "column 'ordres' not found.*Did you mean 'orders'"),
        ("orders > 'many'", ColumnTypeError, "'orders' must be compared with numbers"),
        ("country < 'FR'", ColumnTypeError, "'country' must be ordered for '<'"),
        ("country == 'Fr'", InvalidParameterError, "level of 'country' 'Fr'.*Did you mean 'FR'"),
        ("age >= '19-25'", InvalidParameterError, "level of 'age' '19-25'.*Did you mean '19-24'"),
    ],
)
def test_a_condition_that_cannot_be_meant_is_refused(audience, error, words):
    with pytest.raises(error, match=f"SegmentationBrief.audience: .*{words}"):
        admit(audience)


def test_later_customers_are_judged_as_the_first_ones():
    later = FRAME.iloc[[1, 2]].astype({"age": "str"})
    # nobody of FR is there any more: that is no slip of the brief
    inside, _ = admit("country in ['FR', 'DE']", later)
    assert inside.tolist() == [True, False]
    ages = pd.Categorical(["65+", "80+"], categories=["80+", "65+"], ordered=True)
    with pytest.warns(UnseenCategoryWarning, match="80"):
        inside, _ = admit("age > '19-24'", later.assign(age=ages))
    assert inside.tolist() == [True, False]
    with pytest.raises(ColumnNotFoundError, match="'country' not found"):
        admit("country in ['FR', 'DE']", later.drop(columns="country"))

"""Rules as text and as data: what is read, what is refused, and that it comes back from JSON and pickle."""

import json
import pickle

import pandas as pd
import pytest
from hypothesis import given

from custseg.exceptions import InvalidParameterError, InvalidTableError
from custseg.segmentation._rules.rules import Condition, Rule, read_rules
from tests.segmentation._rules.rule_tables import as_text, rules


def read(text):
    (rule,) = read_rules({"A": text})
    return [[(part.column, part.operator, part.value) for part in parts] for parts in rule.alternatives]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("recency <= 30", [[("recency", "<=", 30)]]),
        ("recency<=30 AND frequency>=5", [[("recency", "<=", 30), ("frequency", ">=", 5)]]),
        ("a = 1 or b <> 2 and c == 3", [[("a", "==", 1)], [("b", "!=", 2), ("c", "==", 3)]]),
        ("30 < behaviour__recency <= 90.5", [[("behaviour__recency", ">", 30), ("behaviour__recency", "<=", 90.5)]]),
        ("5 >= a > -2e3", [[("a", "<=", 5), ("a", ">", -2000.0)]]),
        ("5 < a", [[("a", ">", 5)]]),
        ("region in ['North', \"East\"]", [[("region", "in", ("North", "East"))]]),
        ("region not in ('North')", [[("region", "not in", ("North",))]]),
        ("`net ``spend``` > .5", [[("net `spend`", ">", 0.5)]]),
        ("town == 'L''Aquila'", [[("town", "==", "L'Aquila")]]),
        ("member == True and `true` == false", [[("member", "==", True), ("true", "==", False)]]),
        ("größe > 1", [[("größe", ">", 1)]]),
    ],
)
def test_what_an_analyst_types_is_read(text, expected):
    assert read(text) == expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "expected a number or quoted text, got the end"),
        ("recency", "expected a comparison, got the end"),
        ("recency <= 30 frequency >= 5", "expected 'and', 'or' or the end, got 'frequency'"),
        ("region == North", "expected a number or quoted text, got 'North'"),
        ("(a > 1)", "brackets are not understood"),
        ("b == 2 and (a > 1 or c < 3)", "brackets are not understood"),
        (f"a > 1{'0' * 400}", "a number is too large"),
        (f"a > 1{'0' * 5000}", "a number is too large"),
        ("a in 3", "expected a list"),
        ("a in []", "expected a number"),
        ("a not 3", "expected 'in' after 'not'"),
        ("1 < a > 3", "'<' and '>' do not make an interval"),
        ("1 == a < 3", "do not make an interval"),
        ("3 < 5", "expected a column"),
        ("a > 1e999", "too large"),
        ("town == 'Paris", 'cannot read "\'Paris"'),
        ("__import__('os').system('true') == 1", "cannot read"),
        ("a > 1; drop table customers", "cannot read '; drop table custome'"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_rule_and_place(text, problem):
    with pytest.raises(InvalidParameterError, match=f"custseg: rule 'A': .*{problem}|rule 'A': {problem}"):
        read(text)


@given(rules())
def test_text_and_structure_say_the_same_and_come_back_from_json_and_pickle(drawn):
    from_text = read_rules(as_text(drawn))
    single = [(name, alternatives[0]) for name, alternatives in drawn if len(alternatives) == 1]
    if single:
        assert read_rules(single) == tuple(rule for rule in from_text if len(rule.alternatives) == 1)
    stored = json.loads(json.dumps([rule.to_dict() for rule in from_text]))
    assert read_rules(stored) == from_text
    assert read_rules(pd.DataFrame(stored)) == from_text
    assert read_rules(pickle.loads(pickle.dumps(from_text))) == from_text  # noqa: S301 - our own bytes


def test_a_rule_prints_itself():
    rule = Rule(
        name="Loyal",
        alternatives=((Condition("net spend", ">=", 5), Condition("region", "in", ("N", "E"))),),
    )
    assert str(rule) == "Loyal: `net spend` >= 5 and region in ['N', 'E']"


@pytest.mark.parametrize(
    ("rules", "problem"),
    [
        ({}, "at least one rule"),
        ([], "at least one rule"),
        ([("A", "a > 1"), ("A", "a < 1")], "names 'A' more than once. Join"),
        ([("A", [])], "with conditions"),
        ([("A", ["a > 1"])], "a condition is \\(column, operator, value\\), got 'a > 1'"),
        ([("A", [("a", "~", 1)])], "with an operator of =="),
        ([("A", [("a", "in", 1)])], "'in' takes a list, got 1"),
        ([("A", [("a", "==", [1])])], "'==' takes one value"),
        ([("A", [("a", "in", [])])], "empty"),
        ([("A", [("a", "<", float("nan"))])], "a finite number.*got nan"),
        ([("A", [("a", "<=", float("inf"))])], "Leave a bound out"),
        ([("A", [("a", "==", None)])], "got None"),
        ([("", "a > 1")], "named by text"),
        ([(1, "a > 1")], "named by text"),
        (["a > 1"], "of the form"),
    ],
)
def test_rules_that_are_none_are_refused(rules, problem):
    with pytest.raises(InvalidParameterError, match=problem):
        read_rules(rules)


def test_a_table_of_rules_needs_its_columns():
    with pytest.raises(InvalidTableError, match="'segment' and 'rule', got 'name', 'when'"):
        read_rules(pd.DataFrame({"name": ["A"], "when": ["a > 1"]}))


def test_a_whole_number_that_no_float_can_hold_is_refused():
    with pytest.raises(InvalidParameterError, match="rule 'A': a number is too large"):
        read_rules({"A": [("x", "<", 10**400)]})


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("recency between 3 and 5", "write 3 <= recency <= 5"),
        ("recency is null", "no condition asks for missing values"),
        ("not recency > 3", "turn the comparison round"),
        ("town like 'Par%'", "text is compared as a whole"),
    ],
)
def test_words_of_other_languages_come_with_what_to_write(text: str, remedy: str) -> None:
    with pytest.raises(InvalidParameterError, match=remedy):
        read_rules({"A": text})

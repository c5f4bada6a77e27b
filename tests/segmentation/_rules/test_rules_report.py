"""Coverage, overlaps and hidden rules against the grid laid out cell by cell."""

import itertools
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings

from custseg.exceptions import DataQualityWarning, InvalidParameterError
from custseg.segmentation._rules import boxes, grid
from custseg.segmentation._rules.segmenter import RuleSegmenter
from tests.segmentation._rules.rule_tables import LEVELS, as_text, rule_met_by_hand, rules
from tests.sizes import size

TABLE = pd.DataFrame(
    {
        "spend": [0.5, 2.5],
        "visits": [1, 2],
        "member": [True, False],
        "band": pd.Categorical(["low", "high"], categories=list(LEVELS), ordered=True),
        "home town": ["Paris", "Rome"],
    }
)


def cells(column, drawn):
    """One value for every cell of a column."""
    values = set()
    for _, alternatives in drawn:
        for name, _, value in itertools.chain.from_iterable(alternatives):
            if name == column:
                values |= set(value if isinstance(value, list) else [value])
    if not values:
        return [None]
    if column == "member":
        return [False, True]
    if column == "band":
        return list(LEVELS)
    if column == "home town":
        return [*sorted(values), "somewhere else"]
    cuts = sorted(values)
    if column == "visits":
        between = [low + 1 for low, high in itertools.pairwise(cuts) if high - low > 1]
    else:
        between = [(low + high) / 2 for low, high in itertools.pairwise(cuts)]
    return [cuts[0] - 1, *cuts, *between, cuts[-1] + 1]


def fit(drawn):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataQualityWarning)
        return RuleSegmenter(as_text(drawn)).fit(TABLE)


@settings(max_examples=size(10, 150))
@given(rules(max_rules=3))
def test_the_report_equals_the_grid_laid_out(drawn):
    columns = {column: cells(column, drawn) for column in TABLE.columns}
    assume(np.prod([len(values) for values in columns.values()]) <= 2000)
    try:
        report = fit(drawn).rule_report_
    except InvalidParameterError:
        assume(False)
    met = np.array(
        [
            [rule_met_by_hand(dict(zip(columns, customer, strict=True)), rule) for _, rule in drawn]
            for customer in itertools.product(*columns.values())
        ]
    )
    assert report.n_cells == len(met)
    assert report.n_uncovered_cells == (~met.any(axis=1)).sum()
    assert report.exhaustive == met.any(axis=1).all()
    pairs = {
        (f"Rule {first}", f"Rule {second}")
        for first, second in itertools.combinations(range(len(drawn)), 2)
        if (met[:, first] & met[:, second]).any()
    }
    assert set(zip(report.overlaps["first"], report.overlaps["second"], strict=True)) == pairs
    for position, reached in enumerate(report.table["reached"]):
        known = (met[:, position] & ~met[:, :position].any(axis=1)).any()
        assert (reached == "yes") == known
    if report.example is not None:
        known = {**dict.fromkeys(TABLE.columns), **report.example}
        assert not any(rule_met_by_hand(known, rule) for _, rule in drawn)


def with_missing(columns):
    return {column: values if values == [None] else [*values, None] for column, values in columns.items()}


@settings(max_examples=size(8, 100))
@given(rules(max_rules=3))
def test_a_rule_is_never_reached_where_no_customer_can_reach_it_not_even_with_missing_values(drawn):
    columns = with_missing({column: cells(column, drawn) for column in TABLE.columns})
    assume(np.prod([len(values) for values in columns.values()]) <= 2000)
    try:
        report = fit(drawn).rule_report_
    except InvalidParameterError:
        assume(False)
    met = np.array(
        [
            [rule_met_by_hand(dict(zip(columns, customer, strict=True)), rule) for _, rule in drawn]
            for customer in itertools.product(*columns.values())
        ]
    )
    for position, reached in enumerate(report.table["reached"]):
        assert (reached != "never") == (met[:, position] & ~met[:, :position].any(axis=1)).any()


def test_a_gap_is_told_in_the_words_of_a_rule():
    report = RuleSegmenter({"Low": "spend < 10", "High": "20 <= spend and member == true"}).fit(TABLE).rule_report_
    assert report.exhaustive is False
    assert set(report.gaps) == {"member == false and spend >= 10", "member == true and 10 <= spend < 20"}
    assert report.example == {"member": False, "spend": 10}
    assert "No rule covers" in report.to_text()


def test_the_bounds_of_a_gap_are_exact():
    table = pd.DataFrame({"x": [0.1, 0.5]})
    report = RuleSegmenter({"High": f"x > {0.1 + 0.2!r}", "Low": "x < 0.3"}).fit(table).rule_report_
    assert report.gaps == ("0.3 <= x <= 0.30000000000000004",)
    assert RuleSegmenter({"Gap": report.gaps[0]}).fit(table).rules_[0].conditions[1].value == 0.1 + 0.2


def test_everyone_else_is_reached_by_those_whom_no_rule_covers(monkeypatch):
    def reached(*rules):
        report = RuleSegmenter(dict(zip("AB", rules, strict=False)), otherwise="Rest").fit(TABLE).rule_report_
        return report.table["reached"].tolist()[-1]

    assert reached("spend < 5", "spend > 5") == "yes"
    assert reached("spend < 5", "spend >= 5") == "with a missing value"
    monkeypatch.setattr(grid, "MAX_PIECES", 1)
    assert reached("1 < spend < 2 and 1 < visits < 4", "spend > 5") == "not decided"


def test_whole_numbers_have_nothing_between_four_and_five():
    rules = {"Few": "visits <= 4", "Many": "visits >= 5"}
    assert RuleSegmenter(rules).fit(TABLE).rule_report_.exhaustive is True
    report = RuleSegmenter(rules).fit(TABLE.astype({"visits": float})).rule_report_
    assert report.gaps == ("4 < visits < 5",)
    with pytest.raises(InvalidParameterError, match="nobody can meet visits > 4 and visits < 5"):
        RuleSegmenter({"None": "4 < visits < 5"}).fit(TABLE)


def test_a_hidden_rule_is_warned_of_by_name():
    rules = {"All": "spend < 5 or spend >= 5", "Some": "spend > 7", "Town": "`home town` == 'Paris'"}
    with pytest.warns(DataQualityWarning, match="earlier ones take them all: 'Some'. Move them up"):
        report = RuleSegmenter(rules).fit(TABLE).rule_report_
    assert report.never_reached == ["Some"]
    assert report.table["reached"].tolist() == ["yes", "never", "with a missing value"]
    assert "[reached: never]" in report.to_text()


@pytest.mark.parametrize(
    "text",
    [
        "spend > 5 and spend < 3",
        "spend == 1 and spend == 2",
        "band > 'high'",
        "member == 2",
        "`home town` == 'Paris' and `home town` in ['Rome']",
        "spend > 1 or visits < 2 and visits > 4",
    ],
)
def test_a_rule_that_contradicts_itself_is_refused(text):
    with pytest.raises(InvalidParameterError, match="rule 'A' contradicts itself: nobody can meet"):
        RuleSegmenter({"A": text}).fit(TABLE)


def test_rules_that_say_the_same_are_refused():
    with pytest.raises(InvalidParameterError, match="rules 'A' and 'B' have the same conditions. Drop one"):
        RuleSegmenter({"A": "spend > 1 and visits == 2", "B": "visits in [2] and 1 < spend"}).fit(TABLE)


def test_counts_are_of_the_customers():
    table = pd.DataFrame({"x": [1.0, 2.0, 3.0, np.nan], "y": [1.0, np.nan, 1.0, 1.0]})
    report = RuleSegmenter({"A": "x <= 2", "B": "x == 2 or y == 5"}).fit(table).rule_report_
    assert report.table["n_customers"].tolist() == [2, 0]
    assert report.table["n_meeting"].tolist() == [2, 1]
    assert report.overlaps["n_customers"].tolist() == [1]
    assert (report.n_unmatched, report.n_unmatched_missing) == (2, 1)
    assert report.to_frame() is report.table


def test_beyond_the_limit_the_report_says_that_nothing_was_decided(monkeypatch):
    monkeypatch.setattr(grid, "MAX_PIECES", 1)
    rules = {"A": "1 < spend < 2 and 1 < visits < 4", "B": "spend > 5"}
    report = RuleSegmenter(rules).fit(TABLE).rule_report_
    assert (report.exhaustive, report.n_uncovered_cells, report.gaps) == (None, -1, ())
    assert "not decided" in report.to_text()


def sixty(shape):
    """One rule for each of sixty columns, which as boxes are far too many to lay out."""
    return {f"r{i}": shape.format(a=f"c{i}", b=f"c{(i + 1) % 60}") for i in range(60)}


def steps_of(rules, monkeypatch):
    """Return what is said of sixty columns, and how many comparisons of boxes that took."""
    spent = []
    original = boxes.Budget.spend
    monkeypatch.setattr(boxes.Budget, "spend", lambda self, n: (spent.append(n), original(self, n))[1])
    table = pd.DataFrame(np.random.RandomState(0).rand(20, 60), columns=[f"c{i}" for i in range(60)])
    return RuleSegmenter(rules).fit(table).rule_report_, sum(spent)


def test_rules_over_sixty_columns_are_decided_in_bounded_time(monkeypatch):
    report, steps = steps_of(sixty("{a} > 0.5 and {b} < 0.7"), monkeypatch)
    # nobody but who meets an earlier rule is kept from a later one
    assert set(report.table["reached"]) == {"yes"}
    assert steps < 200_000
    covered, _ = steps_of(sixty("{a} > 0.5 or {b} < 0.7"), monkeypatch)
    assert covered.exhaustive is True
    assert covered.table["reached"].tolist() == ["yes", "yes", *["with a missing value"] * 58]


def test_what_takes_too_many_comparisons_is_not_decided(monkeypatch):
    monkeypatch.setattr(grid, "MAX_STEPS", 300)
    monkeypatch.setattr(grid, "MAX_STEPS_OF_ONE", 100)
    report, steps = steps_of(sixty("{a} > 0.5 and {b} < 0.7"), monkeypatch)
    assert steps < 300 + 60 * 61 + 300
    assert report.exhaustive is None
    assert report.table["reached"].tolist()[-1] == "not decided"
    assert report.table["reached"].tolist()[0] == "yes"

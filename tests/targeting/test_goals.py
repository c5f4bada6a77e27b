"""Goals and their rules: data that must be complete, and rules that must speak of computed facts."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custseg.exceptions import InvalidParameterError
from custseg.segmentation._rules.rfm import RFM_PRESETS
from custseg.targeting import GOALS, SegmentFacts, find_goal, goals_to_frame, named_actions_to_frame, recommend
from custseg.targeting._facts import reason

FACTS = ("recency", "frequency", "monetary", "tenure")


def test_every_goal_ends_with_a_rule_that_always_matches():
    for goal in GOALS:
        assert goal.rules[-1].matches(SegmentFacts(share=0.1))
        assert not any(rule.matches(SegmentFacts(share=0.1)) for rule in goal.rules[:-1])


def test_no_rule_is_shadowed():
    # A grid over all facts reaches every rule of every goal.
    grid = [-1.0, 0.0, 1.0]
    for goal in GOALS:
        reached = set()
        for share, value_share in itertools.product((0.1, 0.5), (0.05, 0.1, 0.5, 0.9)):
            for effects in itertools.product(grid, repeat=len(FACTS)):
                facts = SegmentFacts(
                    share=share, value_share=value_share, effects=dict(zip(FACTS, effects, strict=True))
                )
                reached.add(recommend(goal, facts).action)
        assert reached == {rule.action for rule in goal.rules}


@pytest.mark.parametrize(
    ("goal", "facts", "action"),
    [
        ("retention", SegmentFacts(share=0.10, value_share=0.30, effects={"recency": 0.9}), "Win back first"),
        ("retention", SegmentFacts(share=0.10, value_share=0.30, effects={"recency": -0.9}), "Protect"),
        ("retention", SegmentFacts(share=0.30, value_share=0.10, effects={"recency": 0.9}), "Reactivate at low cost"),
        ("retention", SegmentFacts(share=0.30, value_share=0.30, effects={"recency": 0.0}), "Keep in touch"),
        ("pricing", SegmentFacts(share=0.3, value_share=None, effects={"monetary": -0.5}), "Test an entry price"),
        ("pricing", SegmentFacts(share=0.3, value_share=None, effects={"monetary": 0.5}), "Test a premium price"),
        ("pricing", SegmentFacts(share=0.3, effects={"monetary": 0.4}), "Hold the price"),
        ("retention", SegmentFacts(share=0.30, value_share=0.10, effects={"recency": 0.3}), "Reactivate at low cost"),
        ("acquisition", SegmentFacts(share=0.2, value_share=0.22), "Take as they come"),
        ("acquisition", SegmentFacts(share=0.4, value_share=0.4), "Reach broadly"),
        ("advertising", SegmentFacts(share=0.1, value_share=0.4), "Narrow channel, full message"),
    ],
)
def test_the_first_matching_rule_speaks(goal, facts, action):
    assert recommend(goal, facts).action == action


@pytest.mark.parametrize(
    ("goal", "facts", "told"),
    [
        ("retention", SegmentFacts(share=0.1, effects={"recency": 0.9}), "what customers are worth"),
        ("retention", SegmentFacts(share=0.1, value_share=0.3), "when they last bought"),
        ("acquisition", SegmentFacts(share=0.4), "what customers are worth"),
        ("development", SegmentFacts(share=0.4, effects={"frequency": 0.9}), "what they spend"),
        ("pricing", SegmentFacts(share=0.4), "what they spend"),
        ("advertising", SegmentFacts(share=0.1), "what customers are worth"),
    ],
)
def test_where_a_fact_is_unknown_no_later_rule_speaks(goal, facts, told):
    action = recommend(goal, facts)
    assert action.action == "Not enough is known: add purchases"
    assert "A table of purchases" in action.advice
    assert told in action.advice


@given(st.floats(0.01, 0.99), st.none() | st.floats(0, 1), st.dictionaries(st.sampled_from(FACTS), st.floats(-5, 5)))
def test_a_rule_fires_only_where_all_that_it_and_those_before_it_ask_for_is_known(share, value_share, effects):
    facts = SegmentFacts(share=share, value_share=value_share, effects=effects)
    for goal in GOALS:
        action, asked = recommend(goal, facts).action, []
        for rule in goal.rules:
            asked += rule.asked
            if rule.action == action and rule.matches(facts):
                assert all(facts[fact] is not None for fact in asked)
                break
        else:
            assert action.startswith("Not enough is known")


def test_the_reason_names_the_facts_that_decided():
    action = recommend("retention", SegmentFacts(share=0.10, value_share=0.30, effects={"recency": 0.9, "tenure": 2.0}))
    assert action.because == (
        "worth 3.0 times the average customer; recency 0.90 standard deviations above everyone else"
    )
    assert set(action.to_dict()) == {"action", "advice", "because"}


@given(st.floats(0.01, 1), st.none() | st.floats(0, 1), st.dictionaries(st.sampled_from(FACTS), st.floats(-5, 5)))
def test_every_segment_gets_an_action_under_every_goal(share, value_share, effects):
    for goal in GOALS:
        assert recommend(goal, SegmentFacts(share=share, value_share=value_share, effects=effects)).action


@pytest.mark.parametrize("goal", GOALS, ids=lambda goal: goal.name)
def test_for_a_segment_without_customers_there_is_nothing_to_do(goal):
    action = recommend(goal, SegmentFacts(share=0.0, value_share=0.0, effects={"recency": 0.9}))
    assert (action.action, action.because) == ("Nothing to do", "")


@pytest.mark.parametrize("goal", GOALS, ids=lambda goal: goal.name)
def test_for_everybody_there_is_no_action_of_its_own(goal):
    action = recommend(goal, SegmentFacts(share=1.0, value_share=1.0, effects={"recency": 0.0}))
    assert (action.action, action.because) == ("No action of its own", "")


SLIPPING = ("Need Attention", "About To Sleep", "Can't Lose Them", "At Risk", "Hibernating", "Lost")


@pytest.mark.parametrize("goal", GOALS, ids=lambda goal: goal.name)
@pytest.mark.parametrize("preset", ["default", "rfm_r"])
def test_every_preset_name_has_an_action_of_its_own_under_every_goal(goal, preset):
    names = [name for name, *_ in RFM_PRESETS[preset]]
    facts = [SegmentFacts(name=name, share=0.05, value_share=0.05, effects={"recency": -0.9}) for name in names]
    actions = [recommend(goal, fact) for fact in facts]
    assert all(name in goal.by_name for name in names)
    assert len({action.advice for action in actions}) == len(names)
    assert all(action.because == reason(facts[0], ["value_index", *goal.headline]) for action in actions)


@given(
    st.sampled_from(SLIPPING),
    st.floats(0.01, 0.99),
    st.none() | st.floats(0, 1),
    st.dictionaries(st.sampled_from((*FACTS, "outcome", "leaving")), st.floats(-5, 5)),
)
def test_nobody_who_is_slipping_away_is_merely_kept(name, share, value_share, effects):
    action = recommend("retention", SegmentFacts(name=name, share=share, value_share=value_share, effects=effects))
    if effects.get("leaving", 0.0) > -0.2:
        assert not {"keep", "protect", "regular", "enough", "stay"} & set(re.findall(r"[a-z]+", str(action).lower()))


def test_the_names_are_documented_as_they_are_in_force():
    frame = named_actions_to_frame()
    assert list(frame.columns) == ["goal", "name", "action", "advice"]
    assert len(frame) == sum(len(goal.by_name) for goal in GOALS)
    assert set(frame["name"]) >= {name for preset in RFM_PRESETS.values() for name, *_ in preset}


@pytest.mark.parametrize(
    ("effects", "action"),
    [
        ({"leaving": 0.3, "outcome": 0.3}, "Act before they leave"),
        ({"leaving": -0.3, "outcome": 0.3}, "Learn why they stay"),
        ({"leaving": 0.0, "outcome": 0.0}, "Not enough is known: add purchases"),
        ({"outcome": 0.3}, "Ask why it is higher here"),
        ({"outcome": -0.3}, "Ask why it is lower here"),
    ],
)
def test_an_outcome_that_differs_is_not_passed_over(effects, action):
    facts = SegmentFacts(share=0.2, effects=effects, figures={"outcome": "churn: 43% here, 25% of all"})
    found = recommend("retention", facts)
    assert (found.action, found.because) == (action, "churn: 43% here, 25% of all")


@pytest.mark.parametrize("goal", GOALS, ids=lambda goal: goal.name)
def test_no_last_word_passes_over_an_outcome_that_differs(goal):
    effects = dict.fromkeys(FACTS, 0.0) | {"outcome": 0.5}
    assert recommend(goal, SegmentFacts(share=0.1, value_share=0.05, effects=effects)).action.startswith("Ask why")


def test_advice_says_nothing_of_the_segment_that_was_not_measured():
    # what is said of a segment stands in the reason, with its figures; the advice says what to do
    claims = re.compile(r"\b(they|neither|nor|average|enough|valuable|small|large|often|much|clearly|value at stake)\b")
    texts = [rule.advice for goal in GOALS for rule in (*goal.rules, *goal.outcome_rules)]
    assert not [text for text in texts if claims.search(text.lower()) and "what they" not in text]


def test_the_documented_table_is_the_table_in_force():
    frame = goals_to_frame()
    assert list(frame.columns) == ["goal", "question", "order_by", "condition", "action", "advice"]
    assert len(frame) == sum(len(goal.rules) for goal in GOALS)
    assert (frame.groupby("goal", sort=False)["condition"].last() == "otherwise").all()
    assert frame.iloc[0]["condition"] == "share of value / share of customers >= 1.2 and effect on recency >= 0.5"


def test_an_unknown_goal_is_refused_with_a_suggestion():
    with pytest.raises(InvalidParameterError, match="unknown goal 'retenton'.*Did you mean 'retention'"):
        find_goal("retenton")

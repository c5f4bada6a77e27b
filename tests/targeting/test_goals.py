"""Goals and their rules: data that must be complete, and rules that must speak of computed facts."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custseg.exceptions import InvalidParameterError
from custseg.targeting import GOALS, SegmentFacts, find_goal, goals_to_frame, recommend

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
        ("pricing", SegmentFacts(share=0.3), "Hold the price"),
        ("acquisition", SegmentFacts(share=0.4, value_share=0.4), "Reach broadly"),
        ("advertising", SegmentFacts(share=0.1, value_share=0.4), "Narrow channel, full message"),
    ],
)
def test_the_first_matching_rule_speaks(goal, facts, action):
    assert recommend(goal, facts).action == action


def test_an_unknown_fact_meets_no_bound():
    without_value = recommend("retention", SegmentFacts(share=0.1, value_share=None, effects={"recency": 0.9}))
    assert without_value.action == "Reactivate at low cost"


def test_the_reason_names_the_facts_that_decided():
    action = recommend("retention", SegmentFacts(share=0.10, value_share=0.30, effects={"recency": 0.9, "tenure": 2.0}))
    assert action.because == "share of value / share of customers 3.00; effect on recency 0.90"
    assert set(action.to_dict()) == {"action", "advice", "because"}


@given(st.floats(0.01, 1), st.none() | st.floats(0, 1), st.dictionaries(st.sampled_from(FACTS), st.floats(-5, 5)))
def test_every_segment_gets_an_action_under_every_goal(share, value_share, effects):
    for goal in GOALS:
        assert recommend(goal, SegmentFacts(share=share, value_share=value_share, effects=effects)).action


@pytest.mark.parametrize("goal", GOALS, ids=lambda goal: goal.name)
def test_for_a_segment_without_customers_there_is_nothing_to_do(goal):
    action = recommend(goal, SegmentFacts(share=0.0, value_share=0.0, effects={"recency": 0.9}))
    assert (action.action, action.because) == ("Nothing to do", "")


def test_the_documented_table_is_the_table_in_force():
    frame = goals_to_frame()
    assert list(frame.columns) == ["goal", "question", "order_by", "condition", "action", "advice"]
    assert len(frame) == sum(len(goal.rules) for goal in GOALS)
    assert (frame.groupby("goal", sort=False)["condition"].last() == "otherwise").all()
    assert frame.iloc[0]["condition"] == "share of value / share of customers >= 1.2 and effect on recency >= 0.5"


def test_an_unknown_goal_is_refused_with_a_suggestion():
    with pytest.raises(InvalidParameterError, match="unknown goal 'retenton'.*Did you mean 'retention'"):
        find_goal("retenton")

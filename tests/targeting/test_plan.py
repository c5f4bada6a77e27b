"""Plans: advice that agrees with the names and the figures of the segments, and cites nothing that was not measured."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pandas as pd
import pytest

from custseg import (
    DemographicEncoder,
    RFMFeaturizer,
    RFMSegmenter,
    Segmentation,
    SegmentClusterer,
    describe_segments,
    plan_actions,
)
from custseg._core.words import format_number
from custseg.datasets import make_customers
from custseg.exceptions import ColumnNotFoundError, InvalidParameterError
from custseg.targeting import GOALS
from custseg.targeting._measured import _in_order

pytestmark = pytest.mark.sampled

SLIPPING = ("Need Attention", "About To Sleep", "Can't Lose Them", "At Risk", "Hibernating", "Lost")
NO_DIFFERENCE = "no different treatment is called for"
UNKNOWN = "Not enough is known: add purchases"


@pytest.fixture(scope="module")
def cells():
    featurizer = RFMFeaturizer()
    customers = featurizer.fit_transform(make_customers(1000, random_state=0).transactions)
    spend = customers["frequency"] * customers["monetary"]
    segmenter = RFMSegmenter().fit(customers)
    return describe_segments(Segmentation.by(segmenter, customers, value=spend, characteristics=featurizer.describe()))


def labelled(customers, labels, *, descriptors=(), value=None, roles=None):
    """Personas of customers with labels; ``roles`` goes by column."""
    encoder = DemographicEncoder(customer_id=None, roles=roles)
    customers = encoder.fit_transform(customers)
    clustered_on = [name for name in customers.columns if name not in descriptors]
    return describe_segments(
        Segmentation.of(customers, labels, clustered_on=clustered_on, value=value, characteristics=encoder.describe())
    )


def purchases(rng, means, sizes, *, spread=1.0):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    spend = np.abs(rng.normal(np.repeat(means, sizes), spread))
    return pd.DataFrame({"total": spend, "noise": rng.normal(size=len(labels))}), labels


def test_no_preset_segment_is_told_what_its_name_contradicts(cells):
    plan = plan_actions("retention", cells)
    told = dict(zip(plan.segmentation.segment_names, plan.actions, strict=True))
    assert len(told) == 11
    assert len({action.action for action in told.values()}) == 11
    for name in SLIPPING:
        assert not re.search(r"\bkeep|protect|regular|longer silence", str(told[name]).lower())


def test_a_reason_cites_means_as_they_are_measured(cells):
    segmentation = cells.segmentation
    plan = plan_actions("retention", cells)
    described = np.array([not persona.suppressed for persona in cells.personas])
    inside = described[segmentation.labels]
    for persona, action in zip(cells.personas, plan.actions, strict=True):
        if persona.suppressed:
            assert action.because == ""
            continue
        own, others = segmentation.labels == persona.segment, inside & (segmentation.labels != persona.segment)
        days = segmentation.customers["recency"]
        figures = [format_number(days[rows].mean()) for rows in (own, others)]
        assert (
            f"days since the last purchase: {figures[0]} on average, against {figures[1]} elsewhere" in action.because
        )
        row = segmentation.to_frame().loc[persona.segment]
        times = float(re.search(r"worth ([0-9.]+) times the average customer", action.because)[1])
        assert times == pytest.approx(row["value_share"] / row["share"], rel=0.06)


@pytest.mark.parametrize("goal", ["retention", "acquisition", "development", "pricing"])
def test_without_purchases_nothing_is_advised_against(goal):
    encoder = DemographicEncoder()
    customers = encoder.fit_transform(make_customers(400, n_segments=3, random_state=0).profile)
    clusterer = SegmentClusterer(3, n_init=2, random_state=0).fit(customers)
    segmentation = Segmentation.by(clusterer, customers, characteristics=encoder.describe())
    for action in plan_actions(goal, describe_segments(segmentation)).actions:
        assert action.action == UNKNOWN
        assert "%" not in action.because
        assert NO_DIFFERENCE in action.advice


@pytest.mark.parametrize("goal", GOALS, ids=lambda goal: goal.name)
def test_an_action_for_everybody_is_none(goal):
    customers, labels = purchases(np.random.default_rng(0), [20.0], [60])
    personas = labelled(customers, labels, value="total", roles={"total": "monetary"})
    (action,) = plan_actions(goal, personas).actions
    assert (action.action, action.because) == ("No action of its own", "")


@pytest.mark.parametrize("goal", GOALS, ids=lambda goal: goal.name)
@pytest.mark.parametrize("means", [(20, 20.1, 20.2, 40), (10, 20, 30, 40), (20, 20, 20, 20.0)])
def test_more_than_half_are_never_told_the_same_without_saying_so(goal, means):
    customers, labels = purchases(np.random.default_rng(1), means, [40] * 4, spread=4.0)
    roles = {"total": "monetary", "noise": "frequency"}
    plan = plan_actions(goal, labelled(customers, labels, value="total", roles=roles))
    alike = Counter(action.advice for action in plan.actions)
    for advice, n_alike in alike.items():
        assert (NO_DIFFERENCE in advice) == (n_alike > 2)


def test_of_two_segments_neither_is_told_less_for_more():
    # a large segment stands out against everyone else, since theirs is without its own; the small one has more
    rng = np.random.default_rng(0)
    customers, labels = purchases(rng, [37.5, 20.0, 43.8], [700, 250, 50], spread=12.0)
    personas = labelled(customers, labels, roles={"total": "monetary"})
    effects = personas.profile.query("characteristic == 'total'").set_index("segment")["effect_size"]
    actions = plan_actions("pricing", personas).actions
    assert effects[0] > effects[2]
    assert actions[0].action == actions[2].action == "Test a premium price"
    assert not [action for action in actions if "purchase" in str(action)]


def test_an_effect_is_never_less_than_that_of_one_with_less():
    rng = np.random.default_rng(0)
    for _ in range(200):
        means = rng.normal(size=6)
        effects = means * rng.uniform(0.1, 2.0, size=6)
        found = np.array(_in_order(effects.tolist(), means.tolist()))[np.argsort(means)]
        assert (np.diff(found) >= 0).all()
        assert (np.sign(found) == np.sign(np.sort(means))).all()


def churned(rng, shares, n=200, name="churned", words=("Yes", "No")):
    labels = np.repeat(np.arange(len(shares)), n)
    left = rng.random(len(labels)) < np.repeat(shares, n)
    customers = pd.DataFrame({"charge": labels + rng.normal(size=len(labels)), name: np.where(left, *words)})
    return customers, labels


@pytest.mark.parametrize("name", ["churned", "Churn", "has_left", "attrition_2024"])
@pytest.mark.parametrize("words", [("Yes", "No"), (1, 0)])
def test_retention_looks_at_who_left(name, words):
    shares = (0.43, 0.05, 0.41, 0.05, 0.45, 0.05)
    customers, labels = churned(np.random.default_rng(0), shares, name=name, words=words)
    plan = plan_actions("retention", labelled(customers, labels, descriptors=[name]), outcomes=[name])
    for segment, (action, share) in enumerate(zip(plan.actions, shares, strict=True)):
        assert action.action == ("Act before they leave" if share > 0.2 else "Learn why they stay")
        found = (customers[name] == words[0])[labels == segment].mean()
        assert (f"{100 * found:.0f}% here" if words[0] == "Yes" else format_number(found)) in action.because
        assert "regular communication" not in str(action)


def test_who_stayed_is_the_other_way_round_and_what_nobody_knows_is_asked():
    customers, labels = churned(np.random.default_rng(0), (0.8, 0.3), name="renewed")
    personas = labelled(customers, labels, descriptors=["renewed"])
    actions = plan_actions("retention", personas, outcomes=["renewed"]).actions
    assert [action.action for action in actions] == ["Learn why they stay", "Act before they leave"]
    neutral = labelled(customers.rename(columns={"renewed": "flag"}), labels, descriptors=["flag"])
    actions = plan_actions("retention", neutral, outcomes=["flag"]).actions
    assert [action.action for action in actions] == ["Ask why it is higher here", "Ask why it is lower here"]


def test_a_column_whose_role_is_outcome_needs_no_naming():
    customers, labels = churned(np.random.default_rng(0), (0.5, 0.1))
    personas = labelled(customers, labels, descriptors=["churned"], roles={"churned": "outcome"})
    assert (
        plan_actions("retention", personas).actions == plan_actions("retention", personas, outcomes=["churned"]).actions
    )
    assert "churned" not in str(plan_actions("retention", labelled(customers, labels)).actions)


def test_categories_are_told_by_the_level_that_differs_most():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 200)
    plans = np.where(
        rng.random(400) < np.where(labels, 0.7, 0.1), "gold", np.where(rng.random(400) < 0.5, "tin", "zinc")
    )
    personas = labelled(pd.DataFrame({"charge": labels + rng.random(400), "plan": plans}), labels, descriptors=["plan"])
    first, second = plan_actions("pricing", personas, outcomes=["plan"]).actions
    assert (first.action, second.action) == ("Ask why it is lower here", "Ask why it is higher here")
    assert "plan gold: " in first.because
    assert "plan gold: " in second.because


def test_outcomes_of_every_kind_are_told_side_by_side():
    customers, labels = churned(np.random.default_rng(0), [0.1, 0.6], words=(True, False))
    customers["plan"] = np.where(np.arange(len(customers)) % 3, "basic", "full")
    personas = labelled(customers, labels, descriptors=["churned", "plan"])
    for action in plan_actions("retention", personas, outcomes=["churned", "plan"]).actions:
        assert re.search(r"churned: \d+% here", action.because)
        assert re.search(r"plan (basic|full): \d+% here", action.because)


def test_an_outcome_that_is_no_column_is_refused():
    customers, labels = churned(np.random.default_rng(0), (0.5, 0.1))
    with pytest.raises(ColumnNotFoundError, match="'left'"):
        plan_actions("retention", labelled(customers, labels), outcomes=["left"])


@pytest.mark.parametrize(("known", "told"), [(0.3, False), (0.65, True), (1.0, True)])
def test_what_is_known_of_less_than_half_calls_for_nothing(known, told):
    rng = np.random.default_rng(0)
    customers, labels = purchases(rng, [10.0, 40.0], [300, 300])
    customers.loc[rng.random(600) > known, "total"] = np.nan
    actions = plan_actions("pricing", labelled(customers, labels, roles={"total": "monetary"})).actions
    assert [action.action == UNKNOWN for action in actions] == [not told] * 2
    assert all(("of whom it is known" in action.because) == (known == 0.65) for action in actions)
    assert all(("known of" in action.because) == (known == 0.3) for action in actions)


def test_a_value_that_is_known_of_few_is_worth_nothing_as_a_reason():
    rng = np.random.default_rng(0)
    customers, labels = purchases(rng, [10.0, 10.0], [300, 300])
    worth = customers["total"].to_numpy().copy()
    worth[(labels == 0) & (rng.random(600) > 0.7)] = np.nan
    actions = plan_actions("acquisition", labelled(customers, labels, value=worth)).actions
    # those whose value is not known are not worth nothing: both are worth the same
    assert "worth 1.0 times the average customer, of the 7" in actions[0].because
    worth[(labels == 0) & (rng.random(600) > 0.3)] = np.nan
    actions = plan_actions("acquisition", labelled(customers, labels, value=worth)).actions
    assert actions[0].action == UNKNOWN
    assert "value: known of 2" in actions[0].because


@pytest.mark.parametrize("profit", [(-9.0, -1.0), (-5.0, 5.0), (0.0, 0.0)])
def test_a_value_that_adds_up_to_no_gain_is_said_to_be_the_reason(profit):
    customers, labels = purchases(np.random.default_rng(0), [10.0, 40.0], [60, 60])
    worth = np.array(profit)[labels]
    for action in plan_actions("acquisition", labelled(customers, labels, value=worth)).actions:
        assert action.action == UNKNOWN
        assert "value: that of all customers is not above 0 together" in action.because


def test_a_segment_too_small_to_be_described_has_no_figures_in_its_reason():
    customers, labels = purchases(np.random.default_rng(0), [10.0, 40.0, 90.0], [60, 60, 3])
    personas = labelled(customers, labels, value="total", roles={"total": "monetary"})
    for goal in GOALS:
        small = plan_actions(goal, personas).actions[2]
        assert (small.action, small.because) == ("Too few to say", "")


def test_what_is_the_same_for_everyone_is_known():
    customers, labels = purchases(np.random.default_rng(0), [10.0, 40.0], [60, 60])
    customers["noise"] = 1.0
    personas = labelled(customers, labels, roles={"total": "monetary", "noise": "frequency"})
    actions = plan_actions("development", personas).actions
    assert [action.action for action in actions] == ["Ask before investing", "Raise the frequency"]
    assert all(action.because.startswith("noise: 1 on average, against 1 elsewhere; ") for action in actions)


def test_what_nobody_in_a_segment_differs_in_is_far_more_or_less():
    customers, labels = purchases(np.random.default_rng(0), [10.0, 40.0], [60, 60])
    customers["total"] = labels + 1.0
    actions = plan_actions("pricing", labelled(customers, labels, roles={"total": "monetary"})).actions
    assert [action.action for action in actions] == ["Test an entry price", "Test a premium price"]
    assert "total: 1 on average, against 2 elsewhere (far less)" in actions[0].because


def test_rounding_is_no_difference_in_a_reason():
    customers, labels = purchases(np.random.default_rng(0), [10.0, 40.0], [67, 61])
    customers["noise"] = np.where(labels, 9.99, 9.989999999999998)
    personas = labelled(customers, labels, roles={"total": "monetary", "noise": "frequency"})
    for action in plan_actions("development", personas).actions:
        assert "noise: 9.99 on average, against 9.99 elsewhere; " in action.because


def test_own_actions_stand_in_place_of_what_the_rules_recommend(cells):
    said = {"Champions": "Invite them", 1: {"action": "Thank them", "advice": "By a card."}}
    plan, before = plan_actions("retention", cells, actions=said), plan_actions("retention", cells)
    own = [cells.segmentation.segment_names.index("Champions"), 1]
    assert [str(plan.actions[segment]) for segment in own] == ["Invite them.", "Thank them: By a card."]
    assert plan.actions[own[0]].to_dict() == {"action": "Invite them", "advice": "", "because": ""}
    others = [segment for segment in range(len(before.actions)) if segment not in own]
    assert [plan.actions[segment] for segment in others] == [before.actions[segment] for segment in others]
    assert "Champions: invite them;" in str(plan)


@pytest.mark.parametrize("key", [99, "99", "Champion", -1, True])
def test_an_own_action_of_no_segment_names_those_that_there_are(cells, key):
    with pytest.raises(InvalidParameterError, match=f"unknown segment in actions '{key}'; known: '0 \\("):
        plan_actions("retention", cells, actions={key: "x"})


def test_own_actions_are_not_counted_among_the_same_advice():
    customers, labels = purchases(np.random.RandomState(0), [10, 10.1, 10.2], [60, 60, 60])
    alike = plan_actions("pricing", labelled(customers, labels))
    assert sum(NO_DIFFERENCE in action.advice for action in alike.actions) in (0, 2, 3)
    told = plan_actions("pricing", labelled(customers, labels), actions={0: "A", 1: "A", 2: "A"})
    assert [str(action) for action in told.actions] == ["A."] * 3

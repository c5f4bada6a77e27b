"""Goals as data: order of segments, headline characteristics and rules for the recommended action."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from custseg._core.asking import asks
from custseg._core.results import Result
from custseg.exceptions import InvalidParameterError
from custseg.targeting._facts import LEAVING, OUTCOME, ActionRule, SegmentFacts, reason
from custseg.targeting._named import by_name

# A segment whose share of value is 1.2 times its share of customers is worth more than average.
HIGH_VALUE = 1.2
# Half a standard deviation: a medium effect in Cohen's (1988) convention.
CLEAR_EFFECT = 0.5
# Cohen's small effect, from which a trait may name a segment: what is called lapsed is treated as lapsed.
SLIGHT_EFFECT = 0.2


@dataclass(frozen=True, kw_only=True, repr=False)
class Action(Result):
    """What to do about a segment.

    Attributes
    ----------
    action : str
        The action in two or three words.
    advice : str
        How to go about it; empty where the user said nothing of it.
    because : str
        The facts that called for it.
    """

    action: str
    advice: str
    because: str

    def __str__(self) -> str:
        # the advice is a sentence already
        because = f" ({self.because})" if self.because else ""
        return f"{self.action}{because}{f': {self.advice}' if self.advice else '.'}"


@dataclass(frozen=True, kw_only=True)
class Goal:
    """What a company wants of its segmentation.

    Attributes
    ----------
    name : str
        The word used in a brief.
    question : str
        The question that the segments answer.
    order_by : str or None
        The characteristic whose mean orders the segments, highest first; None for the largest first.
    headline : tuple of str
        The characteristics shown first.
    rules : tuple of ActionRule
        The first rule that matches a segment gives its action, where all that it and those before it ask for is known;
        the last one matches what the others did not.
    by_name : mapping of str to ActionRule, default={}
        For segments with these names, those of the RFM presets, their action.
    outcome_rules : tuple of ActionRule, default=()
        What comes before all others where an outcome is known that says who leaves.
    """

    name: str
    question: str
    order_by: str | None
    headline: tuple[str, ...]
    rules: tuple[ActionRule, ...]
    by_name: Mapping[str, ActionRule] = field(default_factory=dict)
    outcome_rules: tuple[ActionRule, ...] = ()


GOALS: tuple[Goal, ...] = (
    Goal(
        name="retention",
        question="Which customers are slipping away, and which of them are worth keeping?",
        order_by="recency",
        headline=("recency", "frequency", "monetary", "tenure"),
        rules=(
            ActionRule(
                "Win back first",
                "Contact them personally and offer what they used to buy; measure the return against a control group.",
                {"value_index": HIGH_VALUE, "recency": CLEAR_EFFECT},
            ),
            ActionRule(
                "Win back first",
                "Write to them personally before the silence grows; measure the return against a control group.",
                {"value_index": HIGH_VALUE, "recency": SLIGHT_EFFECT},
            ),
            ActionRule(
                "Protect",
                "Reward them with service rather than discounts, and watch for a longer silence than usual.",
                {"value_index": HIGH_VALUE},
            ),
            ActionRule(
                "Reactivate at low cost",
                "Send one automated reminder, and nothing dearer.",
                {"recency": CLEAR_EFFECT},
            ),
            ActionRule(
                "Reactivate at low cost",
                "Add a reminder to the next message that goes to everyone.",
                {"recency": SLIGHT_EFFECT},
            ),
            ActionRule("Keep in touch", "Write to them as to everyone; make no offer of their own."),
        ),
        by_name=by_name("retention"),
        outcome_rules=(
            ActionRule(
                "Act before they leave",
                "Ask some who left why, and test one remedy on those who are still here against a control group.",
                {LEAVING: SLIGHT_EFFECT},
            ),
            ActionRule(
                "Learn why they stay",
                "Ask them what they value, and make them no offer to stay.",
                at_most={LEAVING: -SLIGHT_EFFECT},
            ),
        ),
    ),
    Goal(
        name="acquisition",
        question="Whom should new customers resemble, and who can bring them?",
        order_by="monetary",
        headline=("monetary", "frequency", "recency"),
        rules=(
            ActionRule(
                "Find look-alikes and ask for referrals",
                "Use the segment as the seed of a prospect search and reward referrals.",
                {"value_index": HIGH_VALUE},
            ),
            ActionRule(
                "Reach broadly",
                "Reach prospects like them through channels whose cost per contact is low.",
                {"value_index": 0.8, "share": 0.25},
            ),
            ActionRule(
                "Take as they come",
                "Welcome prospects like them, and make no search for them.",
                {"value_index": 0.8},
            ),
            ActionRule(
                "Do not seek more of these", "Spend the acquisition budget on prospects that resemble other segments."
            ),
        ),
        by_name=by_name("acquisition"),
    ),
    Goal(
        name="development",
        question="Where can an assortment or a product grow with the customers we have?",
        order_by="frequency",
        headline=("frequency", "monetary", "recency"),
        rules=(
            ActionRule(
                "Develop with them",
                "Invite them to tests, offer first access and premium variants.",
                {"frequency": CLEAR_EFFECT, "monetary": CLEAR_EFFECT},
            ),
            ActionRule(
                "Grow the basket",
                "Offer bundles and complements at the point of purchase.",
                {"frequency": CLEAR_EFFECT},
            ),
            ActionRule(
                "Raise the frequency",
                "Send reminders at the usual interval, offer subscriptions.",
                {"monetary": CLEAR_EFFECT},
            ),
            ActionRule("Ask before investing", "Interview a few before you build anything for them."),
        ),
        by_name=by_name("development"),
    ),
    Goal(
        name="pricing",
        question="Who pays how much, and where is a price to be tested?",
        order_by="monetary",
        headline=("monetary", "frequency", "recency"),
        rules=(
            ActionRule(
                "Test a premium price",
                "Test a higher-priced variant before any discount.",
                {"monetary": CLEAR_EFFECT},
            ),
            ActionRule(
                "Test an entry price",
                "Test a smaller pack or an entry price.",
                at_most={"monetary": -CLEAR_EFFECT},
            ),
            ActionRule("Hold the price", "Survey price sensitivity before you change the price."),
        ),
        by_name=by_name("pricing"),
    ),
    Goal(
        name="advertising",
        question="Whom does a message reach, and through how broad a channel?",
        order_by=None,
        headline=("recency", "frequency", "monetary"),
        rules=(
            ActionRule(
                "Broad channel",
                "Choose a broad channel by its cost per thousand contacts.",
                {"share": 0.25},
            ),
            ActionRule(
                "Narrow channel, full message",
                "Address them directly, with a message made for them.",
                {"value_index": HIGH_VALUE},
            ),
            ActionRule("Reach along the way", "Make no campaign of their own; let those for others reach them."),
        ),
        by_name=by_name("advertising"),
    ),
)


@asks
def find_goal(name: str) -> Goal:
    """Return the goal of that name.

    Parameters
    ----------
    name : str
        ``"retention"``, ``"acquisition"``, ``"development"``, ``"pricing"`` or ``"advertising"``.

    Returns
    -------
    Goal
        The goal.

    Raises
    ------
    InvalidParameterError
        If there is no such goal.

    Examples
    --------
    >>> from custseg.targeting import find_goal
    >>> find_goal("retention").order_by
    'recency'
    """
    for goal in GOALS:
        if goal.name == name:
            return goal
    raise InvalidParameterError.unknown_name("goal", name, [goal.name for goal in GOALS])


# for a segment without customers, such as that of a rule which nobody meets
_NOBODY = Action(action="Nothing to do", advice="Nobody is in this segment now.", because="")
# for one that holds everyone: what is done for all sets nobody apart
_EVERYBODY = Action(action="No action of its own", advice="Everyone is in this segment.", because="")
# What tells each fact, for a reader who is to add it.
_TOLD_BY = {
    "value_index": "what customers are worth",
    "share": "how many they are",
    "recency": "when they last bought",
    "frequency": "how often they buy",
    "monetary": "what they spend",
    "tenure": "how long they have been customers",
}


def recommend(goal: str | Goal, facts: SegmentFacts) -> Action:
    """Return the recommended action for a segment: the first rule of the goal that its facts meet.

    Parameters
    ----------
    goal : str or Goal
        The goal of the brief.
    facts : SegmentFacts
        What was computed for the segment.

    Returns
    -------
    Action
        Action, advice and the figures that called for it. Where a fact that a rule asks for is not known, no later rule
        speaks, and the action is to add the table that tells it. There is no action for a segment that holds nobody,
        or everyone.

    Raises
    ------
    InvalidParameterError
        If there is no such goal.

    Examples
    --------
    >>> from custseg.targeting import SegmentFacts, recommend
    >>> print(recommend("retention", SegmentFacts(share=0.1, value_share=0.3, effects={"recency": 0.9})))
    Win back first (worth 3.0 times the average customer; recency 0.90 standard deviations above everyone else): \
Contact them personally and offer what they used to buy; measure the return against a control group.
    >>> recommend("retention", SegmentFacts(share=0.1)).action
    'Not enough is known: add purchases'
    """
    goal = find_goal(goal) if isinstance(goal, str) else goal
    if facts.share in (0, 1):
        return _EVERYBODY if facts.share else _NOBODY
    if (rule := next((rule for rule in goal.outcome_rules if rule.matches(facts)), None)) is not None:
        return _action(rule, facts, ("value_index",))
    if (rule := goal.by_name.get(facts.name)) is not None:
        return _action(rule, facts, ("value_index", *goal.headline))
    return _by_rules(goal, facts)


def _by_rules(goal: Goal, facts: SegmentFacts) -> Action:
    """Try the rules in order, as long as all that they ask for is known."""
    asked: list[str] = []
    for rule in goal.rules:
        asked += rule.asked
        absent = [fact for fact in dict.fromkeys(rule.asked) if facts[fact] is None]
        for why in _ASK_WHY if absent or not rule.asked else ():
            if why.matches(facts):
                return _action(why, facts, asked)
        if absent:
            return _unknown(absent, facts, asked)
        if rule.matches(facts):
            return _action(rule, facts, asked)
    return _action(ActionRule("No action", "No rule of this goal speaks of the segment."), facts, asked)


# what comes of an outcome of which nobody said whether more is better
_ASK_WHY = (
    ActionRule(
        "Ask why it is higher here",
        "Find out why the outcome is higher here than elsewhere before you treat them as others.",
        {OUTCOME: SLIGHT_EFFECT},
    ),
    ActionRule(
        "Ask why it is lower here",
        "Find out why the outcome is lower here than elsewhere before you treat them as others.",
        at_most={OUTCOME: -SLIGHT_EFFECT},
    ),
)


def _action(rule: ActionRule, facts: SegmentFacts, asked: Iterable[str]) -> Action:
    return Action(action=rule.action, advice=rule.advice, because=reason(facts, (OUTCOME, *asked)))


def _unknown(absent: Sequence[str], facts: SegmentFacts, asked: Iterable[str]) -> Action:
    words = " and ".join(_TOLD_BY.get(fact, f"the {fact}") for fact in absent)
    advice = (
        f"A table of purchases (RFMFeaturizer) tells {words}; or say which columns do, by their roles or by the value "
        "of the brief."
    )
    return Action(action="Not enough is known: add purchases", advice=advice, because=reason(facts, (OUTCOME, *asked)))


def goals_to_frame() -> pd.DataFrame:
    """Return every goal with its rules as a table, in the order in which they are tried.

    Returns
    -------
    pandas.DataFrame
        Columns ``goal, question, order_by, condition, action, advice``.

    Examples
    --------
    >>> from custseg.targeting import goals_to_frame
    >>> goals_to_frame().query("goal == 'pricing'")["action"].tolist()
    ['Test a premium price', 'Test an entry price', 'Hold the price']
    """
    rows: list[dict[str, Any]] = [
        {
            "goal": goal.name,
            "question": goal.question,
            "order_by": goal.order_by or "size",
            "condition": rule.condition(),
            "action": rule.action,
            "advice": rule.advice,
        }
        for goal in GOALS
        for rule in goal.rules
    ]
    return pd.DataFrame(rows)


def named_actions_to_frame() -> pd.DataFrame:
    """Return what each goal asks of the segments that bear a name of the RFM presets.

    Returns
    -------
    pandas.DataFrame
        Columns ``goal, name, action, advice``, one row per goal and name.

    Examples
    --------
    >>> from custseg.targeting import named_actions_to_frame
    >>> named_actions_to_frame().query("goal == 'retention' and name == 'At Risk'")["action"].tolist()
    ['Win back']
    """
    rows = [
        {"goal": goal.name, "name": name, "action": rule.action, "advice": rule.advice}
        for goal in GOALS
        for name, rule in goal.by_name.items()
    ]
    return pd.DataFrame(rows)

"""Goals as data: order of segments, headline characteristics and rules for the recommended action."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from custseg._core.asking import asks
from custseg._core.results import Result
from custseg.exceptions import InvalidParameterError

# A segment whose share of value is 1.2 times its share of customers is worth more than average.
HIGH_VALUE = 1.2
# Half a standard deviation: a medium effect in Cohen's (1988) convention.
CLEAR_EFFECT = 0.5

# What a rule may look at, in the words of the documentation.
_FACT_WORDS = {
    "share": "share of customers",
    "value_index": "share of value / share of customers",
    "recency": "effect on recency",
    "frequency": "effect on frequency",
    "monetary": "effect on monetary",
    "tenure": "effect on tenure",
}

# Facts that are effects of the characteristic that bears the role.
FACT_ROLES = ("recency", "frequency", "monetary", "tenure")


@dataclass(frozen=True, kw_only=True)
class SegmentFacts:
    """What the rules know of a segment.

    Parameters
    ----------
    share : float
        Its share of the customers, in [0, 1]; 0 where a rule defines it and nobody meets the rule.
    value_share : float or None, default=None
        Its share of the value of all customers; None where no value is known.
    effects : mapping of str to float, default={}
        Characteristic (``"recency"``, ``"frequency"``, ...) to Hedges g of the segment against
        everyone else.

    Examples
    --------
    >>> from custseg.targeting import SegmentFacts
    >>> SegmentFacts(share=0.2, value_share=0.5, effects={"recency": -0.8})["value_index"]
    2.5
    """

    share: float
    value_share: float | None = None
    effects: Mapping[str, float] = field(default_factory=dict)

    def __getitem__(self, fact: str) -> float | None:
        if fact == "share":
            return self.share
        if fact == "value_index":
            return None if self.value_share is None or not self.share else self.value_share / self.share
        return self.effects.get(fact)


@dataclass(frozen=True)
class ActionRule:
    """One row of a goal's table: lower and upper bounds on facts, and the action they call for."""

    action: str
    advice: str
    at_least: Mapping[str, float] = field(default_factory=dict)
    at_most: Mapping[str, float] = field(default_factory=dict)

    def matches(self, facts: SegmentFacts) -> bool:
        """Say whether every bound holds; a fact that is not known meets no bound."""
        return all((value := facts[fact]) is not None and value >= low for fact, low in self.at_least.items()) and all(
            (value := facts[fact]) is not None and value <= high for fact, high in self.at_most.items()
        )

    def condition(self) -> str:
        """Return the bounds in words."""
        parts = [f"{_FACT_WORDS[fact]} >= {low:g}" for fact, low in self.at_least.items()]
        parts += [f"{_FACT_WORDS[fact]} <= {high:g}" for fact, high in self.at_most.items()]
        return " and ".join(parts) or "otherwise"


@dataclass(frozen=True, kw_only=True, repr=False)
class Action(Result):
    """What to do about a segment.

    Attributes
    ----------
    action : str
        The action in two or three words.
    advice : str
        How to go about it.
    because : str
        The facts that called for it.
    """

    action: str
    advice: str
    because: str

    def __str__(self) -> str:
        # the advice is a sentence already
        because = f" ({self.because})" if self.because else ""
        return f"{self.action}{because}: {self.advice}"


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
        The first rule that matches a segment gives its action; the last one always matches.
    """

    name: str
    question: str
    order_by: str | None
    headline: tuple[str, ...]
    rules: tuple[ActionRule, ...]


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
                "Protect",
                "Reward loyalty with service rather than discounts, and watch for a longer silence than usual.",
                {"value_index": HIGH_VALUE},
            ),
            ActionRule(
                "Reactivate at low cost",
                "Send one automated reminder, then stop: the value at stake does not pay for more.",
                {"recency": CLEAR_EFFECT},
            ),
            ActionRule("Keep in touch", "Regular communication is enough; a discount would be given away."),
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
                "Average value in large numbers: use channels whose cost per contact is low.",
                {"value_index": 0.8, "share": 0.25},
            ),
            ActionRule(
                "Do not seek more of these", "Spend no acquisition budget on prospects that resemble this segment."
            ),
        ),
    ),
    Goal(
        name="development",
        question="Where can an assortment or a product grow with the customers we have?",
        order_by="frequency",
        headline=("frequency", "monetary", "recency"),
        rules=(
            ActionRule(
                "Develop with them",
                "Frequent and high-spending: invite them to tests, offer first access and premium variants.",
                {"frequency": CLEAR_EFFECT, "monetary": CLEAR_EFFECT},
            ),
            ActionRule(
                "Grow the basket",
                "They come often: bundles and complements at the point of purchase.",
                {"frequency": CLEAR_EFFECT},
            ),
            ActionRule(
                "Raise the frequency",
                "They spend much when they come: reminders at the usual interval, subscriptions.",
                {"monetary": CLEAR_EFFECT},
            ),
            ActionRule("Ask before investing", "Neither frequent nor high-spending: interview a few before you build."),
        ),
    ),
    Goal(
        name="pricing",
        question="Who pays how much, and where is a price to be tested?",
        order_by="monetary",
        headline=("monetary", "frequency", "recency"),
        rules=(
            ActionRule(
                "Test a premium price",
                "They spend clearly more per purchase: test a higher-priced variant before any discount.",
                {"monetary": CLEAR_EFFECT},
            ),
            ActionRule(
                "Test an entry price",
                "They spend clearly less per purchase: test a smaller pack or an entry price.",
                at_most={"monetary": -CLEAR_EFFECT},
            ),
            ActionRule(
                "Hold the price", "Spending is near the average: survey price sensitivity before changing anything."
            ),
        ),
    ),
    Goal(
        name="advertising",
        question="Whom does a message reach, and through how broad a channel?",
        order_by=None,
        headline=("recency", "frequency", "monetary"),
        rules=(
            ActionRule(
                "Broad channel",
                "Large enough for a broad channel: choose it by cost per thousand contacts.",
                {"share": 0.25},
            ),
            ActionRule(
                "Narrow channel, full message",
                "Small but valuable: address it directly, with a message made for it.",
                {"value_index": HIGH_VALUE},
            ),
            ActionRule("Reach along the way", "Small and of average value or less: no campaign of its own."),
        ),
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
        Action, advice and the facts that called for it; of a segment without customers, that there is nothing to do.

    Raises
    ------
    InvalidParameterError
        If there is no such goal.

    Examples
    --------
    >>> from custseg.targeting import SegmentFacts, recommend
    >>> recommend("retention", SegmentFacts(share=0.1, value_share=0.3, effects={"recency": 0.9})).action
    'Win back first'
    """
    goal = find_goal(goal) if isinstance(goal, str) else goal
    if facts.share == 0:
        return _NOBODY
    rule = next(rule for rule in goal.rules if rule.matches(facts))
    return Action(action=rule.action, advice=rule.advice, because=_because(rule, facts))


def _because(rule: ActionRule, facts: SegmentFacts) -> str:
    # Where the last rule speaks, every fact that an earlier one asked for is of interest.
    asked = [*rule.at_least, *rule.at_most] or [*_FACT_WORDS]
    known = [f"{_FACT_WORDS[fact]} {value:.2f}" for fact in asked if (value := facts[fact]) is not None]
    return "; ".join(known)


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

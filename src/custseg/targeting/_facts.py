"""What the rules of a goal know of a segment, and what they ask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from custseg._core.words import format_share

__all__ = ["FACT_ROLES", "LEAVING", "OUTCOME", "ActionRule", "SegmentFacts", "deviations", "reason", "times_average"]

OUTCOME, LEAVING = "outcome", "leaving"

# What a rule may look at, in the words of the documentation.
_FACT_WORDS = {
    "share": "share of customers",
    "value_index": "share of value / share of customers",
    "recency": "effect on recency",
    "frequency": "effect on frequency",
    "monetary": "effect on monetary",
    "tenure": "effect on tenure",
    OUTCOME: "effect on the outcome",
    LEAVING: "effect on leaving",
}

# Facts that are effects of the characteristic that bears the role.
FACT_ROLES = ("recency", "frequency", "monetary", "tenure")

# So many standard deviations apart the figures of two groups hardly meet.
_FAR = 4.0


@dataclass(frozen=True, kw_only=True)
class SegmentFacts:
    """What the rules know of a segment.

    Parameters
    ----------
    name : str, default=""
        Its name. For the names of the RFM presets each goal has an action of its own.
    share : float
        Its share of the customers, in [0, 1]; 0 where a rule defines it and nobody meets the rule.
    value_share : float or None, default=None
        Its share of the value of all customers; None where no value is known.
    effects : mapping of str to float, default={}
        Characteristic (``"recency"``, ``"frequency"``, ...) to Hedges g of the segment against everyone else.
        ``"outcome"`` is that of what the company wants or fears, and ``"leaving"`` its effect turned so that more is
        more who leave; either is 0 where the difference may be chance.
    figures : mapping of str to str, default={}
        Fact to its figures in words, as a reason gives them; a fact without is told by its effect.

    Examples
    --------
    >>> from custseg.targeting import SegmentFacts
    >>> SegmentFacts(share=0.2, value_share=0.5, effects={"recency": -0.8})["value_index"]
    2.5
    """

    name: str = ""
    share: float
    value_share: float | None = None
    effects: Mapping[str, float] = field(default_factory=dict)
    figures: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, fact: str) -> float | None:
        if fact == "share":
            return self.share
        if fact == "value_index":
            return None if self.value_share is None or not self.share else self.value_share / self.share
        return self.effects.get(fact)


def reason(facts: SegmentFacts, asked: Iterable[str]) -> str:
    """Return the figures of these facts in words; of one that is not known nothing, unless it is said why."""
    return "; ".join(words for fact in dict.fromkeys(asked) if (words := _words(facts, fact)))


def _words(facts: SegmentFacts, fact: str) -> str:
    value = facts[fact]
    if fact in facts.figures or value is None:
        return facts.figures.get(fact, "")
    if fact == "share":
        return f"{format_share(value)} of the customers"
    if fact == "value_index":
        return times_average(value)
    return f"{fact} {deviations(value, 'above', 'below')} everyone else"


def deviations(effect: float, more: str, less: str) -> str:
    """Say how large an effect is; where hardly anybody is like those of the other side, that it is far.

    Examples
    --------
    >>> deviations(-0.5, "more", "less"), deviations(float("inf"), "more", "less")
    ('0.50 standard deviations less', 'far more')
    """
    way = less if effect < 0 else more
    return f"far {way}" if abs(effect) >= _FAR else f"{abs(effect):.2f} standard deviations {way}"


def times_average(index: float) -> str:
    """Say how much a segment's customer is worth, to two digits.

    Examples
    --------
    >>> [times_average(index) for index in (3.04, 0.087, 12.3)]
    ['worth 3.0 times the average customer', 'worth 0.087 times the average customer', \
'worth 12 times the average customer']
    """
    text = f"{index:,.0f}" if abs(index) >= 10 else f"{index:#.2g}"
    return f"worth {text} times the average customer"


@dataclass(frozen=True)
class ActionRule:
    """One row of a goal's table: lower and upper bounds on facts, and the action they call for."""

    action: str
    advice: str
    at_least: Mapping[str, float] = field(default_factory=dict)
    at_most: Mapping[str, float] = field(default_factory=dict)

    @property
    def asked(self) -> tuple[str, ...]:
        """The facts that it looks at."""
        return (*self.at_least, *self.at_most)

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

"""What a persona holds beside its traits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from custseg._core.results import Result

__all__ = ["BESIDE", "REACHED_BY", "SECTIONS", "TIMED_BY", "UNKNOWN_SECTION", "Need", "Prevalence"]

UNKNOWN_SECTION = "What else sets them apart"
SECTIONS = {
    "What they do": ("behavioural", "social"),
    "Who they are": ("demographic", "geographic"),
    "What they think": ("psychographic",),
    UNKNOWN_SECTION: ("",),
}
"""Heading to the criteria of the traits that stand under it."""

REACHED_BY = frozenset({"channel", "path", "platform", "response_by_channel", "response_by_type"})
TIMED_BY = frozenset({"timing"})
BESIDE = REACHED_BY | TIMED_BY
"""The roles of traits that say where and when to reach them, and stand in no section."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Need(Result):
    """What matters to a segment, or how well it is served, against everyone else.

    Attributes
    ----------
    label : str
        The item in words.
    kind : {"need", "concern", "strength", "weakness"}
        A need is surely more important to them than to everyone, a strength or weakness surely satisfies them more or
        less; a concern is surely important and surely not satisfied. See :func:`needs_by_segment`.
    here, elsewhere : float
        The mean in the segment and of everyone else: of importance for needs and concerns, else of satisfaction.
    text : str
        The same in words, plain text.
    """

    label: str
    kind: Literal["need", "concern", "strength", "weakness"]
    here: float
    elsewhere: float
    text: str

    def __str__(self) -> str:
        return f"{self.text}."


@dataclass(frozen=True, kw_only=True, repr=False)
class Prevalence(Result):
    """How many fit a description: the share of customers falls with every trait that is put into it.

    Attributes
    ----------
    labels : tuple of str
        Up to three traits that are numbers or shares, the strongest first.
    shares : tuple of float
        For each the share of the segment that is on its side of halfway between the segment and everyone else.
    here, elsewhere : float
        The share of the segment, and of everyone else, on that side in all of them.
    in_segment : float
        Of all customers on that side in all of them the share that is in this segment.
    text : str
        The same in words, plain text.

    Notes
    -----
    A customer is on the segment's side of halfway beyond (h + r)/2 in the direction of the effect, h the figure of the
    segment and r that of everyone else, mean or median as the trait says; of a share, by having the level where it is
    more common in the segment, and by not having it where it is less. All shares are of the customers of whom all of
    the traits are known. A trait is passed over where one of the groups that the figures tell apart would have fewer
    than ``min_group_size`` customers in it and not none: those on its side, the others, those on its side but not in
    all, and those of whom it is known but not all of them; here or elsewhere.
    """

    labels: tuple[str, ...]
    shares: tuple[float, ...]
    here: float
    elsewhere: float
    in_segment: float
    text: str

    def __str__(self) -> str:
        return f"{self.text}."

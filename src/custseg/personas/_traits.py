"""Traits and personas: the figures of a profile as small plain objects with a text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Self

import pandas as pd

from custseg._core.characteristic import Characteristic
from custseg._core.coverage import KNOWN_OF_HALF, known_of
from custseg._core.results import Result
from custseg._core.visible import visible
from custseg._core.words import (
    decimals_of,
    format_alike,
    format_lift,
    format_numbers,
    format_points,
    format_shares,
    is_year,
    plain,
    round_digits,
    unit_beside,
)
from custseg.personas._parts import BESIDE, SECTIONS, Need, Prevalence

FALSE_DISCOVERY_RATE = 0.05
"""A difference is a trait where its adjusted p-value is at most this ..."""
SMALL_EFFECT = 0.2
"""... and its effect at least Cohen's "small": in large samples even trifles pass every test."""

_SAME_EFFECT = 9
# The traits that a sentence or a name is made of.
_FIRST = 2
_IN_SECTION = 4


@dataclass(frozen=True, kw_only=True, repr=False)
class Trait(Result):
    """One way in which a segment differs from everyone else.

    Attributes
    ----------
    characteristic : str
        The column.
    label : str
        Its name for readers.
    kind : {"numeric", "binary", "ordinal", "nominal"}
        What its values are.
    level : str or None
        The category that is more or less common here; None for numbers.
    statistic : {"mean", "median", "share"}
        What is compared.
    segment_value, rest_value : float or str
        Here and among everyone else, in original units; the median of an ordered category is its name.
    effect_size : float
        Hedges g of the segment against everyone else.
    v_test, p_value, p_adjusted : float
        How sure the difference is; ``p_adjusted`` after Benjamini and Hochberg over all tests of the fit.
    lift : float or None
        Share here over the share among all customers; None unless ``statistic`` is "share".
    difference_pp : float or None
        Share here minus share elsewhere in percentage points; None unless ``statistic`` is "share".
    marker : bool
        Whether the share meets the marker rule of the field, see :func:`is_marker`.
    clustered_on : bool
        Whether the column formed the segments: then its p-value is circular.
    text : str
        The difference in words, plain text.
    known_share, known_share_rest : float
        The share of customers here and elsewhere of whom it is known; the text says so where it is under 80%.
    criterion : str
        "demographic", "geographic", "behavioural", "psychographic" or "social"; empty where not known.
    role : str or None
        What the column says of a customer, one of the roles of ``describe()``; None where not known.
    unit : str
        The unit of its numbers; empty where it has none, or it is not known.
    also : tuple of str
        What else says the same: labels of other characteristics that rank the customers as this one does, and are
        told with it.
    """

    characteristic: str
    label: str
    kind: str
    level: str | None
    statistic: str
    segment_value: float | str
    rest_value: float | str
    effect_size: float
    v_test: float
    p_value: float
    p_adjusted: float
    lift: float | None
    difference_pp: float | None
    marker: bool
    clustered_on: bool
    text: str
    known_share: float = 1.0
    known_share_rest: float = 1.0
    criterion: str = ""
    role: str | None = None
    unit: str = ""
    also: tuple[str, ...] = ()

    @property
    def known_of_half(self) -> bool:
        """Whether it is known of at least half of the customers, here and elsewhere."""
        return min(self.known_share, self.known_share_rest) >= KNOWN_OF_HALF

    @property
    def note(self) -> str:
        """Of how many it is known, in words, where that is under 80%; else empty."""
        return known_of(self.known_share, self.known_share_rest)

    def __str__(self) -> str:
        return f"{self.text}{' (formed the segments, so its p-value is circular)' if self.clustered_on else ''}."


@dataclass(frozen=True, kw_only=True, repr=False)
class Persona(Result):
    """One segment as a person would describe it.

    Attributes
    ----------
    segment : int
        The label of the segment.
    name : str
        A short name, unique among the personas; plain text.
    n_customers : int or None
        Its size; None where the persona is suppressed.
    share : float or None
        Its share of all assigned customers; None where the persona is suppressed.
    traits : tuple of Trait
        The strongest first.
    typical_customer : dict
        Median or mode of each characteristic: a synthetic profile, nobody's record. None where it is
        known of less than half of the customers, or of too few. Empty where the persona is suppressed.
    summary : str
        One sentence.
    suppressed : bool
        Whether the segment has too few customers to be described without exposing them.
    size : str
        Its size in words: a number of customers, or "fewer than" the smallest size described.
    known_shares : dict
        Of the characteristics that are known of less than 80% of the customers, but not of too few to be told: of what
        share.
    further_traits : tuple of Trait
        Those that came after ``traits``, the strongest first.
    where_to_reach, when : tuple of Trait
        Traits that say through which channels, paths and platforms they are met, and when they buy.
    needs : tuple of Need
        What matters to them and how well they are served, where customers were asked.
    prevalence : Prevalence or None
        How many fit the first traits; None where it would tell of too few customers.
    like_everyone : tuple of str
        Labels of characteristics in which they are like everyone else although another segment is not.
    known_of_few : tuple of str
        What is known of less than 80% of them, and of how many.
    answering_style : str
        A sentence where their traits may be a way of answering rather than a kind of customer; else empty.
    """

    segment: int
    name: str
    n_customers: int | None
    share: float | None
    traits: tuple[Trait, ...]
    typical_customer: Mapping[str, Any]
    summary: str
    suppressed: bool
    size: str
    known_shares: Mapping[str, float] = field(default_factory=dict)
    further_traits: tuple[Trait, ...] = ()
    where_to_reach: tuple[Trait, ...] = ()
    when: tuple[Trait, ...] = ()
    needs: tuple[Need, ...] = ()
    prevalence: Prevalence | None = None
    like_everyone: tuple[str, ...] = ()
    known_of_few: tuple[str, ...] = ()
    answering_style: str = ""

    @property
    def sections(self) -> tuple[tuple[str, tuple[Trait, ...]], ...]:
        """Headings with the traits under each, at most four, the strongest first: what they do, are and think."""
        told = [trait for trait in (*self.traits, *self.further_traits) if trait.role not in BESIDE]
        sections = {
            heading: tuple(trait for trait in told if trait.criterion in criteria)[:_IN_SECTION]
            for heading, criteria in SECTIONS.items()
        }
        return tuple((heading, traits) for heading, traits in sections.items() if traits)

    @classmethod
    def of_nobody(cls, *, segment: int, name: str) -> Self:
        """Describe a segment without customers, such as that of a rule which nobody meets.

        Parameters
        ----------
        segment : int
            The label of the segment.
        name : str
            Its name.

        Returns
        -------
        Persona
            Of size 0, with nothing to tell.
        """
        return cls(
            segment=segment,
            name=name,
            n_customers=0,
            share=0.0,
            traits=(),
            typical_customer={},
            summary=f"{name}: no customers.",
            suppressed=False,
            size="0 customers",
        )

    @classmethod
    def of_too_few(cls, *, segment: int, name: str, min_group_size: int | None) -> Self:
        """Suppress a segment with too few customers to be described without exposing them.

        Parameters
        ----------
        segment : int
            The label of the segment.
        name : str
            Its name.
        min_group_size : int or None
            The smallest size described; None for a larger segment, of which nothing can be told without telling of
            smaller ones.

        Returns
        -------
        Persona
            Without size, traits and typical customer.
        """
        size = "a size not told" if min_group_size is None else f"fewer than {min_group_size} customers"
        return cls(
            segment=segment,
            name=name,
            n_customers=None,
            share=None,
            traits=(),
            typical_customer={},
            summary=f"{name}: {size}, not described so that nobody can be recognised.",
            suppressed=True,
            size=size,
        )

    def __str__(self) -> str:
        return self.summary

    def to_frame(self) -> pd.DataFrame:
        """Return the traits, one row each, the strongest first: the fields of :class:`Trait`."""
        columns = [field.name for field in fields(Trait)]
        return pd.DataFrame([trait.to_dict() for trait in self.traits], columns=columns)


def find_traits(profile: pd.DataFrame, columns: Mapping[str, Characteristic]) -> dict[int, list[Trait]]:
    """Return the traits of every segment, strongest first: one per characteristic, its strongest level.

    Effects that agree to nine digits count as equal and go by the names of the columns, so that neither their order nor
    the rounding of sums decides anything.
    """
    sure = (profile["p_adjusted"] <= FALSE_DISCOVERY_RATE) & (profile["effect_size"].abs() >= SMALL_EFFECT)
    told = profile[sure].to_dict("records")
    rows = sorted(told, key=lambda row: (-_strength(row["effect_size"]), row["characteristic"]))
    decimals = _decimals(profile)
    found: dict[int, dict[str, Trait]] = {int(segment): {} for segment in profile["segment"].unique()}
    for row in rows:
        name, traits = row["characteristic"], found[row["segment"]]
        if name not in traits:
            traits[name] = _trait(row, columns[name], decimals.get((name, row["statistic"]), 0))
    return {segment: [*traits.values()] for segment, traits in found.items()}


def _decimals(profile: pd.DataFrame) -> dict[tuple[str, str], int]:
    """Return how many decimals the means, and the medians, of each number have, the same in every segment."""
    columns = ("kind", "characteristic", "statistic", "segment_value", "rest_value")
    numbers: dict[tuple[str, str], list[float]] = defaultdict(list)
    for kind, name, statistic, *values in zip(*(profile[column].tolist() for column in columns), strict=True):
        if kind == "numeric":
            numbers[name, statistic] += values
    return {each: decimals_of(values) for each, values in numbers.items()}


def known_first(traits: Sequence[Trait]) -> list[Trait]:
    """Put what is known of less than half of the customers after the first two; without them there is none of it."""
    first = [trait for trait in traits if trait.known_of_half][:_FIRST]
    return [*first, *(trait for trait in traits if trait not in first)] if len(first) == _FIRST else first


def _strength(effect_size: float) -> float:
    return round_digits(abs(effect_size), _SAME_EFFECT)


def _trait(row: Mapping[Any, Any], column: Characteristic, decimals: int) -> Trait:
    is_share = row["statistic"] == "share"
    level = plain(row["level"]) if isinstance(row["level"], str) else None
    is_category = isinstance(row["segment_category"], str)
    here, rest = row["segment_value"], row["rest_value"]
    if is_category:
        here, rest = visible(row["segment_category"]), visible(row["rest_category"])
    if is_share:
        figures = _share_text("" if row["kind"] == "binary" else f"{level} ", here, rest, row["lift"])
    else:
        figures = _middle_text(row["statistic"], here, rest, column, decimals)
    known = {"known_share": 1.0 - row["missing_share"], "known_share_rest": 1.0 - row["missing_share_rest"]}
    note = known_of(*known.values())
    return Trait(
        characteristic=row["characteristic"],
        label=column.label,
        kind=row["kind"],
        level=level,
        statistic=row["statistic"],
        segment_value=here,
        rest_value=rest,
        effect_size=float(row["effect_size"]),
        v_test=float(row["v_test"]),
        p_value=float(row["p_value"]),
        p_adjusted=float(row["p_adjusted"]),
        lift=float(row["lift"]) if is_share else None,
        difference_pp=float(row["difference_pp"]) if is_share else None,
        marker=bool(row["marker"]),
        clustered_on=bool(row["clustered_on"]),
        text=f"{column.label}: {figures}{f', {note}' if note else ''}",
        criterion=column.criterion,
        role=column.role,
        unit=column.unit,
        **known,
    )


def _share_text(level: str, here: float, rest: float, lift: float) -> str:
    shown, elsewhere = format_shares(here, rest)
    return f"{level}{shown}, against {elsewhere} elsewhere ({format_points(here, rest)}, {format_lift(lift)})"


def _middle_text(statistic: str, here: Any, rest: Any, column: Characteristic, decimals: int) -> str:
    unit = ""
    if isinstance(here, str):
        shown, elsewhere = plain(here), plain(rest)
    elif column.unit == "share":
        shown, elsewhere = format_shares(here, rest)
    elif is_year(column.label, column.unit, (here, rest)):
        shown, elsewhere = (text.replace(",", "") for text in format_numbers(here, rest))
    else:
        shown, elsewhere = format_alike(here, rest, decimals)
        unit = unit_beside(column.label, column.unit)
    how = "on average" if statistic == "mean" else "at the median"
    return f"{shown}{unit} {how}, against {elsewhere} elsewhere"

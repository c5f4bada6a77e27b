"""A name for each persona from its strongest traits: readable, unique, the same every time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from custseg._core.words import feature_of
from custseg.personas._traits import Trait, same_effect

ALL_CUSTOMERS = "All customers"
ALL_OTHERS = "All other customers"
AVERAGE = "Average customers"
SMALL = "Small segment"

N_WORDS = 2
"""Traits in a name, unless two personas would then share it."""

# feature -> the word for much of it, the word for little of it
_KNOWN_WORDS = {
    "recency": ("lapsed", "recent"),
    "frequency": ("frequent", "occasional"),
    "monetary": ("high-spending", "low-spending"),
    "tenure": ("long-standing", "new"),
    "age": ("older", "younger"),
    "contacts": ("often contacted", "rarely contacted"),
    "response_rate": ("responsive", "unresponsive"),
    "coupons": ("coupon-redeeming", "few coupons"),
}


def describe(trait: Trait) -> str:
    """Say a trait in a word or two.

    A characteristic whose label still carries the member of a union (two members share the feature)
    keeps it, since "frequent" would not say where.
    """
    more = trait.effect_size > 0
    if trait.kind == "binary":
        return trait.label if more else f"not {trait.label}"
    if trait.kind == "nominal":
        return f"{trait.label}: {trait.level}" if more else f"{trait.label}: not {trait.level}"
    feature = feature_of(trait.characteristic).casefold()
    if feature in _KNOWN_WORDS and trait.label.casefold() == feature.replace("_", " "):
        return _KNOWN_WORDS[feature][0 if more else 1]
    if trait.kind == "ordinal":
        return f"{'higher' if more else 'lower'} {trait.label}"
    return f"{'high' if more else 'low'} {trait.label}"


def name_personas(traits: Mapping[int, Sequence[Trait]], suppressed: Sequence[int]) -> dict[int, str]:
    """Name every segment.

    Parameters
    ----------
    traits : mapping of int to sequence of Trait
        All traits, strongest first, of each segment that may be described.
    suppressed : sequence of int
        The segments too small to be described.

    Returns
    -------
    dict of int to str
        Unique names, in the order of the segments. Personas that would share a name all take their
        next trait, and the next; where traits run out, the later segments get a number.
    """
    words = {segment: _words(found) for segment, found in traits.items()}
    names = {segment: _joined(chosen) for segment, chosen in _distinct(words).items()}
    fallback = AVERAGE if len(traits) > 1 else ALL_OTHERS if suppressed else ALL_CUSTOMERS
    names = {segment: name or fallback for segment, name in names.items()}
    names.update(dict.fromkeys(suppressed, SMALL))
    return _numbered({segment: names[segment] for segment in sorted(names)})


def _words(traits: Sequence[Trait]) -> list[str]:
    told: list[Trait] = []
    for trait in traits:
        # An equal effect is a copy of a column or its complement: a second word for the same thing.
        if not any(same_effect(trait, earlier) for earlier in told):
            told.append(trait)
    return [describe(trait) for trait in told]


def _distinct(words: Mapping[int, list[str]]) -> dict[int, list[str]]:
    """Take two words each, and one more for all who share theirs, whatever the order, while that helps."""
    lengths = dict.fromkeys(words, N_WORDS)
    while True:
        alike = defaultdict(list)
        for segment, own in words.items():
            alike[frozenset(own[: lengths[segment]])].append(segment)
        extended = [
            segment
            for group in alike.values()
            if len(group) > 1
            for segment in group
            if lengths[segment] < len(words[segment])
        ]
        if not extended:
            return {segment: own[: lengths[segment]] for segment, own in words.items()}
        for segment in extended:
            lengths[segment] += 1


def _joined(words: Sequence[str]) -> str:
    text = ", ".join(words)
    return text[:1].upper() + text[1:]


def _numbered(names: Mapping[int, str]) -> dict[int, str]:
    taken: set[str] = set()
    unique: dict[int, str] = {}
    for segment, name in names.items():
        number, candidate = 1, name
        while candidate.casefold() in taken:
            number += 1
            candidate = f"{name} ({number})"
        taken.add(candidate.casefold())
        unique[segment] = candidate
    return unique

"""A name for each persona from its strongest traits: readable, unique, the same every time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from custseg._core.characteristic import Characteristic
from custseg._core.visible import visible
from custseg._core.words import humanise
from custseg.personas._traits import Trait, same_effect

ALL_CUSTOMERS = "All customers"
ALL_OTHERS = "All other customers"
AVERAGE = "Average customers"
SMALL = "Small segment"

N_WORDS = 2
"""Traits in a name, unless two personas would then share it."""

# role -> the word for much of it, the word for little of it
_ROLE_WORDS = {
    "recency": ("lapsed", "recent"),
    "frequency": ("frequent", "occasional"),
    "monetary": ("high-spending", "low-spending"),
    "tenure": ("long-standing", "new"),
    "age": ("older", "younger"),
    "contacts": ("often contacted", "rarely contacted"),
    "response": ("responsive", "unresponsive"),
    "coupons": ("coupon-redeeming", "few coupons"),
}


@dataclass(frozen=True, kw_only=True)
class Words:
    """What each column is called in a name, and which role it alone bears.

    ``columns`` are the columns in a word or two; ``roles`` the roles of columns that share theirs with no other: of
    two, "frequent" would not say where.
    """

    columns: Mapping[str, str]
    roles: Mapping[str, str]

    @classmethod
    def of(cls, names: Sequence[str], known: Iterable[Characteristic]) -> Words:
        """Read the roles; a column whose maker says none is what its whole name says, if that is one."""
        roles = {each.column: each.role for each in known}
        borne = {name: roles.get(name) or name for name in names}
        counts = Counter(borne.values())
        alone = {name: role for name, role in borne.items() if role in _ROLE_WORDS and counts[role] == 1}
        return cls(columns=humanise(names), roles=alone)


def describe(trait: Trait, words: Words) -> str:
    """Say a trait in a word or two."""
    more, column = trait.effect_size > 0, words.columns[trait.characteristic]
    if trait.kind == "binary":
        return column if more else f"not {column}"
    if trait.kind == "nominal":
        return f"{column}: {trait.level}" if more else f"{column}: not {trait.level}"
    if trait.characteristic in words.roles:
        return _ROLE_WORDS[words.roles[trait.characteristic]][0 if more else 1]
    if trait.kind == "ordinal":
        return f"{'higher' if more else 'lower'} {column}"
    return f"{'high' if more else 'low'} {column}"


def name_personas(traits: Mapping[int, Sequence[Trait]], suppressed: Sequence[int], words: Words) -> dict[int, str]:
    """Name every segment.

    Parameters
    ----------
    traits : mapping of int to sequence of Trait
        The traits that may name it, strongest first, of each segment that may be described.
    suppressed : sequence of int
        The segments too small to be described.
    words : Words
        What the columns are called.

    Returns
    -------
    dict of int to str
        Unique names, in the order of the segments. Personas that would share a name all take their
        next trait, and the next; where traits run out, the later segments get a number.
    """
    told = {segment: _told(found, words) for segment, found in traits.items()}
    names = {segment: _joined(chosen) for segment, chosen in _distinct(told).items()}
    fallback = AVERAGE if len(traits) > 1 else ALL_OTHERS if suppressed else ALL_CUSTOMERS
    names = {segment: name or fallback for segment, name in names.items()}
    names.update(dict.fromkeys(suppressed, SMALL))
    return _numbered({segment: names[segment] for segment in sorted(names)})


def seen_names(names: Mapping[int, str]) -> dict[int, str]:
    """Spell out what would steer a terminal, and keep names apart that are then alike."""
    seen = {segment: visible(name) for segment, name in names.items()}
    return seen if seen == dict(names) else _numbered(seen)


def _told(traits: Sequence[Trait], words: Words) -> list[str]:
    told: list[Trait] = []
    for trait in traits:
        # An equal effect is a copy of a column or its complement: a second word for the same thing.
        if not any(same_effect(trait, earlier) for earlier in told):
            told.append(trait)
    return [describe(trait, words) for trait in told]


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

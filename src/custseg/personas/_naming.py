"""A name for each persona from its strongest traits: readable, unique, the same every time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from custseg._core.own_words import find_segment
from custseg._core.visible import visible
from custseg.exceptions import InvalidParameterError
from custseg.personas._phrases import Words, describe, is_level_missing
from custseg.personas._traits import Trait

ALL_CUSTOMERS = "All customers"
ALL_OTHERS = "All other customers"
AVERAGE = "Average customers"
SMALL = "Small segment"

LONGEST_NAME = 32
"""A name has at most so many characters."""


def name_personas(
    traits: Mapping[int, Sequence[Trait]],
    suppressed: Sequence[int],
    words: Words,
    carried: Mapping[int, str] | None = None,
) -> dict[int, str]:
    """Name every segment.

    Parameters
    ----------
    traits : mapping of int to sequence of Trait
        The traits that may name it, strongest first, of each segment that may be described.
    suppressed : sequence of int
        The segments too small to be described.
    words : Words
        What the columns are called.
    carried : mapping of int to str, optional
        Names that segments bear already, which no other gets.

    Returns
    -------
    dict of int to str
        Unique names of at most ``LONGEST_NAME`` characters, in the order of the segments. Personas that would share a
        name all take the next of theirs; where these run out, the later segments get a number.
    """
    carried = carried or {}
    told = {segment: _told(found, words) for segment, found in traits.items() if segment not in carried}
    fallback = AVERAGE if len(traits) > 1 else ALL_OTHERS if suppressed else ALL_CUSTOMERS
    names = {segment: name or fallback for segment, name in _distinct(told, carried.values()).items()}
    names |= {segment: SMALL for segment in suppressed if segment not in carried}
    new = _numbered({segment: names[segment] for segment in sorted(names)}, LONGEST_NAME, carried.values())
    return dict(sorted({**carried, **new}.items()))


def own_names(names: Mapping[int, str], own: Sequence[str] | Mapping[Any, str] | None) -> dict[int, str]:
    """Put the user's own names, by segment number or by name, in place of those that segments have."""
    if own is None:
        return dict(names)
    given = [*names.values()]
    if not isinstance(own, Mapping):
        if len(own) != len(given):
            words = f"one name for each of {len(given)} segment(s), or a dict by segment"
            raise InvalidParameterError.not_allowed("names", words, list(own))
        own = dict(enumerate(own))
    found = dict(names)
    for key, name in own.items():
        found[find_segment(key, given, "names")] = name
    counts = Counter(found.values())
    if counts and max(counts.values()) > 1:
        raise InvalidParameterError.not_allowed("names", "such that no two segments bear the same name", found)
    return found


def is_generic(name: str) -> bool:
    """Say whether a name stands in for one: it says nothing of the segment that would still be true of another."""
    return name.partition(" (")[0] in (ALL_CUSTOMERS, ALL_OTHERS, AVERAGE, SMALL)


def seen_names(names: Mapping[int, str]) -> dict[int, str]:
    """Spell out what would steer a terminal, and keep names apart that are then alike."""
    seen = {segment: visible(name) for segment, name in names.items()}
    return seen if seen == dict(names) else _numbered(seen)


def _told(traits: Sequence[Trait], words: Words) -> list[str]:
    # what customers are not names them only where nothing else does
    told = [trait for trait in traits if not is_level_missing(trait)] or traits
    return list(dict.fromkeys(filter(None, (describe(trait, words) for trait in told))))


def _distinct(told: Mapping[int, list[str]], taken: Iterable[str] = ()) -> dict[int, str]:
    """Give each its first name; all who would share one, whatever the order of its words, take their next."""
    borne = {name.casefold() for name in taken}
    free = {
        segment: [choice for choice in _choices(words) if _joined(choice).casefold() not in borne]
        for segment, words in told.items()
    }
    choices = {segment: own or [()] for segment, own in free.items()}
    place = dict.fromkeys(told, 0)
    while True:
        alike = defaultdict(list)
        for segment, own in choices.items():
            alike[frozenset(own[place[segment]])].append(segment)
        moved = [
            segment
            for group in alike.values()
            if len(group) > 1
            for segment in group
            if place[segment] + 1 < len(choices[segment])
        ]
        if not moved:
            # those who share their last one too are told apart by numbers alone: of their strongest words
            place |= {segment: 0 for group in alike.values() if len(group) > 1 for segment in group}
            return {segment: _joined(own[place[segment]]) for segment, own in choices.items()}
        for segment in moved:
            place[segment] += 1


def _choices(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Yield the words of possible names: two traits of which one is the strongest, it alone, others; never too long."""
    words = [word if len(word) <= LONGEST_NAME else f"{word[: LONGEST_NAME - 1].rstrip()}…" for word in words]
    pairs = sorted(combinations(range(len(words)), 2), key=lambda pair: (pair[0] > 0, sum(pair), pair))
    fitting = [pair for pair in pairs if len(_joined([words[place] for place in pair])) <= LONGEST_NAME]
    alone = [(place,) for place in range(len(words))]
    with_first = [pair for pair in fitting if pair[0] == 0]
    for places in (*with_first, *alone[:1], *fitting[len(with_first) :], *alone[1:]):
        yield tuple(words[place] for place in places)


def _joined(words: Sequence[str]) -> str:
    text = ", ".join(words)
    return text[:1].upper() + text[1:]


def _numbered(names: Mapping[int, str], longest: int | None = None, borne: Iterable[str] = ()) -> dict[int, str]:
    taken = {name.casefold() for name in borne}
    unique: dict[int, str] = {}
    for segment, name in names.items():
        number, candidate = 1, name
        while candidate.casefold() in taken:
            number += 1
            ending = f" ({number})"
            candidate = f"{name if longest is None else name[: longest - len(ending)]}{ending}"
        taken.add(candidate.casefold())
        unique[segment] = candidate
    return unique

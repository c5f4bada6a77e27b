"""How many fit a description: the share of customers falls with every trait that is put into it.

A customer *meets* a trait on the segment's side of halfway: of numbers, beyond (h + r)/2 in the direction of the
effect, h the figure of the segment and r that of everyone else (mean or median, as the trait says); of shares, by
having the level where it is more common in the segment, and by not having it where it is less. Of ordered levels "this
or higher" is one. Counted over the customers of whom all of the traits are known:

    shares[i] = (segment, i met) / (segment)            here = (segment, all met) / (segment)
    elsewhere = (others, all met) / (others)      in_segment = (segment, all met) / (everyone, all met)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from custseg._core.arrays import Bools, Integers
from custseg._core.coverage import known_of
from custseg._core.words import format_share, plain
from custseg.personas._parts import Prevalence
from custseg.personas._phrases import Words, describe
from custseg.personas._profile import Profile
from custseg.personas._traits import Trait

__all__ = ["find_prevalence", "meets"]

_MOST_TRAITS = 3
_LOOKED_AT = 5


def find_prevalence(
    profile: Profile, segment: int, traits: Sequence[Trait], words: Words, min_group_size: int
) -> Prevalence | None:
    """Count who meets the first three traits of a segment that may be told together, of its first five.

    Every group that these figures tell apart has nobody in it or at least ``min_group_size`` customers, here and
    elsewhere: those who meet a trait, those who do not, those who meet one but not all, and those of whom one is known
    but not all. A trait with which that is not so is passed over.
    """
    # medians that are levels have no halfway; of what is known of few no share would be one of the segment
    able = [each for each in traits if each.known_of_half and not isinstance(each.segment_value, str)][:_LOOKED_AT]
    patterns = _patterns(profile, segment, able)
    told: list[int] = []
    for place in range(len(able)):
        counts = _counts(patterns, [*told, place])
        if not ((counts > 0) & (counts < min_group_size)).any() and counts[0].all() and counts[1, 0]:
            told.append(place)
        if len(told) == _MOST_TRAITS:
            break
    if not told:
        return None
    counts = _counts(patterns, told)
    labels = tuple(describe(able[place], words) or plain(able[place].label) for place in told)
    return _told(labels, counts, known_of(*map(float, counts[0] / patterns.sum(axis=1))))


def _patterns(profile: Profile, segment: int, traits: Sequence[Trait]) -> Integers:
    """Count those here and elsewhere by what is known of them and what they meet, two bits for each trait."""
    codes = np.zeros(len(profile.labels), dtype=np.uint16)
    for place, trait in enumerate(traits):
        known = profile.told_of(trait.characteristic)
        met = known & meets(profile, trait)
        codes |= (known.view(np.uint8) + 2 * met.view(np.uint8)).astype(np.uint16) << (2 * place)
    n_codes = 4 ** len(traits)
    here = np.bincount(codes[profile.labels == segment], minlength=n_codes)
    return np.stack([here, np.bincount(codes, minlength=n_codes) - here])


def _counts(patterns: Integers, places: Sequence[int]) -> Integers:
    """Count of some traits, here and elsewhere: all known, all met, each met; then the groups between these."""
    codes = np.arange(patterns.shape[1])
    known = [codes >> (2 * place) & 1 > 0 for place in places]
    all_known = np.logical_and.reduce(known)
    met = [all_known & (codes >> (2 * place + 1) & 1 > 0) for place in places]
    groups = [all_known, np.logical_and.reduce(met), *met, *(own & ~all_known for own in known)]
    counts = np.array(groups, dtype=np.int64) @ patterns.T
    everyone, every, each = counts[0], counts[1], counts[2 : 2 + len(places)]
    return np.vstack([counts, everyone - every, everyone - each, each - every])


def meets(profile: Profile, trait: Trait) -> Bools:
    """Say who is on the segment's side of halfway; of whom the trait is not known, either may be said."""
    column, more = profile.table[trait.characteristic], trait.effect_size > 0
    if trait.statistic != "share":
        halfway = trait.rest_value + (trait.segment_value - trait.rest_value) / 2  # type: ignore[operator]
        return np.asarray(column.values > halfway if more else column.values < halfway)
    if column.kind == "binary":
        return np.asarray((column.values == 1) == more)
    levels = [plain(category) for category in column.categories]
    if column.kind == "nominal":
        return np.asarray((column.values == levels.index(str(trait.level))) == more)
    cut = [plain(f"{category} or higher") for category in column.categories].index(str(trait.level))
    return np.asarray((column.values >= cut) == more)


def _told(labels: tuple[str, ...], counts: Integers, note: str) -> Prevalence:
    everyone, every, each = counts[0], counts[1], counts[2 : 2 + len(labels)]
    shares = tuple(map(float, each[:, 0] / everyone[0]))
    here, elsewhere = map(float, every / everyone)
    in_segment = float(every[0] / every.sum())
    told = ", ".join(f"{label} {format_share(share)}" for label, share in zip(labels, shares, strict=True))
    both = f"{format_share(here)} here and {format_share(elsewhere)} elsewhere{f', {note}' if note else ''}"
    told = f"{labels[0]} {both}" if len(labels) == 1 else f"{told}; all of that {both}"
    whom = f"of all customers of whom that is true, {format_share(in_segment)} are in this segment"
    return Prevalence(
        labels=labels, shares=shares, here=here, elsewhere=elsewhere, in_segment=in_segment, text=f"{told}; {whom}"
    )

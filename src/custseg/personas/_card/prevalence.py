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
from custseg._core.words import format_share, plain
from custseg.personas._parts import Prevalence
from custseg.personas._phrases import Words, describe
from custseg.personas._profile import Profile
from custseg.personas._traits import Trait

__all__ = ["find_prevalence", "meets"]

_MOST_TRAITS = 3


def find_prevalence(
    profile: Profile, segment: int, traits: Sequence[Trait], words: Words, min_group_size: int
) -> Prevalence | None:
    """Count who meets the first three traits of a segment, or as many of them as may be told.

    Every group that these figures tell apart has nobody in it or at least ``min_group_size`` customers, here and
    elsewhere: those who meet a trait, those who do not, those who meet one but not all, and those of whom one is known
    but not all.
    """
    # medians that are levels have no halfway
    able = [trait for trait in traits if not isinstance(trait.segment_value, str)][:_MOST_TRAITS]
    for n_traits in range(len(able), 0, -1):
        counts = _counts(profile, segment, able[:n_traits])
        if not ((counts > 0) & (counts < min_group_size)).any():
            everyone, every, *each = counts[: n_traits + 2]
            return _told(able[:n_traits], everyone, every, np.array(each), words) if every[0] else None
    return None


def _counts(profile: Profile, segment: int, traits: Sequence[Trait]) -> Integers:
    """Count those here and elsewhere: known, meet all, meet each; and the groups that are left between these."""
    told = [profile.told_of(trait.characteristic) for trait in traits]
    known = np.logical_and.reduce(told)
    met = [meets(profile, trait) & known for trait in traits]
    groups = [known, np.logical_and.reduce(met), *met, *(own & ~known for own in told)]
    inside = profile.labels == segment
    here = [np.count_nonzero(group & inside) for group in groups]
    counts = np.array([[own, np.count_nonzero(group) - own] for own, group in zip(here, groups, strict=True)])
    everyone, every, each = counts[0], counts[1], counts[2 : 2 + len(met)]
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


def _told(traits: Sequence[Trait], everyone: Integers, every: Integers, each: Integers, words: Words) -> Prevalence:
    labels = tuple(describe(trait, words) or plain(trait.label) for trait in traits)
    shares = tuple(map(float, each[:, 0] / everyone[0]))
    here, elsewhere = map(float, every / everyone)
    in_segment = float(every[0] / every.sum())
    told = ", ".join(f"{label} {format_share(share)}" for label, share in zip(labels, shares, strict=True))
    both = f"{format_share(here)} here and {format_share(elsewhere)} elsewhere"
    told = f"{labels[0]} {both}" if len(labels) == 1 else f"{told}; all of that {both}"
    whom = "whom that is true of" if len(labels) == 1 else "whom all of that is true of"
    return Prevalence(
        labels=labels,
        shares=shares,
        here=here,
        elsewhere=elsewhere,
        in_segment=in_segment,
        text=f"{told}; of all customers {whom}, {format_share(in_segment)} are in this segment",
    )

"""What stops a stereotype: in what they are like everyone else, and what is known of few of them."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping

import pandas as pd

from custseg._core.coverage import KNOWN_OF_HALF
from custseg._core.words import format_total, round_digits
from custseg.personas._traits import SMALL_EFFECT

__all__ = ["known_of_few", "like_everyone"]

_MOST_NAMED = 8


def like_everyone(profile: pd.DataFrame, labels: Mapping[str, str]) -> dict[int, tuple[str, ...]]:
    """Name the characteristics without a level in which a segment differs by .2 standard deviations.

    First those in which another segment differs most; what is known of less than half of a segment is left out there.
    """
    sizes: dict[str, dict[int, float]] = defaultdict(dict)
    columns = ("segment", "characteristic", "effect_size", "missing_share")
    for segment, name, effect, missing in zip(*(profile[column].tolist() for column in columns), strict=True):
        if missing <= 1 - KNOWN_OF_HALF and not math.isnan(effect):
            sizes[name][segment] = max(abs(effect), sizes[name].get(segment, 0.0))
    found: dict[int, tuple[str, ...]] = {}
    for segment in set(profile["segment"]):
        alike = [name for name, own in sizes.items() if own.get(segment, math.inf) < SMALL_EFFECT]
        telling = {
            name: max((size for one, size in sizes[name].items() if one != segment), default=0.0) for name in alike
        }
        order = sorted(alike, key=lambda name: (-round_digits(telling[name], 9), name))
        found[segment] = tuple(labels[name] for name in order[:_MOST_NAMED])
    return found


def known_of_few(known_shares: Mapping[str, float], n_customers: int, labels: Mapping[str, str]) -> tuple[str, ...]:
    """Write of how many each characteristic is known that is not known of most.

    Examples
    --------
    >>> known_of_few({"age": 0.25}, 2000, {"age": "age"})
    ('age (of 500 of 2,000)',)
    """
    return tuple(
        f"{labels[name]} (of {format_total(round(share * n_customers))} of {format_total(n_customers)})"
        for name, share in known_shares.items()
    )

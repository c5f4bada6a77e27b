"""What stops a stereotype: in what they are like everyone else, and what is known of few of them."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from custseg._core.coverage import KNOWN_OF_HALF
from custseg._core.words import format_total
from custseg.personas._traits import SMALL_EFFECT

__all__ = ["known_of_few", "like_everyone"]

_MOST_NAMED = 8


def like_everyone(profile: pd.DataFrame, labels: Mapping[str, str]) -> dict[int, tuple[str, ...]]:
    """Name the characteristics without a level in which a segment differs by .2 standard deviations.

    First those in which another segment differs most; what is known of less than half of a segment is left out there.
    """
    known = profile[profile["missing_share"] <= 1 - KNOWN_OF_HALF]
    sizes = known.assign(size=known["effect_size"].abs()).pivot_table("size", "segment", "characteristic", "max")
    found = {}
    for segment, own in sizes.iterrows():
        telling = sizes.drop(index=segment).max().fillna(0.0).round(9)
        order = sorted(own.index[own < SMALL_EFFECT], key=lambda name: (-telling[name], name))
        found[int(str(segment))] = tuple(labels[name] for name in order[:_MOST_NAMED])
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

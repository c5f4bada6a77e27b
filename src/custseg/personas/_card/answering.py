"""A segment that answers everything alike may be a way of answering rather than a kind of customer.

Some people agree with whatever they are asked, tick every box or use the ends of a scale. On a segment's card this
looks like a strong attitude to everything. Dolnicar and Grün (2007) show how such response styles pass for differences.

Reference: S. Dolnicar and B. Grün (2007), "Cross-cultural differences in survey response patterns", International
Marketing Review 24(2), 127-143.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping

import numpy as np
import pandas as pd

from custseg._core.arrays import Floats
from custseg._core.characteristic import Characteristic
from custseg._core.customers import Column, CustomerTable
from custseg.personas._traits import SMALL_EFFECT

__all__ = ["answering_styles", "scales"]

FEWEST_ITEMS = 5
"""A scale has so many items where they are known to be what customers think; of others it takes twice as many."""
ONE_WAY = 0.8
"""Where so many of them go the same way it may be one."""
_WIDEST = 10
_GLANCE = 1_000
_MOST_NAMED = 2


def scales(table: CustomerTable, known: Mapping[str, Characteristic]) -> list[list[str]]:
    """Group the items of each scale: columns of one member, criterion, kind and range.

    Those of another criterion than the psychographic one are no answers. Of one range are yes or no, ordered levels
    that are the same, numbers of one unit that says it ("points 1 to 6"), and whole numbers from the same lowest to the
    same highest, ten apart at most.
    """
    found = defaultdict(list)
    for column in table.columns:
        each = known[column.name]
        extent = _range(column, each.unit) if each.criterion in ("", "psychographic") else None
        if extent is not None:
            found[each.member, each.criterion, column.kind, extent].append(column.name)
    return [
        sorted(names)
        for (_, criterion, *_), names in sorted(found.items(), key=lambda one: one[1])
        if len(names) >= (FEWEST_ITEMS if criterion else 2 * FEWEST_ITEMS)
    ]


def _range(column: Column, unit: str) -> Hashable | None:
    """Return what columns of one scale have in common; None for what is no answer."""
    if column.kind == "nominal":
        return None
    if column.kind != "numeric":
        return column.categories
    if unit.startswith("points"):
        return unit
    values = column.values
    # most of what is no rating is seen to be none at a glance
    if not (_are_whole(values[:_GLANCE]) and _are_whole(values)):
        return None
    low, high = np.nanmin(values), np.nanmax(values)
    return (low, high) if 0 < high - low <= _WIDEST else None


def _are_whole(values: Floats) -> bool:
    known = values[~np.isnan(values)]
    return len(known) > 0 and bool((known == np.floor(known)).all())


def answering_styles(
    profile: pd.DataFrame, table: CustomerTable, known: Mapping[str, Characteristic]
) -> dict[int, str]:
    """Say of which segments at least 80% of the items of a scale lie on one side of everyone else, by .2 or more."""
    told: dict[int, str] = {}
    for items in scales(table, known):
        own = profile[profile["characteristic"].isin(items)]
        for segment, effects in own.groupby("segment")["effect_size"]:
            for side, sign in (("above", 1), ("below", -1)):
                n_one_way = int((sign * effects >= SMALL_EFFECT).sum())
                if n_one_way >= ONE_WAY * len(items):
                    told.setdefault(int(str(segment)), _sentence(n_one_way, items, side, known))
    return told


def _sentence(n_one_way: int, items: list[str], side: str, known: Mapping[str, Characteristic]) -> str:
    labels = [known[name].label for name in items[:_MOST_NAMED]]
    more = "" if len(items) <= _MOST_NAMED else f" and {len(items) - _MOST_NAMED} more"
    asked = "this" if known[items[0]].criterion else "if they are answers to questions, this"
    return (
        f"{n_one_way} of {len(items)} items of one scale ({', '.join(labels)}{more}) lie {side} everyone else: {asked} "
        "may be a way of answering rather than a kind of customer."
    )

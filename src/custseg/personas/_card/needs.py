"""What matters to a segment and how well it is served, where columns of the customers say so by their roles."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import pandas as pd

from custseg._core.characteristic import Characteristic
from custseg._core.customers import Column, CustomerTable
from custseg._core.words import format_number, format_numbers, plain
from custseg.personas._needs import compare_needs
from custseg.personas._parts import Need
from custseg.personas._profile import Profile
from custseg.personas._traits import SMALL_EFFECT

Kind = Literal["need", "concern", "strength", "weakness"]

__all__ = ["find_needs"]

_MEASURES = {"importance": "need", "satisfaction": "satisfaction"}
_MEASURE_OF: Mapping[Kind, str] = {
    "need": "importance",
    "concern": "importance",
    "strength": "satisfaction",
    "weakness": "satisfaction",
}
_MOST_OF_A_KIND = 3
# what an item is called without the word for the measure
_MEASURE = re.compile(
    r"\b(?:importan(?:ce|t)|satisf(?:action|ied)|preference|needs?)\b(?:\s+(?:of|with|for|about))?", re.IGNORECASE
)


def find_needs(
    profile: Profile, known: Mapping[str, Characteristic], min_group_size: int
) -> dict[int, tuple[Need, ...]]:
    """Return the needs, concerns, strengths and weaknesses of each segment, three of a kind at most.

    Importance is told by columns with the role "need", satisfaction by those of that role. Both are about the same item
    where their labels are alike without the word for the measure. What differs by less than .2 standard deviations is
    none, however sure it is; a concern need not differ.
    """
    items = {measure: _items(profile.table, known, role) for measure, role in _MEASURES.items()}
    asked = {measure: (_named(profile.table, own), profile.labels) for measure, own in items.items() if own}
    if not asked:
        return {}
    names = [str(segment) for segment in range(int(profile.labels.max()) + 1)]
    told = compare_needs(asked, names, min_group_size)
    kinds: dict[Kind, dict[str, list[str]]] = {
        "need": told.needs,
        "concern": told.concerns,
        "strength": told.strengths,
        "weakness": told.weaknesses,
    }
    effects = profile.frame.set_index(["segment", "characteristic"])["effect_size"].abs()
    found: dict[int, tuple[Need, ...]] = {}
    for segment, name in enumerate(names):
        own = [
            _need(kind, item, told.frame[told.frame["item"] == item], segment)
            for kind, by_name in kinds.items()
            for item in [
                item
                for item in by_name[name]
                if kind == "concern" or effects[segment, items[_MEASURE_OF[kind]][item]] >= SMALL_EFFECT
            ][:_MOST_OF_A_KIND]
        ]
        found[segment] = tuple(own)
    return found


def _items(table: CustomerTable, known: Mapping[str, Characteristic], role: str) -> dict[str, str]:
    """Find the columns of a role that are on one scale, by the names of their items."""
    own = [column for column in table.columns if known[column.name].role == role]
    scales = Counter(scale for column in own if (scale := _scale(column)) is not None)
    # the scale that most are on; of as many, the one with fewer levels
    scale = min(scales, key=lambda each: (-scales[each], each), default=None)
    labels = {column.name: known[column.name].label for column in own if scale is not None and _scale(column) == scale}
    items = {name: " ".join(_MEASURE.sub(" ", label).split()) for name, label in labels.items()}
    alike = Counter(items.values())
    return {item if item and alike[item] == 1 else labels[name]: name for name, item in items.items()}


def _named(table: CustomerTable, items: Mapping[str, str]) -> CustomerTable:
    return replace(table, columns=tuple(replace(table[items[item]], name=item) for item in sorted(items)))


def _scale(column: Column) -> int | None:
    """Return the number of levels, 0 for numbers; None for what is not rated."""
    return {"numeric": 0, "ordinal": len(column.categories)}.get(column.kind)


def _need(kind: Kind, item: str, figures: pd.DataFrame, segment: int) -> Need:
    own = figures[figures["measure"] == _MEASURE_OF[kind]]
    row, n = own[own["segment"] == segment].iloc[0], own["n"].sum()
    here = float(row["value"])
    elsewhere = float((row["overall_value"] * n - here * row["n"]) / (n - row["n"])) if n > row["n"] else math.nan
    shown, others = format_numbers(here, elsewhere)
    text = f"{_MEASURE_OF[kind]} {shown}, against {others} elsewhere"
    if kind == "concern":
        served = figures[(figures["measure"] == "satisfaction") & (figures["segment"] == segment)].iloc[0]
        text = f"important ({shown}) and not satisfied ({format_number(served['value'])})"
    return Need(label=item, kind=kind, here=here, elsewhere=elsewhere, text=f"{plain(item)}: {text}")

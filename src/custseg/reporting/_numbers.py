"""How many segments: every number that was tried, and why it was or was not taken."""

from __future__ import annotations

import math
from typing import Any

from custseg._core.words import format_against, format_effect, format_share
from custseg.reporting._data_table import DataTable
from custseg.reporting._study import Brief
from custseg.segmentation import NumberOfSegments
from custseg.validation import STABLE_ADJUSTED_RAND, STABLE_SEGMENT

__all__ = ["asked_for", "largest_number", "numbers_in_json", "numbers_table"]

_RETURNS = {"stable": "yes", "not stable": "no", "open": "open", "": "unknown"}
_CAPTION = (
    "Every number of segments that was tried: how many groups with a gap between them the data show, the mean "
    "agreement of refits, the stability of the weakest segment, the share of the smallest, the largest "
    "effect between those two that differ least, and whether the segments come back, beyond the noise of the refits"
)


def asked_for(brief: Brief) -> list[str]:
    """Say what number of segments a brief asks for."""
    wanted = [] if brief.n_segments is None else [f"{brief.n_segments} segments"]
    return wanted if brief.min_segments is None else [*wanted, f"at least {brief.min_segments} segments"]


def largest_number(numbers: NumberOfSegments | None) -> str | None:
    """Say which number can be used, and why."""
    return None if numbers is None else numbers.reason


def numbers_table(numbers: NumberOfSegments | None) -> DataTable | None:
    """Show every number that was tried with its figures and the reason."""
    if numbers is None or not len(numbers.table):
        return None
    columns = ("Segments", "Groups apart", "Mean", "Weakest", "Smallest", "Least effect", "Comes back", "Why")
    rows = tuple(_row(row) for row in numbers.table.to_dict("records"))
    return DataTable(_CAPTION, columns, rows, (False, True, True, True, True, True, False, False))


def _row(row: dict[Any, Any]) -> tuple[str, ...]:
    apart = row["n_separated"]
    return (
        str(row["n_segments"]),
        "none" if math.isnan(apart) else str(int(apart)),
        format_against(row["mean_adjusted_rand"], STABLE_ADJUSTED_RAND),
        format_against(row["min_slsw"], STABLE_SEGMENT),
        format_share(row["smallest_share"]),
        format_effect(row["least_difference"]).lstrip("+"),
        _RETURNS[row["standing"]],
        row["reason"],
    )


def numbers_in_json(numbers: NumberOfSegments | None) -> dict[str, Any] | None:
    """Return the same for programs; shares of segments that are not shown themselves are whole percents."""
    if numbers is None:
        return None
    shares = {"smallest_share": numbers.table["smallest_share"].round(2)}
    return {
        "n_segments": numbers.n_segments,
        "word": numbers.word,
        "reason": numbers.reason,
        "decided": numbers.decided,
        "tried": numbers.table.assign(**shares),
    }

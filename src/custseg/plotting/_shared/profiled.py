"""What the pictures of a profile share: its segments and their sizes, its columns in words, and its figures as written.

The figures of one row are written with one number of decimals, so that they can be compared at a glance.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from custseg._core.asking import asked
from custseg._core.visible import visible
from custseg._core.words import format_number, format_share, humanise, known, round_digits, unit_beside
from custseg.exceptions import InfeasibleError, InvalidParameterError
from custseg.personas import SegmentProfile, profile_segments
from custseg.plotting._shared.handed import left_out
from custseg.segmentation import Segmentation

__all__ = ["check_profile", "labels_of", "profiled", "quoted", "segments_of", "with_unit", "written"]

_DIGITS, _EXPONENTS = 3, range(-5, 15)


def profiled(shown: Segmentation, min_group_size: int) -> tuple[SegmentProfile, dict[str, str]]:
    """Compare the segments that are shown, and say what their columns are called."""
    if not (shown.labels >= 0).any():
        raise _nobody(min_group_size)
    labels = {each.column: each.label for each in shown.characteristics}
    return profile_segments(shown, min_group_size=min_group_size), labels


def check_profile(profile: SegmentProfile) -> None:
    """Refuse what is no profile, and one of which nothing may be told."""
    if not isinstance(profile, SegmentProfile):
        remedy = "profile_segments makes one; from_predictions takes customers and labels."
        raise InvalidParameterError.not_allowed("profile", "a SegmentProfile", type(profile).__name__, remedy)
    if not profile.frame["segment_value"].notna().any():
        raise _nobody(profile.min_group_size)


def _nobody(least: int) -> InfeasibleError:
    return InfeasibleError(
        f"{asked()}: no segment has {least} customers of whom a characteristic is known. Pass more customers."
    )


def segments_of(profile: SegmentProfile) -> tuple[pd.DataFrame, str]:
    """Return ``segment``, ``name`` and ``n_customers`` of the segments that are told, and say which are not.

    The number of customers is the most of whom one characteristic is known.
    """
    sizes = profile.frame.groupby("segment")["n"].max()
    shown = pd.DataFrame(
        {
            "segment": sizes.index.to_numpy(dtype=np.int64),
            "name": [profile.segment_names[int(segment)] for segment in sizes.index],
            "n_customers": sizes.to_numpy(dtype=np.int64),
        }
    )
    return shown, left_out(pd.DataFrame({"name": profile.segment_names}), shown)


def labels_of(columns: Iterable[str], labels: Mapping[str, str] | None) -> dict[str, str]:
    """Return each column in words."""
    own = humanise(sorted(columns))
    return {column: (labels or {}).get(column) or words for column, words in own.items()}


def with_unit(label: str, unit: str) -> str:
    """Write a label with the unit behind it, unless it says the unit itself."""
    beside = unit_beside(label, unit).strip()
    said = set(beside.lower().split()) <= set(label.lower().split())
    return label if said else f"{label}, {beside}"


def written(figures: Sequence[float], *, share: bool = False, year: bool = False) -> list[str]:
    """Write figures with one number of decimals, three significant digits of the largest; nothing where none is told.

    Examples
    --------
    >>> written([7.0, 54.5, 11.26]), written([120.0, 35.0, float("nan")]), written([203_697.0, 14_363.0])
    (['7.0', '54.5', '11.3'], ['120', '35', ''], ['203,700', '14,360'])
    >>> written([0.314, 0.001], share=True), written([1973.0, 1981.5], year=True)
    (['31%', 'under 1%'], ['1973', '1982'])
    """
    told = [each for each in figures if known(each)]
    if share:
        return [format_share(each) if known(each) else "" for each in figures]
    largest = max(map(abs, told), default=0.0)
    exponent = math.floor(math.log10(largest)) if largest else 0
    if exponent not in _EXPONENTS:
        return [format_number(each) if known(each) else "" for each in figures]
    rounded = [round_digits(each, _DIGITS + (abs(each) >= 1000)) for each in told]
    decimals = 0 if year else max(0, _DIGITS - 1 - exponent)
    while decimals and all(f"{each:.{decimals}f}".endswith("0") for each in rounded):
        decimals -= 1
    mark = "" if year else ","
    # a small number below 0 is written as 0, not as -0
    return [
        f"{round(round_digits(each, _DIGITS + (abs(each) >= 1000)), decimals) + 0.0:{mark}.{decimals}f}"
        if known(each)
        else ""
        for each in figures
    ]


def quoted(name: object) -> str:
    """Write the name of a segment in a sentence."""
    return f"“{visible(name)}”"

"""The pictures of a study that its page shows, and why some are not there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from custseg.plotting import (
    ComparisonDisplay,
    GorgeDisplay,
    SegmentMapDisplay,
    SegmentValueDisplay,
    SelectionDisplay,
    StabilityDisplay,
)
from custseg.plotting._for_reporting import shown_plan
from custseg.reporting._export.figures import LACKING, pictures_of
from custseg.reporting._study import FittedStudy

__all__ = ["Pictures"]

_SHOWN = {
    "01_segment_value": "value",
    "02_comparison": "comparison",
    "04_stability": "stability",
    "05_map": "plane",
    "06_gorge": "gorge",
    "07_selection": "selection",
}
_WORDS = {
    "value": "Share of the value",
    "comparison": "Comparison",
    "stability": "Stability",
    "plane": "Map",
    "gorge": "Gap between the segments",
    "selection": "Number of segments",
}


@dataclass
class Pictures:
    """What is drawn; None where a study lacks what is needed, and ``missing`` says what."""

    value: SegmentValueDisplay | None = None
    comparison: ComparisonDisplay | None = None
    stability: StabilityDisplay | None = None
    plane: SegmentMapDisplay | None = None
    gorge: GorgeDisplay | None = None
    selection: SelectionDisplay | None = None
    missing: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, study: FittedStudy) -> Pictures:
        """Make the pictures of the segments that a study leads with, those of its files."""
        pictures = cls()
        makers: Mapping[str, Any] = dict(pictures_of(study, shown_plan(study)))
        for stem, name in _SHOWN.items():
            if stem not in makers:
                continue
            try:
                setattr(pictures, name, makers[stem]())
            except LACKING as why:
                pictures.missing[_WORDS[name]] = str(why)
        return pictures

"""The pictures of a study that its page shows, and why some are not there."""

from __future__ import annotations

from dataclasses import dataclass, field

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

# what each is called in the list of pictures, and in words where it is not shown
_SHOWN = {
    "01_segment_value": ("value", "Share of the value"),
    "02_comparison": ("comparison", "Comparison"),
    "04_stability": ("stability", "Stability"),
    "05_map": ("plane", "Map"),
    "06_gorge": ("gorge", "Gap between the segments"),
    "07_selection": ("selection", "Number of segments"),
    "all others": ("", "All other pictures"),
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
        for stem, make in pictures_of(study, shown_plan(study)):
            if stem not in _SHOWN:
                continue
            name, words = _SHOWN[stem]
            try:
                setattr(pictures, name, make())
            except LACKING as why:
                pictures.missing[words] = str(why)
        return pictures

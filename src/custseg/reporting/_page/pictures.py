"""The pictures of a study that its page shows, and why some are not there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from custseg.exceptions import InfeasibleError, InvalidParameterError, InvalidTableError
from custseg.personas import SegmentProfile, profile_segments
from custseg.plotting import (
    ComparisonDisplay,
    GorgeDisplay,
    SegmentMapDisplay,
    SegmentValueDisplay,
    SelectionDisplay,
    StabilityDisplay,
)
from custseg.plotting._for_reporting import shown_plan
from custseg.reporting._study import FittedStudy

__all__ = ["Pictures", "pictures_of"]


@dataclass(frozen=True)
class Pictures:
    """What is drawn; None where there is nothing to draw, and ``missing`` says why where that is no matter of course."""

    profile: SegmentProfile | None
    value: SegmentValueDisplay | None
    comparison: ComparisonDisplay | None
    plane: SegmentMapDisplay | None
    gorge: GorgeDisplay | None
    stability: StabilityDisplay | None
    selection: SelectionDisplay | None
    missing: tuple[str, ...]


def pictures_of(study: FittedStudy) -> Pictures:
    """Make the pictures of the segments that a study leads with."""
    personas, evidence, missing = shown_plan(study).personas, study.evidence_, list[str]()
    described, least = personas.described, personas.describer.min_group_size

    def drawn(make: Callable[[], Any], *, asked: bool) -> Any:
        try:
            return make() if asked else None
        except (InfeasibleError, InvalidParameterError, InvalidTableError) as why:
            missing.append(str(why))
            return None

    kept = hasattr(described, "labels")
    if not kept:
        missing.append(
            "The study was stored without its customers, so there is no comparison, no map and no gap to show."
        )
    n_told = len(np.unique(described.labels[described.labels >= 0])) if kept else 0
    profile = drawn(lambda: profile_segments(described, min_group_size=least), asked=n_told > 1)
    number, selection = personas.segmentation.n_segments, evidence.selection
    compared = selection is not None and selection.table["null_unexplained"].notna().any()
    return Pictures(
        profile=profile,
        value=drawn(
            lambda: SegmentValueDisplay.from_estimator(study),
            asked=bool(personas.segment_table["value_share"].notna().any()),
        ),
        comparison=drawn(
            lambda: ComparisonDisplay(profile, labels=personas.column_labels), asked=profile is not None
        ),
        plane=drawn(lambda: SegmentMapDisplay(described, min_group_size=least), asked=n_told > 1),
        # rules need not be about centres
        gorge=drawn(
            lambda: GorgeDisplay(described, min_group_size=least),
            asked=n_told > 1 and evidence.verdict.word != "defined",
        ),
        stability=drawn(lambda: StabilityDisplay.from_estimator(study), asked=number in evidence.stability.numbers),
        selection=drawn(lambda: SelectionDisplay.from_estimator(study), asked=compared),
        missing=tuple(missing),
    )

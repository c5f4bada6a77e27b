"""What a report reads of a fitted study, and nothing else of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Protocol

import pandas as pd

from custseg.characteristics import RowReport
from custseg.personas import SegmentProfile
from custseg.plotting import ComparisonDisplay
from custseg.segmentation import Rule
from custseg.targeting import Plan
from custseg.validation import Evidence

__all__ = ["Brief", "FittedStudy", "compared", "comparison_of"]


class Brief(Protocol):
    """What the company wants."""

    @property
    def goal(self) -> str: ...
    @property
    def audience_rule(self) -> Rule | None: ...
    @property
    def min_segment_share(self) -> float | None: ...
    @property
    def n_segments(self) -> int | None: ...
    @property
    def min_segments(self) -> int | None: ...
    @property
    def max_segments(self) -> int | None: ...
    @property
    def value(self) -> str | None: ...
    @property
    def currency(self) -> str | None: ...
    def to_dict(self) -> dict[str, Any]: ...


class FittedStudy(Protocol):
    """Segments, evidence, plan, and what became of the rows."""

    @property
    def brief(self) -> Brief: ...
    @property
    def n_pairs(self) -> int: ...
    @property
    def plan_(self) -> Plan: ...
    @property
    def cut_plan_(self) -> Plan | None: ...
    @property
    def evidence_(self) -> Evidence: ...
    @property
    def outcomes_(self) -> pd.DataFrame: ...
    @property
    def n_customers_seen_(self) -> int: ...
    @property
    def tables_read_(self) -> pd.DataFrame: ...
    @property
    def match_report_(self) -> pd.DataFrame | None: ...
    @property
    def audience_report_(self) -> pd.DataFrame: ...
    @property
    def row_report_(self) -> RowReport: ...


# decimals of the median of ordered levels
_PLACES = 1


def compared(study: FittedStudy) -> SegmentProfile | None:
    """Return the characteristics of the segments that a study leads with, side by side; None where none may be told of.

    Outcomes are told apart: levels that are named there and pooled here would tell together how few are left. So would
    the shares of ordered levels beside the share "this or higher" that a persona tells, and medians of levels in full.
    """
    profile = (study.cut_plan_ or study.plan_).personas.compare()
    if profile is None:
        return None
    frame = profile.frame[~profile.frame["characteristic"].isin(study.outcomes_["outcome"])]
    is_ordered = frame["kind"] == "ordinal"
    frame = frame[~is_ordered | frame["level"].isna()].reset_index(drop=True)
    places = ["segment_value", "rest_value", "overall_value", "low", "high"]
    medians = frame.loc[frame["kind"] == "ordinal", places].round(_PLACES)
    frame.loc[medians.index, places] = medians
    return replace(profile, frame=frame)


def comparison_of(study: FittedStudy) -> ComparisonDisplay | None:
    """Return the same as the rows and cells of a table; None where of no characteristic may be told."""
    profile = compared(study)
    if profile is None or not profile.frame["segment_value"].notna().any():
        return None
    return ComparisonDisplay(profile, labels=(study.cut_plan_ or study.plan_).personas.column_labels)

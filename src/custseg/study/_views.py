"""What a fitted study tells at a glance: cheap views of its segmentation, evidence and plan."""

from __future__ import annotations

from typing import Any

import pandas as pd

from custseg._core.arrays import Integers
from custseg.personas import Persona, PersonaDescriber
from custseg.segmentation import NumberOfSegments, Segmentation, Segmenter, SegmentSelection
from custseg.study._notebook import answer_in_html
from custseg.targeting import Action, Plan
from custseg.validation import Evidence, StabilityResult, Verdict

__all__ = ["StudyViews"]


class StudyViews:
    """The views of a study; what ``fit`` sets are evidence and plans."""

    evidence_: Evidence
    plan_: Plan
    cut_plan_: Plan | None

    def __sklearn_is_fitted__(self) -> bool:
        """Say whether ``fit`` came to its end."""
        return "cut_plan_" in vars(self)

    def _html_repr(self) -> str:
        # scikit-learn shows an estimator by this; once fitted, the answer says more than the parameters
        parameters = str(super()._html_repr())  # type: ignore[misc]
        return answer_in_html(self, parameters) if self.__sklearn_is_fitted__() else parameters

    @property
    def segmentation_(self) -> Segmentation:
        """Customers of the audience, their segments under the names of their personas, and value."""
        return self.plan_.segmentation

    @property
    def cut_(self) -> Segmentation | None:
        """The most stable cut into two or more groups, where no distinct segments were found and none come back."""
        return None if self.cut_plan_ is None else self.cut_plan_.segmentation

    @property
    def customers_(self) -> Any:
        """The characteristics of the audience, one row per customer."""
        return self.segmentation_.customers

    @property
    def labels_(self) -> Integers:
        """The segment of each customer of the audience."""
        return self.segmentation_.labels

    @property
    def n_segments_(self) -> int:
        """The number of segments."""
        return self.segmentation_.n_segments

    @property
    def clusterer_(self) -> Segmenter:
        """The fitted segmenter."""
        clusterer = self.segmentation_.clusterer
        assert clusterer is not None
        return clusterer

    @property
    def describer_(self) -> PersonaDescriber:
        """The fitted describer."""
        return self.plan_.personas.describer

    @property
    def personas_(self) -> list[Persona]:
        """One persona for each segment."""
        return self.describer_.personas_

    @property
    def actions_(self) -> list[Action]:
        """The recommended action for each segment."""
        return list(self.plan_.actions)

    @property
    def segment_table_(self) -> pd.DataFrame:
        """Size, share, value and stability of each segment."""
        return self._table(self.segmentation_)

    @property
    def cut_table_(self) -> pd.DataFrame | None:
        """Size, share, value and stability of each group of the cut."""
        return None if self.cut_ is None else self._table(self.cut_)

    def _table(self, segmentation: Segmentation) -> pd.DataFrame:
        return segmentation.to_frame().assign(stability=self.evidence_.stability_of(segmentation))

    @property
    def verdict_(self) -> Verdict:
        """Whether the segments are natural, reproducible, constructive or defined."""
        return self.evidence_.verdict

    @property
    def selection_(self) -> SegmentSelection | None:
        """Whether the customers are one continuum, and how many segments they ask for."""
        return self.evidence_.selection

    @property
    def number_of_segments_(self) -> NumberOfSegments | None:
        """The number of segments that can be used, and what speaks for and against every number tried."""
        return self.evidence_.numbers

    @property
    def stability_(self) -> StabilityResult:
        """Agreement between bootstrap refits."""
        return self.evidence_.stability

"""The personas and actions of a study, at every number of segments that was tried."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from custseg._core.asking import asks_as_class
from custseg._core.params import NONE, Instance, check
from custseg.exceptions import CustomersNotStoredError, InvalidParameterError
from custseg.personas import PersonaDescriber, Personas, describe_segments
from custseg.segmentation import Segmentation
from custseg.study._brief import SegmentationBrief
from custseg.study._views import StudyViews
from custseg.targeting import Plan, plan_actions

__all__ = ["StudyPlans", "personas_of"]

_BEFORE = {"names_from": (NONE, Instance(StudyViews, Personas, words="a fitted SegmentationStudy, or its Personas"))}


def personas_of(names_from: Any) -> Personas | None:
    """Return the personas of before that names are taken from: those that a study tells of."""
    check(_BEFORE, {"names_from": names_from})
    if not isinstance(names_from, StudyViews):
        return names_from  # type: ignore[no-any-return]
    check_is_fitted(names_from)
    return (names_from.cut_plan_ or names_from.plan_).personas


class StudyPlans(StudyViews):
    """Who is in the segments of a study and what to do about them, as its brief and its user say."""

    brief: SegmentationBrief
    describer: PersonaDescriber | None
    labels: Mapping[str, str] | None

    def _act(
        self,
        segmentation: Segmentation,
        beside: Segmentation | None = None,
        *,
        names: Any = None,
        actions: Any = None,
        names_from: Personas | None = None,
    ) -> Plan:
        describer = PersonaDescriber() if self.describer is None else clone(self.describer)
        given = {"names": names, "labels": self.labels}
        describer.set_params(**{name: own for name, own in given.items() if own is not None})
        personas = describe_segments(segmentation, describer, beside=beside, names_from=names_from)
        own = None if segmentation.clusterer is None else segmentation.clusterer.order_by
        # beside a cut its outcomes are told, and nothing is done for everyone
        outcomes = (self.brief.outcomes or None) if beside is None else []
        order_by = own or self.brief.order_by
        return plan_actions(self.brief.goal, personas, order_by=order_by, outcomes=outcomes, actions=actions)

    @asks_as_class
    def at(self, n_segments: int) -> Segmentation:
        """Return the best segments at another number, under the names of their personas.

        Parameters
        ----------
        n_segments : int
            One of the numbers that were tried: those of ``number_of_segments_``, and that of the study.

        Returns
        -------
        Segmentation
            The customers of the audience in so many segments; its clusterer assigns others.

        Raises
        ------
        InvalidParameterError
            If so many segments were not tried.
        CustomersNotStoredError
            If the study was stored without its customers.

        See Also
        --------
        plan_at : The personas and actions of these segments.
        """
        return self.plan_at(n_segments).segmentation

    @asks_as_class
    def plan_at(self, n_segments: int) -> Plan:
        """Return the personas and recommended actions of the best segments at another number.

        Parameters
        ----------
        n_segments : int
            One of the numbers that were tried.

        Returns
        -------
        Plan
            ``personas.personas`` has one persona for each segment, ``segmentation`` the customers.

        Raises
        ------
        InvalidParameterError
            If so many segments were not tried.
        CustomersNotStoredError
            If the study was stored without its customers.
        """
        check_is_fitted(self)
        for plan in (self.plan_, self.cut_plan_):
            if plan is not None and plan.segmentation.n_segments == n_segments:
                return plan
        evidence = self.evidence_
        if not evidence.fits and n_segments in evidence.stability.numbers:
            raise CustomersNotStoredError.of(type(self).__name__, f"at({n_segments})")
        if n_segments not in evidence.fits:
            words = f"one of the numbers that were tried, {sorted({self.n_segments_, *evidence.fits})}"
            remedy = "Fit with another max_segments, or with SegmentationBrief(n_segments=...)."
            raise InvalidParameterError.not_allowed("n_segments", words, n_segments, remedy)
        return self._act(evidence.at(n_segments, self.segmentation_))

"""The report as JSON: every figure unrounded, for programs."""

from __future__ import annotations

import json
from typing import Any

from custseg._core.jsonable import jsonable
from custseg._version import __version__
from custseg.reporting._finding import finding
from custseg.reporting._numbers import numbers_in_json
from custseg.reporting._study import FittedStudy
from custseg.targeting import Plan
from custseg.validation import Evidence


def render_json(study: FittedStudy, *, title: str | None = None) -> str:
    """Render a fitted study as JSON.

    Parameters
    ----------
    study : SegmentationStudy
        A fitted study.
    title : str or None, default=None
        The title; None takes the finding.

    Returns
    -------
    str
        One object with ``title``, ``custseg_version``, ``brief``, ``n_customers``, ``n_segments``,
        ``verdict``, ``selection``, ``numbers`` (every number of segments that was tried), ``segments``, ``personas``,
        ``actions``, ``cut`` (null unless no segments come back), ``outcomes``, ``stability``, ``audience_report`` and
        ``row_report``. What is not known (NaN) or not finite is null.

    Examples
    --------
    >>> import json
    >>> from custseg import DemographicEncoder, SegmentationBrief, SegmentationStudy, SegmentClusterer
    >>> from custseg.datasets import make_customers
    >>> from custseg.reporting import render_json
    >>> study = SegmentationStudy(
    ...     SegmentationBrief("pricing"),
    ...     characteristics=DemographicEncoder(columns=["age", "income"]),
    ...     clusterer=SegmentClusterer(n_segments=3, max_segments=3, n_init=2, random_state=0),
    ...     n_pairs=2,
    ... ).fit(make_customers(60, random_state=0).profile)
    >>> json.loads(render_json(study))["n_segments"]
    3
    """
    cut, evidence = study.cut_plan_, study.evidence_
    facts = {
        "title": finding(study) if title is None else title,
        "custseg_version": __version__,
        "brief": study.brief.to_dict(),
        "n_customers": study.plan_.segmentation.n_customers,
        "n_segments": study.plan_.segmentation.n_segments,
        "verdict": evidence.verdict.to_dict(),
        "selection": None if evidence.selection is None else evidence.selection.reason,
        "numbers": numbers_in_json(evidence.numbers),
        **_groups(study.plan_, evidence),
        "cut": None
        if cut is None
        else {
            "n_segments": cut.segmentation.n_segments,
            "mean_adjusted_rand": evidence.mean_adjusted_rand_of(cut.segmentation),
            "constructive": True,
            **_groups(cut, evidence),
        },
        "outcomes": study.outcomes_,
        "stability": evidence.stability.summary,
        "audience_report": study.audience_report_,
        "row_report": study.row_report_.to_frame(),
    }
    return json.dumps(jsonable(facts), ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def _groups(plan: Plan, evidence: Evidence) -> dict[str, Any]:
    segmentation = plan.segmentation
    return {
        "segments": plan.personas.segment_table.assign(stability=evidence.stability_of(segmentation)),
        "personas": [persona.to_dict() for persona in plan.personas.personas],
        "actions": [action.to_dict() for action in plan.actions],
    }

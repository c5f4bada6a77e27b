"""The report as JSON: every figure unrounded, for programs."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from custseg._core.jsonable import jsonable
from custseg._version import __version__
from custseg.reporting._finding import finding
from custseg.reporting._numbers import numbers_in_json
from custseg.reporting._study import FittedStudy, compared
from custseg.targeting import Plan
from custseg.validation import Evidence

SCHEMA_VERSION = 1
"""Grows where a program that reads the report has to change."""
_WEIGHTS = ("kind", "weight", "transform")


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
        One object, as :func:`report_schema` says: ``schema_version``, ``title``, ``custseg_version``, ``brief``,
        ``n_customers``, ``n_segments``, ``verdict``, ``selection``, ``numbers`` (every number of segments that was
        tried), ``segments``, ``personas``, ``actions``, ``cut`` (null unless no segments come back), ``profile`` (the
        rows of :func:`~custseg.personas.profile_segments`, of the cut where there is one, without outcomes),
        ``weights`` (how each characteristic entered the distance), ``settings``, ``outcomes``, ``stability``,
        ``audience_report`` and ``row_report``. What is not known (NaN) or not finite is null.

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
    profile = compared(study)
    facts = {
        "schema_version": SCHEMA_VERSION,
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
        "profile": [] if profile is None else profile.frame,
        "weights": _weights(study),
        "settings": _settings(study),
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


def _weights(study: FittedStudy) -> list[dict[str, Any]]:
    """Return how each characteristic entered the distance; shares of all customers are whole percents."""
    clusterer = study.plan_.segmentation.clusterer
    if clusterer is None or clusterer.embedder_ is None:
        return []
    return [
        {"characteristic": row["column"], **{name: row[name] for name in _WEIGHTS}}
        | {"missing_share": round(row["missing_share"], 2)}
        for row in clusterer.embedder_.transforms_.to_dict("records")
    ]


def _settings(study: FittedStudy) -> dict[str, Any]:
    clusterer = study.plan_.segmentation.clusterer
    own = {} if clusterer is None else clusterer.get_params(deep=False)
    return {**dict(sorted(own.items())), "n_pairs": study.n_pairs}


def report_schema() -> dict[str, Any]:
    """Return what a report in JSON holds, as a JSON Schema (draft 2020-12).

    Returns
    -------
    dict
        The schema, for a validator such as jsonschema. It lists every key: a report with another one, or without one
        of these, is not valid.

    See Also
    --------
    render_json : Such a report.

    Examples
    --------
    >>> from custseg.reporting import report_schema
    >>> schema = report_schema()
    >>> schema["properties"]["verdict"]["properties"]["word"]["enum"]
    ['natural', 'reproducible', 'constructive', 'defined']
    """
    schema: dict[str, Any] = json.loads(files("custseg.reporting").joinpath("report.schema.json").read_text("utf-8"))
    return schema

"""The report as JSON: every figure unrounded, for programs."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from custseg._core.jsonable import jsonable
from custseg._version import __version__
from custseg.reporting._html import TITLE


def render_json(study: Any, *, title: str = TITLE) -> str:
    """Render a fitted study as JSON.

    Parameters
    ----------
    study : SegmentationStudy
        A fitted study.
    title : str, default="Customer segments"
        The title.

    Returns
    -------
    str
        One object with ``title``, ``custseg_version``, ``brief``, ``n_customers``, ``n_segments``,
        ``verdict``, ``selection``, ``segments``, ``personas``, ``actions``, ``cut`` (null unless
        no distinct segments were found), ``stability``, ``audience_report`` and ``row_report``. What
        is not known (NaN) or not finite is null.

    Examples
    --------
    >>> import json
    >>> from custseg import DemographicEncoder, SegmentationBrief, SegmentationStudy, SegmentClusterer
    >>> from custseg.datasets import make_customers
    >>> from custseg.reporting import render_json
    >>> study = SegmentationStudy(
    ...     SegmentationBrief("pricing"),
    ...     characteristics=DemographicEncoder(),
    ...     clusterer=SegmentClusterer(n_segments=3, n_init=2, random_state=0),
    ...     n_pairs=2,
    ... ).fit(make_customers(200, random_state=0).profile)
    >>> json.loads(render_json(study))["n_segments"]
    3
    """
    cut = study.cut_
    facts = {
        "title": title,
        "custseg_version": __version__,
        "brief": study.brief.to_dict(),
        "n_customers": len(study.labels_),
        "n_segments": study.n_segments_,
        "verdict": study.verdict_.to_dict(),
        "selection": None if study.selection_ is None else study.selection_.reason,
        **_groups(study.segment_table_, study.personas_, study.actions_),
        "cut": None
        if cut is None
        else {
            "n_segments": cut.n_segments,
            "mean_adjusted_rand": cut.mean_adjusted_rand,
            "constructive": True,
            **_groups(cut.segment_table, cut.personas, cut.actions),
        },
        "stability": study.stability_.summary,
        "audience_report": study.audience_report_,
        "row_report": study.row_report_.to_frame(),
    }
    return json.dumps(jsonable(facts), ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def _groups(table: pd.DataFrame, personas: Any, actions: Any) -> dict[str, Any]:
    return {
        "segments": table,
        "personas": [persona.to_dict() for persona in personas],
        "actions": [action.to_dict() for action in actions],
    }

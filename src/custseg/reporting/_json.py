"""The report as JSON: every figure unrounded, for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

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
    return json.dumps(_plain(facts), ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def _groups(table: pd.DataFrame, personas: Any, actions: Any) -> dict[str, Any]:
    return {
        "segments": table,
        "personas": [persona.to_dict() for persona in personas],
        "actions": [action.to_dict() for action in actions],
    }


def _plain(value: Any) -> Any:
    """Turn numpy and pandas values into what JSON has, and what is not a finite number into null."""
    if isinstance(value, pd.DataFrame):
        value = value.to_dict("records")
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset, np.ndarray)):
        return [_plain(item) for item in value]
    if value is pd.NA or value is pd.NaT or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value if isinstance(value, (str, bool, int, float, type(None))) else str(value)

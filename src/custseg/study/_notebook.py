"""A fitted study in a notebook: the finding, the verdict, what the segments are worth, and how they differ."""

from __future__ import annotations

from typing import Any

from custseg._core._html import Html, element
from custseg._core.notebook import comparison, segment_bars, shown
from custseg.exceptions import CustomersNotStoredError, InfeasibleError
from custseg.plotting import ComparisonDisplay
from custseg.reporting import finding

__all__ = ["answer_in_html"]


def answer_in_html(study: Any, parameters: str) -> str:
    """Show the answer of a fitted study, and its parameters folded."""
    plan = study.cut_plan_ or study.plan_
    lead, stop, more = study.verdict_.sentence.partition(". ")
    parts: list[Any] = [
        element("p", element("b", finding(study))),
        element("p", lead + stop.rstrip()),
        segment_bars(plan.personas.segment_table),
    ]
    try:
        parts.append(_compared(ComparisonDisplay.from_estimator(study)))
    except (CustomersNotStoredError, InfeasibleError) as why:
        parts.append(element("p", f"Not compared: {why}"))
    folded = {"How we know": element("p", more), "Parameters": Html(parameters)}
    return shown(*parts, *(element("details", element("summary", name), inside) for name, inside in folded.items()))


def _compared(display: ComparisonDisplay) -> Html:
    names = display.segments_["name"].tolist()
    rows = display.data_.to_dict("records")
    lines = [rows[first : first + len(names)] for first in range(0, len(rows), len(names))]
    return comparison(
        names,
        [
            (line[0]["label"], line[0]["overall_text"], [(cell["text"], cell["effect_size"]) for cell in line])
            for line in lines
        ],
    )

"""The report as one HTML file: no script, no request, nothing outside the file."""

from __future__ import annotations

from functools import cache
from typing import Any

from custseg._core._html import LINES
from custseg._core.optional import require
from custseg._core.visible import visible
from custseg._core.words import format_effect, format_number, format_share, format_total, known
from custseg._version import __version__
from custseg.reporting._chart import stability_chart
from custseg.reporting._contents import NO_ROWS_TOLD, NO_STABILITY, read_study, stability_table
from custseg.reporting._glossary import GLOSSARY
from custseg.reporting._study import FittedStudy
from custseg.validation import STABLE_ADJUSTED_RAND, STABLE_SEGMENT

TITLE = "Customer segments"
# A bar of a trait is full at this effect size: three times what counts as large.
_FULL_EFFECT = 2.4


def render_html(study: FittedStudy, *, title: str = TITLE) -> str:
    """Render a fitted study as one self-contained HTML page.

    The page holds its styles and drawings, runs no script and asks no server for anything; a content
    security policy says so to the browser. It reads on a phone, on paper, and on light and dark
    screens. All text that comes from the data is escaped.

    Parameters
    ----------
    study : SegmentationStudy
        A fitted study.
    title : str, default="Customer segments"
        The heading of the page.

    Returns
    -------
    str
        The page.

    Raises
    ------
    MissingDependencyError
        If jinja2 is not installed.

    Examples
    --------
    >>> from custseg import DemographicEncoder, SegmentationBrief, SegmentationStudy, SegmentClusterer
    >>> from custseg.datasets import make_customers
    >>> from custseg.reporting import render_html
    >>> study = SegmentationStudy(
    ...     SegmentationBrief("pricing"),
    ...     characteristics=DemographicEncoder(columns=["age", "income"]),
    ...     clusterer=SegmentClusterer(n_segments=3, max_segments=3, n_init=2, random_state=0),
    ...     n_pairs=2,
    ... ).fit(make_customers(60, random_state=0).profile)
    >>> render_html(study, title="Spring & summer").count("Spring &amp; summer")
    2
    """
    require("jinja2", "the HTML report")
    contents = read_study(study, title)
    lead, stop, more = contents.verdict.partition(". ")
    return str(
        _page().render(
            report=contents,
            chart=stability_chart(contents.stability, contents.n_groups_shown, STABLE_ADJUSTED_RAND),
            stability_table=stability_table(contents),
            lead=lead + stop.rstrip(),
            more=more,
            full_effect=_FULL_EFFECT,
            custseg_version=__version__,
            glossary=GLOSSARY,
            stable_segment=STABLE_SEGMENT,
            no_rows_told=NO_ROWS_TOLD,
            no_stability=NO_STABILITY,
            stable_adjusted_rand=STABLE_ADJUSTED_RAND,
        )
    )


@cache
def _page() -> Any:
    """Compile the template, which takes longer than to fill it."""
    jinja2 = require("jinja2", "the HTML report")
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("custseg.reporting"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        bar=_bar,
        effect=format_effect,
        effect_bar=_effect_bar,
        number=format_number,
        share=format_share,
        total=format_total,
    )
    environment.tests["known"] = known
    return environment.get_template("report.html.j2")


def _shown(value: Any) -> Any:
    """Spell out what would turn the line around; numbers, and what is HTML already, stay as they are."""
    return visible(value, keep=LINES) if type(value) is str else value


def _bar(share: float) -> float:
    """Return the length of a bar for a share: 0 to 100."""
    return round(100 * min(max(share, 0.0), 1.0), 1)


def _effect_bar(effect: float | None) -> float:
    """Return the length of a bar that is drawn from the middle: 0 to 50."""
    if effect is None:
        return 0.0
    return round(50 * min(abs(effect) / _FULL_EFFECT, 1.0), 1)

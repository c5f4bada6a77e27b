"""The report as one HTML file: no script, no request, nothing outside the file."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from typing import Any

from custseg._core._html import LINES, Html, element
from custseg._core.optional import require
from custseg._core.visible import visible
from custseg._version import __version__
from custseg.plotting._for_reporting import sentence
from custseg.reporting._contents import NO_ROWS_TOLD, NO_STABILITY, read_study, stability_table
from custseg.reporting._finding import finding
from custseg.reporting._glossary import GLOSSARY
from custseg.reporting._page.page import page_of
from custseg.reporting._study import FittedStudy


def render_html(study: FittedStudy, *, title: str | None = None) -> str:
    """Render a fitted study as one self-contained HTML page.

    The page holds its styles and drawings, runs no script and asks no server for anything; a content security policy,
    which names the style by its hash, says so to the browser. It reads on a phone, on a wide screen, on paper with a
    page for each segment, and in light, dark and forced colours. What is drawn is what the Displays of
    :mod:`custseg.plotting` draw, as HTML and small drawings. All text that comes from the data is escaped.

    Parameters
    ----------
    study : SegmentationStudy
        A fitted study.
    title : str or None, default=None
        The heading of the page; None takes the finding.

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
    contents = read_study(study, finding(study) if title is None else title)
    page = page_of(study, contents)
    style = _template("report.css").render() + page.rules
    return str(
        _template("report.html.j2").render(
            report=contents,
            page=page,
            style=Html(style),
            style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
            stability_table=stability_table(contents),
            custseg_version=__version__,
            glossary=GLOSSARY,
            no_rows_told=NO_ROWS_TOLD,
            no_stability=NO_STABILITY,
        )
    )


@cache
def _template(name: str) -> Any:
    """Compile a template, which takes longer than to fill it."""
    jinja2 = require("jinja2", "the HTML report")
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("custseg.reporting"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(bdi=_isolated, sentence=sentence)
    return environment.get_template(name)


def _shown(value: Any) -> Any:
    """Spell out what would turn the line around; numbers, and what is HTML already, stay as they are."""
    return visible(value, keep=LINES) if type(value) is str else value


def _isolated(name: str) -> Html:
    """Keep a name, whatever its direction of writing, from turning what stands beside it around."""
    return element("bdi", name)

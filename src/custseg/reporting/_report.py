"""Writes a report in the format that the name of its file asks for."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from custseg._core.files import check_writable, replacing
from custseg.exceptions import OutputPathError
from custseg.reporting._finding import finding
from custseg.reporting._html import render_html
from custseg.reporting._json import render_json
from custseg.reporting._markdown import render_markdown
from custseg.reporting._study import FittedStudy

_FORMATS: dict[str, Callable[..., str]] = {
    ".html": render_html,
    ".htm": render_html,
    ".md": render_markdown,
    ".json": render_json,
}


def check_report_path(path: str | Path) -> Path:
    """Make sure that a report can be written, before the computation that it reports.

    Parameters
    ----------
    path : str or path
        The file to be written; its ending must be ``.html``, ``.htm``, ``.md`` or ``.json``.

    Returns
    -------
    pathlib.Path
        The path.

    Raises
    ------
    OutputPathError
        If the ending is another one, or the file cannot be written. Nothing is left behind.

    Examples
    --------
    >>> from custseg.reporting import check_report_path
    >>> check_report_path("report.pdf")
    Traceback (most recent call last):
    ...
    custseg.exceptions.OutputPathError: cannot tell the format of the report from 'report.pdf'; its name must end in \
.html or .htm or .md or .json.
    """
    path = Path(path)
    if path.suffix.lower() not in _FORMATS:
        raise OutputPathError(
            f"cannot tell the format of the report from {str(path)!r}; its name must end in {' or '.join(_FORMATS)}."
        )
    return check_writable(path)


def write_report(study: FittedStudy, path: str | Path, *, title: str | None = None, overwrite: bool = True) -> Path:
    """Write the report of a fitted study to a file, whole or not at all.

    Parameters
    ----------
    study : SegmentationStudy
        A fitted study.
    path : str or path
        The file; its ending chooses HTML (``.html``, ``.htm``), Markdown (``.md``) or JSON (``.json``).
    title : str or None, default=None
        The title; None takes the finding, such as "Five real segments: 32% of the customers bring 80% of the value".
    overwrite : bool, default=True
        Whether a file that exists is replaced; otherwise it is refused.

    Returns
    -------
    pathlib.Path
        The file written.

    Raises
    ------
    MissingDependencyError
        If HTML is asked for and jinja2 is not installed.
    OutputPathError
        If the ending is another one, the file cannot be written, or it exists and is not to be replaced.

    Examples
    --------
    >>> import tempfile
    >>> from custseg import DemographicEncoder, SegmentationBrief, SegmentationStudy, SegmentClusterer
    >>> from custseg.datasets import make_customers
    >>> from custseg.reporting import write_report
    >>> study = SegmentationStudy(
    ...     SegmentationBrief("pricing"),
    ...     characteristics=DemographicEncoder(columns=["age", "income"]),
    ...     clusterer=SegmentClusterer(n_segments=3, max_segments=3, n_init=2, random_state=0),
    ...     n_pairs=2,
    ... ).fit(make_customers(60, random_state=0).profile)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_report(study, f"{folder}/segments.md").name
    'segments.md'
    """
    path = check_report_path(path)
    if not overwrite and os.path.lexists(path):
        raise OutputPathError.exists(path)
    text = _FORMATS[path.suffix.lower()](study, title=finding(study) if title is None else title)
    with replacing(path, overwrite=overwrite) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path

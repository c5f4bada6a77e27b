"""Writes a report in the format that the name of its file asks for."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from custseg._core.files import check_writable, replacing
from custseg._core.optional import require
from custseg.exceptions import OutputPathError
from custseg.reporting._export.slides import render_slides
from custseg.reporting._export.workbook import render_workbook
from custseg.reporting._finding import finding
from custseg.reporting._html import render_html
from custseg.reporting._json import render_json
from custseg.reporting._markdown import render_markdown
from custseg.reporting._study import FittedStudy

_TEXTS: dict[str, Callable[..., str]] = {
    ".html": render_html,
    ".htm": render_html,
    ".md": render_markdown,
    ".json": render_json,
}
_OFFICE: dict[str, Callable[[FittedStudy, str], bytes]] = {".xlsx": render_workbook, ".pptx": render_slides}
_ENDINGS = (*_TEXTS, *_OFFICE)
# what each form is written with
_LIBRARIES = {
    ".html": {"jinja2": "the HTML report"},
    ".htm": {"jinja2": "the HTML report"},
    ".xlsx": {"openpyxl": "the Excel report"},
    ".pptx": {"pptx": "the PowerPoint report", "matplotlib": "the PowerPoint report"},
}


def check_report_path(path: str | Path) -> Path:
    """Make sure that a report can be written, before the computation that it reports.

    Parameters
    ----------
    path : str or path
        The file to be written; its ending must be ``.html``, ``.htm``, ``.md``, ``.json``, ``.xlsx`` or
        ``.pptx``.

    Returns
    -------
    pathlib.Path
        The path.

    Raises
    ------
    MissingDependencyError
        If the library that writes such a file is not installed: jinja2 for HTML, openpyxl for Excel, python-pptx
        and matplotlib for PowerPoint.
    OutputPathError
        If the ending is another one, or the file cannot be written. Nothing is left behind.

    Examples
    --------
    >>> from custseg.reporting import check_report_path
    >>> check_report_path("report.pdf")
    Traceback (most recent call last):
    ...
    custseg.exceptions.OutputPathError: cannot tell the format of the report from 'report.pdf'; its name must end in \
.html or .htm or .md or .json or .xlsx or .pptx.
    """
    path = Path(path)
    ending = path.suffix.lower()
    if ending not in _ENDINGS:
        raise OutputPathError(
            f"cannot tell the format of the report from {str(path)!r}; its name must end in {' or '.join(_ENDINGS)}."
        )
    for library, needed_by in _LIBRARIES.get(ending, {}).items():
        require(library, needed_by)
    return check_writable(path)


def write_report(study: FittedStudy, path: str | Path, *, title: str | None = None, overwrite: bool = True) -> Path:
    """Write the report of a fitted study to a file, whole or not at all.

    Parameters
    ----------
    study : SegmentationStudy
        A fitted study.
    path : str or path
        The file; its ending chooses HTML (``.html``, ``.htm``), Markdown (``.md``), JSON (``.json``), Excel
        (``.xlsx``) or PowerPoint (``.pptx``).
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
        If the library that writes such a file is not installed.
    OutputPathError
        If the ending is another one, the file cannot be written, or it exists and is not to be replaced.

    Notes
    -----
    The workbook has the sheets *Segments*, *Comparison*, *Personas*, *Outcomes* (where the brief names some),
    *Customers*, *Columns*, *Read* and *About*. **Customers holds the id and the segment of every customer**, on as many
    sheets as Excel needs, and is there where the study holds them: treat such a file as you treat the tables, or store
    the study without its customers first. All other sheets, and all other forms, tell of groups alone. No text in it
    is run as a formula; characters that a workbook cannot hold are spelt out.

    The slides begin with the verdict; then come every picture that the study has data for, see :func:`write_figures`,
    with the finding as the title, the alternative text on the picture and how to read it in the notes; then the
    personas. Workbook and slides are the same bytes for the same study, with one version of the libraries.

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
    title, ending = finding(study) if title is None else title, path.suffix.lower()
    made = _OFFICE[ending](study, title) if ending in _OFFICE else _TEXTS[ending](study, title=title).encode()
    with replacing(path, overwrite=overwrite) as temporary:
        temporary.write_bytes(made)
    return path

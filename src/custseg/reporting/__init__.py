"""The report of a study: what was found, whether it is real, who the segments are, and what was left out.

The same facts are read from a fitted study once and rendered as a self-contained HTML page (no
script, no request), as Markdown, as JSON for programs, and as plain text for a terminal.
:func:`write_report` chooses by the ending of the file's name.
"""

from custseg.reporting._export.figures import check_figures_path, write_figures
from custseg.reporting._finding import finding
from custseg.reporting._html import render_html
from custseg.reporting._json import render_json, report_schema
from custseg.reporting._markdown import render_markdown
from custseg.reporting._report import check_report_path, write_report
from custseg.reporting._text import render_text

__all__ = [
    "check_figures_path",
    "check_report_path",
    "finding",
    "render_html",
    "render_json",
    "render_markdown",
    "render_text",
    "report_schema",
    "write_figures",
    "write_report",
]

"""A fitted study in a terminal: what the command line prints."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from custseg._core.visible import visible
from custseg._core.words import format_number, format_share, format_total, known
from custseg.reporting._contents import Partition, read_study
from custseg.reporting._data_table import DataTable
from custseg.reporting._study import FittedStudy

_WIDTH = 100


def render_text(study: FittedStudy) -> str:
    """Render a fitted study as plain text of at most 100 columns, tables apart.

    Parameters
    ----------
    study : SegmentationStudy
        A fitted study.

    Returns
    -------
    str
        What was read and dropped and why, the verdict, the segments with size, value and stability,
        and one line per persona.

    Examples
    --------
    >>> from custseg import DemographicEncoder, SegmentationBrief, SegmentationStudy, SegmentClusterer
    >>> from custseg.datasets import make_customers
    >>> from custseg.reporting import render_text
    >>> study = SegmentationStudy(
    ...     SegmentationBrief("pricing"),
    ...     characteristics=DemographicEncoder(columns=["age", "income"]),
    ...     clusterer=SegmentClusterer(n_segments=3, max_segments=3, n_init=2, random_state=0),
    ...     n_pairs=2,
    ... ).fit(make_customers(60, random_state=0).profile)
    >>> "Are these segments real?" in render_text(study)
    True
    """
    contents = read_study(study, "")
    shown = contents.cut or contents.found
    lines: list[str] = []
    for table in contents.read:
        lines += [table.caption, *_columns([table.columns, *table.rows], table.numeric), ""]
    if contents.checked:
        lines += [*_wrapped(f"Policies that touched no row: {contents.checked}."), ""]
    lines += ["Are these segments real?", *_wrapped(contents.verdict), ""]
    if contents.numbers:
        lines += ["How many segments?", *_wrapped(str(contents.largest)), *_without_reasons(contents.numbers), ""]
    if contents.cut:
        lines += ["All customers", *_persona_lines(contents.found), ""]
    lines += [f"A constructive cut into {len(shown.groups)} groups" if contents.cut else "Segments"]
    lines += [*_segments(shown), ""]
    for table in contents.outcomes:
        lines += [*_wrapped(table.caption, hanging=""), *_columns([table.columns, *table.rows], table.numeric), ""]
    lines += ["Personas" + (" (constructive)" if shown.constructive else "")]
    return "\n".join(map(visible, [*lines, *_persona_lines(shown), ""]))


def _without_reasons(numbers: DataTable) -> Iterator[str]:
    """Show what was seen at each number; the reasons, which are sentences, stand in the report."""
    return _columns([row[:-1] for row in (numbers.columns, *numbers.rows)], numbers.numeric[:-1])


def _wrapped(text: str, hanging: str = "  ") -> list[str]:
    return textwrap.wrap(" ".join(text.split()), _WIDTH, initial_indent="  ", subsequent_indent=hanging)


def _segments(part: Partition) -> Iterator[str]:
    header = ("", "customers", "share", "value", "share of value", "stability")
    rows = [
        (
            visible(" ".join(group.name.split())),
            format_total(group.n_customers) if known(group.n_customers) else group.size,
            format_share(group.share),
            format_total(group.value),
            format_share(group.value_share),
            format_number(group.stability),
        )
        for group in part.groups
    ]
    return _columns([header, *rows], (False, True, True, True, True, True))


def _persona_lines(part: Partition) -> Iterator[str]:
    for group in part.groups:
        yield from _wrapped(f"{group.name}: {group.summary}", hanging="    ")


def _columns(rows: Sequence[Sequence[str]], numeric: Sequence[bool]) -> Iterator[str]:
    """Align the cells; the last column is not padded."""
    widths = [max(len(row[position]) for row in rows) for position in range(len(numeric))]
    for row in rows:
        cells = (
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, numeric, strict=True)
        )
        yield "  " + "  ".join(cells).rstrip()

"""A fitted study in a terminal: what the command line prints."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from custseg._core.asking import asks
from custseg._core.cells import fold, grid
from custseg._core.optional import require
from custseg._core.params import Integer, OneOf, check
from custseg._core.visible import visible
from custseg._core.words import UNKNOWN, format_number, format_share, format_total, known
from custseg.reporting._answer import Line, answer
from custseg.reporting._contents import Contents, Partition, read_study
from custseg.reporting._data_table import DataTable
from custseg.reporting._study import FittedStudy

_NARROWEST, _WIDEST = 40, 100


@asks
def render_text(study: FittedStudy, *, width: int = 80, short: bool = False, colour: bool = False) -> str:
    """Render a fitted study as text for a terminal, the answer first.

    Parameters
    ----------
    study : SegmentationStudy
        A fitted study.
    width : int, default=80
        The cells of a line, from 40; lines are folded to them, and to 100 where there are more.
    short : bool, default=False
        Whether to say no more than fits on one screen of 24 lines, as ``custseg run`` does without ``--verbose``.
    colour : bool, default=False
        Whether to add the codes by which terminals show colours and bold letters. Needs rich.

    Returns
    -------
    str
        The verdict, and the segments with their share of the value, what a customer is worth against the average,
        how alike they come back, and the action; where nothing is known of a figure, it has no column. Unless it
        is short there follow the verdict in full, what was read and dropped and why, all figures of the segments, and
        a paragraph per persona.

    Raises
    ------
    InvalidParameterError
        If a parameter is of the wrong kind.
    MissingDependencyError
        If colours are asked for and rich is not installed.

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
    >>> max(map(len, render_text(study, width=60, short=True).splitlines())) <= 60
    True
    """
    truth = (OneOf(True, False),)
    check(
        {"width": (Integer(_NARROWEST),), "short": truth, "colour": truth},
        {"width": width, "short": short, "colour": colour},
    )
    width = min(width, _WIDEST)
    contents = read_study(study, "")
    lines = answer(study, contents, width, short=short)
    if not short:
        lines += [[(visible(line), "")] for line in _rest(contents, width)]
    if colour:
        return _coloured(lines, width)
    return "".join(f"{''.join(text for text, _ in line).rstrip()}\n" for line in lines)


def _coloured(lines: Iterable[Line], width: int) -> str:
    console, text = require("rich.console", "colour"), require("rich.text", "colour")
    stream = io.StringIO()
    out = console.Console(file=stream, force_terminal=True, color_system="standard", width=width, highlight=False)
    for line in lines:
        out.print(text.Text.assemble(*line), soft_wrap=True)
    return stream.getvalue()


def _rest(contents: Contents, width: int) -> Iterator[str]:
    """Tell all that a screen has no room for."""
    shown = contents.cut or contents.found
    yield from _section("Are these segments real?", _wrapped(contents.verdict, width))
    if contents.numbers:
        told = _wrapped(str(contents.largest), width)
        yield from _section("How many segments?", [*told, *_without_reasons(contents.numbers, width)])
    for table in (*contents.read, *contents.outcomes):
        yield from _section(*_titled(table, width))
    if contents.checked:
        yield from _section("Policies that touched no row", _wrapped(f"{contents.checked}.", width))
    if contents.cut:
        yield from _section("All customers", _persona_lines(contents.found, width))
    heading = f"A constructive cut into {len(shown.groups)} groups" if contents.cut else "Segments"
    yield from _section(heading, _segments(shown, width))
    yield from _section("Personas" + (" (constructive)" if shown.constructive else ""), _persona_lines(shown, width))


def _section(heading: str, lines: Iterable[str]) -> Iterator[str]:
    yield from ("", heading, *lines)


def _titled(table: DataTable, width: int) -> tuple[str, Iterator[str]]:
    first, *others = fold(table.caption, width)
    return first, chain(others, _table(table.columns, table.rows, table.numeric, width))


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]], numeric: Sequence[bool], width: int) -> Iterator[str]:
    """Show the columns of which anything is known."""
    kept = [place for place in range(len(columns)) if any(row[place] not in ("", UNKNOWN) for row in rows)]
    cells = [[row[place] for place in kept] for row in (columns, *rows)]
    return (f"  {line}" for line in grid(cells, [numeric[place] for place in kept], width - 2))


def _without_reasons(numbers: DataTable, width: int) -> Iterator[str]:
    """Show what was seen at each number; the reasons, which are sentences, stand in the report."""
    return _table(numbers.columns[:-1], [row[:-1] for row in numbers.rows], numbers.numeric[:-1], width)


def _wrapped(text: str, width: int, hanging: str = "") -> list[str]:
    return [f"  {line}" for line in fold(text, width - 2, hanging)]


def _segments(part: Partition, width: int) -> Iterator[str]:
    columns = ("", "customers", "share", "value", "share of value", "stability")
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
    return _table(columns, rows, (False, True, True, True, True, True), width)


def _persona_lines(part: Partition, width: int) -> Iterator[str]:
    for group in part.groups:
        yield from _wrapped(visible(f"{group.name}: {group.summary}"), width, "  ")

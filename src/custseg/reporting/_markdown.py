"""The report as Markdown: the same facts, for repositories, tickets and mails."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from custseg._core.markdown import escape_markdown
from custseg._core.words import format_effect, format_number, format_share, format_total, known
from custseg._version import __version__
from custseg.reporting._contents import (
    NO_ROWS_TOLD,
    NO_STABILITY,
    Group,
    Partition,
    read_study,
    stability_table,
)
from custseg.reporting._data_table import DataTable
from custseg.reporting._finding import finding
from custseg.reporting._glossary import GLOSSARY
from custseg.reporting._study import FittedStudy

_ARROWS = {"more": "▲", "less": "▼", "same": "="}


def render_markdown(study: FittedStudy, *, title: str | None = None) -> str:
    r"""Render a fitted study as Markdown (GitHub's dialect, for its tables).

    Parameters
    ----------
    study : SegmentationStudy
        A fitted study.
    title : str or None, default=None
        The heading; None takes the finding.

    Returns
    -------
    str
        The text. Names and values from the data are escaped.

    Examples
    --------
    >>> from custseg import DemographicEncoder, SegmentationBrief, SegmentationStudy, SegmentClusterer
    >>> from custseg.datasets import make_customers
    >>> from custseg.reporting import render_markdown
    >>> study = SegmentationStudy(
    ...     SegmentationBrief("pricing"),
    ...     characteristics=DemographicEncoder(columns=["age", "income"]),
    ...     clusterer=SegmentClusterer(n_segments=3, max_segments=3, n_init=2, random_state=0),
    ...     n_pairs=2,
    ... ).fit(make_customers(60, random_state=0).profile)
    >>> render_markdown(study, title="Spring").splitlines()[0]
    '# Spring'
    """
    contents = read_study(study, finding(study) if title is None else title)
    shown = contents.cut or contents.found
    lines = [f"# {escape_markdown(contents.title)}", ""]
    lines += [f"- {term}: {escape_markdown(words)}" for term, words in contents.brief]
    lines += ["", "## Are these segments real?", "", escape_markdown(contents.verdict), ""]
    lines += [f"- {term}: {figure} ({escape_markdown(gloss)})" for term, figure, gloss in contents.figures]
    heading = f"A constructive cut into {len(shown.groups)} groups" if contents.cut else "Segments"
    lines += ["", f"## {heading}", ""]
    if contents.notice:
        lines += [escape_markdown(contents.notice), ""]
    lines += [*_segments(shown), *_tables(contents.outcomes, ""), "", "## Personas"]
    if contents.cut:
        lines += _personas(contents.found)
    lines += [*_personas(shown), "", "## Stability", ""]
    if contents.selection:
        lines += [f"What the data ask for: {escape_markdown(contents.selection)}", ""]
    if contents.largest:
        lines += [f"What can be used: {escape_markdown(contents.largest)}", ""]
    lines += _table(stability_table(contents)) if contents.stability else [NO_STABILITY]
    if contents.numbers:
        lines += ["", *_table(contents.numbers)]
    lines += ["", "## What was read, what was dropped, and why", *_tables(contents.read, NO_ROWS_TOLD)]
    if contents.checked:
        lines += ["", f"Policies that touched no row: {escape_markdown(contents.checked)}."]
    lines += ["", "## Method", *_tables(contents.method, "")]
    lines += ["", "## How to read this report", ""]
    lines += [f"- **{term}**: {words}" for term, words in GLOSSARY]
    return "\n".join([*lines, "", f"Written by custseg {__version__}.", ""])


def _label(group: Group, part: Partition) -> str:
    return escape_markdown(group.name) + (" (constructive)" if part.constructive else "")


def _segments(part: Partition) -> Iterator[str]:
    columns = ["Group" if part.constructive else "Segment", "Customers", "Share"]
    columns += [*(["Value", "Share of value"] if part.has_value else []), "Stability"]
    rows = []
    for group in part.groups:
        value = [format_total(group.value), format_share(group.value_share)] if part.has_value else []
        size = format_total(group.n_customers) if known(group.n_customers) else group.size
        figures = [size, format_share(group.share), *value, format_number(group.stability)]
        rows.append([_label(group, part), *figures])
    return _grid(columns, rows, [False] + [True] * (len(columns) - 1))


def _personas(part: Partition) -> Iterator[str]:
    for group in part.groups:
        yield from ("", f"### {_label(group, part)}", "", escape_markdown(group.summary))
        if group.suppressed:
            yield from ("", "This group is so small that figures could point at a person; they are left out.")
        if group.traits:
            rows = [
                [
                    f"{_ARROWS[trait.direction]} {escape_markdown(trait.characteristic)}",
                    f"{escape_markdown(trait.here)} ({trait.statistic}{f', {trait.known}' if trait.known else ''})",
                    escape_markdown(trait.elsewhere),
                    format_effect(trait.effect),
                    "yes" if trait.used_for_clustering else "no",
                ]
                for trait in group.traits
            ]
            columns = ["Trait", "Here", "Elsewhere", "Effect size", "Used for clustering"]
            yield from ("", *_grid(columns, rows, [False, False, False, True, False]))
        if group.typical:
            yield from (
                "",
                "Typical customer: "
                + "; ".join(
                    f"{escape_markdown(name)} {escape_markdown(value)}{f' ({note})' if note else ''}"
                    for name, value, note in group.typical
                )
                + ".",
            )
        if group.unknown:
            yield from ("", f"Known of too few: {escape_markdown(', '.join(group.unknown))}.")
        for action, advice, because in group.actions:
            yield from (
                "",
                f"**{escape_markdown(action)}.** {escape_markdown(advice)}"
                + (f" Because: {escape_markdown(because)}." if because else ""),
            )


def _tables(tables: Iterable[DataTable], otherwise: str) -> Iterator[str]:
    empty = True
    for table in tables:
        empty = False
        yield ""
        yield from _table(table)
    if empty:
        yield from ("", otherwise)


def _table(table: DataTable) -> Iterator[str]:
    yield from (f"{escape_markdown(table.caption)}:", "")
    yield from _grid(
        [escape_markdown(name) for name in table.columns],
        [map(escape_markdown, row) for row in table.rows],
        table.numeric,
    )


def _grid(columns: Sequence[str], rows: Iterable[Iterable[str]], numeric: Sequence[bool]) -> Iterator[str]:
    yield f"| {' | '.join(columns)} |"
    yield f"| {' | '.join('---:' if right else '---' for right in numeric)} |"
    for row in rows:
        yield f"| {' | '.join(row)} |"

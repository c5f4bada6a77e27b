"""The report as Markdown: the same facts, for repositories, tickets and mails."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from custseg._core.markdown import escape_markdown
from custseg._core.words import format_effect, format_number, format_share, format_total, known
from custseg._version import __version__
from custseg.plotting import ComparisonDisplay
from custseg.reporting._contents import (
    NO_ROWS_TOLD,
    NO_STABILITY,
    Contents,
    Group,
    Partition,
    read_study,
    stability_table,
)
from custseg.reporting._data_table import DataTable
from custseg.reporting._export.sketch import sketches
from custseg.reporting._finding import finding
from custseg.reporting._glossary import GLOSSARY
from custseg.reporting._study import FittedStudy, comparison_of

_ARROWS = {"more": "▲", "less": "▼", "same": "="}
# the steps of an effect from which a figure is bold, and its arrow double
_BOLD, _TWICE = 3, 4


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
    lines = [f"# {escape_markdown(contents.title)}", "", escape_markdown(contents.verdict), ""]
    if contents.notice:
        lines += [escape_markdown(contents.notice), ""]
    heading = f"A constructive cut into {len(shown.groups)} groups" if contents.cut else "Segments"
    lines += [f"## {heading}", "", *_segments(shown), *_side_by_side(comparison_of(study))]
    if contents.outcomes:
        lines += ["", "## What became of them", *_tables(contents.outcomes, "")]
    lines += ["", "## Personas"]
    if contents.cut:
        lines += _personas(contents.found)
    lines += [*_personas(shown, sketches(study, contents)), *_returning(contents), *_asked_and_read(contents)]
    lines += ["", "## Method", *_tables(contents.method, "")]
    lines += ["", "## How to read this report", ""]
    lines += [f"- **{term}**: {words}" for term, words in GLOSSARY]
    return "\n".join([*lines, "", f"Written by custseg {__version__}.", ""])


def _side_by_side(display: ComparisonDisplay | None) -> Iterator[str]:
    """Set the segments side by side, in original units."""
    if display is None:
        return
    names = [escape_markdown(name) for name in display.segments_["name"]]
    yield from ("", "## Side by side", "", escape_markdown(display.title), "")
    rows = []
    for (block, used), cells in display.data_.groupby(["block", "used_for_clustering"], sort=False):
        rows.append([_heading(str(block), used=bool(used)), "", *[""] * len(names)])
        for start in range(0, len(cells), len(names)):
            row = cells.iloc[start : start + len(names)]
            label, everyone = row["label"].iloc[0], row["overall_text"].iloc[0]
            rows.append([escape_markdown(label), escape_markdown(everyone), *map(_cell, row.to_dict("records"))])
    yield from _grid(["", "Everyone", *names], rows, [False] + [True] * (1 + len(names)))
    yield from ("", "▲ higher, ▼ lower than among all other customers, twice and bold where it is most so.")


def _heading(block: str, *, used: bool) -> str:
    made = "made the segments, so they differ" if used else "not used to make the segments"
    return f"**{block}**: {made}" if block else made


def _cell(cell: Mapping[Any, Any]) -> str:
    """Write a figure with its arrow; strong differences are bold."""
    if not cell["text"]:
        return "too few"
    arrow = "" if not cell["step"] else (" ▲" if cell["effect_size"] > 0 else " ▼")
    text = f"{escape_markdown(cell['text'])}{arrow}{arrow.strip() if cell['step'] == _TWICE else ''}"
    return f"**{text}**" if cell["step"] >= _BOLD else text


def _returning(contents: Contents) -> Iterator[str]:
    """Say whether the segments come back, and why it is this number of them."""
    yield from ("", "## Do they come back?", "")
    if contents.selection:
        yield from (f"What the data ask for: {escape_markdown(contents.selection)}", "")
    if contents.largest:
        yield from (f"What can be used: {escape_markdown(contents.largest)}", "")
    yield from _table(stability_table(contents)) if contents.stability else [NO_STABILITY]
    if contents.numbers:
        yield from ("", *_table(contents.numbers))


def _asked_and_read(contents: Contents) -> Iterator[str]:
    """Say what was asked for, what was read, and what was left out."""
    yield from ("", "## What was asked for", "")
    yield from (f"- {term}: {escape_markdown(words)}" for term, words in contents.brief)
    yield from (f"- {term}: {figure} ({escape_markdown(gloss)})" for term, figure, gloss in contents.figures)
    yield from ("", "## What was read, what was dropped, and why", *_tables(contents.read, NO_ROWS_TOLD))
    if contents.checked:
        yield from ("", f"Policies that touched no row: {escape_markdown(contents.checked)}.")


def _label(group: Group, part: Partition) -> str:
    return escape_markdown(group.name) + (" (constructive)" if part.constructive else "")


def _segments(part: Partition) -> Iterator[str]:
    columns = ["Group" if part.constructive else "Segment", "Customers", "Share"]
    columns += [*(["Value", "Share of value", "Per customer", "Index"] if part.has_value else []), "Stability"]
    rows = []
    for group in part.groups:
        size = format_total(group.n_customers) if known(group.n_customers) else group.size
        value = _value(group) if part.has_value else []
        rows.append([_label(group, part), size, format_share(group.share), *value, format_number(group.stability)])
    yield from _grid(columns, rows, [False] + [True] * (len(columns) - 1))
    if part.has_value:
        yield from ("", "Index: value per customer, where 100 is the average.")


def _value(group: Group) -> list[str]:
    """Write what a segment is worth, in all, by customer, and against the average."""
    each = group.value / group.n_customers if group.value is not None and group.n_customers else None
    index = 100 * group.value_share / group.share if group.value_share is not None and group.share else None
    return [format_total(group.value), format_share(group.value_share), format_number(each), format_total(index)]


def _personas(part: Partition, told: Mapping[int, Sequence[tuple[str, str]]] | None = None) -> Iterator[str]:
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
        for term, words in (told or {}).get(group.segment, ()):
            yield from ("", f"{escape_markdown(term)}: {escape_markdown(words.rstrip('.'))}.")
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

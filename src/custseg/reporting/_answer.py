"""The answer of a study on one screen: the verdict, a line or a few per segment, and what became of the rows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from custseg._core.cells import cut, fold, n_cells, pad
from custseg._core.visible import visible
from custseg._core.words import format_share, format_total, known
from custseg.reporting._contents import Contents, Group, Partition
from custseg.reporting._study import FittedStudy
from custseg.validation import STABLE_SEGMENT

__all__ = ["SCREEN", "Line", "answer"]

Line = list[tuple[str, str]]
"""Pieces of a line: a text, and its style in the words of rich."""

SCREEN = 21
"""Lines of an answer: three of the 24 of a terminal are for the files that were written."""

_COLOURS = {"natural": "green", "reproducible": "cyan", "constructive": "yellow", "defined": "cyan"}
_MORE = "see --verbose, or the report"
_AGAINST = "×avg"  # noqa: RUF001 - the sign of multiplication
_BAR, _WIDE = 12, 76
# the least width of the names, for which the last columns give way
_NAMES = 18
_EIGHTHS = " ▏▎▍▌▋▊▉"


@dataclass(frozen=True)
class _Column:
    """A column of figures: its name, its cells, and the style of each."""

    name: str
    cells: list[str]
    styles: list[str]
    bar: bool = False

    @property
    def width(self) -> int:
        return max(map(n_cells, [self.name, *self.cells]))


def answer(study: FittedStudy, contents: Contents, width: int, *, short: bool) -> list[Line]:
    """Say what was found.

    Where it has to be short, there go what the segments are good for, the names of the tables, the ends of long names,
    the actions and the last segments, in this order.
    """
    shown = contents.cut or contents.found
    if not short:
        return [*_panel(contents, width, noticed=True), [], *_segments(shown, width, level=0)]
    each, together = _rows(study, together=False), _rows(study, together=True)
    ways = ((0, True, each), (0, False, each), (0, False, together), (1, False, each), (1, False, together))
    for level, noticed, said in (*ways, (2, False, together)):
        head = [*_panel(contents, width, noticed=noticed), []]
        tail = [[], *([(line, "dim")] for row in said for line in fold(row, width, "  "))]
        segments = _segments(shown, width, level)
        if len(head) + len(segments) + len(tail) <= SCREEN:
            return [*head, *segments, *tail]
    room = max(2, SCREEN - len(head) - len(tail) - 1)
    left = len(segments) - room
    return [*head, *segments[:room], [(f"and {left} more: {_MORE}", "dim")], *tail]


def _panel(contents: Contents, width: int, *, noticed: bool) -> Iterator[Line]:
    colour = _COLOURS[contents.word]
    shown = contents.cut or contents.found
    title = (
        f" {contents.word} {'groups' if contents.cut else 'segments'} " if len(shown.groups) > 1 else " one segment "
    )
    first = contents.verdict.partition(". ")[0].rstrip(".") + "."
    inside = [(line, "bold") for line in fold(visible(first), width - 4)]
    # the notice of a cut begins with the verdict
    notice = contents.notice.partition(". ")[2] if contents.cut else contents.notice
    for words in (notice if noticed else "", _figures(contents)):
        inside += [(line, "dim") for line in fold(visible(words), width - 4) if line]
    yield [(f"╭─{title}{'─' * (width - 3 - len(title))}╮", colour)]
    for text, style in inside:
        yield [("│ ", colour), (pad(text, width - 4), style), (" │", colour)]
    yield [(f"╰{'─' * (width - 2)}╯", colour)]


def _figures(contents: Contents) -> str:
    figures = {term: (figure, gloss) for term, figure, gloss in contents.figures}
    told = [dict(contents.brief)["Customers"]]
    if "Not assigned" in figures:
        told.append(f"{figures['Not assigned'][0]} {figures['Not assigned'][1]}")
    if "Value" in figures:
        told.append(f"value {figures['Value'][0]}: {figures['Value'][1]}")
    return "; ".join(told)


def _segments(part: Partition, width: int, level: int) -> list[Line]:
    """Set the segments below one another: at level 1 names have one line, at level 2 there are no actions."""
    columns = _columns(part.groups, width)
    while columns and width - _taken(columns) < _NAMES:
        columns.pop()
    names = width - _taken(columns)
    heading = [(pad("group" if part.constructive else "segment", names), "dim")]
    told = [[action for action, _, _ in group.actions] if level < 2 else [] for group in part.groups]
    # what is done for all of them is said once
    in_common = told[0][0] if len(told) > 1 and told[0] and all(each == told[0] for each in told) else ""
    told = [[] for _ in told] if in_common else told
    lines: list[Line] = [
        [*heading, *((f"  {pad(each.name, each.width, right=not each.bar)}", "dim") for each in columns)]
    ]
    for position, group in enumerate(part.groups):
        name = visible(" ".join(group.name.split()))
        first, *others = fold(name, names) if level == 0 else [cut(name, names)]
        figures = [
            (f"  {pad(each.cells[position], each.width, right=not each.bar)}", each.styles[position])
            for each in columns
        ]
        lines.append([(pad(first, names), "bold"), *figures])
        lines += [[(line, "bold")] for line in others]
        lines += [[(line, "dim")] for action in told[position] for line in fold(visible(f"→ {action}"), width)]
    if in_common:
        lines += [[(line, "dim")] for line in fold(visible(f"→ For all of them: {in_common}"), width)]
    return lines


def _taken(columns: Sequence[_Column]) -> int:
    return sum(2 + each.width for each in columns)


def _columns(groups: Sequence[Group], width: int) -> list[_Column]:
    """Return the columns of which anything is known."""
    sizes = [format_total(group.n_customers) if known(group.n_customers) else group.size for group in groups]
    shares, values = [group.share for group in groups], [group.value_share for group in groups]
    times = [_times(group) for group in groups]
    back = [group.stability for group in groups]
    has_value = any(map(known, values))
    columns = [_Column("customers", sizes, [""] * len(groups)), _of(shares, "share", _percent)]
    if has_value:
        columns.append(_of(values, "value", _percent))
        columns.append(_of(times, _AGAINST, _against_average, lambda time: "cyan" if time >= 1 else "red"))
    columns.append(_of(back, "comes back" if width >= _WIDE else "back", _came_back))
    columns = [each for each in columns if any(each.cells)]
    if width >= _WIDE:
        drawn = values if has_value else shares
        most = max((share for share in drawn if share is not None), default=0.0)
        bars = _of(drawn, "", lambda share: _bar(share / most if most > 0 else 0.0), lambda _: "cyan")
        columns.insert(2, _Column("", [pad(cell, _BAR) for cell in bars.cells], bars.styles, bar=True))
    return columns


def _of(values: Sequence[float | None], name: str, write: Any, style: Any = lambda value: "") -> _Column:
    """Write what is known of a figure."""
    return _Column(
        name,
        [write(value) if known(value) else "" for value in values],
        [style(value) if known(value) else "" for value in values],
    )


def _times(group: Group) -> float | None:
    """Return how many times as much as the average customer one of a segment is worth."""
    return group.value_share / group.share if group.value_share is not None and group.share else None


def _against_average(times: float) -> str:
    return "<0.1" if 0 < times < 0.05 else f"{times:,.1f}"


def _percent(share: float) -> str:
    return format_share(share).replace("under ", "<").replace("over ", ">")


def _came_back(stability: float) -> str:
    # what is below the limit must not look as if it were not
    text = f"{math.floor(round(100 * stability, 6)) / 100:.2f}"
    return f"{text} {'✓' if stability >= STABLE_SEGMENT else ' '}"


def _bar(share: float) -> str:
    whole, rest = divmod(round(8 * _BAR * max(0.0, share)), 8)
    return "█" * whole + (_EIGHTHS[rest] if rest else "")


def _rows(study: FittedStudy, *, together: bool) -> list[str]:
    """Say what was read, one line a table or all in one, and whether there is more to know of it."""
    tables = study.tables_read_
    named = tables if "table" in tables else tables.assign(table="the table")
    read = [_table(str(name), rows) for name, rows in named.groupby("table", sort=False)]
    if together and len(read) > 1:
        left = tables.groupby("table")["rows left out"].max().sum()
        read = [f"Read {len(read)} tables: {format_total(left)} rows left out"]
    strangers = 0 if study.match_report_ is None else int(study.match_report_["n_unmatched"].sum())
    if strangers:
        read.append(f"{format_total(strangers)} customers of other tables are not in the first, and left out")
    touched = {policy.policy for policy in study.row_report_.policies if policy.n_rows}
    if touched:
        read.append(f"{len(touched)} {'policy' if len(touched) == 1 else 'policies'} touched rows: {_MORE}")
    return read


def _table(name: str, rows: pd.DataFrame) -> str:
    """Say how large a table is; of several members that read it, each may have left out others of its rows."""
    figures = rows["rows left out"]
    left = " to ".join(map(format_total, sorted({figures.min(), figures.max()})))
    return visible(f"Read {name}: {format_total(rows['rows'].iloc[0])} rows, {left} left out")

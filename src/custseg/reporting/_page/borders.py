"""Whether there is a gap between each segment and the others, and where the segments come from."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from custseg._core.visible import visible
from custseg._core.words import format_share
from custseg.plotting import GorgeDisplay, StabilityDisplay
from custseg.plotting._for_reporting import apart, bands_of, boxes_of, rows_of
from custseg.reporting._page.plots import UNITS

__all__ = ["Flow", "Panel", "flow", "gorge"]

# of a drawing of the flow, which has a fixed height: pixels; a line of a name, and the width of a column, of UNITS
_FLOW_HEIGHT, _LINE = 300, 15
_COLUMN = 30
_LONGEST_LINE, _MOST_LINES = 18, 2


@dataclass(frozen=True)
class Panel:
    """One segment: outlines of the bars, everyone else from below and the members on top, and of one continuum."""

    name: str
    told: str
    others: str
    members: str
    null: str


def gorge(display: GorgeDisplay, order: Sequence[int]) -> tuple[Panel, ...]:
    """Lay the panels out, in the order of the report."""
    rows = {row.segment: row for row in rows_of(display.segments_)}
    return tuple(_panel(rows[segment], display.data_) for segment in order if segment in rows)


def _panel(row: Any, data: pd.DataFrame) -> Panel:
    bars = data[data["segment"] == row.segment]
    others = bars["n_others"].to_numpy(dtype=np.float64)
    both = others + bars["n_members"].to_numpy(dtype=np.float64)
    null = bars["null"].to_numpy(dtype=np.float64)
    most = max(both.max(), null.max()) or 1.0
    near, expected = format_share(row.near_border), format_share(row.near_border_null)
    told = f"{near} near the border; one continuum {expected}"
    return Panel(row.name, told, _outline(others / most), _outline(both / most), _steps(null / most))


def _outline(heights: Sequence[float]) -> str:
    return f"M0 {UNITS}{_walk(heights)}V{UNITS}z"


def _steps(heights: Sequence[float]) -> str:
    return "M0 " + _walk(heights)[1:]


def _walk(heights: Sequence[float]) -> str:
    """Walk along the tops of bars, up and to the right; where two are equally high, on."""
    path, last = "", None
    for place, height in enumerate(heights, 1):
        y = round(UNITS * (1 - height))
        path += ("" if y == last else f"V{y}") + f"H{round(UNITS * place / len(heights))}"
        last = y
    return path


@dataclass(frozen=True)
class Flow:
    """Columns of segments and the bands between them, in UNITS; names beside the last column, in percent."""

    alt: str
    numbers: tuple[tuple[float, str, bool], ...]
    bands: tuple[tuple[str, bool], ...]
    boxes: tuple[tuple[int, int, int, bool], ...]
    names: tuple[tuple[float, tuple[str, ...]], ...]


def flow(display: StabilityDisplay, columns: pd.DataFrame, least: int, number: Mapping[int, int]) -> Flow | None:
    """Lay out where the segments come from; bands of fewer than ``least`` customers are not drawn."""
    if display.flows_.empty:
        return None
    columns = columns[columns["n_segments"] <= display.n_segments]
    numbers = sorted(set(columns["n_segments"]))
    boxes = boxes_of(columns, display.flows_, numbers)
    place = {each: position / (len(numbers) - 1) for position, each in enumerate(numbers)}
    x = {each: round((UNITS - _COLUMN) * at) for each, at in place.items()}
    bands = [
        (_band(x[row.from_n_segments] + _COLUMN, x[row.n_segments], start, end, thick), bool(row.stays))
        for row, start, end, thick in bands_of(display.flows_, boxes)
        if row.n_customers >= least
    ]
    last = {segment: box for (each, segment), box in boxes.items() if each == numbers[-1]}
    return Flow(
        f"From {numbers[0]} to {numbers[-1]} segments: {sum(stays for _, stays in bands)} of {len(bands)} bands hold "
        "most of a segment that came from one.",
        tuple(
            (round((100 * x[each] + 50 * _COLUMN) / UNITS, 1), str(each), each == display.n_segments)
            for each in numbers
        ),
        tuple(bands),
        tuple(
            (x[each], round(UNITS * top), max(1, round(UNITS * (bottom - top))), each == numbers[-1])
            for (each, _), (top, bottom) in boxes.items()
        ),
        _names(last, display.names, number),
    )


def _band(left: int, right: int, start: float, end: float, thick: float) -> str:
    """Draw a band that leaves and arrives level."""
    middle = round((left + right) / 2)
    tops = round(UNITS * start), round(UNITS * end)
    bottoms = round(UNITS * (start + thick)), round(UNITS * (end + thick))
    there = f"M{left} {tops[0]}C{middle} {tops[0]} {middle} {tops[1]} {right} {tops[1]}"
    return f"{there}V{bottoms[1]}C{middle} {bottoms[1]} {middle} {bottoms[0]} {left} {bottoms[0]}z"


def _names(
    boxes: Mapping[int, tuple[float, float]], names: Sequence[str], number: Mapping[int, int]
) -> tuple[tuple[float, tuple[str, ...]], ...]:
    texts = [
        tuple(
            textwrap.wrap(
                f"{number[segment]} {visible(names[segment])}", _LONGEST_LINE, max_lines=_MOST_LINES, placeholder=" …"
            )
        )
        for segment in boxes
    ]
    wanted = np.array([[0.0, _FLOW_HEIGHT * (top + bottom) / 2] for top, bottom in boxes.values()])
    sizes = np.array([[1.0, _LINE * len(lines)] for lines in texts])
    placed = apart(wanted, sizes, gap=1.0)[:, 1]
    return tuple((round(100 * y / _FLOW_HEIGHT, 1), lines) for y, lines in zip(placed, texts, strict=True))

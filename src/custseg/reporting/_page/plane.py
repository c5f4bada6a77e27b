"""The map of the segments: shapes in whole numbers, and numbered names beside their centres."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from custseg._core.arrays import Floats
from custseg._core.visible import visible
from custseg.plotting import SegmentMapDisplay
from custseg.plotting._for_reporting import apart, rows_of

__all__ = ["HEIGHT", "WIDTH", "Label", "Plane", "Region", "plane"]

WIDTH, HEIGHT = 1000, 620
_ROOM = 0.04
_LEAST_BORDER, _THINNEST, _WIDER = 0.05, 0.6, 9.0
# a letter and a line where the map is as narrow as it has names, in its own units
_LETTER, _LINE, _CHIP = 14.5, 27.0, 36.0
_LONGEST_LINE, _MOST_LINES = 18, 3


@dataclass(frozen=True)
class Region:
    """A segment: the line around 95% of its customers, its inner half, and marks for some of them."""

    colour: int
    outer: str
    inner: str
    marks: str


@dataclass(frozen=True)
class Label:
    """The number and the name of a segment; places in percent, ``lead`` where the name had to move away."""

    number: int
    name: str
    x: float
    y: float
    lines: tuple[tuple[float, float, str], ...]


@dataclass(frozen=True)
class Plane:
    """The whole map."""

    title: str
    alt: str
    how: str
    regions: tuple[Region, ...]
    borders: tuple[tuple[int, int, int, int, float], ...]
    labels: tuple[Label, ...]


class _Sheet:
    """Puts the plane on a sheet, both axes on one scale."""

    def __init__(self, frames: list[pd.DataFrame]) -> None:
        places = np.vstack([frame[["x", "y"]].to_numpy(dtype=np.float64) for frame in frames])
        low, high = places.min(axis=0), places.max(axis=0)
        sheet = np.array([WIDTH, HEIGHT]) * (1 - 2 * _ROOM)
        self._unit = float(min(sheet / np.maximum(high - low, np.finfo(np.float64).tiny)))
        self._middle = (low + high) / 2

    def places(self, frame: pd.DataFrame) -> Floats:
        """Return places in units of the sheet, from its upper left corner."""
        away = (frame[["x", "y"]].to_numpy(dtype=np.float64) - self._middle) * self._unit
        return np.asarray(np.array([WIDTH, HEIGHT]) / 2 + away * [1.0, -1.0])

    def polygon(self, frame: pd.DataFrame) -> str:
        """Return the corners of an outline."""
        return " ".join(f"{x:.0f},{y:.0f}" for x, y in self.places(frame))


def plane(display: SegmentMapDisplay, number: Mapping[int, int]) -> Plane:
    """Lay the map out; ``number`` is the place of each segment in the report, which its chip bears."""
    sheet = _Sheet([display.data_, display.hulls_, display.centres_])
    regions = []
    for segment in sorted(display.centres_["segment"], key=lambda each: number[each]):
        hulls = display.hulls_[display.hulls_["segment"] == segment]
        marks = sheet.places(display.data_[display.data_["segment"] == segment])
        regions.append(
            Region(
                number[segment] - 1,
                sheet.polygon(hulls[hulls["within"] > 0.5]),
                sheet.polygon(hulls[hulls["within"] <= 0.5]),
                "".join(f"M{x:.0f} {y:.0f}h0" for x, y in marks),
            )
        )
    centres = display.centres_.assign(place=display.centres_["segment"].map(number))
    centres = centres.sort_values("place", ignore_index=True)
    at = dict(zip(centres["name"], sheet.places(centres).round().astype(int).tolist(), strict=True))
    borders = tuple(
        (*at[row.first], *at[row.second], round(_THINNEST + _WIDER * row.neighbourhood, 1))
        for row in rows_of(display.borders_)
        if row.neighbourhood > _LEAST_BORDER
    )
    return Plane(display.title, display.alt_, display.how_to_read, tuple(regions), borders, _labels(centres, sheet))


def _labels(centres: pd.DataFrame, sheet: _Sheet) -> tuple[Label, ...]:
    """Write each name below its number, where it covers no other."""
    places = sheet.places(centres)
    texts = [
        textwrap.wrap(visible(name), _LONGEST_LINE, max_lines=_MOST_LINES, placeholder=" …") for name in centres["name"]
    ]
    sizes = np.array([[_LETTER * max(map(len, lines)), _LINE * len(lines)] for lines in texts])
    wanted = places + np.column_stack([np.zeros(len(places)), _CHIP + sizes[:, 1] / 2 - _LINE / 2])
    wanted = np.clip(wanted, sizes / 2, np.array([WIDTH, HEIGHT]) - sizes / 2)
    labels = []
    for row, place, name, lines in zip(rows_of(centres), places, apart(wanted, sizes), texts, strict=True):
        x, y = (100 * place / [WIDTH, HEIGHT]).round(1)
        top = name[1] - _LINE * (len(lines) - 1) / 2
        written = tuple(
            (round(100 * name[0] / WIDTH, 1), round(100 * (top + _LINE * each) / HEIGHT, 1), line)
            for each, line in enumerate(lines)
        )
        labels.append(Label(int(row.place), row.name, float(x), float(y), written))
    return tuple(labels)

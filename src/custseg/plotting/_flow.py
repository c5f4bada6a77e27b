"""Bands of customers between segments, as their number grows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from custseg._core.optional import require
from custseg.plotting._shared.display import head, highlight, size_of
from custseg.plotting._shared.look import (
    INK,
    MARGIN,
    MORE,
    NONE,
    SMALL,
    SOFT,
    apart,
    height_of,
    rows_of,
    width_of,
    wrapped,
)

# of a column of segments: the room between two of them, and its width
_GAP, _WIDTH = 0.035, 0.16
# of the width between two columns, where a band turns
_BEND = 0.5

Boxes = dict[tuple[int, int], tuple[float, float]]


def draw_flow(ax: Any, columns: pd.DataFrame, flows: pd.DataFrame, names: Sequence[str]) -> None:
    """Draw a column of segments for each number, from the top, and the customers that pass from one to the next.

    Parameters
    ----------
    ax : matplotlib Axes
        The panel.
    columns : DataFrame
        ``n_segments``, ``segment`` and ``n_customers``.
    flows : DataFrame
        ``from_n_segments``, ``from_segment``, ``n_segments``, ``segment``, ``n_customers`` and ``stays``.
    names : sequence of str
        Those of the segments of the last column.
    """
    numbers = sorted(set(columns["n_segments"]))
    place = {number: position for position, number in enumerate(numbers)}
    boxes = boxes_of(columns, flows, numbers)
    path, patch = require("matplotlib.path").Path, require("matplotlib.patches")
    for row, from_top, to_top, thickness in bands_of(flows, boxes):
        left, right = place[row.from_n_segments] + _WIDTH / 2, place[row.n_segments] - _WIDTH / 2
        middle = left + _BEND * (right - left)
        upper = [(left, from_top), (middle, from_top), (middle, to_top), (right, to_top)]
        lower = [(x, y + thickness) for x, y in reversed(upper)]
        codes = [path.MOVETO, *[path.CURVE4] * 3, path.LINETO, *[path.CURVE4] * 3, path.CLOSEPOLY]
        shape = path([*upper, *lower, upper[0]], codes)
        ax.add_patch(patch.PathPatch(shape, facecolor=MORE if row.stays else NONE, alpha=0.55, linewidth=0))
    for (number, _), (top, bottom) in boxes.items():
        corner = (place[number] - _WIDTH / 2, top)
        colour = INK if number == numbers[-1] else SOFT
        ax.add_patch(patch.Rectangle(corner, _WIDTH, bottom - top, facecolor=colour, linewidth=0, zorder=3))
    ax.set(xlim=(-_WIDTH, len(numbers) - 1 + _WIDTH), ylim=(1.01, -0.01), yticks=[], xticks=range(len(numbers)))
    ax.set_xlabel("number of segments")
    ax.set_xticklabels(numbers)
    highlight(ax, numbers, numbers[-1])
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)
    head(ax, "Where do they come from?")
    _name(ax, [boxes[numbers[-1], label] for label in range(len(names))], names, len(numbers) - 1)


def boxes_of(columns: pd.DataFrame, flows: pd.DataFrame, numbers: Sequence[int]) -> Boxes:
    """Return top and bottom of each segment; each stands near those that its customers come from."""
    boxes: Boxes = {}
    for number in numbers:
        sizes = columns[columns["n_segments"] == number].set_index("segment")["n_customers"]
        room, top = 1 - _GAP * (len(sizes) - 1), 0.0
        origin = {segment: _origin(flows, boxes, number, segment) for segment in sizes.index}
        for segment in sorted(sizes.index, key=lambda each: (origin[each], -sizes[each], each)):
            bottom = top + sizes[segment] / sizes.sum() * room
            boxes[number, int(segment)] = (top, bottom)
            top = bottom + _GAP
    return boxes


def _origin(flows: pd.DataFrame, boxes: Boxes, number: int, segment: int) -> float:
    """Return the mean height from which the customers of a segment come; 0 for those of the first column."""
    own = flows[(flows["n_segments"] == number) & (flows["segment"] == segment)]
    if not own["n_customers"].sum():
        return 0.0
    middles = [float(np.mean(boxes[row.from_n_segments, row.from_segment])) for row in rows_of(own)]
    return round(float(np.average(middles, weights=own["n_customers"])), 9)


def bands_of(flows: pd.DataFrame, boxes: Boxes) -> list[tuple[Any, float, float, float]]:
    """Return each band that holds someone: where it begins, where it ends, and how thick it is."""
    leaving, entering = ({key: box[0] for key, box in boxes.items()} for _ in range(2))
    totals = flows.groupby("n_segments")["n_customers"].sum()
    n_boxes = pd.Series([number for number, _ in boxes]).value_counts()
    bands = []
    rows = [row for row in rows_of(flows) if row.n_customers > 0]
    for row in sorted(rows, key=lambda row: _heights(row, boxes)):
        start, end = (row.from_n_segments, row.from_segment), (row.n_segments, row.segment)
        # gaps take more room where there are more segments, so a band is as thick as the fuller column allows
        thickness = row.n_customers / totals[row.n_segments] * (1 - _GAP * (n_boxes[row.n_segments] - 1))
        bands.append((row, leaving[start], entering[end], thickness))
        leaving[start] += row.n_customers / totals[row.n_segments] * (1 - _GAP * (n_boxes[row.from_n_segments] - 1))
        entering[end] += thickness
    return bands


def _heights(row: Any, boxes: Boxes) -> tuple[int, float, float]:
    return row.n_segments, boxes[row.from_n_segments, row.from_segment][0], boxes[row.n_segments, row.segment][0]


def _name(ax: Any, boxes: Sequence[tuple[float, float]], names: Sequence[str], last: int) -> None:
    words = [wrapped(name) for name in names]
    width, height = size_of(ax)
    places = np.array([[0.0, height * (top + bottom) / 2] for top, bottom in boxes])
    sizes = np.array([[width_of(word, SMALL), height_of(word, SMALL)] for word in words])
    x = last + _WIDTH / 2 + MARGIN / 2 * (last + 2 * _WIDTH) / width
    for (_, y), word in zip(apart(places, sizes, gap=0.0), words, strict=True):
        ax.text(x, y / height, word, va="center", fontsize=SMALL, linespacing=1.05)

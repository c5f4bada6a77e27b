"""What matters to each segment, against how well it is served."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from custseg._core.arrays import Floats
from custseg._core.asking import asked
from custseg._core.visible import visible
from custseg.exceptions import InfeasibleError, InvalidParameterError
from custseg.personas import SegmentNeeds
from custseg.plotting._shared.display import Display, head, size_of
from custseg.plotting._shared.handed import left_out
from custseg.plotting._shared.look import (
    INK,
    LESS,
    LINE,
    MARGIN,
    MORE,
    NONE,
    PAPER,
    SMALL,
    SOFT,
    apart,
    cut,
    height_of,
    joined,
    rows_of,
    width_of,
)
from custseg.plotting._shared.profiled import quoted

__all__ = ["NeedsDisplay"]

_COLUMNS = 2
_WIDTH, _HEIGHT, _LEFT, _ABOVE, _BELOW, _BETWEEN = 4.6, 3.7, 0.62, 0.35, 0.75, 0.62
_CONCERN, _UNDECIDED = "concentrate here", "undecided"
_COLOURS = {_CONCERN: LESS, "keep up the good work": MORE, _UNDECIDED: NONE}
# where each quadrant is named: fractions of the panel, and which side of the words is there
_CORNERS = {
    _CONCERN: (0.0, 1.0),
    "keep up the good work": (1.0, 1.0),
    "low priority": (0.0, 0.0),
    "possible overkill": (1.0, 0.0),
}
# of what the points span, on every side
_ROOM = 0.16
_LONGEST, _DOT = 1.7, 0.09
_MOST_NAMED = 3


class NeedsDisplay(Display):
    """Show what matters to each segment against how well it is served.

    One panel for each segment: satisfaction to the right, importance upwards, and a dot for each item. The lines, at
    the mean of everyone over all items, part what to concentrate on from what to keep up, what matters little, and
    what may be too much of a good thing. Grey is what is not surely on one side.

    Parameters
    ----------
    needs : SegmentNeeds
        Importance and satisfaction, as :func:`~custseg.personas.needs_by_segment` makes them.

    Attributes
    ----------
    data_ : pandas.DataFrame
        One row per segment and item: ``segment``, ``name``, ``item``, ``importance``, ``satisfaction`` and
        ``quadrant``; the two means are missing where they may not be told, and then there is no dot.
    title, how_to_read, alt_ : str
        What was found, how to read it, and the figures to be read aloud.
    figure_ : matplotlib Figure
        After ``plot``.
    ax_ : matplotlib Axes
        The first panel, after ``plot``.
    axes_ : ndarray of matplotlib Axes
        All panels, after ``plot``.

    Raises
    ------
    InvalidParameterError
        If ``needs`` are none, or only importance was asked.
    InfeasibleError
        If no item may be told of.

    Notes
    -----
    Importance-performance analysis, of Martilla and James [1]_. An item is in a quadrant where the intervals of
    importance and of satisfaction both lie on one side of the lines, else it is "undecided". All panels have the same
    axes. Missing answers are in no mean.

    **When not to use it**: where nearly everything is said to be very important, which is a way of answering.

    References
    ----------
    .. [1] J. A. Martilla and J. C. James (1977), "Importance-performance analysis", Journal of Marketing 41, 77-79.

    Examples
    --------
    >>> import pandas as pd
    >>> from custseg.personas import needs_by_segment
    >>> from custseg.plotting import NeedsDisplay
    >>> from custseg.segmentation import Segmentation
    >>> importance = pd.DataFrame({"price": [5, 4, 5, 5] * 5 + [2, 1, 2, 2] * 5, "service": [3, 4, 3, 3] * 10})
    >>> satisfaction = pd.DataFrame({"price": [1, 2, 2, 1] * 5 + [4, 5, 4, 4] * 5, "service": [3, 3, 4, 3] * 10})
    >>> segmentation = Segmentation.of(importance, ["thrifty"] * 20 + ["easy"] * 20)
    >>> display = NeedsDisplay(needs_by_segment(importance, satisfaction, segmentation))
    >>> display.title
    'Concentrate on price for “thrifty”'
    >>> display.data_[["name", "item", "quadrant"]]
          name     item           quadrant
    0     easy    price  possible overkill
    1     easy  service          undecided
    2  thrifty    price   concentrate here
    3  thrifty  service          undecided
    """

    def __init__(self, needs: SegmentNeeds) -> None:
        if not isinstance(needs, SegmentNeeds):
            raise InvalidParameterError.not_allowed(
                "needs", "SegmentNeeds", type(needs).__name__, "needs_by_segment makes them."
            )
        if needs.satisfaction_line is None:
            remedy = "Pass satisfaction to needs_by_segment too."
            raise InvalidParameterError.not_allowed("needs", "of importance and satisfaction", "importance", remedy)
        told = _known(needs.quadrants)
        if told.empty:
            raise InfeasibleError(
                f"{asked()}: no item was answered by enough customers of a segment. Pass more answers."
            )
        shown = needs.quadrants["segment"].isin(told["segment"])
        self.data_ = needs.quadrants[shown].sort_values(["segment", "item"], ignore_index=True)
        self.importance_line, self.satisfaction_line = needs.importance_line, needs.satisfaction_line
        self._n_panels = self.data_["segment"].nunique()
        concerns = {name: items for name, items in needs.concerns.items() if items}
        self.title = "Nothing surely matters and surely does not satisfy"
        if concerns:
            # that of the most items; of two, the first by name
            name, items = min(concerns.items(), key=lambda each: (-len(each[1]), each[0]))
            more = [f"{len(items) - _MOST_NAMED} more"] if len(items) > _MOST_NAMED else []
            named = [visible(item) for item in items[:_MOST_NAMED]]
            self.title = f"Concentrate on {joined(named + more)} for {quoted(name)}"
        names = needs.quadrants.drop_duplicates("segment")
        self.how_to_read = (
            "Lines: the mean of everyone over all items. Grey: not surely on one side of both lines."
            f"{left_out(names, self.data_)}"
        )
        self.alt_ = f"Importance and satisfaction by segment. {' '.join(self._sentences())}"

    def _sentences(self) -> list[str]:
        told = []
        for _, own in self.data_.groupby("segment"):
            by_quadrant = _known(own).groupby("quadrant")["item"]
            words = [f"{quadrant}: {joined([visible(each) for each in items])}" for quadrant, items in by_quadrant]
            told.append(f"{visible(own['name'].iloc[0])}: {'; '.join(words)}.")
        return told

    @property
    def _grid(self) -> tuple[int, int]:
        """The number of rows and of columns of panels."""
        return -(-self._n_panels // _COLUMNS), min(_COLUMNS, self._n_panels)

    def _size(self) -> tuple[float, float]:
        n_rows, n_columns = self._grid
        width = _LEFT + n_columns * (_WIDTH + _BETWEEN) - _BETWEEN + MARGIN
        # room for the heading, however few panels there are
        return max(7.0, width), n_rows * (_ABOVE + _HEIGHT + _BELOW)

    def _boxes(self) -> Sequence[tuple[float, float, float, float]]:
        row, column = np.divmod(np.arange(self._n_panels), _COLUMNS)
        left = _LEFT + column * (_WIDTH + _BETWEEN)
        bottom = (self._grid[0] - 1 - row) * (_ABOVE + _HEIGHT + _BELOW) + _BELOW
        return [(x, y, _WIDTH, _HEIGHT) for x, y in zip(left.tolist(), bottom.tolist(), strict=True)]

    def _draw(self, axes: Sequence[Any]) -> None:
        xlim = _limits(self.data_["satisfaction"], self.satisfaction_line)
        ylim = _limits(self.data_["importance"], self.importance_line)
        for ax, (_, rows) in zip(axes, self.data_.groupby("segment"), strict=True):
            ax.set(xlim=xlim, ylim=ylim, xlabel="satisfaction", ylabel="importance")
            ax.axvline(self.satisfaction_line, color=SOFT, linewidth=0.9, zorder=1)
            ax.axhline(self.importance_line, color=SOFT, linewidth=0.9, zorder=1)
            ax.tick_params(length=0)
            ax.grid(color=LINE, linewidth=0.5)
            head(ax, cut(rows["name"].iloc[0], size_of(ax)[0], 10.5, bold=True))
            for quadrant, (x, y) in _CORNERS.items():
                offset = ((6 if x == 0 else -6), (5 if y == 0 else -5))
                sides = {"ha": "left" if x == 0 else "right", "va": "bottom" if y == 0 else "top"}
                place = {"xycoords": "axes fraction", "textcoords": "offset points"}
                ax.annotate(quadrant, (x, y), offset, fontsize=SMALL, style="italic", color=SOFT, **place, **sides)
            _draw_items(ax, _known(rows))


def _known(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the items that may be told of."""
    return rows[rows[["importance", "satisfaction"]].notna().all(axis=1)]


def _limits(figures: pd.Series[float], line: float) -> tuple[float, float]:
    low, high = min(float(figures.min()), line), max(float(figures.max()), line)
    room = _ROOM * (high - low) or 1.0
    return low - room, high + room


def _draw_items(ax: Any, rows: pd.DataFrame) -> None:
    """Draw a dot for each item, and its name beside it where it covers no other."""
    colours = [_COLOURS.get(quadrant, INK) for quadrant in rows["quadrant"]]
    ax.scatter(rows["satisfaction"], rows["importance"], s=42, color=colours, edgecolor=PAPER, linewidth=0.8, zorder=4)
    width, height = size_of(ax)
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    unit = np.array([(right - left) / width, (top - bottom) / height])  # of the figures, in an inch
    points = (rows[["satisfaction", "importance"]].to_numpy(dtype=np.float64) - [left, bottom]) / unit
    words = [cut(item, _LONGEST, SMALL) for item in rows["item"]]
    sizes = np.array([[width_of(word, SMALL, bold=True), height_of(word, SMALL)] for word in words]).reshape(-1, 2)
    side = np.array([_side(at, points, sizes[at], width) for at in range(len(points))])
    centres = points + np.column_stack([side * (_DOT + sizes[:, 0] / 2), np.zeros(len(points))])
    placed = apart(centres, sizes, gap=0.01)
    for word, row, point, place, own, towards in zip(words, rows_of(rows), points, placed, sizes, side, strict=True):
        start = place - [towards * own[0] / 2, 0]
        if abs(place[1] - point[1]) > own[1]:
            ends = np.array([point, start]) * unit + [left, bottom]
            ax.plot(*ends.T, color=SOFT, linewidth=0.6, zorder=2)
        x, y = start * unit + [left, bottom]
        colour = SOFT if row.quadrant == _UNDECIDED else _COLOURS.get(row.quadrant, INK)
        weight = "bold" if row.quadrant == _CONCERN else "normal"
        align = {"ha": "left" if towards > 0 else "right", "va": "center", "zorder": 3}
        box = {"facecolor": PAPER, "edgecolor": "none", "pad": 0.5}  # so that no line crosses a word
        ax.text(x, y, word, fontsize=SMALL, color=colour, fontweight=weight, parse_math=False, bbox=box, **align)


def _side(at: int, points: Floats, size: Floats, width: float) -> int:
    """Put a word right of its dot (1), or left (-1) if it would leave the panel or cover more dots on the right."""
    covered = []
    for side in (1, -1):
        centre = points[at] + [side * (_DOT + size[0] / 2), 0]
        covers = (np.abs(points - centre) < (size + _DOT) / 2).all(axis=1)
        covers[at] = False
        leaves = abs(centre[0] - width / 2) > (width - size[0]) / 2
        covered.append((leaves, int(covers.sum())))
    return 1 if covered[0] <= covered[1] else -1

"""Curves over the number of segments: whether refits agree, and whether one continuum would split as well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from custseg._core.words import format_number, format_share
from custseg.plotting import SelectionDisplay, StabilityDisplay
from custseg.plotting._for_reporting import rows_of
from custseg.validation import STABLE_ADJUSTED_RAND

__all__ = ["UNITS", "Plot", "dotted", "selection_plots", "stability_plot"]

UNITS = 1000
"""The inside of a drawing is so wide and high, in whole numbers, which are short to write."""

_SPREAD, _GOLDEN = 0.5, 0.618034
_STEPS, _MOST_TICKS = (0.2, 0.5, 1.0, 2.0), 5


@dataclass(frozen=True)
class Plot:
    """A curve with its points, in percents of the plot; paths in thousandths."""

    title: str
    alt: str
    points: tuple[tuple[float, float, str, bool], ...]
    line: str
    ticks: tuple[tuple[float, str], ...]
    dots: str = ""
    limit: float | None = None
    band: str = ""
    band_line: str = ""


@dataclass(frozen=True)
class _Frame:
    """What is shown: numbers of segments from left to right, and figures from below."""

    numbers: tuple[int, ...]
    low: float
    high: float

    def x(self, number: float) -> float:
        return (number - self.numbers[0] + 0.5) / (self.numbers[-1] - self.numbers[0] + 1)

    def y(self, figure: float) -> float:
        return 1 - (figure - self.low) / ((self.high - self.low) or 1.0)

    def corners(self, numbers: Sequence[float], figures: Sequence[float]) -> str:
        """Return the points of a line, in thousandths."""
        return " ".join(
            f"{round(UNITS * self.x(number))},{round(UNITS * self.y(figure))}"
            for number, figure in zip(numbers, figures, strict=True)
        )

    def points(
        self, figures: pd.Series[float], shown: int, labels: Sequence[str] = ()
    ) -> tuple[tuple[float, float, str, bool], ...]:
        """Return place, label and whether it is the one that is shown, of each number."""
        numbers = figures.index.tolist()
        return tuple(
            (round(100 * self.x(number), 1), round(100 * self.y(figure), 1), label, number == shown)
            for number, figure, label in zip(numbers, figures, labels or map(str, numbers), strict=True)
        )


def dotted(places: Sequence[tuple[float, float]]) -> str:
    """Write points as one path of strokes without length, which round ends make dots of."""
    return "".join(f"M{round(UNITS * x)} {round(UNITS * y)}h0" for x, y in places)


def stability_plot(display: StabilityDisplay) -> Plot:
    """Draw every pair of refits, and their mean."""
    pairs = display.data_
    means = pairs.groupby("n_segments")["adjusted_rand"].mean()
    frame = _Frame(tuple(means.index), min(0.0, float(pairs["adjusted_rand"].min())), 1.0)
    spread = pairs["n_segments"] + _SPREAD * (pairs["pair"] * _GOLDEN % 1 - 0.5)
    dots = [
        (frame.x(number), frame.y(agreement)) for number, agreement in zip(spread, pairs["adjusted_rand"], strict=True)
    ]
    told = ", ".join(f"{number}: {mean:.2f}" for number, mean in means.items())
    return Plot(
        "Would another sample agree?",
        f"Mean agreement of two refits by number of segments: {told}.",
        frame.points(means, display.n_segments),
        frame.corners(list(means.index), list(means)),
        tuple((round(100 * frame.y(tick), 1), f"{tick:g}") for tick in (0, 0.25, 0.5, 0.75, 1)),
        dots=dotted(dots),
        limit=round(100 * frame.y(STABLE_ADJUSTED_RAND), 1),
    )


def selection_plots(display: SelectionDisplay) -> tuple[Plot, ...]:
    """Draw the variance inside the segments against one continuum, and how well so many classes fit."""
    data = display.data_.set_index("n_segments")
    known = data[data["null_unexplained"].notna()]
    own = data["unexplained"].dropna()
    ends = pd.concat([own, known["null_low"], known["null_high"]])
    frame = _framed(ends)
    numbers = list(known.index)
    band = f"{frame.corners(numbers, list(known['null_high']))} " + frame.corners(
        numbers[::-1], list(known["null_low"])[::-1]
    )
    compact = Plot(
        "More compact than one continuum?",
        display.alt_,
        frame.points(own, display.n_segments),
        frame.corners(list(own.index), list(own)),
        tuple((round(100 * frame.y(tick), 1), format_share(tick)) for tick in _ticks(frame)),
        band=band,
        band_line=frame.corners(numbers, list(known["null_unexplained"])),
    )
    classes = data[data["bic"].notna()]
    if classes.empty:
        return (compact,)
    criterion = classes["bic"]
    frame = _framed(criterion)
    told = ", ".join(f"{number}: {format_number(figure, 6)}" for number, figure in criterion.items())
    return compact, Plot(
        "How many classes do they show?",
        f"BIC of so many latent classes, the lower the better: {told}.",
        frame.points(criterion, display.n_segments, [_apart(row) for row in rows_of(classes.reset_index())]),
        frame.corners(list(criterion.index), list(criterion)),
        tuple((round(100 * frame.y(tick), 1), f"{tick:,.0f}") for tick in _ticks(frame)),
    )


def _apart(row: Any) -> str:
    """Write the number of classes, and that of groups with a gap between them where these are fewer."""
    return str(row.n_segments) + (f" ({row.n_separated:.0f})" if row.n_separated < row.n_segments else "")


def _framed(figures: pd.Series[float]) -> _Frame:
    low, high = float(figures.min()), float(figures.max())
    room = 0.06 * (high - low) or 1.0
    numbers = sorted(set(figures.index))
    return _Frame((numbers[0], numbers[-1]), low - room, high + room)


def _ticks(frame: _Frame) -> list[float]:
    """Return round figures within the frame, at most five."""
    span = frame.high - frame.low
    unit = 10.0 ** np.floor(np.log10(span))
    step = next(unit * part for part in _STEPS if span / (unit * part) <= _MOST_TICKS)
    return [float(tick) for tick in np.arange(np.ceil(frame.low / step), frame.high / step) * step]

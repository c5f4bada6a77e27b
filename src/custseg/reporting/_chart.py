"""The geometry of the stability chart: data to coordinates, so that the template only places them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from custseg.reporting._contents import StabilityPoint

WIDTH, HEIGHT = 420, 280
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 12, 16, 46


@dataclass(frozen=True)
class Mark:
    """One number of segments in the chart, in coordinates of the drawing."""

    x: float
    y: float
    low: float
    high: float
    label: str
    shown: bool


@dataclass(frozen=True)
class Chart:
    """Everything the drawing needs."""

    marks: tuple[Mark, ...]
    ticks: tuple[tuple[float, str], ...]
    left: float
    right: float
    bottom: float
    threshold: float
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def line(self) -> str:
        """The points of the curve, as SVG takes them."""
        return " ".join(f"{mark.x},{mark.y}" for mark in self.marks)


def stability_chart(points: Sequence[StabilityPoint], n_groups_shown: int, threshold: float) -> Chart | None:
    """Lay out mean agreement with its 5% to 95% range over the numbers of segments; None below two points."""
    if len(points) < 2:
        return None
    lowest = min(0.0, *(point.low for point in points))
    height = HEIGHT - _TOP - _BOTTOM
    first, last = points[0].n_segments, points[-1].n_segments
    # Room at both ends, so that no whisker stands on an axis.
    step = (WIDTH - _LEFT - _RIGHT) / (last - first + 1)

    def x(n_segments: int) -> float:
        return round(_LEFT + (n_segments - first + 0.5) * step, 1)

    def y(agreement: float) -> float:
        return round(_TOP + (1 - agreement) / (1 - lowest) * height, 1)

    marks = tuple(
        Mark(
            x(point.n_segments),
            y(point.mean),
            y(point.low),
            y(point.high),
            str(point.n_segments),
            point.n_segments == n_groups_shown,
        )
        for point in points
    )
    ticks = tuple((y(tick), f"{tick:g}") for tick in (0, 0.25, 0.5, 0.75, 1))
    return Chart(marks, ticks, _LEFT, WIDTH - _RIGHT, HEIGHT - _BOTTOM, y(threshold))

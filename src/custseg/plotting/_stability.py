"""Whether the segments come back in other samples, and where they come from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pandas as pd

from custseg._core.asking import asked, asking
from custseg._core.visible import visible
from custseg.exceptions import InfeasibleError, InvalidParameterError
from custseg.plotting._flow import draw_flow
from custseg.plotting._shared.display import Display, head, highlight, size_of
from custseg.plotting._shared.handed import is_study, shown_plan
from custseg.plotting._shared.look import LESS, MARGIN, MORE, PAPER, SMALL, cut, rows_of, width_of, wrapped
from custseg.validation import STABLE_ADJUSTED_RAND, STABLE_SEGMENT, StabilityResult

__all__ = ["StabilityDisplay"]

_CURVE, _BARS, _FLOW = 4.4, 3.5, 2.9
_LEFT, _BELOW, _ABOVE, _BETWEEN = 0.75, 0.6, 0.4, 0.6
_LEAST_HEIGHT, _ROW = 3.2, 0.55
# the dots of a number of segments, side by side in the order of the pairs as the golden section puts them
_SPREAD, _GOLDEN = 0.32, 0.618034


class StabilityDisplay(Display):
    """Show whether the segments come back when customers are drawn again, as a whole and one by one.

    Left: every pair of refits a dot, by the number of segments, and their mean; the number shown is filled. Middle: how
    well each of its segments is found again. Right: which segments its customers were in at smaller numbers.

    Parameters
    ----------
    stability : StabilityResult
        What bootstrap refits said.
    n_segments : int
        The number of segments shown, one of those that were tried.
    names : sequence of str, default=None
        The names of its segments; position = label. None numbers them.

    Attributes
    ----------
    data_ : pandas.DataFrame
        The dots: ``n_segments``, ``pair``, ``adjusted_rand``.
    segments_ : pandas.DataFrame
        The bars, the most stable segment first: ``segment``, ``name``, ``n_customers``, ``slsw`` and ``trusted``.
    flows_ : pandas.DataFrame
        The bands, of all numbers up to the one shown: ``from_n_segments``, ``from_segment``, ``n_segments``,
        ``segment``, ``n_customers``, and ``stays``, whether the band holds most of a segment that came from one (SLSa
        of .5 or more). Empty where there is no smaller number.
    title, how_to_read, alt_ : str
        What was found, how to read it, and the figures to be read aloud.
    figure_ : matplotlib Figure
        After ``plot``.
    ax_ : matplotlib Axes
        The first panel, after ``plot``.
    axes_ : ndarray of matplotlib Axes
        The panels, after ``plot``: three, or two where there is no smaller number.

    Raises
    ------
    InfeasibleError
        If nobody was drawn again.
    InvalidParameterError
        If so many segments were not tried, or there are more or fewer names than segments.

    Notes
    -----
    The agreement of two refits is the adjusted Rand index; a segment counts as found again from a mean Jaccard
    coefficient of .6 [1]_. The bands show stability across solutions [2]_: a segment that one band fills whole was
    there before.

    **When not to use it**: as proof that there are groups. Lines through one continuum may come back too, if enough
    customers show its shape; :class:`GorgeDisplay` shows whether there is a gap.

    References
    ----------
    .. [1] C. Hennig (2007), "Cluster-wise assessment of cluster stability", Computational Statistics & Data Analysis
       52, 258-271.
    .. [2] S. Dolnicar and F. Leisch (2017), "Using segment level stability to select target segments in data-driven
       market segmentation studies", Marketing Letters 28, 423-436.

    Examples
    --------
    >>> import numpy as np
    >>> from custseg.plotting import StabilityDisplay
    >>> from custseg.segmentation import SegmentClusterer
    >>> from custseg.validation import bootstrap_stability
    >>> random = np.random.RandomState(0)
    >>> customers = 6 * np.eye(3)[np.arange(90) % 3] + random.normal(size=(90, 3))
    >>> stability = bootstrap_stability(SegmentClusterer(n_init=1), customers, [2, 3], n_pairs=3, random_state=0)
    >>> display = StabilityDisplay(stability, 3, names=["red", "green", "blue"])
    >>> display.title
    'All 3 segments come back in other samples'
    """

    def __init__(self, stability: StabilityResult, n_segments: int, *, names: Sequence[str] | None = None) -> None:
        if not stability.numbers:
            raise InfeasibleError(
                f"{asked()}: nobody was drawn again, so nothing is known of the stability. Pass the result of "
                "bootstrap_stability for more customers, or for segments of at least two."
            )
        if n_segments not in stability.numbers:
            raise InvalidParameterError.unknown_name("n_segments", n_segments, stability.numbers)
        own = stability.segments[stability.segments["n_segments"] == n_segments]
        if names is None:
            names = [f"Segment {label}" for label in own["segment"]]
        if len(names) != len(own):
            raise InvalidParameterError.not_allowed("names", f"one for each of {len(own)} segments", names)
        self.n_segments, self.names = n_segments, list(names)
        self.data_ = stability.pairs
        self._mean = stability.mean_adjusted_rand
        self.segments_ = _bars(own, self.names)
        self._columns = stability.segments[stability.segments["n_segments"] <= n_segments]
        self.flows_ = _bands(stability.flows, self._columns)
        self._n_panels = 3 if len(self.flows_) else 2
        self._say(stability)

    def _say(self, stability: StabilityResult) -> None:
        bars, shown = self.segments_, self.n_segments
        found, mean = int(bars["trusted"].sum()), self._mean[shown]
        if found < len(bars):
            self.title = f"{found} of {len(bars)} segments come back in other samples"
        elif mean >= STABLE_ADJUSTED_RAND:
            self.title = f"{'Both' if len(bars) == 2 else f'All {len(bars)}'} segments come back in other samples"
        else:
            self.title = f"{len(bars)} segments come back, but other samples draw some lines elsewhere"
        self.how_to_read = (
            f"Customers drawn again in {stability.n_pairs_of(shown)} pairs of samples, and segmented anew each time. "
            f"1 is full agreement, 0 is chance; a segment is found again from {STABLE_SEGMENT:g}, the mark on its bar."
        )
        if len(self.flows_):
            self.how_to_read += " Bands, as wide as they have customers: dark where most of a segment came from one."
        means = ", ".join(f"{number}: {mean:.2f}" for number, mean in self._mean.items())
        each = ", ".join(f"{visible(row.name)} {row.slsw:.2f}" for row in rows_of(bars))
        self.alt_ = f"Agreement of refits by number of segments: {means}. How well each of {shown} comes back: {each}."

    @classmethod
    @asking("StabilityDisplay")
    def from_estimator(cls, estimator: Any) -> Self:
        """Show the segments of a fitted study; of its cut, where there is a single segment.

        Parameters
        ----------
        estimator : SegmentationStudy
            Fitted.

        Returns
        -------
        display : StabilityDisplay
            Not yet drawn.
        """
        if not is_study(estimator):
            remedy = "Pass what bootstrap_stability returns to StabilityDisplay itself."
            raise InvalidParameterError.not_allowed("estimator", "a fitted SegmentationStudy", estimator, remedy)
        stability, shown = estimator.evidence_.stability, shown_plan(estimator).segmentation
        # a rule that nobody meets has no stability
        own = stability.segments.loc[stability.segments["n_segments"] == shown.n_segments, "segment"]
        return cls(stability, shown.n_segments, names=[shown.segment_names[label] for label in own])

    def _size(self) -> tuple[float, float]:
        left, _, width, _ = self._boxes()[-1]
        after = max(width_of(wrapped(name), SMALL) for name in self.names) + 2 * MARGIN if len(self.flows_) else 0.0
        return left + width + after + 2 * MARGIN, _BELOW + self._height + _ABOVE

    @property
    def _height(self) -> float:
        return max(_LEAST_HEIGHT, _ROW * len(self.segments_))

    def _boxes(self) -> Sequence[tuple[float, float, float, float]]:
        boxes, left = [], _LEFT
        for width in (_CURVE, _BARS, _FLOW)[: self._n_panels]:
            boxes.append((left, _BELOW, width, self._height))
            left += width + _BETWEEN
        return boxes

    def _draw(self, axes: Sequence[Any]) -> None:
        self._draw_curve(axes[0])
        self._draw_bars(axes[1])
        if len(axes) > 2:
            draw_flow(axes[2], self._columns, self.flows_, self.names)

    def _draw_curve(self, ax: Any) -> None:
        pairs, mean = self.data_, self._mean
        x = pairs["n_segments"] + _SPREAD * (pairs["pair"] * _GOLDEN % 1 - 0.5)
        ax.scatter(x, pairs["adjusted_rand"], s=9, color=MORE, alpha=0.28, linewidth=0, zorder=2)
        ax.plot(mean.index, mean, color=MORE, linewidth=1.8, zorder=3)
        fill = [MORE if number == self.n_segments else PAPER for number in mean.index]
        ax.scatter(mean.index, mean, s=46, facecolor=fill, edgecolor=MORE, linewidth=1.6, zorder=4)
        ax.axhline(STABLE_ADJUSTED_RAND, color=LESS, linestyle=(0, (5, 3)), linewidth=1.2, zorder=1)
        ax.text(
            1.01,
            STABLE_ADJUSTED_RAND,
            "stable\nabove",
            transform=ax.get_yaxis_transform(),
            va="center",
            fontsize=SMALL,
            color=LESS,
        )
        lowest = min(0.0, float(pairs["adjusted_rand"].min()) - 0.03)
        ax.set(ylim=(lowest, 1.03), xlim=(mean.index[0] - 0.5, mean.index[-1] + 0.5), xticks=list(mean.index))
        ax.set(xlabel="number of segments", ylabel="agreement of two refits (adjusted Rand)")
        highlight(ax, mean.index, self.n_segments)
        ax.grid(axis="y")
        head(ax, "Would another sample agree?")

    def _draw_bars(self, ax: Any) -> None:
        bars, y = self.segments_, np.arange(len(self.segments_))[::-1]
        colours = [MORE if trusted else LESS for trusted in bars["trusted"]]
        ax.barh(y - 0.18, bars["slsw"], height=0.36, color=colours)
        ax.vlines(np.full(len(y), STABLE_SEGMENT), y - 0.42, y + 0.06, color=LESS, linewidth=1.8, zorder=3)
        for place, colour, row in zip(y, colours, rows_of(bars), strict=True):
            ax.text(0, place + 0.07, cut(row.name, size_of(ax)[0], SMALL), va="bottom", fontsize=SMALL)
            # rounded down, so that none looks found again that is not
            words = f"{row.slsw:.2f}" if row.trusted else f"{math.floor(100 * row.slsw) / 100:.2f} not found again"
            ax.text(max(row.slsw, STABLE_SEGMENT) + 0.02, place - 0.18, words, va="center", color=colour)
        ax.set(xlim=(0, 1.15), ylim=(-0.5, len(y) - 0.45), yticks=[], xticks=[0, 0.25, 0.5, 0.75, 1])
        ax.set_xlabel("overlap with its best match (Jaccard)")
        ax.grid(axis="x")
        ax.spines["left"].set_visible(False)
        head(ax, f"Which of the {len(y)} come back?")


def _bars(own: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    bars = own[["segment", "n_customers", "slsw"]].assign(name=list(names))
    bars = bars[bars["slsw"].notna()].assign(trusted=lambda rows: rows["slsw"] >= STABLE_SEGMENT)
    bars = bars.sort_values(["slsw", "name"], ascending=[False, True], ignore_index=True)
    return bars[["segment", "name", "n_customers", "slsw", "trusted"]]


def _bands(flows: pd.DataFrame, columns: pd.DataFrame) -> pd.DataFrame:
    """Return the flows into the columns that are shown, and which of them hold a segment together."""
    flows = flows[flows["n_segments"].isin(columns["n_segments"])].reset_index(drop=True)
    whole = flows.merge(columns[["n_segments", "segment", "slsa"]], how="left", on=["n_segments", "segment"])
    largest = flows.groupby(["n_segments", "segment"])["n_customers"].transform("max")
    stays = (whole["slsa"].to_numpy() >= 0.5) & (flows["n_customers"] == largest) & (largest > 0)
    return flows.drop(columns="share").assign(stays=stays)

"""How near segments are to each other, on the plane through their centres."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from scipy.spatial import ConvexHull, QhullError

from custseg._core.arrays import Floats
from custseg._core.asking import asking
from custseg._core.optional import require
from custseg._core.params import OneOf, check
from custseg._core.visible import visible
from custseg._core.words import format_share
from custseg.plotting._shared.display import Display, size_of
from custseg.plotting._shared.handed import MIN_GROUP_SIZE, of_estimator, of_predictions
from custseg.plotting._shared.look import (
    INK,
    LINE,
    MARGIN,
    MARKERS,
    NAME,
    PAPER,
    SEGMENTS,
    apart,
    height_of,
    rows_of,
    width_of,
    wrapped,
)
from custseg.plotting._shared.places import Places, embedder_of, separation_of
from custseg.segmentation import CharacteristicEmbedder, Segmentation
from custseg.segmentation._for_validation import EMBEDDER, content_hash

__all__ = ["SegmentMapDisplay"]

_WIDTH, _HEIGHT, _BELOW = 9.6, 6.4, 0.4
# the shares of a segment within its outlines, and of those who may have a mark
_INNER, _OUTER, _MARKED = 0.5, 0.95, 0.99
_MOST_MARKS = 1_500
# customers of whom fewer stand at places of their own are moved by this share of the spread, to be seen one by one
_DISTINCT, _MOVED = 0.9, 0.02
# neighbourhoods below are no shared border; the widths of lines, in points
_LEAST_BORDER, _THINNEST, _WIDER = 0.05, 0.6, 9.0
_LIFT = 0.2
_PARAMETERS = {"embedder": EMBEDDER, "projection": (OneOf("centres", "pca"),)}


class SegmentMapDisplay(Display):
    """Show how near the segments are to each other, and where their customers stand between them.

    Each mark is a customer. Shaded is the inner half of a segment, dashed the line around 95% of it; lines join
    segments that share a border, the wider the more customers stand between the two.

    Parameters
    ----------
    segmentation : Segmentation
        Customers in segments; those in none are left out.
    projection : {"centres", "pca"}, default="centres"
        The plane: through the centres of the segments, weighted by their sizes, which shows most of what separates
        them; or the first two principal components of the customers.
    embedder : CharacteristicEmbedder, "passthrough" or None, default=None
        What turns characteristics into distances. None stands for what the clusterer of the segmentation uses, else
        for ``CharacteristicEmbedder()``.
    min_group_size : int, default=10
        The least number of customers of whom anything is said.

    Attributes
    ----------
    data_ : pandas.DataFrame
        The marks: ``segment``, ``name``, ``x``, ``y``; of many customers a sample of 1,500, and none of the outermost
        1% of a segment.
    centres_ : pandas.DataFrame
        One row per segment: ``segment``, ``name``, ``n_customers``, ``x``, ``y``.
    hulls_ : pandas.DataFrame
        The corners of the outlines: ``segment``, ``within`` (.5 or .95), ``x``, ``y``.
    borders_ : pandas.DataFrame
        One row per pair of segments: ``first``, ``second`` (names), and ``neighbourhood``, the mean of both directions
        in :class:`SeparationResult <custseg.validation.SeparationResult>`.
    shares_ : tuple of float
        The shares of the variance between segments that the two axes show.
    title, how_to_read, alt_ : str
        What was found, how to read it, and the figures to be read aloud.
    figure_ : matplotlib Figure
        After ``plot``.
    ax_ : matplotlib Axes
        After ``plot``.
    axes_ : ndarray of matplotlib Axes
        All panels, after ``plot``.

    Raises
    ------
    InvalidParameterError
        If fewer than two segments have enough customers, or a parameter is out of its range.
    InvalidTableError
        If the customers cannot be embedded.

    Notes
    -----
    The plane through the centres is that of the largest two singular values of the centres, each times the root of its
    size; two centres have one axis, and the second is then the main direction of what is left. Both axes have one
    scale. Where many customers are alike, each mark is moved a little. The lines are those of neighbourhood graphs
    [1]_.

    **When not to use it**: to see whether there are segments. Every plane hides something: segments that overlap here
    may be apart (the shares on the axes say how much is not shown), and a cut through one cloud looks neat on it.

    References
    ----------
    .. [1] F. Leisch (2010), "Neighborhood graphs, stripes and shadow plots for cluster visualization", Statistics and
       Computing 20, 457-469.

    Examples
    --------
    >>> import numpy as np
    >>> from custseg.plotting import SegmentMapDisplay
    >>> random = np.random.RandomState(0)
    >>> places = np.array([[0.0, 0.0], [4.0, 0.0], [9.0, 9.0]])[np.arange(150) % 3]
    >>> customers = places + random.normal(size=(150, 2))
    >>> display = SegmentMapDisplay.from_predictions(customers, np.arange(150) % 3, names=["red", "green", "blue"])
    >>> display.title
    '“green” and “red” are the nearest neighbours'
    >>> round(sum(display.shares_), 2)
    1.0
    """

    def __init__(
        self,
        segmentation: Segmentation,
        *,
        projection: Literal["centres", "pca"] = "centres",
        embedder: CharacteristicEmbedder | Literal["passthrough"] | None = None,
        min_group_size: int = MIN_GROUP_SIZE,
    ) -> None:
        check(_PARAMETERS, {"embedder": embedder, "projection": projection})
        shown = of_predictions(segmentation, None, None, min_group_size)
        embedder = embedder_of(shown, embedder)
        places = Places.of(shown, embedder)
        axes, self.shares_ = _plane(places, projection)
        mean = places.points.mean(axis=0)
        plane, centres = (places.points - mean) @ axes.T, (places.centres - mean) @ axes.T
        self.projection = projection
        self.centres_ = pd.DataFrame(
            {
                "segment": places.segments,
                "name": list(places.names),
                "n_customers": places.sizes,
                "x": centres[:, 0],
                "y": centres[:, 1],
            }
        )
        self.data_, self.hulls_ = _marks(places, plane, centres), _hulls(places, plane, centres)
        near = separation_of(shown, embedder).neighbourhood.loc[list(places.names), list(places.names)].to_numpy()
        pairs = [(a, b, (near[a, b] + near[b, a]) / 2) for a, b in combinations(range(len(near)), 2)]
        self.borders_ = pd.DataFrame(
            [(places.names[a], places.names[b], each) for a, b, each in pairs],
            columns=["first", "second", "neighbourhood"],
        )
        self._say()

    def _say(self) -> None:
        pairs = rows_of(self.borders_.sort_values("neighbourhood", ascending=False, kind="stable"))
        first, second = sorted([visible(pairs[0].first), visible(pairs[0].second)])
        share = sum(self.shares_)
        found = "are the nearest neighbours" if len(pairs) > 1 else "side by side"
        self.title = f"“{first}” and “{second}” {found}"
        hidden = ": some that overlap here are apart" if share < 0.9 else ""
        self.how_to_read = (
            "Each mark a customer. Shaded: the inner half of a segment; dashed: 95% of it. Lines join segments that "
            "share a border, the wider the more customers stand between them. The plane shows "
            f"{format_share(share)} of what separates the segments{hidden}."
        )
        nearest = {
            name: next((row.second if row.first == name else row.first) for row in pairs if name in row[:2])
            for name in self.centres_["name"]
        }
        self.alt_ = f"Map of {len(nearest)} segments. " + " ".join(
            f"Nearest to {visible(name)}: {visible(other)}." for name, other in nearest.items()
        )

    @classmethod
    @asking("SegmentMapDisplay")
    def from_estimator(
        cls,
        estimator: Any,
        X: Any = None,
        *,
        projection: Literal["centres", "pca"] = "centres",
        min_group_size: int = MIN_GROUP_SIZE,
    ) -> Self:
        """Show the segments of a fitted study, or those into which a fitted segmenter puts customers.

        Parameters
        ----------
        estimator : SegmentationStudy or Segmenter
            Fitted.
        X : DataFrame, path, or array-like of shape (n_customers, n_characteristics), default=None
            The customers of a segmenter; None for a study.
        projection : {"centres", "pca"}, default="centres"
            The plane.
        min_group_size : int, default=10
            The least number of customers of whom anything is said. A study has its own.

        Returns
        -------
        display : SegmentMapDisplay
            Not yet drawn.
        """
        shown, least = of_estimator(estimator, X, min_group_size)
        return cls(shown, projection=projection, min_group_size=least)

    @classmethod
    @asking("SegmentMapDisplay")
    def from_predictions(
        cls,
        X: Any,
        labels: Any = None,
        *,
        names: Sequence[str] | None = None,
        projection: Literal["centres", "pca"] = "centres",
        embedder: CharacteristicEmbedder | Literal["passthrough"] | None = None,
        min_group_size: int = MIN_GROUP_SIZE,
    ) -> Self:
        """Show segments from anywhere.

        Parameters
        ----------
        X : Segmentation, DataFrame, path, or array-like of shape (n_customers, n_characteristics)
            A segmentation, or one row per customer.
        labels : array-like or Series of shape (n_customers,), default=None
            The segment of each customer, as :meth:`Segmentation.of <custseg.segmentation.Segmentation.of>` takes it.
        names : sequence of str, default=None
            The names of the segments; position = label.
        projection : {"centres", "pca"}, default="centres"
            The plane.
        embedder : CharacteristicEmbedder, "passthrough" or None, default=None
            What turns characteristics into distances.
        min_group_size : int, default=10
            The least number of customers of whom anything is said.

        Returns
        -------
        display : SegmentMapDisplay
            Not yet drawn.
        """
        shown = of_predictions(X, labels, names, min_group_size)
        return cls(shown, projection=projection, embedder=embedder, min_group_size=min_group_size)

    def _size(self) -> tuple[float, float]:
        return _WIDTH, _HEIGHT + _BELOW

    def _boxes(self) -> Sequence[tuple[float, float, float, float]]:
        return [(_BELOW, _BELOW, _WIDTH - _BELOW - MARGIN, _HEIGHT)]

    def _draw(self, axes: Sequence[Any]) -> None:
        (ax,) = axes
        self._frame(ax)
        centres = self.centres_.set_index("name")[["x", "y"]]
        for place, (segment, marks) in enumerate(self.data_.groupby("segment")):
            colour, marker = SEGMENTS[place % len(SEGMENTS)], MARKERS[place % len(MARKERS)]
            hulls = self.hulls_[self.hulls_["segment"] == segment]
            inner, outer = (hulls.loc[hulls["within"] == share, ["x", "y"]].to_numpy() for share in (_INNER, _OUTER))
            ax.fill(*inner.T, color=colour, alpha=0.24, linewidth=0, zorder=1)
            ax.fill(*outer.T, color=colour, alpha=0.05, linewidth=0, zorder=1)
            ax.plot(*np.vstack([outer, outer[:1]]).T, color=colour, linewidth=1.1, linestyle=(0, (4, 3)), zorder=2)
            ax.scatter(marks["x"], marks["y"], s=11, color=colour, marker=marker, alpha=0.45, linewidth=0, zorder=3)
        for row in rows_of(self.borders_[self.borders_["neighbourhood"] > _LEAST_BORDER]):
            ends = centres.loc[[row.first, row.second]].to_numpy()
            width = _THINNEST + _WIDER * row.neighbourhood
            ax.plot(*ends.T, color=INK, linewidth=width, alpha=0.55, solid_capstyle="round", zorder=5)
        for place, at in enumerate(centres.to_numpy()):
            marker = MARKERS[place % len(MARKERS)]
            ax.scatter(*at, s=80, color=PAPER, edgecolor=INK, linewidth=1.8, marker=marker, zorder=6)
        self._name(ax, centres.to_numpy())

    def _frame(self, ax: Any) -> None:
        """Give both axes one scale, with everything inside."""
        shown = np.vstack([self.data_[["x", "y"]], self.hulls_[["x", "y"]], self.centres_[["x", "y"]]])
        low, high = shown.min(axis=0), shown.max(axis=0)
        unit = float(max((high - low) / np.array(size_of(ax)))) * 1.12 or 1.0
        middle, half = (low + high) / 2, unit * np.array(size_of(ax)) / 2
        ax.set(xlim=(middle[0] - half[0], middle[0] + half[0]), ylim=(middle[1] - half[1], middle[1] + half[1]))
        ax.set(xticks=[], yticks=[])
        of = "of the centres" if self.projection == "centres" else "of the customers"
        ax.set_xlabel(f"first axis {of} ({format_share(self.shares_[0])} of the variance between segments)")
        ax.set_ylabel(f"second axis ({format_share(self.shares_[1])})")
        for side in ("left", "bottom"):
            ax.spines[side].set_color(LINE)

    def _name(self, ax: Any, centres: Floats) -> None:
        """Write each name above its centre, where it covers no other."""
        stroke = require("matplotlib.patheffects").withStroke(linewidth=3.5, foreground=PAPER)
        words = [wrapped(name) for name in self.centres_["name"]]
        sizes = np.array([[width_of(word, NAME, bold=True), height_of(word, NAME)] for word in words])
        corner, unit = np.array([ax.get_xlim()[0], ax.get_ylim()[0]]), np.ptp(ax.get_xlim()) / size_of(ax)[0]
        wanted = (centres - corner) / unit
        wanted[:, 1] += _LIFT + sizes[:, 1] / 2 - 0.05
        room = np.array(size_of(ax))
        wanted = np.clip(wanted, sizes / 2, np.maximum(room - sizes / 2, sizes / 2))
        for at, centre, start, word in zip(apart(wanted, sizes), centres, wanted, words, strict=True):
            x, y = corner + at * unit
            if abs(at[1] - start[1]) > _LIFT:
                ax.plot([centre[0], x], [centre[1], y], color=INK, linewidth=0.7, zorder=8)
            style = {"fontsize": NAME, "fontweight": "bold", "linespacing": 1.05, "path_effects": [stroke]}
            ax.text(x, y, word, ha="center", va="center", zorder=9, **style)


def _plane(places: Places, projection: str) -> tuple[Floats, tuple[float, float]]:
    """Return the two axes, and what share of the variance between segments each shows."""
    points = places.points - places.points.mean(axis=0)
    centres = np.sqrt(places.sizes)[:, None] * (places.centres - places.points.mean(axis=0))
    axes = np.linalg.svd(centres if projection == "centres" else points, full_matrices=False)[2][:2]
    if projection == "centres" and len(centres) == 2:
        # two centres lie on a line; the second axis is the main direction of what it does not show
        rest = points - (points @ axes[:1].T) @ axes[:1]
        axes = np.vstack([axes[:1], np.linalg.svd(rest, full_matrices=False)[2][:1]])
    if len(axes) < 2:
        axes = np.vstack([axes, np.zeros_like(axes)])
    along = centres @ axes.T
    # the side on which the larger segments are does not depend on rows, columns or labels
    signs = np.where((along**3).sum(axis=0) < 0, -1.0, 1.0)
    total = max(float((centres**2).sum()), np.finfo(np.float64).tiny)
    first, second = (along**2).sum(axis=0) / total
    return axes * signs[:, None], (float(first), float(second))


def _marks(places: Places, plane: Floats, centres: Floats) -> pd.DataFrame:
    """Return a sample of the inner 99% of each segment, so that nobody stands out."""
    if len(np.unique(plane.round(9), axis=0)) < _DISTINCT * len(plane):
        plane = plane + np.random.RandomState(0).normal(size=plane.shape) * _MOVED * plane.std(axis=0)
    distances = np.linalg.norm(plane - centres[places.codes], axis=1)
    inside = np.zeros(len(plane), dtype=bool)
    for code in range(len(centres)):
        own = np.flatnonzero(places.codes == code)
        inside[own[np.argsort(distances[own], kind="stable")[: int(_MARKED * len(own))]]] = True
    rows = np.flatnonzero(inside)
    # drawn by what they are, so that the order of the table does not count
    rows = np.sort(rows[np.argsort(content_hash(places.points[rows]), kind="stable")[:_MOST_MARKS]])
    names = np.array(places.names, dtype=object)[places.codes[rows]]
    return pd.DataFrame(
        {"segment": places.segments[places.codes[rows]], "name": names, "x": plane[rows, 0], "y": plane[rows, 1]}
    )


def _hulls(places: Places, plane: Floats, centres: Floats) -> pd.DataFrame:
    parts = []
    for code, segment in enumerate(places.segments):
        own = plane[places.codes == code]
        distances = np.linalg.norm(own - centres[code], axis=1)
        order = np.argsort(distances, kind="stable")
        for share in (_INNER, _OUTER):
            x, y = _corners(own[order[: max(1, int(share * len(own)))]]).T
            parts.append(pd.DataFrame({"segment": segment, "within": share, "x": x, "y": y}))
    return pd.concat(parts, ignore_index=True)


def _corners(points: Floats) -> Floats:
    """Return the corners of the convex hull; of points on a line its ends."""
    try:
        return np.asarray(points[ConvexHull(points).vertices])
    except (QhullError, ValueError):
        order = np.lexsort(points.T)
        return points[order[[0, -1]]]

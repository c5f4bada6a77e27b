"""Whether there is a gap between a segment and the others, and whether there would be one without segments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans
from sklearn.utils import check_random_state

from custseg._core.arrays import Floats, Integers
from custseg._core.asking import asking
from custseg._core.params import RANDOM_STATE, check
from custseg._core.threads import one_thread
from custseg._core.visible import visible
from custseg._core.words import format_share
from custseg.plotting._shared.display import Display, head, size_of
from custseg.plotting._shared.handed import MIN_GROUP_SIZE, of_estimator, of_predictions
from custseg.plotting._shared.look import INK, LESS, MARGIN, MORE, NONE, SMALL, SOFT, cut, rows_of
from custseg.plotting._shared.places import Places, embedder_of
from custseg.segmentation import CharacteristicEmbedder, Segmentation
from custseg.segmentation._for_validation import EMBEDDER, MAX_CUSTOMERS, one_continuum

__all__ = ["GorgeDisplay"]

# How near the border counts as at it ...
_NEAR = 0.04
# ... up to which share of what one continuum has there is a gap, and from which there is none
_MOST_IN_A_GAP, _LEAST_ON_A_SLOPE = 1 / 3, 3 / 4
# Where the bars begin and end; what lies beyond stands in the outermost.
_EDGES = np.linspace(0.15, 0.85, 35)
_N_DRAWS, _N_INIT = 4, 4
_COLUMNS, _WIDTH, _HEIGHT, _ABOVE, _BELOW, _BETWEEN = 3, 3.0, 1.35, 0.62, 0.3, 0.25
_PARAMETERS = {"embedder": EMBEDDER, "random_state": RANDOM_STATE}


class GorgeDisplay(Display):
    """Show whether there is a gap between each segment and the others, and would be one without segments.

    One panel for each segment: every customer stands between its centre (left) and the nearest other centre (right),
    halfway is the border. The line is what one continuum with the same characteristics and associations looks like when
    it is cut into as many pieces. A gap at the border that the line does not have is a finding.

    Parameters
    ----------
    segmentation : Segmentation
        Customers in segments; those in none are left out.
    embedder : CharacteristicEmbedder, "passthrough" or None, default=None
        What turns characteristics into distances. None stands for what the clusterer of the segmentation uses, else
        for ``CharacteristicEmbedder()``.
    min_group_size : int, default=10
        The least number of customers of whom anything is said.
    random_state : int, RandomState or None, default=0
        The source of the draws from one continuum.

    Attributes
    ----------
    data_ : pandas.DataFrame
        The bars: ``segment``, ``name``, ``low`` and ``high`` (the place), ``n_members``, ``n_others``, and ``null``,
        how many there would be of one continuum.
    segments_ : pandas.DataFrame
        One row per segment: ``segment``, ``name``, ``n_customers``, ``near_border``, the share of all customers within
        .04 of its border, and ``near_border_null``, the same of one continuum.
    title, how_to_read, alt_ : str
        What was found, how to read it, and the figures to be read aloud.
    figure_ : matplotlib Figure
        After ``plot``.
    ax_ : matplotlib Axes
        The first panel, after ``plot``.
    axes_ : ndarray of matplotlib Axes
        The panels, one for each segment, after ``plot``.

    Raises
    ------
    InvalidParameterError
        If fewer than two segments have enough customers.
    InvalidTableError
        If the customers cannot be embedded.

    Notes
    -----
    The place is d / (d + d'), where d is the distance to the centre of the segment and d' that to the nearest other
    centre. It has no unit: twice the distances leave it as it is. Similarities that fall with the distance itself, as
    in the classic picture [1]_, show a gap around any segments if only the unit is small enough. One continuum is drawn
    four times, from at most 2,500 customers, by the null of
    :func:`structure_test <custseg.validation.structure_test>`, and cut by k-means. The outermost customers stand with
    the ``min_group_size``-th from the end, so that nobody stands alone. The title speaks of a gap where a third as many
    customers stand near a border as in one continuum, or fewer; of none from three quarters.

    **When not to use it**: for segments that are not around centres, such as rings or rules over one characteristic;
    and to judge segments that need not be natural. Useful lines through one continuum have no gap.

    References
    ----------
    .. [1] S. Dolnicar, B. Gruen and F. Leisch (2018), "Market Segmentation Analysis", Springer, chapter 7.

    Examples
    --------
    >>> import numpy as np
    >>> from custseg.plotting import GorgeDisplay
    >>> random = np.random.RandomState(0)
    >>> customers = 6 * np.eye(3)[np.arange(150) % 3] + random.normal(size=(150, 3))
    >>> GorgeDisplay.from_predictions(customers, np.arange(150) % 3).title
    'A gap between the segments: 0% near one, 6% in one continuum'
    """

    def __init__(
        self,
        segmentation: Segmentation,
        *,
        embedder: CharacteristicEmbedder | Literal["passthrough"] | None = None,
        min_group_size: int = MIN_GROUP_SIZE,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        check(_PARAMETERS, {"embedder": embedder, "random_state": random_state})
        shown = of_predictions(segmentation, None, None, min_group_size)
        places = Places.of(shown, embedder_of(shown, embedder))
        null = _null(places, check_random_state(random_state))
        here = _between(places.points, places.centres)
        self.data_ = _bars(places, here, null, min_group_size)
        self.segments_ = pd.DataFrame(
            {
                "segment": places.segments,
                "name": list(places.names),
                "n_customers": places.sizes,
                "near_border": _near(here),
                "near_border_null": float(_near(null)[0]),
            }
        )
        self._n_panels = len(places.segments)
        self._say()

    def _say(self) -> None:
        table = self.segments_
        here, null = float(table["near_border"].mean()), float(table["near_border_null"].mean())
        found = "Fewer at the borders of the segments"
        if here <= _MOST_IN_A_GAP * null:
            found = "A gap between the segments"
        elif here >= _LEAST_ON_A_SLOPE * null:
            found = "No gap between the segments"
        self.title = f"{found}: {format_share(here)} near one, {format_share(null)} in one continuum"
        self.how_to_read = (
            "Each customer between the centre of the segment and the nearest other centre: members dark, everyone else "
            "pale. Line: one continuum with the same characteristics, cut into as many pieces."
        )
        self.alt_ = "Share of customers near the border of each segment. " + " ".join(
            f"{visible(row.name)}: {_told(row)}." for row in rows_of(table)
        )

    @classmethod
    @asking("GorgeDisplay")
    def from_estimator(cls, estimator: Any, X: Any = None, *, min_group_size: int = MIN_GROUP_SIZE) -> Self:
        """Show the segments of a fitted study, or those into which a fitted segmenter puts customers.

        Parameters
        ----------
        estimator : SegmentationStudy or Segmenter
            Fitted.
        X : DataFrame, path, or array-like of shape (n_customers, n_characteristics), default=None
            The customers of a segmenter; None for a study.
        min_group_size : int, default=10
            The least number of customers of whom anything is said. A study has its own.

        Returns
        -------
        display : GorgeDisplay
            Not yet drawn.
        """
        shown, least = of_estimator(estimator, X, min_group_size)
        return cls(shown, min_group_size=least)

    @classmethod
    @asking("GorgeDisplay")
    def from_predictions(
        cls,
        X: Any,
        labels: Any = None,
        *,
        names: Sequence[str] | None = None,
        embedder: CharacteristicEmbedder | Literal["passthrough"] | None = None,
        min_group_size: int = MIN_GROUP_SIZE,
        random_state: int | np.random.RandomState | None = 0,
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
        embedder : CharacteristicEmbedder, "passthrough" or None, default=None
            What turns characteristics into distances.
        min_group_size : int, default=10
            The least number of customers of whom anything is said.
        random_state : int, RandomState or None, default=0
            The source of the draws from one continuum.

        Returns
        -------
        display : GorgeDisplay
            Not yet drawn.
        """
        return cls(
            of_predictions(X, labels, names, min_group_size),
            embedder=embedder,
            min_group_size=min_group_size,
            random_state=random_state,
        )

    @property
    def _n_rows(self) -> int:
        return -(-self._n_panels // _COLUMNS)

    def _size(self) -> tuple[float, float]:
        # room for the heading, however few panels there are
        width = max(2, min(self._n_panels, _COLUMNS)) * (_WIDTH + _BETWEEN)
        return width + 2 * MARGIN - _BETWEEN, self._n_rows * (_ABOVE + _HEIGHT + _BELOW)

    def _boxes(self) -> Sequence[tuple[float, float, float, float]]:
        row, column = np.divmod(np.arange(self._n_panels), _COLUMNS)
        left = MARGIN + column * (_WIDTH + _BETWEEN)
        bottom = (self._n_rows - 1 - row) * (_ABOVE + _HEIGHT + _BELOW) + _BELOW
        return [(x, y, _WIDTH, _HEIGHT) for x, y in zip(left.tolist(), bottom.tolist(), strict=True)]

    def _draw(self, axes: Sequence[Any]) -> None:
        width = _EDGES[1] - _EDGES[0]
        for ax, row in zip(axes, rows_of(self.segments_), strict=True):
            bars = self.data_[self.data_["segment"] == row.segment]
            middle = (bars["low"] + bars["high"]) / 2
            ax.bar(middle, bars["n_others"], width=0.92 * width, color=NONE)
            ax.bar(middle, bars["n_members"], width=0.92 * width, bottom=bars["n_others"], color=MORE)
            ax.stairs(bars["null"], _EDGES, color=LESS, linewidth=1.4, zorder=4)
            ax.axvline(0.5, color=INK, linewidth=0.8, linestyle=(0, (2, 2)), zorder=5)
            ax.set(yticks=[], xlim=(_EDGES[0], _EDGES[-1]), xticks=[0.25, 0.5, 0.75])
            ax.set_xticklabels(["nearer", "border", "farther"])
            ax.tick_params(length=0)
            ax.spines["left"].set_visible(False)
            head(ax, cut(row.name, size_of(ax)[0], 10.5, bold=True), pad=16)
            place = {"xycoords": "axes fraction", "textcoords": "offset points"}
            ax.annotate(_told(row), (0, 1), (0, 4), fontsize=SMALL, color=SOFT, **place)


def _told(row: Any) -> str:
    return f"{format_share(row.near_border)} near the border; one continuum {format_share(row.near_border_null)}"


def _between(points: Floats, centres: Floats) -> Floats:
    """Return for each customer and segment the place between its centre (0) and the nearest other (1)."""
    distances = cdist(points, centres)
    order = np.argsort(distances, axis=1, kind="stable")[:, :2]
    nearest, second = np.take_along_axis(distances, order, axis=1).T
    others = np.where(order[:, :1] == np.arange(len(centres)), second[:, None], nearest[:, None])
    both = distances + others
    return np.asarray(np.divide(distances, both, out=np.full(both.shape, 0.5), where=both > 0))


def _null(places: Places, random: np.random.RandomState) -> Floats:
    """Return the same for draws from one continuum, each cut into as many pieces by k-means."""
    space, n_segments = places.space, len(places.segments)
    found = []
    with one_thread():
        for points in one_continuum(
            space.table, space.embedder, space.matrix, n_draws=_N_DRAWS, max_customers=MAX_CUSTOMERS, random=random
        ):
            # a draw has the values of the customers, but it may combine them to fewer kinds than there are segments
            n_pieces = min(n_segments, len(np.unique(points, axis=0)))
            cut = KMeans(n_pieces, n_init=_N_INIT, random_state=random.randint(2**31)).fit(points)
            found.append(_between(points, cut.cluster_centers_).ravel())
    return np.concatenate(found)[:, None]


def _near(places: Floats) -> Floats:
    return np.asarray((np.abs(places - 0.5) < _NEAR).mean(axis=0))


def _bars(places: Places, here: Floats, null: Floats, least: int) -> pd.DataFrame:
    expected = _counts(null) / null.size * len(here)
    parts = []
    for code, (segment, name) in enumerate(zip(places.segments, places.names, strict=True)):
        own, ends = places.codes == code, np.sort(here[:, code])[[least - 1, -least]]
        place = np.clip(here[:, code], *ends)
        bars = {"segment": segment, "name": name, "low": _EDGES[:-1], "high": _EDGES[1:]}
        bars |= {"n_members": _counts(place[own]), "n_others": _counts(place[~own]), "null": expected}
        parts.append(pd.DataFrame(bars))
    return pd.concat(parts, ignore_index=True)


def _counts(places: Floats) -> Integers:
    return np.asarray(np.histogram(np.clip(places, _EDGES[0], _EDGES[-1]), _EDGES)[0])

"""How far each segment stands apart, and from which other one least."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np

from custseg._core.asking import asking
from custseg._core.params import Integer, check
from custseg._core.visible import visible
from custseg.exceptions import InvalidParameterError
from custseg.plotting._shared.display import Display, name_rows, room_for_names, size_of
from custseg.plotting._shared.handed import MIN_GROUP_SIZE, of_estimator, of_predictions
from custseg.plotting._shared.look import INK, LESS, LINE, MARGIN, MORE, SMALL, SOFT, cut, rows_of
from custseg.plotting._shared.places import embedder_of, separation_of
from custseg.segmentation import CharacteristicEmbedder, Segmentation
from custseg.validation import SeparationResult

__all__ = ["SeparationDisplay"]

_WIDTH, _ROW, _ABOVE, _BELOW, _NEIGHBOUR = 9.6, 0.58, 0.3, 0.55, 3.2
_BAR = 0.5
_PARAMETERS = {"min_group_size": (Integer(1),)}


class SeparationDisplay(Display):
    """Show how far each segment stands apart, and which other one is nearest.

    One bar for each segment, its mean silhouette: 1 is far from all others, 0 halfway between two, and below 0 its
    customers are nearer to another segment. Beside it stands the neighbour with the weakest border.

    Parameters
    ----------
    separation : SeparationResult
        How far the segments stand apart.
    min_group_size : int, default=10
        The least number of customers of whom anything is said.

    Attributes
    ----------
    data_ : pandas.DataFrame
        One row per segment, the one that stands apart most first: ``segment``, ``n_customers``, ``silhouette``,
        ``shadow``, ``neighbour``, and ``neighbourhood``, the part of the shadow value that falls to it.
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
        If fewer than two segments have enough customers.

    Notes
    -----
    A mean says what ten thousand spikes of a silhouette plot [1]_ say, and one can read it. The neighbour is that of
    :func:`segment_separation <custseg.validation.segment_separation>`.

    **When not to use it**: as proof. Any cut through one continuum separates something: :class:`GorgeDisplay` shows how
    much.

    References
    ----------
    .. [1] P. J. Rousseeuw (1987), "Silhouettes: a graphical aid to the interpretation and validation of cluster
       analysis", Journal of Computational and Applied Mathematics 20, 53-65.

    Examples
    --------
    >>> import numpy as np
    >>> from custseg.plotting import SeparationDisplay
    >>> places = np.array([[0.0, 0.0], [3.0, 0.0], [9.0, 9.0]])[np.arange(150) % 3]
    >>> customers = places + np.random.RandomState(0).normal(size=(150, 2))
    >>> labels = np.array(["red", "green", "blue"])[np.arange(150) % 3]
    >>> display = SeparationDisplay.from_predictions(customers, labels)
    >>> display.title
    '“blue” stands apart most; “red” least, next to “green”'
    """

    def __init__(self, separation: SeparationResult, *, min_group_size: int = MIN_GROUP_SIZE) -> None:
        check(_PARAMETERS, {"min_group_size": min_group_size})
        near = separation.neighbourhood.to_numpy()
        rows = separation.segments[["segment", "n_customers", "silhouette", "shadow"]].assign(
            neighbour=separation.neighbourhood.columns.to_numpy()[near.argmax(axis=1)], neighbourhood=near.max(axis=1)
        )
        rows = rows[rows["n_customers"] >= min_group_size]
        if len(rows) < 2:
            words = "of at least 2 segments with enough customers to be shown"
            raise InvalidParameterError.not_allowed("separation", words, f"{len(rows)}")
        self.data_ = rows.sort_values(["silhouette", "segment"], ascending=[False, True], ignore_index=True)
        first, *_, last = rows_of(self.data_)
        self.title = (
            f"“{visible(first.segment)}” stands apart most; “{visible(last.segment)}” least, next to "
            f"“{visible(last.neighbour)}”"
        )
        self.how_to_read = (
            "Bar: mean silhouette. 1: far from all others; 0: halfway between two; below 0: nearer to another segment."
        )
        self.alt_ = "Mean silhouette of each segment. " + " ".join(
            f"{visible(row.segment)}: {row.silhouette:.2f}, nearest to {visible(row.neighbour)}."
            for row in rows_of(self.data_)
        )

    @classmethod
    @asking("SeparationDisplay")
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
        display : SeparationDisplay
            Not yet drawn.
        """
        shown, least = of_estimator(estimator, X, min_group_size)
        return cls._of(shown, None, least)

    @classmethod
    @asking("SeparationDisplay")
    def from_predictions(
        cls,
        X: Any,
        labels: Any = None,
        *,
        names: Sequence[str] | None = None,
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
        embedder : CharacteristicEmbedder, "passthrough" or None, default=None
            What turns characteristics into distances. None stands for what the clusterer of the segmentation uses,
            else for ``CharacteristicEmbedder()``.
        min_group_size : int, default=10
            The least number of customers of whom anything is said.

        Returns
        -------
        display : SeparationDisplay
            Not yet drawn.
        """
        return cls._of(of_predictions(X, labels, names, min_group_size), embedder, min_group_size)

    @classmethod
    def _of(cls, shown: Segmentation, embedder: Any, min_group_size: int) -> Self:
        return cls(separation_of(shown, embedder_of(shown, embedder)), min_group_size=min_group_size)

    def _size(self) -> tuple[float, float]:
        return _WIDTH, _ABOVE + _ROW * len(self.data_) + _BELOW

    def _boxes(self) -> Sequence[tuple[float, float, float, float]]:
        left = MARGIN + room_for_names(self.data_["segment"])
        return [(left, _BELOW, _WIDTH - left - _NEIGHBOUR - MARGIN, _ROW * len(self.data_))]

    def _draw(self, axes: Sequence[Any]) -> None:
        (ax,) = axes
        name_rows(ax, self.data_["segment"])
        y, silhouettes = np.arange(len(self.data_))[::-1], self.data_["silhouette"].to_numpy()
        colours = [MORE if each >= 0 else LESS for each in silhouettes]
        ax.barh(y, silhouettes, height=_BAR, color=colours)
        ax.axvline(0, color=INK, linewidth=0.8)
        lowest = min(0.0, float(silhouettes.min()) - 0.05)
        ax.set(xlim=(lowest, 1.0), xlabel="mean silhouette")
        ax.grid(axis="x", color=LINE)
        ax.tick_params(axis="x", length=0)
        place, gap = ax.get_yaxis_transform(), MARGIN / size_of(ax)[0]
        for row, at, colour in zip(rows_of(self.data_), y, colours, strict=True):
            ends = max(row.silhouette, 0.0) + 0.02
            ax.text(ends, at, f"{row.silhouette:.2f}", va="center", fontweight="bold", color=colour)
            name = cut(row.neighbour, _NEIGHBOUR - 2 * MARGIN, SMALL)
            ax.text(1 + gap, at, name, transform=place, va="center", fontsize=SMALL)
        top = len(self.data_) - 0.45
        ax.text(1 + gap, top, "nearest to", transform=place, va="bottom", fontsize=SMALL, color=SOFT)

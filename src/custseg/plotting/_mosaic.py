"""Which levels of a characteristic are more frequent in a segment than elsewhere, and which less."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from scipy.stats import norm

from custseg._core.arrays import Bools, Floats, Integers
from custseg._core.asking import asked, asking
from custseg._core.customers import Column
from custseg._core.disclosure import enter, told_shares
from custseg._core.optional import require
from custseg._core.visible import visible
from custseg._core.words import format_share
from custseg.exceptions import ColumnTypeError, InfeasibleError
from custseg.plotting._shared.display import Display, size_of
from custseg.plotting._shared.handed import MIN_GROUP_SIZE, column_of, of_estimator, of_predictions
from custseg.plotting._shared.look import (
    INK,
    LESS,
    MARGIN,
    MORE,
    PAPER,
    SMALL,
    apart,
    height_of,
    ink_on,
    rows_of,
    sentence,
    tiers,
    width_of,
    wrapped,
)
from custseg.segmentation import Segmentation

__all__ = ["MosaicDisplay"]

_POOLED = "all other levels"
_WIDTH, _HEIGHT, _ABOVE = 7.0, 4.2, 0.1
_GAP = 0.006
# the residuals from which a tile is shaded, and shaded more
_STEPS = (2.0, 4.0)
# the probability that the title names a tile where segment and level are independent
_LEVEL = 0.05
_SHADES = {-2: LESS, -1: "#e7bfa8", 0: "#e9ecef", 1: "#a9c8d2", 2: MORE}


class MosaicDisplay(Display):
    """Show which levels of a characteristic are more frequent in a segment than in the others, and which less.

    Each segment is a column, as wide as it has customers; each level is a tile, as high as its share. Tiles are shaded
    where they hold clearly more (▲) or fewer (▼) customers than they would if all segments were alike.

    Parameters
    ----------
    segmentation : Segmentation
        Customers in segments; those in none are left out.
    characteristic : str
        The column of levels, or of yes and no.
    min_group_size : int, default=10
        The least number of customers of whom anything is said.

    Attributes
    ----------
    data_ : pandas.DataFrame
        One row per segment and level: ``segment``, ``name``, ``level``, ``width``, the share of the segment in all
        customers of whom it is known, ``share``, that of the level in the segment, and ``residual``. Levels of which
        too little may be told are pooled.
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
    ColumnNotFoundError
        If there is no such column.
    ColumnTypeError
        If it holds numbers: see :class:`DistributionDisplay`.
    InfeasibleError
        If nothing may be told of any level, or of fewer than two segments.

    Notes
    -----
    A missing value is in no tile, and a segment in which the level of too few is known is left out. The residual is
    Pearson's, (n - e) / sqrt(e), where e is the number of customers expected if segment and level were independent;
    beyond 2 it is shaded, beyond 4 strongly [1]_. The title names the largest where chance alone would make one of so
    many tiles so large in 5 of 100 pictures at most (Bonferroni).

    **When not to use it**: for a characteristic that the segments were made of. It then differs by construction.

    References
    ----------
    .. [1] M. Friendly (1994), "Mosaic displays for multi-way contingency tables", Journal of the American Statistical
       Association 89, 190-200.

    Examples
    --------
    >>> import pandas as pd
    >>> from custseg.plotting import MosaicDisplay
    >>> customers = pd.DataFrame({"region": ["north"] * 30 + ["south"] * 70})
    >>> labels = ["shop"] * 60 + ["web"] * 40
    >>> display = MosaicDisplay.from_predictions(customers, labels, characteristic="region")
    >>> display.title
    'Region: “north” is most over-represented in “shop”'
    """

    def __init__(
        self, segmentation: Segmentation, characteristic: str, *, min_group_size: int = MIN_GROUP_SIZE
    ) -> None:
        shown = of_predictions(segmentation, None, None, min_group_size)
        column, self.label = column_of(shown, characteristic)
        levels, codes = _levels_of(column)
        n_segments = shown.n_segments
        inside = enter(codes >= 0, shown.labels, n_segments, min_group_size)
        table = np.zeros((n_segments, len(levels)))
        np.add.at(table, (shown.labels[inside], codes[inside]), 1.0)
        kept = _named(table, min_group_size, is_yes=column.kind == "binary")
        used = np.flatnonzero(table.sum(axis=1) > 0)
        if not kept.any() or len(used) < 2:
            raise InfeasibleError(
                f"{asked()}: nothing of {characteristic!r} may be told segment by segment, for too few customers have "
                "each level. Pool its levels, or pass more customers."
            )
        names = [level for level, is_kept in zip(levels, kept, strict=True) if is_kept]
        table = np.column_stack([table[:, kept], table[:, ~kept].sum(axis=1)])[used]
        if not table[:, -1].any():
            table = table[:, :-1]
        self.data_ = _tiles(shown, used, [*names, _POOLED][: table.shape[1]], table)
        self._say()

    def _say(self) -> None:
        data = self.data_
        strongest = rows_of(data.sort_values(["residual", "name", "level"], ascending=[False, True, True]))[0]
        label = sentence(visible(self.label))
        self.title = f"{label}: no clear difference between the segments"
        # beyond what chance makes of one of so many tiles
        if strongest.residual >= norm.isf(_LEVEL / 2 / len(data)):
            self.title = (
                f"{label}: “{visible(strongest.level)}” is most over-represented in “{visible(strongest.name)}”"
            )
        self.how_to_read = (
            "A column is as wide as the segment has customers, a tile as high as the share of the level. ▲: more of "
            "them than if all segments were alike, ▼: fewer; pale: no clear difference."
        )
        said = []
        for name, tiles in data.groupby("name", sort=False):
            shares = ", ".join(f"{visible(row.level)} {format_share(row.share)}" for row in rows_of(tiles))
            said.append(f"{visible(name)}: {shares}.")
        self.alt_ = f"Shares of {visible(self.label)} in each segment. {' '.join(said)}"

    @classmethod
    @asking("MosaicDisplay")
    def from_estimator(
        cls, estimator: Any, X: Any = None, *, characteristic: str, min_group_size: int = MIN_GROUP_SIZE
    ) -> Self:
        """Show the segments of a fitted study, or those into which a fitted segmenter puts customers.

        Parameters
        ----------
        estimator : SegmentationStudy or Segmenter
            Fitted.
        X : DataFrame, path, or array-like of shape (n_customers, n_characteristics), default=None
            The customers of a segmenter; None for a study.
        characteristic : str
            The column of levels, or of yes and no.
        min_group_size : int, default=10
            The least number of customers of whom anything is said. A study has its own.

        Returns
        -------
        display : MosaicDisplay
            Not yet drawn.
        """
        shown, least = of_estimator(estimator, X, min_group_size)
        return cls(shown, characteristic, min_group_size=least)

    @classmethod
    @asking("MosaicDisplay")
    def from_predictions(
        cls,
        X: Any,
        labels: Any = None,
        *,
        characteristic: str,
        names: Sequence[str] | None = None,
        min_group_size: int = MIN_GROUP_SIZE,
    ) -> Self:
        """Show segments from anywhere.

        Parameters
        ----------
        X : Segmentation, DataFrame or path
            A segmentation, or one row per customer.
        labels : array-like or Series of shape (n_customers,), default=None
            The segment of each customer, as :meth:`Segmentation.of <custseg.segmentation.Segmentation.of>` takes it.
        characteristic : str
            The column of levels, or of yes and no.
        names : sequence of str, default=None
            The names of the segments; position = label.
        min_group_size : int, default=10
            The least number of customers of whom anything is said.

        Returns
        -------
        display : MosaicDisplay
            Not yet drawn.
        """
        shown = of_predictions(X, labels, names, min_group_size)
        return cls(shown, characteristic, min_group_size=min_group_size)

    @property
    def _names(self) -> list[str]:
        return [wrapped(name, 14) for name in self.data_["name"].unique()]

    @property
    def _centres(self) -> Floats:
        """The middle of each column, in shares of the width."""
        widths = self.data_.groupby("segment", sort=False)["width"].first().to_numpy()
        return np.asarray(np.cumsum(widths) - widths / 2)

    def _below(self, width: float) -> tuple[Integers, float]:
        """Return in which row below the columns each name has room, and how high a row is."""
        rows = tiers(self._centres * width, [width_of(name, SMALL) for name in self._names])
        return rows, max(height_of(name, SMALL) for name in self._names) + 0.06

    def _left(self) -> float:
        return max(width_of(wrapped(level), SMALL) for level in self.data_["level"]) + 2 * MARGIN

    def _size(self) -> tuple[float, float]:
        rows, height = self._below(_WIDTH)
        # the outermost names may be wider than their columns
        return self._left() + _WIDTH + 5 * MARGIN, _ABOVE + _HEIGHT + (rows.max() + 1) * height + MARGIN

    def _boxes(self) -> Sequence[tuple[float, float, float, float]]:
        rows, height = self._below(_WIDTH)
        return [(self._left(), (rows.max() + 1) * height + MARGIN, _WIDTH, _HEIGHT)]

    def _draw(self, axes: Sequence[Any]) -> None:
        (ax,) = axes
        width, height = size_of(ax)
        rectangle = require("matplotlib.patches").Rectangle
        left = 0.0
        for place, (_, tiles) in enumerate(self.data_.groupby("segment", sort=False)):
            top, wide = 1.0, float(tiles["width"].iloc[0])
            middles = []
            for row in rows_of(tiles):
                step = int(np.sign(row.residual) * np.searchsorted(_STEPS, abs(row.residual), side="right"))
                colour, bottom = _SHADES[step], top - row.share
                ax.add_patch(
                    rectangle((left, bottom), wide, row.share, facecolor=colour, edgecolor=PAPER, linewidth=1.5)
                )
                words = _fitting(row, step, wide * width, row.share * height)
                middle = (left + wide / 2, (top + bottom) / 2)
                ax.text(*middle, words, ha="center", va="center", fontsize=SMALL, color=ink_on(colour))
                middles.append((top + bottom) / 2)
                top = bottom
            if place == 0:
                self._name_levels(ax, tiles["level"], np.array(middles), width, height)
            left += wide
        self._name_segments(ax, width, height)
        ax.set(xlim=(0, 1), ylim=(0, 1), xticks=[], yticks=[])
        for spine in ax.spines.values():
            spine.set_visible(False)

    def _name_levels(self, ax: Any, levels: Any, middles: Floats, width: float, height: float) -> None:
        words = [wrapped(level) for level in levels]
        sizes = np.array([[width_of(word, SMALL), height_of(word, SMALL)] for word in words])
        places = apart(np.column_stack([np.zeros(len(words)), middles * height]), sizes, gap=0.0)
        for word, at in zip(words, places[:, 1] / height, strict=True):
            ax.text(-MARGIN / 2 / width, at, word, ha="right", va="center", fontsize=SMALL, linespacing=1.0)

    def _name_segments(self, ax: Any, width: float, height: float) -> None:
        rows, step = self._below(width)
        for name, centre, row in zip(self._names, self._centres, rows, strict=True):
            top = -(0.06 + row * step) / height
            if row:
                ax.plot([centre] * 2, [0, top], color=INK, linewidth=0.6, clip_on=False)
            style = {"ha": "center", "va": "top", "fontsize": SMALL, "fontweight": "bold", "linespacing": 1.0}
            ax.text(centre, top, name, **style)


def _fitting(row: Any, step: int, width: float, height: float) -> str:
    """Return what of level, share and sign has room in a tile of so many inches."""
    share = format_share(row.share) + {1: " ▲", -1: " ▼", 0: ""}[int(np.sign(step))]
    level = visible(row.level)
    for words in (f"{level}\n{share}", f"{level} {share}", share):
        if width_of(words, SMALL) + 0.06 <= width and height_of(words, SMALL) <= height:
            return words
    return ""


def _levels_of(column: Column) -> tuple[tuple[str, ...], Integers]:
    """Return the levels, and the position of that of each customer; -1 where it is not known."""
    if column.kind == "numeric":
        remedy = "Use DistributionDisplay for numbers."
        raise ColumnTypeError.expected(column.name, "of levels, or of yes and no", "numbers", remedy)
    if column.kind == "binary":
        return (column.pair or ("yes", "no")), np.where(column.missing, -1, 1 - np.nan_to_num(column.values)).astype(
            int
        )
    return column.categories, column.values


def _named(table: Floats, least: int, *, is_yes: bool) -> Bools:
    """Say which levels may be named: those whose share may be told in every segment, and no single one is left."""
    counts, kept = table.sum(axis=1), np.asarray(table.sum(axis=0) >= least)
    if is_yes:
        told = told_shares(table[:, :1], counts, least, is_yes=True)
        return np.full(2, told[counts > 0].all())
    while kept.any():
        told = told_shares(table[:, kept], counts, least)[counts > 0].all(axis=0)
        hidden = (table.sum(axis=0) > 0) & ~kept
        if told.all() and hidden.sum() != 1:
            break
        # the rarest of those that may not be told goes to the others, or the rarest at all
        candidates = np.flatnonzero(kept)[~told] if not told.all() else np.flatnonzero(kept)
        kept[candidates[np.argmin(table[:, candidates].sum(axis=0))]] = False
    return kept


def _tiles(shown: Segmentation, used: Integers, levels: Sequence[str], table: Floats) -> pd.DataFrame:
    counts = table.sum(axis=1, keepdims=True)
    expected = counts * table.sum(axis=0) / table.sum()
    residual = np.divide(table - expected, np.sqrt(expected), out=np.zeros_like(table), where=expected > 0)
    segments, places = np.indices(table.shape)
    return pd.DataFrame(
        {
            "segment": used[segments.ravel()],
            "name": np.array(shown.segment_names, dtype=object)[used[segments.ravel()]],
            "level": np.array(levels, dtype=object)[places.ravel()],
            "width": np.broadcast_to(counts / table.sum(), table.shape).ravel(),
            "share": (table / counts).ravel(),
            "residual": residual.ravel(),
        }
    )

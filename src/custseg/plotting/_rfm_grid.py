"""Customers by recency and frequency: what they spend, and which segment most of them are in."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, product
from typing import Any, Self

import numpy as np
import pandas as pd
from scipy.ndimage import label as connected

from custseg._core.arrays import Floats
from custseg._core.asking import asked, asking
from custseg._core.customers import CustomerTable
from custseg._core.disclosure import described, enter
from custseg._core.optional import require
from custseg._core.visible import visible
from custseg._core.words import feature_of, format_number, format_share
from custseg.characteristics import RFMScorer
from custseg.exceptions import ColumnNotFoundError, ColumnTypeError, InfeasibleError
from custseg.plotting._shared.display import Display
from custseg.plotting._shared.handed import MIN_GROUP_SIZE, of_estimator, of_predictions
from custseg.plotting._shared.look import INK, LINE, MARGIN, PAPER, SMALL, cut, filled, ink_on, joined, rows_of
from custseg.segmentation import RFMSegmenter, Segmentation

__all__ = ["RFMGridDisplay"]

_SCORED = ("recency", "frequency", "monetary")
_N_SCORES = 5
_TILE_WIDTH, _TILE_HEIGHT, _LEFT, _BELOW = 1.42, 1.05, 1.15, 0.8
# by how much the best tile must be above the average to be the title
_WORTH_SAYING = 1.1
_PALEST, _DARKEST = "#e3edf1", "#0e3a4a"


class RFMGridDisplay(Display):
    """Show customers by recency and frequency: how many there are, what they spend, and which segment they are in.

    Five times five tiles, the most recent to the right and the most frequent above, with the number of customers and
    their mean monetary value. A line goes around the tiles that most customers of a segment hold.

    Parameters
    ----------
    segmentation : Segmentation
        Customers with columns of recency, frequency and monetary value, as an ``RFMFeaturizer`` makes them. Those in no
        segment count in the tiles as well.
    currency : str or None, default=None
        The currency of the monetary value, in words.
    min_group_size : int, default=10
        The least number of customers of whom anything is said.

    Attributes
    ----------
    data_ : pandas.DataFrame
        One row per tile: ``recency_score`` and ``frequency_score``, 1 to 5; ``n_customers``; ``monetary``, the mean;
        and ``segment``, the name of that which most of them are in. Missing where a figure may not be told.
    edges_ : dict of str to tuple of float
        The cuts of ``"recency"`` and ``"frequency"`` between the scores.
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
        If there is no column of recency, frequency or monetary value.
    ColumnTypeError
        If one of them holds no numbers.
    InfeasibleError
        If so few customers are known that nothing may be told of any tile.

    Notes
    -----
    The scores are those of the segmenter where the segments are of an ``RFMSegmenter``, else fifths of these customers
    (:class:`~custseg.characteristics.RFMScorer`). Customers with a missing value are in no tile. A tile of fewer than
    ``min_group_size`` customers has no figures, and so many of the largest tile are left out that nothing follows from
    the total. A mean of which one customer makes more than half is not told.

    **When not to use it**: to judge segments that were made of more than these three. A segment that also asks for
    spending may hold most of no tile.

    References
    ----------
    A. M. Hughes (1994), "Strategic Database Marketing", Probus.

    Examples
    --------
    >>> from custseg import RFMFeaturizer
    >>> from custseg.datasets import make_customers
    >>> from custseg.plotting import RFMGridDisplay
    >>> from custseg.segmentation import RFMSegmenter
    >>> customers = RFMFeaturizer().fit_transform(make_customers(500, random_state=0).transactions)
    >>> display = RFMGridDisplay.from_estimator(RFMSegmenter().fit(customers), customers)
    >>> display.data_.tail(1)[["recency_score", "frequency_score", "segment"]]
        recency_score  frequency_score    segment
    24              5                5  Champions
    """

    def __init__(
        self, segmentation: Segmentation, *, currency: str | None = None, min_group_size: int = MIN_GROUP_SIZE
    ) -> None:
        shown = of_predictions(segmentation, None, None, min_group_size)
        self.currency, self.min_group_size = currency, min_group_size
        values, scorer = _scored(shown)
        self.edges_ = {name: scorer.edges_[name] for name in _SCORED[:2]}
        scores = scorer.transform(values).to_numpy(dtype=np.float64)[:, :2]
        n_tiles = _N_SCORES**2
        known = ~np.isnan(scores).any(axis=1)
        tiles = np.full(len(scores), -1)
        tiles[known] = ((scores[known] - 1) @ [_N_SCORES, 1]).astype(np.int64)
        tiles = described(tiles, n_tiles, min_group_size, shown.customer_table)
        spend = values["monetary"].to_numpy(dtype=np.float64)
        entering = enter(~np.isnan(spend), tiles, n_tiles, min_group_size, spend)
        spent, n_spent = (np.bincount(tiles[entering], weight, n_tiles) for weight in (spend[entering], None))
        counts = np.bincount(tiles[tiles >= 0], minlength=n_tiles)
        if not counts.any():
            raise InfeasibleError(
                f"{asked()}: {int(known.sum()):,} customers are too few to fill the tiles with groups of at least "
                f"{min_group_size}. Pass more customers."
            )
        places = np.array(list(product(range(1, _N_SCORES + 1), repeat=2)))
        self.data_ = pd.DataFrame(
            {
                "recency_score": places[:, 0],
                "frequency_score": places[:, 1],
                "n_customers": pd.array(counts, dtype="Int64"),
                "monetary": np.divide(spent, n_spent, out=np.full(n_tiles, np.nan), where=n_spent > 0),
                "segment": [_most(shown, tiles == tile) for tile in range(n_tiles)],
            }
        )
        before = np.bincount(((scores[known] - 1) @ [_N_SCORES, 1]).astype(np.int64), minlength=n_tiles)
        self.data_.loc[(before > 0) & (counts == 0), "n_customers"] = pd.NA
        self._say(shown, float(spend[entering].mean()) if entering.any() else np.nan)

    def _say(self, shown: Segmentation, mean: float) -> None:
        data, best = self.data_, self.data_.iloc[-1]
        n_customers = int(data["n_customers"].sum())
        self.title = f"{n_customers:,} customers by recency and frequency"
        if mean > 0 and best["monetary"] / mean >= _WORTH_SAYING:
            self.title = (
                f"The most recent and frequent, {format_share(best['n_customers'] / n_customers)} of the customers, "
                f"spend {format_number(best['monetary'] / mean, 2)} times the average"
            )
        self.how_to_read = (
            "Number of customers, and the mean monetary value of each (the darker, the more). Outlined: the segment "
            "that most of a tile belong to."
        )
        if data["n_customers"].isna().any():
            self.how_to_read += f" Hatched: fewer than {self.min_group_size} customers."
        held = set(data["segment"].dropna())
        sizes = zip(shown.segment_names, shown.sizes, strict=True)
        nowhere = [visible(name) for name, size in sizes if size and name not in held]
        if nowhere:
            self.how_to_read += f" Most of no tile: {joined(nowhere)}."
        self.alt_ = "Customers by recency and frequency score. " + " ".join(
            f"{row.recency_score} and {row.frequency_score}: {row.n_customers} customers, "
            f"{format_number(row.monetary)} each, most of them {visible(row.segment)}."
            for row in rows_of(data[data["segment"].notna()])
        )

    @classmethod
    @asking("RFMGridDisplay")
    def from_estimator(
        cls, estimator: Any, X: Any = None, *, currency: str | None = None, min_group_size: int = MIN_GROUP_SIZE
    ) -> Self:
        """Show the segments of a fitted study, or those into which a fitted segmenter puts customers.

        Parameters
        ----------
        estimator : SegmentationStudy or Segmenter
            Fitted.
        X : DataFrame, path, or array-like of shape (n_customers, n_characteristics), default=None
            The customers of a segmenter; None for a study.
        currency : str or None, default=None
            The currency of the monetary value, in words.
        min_group_size : int, default=10
            The least number of customers of whom anything is said. A study has its own.

        Returns
        -------
        display : RFMGridDisplay
            Not yet drawn.
        """
        shown, least = of_estimator(estimator, X, min_group_size)
        return cls(shown, currency=currency, min_group_size=least)

    @classmethod
    @asking("RFMGridDisplay")
    def from_predictions(
        cls,
        X: Any,
        labels: Any = None,
        *,
        names: Sequence[str] | None = None,
        currency: str | None = None,
        min_group_size: int = MIN_GROUP_SIZE,
    ) -> Self:
        """Show segments from anywhere.

        Parameters
        ----------
        X : Segmentation, DataFrame or path
            A segmentation, or one row per customer.
        labels : array-like or Series of shape (n_customers,), default=None
            The segment of each customer, as :meth:`Segmentation.of <custseg.segmentation.Segmentation.of>` takes it.
        names : sequence of str, default=None
            The names of the segments; position = label.
        currency : str or None, default=None
            The currency of the monetary value, in words.
        min_group_size : int, default=10
            The least number of customers of whom anything is said.

        Returns
        -------
        display : RFMGridDisplay
            Not yet drawn.
        """
        shown = of_predictions(X, labels, names, min_group_size)
        return cls(shown, currency=currency, min_group_size=min_group_size)

    def _size(self) -> tuple[float, float]:
        return _LEFT + _N_SCORES * _TILE_WIDTH + 2 * MARGIN, _BELOW + _N_SCORES * _TILE_HEIGHT + MARGIN

    def _boxes(self) -> Sequence[tuple[float, float, float, float]]:
        return [(_LEFT, _BELOW, _N_SCORES * _TILE_WIDTH, _N_SCORES * _TILE_HEIGHT)]

    def _draw(self, axes: Sequence[Any]) -> None:
        (ax,) = axes
        rectangle = require("matplotlib.patches").Rectangle
        for row, colour in zip(rows_of(self.data_), _colours(self.data_["monetary"].to_numpy()), strict=True):
            corner = (row.recency_score - 0.5, row.frequency_score - 0.5)
            hidden = row.n_customers is pd.NA
            style = {"facecolor": PAPER, "hatch": "///", "edgecolor": LINE} if hidden else {"facecolor": colour}
            ax.add_patch(rectangle(corner, 1, 1, linewidth=0, **style))
            if not hidden and row.n_customers > 0:
                ink, x, y = ink_on(colour), row.recency_score, row.frequency_score
                ax.text(x, y - 0.1, f"{row.n_customers:,}", ha="center", va="center", fontsize=12, color=ink)
                money = f"{format_number(row.monetary)} {visible(self.currency or '')}".strip()
                if row.monetary == row.monetary:
                    ax.text(x, y - 0.33, money, ha="center", va="center", fontsize=SMALL, color=ink)
        self._outline(ax)
        limits = (0.5, _N_SCORES + 0.5)
        ax.set(xlim=limits, ylim=limits, xticks=range(1, _N_SCORES + 1), yticks=range(1, _N_SCORES + 1))
        scores = range(1, _N_SCORES + 1)
        spans = {name: _spans(edges) for name, edges in self.edges_.items()}
        ax.set_xticklabels([f"{each}\n{span}" for each, span in zip(scores, spans["recency"][::-1], strict=True)])
        ax.set_yticklabels([f"{each}\n{span}" for each, span in zip(scores, spans["frequency"], strict=True)])
        ax.set_xlabel("recency: score and values (right: bought lately)")
        ax.set_ylabel("frequency: score and values (up: buys often)")
        ax.tick_params(length=0)

    def _outline(self, ax: Any) -> None:
        """Draw a line around the tiles of each segment, and write its name into the first of them."""
        names = self.data_["segment"].to_numpy().reshape(_N_SCORES, _N_SCORES)  # by recency, then by frequency
        ends = np.arange(_N_SCORES + 1) + 0.5
        for line, place in product(range(1, _N_SCORES), range(_N_SCORES)):
            beside, along = [ends[line]] * 2, ends[place : place + 2]
            ax.plot(beside, along, **_border(names[line - 1, place], names[line, place]))
            ax.plot(along, beside, **_border(names[place, line - 1], names[place, line]))
        colours = np.array(_colours(self.data_["monetary"].to_numpy())).reshape(names.shape)
        for name in sorted(set(self.data_["segment"].dropna())):
            parts, n_parts = connected(names == name)
            for part in range(1, n_parts + 1):
                # the uppermost tile, and of these the first from the left
                first, second = min(np.argwhere(parts == part).tolist(), key=lambda at: (-at[1], at[0]))
                lines = filled(visible(name), _TILE_WIDTH - 0.2, SMALL, bold=True).split("\n")
                words = "\n".join(cut(line, _TILE_WIDTH - 0.2, SMALL, bold=True) for line in lines[:2])
                style = {"fontsize": SMALL, "fontweight": "bold", "color": ink_on(colours[first, second])}
                ax.text(first + 0.57, second + 1.44, words, va="top", linespacing=1.0, **style)


def _border(one: Any, other: Any) -> dict[str, Any]:
    """Return the style of the line between two tiles."""
    if one == other:
        return {"color": PAPER, "linewidth": 1.2, "zorder": 4}
    return {"color": INK, "linewidth": 2.0, "zorder": 5, "solid_capstyle": "projecting"}


def _scored(segmentation: Segmentation) -> tuple[pd.DataFrame, RFMScorer]:
    """Return recency, frequency and monetary value of each customer, and what scores them."""
    table, clusterer = segmentation.customer_table, segmentation.clusterer
    rules = clusterer if isinstance(clusterer, RFMSegmenter) else None
    columns = [_find(table, each) for each in _SCORED] if rules is None else rules.clustered_on_
    for column in columns:
        if table[column].kind != "numeric":
            remedy = "Pass the table that RFMFeaturizer gives."
            raise ColumnTypeError.expected(column, "numbers", table[column].kind, remedy)
    values = pd.DataFrame({short: table[column].values for short, column in zip(_SCORED, columns, strict=True)})
    return values, RFMScorer(_N_SCORES, customer_id=None).fit(values) if rules is None else rules.scorer_


def _find(table: CustomerTable, name: str) -> str:
    found = [column for column in table.names if feature_of(column) == name]
    if name not in found and len(found) != 1:
        raise ColumnNotFoundError.in_table([name], table.names)
    return name if name in found else found[0]


def _most(segmentation: Segmentation, here: Any) -> str | None:
    """Return the name of the segment that most of some customers are in; of equally many the first by name."""
    labels = segmentation.labels[here & (segmentation.labels >= 0)]
    if not len(labels):
        return None
    counts = np.bincount(labels, minlength=segmentation.n_segments)
    return min(segmentation.segment_names, key=lambda name: (-counts[segmentation.segment_names.index(name)], name))


def _colours(values: Floats) -> list[str]:
    """Return the colour of each value, the darker the higher; white for none."""
    colours = require("matplotlib.colors")
    scale = colours.LinearSegmentedColormap.from_list("monetary", [_PALEST, "#5d9ab0", _DARKEST])
    low, high = (np.nanmin(values), np.nanmax(values)) if not np.isnan(values).all() else (0.0, 0.0)
    shares = (values - low) / ((high - low) or 1.0)
    return [PAPER if np.isnan(share) else colours.to_hex(scale(share)) for share in shares]


def _spans(edges: Sequence[float]) -> list[str]:
    """Write what each score means, from the lowest values to the highest."""
    cuts = [format_number(edge) for edge in edges]
    return [f"up to {cuts[0]}", *(f"{low} to {high}" for low, high in pairwise(cuts)), f"over {cuts[-1]}"]

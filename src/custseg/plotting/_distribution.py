"""How a number is spread in each segment, beside everyone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pandas as pd

from custseg._core.arrays import Floats
from custseg._core.asking import asked, asking
from custseg._core.disclosure import enter
from custseg._core.visible import visible
from custseg._core.words import format_number
from custseg.exceptions import ColumnTypeError, InfeasibleError
from custseg.plotting._shared.display import Display, name_rows, room_for_names
from custseg.plotting._shared.handed import MIN_GROUP_SIZE, column_of, left_out, of_estimator, of_predictions, unit_of
from custseg.plotting._shared.look import INK, LINE, MARGIN, MORE, PAPER, SMALL, rows_of, sentence
from custseg.segmentation import Segmentation

__all__ = ["DistributionDisplay"]

_QUANTILES = {"q10": 0.1, "q25": 0.25, "median": 0.5, "q75": 0.75, "q90": 0.9}
_WIDTH, _ROW, _ABOVE, _BELOW, _RIGHT = 9.6, 0.58, 0.3, 0.6, 0.9


class DistributionDisplay(Display):
    """Show how a number is spread in each segment, beside everyone.

    One strip for each segment: pale from its lowest to its highest tenth, dark for the middle half, and a dot at the
    median. The line is the median of everyone.

    Parameters
    ----------
    segmentation : Segmentation
        Customers in segments; those in none are left out.
    characteristic : str
        The column of numbers.
    min_group_size : int, default=10
        The least number of customers of whom anything is said.

    Attributes
    ----------
    data_ : pandas.DataFrame
        One row per segment, the highest median first: ``segment``, ``name``, ``n_customers`` of whom it is known, and
        ``q10``, ``q25``, ``median``, ``q75`` and ``q90``; missing where fewer than ``min_group_size`` lie beyond.
    everyone_ : pandas.Series
        The same quantiles of everyone who is shown.
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
        If it holds no numbers: see :class:`MosaicDisplay`.
    InfeasibleError
        If it is known of too few customers in every segment.

    Notes
    -----
    Quantiles are interpolated between neighbours (method 7 of Hyndman and Fan [1]_). A missing value counts nowhere.
    There are no whiskers and no outliers: they would be single customers.

    **When not to use it**: for a number with two humps, which quantiles do not show, or one of a few values.

    References
    ----------
    .. [1] R. J. Hyndman and Y. Fan (1996), "Sample quantiles in statistical packages", The American Statistician 50,
       361-365.

    Examples
    --------
    >>> import pandas as pd
    >>> from custseg.plotting import DistributionDisplay
    >>> customers = pd.DataFrame({"visits": [*range(100), *range(50, 250)]})
    >>> labels = ["rare"] * 100 + ["often"] * 200
    >>> display = DistributionDisplay.from_predictions(customers, labels, characteristic="visits")
    >>> display.title
    'Visits: “often” has the highest median, 150 against 99.5 of everyone'
    >>> display.data_[["name", "q25", "median", "q75"]]
        name    q25  median     q75
    0  often  99.75   149.5  199.25
    1   rare  24.75    49.5   74.25
    """

    def __init__(
        self, segmentation: Segmentation, characteristic: str, *, min_group_size: int = MIN_GROUP_SIZE
    ) -> None:
        shown = of_predictions(segmentation, None, None, min_group_size)
        column, self.label = column_of(shown, characteristic)
        if column.kind != "numeric":
            remedy = "Use MosaicDisplay for levels."
            raise ColumnTypeError.expected(characteristic, "of numbers", f"{column.kind} values", remedy)
        self.unit = unit_of(shown, characteristic)
        inside = enter(~column.missing, shown.labels, shown.n_segments, min_group_size, column.values)
        rows = []
        for segment, name in enumerate(shown.segment_names):
            own = column.values[inside & (shown.labels == segment)]
            rows.append({"segment": segment, "name": name, "n_customers": len(own)} | _quantiles(own, min_group_size))
        every = pd.DataFrame(rows)
        kept = every[every["median"].notna()]
        if kept.empty:
            raise InfeasibleError(
                f"{asked()}: {characteristic!r} is known of too few customers of each segment: half of them must be at "
                f"least {min_group_size}. Name another column, or pass more customers."
            )
        self.data_ = kept.sort_values(["median", "name"], ascending=[False, True], ignore_index=True)
        entering = inside & np.isin(shown.labels, self.data_["segment"])
        self.everyone_ = pd.Series(_quantiles(column.values[entering], min_group_size), name="everyone")
        self._say(left_out(every, self.data_))

    def _say(self, not_shown: str) -> None:
        label, (first, *_) = sentence(visible(self.label)), rows_of(self.data_)
        self.title = (
            f"{label}: “{visible(first.name)}” has the highest median, {format_number(first.median)} against "
            f"{format_number(self.everyone_['median'])} of everyone"
        )
        self.how_to_read = (
            "Pale: from the lowest to the highest tenth of the segment; dark: its middle half; dot: its median. Line: "
            f"the median of everyone.{not_shown}"
        )
        self.alt_ = f"{label} in each segment, median and middle half. " + " ".join(
            f"{visible(row.name)}: {format_number(row.median)}, {format_number(row.q25)} to {format_number(row.q75)}."
            for row in rows_of(self.data_)
        )

    @classmethod
    @asking("DistributionDisplay")
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
            The column of numbers.
        min_group_size : int, default=10
            The least number of customers of whom anything is said. A study has its own.

        Returns
        -------
        display : DistributionDisplay
            Not yet drawn.
        """
        shown, least = of_estimator(estimator, X, min_group_size)
        return cls(shown, characteristic, min_group_size=least)

    @classmethod
    @asking("DistributionDisplay")
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
        X : Segmentation, DataFrame, path, or array-like of shape (n_customers, n_characteristics)
            A segmentation, or one row per customer.
        labels : array-like or Series of shape (n_customers,), default=None
            The segment of each customer, as :meth:`Segmentation.of <custseg.segmentation.Segmentation.of>` takes it.
        characteristic : str
            The column of numbers.
        names : sequence of str, default=None
            The names of the segments; position = label.
        min_group_size : int, default=10
            The least number of customers of whom anything is said.

        Returns
        -------
        display : DistributionDisplay
            Not yet drawn.
        """
        shown = of_predictions(X, labels, names, min_group_size)
        return cls(shown, characteristic, min_group_size=min_group_size)

    def _size(self) -> tuple[float, float]:
        return _WIDTH, _ABOVE + _ROW * len(self.data_) + _BELOW

    def _boxes(self) -> Sequence[tuple[float, float, float, float]]:
        left = MARGIN + room_for_names(self.data_["name"])
        return [(left, _BELOW, _WIDTH - left - _RIGHT, _ROW * len(self.data_))]

    def _draw(self, axes: Sequence[Any]) -> None:
        (ax,) = axes
        name_rows(ax, self.data_["name"])
        data, y = self.data_, np.arange(len(self.data_))[::-1]
        for low, high, alpha in (("q10", "q90", 0.3), ("q25", "q75", 1.0)):
            known = data[low].notna().to_numpy()
            strips = data[known]
            ax.barh(y[known], strips[high] - strips[low], left=strips[low], height=0.34, color=MORE, alpha=alpha)
        ax.scatter(data["median"], y, s=46, color=PAPER, edgecolor=INK, linewidth=1.6, zorder=4)
        ax.axvline(self.everyone_["median"], color=INK, linewidth=1.2, linestyle=(0, (4, 3)), zorder=1)
        top = len(data) - 0.45
        ax.text(self.everyone_["median"], top, "everyone", ha="center", va="bottom", fontsize=SMALL)
        ax.margins(x=0.03)
        unit = f" ({visible(self.unit)})" if self.unit else ""
        ax.set_xlabel(f"{visible(self.label)}{unit}", parse_math=False)
        ax.xaxis.set_major_formatter(lambda value, _: format_number(value, 6))
        ax.grid(axis="x", color=LINE)
        ax.tick_params(axis="x", length=0)
        for row, at in zip(rows_of(data), y, strict=True):
            style = {"transform": ax.get_yaxis_transform(), "va": "center", "fontweight": "bold", "color": MORE}
            ax.text(1.015, at, format_number(row.median), **style)


def _quantiles(values: Floats, least: int) -> dict[str, float]:
    """Return the quantiles beyond which enough customers lie on either side."""
    enough = {name: min(share, 1 - share) * len(values) >= least - 1e-9 for name, share in _QUANTILES.items()}
    return {name: float(np.quantile(values, share)) if enough[name] else np.nan for name, share in _QUANTILES.items()}

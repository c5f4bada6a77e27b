"""How much of the value comes from how many of the customers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd

from custseg._core.asking import asking
from custseg._core.visible import visible
from custseg._core.words import format_number, format_share, format_total
from custseg.exceptions import InvalidParameterError
from custseg.plotting._shared.display import Display, name_rows, room_for_names, size_of
from custseg.plotting._shared.handed import MIN_GROUP_SIZE, is_study, left_out, of_estimator, of_predictions, shown_plan
from custseg.plotting._shared.look import (
    CUSTOMERS,
    INK,
    LESS,
    MARGIN,
    MORE,
    PAPER,
    SMALL,
    SOFT,
    rows_of,
    width_of,
    wrapped,
)

__all__ = ["SegmentValueDisplay"]

_WIDTH, _ROW, _TOP = 9.6, 0.62, 0.5
_GAP, _COLUMN = 0.07, 1.0
_BAR = 0.6


class SegmentValueDisplay(Display):
    """The share of the customers against the share of the value, segment by segment.

    Two bars back to back on one scale, the customers of a segment to the left and their value to the right, and beside
    them what a customer is worth. The segments stand in the order of their value.

    Parameters
    ----------
    segment_table : DataFrame
        One row per segment with ``name``, ``n_customers``, ``share``, ``value`` and ``value_share``, as
        :meth:`Segmentation.to_frame <custseg.segmentation.Segmentation.to_frame>` and
        :class:`Personas <custseg.personas.Personas>` have it; missing where a figure may not be told.
    currency : str or None, default=None
        The currency of the value, in words.

    Attributes
    ----------
    data_ : pandas.DataFrame
        One row per segment, the most valuable first: ``segment``, ``name``, ``n_customers``, ``share``, ``value``,
        ``value_share``, ``per_customer``, and ``index``, value per customer where 100 is the average. Segments without
        customers, or with too few to be told of, are left out; a value that may not be told is missing.
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
        If no value is known.

    Notes
    -----
    A customer whose value is not known counts as 0. A segment whose value is negative has no bar.

    **When not to use it**: where value is what the past brought and the question is what the future will. The picture
    says nothing of margins either, unless the value is one.

    Examples
    --------
    >>> import pandas as pd
    >>> from custseg.plotting import SegmentValueDisplay
    >>> from custseg.segmentation import Segmentation
    >>> customers = pd.DataFrame({"spend": [20.0, 30.0] * 10 + [90.0, 110.0] * 20})
    >>> segmentation = Segmentation.of(customers, ["now and then"] * 20 + ["regular"] * 40, value="spend")
    >>> display = SegmentValueDisplay.from_predictions(segmentation, currency="EUR")
    >>> display.title
    'regular: 67% of the customers, 89% of the value'
    >>> display.data_[["name", "value", "per_customer"]]
               name   value  per_customer
    0       regular  4000.0         100.0
    1  now and then   500.0          25.0
    """

    def __init__(self, segment_table: pd.DataFrame, *, currency: str | None = None) -> None:
        known = segment_table["value_share"]
        if not known.notna().any():
            remedy = "Pass value=, a column or one figure for each customer; a study takes that of its brief."
            words = "known of customers, and more than 0 together"
            raise InvalidParameterError.not_allowed("value", words, "none that may be told", remedy)
        self.currency = currency
        self.data_ = _rows(segment_table)
        first = self.data_.iloc[0]
        money = f" {visible(currency)}" if currency else ""
        self.title = (
            f"{visible(first['name'])}: {format_share(first['share'])} of the customers, "
            f"{format_share(first['value_share'])} of the value"
        )
        n_customers, total = int(self.data_["n_customers"].sum()), float(self.data_["value"].sum())
        self.how_to_read = (
            f"Value of {n_customers:,} customers: {format_total(total)}{money}. "
            f"Index: value per customer, 100 = average.{left_out(segment_table, self.data_)}"
        )
        self.alt_ = f"Share of customers and of value. {' '.join(map(_sentence, rows_of(self.data_)))}"

    @classmethod
    @asking("SegmentValueDisplay")
    def from_estimator(cls, estimator: Any, X: Any = None, *, min_group_size: int = MIN_GROUP_SIZE) -> Self:
        """Show the segments of a fitted study, whose brief says what is valued.

        Parameters
        ----------
        estimator : SegmentationStudy or Segmenter
            Fitted. A segmenter knows no value: see :meth:`from_predictions`.
        X : DataFrame, path, or array-like of shape (n_customers, n_characteristics), default=None
            The customers of a segmenter; None for a study.
        min_group_size : int, default=10
            The least number of customers of whom anything is said. A study has its own.

        Returns
        -------
        display : SegmentValueDisplay
            Not yet drawn.
        """
        if is_study(estimator) and X is None:
            return cls(shown_plan(estimator).personas.segment_table, currency=estimator.brief.currency)
        return cls(of_estimator(estimator, X, min_group_size)[0].to_frame())

    @classmethod
    @asking("SegmentValueDisplay")
    def from_predictions(
        cls,
        X: Any,
        labels: Any = None,
        *,
        names: Sequence[str] | None = None,
        value: Any = None,
        currency: str | None = None,
        min_group_size: int = MIN_GROUP_SIZE,
    ) -> Self:
        """Show segments from anywhere.

        Parameters
        ----------
        X : Segmentation, DataFrame, path, or array-like of shape (n_customers, n_characteristics)
            A segmentation with a value, or one row per customer.
        labels : array-like or Series of shape (n_customers,), default=None
            The segment of each customer, as :meth:`Segmentation.of <custseg.segmentation.Segmentation.of>` takes it.
        names : sequence of str, default=None
            The names of the segments; position = label.
        value : str, array-like or Series, default=None
            What each customer is worth, where ``X`` is no segmentation.
        currency : str or None, default=None
            The currency of the value, in words.
        min_group_size : int, default=10
            The least number of customers of whom anything is said.

        Returns
        -------
        display : SegmentValueDisplay
            Not yet drawn.
        """
        return cls(of_predictions(X, labels, names, min_group_size, value).to_frame(), currency=currency)

    def _size(self) -> tuple[float, float]:
        return _WIDTH, _TOP + _ROW * len(self.data_) + MARGIN

    def _boxes(self) -> Sequence[tuple[float, float, float, float]]:
        left = MARGIN + room_for_names(self.data_["name"])
        return [(left, MARGIN, _WIDTH - left - 2 * _COLUMN - MARGIN, _ROW * len(self.data_))]

    def _draw(self, axes: Sequence[Any]) -> None:
        (ax,) = axes
        name_rows(ax, self.data_["name"])
        share, worth = self.data_["share"].to_numpy(), self.data_["value_share"].to_numpy()
        y, widths = np.arange(len(share))[::-1], np.maximum(np.nan_to_num(worth), 0.0)
        ax.barh(y, -share, height=_BAR, color=CUSTOMERS)
        ax.barh(y, widths, height=_BAR, color=MORE)
        ax.axvline(0, color=PAPER, linewidth=3)
        left, right = [format_share(each) for each in share], [format_share(each) for each in worth]
        width = size_of(ax)[0]
        room = [max(width_of(word, bold=True) for word in words) + 2 * _GAP for words in (left, right)]
        unit = (share.max() + widths.max()) / (width - sum(room))  # of the shares, in an inch
        ax.set(xlim=(-share.max() - room[0] * unit, widths.max() + room[1] * unit), xticks=[])
        for row in range(len(y)):
            ax.text(-share[row] - _GAP * unit, y[row], left[row], ha="right", va="center")
            colour = _colour(worth[row], 0.0)
            ax.text(widths[row] + _GAP * unit, y[row], right[row], va="center", fontweight="bold", color=colour)
        for side, words, gap in (("right", "share of customers", -_GAP), ("left", "share of value", _GAP)):
            ax.text(gap * unit, len(y) - 0.4, words, ha=side, va="bottom", color=SOFT, fontsize=SMALL)
        currency = wrapped(self.currency or "value", 10)
        each, index = self.data_["per_customer"], self.data_["index"]
        step = (_COLUMN - MARGIN / 4) / width
        _column(ax, 1 + step, f"{currency} per\ncustomer", map(format_number, each), [INK] * len(each))
        _column(
            ax, 1 + 2 * step, "index", map(format_total, index), [_colour(each, 100.0) for each in index], bold=True
        )


def _colour(figure: float, usual: float) -> str:
    return SOFT if np.isnan(figure) else MORE if figure >= usual else LESS


def _column(ax: Any, x: float, head: str, words: Iterable[str], colours: Sequence[str], *, bold: bool = False) -> None:
    """Write figures beside the bars."""
    place = ax.get_yaxis_transform()
    ax.text(x, len(colours) - 0.4, head, transform=place, ha="right", va="bottom", color=SOFT, fontsize=SMALL)
    for y, (word, colour) in enumerate(reversed(list(zip(words, colours, strict=True)))):
        weight = "bold" if bold else "normal"
        ax.text(x, y, word, transform=place, ha="right", va="center", color=colour, fontweight=weight)


def _rows(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row per segment of which something may be told, the most valuable first."""
    rows = table[["segment", "name", "n_customers", "share", "value", "value_share"]]
    rows = rows[rows["n_customers"].fillna(0) > 0].astype({"n_customers": np.int64, "share": np.float64})
    rows = rows.assign(
        per_customer=rows["value"] / rows["n_customers"], index=100 * rows["value_share"] / rows["share"]
    )
    order = ["value_share", "share", "name"]
    return rows.sort_values(order, ascending=[False, False, True], na_position="last", ignore_index=True)


def _sentence(row: Any) -> str:
    return (
        f"{visible(row.name)}: {format_share(row.share)} of the customers, {format_share(row.value_share)} of the "
        f"value, {format_number(row.per_customer)} per customer."
    )

"""What sets each segment apart: bars of its figures on one scale, beside everyone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
from scipy.spatial.distance import pdist

from custseg._core.asking import asked, asking
from custseg._core.visible import visible
from custseg._core.words import format_share
from custseg.exceptions import InfeasibleError, InvalidParameterError
from custseg.personas import SegmentProfile
from custseg.plotting._shared.display import Display, head, size_of
from custseg.plotting._shared.handed import MIN_GROUP_SIZE, of_estimator, of_predictions
from custseg.plotting._shared.look import (
    BODY,
    INK,
    LESS,
    LINE,
    MARGIN,
    MORE,
    NONE,
    PAPER,
    SMALL,
    SOFT,
    cut,
    joined,
    rows_of,
    width_of,
)
from custseg.plotting._shared.profiled import check_profile, labels_of, profiled, quoted, segments_of, written

__all__ = ["SegmentProfileDisplay"]

_CLEAR_EFFECT = 0.5
# the first kind that has two columns of one scale is shown
_KINDS = ("binary", "ordinal", "numeric")
_FEWEST = 2
_COLUMNS = 3
_WIDTH, _ROW, _ABOVE, _BELOW, _BETWEEN, _WIDEST_LABEL = 2.9, 0.245, 0.62, 0.32, 0.2, 2.6
# of the width of a panel, for the figures behind the bars
_ROOM = 0.14


class SegmentProfileDisplay(Display):
    """Show what sets each segment apart, in the units of the question, beside everyone.

    One panel for each segment and in it one bar for each characteristic, all on one scale; the tick is everyone. Only
    markers are coloured, and have their figure written. Characteristics in which the segments go alike stand together.

    Parameters
    ----------
    profile : SegmentProfile
        The figures, as :func:`~custseg.personas.profile_segments` makes them.
    columns : sequence of str, default=None
        The characteristics, all of one scale: yes or no; ordered with the same levels; or numbers of one unit. None
        takes those of yes or no; where there are not two of them, the most ordered ones of the same levels; and else
        the most numbers of one known unit.
    labels : dict of str to str, default=None
        The columns in words; by default their names, with spaces.

    Attributes
    ----------
    data_ : pandas.DataFrame
        One row per segment and characteristic, as they are drawn from the top: ``segment``, ``name``;
        ``characteristic`` and ``label``; ``segment_value``, ``overall_value`` and ``effect_size``, as the profile has
        them, missing where they may not be told; ``is_marker``; and ``text``, the figure as it is written.
    segments_ : pandas.DataFrame
        One row per segment: ``segment``, ``name``, and ``n_customers``, the most of whom a characteristic is known.
    title, how_to_read, alt_ : str
        What was found, how to read it, and the figures to be read aloud.
    figure_ : matplotlib Figure
        After ``plot``.
    ax_ : matplotlib Axes
        The first panel, after ``plot``.
    axes_ : ndarray of matplotlib Axes
        All panels, after ``plot``.

    Raises
    ------
    InvalidParameterError
        If ``profile`` is none, or ``columns`` are not in it or not of one scale.
    InfeasibleError
        If no two characteristics are of one scale, or no figure may be told.

    Notes
    -----
    A share marks a segment where it is .25 or half of it away from that of everyone, as Dolnicar, Grün and Leisch [1]_
    say; a mean or a median where Hedges' g against everyone else is .5 or more, and it lies on the same side. The
    characteristics stand in the optimal leaf order [2]_ of an average-linkage tree over their differences from
    everyone. The bar of an ordered characteristic is its median, as a position from 1. Columns of 0 and 1 are numbers;
    as bool they are yes or no. Missing values are in no figure.

    **When not to use it**: for characteristics of several units, which :class:`ComparisonDisplay` shows. And where all
    bars of a segment are longer than everyone's, or all are shorter, it may be a way of answering and no kind of
    customer.

    References
    ----------
    .. [1] S. Dolnicar, B. Grün and F. Leisch (2018), "Market Segmentation Analysis", Springer, chapter 8.
    .. [2] Z. Bar-Joseph, D. K. Gifford and T. S. Jaakkola (2001), "Fast optimal leaf ordering for hierarchical
       clustering", Bioinformatics 17, S22-S29.

    Examples
    --------
    >>> import pandas as pd
    >>> from custseg.plotting import SegmentProfileDisplay
    >>> answers = pd.DataFrame({"rest": [True] * 30 + [True, False] * 15, "sports": [False] * 30 + [True] * 30})
    >>> display = SegmentProfileDisplay.from_predictions(answers, ["quiet"] * 30 + ["active"] * 30)
    >>> display.title
    '2 of 2 characteristics set “active” apart'
    >>> display.data_[["name", "label", "segment_value", "overall_value", "is_marker"]]
         name   label  segment_value  overall_value  is_marker
    0  active    rest            0.5           0.75       True
    1  active  sports            1.0           0.50       True
    2   quiet    rest            1.0           0.75       True
    3   quiet  sports            0.0           0.50       True
    """

    def __init__(
        self,
        profile: SegmentProfile,
        columns: Sequence[str] | None = None,
        *,
        labels: Mapping[str, str] | None = None,
    ) -> None:
        check_profile(profile)
        self.segments_, not_shown = segments_of(profile)
        rows = _of_one_scale(profile, columns)
        self._kind = rows["kind"].iloc[0]
        self._levels = profile.levels.get(rows["characteristic"].iloc[0], ())
        self._unit = rows["unit"].iloc[0] if self._kind == "numeric" else ""
        words = labels_of(profile.frame["characteristic"].unique(), labels)
        self.data_ = self._bars(rows, words)
        self._n_panels = len(self.segments_)
        self._say(not_shown)

    def _bars(self, rows: pd.DataFrame, words: Mapping[str, str]) -> pd.DataFrame:
        """Put the rows in order, mark what sets a segment apart, and write the figures."""
        place = {column: position for position, column in enumerate(_leaves(rows))}
        name = self.segments_.set_index("segment")["name"]
        share = self._kind == "binary"
        marker = rows["marker"] if share else rows["effect_size"].abs() >= _CLEAR_EFFECT
        # medians may be equal where the rest of the customers differ: such a bar has no side to be coloured by
        marker &= share | (np.sign(rows["segment_value"] - rows["overall_value"]) == np.sign(rows["effect_size"]))
        rows = rows.assign(
            name=rows["segment"].map(name),
            label=rows["characteristic"].map(words),
            place=rows["characteristic"].map(place),
            is_marker=marker.astype(bool),
            text=written(rows["segment_value"].tolist(), share=share),
        )
        rows = rows.sort_values(["segment", "place"], ignore_index=True)
        columns = ["segment", "name", "characteristic", "label", "segment_value", "overall_value", "effect_size"]
        return rows[[*columns, "is_marker", "text"]]

    def _say(self, not_shown: str) -> None:
        n_markers = self.data_.groupby("segment")["is_marker"].sum()
        most = self.segments_.assign(n=self.segments_["segment"].map(n_markers))
        first = rows_of(most.sort_values(["n", "name"], ascending=[False, True]))[0]
        n_columns = self.data_["characteristic"].nunique()
        self.title = f"{first.n} of {n_columns} characteristics set {quoted(first.name)} apart"
        if not first.n:
            self.title = "No characteristic sets a segment apart"
        what, rule = "share of the segment", "25 points or half away from everyone"
        if self._kind != "binary":
            what = "median of the segment" if self._kind == "ordinal" else "mean or median of the segment"
            rule = "half a standard deviation or more from everyone else"
        ends = (
            f" 1: {visible(self._levels[0])}; {len(self._levels)}: {visible(self._levels[-1])}." if self._levels else ""
        )
        self.how_to_read = f"Bar: {what}; tick: everyone. Coloured: {rule}, blue more, orange less.{ends}{not_shown}"
        self.alt_ = f"Characteristics by segment. {' '.join(map(self._sentence, rows_of(self.segments_)))}"

    def _sentence(self, segment: Any) -> str:
        own = self.data_[(self.data_["segment"] == segment.segment) & self.data_["is_marker"]]
        own = own.assign(size=_away(own)).sort_values("size", ascending=False, kind="stable")
        overall = written(own["overall_value"].tolist(), share=self._kind == "binary")
        told = [
            f"{visible(row.label)} {row.text} against {everyone} of everyone"
            for row, everyone in zip(rows_of(own), overall, strict=True)
        ]
        size = format_share(segment.n_customers / self.segments_["n_customers"].sum())
        return f"{visible(segment.name)} ({size}): {'; '.join(told[:4]) if told else 'like everyone'}."

    @classmethod
    @asking("SegmentProfileDisplay")
    def from_estimator(
        cls,
        estimator: Any,
        X: Any = None,
        *,
        columns: Sequence[str] | None = None,
        min_group_size: int = MIN_GROUP_SIZE,
    ) -> Self:
        """Show the segments of a fitted study, or those into which a fitted segmenter puts customers.

        Parameters
        ----------
        estimator : SegmentationStudy or Segmenter
            Fitted.
        X : DataFrame, path, or array-like of shape (n_customers, n_characteristics), default=None
            The customers of a segmenter; None for a study.
        columns : sequence of str, default=None
            The characteristics, all of one scale.
        min_group_size : int, default=10
            The least number of customers of whom anything is said. A study has its own.

        Returns
        -------
        display : SegmentProfileDisplay
            Not yet drawn.
        """
        profile, labels = profiled(*of_estimator(estimator, X, min_group_size))
        return cls(profile, columns, labels=labels)

    @classmethod
    @asking("SegmentProfileDisplay")
    def from_predictions(
        cls,
        X: Any,
        labels: Any = None,
        *,
        columns: Sequence[str] | None = None,
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
        columns : sequence of str, default=None
            The characteristics, all of one scale.
        names : sequence of str, default=None
            The names of the segments; position = label.
        min_group_size : int, default=10
            The least number of customers of whom anything is said.

        Returns
        -------
        display : SegmentProfileDisplay
            Not yet drawn.
        """
        profile, said = profiled(of_predictions(X, labels, names, min_group_size), min_group_size)
        return cls(profile, columns, labels=said)

    @property
    def _words(self) -> list[str]:
        """The labels of the rows, from the top."""
        labels = self.data_["label"].iloc[: len(self.data_) // self._n_panels]
        return [cut(label, _WIDEST_LABEL, BODY) for label in labels]

    @property
    def _grid(self) -> tuple[int, int]:
        """The number of rows and of columns of panels."""
        n_columns = 2 if self._n_panels == 4 else min(_COLUMNS, self._n_panels)
        return -(-self._n_panels // n_columns), n_columns

    @property
    def _left(self) -> float:
        return 2 * MARGIN + max(map(width_of, self._words))

    @property
    def _height(self) -> float:
        return _ROW * len(self._words)

    def _size(self) -> tuple[float, float]:
        n_rows, n_columns = self._grid
        # room for the heading, however few panels there are
        width = max(7.0, self._left + n_columns * (_WIDTH + _BETWEEN))
        return width, n_rows * (_ABOVE + self._height + _BELOW) + MARGIN / 2

    def _boxes(self) -> Sequence[tuple[float, float, float, float]]:
        row, column = np.divmod(np.arange(self._n_panels), self._grid[1])
        left = self._left + column * (_WIDTH + _BETWEEN)
        bottom = (self._grid[0] - 1 - row) * (_ABOVE + self._height + _BELOW) + _BELOW + MARGIN / 2
        return [(x, y, _WIDTH, self._height) for x, y in zip(left.tolist(), bottom.tolist(), strict=True)]

    def _draw(self, axes: Sequence[Any]) -> None:
        total, words = self.segments_["n_customers"].sum(), self._words
        for panel, (ax, segment) in enumerate(zip(axes, rows_of(self.segments_), strict=True)):
            self._draw_bars(ax, self.data_[self.data_["segment"] == segment.segment])
            ax.set(ylim=(-0.6, len(words) - 0.4), yticks=range(len(words)))
            ax.set_yticklabels(
                words[::-1] if panel % self._grid[1] == 0 else [], color=INK, fontsize=BODY, parse_math=False
            )
            ax.tick_params(length=0)
            ax.grid(axis="x", color=LINE)
            ax.spines["bottom"].set_visible(False)
            head(ax, cut(segment.name, size_of(ax)[0], 10.5, bold=True), pad=16)
            told = f"{segment.n_customers:,} customers, {format_share(segment.n_customers / total)}"
            place = {"xycoords": "axes fraction", "textcoords": "offset points"}
            ax.annotate(told, (0, 1), (0, 4), fontsize=SMALL, color=SOFT, **place)

    def _draw_bars(self, ax: Any, rows: pd.DataFrame) -> None:
        y, here = np.arange(len(rows))[::-1], rows["segment_value"].to_numpy(dtype=np.float64)
        everyone, marker = rows["overall_value"].to_numpy(dtype=np.float64), rows["is_marker"].to_numpy()
        more = here > everyone
        ax.barh(y, here, height=0.66, color=np.where(~marker, NONE, np.where(more, MORE, LESS)))
        ax.scatter(everyone, y, marker="|", s=120, color=PAPER, linewidth=4, zorder=3)
        ax.scatter(everyone, y, marker="|", s=95, color=INK, linewidth=1.7, zorder=4)
        low, high = self._limits(ax)
        for at in np.flatnonzero(marker):
            x = np.fmax(here[at], everyone[at]) + 0.025 * (high - low)
            colour = MORE if more[at] else LESS
            style = {"va": "center", "fontsize": SMALL, "fontweight": "bold", "color": colour, "zorder": 5}
            ax.text(x, y[at], rows["text"].iloc[at], **style)

    def _limits(self, ax: Any) -> tuple[float, float]:
        """Put all panels on one scale, with room for the figures behind the bars."""
        figures = self.data_[["segment_value", "overall_value"]].to_numpy(dtype=np.float64)
        low, high = min(0.0, float(np.nanmin(figures))), max(0.0, float(np.nanmax(figures)))
        if self._kind == "binary":
            low, high = 0.0, 1.0
            ticks = np.linspace(0, 1, 5)
            ax.set_xticks(ticks, [format_share(each) for each in ticks])
        elif self._kind == "ordinal":
            low, high = 0.5, len(self._levels) + 0.5
            ax.set_xticks(range(1, len(self._levels) + 1))
        elif self._unit:
            ax.set_xlabel(visible(self._unit), fontsize=SMALL, labelpad=1, parse_math=False)
        ax.set_xlim(low, high + _ROOM * (high - low))
        return low, high


def _away(rows: pd.DataFrame) -> pd.Series[float]:
    return (rows["segment_value"] - rows["overall_value"]).abs()


def _scale(row: Any, profile: SegmentProfile) -> tuple[Any, ...]:
    """Return what two characteristics of one scale have in common."""
    return row.kind, profile.levels[row.characteristic] if row.kind == "ordinal" else row.unit * (row.kind == "numeric")


def _of_one_scale(profile: SegmentProfile, columns: Sequence[str] | None) -> pd.DataFrame:
    """Return the rows of the profile that are shown, or say why there are none."""
    frame = profile.frame
    frame = frame[np.where(frame["kind"] == "binary", frame["level"].notna(), frame["level"].isna())]
    told = frame.groupby("characteristic")["segment_value"].transform("count") > 0
    frame = frame[told & frame["kind"].isin(_KINDS)]
    scales = {row.characteristic: _scale(row, profile) for row in rows_of(frame.drop_duplicates("characteristic"))}
    shown = _largest(scales) if columns is None else _named(scales, columns)
    return frame[frame["characteristic"].isin(shown)]


def _largest(scales: Mapping[str, tuple[Any, ...]]) -> list[str]:
    for kind in _KINDS:
        groups: dict[Any, list[str]] = {}
        for column in sorted(scales):
            if scales[column][0] == kind and (kind != "numeric" or scales[column][1]):
                groups.setdefault(scales[column], []).append(column)
        largest = max(groups.values(), key=len, default=[])
        if len(largest) >= _FEWEST:
            return largest
    raise InfeasibleError(
        f"{asked()}: no two characteristics that may be told of are of one scale: yes or no, ordered with the same "
        "levels, or numbers of one known unit. Name numbers of one scale in columns=, or use ComparisonDisplay, which "
        "shows any."
    )


def _named(scales: Mapping[str, tuple[Any, ...]], columns: Sequence[str]) -> Sequence[str]:
    if isinstance(columns, str) or len(set(columns)) < _FEWEST:
        raise InvalidParameterError.not_allowed("columns", f"a list of {_FEWEST} or more column names", columns)
    for column in columns:
        if column not in scales:
            raise InvalidParameterError.unknown_name("column in columns", column, sorted(scales))
    if len({scales[column] for column in columns}) > 1:
        of_first = [each for each in columns if scales[each] == scales[columns[0]]]
        others = [each for each in columns if scales[each] != scales[columns[0]]]
        remedy = f"{joined(of_first[:2])} differ in kind, levels or unit from {joined(others[:2])}: show them apart."
        raise InvalidParameterError.not_allowed("columns", "of one scale", list(columns), remedy)
    return columns


def _leaves(rows: pd.DataFrame) -> list[str]:
    """Return the columns in the optimal leaf order of an average-linkage tree, whatever their order was."""
    rows = rows.assign(difference=(rows["segment_value"] - rows["overall_value"]).fillna(0.0))
    wide = rows.set_index(["characteristic", "segment"])["difference"].unstack().sort_index()  # noqa: PD010
    # sums in another order of the segments differ in their last digits, which must not decide between equals
    distances = pdist(wide.to_numpy())
    distances = np.round(distances / (distances.max() or 1.0), 10)
    if len(wide) == _FEWEST:
        return list(wide.index)
    return list(wide.index[leaves_list(optimal_leaf_ordering(linkage(distances, "average"), distances))])

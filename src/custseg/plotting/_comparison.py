"""All characteristics and all segments, side by side in original units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd

from custseg._core.arrays import Floats
from custseg._core.asking import asking
from custseg._core.optional import require
from custseg._core.visible import visible
from custseg._core.words import format_share, is_year, known
from custseg.personas import SegmentProfile
from custseg.plotting._shared.display import Display
from custseg.plotting._shared.handed import MIN_GROUP_SIZE, of_estimator, of_predictions
from custseg.plotting._shared.look import (
    BODY,
    LESS,
    MARGIN,
    MORE,
    NAME,
    SMALL,
    SOFT,
    cut,
    height_of,
    ink_on,
    joined,
    rows_of,
    width_of,
    wrapped,
)
from custseg.plotting._shared.profiled import (
    check_profile,
    labels_of,
    profiled,
    segments_of,
    with_unit,
    written,
)

__all__ = ["ComparisonDisplay"]

_KEYS = ["characteristic", "level"]
_STEPS = (0.2, 0.5, 0.8, 1.2)
_STEP_NAMES = ("a little (.2)", "clearly (.5)", "strongly (.8)", "very strongly (1.2)")
_TINTS = {1: ("#e4eff3", "#b9d6e0", "#6fa9bd", MORE), -1: ("#fae9df", "#f2c9b0", "#dc9467", LESS)}
_CLEAR, _BOLD, _TWICE = 2, 3, 4
_DO, _ARE, _THINK = "What they do", "Who they are", "What they think"
_BLOCKS = {"behavioural": _DO, "demographic": _ARE, "geographic": _ARE, "psychographic": _THINK, "social": _THINK}
_ORDER = (_DO, _ARE, _THINK, "")
_USED = {True: "made the segments, so they differ", False: "not used to make the segments"}
_MOST_LEVELS = 4
_MOST_NAMED = 3
_ROW, _HEADING, _BETWEEN, _LEGEND = 0.29, 0.34, 0.16, 0.5
_GAP, _ARROW = 0.05, 6.5
_WIDEST_LABEL, _NARROWEST_CELL, _NARROWEST, _NAME_LINE = 3.4, 1.0, 7.6, 14


class ComparisonDisplay(Display):
    """Show every characteristic of every segment on one page, in original units.

    One row for each characteristic, or for each level of a category that sets a segment apart; the figure of everyone
    first, then one cell for each segment. The darker the cell, the clearer the segment differs from everyone else; an
    arrow says in which direction.

    Parameters
    ----------
    profile : SegmentProfile
        The figures, as :func:`~custseg.personas.profile_segments` makes them.
    labels : dict of str to str, default=None
        The columns in words; by default their names, with spaces.

    Attributes
    ----------
    data_ : pandas.DataFrame
        One row per cell, the rows of the picture from the top and in each the segments by number: ``block``, its
        heading; ``used_for_clustering``; ``characteristic``, ``level`` (missing for numbers) and ``label``; ``segment``
        and ``name``; ``segment_value``, ``overall_value`` and ``effect_size``, as the profile has them, missing where
        they may not be told; ``eta2``; ``step``, 0 to 4, from which effects of .2, .5, .8 and 1.2 count; ``text`` and
        ``overall_text``, the figures as they are written.
    segments_ : pandas.DataFrame
        One row per segment: ``segment``, ``name``, and ``n_customers``, the most of whom a characteristic is known.
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
        If ``profile`` is none.
    InfeasibleError
        If no figure may be told.

    Notes
    -----
    The rows stand under what customers do (behavioural), who they are (demographic, geographic) and what they think
    (psychographic, social), as far as that is known; what made the segments first, since its differences are no
    finding. Inside, the characteristic whose variance the segments explain most stands first. Of a category up to four
    levels are shown, those with an effect of .2 or more; of an ordered one the median, as a position from 1. Shades
    are those of Hedges' g [1]_ against everyone else, and the steps those of Cohen and Sawilowsky [2]_. Missing values
    are in no figure.

    **When not to use it**: to see whether segments are real. And with ten segments and forty characteristics nobody
    reads four hundred cells: choose the columns.

    References
    ----------
    .. [1] L. V. Hedges and I. Olkin (1985), "Statistical Methods for Meta-Analysis", Academic Press.
    .. [2] S. S. Sawilowsky (2009), "New effect size rules of thumb", Journal of Modern Applied Statistical Methods 8,
       597-599.

    Examples
    --------
    >>> import pandas as pd
    >>> from custseg.plotting import ComparisonDisplay
    >>> customers = pd.DataFrame({"orders": [1, 2, 3, 2] * 5 + [8, 9, 7, 8] * 5, "club": [False] * 15 + [True] * 25})
    >>> display = ComparisonDisplay.from_predictions(customers, ["new"] * 20 + ["loyal"] * 20)
    >>> display.title
    '2 segments side by side: they differ most in orders and club'
    >>> display.data_[["label", "name", "text", "overall_text", "step"]]
        label   name  text overall_text  step
    0  orders  loyal     8            5     4
    1  orders    new     2            5     4
    2    club  loyal  100%          62%     4
    3    club    new   25%          62%     4
    """

    def __init__(self, profile: SegmentProfile, *, labels: Mapping[str, str] | None = None) -> None:
        check_profile(profile)
        self.segments_, not_shown = segments_of(profile)
        rows, note = _rows(profile, labels)
        self.data_ = _cells(rows, profile, self.segments_)
        differing = self.data_[self.data_["step"] >= _CLEAR].sort_values("eta2", ascending=False, kind="stable")
        words = [visible(each) for each in differing["subject"].unique()[:_MOST_NAMED]]
        found = f"they differ most in {joined(words)}" if words else "none differs clearly"
        self.title = f"{len(self.segments_)} segment{'s' if len(self.segments_) > 1 else ''} side by side: {found}"
        self.how_to_read = (
            "Median, mean or share, in original units. ▲ higher, ▼ lower than among all other customers; the darker, "
            f"the clearer.{note}{not_shown}"
        )
        self.alt_ = f"Characteristics by segment. {' '.join(map(self._sentence, rows_of(self.segments_)))}"
        self.data_ = self.data_.drop(columns="subject")

    def _sentence(self, segment: Any) -> str:
        own = self.data_[(self.data_["segment"] == segment.segment) & (self.data_["step"] > 0)]
        own = own.assign(size=own["effect_size"].abs()).sort_values("size", ascending=False, kind="stable")
        told = [
            f"{visible(row.label)} {row.text} against {row.overall_text} of everyone" for row in rows_of(own.head(4))
        ]
        return f"{visible(segment.name)}: {'; '.join(told) if told else 'like everyone'}."

    @classmethod
    @asking("ComparisonDisplay")
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
        display : ComparisonDisplay
            Not yet drawn.
        """
        profile, labels = profiled(*of_estimator(estimator, X, min_group_size))
        return cls(profile, labels=labels)

    @classmethod
    @asking("ComparisonDisplay")
    def from_predictions(
        cls,
        X: Any,
        labels: Any = None,
        *,
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
        names : sequence of str, default=None
            The names of the segments; position = label.
        min_group_size : int, default=10
            The least number of customers of whom anything is said.

        Returns
        -------
        display : ComparisonDisplay
            Not yet drawn.
        """
        profile, said = profiled(of_predictions(X, labels, names, min_group_size), min_group_size)
        return cls(profile, labels=said)

    @property
    def _lines(self) -> pd.DataFrame:
        """One row per row of the picture."""
        return self.data_.iloc[:: len(self.segments_)]

    @property
    def _blocks(self) -> list[tuple[Any, pd.DataFrame]]:
        """The headings, and the rows under each."""
        return list(self._lines.groupby(["block", "used_for_clustering"], sort=False))

    @property
    def _texts(self) -> float:
        """The width of the widest figure."""
        return max(width_of(text, bold=True) for text in self.data_["text"])

    @property
    def _widths(self) -> tuple[float, float, float]:
        """Of the labels, of the figures of everyone, and of a cell."""
        names = max(width_of(self._head(row), NAME, bold=True) for row in rows_of(self.segments_))
        cell = max(_NARROWEST_CELL, self._texts + width_of("▲▲", _ARROW) + 4 * _GAP, names + 2 * _GAP)
        everyone = max(width_of(text) for text in [*self._lines["overall_text"], "everyone"]) + 3 * _GAP
        heads = [_heading_width(*key) for key, _ in self._blocks]
        label = max(min(_WIDEST_LABEL, max(map(width_of, self._lines["label"].map(visible)))), *heads, 0.0)
        return max(label, _NARROWEST - everyone - cell * len(self.segments_)), everyone, cell

    def _head(self, segment: Any) -> str:
        return wrapped(segment.name, _NAME_LINE)

    @property
    def _above(self) -> float:
        names = max(height_of(self._head(row), NAME) for row in rows_of(self.segments_))
        return names + height_of("1", SMALL) + 2 * _GAP

    def _size(self) -> tuple[float, float]:
        label, everyone, cell = self._widths
        blocks = (_HEADING + _BETWEEN) * len(self._blocks)
        height = self._above + _ROW * len(self._lines) + blocks + _LEGEND
        return label + everyone + cell * len(self.segments_) + 2 * MARGIN, height

    def _boxes(self) -> Sequence[tuple[float, float, float, float]]:
        width, height = self._size()
        return [(MARGIN, 0.0, width - 2 * MARGIN, height)]

    def _draw(self, axes: Sequence[Any]) -> None:
        (ax,) = axes
        width, height = self._size()
        ax.set(xlim=(0, width - 2 * MARGIN), ylim=(0, height))
        ax.set_axis_off()
        label, everyone, cell = self._widths
        starts: Floats = label + everyone + cell * np.arange(len(self.segments_), dtype=np.float64)
        end = (cell + self._texts - width_of("▲▲", _ARROW) - _GAP) / 2
        self._draw_head(ax, height - self._above, label + everyone - 2 * _GAP, starts + cell / 2)
        y = height - self._above
        for (block, used), lines in self._blocks:
            y -= _BETWEEN + _HEADING / 2
            ax.text(0, y, block, va="center", fontsize=NAME, fontweight="bold")
            ax.text(_note_at(block), y, _USED[used], va="center", fontsize=SMALL, color=SOFT)
            y -= _HEADING / 2
            for first, row in zip(lines.index, rows_of(lines), strict=True):
                y -= _ROW
                middle = y + _ROW / 2
                ax.text(0, middle, cut(row.label, label, BODY), va="center", parse_math=False)
                place = {"ha": "right", "va": "center", "color": SOFT}
                ax.text(label + everyone - 2 * _GAP, middle, row.overall_text, **place)
                for each, start in zip(rows_of(self.data_.loc[first:].head(len(starts))), starts, strict=True):
                    self._draw_cell(ax, each, (start, y), cell, end)
        _draw_legend(ax)

    def _draw_head(self, ax: Any, y: float, everyone: float, middles: Floats) -> None:
        ax.text(everyone, y, "everyone", ha="right", va="bottom", color=SOFT)
        total = self.segments_["n_customers"].sum()
        for row, x in zip(rows_of(self.segments_), middles, strict=True):
            told = f"{row.n_customers:,} · {format_share(row.n_customers / total)}"
            ax.text(x, y, told, ha="center", va="bottom", fontsize=SMALL, color=SOFT)
            above = y + height_of("1", SMALL) + _GAP / 2
            style = {"ha": "center", "va": "bottom", "fontsize": NAME, "fontweight": "bold", "linespacing": 1.05}
            ax.text(x, above, self._head(row), parse_math=False, **style)

    def _draw_cell(self, ax: Any, row: Any, corner: tuple[float, float], width: float, end: float) -> None:
        """Draw tile, figure and arrow; the figure ends so far from the left that those of a column are flush."""
        x, y, ink, sign = corner[0] + end, corner[1] + _ROW / 2, SOFT, 1 if row.effect_size > 0 else -1
        if row.step:
            colour = _TINTS[sign][row.step - 1]
            box, ink = (corner[0] + 0.015, corner[1] + 0.015), ink_on(colour)
            ax.add_patch(require("matplotlib.patches").Rectangle(box, width - 0.03, _ROW - 0.03, color=colour, lw=0))
            arrow = ("▲" if sign > 0 else "▼") * (2 if row.step == _TWICE else 1)
            ax.text(x + _GAP, y, arrow, va="center", fontsize=_ARROW, color=ink)
        weight = "bold" if row.step >= _BOLD else "normal"
        ax.text(x, y, row.text, ha="right", va="center", color=ink, fontweight=weight)


def _note_at(block: str) -> float:
    return width_of(block, NAME, bold=True) + 2 * _GAP if block else 0.0


def _heading_width(block: str, used: bool) -> float:
    return _note_at(block) + width_of(_USED[used], SMALL)


def _draw_legend(ax: Any) -> None:
    x, y, patch = 0.0, 0.12, require("matplotlib.patches").Rectangle
    for step, words in enumerate(_STEP_NAMES):
        for sign in (-1, 1):
            ax.add_patch(patch((x, y), 0.2, 0.15, color=_TINTS[sign][step], lw=0))
            x += 0.22
        ax.text(x + _GAP, y + 0.075, words, va="center", fontsize=SMALL, color=SOFT)
        x += width_of(words, SMALL) + 5 * _GAP
    ax.text(x, y + 0.075, "white: no clear difference", va="center", fontsize=SMALL, color=SOFT)


def _rows(profile: SegmentProfile, labels: Mapping[str, str] | None) -> tuple[pd.DataFrame, str]:
    """Return what has a row in the picture, from the top, and say what has none."""
    frame = profile.frame.assign(size=profile.frame["effect_size"].abs())
    frame = frame[frame["level"].isna() | (frame["kind"] != "ordinal")]
    rows = frame.groupby(_KEYS, dropna=False, as_index=False).agg(
        **{name: (name, "first") for name in ("criterion", "unit", "kind", "statistic", "used_for_clustering")},
        **{name: (name, "max") for name in ("overall_value", "eta2", "size")},
        n_told=("segment_value", "count"),
    )
    ranked = rows.sort_values(["size", "level"], ascending=[False, True])
    rows["rank"] = ranked.groupby("characteristic").cumcount()
    nominal = rows["kind"] == "nominal"
    leading = ~nominal | ((rows["size"] >= _STEPS[0]) & (rows["rank"] < _MOST_LEVELS))
    told = rows["n_told"] > 0
    n_left_out = int((told & ~leading).sum())
    note = f" Not shown: {n_left_out} levels that differ less." if n_left_out else ""
    untold = sorted(set(rows.loc[~told, "characteristic"]) - set(rows.loc[told, "characteristic"]))
    words = labels_of(frame["characteristic"].unique(), labels)
    if untold:
        note += f" Known of too few customers: {joined([visible(words[each]) for each in untold])}."
    return _in_order(rows[told & leading], profile, words), note


def _in_order(rows: pd.DataFrame, profile: SegmentProfile, words: Mapping[str, str]) -> pd.DataFrame:
    """Sort the rows by what they tell of, and by how much the segments explain of each; name them."""
    subject = rows["characteristic"].map(words)
    block = rows["criterion"].map(_BLOCKS).fillna("")
    strongest = rows.groupby("characteristic")["eta2"].transform("max")
    rows = rows.assign(block=block, subject=subject, place=block.map(_ORDER.index), strongest=strongest)
    by = {"place": True, "used_for_clustering": False, "strongest": False, "characteristic": True, "eta2": False}
    rows = rows.sort_values([*by, "level"], ascending=[*by.values(), True], ignore_index=True)
    label = []
    for row in rows_of(rows):
        if row.kind == "nominal":
            label.append(f"{row.subject}: {row.level}")
        elif row.kind == "ordinal":
            label.append(with_unit(row.subject, f"1-{len(profile.levels[row.characteristic])}"))
        else:
            label.append(with_unit(row.subject, row.unit if row.kind == "numeric" else ""))
    return rows.assign(label=label)


def _cells(rows: pd.DataFrame, profile: SegmentProfile, segments: pd.DataFrame) -> pd.DataFrame:
    """Return one row per cell, with the figures as they are written."""
    figures = profile.frame[[*_KEYS, "segment", "segment_value", "effect_size"]]
    cells = rows.merge(segments[["segment", "name"]], how="cross").merge(figures, on=[*_KEYS, "segment"], how="left")
    values = cells["segment_value"].to_numpy(dtype=np.float64).reshape(len(rows), len(segments))
    texts = []
    for row, own in zip(rows_of(rows), values, strict=True):
        told = [row.overall_value, *own]
        is_share = "share" in (row.statistic, row.unit)
        texts.append(written(told, share=is_share, year=is_year(row.subject, row.unit, filter(known, told))))
    effects = cells["effect_size"].to_numpy(dtype=np.float64)
    step = np.searchsorted(_STEPS, np.nan_to_num(np.abs(effects)), side="right")
    cells = cells.assign(
        step=step,
        text=[text for row in texts for text in row[1:]],
        overall_text=[row[0] for row in texts for _ in row[1:]],
    )
    columns = ["block", "used_for_clustering", *_KEYS, "subject", "label", "segment", "name", "segment_value"]
    return cells[[*columns, "overall_value", "effect_size", "eta2", "step", "text", "overall_text"]]

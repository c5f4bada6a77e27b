"""Why this number of segments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pandas as pd

from custseg._core.asking import asked, asking
from custseg._core.words import format_number, format_share
from custseg.exceptions import InfeasibleError, InvalidParameterError
from custseg.plotting._shared.display import Display, head, highlight
from custseg.plotting._shared.handed import is_study, shown_plan
from custseg.plotting._shared.look import LESS, MORE, PAPER, SMALL, rows_of
from custseg.segmentation import SegmentSelection

__all__ = ["SelectionDisplay"]

_WIDTH, _HEIGHT, _LEFT, _BELOW, _ABOVE, _BETWEEN = 4.2, 3.2, 0.85, 0.75, 0.4, 1.3
# how wide the band of one continuum is on either side, in standard deviations
_BAND = 2.0


class SelectionDisplay(Display):
    """Show why there are so many segments: how compact they are, against one continuum, and how well classes fit.

    Left: the share of the variance that is left inside so many segments, and the band where one continuum with the same
    characteristics and associations would be; what lies below it is structure. Right: the criterion of latent classes,
    the lower the better, where there is structure. The number shown is filled.

    Parameters
    ----------
    selection : SegmentSelection
        How many segments the customers ask for, and why.
    n_segments : int or None, default=None
        The number of segments shown; None is that of the selection.

    Attributes
    ----------
    data_ : pandas.DataFrame
        The table of the selection with ``null_low`` and ``null_high``, two standard deviations on either side of one
        continuum, and ``shown``.
    title, how_to_read, alt_ : str
        What was found, how to read it, and the figures to be read aloud.
    figure_ : matplotlib Figure
        After ``plot``.
    ax_ : matplotlib Axes
        The first panel, after ``plot``.
    axes_ : ndarray of matplotlib Axes
        The panels, after ``plot``: two, or one where no classes were fitted.

    Raises
    ------
    InfeasibleError
        If the customers were too few or too much alike to compare numbers.
    InvalidParameterError
        If there is no selection, or so many segments were not looked at.

    Notes
    -----
    The standard deviation of one continuum is that of the structure test, ``excess / z`` on the scale of logs.

    **When not to use it**: to read off a number by eye. Compactness always grows with the number; the selection takes
    the number of groups with a gap between them, which stands in brackets where it differs.

    References
    ----------
    R. Tibshirani, G. Walther and T. Hastie (2001), "Estimating the number of clusters in a data set via the gap
    statistic", Journal of the Royal Statistical Society B 63, 411-423. C. Fraley and A. E. Raftery (2002), "Model-based
    clustering, discriminant analysis, and density estimation", Journal of the American Statistical Association 97,
    611-631.

    Examples
    --------
    >>> import numpy as np
    >>> from custseg.plotting import SelectionDisplay
    >>> from custseg.segmentation import SegmentClusterer
    >>> groups = 5 * np.eye(3)[np.arange(200) % 3]
    >>> customers = groups + np.random.RandomState(0).normal(size=(200, 3))
    >>> display = SelectionDisplay.from_estimator(SegmentClusterer("auto", random_state=0).fit(customers))
    >>> display.title
    'The customers ask for 3 segments'
    >>> display.data_.loc[display.data_["shown"], "n_segments"].tolist()
    [3]
    """

    def __init__(self, selection: SegmentSelection, n_segments: int | None = None) -> None:
        if not isinstance(selection, SegmentSelection):
            remedy = "Segments that rules define were not selected."
            raise InvalidParameterError.not_allowed("selection", "a SegmentSelection", selection, remedy)
        table = selection.table
        if table["null_unexplained"].isna().all():
            raise InfeasibleError(f"{asked()}: no numbers of segments were compared. {selection.reason}")
        shown = selection.n_segments if n_segments is None else n_segments
        if shown not in set(table["n_segments"]):
            raise InvalidParameterError.unknown_name("n_segments", shown, table["n_segments"])
        spread = np.exp(_BAND * (table["excess"] / table["z"]).abs())
        low, high = table["null_unexplained"] / spread, table["null_unexplained"] * spread
        self.data_ = table.assign(null_low=low, null_high=high, shown=table["n_segments"] == shown)
        self.n_segments = shown
        self._n_panels = 2 if table["bic"].notna().any() else 1
        self._say(selection)

    def _say(self, selection: SegmentSelection) -> None:
        found = selection.n_segments
        self.title = f"The customers ask for {found} segments"
        if not selection.structured:
            self.title = "One continuum splits as well as these customers"
        elif found == 1:
            self.title = "Not one continuum, but no groups with a gap between them"
        if self.n_segments not in (1, found):
            self.title += f"; {self.n_segments} are shown"
        self.how_to_read = (
            "Band: one continuum with the same characteristics, two standard deviations on either side. What lies "
            "below it is structure."
        )
        if self._n_panels == 2:
            self.how_to_read += " BIC: how well so many latent classes fit, the lower the better."
            if (self.data_["n_separated"] < self.data_["n_segments"]).any():
                self.how_to_read += " In brackets: groups with a gap between them, where they are fewer."
        known = rows_of(self.data_[self.data_["null_unexplained"].notna()])
        self.alt_ = "Variance left inside the segments, and in one continuum. " + " ".join(
            f"{row.n_segments}: {format_share(row.unexplained)}, {format_share(row.null_unexplained)}." for row in known
        )
        if self._n_panels == 2:
            classes = rows_of(self.data_[self.data_["bic"].notna()])
            self.alt_ += f" BIC {', '.join(f'{row.n_segments}: {format_number(row.bic, 6)}' for row in classes)}."

    @classmethod
    @asking("SelectionDisplay")
    def from_estimator(cls, estimator: Any) -> Self:
        """Show the selection of a fitted study or clusterer, and the number of segments that it has.

        Parameters
        ----------
        estimator : SegmentationStudy or SegmentClusterer
            Fitted.

        Returns
        -------
        display : SelectionDisplay
            Not yet drawn.
        """
        if is_study(estimator):
            return cls._of(estimator.evidence_.selection, shown_plan(estimator).segmentation.n_segments)
        return cls._of(getattr(estimator, "selection_", None), estimator.n_segments_)

    @classmethod
    def _of(cls, selection: Any, n_segments: int) -> Self:
        looked_at = selection is not None and n_segments in set(selection.table["n_segments"])
        return cls(selection, n_segments if looked_at else None)

    def _size(self) -> tuple[float, float]:
        # room for the heading beside a single panel
        return max(7.0, _LEFT + self._n_panels * (_WIDTH + _BETWEEN) - _BETWEEN / 2), _BELOW + _HEIGHT + _ABOVE

    def _boxes(self) -> Sequence[tuple[float, float, float, float]]:
        lefts = [_LEFT + panel * (_WIDTH + _BETWEEN) for panel in range(self._n_panels)]
        return [(left, _BELOW, _WIDTH, _HEIGHT) for left in lefts]

    def _draw(self, axes: Sequence[Any]) -> None:
        data = self.data_
        known = data[data["null_unexplained"].notna()]
        axes[0].fill_between(known["n_segments"], known["null_low"], known["null_high"], color=LESS, alpha=0.18, lw=0)
        axes[0].plot(known["n_segments"], known["null_unexplained"], color=LESS, linewidth=1.2, linestyle=(0, (5, 3)))
        self._curve(axes[0], data[data["unexplained"].notna()], "unexplained")
        last = known.iloc[-1]
        axes[0].annotate(
            "one\ncontinuum",
            (last["n_segments"], last["null_unexplained"]),
            (8, 0),
            textcoords="offset points",
            va="center",
            color=LESS,
            fontsize=SMALL,
        )
        axes[0].set_ylabel("share of the variance inside")
        axes[0].yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
        head(axes[0], "More compact than one continuum?")
        if self._n_panels == 2:
            classes = data[data["bic"].notna()]
            self._curve(axes[1], classes, "bic", [_apart(row) for row in rows_of(classes)])
            axes[1].set_ylabel("BIC (lower is better)")
            axes[1].yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
            head(axes[1], "How many classes do they show?")

    def _curve(self, ax: Any, rows: pd.DataFrame, column: str, labels: Sequence[str] | None = None) -> None:
        numbers, values = rows["n_segments"], rows[column]
        ax.plot(numbers, values, color=MORE, linewidth=1.8, zorder=3)
        fill = [MORE if shown else PAPER for shown in rows["shown"]]
        ax.scatter(numbers, values, s=46, facecolor=fill, edgecolor=MORE, linewidth=1.6, zorder=4)
        ax.set(xticks=list(numbers), xlabel="number of segments", xlim=(numbers.min() - 0.5, numbers.max() + 0.9))
        ax.set_xticklabels(labels or list(numbers))
        highlight(ax, numbers, self.n_segments)
        ax.grid(axis="y")


def _apart(row: Any) -> str:
    """Write the number of classes, and below it that of groups with a gap between them where these are fewer."""
    return str(row.n_segments) + (f"\n({row.n_separated:.0f})" if row.n_separated < row.n_segments else "")

"""What every picture has in common: drawn from a table, it says what it shows, and is written the same each time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from copy import copy
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from custseg._core.asking import asks_as_class
from custseg._core.optional import require
from custseg._core.visible import visible
from custseg.exceptions import InvalidParameterError, OutputPathError
from custseg.plotting._shared.look import (
    BODY,
    INK,
    MARGIN,
    NAME,
    SOFT,
    TITLE,
    filled,
    height_of,
    look,
    width_of,
    wrapped,
)

__all__ = ["Display"]

_ENDINGS = (".svg", ".png")


class Display(ABC):
    """A picture with a finding as its title, a line on how to read it, its data, and a text to be read aloud.

    Attributes
    ----------
    data_ : pandas.DataFrame
        What is drawn.
    title : str
        What was found.
    how_to_read : str
        How to read it.
    alt_ : str
        The alternative text: the figures, for who does not see the picture.
    figure_ : matplotlib Figure
        After :meth:`plot`.
    ax_ : matplotlib Axes
        The first panel, after :meth:`plot`.
    axes_ : ndarray of matplotlib Axes
        All panels, after :meth:`plot`.
    """

    data_: pd.DataFrame
    title: str
    how_to_read: str
    alt_: str
    figure_: Any
    ax_: Any
    axes_: Any

    # one panel, unless a picture says otherwise
    _n_panels = 1

    @asks_as_class
    def plot(self, ax: Any = None) -> Self:
        """Draw the picture.

        Parameters
        ----------
        ax : matplotlib Axes or sequence of them, default=None
            Where to draw, one for each panel, left to right; the title stands above the first. None makes a figure
            with the title and how to read it.

        Returns
        -------
        self : Display
            With ``figure_``, ``ax_`` and ``axes_``.

        Raises
        ------
        InvalidParameterError
            If there are more or fewer axes than panels.
        MissingDependencyError
            If matplotlib is not installed.
        """
        with look():
            if ax is None:
                self._begin(require("matplotlib.pyplot").figure)
            else:
                self.axes_ = np.atleast_1d(np.asarray(ax, dtype=object)).ravel()
                if len(self.axes_) != self._n_panels:
                    raise InvalidParameterError.not_allowed("ax", f"{self._n_panels} axes", f"{len(self.axes_)}")
                self.figure_ = self.axes_[0].figure
                for panel, title in zip(self.axes_, [self.title, *[""] * (self._n_panels - 1)], strict=True):
                    panel.set_title(title, loc="left", parse_math=False)
            self.ax_ = self.axes_[0]
            self._draw(list(self.axes_))
        return self

    @asks_as_class
    def save(self, path: str | Path, *, heading: bool = True) -> Path:
        """Write the picture, drawn anew, as SVG or PNG; equal data give equal files, byte for byte.

        Parameters
        ----------
        path : str or Path
            The file, ending in ``.svg`` or ``.png``. What was changed in ``figure_`` by hand is not in it:
            ``figure_.savefig`` writes that.
        heading : bool, default=True
            Whether title and how to read it stand above the picture; without them it is for a page or a slide that has
            them.

        Returns
        -------
        Path
            The file, which bears ``title`` and ``alt_`` in its metadata.

        Raises
        ------
        OutputPathError
            If the name has another ending, or the folder is not there.
        MissingDependencyError
            If matplotlib is not installed.
        """
        path = Path(path)
        if path.suffix.lower() not in _ENDINGS or not path.parent.is_dir():
            wrong = (
                "there is no such folder" if path.suffix.lower() in _ENDINGS else "its ending is neither .svg nor .png"
            )
            raise OutputPathError.unwritable(path, wrong)
        drawn = copy(self)
        with look():
            drawn._begin(require("matplotlib.figure").Figure, heading=heading)  # noqa: SLF001 - of the same class
            drawn._draw(list(drawn.axes_))  # noqa: SLF001
            told = {"Title": self.title, "Description": self.alt_}
            nothing = {"Date": None, "Creator": None} if path.suffix.lower() == ".svg" else {"Software": None}
            drawn.figure_.savefig(path, metadata=told | nothing)
        return path

    def _begin(self, new: Any, *, heading: bool = True) -> None:
        """Make a figure with title and how to read it; the panels stand below, in inches from the bottom."""
        width, height = self._size()
        title = filled(self.title, width - 2 * MARGIN, TITLE, bold=True)
        how = filled(self.how_to_read, width - 2 * MARGIN, BODY)
        head = height_of(title, TITLE) + height_of(how, BODY) + 3 * MARGIN if heading else MARGIN
        whole = height + head
        self.figure_ = new(figsize=(width, whole))
        said = (
            (title, TITLE, "bold", None, MARGIN),
            (how, BODY, "normal", SOFT, 1.6 * MARGIN + height_of(title, TITLE)),
        )
        for text, points, weight, colour, top in said if heading else ():
            self.figure_.text(
                MARGIN / width, 1 - top / whole, text, fontsize=points, fontweight=weight, va="top", color=colour
            )
        scale = np.array([width, whole, width, whole])
        self.axes_ = np.array([self.figure_.add_axes(tuple(np.array(box) / scale)) for box in self._boxes()], object)

    @abstractmethod
    def _size(self) -> tuple[float, float]:
        """Return width and height of what stands below the heading, in inches."""

    @abstractmethod
    def _boxes(self) -> Sequence[tuple[float, float, float, float]]:
        """Return left, bottom, width and height of each panel, in inches."""

    @abstractmethod
    def _draw(self, axes: Sequence[Any]) -> None:
        """Draw on the panels."""

    def __repr__(self) -> str:
        return visible(f"{type(self).__name__}({self.title!r})")


def size_of(ax: Any) -> tuple[float, float]:
    """Return width and height of a panel, in inches."""
    box = ax.get_window_extent()
    return float(box.width / ax.figure.dpi), float(box.height / ax.figure.dpi)


def room_for_names(names: Iterable[object]) -> float:
    """Return the room that names need to the left of their rows, in inches."""
    return max(width_of(wrapped(name), NAME, bold=True) for name in names) + MARGIN


def name_rows(ax: Any, names: Iterable[object]) -> None:
    """Name the rows of a panel, the first at the top, and leave no other line of it."""
    names = list(names)
    words = [wrapped(name) for name in names]
    ax.set(ylim=(-0.5, len(words) - 0.5), yticks=range(len(words)))
    ax.set_yticklabels(words[::-1], parse_math=False)
    for label in ax.get_yticklabels():
        label.set(
            color=INK, fontsize=NAME, fontweight="bold", horizontalalignment="left", linespacing=1.05, parse_math=False
        )
    ax.tick_params(axis="y", length=0, pad=72 * room_for_names(names))
    for spine in ax.spines.values():
        spine.set_visible(False)


def highlight(ax: Any, numbers: Iterable[int], shown: int) -> None:
    """Write the number of segments that is shown in bold."""
    for label, number in zip(ax.get_xticklabels(), numbers, strict=True):
        label.set(fontweight="bold" if number == shown else "normal", color=INK if number == shown else SOFT)


def head(ax: Any, title: str, pad: float = 8.0) -> None:
    """Write the title of a panel; of axes that were given, the first bears that of the picture above it."""
    of_picture = ax.get_title(loc="left")
    ax.set_title(f"{of_picture}\n{title}" if of_picture else title, loc="left", pad=pad, parse_math=False)

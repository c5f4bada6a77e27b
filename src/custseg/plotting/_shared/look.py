"""One look for every picture: colours, letters, and places for words that are measured before they are taken."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from custseg._core.arrays import Floats, Integers
from custseg._core.optional import require
from custseg._core.visible import visible

INK, SOFT, LINE, PAPER = "#1d2530", "#566170", "#dcdfe3", "#ffffff"
# higher and lower than everyone, and no difference that counts; everyone is a tick of ink, never a bar
MORE, LESS, NONE = "#17607a", "#b4531f", "#cdd2d8"
CUSTOMERS = "#8f9faa"
# of M. Okabe and K. Ito (2008), in an order in which neighbours differ in lightness too, and four more
SEGMENTS = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#cc79a7",
    "#56b4e9",
    "#d55e00",
    "#7a6a00",
    "#332288",
    "#999999",
    "#882255",
)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p")

TITLE, NAME, BODY, SMALL = 14.0, 10.0, 9.5, 8.5
MARGIN = 0.15
_POINTS = 72.0
_LEADING = 1.25
_LONGEST_LINE, _MOST_LINES = 18, 3
# on colours of less luminance white has the higher contrast than ink
_WHITE_ON = 0.217
_ROUNDING = 1e-9

_SETTINGS: dict[str, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": LINE,
    "axes.facecolor": PAPER,
    "axes.formatter.use_mathtext": False,
    "axes.grid": False,
    "axes.labelcolor": SOFT,
    "axes.labelsize": BODY,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "figure.dpi": 100,
    "figure.facecolor": PAPER,
    "font.size": BODY,
    "grid.color": LINE,
    "savefig.dpi": 150,
    "svg.fonttype": "none",
    "svg.hashsalt": "custseg",
    "text.color": INK,
    # a name is a name, whatever dollars stand in it
    "text.parse_math": False,
    "text.usetex": False,
    "xtick.color": SOFT,
    "xtick.labelsize": 9.0,
    "ytick.color": SOFT,
    "ytick.labelsize": 9.0,
}


@contextmanager
def look() -> Iterator[None]:
    """Draw in the look of custseg, whatever the user's settings say; their fonts stand in where a letter is missing."""
    style, settings = require("matplotlib.style"), require("matplotlib").rcParams
    fonts = ["DejaVu Sans", *(name for name in settings["font.family"] if name != "sans-serif")]
    with style.context(["default", {**_SETTINGS, "font.family": fonts}]):
        yield


def wrapped(name: object, longest: int = _LONGEST_LINE) -> str:
    """Write a name in at most three lines of 18 characters."""
    return "\n".join(textwrap.wrap(visible(name), longest, max_lines=_MOST_LINES, placeholder=" …"))


def width_of(text: str, points: float = BODY, *, bold: bool = False) -> float:
    """Measure the widest line of a text, in inches."""
    fonts = tuple(require("matplotlib").rcParams["font.family"])
    return max(_measured(line, points, "bold" if bold else "normal", fonts) for line in text.split("\n"))


@lru_cache(maxsize=4096)
def _measured(line: str, points: float, weight: str, fonts: tuple[str, ...]) -> float:
    font = require("matplotlib.font_manager").FontProperties(family=list(fonts), size=points, weight=weight)
    measure = require("matplotlib.textpath").text_to_path.get_text_width_height_descent
    return float(measure(line, font, False)[0]) / _POINTS if line else 0.0


def height_of(text: str, points: float = BODY) -> float:
    """Return the height of a text of some lines, in inches."""
    return (text.count("\n") + 1) * points * _LEADING / _POINTS


def filled(text: str, width: float, points: float, *, bold: bool = False) -> str:
    """Break a text into lines of at most so many inches."""
    space, lines, room = width_of("a a", points, bold=bold) - width_of("aa", points, bold=bold), "", width
    for word in text.split(" "):
        needed = width_of(word, points, bold=bold)
        is_first = not lines
        if is_first or space + needed > room:
            lines, room = lines + ("" if is_first else "\n") + word, width - needed
        else:
            lines, room = f"{lines} {word}", room - space - needed
    return lines


def cut(name: object, width: float, points: float, *, bold: bool = False) -> str:
    """Write a name on one line of at most so many inches."""
    line = visible(name)
    if width_of(line, points, bold=bold) <= width:
        return line
    while line and width_of(f"{line}…", points, bold=bold) > width:
        line = line[:-1].rstrip()
    return f"{line}…"


def ink_on(colour: Any) -> str:
    """Return ink or white, whichever is read more easily on a colour."""
    rgb = np.array(require("matplotlib.colors").to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return INK if float(linear @ [0.2126, 0.7152, 0.0722]) >= _WHITE_ON else PAPER


def apart(places: Floats, sizes: Floats, gap: float = 0.03) -> Floats:
    """Move labels up or down until none overlaps another; all in one unit.

    They are placed from the lowest to the highest, each as near as it can be to where it should stand.
    """
    placed = np.array(places, dtype=np.float64)
    done: list[int] = []
    for label in np.lexsort((places[:, 0], places[:, 1])):
        rooms = (sizes[label] + sizes[done]) / 2 + gap
        beside = np.abs(placed[done, 0] - placed[label, 0]) < rooms[:, 0] - _ROUNDING
        heights, rooms = placed[done, 1][beside], rooms[beside, 1]
        wanted = placed[label, 1]
        tried = np.concatenate([[wanted], heights + rooms, heights - rooms])
        free = (np.abs(tried[:, None] - heights) >= rooms - _ROUNDING).all(axis=1)
        # of two that are as near, the upper one
        placed[label, 1] = min(tried[free].tolist(), key=lambda y: (round(abs(y - wanted), 9), -y))
        done.append(int(label))
    return placed


def tiers(centres: Floats, widths: Sequence[float], gap: float = 0.08) -> Integers:
    """Put labels that stand side by side into rows, each into the first in which it covers no other."""
    ends: list[float] = []
    rows = np.zeros(len(centres), dtype=np.int64)
    for place in np.argsort(centres, kind="stable"):
        start = centres[place] - widths[place] / 2
        free = [row for row, end in enumerate(ends) if end + gap <= start]
        rows[place] = free[0] if free else len(ends)
        ends[rows[place] : rows[place] + 1] = [centres[place] + widths[place] / 2]
    return rows


def joined(names: Sequence[str]) -> str:
    """Join names as a sentence does."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def sentence(text: str) -> str:
    """Begin a text as a sentence begins."""
    return text[:1].upper() + text[1:]


def rows_of(frame: pd.DataFrame) -> list[Any]:
    """Return the rows of a table, whose columns are their attributes."""
    return list(frame.itertuples(index=False))

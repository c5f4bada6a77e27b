"""What a notebook shows of a result: a sentence, a table, bars and tints, on light and on dark.

The style speaks of nothing outside the fragment. Text has the colour of the notebook, and bars and tints let its
background through, so that both themes are served without asking which it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import pandas as pd

from custseg._core._html import Html, element
from custseg._core.words import format_share, format_total, known

__all__ = ["comparison", "segment_bars", "shown"]

# of an effect, and of the tint from there on
_LIMITS = (0.2, 0.5, 0.8, 1.2)
_ALPHA = (0.12, 0.22, 0.34, 0.48)
_UP, _DOWN = "23, 96, 122", "180, 83, 31"
_MOST_ROWS = 40
_SIZE, _TIMES = "customers", "against the average customer"
_BAR_WIDTH, _BAR_HEIGHT = 120, 10


_STYLE = """
.custseg-result { overflow-x: auto; }
.custseg-result table { color: inherit; margin: 0 0 1em; border-collapse: collapse;
  font-variant-numeric: tabular-nums; }
.custseg-result th, .custseg-result td { padding: 0.25em 0.8em; text-align: left; vertical-align: top;
  background: none; color: inherit; border: 0; border-bottom: 1px solid rgba(128, 128, 128, 0.35); }
.custseg-result .num { text-align: right; }
.custseg-result th[scope=row] { font-weight: normal; overflow-wrap: anywhere; }
.custseg-result svg { vertical-align: middle; margin-right: 0.5em; }
.custseg-result rect { fill: rgb(64, 150, 178); }
""" + "".join(
    f".custseg-result td.{way}{step} {{ background: rgba({colour}, {alpha}); }}\n"
    for way, colour in (("up", _UP), ("down", _DOWN))
    for step, alpha in enumerate(_ALPHA, 1)
)


def shown(*parts: object) -> str:
    """Put the parts of a result together, with the style that they need."""
    return str(element("div", *parts, element("style", Html(_STYLE)), class_="custseg-result"))


def segment_bars(table: pd.DataFrame) -> Html:
    """Set shares of customers beside shares of value, where one is known; ``table`` is that of a segmentation."""
    cells = {
        _SIZE: [_number(format_total(n) if known(n) else "") for n in table["n_customers"]],
        "share of customers": _bars(table["share"]),
    }
    if table["value_share"].notna().any():
        times = table["value_share"] / table["share"].where(table["share"] > 0)
        cells["share of value"] = _bars(table["value_share"])
        cells[_TIMES] = [_number(f"{each:.1f} times" if known(each) else "") for each in times]
    rows = zip(table["name"], zip(*cells.values(), strict=True), strict=True)
    return _grid(["segment", *cells], rows, numeric=(_SIZE, _TIMES))


def _number(words: str) -> Html:
    return element("td", words, class_="num")


def _bars(shares: pd.Series[Any]) -> list[Html]:
    longest = shares.max()
    return [_bar(share / longest if longest > 0 else 0.0, share) for share in shares]


def _bar(length: float, share: float) -> Html:
    if not known(share):
        return element("td")
    rect = element("rect", width=round(_BAR_WIDTH * max(length, 0.0), 1), height=_BAR_HEIGHT)
    size = {"width": _BAR_WIDTH, "height": _BAR_HEIGHT}
    return element("td", element("svg", rect, **size, aria_hidden="true"), format_share(share))


def comparison(names: Sequence[str], rows: Sequence[tuple[str, str, Sequence[tuple[str, float]]]]) -> Html:
    """Set segments side by side: of each row a label, the figure of everyone, and text and effect in each segment."""
    header = ["characteristic", "everyone", *names]
    cells = (
        (label, [_number(everyone), *(_tinted(*each) for each in here)]) for label, everyone, here in rows[:_MOST_ROWS]
    )
    parts = [_grid(header, cells, numeric=header[1:])]
    if len(rows) > _MOST_ROWS:
        parts.append(element("p", f"{len(rows) - _MOST_ROWS:,} more rows in to_frame()."))
    how = "▲ higher, ▼ lower than among all other customers; the darker, the clearer."
    return element("div", *parts, element("p", how))


def _tinted(words: str, effect: float) -> Html:
    step = sum(abs(effect) >= limit for limit in _LIMITS)
    if not step:
        return _number(words)
    way, arrow = ("up", "▲") if effect > 0 else ("down", "▼")
    return element("td", words, f" {arrow}", class_=f"num {way}{step}")


def _grid(header: Sequence[str], rows: Iterable[tuple[object, Sequence[Html]]], *, numeric: Collection[str]) -> Html:
    """Build a table whose rows have names; the cells are elements already."""
    names = [element("th", name, scope="col", class_="num" if name in numeric else None) for name in header]
    body = (element("tr", element("th", name, scope="row"), *cells) for name, cells in rows)
    return element("table", element("thead", element("tr", *names)), element("tbody", *body))

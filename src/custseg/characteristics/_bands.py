"""Bands written as text ("35-44", "65+", "Under 15K"): their bounds and their order."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import pandas as pd

# Nobody writes so many bands; a column with more distinct texts is not looked at level by level.
MAX_BANDS = 1000


def _joined(*words: str) -> tuple[str, ...]:
    return tuple(f"{link} {word}" for link in ("and", "or") for word in words)


_BELOW = ("<", "under", "below", "less than", "fewer than", "lower than", "younger than")
_AT_MOST = ("<=", "up to", "at most", "no more than", "not more than", "max", "maximum")
_ABOVE = (">", "over", "above", "more than", "greater than", "higher than", "older than")
_AT_LEAST = (">=", "from", "at least", "no less than", "not less than", "min", "minimum")
_OR_MORE = ("+", "plus", *_joined("more", "over", "above", "older", "up", "higher", "greater"))
_OR_LESS = _joined("less", "under", "below", "younger", "fewer", "lower")

# the word under which units are compared <- what is written
_UNIT_WORDS = {
    "year": ("years of age", "years old", "years", "year", "yrs", "yr"),
    "month": ("months", "month"),
    "week": ("weeks", "week"),
    "day": ("days", "day"),
    "hour": ("hours", "hour", "hrs", "hr"),
    "employee": ("employees", "employee"),
    "person": ("people", "persons", "person"),
    "child": ("children", "child", "kids", "kid"),
    "adult": ("adults", "adult"),
    "percent": ("percent", "%"),
}
_UNITS = {written: unit for unit, words in _UNIT_WORDS.items() for written in words}
_FACTORS = {
    "k": 1e3, "thousand": 1e3, "m": 1e6, "mn": 1e6, "mio": 1e6, "million": 1e6, "bn": 1e9, "billion": 1e9,
}  # fmt: skip


def _any_of(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


_NUMBER = rf"((?:\d{{1,3}}(?:[ ,']\d{{3}})+|\d+)(?:\.\d+)?)\s*({_any_of(_FACTORS)})?(?![a-z\d])"
_ALONE = re.compile(rf"(-?){_NUMBER}")
_RANGE = re.compile(rf"(?:from |between )?{_NUMBER}\s*(?:-|to\b|until\b|and\b)\s*({_any_of(_BELOW)})?\s*{_NUMBER}")
_FROM_WORD = re.compile(rf"({_any_of(_BELOW + _AT_MOST + _ABOVE + _AT_LEAST)})\s*{_NUMBER}")
_TO_WORD = re.compile(rf"{_NUMBER}\s*({_any_of(_OR_MORE + _OR_LESS)})")
_UNIT = re.compile(rf"(?<![a-z])({_any_of(_UNITS)})(?![a-z])")
_CURRENCY = re.compile(r"[$€£¥₹]|\b(?:usd|eur|gbp|chf|aud|cad)\b")
_DASH = re.compile("[\u2010-\u2015\u2212]")
_PLAIN = re.compile(r"[-+]?(?:(?:[1-9]\d*|0)(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?", re.IGNORECASE | re.ASCII)
_CODE = re.compile(r"\s*0\d")


@dataclass(frozen=True)
class Band:
    """An interval of numbers, or one number.

    Attributes
    ----------
    low, high : float
        The bounds, ``-inf`` or ``inf`` where the band is open ended; equal for one number.
    low_open, high_open : bool
        Whether the bound itself is left out ("under 15" leaves out 15).
    unit : str
        The unit that the text names ("year", "employee", ...), or empty.
    """

    low: float
    high: float
    low_open: bool = False
    high_open: bool = False
    unit: str = ""

    @property
    def is_number(self) -> bool:
        """Whether it is one number."""
        return self.low == self.high

    @property
    def bounds(self) -> tuple[tuple[float, int], tuple[float, int]]:
        """Lower and upper bound, comparable: 15 left out from below is less than 15 itself."""
        return (self.low, int(self.low_open)), (self.high, -int(self.high_open))


def parse_band(text: str) -> Band | None:
    """Read a band or a number from text; None where the text is neither.

    A factor (K, M, ...) behind the upper bound counts for the lower one too, where that leaves the
    lower one the smaller: "150-174K" is 150,000 to 174,000, "900-1K" is 900 to 1,000.

    Examples
    --------
    >>> parse_band("150-174K")
    Band(low=150000.0, high=174000.0, low_open=False, high_open=False, unit='')
    >>> parse_band("less than $15,000").high_open
    True
    >>> parse_band("2 Adults No Kids") is None
    True
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    plain = _CURRENCY.sub(" ", _DASH.sub("-", plain).replace("\u2265", ">=").replace("\u2264", "<="))
    units = {_UNITS[word] for word in _UNIT.findall(plain)}
    if len(units) > 1:
        return None
    plain = " ".join(_UNIT.sub(" ", plain).split())
    unit = units.pop() if units else ""
    if match := _ALONE.fullmatch(plain):
        number = float(f"{match[1]}1") * _value(match[2], match[3])
        return Band(number, number, unit=unit)
    if match := _RANGE.fullmatch(plain):
        return _range(*match.groups(), unit=unit)
    if match := _FROM_WORD.fullmatch(plain):
        return _one_sided(match[1], _value(match[2], match[3]), unit)
    if match := _TO_WORD.fullmatch(plain):
        return _one_sided(match[3], _value(match[1], match[2]), unit)
    return None


def _value(digits: str, factor: str | None) -> float:
    return float(re.sub("[ ,']", "", digits)) * _FACTORS.get(factor or "", 1.0)


def _range(
    low: str, low_factor: str | None, below: str | None, high: str, high_factor: str | None, *, unit: str
) -> Band | None:
    top = _value(high, high_factor)
    shared = _value(low, low_factor or high_factor)
    bottom = shared if shared <= top else _value(low, low_factor)
    return Band(bottom, top, high_open=below is not None, unit=unit) if bottom <= top else None


def _one_sided(word: str, value: float, unit: str) -> Band:
    if word in _BELOW or word in _AT_MOST or word in _OR_LESS:
        return Band(-math.inf, value, high_open=word in _BELOW, unit=unit)
    return Band(value, math.inf, low_open=word in _ABOVE, unit=unit)


@dataclass(frozen=True)
class BandScale:
    """The bands of one column in their order.

    Attributes
    ----------
    categories : tuple of str
        The labels from low to high.
    bands : tuple of Band
        The band that each label stands for.
    """

    categories: tuple[str, ...]
    bands: tuple[Band, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return the bands with their bounds, one a row."""
        return pd.DataFrame(
            {
                "category": self.categories,
                "low": [band.low for band in self.bands],
                "high": [band.high for band in self.bands],
            }
        )

    def category(self, text: str) -> str | None:
        """Return the label of the band that the text names, in whatever spelling; None where it is new."""
        band = parse_band(text)
        if band is None:
            return None
        for label, known in zip(self.categories, self.bands, strict=True):
            if known.bounds == band.bounds:
                return label
        return None


def read_scale(levels: Sequence[str]) -> tuple[BandScale | None, str]:
    """Order the levels of a column where they are bands.

    Every level must be a band or a number, at least one a real band, all in one unit, and no two
    may overlap (they may share a bound). Levels with the same bounds are one band, labelled by the
    spelling that comes first in the alphabet.

    Parameters
    ----------
    levels : sequence of str
        The distinct texts of a column.

    Returns
    -------
    scale : BandScale or None
        None where the levels are not bands.
    problem : str
        Why a column that looks banded is none; empty where it does not look so.

    Examples
    --------
    >>> read_scale(["65+", "19-24", "25-64"])[0].categories
    ('19-24', '25-64', '65+')
    >>> read_scale(["18-30", "25-40"])
    (None, "'18-30' and '25-40' overlap")
    """
    if len(levels) > MAX_BANDS:
        return None, ""
    parsed = {level: parse_band(level) for level in sorted(levels)}
    bands = {level: band for level, band in parsed.items() if band is not None}
    n_real = sum(not band.is_number for band in bands.values())
    if n_real == 0:
        return None, ""
    if len(bands) < len(parsed):
        others = ", ".join(repr(level) for level, band in parsed.items() if band is None)
        return None, f"{others} among them is no band" if n_real > 1 and 2 * len(bands) > len(parsed) else ""
    units = {band.unit for band in bands.values()} - {""}
    if len(units) > 1:
        return None, f"their units are mixed ({', '.join(sorted(units))})"
    by_bounds: dict[object, tuple[str, Band]] = {}
    for level, band in bands.items():
        by_bounds.setdefault(band.bounds, (level, band))
    ordered = sorted(by_bounds.values(), key=lambda pair: pair[1].bounds)
    for (label, band), (next_label, next_band) in pairwise(ordered):
        if next_band.bounds[0] < band.bounds[1]:
            return None, f"{label!r} and {next_label!r} overlap"
    return BandScale(tuple(label for label, _ in ordered), tuple(band for _, band in ordered)), ""


def read_number(text: str) -> float | None:
    """Read one number from text ("1,200", "$85", "3 kids"); None for text, bands and codes such as "0123"."""
    if _PLAIN.fullmatch(text):
        return float(text) if math.isfinite(float(text)) else None
    band = None if _CODE.match(text) else parse_band(text)
    return band.low if band is not None and band.is_number else None

"""Bands written as text ("35-44", "65+", "Under 15K"): their bounds, their order and their unit."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from typing import Literal

import pandas as pd

Decimal = Literal[".", ","]

# Nobody writes so many bands; a column with more distinct texts is not looked at level by level.
MAX_BANDS = 1000
_FEW = 20


def _joined(*words: str) -> tuple[str, ...]:
    return tuple(f"{link} {word}" for link in ("and", "or", "&") for word in words)


_BELOW = ("<", "under", "below", "less than", "fewer than", "lower than", "younger than")
_AT_MOST = ("<=", "up to", "at most", "no more than", "not more than", "max", "max.", "maximum")
_ABOVE = (">", "over", "above", "more than", "greater than", "higher than", "older than")
_AT_LEAST = (">=", "from", "at least", "no less than", "not less than", "min", "min.", "minimum")
_OR_MORE = ("+", "plus", *_joined("more", "over", "above", "older", "up", "upwards", "higher", "greater", "beyond"))
_OR_LESS = _joined("less", "under", "below", "younger", "fewer", "lower")

# the word under which units are compared <- what is written
_UNIT_WORDS = {
    "year": ("years of age", "years old", "year olds", "year-olds", "years", "year", "yrs", "yr", "y/o", "yo"),
    "month": ("months", "month"),
    "week": ("weeks", "week"),
    "day": ("days", "day"),
    "hour": ("hours", "hour", "hrs", "hr"),
    "minute": ("minutes", "minute"),
    "employee": ("employees", "employee", "staff"),
    "person": ("people", "persons", "person", "household members", "members", "member"),
    "child": ("children", "child", "kids", "kid"),
    "adult": ("adults", "adult"),
    "room": ("rooms", "room"),
    "percent": ("percent", "%"),
    "km": ("kilometres", "kilometers", "km"),
    "mile": ("miles", "mile"),
}
_UNITS = {written: unit for unit, words in _UNIT_WORDS.items() for written in words}
_PLURALS = {"child": "children", "person": "people", "percent": "percent", "km": "km"}
# a sign that several currencies share stays as it is
_CURRENCIES = {
    "$": "$", "us$": "USD", "dollars": "$", "dollar": "$", "€": "EUR", "euros": "EUR", "euro": "EUR", "£": "GBP",
    "¥": "¥", "₹": "INR",
    **{code.lower(): code for code in ("USD", "EUR", "GBP", "CHF", "AUD", "CAD", "JPY", "CNY", "INR", "SEK", "NOK",
                                       "DKK", "PLN", "CZK", "HUF", "BRL", "MXN", "ZAR", "SGD", "HKD", "NZD")},
}  # fmt: skip
_DOLLARS = {"USD", "AUD", "CAD", "SGD", "HKD", "NZD"}
_FACTORS = {
    "k": 1e3, "tsd": 1e3, "thousand": 1e3, "m": 1e6, "mn": 1e6, "mln": 1e6, "mio": 1e6, "million": 1e6, "millions": 1e6,
    "bn": 1e9, "bln": 1e9, "mrd": 1e9, "billion": 1e9, "billions": 1e9,
}  # fmt: skip


def _any_of(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


_UNIT = re.compile(rf"-?(?<![a-z])({_any_of(_UNITS)})(?![a-z])")
_CURRENCY = re.compile(
    rf"(us\$|[$€£¥₹]|(?<![a-z])(?:{_any_of(word for word in _CURRENCIES if word.isalpha())})(?![a-z]))"
)
_RATE = re.compile(
    r"(?:\bper |\ba |/ ?)(year|annum|month|week|day|hour)(?![a-z])|(?<![a-z])(?:p\.a\.?|annually|yearly)"
)
_AGED = re.compile(r"^(?:aged?|ages) (?=\d|<|>|[a-z]+ \d)")
_DASH = re.compile("[\u2010-\u2015\u2212~]|\\.{2,3}")
_PLAIN = re.compile(r"[-+]?(?:(?:[1-9]\d*|0)(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?", re.IGNORECASE | re.ASCII)
_CODE = re.compile(r"\s*0\d")
_BILLIONS = re.compile(r"(?<=\d)b(?![a-z])")
_GROUPING = "[ ,.']"
_ZERO = re.compile(rf"none|zero|nil|no (?:{_any_of(_UNITS)})")
# thousands or decimals as a continental hand writes them: 1.500 and 1.500,00 and 12,50
DOT_THOUSANDS = re.compile(r"(?<![\d.,])[1-9]\d{0,2}(?:\.\d{3})+(?![\d.])")
_COMMA_CENTS = re.compile(r"\d,\d{1,2}(?!\d)")


class _Grammar:
    """The shapes of numbers and bands, for one decimal sign."""

    def __init__(self, decimal: Decimal) -> None:
        self.decimal = decimal
        thousands, point = ("[ .']", ",") if decimal == "," else ("[ ,']", r"\.")
        digits = rf"(?:\d{{1,3}}(?:{thousands}\d{{3}})+|\d+)(?:{point}\d+)?"
        number = rf"({digits})\s*(?:({_any_of(_FACTORS)})\.?)?(?![a-z\d])"
        below, above = _any_of(_BELOW + _AT_MOST), _any_of(_ABOVE + _AT_LEAST)
        link = rf"(?:-|to\b|until\b|till\b|through\b|thru\b|and\b|(?:but|,|&|)(?=\s*(?:{below})))"
        bound = rf"(-?(?:{digits}|inf))"
        self.alone = re.compile(rf"(-?){number}")
        self.range = re.compile(rf"(between|{above})?\s*{number}\s*{link}\s*({below})?\s*{number}")
        self.from_word = re.compile(rf"({below}|{above})\s*{number}")
        self.to_word = re.compile(rf"{number}\s*({_any_of(_OR_MORE + _OR_LESS)})")
        self.decade = re.compile(r"((?:19|20)\d0|[1-9]0) ?'?s")
        self.interval = re.compile(rf"([\[(\]])\s*{bound}\s*[,;]\s*{bound}\s*([\])\[])")

    def value(self, digits: str, factor: str | None = None) -> float:
        whole, _, fraction = digits.partition(self.decimal)
        return float(f"{re.sub(_GROUPING, '', whole)}.{fraction}") * _FACTORS.get(factor or "", 1.0)


# made when first read with: most tables need one of the two or none, and they are slow to compile
_grammar_of = cache(_Grammar)


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
        The unit that the text names ("year", "employee", "EUR", "$ per year", ...), or empty.
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


def parse_band(text: str, decimal: Decimal = ".") -> Band | None:
    """Read a band or a number from text; None where the text is neither.

    A factor (K, M, ...) behind the upper bound counts for the lower one too, where that leaves the
    lower one the smaller: "150-174K" is 150,000 to 174,000, "900-1K" is 900 to 1,000.

    Examples
    --------
    >>> parse_band("150-174K")
    Band(low=150000.0, high=174000.0, low_open=False, high_open=False, unit='')
    >>> parse_band("less than $15,000").high_open
    True
    >>> parse_band("10-50 Mio. EUR").high, parse_band("EUR 1.500-2.000", decimal=",").low
    (50000000.0, 1500.0)
    >>> parse_band("2 Adults No Kids") is None
    True
    """
    read = _without_units(_plain(text))
    if read is None:
        return None
    plain, unit = read
    grammar = _grammar_of(decimal)
    for shape, as_band in _SHAPES:
        match = getattr(grammar, shape).fullmatch(plain)
        if match:
            band = as_band(grammar, match)
            return None if band is None else replace(band, unit=unit)
    return None


def _plain(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).casefold().replace("\u2019", "'").replace("\u221e", "inf")
    plain = plain.replace("\u2265", ">=").replace("\u2a7e", ">=").replace("\u2264", "<=").replace("\u2a7d", "<=")
    return _DASH.sub("-", plain).replace("=>", ">=").replace("=<", "<=")


def _without_units(plain: str) -> tuple[str, str] | None:
    """Take the words of units and currencies out of the text; None where it names more than one of a kind."""
    currencies = {_CURRENCIES[word] for word in _CURRENCY.findall(plain)}
    if currencies & _DOLLARS:
        currencies.discard("$")
    if currencies:
        # of money, 10B is billions; elsewhere it may be the number of a house
        plain = _BILLIONS.sub("bn", plain)
    plain = _CURRENCY.sub(" ", plain)
    rates = {"year" if word in ("", "annum") else word for word in _RATE.findall(plain)}
    plain = _RATE.sub(" ", plain)
    units = {_UNITS[word] for word in _UNIT.findall(plain)}
    if max(len(currencies), len(rates), len(units)) > 1:
        return None
    plain = _AGED.sub("", " ".join(_UNIT.sub(" ", plain).split()))
    unit = next(iter(units or currencies), "")
    return plain, " ".join([unit, *(f"per {rate}" for rate in rates)]).strip()


def _one_number(grammar: _Grammar, match: re.Match[str]) -> Band:
    number = float(f"{match[1]}1") * grammar.value(match[2], match[3])
    return Band(number, number)


def _range(grammar: _Grammar, match: re.Match[str]) -> Band | None:
    above, low, low_factor, below, high, high_factor = match.groups()
    top = grammar.value(high, high_factor)
    shared = grammar.value(low, low_factor or high_factor)
    bottom = shared if shared <= top else grammar.value(low, low_factor)
    return Band(bottom, top, above in _ABOVE, below in _BELOW) if bottom <= top else None


def _one_sided(word: str, value: float) -> Band:
    if word in _BELOW or word in _AT_MOST or word in _OR_LESS:
        return Band(-math.inf, value, high_open=word in _BELOW)
    return Band(value, math.inf, low_open=word in _ABOVE)


def _interval(grammar: _Grammar, match: re.Match[str]) -> Band | None:
    def bound(text: str) -> float:
        size = math.inf if text.endswith("inf") else grammar.value(text.lstrip("-"))
        return -size if text.startswith("-") else size

    low, high = bound(match[2]), bound(match[3])
    low_open, high_open = match[1] != "[" and low > -math.inf, match[4] != "]" and high < math.inf
    return Band(low, high, low_open, high_open) if low < high else None


# the shapes in the order in which they are tried; no text has two of them
_SHAPES: tuple[tuple[str, Callable[[_Grammar, re.Match[str]], Band | None]], ...] = (
    ("alone", _one_number),
    ("range", _range),
    ("from_word", lambda grammar, match: _one_sided(match[1], grammar.value(match[2], match[3]))),
    ("to_word", lambda grammar, match: _one_sided(match[3], grammar.value(match[1], match[2]))),
    ("interval", _interval),
    ("decade", lambda grammar, match: Band(float(match[1]), float(match[1]) + 9)),
)


def unit_text(units: Iterable[str]) -> str:
    """Write the one unit of several levels as a reader would ("years", "EUR"); empty where there is none.

    Examples
    --------
    >>> unit_text(["year", ""]), unit_text(["child"]), unit_text(["EUR per month"])
    ('years', 'children', 'EUR per month')
    """
    found = {unit for unit in units if unit}
    if found & _DOLLARS:
        found.discard("$")
    if len(found) != 1:
        return ""
    unit, _, rate = f" {found.pop()}".partition(" per ")
    unit = unit.strip()
    if unit in _UNIT_WORDS:
        unit = _PLURALS.get(unit, f"{unit}s")
    return f"{unit} per {rate}".strip() if rate else unit


@dataclass(frozen=True)
class BandScale:
    """The bands of one column in their order.

    Attributes
    ----------
    categories : tuple of str
        The labels from low to high.
    bands : tuple of Band
        The band that each label stands for.
    decimal : {".", ","}
        The sign before decimals.
    """

    categories: tuple[str, ...]
    bands: tuple[Band, ...]
    decimal: Decimal = "."

    @property
    def unit(self) -> str:
        """The unit that the labels name, or empty."""
        return unit_text(band.unit for band in self.bands)

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
        band = parse_band(text, self.decimal)
        if band is None:
            return None
        for label, known in zip(self.categories, self.bands, strict=True):
            if known.bounds == band.bounds:
                return label
        return None


def read_scale(levels: Sequence[str], decimal: Decimal = ".") -> tuple[BandScale | None, str]:
    """Order the levels of a column where they are bands.

    Every level must be a band or a number, at least one a real band, all in one unit, and no two
    may overlap (they may share a bound). Levels with the same bounds are one band, labelled by the
    spelling that comes first in the alphabet. "none" is zero where the other bands leave just zero over.

    Parameters
    ----------
    levels : sequence of str
        The distinct texts of a column.
    decimal : {".", ","}, default="."
        The sign before decimals; the other one groups thousands.

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
    >>> read_scale(["3+", "none", "1-2"])[0].categories
    ('none', '1-2', '3+')
    >>> read_scale(["18-30", "25-40"])
    (None, "'18-30' and '25-40' overlap")
    """
    if len(levels) > MAX_BANDS:
        return None, ""
    parsed = {level: parse_band(level, decimal) for level in sorted(levels)}
    bands = {level: band for level, band in parsed.items() if band is not None}
    n_real = sum(not band.is_number for band in bands.values())
    if n_real == 0:
        return None, ""
    bands |= _zeros([level for level, band in parsed.items() if band is None], bands)
    if len(bands) < len(parsed):
        others = ", ".join(repr(level) for level in parsed if level not in bands)
        return None, f"{others} among them is no band" if n_real > 1 and 2 * len(bands) > len(parsed) else ""
    units = {band.unit for band in bands.values()} - {""}
    if len(units) > 1 and not unit_text(units):
        return None, f"their units are mixed ({', '.join(sorted(units))})"
    by_bounds: dict[object, tuple[str, Band]] = {}
    for level in sorted(bands):
        by_bounds.setdefault(bands[level].bounds, (level, bands[level]))
    ordered = sorted(by_bounds.values(), key=lambda pair: pair[1].bounds)
    for (label, band), (next_label, next_band) in pairwise(ordered):
        if next_band.bounds[0] < band.bounds[1]:
            return None, f"{label!r} and {next_label!r} overlap"
    return BandScale(tuple(label for label, _ in ordered), tuple(band for _, band in ordered), decimal), ""


def _zeros(levels: Iterable[str], bands: Mapping[str, Band]) -> dict[str, Band]:
    """Read "none" as zero where the others start right above it: of ages it would be an answer that is missing."""
    lowest = min(band.bounds[0] for band in bands.values())
    if not (0.0, 0) < lowest <= (1.0, 0):
        return {}
    return {level: Band(0.0, 0.0) for level in levels if _ZERO.fullmatch(" ".join(level.casefold().split()))}


def read_number(text: str, decimal: Decimal = ".") -> float | None:
    """Read one number from text ("1,200", "$85", "3 kids"); None for text, bands and codes such as "0123"."""
    if _PLAIN.fullmatch(text) and (decimal == "." or "." not in text):
        return float(text) if math.isfinite(float(text)) else None
    band = None if _CODE.match(text) else parse_band(text, decimal)
    return band.low if band is not None and band.is_number and math.isfinite(band.low) else None


def find_decimal(levels: Sequence[str]) -> tuple[Decimal, str]:
    """Find out whether numbers are written 1,234.5 or 1.234,5.

    The decimal comma is assumed only where nothing else is possible: some level cannot be read
    with a decimal point, all can be with a comma, and a dot before three digits or an amount of
    money with one or two decimals shows that the comma is no list ("1,2"); or where all amounts of
    a currency have a dot before three digits, since no amount has three decimals.

    Parameters
    ----------
    levels : sequence of str
        The distinct texts of a column.

    Returns
    -------
    decimal : {".", ","}
        The sign before decimals.
    doubt : str
        What a reader should know who means the other one; empty where there is no doubt.

    Examples
    --------
    >>> find_decimal(["EUR 1.500-2.000", "EUR 2.001-3.000"]), find_decimal(["500-1.000", "1.001-9.999"])
    ((',', ''), (',', ''))
    >>> find_decimal(["12,50", "7,25"])
    ('.', "'12,50' may have a decimal comma")
    """
    # text that is no number in either way is told from the first few
    if not all(_reads(level, ".") or _reads(level, ",") for level in levels[:_FEW]):
        return ".", ""
    unread = [level for level in levels if not _reads(level, ".")]
    dotted = [level for level in levels if DOT_THOUSANDS.search(level)]
    if not (unread or dotted) or not all(_reads(level, ",") for level in levels):
        return ".", ""
    if not unread and all(_CURRENCY.search(_plain(level)) for level in dotted):
        return ",", ""
    if not unread:
        n_dots = sum("." in level for level in levels)
        doubt = f"{dotted[0]!r} is read with decimals, though the dot may group thousands"
        return ".", doubt if n_dots == len(dotted) > 1 else ""
    is_shown = any(
        DOT_THOUSANDS.search(level) or (_COMMA_CENTS.search(level) and _CURRENCY.search(_plain(level)))
        for level in unread
    )
    return (",", "") if is_shown else (".", f"{unread[0]!r} may have a decimal comma")


def _reads(level: str, decimal: Decimal) -> bool:
    return read_number(level, decimal) is not None or parse_band(level, decimal) is not None

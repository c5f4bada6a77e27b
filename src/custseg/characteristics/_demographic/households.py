"""Who lives in a household, from text such as "2 Adults Kids": the number of adults and of children."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw

from custseg._core.characteristic import Characteristic, in_words
from custseg._core.customers import Column, Kind
from custseg.characteristics._profiles.encoding import MissingWords, as_text, level_counts, level_text, map_levels
from custseg.characteristics._row_report import RowPolicy
from custseg.exceptions import ColumnTypeError, list_names

_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_WORD = re.compile(rf"\b({'|'.join(_WORDS)})\b")
# a whole number that anybody has: neither the 5 of "1.5" nor one of many digits
_MORE = r"(?<![\d.])(?<!\d,)(\d{1,3})\s*(\+|or more\b|and more\b|-\s*\d+)?"
_CHILD = r"(?:kids?|child(?:ren)?)\b"
_NO_CHILD = re.compile(rf"\b(?:no|without|w/o|0)\s+(?:any\s+)?{_CHILD}|\bchild-?(?:less|free)\b")
_CHILDREN = re.compile(rf"{_MORE}\s*{_CHILD}")
_SOME_CHILD = re.compile(rf"\b{_CHILD}|\b(?:single|lone|one)[ -](?:parent|mother|father)")
_ADULTS = re.compile(rf"{_MORE}\s*(?:adults?|parents?)\b")
_ONE_ADULT = re.compile(r"\b(?:single|lone|alone)\b|\b1[ -]person\b")
_TWO_ADULTS = re.compile(r"\bcouple\b|\bboth parents\b")
_ALONE = re.compile(r"\balone\b|\b(?:1|single)[ -]person\b")

_SAID = {
    "adults": "how many adults there are",
    "count": "how many children there are",
    "any": "whether there are children",
}


@dataclass(frozen=True)
class Household:
    """What a text says of a household.

    Attributes
    ----------
    adults, children : float
        How many; NaN where the text does not say it, or says "3 or more".
    has_children : bool or None
        Whether there are any; None where the text does not speak of children.
    """

    adults: float
    children: float
    has_children: bool | None


def read_household(text: str) -> Household:
    """Read what a text says of a household.

    Examples
    --------
    >>> from custseg.characteristics._demographic.households import read_household
    >>> read_household("1 adult, 2 children")
    Household(adults=1.0, children=2.0, has_children=True)
    >>> read_household("2 Adults No Kids")
    Household(adults=2.0, children=0.0, has_children=False)
    >>> read_household("Couple with kids")
    Household(adults=2.0, children=nan, has_children=True)
    >>> read_household("Homeowner")
    Household(adults=nan, children=nan, has_children=None)
    """
    plain = " ".join(text.casefold().split())
    lone_parent = _SOME_CHILD.search(plain)
    plain = _WORD.sub(lambda match: str(_WORDS.index(match[1])), plain)
    adults = _adults(plain)
    if _NO_CHILD.search(plain) or _ALONE.search(plain):
        return Household(adults, 0.0, has_children=False)
    if match := _CHILDREN.search(plain):
        return Household(adults, math.nan if match[2] else float(match[1]), has_children=True)
    return Household(adults, math.nan, has_children=True if lone_parent else None)


def _adults(plain: str) -> float:
    if match := _ADULTS.search(plain):
        return math.nan if match[2] else float(match[1])
    if _ONE_ADULT.search(plain):
        return 1.0
    return 2.0 if _TWO_ADULTS.search(plain) else math.nan


@dataclass(frozen=True)
class HouseholdReader:
    """How the texts of one column are read.

    Attributes
    ----------
    name : str
        The column.
    says_adults : bool
        Whether some level says how many adults there are.
    children : {"count", "any", ""}
        Whether every level with children says how many there are, or only that there are any;
        empty where no level speaks of children.
    silence_is_none : bool
        Whether a level that names adults only has no children: so where some level names children
        and none says that there are none.
    """

    name: str
    says_adults: bool
    children: str
    silence_is_none: bool

    @classmethod
    def learn(cls, column: nw.Series[Any], *, source: str, missing: MissingWords) -> HouseholdReader:
        """Learn what a column speaks of; one that speaks of nobody is an error."""
        remedy = "Write it like '2 adults, 1 child', or drop it from households."
        if source != "text":
            raise ColumnTypeError.expected(column.name, "text on who lives in a household", source, remedy)
        levels = [text for text in map(level_text, level_counts(as_text(column))) if text not in missing]
        read = [read_household(level) for level in levels]
        spoken = [household for household in read if household.has_children is not None]
        says_adults = any(not math.isnan(household.adults) for household in read)
        if not spoken and not says_adults:
            expected = "text that says how many adults or children there are"
            raise ColumnTypeError.expected(column.name, expected, list_names(levels), remedy)
        counted = all(not math.isnan(household.children) for household in spoken)
        children = ("count" if counted else "any") if spoken else ""
        return cls(str(column.name), says_adults, children, bool(spoken) and all(each.has_children for each in spoken))

    def names(self) -> dict[str, str]:
        """Return the names of the characteristics by what they are: "adults", "count" or "any"."""
        names = {"adults": f"{self.name}_adults"} if self.says_adults else {}
        if self.children:
            names[self.children] = f"{self.name}_{'children' if self.children == 'count' else 'has_children'}"
        return names

    def kinds(self) -> list[tuple[str, Kind]]:
        """Return the characteristics with their kinds."""
        return [(name, "binary" if what == "any" else "numeric") for what, name in self.names().items()]

    def characteristics(self) -> list[Characteristic]:
        """Say what the characteristics are."""
        units = {"adults": "adults", "count": "children", "any": ""}
        words = {"adults": "adults", "count": "children", "any": "has children"}
        told = []
        for (what, name), (_, kind) in zip(self.names().items(), self.kinds(), strict=True):
            label = f"{in_words(self.name)}: {words[what]}"
            told.append(Characteristic(column=name, kind=kind, role="household", unit=units[what], label=label))
        return told

    def encode(self, column: nw.Series[Any], *, missing: MissingWords) -> tuple[list[Column], list[RowPolicy]]:
        """Read the households, and count those whose text does not say what others say.

        Levels that ``fit`` did not see are read like any other.
        """
        column = as_text(column)
        levels = level_counts(column)
        answered = {raw: read_household(level_text(raw)) for raw in levels if level_text(raw) not in missing}
        columns, policies = [], []
        for (what, name), (_, kind) in zip(self.names().items(), self.kinds(), strict=True):
            read = {raw: self._number(household, what) for raw, household in answered.items()}
            values = map_levels(column, {raw: read.get(raw, math.nan) for raw in levels})
            columns.append(Column(name, kind, values, is_integer=kind == "numeric"))
            n_silent = sum(levels[raw] for raw, number in read.items() if math.isnan(number))
            if n_silent:
                remedy = "Write it like '2 adults, 1 child', or list what means no answer in missing_values=(...)."
                policies.append(
                    RowPolicy(f"{self.name} does not say {_SAID[what]}", f"missing in {name}", n_silent, remedy)
                )
        return columns, policies

    def _number(self, household: Household, what: str) -> float:
        if what == "adults":
            return household.adults
        is_silent = household.has_children is None
        if is_silent and self.silence_is_none and not math.isnan(household.adults):
            return 0.0
        if what == "count":
            return household.children
        return math.nan if household.has_children is None else float(household.has_children)

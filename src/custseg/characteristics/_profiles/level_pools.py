"""Rare levels of a column without order: pooled into a group, or rolled up into the level above them."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

PREFIX = "prefix"

_CODE = re.compile(r"([a-z]*)(\d[\d .\-/]*)", re.IGNORECASE)
_SEPARATORS = " .-/"


@dataclass(frozen=True)
class Hierarchy:
    """The level above each level.

    Attributes
    ----------
    above : "prefix", tuple of int, or dict of str to str
        ``"prefix"``: a code without its last digit, down to two digits, and the letters before them
        where it has some ("J62.01", "J62.0", "J62", "J"). Numbers: how many letters and digits are
        kept at each level. A dict: the level above by name.

    Examples
    --------
    >>> from custseg.characteristics._profiles.level_pools import Hierarchy
    >>> Hierarchy("prefix").ancestors("J62.01")
    ['J62.0', 'J62', 'J']
    >>> Hierarchy((2, 4)).ancestors("541511")
    ['5415', '54']
    >>> Hierarchy({"dentist": "health"}).ancestors("dentist")
    ['health']
    """

    above: str | tuple[int, ...] | Mapping[str, str]

    def __post_init__(self) -> None:
        if isinstance(self.above, Mapping):
            object.__setattr__(self, "above", _without_spaces(self.above))

    def parent(self, level: str) -> str | None:
        """Return the level above; None at the top, and for text that is no code."""
        if isinstance(self.above, Mapping):
            return self.above.get(level)
        return _shorter(level) if isinstance(self.above, str) else _cut(level, self.above)

    def ancestors(self, level: str) -> list[str]:
        """Return the levels above, the nearest first."""
        found: list[str] = []
        parent = self.parent(level)
        while parent is not None:
            found.append(parent)
            parent = self.parent(parent)
        return found


def _shorter(code: str) -> str | None:
    match = _CODE.fullmatch(code)
    if match is None:
        return None
    letters, digits = match.groups()
    if sum(character.isdigit() for character in digits) > 2:
        return str(letters + digits[:-1].rstrip(_SEPARATORS))
    return letters or None


def _cut(code: str, lengths: tuple[int, ...]) -> str | None:
    places = [place for place, character in enumerate(code) if character.isalnum()]
    kept = max((length for length in lengths if length < len(places)), default=0)
    return code[: places[kept - 1] + 1] if kept else None


def _without_spaces(above: Mapping[str, str]) -> dict[str, str]:
    """Drop the spaces around levels, as they are dropped where levels are read."""
    return {level.strip(): parent.strip() for level, parent in above.items()}


def is_hierarchy(value: Any) -> bool:
    """Say whether a value declares a hierarchy without a circle."""
    if isinstance(value, Mapping):
        if not all(isinstance(level, str) for pair in value.items() for level in pair):
            return False
        above = _without_spaces(value)
        return len(above) > 0 and not any(_runs_in_circles(level, above) for level in above)
    if isinstance(value, (list, tuple)):
        whole = all(isinstance(length, int) and not isinstance(length, bool) and length > 0 for length in value)
        return len(value) > 0 and whole
    return isinstance(value, str) and value == PREFIX


def _runs_in_circles(level: str, above: Mapping[str, str]) -> bool:
    seen = {level}
    parent = above.get(level)
    while parent is not None and parent not in seen:
        seen.add(parent)
        parent = above.get(parent)
    return parent is not None


@dataclass(frozen=True)
class Pool:
    """What the levels of a column became.

    Attributes
    ----------
    least : int
        The number of customers that a category must have.
    becomes : dict of str to str or None
        The category of each level of ``fit`` and of the levels above that some joined; None where it is missing.
    counts : dict of str to int
        The customers of each level of ``fit``.
    rest : str or None
        The category of the levels that belong nowhere else; None where there is none.
    hierarchy : Hierarchy or None
        The levels above.
    """

    least: int
    becomes: Mapping[str, str | None]
    counts: Mapping[str, int]
    rest: str | None
    hierarchy: Hierarchy | None = None

    @property
    def categories(self) -> list[str]:
        """The categories in the order of their names."""
        return sorted({category for category in self.becomes.values() if category is not None})

    def reader(self) -> Callable[[str], str | None]:
        """Return what tells the category of a level, also of one that ``fit`` did not see; None where it is missing."""
        categories = set(self.becomes.values())

        def read(text: str) -> str | None:
            if text in self.counts:
                return self.becomes[text]
            if text in categories:
                return text
            above = [text, *self.hierarchy.ancestors(text)] if self.hierarchy else []
            return next((self.becomes[level] for level in above if level in self.becomes), self.rest)

        return read

    def to_frame(self) -> pd.DataFrame:
        """Return the levels of ``fit`` with their customers and their categories, one a row."""
        levels = sorted(self.counts)
        return pd.DataFrame(
            {
                "level": pd.array(levels, dtype="str"),
                "n_customers": [self.counts[level] for level in levels],
                "category": pd.array([self.becomes[level] for level in levels], dtype="str"),
            }
        )


def pool_levels(counts: Mapping[str, int], *, least: float, other: str, hierarchy: Hierarchy | None = None) -> Pool:
    """Pool the levels that too few customers have.

    With a hierarchy, a rare level joins the level above it, and so on until the group is large enough;
    the group is called ``"other in <level>"`` where a part of that level stands on its own. What is
    rare at the top is pooled as ``other``, together with a level of that name; it is missing where
    even all of it together is rare. So every category that comes out has at least ``least`` customers.

    Parameters
    ----------
    counts : dict of str to int
        The customers of each level.
    least : int or float
        The number of customers that a category must have; below 1 a share of all of them.
    other : str
        What the pooled levels are called.
    hierarchy : Hierarchy or None, default=None
        The levels above.

    Returns
    -------
    pool : Pool
        What each level becomes.

    Examples
    --------
    >>> from custseg.characteristics._profiles.level_pools import Hierarchy, pool_levels
    >>> counts = {"62.01": 9, "62.02": 2, "62.03": 3, "86.10": 1, "47.11": 4}
    >>> pool_levels(counts, least=5, other="other", hierarchy=Hierarchy("prefix")).categories
    ['62.01', 'other', 'other in 62.0']
    >>> pool_levels({"f": 60, "m": 55, "x": 2}, least=5, other="other").becomes["x"] is None
    True
    """
    # a share of 0.07 of 100 customers is 7, not 8, whatever the last bit of the product says
    needed = math.ceil(least * sum(counts.values()) - 1e-9) if least < 1 else int(least)
    sizes, joined = _roll_up(counts, needed, hierarchy)
    label = next((level for level in sorted(sizes) if level.casefold() == other.casefold()), other)
    rare = {level for level, size in sizes.items() if size < needed}
    rest = label if rare and sum(sizes[level] for level in rare | ({label} & sizes.keys())) >= needed else None
    kept = sizes.keys() - rare
    divided = {above for level in kept for above in (hierarchy.ancestors(level) if hierarchy else ())}
    grown = set(joined.values())
    names: dict[str, str | None] = {
        level: f"{other} in {level}" if level in divided and level in grown else level for level in kept
    }
    names |= dict.fromkeys(rare, rest)
    becomes = {level: names[_last(level, joined)] for level in sorted({*counts, *sizes, *joined})}
    return Pool(needed, becomes, dict(counts), rest, hierarchy)


def _roll_up(
    counts: Mapping[str, int], needed: int, hierarchy: Hierarchy | None
) -> tuple[dict[str, int], dict[str, str]]:
    """Let rare levels join the level above, the lowest first; return the groups' sizes and who joined whom."""
    sizes = dict(counts)
    joined: dict[str, str] = {}
    if hierarchy is None:
        return sizes, joined
    by_depth: dict[int, set[str]] = defaultdict(set)
    for level in counts:
        by_depth[len(hierarchy.ancestors(level))].add(level)
    for depth in range(max(by_depth, default=0), 0, -1):
        for level in sorted(by_depth[depth]):
            parent = hierarchy.parent(level)
            if sizes[level] < needed and parent is not None:
                joined[level] = parent
                sizes[parent] = sizes.get(parent, 0) + sizes.pop(level)
                by_depth[depth - 1].add(parent)
    return sizes, joined


def _last(level: str, joined: Mapping[str, str]) -> str:
    while level in joined:
        level = joined[level]
    return level


def describe_pool(pool: Pool, name: str) -> str:
    """Say what deserves a warning about what is left of a column; empty text where nothing does."""
    categories = pool.categories
    remedy = f"Lower min_customers, for example min_customers={{{name!r}: ...}}, or drop the column."
    if not categories:
        return f"its {len(pool.counts):,} level(s) have fewer than {pool.least:,} customers even together. {remedy}"
    if len(categories) == 1 and len(pool.counts) > 1:
        return f"of its {len(pool.counts):,} levels, pooling leaves {categories[0]!r} alone, which is no news. {remedy}"
    return ""

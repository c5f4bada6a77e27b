"""Numbers that can hardly be true: out of range, codes that stand for no answer, far from all others."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from custseg._core.arrays import Floats, Integers
from custseg._core.rounding import ROUNDING, without_rounding
from custseg._core.words import format_number
from custseg.characteristics._row_report import RowPolicy

# what a column is called, without what separates its words
AGES = {"age", "customerage", "currentage", "respondentage", "ageyears", "ageinyears"}
_BIRTH_YEARS = {"birthyear", "yearbirth", "yearofbirth", "yob", "yearborn", "bornyear", "born"}
_FOUNDING_YEARS = {
    "foundingyear", "foundedyear", "yearfounded", "founded", "yearoffoundation", "foundationyear", "yearestablished",
    "established", "incorporationyear",
}  # fmt: skip
_COUNTS = {
    "height", "weight", "children", "nchildren", "numchildren", "numberofchildren", "kids", "nkids", "numberofsiblings",
    "siblings", "employees", "nemployees", "numemployees", "numberofemployees", "householdsize",
}  # fmt: skip

OLDEST = 120
# Nobody born before has been a customer of anything since records are kept in computers.
_FIRST_BIRTH_YEAR = 1900
_FIRST_FOUNDING_YEAR = 500
_LAST_YEAR = 2100

# Few values do not tell what is usual, so below this number no value stands out.
_FEW = 30
# A code is more than so many times the largest other value.
_APART = 2.0
_FENCE = 3.0
# Where more values than this lie beyond the fence, that is how they are distributed.
# Where the fence is no wider than this share of its ends, rounding may have made it.
_ALIKE = 1e-6
_RARE = 0.01

OK, OUT_OF_RANGE, CODE, FAR = 0, 1, 2, 3


def _repeated_digits() -> Floats:
    """Return 99, 999, 888, 1111, 666666 and their like: what is typed where nothing is known."""
    shortest = dict.fromkeys("1234567", 4) | {"8": 3, "9": 2}
    return np.array(sorted(float(digit * n) for digit, least in shortest.items() for n in range(least, 13)))


_REPEATED = _repeated_digits()
_NEGATIVE_CODES = np.array([-1.0, *(-float(digit * n) for digit in "789" for n in range(1, 6))])


@dataclass(frozen=True)
class Finding:
    """Implausible numbers of one column, for one reason.

    Attributes
    ----------
    reason : str
        Why they are implausible, in words that follow "numbers".
    n_rows : int
        How many rows have one.
    is_sure : bool
        Whether they may be dropped; what is merely far from all others may be true.
    """

    reason: str
    n_rows: int
    is_sure: bool

    def policy(self, name: str, *, drop: bool) -> RowPolicy:
        """Return the finding as a line of the row report."""
        remedy = f"Correct them, or say what can be: plausible={{{name!r}: (low, high)}}."
        if self.is_sure:
            remedy += " implausible='missing' drops them."
        return RowPolicy(
            f"{name} holds numbers {self.reason}", "set to missing" if drop else "kept", self.n_rows, remedy
        )


@dataclass(frozen=True)
class Plausibility:
    """Which numbers of a column can hardly be true.

    Attributes
    ----------
    low, high : float
        The range outside of which nothing can be.
    codes : tuple of float
        Numbers that look like codes for no answer.
    fence : tuple of float
        Beyond these a number is far from all others, which may still be true.
    """

    low: float = -math.inf
    high: float = math.inf
    codes: tuple[float, ...] = ()
    fence: tuple[float, float] = (-math.inf, math.inf)

    @classmethod
    def learn(cls, values: npt.NDArray[Any], low: float | None, high: float | None) -> Plausibility:
        """Learn from the values of a column which of them can hardly be true.

        A number of repeated digits (9999, 666666) looks like a code where it is more than twice as
        large as any other, or occurs more often than each of 50 or more others; -1, -9, -99 and their
        like do where all other numbers are at least 0. A number is far from all others where it lies
        more than three interquartile ranges outside of the quartiles, both of the values and of their
        logarithms (Tukey's outer fence), unless more than 1% do. Fewer than 30 values are not judged.

        Parameters
        ----------
        values : ndarray of shape (n_customers,)
            The numbers, NaN where missing.
        low, high : float or None
            The range outside of which nothing can be; None where it is open.

        Returns
        -------
        plausible : Plausibility
            What was learned.

        Examples
        --------
        >>> import numpy as np
        >>> from custseg.characteristics._demographic.plausible import Plausibility
        >>> income = np.append(np.linspace(2e4, 9e4, 100), 666_666)
        >>> Plausibility.learn(income, 0, None).codes
        (666666.0,)
        """
        lowest, highest = -math.inf if low is None else float(low), math.inf if high is None else float(high)
        known = np.asarray(values, dtype=np.float64)
        known = known[(known >= lowest) & (known <= highest)]
        if len(known) < _FEW:
            return cls(lowest, highest)
        levels, counts = np.unique(known, return_counts=True)
        codes = _codes(levels, counts)
        return cls(lowest, highest, tuple(codes.tolist()), _fence(known[~np.isin(known, codes)]))

    def flags(self, values: npt.NDArray[Any]) -> Integers:
        """Return for each value 0, or why it is implausible; a missing value is not."""
        flags = np.where((values < self.fence[0]) | (values > self.fence[1]), FAR, OK)
        flags[np.isin(values, self.codes)] = CODE
        flags[(values < self.low) | (values > self.high)] = OUT_OF_RANGE
        return flags.astype(np.int64)

    def are_sure(self, values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
        """Return which values are out of range or look like a code."""
        return np.isin(self.flags(values), (OUT_OF_RANGE, CODE))

    def findings(self, values: npt.NDArray[Any]) -> list[Finding]:
        """Return what is implausible among the values, by reason."""
        counts = np.bincount(self.flags(values), minlength=FAR + 1)
        return [
            Finding(self.reason(flag), int(counts[flag]), flag != FAR)
            for flag in (OUT_OF_RANGE, CODE, FAR)
            if counts[flag]
        ]

    def reason(self, flag: int) -> str:
        """Say what a flag means."""
        if flag == OUT_OF_RANGE:
            # a year has no thousands to separate
            low, high = (
                f"{bound:g}" if abs(bound) < 10_000 else format_number(bound) for bound in (self.low, self.high)
            )
            if math.isinf(self.high):
                return f"below {low}"
            return f"above {high}" if math.isinf(self.low) else f"outside {low} to {high}"
        return "like codes for no answer" if flag == CODE else "far from all others"


def implausible_values(columns: Mapping[str, tuple[Plausibility, npt.NDArray[Any]]]) -> pd.DataFrame:
    """Return the implausible values of columns, each with the reason and its customers, one a row."""
    rows: list[tuple[str, float, str, int]] = []
    for name, (plausible, values) in columns.items():
        found, counts = np.unique(values[plausible.flags(values) != OK], return_counts=True)
        reasons = map(plausible.reason, plausible.flags(found))
        rows += zip([name] * len(found), map(float, found), reasons, map(int, counts), strict=True)
    frame = pd.DataFrame(rows, columns=["column", "value", "reason", "n_customers"])
    return frame.astype({"column": "str", "value": "float64", "reason": "str", "n_customers": "int64"})


def describe_findings(findings: Iterable[tuple[str, Finding]], *, kept: bool) -> str:
    """Say which columns hold implausible numbers, and what became of them."""
    found = "; ".join(f"column {name!r}: {each.reason} in {each.n_rows:,} row(s)" for name, each in findings)
    if kept:
        return (
            f"numbers that can hardly be true are kept: {found}. Correct them, drop them with implausible='missing', "
            "or say what can be with plausible={...}, None for a column that is right."
        )
    return f"numbers that can hardly be true are missing now: {found}. Say what can be with plausible={{...}}."


def expected_range(
    name: str, *, reference_year: int | None, age: str | None = None
) -> tuple[float | None, float | None]:
    """Return the range that the name of a column lets expect; None where it says nothing.

    Parameters
    ----------
    name : str
        The column.
    reference_year : int or None
        The last year that can be.
    age : str or None, default=None
        For a column of years, the name of the age that it becomes.

    Examples
    --------
    >>> from custseg.characteristics._demographic.plausible import expected_range
    >>> expected_range("Age", reference_year=None), expected_range("Year_Birth", reference_year=2014)
    ((0, 120), (1894, 2014))
    """
    plain, last = plain_name(name), _LAST_YEAR if reference_year is None else reference_year
    if plain in _BIRTH_YEARS or (age is not None and plain_name(age) in AGES):
        return _FIRST_BIRTH_YEAR if reference_year is None else reference_year - OLDEST, last
    if plain in _FOUNDING_YEARS or age is not None:
        return _FIRST_FOUNDING_YEAR, last
    if plain in AGES:
        return 0, OLDEST
    return (0 if plain in _COUNTS else None), None


def plain_name(name: str) -> str:
    """Return the letters of a name, whatever its case and what separates its words."""
    return re.sub(r"[^a-z]", "", name.casefold())


def _codes(levels: Floats, counts: Integers) -> Floats:
    is_candidate = np.isin(levels, _REPEATED)
    others, n_others = levels[~is_candidate], counts[~is_candidate]
    found = np.zeros(len(levels), dtype=bool)
    if n_others.sum() >= _FEW and others[-1] >= 0:
        found |= is_candidate & (levels > _APART * others[-1])
        if len(others) >= 50:
            found |= is_candidate & (levels >= 1000) & (counts >= 5) & (counts > n_others.max())
    negative = levels < 0
    if np.isin(levels[negative], _NEGATIVE_CODES).all() and counts[~negative].sum() >= _FEW:
        found |= negative
    return levels[found]


def _fence(values: Floats) -> tuple[float, float]:
    everything = (-math.inf, math.inf)
    if len(values) < _FEW:
        return everything
    low, high = _outer(values)
    if high - low <= _ALIKE * max(abs(low), abs(high)):
        # most may be one number but for rounding, and that is no spread
        values = without_rounding(values)
        low, high = _outer(values)
    if values.min() >= 0:
        low_log, high_log = np.expm1(_outer(np.log1p(values)))
        low, high = min(low, float(low_log)), max(high, float(high_log))
    if low < high:
        low, high = low - ROUNDING * abs(low), high + ROUNDING * abs(high)
    n_beyond = int(((values < low) | (values > high)).sum())
    return (low, high) if low < high and n_beyond <= _RARE * len(values) else everything


def _outer(values: Floats) -> tuple[float, float]:
    first, third = np.quantile(values, (0.25, 0.75))
    width = _FENCE * (third - first)
    return float(first - width), float(third + width)

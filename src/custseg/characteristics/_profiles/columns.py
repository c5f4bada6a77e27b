"""The columns of an eager profile as numpy arrays: numbers, or codes of distinct texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from custseg._core.arrays import Floats, Integers
from custseg._core.exact import exact_below, inexact_levels
from custseg._core.rounding import doubles
from custseg.characteristics._profiles.encoding import level_text
from custseg.exceptions import ColumnTypeError

_EXAMPLES = 5


@dataclass(frozen=True)
class Texts:
    """A column of text: its distinct values, and which of them each row holds.

    Attributes
    ----------
    codes : ndarray of shape (n_rows,)
        Positions in ``levels``, -1 where the row holds nothing.
    levels : tuple of str
        The distinct texts in alphabetical order, without spaces around them. An empty text is one of them.
    """

    codes: Integers
    levels: tuple[str, ...]

    @property
    def counts(self) -> Integers:
        """The rows that hold each text."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.levels)).astype(np.int64)


def are_names(value: Any, at_least: int = 1) -> bool:
    """Say whether a parameter is a list of different texts, such as names of columns."""
    if not isinstance(value, (list, tuple)) or not all(isinstance(name, str) for name in value):
        return False
    return at_least <= len(value) == len(set(value))


def is_numeric(column: nw.Series[Any]) -> bool:
    """Say whether a column holds numbers or bools, or nothing at all."""
    return column.dtype.is_numeric() or column.dtype == nw.Boolean or column.null_count() == len(column)


def is_text(column: nw.Series[Any]) -> bool:
    """Say whether a column holds text or categories."""
    return isinstance(column.dtype, (nw.String, nw.Categorical, nw.Enum))


def read_numbers(column: nw.Series[Any], *, expected: str, remedy: str) -> Floats:
    """Return a column of numbers (or bools) as floats, NaN where the value is missing."""
    if column.null_count() == len(column):
        return np.full(len(column), np.nan)
    if not is_numeric(column):
        got = "text" if is_text(column) else column.dtype
        raise ColumnTypeError.expected(column.name, expected, got, remedy)
    return np.array(doubles(column, column.dtype).to_numpy(), dtype=np.float64)


def read_texts(column: nw.Series[Any], *, numbers: bool, remedy: str) -> Texts:
    """Return a column of text as codes of its distinct texts; ``numbers`` takes whole numbers for names, too."""
    if column.null_count() == len(column):
        return Texts(np.full(len(column), -1, dtype=np.int64), ())
    if not is_text(column) and not (numbers and column.dtype.is_numeric()):
        expected = "text, or numbers that are names" if numbers else "text"
        got = "numbers" if column.dtype.is_numeric() else column.dtype
        raise ColumnTypeError.expected(column.name, expected, got, remedy)
    plain = column.cast(nw.String) if isinstance(column.dtype, (nw.Categorical, nw.Enum)) else column
    if column.dtype.is_float() and (column.abs() >= exact_below(column.dtype)).any():
        raise inexact_levels(column.name, exact_below(column.dtype))
    codes, raw = pd.factorize(np.array(plain.to_list(), dtype=object))
    names = np.array([level_text(value) for value in list(raw)], dtype=object)
    levels, positions = np.unique(names, return_inverse=True)
    # a code of -1 picks the value appended
    return Texts(np.append(positions, -1)[codes].astype(np.int64), tuple(levels))


def option_key(text: str) -> str:
    """Return what two spellings of one option share: case and spaces do not count."""
    return " ".join(text.split()).casefold()


def commonest_spellings(counts: Mapping[str, int]) -> dict[str, str]:
    """Return for each option its commonest spelling, of several the first in the alphabet."""
    best: dict[str, str] = {}
    for spelling in sorted(counts, key=lambda text: (-counts[text], text)):
        best.setdefault(option_key(spelling), " ".join(spelling.split()))
    return best


def list_counts(counts: Mapping[str, int]) -> str:
    """Write names with their numbers of customers, the commonest first."""
    ordered = sorted(counts, key=lambda name: (-counts[name], name))
    text = ", ".join(f"{name!r} ({counts[name]:,})" for name in ordered[:_EXAMPLES])
    return text + (f" and {len(ordered) - _EXAMPLES:,} more" if len(ordered) > _EXAMPLES else "")

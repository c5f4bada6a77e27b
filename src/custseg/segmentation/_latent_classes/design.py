"""Characteristics as the columns of one design matrix: a latent class model is linear in them.

Every term of the model is an exponential family, so that the log-likelihood of every row in every
class is one product ``design @ coefficients.T`` and what the next estimate needs is another,
``responsibilities.T @ design``. A category has one indicator per level, a number ``x`` and
``x ** 2``; a missing value is a row of zeros, which leaves its term out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from custseg._core.arrays import Floats, Integers
from custseg._core.customers import Column, CustomerTable, Kind
from custseg._core.warning import warn
from custseg.exceptions import list_names
from custseg.segmentation._base.kinds import check_kind
from custseg.segmentation._base.order import order_by_content
from custseg.segmentation._base.weighted import distribution
from custseg.segmentation._kmeans.patterns import Patterns, distinct_patterns

__all__ = [
    "Design",
    "LevelPart",
    "NumberPart",
    "Part",
    "collapse",
    "encode",
    "make_part",
    "order_of_parts",
    "warn_of_two_numbers",
]


_TEXTUAL = ("ordinal", "nominal")
# Whole numbers up to this one are exact as floats: codes of several columns are packed into one below it.
LARGEST_EXACT = 2**53
# Numbers so many standard deviations away are all equally far: the square must stay a number.
FARTHEST = 1e100


@dataclass(frozen=True, kw_only=True)
class LevelPart:
    """A binary or categorical characteristic: the levels that occur in ``fit``."""

    column: str
    kind: Kind
    levels: tuple[str, ...]

    def encode(self, column: Column) -> Floats:
        """Return the position of every value among the levels of ``fit``; NaN where missing or unseen."""
        if self.kind == "binary":
            # 0 and 1, or text that is missing throughout: check_kind has refused the rest.
            return np.where(column.missing, math.nan, column.values)
        if column.kind not in _TEXTUAL:  # nothing but missing values
            return np.full(len(column.values), math.nan)
        known = {level: float(position) for position, level in enumerate(self.levels)}
        lookup = np.array([*(known.get(level, math.nan) for level in column.categories), math.nan])
        return np.asarray(lookup[column.values])

    def unseen(self, column: Column, encoded: Floats) -> list[str]:
        """List the categories that were not there in ``fit``, once per row."""
        if column.kind not in _TEXTUAL:
            return []
        return [column.categories[code] for code in column.values[np.isnan(encoded) & ~column.missing]]

    def relative(self, encoded: Floats) -> Floats:
        """Return numbers that tell this characteristic from others whatever its name."""
        return encoded / len(self.levels) + 10.0


@dataclass(frozen=True, kw_only=True)
class NumberPart:
    """A numeric characteristic in standard deviations from its mean; both in multiples of ``unit``.

    ``has_two`` is whether it has two different values.
    """

    column: str
    unit: float
    center: float
    scale: float
    kind: Kind = "numeric"
    has_two: bool = False

    @property
    def log_unit(self) -> float:
        """The logarithm of the standard deviation, by which a density in original units is lower."""
        return math.log(self.unit) + math.log(self.scale)

    def encode(self, column: Column) -> Floats:
        """Return the standardised values; NaN where missing."""
        if column.kind in _TEXTUAL:  # nothing but missing values, else check_kind has refused it
            return np.full(len(column.values), math.nan)
        with np.errstate(over="ignore"):
            standardised = (column.values / self.unit - self.center) / self.scale
        return np.clip(standardised, -FARTHEST, FARTHEST)

    def unseen(self, column: Column, encoded: Floats) -> list[str]:
        """Return nothing: every number is known."""
        return []

    def relative(self, encoded: Floats) -> Floats:
        """Return the values in multiples of the largest."""
        return encoded * self.scale + self.center


Part = LevelPart | NumberPart


def make_part(column: Column, mass: Floats) -> Part | None:
    """Learn what a characteristic needs from the customers of positive mass; None where it has only one value."""
    known = ~column.missing & (mass > 0)
    if column.kind != "numeric":
        n_levels = 2 if column.kind == "binary" else len(column.categories)
        occurs = np.bincount(column.values[known].astype(np.int64), minlength=n_levels) > 0
        if occurs.sum() < 2:
            return None
        levels = ("0", "1") if column.kind == "binary" else column.categories
        seen = tuple(level for level, is_there in zip(levels, occurs, strict=True) if is_there)
        return LevelPart(column=column.name, kind=column.kind, levels=seen)
    values, counts = distribution(column.values[known], mass[known])
    if len(values) < 2:
        return None
    # Divided by the largest value first: squares of 1e300 would leave the range of numbers. Sums, not
    # dot products: those depend on the number of threads.
    unit = float(np.abs(values).max())
    shares = counts / counts.sum()
    center = float((shares * (values / unit)).sum())
    scale = math.sqrt(float((shares * (values / unit - center) ** 2).sum()))
    if scale == 0.0:  # values that differ in their last digits only
        return None
    return NumberPart(column=column.name, unit=unit, center=center, scale=scale, has_two=len(values) == 2)


def warn_of_two_numbers(parts: Sequence[Part], kinds: Mapping[str, str] | str | None) -> None:
    """Warn of numbers that look like answers: where a class gives one answer it has no spread, and seems certain.

    ``kinds`` is what users have said of columns.
    """
    if isinstance(kinds, str):
        return
    numbers = [part for part in parts if isinstance(part, NumberPart) and part.column not in (kinds or {})]
    # the codes of answers are small
    found = sorted(part.column for part in numbers if part.has_two and part.unit <= LARGEST_EXACT)
    if found:
        name = found[0]
        warn(
            f"column(s) of two different numbers are taken as normally distributed: {list_names(found)}. Where they "
            f"are answers, make bools of them, such as table[{name!r}] == table[{name!r}].max(); otherwise say "
            f"kinds={{{name!r}: 'numeric'}}."
        )


def encode(parts: Sequence[Part], table: CustomerTable) -> tuple[Floats, dict[str, list[str]]]:
    """Return the encoded columns (n_rows, n_parts), and the unseen categories by column."""
    encoded = np.empty((table.n_customers, len(parts)))
    unseen = {}
    for position, part in enumerate(parts):
        column = table[part.column]
        check_kind(part.kind, column)
        encoded[:, position] = part.encode(column)
        lost = part.unseen(column, encoded[:, position])
        if lost:
            unseen[part.column] = lost
    return encoded, unseen


def collapse(parts: Sequence[Part], encoded: Floats, mass: Floats) -> Patterns:
    """Collapse encoded rows to the distinct ones, with NaN for a missing value.

    Levels of several characteristics are packed into one number first: sorting by one is faster than by many.
    """
    keys: list[Floats] = []
    size = LARGEST_EXACT
    for part, values in zip(parts, encoded.T, strict=True):
        if isinstance(part, NumberPart):
            keys.append(np.where(np.isnan(values), -np.inf, values))
            size = LARGEST_EXACT
            continue
        radix = len(part.levels) + 1
        codes = np.where(np.isnan(values), 0.0, values + 1.0)
        if size * radix < LARGEST_EXACT:
            keys[-1] = keys[-1] * radix + codes
            size *= radix
        else:
            keys.append(codes)
            size = radix
    packed = np.column_stack(keys) if keys else np.zeros((len(encoded), 1))
    # Equal weights need no sorting before they are summed.
    found = distinct_patterns(packed, None if (mass == 1.0).all() else mass)
    representative = np.empty(found.n_patterns, dtype=np.int64)
    representative[found.inverse] = np.arange(len(encoded))
    return Patterns(encoded[representative], found.counts, found.inverse)


def order_of_parts(parts: Sequence[Part], patterns: Patterns) -> Integers:
    """Order the characteristics of a matrix, which have no names, by their content."""
    known = patterns.counts > 0
    columns = [part.relative(values) for part, values in zip(parts, patterns.values[known].T, strict=True)]
    matrix = np.column_stack(columns)
    return order_by_content(np.where(np.isnan(matrix), 2.0, matrix), patterns.counts[known])


@dataclass(frozen=True)
class Design:
    """The design matrix of encoded rows, and which of its columns belong to what.

    Attributes
    ----------
    matrix : ndarray of shape (n_rows, n_columns)
        A column of ones, an indicator for every level, ``x`` and ``x ** 2`` of every number, and
        an indicator of known values for numbers with missing ones.
    level_starts : ndarray of shape (n_categorical,)
        Where the levels of each characteristic start among all level columns.
    level_sizes : ndarray of shape (n_categorical,)
        How many levels each has.
    known_columns : ndarray of shape (n_numeric,)
        The column that says where each number is known: 0, the ones, if always.
    level_weights : ndarray of shape (n_levels,)
        How much the log-likelihood of each level counts; 1, unless characteristics are to count unequally.
    number_weights : ndarray of shape (n_numeric,)
        The same of each number.
    """

    matrix: Floats
    level_starts: Integers
    level_sizes: Integers
    known_columns: Integers
    level_weights: Floats
    number_weights: Floats

    @property
    def n_levels(self) -> int:
        """The number of level columns."""
        return int(self.level_sizes.sum())

    @property
    def n_numbers(self) -> int:
        """The number of numeric characteristics."""
        return len(self.known_columns)

    @property
    def levels(self) -> slice:
        """The level columns."""
        return slice(1, 1 + self.n_levels)

    @property
    def numbers(self) -> slice:
        """The columns of the numbers."""
        return slice(1 + self.n_levels, 1 + self.n_levels + self.n_numbers)

    @property
    def squares(self) -> slice:
        """The columns of their squares."""
        return slice(self.numbers.stop, self.numbers.stop + self.n_numbers)

    @classmethod
    def of(cls, parts: Sequence[Part], encoded: Floats, weights: Floats | None = None) -> Design:
        """Lay out encoded rows; levels first, then numbers, each in the order of the parts.

        ``weights`` has one entry per part.
        """
        if weights is None:
            weights = np.ones(len(parts))
        categorical = [position for position, part in enumerate(parts) if isinstance(part, LevelPart)]
        numeric = [position for position, part in enumerate(parts) if isinstance(part, NumberPart)]
        sizes = np.array([_n_levels(parts[position]) for position in categorical], dtype=np.int64)
        values = encoded[:, numeric]
        missing = np.isnan(values)
        with_gaps = missing.any(axis=0)
        width = 1 + int(sizes.sum()) + 2 * len(numeric) + int(with_gaps.sum())
        known_columns = np.zeros(len(numeric), dtype=np.int64)
        known_columns[with_gaps] = np.arange(width - int(with_gaps.sum()), width)
        starts = np.append(0, np.cumsum(sizes)[:-1]).astype(np.int64) if len(sizes) else np.empty(0, np.int64)
        design = cls(
            np.zeros((len(encoded), width)),
            starts,
            sizes,
            known_columns,
            np.repeat(weights[categorical], sizes),
            weights[numeric],
        )
        matrix = design.matrix
        matrix[:, 0] = 1.0
        for start, position in zip(starts, categorical, strict=True):
            rows = np.flatnonzero(~np.isnan(encoded[:, position]))
            matrix[rows, 1 + start + encoded[rows, position].astype(np.int64)] = 1.0
        matrix[:, design.numbers] = np.where(missing, 0.0, values)
        matrix[:, design.squares] = matrix[:, design.numbers] ** 2
        matrix[:, known_columns[with_gaps]] = ~missing[:, with_gaps]
        return design

    def points(self, counts: Floats) -> Floats:
        """Return the rows as points in which every characteristic has a total variance of about its weight."""
        return self.as_points(self.matrix, counts)

    def as_points(self, rows: Floats, counts: Floats) -> Floats:
        """Return rows of the matrix, or means of some of them (..., n_columns), as such points; ``counts`` of all."""
        numbers = rows[..., self.numbers] * np.sqrt(self.number_weights)
        if not self.n_levels:
            return np.asarray(numbers)
        mass = (self.matrix[:, self.levels] * counts[:, None]).sum(axis=0)
        totals = np.add.reduceat(mass, self.level_starts)
        shares = mass / np.repeat(totals, self.level_sizes)
        spread = np.sqrt(1.0 - np.add.reduceat(shares**2, self.level_starts))
        levels = rows[..., self.levels]
        known = np.add.reduceat(levels, self.level_starts, axis=-1)
        centred = levels - np.repeat(known, self.level_sizes, axis=-1) * shares
        scale = np.sqrt(self.level_weights) / np.repeat(spread, self.level_sizes)
        return np.concatenate([centred * scale, numbers], axis=-1)


def _n_levels(part: Any) -> int:
    return len(part.levels)

"""Which columns go with another: the rest tell nothing of groups, and hide them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Self

import numpy as np
from scipy.special import chdtrc, fdtrc

from custseg._core.arrays import Bools, Floats, Integers
from custseg._core.customers import Column, CustomerTable

__all__ = ["related_columns"]


# The probability that any of the columns which go with no other is taken for one that does. A single number among yes
# or no answers may have as much of the variance as all of them.
LEVEL = 0.05
# Numbers are cut into so many bins of as many customers, which show how they bend together.
N_BINS = 5
# Fewer customers show no association.
FEWEST = 4
# Added to the variance of each column, so that of columns that follow from each other exactly there is an inverse.
COLLINEAR = 1e-8


def related_columns(table: CustomerTable) -> list[str]:
    """Return the columns that go with another, as far as the customers show.

    Groups of customers show in how columns go together: with a column that is independent of every other, the groups in
    its values are its own distribution. A text of twenty levels at random makes every customer different nonetheless,
    and costs 19 parameters in each latent class.

    Two columns go together where Pearson's chi-squared test of their levels says so, or the correlation of two that
    are numbers or ordered. The levels of a number are bins of as many customers; beside a category its means count.
    A number or ordered column that goes with all others of these a little, as where each marks a group, is told by
    its regression on them.

    Parameters
    ----------
    table : CustomerTable
        The columns as latent classes take them.

    Returns
    -------
    names : list of str
        Those that go with another, in the order of the table.

    References
    ----------
    .. [1] T. Lewis, I. W. Saunders and M. Westcott (1984). The moments of the Pearson chi-squared statistic and the
       minimum expected value in two-way tables. Biometrika 71, 515-522.
    """
    margins = [_Margin.of(column) for column in table.columns]
    level = LEVEL / max(len(margins), 1)
    least = level / max(len(margins) - 1, 1)  # each is set against all others
    related = _follow_from_others(margins, level)
    for one, other in combinations(range(len(margins)), 2):
        if not (related[one] and related[other]) and _p_value(margins[one], margins[other]) <= least:
            related[[one, other]] = True
    return [column.name for column, goes in zip(table.columns, related, strict=True) if goes]


@dataclass(frozen=True)
class _Margin:
    """One column: its values where they have an order, and its levels from 0, -1 where the value is missing."""

    is_number: bool
    known: Bools
    values: Floats | None
    levels: Integers

    @classmethod
    def of(cls, column: Column) -> Self:
        known = ~column.missing
        values = column.values[known]
        levels = np.full(len(known), -1, dtype=np.int64)
        if column.kind == "numeric" and len(values):
            bounds = np.unique(np.quantile(values, np.arange(1, N_BINS) / N_BINS, method="lower"))
            levels[known] = np.searchsorted(bounds, values, side="left")
        else:
            levels[known] = np.unique(values, return_inverse=True)[1].reshape(-1)
        ordered = None if column.kind == "nominal" else column.values.astype(np.float64)
        return cls(column.kind == "numeric", known, ordered, levels)

    def centred(self) -> Floats:
        """Return the values around their mean, 0 where they are missing."""
        values = np.zeros(len(self.known))
        if self.values is not None and self.known.any():
            values[self.known] = self.values[self.known] - self.values[self.known].mean()
        return values


def _follow_from_others(margins: Sequence[_Margin], level: float) -> Bools:
    """Return which columns with an order a linear regression on all others of these explains beyond chance."""
    follows = np.zeros(len(margins), dtype=bool)
    values = {place: margin.centred() for place, margin in enumerate(margins) if margin.values is not None}
    values = {place: column for place, column in values.items() if column.any()}
    n_others = len(values) - 1
    left = len(margins[0].known) - n_others - 1 if values else 0
    if n_others < 1 or left < 1:
        return follows
    correlation = np.corrcoef(list(values.values())) + COLLINEAR * np.eye(n_others + 1)
    unexplained = np.minimum(1.0 / np.linalg.inv(correlation).diagonal(), 1.0)
    p = fdtrc(n_others, left, (1.0 - unexplained) / n_others / (unexplained / left))
    follows[list(values)] = p <= level
    return follows


def _p_value(one: _Margin, other: _Margin) -> float:
    known = one.known & other.known
    if known.sum() < FEWEST:
        return 1.0
    if one.values is not None and other.values is not None:
        straight = _p_of_correlation(one.values[known], other.values[known])
        return min(1.0, 2.0 * min(straight, _p_of_levels(one.levels[known], other.levels[known])))
    category, number = (one, other) if one.values is None else (other, one)
    if number.is_number and number.values is not None:
        return _p_of_means(number.values[known], category.levels[known])
    return _p_of_levels(one.levels[known], other.levels[known])


def _p_of_correlation(one: Floats, other: Floats) -> float:
    one, other = one - one.mean(), other - other.mean()
    total = float(one @ one) * float(other @ other)
    return float(chdtrc(1, len(one) * float(one @ other) ** 2 / total)) if total > 0 else 1.0


def _p_of_means(values: Floats, levels: Integers) -> float:
    counts = np.bincount(levels)
    occurring = counts > 0
    values = values - values.mean()
    sums = np.bincount(levels, weights=values)
    total, between = float(values @ values), float((sums[occurring] ** 2 / counts[occurring]).sum())
    degrees = occurring.sum() - 1
    return float(chdtrc(degrees, len(values) * between / total)) if degrees and total > 0 else 1.0


def _p_of_levels(one: Integers, other: Integers) -> float:
    """Return the p-value of Pearson's chi-squared, with the mean and variance of tables with these margins [1]_.

    Where levels are rare its variance is far above that of the chi-squared distribution.
    """
    shape = one.max() + 1, other.max() + 1
    table = np.bincount(one * shape[1] + other, minlength=shape[0] * shape[1]).reshape(shape).astype(np.float64)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    n = table.sum()
    if min(table.shape) < 2:
        return 1.0
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / n
    statistic = ((table - expected) ** 2 / expected).sum()
    mean = n / (n - 1.0) * (table.shape[0] - 1.0) * (table.shape[1] - 1.0)
    (even, rare), (even_too, rare_too) = (_variance_parts(table.sum(axis=axis)) for axis in (0, 1))
    variance = 2.0 * n / (n - 3.0) * even * even_too + n**2 / (n - 1.0) * rare * rare_too
    if variance <= 0.0:  # a level for each customer: any table has the same statistic
        return 1.0
    return float(chdtrc(2.0 * mean**2 / variance, 2.0 * mean / variance * statistic))


def _variance_parts(counts: Floats) -> tuple[float, float]:
    """Return what a margin adds to the variance of chi-squared: by its number of levels, and by their rarity."""
    n, n_levels = counts.sum(), len(counts)
    rare = ((n / counts).sum() - n_levels**2) / (n - 2.0)
    return (n_levels - 1.0) * (n - n_levels) / (n - 1.0) - rare, rare

"""Columns that go with no other: a latent class cannot tell them from noise, and their parameters cost as much."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from scipy.stats import chi2

from custseg._core.arrays import Integers
from custseg._core.customers import Column, CustomerTable

__all__ = ["without_unrelated"]


# The probability that a category which goes with no other column is taken for one that does.
LEVEL = 0.05


def without_unrelated(table: CustomerTable) -> CustomerTable:
    """Leave out the categories that are independent of every other column, as far as the customers show.

    Latent classes explain how columns go together; by itself a category says nothing of them, as any shares are those
    of one class. A text of twenty levels at random costs 19 parameters a class nonetheless, and hides classes from
    the BIC. Numbers stay: their shape alone can show classes.

    Parameters
    ----------
    table : CustomerTable
        The columns as latent classes take them.

    Returns
    -------
    table : CustomerTable
        Those that are numbers, or go with another; all of them where that would leave fewer than two.
    """
    levels = {column.name: _levels(column) for column in table.columns if column.kind != "numeric"}
    least = LEVEL / max(len(table.columns) - 1, 1)  # each is set against all others
    related = {column.name for column in table.columns if column.kind == "numeric"}
    for one, other in combinations(table.columns, 2):
        if not {one.name, other.name} <= related and _p_value(one, other, levels) <= least:
            related |= {one.name, other.name}
    kept = [column.name for column in table.columns if column.name in related]
    return table.select(kept) if len(kept) > 1 else table


def _levels(column: Column) -> Integers:
    """Return the levels that occur, from 0; -1 where the value is missing."""
    known = ~column.missing
    codes = np.full(len(known), -1, dtype=np.int64)
    codes[known] = np.unique(column.values[known], return_inverse=True)[1].reshape(-1)
    return codes


def _p_value(one: Column, other: Column, levels: dict[str, Integers]) -> float:
    """Return the p-value of the chi-squared test of independence, or of equal means in all levels."""
    known = ~(one.missing | other.missing)
    if one.kind != "numeric" and other.kind != "numeric":
        return _p_of_levels(levels[one.name][known], levels[other.name][known])
    category, number = (other, one) if one.kind == "numeric" else (one, other)
    values, codes = number.values[known], levels[category.name][known]
    counts = np.bincount(codes)
    occurring = counts > 0
    values = values - values.mean() if len(values) else values
    sums = np.bincount(codes, weights=values)
    total = float(values @ values)
    between = float((sums[occurring] ** 2 / counts[occurring]).sum())
    return float(chi2.sf(len(values) * between / total, occurring.sum() - 1)) if total > 0 else 1.0


def _p_of_levels(one: Integers, other: Integers) -> float:
    if not len(one):
        return 1.0
    shape = one.max() + 1, other.max() + 1
    table = np.bincount(one * shape[1] + other, minlength=shape[0] * shape[1]).reshape(shape).astype(np.float64)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    degrees = (table.shape[0] - 1) * (table.shape[1] - 1)
    return float(chi2.sf(((table - expected) ** 2 / expected).sum(), degrees)) if degrees else 1.0

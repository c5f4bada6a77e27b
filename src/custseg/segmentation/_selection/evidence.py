"""The characteristics as latent classes take them: numbers that are normal in a class, or categories."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from custseg._core.arrays import Floats
from custseg._core.customers import Column, CustomerTable

__all__ = ["evidence_of"]


# A number with so few values, or so many customers on one of them, is no normal variable in any class. It is
# cut into so many bins, equal values together; numbers of at most that many values keep them.
FEW_VALUES = 10
SPIKE = 0.10
N_BINS = 5
# Levels of a category that have a probability of their own; the rarer ones have one together.
MOST_LEVELS = 20


def evidence_of(table: CustomerTable, scores: Mapping[str, Floats]) -> CustomerTable:
    """Return the characteristics as latent classes take them: numbers as they stand in the distance.

    Categories of many levels have the rarest in one.

    Parameters
    ----------
    table : CustomerTable
        The columns that take part.
    scores : mapping of str to ndarray of shape (n_customers,)
        Where the values of numeric, binary and ordinal columns stand in the distance.
    """
    columns = (
        _pooled(column) if column.name not in scores else _scored(column, scores[column.name])
        for column in table.columns
    )
    return CustomerTable(tuple(columns), table.n_customers)


def _scored(column: Column, scores: Floats) -> Column:
    if column.kind != "numeric":
        return column
    known = ~column.missing
    values, counts = np.unique(scores[known], return_counts=True)
    if len(values) > FEW_VALUES and counts.max() <= SPIKE * known.sum():
        return replace(column, values=np.where(known, scores, np.nan), is_integer=False)
    bounds = values[1:]
    if len(values) > FEW_VALUES:
        bounds = np.unique(np.quantile(scores[known], np.arange(1, N_BINS) / N_BINS, method="lower"))
    codes = np.where(known, np.searchsorted(bounds, scores, side="right"), -1)
    levels = tuple(str(level) for level in range(len(bounds) + 1))
    return Column(column.name, "ordinal", codes.astype(np.int64), levels)


def _pooled(column: Column) -> Column:
    counts = np.bincount(column.values[~column.missing], minlength=len(column.categories))
    if (counts > 0).sum() <= MOST_LEVELS:
        return column
    place = np.empty(len(counts), dtype=np.int64)
    place[np.argsort(-counts, kind="stable")] = np.minimum(np.arange(len(counts)), MOST_LEVELS - 1)
    levels = tuple(str(level) for level in range(MOST_LEVELS))
    return replace(column, values=np.where(column.missing, -1, place[column.values]), categories=levels)

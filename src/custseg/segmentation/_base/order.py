"""The order of segments, and of the columns they are found in: the same however the table is arranged."""

from __future__ import annotations

import numpy as np

from custseg._core.arrays import Floats, Integers
from custseg._core.customers import Column
from custseg.segmentation._base.weighted import distribution, mid_ranks

__all__ = ["DIGITS", "order_by_content", "segment_order", "weighted_mean"]


# Digits that decide an order; the last ones depend on the order of the rows in a sum.
DIGITS = 9


def weighted_mean(matrix: Floats, mass: Floats) -> Floats:
    """Return the mean of every column."""
    return np.asarray((matrix * mass[:, None]).sum(axis=0) / mass.sum())


def order_by_content(matrix: Floats, mass: Floats) -> Integers:
    """Order the columns of a matrix by their moments, and by how they go with the distance from the mean.

    Columns that tie are told apart by how they go with others. Those that tie even then can, as a rule,
    change places without changing the set of rows: no order of them follows from the content.
    """
    # In units of the largest value, so that a moment that is 0 but for rounding is seen as 0.
    scaled = matrix / (np.abs(matrix).max() or 1.0)
    centred = scaled - weighted_mean(scaled, mass)
    norms = np.einsum("ij,ij->i", centred, centred)[:, None]
    keys = [weighted_mean(part, mass) for part in (scaled, centred**2, centred**3, norms * centred)]
    ranks = _ranks(np.stack(keys, axis=1))
    n_ranks = 0
    while n_ranks < ranks.max(initial=0) + 1 < len(ranks):
        n_ranks = int(ranks.max()) + 1
        sums = centred @ np.eye(n_ranks)[ranks]  # over the columns of each rank
        weighted = centred.T * (mass / mass.sum())
        ranks = _ranks(np.column_stack([ranks, weighted @ sums, weighted @ sums**2, weighted @ sums**3]))
    return np.argsort(ranks, kind="stable")


def _ranks(keys: Floats) -> Integers:
    """Rank the columns by their keys, one row of them for each; equal ones alike."""
    return np.unique(np.round(keys, DIGITS) + 0.0, axis=0, return_inverse=True)[1].reshape(-1)


def segment_order(centers: Floats, labels: Integers, mass: Floats, by: Column | None) -> Integers:
    """Order segments by the mean of a characteristic, then by size, then by centre; the highest first."""
    n_segments = len(centers)
    unit = np.abs(centers).max(initial=0.0) or 1.0
    keys = [np.bincount(labels, weights=mass, minlength=n_segments), *np.round(centers / unit, DIGITS).T]
    if by is not None:
        keys.insert(0, _segment_means(by, labels, mass, n_segments))
    return np.lexsort([-np.asarray(key) for key in keys[::-1]])


def _segment_means(column: Column, labels: Integers, mass: Floats, n_segments: int) -> Floats:
    """Mean of a characteristic (mean rank where it is ordinal) in each segment; -inf where it is not known."""
    values, known = column.values, ~column.missing & (mass > 0)
    if column.kind == "ordinal":
        levels, counts = distribution(values[known], mass[known])
        ranks = np.zeros(len(column.categories))
        ranks[levels] = mid_ranks(counts)
        values = ranks[values]
    means = np.full(n_segments, -np.inf)
    for segment in range(n_segments):
        inside, counts = distribution(*(part[known & (labels == segment)] for part in (values, mass)))
        if len(inside):
            means[segment] = (inside * counts).sum() / counts.sum()
    return means

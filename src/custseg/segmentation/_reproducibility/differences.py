"""How clearly segments differ from each other, in the units of the characteristics themselves.

The effect is Hedges' g, as in the personas: of means of numbers, of mean ranks of ordered levels, of shares of a yes
and of each level.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from custseg._core.arrays import Floats, Integers
from custseg._core.customers import Column
from custseg._core.effects import hedges_g

__all__ = ["least_differences"]


def least_differences(columns: Iterable[Column], labels: Mapping[int, Integers]) -> dict[int, Floats]:
    """Return how far each segment differs from the one nearest to it, at several numbers of segments.

    How far two segments differ is the largest effect between them in any characteristic; the nearest segment is that
    from which one differs least.

    Parameters
    ----------
    columns : iterable of Column
        The characteristics, in original units. A customer whose value is missing is left out of its own column alone.
    labels : mapping of int to ndarray of shape (n_customers,)
        For each number of segments the segment of each customer, -1 for one in none.

    Returns
    -------
    dict of int to ndarray of shape (n_segments,)
        The differences, 0 where nothing tells two segments apart; a segment without another has none (NaN).
    """
    largest = {number: np.zeros((number, number)) for number in labels}
    for column in columns:
        known = np.flatnonzero(~column.missing)
        # sums run over sorted values, so that no order of the rows changes a digit
        known = known[np.argsort(column.values[known], kind="stable")]
        values = column.values[known]
        for number, segments in labels.items():
            own = segments[known]
            effects = _effects(column, values[own >= 0], own[own >= 0], number)
            largest[number] = np.fmax(largest[number], effects)
    return {number: _nearest(differences) for number, differences in largest.items()}


def _nearest(differences: Floats) -> Floats:
    if len(differences) < 2:
        return np.full(len(differences), np.nan)
    np.fill_diagonal(differences, np.inf)
    return np.asarray(differences.min(axis=1))


def _effects(column: Column, values: npt.NDArray[Any], labels: Integers, n_segments: int) -> Floats:
    """Return the largest effect between each two segments; NaN where nothing is known of one."""
    if not len(values):
        return np.full((n_segments, n_segments), np.nan)
    moments = _of_numbers if column.kind == "numeric" else _of_ranks if column.kind == "ordinal" else _of_shares
    counts, means, sds = moments(column, values, labels, n_segments)
    effects = np.abs(
        hedges_g(
            segment_mean=means[:, None],
            segment_sd=sds[:, None],
            n_segment=counts[:, None],
            rest_mean=means[None],
            rest_sd=sds[None],
            n_rest=counts[None],
        )
    )
    return np.asarray(np.fmax.reduce(effects, axis=2))


Moments = tuple[Floats, Floats, Floats]
"""Counts, means and standard deviations of each segment; arrays of shape (n_segments, n_numbers)."""


def _of_numbers(_: Column, values: npt.NDArray[Any], labels: Integers, n_segments: int) -> Moments:
    # A shift and a power of two keep squares in range and change no effect.
    deviations = values - values[len(values) // 2]
    deviations = np.ldexp(deviations, -int(np.frexp(np.abs(deviations).max())[1]))
    counts = np.bincount(labels, minlength=n_segments).astype(np.float64)
    means = np.bincount(labels, deviations, n_segments) / np.maximum(counts, 1.0)
    squares = np.bincount(labels, (deviations - means[labels]) ** 2, n_segments)
    return counts[:, None], means[:, None], np.sqrt(squares / np.maximum(counts, 1.0))[:, None]


def _of_ranks(column: Column, values: npt.NDArray[Any], labels: Integers, n_segments: int) -> Moments:
    table = _levels(column, values, labels, n_segments)
    overall = table.sum(axis=0)
    ranks = np.cumsum(overall) - overall / 2.0
    counts = table.sum(axis=1)
    means = table @ ranks / np.maximum(counts, 1.0)
    squares = (table * (ranks - means[:, None]) ** 2).sum(axis=1)
    return counts[:, None], means[:, None], np.sqrt(squares / np.maximum(counts, 1.0))[:, None]


def _of_shares(column: Column, values: npt.NDArray[Any], labels: Integers, n_segments: int) -> Moments:
    table = _levels(column, values, labels, n_segments)
    counts = np.broadcast_to(table.sum(axis=1)[:, None], table.shape)
    shares = table / np.maximum(counts, 1.0)
    return counts, shares, np.sqrt(shares * (1.0 - shares))


def _levels(column: Column, values: npt.NDArray[Any], labels: Integers, n_segments: int) -> Floats:
    """Count the customers of each segment by level; a yes and a no are two."""
    n_levels = max(2, len(column.categories))
    cells = np.bincount(labels * n_levels + values.astype(np.int64), minlength=n_segments * n_levels)
    return cells.reshape(n_segments, n_levels).astype(np.float64)

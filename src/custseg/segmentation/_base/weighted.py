"""Distributions of weighted values: what a segmenter computes from them knows no order of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from custseg._core.arrays import Floats, Integers

__all__ = ["distribution", "mid_ranks", "quantile"]


def distribution(values: npt.NDArray[Any], mass: Floats) -> tuple[npt.NDArray[Any], Floats]:
    """Return the distinct values in order and the mass of each.

    What is computed from them depends neither on the order of the rows nor on whether a customer
    stands there twice or counts twice.
    """
    if _are_few_counts(
        mass
    ):  # as a rule: one row per customer, or some twice; values are sorted faster than their order
        ordered = np.sort(np.repeat(values, mass.astype(np.int64)))
        starts = _starts(ordered)
        return ordered[starts], np.diff(np.append(starts, len(ordered))).astype(np.float64)
    values, mass = values[mass > 0], mass[mass > 0]
    order = np.lexsort((mass, values))
    ordered = values[order]
    starts = _starts(ordered)
    return ordered[starts], np.add.reduceat(mass[order], starts) if len(ordered) else np.empty(0)


def _are_few_counts(mass: Floats) -> bool:
    """Say whether masses are whole numbers, which add up to no more than twice as many rows as there are."""
    return bool((mass == np.floor(mass)).all() and mass.sum() <= 2 * len(mass))


def _starts(ordered: npt.NDArray[Any]) -> Integers:
    """Return the place of the first of each run of equal values."""
    return np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])) if len(ordered) else np.empty(0, np.int64)


def quantile(values: Floats, counts: Floats, level: float) -> float:
    """Weighted quantile of sorted distinct values: the least value with at least ``level`` of the mass up to it."""
    reached = np.cumsum(counts)
    position = int(np.searchsorted(reached, level * reached[-1] * (1.0 - 1e-12)))
    return float(values[min(position, len(values) - 1)])


def mid_ranks(counts: Floats) -> Floats:
    """Ranks of sorted distinct values on a scale from 0 to 1: the share below plus half the share equal."""
    return np.asarray((np.cumsum(counts) - counts / 2.0) / counts.sum())

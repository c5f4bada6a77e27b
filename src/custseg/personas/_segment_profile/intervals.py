"""Intervals of means and shares."""

from __future__ import annotations

import numpy as np
from scipy import stats

from custseg._core.arrays import Floats


def mean_interval(means: Floats, variances: Floats, counts: Floats, confidence_level: float) -> tuple[Floats, Floats]:
    """Return the ends of Student's intervals; ``variances`` are divided by n."""
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.sqrt(np.where(counts > 1, variances / (counts - 1), np.nan))
        half = stats.t.ppf((1 + confidence_level) / 2, np.maximum(counts - 1, 1)) * error
    return means - half, means + half


def share_interval(shares: Floats, counts: Floats, confidence_level: float) -> tuple[Floats, Floats]:
    """Return the ends of Wilson's intervals (1927), *Journal of the American Statistical Association* 22, 209-212."""
    z = stats.norm.ppf((1 + confidence_level) / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        center = (shares + z**2 / (2 * counts)) / (1 + z**2 / counts)
        half = z * np.sqrt(shares * (1 - shares) / counts + z**2 / (4 * counts**2)) / (1 + z**2 / counts)
    return np.clip(center - half, 0.0, 1.0), np.clip(center + half, 0.0, 1.0)

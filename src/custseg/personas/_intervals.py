"""Intervals of means, and of shares as they were counted, or as they were learned and measured part by part."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import stats

from custseg._core.arrays import Floats

__all__ = ["cross_fitted_interval", "mean_interval", "wilson_interval"]


def mean_interval(
    means: npt.ArrayLike, variances: npt.ArrayLike, counts: npt.ArrayLike, confidence_level: float = 0.95
) -> tuple[Floats, Floats]:
    """Return the ends of Student's interval of means.

    Parameters
    ----------
    means, variances, counts : array-like
        The means, the variances divided by n, and of how many each is; NaN where of fewer than two.
    confidence_level : float, default=0.95
        How often the interval is to hold the mean.

    Returns
    -------
    low, high : ndarray

    Examples
    --------
    >>> low, high = mean_interval([5.0], [1.0], [26])
    >>> low.round(2), high.round(2)
    (array([4.59]), array([5.41]))
    """
    center, n = np.asarray(means, dtype=np.float64), np.asarray(counts, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.sqrt(np.where(n > 1, np.asarray(variances) / (n - 1), np.nan))
        half = stats.t.ppf((1 + confidence_level) / 2, np.maximum(n - 1, 1)) * error
    return center - half, center + half


def wilson_interval(
    shares: npt.ArrayLike, counts: npt.ArrayLike, confidence_level: float = 0.95
) -> tuple[Floats, Floats]:
    """Return the ends of Wilson's interval (1927, *Journal of the American Statistical Association* 22) of shares.

    Parameters
    ----------
    shares, counts : array-like
        The shares, and of how many each is; NaN where of none.
    confidence_level : float, default=0.95
        How often the interval is to hold the share.

    Returns
    -------
    low, high : ndarray

    Examples
    --------
    >>> low, high = wilson_interval([0.9], [20])
    >>> low.round(3), high.round(3)
    (array([0.699]), array([0.972]))
    """
    means, counts = np.asarray(shares, dtype=np.float64), np.asarray(counts, dtype=np.float64)
    z = stats.norm.ppf((1.0 + confidence_level) / 2.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        center = (means + z**2 / (2 * counts)) / (1 + z**2 / counts)
        half = z * np.sqrt(means * (1 - means) / counts + z**2 / (4 * counts**2)) / (1 + z**2 / counts)
    return np.clip(center - half, 0.0, 1.0), np.clip(center + half, 0.0, 1.0)


def cross_fitted_interval(shares: npt.ArrayLike, counts: npt.ArrayLike, spread: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return Wilson's interval of 95%, widened by how much what was learned of the parts differs.

    What was learned of all customers is one of many that such customers give, of which the parts show a few.

    Parameters
    ----------
    shares, counts : array-like
        As in :func:`wilson_interval`, each customer measured by what was learned of others.
    spread : array-like
        The standard deviation of the share between what was learned of the parts, on the same customers.

    Returns
    -------
    low, high : ndarray

    Examples
    --------
    >>> low, high = cross_fitted_interval([0.9], [20], [0.1])
    >>> low.round(3), high.round(3)
    (array([0.597]), array([1.]))
    """
    low, high = wilson_interval(shares, counts)
    half = np.hypot((high - low) / 2, stats.norm.ppf(0.975) * np.asarray(spread))
    return np.clip((low + high) / 2 - half, 0.0, 1.0), np.clip((low + high) / 2 + half, 0.0, 1.0)

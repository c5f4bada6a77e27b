"""The interval of a share."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import stats

from custseg._core.arrays import Floats

__all__ = ["wilson_interval"]


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
    center = (means + z**2 / (2 * counts)) / (1 + z**2 / counts)
    half = z * np.sqrt(means * (1 - means) / counts + z**2 / (4 * counts**2)) / (1 + z**2 / counts)
    return np.clip(center - half, 0.0, 1.0), np.clip(center + half, 0.0, 1.0)

"""How far a distribution leans to one side, by its quantiles: what a single large value cannot decide."""

from __future__ import annotations

__all__ = ["SKEWED", "quantile_skewness"]

SKEWED = 0.35
"""Above it a number is skewed: the embedding takes it to logs, and personas show its median."""


def quantile_skewness(low: float, middle: float, high: float) -> float:
    """Return how much more of the spread between two outer quantiles lies above the median than below it.

    Parameters
    ----------
    low, middle, high : float
        The 1% quantile, the median and the 99% quantile.

    Returns
    -------
    float
        From -1 (all of it below) to 1 (all of it above); 0 where there is no spread.

    Examples
    --------
    >>> quantile_skewness(0.0, 1.0, 2.0), quantile_skewness(0.0, 0.5, 2.0)
    (0.0, 0.5)
    """
    if high <= low:
        return 0.0
    return ((high - middle) - (middle - low)) / (high - low)

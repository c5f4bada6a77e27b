"""How far two groups of customers differ, whatever the unit: the one definition of an effect size."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from custseg._core.arrays import Floats
from custseg._core.rounding import ROUNDING
from custseg._core.surroundings import as_usual

__all__ = ["hedges_g"]


@as_usual
def hedges_g(
    *,
    segment_mean: npt.ArrayLike,
    segment_sd: npt.ArrayLike,
    n_segment: npt.ArrayLike,
    rest_mean: npt.ArrayLike,
    rest_sd: npt.ArrayLike,
    n_rest: npt.ArrayLike,
) -> Floats:
    """Distance of a segment's mean from that of everyone else, in pooled standard deviations.

    Unlike a test statistic it does not grow with the number of customers, so it ranks.

    Parameters
    ----------
    segment_mean, rest_mean : array-like
        Mean in the segment, and over all customers outside it.
    segment_sd, rest_sd : array-like
        Their standard deviations, divided by n (``ddof=0``).
    n_segment, n_rest : array-like
        Their numbers of customers with a known value.

    Returns
    -------
    ndarray
        Corrected for small samples by 1 - 3/(4 df - 1), df = n_segment + n_rest - 2. Infinite where
        nothing varies inside either group and the means differ; NaN where the column is constant, be it
        but for rounding, a group is empty, or df is 0.

    References
    ----------
    Hedges (1981), *Journal of Educational Statistics* 6(2).

    Examples
    --------
    >>> from custseg.personas import hedges_g
    >>> hedges_g(segment_mean=110, segment_sd=10, n_segment=200, rest_mean=105, rest_sd=10, n_rest=800).round(3)
    np.float64(0.499)
    """
    mean, sd, n, other, other_sd, n_other = _floats(segment_mean, segment_sd, n_segment, rest_mean, rest_sd, n_rest)
    freedom = np.where((n > 0) & (n_other > 0) & (n + n_other > 2), n + n_other - 2, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        pooled = np.sqrt((n * sd**2 + n_other * other_sd**2) / freedom)
        room = ROUNDING * np.maximum(np.abs(mean), np.abs(other))
        pooled = np.where((pooled > room) | (np.abs(mean - other) > room), pooled, np.nan)
        return np.asarray((mean - other) / pooled * (1 - 3 / (4 * freedom - 1)))[()]


def _floats(*values: Any) -> list[Floats]:
    return [np.asarray(value, dtype=np.float64) for value in values]

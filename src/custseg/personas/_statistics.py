"""The figures behind a profile: how far a segment lies from everyone, and how sure that is.

All functions take counts, means and standard deviations rather than data, and broadcast like numpy,
so that one call compares every segment on every level.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import betaln, ndtri_exp

from custseg._core.arrays import Floats
from custseg._core.rounding import ROUNDING
from custseg._core.surroundings import as_usual

MARKER_DIFFERENCE = 0.25
"""A share this far from that of all customers marks a segment."""
MARKER_RATIO = 0.5
"""So does one this far in proportion to it."""

_TERMS_AT_ONCE = 64
_NEGLIGIBLE = 1e-17


@as_usual
def numeric_v_test(
    *,
    segment_mean: npt.ArrayLike,
    overall_mean: npt.ArrayLike,
    overall_sd: npt.ArrayLike,
    n_segment: npt.ArrayLike,
    n_overall: npt.ArrayLike,
) -> Floats:
    """Compare a segment's mean with that of as many customers drawn at random without replacement.

    Parameters
    ----------
    segment_mean, overall_mean : array-like
        Mean in the segment and over all customers.
    overall_sd : array-like
        Standard deviation over all customers, divided by n (``ddof=0``).
    n_segment, n_overall : array-like
        Numbers of customers with a known value.

    Returns
    -------
    ndarray
        The distance in standard errors, about standard normal for a random segment; NaN for a
        column that is constant, be it but for rounding, and for a segment that holds everyone.

    References
    ----------
    Lebart, Morineau and Piron (1995), *Statistique exploratoire multidimensionnelle*.

    Examples
    --------
    >>> from custseg.personas import numeric_v_test
    >>> everyone = {"overall_mean": 5.843333, "overall_sd": 0.825301, "n_overall": 150}
    >>> numeric_v_test(segment_mean=5.006, n_segment=50, **everyone).round(3)
    np.float64(-8.757)
    """
    mean, centre, sd, n, total = _floats(segment_mean, overall_mean, overall_sd, n_segment, n_overall)
    with np.errstate(divide="ignore", invalid="ignore"):
        sd = np.where(sd > ROUNDING * np.abs(centre), sd, 0.0)
        error = sd / np.sqrt(n) * np.sqrt((total - n) / (total - 1))
        # Nothing can differ without an error to measure it by: 0/0 and x/0 alike are unknown.
        return np.asarray((mean - centre) / np.where(error > 0, error, np.nan))[()]


@as_usual
def category_p_value(
    *, n_both: npt.ArrayLike, n_segment: npt.ArrayLike, n_level: npt.ArrayLike, n_overall: npt.ArrayLike
) -> Floats:
    """Two-sided mid-p of the number of customers of a segment who have a category.

    With F and S the hypergeometric probabilities of fewer and of more than ``n_both``, and f that of
    exactly as many, it is the smaller of 2F + f and 2S + f.

    Parameters
    ----------
    n_both : array-like of int
        Customers of the segment who have the category.
    n_segment, n_level, n_overall : array-like of int
        Customers of the segment, customers who have the category, all customers.

    Returns
    -------
    ndarray
        The p-values, at most 1; those below about 1e-308 are 0.

    See Also
    --------
    category_v_test : The same as a normal deviate, which stays finite where p vanishes.

    References
    ----------
    Lebart, Morineau and Piron (1995), *Statistique exploratoire multidimensionnelle*.

    Examples
    --------
    >>> from custseg.personas import category_p_value
    >>> category_p_value(n_both=51, n_segment=74, n_level=155, n_overall=300).round(9)
    np.float64(0.000616301)
    """
    return np.asarray(np.exp(_log_p_value(n_both, n_segment, n_level, n_overall)))[()]


@as_usual
def category_v_test(
    *, n_both: npt.ArrayLike, n_segment: npt.ArrayLike, n_level: npt.ArrayLike, n_overall: npt.ArrayLike
) -> Floats:
    """Express the p-value of a category as a normal deviate.

    Parameters
    ----------
    n_both, n_segment, n_level, n_overall : array-like of int
        As in :func:`category_p_value`.

    Returns
    -------
    ndarray
        Positive where the segment has the category more often than everyone together, negative where
        less often, 0 where equally often. Computed from the logarithm of p, so it stays finite.

    Examples
    --------
    >>> from custseg.personas import category_v_test
    >>> category_v_test(n_both=51, n_segment=74, n_level=155, n_overall=300).round(6)
    np.float64(3.424337)
    """
    both, n, level, total = _floats(n_both, n_segment, n_level, n_overall)
    size = -ndtri_exp(_log_p_value(both, n, level, total) - np.log(2))
    return np.asarray(np.sign(both * total - n * level) * size + 0.0)[()]


def _log_p_value(
    n_both: npt.ArrayLike, n_segment: npt.ArrayLike, n_level: npt.ArrayLike, n_overall: npt.ArrayLike
) -> Floats:
    both, n, level, total = np.broadcast_arrays(*_floats(n_both, n_segment, n_level, n_overall))
    # Too few with the category are too many without it, so one tail serves both sides.
    few = both * total < n * level
    log_tail = _log_upper(np.where(few, n - both, both), n, np.where(few, total - level, level), total)
    # The two expressions of the minimum add up to 2.
    over = log_tail > 0
    log_tail[over] = np.log(np.maximum(2 - np.exp(log_tail[over]), np.finfo(float).tiny))
    return log_tail


def _log_upper(both: Floats, n: Floats, level: Floats, total: Floats) -> Floats:
    """Log of f(both) + 2 P(more than both), summed outwards in units of f(both)."""
    log_first = _log_choose(level, both) + _log_choose(total - level, n - both) - _log_choose(total, n)
    sums = np.ones(both.size)
    flat = [np.ravel(part)[:, None] for part in (both, n, level, total)]
    active = np.arange(both.size)
    last = np.ones((both.size, 1))
    steps = np.arange(_TERMS_AT_ONCE)
    while len(active):
        counts, drawn, marked, everyone = (part[active] for part in flat)
        j = counts + steps
        # Beyond the largest possible count a factor is 0 and ends the product; more factors could turn negative.
        ratios = np.maximum(marked - j, 0) * np.maximum(drawn - j, 0)
        ratios /= (j + 1) * np.maximum(everyone - marked - drawn + j + 1, 1)
        terms = last * np.cumprod(ratios, axis=1)
        sums[active] += 2 * terms.sum(axis=1)
        going = terms[:, -1] > _NEGLIGIBLE * sums[active]
        active, last = active[going], terms[going, -1:]
        steps = steps + _TERMS_AT_ONCE
    return np.asarray(log_first + np.log(sums).reshape(both.shape))


def _log_choose(n: Floats, k: Floats) -> Floats:
    return np.asarray(-betaln(n - k + 1, k + 1) - np.log1p(n))


@as_usual
def eta_squared(*, means: npt.ArrayLike, sds: npt.ArrayLike, counts: npt.ArrayLike) -> Floats:
    """Share of a characteristic's variance that lies between the segments.

    Parameters
    ----------
    means, sds, counts : array-like of shape (n_segments, ...)
        Mean, standard deviation (``ddof=0``) and number of known values of each segment. Segments
        with no known value are left out.

    Returns
    -------
    ndarray of shape (...)
        Between 0 and 1; NaN for a column that is constant, be it but for rounding.

    Examples
    --------
    >>> from custseg.personas import eta_squared
    >>> eta_squared(means=[5.006, 5.936, 6.588], sds=[0.348947, 0.510983, 0.629489], counts=[50, 50, 50]).round(3)
    np.float64(0.619)
    """
    mean, sd, n = np.broadcast_arrays(*_floats(means, sds, counts))
    mean, sd = np.where(n > 0, mean, 0.0), np.where(n > 0, sd, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = (n * mean).sum(axis=0) / n.sum(axis=0)
        between = (n * (mean - centre) ** 2).sum(axis=0)
        total = between + (n * sd**2).sum(axis=0)
        varies = total > n.sum(axis=0) * (ROUNDING * centre) ** 2
        return np.asarray(between / np.where(varies, total, np.nan))[()]


@as_usual
def lift(*, segment_share: npt.ArrayLike, overall_share: npt.ArrayLike) -> Floats:
    """How many times as common a category is in a segment as among all customers.

    Parameters
    ----------
    segment_share, overall_share : array-like
        Shares between 0 and 1.

    Returns
    -------
    ndarray
        Their ratio; NaN where nobody has the category.

    Examples
    --------
    >>> from custseg.personas import lift
    >>> lift(segment_share=0.6, overall_share=0.4).round(2)
    np.float64(1.5)
    """
    share, overall = _floats(segment_share, overall_share)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(share / np.where(overall > 0, overall, np.nan))[()]


@as_usual
def is_marker(*, segment_share: npt.ArrayLike, overall_share: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Say whether a share marks a segment: .25 away from that of all customers, or half of it.

    Parameters
    ----------
    segment_share, overall_share : array-like
        Shares between 0 and 1.

    Returns
    -------
    ndarray of bool
        True where abs(x - m) >= .25 or abs(x - m)/m >= .5; False where a share is not known.

    References
    ----------
    Dolnicar, Grün and Leisch (2018), *Market Segmentation Analysis*, on marker variables.

    Examples
    --------
    >>> from custseg.personas import is_marker
    >>> is_marker(segment_share=[0.75, 0.55, 0.15], overall_share=[0.5, 0.4, 0.1])
    array([ True, False,  True])
    """
    share, overall = _floats(segment_share, overall_share)
    # Shares are ratios of counts: without the slack .75 - .5 would pass and .85 - .6 would not.
    distance = np.abs(share - overall) + 1e-12
    return np.asarray((distance >= MARKER_DIFFERENCE) | ((overall > 0) & (distance >= MARKER_RATIO * overall)))[()]


@as_usual
def benjamini_hochberg(p_values: npt.ArrayLike) -> Floats:
    """Adjust p-values for the false discovery rate over all of them.

    Parameters
    ----------
    p_values : array-like of shape (n_tests,)
        p-values; NaN stands for no test and stays NaN.

    Returns
    -------
    ndarray of shape (n_tests,)
        The smallest rate at which each would be called a discovery.

    References
    ----------
    Benjamini and Hochberg (1995), *Journal of the Royal Statistical Society B* 57(1).

    Examples
    --------
    >>> from custseg.personas import benjamini_hochberg
    >>> benjamini_hochberg([0.01, 0.04, 0.03, 0.5]).round(4)
    array([0.04  , 0.0533, 0.0533, 0.5   ])
    """
    p = np.asarray(p_values, dtype=np.float64)
    adjusted = np.full(p.shape, np.nan)
    known = np.flatnonzero(~np.isnan(p))
    falling = known[np.argsort(p[known], kind="stable")[::-1]]
    rank = np.arange(len(falling), 0, -1)
    adjusted[falling] = np.minimum(1.0, np.minimum.accumulate(p[falling] * len(falling) / rank))
    return adjusted


def _floats(*values: Any) -> list[Floats]:
    return [np.asarray(value, dtype=np.float64) for value in values]

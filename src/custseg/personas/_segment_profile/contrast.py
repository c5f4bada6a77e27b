"""Each segment against everyone else on one or more numbers: means, effect sizes, and how sure these are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr
from scipy.stats import t as student

from custseg._core.arrays import Bools, Floats
from custseg._core.effects import hedges_g
from custseg.personas._statistics import (
    category_p_value,
    category_v_test,
    eta_squared,
    is_marker,
    lift,
    numeric_v_test,
)

Figures = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Contrast:
    """Each segment against everyone else on one or more numbers; all arrays (n_segments, n_numbers)."""

    counts: Floats
    means: Floats
    n_rest: Floats
    rest_means: Floats
    overall_means: Floats
    effect_size: Floats
    v_test: Floats
    eta2: Floats

    @classmethod
    def of(cls, counts: Floats, means: Floats, squares: Floats) -> Contrast:
        """Build from counts, means and sums of squares about the means (both 0 where the count is)."""
        others = 1.0 - np.eye(len(counts))
        n_rest = others @ counts
        n_all = counts.sum(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            rest_means = others @ (counts * means) / n_rest
            # segment by segment: of many segments and levels all gaps at once would not fit into memory
            between = np.array(
                [here @ (counts * (means - rest) ** 2) for here, rest in zip(others, rest_means, strict=True)]
            )
            rest_sds = np.sqrt((others @ squares + between) / n_rest)
            sds = np.sqrt(squares / counts)
            mean = (counts * means).sum(axis=0) / n_all
            sd = np.sqrt((squares + counts * (means - mean) ** 2).sum(axis=0) / n_all)
        effect_size = hedges_g(
            segment_mean=means,
            segment_sd=sds,
            n_segment=counts,
            rest_mean=rest_means,
            rest_sd=rest_sds,
            n_rest=n_rest,
        )
        return cls(
            counts,
            np.where(counts > 0, means, np.nan),
            n_rest,
            rest_means,
            np.broadcast_to(mean, means.shape),
            _finite(effect_size, counts, n_rest),
            numeric_v_test(segment_mean=means, overall_mean=mean, overall_sd=sd, n_segment=counts, n_overall=n_all),
            np.broadcast_to(eta_squared(means=means, sds=sds, counts=counts), means.shape),
        )

    @property
    def p_value(self) -> Floats:
        """Two-sided p-values of the v-tests."""
        return np.asarray(2 * ndtr(-np.abs(self.v_test)))

    def few(self, min_group_size: int) -> tuple[Bools, Bools]:
        """Say where the segment, and where everyone else, is too small to be shown."""
        return self.counts < min_group_size, self.n_rest < min_group_size


def _finite(effect_size: Floats, counts: Floats, n_rest: Floats) -> Floats:
    """Put in place of an infinite effect that of a yes or no which half a customer on either side contradicts.

    Where nothing varies inside, so many customers cannot tell the effect from that.
    """
    no_here, no_rest = 0.5 / (counts + 1), 0.5 / (n_rest + 1)
    within = counts * no_here * (1 - no_here) + n_rest * no_rest * (1 - no_rest)
    with np.errstate(divide="ignore", invalid="ignore"):
        most = (1 - no_here - no_rest) / np.sqrt(within / (counts + n_rest - 2))
    return np.where(np.isinf(effect_size), np.sign(effect_size) * most, effect_size)


def compare_shares(table: Floats, known: Floats) -> tuple[Contrast, Figures]:
    """Compare the shares of levels.

    Parameters
    ----------
    table, known : ndarray of shape (n_segments, n_levels)
        Those of each segment that have each level, and those of whom it is known.

    Returns
    -------
    contrast : Contrast
        Of having the level.
    figures : dict of str to ndarray
        ``p_value``, ``v_test``, ``lift``, ``difference_pp``, ``marker``; NaN where there is nothing to test: a level is
        everyone's, or a segment holds everyone. p = 1 would only dilute the others.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = np.nan_to_num(table / known)
    contrast = Contrast.of(known, shares, known * shares * (1 - shares))
    overall, total = table.sum(axis=0), known.sum(axis=0)
    counts = {"n_both": table, "n_segment": known, "n_level": overall, "n_overall": total}
    p_value, v_test = category_p_value(**counts), np.asarray(category_v_test(**counts))
    untested = np.isnan(contrast.v_test)
    v_test[untested] = p_value[untested] = np.nan
    of_all = {"segment_share": shares, "overall_share": contrast.overall_means}
    return contrast, {
        "p_value": p_value,
        "v_test": v_test,
        "lift": np.asarray(lift(**of_all)),
        "difference_pp": 100 * (shares - contrast.rest_means),
        "marker": np.asarray(is_marker(**of_all)),
    }


def effect_interval(
    contrast: Contrast, moments: tuple[Floats, Floats, Floats], confidence_level: float
) -> tuple[Floats, Floats]:
    """Return the ends of the intervals of effect sizes.

    By the delta method from the moments of the data, whatever their distribution; for normal data it is the variance of
    Hedges and Olkin (1985), *Statistical Methods for Meta-Analysis*, chapter 5.

    Parameters
    ----------
    contrast : Contrast
        What the effects are of.
    moments : tuple of ndarray of shape (n_segments, n_numbers)
        The second, third and fourth moment of each segment about its mean.
    confidence_level : float
        The share of the intervals that hold the effect in all customers like these.

    Returns
    -------
    low, high : ndarray of shape (n_segments, n_numbers)
        NaN where nothing varies.
    """
    n, n_rest = contrast.counts, contrast.n_rest
    rest = _of_the_rest(contrast, moments)
    freedom = np.maximum(n + n_rest - 2, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        pooled = (n * moments[0] + n_rest * rest[0]) / freedom
        pooled = np.where(pooled > 0, pooled, np.nan)
        small_sample = 1 - 3 / (4 * freedom - 1)
        g = contrast.effect_size / small_sample
        of_difference = moments[0] / n + rest[0] / n_rest
        of_pooled = (n * (moments[2] - moments[0] ** 2) + n_rest * (rest[2] - rest[0] ** 2)) / freedom**2
        both = (moments[1] - rest[1]) / freedom
        variance = of_difference / pooled + g**2 / 4 * of_pooled / pooled**2 - g * both / pooled**1.5
    half = student.ppf((1 + confidence_level) / 2, freedom) * small_sample * np.sqrt(np.maximum(variance, 0.0))
    return contrast.effect_size - half, contrast.effect_size + half


def _of_the_rest(contrast: Contrast, moments: tuple[Floats, Floats, Floats]) -> tuple[Floats, Floats, Floats]:
    """Return the moments of everyone else about their mean."""
    second, third, fourth = (np.nan_to_num(moment) for moment in moments)
    others = 1.0 - np.eye(len(contrast.counts))
    sums = np.zeros((3, *contrast.counts.shape))
    for segment, (here, rest) in enumerate(zip(others, contrast.rest_means, strict=True)):
        gap = np.nan_to_num(contrast.means - rest)
        parts = (
            second + gap**2,
            third + 3 * gap * second + gap**3,
            fourth + 4 * gap * third + 6 * gap**2 * second + gap**4,
        )
        sums[:, segment] = [here @ (contrast.counts * part) for part in parts]
    with np.errstate(divide="ignore", invalid="ignore"):
        second, third, fourth = sums / contrast.n_rest
    return second, third, fourth

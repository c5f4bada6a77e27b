"""How far a weight may be from the one that was found: by the bootstrap, or from standard errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.special import expit
from sklearn.utils import check_random_state

from custseg._core.arrays import Floats
from custseg._core.params import RANDOM_STATE, Integer, ParameterTable, Where
from custseg._core.threads import one_thread

__all__ = [
    "INTERVAL_PARAMETERS",
    "Patterns",
    "bootstrap_if_several",
    "bootstrap_intervals",
    "by_name",
    "logit_intervals",
]


INTERVAL_PARAMETERS: ParameterTable = {
    "confidence_level": (
        Where(lambda value: isinstance(value, float) and 0.0 < value < 1.0, "a number between 0 and 1"),
    ),
    "n_boot": (Integer(1),),
    "random_state": RANDOM_STATE,
}

# Bootstrap samples that are drawn together: their counts stay small in memory.
BATCH = 100


class Patterns:
    """Respondents by their distinct answers, in an order given by the content.

    Sums over them, and samples drawn from them, depend neither on the order of the respondents nor on
    whether one stands there twice or counts twice.

    Parameters
    ----------
    rows : ndarray of shape (n_respondents, n_columns)
        The answers, without NaN.
    mass : ndarray of shape (n_respondents,)
        How many respondents each row stands for.
    """

    def __init__(self, rows: Floats, mass: Floats) -> None:
        self.rows, pattern = np.unique(rows[mass > 0], axis=0, return_inverse=True)
        # sorted, so that fractions too are added in an order that the table does not decide
        order = np.lexsort((mass[mass > 0], pattern.ravel()))
        starts = np.searchsorted(pattern.ravel()[order], np.arange(len(self.rows)))
        self.counts = np.add.reduceat(mass[mass > 0][order], starts)

    @property
    def totals(self) -> Floats:
        """The sum of every column."""
        return np.asarray((self.rows * self.counts[:, None]).sum(axis=0))

    def resampled(self, n_boot: int, random_state: Any) -> Floats:
        """Return the sum of every column in each of ``n_boot`` bootstrap samples of the respondents."""
        random = check_random_state(random_state)
        n_drawn = max(round(self.counts.sum()), 1)
        shares = self.counts / self.counts.sum()
        totals = []
        with one_thread():
            for start in range(0, n_boot, BATCH):
                drawn = random.multinomial(n_drawn, shares, size=min(BATCH, n_boot - start))
                totals.append(drawn @ self.rows)
        return np.concatenate(totals)


def bootstrap_intervals(
    patterns: Patterns,
    statistic: Callable[[Floats], Floats],
    *,
    confidence_level: float,
    n_boot: int,
    random_state: Any,
) -> Floats:
    """Return the percentile interval (n_weights, 2) of a function of the column sums (n_samples, n_columns)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        weights = statistic(patterns.resampled(n_boot, random_state))
    # samples in which nobody answered a question say nothing about it
    usable = weights[np.isfinite(weights).all(axis=1)]
    if not len(usable):
        return np.full((weights.shape[1], 2), np.nan)
    tail = (1.0 - confidence_level) / 2.0
    return np.quantile(usable, [tail, 1.0 - tail], axis=0).T


def bootstrap_if_several(patterns: Patterns, statistic: Callable[[Floats], Floats], **sampling: Any) -> Floats | None:
    """Return the intervals of :func:`bootstrap_intervals`; None where a single respondent leaves nothing to draw."""
    return bootstrap_intervals(patterns, statistic, **sampling) if patterns.counts.sum() > 1 else None


def logit_intervals(weights: Floats, covariance: Floats, quantile: float) -> Floats:
    """Return the intervals (n_weights, 2) of shares that sum to 1, from the covariance of their logarithms.

    The interval is symmetric on the logit scale, so that its limits stay between 0 and 1. A constant
    added to all logarithms changes nothing.
    """
    n = len(weights)
    # what is left for the others, summed: 1 - weight would lose the digits of a weight near 1
    others = np.array([np.delete(weights, position).sum() for position in range(n)])
    slopes = -weights[None, :] / others[:, None]
    np.fill_diagonal(slopes, 1.0)
    variance = np.einsum("ij,jk,ik->i", slopes, covariance, slopes)
    half = quantile * np.sqrt(np.maximum(variance, 0.0))
    logit = np.log(weights) - np.log(others)
    return np.column_stack([expit(logit - half), expit(logit + half)])


def by_name(names: Sequence[str], limits: Floats | None) -> dict[str, tuple[float, float]]:
    """Return the limits of each characteristic by its name; those that are not known are left out."""
    if limits is None:
        return {}
    pairs = zip(names, limits.tolist(), strict=True)
    return {name: (low, high) for name, (low, high) in pairs if np.isfinite(low) and np.isfinite(high)}

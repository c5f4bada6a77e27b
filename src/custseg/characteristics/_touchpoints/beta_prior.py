"""How far a rate from few trials is drawn towards the rate of everyone: a beta prior learned from the customers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import betaln, digamma, expit, logit

from custseg._core.arrays import Floats, Integers

# the weight of a uniform prior, for want of anything to learn from
FALLBACK_STRENGTH = 2.0
WEAKEST, STRONGEST = 0.1, 1000.0


@dataclass(frozen=True)
class BetaPrior:
    """A prior for the rate of a customer: as if ``strength`` trials had been seen, a share ``mean`` of them successes.

    Attributes
    ----------
    mean : float
        The rate of a customer of whom nothing is known; NaN where nobody had a trial.
    strength : float
        How many trials the prior is worth; 0 is no prior.
    source : {"learned", "given", "fallback"}
        Where the strength comes from.

    Examples
    --------
    >>> import numpy as np
    >>> prior = BetaPrior(mean=0.2, strength=5.0, source="given")
    >>> prior.rates(np.array([1, 1, 10, 0]), np.array([0, 1, 5, 0])).round(3)
    array([0.167, 0.333, 0.4  ,   nan])
    """

    mean: float
    strength: float
    source: str

    @classmethod
    def learn(cls, trials: Integers, successes: Integers, strength: float | None) -> BetaPrior:
        """Learn the prior from all customers.

        Parameters
        ----------
        trials, successes : ndarray of int64
            Of each customer; those without a trial do not count.
        strength : float or None
            The strength where it is given; None learns it. Then mean and strength are those under
            which the beta-binomial distribution makes the counts likeliest, the strength between 0.1
            and 1,000. Where nobody had two trials, or all trials ended alike, customers cannot be
            told apart from chance, and the strength is 2.

        Returns
        -------
        prior : BetaPrior
            The prior.
        """
        n_trials = int(trials.sum())
        mean = float(successes.sum()) / n_trials if n_trials else np.nan
        if strength is not None:
            return cls(mean, float(strength), "given")
        if not (n_trials and 0.0 < mean < 1.0 and trials.max() >= 2):
            return cls(mean, FALLBACK_STRENGTH, "fallback")
        return cls(*_likeliest(trials, successes, mean), "learned")

    def rates(self, trials: Integers, successes: Integers) -> Floats:
        """Return the posterior mean of each customer's rate; NaN for a customer without a trial."""
        rates = np.full(len(trials), np.nan)
        tried = trials > 0
        known = self.mean * self.strength if self.strength else 0.0
        rates[tried] = (successes[tried] + known) / (trials[tried] + self.strength)
        return rates


def _likeliest(trials: Integers, successes: Integers, mean: float) -> tuple[float, float]:
    """Maximise the likelihood of a beta-binomial distribution over its mean and strength."""
    tried = trials > 0
    # both numbers in one, which sorts many times faster than pairs
    width = int(trials.max()) + 1
    pairs, counts = np.unique(trials[tried] * width + successes[tried], return_counts=True)
    n, r = (part.astype(np.float64) for part in np.divmod(pairs, width))

    def loss(at: Floats) -> tuple[float, Any]:
        share, strength = float(expit(at[0])), float(np.exp(at[1]))
        a, b = share * strength, (1.0 - share) * strength
        likelihood = counts @ (betaln(r + a, n - r + b) - betaln(a, b))
        both = digamma(a + b) - digamma(n + a + b)
        slope_a = counts @ (digamma(r + a) - digamma(a) + both)
        slope_b = counts @ (digamma(n - r + b) - digamma(b) + both)
        slopes = [(slope_a - slope_b) * strength * share * (1.0 - share), slope_a * a + slope_b * b]
        # per customer, so that the tolerances mean the same for few and many
        return -likelihood / counts.sum(), -np.array(slopes) / counts.sum()

    start = np.array([logit(mean), np.log(10.0)])
    bounds = [(-20.0, 20.0), (np.log(WEAKEST), np.log(STRONGEST))]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-14, "gtol": 1e-9})
    return float(expit(found.x[0])), float(np.exp(found.x[1]))

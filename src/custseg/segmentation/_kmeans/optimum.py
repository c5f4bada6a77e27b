"""How good a partition is among those of the restarts, and what it cost to find it on a sample."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from custseg._core.results import Result
from custseg._core.words import format_number, format_share

__all__ = ["Criterion", "Optimum", "SampleCost", "do_agree", "n_agreed"]

Criterion = Literal["sse", "cost", "log_likelihood"]

# The share of the finished restarts, and the number of them, that confirm a result.
AGREE, FEWEST_AGREEING = 0.25, 3


def n_agreed(n_finished: int) -> int:
    """Return how many of so many restarts must have ended at the best result to confirm it."""
    return max(math.ceil(AGREE * n_finished), FEWEST_AGREEING)


def do_agree(n_hits: int, n_finished: int) -> bool:
    """Say whether so many restarts ended at the best result that it need not be searched further."""
    return n_hits >= n_agreed(n_finished)


@dataclass(frozen=True, kw_only=True, repr=False)
class SampleCost(Result):
    """What it cost to find the segments on a sample of the distinct rows.

    What the sample gave is improved by passes over all rows (Lloyd's, for k-prototypes the like; EM of latent
    classes goes on until it has converged), and the improved is kept. How far those passes improve the
    objective is what the sample had cost before; what the last of them still gained says how much is left.
    Neither says whether restarts on all rows would have found a better local optimum.
    A clusterer of scikit-learn's is not run on; there, one pass says what the means of all rows gain.

    Attributes
    ----------
    criterion : {"sse", "cost", "log_likelihood"}
        What ``objective`` is: the sum of squared distances (SSE) of all rows to their centres; the cost of
        k-prototypes; the log-likelihood of a customer, on average over all, for latent classes.
    n_sampled : int
        The number of distinct rows in the sample.
    n_patterns : int
        The number of distinct rows.
    sample_objective : float
        The objective over all rows with what was found on the sample.
    objective : float
        The objective over all rows after the passes: that of the result.
    n_passes : int
        The number of passes over all rows.
    last_gain : float
        By which share of the objective the last pass lowered it; NaN for latent classes, whose passes end where
        nothing is gained.

    Examples
    --------
    >>> import numpy as np
    >>> from custseg.segmentation import SegmentClusterer
    >>> spend = np.random.RandomState(0).normal(size=(2000, 1)) + 4 * (np.arange(2000)[:, None] % 2)
    >>> cost = SegmentClusterer(2, sample_above=500, random_state=0).fit(spend).sample_loss_
    >>> 400 < cost.n_sampled < 600 < cost.n_patterns
    True
    >>> cost.n_passes, 0 <= cost.loss < 0.02
    (2, True)
    """

    criterion: Criterion
    n_sampled: int
    n_patterns: int
    sample_objective: float
    objective: float
    n_passes: int
    last_gain: float = math.nan

    @property
    def loss(self) -> float:
        """How much worse the sample's objective was than that of the result.

        A share of it; a difference for a log-likelihood, of which a share would say nothing.
        """
        if self.criterion == "log_likelihood":
            return self.objective - self.sample_objective
        return self.sample_objective / self.objective - 1.0 if self.objective > 0 else 0.0

    def __str__(self) -> str:
        what = {
            "sse": f"{format_share(self.loss, 2)} of the squared distances",
            "cost": f"{format_share(self.loss, 2)} of the cost",
            "log_likelihood": f"{format_number(self.loss)} of the log-likelihood of a customer",
        }
        return (
            f"Starting from {self.n_sampled:,} of {self.n_patterns:,} distinct rows had cost {what[self.criterion]}, "
            f"which {self.n_passes:,} passes over all rows took back."
        )


@dataclass(frozen=True, kw_only=True, repr=False)
class Optimum(Result):
    """How good the best result is among those that the restarts found.

    Attributes
    ----------
    criterion : {"sse", "cost", "log_likelihood"}
        What ``objective`` is: the sum of squared distances to the segment centres, in the embedding (SSE, lower is
        better); the cost of k-prototypes (lower is better); the log-likelihood of latent classes (higher is better).
    objective : float
        That of the best result; infinite where a sum of squares is above the largest float.
    n_init : int
        The number of restarts.
    n_finished : int
        How many of them were run to the end, or until others were far ahead: all, but for latent classes, where only
        those do that are the best after a few steps.
    n_hits : int
        How many of those reached the best objective of all: up to one part in 10,000 (before
        single-pattern exchanges), a log-likelihood up to 0.001.
    second_best_gap : float
        How much worse the next different result is: by which share of the best objective, or by which difference of
        log-likelihoods; NaN where all restarts agree.
    n_iterations : int
        The number of Lloyd's iterations, all restarts together; 0 where there are none.
    n_emptied : int
        How many of the restarts run to the end lost a latent class: one without customers.
    sample : SampleCost or None
        What it cost to find the segments on a sample; None where all distinct rows were used. The restarts, their
        hits and their gap are then those on the sample.
    is_confirmed : bool
        Whether searches that knew nothing of each other ended at the best result: a quarter of the finished restarts,
        and three at least, or all three searches that follow where restarts disagree, three of four where k-means has
        more than 1,500 different rows (and among cells of close rows above 8,000). For k-means the best result is one
        partition, compared after single-pattern exchanges, so that ``n_hits`` may be enough and not confirm it. If not,
        there may be a better one, which a higher ``n_init`` may find. Even searches that agree can all have missed a
        better one.

    Examples
    --------
    >>> import pandas as pd
    >>> from custseg.segmentation import SegmentClusterer
    >>> customers = pd.DataFrame({"visits": [1, 2, 1, 9, 8], "region": ["N", "N", "N", "S", "S"]})
    >>> optimum = SegmentClusterer(2, random_state=0).fit(customers).optimum_
    >>> optimum.n_init, optimum.n_hits, optimum.hit_rate
    (20, 20, 1.0)
    >>> optimum.criterion, round(optimum.objective, 3)
    ('sse', 0.329)
    """

    criterion: Criterion
    objective: float
    n_init: int
    n_finished: int
    n_hits: int
    second_best_gap: float
    n_iterations: int = 0
    n_emptied: int = 0
    sample: SampleCost | None = None
    is_confirmed: bool = False

    @property
    def hit_rate(self) -> float:
        """The share of the finished restarts that reached the best result: low means more may find a better one."""
        return self.n_hits / self.n_finished

    def __str__(self) -> str:
        text = f"{self.n_hits:,} of {self.n_finished:,} restarts reached the best result"
        if not math.isnan(self.second_best_gap):
            is_share = self.criterion != "log_likelihood"
            gap = format_share(self.second_best_gap, 2) if is_share else f"{format_number(self.second_best_gap)} (log)"
            text += f", and the next different one is worse by {gap}"
        if self.is_confirmed:
            return f"{text}."
        return f"{text}. No search confirmed it by itself: with a higher n_init there may be a better one."

    def to_frame(self) -> pd.DataFrame:
        """Return the figures as a table of one row: the fields, ``hit_rate`` and ``sample_loss``."""
        figures = super().to_frame().drop(columns="sample", errors="ignore")
        loss = math.nan if self.sample is None else self.sample.loss
        return figures.assign(hit_rate=self.hit_rate, sample_loss=loss)

"""Expectation and maximisation for latent classes: all starts at once, on distinct rows with counts."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from custseg._core.arrays import Bools, Floats, Integers
from custseg._core.threads import one_thread
from custseg.segmentation._base.errors import class_emptied
from custseg.segmentation._kmeans.optimum import Optimum, SampleCost, do_agree
from custseg.segmentation._latent_classes.design import Design

__all__ = [
    "SAME_RESULT",
    "SPREAD",
    "Classes",
    "LatentFit",
    "Problem",
    "Run",
    "are_emptied",
    "carried_on",
    "coefficients",
    "fit_latent_classes",
    "in_own_units",
    "log_joint",
]


# After so many EM steps one in so many starts goes on, the best ones; those left in the end are run to the end.
ROUNDS = ((8, 2), (16, 4))
# Numbers in the largest intermediate array (1 MB): it stays in the cache between the steps.
BLOCK = 131_072
# A probability of 0 counts as this: a value that a class never shows is next to impossible there, not more.
SMALLEST_PROBABILITY = 1e-15
# A class with less than this share of the customers has emptied.
EMPTY_SHARE = 1e-9
# Starts whose log-likelihoods differ by less than this have reached the same result.
SAME_RESULT = 1e-3
# Differences of log-likelihoods below this share of them are rounding.
ROUNDING = 1e-14
# Designs of larger numbers are never computed in single precision.
LARGEST_SINGLE = 1e6
# A start is seeded by hard assignments; this share of every customer belongs to all classes alike.
SPREAD = 0.1
HALF_LOG_2PI = 0.5 * math.log(2.0 * math.pi)


@dataclass(frozen=True)
class Classes:
    """The parameters of latent classes; the first axes, where there are more, count the starts.

    Attributes
    ----------
    shares : ndarray of shape (..., n_classes)
        The share of each class.
    levels : ndarray of shape (..., n_classes, n_levels)
        The probability of every level of every categorical characteristic.
    means, variances : ndarray of shape (..., n_classes, n_numeric)
        In standard deviations from the mean of all customers.
    """

    shares: Floats
    levels: Floats
    means: Floats
    variances: Floats

    def __getitem__(self, which: Any) -> Classes:
        return Classes(self.shares[which], self.levels[which], self.means[which], self.variances[which])

    def put(self, which: Any, other: Classes) -> None:
        """Overwrite some starts."""
        self.shares[which], self.levels[which] = other.shares, other.levels
        self.means[which], self.variances[which] = other.means, other.variances


def in_own_units(optimum: Optimum, units: float, total: float) -> Optimum:
    """Say an optimum of numbers in standard deviations of numbers in their own units.

    ``units`` is the sum of the logs of their units over all customers, of whom there are ``total``.
    """
    sample = optimum.sample
    if sample is not None:
        before, after = (each - units / total for each in (sample.sample_objective, sample.objective))
        sample = replace(sample, sample_objective=before, objective=after)
    return replace(optimum, objective=optimum.objective - units, sample=sample)


@dataclass(frozen=True)
class LatentFit:
    """The classes found, and how they were."""

    classes: Classes
    optimum: Optimum
    converged: bool
    n_iter: int


def coefficients(classes: Classes, design: Design) -> Floats:
    """Return what the design matrix is multiplied by: (..., n_classes, n_columns)."""
    found = np.zeros((*classes.shares.shape, design.matrix.shape[1]))
    found[..., 0] = np.log(np.maximum(classes.shares, 1e-300))
    found[..., design.levels] = np.log(np.maximum(classes.levels, SMALLEST_PROBABILITY)) * design.level_weights
    means, variances, weights = classes.means, classes.variances, design.number_weights
    found[..., design.numbers] = means / variances * weights
    found[..., design.squares] = -0.5 / variances * weights
    constants = (-0.5 * means**2 / variances - 0.5 * np.log(variances) - HALF_LOG_2PI) * weights
    always = design.known_columns == 0
    found[..., 0] += constants[..., always].sum(axis=-1)
    found[..., design.known_columns[~always]] = constants[..., ~always]
    return found


def log_joint(classes: Classes, design: Design) -> Floats:
    """Return the log-probability of class and row, (n_rows, n_classes), numbers in standard deviations."""
    with one_thread():
        joint: Floats = design.matrix @ coefficients(classes, design).T
    return joint


@dataclass(frozen=True)
class Problem:
    """What all EM steps share.

    ``weighted`` is the design with every row times its count; ``margins`` are the parameters of a
    single class, for what a class without customers cannot say; ``floor`` is the least variance.
    """

    design: Design
    counts: Floats
    weighted: Floats
    floor: float
    margins: Classes | None = None

    @classmethod
    def of(cls, design: Design, counts: Floats, floor: float) -> Problem:
        problem = cls(design, counts, design.matrix * counts[:, None], floor)
        margins = problem.maximise(problem.weighted.sum(axis=0)[None, None])[0]
        return replace(problem, margins=margins)

    def in_singles(self) -> Problem:
        """Return the same in single precision, for first steps; numbers that do not fit into it stay as they are."""
        if np.abs(self.design.matrix).max() > LARGEST_SINGLE:
            return self
        # the unit of weights cancels where parameters are estimated
        weighted = np.ldexp(self.weighted, -math.frexp(float(self.counts.max()))[1])
        design = replace(self.design, matrix=self.design.matrix.astype(np.float32))
        return replace(self, design=design, weighted=weighted.astype(np.float32))

    def expect(self, classes: Classes) -> tuple[Floats, Floats]:
        """Return the log-likelihood of every start and the expected statistics of every class."""
        n_starts, n_classes = classes.shares.shape
        precise = coefficients(classes, self.design).reshape(n_starts * n_classes, -1)
        by_class = precise.astype(self.design.matrix.dtype, copy=False)
        log_likelihood = np.zeros(n_starts)
        statistics = np.zeros_like(precise)
        step = max(1, BLOCK // len(by_class))
        for start in range(0, len(self.counts), step):
            rows = slice(start, start + step)
            joint = (by_class @ self.design.matrix[rows].T).reshape(n_starts, n_classes, -1)
            top = joint.max(axis=1, keepdims=True)
            joint -= top
            np.exp(joint, out=joint)
            total = joint.sum(axis=1, keepdims=True)
            joint *= 1.0 / total
            log_likelihood += (np.log(total) + top)[:, 0] @ self.counts[rows]
            statistics += joint.reshape(n_starts * n_classes, -1) @ self.weighted[rows]
        return log_likelihood, statistics.reshape(n_starts, n_classes, -1)

    def maximise(self, statistics: Floats) -> Classes:
        """Return the parameters of greatest likelihood, given expected statistics (n_starts, n_classes, n_columns)."""
        design = self.design
        mass = statistics[..., 0]
        shares = mass / mass.sum(axis=-1, keepdims=True)
        levels = statistics[..., design.levels]
        if design.n_levels:
            totals = np.add.reduceat(levels, design.level_starts, axis=-1)
            levels = self._ratio(levels, np.repeat(totals, design.level_sizes, axis=-1), "levels")
        known = statistics[..., design.known_columns]
        means = self._ratio(statistics[..., design.numbers], known, "means")
        squares = self._ratio(statistics[..., design.squares], known, "variances")
        variances = np.where(known > 0, squares - means**2, squares)
        return Classes(shares, levels, means, np.maximum(variances, self.floor))

    def _ratio(self, part: Floats, whole: Floats, name: str) -> Floats:
        if self.margins is None:
            return np.asarray(part / whole)
        filled = np.array(np.broadcast_to(getattr(self.margins, name), part.shape))
        return np.asarray(np.divide(part, whole, out=filled, where=whole > 0))


def fit_latent_classes(
    design: Design,
    counts: Floats,
    n_classes: int,
    *,
    n_init: int,
    max_iter: int,
    tol: float,
    floor: float,
    random_state: np.random.RandomState,
) -> LatentFit:
    """Estimate latent classes by expectation and maximisation from many starts.

    All starts take a few steps together, the best ones are run until the log-likelihood is within
    ``tol`` of its limit, as its last gains foretell it (Aitken), or for ``max_iter`` steps in all. A
    start that cannot reach a converged one any more, at its present pace, is stopped.

    Parameters
    ----------
    design : Design
        The distinct rows.
    counts : ndarray of shape (n_rows,)
        The positive weight of each.
    n_classes, n_init, max_iter : int
        The numbers of classes, of starts and of steps.
    tol : float
        The distance from the limit; 0 takes all ``max_iter`` steps.
    floor : float
        The least variance of a number in a class, as a share of its variance over all customers.
    random_state : RandomState
        The source of the starts.

    Returns
    -------
    LatentFit
        The best solution in which no class has emptied.

    Raises
    ------
    InfeasibleError
        If every start ended with an empty class.
    """
    with one_thread():
        problem = Problem.of(design, counts, floor)
        if n_classes == 1:
            n_init = 1
        classes = _starts(problem, n_classes, random_state.random_sample((n_init, n_classes)))
        run = Run(problem, classes, max_iter, tol)
        for n_steps, one_in in ROUNDS:
            run.take(min(n_steps, max_iter))
            n_kept = max(2, math.ceil(n_init / one_in))
            run.keep(np.argsort(-run.log_likelihood, kind="stable")[:n_kept])
        run.take(max_iter)
        run.end()
    return _best(run, n_init)


def carried_on(
    fit: LatentFit, design: Design, counts: Floats, *, max_iter: int, tol: float, floor: float, n_sampled: int
) -> LatentFit:
    """Run classes found on a sample to the end on all rows, and measure what the sample had cost.

    Parameters
    ----------
    fit : LatentFit
        The classes found on the sample.
    design : Design
        All distinct rows.
    counts : ndarray of shape (n_rows,)
        The positive weight of each.
    max_iter, tol, floor : int and float
        As for :func:`fit_latent_classes`.
    n_sampled : int
        The number of distinct rows in the sample.

    Returns
    -------
    LatentFit
        The classes of all rows.

    Raises
    ------
    InfeasibleError
        If a class empties.
    """
    with one_thread():
        problem = Problem.of(design, counts, floor)
        run = Run(problem, fit.classes[None], max_iter, tol)
        before = float(problem.expect(run.classes)[0][0])
        run.take(max_iter)
        run.end()
    if are_emptied(run.classes).any():
        raise class_emptied(run.classes.shares.shape[1], 1)
    total, after = float(counts.sum()), float(run.log_likelihood[0])
    sample = SampleCost(
        criterion="log_likelihood",
        n_sampled=n_sampled,
        n_patterns=len(counts),
        sample_objective=before / total,
        objective=after / total,
        n_passes=int(run.n_iter[0]),
    )
    optimum = replace(fit.optimum, objective=after, sample=sample)
    return LatentFit(run.classes[0], optimum, bool(run.converged[0]), int(run.n_iter[0]))


class Run:
    """EM of several starts at once; those that have converged, or are beaten, leave the batch."""

    def __init__(self, problem: Problem, classes: Classes, max_iter: int, tol: float) -> None:
        n_starts = len(classes.shares)
        self._problem = problem
        self._max_iter = max_iter
        self._tol = tol
        self.classes = classes
        self.log_likelihood = np.full(n_starts, -np.inf)
        self.gain = np.full(n_starts, np.inf)
        self.converged = np.zeros(n_starts, dtype=bool)
        self.stopped = np.zeros(n_starts, dtype=bool)
        self.n_iter = np.zeros(n_starts, dtype=np.int64)

    def keep(self, which: Integers) -> None:
        """Go on with some starts only."""
        self.classes = self.classes[which]
        for name in ("log_likelihood", "gain", "converged", "stopped", "n_iter"):
            setattr(self, name, getattr(self, name)[which])

    def take(self, n_steps: int) -> None:
        """Step until every start has converged or has taken ``n_steps`` since the beginning."""
        while True:
            active = np.flatnonzero(~self.stopped & (self.n_iter < n_steps))
            if not len(active):
                return
            found, statistics = self._problem.expect(self.classes[active])
            self._judge(active, found)
            going = ~self.converged[active] & ~self._beaten(active)
            self.stopped[active] = ~going
            self.classes.put(active[going], self._problem.maximise(statistics[going]))
            self.n_iter[active[going]] += 1

    def end(self) -> None:
        """Bring the log-likelihoods to the last parameters."""
        self.log_likelihood, _ = self._problem.expect(self.classes)

    def _beaten(self, active: Integers) -> Bools:
        """Say which starts, at their present pace, will not reach one that has converged in the steps left."""
        whole = self.converged & ~are_emptied(self.classes)
        if not whole.any():
            return np.zeros(len(active), dtype=bool)
        behind = self.log_likelihood[whole].max() - self.log_likelihood[active]
        to_come = self.gain[active] * (self._max_iter - self.n_iter[active])
        return np.asarray(behind > np.maximum(to_come, SAME_RESULT))

    def _judge(self, active: Integers, found: Floats) -> None:
        """Note the log-likelihoods, and which of them will not rise by more than the tolerance any more."""
        last_gain = self.gain[active]
        gain = found - self.log_likelihood[active]
        self.log_likelihood[active], self.gain[active] = found, gain
        if self._tol == 0.0:
            return
        judged = np.isfinite(last_gain)
        rate = np.divide(gain, last_gain, out=np.ones_like(gain), where=judged & (last_gain > 0))
        rate = np.clip(rate, 0.0, 1.0 - 1e-6)
        ahead = gain * rate / (1.0 - rate)
        small = (np.maximum(gain, ahead) < self._tol) | (gain <= ROUNDING * np.abs(found))
        self.converged[active] = judged & small


def _starts(problem: Problem, n_classes: int, draws: Floats) -> Classes:
    """Seed every start by distant rows (k-means++), one row of ``draws`` each, and estimate from those nearest."""
    points = problem.design.points(problem.counts)
    norms = np.einsum("ij,ij->i", points, points)
    cumulated = np.cumsum(problem.counts)
    statistics = []
    for uniform in draws:
        nearest = np.zeros(len(points), dtype=np.int64)
        distances = np.full(len(points), np.inf)
        for position in range(n_classes):
            reached = cumulated if position == 0 else np.cumsum(distances * problem.counts)
            if reached[-1] == 0.0:  # rows that differ in rounding only
                reached = cumulated
            seed = min(int(np.searchsorted(reached, uniform[position] * reached[-1], side="right")), len(points) - 1)
            to_seed = np.maximum(norms - 2.0 * (points @ points[seed]) + norms[seed], 0.0)
            closer = to_seed < distances
            nearest[closer], distances[closer] = position, to_seed[closer]
        belongs = np.full((n_classes, len(points)), SPREAD / n_classes)
        belongs[nearest, np.arange(len(points))] += 1.0 - SPREAD
        statistics.append(belongs @ problem.weighted)
    return problem.maximise(np.stack(statistics))


def are_emptied(classes: Classes) -> Bools:
    """Say which models have a class without customers."""
    return np.asarray((classes.shares < EMPTY_SHARE).any(axis=1))


def _best(run: Run, n_init: int) -> LatentFit:
    emptied = are_emptied(run.classes)
    if emptied.all():
        raise class_emptied(run.classes.shares.shape[1], len(emptied))
    found = np.where(emptied, -np.inf, run.log_likelihood)
    best = int(found.argmax())
    behind = found[best] - found[np.isfinite(found)]
    different = behind[behind >= SAME_RESULT]
    n_hits = int((behind < SAME_RESULT).sum())
    optimum = Optimum(
        criterion="log_likelihood",
        objective=float(found[best]),
        n_init=n_init,
        n_finished=len(found),
        n_hits=n_hits,
        second_best_gap=float(different.min()) if len(different) else math.nan,
        n_emptied=int(emptied.sum()),
        is_confirmed=do_agree(n_hits, len(found)),
    )
    return LatentFit(run.classes[best], optimum, bool(run.converged[best]), int(run.n_iter[best]))

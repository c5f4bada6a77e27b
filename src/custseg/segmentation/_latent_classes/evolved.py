"""The local search that latent classes are evolved with, where the restarts disagree."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from custseg._core.arrays import Floats, Integers
from custseg._core.threads import one_thread
from custseg.segmentation._base.effort import are_by_the_hundred
from custseg.segmentation._kmeans.evolution import Population, evolve
from custseg.segmentation._kmeans.lloyd import scores_of
from custseg.segmentation._latent_classes.design import Design
from custseg.segmentation._latent_classes.em import (
    SAME_RESULT,
    SPREAD,
    Classes,
    LatentFit,
    Problem,
    Run,
    are_emptied,
)

__all__ = ["affordable", "searched_on"]

# EM steps of a child; in the end so many of the best take so many more, and the best of these goes on to the end.
N_STEPS, N_BEST, N_MORE = 40, 8, 40
# So many children at most for each restart that was asked for ...
CHILDREN_PER_RESTART = 40
# ... and so many rows x classes x (columns + what a step costs besides): of 20 restarts about a second.
WORK_PER_RESTART, STEP = 2.5e8, 50
# Fewer children than this are not worth beginning.
FEWEST_CHILDREN = 64


def affordable(n_init: int, n_rows: int, n_classes: int, n_columns: int) -> int:
    """Return how many children are worth their time: 0 where they are too few to begin."""
    per_restart = WORK_PER_RESTART / (N_STEPS * n_rows * n_classes * (n_columns + STEP))
    n_children = int(n_init * min(CHILDREN_PER_RESTART, per_restart))
    return n_children if n_children >= FEWEST_CHILDREN else 0


def searched_on(
    fit: LatentFit,
    design: Design,
    counts: Floats,
    *,
    n_init: int,
    max_iter: int,
    tol: float,
    floor: float,
    random_state: np.random.RandomState,
) -> LatentFit:
    """Search among local maxima of the likelihood (see :func:`~custseg.segmentation._kmeans.evolution.evolve`).

    A child is seeded by the rows nearest to each of its centres and takes some EM steps; the best of each population
    are run to the end. Where the restarts agree, or there are too many rows, nothing is done.

    Parameters
    ----------
    fit : LatentFit
        The best of the restarts.
    design : Design
        The distinct rows.
    counts : ndarray of shape (n_rows,)
        The positive weight of each.
    n_init, max_iter, tol, floor
        As for :func:`~custseg.segmentation._latent_classes.em.fit_latent_classes`.
    random_state : RandomState
        The source of all draws.

    Returns
    -------
    LatentFit
        The best that was found, and whether it was confirmed.
    """
    n_classes = len(fit.classes.shares)
    n_children = affordable(n_init, len(counts), n_classes, design.matrix.shape[1])
    if fit.optimum.is_confirmed or not n_children or not 1 < n_classes < len(counts) or are_by_the_hundred():
        return fit
    with one_thread():
        problem = Problem.of(design, counts, floor)
        models = Models(problem, problem.in_singles(), design.points(counts), n_classes, max_iter, tol)
        found = evolve(
            models, models.population(fit.classes[None], problem), n_children=n_children, random=random_state
        )
        optimum = replace(fit.optimum, is_confirmed=found.is_confirmed)
        if -found.cost <= fit.optimum.objective + SAME_RESULT:
            return replace(fit, optimum=optimum)
        run = Run(models.problem, models.classes(found.solution[None]), max_iter, tol)
        run.take(max_iter)
        run.end()
    optimum = replace(optimum, objective=float(run.log_likelihood[0]))
    return LatentFit(run.classes[0], optimum, bool(run.converged[0]), int(run.n_iter[0]))


@dataclass(frozen=True)
class Models:
    """Latent class models as solutions: their parameters in one row, their classes as centres among the points."""

    problem: Problem
    rough: Problem
    points: Floats
    n_clusters: int
    max_iter: int
    tol: float
    same: float = SAME_RESULT

    @property
    def counts(self) -> Floats:
        """The weights of the rows."""
        return self.problem.counts

    def repaired(self, centers: Floats) -> Population:
        """Take centres towards local maxima, in single precision."""
        nearest = scores_of(self.points, centers).argmin(axis=1)
        classes = self.rough.maximise(np.stack([self._statistics(labels) for labels in nearest]))
        for _ in range(N_STEPS):
            classes = self.rough.maximise(self.rough.expect(classes)[1])
        return self.population(classes, self.rough)

    def finished(self, population: Population) -> Population:
        """Take the best further, and the best of these to the end."""
        best = self.classes(population.solutions[:N_BEST])
        for _ in range(N_MORE):
            best = self.rough.maximise(self.rough.expect(best)[1])
        further = self.population(best, self.problem)
        if not len(further.costs):
            return population
        run = Run(self.problem, self.classes(further.solutions[further.costs.argmin()][None]), self.max_iter, self.tol)
        run.take(self.max_iter)
        ended = self.population(run.classes, self.problem)
        rest = Population(population.solutions[N_BEST:], population.centers[N_BEST:], population.costs[N_BEST:])
        solutions, centers, costs = (
            np.concatenate([getattr(part, name) for part in (ended, further, rest)])
            for name in ("solutions", "centers", "costs")
        )
        order = np.argsort(costs, kind="stable")
        return Population(solutions[order], centers[order], costs[order])

    def population(self, classes: Classes, problem: Problem) -> Population:
        """Leave out models with an empty class."""
        classes = classes[~are_emptied(classes)]
        log_likelihood, statistics = problem.expect(classes)
        parts = (classes.shares, classes.levels, classes.means, classes.variances)
        solutions = np.concatenate([part.reshape(len(part), -1) for part in parts], axis=1)
        mass = np.maximum(statistics[..., :1], np.finfo(np.float64).tiny)
        centers = self.problem.design.as_points(statistics / mass, self.counts)
        return Population(solutions, centers, -log_likelihood)

    def classes(self, solutions: Floats) -> Classes:
        """Take rows of parameters apart."""
        design, k = self.problem.design, self.n_clusters
        ends = np.cumsum([k, k * design.n_levels, k * design.n_numbers])
        shares, *others = np.split(solutions, ends, axis=1)
        return Classes(shares, *(part.reshape(len(part), k, -1) for part in others))

    def _statistics(self, labels: Integers) -> Floats:
        belongs = np.full((self.n_clusters, len(labels)), SPREAD / self.n_clusters, dtype=self.rough.weighted.dtype)
        belongs[labels, np.arange(len(labels))] += 1.0 - SPREAD
        return np.asarray(belongs @ self.rough.weighted, dtype=np.float64)

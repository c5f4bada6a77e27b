"""Prototypes of least cost: restarts, and where they disagree a search among local optima."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from custseg._core.arrays import Floats, Integers
from custseg._core.threads import one_thread
from custseg.segmentation._base.effort import are_by_the_hundred
from custseg.segmentation._kmeans.evolution import Population, evolve
from custseg.segmentation._kmeans.optimum import Optimum
from custseg.segmentation._prototypes.search import (
    SAME_PARTITION,
    MixedPatterns,
    descend,
    find_prototypes,
    improve,
    nearest_batch,
    prototype_cost,
    prototypes_of,
)

__all__ = ["affordable", "best_prototypes"]

# So many of the best partitions are improved by single moves when a search ends.
N_FINISHED = 2
# So many children at most for each restart that was asked for ...
CHILDREN_PER_RESTART = 80
# ... and so many patterns x segments x (columns + what a pass costs besides): of 20 restarts about a second.
WORK_PER_RESTART, PASS = 1.0e7, 20
# Fewer children than this are not worth beginning.
FEWEST_CHILDREN = 64


def affordable(n_init: int, n_patterns: int, n_segments: int, n_columns: int) -> int:
    """Return how many children are worth their time: 0 where they are too few to begin."""
    per_restart = WORK_PER_RESTART / (n_patterns * n_segments * (n_columns + PASS))
    n_children = int(n_init * min(CHILDREN_PER_RESTART, per_restart))
    return n_children if n_children >= FEWEST_CHILDREN else 0


def best_prototypes(
    patterns: MixedPatterns, n_segments: int, *, n_init: int, random_state: Any
) -> tuple[Floats, Optimum]:
    """Find the prototypes of least cost; where the restarts disagree, on from them (see ``evolve`` of k-means).

    Parameters
    ----------
    patterns, n_segments, n_init, random_state
        As for :func:`~custseg.segmentation._prototypes.search.find_prototypes`.

    Returns
    -------
    centers : ndarray of shape (n_segments, n_columns)
        The prototypes as points.
    optimum : Optimum
        The cost, how many starts reached it, and whether it was confirmed.
    """
    random = check_random_state(random_state)
    centers, optimum = find_prototypes(patterns, n_segments, n_init=n_init, random_state=random)
    n_children = affordable(n_init, len(patterns.points), n_segments, patterns.points.shape[1])
    if optimum.is_confirmed or not n_children or not 1 < n_segments < len(patterns.points) or are_by_the_hundred():
        return centers, optimum
    with one_thread():
        labels = nearest_batch(patterns, centers[None])[0]
        partitions = Partitions(patterns, n_segments, SAME_PARTITION * optimum.objective)
        start = partitions.population(labels, np.array([optimum.objective]))
        found = evolve(partitions, start, n_children=n_children, random=random)
        if found.cost < optimum.objective - partitions.same:
            centers = prototypes_of(patterns, found.solution[None], n_segments)[0]
            optimum = replace(optimum, objective=found.cost)
    return centers, replace(optimum, is_confirmed=found.is_confirmed)


@dataclass(frozen=True)
class Partitions:
    """Partitions of mixed patterns around prototypes."""

    patterns: MixedPatterns
    n_clusters: int
    same: float

    @property
    def points(self) -> Floats:
        """The patterns as points."""
        return self.patterns.points

    @property
    def counts(self) -> Floats:
        """Their weights."""
        return self.patterns.counts

    def repaired(self, centers: Floats) -> Population:
        """Take prototypes to where neither assignments nor new prototypes help."""
        # a centre that is a pattern with a missing level, or between two, would seem nearer than any prototype can be
        nearest = nearest_batch(self.patterns, centers)[0]
        labels, cost = descend(self.patterns, prototypes_of(self.patterns, nearest, self.n_clusters))
        return self.population(labels, np.maximum(cost - self.patterns.unknown, 0.0))

    def finished(self, population: Population) -> Population:
        """Improve the best by moves of single patterns."""
        improved = [improve(self.patterns, labels, self.n_clusters) for labels in population.solutions[:N_FINISHED]]
        if not improved:
            return population
        cost = np.array([prototype_cost(self.patterns, centers, labels) for centers, labels in improved])
        best = self.population(np.stack([labels for _, labels in improved]), cost)
        solutions, centers, costs = (
            np.concatenate([getattr(best, name), getattr(population, name)])
            for name in ("solutions", "centers", "costs")
        )
        order = np.argsort(costs, kind="stable")
        return Population(solutions[order], centers[order], costs[order])

    def population(self, labels: Integers, costs: Floats) -> Population:
        """Leave out partitions with an empty segment."""
        sizes = np.stack([np.bincount(each, minlength=self.n_clusters) for each in labels])
        full = (sizes > 0).all(axis=1)
        centers = prototypes_of(self.patterns, labels[full], self.n_clusters)
        return Population(labels[full], centers, costs[full])

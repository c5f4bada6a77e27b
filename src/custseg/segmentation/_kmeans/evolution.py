"""Evolution of partitions: two are crossed, one or two centres of a child move, and a local search repairs it.

What is evolved are solutions whose clusters have centres among the points: those of k-means, prototypes and latent
classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from custseg._core.arrays import Floats, Integers
from custseg.segmentation._kmeans.lloyd import pick_each, scores_of, seed_centers, squared_distances, uniform_draws

__all__ = ["Evolved", "Landscape", "Population", "evolve"]

# Partitions of a population, and children of a generation, where there are children enough for four generations.
SIZE = 32
# Each of two populations has so large a share of the children, and ends after so many generations in vain.
SHARE, PATIENCE = 0.3, 8
# The shares of the children in which a centre is moved, and in which two clusters are split anew: one and one of so
# many nearest. The others have only what they have of their parents.
MOVED, SPLIT = 0.1, 0.6
NEIGHBOURS = 4


@dataclass(frozen=True)
class Population:
    """Different solutions, the best first: what they are (n, ...), their centres (n, k, d) and their costs (n,)."""

    solutions: npt.NDArray[Any]
    centers: Floats
    costs: Floats


class Landscape(Protocol):
    """What is searched: points and their weights, the number of clusters, and a local search.

    ``repaired`` takes centres (n, k, d) to local optima and leaves out those with an empty cluster; solutions whose
    costs differ by no more than ``same`` are one.
    """

    @property
    def points(self) -> Floats: ...

    @property
    def counts(self) -> Floats: ...

    @property
    def n_clusters(self) -> int: ...

    @property
    def same(self) -> float: ...

    def repaired(self, centers: Floats) -> Population: ...


@dataclass(frozen=True)
class Evolved:
    """The best solution, its cost, and whether both searches, each on its own, ended at it."""

    solution: npt.NDArray[Any]
    cost: float
    is_confirmed: bool


def evolve(landscape: Landscape, start: Population, *, n_children: int, random: np.random.RandomState) -> Evolved:
    """Search among local optima by crossing them (compare HG-means [1]_).

    Of two solutions, each the better of two drawn from the population, the centres are matched, and the child has
    each centre of one or of the other. In most children two neighbouring clusters are then split anew, or a centre
    drawn at random is given up, and one is put on a point drawn by its squared distance from all centres. The local
    search of the landscape repairs all children together, and the best different solutions are the next population.

    Two populations are evolved, neither of which knows of the other or of ``start``. Where both end at the best
    solution of all, that confirms it; otherwise all are joined for the rest of the children.

    Parameters
    ----------
    landscape : Landscape
        What is searched; of more than one cluster, and less than there are points.
    start : Population
        The best solutions so far.
    n_children : int
        How many children to repair at most.
    random : RandomState
        Source of all draws.

    Returns
    -------
    Evolved
        The best solution.

    References
    ----------
    .. [1] D. Gribel and T. Vidal (2019). HG-means: a scalable hybrid genetic algorithm for minimum sum-of-squares
       clustering. Pattern Recognition 88, 569-583.
    """
    size, share = min(SIZE, n_children // 8), int(SHARE * n_children)
    apart = [
        _evolved(landscape, _begun(landscape, size, random), (size, share - size, PATIENCE), random) for _ in range(2)
    ]
    found = _survivors(landscape, [start, *apart], 2 * size)
    is_confirmed = all((population.costs <= found.costs[0] + landscape.same).any() for population in apart)
    if not is_confirmed:
        found = _evolved(landscape, found, (2 * size, n_children - 2 * share, 2 * PATIENCE), random)
    return Evolved(found.solutions[0], float(found.costs[0]), is_confirmed)


def _begun(landscape: Landscape, size: int, random: np.random.RandomState) -> Population:
    draws = uniform_draws(size, landscape.n_clusters, random)
    return _survivors(landscape, [landscape.repaired(seed_centers(landscape.points, landscape.counts, draws))], size)


def _evolved(
    landscape: Landscape, population: Population, limits: tuple[int, int, int], random: np.random.RandomState
) -> Population:
    """Replace the population by the best of it and its children until so many generations have gained nothing."""
    size, n_children, patience = limits
    in_vain = 0
    for done in range(0, n_children, SIZE):
        # where points differ by rounding alone, all solutions may have an empty cluster
        if in_vain == patience or not len(population.costs):
            break
        children = landscape.repaired(_children(landscape, population, min(SIZE, n_children - done), random))
        following = _survivors(landscape, [population, children], size)
        in_vain = 0 if following.costs[0] < population.costs[0] - landscape.same else in_vain + 1
        population = following
    return population


def _survivors(landscape: Landscape, populations: list[Population], size: int) -> Population:
    solutions, centers, costs = (
        np.concatenate([getattr(population, name) for population in populations])
        for name in ("solutions", "centers", "costs")
    )
    order = np.argsort(costs, kind="stable")
    is_new = np.ones(len(order), dtype=bool)
    is_new[1:] = np.diff(costs[order]) > landscape.same
    kept = order[is_new][:size]
    return Population(solutions[kept], centers[kept], costs[kept])


def _children(landscape: Landscape, population: Population, n_children: int, random: np.random.RandomState) -> Floats:
    """Return the centres of children (n_children, k, d)."""
    centers, n_clusters = population.centers, landscape.n_clusters
    # the best come first: of two places the lower one is the better
    parents = random.randint(len(centers), size=(n_children, 2, 2)).min(axis=2)
    from_other = random.random_sample((n_children, n_clusters)) < 0.5
    children: Floats = centers[parents[:, 0]]
    for child, (one, other), taken in zip(children, parents, from_other, strict=True):
        if one != other:
            child[taken] = centers[other][_matched(centers[one], centers[other])][taken]
    # what two equal parents have is no child yet
    draw = random.random_sample(n_children) * np.where(parents[:, 0] == parents[:, 1], SPLIT + MOVED, 1.0)
    split, moved = np.flatnonzero(draw < SPLIT), np.flatnonzero((draw >= SPLIT) & (draw < SPLIT + MOVED))
    if len(split):
        children[split] = _split_anew(landscape, children[split], random)
    if len(moved):
        children[moved] = _moved(landscape, children[moved], random)
    return children


def _split_anew(landscape: Landscape, centers: Floats, random: np.random.RandomState) -> Floats:
    """Put the centres of two neighbouring clusters of each partition on two points of theirs."""
    n_children, n_clusters, _ = centers.shape
    nearest = scores_of(landscape.points, centers).argmin(axis=1)
    one: Integers = np.asarray(random.randint(n_clusters, size=n_children))
    apart = ((centers - centers[np.arange(n_children), one][:, None]) ** 2).sum(axis=2)
    place = random.randint(1, min(NEIGHBOURS, n_clusters - 1) + 1, size=n_children)
    other = np.argsort(apart, axis=1, kind="stable")[np.arange(n_children), place]
    points = landscape.points
    weights = landscape.counts * ((nearest == one[:, None]) | (nearest == other[:, None]))
    every, norms = np.arange(n_children), np.einsum("ij,ij->i", points, points)
    # as k-means++ begins, among these points alone
    draws = uniform_draws(n_children, 2, random)
    first = pick_each(np.cumsum(weights, axis=1), draws[:, 0, :1])[:, 0]
    closest = squared_distances(points[first], norms[first], points, norms)
    candidates = pick_each(np.cumsum(closest * weights, axis=1), draws[:, 1])
    reached = squared_distances(points[candidates.ravel()], norms[candidates.ravel()], points, norms)
    reached = np.minimum(reached.reshape(*candidates.shape, -1), closest[:, None])
    second = candidates[every, np.einsum("rcn,rn->rc", reached, weights).argmin(axis=1)]
    split, full = centers.copy(), weights.any(axis=1)
    split[every[full], one[full]] = points[first[full]]
    split[every[full], other[full]] = points[second[full]]
    return split


def _matched(centers: Floats, others: Floats) -> Integers:
    """Return which of the others each centre is paired with, so that the pairs are near."""
    norms, other_norms = (np.einsum("ij,ij->i", rows, rows) for rows in (centers, others))
    return np.asarray(linear_sum_assignment(squared_distances(centers, norms, others, other_norms))[1])


def _moved(landscape: Landscape, centers: Floats, random: np.random.RandomState) -> Floats:
    """Move one centre of each partition to a point that is far from all others."""
    every = np.arange(len(centers))
    given_up = random.randint(landscape.n_clusters, size=len(centers))
    scores = scores_of(landscape.points, centers)
    scores[every, given_up] = np.inf
    cost = (
        np.maximum(scores.min(axis=1) + np.einsum("ij,ij->i", landscape.points, landscape.points), 0.0)
        * landscape.counts
    )
    far = pick_each(np.cumsum(cost, axis=1), random.random_sample((len(centers), 1)))[:, 0]
    moved = centers.copy()
    moved[every, given_up] = landscape.points[far]
    return moved

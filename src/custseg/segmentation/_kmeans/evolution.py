"""Evolution of partitions: two are crossed, one or two centres of a child move, and a local search repairs it.

What is evolved are solutions whose clusters have centres among the points: those of k-means, prototypes and latent
classes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from custseg._core.arrays import Floats, Integers
from custseg.segmentation._kmeans.lloyd import pick_each, scores_of, seed_centers, squared_distances, uniform_draws

__all__ = ["Evolved", "Landscape", "Population", "evolve"]

# Partitions of a population at its beginning, and children of a generation, where there are children enough for four.
SIZE = 32
# From each generation to the next a population loses all but so large a share, as long as more than so many are left:
# the first ones differ, which finds where to look, the last ones are near the best, which finds what is there.
SHRINK, SMALLEST = 0.9, 5
# Each of so many populations has so large a share of the children, and ends after so many generations in vain.
N_APART, SHARE, PATIENCE = 3, 0.25, 5
# Solutions are alike where the centres of the one are so near, of the distance between neighbouring centres, to those
# of the other (squared, on average). So many alike are in each population, and in the joined one.
ALIKE = 0.05
FEW_ALIKE, MANY_ALIKE = 1, 2
# Centres of larger numbers are not compared in single precision.
LARGEST_SINGLE = 1e15
# The shares of the children in which a centre is moved, and in which two clusters are split anew: one and one of so
# many nearest. The others have only what they have of their parents.
MOVED, SPLIT = 0.15, 0.15
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
    costs differ by no more than ``same`` are one. ``finished`` does what is left to be done for the best ones of a
    population.
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

    def finished(self, population: Population) -> Population: ...


@dataclass(frozen=True)
class Evolved:
    """The best solution, its cost, and whether all searches, each on its own, ended at it."""

    solution: npt.NDArray[Any]
    cost: float
    is_confirmed: bool


def evolve(landscape: Landscape, start: Population, *, n_children: int, random: np.random.RandomState) -> Evolved:
    """Search among local optima by crossing them (compare HG-means [1]_).

    Of two solutions, each the better of two drawn from the population, the centres are matched, and the child has
    some neighbouring centres of the one and the rest of the other. In some children two neighbouring clusters are then
    split anew, or a centre drawn at random is given up, and one is put on a point drawn by its squared distance from
    all centres. The local search of the landscape repairs all children together, and the best solutions are the next
    population: of those that are alike the best one only, or it would soon hold nothing else.

    Three populations are evolved, none of which knows of the others or of ``start``. Then all are joined for the rest
    of the children, and a few that are alike are kept. Where all three end at the best solution of all, and the joined
    population finds none that is better, that confirms it.

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
    alone, joined = (
        _Limits(size, share - size),
        _Limits(2 * size, n_children - N_APART * share, 3 * PATIENCE, MANY_ALIKE),
    )
    apart = [
        landscape.finished(_evolved(landscape, _begun(landscape, alone, random), alone, random)) for _ in range(N_APART)
    ]
    found = _survivors(landscape, [start, *apart], joined)
    do_agree = all((population.costs <= found.costs[0] + landscape.same).any() for population in apart)
    if do_agree:
        joined = replace(joined, patience=PATIENCE)
    ended = landscape.finished(_evolved(landscape, found, joined, random))
    is_confirmed = do_agree and bool(found.costs[0] <= ended.costs[0] + landscape.same)
    return Evolved(ended.solutions[0], float(ended.costs[0]), is_confirmed)


@dataclass(frozen=True)
class _Limits:
    """Of a population: solutions, children in all, generations in vain, and how many solutions may be alike."""

    size: int
    n_children: int
    patience: int = PATIENCE
    n_alike: int = FEW_ALIKE

    def shrunk(self) -> _Limits:
        return replace(self, size=max(int(SHRINK * self.size), min(self.size, SMALLEST)))


def _begun(landscape: Landscape, limits: _Limits, random: np.random.RandomState) -> Population:
    draws = uniform_draws(limits.size, landscape.n_clusters, random)
    return _survivors(landscape, [landscape.repaired(seed_centers(landscape.points, landscape.counts, draws))], limits)


def _evolved(
    landscape: Landscape, population: Population, limits: _Limits, random: np.random.RandomState
) -> Population:
    """Replace the population by the best of it and its children until so many generations have gained nothing."""
    in_vain, n_children = 0, limits.n_children
    for done in range(0, n_children, SIZE):
        # where points differ by rounding alone, all solutions may have an empty cluster
        if in_vain == limits.patience or not len(population.costs):
            break
        limits = limits.shrunk()
        children = landscape.repaired(_children(landscape, population, min(SIZE, n_children - done), random))
        following = _survivors(landscape, [population, children], limits)
        in_vain = 0 if following.costs[0] < population.costs[0] - landscape.same else in_vain + 1
        population = following
    return population


def _survivors(landscape: Landscape, populations: list[Population], limits: _Limits) -> Population:
    solutions, centers, costs = (
        np.concatenate([getattr(population, name) for population in populations])
        for name in ("solutions", "centers", "costs")
    )
    order = np.argsort(costs, kind="stable")
    is_new = np.ones(len(order), dtype=bool)
    is_new[1:] = np.diff(costs[order]) > landscape.same
    order = order[is_new]
    kept = order[_spread(centers[order], limits)]
    return Population(solutions[kept], centers[kept], costs[kept])


def _spread(centers: Floats, limits: _Limits) -> Integers:
    """Choose solutions, the best first, leaving out those of which enough alike have been chosen."""
    n_solutions, n_clusters, n_columns = centers.shape
    if n_solutions < 2:
        return np.arange(n_solutions)
    # clusters come before solutions, which makes least values along them fast
    precision = np.float32 if np.abs(centers).max() < LARGEST_SINGLE else np.float64
    singles: npt.NDArray[Any] = np.ascontiguousarray(centers.transpose(1, 0, 2), dtype=precision)
    norms = np.einsum("krd,krd->kr", singles, singles)
    between = squared_distances(singles[:, 0], norms[:, 0], singles[:, 0], norms[:, 0])
    np.fill_diagonal(between, np.inf)
    limit = ALIKE * float(between.min(axis=1).mean())
    n_alike = np.zeros(n_solutions, dtype=np.int64)
    kept: list[int] = []
    left = np.arange(n_solutions)
    while len(left) and len(kept) < limits.size:
        place, left = int(left[0]), left[1:]
        kept.append(place)
        others = singles[:, left].reshape(-1, n_columns)
        apart = squared_distances(singles[:, place], norms[:, place], others, norms[:, left].ravel())
        apart = apart.reshape(n_clusters, n_clusters, -1)
        away = 0.5 * (apart.min(axis=0).mean(axis=0) + apart.min(axis=1).mean(axis=0))
        n_alike[left] += away < limit
        left = left[n_alike[left] < limits.n_alike]
    return np.array(kept, dtype=np.int64)


def _children(landscape: Landscape, population: Population, n_children: int, random: np.random.RandomState) -> Floats:
    """Return the centres of children (n_children, k, d)."""
    centers = population.centers
    # the best come first: of two places the lower one is the better
    parents = random.randint(len(centers), size=(n_children, 2, 2)).min(axis=2)
    from_other = _neighbourhoods(centers[parents[:, 0]], random)
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


def _neighbourhoods(centers: Floats, random: np.random.RandomState) -> npt.NDArray[np.bool_]:
    """Choose a centre of each solution, and up to half of all that are nearest to it: (n_solutions, k)."""
    n_solutions, n_clusters, _ = centers.shape
    middle = random.randint(n_clusters, size=n_solutions)
    apart = ((centers - centers[np.arange(n_solutions), middle][:, None]) ** 2).sum(axis=2)
    n_taken = random.randint(1, n_clusters // 2 + 1, size=n_solutions)
    places = np.argsort(np.argsort(apart, axis=1, kind="stable"), axis=1, kind="stable")
    return np.asarray(places < n_taken[:, None])


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

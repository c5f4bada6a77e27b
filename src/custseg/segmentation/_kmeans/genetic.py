"""Genetic search: partitions are crossed, one or two centres of a child move, and a local search repairs it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from custseg._core.arrays import Floats, Integers
from custseg.segmentation._kmeans.exchange import exchange_batch
from custseg.segmentation._kmeans.lloyd import (
    MAX_ITERATIONS,
    pick_each,
    scores_of,
    seed_centers,
    squared_distances,
    sums_batch,
    uniform_draws,
)

__all__ = ["Evolved", "affordable", "genetic_search"]

# So many children at most for each restart that was asked for ...
CHILDREN_PER_RESTART = 80
# ... and so many patterns x clusters x (columns + what a pass costs besides): of 20 restarts about a second.
WORK_PER_RESTART, PASS = 1.8e7, 12
# Fewer children than this are not worth beginning.
FEWEST_CHILDREN = 64
# Partitions of a population, and children of a generation, where there are children enough for four generations.
SIZE = 32
# Each of two populations has so large a share of the children, and ends after so many generations in vain.
SHARE, PATIENCE = 0.3, 8
# The shares of the children in which a centre is moved, and in which two clusters are split anew: one and one of so
# many nearest. The others have only what they have of their parents.
MOVED, SPLIT = 0.1, 0.6
NEIGHBOURS = 4
# Partitions whose SSE differs by less than this share are the same.
SAME = 1e-9

Singles = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Evolved:
    """The best partition: labels (n_patterns,), SSE, and whether both searches, each on its own, ended at it."""

    labels: Integers
    sse: float
    is_confirmed: bool


def affordable(n_init: int, n_patterns: int, n_clusters: int, n_columns: int) -> int:
    """Return how many children are worth their time: 0 where they are too few to begin."""
    per_restart = WORK_PER_RESTART / (n_patterns * n_clusters * (n_columns + PASS))
    n_children = int(n_init * min(CHILDREN_PER_RESTART, per_restart))
    return n_children if n_children >= FEWEST_CHILDREN else 0


def genetic_search(
    points: Floats, counts: Floats, labels: Integers, n_clusters: int, *, n_children: int, random: np.random.RandomState
) -> Evolved:
    """Search among the local optima of k-means by crossing them (compare HG-means [1]_).

    Of two partitions, each the better of two drawn from the population, the centres are matched, and the child has
    each centre of one or of the other. In most children two neighbouring clusters are then split anew, or a centre
    drawn at random is given up, and one is put on a pattern drawn by its share of the SSE. Lloyd's iterations (in
    single precision) and exchanges of single patterns repair all children together, and the best different partitions
    are the next population.

    Two populations are evolved, neither of which knows of the other or of ``labels``. Where both end at the best
    partition of all, that confirms it; otherwise all are joined for the rest of the children.

    Parameters
    ----------
    points, counts : ndarray of shape (n_patterns, n_features) and (n_patterns,)
        Centred patterns and their weights.
    labels : ndarray of shape (n_patterns,)
        The best partition so far, without an empty cluster.
    n_clusters : int
        The number of clusters, less than that of the patterns.
    n_children : int
        How many partitions to repair at most, see :func:`affordable`.
    random : RandomState
        Source of all draws.

    Returns
    -------
    Evolved
        The best partition.

    References
    ----------
    .. [1] D. Gribel and T. Vidal (2019). HG-means: a scalable hybrid genetic algorithm for minimum sum-of-squares
       clustering. Pattern Recognition 88, 569-583.
    """
    problem = _Problem.of(points, counts, n_clusters)
    size, share = min(SIZE, n_children // 8), int(SHARE * n_children)
    apart = [_evolved(_begun(problem, size, random), size, share - size, PATIENCE, random) for _ in range(2)]
    found = _survivors(
        [_population(problem, *exchange_batch(points, counts, labels[None], n_clusters)), *apart], 2 * size
    )
    is_confirmed = all((population.sse <= found.sse[0] * (1.0 + SAME)).any() for population in apart)
    if not is_confirmed:
        found = _evolved(found, 2 * size, n_children - 2 * share, 2 * PATIENCE, random)
    return Evolved(found.labels[0], float(found.sse[0]), is_confirmed)


@dataclass(frozen=True)
class _Problem:
    """Patterns, their weights, and what is computed of them once, the last two in single precision."""

    points: Floats
    counts: Floats
    norms: Floats
    weighted: Floats
    columns: Singles
    sums: Singles
    n_clusters: int

    @classmethod
    def of(cls, points: Floats, counts: Floats, n_clusters: int) -> _Problem:
        weighted = np.column_stack([points * counts[:, None], counts])
        columns = np.ascontiguousarray(points.T, dtype=np.float32)
        norms = np.einsum("ij,ij->i", points, points)
        # weights of any unit fit into single precision
        sums = np.ldexp(weighted, -math.frexp(float(counts.max()))[1]).astype(np.float32)
        return cls(points, counts, norms, weighted, columns, sums, n_clusters)


@dataclass(frozen=True)
class _Population:
    """Different partitions, the best first: labels (n, n_patterns), centres (n, k, d) and SSE (n,)."""

    problem: _Problem
    labels: Integers
    centers: Floats
    sse: Floats


def _begun(problem: _Problem, size: int, random: np.random.RandomState) -> _Population:
    draws = uniform_draws(size, problem.n_clusters, random)
    return _survivors([_repaired(problem, seed_centers(problem.points, problem.counts, draws))], size)


def _evolved(
    population: _Population, size: int, n_children: int, patience: int, random: np.random.RandomState
) -> _Population:
    """Replace the population by the best of it and its children until nothing is gained."""
    in_vain = 0
    for done in range(0, n_children, SIZE):
        # where patterns differ by rounding alone, all partitions may have an empty cluster
        if in_vain == patience or not len(population.sse):
            break
        children = _repaired(population.problem, _children(population, min(SIZE, n_children - done), random))
        following = _survivors([population, children], size)
        in_vain = 0 if following.sse[0] < population.sse[0] * (1.0 - SAME) else in_vain + 1
        population = following
    return population


def _survivors(populations: list[_Population], size: int) -> _Population:
    labels, centers, sse = (
        np.concatenate([getattr(population, name) for population in populations])
        for name in ("labels", "centers", "sse")
    )
    order = np.argsort(sse, kind="stable")
    ordered = sse[order]
    is_new = np.ones(len(order), dtype=bool)
    is_new[1:] = np.diff(ordered) > SAME * ordered[1:]
    kept = order[is_new][:size]
    return _Population(populations[0].problem, labels[kept], centers[kept], sse[kept])


def _children(population: _Population, n_children: int, random: np.random.RandomState) -> Floats:
    """Return the centres of children (n_children, k, d)."""
    centers, n_clusters = population.centers, population.problem.n_clusters
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
        children[split] = _split_anew(population.problem, children[split], random)
    if len(moved):
        children[moved] = _moved(population.problem, children[moved], random)
    return children


def _split_anew(problem: _Problem, centers: Floats, random: np.random.RandomState) -> Floats:
    """Put the centres of two neighbouring clusters of each partition on two patterns of theirs."""
    n_children, n_clusters, _ = centers.shape
    nearest = scores_of(problem.points, centers).argmin(axis=1)
    one = random.randint(n_clusters, size=n_children)
    apart = ((centers - centers[np.arange(n_children), one][:, None]) ** 2).sum(axis=2)
    place = random.randint(1, min(NEIGHBOURS, n_clusters - 1) + 1, size=n_children)
    other = np.argsort(apart, axis=1, kind="stable")[np.arange(n_children), place]
    draws = uniform_draws(n_children, 2, random)
    split = centers.copy()
    for child, pair in enumerate(np.column_stack([one, other])):
        rows = np.flatnonzero(np.isin(nearest[child], pair))
        if len(rows):
            split[child, pair] = seed_centers(problem.points[rows], problem.counts[rows], draws[child : child + 1])[0]
    return split


def _matched(centers: Floats, others: Floats) -> Integers:
    """Return which of the others each centre is paired with, so that the pairs are near."""
    norms, other_norms = (np.einsum("ij,ij->i", rows, rows) for rows in (centers, others))
    return np.asarray(linear_sum_assignment(squared_distances(centers, norms, others, other_norms))[1])


def _moved(problem: _Problem, centers: Floats, random: np.random.RandomState) -> Floats:
    """Move one centre of each partition to a pattern that is far from all others."""
    every = np.arange(len(centers))
    given_up = random.randint(problem.n_clusters, size=len(centers))
    scores = scores_of(problem.points, centers)
    scores[every, given_up] = np.inf
    cost = np.maximum(scores.min(axis=1) + problem.norms, 0.0) * problem.counts
    far = pick_each(np.cumsum(cost, axis=1), random.random_sample((len(centers), 1)))[:, 0]
    moved = centers.copy()
    moved[every, given_up] = problem.points[far]
    return moved


def _repaired(problem: _Problem, centers: Floats) -> _Population:
    """Take centres to local optima."""
    labels = _lloyd(problem, centers)
    return _population(problem, *exchange_batch(problem.points, problem.counts, labels, problem.n_clusters))


def _population(problem: _Problem, labels: Integers, sse: Floats) -> _Population:
    """Leave out partitions with an empty cluster."""
    sums, mass = sums_batch(problem.weighted, labels, problem.n_clusters)
    full = (mass > 0).all(axis=1)
    return _Population(problem, labels[full], sums[full] / mass[full][..., None], sse[full])


def _lloyd(problem: _Problem, centers: Floats) -> Integers:
    """Run Lloyd's iterations of all starts in single precision; what that misplaces, exchanges put right."""
    n_starts, n_clusters, _ = centers.shape
    singles: Singles = centers.astype(np.float32)
    labels = np.empty((n_starts, len(problem.points)), dtype=np.int64)
    active, before = np.arange(n_starts), None
    for _ in range(MAX_ITERATIONS):
        member = _nearest(problem.columns, singles)
        if before is not None:
            changed = (member != before).reshape(len(active), -1).any(axis=1)
            labels[active[~changed]] = member[~changed].argmax(axis=1)
            active, member, singles = active[changed], member[changed], singles[changed]
            if not len(active):
                return labels
        sums = (member.reshape(-1, len(problem.points)).astype(np.float32) @ problem.sums).reshape(
            len(active), n_clusters, -1
        )
        mass = sums[..., -1:]
        # a centre without patterns stays where it is
        singles = np.where(mass > 0, sums[..., :-1] / np.where(mass > 0, mass, 1), singles)
        before = member
    labels[active] = member.argmax(axis=1)
    return labels


def _nearest(columns: Singles, centers: Singles) -> npt.NDArray[np.bool_]:
    """Say for each centre of every start which patterns are nearest to it: (n_starts, k, n_patterns)."""
    rows = centers.reshape(-1, len(columns))
    scores = (-2 * rows) @ columns
    scores += np.einsum("ij,ij->i", rows, rows)[:, None]
    scores = scores.reshape(*centers.shape[:2], -1)
    best = scores.min(axis=1)
    member = scores == best[:, None]
    if np.count_nonzero(member) > best.size:  # of equally near centres the first one counts
        member &= member.cumsum(axis=1) == 1
    return np.asarray(member)

"""Starting centres by k-means++ and Lloyd's iterations, for many restarts at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_array

from custseg._core.arrays import Floats, Integers

__all__ = [
    "Converged",
    "batch_lloyd",
    "explained_of",
    "first_of_equals",
    "pick",
    "pick_each",
    "populated_means",
    "scores_of",
    "seed_centers",
    "squared_distances",
    "sse_of",
    "sums_batch",
    "total_of",
    "uniform_draws",
    "weighted_means",
]


MAX_ITERATIONS = 300
# Memberships of up to this many cells are summed by a dense product, larger ones by a sparse one.
DENSE_MEMBERSHIP = 200_000
# Numbers per block of the largest intermediate array (64 MB).
BLOCK = 8_000_000


@dataclass(frozen=True)
class Converged:
    """Where several starts ended.

    Attributes
    ----------
    labels : ndarray of shape (n_starts, n_patterns)
        The cluster of each pattern.
    sse : ndarray of shape (n_starts,)
        The sum of squared distances of every start.
    n_iterations : int
        The number of Lloyd's iterations, all starts together.
    """

    labels: Integers
    sse: Floats
    n_iterations: int


def uniform_draws(n_init: int, n_clusters: int, random: np.random.RandomState) -> Floats:
    """Draw the numbers that choose the starting centres: restart by restart, so that more restarts keep the first."""
    n_candidates = 2 + int(np.log(n_clusters))
    return np.asarray(random.random_sample((n_init, n_clusters, n_candidates)), dtype=np.float64)


def seed_centers(points: Floats, counts: Floats, draws: Floats) -> Floats:
    """k-means++ with several candidates per centre: starting centres of shape (n_restarts, k, d)."""
    together = max(1, BLOCK // (len(points) * draws.shape[2]))
    chosen = [_seed(points, counts, draws[start : start + together]) for start in range(0, len(draws), together)]
    return points[np.concatenate(chosen)]


def _seed(points: Floats, counts: Floats, draws: Floats) -> Integers:
    n_restarts, n_clusters, n_candidates = draws.shape
    restarts = np.arange(n_restarts)
    norms = np.einsum("ij,ij->i", points, points)
    cumulated = np.cumsum(counts)
    chosen = np.empty((n_restarts, n_clusters), dtype=np.int64)
    chosen[:, 0] = pick(cumulated, draws[:, 0, 0])
    closest = squared_distances(points[chosen[:, 0]], norms[chosen[:, 0]], points, norms)
    for position in range(1, n_clusters):
        potential = np.cumsum(closest * counts, axis=1)
        candidates = pick_each(potential, draws[:, position]).ravel()
        reached = squared_distances(points[candidates], norms[candidates], points, norms)
        reached = reached.reshape(n_restarts, n_candidates, -1)
        np.minimum(reached, closest[:, None, :], out=reached)
        best = (reached @ counts).argmin(axis=1)
        chosen[:, position] = candidates.reshape(n_restarts, -1)[restarts, best]
        closest = reached[restarts, best]
    return chosen


def pick_each(cumulated: Floats, uniform: Floats) -> Integers:
    """Choose as :func:`pick` does, from each row of cumulated sums by the row of draws."""
    if cumulated.size * uniform.shape[1] > DENSE_MEMBERSHIP:
        return np.stack([pick(row, draws) for row, draws in zip(cumulated, uniform, strict=True)])
    reached = cumulated[:, None] <= (uniform * cumulated[:, -1:])[..., None]
    return np.asarray(np.minimum(reached.sum(axis=2), cumulated.shape[1] - 1))


def pick(cumulated: Floats, uniform: Floats) -> Integers:
    """Choose positions with probabilities in proportion to the steps of a cumulated sum."""
    picked = cumulated.searchsorted(uniform * cumulated[-1], side="right")
    return np.asarray(np.minimum(picked, len(cumulated) - 1))


def squared_distances(rows: Floats, row_norms: Floats, others: Floats, other_norms: Floats) -> Floats:
    """Return the squared distances of rows (m, d) to others (n, d), of shape (m, n), from their squared norms."""
    squared = (-2.0 * rows) @ others.T
    squared += other_norms
    squared += row_norms[:, None]
    return np.maximum(squared, 0.0, out=squared)


def batch_lloyd(points: Floats, counts: Floats, centers: Floats) -> Converged:
    """Run Lloyd's iterations of all starts (n_starts, k, d) together, all centres in one matrix product.

    Starts that have converged leave the batch.
    """
    n_starts, n_clusters, _ = centers.shape
    weighted = np.column_stack([points * counts[:, None], counts])
    labels = np.empty((n_starts, len(points)), dtype=np.int64)
    member = np.zeros((n_starts, n_clusters, len(points)), dtype=bool)
    active = np.arange(n_starts)
    n_iterations = 0
    for _ in range(MAX_ITERATIONS):
        n_iterations += len(active)
        assigned = _members_of_nearest(points, centers)
        moved = (assigned != member).reshape(len(active), -1).any(axis=1)
        if not moved.all():
            labels[active[~moved]] = member[~moved].argmax(axis=1)
            active, assigned = active[moved], assigned[moved]
        member = assigned
        if not len(active):
            break
        sums = (member.reshape(-1, len(points)).astype(np.float64) @ weighted).reshape(len(active), n_clusters, -1)
        centers = _means(points, sums, member)
    labels[active] = member.argmax(axis=1)
    sums, mass = sums_batch(weighted, labels, n_clusters)
    return Converged(labels, np.maximum(total_of(points, counts) - explained_of(sums, mass), 0.0), n_iterations)


def scores_of(points: Floats, centers: Floats) -> Floats:
    """Return the squared distances of patterns to the centres of every start, less the squared norm of the pattern.

    Their shape is (n_starts, k, n_patterns).
    """
    rows = centers.reshape(-1, points.shape[1])
    scores = (-2.0 * rows) @ points.T
    scores += np.einsum("ij,ij->i", rows, rows)[:, None]
    return scores.reshape(*centers.shape[:2], len(points))


def _members_of_nearest(points: Floats, centers: Floats) -> npt.NDArray[np.bool_]:
    """Say for each centre of every start which patterns are nearest to it: (n_starts, k, n_patterns)."""
    scores = scores_of(points, centers)
    # several times faster than argmin along a short axis
    best = scores.min(axis=1)
    member: npt.NDArray[np.bool_] = scores == best[:, None]
    if np.count_nonzero(member) > best.size:  # of equally near centres the first one counts
        first_of_equals(member)
    return member


def first_of_equals(member: npt.NDArray[np.bool_]) -> None:
    """Leave each pattern, in place, to the first of the clusters (n_starts, k, n_patterns) that it is a member of."""
    taken = member[:, 0].copy()
    for cluster in range(1, member.shape[1]):
        later = member[:, cluster]
        np.greater(later, taken, out=later)
        taken |= later


def sums_batch(weighted: Floats, labels: Integers, n_clusters: int) -> tuple[Floats, Floats]:
    """Weighted sums (n_starts, k, d) and masses (n_starts, k) of the clusters of every start.

    ``weighted`` holds the patterns times their counts, then the counts.
    """
    n_starts, n_patterns = labels.shape
    if labels.size * n_clusters <= DENSE_MEMBERSHIP:
        member = (labels[:, None] == np.arange(n_clusters)[:, None]).reshape(-1, n_patterns).astype(np.float64)
    else:
        rows = labels + n_clusters * np.arange(n_starts)[:, None]
        pointers = np.arange(n_patterns + 1) * n_starts
        member = csc_array((np.ones(rows.size), rows.T.ravel(), pointers), shape=(n_starts * n_clusters, n_patterns))
    sums = (member @ weighted).reshape(n_starts, n_clusters, -1)
    return sums[..., :-1], sums[..., -1]


def explained_of(sums: Floats, mass: Floats) -> Floats:
    """Return by how much the clusters of every start lower the total, from their sums and masses."""
    squared = np.einsum("rkd,rkd->rk", sums, sums)
    return np.asarray((squared / np.where(mass > 0, mass, 1.0)).sum(axis=1))


def _means(points: Floats, sums: Floats, member: npt.NDArray[np.bool_]) -> Floats:
    """Return the means of the clusters of every start; an empty one starts again at the farthest pattern.

    ``sums`` (n_starts, k, d + 1) has the masses as its last column; ``member`` (n_starts, k, n_patterns) says which
    patterns each cluster has.
    """
    mass = sums[..., -1:]
    if mass.min() > 0:
        return np.asarray(sums[..., :-1] / mass)
    centers: Floats = sums[..., :-1] / np.where(mass <= 0, 1.0, mass)
    empty = mass[..., 0] <= 0
    for start in np.flatnonzero(empty.any(axis=1)):
        own = centers[start, member[start].argmax(axis=0)]
        squared = np.einsum("ij,ij->i", points - own, points - own)
        for cluster in np.flatnonzero(empty[start]):
            farthest = int(squared.argmax())
            centers[start, cluster] = points[farthest]
            squared[farthest] = -1.0
    return centers


def populated_means(points: Floats, counts: Floats, labels: Integers, n_clusters: int) -> Floats:
    """Return the means of the clusters of one partition; an empty one starts again at the farthest pattern."""
    weighted = np.column_stack([points * counts[:, None], counts])
    sums, mass = sums_batch(weighted, labels[None], n_clusters)
    member = labels == np.arange(n_clusters)[:, None]
    means: Floats = _means(points, np.concatenate([sums, mass[..., None]], axis=2), member[None])[0]
    return means


def weighted_means(points: Floats, counts: Floats, labels: Integers, n_clusters: int) -> Floats:
    """Return the means of the clusters of one partition, none of which is empty."""
    weighted = np.column_stack([points * counts[:, None], counts])
    sums, mass = sums_batch(weighted, labels[None], n_clusters)
    return np.asarray(sums[0] / mass[0][:, None])


def total_of(points: Floats, counts: Floats) -> float:
    """Return the weighted sum of squares of centred patterns."""
    return float(counts @ np.einsum("ij,ij->i", points, points))


def sse_of(points: Floats, counts: Floats, centers: Floats, labels: Integers) -> float:
    """Return the weighted sum of squared distances to the centres of the clusters."""
    away = points - centers[labels]
    return float(counts @ np.einsum("ij,ij->i", away, away))

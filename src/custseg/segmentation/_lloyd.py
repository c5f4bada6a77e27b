"""Starting centres by k-means++ and Lloyd's iterations, for many restarts at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_array
from sklearn.cluster import KMeans

__all__ = [
    "Converged",
    "argmin_of_few",
    "batch_lloyd",
    "explained_of",
    "pick",
    "populated_means",
    "seed_centers",
    "single_lloyd",
    "squared_distances",
    "sse_of",
    "sums_batch",
    "total_of",
    "uniform_draws",
    "weighted_means",
]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

MAX_ITERATIONS = 300
# scikit-learn stops a restart when the centres move less than this share of the variance; the best
# restart then runs on until no label changes.
RESTART_TOLERANCE = 1e-5
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
        The cluster of each pattern; of many patterns, the best start only: shape (1, n_patterns).
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
        candidates = _pick_each(potential, draws[:, position]).ravel()
        reached = squared_distances(points[candidates], norms[candidates], points, norms)
        reached = reached.reshape(n_restarts, n_candidates, -1)
        np.minimum(reached, closest[:, None, :], out=reached)
        best = (reached @ counts).argmin(axis=1)
        chosen[:, position] = candidates.reshape(n_restarts, -1)[restarts, best]
        closest = reached[restarts, best]
    return chosen


def _pick_each(cumulated: Floats, uniform: Floats) -> Integers:
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
    centers = centers.copy()
    weighted = np.column_stack([points * counts[:, None], counts])
    labels = np.full((n_starts, len(points)), -1, dtype=np.int64)
    active = np.arange(n_starts)
    n_iterations = 0
    for _ in range(MAX_ITERATIONS):
        n_iterations += len(active)
        assigned = _nearest_batch(points, centers[active])
        moved = (assigned != labels[active]).any(axis=1)
        active, assigned = active[moved], assigned[moved]
        if not len(active):
            break
        labels[active] = assigned
        centers[active] = _means_batch(points, weighted, assigned, n_clusters)
    sums, mass = sums_batch(weighted, labels, n_clusters)
    return Converged(labels, np.maximum(total_of(points, counts) - explained_of(sums, mass), 0.0), n_iterations)


def _nearest_batch(points: Floats, centers: Floats) -> Integers:
    """Return the nearest centre of each pattern in every start: (n_starts, n_patterns)."""
    n_starts, n_clusters, n_features = centers.shape
    by_cluster = np.ascontiguousarray(centers.transpose(1, 0, 2)).reshape(-1, n_features)
    scores = (-2.0 * by_cluster) @ points.T
    scores += np.einsum("ij,ij->i", by_cluster, by_cluster)[:, None]
    return argmin_of_few(scores.reshape(n_clusters, n_starts, len(points)))[0]


def argmin_of_few(scores: Floats) -> tuple[Integers, Floats]:
    """Return the position and the value of the minimum along a short first axis, several times faster than argmin.

    Of equal values the first one counts.
    """
    best = scores[0].copy()
    small = np.int8 if len(scores) < 128 else np.int64
    labels = np.zeros(best.shape, dtype=small)
    for position in range(1, len(scores)):
        # positions ascend, so the last one that was below all before it is the largest
        less = (scores[position] < best).astype(small)
        less *= small(position)
        np.maximum(labels, less, out=labels)
        np.minimum(best, scores[position], out=best)
    return labels.astype(np.int64), best


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
    return np.asarray(np.divide(squared, mass, out=np.zeros_like(squared), where=mass > 0).sum(axis=1))


def _means_batch(points: Floats, weighted: Floats, labels: Integers, n_clusters: int) -> Floats:
    sums, mass = sums_batch(weighted, labels, n_clusters)
    empty = mass <= 0
    if not empty.any():
        return np.asarray(sums / mass[..., None])
    centers = sums / np.where(empty, 1.0, mass)[..., None]
    for start in np.flatnonzero(empty.any(axis=1)):
        own = centers[start, labels[start]]
        squared = np.einsum("ij,ij->i", points - own, points - own)
        for cluster in np.flatnonzero(empty[start]):
            farthest = int(squared.argmax())
            centers[start, cluster] = points[farthest]
            squared[farthest] = -1.0
    return centers


def populated_means(points: Floats, counts: Floats, labels: Integers, n_clusters: int) -> Floats:
    """Return the means of the clusters of one partition; an empty one starts again at the farthest pattern."""
    weighted = np.column_stack([points * counts[:, None], counts])
    return np.asarray(_means_batch(points, weighted, labels[None], n_clusters)[0])


def single_lloyd(points: Floats, counts: Floats, centers: Floats, max_iterations: int = MAX_ITERATIONS) -> Converged:
    """Run the starts one by one in scikit-learn's Lloyd, which is faster on many patterns; keep the best labels."""
    sse = np.empty(len(centers))
    best = np.empty(0, dtype=np.int64)
    n_iterations = 0
    for start, seeds in enumerate(centers):
        engine = KMeans(
            len(seeds),
            init=seeds,
            n_init=1,
            max_iter=max_iterations,
            tol=RESTART_TOLERANCE,
            algorithm="lloyd",
        )
        engine.fit(points, sample_weight=counts)
        sse[start] = engine.inertia_
        n_iterations += engine.n_iter_
        if sse[start] <= sse[:start].min(initial=np.inf):
            best = engine.labels_.astype(np.int64)
    return Converged(best[None], sse, n_iterations)


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

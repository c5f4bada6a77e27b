"""Single-pattern exchanges: move one pattern to another cluster where that lowers the SSE."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from custseg.segmentation._lloyd import (
    MAX_ITERATIONS,
    argmin_of_few,
    explained_of,
    populated_means,
    squared_distances,
    sums_batch,
    total_of,
    weighted_means,
)
from custseg.segmentation._nearest import nearest

__all__ = ["exchange", "exchange_batch", "settle"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
# Centres and masses, updated in place.
Clusters = tuple[Floats, Floats]

# An exchange must lower the SSE by more than this share of the total, so that rounding never drives it.
SMALLEST_GAIN = 1e-12
# A pattern that holds all but this share of its cluster stays there.
ALONE = 1e-12
# A partition that is farther behind the best one than so many times what its next moves promise is given up.
PROMISES = 30.0
# Above this many patterns the last steps are not worth their time: a pass of exchanges that would lower
# the SSE by less than this share of the total is the last one, and Lloyd's iterations stop when less
# than this share of the patterns changes cluster.
LARGE = 20_000
LARGE_GAIN = 1e-7
LARGE_CHANGE = 1e-3


def exchange_batch(points: Floats, counts: Floats, labels: Integers, n_clusters: int) -> tuple[Integers, Floats]:
    """Exchange in all partitions (n_starts, n_patterns) together until none is improved by any move.

    Moving pattern x of weight w from cluster a to b changes the SSE by
    ``w m_b/(m_b + w) |x - c_b|^2 - w m_a/(m_a - w) |x - c_a|^2`` with masses m [1]_. Each pass makes
    all the moves that would help alone; in a partition that they do not improve together, the best
    one only. A partition so far behind the best one that its moves promise no hope is left as it is.

    Returns the labels and the SSE of every partition.

    References
    ----------
    .. [1] J. A. Hartigan (1975), "Clustering Algorithms", Wiley, chapter 4.
    """
    labels = labels.copy()
    total = total_of(points, counts)
    weighted = np.column_stack([points * counts[:, None], counts])
    sums, mass = sums_batch(weighted, labels, n_clusters)
    sse = total - explained_of(sums, mass)
    active = np.flatnonzero((mass > 0).all(axis=1))
    sums, mass = sums[active], mass[active]
    norms = np.einsum("ij,ij->i", points, points)
    while len(active):
        here = labels[active]
        there, gain = _best_moves(points, norms, counts, here, (sums / mass[..., None], mass))
        helps = gain > SMALLEST_GAIN * total
        promised = np.where(helps, gain, 0.0).sum(axis=1)
        hopeful = sse[active] - sse.min() <= PROMISES * promised
        if not hopeful.all():
            active, here, there, gain, helps = (part[hopeful] for part in (active, here, there, gain, helps))
            if not len(active):
                break
        proposed = np.where(helps, there, here)
        sums, mass = sums_batch(weighted, proposed, n_clusters)
        reached = total - explained_of(sums, mass)
        too_many = np.flatnonzero((reached >= sse[active] - SMALLEST_GAIN * total) | (mass <= 0).any(axis=1))
        if len(too_many):
            best = gain[too_many].argmax(axis=1)
            proposed[too_many] = here[too_many]
            proposed[too_many, best] = there[too_many, best]
            sums[too_many], mass[too_many] = sums_batch(weighted, proposed[too_many], n_clusters)
            reached[too_many] = total - explained_of(sums[too_many], mass[too_many])
        better = helps.any(axis=1) & (reached < sse[active])
        active, sums, mass = active[better], sums[better], mass[better]
        labels[active], sse[active] = proposed[better], reached[better]
    return labels, np.maximum(sse, 0.0)


def _best_moves(
    points: Floats, norms: Floats, counts: Floats, labels: Integers, clusters: Clusters
) -> tuple[Integers, Floats]:
    """Return the best other cluster of each pattern in each partition, and by how much the move lowers the SSE."""
    centers, mass = clusters
    n_starts, n_clusters, n_features = centers.shape
    by_cluster = np.ascontiguousarray(centers.transpose(1, 0, 2)).reshape(-1, n_features)
    center_norms = np.einsum("ij,ij->i", by_cluster, by_cluster)
    cost = squared_distances(by_cluster, center_norms, points, norms).reshape(n_clusters, n_starts, -1)
    # Positions in the flat arrays: several times faster than take_along_axis.
    starts = np.arange(n_starts)[:, None]
    in_cost = (labels * n_starts + starts) * len(points) + np.arange(len(points))
    flat = cost.reshape(-1)
    own = flat[in_cost]
    own_mass = mass.reshape(-1)[labels + n_clusters * starts]
    rest = own_mass - counts
    alone = rest <= ALONE * own_mass
    leaving = np.where(alone, 0.0, own * own_mass / np.where(alone, 1.0, rest))
    by_mass = mass.T[:, :, None]
    cost *= by_mass / (by_mass + counts)
    flat[in_cost] = np.inf
    there, joining = argmin_of_few(cost)
    return there, counts * (leaving - joining)


def settle(points: Floats, counts: Floats, labels: Integers, n_clusters: int) -> Integers:
    """Take a partition to where neither Lloyd's iterations nor single-pattern exchanges help."""
    total = total_of(points, counts)
    large = len(points) > LARGE
    populated = False
    for _ in range(MAX_ITERATIONS):
        assigned = nearest(points, populated_means(points, counts, labels, n_clusters))
        changed = np.count_nonzero(assigned != labels)
        labels = assigned
        populated = bool(np.bincount(labels, minlength=n_clusters).all())
        if populated and changed <= (LARGE_CHANGE * len(points) if large else 0):
            break
    if not populated:  # fewer patterns differ, but for rounding, than there are clusters
        return labels
    return exchange(points, counts, labels, SMALLEST_GAIN * total, LARGE_GAIN * total if large else 0.0)


def exchange(points: Floats, counts: Floats, labels: Integers, smallest: float, enough: float) -> Integers:
    """Move single patterns of one partition until no move lowers the SSE by more than ``smallest``.

    Each pass finds the patterns whose move would help, all at once, then tries them in order of
    their gain against the centres as they are by then. A pass that promises no more than ``enough``
    is the last one.
    """
    labels = labels.copy()
    n_clusters = int(labels.max()) + 1
    centers = weighted_means(points, counts, labels, n_clusters)
    mass = np.bincount(labels, weights=counts, minlength=n_clusters).astype(np.float64)
    norms = np.einsum("ij,ij->i", points, points)
    while True:
        gain = _best_moves(points, norms, counts, labels[None], (centers[None], mass[None]))[1][0]
        helps = np.flatnonzero(gain > smallest)
        before = labels.copy()
        for row in helps[np.argsort(-gain[helps], kind="stable")]:
            labels[row] = _best_move(points[row], counts[row], int(labels[row]), (centers, mass), smallest)
        if gain[helps].sum() <= enough or np.array_equal(labels, before):
            return labels


def _best_move(point: Floats, weight: float, here: int, clusters: Clusters, smallest: float) -> int:
    """Find the cluster where one pattern lowers the SSE most, and move the centres and masses accordingly."""
    centers, mass = clusters
    rest = mass[here] - weight
    if rest <= ALONE * mass[here]:
        return here
    away = centers - point
    squared = np.einsum("ij,ij->i", away, away)
    cost = squared * (weight * mass / (mass + weight))
    cost[here] = squared[here] * weight * mass[here] / rest
    there = int(cost.argmin())
    if cost[here] - cost[there] <= smallest:
        return here
    centers[here] += weight / rest * away[here]
    centers[there] -= weight / (mass[there] + weight) * away[there]
    mass[here] = rest
    mass[there] += weight
    return there

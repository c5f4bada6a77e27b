"""Single-pattern exchanges: move one pattern to another cluster where that lowers the SSE."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from custseg._core.arrays import Floats, Integers
from custseg.segmentation._kmeans.lloyd import (
    MAX_ITERATIONS,
    explained_of,
    populated_means,
    scores_of,
    sums_batch,
    total_of,
    weighted_means,
)
from custseg.segmentation._kmeans.nearest import nearest

__all__ = ["exchange", "exchange_batch", "settle"]

Precision = type[np.float64] | type[np.float32]
# Centres and masses, updated in place.
Clusters = tuple[Floats, Floats]

# An exchange must lower the SSE by more than this share of the total, so that rounding never drives it.
SMALLEST_GAIN: dict[Precision, float] = {np.float64: 1e-12, np.float32: 1e-9}
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


def exchange_batch(
    points: Floats, counts: Floats, labels: Integers, n_clusters: int, *, precision: Precision = np.float64
) -> tuple[Integers, Floats]:
    """Exchange in all partitions (n_starts, n_patterns) together until none is improved by any move.

    Moving pattern x of weight w from cluster a to b changes the SSE by
    ``w m_b/(m_b + w) |x - c_b|^2 - w m_a/(m_a - w) |x - c_a|^2`` with masses m [1]_. Each pass makes
    all the moves that would help alone; in a partition that they do not improve together, the best
    one only. In single precision moves that gain next to nothing are not found, yet none is made that does not
    gain. A partition so far behind the best one that its moves promise no hope is left as it is.

    Returns the labels and the SSE of every partition.

    References
    ----------
    .. [1] J. A. Hartigan (1975), "Clustering Algorithms", Wiley, chapter 4.
    """
    labels, total = labels.copy(), total_of(points, counts)
    smallest = SMALLEST_GAIN[precision] * total
    weighted = np.column_stack([points * counts[:, None], counts])
    sums, mass = sums_batch(weighted, labels, n_clusters)
    sse = total - explained_of(sums, mass)
    active = np.flatnonzero((mass > 0).all(axis=1))
    clusters, here = np.concatenate([sums, mass[..., None]], axis=2)[active], labels[active]
    points, counts = points.astype(precision), counts.astype(precision)
    norms = np.einsum("ij,ij->i", points, points)
    scores = scores_of(points, _means(clusters).astype(precision))
    while len(active):
        moves = _helpful(scores, norms, counts, here, clusters[..., -1].astype(precision), smallest=smallest)
        promised = np.bincount(moves.start, moves.gain, len(active))
        going = (promised > 0) & (sse[active] - sse.min() <= PROMISES * promised)
        if not going.any():
            break
        if not going.all():
            active, here, moves = active[going], here[going], moves.of(going)
            clusters, scores = clusters[going], scores[going]
        before = sse[active]
        reached, shifted = _after(moves, here, weighted, clusters, total)
        emptied = (shifted[..., -1] <= ALONE * clusters[..., -1]).any(axis=1)
        too_many = emptied | (reached >= before - smallest)
        if too_many.any():
            moves = moves.only_best(too_many)
            reached, shifted = _after(moves, here, weighted, clusters, total)
            better = reached < before
            if not better.all():
                active, shifted, here, moves = active[better], shifted[better], here[better], moves.of(better)
                clusters, scores, reached = clusters[better], scores[better], reached[better]
        here[moves.start, moves.row] = moves.there
        # most clusters have neither lost nor won a pattern
        changed = (shifted != clusters).any(axis=2)
        scores[changed] = scores_of(points, _means(shifted[changed])[None].astype(precision))[0]
        clusters = shifted
        labels[active], sse[active] = here, reached
    return labels, np.maximum(sse, 0.0)


def _means(clusters: Floats) -> Floats:
    return np.asarray(clusters[..., :-1] / clusters[..., -1:])


@dataclass(frozen=True)
class _Moves:
    """Patterns of partitions, the cluster to which each goes, and by how much that alone lowers the SSE."""

    start: Integers
    row: Integers
    there: Integers
    gain: Floats

    def of(self, kept: npt.NDArray[np.bool_]) -> _Moves:
        """Leave out partitions and number the rest anew."""
        mask = kept[self.start]
        number = np.cumsum(kept) - 1
        return _Moves(number[self.start[mask]], self.row[mask], self.there[mask], self.gain[mask])

    def only_best(self, condition: npt.NDArray[np.bool_]) -> _Moves:
        """Leave all but the best move out of some partitions."""
        order = np.lexsort((-self.gain, self.start))
        start = self.start[order]
        order = order[~condition[start] | np.append(True, start[1:] != start[:-1])]
        return _Moves(self.start[order], self.row[order], self.there[order], self.gain[order])


def _after(moves: _Moves, labels: Integers, weighted: Floats, clusters: Floats, total: float) -> tuple[Floats, Floats]:
    """Return the SSE of the partitions after the moves, and the sums and masses of their clusters."""
    shifted = clusters.copy()
    moved = weighted[moves.row]
    np.subtract.at(shifted, (moves.start, labels[moves.start, moves.row]), moved)
    np.add.at(shifted, (moves.start, moves.there), moved)
    return total - explained_of(shifted[..., :-1], shifted[..., -1]), shifted


def _helpful(
    scores: Floats, norms: Floats, counts: Floats, labels: Integers, mass: Floats, *, smallest: float
) -> _Moves:
    """Find the best move of each pattern in each partition that would lower the SSE by more than ``smallest``.

    ``scores`` (n_starts, k, n_patterns) are those of :func:`scores_of`, ``mass`` (n_starts, k) the masses of clusters.
    """
    n_starts, n_clusters = mass.shape
    # Positions in the flat arrays: several times faster than take_along_axis.
    clusters_of = labels + n_clusters * np.arange(n_starts)[:, None]
    in_scores = clusters_of * len(norms) + np.arange(len(norms))
    flat = scores.reshape(-1)
    own_scores = flat.take(in_scores)
    own = np.maximum(own_scores + norms, 0.0)
    flat[in_scores] = np.inf
    own_mass = mass.take(clusters_of)
    rest = own_mass - counts
    alone = rest <= ALONE * own_mass
    if alone.any():
        rest[alone] = np.inf
    leaving = own * own_mass / rest
    # joining the nearest other cluster would cost at least what it costs were that the lightest one
    lightest = mass.min(axis=1)[:, None]
    least = (scores.min(axis=1) + norms) * (lightest / (lightest + counts))
    start, row = np.nonzero(least < leaving)
    weight, its_mass = counts[row], mass[start]
    joining = np.maximum(scores[start, :, row] + norms[row, None], 0.0) * (its_mass / (its_mass + weight[:, None]))
    flat[in_scores] = own_scores
    there = joining.argmin(axis=1)
    gain = weight * (leaving[start, row] - joining[np.arange(len(row)), there])
    helps = gain > smallest
    return _Moves(start[helps], row[helps], there[helps], gain[helps])


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
    return exchange(points, counts, labels, SMALLEST_GAIN[np.float64] * total, LARGE_GAIN * total if large else 0.0)


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
        moves = _helpful(scores_of(points, centers[None]), norms, counts, labels[None], mass[None], smallest=smallest)
        before = labels.copy()
        for row in moves.row[np.argsort(-moves.gain, kind="stable")]:
            labels[row] = _best_move(points[row], counts[row], int(labels[row]), (centers, mass), smallest)
        if moves.gain.sum() <= enough or np.array_equal(labels, before):
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

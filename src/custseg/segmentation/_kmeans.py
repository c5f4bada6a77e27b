"""k-means on distinct patterns with counts: restarts as one batch, then single-pattern exchanges."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csc_array
from sklearn.cluster import KMeans
from sklearn.utils import check_random_state
from threadpoolctl import ThreadpoolController

from custseg.exceptions import InfeasibleError

__all__ = ["KMeansFit", "Optimum", "Patterns", "distinct_patterns", "fit_kmeans", "nearest", "one_thread"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
# Centres and masses, updated in place.
Clusters = tuple[Floats, Floats]

MAX_ITERATIONS = 300
# Up to this many patterns the restarts run as one batch in numpy, above it one by one in
# scikit-learn's Lloyd: the batch does k distances per pattern always, but saves the overhead per restart.
BATCH_UP_TO = 1_500
# scikit-learn stops a restart when the centres move less than this share of the variance; the best
# restart then runs on until no label changes.
RESTART_TOLERANCE = 1e-5
# Restarts whose SSE differs by less than this share have reached the same result for all purposes.
SAME_RESULT = 1e-4
# Restarts whose SSE differs by less than this share have found the same partition.
SAME_PARTITION = 1e-9
# One in so many restarts, the best different ones, is polished by exchanges (of many patterns, only the best).
POLISHED_ONE_IN = 4
# Memberships of up to this many cells are summed by a dense product, larger ones by a sparse one.
DENSE_MEMBERSHIP = 200_000
# Numbers per block of the largest intermediate array (64 MB).
BLOCK = 8_000_000
# An exchange must lower the SSE by more than this share of the total, so that rounding never drives it.
SMALLEST_GAIN = 1e-12
# Above this many patterns the last steps are not worth their time: a pass of exchanges that would lower
# the SSE by less than this share of the total is the last one, and Lloyd's iterations stop when less
# than this share of the patterns changes cluster.
LARGE = 20_000
LARGE_GAIN = 1e-7
LARGE_CHANGE = 1e-3


@dataclass(frozen=True)
class Patterns:
    """The distinct rows of a matrix, sorted, with how often each occurs.

    Attributes
    ----------
    values : ndarray of shape (n_patterns, n_features)
        The distinct rows in lexicographic order.
    counts : ndarray of shape (n_patterns,)
        The sum of the weights of the rows that show each pattern.
    inverse : ndarray of shape (n_rows,)
        The pattern of every row: ``values[inverse]`` is the matrix again.
    """

    values: Floats
    counts: Floats
    inverse: Integers

    @property
    def n_patterns(self) -> int:
        """The number of distinct rows."""
        return len(self.values)


@dataclass(frozen=True)
class Optimum:
    """How good the best partition is among those that the restarts found.

    Attributes
    ----------
    sse : float
        The sum of squared distances to the segment centres, in the embedding.
    n_init : int
        The number of restarts.
    n_hits : int
        How many of them reached the best SSE of all restarts, up to one part in 10,000 (before
        single-pattern exchanges).
    second_best_gap : float
        By which share of the best SSE the next different result is worse; NaN where all restarts
        agree.
    """

    sse: float
    n_init: int
    n_hits: int
    second_best_gap: float

    @property
    def hit_rate(self) -> float:
        """The share of restarts that reached the best result: low means more restarts may find a better one."""
        return self.n_hits / self.n_init

    def to_frame(self) -> pd.DataFrame:
        """Return the figures as a table of one row."""
        return pd.DataFrame(
            {
                "sse": [self.sse],
                "n_init": [self.n_init],
                "n_hits": [self.n_hits],
                "hit_rate": [self.hit_rate],
                "second_best_gap": [self.second_best_gap],
            }
        )


@dataclass(frozen=True)
class KMeansFit:
    """A partition of patterns around centres.

    Attributes
    ----------
    centers : ndarray of shape (n_clusters, n_features)
        The means of the clusters.
    labels : ndarray of shape (n_patterns,)
        The cluster of each pattern.
    sse : float
        The weighted sum of squared distances to the centres.
    optimum : Optimum
        What the restarts say about the quality of the partition.
    """

    centers: Floats
    labels: Integers
    sse: float
    optimum: Optimum


def distinct_patterns(matrix: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> Patterns:
    """Collapse a matrix to its distinct rows, in lexicographic order.

    What is computed on patterns does not depend on the order of the rows, and a row of weight 2
    counts as the row twice. Survey answers collapse 5 to 50 fold.

    Parameters
    ----------
    matrix : array-like of shape (n_rows, n_features)
        Finite numbers.
    weights : array-like of shape (n_rows,), optional
        The weight of each row, 1 each by default.

    Returns
    -------
    Patterns
        Distinct rows, their summed weights, and the pattern of every row.

    Examples
    --------
    >>> patterns = distinct_patterns([[1, 0], [0, 1], [1, 0]])
    >>> patterns.values
    array([[0., 1.],
           [1., 0.]])
    >>> patterns.counts, patterns.inverse
    (array([1., 2.]), array([1, 0, 1]))
    """
    values = np.asarray(matrix, dtype=np.float64) + 0.0  # -0.0 becomes 0.0
    keys: list[Any] = list(values.T[::-1])
    if weights is None:
        mass = np.ones(len(values))
    else:
        mass = np.asarray(weights, dtype=np.float64)
        # Equal rows in the order of their weights: the sum is then the same for every order of rows.
        keys.insert(0, mass)
    order = np.lexsort(keys) if keys else np.arange(len(values))
    ordered = values[order]
    is_new = np.ones(len(values), dtype=bool)
    is_new[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    starts = np.flatnonzero(is_new)
    inverse = np.empty(len(values), dtype=np.int64)
    inverse[order] = np.cumsum(is_new) - 1
    return Patterns(ordered[starts], np.add.reduceat(mass[order], starts), inverse)


def fit_kmeans(patterns: Patterns, n_clusters: int, *, n_init: int, random_state: Any) -> KMeansFit:
    """Partition patterns into clusters of least weighted sum of squared distances.

    ``n_init`` restarts from k-means++ [1]_ (several candidates per centre, the best one kept), each
    with Lloyd's iterations until no label changes; the best result is then improved by moving
    single patterns between clusters, counting how the move shifts both centres (Hartigan [2]_),
    until no move helps. The result depends on the patterns and the seed only, not on the order of
    the rows or on the number of threads.

    Parameters
    ----------
    patterns : Patterns
        Distinct rows with positive counts.
    n_clusters : int
        The number of clusters.
    n_init : int
        The number of restarts.
    random_state : int, RandomState or None
        The source of the starting centres. The first restarts are the same for every ``n_init``.

    Returns
    -------
    KMeansFit
        Centres, the cluster of each pattern, SSE and what the restarts found.

    Raises
    ------
    InfeasibleError
        If there are fewer patterns than clusters.

    References
    ----------
    .. [1] D. Arthur and S. Vassilvitskii (2007), "k-means++: the advantages of careful seeding",
       SODA 2007.
    .. [2] J. A. Hartigan (1975), "Clustering Algorithms", Wiley, chapter 4.

    Examples
    --------
    >>> patterns = distinct_patterns([[0.0], [0.2], [5.0], [5.2], [5.2]])
    >>> fit = fit_kmeans(patterns, 2, n_init=4, random_state=0)
    >>> sorted(fit.centers.ravel().round(3).tolist())
    [0.1, 5.133]
    >>> round(fit.sse, 4), fit.optimum.n_hits
    (0.0467, 4)
    """
    if n_clusters > patterns.n_patterns:
        raise InfeasibleError.too_few_customers("k-means", n_clusters, patterns.n_patterns, len(patterns.inverse))
    counts = patterns.counts
    # Centred and scaled by a power of two (which rounds nothing), so that no offset or unit costs precision.
    offset = np.average(patterns.values, axis=0, weights=counts)
    centred = patterns.values - offset
    largest = float(np.abs(centred).max(initial=0.0))
    scale = math.ldexp(1.0, math.frexp(largest)[1]) if largest > 0 else 1.0
    points = centred / scale
    with one_thread():
        total = _total(points, counts)
        if n_clusters in (1, patterns.n_patterns):
            labels = np.arange(patterns.n_patterns) % n_clusters
            found = np.full(n_init, total if n_clusters == 1 else 0.0)
        else:
            draws = _uniform_draws(n_init, n_clusters, random_state)
            engine = _batch_restarts if len(points) <= BATCH_UP_TO else _single_restarts
            all_labels, found = engine(points, counts, n_clusters, draws)
            labels = _polish(points, counts, all_labels, found, n_clusters)
        means = _means(points, counts, labels, n_clusters)
        sse = _sse(points, counts, means, labels)
    optimum = _optimum(sse * scale**2, found, total)
    return KMeansFit(means * scale + offset, labels, optimum.sse, optimum)


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


def one_thread() -> Any:
    """Limit BLAS and OpenMP to one thread in a ``with`` block, so that sums have one order of terms."""
    return _controller().limit(limits=1)


def nearest(points: Floats, centers: Floats, subsidies: Floats | None = None) -> Integers:
    """Return the position of the nearest centre of every row; the first one where several are equally near.

    With ``subsidies``, the squared distance to each centre is lowered by its subsidy. Rows for which
    two centres are equally near but for rounding are decided by exact differences, so that the
    answer for a row does not depend on the rows beside it.
    """
    offset = centers.mean(axis=0)
    targets = centers - offset
    base = np.einsum("ij,ij->i", targets, targets)
    if subsidies is not None:
        base = base - subsidies
    labels = np.empty(len(points), dtype=np.int64)
    step = max(1, BLOCK // max(len(centers), points.shape[1], 1))
    for start in range(0, len(points), step):
        block = points[start : start + step] - offset
        scores = base - 2.0 * (block @ targets.T)
        chosen = scores.argmin(axis=1)
        best = scores[np.arange(len(block)), chosen]
        norms = np.einsum("ij,ij->i", block, block)
        tolerance = 1e-12 * (norms + np.abs(base).max())
        close = np.flatnonzero((scores <= (best + tolerance)[:, None]).sum(axis=1) > 1)
        if len(close):
            chosen[close] = _nearest_exactly(points[start + close], centers, subsidies)
        labels[start : start + step] = chosen
    return labels


def _nearest_exactly(points: Floats, centers: Floats, subsidies: Floats | None) -> Integers:
    scores = np.stack([((points - center) ** 2).sum(axis=1) for center in centers], axis=1)
    if subsidies is not None:
        scores -= subsidies
    # Equal but for the last bits counts as equal: the first centre, whatever the units of the columns.
    best = scores.min(axis=1)
    slack = 1e-13 * (np.abs(best) + (0.0 if subsidies is None else np.abs(subsidies).max()))
    return np.asarray((scores <= (best + slack)[:, None]).argmax(axis=1), dtype=np.int64)


def _uniform_draws(n_init: int, n_clusters: int, random_state: Any) -> Floats:
    """Draw the numbers that choose the starting centres: restart by restart, so that more restarts keep the first."""
    n_candidates = 2 + int(np.log(n_clusters))
    rng = check_random_state(random_state)
    return np.asarray(rng.random_sample((n_init, n_clusters, n_candidates)), dtype=np.float64)


def _seed(points: Floats, counts: Floats, draws: Floats) -> Integers:
    """k-means++ for all restarts at once: the patterns to start from, of shape (n_restarts, n_clusters)."""
    n_restarts, n_clusters, n_candidates = draws.shape
    restarts = np.arange(n_restarts)
    norms = np.einsum("ij,ij->i", points, points)
    cumulated = np.cumsum(counts)
    chosen = np.empty((n_restarts, n_clusters), dtype=np.int64)
    chosen[:, 0] = _pick(cumulated, draws[:, 0, 0])
    closest = _distances_to_patterns(points, norms, chosen[:, 0])
    for position in range(1, n_clusters):
        potential = np.cumsum(closest * counts, axis=1)
        candidates = np.stack([_pick(potential[r], draws[r, position]) for r in restarts])
        reached = _distances_to_patterns(points, norms, candidates.ravel()).reshape(n_restarts, n_candidates, -1)
        np.minimum(reached, closest[:, None, :], out=reached)
        best = (reached @ counts).argmin(axis=1)
        chosen[:, position] = candidates[restarts, best]
        closest = reached[restarts, best]
    return chosen


def _pick(cumulated: Floats, uniform: Floats) -> Integers:
    """Choose positions with probabilities in proportion to the steps of a cumulated sum."""
    picked = np.searchsorted(cumulated, uniform * cumulated[-1], side="right")
    return np.asarray(np.minimum(picked, len(cumulated) - 1))


def _distances_to_patterns(points: Floats, norms: Floats, chosen: Integers) -> Floats:
    squared = -2.0 * (points[chosen] @ points.T)
    squared += norms
    squared += norms[chosen][:, None]
    return np.maximum(squared, 0.0, out=squared)


def _batch_restarts(points: Floats, counts: Floats, n_clusters: int, draws: Floats) -> tuple[Integers, Floats]:
    """Lloyd's iterations of all restarts together, all centres in one matrix product.

    Restarts that have converged leave the batch. Returns the labels (n_restarts, n_patterns) and the
    SSE of each restart.
    """
    n_restarts, n_patterns = len(draws), len(points)
    centers = points[_seed(points, counts, draws)]
    labels = np.full((n_restarts, n_patterns), -1, dtype=np.int64)
    active = np.arange(n_restarts)
    for _ in range(MAX_ITERATIONS):
        assigned = _assign_batch(points, centers[active])
        moved = (assigned != labels[active]).any(axis=1)
        labels[active] = assigned
        active = active[moved]
        if not len(active):
            break
        centers[active] = _means_batch(points, counts, assigned[moved], n_clusters)
    sums, mass = _sums_batch(points, counts, labels, n_clusters)
    squared = np.einsum("rkd,rkd->rk", sums, sums)
    explained = np.divide(squared, mass, out=np.zeros_like(squared), where=mass > 0).sum(axis=1)
    return labels, np.maximum(_total(points, counts) - explained, 0.0)


def _assign_batch(points: Floats, centers: Floats) -> Integers:
    """Nearest centre per restart: centres (n_restarts, k, d) -> labels (n_restarts, n_patterns)."""
    n_restarts, n_clusters, n_features = centers.shape
    by_cluster = np.ascontiguousarray(centers.transpose(1, 0, 2)).reshape(-1, n_features)
    scores = (-2.0 * by_cluster) @ points.T
    scores += np.einsum("ij,ij->i", by_cluster, by_cluster)[:, None]
    scores = scores.reshape(n_clusters, n_restarts, len(points))
    # A running minimum over the clusters is several times faster than argmin over a short axis.
    best = scores[0]
    labels = np.zeros(best.shape, dtype=np.int64)
    for cluster in range(1, n_clusters):
        nearer = scores[cluster] < best
        labels[nearer] = cluster
        best = np.minimum(best, scores[cluster])
    return labels


def _sums_batch(points: Floats, counts: Floats, labels: Integers, n_clusters: int) -> tuple[Floats, Floats]:
    """Weighted sums (n_restarts, k, d) and masses (n_restarts, k) of the clusters of every restart."""
    n_restarts, n_patterns = labels.shape
    rows = labels + n_clusters * np.arange(n_restarts)[:, None]
    weighted = np.column_stack([points * counts[:, None], counts])
    if rows.size * n_clusters <= DENSE_MEMBERSHIP:
        member = np.zeros((n_restarts * n_clusters, n_patterns))
        member[rows, np.arange(n_patterns)] = 1.0
    else:
        pointers = np.arange(n_patterns + 1) * n_restarts
        member = csc_array((np.ones(rows.size), rows.T.ravel(), pointers), shape=(n_restarts * n_clusters, n_patterns))
    sums = (member @ weighted).reshape(n_restarts, n_clusters, -1)
    return sums[..., :-1], sums[..., -1]


def _means_batch(points: Floats, counts: Floats, labels: Integers, n_clusters: int) -> Floats:
    sums, mass = _sums_batch(points, counts, labels, n_clusters)
    empty = mass <= 0
    centers = sums / np.where(empty, 1.0, mass)[..., None]
    for restart in np.flatnonzero(empty.any(axis=1)):
        own = centers[restart, labels[restart]]
        squared = np.einsum("ij,ij->i", points - own, points - own)
        for cluster in np.flatnonzero(empty[restart]):
            farthest = int(squared.argmax())
            centers[restart, cluster] = points[farthest]
            squared[farthest] = -1.0
    return centers


def _single_restarts(points: Floats, counts: Floats, n_clusters: int, draws: Floats) -> tuple[Integers, Floats]:
    """Restarts one by one in scikit-learn's Lloyd, which is faster on many patterns."""
    together = max(1, BLOCK // (len(points) * draws.shape[2]))
    seeds = np.concatenate([_seed(points, counts, draws[i : i + together]) for i in range(0, len(draws), together)])
    labels = np.empty((len(draws), len(points)), dtype=np.int64)
    found = np.empty(len(draws))
    for restart, chosen in enumerate(seeds):
        engine = KMeans(
            n_clusters,
            init=points[chosen],
            n_init=1,
            max_iter=MAX_ITERATIONS,
            tol=RESTART_TOLERANCE,
            algorithm="lloyd",
        ).fit(points, sample_weight=counts)
        labels[restart], found[restart] = engine.labels_, engine.inertia_
    return labels, found


def _polish(points: Floats, counts: Floats, all_labels: Integers, found: Floats, n_clusters: int) -> Integers:
    """Improve the best different restarts by single-pattern exchanges and return the labels of the best result."""
    order = np.argsort(found, kind="stable")
    different = np.ones(len(order), dtype=bool)
    different[1:] = np.diff(found[order]) > SAME_PARTITION * found[order][1:]
    n_polished = max(1, len(found) // POLISHED_ONE_IN) if len(points) <= BATCH_UP_TO else 1
    chosen = order[different][:n_polished]
    polished = [_settle(points, counts, all_labels[restart], n_clusters) for restart in chosen]
    sse = [_sse(points, counts, _means(points, counts, labels, n_clusters), labels) for labels in polished]
    return polished[int(np.argmin(sse))]


def _settle(points: Floats, counts: Floats, labels: Integers, n_clusters: int) -> Integers:
    """Take a partition to where neither Lloyd's iterations nor single-pattern exchanges help."""
    total = _total(points, counts)
    large = len(points) > LARGE
    labels = labels.astype(np.int64)
    for _ in range(MAX_ITERATIONS):
        centers = _means_batch(points, counts, labels[None], n_clusters)[0]
        assigned = nearest(points, centers)
        changed = np.count_nonzero(assigned != labels)
        labels = assigned
        populated = np.bincount(labels, minlength=n_clusters).all()
        if populated and changed <= (LARGE_CHANGE * len(points) if large else 0):
            break
    return exchange(points, counts, labels, SMALLEST_GAIN * total, LARGE_GAIN * total if large else 0.0)


def exchange(points: Floats, counts: Floats, labels: Integers, smallest: float, enough: float) -> Integers:
    """Move single patterns between clusters until no move lowers the SSE by more than ``smallest``.

    Moving pattern x of weight w from cluster a to b changes the SSE by
    ``w m_b/(m_b + w) |x - c_b|^2 - w m_a/(m_a - w) |x - c_a|^2`` with masses m. Each pass finds the
    patterns whose move would help, all at once, then tries them in order of their gain against the
    centres as they are by then. A pass that promises no more than ``enough`` is the last one.
    """
    labels = labels.copy()
    n_clusters = int(labels.max()) + 1
    centers = _means(points, counts, labels, n_clusters)
    mass = np.bincount(labels, weights=counts, minlength=n_clusters).astype(np.float64)
    norms = np.einsum("ij,ij->i", points, points)
    while True:
        gain = _gains(points, norms, counts, labels, (centers, mass))
        helps = np.flatnonzero(gain > smallest)
        for row in helps[np.argsort(-gain[helps], kind="stable")]:
            labels[row] = _best_move(points[row], counts[row], int(labels[row]), (centers, mass), smallest)
        if not len(helps) or gain[helps].sum() <= enough:
            return labels


def _gains(points: Floats, norms: Floats, counts: Floats, labels: Integers, clusters: Clusters) -> Floats:
    """By how much the best move of each pattern lowers the SSE."""
    centers, mass = clusters
    rows = np.arange(len(points))
    joining = _squared_distances(points, norms, centers)
    own, own_mass = joining[rows, labels], mass[labels]
    rest = own_mass - counts
    alone = rest <= 1e-12 * own_mass
    leaving = np.where(alone, 0.0, own * own_mass / np.where(alone, 1.0, rest))
    joining *= mass / (mass + counts[:, None])
    joining[rows, labels] = np.inf
    return np.asarray(counts * (leaving - joining.min(axis=1)))


def _best_move(point: Floats, weight: float, here: int, clusters: Clusters, smallest: float) -> int:
    """Find the cluster where one pattern lowers the SSE most, and move the centres and masses accordingly."""
    centers, mass = clusters
    rest = mass[here] - weight
    if rest <= 1e-12 * mass[here]:
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


def _squared_distances(points: Floats, norms: Floats, centers: Floats) -> Floats:
    squared = (-2.0 * points) @ centers.T
    squared += norms[:, None]
    squared += np.einsum("ij,ij->i", centers, centers)
    return np.maximum(squared, 0.0, out=squared)


def _means(points: Floats, counts: Floats, labels: Integers, n_clusters: int) -> Floats:
    sums, mass = _sums_batch(points, counts, labels[None], n_clusters)
    return np.asarray(sums[0] / mass[0][:, None])


def _total(points: Floats, counts: Floats) -> float:
    return float(counts @ np.einsum("ij,ij->i", points, points))


def _sse(points: Floats, counts: Floats, centers: Floats, labels: Integers) -> float:
    away = points - centers[labels]
    return float(counts @ np.einsum("ij,ij->i", away, away))


def _optimum(sse: float, found: Floats, total: float) -> Optimum:
    best = float(found.min())
    hit = found <= best * (1.0 + SAME_RESULT) + 1e-12 * total
    others = found[~hit]
    gap = float(others.min() / best - 1.0) if len(others) and best > 0 else math.nan
    return Optimum(sse=sse, n_init=len(found), n_hits=int(hit.sum()), second_best_gap=gap)

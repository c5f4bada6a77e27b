"""k-means on distinct patterns with counts: restarts, and where they disagree a search among local optima."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils import check_random_state

from custseg._core.arrays import Floats, Integers
from custseg._core.asking import asking
from custseg._core.threads import one_thread
from custseg.exceptions import InfeasibleError
from custseg.segmentation._kmeans.genetic import affordable, genetic_search
from custseg.segmentation._kmeans.lloyd import seed_centers, sse_of, total_of, uniform_draws, weighted_means
from custseg.segmentation._kmeans.optimum import Optimum, SampleCost, do_agree
from custseg.segmentation._kmeans.patterns import Patterns
from custseg.segmentation._kmeans.restarts import BATCH_UP_TO, Batch, OneByOne
from custseg.segmentation._kmeans.sample import drawn, full_passes, sample_size
from custseg.segmentation._kmeans.swap import swap_search

__all__ = ["KMeansFit", "fit_kmeans"]


# Restarts whose SSE differs by less than this share have reached the same result for all purposes.
SAME_RESULT = 1e-4


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

    @property
    def loss(self) -> SampleCost | None:
        """What it cost to find the centres on a sample; None where all patterns were used."""
        return self.optimum.sample


@asking("k-means")
def fit_kmeans(
    patterns: Patterns,
    n_clusters: int,
    *,
    n_init: int,
    random_state: Any,
    sample_above: int = 100_000,
    thorough: bool = True,
) -> KMeansFit:
    """Partition patterns into clusters of least weighted sum of squared distances.

    ``n_init`` restarts from k-means++ [1]_ (several candidates per centre, the best one kept), each
    with Lloyd's iterations until no label changes. Where fewer than a quarter of them, or three, agree on the
    best result, partitions are crossed and repaired (:func:`genetic_search` [4]_), for about a second. Where
    there are too many patterns for that, a swap search [2]_ tries to leave the best result: of 40 moves of a centre to
    a pattern far from all centres, the eight most promising are tried, until a round finds no better partition. The
    best partitions are improved by moving single patterns between clusters, counting how the move shifts both
    centres (Hartigan [3]_), until no move helps. The result depends on the patterns and the seed
    only, not on the order of the rows or on the number of threads.

    Above ``sample_above`` patterns the centres are found on a sample of about that size, drawn by a
    hash of the content; two of Lloyd's passes over all patterns then improve them, and tell what the
    sample had cost.

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
    sample_above : int, default=100,000
        The number of patterns above which a sample of them is fitted.
    thorough : bool, default=True
        False leaves out the search after the restarts and improves three partitions only by exchanges: a third of
        the time, for refits by the hundred.

    Returns
    -------
    KMeansFit
        Centres, the cluster of each pattern, SSE and what the restarts found.

    Raises
    ------
    InfeasibleError
        If there are fewer patterns than clusters, or fewer that differ by more than rounding.

    References
    ----------
    .. [1] D. Arthur and S. Vassilvitskii (2007), "k-means++: the advantages of careful seeding",
       SODA 2007.
    .. [2] P. Fränti (2018), "Efficiency of random swap clustering", Journal of Big Data 5, 13.
    .. [3] J. A. Hartigan (1975), "Clustering Algorithms", Wiley, chapter 4.
    .. [4] D. Gribel and T. Vidal (2019), "HG-means: a scalable hybrid genetic algorithm for minimum
       sum-of-squares clustering", Pattern Recognition 88, 569-583.

    Examples
    --------
    >>> from custseg.segmentation._kmeans.patterns import distinct_patterns
    >>> patterns = distinct_patterns([[0.0], [0.2], [5.0], [5.2], [5.2]])
    >>> fit = fit_kmeans(patterns, 2, n_init=4, random_state=0)
    >>> sorted(fit.centers.ravel().round(3).tolist())
    [0.1, 5.133]
    >>> round(fit.sse, 4), fit.optimum.n_hits
    (0.0467, 4)
    """
    if n_clusters > patterns.n_patterns:
        raise InfeasibleError.too_few_customers(n_clusters, patterns.n_patterns, len(patterns.inverse))
    random = check_random_state(random_state)
    units = _Units.of(patterns)
    points = units.standard(patterns.values)
    n_sampled = sample_size(sample_above, n_clusters)
    with one_thread():
        if patterns.n_patterns <= n_sampled:
            found = _search(points, patterns.counts, n_clusters, n_init, random, thorough=thorough)
            centers, labels, loss = found.centers, found.labels, None
            sse = sse_of(points, patterns.counts, centers, labels)
        else:
            rows, counts = drawn(patterns, n_sampled, points)
            found = _search(points[rows], counts, n_clusters, n_init, random, thorough=thorough)
            labels, centers, passes = full_passes(points, patterns.counts, found.centers)
            sse = passes[-1]
            loss = SampleCost(
                criterion="sse",
                n_sampled=len(rows),
                n_patterns=patterns.n_patterns,
                sample_objective=units.sse(passes[0]),
                objective=units.sse(sse),
                n_passes=len(passes) - 1,
                last_gain=1.0 - sse / passes[-2] if passes[-2] > 0 else 0.0,
            )
    optimum = _optimum(units.sse(sse), found, loss)
    return KMeansFit(units.original(centers), labels, optimum.objective, optimum)


@dataclass(frozen=True)
class _Units:
    """Centre patterns and scale them by powers of two (which rounds nothing): no offset or unit costs precision."""

    offset: Floats
    raw_exponent: int
    exponent: int

    @classmethod
    def of(cls, patterns: Patterns) -> _Units:
        raw_exponent = _exponent(patterns.values)
        raw = np.ldexp(patterns.values, -raw_exponent)
        offset = np.average(raw, axis=0, weights=patterns.counts)
        return cls(offset, raw_exponent, _exponent(raw - offset))

    def standard(self, values: Floats) -> Floats:
        return np.asarray(np.ldexp(np.ldexp(values, -self.raw_exponent) - self.offset, -self.exponent))

    def original(self, centers: Floats) -> Floats:
        return np.asarray(np.ldexp(np.ldexp(centers, self.exponent) + self.offset, self.raw_exponent))

    def sse(self, sse: float) -> float:
        with np.errstate(over="ignore", under="ignore"):
            return float(np.ldexp(sse, 2 * (self.exponent + self.raw_exponent)))


def _exponent(values: Floats) -> int:
    """Return the exponent of the least power of two above all sizes."""
    largest = max(float(values.max(initial=0.0)), -float(values.min(initial=0.0)))
    return math.frexp(largest)[1] if largest > 0 else 0


@dataclass(frozen=True)
class _Found:
    """The best partition that the restarts and swaps found, the SSE of every restart, and the effort."""

    centers: Floats
    labels: Integers
    restarts: Floats
    total: float
    n_iterations: int
    n_swaps: int
    is_confirmed: bool


def _search(
    points: Floats, counts: Floats, n_clusters: int, n_init: int, random: np.random.RandomState, *, thorough: bool
) -> _Found:
    """Find the best partition of centred patterns."""
    total = total_of(points, counts)
    if n_clusters in (1, len(points)):
        labels = np.arange(len(points)) % n_clusters
        centers = weighted_means(points, counts, labels, n_clusters)
        return _Found(centers, labels, np.full(n_init, total if n_clusters == 1 else 0.0), total, 0, 0, True)
    engine = (Batch if len(points) <= BATCH_UP_TO else OneByOne)(points, counts, n_clusters)
    draws = uniform_draws(n_init, n_clusters, random)
    started = engine.restart(seed_centers(points, counts, draws), thorough=thorough)
    labels, n_iterations, n_swaps = started.labels, started.n_iterations, 0
    if not np.bincount(labels, minlength=n_clusters).all():
        raise InfeasibleError.too_few_customers(n_clusters, len(np.unique(labels)), len(points))
    is_confirmed = do_agree(int(_is_hit(started.sse, total).sum()), n_init)
    if thorough and not is_confirmed:
        n_children = affordable(n_init, len(points), n_clusters, points.shape[1])
        if n_children:
            evolved = genetic_search(points, counts, labels, n_clusters, n_children=n_children, random=random)
            labels, is_confirmed = evolved.solution, evolved.is_confirmed
        else:
            searched = swap_search(
                points,
                counts,
                labels,
                n_clusters,
                n_failures=engine.n_failures,
                random=random,
                repair=engine.repair,
            )
            labels, n_swaps = searched.labels, searched.n_swaps
            n_iterations += searched.n_iterations
    centers = weighted_means(points, counts, labels, n_clusters)
    return _Found(centers, labels, started.sse, total, n_iterations, n_swaps, is_confirmed)


def _is_hit(restarts: Floats, total: float) -> npt.NDArray[np.bool_]:
    return np.asarray(restarts <= restarts.min() * (1.0 + SAME_RESULT) + 1e-12 * total)


def _optimum(sse: float, found: _Found, sample: SampleCost | None) -> Optimum:
    best = float(found.restarts.min())
    hit = _is_hit(found.restarts, found.total)
    others = found.restarts[~hit]
    return Optimum(
        criterion="sse",
        objective=sse,
        n_init=len(found.restarts),
        n_finished=len(found.restarts),
        n_hits=int(hit.sum()),
        second_best_gap=float(others.min() / best - 1.0) if len(others) and best > 0 else math.nan,
        n_iterations=found.n_iterations,
        n_swaps=found.n_swaps,
        is_confirmed=found.is_confirmed,
        sample=sample,
    )

"""k-means on distinct patterns with counts: restarts, and where they disagree a search among local optima."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from custseg._core.arrays import Floats, Integers
from custseg._core.asking import asking
from custseg._core.threads import one_thread
from custseg.exceptions import InfeasibleError
from custseg.segmentation._kmeans._many.search import Search
from custseg.segmentation._kmeans.few import FEW, search_few
from custseg.segmentation._kmeans.found import Found, are_best
from custseg.segmentation._kmeans.lloyd import sse_of, total_of, weighted_means
from custseg.segmentation._kmeans.optimum import Optimum, SampleCost
from custseg.segmentation._kmeans.patterns import Patterns
from custseg.segmentation._kmeans.sample import drawn, full_passes, sample_size
from custseg.segmentation._kmeans.units import Units, without_last_digits

__all__ = ["KMeansFit", "Prepared", "fit_kmeans"]


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
) -> KMeansFit:
    """Partition patterns into clusters of least weighted sum of squared distances.

    ``n_init`` restarts from k-means++ [1]_ (several candidates per centre, the best one kept), each with Lloyd's
    iterations. Where fewer than a quarter of them, or three, agree on the best result, partitions are crossed and
    repaired [3]_: of up to 1,500 patterns by :func:`~custseg.segmentation._kmeans.genetic.genetic_search`, for about a
    second; of more by :func:`~custseg.segmentation._kmeans._many.search.Search`, above 8,000 among cells of close
    patterns first. The best partitions are improved by moving single patterns between clusters, counting how the move
    shifts both centres (Hartigan [2]_), until no move helps. The result depends on the patterns and the seed
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
    .. [2] J. A. Hartigan (1975), "Clustering Algorithms", Wiley, chapter 4.
    .. [3] D. Gribel and T. Vidal (2019), "HG-means: a scalable hybrid genetic algorithm for minimum
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
    return Prepared(patterns, sample_above).fit(n_clusters, n_init, random_state)


class Prepared:
    """Patterns that are partitioned into several numbers of clusters: what does not depend on it is done once.

    Parameters
    ----------
    patterns : Patterns
        Distinct rows with positive counts.
    sample_above : int
        As in :func:`fit_kmeans`.
    """

    def __init__(self, patterns: Patterns, sample_above: int) -> None:
        self.patterns, self.sample_above = patterns, sample_above
        self._units = Units.of(patterns)
        self._points = self._units.standard(patterns.values)
        self._among: dict[int, _Among] = {}

    def fit(self, n_clusters: int, n_init: int, random_state: Any) -> KMeansFit:
        """Do as :func:`fit_kmeans` says."""
        patterns, points, units = self.patterns, self._points, self._units
        if n_clusters > patterns.n_patterns:
            raise InfeasibleError.too_few_customers(n_clusters, patterns.n_patterns, len(patterns.inverse))
        with one_thread():
            among, sample = self._searched(n_clusters), None
            found = among.search(n_clusters, n_init, check_random_state(random_state))
            labels = found.labels
            centers = weighted_means(points[among.rows], among.counts, labels, n_clusters)
            if among.n_patterns == patterns.n_patterns:
                sse = sse_of(points, patterns.counts, centers, labels)
            else:
                labels, centers, passes = full_passes(points, patterns.counts, centers)
                sse = passes[-1]
                sample = SampleCost(
                    criterion="sse",
                    n_sampled=among.n_patterns,
                    n_patterns=patterns.n_patterns,
                    sample_objective=units.sse(passes[0]),
                    objective=units.sse(sse),
                    n_passes=len(passes) - 1,
                    last_gain=1.0 - sse / passes[-2] if passes[-2] > 0 else 0.0,
                )
        optimum = _optimum(units.sse(sse), found, total_of(among.points, among.counts), sample)
        return KMeansFit(units.original(centers), labels, optimum.objective, optimum)

    def prepare(self, n_clusters: int) -> None:
        """Do what other processes, which get a copy, would do each."""
        with one_thread():
            self._searched(n_clusters).prepare(n_clusters)

    def _searched(self, n_clusters: int) -> _Among:
        n_sampled = sample_size(self.sample_above, n_clusters)
        if n_sampled not in self._among:
            self._among = {n_sampled: _Among.of(self.patterns, self._points, n_sampled)}
        return self._among[n_sampled]


class _Among:
    """The patterns, or the sample of them, that are searched: their positions, and what no rounding decides on."""

    def __init__(self, rows: Integers | slice, points: Floats, counts: Floats) -> None:
        self.rows, self.points, self.counts = rows, points, counts
        self._many = Search(points, counts) if len(points) > FEW else None

    @classmethod
    def of(cls, patterns: Patterns, points: Floats, n_sampled: int) -> _Among:
        points = without_last_digits(points, patterns.counts)
        if patterns.n_patterns <= n_sampled:
            return cls(slice(None), points, patterns.counts)
        rows, counts = drawn(patterns, n_sampled, points)
        return cls(rows, points[rows], counts)

    @property
    def n_patterns(self) -> int:
        return len(self.points)

    def prepare(self, n_clusters: int) -> None:
        """Put very many patterns into cells."""
        if self._many is not None:
            self._many.looked_at(n_clusters)

    def search(self, n_clusters: int, n_init: int, random: np.random.RandomState) -> Found:
        """Find the best partition."""
        if n_clusters in (1, self.n_patterns):
            sse = total_of(self.points, self.counts) if n_clusters == 1 else 0.0
            return Found(np.arange(self.n_patterns) % n_clusters, np.full(n_init, sse), 0, True)
        if self._many is None:
            found = search_few(self.points, self.counts, n_clusters, n_init, random)
        else:
            found = self._many.best(n_clusters, n_init, random)
        n_populated = len(np.unique(found.labels))
        if n_populated < n_clusters:
            raise InfeasibleError.too_few_customers(n_clusters, n_populated, self.n_patterns)
        return found


def _optimum(sse: float, found: Found, total: float, sample: SampleCost | None) -> Optimum:
    best = float(found.restarts.min())
    is_best = are_best(found.restarts, total)
    others = found.restarts[~is_best & np.isfinite(found.restarts)]
    return Optimum(
        criterion="sse",
        objective=sse,
        n_init=len(found.restarts),
        n_finished=len(found.restarts),
        n_hits=int(is_best.sum()),
        second_best_gap=float(others.min() / best - 1.0) if len(others) and best > 0 else math.nan,
        n_iterations=found.n_iterations,
        is_confirmed=found.is_confirmed,
        sample=sample,
    )

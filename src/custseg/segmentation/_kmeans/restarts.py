"""Restarts of k-means and repairs of swaps: of few patterns all at once, of many one by one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from custseg._core.arrays import Floats, Integers
from custseg.segmentation._kmeans.exchange import exchange_batch, settle
from custseg.segmentation._kmeans.lloyd import batch_lloyd, single_lloyd

__all__ = ["BATCH_UP_TO", "Batch", "OneByOne", "Started"]


# Up to this many patterns the restarts run as one batch in numpy, above it one by one in
# scikit-learn's Lloyd: the batch does k distances per pattern always, but saves the overhead per restart.
BATCH_UP_TO = 1_500
# Restarts whose SSE differs by less than this share have found the same partition.
SAME_PARTITION = 1e-9
# One in so many restarts, and at least so many, the best different ones, is improved by exchanges; of swaps, all.
EXCHANGED_ONE_IN, FEWEST_EXCHANGED = 2, 5
# So many where time counts more than the last gain.
FEW_EXCHANGED = 3
# More patterns have more local optima: every so many allow one more failed round.
PATTERNS_PER_FAILURE = 250
# Of many patterns, swaps are repaired by so many iterations.
FEW_ITERATIONS = 10


@dataclass(frozen=True)
class Started:
    """The labels of the best start, the SSE of every start before exchanges, and Lloyd's iterations of all."""

    labels: Integers
    sse: Floats
    n_iterations: int


@dataclass(frozen=True)
class Batch:
    """Few patterns: all starts in one batch, the best different ones improved by exchanges together."""

    points: Floats
    counts: Floats
    n_clusters: int

    @property
    def n_failures(self) -> int:
        """The number of failed rounds that end the search."""
        return 2 + len(self.points) // PATTERNS_PER_FAILURE

    def restart(self, centers: Floats, *, thorough: bool = True) -> Started:
        """Run all restarts from their centres (n_init, k, d)."""
        n_exchanged = max(FEWEST_EXCHANGED, len(centers) // EXCHANGED_ONE_IN) if thorough else FEW_EXCHANGED
        return self._run(centers, n_exchanged)

    def repair(self, centers: Floats, worth: float) -> Started:
        """Repair swaps; ``worth`` is of no matter here."""
        return self._run(centers, len(centers))

    def _run(self, centers: Floats, n_exchanged: int) -> Started:
        ended = batch_lloyd(self.points, self.counts, centers)
        order = np.argsort(ended.sse, kind="stable")
        different = np.ones(len(order), dtype=bool)
        different[1:] = np.diff(ended.sse[order]) > SAME_PARTITION * ended.sse[order][1:]
        chosen = order[different][:n_exchanged]
        labels, sse = exchange_batch(self.points, self.counts, ended.labels[chosen], self.n_clusters)
        best = labels[int(sse.argmin())]
        if not np.bincount(best, minlength=self.n_clusters).all():
            best = settle(self.points, self.counts, best, self.n_clusters)
        return Started(best, ended.sse, ended.n_iterations)


@dataclass(frozen=True)
class OneByOne:
    """Many patterns: the starts one by one, the last steps of the best only."""

    points: Floats
    counts: Floats
    n_clusters: int

    @property
    def n_failures(self) -> int:
        """The number of failed rounds that end the search."""
        return 1

    def restart(self, centers: Floats, *, thorough: bool = True) -> Started:
        """Run all restarts from their centres (n_init, k, d); only the best goes on in any case."""
        ended = single_lloyd(self.points, self.counts, centers)
        labels = settle(self.points, self.counts, ended.labels[0], self.n_clusters)
        return Started(labels, ended.sse, ended.n_iterations)

    def repair(self, centers: Floats, worth: float) -> Started:
        """Repair swaps by a few iterations each, and the best to the end where its SSE is below ``worth`` by then."""
        ended = single_lloyd(self.points, self.counts, centers, FEW_ITERATIONS)
        labels = ended.labels[0]
        if ended.sse.min() <= worth:
            labels = settle(self.points, self.counts, labels, self.n_clusters)
        return Started(labels, ended.sse, ended.n_iterations)

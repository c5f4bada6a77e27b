"""Samples that are partitioned together, and how the best partition of each is ended."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np

from custseg._core.arrays import Floats, Integers
from custseg._core.threads import one_thread
from custseg.exceptions import InfeasibleError
from custseg.segmentation._kmeans._many.starts import children, far_points
from custseg.segmentation._kmeans._many.steps import Ends, Sample, Steps
from custseg.segmentation._kmeans.exchange import exchange_batch
from custseg.segmentation._kmeans.lloyd import batch_lloyd, populated_means, sse_of, weighted_means
from custseg.segmentation._kmeans.nearest import nearest

__all__ = ["Refits", "end", "sse_within"]

# Starts from far points are enough where so large a share, and so many, end at the best result; else rounds of so many
# children for each start follow, at most so many and until one has gained nothing.
AGREE, FEWEST_HITS = 0.25, 3
CHILDREN, MOST_ROUNDS = 0.5, 4
# The same where customers share their answers: of these there are fewer, and more optima of nearly the same height.
CHILDREN_OF_ANSWERS, MOST_ROUNDS_OF_ANSWERS = 1.0, 12
# What differs by so small a share of the total sum of squares is one result that was taken less far.
SLIGHTLY = 1e-5
# So many different results are kept. So many of few points are ended by exact steps: of answers of yes and no,
# exchanges often turn the order of results around.
KEPT, ENDED = 8, 4
# Where segments leave a smaller share of the total within, short numbers do not tell it from rounding.
LEAST_WITHIN = 1e-3
# So many results among cells are taken on among all customers, by so many of Lloyd's iterations: what is best among
# cells need not be the best among customers.
TAKEN_ON, FEW_ITERATIONS = 4, 15


class Refits:
    """Samples that are partitioned together: each as it would be without the others, in fewer and larger steps.

    Parameters
    ----------
    samples : sequence of Sample
        The samples.
    shape : tuple of (int, int), default=(0, 0)
        To so many points and columns each sample is filled up by some that count nothing, if it has fewer: so its
        numbers do not depend on the others.
    are_answers : bool, default=False
        Whether the points are answers that customers share.
    """

    def __init__(
        self, samples: Sequence[Sample], shape: tuple[int, int] = (0, 0), *, are_answers: bool = False
    ) -> None:
        self.samples = samples
        self._effort = (CHILDREN_OF_ANSWERS, MOST_ROUNDS_OF_ANSWERS) if are_answers else (CHILDREN, MOST_ROUNDS)
        n_points, n_columns = zip(shape, *(sample.points.shape for sample in samples), strict=True)
        self.shape = max(n_points), max(n_columns)

    @cached_property
    def _short(self) -> Steps:
        return Steps(self.samples, self.shape, np.dtype(np.float32))

    @cached_property
    def _long(self) -> Steps:
        return Steps(self.samples, self.shape, np.dtype(np.float64))

    def search(self, n_clusters: int, n_init: int, seeds: Sequence[int]) -> list[Floats]:
        """Return the best different results for each sample, the best one first.

        Parameters
        ----------
        n_clusters : int
            The number of clusters.
        n_init : int
            The starts from far points.
        seeds : sequence of int
            The source of the draws of each sample.

        Returns
        -------
        list of ndarrays of shape (n_results, k, d)
            Their centres.
        """
        return self._searched(n_clusters, n_init, seeds, None)

    def search_from(self, known: Sequence[Floats], n_init: int, seeds: Sequence[int]) -> list[Floats]:
        """Do as :meth:`search`, from results found elsewhere."""
        return self._searched(known[0].shape[1], n_init, seeds, known)

    def go_on(self, centers: Sequence[Floats], *, n_iterations: int = FEW_ITERATIONS) -> list[Floats]:
        """Take results found elsewhere on by a few of Lloyd's iterations, and return the best of each: (1, k, d)."""
        starts = self._starts([own[:TAKEN_ON] for own in centers])

        def ends(steps: Steps, going: Integers) -> Ends:
            return steps.lloyd(starts.of(np.isin(starts.own, going)), max_iterations=n_iterations).firsts()

        return self._original(self._in_short_or_long(ends))

    def _searched(
        self, n_clusters: int, n_init: int, seeds: Sequence[int], known: Sequence[Floats] | None
    ) -> list[Floats]:
        def ends(steps: Steps, going: Integers) -> Ends:
            return self._rounds(steps, going, (n_clusters, n_init, seeds), known)

        return self._original(self._in_short_or_long(ends))

    def _in_short_or_long(self, ends: Callable[[Steps, Integers], Ends]) -> Ends:
        """Work in short numbers, and again in long ones for the samples that need these."""
        with one_thread():
            everyone = np.arange(len(self.samples))
            found = ends(self._short, everyone)
            beyond = self._short.totals - found.firsts().explained < LEAST_WITHIN * self._short.totals
            if not beyond.any():
                return found
            again = ends(self._long, everyone[beyond])
            return self._long.merged(found.of(~beyond[found.own]), again.of(beyond[again.own]))

    def _rounds(
        self, steps: Steps, going: Integers, asked_for: tuple[int, int, Sequence[int]], known: Sequence[Floats] | None
    ) -> Ends:
        """Search in those samples that are going, or in those whose results are known, until it gains nothing."""
        n_clusters, n_init, seeds = asked_for
        random = [np.random.RandomState(seed) for seed in seeds]
        if known is not None:
            found = steps.lloyd(self._starts(known))
        else:
            found = steps.lloyd(far_points(steps, going, n_init, n_clusters, random))
            agreed = found.hits * (_explained_by_best(found) - found.explained <= SLIGHTLY * steps.totals[found.own])
            enough = max(AGREE * n_init, FEWEST_HITS)
            going = going[np.bincount(found.own, weights=agreed, minlength=len(seeds))[going] < enough]
        share, most_rounds = self._effort
        n_children = math.ceil(share * n_init)
        for _ in range(most_rounds):
            if not len(going):
                break
            before = found.firsts()
            ended = steps.lloyd(children(steps, found, going, n_children, random), found)
            found = steps.merged(found, ended).firsts(KEPT)
            gained = found.firsts().explained - before.explained > SLIGHTLY * steps.totals[before.own]
            going = np.intersect1d(going, before.own[gained], assume_unique=True)
        return found.firsts(KEPT)

    def _starts(self, centers: Sequence[Floats]) -> Ends:
        n_columns = self.shape[1]
        starts = [sample.standard(own, n_columns) for sample, own in zip(self.samples, centers, strict=True)]
        return Ends.started(np.concatenate(starts), np.repeat(np.arange(len(starts)), list(map(len, starts))))

    def _original(self, found: Ends) -> list[Floats]:
        return [sample.original(found.centers[found.own == place]) for place, sample in enumerate(self.samples)]


def _explained_by_best(found: Ends) -> Floats:
    """Return for each result what the best one of its sample explains."""
    return found.explained[np.searchsorted(found.own, found.own)]


def end(sample: Sample, centers: Floats) -> Floats:
    """Take results of a sample of few points to where neither Lloyd's iterations nor exchanges of single ones help.

    Parameters
    ----------
    sample : Sample
        The sample.
    centers : ndarray of shape (n_results, k, d)
        The results.

    Returns
    -------
    ndarray of shape (k, d)
        The centres of the best, in long numbers.

    Raises
    ------
    InfeasibleError
        If fewer points differ than there are clusters.
    """
    n_clusters, points, counts = centers.shape[1], sample.points, sample.counts
    with one_thread():
        ended = batch_lloyd(points, counts, sample.standard(centers[:ENDED]))
        labels, sse = exchange_batch(points, counts, ended.labels, n_clusters)
        best = labels[int(sse.argmin())]
        if len(np.unique(best)) < n_clusters:
            best = nearest(points, populated_means(points, counts, best, n_clusters))
        n_populated = len(np.unique(best))
        if n_populated < n_clusters:
            raise InfeasibleError.too_few_customers(n_clusters, n_populated, len(points))
        return sample.original(populated_means(points, counts, best, n_clusters))


def sse_within(sample: Sample, labels: Integers) -> float:
    """Return the sum of squares that is left in the clusters of a partition, in the same units."""
    every, labels = np.unique(labels, return_inverse=True)
    with one_thread():
        means = weighted_means(sample.points, sample.counts, labels, len(every))
        return sse_of(sample.points, sample.counts, means, labels)

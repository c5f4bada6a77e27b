"""Refits by k-means of the same customers drawn again: restarts among cells, then on with all where that pays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from custseg._core.arrays import Floats, Integers
from custseg._core.asking import asking
from custseg._core.threads import one_thread
from custseg.exceptions import InfeasibleError
from custseg.segmentation._base.order import segment_order
from custseg.segmentation._clusterer.clusterer import SegmentClusterer
from custseg.segmentation._clusterer.embedding_step import Embedded, Embedding, embed_to_fit, embedded
from custseg.segmentation._clusterer.refits import can_refit
from custseg.segmentation._kmeans._refits.cells import Cells, cells_of
from custseg.segmentation._kmeans._refits.everyone import Everyone
from custseg.segmentation._kmeans._refits.refits import Refits, end, sse_around, sse_within
from custseg.segmentation._kmeans._refits.steps import Sample
from custseg.segmentation._kmeans.balance import balance
from custseg.segmentation._kmeans.exchange import settle
from custseg.segmentation._kmeans.lloyd import weighted_means
from custseg.segmentation._kmeans.nearest import nearest
from custseg.segmentation._kmeans.patterns import distinct_patterns

__all__ = ["FEW_CUSTOMERS", "CellRefits", "can_use_cells"]

Samples = Sequence[tuple[Integers, int]]

# Up to so many different customers each is a cell of its own.
FEW_CUSTOMERS = 1_500
# Up to so many numbers in the embedding, several samples are at hand together.
SMALL = 250_000
# Rounds of children among cells of many customers, and how many of them may gain nothing: local optima there matter
# less.
ROUNDS_AMONG_CELLS, PATIENCE_AMONG_CELLS = 3, 2
# Up to so many numbers in the embedding, each bootstrap sample is embedded anew; a larger one moves no scale by much.
EMBEDDED_AGAIN = 1_000_000
# Up to so many, what was found among cells goes on among all customers, and each customer is assigned by itself.
GOES_ON = 2_000_000
# Up to so many, the restarts that say what cells cost run among all customers; else what was found goes on to its end.
SEARCHED_AGAIN = 200_000


def can_use_cells(clusterer: Any) -> bool:
    """Say whether cells serve a clusterer: that is k-means of ours."""
    return can_refit(clusterer) and clusterer.engine == "kmeans"


class CellRefits:
    """Customers embedded and in cells, to be fitted on again and again with other counts.

    Parameters
    ----------
    clusterer : SegmentClusterer
        What is fitted; it stays as it is.
    everyone : DataFrame, CustomerTable or ndarray
        The different customers.
    counts : ndarray of shape (n_different,)
        How many customers each of them stands for.
    """

    def __init__(self, clusterer: SegmentClusterer, everyone: Any, counts: Integers) -> None:
        self.name = type(clusterer).__name__
        self.n_init, self.share = clusterer.n_init, clusterer.min_segment_share
        self.counts = counts.astype(np.float64)
        self._embedding = Embedding(clusterer.embedder, clusterer.kinds, clusterer.weights, clusterer.customer_id)
        with asking(self.name), one_thread():
            self._everyone = everyone
            self._whole = embedded(everyone, self._embedding, self.counts)
            self._points = self._whole.matrix[:, self._whole.canonical_columns]
            self.cells = Cells.of(np.arange(len(self._points)), len(self._points))

    @property
    def n_cells(self) -> int:
        """The number of cells."""
        return self.cells.n_cells

    @property
    def is_exact(self) -> bool:
        """Whether each different customer is a cell of its own."""
        return self.cells.are_patterns

    @property
    def are_few(self) -> bool:
        """Whether so few customers differ that cells would save nothing."""
        return len(self._points) <= FEW_CUSTOMERS

    @property
    def are_small(self) -> bool:
        """Whether the numbers of several samples are no burden."""
        return self._points.size <= SMALL

    @property
    def goes_on(self) -> bool:
        """Whether what is found among cells goes on among all customers."""
        return self._points.size <= GOES_ON

    @property
    def may_search_again(self) -> bool:
        """Whether restarts among all customers are to be had for a few samples."""
        return self._points.size <= SEARCHED_AGAIN

    @property
    def n_drawn(self) -> int:
        """So many different customers, or a few less, are in a sample; it is the same for all."""
        expected = np.sum(1.0 - np.exp(-self.counts))
        return min(len(self.counts), int(expected + 3.0 * np.sqrt(expected)))

    def in_cells(self, n_cells: int) -> CellRefits:
        """Return the same customers in so many cells, at most."""
        with one_thread():
            return self._with(cells=self._cells(n_cells))

    def sampled(self, samples: Samples) -> Callable[[int], list[Integers]]:
        """Take bootstrap samples, to be partitioned together: each as it would be without the others.

        Parameters
        ----------
        samples : sequence of (ndarray of shape (n_different,), int)
            How often each different customer was drawn, and the source of the starting points, the same for every
            number of segments.

        Returns
        -------
        callable
            Takes a number of segments to the labels of all different customers, sample by sample.

        Raises
        ------
        InfeasibleError
            If fewer customers of the sample differ than there are segments.
        """
        return asking(self.name)(self._drawn(samples).labels)

    def loss(self, samples: Samples, numbers: Sequence[int]) -> float:
        """Return by which share the sum of squares around segments found among cells is too high, on average.

        It is that of all drawn customers, compared with the least of what restarts among all of them, and what goes on
        from the cells to the end, come to.
        """
        drawn = self._drawn(samples)
        with asking(self.name), one_thread():
            return float(np.mean([drawn.losses(number) for number in numbers]))

    def reference(self, number: int, seed: int) -> Integers:
        """Return the labels of the solution on all customers, in the order that ``fit`` gives segments."""
        with asking(self.name), one_thread():
            drawn = _Drawn(self, [(self._points, self.counts)], [seed])
            ended = drawn.all.go_on(drawn.found(number), to_the_end=True)
            (everyone,) = drawn.all.samples
            labels = nearest(self._points, end(everyone, ended[0]))
            labels = settle(self._points - everyone.offset, self.counts, labels, number)
            means = weighted_means(self._points, self.counts, labels, number)
            order = segment_order(means, labels, self.counts, None)
        places: Integers = np.argsort(order)[labels]
        return places

    def nearest(self, points: Floats, centers: Floats) -> Integers:
        """Return the nearest centre of everyone, in the embedding of a sample."""
        return self._as_whole.nearest(centers) if points is self._points else nearest(points, centers)

    @cached_property
    def _as_whole(self) -> Everyone:
        return Everyone(self._points)

    def _with(self, **changes: Any) -> CellRefits:
        other = object.__new__(CellRefits)
        other.__dict__.update(self.__dict__ | changes)
        return other

    def _cells(self, n_cells: int) -> Cells:
        patterns = distinct_patterns(self._points, self.counts)
        cells = cells_of(patterns.values, patterns.counts, n_cells)
        return Cells.of(cells.cell[patterns.inverse], cells.n_cells)

    def _drawn(self, samples: Samples) -> _Drawn:
        counts = [drawn.astype(np.float64) for drawn, _ in samples]
        with asking(self.name), one_thread():
            return _Drawn(self, [(self._embedded(own), own) for own in counts], [seed for _, seed in samples])

    def _embedded(self, counts: Floats) -> Floats:
        """Embed everyone by what the drawn customers say about scales."""
        whole = self._whole
        if whole.embedder is None or whole.matrix.size > EMBEDDED_AGAIN:
            return self._points
        again: Embedded = embed_to_fit(self._everyone, whole.table, counts, self._embedding)
        columns = again.canonical_columns if whole.table.named else whole.canonical_columns
        return again.matrix[:, columns]


@dataclass(frozen=True)
class _Drawn:
    """Customers in the embedding of each sample and how often each was drawn, and the sources of starting points."""

    refits: CellRefits
    samples: Sequence[tuple[Floats, Floats]]
    seeds: Sequence[int]

    @cached_property
    def few(self) -> Refits:
        """The cells that hold drawn customers; these themselves where each is a cell."""
        if self.refits.is_exact:
            patterns = [distinct_patterns(points[counts > 0], counts[counts > 0]) for points, counts in self.samples]
            return Refits([Sample(own.values, own.counts) for own in patterns], self.refits.n_drawn)
        drawn = [self._in_cells(points, counts) for points, counts in self.samples]
        return Refits(drawn, self.refits.n_cells, n_rounds=ROUNDS_AMONG_CELLS, patience=PATIENCE_AMONG_CELLS)

    @cached_property
    def all(self) -> Refits:
        """All drawn customers."""
        drawn = [Sample(points[counts > 0], counts[counts > 0]) for points, counts in self.samples]
        return Refits(drawn, self.refits.n_drawn)

    def _in_cells(self, points: Floats, counts: Floats) -> Sample:
        cells = self.refits.cells
        mass = cells.masses(counts)
        return Sample(cells.means(points, counts)[mass > 0], mass[mass > 0])

    def found(self, number: int) -> list[Floats]:
        """Return the best results among the cells."""
        for sample, (_, counts) in zip(self.few.samples, self.samples, strict=True):
            if number > len(sample.points):
                raise InfeasibleError.too_few_customers(number, len(sample.points), int(counts.sum()))
        return self.few.search(number, self.refits.n_init, self.seeds)

    def labels(self, number: int) -> list[Integers]:
        """Return the segment of everyone, sample by sample."""
        return self._ended(self.found(number))

    def losses(self, number: int) -> list[float]:
        """Return the relative excess in the sum of squares of what is found among cells, sample by sample."""
        found, everyone = self.found(number), self.all
        if self.refits.may_search_again:
            better = everyone.search_from(found, self.refits.n_init, self.seeds)
        else:
            better = everyone.go_on(found, to_the_end=True)
        left = [
            sse_within(drawn, labels[counts > 0])
            for drawn, labels, (_, counts) in zip(everyone.samples, self._ended(found), self.samples, strict=True)
        ]
        least = [sse_around(drawn, best[0]) for drawn, best in zip(everyone.samples, better, strict=True)]
        return [_excess(*pair) for pair in zip(left, least, strict=True)]

    def _ended(self, found: Sequence[Floats]) -> list[Integers]:
        refits = self.few if self.refits.is_exact or not self.refits.goes_on else self.all
        taken_on = refits.go_on(found) if refits is not self.few else found
        return [
            self._assigned(points, drawn, end(drawn, own))
            for (points, _), drawn, own in zip(self.samples, refits.samples, taken_on, strict=True)
        ]

    def _assigned(self, everyone: Floats, drawn: Sample, centers: Floats) -> Integers:
        """Assign by the nearest centre; where a least share is asked for, as it is kept among those drawn."""
        if self.refits.share > 0:
            patterns = distinct_patterns(drawn.given, drawn.counts)
            balanced = balance(patterns, centers, self.refits.share)
            return nearest(everyone, balanced.centers, balanced.subsidies)
        return self.refits.nearest(everyone, centers)


def _excess(reached: float, least: float) -> float:
    return max(0.0, reached / least - 1.0) if least > 0 else 0.0

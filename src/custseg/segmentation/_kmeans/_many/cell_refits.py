"""Refits of the same customers drawn again: a search among few cells, on among many, then everyone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from custseg._core.arrays import Floats, Integers
from custseg._core.threads import one_thread
from custseg.exceptions import InfeasibleError
from custseg.segmentation._base.errors import more_segments_than_cells
from custseg.segmentation._base.order import segment_order
from custseg.segmentation._kmeans._many.cells import Cells, cells_of
from custseg.segmentation._kmeans._many.everyone import Counted, Everyone
from custseg.segmentation._kmeans._many.refits import Refits, end, sse_within
from custseg.segmentation._kmeans._many.steps import Sample
from custseg.segmentation._kmeans.balance import balance
from custseg.segmentation._kmeans.exchange import settle
from custseg.segmentation._kmeans.lloyd import weighted_means
from custseg.segmentation._kmeans.nearest import nearest
from custseg.segmentation._kmeans.patterns import distinct_patterns
from custseg.segmentation._kmeans.units import without_last_digits

__all__ = ["CellRefits", "Samples"]

Samples = Sequence[tuple[Integers, int]]
"""How often each different customer was drawn, and the source of the starts, sample by sample."""

# Up to so many different customers each is a cell of its own.
FEW_CUSTOMERS = 1_500
# The numbers of few cells tried until the sum of squares is on average higher by less than this share for them. It is
# looked at with so many segments, whatever others are asked for.
N_CELLS, LEAST_LOSS, LOSS_NUMBERS = (500, 1_000, 2_000), 0.003, (3, 8)
# What was found among few cells goes on among so many, at most, and then for so many iterations among all customers:
# cells are the same for all samples, and make refits more alike than they are where many customers share one. Where
# cells are judged, and in the solution on all customers, iterations go on to the end.
# Iterations end before where one gains less than that share of the sum of squares.
MANY_CELLS, LAST_ITERATIONS, TO_THE_END = 5_000, (10, 1e-5), (60, 3e-6)
# Above so many numbers in the embedding, refits are alike enough after fewer of them, and one sample judges cells.
LARGE, LAST_OF_LARGE, SAMPLES_OF_LARGE = 5_000_000, (3, 1e-5), 1
# Up to so many numbers in the embedding, several pairs of samples are at hand together.
SMALL = 250_000
# Samples of so many cells in all are searched together, at least those of one pair and at most those of so many.
CELLS_TOGETHER, MOST_TOGETHER = 2_500, 12
# Answers are shared from so many customers for each on.
SHARED = 2
# A search is among few cells where there are so many for each segment.
CELLS_PER_SEGMENT = 10
# Up to so many different customers, the solution on all of them is taken on until no exchange of one helps.
SETTLED = 20_000


class CellRefits:
    """Customers in cells, to be partitioned again and again with other counts.

    Parameters
    ----------
    points : ndarray of shape (n_different, n_columns)
        The different customers in their embedding.
    counts : ndarray of shape (n_different,)
        How many customers each of them stands for.
    n_init : int
        The number of starts.
    share : float, default=0.0
        The least share of each segment among those drawn.
    embedded : callable or None, default=None
        Takes the counts of a sample to everyone in its embedding, of as many columns or less; None where all samples
        have the same one.

    Attributes
    ----------
    cell_loss : float
        By which share cells raise the sum of squares.
    """

    def __init__(
        self,
        points: Floats,
        counts: Floats,
        n_init: int,
        share: float = 0.0,
        embedded: Callable[[Floats], Floats] | None = None,
    ) -> None:
        self.points, self.counts, self.n_init, self.share = without_last_digits(points, counts), counts, n_init, share
        self.embedded = embedded
        with one_thread():
            self.cells = self.all_cells = self._cells(MANY_CELLS)
        self.cells_of_cells: Cells | None = None
        self.cell_loss = 0.0

    @property
    def n_cells(self) -> int:
        """The number of cells."""
        return self.cells.n_cells

    @property
    def is_exact(self) -> bool:
        """Whether each different customer is a cell of its own, from the beginning."""
        return self.cells.are_patterns

    @property
    def are_answers(self) -> bool:
        """Whether customers share their answers, on average at least so many each of them."""
        return float(self.counts.sum()) >= SHARED * len(self.counts)

    @property
    def is_large(self) -> bool:
        """Whether there are so many customers that each pass over all of them counts."""
        return self.points.size > LARGE

    @property
    def n_pairs_together(self) -> int:
        """So many pairs of samples are searched together: many where the steps of one are short."""
        if self.points.size > SMALL:
            return 1
        return min(MOST_TOGETHER, max(1, CELLS_TOGETHER // self.n_cells))

    @property
    def n_columns(self) -> int:
        """The columns of the embedding; a sample may lack a level, and so have fewer."""
        return int(self.points.shape[1])

    @property
    def n_drawn(self) -> int:
        """So many different customers, or a few less, are in a sample; it is the same for all."""
        expected = np.sum(1.0 - np.exp(-self.counts))
        return min(len(self.counts), int(expected + 3.0 * np.sqrt(expected)))

    def in_enough_cells(self, samples: Samples) -> CellRefits:
        """Put the customers into as many cells as these samples ask for; few customers stay as they are."""
        refits = self
        if len(self.points) <= FEW_CUSTOMERS:
            return refits
        for n_cells in N_CELLS:
            refits = self.in_cells(n_cells)
            if refits.is_exact:
                return refits
            refits.cell_loss = refits.loss(samples[:SAMPLES_OF_LARGE] if self.is_large else samples)
            if refits.cell_loss < LEAST_LOSS:
                break
        return refits

    def in_cells(self, n_cells: int) -> CellRefits:
        """Return the same customers in so many cells, at most."""
        with one_thread():
            other = copy(self)
            if self.all_cells.are_patterns:
                other.cells = self._cells(n_cells)
                return other
            # put together from the many
            means, masses = self.all_cells.means(self.points, self.counts), self.all_cells.masses(self.counts)
            other.cells_of_cells = cells_of(means, masses, n_cells)
            cell = other.cells_of_cells.cell[self.all_cells.cell]
            other.cells = Cells.of(cell, other.cells_of_cells.n_cells)
            return other

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
        drawn = self._drawn(samples)

        def labels(number: int) -> list[Integers]:
            with one_thread():
                return drawn.labels(number)

        return labels

    def loss(self, samples: Samples) -> float:
        """Return by which share the sum of squares around segments found among cells is too high, on average.

        It is that of all drawn customers, compared with what a search among many cells, and from there iterations among
        these customers, come to.
        """
        drawn = self._drawn(samples)
        with one_thread():
            return float(np.mean([drawn.losses(number) for number in LOSS_NUMBERS]))

    def reference(self, number: int, seed: int) -> Integers:
        """Return the labels of the solution on all customers, in the order that ``fit`` gives segments."""
        with one_thread():
            drawn = _Drawn(self, [(self.points, self.counts)], [seed])
            everyone = Sample(self.points, self.counts)
            (found,) = drawn.all.go_on(drawn.found(number), n_iterations=TO_THE_END[0])
            _, labels = self.everyone(self.points).counted(self.counts).lloyd(found[0], *TO_THE_END)
            if len(labels) <= SETTLED:
                labels = settle(everyone.points, self.counts, labels, number)
            means = weighted_means(self.points, self.counts, labels, number)
            order = segment_order(means, labels, self.counts, None)
        places: Integers = np.argsort(order)[labels]
        return places

    def everyone(self, points: Floats) -> Everyone:
        """Return everyone in the embedding of a sample, that of all worked out once."""
        return self._as_whole if points is self.points else Everyone(points)

    @cached_property
    def _as_whole(self) -> Everyone:
        return Everyone(self.points)

    def _cells(self, n_cells: int) -> Cells:
        if n_cells >= len(self.points):
            return Cells.of(np.arange(len(self.points)), len(self.points))
        patterns = distinct_patterns(self.points, self.counts)
        cells = cells_of(patterns.values, patterns.counts, n_cells)
        return Cells.of(cells.cell[patterns.inverse], cells.n_cells)

    def _drawn(self, samples: Samples) -> _Drawn:
        counts = [drawn.astype(np.float64) for drawn, _ in samples]
        with one_thread():
            points = [
                self.points if self.embedded is None else without_last_digits(self.embedded(own), own) for own in counts
            ]
        return _Drawn(self, list(zip(points, counts, strict=True)), [seed for _, seed in samples])


@dataclass(frozen=True)
class _Drawn:
    """Customers in the embedding of each sample and how often each was drawn, and the sources of starting points."""

    refits: CellRefits
    samples: Sequence[tuple[Floats, Floats]]
    seeds: Sequence[int]

    @cached_property
    def few(self) -> Refits:
        """The few cells that hold drawn customers; these themselves where each is a cell."""
        if self.refits.is_exact:
            patterns = [distinct_patterns(points[counts > 0], counts[counts > 0]) for points, counts in self.samples]
            samples = [Sample(own.values, own.counts) for own in patterns]
            return Refits(samples, self._shape(self.refits.n_drawn), are_answers=self.refits.are_answers)
        together = self.refits.cells_of_cells
        if together is None:
            drawn = self._in(self.refits.cells)
        else:
            means_and_masses = [(together.means(*own), together.masses(own[1])) for own in self.in_all_cells]
            drawn = [_populated(*own) for own in means_and_masses]
        return Refits(drawn, self._shape(self.refits.n_cells))

    @cached_property
    def all(self) -> Refits:
        """All cells that hold drawn customers."""
        cells = self.refits.all_cells
        drawn = [_populated(*in_cells) for in_cells in self.in_all_cells]
        return Refits(drawn, self._shape(self.refits.n_drawn if cells.are_patterns else cells.n_cells))

    @cached_property
    def in_all_cells(self) -> list[tuple[Floats, Floats]]:
        """The means of the drawn customers of each cell, and their numbers."""
        cells = self.refits.all_cells
        return [(cells.means(points, counts), cells.masses(counts)) for points, counts in self.samples]

    @cached_property
    def everyone(self) -> list[Everyone]:
        """All customers in the embedding of each sample."""
        return [self.refits.everyone(points) for points, _ in self.samples]

    @cached_property
    def counted(self) -> list[Counted]:
        """Those of them who were drawn."""
        return [own.counted(counts) for own, (_, counts) in zip(self.everyone, self.samples, strict=True)]

    def _shape(self, n_points: int) -> tuple[int, int]:
        return n_points, self.refits.n_columns

    def _in(self, cells: Cells) -> list[Sample]:
        return [_populated(cells.means(points, counts), cells.masses(counts)) for points, counts in self.samples]

    def found(self, number: int) -> list[Floats]:
        """Return the best results among the cells."""
        cells = self.few
        if not self.refits.is_exact and number * CELLS_PER_SEGMENT > min(map(len, cells.samples)):
            cells = self.all
        for sample, (points, counts) in zip(cells.samples, self.samples, strict=True):
            if number > len(sample):
                n_drawn = len(distinct_patterns(points[counts > 0], counts[counts > 0]).values)
                if number <= n_drawn:
                    raise more_segments_than_cells(number, len(sample))
                raise InfeasibleError.too_few_customers(number, n_drawn, int(counts.sum()))
        return cells.search(number, self.refits.n_init, self.seeds)

    def labels(self, number: int) -> list[Integers]:
        """Return the segment of everyone, sample by sample."""
        return self._ended(self.found(number))

    def losses(self, number: int) -> list[float]:
        """Return the relative excess in the sum of squares of what is found among cells, sample by sample."""
        found = self.found(number)
        better = self.all.search_from(found, self.refits.n_init, self.seeds)
        losses = []
        ended = zip(self.samples, self.counted, self._ended(found), better, strict=True)
        for (points, counts), counted, labels, centers in ended:
            drawn = Sample(points[counts > 0], counts[counts > 0])
            _, best = counted.lloyd(centers[0], *TO_THE_END)
            losses.append(_excess(sse_within(drawn, labels[counts > 0]), sse_within(drawn, best[counts > 0])))
        return losses

    def _ended(self, found: Sequence[Floats]) -> list[Integers]:
        if self.refits.is_exact:
            centers = [end(sample, own) for sample, own in zip(self.few.samples, found, strict=True)]
            return self._assigned(centers)
        centers = [own[0] for own in self.all.go_on(found)]
        if self.refits.all_cells.are_patterns:
            return self._assigned(centers)
        limits = LAST_OF_LARGE if self.refits.is_large else LAST_ITERATIONS
        ended = [counted.lloyd(own, *limits) for counted, own in zip(self.counted, centers, strict=True)]
        if self.refits.share > 0:
            return self._assigned([own for own, _ in ended])
        return [labels for _, labels in ended]

    def _assigned(self, centers: Sequence[Floats]) -> list[Integers]:
        """Assign by the nearest centre; where a least share is asked for, as it is kept among those drawn."""
        if self.refits.share <= 0:
            return [everyone.nearest(own) for everyone, own in zip(self.everyone, centers, strict=True)]
        assigned = []
        for (points, counts), own in zip(self.samples, centers, strict=True):
            patterns = distinct_patterns(points[counts > 0], counts[counts > 0])
            balanced = balance(patterns, own, self.refits.share)
            assigned.append(nearest(points, balanced.centers, balanced.subsidies))
        return assigned


def _populated(means: Floats, masses: Floats) -> Sample:
    return Sample(means[masses > 0], masses[masses > 0])


def _excess(reached: float, least: float) -> float:
    return max(0.0, reached / least - 1.0) if least > 0 else 0.0

"""The best partition of many points: searches that know nothing of each other, and all together if they differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from custseg._core.arrays import Floats, Integers
from custseg.segmentation._kmeans._many.cells import cells_of
from custseg.segmentation._kmeans._many.everyone import Counted, Everyone
from custseg.segmentation._kmeans._many.starts import Random, children, far_points
from custseg.segmentation._kmeans._many.steps import Ends, Numbers, Sample, Steps, merged
from custseg.segmentation._kmeans.exchange import settle
from custseg.segmentation._kmeans.found import ROUNDING, SAME_RESULT, Found
from custseg.segmentation._kmeans.lloyd import sse_of, weighted_means
from custseg.segmentation._kmeans.nearest import nearest
from custseg.segmentation._kmeans.optimum import do_agree, n_agreed

__all__ = ["Search"]

# Up to so many points the search is among them, above that among cells of them, at least so many for each cluster.
FEW, N_CELLS, CELLS_PER_CLUSTER = 8_000, 5_000, 20
# The starts are dealt out to so many searches; where so many end at the same result, it is confirmed.
N_SEARCHES, N_AGREEING = 4, 3
# A search ends when so many rounds of children have gained nothing, or after so many.
PATIENCE, MOST_ROUNDS = 3, 40
# What was found among cells goes on among all points: so many results, by rounds of so many children for each start.
TAKEN_ON, CHILDREN_AMONG_ALL, PATIENCE_AMONG_ALL, MOST_ROUNDS_AMONG_ALL = 4, 0.25, 3, 16
# Iterations among all points end after so many, or when one gains less than this share of the total sum of squares.
# Results that differ by less than the last share are the same: short numbers do not tell them from each other.
MOST_ITERATIONS, LEAST_GAIN, SAME_AMONG_ALL = 100, 1e-7, 1e-6
# So many results may have children with the best one.
KEPT = 8
# Results that differ by less than this share of the total sum of squares are the same, and so small a gain is none.
SAME, SLIGHTLY = 1e-5, 1e-6
# Where clusters leave a smaller share of the total within, short numbers do not tell results from each other.
LEAST_WITHIN = 0.01
# Up to so many points, several of the best results are ended by exchanges, which may turn their order around.
ENDED_UP_TO, ENDED = 20_000, 4
# Results that differ by less than this share, when they have been ended, are the same.
SAME_SETTLED = 1e-9
# Points times centres of all starts that move together.
TOGETHER = 16_000_000
MAX_SEED = np.iinfo(np.int32).max


class Search:
    """A search for the partition of least weighted sum of squared distances.

    The starts, from far points (k-means++), are dealt out to four searches. Each goes on by rounds of children
    (:func:`~custseg.segmentation._kmeans._many.starts.children`) until some rounds have gained nothing. Where three
    have found the same, which of up to 8,000 points is asked when moves of single points have ended them, that confirms
    it; where they differ, the results of all have children together.

    Parameters
    ----------
    points : ndarray of shape (n_points, n_columns)
        Distinct rows, in an order given by their content.
    counts : ndarray of shape (n_points,)
        How many customers show each of them.
    """

    def __init__(self, points: Floats, counts: Floats) -> None:
        # weights of any unit fit into short numbers
        self._exponent = math.frexp(float(counts.max()))[1]
        self._everyone = Sample(points, np.ldexp(counts, -self._exponent))
        self._in_cells: dict[int, Sample] = {}

    def best(self, n_clusters: int, n_init: int, random: Random) -> Found:
        """Return the best partition that is found.

        Parameters
        ----------
        n_clusters : int
            The number of clusters, at least 2 and less than that of points.
        n_init : int
            The number of starts.
        random : RandomState
            The source of all draws.

        Returns
        -------
        Found
            The best partition; fewer than ``n_clusters`` clusters hold a point if fewer points differ.
        """
        seeds = random.randint(MAX_SEED, size=N_SEARCHES + 1)
        everyone, looked_at = self._everyone, self.looked_at(n_clusters)
        for dtype in (np.dtype(np.float32), np.dtype(np.float64)):
            searches = _Searches([looked_at] * min(N_SEARCHES, n_init), n_clusters, dtype)
            restarts, found, agreeing = searches.found(n_init, seeds)
            if looked_at.total - found.explained[0] >= LEAST_WITHIN * looked_at.total:
                break
        n_iterations, centers = searches.steps.n_iterations, looked_at.original(found.centers)
        if looked_at is not everyone:
            among = _AmongAll(self._counted, everyone, looked_at)
            centers = among.gone_on(centers[:TAKEN_ON], math.ceil(CHILDREN_AMONG_ALL * n_init), seeds[-1])
            n_iterations += among.n_iterations
        # what is within cells counts too
        ended = np.maximum(everyone.total * everyone.unit - restarts.explained * looked_at.unit, 0.0)
        ended = np.ldexp(ended, self._exponent)
        sse = np.full(n_init, math.inf)
        sse[: restarts.hits.sum()] = np.repeat(ended, restarts.hits)
        # what was found among cells is compared among these
        is_whole = looked_at is everyone
        voted = np.flatnonzero(agreeing.votes) if is_whole else np.zeros(0, dtype=np.int64)
        labels, is_best = _settled(everyone, centers, n_clusters, voted)
        votes = agreeing.votes[is_best] if is_whole else agreeing.votes
        return Found(labels, sse, n_iterations, int(votes.sum()) >= agreeing.needed)

    @cached_property
    def _counted(self) -> Counted:
        return Everyone(self._everyone.points).counted(self._everyone.counts)

    def looked_at(self, n_clusters: int) -> Sample:
        """Return the points, or cells of very many, worked out once."""
        points, counts = self._everyone.points, self._everyone.counts
        n_cells = max(N_CELLS, CELLS_PER_CLUSTER * n_clusters)
        if len(points) <= max(FEW, n_cells):
            return self._everyone
        if n_cells not in self._in_cells:
            cells = cells_of(points, counts, n_cells)
            means = self._everyone.original(cells.means(points, counts))
            self._in_cells[n_cells] = Sample(means, cells.masses(counts))
        return self._in_cells[n_cells]


@dataclass(frozen=True)
class _Agreeing:
    """How many starts, or searches, ended at each of the results, and how many must have ended at the best one."""

    votes: Integers
    needed: int


def _settled(
    everyone: Sample, centers: Floats, n_clusters: int, others: Integers
) -> tuple[Integers, npt.NDArray[np.bool_]]:
    """Take the best results, and some others, to where neither Lloyd's iterations nor exchanges help.

    Returns the labels of the best, and which of all results ended there.
    """
    points, counts = everyone.points, everyone.counts
    n_best = ENDED if len(points) <= ENDED_UP_TO else 1
    best, ended = np.empty(0, dtype=np.int64), np.full(len(centers), math.inf)
    standard = everyone.standard(centers)
    for place in np.union1d(np.arange(min(n_best, len(centers))), others):
        labels = settle(points, counts, nearest(points, standard[place]), n_clusters)
        if len(np.unique(labels)) == n_clusters:
            ended[place] = sse_of(points, counts, weighted_means(points, counts, labels, n_clusters), labels)
        if not len(best) or ended[place] < ended[:place].min(initial=math.inf):
            best = labels
    least = ended.min()
    return best, np.isfinite(ended) & (ended <= least + SAME_SETTLED * least + ROUNDING * everyone.total)


class _Searches:
    """Searches that know nothing of each other: the same points once for each."""

    def __init__(self, samples: Sequence[Sample], n_clusters: int, dtype: np.dtype[Any]) -> None:
        self.n_clusters = n_clusters
        self.steps = Steps(samples, samples[0].points.shape, dtype, is_thorough=True)
        self.n_together = max(1, TOGETHER // (n_clusters * len(samples[0].points)))

    def found(self, n_init: int, seeds: Integers) -> tuple[Ends, Ends, _Agreeing]:
        """Return where the starts ended, the best results of all, and who agrees on them."""
        n_searches = len(self.steps.totals)
        each = np.arange(n_searches)
        n_starts = -(-n_init // n_searches)
        random = [np.random.RandomState(seed) for seed in seeds[:n_searches]]
        starts = far_points(self.steps, each, n_starts, self.n_clusters, random)
        # the first ones have one start more where their number does not divide that of all
        is_extra = (np.arange(len(starts.own)) % n_starts == n_starts - 1) & (
            starts.own >= n_init - n_searches * (n_starts - 1)
        )
        apart = self._lloyd(starts.of(~is_extra))
        restarts = self._joined(apart)
        within = max(float(self.steps.totals[0] - restarts.explained[0]), 0.0)
        is_best = restarts.explained[0] - restarts.explained <= SAME_RESULT * within
        if do_agree(int(restarts.hits[is_best].sum()), n_init):
            votes = np.where(is_best, restarts.hits, 0)[:KEPT]
            return restarts, restarts.firsts(KEPT), _Agreeing(votes, n_agreed(n_init))
        apart = self._rounds(apart, n_starts, random)
        best, joined = apart.firsts().explained, self._joined(apart)
        best = best[best >= best.max() - SAME * self.steps.totals[0]]
        if len(best) < N_AGREEING:
            joined = self._rounds(joined, n_searches * n_starts, random).firsts(KEPT)
            return restarts, joined, _Agreeing(np.zeros(len(joined.own), dtype=np.int64), N_AGREEING)
        joined = joined.firsts(KEPT)
        nearest_of_each = np.abs(joined.explained - best[:, None]).argmin(axis=1)
        return restarts, joined, _Agreeing(np.bincount(nearest_of_each, minlength=len(joined.own)), N_AGREEING)

    def _joined(self, found: Ends) -> Ends:
        """Put the results of all searches into one."""
        own = np.zeros(len(found.own), dtype=np.int64)
        return self.steps.merged(Ends(found.centers, found.explained, found.hits, own))

    def _rounds(self, found: Ends, n_children: int, random: Sequence[Random]) -> Ends:
        """Let results have children until some rounds in turn have gained nothing."""
        steps, found = self.steps, found.firsts(KEPT)
        going, in_vain = np.unique(found.own), np.zeros(len(steps.totals), dtype=np.int64)
        for _ in range(MOST_ROUNDS):
            before, young = found.firsts(), []
            for start in range(0, n_children, self.n_together):
                drawn = children(steps, found, going, min(self.n_together, n_children - start), random)
                young.append(self._lloyd(drawn, found))
            found = steps.merged(found, *young).firsts(KEPT)
            gained = found.firsts().explained - before.explained > SLIGHTLY * steps.totals[before.own]
            in_vain[before.own] = np.where(gained, 0, in_vain[before.own] + 1)
            going = going[in_vain[going] < PATIENCE]
            if not len(going):
                break
        return found

    def _lloyd(self, starts: Ends, known: Ends | None = None) -> Ends:
        """Run starts to their ends, so many together as memory allows."""
        ended: list[Ends] = []
        for start in range(0, len(starts.own), self.n_together):
            before = [*ended, *([] if known is None else [known])]
            rows = np.arange(start, min(start + self.n_together, len(starts.own)))
            ended.append(self.steps.lloyd(starts.of(rows), self.steps.merged(*before) if before else None))
        return self.steps.merged(*ended)


class _AmongAll:
    """Results found among cells, and children of theirs, taken on among all points: one after the other.

    Parameters
    ----------
    counted : Counted
        All points.
    everyone, cells : Sample
        The same, and the cells that they were looked at in: children are put beside means of these.
    """

    def __init__(self, counted: Counted, everyone: Sample, cells: Sample) -> None:
        self.counted, self._everyone, self._cells = counted, everyone, cells
        self._steps = Steps([cells], cells.points.shape, np.dtype(np.float32), is_thorough=True)
        self.n_iterations = 0

    def gone_on(self, centers: Floats, n_children: int, seed: int) -> Floats:
        """Return the centres of the different results, the best one first, as they were given."""
        random, in_vain, total = [np.random.RandomState(seed)], 0, self.counted.total
        found = self._reached(self._cells.standard(centers))
        for _ in range(MOST_ROUNDS_AMONG_ALL):
            before = found.explained[0]
            young = children(self._steps, found, np.zeros(1, dtype=np.int64), n_children, random)
            found = self._reached(young.centers, found)
            in_vain = 0 if found.explained[0] - before > SLIGHTLY * total else in_vain + 1
            if in_vain == PATIENCE_AMONG_ALL:
                break
        return self._cells.original(found.centers)

    def _reached(self, starts: Numbers, known: Ends | None = None) -> Ends:
        """Run starts, in units of the cells, to their ends; put them with those known."""
        counted, everyone, cells = self.counted.everyone, self._everyone, self._cells
        found, total, one = [] if known is None else [known], self.counted.total, np.zeros(1, dtype=np.int64)
        best = -math.inf if known is None else float(known.explained[0])
        for start in starts:
            standard = counted.standard(everyone.standard(cells.original(start)))
            reached = self.counted.run(standard, MOST_ITERATIONS, LEAST_GAIN, best)
            self.n_iterations += reached.n_iterations
            best = max(best, reached.explained)
            ended = cells.standard(everyone.original(counted.original(reached.centers)))
            found.append(Ends(ended[None], np.array([reached.explained]), one + 1, one))
        return merged(found, np.array([SAME_AMONG_ALL * total])).firsts(KEPT)

"""Lloyd's iterations of many starts in several samples together, in numbers of one length."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from custseg._core.arrays import Floats, Integers
from custseg.segmentation._kmeans.lloyd import first_of_equals, total_of

__all__ = ["PROMISES", "Ends", "Numbers", "Sample", "Steps", "merged", "pick_of_each", "products"]

Numbers = npt.NDArray[Any]

# A start that is farther behind the best one than so many times its last gain is given up.
PROMISES = 10.0
# Results whose explained sum of squares differs by less than this share of the total are the same, and so small a gain
# is none, in short numbers and in long ones.
SAME = {np.dtype(np.float32): 2e-7, np.dtype(np.float64): 1e-12}
GAIN = {np.dtype(np.float32): 1e-5, np.dtype(np.float64): 1e-12}
# The same where refits are not by the hundred.
THOROUGH_GAIN = {np.dtype(np.float32): 1e-6, np.dtype(np.float64): 1e-12}
MAX_ITERATIONS = 60
# Starts that have ended are carried along until so large a share of all has: to leave them out costs a copy.
CARRIED = 0.25


class Sample:
    """Points with counts, centred, in units that keep squares in the range of short numbers.

    Parameters
    ----------
    points : ndarray of shape (n_points, n_columns)
        Distinct rows, or means of cells.
    counts : ndarray of shape (n_points,)
        What each of them counts for, above 0.
    """

    def __init__(self, points: Floats, counts: Floats) -> None:
        self.counts = counts
        self.offset = np.average(points, axis=0, weights=counts)
        centred = points - self.offset
        # a power of two rounds nothing
        self._exponent = math.frexp(float(np.abs(centred).max(initial=0.0)))[1]
        self.points = np.ldexp(centred, -self._exponent, out=centred)

    def __len__(self) -> int:
        return len(self.points)

    @property
    def unit(self) -> float:
        """What 1 in squares of these units is in squares of those given."""
        return math.ldexp(1.0, 2 * self._exponent)

    @cached_property
    def total(self) -> float:
        """The sum of squares, in these units."""
        return total_of(self.points, self.counts)

    def standard(self, centers: Floats, n_columns: int = 0) -> Floats:
        """Put centres (..., d) in these units, with zeros in columns beyond those of the points."""
        standard = np.zeros((*centers.shape[:-1], max(n_columns, len(self.offset))))
        standard[..., : len(self.offset)] = np.ldexp(centers - self.offset, -self._exponent)
        return standard

    def original(self, centers: Numbers) -> Floats:
        """Put them back in units of the points as they were given."""
        centers = centers[..., : len(self.offset)].astype(np.float64)
        return np.asarray(np.ldexp(centers, self._exponent) + self.offset)


@dataclass(frozen=True)
class Ends:
    """Results of several samples; those of one stand together, the samples in their order.

    Attributes
    ----------
    centers : ndarray of shape (n_results, k, d)
        Their centres.
    explained : ndarray of shape (n_results,)
        The sum of squares that each explains.
    hits : ndarray of shape (n_results,)
        How many starts ended there.
    own : ndarray of shape (n_results,)
        The sample of each.
    """

    centers: Numbers
    explained: Floats
    hits: Integers
    own: Integers

    @classmethod
    def started(cls, centers: Floats, own: Integers) -> Ends:
        """Begin at these centres."""
        return cls(centers, np.full(len(centers), -np.inf), np.ones(len(centers), dtype=np.int64), own)

    def of(self, rows: Any) -> Ends:
        """Leave out all others."""
        return Ends(self.centers[rows], self.explained[rows], self.hits[rows], self.own[rows])

    def firsts(self, most: int = 1) -> Ends:
        """Leave out all but the first results of each sample."""
        return self.of(np.arange(len(self.own)) - np.searchsorted(self.own, self.own) < most)


class Steps:
    """What samples are to Lloyd's iterations.

    Parameters
    ----------
    samples : sequence of Sample
        The samples.
    shape : tuple of (int, int)
        To so many points and columns each sample is filled up by some that count nothing.
    dtype : dtype
        Short or long numbers.
    is_thorough : bool, default=False
        Whether starts move on for a smaller gain.

    Attributes
    ----------
    n_iterations : int
        Iterations so far, those of all starts together.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        shape: tuple[int, int],
        dtype: np.dtype[Any],
        *,
        is_thorough: bool = False,
    ) -> None:
        self.dtype = dtype
        self.n_iterations = 0
        n_points, n_columns = shape
        self.weighted: Numbers = np.zeros((len(samples), n_points, n_columns + 1), dtype)
        self.columns: Numbers = np.zeros((len(samples), n_columns, n_points), dtype)
        for place, sample in enumerate(samples):
            n, d = sample.points.shape
            self.columns[place, :d, :n] = sample.points.T
            self.weighted[place, :n, :d] = sample.points * sample.counts[:, None]
            self.weighted[place, :n, -1] = sample.counts
        self.counts: Numbers = np.ascontiguousarray(self.weighted[..., -1])
        self.norms: Numbers = np.einsum("sdn,sdn->sn", self.columns, self.columns)
        self.totals = np.array([sample.total for sample in samples])
        self.same = SAME[dtype] * self.totals
        self.least = (THOROUGH_GAIN if is_thorough else GAIN)[dtype] * self.totals

    def lloyd(self, found: Ends, known: Ends | None = None, max_iterations: int = MAX_ITERATIONS) -> Ends:
        """Run starts to their ends; those that the best one leaves behind without hope are given up.

        Parameters
        ----------
        found : Ends
            The starts.
        known : Ends or None, default=None
            Results that are there already.
        max_iterations : int, default=60
            The most iterations.

        Returns
        -------
        Ends
            The different results, the best of each sample first; of a sample none if none is near those known.
        """
        best = np.full(len(self.totals), -np.inf)
        if known is not None:
            np.maximum.at(best, known.own, known.explained)
        run, ended = _Run.of(self, found), [found.of(slice(0))]
        for _ in range(max_iterations):
            self.n_iterations += int(np.count_nonzero(run.live))
            gain = run.step(self)
            np.maximum.at(best, run.own[run.live], run.explained[run.live])
            done = run.live & (gain <= self.least[run.own])
            if done.any():
                ended.append(run.ends.of(done))
            run.live &= ~done & (best[run.own] - run.explained <= PROMISES * gain)
            run.join(self.same)
            if not run.live.any():
                break
            run.leave_out_the_ended()
            run.look_again(self)
        else:
            ended.append(run.ends.of(run.live))
        return self.merged(*ended)

    def merged(self, *found: Ends) -> Ends:
        """Put results together, the best of each sample first, and each once."""
        return merged(found, self.same)

    def scores(self, centers: Numbers, own: Integers) -> Numbers:
        """Return squared distances of centres (n, d) to points, less the squared norm of the point: (n, n_points)."""
        scores = products(-2 * centers, own, self.columns)
        scores += np.einsum("ij,ij->i", centers, centers)[:, None]
        return scores

    def distances(self, points: Integers, own: Integers) -> Numbers:
        """Return squared distances of some of the points (n,) to all: (n, n_points)."""
        distances = self.scores(self.columns[own, :, points], own)
        distances += self.norms[own]
        return np.maximum(distances, 0, out=distances)

    def farthest(self, sample: int, centers: Numbers, nearest: Integers, n: int) -> Integers:
        """Return the points that are farthest from their centres."""
        away = self.columns[sample] - centers[nearest].T
        squared = np.einsum("dn,dn->n", away, away)
        return np.asarray(np.argsort(np.where(self.counts[sample] > 0, -squared, 1), kind="stable")[:n])


def merged(found: Sequence[Ends], same: Floats) -> Ends:
    """Put results together, the best of each sample first; those that differ by no more than ``same`` are one."""
    joined = (np.concatenate([getattr(one, name) for one in found]) for name in Ends.__dataclass_fields__)
    ends = Ends(*joined)
    ends = ends.of(np.lexsort((-ends.explained, ends.own)))
    first = np.flatnonzero(_differ(ends.own, ends.explained, same))
    return Ends(ends.centers[first], ends.explained[first], np.add.reduceat(ends.hits, first), ends.own[first])


def pick_of_each(cumulated: Numbers, uniform: Floats) -> Integers:
    """Choose positions (m, c), in each row of cumulated sums (m, n) with probabilities in proportion to its steps."""
    total = cumulated[:, -1:]
    # never the sum itself: what adds nothing at its end would be chosen
    target = np.minimum((uniform * total).astype(total.dtype), np.nextafter(total, total.dtype.type(0)))
    return np.asarray((cumulated[:, None] > target[..., None]).argmax(axis=2))


def products(rows: Numbers, own: Integers, matrices: Numbers) -> Numbers:
    """Multiply rows (m, a), sorted by whose they are, by the matrix of their sample (n_samples, a, b): (m, b)."""
    result: Numbers = np.empty((len(rows), matrices.shape[2]), dtype=rows.dtype)
    bounds = np.searchsorted(own, np.arange(len(matrices) + 1)).tolist()
    for matrix, (start, stop) in zip(matrices, pairwise(bounds), strict=True):
        if start < stop:
            np.matmul(rows[start:stop], matrix, out=result[start:stop])
    return result


def _differ(own: Integers, explained: Floats, same: Floats) -> npt.NDArray[np.bool_]:
    """Say which of the results, sorted by sample and from the best, are not those before them."""
    new = np.ones(len(own), dtype=bool)
    new[1:] = (own[1:] != own[:-1]) | (explained[:-1] - explained[1:] > same[own[1:]])
    return new


class _Run:
    """Starts that move together: what is known of each cluster is worked out again only where the cluster changed."""

    def __init__(self, found: Ends, centers: Numbers, scores: Numbers) -> None:
        self.centers, self.scores = centers, scores
        self.explained, self.hits, self.own = found.explained, found.hits.copy(), found.own
        self.live = np.ones(len(centers), dtype=bool)
        self.member: npt.NDArray[np.bool_] = np.zeros(scores.shape, dtype=bool)
        self.sums: Numbers = np.zeros((*centers.shape[:2], centers.shape[2] + 1), dtype=centers.dtype)
        self.changed: npt.NDArray[np.bool_] = np.ones(centers.shape[:2], dtype=bool)

    @classmethod
    def of(cls, steps: Steps, found: Ends) -> _Run:
        centers = found.centers.astype(steps.dtype)
        own = np.repeat(found.own, centers.shape[1])
        scores = steps.scores(centers.reshape(-1, centers.shape[2]), own)
        return cls(found, centers, scores.reshape(*centers.shape[:2], -1))

    @property
    def ends(self) -> Ends:
        """Where the starts are."""
        return Ends(self.centers, self.explained, self.hits, self.own)

    def step(self, steps: Steps) -> Floats:
        """Move all centres to the means of those nearest to them, and return what that gains."""
        before, best = self.member, self.scores.min(axis=1)
        self.member = self.scores == best[:, None]
        if np.count_nonzero(self.member) > best.size:  # of equally near centres the first one counts
            first_of_equals(self.member)
        self.changed = (self.member != before).any(axis=2)
        rows, own = self._changed()
        members = self.member.reshape(-1, self.member.shape[2])[rows].astype(steps.dtype)
        self.sums.reshape(-1, self.sums.shape[2])[rows] = products(members, own, steps.weighted)
        for start in np.flatnonzero((self.sums[..., -1] <= 0).any(axis=1)):
            self._refill(steps, int(start))
        self.centers = self.sums[..., :-1] / self.sums[..., -1:]
        reached = np.einsum("rkd,rkd->r", self.sums[..., :-1], self.centers, dtype=np.float64)
        gain, self.explained = reached - self.explained, reached
        return np.asarray(gain)

    def join(self, same: Floats) -> None:
        """Go on once where several starts have come to the same."""
        order = np.lexsort((-self.explained, self.own))
        order = order[self.live[order]]
        new = _differ(self.own[order], self.explained[order], same)
        if not new.all():
            first = np.flatnonzero(new)
            self.hits[order[first]] = np.add.reduceat(self.hits[order], first)
            self.live[order[~new]] = False

    def leave_out_the_ended(self) -> None:
        """Drop starts that have ended, if these are many."""
        if np.count_nonzero(~self.live) > CARRIED * len(self.live):
            live = self.live
            for name in ("centers", "explained", "hits", "own", "scores", "member", "sums", "changed", "live"):
                setattr(self, name, getattr(self, name)[live])

    def look_again(self, steps: Steps) -> None:
        """Work out how far all points are from centres that have moved."""
        self.changed &= self.live[:, None]
        rows, own = self._changed()
        centers = self.centers.reshape(-1, self.centers.shape[2])[rows]
        self.scores.reshape(-1, self.scores.shape[2])[rows] = steps.scores(centers, own)

    def _changed(self) -> tuple[Integers, Integers]:
        rows = np.flatnonzero(self.changed)
        return rows, self.own[rows // self.changed.shape[1]]

    def _refill(self, steps: Steps, start: int) -> None:
        """Let clusters that nobody is nearest to begin again at the farthest points."""
        empty = np.flatnonzero(self.sums[start, :, -1] <= 0)
        sample, nearest = int(self.own[start]), self.member[start].argmax(axis=0)
        farthest = steps.farthest(sample, self.centers[start], nearest, len(empty))
        self.sums[start, empty] = np.column_stack([steps.columns[sample][:, farthest].T, np.ones(len(empty))])
        self.changed[start, empty] = True

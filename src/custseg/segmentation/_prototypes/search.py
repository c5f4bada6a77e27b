"""The search for prototypes: restarts as one batch, then moves of single patterns, on distinct patterns with counts."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from custseg._core.arrays import Floats, Integers
from custseg._core.threads import one_thread
from custseg.segmentation._kmeans.lloyd import seed_centers, sums_batch, uniform_draws
from custseg.segmentation._kmeans.optimum import Optimum, SampleCost, do_agree
from custseg.segmentation._kmeans.sample import N_PASSES
from custseg.segmentation._prototypes.space import Layout

__all__ = [
    "SAME_PARTITION",
    "MixedPatterns",
    "carried_on",
    "descend",
    "find_prototypes",
    "improve",
    "nearest_batch",
    "prototype_cost",
    "prototypes_of",
]


MAX_ITERATIONS = 300
# Rounds of Lloyd's iterations and single moves until every segment is the nearest of some pattern.
MAX_ROUNDS = 10
# Numbers in the largest intermediate array of a batch (64 MB).
BLOCK = 8_000_000
# Costs that differ by less than this share of the largest possible one are equal but for rounding.
ROUNDING = 1e-12
# Restarts whose costs differ by less than this share have found the same partition.
SAME_PARTITION = 1e-9
# Starts whose costs differ by less than this share have reached the same result for all purposes.
SAME_RESULT = 1e-4
# Above this many patterns only the best start is improved by single moves, up to it all different ones.
MANY = 1_500
# Above this many patterns a pass of single moves that promises less than this share of the cost is the last one.
LARGE = 20_000
LARGE_GAIN = 1e-6


@dataclass(frozen=True)
class MixedPatterns:
    """Distinct customers in the space of k-prototypes.

    Attributes
    ----------
    points : ndarray of shape (n_patterns, n_columns)
        Numbers and scaled one-hot columns.
    weighted : ndarray of shape (n_patterns, n_columns + 1)
        The same with marks of size 1, times the counts, then the counts: sums of marks are exact.
    codes : ndarray of shape (n_patterns, n_categorical)
        The position of each level, -1 where it is missing.
    counts : ndarray of shape (n_patterns,)
        How many customers show each pattern.
    layout : Layout
        The meaning of the columns.
    """

    points: Floats
    weighted: Floats
    codes: Integers
    counts: Floats
    layout: Layout

    @classmethod
    def of(cls, coordinates: Floats, counts: Floats, layout: Layout) -> MixedPatterns:
        """Spread coordinates out into points."""
        plain = layout.plain(coordinates)
        codes = coordinates[:, layout.n_numbers :].astype(np.int64)
        weighted = np.column_stack([plain * counts[:, None], counts])
        return cls(layout.scaled(plain), weighted, codes, counts, layout)

    @property
    def numbers(self) -> Floats:
        """The numeric columns."""
        return self.points[:, : self.layout.n_numbers]

    @property
    def centred(self) -> Floats:
        """The points around their mean."""
        return np.asarray(self.points - np.average(self.points, axis=0, weights=self.counts))

    @property
    def unknown(self) -> float:
        """What missing categories add to the squared distances, the same for all prototypes, and not to the cost."""
        steps = np.asarray(self.layout.steps) ** 2
        return float(self.counts @ ((self.codes < 0) @ steps)) if len(steps) else 0.0

    @property
    def slack(self) -> float:
        """The difference up to which two squared distances are equal."""
        return ROUNDING * float(np.einsum("ij,ij->i", self.points, self.points).max(initial=0.0))


def find_prototypes(
    patterns: MixedPatterns, n_segments: int, *, n_init: int, random_state: Any
) -> tuple[Floats, Optimum]:
    """Find the prototypes of least cost over many starts.

    Parameters
    ----------
    patterns : MixedPatterns
        Distinct customers.
    n_segments : int
        The number of prototypes, at most the number of patterns.
    n_init : int
        The number of starts, by k-means++ in Huang's distance.
    random_state : int or RandomState
        The source of the starts.

    Returns
    -------
    centers : ndarray of shape (n_segments, n_columns)
        The prototypes as points.
    optimum : Optimum
        The cost, and how many starts reached it.
    """
    n_patterns = len(patterns.points)
    total = prototype_cost(patterns, *_one_segment(patterns))
    with one_thread():
        draws = uniform_draws(n_init, n_segments, check_random_state(random_state))
        # the distances of patterns to all candidates of all starts of a group fit into one block
        together = max(1, BLOCK // (n_patterns * max(draws.shape[1], draws.shape[2])))
        groups = [draws[start : start + together] for start in range(0, n_init, together)]
        parts = [descend(patterns, seed_centers(patterns.points, patterns.counts, group)) for group in groups]
        all_labels = np.concatenate([labels for labels, _ in parts])
        found = np.maximum(np.concatenate([cost for _, cost in parts]) - patterns.unknown, 0.0)
        order = np.argsort(found, kind="stable")
        different = np.ones(n_init, dtype=bool)
        different[1:] = np.diff(found[order]) > SAME_PARTITION * found[order][1:]
        n_polished = n_init if n_patterns <= MANY else 1
        polished = [improve(patterns, all_labels[start], n_segments) for start in order[different][:n_polished]]
    costs = [prototype_cost(patterns, centers, labels) for centers, labels in polished]
    best = int(np.argmin(costs))
    return polished[best][0], _optimum(costs[best], found, total)


def carried_on(patterns: MixedPatterns, centers: Floats, optimum: Optimum, n_sampled: int) -> tuple[Floats, Optimum]:
    """Improve prototypes found on a sample by passes over all patterns, and measure what the sample had cost."""
    costs: list[float] = []
    with one_thread():
        for n_passes in range(N_PASSES + 1):
            labels = nearest_batch(patterns, centers[None])[0]
            costs.append(prototype_cost(patterns, centers, labels[0]))
            if n_passes < N_PASSES:
                centers = prototypes_of(patterns, labels, len(centers))[0]
    sample = SampleCost(
        criterion="cost",
        n_sampled=n_sampled,
        n_patterns=len(patterns.points),
        sample_objective=costs[0],
        objective=costs[-1],
        n_passes=N_PASSES,
        last_gain=1.0 - costs[-1] / costs[-2] if costs[-2] > 0 else 0.0,
    )
    return centers, replace(optimum, objective=costs[-1], sample=sample)


def _optimum(cost: float, found: Floats, total: float) -> Optimum:
    best = float(found.min())
    hit = found <= best * (1.0 + SAME_RESULT) + ROUNDING * total
    others = found[~hit]
    gap = float(others.min() / best - 1.0) if len(others) and best > 0 else math.nan
    return Optimum(
        criterion="cost",
        objective=cost,
        n_init=len(found),
        n_finished=len(found),
        n_hits=int(hit.sum()),
        second_best_gap=gap,
        is_confirmed=do_agree(int(hit.sum()), len(found)),
    )


def improve(patterns: MixedPatterns, labels: Integers, n_segments: int) -> tuple[Floats, Integers]:
    """Take a partition to where neither new prototypes nor moves of single patterns help."""
    smallest = patterns.slack * max(1.0, float(patterns.counts.sum()))
    for _ in range(MAX_ROUNDS):
        centers = prototypes_of(patterns, labels[None], n_segments)
        labels = descend(patterns, centers)[0][0]
        if np.bincount(labels, minlength=n_segments).all():
            labels = _exchange(patterns, labels, n_segments, smallest)
        centers = prototypes_of(patterns, labels[None], n_segments)
        labels = nearest_batch(patterns, centers)[0][0]
        if np.bincount(labels, minlength=n_segments).all():
            break
    return centers[0], labels


def prototype_cost(patterns: MixedPatterns, centers: Floats, labels: Integers) -> float:
    """Sum Huang's distances of all customers to their prototypes; a missing category adds nothing."""
    n_numbers = patterns.layout.n_numbers
    away = patterns.numbers - centers[labels, :n_numbers]
    cost = float(patterns.counts @ np.einsum("ij,ij->i", away, away))
    for place, columns in enumerate(patterns.layout.slices):
        mode = centers[:, columns].argmax(axis=1)[labels]
        differs = (patterns.codes[:, place] >= 0) & (patterns.codes[:, place] != mode)
        cost += 2.0 * patterns.layout.steps[place] ** 2 * float(patterns.counts[differs].sum())
    return cost


def prototypes_of(patterns: MixedPatterns, labels: Integers, n_segments: int) -> Floats:
    """Return means and modes of the segments of every start: labels (n_starts, n_patterns) -> (n_starts, k, columns).

    Of equally frequent levels the first one is the mode. A segment without a pattern takes the one
    that is farthest from its prototype.
    """
    layout = patterns.layout
    sums, mass = sums_batch(patterns.weighted, labels, n_segments)
    empty = mass <= 0
    centers = np.zeros_like(sums)
    numbers = slice(0, layout.n_numbers)
    centers[..., numbers] = sums[..., numbers] / np.where(empty, 1.0, mass)[..., None]
    for columns, step in zip(layout.slices, layout.steps, strict=True):
        inside = sums[..., columns]
        frequent = inside >= inside.max(axis=-1, keepdims=True) * (1.0 - ROUNDING)
        marks = np.zeros(inside.shape)
        np.put_along_axis(marks, frequent.argmax(axis=-1)[..., None], step, axis=-1)
        centers[..., columns] = marks
    for start in np.flatnonzero(empty.any(axis=1)):
        away = patterns.points - centers[start, labels[start]]
        squared = np.einsum("ij,ij->i", away, away)
        for segment in np.flatnonzero(empty[start]):
            farthest = int(squared.argmax())
            centers[start, segment] = _as_prototype(patterns.points[farthest], layout)
            squared[farthest] = -1.0
    return centers


def _as_prototype(point: Floats, layout: Layout) -> Floats:
    """Give a pattern the most frequent level where its own is missing."""
    point = point.copy()
    for columns, step in zip(layout.slices, layout.steps, strict=True):
        if not point[columns].any():
            point[columns.start] = step
    return point


def _one_segment(patterns: MixedPatterns) -> tuple[Floats, Integers]:
    labels = np.zeros(len(patterns.points), dtype=np.int64)
    return prototypes_of(patterns, labels[None], 1)[0], labels


def nearest_batch(patterns: MixedPatterns, centers: Floats) -> tuple[Integers, Floats]:
    """Nearest prototypes of every start, the first of equal ones, and the weighted sum of squared distances."""
    n_starts, n_segments, n_columns = centers.shape
    norms = np.einsum("ij,ij->i", patterns.points, patterns.points)
    slack = patterns.slack
    by_segment = np.ascontiguousarray(centers.transpose(1, 0, 2)).reshape(-1, n_columns)
    scores = (-2.0 * by_segment) @ patterns.points.T
    scores += np.einsum("ij,ij->i", by_segment, by_segment)[:, None]
    scores = scores.reshape(n_segments, n_starts, len(norms))
    best = scores[0]
    labels = np.zeros(best.shape, dtype=np.int64)
    for segment in range(1, n_segments):
        nearer = scores[segment] < best - slack
        labels[nearer] = segment
        best = np.where(nearer, scores[segment], best)
    return labels, (best + norms) @ patterns.counts


def descend(patterns: MixedPatterns, centers: Floats) -> tuple[Integers, Floats]:
    """Assign and update all starts together; those that no longer gain leave the batch."""
    n_starts, n_segments, _ = centers.shape
    centers = centers.copy()
    smallest = patterns.slack * max(1.0, float(patterns.counts.sum()))
    labels = np.zeros((n_starts, len(patterns.points)), dtype=np.int64)
    cost = np.full(n_starts, np.inf)
    active = np.arange(n_starts)
    for _ in range(MAX_ITERATIONS):
        assigned, reached = nearest_batch(patterns, centers[active])
        better = reached < cost[active] - smallest
        labels[active[better]], cost[active[better]] = assigned[better], reached[better]
        active = active[better]
        if not len(active):
            break
        centers[active] = prototypes_of(patterns, assigned[better], n_segments)
    return labels, cost


class _State:
    """What a partition is made of, kept up to date while single patterns move."""

    def __init__(self, patterns: MixedPatterns, labels: Integers, n_segments: int) -> None:
        self.patterns, self.labels = patterns, labels.copy()
        layout = patterns.layout
        sums, mass = (part[0] for part in sums_batch(patterns.weighted, labels[None], n_segments))
        self.mass = mass.copy()
        self.means = sums[:, : layout.n_numbers] / mass[:, None]
        self.frequencies = sums[:, layout.n_numbers :].copy()
        self.starts = np.cumsum((0, *layout.widths))[:-1].astype(np.int64)
        self.prices = 2.0 * np.asarray(layout.steps) ** 2
        self.tops = self._tops(self.frequencies)

    def _tops(self, frequencies: Floats) -> Floats:
        if not len(self.starts):
            return np.zeros((len(frequencies), 0))
        return np.asarray(np.maximum.reduceat(frequencies, self.starts, axis=1))

    def gains(self) -> Floats:
        """By how much the best move of each pattern would lower the cost."""
        patterns, counts = self.patterns, self.patterns.counts
        rows = np.arange(len(counts))
        joining = np.stack([((patterns.numbers - mean) ** 2).sum(axis=1) for mean in self.means], axis=1)
        own, rest = joining[rows, self.labels], self.mass[self.labels] - counts
        alone = rest <= ROUNDING * self.mass[self.labels]
        leaving = counts * own * self.mass[self.labels] / np.where(alone, 1.0, rest)
        joining *= counts[:, None] * self.mass / (self.mass + counts[:, None])
        for place, columns in enumerate(patterns.layout.slices):
            inside = slice(columns.start - patterns.layout.n_numbers, columns.stop - patterns.layout.n_numbers)
            leave, join = self._of_levels(self.frequencies[:, inside], patterns.codes[:, place])
            leaving += self.prices[place] * leave
            joining += self.prices[place] * join
        joining[rows, self.labels] = np.inf
        return np.where(alone, -np.inf, leaving - joining.min(axis=1))

    def _of_levels(self, frequencies: Floats, codes: Integers) -> tuple[Floats, Floats]:
        """By how many mismatches leaving lowers and joining raises the cost, for one characteristic."""
        counts = self.patterns.counts
        known = codes >= 0
        ordered = np.sort(frequencies, axis=1)
        top = ordered[:, -1]
        second = ordered[:, -2] if frequencies.shape[1] > 1 else np.zeros(len(top))
        level = frequencies[:, codes].T
        joined = counts[:, None] - (np.maximum(top, level + counts[:, None]) - top)
        own = level[np.arange(len(codes)), self.labels]
        own_top = top[self.labels]
        others = np.where(own >= own_top, second[self.labels], own_top)
        left = counts - (own_top - np.maximum(own - counts, others))
        return np.where(known, left, 0.0), np.where(known[:, None], joined, 0.0)

    def move(self, row: int, smallest: float) -> None:
        """Move one pattern to where it lowers the cost most, if anywhere by more than ``smallest``."""
        here, weight = int(self.labels[row]), self.patterns.counts[row]
        rest = self.mass[here] - weight
        if rest <= ROUNDING * self.mass[here]:
            return
        away = self.means - self.patterns.numbers[row]
        squared = np.einsum("ij,ij->i", away, away)
        cost = squared * (weight * self.mass / (self.mass + weight))
        cost[here] = squared[here] * weight * self.mass[here] / rest
        codes = self.patterns.codes[row]
        known = codes >= 0
        levels = self.starts[known] + codes[known]
        without = self.frequencies[here].copy()
        without[levels] -= weight
        lower = self._tops(without[None])[0]
        joined = weight - np.maximum(self.frequencies[:, levels] + weight - self.tops[:, known], 0.0)
        joined[here] = weight - (self.tops[here] - lower)[known]
        cost += joined @ self.prices[known]
        there = int(cost.argmin())
        if cost[here] - cost[there] <= smallest:
            return
        self.means[here] += weight / rest * away[here]
        self.means[there] -= weight / (self.mass[there] + weight) * away[there]
        self.mass[here] = rest
        self.mass[there] += weight
        self.frequencies[here] = without
        self.frequencies[there, levels] += weight
        self.tops[here] = lower
        self.tops[there] = self._tops(self.frequencies[there][None])[0]
        self.labels[row] = there


def _exchange(patterns: MixedPatterns, labels: Integers, n_segments: int, smallest: float) -> Integers:
    """Move single patterns until no move lowers the cost by more than ``smallest``.

    A move changes the means and the modes that it touches. Where no move helps, every pattern is
    nearest to its own prototype: what leaving saves is at least its distance to its own prototype,
    what joining costs at most that to the other one.
    """
    state = _State(patterns, labels, n_segments)
    enough = LARGE_GAIN * prototype_cost(patterns, *_one_segment(patterns)) if len(labels) > LARGE else 0.0
    for _ in range(MAX_ITERATIONS):
        gains = state.gains()
        helps = np.flatnonzero(gains > smallest)
        for row in helps[np.argsort(-gains[helps], kind="stable")]:
            state.move(int(row), smallest)
        if not len(helps) or gains[helps].sum() <= enough:
            break
    return state.labels

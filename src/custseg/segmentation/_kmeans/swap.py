"""Swap search: move one centre to a pattern far from all centres, repair, keep what is better."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from custseg._core.arrays import Floats, Integers
from custseg.segmentation._kmeans.lloyd import pick, squared_distances, sse_of, total_of, weighted_means
from custseg.segmentation._kmeans.restarts import Started

__all__ = ["Searched", "swap_search"]

# From starting centres (n_swaps, k, d) and the SSE up to which last steps are worth while to the best end.
Repair = Callable[[Floats, float], Started]

# So many rounds are the most in any case.
MOST_ROUNDS = 50
# A round judges so many moves of a centre by what they save and cost at first sight ...
N_JUDGED = 40
# ... and repairs so many of them, the most promising ones.
N_REPAIRED = 8
# What counts as better: a lower SSE by this share of it, and by this share of the total.
LEAST_GAIN = 1e-9
LEAST_SHARE = 1e-12
# Repaired swaps above the best SSE by more than this share are not worth their last steps.
WORTH_LAST_STEPS = 1e-2
# Numbers per block of the largest intermediate array (64 MB).
BLOCK = 8_000_000


@dataclass(frozen=True)
class Searched:
    """What the search found: the labels (n_patterns,), SSE, kept swaps, and Lloyd's iterations spent."""

    labels: Integers
    sse: float
    n_swaps: int
    n_iterations: int


def swap_search(
    points: Floats,
    counts: Floats,
    labels: Integers,
    n_clusters: int,
    *,
    n_failures: int,
    random: np.random.RandomState,
    repair: Repair,
) -> Searched:
    """Leave a local optimum of k-means by moving one centre at a time.

    Each round draws 40 patterns with probabilities in proportion to their share of the SSE. For each of
    them, one product of distances tells what a centre there saves, and which of the present ones is
    best given up for it: its patterns go to their second nearest or to the new one, or with it to
    another cluster. The eight most promising swaps are repaired together, and the best result is kept
    where it is better.

    Parameters
    ----------
    points, counts : ndarray of shape (n_patterns, n_features) and (n_patterns,)
        Centred patterns and their weights.
    labels : ndarray of shape (n_patterns,)
        The partition to improve; no cluster of it is empty.
    n_clusters : int
        The number of clusters.
    n_failures : int
        So many rounds in a row without a better partition end the search.
    random : RandomState
        Source of the patterns.
    repair : callable
        Takes centres (n_swaps, k, d) to the best partition that they lead to.

    Returns
    -------
    Searched
        The best partition, at least as good as the one given.
    """
    total = total_of(points, counts)
    norms = np.einsum("ij,ij->i", points, points)
    centers = weighted_means(points, counts, labels, n_clusters)
    sse = sse_of(points, counts, centers, labels)
    failures = n_kept = n_iterations = 0
    for _ in range(MOST_ROUNDS):
        if failures == n_failures:
            break
        swapped = _swapped(points, norms, counts, centers, random.random_sample(N_JUDGED))
        repaired = repair(swapped, sse * (1.0 + WORTH_LAST_STEPS))
        n_iterations += repaired.n_iterations
        failures += 1
        candidate = repaired.labels
        if not np.bincount(candidate, minlength=n_clusters).all():
            continue
        reached = weighted_means(points, counts, candidate, n_clusters)
        candidate_sse = sse_of(points, counts, reached, candidate)
        if candidate_sse < sse * (1.0 - LEAST_GAIN) - LEAST_SHARE * total:
            labels, centers, sse = candidate, reached, candidate_sse
            failures = 0
            n_kept += 1
    return Searched(labels, sse, n_kept, n_iterations)


def _swapped(points: Floats, norms: Floats, counts: Floats, centers: Floats, uniform: Floats) -> Floats:
    """Return the centres after each swap, of shape (n_swaps, k, d)."""
    center_norms = np.einsum("ij,ij->i", centers, centers)
    distances = squared_distances(centers, center_norms, points, norms)
    own = distances.argmin(axis=0)
    first, second = np.partition(distances, 1, axis=0)[:2]
    chosen = pick(np.cumsum(first * counts), uniform)
    member = np.zeros((len(points), len(centers)))
    member[np.arange(len(points)), own] = counts
    merged = _merged(centers, center_norms, member.sum(axis=0))
    given_up = np.empty(len(chosen), dtype=np.int64)
    worth = np.empty(len(chosen))
    step = max(1, BLOCK // len(points))
    for start in range(0, len(chosen), step):
        rows = chosen[start : start + step]
        reached = squared_distances(points[rows], norms[rows], points, norms)
        nearer = np.minimum(reached, first)
        # What giving up each centre costs once the new one is there, and what the new one saves.
        loss = np.minimum((np.minimum(reached, second) - nearer) @ member, merged)
        best = loss.argmin(axis=1)
        given_up[start : start + step] = best
        worth[start : start + step] = (first - nearer) @ counts - loss[np.arange(len(rows)), best]
    kept = _different(given_up, worth)[:N_REPAIRED]
    chosen, given_up = chosen[kept], given_up[kept]
    swapped = np.repeat(centers[None], len(chosen), axis=0)
    swapped[np.arange(len(chosen)), given_up] = points[chosen]
    return swapped


def _different(given_up: Integers, worth: Floats) -> Integers:
    """Put the best swap for each centre given up first, then the second best ones, and so on."""
    order = np.argsort(-worth, kind="stable")
    by_center = order[np.argsort(given_up[order], kind="stable")]
    first = np.searchsorted(given_up[by_center], given_up[by_center])
    place = np.arange(len(order)) - first
    return by_center[np.lexsort((-worth[by_center], place))]


def _merged(centers: Floats, norms: Floats, mass: Floats) -> Floats:
    """Return what merging each cluster with another one costs (Ward).

    Giving its patterns to the second nearest centres, which do not move, overrates what a lone far
    pattern costs: merged with another one of its size, half of it.
    """
    with np.errstate(invalid="ignore"):
        joint = np.nan_to_num(np.outer(mass, mass) / np.add.outer(mass, mass))
    cost = joint * squared_distances(centers, norms, centers, norms)
    np.fill_diagonal(cost, np.inf)
    return np.asarray(cost.min(axis=1))

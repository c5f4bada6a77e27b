"""Where Lloyd's iterations start: at points far from each other, or between and beside the best results so far."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from custseg._core.arrays import Floats, Integers
from custseg.segmentation._kmeans._many.steps import Ends, Numbers, Steps, pick_of_each
from custseg.segmentation._kmeans.lloyd import uniform_draws

__all__ = ["Random", "children", "far_points"]

Random = np.random.RandomState

# A child is the best result of its sample with the centres of two clusters put anew, one of them among so many nearest
# to the other; or, in so large a share, crossed with one of so many results.
NEIGHBOURS = 4
CROSSED, PARTNERS = 0.4, 6
# The draws of a child: partner, whether crossed, two clusters, and two points.
N_DRAWS = 6


def far_points(steps: Steps, samples: Integers, n_starts: int, n_clusters: int, random: Sequence[Random]) -> Ends:
    """Choose starting centres by k-means++, of several candidates for each the best.

    Parameters
    ----------
    steps : Steps
        The samples.
    samples : ndarray of shape (n_samples,)
        Those to start in.
    n_starts, n_clusters : int
        How many starts in each, of how many centres.
    random : sequence of RandomState
        The source of the draws of each sample of ``steps``.

    Returns
    -------
    Ends
        The starts.
    """
    draws = np.concatenate([uniform_draws(n_starts, n_clusters, random[sample]) for sample in samples])
    own, every = np.repeat(samples, n_starts), np.arange(len(draws))
    counts, n_candidates = steps.counts[own], draws.shape[2]
    chosen = np.empty((len(own), n_clusters), dtype=np.int64)
    chosen[:, 0] = pick_of_each(np.cumsum(counts, axis=1), draws[:, 0, :1])[:, 0]
    closest = steps.distances(chosen[:, 0], own)
    own_of_each = np.repeat(own, n_candidates)
    for position in range(1, n_clusters):
        candidates = pick_of_each(np.cumsum(closest * counts, axis=1), draws[:, position])
        reached = steps.distances(candidates.ravel(), own_of_each).reshape(len(own), n_candidates, -1)
        np.minimum(reached, closest[:, None], out=reached)
        best = (reached @ counts[..., None])[..., 0].argmin(axis=1)
        chosen[:, position] = candidates[every, best]
        closest = reached[every, best]
    return Ends.started(steps.columns[own[:, None], :, chosen], own)


def children(steps: Steps, found: Ends, samples: Integers, n_children: int, random: Sequence[Random]) -> Ends:
    """Take the best result of each sample, and put two neighbouring clusters anew or cross it (compare [1]_).

    Parameters
    ----------
    steps : Steps
        The samples.
    found : Ends
        Results, the best of each sample first.
    samples : ndarray of shape (n_samples,)
        The samples to have children in.
    n_children : int
        How many in each.
    random : sequence of RandomState
        The source of the draws of each sample of ``steps``.

    Returns
    -------
    Ends
        The children, from where Lloyd's iterations start.

    References
    ----------
    .. [1] D. Gribel and T. Vidal (2019). HG-means: a scalable hybrid genetic algorithm for minimum sum-of-squares
       clustering. Pattern Recognition 88, 569-583.
    """
    n_clusters = found.centers.shape[1]
    draws = np.concatenate([random[sample].random_sample((n_children, N_DRAWS + n_clusters)) for sample in samples])
    own = np.repeat(samples, n_children)
    first = np.searchsorted(found.own, own)
    n_found = np.searchsorted(found.own, own, side="right") - first
    partner = (draws[:, 0] * np.minimum(n_found, PARTNERS)).astype(np.int64)
    is_crossed = (draws[:, 1] < CROSSED) & (partner > 0)
    centers = found.centers[first].astype(steps.dtype)
    for child in np.flatnonzero(is_crossed):
        other = found.centers[first[child] + partner[child]]
        taken = draws[child, N_DRAWS:] < 0.5
        centers[child, taken] = other[_matched(centers[child], other)][taken]
    alone = np.flatnonzero(~is_crossed)
    _split_anew(steps, centers, own, alone, draws[alone, 2:N_DRAWS])
    return Ends.started(centers, own)


def _matched(centers: Numbers, others: Numbers) -> Integers:
    """Return which of the others each centre is paired with, so that the pairs are near."""
    cost = -2 * centers @ others.T + np.einsum("ij,ij->i", others, others)
    return np.asarray(linear_sum_assignment(cost)[1])


def _split_anew(steps: Steps, centers: Numbers, own: Integers, rows: Integers, draws: Floats) -> None:
    """Put, in place, the centres of two neighbouring clusters on two points of theirs.

    Of one sample all these partitions are the same, and it is looked up once who belongs to which cluster.
    """
    if not len(rows):
        return
    chosen, own = centers[rows], own[rows]
    n_clusters, every = centers.shape[1], np.arange(len(rows))
    one = (draws[:, 0] * n_clusters).astype(np.int64)
    apart = ((chosen - chosen[every, one][:, None]) ** 2).sum(axis=2)
    near = 1 + (draws[:, 1] * min(NEIGHBOURS, n_clusters - 1)).astype(np.int64)
    other = np.argsort(apart, axis=1, kind="stable")[every, near]
    samples, firsts, place = np.unique(own, return_index=True, return_inverse=True)
    scores = steps.scores(chosen[firsts].reshape(-1, centers.shape[2]), np.repeat(samples, n_clusters))
    scores = scores.reshape(len(samples), n_clusters, -1)
    best = scores.min(axis=1)[place]
    weights = steps.counts[own] * ((scores[place, one] == best) | (scores[place, other] == best))
    first = pick_of_each(np.cumsum(weights, axis=1), draws[:, 2:3])[:, 0]
    second = pick_of_each(np.cumsum(steps.distances(first, own) * weights, axis=1), draws[:, 3:4])[:, 0]
    centers[rows, one] = steps.columns[own, :, first]
    centers[rows, other] = steps.columns[own, :, second]

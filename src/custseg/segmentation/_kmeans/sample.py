"""Large data: fit on a sample drawn by a hash of content, then measure and repair what that cost."""

from __future__ import annotations

import numpy as np

from custseg._core.arrays import Floats, Integers
from custseg.segmentation._kmeans.nearest import nearest
from custseg.segmentation._kmeans.patterns import Patterns, content_hash

__all__ = ["N_PASSES", "drawn", "full_passes", "sample_size"]


# Passes over all patterns after the fit on the sample.
N_PASSES = 2
# A sample holds at least so many patterns for each segment.
SAMPLED_PER_SEGMENT = 50
# Patterns per batch of a pass.
BATCH = 65_536
# So many bits of a hash fit into a float without rounding.
HASH_BITS = 53


def sample_size(sample_above: int, n_segments: int) -> int:
    """Return how many patterns a sample has, and above how many one is drawn."""
    return max(sample_above, SAMPLED_PER_SEGMENT * n_segments)


def drawn(patterns: Patterns, n_sampled: int, points: Floats | None = None) -> tuple[Integers, Floats]:
    """Draw about ``n_sampled`` patterns, each with a probability in proportion to what it may matter.

    Half of the probability is in proportion to the counts. With ``points`` the other half is in
    proportion to counts times squared distances from the mean (a lightweight coreset [1]_): a far
    group that holds much of the variance is then not missed, however few belong to it. A pattern is drawn
    where the hash of its content, as a fraction of 1, is below its probability: the order of the rows does
    not matter, and every machine draws the same. Drawn patterns stand for those not drawn: their counts
    are divided by the probability [2]_, so that sums over the sample estimate those over all.

    Parameters
    ----------
    patterns : Patterns
        Distinct rows with positive counts.
    n_sampled : int
        The expected number of patterns drawn, below that of all.
    points : ndarray of shape (n_patterns, n_columns), optional
        The patterns, centred, where squared distances matter; without their last digits, if these are not to matter.

    Returns
    -------
    rows : ndarray of shape (n_drawn,)
        The positions of the drawn patterns, ascending.
    counts : ndarray of shape (n_drawn,)
        What each of them counts for.

    References
    ----------
    .. [1] O. Bachem, M. Lucic and A. Krause (2018), "Scalable k-means clustering via lightweight
       coresets", KDD 2018.
    .. [2] D. G. Horvitz and D. J. Thompson (1952), "A generalization of sampling without replacement
       from a finite universe", Journal of the American Statistical Association 47, 663-685.

    Examples
    --------
    >>> values = np.arange(1000.0)[:, None]
    >>> rows, counts = drawn(Patterns(values, np.ones(1000), np.arange(1000)), 100)
    >>> 70 < len(rows) < 130, np.allclose(counts, 10.0)
    (True, True)
    """
    matter = patterns.counts / patterns.counts.sum()
    if points is not None:
        squares = patterns.counts * np.einsum("ij,ij->i", points, points)
        total = float(squares.sum())
        matter = 0.5 * (matter + squares / total) if total > 0 else matter
    probability = _probabilities(matter, n_sampled)
    fraction = (content_hash(patterns.values if points is None else points) >> np.uint64(64 - HASH_BITS)).astype(
        np.float64
    ) / 2.0**HASH_BITS
    rows = np.flatnonzero(fraction < probability)
    return rows, patterns.counts[rows] / probability[rows]


def _probabilities(sizes: Floats, n_sampled: int) -> Floats:
    """Return probabilities in proportion to sizes, at most 1, that sum to the size of the sample."""
    ordered = np.sort(sizes)[::-1]
    remaining = np.append(np.cumsum(ordered[::-1])[::-1], 0.0)
    # With the j largest certain, the others share the n_sampled - j places left.
    places = n_sampled - np.arange(len(ordered))
    certain = int(np.argmax(places * ordered <= remaining[:-1]))
    return np.asarray(np.minimum(sizes * (places[certain] / remaining[certain]), 1.0))


def full_passes(points: Floats, counts: Floats, centers: Floats) -> tuple[Integers, Floats, list[float]]:
    """Run Lloyd's passes over all patterns from centres found on a sample, in batches.

    Parameters
    ----------
    points, counts : ndarray of shape (n_patterns, n_features) and (n_patterns,)
        All patterns and their weights.
    centers : ndarray of shape (n_clusters, n_features)
        Where to start.

    Returns
    -------
    labels : ndarray of shape (n_patterns,)
        The nearest of the last centres for each pattern.
    centers : ndarray of shape (n_clusters, n_features)
        The centres after the last pass.
    sse : list of float
        The SSE around the given centres, then around those after each pass.
    """
    found: list[float] = []
    for n_passes in range(N_PASSES + 1):
        labels, means, sse = _pass(points, counts, centers)
        found.append(sse)
        centers = means if n_passes < N_PASSES else centers
    return labels, centers, found


def _pass(points: Floats, counts: Floats, centers: Floats) -> tuple[Integers, Floats, float]:
    """Assign all patterns, and return labels and means, with the SSE around the old centres."""
    n_clusters, n_features = centers.shape
    labels = np.empty(len(points), dtype=np.int64)
    # Differences to the old centre of the cluster: small numbers, so that their squares lose no digits.
    shift, mass, sse = np.zeros((n_clusters, n_features)), np.zeros(n_clusters), 0.0
    for start in range(0, len(points), BATCH):
        block, weights = points[start : start + BATCH], counts[start : start + BATCH]
        assigned = nearest(block, centers)
        labels[start : start + BATCH] = assigned
        away = block - centers[assigned]
        sse += float(weights @ np.einsum("ij,ij->i", away, away))
        member = np.zeros((n_clusters, len(block)))
        member[assigned, np.arange(len(block))] = weights
        shift += member @ away
        mass += member.sum(axis=1)
    moved = np.divide(shift, mass[:, None], out=np.zeros_like(shift), where=mass[:, None] > 0)
    return labels, centers + moved, sse

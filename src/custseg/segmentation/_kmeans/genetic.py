"""The local search that partitions of k-means are evolved with."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from custseg._core.arrays import Floats, Integers
from custseg.segmentation._kmeans.evolution import Evolved, Population, evolve
from custseg.segmentation._kmeans.exchange import exchange_batch
from custseg.segmentation._kmeans.lloyd import MAX_ITERATIONS, sums_batch

__all__ = ["affordable", "genetic_search"]

# So many children at most for each restart that was asked for ...
CHILDREN_PER_RESTART = 80
# ... and so many patterns x clusters x (columns + what a pass costs besides): of 20 restarts a second or two.
WORK_PER_RESTART, PASS = 1.8e7, 12
# Fewer children than this are not worth beginning.
FEWEST_CHILDREN = 64
# Partitions whose SSE differs by less than this share are the same.
SAME = 1e-9

Singles = npt.NDArray[np.float32]


def affordable(n_init: int, n_patterns: int, n_clusters: int, n_columns: int) -> int:
    """Return how many children are worth their time: 0 where they are too few to begin."""
    per_restart = WORK_PER_RESTART / (n_patterns * n_clusters * (n_columns + PASS))
    n_children = int(n_init * min(CHILDREN_PER_RESTART, per_restart))
    return n_children if n_children >= FEWEST_CHILDREN else 0


def genetic_search(
    points: Floats, counts: Floats, labels: Integers, n_clusters: int, *, n_children: int, random: np.random.RandomState
) -> Evolved:
    """Search among the local optima of k-means (see :func:`~custseg.segmentation._kmeans.evolution.evolve`).

    Lloyd's iterations (in single precision) and exchanges of single patterns repair all children together.

    Parameters
    ----------
    points, counts : ndarray of shape (n_patterns, n_features) and (n_patterns,)
        Centred patterns and their weights.
    labels : ndarray of shape (n_patterns,)
        The best partition so far, without an empty cluster.
    n_clusters : int
        The number of clusters, less than that of the patterns.
    n_children : int
        How many partitions to repair at most, see :func:`affordable`.
    random : RandomState
        Source of all draws.

    Returns
    -------
    Evolved
        The labels of the best partition and its SSE.
    """
    partition, sse = exchange_batch(points, counts, labels[None], n_clusters)
    partitions = Partitions.of(points, counts, n_clusters, same=SAME * float(sse[0]))
    return evolve(partitions, partitions.population(partition, sse), n_children=n_children, random=random)


@dataclass(frozen=True)
class Partitions:
    """Patterns, their weights, and what is computed of them once, the last two in single precision."""

    points: Floats
    counts: Floats
    n_clusters: int
    same: float
    weighted: Floats
    columns: Singles
    sums: Singles

    @classmethod
    def of(cls, points: Floats, counts: Floats, n_clusters: int, *, same: float) -> Partitions:
        weighted = np.column_stack([points * counts[:, None], counts])
        columns = np.ascontiguousarray(points.T, dtype=np.float32)
        # weights of any unit fit into single precision
        sums = np.ldexp(weighted, -math.frexp(float(counts.max()))[1]).astype(np.float32)
        return cls(points, counts, n_clusters, same, weighted, columns, sums)

    def repaired(self, centers: Floats) -> Population:
        """Take centres to local optima."""
        labels = _lloyd(self, centers)
        return self.population(*exchange_batch(self.points, self.counts, labels, self.n_clusters))

    def population(self, labels: Integers, sse: Floats) -> Population:
        """Leave out partitions with an empty cluster."""
        sums, mass = sums_batch(self.weighted, labels, self.n_clusters)
        full = (mass > 0).all(axis=1)
        return Population(labels[full], sums[full] / mass[full][..., None], sse[full])


def _lloyd(partitions: Partitions, centers: Floats) -> Integers:
    """Run Lloyd's iterations of all starts in single precision; what that misplaces, exchanges put right."""
    n_starts, n_clusters, _ = centers.shape
    singles: Singles = centers.astype(np.float32)
    labels = np.empty((n_starts, len(partitions.points)), dtype=np.int64)
    active, before = np.arange(n_starts), None
    for _ in range(MAX_ITERATIONS):
        member = _nearest(partitions.columns, singles)
        if before is not None:
            changed = (member != before).reshape(len(active), -1).any(axis=1)
            labels[active[~changed]] = member[~changed].argmax(axis=1)
            active, member, singles = active[changed], member[changed], singles[changed]
            if not len(active):
                return labels
        sums = (member.reshape(-1, len(partitions.points)).astype(np.float32) @ partitions.sums).reshape(
            len(active), n_clusters, -1
        )
        mass = sums[..., -1:]
        # a centre without patterns stays where it is
        singles = np.where(mass > 0, sums[..., :-1] / np.where(mass > 0, mass, 1), singles)
        before = member
    labels[active] = member.argmax(axis=1)
    return labels


def _nearest(columns: Singles, centers: Singles) -> npt.NDArray[np.bool_]:
    """Say for each centre of every start which patterns are nearest to it: (n_starts, k, n_patterns)."""
    rows = centers.reshape(-1, len(columns))
    scores = (-2 * rows) @ columns
    scores += np.einsum("ij,ij->i", rows, rows)[:, None]
    scores = scores.reshape(*centers.shape[:2], -1)
    best = scores.min(axis=1)
    member = scores == best[:, None]
    if np.count_nonzero(member) > best.size:  # of equally near centres the first one counts
        member &= member.cumsum(axis=1) == 1
    return np.asarray(member)

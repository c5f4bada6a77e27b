"""The local search that partitions of k-means are evolved with."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from custseg._core.arrays import Floats, Integers
from custseg.segmentation._kmeans.evolution import Evolved, Population, evolve
from custseg.segmentation._kmeans.exchange import exchange_batch
from custseg.segmentation._kmeans.lloyd import sums_batch

__all__ = ["affordable", "genetic_search"]

# So many children at most for each restart that was asked for ...
CHILDREN_PER_RESTART = 70
# ... and so many patterns x clusters x (columns + what a pass costs besides): of 20 restarts about a second.
WORK_PER_RESTART, PASS = 1.6e7, 12
# Fewer children than this are not worth beginning.
FEWEST_CHILDREN = 64
# Lloyd's iterations of a child; from there exchanges go on. Each centre also repeats so large a share of its last step:
# many small steps in one direction become few, and what would hold up small steps is passed by.
N_LLOYD, MOMENTUM = 20, 0.8
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

    Lloyd's iterations and exchanges of single patterns repair all children together, in single precision; the best
    partition ends in double precision.

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
    exponent = math.frexp(float(counts.max()))[1]
    counts = np.ldexp(counts, -exponent)  # weights of any unit fit into single precision
    partition, sse = exchange_batch(points, counts, labels[None], n_clusters)
    partitions = Partitions.of(points, counts, n_clusters, same=SAME * float(sse[0]))
    found = evolve(partitions, partitions.population(partition, sse), n_children=n_children, random=random)
    partition, sse = exchange_batch(points, counts, found.solution[None], n_clusters)
    return Evolved(partition[0], float(np.ldexp(sse[0], exponent)), found.is_confirmed)


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
        columns = np.vstack([points.T, np.ones(len(points))]).astype(np.float32)
        return cls(points, counts, n_clusters, same, weighted, columns, weighted.astype(np.float32))

    def repaired(self, centers: Floats) -> Population:
        """Take centres to local optima."""
        labels = _lloyd(self, centers)
        found = exchange_batch(self.points, self.counts, labels, self.n_clusters, precision=np.float32)
        return self.population(*found)

    def finished(self, population: Population) -> Population:
        """Return the population: it is at local optima."""
        return population

    def population(self, labels: Integers, sse: Floats) -> Population:
        """Leave out partitions with an empty cluster."""
        sums, mass = sums_batch(self.weighted, labels, self.n_clusters)
        full = (mass > 0).all(axis=1)
        return Population(labels[full], sums[full] / mass[full][..., None], sse[full])


def _lloyd(partitions: Partitions, centers: Floats) -> Integers:
    """Run some of Lloyd's iterations of all starts, in single precision; exchanges go on from there.

    Each centre goes on by a share of its last step, which passes by what would hold up small steps.
    """
    n_starts, n_clusters, n_columns = centers.shape
    labels = np.empty((n_starts, len(partitions.points)), dtype=np.int64)
    active, steps = np.arange(n_starts), np.zeros(centers.shape, dtype=np.float32)
    singles: Singles = centers.astype(np.float32)
    means, sums = singles.copy(), np.zeros((n_starts, n_clusters, n_columns + 1), dtype=np.float32)
    for _ in range(N_LLOYD):
        scores = _scores(partitions.columns, singles.reshape(-1, n_columns)).reshape(len(active), n_clusters, -1)
        # a pattern that is equally near to two centres counts for both: exchanges settle it
        member = scores == scores.min(axis=1)[:, None]
        rows = member.reshape(-1, member.shape[2])
        before, sums = sums, (rows.astype(np.float32) @ partitions.sums).reshape(sums.shape)
        going = (sums != before).any(axis=(1, 2))
        if not going.all():
            labels[active[~going]] = member[~going].argmax(axis=1)
            active, member = active[going], member[going]
            singles, means, steps, sums = singles[going], means[going], steps[going], sums[going]
            if not len(active):
                break
        # a centre without patterns stays where it is
        full = sums[..., -1] > 0
        means[full] = sums[full, :-1] / sums[full, -1:]
        steps *= MOMENTUM
        steps += means - singles
        singles += steps
    labels[active] = member.argmax(axis=1)
    return labels


def _scores(columns: Singles, centers: Singles) -> Singles:
    """Return squared distances (n_centers, n_patterns), less the squared norm of the pattern."""
    norms = np.einsum("ij,ij->i", centers, centers)
    return np.asarray(np.column_stack([-2 * centers, norms]) @ columns)

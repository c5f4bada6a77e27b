"""The best partition of few points: all restarts in one batch, and where they disagree a search among local optima."""

from __future__ import annotations

import numpy as np

from custseg._core.arrays import Floats
from custseg.segmentation._kmeans.exchange import exchange_batch, settle
from custseg.segmentation._kmeans.found import ROUNDING, Found
from custseg.segmentation._kmeans.genetic import affordable, genetic_search
from custseg.segmentation._kmeans.lloyd import batch_lloyd, seed_centers, total_of, uniform_draws
from custseg.segmentation._kmeans.optimum import do_agree

__all__ = ["FEW", "search_few"]


# Up to so many points each step of all starts is one product, in long numbers.
FEW = 1_500
# Restarts whose SSE differs by less than this share have found the same partition.
SAME_PARTITION = 1e-9
# One in so many restarts, and at least so many, the best different ones, is improved by exchanges.
EXCHANGED_ONE_IN, FEWEST_EXCHANGED = 2, 5


def search_few(points: Floats, counts: Floats, n_clusters: int, n_init: int, random: np.random.RandomState) -> Found:
    """Search for the partition of least weighted sum of squared distances.

    Parameters
    ----------
    points : ndarray of shape (n_points, n_columns)
        Distinct rows, centred.
    counts : ndarray of shape (n_points,)
        How many customers show each of them.
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
    ended = batch_lloyd(points, counts, seed_centers(points, counts, uniform_draws(n_init, n_clusters, random)))
    order = np.argsort(ended.sse, kind="stable")
    different = np.ones(len(order), dtype=bool)
    different[1:] = np.diff(ended.sse[order]) > SAME_PARTITION * ended.sse[order][1:]
    chosen = order[different][: max(FEWEST_EXCHANGED, n_init // EXCHANGED_ONE_IN)]
    n_ended_there = np.bincount(np.cumsum(different) - 1)[: len(chosen)]
    exchanged, sse = exchange_batch(points, counts, ended.labels[chosen], n_clusters)
    labels = exchanged[int(sse.argmin())]
    if not np.bincount(labels, minlength=n_clusters).all():
        labels = settle(points, counts, labels, n_clusters)
    # starts that end close to each other may be on either side of a better partition: exchanges tell
    agree = sse <= sse.min() * (1.0 + SAME_PARTITION) + ROUNDING * total_of(points, counts)
    is_confirmed = do_agree(int(n_ended_there[agree].sum()), n_init)
    if not is_confirmed and len(np.unique(labels)) == n_clusters:
        n_children = affordable(n_init, len(points), n_clusters, points.shape[1])
        if n_children:
            evolved = genetic_search(points, counts, labels, n_clusters, n_children=n_children, random=random)
            labels, is_confirmed = evolved.solution, evolved.is_confirmed
    return Found(labels, ended.sse, ended.n_iterations, is_confirmed)

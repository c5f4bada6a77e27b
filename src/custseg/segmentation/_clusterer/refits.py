"""The same customers segmented at several numbers of segments: read and embedded once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from custseg._core.arrays import Integers
from custseg._core.asking import asking
from custseg._core.customers import read_input
from custseg.segmentation._clusterer.clusterer import SegmentClusterer
from custseg.segmentation._clusterer.embedding_step import Embedding, embed, embedded, engine_table, task_of
from custseg.segmentation._clusterer.engines import engine_of, partition

__all__ = ["can_refit", "refitted"]


def can_refit(clusterer: Any) -> bool:
    """Say whether :func:`refitted` does what a clusterer does: one derived from ours may fit or assign otherwise."""
    return type(clusterer) is SegmentClusterer


def refitted(
    clusterer: SegmentClusterer, everyone: Any, sample: Any, counts: Any, *, seed: int
) -> Callable[[int], Integers]:
    """Fit on a sample of customers at several numbers of segments, and assign everyone by each.

    It is what ``clusterer`` does for each number, but for the order of the segments. k-means has refits of its own
    (:class:`~custseg.segmentation._clusterer.cell_refits.EmbeddedRefits`).

    Parameters
    ----------
    clusterer : SegmentClusterer
        What is fitted; it stays as it is.
    everyone, sample : DataFrame, CustomerTable or ndarray
        The customers to assign, and those to fit on; of the same columns.
    counts : ndarray of shape (n_sampled,) or None
        How often each customer of the sample was drawn.
    seed : int
        The source of the starting points.

    Returns
    -------
    callable
        Takes a number of segments to the labels of everyone.

    Raises
    ------
    InfeasibleError
        If fewer customers differ than there are segments, or the least share cannot be met.
    """
    with asking(type(clusterer).__name__):
        return _refitted(clusterer, everyone, sample, counts, seed)


def _refitted(
    clusterer: SegmentClusterer, everyone: Any, sample: Any, counts: Any, seed: int
) -> Callable[[int], Integers]:
    embedding = Embedding(clusterer.embedder, clusterer.kinds, clusterer.weights, clusterer.customer_id)
    engine = engine_of(clusterer.engine, n_init=clusterer.n_init, sample_above=clusterer.sample_above)
    fitted = embedded(sample, embedding, counts)
    share = clusterer.min_segment_share
    task = task_of(fitted, engine, n_segments=None, min_segment_share=share, random_state=seed)
    table = read_input(everyone, customer_id=fitted.customer_id, kinds=embedding.column_kinds)
    table = table.select(fitted.table.names)
    matrix = embed(everyone, table, fitted.embedder)
    placed = matrix[:, fitted.canonical_columns]
    for_engine = engine_table(table, matrix, fitted.embedder, engine)

    @asking(type(clusterer).__name__)
    def labels(number: int) -> Integers:
        return partition(engine, replace(task, n_segments=number)).assign(placed, for_engine)

    return labels

"""Refits by k-means of the same customers drawn again, embedded by what each sample says about scales."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from custseg._core.arrays import Floats, Integers
from custseg._core.asking import asking
from custseg.segmentation._clusterer.clusterer import SegmentClusterer
from custseg.segmentation._clusterer.embedding_step import Embedding, embed_to_fit, embedded
from custseg.segmentation._clusterer.refits import can_refit
from custseg.segmentation._kmeans._many.cell_refits import CellRefits, Samples

__all__ = ["EmbeddedRefits", "can_use_cells"]

# Up to so many different customers, each bootstrap sample is embedded anew; a larger one moves no scale by much.
EMBEDDED_AGAIN = 20_000


def can_use_cells(clusterer: Any) -> bool:
    """Say whether cells serve a clusterer: that is k-means of ours."""
    return can_refit(clusterer) and clusterer.engine == "kmeans"


class EmbeddedRefits:
    """Customers embedded and in cells, to be fitted on again and again with other counts.

    Parameters
    ----------
    clusterer : SegmentClusterer
        What is fitted; it stays as it is.
    everyone : DataFrame, CustomerTable or ndarray
        The different customers.
    counts : ndarray of shape (n_different,)
        How many customers each of them stands for.
    samples : sequence of (ndarray of shape (n_different,), int)
        How often each was drawn, and a seed: samples that say how many cells there must be.
    """

    def __init__(self, clusterer: SegmentClusterer, everyone: Any, counts: Integers, samples: Samples) -> None:
        self._name = type(clusterer).__name__
        self._embedding = Embedding(clusterer.embedder, clusterer.kinds, clusterer.weights, clusterer.customer_id)
        with asking(self._name):
            whole = embedded(everyone, self._embedding, counts.astype(np.float64))
            points = whole.matrix[:, whole.canonical_columns]
            is_the_same = whole.embedder is None or len(points) > EMBEDDED_AGAIN
            # other processes, which get a copy, need customers only to embed them
            self._customers = None if is_the_same else (everyone, whole.table, whole.canonical_columns)
            machinery = (clusterer.n_init, clusterer.min_segment_share, None if is_the_same else self._embedded)
            self.cells = CellRefits(points, counts.astype(np.float64), *machinery).in_enough_cells(samples)

    def sampled(self, samples: Samples) -> Callable[[int], list[Integers]]:
        """Take bootstrap samples, as :meth:`CellRefits.sampled` does."""
        with asking(self._name):
            return asking(self._name)(self.cells.sampled(samples))

    def reference(self, number: int, seed: int) -> Integers:
        """Return the labels of the solution on all customers, in the order that ``fit`` gives segments."""
        with asking(self._name):
            return self.cells.reference(number, seed)

    def _embedded(self, counts: Floats) -> Floats:
        """Embed everyone by what the drawn customers say about scales."""
        assert self._customers is not None  # asked for only where scales may differ
        everyone, table, columns = self._customers
        again = embed_to_fit(everyone, table, counts, self._embedding)
        return np.asarray(again.matrix[:, again.canonical_columns if table.named else columns])

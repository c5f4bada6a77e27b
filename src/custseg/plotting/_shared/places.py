"""Where customers stand in the distances that made their segments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from sklearn.base import clone

from custseg._core.arrays import Floats, Integers
from custseg._core.customers import CustomerTable
from custseg.exceptions import InfeasibleError, InvalidParameterError
from custseg.segmentation import Segmentation
from custseg.segmentation._for_validation import Embedded, Embedding, content_hash, embedded
from custseg.validation import SeparationResult, segment_separation

__all__ = ["Places", "embedder_of", "separation_of", "shown_of"]


@dataclass(frozen=True)
class Places:
    """Customers of whom may be told, in an order that does not depend on that of the table.

    Attributes
    ----------
    points : ndarray of shape (n_customers, n_columns)
        Their places.
    codes : ndarray of shape (n_customers,)
        Positions in ``segments``.
    segments : ndarray of shape (n_shown,)
        The labels of the segments that have customers to be shown.
    names : tuple of str
        Their names.
    space : Embedded
        What embeds them, and their places in the order of the table. Who is not shown has no part in it.
    """

    points: Floats
    codes: Integers
    segments: Integers
    names: tuple[str, ...]
    space: Embedded

    @classmethod
    def of(cls, segmentation: Segmentation, embedder: Any) -> Self:
        """Embed the customers as :class:`SegmentClusterer` does; refuse fewer than two segments."""
        table, labels = shown_of(segmentation)
        space = embedded(table, Embedding(embedder))
        points = space.matrix + 0.0  # -0.0 has another hash
        if not np.ptp(points, axis=0).any():
            raise InfeasibleError.too_few_customers(len(np.unique(labels)), 1, len(points))
        order = np.lexsort((content_hash(points), labels))
        segments, codes = np.unique(labels[order], return_inverse=True)
        names = tuple(segmentation.segment_names[label] for label in segments)
        return cls(points[order], codes, segments, names, space)

    @property
    def sizes(self) -> Integers:
        """The number of customers of each segment."""
        return np.bincount(self.codes)

    @property
    def centres(self) -> Floats:
        """The mean of each segment."""
        return np.array([self.points[self.codes == code].mean(axis=0) for code in range(len(self.segments))])


def shown_of(segmentation: Segmentation) -> tuple[CustomerTable, Integers]:
    """Return the customers who are shown, and their labels; refuse fewer than two segments."""
    inside = segmentation.labels >= 0
    labels = segmentation.labels[inside]
    n_segments = len(np.unique(labels))
    if n_segments < 2:
        words = "of at least 2 segments with enough customers to be shown"
        raise InvalidParameterError.not_allowed("labels", words, f"{n_segments}")
    return segmentation.customer_table.take(inside), labels


def separation_of(segmentation: Segmentation, embedder: Any) -> SeparationResult:
    """Measure how far the segments that are shown stand apart; who is not shown has no part in it."""
    table, labels = shown_of(segmentation)
    names = np.array(segmentation.segment_names, dtype=object)[labels]
    return segment_separation(table, names, embedder=embedder, random_state=0)


def embedder_of(segmentation: Segmentation, embedder: Any) -> Any:
    """Return what turns characteristics into distances: what was asked for, else what the clusterer uses."""
    clusterer = segmentation.clusterer
    if embedder is not None or clusterer is None:
        return embedder
    if clusterer.embedder_ is not None:
        return clone(clusterer.embedder_)
    return "passthrough" if getattr(clusterer, "embedder", None) == "passthrough" else None

"""Where customers stand in the distances that made their segments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from sklearn.base import clone

from custseg._core.arrays import Floats, Integers
from custseg.exceptions import InvalidParameterError
from custseg.segmentation import Segmentation
from custseg.segmentation._for_validation import Embedded, Embedding, content_hash, embedded

__all__ = ["Places", "embedder_of"]


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
        Everyone, those who are not shown included.
    """

    points: Floats
    codes: Integers
    segments: Integers
    names: tuple[str, ...]
    space: Embedded

    @classmethod
    def of(cls, segmentation: Segmentation, embedder: Any) -> Self:
        """Embed the customers as :class:`SegmentClusterer` does; refuse fewer than two segments."""
        space = embedded(segmentation.customer_table, Embedding(embedder))
        points, labels = space.matrix + 0.0, segmentation.labels
        order = np.lexsort((content_hash(points), labels))
        order = order[labels[order] >= 0]
        segments, codes = np.unique(labels[order], return_inverse=True)
        if len(segments) < 2:
            words = "of at least 2 segments with enough customers to be shown"
            raise InvalidParameterError.not_allowed("labels", words, f"{len(segments)}")
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


def embedder_of(segmentation: Segmentation, embedder: Any) -> Any:
    """Return what turns characteristics into distances: what was asked for, else what the clusterer uses."""
    clusterer = segmentation.clusterer
    if embedder is not None or clusterer is None:
        return embedder
    if clusterer.embedder_ is not None:
        return clone(clusterer.embedder_)
    return "passthrough" if getattr(clusterer, "embedder", None) == "passthrough" else None

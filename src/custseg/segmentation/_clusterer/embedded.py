"""Customers as the clusterer sees them, for whoever asks the same questions of the same distances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from custseg._core.customers import CustomerTable
from custseg._core.params import NONE, Instance, OneOf
from custseg.segmentation._clusterer.clusterer import SegmentClusterer
from custseg.segmentation._embedding.embedder import CharacteristicEmbedder

__all__ = ["EMBEDDER", "Embedded", "embedded"]

EMBEDDER = (NONE, OneOf("passthrough"), Instance(CharacteristicEmbedder, words="a CharacteristicEmbedder"))


@dataclass(frozen=True)
class Embedded:
    """Customers and their places in the embedding.

    Attributes
    ----------
    table : CustomerTable
        The customers.
    embedder : CharacteristicEmbedder or None
        Fitted to them; None where numbers are taken as they are.
    matrix : ndarray of shape (n_customers, n_columns)
        The embedding.
    """

    table: CustomerTable
    embedder: CharacteristicEmbedder | None
    matrix: npt.NDArray[np.float64]


class _Reader(SegmentClusterer):
    """The part of the clusterer that reads and embeds."""

    def read(self, X: Any) -> Embedded:
        table, matrix, _ = self._embed_in_fit(X, None)
        return Embedded(table, self.embedder_, matrix)


def embedded(who: str, X: Any, embedder: CharacteristicEmbedder | Literal["passthrough"] | None) -> Embedded:
    """Read customers and embed them as :class:`SegmentClusterer` does.

    Parameters
    ----------
    who : str
        Who asks, for messages.
    X : DataFrame, path, or array-like of shape (n_customers, n_characteristics)
        One row per customer.
    embedder : CharacteristicEmbedder, "passthrough" or None
        What turns characteristics into distances, as the clusterer takes it; it is cloned.

    Returns
    -------
    Embedded
        The customers, the fitted embedder and the embedding.
    """
    # messages name the type of the reader, and users have called a function
    reader = type(who, (_Reader,), {})(1, embedder=embedder)
    found: Embedded = reader.read(X)
    return found

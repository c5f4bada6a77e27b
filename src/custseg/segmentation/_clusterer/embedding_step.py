"""From customers to what an engine is given: read, embedded, their columns in an order that nothing else decides.

Functions of parameters and customers, for the clusterer, its refits, and whoever asks the same questions of
the same distances.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from sklearn.base import clone

from custseg._core.arrays import Floats, Integers
from custseg._core.customers import CustomerTable, Kinds, read_input
from custseg._core.frames import is_table
from custseg._core.params import NONE, Instance, OneOf
from custseg.exceptions import ColumnTypeError, InvalidParameterError
from custseg.segmentation._base.checks import characteristic_weights, check_for_ids
from custseg.segmentation._base.order import order_by_content
from custseg.segmentation._base.segmenter import DEFAULT_ID, checked_to_fit, refuse_segment_as_id
from custseg.segmentation._clusterer.engines import Engine
from custseg.segmentation._clusterer.task import Task
from custseg.segmentation._embedding.embedder import CharacteristicEmbedder
from custseg.segmentation._kmeans.patterns import distinct_patterns

__all__ = ["EMBEDDER", "Embedded", "Embedding", "embed", "embed_to_fit", "embedded", "engine_table", "task_of"]

EMBEDDER = (NONE, OneOf("passthrough"), Instance(CharacteristicEmbedder, words="a CharacteristicEmbedder"))


@dataclass(frozen=True)
class Embedding:
    """What turns characteristics into distances, as a user says it.

    Attributes
    ----------
    embedder : CharacteristicEmbedder, "passthrough" or None
        What was given; None stands for an embedder with these kinds and weights.
    kinds : mapping of str to str, or None
        The kinds of columns where there is no embedder.
    weights : mapping of str to float, or None
        Their weights where there is no embedder.
    customer_id : str or None
        The name of the ids; the default where only the embedder names one, None where each row is a customer.
    """

    embedder: CharacteristicEmbedder | Literal["passthrough"] | None
    kinds: Mapping[str, str] | None = None
    weights: Mapping[str, float] | None = None
    customer_id: str | None = DEFAULT_ID

    @property
    def column_kinds(self) -> Kinds | None:
        """The kinds that the table is read with."""
        return self.embedder.kinds if isinstance(self.embedder, CharacteristicEmbedder) else self.kinds

    def id_name(self) -> str | None:
        """Return the name of the ids; refuse two names."""
        if not isinstance(self.embedder, CharacteristicEmbedder):
            return self.customer_id
        own = self.embedder.customer_id
        if self.customer_id != DEFAULT_ID and own not in (DEFAULT_ID, self.customer_id):
            words = f"the {own!r} of the embedder"
            raise InvalidParameterError.not_allowed("customer_id", words, self.customer_id)
        return self.customer_id if own == DEFAULT_ID else own


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
    mass : ndarray of shape (n_customers,)
        How many customers each row stands for.
    customer_id : str or None
        The name of the ids.
    """

    table: CustomerTable
    embedder: CharacteristicEmbedder | None
    matrix: npt.NDArray[np.float64]
    mass: Floats
    customer_id: str | None

    @property
    def clustered_on(self) -> list[str]:
        """The characteristics with a weight above 0."""
        if self.embedder is None:
            return self.table.names
        return [name for name in self.table.names if self.embedder.weights_[name] > 0]

    @cached_property
    def canonical_columns(self) -> Integers:
        """The embedded columns by name, those of a matrix by content, so that their order changes nothing."""
        if not self.table.named:
            return order_by_content(self.matrix, self.mass)
        names = self.clustered_on if self.embedder is None else self.embedder.get_feature_names_out()
        return np.argsort(np.asarray(names, dtype=str), kind="stable")


def embed_to_fit(X: Any, table: CustomerTable, mass: Floats, embedding: Embedding) -> Embedded:
    """Embed customers who were read, by an embedder fitted to them.

    Parameters
    ----------
    X : object
        The customers as they were passed.
    table : CustomerTable
        The customers as they were read.
    mass : ndarray of shape (n_customers,)
        How many customers each row stands for.
    embedding : Embedding
        How they are embedded; an embedder is cloned.

    Returns
    -------
    Embedded
        The customers, the fitted embedder and the embedding.
    """
    customer_id = embedding.id_name()
    if embedding.embedder == "passthrough":
        check_for_ids(table, customer_id)
        return Embedded(table, None, _as_they_are(table), mass, customer_id)
    if embedding.embedder is None:
        embedder = CharacteristicEmbedder(kinds=embedding.kinds, weights=embedding.weights)
    else:
        embedder = clone(embedding.embedder)
    embedder.set_params(customer_id=customer_id).set_output(transform="default")
    embedder.fit(_for_embedder(X, table), sample_weight=mass)
    return Embedded(table, embedder, embed(X, table, embedder), mass, customer_id)


def embed(X: Any, table: CustomerTable, embedder: CharacteristicEmbedder | None) -> Floats:
    """Embed customers by a fitted embedder; without one, take numbers as they are."""
    if embedder is None:
        return _as_they_are(table)
    return np.asarray(embedder.transform(_for_embedder(X, table)))


def embedded(X: Any, embedding: Embedding, sample_weight: Any = None) -> Embedded:
    """Read customers and embed them as :class:`SegmentClusterer` does.

    Parameters
    ----------
    X : DataFrame, path, or array-like of shape (n_customers, n_characteristics)
        One row per customer.
    embedding : Embedding
        How they are embedded.
    sample_weight : array-like of shape (n_customers,), optional
        How many customers each row stands for.

    Returns
    -------
    Embedded
        The customers, the fitted embedder and the embedding.
    """
    customer_id = embedding.id_name()
    refuse_segment_as_id(customer_id)
    table = read_input(X, customer_id=customer_id, kinds=embedding.column_kinds)
    return embed_to_fit(X, table, checked_to_fit(table, sample_weight), embedding)


def task_of(
    customers: Embedded,
    engine: Engine,
    *,
    n_segments: int | None,
    min_segment_share: float,
    random_state: int,
) -> Task:
    """Say what is to be partitioned, columns in canonical order."""
    weights = dict.fromkeys(customers.clustered_on, 1.0)
    if customers.embedder is not None:
        # an engine that weighs columns itself knows no questions, and weighs them as it does alone
        given = characteristic_weights(customers.table.names, customers.embedder.weights)
        weights = {name: given[name] for name in weights}
    known, placed = customers.mass > 0, customers.matrix[:, customers.canonical_columns]
    return Task(
        engine_table(customers.table, customers.matrix, customers.embedder, engine),
        weights,
        placed,
        customers.mass,
        distinct_patterns(placed[known], customers.mass[known]),
        n_segments,
        min_segment_share,
        random_state,
    )


def engine_table(
    table: CustomerTable, matrix: Floats, embedder: CharacteristicEmbedder | None, engine: Engine
) -> CustomerTable:
    """Return what the customers are clustered on, numbers as they stand in the embedding where the engine asks so."""
    if embedder is None:
        return table
    table = table.select(name for name in table.names if embedder.weights_[name] > 0)
    if not engine.embeds_numbers:
        return table
    place = {name: position for position, name in enumerate(embedder.get_feature_names_out())}
    columns = [
        replace(column, values=np.where(column.missing, np.nan, matrix[:, place[column.name]]), is_integer=False)
        if column.kind == "numeric"
        else column
        for column in table.columns
    ]
    return replace(table, columns=tuple(columns))


def _for_embedder(X: Any, table: CustomerTable) -> Any:
    """Hand on the table as read; a matrix as it is, so that the embedder too knows it as a matrix."""
    return table if is_table(X) or isinstance(X, CustomerTable) else X


def _as_they_are(table: CustomerTable) -> Floats:
    """Return the numbers of a table, refusing text and missing values."""
    for column in table.columns:
        if column.kind in ("ordinal", "nominal"):
            remedy = "Leave embedder=None: a CharacteristicEmbedder turns categories into numbers."
            raise ColumnTypeError.expected(
                column.name, 'numbers with embedder="passthrough"', f"{column.kind} categories", remedy
            )
        n_missing = int(column.missing.sum())
        if n_missing:
            remedy = "Fill them, or leave embedder=None: a CharacteristicEmbedder gives them the mean."
            raise ColumnTypeError.expected(
                column.name,
                'known for every customer with embedder="passthrough"',
                f"NaN in {n_missing} row(s)",
                remedy,
            )
    return np.column_stack([column.values for column in table.columns]).astype(np.float64)

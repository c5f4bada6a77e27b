"""Customers as the choice of the number sees them: a sample in canonical order, of columns that go together."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from custseg._core.arrays import Floats
from custseg._core.customers import Column, CustomerTable
from custseg.segmentation._base.order import DIGITS, order_by_content
from custseg.segmentation._embedding.embedder import CharacteristicEmbedder
from custseg.segmentation._kmeans.patterns import distinct_patterns
from custseg.segmentation._selection.associations import related_columns
from custseg.segmentation._selection.evidence import evidence_of

__all__ = ["FEWEST_DISTINCT", "Space"]


# With fewer different customers the values themselves are the groups.
FEWEST_DISTINCT = 4
# Of fewer columns that go together none is left out: how a single pair bends would be taken for groups.
FEWEST_RELATED = 3
# Of many columns that are left out so many are named.
MOST_NAMED = 5


@dataclass(frozen=True)
class Space:
    """Customers in canonical order and the way from a table like theirs to the embedding.

    Attributes
    ----------
    table : CustomerTable
        The columns that take part, in an order that does not depend on that of rows or columns.
    evidence : CustomerTable
        The same columns as latent classes take them.
    n_columns : float
        Effective number of columns: fewer where some have more of the variance than others.
    n_varying : int
        The number of columns with at least two values.
    weights : mapping of str to float
        The weight of each column; 1 without an embedder.
    left_out : tuple of str
        The columns that take no part as they go with no other.
    """

    table: CustomerTable
    evidence: CustomerTable
    n_columns: float
    n_varying: int
    weights: Mapping[str, float]
    _all: CustomerTable
    _embedder: CharacteristicEmbedder | None
    _order: npt.NDArray[np.int64]
    _center: Floats
    left_out: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        table: CustomerTable,
        embedder: CharacteristicEmbedder | None,
        matrix: Floats,
        *,
        max_customers: int,
        random: np.random.RandomState,
    ) -> Self:
        """Arrange customers canonically, and take a random sample where there are more than ``max_customers``.

        Without an embedder the columns of ``matrix`` are the characteristics. A column that goes with no other takes no
        part: the groups in its values are its distribution, which one continuum has as well, so it can only hide those
        of the others. Where fewer than three columns are left, or next to no different customers, all take part.
        """
        if embedder is None:
            matrix = matrix / (np.abs(matrix).max(initial=0.0) or 1.0)  # so that no square leaves the range of numbers
            names = [column.name for column in table.columns]
            if len(names) != matrix.shape[1]:
                names = [f"x{position}" for position in range(matrix.shape[1])]
            values = zip(names, matrix.T, strict=True)
            table = CustomerTable(tuple(Column(name, "numeric", column) for name, column in values), len(matrix))
            variances = dict(zip(names, matrix.var(axis=0), strict=True))
            counting, weights = variances, dict.fromkeys(names, 1.0)
        else:
            variances = dict(zip(embedder.transforms_["column"], embedder.transforms_["variance"], strict=True))
            counting = weights = embedder.weights_
        used = sorted((column for column in table.columns if counting[column.name] > 0), key=_content)
        rows = np.lexsort([column.values for column in used]) if used else np.arange(table.n_customers)
        if len(rows) > max_customers:
            # the rows are sorted, so the sample does not depend on the order in which they came
            rows = rows[np.sort(random.choice(len(rows), size=max_customers, replace=False))]
        table = table.take(rows)
        everything = cls._of([column.name for column in used], table, embedder, variances, weights)
        names = related_columns(everything.evidence)
        if not FEWEST_RELATED <= len(names) < len(used):
            return everything
        related = cls._of(names, table, embedder, variances, weights)
        if related.n_distinct < FEWEST_DISTINCT:
            return everything
        return replace(related, left_out=tuple(column.name for column in used if column.name not in names))

    @property
    def omission(self) -> str:
        """What was left out and why, in words; empty where nothing was."""
        if not self.left_out:
            return ""
        named = ", ".join(map(repr, self.left_out[:MOST_NAMED]))
        more = len(self.left_out) - MOST_NAMED
        return f"left out here, as associated with no other column: {named}{f' and {more} more' if more > 0 else ''}"

    @classmethod
    def _of(
        cls,
        names: Collection[str],
        table: CustomerTable,
        embedder: CharacteristicEmbedder | None,
        variances: Mapping[str, float],
        weights: Mapping[str, float],
    ) -> Self:
        used = table.select(names)
        if embedder is None:
            table = used
        else:  # what is missing everywhere has no place in the embedding
            table = replace(table, columns=tuple(c if c.name in names else _emptied(c) for c in table.columns))
        matrix = _embedded(table, embedder)
        varying = np.array([variances[column.name] for column in used.columns if _varies(column)], dtype=np.float64)
        varying = varying / varying.max(initial=np.finfo(np.float64).tiny)
        n_columns = varying.sum() ** 2 / (varying**2).sum() if len(varying) else 0.0
        shown = np.flatnonzero(matrix.any(axis=0))
        order = shown[order_by_content(matrix[:, shown], np.ones(len(matrix)))] if len(shown) else shown
        return cls(
            used,
            evidence_of(used, _scores(used, matrix, embedder)),
            float(n_columns),
            len(varying),
            weights,
            table,
            embedder,
            order,
            matrix[:, order].mean(axis=0),
        )

    @property
    def n_distinct(self) -> int:
        """The number of different customers."""
        return distinct_patterns(self.embed(self.table)).n_patterns

    def embed(self, table: CustomerTable) -> Floats:
        """Embed a table with the columns of ``table`` as the customers were embedded, around their mean."""
        drawn = {column.name: column for column in table.columns}
        columns = tuple(drawn.get(column.name, column) for column in self._all.columns)
        matrix = _embedded(CustomerTable(columns, table.n_customers), self._embedder)
        embedded: Floats = matrix[:, self._order] - self._center
        return embedded

    def scores(self) -> dict[str, Floats]:
        """Return where the values of numeric, binary and ordinal columns stand in the distance."""
        return _scores(self.table, _embedded(self._all, self._embedder), self._embedder)


def _embedded(table: CustomerTable, embedder: CharacteristicEmbedder | None) -> Floats:
    if embedder is None:
        if not table.columns:
            return np.empty((table.n_customers, 0))
        return np.column_stack([column.values for column in table.columns])
    return np.asarray(embedder.transform(table))


def _scores(used: CustomerTable, matrix: Floats, embedder: CharacteristicEmbedder | None) -> dict[str, Floats]:
    if embedder is None:
        return {column.name: column.values for column in used.columns}
    place = {str(name): position for position, name in enumerate(embedder.get_feature_names_out())}
    return {column.name: matrix[:, place[column.name]] for column in used.columns if column.kind != "nominal"}


def _emptied(column: Column) -> Column:
    missing = -1 if column.kind in ("ordinal", "nominal") else np.nan
    return replace(column, values=np.full_like(column.values, missing), exact=None)


def _content(column: Column) -> tuple[str, bytes, str]:
    """Return what tells a column from others, in whatever unit its values are."""
    values = np.sort(column.values)
    if column.kind == "numeric":
        values = np.round(values / (np.nanmax(np.abs(values), initial=0.0) or 1.0), DIGITS) + 0.0
    return column.kind, values.tobytes(), column.name


def _varies(column: Column) -> Any:
    known = column.values[~column.missing]
    return len(known) > 0 and known.min() < known.max()

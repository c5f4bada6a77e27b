"""Customers with labels, in an order of rows, columns and segments that follows from what they hold alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from custseg._core.arrays import Bools, Integers
from custseg._core.asking import asked
from custseg._core.base import Estimator
from custseg._core.customers import Column, CustomerTable, CustomerTableMixin, read_customers
from custseg._core.disclosure import described
from custseg._core.frames import is_table, open_table
from custseg._core.params import COLUMN, NONE, Integer, ParameterTable
from custseg.exceptions import (
    ColumnNotFoundError,
    InfeasibleError,
    InvalidParameterError,
    InvalidTableError,
    list_names,
)
from custseg.personas._labels import find_id
from custseg.segmentation import Segmentation
from custseg.segmentation._for_personas import content_hash

__all__ = ["LABELLED", "N_FOLDS", "Labelled", "LabelledEstimator", "drawn_from"]

N_FOLDS = 5
"""Customers are parted in so many; what is learned of all parts but one is measured on that one."""


# So many of a segment are learned from, if it has as many.
_FEWEST_DRAWN = 200

LABELLED: ParameterTable = {
    "segment": (COLUMN,),
    "min_group_size": (Integer(1),),
    "customer_id": (NONE, COLUMN),
}
"""What the parameters may be of all that learns from customers with labels."""


@dataclass(frozen=True)
class Labelled:
    """Customers of whom something may be told, with their segments.

    Attributes
    ----------
    table : CustomerTable
        Their characteristics that differ at all. Rows stand in the order of a hash of what they hold, columns in that
        of their names.
    labels : ndarray of shape (n_customers,)
        Places in ``segments``.
    segments : ndarray of shape (n_told,)
        The labels of the segments that are told of, the largest first.
    names : tuple of str
        The names of all segments; position = label.
    folds : ndarray of shape (n_customers,)
        The part of each customer, 0 to 4; each segment is spread over all of them.
    """

    table: CustomerTable
    labels: Integers
    segments: Integers
    names: tuple[str, ...]
    folds: Integers


class LabelledEstimator(CustomerTableMixin, Estimator):
    """Base of what learns to tell segments apart: reads labelled customers, and new ones by a few columns."""

    _parameters: ClassVar[ParameterTable] = LABELLED

    customer_id: str | None
    segment: str
    min_group_size: int
    segment_names_: list[str]
    left_out_: dict[str, str]

    def __sklearn_tags__(self) -> Any:
        """Say that missing values and text are fine."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = tags.input_tags.string = True
        return tags

    def _labelled(self, X: Any, y: Any) -> Labelled:
        """Read the customers of ``fit``; leave out ids, and columns that are the same for everyone."""
        table, found = self._customers(X, y)
        if found is not X:
            # only of a table can the first column be an id
            table = find_id(table, self.customer_id, first_too=table.ids is None and table.named)
        told = described(found.labels, found.n_segments, self.min_group_size, found.customer_table)
        sizes = np.bincount(told[told >= 0], minlength=found.n_segments)
        if np.count_nonzero(sizes) < 2:
            raise InfeasibleError(
                f"{asked()}: {np.count_nonzero(sizes)} segment(s) of {found.n_segments} have enough customers to be "
                f"told of (min_group_size={self.min_group_size}), and it takes 2 to tell them apart. "
                "Pass the labels of more customers, or lower min_group_size."
            )
        table = self._telling(table.take(told >= 0))
        self.segment_names_ = list(found.segment_names)
        return _in_order(table, told[told >= 0], sizes, found.segment_names)

    def _customers(self, X: Any, y: Any) -> tuple[CustomerTable, Segmentation]:
        """Read the customers as this estimator reads text, and their segments."""
        if not isinstance(X, Segmentation):
            table = self._read(X, fitting=True, customer_id=self.customer_id)
            options: dict[str, Any] = {"segment": self.segment, "customer_id": self.customer_id}
            found = Segmentation._of_table(table, X, y, **options)  # noqa: SLF001 - `of`, of a table that is read
            return found.customer_table, found
        if y is not None:
            raise InvalidParameterError.not_allowed("y", "None, since the segmentation says it", y)
        customer_id = self.customer_id if X.clusterer is None else X.clusterer.customer_id
        table = self._read(X.customers, fitting=True, customer_id=customer_id)
        return table.select(X.customer_table.names), X

    def _telling(self, table: CustomerTable) -> CustomerTable:
        """Keep the columns in which customers differ, by name; say of the others why they are not asked for."""
        self.left_out_ = {column.name: reason for column in table.columns if (reason := _says_nothing(column))}
        kept = sorted(set(table.names) - set(self.left_out_))
        if not kept:
            raise InvalidTableError(
                f"{asked()}: no characteristic differs between customers: {list_names(self.left_out_)} are left out, "
                f"{next(iter(self.left_out_.values()))}. Pass the columns that tell their segments apart."
            )
        return table.select(kept)

    def _by_columns(self, X: Any, names: Sequence[str]) -> CustomerTable:
        """Read the named columns of new customers; no other one is looked at."""
        if isinstance(X, CustomerTable) or not is_table(X):
            return self._read(X, fitting=False).select(names)
        pairs = self._pairs(fitting=False)
        return read_customers(_narrow(X, names), with_ids=False, pairs=pairs).select(names)


def drawn_from(labels: Integers, most: int) -> Bools:
    """Say who is learned from where there are more than ``most``: the first of each segment, and not too few of any.

    Since rows stand in the order of a hash, the first ones are a sample.
    """
    if len(labels) <= most:
        return np.ones(len(labels), dtype=bool)
    shares = np.bincount(labels) / len(labels)
    return np.asarray(_ranks(labels) < np.maximum(most * shares, _FEWEST_DRAWN)[labels])


def _ranks(labels: Integers) -> Integers:
    """Count the customers of the same segment who stand before each."""
    ranks = np.empty(len(labels), dtype=np.int64)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        ranks[rows] = np.arange(len(rows))
    return ranks


def _narrow(X: Any, names: Sequence[str]) -> Any:
    """Keep the named columns of a table."""
    if not isinstance(X, pd.DataFrame):
        return open_table(X, columns=list(names), in_order=True).frame.to_native()
    missing = [name for name in names if name not in set(map(str, X.columns))]
    if missing:
        raise ColumnNotFoundError.in_table(missing, X.columns)
    return X.loc[:, [str(column) in names for column in X.columns]]


def _says_nothing(column: Column) -> str | None:
    """Say why nothing is asked of a column, if nothing is."""
    known: Bools = ~column.missing
    if not known.any():
        return "not known of anyone"
    if column.exact is not None:
        return "numbers of 2**53 or more, as ids are"
    values = column.without_rounding().values[known]
    return "the same for everyone" if (values == values[0]).all() else None


def _in_order(table: CustomerTable, labels: Integers, sizes: Integers, names: tuple[str, ...]) -> Labelled:
    """Bring rows and segments to an order of their own."""
    columns = [np.where(column.missing, -1.0, column.values.astype(np.float64)) + 0.0 for column in table.columns]
    missing = [column.missing.astype(np.float64) for column in table.columns]
    hashes = content_hash(np.column_stack(columns + missing))
    # sums of whole numbers of 64 bits wrap around, and depend on no order
    sums = [int(hashes[labels == segment].sum(dtype=np.uint64)) for segment in range(len(sizes))]
    segments = np.array(
        sorted(np.flatnonzero(sizes).tolist(), key=lambda segment: (-int(sizes[segment]), sums[segment]))
    )
    places = np.full(len(sizes), -1, dtype=np.int64)
    places[segments] = np.arange(len(segments))
    order = np.lexsort((places[labels], hashes))
    ordered = places[labels][order]
    # ids are not needed any more, and bear an order of their own
    return Labelled(replace(table.take(order), ids=None), ordered, segments, names, _ranks(ordered) % N_FOLDS)

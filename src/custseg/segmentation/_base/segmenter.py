"""The base of estimators that put customers into segments: labels, and the table with its segment column."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from sklearn.base import ClusterMixin, TransformerMixin
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted

from custseg._core.arrays import Integers
from custseg._core.asking import asks_as_class
from custseg._core.base import Estimator, TableOutputMixin
from custseg._core.customer_rows import OfCustomers
from custseg._core.customers import CustomerTable, CustomerTableMixin, Kinds, read_customers, read_matrix
from custseg._core.frames import is_table, output_kind
from custseg._core.ids import DEFAULT_ID
from custseg._core.labelled import MATRIX, with_segment
from custseg._core.mass import customer_mass
from custseg._core.segments import SEGMENT
from custseg.exceptions import InvalidParameterError
from custseg.segmentation._base.errors import name_taken

__all__ = ["DEFAULT_ID", "Segmenter", "checked_to_fit", "refuse_segment_as_id"]


def refuse_segment_as_id(customer_id: str | None) -> None:
    """Refuse ids in a column of the name that the segments get: they would be lost."""
    if customer_id == SEGMENT:
        words = f"another name than {SEGMENT!r}, which the appended column bears (rename the column of the ids)"
        raise InvalidParameterError.not_allowed("customer_id", words, customer_id)


def checked_to_fit(table: CustomerTable, sample_weight: Any) -> npt.NDArray[np.float64]:
    """Refuse customers who have a segment already; return how many customers each row stands for."""
    if SEGMENT in table.names:
        raise name_taken(SEGMENT)
    return customer_mass(sample_weight, table)


class Segmenter(
    CustomerTableMixin,
    TableOutputMixin,
    ClusterMixin,
    TransformerMixin,
    Estimator,
    ABC,
    auto_wrap_output_keys=None,
):
    """Puts every customer into one segment.

    A subclass learns the segments in ``fit``, sets ``labels_``, ``n_segments_`` and
    ``segment_sizes_`` there, and says in ``predict`` which segment a customer belongs to. What it can do, and
    what it has found out besides, stands here with the answer of a segmenter that cannot or has not: whoever takes
    any segmenter asks these, never its class or whether it has an attribute.

    Attributes
    ----------
    defined_by_rules : bool
        Whether rules said beforehand who belongs, so that number, order and names of the segments are theirs.
    limits : frozenset of str
        The limits that it can be told to keep to: ``"min_segment_share"``, ``"min_segments"``,
        ``"max_segments"``.
    order_by, min_segment_share, max_segments : object
        Parameters of those that have them; for the others no order, no least share, and the number of segments up
        to which it is worth a look.
    clustered_on_ : list of str or None
        The characteristics that the segments were made by; None where all are.
    embedder_ : CharacteristicEmbedder or None
        What turned characteristics into distances, where it is one.
    selection_ : SegmentSelection or None
        How it came to the number of segments, where it chose it.
    optimum_, sample_loss_ : object or None
        How good the result is, and what fitting on a sample had cost, where it tells.

    Examples
    --------
    >>> import numpy as np
    >>> from custseg.segmentation import Segmenter
    >>> class BigSpenders(Segmenter):
    ...     def __init__(self, limit=100.0, *, customer_id="customer_id"):
    ...         self.limit, self.customer_id = limit, customer_id
    ...     def fit(self, X, y=None):
    ...         self._read_in_fit(X, None)
    ...         self.n_segments_, self.labels_ = 2, self.predict(X)
    ...         return self
    ...     def predict(self, X):
    ...         table = self._read(X, fitting=False, customer_id=self.customer_id)
    ...         return (table["spend"].values > self.limit).astype(int)
    >>> import pandas as pd
    >>> BigSpenders().fit_transform(pd.DataFrame({"spend": [20.0, 300.0]}))
       spend  segment
    0   20.0        0
    1  300.0        1
    """

    defined_by_rules: ClassVar[bool] = False
    limits: ClassVar[frozenset[str]] = frozenset()

    customer_id: str | None
    order_by: str | None = None
    min_segment_share: float = 0.0
    max_segments: int = 10
    labels_: Integers = OfCustomers()  # type: ignore[assignment]
    n_segments_: int
    segment_sizes_: Integers
    clustered_on_: list[str] | None = None
    embedder_: Any = None
    selection_: Any = None
    optimum_: Any = None
    sample_loss_: Any = None

    @property
    def finds_number(self) -> bool:
        """Whether it finds the number of segments itself and cannot be told one."""
        return False

    @property
    def takes_counts(self) -> bool:
        """Whether a row with a sample weight gives what as many equal rows give."""
        return not self.defined_by_rules

    @property
    def seed(self) -> Any:
        """Its random state; 0 where nothing is random."""
        return self.get_params(deep=False).get("random_state", 0)

    def counted(self, names: Sequence[str]) -> list[str]:
        """Return the columns of which segments are to be made: those that no parameter gives the weight 0.

        Parameters
        ----------
        names : sequence of str
            The columns of a table.

        Returns
        -------
        list of str
            All of them, unless the segmenter has weights.
        """
        return list(names)

    @abstractmethod
    def predict(self, X: Any) -> Integers:
        """Assign customers to the segments.

        Parameters
        ----------
        X : DataFrame, path, or array-like of shape (n_customers, n_characteristics)
            The characteristics of ``fit``; those of a dataframe in any order.

        Returns
        -------
        ndarray of shape (n_customers,)
            The segment of each customer.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        ColumnChangeError
            If a column of ``fit`` is not there or of another kind, or one is there that was not.
        InvalidTableError
            If the table cannot be used: no rows, infinite values, two columns of one name, a path that cannot
            be read; or missing values where numbers are taken as they are.
        ValueError
            If a matrix has another number of columns than in ``fit``.
        """

    @property
    def segment_names_(self) -> list[str]:
        """The names of the segments; the position is the label."""
        check_is_fitted(self)
        return [f"Segment {label}" for label in range(self.n_segments_)]

    def transform(self, X: Any) -> Any:
        """Append the segment of every customer to the table.

        Parameters
        ----------
        X : DataFrame, path, or array-like of shape (n_customers, n_characteristics)
            The characteristics of ``fit``; those of a dataframe in any order.

        Returns
        -------
        DataFrame, Table or ndarray
            The table with one more column, ``segment``, in the kind of ``X`` (pyarrow for duckdb; pandas for
            dask, ibis, Spark and a path) or as ``set_output`` says.

        Raises
        ------
        NotFittedError, ColumnChangeError, InvalidTableError, ValueError
            As ``predict``.
        """
        labels = self.predict(X)
        kind = self._output_kind(output_kind(X) if is_table(X) else MATRIX)
        names = [str(name) for name in self.get_feature_names_out()[:-1]]
        return with_segment(X, labels, kind, self._customer_id(), names)

    def fit_transform(self, X: Any, y: Any = None, **fit_params: Any) -> Any:
        """Find the segments and append them to the table.

        Parameters
        ----------
        X : DataFrame, path, or array-like of shape (n_customers, n_characteristics)
            One row per customer.
        y : None
            Ignored.
        **fit_params : object
            Passed to ``fit``.

        Returns
        -------
        DataFrame, Table or ndarray
            As ``transform``.
        """
        return self.fit(X, y, **fit_params).transform(X)

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[Any]:
        """Return the names of the characteristics and ``segment``.

        Parameters
        ----------
        input_features : array-like of str, optional
            Must be the names of ``fit`` where they are known; names the columns of a matrix.

        Returns
        -------
        ndarray of str
            One name for each column that ``transform`` returns, customer ids not counted.
        """
        check_is_fitted(self)
        return np.append(_check_feature_names_in(self, input_features), SEGMENT).astype(object)

    @asks_as_class
    def _customer_id(self) -> str | None:
        return self.customer_id

    def _column_kinds(self) -> Kinds | None:
        """Return the declared kinds of columns: none, unless the segmenter has such a parameter."""
        return None

    @asks_as_class
    def _read_customers(self, X: Any) -> CustomerTable:
        """Read customers as ``fit`` does, and keep nothing of it."""
        if not is_table(X):
            return read_matrix(X, kinds=self._column_kinds()).without_rounding()
        pairs = self._pairs(fitting=True)
        kinds = self._column_kinds()
        table = read_customers(X, customer_id=self._customer_id(), kinds=kinds, pairs=pairs)
        return table.without_rounding() if self._interprets else table

    def _read_in_fit(
        self, X: Any, sample_weight: Any, kinds: Kinds | None = None
    ) -> tuple[CustomerTable, npt.NDArray[np.float64]]:
        """Read the customers of ``fit``, and how many each row stands for."""
        refuse_segment_as_id(self._customer_id())
        if hasattr(self, "feature_names_in_"):
            del self.feature_names_in_  # a matrix has no names, even where the last fit had
        table = self._read(X, fitting=True, customer_id=self._customer_id(), kinds=kinds)
        return table, checked_to_fit(table, sample_weight)

    def _check_order_by(self, table: CustomerTable) -> None:
        if self.order_by is None:
            return
        if self.order_by not in table.names:
            raise InvalidParameterError.unknown_name("column in order_by", self.order_by, table.names)
        if table[self.order_by].kind == "nominal":
            words = "a characteristic with an order (numbers, bools or ordered categories)"
            raise InvalidParameterError.not_allowed("order_by", words, self.order_by)

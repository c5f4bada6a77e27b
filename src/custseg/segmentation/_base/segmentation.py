"""What a segmentation hands over: customers, who is in which segment, and what made it so."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, Self

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from custseg._core._html import element
from custseg._core.arrays import Floats, Integers
from custseg._core.asking import asking
from custseg._core.characteristic import Characteristic
from custseg._core.customer_rows import without_customers
from custseg._core.customers import CustomerTable, read_input
from custseg._core.frames import keep_rows
from custseg._core.notebook import segment_bars, shown
from custseg._core.results import Result
from custseg._core.segments import NOT_ASSIGNED, NOT_ASSIGNED_WORDS, SEGMENT, read_segments
from custseg.exceptions import CustomersNotStoredError, InvalidParameterError
from custseg.segmentation._base.errors import labels_twice
from custseg.segmentation._base.given import (
    checked_columns,
    checked_names,
    described,
    labels_in,
    names_for,
    values_of,
)
from custseg.segmentation._base.segmenter import DEFAULT_ID, Segmenter

__all__ = ["MadeBy", "Segmentation"]

MadeBy = Literal["clusterer", "rules", "cut", "labels"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Segmentation(Result):
    """Customers in segments, as every later stage takes them.

    Profiles, personas, validation, value, prices and targeting need the customers in original units, their segments,
    and what these were made of; nothing else of the way that led there. :meth:`of` makes one of any table and labels,
    :meth:`by` of a fitted segmenter; a fitted study has one as ``segmentation_``.

    Attributes
    ----------
    customers : DataFrame, path, or array-like of shape (n_customers, n_characteristics)
        One row per customer, in original units, as they were passed.
    customer_table : CustomerTable
        The same, as every stage reads them: typed columns, and the ids.
    labels : ndarray of shape (n_customers,)
        The segment of each customer, 0 to ``n_segments - 1``; -1 for a customer in none.
    n_segments : int
        The number of segments. Those of rules and of names may be empty.
    names : tuple of str or None
        The names of the segments; position = label. None where they have none yet.
    made_by : {"clusterer", "rules", "cut", "labels"}
        What made the segments: a clusterer found them; rules define them; a *cut* goes through one continuum and is
        useful at best; or *labels* were passed, and nothing more is known.
    clustered_on : tuple of str
        The characteristics that formed the segments. All others are descriptors.
    clusterer : Segmenter or None
        What assigns new customers.
    value : ndarray of shape (n_customers,) or None
        What each customer is worth; NaN where it is not known, None where it is of nobody.
    characteristics : tuple of Characteristic
        What the columns are, as far as it is known: role, unit, label in words, criterion.

    Examples
    --------
    >>> import pandas as pd
    >>> from custseg.segmentation import Segmentation
    >>> customers = pd.DataFrame({"spend": [10.0, 30.0, 20.0]}, index=pd.Index([7, 8, 9], name="customer_id"))
    >>> labels = pd.Series({9: "web", 8: "shop", 7: "web"})
    >>> segmentation = Segmentation.of(customers, labels, value="spend")
    >>> segmentation.to_frame()
       segment  name  n_customers     share  value  value_share
    0        0  shop            1  0.333333   30.0          0.5
    1        1   web            2  0.666667   30.0          0.5
    """

    customers: Any
    customer_table: CustomerTable
    labels: Integers
    n_segments: int
    names: tuple[str, ...] | None = None
    made_by: MadeBy = "labels"
    clustered_on: tuple[str, ...]
    clusterer: Segmenter | None = None
    value: Floats | None = None
    characteristics: tuple[Characteristic, ...] = ()

    _handed_on: ClassVar[frozenset[str]] = frozenset({"customers", "customer_table"})

    @classmethod
    @asking("Segmentation")
    def of(
        cls,
        X: Any,
        labels: Any = None,
        *,
        segment: str = SEGMENT,
        names: Sequence[str] | None = None,
        clustered_on: Collection[str] | None = None,
        value: Any = None,
        characteristics: Any = None,
        customer_id: str | None = DEFAULT_ID,
    ) -> Self:
        """Put customers and their labels together.

        Parameters
        ----------
        X : DataFrame, path, or array-like of shape (n_customers, n_characteristics)
            One row per customer, in original units.
        labels : array-like or Series of shape (n_customers,), default=None
            The segment of each customer: whole numbers, text, bools or categories; -1, "not assigned" and missing
            values for a customer in none. None takes the column ``segment`` of ``X``. A pandas Series is aligned by
            the ids of the customers wherever both bear ids. The whole numbers 0..k-1 are segments by position; any
            other labels become names, in sorted order.
        segment : str, default="segment"
            The column of labels, where ``labels`` is None.
        names : sequence of str, default=None
            The names of the segments; position = label. Then a segment may be empty.
        clustered_on : collection of str, default=None
            The columns that formed the segments; None is the cautious reading: all of them.
        value : str, array-like or Series, default=None
            What each customer is worth: a column of ``X``, or figures, aligned as the labels are.
        characteristics : DataFrame, default=None
            What the columns are, as ``describe()`` of the estimator that made them says it.
        customer_id : str or None, default="customer_id"
            The column that identifies the customers, where it is not the index of a pandas DataFrame.

        Returns
        -------
        Segmentation
            Customers and labels, ``made_by`` "labels".

        Raises
        ------
        SegmentLabelError
            If there are no labels or two sets of them; if there are more or fewer labels than customers; if they are
            neither whole numbers nor text; if nobody is in a segment; if a label has no name.
        CustomerIdError
            If labels with an index of their own cannot be aligned: an id is missing or there twice.
        ColumnNotFoundError
            If there is no column ``segment``, or none of the name in ``value`` or ``clustered_on``.
        InvalidTableError
            If the table cannot be used.
        """
        table = read_input(X, customer_id=customer_id)
        return cls._of_table(
            table,
            X,
            labels,
            segment=segment,
            names=names,
            clustered_on=clustered_on,
            value=value,
            characteristics=characteristics,
            customer_id=customer_id,
        )

    @classmethod
    def _of_table(
        cls,
        table: CustomerTable,
        X: Any,
        labels: Any,
        *,
        segment: str = SEGMENT,
        names: Sequence[str] | None = None,
        clustered_on: Collection[str] | None = None,
        value: Any = None,
        characteristics: Any = None,
        customer_id: str | None = DEFAULT_ID,
    ) -> Self:
        """Do what :meth:`of` does for a stage that has read the customers: ``table`` is what was read of ``X``."""
        if labels is None:
            labels, table = labels_in(table, segment)
        elif table.named and segment in table.names:
            raise labels_twice(segment)
        given = checked_names(names)
        found = read_segments(labels, table, X=X, customer_id=customer_id, names=given)
        return cls(
            customers=X,
            customer_table=table,
            labels=found.codes,
            n_segments=found.n_segments,
            names=found.names,
            clustered_on=checked_columns(clustered_on, table.names),
            value=values_of(value, table, X, customer_id),
            characteristics=described(characteristics),
        )

    @classmethod
    @asking("Segmentation")
    def by(
        cls,
        segmenter: Segmenter,
        X: Any,
        labels: Integers | None = None,
        *,
        made_by: MadeBy | None = None,
        value: Any = None,
        characteristics: Any = None,
    ) -> Self:
        """Put customers into the segments of a fitted segmenter.

        Parameters
        ----------
        segmenter : Segmenter
            Fitted.
        X : DataFrame, path, or array-like of shape (n_customers, n_characteristics)
            One row per customer, with the characteristics of ``fit``.
        labels : ndarray of shape (n_customers,), default=None
            Their segments, where they are known; None asks the segmenter.
        made_by : {"clusterer", "rules", "cut"}, default=None
            None is "rules" for segments that rules define, else "clusterer".
        value : str, array-like or Series, default=None
            What each customer is worth: a column of ``X``, or figures, aligned by customer id.
        characteristics : DataFrame, default=None
            What the columns are, as ``describe()`` of the estimator that made them says it.

        Returns
        -------
        Segmentation
            The customers, and the segmenter as ``clusterer``.

        Raises
        ------
        NotFittedError
            If the segmenter is not fitted.
        ColumnChangeError, InvalidTableError
            As the segmenter's ``predict``.
        """
        check_is_fitted(segmenter)
        by_rules = segmenter.defined_by_rules
        customer_id = segmenter.customer_id
        table = segmenter._read_customers(X)  # noqa: SLF001 - as its own fit does
        return cls(
            customers=X,
            customer_table=table,
            labels=segmenter.predict(X) if labels is None else labels,
            n_segments=segmenter.n_segments_,
            names=tuple(segmenter.segment_names_) if by_rules else None,
            made_by=made_by or ("rules" if by_rules else "clusterer"),
            clustered_on=tuple(table.names if segmenter.clustered_on_ is None else segmenter.clustered_on_),
            clusterer=segmenter,
            value=values_of(value, table, X, customer_id),
            characteristics=described(characteristics),
        )

    @property
    def segment_names(self) -> tuple[str, ...]:
        """The names of the segments; position = label. "Segment 0" and so on where they have none."""
        return self.names or tuple(f"Segment {label}" for label in range(self.n_segments))

    @property
    def sizes(self) -> Integers:
        """The number of customers in each segment."""
        return np.bincount(self.labels[self.labels >= 0], minlength=self.n_segments)

    @property
    def n_customers(self) -> int:
        """The number of customers, in a segment or not."""
        return len(self.labels)

    @property
    def n_not_assigned(self) -> int:
        """The number of customers in no segment."""
        return int(np.count_nonzero(self.labels == NOT_ASSIGNED))

    @property
    def labels_by_customer(self) -> pd.Series[int]:
        """The segment of each customer by id; by the number of the row where customers have no ids."""
        index = pd.Index(self._ids, name=None if self.clusterer is None else self.clusterer.customer_id)
        return pd.Series(self.labels, index=index, name=SEGMENT, dtype="int64")

    @property
    def _ids(self) -> Any:
        return np.arange(self.n_customers) if self.customer_table.ids is None else self.customer_table.ids

    def to_frame(self) -> pd.DataFrame:
        """Return one row per segment.

        Returns
        -------
        pandas.DataFrame
            Columns ``segment, name, n_customers, share, value, value_share``. Shares are of the customers in a
            segment, and of their value; NaN where no value is known, or it does not add up to more than 0.
        """
        inside, n_segments = self.labels >= 0, self.n_segments
        value = np.full(n_segments, np.nan)
        if self.value is not None:
            value = np.bincount(self.labels[inside], np.nan_to_num(self.value[inside]), n_segments)
        total = value.sum()
        return pd.DataFrame(
            {
                "segment": np.arange(n_segments),
                "name": list(self.segment_names),
                "n_customers": self.sizes,
                "share": self.sizes / max(1, self.sizes.sum()),
                "value": value,
                "value_share": value / total if total > 0 else np.full(n_segments, np.nan),
            }
        )

    def _repr_html_(self) -> str:
        return shown(element("p", self), segment_bars(self.to_frame()))

    @asking("Segmentation")
    def customers_of(self, segment: int | str) -> Any:
        """Return the customers of a segment, by its label or its name.

        Parameters
        ----------
        segment : int or str
            The label or the name; -1 for customers in no segment.

        Returns
        -------
        DataFrame or ndarray
            Its customers, in the kind of ``customers`` (pandas for a path).

        Raises
        ------
        InvalidParameterError
            If there is no such segment.
        """
        if isinstance(segment, str):
            if segment not in self.segment_names:
                raise InvalidParameterError.unknown_name("segment", segment, self.segment_names)
            segment = self.segment_names.index(segment)
        elif not NOT_ASSIGNED <= segment < self.n_segments:
            raise InvalidParameterError.not_allowed("segment", f"-1 to {self.n_segments - 1}", segment)
        return keep_rows(self.customers, self.labels == segment)

    def compare(self, against: Segmentation) -> pd.DataFrame:
        """Count the customers that two segmentations share, segment by segment.

        Parameters
        ----------
        against : Segmentation
            Of the same customers or of some of them, known by their ids.

        Returns
        -------
        pandas.DataFrame
            Rows are the segments of this one, columns those of the other, by name; "not assigned" where someone is in
            none. Customers of one alone are in neither.
        """
        own = pd.Series(self._names_by_customer, name=SEGMENT)
        others = pd.Series(against._names_by_customer, name="other segment")
        return pd.crosstab(own, others.reindex(own.index), dropna=True)

    @property
    def _names_by_customer(self) -> pd.Series[str]:
        names = np.array([*self.segment_names, NOT_ASSIGNED_WORDS], dtype=object)
        return pd.Series(names[self.labels], index=pd.Index(self._ids))

    @asking("Segmentation")
    def predict(self, X: Any) -> Integers:
        """Assign new customers to the segments.

        Parameters
        ----------
        X : DataFrame, path, or array-like of shape (n_customers, n_characteristics)
            The characteristics of these customers.

        Returns
        -------
        ndarray of shape (n_customers,)
            The segment of each customer, as the clusterer's ``predict`` says.

        Raises
        ------
        InvalidParameterError
            If labels were passed and no clusterer is known.
        """
        if self.clusterer is None:
            words = "made by a segmenter to assign new customers; fit one, or write rules"
            raise InvalidParameterError.not_allowed("clusterer", words, None)
        return self.clusterer.predict(X)

    @asking("Segmentation")
    def named(self, names: Sequence[str]) -> Self:
        """Return the same segments with these names; position = label.

        Parameters
        ----------
        names : sequence of str
            One name for each segment, no two alike.

        Returns
        -------
        Segmentation
            With ``names``.

        Raises
        ------
        InvalidParameterError
            If there are more or fewer names than segments, or two alike.
        """
        return self._bearing(names_for(names, self.n_segments))

    def _bearing(self, names: tuple[str, ...]) -> Self:
        return replace(self, names=names)

    def _without_customers(self, n_customers: int) -> Segmentation:
        kept = {name: value for name, value in vars(self).items() if name not in RowlessSegmentation.left_out}
        kept["clusterer"] = None if self.clusterer is None else without_customers(self.clusterer, n_customers)
        return RowlessSegmentation.made(kept | {"_frame": self.to_frame(), "_n_not_assigned": self.n_not_assigned})

    def __str__(self) -> str:
        left = f"; {self.n_not_assigned:,} are in none" if self.n_not_assigned else ""
        return f"{self.n_customers:,} customers in {self.n_segments} segment(s) {_MADE[self.made_by]}{left}."


_MADE = {
    "clusterer": "found by a clusterer",
    "rules": "defined by rules",
    "cut": "cut out of one continuum",
    "labels": "given by labels",
}


def _left_out(name: str) -> Any:
    def refuse(_: Segmentation) -> Any:
        raise CustomersNotStoredError.of("Segmentation", name)

    return property(refuse, doc="Was not stored.")


class RowlessSegmentation(Segmentation):
    """What is known of segments without their customers; asking for these is an error that says why."""

    _frame: pd.DataFrame
    _n_not_assigned: int

    customers = _left_out("customers")
    customer_table = _left_out("customer_table")
    labels = _left_out("labels")
    value = _left_out("value")
    left_out: ClassVar[frozenset[str]] = frozenset({"customers", "customer_table", "labels", "value"})

    @classmethod
    def made(cls, attributes: Mapping[str, Any]) -> Self:
        """Make one of its attributes; its own ``__init__`` would ask for the customers."""
        made = object.__new__(cls)
        vars(made).update(attributes)
        return made

    @property
    def sizes(self) -> Integers:
        """The number of customers in each segment."""
        return np.asarray(self._frame["n_customers"].to_numpy())

    @property
    def n_customers(self) -> int:
        """The number of customers, in a segment or not."""
        return int(self.sizes.sum()) + self._n_not_assigned

    @property
    def n_not_assigned(self) -> int:
        """The number of customers in no segment."""
        return self._n_not_assigned

    def to_frame(self) -> pd.DataFrame:
        """Return one row per segment, as with the customers."""
        return self._frame.assign(name=list(self.segment_names))

    def _bearing(self, names: tuple[str, ...]) -> Self:
        return self.made(vars(self) | {"names": names})

    def _parts(self) -> list[tuple[str, Any]]:
        return [(name, value) for name, value in vars(self).items() if not name.startswith("_")]

    def _without_customers(self, n_customers: int) -> Segmentation:
        return self

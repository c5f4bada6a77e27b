"""The base of estimators over a table with one row per customer: a profile, an address list, a survey."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import narwhals.stable.v2 as nw
import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import TransformerMixin
from sklearn.utils.validation import check_is_fitted

from custseg._core.asking import asked
from custseg._core.base import Estimator, OutputKind, TableOutputMixin
from custseg._core.characteristic import Characteristic
from custseg._core.customer_frames import write_customers
from custseg._core.customers import Column
from custseg._core.described import DescribedMixin, measured
from custseg._core.frames import collect, open_rows, open_table
from custseg._core.ids import DEFAULT_ID
from custseg._core.warning import warn
from custseg.characteristics._profiles.encoding import frame_categories, plain_categories
from custseg.characteristics._row_report import LEFT_OUT, RowPolicy, RowReport, hidden_policies
from custseg.exceptions import ColumnChangeError, CustomerIdError, InvalidTableError


@dataclass(frozen=True)
class Profile:
    """A table with one row per customer, read.

    Attributes
    ----------
    rows : narwhals DataFrame
        The rows that have an id, sorted by it: the id first, then the columns read. On polars where
        it is installed, else on pandas; categories are text.
    kind : {"pandas", "polars", "pyarrow"}
        The kind of frame that goes out again.
    customer_id : str
        The name of the ids.
    n_no_id : int
        Rows without an id, left out.
    categories : mapping of str to list or None
        The columns that came as categories: their order, None where they have none.
    by_row : bool
        Whether each row is a customer; the ids are then the places of the rows, from 0.
    index : pandas Index or None
        What such rows are called where the table was one of pandas.
    """

    rows: nw.DataFrame[Any]
    kind: OutputKind
    customer_id: str
    n_no_id: int
    categories: Mapping[str, list[Any] | None]
    by_row: bool = False
    index: pd.Index[Any] | None = None

    @property
    def names(self) -> list[str]:
        """The columns read, without the id."""
        return [name for name in self.rows.columns if name != self.customer_id]

    @property
    def ids(self) -> nw.Series[Any]:
        """The customer ids, sorted."""
        return self.rows[self.customer_id]


def read_profile(X: Any, *, customer_id: str | None, columns: Sequence[str] | None) -> Profile:
    """Read a table with one row per customer, and refuse repeated ids.

    Parameters
    ----------
    X : dataframe or path
        The table.
    customer_id : str or None
        The column of ids; None where each row is a customer.
    columns : sequence of str or None
        The columns to read besides; None reads all of them.

    Returns
    -------
    profile : Profile
        The rows that have an id.
    """
    if customer_id is None:
        return _read_rows(X, columns)
    wanted = None if columns is None else [customer_id, *columns]
    plain, categories = plain_categories(X, customer_id)
    table = open_table(plain, columns=wanted, customer_id=customer_id, or_rows=True)
    # rows that belong to nobody are counted where they are
    has_id = ~nw.col(customer_id).is_null()
    known = collect(table.frame.filter(has_id)).sort(customer_id)
    n_rows = collect(table.frame.select(nw.len().alias("rows")))["rows"].item()
    ids = known[customer_id]
    n_repeated = len(ids) - ids.n_unique() if len(ids) else 0
    if n_repeated:
        example = ids.filter(ids.is_duplicated()).to_list()[0]
        raise CustomerIdError.repeated(customer_id, n_repeated, example)
    declared = {**categories, **frame_categories(known)}
    return Profile(known, table.kind, customer_id, int(n_rows or 0) - len(known), declared)


def _read_rows(X: Any, columns: Sequence[str] | None) -> Profile:
    """Read a table whose rows are customers, in its order."""
    plain, categories = plain_categories(X, None)
    rows, kind, index = open_rows(plain, columns=columns)
    declared = {**categories, **frame_categories(rows)}
    return Profile(rows, kind, DEFAULT_ID, 0, declared, by_row=True, index=index)


@dataclass(frozen=True)
class Encoded:
    """What an encoder makes of a profile.

    Attributes
    ----------
    columns : tuple of Column
        The characteristics, in the order of the customers.
    policies : tuple of RowPolicy
        What became of values that could not be used as they are; counted in ``row_report_``.
    remarks : tuple of str
        What ``transform`` warns of, such as levels that ``fit`` did not see.
    """

    columns: tuple[Column, ...]
    policies: tuple[RowPolicy, ...] = ()
    remarks: tuple[str, ...] = ()


class ProfileEncoder(DescribedMixin, TableOutputMixin, TransformerMixin, Estimator, auto_wrap_output_keys=None):
    """Reads a table with one row per customer.

    A subclass names the columns it reads, learns from them, and encodes them; everything else is the
    same for all of them.
    """

    criterion: ClassVar[str] = "demographic"

    customer_id: str | None
    row_report_: RowReport
    units_: dict[str, str]

    @abstractmethod
    def _wanted(self) -> Sequence[str] | None:
        """Return the columns to read besides the id; None for all."""

    @abstractmethod
    def _learn(self, profile: Profile) -> None:
        """Learn from the rows of ``fit`` what ``_encode`` needs; warn of what deserves it."""

    @abstractmethod
    def _encode(self, profile: Profile) -> Encoded:
        """Make the characteristics; the estimator does not change."""

    @abstractmethod
    def _characteristics(self) -> Sequence[Characteristic]:
        """Say what the columns are, in their order, once they are learned."""

    def _check(self) -> None:
        """Check the parameters; a subclass adds what one parameter alone cannot tell."""
        self._check_parameters()

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn from the customers of a table.

        Parameters
        ----------
        X : dataframe or path
            One row per customer: a frame of pandas, polars (eager or lazy), pyarrow, duckdb, ibis, dask
            or Spark, or the path of a Parquet or CSV file.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        self._fit(X)
        return self

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        """Learn from the customers of a table and return their characteristics.

        Parameters
        ----------
        X : dataframe or path
            One row per customer: a frame of pandas, polars (eager or lazy), pyarrow, duckdb, ibis, dask
            or Spark, or the path of a Parquet or CSV file.
        y : None
            Ignored.

        Returns
        -------
        characteristics : dataframe
            As :meth:`transform` returns them. What was left out or set to missing is in
            ``row_report_``.
        """
        profile, encoded = self._fit(X)
        return self._hand_out(profile, encoded)

    def transform(self, X: Any) -> Any:
        """Return the characteristics of the customers of a table, sorted by id (by row with ``customer_id=None``).

        Parameters
        ----------
        X : dataframe or path
            One row per customer, with the columns of ``fit`` in any order. A table without rows
            gives one without rows.

        Returns
        -------
        characteristics : dataframe
            One row per customer, of the kind that came in. pandas output is indexed by customer id,
            other kinds carry it as their first column. With ``customer_id=None`` the rows keep their order
            and a pandas table its index; in any other table they are numbered from 0.

        Warns
        -----
        DataQualityWarning
            If rows were left out or values were new, with their number and the remedy.
        """
        check_is_fitted(self)
        profile = self._read(X)
        if set(profile.names) != set(self.feature_names_in_):
            raise ColumnChangeError.between(self.feature_names_in_, profile.names)
        encoded = self._encode(profile)
        remarks = list(encoded.remarks)
        if profile.n_no_id:
            remarks.insert(0, f"{profile.n_no_id:,} row(s) have no customer id; they were left out.")
        for remark in remarks:
            warn(remark)
        return self._hand_out(profile, encoded)

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[Any]:
        """Return the names of the characteristics, without the customer id.

        Parameters
        ----------
        input_features : None
            Ignored.

        Returns
        -------
        names : ndarray of str
            The names, in the order of the columns.
        """
        check_is_fitted(self)
        return np.array(list(self.units_), dtype=object)

    def _read(self, X: Any) -> Profile:
        return read_profile(X, customer_id=self.customer_id, columns=self._wanted())

    def _fit(self, X: Any) -> tuple[Profile, Encoded]:
        self._check()
        profile = self._read(X)
        if len(profile.rows) == 0:
            if profile.n_no_id:
                remedy = f"Check column {self.customer_id!r}, or pass the column of ids as customer_id='...'."
                raise InvalidTableError.nothing_left(f"{profile.n_no_id:,} row(s) without a customer id", remedy)
            raise InvalidTableError.empty()
        if not profile.names:
            raise InvalidTableError(f"{asked()} got a table with no column besides the ids. Pass at least one more.")
        self._learn(profile)
        told = self._told(self._characteristics(), is_all=True)
        encoded = self._encode(profile)
        remedy = "Fill in the ids: a row without one belongs to nobody."
        no_id = RowPolicy("customer id is missing", LEFT_OUT, profile.n_no_id, remedy)
        policies = (no_id, *encoded.policies, *hidden_policies(X))
        self.row_report_ = RowReport(n_rows=len(profile.rows) + profile.n_no_id, policies=policies)
        self._described = measured(told, encoded.columns)
        self.units_ = {each.column: each.unit for each in self._described}
        self.feature_names_in_ = np.array(profile.names, dtype=object)
        self.n_features_in_ = len(profile.names)
        return profile, encoded

    def _hand_out(self, profile: Profile, encoded: Encoded) -> Any:
        kind = self._output_kind(profile.kind)
        name = None if profile.by_row else profile.customer_id
        return write_customers(profile.ids, encoded.columns, kind=kind, customer_id=name, index=profile.index)

    @property
    def _id_name(self) -> str:
        """What the ids are called in the output."""
        return DEFAULT_ID if self.customer_id is None else self.customer_id

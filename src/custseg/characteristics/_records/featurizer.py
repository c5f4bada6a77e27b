"""The base of estimators that describe customers by what they did: a table in time in, one row per customer out."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Self, TypeVar

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from sklearn.base import TransformerMixin
from sklearn.utils.validation import check_is_fitted

from custseg._core.asking import asked, asking
from custseg._core.base import Estimator, TableOutputMixin
from custseg._core.characteristic import Characteristic
from custseg._core.customer_frames import write_customers
from custseg._core.customers import Column
from custseg._core.described import DescribedMixin, measured
from custseg._core.params import NONE, check
from custseg._core.times import TIME
from custseg._core.warning import warn
from custseg.characteristics._records.fields import Field
from custseg.characteristics._records.records import Records, read_records
from custseg.characteristics._records.repeated import count_repeated
from custseg.characteristics._row_report import RowPolicy, RowReport
from custseg.characteristics._times.timestamps import AsOf
from custseg.exceptions import InvalidParameterError, InvalidTableError

Work = TypeVar("Work")
Learned = TypeVar("Learned")


AS_OF = (NONE, TIME)


@dataclass(frozen=True)
class Description:
    """What a featurizer found out about the customers of a table.

    Attributes
    ----------
    ids : narwhals Series
        The customers, sorted.
    columns : tuple of Column
        Their characteristics.
    policies : tuple of RowPolicy
        What became of rows that only the computation could judge.
    remarks : tuple of str
        What ``transform`` warns of besides rows left out, such as levels that ``fit`` did not see.
    n_repeated : int or None
        Rows that repeat another one, where the computation has counted them.
    """

    ids: nw.Series[Any]
    columns: tuple[Column, ...]
    policies: tuple[RowPolicy, ...] = ()
    remarks: tuple[str, ...] = ()
    n_repeated: int | None = None


class RecordFeaturizer(
    DescribedMixin, TableOutputMixin, TransformerMixin, Estimator, Generic[Work, Learned], auto_wrap_output_keys=None
):
    """Reads a table with one row per purchase line, event or contact, under counted row policies.

    A subclass names its fields, brings the rows into the form in which it works with them (``Work``),
    may learn from them (``Learned``, such as a vocabulary), says what its columns are, and describes the
    customers; everything else is the same for all of them.
    """

    reads_customers: ClassVar[bool] = False

    criterion: ClassVar[str] = "behavioural"

    customer_id: str
    timestamp: str
    as_of: Any
    as_of_: pd.Timestamp
    row_report_: RowReport
    units_: dict[str, str]
    _learned: Learned
    # the latest time of the table of fit, later than as_of_ where that was given
    _last_seen: pd.Timestamp

    # what read_records is asked for besides the fields
    _wall: ClassVar[bool] = False
    # what a row is, in words
    _row: ClassVar[str] = "line"

    @abstractmethod
    def _fields(self) -> Sequence[Field]:
        """Return the columns that are read besides id and time."""

    @abstractmethod
    def _prepare(self, records: Records) -> Work:
        """Bring the rows into the form that learning and describing share."""

    @abstractmethod
    def _learn(self, work: Work) -> Learned:
        """Learn from rows what ``_describe`` needs of those of ``fit``; the estimator does not change."""

    @abstractmethod
    def _characteristics(self, learned: Learned | None) -> Sequence[Characteristic]:
        """Say what the columns are, in their order: all of them, or those known before anything is learned."""

    @abstractmethod
    def _describe(self, work: Work, learned: Learned, *, is_own: bool) -> Description:
        """Compute the characteristics; in rows that it was learned from (``is_own``) no level is new."""

    def _publish(self, learned: Learned) -> None:
        """Set the fitted attributes that show what was learned."""

    def _check(self) -> None:
        """Check the parameters; a subclass adds what one parameter alone cannot tell."""
        self._check_parameters()

    def _expected(self) -> Sequence[Characteristic]:
        return self._characteristics(None)

    def _period(self) -> str:
        return "D"

    def _returns(self) -> str | None:
        return None

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn the reference time and count the rows.

        Parameters
        ----------
        X : dataframe or path
            One row per purchase line, event or contact: a frame of pandas, polars (eager or lazy),
            pyarrow, duckdb, ibis, dask or Spark, or the path of a Parquet or CSV file.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        InvalidParameterError
            If a parameter is out of its range.
        InvalidTableError
            If a column is missing or of the wrong kind, the table is empty, or no row is usable.

        Warns
        -----
        DataQualityWarning
            If times cannot be read, or stand alone far beyond all others, with their number and the remedy.
        """
        self._fit(X)
        return self

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        """Fit and describe the customers of the same table in one pass.

        Parameters
        ----------
        X : dataframe or path
            One row per purchase line, event or contact: a frame of pandas, polars (eager or lazy),
            pyarrow, duckdb, ibis, dask or Spark, or the path of a Parquet or CSV file.
        y : None
            Ignored.

        Returns
        -------
        customers : dataframe
            As from ``transform``. Rows that were left out are in ``row_report_``.

        Warns
        -----
        DataQualityWarning
            As ``fit``.
        """
        records, found = self._fit(X)
        return self._hand_out(records, found)

    def transform(self, X: Any, as_of: Any = None) -> Any:
        """Describe the customers of a table.

        Parameters
        ----------
        X : dataframe or path
            One row per purchase line, event or contact; columns besides those named are ignored.
        as_of : date, timestamp, ISO 8601 text or None, default=None
            The reference time; None takes ``as_of_``.

        Returns
        -------
        customers : dataframe of shape (n_customers, n_features)
            One row per customer, sorted by customer id, of the kind that came in (a polars LazyFrame
            comes out eager, duckdb as pyarrow; dask, Spark, ibis and a path as pandas). pandas output
            is indexed by customer id, other kinds carry it as their first column. A table of no rows
            gives no rows.

        Raises
        ------
        InvalidTableError
            If a column is missing or of the wrong kind, or no row is usable.

        Warns
        -----
        DataQualityWarning
            If rows were left out or values were new, with their number and the remedy.
        """
        check_is_fitted(self)
        records = self._read(X, self.as_of_ if as_of is None else as_of)
        found = self._describe(self._prepare(records), self._learned, is_own=False)
        report = RowReport(n_rows=records.n_rows, policies=(*records.policies(), *found.policies))
        if records.n_rows and report.n_left_out:
            self._refuse_if_nothing_left(report)
        with asking(f"{asked()}.transform"):
            if records.n_rows and report.n_left_out:
                warn(str(report))
            # those of the rows themselves stand in the report
            others = [str(odd) for odd in records.unreadable if odd.column != self.timestamp]
            for remark in (*found.remarks, *others):
                warn(remark)
        return self._hand_out(records, found)

    def check_rows(self, X: Any, as_of: Any = None) -> RowReport:
        """Count the rows that each policy would touch in ``fit`` on this table, and change nothing.

        Parameters
        ----------
        X : dataframe or path
            One row per purchase line, event or contact.
        as_of : date, timestamp, ISO 8601 text or None, default=None
            The reference time; None takes ``as_of_`` of a fitted estimator, else the parameter.

        Returns
        -------
        report : RowReport
            The counts.
        """
        self._check()
        fallback = getattr(self, "as_of_", self.as_of)
        records = self._read(X, fallback if as_of is None else as_of)
        work = self._prepare(records)
        return self._report(records, self._describe(work, self._learn(work), is_own=True))

    def scoring_time(self, X: Any) -> pd.Timestamp | None:
        """Say as of when to describe customers of a later table, where nobody says it.

        Parameters
        ----------
        X : dataframe or path
            One row per purchase line, event or contact.

        Returns
        -------
        time : pandas.Timestamp or None
            The latest time of the table, where it goes on after ``as_of_`` and after the table of ``fit``; else None:
            ``as_of_`` serves the same customers, and some of them, as it did in ``fit``.
        """
        check_is_fitted(self)
        latest = self._latest_time(X)
        known = (self.as_of_, self._last_seen)
        if latest is None or any(AsOf.read(time, latest.time.tzinfo).reaches(latest) for time in known):
            return None
        return latest.time

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray[Any, np.dtype[np.object_]]:
        """Return the names of the characteristics, without the customer id.

        Parameters
        ----------
        input_features : None
            Ignored: the names do not depend on the columns that come in.

        Returns
        -------
        names : ndarray of str
            The names, in the order of the columns.
        """
        check_is_fitted(self)
        return np.array(list(self.units_), dtype=object)

    def _read(self, X: Any, as_of: Any) -> Records:
        check({"as_of": AS_OF}, {"as_of": as_of})
        return read_records(
            X,
            customer_id=self.customer_id,
            timestamp=self.timestamp,
            fields=self._fields(),
            period=self._period(),
            as_of=as_of,
            returns=self._returns(),
            wall=self._wall,
        )

    def _latest_time(self, X: Any) -> AsOf | None:
        """Return the latest time of a table."""
        return read_records(X, customer_id=self.customer_id, timestamp=self.timestamp).latest

    def _fit(self, X: Any) -> tuple[Records, Description]:
        self._check()
        records = self._read(X, self.as_of)
        if records.n_rows == 0:
            raise InvalidTableError.empty()
        if records.as_of is None:
            self._refuse_if_nothing_left(RowReport(n_rows=records.n_rows, policies=tuple(records.policies())))
        work = self._prepare(records)
        learned = self._learn(work)
        told = self._told(self._characteristics(learned), is_all=True)
        self._refuse_id_among([each.column for each in told])
        found = self._describe(work, learned, is_own=True)
        report = self._report(records, found)
        self._refuse_if_nothing_left(report)
        for odd in (*records.unreadable, *records.lone):
            warn(str(odd))
        assert records.as_of is not None  # a usable row has a timestamp
        self.as_of_ = records.as_of.time
        self._last_seen = (records.latest or records.as_of).time
        self.row_report_ = report
        self._learned = learned
        self._publish(learned)
        self._described = measured(told, found.columns)
        self.units_ = {each.column: each.unit for each in self._described}
        self.feature_names_in_ = np.array(records.columns, dtype=object)
        self.n_features_in_ = len(records.columns)
        return records, found

    def _report(self, records: Records, found: Description) -> RowReport:
        what = f"repeats another {self._row} in the columns read"
        n_repeated = count_repeated(records) if found.n_repeated is None else found.n_repeated
        repeated = RowPolicy(what, "kept", n_repeated, "Drop them first if they are errors.")
        return RowReport(
            n_rows=records.n_rows, policies=(*records.policies(), *found.policies, repeated, *records.hidden)
        )

    def _refuse_id_among(self, names: Collection[str]) -> None:
        if self.customer_id in names:
            words = "a column that is not named like a feature"
            raise InvalidParameterError.not_allowed("customer_id", words, self.customer_id)

    def _refuse_if_nothing_left(self, report: RowReport) -> None:
        if not report.n_used:
            raise InvalidTableError.nothing_left(report.summary)

    def _hand_out(self, records: Records, found: Description) -> Any:
        return write_customers(
            found.ids, found.columns, kind=self._output_kind(records.kind), customer_id=self.customer_id
        )

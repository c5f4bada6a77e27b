"""Recency, frequency, monetary value and tenure of each customer, from purchase lines."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, ClassVar, Self

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from sklearn.base import TransformerMixin
from sklearn.utils.validation import check_is_fitted

from custseg._core.base import Estimator, TableOutputMixin
from custseg._core.frames import to_kind
from custseg._core.params import COLUMN, NONE, OneOf, ParameterTable, Where, check
from custseg.characteristics._purchases import Floats, Ints, Purchases, purchases_by_customer
from custseg.characteristics._timestamps import PERIODS, UNIT_HOURS, period_start
from custseg.characteristics._transactions import (
    LATE,
    LEFT_OUT,
    NO_AMOUNT,
    NO_ID,
    NO_ORDER,
    NO_TIME,
    RETURN,
    Lines,
    Roles,
    RowPolicy,
    RowReport,
    count_repeated,
    read_lines,
)
from custseg.exceptions import DataQualityWarning, InvalidParameterError, InvalidTableError

FEATURES = ("recency", "frequency", "monetary", "tenure")


def _is_time(value: Any) -> bool:
    if isinstance(value, (bool, int, float, np.number)):
        return False
    try:
        return not pd.isna(pd.Timestamp(value))
    except (TypeError, ValueError):
        return False


class RFMFeaturizer(TableOutputMixin, TransformerMixin, Estimator, auto_wrap_output_keys=None):  # type: ignore[call-arg]
    """Recency, frequency, monetary value and tenure of each customer.

    Purchase lines go in, one row per customer comes out, sorted by customer id. A *purchase* is all
    that a customer bought in one period (a day unless ``period`` says otherwise), or one order where
    ``order_id`` is given.

    - ``recency``: time from the last purchase to ``as_of``;
    - ``frequency``: number of purchases, the first included;
    - ``monetary``: net spend, as ``monetary`` says;
    - ``tenure``: time from the first purchase to ``as_of``.

    Both durations run from the start of one period to the start of another, in units of
    ``time_unit``: with ``period="D"`` and ``time_unit="D"`` they are whole days.

    Parameters
    ----------
    customer_id : str, default="customer_id"
        Column of customer ids: whole numbers or text.
    timestamp : str, default="timestamp"
        Column of purchase times: timestamps, dates, or ISO 8601 text
        (``YYYY-MM-DD[ T]HH:MM[:SS[.f]][Z|+hh:mm]``, the time being optional). Times that bear a
        time zone keep the calendar day of that zone.
    amount : str, default="amount"
        Column of amounts in the currency of the table. Negative amounts are returns, zero is a
        purchase.
    order_id : str or None, default=None
        Column of order ids. Where given, ``frequency`` counts distinct orders instead of periods.
    features : sequence of {"recency", "frequency", "monetary", "tenure"}
        The columns to compute, in this order; the first three by default.
    period : {"D", "h", "W", "M"}, default="D"
        Purchases within one calendar day, hour of the clock, week (from Monday) or calendar month
        are one; all by the clock of the timestamps' zone.
    time_unit : {"D", "h", "W", "M", "Y"}, default="D"
        Unit of ``recency`` and ``tenure``. A month is 365.2425 / 12 days, a year 365.2425 days (the
        Gregorian means).
    as_of : date, timestamp, text or None, default=None
        The reference time; None takes the latest readable timestamp that is seen in ``fit``, in
        whatever row. A date, or a time at midnight, stands for that whole day. Without a time zone
        it is read in the zone of the timestamps. Later lines are left out.
    monetary : {"mean", "total", "mean_repeat"}, default="mean"
        Net spend per purchase; in total; or per purchase with the first purchase period left out,
        which is NaN for a customer who has bought in one period only.
    returns : {"net", "drop", "raise"}, default="net"
        What to do with negative amounts. ``"net"`` adds them to the spend: a period or order that
        holds only returns is no purchase, and the total is net over all lines. ``"drop"`` leaves
        them out. ``"raise"`` refuses the table.

    Attributes
    ----------
    as_of_ : pandas.Timestamp
        The reference time.
    row_report_ : RowReport
        How many rows of the table seen in ``fit`` each policy touched. ``fit`` warns of nothing that
        stands here.
    feature_names_in_ : ndarray of str
        The columns of the table seen in ``fit``.
    n_features_in_ : int
        Their number.

    Notes
    -----
    Rows are left out, and counted, where the customer id is missing, the timestamp is missing or
    unreadable, the order id is missing, the amount is missing, or the line is later than ``as_of``;
    each row counts under the first of these. Customers without any purchase (only returns) are left
    out too. Exact duplicates are kept, since two identical lines of one purchase are genuine, and
    counted. Infinite amounts are an error.

    Sums of amounts are exact up to the rounding of the result, so they do not depend on the order of
    the rows, the kind of frame or the number of threads.

    The definitions of ``frequency`` (first purchase included) and ``recency`` (silence until
    ``as_of``) are the marketer's [1]_. Models of repeat purchases [2]_ speak of (x, t_x, T), which
    are (frequency - 1, tenure - recency, tenure).

    References
    ----------
    .. [1] Hughes, A. M. (1994). *Strategic Database Marketing*. Probus.
    .. [2] Fader, P. S., Hardie, B. G. S. & Lee, K. L. (2005). "Counting your customers" the easy
       way. *Marketing Science* 24(2), 275-284.

    Examples
    --------
    >>> import pandas as pd
    >>> from custseg.characteristics import RFMFeaturizer
    >>> lines = pd.DataFrame(
    ...     {
    ...         "customer_id": [1, 1, 1, 2],
    ...         "timestamp": ["2024-01-01 09:00", "2024-01-01 18:00", "2024-01-08", "2024-01-05"],
    ...         "amount": [10.0, 5.0, 30.0, 8.0],
    ...     }
    ... )
    >>> RFMFeaturizer(as_of="2024-01-10").fit_transform(lines)
                 recency  frequency  monetary
    customer_id
    1                2.0          2      22.5
    2                5.0          1       8.0
    """

    _parameters: ClassVar[ParameterTable] = {
        "customer_id": (COLUMN,),
        "timestamp": (COLUMN,),
        "amount": (COLUMN,),
        "order_id": (NONE, COLUMN),
        "features": (
            Where(
                lambda names: isinstance(names, (list, tuple)) and 0 < len(names) == len(set(map(str, names))),
                f"a list or tuple of some of {FEATURES}, each at most once",
            ),
        ),
        "period": tuple(OneOf(period) for period in PERIODS),
        "time_unit": tuple(OneOf(unit) for unit in UNIT_HOURS),
        "as_of": (NONE, Where(_is_time, "a date, a timestamp or text that pandas.Timestamp can read")),
        "monetary": (OneOf("mean", "total", "mean_repeat"),),
        "returns": (OneOf("net", "drop", "raise"),),
    }

    as_of_: pd.Timestamp
    row_report_: RowReport

    def __init__(
        self,
        *,
        customer_id: str = "customer_id",
        timestamp: str = "timestamp",
        amount: str = "amount",
        order_id: str | None = None,
        features: Sequence[str] = ("recency", "frequency", "monetary"),
        period: str = "D",
        time_unit: str = "D",
        as_of: Any = None,
        monetary: str = "mean",
        returns: str = "net",
    ) -> None:
        self.customer_id = customer_id
        self.timestamp = timestamp
        self.amount = amount
        self.order_id = order_id
        self.features = features
        self.period = period
        self.time_unit = time_unit
        self.as_of = as_of
        self.monetary = monetary
        self.returns = returns

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn the reference time and count the rows.

        Parameters
        ----------
        X : dataframe
            Purchase lines: pandas or polars, eager or lazy.
        y : None
            Ignored.

        Returns
        -------
        self : RFMFeaturizer
            The fitted estimator.

        Raises
        ------
        InvalidParameterError
            If a parameter is out of its range.
        InvalidTableError
            If a column is missing or of the wrong kind, the table is empty, or no row is usable.
        """
        self._fit(X)
        return self

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        """Fit and compute the characteristics of the same table in one pass.

        Parameters
        ----------
        X : dataframe
            Purchase lines.
        y : None
            Ignored.

        Returns
        -------
        customers : dataframe
            As from ``transform``. Rows that were left out are in ``row_report_``; nothing warns.
        """
        lines, purchases = self._fit(X)
        return self._hand_out(lines, purchases)

    def transform(self, X: Any, as_of: Any = None) -> Any:
        """Compute the characteristics of the customers of a table.

        Parameters
        ----------
        X : dataframe
            Purchase lines; columns besides those named are ignored.
        as_of : date, timestamp, text or None, default=None
            The reference time; None takes ``as_of_``.

        Returns
        -------
        customers : dataframe of shape (n_customers, n_features)
            One row per customer that has bought, sorted by customer id, of the kind that came in
            (a polars LazyFrame comes out eager). pandas output is indexed by customer id, other
            kinds carry it as their first column. ``frequency`` is int64, the others are float64.
            A table of no rows gives no rows.

        Raises
        ------
        InvalidTableError
            If a column is missing or of the wrong kind, or no row is usable.

        Warns
        -----
        DataQualityWarning
            If rows were left out, with their number and the remedy.
        """
        check_is_fitted(self)
        lines = self._read(X, self.as_of_ if as_of is None else as_of)
        purchases = self._purchases(lines)
        report = self._report(lines, purchases, n_repeated=0)
        if lines.n_rows and report.n_left_out:
            self._refuse_if_nothing_left(report)
            warnings.warn(f"{type(self).__name__}.transform: {report}.", DataQualityWarning, stacklevel=2)
        return self._hand_out(lines, purchases)

    def row_report(self, X: Any, as_of: Any = None) -> RowReport:
        """Count the rows that each policy would touch, and change nothing.

        Parameters
        ----------
        X : dataframe
            Purchase lines.
        as_of : date, timestamp, text or None, default=None
            The reference time; None takes ``as_of_`` of a fitted estimator, else the parameter.

        Returns
        -------
        report : RowReport
            The counts.
        """
        self._check()
        fallback = getattr(self, "as_of_", self.as_of)
        lines = self._read(X, fallback if as_of is None else as_of)
        return self._report(lines, self._purchases(lines), count_repeated(lines))

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray[Any, np.dtype[np.object_]]:
        """Return the names of the characteristics, without the customer id.

        Parameters
        ----------
        input_features : None
            Ignored: the names do not depend on the columns that come in.

        Returns
        -------
        names : ndarray of str
            The names, in the order of ``features``.
        """
        check_is_fitted(self)
        return np.array(list(self.features), dtype=object)

    def _check(self) -> None:
        self._check_parameters()
        who = type(self).__name__
        for name in self.features:
            if name not in FEATURES:
                raise InvalidParameterError.unknown_name(who, "feature", name, FEATURES)
        if self.customer_id in self.features:
            raise InvalidParameterError.not_allowed(
                who, "customer_id", "a column that is not named like a feature", self.customer_id
            )

    def _read(self, X: Any, as_of: Any) -> Lines:
        check(type(self).__name__, {"as_of": self._parameters["as_of"]}, {"as_of": as_of})
        roles = Roles(self.customer_id, self.timestamp, self.amount, self.order_id)
        who = type(self).__name__
        return read_lines(X, roles=roles, period=self.period, as_of=as_of, returns=self.returns, who=who)

    def _fit(self, X: Any) -> tuple[Lines, Purchases]:
        self._check()
        lines = self._read(X, self.as_of)
        if lines.n_rows == 0:
            raise InvalidTableError.empty(type(self).__name__)
        purchases = self._purchases(lines)
        report = self._report(lines, purchases, count_repeated(lines))
        self._refuse_if_nothing_left(report)
        assert lines.as_of is not None  # a usable row has a timestamp
        self.as_of_ = lines.as_of.time
        self.row_report_ = report
        self.feature_names_in_ = np.array(lines.columns, dtype=object)
        self.n_features_in_ = len(lines.columns)
        return lines, purchases

    def _refuse_if_nothing_left(self, report: RowReport) -> None:
        if not report.n_used:
            raise InvalidTableError.nothing_left(type(self).__name__, str(report))

    def _report(self, lines: Lines, purchases: Purchases, n_repeated: int) -> RowReport:
        counts, time = lines.counts, lines.as_of and lines.as_of.time
        n_returns = counts[RETURN] - (purchases.n_idle_rows if self.returns == "net" else 0)
        added, dropped = "kept: added to the spend", f"{LEFT_OUT} (returns='drop')"
        policies = [
            RowPolicy(f"no customer id in {self.customer_id!r}", LEFT_OUT, counts[NO_ID], "Fill the ids in."),
            RowPolicy(
                f"no readable timestamp in {self.timestamp!r}",
                LEFT_OUT,
                counts[NO_TIME],
                "Fill it in, or convert the column with pandas.to_datetime(column, format=...).",
            ),
            RowPolicy(f"no order id in {self.order_id!r}", LEFT_OUT, counts[NO_ORDER], "Fill in, or order_id=None."),
            RowPolicy(f"no amount in {self.amount!r}", LEFT_OUT, counts[NO_AMOUNT], "Fill it in."),
            RowPolicy(
                f"later than as_of={time}", LEFT_OUT, counts[LATE], "Pass a later time: transform(X, as_of=...)."
            ),
            RowPolicy(
                "customer without a purchase, only returns",
                f"{LEFT_OUT}, {purchases.n_idle_customers} customer(s)",
                purchases.n_idle_rows,
                "Add the lines of the purchases.",
            ),
            RowPolicy(
                f"return: negative amount in {self.amount!r}",
                dropped if self.returns == "drop" else added,
                n_returns,
                "See the parameter `returns`.",
            ),
            RowPolicy(
                "repeats another line in the columns read",
                "kept",
                n_repeated,
                "Drop them first if they are errors.",
            ),
        ]
        if self.order_id is None:
            del policies[2]
        return RowReport(lines.n_rows, tuple(policies))

    def _purchases(self, lines: Lines) -> Purchases:
        spend = "monetary" in self.features
        return purchases_by_customer(
            lines,
            by_order=self.order_id is not None,
            returns=self.returns,
            spend=spend,
            later=spend and self.monetary == "mean_repeat",
        )

    def _hand_out(self, lines: Lines, purchases: Purchases) -> Any:
        ids = purchases.customers
        columns = {
            name: nw.new_series(name, getattr(self, f"_{name}")(lines, purchases), backend=ids.implementation)
            for name in self.features
        }
        frame = nw.from_dict({self.customer_id: ids, **columns}, backend=ids.implementation)
        return to_kind(frame, self._output_kind(lines.kind), self.customer_id)

    def _recency(self, lines: Lines, purchases: Purchases) -> Floats:
        return self._since(lines, purchases.last)

    def _tenure(self, lines: Lines, purchases: Purchases) -> Floats:
        return self._since(lines, purchases.first)

    def _since(self, lines: Lines, periods: Ints) -> Floats:
        assert lines.as_of is not None  # given, or taken from a usable row
        hours = lines.as_of.start(self.period) - period_start(periods, self.period)
        return hours / UNIT_HOURS[self.time_unit]

    def _frequency(self, lines: Lines, purchases: Purchases) -> Ints:
        return purchases.frequency

    def _monetary(self, lines: Lines, purchases: Purchases) -> Floats:
        if self.monetary == "total":
            return purchases.spend
        if self.monetary == "mean":
            return purchases.spend / purchases.frequency
        bought = purchases.later_frequency > 0
        return np.where(bought, purchases.later_spend / np.maximum(purchases.later_frequency, 1), np.nan)

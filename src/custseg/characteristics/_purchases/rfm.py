"""Recency, frequency, monetary value and tenure of each customer, from purchase lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from custseg._core.arrays import Floats, Integers
from custseg._core.characteristic import Characteristic, number
from custseg._core.customers import Column
from custseg._core.described import OVERRIDES, ByColumn
from custseg._core.ids import ID_IN_TIME
from custseg._core.params import COLUMN, NONE, OneOf, ParameterTable, Where
from custseg.characteristics._purchases.purchases import Purchases, purchases_by_customer
from custseg.characteristics._records.featurizer import AS_OF, Description, RecordFeaturizer
from custseg.characteristics._records.fields import Field
from custseg.characteristics._records.records import Records
from custseg.characteristics._row_report import LEFT_OUT, RowPolicy
from custseg.characteristics._times.timestamps import PERIODS, UNIT_HOURS, UNIT_WORDS, period_start
from custseg.exceptions import InvalidParameterError

FEATURES = ("recency", "frequency", "monetary", "tenure")


class RFMFeaturizer(RecordFeaturizer[Records, None]):
    """Recency, frequency, monetary value and tenure of each customer.

    Purchase lines go in, one row per customer comes out, sorted by customer id. A *purchase* is all
    that a customer bought in one period (a day unless ``period`` says otherwise), or one order where
    ``order_id`` is given.

    - ``recency``: time from the last purchase to ``as_of``;
    - ``frequency``: number of purchases, the first included;
    - ``monetary``: net spend, as ``monetary_as`` says;
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
        time zone keep the calendar day of that zone; those of duckdb and Spark, which keep none, that
        of the connection's setting ``TimeZone`` or of ``spark.sql.session.timeZone``; those of a
        Parquet file that of universal time.
    amount : str or None, default="amount"
        Column of amounts in the currency of the table. Negative amounts are returns, zero is a
        purchase. None where the table has none: every line is then a purchase, and ``features`` leaves out
        ``monetary``.
    order_id : str or None, default=None
        Column of order ids. Where given, ``frequency`` counts distinct orders instead of periods.
    features : sequence of {"recency", "frequency", "monetary", "tenure"}
        The columns to compute, in this order; the first three by default.
    monetary_as : {"mean", "total", "mean_repeat"}, default="mean"
        Net spend per purchase; in total; or per purchase with the first purchase period left out,
        which is NaN for a customer who has bought in one period only.
    period : {"D", "h", "W", "M"}, default="D"
        Purchases within one calendar day, hour of the clock, week (from Monday) or calendar month
        are one; all by the clock of the timestamps' zone.
    time_unit : {"D", "h", "W", "M", "Y"}, default="D"
        Unit of ``recency`` and ``tenure``. A month is 365.2425 / 12 days, a year 365.2425 days (the
        Gregorian means).
    labels : mapping of str to str or None, default=None
        What columns are called in words, in place of what :meth:`describe` calls them.
    units : mapping of str to str or None, default=None
        The units of columns, in place of those of :meth:`describe`.
    roles : mapping of str to str or None, default=None
        The roles of columns, in place of those of :meth:`describe`.
    as_of : date, timestamp, ISO 8601 text or None, default=None
        The reference time; None takes the latest readable timestamp that is seen in ``fit``, in
        whatever row. A date, or a time at midnight, stands for that whole day. Without a time zone
        it is read in the zone of the timestamps. Later lines are left out.
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
    units_ : dict of str to str
        The unit of each characteristic.
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
        "customer_id": ID_IN_TIME,
        "timestamp": (COLUMN,),
        "amount": (NONE, COLUMN),
        "order_id": (NONE, COLUMN),
        "features": (
            Where(
                lambda names: isinstance(names, (list, tuple)) and 0 < len(names) == len(set(map(str, names))),
                f"a list or tuple of some of {FEATURES}, each at most once",
            ),
        ),
        "period": tuple(OneOf(period) for period in PERIODS),
        "time_unit": tuple(OneOf(unit) for unit in UNIT_HOURS),
        "as_of": AS_OF,
        "monetary_as": (OneOf("mean", "total", "mean_repeat"),),
        "returns": (OneOf("net", "drop", "raise"),),
        **OVERRIDES,
    }

    def __init__(
        self,
        *,
        customer_id: str = "customer_id",
        timestamp: str = "timestamp",
        amount: str | None = "amount",
        order_id: str | None = None,
        features: Sequence[str] = ("recency", "frequency", "monetary"),
        monetary_as: str = "mean",
        period: str = "D",
        time_unit: str = "D",
        labels: ByColumn = None,
        units: ByColumn = None,
        roles: ByColumn = None,
        as_of: Any = None,
        returns: str = "net",
    ) -> None:
        self.customer_id = customer_id
        self.timestamp = timestamp
        self.amount = amount
        self.order_id = order_id
        self.features = features
        self.monetary_as = monetary_as
        self.period = period
        self.time_unit = time_unit
        self.labels = labels
        self.units = units
        self.roles = roles
        self.as_of = as_of
        self.returns = returns

    def _check(self) -> None:
        self._check_parameters()
        for name in self.features:
            if name not in FEATURES:
                raise InvalidParameterError.unknown_name("feature", name, FEATURES)
        self._refuse_id_among(self.features)
        if self.amount is None and "monetary" in self.features:
            words = "a column name (text), or None with features that leave out 'monetary'"
            raise InvalidParameterError.not_allowed("amount", words, None)

    def _fields(self) -> Sequence[Field]:
        fields = []
        if self.order_id is not None:
            remedy = "Fill it in, or order_id=None."
            fields.append(Field("order_id", self.order_id, "key", required=True, remedy=remedy))
        if self.amount is not None:
            fields.append(Field("amount", self.amount, "number", required=True))
        return tuple(fields)

    def _period(self) -> str:
        return self.period

    def _returns(self) -> str | None:
        return None if self.amount is None else self.returns

    def _characteristics(self, learned: None) -> Sequence[Characteristic]:
        time, purchase = UNIT_WORDS[self.time_unit], "purchase" if self.order_id is None else "order"
        spend = {
            "mean": (f"spend per {purchase}", f"currency per {purchase}"),
            "total": ("spend", "currency"),
            "mean_repeat": (f"spend per repeat {purchase}", f"currency per {purchase}"),
        }
        said = {
            "recency": (f"{time} since the last {purchase}", time),
            "frequency": (f"{purchase}s", f"{purchase}s"),
            "monetary": spend[self.monetary_as],
            "tenure": (f"{time} since the first {purchase}", time),
        }
        return [number(name, *said[name], role=name) for name in self.features]

    def _prepare(self, records: Records) -> Records:
        return records

    def _learn(self, work: Records) -> None:
        return None

    def _describe(self, work: Records, learned: None, *, is_own: bool) -> Description:
        records, purchases = work, self._purchases(work, count=is_own)
        columns = tuple(
            Column(name, "numeric", getattr(self, f"_{name}")(records, purchases), is_integer=name == "frequency")
            for name in self.features
        )
        policies = self._judged(records, purchases)
        return Description(purchases.customers, columns, policies, n_repeated=purchases.n_repeated)

    def _judged(self, records: Records, purchases: Purchases) -> tuple[RowPolicy, ...]:
        if self.amount is None:
            return ()
        n_returns = records.n_returns - (purchases.n_idle_rows if self.returns == "net" else 0)
        added, dropped = "kept: added to the spend", f"{LEFT_OUT} (returns='drop')"
        return (
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
        )

    def _purchases(self, records: Records, *, count: bool) -> Purchases:
        spend = "monetary" in self.features
        return purchases_by_customer(
            records,
            by_order=self.order_id is not None,
            returns=self._returns(),
            spend=spend,
            later=spend and self.monetary_as == "mean_repeat",
            count=count,
        )

    def _recency(self, records: Records, purchases: Purchases) -> Floats:
        return self._since(records, purchases.last)

    def _tenure(self, records: Records, purchases: Purchases) -> Floats:
        return self._since(records, purchases.first)

    def _since(self, records: Records, periods: Integers) -> Floats:
        assert records.as_of is not None  # given, or taken from a usable row
        hours = records.as_of.start(self.period) - period_start(periods, self.period)
        return hours / UNIT_HOURS[self.time_unit]

    def _frequency(self, records: Records, purchases: Purchases) -> Integers:
        return purchases.frequency

    def _monetary(self, records: Records, purchases: Purchases) -> Floats:
        assert purchases.spent is not None  # asked for
        return purchases.spent.total if self.monetary_as == "total" else purchases.spent.mean

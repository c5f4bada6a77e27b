"""How each customer buys: baskets, rhythm, trend, times, discounts, categories and channels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from custseg._core.asking import asked
from custseg._core.characteristic import Characteristic
from custseg._core.customers import Column
from custseg._core.described import OVERRIDES, ByColumn
from custseg._core.ids import ID_IN_TIME
from custseg._core.params import COLUMN, NONE, Integer, OneOf, ParameterTable, Where
from custseg.characteristics._purchases.buying import (
    COURSE,
    DAYPART_SHARES,
    FEATURES,
    LEVELED,
    TIMES,
    Buying,
    columns_of,
)
from custseg.characteristics._purchases.visits import Asked, Bought, LevelColumn, Visits
from custseg.characteristics._purchases.visits_in_engine import visits_in_engine
from custseg.characteristics._purchases.visits_in_memory import visits_in_memory
from custseg.characteristics._records.featurizer import AS_OF, Description, RecordFeaturizer
from custseg.characteristics._records.fields import Field
from custseg.characteristics._records.records import Records
from custseg.characteristics._records.vocabulary import Vocabulary
from custseg.characteristics._row_report import LEFT_OUT, RowPolicy
from custseg.characteristics._times.timestamps import PERIODS, UNIT_HOURS
from custseg.exceptions import ColumnTypeError, InvalidParameterError


@dataclass(frozen=True)
class _Lines:
    """The rows used, and those of them that are purchases."""

    records: Records
    bought: Bought


@dataclass(frozen=True)
class _Learned:
    """The characteristics that the table can tell, and the leading levels by role."""

    chosen: tuple[str, ...]
    vocabularies: dict[str, Vocabulary]


class PurchaseBehaviorFeaturizer(RecordFeaturizer[_Lines, _Learned]):
    """How each customer buys: baskets, rhythm, trend, times, discounts, categories and channels.

    Purchase lines go in, one row per customer comes out, sorted by customer id. A *purchase* is all
    that a customer bought in one period (a day unless ``period`` says otherwise), or one order where
    ``order_id`` is given. *Spend* is the sum of the amounts of the lines bought; returns, which have
    negative amounts, are set off where the text says net.

    ``orders``
        Number of purchases, the first included.
    ``lines``
        Number of lines bought.
    ``basket_spend``, ``basket_lines``
        Net spend, and lines, per purchase.
    ``gap_mean``, ``gap_spread``
        Mean and standard deviation of the times between a purchase period and the next, in units
        of ``time_unit``: (last - first) / (periods - 1), and the root of the squared deviations from
        it over (gaps - 1).
    ``spend_trend``
        The time from the customer's first purchase period to ``as_of`` is cut in the middle:
        (spend in the recent half - spend in the earlier half) / spend, from -1 (all of it long ago)
        over 0 (steady) to 1. A period exactly in the middle belongs to neither half.
    ``return_rate``
        Value returned / spend. It exceeds 1 where goods come back that were bought before the table
        begins.
    ``discount_share``
        Discount / (amount + discount), both added up over the lines bought whose discount is known:
        the part of the list price that was taken off.
    ``weekend_share``
        Share of the visits on Saturday or Sunday, a visit being all that was bought in one period
        (within one order).
    ``morning_share``, ``afternoon_share``, ``evening_share``, ``night_share``
        Shares of the visits from 6 to 12, 12 to 18, 18 to 24 and 0 to 6 o'clock, at the time of the
        earliest line of the visit. A time at exactly midnight is read as a date without a time of day
        and belongs to none of them.
    ``categories``, ``channels``
        Number of distinct categories, and channels, bought.
    ``category_concentration``, ``channel_concentration``
        Share of the spend that went to the customer's own largest category, or channel.
    ``share_category``, ``share_channel``
        One column for each leading level, such as ``share_category_tea``: its share of the spend. All
        other levels share ``share_category_other``, which is there if ``fit`` saw such levels.

    Parameters
    ----------
    customer_id : str, default="customer_id"
        Column of customer ids: whole numbers or text.
    timestamp : str, default="timestamp"
        Column of purchase times: timestamps, dates, or ISO 8601 text. Days, hours and weekends are
        those of the timestamps' own time zone.
    amount : str, default="amount"
        Column of amounts paid, in the currency of the table. Negative amounts are returns, zero is a
        purchase.
    order_id : str or None, default=None
        Column of order ids. Where given, a purchase is an order instead of a period.
    category, channel : str or None, default=None
        Columns of what was bought and where it was bought. Text, or anything that is a name when
        written as text.
    discount : str or None, default=None
        Column of what was taken off the list price of the line, as a number of at least 0 in the
        currency of the table. Numbers that are all between 0 and 1, beside larger amounts, are taken
        for rates and refused in ``fit``.
    features : sequence of str or None, default=None
        The characteristics to compute, in this order, by the names above. None takes all for which
        the table has what they need: columns that were named, a return among the rows of ``fit``
        (``return_rate``), times of day (shares of the parts of the day).
    n_leading : int, default=5
        How many categories, and how many channels, have a column of their own: those with the most
        lines in ``fit``, of equals the first by text. A level called ``"other"`` is never among them.
    period : {"D", "h", "W", "M"}, default="D"
        Purchases within one calendar day, hour of the clock, week (from Monday) or calendar month
        are one. With weeks or months and without ``order_id``, weekends and parts of the day cannot be
        computed.
    time_unit : {"D", "h", "W", "M", "Y"}, default="D"
        Unit of the gaps. A month is 365.2425 / 12 days, a year 365.2425 days (the Gregorian means).
    labels : mapping of str to str or None, default=None
        What columns are called in words, in place of what :meth:`describe` calls them.
    units : mapping of str to str or None, default=None
        The units of columns, in place of those of :meth:`describe`.
    roles : mapping of str to str or None, default=None
        The roles of columns, in place of those of :meth:`describe`.
    as_of : date, timestamp, ISO 8601 text or None, default=None
        The reference time; None takes the latest readable timestamp that is seen in ``fit``, in
        whatever row. A date, or a time at midnight, stands for that whole day. Later lines are left
        out.
    returns : {"net", "drop", "raise"}, default="net"
        What to do with negative amounts: ``"net"`` sets them off against the spend per purchase and
        counts them in ``return_rate`` (a period or order that holds only returns is no purchase),
        ``"drop"`` leaves them out, ``"raise"`` refuses the table.

    Attributes
    ----------
    as_of_ : pandas.Timestamp
        The reference time.
    levels_ : dict of str to tuple of str
        The leading levels of ``"category"`` and ``"channel"``, where given, the most frequent first;
        ``"other"`` comes last where ``fit`` saw further levels.
    row_report_ : RowReport
        How many rows of the table seen in ``fit`` each policy touched. ``fit`` warns of nothing that
        stands here.
    units_ : dict of str to str
        The unit of each characteristic.
    feature_names_in_ : ndarray of str
        The columns of the table seen in ``fit``.
    n_features_in_ : int
        Their number.

    See Also
    --------
    RFMFeaturizer : Recency, frequency and monetary value; ``orders`` is its frequency, ``basket_spend``
        its monetary value.

    Notes
    -----
    What is undefined is NaN, never 0: the mean gap of a customer with one purchase period, the spread
    of fewer than two gaps, the trend of one period or of no spend, any share of nothing, a discount
    that is known of no line, categories that are known of no line. Lines of unknown category, channel
    or discount are kept, take part in everything else, and are counted in ``row_report_``.

    Rows are left out, and counted, where the customer id is missing, the timestamp is missing or
    unreadable, the order id is missing, the amount is missing, or the line is later than ``as_of``;
    each row counts under the first of these. Customers without any purchase (only returns) are left
    out too. Infinite amounts and negative discounts are errors.

    A level that ``fit`` did not see counts among the others at ``transform``, with a warning that says
    how many rows hold one; this cannot be told where ``fit`` saw more than 500 levels.

    The tenure begins with a purchase, so the trend of a customer who buys steadily lies a little below
    0, the more so the fewer purchases there are.

    Sums of amounts are exact, so nothing depends on the order of the rows, the kind of frame or the
    number of threads. On dask, ``gap_spread`` takes a join of the purchase periods of each customer with
    themselves, which is slow for customers with thousands of them; the other engines use a window.

    Examples
    --------
    >>> import pandas as pd
    >>> from custseg.characteristics import PurchaseBehaviorFeaturizer
    >>> lines = pd.DataFrame(
    ...     {
    ...         "customer_id": [1, 1, 1, 1, 2],
    ...         "timestamp": ["2024-01-01", "2024-01-01", "2024-01-05", "2024-01-11", "2024-01-06"],
    ...         "amount": [10.0, 5.0, 30.0, 15.0, 8.0],
    ...         "shelf": ["tea", "jam", "tea", "tea", "jam"],
    ...     }
    ... )
    >>> featurizer = PurchaseBehaviorFeaturizer(category="shelf", features=["orders", "gap_mean", "share_category"])
    >>> featurizer.fit_transform(lines)
                 orders  gap_mean  share_category_tea  share_category_jam
    customer_id
    1                 3       5.0            0.916667            0.083333
    2                 1       NaN            0.000000            1.000000
    """

    _parameters: ClassVar[ParameterTable] = {
        "customer_id": ID_IN_TIME,
        "timestamp": (COLUMN,),
        "amount": (COLUMN,),
        "order_id": (NONE, COLUMN),
        "category": (NONE, COLUMN),
        "channel": (NONE, COLUMN),
        "discount": (NONE, COLUMN),
        "features": (
            NONE,
            Where(
                lambda names: isinstance(names, (list, tuple)) and 0 < len(names) == len(set(map(str, names))),
                f"a list or tuple of some of {FEATURES}, each at most once",
            ),
        ),
        "n_leading": (Integer(low=1),),
        "period": tuple(OneOf(period) for period in PERIODS),
        "time_unit": tuple(OneOf(unit) for unit in UNIT_HOURS),
        "as_of": AS_OF,
        "returns": (OneOf("net", "drop", "raise"),),
        **OVERRIDES,
    }
    _wall = True

    levels_: dict[str, tuple[str, ...]]

    def __init__(
        self,
        *,
        customer_id: str = "customer_id",
        timestamp: str = "timestamp",
        amount: str = "amount",
        order_id: str | None = None,
        category: str | None = None,
        channel: str | None = None,
        discount: str | None = None,
        features: Sequence[str] | None = None,
        n_leading: int = 5,
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
        self.category = category
        self.channel = channel
        self.discount = discount
        self.features = features
        self.n_leading = n_leading
        self.period = period
        self.time_unit = time_unit
        self.labels = labels
        self.units = units
        self.roles = roles
        self.as_of = as_of
        self.returns = returns

    def _check(self) -> None:
        self._check_parameters()
        for name in self.features or ():
            if name not in FEATURES:
                raise InvalidParameterError.unknown_name("feature", name, FEATURES)
            lacking = self._lacking(name)
            if lacking:
                raise InvalidParameterError(f"{asked()}: feature {name!r} needs {lacking}. Pass that, or leave it out.")

    def _lacking(self, feature: str) -> str:
        """Say what a characteristic needs and the parameters do not give; empty text where nothing is lacking."""
        column = LEVELED.get(feature, "discount" if feature == "discount_share" else None)
        if column is not None and getattr(self, column) is None:
            return f"the parameter {column!r}, the column to read"
        if feature in TIMES and self.period in ("W", "M") and self.order_id is None:
            return f"the parameter 'order_id', or a period of a day or an hour instead of {self.period!r}"
        if feature == "return_rate" and self.returns != "net":
            return f"returns='net' instead of {self.returns!r}"
        return ""

    def _fields(self) -> Sequence[Field]:
        amount = Field("amount", self.amount, "number", required=True)
        fields = [amount]
        if self.order_id is not None:
            order = Field("order_id", self.order_id, "key", required=True, remedy="Fill it in, or order_id=None.")
            fields = [order, amount]
        levels = {"category": self.category, "channel": self.channel}
        fields += [Field(role, column, "level") for role, column in levels.items() if column is not None]
        return [*fields, *([] if self.discount is None else [Field("discount", self.discount, "number")])]

    def _period(self) -> str:
        return self.period

    def _returns(self) -> str | None:
        return self.returns

    def _prepare(self, records: Records) -> _Lines:
        levels = [field.role for field in self._fields() if field.kind == "level"]
        returns = self.returns == "net" and records.n_returns > 0
        return _Lines(records, Bought.of(records, levels, returns=returns))

    def _learn(self, work: _Lines) -> _Learned:
        self._refuse_rates(work.records)
        chosen = self._choose(work)
        roles = dict.fromkeys(LEVELED[name] for name in chosen if name in LEVELED)
        vocabularies = {
            role: Vocabulary.learn(work.bought.lines, role, self.n_leading, column=str(getattr(self, role)))
            for role in roles
        }
        return _Learned(chosen, vocabularies)

    def _publish(self, learned: _Learned) -> None:
        self.levels_ = {role: vocabulary.names for role, vocabulary in learned.vocabularies.items()}

    def _choose(self, work: _Lines) -> tuple[str, ...]:
        """Return the characteristics to compute: those asked for, or all that the table can tell."""
        names = self._possible()
        if self.features is None and not work.records.n_returns:
            names = [name for name in names if name != "return_rate"]
        if self.features is None and work.bought.n_midnight == work.bought.n_lines:
            names = [name for name in names if name not in DAYPART_SHARES]
        return tuple(names)

    def _possible(self) -> list[str]:
        """Return the characteristics asked for, or all that the parameters allow."""
        return [name for name in FEATURES if not self._lacking(name)] if self.features is None else list(self.features)

    def _characteristics(self, learned: _Learned | None) -> Sequence[Characteristic]:
        if learned is not None:
            return self._columns_of(learned.chosen, learned.vocabularies)
        # whether these come out, the table will tell
        open_ = ("return_rate", *DAYPART_SHARES) if self.features is None else ()
        return self._columns_of([name for name in self._possible() if name not in open_], {})

    def _columns_of(self, chosen: Iterable[str], vocabularies: Mapping[str, Vocabulary]) -> list[Characteristic]:
        by_order = self.order_id is not None
        return [
            column
            for feature in chosen
            for column in columns_of(feature, time_unit=self.time_unit, by_order=by_order, vocabularies=vocabularies)
        ]

    def _describe(self, work: _Lines, learned: _Learned, *, is_own: bool) -> Description:
        records, bought, vocabularies = work.records, work.bought, learned.vocabularies
        self._refuse_negative_discounts(bought)
        unseen = {role: "" if is_own else found.unseen(bought.lines, role) for role, found in vocabularies.items()}
        leveled = [LevelColumn(role, found, closed=not unseen[role]) for role, found in vocabularies.items()]
        asked = self._asked(learned.chosen)
        add_up = visits_in_memory if records.in_memory and records.n_used and not asked.by_order else visits_in_engine
        visits = add_up(records, bought, asked, leveled)
        buying = Buying(visits, asked, self.time_unit, vocabularies)
        names = [column.column for column in self._columns_of(learned.chosen, vocabularies)]
        found = [values for feature in learned.chosen for values in buying.values(feature)]
        columns = [
            Column(name, "numeric", values, is_integer=values.dtype.kind == "i")
            for name, values in zip(names, found, strict=True)
        ]
        policies = (*self._judged(records, visits), *self._unknown(bought, asked, vocabularies))
        remarks = (*unseen.values(), self._no_times(bought, asked))
        return Description(visits.customers, tuple(columns), policies, tuple(filter(None, remarks)))

    def _asked(self, chosen: Sequence[str]) -> Asked:
        return Asked(
            by_order=self.order_id is not None,
            period=self.period,
            clock=any(name in DAYPART_SHARES for name in chosen),
            weekend="weekend_share" in chosen,
            gaps="gap_mean" in chosen,
            course=any(name in COURSE for name in chosen),
            discount="discount_share" in chosen,
        )

    def _refuse_rates(self, records: Records) -> None:
        """Refuse discounts from 0 to 1 beside larger amounts: 0.2 is a fifth off, hardly 20 cents on every line."""
        largest, highest = records.largest.get("discount", 0.0), records.largest["amount"]
        if 0.0 < largest <= 1.0 < highest:
            got = f"numbers from 0 to {largest:g} beside amounts of up to {highest:g}"
            remedy = (
                "Are they rates? Of a list price, the money is amount * rate / (1 - rate). If they are money indeed, "
                "give amounts and discounts in cents."
            )
            raise ColumnTypeError.expected(self.discount, "money (what was taken off), not a rate", got, remedy)

    def _refuse_negative_discounts(self, bought: Bought) -> None:
        if bought.n_negative_discounts:
            got = f"negative numbers in {bought.n_negative_discounts} row(s)"
            remedy = "Multiply it by -1 if the table writes discounts as negative; put NaN where it is not known."
            expected = "numbers of at least 0 (what was taken off)"
            raise ColumnTypeError.expected(self.discount, expected, got, remedy)

    def _judged(self, records: Records, visits: Visits) -> list[RowPolicy]:
        dropped = self.returns == "drop"
        action = f"{LEFT_OUT} (returns='drop')" if dropped else "kept: set off against the spend"
        return [
            RowPolicy(
                "customer without a purchase, only returns",
                f"{LEFT_OUT}, {visits.n_idle_customers} customer(s)",
                visits.n_idle_rows,
                "Add the lines of the purchases.",
            ),
            RowPolicy(
                f"return: negative amount in {self.amount!r}",
                action,
                records.n_returns - visits.n_idle_rows,
                "See the parameter `returns`.",
            ),
        ]

    def _unknown(self, bought: Bought, asked: Asked, vocabularies: Mapping[str, Vocabulary]) -> list[RowPolicy]:
        columns = {role: (vocabulary.column, f"in no {role}") for role, vocabulary in vocabularies.items()}
        if asked.discount:
            columns["discount"] = (str(self.discount), "not in discount_share")
        policies = [
            RowPolicy(f"no {role} in {column!r}", f"kept: {how}", bought.n_without[role], "Fill it in.")
            for role, (column, how) in columns.items()
        ]
        policy, remedy = f"no time of day in {self.timestamp!r} (exactly midnight)", "Pass times, not dates."
        midnight = RowPolicy(policy, "kept: in no part of the day", bought.n_midnight, remedy)
        return [*policies, midnight] if asked.clock or bought.n_midnight == bought.n_lines else policies

    def _no_times(self, bought: Bought, asked: Asked) -> str:
        """Warn where no time has a time of day; empty text otherwise."""
        if not asked.clock or not 0 < bought.n_lines == bought.n_midnight:
            return ""
        return (
            f"no time in column {self.timestamp!r} has a time of day (all are exactly midnight), so the shares of the "
            "parts of the day are missing."
        )

"""Purchase lines cut at a time: what was known then, and what happened after."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, ClassVar

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from custseg._core.asking import asked, asks
from custseg._core.customer_frames import write_customers
from custseg._core.customers import Column
from custseg._core.frames import collect, open_table
from custseg._core.ids import ID_IN_TIME
from custseg._core.native import from_native
from custseg._core.params import COLUMN, NONE, OneOf, check
from custseg._core.results import Result
from custseg._core.warning import warn
from custseg.characteristics._purchases.purchases import Purchases, purchases_by_customer
from custseg.characteristics._records.featurizer import AS_OF
from custseg.characteristics._records.fields import Field
from custseg.characteristics._records.records import read_records
from custseg.characteristics._row_report import LEFT_OUT, RowPolicy, RowReport
from custseg.characteristics._times.lone_times import LoneTimes, lone_times
from custseg.characteristics._times.timestamps import PERIODS, AsOf, read_clock
from custseg.exceptions import InvalidParameterError, InvalidTableError

_BEFORE, _AFTER, _LONE = 1, 2, 3
_UNCOUNTED = "kept in its part, counts for no customer"


@dataclass(frozen=True, kw_only=True, repr=False)
class TransactionSplit(Result):
    """Purchase lines up to a time, those after it, and what became of the customers.

    Attributes
    ----------
    calibration : dataframe
        The lines up to and including ``at``, all columns, of the kind that came in.
    holdout : dataframe
        The lines after it.
    at : pandas.Timestamp
        The time of the cut; midnight stands for its whole day.
    end : pandas.Timestamp
        The latest readable time of the table that does not stand alone far beyond all others.
    row_report : RowReport
        How many lines went where, and how many stand in neither part since their time cannot be read, or
        stands alone far beyond all others.
        Where there are any, also the lines that stand in their part and yet count for no customer:
        without an id, an order id or an amount, of customers who only return there, or returns where
        they are dropped.
    n_new_customers : int
        Customers who bought after the cut for the first time. They are not in ``customers``.
    customers : pandas.DataFrame
        What became of the customers of the calibration period, see :meth:`to_frame`.
    """

    calibration: Any
    holdout: Any
    at: pd.Timestamp
    end: pd.Timestamp
    row_report: RowReport
    n_new_customers: int
    customers: pd.DataFrame

    _handed_on: ClassVar[frozenset[str]] = frozenset({"calibration", "holdout"})

    def __str__(self) -> str:
        n_back = int((self.customers["holdout_frequency"] > 0).sum())
        return (
            f"Of {len(self.customers):,} customers up to {self.at}, {n_back:,} bought again by {self.end}; "
            f"{self.n_new_customers:,} new ones came."
        )

    def to_frame(self) -> pd.DataFrame:
        """Return what the customers of the calibration period bought before and after the cut.

        Returns
        -------
        frame : pandas.DataFrame
            Indexed by customer id. ``frequency`` and ``monetary`` of the calibration period, as
            ``RFMFeaturizer`` gives them, and ``holdout_frequency`` and ``holdout_monetary``, the same of the
            time after it: 0 and NaN for customers who did not come back.
        """
        return self.customers.copy()


_COLUMNS = {"customer_id": ID_IN_TIME, "timestamp": (COLUMN,), "amount": (COLUMN,), "order_id": (NONE, COLUMN)}


@asks
def split_transactions(
    table: Any,
    *,
    at: Any,
    customer_id: str = "customer_id",
    timestamp: str = "timestamp",
    amount: str = "amount",
    order_id: str | None = None,
    period: str = "D",
    returns: str = "net",
) -> TransactionSplit:
    """Cut purchase lines in two at a time, to learn from the past and check against what came after.

    Frequency and monetary value mean the same on both sides: distinct purchase periods (or orders), and net
    spend per purchase, under the same policy for returns.

    Parameters
    ----------
    table : dataframe or path
        One row per purchase line.
    at : date, timestamp or ISO 8601 text
        Lines up to and including this time belong to the calibration period. A date, or a time at
        midnight, stands for its whole day. Without a time zone it is read in that of the timestamps.
    customer_id, timestamp, amount : str
        The columns of customer ids, purchase times and amounts; by default of the same names.
    order_id : str or None, default=None
        Column of order ids. Where given, ``frequency`` counts distinct orders instead of periods.
    period : {"D", "h", "W", "M"}, default="D"
        Purchases within one such period are one. A period (or order) that the cut goes through counts on both
        sides.
    returns : {"net", "drop", "raise"}, default="net"
        What to do with negative amounts, as in ``RFMFeaturizer``: only in the frequencies and monetary
        values, the two tables keep every line.

    Returns
    -------
    split : TransactionSplit
        Both tables, lazy where ``table`` is, and the customers.

    Raises
    ------
    InvalidParameterError
        If a parameter is out of its range, or no line lies on one of the sides.
    InvalidTableError
        If a column is missing or of the wrong kind, or the table is empty.

    Warns
    -----
    DataQualityWarning
        If lines have no readable time, or one that stands alone far beyond all others: they stand in neither part.

    Examples
    --------
    >>> import pandas as pd
    >>> from custseg.characteristics import split_transactions
    >>> lines = pd.DataFrame(
    ...     {
    ...         "customer_id": [1, 1, 1, 2],
    ...         "timestamp": ["2024-01-01", "2024-03-31", "2024-04-01", "2024-02-01"],
    ...         "amount": [10.0, 20.0, 40.0, 5.0],
    ...     }
    ... )
    >>> split = split_transactions(lines, at="2024-03-31")
    >>> len(split.calibration), len(split.holdout)
    (3, 1)
    >>> split.to_frame()
                 frequency  monetary  holdout_frequency  holdout_monetary
    customer_id
    1                    2      15.0                  1              40.0
    2                    1       5.0                  0               NaN
    """
    given = {"customer_id": customer_id, "timestamp": timestamp, "amount": amount, "order_id": order_id}
    allowed = {
        **_COLUMNS,
        "at": AS_OF[1:],
        "period": tuple(map(OneOf, PERIODS)),
        "returns": (OneOf("net", "drop", "raise"),),
    }
    check(allowed, {**given, "at": at, "period": period, "returns": returns})
    cut = _Cut.through(table, timestamp, at)
    reading = _Reading(customer_id, timestamp, amount, order_id, period, returns)
    before, uncounted = reading.purchases(cut.calibration, cut.limit.time)
    after, uncounted_after = reading.purchases(cut.holdout, None)
    customers = _customers(before, customer_id).join(_customers(after, customer_id).add_prefix("holdout_"))
    customers["holdout_frequency"] = customers["holdout_frequency"].fillna(0).astype(np.int64)
    n_new = len(after.customers) - int((customers["holdout_frequency"] > 0).sum())
    report = cut.report(timestamp, uncounted + uncounted_after)
    if cut.n_rows["unreadable"] or cut.n_rows["lone"]:
        warn(str(report))
    return TransactionSplit(
        calibration=cut.calibration,
        holdout=cut.holdout,
        at=cut.limit.time,
        end=cut.end,
        row_report=report,
        n_new_customers=n_new,
        customers=customers,
    )


@dataclass(frozen=True)
class _Cut:
    """The two parts of a table, and how many lines went where."""

    calibration: Any
    holdout: Any
    limit: AsOf
    end: pd.Timestamp
    # before, after, unreadable and lone
    n_rows: dict[str, int]

    @classmethod
    def through(cls, table: Any, timestamp: str, at: Any) -> _Cut:
        in_memory = isinstance(from_native(table, pass_through=True), nw.DataFrame)
        opened = open_table(table, columns=[timestamp] if in_memory else None)
        schema = opened.frame.collect_schema()
        if timestamp not in schema:
            opened = open_table(table, columns=[timestamp])  # says which columns there are
        names = schema.names()
        clock = read_clock(opened.frame, timestamp)
        limit = AsOf.read(at, clock.zone, parameter="at")
        side = nw.when(limit.is_before(clock)).then(nw.lit(_AFTER)).otherwise(nw.lit(_BEFORE))
        side = nw.when(clock.readable).then(side).otherwise(nw.lit(0))
        marked = clock.frame.with_columns(side.cast(nw.Int64).alias("__side"), clock.moment.alias("__moment"))
        marked = marked.select(*names, "__side", "__moment")
        marked = marked.collect().lazy() if in_memory else marked
        counts = _counts(marked)
        lone = _lone(marked, counts, timestamp)
        if lone is not None:
            beyond = (nw.col("__side") == _AFTER) & (nw.col("__moment") > lone.after)
            marked = marked.with_columns(nw.when(beyond).then(nw.lit(_LONE)).otherwise("__side").alias("__side"))
            counts = _counts(marked)
        found = [name for name in ("first", "last") if name in counts]
        ends: dict[str, pd.Timestamp] = {name: AsOf.from_moment(counts[name], clock.zone).time for name in found}
        _refuse_one_sided(limit, counts, ends)
        parts = [_part(table, marked, names, which, in_memory) for which in (_BEFORE, _AFTER)]
        n_rows = {name: counts[name] for name in ("before", "after", "unreadable", "lone")}
        return cls(parts[0], parts[1], limit, ends["last"], n_rows)

    def report(self, timestamp: str, uncounted: Counter[tuple[str, str]]) -> RowReport:
        remedy = "Fill it in, or convert the column with pandas.to_datetime(column, format=...)."
        n_rows, see = self.n_rows, "See the parameter `at`."
        alone = RowPolicy(
            f"far beyond all other times, the last of them {self.end}", LEFT_OUT, n_rows["lone"], "Correct the time."
        )
        return RowReport(
            n_rows=sum(n_rows.values()),
            policies=(
                RowPolicy(f"no readable timestamp in {timestamp!r}", LEFT_OUT, n_rows["unreadable"], remedy),
                *([alone] if alone.n_rows else []),
                RowPolicy(f"up to {self.limit.time}", "kept: calibration", n_rows["before"], see),
                RowPolicy(f"after {self.limit.time}", "kept: holdout", n_rows["after"], see),
                *(RowPolicy(policy, _UNCOUNTED, n_rows, remedy) for (policy, remedy), n_rows in uncounted.items()),
            ),
        )


def _counts(marked: nw.LazyFrame[Any]) -> dict[str, int]:
    """Count the lines of each side, and find the first and the last readable moment."""
    side = nw.col("__side")
    readable = nw.when((side == _BEFORE) | (side == _AFTER)).then(nw.col("__moment"))
    found = collect(
        marked.select(
            nw.len().alias("rows"),
            *(
                (side == code).cast(nw.Int64).sum().alias(name)
                for name, code in {"unreadable": 0, "before": _BEFORE, "after": _AFTER, "lone": _LONE}.items()
            ),
            readable.min().alias("first"),
            readable.max().alias("last"),
        )
    )
    values = {name: found[name].item() for name in found.columns}
    return {name: int(value) for name, value in values.items() if not pd.isna(value)}


def _lone(marked: nw.LazyFrame[Any], counts: dict[str, int], timestamp: str) -> LoneTimes | None:
    """Find times far beyond all others, which nobody bought at."""
    if "last" not in counts:
        return None
    moments = marked.filter(nw.col("__side") > 0).select(nw.col("__moment").cast(nw.Int64).alias("moment"))
    return lone_times(moments, timestamp, counts["first"], counts["last"])


def _refuse_one_sided(limit: AsOf, counts: dict[str, int], ends: dict[str, pd.Timestamp]) -> None:
    if not counts["rows"]:
        raise InvalidTableError.empty()
    if not ends:
        raise InvalidTableError(
            f"{asked()}: no timestamp of the {counts['rows']} row(s) can be read. Convert the column with "
            "pandas.to_datetime(column, format=...)."
        )
    if not counts["before"] or not counts["after"]:
        words = f"a time with lines on both sides; those of the table run from {ends['first']} to {ends['last']}"
        raise InvalidParameterError.not_allowed("at", words, str(limit.time))


def _part(table: Any, marked: nw.LazyFrame[Any], names: list[str], side: int, in_memory: bool) -> Any:
    """Keep the lines of one side: rows of the very table where it is in memory, else a query."""
    if not in_memory:
        return marked.filter(nw.col("__side") == side).select(names).to_native()
    rows = collect(marked.select("__side"))["__side"].to_numpy() == side
    if isinstance(table, pd.DataFrame):
        return table[rows]
    return nw.from_native(table, eager_only=True).filter(rows.tolist()).to_native()


@dataclass(frozen=True)
class _Reading:
    """How to read the purchases of a part."""

    customer_id: str
    timestamp: str
    amount: str
    order_id: str | None
    period: str
    returns: str

    def purchases(self, part: Any, as_of: pd.Timestamp | None) -> tuple[Purchases, Counter[tuple[str, str]]]:
        """Add up the purchases of a part; beside them, what counts for no customer, and how many lines each."""
        amount = Field("amount", self.amount, "number", required=True)
        order = [] if self.order_id is None else [Field("order_id", self.order_id, "key", required=True)]
        records = read_records(
            part,
            customer_id=self.customer_id,
            timestamp=self.timestamp,
            fields=(*order, amount),
            period=self.period,
            as_of=as_of,
            returns=self.returns,
        )
        by_order = self.order_id is not None
        found = purchases_by_customer(records, by_order=by_order, returns=self.returns, spend=True, later=False)
        idle = found.n_idle_rows if self.returns == "net" else 0
        uncounted = {(policy.policy, policy.remedy): policy.n_rows for policy in records.policies()} | {
            ("customer without a purchase in the part, only returns", "Add the lines of the purchases."): idle,
            (f"return: negative amount in {self.amount!r}", "See the parameter `returns`."): (
                records.n_returns if self.returns == "drop" else 0
            ),
        }
        return found, +Counter(uncounted)


def _customers(purchases: Purchases, customer_id: str) -> pd.DataFrame:
    assert purchases.spent is not None  # asked for
    columns = (
        Column("frequency", "numeric", purchases.frequency, is_integer=True),
        Column("monetary", "numeric", purchases.spent.mean),
    )
    frame: pd.DataFrame = write_customers(purchases.customers, columns, kind="pandas", customer_id=customer_id)
    return frame

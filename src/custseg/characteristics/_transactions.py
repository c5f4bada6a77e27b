"""Purchase lines: read from any table, put under the row policies, counted.

Every row falls under the first policy that applies to it. What is left is the frame from which the
characteristics of purchase behaviour are computed.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import narwhals.stable.v2 as nw
import pandas as pd

from custseg._core.base import OutputKind
from custseg._core.frames import Table, open_table
from custseg.characteristics._timestamps import AsOf, Clock, period_index, read_clock
from custseg.exceptions import ColumnTypeError, InvalidParameterError, InvalidTableError

# what becomes of a row; the first that applies counts
PURCHASE, RETURN, NO_ID, NO_TIME, NO_ORDER, NO_AMOUNT, LATE = range(7)

LEFT_OUT = "left out"


@dataclass(frozen=True)
class RowPolicy:
    """What happened to the rows of one kind.

    Attributes
    ----------
    policy : str
        The kind of row.
    action : str
        What was done with them: "left out", or how they were kept.
    n_rows : int
        How many there are.
    remedy : str
        What to do if that is not what is wanted.
    """

    policy: str
    action: str
    n_rows: int
    remedy: str


@dataclass(frozen=True)
class RowReport:
    """How many rows of a table each row policy touched.

    Every row that was left out is counted under one policy, the first that applies to it.

    Attributes
    ----------
    n_rows : int
        Rows of the table.
    policies : tuple of RowPolicy
        The policies in their order of precedence, those that touched no row included.

    Examples
    --------
    >>> from custseg.characteristics._transactions import RowPolicy, RowReport
    >>> report = RowReport(10, (RowPolicy("amount is missing", "left out", 2, "Fill it."),))
    >>> report.n_left_out
    2
    >>> print(report)
    8 of 10 rows used; left out: 2 (amount is missing: Fill it.)
    """

    n_rows: int
    policies: tuple[RowPolicy, ...]

    @property
    def n_left_out(self) -> int:
        """Rows that no characteristic was computed from."""
        return sum(policy.n_rows for policy in self.policies if policy.action.startswith(LEFT_OUT))

    @property
    def n_used(self) -> int:
        """Rows that the characteristics were computed from."""
        return self.n_rows - self.n_left_out

    def to_frame(self) -> pd.DataFrame:
        """Return the policies as a table.

        Returns
        -------
        frame : pandas.DataFrame
            Columns ``policy``, ``action``, ``n_rows``, ``remedy``; one row per policy.
        """
        rows = [(policy.policy, policy.action, policy.n_rows, policy.remedy) for policy in self.policies]
        return pd.DataFrame(rows, columns=["policy", "action", "n_rows", "remedy"])

    def __str__(self) -> str:
        touched = [policy for policy in self.policies if policy.n_rows]
        left_out = [policy for policy in touched if policy.action.startswith(LEFT_OUT)]
        kept = [policy for policy in touched if not policy.action.startswith(LEFT_OUT)]
        text = f"{self.n_used} of {self.n_rows} rows used"
        if left_out:
            text += "; left out: " + "; ".join(f"{p.n_rows} ({p.policy}: {p.remedy})" for p in left_out)
        if kept:
            text += "; noted: " + "; ".join(f"{p.n_rows} ({p.policy}: {p.action})" for p in kept)
        return text


@dataclass(frozen=True)
class Roles:
    """Which column plays which role in a transactions table."""

    customer_id: str
    timestamp: str
    amount: str
    order_id: str | None = None

    @property
    def columns(self) -> list[str]:
        """The columns to read."""
        names = [self.customer_id, self.timestamp, self.amount]
        return names if self.order_id is None else [*names, self.order_id]

    def check(self, who: str) -> None:
        """Refuse one column in two roles."""
        named = {"customer_id": self.customer_id, "timestamp": self.timestamp, "amount": self.amount}
        if self.order_id is not None:
            named["order_id"] = self.order_id
        taken: dict[str, str] = {}
        for role, column in named.items():
            if column.startswith("__"):
                raise InvalidParameterError.not_allowed(
                    who, role, "a column name that does not begin with '__'", column
                )
            if column in taken:
                raise InvalidParameterError.not_allowed(
                    who, role, f"another column than {taken[column]!r} names", column
                )
            taken[column] = role


@dataclass(frozen=True)
class Lines:
    """The lines of a table that are used, and the count of all others.

    Attributes
    ----------
    frame : narwhals LazyFrame
        Columns ``customer``, ``period`` (whole number), ``moment`` (microseconds, universal time),
        ``amount`` (float64) and, where asked for, ``order``: the rows that no policy left out.
    kind : {"pandas", "polars", "pyarrow"}
        The kind of frame that goes out again.
    columns : tuple of str
        The columns of the table.
    as_of : AsOf or None
        The time up to which lines were taken; None where no line has a readable timestamp.
    counts : mapping of int to int
        Rows per status; ``RETURN`` counts negative amounts whether kept or not.
    n_rows : int
        Rows of the table.
    largest : float
        The largest absolute amount.
    customers, periods : tuple of int or None
        Lowest and highest customer id (where ids are numbers) and period.
    in_memory : bool
        Whether the table was no lazy one.
    """

    frame: nw.LazyFrame[Any]
    kind: OutputKind
    columns: tuple[str, ...]
    as_of: AsOf | None
    counts: Mapping[int, int]
    n_rows: int
    largest: float
    customers: tuple[int, int] | None
    periods: tuple[int, int] | None
    in_memory: bool


def read_lines(table: Any, *, roles: Roles, period: str, as_of: Any, returns: str, who: str) -> Lines:
    """Read purchase lines and count what each policy leaves out.

    Parameters
    ----------
    table : dataframe
        One row per purchase line.
    roles : Roles
        The columns.
    period : {"h", "D", "W", "M"}
        The length of a purchase period.
    as_of : timestamp or None
        Later lines are left out; None takes the latest readable timestamp of the table.
    returns : {"net", "drop", "raise"}
        What to do with negative amounts.
    who : str
        Who asks, for messages.

    Returns
    -------
    lines : Lines
        The lines used. Nothing has been raised for a table without usable lines.

    Raises
    ------
    ColumnTypeError
        If timestamps or amounts cannot be used, or an amount is infinite.
    InvalidTableError
        If there are returns and ``returns="raise"``.
    """
    roles.check(who)
    opened = open_table(table, who=who, columns=roles.columns, customer_id=roles.customer_id)
    clock = _clock(opened, roles, who)
    limit = None if as_of is None else AsOf.read(as_of, clock.zone, who)
    marked = _marked(clock, roles, period, limit)
    in_memory = not isinstance(nw.from_native(table, pass_through=True), nw.LazyFrame)
    if in_memory:
        # what is read twice below is computed once
        marked = marked.collect().lazy()
    facts = _facts(marked)
    largest = 0.0 if pd.isna(facts["largest"]) else float(facts["largest"])
    if math.isinf(largest):
        n_infinite = _row(marked.select((nw.col("amount").abs() == math.inf).cast(nw.Int64).sum().alias("rows")))
        raise ColumnTypeError.infinite(who, roles.amount, int(n_infinite["rows"]))
    if largest * facts["rows"] > sys.float_info.max:
        remedy = "Replace what stands for an unknown amount by NaN."
        raise ColumnTypeError.expected(who, roles.amount, "amounts with a finite sum", f"{largest:g}", remedy)
    counts = {status: int(facts.get(f"status_{status}", 0)) for status in range(7)}
    if counts[RETURN] and returns == "raise":
        raise InvalidTableError(
            f"{who}: {counts[RETURN]} row(s) have a negative amount in column {roles.amount!r} and returns='raise'. "
            "Pass returns='net' to set them off against the purchases, or returns='drop' to leave them out."
        )
    if limit is None and not pd.isna(facts["latest"]):
        limit = AsOf.from_moment(int(facts["latest"]), clock.zone)
    last_kept = RETURN if returns == "net" else PURCHASE
    if any(n_rows for status, n_rows in counts.items() if status > last_kept):
        marked = marked.filter(nw.col("status") <= last_kept)
    return Lines(
        frame=marked.drop("status", "readable"),
        kind=opened.kind,
        columns=opened.columns,
        as_of=limit,
        counts=counts,
        n_rows=int(facts["rows"]),
        largest=largest,
        customers=_range(facts, "customer"),
        periods=_range(facts, "period"),
        in_memory=in_memory,
    )


def _clock(opened: Table, roles: Roles, who: str) -> Clock:
    schema = opened.frame.collect_schema()
    if not schema[roles.amount].is_numeric():
        _refuse_unless_empty(
            opened,
            ColumnTypeError.expected(
                who,
                roles.amount,
                "numbers",
                schema[roles.amount],
                "Convert it first, for example with pandas.to_numeric(column, errors='coerce'): "
                "what cannot be read becomes NaN and is left out, counted.",
            ),
        )
        opened = _retyped(opened, roles.amount, nw.Float64())
    try:
        return read_clock(opened.frame, roles.timestamp, who)
    except ColumnTypeError as error:
        _refuse_unless_empty(opened, error)
        return read_clock(_retyped(opened, roles.timestamp, nw.String()).frame, roles.timestamp, who)


def _refuse_unless_empty(opened: Table, error: ColumnTypeError) -> None:
    # columns of a table without rows often have no type worth the name
    if opened.frame.select(nw.len().alias("rows")).collect()["rows"].item():
        raise error


def _retyped(opened: Table, column: str, dtype: nw.dtypes.DType) -> Table:
    return replace(opened, frame=opened.frame.with_columns(nw.col(column).cast(dtype)))


def _marked(clock: Clock, roles: Roles, period: str, limit: AsOf | None) -> nw.LazyFrame[Any]:
    """Give every row its status, and its values or harmless ones in their place."""
    schema = clock.frame.collect_schema()
    order = [] if roles.order_id is None else [nw.col(roles.order_id).alias("order")]
    amount = nw.col(roles.amount).cast(nw.Float64)
    frame = clock.frame.select(
        nw.col(roles.customer_id).alias("customer"),
        period_index(clock.wall, clock.months, period).fill_null(0).cast(nw.Int64).alias("period"),
        clock.moment.fill_null(0).cast(nw.Int64).alias("moment"),
        amount.alias("amount"),
        clock.readable.alias("readable"),
        (nw.lit(value=False) if limit is None else limit.is_before(clock).fill_null(value=False)).alias("late"),
        (amount.is_null() | amount.is_nan()).fill_null(value=True).alias("unknown"),
        *order,
    ).with_columns(nw.when(~nw.col("unknown")).then(nw.col("amount")).otherwise(nw.lit(0.0)).alias("amount"))
    conditions = [(NO_ID, nw.col("customer").is_null()), (NO_TIME, ~nw.col("readable"))]
    if roles.order_id is not None:
        missing = nw.col("order").is_null()
        is_float = schema[roles.order_id].is_float()
        missing = (missing | nw.col("order").is_nan()).fill_null(value=True) if is_float else missing
        conditions.append((NO_ORDER, missing))
    conditions += [(NO_AMOUNT, nw.col("unknown")), (LATE, nw.col("late")), (RETURN, nw.col("amount") < 0)]
    status = nw.lit(PURCHASE)
    for code, condition in reversed(conditions):
        status = nw.when(condition).then(nw.lit(code)).otherwise(status)
    return frame.with_columns(status.alias("status")).drop("late", "unknown")


def _facts(marked: nw.LazyFrame[Any]) -> dict[str, Any]:
    schema = marked.collect_schema()
    amount, status = nw.col("amount"), nw.col("status")
    ranged = ["period", *(["customer"] if schema["customer"].is_integer() else [])]
    facts = _row(
        marked.select(
            nw.len().alias("rows"),
            amount.abs().max().alias("largest"),
            status.max().alias("status"),
            nw.when("readable").then(nw.col("moment")).max().alias("latest"),
            *(nw.col(name).min().alias(f"{name}_min") for name in ranged),
            *(nw.col(name).max().alias(f"{name}_max") for name in ranged),
        )
    )
    # most tables are clean: their rows need not be counted status by status
    if facts["rows"] and facts["status"] > PURCHASE:
        counts = ((status == code).cast(nw.Int64).sum().alias(f"status_{code}") for code in range(7))
        facts |= _row(marked.select(*counts))
    return facts


def _row(frame: nw.LazyFrame[Any]) -> dict[str, Any]:
    collected = frame.collect()
    return {name: collected[name].item() for name in collected.columns}


def _range(facts: Mapping[str, Any], name: str) -> tuple[int, int] | None:
    low, high = facts.get(f"{name}_min"), facts.get(f"{name}_max")
    return None if pd.isna(low) or pd.isna(high) else (int(low), int(high))


def count_repeated(lines: Lines) -> int:
    """Count the lines that repeat another one in every column read."""
    # the period says nothing that the moment does not say
    frame = lines.frame.drop("period")
    if lines.in_memory and lines.customers is not None:
        frame = _lookalikes(frame.collect(), lines.customers, lines.largest).lazy()
    counted = frame.select(nw.len().alias("rows")).collect()["rows"].item()
    distinct = frame.unique().select(nw.len().alias("rows")).collect()["rows"].item()
    return int(counted) - int(distinct)


def _lookalikes(frame: nw.DataFrame[Any], customers: tuple[int, int], largest: float) -> nw.DataFrame[Any]:
    """Keep the lines whose code is not theirs alone; lines that are equal have one code.

    Sorting one whole number per line takes a third of the time of telling whole lines apart, and
    few lines remain.
    """
    low, high = customers
    share = 2**61 // (high - low + 1)
    if share < 2**16 or max(abs(low), abs(high)) >= 2**62 or len(frame) < 2:
        return frame
    first, last = int(frame["moment"].min()), int(frame["moment"].max())
    # each customer has a stretch of the whole numbers, half of it for the moment and half for the amount
    moment = (nw.col("moment") - first) // ((last - first) // (share // 2) + 1)
    amount = (nw.col("amount") / max(largest, 1e-300) * float(share // 2)).round(0).cast(nw.Int64)
    code = (nw.col("customer").cast(nw.Int64) - low) * share + moment + amount
    coded = frame.with_columns(code.alias("code"))
    in_order = coded["code"].sort()
    repeated = in_order.filter(in_order.diff() == 0).unique().to_frame()
    return coded.join(repeated, on="code", how="semi").drop("code")

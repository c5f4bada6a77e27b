"""Rows of a table in time (purchases, events, contacts): read from any table, put under the row policies, counted.

Every row falls under the first policy that applies to it. What is left is the frame from which the
characteristics are computed, its columns named by their role.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import narwhals.stable.v2 as nw
import pandas as pd

from custseg._core.asking import asked
from custseg._core.base import OutputKind
from custseg._core.composed import composed
from custseg._core.exact import exact_below, inexact_ids
from custseg._core.frames import Table, by_partition, collect, open_table
from custseg._core.number_levels import number_text, refuse_inexact
from custseg._core.paths import is_csv, is_path, text_at
from custseg._core.rounding import doubles
from custseg.characteristics._records.fields import NO_ID, NO_TIME, Field, by_role, problem_with
from custseg.characteristics._records.ledger import Ledger
from custseg.characteristics._row_report import LEFT_OUT, RowPolicy, hidden_policies
from custseg.characteristics._times.lone_times import LoneTimes, lone_times
from custseg.characteristics._times.timestamps import (
    AsOf,
    Clock,
    UnreadableTimes,
    in_zone_of,
    period_index,
    read_clock,
    unreadable_times,
)
from custseg.exceptions import ColumnTypeError, InvalidTableError

# the roles whose values are added up together
_SUMMED = ("amount", "discount")
# A typical amount must keep so many binary digits in sums with the largest one.
_LEAST_BITS = 30

_CORRECT = "Correct the time, or pass as_of=... where it is true."

LATE, RETURN = "late", "return"


@dataclass(frozen=True)
class Records:
    """The rows of a table that are used, and the count of all others.

    Attributes
    ----------
    frame : narwhals LazyFrame
        The rows that no policy left out. Columns ``customer``; ``period`` (whole number); ``moment``
        (microseconds since 1970-01-01, universal time); ``wall`` (the same by the clock of the
        zone, where it was asked for); and one for each field, named by its role.
    kind : {"pandas", "polars", "pyarrow"}
        The kind of frame that goes out again.
    columns : tuple of str
        The columns of the table.
    as_of : AsOf or None
        The time up to which rows were taken; None where no row has a readable timestamp.
    n_left_out : mapping of str to int
        Rows left out by reason: ``"customer_id"``, ``"timestamp"``, the role of a required field,
        ``"late"``.
    n_returns : int
        Rows with a negative amount, whether kept or not; 0 where no amount was asked for.
    n_rows, n_used : int
        Rows of the table, and those that no policy left out.
    largest : mapping of str to float
        The largest absolute value of each number.
    customers, periods : tuple of int or None
        Lowest and highest customer id (where ids are numbers) and period.
    in_memory : bool
        Whether the table was no lazy one.
    in_files : bool
        Whether the rows are read from files at each query.
    latest : AsOf or None
        The latest readable time of the table that is not far beyond all others.
    lone : tuple of LoneTimes
        Times far beyond all others, which set no ``as_of``.
    unreadable : tuple of UnreadableTimes
        Text that is no time.
    hidden : tuple of RowPolicy
        Files of a folder that are no data.
    """

    frame: nw.LazyFrame[Any]
    kind: OutputKind
    columns: tuple[str, ...]
    as_of: AsOf | None
    n_left_out: Mapping[str, int]
    n_returns: int
    n_rows: int
    n_used: int
    largest: Mapping[str, float]
    customers: tuple[int, int] | None
    periods: tuple[int, int] | None
    in_memory: bool
    _roles: Mapping[str, Field]
    latest: AsOf | None = None
    lone: tuple[LoneTimes, ...] = ()
    unreadable: tuple[UnreadableTimes, ...] = ()
    hidden: tuple[RowPolicy, ...] = ()
    in_files: bool = False

    @cached_property
    def ledger(self) -> Ledger:
        """The rows used, divided by customers once for all that is computed; in memory, at least one."""
        assert self.periods is not None  # there is a row
        return Ledger(self.frame.collect(), self.customers, self.periods)

    def kept(self, query: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        """Compute once what is used several times, where the table is in memory anyway."""
        return query.collect().lazy() if self.in_memory else query

    def policies(self) -> list[RowPolicy]:
        """Return the policies that left rows out while reading, in their order."""
        time = self.as_of and self.as_of.time
        words = {
            NO_ID: (f"no customer id in {self._roles[NO_ID].column!r}", "Fill the ids in."),
            NO_TIME: (
                f"no readable timestamp in {self._roles[NO_TIME].column!r}",
                "Fill it in, or convert the column with pandas.to_datetime(column, format=...).",
            ),
            LATE: (f"later than as_of={time}", "Pass a later time: as_of=..., or transform(X, as_of=...)."),
        }
        if any(found.column == self._roles[NO_TIME].column for found in self.lone):
            words[LATE] = (f"far beyond all other times, the last of them {time}", _CORRECT)
        for role, field in self._roles.items():
            what = "value" if field.kind == "flag" else role.replace("_", " ")
            words.setdefault(role, (f"no {what} in {field.column!r}", field.remedy))
        return [RowPolicy(words[name][0], LEFT_OUT, n_rows, words[name][1]) for name, n_rows in self.n_left_out.items()]


def as_whole(condition: nw.Expr) -> nw.Expr:
    """Return 1 where a condition holds and 0 elsewhere: not every engine adds up bools."""
    return nw.when(condition).then(nw.lit(1)).otherwise(nw.lit(0)).cast(nw.Int64)


def read_records(
    table: Any,
    *,
    customer_id: str,
    timestamp: str,
    fields: Sequence[Field] = (),
    period: str = "D",
    as_of: Any = None,
    returns: str | None = None,
    wall: bool = False,
) -> Records:
    """Read a table in time and count what each policy leaves out.

    Parameters
    ----------
    table : dataframe or path
        One row per purchase line, event or contact.
    customer_id, timestamp : str
        The columns of ids and times.
    fields : sequence of Field
        The other columns, in the order in which missing values are counted.
    period : {"h", "D", "W", "M"}
        The length of a period.
    as_of : timestamp or None
        Later rows are left out; None takes the latest readable timestamp of the table.
    returns : {"net", "drop", "raise"} or None
        What to do with negative values of the field ``amount``; None where there is no such field.
    wall : bool
        Whether the time by the clock of the zone is wanted.

    Returns
    -------
    records : Records
        The rows used. Nothing has been raised for a table without usable rows.

    Raises
    ------
    ColumnTypeError
        If a column cannot be used in its role, or a number is infinite.
    InvalidTableError
        If there are returns and ``returns="raise"``.
    """
    roles = by_role(customer_id, timestamp, fields)
    opened = _opened(table, roles, customer_id)
    records = _read(opened, roles, period=period, as_of=as_of, returns=returns, wall=wall)
    records = replace(records, hidden=hidden_policies(table))
    if not records.lone or records.as_of is None:
        return records
    (found,) = records.lone
    limit = AsOf.from_moment(found.after, records.as_of.time.tzinfo).time
    without = _read(opened, roles, period=period, as_of=limit, returns=returns, wall=wall)
    return replace(without, lone=(found,), hidden=records.hidden)


def _read(
    opened: Table, roles: Mapping[str, Field], *, period: str, as_of: Any, returns: str | None, wall: bool
) -> Records:
    clock, limit = _times(opened, roles, as_of)
    fields = [field for role, field in roles.items() if role not in (NO_ID, NO_TIME)]
    reasons = [NO_ID, NO_TIME, *(field.role for field in fields if field.required), LATE]
    marked = by_partition(
        clock.frame, lambda frame: _marked(replace(clock, frame=frame), roles, reasons, period, limit, wall=wall)
    )
    # what is read twice below is computed once
    marked = marked.collect().lazy() if opened.in_memory else marked
    facts, largest = _checked_facts(marked, roles, len(reasons) + 2, at_once=not opened.in_memory)
    # 0: used; from 1 on: left out for a reason; the last: a return
    counts = [int(facts.get(f"status_{status}", 0)) for status in range(len(reasons) + 2)]
    latest = _latest(facts, clock)
    is_beyond = limit is None or counts[1 + reasons.index(LATE)] > 0
    lone = _lone(marked, facts, roles[NO_TIME].column) if is_beyond else ()
    frame, n_dropped = _without_dropped(marked, counts, with_returns=returns == "drop")
    return Records(
        frame=frame,
        kind=opened.kind,
        columns=opened.columns,
        as_of=latest if limit is None else limit,
        n_left_out={reason: counts[status] for status, reason in enumerate(reasons, start=1)},
        n_returns=_count_returns(counts[-1], returns, roles),
        n_rows=int(facts["rows"]),
        n_used=int(facts["rows"]) - n_dropped,
        largest=largest,
        customers=_range(facts, "customer"),
        periods=_range(facts, "period"),
        in_memory=opened.in_memory,
        in_files=opened.in_files,
        _roles=roles,
        latest=AsOf.from_moment(lone[0].after, clock.zone) if lone else latest,
        lone=lone if limit is None else (),
        # the second reason is NO_TIME
        unreadable=unreadable_times(clock, roles[NO_TIME].column, int(facts["rows"])) if counts[2] else (),
    )


def _lone(marked: nw.LazyFrame[Any], facts: Mapping[str, Any], column: str) -> tuple[LoneTimes, ...]:
    if pd.isna(facts["latest"]):
        return ()
    found = lone_times(marked.filter("readable"), column, int(facts["first"]), int(facts["latest"]))
    return () if found is None else (found,)


def _opened(table: Any, roles: Mapping[str, Field], customer_id: str) -> Table:
    """Open the table and check the kinds of its columns; each name of a level or key gets one text."""
    fields = list(roles.values())
    opened = open_table(table, columns=[field.column for field in fields], customer_id=customer_id)
    refuse_inexact(opened.frame, [field.column for field in fields if field.kind == "level"])
    named = [field.column for field in fields if field.kind in ("level", "key") and field.role not in (NO_ID, NO_TIME)]
    opened = replace(opened, frame=composed(opened.frame, named))
    schema = opened.frame.collect_schema()
    for field in fields:
        problem = problem_with(schema[field.column], field)
        if problem is not None:
            _refuse_unless_empty(opened, field.column, _unfit(table, field, schema[field.column], *problem))
            opened = _retyped(opened, field.column, nw.Float64())
    return opened


def _times(opened: Table, roles: Mapping[str, Field], as_of: Any) -> tuple[Clock, AsOf | None]:
    """Read the times, and up to when rows count; None where the table decides that."""
    clock = _clock(opened, roles)
    if as_of is None:
        return clock, None
    clock = in_zone_of(as_of, clock)
    return clock, AsOf.read(as_of, clock.zone)


def _latest(facts: Mapping[str, Any], clock: Clock) -> AsOf | None:
    return None if pd.isna(facts["latest"]) else AsOf.from_moment(int(facts["latest"]), clock.zone)


def _checked_facts(
    marked: nw.LazyFrame[Any], roles: Mapping[str, Field], n_status: int, *, at_once: bool
) -> tuple[dict[str, Any], dict[str, float]]:
    """Return the facts of the table and the largest value of each number; refuse those that cannot be added up."""
    numbers = [field for field in roles.values() if field.is_numeric]
    schema = marked.collect_schema()
    keys = [role for role, field in roles.items() if field.kind == "key" and role in schema and schema[role].is_float()]
    facts = _facts(marked, numbers, keys, n_status=n_status, at_once=at_once)
    for role in keys:
        limit = exact_below(schema[role])
        if not pd.isna(facts[f"key_{role}"]) and facts[f"key_{role}"] >= limit:
            raise inexact_ids(roles[role].column, limit)
    largest = {field.role: _largest(marked, facts, field) for field in numbers}
    _refuse_lost_amounts(marked, facts, roles, largest)
    return facts, largest


def _without_dropped(
    marked: nw.LazyFrame[Any], counts: Sequence[int], *, with_returns: bool
) -> tuple[nw.LazyFrame[Any], int]:
    """Leave out the rows that are not used, and say how many; the last status is that of returns."""
    dropped = range(1, len(counts) if with_returns else len(counts) - 1)
    n_dropped = sum(counts[status] for status in dropped)
    used = marked.filter(~nw.col("status").is_in(list(dropped))) if n_dropped else marked
    return used.drop("status", "readable"), n_dropped


def _count_returns(n_returns: int, returns: str | None, roles: Mapping[str, Field]) -> int:
    """Return the number of returns where there can be any; refuse them where that is asked for."""
    if n_returns and returns == "raise":
        raise InvalidTableError(
            f"{asked()}: {n_returns} row(s) have a negative amount in column {roles['amount'].column!r} and "
            "returns='raise'. Pass returns='net' to set them off against the purchases, or returns='drop' to leave "
            "them out."
        )
    return n_returns if returns else 0


def _clock(opened: Table, roles: Mapping[str, Field]) -> Clock:
    """Find out how to read the time."""
    column = roles[NO_TIME].column
    try:
        return read_clock(opened.frame, column)
    except ColumnTypeError as error:
        _refuse_unless_empty(opened, column, error)
        return read_clock(_retyped(opened, column, nw.String()).frame, column)


def _unfit(table: Any, field: Field, dtype: Any, expected: str, remedy: str) -> ColumnTypeError:
    """Say that a column is of the wrong kind; of a CSV file, which value makes text of its numbers."""
    where = text_at(table, field.column) if field.kind == "number" and is_path(table) and is_csv(table) else ""
    return ColumnTypeError.expected(field.column, expected, where or dtype, remedy)


def _refuse_unless_empty(opened: Table, column: str, error: ColumnTypeError) -> None:
    # columns without a value often have no type worth the name
    if _row(opened.frame.select(nw.col(column).count().alias("values")))["values"]:
        raise error


def _retyped(opened: Table, column: str, dtype: nw.dtypes.DType) -> Table:
    return replace(opened, frame=opened.frame.with_columns(nw.col(column).cast(dtype)))


def _value(dtype: Any, field: Field) -> nw.Expr:
    """Return the values of a field in the type of its kind."""
    column = nw.col(field.column)
    if field.kind == "flag" and dtype == nw.Boolean:
        return nw.when(column).then(nw.lit(1.0)).otherwise(nw.when(~column).then(nw.lit(0.0)))
    if field.is_numeric:
        return doubles(column, dtype)
    if field.kind == "level" and dtype == nw.Boolean:
        # engines write bools differently
        return nw.when(column).then(nw.lit("true")).otherwise(nw.when(~column).then(nw.lit("false")))
    if field.kind == "level" and (dtype.is_float() or dtype.is_decimal()):
        return number_text(column if dtype.is_float() else column.cast(nw.Float64))
    if field.kind == "level":
        text = column.cast(nw.String) if not isinstance(dtype, nw.String) else column
        return nw.when(text != "").then(text)
    return column


def _missing(dtype: Any, field: Field) -> nw.Expr:
    column = nw.col(field.role)
    is_float = field.is_numeric or (field.kind == "key" and dtype.is_float())
    return (column.is_null() | column.is_nan()).fill_null(value=True) if is_float else column.is_null()


def _marked(
    clock: Clock, roles: Mapping[str, Field], reasons: Sequence[str], period: str, limit: AsOf | None, *, wall: bool
) -> nw.LazyFrame[Any]:
    """Give every row its status, and its values or harmless ones in their place."""
    schema = clock.frame.collect_schema()
    fields = [field for role, field in roles.items() if role not in (NO_ID, NO_TIME)]
    frame = clock.frame.select(
        nw.col(roles[NO_ID].column).alias("customer"),
        period_index(clock.wall, clock.months, period).fill_null(0).cast(nw.Int64).alias("period"),
        clock.moment.fill_null(0).cast(nw.Int64).alias("moment"),
        *([clock.wall.fill_null(0).cast(nw.Int64).alias("wall")] if wall else []),
        clock.readable.alias("readable"),
        (nw.lit(value=False) if limit is None else limit.is_before(clock).fill_null(value=False)).alias("late"),
        *(_value(schema[field.column], field).alias(field.role) for field in fields),
    )
    unknown = {field.role: f"no_{field.role}" for field in fields if field.required or field.is_numeric}
    frame = frame.with_columns(
        _missing(schema[roles[role].column], roles[role]).alias(flag) for role, flag in unknown.items()
    )
    required = [role for role in unknown if roles[role].required and roles[role].is_numeric]
    frame = frame.with_columns(
        nw.when(~nw.col(unknown[role])).then(nw.col(role)).otherwise(nw.lit(0.0)).alias(role) for role in required
    )
    conditions = {NO_ID: nw.col("customer").is_null(), NO_TIME: ~nw.col("readable"), LATE: nw.col("late")}
    conditions |= {role: nw.col(flag) for role, flag in unknown.items()}
    status = nw.lit(0)
    if "amount" in roles:
        status = nw.when(nw.col("amount") < 0).then(nw.lit(len(reasons) + 1)).otherwise(status)
    for code, reason in reversed(list(enumerate(reasons, start=1))):
        status = nw.when(conditions[reason]).then(nw.lit(code)).otherwise(status)
    return frame.with_columns(status.alias("status")).drop("late", *unknown.values())


def _facts(
    marked: nw.LazyFrame[Any], numbers: Sequence[Field], keys: Sequence[str], n_status: int, *, at_once: bool
) -> dict[str, Any]:
    schema = marked.collect_schema()
    status = nw.col("status")
    counts = [(status == code).cast(nw.Int64).sum().alias(f"status_{code}") for code in range(1, n_status)]
    ranged = ["period", *(["customer"] if schema["customer"].is_integer() else [])]
    facts = _row(
        marked.select(
            nw.len().alias("rows"),
            *(_known(field).abs().max().alias(f"largest_{field.role}") for field in numbers),
            *(_positive(role).min().alias(f"smallest_{role}") for role in _SUMMED if role in schema),
            *(
                _is_odd(field).cast(nw.Int64).sum().alias(f"odd_{field.role}")
                for field in numbers
                if field.kind == "flag"
            ),
            # a NaN is no key, and the largest number of some engines
            *(nw.when(~nw.col(role).is_nan()).then(nw.col(role)).abs().max().alias(f"key_{role}") for role in keys),
            status.max().alias("status"),
            nw.when("readable").then(nw.col("moment")).min().alias("first"),
            nw.when("readable").then(nw.col("moment")).max().alias("latest"),
            *(nw.col(name).min().alias(f"{name}_min") for name in ranged),
            *(nw.col(name).max().alias(f"{name}_max") for name in ranged),
            *(counts if at_once else []),
        )
    )
    if facts["rows"] == 0:
        return {name: value for name, value in facts.items() if not name.startswith("status")}
    # most tables are clean: where that costs no second reading, their rows need not be counted status by status
    return facts if at_once or facts["status"] == 0 else facts | _row(marked.select(*counts))


def _known(field: Field) -> nw.Expr:
    column = nw.col(field.role)
    # the values of a required number are harmless where they are missing
    return column if field.required else nw.when(~column.is_nan()).then(column)


def _positive(role: str) -> nw.Expr:
    size = nw.col(role).abs()
    return nw.when((size > 0).fill_null(value=False)).then(size)


def _is_odd(field: Field) -> nw.Expr:
    """Say where a flag is neither 0 nor 1."""
    return ((_known(field) != 0.0) & (_known(field) != 1.0)).fill_null(value=False)


def _largest(marked: nw.LazyFrame[Any], facts: Mapping[str, Any], field: Field) -> float:
    """Return the largest absolute value of a number; refuse infinite ones, sums that would be, and odd flags."""
    if facts.get(f"odd_{field.role}"):
        got = f"other numbers in {facts[f'odd_{field.role}']} row(s)"
        remedy = "Convert it with a comparison such as column > 0."
        raise ColumnTypeError.expected(field.column, "bools, or the numbers 0 and 1", got, remedy)
    found = facts[f"largest_{field.role}"]
    largest = 0.0 if pd.isna(found) else float(found)
    if math.isinf(largest):
        n_infinite = _row(marked.select((_known(field).abs() == math.inf).cast(nw.Int64).sum().alias("rows")))
        raise ColumnTypeError.infinite(field.column, int(n_infinite["rows"]))
    if largest * facts["rows"] > sys.float_info.max:
        remedy = "Replace what stands for an unknown amount by NaN."
        raise ColumnTypeError.expected(field.column, "amounts with a finite sum", f"{largest:g}", remedy)
    return largest


def _refuse_lost_amounts(
    marked: nw.LazyFrame[Any], facts: Mapping[str, Any], roles: Mapping[str, Field], largest: Mapping[str, float]
) -> None:
    """Refuse a table in which one amount is so large that the sums of most others would lose their digits."""
    summed = [role for role in _SUMMED if role in largest]
    scale = max((largest[role] for role in summed), default=0.0)
    # sums of so many rows keep 114 binary digits less two for each doubling of the rows, see ExactSum
    least = scale * 2.0 ** (_LEAST_BITS + 2 * int(facts["rows"]).bit_length() - 114)
    for role in summed:
        smallest = facts[f"smallest_{role}"]
        if pd.isna(smallest) or smallest >= least:
            continue
        small = (nw.col(role).abs() < least).cast(nw.Int64)
        counted = marked.select(_positive(role).alias(role)).with_columns(small.alias("small"))
        found = _row(counted.select(nw.col("small").sum(), nw.col(role).count().alias("known")))
        if 2 * int(found["small"] or 0) > int(found["known"]):
            got = f"{scale:g} beside {int(found['small'])} amount(s) too small to count in one sum with it"
            remedy = "Replace what stands for an unknown amount by NaN."
            raise ColumnTypeError.expected(roles[role].column, "amounts of one scale", got, remedy)


def _row(frame: nw.LazyFrame[Any]) -> dict[str, Any]:
    collected = collect(frame)
    return {name: collected[name].item() for name in collected.columns}


def _range(facts: Mapping[str, Any], name: str) -> tuple[int, int] | None:
    low, high = facts.get(f"{name}_min"), facts.get(f"{name}_max")
    return None if pd.isna(low) or pd.isna(high) else (int(low), int(high))

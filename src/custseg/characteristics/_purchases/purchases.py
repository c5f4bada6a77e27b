"""The purchases of each customer: lines -> purchases -> customers, in memory or in one query over the lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import narwhals.stable.v2 as nw
import numpy as np

from custseg._core.arrays import Floats, Integers
from custseg._core.frames import collect
from custseg.characteristics._records.exact_sum import ExactSum
from custseg.characteristics._records.ledger import Block
from custseg.characteristics._records.parts import are_many, by_parts
from custseg.characteristics._records.records import Records
from custseg.characteristics._records.repeated import count_repeated

Numbers = TypeVar("Numbers", nw.Expr, Floats)


@dataclass(frozen=True)
class Spent:
    """What every customer has paid, net of returns, and for how many purchases.

    Attributes
    ----------
    sums : ExactSum
        How amounts were split.
    high, low : ndarray of int64
        The sums of both parts.
    sizes : ndarray of float64 or None
        The sums of the absolute amounts, where there are returns.
    frequency : ndarray of int64
        The number of purchases.
    """

    sums: ExactSum
    high: Integers
    low: Integers
    sizes: Floats | None
    frequency: Integers

    @property
    def total(self) -> Floats:
        """The net spend."""
        return self.sums.total(self.high, self.low)

    @property
    def mean(self) -> Floats:
        """The net spend for each purchase; NaN where there is none."""
        mean = self.sums.mean(self.high, self.low, np.maximum(self.frequency, 1), self.sizes)
        mean[self.frequency == 0] = np.nan
        return mean


@dataclass(frozen=True)
class Purchases:
    """What every customer with at least one purchase has bought.

    Attributes
    ----------
    customers : narwhals Series
        Their ids, sorted.
    first, last : ndarray of int64
        The periods of the first and the last purchase.
    frequency : ndarray of int64
        The number of purchases.
    spent : Spent or None
        What was paid: for all purchases, or for those after the first purchase period. None where it was not asked for.
    n_idle_customers, n_idle_rows : int
        Customers that have only returns, and their lines: left out.
    n_repeated : int or None
        Lines that repeat another one, where they were counted on the way.
    """

    customers: nw.Series[Any]
    first: Integers
    last: Integers
    frequency: Integers
    spent: Spent | None
    n_idle_customers: int
    n_idle_rows: int
    n_repeated: int | None = None


def purchases_by_customer(
    records: Records, *, by_order: bool, returns: str | None, spend: bool, later: bool, count: bool = False
) -> Purchases:
    """Add up the purchases of each customer.

    Parameters
    ----------
    records : Records
        The lines used.
    by_order : bool
        A purchase is an order instead of a period.
    returns : {"net", "drop", "raise"} or None
        With ``"net"`` the lines may hold returns, which make no purchase. None where lines have no amount.
    spend : bool
        Whether amounts are wanted.
    later : bool
        Whether the purchases after the first purchase period are wanted by themselves.
    count : bool, default=False
        Whether the lines that repeat another one are wanted too, if that takes no further reading.

    Returns
    -------
    purchases : Purchases
        One entry per customer.
    """
    sums = ExactSum.over(records.largest["amount"], records.n_rows) if spend else None
    with_returns = returns == "net" and records.n_returns > 0

    def add_up(lines: Records) -> Purchases:
        if lines.in_memory and lines.n_used and not by_order:
            return _in_memory(lines, sums, with_returns, later, priced=returns is not None)
        return _in_engine(lines, sums, with_returns, later, by_order=by_order, priced=returns is not None)

    def add_up_and_count(part: Records) -> Purchases:
        return replace(add_up(part), n_repeated=count_repeated(part) if count else None)

    if are_many(records):
        return _joined(by_parts(records, add_up_and_count))
    return add_up(records)


def _joined(parts: Sequence[Purchases]) -> Purchases:
    """Put customers together of whom each is in one part."""
    ids = nw.concat([part.customers.to_frame() for part in parts]).with_row_index("place").sort("customer")
    order = ids["place"].to_numpy()

    def of_all(arrays: Iterable[Any]) -> Any:
        known = [array for array in arrays if array is not None]
        return np.concatenate(known)[order] if known else None

    spent = [part.spent for part in parts if part.spent is not None]
    columns = ("high", "low", "sizes", "frequency")
    counted = [part.n_repeated for part in parts if part.n_repeated is not None]
    return Purchases(
        customers=ids["customer"],
        **{name: of_all(getattr(part, name) for part in parts) for name in ("first", "last", "frequency")},
        spent=Spent(spent[0].sums, *(of_all(getattr(each, name) for each in spent) for name in columns))
        if spent
        else None,
        n_idle_customers=sum(part.n_idle_customers for part in parts),
        n_idle_rows=sum(part.n_idle_rows for part in parts),
        n_repeated=sum(counted) if counted else None,
    )


def _in_engine(
    records: Records, sums: ExactSum | None, with_returns: bool, later: bool, *, by_order: bool, priced: bool
) -> Purchases:
    spend = sums is not None
    amount = ["amount"] if priced else []
    frame = records.frame.drop("moment") if by_order else records.frame.select("customer", "period", *amount)
    if with_returns:
        frame = frame.with_columns(
            nw.when(nw.col("amount") >= 0).then(nw.col("period")).alias("bought"), nw.lit(1).alias("lines")
        )
    frame = (frame if sums is None else sums.split(frame)).drop(amount)
    added = [*(["high", "low"] if spend else []), *(["lines"] if with_returns else [])]
    if spend and with_returns:
        frame, added = frame.with_columns(nw.col("high").abs().alias("size")), [*added, "size"]
    units = _by_order(frame, added, with_returns) if by_order else _by_period(frame, added, with_returns)
    units = records.kept(units) if later else units
    customers = units.group_by("customer").agg(
        *(nw.col(name).sum() for name in added),
        nw.col("first").min(),
        nw.col("last").max(),
        nw.col("first").count().alias("frequency"),
    )
    if later:
        customers = records.kept(customers)
        first_period = _in_first_period(customers, units, frame, by_order, with_returns)
        customers = customers.join(first_period, on="customer", how="left")
    found = collect(customers).sort("customer")
    # nothing is missing but the first purchase of a customer of returns alone; pandas may hold whole numbers in
    # floats or nullable arrays
    numbers = {
        name: np.asarray(found[name].fill_null(0).to_numpy(), dtype=np.int64)
        for name in found.columns
        if name != "customer"
    }
    return _numbers(found["customer"], numbers, sums, with_returns, later)


def _by_period(frame: nw.LazyFrame[Any], added: list[str], with_returns: bool) -> nw.LazyFrame[Any]:
    wanted = [nw.col(name).sum() for name in added] + ([nw.col("bought").max()] if with_returns else [])
    # pandas needs something to aggregate
    units = frame.group_by("customer", "period").agg(*(wanted or [nw.len()]))
    period = nw.col("bought" if with_returns else "period")
    return units.with_columns(period.alias("first"), period.alias("last"))


def _by_order(frame: nw.LazyFrame[Any], added: list[str], with_returns: bool) -> nw.LazyFrame[Any]:
    period = nw.col("bought" if with_returns else "period")
    return frame.group_by("customer", "order_id").agg(
        *(nw.col(name).sum() for name in added), period.min().alias("first"), period.max().alias("last")
    )


def _in_first_period(
    customers: nw.LazyFrame[Any], units: nw.LazyFrame[Any], frame: nw.LazyFrame[Any], by_order: bool, with_returns: bool
) -> nw.LazyFrame[Any]:
    """Add up what fell into the first purchase period: spend and number of purchases of each customer."""
    firsts = customers.select("customer", nw.col("first").alias("first_period"))
    found = {"first_high": nw.col("high"), "first_low": nw.col("low")}
    if not by_order:
        inside = units.join(firsts, left_on=["customer", "period"], right_on=["customer", "first_period"])
        return inside.select("customer", **found, first_frequency=nw.lit(1))
    # an order may go on after that period, so its lines are added up again
    inside = frame.join(firsts, on="customer").filter(nw.col("period") == nw.col("first_period"))
    return (
        _by_order(inside, ["high", "low"], with_returns)
        .group_by("customer")
        .agg(
            *(column.sum().alias(name) for name, column in found.items()),
            nw.col("first").count().alias("first_frequency"),
        )
    )


def _in_memory(records: Records, sums: ExactSum | None, with_returns: bool, later: bool, *, priced: bool) -> Purchases:
    # without amounts every line is a purchase
    amounts = records.ledger.numbers(["amount"])["amount"] if priced else np.zeros(records.n_used)

    def describe(block: Block) -> dict[str, Integers]:
        amount = block.of(amounts)
        visited = block.visited(amount >= 0)
        found = {"first": visited.first, "last": visited.last, "frequency": visited.frequency}
        if with_returns:
            found["lines"] = block.n_lines
        if sums is not None:
            of_lines = sums.parts(amount)
            parts = dict(zip(("high", "low"), map(block.add_up_each_visit, of_lines), strict=True))
            found |= {name: block.add_up_visits(part) for name, part in parts.items()}
            if with_returns:
                found["size"] = block.add_up(np.abs(of_lines[0]))
            if later:
                in_first = block.period[block.visits] == visited.first[block.customer_of_visit]
                found |= {f"first_{name}": block.add_up_visits(part * in_first) for name, part in parts.items()}
                found["first_frequency"] = np.ones_like(visited.first)
        return found

    customers, found = records.ledger.by_customer(describe)
    return _numbers(customers, found, sums, with_returns, later)


def _numbers(
    customers: nw.Series[Any], found: Mapping[str, Integers], sums: ExactSum | None, with_returns: bool, later: bool
) -> Purchases:
    n_idle_customers = n_idle_rows = 0
    if with_returns:
        bought = found["frequency"] > 0
        n_idle_customers, n_idle_rows = int((~bought).sum()), int(found["lines"][~bought].sum())
        if n_idle_customers:
            customers = customers.filter(bought.tolist())
            found = {name: values[bought] for name, values in found.items()}
    return Purchases(
        customers=customers,
        first=found["first"],
        last=found["last"],
        frequency=found["frequency"],
        spent=None if sums is None else _spent(found, sums, later),
        n_idle_customers=n_idle_customers,
        n_idle_rows=n_idle_rows,
    )


def _spent(found: Mapping[str, Integers], sums: ExactSum, later: bool) -> Spent:
    high, low, frequency = found["high"], found["low"], found["frequency"]
    if later:
        high, low = high - found["first_high"], low - found["first_low"]
        frequency = frequency - found["first_frequency"]
    return Spent(sums, high, low, sums.size(found["size"]) if "size" in found else None, frequency)

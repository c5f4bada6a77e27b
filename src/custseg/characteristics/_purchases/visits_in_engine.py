"""How each customer buys, in one query over the lines, run by the engine of the table: lines -> visits -> customers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw

from custseg._core.frames import collect
from custseg.characteristics._purchases.spend_shares import level_columns
from custseg.characteristics._purchases.visits import (
    DAYPART_LENGTH,
    DAYPARTS,
    NEVER,
    Asked,
    Bought,
    LevelColumn,
    Visits,
    is_unknown,
)
from custseg.characteristics._records.exact_sum import ExactSum
from custseg.characteristics._records.ledger import NO_PERIOD
from custseg.characteristics._records.records import Records, as_whole
from custseg.characteristics._times.timestamps import DAY, HOUR, period_start


def visits_in_engine(records: Records, bought: Bought, asked: Asked, leveled: Sequence[LevelColumn]) -> Visits:
    """Add up the visits of each customer, and what was bought of each level of a text column.

    Parameters
    ----------
    records : Records
        The lines used.
    bought : Bought
        The lines that are purchases.
    asked : Asked
        What is wanted.
    leveled : sequence of LevelColumn
        The text columns that are wanted.

    Returns
    -------
    visits : Visits
        One entry per customer.
    """
    sums = asked.sums(records)
    query = _Query(records, bought, asked, sums)
    visits = records.kept(query.visits())
    customers = records.kept(query.customers(visits))
    wide = customers
    if asked.by_order:
        orders = visits.filter(nw.col("lines") > 0).select("customer", "order_id").unique()
        wide = _with(wide, orders.group_by("customer").agg(nw.len().alias("orders")))
    if asked.periods or asked.course:
        wide = _with(wide, query.course(visits, customers))
    counted = [name for name in wide.collect_schema().names() if name != "customer"]
    for column in leveled:
        wide = _with(wide, level_columns(bought.lines, column, sums))
    found = collect(wide).sort("customer")
    # a customer of returns alone has no order and no course
    found = found.with_columns(nw.col(name).fill_null(0) for name in counted)
    return Visits(found["customer"], {name: found[name].to_numpy() for name in found.columns}, sums)


def _with(customers: nw.LazyFrame[Any], more: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    return customers.join(more, on="customer", how="left")


def _parts(*names: str) -> list[str]:
    return [f"{name}_{part}" for name in names for part in ("high", "low")]


def _added_up(
    frame: nw.LazyFrame[Any],
    keys: Sequence[str],
    added: Sequence[str],
    *,
    least: Sequence[str] = (),
    most: Sequence[str] = (),
    n_rows: str | None = None,
) -> nw.LazyFrame[Any]:
    found = frame.group_by(*keys).agg(
        *(nw.col(name).sum() for name in added),
        *(nw.col(name).min() for name in least),
        *(nw.col(name).max() for name in most),
        *([] if n_rows is None else [nw.len().alias(n_rows)]),
    )
    return found if n_rows is None else found.with_columns(nw.col(n_rows).cast(nw.Int64))


@dataclass(frozen=True)
class _Query:
    """The steps from lines to customers."""

    records: Records
    bought: Bought
    asked: Asked
    sums: ExactSum

    @property
    def returns(self) -> bool:
        """Whether some of the lines are returns."""
        return self.bought.returns

    @property
    def added(self) -> list[str]:
        """The numbers of a line that are added up.

        Without returns, gross and net spend are the same, and every row is a line bought; without
        unknown discounts, so is the spend on lines of known discount.
        """
        return [
            *_parts("net"),
            *([*_parts("gross"), "lines"] if self.returns else []),
            *(_parts("off") if self.asked.discount else []),
            *(_parts("listed") if self.some_unlisted else []),
        ]

    @property
    def some_unlisted(self) -> bool:
        return self.asked.discount and self.bought.n_without["discount"] > 0

    def visits(self) -> nw.LazyFrame[Any]:
        """Add up the lines of each visit; a visit of returns alone has 0 ``lines``."""
        asked = self.asked
        keys = ["customer", "period", *(["order_id"] if asked.by_order else [])]
        read = ["amount", *(["wall"] if asked.clock or asked.came else []), *(["discount"] if asked.discount else [])]
        frame = self._line_numbers(self.records.frame.select(*keys, *read))
        least = [*(["clock"] if asked.clock else []), *(["came"] if asked.came else [])]
        visits = _added_up(frame, keys, self.added, least=least, n_rows="rows")
        return visits if self.returns else visits.with_columns(nw.col("rows").alias("lines"))

    def _line_numbers(self, frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        """Turn each line into whole numbers."""
        asked, is_bought = self.asked, nw.col("amount") >= 0
        if asked.clock:
            # a time at exactly midnight is a date without a time of day
            time = nw.col("wall") - (nw.col("wall") // DAY).cast(nw.Int64) * DAY
            known = (time > 0) & is_bought if self.returns else time > 0
            frame = frame.with_columns(nw.when(known).then(time).otherwise(nw.lit(DAY)).alias("clock"))
        if asked.came:
            frame = frame.with_columns(nw.when(is_bought).then(nw.col("wall")).otherwise(nw.lit(NEVER)).alias("came"))
        if self.returns:
            frame = frame.with_columns(as_whole(is_bought).alias("lines"))
        if asked.discount:
            frame = self._with_discount(frame, is_bought)
        frame = self.sums.split(frame).rename({"high": "net_high", "low": "net_low"})
        conditions = {"gross": "lines"} if self.returns else {}
        conditions |= {"listed": "known"} if self.some_unlisted else {}
        frame = frame.with_columns(
            nw.when(nw.col(flag) == 1).then(nw.col(f"net_{part}")).otherwise(nw.lit(0)).alias(f"{name}_{part}")
            for name, flag in conditions.items()
            for part in ("high", "low")
        )
        unused = {"wall", "amount", "known"} & set(frame.collect_schema().names())
        return frame.drop(*sorted(unused))

    def _with_discount(self, frame: nw.LazyFrame[Any], is_bought: nw.Expr) -> nw.LazyFrame[Any]:
        """Split what was taken off the lines bought."""
        frame = frame.with_columns(as_whole(~is_unknown("discount") & is_bought).alias("known"))
        off = nw.when(nw.col("known") == 1).then(nw.col("discount")).otherwise(nw.lit(0.0))
        frame = frame.with_columns(nw.col("amount").alias("paid"), off.alias("amount"))
        frame = self.sums.split(frame).rename({"high": "off_high", "low": "off_low"})
        return frame.with_columns(nw.col("paid").alias("amount")).drop("paid", "discount")

    def customers(self, visits: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        """Add up the visits of each customer."""
        asked, is_visit = self.asked, nw.col("lines") > 0
        marks = {"visits": is_visit} if self.returns else {}
        if asked.weekend:
            # 1970-01-01 was a Thursday
            since_monday = self._day() + 3
            marks["weekend"] = is_visit & (since_monday - (since_monday // 7).cast(nw.Int64) * 7 >= 5)
        if asked.clock:
            marks |= {
                part: (nw.col("clock") >= position * DAYPART_LENGTH)
                & (nw.col("clock") < (position + 1) * DAYPART_LENGTH)
                for position, part in enumerate(DAYPARTS)
            }
        visits = visits.with_columns(nw.col("period").alias("first"), nw.col("period").alias("last"))
        if self.returns:
            ends = {"first": nw.lit(NO_PERIOD), "last": nw.lit(-NO_PERIOD)}
            visits = visits.with_columns(
                nw.when(is_visit).then(nw.col("period")).otherwise(never).alias(name) for name, never in ends.items()
            )
        visits = visits.with_columns(as_whole(mark).alias(name) for name, mark in marks.items())
        customers = _added_up(
            visits,
            ["customer"],
            list(dict.fromkeys([*self.added, "rows", *marks])),
            least=["first"],
            most=["last"],
            n_rows=None if self.returns else "visits",
        )
        same = {} if self.returns else {"lines": "rows", "gross_high": "net_high", "gross_low": "net_low"}
        if asked.discount and not self.some_unlisted:
            spend = "gross" if self.returns else "net"
            same |= {f"listed_{part}": f"{spend}_{part}" for part in ("high", "low")}
        return customers.with_columns(nw.col(there).alias(name) for name, there in same.items())

    def _day(self) -> nw.Expr:
        if self.asked.came:
            return (nw.col("came") // DAY).cast(nw.Int64)
        return nw.col("period") if self.asked.period == "D" else (nw.col("period") // (DAY // HOUR)).cast(nw.Int64)

    def course(self, visits: nw.LazyFrame[Any], customers: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        """Follow each customer from period to period.

        Gives the number of ``periods`` (where orders hide it), the ``squared_gaps`` in hours, and the
        ``change``: spend in the recent half of the time since the first period, less that in the earlier half.
        """
        assert self.records.as_of is not None  # given, or taken from a usable row
        asked = self.asked
        spend = _parts("gross" if self.returns else "net")
        periods = visits.filter(nw.col("lines") > 0) if self.returns else visits
        periods = periods.select("customer", "period", *spend)
        if asked.by_order:
            periods = periods.group_by("customer", "period").agg(*(nw.col(name).sum() for name in spend))
        n_periods = "periods" if asked.periods else None
        if not asked.course:
            return _added_up(periods, ["customer"], [], n_rows=n_periods)
        since = period_start(nw.col("first"), asked.period)
        start = period_start(nw.col("period"), asked.period)
        # twice the time since the middle between the customer's first period and the reference time
        side = nw.col("start") * 2 - nw.col("since") - self.records.as_of.start(asked.period)
        periods = self.records.kept(periods.with_columns(start.cast(nw.Int64).alias("start")))
        firsts = customers.select("customer", since.cast(nw.Int64).alias("since"))
        followed = self._with_gaps(periods).join(firsts, on="customer")
        followed = followed.with_columns(
            nw.when(side > 0)
            .then(nw.col(part))
            .otherwise(nw.when(side < 0).then(nw.lit(0) - nw.col(part)).otherwise(nw.lit(0)))
            .alias(f"change_{part.rpartition('_')[2]}")
            for part in spend
        )
        followed = followed.with_columns((nw.col("gap") * nw.col("gap")).alias("squared_gaps"))
        added = [*_parts("change"), "squared_gaps"]
        return _added_up(followed, ["customer"], added, n_rows=n_periods)

    def _with_gaps(self, periods: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        """Add the time since the period before, 0 for the first one of a customer."""
        start = nw.col("start")
        if periods.implementation.is_dask():
            # dask has no windows: of all later periods of the same customer the least is the next one
            later = periods.select("customer", nw.col("start").alias("later"))
            pairs = periods.select("customer", "start").join(later, on="customer")
            pairs = pairs.filter(nw.col("later") > nw.col("start"))
            following = pairs.group_by("customer", "start").agg(nw.col("later").min())
            periods = periods.join(following, on=["customer", "start"], how="left")
            gap = nw.col("later").cast(nw.Float64) - nw.col("start").cast(nw.Float64)
            return periods.with_columns(gap.fill_null(0.0).alias("gap"))
        before = start.shift(1).over("customer", order_by="start")
        return periods.with_columns((start - before).fill_null(0).alias("gap"))

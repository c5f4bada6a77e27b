"""How each customer buys, in one query over the lines: lines -> visits -> customers.

A visit is all that a customer bought in one period (within one order, where there are order ids).
Everything that is added up is a whole number, so that the result is the same in any order of rows,
on any engine and any number of threads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import numpy.typing as npt

from custseg._core.frames import collect
from custseg.characteristics._purchases import ExactSum, Floats, Ints, PackedKey
from custseg.characteristics._records import Records, as_whole
from custseg.characteristics._spend_shares import LevelShares, level_columns
from custseg.characteristics._timestamps import DAY, HOUR, period_start
from custseg.characteristics._vocabulary import Vocabulary

# parts of the day of six hours each, from midnight on
DAYPARTS = ("night", "morning", "afternoon", "evening")
_PART = DAY // len(DAYPARTS)
# beyond any time, and beyond any period in hours: no purchase among the lines
_NEVER = 2**61
_NO_PERIOD = 2**40


@dataclass(frozen=True)
class Asked:
    """What is to be computed besides spend, lines and visits.

    Attributes
    ----------
    by_order : bool
        Whether there are order ids, so that an order is a purchase instead of a period.
    period : {"h", "D", "W", "M"}
        The length of a period.
    clock : bool
        Whether the part of the day is asked for.
    weekend : bool
        Whether the day of the week is asked for.
    gaps : bool
        Whether the mean gap is asked for.
    course : bool
        Whether the spread of the gaps or the trend is asked for.
    discount : bool
        Whether discounts are asked for.
    """

    by_order: bool
    period: str
    clock: bool
    weekend: bool
    gaps: bool
    course: bool
    discount: bool

    @property
    def came(self) -> bool:
        """Whether the period does not say the day."""
        return self.weekend and self.period in ("W", "M")

    @property
    def periods(self) -> bool:
        """Whether orders hide the number of periods."""
        return self.by_order and (self.course or self.gaps)


@dataclass(frozen=True)
class Bought:
    """The lines that are purchases, and what is not known of them.

    Attributes
    ----------
    lines : narwhals LazyFrame
        The lines used, without returns.
    returns : bool
        Whether there are returns besides them.
    n_lines : int
        The number of lines bought.
    n_without : dict of str to int
        Lines without a value of a field that not every line must have, by role.
    n_midnight : int
        Lines whose time is exactly midnight; 0 where no time of day was read.
    n_negative_discounts : int
        Lines with a discount below 0.
    """

    lines: nw.LazyFrame[Any]
    returns: bool
    n_lines: int
    n_without: Mapping[str, int]
    n_midnight: int
    n_negative_discounts: int

    @classmethod
    def of(cls, records: Records, levels: Sequence[str], *, returns: bool) -> Bought:
        """Count, in one pass over the lines.

        Parameters
        ----------
        records : Records
            The lines used.
        levels : sequence of str
            The roles of the text columns.
        returns : bool
            Whether some of the lines are returns.

        Returns
        -------
        bought : Bought
            The lines that are none.
        """
        lines = records.frame.filter(nw.col("amount") >= 0) if returns else records.frame
        schema = lines.collect_schema()
        flags = {f"no_{role}": nw.col(role).is_null() for role in levels}
        if "wall" in schema:
            flags["midnight"] = nw.col("wall") == (nw.col("wall") // DAY).cast(nw.Int64) * DAY
        if "discount" in schema:
            flags["no_discount"] = _unknown("discount")
            flags["negative"] = (~_unknown("discount") & (nw.col("discount") < 0)).fill_null(value=False)
        marked = lines.select(nw.lit(1).alias("lines"), *(as_whole(flag).alias(name) for name, flag in flags.items()))
        found = collect(marked.select(nw.col(name).sum() for name in ("lines", *flags)))
        # nothing added up is missing on some engines
        counts = {name: int(np.nan_to_num(float(found[name].item() or 0))) for name in found.columns}
        without = {name.removeprefix("no_"): n_rows for name, n_rows in counts.items() if name.startswith("no_")}
        return cls(lines, returns, counts["lines"], without, counts.get("midnight", 0), counts.get("negative", 0))


class Visits:
    """What every customer with at least one purchase has done, as arrays with one entry per customer.

    Parameters
    ----------
    found : narwhals DataFrame
        One row per customer, sorted, of the columns that the query gave.
    sums : ExactSum
        How amounts were split.
    n_idle_customers, n_idle_rows : int
        Customers that have only returns, and their lines: left out.
    """

    def __init__(self, found: nw.DataFrame[Any], sums: ExactSum, n_idle_customers: int, n_idle_rows: int) -> None:
        self.customers = found["customer"]
        self.sums = sums
        self.n_idle_customers = n_idle_customers
        self.n_idle_rows = n_idle_rows
        self._found = found

    def count(self, name: str) -> Ints:
        """Return a whole number that every customer has."""
        return np.asarray(self._found[name].to_numpy(), dtype=np.int64)

    def number(self, name: str) -> Floats:
        """Return a number that is NaN where a customer has none."""
        return np.asarray(self._found[name].cast(nw.Float64).to_numpy(), dtype=np.float64)

    def total(self, name: str) -> Floats:
        """Return a sum of amounts in the currency of the table."""
        return self.sums.total(self.count(f"{name}_high"), self.count(f"{name}_low"))

    def size(self, *names: str, less: str | None = None) -> Floats:
        """Return the total of sums of amounts on a scale that only ratios may be taken on."""
        parts = [np.sum([self.count(f"{name}_{part}") for name in names], axis=0) for part in ("high", "low")]
        if less is not None:
            parts = [total - self.count(f"{less}_{part}") for total, part in zip(parts, ("high", "low"), strict=True)]
        size: Floats = parts[0] + parts[1] * 2.0**-self.sums.low_bits
        return size

    def size_where_known(self, name: str) -> Floats:
        """Return a sum on the same scale; NaN where a customer has none."""
        return self.number(f"{name}_high") + self.number(f"{name}_low") * 2.0**-self.sums.low_bits


def visits_by_customer(
    records: Records, bought: Bought, asked: Asked, vocabularies: Mapping[str, Vocabulary], closed: Mapping[str, bool]
) -> Visits:
    """Add up the visits of each customer, and what was bought of each level of a text column.

    Parameters
    ----------
    records : Records
        The lines used.
    bought : Bought
        The lines that are purchases.
    asked : Asked
        What is wanted.
    vocabularies : mapping of str to Vocabulary
        The leading levels of the text columns that are wanted, by role.
    closed : mapping of str to bool
        Whether those columns hold only levels that their vocabulary knows.

    Returns
    -------
    visits : Visits
        One entry per customer.
    """
    largest = max(records.largest["amount"], records.largest["discount"] if asked.discount else 0.0)
    sums = ExactSum.over(largest, records.n_rows)
    query = _Query(records, bought, asked, sums)
    visits = records.kept(query.visits())
    customers = records.kept(query.customers(visits))
    wide = customers
    if asked.by_order:
        orders = visits.filter(nw.col("lines") > 0).select("customer", "order_id").unique()
        wide = _with(wide, orders.group_by("customer").agg(nw.len().alias("orders")))
    if asked.periods or asked.course:
        wide = _with(wide, query.course(visits, customers))
    wide = wide.with_columns(nw.col("customer").cast(records.frame.collect_schema()["customer"]))
    for role, vocabulary in vocabularies.items():
        wide = _with(wide, level_columns(bought.lines, LevelShares(role, vocabulary, sums, closed[role]), records))
    found = collect(wide).sort("customer")
    n_idle_customers = n_idle_rows = 0
    if query.returns:
        idle = found.filter(nw.col("visits") == 0)
        n_idle_customers, n_idle_rows = len(idle), int(idle["rows"].to_numpy().sum())
        found = found.filter(nw.col("visits") > 0)
    return Visits(found, sums, n_idle_customers, n_idle_rows)


def _with(customers: nw.LazyFrame[Any], more: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    return customers.join(more, on="customer", how="left")


def _unknown(name: str) -> nw.Expr:
    return (nw.col(name).is_null() | nw.col(name).is_nan()).fill_null(value=True)


def _runs(
    rows: nw.DataFrame[Any], key: str, wanted: Mapping[np.ufunc, Sequence[str]], n_rows: str | None
) -> nw.DataFrame[Any]:
    """Add up the runs of equal keys of sorted rows.

    With millions of groups, sorting by a whole number and adding up what then stands together takes
    half the time of a hash table, and leaves the groups in order for the next step.
    """
    keys = rows[key].to_numpy()
    starts = _firsts(keys)
    columns = {key: keys[starts]}
    for ufunc, names in wanted.items():
        columns |= {name: ufunc.reduceat(rows[name].to_numpy(), starts) if len(keys) else keys for name in names}
    if n_rows is not None:
        columns[n_rows] = np.diff(np.append(starts, len(keys)))
    return nw.from_dict(columns, backend=rows.implementation)


def _since_and_gaps(periods: nw.DataFrame[Any]) -> nw.DataFrame[Any]:
    """Add the start of the customer's first period, and the time since the one before, to periods in order."""
    customer, start = periods["customer"].to_numpy(), periods["start"].to_numpy()
    firsts = _firsts(customer)
    gap = np.diff(start, prepend=start[:1])
    gap[firsts] = 0
    since = np.repeat(start[firsts], np.diff(np.append(firsts, len(start))))
    columns = {"gap": gap, "since": since}
    return periods.with_columns(
        nw.new_series(name, values, nw.Int64, backend=periods.implementation) for name, values in columns.items()
    )


def _firsts(keys: npt.NDArray[Any]) -> Ints:
    """Return where a run of equal keys begins."""
    return np.flatnonzero(np.append(np.ones(min(len(keys), 1), dtype=bool), keys[1:] != keys[:-1]))


def _parts(*names: str) -> list[str]:
    return [f"{name}_{part}" for name in names for part in ("high", "low")]


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

    @property
    def ordered(self) -> bool:
        """Whether the visits are put in the order of customers and periods."""
        return self.records.in_memory and not self.asked.by_order and PackedKey.of(self.records) is not None

    def visits(self) -> nw.LazyFrame[Any]:
        """Add up the lines of each visit; a visit of returns alone has 0 ``lines``."""
        asked = self.asked
        keys = ["customer", "period", *(["order_id"] if asked.by_order else [])]
        read = ["amount", *(["wall"] if asked.clock or asked.came else []), *(["discount"] if asked.discount else [])]
        frame = self._line_numbers(self.records.frame.select(*keys, *read))
        least = [*(["clock"] if asked.clock else []), *(["came"] if asked.came else [])]
        packing = PackedKey.of(self.records)
        if packing is not None:
            frame = packing.pack(frame)
            keys = ["key", *keys[2:]]
        visits = self.added_up(frame, keys, self.added, least=least, n_rows="rows")
        if not self.returns:
            visits = visits.with_columns(nw.col("rows").alias("lines"))
        if packing is None:
            return visits
        return packing.unpack(visits)

    def added_up(
        self,
        frame: nw.LazyFrame[Any],
        keys: Sequence[str],
        added: Sequence[str],
        *,
        least: Sequence[str] = (),
        most: Sequence[str] = (),
        n_rows: str | None = None,
    ) -> nw.LazyFrame[Any]:
        """Add up whole numbers by keys; in memory the result is in the order of the key."""
        if self.ordered:
            (key,) = keys
            rows = frame.collect()
            rows = rows if key == "customer" else rows.sort(key)
            return _runs(rows, key, {np.add: added, np.minimum: least, np.maximum: most}, n_rows).lazy()
        found = frame.group_by(*keys).agg(
            *(nw.col(name).sum() for name in added),
            *(nw.col(name).min() for name in least),
            *(nw.col(name).max() for name in most),
            *([] if n_rows is None else [nw.len().alias(n_rows)]),
        )
        return found if n_rows is None else found.with_columns(nw.col(n_rows).cast(nw.Int64))

    def _line_numbers(self, frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        """Turn each line into whole numbers."""
        asked, is_bought = self.asked, nw.col("amount") >= 0
        if asked.clock:
            # a time at exactly midnight is a date without a time of day
            time = nw.col("wall") - (nw.col("wall") // DAY).cast(nw.Int64) * DAY
            known = (time > 0) & is_bought if self.returns else time > 0
            frame = frame.with_columns(nw.when(known).then(time).otherwise(nw.lit(DAY)).alias("clock"))
        if asked.came:
            frame = frame.with_columns(nw.when(is_bought).then(nw.col("wall")).otherwise(nw.lit(_NEVER)).alias("came"))
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
        frame = frame.with_columns(as_whole(~_unknown("discount") & is_bought).alias("known"))
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
                part: (nw.col("clock") >= position * _PART) & (nw.col("clock") < (position + 1) * _PART)
                for position, part in enumerate(DAYPARTS)
            }
        visits = visits.with_columns(nw.col("period").alias("first"), nw.col("period").alias("last"))
        if self.returns:
            ends = {"first": nw.lit(_NO_PERIOD), "last": nw.lit(-_NO_PERIOD)}
            visits = visits.with_columns(
                nw.when(is_visit).then(nw.col("period")).otherwise(never).alias(name) for name, never in ends.items()
            )
        visits = visits.with_columns(as_whole(mark).alias(name) for name, mark in marks.items())
        customers = self.added_up(
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
            return self.added_up(periods, ["customer"], [], n_rows=n_periods)
        since = period_start(nw.col("first"), asked.period)
        start = period_start(nw.col("period"), asked.period)
        # twice the time since the middle between the customer's first period and the reference time
        side = nw.col("start") * 2 - nw.col("since") - self.records.as_of.start(asked.period)
        periods = self.records.kept(periods.with_columns(start.cast(nw.Int64).alias("start")))
        if self.ordered:
            followed = _since_and_gaps(periods.collect()).lazy()
        else:
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
        return self.added_up(followed, ["customer"], added, n_rows=n_periods)

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

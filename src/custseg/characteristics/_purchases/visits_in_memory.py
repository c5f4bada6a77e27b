"""How each customer buys, from lines in memory: the sums of ``_visits_in_engine``, without a table in between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from custseg._core.arrays import Bools, Integers
from custseg.characteristics._purchases.visits import (
    DAYPART_LENGTH,
    DAYPARTS,
    NEVER,
    Asked,
    Bought,
    LevelColumn,
    Visits,
)
from custseg.characteristics._records.exact_sum import ExactSum
from custseg.characteristics._records.ledger import Block, Numbers, Visited
from custseg.characteristics._records.records import Records
from custseg.characteristics._times.timestamps import DAY, HOUR, period_start

# of each amount, and of their sums
Parts = tuple[Integers, Integers]

# so many levels get a place for each customer; of more, few occur
_FEW_LEVELS = 32


def visits_in_memory(records: Records, bought: Bought, asked: Asked, leveled: Sequence[LevelColumn]) -> Visits:
    """Add up the visits of each customer, and what was bought of each level of a text column.

    Parameters
    ----------
    records : Records
        The lines used: in memory, at least one.
    bought : Bought
        The lines that are purchases.
    asked : Asked
        What is wanted; no order ids.
    leveled : sequence of LevelColumn
        The text columns that are wanted.

    Returns
    -------
    visits : Visits
        One entry per customer.
    """
    sums = asked.sums(records)
    names = ["amount", *(["wall"] if asked.clock or asked.came else []), *(["discount"] if asked.discount else [])]
    levels = {column.role: _levels(records, column) for column in leveled}
    ledger = records.ledger
    columns = ledger.numbers(names) | ledger.positions(levels)
    shares = [_LevelSpend.of(column, levels[column.role], sums) for column in leveled]
    work = _Work(columns, records, bought, asked, sums, shares)
    customers, found = ledger.by_customer(work.describe)
    return Visits(customers, found, sums)


def _levels(records: Records, column: LevelColumn) -> list[str]:
    """Return every level that occurs."""
    if column.closed and column.vocabulary.known is not None:
        return list(column.vocabulary.known)
    return [level for level in records.ledger.frame[column.role].unique().to_list() if level is not None]


@dataclass(frozen=True)
class _Work:
    """Adds up the lines of a block of customers."""

    columns: Mapping[str, Numbers]
    records: Records
    bought: Bought
    asked: Asked
    sums: ExactSum
    shares: Sequence[_LevelSpend]

    def describe(self, block: Block) -> dict[str, Numbers]:
        """Return what ``Visits`` holds, one value for each customer of the block."""
        asked = self.asked
        amount = block.of(self.columns["amount"])
        net = self.sums.parts(amount)
        gross, is_bought = net, np.ones(len(amount), dtype=bool)
        if self.bought.returns:
            is_bought = amount >= 0
            gross = _only(is_bought, net)
        visited = block.visited(is_bought)
        found: dict[str, Numbers] = {
            "rows": block.n_lines,
            "lines": block.add_up(is_bought) if self.bought.returns else block.n_lines,
            "visits": visited.frequency,
            "first": visited.first,
            "last": visited.last,
            **_added_up("net", net, block),
            **_added_up("gross", gross, block),
        }
        if asked.discount:
            found |= self._discount(block, gross, is_bought, found)
        if asked.clock:
            found |= self._dayparts(block, is_bought)
        if asked.weekend:
            found["weekend"] = block.add_up_visits(visited.is_visit & self._on_weekend(block, is_bought))
        if asked.course:
            found |= self._course(block, gross, visited)
        for share in self.shares:
            found |= share.describe(block, block.of(self.columns[share.role]), gross, is_bought)
        return found

    def _discount(
        self, block: Block, gross: Parts, is_bought: Bools, found: Mapping[str, Numbers]
    ) -> dict[str, Numbers]:
        discount = block.of(self.columns["discount"])
        known = ~np.isnan(discount) & is_bought
        off = _added_up("off", self.sums.parts(np.where(known, discount, 0.0)), block)
        if self.bought.n_without["discount"]:
            return off | _added_up("listed", _only(known, gross), block)
        return off | {f"listed_{part}": found[f"gross_{part}"] for part in ("high", "low")}

    def _dayparts(self, block: Block, is_bought: Bools) -> dict[str, Numbers]:
        wall = block.of(self.columns["wall"])
        # several times faster than %
        time = wall - wall // DAY * DAY
        # a time at exactly midnight is a date without a time of day
        clock = np.minimum.reduceat(np.where((time > 0) & is_bought, time, DAY), block.visits)
        n_parts = len(DAYPARTS) + 1
        cell = block.customer_of_visit * n_parts + clock // DAYPART_LENGTH
        counts = np.bincount(cell, minlength=len(block.firsts) * n_parts).reshape(-1, n_parts)
        return {name: counts[:, position] for position, name in enumerate(DAYPARTS)}

    def _on_weekend(self, block: Block, is_bought: Bools) -> Bools:
        if self.asked.came:
            wall = np.where(is_bought, block.of(self.columns["wall"]), NEVER)
            day = np.minimum.reduceat(wall, block.visits) // DAY
        else:
            period = block.period[block.visits]
            day = period if self.asked.period == "D" else period // (DAY // HOUR)
        # 1970-01-01 was a Thursday
        on_weekend: Bools = (day + 3) % 7 >= 5
        return on_weekend

    def _course(self, block: Block, gross: Parts, visited: Visited) -> dict[str, Numbers]:
        assert self.records.as_of is not None  # there is a line
        period = self.asked.period
        customer = block.customer_of_visit
        start = period_start(block.period[block.visits], period)
        since = period_start(np.where(visited.frequency == 0, 0, visited.first), period)
        # twice the time since the middle between the customer's first period and the reference time
        side = np.sign(2 * start - since[customer] - self.records.as_of.start(period))
        high, low = (np.add.reduceat(part, block.visits) for part in gross)
        came, comer = start[visited.is_visit], customer[visited.is_visit]
        gap = np.diff(came, prepend=came[:1])
        gap[np.flatnonzero(comer[1:] != comer[:-1]) + 1] = 0
        squared = np.zeros(len(since), dtype=np.int64)
        np.add.at(squared, comer, gap * gap)
        return {
            "squared_gaps": squared,
            "change_high": block.add_up_visits(side * high),
            "change_low": block.add_up_visits(side * low),
        }


@dataclass(frozen=True)
class _LevelSpend:
    """Adds up the spend on each level of a text column; levels are known by their position."""

    role: str
    n_levels: int
    leading: Sequence[int]
    sums: ExactSum

    @classmethod
    def of(cls, column: LevelColumn, levels: Sequence[str], sums: ExactSum) -> _LevelSpend:
        position = {level: position for position, level in enumerate(levels)}
        # a leading level need not occur in these lines
        leading = [position.get(level, -1) for level in column.vocabulary.levels]
        return cls(column.role, len(levels), leading, sums)

    def describe(self, block: Block, level: Integers, gross: Parts, is_bought: Bools) -> dict[str, Numbers]:
        """Return what is known of the levels, one value for each customer; NaN where no level is known."""
        n_customers = len(block.firsts)
        known = is_bought & (level < self.n_levels)
        cell = (block.for_each_line(np.arange(n_customers)) * self.n_levels + level)[known]
        cells, place = self._cells(cell, n_customers)
        high, low = (_summed(place, part[known], len(cells)) for part in gross)
        customer = cells // max(self.n_levels, 1)
        level = cells - customer * self.n_levels
        n_known = np.bincount(customer, minlength=n_customers)
        size = high + low * 2.0**-self.sums.low_bits
        top = np.zeros(n_customers)
        np.maximum.at(top, customer, size)
        found: dict[str, Numbers] = {
            "n": n_known,
            "top": top,
            "high": _summed(customer, high, n_customers),
            "low": _summed(customer, low, n_customers),
        }
        others = np.ones(len(cells), dtype=bool)
        for position, leading in enumerate(self.leading):
            of_level = level == leading
            others &= ~of_level
            spent = np.zeros(n_customers)
            spent[customer[of_level]] = size[of_level]
            found[f"level_{position}"] = spent
        found |= {
            f"other_{part}": _summed(customer[others], of[others], n_customers)
            for part, of in (("high", high), ("low", low))
        }
        return {f"{self.role}_{name}": np.where(n_known > 0, values, np.nan) for name, values in found.items()}

    def _cells(self, cell: Integers, n_customers: int) -> tuple[Integers, Integers]:
        """Return the customers' levels that occur, in order, and where each line falls."""
        if self.n_levels > _FEW_LEVELS:
            cells, place = np.unique(cell, return_inverse=True)
            return cells, place
        occurs = np.bincount(cell, minlength=n_customers * self.n_levels) > 0
        return np.flatnonzero(occurs), (np.cumsum(occurs) - 1).take(cell)


def _only(condition: Bools, parts: Parts) -> Parts:
    high, low = parts
    return np.where(condition, high, 0), np.where(condition, low, 0)


def _added_up(name: str, parts: Parts, block: Block) -> dict[str, Numbers]:
    return {f"{name}_{part}": block.add_up(values) for part, values in zip(("high", "low"), parts, strict=True)}


def _summed(place: Integers, values: Integers, n_places: int) -> Integers:
    total = np.zeros(n_places, dtype=np.int64)
    np.add.at(total, place, values)
    return total

"""Lines in memory, in blocks of whole customers, in each block in the order of customers and periods.

What is computed block by block stays in the processor's cache, and what belongs together stands
together. That takes a fraction of the time of grouping tables.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import numpy.typing as npt

from custseg._core.arrays import Integers
from custseg._core.in_threads import in_threads
from custseg.characteristics._records.blocks import BLOCK, mixed, sort_by_counting

Numbers = npt.NDArray[Any]

# columns that say nothing which the moment does not say
DERIVED = ("period", "wall")
# enough to tell the lines of one customer and period apart
_MOST_REST_BITS = 32
# beyond any period
NO_PERIOD = 2**40


@dataclass(frozen=True)
class Visited:
    """The visits of a block on which something was bought.

    Attributes
    ----------
    is_visit : ndarray of bool
        Which of the block's visits they are.
    frequency : ndarray of int64
        Their number, for each customer.
    first, last : ndarray of int64
        The periods of the first and last one of each customer; ``NO_PERIOD`` and less it where there is none.
    """

    is_visit: npt.NDArray[np.bool_]
    frequency: Integers
    first: Integers
    last: Integers


@dataclass(frozen=True)
class Block:
    """All lines of some customers, in the order of customers and periods.

    Attributes
    ----------
    rows : ndarray of int64
        Where each line stands in the table.
    period : ndarray of int64
        The period of each line.
    firsts : ndarray of int64
        The first line of each customer.
    visits : ndarray of int64
        The first line of each visit: of all lines of a customer in one period.
    first_visits : ndarray of int64
        The first visit of each customer.
    customer_of_visit : ndarray of int64
        Whose each visit is: 0 for the first customer of the block.
    """

    rows: Integers
    period: Integers
    firsts: Integers
    visits: Integers
    first_visits: Integers
    customer_of_visit: Integers

    def of(self, column: Numbers) -> Numbers:
        """Return the values of the block's lines in a column of the whole table."""
        # faster than column[rows]
        return column.take(self.rows)

    @property
    def n_lines(self) -> Integers:
        """The number of lines of each customer."""
        return np.diff(self.firsts, append=len(self.period))

    def add_up(self, lines: Numbers) -> Integers:
        """Add up whole numbers, or count what is true, over the lines of each customer."""
        return np.add.reduceat(lines, self.firsts, dtype=np.int64)

    def add_up_each_visit(self, lines: Numbers) -> Integers:
        """Add up whole numbers over the lines of each visit."""
        return np.add.reduceat(lines, self.visits, dtype=np.int64)

    def add_up_visits(self, visits: Numbers) -> Integers:
        """Add up whole numbers, or count what is true, over the visits of each customer."""
        return np.add.reduceat(visits, self.first_visits, dtype=np.int64)

    def visited(self, is_bought: npt.NDArray[np.bool_]) -> Visited:
        """Tell the visits with a line bought from those of returns alone."""
        is_visit = np.logical_or.reduceat(is_bought, self.visits)
        period = self.period[self.visits]
        first = np.minimum.reduceat(np.where(is_visit, period, NO_PERIOD), self.first_visits)
        last = np.maximum.reduceat(np.where(is_visit, period, -NO_PERIOD), self.first_visits)
        return Visited(is_visit, self.add_up_visits(is_visit), first, last)

    def for_each_line(self, customers: Numbers) -> Numbers:
        """Give each line the value of its customer."""
        return np.repeat(customers, self.n_lines)


class Ledger:
    """The lines.

    Parameters
    ----------
    frame : narwhals DataFrame
        At least one line: ``customer``, ``period`` (whole number) and other columns.
    customers : tuple of int or None
        Lowest and highest customer id, where ids are numbers.
    periods : tuple of int
        Lowest and highest period.

    Attributes
    ----------
    frame : narwhals DataFrame
        The lines, in the order of the table.
    parts : list of Part
        All of them, divided by customers.
    """

    def __init__(self, frame: nw.DataFrame[Any], customers: tuple[int, int] | None, periods: tuple[int, int]) -> None:
        self.frame = frame
        self._read: dict[str, Numbers] = {}
        self._first_period = periods[0]
        self._n_periods = periods[1] - periods[0] + 1
        self._period_bits = (self._n_periods - 1).bit_length()
        self._ids = _Ids(frame["customer"], customers, self._period_bits)
        # what customer and period leave of a whole number tells lines apart
        self._rest_bits = min(63 - (self._ids.n_codes << self._period_bits).bit_length(), _MOST_REST_BITS)
        self.parts = self._divided()

    def numbers(self, names: Sequence[str]) -> dict[str, Numbers]:
        """Return columns of numbers."""
        # copies, where the frame is in several chunks
        new = [name for name in names if name not in self._read]
        read = in_threads(lambda name: self.frame[name].to_numpy(), new, n_rows=len(self.frame))
        self._read |= zip(new, read, strict=True)
        return {name: self._read[name] for name in names}

    def positions(self, levels: Mapping[str, Sequence[str]]) -> dict[str, Numbers]:
        """Return where the text of each line stands among the levels of its column; a null gives their number."""
        return _positions(self.frame.select(*levels), levels)

    def by_customer(
        self, describe: Callable[[Block], Mapping[str, Numbers]]
    ) -> tuple[nw.Series[Any], dict[str, Numbers]]:
        """Describe the customers.

        Parameters
        ----------
        describe : callable
            Takes a block, gives one value per customer for each name.

        Returns
        -------
        ids : narwhals Series
            The customers, sorted.
        columns : dict of str to ndarray
            The values of all of them.
        """

        def describe_block(part: Part) -> tuple[Integers, Mapping[str, Numbers]]:
            customers, block = self._block(part)
            return customers, describe(block)

        done = in_threads(describe_block, self.parts, n_rows=len(self.frame))
        names = list(done[0][1])
        joined = in_threads(
            lambda name: np.concatenate([found[name] for _, found in done]), names, n_rows=len(self.frame)
        )
        columns = dict(zip(names, joined, strict=True))
        return self._ids.of(np.concatenate([customers for customers, _ in done])), columns

    def _divided(self) -> list[Part]:
        keys = self._keys()
        # as many customers together as have about so many lines
        bits = max((self._ids.n_codes * BLOCK // len(keys)).bit_length() - 1, 0)
        n_parts = ((self._ids.n_codes - 1) >> bits) + 1
        numbers: Integers = np.empty(len(keys), dtype=np.int32 if n_parts < 2**31 else np.int64)
        np.right_shift(keys, bits + self._period_bits + self._rest_bits, out=numbers, casting="unsafe")
        rows, ends, keys = sort_by_counting(numbers, n_parts, keys)
        return [
            Part(rows[start:end], keys[start:end], number << bits, 1 << bits)
            for number, (start, end) in enumerate(pairwise(ends.tolist()))
            if start < end
        ]

    def _keys(self) -> Integers:
        """Write customer, period and the rest of each line into one whole number."""
        frame = self.frame
        rest = [name for name in frame.columns if name not in DERIVED and frame[name].dtype.is_numeric()]
        read = self.numbers(["period", *(name for name in rest if name != "customer")])
        period, columns = read.pop("period"), list(read.values())
        keys = self._ids.taken_codes()
        for start in range(0, len(keys), BLOCK):
            lines = slice(start, start + BLOCK)
            keys[lines] <<= self._period_bits
            keys[lines] += period[lines]
            keys[lines] -= self._first_period
            keys[lines] <<= self._rest_bits
            keys[lines] |= mixed([column[lines] for column in columns], self._rest_bits)
        return keys

    def _block(self, part: Part) -> tuple[Integers, Block]:
        """Put the lines of some customers in order."""
        period = part.keys >> self._rest_bits
        customer = period >> self._period_bits
        period -= customer << self._period_bits
        customer -= part.first_code
        if max(part.n_codes, self._n_periods) <= 4 * len(part.rows):
            by_period, _, customer = sort_by_counting(period, self._n_periods, customer)
            _, ends, order = sort_by_counting(customer, part.n_codes, by_period)
            customers = np.flatnonzero(np.diff(ends))
            firsts = ends[customers]
        else:
            order = np.lexsort((period, customer))
            customers, firsts = np.unique(customer[order], return_index=True)
        period = period.take(order)
        period += self._first_period
        opens = np.append(True, period[1:] != period[:-1])
        opens[firsts] = True
        visits = np.flatnonzero(opens)
        first_visits = np.searchsorted(visits, firsts)
        block = Block(
            rows=part.rows.take(order),
            period=period,
            firsts=firsts,
            visits=visits,
            first_visits=first_visits,
            customer_of_visit=np.repeat(np.arange(len(firsts)), np.diff(first_visits, append=len(visits))),
        )
        return customers + part.first_code, block


@dataclass(frozen=True)
class Part:
    """All lines of some customers whose numbers follow each other, in the order of the table.

    Attributes
    ----------
    rows : ndarray of int64
        Where each line stands in the table.
    keys : ndarray of int64
        A number for each line, the same for lines that are equal in all columns, text aside.
    first_code, n_codes : int
        The number of the first customer, and how many numbers there are.
    """

    rows: Integers
    keys: Integers
    first_code: int
    n_codes: int


class _Ids:
    """Customers as whole numbers from 0 on, in the order of their ids."""

    def __init__(self, ids: nw.Series[Any], span: tuple[int, int] | None, period_bits: int) -> None:
        self._ids = ids
        self._distinct: nw.Series[Any] | None = None
        if span is not None and (span[1] - span[0] + 1) << period_bits < 2**62:
            self._lowest = span[0]
            self.n_codes = span[1] - span[0] + 1
            values = ids.to_numpy()
            wide = values.astype(np.uint64 if values.dtype.kind == "u" else np.int64, copy=False)
            self._codes: Integers = (wide - span[0]).astype(np.int64, copy=False)
        else:
            self._distinct = ids.unique().sort()
            self.n_codes = len(self._distinct)
            codes = _positions(ids.to_frame(), {ids.name: self._distinct.to_list()})[ids.name]
            self._codes = codes.astype(np.int64)

    def taken_codes(self) -> Integers:
        """Hand out the number of each line's customer, an array to be overwritten."""
        codes, self._codes = self._codes, np.empty(0, dtype=np.int64)
        return codes

    def of(self, codes: Integers) -> nw.Series[Any]:
        """Return the ids."""
        if self._distinct is not None:
            known: nw.Series[Any] = self._distinct[codes.tolist()]
            return known
        wide = np.uint64 if self._lowest > 0 else np.int64
        values = codes.astype(wide) + self._lowest
        return nw.new_series("customer", values, backend=self._ids.implementation).cast(self._ids.dtype)


def _positions(frame: nw.DataFrame[Any], levels: Mapping[str, Sequence[Any]]) -> dict[str, Numbers]:
    """Return where each value stands among the levels of its column; whatever else there is gives their number."""
    # small numbers: they are read in no order
    sizes = {name: np.min_scalar_type(len(known)) for name, known in levels.items()}
    if frame.implementation.is_polars() and all(dtype == nw.String for dtype in frame.schema.values()):
        # twice as fast as replacing the text, and of all columns at once
        polars = frame.implementation.to_native_namespace()
        codes = (
            polars.col(name)
            .cast(polars.Enum(known), strict=False)
            .to_physical()
            .cast(getattr(polars, f"UInt{8 * sizes[name].itemsize}"))
            .fill_null(len(known))
            for name, known in levels.items()
        )
        found = frame.to_native().select(codes)
        return {name: found[name].to_numpy() for name in levels}
    return {name: _replaced(frame[name], list(known)).astype(sizes[name]) for name, known in levels.items()}


def _replaced(column: nw.Series[Any], levels: list[Any]) -> Integers:
    if not levels:
        return np.zeros(len(column), dtype=np.int64)
    found = column.replace_strict(levels, list(range(len(levels))), default=len(levels), return_dtype=nw.Int64)
    return np.asarray(found.to_numpy(), dtype=np.int64)

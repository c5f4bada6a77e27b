"""Lines in memory, in blocks of whole customers, in each block in the order of customers and periods.

What is computed block by block stays in the processor's cache, and what belongs together stands
together. That takes a fraction of the time of grouping tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import numpy.typing as npt
from joblib import Parallel, delayed
from scipy.sparse import csr_array

from custseg.characteristics._records import Records

Ints = npt.NDArray[np.int64]
Numbers = npt.NDArray[Any]

# lines: few enough for the cache, enough that a step in Python costs nothing
_BLOCK = 2**16


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
    frequency: Ints
    first: Ints
    last: Ints


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

    rows: Ints
    period: Ints
    firsts: Ints
    visits: Ints
    first_visits: Ints
    customer_of_visit: Ints

    @property
    def n_lines(self) -> Ints:
        """The number of lines of each customer."""
        return np.diff(self.firsts, append=len(self.period))

    def add_up(self, lines: Numbers) -> Ints:
        """Add up whole numbers, or count what is true, over the lines of each customer."""
        return np.add.reduceat(lines, self.firsts, dtype=np.int64)

    def add_up_visits(self, visits: Numbers) -> Ints:
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
    records : Records
        The lines used; in memory, at least one.
    names : sequence of str
        The columns wanted besides customer and period: numbers.
    levels : mapping of str to sequence of str, optional
        The text columns wanted, each with its levels. They become positions in these
        levels; a null, or a level not given, becomes their number.

    Attributes
    ----------
    columns : dict of str to ndarray
        The columns wanted, in the order of the table.
    """

    def __init__(
        self, records: Records, names: Sequence[str], levels: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        assert records.periods is not None  # there is a line
        levels = levels or {}
        frame = records.frame.select("customer", "period", *names, *levels).collect()
        self.columns: dict[str, Numbers] = {name: frame[name].to_numpy() for name in names}
        self.columns |= {role: _positions(frame[role], known) for role, known in levels.items()}
        self._first_period, last_period = records.periods
        self._n_periods = last_period - self._first_period + 1
        self._ids = _Ids(frame["customer"], records.customers, self._n_periods)
        self._keys = self._ids.codes * self._n_periods
        self._keys += np.asarray(frame["period"].to_numpy(), dtype=np.int64) - self._first_period

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

        def describe_block(part: _Part) -> tuple[Ints, Mapping[str, Numbers]]:
            customers, block = self._block(part)
            return customers, describe(block)

        # each block by itself, so that neither the number of threads nor their order can matter
        done = Parallel(n_jobs=-1, backend="threading")(delayed(describe_block)(part) for part in self._parts())
        columns = {name: np.concatenate([found[name] for _, found in done]) for name in done[0][1]}
        return self._ids.of(np.concatenate([customers for customers, _ in done])), columns

    def _parts(self) -> Iterator[_Part]:
        """Divide the lines by customers."""
        codes = self._ids.codes
        # as many customers together as have about so many lines
        bits = max((self._ids.n_codes * _BLOCK // len(codes)).bit_length() - 1, 0)
        rows, ends, keys = _counted(codes >> bits, ((self._ids.n_codes - 1) >> bits) + 1, self._keys)
        for number in np.flatnonzero(np.diff(ends)).tolist():
            part = slice(ends[number], ends[number + 1])
            yield _Part(rows[part], keys[part], number << bits, 1 << bits)

    def _block(self, part: _Part) -> tuple[Ints, Block]:
        """Put the lines of some customers in order."""
        customer = part.keys // self._n_periods
        period = part.keys - customer * self._n_periods
        customer -= part.first_code
        if max(part.n_codes, self._n_periods) <= 4 * len(part.rows):
            by_period, _, customer = _counted(period, self._n_periods, customer)
            _, ends, order = _counted(customer, part.n_codes, by_period)
            customers = np.flatnonzero(np.diff(ends))
            firsts = ends[customers]
        else:
            order = np.lexsort((period, customer))
            customers, firsts = np.unique(customer[order], return_index=True)
        period = period[order]
        period += self._first_period
        opens = np.append(True, period[1:] != period[:-1])
        opens[firsts] = True
        visits = np.flatnonzero(opens)
        first_visits = np.searchsorted(visits, firsts)
        block = Block(
            rows=part.rows[order],
            period=period,
            firsts=firsts,
            visits=visits,
            first_visits=first_visits,
            customer_of_visit=np.repeat(np.arange(len(firsts)), np.diff(first_visits, append=len(visits))),
        )
        return customers + part.first_code, block


@dataclass(frozen=True)
class _Part:
    """The lines of customers whose numbers follow each other: where they stand, and their keys."""

    rows: Ints
    keys: Ints
    first_code: int
    n_codes: int


def _counted(numbers: Ints, n_numbers: int, carried: Ints) -> tuple[Ints, Ints, Ints]:
    """Sort by small whole numbers.

    A sparse matrix is brought into the order of its rows by counting, several times faster than any
    comparison sorts.

    Returns
    -------
    rows : ndarray of int64
        Where each line stood; lines of equal numbers keep their order.
    ends : ndarray of int64
        Where the lines of each number begin, and the number of lines.
    carried : ndarray of int64
        Another column, sorted likewise.
    """
    n_lines = len(numbers)
    dtype = np.int32 if max(n_numbers, n_lines) < 2**31 else np.int64
    places = (numbers.astype(dtype), np.arange(n_lines, dtype=dtype))
    matrix = csr_array((carried, places), shape=(n_numbers, n_lines))
    return matrix.indices.astype(np.int64), matrix.indptr.astype(np.int64), matrix.data


class _Ids:
    """Customers as whole numbers from 0 on, in the order of their ids."""

    def __init__(self, ids: nw.Series[Any], span: tuple[int, int] | None, n_periods: int) -> None:
        self._ids = ids
        self._distinct: nw.Series[Any] | None = None
        if span is not None and (span[1] - span[0] + 1) * n_periods < 2**62:
            self._lowest = span[0]
            self.n_codes = span[1] - span[0] + 1
            values = ids.to_numpy()
            wide = values.astype(np.uint64 if values.dtype.kind == "u" else np.int64, copy=False)
            self.codes: Ints = (wide - span[0]).astype(np.int64, copy=False)
        else:
            self._distinct = ids.unique().sort()
            self.n_codes = len(self._distinct)
            self.codes = _positions(ids, self._distinct.to_list())

    def of(self, codes: Ints) -> nw.Series[Any]:
        """Return the ids."""
        if self._distinct is not None:
            known: nw.Series[Any] = self._distinct[codes.tolist()]
            return known
        wide = np.uint64 if self._lowest > 0 else np.int64
        values = codes.astype(wide) + self._lowest
        return nw.new_series("customer", values, backend=self._ids.implementation).cast(self._ids.dtype)


def _positions(column: nw.Series[Any], levels: Sequence[Any]) -> Ints:
    """Return where each value stands among the levels; whatever else there is gives their number."""
    n_levels = len(levels)
    if not levels:
        return np.zeros(len(column), dtype=np.int64)
    found = column.replace_strict(list(levels), list(range(n_levels)), default=n_levels, return_dtype=nw.Int64)
    return np.asarray(found.to_numpy(), dtype=np.int64)

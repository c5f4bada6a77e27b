"""What is known of how each customer buys: what is asked for, the lines that count, and what they add up to.

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

from custseg._core.arrays import Floats, Integers
from custseg._core.frames import collect
from custseg._core.in_threads import in_threads
from custseg.characteristics._records.exact_sum import ExactSum
from custseg.characteristics._records.records import Records, as_whole
from custseg.characteristics._records.vocabulary import Vocabulary
from custseg.characteristics._times.timestamps import DAY

# parts of the day of six hours each, from midnight on
DAYPARTS = ("night", "morning", "afternoon", "evening")
DAYPART_LENGTH = DAY // len(DAYPARTS)
# beyond any time
NEVER = 2**61


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

    def sums(self, records: Records) -> ExactSum:
        """Return how to split amounts and discounts."""
        largest = max(records.largest["amount"], records.largest["discount"] if self.discount else 0.0)
        return ExactSum.over(largest, records.n_rows)


@dataclass(frozen=True)
class LevelColumn:
    """A text column of which the spend on each level is wanted.

    Attributes
    ----------
    role : str
        The column.
    vocabulary : Vocabulary
        Its leading levels.
    closed : bool
        Whether the lines hold only levels that the vocabulary knows.
    """

    role: str
    vocabulary: Vocabulary
    closed: bool


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
            flags["no_discount"] = is_unknown("discount")
            flags["negative"] = (~is_unknown("discount") & (nw.col("discount") < 0)).fill_null(value=False)
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
    customers : narwhals Series
        Their ids, sorted.
    found : mapping of str to ndarray
        What was added up. Always there: ``rows`` and, of these, ``lines`` bought; ``visits`` with such a
        line, the ``first`` and the ``last`` period of one; spend ``net`` of returns and ``gross``, each as
        ``_high`` and ``_low``. Where asked for: ``off`` (what was taken off) and ``listed`` (gross spend on lines of
        known discount); the number of visits in each part of the day, and on a ``weekend``; ``change`` (gross spend
        in the recent half of the time since the first period less that in the earlier half) and
        ``squared_gaps`` in hours; with order ids, the numbers of ``orders`` and ``periods``. Of a text column,
        after its name: ``_n`` (distinct levels), ``_high`` and ``_low`` (spend on all of them), ``_top``
        (the largest spend on one level), ``_level_0`` ... (spend on each leading level), ``_other_high`` and
        ``_other_low`` (spend on all others). Spend that is one number is on the scale of ``size``.
    sums : ExactSum
        How amounts were split.

    Attributes
    ----------
    n_idle_customers, n_idle_rows : int
        Customers that have only returns, and their lines: left out.
    """

    def __init__(self, customers: nw.Series[Any], found: Mapping[str, npt.NDArray[Any]], sums: ExactSum) -> None:
        idle = found["visits"] == 0
        self.n_idle_customers = int(idle.sum())
        self.n_idle_rows = int(found["rows"][idle].sum())
        if self.n_idle_customers:
            customers = customers.filter((~idle).tolist())
            busy = np.flatnonzero(~idle)
            kept = in_threads(lambda values: values.take(busy), found.values(), n_rows=len(idle))
            found = dict(zip(found, kept, strict=True))
        self.customers = customers
        self.sums = sums
        self._found = found

    def count(self, name: str) -> Integers:
        """Return a whole number that every customer has."""
        return np.asarray(self._found[name], dtype=np.int64)

    def number(self, name: str) -> Floats:
        """Return a number that is NaN where a customer has none."""
        return np.asarray(self._found[name], dtype=np.float64)

    def total(self, name: str) -> Floats:
        """Return a sum of amounts in the currency of the table."""
        return self.sums.total(self.count(f"{name}_high"), self.count(f"{name}_low"))

    def mean_net(self, count: Integers) -> Floats:
        """Return the spend net of returns divided by whole numbers of at least 1, with a single rounding."""
        high, low = self.count("net_high"), self.count("net_low")
        # what was returned counts once more than in the net spend, and was spent before
        sizes = self.sums.size(2 * self.count("gross_high") - high)
        return self.sums.mean(high, low, count, sizes)

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


def is_unknown(name: str) -> nw.Expr:
    """Say where a number is missing."""
    return (nw.col(name).is_null() | nw.col(name).is_nan()).fill_null(value=True)

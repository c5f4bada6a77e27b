"""What a file of unknown columns may be: purchases, visits or one row per customer, and which column is which.

A guess is read from the names of the columns and from what stands in them; who writes it down says why.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from custseg._core.asking import asked, asking
from custseg._core.paths import is_csv, open_path, quoted, reading_files, with_types
from custseg.exceptions import ConfigurationError, InvalidTableError, list_names

__all__ = ["Seen", "SeenColumn", "amount_of", "find_ids", "guess_column", "look", "order_of", "time_of"]

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|\d+")
_KEYS = {"id", "no", "nr", "num", "number", "key", "code", "nummer"}
_PERSON = re.compile(
    "(customer|cust|client|household|user|member|person|respondent|subscriber|buyer|panelist|kunden?)s?"
    f"({'|'.join(sorted(_KEYS))})?"
)
_TIMES = {"date", "time", "timestamp", "datetime", "day", "datum", "when", "at"}
_AMOUNTS = {
    "amount",
    "revenue",
    "sales",
    "spend",
    "spent",
    "total",
    "turnover",
    "value",
    "net",
    "gross",
    "paid",
    "umsatz",
    "betrag",
}
_PRICES, _QUANTITIES = {"price", "cost", "preis"}, {"quantity", "qty", "units", "pieces", "menge"}
_NO_AMOUNTS = _KEYS | _QUANTITIES | {"discount", "disc", "tax", "age", "year", "month", "week", "hour", "zip"}
_ORDERS = {"order", "invoice", "basket", "receipt", "transaction", "ticket"}
# the usual ways to write a day where it is not 2024-12-31, each with and without a time of day
_DAYS = ("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y%m%d", "%d/%m/%y", "%m/%d/%y")
_FORMATS = tuple(day + time for day in _DAYS for time in ("", " %H:%M", " %H:%M:%S"))
_SAMPLE = 1_000


@dataclass(frozen=True)
class SeenColumn:
    """A column of a file: its name, what stands in it, how often, and how different.

    Attributes
    ----------
    kind : {"whole", "number", "time", "text", "bool", "other"}
        What stands in it.
    formats : tuple of str
        The formats of dates that its texts may have.
    low, high : float or None
        The range of numbers.
    """

    name: str
    kind: str
    n_known: int
    n_distinct: int
    low: float | None = None
    high: float | None = None
    formats: tuple[str, ...] = ()

    @property
    def words(self) -> list[str]:
        """The words of its name."""
        return [word.lower() for word in _WORD.findall(self.name)]

    def says(self, words: Collection[str]) -> int:
        """Count the words of its name that are some of these."""
        return sum(word in words for word in self.words)

    @property
    def is_time(self) -> bool:
        """Whether dates or times stand in it."""
        return self.kind == "time" or bool(self.formats)

    @property
    def is_number(self) -> bool:
        """Whether numbers stand in it."""
        return self.kind in ("whole", "number") and not self.formats


@dataclass(frozen=True)
class Seen:
    """A file as it was seen."""

    path: Path
    n_rows: int
    columns: tuple[SeenColumn, ...]

    def __getitem__(self, name: str) -> SeenColumn:
        return next(column for column in self.columns if column.name == name)

    def without(self, *names: str | None) -> list[SeenColumn]:
        """Return the other columns."""
        return [column for column in self.columns if column.name not in names]


def look(path: Path) -> Seen:
    """Look at every column of a file."""
    with asking("custseg init"):
        relation = open_path(str(path))
        with reading_files(path):
            seen = _look(relation, path)
        if not seen.n_rows:
            raise InvalidTableError(
                f"{asked()}: {str(path)!r} has no rows. Give a file of customers or of what they did."
            )
        return seen


def _look(relation: Any, path: Path) -> Seen:
    typed = with_types(relation, path) if is_csv(path) else relation
    kinds = [_kind(str(each)) for each in typed.types]
    wanted = ["count(*)"]
    for name, kind in zip(typed.columns, kinds, strict=True):
        column = quoted(name)
        ends = f"min({column}), max({column})" if kind in ("whole", "number") else "NULL, NULL"
        wanted.append(f"count({column}), count(DISTINCT {column}), {ends}")
    (n_rows, *counts) = typed.aggregate(", ".join(wanted)).fetchall()[0]
    columns = []
    for place, (name, kind) in enumerate(zip(typed.columns, kinds, strict=True)):
        n_known, n_distinct, low, high = counts[4 * place : 4 * place + 4]
        may_be_dates = n_known and (kind == "text" or (kind == "whole" and len(str(low)) == len(str(high)) == 8))
        formats = _formats(relation, name) if may_be_dates else ()
        columns.append(SeenColumn(name, kind, n_known, n_distinct, low, high, formats))
    return Seen(path, n_rows, tuple(columns))


def _kind(kind: str) -> str:
    if kind == "BOOLEAN":
        return "bool"
    if kind.startswith(("TIMESTAMP", "DATE")):
        return "time"
    if kind.startswith(("VARCHAR", "ENUM")):
        return "text"
    if kind.endswith(("INT", "INTEGER")):
        return "whole"
    return "number" if kind.startswith(("DOUBLE", "FLOAT", "DECIMAL")) else "other"


def _formats(relation: Any, name: str) -> tuple[str, ...]:
    """Return the formats that the first texts of a column have."""
    column = quoted(name)
    texts = relation.project(column).filter(f"{column} IS NOT NULL").limit(_SAMPLE).fetchall()
    return tuple(form for form in _FORMATS if all(_is_of(str(text).strip(), form) for (text,) in texts))


def _is_of(text: str, form: str) -> bool:
    try:
        datetime.strptime(text, form)  # noqa: DTZ007 - only the form is asked for
    except ValueError:
        return False
    return True


def find_ids(tables: Sequence[Seen]) -> list[str | None]:
    """Return the column of customer ids of every table; None where the only table seems to have none."""
    shared = Counter(column.name for table in tables for column in table.columns)
    found = [_best(_may_be_ids(table), lambda column: _like_an_id(column, shared[column.name])) for table in tables]
    if len(tables) == 1 and found[0] is None:
        (table,) = tables
        # text that is never the same tells nothing else of a customer
        found = [_best(table.columns, lambda column: column.kind == "text" and column.n_distinct == table.n_rows)]
    elif None in found:
        raise _no_ids(tables[found.index(None)])
    return [None if column is None else column.name for column in found]


def _no_ids(table: Seen) -> ConfigurationError:
    names = list_names(column.name for column in table.columns)
    return ConfigurationError(
        f"file {str(table.path)!r}: no column looks like the ids of customers; the table has {names}. Give that "
        "column the name 'customer_id', or write the study file by hand."
    )


def _may_be_ids(table: Seen) -> list[SeenColumn]:
    return [column for column in table.columns if column.kind in ("whole", "number", "text") and column.n_known]


def _like_an_id(column: SeenColumn, n_tables: int) -> int:
    return _named_as_ids(column) + 3 * (n_tables > 1 and not column.is_time and column.kind != "number")


def _named_as_ids(column: SeenColumn) -> int:
    name = "".join(column.words)
    as_person = _PERSON.fullmatch(name)
    return (6 if as_person[2] else 4) if as_person else 2 * (name in _KEYS)


def guess_column(parameter: str, names: Iterable[str]) -> str | None:
    """Say which of some columns a parameter may mean, by their names alone."""
    words = {"timestamp": _TIMES, "amount": _AMOUNTS, "order_id": _ORDERS}.get(parameter, ())
    by_name = _named_as_ids if parameter == "customer_id" else lambda column: column.says(words)
    found = _best([SeenColumn(name, "text", 1, 1) for name in names], by_name)
    return None if found is None else found.name


def _best(columns: Iterable[SeenColumn], score: Callable[[SeenColumn], float]) -> SeenColumn | None:
    """Return the first of the columns with the highest score; None where none has any."""
    best = max(columns, key=score, default=None)
    return best if best is not None and score(best) > 0 else None


def time_of(table: Seen, customer_id: str) -> SeenColumn | None:
    """Return the column that says when something happened."""
    times = [column for column in table.without(customer_id) if column.is_time]
    return _best(times, lambda column: 1 + (column.says(_TIMES) > 0))


def amount_of(table: Seen, *others: str | None) -> tuple[str, ...]:
    """Return the column of what was paid, or the two columns whose product it is; nothing where there is none."""
    numbers = [column for column in table.without(*others) if column.is_number]
    usable = [column for column in numbers if not column.says(_NO_AMOUNTS)]
    paid = _best(usable, lambda column: column.says(_AMOUNTS))
    price = _best(usable, lambda column: column.says(_PRICES))
    quantity = _best(numbers, lambda column: column.says(_QUANTITIES))
    if paid is None and price is not None and quantity is not None:
        return quantity.name, price.name
    found = paid or price
    return () if found is None else (found.name,)


def order_of(table: Seen, *others: str | None) -> str | None:
    """Return the column that says which lines are one order."""
    named = [column for column in table.without(*others) if column.says(_KEYS)]
    found = _best(named, lambda column: column.says(_ORDERS))
    return None if found is None else found.name

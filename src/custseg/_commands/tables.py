"""The tables of a study: files, handed to the library as paths, or read whole where something is made of them.

There is one reader of files, that of the library. A table whose dates have a format of their own, or
that gets columns made of others, is read by it into memory; all others stay on disk until a
characteristic asks for its columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from custseg._commands.expression import Expression
from custseg._core.asking import asked, asking
from custseg._core.frames import collect, lazy_frame, open_table
from custseg._core.paths import is_csv, open_path, quoted, reading_files, with_types
from custseg._core.warning import warn
from custseg.exceptions import ColumnNotFoundError, ColumnTypeError, ConfigurationError

DEFAULT_ID = "customer_id"

__all__ = ["TableFile", "check_readable", "open_tables"]


@dataclass(frozen=True)
class TableFile:
    """A table as a study file names it.

    Attributes
    ----------
    name : str
        Its name in the study.
    path : Path
        Its file.
    dates : mapping of str to str
        The format of dates by column, such as ``"%d/%m/%Y"``, where they are not ISO 8601.
    columns : mapping of str to Expression
        Columns to make of others.
    """

    name: str
    path: Path
    dates: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, Expression] = field(default_factory=dict)

    def at(self, path: Path) -> TableFile:
        """Return the same table in another file."""
        return replace(self, path=path)

    def open(self) -> Path | pd.DataFrame:
        """Return what the library takes: the path, or the rows where there is something to be done to them."""
        return self.read() if self.dates or self.columns else self.path

    def read(self) -> pd.DataFrame:
        """Read the rows, dates and made columns included."""
        with asking(f"table {self.name!r}"):
            return self._read()

    def _read(self) -> pd.DataFrame:
        opened = open_table(str(self.path), in_order=True)
        table: pd.DataFrame = collect(opened.frame).to_arrow().to_pandas(integer_object_nulls=True)
        for name in self.dates:
            if name not in table.columns:
                raise ColumnNotFoundError.in_table([name], table.columns)
        texts = self._texts(table)
        for name, form in self.dates.items():
            table[name] = _dates(texts[name], form)
        for name, expression in self.columns.items():
            if name in table.columns:
                raise ConfigurationError(
                    f"{expression.where}: the table has a column {name!r} already. Give the new one another name."
                )
            table[name] = expression.of(table)
        return table

    def customers(self, customer_id: str | None) -> pd.DataFrame:
        """Read a table that has one row per customer already, identified by its index.

        Rows without a column of ids are numbered from 0; that is for ``"customer_id"``, the default, and None alone.
        """
        table = self.read()
        if customer_id in table.columns:
            return table.set_index(customer_id)
        if customer_id not in (None, DEFAULT_ID):
            with asking(f"table {self.name!r}"):
                raise ColumnNotFoundError.in_table([customer_id], table.columns)
        return table

    def _texts(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the columns of dates as they stand in the file: 2024-02-01 may be the second of January."""
        names = list(self.dates)
        if not names or not is_csv(self.path):
            return table[names]
        relation = open_path(str(self.path), in_order=True)
        texts: pd.DataFrame = collect(lazy_frame(relation.project(", ".join(map(quoted, names))))).to_pandas()
        return texts


def _dates(texts: pd.Series[Any], form: str) -> pd.Series[Any]:
    if pd.api.types.is_datetime64_any_dtype(texts.dtype):
        return texts
    known = texts.notna()
    stripped = texts.where(known).astype("string").str.strip()
    try:
        read = pd.to_datetime(stripped, format=form, errors="coerce")
    except ValueError as error:
        raise ConfigurationError(
            f"{asked()}: {form!r} is no format of dates ({error}). Write such as '%d/%m/%Y'."
        ) from error
    lost = known & read.isna()
    if not lost.any():
        return read
    example = stripped[lost].iloc[0]
    if lost.sum() == known.sum():
        remedy = "Correct the format of the study file, such as '%d/%m/%Y %H:%M'."
        raise ColumnTypeError.expected(texts.name, f"dates of the format {form!r}", repr(example), remedy)
    warn(
        f"{int(lost.sum())} date(s) of column {str(texts.name)!r} are not of the format {form!r}, such as {example!r}, "
        "and count as missing. Correct them, or the format."
    )
    return read


def check_readable(name: str, table: Path | pd.DataFrame) -> None:
    """Refuse a file that cannot be read, by the name of its table, before the work that it is for."""
    if isinstance(table, pd.DataFrame):
        return
    with asking(f"table {name!r}"):
        relation = open_path(str(table))
        # what is broken in a CSV file comes to light where its values are looked at
        relation = with_types(relation, table, keep=False) if is_csv(table) else relation
        with reading_files(table):
            len(relation)


def open_tables(files: Iterable[TableFile]) -> dict[str, Path | pd.DataFrame]:
    """Open tables by name."""
    return {file.name: file.open() for file in files}

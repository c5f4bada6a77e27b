"""Tables that stay on disk: Parquet and CSV files as relations of a private duckdb connection.

duckdb reads the columns that a query needs, in parallel and in pieces, and spills to disk what does not fit
into its memory, so a file may be larger than the memory of the machine.
"""

from __future__ import annotations

import csv
import gzip
import os
import tempfile
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from custseg._core.asking import asked
from custseg._core.optional import require
from custseg.exceptions import DuplicateColumnError, InvalidTableError

_GIGABYTE = 2**30
# duckdb's own limit is for its buffers: python and arrow take some memory besides
_MEMORY = 3 * _GIGABYTE
_ENDINGS = (".parquet", ".csv", ".csv.gz")
_DELIMITERS = ",;\t|"

# What other programs write into a column of numbers where they have none.
_NO_NUMBER = ("NA", "N/A", "#N/A", "<NA>", "NaN", "nan", "NULL", "null", "None")
# no zero in front: 01234 is a postal code
_WHOLE = "^ *-?(0|[1-9][0-9]*) *$"
_TIME = "^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ]([01][0-9]|2[0-3]):[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?)?$"
_NUMBER = "^ *-?((0|[1-9][0-9]*)([.][0-9]*)?|[.][0-9]+)([eE][-+][0-9]+)? *$"


def is_path(table: Any) -> bool:
    """Say whether ``table`` names a file or folder."""
    return isinstance(table, (str, os.PathLike))


def is_csv(path: Any) -> bool:
    """Say whether a path is that of a CSV file."""
    return str(path).endswith(_ENDINGS[1:])


def open_path(path: Any, *, in_order: bool = False, n_threads: int | None = None) -> Any:
    """Open Parquet or CSV files as a duckdb relation.

    Parameters
    ----------
    path : str or path-like
        A file whose name ends in .parquet, .csv or .csv.gz, or a folder of .parquet files (those in
        its folders too; ``name=value`` folders become columns).
    in_order : bool, default=False
        Whether the rows must come in the order of the file, which takes more memory.
    n_threads : int, optional
        How many threads read, all by default. One holds the least in memory where rows are fetched in batches.

    Returns
    -------
    relation : duckdb relation
        All columns. Those of a CSV file are text, see :func:`with_types`.

    Raises
    ------
    InvalidTableError
        If there is no such file, its kind is unknown, or it cannot be read.
    """
    duckdb = require("duckdb", f"{asked()} reading from a path")
    place = Path(path)
    files = _files(place)
    names = ", ".join(_text(_literal(file)) for file in files)
    if files[0].suffix == ".parquet":
        # the names of folders stay text, so that region=01 is no number
        options = f"union_by_name = {len(files) > 1}, hive_partitioning = {place.is_dir()}, hive_types_autocast = false"
        source = f"read_parquet([{names}], {options})"
    else:
        source = f"read_csv([{names}], {_dialect(place)})"
    connection = duckdb.connect(":memory:", config=_config(in_order, n_threads))
    try:
        # times with a zone are stored in universal time, and count there: the zone is not in the file
        connection.execute("SET enable_progress_bar = false")
        return connection.execute("SET TimeZone = 'UTC'").sql(f"FROM {source}")
    except duckdb.Error as error:
        raise _unreadable(place, error) from error


def parquet_files(path: Any) -> dict[Path, list[str]]:
    """Return the Parquet files of a path, with the columns that the names of their folders are; none of a CSV file."""
    place = Path(path)
    files = [file for file in _files(place) if file.suffix == ".parquet"]
    folders = {file: file.relative_to(place).parts[:-1] for file in files}
    return {file: [part.partition("=")[0] for part in parts if "=" in part] for file, parts in folders.items()}


def _files(place: Path) -> list[Path]:
    if place.is_dir():
        files = sorted(file for file in place.rglob("*.parquet") if file.is_file())
        if not files:
            raise _refused(place, "the folder holds no file whose name ends in .parquet")
        return files
    if not place.name.endswith(_ENDINGS):
        endings = ", ".join(_ENDINGS)
        raise _refused(place, f"its name must end in {endings}, or be that of a folder")
    if not place.is_file():
        raise _refused(place, "there is no such file")
    return [place]


def _literal(file: Path) -> str:
    """Return a name in which nothing is a pattern."""
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in str(file))


def _config(in_order: bool, n_threads: int | None) -> dict[str, str]:
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else _MEMORY * 2
    # duckdb makes the folder when it first spills, and removes it with the connection
    spill = Path(tempfile.gettempdir()) / f"custseg-{uuid.uuid4().hex}"
    threads = {} if n_threads is None else {"threads": str(n_threads)}
    return threads | {
        "memory_limit": f"{min(_MEMORY, pages // 2) // 2**20}MiB",
        "temp_directory": str(spill),
        "preserve_insertion_order": str(in_order).lower(),
    }


def _dialect(file: Path) -> str:
    """Return how to read a CSV file: its columns, all as text, and the sign that stands most often in the first line.

    duckdb would find both out for itself, but take a file with one broken row for a file of one column.
    """
    opener = gzip.open if file.suffix == ".gz" else open
    try:
        with opener(file, "rt", encoding="utf-8-sig", newline="") as lines:
            # what stands in quotes is part of a name
            header = "".join(lines.readline().split('"')[::2])
            delimiter = max(_DELIMITERS, key=header.count)
            lines.seek(0)
            names = next(csv.reader(lines, delimiter=delimiter), [])
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise _unreadable(file, error) from error
    if not header.strip():
        raise _refused(file, "it has no line with the names of its columns")
    repeated = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if repeated:
        raise DuplicateColumnError.in_table(repeated)
    columns = ", ".join(f"{_text(name)}: 'VARCHAR'" for name in names)
    return (
        f"auto_detect = false, header = true, columns = {{{columns}}}, delim = {_text(delimiter)}, "
        "quote = '\"', escape = '\"', nullstr = ''"
    )


def with_types(relation: Any, path: Any, *, keep: bool = True) -> Any:
    """Give the text columns of a CSV file the types that all their values have.

    Numbers with a zero in front stay text, so that the id or postal code 01234 keeps it; so does a
    column with a single value that is no number, or no time. Nothing becomes missing but an empty
    field, and in a column of numbers ``NA`` and the like.

    Parameters
    ----------
    relation : duckdb relation
        Text columns.
    path : str or path-like
        The file, for messages.
    keep : bool, default=True
        Whether the typed rows are kept in a table of the connection, so that text is read once more and
        never again.

    Returns
    -------
    relation : duckdb relation
        The same columns as BIGINT, DOUBLE, BOOLEAN, TIMESTAMP or VARCHAR.
    """
    duckdb = require("duckdb", f"{asked()} reading from a path")
    names = list(relation.columns)
    counts = [f"{count} AS n{place}_{kind}" for place, name in enumerate(names) for kind, count in _counts(name)]
    try:
        counted = relation.aggregate(", ".join(counts))
        found = dict(zip(counted.columns, counted.fetchall()[0], strict=True))
    except duckdb.Error as error:
        raise _unreadable(Path(path), error) from error
    kinds = [{kind: found[f"n{place}_{kind}"] for kind, _ in _counts("")} for place in range(len(names))]
    typed = (_typed(name, counts) for name, counts in zip(names, kinds, strict=True))
    projected = relation.project(", ".join(typed))
    if not keep:
        return projected
    projected.create("typed")
    return relation.query("read", "FROM typed")


def _counts(name: str) -> Sequence[tuple[str, str]]:
    column = quoted(name)
    whole = f"regexp_matches({column}, '{_WHOLE}')"
    number = f"regexp_matches({column}, '{_NUMBER}')"
    stamp = f"TRY_CAST({column} AS TIMESTAMP)"
    return (
        ("known", f"count({column})"),
        ("absent", f"count(*) FILTER (WHERE {_is_absent(column)})"),
        ("whole", f"count(*) FILTER (WHERE {whole})"),
        ("long", f"count(*) FILTER (WHERE {whole} AND TRY_CAST({column} AS BIGINT) IS NULL)"),
        ("number", f"count(*) FILTER (WHERE {number})"),
        ("time", f"count(*) FILTER (WHERE regexp_matches({column}, '{_TIME}') AND year({stamp}) >= 1)"),
        ("flag", f"count(*) FILTER (WHERE lower({column}) IN ('true', 'false'))"),
    )


def _typed(name: str, counts: Mapping[str, int]) -> str:
    column = quoted(name)
    value = f"CASE WHEN NOT {_is_absent(column)} THEN trim({column}) END"
    n_values = counts["known"] - counts["absent"]
    # a whole number of more than 64 bits would not survive as a number
    if counts["known"] == 0 or (0 < n_values == counts["number"] and not counts["long"]):
        dtype = "BIGINT" if 0 < n_values == counts["whole"] else "DOUBLE"
        return f"CAST({value} AS {dtype}) AS {column}"
    for kind, dtype in {"flag": "BOOLEAN", "time": "TIMESTAMP"}.items():
        if counts[kind] == counts["known"]:
            return f"CAST({column} AS {dtype}) AS {column}"
    return column


def _is_absent(column: str) -> str:
    words = ", ".join(f"'{word}'" for word in _NO_NUMBER)
    return f"trim({column}) IN ({words})"


def quoted(name: str) -> str:
    """Write a name as duckdb reads it."""
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _unreadable(place: Path, error: Exception) -> InvalidTableError:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return _refused(place, " ".join(lines[:3]) if lines else type(error).__name__)


def _refused(place: Path, reason: str) -> InvalidTableError:
    return InvalidTableError(
        f"{asked()} cannot read {str(place)!r}: {reason}. Check the path, or read the table and pass the dataframe."
    )

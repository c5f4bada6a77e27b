"""Tables that stay on disk: Parquet and CSV files as relations of a private duckdb connection.

duckdb reads the columns that a query needs, in parallel and in pieces, and spills to disk what does not fit
into its memory, so a file may be larger than the memory of the machine.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from custseg._core.asking import asked
from custseg._core.csv_files import (
    Dialect,
    fault_of,
    has_mixed_ends,
    is_gzip,
    line_of,
    numbered_rows,
    read_dialect,
)
from custseg._core.files import TABLE_ENDINGS as _ENDINGS
from custseg._core.optional import require
from custseg._core.warning import warn
from custseg.exceptions import DuplicateColumnError, InvalidTableError

_GIGABYTE = 2**30
# duckdb's own limit is for its buffers: python and arrow take some memory besides
_MEMORY = 3 * _GIGABYTE
_PARQUET = _ENDINGS[0]
# rows at a time of a file that duckdb does not read
_ROWS = 65_536

# What other programs write into a column of numbers where they have none.
_NO_NUMBER = ("NA", "N/A", "#N/A", "<NA>", "NaN", "nan", "NULL", "null", "None")
# no zero in front: 01234 is a postal code
_WHOLE = "^ *-?(0|[1-9][0-9]*) *$"
_TIME = "^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ]([01][0-9]|2[0-3]):[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?)?$"
# 1.234,5 where lines are not divided by commas; 1,234 alone is 1.234 or 1234
_DIGITS = "^ *-?(0|[1-9][0-9]*|[1-9][0-9]{0,2}([.][0-9]{3})+)"
_WITH_COMMA, _DECIMAL = f"{_DIGITS}(,[0-9]+)? *$", f"{_DIGITS},[0-9]+ *$"
_AMBIGUOUS = "^ *-?[1-9][0-9]{0,2},[0-9]{3} *$"
_NUMBER = "^ *-?((0|[1-9][0-9]*)([.][0-9]*)?|[.][0-9]+)([eE][-+][0-9]+)? *$"

# what duckdb says where nothing is wrong with the file
_EXHAUSTED = ("Out of Memory", "No space left", "File too large", "max_temp_directory_size")
_NAMED_FILE = re.compile(
    r"""(?:[Ff]ile|named) ['"]([^'"]+)['"]|^ *file = (.+)$|read_(?:csv|parquet)\((?:list_value\(|\[)?'([^']+)'""",
    re.MULTILINE,
)


def is_path(table: Any) -> bool:
    """Say whether ``table`` names a file or folder."""
    return isinstance(table, (str, os.PathLike))


def is_csv(path: Any) -> bool:
    """Say whether a path is that of a CSV file."""
    return str(path).lower().endswith(_ENDINGS[1:])


def open_path(path: Any, *, in_order: bool = False, n_threads: int | None = None) -> Any:
    """Open Parquet or CSV files as a duckdb relation.

    Parameters
    ----------
    path : str or path-like
        A file whose name ends in .parquet, .csv or .csv.gz, or a folder of .parquet files (those in
        its folders too; ``name=value`` folders become columns; hidden ones are no data).
    in_order : bool, default=False
        Whether the rows must come in the order of the file, which takes more memory.
    n_threads : int, optional
        How many threads read, all by default. One holds the least in memory where rows are fetched in batches.

    Returns
    -------
    relation : duckdb relation
        All columns. Those of a CSV file are text, see :func:`with_types`.

    Warns
    -----
    DataQualityWarning
        If the folder has hidden files, which are not read.

    Raises
    ------
    InvalidTableError
        If there is no such file, its kind is unknown, or it cannot be read.
    """
    require("duckdb", f"{asked()} reading from a path")
    place = Path(path)
    files = _files(place)
    if hidden := hidden_files(place):
        warn(
            f"{len(hidden):,} hidden file(s) of the folder {str(place)!r} are no data and were not read, such as "
            f"{hidden[0]!r}. Names that begin with a dot or an underscore are those of unfinished jobs and of copies; "
            "rename what is data."
        )
    if is_csv(files[0]):
        return _open_csv(place, in_order=in_order, n_threads=n_threads)
    names = ", ".join(quoted_text(literal(file)) for file in files)
    # the names of folders stay text, so that region=01 is no number
    options = f"union_by_name = {len(files) > 1}, hive_partitioning = {place.is_dir()}, hive_types_autocast = false"
    connection = _connection(in_order, n_threads)
    with reading_files(place):
        _check_case(connection, place, files)
        return connection.sql(f"FROM read_parquet([{names}], {options})")


def parquet_files(path: Any) -> dict[Path, list[str]]:
    """Return the Parquet files of a path, with the columns that the names of their folders are; none of a CSV file."""
    place = Path(path)
    files = [file for file in _files(place) if not is_csv(file)]
    folders = {file: file.relative_to(place).parts[:-1] for file in files}
    return {file: [part.partition("=")[0] for part in parts if "=" in part] for file, parts in folders.items()}


def half_floats(path: Any) -> frozenset[str]:
    """Return the columns of Parquet files that are floats of 16 bits in one of them."""
    query = "SELECT DISTINCT name FROM parquet_schema(?) WHERE logical_type = 'Float16Type()'"
    files = [literal(file) for file in parquet_files(path)]
    with require("duckdb").connect(":memory:") as connection:
        return frozenset(name for (name,) in connection.execute(query, [files]).fetchall()) if files else frozenset()


def _files(place: Path) -> list[Path]:
    try:
        is_folder = place.is_dir()
    except OSError as error:
        raise InvalidTableError.unreadable(place, str(error.strerror)) from error
    if is_folder:
        files = [file for file in _in_folder(place) if not _is_hidden(file, place)]
        if not files:
            hidden = f" ({len(hidden_files(place)):,} hidden)" if hidden_files(place) else ""
            raise InvalidTableError.unreadable(place, f"the folder holds no file whose name ends in .parquet{hidden}")
        return files
    if not place.name.lower().endswith(_ENDINGS):
        endings = ", ".join(_ENDINGS)
        raise InvalidTableError.unreadable(place, f"its name must end in {endings}, or be that of a folder")
    if not place.is_file():
        raise InvalidTableError.unreadable(place, "there is no such file")
    if not os.access(place, os.R_OK):
        raise InvalidTableError.unreadable(place, "the file may not be read")
    return [place]


def hidden_files(path: Any) -> list[str]:
    """Return the Parquet files of a folder that are no data; none of a file, which is read whatever its name.

    Spark, Hive and pyarrow read folders like this: names that begin with a dot or an underscore are those of
    unfinished jobs, checkpoints and temporary copies. A column may begin with an underscore: ``_year=2024``.
    """
    place = Path(path)
    files = _in_folder(place) if place.is_dir() else []
    return [file.relative_to(place).as_posix() for file in files if _is_hidden(file, place)]


def _in_folder(place: Path) -> list[Path]:
    return sorted(file for file in place.rglob("*") if file.name.lower().endswith(_PARQUET) and file.is_file())


def _is_hidden(file: Path, place: Path) -> bool:
    parts = file.relative_to(place).parts
    return any(part.startswith(".") or (part.startswith("_") and "=" not in part) for part in parts)


def literal(file: Path) -> str:
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


def _connection(in_order: bool, n_threads: int | None = None) -> Any:
    connection = require("duckdb").connect(":memory:", config=_config(in_order, n_threads))
    connection.execute("SET enable_progress_bar = false")
    # times with a zone are stored in universal time, and count there: the zone is not in the file
    return connection.execute("SET TimeZone = 'UTC'")


def _check_case(connection: Any, place: Path, files: Sequence[Path]) -> None:
    """Refuse columns that duckdb would give other names, since it does not know them from each other."""
    for file in files:
        # in one row: what is handed out is a schema, and no rows of the table
        query = "SELECT list(name), list(coalesce(num_children, 0)) FROM parquet_schema(?)"
        ((all_names, n_children_of),) = connection.execute(query, [literal(file)]).fetchall()
        nodes = zip(all_names[1:], n_children_of[1:], strict=True)
        names, inside = [], 0
        # each node stands before its children
        for name, n_children in nodes:
            if not inside:
                names.append(name)
            inside = max(inside - 1, 0) + n_children
        DuplicateColumnError.check_case(names, repr(str(place)))


def _open_csv(file: Path, *, in_order: bool, n_threads: int | None) -> Any:
    dialect = read_dialect(file)
    # of a large file whose lines end in different ways duckdb loses the last rows
    is_mixed = has_mixed_ends(file)
    read = _relation_of_rows if is_mixed else _relation_of_csv
    # the batches of an arrow table keep their order in one thread alone
    n_threads = 1 if is_mixed else n_threads
    relation = read(file, dialect, _connection(in_order, n_threads))
    if dialect.names[0].strip():
        return relation
    first, *others = relation.columns
    _check_row_numbers(
        file, dialect, read(file, dialect, _connection(in_order=True, n_threads=1)).project(quoted(first))
    )
    return relation.project(", ".join(map(quoted, others)))


def _columns(dialect: Dialect) -> list[str]:
    """Return the names of columns, of which that of row numbers is empty in the file."""
    first, *others = dialect.names
    nameless = "row"
    while nameless in [name.lower() for name in others]:
        nameless += "_"
    return [first if first.strip() else nameless, *others]


def _relation_of_csv(file: Path, dialect: Dialect, connection: Any) -> Any:
    columns = ", ".join(f"{quoted_text(name)}: 'VARCHAR'" for name in _columns(dialect))
    options = (
        f"auto_detect = false, header = true, skip = {dialect.n_skipped}, columns = {{{columns}}}, "
        f"delim = {quoted_text(dialect.delimiter)}, quote = '\"', escape = '\"', nullstr = '', "
        f"compression = {quoted_text('gzip' if is_gzip(file) else 'none')}"
    )
    with reading_files(file):
        return connection.sql(f"FROM read_csv([{quoted_text(literal(file))}], {options})")


def _relation_of_rows(file: Path, dialect: Dialect, connection: Any) -> Any:
    """Read a file whose lines end in different ways into memory."""
    arrow = require("pyarrow", f"{asked()} reading a CSV file whose lines end in different ways")
    names = _columns(dialect)
    schema = arrow.schema([(name, arrow.string()) for name in names])
    rows, batches = numbered_rows(file, dialect), []
    while part := [row for _, row in islice(rows, _ROWS)]:
        values = [[value or None for value in column] for column in zip(*part, strict=True)]
        batches.append(arrow.record_batch([arrow.array(column, arrow.string()) for column in values], schema=schema))
    return connection.from_arrow(arrow.Table.from_batches(batches, schema=schema))


def _check_row_numbers(file: Path, dialect: Dialect, column: Any) -> None:
    """Refuse a column without a name that is more than the numbers of rows, as dataframes write them."""
    (name,) = column.columns
    distance = column.project(f"TRY_CAST({quoted(name)} AS BIGINT) - row_number() OVER () AS distance")
    with reading_files(file):
        figures = distance.aggregate("count(*), count(distance), min(distance), max(distance)")
        ((n_rows, n_numbers, least, most),) = figures.fetchall()
    if n_rows != n_numbers or least != most or least not in (None, -1, 0):
        reason = (
            f"line {dialect.line} gives its column 1 no name, and it does not number the rows. Of pandas, "
            "to_csv(index_label=...) names it and to_csv(index=False) leaves it out"
        )
        raise InvalidTableError.unreadable(file, reason)


def with_types(relation: Any, path: Any, *, keep: bool = True) -> Any:
    """Give the text columns of a CSV file the types that all their values have.

    Numbers with a zero in front stay text, so that the id or postal code 01234 keeps it; so does a
    column with a single value that is no number, or no time. Where lines are not divided by commas, 2,5 and
    1.234,5 are numbers, unless all may be thousands. Nothing becomes missing but an empty
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
    names = list(relation.columns)
    # between commas, a comma in a field stands for anything
    counts = _counts if read_dialect(Path(path)).delimiter == "," else _counts_with_commas
    counted = [f"{count} AS n{place}_{kind}" for place, name in enumerate(names) for kind, count in counts(name)]
    with reading_files(path):
        aggregated = relation.aggregate(", ".join(counted))
        found = dict(zip(aggregated.columns, aggregated.fetchall()[0], strict=True))
    kinds = [{kind: found[f"n{place}_{kind}"] for kind, _ in counts("")} for place in range(len(names))]
    for name, of_name in zip(names, kinds, strict=True):
        _refuse_ambiguous(Path(path), name, of_name)
    typed = (_typed(name, of_name) for name, of_name in zip(names, kinds, strict=True))
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


def _counts_with_commas(name: str) -> Sequence[tuple[str, str]]:
    column = quoted(name)
    patterns = {"comma": _WITH_COMMA, "decimal": _DECIMAL, "ambiguous": _AMBIGUOUS}
    found = {kind: f"regexp_matches({column}, '{pattern}')" for kind, pattern in patterns.items()}
    return (*_counts(name), *((kind, f"count(*) FILTER (WHERE {matches})") for kind, matches in found.items()))


def _has_decimal_comma(counts: Mapping[str, int]) -> bool:
    return counts.get("decimal", 0) > 0 and counts["comma"] == counts["known"] - counts["absent"]


def _refuse_ambiguous(file: Path, name: str, counts: Mapping[str, int]) -> None:
    """Refuse a column whose commas may all stand for decimals or for thousands."""
    if _has_decimal_comma(counts) and counts["ambiguous"] == counts["decimal"]:
        line, value = line_of(file, name, _AMBIGUOUS)
        number = value.strip()
        reason = (
            f"line {line}, column {name!r}: {number!r} may be {number.replace(',', '.')} or "
            f"{number.replace(',', '')}. Write such numbers with a decimal point and nothing between thousands"
        )
        raise InvalidTableError.unreadable(file, reason)


def _typed(name: str, counts: Mapping[str, int]) -> str:
    column = quoted(name)
    value = f"CASE WHEN NOT {_is_absent(column)} THEN trim({column}) END"
    n_values = counts["known"] - counts["absent"]
    if _has_decimal_comma(counts):
        return f"CAST(replace(replace({value}, '.', ''), ',', '.') AS DOUBLE) AS {column}"
    # a whole number of more than 64 bits would not survive as a number
    if counts["known"] == 0 or (0 < n_values == counts["number"] and not counts["long"]):
        dtype = "BIGINT" if 0 < n_values == counts["whole"] else "DOUBLE"
        return f"CAST({value} AS {dtype}) AS {column}"
    for kind, dtype in {"flag": "BOOLEAN", "time": "TIMESTAMP"}.items():
        if counts[kind] == counts["known"]:
            return f"CAST({column} AS {dtype}) AS {column}"
    return column


def text_at(path: Any, column: str) -> str:
    """Say which value makes text of a column of a CSV file that was to hold numbers, and where."""
    line, value = line_of(Path(path), column, rf"^(?!{_NUMBER}|^ *({'|'.join(_NO_NUMBER)}) *$).*\S")
    return f"{value!r} in line {line}" if value else ""


def _is_absent(column: str) -> str:
    words = ", ".join(f"'{word}'" for word in _NO_NUMBER)
    return f"trim({column}) IN ({words})"


def quoted(name: str) -> str:
    """Write a name as duckdb reads it."""
    return '"' + name.replace('"', '""') + '"'


def quoted_text(value: str) -> str:
    """Write text as duckdb reads it."""
    return "'" + value.replace("'", "''") + "'"


@contextmanager
def reading_files(path: Any = None, *, query: Any = None) -> Iterator[None]:
    """Say in our words that a file is damaged, where that comes to light when its rows are read.

    Parameters
    ----------
    path : str or path, optional
        The file.
    query : relation, optional
        What reads it, where only that is known.
    """
    try:
        yield
    except Exception as error:
        place = path if path is not None else _file_of(str(error)) or _file_of(_sql(query))
        if place is None or not _is_of_reader(error):
            raise
        raise _damaged(error, Path(place)) from error


def _is_of_reader(error: Exception) -> bool:
    """Say whether an error is one of duckdb or arrow, which tells of a damaged file by errors of many classes."""
    duckdb, arrow = sys.modules.get("duckdb"), sys.modules.get("pyarrow")
    kinds = (() if duckdb is None else (duckdb.Error,)) + (() if arrow is None else (arrow.ArrowException, OSError))
    return isinstance(error, kinds)


def _sql(query: Any) -> str:
    return str(query.sql_query()) if hasattr(query, "sql_query") else ""


def _file_of(text: str) -> str | None:
    """Return the file that an error or a query of duckdb names."""
    found = _NAMED_FILE.search(text)
    return None if found is None else next(name for name in found.groups() if name)


def _damaged(error: Exception, place: Path) -> InvalidTableError:
    if any(words in str(error) for words in _EXHAUSTED):
        return InvalidTableError.unreadable(place, "there is not enough memory, or room for temporary files, for it")
    file = Path(_file_of(str(error)) or place)
    if is_csv(file):
        return fault_of(file)
    return InvalidTableError.unreadable(file, "it is no Parquet file, or one that is damaged or cut off")

"""CSV files as people have them: what their first lines say, and in which line there is something wrong.

duckdb reads the rows. It takes a file with one broken row for a file of one column where it is to find out the
dialect, and loses rows of a large file whose lines end in different ways; so both are looked at here.
"""

from __future__ import annotations

import csv
import gzip
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from custseg.exceptions import DuplicateColumnError, InvalidTableError

__all__ = ["Dialect", "fault_of", "has_mixed_ends", "is_gzip", "line_of", "numbered_rows", "read_dialect"]

_DELIMITERS = ",;\t|"
# what Excel writes for itself above the names
_SEPARATOR = re.compile('"?sep=(.)"?', re.IGNORECASE)
_MARKS_OF_16_BITS = (b"\xff\xfe", b"\xfe\xff")
_CHUNK = 2**20
_BROKEN = (OSError, EOFError, zlib.error)
_LF, _CR = 10, 13


@dataclass(frozen=True)
class Dialect:
    """How a CSV file is to be read.

    Attributes
    ----------
    names : tuple of str
        The columns; the first may be empty, which is what dataframes write above their index.
    delimiter : str
        The sign between two fields.
    n_skipped : int
        Lines above that of the names.
    """

    names: tuple[str, ...]
    delimiter: str
    n_skipped: int

    @property
    def line(self) -> int:
        """The line of the names, from 1."""
        return self.n_skipped + 1


def is_gzip(file: Path) -> bool:
    """Say whether a file is compressed."""
    return file.suffix.lower() == ".gz"


def _opened(file: Path) -> IO[bytes]:
    opener: Any = gzip.open if is_gzip(file) else open
    return opener(file, "rb")  # type: ignore[no-any-return]


def _text(file: Path, errors: str = "strict") -> IO[str]:
    opener: Any = gzip.open if is_gzip(file) else open
    return opener(file, "rt", encoding="utf-8-sig", errors=errors, newline="")  # type: ignore[no-any-return]


def read_dialect(file: Path) -> Dialect:
    """Read how a CSV file is to be read off its first lines.

    Empty lines above the names are no rows, and ``sep=;`` names the delimiter, as Excel writes and reads it;
    otherwise it is the sign that stands most often in the line of the names. Names that are empty at its end are
    those of a delimiter at the end of lines, and no columns.

    Parameters
    ----------
    file : Path
        A file whose name ends in .csv or .csv.gz.

    Returns
    -------
    Dialect
        How to read it.

    Raises
    ------
    DuplicateColumnError
        If two names differ in upper and lower case at most.
    InvalidTableError
        If the first lines cannot be read, name no columns, or leave one without a name.
    """
    _refuse_16_bits(file)
    try:
        # what is no text in a row is found when the row is read
        with _text(file, "surrogateescape") as lines:
            header, n_skipped, delimiter = _header(lines)
            # a name in quotes may have several lines
            names: list[str] = next(_records([header, *_following(header, lines)], delimiter), [])
    except _BROKEN as error:
        raise InvalidTableError.unreadable(file, _damage(error)) from error
    except csv.Error as error:
        raise InvalidTableError.unreadable(file, f"line {n_skipped + 1} {_problem(str(error))}") from error
    while names and not names[-1].strip():
        names.pop()
    dialect = Dialect(tuple(names), delimiter, n_skipped)
    if any("\udc80" <= sign <= "\udcff" for name in names for sign in name):
        raise _not_utf8(file, dialect)
    _check_names(file, dialect)
    return dialect


def _refuse_16_bits(file: Path) -> None:
    try:
        with _opened(file) as opened:
            mark = opened.read(2)
    except _BROKEN as error:
        raise InvalidTableError.unreadable(file, _damage(error)) from error
    if mark in _MARKS_OF_16_BITS:
        raise InvalidTableError.unreadable(file, "it is UTF-16 text. Save it as CSV UTF-8")


def _damage(error: Exception) -> str:
    if isinstance(error, EOFError):
        return "the compressed file is cut off"
    if isinstance(error, gzip.BadGzipFile):
        return "it is no gzip file, or a damaged one"
    if isinstance(error, zlib.error):
        return "the compressed file is damaged"
    return getattr(error, "strerror", None) or "the file is damaged"


def _header(lines: IO[str]) -> tuple[str, int, str]:
    """Return the first line of names, how many lines stand above it, and the delimiter."""
    n_lines, delimiter = 0, None
    while line := lines.readline():
        separator = _SEPARATOR.fullmatch(line.strip("\r\n"))
        if separator is not None and delimiter is None:
            delimiter = separator[1]
        elif line.strip(_DELIMITERS + '" \r\n'):
            break
        n_lines += 1
    # what stands in quotes is part of a name
    plain = "".join(line.split('"')[::2])
    return line, n_lines, delimiter or max(_DELIMITERS, key=plain.count)


def _following(header: str, lines: IO[str]) -> Iterator[str]:
    # no file is read to its end for a quote that does not close
    text = header
    while text.count('"') % 2 and len(text) < _CHUNK and (line := lines.readline()):
        text += line
        yield line


def _records(lines: Sequence[str] | IO[str], delimiter: str) -> Any:
    return csv.reader(lines, delimiter=delimiter, strict=True)


def _check_names(file: Path, dialect: Dialect) -> None:
    names = dialect.names
    if not names:
        raise InvalidTableError.unreadable(file, "it has no line with the names of its columns")
    nameless = [place for place, name in enumerate(names, start=1) if place > 1 and not name.strip()]
    if nameless:
        raise InvalidTableError.unreadable(file, f"line {dialect.line} gives its column {nameless[0]} no name")
    repeated = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if repeated:
        raise DuplicateColumnError.in_table(repeated)
    DuplicateColumnError.check_case(names, f"line {dialect.line} of {str(file)!r}")


def has_mixed_ends(file: Path) -> bool:
    """Say whether the lines of a CSV file end in different ways; what stands in quotes is no end of a line."""
    try:
        with _opened(file) as opened:
            return _mixes(opened)
    except _BROKEN as error:
        raise InvalidTableError.unreadable(file, _damage(error)) from error


def _mixes(opened: IO[bytes]) -> bool:
    kinds: set[bytes] = set()
    in_quotes = False
    while chunk := opened.read(_CHUNK):
        # an end of two signs is not cut in two
        while chunk.endswith(b"\r") and (more := opened.read(1)):
            chunk += more
        if _is_plain(chunk, kinds):
            in_quotes ^= chunk.count(b'"') % 2 == 1
            continue
        parts = chunk.split(b'"')
        outside = b'"'.join(parts[1 if in_quotes else 0 :: 2])
        in_quotes ^= len(parts) % 2 == 0
        kinds |= _kinds(outside)
        if len(kinds) > 1:
            return True
    return False


def _is_plain(chunk: bytes, kinds: set[bytes]) -> bool:
    """Say whether all ends of lines, those in quotes too, are of the one kind that was found before; fast."""
    if not kinds:
        return False
    if kinds == {b"\n"}:
        return b"\r" not in chunk
    if kinds == {b"\r"}:
        return b"\n" not in chunk
    signs = np.frombuffer(chunk, dtype=np.uint8)
    feeds, returns = signs == _LF, signs == _CR
    return bool(not feeds[0] and not returns[-1] and (feeds[1:] == returns[:-1]).all())


def _kinds(text: bytes) -> set[bytes]:
    n_both = text.count(b"\r\n")
    found = {b"\r\n": n_both, b"\n": text.count(b"\n") - n_both, b"\r": text.count(b"\r") - n_both}
    return {kind for kind, count in found.items() if count}


def numbered_rows(file: Path, dialect: Dialect) -> Iterator[tuple[int, list[str]]]:
    """Read the rows of a CSV file by themselves, each with the line that it begins in; slow.

    Raises
    ------
    InvalidTableError
        At the first row that is none, with its line and what is wrong with it.
    """
    n_columns = len(dialect.names)
    line = dialect.line
    try:
        with _text(file) as lines:
            for _ in range(dialect.n_skipped):
                lines.readline()
            reader = _records(lines, dialect.delimiter)
            next(reader)
            line = dialect.line + reader.line_num
            for row in reader:
                if row or n_columns == 1:
                    _check_row(file, dialect, line, row)
                    yield line, (row or [""])[:n_columns]
                line = dialect.line + reader.line_num
    except csv.Error as error:
        raise InvalidTableError.unreadable(file, f"line {line} {_problem(str(error))}") from error
    except UnicodeDecodeError as error:
        raise _not_utf8(file, dialect) from error
    except _BROKEN as error:
        raise InvalidTableError.unreadable(file, _damage(error)) from error


def _problem(message: str) -> str:
    if "limit" in message:
        return f"has a field of more than {csv.field_size_limit():,} signs, as where a quote opens and does not close"
    if "expected after" in message:
        return "has text behind the quote that closes a field. A quote inside of quotes is written twice"
    return "opens a quote that does not close"


def _check_row(file: Path, dialect: Dialect, line: int, row: Sequence[str]) -> None:
    n_columns = len(dialect.names)
    if len(row) < n_columns and (row or n_columns > 1):
        where = f"nothing for column {dialect.names[len(row)]!r}"
    elif any(row[n_columns:]):
        where = f"{next(value for value in row[n_columns:] if value)[:40]!r} beyond column {dialect.names[-1]!r}"
    else:
        return
    reason = f"line {line} has {len(row)} field(s), and line {dialect.line} names {n_columns} column(s): {where}"
    raise InvalidTableError.unreadable(file, reason)


def _not_utf8(file: Path, dialect: Dialect) -> InvalidTableError:
    reason = "it is not UTF-8 text"
    with _opened(file) as lines:
        for number, line in enumerate(lines, start=1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                place = line[: error.start].count(dialect.delimiter.encode())
                known = number > dialect.line and place < len(dialect.names)
                column = f", column {dialect.names[place]!r}," if known else ""
                reason = f"line {number}{column} is not UTF-8 text"
                break
    return InvalidTableError.unreadable(file, f"{reason}. Save it as CSV UTF-8")


def fault_of(file: Path) -> InvalidTableError:
    """Say what is wrong with a CSV file that cannot be read."""
    try:
        for _ in numbered_rows(file, read_dialect(file)):
            pass
    except InvalidTableError as error:
        return error
    return InvalidTableError.unreadable(file, "it is no CSV file, or has a line of more than 2,000,000 bytes")


def line_of(file: Path, column: str, pattern: str) -> tuple[int, str]:
    """Return the first line whose value of a column matches a pattern, and the value."""
    dialect = read_dialect(file)
    place = dialect.names.index(column)
    found = ((line, row[place]) for line, row in numbered_rows(file, dialect) if re.search(pattern, row[place]))
    return next(found, (dialect.line, ""))

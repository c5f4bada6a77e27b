"""Half a character: text that no file and no other library can hold, refused by the name of its column."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from custseg._core.asking import asked
from custseg.exceptions import ColumnTypeError, InvalidTableError


def refuse_surrogates(name: object, values: Iterable[Any], *, place_of: str = "row") -> None:
    """Refuse half a character (a lone surrogate), which no file and no other library can hold; say where it stands."""
    for place, value in enumerate(values):
        if isinstance(value, str) and not value.isascii() and not _is_encodable(value):
            where = f"in {place_of} {place} ({value!a})"
            got = f"text with half a character, the lone surrogate {_surrogate(value)} {where}"
            remedy = (
                "The file was read with the wrong encoding or errors='surrogateescape'; read it again, or clean the "
                "column with .str.encode('utf-8', 'replace').str.decode('utf-8')."
            )
            raise ColumnTypeError.expected(ascii(name)[1:-1], "text in Unicode", got, remedy)


def refuse_odd_names(names: Iterable[object]) -> None:
    """Refuse names of columns that hold half a character."""
    for name in names:
        if isinstance(name, str) and not name.isascii() and not _is_encodable(name):
            raise InvalidTableError(
                f"{asked()}: the column name {name!a} holds half a character (the lone surrogate "
                f"{_surrogate(name)}), which no file can hold. Rename the column."
            )


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _surrogate(text: str) -> str:
    return f"U+{next(code for code in map(ord, text) if 0xD800 <= code < 0xE000):04X}"


def refuse_odd_levels(column: pd.Series[Any]) -> None:
    """Refuse pandas categories that hold half a character."""
    levels = column.cat.categories
    if all(not isinstance(level, str) or level.isascii() or _is_encodable(level) for level in levels):
        return
    refuse_surrogates(column.name, column)
    # in none of the rows
    refuse_surrogates(column.name, levels, place_of="category")

"""What only a union says of its tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from custseg._core.asking import asked
from custseg.exceptions import CustomerIdError, InvalidTableError, list_names, suggest

__all__ = ["ids_clash", "no_mapping", "not_passed"]


def no_mapping(tables: Any) -> InvalidTableError:
    return InvalidTableError(
        f"{asked()} expects a dictionary of tables by name, got {type(tables).__name__}. "
        "Pass {'transactions': frame, ...} with the names that the members read."
    )


def not_passed(member: str, table: str, available: Iterable[object]) -> InvalidTableError:
    available = list(available)
    return InvalidTableError(
        f"{asked()}: member {member!r} reads table {table!r}, which was not passed; got "
        f"{list_names(available)}.{suggest(table, available)}"
    )


def ids_clash(first: tuple[str, str], other: tuple[str, str], column: object) -> CustomerIdError:
    return CustomerIdError(
        f"{asked()}: the customer ids are {first[1]} in table {first[0]!r} and {other[1]} in table {other[0]!r}, "
        f"so that no customer of one would be found in the other. Convert column {str(column)!r} of one of "
        "them, for example with astype(str) or astype('int64')."
    )

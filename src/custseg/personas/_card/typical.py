"""A value of the typical customer in words: with its unit, and of how many it is known where that is not most."""

from __future__ import annotations

from typing import Any

from custseg._core.characteristic import Characteristic
from custseg._core.coverage import known_of
from custseg._core.words import format_share, format_value, is_year, plain, unit_beside

__all__ = ["write_typical"]


def write_typical(value: Any, column: Characteristic, known_share: float = 1.0) -> str:
    """Write a value of the typical customer.

    Examples
    --------
    >>> write_typical(5.0, Characteristic(column="recency", unit="days"), known_share=0.5)
    '5 days (of the 50% of whom it is known)'
    >>> write_typical(0.52, Characteristic(column="returns", unit="share"))
    '52%'
    """
    note = "" if value is None else known_of(known_share)
    return _written(value, column) + (f" ({note})" if note else "")


def _written(value: Any, column: Characteristic) -> str:
    if value is None or isinstance(value, (bool, str)):
        return plain(format_value(value))
    if column.unit == "share":
        return format_share(value)
    if is_year(column.label, column.unit, [value]):
        return format_value(value).replace(",", "")
    return format_value(value) + unit_beside(column.label, column.unit)

"""The audience: whom the conditions of a brief let in."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from custseg._core.customers import Column, CustomerTable
from custseg.exceptions import ColumnNotFoundError, ColumnTypeError, InvalidParameterError

__all__ = ["OPERATORS", "Condition", "is_condition", "meets"]

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "in": np.isin,
    "not in": lambda values, listed: ~np.isin(values, listed),
}


_LISTS = ("in", "not in")


_COMPARISONS = ("<", "<=", ">", ">=")


Condition = tuple[str, str, Any]


def is_condition(condition: Any) -> bool:
    return (
        isinstance(condition, Sequence)
        and len(condition) == 3
        and isinstance(condition[0], str)
        and condition[1] in OPERATORS
        and (condition[1] not in _LISTS or isinstance(condition[2], (list, tuple, set, frozenset)))
    )


def meets(table: CustomerTable, condition: Condition) -> npt.NDArray[np.bool_]:
    """Say which customers meet a condition; a missing value meets none."""
    name, symbol, value = condition
    if name not in table.names:
        raise ColumnNotFoundError.in_table("SegmentationBrief.audience", [name], table.names)
    column = table[name]
    listed = list(value) if symbol in _LISTS else [value]
    if column.kind in ("ordinal", "nominal"):
        values: npt.NDArray[Any] = column.values
        listed = _positions(column, symbol, listed)
    else:
        values = column.values
        if not all(isinstance(item, (int, float, np.number, np.bool_)) for item in listed):
            remedy = "Compare it with a number."
            raise ColumnTypeError.expected(
                "SegmentationBrief.audience", name, "compared with numbers", repr(value), remedy
            )
    met = OPERATORS[symbol](values, listed if symbol in _LISTS else listed[0])
    return np.asarray(met, dtype=bool) & ~column.missing


def _positions(column: Column, symbol: str, levels: list[Any]) -> list[int]:
    if symbol in _COMPARISONS and column.kind == "nominal":
        remedy = "Use == or in, or make it an ordered category."
        raise ColumnTypeError.expected(
            "SegmentationBrief.audience", column.name, f"ordered for {symbol!r}", "unordered categories", remedy
        )
    for level in levels:
        if str(level) not in column.categories:
            who = "SegmentationBrief.audience"
            raise InvalidParameterError.unknown_name(who, f"level of {column.name!r}", level, column.categories)
    return [column.categories.index(str(level)) for level in levels]

"""Rules as SQL that says what ``predict`` says."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from custseg._core.composed import spellings
from custseg._core.exact import EXACT_FLOATS
from custseg._core.params import NONE, OneOf, ParameterTable, Where, check
from custseg._core.rounding import rounding_of
from custseg._core.segments import SEGMENT
from custseg.segmentation._rules.columns import Domain, level_text
from custseg.segmentation._rules.rules import COMPARISONS, LISTS, Condition, Rule, Scalar, exact_number

__all__ = ["case_expression", "quote_name", "write_query"]

# Whole numbers below are exact in every type; a column of short floats is compared with a long
# number only where the number is written as one.
_EXACT = 2**24
_LARGEST = repr(sys.float_info.max).replace("e+", "E")


def _is_table_name(value: Any) -> bool:
    parts = [value] if isinstance(value, str) else value
    return isinstance(parts, Sequence) and len(parts) > 0 and all(isinstance(part, str) and part for part in parts)


_PARAMETERS: ParameterTable = {
    "table": (NONE, Where(_is_table_name, "a name, or a sequence of names")),
    "quote": (OneOf('"', "`"),),
}


def write_query(
    rules: Sequence[Rule],
    domains: Mapping[str, Domain],
    results: Sequence[int | str],
    *,
    table: str | Sequence[str] | None,
    quote: str,
) -> str:
    """Write rules as a query of a table, or as a CASE expression where no table is named.

    Parameters
    ----------
    rules, domains, results
        As in :func:`case_expression`.
    table : str or sequence of str or None
        The table of customers, one name or several.
    quote : {'"', "`"}
        The quote around columns and tables.

    Returns
    -------
    str
        The query or the expression.

    Raises
    ------
    InvalidParameterError
        If ``table`` is no name, or ``quote`` is another one.
    """
    check(_PARAMETERS, {"table": table, "quote": quote})
    expression = case_expression(rules, domains, results, quote=quote)
    if table is None:
        return expression
    parts = [table] if isinstance(table, str) else list(table)
    source = ".".join(quote_name(part, quote) for part in parts)
    return f"SELECT *, {expression} AS {quote_name(SEGMENT, quote)}\nFROM {source}"


def quote_name(name: str, quote: str) -> str:
    """Quote a column or table."""
    return quote + name.replace(quote, quote * 2) + quote


def case_expression(
    rules: Sequence[Rule], domains: Mapping[str, Domain], results: Sequence[int | str], *, quote: str
) -> str:
    """Write rules as a CASE expression.

    Parameters
    ----------
    rules : sequence of Rule
        The rules, in their order.
    domains : mapping of str to Domain
        What their columns hold.
    results : sequence of int or str
        The value for each rule, and for everyone else.
    quote : {'"', "`"}
        The quote around columns. With a backquote, text is escaped by backslashes, as the dialects
        do that use it (MySQL, BigQuery, Spark).

    Returns
    -------
    str
        The expression.
    """
    lines = ["CASE"]
    for rule, result in zip(rules, results[:-1], strict=True):
        parts = [_all_of(conditions, domains, quote) for conditions in rule.alternatives] or ["1 = 0"]
        words = parts[0] if len(parts) == 1 else " OR ".join(f"({part})" for part in parts)
        lines.append(f"    WHEN {words} THEN {_result(result, quote)}")
    return "\n".join([*lines, f"    ELSE {_result(results[-1], quote)}", "END"])


def _result(result: int | str, quote: str) -> str:
    return _text(result, quote) if isinstance(result, str) else str(result)


def _all_of(conditions: Sequence[Condition], domains: Mapping[str, Domain], quote: str) -> str:
    bounded = {
        part.column
        for part in conditions
        if part.operator in ("<", "<=", "==", "in") or domains[part.column].kind != "number"
    }
    parts = []
    for condition in conditions:
        parts.append(_condition(condition, domains[condition.column], quote))
        if condition.column not in bounded:
            # Many databases hold NaN for a number above all others; predict takes it for a missing value.
            parts.append(f"{quote_name(condition.column, quote)} <= {_LARGEST}")
            bounded.add(condition.column)
    return " AND ".join(parts)


def _condition(condition: Condition, domain: Domain, quote: str) -> str:
    column = quote_name(condition.column, quote)
    symbol, values = condition.operator, condition.values
    if domain.kind == "flag":
        met = [flag for flag in (False, True) if _holds(flag, condition)]
        if len(met) == 2:
            return f"{column} IS NOT NULL"
        return f"{column} = {str(met[0]).upper()}" if met else "1 = 0"
    if domain.kind == "number" and domain.rounding:
        return _with_room(column, symbol, values, domain.rounding)
    if domain.kind == "number":
        texts = [_number(value, whole=domain.whole) for value in values]
    elif domain.kind == "level":
        levels = _levels(symbol, [level_text(value) for value in values], domain.levels)
        texts = [_text(text, quote) for level in levels for text in spellings(level)]
        return f"{column} IN ({', '.join(texts)})" if levels else "1 = 0"
    else:
        texts = [_text(text, quote) for value in values for text in spellings(level_text(value))]
        if len(texts) > len(values):
            symbol = "in" if symbol in ("==", "in") else "not in"
    if symbol in LISTS:
        return f"{column} {'IN' if symbol == 'in' else 'NOT IN'} ({', '.join(texts)})"
    return f"{column} {({'==': '=', '!=': '<>'}).get(symbol, symbol)} {texts[0]}"


def _with_room(column: str, symbol: str, values: Sequence[Scalar], rounding: float) -> str:
    """Compare numbers of which some are those of the rule but for rounding."""
    numbers = np.array(values, dtype=np.float64)
    room = rounding_of(numbers, rounding)
    ends = zip(numbers - room, numbers + room, strict=True)
    bounds = [(_number(low, whole=False), _number(high, whole=False)) for low, high in ends]
    if symbol in COMPARISONS:
        return f"{column} {symbol} {bounds[0][symbol in ('<=', '>')]}"
    is_met = symbol in ("==", "in")
    parts = [f"{column} {'BETWEEN' if is_met else 'NOT BETWEEN'} {low} AND {high}" for low, high in bounds]
    words = (" OR " if is_met else " AND ").join(parts)
    return words if len(parts) == 1 else f"({words})"


def _levels(symbol: str, listed: Sequence[str], known: Sequence[str]) -> Sequence[str]:
    """Return the levels that meet a condition: one that was not there in ``fit`` is never among them."""
    if symbol in COMPARISONS:
        place = known.index(listed[0])
        ends = {"<": (0, place), "<=": (0, place + 1), ">": (place + 1, None), ">=": (place, None)}[symbol]
        return known[slice(*ends)]
    return [level for level in known if (level in listed) == (symbol in ("==", "in"))]


def _holds(flag: bool, condition: Condition) -> bool:
    value = float(condition.values[0])
    return {
        "==": flag == value,
        "!=": flag != value,
        "<": flag < value,
        "<=": flag <= value,
        ">": flag > value,
        ">=": flag >= value,
        "in": flag in condition.values,
        "not in": flag not in condition.values,
    }[condition.operator]


def _number(value: Scalar, *, whole: bool) -> str:
    number, exact = float(value), exact_number(value)
    # a whole number that is compared as a float would be taken for its neighbours
    is_large = EXACT_FLOATS <= abs(exact) < 2**64 and (whole or exact != number)
    if number.is_integer() and (abs(number) < _EXACT or is_large):
        return str(exact)
    text = repr(number).replace("e+", "E").replace("e", "E")
    return text if "E" in text else f"{text}E0"


def _text(value: str, quote: str) -> str:
    if quote == "`":
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return "'" + value.replace("'", "''") + "'"

"""What a column of the customers can be compared with, and who meets a condition on it."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from custseg._core.arrays import Bools, Floats
from custseg._core.customers import Column, CustomerTable
from custseg._core.exact import EXACT_FLOATS, READ_WHOLE
from custseg._core.levels import level_text
from custseg._core.rounding import rounding_of
from custseg._core.warning import warn
from custseg.exceptions import (
    ColumnChangeError,
    ColumnNotFoundError,
    ColumnTypeError,
    InvalidParameterError,
    suggest,
)
from custseg.segmentation._rules.rules import COMPARISONS, LISTS, Condition, Rule, exact_number

__all__ = ["Domain", "find_domains", "first_match", "level_text", "matches", "see_rounding", "unseen_levels"]


_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class Domain:
    """What values a column may have, as far as rules care.

    Attributes
    ----------
    kind : {"number", "flag", "level", "name"}
        Numbers; false and true; levels in an order; text without one.
    levels : tuple of str
        The levels in their order, for ``"level"``.
    whole : bool
        Whether numbers are whole.
    rounding : float
        The share of a number that is rounding, where a customer's number differs from one in a rule by that alone,
        else 0.
    """

    kind: Literal["number", "flag", "level", "name"]
    levels: tuple[str, ...] = ()
    whole: bool = False
    rounding: float = 0.0

    @property
    def is_numeric(self) -> bool:
        """Whether values are compared as numbers."""
        return self.kind in ("number", "flag")


def find_domains(
    rules: Iterable[Rule], table: CustomerTable, *, unknown: Literal["warned of", "refused"] = "warned of"
) -> dict[str, Domain]:
    """Return the domain of every column that a rule names; refuse comparisons that cannot be meant.

    Text that no customer has is warned of, or refused: it may be a slip, or a value still to come.
    """
    rules = tuple(rules)
    conditions = [condition for rule in rules for condition in rule.conditions]
    missing = [name for name in dict.fromkeys(c.column for c in conditions) if name not in table.names]
    if missing:
        raise ColumnNotFoundError.in_table(missing, table.names)
    domains = {name: _domain(table[name], conditions) for name in sorted({c.column for c in conditions})}
    for condition in conditions:
        _check(condition, domains[condition.column], table[condition.column], unknown)
    return see_rounding(domains, rules, table)


def _domain(column: Column, conditions: Iterable[Condition]) -> Domain:
    if column.missing.all() and column.kind == "numeric":
        # Nothing but missing values says no kind; the rules do.
        values = [value for condition in conditions if condition.column == column.name for value in condition.values]
        return Domain("name" if all(isinstance(value, str) for value in values) else "number")
    if column.kind == "ordinal":
        return Domain("level", column.categories)
    if column.kind == "nominal":
        return Domain("name")
    return Domain("flag" if column.kind == "binary" else "number", whole=column.is_integer)


def _check(condition: Condition, domain: Domain, column: Column, unknown: str) -> None:
    name, symbol = condition.column, condition.operator
    if domain.is_numeric:
        wrong = [value for value in condition.values if isinstance(value, str)]
        if wrong:
            is_flag = domain.kind == "flag"
            remedy = f"Compare it with {'True or False' if is_flag else 'a number'}, or turn the column into text."
            raise ColumnTypeError.expected(name, "compared with numbers", repr(wrong[0]), remedy)
        return
    if domain.kind == "name" and symbol in COMPARISONS:
        remedy = "Use == or in, or make it an ordered category."
        raise ColumnTypeError.expected(name, f"ordered for {symbol!r}", "unordered categories", remedy)
    for level in map(level_text, condition.values):
        if level in column.categories:
            continue
        if domain.kind == "level" or (unknown == "refused" and column.categories):
            raise InvalidParameterError.unknown_name(f"level of {name!r}", level, column.categories)
        if column.categories:
            warn(
                f"no customer has the value {level!r} of column {name!r} that a rule asks for."
                f"{suggest(level, column.categories)}"
            )


def see_rounding(domains: Mapping[str, Domain], rules: Iterable[Rule], table: CustomerTable) -> dict[str, Domain]:
    """Mark the domains of columns in which a customer's number differs from one in a rule by rounding alone."""
    marked = dict(domains)
    for condition in [condition for rule in rules for condition in rule.conditions]:
        if _is_rounded(condition, marked[condition.column], table[condition.column]):
            rounding = table[condition.column].rounding
            marked[condition.column] = replace(marked[condition.column], rounding=rounding)
    return marked


def _is_rounded(condition: Condition, domain: Domain, column: Column) -> bool:
    """Say whether a customer's number is that of a condition but for rounding."""
    if domain.kind != "number" or domain.whole or domain.rounding or column.kind != "numeric":
        return False
    cuts = np.array(condition.values, dtype=np.float64)
    near = _compared_numbers("in", column, cuts) & ~np.isin(column.values, cuts)
    return bool((near & ~column.missing).any())


def matches(rule: Rule, table: CustomerTable, domains: Mapping[str, Domain]) -> Bools:
    """Say which customers meet a rule, whatever rules come before it."""
    found = np.zeros(table.n_customers, dtype=bool)
    for conditions in rule.alternatives:
        met = np.ones(table.n_customers, dtype=bool)
        for condition in conditions:
            met &= _meets(condition, table[condition.column], domains[condition.column])
        found |= met
    return found


def unseen_levels(table: CustomerTable, domains: Mapping[str, Domain]) -> dict[str, list[str]]:
    """Return the values that are none of the levels of ``fit``, one for each row that has one, by column."""
    found = {}
    for name, domain in domains.items():
        column = table[name]
        new = [level not in domain.levels for level in column.categories] if domain.kind == "level" else []
        rows = column.values[np.isin(column.values, np.flatnonzero(new))]
        found[name] = [column.categories[code] for code in rows.tolist()]
    return found


def first_match(each: Iterable[Bools], n_customers: int, otherwise: int) -> npt.NDArray[np.int64]:
    """Return the position of the first rule that each customer meets, or ``otherwise``."""
    labels = np.full(n_customers, otherwise, dtype=np.int64)
    left = np.ones(n_customers, dtype=bool)
    for position, met in enumerate(each):
        labels[left & met] = position
        left &= ~met
    return labels


def _meets(condition: Condition, column: Column, domain: Domain) -> Bools:
    """Say who meets a condition; a missing value meets none."""
    if column.missing.all():
        return np.zeros(len(column.values), dtype=bool)
    if domain.is_numeric != (column.kind in ("numeric", "binary")):
        fitted = "numbers" if domain.is_numeric else "text or categories"
        raise ColumnChangeError.kind(column.name, fitted, column.kind)
    if domain.is_numeric:
        return _numbers_meet(condition, column, whole=domain.whole) & ~column.missing
    known: npt.NDArray[Any] = np.array(column.categories, dtype=object)
    # A level that was not there in fit counts as missing; text has no closed set of values.
    counts = np.isin(known, domain.levels) if domain.kind == "level" else np.ones(len(known), dtype=bool)
    levels: list[Any] = [level_text(value) for value in condition.values]
    if condition.operator in COMPARISONS:
        places = {level: place for place, level in enumerate(domain.levels)}
        known = np.array([places.get(level, -1) for level in column.categories])
        levels = [places[level] for level in levels]
    met_by_level: Bools = np.append(_compared(condition.operator, known, levels) & counts, False)
    return np.asarray(met_by_level[column.values])


def _numbers_meet(condition: Condition, column: Column, *, whole: bool) -> Bools:
    """Compare numbers with those of a rule; whole numbers are never taken for their neighbours."""
    symbol, values = condition.operator, [exact_number(value) for value in condition.values]
    if column.exact is None:
        # below 2**53 a float is exact, so that rounding the other side of a comparison changes nothing
        if not column.is_integer and (np.abs(column.values) >= EXACT_FLOATS).any():
            _refuse_neighbours(condition)
        cuts = np.array([float(value) for value in values])
        is_whole = whole and column.is_integer
        return _compared(symbol, column.values, cuts) if is_whole else _compared_numbers(symbol, column, cuts)
    if symbol not in COMPARISONS:
        inside = np.isin(column.exact.astype(object), np.array(values, dtype=object))
        return np.asarray(inside if symbol in ("==", "in") else ~inside, dtype=bool)
    return np.asarray(_COMPARE[symbol](column.exact.astype(object), values[0]), dtype=bool)


def _refuse_neighbours(condition: Condition) -> None:
    """Refuse to look for a whole number among floats that may have been another one before they were rounded."""
    for value in condition.values:
        # a float is what was written, such as 1e20 for a value that is not known
        is_large = isinstance(value, int) and abs(value) >= EXACT_FLOATS
        if is_large and (condition.operator not in COMPARISONS or float(value) != value):
            raise ColumnTypeError.expected(
                condition.column,
                f"whole numbers to be compared with {value}",
                "floats of 2**53 or more, which are rounded to their neighbours",
                READ_WHOLE,
            )


def _compared_numbers(symbol: str, column: Column, cuts: Floats) -> Bools:
    """Compare numbers; one that differs from a cut by rounding alone is the cut."""
    values, room = column.values, rounding_of(cuts, column.rounding)
    if symbol in COMPARISONS:
        bound = cuts[0] + room[0] if symbol in ("<=", ">") else cuts[0] - room[0]
        return np.asarray(_COMPARE[symbol](values, bound), dtype=bool)
    order = np.argsort(cuts)
    low, high = (cuts - room)[order], (cuts + room)[order]
    place = np.searchsorted(low, values, side="right") - 1
    inside = (place >= 0) & (values <= high[place])
    return np.asarray(inside if symbol in ("==", "in") else ~inside)


def _compared(symbol: str, values: npt.NDArray[Any], listed: Any) -> Bools:
    if symbol in LISTS:
        inside = np.isin(values, np.array(listed, dtype=values.dtype))
        return inside if symbol == "in" else ~inside
    return np.asarray(_COMPARE[symbol](values, listed[0]), dtype=bool)

"""What a user may declare of the columns of a profile table, and which declarations contradict each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from custseg._core.asking import asked
from custseg._core.customers import KINDS
from custseg._core.described import OVERRIDES
from custseg._core.ids import ID_OR_ROWS
from custseg._core.params import NONE, Integer, OneOf, ParameterTable, Where
from custseg.characteristics._profiles.encoding import level_text
from custseg.characteristics._profiles.level_pools import is_hierarchy
from custseg.exceptions import InvalidParameterError

MISSING_ANSWERS = (
    "",
    "?",
    "-",
    "n/a",
    "n.a.",
    "#n/a",
    "na",
    "nan",
    "<na>",
    "null",
    "unknown",
    "none/unknown",
    "missing",
    "not available",
    "not specified",
    "not stated",
    "not known",
    "not disclosed",
    "not provided",
    "not answered",
    "no answer",
    "no response",
    "don't know",
    "do not know",
    "undisclosed",
    "refused",
    "declined to answer",
    "prefer not to say",
    "prefer not to answer",
    "prefer not to disclose",
    "i prefer not to say",
    "rather not say",
)

# the parameters that name columns of the table
_PER_COLUMN = (
    "level_orders", "kinds", "missing_values", "min_customers", "hierarchies", "households", "ages", "plausible",
)  # fmt: skip
# what a parameter gives to a column, and the kind that the column has thereby
_GIVES = {
    "level_orders": ("an order", "ordinal"),
    "hierarchies": ("a hierarchy", "nominal"),
    "ages": ("an age", "numeric"),
}


def _is_texts(value: Any) -> bool:
    return isinstance(value, (list, tuple, set, frozenset)) and all(isinstance(text, str) for text in value)


def _are_names(value: Any) -> bool:
    return _is_texts(value) and len(value) > 0


def _is_number(value: Any) -> bool:
    kinds = (int, float, np.integer, np.floating)
    return isinstance(value, kinds) and not isinstance(value, bool) and bool(np.isfinite(value))


def _are_answers(value: Any) -> bool:
    if not isinstance(value, (list, tuple, set, frozenset)):
        return False
    return all(isinstance(answer, str) or _is_number(answer) for answer in value)


def _is_orders(value: Any) -> bool:
    if not isinstance(value, Mapping):
        return False
    orders = [list(map(level_text, order)) for order in value.values() if isinstance(order, (list, tuple))]
    return len(orders) == len(value) and all(order and len(set(order)) == len(order) for order in orders)


def _is_least(value: Any) -> bool:
    if not _is_number(value):
        return False
    return bool(value >= 1 and float(value).is_integer()) or bool(0 < value < 1)


def _is_range(value: Any) -> bool:
    if value is None:
        return True
    if not (isinstance(value, (list, tuple)) and len(value) == 2):
        return False
    low, high = value
    if not all(bound is None or _is_number(bound) for bound in value):
        return False
    return low is None or high is None or bool(low < high)


def _dict_of(accepts: Callable[[Any], bool], words: str) -> Where:
    return Where(
        lambda value: (
            isinstance(value, Mapping)
            and all(isinstance(name, str) for name in value)
            and all(map(accepts, value.values()))
        ),
        words,
    )


PARAMETERS: ParameterTable = {
    "customer_id": ID_OR_ROWS,
    "columns": (NONE, Where(_are_names, "a list of column names")),
    "level_orders": (NONE, Where(_is_orders, "a dict of column names to lists of different levels, from low to high")),
    "kinds": (
        NONE,
        _dict_of(
            lambda kind: isinstance(kind, str) and kind in KINDS,
            f"a dict of column names to {' or '.join(map(repr, KINDS))}",
        ),
    ),
    "missing_values": (
        Where(_are_answers, "a sequence of texts and numbers"),
        _dict_of(_are_answers, "a dict of column names to such sequences"),
    ),
    "min_customers": (
        NONE,
        Where(_is_least, "a whole number >= 1, a share in (0, 1)"),
        _dict_of(_is_least, "a dict of column names to such numbers"),
    ),
    "other": (Where(lambda value: isinstance(value, str) and bool(value.strip()), "a text that is not empty"),),
    "hierarchies": (
        NONE,
        _dict_of(
            is_hierarchy,
            "a dict of column names to 'prefix', a list of lengths, or a dict of levels to the level above, "
            "without circles",
        ),
    ),
    "households": (NONE, Where(_are_names, "a list of column names")),
    "ages": (
        NONE,
        _dict_of(lambda name: isinstance(name, str) and bool(name), "a dict of column names to names of ages"),
    ),
    "reference_year": (NONE, Integer(low=1000)),
    "plausible": (NONE, _dict_of(_is_range, "a dict of column names to (low, high) with low < high, or None")),
    "implausible": (OneOf("keep", "missing"),),
    "decimal": (NONE, OneOf("."), OneOf(",")),
    **OVERRIDES,
}


def check_declared(given: Mapping[str, Any], names: Sequence[str]) -> None:
    """Refuse declarations of columns that are not there, that contradict each other, or that lack another one.

    Parameters
    ----------
    given : dict
        Its parameters.
    names : sequence of str
        The columns read.
    """
    for parameter in _PER_COLUMN:
        named = given[parameter] if isinstance(given[parameter], Mapping) or parameter == "households" else None
        for name in named or ():
            if name not in names:
                raise InvalidParameterError.unknown_name(f"column in {parameter}", name, names)
    _check_kinds(given)
    if given["ages"] and given["reference_year"] is None:
        raise InvalidParameterError(
            f"{asked()}: ages needs reference_year, the year that ages are reckoned at, which is never taken from the "
            "clock. Pass for example reference_year=2024."
        )
    for name in given["hierarchies"] or {}:
        if least_customers(given["min_customers"], name) is None:
            raise InvalidParameterError(
                f"{asked()}: hierarchies rolls up the rare levels of column {name!r}, but min_customers does not say "
                f"which levels are rare. Pass for example min_customers={{{name!r}: 20}}."
            )


def _check_kinds(given: Mapping[str, Any]) -> None:
    said: dict[str, tuple[str, str]] = {
        name: ("kinds", f"says that it is {kind}") for name, kind in (given["kinds"] or {}).items()
    }
    for parameter, (what, kind) in _GIVES.items():
        for name in given[parameter] or {}:
            other, says = said.get(name, ("", ""))
            if other and says != f"says that it is {kind}":
                raise InvalidParameterError(
                    f"{asked()}: {parameter} gives column {name!r} {what}, {other} {says}. Drop it from one of the two."
                )
            said[name] = (parameter, f"gives it {what}")


def check_found(given: Mapping[str, Any], kinds: Mapping[str, str]) -> None:
    """Refuse declarations that the kind of their column leaves without effect.

    Parameters
    ----------
    given : dict
        Its parameters.
    kinds : dict of str to str
        The kinds of the columns that hold any value.
    """
    needs = {"min_customers": ("nominal", "a least number of customers"), "plausible": ("numeric", "a range")}
    for parameter, (kind, what) in needs.items():
        declared = given[parameter] if isinstance(given[parameter], Mapping) else {}
        for name, value in declared.items():
            if value is not None and kinds.get(name, kind) != kind:
                raise InvalidParameterError(
                    f"{asked()}: {parameter} gives column {name!r} {what}, but the column is {kinds[name]}, not "
                    f"{kind}. Drop it from {parameter}, or say what it is: kinds={{{name!r}: {kind!r}}}."
                )


def check_names(names: Sequence[str], customer_id: str) -> None:
    """Refuse characteristics that would share a name.

    Parameters
    ----------
    names : sequence of str
        The characteristics.
    customer_id : str
        The column of ids.
    """
    seen = {customer_id}
    for name in names:
        if name in seen:
            raise InvalidParameterError(
                f"{asked()}: two columns would be called {name!r}. Call the age otherwise (ages={{...}}), or rename "
                "the column of the table."
            )
        seen.add(name)


def least_customers(min_customers: Any, name: str) -> float | None:
    """Return the least number, or share, of customers that a level of a column must have; None where any will do."""
    least = min_customers.get(name) if isinstance(min_customers, Mapping) else min_customers
    return None if least is None else float(least)

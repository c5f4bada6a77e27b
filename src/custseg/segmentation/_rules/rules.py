"""Rules as data: a name and the conditions that a customer must meet, written as an analyst would say them."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from custseg._core.asking import asked, asking
from custseg._core.exact import EXACT_FLOATS
from custseg.exceptions import InvalidParameterError, InvalidTableError, list_names

__all__ = [
    "COMPARISONS",
    "LISTS",
    "OPERATORS",
    "Condition",
    "Rule",
    "column_text",
    "exact_number",
    "read_rules",
    "value_text",
]

Scalar = str | int | float | bool

OPERATORS = ("==", "!=", "<", "<=", ">", ">=", "in", "not in")
LISTS = ("in", "not in")
COMPARISONS = ("<", "<=", ">", ">=")

_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_SPELLINGS = {"=": "==", "<>": "!="}
# of other languages of conditions, and what to write here
_OTHER_WORDS = {
    "between": "write 3 <= recency <= 5",
    "is": "no condition asks for missing values; a customer who misses one meets no condition on it",
    "like": "text is compared as a whole; write town in ['Paris', 'Paris 2']",
    "not": "turn the comparison round, or write 'not in' with a list",
}
_KEYWORDS = ("and", "or", "in", "not", "true", "false")
_BARE = re.compile(r"[^\W\d][\w.]*")
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
      | (?P<text>'(?:[^']|'')*'|"(?:[^"]|"")*")
      | (?P<quoted>`(?:[^`]|``)+`)
      | (?P<word>[^\W\d][\w.]*)
      | (?P<operator><=|>=|==|!=|<>|=|<|>)
      | (?P<mark>[\[\](),])
    )""",
    re.VERBOSE,
)
_REMEDY = "Write for example: recency <= 30 and frequency >= 5 and region in ['North', 'East']."


@dataclass(frozen=True)
class Condition:
    """One comparison of a column with a value.

    Attributes
    ----------
    column : str
        The column.
    operator : {"==", "!=", "<", "<=", ">", ">=", "in", "not in"}
        The comparison.
    value : str, number, bool or tuple of them
        What it is compared with; a tuple for ``in`` and ``not in``.
    """

    column: str
    operator: str
    value: Scalar | tuple[Scalar, ...]

    @property
    def values(self) -> tuple[Scalar, ...]:
        """The values, one or several."""
        return self.value if isinstance(self.value, tuple) else (self.value,)

    def __str__(self) -> str:
        listed = ", ".join(map(value_text, self.values))
        return f"{column_text(self.column)} {self.operator} {f'[{listed}]' if self.operator in LISTS else listed}"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A segment by definition: its name, and the conditions of which one set must be met as a whole.

    Attributes
    ----------
    name : str
        The name of the segment.
    alternatives : tuple of tuple of conditions
        A customer belongs to the segment who meets all conditions of at least one of them; nobody
        does where there is none. A condition has ``column``, ``operator`` (such as ``"<="``) and
        ``value`` (a tuple for ``in`` and ``not in``).

    Examples
    --------
    >>> import pandas as pd
    >>> from custseg.segmentation import RuleSegmenter
    >>> customers = pd.DataFrame({"recency": [5, 80], "region": ["North", "South"]})
    >>> segmenter = RuleSegmenter({"Active": "recency <= 30 or region == 'North'"}).fit(customers)
    >>> rule = segmenter.rules_[0]
    >>> rule.name, rule.text
    ('Active', "recency <= 30 or region == 'North'")
    >>> [(part.column, part.operator, part.value) for part in rule.conditions]
    [('recency', '<=', 30), ('region', '==', 'North')]
    >>> RuleSegmenter([rule.to_dict()]).fit(customers).labels_
    array([ 0, -1])
    """

    name: str
    alternatives: tuple[tuple[Condition, ...], ...]

    @classmethod
    @asking("Rule", unless_asked=True)
    def read(cls, conditions: Any, *, name: str = "rule") -> Rule:
        """Read a rule.

        Parameters
        ----------
        conditions : str or sequence of (column, operator, value)
            Text as :class:`RuleSegmenter` reads it, or conditions that must all be met.
        name : str, default="rule"
            The name of the rule.

        Returns
        -------
        Rule
            The rule.

        Raises
        ------
        InvalidParameterError
            If the conditions cannot be read.

        Examples
        --------
        >>> from custseg.segmentation import Rule
        >>> Rule.read([("country", "in", ["FR", "DE"]), ("orders", ">=", 2)]).text
        "country in ['FR', 'DE'] and orders >= 2"
        """
        return _read_rule((name, conditions))

    @property
    def parts(self) -> tuple[Rule, ...]:
        """The rules that must all be met, one for each condition; a rule with ``or`` is one whole."""
        if len(self.alternatives) != 1:
            return (self,)
        return tuple(Rule(name=self.name, alternatives=((condition,),)) for condition in self.conditions)

    @property
    def text(self) -> str:
        """The conditions in words, as :class:`RuleSegmenter` reads them."""
        return " or ".join(" and ".join(map(str, conditions)) for conditions in self.alternatives)

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """All conditions, of whichever alternative."""
        return tuple(condition for conditions in self.alternatives for condition in conditions)

    def __str__(self) -> str:
        return f"{self.name}: {self.text}"

    def to_dict(self) -> dict[str, str]:
        """Return name and conditions as text, for JSON or a spreadsheet; a list of these is read again."""
        return {"segment": self.name, "rule": self.text}


def column_text(name: str) -> str:
    """Write a column name as a rule does: as it is, or in backquotes where it is not a plain word."""
    plain = _BARE.fullmatch(name) and name.casefold() not in _KEYWORDS
    return name if plain else "`" + name.replace("`", "``") + "`"


def value_text(value: Scalar) -> str:
    """Write a value as a rule does."""
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value).lower() if isinstance(value, bool) else repr(value)


def exact_number(value: Scalar) -> int | float:
    """Return a number of a rule as a whole one where it is whole: those of any size compare exactly."""
    number = float(value)
    return int(value) if isinstance(value, int) or number.is_integer() else number


def read_rules(rules: Any) -> tuple[Rule, ...]:
    """Read rules in any of the forms that they may be given in.

    Parameters
    ----------
    rules : mapping, DataFrame, or sequence
        ``{name: conditions}``; a table with the columns ``segment`` and ``rule``; a sequence of
        ``(name, conditions)``, of ``{"segment": name, "rule": conditions}`` or of :class:`Rule`. The
        conditions are text, or a list of ``(column, operator, value)`` that must all be met.

    Returns
    -------
    tuple of Rule
        The rules, in their order.

    Raises
    ------
    InvalidParameterError
        If there is no rule, a name comes twice, or conditions cannot be read.
    """
    found = tuple(_read_rule(entry) for entry in _entries(rules))
    if not found:
        raise InvalidParameterError.not_allowed("rules", "at least one rule", rules)
    names = [rule.name for rule in found]
    twice = [name for position, name in enumerate(names) if name in names[:position]]
    if twice:
        raise InvalidParameterError(
            f"{asked()}: parameter 'rules' names {list_names(dict.fromkeys(twice))} more than once. "
            "Join the conditions of one segment by 'or'."
        )
    return found


def _entries(rules: Any) -> Iterable[Any]:
    if isinstance(rules, Mapping):
        return list(rules.items())
    if isinstance(rules, pd.DataFrame):
        if not {"segment", "rule"} <= set(rules.columns):
            raise InvalidTableError(
                f"{asked()}: a table of rules has the columns 'segment' and 'rule', got {list_names(rules.columns)}. "
                "Rename them."
            )
        return list(zip(rules["segment"].tolist(), rules["rule"].tolist(), strict=True))
    return list(rules)


def _read_rule(entry: Any) -> Rule:
    if isinstance(entry, Rule):
        return entry
    if isinstance(entry, Mapping) and {"segment", "rule"} == set(entry):
        entry = (entry["segment"], entry["rule"])
    if not (isinstance(entry, Sequence) and len(entry) == 2) or isinstance(entry, str):
        words = "rules of the form (name, conditions) or {'segment': name, 'rule': conditions}"
        raise InvalidParameterError.not_allowed("rules", words, entry)
    name, conditions = entry
    if not isinstance(name, str) or not name.strip():
        raise InvalidParameterError.not_allowed("rules", "named by text", name)
    if isinstance(conditions, str):
        return Rule(name=name, alternatives=_Parser(conditions, f"{asked()}: rule {name!r}").read())
    if not isinstance(conditions, Sequence) or not conditions:
        words = "rules with conditions, as text or as a list of (column, operator, value)"
        raise InvalidParameterError.not_allowed("rules", words, entry)
    read = tuple(_structured(condition, f"{asked()}: rule {name!r}") for condition in conditions)
    return Rule(name=name, alternatives=(read,))


def _structured(condition: Any, where: str) -> Condition:
    if isinstance(condition, Condition):
        return condition
    if not (isinstance(condition, Sequence) and len(condition) == 3) or isinstance(condition, str):
        raise InvalidParameterError(
            f"{where}: a condition is (column, operator, value), got {condition!r}. In rules, text is for whole rules."
        )
    column, symbol, value = condition
    if not (isinstance(column, str) and column) or symbol not in OPERATORS:
        raise InvalidParameterError(
            f"{where}: a condition is (column, operator, value) with an operator of {', '.join(OPERATORS)}, "
            f"got {condition!r}. {_REMEDY}"
        )
    is_list = isinstance(value, (list, tuple, set, frozenset, np.ndarray))
    if is_list != (symbol in LISTS):
        expected = "a list" if symbol in LISTS else "one value"
        raise InvalidParameterError(f"{where}: {symbol!r} takes {expected}, got {value!r}. {_REMEDY}")
    if not is_list:
        return Condition(column, symbol, _scalar(value, where))
    # A set has no order of its own.
    items = sorted(value, key=repr) if isinstance(value, (set, frozenset)) else list(value)
    return Condition(column, symbol, _listed([_scalar(item, where) for item in items], where))


def _scalar(value: Any, where: str) -> Scalar:
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, int) and abs(value) > sys.float_info.max:
        raise _too_large(where)
    if isinstance(value, (str, bool, int)) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise InvalidParameterError(
        f"{where}: a column is compared with text, a finite number, or true or false, got {value!r}. "
        "Leave a bound out where there is none; a missing value meets no condition."
    )


def _listed(values: Sequence[Scalar], where: str) -> tuple[Scalar, ...]:
    if not values:
        raise InvalidParameterError(f"{where}: a list of values is empty. {_REMEDY}")
    return tuple(values)


class _Parser:
    """Reads the text of a rule: comparisons joined by ``and``, and those by ``or``; nothing is evaluated."""

    def __init__(self, text: str, where: str) -> None:
        self._text, self._where, self._next = text, where, 0
        self._tokens: list[tuple[str, str]] = []
        position, end = 0, len(text.rstrip())
        while position < end:
            match = _TOKEN.match(text, position)
            if match is None:
                raise self._error(f"cannot read {text[position:].strip()[:20]!r}")
            self._tokens.append((str(match.lastgroup), match[str(match.lastgroup)]))
            position = match.end()

    def read(self) -> tuple[tuple[Condition, ...], ...]:
        alternatives = [self._all_of()]
        while self._take_word("or"):
            alternatives.append(self._all_of())
        if self._next < len(self._tokens):
            raise self._unexpected("'and', 'or' or the end")
        return tuple(alternatives)

    def _all_of(self) -> tuple[Condition, ...]:
        conditions = [*self._condition()]
        while self._take_word("and"):
            conditions += self._condition()
        return tuple(conditions)

    def _condition(self) -> list[Condition]:
        column = self._column()
        if column is None:
            return self._interval()
        negated = self._take_word("not")
        if self._take_word("in"):
            return [Condition(column, "not in" if negated else "in", self._list())]
        if negated:
            raise self._unexpected("'in' after 'not'")
        return [Condition(column, self._operator(), self._value())]

    def _interval(self) -> list[Condition]:
        """Read ``30 < recency`` or ``30 < recency <= 90``."""
        low, first = self._value(), self._operator()
        column = self._column()
        if column is None:
            raise self._unexpected("a column")
        conditions = [Condition(column, _FLIPPED[first], low)]
        if self._peek()[0] == "operator":
            second = self._operator()
            if first not in COMPARISONS or second not in COMPARISONS or first[0] != second[0]:
                raise self._error(f"{first!r} and {second!r} do not make an interval")
            conditions.append(Condition(column, second, self._value()))
        return conditions

    def _column(self) -> str | None:
        kind, token = self._peek()
        if kind == "quoted":
            self._next += 1
            return token[1:-1].replace("``", "`")
        if kind == "word" and token.casefold() not in _KEYWORDS:
            self._next += 1
            return token
        return None

    def _operator(self) -> str:
        kind, token = self._peek()
        if kind != "operator":
            raise self._unexpected("a comparison")
        self._next += 1
        return _SPELLINGS.get(token, token)

    def _value(self) -> Scalar:
        kind, token = self._peek()
        if kind == "word" and token.casefold() in ("true", "false"):
            self._next += 1
            return token.casefold() == "true"
        if kind not in ("number", "text"):
            raise self._unexpected("a number or quoted text")
        self._next += 1
        if kind == "text":
            return token[1:-1].replace(token[0] * 2, token[0])
        number = float(token)
        if not math.isfinite(number):
            raise _too_large(self._where)
        return int(token) if re.fullmatch(r"[+-]?\d+", token) else self._as_written(token, number)

    def _as_written(self, token: str, number: float) -> int | float:
        """Return a whole number that is written as 9007199254740993.0 or 9.007199254740993e15, which no float is."""
        # the shortest text of a float, as a tuple is written, is that float
        is_float = Decimal(token) in (Decimal(number), Decimal(repr(number)))
        if is_float or not EXACT_FLOATS <= abs(number) < 2**64:
            return number
        if Decimal(token) % 1:
            raise self._error(f"{token} has more digits than numbers of this size are told apart by")
        return int(Decimal(token))

    def _list(self) -> tuple[Scalar, ...]:
        closing = {"[": "]", "(": ")"}.get(self._peek()[1])
        if closing is None:
            raise self._unexpected("a list such as ['North', 'East']")
        self._next += 1
        values = [self._value()]
        while self._peek()[1] == ",":
            self._next += 1
            values.append(self._value())
        if self._peek()[1] != closing:
            raise self._unexpected(repr(closing))
        self._next += 1
        return tuple(values)

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._next] if self._next < len(self._tokens) else ("end", "")

    def _take_word(self, word: str) -> bool:
        kind, token = self._peek()
        found = kind == "word" and token.casefold() == word
        self._next += found
        return found

    def _unexpected(self, expected: str) -> InvalidParameterError:
        kind, token = self._peek()
        if kind == "mark" and token.startswith("("):
            return self._error("brackets are not understood (write 'a and b or a and c' for 'a and (b or c)')")
        if kind == "word" and (other := _OTHER_WORDS.get(token.casefold())):
            return self._error(f"{token!r} is not understood ({other})")
        return self._error(f"expected {expected}, got {'the end' if kind == 'end' else repr(token)}")

    def _error(self, problem: str) -> InvalidParameterError:
        return InvalidParameterError(f"{self._where}: {problem} in {self._text!r}. {_REMEDY}")


def _too_large(where: str) -> InvalidParameterError:
    return InvalidParameterError(
        f"{where}: a number is too large (beyond {sys.float_info.max:.1e}). Leave the bound out."
    )

"""Parameter checks, declared as data: each estimator lists what its parameters may be.

A table maps each parameter to its allowed values; :func:`check` walks it once in ``fit`` and names
parameter, allowed values and what was got.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from custseg.exceptions import InvalidParameterError


class Allowed(ABC):
    """One kind of value that a parameter may take."""

    @abstractmethod
    def accepts(self, value: Any) -> bool: ...

    @abstractmethod
    def __str__(self) -> str: ...

    def remedy(self, value: Any) -> str:
        """Say what to write in place of ``value``, where that is more than one of the allowed values."""
        return ""


def _is_number(value: Any, *kinds: type) -> bool:
    return isinstance(value, kinds) and not isinstance(value, (bool, np.bool_))


@dataclass(frozen=True)
class Integer(Allowed):
    """A whole number of at least ``low``, and at most ``high`` if there is one (bools are not numbers here)."""

    low: int = 1
    high: int | None = None

    def accepts(self, value: Any) -> bool:
        return _is_number(value, int, np.integer) and self.low <= value and (self.high is None or value <= self.high)

    def __str__(self) -> str:
        return f"an integer >= {self.low}" if self.high is None else f"an integer from {self.low} to {self.high}"


@dataclass(frozen=True)
class Number(Allowed):
    """A finite real number in ``[low, high]``; ``open_high`` leaves ``high`` itself out."""

    low: float = -math.inf
    high: float = math.inf
    open_high: bool = False

    def accepts(self, value: Any) -> bool:
        if not _is_number(value, int, float, np.integer, np.floating) or not math.isfinite(value):
            return False
        return bool(self.low <= value and (value < self.high if self.open_high else value <= self.high))

    def __str__(self) -> str:
        return f"a number in [{self.low:g}, {self.high:g}{')' if self.open_high else ']'}"


@dataclass(frozen=True)
class OneOf(Allowed):
    """One of a few listed values, compared with their type (``True`` is not ``1``; any text is text)."""

    values: tuple[Any, ...]

    def __init__(self, *values: Any) -> None:
        object.__setattr__(self, "values", values)

    def accepts(self, value: Any) -> bool:
        kind = str if isinstance(value, str) else type(value)
        return any(kind is type(listed) and value == listed for listed in self.values)

    def __str__(self) -> str:
        return " or ".join(repr(value) for value in self.values)


@dataclass(frozen=True)
class Instance(Allowed):
    """An instance of one of the given types."""

    types: tuple[type, ...]
    words: str

    def __init__(self, *types: type, words: str | None = None) -> None:
        object.__setattr__(self, "types", types)
        object.__setattr__(self, "words", words or " or ".join(f"a {kind.__name__}" for kind in types))

    def accepts(self, value: Any) -> bool:
        return isinstance(value, self.types)

    def __str__(self) -> str:
        return self.words


@dataclass(frozen=True)
class Where(Allowed):
    """Whatever a predicate accepts, described in words."""

    predicate: Callable[[Any], bool]
    words: str

    def accepts(self, value: Any) -> bool:
        return bool(self.predicate(value))

    def __str__(self) -> str:
        return self.words


COLUMN = Instance(str, words="a column name (text)")
NONE = OneOf(None)
# what numpy takes as a seed
RANDOM_STATE = (NONE, Integer(0, 2**32 - 1), Instance(np.random.RandomState, words="a numpy RandomState"))


ParameterTable = Mapping[str, tuple[Allowed, ...]]


def check(table: ParameterTable, values: Mapping[str, Any]) -> None:
    """Compare every declared parameter with its allowed values."""
    for name, allowed in table.items():
        value = values[name]
        if not any(kind.accepts(value) for kind in allowed):
            remedy = " ".join(filter(None, (kind.remedy(value) for kind in allowed)))
            raise InvalidParameterError.not_allowed(name, " or ".join(map(str, allowed)), value, remedy)


def check_weights(weights: Any) -> None:
    """Refuse what is no mapping of names to numbers >= 0 that are not all 0."""
    if not isinstance(weights, Mapping) or not all(isinstance(name, str) for name in weights):
        raise InvalidParameterError.not_allowed("weights", "a mapping by column name", weights)
    for name, weight in weights.items():
        if not Number(0.0).accepts(weight):
            raise InvalidParameterError.not_allowed(f"weights[{name!r}]", "a finite number >= 0", weight)
    if not any(weights.values()):
        raise InvalidParameterError.not_allowed("weights", "above 0 for at least one column", dict(weights))

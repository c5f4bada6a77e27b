"""Scales of a survey: how the parameters name them, and where their items are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from custseg._core.params import Number
from custseg.characteristics._survey.answer_codes import plain


def is_names(value: Any) -> bool:
    """Say whether a parameter is a list of names."""
    return isinstance(value, (list, tuple)) and len(value) > 0 and all(isinstance(name, str) for name in value)


def is_scales(value: Any) -> bool:
    """Say whether a parameter names scales and their items."""
    if not isinstance(value, Mapping) or not value:
        return False
    return all(isinstance(name, str) and is_names(items) and all(map(item_of, items)) for name, items in value.items())


def is_range(value: Any) -> bool:
    """Say whether a parameter is a pair of numbers, the lower one first."""
    number = Number()
    return isinstance(value, (list, tuple)) and len(value) == 2 and all(map(number.accepts, value)) and _rises(value)


def _rises(value: Sequence[float]) -> bool:
    return value[0] < value[1]


def is_labels(value: Any) -> bool:
    """Say whether a parameter lists the labels of answers."""
    return is_names(value) and len(value) > 1 and len(set(map(plain, value))) == len(value)


def is_no_answers(value: Any) -> bool:
    """Say whether a parameter lists codes and labels."""
    number = Number()
    is_list = isinstance(value, (list, tuple, set, frozenset))
    return is_list and all(isinstance(answer, str) or number.accepts(answer) for answer in value)


def item_of(keyed: str) -> str:
    """Return the item without the sign that reverses it."""
    return keyed.removeprefix("-")


@dataclass(frozen=True)
class Scale:
    """A scale in terms of the columns read: where its items are, and which of them are reversed."""

    name: str
    keyed: tuple[str, ...]
    places: tuple[int, ...]

    @property
    def signs(self) -> tuple[int, ...]:
        """-1 for the items that are reversed, else 1."""
        return tuple(-1 if item.startswith("-") else 1 for item in self.keyed)

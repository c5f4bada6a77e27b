"""What every result offers: a main table, a dictionary for JSON, a sentence, a fragment of HTML."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import wraps
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from custseg._core._html import element, table
from custseg._core.jsonable import jsonable, with_index
from custseg._core.notebook import shown
from custseg._core.visible import visible
from custseg._core.words import format_number

# A notebook shows so many rows of the main table; ``to_frame`` has all.
_MOST_ROWS = 20
_LONGEST_REPR = 99
_SCALARS = (str, bool, int, float, np.generic, type(None))


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Result(ABC):
    """What a function or an estimator found, in several parts.

    A subclass is a frozen dataclass with keyword-only fields and ``repr=False`` (the parts are large), says its
    sentence, and returns its main table where that is more than the row of its plain figures.
    """

    # tables that are worked on with, not figures: they stay out of ``to_dict``
    _handed_on: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "__str__" in vars(cls):
            cls.__str__ = _seen(cls.__str__)  # type: ignore[method-assign]

    @abstractmethod
    def __str__(self) -> str: ...

    def to_frame(self) -> pd.DataFrame:
        """Return the main table: one row of the figures and words.

        Returns
        -------
        frame : pandas.DataFrame
            One column for each field that is a number, a yes or no, or a text.
        """
        return pd.DataFrame([{name: value for name, value in self._parts() if isinstance(value, _SCALARS)}])

    def to_dict(self) -> dict[str, Any]:
        """Return all parts as plain values, ready for JSON.

        Returns
        -------
        parts : dict of str to object
            Tables are lists of rows, arrays lists; what is missing or not finite is None, an estimator its repr.
        """
        return {name: jsonable(value) for name, value in self._parts() if name not in self._handed_on}

    def _parts(self) -> list[tuple[str, Any]]:
        return [(field.name, getattr(self, field.name)) for field in fields(self)]

    def __repr__(self) -> str:
        told = [
            f"{name}={float(value):.4g}" if isinstance(value, float) else f"{name}={value!r}"
            for name, value in self._parts()
            if isinstance(value, _SCALARS) and value is not None
        ]
        return short_repr(type(self).__name__, told)

    def _repr_html_(self) -> str:
        frame = with_index(self.to_frame())
        rows = [[_cell(value) for value in row] for row in frame[:_MOST_ROWS].itertuples(index=False, name=None)]
        parts = [element("p", self)]
        if rows:
            parts.append(table(list(frame.columns), rows))
        if len(frame) > len(rows):
            parts.append(element("p", f"{len(frame) - len(rows):,} more rows in to_frame()."))
        return shown(*parts)


def _seen(sentence: Callable[[Any], str]) -> Callable[[Any], str]:
    """Let nothing of the data in a sentence steer a terminal."""

    @wraps(sentence)
    def seen(result: Any) -> str:
        return visible(sentence(result), keep="\n")

    return seen


def short_repr(name: str, parts: Sequence[str]) -> str:
    """Write a ``repr`` of one line: as many of the first parts as have room."""
    text = f"{name}({', '.join(parts)})"
    n_shown = len(parts)
    while len(text) > _LONGEST_REPR and n_shown:
        n_shown -= 1
        text = f"{name}({', '.join([*parts[:n_shown], '...'])})"
    return text


def _cell(value: Any) -> object:
    if value is None or value is pd.NA or value is pd.NaT or value != value:  # noqa: PLR0124 (NaN of any kind)
        return ""
    return format_number(value, 4) if isinstance(value, float) else value

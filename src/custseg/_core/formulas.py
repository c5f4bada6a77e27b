"""Ids and names that a spreadsheet would run as formulas when it opens a CSV file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from custseg._core.arrays import Bools
from custseg._core.visible import visible
from custseg._core.warning import warn

__all__ = ["Formulas", "is_formula"]

_STARTS = ("=", "+", "-", "@", "\t", "\r")
# what spreadsheets take for text, and do not show
_MARK = "'"


def is_formula(value: object) -> bool:
    """Say whether a spreadsheet may run a text as a formula.

    Examples
    --------
    >>> [is_formula(value) for value in ("=1+1", "@SUM(A1)", "A-1", -5)]
    [True, True, False, False]
    """
    return isinstance(value, str) and value.startswith(_STARTS)


class Formulas:
    """Looks at the texts that go into a CSV file: counts those that are formulas, or takes their effect.

    Parameters
    ----------
    escape : bool
        Whether a ``'`` is put before them; otherwise they are written as they are, and warned of.
    """

    def __init__(self, *, escape: bool) -> None:
        self._escape = escape
        self._n_found = 0
        self._example = ""

    def checked(self, texts: Sequence[Any]) -> tuple[list[Any], Bools]:
        """Return texts as they are to be written, and which of them are formulas."""
        found = np.fromiter(map(is_formula, texts), dtype=bool, count=len(texts))
        if found.any():
            self._n_found += int(found.sum())
            self._example = self._example or texts[int(np.argmax(found))]
            if self._escape:
                texts = [_MARK + text if is_one else text for text, is_one in zip(texts, found, strict=True)]
        return list(texts), found

    def tell(self, option: str) -> None:
        """Warn once of all that was written as it is; ``option`` is how their effect is taken."""
        if self._n_found and not self._escape:
            warn(
                f"{self._n_found:,} id(s) or name(s) in the CSV file begin with =, +, -, @, tab or carriage return, "
                f"such as '{visible(self._example)}', and a spreadsheet may run them as formulas. They are written as "
                f"they are; {option} puts a ' before them."
            )

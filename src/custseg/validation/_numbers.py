"""The numbers of segments that a question is asked at."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from custseg._core.params import Integer
from custseg.exceptions import InvalidParameterError

__all__ = ["numbers_of_segments"]


def numbers_of_segments(n_segments: int | Iterable[int]) -> tuple[int, ...]:
    """Return the numbers of segments, ascending, each once; refuse what is no number, or below 2."""
    allowed = Integer(2)
    # an array may hold one number
    several = isinstance(n_segments, Iterable) and getattr(n_segments, "ndim", 1) > 0
    asked: list[Any] = list(n_segments) if several else [n_segments]  # type: ignore[arg-type]
    wrong = [k for k in asked if not allowed.accepts(k)]
    if wrong or not asked:
        words = "one or more integers >= 2 (of a single segment there is nothing to ask)"
        raise InvalidParameterError.not_allowed("n_segments", words, wrong[0] if wrong else asked)
    return tuple(sorted({int(k) for k in asked}))

"""How much each fit may cost: one fit searches for a second where restarts disagree, refits by the hundred do not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["are_by_the_hundred", "by_the_hundred"]

_BY_THE_HUNDRED: ContextVar[bool] = ContextVar("by_the_hundred", default=False)


@contextmanager
def by_the_hundred() -> Iterator[None]:
    """Fit in a ``with`` block what is fitted again and again: latent classes and prototypes by their restarts alone."""
    token = _BY_THE_HUNDRED.set(True)
    try:
        yield
    finally:
        _BY_THE_HUNDRED.reset(token)


def are_by_the_hundred() -> bool:
    """Say whether this fit is one of many."""
    return _BY_THE_HUNDRED.get()

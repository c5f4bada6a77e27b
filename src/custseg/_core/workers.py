"""Work that comes from joblib's workers one piece after the other."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

from custseg._core.warning import ignoring

__all__ = ["stopped_at_exit"]


@contextmanager
def stopped_at_exit(outputs: Generator[Any]) -> Iterator[Generator[Any]]:
    """Stop the workers at once where the rest of their work is not wanted any more."""
    try:
        yield outputs
    finally:
        # joblib's own, about work that is thrown away; where all was taken, there is none
        with ignoring(UserWarning):
            outputs.close()

"""What does not come along when a process is forked: threads, and so what waits for them.

custseg's own locks are held while a process is forked, so that its child finds them open. Other libraries hold pools
of threads, of which the child has the handles but not the threads: it would wait for ever. There custseg does without
polars where it has the choice and refuses its tables, computes in one thread where OpenMP would use its pool, and
starts workers of joblib anew.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from custseg._core.surroundings import AROUND
from custseg._core.threads import one_openmp_thread
from custseg.exceptions import InvalidTableError

__all__ = ["has_lost_polars"]

# Linux tells the names of threads
_TASKS = Path("/proc/self/task")
_OF_POLARS = re.compile(r"polars-\d+")
_LOKY = "joblib.externals.loky.reusable_executor"


class _Lost:
    """What was running in the process that this one was forked from."""

    polars = False
    found = False
    is_known = True
    is_child = False
    # not collected, for it would send word to workers that are another process's
    workers: Any = None

    def look(self) -> None:
        """See what is running, before a fork."""
        if "polars" in sys.modules and not self.polars:
            names = _thread_names()
            self.is_known = bool(names)
            self.found = not names or any(map(_OF_POLARS.fullmatch, names))

    def forget(self) -> None:
        """Do without what has not come along, in the child."""
        self.polars |= self.found
        if not self.is_child:
            self.is_child = True
            AROUND.append(_in_child)
        loky: Any = sys.modules.get(_LOKY)
        if getattr(loky, "_executor", None) is not None:
            self.workers = self.workers, loky._executor  # noqa: SLF001 - joblib has no other word for it
            loky._executor = None  # noqa: SLF001


_LOST = _Lost()


def has_lost_polars() -> bool:
    """Say whether this process was forked from one in which polars had started its threads, or may have."""
    return _LOST.polars


@contextmanager
def _in_child(given: Sequence[Any]) -> Iterator[None]:
    if _LOST.polars and _LOST.is_known and any(map(_is_of_polars, given)):
        raise InvalidTableError.lost_in_fork("polars")
    with one_openmp_thread():
        yield


def _is_of_polars(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_is_of_polars, value.values()))
    return type(value).__module__.partition(".")[0] == "polars"


def _thread_names() -> list[str]:
    try:
        return [(task / "comm").read_text().strip() for task in _TASKS.iterdir()]
    except OSError:
        return []


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_LOST.look, after_in_child=_LOST.forget)

"""One thread for BLAS and OpenMP, asked for by any number of threads at once, and given back when the last is done.

The limit of BLAS is one for the whole process: who sets it while another holds it takes the limit for what was there
before, and leaves it behind. So it is set by the first and given back by the last. That of OpenMP is each thread's own.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import threadpoolctl
from threadpoolctl import ThreadpoolController

__all__ = ["one_openmp_thread", "one_thread"]


class _Limit:
    """The limit of BLAS, and who is inside."""

    def __init__(self) -> None:
        # an interrupted generator may be closed in the middle of another's entry
        self.lock = threading.RLock()
        self.own = threading.local()
        self.n_inside = 0
        self.before: Any = None
        self._known: tuple[int, dict[str, ThreadpoolController]] = (0, {})

    def enter(self) -> None:
        with self.lock:
            if not self.n_inside:
                _free_for_all()
                self.before = self.limit("blas")
            self.n_inside += 1
            self.own.depth = getattr(self.own, "depth", 0) + 1

    def leave(self) -> None:
        with self.lock:
            self.own.depth -= 1
            self.n_inside -= 1
            if not self.n_inside:
                self._restore()

    def forget_others(self) -> None:
        """Leave in the name of the threads that are not in a child process."""
        self.lock.release()
        depth = getattr(self.own, "depth", 0)
        if self.n_inside and not depth:
            self._restore()
        self.n_inside = depth

    def _restore(self) -> None:
        _free_for_all()
        self.before.restore_original_limits()
        _free_for_all()

    def limit(self, api: str) -> Any:
        """Limit the libraries of one kind that are loaded; to find them takes longer than a small fit."""
        n_modules = len(sys.modules)
        if self._known[0] != n_modules:
            every = ThreadpoolController()
            # apart, for each restores all that it knows
            self._known = n_modules, {kind: every.select(user_api=kind) for kind in ("blas", "openmp")}
        return self._known[1][api].limit(limits=1)


def _free_for_all() -> None:
    """Let the next thread set the limit of OpenBLAS, which newer threadpoolctl lets only the first do until it is done.

    Where several share the limit, who sets it and who gives it back may be two.
    """
    if hasattr(threadpoolctl.OpenBLASController, "clear_controlling_thread"):
        threadpoolctl.OpenBLASController.clear_controlling_thread(force=True)


_LIMIT = _Limit()


@contextmanager
def one_thread() -> Iterator[None]:
    """Limit BLAS and OpenMP to one thread in a ``with`` block, so that sums have one order of terms.

    Examples
    --------
    >>> from threadpoolctl import threadpool_info
    >>> from custseg._core.threads import one_thread
    >>> with one_thread():
    ...     {library["num_threads"] for library in threadpool_info()}
    {1}
    """
    _LIMIT.enter()
    try:
        with one_openmp_thread():
            yield
    finally:
        _LIMIT.leave()


def one_openmp_thread() -> Any:
    """Limit OpenMP to one thread in a ``with`` block, where this thread asks for it."""
    return _LIMIT.limit("openmp")


if hasattr(os, "register_at_fork"):
    # a child has one thread, and the lock of another would never be opened in it
    os.register_at_fork(
        before=_LIMIT.lock.acquire, after_in_parent=_LIMIT.lock.release, after_in_child=_LIMIT.forget_others
    )

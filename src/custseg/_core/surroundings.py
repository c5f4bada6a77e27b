"""What a public call finds in the process around it, and leaves as it was.

A call computes as numpy does where nobody told it otherwise: where a user has ``np.seterr(all="raise")``, a probability
that underflows to 0 would end a fit.

The libraries beneath change ``warnings.filters`` and ``warnings.showwarning`` for a moment. Where calls of several
threads overlap, one puts back what another had set, and that would stay; so the last restores what the first found.
"""

from __future__ import annotations

import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import wraps
from typing import Any, TypeVar

__all__ = ["AROUND", "as_usual", "beside_others", "undisturbed", "usual_arithmetic"]

Function = TypeVar("Function", bound=Callable[..., Any])

# what else surrounds every call of this process, such as after a fork; takes what the call is given
AROUND: list[Callable[[Sequence[Any]], AbstractContextManager[Any]]] = []
# what numpy does about arithmetic by itself
_USUAL = {"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"}


@contextmanager
def undisturbed(given: Sequence[Any]) -> Iterator[None]:
    """Surround the outermost call of a thread; ``given`` are its arguments."""
    _CALLS.enter()
    try:
        with ExitStack() as stack:
            for surround in AROUND:
                stack.enter_context(surround(given))
            yield
    finally:
        _CALLS.leave()


@contextmanager
def beside_others() -> Iterator[None]:
    """Surround a part of a call in a worker, which may be a thread beside that of the call and of other workers."""
    _CALLS.enter()
    try:
        yield
    finally:
        _CALLS.leave()


def usual_arithmetic() -> AbstractContextManager[Any]:
    """Let numpy compute as it does by itself; who wants to hear nothing hears nothing."""
    # the command line, which needs this file, must not wait for numpy; wherever something is computed, it is there
    numpy: Any = sys.modules.get("numpy")
    state: dict[str, str] = _USUAL if numpy is None else numpy.geterr()
    wanted = {kind: usual for kind, usual in _USUAL.items() if state[kind] not in (usual, "ignore")}
    return numpy.errstate(**wanted) if wanted else ExitStack()


def as_usual(function: Function) -> Function:
    """Let a public function that says nothing compute as numpy does by itself."""

    @wraps(function)
    def computing(*args: Any, **options: Any) -> Any:
        with usual_arithmetic():
            return function(*args, **options)

    computed: Any = computing
    named: Function = computed
    return named


class _Calls:
    """How many threads are in a call, and what the first of them found."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.own = threading.local()
        self.n_inside, self.overlap = 0, False
        self.found = _warnings_state()

    def enter(self) -> None:
        with self.lock:
            if not self.n_inside:
                self.found, self.overlap = _warnings_state(), False
            self.n_inside += 1
            self.own.depth = self._depth() + 1
            self.overlap |= self.n_inside > self.own.depth

    def leave(self) -> None:
        with self.lock:
            self.n_inside -= 1
            self.own.depth -= 1
            if not self.n_inside and self.overlap:
                _restore(*self.found)

    def forget_others(self) -> None:
        """Leave in the name of the threads that are not in a child process."""
        self.lock.release()
        if self.n_inside and not self._depth():
            _restore(*self.found)
        self.n_inside = self._depth()

    def _depth(self) -> int:
        depth: int = getattr(self.own, "depth", 0)
        return depth


def _warnings_state() -> tuple[Any, list[Any], dict[str, Any]]:
    # the last is where catch_warnings(record=True) directs what is shown
    names = [name for name in ("showwarning", "_showwarnmsg_impl") if hasattr(warnings, name)]
    return warnings.filters, list(warnings.filters), {name: getattr(warnings, name) for name in names}


def _restore(filters: Any, entries: list[Any], shown_by: dict[str, Any]) -> None:
    if warnings.filters is not filters or list(filters) != entries:
        filters[:] = entries
        warnings.filters = filters
    for name, function in shown_by.items():
        setattr(warnings, name, function)


_CALLS = _Calls()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_CALLS.lock.acquire, after_in_parent=_CALLS.lock.release, after_in_child=_CALLS.forget_others
    )

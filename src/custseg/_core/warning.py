"""Warnings that point at the user's line, and each of them once."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import sklearn

from custseg._core.asking import asked
from custseg._core.visible import visible
from custseg.exceptions import DataQualityWarning

__all__ = ["each_warning_once", "ignoring", "keeping", "warn"]

# Between a user's line and a warning stand frames of these: custseg's own, and those of scikit-learn's wrappers,
# pipelines and callbacks, of joblib, and of the standard library's decorators.
_PACKAGES = (Path(__file__).parents[1], Path(sklearn.__file__).parent, Path(joblib.__file__).parent)
_NOT_THE_USERS = (*(str(folder) + os.sep for folder in _PACKAGES), contextlib.__file__, functools.__file__)


def warn(message: Warning | str, category: type[Warning] = DataQualityWarning) -> None:
    """Warn at the line outside custseg and scikit-learn that led here.

    So filters by module, and editors' links, meet the line that the user can change.

    Parameters
    ----------
    message : str or Warning
        What to say: what, got what, try what. A text is said in the name of who is asked; a Warning as it is.
    category : type of Warning, default=DataQualityWarning
        Not read where ``message`` is a Warning.
    """
    text = message if isinstance(message, Warning) else visible(f"{asked()}: {message}")
    level, frame = 1, sys._getframe()  # noqa: SLF001 - as the warnings module itself does
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_NOT_THE_USERS):
        level, frame = level + 1, frame.f_back
    warning = text if isinstance(text, Warning) else category(text)
    if not _taken(warning):
        warnings.warn(warning, stacklevel=level)


@contextmanager
def each_warning_once() -> Iterator[None]:
    """Let each distinct warning of this thread through once, as soon as it comes.

    For an estimator that fits others several times on the same customers. What shows warnings,
    filters them or turns them into errors outside stays in force.

    Examples
    --------
    >>> import warnings
    >>> from custseg._core.warning import each_warning_once
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     with each_warning_once():
    ...         for column in ("age", "income", "age"):
    ...             warnings.warn(f"{column} holds one value only", stacklevel=1)
    >>> [str(warning.message) for warning in caught]
    ['age holds one value only', 'income holds one value only']
    """
    with _heard(_Listener(seen=set())):
        yield


@contextmanager
def ignoring(category: type[Warning]) -> Iterator[None]:
    """Ignore the warnings of this thread that are of one kind; those of other threads are shown as ever."""
    with _heard(_Listener(ignored=category)):
        yield


@contextmanager
def keeping() -> Iterator[list[Warning]]:
    """Hand out a list that takes every warning of this thread, however often it comes, in place of showing it."""
    kept: list[Warning] = []
    with _heard(_Listener(kept=kept)):
        yield kept


@dataclass
class _Listener:
    """What one thread does with its warnings in a ``with`` block."""

    ignored: type[Warning] | None = None
    kept: list[Warning] | None = None
    seen: set[tuple[type[Warning], str]] | None = None
    # the one that shows warnings in the block; another comes with every ``catch_warnings`` inside
    shower: _Shower | None = None
    # what has been asked about already, on its way to be shown
    let_through: Warning | None = None

    @property
    def filters(self) -> bool:
        """Whether warnings are let through or not by their kind alone."""
        return self.ignored is not None or self.kept is not None

    def takes(self, warning: Warning, category: type[Warning]) -> bool:
        """Say whether a warning is not to be shown."""
        if warning is self.let_through:
            return False
        if self.kept is not None:
            self.kept.append(warning)
            return True
        if self.seen is None:
            return False
        is_known = (category, str(warning)) in self.seen
        self.seen.add((category, str(warning)))
        return is_known


# Those of a thread, the innermost last. Warnings of custseg ask them at once; for those of other libraries they stand
# in the way of the warnings module. ``warnings.catch_warnings`` would change filters and showing for all threads, and
# the thread that leaves last may restore what another had set. Here these are changed once, for as long as any thread
# listens, and so that nothing changes for a thread that does not.
_LISTENERS: ContextVar[tuple[_Listener, ...]] = ContextVar("listeners", default=())


def _taken(warning: Warning) -> bool:
    """Ask the listeners about a warning of custseg, whatever other threads have done to the warnings module."""
    for listener in reversed(_LISTENERS.get()):
        if listener.ignored is not None and isinstance(warning, listener.ignored):
            return True
        if listener.kept is not None and _is_overruled():
            return False
        if listener.takes(warning, type(warning)):
            return True
        listener.let_through = warning
    return False


def _is_overruled() -> bool:
    """Say whether somebody has set a filter inside the innermost block."""
    return any(entry[2] is _Kept for entry in warnings.filters[2:])


class _Shower:
    """What stands in for ``warnings.showwarning``: asks the listeners of the thread that warns."""

    def __init__(self, before: Callable[..., Any]) -> None:
        self.before = before

    def __call__(self, message: Any, category: type[Warning], *rest: Any, **named: Any) -> None:
        mine = (listener for listener in reversed(_LISTENERS.get()) if listener.shower is self)
        if not any(listener.takes(message, category) for listener in mine):
            self.before(message, category, *rest, **named)


class _OfThread(type):
    """Kinds of warnings that a filter takes for those of the thread that warns, if its innermost listener says so."""

    def __subclasscheck__(cls, category: type) -> bool:
        for listener in reversed(_LISTENERS.get()):
            if listener.ignored is not None and issubclass(category, listener.ignored):
                return cls is _Ignored
            if listener.kept is not None:
                return cls is _Kept
        return False


class _Ignored(Warning, metaclass=_OfThread):
    pass


class _Kept(Warning, metaclass=_OfThread):
    pass


class _Listening:
    """How many blocks of all threads listen."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.n_inside = 0

    def enter(self, listener: _Listener) -> None:
        with self.lock:
            self.n_inside += 1
            shown_by: Any = warnings.showwarning
            if not isinstance(shown_by, _Shower):
                shown_by = warnings.showwarning = _Shower(shown_by)
            listener.shower = shown_by
            if listener.filters and {entry[2] for entry in warnings.filters[:2]} != {_Ignored, _Kept}:
                warnings.simplefilter("always", _Kept)
                warnings.simplefilter("ignore", _Ignored)

    def leave(self) -> None:
        with self.lock:
            self.n_inside -= 1
            if self.n_inside:
                return
            while isinstance(warnings.showwarning, _Shower):
                warnings.showwarning = warnings.showwarning.before
            filters: Any = warnings.filters
            for entry in [entry for entry in filters if entry[2] in (_Ignored, _Kept)]:
                filters.remove(entry)

    def forget_others(self) -> None:
        """Leave in the name of the threads that are not in a child process."""
        self.lock.release()
        if self.n_inside:
            self.n_inside = len(_LISTENERS.get()) + 1
            self.leave()


_LISTENING = _Listening()


@contextmanager
def _heard(listener: _Listener) -> Iterator[None]:
    _LISTENING.enter(listener)
    token = _LISTENERS.set((*_LISTENERS.get(), listener))
    try:
        yield
    finally:
        _LISTENERS.reset(token)
        _LISTENING.leave()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_LISTENING.lock.acquire,
        after_in_parent=_LISTENING.lock.release,
        after_in_child=_LISTENING.forget_others,
    )

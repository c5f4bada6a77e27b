"""Who is asked: the public name that errors and warnings begin with.

A public function or estimator says so once, at its door; whatever is called inside reads it. The innermost door
wins, so that of two nested estimators the one that met the fault is named. New threads and processes begin without
a name: what runs there is passed through :func:`as_asked`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from functools import partial, wraps
from inspect import isfunction, isgeneratorfunction
from typing import Any, TypeVar

from custseg._core.surroundings import beside_others, undisturbed, usual_arithmetic

__all__ = ["as_asked", "asked", "asking", "asks", "asks_as_class", "with_doors"]

Function = TypeVar("Function", bound=Callable[..., Any])
Result = TypeVar("Result")

_ASKED: ContextVar[str] = ContextVar("asked")


def asked() -> str:
    """Return the name of what the user called, ``"custseg"`` outside of any call."""
    return _ASKED.get("custseg")


@contextmanager
def asking(name: str, *, unless_asked: bool = False) -> Iterator[None]:
    """Speak in the name of ``name`` inside a ``with`` block, or in a function that this decorates.

    Parameters
    ----------
    name : str
        The public name.
    unless_asked : bool, default=False
        Whether a door further out keeps its name.

    Examples
    --------
    >>> from custseg._core.asking import asked, asking
    >>> with asking("PersonaDescriber"):
    ...     print(asked())
    PersonaDescriber
    """
    token = _ASKED.set(_ASKED.get(name) if unless_asked else name)
    try:
        yield
    finally:
        _ASKED.reset(token)


def asks(function: Function) -> Function:
    """Let a public function speak in its own name."""
    named: Function = _named(function, lambda *_: function.__name__)
    return named


def asks_as_class(method: Function) -> Function:
    """Let a method speak in the name of the class of ``self``."""
    named: Function = _named(method, lambda itself, *_: type(itself).__name__)
    return named


def with_doors(cls: type) -> None:
    """Let every public method that a class defines speak in the name of the class of ``self``."""
    for name, method in list(vars(cls).items()):
        if isfunction(method) and not name.startswith("_"):
            setattr(cls, name, asks_as_class(method))


def _named(function: Any, name: Callable[..., str]) -> Any:
    if isgeneratorfunction(function):  # its body would run after the name is gone
        raise TypeError(f"{function.__qualname__} is a generator; let a function that is none return it.")

    @wraps(function)
    def speaking(*args: Any, **options: Any) -> Any:
        is_outermost = _ASKED.get(None) is None
        surroundings = undisturbed([*args, *options.values()]) if is_outermost else nullcontext()
        token = _ASKED.set(name(*args))
        try:
            with surroundings, usual_arithmetic():
                return function(*args, **options)
        finally:
            _ASKED.reset(token)

    return speaking


def as_asked(function: Callable[..., Result]) -> Callable[..., Result]:
    """Return ``function`` for another thread or process, where it is to speak in the name that is asked now.

    What it returns can be pickled if ``function`` can.
    """
    return partial(_run, asked(), function)


def _run(name: str, function: Callable[..., Result], *args: Any, **options: Any) -> Result:
    with asking(name), beside_others(), usual_arithmetic():
        return function(*args, **options)

"""Say once what several steps would each say."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def each_warning_once() -> Iterator[None]:
    """Let each distinct warning through once, as soon as it comes.

    For an estimator that fits others several times on the same customers. What shows warnings,
    filters them or turns them into errors outside stays in force.

    Examples
    --------
    >>> import warnings
    >>> from custseg._core.once import each_warning_once
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     with each_warning_once():
    ...         for column in ("age", "income", "age"):
    ...             warnings.warn(f"{column} holds one value only", stacklevel=1)
    >>> [str(warning.message) for warning in caught]
    ['age holds one value only', 'income holds one value only']
    """
    shown: set[tuple[type[Warning], str]] = set()
    show = warnings.showwarning

    def show_if_new(message: Warning | str, category: type[Warning], *rest: Any, **named: Any) -> None:
        if (category, str(message)) not in shown:
            shown.add((category, str(message)))
            show(message, category, *rest, **named)

    with warnings.catch_warnings():
        warnings.showwarning = show_if_new
        yield

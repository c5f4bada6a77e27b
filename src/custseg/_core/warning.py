"""Warnings that point at the user's line, and each of them once."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import joblib
import sklearn

from custseg._core.asking import asked
from custseg._core.visible import visible
from custseg.exceptions import DataQualityWarning

__all__ = ["each_warning_once", "warn"]

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
    warnings.warn(text, category, stacklevel=level)


@contextmanager
def each_warning_once() -> Iterator[None]:
    """Let each distinct warning through once, as soon as it comes.

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
    shown: set[tuple[type[Warning], str]] = set()
    show = warnings.showwarning

    def show_if_new(message: Warning | str, category: type[Warning], *rest: Any, **named: Any) -> None:
        if (category, str(message)) not in shown:
            shown.add((category, str(message)))
            show(message, category, *rest, **named)

    with warnings.catch_warnings():
        warnings.showwarning = show_if_new
        yield

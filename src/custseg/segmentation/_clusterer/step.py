"""The steps of ``fit`` as scikit-learn's callbacks see them."""

from __future__ import annotations

from typing import Any

__all__ = ["Step"]


class Step:
    """One task of ``fit`` for scikit-learn's callbacks, such as its progress bar."""

    def __init__(self, parent: Any, estimator: Any, name: str) -> None:
        self._context = parent.subcontext(task_name=name)
        self._estimator = estimator

    def __enter__(self) -> None:
        self._context.call_on_fit_task_begin(estimator=self._estimator)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._context.call_on_fit_task_end(estimator=self._estimator)

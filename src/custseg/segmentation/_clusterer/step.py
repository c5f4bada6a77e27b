"""The steps of ``fit`` as scikit-learn's callbacks see them."""

from __future__ import annotations

from typing import Any

from custseg._core.progress import doing

__all__ = ["CHOOSE", "Step"]

CHOOSE = "choose the number of segments"


class Step:
    """One task of ``fit`` for scikit-learn's callbacks, such as its progress bar, and for who watches the whole."""

    def __init__(self, parent: Any, estimator: Any, name: str) -> None:
        self._context = parent.subcontext(task_name=name)
        self._estimator = estimator
        # to choose takes most of the time; whatever comes last takes the rest
        self._doing = doing(*(("Choosing their number", 0.8) if name == CHOOSE else ("Fitting the segments", 1.0)))

    def __enter__(self) -> None:
        self._doing.__enter__()
        self._context.call_on_fit_task_begin(estimator=self._estimator)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._doing.__exit__(None, None, None)
        if kind is None:
            self._context.call_on_fit_task_end(estimator=self._estimator)

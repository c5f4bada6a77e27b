"""Tasks beside one another that share memory: the same results in any number of threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from joblib import effective_n_jobs

__all__ = ["in_threads"]

Task = TypeVar("Task")
Result = TypeVar("Result")

# Rows from which on it pays to start a thread.
WORTH_THREADS = 2**14


def in_threads(compute: Callable[[Task], Result], tasks: Iterable[Task], *, n_rows: int) -> list[Result]:
    """Compute each task by itself, so that neither the number of threads nor their order can matter.

    Tasks of a millisecond are too short for joblib's dispatch; its settings say how many threads there may be. With few
    rows in all, to start a thread takes longer than the tasks.
    """
    if n_rows < WORTH_THREADS:
        return [compute(task) for task in tasks]
    with ThreadPoolExecutor(effective_n_jobs(-1)) as threads:
        # each in the context of who asks: in its name, and with what hears its warnings
        running = [threads.submit(copy_context().run, compute, task) for task in tasks]
        return [each.result() for each in running]

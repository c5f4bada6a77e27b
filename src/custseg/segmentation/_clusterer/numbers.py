"""A clusterer that was fitted, fitted again at other numbers of segments: customers are read and embedded once."""

# ruff: noqa: SLF001 - of the same stage

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs

from custseg._core.asking import as_asked, asking
from custseg._core.progress import advance
from custseg._core.workers import stopped_at_exit
from custseg.segmentation._clusterer.embedding_step import task_of
from custseg.segmentation._clusterer.engines import Engine, KMeansEngine, partition
from custseg.segmentation._clusterer.models import numbered
from custseg.segmentation._clusterer.refits import can_refit
from custseg.segmentation._clusterer.task import Partition, Task

__all__ = ["fitted_at"]

Fit = TypeVar("Fit")


def fitted_at(clusterer: Any, X: Any, numbers: Sequence[int], n_jobs: int | None = None) -> dict[int, Any]:
    """Fit clones of a clusterer at several numbers of segments.

    Parameters
    ----------
    clusterer : clusterer
        What is cloned.
    X : DataFrame, path, or array-like of shape (n_customers, n_characteristics)
        The customers.
    numbers : sequence of int
        The numbers of segments.
    n_jobs : int or None, default=None
        Processes among which k-means deals out the numbers, as in joblib. Results do not depend on it.

    Returns
    -------
    dict of int to clusterer
        A fitted clone for each number, as its own ``fit`` leaves it.

    Raises
    ------
    InfeasibleError
        If the customers do not allow a number.
    """
    blanks = [numbered(clusterer, number) for number in numbers]
    if not blanks:
        return {}
    # clusterers derived from ours may fit otherwise, and a random state of its own goes on from fit to fit
    if not can_refit(clusterer) or not isinstance(clusterer.random_state, (int, np.integer)):
        fits = (blank.fit(X) for blank in blanks)
        return dict(zip(numbers, _counted(fits, numbers), strict=True))
    with asking(type(clusterer).__name__):
        return _fitted_at(blanks[0], X, numbers, n_jobs)


def _fitted_at(blank: Any, X: Any, numbers: Sequence[int], n_jobs: int | None) -> dict[int, Any]:
    # what fit does before there is a number
    blank._check_parameters()
    customers, engine = blank._embed_to_fit(X, None), blank._engine()
    blank._check_order_by(customers.table)
    blank.selection_ = blank.number_of_segments_ = None
    limits = {"min_segment_share": blank.min_segment_share, "random_state": blank.random_state}
    task = task_of(customers, engine, n_segments=None, **limits)
    fits = {}
    for number, found in zip(numbers, _partitions(engine, task, numbers, n_jobs), strict=True):
        fits[number] = copy(blank).set_params(n_segments=number)
        fits[number]._take_over(found, task, customers.table)
    return fits


def _partitions(engine: Engine, task: Task, numbers: Sequence[int], n_jobs: int | None) -> list[Partition]:
    if effective_n_jobs(n_jobs) == 1 or len(numbers) == 1 or not isinstance(engine, KMeansEngine):
        return _counted((partition(engine, replace(task, n_segments=number)) for number in numbers), numbers)
    # k-means needs no more than the patterns; large numbers take longest, and go first
    engine.prepare(task, max(numbers))
    bare = replace(task, table=task.table.select(()), matrix=np.empty((0, 0)))
    solve, ordered = delayed(as_asked(partition)), sorted(numbers, reverse=True)
    tasks = (solve(engine, replace(bare, n_segments=number)) for number in ordered)
    with stopped_at_exit(Parallel(n_jobs=n_jobs, return_as="generator")(tasks)) as solved:
        found = dict(zip(ordered, _counted(solved, ordered), strict=True))
    return [found[number] for number in numbers]


def _counted(fits: Iterable[Fit], numbers: Sequence[int]) -> list[Fit]:
    """Tell how far the fits are."""
    found: list[Fit] = []
    for fit in fits:
        found.append(fit)
        advance(len(found), len(numbers))
    return found

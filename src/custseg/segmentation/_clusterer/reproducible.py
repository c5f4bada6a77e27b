"""The number of segments that can be used, found for a clusterer by refits of its engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from custseg._core.arrays import Integers
from custseg._core.threads import one_thread
from custseg.exceptions import InfeasibleError
from custseg.segmentation._clusterer.embedding_step import Embedded, task_of
from custseg.segmentation._clusterer.engines import Engine, partition
from custseg.segmentation._clusterer.pairs import MAX_SEED, counts_of_rows, labels_of_rows, pairs_of
from custseg.segmentation._clusterer.task import Task
from custseg.segmentation._reproducibility.agreement import FIRST_LOOK, LOOKS, agree
from custseg.segmentation._reproducibility.candidates import candidates
from custseg.segmentation._reproducibility.differences import least_differences
from custseg.segmentation._reproducibility.number import Limits, NumberOfSegments, Seen, choose_number
from custseg.segmentation._selection.select import SegmentSelection

__all__ = ["reproducible_number"]


def reproducible_number(
    customers: Embedded,
    engine: Engine,
    *,
    selection: SegmentSelection | None,
    limits: Limits,
    random_state: int,
) -> NumberOfSegments:
    """Try every number of segments that is worth a look, and take the largest at which they come back.

    Parameters
    ----------
    customers : Embedded
        The customers and their places.
    engine : Engine
        What finds segments.
    selection : SegmentSelection or None
        The natural evidence.
    limits : Limits
        The least and the largest number, and the least share.
    random_state : int
        The source of the starts and of the samples.

    Returns
    -------
    NumberOfSegments
        It depends on the customers and the seed alone.

    Raises
    ------
    InfeasibleError
        If there cannot be as many segments as are asked for at least.
    """
    share = limits.min_segment_share
    task = task_of(customers, engine, n_segments=None, min_segment_share=share, random_state=random_state)
    distinct = task.patterns.n_patterns
    if limits.min_segments > distinct:
        raise InfeasibleError.too_few_customers(limits.min_segments, distinct, len(task.mass))
    least = limits.min_segments
    numbers = candidates(distinct, max_segments=limits.max_segments, min_segment_share=share, min_segments=least)
    with one_thread():
        labels, trouble = _solutions(task, engine, [number for number in numbers if number >= least], least)
        rows = {number: labels_of_rows(engine, task, found) for number, found in labels.items()}
        seeds = np.random.RandomState(random_state).randint(MAX_SEED, size=(FIRST_LOOK * LOOKS[-1], 2))
        agreements = agree(pairs_of(engine, task, seeds), rows, counts_of_rows(engine, task), seeds)
    differences = least_differences(customers.table.select(customers.clustered_on).columns, labels)
    seen = [
        Seen(number, agreements.get(number), _smallest(found, task, number), float(differences[number].min()))
        for number, found in labels.items()
    ]
    seen += [Seen(number, trouble=words) for number, words in trouble.items()]
    return choose_number(sorted(seen, key=lambda each: each.n_segments), selection, limits)


def _solutions(
    task: Task, engine: Engine, numbers: Sequence[int], least: int
) -> tuple[dict[int, Integers], dict[int, str]]:
    """Cut all customers into every number of segments; say where that cannot be, unless the least is asked for."""
    labels: dict[int, Integers] = {}
    trouble: dict[int, str] = {}
    for number in numbers:
        try:
            found = partition(engine, replace(task, n_segments=number))
        except InfeasibleError as error:
            if number == least:
                raise
            trouble[number] = f"there are no such segments ({str(error).partition(': ')[2].rstrip('.')})"
            continue
        labels[number] = found.assign(task.matrix, task.table)
    return labels, trouble


def _smallest(labels: Integers, task: Task, number: int) -> float:
    inside = labels >= 0
    sizes = np.bincount(labels[inside], task.mass[inside], number)
    return float(sizes.min() / task.mass.sum())

"""Pairs of bootstrap samples of embedded customers, each cut into several numbers of segments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from custseg._core.arrays import Floats, Integers
from custseg._core.warning import ignoring
from custseg.exceptions import DataQualityWarning, InfeasibleError
from custseg.segmentation._clusterer.engines import Engine, partition
from custseg.segmentation._clusterer.foreign import ClustererEngine
from custseg.segmentation._clusterer.task import Task
from custseg.segmentation._kmeans.patterns import Patterns, distinct_patterns
from custseg.segmentation._reproducibility.agreement import Pairs

__all__ = ["counts_of_rows", "labels_of_rows", "refit_pairs"]

MAX_SEED = np.iinfo(np.int32).max


def refit_pairs(engine: Engine, task: Task, numbers: Sequence[int], seeds: Integers) -> Iterator[Pairs]:
    """Cut pairs of bootstrap samples into numbers of segments, and assign everyone by both cuts of a pair.

    The embedding stays that of all customers. A sample depends on the customers and on its seed alone: not on their
    order, nor on the numbers that are asked for.

    Parameters
    ----------
    engine : Engine
        What finds segments.
    task : Task
        All customers; its number of segments and seed are not used.
    numbers : sequence of int
        The numbers of segments.
    seeds : ndarray of shape (n_pairs, 2)
        The seeds of the two samples of each pair.

    Yields
    ------
    list of two ndarrays or None
        For each number the labels of the rows of :func:`counts_of_rows`; None where a sample cannot be cut into so
        many, since too few of its customers differ.
    """
    for pair in seeds:
        samples = [_sample(engine, task, int(seed)) for seed in pair]
        yield [_of_both(engine, task, samples, number) for number in numbers]


def counts_of_rows(engine: Engine, task: Task) -> Floats:
    """Return how many customers each row stands for that is assigned: a pattern, or a customer of the table."""
    return task.mass if engine.reads_tables else task.patterns.counts


def labels_of_rows(engine: Engine, task: Task, labels: Integers) -> Integers:
    """Return the labels of these rows, given those of all customers."""
    if engine.reads_tables:
        return labels
    found = np.empty(task.patterns.n_patterns, dtype=np.int64)
    found[task.patterns.inverse] = labels[task.mass > 0]
    return found


def _of_both(engine: Engine, task: Task, samples: Sequence[Task], number: int) -> tuple[Integers, Integers] | None:
    everyone = task.matrix if engine.reads_tables else task.patterns.values
    try:
        # said once already, of all customers
        with ignoring(DataQualityWarning):
            found = [partition(engine, replace(sample, n_segments=number)) for sample in samples]
    except InfeasibleError:
        return None
    first, second = (each.assign(everyone, task.table) for each in found)
    return first, second


def _sample(engine: Engine, task: Task, seed: int) -> Task:
    """Draw as many customers as there are, with replacement, by content and not by row."""
    random, patterns = np.random.RandomState(seed), task.patterns
    ends = np.cumsum(patterns.counts)
    n_customers = round(float(ends[-1]))
    drawn = np.searchsorted(ends, random.randint(n_customers, size=n_customers), side="right")
    counts = np.bincount(drawn, minlength=patterns.n_patterns).astype(np.float64)
    own = replace(task, random_state=int(random.randint(MAX_SEED)))
    if isinstance(engine, ClustererEngine):  # it may take no weights
        matrix = np.repeat(patterns.values, counts.astype(np.int64), axis=0)
        mass = np.ones(len(matrix))
        return replace(own, matrix=matrix, mass=mass, patterns=distinct_patterns(matrix, mass))
    present = counts > 0
    # who is alike in the embedding is drawn alike
    mass = np.zeros(len(task.mass))
    mass[task.mass > 0] = (counts / patterns.counts)[patterns.inverse]
    mass *= task.mass
    place = np.cumsum(present) - 1
    inverse = place[patterns.inverse[present[patterns.inverse]]]
    return replace(own, mass=mass, patterns=Patterns(patterns.values[present], counts[present], inverse))

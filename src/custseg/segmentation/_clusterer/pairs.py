"""Pairs of bootstrap samples of embedded customers, each cut into several numbers of segments."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from custseg._core.arrays import Floats, Integers
from custseg._core.warning import ignoring
from custseg.exceptions import DataQualityWarning, InfeasibleError
from custseg.segmentation._base.effort import by_the_hundred
from custseg.segmentation._clusterer.engines import Engine, KMeansEngine, partition
from custseg.segmentation._clusterer.foreign import ClustererEngine
from custseg.segmentation._clusterer.task import Task
from custseg.segmentation._kmeans._many.cell_refits import CellRefits
from custseg.segmentation._kmeans.patterns import Patterns, distinct_patterns
from custseg.segmentation._reproducibility.agreement import Pairs, Refits

__all__ = ["counts_of_rows", "labels_of_rows", "pairs_of"]

MAX_SEED = np.iinfo(np.int32).max


def pairs_of(engine: Engine, task: Task, seeds: Integers) -> Refits:
    """Cut pairs of bootstrap samples into numbers of segments, and assign everyone by both cuts of a pair.

    The embedding stays that of all customers. A sample depends on the customers and on its seed alone: not on their
    order, nor on the numbers that are asked for.

    Parameters
    ----------
    engine : Engine
        What finds segments.
    task : Task
        All customers; its number of segments and seed are not used.
    seeds : ndarray of shape (n_pairs, 2)
        Those of all pairs that may be asked for; the first ones say how k-means puts customers into cells.

    Returns
    -------
    callable
        Takes numbers of segments, and the seeds of the two samples of each pair, to an iterator over pairs: for each
        number the labels of the rows of :func:`counts_of_rows`, or None where a sample cannot be cut into so many,
        since too few of its customers differ.
    """
    if isinstance(engine, KMeansEngine):
        return _pairs_in_cells(engine, task, seeds)

    def pairs(numbers: Sequence[int], own: Integers) -> Iterator[Pairs]:
        for pair in own:
            samples = [_sample(engine, task, int(seed)) for seed in pair]
            yield [_of_both(engine, task, samples, number) for number in numbers]

    return pairs


def _pairs_in_cells(engine: KMeansEngine, task: Task, seeds: Integers) -> Refits:
    patterns = task.patterns
    cells = CellRefits(patterns.values, patterns.counts, engine.n_init, task.min_segment_share)
    cells = cells.in_enough_cells([_drawn(patterns, int(seed)) for seed in seeds[0]])

    def labels(assigned: Callable[[int], list[Integers]], number: int) -> list[Integers] | None:
        try:
            return assigned(number)
        except InfeasibleError:
            return None

    def pairs(numbers: Sequence[int], own: Integers) -> Iterator[Pairs]:
        for start in range(0, len(own), cells.n_pairs_together):
            together = own[start : start + cells.n_pairs_together]
            assigned = cells.sampled([_drawn(patterns, int(seed)) for seed in together.flat])
            found = [labels(assigned, number) for number in numbers]
            for place in range(0, together.size, 2):
                yield [None if each is None else (each[place], each[place + 1]) for each in found]

    return pairs


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
        with ignoring(DataQualityWarning), by_the_hundred():
            found = [partition(engine, replace(sample, n_segments=number)) for sample in samples]
    except InfeasibleError:
        return None
    first, second = (each.assign(everyone, task.table) for each in found)
    return first, second


def _drawn(patterns: Patterns, seed: int) -> tuple[Integers, int]:
    """Draw as many customers as there are, with replacement, by content and not by row; return a seed for starts."""
    random, ends = np.random.RandomState(seed), np.cumsum(patterns.counts)
    n_customers = round(float(ends[-1]))
    drawn = np.searchsorted(ends, random.randint(n_customers, size=n_customers), side="right")
    return np.bincount(drawn, minlength=patterns.n_patterns), int(random.randint(MAX_SEED))


def _sample(engine: Engine, task: Task, seed: int) -> Task:
    patterns = task.patterns
    drawn, own_seed = _drawn(patterns, seed)
    counts = drawn.astype(np.float64)
    own = replace(task, random_state=own_seed)
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

"""What an engine is given and what it gives back: customers to be partitioned, and their segments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from custseg._core.arrays import Floats, Integers
from custseg._core.customers import CustomerTable
from custseg.segmentation._base.errors import no_segments, share_not_kept
from custseg.segmentation._kmeans.balance import balance
from custseg.segmentation._kmeans.nearest import nearest
from custseg.segmentation._kmeans.optimum import SampleCost
from custseg.segmentation._kmeans.patterns import Patterns, distinct_patterns

__all__ = ["Partition", "Task", "around", "assigning", "segment_means"]


@dataclass(frozen=True)
class Task:
    """Customers to be partitioned.

    Attributes
    ----------
    table : CustomerTable
        The characteristics with a weight above 0, as an engine that reads tables wants them.
    weights : mapping of str to float
        Their weights.
    matrix : ndarray of shape (n_customers, n_columns)
        Their embedding, its columns in canonical order.
    mass : ndarray of shape (n_customers,)
        How many customers each row stands for.
    patterns : Patterns
        The distinct rows of the embedding with a mass above 0.
    n_segments : int or None
        The number of segments; None where the engine finds it.
    min_segment_share : float
        The least share of the customers in each segment.
    random_state : int
        The source of the starting points.
    """

    table: CustomerTable
    weights: Mapping[str, float]
    matrix: Floats
    mass: Floats
    patterns: Patterns
    n_segments: int | None
    min_segment_share: float
    random_state: int


@dataclass(frozen=True)
class Partition:
    """Segments, and how customers are assigned to them.

    Attributes
    ----------
    centers : ndarray of shape (n_segments, n_columns)
        The centres in the embedding.
    subsidies : ndarray of shape (n_segments,)
        By how much the squared distance to each centre is lowered.
    optimum : object or None
        What the engine says about the quality of what it found.
    sample : SampleCost or None
        What fitting on a sample had cost; None where all customers were used.
    model : estimator or None
        The fitted clusterer; None for k-means.
    assigns : bool
        Whether the model assigns customers itself, instead of the nearest centre.
    places : ndarray of shape (n_segments,)
        The position here of each of the model's segments.
    reads_tables : bool
        Whether the model reads the table of customers, not their embedding.
    """

    centers: Floats
    subsidies: Floats
    optimum: Any
    sample: SampleCost | None
    model: Any
    assigns: bool
    places: Integers
    reads_tables: bool = False

    @property
    def n_segments(self) -> int:
        """The number of segments."""
        return len(self.centers)

    def assign(self, matrix: Floats, table: CustomerTable) -> Integers:
        """Return the segment of each customer, -1 for those whom the model leaves out."""
        if not self.assigns:
            return nearest(matrix, self.centers, self.subsidies if self.subsidies.any() else None)
        labels = np.asarray(self.model.predict(table if self.reads_tables else matrix))
        return np.where(labels < 0, -1, self.places[labels])

    def probabilities(self, matrix: Floats, table: CustomerTable) -> Floats:
        """Return how probable each segment is for each customer, as the model has it."""
        found = np.asarray(self.model.predict_proba(table if self.reads_tables else matrix))
        return found[:, np.argsort(self.places)]

    def in_order(self, order: Integers) -> Partition:
        """Put the segments in another order."""
        places = np.argsort(order)[self.places]
        return replace(self, centers=self.centers[order], subsidies=self.subsidies[order], places=places)


def around(centers: Floats, task: Task, model: Any = None) -> Partition:
    """Assign by the nearest centre, with subsidies where a least share is asked for."""
    subsidies = np.zeros(len(centers))
    if task.min_segment_share > 0:
        balanced = balance(task.patterns, centers, task.min_segment_share)
        centers, subsidies = balanced.centers, balanced.subsidies
    return Partition(centers, subsidies, None, None, model, assigns=False, places=np.arange(len(centers)))


def assigning(model: Any, task: Task, *, reads_tables: bool, balances: bool) -> Partition:
    """Take over the segments of a fitted model that assigns customers itself.

    One that does not balance may leave a segment below the least share, which is an error.
    """
    labels = np.asarray(model.predict(task.table if reads_tables else task.matrix))
    present = np.unique(labels[(labels >= 0) & (task.mass > 0)])
    if not len(present):
        raise no_segments(type(model).__name__)
    n_segments = int(labels.max()) + 1 if task.n_segments is None else max(task.n_segments, int(labels.max()) + 1)
    shares = np.bincount(labels[labels >= 0], task.mass[labels >= 0], n_segments) / task.mass.sum()
    if not balances and shares.min() < task.min_segment_share * (1 - 1e-9):
        raise share_not_kept(type(model).__name__, task.min_segment_share, shares.min())
    centers = segment_means(task.matrix, task.mass, labels, n_segments)
    subsidies, places = np.zeros(n_segments), np.arange(n_segments)
    return Partition(centers, subsidies, None, None, model, assigns=True, places=places, reads_tables=reads_tables)


def segment_means(matrix: Floats, mass: Floats, labels: Integers, n_segments: int) -> Floats:
    """Return the mean of each segment; NaN where it is empty."""
    patterns = distinct_patterns(np.column_stack([labels, matrix])[labels >= 0], mass[labels >= 0])
    segment = patterns.values[:, 0].astype(np.int64)
    total = np.zeros((n_segments, matrix.shape[1]))
    np.add.at(total, segment, patterns.values[:, 1:] * patterns.counts[:, None])
    counts = np.bincount(segment, patterns.counts, n_segments)
    means: Floats = np.divide(total, counts[:, None], out=np.full_like(total, np.nan), where=counts[:, None] > 0)
    return means

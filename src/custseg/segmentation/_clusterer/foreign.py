"""A clusterer of scikit-learn's as an engine: fitted in the embedding, its segments taken over as they are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import has_fit_parameter

from custseg._core.arrays import Floats, Integers
from custseg.exceptions import InvalidParameterError
from custseg.segmentation._base.errors import no_segments
from custseg.segmentation._base.segmenter import Segmenter
from custseg.segmentation._clusterer.models import finds_number, number_parameter, seeded
from custseg.segmentation._clusterer.task import Partition, Task, around, assigning, segment_means
from custseg.segmentation._kmeans.lloyd import sse_of
from custseg.segmentation._kmeans.optimum import SampleCost
from custseg.segmentation._kmeans.patterns import distinct_patterns
from custseg.segmentation._kmeans.sample import drawn, sample_size

__all__ = ["ClustererEngine", "prepared"]


class ClustererEngine:
    """Any clusterer of scikit-learn's, or pipeline that ends in one.

    Weights reach it through the embedding. Where it has centres, the nearest one decides and customers are
    moved to keep a least share; where it assigns by itself, a share that it does not keep is an error.
    """

    takes_weights: ClassVar[bool] = True
    balances: ClassVar[bool] = False
    reads_tables: ClassVar[bool] = False
    embeds_numbers: ClassVar[bool] = False

    def __init__(self, model: Any, sample_above: int) -> None:
        self.model = model
        self.sample_above = sample_above

    def fit(self, task: Task) -> Partition:
        """Fit a clone on the customers in the order of their content, or on a sample of them."""
        model = prepared(self.model, task)
        n_sampled = sample_size(self.sample_above, task.n_segments or 1)
        is_sampled = task.patterns.n_patterns > n_sampled
        matrix, mass = _sampled(task, n_sampled) if is_sampled else (task.matrix, task.mass)
        by_content = np.lexsort((mass, *matrix.T[::-1]))
        by_content = by_content[mass[by_content] > 0]
        matrix, mass = matrix[by_content], mass[by_content]
        labels = _labels(model, matrix, mass)
        found = self._of_fitted(model, matrix, mass, labels, task)
        if not is_sampled:
            return found
        sampled = segment_means(matrix, mass, labels, found.n_segments) if found.assigns else found.centers
        return replace(found, sample=_sample_loss(task, found, sampled, len(distinct_patterns(matrix).values)))

    def _of_fitted(self, model: Any, matrix: Floats, mass: Floats, labels: Integers, task: Task) -> Partition:
        """Take over the segments of a clusterer, fitted on the customers of a matrix with these labels."""
        if hasattr(model, "cluster_centers_") and np.ndim(model.cluster_centers_) == 2:
            centers = np.asarray(model.cluster_centers_, dtype=np.float64)
            if not len(centers):
                raise no_segments(type(model).__name__)
            return around(centers, task, model)
        if hasattr(model, "predict"):
            found = assigning(model, task, reads_tables=self.reads_tables, balances=self.balances)
            if isinstance(model, Segmenter):
                found = replace(found, optimum=model.optimum_, sample=model.sample_loss_)
            return found
        present = np.unique(labels[labels >= 0])
        if not len(present):
            raise no_segments(type(model).__name__)
        labels = np.where(labels < 0, -1, np.searchsorted(present, labels))
        return around(segment_means(matrix, mass, labels, len(present)), task, model)


def prepared(model: Any, task: Task) -> Any:
    """Return a clone with number of segments and seed set; refuse a number where it finds that itself."""
    model = clone(model)
    parameter = number_parameter(model)
    if parameter is not None and not finds_number(model):
        model.set_params(**{parameter: task.n_segments})
    elif task.n_segments is not None:
        words = f'"auto" with {type(model).__name__}, which finds the number itself'
        raise InvalidParameterError.not_allowed("n_segments", words, task.n_segments)
    return seeded(model, task.random_state, keep=True)


def _labels(model: Any, matrix: Floats, mass: Floats) -> Integers:
    """Fit a clusterer; return the label of each row."""
    named = {}
    if (mass != mass[0]).any():
        if not has_fit_parameter(model, "sample_weight"):
            words = f"None with {type(model).__name__}, whose fit takes no weights"
            raise InvalidParameterError.not_allowed("sample_weight", words, "weights that differ")
        named["sample_weight"] = mass
    if hasattr(model, "predict"):
        return np.asarray(model.fit(matrix, **named).predict(matrix))
    return np.asarray(model.fit_predict(matrix, **named))


def _sampled(task: Task, n_sampled: int) -> tuple[Floats, Floats]:
    """Return matrix and mass of a sample of the customers who differ."""
    rows, counts = drawn(task.patterns, n_sampled)
    # drawn customers stand for those not drawn
    share = np.zeros(task.patterns.n_patterns)
    share[rows] = counts / task.patterns.counts[rows]
    known = np.flatnonzero(task.mass > 0)
    share = share[task.patterns.inverse]
    chosen = known[share > 0]
    return task.matrix[chosen], task.mass[chosen] * share[share > 0]


def _sample_loss(task: Task, found: Partition, sampled: Floats, n_sampled: int) -> SampleCost:
    """Compare the means of the segments in the sample with those among all customers."""
    labels = found.assign(task.matrix, task.table)
    inside = labels >= 0
    matrix, labels, mass = task.matrix[inside], labels[inside], task.mass[inside]
    means = segment_means(matrix, mass, labels, found.n_segments)
    sampled = np.where(np.isnan(sampled), means, sampled)  # a segment that the sample did not show
    around_sampled, around_means = (sse_of(matrix, mass, centers, labels) for centers in (sampled, means))
    return SampleCost(
        criterion="sse",
        n_sampled=n_sampled,
        n_patterns=task.patterns.n_patterns,
        sample_objective=around_sampled,
        objective=around_means,
        n_passes=1,
        last_gain=1.0 - around_means / around_sampled if around_sampled > 0 else 0.0,
    )

"""What partitions embedded customers: k-means, latent classes, k-prototypes, or any clusterer of scikit-learn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import has_fit_parameter

from custseg._core.arrays import Floats, Integers
from custseg._core.customers import CustomerTable
from custseg.exceptions import InfeasibleError, InvalidParameterError
from custseg.segmentation._kmeans.balance import balance
from custseg.segmentation._kmeans.kmeans import fit_kmeans
from custseg.segmentation._kmeans.lloyd import sse_of
from custseg.segmentation._kmeans.nearest import nearest
from custseg.segmentation._kmeans.patterns import Patterns, distinct_patterns
from custseg.segmentation._kmeans.sample import SampleLikelihood, SampleLoss, drawn, sample_size
from custseg.segmentation._latent_classes.clusterer import LatentClassClusterer
from custseg.segmentation._prototypes.clusterer import KPrototypesClusterer

__all__ = [
    "ENGINES",
    "NUMBER_PARAMETERS",
    "Partition",
    "Task",
    "finds_number",
    "is_clusterer",
    "is_latent",
    "number_parameter",
    "partition",
    "seeded",
]


ENGINES = ("kmeans", "latent_class", "k_prototypes")
# what clusterers call the number of segments
NUMBER_PARAMETERS = ("n_segments", "n_clusters", "n_components")


@dataclass(frozen=True)
class Task:
    """Customers to be partitioned.

    Attributes
    ----------
    who : str
        Who asks, for messages.
    table : CustomerTable
        The characteristics with a weight above 0, in original units.
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
    n_init : int
        The number of restarts.
    sample_above : int
        The number of distinct rows above which a sample of them is fitted.
    random_state : int
        The source of the starting points.
    thorough : bool
        Whether k-means also looks for a better partition than its restarts found, as :func:`fit_kmeans` says.
    """

    who: str
    table: CustomerTable
    weights: Mapping[str, float]
    matrix: Floats
    mass: Floats
    patterns: Patterns
    n_segments: int | None
    min_segment_share: float
    n_init: int
    sample_above: int
    random_state: int
    thorough: bool = True

    @property
    def is_sampled(self) -> bool:
        """Whether there are so many customers that differ that a sample of them is fitted."""
        return self.patterns.n_patterns > self.n_sampled

    @property
    def n_sampled(self) -> int:
        """How many of those who differ such a sample has, about."""
        return sample_size(self.sample_above, self.n_segments or 1)

    def to_fit(self) -> tuple[Floats, Floats]:
        """Return matrix and mass of the customers to fit on."""
        if not self.is_sampled:
            return self.matrix, self.mass
        rows, counts = drawn(self.patterns, self.n_sampled)
        # drawn customers stand for those not drawn
        share = np.zeros(self.patterns.n_patterns)
        share[rows] = counts / self.patterns.counts[rows]
        known = np.flatnonzero(self.mass > 0)
        share = share[self.patterns.inverse]
        chosen = known[share > 0]
        return self.matrix[chosen], self.mass[chosen] * share[share > 0]


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
    sample : SampleLoss, SampleLikelihood or None
        What fitting on a sample had cost; None where all customers were used.
    engine : estimator or None
        The fitted engine; None for k-means.
    assigns : bool
        Whether the engine assigns customers itself, instead of the nearest centre.
    places : ndarray of shape (n_segments,)
        The position here of each of the engine's segments.
    """

    centers: Floats
    subsidies: Floats
    optimum: Any
    sample: SampleLoss | SampleLikelihood | None
    engine: Any
    assigns: bool
    places: Integers

    @property
    def n_segments(self) -> int:
        """The number of segments."""
        return len(self.centers)

    def assign(self, matrix: Floats, table: CustomerTable) -> Integers:
        """Return the segment of each customer, -1 for those whom the engine leaves out."""
        if not self.assigns:
            return nearest(matrix, self.centers, self.subsidies if self.subsidies.any() else None)
        labels = np.asarray(self.engine.predict(table if _reads_tables(self.engine) else matrix))
        return np.where(labels < 0, -1, self.places[labels])

    def probabilities(self, matrix: Floats, table: CustomerTable) -> Floats:
        """Return how probable each segment is for each customer, as the engine has it."""
        found = np.asarray(self.engine.predict_proba(table if _reads_tables(self.engine) else matrix))
        return found[:, np.argsort(self.places)]

    def in_order(self, order: Integers) -> Partition:
        """Put the segments in another order."""
        places = np.argsort(order)[self.places]
        return replace(self, centers=self.centers[order], subsidies=self.subsidies[order], places=places)


def is_clusterer(engine: Any) -> bool:
    """Say whether something is an estimator that finds groups."""
    finds = hasattr(engine, "fit_predict") or (hasattr(engine, "fit") and hasattr(engine, "predict"))
    return isinstance(engine, BaseEstimator) and finds


def finds_number(engine: Any) -> bool:
    """Say whether a clusterer finds the number of segments itself."""
    if not is_clusterer(engine):
        return False
    parameter = number_parameter(engine)
    return parameter is None or engine.get_params()[parameter] is None


def is_latent(engine: Any) -> bool:
    """Say whether an engine is latent classes."""
    return engine == "latent_class" or isinstance(engine, LatentClassClusterer)


def number_parameter(engine: Any) -> str | None:
    """Return the name of the parameter for the number of segments, of a pipeline that of its last step."""
    prefix, last = "", engine
    while isinstance(getattr(last, "steps", None), list):
        step, last = last.steps[-1]
        prefix += f"{step}__"
    own = last.get_params(deep=False)
    return next((prefix + name for name in NUMBER_PARAMETERS if name in own), None)


def seeded(engine: Any, seed: int, *, keep: bool) -> Any:
    """Set every seed of an estimator and its parts; ``keep`` leaves those that are set already."""
    own = engine.get_params(deep=True)
    names = [name for name in own if name.rpartition("__")[2] == "random_state"]
    return engine.set_params(**{name: seed for name in names if not keep or own[name] is None})


def partition(engine: Any, task: Task) -> Partition:
    """Find the segments.

    Parameters
    ----------
    engine : {"kmeans", "latent_class", "k_prototypes"} or clusterer
        What finds them.
    task : Task
        The customers.

    Returns
    -------
    Partition
        The segments, in the order of the engine.

    Raises
    ------
    InfeasibleError
        If fewer customers differ than there are segments, or the least share cannot be met.
    InvalidParameterError
        If the engine cannot do what is asked for.
    """
    if task.n_segments is not None and task.n_segments > task.patterns.n_patterns:
        n_rows = len(task.patterns.inverse)
        raise InfeasibleError.too_few_customers(task.who, task.n_segments, task.patterns.n_patterns, n_rows)
    if engine == "kmeans":
        assert task.n_segments is not None  # only a clusterer finds it itself
        found = fit_kmeans(
            task.patterns,
            task.n_segments,
            n_init=task.n_init,
            random_state=task.random_state,
            sample_above=task.sample_above,
            thorough=task.thorough,
        )
        return _around(found.centers, task, found.optimum, None)
    if engine == "k_prototypes":
        engine = KPrototypesClusterer(n_init=task.n_init, sample_above=task.sample_above)
    if engine == "latent_class":
        engine = LatentClassClusterer(n_init=task.n_init, sample_above=task.sample_above)
    model = _prepared(engine, task)
    if isinstance(model, KPrototypesClusterer):
        return _by_prototypes(model, task)
    return _by_classes(model, task) if isinstance(model, LatentClassClusterer) else _by_clusterer(model, task)


def _around(centers: Floats, task: Task, optimum: Any, engine: Any) -> Partition:
    """Assign by the nearest centre, with subsidies where a least share is asked for."""
    subsidies = np.zeros(len(centers))
    if task.min_segment_share > 0:
        balanced = balance(task.who, task.patterns, centers, task.min_segment_share)
        centers, subsidies = balanced.centers, balanced.subsidies
    sample = getattr(optimum, "sample", None)
    return Partition(centers, subsidies, optimum, sample, engine, assigns=False, places=np.arange(len(centers)))


def _by_classes(model: LatentClassClusterer, task: Task) -> Partition:
    if len(set(task.weights.values())) > 1:
        words = "equal, or 0, with latent classes (likelihoods know no weights)"
        raise InvalidParameterError.not_allowed(task.who, "weights", words, dict(task.weights))
    return _assigning(model.fit(task.table, sample_weight=task.mass), task)


def _by_prototypes(model: KPrototypesClusterer, task: Task) -> Partition:
    for name, given in (("weights", task.weights), ("min_segment_share", task.min_segment_share)):
        own = getattr(model, name)
        if own:
            words = f"left to {task.who} where it is the engine"
            raise InvalidParameterError.not_allowed(type(model).__name__, name, words, own)
        model.set_params(**{name: given})
    return _assigning(model.fit(task.table, sample_weight=task.mass), task)


def _by_clusterer(model: Any, task: Task) -> Partition:
    """Fit a clusterer of scikit-learn's on the customers in the order of their content, or on a sample of them."""
    matrix, mass = task.to_fit()
    by_content = np.lexsort((mass, *matrix.T[::-1]))
    by_content = by_content[mass[by_content] > 0]
    matrix, mass = matrix[by_content], mass[by_content]
    named = {}
    if (mass != mass[0]).any():
        if not has_fit_parameter(model, "sample_weight"):
            words = f"None with {type(model).__name__}, whose fit takes no weights"
            raise InvalidParameterError.not_allowed(task.who, "sample_weight", words, "weights that differ")
        named["sample_weight"] = mass
    if hasattr(model, "predict"):
        fitted = model.fit(matrix, **named).predict(matrix)
    else:
        fitted = model.fit_predict(matrix, **named)
    found = _of_fitted(model, matrix, mass, np.asarray(fitted), task)
    if not task.is_sampled:
        return found
    sampled = _means(matrix, mass, np.asarray(fitted), found.n_segments) if found.assigns else found.centers
    return replace(found, sample=_sample_loss(task, found, sampled, len(distinct_patterns(matrix).values)))


def _of_fitted(model: Any, matrix: Floats, mass: Floats, labels: Integers, task: Task) -> Partition:
    """Take over the segments of a clusterer, fitted on the customers of a matrix with these labels."""
    if hasattr(model, "cluster_centers_") and np.ndim(model.cluster_centers_) == 2:
        centers = np.asarray(model.cluster_centers_, dtype=np.float64)
        if not len(centers):
            raise InfeasibleError.no_segments(task.who, type(model).__name__)
        return _around(centers, task, None, model)
    if hasattr(model, "predict"):
        return _assigning(model, task)
    found = np.unique(labels[labels >= 0])
    if not len(found):
        raise InfeasibleError.no_segments(task.who, type(model).__name__)
    labels = np.where(labels < 0, -1, np.searchsorted(found, labels))
    return _around(_means(matrix, mass, labels, len(found)), task, None, model)


def _sample_loss(task: Task, found: Partition, sampled: Floats, n_sampled: int) -> SampleLoss:
    """Compare the means of the segments in the sample with those among all customers."""
    labels = found.assign(task.matrix, task.table)
    inside = labels >= 0
    matrix, labels, mass = task.matrix[inside], labels[inside], task.mass[inside]
    means = _means(matrix, mass, labels, found.n_segments)
    sampled = np.where(np.isnan(sampled), means, sampled)  # a segment that the sample did not show
    around_sampled, around_means = (sse_of(matrix, mass, centers, labels) for centers in (sampled, means))
    return SampleLoss(
        n_sampled=n_sampled,
        n_patterns=task.patterns.n_patterns,
        sample_sse=around_sampled,
        sse=around_means,
        n_passes=1,
        last_gain=1.0 - around_means / around_sampled if around_sampled > 0 else 0.0,
    )


def _prepared(engine: Any, task: Task) -> Any:
    model = clone(engine)
    parameter = number_parameter(model)
    if parameter is not None and not finds_number(model):
        model.set_params(**{parameter: task.n_segments})
    elif task.n_segments is not None:
        words = f'"auto" with {type(model).__name__}, which finds the number itself'
        raise InvalidParameterError.not_allowed(task.who, "n_segments", words, task.n_segments)
    return seeded(model, task.random_state, keep=True)


def _assigning(engine: Any, task: Task) -> Partition:
    """Take over the segments of a fitted engine that assigns customers itself."""
    labels = np.asarray(engine.predict(task.table if _reads_tables(engine) else task.matrix))
    present = np.unique(labels[(labels >= 0) & (task.mass > 0)])
    if not len(present):
        raise InfeasibleError.no_segments(task.who, type(engine).__name__)
    n_segments = int(labels.max()) + 1 if task.n_segments is None else max(task.n_segments, int(labels.max()) + 1)
    shares = np.bincount(labels[labels >= 0], task.mass[labels >= 0], n_segments) / task.mass.sum()
    if shares.min() < task.min_segment_share * (1 - 1e-9):
        raise InfeasibleError.share_not_kept(task.who, type(engine).__name__, task.min_segment_share, shares.min())
    centers = _means(task.matrix, task.mass, labels, n_segments)
    optimum = getattr(engine, "optimum_", None)
    return Partition(
        centers,
        np.zeros(n_segments),
        optimum,
        getattr(optimum, "sample", None),
        engine,
        assigns=True,
        places=np.arange(n_segments),
    )


def _reads_tables(engine: Any) -> bool:
    return isinstance(engine, (LatentClassClusterer, KPrototypesClusterer))


def _means(matrix: Floats, mass: Floats, labels: Integers, n_segments: int) -> Floats:
    """Return the mean of each segment; NaN where it is empty."""
    patterns = distinct_patterns(np.column_stack([labels, matrix])[labels >= 0], mass[labels >= 0])
    segment = patterns.values[:, 0].astype(np.int64)
    total = np.zeros((n_segments, matrix.shape[1]))
    np.add.at(total, segment, patterns.values[:, 1:] * patterns.counts[:, None])
    counts = np.bincount(segment, patterns.counts, n_segments)
    means: Floats = np.divide(total, counts[:, None], out=np.full_like(total, np.nan), where=counts[:, None] > 0)
    return means

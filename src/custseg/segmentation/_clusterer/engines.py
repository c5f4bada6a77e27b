"""What partitions embedded customers: k-means, latent classes, k-prototypes, or any clusterer of scikit-learn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar, Protocol

from custseg._core.asking import asked, asking
from custseg.exceptions import InfeasibleError, InvalidParameterError
from custseg.segmentation._clusterer.foreign import ClustererEngine, prepared
from custseg.segmentation._clusterer.models import finds_number
from custseg.segmentation._clusterer.task import Partition, Task, around, assigning
from custseg.segmentation._kmeans.kmeans import Prepared
from custseg.segmentation._latent_classes.clusterer import LatentClassClusterer
from custseg.segmentation._prototypes.clusterer import KPrototypesClusterer

__all__ = ["ENGINES", "Engine", "engine_of", "finds_number", "partition"]


class Engine(Protocol):
    """What finds segments: the machinery of its own is set when it is made, the rest is the task.

    Attributes
    ----------
    takes_weights : bool
        Whether characteristics may count unequally.
    balances : bool
        Whether it moves customers to keep a least share. One that does not is asked whether it kept it.
    reads_tables : bool
        Whether it assigns by the characteristics themselves, not by their embedding.
    embeds_numbers : bool
        Whether numbers among these characteristics stand as in the embedding, without tails.
    """

    takes_weights: ClassVar[bool]
    balances: ClassVar[bool]
    reads_tables: ClassVar[bool]
    embeds_numbers: ClassVar[bool]

    def fit(self, task: Task) -> Partition:
        """Find the segments, in an order of its own."""


class KMeansEngine:
    """k-means in the embedding."""

    takes_weights: ClassVar[bool] = True
    balances: ClassVar[bool] = True
    reads_tables: ClassVar[bool] = False
    embeds_numbers: ClassVar[bool] = False

    def __init__(self, n_init: int, sample_above: int) -> None:
        self.n_init = n_init
        self.sample_above = sample_above
        self._prepared: Prepared | None = None

    def fit(self, task: Task) -> Partition:
        """Find centres, and move customers where a segment is below the least share."""
        assert task.n_segments is not None  # only a clusterer finds it itself
        found = self._prepared_for(task).fit(task.n_segments, self.n_init, task.random_state)
        return replace(around(found.centers, task), optimum=found.optimum, sample=found.optimum.sample)

    def prepare(self, task: Task, n_segments: int) -> None:
        """Do what does not depend on the number of segments, up to the largest."""
        self._prepared_for(task).prepare(n_segments)

    def _prepared_for(self, task: Task) -> Prepared:
        # the same customers are often cut into several numbers of segments, one after the other
        if self._prepared is None or self._prepared.patterns is not task.patterns:
            self._prepared = Prepared(task.patterns, self.sample_above)
        return self._prepared


class LatentClassEngine:
    """Latent classes on the characteristics themselves.

    A normal distribution fits logarithms of amounts where it would not fit amounts: numbers stand as in the embedding.
    """

    takes_weights: ClassVar[bool] = False
    balances: ClassVar[bool] = False
    reads_tables: ClassVar[bool] = True
    embeds_numbers: ClassVar[bool] = True

    def __init__(self, model: LatentClassClusterer) -> None:
        self.model = model

    def fit(self, task: Task) -> Partition:
        """Estimate the classes by a clone."""
        return _taken_over(self, prepared(self.model, task), task)


class PrototypesEngine:
    """k-prototypes on the characteristics themselves; weights and least share are those of who asks."""

    takes_weights: ClassVar[bool] = True
    balances: ClassVar[bool] = True
    reads_tables: ClassVar[bool] = True
    embeds_numbers: ClassVar[bool] = False

    def __init__(self, model: KPrototypesClusterer) -> None:
        self.model = model

    def fit(self, task: Task) -> Partition:
        """Find prototypes by a clone."""
        model = prepared(self.model, task)
        for name, own in (("weights", model.weights), ("min_segment_share", model.min_segment_share)):
            if own:
                words = f"left to {asked()} where it is the engine"
                with asking(type(model).__name__):
                    raise InvalidParameterError.not_allowed(name, words, own)
        model.set_params(weights=task.weights, min_segment_share=task.min_segment_share)
        return _taken_over(self, model, task)


def _taken_over(engine: Engine, model: Any, task: Task) -> Partition:
    """Fit a segmenter of ours on the characteristics; take over its segments and what it says of their quality."""
    model.fit(task.table, sample_weight=task.mass)
    found = assigning(model, task, reads_tables=engine.reads_tables, balances=engine.balances)
    return replace(found, optimum=model.optimum_, sample=model.sample_loss_)


def _latent_classes(n_init: int, sample_above: int) -> Engine:
    return LatentClassEngine(LatentClassClusterer(n_init=n_init, sample_above=sample_above))


def _prototypes(n_init: int, sample_above: int) -> Engine:
    return PrototypesEngine(KPrototypesClusterer(n_init=n_init, sample_above=sample_above))


ENGINES: dict[str, Callable[..., Engine]] = {
    "kmeans": KMeansEngine,
    "latent_class": _latent_classes,
    "k_prototypes": _prototypes,
}


def engine_of(engine: Any, *, n_init: int, sample_above: int) -> Engine:
    """Return the engine that a name, or a clusterer with parameters of its own, stands for.

    Parameters
    ----------
    engine : {"kmeans", "latent_class", "k_prototypes"} or clusterer
        The name or the clusterer.
    n_init : int
        The number of restarts of an engine given by name.
    sample_above : int
        The number of distinct customers above which a sample of them is fitted; our own clusterers have theirs.

    Returns
    -------
    Engine
        What partitions.
    """
    if isinstance(engine, str):
        return ENGINES[engine](n_init, sample_above)
    if isinstance(engine, LatentClassClusterer):
        return LatentClassEngine(engine)
    if isinstance(engine, KPrototypesClusterer):
        return PrototypesEngine(engine)
    return ClustererEngine(engine, sample_above)


def partition(engine: Engine, task: Task) -> Partition:
    """Find the segments.

    Parameters
    ----------
    engine : Engine
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
        raise InfeasibleError.too_few_customers(task.n_segments, task.patterns.n_patterns, n_rows)
    if not engine.takes_weights and len(set(task.weights.values())) > 1:
        words = "equal, or 0, with latent classes (likelihoods know no weights)"
        raise InvalidParameterError.not_allowed("weights", words, dict(task.weights))
    return engine.fit(task)

"""k-prototypes: segments of mixed customers around means and modes, by Huang's distance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from custseg._core.arrays import Floats, Integers
from custseg._core.customers import CustomerTable, Kinds
from custseg._core.ids import ID_OR_ROWS
from custseg._core.params import COLUMN, NONE, RANDOM_STATE, Integer, Number, OneOf, ParameterTable, Where
from custseg._core.segments import SEGMENT
from custseg._core.threads import one_thread
from custseg._core.warning import warn
from custseg.exceptions import InfeasibleError, UnseenCategoryWarning
from custseg.segmentation._base.checks import (
    MAPPING_OR_NONE,
    characteristic_weights,
    check_for_ids,
    counted_columns,
    warn_of_constant,
)
from custseg.segmentation._base.order import order_by_content, segment_order
from custseg.segmentation._base.segmenter import DEFAULT_ID, Segmenter
from custseg.segmentation._kmeans.balance import balance
from custseg.segmentation._kmeans.nearest import nearest
from custseg.segmentation._kmeans.optimum import Optimum
from custseg.segmentation._kmeans.patterns import Patterns, distinct_patterns
from custseg.segmentation._kmeans.sample import drawn, sample_size
from custseg.segmentation._prototypes.evolved import best_prototypes
from custseg.segmentation._prototypes.search import (
    MixedPatterns,
    carried_on,
    prototype_cost,
    prototypes_of,
)
from custseg.segmentation._prototypes.space import MixedSpace, Scaling, learn_space, reordered

__all__ = ["KPrototypesClusterer"]


# Rounds until the order of the segments, and the prototypes in that order, no longer change.
MAX_ROUNDS = 30

GAMMA = (NONE, Where(lambda value: Number(0.0).accepts(value) and value > 0, "a finite number > 0"))


class KPrototypesClusterer(Segmenter):
    """Group customers around prototypes: a mean for each number, a mode for each category.

    The distance is Huang's: squared differences of the numbers plus ``gamma`` for each category that
    differs. A prototype is a customer one could meet: "35 years, region North, pays by card". Many
    starts run on the distinct customers as one batch; the best are improved customer by customer.
    The same data and seed give the same labels for every order of rows and columns and every number
    of threads.

    Parameters
    ----------
    n_segments : int, default=4
        The number of segments.
    customer_id : str or None, default="customer_id"
        The column that identifies the customers, where it is not the index of a pandas DataFrame. None where
        each row is a customer and every column a characteristic.
    kinds : mapping of str to {"numeric", "binary", "ordinal", "nominal"}, optional
        Kinds of columns where the dtype does not say them.
    weights : mapping of str to float, optional
        The weight of a column, or of a group of columns ``group__feature``; unnamed columns have
        weight 1. Squared differences, or ``gamma``, are multiplied by it. Weight 0 makes a
        descriptor: it plays no part in finding the segments.
    scaling : {"robust", "standard", None}, default="robust"
        What is done to numbers first: ``"robust"`` takes heavy-tailed ones to logs, winsorises them at
        1% and 99% and divides by the standard deviation, as :class:`CharacteristicEmbedder` does;
        ``"standard"`` divides only; None leaves them in their units, as in Huang's paper.
    gamma : float or None, default=None
        What a mismatch costs beside the squared differences of the scaled numbers. None takes half
        the mean standard deviation of the numeric characteristics (.5 where they are scaled), as
        Huang advises; 1 where there are none.
    min_segment_share : float, default=0.0
        The least share of the customers in each segment.
    order_by : str, optional
        The characteristic whose mean orders the segments, highest first (mean rank for ordered
        categories). By default the largest segment comes first.
    n_init : int, default=20
        The number of starts.
    sample_above : int, default=100_000
        Above so many customers that differ, the prototypes are found on a sample of about that size,
        drawn by content so that the order of the rows does not matter, and improved on all;
        ``sample_loss_`` tells what the sample had cost.
    random_state : int, RandomState or None, default=None
        The source of the starting prototypes.

    Attributes
    ----------
    labels_ : ndarray of shape (n_customers,)
        The segment of each customer of ``fit``, 0 to ``n_segments_ - 1``; equal to ``predict`` of them.
    n_segments_ : int
        The number of segments.
    segment_sizes_ : ndarray of shape (n_segments,)
        The number of customers in each segment.
    segment_names_ : list of str
        "Segment 0", "Segment 1", ...
    prototypes_ : DataFrame of shape (n_segments, n_clustered_characteristics)
        One row for each segment, in original units: the mean (taken back from the scale of the
        distance, so that of a logged column it is the mean of the logs) or the mode. Of equally
        frequent levels the one that is more frequent among all customers, then the first by name.
    cost_ : float
        The sum of the distances of all customers to their prototypes, in the units of the scaled
        numbers.
    gamma_ : float
        The ``gamma`` that was used.
    segment_subsidies_ : ndarray of shape (n_segments,)
        By how much the distance to each prototype is lowered so that every segment holds
        ``min_segment_share``; 0 where nothing had to be moved.
    clustered_on_ : list of str
        The characteristics with a weight above 0.
    optimum_ : Optimum
        The cost (as ``sse``) before ``min_segment_share`` was seen to, and how many starts reached it.
    sample_loss_ : SampleCost or None
        What fitting on a sample had cost; None where there were at most ``sample_above`` customers that differ.
    n_features_in_ : int
        The number of characteristics.
    feature_names_in_ : ndarray of shape (n_features,)
        Their names, where ``fit`` got a dataframe.

    See Also
    --------
    SegmentClusterer : k-means on an embedding in which every characteristic counts alike.

    Notes
    -----
    Binary and ordinal characteristics are categories here: an ordinal one matches or does not, its
    order plays no part. With categories marked by ``sqrt(gamma / 2)`` in one-hot columns the squared
    distance to a mode is ``gamma`` for a mismatch and 0 for a match, so that the distances are one
    matrix product.

    **Missing values**: a missing number takes the mean; a missing category is equally far from every
    prototype, and adds nothing to ``cost_``. **Categories** that were not there in ``fit`` count as
    missing at ``predict``, with a warning. **Sample weights**: a customer of weight 2 counts as two.
    Customers of weight 0 do not shape the segments and get the label of the nearest prototype.

    Customers equally near to several prototypes, which is common where all is categories, belong to
    the first of them. The one-hot columns of all distinct customers stand in memory: 10,000 levels
    need 80 kB for each.

    **When not to use it.** A mode says nothing about the second most frequent category, so customers
    who differ in shares rather than in their favourite are better told apart by
    :class:`SegmentClusterer`; and a characteristic of thirty levels, which almost always differs,
    costs everybody nearly ``gamma`` and says little.

    References
    ----------
    Z. Huang (1998), Extensions to the k-means algorithm for clustering large data sets with
    categorical values, Data Mining and Knowledge Discovery 2, 283-304.

    Examples
    --------
    >>> import pandas as pd
    >>> from custseg.segmentation import KPrototypesClusterer
    >>> customers = pd.DataFrame(
    ...     {"visits": [1, 2, 1, 9, 8], "region": ["N", "N", "S", "S", "S"]},
    ...     index=pd.Index([11, 12, 13, 14, 15], name="customer_id"),
    ... )
    >>> clusterer = KPrototypesClusterer(2, scaling="standard", random_state=0).fit(customers)
    >>> clusterer.labels_
    array([0, 0, 0, 1, 1])
    >>> clusterer.prototypes_.round(2)
             visits region
    segment
    0          1.33      N
    1          8.50      S
    >>> clusterer.gamma_, round(clusterer.cost_, 3)
    (0.5, 0.593)
    """

    limits: ClassVar[frozenset[str]] = frozenset({"min_segment_share"})

    clustered_on_: list[str]
    segment_subsidies_: Floats

    _parameters: ClassVar[ParameterTable] = {
        "n_segments": (Integer(1),),
        "gamma": GAMMA,
        "scaling": (OneOf("robust", "standard", None),),
        "weights": MAPPING_OR_NONE,
        "kinds": MAPPING_OR_NONE,
        "customer_id": ID_OR_ROWS,
        "min_segment_share": (Number(0.0, 1.0),),
        "order_by": (NONE, COLUMN),
        "n_init": (Integer(1),),
        "sample_above": (Integer(1),),
        "random_state": RANDOM_STATE,
    }

    def __init__(
        self,
        n_segments: int = 4,
        *,
        customer_id: str | None = DEFAULT_ID,
        kinds: Mapping[str, str] | None = None,
        weights: Mapping[str, float] | None = None,
        scaling: Scaling = "robust",
        gamma: float | None = None,
        min_segment_share: float = 0.0,
        order_by: str | None = None,
        n_init: int = 20,
        sample_above: int = 100_000,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.n_segments = n_segments
        self.customer_id = customer_id
        self.kinds = kinds
        self.weights = weights
        self.scaling = scaling
        self.gamma = gamma
        self.min_segment_share = min_segment_share
        self.order_by = order_by
        self.n_init = n_init
        self.sample_above = sample_above
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        """Say that missing values are fine."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def fit(self, X: Any, y: Any = None, sample_weight: npt.ArrayLike | None = None) -> Self:
        """Find the prototypes.

        Parameters
        ----------
        X : DataFrame, path, or array-like of shape (n_customers, n_characteristics)
            One row per customer. A matrix holds numeric characteristics ``x0``, ``x1``, ...
        y : None
            Ignored.
        sample_weight : array-like of shape (n_customers,), optional
            How many customers each row stands for, 1 by default.

        Returns
        -------
        self : KPrototypesClusterer
            The fitted clusterer.

        Raises
        ------
        InvalidParameterError
            If a parameter is out of its range, or names an unknown column.
        InfeasibleError
            If fewer customers differ than there are segments, or ``min_segment_share`` cannot be met.
        InvalidTableError
            If the table cannot be used: an id among the characteristics, infinite values, a column
            ``segment``.
        """
        self._check_parameters()
        table, mass = self._read_in_fit(X, sample_weight, self._column_kinds())
        weights = characteristic_weights(table.names, self.weights)
        self.clustered_on_ = self.counted(table.names)
        clustered = table.select(self.clustered_on_)
        if not isinstance(X, CustomerTable):
            check_for_ids(clustered, self.customer_id, with_orders=True)
        self._check_order_by(table)
        known = mass > 0
        coordinates = self._learn(clustered, weights, mass)
        if not isinstance(X, CustomerTable):  # else whoever read the table has said so
            constant = self._space.constant
            warn_of_constant([name for name in self.clustered_on_ if name in constant])
            self._warn_of_unseen(table)  # by customers of weight 0
        groups = distinct_patterns(coordinates[known], mass[known])
        if self.n_segments > groups.n_patterns:
            raise InfeasibleError.too_few_customers(self.n_segments, groups.n_patterns, int(known.sum()))
        patterns = MixedPatterns.of(groups.values, groups.counts, self._space.layout)
        self._search(patterns, groups)
        by = None if self.order_by is None else table[self.order_by].take(known)
        self._settle(patterns, groups, by, mass[known])
        self.n_segments_ = int(self.n_segments)
        self.gamma_ = self._space.gamma
        prototypes = self._space.invert(self._centers, self.clustered_on_)
        self.prototypes_: pd.DataFrame = prototypes.rename_axis(index=SEGMENT)
        self.labels_ = self._nearest(coordinates)
        self.segment_sizes_ = np.bincount(self.labels_, minlength=self.n_segments_)
        return self

    def predict(self, X: Any) -> Integers:
        table = self._read(X, fitting=False, customer_id=self.customer_id, kinds=self._column_kinds())
        coordinates = self._space.coordinates(table)
        if not isinstance(X, CustomerTable):
            self._warn_of_unseen(table)
        return self._nearest(coordinates)

    def counted(self, names: Sequence[str]) -> list[str]:
        return counted_columns(names, self.weights)

    def _column_kinds(self) -> Kinds | None:
        return self.kinds

    def _warn_of_unseen(self, table: CustomerTable) -> None:
        unseen = {block.column: block.unseen(table[block.column]) for block in self._space.modes}
        if any(unseen.values()):
            warn(UnseenCategoryWarning.of(unseen))

    def _learn(self, table: CustomerTable, weights: Mapping[str, float], mass: Floats) -> Floats:
        """Learn the space, its columns in an order that does not depend on that of the table."""
        space = learn_space(table, weights, mass, self.scaling, self.gamma)
        coordinates = space.coordinates(table)
        if table.named:
            order = np.argsort([block.column for block in space.blocks], kind="stable")
        else:
            order = order_by_content(coordinates, mass)
        n_numbers = len(space.numbers)
        order = np.concatenate([order[order < n_numbers], order[order >= n_numbers]])
        self._space: MixedSpace = reordered(space, order)
        return coordinates[:, order]

    def _search(self, patterns: MixedPatterns, groups: Patterns) -> None:
        n_segments = int(self.n_segments)
        centers, optimum = self._find(patterns, groups)
        self._centers, self.segment_subsidies_ = centers, np.zeros(n_segments)
        self.optimum_: Optimum = self._in_units(optimum)
        self.sample_loss_ = self.optimum_.sample
        if self.min_segment_share > 0:
            points = Patterns(patterns.points, groups.counts, groups.inverse)

            def recompute(_: Patterns, labels: Integers, n_segments: int) -> Floats:
                return np.asarray(prototypes_of(patterns, labels[None], n_segments)[0])

            balanced = balance(points, centers, self.min_segment_share, recompute)
            self._centers, self.segment_subsidies_ = balanced.centers, balanced.subsidies

    def _find(self, patterns: MixedPatterns, groups: Patterns) -> tuple[Floats, Optimum]:
        """Find prototypes on all distinct rows, or on a sample of them and go on from there."""
        n_segments = int(self.n_segments)
        n_sampled = sample_size(self.sample_above, n_segments)
        search = partial(best_prototypes, n_segments=n_segments, n_init=self.n_init, random_state=self.random_state)
        if groups.n_patterns <= n_sampled:
            return search(patterns)
        rows, counts = drawn(groups, n_sampled, patterns.centred)
        centers, optimum = search(MixedPatterns.of(groups.values[rows], counts, self._space.layout))
        return carried_on(patterns, centers, optimum, len(rows))

    def _in_units(self, optimum: Optimum) -> Optimum:
        cost, sample = self._space.cost, optimum.sample
        if sample is not None:
            sample = replace(sample, sample_objective=cost(sample.sample_objective), objective=cost(sample.objective))
        return replace(optimum, objective=cost(optimum.objective), sample=sample)

    def _settle(self, patterns: MixedPatterns, groups: Patterns, by: Any, mass: Floats) -> None:
        """Put the segments in order; the first of equally near prototypes depends on it, and so may the prototypes."""
        n_segments = int(self.n_segments)
        is_free = not self.segment_subsidies_.any()
        smallest = patterns.slack * max(1.0, float(patterns.counts.sum()))
        for _ in range(MAX_ROUNDS):
            with one_thread():
                labels = nearest(patterns.points, self._centers, self._subsidies())
            populated = np.unique(labels)
            if len(populated) < n_segments:
                raise InfeasibleError.too_few_customers(n_segments, len(populated), len(mass))
            cost = prototype_cost(patterns, self._centers, labels)
            if is_free:
                with one_thread():
                    fresh = prototypes_of(patterns, labels[None], n_segments)[0]
                if prototype_cost(patterns, fresh, labels) < cost - smallest:
                    self._centers = fresh
                    continue
            rows = (labels, patterns.counts) if by is None else (labels[groups.inverse], mass)
            order = segment_order(self._centers, *rows, by)
            self._centers = self._centers[order]
            self.segment_subsidies_ = self.segment_subsidies_[order]
            if (order == np.arange(n_segments)).all():
                break
        self.cost_ = self._space.cost(cost)
        if is_free:
            self.optimum_ = replace(self.optimum_, objective=self.cost_)

    def _nearest(self, coordinates: Floats) -> Integers:
        with one_thread():  # more of them take longer for so few prototypes
            return nearest(self._space.points(coordinates), self._centers, self._subsidies())

    def _subsidies(self) -> Floats | None:
        return self.segment_subsidies_ if self.segment_subsidies_.any() else None

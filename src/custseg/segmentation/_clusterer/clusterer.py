"""From customers to segments: embed, choose the number, partition, put in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if

from custseg._core.arrays import Floats, Integers
from custseg._core.asking import asks_as_class
from custseg._core.customer_rows import without_customers
from custseg._core.customers import CustomerTable, Kinds
from custseg._core.ids import ID_OR_ROWS
from custseg._core.params import COLUMN, NONE, RANDOM_STATE, Integer, Number, OneOf, ParameterTable, Where
from custseg._core.warning import warn
from custseg.exceptions import InfeasibleError
from custseg.segmentation._base.checks import MAPPING_OR_NONE, counted_columns
from custseg.segmentation._base.order import segment_order, weighted_mean
from custseg.segmentation._base.segmenter import DEFAULT_ID, Segmenter
from custseg.segmentation._clusterer.agreement import CHOSEN, check_agreement
from custseg.segmentation._clusterer.embedding_step import (
    EMBEDDER,
    Embedded,
    Embedding,
    embed,
    embed_to_fit,
    engine_table,
    task_of,
)
from custseg.segmentation._clusterer.engines import ENGINES, Engine, engine_of, partition
from custseg.segmentation._clusterer.models import finds_number, is_clusterer
from custseg.segmentation._clusterer.reproducible import reproducible_number
from custseg.segmentation._clusterer.step import CHOOSE, Step
from custseg.segmentation._clusterer.task import Partition, Task
from custseg.segmentation._embedding.embedder import CharacteristicEmbedder
from custseg.segmentation._reproducibility.number import Limits, NumberOfSegments
from custseg.segmentation._selection.select import SegmentSelection, choose_n_segments

__all__ = ["SegmentClusterer"]


class SegmentClusterer(CallbackSupportMixin, Segmenter):
    """Group customers into segments by their characteristics.

    The customers are embedded by a :class:`CharacteristicEmbedder`, so that every characteristic
    counts by its weight whatever its unit and kind, and partitioned by k-means: many restarts on
    the distinct customers, the best of them improved customer by customer. The same data and seed
    give the same labels for every order of rows and columns and every number of threads.

    Parameters
    ----------
    n_segments : int, "auto" or "reproducible", default="auto"
        The number of segments. ``"auto"`` looks for distinct groups; its answer may be 1, "no segments here".
        ``"reproducible"`` is the largest number up to ``max_segments`` at which the segments come back in other
        samples, hold their least share and differ clearly from each other. A clusterer that finds the number itself,
        such as ``HDBSCAN()``, needs ``"auto"``.
    customer_id : str or None, default="customer_id"
        The column that identifies the customers, where it is not the index of a pandas DataFrame. None where
        each row is a customer and every column a characteristic.
    kinds : mapping of str to {"numeric", "binary", "ordinal", "nominal"}, optional
        Kinds of columns where the dtype does not say them.
    engine : {"kmeans", "latent_class", "k_prototypes"} or clusterer, default="kmeans"
        How the customers are partitioned: k-means in the embedding; a :class:`LatentClassClusterer` or a
        :class:`KPrototypesClusterer` on the characteristics themselves (latent classes take numbers from the
        embedding, without tails; declare ratings ordinal in ``kinds``), by name or as an instance with
        parameters of its own; or any clusterer of scikit-learn, or pipeline that ends in one, in the
        embedding, such as ``AgglomerativeClustering()`` or ``HDBSCAN()``.
    embedder : CharacteristicEmbedder, "passthrough" or None, default=None
        What turns characteristics into distances; None builds one from ``kinds``, ``weights`` and
        ``customer_id``. ``"passthrough"`` clusters numbers as they are, without missing values.
    weights : mapping of str to float or CharacteristicWeights, optional
        The weight of a column, or of a group of columns ``group__feature``; unnamed columns have
        weight 1. Several yes/no columns of a group, or of none, are one question with the weight of one
        characteristic (see :class:`CharacteristicEmbedder`). Weight 0 makes a descriptor: it plays no part in
        finding the segments.
    min_segment_share : float, default=0.0
        The least share of the customers in each segment. Engines with centres move customers to keep
        it; the others raise an error where they do not keep it.
    min_segments : int, default=1
        The least number that is wanted, with ``n_segments="auto"`` or ``"reproducible"``. Where ``"auto"`` finds fewer,
        the number is that of ``"reproducible"``; ``number_of_segments_`` says what it is worth.
    max_segments : int, default=10
        The largest number that ``n_segments="auto"`` and ``"reproducible"`` consider.
    order_by : str, optional
        The characteristic whose mean orders the segments, highest first (mean rank for ordered
        categories). By default the largest segment comes first. Where that leaves a tie: the
        larger segment, then the one whose centre is larger in the first column that differs.
    n_init : int, default=20
        The number of restarts; a clusterer of scikit-learn's has its own.
    sample_above : int, default=100_000
        Above so many customers that differ, the engine is fitted on a sample of about that size, drawn by
        content so that the order of the rows does not matter, and all are assigned. Our own engines then go
        on from there on all customers. ``sample_loss_`` tells what the sample had cost.
    random_state : int, RandomState or None, default=None
        The source of the starting points; also for a clusterer whose own ``random_state`` is None.

    Attributes
    ----------
    labels_ : ndarray of shape (n_customers,)
        The segment of each customer of ``fit``, 0 to ``n_segments_ - 1``; equal to ``predict`` of them.
    n_segments_ : int
        The number of segments.
    segment_sizes_ : ndarray of shape (n_segments,)
        The number of customers in each segment.
    segment_names_ : list of str
        "Segment 0", "Segment 1", ...; ``PersonaDescriber`` gives names that say more.
    segment_centers_ : ndarray of shape (n_segments, n_columns)
        The centres in the embedding; ``embedder_.inverse_transform`` shows them in original units.
    segment_subsidies_ : ndarray of shape (n_segments,)
        By how much the squared distance to each centre is lowered so that every segment holds
        ``min_segment_share``; 0 where nothing had to be moved.
    embedder_ : CharacteristicEmbedder or None
        The fitted embedder; None for ``"passthrough"``.
    clustered_on_ : list of str
        The characteristics with a weight above 0.
    engine_ : estimator or None
        The fitted engine; None for k-means.
    optimum_ : Optimum or None
        How good the result is among those of the restarts, as the engine tells it; None where it does not.
    sample_loss_ : SampleCost or None
        What fitting on a sample had cost; None where there were at most ``sample_above`` customers that differ.
    selection_ : SegmentSelection or None
        How ``"auto"`` came to its number, or would have; None where the number was given.
    number_of_segments_ : NumberOfSegments or None
        What speaks for and against every number tried, with ``"reproducible"`` and where ``"auto"`` found fewer than
        ``min_segments``; else None.
    n_features_in_ : int
        The number of characteristics.
    feature_names_in_ : ndarray of shape (n_features,)
        Their names, where ``fit`` got a dataframe.

    See Also
    --------
    CharacteristicEmbedder : What the distance is made of.

    Notes
    -----
    **Missing values** take the mean of their characteristic, so that they do not pull a customer
    anywhere. **Categories** that were not there in ``fit`` count as missing at ``predict``, with a
    warning. **Sample weights**: a customer of weight 2 counts as two. Customers of weight 0 do not
    shape the segments and get the label of the nearest.

    ``score`` is the explained share of the variance. It never chooses the number of segments: it
    rises with every further one. In a grid search over a pipeline that starts from transactions,
    split by customer (``GroupKFold``): folds over rows cut customers in two.

    **k-means** starts from k-means++ [1]_. Where few of the restarts agree, two populations of partitions, of more than
    1,500 distinct customers four, are evolved, each without the others: partitions are crossed, and repaired [2]_. That
    takes about a second, less with a lower ``n_init``; where two, or three of four, end at the same partition, it is
    confirmed. Above 8,000 distinct customers that is done among cells of them first. At the end single customers
    change segment as long as that lowers the sum of squares [3]_.

    **"auto"** first asks whether there are segments at all. It compares how well k-means splits the
    customers with how well it splits up to 39 draws from one continuum, which has the same columns and
    associations but no groups. Logs of the variance inside segments are compared, as by the gap
    statistic [4]_. The draws are custseg's own: a smoothed bootstrap [5]_ in the space of normal variables
    behind the columns, since with uniform draws associations would pass for segments. Where the customers
    do not stand out (at level .05, and by a least difference), the answer is 1. Else latent classes are fitted for
    1, 2, ... segments, and the number with the lowest BIC is taken: of those in which no group is much smaller than
    ``min_segment_share``. Classes without a valley between them [6]_ count as one group: where
    characteristics go together inside segments, the BIC splits these for ever. Two or more such classes are
    worth a warning. More than 2,500 customers are judged by a random sample of them. All this looks at
    the characteristics in the embedding, whatever the engine, unless that finds the number itself; those that
    go with no other take no part in it.
    ``selection_.reason`` gives the figures.

    **"reproducible"** asks for lines that come back, where there are groups and where there are none: the customers are
    drawn again in pairs of bootstrap samples, each sample is segmented, and everyone is assigned by both. A number will
    do where the mean adjusted Rand index of the pairs is at least .75 and every segment's mean Jaccard coefficient with
    its best match at least .6 [7]_, each segment holds ``min_segment_share``, and each two segments differ by half a
    standard deviation or more in a characteristic they are made of, in original units (Hedges' g). The largest such
    number is taken; where there is none, the most stable one, said to be *constructive*. Ten pairs are refitted, and
    up to eighty where stability lies within its own noise. The prediction strength of Tibshirani and Walther [8]_ too
    takes the largest number that comes back: from one half of the data to the other, and judged by the worst segment
    alone, at .8 to .9. Here samples are as large as the data, whole and segments both count, it is said where the
    answer stayed open, and segments that come back but are alike are not taken.

    References
    ----------
    .. [1] D. Arthur and S. Vassilvitskii (2007), "k-means++: the advantages of careful seeding",
       SODA 2007, 1027-1035.
    .. [2] D. Gribel and T. Vidal (2019), "HG-means: a scalable hybrid genetic algorithm for minimum
       sum-of-squares clustering", Pattern Recognition 88, 569-583.
    .. [3] J. A. Hartigan (1975), "Clustering Algorithms", Wiley, chapter 4.
    .. [4] R. Tibshirani, G. Walther and T. Hastie (2001), "Estimating the number of clusters in a data
       set via the gap statistic", Journal of the Royal Statistical Society B 63, 411-423.
    .. [5] B. W. Silverman and G. A. Young (1987), "The bootstrap: to smooth or not to smooth?",
       Biometrika 74, 469-479.
    .. [6] C. Hennig (2010), "Methods for merging Gaussian mixture components", Advances in Data
       Analysis and Classification 4, 3-34.
    .. [7] C. Hennig (2007), "Cluster-wise assessment of cluster stability", Computational Statistics & Data
       Analysis 52, 258-271.
    .. [8] R. Tibshirani and G. Walther (2005), "Cluster validation by prediction strength", Journal of
       Computational and Graphical Statistics 14, 511-528.

    Examples
    --------
    >>> import pandas as pd
    >>> from custseg.segmentation import SegmentClusterer
    >>> customers = pd.DataFrame(
    ...     {"visits": [1, 2, 1, 9, 8], "region": ["N", "N", "N", "S", "S"]},
    ...     index=pd.Index([11, 12, 13, 14, 15], name="customer_id"),
    ... )
    >>> clusterer = SegmentClusterer(n_segments=2, random_state=0).fit(customers)
    >>> clusterer.labels_
    array([0, 0, 0, 1, 1])
    >>> clusterer.transform(customers)["segment"].to_dict()
    {11: 0, 12: 0, 13: 0, 14: 1, 15: 1}
    >>> round(clusterer.score(customers), 3)
    0.967
    """

    limits: ClassVar[frozenset[str]] = frozenset({"min_segment_share", "min_segments", "max_segments"})

    clustered_on_: list[str]
    segment_centers_: Floats
    segment_subsidies_: Floats
    selection_: SegmentSelection | None
    number_of_segments_: NumberOfSegments | None
    engine_: Any = None
    _partition: Partition

    _parameters: ClassVar[ParameterTable] = {
        "n_segments": (OneOf(*CHOSEN), Integer(1)),
        "engine": (
            *(OneOf(name) for name in ENGINES),
            Where(is_clusterer, "a clusterer of scikit-learn's (an instance, for example AgglomerativeClustering())"),
        ),
        "embedder": EMBEDDER,
        "weights": MAPPING_OR_NONE,
        "kinds": MAPPING_OR_NONE,
        "customer_id": ID_OR_ROWS,
        "min_segment_share": (Number(0.0, 1.0),),
        "min_segments": (Integer(1),),
        "max_segments": (Integer(1),),
        "order_by": (NONE, COLUMN),
        "n_init": (Integer(1),),
        "sample_above": (Integer(1),),
        "random_state": RANDOM_STATE,
    }

    def __init__(
        self,
        n_segments: int | Literal["auto", "reproducible"] = "auto",
        *,
        customer_id: str | None = DEFAULT_ID,
        kinds: Mapping[str, str] | None = None,
        engine: Any = "kmeans",
        embedder: CharacteristicEmbedder | Literal["passthrough"] | None = None,
        weights: Mapping[str, float] | None = None,
        min_segment_share: float = 0.0,
        min_segments: int = 1,
        max_segments: int = 10,
        order_by: str | None = None,
        n_init: int = 20,
        sample_above: int = 100_000,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.n_segments = n_segments
        self.customer_id = customer_id
        self.kinds = kinds
        self.engine = engine
        self.embedder = embedder
        self.weights = weights
        self.min_segment_share = min_segment_share
        self.min_segments = min_segments
        self.max_segments = max_segments
        self.order_by = order_by
        self.n_init = n_init
        self.sample_above = sample_above
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        """Say that missing values are fine, unless numbers are clustered as they are."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.embedder != "passthrough"
        return tags

    @property
    def finds_number(self) -> bool:
        """Whether the engine finds the number of segments itself."""
        return finds_number(self.engine)

    @property
    def takes_counts(self) -> bool:
        """Whether a row with a sample weight gives what as many equal rows give: with an engine given by name."""
        return isinstance(self.engine, str)

    @with_callbacks
    def fit(self, X: Any, y: Any = None, sample_weight: npt.ArrayLike | None = None) -> Self:
        """Find the segments.

        Parameters
        ----------
        X : DataFrame, path, or array-like of shape (n_customers, n_characteristics)
            One row per customer. A matrix holds numeric characteristics ``x0``, ``x1``, ...
        y : None
            Ignored.
        sample_weight : array-like of shape (n_customers,), optional
            How many customers each row stands for, 1 by default. Needs a stated ``n_segments``.

        Returns
        -------
        self : SegmentClusterer
            The fitted clusterer.

        Raises
        ------
        InvalidParameterError
            If a parameter is out of its range, or names an unknown column.
        InfeasibleError
            If fewer customers differ than there are segments, or ``min_segment_share`` cannot be met.
        InvalidTableError
            If the table cannot be used: an id among the characteristics, infinite values, a column
            ``segment``, missing values with ``"passthrough"``.
        """
        self._check_parameters()
        check_agreement(self, sample_weight)
        context = self._init_callback_context(max_subtasks=2 if self.n_segments in CHOSEN else 1)
        context.call_on_fit_task_begin(estimator=self, X=X, y=y)
        customers = self._embed_to_fit(X, sample_weight)
        table = customers.table
        self._check_order_by(table)
        random_state = self.random_state
        if not isinstance(random_state, (int, np.integer)):
            random_state = int(check_random_state(random_state).randint(np.iinfo(np.int32).max))
        with Step(context, self, CHOOSE) if self._chooses else nullcontext():
            n_segments = self._number(customers, random_state)
        share, engine = self.min_segment_share, self._engine()
        task = task_of(customers, engine, n_segments=n_segments, min_segment_share=share, random_state=random_state)
        with Step(context, self, "fit"):
            found = partition(engine, task)
        self._take_over(found, task, table)
        context.call_on_fit_task_end(estimator=self, X=X, y=y)
        return self

    def predict(self, X: Any) -> Integers:
        table, matrix = self._embed(X)
        return self._assign(table, matrix)

    def _without_customers(self, n_customers: int) -> Self:
        bare, found = super()._without_customers(n_customers), self._partition
        # an engine that assigns nobody is of no use, and may hold every customer; one fitted on a sample holds fewer
        n_rows = n_customers if found.sample is None else min(n_customers, found.sample.n_sampled // 2)
        model = without_customers(found.model, n_rows) if found.assigns else None
        bare.__dict__.update(_partition=replace(found, model=model), engine_=model)
        return bare

    def _can_tell_probabilities(self) -> bool:
        return hasattr(self.engine_, "predict_proba")

    @available_if(_can_tell_probabilities)
    @asks_as_class
    def predict_proba(self, X: Any) -> Floats:
        """Return how probable each segment is for each customer, where the engine tells it.

        Parameters
        ----------
        X : DataFrame, path, or array-like of shape (n_customers, n_characteristics)
            The characteristics of ``fit``; those of a dataframe in any order.

        Returns
        -------
        ndarray of shape (n_customers, n_segments)
            The probabilities of the segments; each row adds up to 1.

        Raises
        ------
        AttributeError
            Before ``fit``, and where the engine does not tell probabilities.
        ColumnChangeError, InvalidTableError, ValueError
            As ``predict``.
        """
        table, matrix = self._embed(X)
        return self._partition.probabilities(matrix[:, self._columns], self._for_engine(table, matrix))

    def score(self, X: Any, y: Any = None) -> float:
        """Return the explained share of the variance in the embedding.

        It is 1 minus the squared distances to the centres divided by those to the mean of the
        customers of ``fit``: 0 for a single segment, and higher for every further one, so that it
        never says how many there are.

        Parameters
        ----------
        X : DataFrame, path, or array-like of shape (n_customers, n_characteristics)
            Customers, those of ``fit`` or others.
        y : None
            Ignored.

        Returns
        -------
        float
            The share, at most 1; 0 where all customers are alike.

        Raises
        ------
        NotFittedError, ColumnChangeError, InvalidTableError, ValueError
            As ``predict``.
        """
        table, matrix = self._embed(X)
        labels = self._assign(table, matrix)
        # a customer whom the engine leaves out is explained by the mean
        centers = np.where((labels < 0)[:, None], self._mean, self.segment_centers_[labels])
        total = float(((matrix - self._mean) ** 2).sum())
        if total == 0.0:
            return 0.0
        return 1.0 - float(((matrix - centers) ** 2).sum()) / total

    def counted(self, names: Sequence[str]) -> list[str]:
        if self.embedder == "passthrough":
            return list(names)
        return counted_columns(names, self.weights if self.embedder is None else self.embedder.weights)

    @asks_as_class
    def _customer_id(self) -> str | None:
        """Return the name of the id: that of the clusterer, or that of a given embedder where only it names one."""
        return self._embedding().id_name()

    def _column_kinds(self) -> Kinds | None:
        return self._embedding().column_kinds

    def _embedding(self) -> Embedding:
        return Embedding(self.embedder, self.kinds, self.weights, self.customer_id)

    def _engine(self) -> Engine:
        return engine_of(self.engine, n_init=self.n_init, sample_above=self.sample_above)

    def _embed_to_fit(self, X: Any, sample_weight: Any) -> Embedded:
        table, mass = self._read_in_fit(X, sample_weight, self._column_kinds())
        customers = embed_to_fit(X, table, mass, self._embedding())
        self.embedder_, self.clustered_on_ = customers.embedder, customers.clustered_on
        self._columns = customers.canonical_columns
        return customers

    def _take_over(self, found: Partition, task: Task, table: CustomerTable) -> None:
        """Put the segments in order and keep them."""
        labels = found.assign(task.matrix, task.table)
        populated = np.unique(labels[(task.mass > 0) & (labels >= 0)])
        if self.engine == "kmeans" and len(populated) < found.n_segments:  # some differ by rounding only
            raise InfeasibleError.too_few_customers(found.n_segments, len(populated), table.n_customers)
        by = None if self.order_by is None else table[self.order_by]
        found = found.in_order(segment_order(found.centers, labels, task.mass, by))
        self._partition = found
        self.engine_, self.optimum_, self.sample_loss_ = found.model, found.optimum, found.sample
        self.n_segments_ = found.n_segments
        in_place = np.argsort(self._columns)
        self.segment_centers_ = found.centers[:, in_place]
        self.segment_subsidies_ = found.subsidies
        self.labels_ = found.assign(task.matrix, task.table)
        self.segment_sizes_ = np.bincount(self.labels_[self.labels_ >= 0], minlength=self.n_segments_)
        self._mean = weighted_mean(task.patterns.values, task.patterns.counts)[in_place]

    def _embed(self, X: Any) -> tuple[CustomerTable, Floats]:
        table = self._read(X, fitting=False, customer_id=self._customer_id(), kinds=self._column_kinds())
        return table, embed(X, table, self.embedder_)

    def _assign(self, table: CustomerTable, matrix: Floats) -> Integers:
        return self._partition.assign(matrix[:, self._columns], self._for_engine(table, matrix))

    def _for_engine(self, table: CustomerTable, matrix: Floats) -> CustomerTable:
        return engine_table(table, matrix, self.embedder_, self._engine())

    @property
    def _chooses(self) -> bool:
        return self.n_segments in CHOSEN and not self.finds_number

    def _number(self, customers: Embedded, random_state: int) -> int | None:
        """Return the number of segments; None where the engine finds it."""
        self.selection_ = self.number_of_segments_ = None
        if not self._chooses:
            return None if isinstance(self.n_segments, str) else int(self.n_segments)
        self.selection_ = choose_n_segments(
            customers.table,
            customers.embedder,
            customers.matrix,
            max_segments=self.max_segments,
            min_segment_share=self.min_segment_share,
            random_state=random_state,
        )
        if self.selection_.warning is not None:
            warn(f"{self.selection_.warning}.")
        if self.n_segments == "auto" and self.selection_.n_segments >= self.min_segments:
            return self.selection_.n_segments
        self.number_of_segments_ = reproducible_number(
            customers,
            self._engine(),
            selection=self.selection_,
            limits=Limits(self.min_segments, self.max_segments, self.min_segment_share),
            random_state=random_state,
        )
        return self.number_of_segments_.n_segments

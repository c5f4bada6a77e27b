"""Latent classes: segments as the components of a mixture, for characteristics of every kind."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from custseg._core.arrays import Floats, Integers
from custseg._core.customers import KINDS, CustomerTable, Kinds
from custseg._core.ids import ID_OR_ROWS
from custseg._core.params import COLUMN, NONE, RANDOM_STATE, Instance, Integer, Number, OneOf, ParameterTable
from custseg._core.warning import warn
from custseg.exceptions import (
    InfeasibleError,
    UnseenCategoryWarning,
    list_names,
)
from custseg.segmentation._base.checks import MAPPING_OR_NONE, check_for_ids
from custseg.segmentation._base.order import segment_order
from custseg.segmentation._base.segmenter import DEFAULT_ID, Segmenter
from custseg.segmentation._kmeans.optimum import Optimum
from custseg.segmentation._kmeans.patterns import Patterns
from custseg.segmentation._kmeans.sample import drawn, sample_size
from custseg.segmentation._latent_classes.design import (
    Design,
    NumberPart,
    Part,
    collapse,
    encode,
    make_part,
    order_of_parts,
    warn_of_two_numbers,
)
from custseg.segmentation._latent_classes.em import (
    Classes,
    LatentFit,
    carried_on,
    fit_latent_classes,
    in_own_units,
    log_joint,
)
from custseg.segmentation._latent_classes.errors import posterior, standard_errors
from custseg.segmentation._latent_classes.evolved import searched_on
from custseg.segmentation._latent_classes.membership import joint_of, most_likely
from custseg.segmentation._latent_classes.profiles import profile_table

__all__ = ["LatentClassClusterer"]


class LatentClassClusterer(Segmenter):
    """Group customers into latent classes: segments that explain how their characteristics go together.

    The customers are taken for a mixture of classes. Within a class the characteristics are
    independent: each level of a category has a probability there, each number a mean and a standard
    deviation. Classes and memberships are estimated by maximum likelihood, so that a customer belongs
    to each class with a stated probability, and criteria such as the BIC compare numbers of classes.
    No distance and no weights are needed: numbers and categories meet in the likelihood.

    Parameters
    ----------
    n_segments : int, default=2
        The number of classes.
    customer_id : str or None, default="customer_id"
        The column of the ids, where it is not the index of a pandas table; None where each row is a customer.
    kinds : mapping of str to {"numeric", "binary", "ordinal", "nominal"} or one of these, optional
        Kinds of columns where the dtype does not say them; one kind for all columns as a plain text:
        ``kinds="binary"`` for a matrix of 0 and 1. Bools are binary, other numbers numeric, even
        where they are all 0 and 1: a column of two different numbers is warned of unless its kind stands here.
    order_by : str, optional
        The characteristic whose mean orders the segments, highest first (mean rank for ordered
        categories). By default the segment with the most customers comes first.
    standard_errors : bool, default=True
        Whether ``profiles_`` has standard errors; of more than 3,000 parameters there are none, with a warning.
    n_init : int, default=20
        The number of starts. The better half goes on after 8 steps, the best quarter after 16.
    max_iter : int, default=5000
        The largest number of EM steps of a start.
    tol : float, default=1e-6
        How far the log-likelihood may be from its limit, as its last gains foretell it. 0 takes
        exactly ``max_iter`` steps.
    min_variance : float, default=0.01
        The least variance of a number within a class, as a share of its variance over all customers:
        without one, a class of equal values has an unbounded likelihood.
    sample_above : int, default=100_000
        Above so many customers that differ, the starts run on a sample of about that size, drawn by
        content so that the order of the rows does not matter; EM over all customers goes on from the
        best, and ``sample_loss_`` tells what the sample had cost.
    random_state : int, RandomState or None, default=None
        The source of the starts.

    Attributes
    ----------
    labels_ : ndarray of shape (n_customers,)
        The most likely segment of each customer of ``fit``; equal to ``predict`` of them.
    n_segments_ : int
        The number of segments.
    segment_sizes_ : ndarray of shape (n_segments,)
        The number of customers whose most likely segment it is.
    segment_names_ : list of str
        "Segment 0", "Segment 1", ...
    class_shares_ : ndarray of shape (n_segments,)
        The estimated share of each class, sum 1.
    class_share_errors_ : ndarray of shape (n_segments,)
        Their standard errors; NaN without ``standard_errors``.
    profiles_ : DataFrame
        The parameters of the classes, one per row: ``class``, ``characteristic``, ``statistic``
        ("probability", "mean" or "sd"), ``level`` (of a probability; 1 of a binary
        characteristic), ``estimate``, ``standard_error``.
    log_likelihood_ : float
        The log-likelihood of the customers of ``fit``, numbers in their own units.
    n_parameters_ : int
        The number of free parameters.
    aic_, bic_ : float
        ``-2 log L + 2 p`` and ``-2 log L + p log n`` with ``n`` the sum of the weights: lower is better.
    icl_ : float
        The BIC minus twice the sum of ``r log r`` over all memberships ``r``: it also asks that the
        classes be distinct.
    entropy_ : float
        How distinct the classes are: 1 plus the sum of ``r log r`` divided by ``n log K``. 1 where
        every customer belongs to one class for sure (or there is one class), 0 where nobody knows.
    optimum_ : Optimum
        The log-likelihood, and how many starts reached it.
    sample_loss_ : SampleCost or None
        What fitting on a sample had cost; None where there were at most ``sample_above`` customers that differ.
    converged_ : bool
        Whether the best start converged.
    n_iter_ : int
        The number of its EM steps; where a sample was fitted, of those over all customers.
    clustered_on_ : list of str
        The characteristics with at least two values; the others are ignored.
    n_features_in_ : int
        The number of characteristics.
    feature_names_in_ : ndarray of shape (n_features,)
        Their names, where ``fit`` got a dataframe.

    See Also
    --------
    SegmentClusterer : Segments by distance, with weights for the characteristics.

    Warns
    -----
    DataQualityWarning
        Columns of two different numbers whose kind nobody has said, or of one value; empty segments.

    Notes
    -----
    **Missing values** are left out of the likelihood, which is right where they are missing at
    random given the known ones. A customer of whom nothing is known belongs to every class by its
    share. A category that was not there in ``fit`` counts as missing in ``predict``, with a warning.
    **Sample weights**: a customer of weight 2 counts as two, in the standard errors and criteria
    too. Customers of weight 0 do not shape the classes and get a label.

    Ordinal characteristics are taken as categories: their order is not used. A probability is never
    taken for less than 1e-15, so that a customer whom no class expects still has a class.

    **Standard errors** come from the curvature of the log-likelihood at its maximum (Louis, see
    ``References``). They are NaN where there is none: for a probability below 1e-6 and its complement
    (an estimate on the edge is common in small samples), for a standard deviation that
    ``min_variance`` holds up, and for what the data cannot tell apart, as with too many classes.

    **When not to use it**: where some characteristics must count more than others
    (``SegmentClusterer``); where characteristics say the same twice, since they are taken for
    independent evidence within a class and make memberships too sure and classes too many; where
    numbers have long tails, unless taken to logs first.

    References
    ----------
    .. [1] P. F. Lazarsfeld and N. W. Henry (1968), "Latent Structure Analysis", Houghton Mifflin.
    .. [2] C. Biernacki, G. Celeux and G. Govaert (2000), "Assessing a mixture model for clustering
       with the integrated completed likelihood", IEEE PAMI 22, 719-725.
    .. [3] T. A. Louis (1982), "Finding the observed information matrix when using the EM algorithm",
       Journal of the Royal Statistical Society B 44, 226-233.

    Examples
    --------
    >>> import pandas as pd
    >>> from custseg.segmentation import LatentClassClusterer
    >>> customers = pd.DataFrame(
    ...     {"online": [True] * 5 + [False] * 4, "spend": [9.0, 8.0, 9.5, 8.5, None, 2.0, 1.5, 2.5, 2.0]},
    ...     index=pd.Index(range(11, 20), name="customer_id"),
    ... )
    >>> clusterer = LatentClassClusterer(2, random_state=0).fit(customers)
    >>> clusterer.labels_
    array([0, 0, 0, 0, 0, 1, 1, 1, 1])
    >>> clusterer.class_shares_.round(3)
    array([0.556, 0.444])
    >>> clusterer.profiles_.query("statistic == 'mean'")[["class", "characteristic", "estimate"]]
       class characteristic  estimate
    1      0          spend      8.75
    4      1          spend      2.00
    """

    clustered_on_: list[str]

    _parameters: ClassVar[ParameterTable] = {
        "n_segments": (Integer(1),),
        "kinds": (*MAPPING_OR_NONE, OneOf(*KINDS)),
        "customer_id": ID_OR_ROWS,
        "order_by": (NONE, COLUMN),
        "n_init": (Integer(1),),
        "max_iter": (Integer(1),),
        "tol": (Number(0.0),),
        "min_variance": (Number(1e-6, 1.0),),
        "standard_errors": (Instance(bool, np.bool_),),
        "sample_above": (Integer(1),),
        "random_state": RANDOM_STATE,
    }

    def __init__(
        self,
        n_segments: int = 2,
        *,
        customer_id: str | None = DEFAULT_ID,
        kinds: Mapping[str, str] | str | None = None,
        order_by: str | None = None,
        standard_errors: bool = True,
        n_init: int = 20,
        max_iter: int = 5000,
        tol: float = 1e-6,
        min_variance: float = 0.01,
        sample_above: int = 100_000,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.n_segments = n_segments
        self.customer_id = customer_id
        self.kinds = kinds
        self.order_by = order_by
        self.standard_errors = standard_errors
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.min_variance = min_variance
        self.sample_above = sample_above
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        """Say that missing values are fine."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def fit(self, X: Any, y: Any = None, sample_weight: npt.ArrayLike | None = None) -> Self:
        """Estimate the classes.

        Parameters
        ----------
        X : DataFrame, path, or array-like of shape (n_customers, n_characteristics)
            One row per customer. A matrix holds numeric characteristics ``x0``, ``x1``, ... unless
            ``kinds`` says otherwise.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_customers,), optional
            How many customers each row stands for, 1 by default.

        Returns
        -------
        self : LatentClassClusterer
            The fitted clusterer.

        Raises
        ------
        InvalidParameterError
            If a parameter is out of its range, or names an unknown column.
        InfeasibleError
            If fewer customers differ than there are segments, or a class ends empty in every start.
        InvalidTableError
            If the table cannot be used: an id among the characteristics, infinite values, a column
            ``segment``.
        """
        self._check_parameters()
        table, mass = self._read_in_fit(X, sample_weight, self._column_kinds())
        check_for_ids(table, self.customer_id, with_orders=True)
        self._check_order_by(table)
        patterns = self._collapse_in_fit(table, mass, is_told=isinstance(X, CustomerTable))
        known = patterns.counts > 0
        if self.n_segments > known.sum():
            raise InfeasibleError.too_few_customers(self.n_segments, int(known.sum()), table.n_customers)
        design, counts = Design.of(self._parts, patterns.values[known]), patterns.counts[known]
        found = self._estimate(design, counts, patterns.values[known])
        self.converged_, self.n_iter_ = found.converged, found.n_iter
        self._put_in_order(table, found.classes, patterns, mass)
        self._report(design, counts, found.optimum)
        warn_of_two_numbers(self._parts, self.kinds)
        self._warn_of_poor_fit()
        return self

    def predict(self, X: Any) -> Integers:
        """Assign customers to their most likely segments.

        Parameters
        ----------
        X : DataFrame, path, or array-like of shape (n_customers, n_characteristics)
            The characteristics of ``fit``; those of a dataframe in any order.

        Returns
        -------
        ndarray of shape (n_customers,)
            The segment of each customer; the first one where several are equally likely.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        ColumnChangeError
            If a column of ``fit`` is not there or of another kind, or one is there that was not.
        InvalidTableError
            If the table cannot be used: no rows, infinite values, two columns of one name, a path that cannot
            be read.
        ValueError
            If a matrix has another number of columns than in ``fit``.
        """
        return most_likely(self._log_joint(X))

    def predict_proba(self, X: Any) -> Floats:
        """Return with which probability each customer belongs to each segment.

        Parameters
        ----------
        X : DataFrame, path, or array-like of shape (n_customers, n_characteristics)
            The characteristics of ``fit``; those of a dataframe in any order.

        Returns
        -------
        ndarray of shape (n_customers, n_segments)
            The probabilities; every row sums to 1.

        Raises
        ------
        NotFittedError, ColumnChangeError, InvalidTableError, ValueError
            As ``predict``.
        """
        return posterior(self._log_joint(X))[0]

    def score_samples(self, X: Any) -> Floats:
        """Return the log-likelihood of every customer, numbers in their own units.

        Parameters
        ----------
        X : DataFrame, path, or array-like of shape (n_customers, n_characteristics)
            The characteristics of ``fit``; those of a dataframe in any order.

        Returns
        -------
        ndarray of shape (n_customers,)
            The log-likelihoods, missing values left out.

        Raises
        ------
        NotFittedError, ColumnChangeError, InvalidTableError, ValueError
            As ``predict``.
        """
        return posterior(self._log_joint(X))[1]

    def score(self, X: Any, y: Any = None) -> float:
        """Return the mean log-likelihood of customers.

        Parameters
        ----------
        X : DataFrame, path, or array-like of shape (n_customers, n_characteristics)
            Customers, those of ``fit`` or others.
        y : None
            Ignored.

        Returns
        -------
        float
            The mean of ``score_samples``.

        Raises
        ------
        NotFittedError, ColumnChangeError, InvalidTableError, ValueError
            As ``predict``.
        """
        return float(self.score_samples(X).mean())

    def _column_kinds(self) -> Kinds | None:
        kinds = self.kinds
        return (lambda _: kinds) if isinstance(kinds, str) else kinds

    def _collapse_in_fit(self, table: CustomerTable, mass: Floats, *, is_told: bool) -> Patterns:
        """Learn the parts of the model, in an order that no order of columns changes, and collapse the rows.

        ``is_told`` is whether whoever read the table has said what is poor about it.
        """
        made = {column.name: make_part(column, mass) for column in table.columns}
        constant = [name for name, part in made.items() if part is None]
        if constant and not is_told:
            warn(
                f"column(s) {list_names(constant)} hold one value only, or none, and cannot tell customers "
                "apart; they are ignored. Drop them."
            )
        self.clustered_on_ = [name for name, part in made.items() if part is not None]
        parts: list[Part] = [part for part in made.values() if part is not None]
        if table.named:
            parts.sort(key=lambda part: part.column)
        encoded, unseen = encode(parts, table)
        if unseen and not is_told:  # by customers of weight 0
            warn(UnseenCategoryWarning.of(unseen))
        patterns = collapse(parts, encoded, mass)
        if parts and not table.named:
            order = order_of_parts(parts, patterns)
            parts = [parts[position] for position in order]
            again = collapse(parts, patterns.values[:, order], patterns.counts)
            patterns = Patterns(again.values, again.counts, again.inverse[patterns.inverse])
        self._parts = parts
        return patterns

    def _estimate(self, design: Design, counts: Floats, values: Floats) -> LatentFit:
        """Estimate on all distinct rows, or on a sample of them and go on from there."""
        rows, sampled = np.arange(len(counts)), design
        n_sampled = sample_size(self.sample_above, self.n_segments)
        if len(counts) > n_sampled:
            rows, shown = drawn(Patterns(values, counts, rows), n_sampled)
            sampled = Design.of(self._parts, values[rows])
        else:
            shown = counts
        random = check_random_state(self.random_state)
        steps: dict[str, Any] = {"max_iter": self.max_iter, "tol": self.tol, "floor": self.min_variance}
        starts = {**steps, "n_init": self.n_init, "random_state": random}
        found = fit_latent_classes(sampled, shown, self.n_segments, **starts)
        found = searched_on(found, sampled, shown, **starts)
        return found if sampled is design else carried_on(found, design, counts, **steps, n_sampled=len(rows))

    def _put_in_order(self, table: CustomerTable, classes: Classes, patterns: Patterns, mass: Floats) -> None:
        joint = joint_of(self._parts, classes, patterns.values)
        labels = most_likely(joint)[patterns.inverse]
        by = None if self.order_by is None else table[self.order_by]
        traits = np.concatenate([classes.shares[:, None], classes.levels, classes.means], axis=1)
        order = segment_order(traits, labels, mass, by)
        self._classes = classes[order]
        self.n_segments_ = len(order)
        self.labels_ = most_likely(joint[:, order])[patterns.inverse]
        self.segment_sizes_ = np.bincount(self.labels_, minlength=self.n_segments_)

    def _report(self, design: Design, counts: Floats, optimum: Optimum) -> None:
        classes, n_classes = self._classes, self.n_segments_
        belongs, found = posterior(log_joint(classes, design))
        known = [design.matrix[:, column] for column in design.known_columns]
        numbers = [part for part in self._parts if isinstance(part, NumberPart)]
        units = sum(part.log_unit * float((rows * counts).sum()) for part, rows in zip(numbers, known, strict=True))
        total = float(counts.sum())
        self.class_shares_ = classes.shares
        self.log_likelihood_ = float((found * counts).sum()) - units
        self.optimum_ = in_own_units(optimum, units, total)
        self.sample_loss_ = self.optimum_.sample
        own = int((design.level_sizes - 1).sum()) + 2 * design.n_numbers
        self.n_parameters_ = n_classes - 1 + n_classes * own
        self.aic_ = -2.0 * self.log_likelihood_ + 2.0 * self.n_parameters_
        self.bic_ = -2.0 * self.log_likelihood_ + self.n_parameters_ * math.log(total)
        doubt = -float((np.where(belongs > 0, belongs * np.log(np.maximum(belongs, 1e-300)), 0.0).T * counts).sum())
        self.icl_ = self.bic_ + 2.0 * doubt
        self.entropy_ = 1.0 if n_classes == 1 else 1.0 - doubt / (total * math.log(n_classes))
        errors = standard_errors(classes, design, counts, self.min_variance) if self.standard_errors else None
        self.class_share_errors_ = np.full(n_classes, np.nan) if errors is None else errors.shares
        self.profiles_ = profile_table(self._parts, self.clustered_on_, classes, errors)

    def _warn_of_poor_fit(self) -> None:
        if not self.converged_ and self.tol > 0:
            warn(
                f"the log-likelihood was still rising after max_iter={self.max_iter} steps. "
                "Raise max_iter, or tol if the last digits do not matter.",
                ConvergenceWarning,
            )
        empty = [str(label) for label in np.flatnonzero(self.segment_sizes_ == 0)]
        if empty:
            warn(
                f"no customer is most likely in segment(s) {', '.join(empty)} of {self.n_segments_}: the data "
                "do not tell so many apart. Ask for fewer n_segments."
            )

    def _log_joint(self, X: Any) -> Floats:
        """Return the log-probability of every class and customer, numbers in their own units."""
        table = self._read(X, fitting=False, customer_id=self.customer_id, kinds=self._column_kinds())
        encoded, unseen = encode(self._parts, table)
        if unseen and not isinstance(X, CustomerTable):  # else whoever read the table has said so
            warn(UnseenCategoryWarning.of(unseen))
        if any(isinstance(part, NumberPart) for part in self._parts):  # no two rows are equal
            return joint_of(self._parts, self._classes, encoded)
        patterns = collapse(self._parts, encoded, np.ones(len(encoded)))
        return joint_of(self._parts, self._classes, patterns.values)[patterns.inverse]

"""Named segments of recency, frequency and monetary value: scores from 1 to 5, and rules over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from custseg._core.asking import asked
from custseg._core.customers import CustomerTable
from custseg._core.ids import ID_OR_ROWS
from custseg._core.params import COLUMN, OneOf, ParameterTable
from custseg._core.words import feature_of
from custseg.characteristics import RFMScorer
from custseg.exceptions import ColumnNotFoundError, ColumnTypeError, InvalidParameterError, list_names
from custseg.segmentation._base.segmenter import DEFAULT_ID
from custseg.segmentation._rules.columns import Domain, see_rounding
from custseg.segmentation._rules.grid import Axis, Grid
from custseg.segmentation._rules.rules import Condition, Rule
from custseg.segmentation._rules.segmenter import RuleDefinedSegmenter

__all__ = ["RFM_PRESETS", "RFMSegmenter"]

SCORED = ("recency", "frequency", "monetary")
N_SCORES = 5

Scores = tuple[int, int]

RFM_PRESETS: dict[str, tuple[tuple[str, Scores, Scores, Scores], ...]] = {
    "default": (
        ("Champions", (4, 5), (4, 5), (4, 5)),
        ("Loyal Customers", (3, 5), (4, 5), (1, 5)),
        ("Potential Loyalists", (4, 5), (2, 3), (1, 5)),
        ("New Customers", (5, 5), (1, 1), (1, 5)),
        ("Promising", (4, 4), (1, 1), (1, 5)),
        ("Need Attention", (3, 3), (2, 3), (3, 5)),
        ("About To Sleep", (3, 3), (1, 3), (1, 5)),
        ("Can't Lose Them", (1, 2), (4, 5), (4, 5)),
        ("At Risk", (1, 2), (3, 5), (1, 5)),
        ("Hibernating", (2, 2), (1, 2), (1, 5)),
        ("Lost", (1, 1), (1, 2), (1, 5)),
    ),
    "rfm_r": (
        ("Champions", (5, 5), (5, 5), (5, 5)),
        ("Potential Loyalist", (3, 5), (3, 5), (2, 5)),
        ("Loyal Customers", (2, 4), (2, 4), (2, 4)),
        ("Promising", (3, 4), (1, 3), (3, 5)),
        ("New Customers", (4, 5), (1, 3), (1, 5)),
        ("Can't Lose Them", (1, 2), (3, 4), (4, 5)),
        ("At Risk", (1, 2), (2, 5), (4, 5)),
        ("Need Attention", (1, 3), (3, 5), (3, 5)),
        ("About To Sleep", (2, 3), (1, 3), (1, 4)),
        ("Lost", (1, 1), (1, 5), (1, 5)),
    ),
}
"""Ordered rules: a name, and the lowest and highest score of recency, frequency and monetary value."""

# The segment of the scores that no rule of a preset covers.
_OTHERWISE = {"default": None, "rfm_r": "Others"}


class RFMSegmenter(RuleDefinedSegmenter):
    """Put customers into the named segments of recency, frequency and monetary value.

    The three are scored from 1 to 5, the best customers highest, at cuts learned in ``fit``; a preset
    of ordered rules over the scores names the segments.

    Parameters
    ----------
    preset : {"default", "rfm_r"}, default="default"
        ``"default"`` has 11 segments, from Champions to Lost, that cover all 125 combinations of
        scores. ``"rfm_r"`` has the intervals in use with the R package rfm: 10 segments that leave 10
        combinations to an eleventh, Others.
    customer_id : str or None, default="customer_id"
        The column that identifies the customers, where it is not the index of a pandas DataFrame. None where
        each row is a customer and every column a characteristic.
    recency, frequency, monetary : str, default="recency", "frequency", "monetary"
        The columns. Where there is none of that name, the only one that ends in two underscores and
        the name, such as ``behaviour__recency``, is taken.
    edges : mapping of str to sequence of float, optional
        Four cuts to use instead of those learned, for any of ``"recency"``, ``"frequency"`` and
        ``"monetary"``; see :class:`~custseg.characteristics.RFMScorer`.

    Attributes
    ----------
    labels_ : ndarray of shape (n_customers,)
        The segment of each customer of ``fit``: the position of the rule, whatever its size; -1 for a
        customer who is not assigned.
    n_segments_ : int
        The number of segments of the preset. Some may be empty.
    segment_names_ : list of str
        Their names; the position is the label.
    segment_sizes_ : ndarray of shape (n_segments,)
        The number of customers in each segment.
    n_not_assigned_ : int
        The number of customers in none.
    scorer_ : RFMScorer
        The fitted scorer; ``scorer_.edges_`` are the cuts.
    score_rules_ : tuple of Rule
        The rules over the scores, as the preset says them.
    rules_ : tuple of Rule
        The same rules over the columns, at the cuts. A rule without conditions has scores that no
        value can get, where many customers share one value.
    otherwise_ : str or None
        The name of the segment of everyone else.
    rule_report_ : RuleReport
        Counts, gaps and overlaps, over the 125 combinations of scores.
    clustered_on_ : list of str
        The three columns.
    n_features_in_ : int
        The number of columns.
    feature_names_in_ : ndarray of shape (n_features,)
        Their names, where ``fit`` got a dataframe.

    See Also
    --------
    custseg.characteristics.RFMFeaturizer : Gives the three columns.
    RuleSegmenter : Rules of your own.

    Notes
    -----
    A customer with a **missing value** meets no rule that asks for it and is not assigned (with
    ``"rfm_r"``: in Others). **Sample weights** count in the cuts: a customer of weight 2 counts as two.
    The cuts are those of the customers of ``fit``, so that about a fifth of them gets each score
    whatever the business is like; give ``edges`` where the segments of two periods are to be compared.

    Scores of fifths, joined to cells, are the classic of direct marketing [1]_. There is no standard set
    of segments over them. The names of ``"default"`` are those in common use; its intervals are custseg's
    own, made to follow the names and to leave no cell out. ``"rfm_r"`` takes names, order and intervals
    from the example of ``rfm_segment`` in the R package rfm [2]_, for comparison with results from there.

    References
    ----------
    .. [1] R. C. Blattberg, B.-D. Kim and S. A. Neslin (2008), "Database Marketing: Analyzing and Managing
       Customers", Springer, chapter 12.
    .. [2] A. Hebbali (2024), "rfm: Recency, Frequency and Monetary Value Analysis", R package
       version 0.3.0, https://doi.org/10.32614/CRAN.package.rfm.

    Examples
    --------
    >>> from custseg import RFMFeaturizer
    >>> from custseg.datasets import make_customers
    >>> from custseg.segmentation import RFMSegmenter
    >>> customers = RFMFeaturizer().fit_transform(make_customers(500, random_state=0).transactions)
    >>> segmenter = RFMSegmenter().fit(customers)
    >>> segmenter.segment_names_[:3]
    ['Champions', 'Loyal Customers', 'Potential Loyalists']
    >>> segmenter.rule_report_.exhaustive
    True
    """

    _parameters: ClassVar[ParameterTable] = {
        "preset": (OneOf(*RFM_PRESETS),),
        "recency": (COLUMN,),
        "frequency": (COLUMN,),
        "monetary": (COLUMN,),
        "edges": RFMScorer._parameters["edges"],  # noqa: SLF001 - of the same family
        "customer_id": ID_OR_ROWS,
    }

    def __init__(
        self,
        preset: str = "default",
        *,
        customer_id: str | None = DEFAULT_ID,
        recency: str = "recency",
        frequency: str = "frequency",
        monetary: str = "monetary",
        edges: Mapping[str, Sequence[float]] | None = None,
    ) -> None:
        self.preset = preset
        self.customer_id = customer_id
        self.recency = recency
        self.frequency = frequency
        self.monetary = monetary
        self.edges = edges

    def fit(self, X: Any, y: Any = None, sample_weight: npt.ArrayLike | None = None) -> Self:
        """Learn the cuts of the scores, and assign the customers.

        Parameters
        ----------
        X : DataFrame, path, or array-like of shape (n_customers, n_characteristics)
            One row per customer. A matrix holds the columns ``x0``, ``x1``, ...
        y : None
            Ignored.
        sample_weight : array-like of shape (n_customers,), optional
            How many customers each row stands for, 1 by default.

        Returns
        -------
        self : RFMSegmenter
            The fitted segmenter.

        Raises
        ------
        InvalidParameterError
            If a parameter is out of its range, or several columns could be meant.
        InvalidTableError
            If a column is missing or not of numbers, or the table cannot be used.
        """
        self._check_parameters()
        table, mass = self._read_in_fit(X, sample_weight)
        columns = [_find_column(name, getattr(self, name), table.names) for name in SCORED]
        if len(set(columns)) < len(SCORED):
            given = dict(zip(SCORED, columns, strict=True))
            raise InvalidParameterError.not_allowed("recency, frequency, monetary", "different columns", given)
        self.scorer_ = self._scorer(table, columns, mass)
        preset = RFM_PRESETS[self.preset]
        scores = [f"{name}_score" for name in SCORED]
        self.score_rules_ = tuple(_score_rule(entry, scores) for entry in preset)
        edges = [self.scorer_.edges_[name] for name in SCORED]
        self.rules_ = tuple(_column_rule(entry, columns, edges) for entry in preset)
        self.otherwise_ = _OTHERWISE[self.preset]
        domains = {name: Domain("number", whole=table[name].is_integer) for name in columns}
        domains = see_rounding(domains, self.rules_, table)
        grid = Grid(self.score_rules_, {name: Axis.scores(name, N_SCORES) for name in scores})
        self._apply(table, domains, self.score_rules_, grid)
        return self

    def _scorer(self, table: CustomerTable, columns: Sequence[str], mass: npt.NDArray[np.float64]) -> RFMScorer:
        for short, name in zip(SCORED, columns, strict=True):
            if table[name].kind != "numeric":
                remedy = "Pass the table that RFMFeaturizer gives, or name other columns."
                raise ColumnTypeError.expected(name, "numbers", table[name].kind, remedy)
            if short not in (self.edges or {}) and table[name].missing[mass > 0].all():
                remedy = f"Name another column, or pass the four cuts: edges={{{short!r}: [...]}}."
                raise ColumnTypeError.expected(name, "known of some customers", "only missing values", remedy)
        values = {short: table[name].values for short, name in zip(SCORED, columns, strict=True)}
        scorer = RFMScorer(N_SCORES, edges=self.edges).fit(pd.DataFrame(values), sample_weight=mass)
        for name, cuts in scorer.edges_.items():
            if len(cuts) != N_SCORES - 1:
                words = f"{N_SCORES - 1} cuts for each characteristic"
                raise InvalidParameterError.not_allowed("edges", words, {name: list(cuts)})
        return scorer


def _find_column(parameter: str, name: str, available: Sequence[str]) -> str:
    if name in available:
        return name
    found = [column for column in available if feature_of(column) == name]
    if len(found) > 1:
        raise InvalidParameterError(
            f"{asked()}: several columns could be meant by {name!r}: {list_names(found)}. Name one, for example "
            f"{parameter}={found[0]!r}."
        )
    if not found:
        raise ColumnNotFoundError.in_table([name], available)
    return found[0]


def _score_rule(entry: tuple[str, Scores, Scores, Scores], columns: Sequence[str]) -> Rule:
    name, *intervals = entry
    conditions: list[Condition] = []
    for column, (low, high) in zip(columns, intervals, strict=True):
        if low == high:
            conditions.append(Condition(column, "==", low))
            continue
        conditions += [Condition(column, ">=", low)] if low > 1 else []
        conditions += [Condition(column, "<=", high)] if high < N_SCORES else []
    return Rule(name=name, alternatives=(tuple(conditions),))


def _column_rule(
    entry: tuple[str, Scores, Scores, Scores], columns: Sequence[str], edges: Sequence[Sequence[float]]
) -> Rule:
    """Say a rule over scores in the units of the columns."""
    name, *intervals = entry
    conditions: list[Condition] = []
    for column, cuts, (low, high), short in zip(columns, edges, intervals, SCORED, strict=True):
        # Positions of bins from low values to high; the most recent have the highest score.
        first, last = (N_SCORES - high, N_SCORES - low) if short == "recency" else (low - 1, high - 1)
        above = cuts[first - 1] if first > 0 else None
        below = cuts[last] if last < N_SCORES - 1 else None
        if above is not None and below is not None and above >= below:
            return Rule(name=name, alternatives=())
        conditions += [] if above is None else [Condition(column, ">", above)]
        conditions += [] if below is None else [Condition(column, "<=", below)]
    return Rule(name=name, alternatives=(tuple(conditions),))

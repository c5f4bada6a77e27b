"""The estimator: for each segment the short rule that best says who is in it, measured on others than it was made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from custseg._core.arrays import Bools, Floats, Integers
from custseg._core.asking import asked
from custseg._core.disclosure import told_shares
from custseg._core.segments import NOT_ASSIGNED, NOT_ASSIGNED_WORDS
from custseg._core.visible import visible
from custseg._core.warning import warn
from custseg._core.words import format_share
from custseg.exceptions import InfeasibleError, InvalidParameterError, UnseenCategoryWarning
from custseg.personas._intervals import wilson_interval
from custseg.personas._telling.conditions import Candidates, level_sets
from custseg.personas._telling.labelled import N_FOLDS, Labelled, LabelledEstimator
from custseg.personas._telling.search import best_conjunction
from custseg.segmentation import Rule
from custseg.segmentation._for_personas import Condition, find_domains, first_match, matches, unseen_levels, write_query

__all__ = ["WEAK_PRECISION", "WEAK_RECALL", "SegmentRules"]

WEAK_PRECISION = 0.5
"""A rule is weak that may be wrong as often as right: the lower end of its precision is below, ..."""
WEAK_RECALL = 0.25
"""... and one that may miss three of four: the lower end of its recall is."""

# Rules are searched on so many customers; all are measured.
_MOST_SEARCHED = 20_000
_SHARES = ("precision", "recall", "coverage")
_COLUMNS = (
    *("segment", "name", "rule", "n_conditions", "n_customers"),
    *(f"{share}{end}" for share in _SHARES for end in ("", "_low", "_high")),
    *("weak", "note"),
)


class SegmentRules(LabelledEstimator):
    """Find for each segment the short rule that best says who is in it, and how far it can be trusted.

    A rule has at most three conditions, all of which must be met, in the language of
    :class:`~custseg.segmentation.RuleSegmenter`: ``income > 20000 and household == 'single'``. Of all such rules it has
    the highest F-score, the harmonic mean of precision and recall; a condition that raises it by less than .01 is left
    out. Precision, recall and coverage are cross-fitted: rules searched on four fifths of the customers are measured on
    the last fifth, five times, and the rule itself is searched on all.

    Parameters
    ----------
    customer_id : str or None, default="customer_id"
        A column of ids, on which there are no conditions. Columns that look like ids are left out with a warning: text,
        or whole numbers in the first column of a frame other than pandas, different in every row. None leaves out none.
    segment : str, default="segment"
        The column of labels, with -1 or nothing for customers in no segment, who are left out.
    min_group_size : int, default=10
        Every condition is met by at least so many customers, and not met by as many of whom it is known; a level that
        fewer have is never named; by a rule at least so many of the segment stand out, and so many others do not meet
        it. A segment with fewer customers has no rule, and its customers enter no figure.

    Attributes
    ----------
    rules_ : tuple of Rule
        One for each segment that has a rule, in the order of the labels; its name is that of the segment.
    segment_names_ : list of str
        The names of all segments; position = label.
    left_out_ : dict of str to str
        The columns that nothing can be asked of, since they are the same for everyone or not known of anyone.
    n_features_in_ : int
        Number of columns seen in ``fit``, the segment among them.
    feature_names_in_ : ndarray of str
        Their names, where ``X`` is a frame.

    See Also
    --------
    SegmentTyping : Assigns every customer, by points for a few answers.
    custseg.segmentation.RuleSegmenter : Takes these rules, or such as you write.

    Notes
    -----
    **Missing values** meet no condition, as in SQL; no rule asks for them, and customers who lack a value are in the
    figures as such who do not meet the rule.

    **Search.** Conditions are thresholds (up to 24 a column, the shortest number within each of as many steps of the
    customers), ordered levels from and up to, levels, and lists of up to five levels that are most of the segment.
    Among all conjunctions of these the search is exact, by branch and bound; where that takes too long, as with many
    hundred conditions that tell little, the best one so far is taken. Of more than 20,000 customers it is searched on
    20,000, drawn by what they hold, and measured on all.

    **Weak rules** are flagged: those of which the lower end of the interval of precision is below .5, or that of recall
    below .25. Not every segment has a short description; one that lies between others has none. The intervals are
    Wilson's, at 95%. They hold what the search makes of chance, since it is repeated for every part.

    Each rule is measured by itself. Customers may meet several or none; ``predict`` decides by precision.

    References
    ----------
    Klösgen (1996), "Explora", in *Advances in Knowledge Discovery and Data Mining*, and Lavrač, Kavšek, Flach and
    Todorovski (2004), *Journal of Machine Learning Research* 5, for subgroup discovery and CN2-SD; Grosskreutz, Rüping
    and Wrobel (2008), *ECML PKDD*, for its bounds.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from custseg.personas import SegmentRules
    >>> customers = pd.DataFrame({"recency": np.arange(100), "town": ["Rome", "Oslo"] * 50})
    >>> labels = np.where(customers["recency"] > 59, "lapsed", "active")
    >>> rules = SegmentRules().fit(customers, labels)
    >>> [rule.text for rule in rules.rules_]
    ['recency <= 59', 'recency > 59']
    >>> print(rules.to_sql("customers", with_names=True))
    SELECT *, CASE
        WHEN "recency" <= 59 THEN 'active'
        WHEN "recency" > 59 AND "recency" <= 1.7976931348623157E308 THEN 'lapsed'
        ELSE 'not assigned'
    END AS "segment"
    FROM "customers"
    """

    # a rule names text as the table has it, and so does its SQL
    _interprets: ClassVar[bool] = False

    def __init__(
        self, *, customer_id: str | None = "customer_id", segment: str = "segment", min_group_size: int = 10
    ) -> None:
        self.customer_id = customer_id
        self.segment = segment
        self.min_group_size = min_group_size

    def fit(self, X: Any, y: Any = None) -> Self:
        """Search the rules, and measure them on customers of whom they were not made.

        Parameters
        ----------
        X : Segmentation, DataFrame of shape (n_customers, n_columns), path, or numeric matrix
            A segmentation; or one row per customer, in original units. The labels are then its column ``segment``, or
            ``y``; a matrix needs ``y``, and its columns are called x0, x1, ...
        y : array-like or Series of shape (n_customers,), default=None
            The labels, where ``X`` has no column of them: whole numbers, text, bools or categories; -1, "not assigned"
            and missing values for customers in no segment. A pandas Series is aligned by customer id wherever both
            bear ids. The whole numbers 0..k-1 are segments by position; any other labels are names, in sorted order.

        Returns
        -------
        self : SegmentRules
            The fitted estimator.

        Raises
        ------
        SegmentLabelError
            If the labels cannot be used, as for :class:`PersonaDescriber`.
        ColumnTypeError
            If a column is neither numbers, bools, text nor categories, such as a time.
        InvalidTableError
            If no column differs between customers.
        InfeasibleError
            If fewer than two segments have ``min_group_size`` customers, or no rule can be found for any of them.
        """
        self._check_parameters()
        given = self._labelled(X, y)
        candidates = Candidates(given.table.take(np.arange(min(_MOST_SEARCHED, len(given.labels)))), self.min_group_size)
        rows = [
            self._row(given, segment, _measured(given, candidates, place))
            for place, segment in enumerate(given.segments.tolist())
        ]
        missing = sorted(set(range(len(self.segment_names_))) - set(given.segments.tolist()))
        rows += [(segment, None, None) for segment in missing]
        self._figures = {segment: figures for segment, _, figures in rows}
        self.rules_ = tuple(rule for _, rule, _ in sorted(rows, key=lambda row: row[0]) if rule is not None)
        if not self.rules_:
            raise InfeasibleError(
                f"{asked()}: no condition is met by {self.min_group_size} customers of a segment that sets it apart "
                f"(min_group_size={self.min_group_size}). Pass more customers, or columns in which segments differ."
            )
        self._labels_of_rules = [segment for segment, rule, _ in sorted(rows, key=lambda row: row[0]) if rule]
        self._domains = find_domains(self.rules_, given.table)
        return self

    def _row(self, given: Labelled, segment: int, measured: _Measured | None) -> tuple[int, Rule | None, Any]:
        """Put the rule and the figures of a segment together."""
        n_customers = int(np.count_nonzero(given.segments[given.labels] == segment))
        if measured is None:
            return segment, None, (n_customers, {})
        rule = Rule(name=given.names[segment], alternatives=(measured.conditions,))
        return segment, rule, (n_customers, measured.figures(self.min_group_size))

    @property
    def _tried_in(self) -> list[int]:
        """The places of the rules in the order in which they are tried: the most precise first."""
        precision = [self._figures[label][1]["precision"] for label in self._labels_of_rules]
        sizes = [self._figures[label][0] for label in self._labels_of_rules]
        keys = [(-np.nan_to_num(share, nan=-1.0), -size, rule.text) for share, size, rule in zip(precision, sizes, self.rules_, strict=True)]
        return sorted(range(len(keys)), key=keys.__getitem__)

    def meets(self, X: Any) -> Bools:
        """Say which customers meet the rule of each segment.

        Parameters
        ----------
        X : DataFrame, path, or array-like of shape (n_customers, n_columns)
            Customers; of a table the columns that rules name must be there, and no other is looked at.

        Returns
        -------
        ndarray of shape (n_customers, n_segments), of bool
            Column = label; nobody meets the rule of a segment that has none.

        Raises
        ------
        ColumnNotFoundError
            If a column is missing that a rule names.
        ColumnChangeError
            If it is of another kind than in ``fit``.

        Warns
        -----
        UnseenCategoryWarning
            Levels of an ordered category that were not there in ``fit`` count as missing.
        """
        check_is_fitted(self)
        table = self._by_columns(X, sorted(self._domains))
        unseen = unseen_levels(table, self._domains)
        if any(unseen.values()):
            warn(UnseenCategoryWarning.of(unseen))
        met = np.zeros((table.n_customers, len(self.segment_names_)), dtype=bool)
        for label, rule in zip(self._labels_of_rules, self.rules_, strict=True):
            met[:, label] = matches(rule, table, self._domains)
        return met

    def predict(self, X: Any) -> Integers:
        """Return the segment whose rule each customer meets; of several the most precise one.

        Parameters
        ----------
        X : DataFrame, path, or array-like of shape (n_customers, n_columns)
            As in :meth:`meets`.

        Returns
        -------
        ndarray of shape (n_customers,)
            The labels; -1 for who meets no rule.

        Raises
        ------
        ColumnNotFoundError
            If a column is missing that a rule names.
        ColumnChangeError
            If it is of another kind than in ``fit``.
        """
        met = self.meets(X)
        labels = [self._labels_of_rules[place] for place in self._tried_in]
        return np.array([*labels, NOT_ASSIGNED])[first_match((met[:, label] for label in labels), len(met), len(labels))]

    def to_sql(
        self,
        table: str | Sequence[str] | None = None,
        *,
        with_names: bool = False,
        quote: Literal['"', "`"] = '"',
    ) -> str:
        """Write the rules as SQL that gives every customer the segment that ``predict`` gives.

        Parameters
        ----------
        table : str or sequence of str, optional
            The table of customers, one name or several (``("sales", "customers")``), for a whole query with the column
            ``segment``; None gives the CASE expression alone.
        with_names : bool, default=False
            Whether the result is the name of the segment, "not assigned" for customers in none, instead of its number.
        quote : {'"', "`"}, default='"'
            The quote around columns and tables: standard SQL, or MySQL, BigQuery and Spark, whose text is then escaped
            by backslashes.

        Returns
        -------
        str
            The expression or the query, as :meth:`custseg.segmentation.RuleSegmenter.to_sql` writes it.

        Raises
        ------
        InvalidParameterError
            If ``table`` is no name, ``quote`` is another one, or ``with_names`` is asked for where a segment is called
            "not assigned".
        """
        check_is_fitted(self)
        if with_names and NOT_ASSIGNED_WORDS in self.segment_names_:
            words = f"False where a segment is called {NOT_ASSIGNED_WORDS!r}, which stands for no rule (or rename it)"
            raise InvalidParameterError.not_allowed("with_names", words, with_names)
        labels = [self._labels_of_rules[place] for place in self._tried_in]
        results: list[int | str] = [self.segment_names_[label] if with_names else label for label in labels]
        rules = [self.rules_[place] for place in self._tried_in]
        others = NOT_ASSIGNED_WORDS if with_names else NOT_ASSIGNED
        return write_query(rules, self._domains, [*results, others], table=table, quote=quote)

    def to_frame(self) -> pd.DataFrame:
        """Return the rules with what they are worth, one row per segment.

        Returns
        -------
        pandas.DataFrame
            ``segment``, ``name``, ``rule`` (missing where there is none), ``n_conditions``, ``n_customers`` of whom
            figures tell; cross-fitted ``precision`` (of those who meet the rule, the share in the segment), ``recall``
            (of the segment, the share that meets it) and ``coverage`` (of all customers), each with ``_low`` and
            ``_high``, NaN where too few stand behind it; ``weak``, and why in ``note``.
        """
        check_is_fitted(self)
        rules = dict(zip(self._labels_of_rules, self.rules_, strict=True))
        rows = []
        for label, name in enumerate(self.segment_names_):
            figures, rule = self._figures[label], rules.get(label)
            n_customers, shares = figures or (None, {})
            row = {"segment": label, "name": name, "n_customers": n_customers, **shares}
            if rule is not None:
                row |= {"rule": rule.text, "n_conditions": len(rule.conditions)}
            note = _note(rule, shares, n_customers)
            rows.append(row | {"weak": bool(note), "note": note})
        frame = pd.DataFrame(rows, columns=list(_COLUMNS))
        kinds = {"rule": "str", "name": "str", "note": "str", "n_conditions": "Int64", "n_customers": "Int64"}
        return frame.astype(kinds | {column: "float64" for column in _COLUMNS if column.startswith(_SHARES)})

    def to_text(self) -> str:
        """Return the rules in lines of text, with what they are worth.

        Returns
        -------
        str
            Two lines for each segment.
        """
        lines = []
        for row in self.to_frame().to_dict("records"):
            if row["n_conditions"] is pd.NA:
                lines.append(f"{row['name']}: {row['note']}.")
                continue
            weak = f" Weak: {row['note']}." if row["weak"] else ""
            lines += [
                f"{row['name']}: {row['rule']}",
                f"    Of those who meet it {_written(row, 'precision')} are in the segment; {_written(row, 'recall')} of "
                f"the segment and {_written(row, 'coverage')} of all customers meet it.{weak}",
            ]
        return "\n".join(map(visible, lines))


@dataclass(frozen=True)
class _Measured:
    """The rule of a segment, and how many customers rules like it were right for in the parts that they never saw."""

    conditions: tuple[Condition, ...]
    n_both: int
    n_met: int
    n_segment: int
    n_customers: int

    def figures(self, least: int) -> dict[str, float]:
        """Return precision, recall and coverage with their intervals; NaN where too few customers stand behind them."""
        both, n_met, n_segment, n_all = self.n_both, self.n_met, self.n_segment, self.n_customers
        yes = np.array([both, n_segment - both], dtype=np.float64)[:, None]
        precision = told_shares(yes, np.array([n_met, n_all - n_met]), least, is_yes=True)[0, 0]
        yes = np.array([both, n_met - both], dtype=np.float64)[:, None]
        recall = told_shares(yes, np.array([n_segment, n_all - n_segment]), least, is_yes=True)[0, 0]
        coverage = min(n_met, n_all - n_met) >= least
        parts = np.array([[both, n_met, precision], [both, n_segment, recall], [n_met, n_all, coverage]], dtype=float)
        with np.errstate(divide="ignore", invalid="ignore"):
            shares: Floats = np.where(parts[:, 2] > 0, parts[:, 0] / parts[:, 1], np.nan)
        low, high = wilson_interval(shares, np.maximum(parts[:, 1], 1.0))
        named = zip(_SHARES, shares.tolist(), low.tolist(), high.tolist(), strict=True)
        return {name + end: figure for name, *ends in named for end, figure in zip(("", "_low", "_high"), ends, strict=True)}


def _measured(given: Labelled, candidates: Candidates, place: int) -> _Measured | None:
    """Search the rule of a segment on all customers, and on all parts but one to measure it on that one."""
    positive = given.labels == place
    searched = np.arange(len(positive)) < candidates.table.n_customers
    final = _searched(candidates, positive[searched], np.ones(candidates.table.n_customers, dtype=bool))
    if final is None:
        return None
    met = np.zeros(len(positive), dtype=bool)
    for fold in range(N_FOLDS):
        own = given.folds == fold
        found = _searched(candidates, positive[searched], ~own[searched])
        if found is not None:
            rule = Rule(name="rule", alternatives=(found,))
            met[own] = matches(rule, given.table.take(own), candidates.domains)
    n_both = int(np.count_nonzero(met & positive))
    return _Measured(final, n_both, int(met.sum()), int(positive.sum()), len(positive))


def _searched(candidates: Candidates, positive: Bools, rows: Bools) -> tuple[Condition, ...] | None:
    """Search the best rule for a segment among the customers in ``rows``."""
    lists = list(level_sets(candidates, positive, rows))
    conditions = [*candidates.conditions, *(condition for condition, _ in lists)]
    met = np.column_stack([candidates.met, *(own for _, own in lists)])
    found = best_conjunction(met[rows], positive[rows], candidates.least)
    return None if found is None else tuple(conditions[place] for place in found.places)


def _note(rule: Rule | None, shares: dict[str, float], n_customers: int | None) -> str:
    """Say what is weak about a rule."""
    if n_customers is None:
        return "no rule, since it has too few customers to be told of"
    if rule is None:
        return "no rule, since nothing sets enough of its customers apart"
    found = []
    if not shares["precision_low"] >= WEAK_PRECISION:
        found.append("it may be wrong as often as right")
    if not shares["recall_low"] >= WEAK_RECALL:
        found.append("it may miss three of four")
    return " and ".join(found)


def _written(row: dict[str, Any], share: str) -> str:
    if np.isnan(row[share]):
        return "a share that rests on too few to be told"
    return f"{format_share(row[share])} ({format_share(row[f'{share}_low'])} to {format_share(row[f'{share}_high'])})"

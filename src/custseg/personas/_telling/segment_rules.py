"""The estimator: for each segment the short rule that best says who is in it, and what it is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from custseg.personas._intervals import cross_fitted_interval
from custseg.personas._telling.conditions import Candidates, level_sets
from custseg.personas._telling.labelled import N_FOLDS, Labelled, LabelledEstimator, drawn_from
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
_SHARES, _ENDS = ("precision", "recall", "coverage"), ("", "_low", "_high")
_COLUMNS = (
    *("segment", "name", "rule", "n_conditions", "n_customers"),
    *(f"{share}{end}" for share in _SHARES for end in _ENDS),
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
        The columns of which nothing is asked, and why: they are the same for everyone, not known of anyone, or numbers
        of 2**53 or more, as ids are.
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
    Among all conjunctions of these the search is exact, by branch and bound; of more than 400 conditions among those
    400 that have the highest weighted relative accuracy, and where it takes too long the best so far is taken. Of more
    than 20,000 customers it is searched on 20,000, drawn by what they hold, and measured on all.

    **Weak rules** are flagged: those of which the lower end of the interval of precision is below .5, or that of recall
    below .25. Not every segment has a short description; one that lies between others has none. The intervals, at 95%,
    are Wilson's, widened by how much the rules of the five parts differ in the figure: the search is part of what
    chance decides.

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
    >>> labels = np.where(customers["recency"] > 60, "lapsed", "active")
    >>> rules = SegmentRules().fit(customers, labels)
    >>> [rule.text for rule in rules.rules_]
    ['recency <= 60', 'recency > 60']
    >>> print(rules.to_sql("customers", with_names=True))
    SELECT *, CASE
        WHEN "recency" <= 60 THEN 'active'
        WHEN "recency" > 60 AND "recency" <= 1.7976931348623157E308 THEN 'lapsed'
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
        searched = drawn_from(given.labels, _MOST_SEARCHED)
        candidates = Candidates(given.table.take(searched), self.min_group_size)
        found = {
            label: _measured(given, candidates, searched, place) for place, label in enumerate(given.segments.tolist())
        }
        sizes = np.bincount(given.labels).tolist()
        self._n_told = dict(zip(given.segments.tolist(), sizes, strict=True))
        rules = {label: each for label, each in sorted(found.items()) if each is not None}
        self._figures = {label: each.figures(self.min_group_size) for label, each in rules.items()}
        self.rules_ = tuple(
            Rule(name=given.names[label], alternatives=(each.conditions,)) for label, each in rules.items()
        )
        if not self.rules_:
            raise InfeasibleError(
                f"{asked()}: no condition is met by {self.min_group_size} customers of a segment that sets it apart "
                f"(min_group_size={self.min_group_size}). Pass more customers, or columns in which segments differ."
            )
        self._domains = find_domains(self.rules_, given.table)
        return self

    @property
    def _tried(self) -> list[tuple[int, Rule]]:
        """Labels and rules in the order in which they are tried: the most precise first."""
        labels = list(self._figures)

        def key(place: int) -> tuple[float, int, str]:
            label = labels[place]
            precision = float(np.nan_to_num(self._figures[label]["precision"], nan=-1.0))
            return -precision, -self._n_told[label], self.rules_[place].text

        return [(labels[place], self.rules_[place]) for place in sorted(range(len(labels)), key=key)]

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
        for label, rule in zip(self._figures, self.rules_, strict=True):
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
        labels = [label for label, _ in self._tried]
        return np.array([*labels, NOT_ASSIGNED])[
            first_match((met[:, label] for label in labels), len(met), len(labels))
        ]

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
        results: list[int | str] = [rule.name if with_names else label for label, rule in self._tried]
        results.append(NOT_ASSIGNED_WORDS if with_names else NOT_ASSIGNED)
        return write_query([rule for _, rule in self._tried], self._domains, results, table=table, quote=quote)

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
        rules = dict(zip(self._figures, self.rules_, strict=True))
        rows = []
        for label, name in enumerate(self.segment_names_):
            n_customers, shares, rule = self._n_told.get(label), self._figures.get(label, {}), rules.get(label)
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
            precision, recall, coverage = (_written(row, share) for share in _SHARES)
            weak = f" Weak: {row['note']}." if row["weak"] else ""
            lines.append(f"{row['name']}: {row['rule']}")
            lines.append(
                f"    Of those who meet it {precision} are in the segment; {recall} of the segment meet it, and "
                f"{coverage} of all customers.{weak}"
            )
        return "\n".join(map(visible, lines))


@dataclass(frozen=True)
class _Measured:
    """The rule of a segment, and how many customers rules like it were right for in the parts that they never saw.

    ``spread`` are the standard deviations of precision, recall and coverage between these rules, on all customers.
    """

    conditions: tuple[Condition, ...]
    n_both: int
    n_met: int
    n_segment: int
    n_customers: int
    spread: Floats

    def figures(self, least: int) -> dict[str, float]:
        """Return precision, recall and coverage with their intervals; NaN where too few customers stand behind them."""
        both, n_met, n_segment, n_all = self.n_both, self.n_met, self.n_segment, self.n_customers
        told = [
            _is_told(both, n_met, n_segment - both, n_all - n_met, least),
            _is_told(both, n_segment, n_met - both, n_all - n_segment, least),
            min(n_met, n_all - n_met) >= least,
        ]
        counts = np.array([max(n_met, 1), n_segment, n_all], dtype=np.float64)
        shares = np.where(told, np.array([both, both, n_met]) / counts, np.nan)
        low, high = cross_fitted_interval(shares, counts, self.spread)
        figures = zip(_SHARES, shares.tolist(), low.tolist(), high.tolist(), strict=True)
        return {name + end: value for name, *own in figures for end, value in zip(_ENDS, own, strict=True)}


def _is_told(both: int, n_here: int, elsewhere: int, n_elsewhere: int, least: int) -> bool:
    """Say whether enough customers stand behind a share here, beside that of everyone else."""
    yes = np.array([[both], [elsewhere]], dtype=np.float64)
    return bool(told_shares(yes, np.array([n_here, n_elsewhere]), least, is_yes=True)[0, 0])


def _measured(given: Labelled, candidates: Candidates, searched: Bools, place: int) -> _Measured | None:
    """Search the rule of a segment on all customers, and on all parts but one to measure it on that one."""
    positive = given.labels == place
    own, folds = positive[searched], given.folds[searched]
    final = _searched(candidates, own, np.ones(len(own), dtype=bool))
    if final is None:
        return None
    met = np.zeros((N_FOLDS, len(positive)), dtype=bool)
    for fold in range(N_FOLDS):
        found = _searched(candidates, own, folds != fold)
        if found is not None:
            met[fold] = matches(Rule(name="rule", alternatives=(found,)), given.table, candidates.domains)
    n_met, n_both = met.sum(axis=1), (met & positive).sum(axis=1)
    shares = np.array([n_both / np.maximum(n_met, 1), n_both / positive.sum(), n_met / len(positive)])
    unseen = met[given.folds, np.arange(len(positive))]
    return _Measured(
        conditions=final,
        n_both=int(np.count_nonzero(unseen & positive)),
        n_met=int(unseen.sum()),
        n_segment=int(positive.sum()),
        n_customers=len(positive),
        spread=shares.std(axis=1, ddof=1),
    )


def _searched(candidates: Candidates, positive: Bools, rows: Bools) -> tuple[Condition, ...] | None:
    """Search the best rule for a segment among the customers in ``rows``."""
    lists = list(level_sets(candidates, positive, rows))
    conditions = [*candidates.conditions, *(condition for condition, _ in lists)]
    met = np.column_stack([candidates.met, *(own for _, own in lists)])
    found = best_conjunction(met[rows], positive[rows], candidates.least)
    return None if found is None else tuple(conditions[place] for place in found)


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


def _written(row: Mapping[Any, Any], share: str) -> str:
    if np.isnan(row[share]):
        return "a share that rests on too few to be told"
    return f"{format_share(row[share])} ({format_share(row[f'{share}_low'])} to {format_share(row[f'{share}_high'])})"

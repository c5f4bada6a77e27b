"""Segments by precisely defined criteria: ordered rules over the columns of the customer table."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from custseg._core.arrays import Integers
from custseg._core.asking import asked, asking
from custseg._core.customers import CustomerTable
from custseg._core.ids import ID_OR_ROWS
from custseg._core.params import NONE, Instance, ParameterTable, Where
from custseg._core.segments import NOT_ASSIGNED, NOT_ASSIGNED_WORDS
from custseg._core.warning import warn
from custseg.exceptions import (
    InvalidParameterError,
    UnseenCategoryWarning,
    list_names,
)
from custseg.segmentation._base.segmenter import DEFAULT_ID, Segmenter
from custseg.segmentation._rules.columns import Domain, find_domains, first_match, matches, unseen_levels
from custseg.segmentation._rules.grid import Grid
from custseg.segmentation._rules.report import RuleReport, refuse_impossible, report_rules
from custseg.segmentation._rules.rules import Rule, read_rules
from custseg.segmentation._rules.sql import write_query

__all__ = ["RuleDefinedSegmenter", "RuleSegmenter"]


class RuleDefinedSegmenter(Segmenter):
    """Base of segmenters whose segments are rules: the label is the position of the first rule that is met.

    A subclass sets ``rules_`` (over the columns of the table) and ``otherwise_`` in ``fit``, and hands
    the table over to ``_apply``.
    """

    defined_by_rules = True

    rules_: tuple[Rule, ...]
    otherwise_: str | None
    rule_report_: RuleReport
    clustered_on_: list[str]
    n_not_assigned_: int

    # a rule names text as the table has it, and so does its SQL
    _interprets: ClassVar[bool] = False

    def __sklearn_tags__(self) -> Any:
        """Say that missing values are fine: they meet no condition."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    @property
    def segment_names_(self) -> list[str]:
        """The names of the rules, and of the segment of everyone else; the position is the label."""
        check_is_fitted(self)
        return [rule.name for rule in self.rules_] + ([] if self.otherwise_ is None else [self.otherwise_])

    @abstractmethod
    def fit(self, X: Any, y: Any = None, sample_weight: npt.ArrayLike | None = None) -> Self:
        """Check the rules against the customers, and assign them."""

    def predict(self, X: Any) -> Integers:
        """Assign customers to the first rule that they meet.

        Parameters
        ----------
        X : DataFrame, path, or array-like of shape (n_customers, n_characteristics)
            The characteristics of ``fit``; those of a dataframe in any order.

        Returns
        -------
        ndarray of shape (n_customers,)
            The segment of each customer; -1 for one who meets no rule, unless there is a segment for
            everyone else.

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

        Warns
        -----
        UnseenCategoryWarning
            Levels of an ordered category that were not there in ``fit`` count as missing.
        """
        table = self._read(X, fitting=False, customer_id=self._customer_id())
        unseen = unseen_levels(table, self._domains)
        if any(unseen.values()):
            warn(UnseenCategoryWarning.of(unseen))
        each = (matches(rule, table, self._domains) for rule in self.rules_)
        return first_match(each, table.n_customers, self._label_of_others())

    def to_sql(
        self,
        table: str | Sequence[str] | None = None,
        *,
        with_names: bool = False,
        quote: Literal['"', "`"] = '"',
    ) -> str:
        r"""Write the rules as SQL.

        Parameters
        ----------
        table : str or sequence of str, optional
            The table of customers, one name or several (``("sales", "customers")``), for a whole query
            with the column ``segment``; None gives the CASE expression alone.
        with_names : bool, default=False
            Whether the result is the name of the segment, ``"not assigned"`` for customers in none,
            instead of its number.
        quote : {'"', "`"}, default='"'
            The quote around columns and tables: standard SQL, or MySQL, BigQuery and Spark, whose text
            is then escaped by backslashes.

        Returns
        -------
        str
            The expression or the query.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        InvalidParameterError
            If ``table`` is no name, ``quote`` is another one, or ``with_names`` is asked for where a rule is
            named "not assigned".

        Notes
        -----
        It gives every customer the segment that ``predict`` gives. NULL and NaN meet no condition, in
        databases too that hold NaN for the largest number. Infinite values, which ``predict`` refuses,
        are compared by the database; plus infinity meets no condition without an upper bound. Text is
        compared as the database compares it: some ignore case. A number that equals one of a rule but for
        rounding (1e-11 of it) meets it; the SQL has that room where a customer of ``fit`` needed it.

        Examples
        --------
        >>> import pandas as pd
        >>> from custseg.segmentation import RuleSegmenter
        >>> customers = pd.DataFrame({"recency": [5, 80], "town": ["Paris", "L'Aquila"]})
        >>> segmenter = RuleSegmenter({"Active": "recency <= 30", "Rest": "town != 'Paris'"}).fit(customers)
        >>> print(segmenter.to_sql("customers"))
        SELECT *, CASE
            WHEN "recency" <= 30 THEN 0
            WHEN "town" <> 'Paris' THEN 1
            ELSE -1
        END AS "segment"
        FROM "customers"
        """
        check_is_fitted(self)
        with asking(f"{asked()}.to_sql"):
            if with_names and self.otherwise_ is None and NOT_ASSIGNED_WORDS in self.segment_names_:
                words = f"False where a rule is named {NOT_ASSIGNED_WORDS!r}, which stands for no rule (or rename it)"
                raise InvalidParameterError.not_allowed("with_names", words, with_names)
            results: list[int | str] = [*self.segment_names_] if with_names else [*range(self.n_segments_)]
            if self.otherwise_ is None:
                results.append(NOT_ASSIGNED_WORDS if with_names else NOT_ASSIGNED)
            return write_query(self.rules_, self._domains, results, table=table, quote=quote)

    def _apply(
        self, table: CustomerTable, domains: dict[str, Domain], described: Sequence[Rule] | None, grid: Grid
    ) -> None:
        """Assign the customers of ``fit`` and report; ``described`` are the rules as the report words them."""
        self._domains = domains
        self.clustered_on_ = [name for name in table.names if name in domains]
        self.n_segments_ = len(self.segment_names_)
        met = np.array([matches(rule, table, domains) for rule in self.rules_])
        self.labels_ = first_match(met, table.n_customers, self._label_of_others())
        self.segment_sizes_ = np.bincount(self.labels_[self.labels_ >= 0], minlength=self.n_segments_)
        self.n_not_assigned_ = int(np.count_nonzero(self.labels_ == NOT_ASSIGNED))
        used = table.select(self.clustered_on_)
        self.rule_report_ = report_rules(
            described or self.rules_, grid, met, labels=self.labels_, table=used, otherwise=self.otherwise_
        )

    def _label_of_others(self) -> int:
        return NOT_ASSIGNED if self.otherwise_ is None else len(self.rules_)


def _are_rules(value: Any) -> bool:
    return isinstance(value, (Mapping, pd.DataFrame)) or (isinstance(value, Sequence) and not isinstance(value, str))


class RuleSegmenter(RuleDefinedSegmenter):
    """Put customers into segments by rules that say exactly who belongs.

    A rule is a name and conditions over columns; the first rule that a customer meets decides.
    Whether the rules leave anyone out, overlap or hide one another is worked out on all customers
    there could be, and told in ``rule_report_``.

    Parameters
    ----------
    rules : mapping, DataFrame or sequence
        Names and conditions, in the order in which they are tried: ``{name: conditions}``, a table with
        the columns ``segment`` and ``rule``, or a list of pairs ``(name, conditions)`` or of
        dictionaries with these two keys, such as :attr:`rules_` gives for JSON. Conditions are text::

            recency <= 30 and frequency >= 5
            30 < recency <= 90 and region in ['North', 'East'] or member == true

        with the operators ``==``, ``!=``, ``<``, ``<=``, ``>``, ``>=``, ``in`` and ``not in``;
        ``and`` binds closer than ``or``. Text goes in quotes, and a column whose name is no plain
        word in backquotes: ```net spend```. A list of ``(column, operator, value)``, all of which
        must be met, is understood as well.
    customer_id : str or None, default="customer_id"
        The column that identifies the customers, where it is not the index of a pandas DataFrame. None where
        each row is a customer and every column a characteristic.
    otherwise : str, optional
        The name of a last segment for everyone who meets no rule, those with missing values included.
        By default they are not assigned.

    Attributes
    ----------
    labels_ : ndarray of shape (n_customers,)
        The segment of each customer of ``fit``: the position of the rule, whatever its size; -1 for
        customers who are not assigned. Equal to ``predict`` of them.
    n_segments_ : int
        The number of segments: rules, and the one for everyone else. Some may be empty.
    segment_names_ : list of str
        The names of the rules; the position is the label.
    segment_sizes_ : ndarray of shape (n_segments,)
        The number of customers in each segment.
    n_not_assigned_ : int
        The number of customers in none.
    rules_ : tuple of Rule
        The rules as read: ``name``, ``text`` and ``to_dict()``.
    otherwise_ : str or None
        As given.
    rule_report_ : RuleReport
        Counts, gaps with an example, overlaps, and rules that are never reached.
    clustered_on_ : list of str
        The columns that rules name; all others are kept, and describe.
    n_features_in_ : int
        The number of columns.
    feature_names_in_ : ndarray of shape (n_features,)
        Their names, where ``fit`` got a dataframe.

    See Also
    --------
    RFMSegmenter : Rules over recency, frequency and monetary value that are ready to use.
    SegmentClusterer : Finds segments instead of defining them.

    Notes
    -----
    **Missing values** meet no condition, ``!=`` and ``not in`` included, as in SQL. Numbers compare by
    value, ordered categories by their order, text only for equality. A level of an ordered category
    that was not there in ``fit`` counts as missing, with a warning. Text and unordered categories have
    no closed set of values: a town that is new after ``fit``, a misspelled one included, is compared as it
    stands and meets ``town != 'Paris'``. Where a value out of a known list must not, make the column an
    ordered category, or write ``in`` and the list. **Sample weights** change nothing but are checked:
    a rule does not depend on the customers.

    A rule that contradicts itself and two rules with the same conditions are errors; a rule that is
    never reached, and text that no customer has, are warnings. Coverage is decided on the cut points
    and levels named by the rules; a column stored as integers has whole numbers only.

    Do not write rules to find out which segments there are: they return what was put in.

    Examples
    --------
    >>> import pandas as pd
    >>> from custseg.segmentation import RuleSegmenter
    >>> customers = pd.DataFrame(
    ...     {"recency": [5, 20, 80, 200], "frequency": [9, 1, 7, 1]},
    ...     index=pd.Index([11, 12, 13, 14], name="customer_id"),
    ... )
    >>> segmenter = RuleSegmenter({
    ...     "Loyal": "recency <= 30 and frequency >= 5",
    ...     "At risk": "recency > 30 and frequency >= 5",
    ...     "New": "recency <= 30",
    ... }).fit(customers)
    >>> segmenter.labels_
    array([ 0,  2,  1, -1])
    >>> print(segmenter.rule_report_.to_text())
    0  Loyal: recency <= 30 and frequency >= 5 - 1 customers
    1  At risk: recency > 30 and frequency >= 5 - 1 customers
    2  New: recency <= 30 - 1 customers
    No rule covers 1 of 9 cells: frequency < 5 and recency > 30.
    1 customers meet no rule, 0 of them lack a value that the rules ask for.
    Overlaps, the earlier rule decides: Loyal before New.
    """

    _parameters: ClassVar[ParameterTable] = {
        "rules": (Where(_are_rules, "rules by name: a mapping, a table or a list"),),
        "otherwise": (NONE, Instance(str, words="a name (text)")),
        "customer_id": ID_OR_ROWS,
    }

    def __init__(
        self,
        rules: Mapping[str, Any] | Iterable[Any] | pd.DataFrame,
        *,
        customer_id: str | None = DEFAULT_ID,
        otherwise: str | None = None,
    ) -> None:
        self.rules = rules
        self.customer_id = customer_id
        self.otherwise = otherwise

    def fit(self, X: Any, y: Any = None, sample_weight: npt.ArrayLike | None = None) -> Self:
        """Check the rules against the customers, and assign them.

        Parameters
        ----------
        X : DataFrame, path, or array-like of shape (n_customers, n_characteristics)
            One row per customer. A matrix holds numeric characteristics ``x0``, ``x1``, ...
        y : None
            Ignored.
        sample_weight : array-like of shape (n_customers,), optional
            Checked and not used.

        Returns
        -------
        self : RuleSegmenter
            The fitted segmenter.

        Raises
        ------
        InvalidParameterError
            If a rule cannot be read, contradicts itself, repeats another one or names an unknown level.
        InvalidTableError
            If a rule names a column that is not there or compares it with what it does not hold, or
            the table cannot be used: infinite values, a column ``segment``.
        """
        self._check_parameters()
        rules = read_rules(self.rules)
        if self.otherwise in [rule.name for rule in rules]:
            raise InvalidParameterError.not_allowed("otherwise", "a name that no rule has", self.otherwise)
        table, _ = self._read_in_fit(X, sample_weight)
        domains = find_domains(rules, table)
        grid = Grid.over(rules, domains)
        refuse_impossible(rules, grid)
        self.rules_, self.otherwise_ = rules, self.otherwise
        self._apply(table, domains, None, grid)
        if hidden := self.rule_report_.never_reached:
            warn(
                f"rules that no customer can reach, since earlier ones take them all: {list_names(hidden)}. "
                "Move them up, or drop them."
            )
        return self

"""One rule tied to the columns of a table: who meets it, and which of its conditions leaves whom out."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd

from custseg._core.arrays import Bools
from custseg._core.asking import asking
from custseg._core.customers import CustomerTable, read_customers
from custseg._core.params import OneOf, check
from custseg._core.warning import warn
from custseg.exceptions import ColumnNotFoundError, UnseenCategoryWarning
from custseg.segmentation._base.segmenter import DEFAULT_ID
from custseg.segmentation._rules.columns import find_domains, matches, unseen_levels
from custseg.segmentation._rules.rules import Rule
from custseg.segmentation._rules.sql import case_expression

__all__ = ["RuleFilter"]


class RuleFilter:
    """Say which customers meet one rule, and how many each of its conditions leaves out.

    What the columns hold, and the order of their levels, is learnt from the customers at hand, so that later
    customers are judged alike. A missing value meets no condition, as in :class:`RuleSegmenter`.

    Parameters
    ----------
    rule : Rule
        The rule.
    customers : DataFrame or path
        One row per customer.
    customer_id : str or None, default="customer_id"
        The column that identifies the customers, where it is not the index of a pandas DataFrame. None where
        each row is a customer and every column a characteristic.

    Raises
    ------
    InvalidTableError
        If the rule names a column that is not there, or compares it with what it does not hold.
    InvalidParameterError
        If the rule names a level or a text that no customer has.

    See Also
    --------
    RuleSegmenter : Several rules, the first of which decides.

    Examples
    --------
    >>> import pandas as pd
    >>> from custseg.segmentation import Rule, RuleFilter
    >>> customers = pd.DataFrame({"orders": [1, 5, 9], "country": ["FR", "DE", "IT"]})
    >>> active = RuleFilter(Rule.read("orders >= 2 and country in ['FR', 'DE']"), customers)
    >>> active.matches(customers)
    array([False,  True, False])
    >>> active.report(customers)
                      condition  n_left_out
    0               orders >= 2           1
    1  country in ['FR', 'DE']           1
    """

    @asking("RuleFilter", unless_asked=True)
    def __init__(self, rule: Rule, customers: Any, *, customer_id: str | None = DEFAULT_ID) -> None:
        self.rule = rule
        self.customer_id = customer_id
        self._domains = find_domains([rule], self._read(customers), unknown="refused")

    @asking("RuleFilter", unless_asked=True)
    def matches(self, customers: Any) -> Bools:
        """Say who meets the rule.

        Parameters
        ----------
        customers : DataFrame or path
            One row per customer.

        Returns
        -------
        ndarray of bool, shape (n_customers,)
            True for those who do.

        Warns
        -----
        UnseenCategoryWarning
            Levels of an ordered category that the first customers did not have count as missing.
        """
        table = self._read(customers)
        unseen = unseen_levels(table, self._domains)
        if any(unseen.values()):
            warn(UnseenCategoryWarning.of(unseen))
        return matches(self.rule, table, self._domains)

    @asking("RuleFilter", unless_asked=True)
    def report(self, customers: Any) -> pd.DataFrame:
        """Count whom each condition leaves out.

        Parameters
        ----------
        customers : DataFrame or path
            One row per customer.

        Returns
        -------
        pandas.DataFrame
            Columns ``condition, n_left_out``, one row for each condition that must be met, in their order: of the
            customers who meet those before it, how many do not meet this one. A rule with ``or`` is one condition.
        """
        table = self._read(customers)
        left = np.ones(table.n_customers, dtype=bool)
        rows: list[tuple[str, int]] = []
        for part in self.rule.parts:
            met = matches(part, table, self._domains)
            rows.append((part.text, int(np.count_nonzero(left & ~met))))
            left &= met
        return pd.DataFrame(rows, columns=["condition", "n_left_out"])

    @asking("RuleFilter", unless_asked=True)
    def to_sql(self, *, quote: Literal['"', "`"] = '"') -> str:
        r"""Write the rule as SQL that is 1 for a customer who meets it, and 0 for others.

        Parameters
        ----------
        quote : {'"', "`"}, default='"'
            The quote around columns: standard SQL, or MySQL, BigQuery and Spark, whose text is then escaped by
            backslashes.

        Returns
        -------
        str
            A CASE expression.
        """
        check({"quote": (OneOf('"', "`"),)}, {"quote": quote})
        return case_expression([self.rule], self._domains, [1, 0], quote=quote)

    def _read(self, customers: Any) -> CustomerTable:
        table = customers
        if not isinstance(table, CustomerTable):
            # a rule names text as the table has it, and so does its SQL
            table = read_customers(customers, customer_id=self.customer_id, pairs={})
        named = dict.fromkeys(condition.column for condition in self.rule.conditions)
        missing = [name for name in named if name not in table.names]
        if missing:
            raise ColumnNotFoundError.in_table(missing, table.names)
        return table

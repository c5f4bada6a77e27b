"""What became of the rows of a table: every policy, how many rows it touched, and the remedy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from custseg._core.paths import hidden_files, is_path
from custseg._core.results import Result

LEFT_OUT = "left out"
_HIDDEN = "Rename what is data: names that begin with a dot or an underscore are those of unfinished jobs and copies."


def hidden_policies(table: Any) -> tuple[RowPolicy, ...]:
    """Count the hidden files of a folder, whose rows nobody knows; nothing where there are none."""
    hidden = hidden_files(table) if is_path(table) else []
    words = f"hidden file of the folder (counted in files), such as {hidden[0]!r}" if hidden else ""
    return (RowPolicy(words, "no data: not read", len(hidden), _HIDDEN),) if hidden else ()


@dataclass(frozen=True)
class RowPolicy:
    """What happened to the rows of one kind.

    Attributes
    ----------
    policy : str
        The kind of row.
    action : str
        What was done with them: "left out", or how they were kept.
    n_rows : int
        How many there are.
    remedy : str
        What to do if that is not what is wanted.
    table : str, default=""
        The table of the rows, where a report is about several.
    member : str, default=""
        Who read that table: the name of a member of a union.
    """

    policy: str
    action: str
    n_rows: int
    remedy: str
    table: str = ""
    member: str = ""

    @property
    def where(self) -> str:
        """The policy, after the table that it was applied to."""
        return f"{self.table}: {self.policy}" if self.table else self.policy


@dataclass(frozen=True, kw_only=True, repr=False)
class RowReport(Result):
    """How many rows of a table, or of several, each row policy touched.

    Every row that was left out is counted under one policy, the first that applies to it.

    Attributes
    ----------
    n_rows : int
        Rows of the table; of several tables the rows that were read, once for each member that read them.
    policies : tuple of RowPolicy
        The policies in their order of precedence, those that touched no row included.

    Examples
    --------
    >>> from custseg.characteristics._row_report import RowPolicy, RowReport
    >>> report = RowReport(
    ...     n_rows=10, policies=(RowPolicy("amount is missing", "left out", 2, "Fill it."),)
    ... )
    >>> report.n_left_out
    2
    >>> print(report)
    8 of 10 rows used; left out: 2 (amount is missing: Fill it.).
    """

    n_rows: int
    policies: tuple[RowPolicy, ...]

    @classmethod
    def of_members(cls, reports: Iterable[tuple[str, str, RowReport]]) -> RowReport:
        """Put the reports of several members into one.

        Parameters
        ----------
        reports : iterable of (str, str, RowReport)
            The name of each member, that of the table that it read, and its report.

        Returns
        -------
        RowReport
            All policies, in the order of the members, with their table and member.
        """
        known = list(reports)
        policies = (
            replace(policy, table=table, member=member) for member, table, report in known for policy in report.policies
        )
        return cls(n_rows=sum(report.n_rows for _, _, report in known), policies=tuple(policies))

    @property
    def n_left_out(self) -> int:
        """Rows that no characteristic was computed from."""
        return sum(policy.n_rows for policy in self.policies if policy.action.startswith(LEFT_OUT))

    @property
    def n_used(self) -> int:
        """Rows that the characteristics were computed from."""
        return self.n_rows - self.n_left_out

    def to_frame(self) -> pd.DataFrame:
        """Return the policies as a table.

        Returns
        -------
        frame : pandas.DataFrame
            Columns ``policy``, ``action``, ``n_rows``, ``remedy``, after ``table`` and ``member`` where the
            report is about several tables; one row per policy.
        """
        columns = ["policy", "action", "n_rows", "remedy"]
        if any(policy.table for policy in self.policies):
            columns = ["table", "member", *columns]
        return pd.DataFrame([[getattr(policy, name) for name in columns] for policy in self.policies], columns=columns)

    def __str__(self) -> str:
        return f"{self.summary}."

    @property
    def summary(self) -> str:
        """What became of the rows, in words that a message can go on after."""
        touched = [policy for policy in self.policies if policy.n_rows]
        left_out = [policy for policy in touched if policy.action.startswith(LEFT_OUT)]
        kept = [policy for policy in touched if not policy.action.startswith(LEFT_OUT)]
        text = f"{self.n_used} of {self.n_rows} rows used"
        if left_out:
            text += "; left out: " + "; ".join(f"{p.n_rows} ({p.where}: {p.remedy})" for p in left_out)
        if kept:
            text += "; noted: " + "; ".join(f"{p.n_rows} ({p.where}: {p.action})" for p in kept)
        return text

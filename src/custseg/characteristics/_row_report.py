"""What became of the rows of a table: every policy, how many rows it touched, and the remedy."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

LEFT_OUT = "left out"


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
    """

    policy: str
    action: str
    n_rows: int
    remedy: str


@dataclass(frozen=True)
class RowReport:
    """How many rows of a table each row policy touched.

    Every row that was left out is counted under one policy, the first that applies to it.

    Attributes
    ----------
    n_rows : int
        Rows of the table.
    policies : tuple of RowPolicy
        The policies in their order of precedence, those that touched no row included.

    Examples
    --------
    >>> from custseg.characteristics._row_report import RowPolicy, RowReport
    >>> report = RowReport(10, (RowPolicy("amount is missing", "left out", 2, "Fill it."),))
    >>> report.n_left_out
    2
    >>> print(report)
    8 of 10 rows used; left out: 2 (amount is missing: Fill it.)
    """

    n_rows: int
    policies: tuple[RowPolicy, ...]

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
            Columns ``policy``, ``action``, ``n_rows``, ``remedy``; one row per policy.
        """
        rows = [(policy.policy, policy.action, policy.n_rows, policy.remedy) for policy in self.policies]
        return pd.DataFrame(rows, columns=["policy", "action", "n_rows", "remedy"])

    def __str__(self) -> str:
        touched = [policy for policy in self.policies if policy.n_rows]
        left_out = [policy for policy in touched if policy.action.startswith(LEFT_OUT)]
        kept = [policy for policy in touched if not policy.action.startswith(LEFT_OUT)]
        text = f"{self.n_used} of {self.n_rows} rows used"
        if left_out:
            text += "; left out: " + "; ".join(f"{p.n_rows} ({p.policy}: {p.remedy})" for p in left_out)
        if kept:
            text += "; noted: " + "; ".join(f"{p.n_rows} ({p.policy}: {p.action})" for p in kept)
        return text

"""The audience: whom the rule of a brief lets in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from custseg._core.arrays import Bools
from custseg._core.asking import asking
from custseg._core.customers import CustomerTable
from custseg.segmentation import Rule, RuleFilter

__all__ = ["Audience"]


@dataclass(frozen=True)
class Audience:
    """Whom a brief looks at, tied to the characteristics of ``fit``; everyone where the brief names no rule."""

    filter: RuleFilter | None

    @classmethod
    @asking("SegmentationBrief.audience")
    def of(cls, rule: Rule | None, table: CustomerTable) -> Self:
        """Tie the rule of a brief to the characteristics of customers."""
        return cls(None if rule is None else RuleFilter(rule, table))

    @asking("SegmentationBrief.audience")
    def admit(self, table: CustomerTable) -> tuple[Bools, pd.DataFrame]:
        """Say who is let in, and how many each condition leaves out (columns ``condition, n_left_out``)."""
        if self.filter is None:
            return np.ones(table.n_customers, dtype=bool), pd.DataFrame({"condition": [], "n_left_out": []})
        return self.filter.matches(table), self.filter.report(table)

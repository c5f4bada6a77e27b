"""What rules do: whom they cover, where they overlap, which are never reached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from custseg._core.asking import asked
from custseg._core.customers import CustomerTable
from custseg._core.results import Result
from custseg.exceptions import InvalidParameterError
from custseg.segmentation._rules.boxes import TooManyPiecesError
from custseg.segmentation._rules.grid import Grid
from custseg.segmentation._rules.rules import Rule

__all__ = ["RuleReport", "refuse_impossible", "report_rules"]

# So many gaps are spelled out; all are counted.
_MOST_GAPS = 20
# ... and so many overlaps, of which the frame has all.
_MOST_PAIRS = 8


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RuleReport(Result):
    """What rules do, on the customers of ``fit`` and on any there could be.

    ``exhaustive``, ``gaps``, ``overlaps`` and ``reached`` are decided exactly on the cut points and
    levels that the rules name, not on the customers seen.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per rule, in their order: ``segment`` (the label), ``name``, ``rule``, ``n_customers``
        (in the segment), ``share`` (of all customers), ``n_meeting`` (who meet the rule, those whom an
        earlier one took included), ``reached``: ``"yes"``, ``"with a missing value"`` (earlier rules
        take everyone of whom all is known), ``"never"``, or ``"not decided"``. A last row stands for
        the segment of everyone else where there is one, with an empty rule.
    overlaps : pandas.DataFrame
        The pairs of rules that one customer can meet: ``first``, ``second`` (names), ``where`` (the
        conditions), ``n_customers`` (who meet both). The earlier rule takes them.
    exhaustive : bool or None
        Whether every customer without missing values meets a rule; None where not decided: rules
        that cut the space into more than 20,000 boxes, or take more than 2 million comparisons of
        boxes, are beyond what is looked at.
    gaps : tuple of str
        Where no rule holds, at most 20 of them, in the words of a rule.
    example : dict or None
        Values of one customer whom no rule covers.
    n_cells, n_uncovered_cells : int
        The number of cells that the cut points and levels make, and how many of them no rule covers
        (-1 where not decided).
    n_unmatched : int
        Customers of ``fit`` who meet no rule.
    n_unmatched_missing : int
        How many of these lack a value that the rules ask for.

    Examples
    --------
    >>> import pandas as pd
    >>> from custseg.segmentation import RuleSegmenter
    >>> customers = pd.DataFrame({"recency": [5, 20, 80, 200], "frequency": [9, 1, 7, 1]})
    >>> segmenter = RuleSegmenter({"Loyal": "frequency >= 5", "New": "recency <= 30"}).fit(customers)
    >>> report = segmenter.rule_report_
    >>> report.exhaustive, report.gaps
    (False, ('frequency < 5 and recency > 30',))
    >>> report.to_frame()[["name", "n_customers", "n_meeting", "reached"]]
        name  n_customers  n_meeting reached
    0  Loyal            2          2     yes
    1    New            1          2     yes
    >>> report.overlaps["where"].tolist()
    ['frequency >= 5 and recency <= 30']
    """

    table: pd.DataFrame
    overlaps: pd.DataFrame
    exhaustive: bool | None
    gaps: tuple[str, ...]
    example: dict[str, Any] | None
    n_cells: int
    n_uncovered_cells: int
    n_unmatched: int
    n_unmatched_missing: int

    @property
    def never_reached(self) -> list[str]:
        """The names of the rules that no customer can reach, since earlier ones take them all."""
        return self.table.loc[self.table["reached"] == "never", "name"].tolist()

    def to_frame(self) -> pd.DataFrame:
        """Return the table of the rules."""
        return self.table

    def __str__(self) -> str:
        n_rules = int((self.table["rule"] != "").sum())
        which = "1 rule puts" if n_rules == 1 else f"{n_rules:,} rules put"
        known = {True: "they cover", False: "they do not cover", None: "it was not decided whether they cover"}
        return (
            f"{which} {int(self.table['n_customers'].sum()):,} customers into {len(self.table):,} segments; "
            f"{known[self.exhaustive]} everyone of whom all is known."
        )

    def to_text(self) -> str:
        """Return all of it in lines of text: every rule, whom they do not cover, where they overlap."""
        lines = []
        for row in self.table.to_dict("records"):
            note = "" if row["reached"] == "yes" else f" [reached: {row['reached']}]"
            words = row["rule"] or "everyone else"
            lines.append(f"{row['segment']}  {row['name']}: {words} - {row['n_customers']:,} customers{note}")
        lines.append(self._coverage())
        if self.n_unmatched:
            lines.append(
                f"{self.n_unmatched:,} customers meet no rule, {self.n_unmatched_missing:,} of them lack a value "
                "that the rules ask for."
            )
        pairs = self.overlaps[["first", "second"]].itertuples(index=False, name=None)
        texts = [f"{first} before {second}" for first, second in pairs]
        if len(texts) > _MOST_PAIRS:
            texts = [*texts[:_MOST_PAIRS], f"{len(texts) - _MOST_PAIRS} more"]
        if texts:
            lines.append(f"Overlaps, the earlier rule decides: {', '.join(texts)}.")
        return "\n".join(lines)

    def _coverage(self) -> str:
        if self.exhaustive is None:
            return "Whether the rules cover everyone was not decided: they cut the customers into too many parts."
        if self.exhaustive:
            return "The rules cover every customer of whom all is known."
        listed = "; ".join(self.gaps)
        return f"No rule covers {self.n_uncovered_cells:,} of {self.n_cells:,} cells: {listed}."


def refuse_impossible(rules: Sequence[Rule], grid: Grid) -> None:
    """Refuse conditions that nobody can meet, and rules that say the same."""
    seen: dict[frozenset[Any], str] = {}
    for rule, boxes in zip(rules, grid.boxes, strict=True):
        for conditions, box in zip(rule.alternatives, boxes, strict=True):
            for axis, cells in zip(grid.axes, box, strict=True):
                if not cells:
                    words = " and ".join(str(part) for part in conditions if part.column == axis.column)
                    raise InvalidParameterError(
                        f"{asked()}: rule {rule.name!r} contradicts itself: nobody can meet {words}. "
                        "Correct the bounds, or join alternatives by 'or'."
                    )
        earlier = seen.setdefault(frozenset(boxes), rule.name)
        if earlier != rule.name:
            raise InvalidParameterError(
                f"{asked()}: rules {earlier!r} and {rule.name!r} have the same conditions. Drop one of them."
            )


def report_rules(
    rules: Sequence[Rule],
    grid: Grid,
    met: npt.NDArray[np.bool_],
    *,
    labels: npt.NDArray[np.int64],
    table: CustomerTable,
    otherwise: str | None,
) -> RuleReport:
    """Report what rules do.

    Parameters
    ----------
    rules : sequence of Rule
        The rules, in their order.
    grid : Grid
        Their boxes.
    met : ndarray of shape (n_rules, n_customers)
        Who meets each rule, whatever comes before it.
    labels : ndarray of shape (n_customers,)
        The segments.
    table : CustomerTable
        The columns that the rules ask for.
    otherwise : str or None
        The name of the segment of everyone else.

    Returns
    -------
    RuleReport
        The report.
    """
    unmatched = ~met.any(axis=0)
    lacking = np.any([column.missing for column in table.columns], axis=0)
    gaps: list[Any] | None
    try:
        gaps = grid.uncovered()
    except TooManyPiecesError:
        gaps = None
    return RuleReport(
        table=_table(rules, grid, met, labels, {} if otherwise is None else {otherwise: _reached_otherwise(gaps)}),
        overlaps=_overlaps(rules, grid, met),
        exhaustive=None if gaps is None else not gaps,
        gaps=tuple(grid.words(box) for box in (gaps or [])[:_MOST_GAPS]),
        example=grid.example(gaps[0]) if gaps else None,
        n_cells=grid.n_cells,
        n_uncovered_cells=-1 if gaps is None else grid.count(gaps),
        n_unmatched=int(unmatched.sum()),
        n_unmatched_missing=int((unmatched & lacking).sum()),
    )


def _table(
    rules: Sequence[Rule],
    grid: Grid,
    met: npt.NDArray[np.bool_],
    labels: npt.NDArray[np.int64],
    others: Mapping[str, str],
) -> pd.DataFrame:
    """Tell of every rule, and of the segment of everyone else, given by its name with how it is reached."""
    names = [*(rule.name for rule in rules), *others]
    sizes = np.bincount(labels[labels >= 0], minlength=len(names))
    n_meeting = [int(row.sum()) for row in met]
    reached = [*(_reached(grid, position) for position in range(len(rules))), *others.values()]
    if others:
        n_meeting.append(int((~met.any(axis=0)).sum()))
    return pd.DataFrame(
        {
            "segment": range(len(names)),
            "name": pd.array(names, dtype="str"),
            "rule": pd.array([rule.text for rule in rules] + [""] * (len(names) - len(rules)), dtype="str"),
            "n_customers": sizes,
            "share": sizes / len(labels),
            "n_meeting": n_meeting,
            "reached": pd.array(reached, dtype="str"),
        }
    )


def _reached(grid: Grid, position: int) -> str:
    try:
        return grid.reached(position)
    except TooManyPiecesError:
        return "not decided"


def _reached_otherwise(gaps: list[Any] | None) -> str:
    # who has nothing but missing values meets no rule
    return "not decided" if gaps is None else "yes" if gaps else "with a missing value"


def _overlaps(rules: Sequence[Rule], grid: Grid, met: npt.NDArray[np.bool_]) -> pd.DataFrame:
    found = [
        (rules[first].name, rules[second].name, grid.words(box), int(np.count_nonzero(met[first] & met[second])))
        for second in range(len(rules))
        for first in range(second)
        if (box := grid.overlap(first, second)) is not None
    ]
    texts = dict.fromkeys(("first", "second", "where"), "str")
    frame = pd.DataFrame(found, columns=["first", "second", "where", "n_customers"])
    return frame.astype({**texts, "n_customers": "int64"})

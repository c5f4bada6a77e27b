"""Whether rules cover everything, overlap, or hide one another: decided on the grid of their own cut points.

Between two neighbouring cut points no rule changes its mind, so finitely many cells stand for all
customers there could ever be. A set of conditions is a box of cells, and boxes can be taken away from
one another: the grid itself, which may have billions of cells, is never laid out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from custseg.segmentation._rules.boxes import Bounds, Box, Budget, TooManyPiecesError, any_left, bounds, minus
from custseg.segmentation._rules.columns import Domain, level_text
from custseg.segmentation._rules.rules import LISTS, Condition, Rule, Scalar, column_text, exact_number, value_text

__all__ = ["Axis", "Box", "Grid", "TooManyPiecesError"]

# Rules that cut space into more boxes are beyond what a reader could check.
MAX_PIECES = 20_000

# So many comparisons of boxes, a few seconds, tell of whom no rule covers, and as many of which rules are reached;
# of them no single rule takes more than its part.
MAX_STEPS = 2_000_000
MAX_STEPS_OF_ONE = 200_000

_OTHER = "any other"


@dataclass(frozen=True)
class Axis:
    """One column, cut into cells within which no rule distinguishes values.

    Attributes
    ----------
    column : str
        The column.
    domain : Domain
        What it holds.
    points : tuple
        Cut points (ascending) or levels. Numbers have a cell for each cut point, and one on each side
        of it; names have one cell for each name in a rule, and one for all others.
    known : int
        The bits of all cells that a value can be in.
    """

    column: str
    domain: Domain
    points: tuple[Any, ...]
    known: int

    @classmethod
    def of(cls, column: str, domain: Domain, conditions: Iterable[Condition]) -> Axis:
        """Cut a column where conditions cut it."""
        values = [value for condition in conditions if condition.column == column for value in condition.values]
        if domain.kind == "level":
            return cls(column, domain, domain.levels, (1 << len(domain.levels)) - 1)
        if domain.kind == "name":
            names = tuple(sorted({level_text(value) for value in values}))
            return cls(column, domain, names, (1 << len(names) + 1) - 1)
        if domain.kind == "flag":
            cuts = tuple(sorted({0.0, 1.0, *map(float, values)}))
            return cls(column, domain, cuts, sum(1 << 2 * cuts.index(value) + 1 for value in (0.0, 1.0)))
        # whole numbers as such: of large ones two neighbours are the same float
        cuts = tuple(sorted({exact_number(value) for value in values}))
        cells = range(2 * len(cuts) + 1)
        return cls(column, domain, cuts, sum(1 << cell for cell in cells if _possible(cuts, cell, domain.whole)))

    @classmethod
    def scores(cls, column: str, highest: int) -> Axis:
        """Return the axis of the whole numbers from 1 to ``highest``, and nothing else."""
        cuts = tuple(range(1, highest + 1))
        return cls(column, Domain("number", whole=True), cuts, sum(1 << 2 * place + 1 for place in range(highest)))

    @property
    def missing(self) -> int:
        """The bit of a missing value."""
        return 1 << (2 * len(self.points) + 2)

    @property
    def everything(self) -> int:
        """All cells and the missing value."""
        return self.known | self.missing

    def cells(self, condition: Condition) -> int:
        """Return the cells whose values meet a condition."""
        if condition.operator in LISTS:
            listed = 0
            for value in condition.values:
                listed |= 1 << self._place(value)
            return self.known & (listed if condition.operator == "in" else ~listed)
        place = self._place(condition.values[0])
        below, here = (1 << place) - 1, 1 << place
        found = {
            "==": here,
            "!=": ~here,
            "<": below,
            "<=": below | here,
            ">": ~(below | here),
            ">=": ~below,
        }[condition.operator]
        return self.known & found

    def _place(self, value: Scalar) -> int:
        if self.domain.is_numeric:
            return 2 * self.points.index(exact_number(value)) + 1
        return self.points.index(level_text(value))

    def words(self, cells: int) -> str:
        """Say in the words of a rule which values lie in the cells."""
        column = column_text(self.column)
        if self.domain.kind == "flag":
            return f"{column} == {value_text(self.example(cells))}"
        if not self.domain.is_numeric:
            other = self.domain.kind == "name" and bool(cells >> len(self.points) & 1)
            listed = [point for place, point in enumerate(self.points) if bool(cells >> place & 1) != other]
            texts = ", ".join(map(value_text, listed))
            if len(listed) == 1:
                return f"{column} {'!=' if other else '=='} {texts}"
            return f"{column} {'not in' if other else 'in'} [{texts}]"
        return " or ".join(self._interval(column, run) for run in self._runs(cells))

    def _runs(self, cells: int) -> list[list[int]]:
        """Split cells into runs without a gap; cells that no value can be in are no gap."""
        runs: list[list[int]] = []
        gap = True
        for cell in _bits(self.known):
            if not cells >> cell & 1:
                gap = True
                continue
            if gap:
                runs.append([])
            runs[-1].append(cell)
            gap = False
        return runs

    def _interval(self, column: str, run: Sequence[int]) -> str:
        possible = _bits(self.known)
        first, last = run[0], run[-1]
        if first == last and first % 2:
            return f"{column} == {self._number(first // 2)}"
        low = "" if first == possible[0] else self._number(first // 2 if first % 2 else first // 2 - 1)
        high = "" if last == possible[-1] else self._number(last // 2)
        above, below = ("<=" if first % 2 else "<"), ("<=" if last % 2 else "<")
        if low and high:
            return f"{low} {above} {column} {below} {high}"
        return f"{column} {'>=' if above == '<=' else '>'} {low}" if low else f"{column} {below} {high}"

    def _number(self, place: int) -> str:
        short = f"{self.points[place]:.15g}"
        return short if float(short) == self.points[place] else repr(self.points[place])

    def example(self, cells: int) -> Any:
        """Return a value in the lowest of the cells."""
        cell = _bits(cells)[0]
        if not self.domain.is_numeric:
            return self.points[cell] if cell < len(self.points) else _OTHER
        if self.domain.kind == "flag":
            return bool(self.points[cell // 2])
        return exact_number(_inside(self.points, cell, self.domain.whole))


def _possible(cuts: Sequence[int | float], cell: int, whole: bool) -> bool:
    if not whole:
        return True
    if cell % 2:
        return isinstance(cuts[cell // 2], int)
    if cell in (0, 2 * len(cuts)):
        return True
    return math.floor(cuts[cell // 2 - 1]) + 1 < cuts[cell // 2]


def _inside(cuts: Sequence[int | float], cell: int, whole: bool) -> int | float:
    if cell % 2:
        return cuts[cell // 2]
    if cell == 0:
        step = max(1.0, abs(cuts[0]) * 1e-6)
        return math.ceil(cuts[0] - step) if whole else cuts[0] - step
    low = cuts[cell // 2 - 1]
    if whole:
        return math.floor(low) + 1
    if cell == 2 * len(cuts):
        return low + max(1.0, abs(low) * 1e-6)
    return low / 2 + float(cuts[cell // 2]) / 2


def _bits(cells: int) -> list[int]:
    return [place for place in range(cells.bit_length()) if cells >> place & 1]


class Grid:
    """The cells of all columns that rules name, and the boxes that the rules are.

    Parameters
    ----------
    rules : sequence of Rule
        The rules, in their order.
    axes : mapping of str to Axis
        The columns.
    """

    def __init__(self, rules: Sequence[Rule], axes: Mapping[str, Axis]) -> None:
        self.axes = list(axes.values())
        self.boxes = [[self._box(conditions) for conditions in rule.alternatives] for rule in rules]
        everything = tuple(axis.everything for axis in self.axes)
        self._bounds = [[bounds(box, everything) for box in boxes] for boxes in self.boxes]
        self._budget = Budget(MAX_STEPS)

    @classmethod
    def over(cls, rules: Sequence[Rule], domains: Mapping[str, Domain]) -> Grid:
        """Cut the columns where the rules cut them."""
        conditions = [condition for rule in rules for condition in rule.conditions]
        return cls(rules, {name: Axis.of(name, domain, conditions) for name, domain in domains.items()})

    def _box(self, conditions: Sequence[Condition]) -> Box:
        own = {axis.column: axis.everything for axis in self.axes}
        by_name = {axis.column: axis for axis in self.axes}
        for condition in conditions:
            own[condition.column] &= by_name[condition.column].cells(condition)
        return tuple(own.values())

    @property
    def n_cells(self) -> int:
        """The number of cells, missing values not counted."""
        return math.prod(axis.known.bit_count() for axis in self.axes)

    def count(self, boxes: Iterable[Box]) -> int:
        """Return the number of cells in boxes that do not overlap."""
        return sum(math.prod(cells.bit_count() for cells in box) for box in boxes)

    def uncovered(self) -> list[Box]:
        """Return the boxes that no rule covers, among customers without missing values."""
        everyone = tuple(axis.known for axis in self.axes)
        return minus([everyone], self._taken(len(self.boxes)), most=MAX_PIECES, budget=Budget(MAX_STEPS))

    def reached(self, position: int) -> str:
        """Say whether a customer can reach a rule past the earlier ones.

        Returns
        -------
        {"yes", "with a missing value", "never"}
            Whether anyone can, or only those of whom something is not known.
        """
        earlier = self._taken(position)
        known = [
            tuple(cells & axis.known for cells, axis in zip(box, self.axes, strict=True))
            for box in self.boxes[position]
        ]
        if self._any_left(known, earlier):
            return "yes"
        return "with a missing value" if self._any_left(self.boxes[position], earlier) else "never"

    def _taken(self, position: int) -> list[Bounds]:
        """Return what all rules before a position take."""
        return [each for rule in self._bounds[:position] for each in rule]

    def _any_left(self, boxes: Sequence[Box], taken: Sequence[Bounds]) -> bool:
        own = Budget(min(MAX_STEPS_OF_ONE, self._budget.left))
        before = own.left
        try:
            return any_left(boxes, taken, own)
        finally:
            self._budget.left -= before - max(own.left, 0)

    def overlap(self, first: int, second: int) -> Box | None:
        """Return a box of customers who meet both rules, if there can be any."""
        for one in self.boxes[first]:
            for other in self.boxes[second]:
                both = tuple(a & b for a, b in zip(one, other, strict=True))
                if all(both):
                    return both
        return None

    def words(self, box: Box) -> str:
        """Say in the words of a rule what customers a box holds."""
        parts = [
            axis.words(cells & axis.known)
            for axis, cells in zip(self.axes, box, strict=True)
            if cells & axis.known != axis.known
        ]
        parts = [f"({part})" if " or " in part and len(parts) > 1 else part for part in parts]
        return " and ".join(parts) or "everything"

    def example(self, box: Box) -> dict[str, Any]:
        """Return the values of one customer in a box."""
        return {axis.column: axis.example(cells & axis.known) for axis, cells in zip(self.axes, box, strict=True)}

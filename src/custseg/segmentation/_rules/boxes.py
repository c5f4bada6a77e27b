"""Boxes of cells: one taken away from another, and whether anything of it is left."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = ["Bounds", "Box", "Budget", "TooManyPiecesError", "any_left", "bounds", "minus"]

Box = tuple[int, ...]
"""A set of cells of every axis, as bits."""

Bounds = tuple[tuple[int, int], ...]
"""A box by the axes on which it leaves something out: their places, and the cells there."""


class TooManyPiecesError(ArithmeticError):
    """The rules leave more boxes than are looked at."""


@dataclass
class Budget:
    """How many more comparisons of two boxes there may be."""

    left: int

    def spend(self, n: int) -> None:
        """Take so many of them."""
        self.left -= n
        if self.left < 0:
            raise TooManyPiecesError


def bounds(box: Box, everything: Box) -> Bounds:
    """Return on which axes a box leaves cells out: of sixty columns a rule names two or three."""
    pairs = enumerate(zip(box, everything, strict=True))
    return tuple((place, cells) for place, (cells, whole) in pairs if cells != whole)


def minus(boxes: Iterable[Box], taken: Iterable[Bounds], *, most: int, budget: Budget) -> list[Box]:
    """Take boxes away from boxes; what is left comes in boxes that do not overlap within each given one."""
    left = [box for box in boxes if all(box)]
    for away in taken:
        budget.spend(len(left))
        left = [piece for box in left for piece in _pieces(box, away)]
        if len(left) > most:
            raise TooManyPiecesError
    return left


def _pieces(box: Box, away: Bounds) -> list[Box]:
    if not _meet(box, away):
        return [box]
    pieces, rest = [], list(box)
    for place, cells in away:
        if outside := rest[place] & ~cells:
            pieces.append((*rest[:place], outside, *rest[place + 1 :]))
        rest[place] &= cells
    return pieces


def _meet(box: Box, other: Bounds) -> bool:
    return all(box[place] & cells for place, cells in other)


def any_left(boxes: Iterable[Box], taken: Sequence[Bounds], budget: Budget) -> bool:
    """Say whether anything of the boxes is left when others are taken away.

    One piece after the other is followed until nothing more is taken from it, so that most of them need not be looked
    at. Of what takes something away, that comes first which leaves the fewest pieces: what leaves none ends the search
    there, what leaves one settles an axis.
    """
    stack = [(box, taken) for box in boxes if all(box)]
    while stack:
        box, others = stack.pop()
        budget.spend(len(others) + 1)
        others = [other for other in others if _meet(box, other)]
        if not others:
            return True
        away = min(others, key=lambda other: sum(1 for place, cells in other if box[place] & ~cells))
        stack.extend((piece, others) for piece in _pieces(box, away))
    return False

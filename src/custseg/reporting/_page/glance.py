"""All characteristics and all segments side by side, in original units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from custseg.plotting import ComparisonDisplay
from custseg.plotting._for_reporting import rows_of

__all__ = ["Block", "Cell", "Glance", "Row", "glance"]

_TWICE, _ON_A_PAGE = 4, 36
_MADE = {True: "made the segments, so they differ", False: "not used to make the segments: findings"}


@dataclass(frozen=True)
class Cell:
    """One figure: its tint from the effect, ``u1`` to ``u4`` above everyone else and ``d1`` to ``d4`` below."""

    text: str
    tint: str
    arrow: str
    direction: str


@dataclass(frozen=True)
class Row:
    """One characteristic, or a level of one: everyone first."""

    label: str
    everyone: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Block:
    """Characteristics of one kind: ``note`` says whether they made the segments."""

    heading: str
    note: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Glance:
    """The table: ``names`` of the segments in the order of the report."""

    names: tuple[str, ...]
    blocks: tuple[Block, ...]
    how: str

    @property
    def is_long(self) -> bool:
        """Whether it needs smaller letters to be printed on a page."""
        return sum(1 + len(block.rows) for block in self.blocks) > _ON_A_PAGE


def glance(display: ComparisonDisplay, order: Sequence[int]) -> Glance:
    """Take the table over, its segments in the order of the report."""
    told = set(display.data_["segment"])
    place = {segment: position for position, segment in enumerate(each for each in order if each in told)}
    names = dict(zip(display.data_["segment"], display.data_["name"], strict=True))
    blocks = [
        Block(str(block) or "Characteristics", _MADE[bool(used)], _rows(cells, place))
        for (block, used), cells in display.data_.groupby(["block", "used_for_clustering"], sort=False)
    ]
    return Glance(tuple(names[segment] for segment in place), tuple(blocks), display.how_to_read)


def _rows(cells: pd.DataFrame, place: dict[int, int]) -> tuple[Row, ...]:
    lines = cells.groupby(["characteristic", "level"], sort=False, dropna=False)
    return tuple(
        Row(
            str(line["label"].iloc[0]),
            str(line["overall_text"].iloc[0]),
            tuple(_cell(row) for row in sorted(rows_of(line), key=lambda row: place[row.segment])),
        )
        for _, line in lines
    )


def _cell(row: Any) -> Cell:
    if not row.step:
        return Cell(row.text, "", "", "")
    up = row.effect_size > 0
    arrow = ("▲" if up else "▼") * (2 if row.step == _TWICE else 1)
    return Cell(row.text, f"{'u' if up else 'd'}{row.step}", arrow, "higher" if up else "lower")

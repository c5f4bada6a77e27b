"""The space of k-prototypes: numbers beside scaled one-hot columns, where squared distance is Huang's distance."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import pandas as pd

from custseg._core.arrays import Floats, Integers
from custseg._core.customers import Column, CustomerTable
from custseg.segmentation._base.weighted import distribution
from custseg.segmentation._embedding.blocks import Block, LevelBlock, NoInformation, NumberBlock, Settings, make_block

__all__ = ["Layout", "MixedSpace", "Scaling", "learn_space"]

Scaling = Literal["robust", "standard"] | None

_SETTINGS = {"robust": Settings(), "standard": Settings(None, None), None: Settings(None, None)}
# A unit whose square is out of the range of numbers.
MAX_UNIT = 2.0**511
_FLAGS = ("False", "True")


@dataclass(frozen=True)
class Layout:
    """Which columns of the space are numbers, and which belong to one categorical characteristic.

    Attributes
    ----------
    n_numbers : int
        The number of numeric columns, which come first.
    widths : tuple of int
        The number of levels of each categorical characteristic.
    steps : tuple of float
        What a level of each of them is marked with: two different levels are ``2 * step ** 2`` apart.
    """

    n_numbers: int
    widths: tuple[int, ...]
    steps: tuple[float, ...]

    @property
    def slices(self) -> tuple[slice, ...]:
        """Where the columns of each categorical characteristic stand."""
        ends = self.n_numbers + np.cumsum((0, *self.widths))
        return tuple(slice(int(start), int(end)) for start, end in pairwise(ends))

    @property
    def n_columns(self) -> int:
        """The number of columns of the space."""
        return self.n_numbers + sum(self.widths)

    def plain(self, coordinates: Floats) -> Floats:
        """Return the numbers, and 1 in the column of the level that each row has."""
        spread = np.zeros((len(coordinates), self.n_columns))
        spread[:, : self.n_numbers] = coordinates[:, : self.n_numbers]
        for place, columns in enumerate(self.slices, start=self.n_numbers):
            rows = np.flatnonzero(coordinates[:, place] >= 0)
            spread[rows, columns.start + coordinates[rows, place].astype(np.int64)] = 1.0
        return spread

    def scaled(self, plain: Floats) -> Floats:
        """Give the marks of the levels their size."""
        sizes = np.concatenate([np.ones(self.n_numbers), np.repeat(self.steps, self.widths)])
        return np.asarray(plain * sizes)


@dataclass(frozen=True, kw_only=True)
class ModeBlock(LevelBlock):
    """A categorical characteristic of which mismatches are counted; ``levels`` begin with the most frequent."""

    @property
    def words(self) -> str:
        return f"a mismatch counts {2.0 * self.scale**2:.4g}"

    def embed(self, column: Column) -> Floats:
        """Return the position of the level, -1 where it is missing or not known."""
        return self.positions(_as_category(column)).astype(np.float64)[:, None]

    def unseen(self, column: Column) -> list[str]:
        return super().unseen(_as_category(column))

    def invert(self, embedded: Floats) -> pd.Series[Any]:
        found = [self.levels[position] for position in embedded.argmax(axis=1)]
        if self.kind == "binary":
            return pd.Series([level == _FLAGS[1] for level in found], dtype=bool)
        return pd.Series(found, dtype="str")


@dataclass(frozen=True)
class MixedSpace:
    """How customers become points.

    Attributes
    ----------
    numbers : tuple of Block
        The numeric characteristics, and those without information.
    modes : tuple of ModeBlock
        The categorical characteristics.
    orders : mapping of str to tuple of str
        The levels of the ordinal characteristics, in their order.
    gamma : float
        What a mismatch costs at weight 1, in the units of the scaled numbers.
    unit : float
        A power of two that the space is divided by, so that squares stay within the range of numbers.
    """

    numbers: tuple[Block, ...]
    modes: tuple[ModeBlock, ...]
    orders: Mapping[str, tuple[str, ...]]
    gamma: float
    unit: float

    @property
    def blocks(self) -> tuple[Block, ...]:
        """All characteristics, in the order of the coordinates."""
        return (*self.numbers, *self.modes)

    @property
    def constant(self) -> list[str]:
        """The characteristics with one value or none."""
        alone = [block.column for block in self.modes if len(block.levels) < 2]
        return [block.column for block in self.numbers if isinstance(block, NoInformation)] + alone

    @property
    def layout(self) -> Layout:
        """The columns of the space."""
        return Layout(
            len(self.numbers),
            tuple(len(block.levels) for block in self.modes),
            tuple(block.scale / self.unit for block in self.modes),
        )

    def coordinates(self, table: CustomerTable) -> Floats:
        """Return the scaled numbers, then the position of each level (-1 where missing or not known)."""
        for block in self.blocks:
            block.check_kind(table[block.column])
        parts = [np.empty((table.n_customers, 0))]
        parts += [block.embed(table[block.column]) / self.unit for block in self.numbers]
        parts += [block.embed(table[block.column]) for block in self.modes]
        return np.concatenate(parts, axis=1)

    def points(self, coordinates: Floats) -> Floats:
        """Return the points for coordinates; a missing category is the origin of its columns, equally far from all."""
        return self.layout.scaled(self.layout.plain(coordinates))

    def cost(self, squared: float) -> float:
        """Return a sum of squared distances in the units of the scaled numbers; inf where it leaves their range."""
        return math.inf if self.unit > MAX_UNIT else squared * self.unit**2

    def invert(self, centers: Floats, names: Iterable[str]) -> pd.DataFrame:
        """Show centres in original units: means and modes."""
        layout, shown = self.layout, {}
        for place, block in enumerate(self.numbers):
            shown[block.column] = block.invert(centers[:, place : place + 1] * self.unit)
        for block, columns in zip(self.modes, layout.slices, strict=True):
            values = block.invert(centers[:, columns])
            order = self.orders.get(block.column)
            shown[block.column] = values if order is None else values.astype(pd.CategoricalDtype(list(order), True))
        return pd.DataFrame({name: shown[name] for name in names})


def learn_space(
    table: CustomerTable, weights: Mapping[str, float], mass: Floats, scaling: Scaling, gamma: float | None
) -> MixedSpace:
    """Learn the space from all customers, each counting as much as its ``mass``.

    ``gamma=None`` is Huang's advice: half the mean standard deviation of the numeric characteristics,
    each counting by its weight; 1 where none has one.
    """
    numbers: list[Block] = []
    categories: list[Column] = []
    spreads: list[tuple[float, float]] = []
    for column in table.columns:
        weight = weights[column.name]
        if column.kind == "numeric":
            block = make_block(column, weight, mass, _SETTINGS[scaling])
            if isinstance(block, NumberBlock):
                spreads.append((weight, block.scale if scaling is None else 1.0))
                block = replace(block, scale=1.0) if scaling is None else block
            numbers.append(block)
        elif (mass[~column.missing] > 0).any():
            categories.append(column)
        else:
            numbers.append(make_block(column, weight, mass, _SETTINGS[None]))
    if gamma is None:
        total = math.fsum(weight for weight, _ in spreads)
        gamma = 0.5 * math.fsum(weight / total * spread for weight, spread in spreads) if spreads else 1.0
    modes = tuple(_mode_block(column, weights[column.name], mass, gamma) for column in categories)
    orders = {column.name: column.categories for column in categories if column.kind == "ordinal"}
    known = table.take(mass > 0)
    largest = max((float(np.abs(b.embed(known[b.column])).max(initial=0.0)) for b in numbers), default=0.0)
    largest = max(largest, max((block.scale for block in modes), default=0.0))
    unit = math.ldexp(1.0, min(math.frexp(largest)[1], 1023)) if largest > 0 else 1.0
    return MixedSpace(tuple(numbers), modes, orders, float(gamma), unit)


def _mode_block(column: Column, weight: float, mass: Floats, gamma: float) -> ModeBlock:
    known, category = ~column.missing, _as_category(column)
    codes, counts = distribution(category.values[known], mass[known])
    found = sorted(zip(-counts, (category.categories[code] for code in codes), strict=True))
    shares = -np.array([count for count, _ in found])
    return ModeBlock(
        column=column.name,
        kind=column.kind,
        weight=weight,
        missing_share=float(mass[~known].sum() / mass.sum()),
        levels=tuple(level for _, level in found),
        shares=shares / shares.sum(),
        scale=math.sqrt(gamma / 2.0) * math.sqrt(weight),
    )


def _as_category(column: Column) -> Column:
    """Return a column with levels; those of numbers are False and True for 0 and 1."""
    if column.kind in ("ordinal", "nominal"):
        return column
    levels = np.unique(column.values[~column.missing])
    codes = np.where(column.missing, -1, np.searchsorted(levels, column.values)).astype(np.int64)
    texts = tuple(_FLAGS[int(level)] if level in (0.0, 1.0) else f"{level:g}" for level in levels)
    return replace(column, kind="nominal", values=codes, categories=texts)


def reordered(space: MixedSpace, order: Integers) -> MixedSpace:
    """Put the blocks in another order, numbers staying before modes."""
    n_numbers = len(space.numbers)
    numbers = tuple(space.numbers[place] for place in order if place < n_numbers)
    modes = tuple(space.modes[place - n_numbers] for place in order if place >= n_numbers)
    return replace(space, numbers=numbers, modes=modes)

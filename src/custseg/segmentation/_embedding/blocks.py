"""How one characteristic becomes columns of the embedding: a block of total variance 1 times its weight."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from custseg._core.arrays import Floats
from custseg._core.customers import Column, Kind
from custseg._core.skewness import SKEWED, quantile_skewness
from custseg.segmentation._base.kinds import check_kind
from custseg.segmentation._base.weighted import distribution, mid_ranks, quantile

__all__ = ["Block", "Settings", "check_kind", "distribution", "make_block", "mid_ranks", "quantile"]


# The logarithm is of x plus this share of the median of the positive values, so that 0 has one.
LOG_SHIFT = 0.05

_TEXTUAL = ("ordinal", "nominal")


@dataclass(frozen=True)
class Settings:
    """What the embedder was told about all columns."""

    heavy_tails: str | None = "log"
    winsorize: float | None = 0.01


@dataclass(frozen=True, kw_only=True)
class Block(ABC):
    """One characteristic in the distance.

    Attributes
    ----------
    column : str
        The name of the characteristic.
    kind : {"numeric", "binary", "ordinal", "nominal"}
        What its values are.
    weight : float
        What its variance is multiplied by.
    missing_share : float
        The weighted share of customers whose value was missing in ``fit``.
    """

    column: str
    kind: Kind
    weight: float
    missing_share: float

    @property
    def variance(self) -> float:
        """The total variance of the embedded columns, among those whose value is known."""
        return self.weight

    @property
    def suffixes(self) -> tuple[str, ...]:
        """What the names of the embedded columns add to the name of the characteristic."""
        return ("",)

    @property
    @abstractmethod
    def words(self) -> str:
        """Say in words what is done to the values."""

    @property
    def figures(self) -> dict[str, float]:
        """The numbers behind the words; what does not apply is left out."""
        return {}

    @abstractmethod
    def embed(self, column: Column) -> Floats:
        """Return the embedded columns (n, width) of new values; a missing or unseen value is 0, the mean."""

    @abstractmethod
    def invert(self, embedded: Floats) -> pd.Series[Any]:
        """Return values in original units for embedded columns."""

    def unseen(self, column: Column) -> list[str]:
        """List the categories of new values that were not there in ``fit``, once per row."""
        return []

    def check_kind(self, column: Column) -> None:
        """Refuse what cannot be compared with the values of ``fit``."""
        check_kind(self.kind, column)


@dataclass(frozen=True, kw_only=True)
class NumberBlock(Block):
    """A numeric or binary characteristic: logs where heavy-tailed, limits, mean 0, sd 1."""

    low: float
    high: float
    shift: float | None
    center: float
    scale: float

    @property
    def words(self) -> str:
        # no figures: the limits are values of single customers, and the words stand in reports
        steps = [] if self.shift is None else ["log(x + shift)"]
        if math.isfinite(self.low):
            steps.append("winsorised")
        return ", ".join([*steps, "divided by its standard deviation"])

    @property
    def figures(self) -> dict[str, float]:
        limits = {"low": self.low, "high": self.high} if math.isfinite(self.low) else {}
        shift = {} if self.shift is None else {"shift": self.shift}
        return {**shift, **limits, "center": self.center, "scale": self.scale}

    def embed(self, column: Column) -> Floats:
        if column.kind in _TEXTUAL:  # nothing but missing values, else check_kind has refused it
            return np.zeros((len(column.values), 1))
        values = np.clip(column.values, self.low, self.high)
        if self.shift is not None:
            values = np.log(np.maximum(values, 0.0) + self.shift)
        embedded = (values - self.center) / self.scale * math.sqrt(self.weight)
        return np.where(np.isnan(embedded), 0.0, embedded)[:, None]

    def invert(self, embedded: Floats) -> pd.Series[Any]:
        values = embedded[:, 0] / math.sqrt(self.weight) * self.scale + self.center
        if self.shift is not None:
            values = np.maximum(np.exp(values) - self.shift, 0.0)
        return pd.Series(values, dtype=np.float64)


@dataclass(frozen=True, kw_only=True)
class _LevelsBlock(Block):
    """A characteristic with levels; ``levels`` are those that occur in ``fit``."""

    levels: tuple[str, ...]
    scale: float

    def positions(self, column: Column) -> npt.NDArray[np.int64]:
        """Return the position of every value among the levels of ``fit``; -1 where missing or unseen."""
        known = {level: position for position, level in enumerate(self.levels)}
        lookup = np.array([*(known.get(level, -1) for level in column.categories), -1], dtype=np.int64)
        codes = column.values if column.kind in _TEXTUAL else np.full(len(column.values), -1)
        return lookup[codes.astype(np.int64)]

    def unseen(self, column: Column) -> list[str]:
        if column.kind not in _TEXTUAL:
            return []
        lost = (self.positions(column) < 0) & ~column.missing
        return [column.categories[code] for code in column.values[lost]]


@dataclass(frozen=True, kw_only=True)
class RankBlock(_LevelsBlock):
    """An ordinal characteristic: mid-ranks of its levels, mean 0, sd 1."""

    ranks: Floats = field(repr=False)
    categories: tuple[str, ...] = ()
    center: float = 0.5

    @property
    def words(self) -> str:
        return "mid-ranks of the levels, divided by their standard deviation"

    @property
    def figures(self) -> dict[str, float]:
        return {"center": self.center, "scale": self.scale}

    def embed(self, column: Column) -> Floats:
        scores: Floats = np.append((self.ranks - self.center) / self.scale * math.sqrt(self.weight), 0.0)
        return scores[self.positions(column)][:, None]

    def invert(self, embedded: Floats) -> pd.Series[Any]:
        scores = (self.ranks - self.center) / self.scale * math.sqrt(self.weight)
        nearest = np.abs(embedded[:, :1] - scores).argmin(axis=1)
        found = [self.levels[position] for position in nearest]
        return pd.Series(pd.Categorical(found, categories=list(self.categories), ordered=True))


@dataclass(frozen=True, kw_only=True)
class LevelBlock(_LevelsBlock):
    """A nominal characteristic: centred one-hot, divided so that the total variance is 1."""

    shares: Floats = field(repr=False)

    @property
    def suffixes(self) -> tuple[str, ...]:
        return tuple(f"_{level}" for level in self.levels)

    @property
    def words(self) -> str:
        return f"one column for each of {len(self.levels)} levels, centred, total variance 1"

    @property
    def figures(self) -> dict[str, float]:
        return {"scale": self.scale}

    def embed(self, column: Column) -> Floats:
        positions = self.positions(column)
        absent = (0.0 - self.shares) / self.scale * math.sqrt(self.weight)
        present = (1.0 - self.shares) / self.scale * math.sqrt(self.weight)
        embedded = np.tile(absent, (len(positions), 1))
        known = np.flatnonzero(positions >= 0)
        embedded[known, positions[known]] = present[positions[known]]
        embedded[positions < 0] = 0.0
        return embedded

    def invert(self, embedded: Floats) -> pd.Series[Any]:
        shares = embedded / math.sqrt(self.weight) * self.scale + self.shares
        return pd.Series([self.levels[position] for position in shares.argmax(axis=1)], dtype="str")


@dataclass(frozen=True, kw_only=True)
class NoInformation(Block):
    """A characteristic with one value or none: a column of zeros."""

    value: float | str

    @property
    def variance(self) -> float:
        return 0.0

    @property
    def words(self) -> str:
        return "no information (all values missing)" if self.is_missing else "no information (one value only)"

    @property
    def is_missing(self) -> bool:
        """Whether no value at all was known."""
        return not isinstance(self.value, str) and math.isnan(self.value)

    def embed(self, column: Column) -> Floats:
        return np.zeros((len(column.values), 1))

    def invert(self, embedded: Floats) -> pd.Series[Any]:
        return pd.Series([self.value] * len(embedded))


def make_block(column: Column, weight: float, mass: Floats, settings: Settings) -> Block:
    """Learn the block of one characteristic from all customers, each counting as much as its ``mass``."""
    known = ~column.missing
    values, counts = distribution(column.values[known], mass[known])
    common: dict[str, Any] = {
        "column": column.name,
        "kind": column.kind,
        "weight": weight,
        "missing_share": float(mass[~known].sum() / mass.sum()),
    }
    if len(values) < 2:
        only: Any = math.nan if not len(values) else values[0]
        value = column.categories[int(only)] if column.kind in _TEXTUAL and len(values) else float(only)
        return NoInformation(**common, value=value)
    if column.kind in ("numeric", "binary"):
        return _number_block(values, counts, common, settings)
    shares = counts / counts.sum()
    common["levels"] = tuple(column.categories[int(code)] for code in values)
    if column.kind == "nominal":
        return LevelBlock(**common, shares=shares, scale=math.sqrt(float((shares * (1.0 - shares)).sum())))
    ranks = mid_ranks(counts)
    center, scale = _moments(ranks, counts)
    return RankBlock(**common, ranks=ranks, categories=column.categories, center=center, scale=scale)


def _number_block(values: Floats, counts: Floats, common: dict[str, Any], settings: Settings) -> Block:
    low, high = -math.inf, math.inf
    shift = _log_shift(values, counts) if settings.heavy_tails == "log" else None
    if settings.winsorize is not None and len(values) > 2:
        limits = quantile(values, counts, settings.winsorize), quantile(values, counts, 1.0 - settings.winsorize)
        if limits[0] < limits[1]:
            low, high = limits
    seen = np.clip(values, low, high)
    center, scale = _moments(seen if shift is None else np.log(seen + shift), counts)
    if scale == 0.0:  # values that differ in their last digits only
        return NoInformation(**common, value=float(values[0]))
    return NumberBlock(**common, low=low, high=high, shift=shift, center=center, scale=scale)


def _log_shift(values: Floats, counts: Floats) -> float | None:
    """Return what is added before the logarithm, or None where the column is not heavy-tailed and non-negative."""
    if len(values) <= 2 or values[0] < 0:
        return None
    low, middle, high = (quantile(values, counts, level) for level in (0.01, 0.5, 0.99))
    if quantile_skewness(low, middle, high) <= SKEWED:
        return None
    positive = values > 0
    return LOG_SHIFT * quantile(values[positive], counts[positive], 0.5)


def _moments(values: Floats, counts: Floats) -> tuple[float, float]:
    # Divided by the largest value first: squares of 1e300 or 1e-300 would leave the range of numbers.
    # Sums, not dot products: those depend on the number of threads.
    unit = float(np.abs(values).max())
    scaled = values / unit
    center = float((counts * scaled).sum() / counts.sum())
    deviation = math.sqrt(float((counts * (scaled - center) ** 2).sum() / counts.sum()))
    return center * unit, deviation * unit

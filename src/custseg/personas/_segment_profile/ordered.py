"""Sorted numbers with their weights: medians, their intervals, and whether the numbers are skewed."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np
from scipy import stats
from scipy.special import betainc

from custseg._core.arrays import Floats
from custseg._core.customers import Column
from custseg._core.skewness import SKEWED, quantile_skewness

# what sums of weights are rounded by, as a share of all
_ROUNDING = 1e-12
# numbers that are sorted sooner than searched
_FEW = 16


class _Ranks:
    """What follows from how much the numbers up to a value weigh."""

    total: float

    def _at(self, mass: float) -> float:
        """Return the first number up to which they weigh so much, the last where they do not."""
        raise NotImplementedError

    def reaching(self, mass: float) -> float:
        """Return the first number up to which they weigh ``mass``."""
        return self._at(mass - _ROUNDING * self.total)

    def beyond(self, mass: float) -> float:
        """Return the first number up to which they weigh more than ``mass``."""
        return self._at(mass + _ROUNDING * self.total)

    @property
    def median(self) -> float:
        """The middle, of two numbers halfway between; NaN without any."""
        if not self.total:
            return float("nan")
        return self.reaching(self.total / 2) / 2 + self.beyond(self.total / 2) / 2


class Ordered(_Ranks):
    """Sorted numbers; ``mass`` adds up their weights, and is None where each weighs 1."""

    def __init__(self, values: Floats, mass: Floats | None = None) -> None:
        self.values = values
        self.mass = mass
        self.total = float(len(values)) if mass is None else float(mass[-1]) if len(mass) else 0.0

    def up_to(self, value: float) -> float:
        """Return what the numbers up to ``value`` weigh."""
        n = int(self.values.searchsorted(value, side="right"))
        return float(n) if self.mass is None else float(self.mass[n - 1]) if n else 0.0

    @property
    def lowest(self) -> float:
        """The first number."""
        return float(self.values[0])

    @property
    def highest(self) -> float:
        """The last number."""
        return float(self.values[-1])

    def _at(self, mass: float) -> float:
        position = int(np.ceil(mass)) - 1 if self.mass is None else int(np.searchsorted(self.mass, mass))
        return float(self.values[min(max(position, 0), len(self.values) - 1)])

    def median_interval(self, confidence_level: float) -> tuple[float, float]:
        """Return the interval of the median, between two order statistics on either side.

        Hettmansperger and Sheather (1986), *Statistics & Probability Letters* 4, 75-79. NaN where there are too few for
        the confidence level.
        """
        n = self.total

        def covered(rank: int) -> float:
            return float(1 - 2 * betainc(n - rank + 1, rank, 0.5))

        z = stats.norm.ppf((1 + confidence_level) / 2)
        rank = min(int(n / 2 - z * np.sqrt(n) / 2) + 3, int((n + 1) / 2))
        while rank >= 1 and covered(rank) < confidence_level:
            rank -= 1
        if rank < 1:
            return float("nan"), float("nan")
        inner = covered(rank + 1) if rank + 1 <= (n + 1) / 2 else 0.0
        place = (covered(rank) - confidence_level) / (covered(rank) - inner)
        share = (n - rank) * place / (rank + (n - 2 * rank) * place)
        low = (1 - share) * self.reaching(rank) + share * self.reaching(rank + 1)
        high = (1 - share) * self.beyond(n - rank) + share * self.beyond(n - rank - 1)
        return low, high


def medians_without(parts: Sequence[Ordered]) -> Floats:
    """Return for each part the median of all others; NaN where there are none."""
    return np.array([Together([*parts[:each], *parts[each + 1 :]]).median for each in range(len(parts))])


class Together(_Ranks):
    """Sorted numbers of several segments as if they were sorted together, which takes longer than to look for ranks."""

    def __init__(self, parts: Sequence[Ordered]) -> None:
        self.parts = [part for part in parts if len(part.values)]
        self.total = sum(part.total for part in self.parts)
        self.lowest = min((part.lowest for part in self.parts), default=float("nan"))
        self.highest = max((part.highest for part in self.parts), default=float("nan"))

    def up_to(self, value: float) -> float:
        """Return what the numbers up to ``value`` weigh."""
        return sum(part.up_to(value) for part in self.parts)

    def _at(self, mass: float) -> float:
        # between two neighbours in the largest part there are few of the others, or the next largest is looked at
        between = [part.values for part in self.parts]
        while len(largest := max(between, key=len)) > _FEW:
            first = bisect_left(largest, mass, key=self.up_to)
            low = largest[first - 1] if first else -np.inf
            high = largest[first] if first < len(largest) else np.inf
            between = [part[part.searchsorted(low, "right") : part.searchsorted(high, "right")] for part in between]
            between = [part[-1:] if len(part) and part[0] == part[-1] else part for part in between]
        few = np.unique(np.concatenate(between))
        first = bisect_left(few, mass, key=self.up_to)
        return float(few[first]) if first < len(few) else self.highest

    @property
    def has_three(self) -> bool:
        """Whether there are at least three different numbers."""
        return any(
            part.values.searchsorted(self.highest) > part.values.searchsorted(self.lowest, "right")
            for part in self.parts
        )


def about_middle(column: Column) -> tuple[int, Floats]:
    """Return a whole number in the middle and how far the values lie from it; 0 where floats hold them exactly.

    Whole numbers that floats take for their neighbours differ from one in their middle by numbers that are floats.
    """
    if column.exact is None or not len(column.exact):
        return 0, column.values
    middle = int(np.sort(column.exact)[len(column.exact) // 2])
    return middle, (column.exact.astype(object) - middle).astype(np.float64)


def centre_and_scale(numbers: Ordered | Together) -> tuple[float, float]:
    """Return a number in the middle and a power of two; with them squares stay in range and no comparison changes."""
    if not numbers.total:
        return 0.0, 1.0
    centre = numbers.beyond(numbers.total / 2)
    reach = max(centre - numbers.lowest, numbers.highest - centre)
    # The largest power of two there is stands in for the one above it.
    return centre, float(np.ldexp(1.0, min(int(np.frexp(reach)[1]), 1023))) if reach > 0 else 1.0


def is_skewed(numbers: Together) -> bool:
    """Say whether the median tells more of the numbers than their mean does."""
    if not numbers.has_three:
        return False
    low, high = (numbers.beyond(share * (numbers.total - 1)) for share in (0.01, 0.99))
    return bool(abs(quantile_skewness(low, numbers.median, high)) > SKEWED)

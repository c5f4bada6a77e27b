"""Sorted numbers with their weights: medians, their intervals, and whether the numbers are skewed."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.special import betainc

from custseg._core.arrays import Floats
from custseg._core.customers import Column
from custseg._core.skewness import SKEWED, quantile_skewness

# what sums of weights are rounded by, as a share of all
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Ordered:
    """Sorted numbers; ``mass`` adds up their weights, and is None where each weighs 1."""

    values: Floats
    mass: Floats | None = None

    @property
    def total(self) -> float:
        """What all weigh together."""
        if self.mass is None:
            return float(len(self.values))
        return float(self.mass[-1]) if len(self.mass) else 0.0

    def up_to(self, value: float) -> float:
        """Return what the numbers up to ``value`` weigh."""
        n = int(np.searchsorted(self.values, value, side="right"))
        return float(n) if self.mass is None else float(self.mass[n - 1]) if n else 0.0

    def reaching(self, mass: float) -> float:
        """Return the first number up to which they weigh ``mass``."""
        return self._at(mass - _ROUNDING * self.total)

    def beyond(self, mass: float) -> float:
        """Return the first number up to which they weigh more than ``mass``."""
        return self._at(mass + _ROUNDING * self.total)

    def _at(self, mass: float) -> float:
        position = int(np.ceil(mass)) - 1 if self.mass is None else int(np.searchsorted(self.mass, mass))
        return float(self.values[min(max(position, 0), len(self.values) - 1)])

    @property
    def median(self) -> float:
        """The middle, of two numbers halfway between; NaN without any."""
        if not len(self.values):
            return float("nan")
        return self.reaching(self.total / 2) / 2 + self.beyond(self.total / 2) / 2

    def median_without(self, part: Ordered) -> float:
        """Return the median of all but a part, found by bisection instead of a copy."""
        total = self.total - part.total
        if total <= _ROUNDING * self.total:
            return float("nan")

        def up_to(position: int) -> float:
            value = float(self.values[position])
            return self.up_to(value) - part.up_to(value)

        room = _ROUNDING * self.total
        low, high = (
            float(self.values[bisect_left(range(len(self.values) - 1), mass, key=up_to)])
            for mass in (total / 2 - room, total / 2 + room)
        )
        return low / 2 + high / 2

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


def about_middle(column: Column) -> tuple[int, Floats]:
    """Return a whole number in the middle and how far the values lie from it; 0 where floats hold them exactly.

    Whole numbers that floats take for their neighbours differ from one in their middle by numbers that are floats.
    """
    if column.exact is None or not len(column.exact):
        return 0, column.values
    middle = int(np.sort(column.exact)[len(column.exact) // 2])
    return middle, (column.exact.astype(object) - middle).astype(np.float64)


def centre_and_scale(values: Floats) -> tuple[float, float]:
    """Return a number in the middle and a power of two; with them squares stay in range and no comparison changes."""
    if len(values) == 0:
        return 0.0, 1.0
    centre = float(values[len(values) // 2])
    reach = max(centre - values[0], values[-1] - centre)
    # The largest power of two there is stands in for the one above it.
    return centre, float(np.ldexp(1.0, min(int(np.frexp(reach)[1]), 1023))) if reach > 0 else 1.0


def is_skewed(numbers: Ordered) -> bool:
    """Say whether the median tells more of the numbers than their mean does."""
    values = numbers.values
    if len(values) == 0 or np.count_nonzero(np.diff(values)) < 2:
        return False
    low, high = (numbers.beyond(share * (numbers.total - 1)) for share in (0.01, 0.99))
    return bool(abs(quantile_skewness(low, numbers.median, high)) > SKEWED)

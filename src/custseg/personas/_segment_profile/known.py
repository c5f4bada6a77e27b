"""The customers of whom a characteristic is known, by segment: what is counted, added up and sorted of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from custseg._core.arrays import Bools, Floats, Integers
from custseg.personas._segment_profile.ordered import Ordered


@dataclass(frozen=True)
class Known:
    """The customers of whom a characteristic is known and may be told, sorted by segment.

    Attributes
    ----------
    labels : ndarray of shape (n_known,)
        Their segments.
    n_segments : int
        The number of segments.
    mass : ndarray of shape (n_known,) or None
        What each weighs; None where all weigh 1.
    """

    labels: Integers
    n_segments: int
    mass: Floats | None = None

    @cached_property
    def sizes(self) -> Integers:
        """How many there are in each segment."""
        return np.bincount(self.labels, minlength=self.n_segments)

    @cached_property
    def weights(self) -> Floats:
        """What the customers of each segment weigh."""
        return self.sizes.astype(np.float64) if self.mass is None else np.array([*map(np.sum, self._parts(self.mass))])

    def take(self, rows: Bools) -> Known:
        """Keep some of them."""
        return Known(self.labels[rows], self.n_segments, None if self.mass is None else self.mass[rows])

    def sorted_by(self, values: Floats) -> tuple[Known, Floats]:
        """Sort by a number inside each segment, so that sums over it have the same digits in any order of rows."""
        if self.mass is not None:
            order = np.lexsort((self.mass, values, self.labels))
            return Known(self.labels, self.n_segments, self.mass[order]), values[order]
        values = values.copy()
        for part in self._parts(values):
            part.sort()
        return self, values

    def groups(self, values: Floats) -> list[Ordered]:
        """Return the sorted numbers of each segment."""
        if self.mass is None:
            return [Ordered(part) for part in self._parts(values)]
        pairs = zip(self._parts(values), self._parts(self.mass), strict=True)
        return [Ordered(part, np.cumsum(mass)) for part, mass in pairs]

    def moments(self, values: Floats, centre: float, scale: float, *, highest: int = 2) -> Floats:
        """Return the mean of each segment, and its second to highest moment about it; 0 where it has nobody.

        Of the distances from ``centre`` in units of ``scale``.
        """
        found = np.zeros((highest, self.n_segments))
        masses = [None] * self.n_segments if self.mass is None else self._parts(self.mass)
        for segment, (part, mass) in enumerate(zip(self._parts(values), masses, strict=True)):
            if len(part):
                found[:, segment] = _moments((part - centre) / scale, mass, highest)
        return found

    def cells(self, codes: Integers, n_levels: int) -> tuple[Floats, Floats]:
        """Count, and weigh, the customers by segment and level: arrays of shape (n_segments, n_levels)."""
        places, n_cells = self.labels * n_levels + codes, self.n_segments * n_levels
        counts = np.bincount(places, minlength=n_cells).reshape(self.n_segments, n_levels).astype(np.float64)
        if self.mass is None:
            return counts, counts
        weighed = np.bincount(places, weights=self.mass, minlength=n_cells).astype(np.float64)
        return counts, weighed.reshape(self.n_segments, n_levels)

    def _parts(self, values: Floats) -> list[Floats]:
        return np.split(values, np.cumsum(self.sizes)[:-1])


def _moments(values: Floats, mass: Floats | None, highest: int) -> list[float]:
    """Return the mean, and the moments about it; the values are overwritten."""

    def mean(numbers: Floats) -> float:
        return float(numbers.mean() if mass is None else (numbers * mass).sum() / mass.sum())

    found = [mean(values)]
    values -= found[0]
    power = values
    for _ in range(2, highest + 1):
        power = power * values
        found.append(mean(power))
    return found

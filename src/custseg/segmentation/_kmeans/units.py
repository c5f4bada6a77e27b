"""The units that points are searched in: no offset, no unit, and no rounding of these decides."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from custseg._core.arrays import Floats
from custseg.segmentation._kmeans.patterns import Patterns

__all__ = ["Units", "without_last_digits"]

# Numbers are searched in steps of this share of the largest one: rounding seldom reaches so far, and no search sees so
# little.
STEP = 2.0**-36


@dataclass(frozen=True)
class Units:
    """Centre patterns and scale them by powers of two (which rounds nothing): no offset or unit costs precision."""

    offset: Floats
    raw_exponent: int
    exponent: int

    @classmethod
    def of(cls, patterns: Patterns) -> Units:
        """Take the units that suit these patterns."""
        raw_exponent = _exponent(patterns.values)
        raw = np.ldexp(patterns.values, -raw_exponent)
        offset = np.average(raw, axis=0, weights=patterns.counts)
        return cls(offset, raw_exponent, _exponent(raw - offset))

    def standard(self, values: Floats) -> Floats:
        """Put values in these units."""
        return np.asarray(np.ldexp(np.ldexp(values, -self.raw_exponent) - self.offset, -self.exponent))

    def original(self, centers: Floats) -> Floats:
        """Put centres back in those of the patterns."""
        return np.asarray(np.ldexp(np.ldexp(centers, self.exponent) + self.offset, self.raw_exponent))

    def sse(self, sse: float) -> float:
        """Put a sum of squares back in those of the patterns."""
        with np.errstate(over="ignore", under="ignore"):
            return float(np.ldexp(sse, 2 * (self.exponent + self.raw_exponent)))


def without_last_digits(points: Floats, counts: Floats) -> Floats:
    """Return points in units of the largest number, in steps: alike, bit by bit, whatever they were multiplied by.

    Answers on a scale lie at equal distances from many centres. What rounding leaves of these would decide where a
    search goes, and whoever counts in cents would get other segments than in euros.

    Parameters
    ----------
    points : ndarray of shape (n_points, n_columns)
        Finite numbers.
    counts : ndarray of shape (n_points,)
        What each of the points counts for, 0 or more.

    Returns
    -------
    ndarray of shape (n_points, n_columns)
        The points, centred; the same for a multiple of them, but for numbers that lie just between two steps.

    Examples
    --------
    >>> answers = np.array([[1.0, 2.0], [-2.0, 5.0]])
    >>> without_last_digits(answers, np.ones(2)).tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    >>> two = [without_last_digits(answers * factor, np.array([2.0, 7.0])) for factor in (1, 1 / 3)]
    >>> np.array_equal(*two)
    True
    """
    if not points.size:
        return points
    # halfway between two numbers, and not their mean, whose last digits many roundings have made
    steps = points - (points.min(axis=0) / 2 + points.max(axis=0) / 2)
    steps /= np.abs(steps).max() or 1.0
    steps *= 1 / STEP
    np.rint(steps, out=steps)
    steps *= STEP
    steps -= np.average(steps, axis=0, weights=counts)
    steps += 0.0  # -0.0 becomes 0.0
    return np.asarray(steps)


def _exponent(values: Floats) -> int:
    """Return the exponent of the least power of two above all sizes."""
    largest = max(float(values.max(initial=0.0)), -float(values.min(initial=0.0)))
    return math.frexp(largest)[1] if largest > 0 else 0

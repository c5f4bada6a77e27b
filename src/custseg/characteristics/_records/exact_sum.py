"""Sums of amounts that depend neither on the order of the rows nor on the engine."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeVar

import narwhals.stable.v2 as nw
import numpy as np

from custseg._core.arrays import Floats, Integers

__all__ = ["ExactSum"]

# Amounts are prices, or prices times quantities: no currency has more decimals.
MOST_DECIMALS = 8
_LARGEST_IN_DECIMALS = 2.0**42 / 10.0 ** np.arange(MOST_DECIMALS, -1, -1)
_UNITS = np.append(10.0 ** np.arange(MOST_DECIMALS, -1, -1), 0.0)

# An amount is off the decimal number meant by at most 2**-52 of itself (a price times a quantity), and so is their sum.
_ROUNDING = 2.0**-50

Numbers = TypeVar("Numbers", nw.Expr, Floats)


@dataclass(frozen=True)
class ExactSum:
    """Sums of floats that are the same in any order of rows, on any engine and any number of threads.

    Each amount is split into two whole numbers: ``high`` in steps of ``2**exponent``, ``low`` the
    remainder in steps of ``2**(exponent - low_bits)``. Their sums know no rounding.

    Means know one rounding only. What a customer paid is divided as the decimal number that it is: 9.99
    three times is 29.97, though 9.99 is no binary number, and a third of what stands for 29.97 is not
    what stands for 9.99. Where amounts are no decimal numbers, the exact sum is divided: the mean of an
    amount that comes several times is that amount.
    """

    exponent: int
    low_bits: int

    @classmethod
    def over(cls, largest: float, n_rows: int) -> ExactSum:
        """Choose the finest steps with which sums of ``n_rows`` amounts stay below 2**53 (high) and 2**61 (low)."""
        row_bits = n_rows.bit_length()
        return cls(math.frexp(largest)[1] - (53 - row_bits), 61 - row_bits)

    def split(self, frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        """Add the columns ``high`` and ``low`` for ``amount``."""
        amount, high = nw.col("amount"), nw.col("high")
        frame = frame.with_columns(_scaled(amount, -self.exponent).floor().alias("high"))
        low = _scaled(amount - _scaled(high, self.exponent), self.low_bits - self.exponent)
        return frame.with_columns(low.floor().cast(nw.Int64).alias("low"), high.cast(nw.Int64))

    def parts(self, amounts: Floats) -> tuple[Integers, Integers]:
        """Split amounts as ``split`` does."""
        high = np.floor(_scaled(amounts, -self.exponent))
        low = np.floor(_scaled(amounts - _scaled(high, self.exponent), self.low_bits - self.exponent))
        return high.astype(np.int64), low.astype(np.int64)

    def total(self, high: Integers, low: Integers) -> Floats:
        """Put the sums of both parts together, with a single rounding."""
        return _unscaled(self._in_steps(high, low)[0], self.exponent)

    def mean(self, high: Integers, low: Integers, count: Integers, sizes: Floats | None = None) -> Floats:
        """Divide the sums by whole numbers of at least 1, so that equal amounts have equal means.

        ``sizes`` are the sums of the absolute amounts, where some are negative.
        """
        steps, rest = self._in_steps(high, low)
        sums = _unscaled(steps, self.exponent)
        whole, unit = _in_decimals(sums, sums if sizes is None else sizes)
        left = np.flatnonzero(unit == 0)
        unit[left] = 1.0
        mean: Floats = whole / (unit * count)
        if len(left):
            mean[left] = _unscaled(_divided(steps[left], rest[left], count[left]), self.exponent)
        return mean

    @property
    def largest(self) -> float:
        """A power of 2 that no amount exceeds."""
        return math.ldexp(1.0, min(self.exponent + self.low_bits - 8, 1023))

    def size(self, high: Integers) -> Floats:
        """Return in the unit of the amounts, nearly, what the absolute values of the high parts add up to."""
        return _unscaled(high.astype(np.float64), self.exponent)

    def _in_steps(self, high: Integers, low: Integers) -> tuple[Floats, Floats]:
        """Return the sums in high steps, rounded once, and what that rounded off."""
        # three exact floats; what the sum of the first two rounds off is added to the third
        middle = low >> 30 << 30
        first = high.astype(np.float64)
        second = middle * 2.0**-self.low_bits
        third = (low - middle) * 2.0**-self.low_bits
        rounded = first + second
        shift = rounded - first
        off = (first - (rounded - shift)) + (second - shift) + third
        total: Floats = rounded + off
        return total, off - (total - rounded)


def _divided(sums: Floats, rest: Floats, count: Integers) -> Floats:
    """Divide sums of two floats, the second below the rounding of the first, with a single rounding."""
    quotient: Floats = sums / count
    product = quotient * count
    # the product once more without rounding: a half of the digits times a whole number below 2**26 is exact
    shifted = quotient * (2.0**27 + 1.0)
    upper = shifted - (shifted - quotient)
    missing = (upper * count - product) + (quotient - upper) * count
    divided: Floats = quotient + ((sums - product) - missing + rest) / count
    return divided


def _in_decimals(sums: Floats, sizes: Floats) -> tuple[Floats, Floats]:
    """Return sums in units of their last decimal, and how many of these are 1: 0 where a sum is no decimal number.

    ``sizes`` are what the absolute amounts add up to: their rounding is a share of that.
    """
    # units of a 2**42nd of the size or more: by rounding alone a sum never lies as far from one as a 128th
    unit = _UNITS[np.searchsorted(_LARGEST_IN_DECIMALS, sizes)]
    in_units = np.where(unit > 0, sums, 0.0) * unit
    whole = np.rint(in_units)
    unit[np.abs(in_units - whole) > np.where(unit > 0, _ROUNDING * sizes, 0.0) * unit] = 0.0
    return whole, unit


def _unscaled(numbers: Floats, exponent: int) -> Floats:
    """Multiply by a power of 2 with one rounding at most."""
    # a product is faster, where the power is a double
    return numbers * 2.0**exponent if abs(exponent) <= 1000 else np.ldexp(numbers, exponent)


def _scaled(column: Numbers, exponent: int) -> Numbers:
    """Multiply by a power of 2, which is exact; by two of them where one is no double."""
    if abs(exponent) <= 1000:
        return column * 2.0**exponent
    return column * 2.0 ** (exponent // 2) * 2.0 ** (exponent - exponent // 2)

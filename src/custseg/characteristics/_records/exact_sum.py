"""Sums of amounts that depend neither on the order of the rows nor on the engine."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeVar

import narwhals.stable.v2 as nw
import numpy as np

from custseg._core.arrays import Floats, Integers

__all__ = ["ExactSum"]

Numbers = TypeVar("Numbers", nw.Expr, Floats)


@dataclass(frozen=True)
class ExactSum:
    """Sums of floats that are the same in any order of rows, on any engine and any number of threads.

    Each amount is split into two whole numbers: ``high`` in steps of ``2**exponent``, ``low`` the
    remainder in steps of ``2**(exponent - low_bits)``. Their sums know no rounding.
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
        # three exact floats; what the sum of the first two rounds off is added to the third
        middle = low >> 30 << 30
        first = np.ldexp(high.astype(np.float64), self.exponent)
        second = np.ldexp(middle.astype(np.float64), self.exponent - self.low_bits)
        third = np.ldexp((low - middle).astype(np.float64), self.exponent - self.low_bits)
        rounded = first + second
        shift = rounded - first
        total: Floats = rounded + ((first - (rounded - shift)) + (second - shift) + third)
        return total


def _scaled(column: Numbers, exponent: int) -> Numbers:
    """Multiply by a power of 2, which is exact; by two of them where one is no double."""
    if abs(exponent) <= 1000:
        return column * 2.0**exponent
    return column * 2.0 ** (exponent // 2) * 2.0 ** (exponent - exponent // 2)

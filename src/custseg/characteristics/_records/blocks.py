"""Work in blocks that stay in the processor's cache, and sorting into them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_array

Ints = npt.NDArray[np.signedinteger[Any]]

# lines: few enough for the cache, enough that threads need not wait for each other at every step
BLOCK = 2**17

# odd, without a pattern in its bits: those of the golden ratio
_FACTOR = np.uint64(0x9E3779B97F4A7C15)


def sort_by_counting(numbers: Ints, n_numbers: int, carried: npt.NDArray[Any]) -> tuple[Ints, Ints, npt.NDArray[Any]]:
    """Sort by small whole numbers.

    A sparse matrix is brought into the order of its rows by counting, several times faster than any
    comparison sorts.

    Returns
    -------
    rows : ndarray of int32 or int64
        Where each line stood; lines of equal numbers keep their order.
    ends : ndarray of int32 or int64
        Where the lines of each number begin, and the number of lines.
    carried : ndarray
        Another column of numbers, sorted likewise.
    """
    n_lines = len(numbers)
    dtype = np.int32 if max(n_numbers, n_lines) < 2**31 else np.int64
    by_line = (carried, numbers.astype(dtype, copy=False), np.arange(n_lines + 1, dtype=dtype))
    matrix = csc_array(by_line, shape=(n_numbers, n_lines)).tocsr()
    return matrix.indices, matrix.indptr, matrix.data


def mixed(columns: Sequence[npt.NDArray[Any]], n_bits: int) -> Ints:
    """Mix the numbers of each row to one of so many bits; rows that are equal have one."""
    codes = np.zeros(len(columns[0]), dtype=np.uint64)
    for column in columns:
        codes ^= _bits(column)
        codes *= _FACTOR
        codes ^= codes >> np.uint64(32)
    codes *= _FACTOR
    return (codes >> np.uint64(64 - n_bits)).view(np.int64)


def _bits(column: npt.NDArray[Any]) -> npt.NDArray[np.uint64]:
    if column.dtype.kind != "f":
        return column.astype(np.uint64, copy=False)
    # one zero and one NaN, whatever their bits
    column = column.astype(np.float64, copy=False) + 0.0
    column[np.isnan(column)] = np.nan
    return column.view(np.uint64)

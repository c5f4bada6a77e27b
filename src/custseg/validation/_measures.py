"""How alike two partitions of the same customers are, from their cross table alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import entr

from custseg._core.arrays import Floats
from custseg.segmentation._for_validation import adjusted_rand, best_jaccard, cross_table

__all__ = ["adjusted_rand", "best_jaccard", "cross_table", "origin_shares", "origin_stability"]


def origin_shares(table: npt.NDArray[Any]) -> Floats:
    """Return the shares of each column segment's customers by the row segment they come from.

    NaN for a column segment without customers.
    """
    cells = np.asarray(table, dtype=np.float64)
    totals = cells.sum(axis=0, keepdims=True)
    shares: Floats = np.divide(cells, totals, out=np.full_like(cells, np.nan), where=totals > 0)
    return shares


def origin_stability(table: npt.NDArray[Any]) -> Floats:
    """Return, for each column segment, how far its customers come from one row segment (SLSa [1]_).

    1 minus the entropy of its shares of origin, divided by that of equal shares: 1 where all its
    customers come from one segment, 0 where as many come from each. Only row segments with customers
    count as origins. NaN for a column segment without customers, and where there is one origin only.

    References
    ----------
    .. [1] S. Dolnicar and F. Leisch (2017). Using segment level stability to select target segments in
       data-driven market segmentation studies. Marketing Letters 28, 423-436.
    """
    shares = origin_shares(table)
    n_origins = np.count_nonzero(np.asarray(table).sum(axis=1))
    if n_origins < 2:
        return np.full(shares.shape[1], np.nan)
    # entr is -p log(p), 0 at 0; rounding must not leave [0, 1]
    stability: Floats = np.clip(1.0 - entr(shares).sum(axis=0) / np.log(n_origins), 0.0, 1.0)
    return stability

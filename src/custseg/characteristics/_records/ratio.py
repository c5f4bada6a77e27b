"""Shares and means that are undefined where there is nothing to divide by."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def ratio(part: npt.NDArray[Any], whole: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Divide; NaN where there is nothing to divide by."""
    known = whole > 0
    return np.where(known, part / np.where(known, whole, 1), np.nan)

"""Results as what JSON has."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd


def jsonable(value: Any) -> Any:
    """Turn numpy and pandas values into what JSON has, and what is not a finite number into None.

    A table becomes a list of its rows. What JSON has no word for becomes its text.

    Examples
    --------
    >>> jsonable({"lift": np.float64("inf"), "sizes": np.array([2, 3]), 1: pd.NA})
    {'lift': None, 'sizes': [2, 3], '1': None}
    """
    if isinstance(value, pd.DataFrame):
        value = value.to_dict("records")
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Mapping):
        return {str(name): jsonable(item) for name, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset, np.ndarray)):
        return [jsonable(item) for item in value]
    if value is pd.NA or value is pd.NaT or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value if isinstance(value, (str, bool, int, float, type(None))) else str(value)

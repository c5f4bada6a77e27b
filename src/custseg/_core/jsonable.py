"""Results as what JSON has."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pandas as pd


def jsonable(value: Any) -> Any:
    """Turn numpy and pandas values into what JSON has, and what is not a finite number into None.

    A table becomes a list of its rows, in which an index with a name is a column; a result its parts. What JSON
    has no word for becomes its text, an estimator its ``repr``.

    Examples
    --------
    >>> jsonable({"lift": np.float64("inf"), "sizes": np.array([2, 3]), 1: pd.NA})
    {'lift': None, 'sizes': [2, 3], '1': None}
    """
    value = _opened(value)
    if isinstance(value, Mapping):
        return {str(name): jsonable(item) for name, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [jsonable(item) for item in value]
    if value is pd.NA or value is pd.NaT or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value if isinstance(value, (str, bool, int, float, type(None))) else str(value)


def with_index(frame: pd.DataFrame) -> pd.DataFrame:
    """Make an index that says something, as its name shows, a column."""
    return frame if frame.index.names == [None] else frame.reset_index()


def _opened(value: Any) -> Any:
    """Take what pandas, numpy and dataclasses hold out of them."""
    if isinstance(value, pd.DataFrame):
        return with_index(value).to_dict("records")
    if isinstance(value, pd.Series):
        return value.to_dict()
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    if is_dataclass(value) and not isinstance(value, type):
        # a result says itself which of its parts are figures
        return value.to_dict() if hasattr(value, "to_dict") else {f.name: getattr(value, f.name) for f in fields(value)}
    return value

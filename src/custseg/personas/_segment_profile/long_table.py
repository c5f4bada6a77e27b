"""A table of one row per segment, characteristic and level, put together from its parts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from custseg._core.arrays import Floats
from custseg.personas._statistics import benjamini_hochberg


def long_table(parts: Sequence[dict[str, Any]], texts: Iterable[str]) -> pd.DataFrame:
    """Join parts: arrays of as many rows as their "segment" has, and what is the same in all rows of a part.

    Parameters
    ----------
    parts : sequence of dict of str to object
        The columns of each part, the same in all.
    texts : iterable of str
        The columns that are text.

    Returns
    -------
    pandas.DataFrame
        One part after the other.
    """
    lengths = [len(part["segment"]) for part in parts]
    columns = {
        name: np.concatenate([part[name] for part in parts])
        if isinstance(parts[0][name], np.ndarray)
        else np.repeat(np.array([part[name] for part in parts], dtype=object), lengths)
        for name in parts[0]
    }
    return pd.DataFrame(columns).astype(dict.fromkeys(texts, "str"))


def adjusted(p_values: pd.Series[float], made_segments: pd.Series[bool]) -> Floats:
    """Adjust the p-values of columns that formed the segments, and of the others, each among themselves.

    Columns that formed the segments differ by design: among the descriptors they would let anything pass, and a
    descriptor more or less would move what the segments are named by.
    """
    found = np.full(len(p_values), np.nan)
    for family in (made_segments.to_numpy(dtype=bool), ~made_segments.to_numpy(dtype=bool)):
        found[family] = benjamini_hochberg(p_values.to_numpy()[family])
    return found

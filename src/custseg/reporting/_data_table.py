"""A small table of a report: text and numbers, shown as they are."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from custseg._core.words import format_value, humanise

__all__ = ["DataTable"]


@dataclass(frozen=True)
class DataTable:
    """A small table of text and numbers, shown as it is."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]

    @classmethod
    def of(cls, caption: str, frame: pd.DataFrame) -> DataTable:
        """Take over a frame, its numbers formatted."""
        numeric = tuple(
            pd.api.types.is_numeric_dtype(frame[name]) and not pd.api.types.is_bool_dtype(frame[name])
            for name in frame.columns
        )
        rows = tuple(tuple(map(format_value, row)) for row in frame.itertuples(index=False, name=None))
        return cls(caption, tuple(humanise(list(map(str, frame.columns))).values()), rows, numeric)

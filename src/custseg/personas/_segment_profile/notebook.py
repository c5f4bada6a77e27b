"""A profile in a notebook: segments side by side, in original units."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from custseg._core._html import Html
from custseg._core.notebook import comparison
from custseg._core.words import decimals_of, format_decimals, format_share, known

__all__ = ["side_by_side"]


def side_by_side(
    frame: pd.DataFrame, by_segment: pd.DataFrame, overall: pd.Series[float], effects: pd.DataFrame
) -> Html:
    """Write the figures of each characteristic and level, everyone first, tinted by their effects."""
    kinds = frame.drop_duplicates("characteristic").set_index("characteristic")["kind"]
    rows = []
    for place, (name, level) in enumerate(by_segment.index):
        is_level, kind = level != "", kinds[name]
        own = by_segment.iloc[place].astype("float64").tolist()
        texts = _written([float(overall.iloc[place]), *own], is_share=is_level or kind == "binary")
        effect = effects.iloc[place].astype("float64").fillna(0.0)
        label = f"{name}: {level}" if is_level and kind != "binary" else name
        rows.append((label, texts[0], list(zip(texts[1:], effect, strict=True))))
    return comparison(list(by_segment.columns), rows)


def _written(values: Sequence[float], *, is_share: bool) -> list[str]:
    """Write the figures of a row with one number of decimals; nothing where none may be told."""
    decimals = decimals_of(values)
    return [
        (format_share(each) if is_share else format_decimals(each, decimals)) if known(each) else "" for each in values
    ]

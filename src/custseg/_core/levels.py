"""One reading of levels: what a value is called, whatever type or spelling it comes in."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np

from custseg._core.composed import composed_text


def level_text(value: object) -> str:
    """Write a value as a level: the number 1.0 is the level "1", and text is in composed form."""
    if isinstance(value, str):
        return composed_text(value)
    number: Any = value
    is_float = isinstance(value, (float, np.floating, Decimal))
    is_whole = is_float and np.isfinite(float(number)) and number == int(number)
    return str(int(number)) if is_whole else str(value)

"""Whether a column is still of the kind that it was in ``fit``."""

from __future__ import annotations

import numpy as np

from custseg._core.customers import Column, Kind
from custseg.exceptions import ColumnChangeError, ColumnTypeError

__all__ = ["check_kind"]

_TEXTUAL = ("ordinal", "nominal")


def check_kind(fitted: Kind, column: Column) -> None:
    """Refuse text where numbers were fitted, numbers where text was, and other numbers where 0 and 1 were."""
    if (fitted in _TEXTUAL) != (column.kind in _TEXTUAL) and not column.missing.all():
        raise ColumnChangeError.kind(column.name, fitted, column.kind)
    if fitted != "binary" or column.kind in _TEXTUAL:
        return
    others = column.values[~column.missing & ~np.isin(column.values, (0.0, 1.0))]
    if len(others):
        remedy = "Fit again with the column as it is now, or turn it into bools."
        raise ColumnTypeError.expected(column.name, "0 or 1 as in fit", f"{others[0]:g}", remedy)

"""The customer table with its segment column, in the kind of frame that was asked for."""

from __future__ import annotations

from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import numpy.typing as npt
import pandas as pd

from custseg._core.frames import collect, is_frame, open_table, to_kind, with_index
from custseg._core.ids import DEFAULT_ID
from custseg._core.native import from_native
from custseg._core.optional import require
from custseg._core.paths import is_path
from custseg._core.segments import SEGMENT

__all__ = ["MATRIX", "with_segment"]

MATRIX = "matrix"
"""What goes out where a plain matrix came in and no kind of frame was asked for."""


def with_segment(X: Any, labels: npt.NDArray[np.int64], kind: str, customer_id: str | None, names: list[str]) -> Any:
    """Append the segment to a customer table.

    Parameters
    ----------
    X : DataFrame, path, or array-like
        The customers.
    labels : ndarray of shape (n_customers,)
        Their segments.
    kind : {"pandas", "polars", "pyarrow", "matrix"}
        What to return.
    customer_id : str or None
        The name of the id (None: that of numbered rows) where it moves between pandas index and first column.
    names : list of str
        The names of the columns of a matrix that becomes a frame.

    Returns
    -------
    DataFrame, Table or ndarray
        The table with one more column.
    """
    if is_path(X):
        rows = collect(open_table(X, in_order=True).frame).to_pandas()
        X = rows.set_index(customer_id) if customer_id in rows.columns else rows
    if not is_frame(X):
        matrix = np.asarray(X, dtype=np.float64)
        if kind == MATRIX:
            return np.column_stack([matrix, labels])
        X = pd.DataFrame(matrix, columns=names)
    if isinstance(X, pd.DataFrame):
        return _from_pandas(X.assign(**{SEGMENT: labels}), kind, customer_id)
    frame = from_native(X)
    if isinstance(frame, nw.LazyFrame) and frame.implementation.is_dask() and customer_id is not None:
        frame = with_index(frame, [customer_id])
    eager = frame.collect() if isinstance(frame, nw.LazyFrame) else frame
    column = nw.new_series(SEGMENT, labels, dtype=nw.Int64(), backend=eager.implementation)
    eager = eager.with_columns(column)
    if kind == "pandas":
        table: pd.DataFrame = to_kind(eager, "pandas", None)
        return table.set_index(customer_id) if customer_id in table.columns else table
    return eager.to_polars() if kind == "polars" else eager.to_arrow()


def _from_pandas(table: pd.DataFrame, kind: str, customer_id: str | None) -> Any:
    if kind == "pandas":
        return table
    require(kind, f'set_output(transform="{kind}")')
    if not isinstance(table.index, pd.RangeIndex) or table.index.name is not None:
        table = table.rename_axis(str(table.index.name or customer_id or DEFAULT_ID)).reset_index()
    frame = nw.from_native(table, eager_only=True)
    return frame.to_polars() if kind == "polars" else frame.to_arrow()

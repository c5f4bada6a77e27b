"""Who is in which segment: labels of any kind, brought to the order of the customers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import numpy.typing as npt
import pandas as pd

from custseg._core.customers import CustomerTable
from custseg._core.frames import typed_pandas
from custseg.exceptions import CustomerIdError, InvalidParameterError, SegmentLabelError

__all__ = ["MAX_SEGMENTS", "SegmentOf", "segment_of"]

MAX_SEGMENTS = 1_000
"""With more different labels, something else than segments was passed, such as ids."""

NOT_ASSIGNED = -1

_WORDS = "one label per customer: whole numbers or text (-1, None or NaN for not assigned)"


@dataclass(frozen=True)
class SegmentOf:
    """The segment of every customer.

    Attributes
    ----------
    codes : ndarray of shape (n_customers,)
        The position of the customer's segment in ``names``; -1 where the customer is in none.
    names : pandas.Index
        The labels of the segments, sorted.
    """

    codes: npt.NDArray[np.int64]
    names: pd.Index[Any]


def segment_of(who: str, labels: Any, X: Any, table: CustomerTable, customer_id: str) -> SegmentOf:
    """Read labels and bring them to the order of the customers.

    A pandas Series that bears the index of ``X``, and labels without an index, stand in the order of the rows;
    any other Series is aligned by the ids of the customers where they have some.

    Parameters
    ----------
    who : str
        Who asks, for messages.
    labels : array-like or Series of shape (n_customers,)
        Whole numbers, text, bools or categories; -1 and missing values for customers in no segment.
    X : object
        The customers as they were passed.
    table : CustomerTable
        The customers as they were read.
    customer_id : str
        The name of the ids.

    Returns
    -------
    SegmentOf
        A segment for each row of ``X``.

    Raises
    ------
    SegmentLabelError
        If there are more or fewer labels than customers.
    CustomerIdError
        If labels cannot be aligned, because an id is missing or there twice.
    InvalidParameterError
        If the labels are of another kind, or there are fewer than 2 segments, or more than 1,000.
    ColumnTypeError
        If the labels are a mixture of numbers and text.
    """
    series = typed_pandas(_series(who, labels).rename("labels"), who)
    n_rows, ids = table.n_customers, table.ids
    if len(series) != n_rows:
        raise SegmentLabelError(
            f"{who} got {len(series)} labels and {n_rows} customers; they must match. "
            "Pass the labels of these customers."
        )
    if ids is not None and isinstance(labels, pd.Series):
        series = _aligned(who, series, X, ids, customer_id)
    series = _whole(who, series)
    assigned = ~(series.isna() | (series == NOT_ASSIGNED)).to_numpy(dtype=bool, na_value=True)
    codes = np.full(n_rows, -1, dtype=np.int64)
    codes[assigned], names = pd.factorize(series[assigned], sort=True)
    if not 2 <= len(names) <= MAX_SEGMENTS:
        words = f"of 2 to {MAX_SEGMENTS:,} segments with customers (-1, None and NaN are none)"
        raise InvalidParameterError.not_allowed(who, "labels", words, f"{len(names):,} segment(s)")
    return SegmentOf(codes, pd.Index(names, name="segment"))


def _series(who: str, labels: Any) -> pd.Series[Any]:
    if isinstance(labels, pd.Series):
        return labels
    native = nw.from_native(labels, series_only=True, pass_through=True)
    if isinstance(native, nw.Series):
        return pd.Series(native.to_list(), dtype=object)
    if isinstance(labels, (pd.Index, pd.api.extensions.ExtensionArray)):
        return pd.Series(labels)
    # numpy would make text of a list's missing values
    values = labels if isinstance(labels, np.ndarray) else np.asarray(labels, dtype=object)
    if values.ndim != 1:
        raise InvalidParameterError.not_allowed(
            who, "labels", _WORDS, f"{type(labels).__name__} of shape {values.shape}"
        )
    return pd.Series(values)


def _aligned(who: str, series: pd.Series[Any], X: Any, ids: npt.NDArray[Any], customer_id: str) -> pd.Series[Any]:
    """Bring labels by customer id to the order of the customers."""
    index = series.index
    rows = X.index if isinstance(X, pd.DataFrame) else pd.RangeIndex(len(ids))
    if index.equals(pd.Index(ids)) or (index.name != customer_id and index.equals(rows)):
        return series
    for what, found in (("customers", pd.Index(ids)), ("labels", index)):
        if not found.is_unique:
            example = found[found.duplicated()].tolist()[0]
            raise CustomerIdError(
                f"{who}: the index of the labels is not that of the customers, and they cannot be aligned by id: the "
                f"{what} have the id {example!r} more than once. Keep one row for each customer."
            )
    places = index.get_indexer(pd.Index(ids))
    if (places < 0).any():
        example = ids[places < 0].tolist()[0]
        raise CustomerIdError(
            f"{who}: {int((places < 0).sum())} customer(s) are not in the index of the labels, for example "
            f"{example!r}. Pass labels by customer id, or labels.to_numpy() if they stand in the order of the rows."
        )
    return series.iloc[places]


def _whole(who: str, series: pd.Series[Any]) -> pd.Series[Any]:
    """Refuse labels that are neither whole numbers nor text; whole floats become integers."""
    if isinstance(series.dtype, pd.CategoricalDtype):
        return series
    if pd.api.types.is_float_dtype(series.dtype):
        known = series.dropna()
        if not np.isfinite(known).all() or (known % 1 != 0).any():
            raise InvalidParameterError.not_allowed(who, "labels", _WORDS, "fractions")
        return series.astype("Int64")
    kinds = (pd.api.types.is_integer_dtype, pd.api.types.is_bool_dtype, pd.api.types.is_string_dtype)
    if not any(is_kind(series.dtype) for is_kind in kinds):
        raise InvalidParameterError.not_allowed(who, "labels", _WORDS, f"values of type {series.dtype}")
    return series

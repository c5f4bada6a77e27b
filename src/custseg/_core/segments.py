"""The one reader of labels: who is in which segment, wherever the labels come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from custseg._core.arrays import Integers
from custseg._core.asking import asked
from custseg._core.composed import composed_series, composed_text, composed_values, merged_levels
from custseg._core.customers import Column, CustomerTable
from custseg._core.exact import refuse_inexact_ids
from custseg._core.levels import level_text
from custseg._core.pandas_columns import typed_pandas
from custseg.exceptions import CustomerIdError, SegmentLabelError

__all__ = [
    "MAX_SEGMENTS",
    "NOT_ASSIGNED",
    "NOT_ASSIGNED_WORDS",
    "SEGMENT",
    "Segments",
    "aligned",
    "column_of_labels",
    "known_segments",
    "read_segments",
]

SEGMENT = "segment"
"""The column of labels, where it has no other name."""

NOT_ASSIGNED = -1
"""The label of a customer in no segment, ..."""
NOT_ASSIGNED_WORDS = "not assigned"
"""... and its name."""

MAX_SEGMENTS = 1_000
"""With more different labels, something else than segments was passed, such as ids."""


@dataclass(frozen=True)
class Segments:
    """The segment of every customer.

    Attributes
    ----------
    codes : ndarray of shape (n_customers,)
        The position of the customer's segment in ``levels``; -1 where the customer is in none.
    levels : pandas.Index
        The labels of the segments, sorted; of segments with names, the names in their order.
    names : tuple of str or None
        The labels as text, where they say more than their position: None where they are the whole numbers
        from 0 without a gap, as every clusterer gives them.
    """

    codes: Integers
    levels: pd.Index[Any]
    names: tuple[str, ...] | None

    @property
    def n_segments(self) -> int:
        """The number of segments."""
        return len(self.levels)


def read_segments(
    labels: Any,
    table: CustomerTable,
    *,
    X: Any = None,
    customer_id: str | None = None,
    names: Sequence[str] = (),
) -> Segments:
    """Read labels and bring them to the order of the customers.

    A pandas Series that bears other ids than its place is aligned by the ids of the customers; labels without an
    index, and a Series that bears the index of ``X``, stand in the order of the rows.

    Parameters
    ----------
    labels : array-like or Series of shape (n_customers,)
        Whole numbers, text, bools or categories. -1, "not assigned" and missing values are for customers in no
        segment. The whole numbers 0..k-1 are segments by position; any other labels become names, sorted.
    table : CustomerTable
        The customers as they were read.
    X : object, default=None
        The customers as they were passed.
    customer_id : str or None, default=None
        The name of the ids.
    names : sequence of str, default=()
        The names of the segments, where they have some: then labels are positions in it or names of it, and a segment
        may be empty.

    Returns
    -------
    Segments
        A segment for each row.

    Raises
    ------
    SegmentLabelError
        If there are more or fewer labels than customers; if they are neither whole numbers nor text; if nobody is
        in a segment; if there are more than 1,000 segments, or a label has no name.
    CustomerIdError
        If labels cannot be aligned, because an id is missing or there twice.
    ColumnTypeError
        If the labels are a mixture of numbers and text.
    """
    if isinstance(labels, pd.DataFrame) and labels.shape[1] == 1:
        labels = labels.iloc[:, 0]  # its index bears the ids, as that of a Series does
    series = typed_pandas(_series(labels).rename("labels"))
    if len(series) != table.n_customers:
        raise SegmentLabelError.length(len(series), table.n_customers)
    if table.ids is not None and isinstance(labels, pd.Series):
        series = aligned("labels", series, table.ids, X=X, customer_id=customer_id)
    return _numbered(_checked(series), names)


def column_of_labels(column: Column) -> Any:
    """Return the labels in a column of a customer table, as an array in the order of the rows."""
    if column.categories:
        levels = np.array([*column.categories, None], dtype=object)
        return pd.array(levels[column.values], dtype="str")
    if column.pair:  # the words themselves, which are the names of the segments
        yes, no = column.pair
        spelt = {1.0: yes, 0.0: no}
        return pd.array([spelt.get(value) for value in column.values.tolist()], dtype="str")
    return pd.array(column.values, dtype="boolean" if column.kind == "binary" else "Float64")


def _series(labels: Any) -> pd.Series[Any]:
    if isinstance(labels, pd.Series):
        return labels
    native = nw.from_native(labels, series_only=True, pass_through=True)
    if isinstance(native, nw.Series):
        return pd.Series(native.to_list(), dtype=object)
    if isinstance(labels, (pd.Index, pd.api.extensions.ExtensionArray)):
        return pd.Series(labels)
    # numpy would make text of a list's missing values
    values = labels if isinstance(labels, np.ndarray) else np.asarray(labels, dtype=object)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise SegmentLabelError.not_labels(f"{type(labels).__name__} of shape {values.shape}")
    return pd.Series(values)


def aligned(
    what: str, series: pd.Series[Any], ids: Any, *, X: Any = None, customer_id: str | None = None
) -> pd.Series[Any]:
    """Bring a Series by customer id to the order of the customers; one with the index of ``X`` stands in it."""
    index = series.index
    rows = X.index if isinstance(X, pd.DataFrame) else pd.RangeIndex(len(ids))
    named_as_ids = customer_id is not None and index.name == customer_id
    if not named_as_ids and index.equals(rows):
        return series
    refuse_inexact_ids(f"index of the {what}", index.to_numpy())
    index = pd.Index(composed_values(index.to_numpy(), f"index of the {what}"))
    if index.equals(pd.Index(ids)):
        return series
    for whose, found in (("customers", pd.Index(ids)), (what, index)):
        if not found.is_unique:
            example = found[found.duplicated()].tolist()[0]
            raise CustomerIdError(
                f"{asked()}: the index of the {what} is not that of the customers, and they cannot be aligned by id: "
                f"the {whose} have the id {example!r} more than once. Keep one row for each customer."
            )
    places = index.get_indexer(pd.Index(ids))
    if (places < 0).any():
        example = pd.Index(ids)[places < 0].tolist()[0]
        raise CustomerIdError(
            f"{asked()}: {int((places < 0).sum())} customer(s) are not in the index of the {what}, for example "
            f"{example!r}. Pass {what} by customer id, or {what}.to_numpy() if they stand in the order of the rows."
        )
    in_order: pd.Series[Any] = series.iloc[places]
    return in_order


def _checked(series: pd.Series[Any]) -> pd.Series[Any]:
    """Return whole numbers or text, missing for customers in no segment; refuse any other kind."""
    if isinstance(series.dtype, pd.CategoricalDtype):
        if not pd.api.types.is_integer_dtype(series.cat.categories):
            # their own order stays
            codes = series.cat.codes.to_numpy().astype(np.int64)
            codes, levels = merged_levels(codes, map(level_text, series.cat.categories))
            categories = pd.CategoricalDtype(list(levels), ordered=series.cat.ordered)
            named = pd.Series(pd.Categorical.from_codes(codes, dtype=categories), index=series.index)
            return named.where(~named.isin(_NOBODY))
        series = series.astype("Int64")
    dtype = series.dtype
    if pd.api.types.is_float_dtype(dtype):
        known = series.dropna()
        if not np.isfinite(known).all() or (known % 1 != 0).any():
            raise SegmentLabelError.not_labels("fractions")
        series = series.astype("Int64")
    elif pd.api.types.is_bool_dtype(dtype):
        return series.astype("boolean").astype("str").where(series.notna())
    elif not pd.api.types.is_integer_dtype(dtype):
        if not pd.api.types.is_string_dtype(dtype):
            raise SegmentLabelError.not_labels(f"values of type {dtype}")
        series = pd.Series(composed_series(nw.from_native(series, series_only=True)).to_native())
        return series.where(~series.isin(_NOBODY))
    if (series < NOT_ASSIGNED).any():
        raise SegmentLabelError.not_labels(f"the label {series.min()}")
    return series.astype("Int64").where(series != NOT_ASSIGNED)


_NOBODY = (NOT_ASSIGNED_WORDS, str(NOT_ASSIGNED), "")


def _numbered(series: pd.Series[Any], names: Sequence[str]) -> Segments:
    if names:
        return _of_names(series, names)
    assigned = series.notna().to_numpy(dtype=bool)
    codes = np.full(len(series), NOT_ASSIGNED, dtype=np.int64)
    codes[assigned], levels = pd.factorize(series[assigned], sort=True)
    if not len(levels):
        raise SegmentLabelError.none_assigned(len(series))
    if len(levels) > MAX_SEGMENTS:
        raise SegmentLabelError.too_many(len(levels), MAX_SEGMENTS)
    levels = pd.Index(levels.tolist(), name=SEGMENT)
    are_positions = levels.equals(pd.RangeIndex(len(levels)))
    return Segments(codes, levels, None if are_positions else tuple(map(level_text, levels)))


def _of_names(series: pd.Series[Any], names: Sequence[str]) -> Segments:
    codes, unnamed = _places(series, names, by_position=True)
    if unnamed:
        raise SegmentLabelError.unnamed(unnamed, names)
    if (codes == NOT_ASSIGNED).all():
        raise SegmentLabelError.none_assigned(len(series))
    return Segments(codes, pd.Index(names, name=SEGMENT), tuple(names))


def known_segments(labels: Any, names: Sequence[str], *, by_position: bool) -> Integers:
    """Return the position of each label among segments that are known already; -1 for customers in none.

    ``names`` are the names of the segments, or their labels as text; whole numbers are positions in them where
    ``by_position`` says so, else labels as well.
    """
    series = _checked(typed_pandas(_series(labels).rename("labels")))
    codes, unknown = _places(series, names, by_position=by_position)
    if unknown:
        raise SegmentLabelError.unknown(unknown, names)
    return codes


def _places(series: pd.Series[Any], names: Sequence[str], *, by_position: bool) -> tuple[Integers, list[Any]]:
    """Return positions in the names, -1 for customers in no segment, and the labels that are none of them."""
    assigned = series.notna().to_numpy(dtype=bool)
    known = series[assigned]
    codes = np.full(len(series), NOT_ASSIGNED, dtype=np.int64)
    if by_position and pd.api.types.is_integer_dtype(series.dtype):
        found = known.to_numpy(dtype=np.int64)
        odd = found >= len(names)
    else:
        found = pd.Index(list(map(composed_text, names))).get_indexer(pd.Index(known.astype("str")))
        odd = found < 0
    codes[assigned] = found
    return codes, sorted(set(known[odd].tolist()))

"""Every characteristic of every segment against everyone else, as one table."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from custseg._core.arrays import Bools, Floats, Integers
from custseg._core.customers import Column, CustomerTable
from custseg._core.disclosure import enter
from custseg._core.in_threads import in_threads
from custseg.personas._columns import COMPARISONS, TEXTS, VALUES, ColumnProfile, profile_column
from custseg.personas._segment_profile.contrast import Figures
from custseg.personas._segment_profile.long_table import adjusted, long_table

PROFILE_COLUMNS = (
    "segment",
    "characteristic",
    "level",
    "kind",
    "statistic",
    "segment_value",
    "rest_value",
    "segment_category",
    "rest_category",
    "effect_size",
    "v_test",
    "p_value",
    "p_adjusted",
    "lift",
    "difference_pp",
    "marker",
    "eta2",
    "missing_share",
    "missing_share_rest",
    "clustered_on",
)


@dataclass(frozen=True)
class Profile:
    """What was computed of the segments that may be described.

    Attributes
    ----------
    frame : pandas.DataFrame
        One row per segment, characteristic and named level.
    typical : dict of str to list
        For each characteristic its median or mode in each segment; None where too few are known.
    rare_levels : dict of str to int
        Number of levels left unnamed, per nominal characteristic that has any.
    known : dict of str to ndarray
        For each characteristic the share of the customers of each segment of whom it is known.
    table : CustomerTable
        The customers.
    labels : ndarray of shape (n_customers,)
        Their segments.
    """

    frame: pd.DataFrame
    typical: dict[str, list[Any]]
    rare_levels: dict[str, int]
    known: dict[str, Floats]
    table: CustomerTable
    labels: Integers

    def told_of(self, name: str) -> Bools:
        """Return who enters the figures of a characteristic: those of whom it is known in segments that are told of."""
        known, told = ~self.table[name].missing, self.known[name] > 0
        return known if told.all() else known & told[self.labels]


def profile_customers(
    table: CustomerTable,
    labels: Integers,
    n_segments: int,
    *,
    min_group_size: int,
    clustered_on: Collection[str],
    beside: Integers | None = None,
) -> Profile:
    """Profile segments 0..n_segments-1; every customer of the table is in one of them.

    Of whom the figures of the segments ``beside`` do not tell none here tells either.

    No figure rests on fewer than ``min_group_size`` customers, or on one of them for the most part: what does is NaN,
    its customers count as unknown, and a level that fewer have is not named (:mod:`custseg._core.disclosure`).
    """
    order = np.argsort(labels, kind="stable")
    unsorted, by_segment = _Rows(labels, beside), _Rows(labels[order], None if beside is None else beside[order])

    def profile(column: Column) -> tuple[ColumnProfile, Floats, dict[str, Any]]:
        # what is only counted need not be sorted
        is_sorted = column.kind == "numeric"
        rows, own = (by_segment, column.take(order)) if is_sorted else (unsorted, column)
        part, known = _profile(own, rows, n_segments, min_group_size)
        laid_out = _rows(column, part.figures, known, sizes)
        return part, known / sizes, laid_out | {"clustered_on": column.name in clustered_on}

    sizes = np.bincount(labels, minlength=n_segments)
    parts, shares, rows = zip(*in_threads(profile, table.columns, n_rows=len(labels)), strict=True)
    return Profile(
        _tested(long_table(list(rows), ("characteristic", "kind", *TEXTS))),
        {name: part.typical for name, part in zip(table.names, parts, strict=True)},
        {name: part.n_rare for name, part in zip(table.names, parts, strict=True) if part.n_rare},
        dict(zip(table.names, shares, strict=True)),
        table,
        labels,
    )


@dataclass(frozen=True)
class _Rows:
    """The segments of customers, and the segments beside them."""

    labels: Integers
    beside: Integers | None


def _profile(column: Column, rows: _Rows, n_segments: int, min_group_size: int) -> tuple[ColumnProfile, Integers]:
    """Profile one characteristic; return too of how many in each segment it is known and may be told."""
    labels, beside = rows.labels, rows.beside
    numbers = np.asarray(column.values, dtype=np.float64) if column.kind == "numeric" else None
    known = ~column.missing
    if beside is not None:
        known = enter(known, beside, int(beside.max()) + 1, min_group_size, numbers)
    told = enter(known, labels, n_segments, min_group_size, numbers)
    if not told.all():
        column, labels = column.take(told), labels[told]
    part = profile_column(column, labels, n_segments, min_group_size)
    if beside is not None and column.kind in ("binary", "nominal"):
        _hide_beside(part.figures, column, beside[told], min_group_size)
    return part, np.bincount(labels, minlength=n_segments)


def _tested(frame: pd.DataFrame) -> pd.DataFrame:
    """Put the segments in order and adjust the p-values of each family of tests."""
    frame = frame.sort_values("segment", kind="stable", ignore_index=True).astype({"clustered_on": "bool"})
    frame["p_adjusted"] = adjusted(frame["p_value"], frame["clustered_on"])
    return frame[list(PROFILE_COLUMNS)]


def empty_profile() -> Profile:
    """Return the profile of nobody: no segment is large enough to be described."""
    nobody = CustomerTable((), 0), np.array([], dtype=np.int64)
    return Profile(pd.DataFrame(columns=list(PROFILE_COLUMNS)), {}, {}, {}, *nobody)


def _hide_beside(figures: Figures, column: Column, labels: Integers, min_group_size: int) -> None:
    """Blank the shares of everyone that are hidden of any of the segments beside, which ``labels`` are."""
    n_segments = int(labels.max(initial=-1)) + 1
    apart = profile_column(column, labels, n_segments, min_group_size).figures["segment_value"]
    known = np.bincount(labels, minlength=n_segments) > 0
    figures["segment_value"][:, np.isnan(apart[known]).any(axis=0)] = np.nan


def _rows(column: Column, figures: Figures, known: Integers, sizes: Integers) -> dict[str, Any]:
    """Lay one characteristic out as columns, segments running fastest."""
    n_segments, n_levels = figures["effect_size"].shape
    unknown = sizes - known
    with np.errstate(invalid="ignore"):
        missing = unknown / sizes
        missing_rest = (unknown.sum() - unknown) / (sizes.sum() - sizes)
    return {
        "segment": np.tile(np.arange(n_segments), n_levels),
        "characteristic": column.name,
        "kind": column.kind,
        "missing_share": np.tile(missing, n_levels),
        "missing_share_rest": np.tile(missing_rest, n_levels),
        **{name: figures[name].T.ravel() for name in (*VALUES, *COMPARISONS, *TEXTS)},
    }

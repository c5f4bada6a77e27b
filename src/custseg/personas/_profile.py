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
from custseg.personas._columns import COMPARISONS, TEXTS, VALUES, profile_column
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
        The customers, sorted by segment.
    labels : ndarray of shape (n_customers,)
        Their segments.
    told : dict of str to ndarray
        Who enters the figures of each characteristic, where that is not everyone.
    """

    frame: pd.DataFrame
    typical: dict[str, list[Any]]
    rare_levels: dict[str, int]
    known: dict[str, Floats]
    table: CustomerTable
    labels: Integers
    told: dict[str, Bools]

    def told_of(self, name: str) -> Bools:
        """Return who enters the figures of a characteristic."""
        return self.told.get(name, np.ones(len(self.labels), dtype=bool))


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
    table, labels = table.take(order), labels[order]
    beside = None if beside is None else beside[order]
    sizes = np.bincount(labels, minlength=n_segments)
    parts, rows, shares, not_all = {}, [], {}, {}
    for column in table.columns:
        numbers = np.asarray(column.values, dtype=np.float64) if column.kind == "numeric" else None
        known = ~column.missing
        if beside is not None:
            known = enter(known, beside, int(beside.max()) + 1, min_group_size, numbers)
        told = enter(known, labels, n_segments, min_group_size, numbers)
        if told.all():
            part = profile_column(column, labels, n_segments, min_group_size)
        else:
            part = profile_column(column.take(told), labels[told], n_segments, min_group_size)
            not_all[column.name] = told
        if beside is not None and column.kind in ("binary", "nominal"):
            _hide_beside(part.figures, column.take(told), beside[told], min_group_size)
        parts[column.name] = part
        unknown = np.bincount(labels[~told], minlength=n_segments)
        shares[column.name] = 1.0 - unknown / sizes
        rows.append(_rows(column, part.figures, sizes, unknown) | {"clustered_on": column.name in clustered_on})
    return Profile(
        _tested(long_table(rows, ("characteristic", "kind", *TEXTS))),
        {name: part.typical for name, part in parts.items()},
        {name: part.n_rare for name, part in parts.items() if part.n_rare},
        shares,
        table,
        labels,
        not_all,
    )


def _tested(frame: pd.DataFrame) -> pd.DataFrame:
    """Put the segments in order and adjust the p-values of each family of tests."""
    frame = frame.sort_values("segment", kind="stable", ignore_index=True).astype({"clustered_on": "bool"})
    frame["p_adjusted"] = adjusted(frame["p_value"], frame["clustered_on"])
    return frame[list(PROFILE_COLUMNS)]


def empty_profile() -> Profile:
    """Return the profile of nobody: no segment is large enough to be described."""
    nobody = CustomerTable((), 0), np.array([], dtype=np.int64)
    return Profile(pd.DataFrame(columns=list(PROFILE_COLUMNS)), {}, {}, {}, *nobody, {})


def _hide_beside(figures: Figures, column: Column, labels: Integers, min_group_size: int) -> None:
    """Blank the shares of everyone that are hidden of any of the segments beside, which ``labels`` are."""
    n_segments = int(labels.max(initial=-1)) + 1
    apart = profile_column(column, labels, n_segments, min_group_size).figures["segment_value"]
    known = np.bincount(labels, minlength=n_segments) > 0
    figures["segment_value"][:, np.isnan(apart[known]).any(axis=0)] = np.nan


def _rows(column: Column, figures: Figures, sizes: Integers, unknown: Integers) -> dict[str, Any]:
    """Lay one characteristic out as columns, segments running fastest."""
    n_segments, n_levels = figures["effect_size"].shape
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

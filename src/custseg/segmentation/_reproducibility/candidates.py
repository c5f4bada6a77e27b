"""Which numbers of segments are worth a look."""

from __future__ import annotations

import numpy as np

from custseg._core.customers import CustomerTable

__all__ = ["candidates", "n_distinct"]

# With fewer different customers for each group, a bootstrap sample may not even hold all groups.
CUSTOMERS_PER_GROUP = 10
# Segments that must all be as large as can be leave refits no room: repeated customers are never split.
ROOM = 0.8


def candidates(distinct: int, *, max_segments: int, min_segment_share: float, min_segments: int = 1) -> tuple[int, ...]:
    """Return the numbers worth a look, the least one that is wanted among them whatever there is.

    Parameters
    ----------
    distinct : int
        How many customers differ.
    max_segments, min_segment_share, min_segments : object
        The limits.

    Returns
    -------
    tuple of int
        From 2 on, ascending; empty where there is no room for two groups and nobody asked for them.
    """
    by_share = int(ROOM / min_segment_share + 1e-9) if min_segment_share > 0 else distinct
    largest = min(max_segments, by_share, distinct // CUSTOMERS_PER_GROUP)
    wanted = {min_segments} if 1 < min_segments <= distinct else set()
    return tuple(sorted({*range(2, largest + 1), *wanted}))


def n_distinct(table: CustomerTable) -> int:
    """Count the customers who differ."""
    used = [np.where(column.missing, -np.inf, column.values) for column in table.columns]
    return len(np.unique(np.column_stack(used), axis=0))

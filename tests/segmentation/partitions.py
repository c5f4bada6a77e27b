"""All partitions of a few points, of which a search has to find the best."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np

from custseg._core.arrays import Integers


def partitions(n_points: int, n_clusters: int) -> Iterator[Integers]:
    """Each partition once, as labels that are numbered as they appear."""
    for others in product(range(n_clusters), repeat=n_points - 1):
        labels = np.array([0, *others])
        highest = np.maximum.accumulate(labels)
        if highest[-1] == n_clusters - 1 and (np.diff(highest) <= 1).all():
            yield labels

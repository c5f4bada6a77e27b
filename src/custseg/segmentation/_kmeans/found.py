"""What a search for the best partition came to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from custseg._core.arrays import Floats, Integers

__all__ = ["ROUNDING", "Found", "are_best"]

# Restarts whose SSE differs by less than this share have reached the same result for all purposes.
SAME_RESULT = 1e-4
# By so large a share of the total sum of squares rounding may tell two of them apart.
ROUNDING = 1e-12


@dataclass(frozen=True)
class Found:
    """The best partition that a search has found.

    Attributes
    ----------
    labels : ndarray of shape (n_points,)
        The cluster of each point.
    restarts : ndarray of shape (n_init,)
        The SSE that each restart ended at; infinite for one that was given up, since others were far ahead.
    n_iterations : int
        Lloyd's iterations, those of all starts together.
    is_confirmed : bool
        Whether starts or searches that knew nothing of each other ended there.
    """

    labels: Integers
    restarts: Floats
    n_iterations: int
    is_confirmed: bool


def are_best(sse: Floats, total: float) -> npt.NDArray[np.bool_]:
    """Say which results are as good as the best one."""
    return np.asarray(sse <= sse.min() * (1.0 + SAME_RESULT) + ROUNDING * total)

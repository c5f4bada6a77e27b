"""Who the generated customers are: their segments, and latent variables that depend on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from custseg._core.arrays import Floats


@dataclass(frozen=True)
class Population:
    """Customers with their true segments, from which every table is drawn.

    Attributes
    ----------
    labels : ndarray of int64 of shape (n_customers,)
        The segment of each customer.
    n_segments : int
        The number of segments.
    separation : float
        Standard deviation of the segment means of a structured latent variable.
    """

    labels: npt.NDArray[np.int64]
    n_segments: int
    separation: float

    @property
    def ids(self) -> npt.NDArray[np.int64]:
        """The customer ids, 1 to n_customers."""
        return np.arange(1, len(self.labels) + 1)

    def latents(self, count: int, rng: np.random.RandomState, *, structured: bool = True) -> Floats:
        """Draw latent variables, of shape (n_customers, count).

        The segment means are scaled to the stated standard deviation exactly, so that two seeds
        differ in where the segments lie, not in how far apart they are.
        """
        noise = rng.standard_normal((len(self.labels), count))
        if not structured or self.n_segments == 1:
            return noise
        means = rng.standard_normal((self.n_segments, count))
        means -= means.mean(axis=0)
        means /= means.std(axis=0, ddof=1)
        return self.separation * means[self.labels] + noise

"""What stability under the bootstrap says: of a number of segments, and of each segment."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from custseg._core.asking import asking
from custseg._core.results import Result
from custseg.exceptions import InvalidParameterError
from custseg.segmentation._for_validation import STABLE_ADJUSTED_RAND as _ADJUSTED_RAND
from custseg.segmentation._for_validation import STABLE_SEGMENT as _SEGMENT
from custseg.segmentation._for_validation import Agreement, Standing, standard_error
from custseg.validation._flows import flow_frame

__all__ = ["STABLE_ADJUSTED_RAND", "STABLE_SEGMENT", "StabilityResult"]

STABLE_ADJUSTED_RAND = _ADJUSTED_RAND
"""Mean adjusted Rand index over the pairs from which a number of segments counts as stable.

It is the level at which Hennig (2007) calls a cluster stable, applied to whole partitions.
"""

STABLE_SEGMENT = _SEGMENT
"""Mean Jaccard coefficient (SLSw) below which a segment counts as not found again.

Hennig (2007), Cluster-wise assessment of cluster stability, Computational Statistics & Data Analysis 52, 258-271:
a cluster below .6 should not be trusted, one between .6 and .75 shows a pattern, one above .75 is stable.
"""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class StabilityResult(Result):
    """What :func:`bootstrap_stability` found.

    Attributes
    ----------
    numbers : tuple of int
        The numbers of segments that were tried, ascending.
    adjusted_rand : ndarray of shape (n_tried, n_pairs)
        For each number of segments and each pair of bootstrap samples, the adjusted Rand index
        between the two solutions' labels of all customers; NaN beyond the pairs of a number that was refitted less.
    segments : pandas.DataFrame
        One row per number of segments and segment of the reference solution, which is fitted on all
        customers: ``n_segments``; ``segment``, its label; ``n_customers``; ``slsw``, its stability
        within the solution (0 for a segment that the clusterer left empty); ``slsw_error``, its standard error;
        ``slsa``, its stability
        across solutions, from 0 (as many of its customers come from each segment of the next smaller
        number tried) to 1 (all come from one), and NaN where nothing can be said: for the smallest
        number, and for an empty segment; ``relabelled``, the label it bears where labels are
        carried over from each number to the next, so that one label is one group of customers as far as
        that goes. Labels of the smallest number stay; a segment that takes over none gets the next
        number that was never borne.
    reference_labels : dict of int to ndarray of shape (n_customers,)
        For each number of segments, the labels of the reference solution, in the order of the table.
    flows : pandas.DataFrame
        One row per pair of segments of the reference solutions of successive numbers tried:
        ``from_n_segments``, ``from_segment``, ``n_segments``, ``segment`` (labels as in the column
        ``segment`` above), ``n_customers``, and ``share``, of the customers of ``segment`` those who come
        from ``from_segment`` (NaN where it is empty).
    optimiser_adjusted_rand : ndarray of shape (n_tried, n_refits)
        For each number of segments and each of the first pairs, the adjusted Rand index between two
        solutions of the pair's first sample that differ by their seed alone; 1 where a clusterer has none.
    n_cells : int or None
        The number of cells of customers among which refits by k-means begin to look for segments; that of different
        customers where these are few. None where the clusterer was fitted on the customers of each sample.
    cell_loss : float
        What these cells cost: by which share the sum of squares around segments is higher, in the samples of the first
        pair and on average over 3 and 8 segments, than after a longer search among many more cells. 0 where each
        different customer is a cell, and where there are none.
    """

    numbers: tuple[int, ...]
    adjusted_rand: npt.NDArray[np.float64]
    segments: pd.DataFrame
    reference_labels: dict[int, npt.NDArray[np.int64]]
    flows: pd.DataFrame = field(default_factory=lambda: flow_frame((), ()))
    optimiser_adjusted_rand: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0)))
    n_cells: int | None = None
    cell_loss: float = 0.0

    @classmethod
    def empty(cls) -> StabilityResult:
        """Return a result without any number of segments, for customers too few to be drawn again."""
        segments = pd.DataFrame(
            {
                "n_segments": np.zeros(0, dtype=np.int64),
                "segment": np.zeros(0, dtype=np.int64),
                "n_customers": np.zeros(0, dtype=np.int64),
                "slsw": np.zeros(0),
                "slsw_error": np.zeros(0),
                "slsa": np.zeros(0),
                "relabelled": np.zeros(0, dtype=np.int64),
            }
        )
        return cls(numbers=(), adjusted_rand=np.zeros((0, 0)), segments=segments, reference_labels={})

    def _without_customers(self, n_customers: int) -> StabilityResult:
        return replace(self, reference_labels={})

    @property
    def n_pairs(self) -> int:
        """The number of pairs of bootstrap samples, of the number of segments that was refitted most often."""
        return int(self.adjusted_rand.shape[1])

    def n_pairs_of(self, n_segments: int) -> int:
        """Return the number of pairs of bootstrap samples that were cut into so many segments.

        Parameters
        ----------
        n_segments : int
            One of the numbers of segments that were tried.

        Returns
        -------
        int
            The number of pairs.
        """
        return len(self._pairs_of(n_segments))

    @property
    def mean_adjusted_rand(self) -> pd.Series[float]:
        """The mean adjusted Rand index over the pairs, by number of segments."""
        return self._by_number([float(self._pairs_of(k).mean()) for k in self.numbers], "mean_adjusted_rand")

    @property
    def mean_optimiser_adjusted_rand(self) -> pd.Series[float]:
        """The mean agreement between two solutions of the same sample, by number of segments.

        NaN where no sample was solved twice.
        """
        return self._by_number(self._means(self.optimiser_adjusted_rand), "mean_optimiser_adjusted_rand")

    @property
    def optimiser_share(self) -> pd.Series[float]:
        """The share of the instability that is the optimiser's, by number of segments.

        What two solutions of the same sample lack to full agreement, divided by what those of two
        samples lack, over the same pairs; at most 1, and NaN where neither lack anything. Near 0 the
        customers differ from sample to sample; near 1 the clusterer stops at another local optimum each
        time, and its restarts should be raised before the data are blamed.
        """
        n_refits = self.optimiser_adjusted_rand.shape[1]
        optimiser = 1.0 - self._means(self.optimiser_adjusted_rand)
        both = 1.0 - self._means(self.adjusted_rand[:, :n_refits])
        with np.errstate(divide="ignore", invalid="ignore"):
            return self._by_number(np.clip(optimiser / both, 0.0, 1.0), "optimiser_share")

    @property
    def summary(self) -> pd.DataFrame:
        """One row per number of segments.

        ``n_segments``, ``mean_adjusted_rand``, ``low_adjusted_rand`` and ``high_adjusted_rand``
        (5% and 95% quantiles over the pairs), ``mean_optimiser_adjusted_rand``, ``optimiser_share``,
        ``min_slsw`` (the least stable segment), ``stable`` (see :meth:`is_stable`), ``n_pairs`` and ``standing`` (see
        :meth:`standing`).
        """
        quantiles = [np.quantile(self._pairs_of(k), [0.05, 0.95]) for k in self.numbers]
        low, high = np.array(quantiles).T if quantiles else (None, None)
        return pd.DataFrame(
            {
                "n_segments": self.numbers,
                "mean_adjusted_rand": self.mean_adjusted_rand.to_numpy(),
                "low_adjusted_rand": low,
                "high_adjusted_rand": high,
                "mean_optimiser_adjusted_rand": self.mean_optimiser_adjusted_rand.to_numpy(),
                "optimiser_share": self.optimiser_share.to_numpy(),
                "min_slsw": [float(slsw.min()) if len(slsw := self._slsw(k)) else np.nan for k in self.numbers],
                "stable": [self.is_stable(k) for k in self.numbers],
                "n_pairs": [self.n_pairs_of(k) for k in self.numbers],
                "standing": [self.standing(k) for k in self.numbers],
            }
        )

    def is_stable(self, n_segments: int) -> bool:
        """Say whether the solution with so many segments comes back as a whole and segment by segment.

        Parameters
        ----------
        n_segments : int
            One of the numbers of segments that were tried.

        Returns
        -------
        stable : bool
            Whether the mean adjusted Rand index is at least :data:`STABLE_ADJUSTED_RAND` and the
            SLSw of every segment at least :data:`STABLE_SEGMENT`.

        Raises
        ------
        InvalidParameterError
            Where so many segments were not tried.
        """
        slsw = self._slsw(n_segments)
        mean = self._pairs_of(n_segments).mean()
        return bool(mean >= STABLE_ADJUSTED_RAND and len(slsw) and slsw.min() >= STABLE_SEGMENT)

    def standing(self, n_segments: int) -> Standing:
        """Say whether the solution with so many segments comes back, beyond the noise of the refits.

        Parameters
        ----------
        n_segments : int
            One of the numbers of segments that were tried.

        Returns
        -------
        standing : {"stable", "not stable", "open"}
            Where the confidence intervals of the mean adjusted Rand index and of every segment's SLSw lie on one side
            of their levels, what that says; else "open": other refits may say otherwise.

        Raises
        ------
        InvalidParameterError
            Where so many segments were not tried.
        """
        return self._agreement(n_segments).standing

    def _agreement(self, n_segments: int) -> Agreement:
        """Return the figures that decide whether so many segments come back."""
        own = self._own(n_segments)
        errors = own["slsw_error"].to_numpy(dtype=np.float64) if "slsw_error" in own else np.zeros(len(own))
        pairs = self._pairs_of(n_segments)
        slsw = own["slsw"].to_numpy(dtype=np.float64)
        return Agreement(len(pairs), float(pairs.mean()), float(standard_error(pairs)), slsw, errors)

    def _with(self, more: StabilityResult) -> StabilityResult:
        """Add further pairs of some of the numbers, drawn with other seeds."""
        beyond = np.full((len(self.numbers), more.n_pairs), np.nan)
        segments = self.segments.copy()
        for row, number in enumerate(more.numbers):
            beyond[self.numbers.index(number)] = more.adjusted_rand[row]
            first, second = self._agreement(number), more._agreement(number)
            mine = segments["n_segments"] == number
            segments.loc[mine, "slsw"], segments.loc[mine, "slsw_error"] = first.pooled(second)
        # pairs stand at the front: a number that is refitted on has had all pairs until then
        pairs = np.hstack([self.adjusted_rand, beyond])
        return replace(self, adjusted_rand=pairs, segments=segments)

    def __str__(self) -> str:
        if not self.numbers:
            return "Nobody was drawn again, so nothing is known of the stability."
        means = self.mean_adjusted_rand
        best = self.numbers[int(means.argmax())]
        stable = [str(number) for number in self.numbers if self.is_stable(number)]
        which = f"stable with {', '.join(stable)} segments" if stable else "stable with no number of segments tried"
        return (
            f"Over {self.n_pairs:,} pairs of refits the customers are {which}; they agree best with {best} segments "
            f"(mean adjusted Rand index {means[best]:.2f})."
        )

    def to_frame(self) -> pd.DataFrame:
        """Return one row per number of segments, the :attr:`summary`."""
        return self.summary

    @property
    def pairs(self) -> pd.DataFrame:
        """One row per number of segments and pair of refits: ``n_segments``, ``pair``, ``adjusted_rand``."""
        frame = pd.DataFrame(
            {
                "n_segments": np.repeat(np.array(self.numbers, dtype=np.int64), self.n_pairs),
                "pair": np.tile(np.arange(self.n_pairs), len(self.numbers)),
                "adjusted_rand": self.adjusted_rand.ravel(),
            }
        )
        return frame[frame["adjusted_rand"].notna()].reset_index(drop=True)

    def _means(self, agreements: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Average over the pairs; without any, nothing is known."""
        if agreements.shape[1] == 0:
            return np.full(len(self.numbers), np.nan)
        return np.asarray(agreements.mean(axis=1))

    def _by_number(self, values: npt.ArrayLike, name: str) -> pd.Series[float]:
        tried = pd.Index(self.numbers, name="n_segments")
        return pd.Series(np.asarray(values, dtype=np.float64), index=tried, name=name)

    def _pairs_of(self, n_segments: int) -> npt.NDArray[np.float64]:
        """Return the adjusted Rand index of each pair of refits with so many segments."""
        pairs = self.adjusted_rand[self.numbers.index(n_segments)]
        return np.asarray(pairs[~np.isnan(pairs)])

    @asking("StabilityResult")
    def _own(self, n_segments: int) -> pd.DataFrame:
        if n_segments not in self.numbers:
            raise InvalidParameterError.unknown_name("n_segments", n_segments, self.numbers)
        own: pd.DataFrame = self.segments[self.segments["n_segments"] == n_segments]
        # a rule that nobody meets has nobody who could come back
        return own[own["slsw"].notna()]

    def _slsw(self, n_segments: int) -> npt.NDArray[np.float64]:
        slsw = self._own(n_segments)["slsw"].to_numpy(dtype=np.float64)
        return np.asarray(slsw)

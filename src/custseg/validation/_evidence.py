"""The evidence on a segmentation: selection, stability, verdict, and the cut where nothing was found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from sklearn.base import clone

from custseg._core.arrays import Floats
from custseg._core.asking import asks
from custseg._core.customer_rows import without_customers
from custseg._core.results import Result
from custseg.exceptions import InvalidParameterError
from custseg.segmentation import Segmentation, SegmentClusterer, Segmenter, SegmentSelection
from custseg.validation._stability import bootstrap_stability
from custseg.validation._stability_result import StabilityResult
from custseg.validation._verdict import Verdict, judge

__all__ = ["Evidence", "examine_segments"]

# With fewer different customers for each group, a bootstrap sample may not even hold all groups.
_CUSTOMERS_PER_GROUP = 10
# Segments that must all be as large as can be leave refits no room: repeated customers are never split.
_ROOM = 0.8


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Evidence(Result):
    """Whether the segments are real, and what to do with where they are not.

    Attributes
    ----------
    verdict : Verdict
        Whether the segments are natural, reproducible, constructive or defined, in a sentence.
    selection : SegmentSelection or None
        Whether the customers are one continuum and how many segments they ask for, with the reason; where a number of
        segments was given, what ``n_segments="auto"`` would have chosen. None for rules.
    stability : StabilityResult
        Agreement between bootstrap refits for 2 segments up to the limit of the clusterer, and for the number found.
    cut : Segmentation or None
        Where no distinct segments were found, the most stable cut into two or more groups, said to be one.
    """

    verdict: Verdict
    selection: SegmentSelection | None
    stability: StabilityResult
    cut: Segmentation | None

    def stability_of(self, segmentation: Segmentation) -> Floats:
        """Return the stability (SLSw) of each of its segments.

        Parameters
        ----------
        segmentation : Segmentation
            The one examined, or its cut.

        Returns
        -------
        ndarray of shape (n_segments,)
            The mean Jaccard agreement with the best match in the bootstrap refits; NaN for a single segment, and for a
            rule that nobody meets.
        """
        segments = self.stability.segments
        own = segments[segments["n_segments"] == segmentation.n_segments].set_index("segment")["slsw"]
        return np.asarray(own.reindex(range(segmentation.n_segments)).to_numpy(dtype=float))

    def mean_adjusted_rand_of(self, segmentation: Segmentation) -> float | None:
        """Return the mean agreement between pairs of refits at its number of segments.

        Parameters
        ----------
        segmentation : Segmentation
            The one examined, or its cut.

        Returns
        -------
        float or None
            The mean adjusted Rand index; None where there are no refits.
        """
        agreement = self.stability.mean_adjusted_rand.get(segmentation.n_segments)
        return None if agreement is None else float(agreement)

    def _without_customers(self, n_customers: int) -> Evidence:
        cut = None if self.cut is None else without_customers(self.cut, n_customers)
        return replace(self, stability=without_customers(self.stability, n_customers), cut=cut)

    def to_frame(self) -> pd.DataFrame:
        """Return one row per number of segments that was tried, as :attr:`StabilityResult.summary`."""
        return self.stability.summary

    def __str__(self) -> str:
        return self.verdict.sentence


@asks
def examine_segments(
    segmentation: Segmentation,
    *,
    n_pairs: int = 20,
    n_jobs: int | None = None,
    on_step: Callable[[int, int], object] | None = None,
) -> Evidence:
    """Ask whether the segments of a clusterer are real, and cut where there are none.

    Parameters
    ----------
    segmentation : Segmentation
        As a fitted segmenter made it (``Segmentation.by``): its clusterer is cloned and fitted again.
    n_pairs : int, default=20
        Pairs of bootstrap refits behind each stability figure.
    n_jobs : int or None, default=None
        Number of joblib workers, as in :func:`bootstrap_stability`. Results do not depend on it.
    on_step : callable or None, default=None
        Called as ``on_step(done, total)`` after each pair of refits.

    Returns
    -------
    Evidence
        Selection, stability, verdict and, for one segment, the most stable cut.

    Raises
    ------
    InvalidParameterError
        If the segmentation knows no clusterer, one that finds the number of segments itself, or a parameter is out of
        its range.
    InfeasibleError
        If the customers do not allow a number of segments that is tried.

    Notes
    -----
    The numbers of segments that are tried go from 2 to the limit of the clusterer, as long as every group may have ten
    different customers, and the least share of a segment leaves a fifth of the customers to move. Randomness comes
    from the clusterer's own seed.

    Examples
    --------
    >>> from custseg.datasets import make_customers
    >>> from custseg.segmentation import Segmentation, SegmentClusterer
    >>> from custseg.validation import examine_segments
    >>> customers = make_customers(100, separation=3.0, n_segments=3, random_state=0).profile.set_index("customer_id")
    >>> customers = customers[["age", "income", "online_hours", "household"]]
    >>> clusterer = SegmentClusterer(max_segments=4, n_init=3, random_state=0).fit(customers)
    >>> examine_segments(Segmentation.by(clusterer, customers), n_pairs=2).verdict.word
    'natural'
    """
    clusterer = segmentation.clusterer
    if clusterer is None:
        words = "of a fitted segmenter, which can be fitted again (Segmentation.by(segmenter, X))"
        raise InvalidParameterError.not_allowed("segmentation", words, str(segmentation))
    stability = _stability(segmentation, clusterer, n_pairs, n_jobs, on_step)
    selection = None if clusterer.defined_by_rules else _selection(segmentation, clusterer)
    cut = None
    if selection is not None and segmentation.n_segments == 1 and stability.numbers:
        cut = _cut(segmentation, clusterer, stability)
    verdict = _verdict(segmentation, clusterer, selection, stability)
    return Evidence(verdict=verdict, selection=selection, stability=stability, cut=cut)


def _selection(segmentation: Segmentation, clusterer: Segmenter) -> SegmentSelection:
    """Return what the customers say of their number of segments, asked for or not."""
    found: SegmentSelection | None = clusterer.selection_
    if found is None:
        weights = clusterer.get_params(deep=False).get("weights")  # what does not count does not count here either
        other = (
            clone(clusterer)
            if isinstance(clusterer, SegmentClusterer)
            else SegmentClusterer(customer_id=clusterer.customer_id, weights=weights, random_state=clusterer.seed)
        )
        found = other.set_params(n_segments="auto").fit(segmentation.customers).selection_
    return found


def _stability(
    segmentation: Segmentation,
    clusterer: Segmenter,
    n_pairs: int,
    n_jobs: int | None,
    on_step: Callable[[int, int], object] | None,
) -> StabilityResult:
    """Refit every number of segments that is worth a look, the chosen one among them."""
    if clusterer.defined_by_rules:
        numbers = [max(2, segmentation.n_segments)]  # rules know their own number
    else:
        numbers = sorted({*range(2, _largest_cut(segmentation, clusterer) + 1), segmentation.n_segments} - {1})
    if not numbers:
        return StabilityResult.empty()
    return bootstrap_stability(
        clone(clusterer),
        segmentation.customers,
        numbers,
        n_pairs=n_pairs,
        random_state=clusterer.seed,
        n_jobs=n_jobs,
        on_step=on_step,
    )


def _largest_cut(segmentation: Segmentation, clusterer: Segmenter) -> int:
    """Return the largest number of groups worth a look."""
    share, table = clusterer.min_segment_share, segmentation.customer_table
    by_share = int(_ROOM / share + 1e-9) if share > 0 else table.n_customers
    columns = table.select(segmentation.clustered_on).columns
    used = [np.where(column.missing, -np.inf, column.values) for column in columns]
    n_distinct = len(np.unique(np.column_stack(used), axis=0))
    return int(min(clusterer.max_segments, by_share, n_distinct // _CUSTOMERS_PER_GROUP))


def _cut(segmentation: Segmentation, clusterer: Segmenter, stability: StabilityResult) -> Segmentation:
    """Cut the customers where refits agree most."""
    n_segments = stability.numbers[int(np.argmax(stability.mean_adjusted_rand))]
    cut = clone(clusterer).set_params(n_segments=n_segments).fit(segmentation.customers)
    return Segmentation.by(
        cut,
        segmentation.customers,
        cut.labels_,
        made_by="cut",
        value=segmentation.value,
        characteristics=segmentation.characteristics,
    )


def _verdict(
    segmentation: Segmentation, clusterer: Segmenter, selection: SegmentSelection | None, stability: StabilityResult
) -> Verdict:
    n_segments = segmentation.n_segments
    if selection is None:
        return judge(n_segments=n_segments, n_not_assigned=segmentation.n_not_assigned, stability=stability)
    reason = selection.reason
    if clusterer.selection_ is None:
        reason = f"Left to the data: {reason[:1].lower()}{reason[1:]}"
    return judge(n_segments=n_segments, structured=selection.structured, reason=reason, stability=stability)

"""The evidence on a segmentation: selection, stability, verdict, and the cut where nothing was found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from sklearn.base import clone

from custseg._core.arrays import Floats
from custseg._core.asking import asks
from custseg._core.customer_rows import without_customers
from custseg._core.params import Integer, OneOf, check
from custseg._core.progress import doing, showing
from custseg._core.results import Result
from custseg._core.warning import each_warning_once
from custseg.exceptions import InfeasibleError, InvalidParameterError
from custseg.segmentation import NumberOfSegments, Segmentation, SegmentClusterer, Segmenter, SegmentSelection
from custseg.segmentation._for_validation import (
    FIRST_LOOK,
    LOOKS,
    Limits,
    Seen,
    candidates,
    choose_number,
    fitted_at,
    least_differences,
    n_distinct,
    numbered,
)
from custseg.validation._pairs import RefitsOfFits, n_refits_of, seeds_of
from custseg.validation._stability_result import StabilityResult
from custseg.validation._verdict import Verdict, judge

__all__ = ["Evidence", "examine_segments"]

# With so many pairs or more, numbers that lie within the noise of the refits are refitted on, up to the last of these
# multiples; fewer are a wish for speed. With twice as many, those that do not come back beyond it are done by half.
_TO_DECIDE, _LOOKS = FIRST_LOOK, LOOKS[:3]


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
        Where no distinct segments were found, the cut into two or more groups that can be used: ``numbers.n_segments``.
    numbers : NumberOfSegments or None
        The number of segments that can be used, and what speaks for and against each that was tried: the largest that
        comes back, else the most stable one. None for rules, and where nothing was tried.
    fits : dict of int to Segmenter
        The fitted clusterer of every number that was tried; :meth:`at` makes segments of it.
    """

    verdict: Verdict
    selection: SegmentSelection | None
    stability: StabilityResult
    cut: Segmentation | None
    numbers: NumberOfSegments | None = None
    fits: Mapping[int, Segmenter] = field(default_factory=dict)

    # their figures stand in ``numbers``
    _handed_on: ClassVar[frozenset[str]] = frozenset({"fits"})

    def at(self, n_segments: int, segmentation: Segmentation) -> Segmentation:
        """Return the best segments at another number.

        Parameters
        ----------
        n_segments : int
            One of the numbers that were tried (``fits``).
        segmentation : Segmentation
            The one examined, or another of the same customers.

        Returns
        -------
        Segmentation
            The same customers in so many segments.

        Raises
        ------
        InvalidParameterError
            If so many segments were not tried, or the segmentations are not kept.
        """
        if n_segments not in self.fits:
            raise InvalidParameterError.unknown_name("n_segments", n_segments, self.fits)
        fitted = self.fits[n_segments]
        if segmentation.clusterer is fitted:
            return segmentation
        continuum = self.selection is not None and self.selection.structured is False
        # the customers, which were read once, are shared by all
        return replace(
            segmentation,
            labels=fitted.labels_,
            n_segments=fitted.n_segments_,
            names=None,
            made_by="cut" if continuum or segmentation.n_segments == 1 else "clusterer",
            clusterer=fitted,
        )

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
        return replace(self, stability=without_customers(self.stability, n_customers), cut=cut, fits={})

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
    min_segments: int | None = None,
    n_jobs: int | None = None,
    on_step: Callable[[int, int], object] | None = None,
    verbose: bool = False,
) -> Evidence:
    """Ask whether the segments of a clusterer are real, and cut where there are none.

    Parameters
    ----------
    segmentation : Segmentation
        As a fitted segmenter made it (``Segmentation.by``): its clusterer is cloned and fitted again.
    n_pairs : int, default=20
        Pairs of bootstrap refits behind each stability figure. From 10 on, a number of segments of which it lies within
        the noise of so many whether it comes back is refitted on, up to four times as often. From 20 on, a number
        whose segments clearly do not come back ends with half as many.
    min_segments : int or None, default=None
        The least number of segments that can be used; None leaves that to the clusterer.
    n_jobs : int or None, default=None
        Number of joblib workers, as in :func:`bootstrap_stability`. Results do not depend on it.
    on_step : callable or None, default=None
        Called as ``on_step(done, total)`` after each pair of refits; ``total`` grows where more pairs are needed.
    verbose : bool, default=False
        Whether to show on standard error what is done, how far it is and how long it has taken.

    Returns
    -------
    Evidence
        Selection, stability, verdict, the number of segments that can be used, the best segments at every number and,
        for one segment, the cut that can be used.

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
    least = getattr(clusterer, "min_segments", 1) if min_segments is None else min_segments
    check({"min_segments": (Integer(1),)}, {"min_segments": least})
    check({"n_pairs": (Integer(2),), "verbose": (OneOf(True, False),)}, {"n_pairs": n_pairs, "verbose": verbose})
    with showing(verbose):
        return _examined(segmentation, least, n_pairs=n_pairs, n_jobs=n_jobs, on_step=on_step)


def _examined(
    segmentation: Segmentation,
    least: int,
    *,
    n_pairs: int,
    n_jobs: int | None,
    on_step: Callable[[int, int], object] | None,
) -> Evidence:
    clusterer = segmentation.clusterer
    assert clusterer is not None  # it was asked for
    with each_warning_once(), doing("Trying numbers of segments", 0.2):
        fits = _fits(segmentation, clusterer, _numbers(segmentation, clusterer, least), n_jobs)
    stability = _stability(segmentation, fits, n_pairs, n_jobs, on_step) if fits else StabilityResult.empty()
    if clusterer.defined_by_rules:
        return Evidence(verdict=_of_rules(segmentation, stability), selection=None, stability=stability, cut=None)
    selection = _selection(segmentation, clusterer)
    numbers = None
    if fits:
        limits = Limits(least, clusterer.max_segments, clusterer.min_segment_share)
        numbers = choose_number(_seen(segmentation, stability, fits), selection, limits)
    verdict = _verdict(segmentation, clusterer, selection, stability, numbers)
    found = Evidence(verdict=verdict, selection=selection, stability=stability, cut=None, numbers=numbers, fits=fits)
    if numbers is None or segmentation.n_segments > 1:
        return found
    return replace(found, cut=found.at(numbers.n_segments, segmentation))


def _selection(segmentation: Segmentation, clusterer: Segmenter) -> SegmentSelection:
    """Return what the customers say of their number of segments, asked for or not."""
    found: Any = clusterer.selection_
    if found is None:
        weights = clusterer.get_params(deep=False).get("weights")  # what does not count does not count here either
        other = SegmentClusterer(customer_id=clusterer.customer_id, weights=weights, random_state=clusterer.seed)
        asked = numbered(clusterer if isinstance(clusterer, SegmentClusterer) else other, "auto")
        found = asked.fit(segmentation.customers).selection_
    assert isinstance(found, SegmentSelection)
    return found


def _numbers(segmentation: Segmentation, clusterer: Segmenter, least: int) -> list[int]:
    """Return every number of segments that is worth a look, the chosen one among them."""
    if clusterer.defined_by_rules:
        return [segmentation.n_segments]  # rules know their own number
    distinct = n_distinct(segmentation.customer_table.select(segmentation.clustered_on))
    if least > distinct:
        raise InfeasibleError.too_few_customers(least, distinct, segmentation.n_customers)
    tried = candidates(
        distinct,
        max_segments=clusterer.max_segments,
        min_segment_share=clusterer.min_segment_share,
        min_segments=least,
    )
    return sorted({*tried, segmentation.n_segments} - {1})


def _stability(
    segmentation: Segmentation,
    fits: Mapping[int, Segmenter],
    n_pairs: int,
    n_jobs: int | None,
    on_step: Callable[[int, int], object] | None,
) -> StabilityResult:
    """Refit numbers of segments until it is decided whether they come back, or it was asked often enough."""
    clusterer: Any = segmentation.clusterer
    ends = [n_pairs]
    if not clusterer.defined_by_rules and n_pairs >= _TO_DECIDE:
        half = [n_pairs // 2] if n_pairs >= 2 * _TO_DECIDE else []
        ends = [*half, *(n_pairs * look for look in _LOOKS)]
    seeds = seeds_of(clusterer.seed, ends[-1])[1]
    with doing("Preparing to draw the customers again", 0.05):
        refits = RefitsOfFits(clone(clusterer), segmentation.customers, fits, seeds)
    compared = partial(refits.compared, n_jobs=n_jobs)
    with doing("Drawing the customers again", 0.4):
        found = compared(fits, seeds[: ends[0]], n_refits=n_refits_of(n_pairs), on_step=on_step)
    for before, until in pairwise(ends):
        # what comes back is known by as many pairs as are asked for, what is decided otherwise needs no more
        enough = ("not stable",) if before < n_pairs else ("stable", "not stable")
        left = [number for number in fits if found.standing(number) not in enough]
        if not left:
            break
        with doing("Drawing them again where it is open", 0.12):
            more = compared(left, seeds[before:until], on_step=_after(before, on_step))
        found = found._with(more)  # noqa: SLF001 - of the same stage
    return found


def _after(before: int, on_step: Callable[[int, int], object] | None) -> Callable[[int, int], object] | None:
    """Count on after the pairs that were there before."""
    return None if on_step is None else lambda done, total: on_step(before + done, before + total)


def _fits(
    segmentation: Segmentation, clusterer: Segmenter, numbers: Sequence[int], n_jobs: int | None
) -> dict[int, Segmenter]:
    """Fit a clusterer with every number of segments; that of the segmentation is fitted."""
    others = [number for number in numbers if number != segmentation.n_segments]
    fits = fitted_at(clusterer, segmentation.customers, others, n_jobs)
    return {number: fits.get(number, clusterer) for number in numbers}


def _seen(segmentation: Segmentation, stability: StabilityResult, fits: Mapping[int, Segmenter]) -> list[Seen]:
    """Put together what is known of every number."""
    columns = segmentation.customer_table.select(segmentation.clustered_on).columns
    differences = least_differences(columns, {number: fitted.labels_ for number, fitted in fits.items()})
    return [
        Seen(
            number,
            stability._agreement(number),  # noqa: SLF001 - of the same stage
            float(fitted.segment_sizes_.min() / fitted.segment_sizes_.sum()),
            float(differences[number].min()),
        )
        for number, fitted in fits.items()
    ]


def _of_rules(segmentation: Segmentation, stability: StabilityResult) -> Verdict:
    n_segments, n_not_assigned = segmentation.n_segments, segmentation.n_not_assigned
    return judge(n_segments=n_segments, n_not_assigned=n_not_assigned, stability=stability)


def _verdict(
    segmentation: Segmentation,
    clusterer: Segmenter,
    selection: SegmentSelection,
    stability: StabilityResult,
    numbers: NumberOfSegments | None,
) -> Verdict:
    n_segments = segmentation.n_segments
    reason = selection.reason
    if clusterer.selection_ is None:
        reason = f"Left to the data: {reason[:1].lower()}{reason[1:]}{_largest(n_segments, numbers)}"
    structured, n_natural = selection.structured, selection.n_segments
    return judge(n_segments=n_segments, structured=structured, reason=reason, n_natural=n_natural, stability=stability)


def _largest(n_segments: int, numbers: NumberOfSegments | None) -> str:
    """Say what is the largest number that comes back, where that is another than was asked for."""
    if numbers is None or numbers.n_segments == n_segments or len(numbers.table) < 2:
        return ""
    if numbers.word == "constructive":
        return " At no number of segments that was tried do all of them come back and differ clearly."
    return f" The largest number that comes back is {numbers.n_segments}."

"""The number of segments that can be used: the largest at which they come back, are large enough, and differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from custseg._core.results import Result
from custseg.segmentation._reproducibility.agreement import Agreement
from custseg.segmentation._reproducibility.levels import CLEAR_DIFFERENCE, STABLE_ADJUSTED_RAND, STABLE_SEGMENT
from custseg.segmentation._selection.select import SegmentSelection

__all__ = ["Limits", "NumberOfSegments", "Seen", "below", "choose_number"]

Word = Literal["natural", "reproducible", "constructive"]

_COLUMNS = (
    "n_segments",
    "bic",
    "n_separated",
    "mean_adjusted_rand",
    "low_adjusted_rand",
    "high_adjusted_rand",
    "min_slsw",
    "n_pairs",
    "standing",
    "smallest_share",
    "least_difference",
    "usable",
    "taken",
    "reason",
)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class NumberOfSegments(Result):
    """How many segments can be used, and what speaks for and against every number tried.

    Attributes
    ----------
    n_segments : int
        The number taken: the largest at which all that is asked for holds, else the most stable one; 1 where the
        customers leave no room for two groups.
    word : {"natural", "reproducible", "constructive"}
        What the segments are at this number: *natural*, the distinct groups that the data ask for, which come back;
        *reproducible*, lines through a continuum that come back in other samples; *constructive*, a cut that does not,
        or whose segments are too small or too much alike.
    reason : str
        Why this number, in a sentence with its figures.
    decided : bool
        Whether it is beyond the noise of the refits that its segments come back, or that they do not.
    table : pandas.DataFrame
        One row for each number tried: ``n_segments``; ``bic`` of so many latent classes and ``n_separated``, how many
        groups with a gap between them these are (the natural evidence; NaN where the customers are one continuum);
        ``mean_adjusted_rand`` over ``n_pairs`` pairs of refits, with its confidence interval ``low_adjusted_rand`` to
        ``high_adjusted_rand``; ``min_slsw``, how far the weakest segment comes back; ``standing``, "stable" or "not
        stable" beyond the noise of the refits, else "open"; ``smallest_share`` of the customers in a segment;
        ``least_difference``, the largest effect (Hedges' g) between the two segments that differ least; ``usable``,
        whether all holds that is asked for; ``taken``; and ``reason``, why it was or was not taken, in words.

    Examples
    --------
    >>> import numpy as np
    >>> from custseg.segmentation import SegmentClusterer
    >>> spend = np.random.RandomState(0).uniform(size=(400, 2)) * [100, 1]
    >>> number = SegmentClusterer("reproducible", max_segments=4, random_state=0).fit(spend).number_of_segments_
    >>> number.n_segments, number.word
    (4, 'reproducible')
    >>> number.to_frame().set_index("n_segments").loc[2, "standing"]
    'not stable'
    """

    n_segments: int
    word: Word
    reason: str
    decided: bool
    table: pd.DataFrame

    def __str__(self) -> str:
        return self.reason

    def to_frame(self) -> pd.DataFrame:
        """Return the table of all numbers of segments that were tried."""
        return self.table


@dataclass(frozen=True)
class Limits:
    """What was asked for: a least and a largest number, and a least share of the customers in each segment."""

    min_segments: int
    max_segments: int
    min_segment_share: float


@dataclass(frozen=True)
class Seen:
    """What was seen at one number of segments.

    Attributes
    ----------
    n_segments : int
        The number.
    agreement : Agreement or None
        Of the refits; None where a bootstrap sample cannot be cut into so many.
    smallest_share : float
        The share of the customers in the smallest segment.
    least_difference : float
        The largest effect between the two segments that differ least.
    trouble : str
        Why there are no such segments at all; empty where there are.
    """

    n_segments: int
    agreement: Agreement | None = None
    smallest_share: float = np.nan
    least_difference: float = np.nan
    trouble: str = ""

    @property
    def returns(self) -> str:
        """How far the segments come back, in words."""
        if self.agreement is None:
            return "a bootstrap sample does not hold so many groups of customers"
        rand, weakest = self.agreement.mean_adjusted_rand, self.agreement.weakest
        return (
            f"mean adjusted Rand index {below(rand, STABLE_ADJUSTED_RAND)}, weakest segment "
            f"{below(weakest, STABLE_SEGMENT)}"
        )

    @property
    def is_open(self) -> bool:
        """Whether it stayed within the noise of the refits if the segments come back."""
        return self.agreement is not None and self.agreement.standing == "open"

    def lacks(self, limits: Limits) -> str:
        """Say what is not as it is asked for; nothing where all is, be it within the noise of the refits."""
        return next(self._faults(limits), "")

    def _faults(self, limits: Limits) -> Iterator[str]:
        if self.trouble:
            yield self.trouble
        if self.n_segments < limits.min_segments:
            yield f"fewer than the {limits.min_segments} that are asked for"
        if self.agreement is None:
            yield self.returns
        elif not self.agreement.is_stable:
            whole = self.agreement.mean_adjusted_rand >= STABLE_ADJUSTED_RAND
            what = "not every segment comes back" if whole else "the segments do not come back"
            yield f"{what} ({self.returns}; {STABLE_ADJUSTED_RAND:g} and {STABLE_SEGMENT:g} are asked for)"
        if self.smallest_share < limits.min_segment_share * (1 - 1e-9):
            yield (
                f"the smallest segment holds {self.smallest_share:.1%} of the customers, where "
                f"{limits.min_segment_share:.1%} is asked for"
            )
        if self.least_difference < CLEAR_DIFFERENCE:
            yield (
                f"two segments differ by no more than {below(self.least_difference, CLEAR_DIFFERENCE)} standard "
                f"deviations in any characteristic, where {CLEAR_DIFFERENCE:g} is asked for"
            )

    @property
    def stayed_open(self) -> str:
        """Say that it stayed open whether the segments come back; nothing where it is decided."""
        if not self.is_open or self.agreement is None:
            return ""
        pairs = f"{self.agreement.n_pairs} pairs of refits"
        return f"whether the segments come back stayed within the noise of {pairs} ({self.returns})"


def choose_number(seen: Sequence[Seen], selection: SegmentSelection | None, limits: Limits) -> NumberOfSegments:
    """Take the largest number at which all holds that is asked for, else the most stable one.

    Parameters
    ----------
    seen : sequence of Seen
        What was seen at each number, ascending.
    selection : SegmentSelection or None
        The natural evidence; None where nobody looked for it.
    limits : Limits
        What was asked for.

    Returns
    -------
    NumberOfSegments
        The number, what it is, and the reason for each number tried.
    """
    lacking = {each.n_segments: each.lacks(limits) for each in seen}
    if any(not lacking[each.n_segments] and not each.is_open for each in seen):
        # one that is decided goes before those that another seed may decide otherwise
        lacking = {each.n_segments: lacking[each.n_segments] or each.stayed_open for each in seen}
    usable = [each for each in seen if not lacking[each.n_segments]]
    possible = [each for each in seen if not each.trouble and each.n_segments >= limits.min_segments]
    taken = usable[-1] if usable else _most_stable(possible)
    word: Word = "reproducible" if usable else "constructive"
    if usable and taken is not None and _natural(selection) == taken.n_segments:
        word = "natural"
    return NumberOfSegments(
        n_segments=1 if taken is None else taken.n_segments,
        word=word,
        reason=_reason(taken, word, seen, limits),
        decided=taken is None or not taken.is_open,
        table=_table(seen, taken, lacking, selection),
    )


def _natural(selection: SegmentSelection | None) -> int | None:
    """Return the number of distinct groups that the data ask for; None where they ask for none."""
    return selection.n_segments if selection is not None and selection.structured and selection.n_segments > 1 else None


def _most_stable(possible: Sequence[Seen]) -> Seen | None:
    if not possible:
        return None
    return max(possible, key=lambda each: -np.inf if each.agreement is None else each.agreement.mean_adjusted_rand)


def _standing(seen: Seen) -> str:
    return "" if seen.agreement is None else seen.agreement.standing


def _reason(taken: Seen | None, word: Word, seen: Sequence[Seen], limits: Limits) -> str:
    if taken is None:
        return "One segment: the customers and the limits leave no room for two groups."
    tried = f"from {seen[0].n_segments} to {seen[-1].n_segments}" if len(seen) > 1 else f"of {seen[0].n_segments}"
    lead, least = f"{taken.n_segments} segments", limits.min_segment_share
    if word == "constructive":
        why = (
            f"{lead}, a constructive cut: at no number {tried} do all segments come back, hold their share and differ "
            f"clearly, and of these {taken.n_segments} come back most alike ({taken.returns})"
        )
    else:
        share = f", each holds at least {least:.1%} of the customers" if least > 0 else ""
        groups = ", and they are the distinct groups that the data ask for" if word == "natural" else ""
        why = (
            f"{lead}, the largest number {tried} at which the segments come back ({taken.returns}){share} and each "
            f"differs clearly from every other ({_effect(taken.least_difference)} in at least one characteristic)"
            f"{groups}"
        )
    if taken.is_open and taken.agreement is not None:
        why += f"; whether they come back stayed within the noise of {taken.agreement.n_pairs} pairs of refits"
    return f"{why}."


def _effect(difference: float) -> str:
    return f"by {difference:.2f} standard deviations or more" if np.isfinite(difference) else "without overlap"


def _table(
    seen: Sequence[Seen], taken: Seen | None, lacking: dict[int, str], selection: SegmentSelection | None
) -> pd.DataFrame:
    rows = [_row(each, taken, lacking[each.n_segments]) for each in seen]
    table = pd.DataFrame(rows, columns=[name for name in _COLUMNS if name not in ("bic", "n_separated")])
    evidence = pd.DataFrame({"n_segments": [], "bic": [], "n_separated": []})
    if selection is not None:
        evidence = selection.table.reindex(columns=["n_segments", "bic", "n_separated"])
    table = table.astype({"n_segments": np.int64, "n_pairs": np.int64, "usable": bool, "taken": bool})
    merged = table.merge(evidence.astype({"n_segments": np.int64}), on="n_segments", how="left")
    return merged[list(_COLUMNS)]


def _row(seen: Seen, taken: Seen | None, lacking: str) -> dict[str, object]:
    agreement, is_taken = seen.agreement, seen is taken
    low, high = (np.nan, np.nan) if agreement is None else agreement.interval
    if is_taken:
        reason = "taken: the largest number at which all holds that is asked for"
        if lacking:
            reason = f"taken as the most stable, but {lacking}"
    else:
        reason = lacking or "as good, but there is a larger one"
    return {
        "n_segments": seen.n_segments,
        "mean_adjusted_rand": np.nan if agreement is None else agreement.mean_adjusted_rand,
        "low_adjusted_rand": max(-1.0, low),
        "high_adjusted_rand": min(1.0, high),
        "min_slsw": np.nan if agreement is None else agreement.weakest,
        "n_pairs": 0 if agreement is None else agreement.n_pairs,
        "standing": _standing(seen),
        "smallest_share": seen.smallest_share,
        "least_difference": seen.least_difference,
        "usable": not lacking,
        "taken": is_taken,
        "reason": reason,
    }


def below(value: float, limit: float) -> str:
    """Write a figure with two decimals, and more where it would look as if it reached the limit."""
    decimals = 2
    while value < limit <= round(value, decimals):
        decimals += 1
    return f"{value:.{decimals}f}"

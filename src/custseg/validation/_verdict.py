"""The verdict: whether the segments are natural, reproducible, a constructive cut at best, or defined by rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from custseg._core.asking import asks
from custseg._core.results import Result
from custseg.exceptions import InvalidParameterError
from custseg.segmentation._for_validation import below
from custseg.validation._stability_result import STABLE_ADJUSTED_RAND, STABLE_SEGMENT, StabilityResult

Word = Literal["natural", "reproducible", "constructive", "defined"]


@dataclass(frozen=True, kw_only=True, repr=False)
class Verdict(Result):
    """What the segments are, in the words of the field.

    Attributes
    ----------
    word : {"natural", "reproducible", "constructive", "defined"}
        *natural*: distinct clusters exist and the same segments come back in refits;
        *reproducible*: not the distinct clusters of the data, or there are none, but the same segments come back;
        *constructive*: a cut that may be useful, and no more than that;
        *defined*: rules said beforehand who belongs, so there is nothing to discover.
    sentence : str
        The verdict with its figures, for a reader who asks whether the segments are real.
    """

    word: Word
    sentence: str

    def __str__(self) -> str:
        return self.sentence


@asks
def judge(
    *,
    n_segments: int,
    stability: StabilityResult,
    structured: bool | None = None,
    reason: str = "",
    n_natural: int | None = None,
    n_not_assigned: int | None = None,
) -> Verdict:
    """Judge segments by the structure test and by their stability, or say that rules define them.

    Parameters
    ----------
    n_segments : int
        The number of segments; 1 where none were found.
    stability : StabilityResult
        Bootstrap stability that covers ``n_segments`` (where it is above 1). Rules with fixed bounds always come
        back; bounds that were learned, such as quantiles, move from sample to sample.
    structured : bool or None, default=None
        Whether the structure test told the customers from one continuum; None where nothing was tested.
    reason : str, default=""
        The sentence of the structure test, with its figures.
    n_natural : int or None, default=None
        How many distinct groups the data ask for, 1 for none: segments of another number are not called natural. None
        where that is not known.
    n_not_assigned : int or None, default=None
        For segments that rules define: the number of customers who meet no rule. None says that the segments
        were found in the data.

    Returns
    -------
    Verdict
        The word and its sentence.

    Raises
    ------
    InvalidParameterError
        If ``stability`` does not cover ``n_segments``, or segments that rules define come with a structure test.

    Notes
    -----
    The words are those of Dolnicar and Leisch (2010), *Evaluation of structure and reproducibility of
    cluster solutions using the bootstrap*, Marketing Letters 21, 83-101. Stable means a mean adjusted
    Rand index of at least ``STABLE_ADJUSTED_RAND`` over pairs of bootstrap refits, and every segment's
    SLSw at least ``STABLE_SEGMENT``.

    Examples
    --------
    >>> from custseg.validation import StabilityResult, judge
    >>> judge(n_segments=1, structured=False, reason="p = 0.40.", stability=StabilityResult.empty()).word
    'constructive'
    >>> judge(n_segments=3, n_not_assigned=0, stability=StabilityResult.empty()).word
    'defined'
    """
    if n_not_assigned is not None:
        if structured is not None:
            words = "None where n_not_assigned says that rules define the segments: they are not tested"
            raise InvalidParameterError.not_allowed("structured", words, structured)
        return _defined(n_segments, n_not_assigned, stability)
    if n_segments == 1:
        return _one_segment(structured, reason)
    return _found(n_segments, structured, n_natural, reason, stability)


def _one_segment(structured: bool | None, reason: str) -> Verdict:
    if structured:
        return Verdict(
            word="constructive",
            sentence=f"All customers were put into one segment, although they differ from one continuum. {reason}",
        )
    if structured is None:
        return Verdict(word="constructive", sentence=f"Whether there are segments was not tested. {reason}")
    return Verdict(
        word="constructive",
        sentence=f"No distinct segments were found: these customers form one continuum. {reason} "
        "Any cut through them is constructive: it may be useful, but nothing in the data asks for it.",
    )


def _found(
    n_segments: int, structured: bool | None, n_natural: int | None, reason: str, stability: StabilityResult
) -> Verdict:
    stable = stability.is_stable(n_segments)
    agreement = float(stability.mean_adjusted_rand.loc[n_segments])
    weakest = float(stability.segments.loc[stability.segments["n_segments"] == n_segments, "slsw"].min())
    figures = (
        f"Pairs of bootstrap refits agree with a mean adjusted Rand index of {below(agreement, STABLE_ADJUSTED_RAND)}"
        f" ({_standing(agreement, weakest, stable=stable)})."
    )
    if stability.standing(n_segments) == "open":
        n_pairs = stability.n_pairs_of(n_segments)
        figures += f" Whether they come back stayed open: {n_pairs} pairs leave it within their noise."
    if structured and stable and n_natural in (None, n_segments):
        return Verdict(
            word="natural",
            sentence=f"The {n_segments} segments are natural: distinct groups that come back. {reason} {figures}",
        )
    if stable:
        return Verdict(
            word="reproducible",
            sentence=f"The {n_segments} segments are reproducible: {_groups(structured, n_natural)}, but the same "
            f"segments come back in other samples. {reason} {figures}",
        )
    returned = "not all of them" if agreement >= STABLE_ADJUSTED_RAND else "they do not"
    exists = " Structure exists, but not at this number of segments." if structured else ""
    return Verdict(
        word="constructive",
        sentence=f"The {n_segments} segments are a constructive cut at best: {returned} come back in refits.{exists} "
        f"{reason} {figures}",
    )


def _groups(structured: bool | None, n_natural: int | None) -> str:
    """Say how segments that come back stand to the distinct groups of the data."""
    if structured is None:
        return "whether the customers form distinct groups was not tested"
    if not structured:
        return "the customers form no distinct groups, and these are lines through a continuum"
    if n_natural == 1:
        return "no groups with a gap between them were found"
    return f"the data ask for {n_natural} distinct groups"


def _standing(agreement: float, weakest: float, *, stable: bool) -> str:
    """Say what is asked for, and where the whole has it, which segment has not."""
    if not stable and agreement >= STABLE_ADJUSTED_RAND:
        return (
            f"not stable: the {STABLE_ADJUSTED_RAND:g} that is asked for is reached, but the weakest segment comes "
            f"back with {below(weakest, STABLE_SEGMENT)}, where {STABLE_SEGMENT:g} is asked of every segment"
        )
    return (
        f"{'stable' if stable else 'not stable'}: {STABLE_ADJUSTED_RAND:g} is asked for, and {STABLE_SEGMENT:g} of "
        "every segment"
    )


def _defined(n_segments: int, n_not_assigned: int, stability: StabilityResult) -> Verdict:
    left = "" if n_not_assigned == 0 else f" {n_not_assigned:,} customer(s) meet no rule and are in no segment."
    segments = "segment is" if n_segments == 1 else f"{n_segments} segments are"
    sentence = (
        f"The {segments} defined by rule: who belongs was decided beforehand, and nothing was discovered in the data."
        f"{left}"
    )
    if not stability.numbers:
        return Verdict(word="defined", sentence=sentence)
    agreement = float(stability.mean_adjusted_rand.iloc[0])
    # bounds that were learned may come back as exactly as those that were given
    returned = (
        "Two bootstrap samples always give the same segments."
        if agreement == 1.0
        else "Their bounds are learned: those of two bootstrap samples agree with a mean adjusted Rand index of "
        f"{below(agreement, 1.0)}."
    )
    return Verdict(word="defined", sentence=f"{sentence} {returned}")

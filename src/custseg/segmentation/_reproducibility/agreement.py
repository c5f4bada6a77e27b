"""Whether a number of segments comes back, decided beyond the noise of its own refits: a sequential rule.

A mean over pairs of refits is known to its standard error. Twenty pairs leave a number of segments whose mean is near
the level that is asked for on either side of it, from seed to seed. So refits go on until the interval of the mean
adjusted Rand index, and that of every segment's stability, lies on one side of its level. The intervals of all looks
hold together (Bonferroni), so that looking several times does not decide by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import stdtrit

from custseg._core.arrays import Floats, Integers
from custseg.segmentation._reproducibility.levels import STABLE_ADJUSTED_RAND, STABLE_SEGMENT
from custseg.segmentation._reproducibility.measures import adjusted_rand, best_jaccard, cross_table

__all__ = ["FIRST_LOOK", "LOOKS", "Agreement", "Pairs", "Refits", "Standing", "agree", "standard_error"]

Standing = Literal["stable", "not stable", "open"]

# After so many pairs stability is looked at first, and each time that there are as many again as these multiples say.
FIRST_LOOK, LOOKS = 10, (1, 2, 4, 8)
# The probability that the intervals of all looks hold.
CONFIDENCE = 0.95

Pairs = list[tuple[Integers, Integers] | None]
"""For each number of segments the labels of everyone by the two solutions of a pair of samples; None where a sample
cannot be cut into so many."""
Refits = Callable[[Sequence[int], Integers], Iterator[Pairs]]
"""Takes numbers of segments, and two seeds for each pair of samples, to the labels, pair by pair."""


@dataclass(frozen=True)
class Agreement:
    """How far the segments of one number come back.

    Attributes
    ----------
    n_pairs : int
        Pairs of refits behind the figures.
    mean_adjusted_rand, error : float
        The mean adjusted Rand index over the pairs, and its standard error.
    slsw, slsw_error : ndarray of shape (n_segments,)
        The mean Jaccard coefficient of each segment with its best match, and its standard error.
    """

    n_pairs: int
    mean_adjusted_rand: float
    error: float
    slsw: Floats
    slsw_error: Floats

    @classmethod
    def of(cls, adjusted_rands: Sequence[float], jaccards: Sequence[Floats]) -> Agreement:
        """Summarise pairs: an adjusted Rand index for each, and the Jaccard coefficients of each of their solutions."""
        pairs, solutions = np.asarray(adjusted_rands), np.asarray(jaccards)
        error = float(standard_error(pairs))
        return cls(len(pairs), float(pairs.mean()), error, solutions.mean(axis=0), standard_error(solutions))

    def pooled(self, more: Agreement) -> tuple[Floats, Floats]:
        """Return the stability of each segment, and its standard error, over the refits of both."""
        first, second = 2 * self.n_pairs, 2 * more.n_pairs
        total = first + second
        slsw = (first * self.slsw + second * more.slsw) / total
        squares = sum(
            each.slsw_error**2 * n * (n - 1) + n * (each.slsw - slsw) ** 2
            for each, n in ((self, first), (more, second))
        )
        return slsw, np.sqrt(squares / (total * (total - 1)))

    @property
    def weakest(self) -> float:
        """The stability of the segment that comes back least."""
        return float(self.slsw.min())

    @property
    def is_stable(self) -> bool:
        """Whether the figures reach their levels, be it within their noise or beyond it."""
        return self.mean_adjusted_rand >= STABLE_ADJUSTED_RAND and self.weakest >= STABLE_SEGMENT

    @property
    def interval(self) -> tuple[float, float]:
        """Where the mean adjusted Rand index may lie."""
        room = _quantile(self.n_pairs) * self.error
        return self.mean_adjusted_rand - room, self.mean_adjusted_rand + room

    @property
    def standing(self) -> Standing:
        """Whether the segments come back, beyond the noise of the refits."""
        low, high = self.interval
        room = _quantile(2 * self.n_pairs) * self.slsw_error
        if low >= STABLE_ADJUSTED_RAND and (self.slsw - room >= STABLE_SEGMENT).all():
            return "stable"
        if high < STABLE_ADJUSTED_RAND or (self.slsw + room < STABLE_SEGMENT).any():
            return "not stable"
        return "open"


def standard_error(values: Floats) -> Floats:
    """Return the standard error of the mean over the first axis; infinite for a single value."""
    if len(values) < 2:
        return np.full(np.shape(values)[1:], np.inf)
    return np.asarray(values.std(axis=0, ddof=1) / np.sqrt(len(values)))


def _quantile(n_values: int) -> float:
    """Return the quantile of Student's t for an interval on both sides that holds at all looks together."""
    return float(stdtrit(max(1, n_values - 1), 1.0 - (1.0 - CONFIDENCE) / (2 * len(LOOKS))))


def agree(refits: Refits, references: dict[int, Integers], counts: Floats, seeds: Integers) -> dict[int, Agreement]:
    """Refit numbers of segments until it is decided whether they come back, or the seeds are used up.

    Parameters
    ----------
    refits : callable
        Segments pairs of bootstrap samples.
    references : dict of int to ndarray of shape (n_rows,)
        The labels of the solution on all customers, by number of segments.
    counts : ndarray of shape (n_rows,)
        How many customers each row stands for.
    seeds : ndarray of shape (n_pairs, 2)
        As many pairs as there may be at most.

    Returns
    -------
    dict of int to Agreement
        By number of segments; those of which a sample cannot be cut into so many are left out. The pairs of a number
        do not depend on which others are asked for.
    """
    rands: dict[int, list[float]] = {number: [] for number in references}
    jaccards: dict[int, list[Floats]] = {number: [] for number in references}
    found: dict[int, Agreement] = {}
    open_numbers, done = list(references), 0
    for look in _looks(len(seeds)):
        for pair in refits(open_numbers, seeds[done:look]):
            for number, labels in zip(list(open_numbers), pair, strict=True):
                if labels is None:
                    found.pop(number, None)
                    rands.pop(number, None)
                elif number in rands:
                    first, second = (_crossed(references[number], other, number, counts) for other in labels)
                    jaccards[number] += [best_jaccard(first), best_jaccard(second)]
                    rands[number].append(adjusted_rand(_crossed(*labels, number, counts)))
        open_numbers = [number for number in open_numbers if number in rands]
        found |= {number: Agreement.of(rands[number], jaccards[number]) for number in open_numbers}
        open_numbers = [number for number in open_numbers if found[number].standing == "open"]
        done = look
        if not open_numbers:
            break
    return found


def _looks(limit: int) -> Iterable[int]:
    return sorted({min(limit, FIRST_LOOK * multiple) for multiple in LOOKS})


def _crossed(first: Integers, second: Integers, n_segments: int, counts: Floats) -> Integers:
    """Cross two partitions; whoever an engine leaves out is one more group."""
    one, other = (np.where(each < 0, n_segments, each) for each in (first, second))
    shape = (max(n_segments, int(one.max()) + 1), max(n_segments, int(other.max()) + 1))
    return cross_table(one, other, shape, counts)

"""The conjunction of at most three conditions with the highest F-score: branch and bound."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from custseg._core.arrays import Bools, Floats, Integers

__all__ = ["MOST_CONDITIONS", "WORTH_A_CONDITION", "best_conjunction"]

# Another condition must raise the F-score by so much: a shorter rule is better remembered, and less made to measure.
WORTH_A_CONDITION = 0.01
# The first conjunctions of three are those of so many best pairs; they make the bounds sharp from the start.
_FIRST_PAIRS = 64
# So many additions and multiplications at most go into one search, and so many conditions, those that say most alone.
_MOST_WORK = 4e9
MOST_CONDITIONS = 400
_LAST_DIGIT = 1e-9

_Counts = npt.NDArray[np.float32]


def best_conjunction(met: Bools, positive: Bools, least: int) -> tuple[int, ...] | None:
    """Search conditions for the conjunction that best says who is in a segment.

    The F-score is the harmonic mean of precision and recall. A refinement of a conjunction that ``tp`` customers of
    the segment meet can have no more than ``2 tp / (tp + n_segment)``; of three conditions, those who meet all are no
    more than those who meet any two (Bonferroni's inequalities bound the others from below). Conjunctions that
    cannot beat the best one so far are never counted.

    Parameters
    ----------
    met : ndarray of shape (n_customers, n_conditions), of bool
        Who meets each condition.
    positive : ndarray of shape (n_customers,), of bool
        Who is in the segment.
    least : int
        How many of the segment must meet the rule, and of the others not; by these it stands out.

    Returns
    -------
    tuple of int or None
        The places of its conditions, in order; None where no conjunction holds a larger part of the segment than of
        the others.

    References
    ----------
    Grosskreutz, Rüping and Wrobel (2008), *ECML PKDD*, for optimistic estimates in subgroup discovery.
    """
    search = _Search(met, positive, least)
    search.singles()
    search.pairs()
    search.triples()
    return search.found()


class _Search:
    """Counts of single conditions and pairs, and the best conjunction of each length so far."""

    def __init__(self, met: Bools, positive: Bools, least: int) -> None:
        self.inside: _Counts = met[positive].astype(np.float32)
        self.outside: _Counts = met[~positive].astype(np.float32)
        self.n_inside, self.n_outside, self.least = len(self.inside), len(self.outside), least
        self.best: dict[int, tuple[float, tuple[int, ...]]] = {}

    @property
    def top(self) -> float:
        return max((score for score, _ in self.best.values()), default=0.0)

    @property
    def needed(self) -> float:
        """What a conjunction of three must exceed, or reach beside shorter ones, to be chosen."""
        shorter = [score + WORTH_A_CONDITION * (3 - length) for length, (score, _) in self.best.items() if length < 3]
        longest = self.best[3][0] if 3 in self.best else 0.0
        # a conjunction that just reaches what is asked for must not be passed over for its last digit
        return max(longest, max(shorter, default=0.0) - _LAST_DIGIT)

    def scores(self, tp: Any, fp: Any) -> Floats:
        """F-scores of conjunctions; -1 for those by which too few stand out, or that are no more of the segment."""
        with np.errstate(divide="ignore", invalid="ignore"):
            score = 2.0 * tp / (tp + fp + np.float64(self.n_inside))
        may = (tp >= self.least) & (self.n_outside - fp >= self.least) & (tp * self.n_outside > fp * self.n_inside)
        return np.where(may, score, -1.0)

    def bound(self, tp: Any, fp: Any = 0.0) -> Floats:
        """Return what no conjunction that meets at most ``tp`` of the segment and at least ``fp`` others exceeds."""
        score = 2.0 * tp / (tp + fp + np.float64(self.n_inside))
        return np.where(tp >= self.least, score, -1.0)

    def offer(self, score: float, places: tuple[int, ...]) -> None:
        """Keep a conjunction that is better than those of its length; of equal ones that which stands first."""
        held, current = self.best.get(len(places), (0.0, ()))
        if score > held or (score == held > 0 and places < current):
            self.best[len(places)] = (score, places)

    def singles(self) -> None:
        self.tp, self.fp = self.inside.sum(axis=0), self.outside.sum(axis=0)
        scores = self.scores(self.tp, self.fp)
        if len(scores):
            self.offer(float(scores.max()), (int(scores.argmax()),))

    def pairs(self) -> None:
        self.kept = self._worth_combining()
        self.inside, self.outside = self.inside[:, self.kept], self.outside[:, self.kept]
        self.tp2, self.fp2 = self.inside.T @ self.inside, self.outside.T @ self.outside
        self.alone = self.fp2.diagonal()
        scores = np.triu(self.scores(self.tp2, self.fp2), 1)
        if not scores.size:
            return
        first, second = np.unravel_index(int(scores.argmax()), scores.shape)
        self.offer(float(scores[first, second]), (int(self.kept[first]), int(self.kept[second])))
        order = np.argsort(-scores, axis=None, kind="stable")[:_FIRST_PAIRS]
        for pair in zip(*np.unravel_index(order, scores.shape), strict=True):
            self._thirds(int(pair[0]), int(pair[1]))

    def _worth_combining(self) -> Integers:
        """Return the conditions that may be part of a better conjunction; of very many those that say most alone."""
        kept = np.flatnonzero(self.bound(self.tp) > self.top)
        # weighted relative accuracy but for a factor
        gain = self.tp[kept] * self.n_outside - self.fp[kept] * np.float64(self.n_inside)
        return np.sort(kept[np.argsort(-gain, kind="stable")[:MOST_CONDITIONS]])

    def _thirds(self, first: int, second: int) -> None:
        """Try every third condition beside two."""
        tp, fp = ((part[:, first] * part[:, second]) @ part for part in (self.inside, self.outside))
        scores = self.scores(tp, fp)
        scores[[first, second]] = -1.0
        third = int(scores.argmax())
        self._offer_triple(float(scores[third]), first, second, third)

    def _offer_triple(self, score: float, *places: int) -> None:
        self.offer(score, tuple(sorted(int(self.kept[place]) for place in places)))

    def triples(self) -> None:
        """Count all conjunctions of three that may beat the best."""
        limits = [self._beside(first) for first in range(len(self.kept))]
        bounds = np.array([limit for limit, _ in limits])
        work = 0.0
        for first in np.argsort(-bounds, kind="stable").tolist():
            if bounds[first] <= self.needed or work > _MOST_WORK:
                break
            others = limits[first][1]
            rows = [part[part[:, first] > 0][:, others] for part in (self.inside, self.outside)]
            work += 2.0 * sum(part.shape[0] for part in rows) * len(others) ** 2
            tp, fp = (part.T @ part for part in rows)
            scores = np.triu(self.scores(tp, fp), 1)
            if scores.size and scores.max() > 0:
                second, third = np.unravel_index(int(scores.argmax()), scores.shape)
                self._offer_triple(float(scores.max()), first, int(others[second]), int(others[third]))

    def _beside(self, first: int) -> tuple[float, Integers]:
        """Bound the conjunctions of a condition with two behind it; return the bound, and the two that may be good."""
        others = first + 1 + np.flatnonzero(self.bound(self.tp2[first, first + 1 :]) > self.needed)
        if len(others) < 2:
            return -1.0, others[:0]
        tp1, fp1 = self.tp2[first, others], self.fp2[first, others]
        block = np.ix_(others, others)
        tp, fp2, alone = self.tp2[block], self.fp2[block], self.alone
        tp = np.minimum(np.minimum(tp, tp1[:, None]), tp1)
        fp = np.maximum(fp1[:, None] + (fp1 - alone[first]), 0.0)
        excess = fp2 + (fp1 - alone[others])[:, None]  # of pairs with the first of the two
        np.maximum(fp, excess, out=fp)
        np.maximum(fp, excess.T, out=fp)
        bounds = np.triu(self.bound(tp, fp), 1)
        may = bounds > self.needed
        return float(bounds.max()), others[may.any(axis=0) | may.any(axis=1)]

    def found(self) -> tuple[int, ...] | None:
        """Return the shortest conjunction that another condition would not raise by enough."""
        held = [self.best[length] for length in sorted(self.best)]
        if not held:
            return None
        chosen = held[0]
        for longer in held[1:]:
            if longer[0] >= chosen[0] + WORTH_A_CONDITION * (len(longer[1]) - len(chosen[1])):
                chosen = longer
        return chosen[1]

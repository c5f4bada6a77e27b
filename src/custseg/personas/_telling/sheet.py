"""The sheet: which questions are asked, and how many points an answer is worth for each segment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

from custseg._core.arrays import Floats, Integers

__all__ = ["Sheet", "choose_questions", "make_sheet"]

# The answer that is worth most has so many points: whole numbers that are added in the head.
_MOST_POINTS = 20
# Where no answer is worth as much in log odds, points are not made of what is next to nothing.
_LEAST_RANGE = 0.1
# An answer is taken to have been given by so many more customers, who are spread as all are: what few gave says little.
_PRIOR_CUSTOMERS = 5
_LAST_DIGIT = 1e-9


@dataclass(frozen=True)
class Sheet:
    """Whole points for every answer.

    Attributes
    ----------
    questions : tuple of int
        The places of the questions.
    start : ndarray of shape (n_segments,)
        The points that each segment has before any answer.
    points : tuple of ndarray of shape (n_answers, n_segments)
        The points of each question's answers.
    points_per_logit : float
        So many points are one unit of log odds.
    """

    questions: tuple[int, ...]
    start: Integers
    points: tuple[Integers, ...]
    points_per_logit: float

    def sums(self, codes: Sequence[Integers]) -> Integers:
        """Add up the points of customers by the codes of their answers to these questions; no answer adds nothing."""
        total = np.tile(self.start, (len(codes[0]), 1))
        for own, points in zip(codes, self.points, strict=True):
            total += np.vstack([points, np.zeros_like(self.start)])[own]
        return total

    def shares(self, sums: Integers) -> Floats:
        """Turn sums of points into probabilities."""
        return np.asarray(softmax(sums / self.points_per_logit, axis=1))


def choose_questions(codes: Sequence[Integers], labels: Integers, most: int) -> list[list[int]]:
    """Choose the best questions of each number up to ``most``.

    By naive Bayes: a question is added that is worth most beside those before it; then each is exchanged for another as
    long as that is worth more. The questions of a number stand in the order in which they would be added.

    Parameters
    ----------
    codes : sequence of ndarray of shape (n_customers,)
        The answers to each question, -1 for none.
    labels : ndarray of shape (n_customers,)
        The segments.
    most : int
        The most questions.

    Returns
    -------
    list of list of int
        The places of the questions of each number.
    """
    labels = np.unique(labels, return_inverse=True)[1]
    evidence = [_evidence(own, labels) for own in codes]
    start = np.tile(np.log(np.bincount(labels) / len(labels)), (len(labels), 1))

    def added(chosen: Sequence[int], candidates: Iterable[int]) -> tuple[float, list[int]]:
        """Add the candidate that is worth most, and say what they are worth together."""
        so_far = start + sum(evidence[place] for place in sorted(chosen))
        open_ = [place for place in candidates if place not in chosen]
        worth = [_worth(so_far + evidence[place], labels) for place in open_]
        best = int(np.argmax(worth))
        return worth[best], [*chosen, open_[best]]

    def exchanged(worth: float, chosen: list[int]) -> list[int]:
        """Exchange questions for better ones as long as there are any."""
        improves = True
        while improves:
            improves = False
            for place in chosen:
                found, others = added([other for other in chosen if other != place], range(len(codes)))
                # the same questions in another order are worth the same but for the last digit
                if found > worth + _LAST_DIGIT:
                    worth, chosen, improves = found, others, True
        return chosen

    sets: list[list[int]] = []
    chosen: list[int] = []
    for _ in range(min(most, len(codes))):
        chosen = exchanged(*added(chosen, range(len(codes))))
        ordered: list[int] = []
        while len(ordered) < len(chosen):
            ordered = added(ordered, sorted(chosen))[1]
        sets.append(ordered)
    return sets


def _worth(evidence: Floats, labels: Integers) -> float:
    """Return the share of customers that is put right, and half of how probable the right segment is to them.

    The share alone jumps with single customers, so that chance would choose between questions that are as good.
    """
    rows, best = np.arange(len(labels)), evidence.argmax(axis=1)
    highest = evidence[rows, best]
    sums = np.exp(evidence - highest[:, None]).sum(axis=1)
    logs = evidence[rows, labels] - highest - np.log(sums)
    return float(np.mean(best == labels) + np.exp(logs.mean()) / 2)


def _evidence(codes: Integers, labels: Integers) -> Floats:
    """Return what each customer's answer says of each segment: by how much more often it is given there, as a log."""
    n_answers, n_segments = int(codes.max()) + 1, int(labels.max()) + 1
    known = codes >= 0
    counts = np.bincount(codes[known] * n_segments + labels[known], minlength=n_answers * n_segments)
    table = counts.reshape(n_answers, n_segments).astype(np.float64)
    overall = table.sum(axis=1, keepdims=True) / table.sum()
    shares = (table + _PRIOR_CUSTOMERS * overall) / (table.sum(axis=0) + _PRIOR_CUSTOMERS)
    return np.vstack([np.log(shares / np.where(overall > 0, overall, 1.0)), np.zeros(n_segments)])[codes]


def make_sheet(questions: Sequence[int], codes: Sequence[Integers], labels: Integers, n_segments: int) -> Sheet:
    """Fit the points of questions, and round them.

    The points are the coefficients of a multinomial logistic regression on the answers, with a ridge penalty: those of
    a question average to 0, so that a missing answer says nothing.

    Parameters
    ----------
    questions : sequence of int
        The places of the questions.
    codes : sequence of ndarray of shape (n_customers,)
        The answers to each of all questions.
    labels : ndarray of shape (n_customers,)
        The segments, two or more of them.
    n_segments : int
        How many segments the sheet has; those of which nobody is here get no points.

    Returns
    -------
    Sheet
        Of whole points, none below 0.
    """
    answers = [_indicators(codes[place]) for place in questions]
    model = LogisticRegression(solver="newton-cholesky", max_iter=1_000).fit(np.hstack(answers), labels)
    start, weights = model.intercept_, model.coef_
    if len(weights) == 1:
        start, weights = np.array([-start[0], start[0]]) / 2, np.vstack([-weights, weights]) / 2
    parts = np.split(weights, np.cumsum([part.shape[1] for part in answers])[:-1], axis=1)
    means = [part @ given.sum(axis=0) / given.sum() for part, given in zip(parts, answers, strict=True)]
    # a number that all segments have more decides nothing
    raised = [
        (part - mean[:, None] - (part - mean[:, None]).min(axis=0)).T for part, mean in zip(parts, means, strict=True)
    ]
    start = start + np.sum(means, axis=0)
    unit = _MOST_POINTS / max(*(part.max() for part in raised), _LEAST_RANGE)
    whole = np.zeros((1 + sum(map(len, raised)), n_segments), dtype=np.int64)
    whole[:, model.classes_] = np.rint(np.vstack([start - start.min(), *raised]) * unit)
    points = tuple(np.split(whole[1:], np.cumsum([len(part) for part in raised])[:-1]))
    return Sheet(tuple(questions), whole[0], points, float(unit))


def _indicators(codes: Integers) -> Floats:
    return np.asarray(codes[:, None] == np.arange(int(codes.max()) + 1), dtype=np.float64)

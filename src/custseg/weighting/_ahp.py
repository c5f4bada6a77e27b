"""Analytic hierarchy process: weights from comparisons in pairs, and how far these contradict each other."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse.csgraph import connected_components
from scipy.stats import t as student

from custseg._core.arrays import Bools, Floats
from custseg._core.asking import asked, asking, asks
from custseg._core.customers import read_customers
from custseg._core.frames import is_table
from custseg._core.params import check
from custseg.exceptions import ColumnTypeError, InvalidParameterError
from custseg.weighting._errors import not_connected, not_positive, not_reciprocal, not_square, other_names, over_itself
from custseg.weighting._intervals import INTERVAL_PARAMETERS, by_name, logit_intervals
from custseg.weighting._respondents import given_names, say, several_tables
from custseg.weighting._weights import CharacteristicWeights

__all__ = ["ahp_weights"]


# Saaty (1980): the mean consistency index of random matrices, by their size.
RANDOM_INDEX = {3: 0.58, 4: 0.90, 5: 1.12, 6: 1.24, 7: 1.32, 8: 1.41, 9: 1.45, 10: 1.49}
RANDOM_INDEX |= {11: 1.51, 12: 1.48, 13: 1.56, 14: 1.57, 15: 1.59}

LARGEST_RATIO = 0.10
"""The consistency ratio above which judgements should be made again (Saaty 1980)."""

# A reciprocal that was rounded to two decimals is one: .33 for 1/3, .14 for 1/7.
ROUNDED = 0.005 + 1e-9
ROUNDED_SHARE = 0.05
# Rounding errors of a quotient.
EXACT = 1e-9


@asks
def ahp_weights(
    matrix: Any, names: Sequence[str] | None = None, *, confidence_level: float = 0.95
) -> CharacteristicWeights:
    """Return the weights behind comparisons in pairs: "how much more important is A than B?".

    The weights are the principal eigenvector of the judgement matrix [1]_. Several judges are joined
    by the geometric mean of their judgements, the only mean that keeps them reciprocal [2]_.

    Parameters
    ----------
    matrix : array-like, DataFrame, or several of them
        Entry (i, j) says how many times as important characteristic i is as j, on Saaty's scale from
        1 (equal) to 9, and entry (j, i) is 1 divided by it; reciprocals that were rounded to two
        decimals are taken as exact. NaN in one direction of a pair is read from the other; in both, the
        pair was not judged. A square matrix or DataFrame for one judge; a list of them, a
        dictionary of them by judge, or an array of shape (n_judges, n, n) for several.
    names : sequence of str, optional
        The characteristics. By default the columns of the DataFrame, or ``x0``, ``x1``, ...
    confidence_level : float, default=0.95
        The confidence level of the intervals.

    Returns
    -------
    weights : CharacteristicWeights
        Weights that sum to 1. ``consistency`` holds ``lambda_max``, ``consistency_index``
        ``(lambda_max - n) / (n - 1)``, ``consistency_ratio`` (the index over Saaty's random index; 0
        for two characteristics, NaN for more than 15) and ``n_judges``; with several judges also
        ``largest_judge_ratio``, the least consistent judge's own ratio; where pairs were not judged, their
        number ``n_missing``.

    Raises
    ------
    JudgementError
        If a matrix is not square, a judgement is not positive, two judgements of one pair are not
        reciprocal, or the judges compare different characteristics; the pair is named. If so many judgements
        of a judge are missing that no chain of them leads to some characteristics, which are named.
    InvalidParameterError
        If ``names`` does not fit, or ``confidence_level`` is not between 0 and 1.

    Warns
    -----
    DataQualityWarning
        If a consistency ratio is above .10: the judgement furthest from the others is named, with
        the value that they imply. If pairs were not judged by anybody: how many, and what took their place.

    Notes
    -----
    **The worst judgement** of a pair is the one whose quotient to the ratio of the two weights is furthest
    from 1. The value that would be consistent is what the weights from all other judgements say of
    that pair (Harker's method for a missing judgement [3]_). With three characteristics all three
    judgements are equally far, and the first is named.

    **Intervals.** With several judges they come from how far the logarithms of the judges' own weights
    differ, with one variance for all characteristics (Student's t on the logit scale). With one judge
    they come from what the judgements leave unexplained: with independent errors of the logarithms
    of the judgements, each log weight has a standard error [4]_. A perfectly consistent judge gives
    intervals of no width, a comparison of two characteristics by one judge none.

    **Missing judgements** are completed by Harker's method [3]_: in place of one stands the ratio of the two
    weights themselves, so that it takes no side. Judges are joined by the mean over those who judged the pair.
    Fewer judgements contradict each other less, so the consistency index is compared with the random index of
    incomplete matrices [5]_: that of complete ones times ``1 - 2 m / ((n - 1) (n - 2))`` for ``m`` missing pairs.
    By simulation for 4 to 7 characteristics, random judgements completed in this way have an index within about 8%
    of the formula where at most half of the pairs are missing that may be; it comes to lie 27% above where nearly
    all are, so that the ratio errs on the side of a warning. With ``n - 1`` judgements nothing can contradict, and
    the ratio is 0.

    When not to use it: for more than about nine characteristics, where the comparisons in pairs become too
    many to be made with care; ``best_worst_weights`` asks less of people.

    References
    ----------
    .. [1] T. L. Saaty (1980). The Analytic Hierarchy Process. McGraw-Hill.
    .. [2] J. Aczel and T. L. Saaty (1983). Procedures for synthesizing ratio judgements. Journal of
       Mathematical Psychology 27, 93-102.
    .. [3] P. T. Harker (1987). Incomplete pairwise comparisons in the analytic hierarchy process.
       Mathematical Modelling 9, 837-848.
    .. [4] G. Crawford and C. Williams (1985). A note on the analysis of subjective judgment matrices.
       Journal of Mathematical Psychology 29, 387-405.
    .. [5] K. C. Agoston and L. Csato (2022). Inconsistency thresholds for incomplete pairwise comparison
       matrices. Omega 108, 102576.

    Examples
    --------
    >>> from custseg.weighting import ahp_weights
    >>> judged = [[1, 4, 3, 7], [1 / 4, 1, 1 / 3, 3], [1 / 3, 3, 1, 5], [1 / 7, 1 / 3, 1 / 5, 1]]
    >>> weights = ahp_weights(judged, names=["experience", "education", "charisma", "age"])
    >>> {name: round(weight, 4) for name, weight in weights.items()}
    {'experience': 0.5476, 'education': 0.1266, 'charisma': 0.2699, 'age': 0.0559}
    >>> round(weights.consistency["consistency_ratio"], 6)
    0.043859

    Without a judgement of education against charisma:

    >>> import warnings
    >>> judged[1][2] = judged[2][1] = float("nan")
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     weights = ahp_weights(judged, names=["experience", "education", "charisma", "age"])
    >>> {name: round(weight, 4) for name, weight in weights.items()}
    {'experience': 0.5587, 'education': 0.1523, 'charisma': 0.2312, 'age': 0.0578}
    >>> weights.consistency["n_missing"]
    1.0
    """
    check({"confidence_level": INTERVAL_PARAMETERS["confidence_level"]}, {"confidence_level": confidence_level})
    judges, found = _read(matrix, names)
    logs = np.array([_logs_of(judge, values, found) for judge, values in judges.items()])
    combined = _solve(_joined(logs))
    own = [combined] if len(judges) == 1 else [_solve(log) for log in logs]
    consistency = {
        "lambda_max": combined.lambda_max,
        "consistency_index": combined.index,
        "consistency_ratio": combined.ratio,
        "n_judges": float(len(judges)),
    }
    if combined.n_missing:
        consistency["n_missing"] = float(combined.n_missing)
    if len(judges) > 1:
        consistency["largest_judge_ratio"] = max(judge.ratio for judge in own)
    remarks = _remarks(combined, dict(zip(judges, own, strict=True)), found)
    say(remarks)
    return CharacteristicWeights(
        dict(zip(found, combined.weights.tolist(), strict=True)),
        method="ahp",
        consistency=consistency,
        intervals=by_name(found, _limits(combined, own, confidence_level)),
        confidence_level=confidence_level,
        warnings=tuple(remarks),
    )


@dataclass(frozen=True)
class _Solution:
    """The weights behind one matrix, given by the logarithms of its judgements (NaN where there is none)."""

    logs: Floats
    weights: Floats
    lambda_max: float

    @property
    def index(self) -> float:
        n = len(self.weights)
        # a consistent matrix may come out below n by a rounding error
        return max(self.lambda_max - n, 0.0) / (n - 1)

    @property
    def n_missing(self) -> int:
        """The number of pairs without a judgement."""
        return int(np.isnan(np.triu(self.logs, 1)).sum())

    @property
    def ratio(self) -> float:
        n = len(self.weights)
        # n - 1 judgements make a chain or a tree, in which nothing contradicts
        could_contradict = (n - 1) * (n - 2) // 2 - self.n_missing
        if could_contradict <= 0:
            return 0.0
        return self.index / random_index(n, self.n_missing)


def random_index(n: int, n_missing: int) -> float:
    """Return the mean consistency index of random matrices of which so many pairs are missing (Agoston and Csato)."""
    complete = RANDOM_INDEX.get(n, math.nan)
    return complete * (1.0 - 2.0 * n_missing / ((n - 1) * (n - 2))) if n_missing else complete


def _joined(logs: Floats) -> Floats:
    """Return the mean judgement of each pair, over the judges who gave one."""
    known = ~np.isnan(logs)
    if known.all():
        return np.asarray(logs.mean(axis=0))
    n_given = known.sum(axis=0)
    return np.asarray(np.where(known, logs, 0.0).sum(axis=0) / np.where(n_given, n_given, np.nan))


def _solve(logs: Floats) -> _Solution:
    weights, lambda_max = _principal(logs, np.ones_like(logs))
    return _Solution(logs, weights, lambda_max)


def _principal(logs: Floats, factor: Floats) -> tuple[Floats, float]:
    """Return the principal eigenvector, summing to 1, and its eigenvalue of ``exp(logs) * factor``.

    In place of a missing judgement stands the ratio of the weights: a 0, and 1 more on the diagonal (Harker).
    """
    missing = np.isnan(logs)
    if missing.any():
        factor = np.where(missing, 0.0, factor) + np.diag(missing.sum(axis=1).astype(np.float64))
        logs = np.where(missing, 0.0, logs)
    # Rows and columns divided by the geometric means: a matrix of nearly ones, whatever the judgements.
    means = logs.mean(axis=1)
    values, vectors = np.linalg.eig(np.exp(logs - means[:, None] + means[None, :]) * factor)
    largest = int(values.real.argmax())
    weights = np.abs(vectors[:, largest].real) * np.exp(means - means.max())
    return weights / weights.sum(), float(values[largest].real)


def _worst_pair(solution: _Solution) -> tuple[int, int]:
    """Return the pair, the more important side first, whose judgement is furthest from its weights."""
    expected = np.log(solution.weights)[:, None] - np.log(solution.weights)[None, :]
    # rounded, so that equal distances are seen as equal and the first pair is taken
    far = np.round(np.triu(np.nan_to_num(np.abs(solution.logs - expected), nan=0.0)), 9)
    i, j = (int(position) for position in np.unravel_index(far.argmax(), far.shape))
    return (i, j) if solution.logs[i, j] >= 0 else (j, i)


def _implied(logs: Floats, pair: tuple[int, int]) -> float:
    """Return what all other judgements say of a pair (Harker's method)."""
    i, j = pair
    factor = np.ones_like(logs)
    factor[i, j] = factor[j, i] = 0.0
    factor[i, i] = factor[j, j] = 2.0
    weights, _ = _principal(logs, factor)
    return float(weights[i] / weights[j])


def _remarks(combined: _Solution, judges: Mapping[str, _Solution], names: Sequence[str]) -> list[str]:
    remarks = []
    if combined.n_missing:
        n_pairs = len(names) * (len(names) - 1) // 2
        remarks.append(
            f"{combined.n_missing} of {n_pairs} pairs were not judged; what the other judgements say stands in their "
            "place (Harker's method), and the consistency ratio is that of incomplete matrices. Ask about them if you "
            "can."
        )
    if len(combined.weights) > max(RANDOM_INDEX):
        remarks.append(
            f"Saaty's random index ends at {max(RANDOM_INDEX)} characteristics, so there is no consistency ratio for "
            f"{len(names)}. Group the characteristics and compare within and between groups."
        )
    if combined.ratio > LARGEST_RATIO:
        whose = "" if len(judges) == 1 else " of the judges together"
        remarks.append(
            f"the consistency ratio{whose} is {combined.ratio:.3g}, above {LARGEST_RATIO:.2f}: the judgements "
            f"contradict each other. Furthest from the others is {_in_words(combined, names)}. Ask about this pair "
            "again."
        )
    poor = [judge for judge, own in judges.items() if own.ratio > LARGEST_RATIO]
    if len(judges) > 1 and poor:
        poor.sort(key=lambda judge: -judges[judge].ratio)
        found = [f"{judge} ({judges[judge].ratio:.3g}: {_in_words(judges[judge], names)})" for judge in poor[:3]]
        more = f"; and {len(poor) - 3} more" if len(poor) > 3 else ""
        remarks.append(
            f"{len(poor)} of {len(judges)} judges contradict themselves, with a consistency ratio above "
            f"{LARGEST_RATIO:.2f}: {'; '.join(found)}{more}. Ask them about these pairs again, or leave them out."
        )
    return remarks


def _in_words(solution: _Solution, names: Sequence[str]) -> str:
    i, j = _worst_pair(solution)
    judged, implied = math.exp(solution.logs[i, j]), _implied(solution.logs, (i, j))
    # as on the scale: 1/3, not .33
    consistent = f"{implied:.2g}" if implied > 0.95 else f"1/{1.0 / implied:.2g}"
    return f"{names[i]!r} over {names[j]!r} = {judged:.3g}, where {consistent} would be consistent with them"


def _limits(combined: _Solution, judges: Sequence[_Solution], confidence_level: float) -> Floats | None:
    n, m = len(combined.weights), len(judges)
    if m > 1:
        logs = np.log([judge.weights for judge in judges])
        centred = logs - logs.mean(axis=1, keepdims=True)
        left = ((centred - centred.mean(axis=0)) ** 2).sum()
        # one variance for all characteristics: a handful of judges cannot tell one for each
        degrees = (m - 1) * (n - 1)
        covariance = left / degrees / m * (np.eye(n) - 1.0 / n)
    else:
        degrees = (n - 1) * (n - 2) // 2 - combined.n_missing
        if degrees <= 0:
            return None
        covariance = _unexplained(combined.logs) / degrees * _spread(combined.logs)
    return logit_intervals(combined.weights, covariance, float(student.ppf((1.0 + confidence_level) / 2.0, degrees)))


def _unexplained(logs: Floats) -> float:
    """Return the sum of squares that the best log weights leave of the judgements."""
    means = _spread(logs) @ np.nansum(logs, axis=1) if np.isnan(logs).any() else logs.mean(axis=1)
    return float(np.nansum(np.triu(logs - (means[:, None] - means[None, :]), 1) ** 2))


def _spread(logs: Floats) -> Floats:
    """Return the covariance of log weights whose judgements have errors of variance 1."""
    n = len(logs)
    known = ~np.isnan(logs)
    if known.all():
        return np.asarray((np.eye(n) - 1.0 / n) / n)
    # least squares on the graph of the judgements: the inverse of its Laplacian
    laplacian = np.diag(known.sum(axis=1).astype(np.float64)) - known
    return np.asarray(np.linalg.pinv(laplacian, hermitian=True))


def _read(matrix: Any, names: Sequence[str] | None) -> tuple[dict[str, Floats], list[str]]:
    """Return one matrix per judge, all with the characteristics in the same order."""
    several = several_tables(matrix, "judge")
    if several is not None and not several:
        raise InvalidParameterError.not_allowed("matrix", "the judgements of at least one judge", matrix)
    judges: dict[str, Floats] = {}
    found: list[str] | None = None
    for judge, one in ({"": matrix} if several is None else several).items():
        with _asking(judge):
            values, own = _square(one)
        if own is None and found is not None:
            own = found if len(values) == len(found) else given_names(None, n_names=len(values))
        elif own is None:
            own = given_names(names, n_names=len(values))
        elif found is None and names is not None:
            found = given_names(names, n_names=len(values))
        found = found or own
        if set(own) != set(found):
            what = f"the judgements of {judge}" if judge else "the judgements"
            raise other_names(what, found, own)
        order = [own.index(name) for name in found]
        judges[judge] = values[np.ix_(order, order)]
    return judges, found or []


def _asking(judge: str) -> AbstractContextManager[None]:
    """Name the judge, where there are several."""
    return asking(f"{asked()}, {judge}" if judge else asked())


def _logs_of(judge: str, values: Floats, names: Sequence[str]) -> Floats:
    with _asking(judge):
        return _checked_logs(values, names)


def _square(matrix: Any) -> tuple[Floats, list[str] | None]:
    """Return the numbers of one matrix, and the characteristics where it is a table."""
    own: list[str] | None = None
    if is_table(matrix):
        table = read_customers(matrix)
        own = table.names
        for column in table.columns:
            if column.kind != "numeric":
                remedy = "Write judgements as numbers, 1/3 as 0.333333."
                raise ColumnTypeError.expected(column.name, "judgements as numbers", column.kind, remedy)
        values = np.column_stack([column.values for column in table.columns]).astype(np.float64)
        if isinstance(matrix, pd.DataFrame) and not isinstance(matrix.index, pd.RangeIndex):
            rows = [str(name) for name in matrix.index]
            if set(rows) != set(own) or len(rows) != len(own):
                raise other_names("the rows of the matrix", own, rows)
            values = values[[rows.index(name) for name in own]]
    else:
        try:
            values = np.asarray(matrix, dtype=np.float64)
        except (TypeError, ValueError) as error:
            words = "a square matrix of numbers, a DataFrame, or a list of them"
            raise InvalidParameterError.not_allowed("matrix", words, matrix) from error
    if values.ndim != 2 or values.shape[0] != values.shape[1] or len(values) < 2:
        raise not_square(values.shape)
    return values, own


def _checked_logs(values: Floats, names: Sequence[str]) -> Floats:
    """Return the logarithms of the judgements, exactly opposite for the two directions of a pair.

    What is missing in one direction is read from the other; NaN is left where a pair has no judgement.
    """
    there = np.isnan(values) & np.isfinite(values.T) & (values.T > 0)
    values = np.divide(1.0, values.T, out=values.copy(), where=there)
    values[np.diag_indices_from(values)] = np.where(np.isnan(np.diag(values)), 1.0, np.diag(values))
    missing = np.isnan(values)
    values[missing] = 1.0
    logs = _reciprocal_logs(values, names)
    logs[missing] = np.nan
    _refuse_apart(~missing, names)
    return logs


def _refuse_apart(known: Bools, names: Sequence[str]) -> None:
    """Refuse judgements that compare some characteristics with none of the others, not even through a chain."""
    n_parts, part = connected_components(known, directed=False)
    if n_parts > 1:
        smallest = int(np.bincount(part).argmin())
        apart = [name for name, own in zip(names, part, strict=True) if own == smallest]
        raise not_connected(apart, [name for name in names if name not in apart])


def _reciprocal_logs(values: Floats, names: Sequence[str]) -> Floats:
    wrong = ~(np.isfinite(values) & (values > 0))
    if wrong.any():
        i, j = (int(position) for position in np.argwhere(wrong)[0])
        raise not_positive((names[i], names[j]), float(values[i, j]))
    diagonal = np.abs(np.diag(values) - 1.0) > EXACT
    if diagonal.any():
        first = int(diagonal.argmax())
        raise over_itself(names[first], float(values[first, first]))
    logs = np.log(values)
    exact = np.abs(logs + logs.T) <= EXACT
    small, large = np.minimum(values, values.T), np.maximum(values, values.T)
    rounded = (
        (large >= 1.0)
        & (np.abs(small - 1.0 / np.maximum(large, 1.0)) <= ROUNDED)
        & (np.abs(small * large - 1.0) <= ROUNDED_SHARE)
    )
    unlike = ~(exact | rounded)
    if unlike.any():
        i, j = (int(position) for position in np.argwhere(unlike)[0])
        raise not_reciprocal((names[i], names[j]), float(values[i, j]), float(values[j, i]))
    # the larger of the two is what was said, the smaller its reciprocal, perhaps rounded
    said = np.where(values >= values.T, logs, -logs.T)
    return np.asarray(np.triu(said, 1) - np.triu(said, 1).T)

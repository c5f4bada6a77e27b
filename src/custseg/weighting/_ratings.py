"""Importance ratings: respondents rate every characteristic on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from custseg._core.arrays import Floats
from custseg._core.asking import asked, asks
from custseg._core.params import Where, check
from custseg.exceptions import InvalidTableError
from custseg.weighting._agreement import kendall_w
from custseg.weighting._errors import out_of_range
from custseg.weighting._intervals import INTERVAL_PARAMETERS, Patterns, bootstrap_if_several, by_name
from custseg.weighting._respondents import CUSTOMER_ID, Respondents, read_respondents, say
from custseg.weighting._weights import CharacteristicWeights

__all__ = ["rating_weights"]


def _is_scale(value: Any) -> bool:
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        return False
    return all(isinstance(end, (int, float)) and np.isfinite(end) for end in value) and value[0] < value[1]


_PARAMETERS = {
    "scale_range": (Where(_is_scale, "a pair (low, high) with low < high"),),
    **CUSTOMER_ID,
    **INTERVAL_PARAMETERS,
}


@asks
def rating_weights(
    ratings: Any,
    *,
    scale_range: tuple[float, float],
    names: Sequence[str] | None = None,
    customer_id: str | None = "customer_id",
    sample_weight: npt.ArrayLike | None = None,
    confidence_level: float = 0.95,
    n_boot: int = 1000,
    random_state: int | np.random.RandomState | None = None,
) -> CharacteristicWeights:
    """Return weights in proportion to the mean ratings of importance, counted from the low end of the scale.

    Each characteristic is rated by itself on an itemized scale [1]_, which is the direct rating of decision
    analysis [2]_. The intervals are percentiles of the bootstrap over respondents [3]_.

    Parameters
    ----------
    ratings : DataFrame, path, or array-like of shape (n_respondents, n_characteristics)
        One row per respondent; a higher rating says more important. Ids (a pandas index, or the
        column ``customer_id``) are set aside.
    scale_range : tuple (low, high)
        The ends of the scale, ``(1, 5)`` for five points. ``low`` means not important at all, so it
        gives weight 0; what was asked as a number of times or points from nothing has low 0.
    names : sequence of str, optional
        The columns to use; for a matrix, what to call its columns.
    customer_id : str or None, default="customer_id"
        The column of the respondents' ids, where there is one; None where every column is an answer.
    sample_weight : array-like of shape (n_respondents,), optional
        How many respondents each row stands for, 1 by default.
    confidence_level : float, default=0.95
        The confidence level of the intervals.
    n_boot : int, default=1000
        The number of bootstrap samples of the respondents.
    random_state : int, RandomState or None, default=None
        Seed of the bootstrap.

    Returns
    -------
    weights : CharacteristicWeights
        ``mean - low``, divided by its sum, with percentile intervals (none for a single respondent).
        ``consistency`` holds ``n_respondents`` and ``kendall_w``, the agreement of those who rated
        everything (NaN for fewer than two); ``figures`` the columns ``mean``,
        ``standard_deviation`` and ``n_rated``.

    Raises
    ------
    JudgementError
        If a rating is outside the scale.
    InvalidTableError
        If the table cannot be read, a characteristic was rated by nobody, or all ratings are at the
        low end.
    InvalidParameterError
        If a parameter is out of range.

    Warns
    -----
    DataQualityWarning
        A characteristic that everybody put at the low end has weight 0: it is described, and not
        clustered on.

    Notes
    -----
    A missing rating is left out of its mean. The result does not depend on the order of the
    respondents, and a sample weight of 2 equals the row twice.

    Percentile intervals of fewer than about 50 respondents are somewhat too narrow.

    When not to use it: people rate nearly everything as important, so these weights lie close together;
    methods that make them choose (``best_worst_weights``, ``constant_sum_weights``) tell more.

    References
    ----------
    .. [1] N. K. Malhotra (2020). Marketing Research: An Applied Orientation, 7th global edition. Pearson,
       chapter 9.
    .. [2] P. A. Bottomley, J. R. Doyle and R. H. Green (2000). Testing the reliability of weight elicitation
       methods: direct rating versus point allocation. Journal of Marketing Research 37, 508-513.
    .. [3] B. Efron and R. J. Tibshirani (1993). An Introduction to the Bootstrap. Chapman and Hall,
       chapter 13.

    Examples
    --------
    >>> import pandas as pd
    >>> from custseg.weighting import rating_weights
    >>> ratings = pd.DataFrame({"spend": [5, 4, 5], "region": [2, 3, 2], "age": [1, 2, 3]})
    >>> weights = rating_weights(ratings, scale_range=(1, 5), random_state=0)
    >>> {name: round(weight, 3) for name, weight in weights.items()}
    {'spend': 0.611, 'region': 0.222, 'age': 0.167}
    """
    sampling: dict[str, Any] = {"confidence_level": confidence_level, "n_boot": n_boot, "random_state": random_state}
    check(_PARAMETERS, {"scale_range": scale_range, "customer_id": customer_id, **sampling})
    answers = read_respondents(ratings, names=names, customer_id=customer_id, sample_weight=sample_weight)
    _check_scale(answers, scale_range)
    low = float(scale_range[0])
    patterns = _patterns(answers, low)
    weights = _shares(patterns.totals[None, :])[0]
    if not np.isfinite(weights).all():
        raise InvalidTableError(f"{asked()}: every rating is {low:g}, not important at all. There is nothing to weigh.")
    zero = [repr(name) for name, weight in zip(answers.names, weights, strict=True) if weight == 0]
    words = f"everybody put {', '.join(zero)} at the low end of the scale: weight 0, described and not clustered on."
    remarks = [words] if zero else []
    limits = bootstrap_if_several(patterns, _shares, **sampling)
    say(remarks)
    return CharacteristicWeights(
        dict(zip(answers.names, weights.tolist(), strict=True)),
        method="rating",
        consistency={"n_respondents": answers.n_respondents, "kendall_w": _agreement(answers)},
        intervals=by_name(answers.names, limits),
        confidence_level=confidence_level,
        warnings=tuple(remarks),
        figures=_figures(patterns, low),
    )


def _check_scale(answers: Respondents, scale_range: tuple[float, float]) -> None:
    low, high = scale_range
    wrong = (answers.values < low) | (answers.values > high)
    if wrong.any():
        first = int(wrong.any(axis=0).argmax())
        raise out_of_range(
            answers.names[first],
            f"ratings from {low:g} to {high:g}",
            n_rows=int(wrong[:, first].sum()),
            example=float(answers.values[wrong[:, first], first][0]),
            remedy="Correct them, set codes such as 99 to missing, or pass the scale that was used (scale_range=...).",
        )


def _patterns(answers: Respondents, low: float) -> Patterns:
    """Return the distinct answers: ratings above the low end, 0 where there is none, then whether there is one."""
    known = ~np.isnan(answers.values) & (answers.mass > 0)[:, None]
    unrated = np.flatnonzero(~known.any(axis=0))
    if len(unrated):
        raise InvalidTableError(f"{asked()}: nobody rated {answers.names[unrated[0]]!r}. Leave out the column.")
    rated = np.where(known, answers.values - low, 0.0)
    return Patterns(np.column_stack([rated, known]), answers.mass)


def _shares(totals: Floats) -> Floats:
    """Return the weights (n_samples, n_characteristics) from sums of ratings and numbers of ratings."""
    sums, numbers = np.split(totals, 2, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = sums / numbers
        return np.asarray(means / means.sum(axis=1, keepdims=True))


def _agreement(answers: Respondents) -> float:
    """Return Kendall's W of those who rated everything, each once whatever the sample weight."""
    complete = answers.values[~np.isnan(answers.values).any(axis=1) & (answers.mass > 0)]
    return kendall_w(complete) if len(complete) > 1 else float("nan")


def _figures(patterns: Patterns, low: float) -> pd.DataFrame:
    rated, known = np.split(patterns.rows, 2, axis=1)
    counts = known * patterns.counts[:, None]
    n = counts.sum(axis=0)
    mean = (rated * counts).sum(axis=0) / n
    squares = (counts * (rated - mean) ** 2).sum(axis=0)
    deviation = np.sqrt(np.divide(squares, n - 1.0, out=np.full(len(n), np.nan), where=n > 1))
    return pd.DataFrame({"mean": mean + low, "standard_deviation": deviation, "n_rated": n})

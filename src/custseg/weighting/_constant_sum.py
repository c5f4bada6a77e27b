"""Constant sum: respondents divide a number of points among the characteristics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from custseg._core.arrays import Floats
from custseg._core.asking import asks
from custseg._core.params import Number, Where, check
from custseg.exceptions import InvalidTableError
from custseg.weighting._errors import out_of_range, wrong_total
from custseg.weighting._intervals import INTERVAL_PARAMETERS, Patterns, bootstrap_if_several, by_name
from custseg.weighting._respondents import CUSTOMER_ID, Respondents, read_respondents, say
from custseg.weighting._weights import CharacteristicWeights

__all__ = ["constant_sum_weights"]


_PARAMETERS = {
    "total": (Where(lambda value: Number().accepts(value) and value > 0, "a number above 0"),),
    "tolerance": (Number(0.0, 1.0, open_high=True),),
    **CUSTOMER_ID,
    **INTERVAL_PARAMETERS,
}


@asks
def constant_sum_weights(
    points: Any,
    *,
    total: float = 100,
    names: Sequence[str] | None = None,
    customer_id: str | None = "customer_id",
    tolerance: float = 1e-6,
    sample_weight: npt.ArrayLike | None = None,
    confidence_level: float = 0.95,
    n_boot: int = 1000,
    random_state: int | np.random.RandomState | None = None,
) -> CharacteristicWeights:
    """Return the mean shares of points that respondents gave to the characteristics.

    This is the constant sum scale of survey research [1]_. The intervals are percentiles of the
    bootstrap over respondents [2]_.

    Parameters
    ----------
    points : DataFrame, path, or array-like of shape (n_respondents, n_characteristics)
        One row per respondent, who divided ``total`` points. Ids (a pandas index, or the column
        ``customer_id``) are set aside.
    total : float, default=100
        What the points of each respondent sum to.
    names : sequence of str, optional
        The columns to use; for a matrix, what to call its columns.
    customer_id : str or None, default="customer_id"
        The column of the respondents' ids, where there is one; None where every column is an answer.
    tolerance : float, default=1e-6
        By what share of ``total`` a respondent's sum may differ from it; the shares are always of
        the own sum.
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
        Mean shares, summing to 1, with percentile intervals (none for a single respondent).
        ``consistency`` holds ``n_respondents``; ``figures`` the columns ``standard_deviation`` of the
        shares and ``share_zero``, who gave no point at all.

    Raises
    ------
    JudgementError
        If points are negative, or a respondent's do not sum to ``total``.
    InvalidTableError
        If the table cannot be read, or nobody answered.
    InvalidParameterError
        If a parameter is out of range.

    Warns
    -----
    DataQualityWarning
        Respondents without any answer are left out, and blanks of others, whose points sum to the
        total without them, count as 0, each with their number. A characteristic that got no point from
        anybody has weight 0: it is described, and not clustered on.

    Notes
    -----
    The result does not depend on the order of the respondents, and a sample weight of 2 equals the
    row twice. Each bootstrap sample draws as many respondents as the weights sum to.

    Percentile intervals of fewer than about 50 respondents are somewhat too narrow.

    When not to use it: for more than about ten characteristics, between which people do not divide
    points with care.

    References
    ----------
    .. [1] N. K. Malhotra (2020). Marketing Research: An Applied Orientation, 7th global edition. Pearson,
       chapter 8.
    .. [2] B. Efron and R. J. Tibshirani (1993). An Introduction to the Bootstrap. Chapman and Hall,
       chapter 13.

    Examples
    --------
    >>> import pandas as pd
    >>> from custseg.weighting import constant_sum_weights
    >>> points = pd.DataFrame({"spend": [50, 60, 40], "region": [30, 40, 40], "age": [20, 0, 20]})
    >>> weights = constant_sum_weights(points, random_state=0)
    >>> weights.to_frame().round(3)[["characteristic", "weight", "low", "high"]]
      characteristic  weight  low  high
    0          spend   0.500  0.4   0.6
    1         region   0.367  0.3   0.4
    2            age   0.133  0.0   0.2
    """
    sampling: dict[str, Any] = {"confidence_level": confidence_level, "n_boot": n_boot, "random_state": random_state}
    check(_PARAMETERS, {"total": total, "tolerance": tolerance, "customer_id": customer_id, **sampling})
    answers = read_respondents(points, names=names, customer_id=customer_id, sample_weight=sample_weight)
    answers, remarks = _complete(answers, total, tolerance)
    shares = answers.values / answers.values.sum(axis=1, keepdims=True)
    patterns = Patterns(shares, answers.mass)
    weights = patterns.totals / patterns.totals.sum()
    remarks += _remarks_on_zeros(answers.names, weights)
    limits = bootstrap_if_several(patterns, lambda sums: sums / sums.sum(axis=1, keepdims=True), **sampling)
    say(remarks)
    return CharacteristicWeights(
        dict(zip(answers.names, weights.tolist(), strict=True)),
        method="constant_sum",
        consistency={"n_respondents": answers.n_respondents},
        intervals=by_name(answers.names, limits),
        confidence_level=confidence_level,
        warnings=tuple(remarks),
        figures=_figures(patterns, weights),
    )


def _complete(answers: Respondents, total: float, tolerance: float) -> tuple[Respondents, list[str]]:
    """Return the respondents who answered, blanks as 0; refuse points that are negative or of another sum."""
    remarks = []
    blank = np.isnan(answers.values)
    silent = np.asarray(blank.all(axis=1))
    if silent.all():
        raise InvalidTableError.nothing_left(f"{len(silent):,} respondent(s) without any answer", "Check the file.")
    if silent.any():
        remarks.append(f"{int(silent.sum()):,} respondent(s) without any answer were left out.")
    answers, blank = answers.keep(~silent), blank[~silent]
    negative = answers.values < 0
    if negative.any():
        first = int(negative.any(axis=0).argmax())
        raise out_of_range(
            answers.names[first],
            "points of at least 0",
            n_rows=int(negative[:, first].sum()),
            example=float(np.nanmin(answers.values[:, first])),
            remedy="Correct them.",
        )
    sums = np.where(blank, 0.0, answers.values).sum(axis=1)
    wrong = np.abs(sums - total) > tolerance * total
    if wrong.any():
        first = int(wrong.argmax())
        raise wrong_total(total, int(wrong.sum()), answers.ids[first], float(sums[first]))
    if blank.any():
        remarks.append(
            f"{int(blank.sum()):,} blank(s) count as 0 points: the other points of these respondents sum to the total."
        )
    values = np.where(blank, 0.0, answers.values)
    return Respondents(answers.names, values, answers.ids, answers.mass), remarks


def _remarks_on_zeros(names: Sequence[str], weights: Floats) -> list[str]:
    zero = [repr(name) for name, weight in zip(names, weights, strict=True) if weight == 0]
    if not zero:
        return []
    return [f"nobody gave {', '.join(zero)} a point: weight 0, described and not clustered on."]


def _figures(patterns: Patterns, weights: Floats) -> pd.DataFrame:
    n = patterns.counts.sum()
    squares = (patterns.counts[:, None] * (patterns.rows - weights) ** 2).sum(axis=0)
    zero = (patterns.counts[:, None] * (patterns.rows == 0)).sum(axis=0)
    deviation = np.sqrt(squares / (n - 1.0)) if n > 1 else np.full(len(weights), np.nan)
    return pd.DataFrame({"standard_deviation": deviation, "share_zero": zero / n})

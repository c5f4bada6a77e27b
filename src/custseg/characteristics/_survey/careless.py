"""Respondents who may not have read the questions: flags, never decisions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from scipy.stats import chi2

from custseg._core.arrays import Floats, Integers
from custseg._core.asking import asked, asks
from custseg._core.frames import collect, is_table, open_table, with_index
from custseg._core.ids import ID_OR_ROWS, check_chosen, refuse_levels, row_index, without_index
from custseg._core.native import from_native
from custseg._core.params import NONE, Integer, Number, Where, check
from custseg._core.paths import is_path, open_path
from custseg._core.rounding import rounding_of, without_rounding
from custseg._core.warning import warn
from custseg.characteristics._survey.answers import Answers, matrix, moments, numbers, read_answers
from custseg.exceptions import ColumnTypeError, InvalidTableError

_FENCE = 1.5
_SINGULAR = 1e-10
# Cells of the systems of equations that are solved at once.
_CELLS = 4_000_000

_ALLOWED = {
    "items": (
        NONE,
        Where(
            lambda value: (
                isinstance(value, (list, tuple)) and len(value) > 0 and all(isinstance(name, str) for name in value)
            ),
            "a list of column names",
        ),
    ),
    "customer_id": ID_OR_ROWS,
    "max_run": (NONE, Integer(low=1)),
    "min_variability": (NONE, Number(low=0.0)),
    "significance_level": (Number(low=0.0, high=1.0),),
}


@asks
def careless_responses(
    X: Any,
    *,
    items: Sequence[str] | None = None,
    customer_id: str | None = "customer_id",
    max_run: int | None = None,
    min_variability: float | None = None,
    significance_level: float = 0.001,
) -> pd.DataFrame:
    """Flag respondents whose answers look careless. Nobody is left out: that is for you to decide.

    Three signs are computed from the answers as they were given, before anything is reversed, with
    the items in the order of the questionnaire [1]_:

    - the longest run of equal answers in a row (a missing answer ends a run);
    - the variability of the answers of one respondent (their standard deviation; 0 for whoever
      ticks the same box everywhere);
    - the squared Mahalanobis distance from the mean answers, which is large for combinations of
      answers that hardly anybody gives.

    Parameters
    ----------
    X : dataframe, path, or array-like of shape (n_respondents, n_items)
        The answers as numbers, one row per respondent, NaN or null where there is none.
    items : list of str or None, default=None
        The items in the order in which they were asked; None takes all columns but
        ``customer_id``, in the order of the table.
    customer_id : str or None, default="customer_id"
        The column that says who answered, where the table has it; otherwise the index of a pandas
        table or the position of the row does. None where each row is a customer and all columns are answers.
    max_run : int or None, default=None
        A longer run is flagged. None takes half of the number of items, rounded down [1]_.
    min_variability : float or None, default=None
        A smaller variability is flagged, and 0 always is. None takes the lower fence of the
        respondents (first quartile less 1.5 interquartile ranges).
    significance_level : float, default=0.001
        A Mahalanobis distance is flagged where one so large has at most this probability among
        normal answers (chi-square, with the answered items as degrees of freedom).

    Returns
    -------
    signs : pandas.DataFrame
        One row per respondent, in the order of ``X``, indexed by who answered. Columns:

        - ``n_answered``: the number of answers;
        - ``longest_run``: 0 for whoever answered nothing;
        - ``variability``: NaN for fewer than two answers;
        - ``mahalanobis``: over the items answered; NaN for whoever answered nothing;
        - ``long_run``, ``low_variability``, ``unusual``: the three flags;
        - ``n_flags``: how many of them are raised.

    Raises
    ------
    InvalidTableError
        There is no row, or there are fewer than two items.
    ColumnNotFoundError
        An item is not in the table.
    ColumnTypeError
        An item holds something other than finite numbers.

    Warns
    -----
    DataQualityWarning
        Where the covariance of the items is singular (as many items as respondents, an item that
        follows from others): the Mahalanobis distance is NaN for all. Items that do not vary are
        left out of it without harm.

    References
    ----------
    .. [1] Curran, P. G. (2016). Methods for the detection of carelessly invalid responses in survey
       data. *Journal of Experimental Social Psychology* 66, 4-19.

    Examples
    --------
    >>> import pandas as pd
    >>> from custseg.characteristics import careless_responses
    >>> survey = pd.DataFrame({
    ...     "customer_id": [1, 2, 3, 4, 5, 6],
    ...     "a": [1, 3, 2, 5, 4, 3], "b": [2, 3, 5, 4, 4, 1], "c": [4, 3, 1, 2, 1, 5], "d": [5, 3, 5, 4, 2, 1],
    ... })
    >>> signs = careless_responses(survey)
    >>> signs[["longest_run", "variability", "n_flags"]].round(2)
                 longest_run  variability  n_flags
    customer_id
    1                      1         1.83        0
    2                      4         0.00        2
    3                      1         2.06        0
    4                      1         1.26        0
    5                      2         1.50        0
    6                      1         1.91        0
    """
    given = {
        "items": items,
        "customer_id": customer_id,
        "max_run": max_run,
        "min_variability": min_variability,
        "significance_level": significance_level,
    }
    check(_ALLOWED, given)
    answers, index = _read(X, items, customer_id)
    # answers to different items are compared
    values = without_rounding(answers.values.ravel()).reshape(answers.values.shape)
    n_answered = (~np.isnan(values)).sum(axis=1)
    run = longest_runs(values)
    variability = within_person_sd(values)
    distance, df = _mahalanobis(values)
    if np.isnan(distance[n_answered > 0]).all() and (n_answered > 0).any():
        warn(
            "the covariance of the items is singular, so the Mahalanobis distance is not defined. Pass more "
            "respondents than items, and drop items that follow from others."
        )
    limit = len(answers.items) // 2 if max_run is None else max_run
    lowest = np.asarray(_lower_fence(variability) if min_variability is None else min_variability)
    # the spread of the same answers in another order differs by rounding
    varies_less = variability < lowest - rounding_of(lowest)
    flags = {
        "long_run": run > limit,
        "low_variability": (variability == 0) | varies_less,
        "unusual": chi2.sf(distance, np.maximum(df, 1)) <= significance_level,
    }
    signs = {"n_answered": n_answered, "longest_run": run, "variability": variability, "mahalanobis": distance}
    return pd.DataFrame({**signs, **flags, "n_flags": sum(flag.astype(np.int64) for flag in flags.values())}, index)


def _read(X: Any, items: Sequence[str] | None, customer_id: str | None) -> tuple[Answers, pd.Index[Any] | None]:
    if not is_table(X):
        return read_answers(X, customer_id=customer_id), None
    frame = from_native(open_path(X) if is_path(X) else X)
    if isinstance(frame, nw.LazyFrame) and frame.implementation.is_dask() and customer_id is not None:
        frame = with_index(frame, [customer_id])
        X = frame.to_native()
    names = list(frame.collect_schema().names())
    check_chosen(X, customer_id, names)
    wanted = list(items) if items is not None else [name for name in names if name != customer_id]
    has_ids = customer_id in names
    known_as = customer_id if has_ids else None
    columns = wanted if known_as is None else [known_as, *wanted]
    opened = open_table(without_index(X), columns=columns, customer_id=known_as, in_order=True)
    rows = collect(opened.frame)
    if len(rows) == 0:
        raise InvalidTableError.empty("table of answers")
    if len(wanted) < 2:
        raise InvalidTableError(f"{asked()} needs at least 2 items, got {len(wanted)}. Pass all items of the survey.")
    values = matrix([numbers(rows[name]) for name in wanted], len(rows))
    infinite = np.isinf(values).sum(axis=0)
    if infinite.any():
        raise ColumnTypeError.infinite(wanted[int(infinite.argmax())], int(infinite.max()))
    answers = Answers(tuple(wanted), values)
    if known_as is not None:
        return answers, pd.Index(rows[known_as].to_list(), name=known_as)
    if customer_id is None:
        return answers, row_index(X)
    if isinstance(X, pd.DataFrame):
        refuse_levels(X, [customer_id])
        return answers, X.index
    return answers, None


def longest_runs(values: Floats) -> Integers:
    """Return the longest run of equal answers in each row; a missing answer ends a run."""
    known = ~np.isnan(values)
    run = known[:, 0].astype(np.int64)
    longest = run.copy()
    for position in range(1, values.shape[1]):
        same = values[:, position] == values[:, position - 1]
        run = np.where(same, run + 1, known[:, position])
        np.maximum(longest, run, out=longest)
    return longest


def within_person_sd(values: Floats) -> Floats:
    """Return the standard deviation of each row (n - 1 in the denominator), NaN for fewer than two answers."""
    known = ~np.isnan(values)
    n = known.sum(axis=1).astype(np.float64)
    two = np.where(n >= 2, n, np.nan)
    # the lowest answer as origin makes the spread of equal answers exactly 0
    origin = np.where(n > 0, np.fmin.reduce(values, axis=1), 0.0)
    away = np.where(known, values - origin[:, None], 0.0)
    spread = (away**2).sum(axis=1) - away.sum(axis=1) ** 2 / two
    return np.asarray(np.sqrt(np.maximum(spread, 0.0) / (two - 1)))


def _lower_fence(variability: Floats) -> float:
    known = variability[~np.isnan(variability)]
    if len(known) == 0:
        return 0.0
    low, high = np.quantile(known, [0.25, 0.75])
    return float(low - _FENCE * (high - low))


def _mahalanobis(values: Floats) -> tuple[Floats, Integers]:
    """Return squared distances over the answered items that vary, and how many these are."""
    found = moments(values)
    varies = np.diag(found.covariance) > 0
    x = values[:, varies]
    df = (~np.isnan(x)).sum(axis=1)
    nothing = np.full(len(values), np.nan)
    if not varies.any():
        return nothing, df
    covariance = found.covariance[np.ix_(varies, varies)]
    if not _is_regular(covariance):
        return nothing, df
    away = x - np.nanmean(x, axis=0)
    return np.where(df > 0, _distances(away, covariance), np.nan), df


def _is_regular(covariance: Floats) -> bool:
    if np.isnan(covariance).any():
        return False
    sd = np.sqrt(np.diag(covariance))
    return bool(np.linalg.eigvalsh(covariance / np.outer(sd, sd))[0] > _SINGULAR)


def _distances(away: Floats, covariance: Floats) -> Floats:
    """Return the squared distance of each row over its answered items.

    With the precision matrix P of all items and a deviation d of 0 where an answer is missing, the
    distance over the answered items is d'Pd less v' inv(Q) v, where v and Q are what Pd and P hold at
    the missing items. So the systems to solve are as small as the gaps.
    """
    gaps = np.isnan(away)
    filled = np.where(gaps, 0.0, away)
    precision = np.linalg.inv(covariance)
    turned = filled @ precision
    distance = (filled * turned).sum(axis=1)
    n_gaps = gaps.sum(axis=1)
    for size in np.unique(n_gaps[n_gaps > 0]):
        step = max(1, _CELLS // size**2)
        alike = np.flatnonzero(n_gaps == size)
        for start in range(0, len(alike), step):
            rows = alike[start : start + step]
            places = np.nonzero(gaps[rows])[1].reshape(len(rows), size)
            v = np.take_along_axis(turned[rows], places, axis=1)
            systems = precision[places[:, :, None], places[:, None, :]]
            distance[rows] -= (v * np.linalg.solve(systems, v[:, :, None])[:, :, 0]).sum(axis=1)
    return np.asarray(np.maximum(distance, 0.0))

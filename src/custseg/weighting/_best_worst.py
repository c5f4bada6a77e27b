"""Best-worst scaling: weights from which characteristic mattered most and which least."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.stats import norm
from scipy.stats import t as student

from custseg._core.arrays import Floats
from custseg._core.asking import asked, asks
from custseg._core.customers import read_customers
from custseg._core.ids import DEFAULT_ID
from custseg._core.params import OneOf, check
from custseg.characteristics import best_worst_counts, best_worst_scores
from custseg.exceptions import ColumnNotFoundError, InvalidParameterError, InvalidTableError
from custseg.weighting._intervals import (
    INTERVAL_PARAMETERS,
    Patterns,
    bootstrap_intervals,
    by_name,
    logit_intervals,
)
from custseg.weighting._respondents import CUSTOMER_ID, say
from custseg.weighting._weights import CharacteristicWeights

__all__ = ["best_worst_weights"]


_PARTS = ("best", "worst", "shown")
_PARAMETERS = {
    "method": (OneOf("logit", "counts"),),
    "intervals": (OneOf("auto", "bootstrap", "standard_error"),),
    **CUSTOMER_ID,
    **INTERVAL_PARAMETERS,
}


@asks
def best_worst_weights(
    choices: Any,
    *,
    shown: Sequence[str] | None = None,
    best: str = "best",
    worst: str = "worst",
    customer_id: str | None = "customer_id",
    method: Literal["logit", "counts"] = "logit",
    intervals: Literal["auto", "bootstrap", "standard_error"] = "auto",
    confidence_level: float = 0.95,
    n_boot: int = 1000,
    random_state: int | np.random.RandomState | None = None,
) -> CharacteristicWeights:
    """Return the weights behind best-worst choices (MaxDiff).

    With T the sets that showed a characteristic, B those in which it was chosen as best and W as
    worst, ``p = (T + B - W) / (2 T)`` is the share of pairwise contests that it won, and
    ``log(p / (1 - p))`` its utility in the multinomial logit model, in closed form [1]_.

    Parameters
    ----------
    choices : dataframe or path
        With ``shown``: one row per respondent and choice set, as
        :func:`~custseg.characteristics.best_worst_counts` reads it. Without: counts as it returns them, the
        columns ``best_<name>``, ``worst_<name>`` and ``shown_<name>`` in one row per respondent, or in a
        single row for all.
    shown : sequence of str, optional
        The columns that hold the characteristics of the set, one each.
    best, worst : str, default="best", "worst"
        The columns with the one that was chosen as best, and as worst; read with ``shown``.
    customer_id : str or None, default="customer_id"
        The column of the respondents' ids; None where each row is a respondent of its own.
    method : {"logit", "counts"}, default="logit"
        ``"logit"``: weights in proportion to ``p / (1 - p)``, the shares of choice in the logit model.
        ``"counts"``: in proportion to ``p``, that is to ``1 + (B - W) / T``: closer together.
    intervals : {"auto", "bootstrap", "standard_error"}, default="auto"
        Over bootstrap samples of the respondents, or from standard errors; ``"auto"`` takes the
        bootstrap where there are two respondents or more.
    confidence_level : float, default=0.95
        The confidence level of the intervals.
    n_boot : int, default=1000
        The number of bootstrap samples.
    random_state : int, RandomState or None, default=None
        Seed of the bootstrap.

    Returns
    -------
    weights : CharacteristicWeights
        Weights that sum to 1, in alphabetical order of a choice table, or that of the columns of
        counts. ``consistency`` holds ``n_respondents`` and ``n_choices`` (sets answered), ``figures``
        the columns ``best``, ``worst``, ``shown``, ``score`` ``(B - W) / T``, ``utility`` and its
        ``standard_error``.

    Raises
    ------
    InvalidTableError
        If the table cannot be used: a choice that was not shown, counts that do not fit together, a
        characteristic that was never shown, no set left.
    InvalidParameterError
        If a parameter is out of range, or the bootstrap is asked for with one respondent.

    Warns
    -----
    DataQualityWarning
        Sets without an answer are left out, with their number. A characteristic that won every
        contest, or lost every one, gets half a contest against it, or for it: its utility is infinite
        otherwise.

    Notes
    -----
    Standard errors treat respondents as independent and a respondent's sets as not. From a single row
    of counts they treat the sets as independent, as published ones do, and the characteristics
    too. A missing count is 0.

    When not to use it: where everybody saw too few sets for each characteristic to meet the others
    (three or more showings each are usual), or for whether people care at all: best-worst says which
    matters more, never that anything matters.

    References
    ----------
    .. [1] S. Lipovetsky and M. Conklin (2014). Best-Worst Scaling in analytical closed-form solution.
       Journal of Choice Modelling 10, 60-68.

    Examples
    --------
    >>> import pandas as pd
    >>> from custseg.weighting import best_worst_weights
    >>> choices = pd.DataFrame({
    ...     "customer_id": [1, 1, 2, 2],
    ...     "a": ["price", "taste", "price", "taste"],
    ...     "b": ["taste", "origin", "taste", "origin"],
    ...     "c": ["origin", "price", "origin", "price"],
    ...     "best": ["taste", "taste", "price", "taste"],
    ...     "worst": ["origin", "price", "origin", "origin"],
    ... })
    >>> weights = best_worst_weights(choices, shown=["a", "b", "c"], random_state=0)
    >>> {name: round(weight, 3) for name, weight in weights.items()}
    {'origin': 0.018, 'price': 0.123, 'taste': 0.86}
    """
    sampling: dict[str, Any] = {"confidence_level": confidence_level, "n_boot": n_boot, "random_state": random_state}
    given = {"method": method, "intervals": intervals, "customer_id": customer_id}
    check(_PARAMETERS, {**given, **sampling})
    if shown is not None:
        choices = best_worst_counts(choices, shown=shown, best=best, worst=worst, customer_id=customer_id)
    counts = _read_counts(choices, customer_id, shown is not None)
    patterns = Patterns(counts.rows, np.ones(len(counts.rows)))
    totals = patterns.totals
    weights = _shares(totals[None, :], method)[0]
    covariance = _covariance(patterns, totals)
    if _by_bootstrap(intervals, len(counts.rows)):
        limits = bootstrap_intervals(patterns, lambda sums: _shares(sums, method), **sampling)
    else:
        limits = _from_standard_errors(
            weights, covariance, totals, n_rows=len(counts.rows), method=method, confidence_level=confidence_level
        )
    remarks = _remarks(counts.names, totals)
    say(remarks)
    return CharacteristicWeights(
        dict(zip(counts.names, weights.tolist(), strict=True)),
        method=f"best_worst ({method})",
        consistency={"n_respondents": float(len(counts.rows)), "n_choices": float(_split(totals)[0].sum())},
        intervals=by_name(counts.names, limits),
        confidence_level=confidence_level,
        warnings=tuple(remarks),
        figures=_figures(totals, covariance),
    )


@dataclass(frozen=True)
class _Counts:
    """The columns best, then worst, then shown of every characteristic, one row per respondent."""

    names: list[str]
    rows: Floats


def _by_bootstrap(intervals: str, n_rows: int) -> bool:
    if intervals == "bootstrap" and n_rows == 1:
        words = "'standard_error' or 'auto' where there is a single row of counts"
        raise InvalidParameterError.not_allowed("intervals", words, intervals)
    return intervals != "standard_error" and n_rows > 1


def _read_counts(table: Any, customer_id: str | None, is_counted: bool) -> _Counts:
    # what was counted bears ids, if only the numbers of the sets
    name = customer_id or DEFAULT_ID if is_counted else customer_id
    found = read_customers(table, customer_id=name, must_have_id=True)
    names = [name.removeprefix("shown_") for name in found.names if name.startswith("shown_")]
    if not names:
        raise InvalidTableError(
            f"{asked()}: the table has no column shown_<name>, so it holds no counts. Name the columns with the "
            "characteristics of each choice set (shown=[...]), or count them with best_worst_counts."
        )
    columns = {part: [f"{part}_{name}" for name in names] for part in _PARTS}
    missing = [name for part in _PARTS for name in columns[part] if name not in found.names]
    if missing:
        raise ColumnNotFoundError.in_table(missing, found.names)
    counts = {part: np.column_stack([found[name].values for name in columns[part]]) for part in _PARTS}
    counts = {part: np.where(np.isnan(values), 0.0, values.astype(np.float64)) for part, values in counts.items()}
    named = {part: pd.DataFrame(values, columns=columns[part]) for part, values in counts.items()}
    best_worst_scores(named["best"], named["worst"], named["shown"])  # refuses impossible counts
    rows = np.column_stack([counts[part] for part in _PARTS])
    chosen = {part: counts[part].sum(axis=1) for part in _PARTS}
    uneven = chosen["best"] != chosen["worst"]
    if uneven.any():
        row = int(np.flatnonzero(uneven)[0])
        raise InvalidTableError(
            f"{asked()}: every choice set has one best and one worst, so that both must be as many; not so in "
            f"{int(uneven.sum()):,} row(s), for example {chosen['best'][row]:g} best and {chosen['worst'][row]:g} "
            f"worst in row {row}. Check the columns best_<name> and worst_<name>."
        )
    never = np.flatnonzero(counts["shown"].sum(axis=0) == 0)
    if len(never):
        raise InvalidTableError(
            f"{asked()}: {names[never[0]]!r} was never shown, so nothing is known of its weight. Leave out its columns."
        )
    if len(names) < 2:
        raise InvalidTableError(f"{asked()} needs at least 2 characteristics to weigh, got {names[0]!r} only.")
    answered = counts["shown"].sum(axis=1) > 0
    return _Counts(names, rows if is_counted else rows[answered])


def _split(totals: Floats) -> tuple[Floats, Floats, Floats]:
    best, worst, shown = np.split(totals, 3, axis=-1)
    return best, worst, shown


def _won(totals: Floats) -> Floats:
    """Return the share of contests won; half a contest is added to the side that has none."""
    best, worst, shown = _split(totals)
    won = shown + best - worst
    is_sure = (won == 0) | (won == 2 * shown)
    return np.asarray(np.where(is_sure, (won + 0.5) / (2 * shown + 1), won / (2 * shown)))


def _shares(totals: Floats, method: str) -> Floats:
    won = _won(totals)
    strength = won / (1.0 - won) if method == "logit" else won
    return np.asarray(np.where(_split(totals)[2] > 0, strength, np.nan) / strength.sum(axis=-1, keepdims=True))


def _covariance(patterns: Patterns, totals: Floats) -> Floats:
    """Return the covariance of the shares of contests won."""
    best, worst, shown = _split(totals)
    score = (best - worst) / shown
    n_rows = patterns.counts.sum()
    if n_rows == 1:
        return np.diag(((best + worst) / shown - score**2) / shown / 4.0)
    own_best, own_worst, own_shown = _split(patterns.rows)
    # what each respondent adds to the error of the score: they are independent, their sets are not
    influence = (own_best - own_worst - score * own_shown) / shown / 2.0
    products = influence[:, :, None] * influence[:, None, :] * patterns.counts[:, None, None]
    return np.asarray(n_rows / (n_rows - 1.0) * products.sum(axis=0))


def _from_standard_errors(
    weights: Floats, covariance: Floats, totals: Floats, *, n_rows: int, method: str, confidence_level: float
) -> Floats:
    won = _won(totals)
    slope = 1.0 / (won * (1.0 - won)) if method == "logit" else 1.0 / won
    upper = (1.0 + confidence_level) / 2.0
    quantile = float(student.ppf(upper, n_rows - 1) if n_rows > 1 else norm.ppf(upper))
    return logit_intervals(weights, covariance * np.outer(slope, slope), quantile)


def _figures(totals: Floats, covariance: Floats) -> pd.DataFrame:
    best, worst, shown = _split(totals)
    won = _won(totals)
    return pd.DataFrame(
        {
            "best": best,
            "worst": worst,
            "shown": shown,
            "score": (best - worst) / shown,
            "utility": np.log(won / (1.0 - won)),
            "standard_error": np.sqrt(np.diag(covariance)) / (won * (1.0 - won)),
        }
    )


def _remarks(names: Sequence[str], totals: Floats) -> list[str]:
    best, worst, shown = _split(totals)
    won = shown + best - worst
    remarks = []
    for is_sure, words in ((won == 2 * shown, "best"), (won == 0, "worst")):
        found = [repr(name) for name, sure in zip(names, is_sure, strict=True) if sure]
        if found:
            remarks.append(
                f"{', '.join(found)} was chosen as {words} every time, so the utility is infinite; half a contest to "
                "the contrary is added. Ask more respondents, or read the weight as a lower bound of its distance."
            )
    return remarks

"""Agreement of judges over the rounds of a discussion: Kendall's W, and the weights of the last round."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.stats import chi2, rankdata

from custseg._core.arrays import Floats
from custseg._core.asking import asked, asking, asks
from custseg._core.params import OneOf, check
from custseg.exceptions import InvalidParameterError, InvalidTableError
from custseg.weighting._errors import other_names
from custseg.weighting._respondents import CUSTOMER_ID, Respondents, read_respondents, say, several_tables
from custseg.weighting._weights import CharacteristicWeights

__all__ = ["RatingAgreement", "kendall_w", "rating_agreement"]


# Above it, the judges of a round agree no more than by chance.
LEVEL = 0.05
# Rank correlation of two judges above which they agree, be they few or many.
HIGH = 0.5


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RatingAgreement(CharacteristicWeights):
    """What :func:`rating_agreement` found: weights, and how far the judges agree on them.

    Attributes
    ----------
    weights, method, consistency, intervals, confidence_level, warnings, figures
        As in :class:`CharacteristicWeights`, of the last round.
    rounds : DataFrame
        One row per round: ``round``, ``n_judges``, ``n_characteristics``, ``kendall_w``, ``chi2``, ``df``,
        ``p_value``, and ``change``, by how much W rose since the round before (NaN in the first).

    Examples
    --------
    >>> from custseg.weighting import rating_agreement
    >>> june = [[1, 2, 3, 4, 5], [2, 1, 3, 5, 4], [1, 3, 2, 4, 5], [1, 2, 4, 3, 5]]
    >>> july = [[1, 2, 3, 4, 5], [1, 2, 3, 5, 4], [1, 2, 3, 4, 5], [1, 2, 4, 3, 5]]
    >>> names = ["price", "taste", "origin", "pack", "shop"]
    >>> agreement = rating_agreement({"June": june, "July": july}, names=names, by="rank")
    >>> agreement.rounds[["round", "n_judges", "kendall_w", "change"]].round(3)
      round  n_judges  kendall_w  change
    0  June         4      0.812     NaN
    1  July         4      0.912     0.1
    >>> round(agreement["price"], 3)
    0.333
    """

    rounds: pd.DataFrame = field(default_factory=pd.DataFrame)


@asks
def rating_agreement(
    rounds: Any,
    *,
    names: Sequence[str] | None = None,
    by: Literal["rating", "rank"] = "rating",
    customer_id: str | None = "customer_id",
) -> RatingAgreement:
    """Measure how far judges agree on what matters, round by round of a Delphi discussion.

    Kendall's coefficient of concordance W, corrected for ties [1]_, is 1 where all judges put the
    characteristics in one order and 0 where their orders cancel out. ``chi2 = m (n - 1) W``, for m
    judges and n characteristics, has about a chi-squared distribution with n - 1 degrees of freedom
    where the orders are random.

    Parameters
    ----------
    rounds : DataFrame, array-like of shape (n_judges, n_characteristics), or several of them
        One round: one row per judge, one column per characteristic. Several rounds: a list of
        those in time, a dictionary of them by name, or an array of shape (n_rounds, n_judges,
        n_characteristics). Judges may leave between rounds.
    names : sequence of str, optional
        The columns to use; for matrices, what to call their columns.
    by : {"rating", "rank"}, default="rating"
        Whether high numbers say important (ratings, points) or low ones (ranks, 1 the most
        important). W is the same; the weights are not.
    customer_id : str or None, default="customer_id"
        The column of the judges' ids, where there is one; None where every column is an answer.

    Returns
    -------
    agreement : RatingAgreement
        A :class:`CharacteristicWeights` of the last round: weights in proportion to the mean rank
        counted from the least important, 1, to the most important, n [2]_. ``consistency`` holds
        ``kendall_w``, ``chi2``, ``df``, ``p_value`` and ``n_judges`` of the last round and
        ``n_rounds``; ``rounds`` the same of every round; ``figures`` the column ``mean_rank`` (1 the
        most important).

    Raises
    ------
    InvalidTableError
        If a round cannot be read, or fewer than two judges rated everything in it.
    JudgementError
        If the rounds are about different characteristics.
    InvalidParameterError
        If a parameter is out of range.

    Warns
    -----
    DataQualityWarning
        Judges who left something out are left out of the round, with their number. Rounds in which the
        agreement is no better than by chance (p > .05), in which judges who agree are too few to tell
        that from chance, or in which every judge gave all characteristics one value, so that W is not
        defined (NaN).

    Notes
    -----
    The chi-squared approximation is rough for fewer than about 7 characteristics and few judges.
    Weights from ranks have no intervals here: ``rating_weights`` gives them to the ratings of the last
    round.

    When not to use it: W speaks of the order only. Judges who agree that price comes first may
    disagree whether it counts twice or ten times as much.

    References
    ----------
    .. [1] M. G. Kendall and B. Babington Smith (1939). The problem of m rankings. Annals of
       Mathematical Statistics 10, 275-287.
    .. [2] W. G. Stillwell, D. A. Seaver and W. Edwards (1981). A comparison of weight approximation
       techniques in multiattribute utility decision making. Organizational Behavior and Human
       Performance 28, 62-77.

    Examples
    --------
    >>> from custseg.weighting import rating_agreement
    >>> ranks = [[1, 2, 3, 4, 5], [2, 1, 3, 5, 4], [1, 3, 2, 4, 5], [1, 2, 4, 3, 5]]
    >>> agreement = rating_agreement(ranks, names=["price", "taste", "origin", "pack", "shop"], by="rank")
    >>> round(agreement.consistency["kendall_w"], 4), round(agreement.consistency["p_value"], 6)
    (0.8125, 0.011276)
    """
    check({"by": (OneOf("rating", "rank"),), **CUSTOMER_ID}, {"by": by, "customer_id": customer_id})
    remarks: list[str] = []
    rows: list[dict[str, Any]] = []
    first: tuple[str, ...] = ()
    last = np.empty((0, 0))
    for name, table in _by_round(rounds).items():
        with asking(_of(name)):
            answers = read_respondents(table, names=names, customer_id=customer_id)
        first = first or answers.names
        if set(answers.names) != set(first):
            raise other_names(f"the judgements of {name}", first, answers.names)
        last = _complete(answers, name, remarks)[:, [answers.names.index(column) for column in first]]
        rows.append({"round": name, **_agreement(last)})
        remarks += _remarks(rows[-1])
    table = pd.DataFrame(rows)
    table["change"] = table["kendall_w"].diff()
    say(remarks)
    ranks = rankdata(last if by == "rank" else -last, axis=1).mean(axis=0)
    weights = len(first) + 1.0 - ranks
    final = {key: float(rows[-1][key]) for key in ("kendall_w", "chi2", "df", "p_value", "n_judges")}
    return RatingAgreement(
        dict(zip(first, (weights / weights.sum()).tolist(), strict=True)),
        method="rank_sum",
        consistency={**final, "n_rounds": float(len(rows))},
        warnings=tuple(remarks),
        figures=pd.DataFrame({"mean_rank": ranks}),
        rounds=table,
    )


def kendall_w(values: Floats) -> float:
    """Return Kendall's W of judges (rows) over characteristics (columns), corrected for ties; NaN where undefined."""
    m, n = values.shape
    ranks = rankdata(values, axis=1)
    # Twice the deviations are whole numbers: the sums are exact in any order of the judges. The
    # deviations of a judge with ties are smaller, which is the correction.
    deviations = 2.0 * ranks - (n + 1)
    largest = m * float((deviations**2).sum())
    return float((deviations.sum(axis=0) ** 2).sum()) / largest if largest > 0 else math.nan


def _by_round(rounds: Any) -> dict[str, Any]:
    found = several_tables(rounds, "round")
    if found is not None and not found:
        raise InvalidParameterError.not_allowed("rounds", "at least one round", rounds)
    return {"round 1": rounds} if found is None else found


def _of(name: str) -> str:
    return f"{asked()}, {name}"


def _complete(answers: Respondents, name: str, remarks: list[str]) -> Floats:
    complete = np.asarray(~np.isnan(answers.values).any(axis=1))
    if complete.sum() < 2:
        raise InvalidTableError(
            f"{_of(name)}: agreement needs at least 2 judges who judged every characteristic, got "
            f"{int(complete.sum())} of {len(complete)}. Leave out the characteristics that few judged."
        )
    if not complete.all():
        n_left_out = int((~complete).sum())
        remarks.append(f"{n_left_out:,} judge(s) of {name} left a characteristic out and do not count.")
    return answers.values[complete]


def _agreement(values: Floats) -> dict[str, Any]:
    m, n = values.shape
    w = kendall_w(values)
    statistic = m * (n - 1) * w
    p_value = float(chi2.sf(statistic, n - 1))
    return {
        "n_judges": m,
        "n_characteristics": n,
        "kendall_w": w,
        "chi2": statistic,
        "df": n - 1,
        "p_value": p_value,
    }


def _remarks(found: Mapping[str, Any]) -> list[str]:
    if math.isnan(found["kendall_w"]):
        return [f"in {found['round']} every judge gave all characteristics one value: there is no order to agree on."]
    if found["p_value"] > LEVEL:
        m, w = found["n_judges"], found["kendall_w"]
        # what W says of two judges at a time: the mean rank correlation of all pairs
        if (m * w - 1) / (m - 1) > HIGH:
            words = (
                f"in {found['round']} there are too few judges ({m}) to tell agreement from chance "
                f"(Kendall's W {w:.2f}, p {found['p_value']:.2f}). Ask more of them."
            )
            return [words]
        words = (
            f"in {found['round']} the judges agree no more than by chance (Kendall's W {found['kendall_w']:.2f}, p "
            f"{found['p_value']:.2f}): the mean order is nobody's. Discuss the reasons and ask again."
        )
        return [words]
    return []

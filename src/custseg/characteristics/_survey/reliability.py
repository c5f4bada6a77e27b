"""Do the items of a survey scale measure one thing? Cronbach's alpha, McDonald's omega and item analysis."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import least_squares

from custseg._core.arrays import Floats
from custseg._core.asking import asks
from custseg._core.ids import ID_OR_ROWS
from custseg._core.params import Allowed, OneOf, check
from custseg._core.warning import warn
from custseg.characteristics._survey.answers import Answers, Moments, moments, read_answers
from custseg.exceptions import list_names

_GIVEN: dict[str, tuple[Allowed, ...]] = {"customer_id": ID_OR_ROWS, "missing": (OneOf("pairwise", "listwise"),)}
_FLAGS = {"standardized": (OneOf(True, False),)}

# Variances of a sum below this share of what was added up are rounding: the sum does not vary.
_ROUNDING = 1e-12

# So many standard errors below 0, alpha is no work of chance.
_FAR = 2.0

# With two items any pair of loadings with the right product fits, so one factor says nothing.
_FEWEST_FOR_A_FACTOR = 3


@asks
def cronbach_alpha(
    X: Any, *, customer_id: str | None = "customer_id", missing: str = "pairwise", standardized: bool = False
) -> float:
    """Return Cronbach's alpha of the items of one scale.

    Alpha is ``k / (k - 1) * (1 - trace(C) / sum(C))`` for the covariance matrix ``C`` of ``k``
    items [1]_. Items worded the other way round must have been reversed before.

    Parameters
    ----------
    X : dataframe, path, or array-like of shape (n_respondents, n_items)
        The answers as numbers, one column per item and no other column than ``customer_id``;
        NaN or null where there is none. The index of a pandas table is not read.
    customer_id : str or None, default="customer_id"
        Column of customer ids, set aside where the table has it; None where every column is an item.
    missing : {"pairwise", "listwise"}, default="pairwise"
        Covariances over the respondents who answered both items, or over those who answered all.
    standardized : bool, default=False
        Scale the covariance matrix to a diagonal of ones first, so that items of larger spread do
        not count for more.

    Returns
    -------
    alpha : float
        At most 1. Negative where the items contradict each other. NaN where it is not defined: fewer
        than two respondents answered some pair of items, the sum of the items does not vary, or,
        standardized, an item does not vary.

    Raises
    ------
    InvalidTableError
        There is no row, fewer than two items, or no complete row under ``missing="listwise"``.
    ColumnTypeError
        A column holds something other than finite numbers.

    Warns
    -----
    DataQualityWarning
        Alpha is further below 0 than that of unrelated items gets by chance: two standard errors [2]_.

    References
    ----------
    .. [1] Cronbach, L. J. (1951). Coefficient alpha and the internal structure of tests.
       *Psychometrika* 16(3), 297-334.
    .. [2] Feldt, L. S. (1965). The approximate sampling distribution of Kuder-Richardson reliability
       coefficient twenty. *Psychometrika* 30(3), 357-370.

    Examples
    --------
    >>> import pandas as pd
    >>> from custseg.characteristics import cronbach_alpha
    >>> answers = pd.DataFrame({"a": [1, 2, 4, 5, 3, 2], "b": [1, 3, 4, 5, 2, 2], "c": [2, 2, 5, 3, 3, 1]})
    >>> round(cronbach_alpha(answers), 3)
    0.883
    """
    given = {"customer_id": customer_id, "missing": missing, "standardized": standardized}
    check({**_GIVEN, **_FLAGS}, given)
    answers = read_answers(X, customer_id=customer_id, missing=missing)
    found = moments(answers.values)
    alpha = alpha_of(found.scaled if standardized else found.covariance)
    if alpha < -_FAR * _chance(found):
        warn(
            f"alpha is {alpha:.2f}, far below 0, which is no reliability: taken together, the items go against each "
            "other. Reverse those that are worded the other way round (item_analysis names them), or drop them."
        )
    return alpha


@asks
def mcdonald_omega(X: Any, *, customer_id: str | None = "customer_id", missing: str = "pairwise") -> float:
    """Return McDonald's omega of the items of one scale, from one common factor.

    The correlations of the items are fitted by one factor with minimal squared residuals off the
    diagonal (minres [1]_); omega is ``s / (s + sum(1 - loading**2))`` with ``s = sum(loading)**2``
    [2]_: the share of the variance of the sum of standardized items that their common factor
    explains. Unlike alpha it does not assume that all items measure it equally well.

    Parameters
    ----------
    X : dataframe, path, or array-like of shape (n_respondents, n_items)
        The answers as numbers, one column per item and no other column than ``customer_id``;
        NaN or null where there is none. The index of a pandas table is not read.
    customer_id : str or None, default="customer_id"
        Column of customer ids, set aside where the table has it; None where every column is an item.
    missing : {"pairwise", "listwise"}, default="pairwise"
        Correlations over the respondents who answered both items, or over those who answered all.

    Returns
    -------
    omega : float
        Between 0 and 1. NaN where it is not defined: with two items, whose loadings no factor model
        determines, or where a correlation is not defined, because an item does not vary or fewer
        than two respondents answered both items.

    Raises
    ------
    InvalidTableError
        There is no row, fewer than two items, or no complete row under ``missing="listwise"``.
    ColumnTypeError
        A column holds something other than finite numbers.

    References
    ----------
    .. [1] Harman, H. H. & Jones, W. H. (1966). Factor analysis by minimizing residuals (minres).
       *Psychometrika* 31(3), 351-368.
    .. [2] McDonald, R. P. (1999). *Test Theory: A Unified Treatment*. Erlbaum.

    Examples
    --------
    >>> import pandas as pd
    >>> from custseg.characteristics import mcdonald_omega
    >>> answers = pd.DataFrame({"a": [1, 2, 4, 5, 3, 2], "b": [1, 3, 4, 5, 2, 2], "c": [2, 2, 5, 3, 3, 1]})
    >>> round(mcdonald_omega(answers), 3)
    0.893
    """
    check(_GIVEN, {"customer_id": customer_id, "missing": missing})
    answers = read_answers(X, customer_id=customer_id, missing=missing)
    return omega_of(minres_loadings(moments(answers.values).correlation))


@asks
def item_analysis(X: Any, *, customer_id: str | None = "customer_id", missing: str = "pairwise") -> pd.DataFrame:
    """Describe each item of one scale: how it goes with the others, and what alpha were without it.

    Parameters
    ----------
    X : dataframe, path, or array-like of shape (n_respondents, n_items)
        The answers as numbers, one column per item and no other column than ``customer_id``;
        NaN or null where there is none. The index of a pandas table is not read.
    customer_id : str or None, default="customer_id"
        Column of customer ids, set aside where the table has it; None where every column is an item.
    missing : {"pairwise", "listwise"}, default="pairwise"
        Covariances over the respondents who answered both items, or over those who answered all.

    Returns
    -------
    items : pandas.DataFrame
        One row per ``item`` (the index):

        - ``n``: respondents who answered it;
        - ``mean``, ``sd``: of their answers, the latter with n - 1 in the denominator;
        - ``item_rest``: correlation with the sum of the other items, from the covariances;
        - ``alpha_if_dropped``: Cronbach's alpha of the other items;
        - ``loading``: on the one factor of :func:`mcdonald_omega`.

        What is not defined is NaN: ``item_rest`` of an item that does not vary, ``alpha_if_dropped``
        and ``loading`` with two items.

    Raises
    ------
    InvalidTableError
        There is no row, fewer than two items, or no complete row under ``missing="listwise"``.
    ColumnTypeError
        A column holds something other than finite numbers.

    Warns
    -----
    DataQualityWarning
        Items that go against the others (a negative item-rest correlation), which may have to be
        reversed, and items to which everybody gave the same answer.

    Examples
    --------
    >>> import pandas as pd
    >>> from custseg.characteristics import item_analysis
    >>> answers = pd.DataFrame({"a": [1, 2, 4, 5, 3, 2], "b": [1, 3, 4, 5, 2, 2], "c": [2, 2, 5, 3, 3, 1]})
    >>> item_analysis(answers)[["mean", "item_rest", "alpha_if_dropped"]].round(3)
           mean  item_rest  alpha_if_dropped
    item
    a     2.833      0.893             0.720
    b     2.833      0.814             0.796
    c     2.667      0.628             0.952
    """
    check(_GIVEN, {"customer_id": customer_id, "missing": missing})
    answers = read_answers(X, customer_id=customer_id, missing=missing)
    report = describe_items(answers, moments(answers.values))
    for remark in remarks_on(report):
        warn(remark)
    return report


def alpha_of(covariance: Floats) -> float:
    """Return Cronbach's alpha for a covariance matrix; NaN where it is not defined."""
    k, total = len(covariance), float(covariance.sum())
    if k < 2 or not total > _ROUNDING * float(np.abs(covariance).sum()):
        return math.nan
    return k / (k - 1) * (1 - float(np.trace(covariance)) / total)


def _chance(found: Moments) -> float:
    """Return the standard error of alpha where the items have nothing in common; the fewest answers to a pair count."""
    k, n = len(found.n), int(found.n.min())
    return math.sqrt(2 * k / ((n - 1) * (k - 1))) if n > 1 else math.inf


def minres_loadings(correlation: Floats) -> Floats:
    """Return the loadings of one minres factor, their sum positive; NaN where there is no such factor.

    Loadings are kept within -1 and 1, so that no item has a negative variance of its own.
    """
    k = len(correlation)
    if k < _FEWEST_FOR_A_FACTOR or not np.isfinite(correlation).all():
        return np.full(k, np.nan)
    one, other = np.triu_indices(k, 1)
    pair = np.arange(len(one))
    target = correlation[one, other]

    def residuals(loadings: Floats) -> Floats:
        return loadings[one] * loadings[other] - target

    def slopes(loadings: Floats) -> Floats:
        jacobian = np.zeros((len(pair), k))
        jacobian[pair, one] = loadings[other]
        jacobian[pair, other] = loadings[one]
        return jacobian

    sizes, vectors = np.linalg.eigh(correlation)
    start = np.clip(vectors[:, -1] * math.sqrt(sizes[-1]), -0.99, 0.99)
    fit = least_squares(residuals, start, slopes, bounds=(-1.0, 1.0), xtol=1e-14, ftol=1e-14, gtol=1e-14)
    return np.asarray(fit.x * (-1.0 if fit.x.sum() < 0 else 1.0), dtype=np.float64)


def omega_of(loadings: Floats) -> float:
    """Return McDonald's omega for the loadings of one factor; NaN where they are not known."""
    common, own = float(loadings.sum()) ** 2, float((1 - loadings**2).sum())
    return common / (common + own) if common + own > 0 else math.nan


def describe_items(answers: Answers, found: Moments) -> pd.DataFrame:
    """Return the table of :func:`item_analysis`, for one item or more."""
    n = np.diag(found.n)
    own = np.diag(found.covariance)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(np.isnan(answers.values), 0.0, answers.values).sum(axis=0) / np.where(n > 0, n, np.nan)
    return pd.DataFrame(
        {
            "n": n,
            "mean": mean,
            "sd": np.sqrt(own),
            **_with_the_rest(found, own),
            "loading": minres_loadings(found.correlation),
        },
        index=pd.Index(answers.items, name="item", dtype="str"),
    )


def _with_the_rest(found: Moments, own: Floats) -> dict[str, Floats]:
    k = len(own)
    others = [np.flatnonzero(np.arange(k) != item) for item in range(k)]
    # each from the others alone: nothing that is unknown of an item reaches what is known without it
    blocks = [found.covariance[np.ix_(rest, rest)] for rest in others]
    with_rest = np.array([found.covariance[item, rest].sum() for item, rest in enumerate(others)])
    size = np.array([np.abs(block).sum() for block in blocks])
    variance = np.array([block.sum() for block in blocks])
    spread = np.sqrt(own * np.where(variance > _ROUNDING * size, variance, np.nan))
    return {
        "item_rest": np.divide(with_rest, spread, out=np.full(k, np.nan), where=spread > 0),
        "alpha_if_dropped": np.array([alpha_of(block) for block in blocks]),
    }


def remarks_on(report: pd.DataFrame, scale: str | None = None) -> list[str]:
    """Say which items of a report go against the others, do not vary, or were never answered."""
    where = "" if scale is None else f" of scale {scale!r}"
    against = report.loc[report["item_rest"] < 0, "item_rest"].sort_values(kind="stable")
    constant = report.index[report["sd"] == 0]
    unanswered = report.index[report["n"] == 0]
    remarks = []
    if len(against):
        found = ", ".join(f"{item!r} ({correlation:.2f})" for item, correlation in against.items())
        others = " and look again at the others" if len(against) > 1 else ""
        remarks.append(
            f"item(s){where} that go against the others (negative item-rest correlation): {found}. "
            f"{_how_to_turn(str(against.index[0]))}{others}; otherwise drop it."
        )
    if len(constant):
        remarks.append(
            f"item(s){where} with one and the same answer from everybody: {list_names(constant)}. They tell nobody "
            "apart; item-rest correlation, standardized alpha and omega are not defined (NaN). Drop them."
        )
    if len(unanswered):
        remarks.append(f"item(s){where} that nobody answered: {list_names(unanswered)}. Drop them, or check the file.")
    return remarks


def _how_to_turn(item: str) -> str:
    if item.startswith("-"):
        return f"{item!r} is reversed: where it should not be, write {item[1:]!r}"
    return (
        f"Where {item!r} is worded the other way round, reverse it ({'-' + item!r} in the scales of "
        "PsychographicEncoder, or low + high - answer)"
    )

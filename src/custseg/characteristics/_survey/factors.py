"""Which items belong together: how many factors the answers show, and which items load on each."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import chi2
from sklearn.decomposition import FactorAnalysis
from sklearn.utils import check_random_state

from custseg._core.arrays import Floats
from custseg._core.asking import asked, asks
from custseg._core.ids import ID_OR_ROWS
from custseg._core.params import RANDOM_STATE, Integer, Number, OneOf, check
from custseg._core.results import Result
from custseg._core.threads import one_thread
from custseg._core.warning import warn
from custseg.characteristics._survey.answers import Answers, Moments, moments, read_answers
from custseg.exceptions import InvalidTableError, list_names

N_DRAWS = 200
QUANTILE = 0.95
# Kaiser's measure of sampling adequacy below which a factor analysis is not worth while.
FEWEST_SHARED = 0.5
# An item takes part in what makes correlations singular if its share is at least this one of the largest.
_PART = 1e-3

_PARALLEL = {
    "customer_id": ID_OR_ROWS,
    "null": (OneOf("normal", "permuted"),),
    "n_draws": (Integer(low=1),),
    "quantile": (Number(low=0.0, high=1.0),),
    "random_state": RANDOM_STATE,
}


@dataclass(frozen=True, kw_only=True, repr=False)
class ParallelAnalysis(Result):
    """How many factors exceed what independent items show by chance.

    Attributes
    ----------
    n_factors : int
        The leading eigenvalues above their thresholds, counted up to the first that is not.
    eigenvalues : tuple of float
        Of the correlation matrix of the items, from the largest.
    thresholds : tuple of float
        The quantile of each eigenvalue over the draws.
    """

    n_factors: int
    eigenvalues: tuple[float, ...]
    thresholds: tuple[float, ...]

    def __str__(self) -> str:
        exceed = "1 factor exceeds" if self.n_factors == 1 else f"{self.n_factors} factors exceed"
        return f"{exceed} what {len(self.eigenvalues)} independent items show by chance."

    def to_frame(self) -> pd.DataFrame:
        """Return the eigenvalues as a table.

        Returns
        -------
        frame : pandas.DataFrame
            Columns ``eigenvalue``, ``threshold`` and ``kept``; indexed by ``factor``, from 1.
        """
        factor = pd.RangeIndex(1, len(self.eigenvalues) + 1, name="factor")
        kept = np.arange(len(factor)) < self.n_factors
        columns = {"eigenvalue": self.eigenvalues, "threshold": self.thresholds, "kept": kept}
        return pd.DataFrame(columns, index=factor)


@dataclass(frozen=True, kw_only=True, repr=False)
class Factorability(Result):
    """Whether items share enough for a factor analysis.

    Attributes
    ----------
    kmo : float
        Kaiser, Meyer and Olkin's measure of sampling adequacy, 0 to 1: how large the correlations are
        beside the partial ones. Below .5 the items have hardly anything in common.
    kmo_items : pandas.Series
        The measure of each ``item``.
    chi_square : float
        Bartlett's statistic for the hypothesis that all items are uncorrelated.
    degrees_of_freedom : int
        Its degrees of freedom.
    p_value : float
        The probability of so large a statistic where they are uncorrelated.
    """

    kmo: float
    kmo_items: pd.Series[float]
    chi_square: float
    degrees_of_freedom: int
    p_value: float

    def __str__(self) -> str:
        if math.isnan(self.kmo):
            return "One item follows from others, so that nothing can be said of what they share."
        return (
            f"The items share {'enough' if self.kmo >= FEWEST_SHARED else 'too little'} for a factor analysis: the "
            f"measure of sampling adequacy is {self.kmo:.2f}, and that all are uncorrelated has a p-value of "
            f"{self.p_value:.2g}."
        )


@asks
def parallel_analysis(
    X: Any,
    *,
    customer_id: str | None = "customer_id",
    null: str = "normal",
    n_draws: int = N_DRAWS,
    quantile: float = QUANTILE,
    random_state: int | np.random.RandomState | None = None,
) -> ParallelAnalysis:
    """Return how many factors a set of items has, by Horn's parallel analysis.

    The eigenvalues of the correlation matrix are held against those of items that have nothing in
    common [1]_: a factor counts while its eigenvalue exceeds the given quantile over the draws; the
    95% quantile errs less towards too many factors than the mean does [2]_.

    Parameters
    ----------
    X : dataframe, path, or array-like of shape (n_respondents, n_items)
        The answers as numbers, one column per item and no other column than ``customer_id``;
        NaN or null where there is none. The index of a pandas table is not read.
    customer_id : str or None, default="customer_id"
        Column of customer ids, set aside where the table has it; None where every column is an item.
    null : {"normal", "permuted"}, default="normal"
        ``"normal"`` draws independent normal answers, of as many respondents as answered a pair of
        items on average; the time does not grow with the number of respondents. ``"permuted"``
        shuffles the answers of each item, which keeps their distribution.
    n_draws : int, default=200
        The number of draws.
    quantile : float, default=0.95
        The quantile of each eigenvalue over the draws that the observed one must exceed.
    random_state : int, RandomState or None, default=None
        Seed of the draws.

    Returns
    -------
    result : ParallelAnalysis
        The number of factors and the eigenvalues behind it. Neither depends on the order of the rows;
        with normal draws, nor on that of the columns.

    Raises
    ------
    InvalidTableError
        There is no row, fewer than two items, an item that does not vary, or a pair of items with
        too few answers to correlate.
    ColumnTypeError
        A column holds something other than finite numbers.

    References
    ----------
    .. [1] Horn, J. L. (1965). A rationale and test for the number of factors in factor analysis.
       *Psychometrika* 30(2), 179-185.
    .. [2] Glorfeld, L. W. (1995). An improvement on Horn's parallel analysis methodology for selecting
       the correct number of factors to retain. *Educational and Psychological Measurement* 55(3),
       377-393.

    Examples
    --------
    >>> import numpy as np
    >>> from custseg.characteristics import parallel_analysis
    >>> rng = np.random.RandomState(0)
    >>> two = rng.standard_normal((300, 2))
    >>> items = np.repeat(two, 3, axis=1) + rng.standard_normal((300, 6))
    >>> parallel_analysis(items, random_state=0).n_factors
    2
    """
    given = {
        "customer_id": customer_id,
        "null": null,
        "n_draws": n_draws,
        "quantile": quantile,
        "random_state": random_state,
    }
    check(_PARALLEL, given)
    answers = read_answers(X, customer_id=customer_id)
    found = correlated(answers)
    drawn = normal_draws(found, random_state) if null == "normal" else _permuted(answers.values, random_state)
    return compare_eigenvalues(found, drawn, n_draws=n_draws, quantile=quantile)


@asks
def factorability(X: Any, *, customer_id: str | None = "customer_id") -> Factorability:
    """Say whether the items of a survey share enough to look for factors.

    Parameters
    ----------
    X : dataframe, path, or array-like of shape (n_respondents, n_items)
        The answers as numbers, one column per item and no other column than ``customer_id``;
        NaN or null where there is none: correlations are over the respondents who answered both items.
        The index of a pandas table is not read.
    customer_id : str or None, default="customer_id"
        Column of customer ids, set aside where the table has it; None where every column is an item.

    Returns
    -------
    result : Factorability
        Kaiser, Meyer and Olkin's measure [1]_ and Bartlett's test [2]_, the latter with the number of
        respondents who answered anything. Where the correlations are singular (one item follows from
        others, or there are fewer respondents than items) the measure is NaN and the statistic infinite.

    Raises
    ------
    InvalidTableError
        There is no row, fewer than two items, an item that does not vary, or a pair of items with
        too few answers to correlate.
    ColumnTypeError
        A column holds something other than finite numbers.

    Warns
    -----
    DataQualityWarning
        The correlations are singular.

    References
    ----------
    .. [1] Kaiser, H. F. & Rice, J. (1974). Little Jiffy, Mark IV. *Educational and Psychological
       Measurement* 34(1), 111-117.
    .. [2] Bartlett, M. S. (1951). The effect of standardization on a chi-square approximation in
       factor analysis. *Biometrika* 38(3/4), 337-344.

    Examples
    --------
    >>> import pandas as pd
    >>> from custseg.characteristics import factorability
    >>> answers = pd.DataFrame({"a": [1, 2, 4, 5, 3], "b": [1, 3, 4, 4, 2], "c": [2, 2, 5, 4, 1]})
    >>> round(factorability(answers).kmo, 3)
    0.69
    """
    check({"customer_id": ID_OR_ROWS}, {"customer_id": customer_id})
    answers = read_answers(X, customer_id=customer_id)
    correlation = correlated(answers).correlation
    k, n = len(correlation), int((~np.isnan(answers.values)).any(axis=1).sum())
    df = k * (k - 1) // 2
    sign, log_determinant = np.linalg.slogdet(correlation)
    regular = sign > 0 and np.linalg.cond(correlation) < 1e12
    if not regular:
        warn(_singular(answers.items, correlation, n))
    statistic = -(n - 1 - (2 * k + 5) / 6) * float(log_determinant) if regular else np.inf
    of_items, overall = _sampling_adequacy(correlation) if regular else (np.full(k, np.nan), np.nan)
    per_item = pd.Series(of_items, index=pd.Index(answers.items, name="item", dtype="str"), name="kmo")
    return Factorability(
        kmo=overall,
        kmo_items=per_item,
        chi_square=statistic,
        degrees_of_freedom=df,
        p_value=float(chi2.sf(statistic, df)),
    )


def _singular(items: Sequence[str], correlation: Floats, n: int) -> str:
    """Say why a correlation matrix has no inverse."""
    sizes, vectors = np.linalg.eigh(correlation)
    smallest = np.abs(vectors[:, 0])
    involved = list_names([item for item, part in zip(items, smallest, strict=True) if part > _PART * smallest.max()])
    if n <= len(items):
        reason, remedy = f"there are {n} respondents to {len(items)} items", "Ask more respondents, or fewer items."
    elif sizes[0] < -_PART:
        reason = f"those of {involved} contradict each other, since each is over other respondents"
        remedy = "Drop respondents who left answers out."
    else:
        reason, remedy = f"items {involved} follow from each other", "Drop one of them."
    return (
        f"the correlations are singular: {reason}. The measure of Kaiser, Meyer and Olkin is not defined (NaN), and "
        f"Bartlett's test, infinite, says nothing of factors. {remedy}"
    )


def _sampling_adequacy(correlation: Floats) -> tuple[Floats, float]:
    inverse = np.linalg.inv(correlation)
    scale = np.sqrt(np.diag(inverse))
    off = 1.0 - np.eye(len(correlation))
    together = correlation**2 * off
    partial = (inverse / np.outer(scale, scale)) ** 2 * off
    of_items = together.sum(axis=0) / (together.sum(axis=0) + partial.sum(axis=0))
    return of_items, float(together.sum() / (together.sum() + partial.sum()))


def correlated(answers: Answers) -> Moments:
    """Return the pairwise moments where every pair of items has a correlation; else say which has none."""
    found = moments(answers.values)
    constant = [item for item, own in zip(answers.items, np.diag(found.covariance), strict=True) if not own > 0]
    if constant:
        raise InvalidTableError(
            f"{asked()}: item(s) without two different answers have no correlation: {list_names(constant)}. Drop them."
        )
    undefined = np.argwhere(np.isnan(found.correlation))
    if len(undefined):
        one, other = (answers.items[position] for position in undefined[0])
        raise InvalidTableError(
            f"{asked()}: items {one!r} and {other!r} have no correlation: {found.n[tuple(undefined[0])]} respondent(s) "
            "answered both, and they do not differ in both. Drop one of the two, or find factors in each group of "
            "items that was asked together."
        )
    return found


Draw = Callable[[], Floats]


def normal_draws(found: Moments, random_state: Any) -> Draw:
    """Return what draws correlation matrices of independent normal items.

    They are drawn as Wishart matrices by their Cholesky factors (Bartlett's decomposition), without
    the answers themselves.
    """
    rng = check_random_state(random_state)
    k = len(found.n)
    n = int(found.n[np.triu_indices(k, 1)].mean())
    lower = np.tril_indices(k, -1)

    def draw() -> Floats:
        if n <= k:
            return _scaled(np.cov(rng.standard_normal((max(n, 2), k)), rowvar=False))
        factor = np.diag(np.sqrt(rng.chisquare(n - 1 - np.arange(k))))
        factor[lower] = rng.standard_normal(len(lower[0]))
        return _scaled(factor @ factor.T)

    return draw


def _permuted(values: Floats, random_state: Any) -> Draw:
    rng = check_random_state(random_state)
    # sorted first, so that the order of the rows makes no difference
    ordered = np.sort(values, axis=0)

    def draw() -> Floats:
        places = rng.random_sample(ordered.shape).argsort(axis=0)
        return np.nan_to_num(moments(np.take_along_axis(ordered, places, axis=0)).correlation)

    return draw


def _scaled(covariance: Floats) -> Floats:
    sd = np.sqrt(np.diag(covariance))
    return np.asarray(covariance / np.outer(sd, sd))


def compare_eigenvalues(found: Moments, draw: Draw, *, n_draws: int, quantile: float) -> ParallelAnalysis:
    """Hold the eigenvalues of the correlations against those of the draws."""
    with one_thread():
        observed = np.linalg.eigvalsh(found.correlation)[::-1]
        drawn = np.array([np.linalg.eigvalsh(draw())[::-1] for _ in range(n_draws)])
    thresholds = np.quantile(drawn, quantile, axis=0)
    above = observed > thresholds
    n_factors = len(above) if above.all() else int(above.argmin())
    return ParallelAnalysis(
        n_factors=n_factors, eigenvalues=tuple(observed.tolist()), thresholds=tuple(thresholds.tolist())
    )


@dataclass(frozen=True)
class Factors:
    """The factors of a set of items.

    Attributes
    ----------
    scales : dict of str to tuple of str
        The items of each factor, a minus sign before those that load negatively; a factor on which
        fewer than two items load best has no scale.
    loadings : pandas.DataFrame
        Items in rows, factors in columns: the items of the first factor first, from the strongest;
        those that belong to none last.
    """

    scales: dict[str, tuple[str, ...]]
    loadings: pd.DataFrame


def find_factors(items: Sequence[str], correlation: Floats, *, n_factors: int, rotation: str, least: float) -> Factors:
    """Find the factors of items by their correlations, with the items in an order of its own.

    Each item belongs to the factor it loads on most, if that loading is at least ``least``. Factors
    are turned so that the loadings of their own items have a positive sum, stand from the largest to
    the smallest sum of squared loadings, and are named by the two strongest of their items that load
    positively.
    """
    order = np.argsort(np.array(items, dtype=object), kind="stable")
    names = [items[position] for position in order]
    loadings = _aligned(_rotated(correlation[np.ix_(order, order)], n_factors, rotation))
    strength = np.abs(loadings)
    best = strength.argmax(axis=1)
    belongs = strength[np.arange(len(names)), best] >= least
    members = [
        _strongest_first(strength[:, factor], np.flatnonzero(belongs & (best == factor))) for factor in range(n_factors)
    ]
    titles = [_title(factor, rows, names, loadings[:, factor]) for factor, rows in enumerate(members)]
    scales = {
        titles[factor]: tuple(f"{'-' if loadings[item, factor] < 0 else ''}{names[item]}" for item in rows)
        for factor, rows in enumerate(members)
        if len(rows) > 1
    }
    rest = _strongest_first(strength.max(axis=1), np.flatnonzero(~belongs))
    rows = [*(item for rows in members for item in rows), *rest]
    index = pd.Index([names[item] for item in rows], name="item", dtype="str")
    return Factors(scales, pd.DataFrame(loadings[rows], index=index, columns=pd.Index(titles, dtype="str")))


def _strongest_first(strength: Floats, items: npt.NDArray[np.intp]) -> list[int]:
    return [int(item) for item in items[np.argsort(-strength[items], kind="stable")]]


def _rotated(correlation: Floats, n_factors: int, rotation: str) -> Floats:
    """Fit scikit-learn's FactorAnalysis to correlations, so that missing answers and the number of rows do not matter.

    It reads rows, so it gets two for each item, opposite in pairs, whose correlations are exactly these.
    """
    with one_thread():
        sizes, vectors = np.linalg.eigh(correlation)
        # pairwise correlations may have eigenvalues slightly below 0
        half = (vectors * np.sqrt(np.maximum(sizes, 0.0) * len(correlation))).T
        model = FactorAnalysis(n_factors, rotation=rotation, svd_method="lapack", tol=1e-6, max_iter=20_000)
        return np.asarray(model.fit(np.vstack([half, -half])).components_.T)


def _aligned(loadings: Floats) -> Floats:
    """Turn every factor so that its own items have a positive sum, and put the strongest first."""
    strength = np.abs(loadings)
    own = strength == strength.max(axis=1, keepdims=True)
    # a factor that no item loads on most goes by all of them
    own |= ~own.any(axis=0)
    turned = loadings * np.where((loadings * own).sum(axis=0) < 0, -1.0, 1.0)
    order = np.argsort(-(turned**2).sum(axis=0), kind="stable")
    return np.asarray(turned[:, order])


def _title(factor: int, rows: Sequence[int], names: Sequence[str], loadings: Floats) -> str:
    strongest = [names[item] for item in rows if loadings[item] > 0][:2]
    return " + ".join(strongest) or f"factor {factor + 1}"

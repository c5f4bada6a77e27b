"""Stability under the bootstrap: of a number of segments, and of each segment."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import clone
from sklearn.utils import check_random_state
from sklearn.utils.parallel import Parallel, delayed
from threadpoolctl import threadpool_limits

from custseg._core.params import NONE, RANDOM_STATE, Integer, Where, check
from custseg.exceptions import DataQualityWarning, InfeasibleError, InvalidParameterError
from custseg.segmentation._engines import NUMBER_PARAMETERS, number_parameter, seeded
from custseg.segmentation._rule_segmenter import RuleDefinedSegmenter
from custseg.segmentation._segmenter import Segmenter
from custseg.validation._measures import adjusted_rand, best_jaccard, cross_table
from custseg.validation._rows import Rows, read_rows

STABLE_ADJUSTED_RAND = 0.75
"""Mean adjusted Rand index over the pairs from which a number of segments counts as stable.

It is the level at which Hennig (2007) calls a cluster stable, applied to whole partitions.
"""

STABLE_SEGMENT = 0.6
"""Mean Jaccard coefficient (SLSw) below which a segment counts as not found again.

Hennig (2007), Cluster-wise assessment of cluster stability, Computational Statistics & Data Analysis 52, 258-271:
a cluster below .6 should not be trusted, one between .6 and .75 shows a pattern, one above .75 is stable.
"""

_WHO = "bootstrap_stability"
_MAX_SEED = np.iinfo(np.int32).max

_PARAMETERS = {
    "n_boot": (Integer(2),),
    "random_state": RANDOM_STATE,
    "n_jobs": (NONE, Where(lambda n: isinstance(n, (int, np.integer)) and n != 0, "an integer other than 0")),
    "on_step": (NONE, Where(callable, "a function of (done, total)")),
}


@dataclass(frozen=True, eq=False)
class StabilityResult:
    """What :func:`bootstrap_stability` found.

    Attributes
    ----------
    n_segments : tuple of int
        The numbers of segments that were tried, ascending.
    adjusted_rand : ndarray of shape (n_tried, n_boot)
        For each number of segments and each pair of bootstrap samples, the adjusted Rand index
        between the two solutions' labels of all customers.
    segments : pandas.DataFrame
        Stability within a solution (SLSw), one row per number of segments and segment of the
        reference solution: ``n_segments``, ``segment`` (its label), ``n_customers``, ``slsw`` (0
        for a segment that the clusterer left empty).
    reference_labels : dict of int to ndarray of shape (n_customers,)
        For each number of segments, the labels of the solution fitted on all customers, in the
        order of the table.
    """

    n_segments: tuple[int, ...]
    adjusted_rand: npt.NDArray[np.float64] = field(repr=False)
    segments: pd.DataFrame = field(repr=False)
    reference_labels: dict[int, npt.NDArray[np.int64]] = field(repr=False)

    @classmethod
    def empty(cls) -> StabilityResult:
        """Return a result without any number of segments, for customers too few to be drawn again."""
        segments = pd.DataFrame(
            {
                "n_segments": np.zeros(0, dtype=np.int64),
                "segment": np.zeros(0, dtype=np.int64),
                "n_customers": np.zeros(0, dtype=np.int64),
                "slsw": np.zeros(0),
            }
        )
        return cls((), np.zeros((0, 0)), segments, {})

    @property
    def n_boot(self) -> int:
        """The number of pairs of bootstrap samples."""
        return int(self.adjusted_rand.shape[1])

    @property
    def mean_adjusted_rand(self) -> pd.Series[float]:
        """The mean adjusted Rand index over the pairs, by number of segments."""
        tried = pd.Index(self.n_segments, name="n_segments")
        means = [float(pairs.mean()) for pairs in self.adjusted_rand]
        return pd.Series(means, index=tried, name="mean_adjusted_rand", dtype=np.float64)

    @property
    def summary(self) -> pd.DataFrame:
        """One row per number of segments.

        ``n_segments``, ``mean_adjusted_rand``, ``low_adjusted_rand`` and ``high_adjusted_rand``
        (5% and 95% quantiles over the pairs), ``min_slsw`` (the least stable segment) and
        ``stable`` (see :meth:`is_stable`).
        """
        low, high = np.quantile(self.adjusted_rand, [0.05, 0.95], axis=1) if self.n_segments else (None, None)
        return pd.DataFrame(
            {
                "n_segments": self.n_segments,
                "mean_adjusted_rand": self.mean_adjusted_rand.to_numpy(),
                "low_adjusted_rand": low,
                "high_adjusted_rand": high,
                "min_slsw": [float(self._slsw(k).min()) for k in self.n_segments],
                "stable": [self.is_stable(k) for k in self.n_segments],
            }
        )

    def is_stable(self, n_segments: int) -> bool:
        """Say whether the solution with so many segments comes back as a whole and segment by segment.

        Parameters
        ----------
        n_segments : int
            One of the numbers of segments that were tried.

        Returns
        -------
        stable : bool
            Whether the mean adjusted Rand index is at least :data:`STABLE_ADJUSTED_RAND` and the
            SLSw of every segment at least :data:`STABLE_SEGMENT`.

        Raises
        ------
        InvalidParameterError
            Where so many segments were not tried.
        """
        slsw = self._slsw(n_segments)
        mean = self.adjusted_rand[self.n_segments.index(n_segments)].mean()
        return bool(mean >= STABLE_ADJUSTED_RAND and slsw.min() >= STABLE_SEGMENT)

    def to_frame(self) -> pd.DataFrame:
        """Return one row per number of segments and pair: ``n_segments``, ``pair``, ``adjusted_rand``."""
        return pd.DataFrame(
            {
                "n_segments": np.repeat(self.n_segments, self.n_boot),
                "pair": np.tile(np.arange(self.n_boot), len(self.n_segments)),
                "adjusted_rand": self.adjusted_rand.ravel(),
            }
        )

    def _slsw(self, n_segments: int) -> npt.NDArray[np.float64]:
        if n_segments not in self.n_segments:
            raise InvalidParameterError.unknown_name("StabilityResult", "n_segments", n_segments, self.n_segments)
        mine = self.segments["n_segments"] == n_segments
        return self.segments.loc[mine, "slsw"].to_numpy(dtype=np.float64)


def bootstrap_stability(
    clusterer: Any,
    X: Any,
    n_segments: int | Iterable[int] = range(2, 9),
    n_boot: int = 100,
    *,
    random_state: int | np.random.RandomState | None = None,
    n_jobs: int | None = None,
    on_step: Callable[[int, int], object] | None = None,
) -> StabilityResult:
    """Measure how far segments come back when the customers are drawn again.

    For each of ``n_boot`` pairs, two bootstrap samples of the customers are segmented, all
    customers are assigned by both solutions, and the adjusted Rand index between the two
    assignments is taken (global stability [1]_). For each segment of the solution on all customers,
    the Jaccard coefficient with its best match in each of the ``2 * n_boot`` assignments is
    averaged (stability within a solution, SLSw [2]_).

    A pair's samples are the same for every number of segments, and its values do not depend on
    which other numbers, or how many more pairs, are asked for. Identical customers are
    interchangeable and samples are drawn by content, so the order of the rows changes nothing in
    the pairs; nor do ``n_jobs`` or the number of threads (linear algebra is kept to one).

    Parameters
    ----------
    clusterer : object
        A :class:`~custseg.SegmentClusterer`, any scikit-learn clusterer with ``predict``, or a
        Pipeline that ends in one. It is cloned, never fitted itself. Its number of segments
        (``n_segments``, ``n_clusters`` or ``n_components``) is set to each number tried. Segments
        defined by rules (:class:`~custseg.segmentation.RuleSegmenter`, ``RFMSegmenter``) have their
        own number, whatever ``n_segments`` says; customers in none of them count as one more group
        in the adjusted Rand index, and segments without customers are left out. Each
        bootstrap sample gets its own seed; the solution on all customers keeps the seed of the
        clusterer, if it has one.
    X : DataFrame, path, or array-like of shape (n_customers, n_features)
        What the clusterer is fitted on, one row per customer. Missing values are the clusterer's
        affair.
    n_segments : int or iterable of int, default=range(2, 9)
        The numbers of segments to try, each at least 2.
    n_boot : int, default=100
        The number of pairs, at least 2.
    random_state : int, RandomState or None, default=None
        Seed of the samples and of the clusterers fitted on them.
    n_jobs : int or None, default=None
        Number of joblib workers; ``None`` is one unless a joblib context says otherwise.
    on_step : callable or None, default=None
        Called as ``on_step(done, total)`` in the calling process after each pair; ``total`` is
        ``n_boot``. An estimator with scikit-learn callbacks opens one subcontext per call.

    Returns
    -------
    result : StabilityResult
        The distribution per number of segments, the stability of each segment, and the labels of
        the solutions on all customers.

    Raises
    ------
    InvalidParameterError
        Where a parameter is out of its range, a number of segments is below 2, or the clusterer
        lacks ``predict`` or a number of segments that can be set.
    InfeasibleError
        Where a number of segments exceeds the distinct rows of a bootstrap sample.
    InvalidTableError
        Where ``X`` cannot be read.

    References
    ----------
    .. [1] S. Dolnicar and F. Leisch (2010). Evaluation of structure and reproducibility of cluster
       solutions using the bootstrap. Marketing Letters 21, 83-101.
    .. [2] C. Hennig (2007). Cluster-wise assessment of cluster stability. Computational Statistics &
       Data Analysis 52, 258-271.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> from sklearn.datasets import make_blobs
    >>> from custseg.validation import bootstrap_stability
    >>> X, _ = make_blobs(300, centers=[(0, 0), (8, 0), (4, 7)], random_state=0)
    >>> result = bootstrap_stability(KMeans(n_init=5), X, range(2, 5), n_boot=10, random_state=0)
    >>> int(result.mean_adjusted_rand.idxmax()), result.is_stable(3)
    (3, True)
    """
    values = {"n_boot": n_boot, "random_state": random_state, "n_jobs": n_jobs, "on_step": on_step}
    check(_WHO, _PARAMETERS, values)
    tried = _numbers_of_segments(n_segments)
    setter = _n_segments_parameter(clusterer)
    rows = read_rows(X, clusterer, _WHO)
    random = check_random_state(random_state)
    own_seed, seeds = int(random.randint(_MAX_SEED)), random.randint(_MAX_SEED, size=(n_boot, 2))
    if setter is None:
        blanks = [clone(clusterer)]
        tried = (clone(clusterer).fit(rows.whole).n_segments_,)
    else:
        _check_feasible(tried, rows, seeds)
        blanks = [clone(clusterer).set_params(**{setter: k}) for k in tried]
    with threadpool_limits(limits=1):
        references = [
            _solve(seeded(clone(blank), own_seed, keep=True), (rows.whole, {}), rows, k)
            for k, blank in zip(tried, blanks, strict=True)
        ]
    workers = Parallel(n_jobs=n_jobs, return_as="generator")
    results = []
    for result in workers(delayed(_compare_pair)(blanks, references, rows, pair) for pair in seeds):
        results.append(result)
        if on_step is not None:
            on_step(len(results), n_boot)
    result = _collect(tried, rows, references, results)
    return result if setter is not None else _of_rules(result)


def _numbers_of_segments(n_segments: int | Iterable[int]) -> tuple[int, ...]:
    allowed = Integer(2)
    asked = list(n_segments) if isinstance(n_segments, Iterable) else [n_segments]
    wrong = [k for k in asked if not allowed.accepts(k)]
    if wrong or not asked:
        words = "one or more integers >= 2 (a single segment always comes back, so its stability says nothing)"
        raise InvalidParameterError.not_allowed(_WHO, "n_segments", words, wrong[0] if wrong else asked)
    return tuple(sorted({int(k) for k in asked}))


def _n_segments_parameter(clusterer: Any) -> str | None:
    """Return the name of the parameter for the number of segments, None for rules; refuse what cannot be used."""
    if isinstance(clusterer, RuleDefinedSegmenter):
        return None
    name = type(clusterer).__name__
    if isinstance(clusterer, type) or not (hasattr(clusterer, "get_params") and hasattr(clusterer, "fit")):
        words = "a scikit-learn clusterer (an instance, for example KMeans())"
        raise InvalidParameterError.not_allowed(_WHO, "clusterer", words, clusterer)
    if not hasattr(clusterer, "predict"):
        raise InvalidParameterError(
            f"{_WHO}: {name} has no predict, so the customers outside a bootstrap sample cannot be assigned. "
            f"Use an engine that has one, such as SegmentClusterer or KMeans, or pass {name} to SegmentClusterer "
            "as its engine, which assigns by the nearest centre."
        )
    parameter = number_parameter(clusterer)
    if parameter is not None:
        return parameter
    raise InvalidParameterError(
        f"{_WHO}: {name} has none of the parameters {', '.join(NUMBER_PARAMETERS)}, so its number of segments "
        "cannot be set. Use a clusterer that takes the number of segments."
    )


def _check_feasible(tried: tuple[int, ...], rows: Rows, seeds: npt.NDArray[np.int64]) -> None:
    if tried[-1] > len(rows.first):
        raise InfeasibleError.too_few_customers(_WHO, tried[-1], len(rows.first), rows.n_rows)
    fewest = min(len(np.unique(_draw(rows, seed)[0])) for seed in seeds.flat)
    if tried[-1] > fewest:
        raise InfeasibleError.too_few_in_sample(_WHO, tried[-1], fewest)


def _draw(rows: Rows, seed: Any) -> tuple[npt.NDArray[np.int64], int]:
    """Return the patterns of one bootstrap sample and the seed of the clusterers fitted on it."""
    random = np.random.RandomState(seed)
    return rows.draw(random), int(random.randint(_MAX_SEED))


@dataclass(frozen=True)
class _Solution:
    """The segment of each pattern, as whole numbers from 0, and the number of segments."""

    labels: npt.NDArray[np.int64]
    n_segments: int


def _numbered(labels: npt.NDArray[Any], clusterer: Any) -> npt.NDArray[Any]:
    """Make customers who meet no rule a group of their own, the last one."""
    if not isinstance(clusterer, RuleDefinedSegmenter):
        return labels
    return np.where(labels < 0, clusterer.n_segments_, labels)


def _takes_counts(clusterer: Any) -> bool:
    """Say whether a row that stands for several customers gives what they give one by one."""
    own_engine = isinstance(getattr(clusterer, "engine", ""), str)
    return isinstance(clusterer, Segmenter) and own_engine and not isinstance(clusterer, RuleDefinedSegmenter)


def _sample(rows: Rows, patterns: npt.NDArray[np.int64], clusterer: Any) -> tuple[Any, dict[str, Any]]:
    """Return the customers of a sample as a clusterer takes them, and what else ``fit`` gets."""
    if not _takes_counts(clusterer):
        return rows.take(patterns), {}
    distinct, counts = np.unique(patterns, return_counts=True)
    return rows.take(distinct), {"sample_weight": counts.astype(np.float64)}


def _solve(clusterer: Any, sample: tuple[Any, dict[str, Any]], rows: Rows, n_segments: int) -> _Solution:
    """Fit on a sample and assign every pattern."""
    name = type(clusterer).__name__
    customers, options = sample
    try:
        labels = _numbered(np.asarray(clusterer.fit(customers, **options).predict(rows.distinct)), clusterer)
    except InfeasibleError as error:
        raise InfeasibleError.in_refit(_WHO, n_segments, error) from error
    if labels.shape != rows.first.shape or not np.issubdtype(labels.dtype, np.integer) or labels.min() < 0:
        raise InvalidParameterError(
            f"{_WHO}: {name}.predict must give each customer a segment numbered from 0, got "
            f"{labels.dtype} labels of shape {labels.shape} such as {labels.flat[0]!r}"
            f"{' and -1 (not assigned)' if labels.dtype.kind == 'i' and labels.min() < 0 else ''}. "
            "Use a clusterer that assigns everyone."
        )
    return _Solution(labels.astype(np.int64), max(n_segments, int(labels.max()) + 1))


def _compare_pair(
    blanks: list[Any], references: list[_Solution], rows: Rows, seeds: npt.NDArray[np.int64]
) -> list[tuple[float, npt.NDArray[np.float64]]]:
    """Return, per number of segments, the adjusted Rand index of a pair and its Jaccard coefficients."""
    drawn = [_draw(rows, seed) for seed in seeds]
    samples = [(_sample(rows, patterns, blanks[0]), seed) for patterns, seed in drawn]
    results = []
    with threadpool_limits(limits=1), warnings.catch_warnings():
        # said once already, of all customers
        warnings.simplefilter("ignore", DataQualityWarning)
        for blank, reference in zip(blanks, references, strict=True):
            one, other = (
                _solve(seeded(clone(blank), seed, keep=False), sample, rows, reference.n_segments)
                for sample, seed in samples
            )
            agreement = adjusted_rand(_cross(one, other, rows))
            results.append(
                (agreement, np.array([best_jaccard(_cross(reference, refit, rows)) for refit in (one, other)]))
            )
    return results


def _cross(first: _Solution, second: _Solution, rows: Rows) -> npt.NDArray[np.int64]:
    return cross_table(first.labels, second.labels, (first.n_segments, second.n_segments), rows.counts)


def _of_rules(result: StabilityResult) -> StabilityResult:
    """Leave out segments without customers, and the group of those who are in none."""
    (k,) = result.n_segments
    rows = result.segments
    labels = result.reference_labels[k]
    return replace(
        result,
        segments=rows[(rows["segment"] < k) & (rows["n_customers"] > 0)].reset_index(drop=True),
        reference_labels={k: np.where(labels == k, -1, labels)},
    )


def _collect(
    tried: tuple[int, ...],
    rows: Rows,
    references: list[_Solution],
    results: list[list[tuple[float, npt.NDArray[np.float64]]]],
) -> StabilityResult:
    segments = [
        pd.DataFrame(
            {
                "n_segments": k,
                "segment": np.arange(reference.n_segments),
                "n_customers": np.bincount(reference.labels, rows.counts, reference.n_segments).astype(np.int64),
                "slsw": np.concatenate([pair[position][1] for pair in results]).mean(axis=0),
            }
        )
        for position, (k, reference) in enumerate(zip(tried, references, strict=True))
    ]
    return StabilityResult(
        n_segments=tried,
        adjusted_rand=np.array([[agreement for agreement, _ in pair] for pair in results]).T.copy(),
        segments=pd.concat(segments, ignore_index=True),
        reference_labels={k: solution.labels[rows.pattern] for k, solution in zip(tried, references, strict=True)},
    )

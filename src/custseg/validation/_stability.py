"""Stability under the bootstrap: of a number of segments, and of each segment."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sized
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import clone
from sklearn.utils import check_random_state
from sklearn.utils.parallel import Parallel, delayed

from custseg._core.arrays import Integers
from custseg._core.asking import as_asked, asked, asks
from custseg._core.params import NONE, RANDOM_STATE, Integer, Where, check
from custseg._core.threads import one_thread
from custseg._core.warning import each_warning_once, ignoring
from custseg.exceptions import CustomerIdError, DataQualityWarning, InfeasibleError, InvalidParameterError
from custseg.segmentation._for_validation import (
    NUMBER_PARAMETERS,
    Segmenter,
    can_refit,
    number_parameter,
    numbered,
    refitted,
    seed_parameters,
    seeded,
    standard_error,
)
from custseg.validation._clusterers import MAX_SEED, check_clusterer, is_defined_by_rules, takes_counts
from custseg.validation._errors import ids_repeat_in_sample, infeasible_in_refit, too_few_differ, too_few_in_sample
from custseg.validation._flows import carried_labels, flow_frame
from custseg.validation._measures import adjusted_rand, best_jaccard, cross_table, origin_stability
from custseg.validation._numbers import numbers_of_segments
from custseg.validation._rows import Rows, read_rows
from custseg.validation._stability_result import StabilityResult

__all__ = ["RefitsOfFits", "bootstrap_stability", "n_refits_of", "seeds_of"]

# The pairs whose first sample is solved again with another seed: a fifth of them, within these bounds. The mean of
# 20 agreements is known to about a fifth of the spread of a single one.
FEWEST_REFITS, MOST_REFITS = 5, 20


_PARAMETERS = {
    "n_pairs": (Integer(2),),
    "random_state": RANDOM_STATE,
    "n_jobs": (NONE, Where(lambda n: isinstance(n, (int, np.integer)) and n != 0, "an integer other than 0")),
    "on_step": (NONE, Where(callable, "a function of (done, total)")),
}


@asks
def bootstrap_stability(
    clusterer: Any,
    X: Any,
    n_segments: int | Iterable[int] = range(2, 9),
    n_pairs: int = 100,
    *,
    random_state: int | np.random.RandomState | None = None,
    n_jobs: int | None = None,
    on_step: Callable[[int, int], object] | None = None,
) -> StabilityResult:
    """Measure how far segments come back when the customers are drawn again.

    For each of ``n_pairs`` pairs, two bootstrap samples of the customers are segmented, all
    customers are assigned by both solutions, and the adjusted Rand index between the two
    assignments is taken (global stability [1]_). For each segment of the solution on all customers,
    the Jaccard coefficient with its best match in each of the ``2 * n_pairs`` assignments is
    averaged (stability within a solution, SLSw [2]_), and its customers are traced back to the
    segments of the next smaller number tried (stability across solutions, SLSa [3]_).

    Solutions may also differ because the clusterer stops at different local optima. To tell this apart,
    the first sample of each of the first pairs (a fifth of them, 5 to 20) is solved once more, with another seed.

    A pair's samples are the same for every number of segments, and its values do not depend on
    which other numbers, or how many more pairs, are asked for (SLSa alone looks at the next smaller
    number). Identical customers are interchangeable and samples are drawn by content, so the order of
    the rows changes nothing in the pairs; nor do ``n_jobs`` or the number of threads (linear algebra is
    kept to one).

    Refits by the ``"kmeans"`` of a ``SegmentClusterer`` leave out its search after the restarts and improve only the
    best three different restarts by exchanges. That takes two thirds of the time, and on 0/1 answers with many local
    optima lowers the mean adjusted Rand index by about .02.

    Parameters
    ----------
    clusterer : object
        A :class:`~custseg.segmentation.SegmentClusterer`, any scikit-learn clusterer with ``predict``, or a
        Pipeline that ends in one and reads no customer ids: a sample repeats them. It is cloned,
        never fitted itself. Its number of segments
        (``n_segments``, ``n_clusters`` or ``n_components``) is set to each number tried. Segments
        defined by rules (:class:`~custseg.segmentation.RuleSegmenter`, ``RFMSegmenter``) have their
        own number, whatever ``n_segments`` says; customers in none of them count as one more group
        in the adjusted Rand index, and segments without customers are left out. Each
        bootstrap sample gets its own seed; the solution on all customers keeps the seed of the
        clusterer, if it has one. A clusterer without any ``random_state`` counts as one that always
        finds the same solution of a sample.
    X : DataFrame, path, or array-like of shape (n_customers, n_features)
        What the clusterer is fitted on, one row per customer. Missing values are the clusterer's
        affair.
    n_segments : int or iterable of int, default=range(2, 9)
        The numbers of segments to try, each at least 2.
    n_pairs : int, default=100
        The number of pairs, at least 2.
    random_state : int, RandomState or None, default=None
        Seed of the samples and of the clusterers fitted on them.
    n_jobs : int or None, default=None
        Number of joblib workers; ``None`` is one unless a joblib context says otherwise.
    on_step : callable or None, default=None
        Called as ``on_step(done, total)`` in the calling process after each pair; ``total`` is
        ``n_pairs``. An estimator with scikit-learn callbacks opens one subcontext per call.

    Returns
    -------
    result : StabilityResult
        The distribution per number of segments, the optimiser's part in it, the stability of each
        segment, and the labels of the solutions on all customers.

    Raises
    ------
    InvalidParameterError
        Where a parameter is out of its range, a number of segments is below 2, or the clusterer
        lacks ``predict`` or a number of segments that can be set.
    InfeasibleError
        Where a number of segments exceeds the distinct rows of a bootstrap sample.
    InvalidTableError
        Where ``X`` cannot be read.
    KeyboardInterrupt
        Where it is interrupted; workers are stopped, nothing is kept, and a note on the exception says
        how many pairs were done.

    References
    ----------
    .. [1] S. Dolnicar and F. Leisch (2010). Evaluation of structure and reproducibility of cluster
       solutions using the bootstrap. Marketing Letters 21, 83-101.
    .. [2] C. Hennig (2007). Cluster-wise assessment of cluster stability. Computational Statistics &
       Data Analysis 52, 258-271.
    .. [3] S. Dolnicar and F. Leisch (2017). Using segment level stability to select target segments in
       data-driven market segmentation studies. Marketing Letters 28, 423-436.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> from sklearn.datasets import make_blobs
    >>> from custseg.validation import bootstrap_stability
    >>> X, _ = make_blobs(150, centers=[(0, 0), (8, 0), (4, 7)], random_state=0)
    >>> result = bootstrap_stability(KMeans(n_init=5), X, range(2, 5), n_pairs=5, random_state=0)
    >>> int(result.mean_adjusted_rand.idxmax()), result.is_stable(3)
    (3, True)
    >>> bool(result.optimiser_share[4] < 0.5)  # it is the samples that cut one of the three differently
    True
    """
    values = {"n_pairs": n_pairs, "random_state": random_state, "n_jobs": n_jobs, "on_step": on_step}
    check(_PARAMETERS, values)
    tried = numbers_of_segments(n_segments)
    _check_can_refit(clusterer)
    rows = read_rows(X, clusterer)
    own_seed, seeds = seeds_of(random_state, n_pairs)
    if is_defined_by_rules(clusterer):
        tried = (clone(clusterer).fit(rows.whole).n_segments_,)
    with _saying_how_far(n_pairs), one_thread(), each_warning_once():
        design = _Design.of(clusterer, rows, tried)
        if not design.by_rules:
            _check_feasible(tried, rows, seeds)
        references = {
            k: _solve(seeded(clone(blank), own_seed, keep=True), (rows.whole, {}), rows, k)
            for k, blank in design.blanks.items()
        }
    return _compared(replace(design, references=references), seeds, n_refits_of(n_pairs), n_jobs, on_step)


class RefitsOfFits:
    """Bootstrap refits of clusterers that were fitted on all customers, with several numbers of segments.

    Parameters
    ----------
    clusterer : object
        What is fitted, as in :func:`bootstrap_stability`; without a fit.
    X : DataFrame, path, or array-like of shape (n_customers, n_features)
        The customers.
    fits : mapping of int to object
        The fitted clusterer of each number of segments: its segments are those that come back or do not.
    """

    def __init__(self, clusterer: Any, X: Any, fits: Mapping[int, Any]) -> None:
        _check_can_refit(clusterer)
        rows = read_rows(X, clusterer)
        references = {
            number: _checked(_numbered(fitted.labels_[rows.first], fitted), clusterer, rows, number)
            for number, fitted in fits.items()
        }
        self._design = replace(_Design.of(clusterer, rows, tuple(fits)), references=references)

    def compared(
        self,
        numbers: Iterable[int],
        seeds: Integers,
        *,
        n_refits: int = 0,
        n_jobs: int | None = None,
        on_step: Callable[[int, int], object] | None = None,
    ) -> StabilityResult:
        """Compare pairs at some of the numbers, as :func:`bootstrap_stability` does.

        Parameters
        ----------
        numbers : iterable of int
            Some of the numbers of the fits.
        seeds : ndarray of shape (n_pairs, 2)
            Some of those of :func:`seeds_of`.
        n_refits : int, default=0
            The first pairs of which one sample is solved once more (:func:`n_refits_of`).
        n_jobs, on_step : object
            As in :func:`bootstrap_stability`.

        Returns
        -------
        StabilityResult
            Of these pairs.
        """
        return _compared(self._design.at(tuple(numbers)), seeds, n_refits, n_jobs, on_step)


def seeds_of(random_state: Any, n_pairs: int) -> tuple[int, Integers]:
    """Return the seed of the solutions on all customers, and those of the samples of each pair."""
    random = check_random_state(random_state)
    return int(random.randint(MAX_SEED)), random.randint(MAX_SEED, size=(n_pairs, 2))


def _draw(rows: Rows, seed: Any) -> tuple[Integers, int, int]:
    """Return the patterns of one bootstrap sample, the seed of the clusterers fitted on it, and a second one."""
    random = np.random.RandomState(seed)
    return rows.draw(random), int(random.randint(MAX_SEED)), int(random.randint(MAX_SEED))


def _compared(
    design: _Design,
    seeds: Integers,
    n_refits: int,
    n_jobs: int | None,
    on_step: Callable[[int, int], object] | None,
) -> StabilityResult:
    tried = tuple(design.blanks)
    if not design.by_rules:
        _check_feasible(tried, design.rows, seeds)
    results: list[list[_Comparison]] = []
    with (
        _saying_how_far(len(seeds), results),
        one_thread(),
        _stopped_at_exit(_comparisons(design, seeds, n_refits, n_jobs)) as comparisons,
    ):
        for comparison in comparisons:
            results.append(comparison)
            if on_step is not None:
                on_step(len(results), len(seeds))
    result = _collect(tried, design.rows, list(design.references.values()), results, n_refits)
    return _of_rules(result) if design.by_rules else result


def _comparisons(design: _Design, seeds: Integers, n_refits: int, n_jobs: int | None) -> Generator[list[_Comparison]]:
    """Compare the pairs of bootstrap samples, one after the other or in workers; the first ones with a second seed."""
    if not _has_seed(next(iter(design.blanks.values()))):
        n_refits = 0
    compare = delayed(as_asked(_compare_pair))
    tasks = (compare(design, pair, done < n_refits) for done, pair in enumerate(seeds))
    comparisons: Generator[list[_Comparison]] = Parallel(n_jobs=n_jobs, return_as="generator")(tasks)
    return comparisons


@contextmanager
def _saying_how_far(total: int, done: Sized = ()) -> Iterator[None]:
    """Note on an interrupt how much of the work it cost."""
    try:
        yield
    except KeyboardInterrupt as interrupt:
        interrupt.add_note(
            f"{asked()} was interrupted after {len(done)} of {total} pairs of bootstrap samples; nothing of them is "
            "kept."
        )
        raise


@contextmanager
def _stopped_at_exit(outputs: Generator[Any]) -> Iterator[Generator[Any]]:
    """Stop the workers at once where the rest of their work is not wanted any more."""
    try:
        yield outputs
    finally:
        # joblib's own, about work that is thrown away; where all was taken, there is none
        with ignoring(UserWarning):
            outputs.close()


def _check_can_refit(clusterer: Any) -> None:
    """Refuse a clusterer that cannot be fitted with a number of segments on a sample, to assign everyone."""
    if is_defined_by_rules(clusterer):
        return
    name = type(clusterer).__name__
    check_clusterer(clusterer, "a scikit-learn clusterer (an instance, for example KMeans())")
    if not hasattr(clusterer, "predict"):
        raise InvalidParameterError(
            f"{asked()}: {name} has no predict, so the customers outside a bootstrap sample cannot be assigned. "
            f"Use an engine that has one, such as SegmentClusterer or KMeans, or pass {name} to SegmentClusterer "
            "as its engine, which assigns by the nearest centre."
        )
    if isinstance(clusterer, Segmenter) and clusterer.finds_number:
        engine = clusterer.get_params(deep=False).get("engine", clusterer)
        raise InvalidParameterError(
            f"{asked()}: {type(engine).__name__} finds the number of segments itself, so {name} cannot be fitted with "
            "each number tried. Use an engine that takes the number of segments."
        )
    if number_parameter(clusterer) is None:
        raise InvalidParameterError(
            f"{asked()}: {name} has none of the parameters {', '.join(NUMBER_PARAMETERS)}, so its number of segments "
            "cannot be set. Use a clusterer that takes the number of segments."
        )


def _check_feasible(tried: tuple[int, ...], rows: Rows, seeds: npt.NDArray[np.int64]) -> None:
    if len(rows.first) < 2:
        raise too_few_differ(len(rows.first), 2)
    if tried[-1] > len(rows.first):
        raise InfeasibleError.too_few_customers(tried[-1], len(rows.first), rows.n_rows)
    fewest = min(int(np.count_nonzero(np.bincount(_draw(rows, seed)[0]))) for seed in seeds.flat)
    if tried[-1] > fewest:
        raise too_few_in_sample(tried[-1], fewest)


def n_refits_of(n_pairs: int) -> int:
    """Return of how many pairs one sample is solved once more, to see the optimiser's part."""
    return min(n_pairs, MOST_REFITS, max(FEWEST_REFITS, n_pairs // 5))


def _has_seed(clusterer: Any) -> bool:
    return not is_defined_by_rules(clusterer) and bool(seed_parameters(clusterer))


@dataclass(frozen=True)
class _Solution:
    """The segment of each pattern, as whole numbers from 0, and the number of segments."""

    labels: npt.NDArray[np.int64]
    n_segments: int


@dataclass(frozen=True)
class _Design:
    """What is refitted: a clusterer for each number of segments, the rows, solutions on all customers."""

    blanks: dict[int, Any]
    rows: Rows
    references: dict[int, _Solution] = field(default_factory=dict)

    @classmethod
    def of(cls, clusterer: Any, rows: Rows, tried: tuple[int, ...]) -> _Design:
        """Set a clusterer to each number of segments; rules have their own."""
        rules = is_defined_by_rules(clusterer)
        return cls({k: clone(clusterer) if rules else numbered(clusterer, k) for k in tried}, rows)

    @property
    def by_rules(self) -> bool:
        """Whether rules define the segments."""
        return any(map(is_defined_by_rules, self.blanks.values()))

    def at(self, tried: tuple[int, ...]) -> _Design:
        """Leave out other numbers of segments."""
        return replace(
            self, blanks={k: self.blanks[k] for k in tried}, references={k: self.references[k] for k in tried}
        )


@dataclass(frozen=True)
class _Comparison:
    """How alike the solutions of a pair of samples are, for one number of segments.

    ``jaccard`` has one row per sample, one column per segment of the reference solution;
    ``optimiser_adjusted_rand`` compares two solutions of the first sample, 1 where it was solved once.
    """

    adjusted_rand: float
    jaccard: npt.NDArray[np.float64]
    optimiser_adjusted_rand: float


def _numbered(labels: npt.NDArray[Any], clusterer: Any) -> npt.NDArray[Any]:
    """Make customers who meet no rule a group of their own, the last one."""
    if not is_defined_by_rules(clusterer):
        return labels
    return np.where(labels < 0, clusterer.n_segments_, labels)


def _sample(rows: Rows, patterns: npt.NDArray[np.int64], clusterer: Any) -> tuple[Any, dict[str, Any]]:
    """Return the customers of a sample as a clusterer takes them, and what else ``fit`` gets."""
    if not takes_counts(clusterer):
        return rows.take(patterns), {}
    distinct, counts = np.unique(patterns, return_counts=True)
    return rows.take(distinct), {"sample_weight": counts.astype(np.float64)}


def _solve(clusterer: Any, sample: tuple[Any, dict[str, Any]], rows: Rows, n_segments: int) -> _Solution:
    """Fit on a sample and assign every pattern."""
    customers, options = sample
    try:
        labels = np.asarray(clusterer.fit(customers, **options).predict(rows.distinct))
    except InfeasibleError as error:
        raise infeasible_in_refit(n_segments, error) from error
    except CustomerIdError as error:
        raise ids_repeat_in_sample(error) from error
    return _checked(_numbered(labels, clusterer), clusterer, rows, n_segments)


def _solve_all(design: _Design, fit: tuple[Integers, int]) -> Iterator[_Solution]:
    """Fit on a sample at every number of segments; what only depends on the sample is done once."""
    (patterns, seed), rows = fit, design.rows
    first = next(iter(design.blanks.values()))
    if not can_refit(first):
        sample = _sample(rows, patterns, first)
        for number, blank in design.blanks.items():
            yield _solve(seeded(clone(blank), seed, keep=False), sample, rows, number)
        return
    clusterer = seeded(clone(first), seed, keep=False)
    customers, options = _sample(rows, patterns, clusterer)
    assigned = refitted(clusterer, rows.distinct, customers, options.get("sample_weight"), seed=seed)
    for number in design.blanks:
        try:
            labels = assigned(number)
        except InfeasibleError as error:
            raise infeasible_in_refit(number, error) from error
        yield _checked(labels, clusterer, rows, number)


def _checked(labels: npt.NDArray[Any], clusterer: Any, rows: Rows, n_segments: int) -> _Solution:
    if labels.shape != rows.first.shape or not np.issubdtype(labels.dtype, np.integer) or labels.min() < 0:
        raise InvalidParameterError(
            f"{asked()}: {type(clusterer).__name__}.predict must give each customer a segment numbered from 0, got "
            f"{labels.dtype} labels of shape {labels.shape} such as {labels.flat[0]!r}"
            f"{' and -1 (not assigned)' if labels.dtype.kind == 'i' and labels.min() < 0 else ''}. "
            "Use a clusterer that assigns everyone."
        )
    return _Solution(labels.astype(np.int64), max(n_segments, int(labels.max()) + 1))


def _compare_pair(design: _Design, seeds: npt.NDArray[np.int64], refit: bool) -> list[_Comparison]:
    """Compare, per number of segments, the solutions of two samples, and of the first with another seed."""
    rows, references = design.rows, design.references
    (patterns, seed, second_seed), (other_patterns, other_seed, _) = (_draw(rows, seed) for seed in seeds)
    fits = [(patterns, seed), (other_patterns, other_seed), *([(patterns, second_seed)] if refit else [])]
    results = []
    # they are said once already, of all customers
    with one_thread(), ignoring(DataQualityWarning):
        solved = zip(*(_solve_all(design, fit) for fit in fits), strict=True)
        for reference, (one, other, *again) in zip(references.values(), solved, strict=True):
            jaccard = np.array([best_jaccard(_cross(reference, found, rows)) for found in (one, other)])
            optimiser = adjusted_rand(_cross(one, again[0], rows)) if again else 1.0
            results.append(_Comparison(adjusted_rand(_cross(one, other, rows)), jaccard, optimiser))
    return results


def _cross(first: _Solution, second: _Solution, rows: Rows) -> npt.NDArray[np.int64]:
    return cross_table(first.labels, second.labels, (first.n_segments, second.n_segments), rows.counts)


def _of_rules(result: StabilityResult) -> StabilityResult:
    """Leave out segments without customers, and the group of those who are in none."""
    (k,) = result.numbers
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
    results: list[list[_Comparison]],
    n_refits: int,
) -> StabilityResult:
    tables = [_cross(before, after, rows) for before, after in pairwise(references)]
    borne = carried_labels(references[0].n_segments, tables)
    slsa = [np.full(references[0].n_segments, np.nan), *map(origin_stability, tables)]
    segments = [
        pd.DataFrame(
            {
                "n_segments": k,
                "segment": np.arange(reference.n_segments),
                "n_customers": np.bincount(reference.labels, rows.counts, reference.n_segments).astype(np.int64),
                "slsw": np.concatenate([pair[position].jaccard for pair in results]).mean(axis=0),
                "slsw_error": standard_error(np.concatenate([pair[position].jaccard for pair in results])),
                "slsa": slsa[position],
                "relabelled": borne[position],
            }
        )
        for position, (k, reference) in enumerate(zip(tried, references, strict=True))
    ]
    optimiser = [[found.optimiser_adjusted_rand for found in pair] for pair in results[:n_refits]]
    return StabilityResult(
        numbers=tried,
        adjusted_rand=np.array([[found.adjusted_rand for found in pair] for pair in results]).T.copy(),
        segments=pd.concat(segments, ignore_index=True),
        reference_labels={k: solution.labels[rows.pattern] for k, solution in zip(tried, references, strict=True)},
        flows=flow_frame(tried, tables),
        optimiser_adjusted_rand=np.array(optimiser).reshape(-1, len(tried)).T.copy(),
    )

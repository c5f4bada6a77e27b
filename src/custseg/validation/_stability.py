"""Stability under the bootstrap: of a number of segments, and of each segment."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sized
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import clone
from sklearn.utils import check_random_state
from sklearn.utils.parallel import Parallel, delayed

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
    refitted,
    seed_parameters,
    seeded,
)
from custseg.validation._clusterers import MAX_SEED, check_clusterer, is_defined_by_rules, takes_counts
from custseg.validation._errors import ids_repeat_in_sample, infeasible_in_refit, too_few_differ, too_few_in_sample
from custseg.validation._flows import carried_labels, flow_frame
from custseg.validation._measures import adjusted_rand, best_jaccard, cross_table, origin_stability
from custseg.validation._numbers import numbers_of_segments
from custseg.validation._rows import Rows, read_rows
from custseg.validation._stability_result import StabilityResult

__all__ = ["bootstrap_stability"]

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
    setter = _n_segments_parameter(clusterer)
    rows = read_rows(X, clusterer)
    random = check_random_state(random_state)
    own_seed, seeds = int(random.randint(MAX_SEED)), random.randint(MAX_SEED, size=(n_pairs, 2))
    if setter is None:
        blanks = [clone(clusterer)]
        tried = (clone(clusterer).fit(rows.whole).n_segments_,)
    else:
        _check_feasible(tried, rows, seeds)
        blanks = [clone(clusterer).set_params(**{setter: k}) for k in tried]
    results: list[list[_Comparison]] = []
    with _saying_how_far(results, n_pairs), one_thread():
        with each_warning_once():
            references = [
                _solve(seeded(clone(blank), own_seed, keep=True), (rows.whole, {}), rows, k)
                for k, blank in zip(tried, blanks, strict=True)
            ]
        with _stopped_at_exit(_comparisons(blanks, references, rows, seeds, n_jobs)) as comparisons:
            for comparison in comparisons:
                results.append(comparison)
                if on_step is not None:
                    on_step(len(results), n_pairs)
    result = _collect(tried, rows, references, results)
    return result if setter is not None else _of_rules(result)


def _comparisons(
    blanks: list[Any], references: list[_Solution], rows: Rows, seeds: npt.NDArray[np.int64], n_jobs: int | None
) -> Generator[list[_Comparison]]:
    """Compare the pairs of bootstrap samples, one after the other or in workers; the first ones with a second seed."""
    n_refits = _n_refits(len(seeds)) if _has_seed(blanks[0]) else 0
    compare = delayed(as_asked(_compare_pair))
    tasks = (compare(blanks, references, rows, pair, done < n_refits) for done, pair in enumerate(seeds))
    comparisons: Generator[list[_Comparison]] = Parallel(n_jobs=n_jobs, return_as="generator")(tasks)
    return comparisons


@contextmanager
def _saying_how_far(done: Sized, total: int) -> Iterator[None]:
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


def _n_segments_parameter(clusterer: Any) -> str | None:
    """Return the name of the parameter for the number of segments, None for rules; refuse what cannot be used."""
    if is_defined_by_rules(clusterer):
        return None
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
    parameter: str | None = number_parameter(clusterer)
    if parameter is not None:
        return parameter
    raise InvalidParameterError(
        f"{asked()}: {name} has none of the parameters {', '.join(NUMBER_PARAMETERS)}, so its number of segments "
        "cannot be set. Use a clusterer that takes the number of segments."
    )


def _check_feasible(tried: tuple[int, ...], rows: Rows, seeds: npt.NDArray[np.int64]) -> None:
    if len(rows.first) < 2:
        raise too_few_differ(len(rows.first), 2)
    if tried[-1] > len(rows.first):
        raise InfeasibleError.too_few_customers(tried[-1], len(rows.first), rows.n_rows)
    fewest = min(len(np.unique(_draw(rows, seed)[0])) for seed in seeds.flat)
    if tried[-1] > fewest:
        raise too_few_in_sample(tried[-1], fewest)


def _n_refits(n_pairs: int) -> int:
    return min(n_pairs, MOST_REFITS, max(FEWEST_REFITS, n_pairs // 5))


def _has_seed(clusterer: Any) -> bool:
    return not is_defined_by_rules(clusterer) and bool(seed_parameters(clusterer))


def _draw(rows: Rows, seed: Any) -> tuple[npt.NDArray[np.int64], int, int]:
    """Return the patterns of one bootstrap sample, the seed of the clusterers fitted on it, and a second one."""
    random = np.random.RandomState(seed)
    return rows.draw(random), int(random.randint(MAX_SEED)), int(random.randint(MAX_SEED))


@dataclass(frozen=True)
class _Solution:
    """The segment of each pattern, as whole numbers from 0, and the number of segments."""

    labels: npt.NDArray[np.int64]
    n_segments: int


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


def _solve_all(blanks: list[Any], fit: tuple[Any, int], rows: Rows, references: list[_Solution]) -> Iterator[_Solution]:
    """Fit on a sample at every number of segments; what only depends on the sample is done once."""
    sample, seed = fit
    numbers = [reference.n_segments for reference in references]
    if not can_refit(blanks[0]):
        for blank, number in zip(blanks, numbers, strict=True):
            yield _solve(seeded(clone(blank), seed, keep=False), sample, rows, number)
        return
    clusterer = seeded(clone(blanks[0]), seed, keep=False)
    customers, options = sample
    assigned = refitted(clusterer, rows.distinct, customers, options.get("sample_weight"), seed=seed)
    for number in numbers:
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


def _compare_pair(
    blanks: list[Any], references: list[_Solution], rows: Rows, seeds: npt.NDArray[np.int64], refit: bool
) -> list[_Comparison]:
    """Compare, per number of segments, the solutions of two samples, and of the first with another seed."""
    (patterns, seed, second_seed), (other_patterns, other_seed, _) = (_draw(rows, seed) for seed in seeds)
    sample, other_sample = (_sample(rows, drawn, blanks[0]) for drawn in (patterns, other_patterns))
    fits = [(sample, seed), (other_sample, other_seed), *([(sample, second_seed)] if refit else [])]
    results = []
    # they are said once already, of all customers
    with one_thread(), ignoring(DataQualityWarning):
        solved = zip(*(_solve_all(blanks, fit, rows, references) for fit in fits), strict=True)
        for reference, (one, other, *again) in zip(references, solved, strict=True):
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
    tried: tuple[int, ...], rows: Rows, references: list[_Solution], results: list[list[_Comparison]]
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
                "slsa": slsa[position],
                "relabelled": borne[position],
            }
        )
        for position, (k, reference) in enumerate(zip(tried, references, strict=True))
    ]
    optimiser = [[found.optimiser_adjusted_rand for found in pair] for pair in results[: _n_refits(len(results))]]
    return StabilityResult(
        numbers=tried,
        adjusted_rand=np.array([[found.adjusted_rand for found in pair] for pair in results]).T.copy(),
        segments=pd.concat(segments, ignore_index=True),
        reference_labels={k: solution.labels[rows.pattern] for k, solution in zip(tried, references, strict=True)},
        flows=flow_frame(tried, tables),
        optimiser_adjusted_rand=np.array(optimiser).T.copy(),
    )

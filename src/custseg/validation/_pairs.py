"""Pairs of bootstrap refits: what is refitted, how two solutions compare, and what all pairs come to."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence, Sized
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
from custseg._core.asking import as_asked, asked
from custseg._core.progress import advance
from custseg._core.threads import one_thread
from custseg._core.warning import ignoring
from custseg._core.workers import stopped_at_exit
from custseg.exceptions import CustomerIdError, DataQualityWarning, InfeasibleError, InvalidParameterError
from custseg.segmentation._for_validation import (
    NUMBER_PARAMETERS,
    EmbeddedRefits,
    Segmenter,
    by_the_hundred,
    can_refit,
    can_use_cells,
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
from custseg.validation._rows import Rows, read_rows
from custseg.validation._stability_result import StabilityResult

__all__ = [
    "Design",
    "RefitsOfFits",
    "check_can_refit",
    "compared_pairs",
    "n_refits_of",
    "on_all_customers",
    "saying_how_far",
    "seeds_of",
]

# Each distinct row has a chance of .63 at least to be in a sample: of so many or more, no sample has so small a share.
MANY, SMALL_SHARE = 1_000, 0.5

# The pairs whose first sample is solved again with another seed: a fifth of them, within these bounds. The mean of
# 20 agreements is known to about a fifth of the spread of a single one.
FEWEST_REFITS, MOST_REFITS = 5, 20


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
    seeds : ndarray of shape (n_pairs, 2)
        Those of :func:`seeds_of`.
    """

    def __init__(self, clusterer: Any, X: Any, fits: Mapping[int, Any], seeds: Integers) -> None:
        check_can_refit(clusterer)
        rows = read_rows(X, clusterer)
        references = {
            number: _checked(_numbered(fitted.labels_[rows.first], fitted), clusterer, rows, number)
            for number, fitted in fits.items()
        }
        # what is poor about the data was said by the fits
        with one_thread(), ignoring(DataQualityWarning):
            design = Design.of(clusterer, rows, tuple(fits), seeds)
        self._design = replace(design, references=references)

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
        return compared_pairs(self._design.at(tuple(numbers)), seeds, n_refits, n_jobs, on_step)


def seeds_of(random_state: Any, n_pairs: int) -> tuple[int, Integers]:
    """Return the seed of the solutions on all customers, and those of the samples of each pair."""
    random = check_random_state(random_state)
    return int(random.randint(MAX_SEED)), random.randint(MAX_SEED, size=(n_pairs, 2))


def _draw(rows: Rows, seed: Any) -> tuple[Integers, int, int]:
    """Return the patterns of one bootstrap sample, the seed of the clusterers fitted on it, and a second one."""
    random = np.random.RandomState(seed)
    return rows.draw(random), int(random.randint(MAX_SEED)), int(random.randint(MAX_SEED))


def compared_pairs(
    design: Design,
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
        saying_how_far(len(seeds), results),
        one_thread(),
        stopped_at_exit(_comparisons(design, seeds, n_refits, n_jobs)) as comparisons,
    ):
        for pairs in comparisons:
            for pair in pairs:
                results.append(pair)
                if on_step is not None:
                    on_step(len(results), len(seeds))
            # two samples of each pair, of the first ones one twice
            solved, total = (2 * n + min(n, n_refits) for n in (len(results), len(seeds)))
            advance(len(results), len(seeds), solved / total)
    result = _collect(tried, design.rows, list(design.references.values()), results, n_refits)
    if design.refits is not None:
        result = replace(result, n_cells=design.refits.cells.n_cells, cell_loss=design.refits.cells.cell_loss)
    return _of_rules(result) if design.by_rules else result


def _comparisons(
    design: Design, seeds: Integers, n_refits: int, n_jobs: int | None
) -> Generator[list[list[_Comparison]]]:
    """Compare the pairs of bootstrap samples, one after the other or in workers; the first ones with a second seed."""
    if not _has_seed(next(iter(design.blanks.values()))):
        n_refits = 0
    compare = delayed(as_asked(_compare_pairs))
    together, design = design.n_pairs_together, design.to_compare()
    starts = range(0, len(seeds), together)
    tasks = (compare(design, seeds[start : start + together], n_refits - start) for start in starts)
    comparisons: Generator[list[list[_Comparison]]] = Parallel(n_jobs=n_jobs, return_as="generator")(tasks)
    return comparisons


@contextmanager
def saying_how_far(total: int, done: Sized = ()) -> Iterator[None]:
    """Note on an interrupt how much of the work it cost."""
    try:
        yield
    except KeyboardInterrupt as interrupt:
        interrupt.add_note(
            f"{asked()} was interrupted after {len(done)} of {total} pairs of bootstrap samples; nothing of them is "
            "kept."
        )
        raise


def check_can_refit(clusterer: Any) -> None:
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
    if tried[-1] <= SMALL_SHARE * len(rows.first) and len(rows.first) >= MANY:
        return
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
class Design:
    """What is refitted: a clusterer for each number of segments, the rows, cells if any, solutions on all customers."""

    blanks: dict[int, Any]
    rows: Rows
    refits: EmbeddedRefits | None
    references: dict[int, _Solution] = field(default_factory=dict)

    @classmethod
    def of(cls, clusterer: Any, rows: Rows, tried: tuple[int, ...], seeds: Integers) -> Design:
        """Set a clusterer to each number, and put customers in cells where these serve; rules have their number.

        The seeds say which pairs tell what cells cost.
        """
        if is_defined_by_rules(clusterer):
            return cls({k: clone(clusterer) for k in tried}, rows, None)
        _check_feasible(tried, rows, seeds)
        return cls({k: numbered(clusterer, k) for k in tried}, rows, _refits(clusterer, rows, seeds))

    @property
    def by_rules(self) -> bool:
        """Whether rules define the segments."""
        return any(map(is_defined_by_rules, self.blanks.values()))

    @property
    def n_pairs_together(self) -> int:
        """So many pairs are compared at once."""
        return 1 if self.refits is None else self.refits.cells.n_pairs_together

    def to_compare(self) -> Design:
        """Leave out what other processes do not need: the customers themselves, where cells serve."""
        return self if self.refits is None else replace(self, rows=self.rows.without_data())

    def at(self, tried: tuple[int, ...]) -> Design:
        """Leave out other numbers of segments."""
        return replace(
            self, blanks={k: self.blanks[k] for k in tried}, references={k: self.references[k] for k in tried}
        )


def _refits(clusterer: Any, rows: Rows, seeds: Integers) -> EmbeddedRefits | None:
    """Put customers into cells where the clusterer allows it; the samples of the first pair say into how many."""
    if not can_use_cells(clusterer):
        return None
    samples = [_counted(rows, patterns, own_seed) for patterns, own_seed, _ in (_draw(rows, seed) for seed in seeds[0])]
    with ignoring(DataQualityWarning):
        return EmbeddedRefits(clusterer, rows.distinct, rows.counts, samples)


def _counted(rows: Rows, patterns: Integers, seed: int) -> tuple[Integers, int]:
    """Return how often each different customer was drawn, and the seed."""
    return np.bincount(patterns, minlength=len(rows.first)), seed


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


def on_all_customers(clusterer: Any, design: Design, n_segments: int) -> _Solution:
    """Fit on all customers; among the cells of many of them, where the segments are in the order of their sizes."""
    rows, refits = design.rows, design.refits
    if refits is None or refits.cells.is_exact or clusterer.order_by is not None or clusterer.min_segment_share:
        return _solve(clusterer, (rows.whole, {}), rows, n_segments)
    seed = int(check_random_state(clusterer.random_state).randint(MAX_SEED))
    with _of_refits(n_segments):
        labels = refits.reference(n_segments, seed)
    return _checked(labels, clusterer, rows, n_segments)


def _solve_all(design: Design, fits: Sequence[tuple[Integers, int]]) -> Iterator[list[_Solution]]:
    """Fit on samples at every number of segments; what only depends on a sample is done once."""
    first, rows = next(iter(design.blanks.values())), design.rows
    if design.refits is None:
        yield from map(list, zip(*(_solve_one(design, fit) for fit in fits), strict=True))
        return
    samples = [_counted(rows, *fit) for fit in fits]
    assigned = design.refits.sampled(samples)
    for number in design.blanks:
        with _of_refits(number):
            found = assigned(number)
        yield [_checked(labels, first, rows, number) for labels in found]


def _solve_one(design: Design, fit: tuple[Integers, int]) -> Iterator[_Solution]:
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
        with _of_refits(number):
            labels = assigned(number)
        yield _checked(labels, clusterer, rows, number)


@contextmanager
def _of_refits(number: int) -> Iterator[None]:
    """Say of how many segments a refit was that failed."""
    try:
        yield
    except InfeasibleError as error:
        raise infeasible_in_refit(number, error) from error


def _checked(labels: npt.NDArray[Any], clusterer: Any, rows: Rows, n_segments: int) -> _Solution:
    if labels.shape != rows.first.shape or not np.issubdtype(labels.dtype, np.integer) or labels.min() < 0:
        raise InvalidParameterError(
            f"{asked()}: {type(clusterer).__name__}.predict must give each customer a segment numbered from 0, got "
            f"{labels.dtype} labels of shape {labels.shape} such as {labels.flat[0]!r}"
            f"{' and -1 (not assigned)' if labels.dtype.kind == 'i' and labels.min() < 0 else ''}. "
            "Use a clusterer that assigns everyone."
        )
    return _Solution(labels.astype(np.int64), max(n_segments, int(labels.max()) + 1))


def _compare_pairs(design: Design, pairs: Integers, n_refits: int) -> list[list[_Comparison]]:
    """Compare, pair by pair and per number of segments, the solutions of two samples.

    Of the first pairs the first sample is solved with another seed too.
    """
    drawn = [[_draw(design.rows, seed) for seed in pair] for pair in pairs]
    fits = [(patterns, seed) for pair in drawn for patterns, seed, _ in pair]
    again = [(one[0], one[2]) for one, _ in drawn[: max(n_refits, 0)]]
    results: list[list[_Comparison]] = [[] for _ in pairs]
    # they are said once already, of all customers
    with one_thread(), ignoring(DataQualityWarning), by_the_hundred():
        solved = _solve_all(design, [*fits, *again])
        for reference, solutions in zip(design.references.values(), solved, strict=True):
            for place, result in enumerate(results):
                one, other = solutions[2 * place : 2 * place + 2]
                second = solutions[len(fits) + place] if place < len(again) else one
                result.append(_compared(reference, one, other, second, design.rows))
    return results


def _compared(reference: _Solution, one: _Solution, other: _Solution, second: _Solution, rows: Rows) -> _Comparison:
    jaccard = np.array([best_jaccard(_cross(reference, found, rows)) for found in (one, other)])
    optimiser = 1.0 if second is one else adjusted_rand(_cross(one, second, rows))
    return _Comparison(adjusted_rand(_cross(one, other, rows)), jaccard, optimiser)


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

"""How many segments? First whether there are any, then how many classes the customers show, and with a gap between."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.utils import check_random_state

from custseg._core.customers import CustomerTable
from custseg.segmentation._criteria import ClassSolution, class_solutions
from custseg.segmentation._embedder import CharacteristicEmbedder
from custseg.segmentation._kmeans import distinct_patterns, one_thread
from custseg.segmentation._structure import (
    FEWEST_CUSTOMERS,
    FEWEST_DISTINCT,
    MAX_CUSTOMERS,
    Space,
    StructureResult,
    run_structure_test,
)
from custseg.segmentation._valleys import depth_of_valleys, n_separated

__all__ = ["SegmentSelection", "choose_n_segments"]

Floats = npt.NDArray[np.float64]

# Classes without a valley between them are one group. From so many on it is worth a warning: the
# characteristics go together inside the segments.
MANY_JOINED = 2

_FIGURES = (
    "n_segments",
    "unexplained",
    "null_unexplained",
    "excess",
    "z",
    "log_likelihood",
    "bic",
    "icl",
    "smallest_share",
    "n_separated",
)


@dataclass(frozen=True)
class SegmentSelection:
    """How many segments, and why.

    Attributes
    ----------
    n_segments : int
        The choice; 1 where no structure was found.
    reason : str
        The reason in words, with its figures.
    structured : bool
        Whether the customers differ from one continuum. Where they do and ``n_segments`` is 1, no groups
        with a gap between them were found.
    table : DataFrame
        One row for each number of segments that was looked at, NaN where it was not looked at in
        this way: ``n_segments``; ``unexplained``, the share of the variance that k-means leaves inside
        segments; ``null_unexplained``, ``excess`` and ``z``, how one continuum compares;
        ``log_likelihood``, ``bic`` and ``icl`` of latent classes, lower criteria being better;
        ``smallest_share``, that of the customers in the smallest class; ``n_separated``, how many groups
        are left where classes without a valley between them count as one.
    p_value : float
        Of the test against one continuum; NaN where there was nothing to test.
    effect : float
        The log of null_unexplained / unexplained where it stands out most; NaN likewise.
    warning : str or None
        What to beware of: that characteristics go together inside the segments.

    Examples
    --------
    >>> import numpy as np
    >>> from custseg.segmentation import SegmentClusterer
    >>> groups = 5 * np.eye(3)[np.arange(200) % 3]
    >>> customers = groups + np.random.RandomState(0).normal(size=(200, 3))
    >>> selection = SegmentClusterer("auto", random_state=0).fit(customers).selection_
    >>> selection.n_segments, selection.p_value
    (3, 0.025)
    >>> selection.reason.partition(" (")[0]
    '3 segments: the customers are more compact than one continuum with the same characteristics and associations'
    >>> selection.to_frame().set_index("n_segments")["bic"].idxmin()
    3
    """

    n_segments: int
    reason: str
    structured: bool
    table: pd.DataFrame = field(repr=False)
    p_value: float = np.nan
    effect: float = np.nan
    warning: str | None = None

    def to_frame(self) -> pd.DataFrame:
        """Return the table of all numbers of segments that were looked at."""
        return self.table


def choose_n_segments(
    table: CustomerTable,
    embedder: CharacteristicEmbedder | None,
    matrix: npt.ArrayLike,
    *,
    max_segments: int,
    min_segment_share: float,
    random_state: int | np.random.RandomState | None,
) -> SegmentSelection:
    """Choose the number of segments, 1 where the customers are one continuum.

    First the customers are compared with draws from one continuum
    (:func:`~custseg.segmentation._structure.run_structure_test`). Where they do not differ, the
    answer is 1. Else latent classes are fitted for 1, 2, ... segments. The number with the lowest
    BIC is taken, unless some of its classes have no valley between them: then the number of groups
    that do.

    Parameters
    ----------
    table : CustomerTable
        The customers.
    embedder : CharacteristicEmbedder or None
        Fitted to them; columns of weight 0 take no part. None where ``matrix`` is clustered as it is.
    matrix : array-like of shape (n_customers, n_columns)
        The embedded customers.
    max_segments : int
        The largest answer.
    min_segment_share : float
        Solutions with a smaller class are not taken.
    random_state : int, RandomState or None
        Source of the randomness.

    Returns
    -------
    selection : SegmentSelection
        The choice, its reason and the figures behind it. It does not depend on the order of the
        customers or of their characteristics.

    Examples
    --------
    >>> import numpy as np
    >>> from custseg._core.customers import Column, CustomerTable
    >>> random = np.random.RandomState(0)
    >>> blobs = random.normal(size=(300, 4)) + 5 * np.eye(4)[random.randint(3, size=300)]
    >>> customers = CustomerTable(tuple(Column(f"x{i}", "numeric", x) for i, x in enumerate(blobs.T)), 300)
    >>> choose_n_segments(
    ...     customers, None, blobs, max_segments=10, min_segment_share=0.0, random_state=0
    ... ).n_segments
    3
    """
    random = check_random_state(random_state)
    matrix = np.asarray(matrix, dtype=np.float64)
    if max_segments < 2:
        return _one("no more were allowed")
    if len(matrix) < FEWEST_CUSTOMERS:
        return _one(f"{len(matrix)} customer(s) are too few to show structure (at least {FEWEST_CUSTOMERS} are needed)")
    with one_thread():
        space = Space.of(table, embedder, matrix, max_customers=MAX_CUSTOMERS, random=random)
        n_rows = space.table.n_customers
        where = f" (decided on a random sample of {n_rows} customers)" if n_rows < len(matrix) else ""
        n_distinct = distinct_patterns(space.embed(space.table)).n_patterns
        if n_distinct < FEWEST_DISTINCT:
            return _one(f"only {n_distinct} kind(s) of customers differ in what they are clustered on{where}")
        test = run_structure_test(space, random=random)
        if not test.rejected:
            first = pd.DataFrame({"n_segments": [1], "unexplained": [1.0]})
            figures = pd.concat([first, test.table], ignore_index=True).reindex(columns=_FIGURES)
            return replace(_one(test.reason + where), table=figures, p_value=test.p_value, effect=test.effect)
        solutions = list(class_solutions(space, max_segments, random))
        figures = _table(solutions, _separated(space, solutions), test)
    return _chosen(figures, test, max_segments, min_segment_share, where)


def _one(why: str) -> SegmentSelection:
    table = pd.DataFrame({"n_segments": [1], "unexplained": [1.0]}).reindex(columns=_FIGURES)
    return SegmentSelection(1, f"One segment: {why}.", False, table)


def _separated(space: Space, solutions: list[ClassSolution]) -> list[int]:
    """Return for each solution how many of its classes have a valley between them."""
    embedded = space.embed(space.table)
    return [
        n_separated(depth_of_valleys(embedded, solution.labels, solution.n_classes), solution.labels)
        for solution in solutions
    ]


def _table(solutions: list[ClassSolution], separated: list[int], test: StructureResult) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "n_segments": [solution.n_classes for solution in solutions],
            "log_likelihood": [solution.log_likelihood for solution in solutions],
            "bic": [solution.bic for solution in solutions],
            "icl": [solution.icl for solution in solutions],
            "smallest_share": [solution.smallest_share for solution in solutions],
            "n_separated": separated,
        }
    )
    table = table.merge(test.table, on="n_segments", how="outer").reindex(columns=_FIGURES)
    table.loc[table["n_segments"] == 1, "unexplained"] = 1.0
    return table


def _chosen(
    table: pd.DataFrame, test: StructureResult, max_segments: int, min_segment_share: float, where: str
) -> SegmentSelection:
    """Take the number of classes with the lowest BIC, less those without a valley to another."""
    feasible = table[table["smallest_share"] >= min_segment_share]
    best = int(feasible["bic"].argmin())
    n_classes, n_segments = (int(feasible[name].iloc[best]) for name in ("n_segments", "n_separated"))
    allowed = " (more were not allowed)" if n_classes == max_segments else ""
    if min_segment_share > 0:
        allowed += f" (of those in which no class has less than {min_segment_share:.1%} of the customers)"
    why = f"{test.reason}; latent classes describe them best with {n_classes} class(es) by the BIC{allowed}"
    warning = None
    if n_segments < n_classes:
        why += f", of which {n_segments} have a gap between them"
        if n_classes - n_segments >= MANY_JOINED:
            why += ": characteristics go together inside segments"
            warning = (
                f"characteristics go together inside the segments: {n_classes} latent classes describe the customers "
                f"best, but only {n_segments} groups have a gap between them. {n_segments} was taken. See "
                "selection_.table, and consider combining characteristics that say the same"
            )
    answer = "One segment" if n_segments == 1 else f"{n_segments} segments"
    return SegmentSelection(n_segments, f"{answer}: {why}{where}.", True, table, test.p_value, test.effect, warning)

"""How many segments? First whether there are any, then how many classes the customers show, and with a gap between."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.utils import check_random_state

from custseg._core.arrays import Integers
from custseg._core.customers import CustomerTable
from custseg._core.results import Result
from custseg._core.threads import one_thread
from custseg.segmentation._embedding.embedder import CharacteristicEmbedder
from custseg.segmentation._selection.criteria import ClassSolution, class_solutions
from custseg.segmentation._selection.directions import Coordinates
from custseg.segmentation._selection.space import FEWEST_DISTINCT, Space
from custseg.segmentation._selection.structure import (
    FEWEST_CUSTOMERS,
    MAX_CUSTOMERS,
    StructureResult,
    run_structure_test,
)
from custseg.segmentation._selection.valleys import MANY_JOINED, find_hills

__all__ = ["SegmentSelection", "choose_n_segments"]


# A clusterer with a least share moves customers to keep it: groups that have so much of it will do.
NEARLY = 0.8

_FIGURES = (
    "n_segments",
    "unexplained",
    "null_unexplained",
    "excess",
    "z",
    "log_likelihood",
    "bic",
    "icl",
    "n_separated",
    "smallest_share",
)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SegmentSelection(Result):
    """How many segments, and why.

    Attributes
    ----------
    n_segments : int
        The choice; 1 where no structure was found.
    reason : str
        The reason in words, with its figures.
    structured : bool or None
        Whether the customers differ from one continuum; None where that could not be tested. Where they do
        and ``n_segments`` is 1, no groups with a gap between them were found.
    table : DataFrame
        One row for each number of segments that was looked at, NaN where it was not looked at in
        this way: ``n_segments``; ``unexplained``, the share of the variance that k-means leaves inside
        segments; ``null_unexplained``, ``excess`` and ``z``, how one continuum compares;
        ``log_likelihood``, ``bic`` and ``icl`` of latent classes, lower criteria being better;
        ``n_separated``, how many groups are left where classes without a valley between them count as one;
        ``smallest_share``, the share of the customers in the smallest of these groups.
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
    structured: bool | None
    table: pd.DataFrame
    p_value: float = np.nan
    effect: float = np.nan
    warning: str | None = None

    def __str__(self) -> str:
        return self.reason

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
    (:func:`~custseg.segmentation._selection.structure.run_structure_test`). Where they do not differ, the
    answer is 1. Else latent classes are fitted for 1, 2, ... segments. The number with the lowest
    BIC is taken, unless some of its classes have no valley between them: then the number of groups
    that do, in any solution of so many classes or fewer. Columns that go with no other take no part.

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
        Solutions with a much smaller group are not taken.
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
        where += f" ({space.omission})" if space.omission else ""
        n_distinct = space.n_distinct
        if n_distinct < FEWEST_DISTINCT:
            return _one(f"only {n_distinct} kind(s) of customers differ in what they are clustered on{where}")
        if space.n_varying < 2:
            return _one(f"customers differ in one characteristic only, whose groups are its distribution{where}")
        test = run_structure_test(space, random=random)
        if not test.rejected:
            first = pd.DataFrame({"n_segments": [1], "unexplained": [1.0]})
            figures = pd.concat([first, test.table], ignore_index=True).reindex(columns=_FIGURES)
            found = replace(_one(test.reason + where), structured=False, table=figures)
            return replace(found, p_value=test.p_value, effect=test.effect)
        solutions = list(class_solutions(space, max_segments, random))
        groups, proven = _groups(space, solutions)
        figures = _table(solutions, groups, test)
    feasible = _feasible(figures, min_segment_share, proven)
    return replace(_chosen(feasible, test, max_segments, min_segment_share, where), table=figures)


def _one(why: str) -> SegmentSelection:
    table = pd.DataFrame({"n_segments": [1], "unexplained": [1.0]}).reindex(columns=_FIGURES)
    return SegmentSelection(n_segments=1, reason=f"One segment: {why}.", structured=None, table=table)


def _groups(space: Space, solutions: list[ClassSolution]) -> tuple[list[Integers], bool]:
    """Return for each solution the sizes of the groups with a valley between them, and whether these are proven.

    Where the BIC has found its lowest value and the classes there lie apart, the classes count as they are. Where
    they are no pieces of hills, shallow valleys do. Else the BIC says little, and in all solutions alike only valleys
    beyond their noise count; one piece suffices where the BIC still falls at the last number, as it does for slices.
    """
    coordinates = Coordinates.of(space)
    hills = [find_hills(coordinates, solution.labels) for solution in solutions]
    best = int(np.argmin([solution.bic for solution in solutions]))
    still_falling = best == len(solutions) - 1
    trusted = hills[best].all_apart and not still_falling
    proven = not trusted and hills[best].n_doubtful >= (1 if still_falling else MANY_JOINED)
    groups = [
        solution.labels if trusted and found.all_apart else found.proven if proven else found.distinct
        for solution, found in zip(solutions, hills, strict=True)
    ]
    return [np.unique(labels, return_counts=True)[1] for labels in groups], proven


def _table(solutions: list[ClassSolution], groups: list[Integers], test: StructureResult) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "n_segments": [solution.n_classes for solution in solutions],
            "log_likelihood": [solution.log_likelihood for solution in solutions],
            "bic": [solution.bic for solution in solutions],
            "icl": [solution.icl for solution in solutions],
            "n_separated": [len(sizes) for sizes in groups],
            "smallest_share": [sizes.min() / sizes.sum() for sizes in groups],
        }
    )
    table = table.merge(test.table, on="n_segments", how="outer").reindex(columns=_FIGURES)
    table.loc[table["n_segments"] == 1, "unexplained"] = 1.0
    return table


def _feasible(table: pd.DataFrame, min_segment_share: float, proven: bool) -> pd.DataFrame:
    """Return the solutions whose groups are large enough, with the number of groups that each has shown.

    Where only proven valleys count, a solution of fewer classes may show more of them: a piece of two hills
    at once hides the valley. What any of so many classes or fewer shows is there.
    """
    kept = (table["smallest_share"] >= NEARLY * min_segment_share) & (table["n_separated"] * min_segment_share <= 1)
    feasible = table[kept]
    return feasible.assign(n_separated=feasible["n_separated"].cummax()) if proven else feasible


def _chosen(
    table: pd.DataFrame, test: StructureResult, max_segments: int, min_segment_share: float, where: str
) -> SegmentSelection:
    """Take the number of classes with the lowest BIC, less those without a valley to another."""
    best = int(table["bic"].argmin())
    n_classes, n_segments = (int(table[name].iloc[best]) for name in ("n_segments", "n_separated"))
    allowed = " (more were not allowed)" if n_classes == max_segments else ""
    if min_segment_share > 0:
        allowed += f" (of those in which no group has much less than {min_segment_share:.1%} of the customers)"
    why = f"{test.reason}; latent classes describe them best with {n_classes} class(es) by the BIC{allowed}"
    warning = None
    if n_segments < n_classes:
        why += f"; groups with a gap between them: {n_segments}"
        if n_classes - n_segments >= MANY_JOINED:
            why += ", since characteristics go together inside segments, or many values are missing"
            warning = (
                f"characteristics go together inside the segments, or many values are missing: {n_classes} latent "
                f"classes describe the customers best; groups with a gap between them: {n_segments}, which was taken. "
                "See the table of the selection, and consider combining characteristics that say the same"
            )
    answer = "One segment" if n_segments == 1 else f"{n_segments} segments"
    return SegmentSelection(
        n_segments=n_segments,
        reason=f"{answer}: {why}{where}.",
        structured=True,
        table=table,
        p_value=test.p_value,
        effect=test.effect,
        warning=warning,
    )

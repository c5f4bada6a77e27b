"""How many segments? First whether there are any, then how many times splitting pays."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse.csgraph import connected_components
from sklearn.utils import check_random_state

from custseg._core.customers import CustomerTable
from custseg.segmentation._embedder import CharacteristicEmbedder
from custseg.segmentation._kmeans import KMeansFit, distinct_patterns, fit_kmeans, one_thread
from custseg.segmentation._structure import LEVEL, Space, StructureTest, grown, improved, run_structure_test

__all__ = ["SegmentSelection", "choose_n_segments"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

# Above so many customers a random sample of that size decides; it shows structure as reliably.
MAX_CUSTOMERS = 2_500
# Fewer customers cannot show that they are more than one group.
FEWEST_CUSTOMERS = 20
# A split is real where it lowers the variance by more than so many times what it would if the
# characteristics were independent inside the segments: best of 1.05 to 1.25 on planted segments of
# separation 1.2, 1.5 and 2 (exact in .77, .90 and .94 of the sets).
LEAST_GAIN = 1.15
# ... and by more than so many standard deviations of that, which matters below some hundred customers.
LEAST_DEVIATIONS = 2.0
# Shuffles behind mean and standard deviation.
N_SHUFFLES = 5
# Columns that correlate more than this inside segments say the same thing and are shuffled as one.
SAME_THING = 0.8
# Restarts for the shuffled customers, and the most for the observed ones.
SHUFFLED_RESTARTS = 4
MOST_RESTARTS = 10
# With fewer different customers the values themselves are the groups.
FEWEST_DISTINCT = 4

_FIGURES = (
    "n_segments",
    "unexplained",
    "null_unexplained",
    "excess",
    "z",
    "gain",
    "shuffled_gain",
    "least_gain",
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
    table : DataFrame
        One row for each number of segments that was looked at: ``n_segments``; ``unexplained``, the
        share of the variance inside segments; ``null_unexplained``, ``excess`` and ``z``, how one
        continuum compares (NaN where it was not); ``gain``, by how much one more segment lowers the
        unexplained share; ``shuffled_gain``, the same with independent characteristics inside the
        segments; ``least_gain``, what it must exceed for one more segment.
    p_value : float
        Of the test against one continuum; NaN where there was nothing to test.
    effect : float
        The log of null_unexplained / unexplained where it stands out most; NaN likewise.

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
    >>> selection.to_frame()["n_segments"].tolist()
    [1, 2, 3]
    """

    n_segments: int
    reason: str
    table: pd.DataFrame = field(repr=False)
    p_value: float = np.nan
    effect: float = np.nan

    def to_frame(self) -> pd.DataFrame:
        """Return the table of all numbers of segments that were looked at."""
        return self.table


def choose_n_segments(
    table: CustomerTable,
    embedder: CharacteristicEmbedder | None,
    matrix: npt.ArrayLike,
    *,
    max_segments: int,
    n_init: int,
    random_state: int | np.random.RandomState | None,
) -> SegmentSelection:
    """Choose the number of segments, 1 where the customers are one continuum.

    First the customers are compared with draws from one continuum
    (:func:`~custseg.segmentation._structure.run_structure_test`). Where they do not differ, the
    answer is 1. Else segments are added as long as one more lowers the variance inside segments by
    more than 1.15 times what it does after the characteristics were shuffled inside the segments.

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
    n_init : int
        Restarts of k-means, at most 10 of which are used here.
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
    >>> choose_n_segments(customers, None, blobs, max_segments=10, n_init=10, random_state=0).n_segments
    3
    """
    random = check_random_state(random_state)
    matrix = np.asarray(matrix, dtype=np.float64)
    if max_segments < 2:
        return _selection(1, "no more were allowed", _undivided())
    if len(matrix) < FEWEST_CUSTOMERS:
        why = f"{len(matrix)} customer(s) are too few to show structure (at least {FEWEST_CUSTOMERS} are needed)"
        return _selection(1, why, _undivided())
    with one_thread():
        space = Space.of(table, embedder, matrix, max_customers=MAX_CUSTOMERS, random=random)
        n_rows = space.table.n_customers
        where = f" (decided on a random sample of {n_rows} customers)" if n_rows < len(matrix) else ""
        n_distinct = distinct_patterns(space.embed(space.table)).n_patterns
        if n_distinct < FEWEST_DISTINCT:
            why = f"only {n_distinct} kind(s) of customers differ in what they are clustered on{where}"
            return _selection(1, why, _undivided())
        test = run_structure_test(space, random=random)
        if not test.rejected:
            figures = pd.concat([_undivided(), test.table], ignore_index=True)
            return _selection(1, _why_one(test) + where, figures, test)
        gains = _gains(space, max_segments, min(n_init, MOST_RESTARTS), random)
    n_segments, why = _chosen(gains, test, max_segments)
    figures = gains.merge(test.table.drop(columns="unexplained"), on="n_segments", how="left")
    return _selection(n_segments, f"{_why_more(test)}; {why}{where}", figures, test)


def _undivided() -> pd.DataFrame:
    """Return the row of a single segment, which leaves all variance unexplained."""
    return pd.DataFrame({"n_segments": [1], "unexplained": [1.0]})


def _selection(n_segments: int, why: str, figures: pd.DataFrame, test: StructureTest | None = None) -> SegmentSelection:
    answer = "One segment" if n_segments == 1 else f"{n_segments} segments"
    p_value, effect = (np.nan, np.nan) if test is None else (test.p_value, test.effect)
    return SegmentSelection(n_segments, f"{answer}: {why}.", figures.reindex(columns=_FIGURES), p_value, effect)


def _why_one(test: StructureTest) -> str:
    figures = f"p = {test.p_value:.3g}, {test.n_draws} draws"
    if test.p_value <= LEVEL:
        return (
            f"at {test.n_segments} segments the customers are only {test.effect:.1%} more compact than one "
            f"continuum with the same characteristics and associations ({figures}), and up to "
            f"{test.least_effect:.1%} is no structure"
        )
    return f"one continuum with the same characteristics and associations splits as well as these customers ({figures})"


def _why_more(test: StructureTest) -> str:
    return (
        f"the customers are more compact than one continuum with the same characteristics and associations "
        f"(by {test.effect:.1%} at {test.n_segments} segments, p = {test.p_value:.3g}, {test.n_draws} draws)"
    )


def _chosen(gains: pd.DataFrame, test: StructureTest, max_segments: int) -> tuple[int, str]:
    """Take the first number of segments from which one more no longer pays."""
    enough = gains[gains["gain"] <= gains["least_gain"]]
    if len(enough):
        n_segments = int(enough["n_segments"].iloc[0])
        gain, shuffled = float(enough["gain"].iloc[0]), float(enough["shuffled_gain"].iloc[0])
        return n_segments, (
            f"one more would explain {gain:.2%} of the variance, hardly more than among customers whose "
            f"characteristics are independent inside the segments ({shuffled:.2%})"
        )
    # Splitting along what goes together inside segments pays for ever; the null of the test knows association.
    reached = int(gains["n_segments"].iloc[-1])
    allowed = test.table[test.table["n_segments"] <= max_segments]
    n_segments = int(allowed["n_segments"].iloc[int(allowed["excess"].argmax())])
    return n_segments, (
        f"one more still pays at {reached}, be it that more are not allowed or that characteristics go together "
        "inside segments; taken where the difference to one continuum is largest"
    )


def _gains(space: Space, max_segments: int, n_init: int, random: np.random.RandomState) -> pd.DataFrame:
    """Compare what each further segment gains with what it gains after shuffling inside the segments."""
    patterns = distinct_patterns(space.embed(space.table))
    last = min(max_segments, patterns.n_patterns - 1)
    total = fit_kmeans(patterns, 1, n_init=1, random_state=random).sse
    fit = fit_kmeans(patterns, 2, n_init=n_init, random_state=random)
    rows = [{"n_segments": 1, "unexplained": 1.0, "gain": 1 - fit.sse / total}]
    for k in range(2, last + 1):
        following = fit_kmeans(patterns, k + 1, n_init=n_init, random_state=random)
        labels = fit.labels[patterns.inverse]
        groups = _said_together(space, labels)
        shuffled = np.array([_shuffled_gain(space, fit, labels, groups, random) for _ in range(N_SHUFFLES)])
        least = max(LEAST_GAIN * shuffled.mean(), shuffled.mean() + LEAST_DEVIATIONS * shuffled.std(ddof=1))
        rows.append(
            {
                "n_segments": k,
                "unexplained": fit.sse / total,
                "gain": (fit.sse - following.sse) / total,
                "shuffled_gain": shuffled.mean() / total,
                "least_gain": least / total,
            }
        )
        if fit.sse - following.sse <= least:
            break
        fit = following
    return pd.DataFrame(rows)


def _said_together(space: Space, labels: Integers) -> Integers:
    """Return the group of every column; columns that say the same thing in every segment share one.

    Spend and its logarithm would otherwise fall apart in the shuffle, and every split would seem to
    pay. In *every* segment: in one that still holds two groups of customers, columns that tell
    these apart go together as well.
    """
    scores = space.scores()
    values = np.column_stack([scores.get(name, np.zeros(len(labels))) for name in space.table.names])
    same = np.ones((values.shape[1], values.shape[1]), dtype=bool)
    for segment in range(labels.max() + 1):
        inside = values[labels == segment]
        inside = inside - inside.mean(axis=0)
        products = inside.T @ inside
        scale = np.sqrt(np.outer(np.diag(products), np.diag(products)))
        same &= np.abs(products) >= SAME_THING * np.maximum(scale, np.finfo(np.float64).tiny)
    groups: Integers = connected_components(same, directed=False)[1].astype(np.int64)
    return groups


def _shuffled_gain(
    space: Space, fit: KMeansFit, labels: Integers, groups: Integers, random: np.random.RandomState
) -> float:
    """Return what one more segment gains where characteristics are independent inside the segments."""
    into = np.argsort(labels, kind="stable")
    order = [np.lexsort((random.random_sample(len(labels)), labels)) for _ in range(groups.max() + 1)]
    columns = []
    for column, group in zip(space.table.columns, groups, strict=True):
        values = np.empty_like(column.values)
        values[into] = column.values[order[group]]
        columns.append(replace(column, values=values))
    patterns = distinct_patterns(space.embed(CustomerTable(tuple(columns), len(labels))))
    if patterns.n_patterns <= len(fit.centers):
        return 0.0
    same = improved(patterns, fit.centers)
    split = grown(patterns, same, SHUFFLED_RESTARTS, random)
    more = fit_kmeans(patterns, len(fit.centers) + 1, n_init=SHUFFLED_RESTARTS, random_state=random)
    return same.sse - min(more.sse, split.sse)

"""Do customers gather in groups at all? The data against customers of one continuum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from custseg._core.customers import Column, CustomerTable
from custseg.segmentation._embedder import CharacteristicEmbedder
from custseg.segmentation._kmeans import Patterns, distinct_patterns
from custseg.segmentation._null import NullGenerator
from custseg.segmentation._order import order_by_content

__all__ = ["LEVEL", "Space", "StructureTest", "effect_floor", "grown", "improved", "run_structure_test"]

Floats = npt.NDArray[np.float64]

# The probability of calling one continuum structured.
LEVEL = 0.05
# Draws from the null: with 39 the data may be the first or second of 40 rows at level .05.
N_DRAWS = 39
# After so many draws the test may stop early, never to reject, only to accept.
FIRST_LOOK = 9
# Numbers of segments that are tried; more than 8 find nothing that 8 do not.
MOST_TRIED = 8
# The null copies associations, not every bend of the data: with many customers that small misfit
# becomes significant. A difference counts only above this share of the within-segment variance, ...
LEAST_EFFECT = 0.015
# ... and above this in units of one characteristic's variance: with three columns (recency, frequency,
# monetary) the misfit of a single pair of columns weighs more than with twenty.
LEAST_EFFECT_PER_COLUMN = 0.10
# k-means for the test grows from k to k + 1 centres; the best of so many paths, each adding the best of
# so many candidates. Data and draws are treated alike, so a missed optimum costs power, not validity.
N_PATHS = 2
N_CANDIDATES = 4
# Lloyd's iterations stop where one lowers the sum of squares by less than this share of it.
LEAST_GAIN_OF_ITERATION = 1e-5
MOST_ITERATIONS = 100
# Shares of the variance below this are rounding.
SMALLEST_SHARE = 1e-9


@dataclass(frozen=True)
class Space:
    """Customers in canonical order and the way from a table like theirs to the embedding.

    Attributes
    ----------
    table : CustomerTable
        The columns that take part, in an order that does not depend on that of rows or columns.
    n_columns : float
        Effective number of columns: fewer where some weigh more than others.
    """

    table: CustomerTable
    n_columns: float
    _all: CustomerTable
    _embedder: CharacteristicEmbedder | None
    _order: npt.NDArray[np.int64]
    _center: Floats

    @classmethod
    def of(
        cls,
        table: CustomerTable,
        embedder: CharacteristicEmbedder | None,
        matrix: Floats,
        *,
        max_customers: int,
        random: np.random.RandomState,
    ) -> Self:
        """Arrange customers canonically, and take a random sample where there are more than ``max_customers``.

        Without an embedder the columns of ``matrix`` are the characteristics.
        """
        if embedder is None:
            matrix = matrix / (np.abs(matrix).max(initial=0.0) or 1.0)  # so that no square leaves the range of numbers
            names = [f"x{position}" for position in range(matrix.shape[1])]
            values = zip(names, matrix.T, strict=True)
            table = CustomerTable(tuple(Column(name, "numeric", column) for name, column in values), len(matrix))
            weights = dict(zip(names, matrix.var(axis=0), strict=True))
        else:
            weights = embedder.weights_
        used = sorted((column for column in table.columns if weights[column.name] > 0), key=_content)
        rows = np.lexsort([column.values for column in used]) if used else np.arange(table.n_customers)
        if len(rows) > max_customers:
            # the rows are sorted, so the sample does not depend on the order in which they came
            rows = rows[np.sort(random.choice(len(rows), size=max_customers, replace=False))]
        matrix = matrix[rows]
        varying = [weights[column.name] for column in used if _varies(column.take(rows))]
        n_columns = sum(varying) ** 2 / sum(w**2 for w in varying) if varying else 0.0
        order = order_by_content(matrix, np.ones(len(matrix)))
        return cls(
            CustomerTable(tuple(column.take(rows) for column in used), len(rows)),
            float(n_columns),
            table.take(rows),
            embedder,
            order,
            matrix[:, order].mean(axis=0),
        )

    def embed(self, table: CustomerTable) -> Floats:
        """Embed a table with the columns of ``table`` as the customers were embedded, around their mean."""
        drawn = {column.name: column for column in table.columns}
        columns = tuple(drawn.get(column.name, column) for column in self._all.columns)
        if self._embedder is None:
            matrix = np.column_stack([column.values for column in columns])
        else:
            matrix = self._embedder.transform(CustomerTable(columns, table.n_customers))
        embedded: Floats = matrix[:, self._order] - self._center
        return embedded

    def scores(self) -> dict[str, Floats]:
        """Return where the values of numeric, binary and ordinal columns stand in the distance."""
        if self._embedder is None:
            return {column.name: column.values for column in self.table.columns}
        names = [str(name) for name in self._embedder.get_feature_names_out()]
        matrix = self._embedder.transform(self._all)
        scalar = [column.name for column in self.table.columns if column.kind != "nominal"]
        return {name: matrix[:, names.index(name)] for name in scalar}


@dataclass(frozen=True)
class StructureTest:
    """What the comparison with one continuum found.

    Attributes
    ----------
    p_value : float
        Share of the rows (data and draws) that are at least as far from the rest as the data.
    effect : float
        By how much the log of the unexplained share lies below that of one continuum, where the
        data stand out most.
    least_effect : float
        What the effect must exceed to count.
    n_segments : int
        The number of segments at which the data stand out most.
    n_draws : int
        Draws that were made.
    rejected : bool
        Whether the customers are not one continuum.
    table : DataFrame
        One row for each number of segments: ``n_segments``, ``unexplained`` (share of the variance
        inside segments), ``null_unexplained`` (its geometric mean over the draws), ``excess`` (log of
        their ratio), ``z`` (excess in standard deviations).
    """

    p_value: float
    effect: float
    least_effect: float
    n_segments: int
    n_draws: int
    rejected: bool
    table: pd.DataFrame


def effect_floor(n_columns: float) -> float:
    """Return the least difference that counts as structure, on the scale of log variance.

    Parameters
    ----------
    n_columns : float
        Effective number of columns.

    Examples
    --------
    >>> effect_floor(2), effect_floor(20)
    (0.05, 0.015)
    """
    return max(LEAST_EFFECT, LEAST_EFFECT_PER_COLUMN / n_columns)


def run_structure_test(
    space: Space, *, random: np.random.RandomState, n_draws: int = N_DRAWS, level: float = LEVEL
) -> StructureTest:
    """Compare the customers with draws from one continuum that has their columns and associations.

    For each number of segments the statistic is the log of the share of variance that k-means
    leaves inside segments. It is standardised over the data and all draws together, and the largest
    value over the numbers of segments decides, so trying several costs no error. The test stops
    early where so many draws already beat the data that it cannot reject any more; that keeps the
    level.

    Parameters
    ----------
    space : Space
        At least 4 different customers.
    random : RandomState
        Source of the randomness.
    n_draws : int, default=39
        The largest number of draws.
    level : float, default=0.05
        Largest p-value that rejects.

    Returns
    -------
    StructureTest
        The verdict with its figures.
    """
    patterns = distinct_patterns(space.embed(space.table))
    tried = np.arange(2, min(MOST_TRIED, patterns.n_patterns - 1) + 1)
    generator = NullGenerator.fit(space.table, scores=space.scores())
    rows = [_log_unexplained(patterns, tried[-1], random)]
    may_beat = int(level * (n_draws + 1)) - 1  # so many draws may be as extreme as the data
    n_beating = 0
    standardised = np.empty(0)
    for drawn in range(1, n_draws + 1):
        rows.append(_log_unexplained(distinct_patterns(space.embed(generator.draw(random))), tried[-1], random))
        standardised = _standardised(np.array(rows))
        n_beating = int((standardised[1:].max(axis=1) >= standardised[0].max()).sum())
        if drawn >= FIRST_LOOK and n_beating > may_beat + 1:
            break
    statistics = np.array(rows)
    null = statistics[1:].mean(axis=0)
    excess = null - statistics[0]
    strongest = int(standardised[0].argmax())
    p_value = (1 + n_beating) / len(rows)
    floor = effect_floor(space.n_columns)
    table = pd.DataFrame(
        {
            "n_segments": tried,
            "unexplained": np.exp(statistics[0]),
            "null_unexplained": np.exp(null),
            "excess": excess,
            "z": standardised[0],
        }
    )
    effect = float(excess[strongest])
    rejected = p_value <= level and effect > floor
    return StructureTest(p_value, effect, floor, int(tried[strongest]), len(rows) - 1, rejected, table)


def _standardised(statistics: Floats) -> Floats:
    """Return how far each row lies below the mean of all, in standard deviations, for every number of segments."""
    spread = np.maximum(statistics.std(axis=0), SMALLEST_SHARE)
    return np.asarray((statistics.mean(axis=0) - statistics) / spread)


def _log_unexplained(patterns: Patterns, most: int, random: np.random.RandomState) -> Floats:
    """Return the log share of the variance inside k segments for k = 2, ..., ``most``."""
    paths = np.array([_path(patterns, most, random) for _ in range(N_PATHS)])
    share = paths.min(axis=0)[1:] / max(paths[0, 0], np.finfo(np.float64).tiny)
    return np.asarray(np.log(np.maximum(share, SMALLEST_SHARE)))


def _path(patterns: Patterns, most: int, random: np.random.RandomState) -> Floats:
    """Return the sum of squares for k = 1, ..., ``most``, every solution grown from the one before."""
    solution = improved(patterns, np.average(patterns.values, axis=0, weights=patterns.counts)[None])
    found = np.zeros(most)
    found[0] = solution.sse
    for k in range(2, most + 1):
        solution = grown(patterns, solution, 1, random)
        found[k - 1] = solution.sse
        if solution.sse <= SMALLEST_SHARE * found[0]:
            break  # every customer sits in a centre; the rest is 0
    return found


@dataclass(frozen=True)
class Solution:
    """A partition around centres: the weighted sum of squares, and each pattern's squared distance."""

    centers: Floats
    distances: Floats
    sse: float


def grown(patterns: Patterns, present: Solution, n_starts: int, random: np.random.RandomState) -> Solution:
    """Add a centre to a solution and improve it; the best of ``n_starts`` new centres.

    Each start draws candidates in proportion to the squared distance from the present centres and
    takes the one that lowers it most. Not all patterns may sit in a centre already.
    """
    points, counts = patterns.values, patterns.counts
    reached = np.cumsum(counts * present.distances)
    norms = np.einsum("ij,ij->i", points, points)
    solutions = []
    for _ in range(n_starts):
        rows = np.searchsorted(reached, random.random_sample(N_CANDIDATES) * reached[-1], side="right")
        rows = rows.clip(max=len(points) - 1)
        reach = norms + norms[rows][:, None] - 2.0 * (points[rows] @ points.T)
        left = np.minimum(present.distances, reach) @ counts
        solutions.append(improved(patterns, np.vstack([present.centers, points[rows[int(np.argmin(left))]]])))
    return min(solutions, key=lambda solution: solution.sse)


def improved(patterns: Patterns, centers: Floats) -> Solution:
    """Run Lloyd's iterations from given centres, until they gain next to nothing.

    Hundreds of short runs on few rows: plain numpy has less overhead than an estimator's fit.
    """
    points, counts = patterns.values, patterns.counts
    norms = np.einsum("ij,ij->i", points, points)
    weighted = points * counts[:, None]
    rows = np.arange(len(points))
    previous = np.inf
    for _ in range(MOST_ITERATIONS):
        # one row per centre: the minimum over few rows is faster than within many
        scores = np.einsum("ij,ij->i", centers, centers)[:, None] - 2.0 * (centers @ points.T)
        labels = scores.argmin(axis=0)
        distances = np.maximum(norms + scores[labels, rows], 0.0)
        sse = float(counts @ distances)
        if previous - sse <= LEAST_GAIN_OF_ITERATION * sse:
            break
        previous = sse
        member = np.zeros_like(scores)
        member[labels, rows] = 1.0
        mass = member @ counts
        # a centre without customers stays where it is
        centers = np.where(mass[:, None] > 0, member @ weighted / np.maximum(mass, 1e-300)[:, None], centers)
    return Solution(centers, distances, sse)


def _content(column: Column) -> tuple[str, bytes, str]:
    return column.kind, np.sort(column.values).tobytes(), column.name


def _varies(column: Column) -> Any:
    known = column.values[~column.missing]
    return len(known) > 0 and known.min() < known.max()

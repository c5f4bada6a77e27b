"""Do customers gather in groups at all? The data against customers of one continuum."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from custseg._core.arrays import Floats
from custseg._core.results import Result
from custseg.segmentation._kmeans.patterns import Patterns, distinct_patterns
from custseg.segmentation._selection.null import NullGenerator
from custseg.segmentation._selection.space import Space

__all__ = [
    "FEWEST_CUSTOMERS",
    "LEVEL",
    "MAX_CUSTOMERS",
    "N_SEGMENTS",
    "StructureResult",
    "effect_floor",
    "run_structure_test",
]


# The probability of calling one continuum structured.
LEVEL = 0.05
# Draws from the null: with 39 the data may be the first or second of 40 rows at level .05.
N_DRAWS = 39
# After so many draws the test may stop early, never to reject, only to accept.
FIRST_LOOK = 9
# Numbers of segments that are tried; more than 8 find nothing that 8 do not.
N_SEGMENTS = range(2, 9)
# Above so many customers a random sample of that size decides; it shows structure as reliably.
MAX_CUSTOMERS = 2_500
# Fewer customers cannot show that they are more than one group.
FEWEST_CUSTOMERS = 20
# The null copies associations, not every bend of the data: with many customers that small misfit
# becomes significant. A difference counts only above this share of the within-segment variance, ...
LEAST_EFFECT = 0.010
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


def _share(effect: float) -> float:
    """Return by which share the variance inside segments is lower, from the difference of logs."""
    return -math.expm1(-effect)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class StructureResult(Result):
    """What the comparison with one continuum found.

    Attributes
    ----------
    p_value : float
        Share of the rows (data and draws) that stand out from the others at least as far as the data.
    effect : float
        By how much the log of the unexplained share lies below that of one continuum, at the number of
        segments where the data stand out most.
    least_effect : float
        What the effect must exceed to count: draws cannot copy every bend of the data.
    strongest_at : int
        The number of segments at which the data stand out most. It is not a choice of the number:
        for that, see :func:`~custseg.segmentation.select_n_segments`.
    n_draws : int
        Draws that were made. The test stops early where it cannot reject any more.
    n_customers : int
        The customers that were compared: all, or a random sample of many.
    significance_level : float
        The largest p-value that rejects.
    table : DataFrame
        One row for each number of segments: ``n_segments``, ``unexplained`` (share of the variance
        inside segments, of the columns that take part), ``null_unexplained`` (its geometric mean over the
        draws), ``excess`` (log of their ratio), ``z`` (excess in standard deviations).
    omission : str
        Which columns took no part, as they go with no other, in words; empty where all did.
    """

    p_value: float
    effect: float
    least_effect: float
    strongest_at: int
    n_draws: int
    n_customers: int
    significance_level: float
    table: pd.DataFrame
    omission: str = ""

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of segments that were tried, ascending."""
        return tuple(self.table["n_segments"].tolist())

    @property
    def rejected(self) -> bool:
        """Whether the customers are not one continuum: at the level, and by more than the least effect."""
        return self.p_value <= self.significance_level and self.effect > self.least_effect

    @property
    def reason(self) -> str:
        """What was found, in words with the figures."""
        figures = f"p = {self.p_value:.3g}, {self.n_draws} draws"
        if self.rejected:
            return (
                "the customers are more compact than one continuum with the same characteristics and associations "
                f"(by {_share(self.effect):.1%} at {self.strongest_at} segments, {figures})"
            )
        if self.p_value <= self.significance_level:
            return (
                f"at {self.strongest_at} segments the customers are only {_share(self.effect):.1%} more compact than "
                f"one continuum with the same characteristics and associations ({figures}), and up to "
                f"{_share(self.least_effect):.1%} is no structure"
            )
        return (
            "one continuum with the same characteristics and associations splits as well as these customers "
            f"({figures})"
        )

    def __str__(self) -> str:
        return f"{self.reason[0].upper()}{self.reason[1:]}{f' ({self.omission})' if self.omission else ''}."

    def to_frame(self) -> pd.DataFrame:
        """Return the table of all numbers of segments that were tried."""
        return self.table


def effect_floor(n_columns: float) -> float:
    """Return the least difference that counts as structure, on the scale of log variance.

    Parameters
    ----------
    n_columns : float
        Effective number of columns.

    Examples
    --------
    >>> effect_floor(2), effect_floor(20)
    (0.05, 0.01)
    """
    return max(LEAST_EFFECT, LEAST_EFFECT_PER_COLUMN / n_columns)


def run_structure_test(
    space: Space,
    *,
    random: np.random.RandomState,
    n_segments: Sequence[int] = N_SEGMENTS,
    n_draws: int = N_DRAWS,
    significance_level: float = LEVEL,
) -> StructureResult:
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
    n_segments : sequence of int, default=range(2, 9)
        The numbers of segments that are tried, ascending. Those that leave no two customers together
        are left out.
    n_draws : int, default=39
        The largest number of draws.
    significance_level : float, default=0.05
        Largest p-value that rejects.

    Returns
    -------
    StructureResult
        The verdict with its figures.
    """
    patterns = distinct_patterns(space.embed(space.table))
    tried = np.array([k for k in n_segments if k < patterns.n_patterns])
    generator = NullGenerator.fit(space.table, scores=space.scores())
    rows = [_log_unexplained(patterns, tried, random)]
    may_beat = int(significance_level * (n_draws + 1) + 1e-9) - 1  # so many draws may be as extreme as the data
    n_beating = 0
    standardised = np.empty(0)
    for drawn in range(1, n_draws + 1):
        rows.append(_log_unexplained(distinct_patterns(space.embed(generator.draw(random))), tried, random))
        standardised = _standardised(np.array(rows))
        n_beating = int((standardised[1:].max(axis=1) >= standardised[0].max()).sum())
        if drawn >= FIRST_LOOK and n_beating > may_beat + 1:
            break
    table = _compared(tried, np.array(rows), standardised[0])
    strongest = int(standardised[0].argmax())
    return StructureResult(
        p_value=(1 + n_beating) / len(rows),
        effect=float(table["excess"].iloc[strongest]),
        least_effect=effect_floor(space.n_columns),
        strongest_at=int(tried[strongest]),
        n_draws=len(rows) - 1,
        n_customers=space.table.n_customers,
        significance_level=significance_level,
        table=table,
        omission=space.omission,
    )


def _compared(tried: npt.NDArray[np.int64], statistics: Floats, z: Floats) -> pd.DataFrame:
    """Set the data (the first row) against the mean of the draws, one row per number of segments."""
    null = statistics[1:].mean(axis=0)
    return pd.DataFrame(
        {
            "n_segments": tried,
            "unexplained": np.exp(statistics[0]),
            "null_unexplained": np.exp(null),
            "excess": null - statistics[0],
            "z": z,
        }
    )


def _standardised(statistics: Floats) -> Floats:
    """Return how far each row lies below the mean of all, in standard deviations, for every number of segments."""
    spread = np.maximum(statistics.std(axis=0), SMALLEST_SHARE)
    return np.asarray((statistics.mean(axis=0) - statistics) / spread)


def _log_unexplained(patterns: Patterns, tried: npt.NDArray[np.int64], random: np.random.RandomState) -> Floats:
    """Return the log share of the variance inside k segments for each number of segments."""
    paths = np.array([_path(patterns, tried[-1], random) for _ in range(N_PATHS)])
    share = paths.min(axis=0)[tried - 1] / max(paths[0, 0], np.finfo(np.float64).tiny)
    return np.asarray(np.log(np.maximum(share, SMALLEST_SHARE)))


def _path(patterns: Patterns, most: int, random: np.random.RandomState) -> Floats:
    """Return the sum of squares for k = 1, ..., ``most``, every solution grown from the one before."""
    solution = improved(patterns, np.average(patterns.values, axis=0, weights=patterns.counts)[None])
    found = np.zeros(most)
    found[0] = solution.sse
    for k in range(2, most + 1):
        solution = grown(patterns, solution, random)
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


def grown(patterns: Patterns, present: Solution, random: np.random.RandomState) -> Solution:
    """Add a centre to a solution and improve it.

    Candidates are drawn in proportion to the squared distance from the present centres, and the one
    that lowers it most is taken. Not all patterns may sit in a centre already.
    """
    points, counts = patterns.values, patterns.counts
    reached = np.cumsum(counts * present.distances)
    norms = np.einsum("ij,ij->i", points, points)
    rows = np.searchsorted(reached, random.random_sample(N_CANDIDATES) * reached[-1], side="right")
    rows = rows.clip(max=len(points) - 1)
    reach = norms + norms[rows][:, None] - 2.0 * (points[rows] @ points.T)
    left = np.minimum(present.distances, reach) @ counts
    return improved(patterns, np.vstack([present.centers, points[rows[int(np.argmin(left))]]]))


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

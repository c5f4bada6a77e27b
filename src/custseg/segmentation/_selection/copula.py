"""Latent normal variables behind the columns of a customer table, and their calibrated correlation.

Numeric, binary and ordinal columns (and nominal ones with two levels) each have one latent variable
and receive their values by its rank. A nominal column has one latent utility per level and shows
the level whose utility plus offset is largest (multinomial probit).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from custseg._core.arrays import Floats, Integers
from custseg._core.customers import Column

__all__ = [
    "N_SIMULATED",
    "Part",
    "calibrate",
    "describe",
    "latents_behind",
    "pairwise_correlation",
    "recolored",
    "square_root",
    "whitened",
]


# Rows of the sample on which correlations are calibrated: their own error is then about .01.
N_SIMULATED = 10_000
# The most steps of the calibration; strong association between nominal columns needs more than 8. It ends sooner where
# the error is a tenth of the sample's own, or so many steps made it no smaller: the rest is scatter.
N_ITERATIONS = 25
SMALL_ERROR = 0.001
PATIENCE = 4
# Steps of the nominal offsets within one step of the correlations, each below 1 so that they do not swing.
OFFSET_STEPS = 3
OFFSET_RATE = 0.8
# Nominal levels with a utility of their own: the most frequent ones, and of at least this share. The
# others have one together, so that a column of hundreds of towns stays affordable and no offset
# rests on a handful of customers.
MAX_LEVELS = 20
LEAST_SHARE = 0.01
# Gibbs sweeps from the starting latents; the scatter plots of two columns no longer change after 10.
N_SWEEPS = 20
# Share of independent noise that keeps the conditional distributions proper where columns are collinear.
RIDGE = 1e-3


@dataclass(frozen=True)
class Part:
    """One column as the copula sees it.

    Attributes
    ----------
    column : Column
        The observed column.
    margin : ndarray of shape (n_known,)
        Its known values, sorted.
    latents : slice
        The latent variables that it takes.
    scores : ndarray of shape (n_known,)
        Where the values stand in the distance, sorted; empty for a nominal column.
    levels : tuple of ndarray
        For a nominal column: the codes behind each utility. Only the last may hold several.
    shares : ndarray of shape (n_latents,)
        For a nominal column: how often each utility wins.
    """

    column: Column
    margin: npt.NDArray[Any]
    latents: slice
    scores: Floats
    levels: tuple[Integers, ...]
    shares: Floats

    @property
    def is_nominal(self) -> bool:
        """Whether the column has one utility per level."""
        return bool(self.levels)

    def chosen(self) -> Integers:
        """Return the utility that wins in each row, -1 where the value is missing."""
        position = np.full(int(self.column.values.max()) + 1, -1, dtype=np.int64)
        for number, group in enumerate(self.levels):
            position[group] = number
        winners: Integers = np.where(self.column.missing, -1, position[self.column.values])
        return winners


def describe(column: Column, start: int, scores: Floats | None) -> tuple[Part, Floats] | None:
    """Describe one column and its features: its scores, or one indicator per utility.

    Returns None for a column without two different known values: nothing can go together with it.
    """
    known = ~column.missing
    margin = np.sort(column.values[known])
    if not len(margin) or margin[0] == margin[-1]:
        return None
    distinct, counts = np.unique(margin, return_counts=True)
    if column.kind == "nominal" and len(distinct) > 2:
        frequent_first = np.argsort(-counts, kind="stable")
        n_own = MAX_LEVELS - 1 if len(distinct) > MAX_LEVELS else len(distinct)
        n_own = min(n_own, max(1, int((counts >= LEAST_SHARE * len(margin)).sum())))
        groups = [frequent_first[i : i + 1] for i in range(n_own)]
        if n_own < len(distinct):
            groups.append(frequent_first[n_own:])
        levels = tuple(distinct[group] for group in groups)
        shares = np.array([counts[group].sum() for group in groups]) / len(margin)
        feature = np.column_stack([np.isin(column.values, level) for level in levels]).astype(np.float64)
        feature[~known] = np.nan
        return Part(column, margin, slice(start, start + len(levels)), np.empty(0), levels, shares), feature
    if scores is None:
        middle = np.cumsum(counts) - counts / 2
        scores = middle[np.searchsorted(distinct, column.values).clip(max=len(distinct) - 1)]
    feature = np.where(known, scores, np.nan)
    return Part(column, margin, slice(start, start + 1), np.sort(feature[known]), (), np.ones(1)), feature[:, None]


def pairwise_correlation(features: Floats) -> Floats:
    """Correlate features over the rows in which both are known; 0 where there is nothing to correlate."""
    known = (~np.isnan(features)).astype(np.float64)
    filled = np.nan_to_num(features - np.nanmean(features, axis=0))
    filled /= np.sqrt((filled**2).sum(axis=0) / known.sum(axis=0)) + np.finfo(np.float64).tiny
    n_both = known.T @ known
    n_rows = np.maximum(n_both, 1)
    sums = filled.T @ known  # [i, j]: the sum of i where j is known
    covariance = filled.T @ filled - sums * sums.T / n_rows
    variance = (filled**2).T @ known - sums**2 / n_rows
    scale = np.sqrt(np.maximum(variance * variance.T, 0))
    usable = (n_both > 2) & (scale > 1e-9 * n_rows)
    correlation: Floats = np.divide(covariance, scale, out=np.zeros_like(scale), where=usable).clip(-1, 1)
    np.fill_diagonal(correlation, 1.0)
    return correlation


def calibrate(
    parts: Sequence[Part], target: Floats, base: Floats, start: Floats, offsets: Floats
) -> tuple[Floats, Floats, float]:
    """Find the latent correlation and the nominal offsets under which simulated columns correlate as ``target``.

    Parameters
    ----------
    parts : sequence of Part
        The columns.
    target : ndarray of shape (n_latents, n_latents)
        The observed correlations of the features, one feature per latent variable.
    base : ndarray of shape (n_rows, n_latents)
        The sample that is recoloured in every step; fixed, so that the steps converge.
    start, offsets : ndarray
        Where the search begins.

    Returns
    -------
    correlation, offsets : ndarray
        The best found.
    error : float
        Root mean square difference between the simulated correlations and the target.
    """
    within = np.zeros(target.shape, dtype=bool)  # the block of one nominal column follows from its frequencies
    for part in parts:
        if part.is_nominal:
            within[part.latents, part.latents] = True
    current, offsets = _valid(start, within), offsets.copy()
    best, best_offsets, least, in_vain = current, offsets.copy(), np.inf, 0
    margins = [_stretched(part.scores, len(base)) for part in parts]
    for _ in range(N_ITERATIONS):
        simulated = _simulate(parts, recolored(base, current), margins, offsets)
        miss = np.where(within, 0.0, target - simulated)
        error = float(np.sqrt(np.mean(miss**2)))
        in_vain += 1
        if error < least:
            best, best_offsets, least, in_vain = current, offsets.copy(), error, 0
        if least <= SMALL_ERROR or in_vain == PATIENCE:
            break
        current = _valid(current + miss, within)
    return best, best_offsets, least


def _simulate(parts: Sequence[Part], latents: Floats, margins: Sequence[Floats], offsets: Floats) -> Floats:
    """Correlate the features that the latents show; moves the offsets towards the observed frequencies."""
    rows = np.ascontiguousarray(latents.T)  # one row per latent: sorts and comparisons along it are fastest
    shown = np.empty_like(rows)
    for part, margin in zip(parts, margins, strict=True):
        block = rows[part.latents]
        if not part.is_nominal:
            shown[part.latents.start][_ascending(block[0])] = margin
            continue
        own = offsets[part.latents]
        for _ in range(OFFSET_STEPS):
            won = np.bincount(_winners(block, own), minlength=len(own))
            own += OFFSET_RATE * np.log((part.shares * len(latents) + 1) / (won + 1))
        shown[part.latents] = _winners(block, own) == np.arange(len(own))[:, None]
    features = np.ascontiguousarray(shown.T)
    features -= features.mean(axis=0)
    features /= np.maximum(features.std(axis=0), 1e-12)
    simulated: Floats = features.T @ features / len(features)
    return simulated


def _winners(utilities: Floats, offsets: Floats) -> Integers:
    """Return the position of the largest utility of each column, the first of equal ones."""
    # few long rows: in turn is faster than argmax
    best = utilities[0] + offsets[0]
    winners = np.zeros(len(best), dtype=np.int64)
    for level in range(1, len(utilities)):
        raised = utilities[level] + offsets[level]
        winners[raised > best] = level
        np.maximum(best, raised, out=best)
    return winners


def _ascending(values: Floats) -> Integers:
    """Return the order of values, equal ones as they stand; the faster sort leaves equal ones in any order."""
    order = np.argsort(values)
    ordered = values[order]
    tied = (ordered[1:] == ordered[:-1]).any()
    return np.argsort(values, kind="stable") if tied else order


def _stretched(scores: Floats, n_rows: int) -> Floats:
    """Return ``n_rows`` sorted values of the same distribution."""
    if not len(scores):
        return scores
    stretched: Floats = scores[((np.arange(n_rows) + 0.5) / n_rows * len(scores)).astype(np.int64)]
    return stretched


def latents_behind(
    parts: Sequence[Part], correlation: Floats, offsets: Floats, random: np.random.RandomState
) -> Floats:
    """Draw the latent variables of the observed rows from their distribution given all known values.

    Gibbs sampling: each latent is normal given the others, cut to the interval that the observed
    value allows. Equal values get different latents, ordered as the other columns suggest; a
    missing value does not cut at all. Returns an array of shape (n_rows, n_latents).
    """
    n_latents = len(correlation)
    precision = np.linalg.inv((1 - RIDGE) * correlation + RIDGE * np.eye(n_latents))
    weights = precision / np.diag(precision)  # column j: how the others predict j, with j itself at 1
    spread = 1 / np.sqrt(np.diag(precision))
    intervals = [None if part.is_nominal else _interval(part) for part in parts]
    winners = [part.chosen() if part.is_nominal else None for part in parts]
    n_rows = len(parts[0].column.values)
    latents = np.zeros((n_rows, n_latents))
    for part, wins in zip(parts, winners, strict=True):
        if wins is not None:  # a start that obeys the observed levels
            latents[:, part.latents] = -offsets[part.latents]
            rows = np.flatnonzero(wins >= 0)
            latents[rows, part.latents.start + wins[rows]] += 1.0
    for _ in range(N_SWEEPS):
        for part, interval, wins in zip(parts, intervals, winners, strict=True):
            for j in range(part.latents.start, part.latents.stop):
                mean = latents[:, j] - latents @ weights[:, j]
                if interval is not None:
                    low, high = interval
                else:
                    low, high = _utility_interval(
                        latents[:, part.latents], offsets[part.latents], wins, j - part.latents.start
                    )
                latents[:, j] = _truncated_normal(mean, spread[j], low, high, random)
    return latents


def _interval(part: Part) -> tuple[Floats, Floats]:
    """Return the normal quantiles between which each observed value lies."""
    distinct, counts = np.unique(part.margin, return_counts=True)
    edges = ndtri(np.concatenate([[0], np.cumsum(counts)]) / len(part.margin))
    known = ~part.column.missing
    low = np.full(len(known), -np.inf)
    high = np.full(len(known), np.inf)
    position = np.searchsorted(distinct, part.column.values[known])
    low[known], high[known] = edges[position], edges[position + 1]
    return low, high


def _utility_interval(utilities: Floats, offsets: Floats, winners: Any, number: int) -> tuple[Floats, Floats]:
    """Return the bounds of one utility: above all others where it wins, below the winner elsewhere."""
    levels = utilities + offsets
    best_other = np.delete(levels, number, axis=1).max(axis=1) - offsets[number]
    low = np.where(winners == number, best_other, -np.inf)
    rows = np.arange(len(levels))
    # where another level wins, the best of the others is that winner
    high = np.where((winners >= 0) & (winners != number), levels[rows, winners] - offsets[number], np.inf)
    return low, high


def _truncated_normal(mean: Floats, spread: float, low: Floats, high: Floats, random: np.random.RandomState) -> Floats:
    below, above = ndtr((low - mean) / spread), ndtr((high - mean) / spread)
    uniform = below + random.random_sample(len(mean)) * (above - below)
    # far in a tail the distribution function is exactly 0 or 1: the bound itself is then the value
    drawn: Floats = (mean + spread * ndtri(uniform.clip(1e-15, 1 - 1e-15))).clip(low, high)
    return drawn


def whitened(sample: Floats) -> Floats:
    """Give a sample mean 0 and covariance identity exactly, where it has the rows for it.

    Otherwise the associations of every draw would scatter around the observed ones while those of
    the data do not, and the test would be needlessly slow to reject.
    """
    n_rows, n_columns = sample.shape
    centred: Floats = sample - sample.mean(axis=0)
    if not n_columns or n_rows <= n_columns + 1:
        return centred
    left, _, right = np.linalg.svd(centred, full_matrices=False)
    result: Floats = left @ right * np.sqrt(n_rows)
    return result


def recolored(sample: Floats, correlation: Floats) -> Floats:
    """Move a sample as little as possible so that its covariance becomes ``correlation`` exactly.

    The map is the linear optimal transport between the two normal distributions. Where the sample
    has no variance in some direction, none can be given to it.
    """
    centred = sample - sample.mean(axis=0)
    covariance = centred.T @ centred / len(centred)
    root = square_root(covariance)
    inverse = np.linalg.pinv(root, rcond=1e-6, hermitian=True)
    moved: Floats = centred @ (inverse @ square_root(root @ correlation @ root) @ inverse)
    return moved


def square_root(matrix: Floats) -> Floats:
    """Return the symmetric square root; it exists for collinear columns too and is unique."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    root: Floats = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    return root


def _valid(matrix: Floats, within: npt.NDArray[np.bool_]) -> Floats:
    """Project to a correlation matrix: utilities of one column uncorrelated, no negative eigenvalue."""
    values, vectors = np.linalg.eigh(np.where(within, np.eye(len(matrix)), (matrix + matrix.T) / 2))
    projected: Floats = (vectors * np.maximum(values, 0.0)) @ vectors.T
    scale = np.sqrt(np.maximum(np.diag(projected), 1e-12))
    projected = (projected / scale / scale[:, None]).clip(-1, 1)
    np.fill_diagonal(projected, 1.0)
    return projected

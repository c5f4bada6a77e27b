"""The figures of one characteristic in every segment and among everyone, with their intervals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from custseg._core.arrays import Bools, Floats
from custseg._core.customers import Column
from custseg._core.disclosure import FEWEST_LEFT, told_shares, told_whole
from custseg.personas._intervals import mean_interval, wilson_interval
from custseg.personas._segment_profile.contrast import Contrast, Figures, compare_shares, effect_interval
from custseg.personas._segment_profile.known import Known
from custseg.personas._segment_profile.ordered import (
    Ordered,
    Together,
    about_middle,
    centre_and_scale,
    is_skewed,
    medians_without,
)

FIGURES = (
    "segment_value",
    "rest_value",
    "overall_value",
    "low",
    "high",
    "effect_size",
    "effect_low",
    "effect_high",
    "v_test",
    "p_value",
    "eta2",
    "lift",
    "marker",
)


@dataclass(frozen=True)
class Measure:
    """Figures of one or more levels: arrays of shape (n_segments, n_levels), by the names in ``FIGURES``."""

    statistic: str
    levels: Sequence[str | None]
    figures: Figures


@dataclass(frozen=True)
class _Rule:
    """How sure intervals are, and how many stand behind a figure at least."""

    confidence_level: float
    least: int


def measure(column: Column, known: Known, *, min_group_size: int, confidence_level: float) -> Iterator[Measure]:
    """Yield the figures of a characteristic.

    Numbers give their mean, or their median where they are skewed; a yes or no its share; categories the share of each
    level that enough customers have; ordered ones first their median, in positions from 1, levels that too few have
    pooled with their neighbours.

    Parameters
    ----------
    column : Column
        Known values only.
    known : Known
        The same customers.
    min_group_size : int
        No figure tells of fewer.
    confidence_level : float
        Of the intervals.

    Yields
    ------
    Measure
        What is measured, by level.
    """
    rule = _Rule(confidence_level, min_group_size)
    if column.kind == "numeric":
        yield _numbers(column, known, rule)
    elif column.kind == "binary":
        yes = np.asarray(column.values, dtype=np.int64)
        raw, mass = (cells[:, 1:] for cells in known.cells(yes, 2))
        told = told_shares(raw, known.sizes, min_group_size, is_yes=True)
        yield _shares(mass, known, told, ["yes"], rule)
    elif column.kind == "nominal":
        overall = np.bincount(column.values, minlength=len(column.categories))
        frequent = np.flatnonzero(overall >= min_group_size)
        if not len(frequent):
            yield _untold("share", known)
            return
        # all other levels share one column, which is then dropped: a column of emails costs no more than one of towns
        positions = np.full(len(overall), len(frequent), dtype=np.int64)
        positions[frequent] = np.arange(len(frequent))
        codes = positions[column.values]
        raw, mass = (cells[:, :-1] for cells in known.cells(codes, len(frequent) + 1))
        told = told_shares(raw, known.sizes, min_group_size)
        yield _shares(mass, known, told, [column.categories[level] for level in frequent], rule)
    else:
        yield from _ordered(column, known, rule)


def _untold(statistic: str, known: Known) -> Measure:
    """Return the row of a characteristic of which no figure may be told."""
    figures = {name: np.full((known.n_segments, 1), np.nan) for name in FIGURES}
    return Measure(statistic, [None], figures | {"marker": np.zeros((known.n_segments, 1), dtype=bool)})


def _hidden(figures: Figures, hidden: Bools, few_rest: Bools) -> Figures:
    """Blank what may not be told; of everyone else and of differences also where they are too few."""
    shown = {}
    for name in FIGURES:
        of_rest = name not in ("segment_value", "low", "high", "overall_value")
        mask = hidden if name == "segment_value" or not of_rest else hidden | few_rest
        values = np.array(np.broadcast_to(figures[name], hidden.shape))
        values[mask] = False if name == "marker" else np.nan
        shown[name] = values
    return shown


def _compared(contrast: Contrast, moments: tuple[Floats, Floats, Floats], rule: _Rule) -> Figures:
    low, high = effect_interval(contrast, moments, rule.confidence_level)
    nothing = np.full(contrast.means.shape, np.nan)
    return {
        "segment_value": contrast.means,
        "rest_value": contrast.rest_means,
        "overall_value": contrast.overall_means,
        "effect_size": contrast.effect_size,
        "effect_low": low,
        "effect_high": high,
        "v_test": contrast.v_test,
        "p_value": contrast.p_value,
        "eta2": contrast.eta2,
        "lift": nothing,
        "marker": np.zeros(nothing.shape, dtype=bool),
    }


def _shares(mass: Floats, known: Known, told: Bools, levels: Sequence[str], rule: _Rule) -> Measure:
    """Compare the shares of levels; who may not be told enters no figure of the others."""
    table, counts = mass * told, known.weights[:, None] * told
    contrast, compared = compare_shares(table, counts)
    with np.errstate(invalid="ignore", divide="ignore"):
        # a share of 0 or 1 is not known without error: half a customer more on either side
        p = (table + 0.5) / (counts + 1)
    variance = p * (1 - p)
    moments = (variance, variance * (1 - 2 * p), variance * (1 - 3 * variance))
    figures = _compared(contrast, moments, rule) | {name: compared[name] for name in compared if name in FIGURES}
    figures["low"], figures["high"] = wilson_interval(contrast.means, counts, rule.confidence_level)
    few_rest = known.sizes.sum() - known.sizes[:, None] * told < rule.least
    return Measure("share", levels, _hidden(figures, ~told, few_rest))


def _ordered(column: Column, known: Known, rule: _Rule) -> Iterator[Measure]:
    """Yield the median of ordered levels, and then their shares; of a segment all are told, or none."""
    raw, mass = known.cells(column.values, max(len(column.categories), 1))
    pools = pooled(raw.sum(axis=0), rule.least)
    if len(pools) < 2:
        yield _untold("median", known)
        return
    starts = [first for first, _ in pools]
    holds_rare = np.add.reduceat((raw.sum(axis=0) > 0) & (raw.sum(axis=0) < rule.least), starts) > 0
    raw, mass = (np.add.reduceat(table, starts, axis=1) for table in (raw, mass))
    # one or two in a pool would be known to have its rare level or another
    raw = raw * ~(holds_rare & (raw > 0) & (raw < min(FEWEST_LEFT, rule.least))).any(axis=1, keepdims=True)
    whole = told_whole(raw, raw.sum(axis=1), rule.least)
    mass = mass * whole
    overall, counts = mass.sum(axis=0), mass.sum(axis=1)[:, None]
    ranks = np.cumsum(overall) - overall / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = mass / counts
        means = np.nan_to_num(shares @ ranks)[:, None]
        moments = [np.nan_to_num((shares * (ranks - means) ** power).sum(axis=1))[:, None] for power in (2, 3, 4)]
    contrast = Contrast.of(counts, means, counts * moments[0])
    figures = _compared(contrast, (moments[0], moments[1], moments[2]), rule)
    edges = np.array([*(first + 0.5 for first, _ in pools), pools[-1][1] + 1.5])
    figures["segment_value"], figures["low"], figures["high"] = _medians(mass, edges, rule)
    figures["rest_value"] = _medians(overall - mass, edges, rule)[0]
    figures["overall_value"] = _medians(overall[None], edges, rule)[0]
    sizes = known.sizes[:, None] * whole[:, :1]
    yield Measure("median", [None], _hidden(figures, ~whole[:, :1], sizes.sum() - sizes < rule.least))
    yield _shares(mass, known, whole, [name_of(column.categories, *pool) for pool in pools], rule)


def pooled(counts: Floats, least: int) -> list[tuple[int, int]]:
    """Pool ordered levels until so many customers stand behind each: the first and the last level of each pool.

    Examples
    --------
    >>> import numpy as np
    >>> pooled(np.array([2, 30, 0, 40, 3, 20, 4]), least=10)
    [(0, 1), (2, 3), (4, 6)]
    """
    pools, first, n = [], 0, 0.0
    for level, count in enumerate(counts):
        n += count
        if n >= least:
            pools.append((first, level))
            first, n = level + 1, 0.0
    if pools and first < len(counts):
        pools[-1] = (pools[-1][0], len(counts) - 1)
    return pools


def name_of(levels: Sequence[str], first: int, last: int) -> str:
    """Name a pool of ordered levels.

    Examples
    --------
    >>> levels = ["never", "rarely", "often", "always"]
    >>> name_of(levels, 0, 1), name_of(levels, 1, 1), name_of(levels, 1, 2), name_of(levels, 2, 3)
    ('rarely or lower', 'rarely', 'rarely to often', 'often or higher')
    """
    if first == last:
        return levels[first]
    if first == 0:
        return f"{levels[last]} or lower"
    return f"{levels[first]} or higher" if last == len(levels) - 1 else f"{levels[first]} to {levels[last]}"


def _medians(table: Floats, edges: Floats, rule: _Rule) -> tuple[Floats, Floats, Floats]:
    """Return the grouped medians of rows of counts, with the ends of their intervals, each as a column.

    Level j reaches from position j - .5 to j + .5 and its customers are spread evenly over it. The interval is that of
    Woodruff (1952), *Journal of the American Statistical Association* 47, 635-646.
    """
    found = np.full((3, len(table)), np.nan)
    z = stats.norm.ppf((1 + rule.confidence_level) / 2)
    for row, counts in enumerate(table):
        n = counts.sum()
        if n > 0:
            up_to = np.concatenate([[0.0], np.cumsum(counts)]) / n
            here, part = _place(0.5, up_to)
            variance = up_to[here] + part**2 * (up_to[here + 1] - up_to[here]) - 0.25
            half = z * np.sqrt(max(variance, 0.0) / n)
            for position, share in enumerate((0.5, 0.5 - half, 0.5 + half)):
                here, part = _place(share, up_to)
                found[position, row] = edges[here] + part * (edges[here + 1] - edges[here])
    return found[0][:, None], found[1][:, None], found[2][:, None]


def _place(share: float, up_to: Floats) -> tuple[int, float]:
    """Return the level in which a share of the customers is reached, and how far into it."""
    share = min(max(share, 0.0), 1.0)
    here = max(int(np.searchsorted(up_to, share, side="left")), 1) - 1
    width = up_to[here + 1] - up_to[here]
    return here, float((share - up_to[here]) / width) if width > 0 else 0.0


def _numbers(column: Column, known: Known, rule: _Rule) -> Measure:
    """Compare means, or the medians of skewed numbers."""
    middle, values = about_middle(column)
    found = _floats(values, known, rule)
    for name in ("segment_value", "rest_value", "overall_value", "low", "high"):
        found.figures[name] = found.figures[name] + middle
    return found


def _floats(values: Floats, known: Known, rule: _Rule) -> Measure:
    # Sums run over the sorted values of each segment, so that no order of the rows changes a digit.
    known, values = known.sorted_by(values)
    groups = known.groups(values)
    everyone = Together(groups)
    middle, scale = centre_and_scale(everyone)
    means, second, third, fourth = known.moments(values, middle, scale, highest=4)[:, :, None]
    weighs = known.weights[:, None]
    contrast = Contrast.of(weighs, means, weighs * second)
    figures = _compared(contrast, (second, third, fourth), rule)
    figures["low"], figures["high"] = mean_interval(contrast.means, second, contrast.counts, rule.confidence_level)
    for name in ("segment_value", "rest_value", "overall_value", "low", "high"):
        figures[name] = middle + scale * figures[name]
    skewed = is_skewed(everyone)
    if skewed:
        figures |= _of_medians(groups, everyone, rule)
    sizes = known.sizes[:, None]
    hidden = _hidden(figures, sizes < rule.least, sizes.sum() - sizes < rule.least)
    return Measure("median" if skewed else "mean", [None], hidden)


def _of_medians(groups: Sequence[Ordered], everyone: Together, rule: _Rule) -> Figures:
    ends = np.array([group.median_interval(rule.confidence_level) for group in groups])
    return {
        "segment_value": np.array([group.median for group in groups])[:, None],
        "rest_value": medians_without(groups)[:, None],
        "overall_value": np.array([[everyone.median]]),
        "low": ends[:, :1],
        "high": ends[:, 1:],
    }

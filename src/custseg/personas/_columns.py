"""One characteristic of every segment against everyone else: numbers, ordered levels, shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from custseg._core.arrays import Bools, Floats, Integers
from custseg._core.customers import Column
from custseg._core.disclosure import told_cuts, told_modes, told_shares
from custseg._core.words import round_digits
from custseg.personas._segment_profile.contrast import Contrast, Figures, compare_shares
from custseg.personas._segment_profile.known import Known
from custseg.personas._segment_profile.ordered import (
    Together,
    about_middle,
    centre_and_scale,
    is_skewed,
    medians_without,
)
from custseg.personas._statistics import is_marker, lift

COMPARISONS = ("effect_size", "v_test", "p_value", "eta2", "lift", "difference_pp", "marker")
VALUES = ("segment_value", "rest_value")
TEXTS = ("level", "statistic", "segment_category", "rest_category")


@dataclass(frozen=True)
class ColumnProfile:
    """One characteristic: rows of (level, segment), its typical values, its unnamed levels."""

    figures: Figures
    typical: list[Any]
    n_rare: int = 0


def profile_column(column: Column, labels: Integers, n_segments: int, min_group_size: int) -> ColumnProfile:
    """Profile one characteristic: known values only, numbers sorted by segment, and ``labels`` their segments."""
    return _PROFILERS[column.kind](column, labels, n_segments, min_group_size)


def _figures(contrast: Contrast) -> Figures:
    """Lay out the figures of a comparison; :func:`_hide` must follow before they leave this file."""
    shape = contrast.means.shape
    return {
        "segment_value": contrast.means,
        "rest_value": contrast.rest_means,
        "effect_size": contrast.effect_size,
        "v_test": contrast.v_test,
        "p_value": contrast.p_value,
        "eta2": contrast.eta2,
        "lift": np.full(shape, np.nan),
        "difference_pp": np.full(shape, np.nan),
        "marker": np.zeros(shape, dtype=bool),
        **{name: np.full(shape, None, dtype=object) for name in TEXTS},
    }


def _hide(figures: Figures, few: Bools, few_rest: Bools) -> Figures:
    """Blank the figures that rest on too few customers on one side or the other."""
    masks = dict.fromkeys(COMPARISONS, few | few_rest)
    masks |= {"segment_value": few, "segment_category": few, "rest_value": few_rest, "rest_category": few_rest}
    hidden = dict(figures)
    for name, mask in masks.items():
        hidden[name] = figures[name].copy()
        hidden[name][mask] = None if name in TEXTS else False if name == "marker" else np.nan
    return hidden


def _profile_numbers(column: Column, labels: Integers, n_segments: int, min_group_size: int) -> ColumnProfile:
    if column.exact is None:
        return _profile_floats(column.values, labels, n_segments, min_group_size)
    middle, differences = about_middle(column)
    found = _profile_floats(differences, labels, n_segments, min_group_size)
    for name in VALUES:
        found.figures[name] = found.figures[name] + middle
    typical = [None if value is None else round_digits(value + middle) for value in found.typical]
    return ColumnProfile(found.figures, typical)


def _profile_floats(numbers: Floats, labels: Integers, n_segments: int, min_group_size: int) -> ColumnProfile:
    # Sums run over the sorted values of each segment, so that no order of the rows changes a digit.
    known, values = Known(labels, n_segments).sorted_by(numbers)
    groups = known.groups(values)
    everyone = Together(groups)
    # A shift and a power of two keep squares in range and change no comparison.
    centre, scale = centre_and_scale(everyone)
    means, squares = known.moments(values, centre, scale)
    weights = known.weights[:, None]
    contrast = Contrast.of(weights, means[:, None], weights * squares[:, None])
    figures = _figures(contrast)
    for name in VALUES:
        figures[name] = centre + scale * figures[name]
    figures["statistic"][:] = "mean"
    medians = [group.median for group in groups]
    if is_skewed(everyone):
        _show_medians(figures, np.array(medians), medians_without(groups))
    typical = [
        round_digits(median) if count >= min_group_size else None
        for median, count in zip(medians, known.sizes, strict=True)
    ]
    return ColumnProfile(_hide(figures, *contrast.few(min_group_size)), typical)


def _show_medians(figures: Figures, medians: Floats, rest: Floats) -> None:
    # Medians that agree, or contradict the effect (which compares means), would show the reader nothing.
    telling = (np.sign(medians - rest) == np.sign(figures["effect_size"][:, 0])) & (medians != rest)
    figures["segment_value"][telling, 0] = medians[telling]
    figures["rest_value"][telling, 0] = rest[telling]
    figures["statistic"][telling] = "median"


def _crosstab(codes: Integers, labels: Integers, n_segments: int, n_levels: int) -> Floats:
    cells = np.bincount(labels * n_levels + codes, minlength=n_segments * n_levels)
    return cells.reshape(n_segments, n_levels).astype(float)


def _profile_ordinal(column: Column, labels: Integers, n_segments: int, min_group_size: int) -> ColumnProfile:
    n_levels = max(len(column.categories), 1)
    table = _crosstab(column.values, labels, n_segments, n_levels)
    overall = table.sum(axis=0)
    ranks = np.cumsum(overall) - overall / 2 + 0.5
    counts = table.sum(axis=1)
    with np.errstate(invalid="ignore"):
        means = np.nan_to_num(table @ ranks / counts)
    squares = (table * (ranks - means[:, None]) ** 2).sum(axis=1)
    contrast = Contrast.of(counts[:, None], means[:, None], squares[:, None])
    figures = _figures(contrast)
    medians, rest_medians = _median_levels(table), _median_levels(overall - table)
    categories = np.array([*column.categories, None], dtype=object)
    for side, levels in (("segment", medians), ("rest", rest_medians)):
        figures[f"{side}_value"] = levels[:, None].astype(float)
        figures[f"{side}_category"] = categories[levels][:, None]
    figures["statistic"][:] = "median"
    frequent = np.append(overall >= min_group_size, True)  # the last for the median of nobody
    unnamed = ~(frequent[medians] & frequent[rest_medians])
    for name in (*VALUES, "segment_category", "rest_category"):
        figures[name][unnamed] = None if name in TEXTS else np.nan
    tied = np.flatnonzero((medians == rest_medians) | unnamed)
    _show_shares_above(figures, table, column.categories, segments=tied, min_group_size=min_group_size)
    # the effect would tell of shares that are hidden; of two levels that of one segment would tell of the others
    untold = tied[figures["statistic"][tied, 0] == "median"]
    if np.count_nonzero(overall) == 2 and not told_cuts(table, min_group_size)[counts > 0][:, overall > 0][:, 1].all():
        untold = np.arange(n_segments)
    for name in COMPARISONS:
        figures[name] = figures[name].copy()
        figures[name][untold] = False if name == "marker" else np.nan
    few, few_rest = contrast.few(min_group_size)
    typical = [
        categories[median] if may and enough else None
        for median, may, enough in zip(medians, frequent[medians], ~few[:, 0], strict=True)
    ]
    return ColumnProfile(_hide(figures, few, few_rest), typical)


def _median_levels(table: Floats) -> Integers:
    """Lower median of each row of counts; -1 for a row without any."""
    totals = table.sum(axis=1, keepdims=True)
    return np.where(totals[:, 0] > 0, (2 * np.cumsum(table, axis=1) >= totals).argmax(axis=1), -1)


def _show_shares_above(
    figures: Figures,
    table: Floats,
    categories: tuple[str, ...],
    *,
    segments: Integers,
    min_group_size: int,
) -> None:
    """Where the medians are the same level, show the share from the level on that separates best."""
    above = np.cumsum(table[:, ::-1], axis=1)[:, ::-1]
    counts, told = above[:, :1], told_cuts(table, min_group_size)
    shown, known = above * told, counts * told
    for segment in segments:
        effect = figures["effect_size"][segment, 0]
        if not np.isfinite(effect) or effect == 0:
            continue
        with np.errstate(divide="ignore", invalid="ignore"):
            shares = above[segment] / counts[segment]
            rest = (shown.sum(axis=0) - shown[segment]) / (known.sum(axis=0) - known[segment])
        gain = np.where(told[segment] & np.isfinite(rest), np.sign(effect) * (shares - rest), -np.inf)
        cut = int(gain.argmax())
        if gain[cut] <= 0:
            continue
        share_of_all = shown[:, cut].sum() / known[:, cut].sum()
        figures["level"][segment] = f"{categories[cut]} or higher"
        figures["statistic"][segment] = "share"
        figures["segment_value"][segment], figures["rest_value"][segment] = shares[cut], rest[cut]
        figures["segment_category"][segment] = figures["rest_category"][segment] = None
        figures["lift"][segment] = lift(segment_share=shares[cut], overall_share=share_of_all)
        figures["difference_pp"][segment] = 100 * (shares[cut] - rest[cut])
        figures["marker"][segment] = is_marker(segment_share=shares[cut], overall_share=share_of_all)


def _profile_binary(column: Column, labels: Integers, n_segments: int, min_group_size: int) -> ColumnProfile:
    counts = np.bincount(labels, minlength=n_segments).astype(float)
    yes = np.bincount(labels, weights=column.values, minlength=n_segments).astype(float)
    typical = [
        bool(2 * positive > count) if max(positive, count - positive) >= min_group_size else None
        for positive, count in zip(yes, counts, strict=True)
    ]
    told = told_shares(yes[:, None], counts, min_group_size, is_yes=True)
    return ColumnProfile(_shares(yes[:, None], counts, ["yes"], min_group_size, told), typical)


def _profile_nominal(column: Column, labels: Integers, n_segments: int, min_group_size: int) -> ColumnProfile:
    """Give each level that enough customers have a row of its own."""
    counts = np.bincount(labels, minlength=n_segments).astype(float)
    overall = np.bincount(column.values, minlength=len(column.categories))
    named = np.flatnonzero(overall >= min_group_size)
    if not len(named):
        nothing = np.zeros((n_segments, 1))
        figures = _figures(Contrast.of(nothing, nothing, nothing))
        return ColumnProfile(figures, [None] * n_segments, int(np.count_nonzero(overall)))
    names = [column.categories[level] for level in named]
    # All other levels share one column, which is then dropped: a column of emails costs no more than one of towns.
    positions = np.full(len(overall), len(named), dtype=np.int64)
    positions[named] = np.arange(len(named))
    table = _crosstab(positions[column.values], labels, n_segments, len(named) + 1)[:, :-1]
    told = told_shares(table, counts, min_group_size)
    modes = zip(table.argmax(axis=1), told_modes(table, told, counts, min_group_size), strict=True)
    typical = [names[int(level)] if may else None for level, may in modes]
    n_rare = int(np.count_nonzero(overall)) - len(named)
    return ColumnProfile(_shares(table, counts, names, min_group_size, told), typical, n_rare)


def _shares(table: Floats, counts: Floats, names: list[str], min_group_size: int, told: Bools) -> Figures:
    """Compare shares; ``table`` holds the customers of each segment that have each level that is named."""
    # whoever may not be shown enters no figure of the others
    table, known = table * told, counts[:, None] * told
    contrast, compared = compare_shares(table, known)
    figures = _figures(contrast) | compared
    figures["statistic"][:] = "share"
    figures["level"][:] = names
    return _hide(figures, *(few | ~told for few in contrast.few(min_group_size)))


_PROFILERS = {
    "numeric": _profile_numbers,
    "binary": _profile_binary,
    "ordinal": _profile_ordinal,
    "nominal": _profile_nominal,
}

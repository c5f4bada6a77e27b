"""A least share for every segment, by prices: small segments are subsidised until enough customers choose them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog

from custseg._core.arrays import Floats, Integers
from custseg._core.threads import one_thread
from custseg.segmentation._base.errors import share_infeasible, share_out_of_range
from custseg.segmentation._kmeans.nearest import nearest, unit_of
from custseg.segmentation._kmeans.patterns import Patterns

__all__ = ["Balance", "assign_balanced", "balance"]


MAX_ROUNDS = 100
# Bulk raises per centre before the rest is moved pattern by pattern along shortest paths.
BULK_RAISES = 30
# Raises per centre when the last ties are resolved.
LAST_RAISES = 100
# Steps of the search for the largest feasible share.
HALVINGS = 14
# A mass counts as reached up to this share of it.
SLACK = 1e-9
# A subsidy below has lost digits.
SMALLEST = 1e-290


@dataclass(frozen=True)
class Balance:
    """Centres and subsidies that give every segment its share.

    Attributes
    ----------
    labels : ndarray of shape (n_patterns,)
        ``argmin_j |x - c_j|^2 - subsidy_j`` of every pattern.
    centers : ndarray of shape (n_segments, n_features)
        The centres.
    subsidies : ndarray of shape (n_segments,)
        By how much the squared distance to each centre is lowered; the least is 0.
    """

    labels: Integers
    centers: Floats
    subsidies: Floats


def balance(
    patterns: Patterns,
    centers: Floats,
    share: float,
    recompute: Callable[[Patterns, Integers, int], Floats] | None = None,
) -> Balance:
    """Move customers until every segment holds its share, at the least cost in squared distance.

    The assignment of least cost for the centres as they are and the means of that assignment
    alternate until nothing changes. The assignment is kept as one subsidy for each centre, so that
    new customers are assigned in the same way and identical customers are never split.

    Parameters
    ----------
    patterns : Patterns
        Distinct rows with their counts.
    centers : ndarray of shape (n_segments, n_features)
        Where to start, usually the k-means solution.
    share : float
        The least share of the total count in each segment.
    recompute : callable, optional
        What gives the centres of labelled patterns, the means by default: called with the patterns,
        their labels and the number of segments.

    Returns
    -------
    Balance
        Labels of the patterns, centres and subsidies.

    Raises
    ------
    InfeasibleError
        If no partition into so many segments with these shares was found, or squared distances are
        beyond the range of numbers.

    Notes
    -----
    For fixed centres this is a transport problem whose dual variables are the subsidies. Where all
    counts are equal and no two customers are equally well placed, the assignment is the optimum of
    the linear programme. Identical customers that count together can make a share infeasible that a
    split would allow.

    Examples
    --------
    >>> from custseg.segmentation._kmeans.patterns import distinct_patterns
    >>> patterns = distinct_patterns([[0.0], [0.1], [0.2], [0.3], [0.9], [5.0]])
    >>> balance(patterns, np.array([[0.3], [5.0]]), 1 / 3).labels
    array([0, 0, 0, 0, 1, 1])
    """
    n_segments = len(centers)
    need = share * patterns.counts.sum()
    unit = unit_of(patterns.values)
    patterns, centers = replace(patterns, values=patterns.values / unit), centers / unit
    with one_thread():
        found = assign_balanced(patterns, centers, need) if share * n_segments <= 1.0 + SLACK else None
        if found is None:
            raise share_infeasible(share, n_segments, _largest_share(patterns, centers, share))
        labels, subsidies = found
        for _ in range(MAX_ROUNDS):
            if not subsidies.any():
                break
            moved = (recompute or _weighted_means)(patterns, labels, n_segments)
            again = assign_balanced(patterns, moved, need)
            if again is None:  # coarse counts: what has been found stands
                break
            unchanged = bool((again[0] == labels).all())
            centers, (labels, subsidies) = moved, again
            if unchanged:
                break
        labels = nearest(patterns.values, centers, subsidies)
    if not _is_met(labels, patterns.counts, n_segments, need):
        raise share_infeasible(share, n_segments, _largest_share(patterns, centers, share))
    with np.errstate(over="ignore"):
        squared = subsidies * unit * unit
    if not (np.isfinite(squared) & ((subsidies == 0) | (squared > SMALLEST))).all():
        raise share_out_of_range(share, unit)
    return Balance(labels, centers * unit, squared)


def assign_balanced(patterns: Patterns, centers: Floats, need: float) -> tuple[Integers, Floats] | None:
    """Assign patterns to fixed centres at least cost so that each holds a mass of ``need``; None where none is found.

    Returns labels and the subsidies that lead to them.
    """
    counts = patterns.counts
    squared = np.stack([((patterns.values - center) ** 2).sum(axis=1) for center in centers], axis=1)
    subsidies = _raise_in_bulk(squared, counts, need)
    labels = (squared - subsidies).argmin(axis=1)
    if not subsidies.any() and _is_met(labels, counts, len(centers), need):
        return labels, subsidies
    moved = _move_along_paths(squared, counts, labels, need)
    if moved is not None:
        subsidies = _supporting_subsidies(squared, moved)
    return _raise_until_met(squared, counts, subsidies, need)


def _masses(labels: Integers, counts: Floats, n_segments: int) -> Floats:
    return np.bincount(labels, weights=counts, minlength=n_segments).astype(np.float64)


def _is_met(labels: Integers, counts: Floats, n_segments: int, need: float) -> bool:
    return bool((_masses(labels, counts, n_segments) >= need * (1.0 - SLACK)).all())


def _margins(squared: Floats, subsidies: Floats, segment: int) -> Floats:
    """By how much a segment must raise its subsidy to win each pattern; below 0 where it holds it."""
    scores = squared - subsidies
    own = scores[:, segment].copy()
    scores[:, segment] = np.inf
    return np.asarray(own - scores.min(axis=1))


def _raise_in_bulk(squared: Floats, counts: Floats, need: float) -> Floats:
    """Raise the subsidies of segments below their share, never beyond it.

    A segment with a subsidy then never holds more than its share, and the others pay none: what is
    still to be moved can go along shortest paths without losing the optimum.
    """
    n_segments = squared.shape[1]
    subsidies = np.zeros(n_segments)
    for _ in range(BULK_RAISES * n_segments):
        labels = (squared - subsidies).argmin(axis=1)
        missing = need - _masses(labels, counts, n_segments)
        steps = [(missing[j], j) for j in range(n_segments) if missing[j] > need * SLACK]
        for lacking, segment in sorted(steps, reverse=True):
            step = _bulk_step(_margins(squared, subsidies, segment), labels != segment, counts, lacking)
            if step > 0:
                subsidies[segment] += step
                break
        else:
            return subsidies
    return subsidies


def _bulk_step(margins: Floats, outside: npt.NDArray[np.bool_], counts: Floats, lacking: float) -> float:
    """Return the raise that wins as many of the nearest patterns as fit into what is lacking, or 0."""
    candidates = np.flatnonzero(outside)
    order = candidates[np.argsort(margins[candidates], kind="stable")]
    ordered = margins[order]
    fits = int(np.searchsorted(np.cumsum(counts[order]), lacking * (1.0 + SLACK), side="right"))
    # A cut needs two different margins, to lie half way between them.
    while 0 < fits < len(ordered) and not ordered[fits - 1] < (ordered[fits - 1] + ordered[fits]) / 2 < ordered[fits]:
        fits -= 1
    if fits == 0 or fits == len(ordered):
        return 0.0
    return float((ordered[fits - 1] + ordered[fits]) / 2)


def _move_along_paths(squared: Floats, counts: Floats, labels: Integers, need: float) -> Integers | None:
    """Give every segment its share by the cheapest chains of single moves, each from a segment that can spare one."""
    n_segments = squared.shape[1]
    labels = labels.copy()
    mass = _masses(labels, counts, n_segments)
    cost = np.full((n_segments, n_segments), np.inf)
    first = np.zeros((n_segments, n_segments), dtype=np.int64)
    stale = set(range(n_segments))
    for _ in range(2 * len(labels) + n_segments):
        lacking = mass < need * (1.0 - SLACK)
        if not lacking.any():
            return labels
        for segment in stale:
            cost[segment], first[segment] = _cheapest_moves(squared, labels, segment)
        spare = (mass[:, None] - counts[first] >= need * (1.0 - SLACK)) & np.isfinite(cost)
        path = _cheapest_path(cost, spare, lacking)
        if path is None:
            return None
        for here, there in pairwise(path):
            row = first[here, there]
            labels[row] = there
            mass[here] -= counts[row]
            mass[there] += counts[row]
        stale = set(path)
    return None


def _cheapest_moves(squared: Floats, labels: Integers, segment: int) -> tuple[Floats, Integers]:
    """Find the least extra cost of moving one pattern of a segment to each other one, and that pattern."""
    rows = np.flatnonzero(labels == segment)
    n_segments = squared.shape[1]
    if len(rows) == 0:
        return np.full(n_segments, np.inf), np.zeros(n_segments, dtype=np.int64)
    extra = squared[rows] - squared[rows, segment][:, None]
    extra[:, segment] = np.inf
    nearest = extra.argmin(axis=0)
    return extra[nearest, np.arange(n_segments)], rows[nearest]


def _cheapest_path(cost: Floats, spare: npt.NDArray[np.bool_], lacking: npt.NDArray[np.bool_]) -> list[int] | None:
    """Find the cheapest path from a segment that can spare a pattern to one that lacks some (Bellman and Ford)."""
    n_segments = len(cost)
    to_lacking = np.where(lacking, 0.0, np.inf)
    following = np.full(n_segments, -1)
    for _ in range(n_segments - 1):
        through = cost + to_lacking
        best = through.argmin(axis=1)
        reached = through[np.arange(n_segments), best]
        shorter = (reached < to_lacking) & ~lacking
        following[shorter], to_lacking[shorter] = best[shorter], reached[shorter]
    starts = np.where(spare, cost + to_lacking, np.inf)
    start, after = np.unravel_index(int(starts.argmin()), starts.shape)
    if not np.isfinite(starts[start, after]):
        return None
    path = [int(start), int(after)]
    while not lacking[path[-1]]:
        step = int(following[path[-1]])
        if step < 0 or step in path:  # unequal counts can make a circle look cheap
            return None
        path.append(step)
    return path


def _supporting_subsidies(squared: Floats, labels: Integers) -> Floats:
    """Find subsidies under which every pattern prefers its segment by the widest margin.

    Segment a keeps its patterns from b if ``s_b - s_a`` is below the least extra cost of b among
    them. The widest margin is a linear programme with one variable for each segment.
    """
    n_segments = squared.shape[1]
    rows, limits = [], []
    for segment in range(n_segments):
        extra, _ = _cheapest_moves(squared, labels, segment)
        for other in np.flatnonzero(np.isfinite(extra)):
            row = np.zeros(n_segments + 1)
            row[other], row[segment], row[-1] = 1.0, -1.0, 1.0
            rows.append(row)
            limits.append(extra[other])
    unit = float(np.abs(limits).max()) or 1.0
    objective = np.append(np.zeros(n_segments), -1.0)
    bounds = [(0.0, None)] * n_segments + [(None, None)]
    solution = linprog(objective, A_ub=np.array(rows), b_ub=np.array(limits) / unit, bounds=bounds)
    subsidies = np.asarray(solution.x[:-1], dtype=np.float64) * unit
    return np.asarray(subsidies - subsidies.min())


def _raise_until_met(squared: Floats, counts: Floats, subsidies: Floats, need: float) -> tuple[Integers, Floats] | None:
    """Raise subsidies until every segment holds its share, beyond it where ties or counts leave no choice."""
    n_segments = squared.shape[1]
    subsidies = subsidies.copy()
    for _ in range(LAST_RAISES * n_segments):
        labels = (squared - subsidies).argmin(axis=1)
        lacking = need - _masses(labels, counts, n_segments)
        segment = int(lacking.argmax())
        if lacking[segment] <= need * SLACK:
            return labels, subsidies - subsidies.min()
        margins = _margins(squared, subsidies, segment)
        order = np.flatnonzero(labels != segment)
        order = order[np.argsort(margins[order], kind="stable")]
        reached = int(np.searchsorted(np.cumsum(counts[order]), lacking[segment] * (1.0 - SLACK)))
        last = margins[order[min(reached, len(order) - 1)]]
        beyond = margins[order][margins[order] > last + 1e-9 * abs(last)]
        subsidies[segment] += (last + beyond[0]) / 2 if len(beyond) else last + max(abs(last), 1e-9)
    return None


def _weighted_means(patterns: Patterns, labels: Integers, n_segments: int) -> Floats:
    member = np.zeros((n_segments, len(labels)))
    member[labels, np.arange(len(labels))] = patterns.counts
    return np.asarray(member @ patterns.values / member.sum(axis=1)[:, None])


def _largest_share(patterns: Patterns, centers: Floats, asked: float) -> float:
    """Search by halving for the largest share that these centres can give to every segment.

    Rounded down to four digits, so that asking for what the message says works.
    """
    total = patterns.counts.sum()
    low, high = 0.0, min(asked, 1.0 / len(centers))
    middle = high
    for _ in range(HALVINGS):
        found = assign_balanced(patterns, centers, middle * total)
        if found is None:
            high = middle
        else:
            low = max(middle, float(_masses(found[0], patterns.counts, len(centers)).min() / total))
        if low >= high:
            break
        middle = (low + high) / 2
    digits = 10.0 ** (3 - math.floor(math.log10(low))) if low > 0 else 1.0
    return math.floor(low * digits * (1.0 + SLACK)) / digits

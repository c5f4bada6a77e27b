"""Groups with a valley between them, and groups that share a hill."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from custseg._core.arrays import Bools, Floats, Integers
from custseg.segmentation._selection.directions import Coordinates, Directions

__all__ = ["FEWEST", "MANY_JOINED", "Hills", "find_hills", "valley"]


# The density at the lowest point between two groups, as a share of the lower of their two peaks. From this share
# on there is no valley: it is one group, cut in two.
NO_VALLEY = 0.9
# By so many standard errors the lowest density must lie below that share for two classes to count as two hills.
# Classes that describe the customers well need little: of planted segments of separation 1.2 true neighbours reach
# 0.9 and more, pieces of one disc, square or normal cloud hardly ever.
DISTINCT = 0.5
# Where this many are joined before all reach that, several classes are pieces of one hill. They are a poor
# description, and each valley must prove itself, as the lowest of several scales and many places; where the steps
# of a scale leave only the wide kernels, of fewer.
DOUBTFUL, MANY_JOINED = 0.9, 2
PROVEN, PROVEN_WIDE = 3.2, 2.6
# Where no more than this share is doubtful, and every two have a valley between them on the line that they chose
# themselves, as pieces of one hill seldom do, the classes may count as the BIC has them.
MOST_DOUBTFUL = 1 / 3
# Groups of fewer customers show no density of their own.
FEWEST = 8
# The density is looked at on a grid: the medians of the two groups are 0 and 1, and both points of it.
LOW, HIGH, STEP = -0.5, 1.5, 0.02
GRID = LOW + STEP * np.arange(round((HIGH - LOW) / STEP) + 1)
WITH_PEAKS, BETWEEN = (GRID > -0.25) & (GRID < 1.25), (GRID > 0.05) & (GRID < 0.95)
# Standard deviations of the normal kernels; wide ones do not see the steps of a scale with few values.
NARROW, WIDE = (0.04, 0.07), (0.12, 0.2)
KERNELS = np.array([np.exp(-0.5 * ((GRID[:, None] - GRID) / width) ** 2) for width in NARROW + WIDE])
SQUARED = KERNELS**2
NEVER, ALWAYS = -np.inf, np.inf


@dataclass(frozen=True)
class Hills:
    """The groups that are left where classes without a valley between them count as one.

    Attributes
    ----------
    distinct : ndarray of shape (n_customers,)
        Groups from 0, where a class counts as a group unless the density between it and another hardly falls.
    proven : ndarray of shape (n_customers,)
        Groups from 0, where two classes count as one unless the valley between them is beyond its own noise.
    n_doubtful : int
        How many classes are one too many by a standard between the two.
    all_apart : bool
        Whether few are, and every two classes have a valley between them on the line that they chose themselves.
    """

    distinct: Integers
    proven: Integers
    n_doubtful: int
    all_apart: bool


def find_hills(coordinates: Coordinates, labels: Integers) -> Hills:
    """Join classes without a valley between them, the least separated two first.

    The customers of two classes are projected on the direction that tells them apart best (Fisher's linear
    discriminant); between their medians the density of both is estimated. Its lowest point, as a share of the
    lower peak, is the ratio by which Hennig [1]_ merges the components of a mixture; here it is set against its
    own standard error. The direction is learned on some of the customers and judged on the others,
    so that noise which happens to tell the classes apart opens no valley. Joined classes are
    one from then on, with all their customers: pieces of one hill are seen whole.

    Parameters
    ----------
    coordinates : Coordinates
        The customers, in canonical order.
    labels : ndarray of shape (n_customers,)
        Their classes; numbers without customers do not count. Classes of fewer than 8 customers share
        the hill of the nearest one.

    Returns
    -------
    Hills
        The groups, by the two standards.

    References
    ----------
    .. [1] C. Hennig (2010). Methods for merging Gaussian mixture components. Advances in Data Analysis
       and Classification 4, 3-34.
    """
    classes = Directions(coordinates, labels)
    _join_the_smallest(classes)
    depths = {pair: _depth(classes, *pair) for pair in combinations(classes.names, 2)}
    wide_only = coordinates.is_stepped
    n_classes = len(np.unique(labels))
    as_chosen = [classes.projected_as_chosen(*pair) for pair in depths]
    all_apart = all(places is None or valley(*places)[0] > 0.0 for places in as_chosen)
    _join_while_below(classes, depths, 0, DISTINCT)
    distinct = _numbered(classes.labels)
    _join_while_below(classes, depths, 0, DOUBTFUL)
    n_doubtful = n_classes - len(classes.names)
    all_apart &= n_doubtful <= MOST_DOUBTFUL * n_classes
    _join_while_below(classes, depths, 0 if wide_only else 1, PROVEN_WIDE if wide_only else PROVEN)
    return Hills(distinct, _numbered(classes.labels), n_doubtful, all_apart)


def _numbered(labels: Integers) -> Integers:
    return np.asarray(np.unique(labels, return_inverse=True)[1].reshape(-1), dtype=np.int64)


def valley(first: Floats, second: Floats) -> tuple[float, float]:
    """Return by how many standard errors the density falls between two samples on a line.

    Parameters
    ----------
    first, second : ndarray
        Where the members of two groups lie, the first ones lower.

    Returns
    -------
    wide, any : float
        At the widest place of the valley, and at any width. Below 0 where it does not fall by a tenth.

    Examples
    --------
    >>> random = np.random.RandomState(0)
    >>> cloud = random.normal(size=1_000)
    >>> valley(cloud[cloud < 0], cloud[cloud >= 0])[1] < 3
    True
    >>> valley(cloud, cloud + 4)[1] > 3
    True
    """
    start, end = np.median(first), np.median(second)
    if not end > start:
        return NEVER, NEVER
    places = (np.concatenate([first, second]) - start) / (end - start)
    bins = np.rint((np.clip(places, LOW - 1.0, HIGH + 1.0) - LOW) / STEP).astype(np.int64)
    counts = np.bincount(bins[(bins >= 0) & (bins < len(GRID))], minlength=len(GRID)).astype(np.float64)
    depths = [_deepest(kernel @ counts, squared @ counts) for kernel, squared in zip(KERNELS, SQUARED, strict=True)]
    return max(depths[len(NARROW) :]), max(depths)


def _deepest(density: Floats, variance: Floats) -> float:
    """Return the largest distance below the lower peak, in standard errors."""
    peaks = np.where(WITH_PEAKS, density, -1.0)
    left, right = _highest_so_far(peaks), len(peaks) - 1 - _highest_so_far(peaks[::-1])[::-1]
    lower = np.where(density[left] <= density[right], left, right)
    # one customer more in the variance: where nobody is, the error is not 0
    error = np.sqrt(NO_VALLEY**2 * variance[lower] + variance + 1.0)
    return float(((NO_VALLEY * density[lower] - density) / error)[BETWEEN].max())


def _highest_so_far(values: Floats) -> Integers:
    is_record: Bools = values >= np.maximum.accumulate(values)
    return np.maximum.accumulate(np.where(is_record, np.arange(len(values)), 0))


def _depth(classes: Directions, one: int, other: int) -> tuple[float, float]:
    projected = classes.projected(one, other)
    if projected is None:  # both are single points
        return (ALWAYS, ALWAYS) if classes.distance(one, other) > 0.0 else (NEVER, NEVER)
    return valley(*projected)


def _join_the_smallest(classes: Directions) -> None:
    for small in [name for name in classes.names if classes.size(name) < FEWEST]:
        others = [name for name in classes.names if name != small]
        if others and classes.size(small) < FEWEST:
            classes.join(others[int(np.argmin([classes.distance(small, name) for name in others]))], small)


def _join_while_below(
    classes: Directions, depths: dict[tuple[int, int], tuple[float, float]], which: int, least: float
) -> None:
    while depths:
        # where several are the same, the shallowest by the other measure
        one, other = min(depths, key=lambda pair: (depths[pair][which], depths[pair][1 - which]))
        if depths[one, other][which] >= least:
            return
        classes.join(one, other)
        for pair in [pair for pair in depths if other in pair]:
            del depths[pair]
        for name in classes.names:
            if name != one:
                pair = min(one, name), max(one, name)
                depths[pair] = _depth(classes, *pair)

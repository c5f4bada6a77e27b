"""Groups with a valley between them, and groups that share a hill."""

from __future__ import annotations

import numpy as np
from scipy.sparse.csgraph import connected_components

from custseg._core.arrays import Floats, Integers

__all__ = ["NO_VALLEY", "depth_of_valleys", "joined"]


# The density at the lowest point between two groups, as a share of the lower of their two peaks. From this share
# on there is no valley: it is one group, cut in two.
NO_VALLEY = 0.9
# Where some groups turn out to be one, what made them fall apart has thinned out the borders of others too:
# a valley must then be deeper than this. On planted segments whose characteristics correlate by .3 inside
# them, .6 to .7 finds the number best.
SHALLOW = 0.65
# Groups of fewer customers show no density of their own.
FEWEST = 8
# Points between two groups at which the density is looked at; the outer ones are their peaks' own.
N_POINTS = 41
N_OUTER = 5
# Share of the mean variance that is added to each, so that directions without any do not count for everything.
RIDGE = 0.1


def depth_of_valleys(matrix: Floats, labels: Integers, n_groups: int) -> Floats:
    """Return how low the density falls between every two groups, as a share of the lower peak.

    The customers of two groups are projected on the direction that tells them apart best (Fisher's
    linear discriminant); between the medians of both a kernel density estimate is taken. It is the
    ratio by which Hennig [1]_ merges the components of a mixture, without his normal distributions.

    Parameters
    ----------
    matrix : ndarray of shape (n_customers, n_columns)
        The customers.
    labels : ndarray of shape (n_customers,)
        Their groups, from 0.
    n_groups : int
        The number of groups.

    Returns
    -------
    ratios : ndarray of shape (n_groups, n_groups)
        0 where nobody lies between two groups, 1 where there is no valley; 1 of each with itself. A group
        of fewer than 8 customers shares the hill of the nearest one.

    References
    ----------
    .. [1] C. Hennig (2010). Methods for merging Gaussian mixture components. Advances in Data Analysis
       and Classification 4, 3-34.
    """
    groups = [matrix[labels == group] for group in range(n_groups)]
    ratios = np.eye(n_groups)
    for one in range(n_groups):
        for other in range(one):
            if min(len(groups[one]), len(groups[other])) >= FEWEST:
                ratios[one, other] = ratios[other, one] = _ratio(groups[one], groups[other])
    populated = [group for group in range(n_groups) if len(groups[group])]
    centers = {group: groups[group].mean(axis=0) for group in populated}
    for small in populated:
        others = [group for group in populated if group != small]
        if len(groups[small]) < FEWEST and others:
            distances = [((centers[group] - centers[small]) ** 2).sum() for group in others]
            nearest = others[int(np.argmin(distances))]
            ratios[small, nearest] = ratios[nearest, small] = 1.0
    return ratios


def joined(ratios: Floats, labels: Integers) -> Integers:
    """Return the groups that are left where those without a valley between them count as one.

    Parameters
    ----------
    ratios : ndarray of shape (n_groups, n_groups)
        What :func:`depth_of_valleys` returns.
    labels : ndarray of shape (n_customers,)
        The groups of the customers; groups without customers do not count.

    Returns
    -------
    ndarray of shape (n_customers,)
        The joined groups, from 0.
    """
    populated, place = np.unique(labels, return_inverse=True)
    ratios = ratios[np.ix_(populated, populated)]
    one_hill = ratios >= NO_VALLEY
    if one_hill.sum() > len(populated):
        one_hill = ratios >= SHALLOW
    return np.asarray(connected_components(one_hill, directed=False)[1][place], dtype=np.int64)


def _ratio(one: Floats, other: Floats) -> float:
    centers = one.mean(axis=0), other.mean(axis=0)
    one, other = one - centers[0], other - centers[1]
    within = (one.T @ one + other.T @ other) / (len(one) + len(other))
    least = RIDGE * within.trace() / len(within)
    between = centers[1] - centers[0]
    if least == 0.0:  # both groups are single points
        return 0.0 if between.any() else 1.0
    direction = np.linalg.solve(within + least * np.eye(len(within)), between)
    first, second = (one + centers[0]) @ direction, (other + centers[1]) @ direction
    spread = min(first.std(), second.std())
    start, end = np.median(first), np.median(second)
    if spread == 0.0 or start == end:  # one of them is a single point
        return 0.0 if start != end else 1.0
    # Silverman's rule of thumb, for the group that is narrower or smaller
    bandwidth = 1.06 * spread * min(len(first), len(second)) ** -0.2
    points = np.linspace(start, end, N_POINTS)[:, None]
    density = np.exp(-0.5 * ((points - np.concatenate([first, second])) / bandwidth) ** 2).sum(axis=1)
    lowest = N_OUTER + int(density[N_OUTER:-N_OUTER].argmin())
    return float(min(1.0, density[lowest] / min(density[:lowest].max(), density[lowest + 1 :].max())))

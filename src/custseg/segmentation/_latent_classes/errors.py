"""Standard errors of latent classes from the curvature of the log-likelihood.

The information of the customers is what they would say if their classes were known, less what is
lost because they are not (Louis): ``I = I_complete - cov(score of the complete data | data)``. Both
parts are sums of products of scores, taken in blocks of rows. The parameters are logits, means and
logarithms of standard deviations; the errors of probabilities follow by the delta method.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from custseg._core.arrays import Bools, Floats, Integers
from custseg._core.threads import one_thread
from custseg._core.warning import warn
from custseg.segmentation._latent_classes.design import Design
from custseg.segmentation._latent_classes.em import Classes, log_joint

__all__ = ["ClassErrors", "posterior", "standard_errors"]


# A probability so near to 0 (and hence its complement to 1) lies on the edge of what is possible.
EDGE = 1e-6
# Numbers in the largest intermediate array (64 MB).
BLOCK = 8_000_000
# A direction in which less than this share of the complete information is left is not identified: EM itself
# would take tens of thousands of steps along it.
SMALLEST_INFORMATION = 1e-4
# How much of such a direction a parameter may hold and still have an error.
UNIDENTIFIED = 1e-6
# A few seconds and 200 MB.
MOST_PARAMETERS = 3_000


@dataclass(frozen=True)
class ClassErrors:
    """Standard errors in the shapes of :class:`Classes`; NaN where the data say none.

    ``deviations`` are those of the standard deviations, not of the variances.
    """

    shares: Floats
    levels: Floats
    means: Floats
    deviations: Floats


def posterior(joint: Floats) -> tuple[Floats, Floats]:
    """Return the probability of every class and the log-likelihood of every row from ``log_joint``."""
    top = joint.max(axis=1, keepdims=True)
    shares = np.exp(joint - top)
    total = shares.sum(axis=1, keepdims=True)
    return shares / total, (np.log(total) + top)[:, 0]


def standard_errors(classes: Classes, design: Design, counts: Floats, floor: float) -> ClassErrors:
    """Return the standard errors of the parameters at the maximum of the likelihood.

    Parameters
    ----------
    classes : Classes
        The estimates.
    design : Design
        The distinct rows they were estimated from.
    counts : ndarray of shape (n_rows,)
        The weight of each.
    floor : float
        The least variance: one that lies on it is taken as given.

    Returns
    -------
    ClassErrors
        NaN for a probability of 0 or 1, a standard deviation on the floor, and what the data cannot
        tell apart (a model with too many classes); all NaN, with a warning, of more than 3,000 parameters.

    References
    ----------
    .. [1] T. A. Louis (1982), "Finding the observed information matrix when using the EM algorithm",
       Journal of the Royal Statistical Society B 44, 226-233.
    """
    with one_thread():
        free = _free(classes, design, floor)
        if free.sum() > MOST_PARAMETERS:
            return _too_many(classes, int(free.sum()))
        lost, mass = _lost_information(classes, design, counts, free)
        complete = _complete_information(classes, design, mass, float(counts.sum()))
        covariance = np.full(complete.shape, np.nan)
        covariance[np.ix_(free, free)] = _invert(complete[np.ix_(free, free)], lost)
    return _delta(classes, design, covariance, free)


def _too_many(classes: Classes, n_parameters: int) -> ClassErrors:
    warn(
        f"{n_parameters:,} parameters are too many for standard errors, which take their square in memory and their "
        f"cube in time; of more than {MOST_PARAMETERS:,} there are none. Pass standard_errors=False, or fewer columns."
    )
    shown = (classes.shares, classes.levels, classes.means, classes.variances)
    return ClassErrors(*(np.full(values.shape, np.nan) for values in shown))


def _lost_information(classes: Classes, design: Design, counts: Floats, free: Bools) -> tuple[Floats, Floats]:
    """Sum the covariances of the free scores given the rows; also the statistics of each class.

    The parameters are the logits of the shares, then class by class those of the levels, the means
    and the logarithms of the standard deviations.
    """
    n_classes, n_own = len(classes.shares), design.n_levels + 2 * design.n_numbers
    size = int(free.sum())
    position: Integers = np.append(0, np.cumsum(free))  # of every parameter among the free ones
    lost, mass = np.zeros((size, size)), np.zeros((n_classes, design.matrix.shape[1]))
    step = max(1, BLOCK // max(size, 1))
    for start in range(0, len(counts), step):
        part = replace(design, matrix=design.matrix[start : start + step])
        belongs, _ = posterior(log_joint(classes, part))
        roots = np.sqrt(counts[start : start + step])[:, None]
        answered = _answered(part)
        mass += (belongs * roots**2).T @ part.matrix
        products = np.empty((len(roots), size))
        products[:, : position[n_classes]] = (belongs * roots)[:, free[:n_classes]]
        for k in range(n_classes):
            own = slice(n_classes + k * n_own, n_classes + (k + 1) * n_own)
            inside = slice(position[own.start], position[own.stop])
            scores = _scores(classes, part, answered, k)[:, free[own]] * roots
            products[:, inside] = scores * belongs[:, k, None]
            scores *= np.sqrt(belongs[:, k, None])
            lost[inside, inside] += scores.T @ scores
            if free[k]:
                first = (products[:, inside] * roots).sum(axis=0)
                lost[position[k], inside] += first
                lost[inside, position[k]] += first
                lost[position[k], position[k]] += (belongs[:, k, None] * roots**2).sum()
        lost -= products.T @ products
    return lost, mass


def _answered(design: Design) -> Floats:
    """Say for every level column whether its characteristic is known."""
    levels = design.matrix[:, design.levels]
    if not design.n_levels:
        return levels
    return np.repeat(np.add.reduceat(levels, design.level_starts, axis=1), design.level_sizes, axis=1)


def _scores(classes: Classes, design: Design, answered: Floats, k: int) -> Floats:
    """Return the derivatives of the log-density of class ``k``; the means in its standard deviations."""
    known = design.matrix[:, design.known_columns]
    standardised = (design.matrix[:, design.numbers] - known * classes.means[k]) / np.sqrt(classes.variances[k])
    levels = design.matrix[:, design.levels] - answered * classes.levels[k]
    return np.concatenate([levels, standardised, standardised**2 - known], axis=1)


def _complete_information(classes: Classes, design: Design, mass: Floats, total: float) -> Floats:
    n_classes, n_own = len(classes.shares), design.n_levels + 2 * design.n_numbers
    size = n_classes + n_classes * n_own
    found = np.zeros((size, size))
    found[:n_classes, :n_classes] = total * _multinomial(classes.shares)
    for k in range(n_classes):
        begin = n_classes + k * n_own
        for start, width in zip(design.level_starts, design.level_sizes, strict=True):
            own = slice(begin + start, begin + start + width)
            answered = mass[k, design.levels][start : start + width].sum()
            found[own, own] = answered * _multinomial(classes.levels[k, start : start + width])
        known = mass[k, design.known_columns]
        numbers = np.arange(begin + design.n_levels, begin + n_own)
        found[numbers, numbers] = np.concatenate([known, 2.0 * known])
    return found


def _multinomial(shares: Floats) -> Floats:
    return np.diag(shares) - np.outer(shares, shares)


def _free(classes: Classes, design: Design, floor: float) -> Bools:
    """Say which parameters may vary: not those on an edge, and all logits but one of each characteristic."""
    parts = [_free_logits(classes.shares)]
    for k in range(len(classes.shares)):
        for start, width in zip(design.level_starts, design.level_sizes, strict=True):
            parts.append(_free_logits(classes.levels[k, start : start + width]))
        parts.append(np.ones(design.n_numbers, dtype=bool))
        parts.append(classes.variances[k] > floor * (1.0 + 1e-9))
    return np.concatenate(parts)


def _free_logits(shares: Floats) -> Bools:
    free = shares >= EDGE
    free[shares.argmax()] = False
    return free


def _invert(complete: Floats, lost: Floats) -> Floats:
    """Invert the information that is left; NaN for parameters it says nothing about or cannot tell apart."""
    found = np.full(complete.shape, np.nan)
    scale = np.diag(complete)
    some = np.flatnonzero(scale > 0)
    if not len(some):
        return found
    inside = np.ix_(some, some)
    roots = np.sqrt(np.outer(scale[some], scale[some]))
    values, vectors = np.linalg.eigh((complete - lost)[inside] / roots)
    solid = values > SMALLEST_INFORMATION
    inverse = (vectors[:, solid] / values[solid]) @ vectors[:, solid].T / roots
    vague = (vectors[:, ~solid] ** 2).sum(axis=1) > UNIDENTIFIED
    inverse[vague], inverse[:, vague] = np.nan, np.nan
    found[inside] = inverse
    return found


def _delta(classes: Classes, design: Design, covariance: Floats, free: Bools) -> ClassErrors:
    n_classes, n_own = len(classes.shares), design.n_levels + 2 * design.n_numbers
    shares = _logit_errors(classes.shares, covariance[:n_classes, :n_classes], free[:n_classes])
    levels = np.full((n_classes, design.n_levels), np.nan)
    rest = np.empty((n_classes, 2 * design.n_numbers))
    for k in range(n_classes):
        begin = n_classes + k * n_own
        for start, width in zip(design.level_starts, design.level_sizes, strict=True):
            own, part = slice(begin + start, begin + start + width), slice(start, start + width)
            levels[k, part] = _logit_errors(classes.levels[k, part], covariance[own, own], free[own])
        rest[k] = np.sqrt(np.diag(covariance)[begin + design.n_levels : begin + n_own])
    deviations = np.sqrt(classes.variances)
    return ClassErrors(
        shares, levels, rest[:, : design.n_numbers] * deviations, rest[:, design.n_numbers :] * deviations
    )


def _logit_errors(shares: Floats, covariance: Floats, free: Bools) -> Floats:
    """Carry the covariance of free logits over to the probabilities; NaN for those on the edge."""
    errors = np.full(len(shares), np.nan)
    if len(shares) == 1:
        return np.zeros(1)
    if free.any():
        inside = shares >= EDGE
        slopes = _multinomial(shares)[np.ix_(inside, free)]
        variances = np.einsum("ij,jk,ik->i", slopes, covariance[np.ix_(free, free)], slopes)
        errors[inside] = np.sqrt(np.maximum(variances, 0.0))
    return errors

"""Latent classes for one number of segments after the other, and what the information criteria say of each."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from custseg._core.arrays import Floats, Integers
from custseg.exceptions import InfeasibleError
from custseg.segmentation._latent_classes.design import Design, NumberPart, collapse, encode, make_part
from custseg.segmentation._latent_classes.em import fit_latent_classes, log_joint
from custseg.segmentation._latent_classes.errors import posterior
from custseg.segmentation._selection.space import Space

__all__ = ["ClassSolution", "class_solutions"]


# Starts of EM for each number of classes; every third is run to the end.
N_INIT = 6
# The criteria differ by tens: the last digits of a log-likelihood do not matter.
TOLERANCE = 1e-3
MOST_STEPS = 500
# The least variance of a number in a class, as a share of that of all customers.
LEAST_VARIANCE = 0.01
# Characteristics that correlate so highly say the same and count as one.
SAME_THING = 0.95
# The search ends where so many numbers in a row were worse than the best.
PATIENCE = 3


@dataclass(frozen=True)
class ClassSolution:
    """Latent classes of one number.

    Attributes
    ----------
    n_classes : int
        The number of classes.
    log_likelihood, bic, icl : float
        Of the customers, numbers in standard deviations; lower criteria are better.
    labels : ndarray of shape (n_customers,)
        The most likely class of each customer.
    """

    n_classes: int
    log_likelihood: float
    bic: float
    icl: float
    labels: Integers


def class_solutions(space: Space, most: int, random: np.random.RandomState) -> Iterator[ClassSolution]:
    """Fit latent classes for 1, 2, ... segments until one more no longer pays.

    The log-likelihood of a characteristic counts by its weight, as a share of the largest one; that of a question is
    the sum over its yes/no columns, each by its weight. Characteristics that say the same share one weight. With equal
    weights it is that of the latent class model.

    Parameters
    ----------
    space : Space
        The customers, in canonical order.
    most : int
        The largest number of classes.
    random : RandomState
        Source of the starts.

    Yields
    ------
    ClassSolution
        For every number from 1; the last one is ``most``, or three beyond that of the lowest BIC, or the
        last at which no class empties.
    """
    table = space.evidence
    everyone = np.ones(table.n_customers)
    parts = [part for part in (make_part(column, everyone) for column in table.columns) if part is not None]
    encoded, _ = encode(parts, table)
    patterns = collapse(parts, encoded, everyone)
    weights = _evidence_weights(space, [part.column for part in parts])
    design = Design.of(parts, patterns.values, weights)
    own = [2 if isinstance(part, NumberPart) else len(part.levels) - 1 for part in parts]
    per_class = float(weights @ np.array(own, dtype=np.float64))
    best, since = math.inf, 0
    for n_classes in range(1, min(most, patterns.n_patterns) + 1):
        try:
            found = fit_latent_classes(
                design,
                patterns.counts,
                n_classes,
                n_init=N_INIT,
                max_iter=MOST_STEPS,
                tol=TOLERANCE,
                floor=LEAST_VARIANCE,
                random_state=random,
            )
        except InfeasibleError:  # a class empties in every start: there are not so many
            return
        belongs, each = posterior(log_joint(found.classes, design))
        log_likelihood = float(patterns.counts @ each)
        n_parameters = n_classes - 1 + n_classes * per_class
        bic = -2.0 * log_likelihood + n_parameters * math.log(table.n_customers)
        doubt = -float(patterns.counts @ (belongs * np.log(np.maximum(belongs, 1e-300))).sum(axis=1))
        labels = belongs.argmax(axis=1)[patterns.inverse]
        yield ClassSolution(n_classes, log_likelihood, bic, bic + 2.0 * doubt, labels)
        best, since = (bic, 0) if bic < best else (best, since + 1)
        if since == PATIENCE:
            return


def _evidence_weights(space: Space, names: list[str]) -> Floats:
    weights = np.array([space.weights[name] for name in names])
    scores = space.scores()
    values = np.array([scores[name] for name in names if name in scores])
    if len(values) > 1:
        alike = np.abs(np.corrcoef(values)) >= SAME_THING
        weights[[name in scores for name in names]] /= alike.sum(axis=0)
    return np.asarray(weights / weights.max(initial=np.finfo(np.float64).tiny))

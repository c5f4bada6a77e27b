"""Which class a customer belongs to: the probability of every class, and the most likely one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from custseg._core.arrays import Floats, Integers
from custseg.segmentation._latent_classes.design import Design, NumberPart, Part
from custseg.segmentation._latent_classes.em import Classes, log_joint

__all__ = ["joint_of", "most_likely"]


# Numbers in the largest design matrix that is made for new customers (64 MB).
BLOCK = 8_000_000
# Classes whose log-probabilities differ by less than this, plus a share of them that covers rounding, are
# equally likely: the first one is taken.
EQUAL = 1e-9
ROUNDING = 1e-12


def joint_of(parts: Sequence[Part], classes: Classes, encoded: Floats) -> Floats:
    """Return the log-probability of every class and customer, numbers in their own units."""
    joint = np.empty((len(encoded), len(classes.shares)))
    positions = [p for p, part in enumerate(parts) if isinstance(part, NumberPart)]
    log_units = np.array([part.log_unit for part in parts if isinstance(part, NumberPart)])
    width = 1 + classes.levels.shape[1] + 3 * len(positions)
    step = max(1, BLOCK // width)
    for start in range(0, len(encoded), step):
        rows = encoded[start : start + step]
        units = (~np.isnan(rows[:, positions]) * log_units).sum(axis=1)
        joint[start : start + step] = log_joint(classes, Design.of(parts, rows)) - units[:, None]
    return joint


def most_likely(joint: Floats) -> Integers:
    """Return the most likely class; rounding never decides, so that a label does not depend on the rows beside it."""
    top = joint.max(axis=1, keepdims=True)
    return np.asarray((joint >= top - EQUAL - ROUNDING * np.abs(top)).argmax(axis=1), dtype=np.int64)

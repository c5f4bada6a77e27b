"""How much each customer counts: sample weights as they are checked."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import _check_sample_weight

from custseg._core.arrays import Floats
from custseg._core.customers import CustomerTable
from custseg.exceptions import InvalidParameterError

__all__ = ["customer_mass"]

# Figures such as a log-likelihood are sums over the weights, with products of a few of them on the way.
LEAST_MASS, MOST_MASS = 1e-100, 1e100


def customer_mass(sample_weight: npt.ArrayLike | None, table: CustomerTable) -> Floats:
    """Return the weight of every row; refuse negative ones, and a total of 0 or at the ends of the range of numbers."""
    if sample_weight is None:
        return np.ones(table.n_customers)
    rows = np.empty((table.n_customers, 1))
    mass = _check_sample_weight(sample_weight, rows, dtype=np.float64, allow_all_zero_weights=True)
    if (mass < 0).any() or not mass.any():
        raise InvalidParameterError.not_allowed(
            "sample_weight", "numbers >= 0 that are not all zero", f"weights from {mass.min():g} to {mass.max():g}"
        )
    with np.errstate(over="ignore"):
        total = float(mass.sum())
    if not LEAST_MASS <= total <= MOST_MASS:
        words = f"weights with a total from {LEAST_MASS:g} to {MOST_MASS:g} (multiply all by one number)"
        raise InvalidParameterError.not_allowed("sample_weight", words, total)
    return np.asarray(mass, dtype=np.float64)

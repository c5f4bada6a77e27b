"""Customers without segments: draws that keep everything about a table but its clusters.

The null of the structure test is one continuum. Its draws keep the values of every column, where
values are missing and how columns go together, straight or curved, as far as the number of
customers shows it; what they lack is gaps between groups of customers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.utils import check_random_state

from custseg._core.arrays import Floats
from custseg._core.customers import Column, CustomerTable
from custseg.segmentation._selection import copula
from custseg.segmentation._selection.copula import Part

__all__ = ["NullGenerator"]

# The calibration sample is part of the method, not of the randomness of a draw.
_CALIBRATION_SEED = 0


@dataclass(frozen=True)
class NullGenerator:
    """Smoothed copula with the margins, associations and missing pattern of a table.

    Every customer is placed in the space of latent normal variables behind the columns
    (:mod:`custseg.segmentation._selection.copula`), moved there by normal noise of the customers' own
    correlation, and shown again with the observed values: each numeric, binary and ordinal column
    hands out exactly its observed values by rank, ties included; a nominal column keeps its
    frequencies in expectation. The latent correlation is calibrated until the drawn columns correlate
    as the observed ones do.

    The share of noise decides what counts as one continuum. At 1 the draws come from a plain
    Gaussian copula, which knows nothing but straight association: recency, frequency and spend of
    a single population of buyers bend more than that and would be reported as segments. By default
    it follows Scott's bandwidth, the resolution at which so many customers can show a density.

    Attributes
    ----------
    correlation : ndarray of shape (n_latents, n_latents)
        Correlation of the latent variables of a draw; positive semi-definite.
    target : ndarray of shape (n_latents, n_latents)
        Observed correlations (pairwise complete) of the scores and level indicators.
    error : float
        Root mean square difference between the simulated and the observed correlations.
    noise : float
        The share of noise in the latent variance.
    columns : tuple of Column
        The fitted columns, rows in canonical order.
    n_customers : int
        Rows of every draw.

    Notes
    -----
    Taking the *observed* correlation for the latent one would weaken the associations of coarse
    columns in the draws, and the test would report segments in every correlated questionnaire.
    The result depends on the rows, not on their order.

    References
    ----------
    Cario, M. C. and Nelson, B. L. (1997), "Modeling and generating random vectors with arbitrary
    marginal distributions and correlation matrix". Silverman, B. W. and Young, G. A. (1987), "The
    bootstrap: to smooth or not to smooth?", Biometrika 74. Hoff, P. D. (2007), "Extending the rank
    likelihood for semiparametric copula estimation", Annals of Applied Statistics 1.

    Examples
    --------
    >>> import numpy as np
    >>> from custseg._core.customers import Column, CustomerTable
    >>> from custseg.segmentation._selection.null import NullGenerator
    >>> orders = Column("orders", "numeric", np.array([1.0, 1.0, 2.0, 5.0, np.nan]))
    >>> draw = NullGenerator.fit(CustomerTable((orders,), 5)).draw(random_state=0)
    >>> sorted(draw["orders"].values.tolist())
    [1.0, 1.0, 2.0, 5.0, nan]
    """

    columns: tuple[Column, ...]
    n_customers: int
    correlation: Floats
    target: Floats
    error: float
    noise: float
    _parts: tuple[Part, ...]
    _offsets: Floats
    _latents: Floats
    _noise_root: Floats

    @classmethod
    def fit(
        cls,
        table: CustomerTable,
        *,
        scores: Mapping[str, npt.ArrayLike] | None = None,
        noise: float | None = None,
    ) -> Self:
        """Calibrate the generator to a table.

        Parameters
        ----------
        table : CustomerTable
            At least one customer. Columns without two different known values are drawn as they are.
        scores : mapping of str to array-like of shape (n_customers,), optional
            For numeric, binary and ordinal columns: the numbers whose correlations are to be
            kept, a non-decreasing function of the values; the place in the distance is the natural
            choice. Default: the mid-ranks of the values. Entries at missing values are not read.
        noise : float in (0, 1], optional
            The share of noise in the latent variance. Default: h**2 / (1 + h**2) with Scott's
            bandwidth h = n_customers ** (-1 / (n_latents + 4)).

        Returns
        -------
        generator : NullGenerator
            Ready to draw.
        """
        order = np.lexsort([column.values for column in table.columns])
        table = replace(table.take(order), ids=None)
        given = {name: np.asarray(values, dtype=np.float64)[order] for name, values in (scores or {}).items()}
        parts: list[Part] = []
        features: list[Floats] = []
        for column in table.columns:
            start = parts[-1].latents.stop if parts else 0
            described = copula.describe(column, start, given.get(column.name))
            if described is not None:
                parts.append(described[0])
                features.append(described[1])
        if not parts:
            none = np.empty((0, 0))
            return cls(table.columns, table.n_customers, none, none, 0.0, 1.0, (), np.empty(0), none, none)
        target = copula.pairwise_correlation(np.column_stack(features))
        return cls(table.columns, table.n_customers, **_fitted(tuple(parts), target, table.n_customers, noise))

    def draw(self, random_state: int | np.random.RandomState | None = None) -> CustomerTable:
        """Draw as many customers as the table had, from one continuum.

        Parameters
        ----------
        random_state : int, RandomState or None
            Source of the randomness.

        Returns
        -------
        table : CustomerTable
            The columns of the fitted table, in their order, without ids.
        """
        random = check_random_state(random_state)
        drawn: dict[str, npt.NDArray[Any]] = {}
        if self._parts:
            moved = _moved(self._latents, self._noise_root, self.noise, random)
            latents = copula.recolored(moved, self.correlation)
            drawn = {part.column.name: self._shown(part, latents[:, part.latents], random) for part in self._parts}
        columns = tuple(
            replace(column, values=drawn[column.name]) if column.name in drawn else column for column in self.columns
        )
        return CustomerTable(columns, self.n_customers)

    def _shown(self, part: Part, latents: Floats, random: np.random.RandomState) -> npt.NDArray[Any]:
        """Turn the latents of one column into its values, missing where the customer's value was."""
        values = part.column.values.copy()
        known = ~part.column.missing
        if not part.is_nominal:
            values[np.flatnonzero(known)[np.argsort(latents[known, 0], kind="stable")]] = part.margin
            return values
        chosen = np.argmax(latents[known] + self._offsets[part.latents], axis=1)
        shown = np.array([group[0] for group in part.levels])[chosen]
        if len(part.levels[-1]) > 1:
            rare = chosen == len(part.levels) - 1
            shown[rare] = random.choice(part.margin[np.isin(part.margin, part.levels[-1])], size=int(rare.sum()))
        values[known] = shown
        return values


def _fitted(parts: tuple[Part, ...], target: Floats, n_customers: int, noise: float | None) -> dict[str, Any]:
    """Calibrate a plain Gaussian copula, place the customers in its latent space, calibrate the moved customers."""
    random = np.random.RandomState(_CALIBRATION_SEED)
    n_latents = len(target)
    offsets = np.concatenate([np.log(part.shares) for part in parts])
    normals = copula.whitened(random.standard_normal((copula.N_SIMULATED, n_latents)))
    correlation, offsets, error = copula.calibrate(parts, target, normals, target, offsets)
    root = copula.square_root(correlation)
    bandwidth = n_customers ** (-1 / (n_latents + 4))
    noise = bandwidth**2 / (1 + bandwidth**2) if noise is None else noise
    latents = np.zeros((n_customers, n_latents))
    if noise < 1:
        latents = copula.latents_behind(parts, correlation, offsets, random)
        copies = -(-copula.N_SIMULATED // n_customers)
        base = np.concatenate([_moved(latents, root, noise, random) for _ in range(copies)])
        correlation, offsets, error = copula.calibrate(parts, target, base, correlation, offsets)
    return {
        "correlation": correlation,
        "target": target,
        "error": error,
        "noise": noise,
        "_parts": parts,
        "_offsets": offsets,
        "_latents": latents,
        "_noise_root": root,
    }


def _moved(latents: Floats, noise_root: Floats, noise: float, random: np.random.RandomState) -> Floats:
    """Mix the customers' latents with normal noise; the variance stays what it was."""
    normals = copula.whitened(random.standard_normal(latents.shape))
    moved: Floats = np.sqrt(1 - noise) * latents + np.sqrt(noise) * (normals @ noise_root)
    return moved

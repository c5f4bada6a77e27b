"""Customers of one continuum in the distances of others: what any picture of segments is to be compared with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from custseg._core.arrays import Floats
from custseg._core.customers import Column, CustomerTable
from custseg.segmentation._embedding.embedder import CharacteristicEmbedder
from custseg.segmentation._selection.null import NullGenerator

__all__ = ["one_continuum"]


def one_continuum(
    table: CustomerTable,
    embedder: CharacteristicEmbedder | None,
    matrix: npt.ArrayLike,
    *,
    n_draws: int,
    max_customers: int,
    random: np.random.RandomState,
) -> list[Floats]:
    """Draw customers with the columns and associations of others, but without groups, and embed them as these are.

    Parameters
    ----------
    table : CustomerTable
        The customers.
    embedder : CharacteristicEmbedder or None
        Fitted to them; None where ``matrix`` is taken as it is.
    matrix : array-like of shape (n_customers, n_columns)
        The embedded customers.
    n_draws : int
        The number of draws.
    max_customers : int
        Of more customers a random sample of so many is drawn after.
    random : RandomState
        Source of the randomness.

    Returns
    -------
    list of ndarray of shape (n_drawn, n_columns)
        One for each draw. They do not depend on the order of rows or named columns.

    Examples
    --------
    >>> import numpy as np
    >>> random = np.random.RandomState(0)
    >>> clouds = np.repeat([[0.0, 0.0], [9.0, 9.0]], 50, axis=0) + random.normal(size=(100, 2))
    >>> customers = CustomerTable(tuple(Column(f"x{i}", "numeric", x) for i, x in enumerate(clouds.T)), 100)
    >>> draw, = one_continuum(customers, None, clouds, n_draws=1, max_customers=500, random=random)
    >>> bool(np.isin(draw, clouds).all()), bool(np.corrcoef(draw.T)[0, 1] > 0.8)
    (True, True)
    """
    matrix = np.asarray(matrix, dtype=np.float64)
    if embedder is None:
        columns = tuple(Column(f"x{place}", "numeric", values) for place, values in enumerate(matrix.T))
        table, used = CustomerTable(columns, len(matrix)), [column.name for column in columns]
        scores = {column.name: column.values for column in columns}
    else:
        used = sorted(name for name in table.names if embedder.weights_[name] > 0)
        places = {str(name): place for place, name in enumerate(embedder.get_feature_names_out())}
        scores = {name: matrix[:, places[name]] for name in used if table[name].kind != "nominal"}
    rows = np.lexsort([table[name].values for name in used])
    if len(rows) > max_customers:
        # the rows are sorted, so the sample does not depend on the order in which they came
        rows = rows[np.sort(random.choice(len(rows), size=max_customers, replace=False))]
    table, scores = table.take(rows), {name: values[rows] for name, values in scores.items()}
    generator = NullGenerator.fit(table.select(used), scores=scores)
    return [_embedded(table, generator.draw(random), embedder) for _ in range(n_draws)]


def _embedded(table: CustomerTable, drawn: CustomerTable, embedder: CharacteristicEmbedder | None) -> Floats:
    if embedder is None:
        return np.column_stack([column.values for column in drawn.columns])
    by_name = {column.name: column for column in drawn.columns}
    table = replace(table, columns=tuple(by_name.get(column.name, column) for column in table.columns))
    return np.asarray(embedder.transform(table), dtype=np.float64)

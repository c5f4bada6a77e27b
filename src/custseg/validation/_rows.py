"""The rows of any data set a clusterer takes, drawn with replacement whatever their order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from custseg._core.arrays import Integers
from custseg._core.asking import asked, asking
from custseg._core.customers import CustomerTable, CustomerTableMixin, read_customers
from custseg._core.frames import collect, is_table, open_table
from custseg.exceptions import InvalidTableError
from custseg.segmentation._for_validation import Segmenter, counted_by, read_as_fit


@dataclass(frozen=True)
class Rows:
    """A data set by its distinct rows.

    Rows that are identical in the columns that count are interchangeable and the distinct ones stand
    in an order given by their content, so that neither a bootstrap sample nor a prediction depends on
    the order of the table, nor on a column of weight 0.

    Attributes
    ----------
    data : CustomerTable, pandas DataFrame, narwhals DataFrame or ndarray
        All rows, in the order of the table.
    n_rows : int
        Their number.
    first : ndarray of shape (n_patterns,)
        Position of one row of each pattern (distinct row), in the order of content.
    pattern : ndarray of shape (n_rows,)
        The pattern of each row.
    counts : ndarray of shape (n_patterns,)
        How many rows bear each pattern.
    """

    data: Any
    n_rows: int
    first: Integers
    pattern: Integers
    counts: Integers

    @property
    def whole(self) -> Any:
        """All rows, as a clusterer takes them."""
        return self.data.to_native() if isinstance(self.data, nw.DataFrame) else self.data

    @property
    def distinct(self) -> Any:
        """One row per pattern, as a clusterer takes them."""
        return self.take(np.arange(len(self.first)))

    def take(self, patterns: Integers) -> Any:
        """Return one row for each of the given patterns, as a clusterer takes them."""
        positions = self.first[patterns]
        if isinstance(self.data, pd.DataFrame):
            return self.data.iloc[positions]
        if isinstance(self.data, nw.DataFrame):
            return self.data[positions].to_native()
        return self.data.take(positions) if isinstance(self.data, CustomerTable) else self.data[positions]

    def without_data(self) -> Rows:
        """Keep what is needed to draw and to count, and no customers."""
        return replace(self, data=None, pattern=self.pattern[:0])

    def draw(self, random: np.random.RandomState) -> Integers:
        """Draw as many rows as there are, with replacement; returns their patterns."""
        drawn: Integers = random.randint(self.n_rows, size=self.n_rows)
        if len(self.first) == self.n_rows:
            return drawn
        by_content: Integers = np.repeat(np.arange(len(self.first)), self.counts)
        return by_content[drawn]


def read_data(X: Any, clusterer: Any) -> Any:
    """Read what ``clusterer`` is to be fitted on, once, and return it as it takes it."""
    data = _read(X, clusterer)
    return data.to_native() if isinstance(data, nw.DataFrame) else data


def read_rows(X: Any, clusterer: Any) -> Rows:
    """Read what ``clusterer`` is to be fitted on; a table of customers is read only once."""
    data = _read(X, clusterer)
    n_rows = data.n_customers if isinstance(data, CustomerTable) else len(data)
    if n_rows == 0:
        raise InvalidTableError.empty()
    codes = [pd.factorize(values, sort=True)[0] for values in _columns(data, clusterer)]
    if not codes:
        raise InvalidTableError(f"{asked()} got a table without columns. Pass at least one characteristic.")
    order = np.lexsort(codes)
    starts = np.ones(n_rows, dtype=bool)
    starts[1:] = np.any([column[order[1:]] != column[order[:-1]] for column in codes], axis=0)
    pattern = np.empty(n_rows, dtype=np.int64)
    pattern[order] = np.cumsum(starts) - 1
    return Rows(data, n_rows, order[starts], pattern, np.bincount(pattern))


def _read(X: Any, clusterer: Any) -> Any:
    if isinstance(X, CustomerTable) and isinstance(clusterer, CustomerTableMixin):
        return replace(X, ids=None)
    if is_table(X):
        if isinstance(clusterer, CustomerTableMixin):
            return replace(_as_fit(clusterer, X), ids=None)
        if isinstance(X, pd.DataFrame):
            return X
        return collect(open_table(X, in_order=True).frame)
    if sparse.issparse(X):
        raise InvalidTableError(
            f"{asked()} got a sparse matrix. Pass X.toarray(), or fewer columns if that is too large."
        )
    matrix = np.asarray(X)
    if matrix.ndim != 2:
        raise InvalidTableError(
            f"{asked()} expects a table or a matrix with customers in rows, got an array with {matrix.ndim} "
            "dimension(s). Reshape a single characteristic with X.reshape(-1, 1)."
        )
    return matrix


def _as_fit(clusterer: Any, X: Any) -> CustomerTable:
    """Read a table as the ``fit`` of a clusterer over customers does, whether it is a segmenter of ours or not."""
    if isinstance(clusterer, Segmenter):
        return read_as_fit(clusterer, X)
    own = clusterer.get_params(deep=False)
    customer_id, kinds = own.get("customer_id"), own.get("kinds")
    pairs = clusterer._pairs(fitting=True)  # noqa: SLF001 - as its own fit reads text
    with asking(type(clusterer).__name__):
        return read_customers(X, customer_id=customer_id, kinds=kinds, pairs=pairs).without_rounding()


def _columns(data: Any, clusterer: Any) -> Iterator[npt.NDArray[Any]]:
    """Yield the values of each column that counts; named ones in the order of their names."""
    if isinstance(data, CustomerTable):
        yield from (data[name].values for name in sorted(counted_by(clusterer, data.names)))
    elif isinstance(data, pd.DataFrame):
        names = [str(name) for name in data.columns]
        counted = set(counted_by(clusterer, names))
        for name, position in sorted((name, position) for position, name in enumerate(names)):
            if name in counted:
                yield _comparable(nw.from_native(data.iloc[:, position], series_only=True))
    elif isinstance(data, nw.DataFrame):
        yield from (_comparable(data[name]) for name in sorted(counted_by(clusterer, data.columns)))
    else:
        for values in data.T:
            yield values if values.dtype != object else _as_text(values.tolist())


def _comparable(series: nw.Series[Any]) -> npt.NDArray[Any]:
    if series.dtype.is_numeric() or series.dtype == nw.Boolean:
        return series.cast(nw.Float64).to_numpy()
    return _as_text(series.to_list())


def _as_text(values: list[Any]) -> npt.NDArray[Any]:
    return np.array([str(value) for value in values], dtype=object)

"""Scores from 1 to 5 for recency, frequency and monetary value, the best customers highest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Self

import narwhals.stable.v2 as nw
import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import TransformerMixin
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from custseg._core.arrays import Floats
from custseg._core.asking import asked
from custseg._core.base import Estimator, TableOutputMixin
from custseg._core.characteristic import Characteristic, number
from custseg._core.customer_frames import write_customers
from custseg._core.customers import Column, CustomerTable, read_customers
from custseg._core.described import OVERRIDES, ByColumn, DescribedMixin, missing_share
from custseg._core.exact import refuse_inexact_ids
from custseg._core.frames import collect, open_table, output_kind, with_index
from custseg._core.ids import DEFAULT_ID, ID_OR_ROWS, check_chosen, refuse_default, refuse_levels, row_index
from custseg._core.native import from_native
from custseg._core.params import NONE, Integer, ParameterTable, Where
from custseg._core.paths import is_path
from custseg._core.rounding import rounding_of
from custseg.exceptions import (
    ColumnNotFoundError,
    ColumnTypeError,
    CustomerIdError,
    DuplicateColumnError,
    InvalidParameterError,
    InvalidTableError,
    list_names,
)

SCORED = ("recency", "frequency", "monetary")


def _are_edges(edges: Any) -> bool:
    if not isinstance(edges, (list, tuple, np.ndarray)):
        return False
    try:
        numbers = np.asarray(edges, dtype=np.float64)
    except (TypeError, ValueError):
        return False
    return numbers.ndim == 1 and len(numbers) > 0 and bool(np.isfinite(numbers).all() and (np.diff(numbers) > 0).all())


def _are_edges_by_name(value: Any) -> bool:
    return isinstance(value, Mapping) and set(value) <= set(SCORED) and all(map(_are_edges, value.values()))


class RFMScorer(DescribedMixin, TableOutputMixin, TransformerMixin, Estimator, auto_wrap_output_keys=None):
    """Score recency, frequency and monetary value, the best customers highest.

    The customers of ``fit`` are cut into ``n_bins`` groups of equal size by each of the three
    characteristics; the cuts are kept and applied to any customers after that. The most recent, the
    most frequent and the highest spending get the highest score, ``n_bins``.

    Parameters
    ----------
    n_bins : int, default=5
        Number of scores, from 1 to ``n_bins``; at least 2.
    customer_id : str or None, default="customer_id"
        The column that identifies the customers, where it is not the index of a pandas DataFrame. None where
        each row is a customer and every column a characteristic.
    edges : mapping of str to sequence of float or None, default=None
        Cuts to use instead of those learned, for any of ``"recency"``, ``"frequency"`` and
        ``"monetary"``: strictly increasing numbers in the units of the characteristic. A value that
        equals a cut belongs below it. ``{"recency": [30, 90, 365]}`` gives score 4 up to 30 days, then 3,
        2 and, above 365, 1.
    labels : mapping of str to str or None, default=None
        What columns are called in words, in place of what :meth:`describe` calls them.
    units : mapping of str to str or None, default=None
        The units of columns, in place of those of :meth:`describe`.
    roles : mapping of str to str or None, default=None
        The roles of columns, in place of those of :meth:`describe`.

    Attributes
    ----------
    edges_ : dict of str to tuple of float
        The cuts by characteristic: the highest value of each group but the last. Where many customers
        share a value, a cut may come several times.
    attainable_scores_ : dict of str to tuple of int
        The scores that a value can get at all, by output column. Scores are missing here where equal
        values would have to be parted to make groups of equal size.
    feature_names_in_ : ndarray of str
        The columns that were read in ``fit``.
    n_features_in_ : int
        Their number.

    See Also
    --------
    RFMFeaturizer : Gives the three characteristics.

    Notes
    -----
    Equal values get equal scores, always. Where ties make a group empty its score is not given out, and
    no other score is renamed to fill the gap: of 80 customers with one purchase, 12 with two and 8 with
    three, the 80 get score 1, all others 5. Values beyond those of ``fit`` get the score at that end. A
    missing value has a missing score, and takes no part in learning.

    The best customers always have the score ``n_bins`` and the worst 1, in all three, however many of them
    are equal: of 70 customers with one purchase and 30 with two, the 30 get 5. Where all have the same value
    nobody is better than another, and everybody has one score: 5 of recency, 1 of the others.

    The cut above the worst ``b / n_bins`` of the customers is the first value, from the worst to the best,
    that at least this share of them does not exceed (the inverse of the empirical distribution function),
    but always below that of the best. It is the same for all three: recencies that are the frequencies
    turned round get their scores. A value that exceeds a cut by rounding alone (1e-11 of it) equals it.

    The columns may carry the prefix of a union (``rfm__recency``), if only one prefix has all three.

    References
    ----------
    .. [1] Hughes, A. M. (1994). *Strategic Database Marketing*. Probus.

    Examples
    --------
    >>> import pandas as pd
    >>> from custseg.characteristics import RFMScorer
    >>> customers = pd.DataFrame(
    ...     {"recency": [3.0, 40.0, 400.0], "frequency": [9, 1, 1], "monetary": [20.0, 35.0, 5.0]},
    ...     index=pd.Index([7, 8, 9], name="customer_id"),
    ... )
    >>> scorer = RFMScorer(3).fit(customers)
    >>> scorer.transform(customers)
                 recency_score  frequency_score  monetary_score
    customer_id
    7                        3                3               2
    8                        2                1               3
    9                        1                1               1
    >>> scorer.attainable_scores_["frequency_score"]
    (1, 3)
    """

    _parameters: ClassVar[ParameterTable] = {
        "n_bins": (Integer(low=2),),
        "edges": (
            NONE,
            Where(
                _are_edges_by_name,
                f"a mapping from some of {list_names(SCORED)} to strictly increasing finite numbers",
            ),
        ),
        "customer_id": ID_OR_ROWS,
        **OVERRIDES,
    }

    criterion: ClassVar[str] = "behavioural"

    edges_: dict[str, tuple[float, ...]]
    attainable_scores_: dict[str, tuple[int, ...]]

    def __init__(
        self,
        n_bins: int = 5,
        *,
        customer_id: str | None = "customer_id",
        edges: Mapping[str, Sequence[float]] | None = None,
        labels: ByColumn = None,
        units: ByColumn = None,
        roles: ByColumn = None,
    ) -> None:
        self.n_bins = n_bins
        self.customer_id = customer_id
        self.edges = edges
        self.labels = labels
        self.units = units
        self.roles = roles

    def fit(self, X: Any, y: Any = None, sample_weight: npt.ArrayLike | None = None) -> Self:
        """Learn the cuts.

        Parameters
        ----------
        X : dataframe or path
            One row per customer; columns besides the three are ignored.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_customers,), optional
            How many customers each row stands for, 1 by default; a row of weight 0 does not count.

        Returns
        -------
        self : RFMScorer
            The fitted estimator.

        Raises
        ------
        InvalidParameterError
            If a parameter is out of its range.
        InvalidTableError
            If a column is missing, ambiguous or no number, the table is empty, or cuts are to be
            learned from missing values alone.
        """
        self._check()
        told = self._told(self._expected(), is_all=True)
        X = self._opened(X)
        table = self._read(X).without_rounding()
        check_chosen(X, self.customer_id, from_native(X).collect_schema().names())
        rows = np.empty((table.n_customers, 1))
        mass = _check_sample_weight(sample_weight, rows, dtype=np.float64, ensure_non_negative=True)
        given = self.edges or {}
        found = {}
        for name, column in zip(SCORED, table.columns, strict=True):
            if name in given:
                found[name] = tuple(float(edge) for edge in given[name])
            else:
                found[name] = tuple(map(float, self._learned(name, column, mass)))
        self._described = tuple(
            replace(each, missing_share=missing_share(column)) for each, column in zip(told, table.columns, strict=True)
        )
        self.edges_ = found
        self.attainable_scores_ = {
            f"{name}_score": tuple(sorted(_oriented(name, _filled_bins(edges), len(edges) + 1).tolist()))
            for name, edges in found.items()
        }
        self.feature_names_in_ = np.array(table.names, dtype=object)
        self.n_features_in_ = len(table.names)
        return self

    def transform(self, X: Any) -> Any:
        """Score customers.

        Parameters
        ----------
        X : dataframe or path
            One row per customer; columns besides the three are ignored.

        Returns
        -------
        scores : dataframe of shape (n_customers, 3)
            Columns ``recency_score``, ``frequency_score`` and ``monetary_score``: whole numbers from 1, or
            floats with NaN where a value is missing. Rows, ids and the kind of frame are those of ``X``
            (pandas for dask, ibis and a path, pyarrow for duckdb); no rows give no rows.

        Raises
        ------
        InvalidTableError
            If a column is missing, ambiguous or no number.
        CustomerIdError
            If the column ``customer_id`` is there and an id is missing or repeated.
        """
        check_is_fitted(self)
        X = self._opened(X)
        table = self._read(X, allow_empty=True)
        columns = []
        for name, column in zip(SCORED, table.columns, strict=True):
            edges = np.array(self.edges_[name])
            bins = np.searchsorted(edges + rounding_of(edges, column.rounding), column.values, side="left")
            scores = _oriented(name, bins, len(edges) + 1).astype(np.float64)
            columns.append(
                Column(f"{name}_score", "numeric", np.where(column.missing, np.nan, scores), is_integer=True)
            )
        return self._hand_out(X, columns)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray[Any, np.dtype[np.object_]]:
        """Return the names of the scores.

        Parameters
        ----------
        input_features : None
            Ignored: the names are always the same.

        Returns
        -------
        names : ndarray of str
            ``recency_score``, ``frequency_score``, ``monetary_score``.
        """
        check_is_fitted(self)
        return np.array([f"{name}_score" for name in SCORED], dtype=object)

    def _check(self) -> None:
        self._check_parameters()

    def _expected(self) -> Sequence[Characteristic]:
        highest = {name: len(edges) + 1 for name, edges in (self.edges or {}).items()}
        return [
            number(f"{name}_score", f"{name} score", f"points 1 to {highest.get(name, self.n_bins)}", "score")
            for name in SCORED
        ]

    def _opened(self, X: Any) -> Any:
        """Read a file, in the order of its rows; return any other table as it is."""
        if is_path(X):
            rows = collect(open_table(X, in_order=True).frame).to_pandas()
            return rows if self.customer_id is not None else rows.rename_axis(DEFAULT_ID)
        if isinstance(X, pd.DataFrame):
            return X
        frame = from_native(X, pass_through=True)
        if not isinstance(frame, nw.LazyFrame) or not frame.implementation.is_dask() or self.customer_id is None:
            return X
        return with_index(frame, [self.customer_id]).to_native()

    def _read(self, X: Any, *, allow_empty: bool = False) -> CustomerTable:
        if isinstance(X, pd.DataFrame) and not X.columns.is_unique:
            raise DuplicateColumnError.in_table(X.columns[X.columns.duplicated()].unique())
        frame = from_native(X, pass_through=True)
        if not isinstance(frame, (nw.DataFrame, nw.LazyFrame)):
            raise InvalidTableError.unsupported(X)
        names = _find_columns([str(name) for name in frame.collect_schema().names()])
        table = read_customers(frame.select(names).to_native(), allow_empty=allow_empty, with_ids=False)
        for column in table.columns:
            if column.kind != "numeric":
                remedy = "Pass the table that RFMFeaturizer gives."
                raise ColumnTypeError.expected(column.name, "numbers", column.kind, remedy)
        return table

    def _learned(self, name: str, column: Column, mass: Floats) -> Floats:
        counted = ~column.missing & (mass > 0)
        # from the worst customers to the best
        known, weights = _upwards(name, column.values[counted]), mass[counted]
        if (weights == 1.0).all():
            known = np.sort(known)
        else:
            order = np.argsort(known, kind="stable")
            known, weights = known[order], weights[order]
        if not len(known):
            raise InvalidTableError(
                f"{asked()}: column {column.name!r} has no value but missing ones, so no cuts can be "
                "learned from it. Pass customers with values, or the cuts as edges={...}."
            )
        # products of whole numbers where the weights are whole, so that no rounding moves a cut
        reached = np.cumsum(weights)
        positions = np.searchsorted(reached * self.n_bins, reached[-1] * np.arange(1, self.n_bins))
        cuts: Floats = known[positions]
        # a tie at the top is cut off below it, else no value would get the score at that end
        below = known[: np.searchsorted(known, known[-1])]
        if not len(below):
            return _upwards(name, cuts)
        cuts = np.minimum(cuts, below[-1])
        # a value that equals a cut of recency is on the better side of it, which begins with the next value
        return cuts if name != "recency" else -known[np.searchsorted(known, cuts, side="right")][::-1]

    def _hand_out(self, X: Any, columns: list[Column]) -> Any:
        frame = from_native(X)
        frame = frame.collect() if isinstance(frame, nw.LazyFrame) else frame
        kind = self._output_kind(output_kind(X))
        if self.customer_id is None:
            index = row_index(X)
            refuse_default(frame.columns)
            rows = nw.new_series(DEFAULT_ID, list(range(len(frame))), nw.Int64, backend=frame.implementation)
            return write_customers(rows, columns, kind=kind, customer_id=None, index=index)
        if self.customer_id in frame.columns:
            return write_customers(self._ids(frame.to_native()), columns, kind=kind, customer_id=self.customer_id)
        if not isinstance(X, pd.DataFrame):
            rows = nw.new_series("row", list(range(len(frame))), nw.Int64, backend=frame.implementation)
            bare = from_native(write_customers(rows, columns, kind=kind, customer_id="row"))
            return bare.to_native().reset_index(drop=True) if kind == "pandas" else bare.drop("row").to_native()
        refuse_levels(X, [self.customer_id])
        refuse_inexact_ids(self.customer_id, X.index)
        rows = nw.new_series("row", np.arange(len(X)), nw.Int64, backend="pandas")
        return write_customers(rows, columns, kind=kind, customer_id=None, index=X.index)

    def _ids(self, X: Any) -> nw.Series[Any]:
        name = str(self.customer_id)
        ids = collect(open_table(X, columns=[name], customer_id=name).frame)[name]
        n_missing = ids.null_count()
        if n_missing:
            raise CustomerIdError(
                f"{asked()}: {n_missing:,} row(s) have no id in column {self.customer_id!r}. Fill the ids in, or leave "
                "these rows out."
            )
        n_repeated = len(ids) - ids.n_unique()
        if n_repeated:
            example = ids.filter(ids.is_duplicated()).to_list()[0]
            raise CustomerIdError.repeated(self.customer_id, n_repeated, example)
        return ids


def _oriented(name: str, bins: npt.NDArray[np.int64], n_bins: int) -> npt.NDArray[np.int64]:
    """Turn the position of a bin, from low values to high, into a score."""
    return n_bins - bins if name == "recency" else bins + 1


def _upwards(name: str, values: Floats) -> Floats:
    """Return values of which the higher is the better."""
    return -values if name == "recency" else values


def _filled_bins(edges: Sequence[float]) -> npt.NDArray[np.int64]:
    """Return the positions of the bins that some number falls into."""
    bounds = np.array([-np.inf, *edges, np.inf])
    return np.flatnonzero(np.diff(bounds) > 0)


def _find_columns(available: Sequence[str]) -> list[str]:
    """Return the columns of the three characteristics, by their names or those of a union's member."""
    if set(SCORED) <= set(available):
        return list(SCORED)
    prefixes = {name.rpartition("__")[0] for name in available if name.rpartition("__")[2] == SCORED[0]}
    complete = sorted(
        prefix for prefix in prefixes if prefix and all(f"{prefix}__{name}" in available for name in SCORED)
    )
    if not complete:
        raise ColumnNotFoundError.in_table([name for name in SCORED if name not in available], available)
    if len(complete) > 1:
        raise InvalidParameterError(
            f"{asked()}: several members of a union have the columns {list_names(SCORED)}: {list_names(complete)}. "
            f"Pass the columns of one of them, for example X.filter(like={complete[0] + '__'!r})."
        )
    return [f"{complete[0]}__{name}" for name in SCORED]

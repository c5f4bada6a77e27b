"""A table of customers as every stage after the features sees it: typed columns, one row per customer.

The dtype says the kind: numbers are numeric, bools binary, ordered categories ordinal, text and
unordered categories nominal. Nothing else is needed and no hidden metadata travels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal, cast

import narwhals.stable.v2 as nw
import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from custseg._core.asking import asked, asks_as_class
from custseg._core.composed import merged_levels
from custseg._core.exact import as_stored, exact_below, exact_numbers, inexact_levels, refuse_inexact_levels
from custseg._core.frames import collect, is_table, open_table, with_index
from custseg._core.ids import read_ids
from custseg._core.in_threads import in_threads
from custseg._core.levels import level_text
from custseg._core.native import from_native
from custseg._core.optional import is_installed
from custseg._core.orders_in_files import orders_in_files
from custseg._core.pandas_columns import typed_pandas
from custseg._core.paths import is_path
from custseg._core.rounding import ROUNDING, rounding_in, without_rounding
from custseg._core.text_columns import TextReader
from custseg._core.unheld import held_by_polars
from custseg._core.uuids import arrow_uuids
from custseg.exceptions import (
    ColumnChangeError,
    ColumnTypeError,
    DuplicateColumnError,
    InvalidParameterError,
    InvalidTableError,
)

Kind = Literal["numeric", "binary", "ordinal", "nominal"]
# The declared kinds of columns: of some of them by name, or of whatever column is asked for.
Kinds = Mapping[str, str] | Callable[[str], str]
KINDS: tuple[Kind, ...] = ("numeric", "binary", "ordinal", "nominal")

# In fewer rows, values that all differ are no sign of an id.
_FEWEST_FOR_IDS = 10


@dataclass(frozen=True)
class Column:
    """One characteristic of all customers.

    Attributes
    ----------
    name : str
        Its name in the table.
    kind : {"numeric", "binary", "ordinal", "nominal"}
        What its values are.
    values : ndarray of shape (n_customers,)
        float64 with NaN for a missing value (numeric; binary as 0 and 1), or int64 positions in
        ``categories`` with -1 for a missing value (ordinal, nominal).
    categories : tuple of str
        The levels, in their order where the column is ordinal; empty for numbers.
    is_integer : bool
        Whether the table stored the numbers as integers: such a column may identify the customers.
    pair : tuple of str
        The words for yes and no, as they were spelt, where a binary column was text; else empty.
    exact : ndarray of shape (n_customers,) or None
        The numbers themselves (whole ones, or decimals; 0 for a missing value) where the table stores them exactly and
        ``values`` cannot: some are 2**53 or more.
    rounding : float
        The share of a number that is rounding, by the type that the table stored.
    """

    name: str
    kind: Kind
    values: npt.NDArray[Any]
    categories: tuple[str, ...] = ()
    is_integer: bool = False
    pair: tuple[str, ...] = ()
    exact: npt.NDArray[Any] | None = None
    rounding: float = ROUNDING

    @property
    def missing(self) -> npt.NDArray[np.bool_]:
        """Where the value is not known."""
        return self.values < 0 if self.kind in ("ordinal", "nominal") else np.isnan(self.values)

    def take(self, rows: npt.NDArray[Any]) -> Column:
        """Keep the given rows (positions or a mask)."""
        if rows.dtype == bool:
            rows = np.flatnonzero(rows)
        return replace(self, values=self.values.take(rows), exact=None if self.exact is None else self.exact[rows])

    def without_rounding(self) -> Column:
        """Make numbers equal that differ by rounding alone; those that were stored as whole numbers are exact."""
        if self.kind != "numeric" or self.is_integer:
            return self
        return replace(self, values=without_rounding(self.values, self.rounding))


@dataclass(frozen=True)
class CustomerTable:
    """Customers in rows, their characteristics in columns.

    Attributes
    ----------
    columns : tuple of Column
        The characteristics, in the order of the table.
    n_customers : int
        The number of rows.
    ids : ndarray of shape (n_customers,) or None
        The customer ids where the table has them.
    named : bool
        Whether the columns have names of their own; those of a matrix are called by their place.
    """

    columns: tuple[Column, ...]
    n_customers: int
    ids: npt.NDArray[Any] | None = field(default=None, repr=False)
    named: bool = True

    @property
    def names(self) -> list[str]:
        """The column names."""
        return [column.name for column in self.columns]

    def __getitem__(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    def take(self, rows: npt.NDArray[Any]) -> CustomerTable:
        """Keep the given rows (positions or a mask)."""
        columns = tuple(column.take(rows) for column in self.columns)
        n_customers = int(np.count_nonzero(rows)) if rows.dtype == bool else len(rows)
        ids = None if self.ids is None else self.ids[rows]
        return replace(self, columns=columns, n_customers=n_customers, ids=ids)

    def select(self, names: Iterable[str]) -> CustomerTable:
        """Keep the named columns, in the order of the names."""
        return replace(self, columns=tuple(self[name] for name in names))

    def without_rounding(self) -> CustomerTable:
        """Return the customers as something is to be learned from them: no difference is one of rounding alone."""
        columns = in_threads(Column.without_rounding, self.columns, n_rows=self.n_customers)
        return replace(self, columns=tuple(columns))


def read_customers(
    X: Any,
    *,
    customer_id: str | None = None,
    kinds: Kinds | None = None,
    allow_empty: bool = False,
    with_ids: bool = True,
    must_have_id: bool = False,
    pairs: Mapping[str, tuple[str, ...]] | None = None,
) -> CustomerTable:
    """Read a dataframe with one row per customer, or a path to one, into typed columns.

    A pandas index and a column named ``customer_id`` are ids, never characteristics. ``kinds``
    overrides what the dtype says ("numeric", "binary", "ordinal", "nominal"). A table without rows is
    refused unless ``allow_empty``.

    The order of categories is that of the dtype. A Parquet file has it where pandas, polars or pyarrow
    wrote it; of several files all must agree, and a folder of ``name=value`` folders loses it.

    Parameters
    ----------
    X : dataframe or path
        The table.
    customer_id : str or None, default=None
        The column, or the index level, of the ids; None where each row is a customer (see ``_core.ids``).
    kinds : mapping of str to str or None, default=None
        Kinds of columns that the dtype does not say.
    allow_empty : bool, default=False
        Whether the table may have no rows.
    with_ids : bool, default=True
        Whether the ids are wanted at all.
    must_have_id : bool, default=False
        Whether ids of another name than the default must be there, as where an estimator is fitted.
    pairs : mapping of str to tuple of str or None, default=None
        Columns of text with their words for yes and no, as ``fit`` found them: other words are missing there, with a
        warning, and all other text is levels. None finds the words, and refuses text that is dates.

    Returns
    -------
    CustomerTable
        The customers.
    """
    frame = X if isinstance(X, pd.DataFrame) else _eager(X, customer_id)
    names = list(frame.columns)
    if len(set(map(str, names))) < len(names):
        labels = pd.Index([str(name) for name in names])
        raise DuplicateColumnError.in_table(labels[labels.duplicated()].unique())
    if len(frame) == 0 and not allow_empty:
        raise InvalidTableError.empty("customer table")
    ids = read_ids(frame, customer_id, names, must_have_id=must_have_id) if with_ids else None
    names = [name for name in names if customer_id is None or name != customer_id]
    if not names:
        raise InvalidTableError(
            f"{asked()} got a customer table with 0 feature(s) (no column besides the ids) while a minimum of 1 "
            "is required. Pass at least one characteristic."
        )
    declared = _declared_kinds(kinds, map(str, names))
    texts = TextReader(pairs)
    columns = tuple(_read_column(frame[name], str(name), declared(str(name)), texts) for name in names)
    texts.warn_of_unseen()
    return CustomerTable(columns, len(frame), ids)


def read_input(X: Any, *, customer_id: str | None = None, kinds: Kinds | None = None) -> CustomerTable:
    """Read customers as an estimator does in ``fit``: a table of any kind, one that was read, or a numeric matrix."""
    if isinstance(X, CustomerTable):
        return X
    if is_table(X):
        return read_customers(X, customer_id=customer_id, kinds=kinds, must_have_id=True).without_rounding()
    return read_matrix(X, kinds=kinds).without_rounding()


def looks_like_id(column: Column) -> bool:
    """Say whether a column may identify the customers: text or whole numbers, known of many and never the same."""
    known = column.values[~column.missing]
    if column.kind not in ("nominal", "numeric") or len(known) < _FEWEST_FOR_IDS:
        return False
    is_whole = column.kind == "nominal" or bool((known == np.floor(known)).all())
    return is_whole and len(np.unique(known)) == len(known)


def check_kinds(kinds: Mapping[str, str], names: Iterable[str]) -> None:
    """Refuse kinds that do not exist, and kinds of columns that do not exist."""
    names = list(names)
    for name, kind in kinds.items():
        if name not in names:
            raise InvalidParameterError.unknown_name("column in kinds", name, names)
        if kind not in KINDS:
            raise InvalidParameterError.unknown_name(f"kind of column {name!r}", kind, KINDS)


def _declared_kinds(kinds: Kinds | None, names: Iterable[str]) -> Callable[[str], str | None]:
    """Check kinds by name, and return what gives the declared kind of a column, None where its dtype says it."""
    if callable(kinds):
        return kinds
    check_kinds(kinds or {}, names)
    return dict(kinds or {}).get


def _eager(X: Any, customer_id: str | None) -> nw.DataFrame[Any]:
    frame = open_table(X, in_order=True).frame if is_path(X) else from_native(X, pass_through=True)
    if not isinstance(frame, (nw.DataFrame, nw.LazyFrame)):
        raise InvalidTableError.unsupported(X)
    if customer_id is not None and frame.implementation.is_dask():
        frame = with_index(frame.lazy(), [customer_id])
    eager = collect(frame) if isinstance(frame, nw.LazyFrame) else frame
    if eager.implementation.is_pyarrow():
        eager = nw.from_native(held_by_polars(arrow_uuids(eager.to_native())), eager_only=True)
    return eager.with_columns(orders_in_files(X)) if is_path(X) and is_installed("pyarrow") else eager


def _read_column(series: Any, name: str, kind: str | None, texts: TextReader) -> Column:
    if isinstance(series, pd.Series):
        series = typed_pandas(series)
        if isinstance(series.dtype, pd.CategoricalDtype):
            return _categorical(series, name, kind)
        series = nw.from_native(series, series_only=True)
    dtype, native = series.dtype, series.to_native()
    if series.implementation.is_pyarrow() and hasattr(native.type, "ordered"):
        # narwhals knows neither the order of categories nor that they may be numbers
        levels = native.to_pandas() if native.type.ordered else pd.Series(series.to_list(), dtype="category")
        return _categorical(levels, name, kind)
    if isinstance(dtype, nw.Enum):
        categories = pd.CategoricalDtype(list(dtype.categories), ordered=True)
        return _categorical(pd.Series(series.to_list(), dtype=categories), name, kind)
    if dtype == nw.Unknown and series.null_count() == len(series):
        return _numbers(np.full(len(series), np.nan), name, kind or "numeric")
    if dtype.is_numeric() or dtype == nw.Boolean:
        # pyarrow refuses to make floats of whole numbers beyond 2**53, numpy those of more than 64 bits
        is_cast = not dtype.is_integer() or dtype in (nw.Int128, nw.UInt128)
        numbers = np.asarray((series.cast(nw.Float64) if is_cast else series).to_numpy(), dtype=np.float64)
        known_kind = kind or ("binary" if dtype == nw.Boolean else "numeric")
        column = _numbers(numbers, name, known_kind, exact=exact_numbers(series, numbers), dtype=dtype)
        return replace(column, is_integer=dtype.is_integer())
    if isinstance(dtype, (nw.String, nw.Categorical)):
        is_read = isinstance(native, pd.Series) and isinstance(native.dtype, pd.StringDtype)
        codes, levels = pd.factorize(native if is_read else pd.Series(series.to_list(), dtype="str"), sort=True)
        codes, levels = merged_levels(codes.astype(np.int64), map(str, levels))
        found = texts.read(name, codes, levels, kind, is_text=isinstance(dtype, nw.String))
        return Column(name, found.kind, found.values, found.levels, pair=found.pair)
    day = f"(table[{name!r}] - pandas.Timestamp('2024-01-01')).dt.days"
    remedy = f"Turn it into a number (for a time: days since a fixed day, for example {day}) or text, or drop it."
    raise ColumnTypeError.expected(name, "numbers, bools, text or categories", dtype, remedy)


def read_matrix(X: Any, *, kinds: Kinds | None = None) -> CustomerTable:
    """Read a numeric matrix with one row per customer, its columns called x0, x1, ..."""
    matrix = check_array(X, dtype=np.float64, ensure_all_finite="allow-nan", estimator=asked(), input_name="X")
    return _of_matrix(matrix, getattr(X, "dtype", None), None, kinds)


def _of_matrix(
    matrix: npt.NDArray[np.float64], dtype: Any, names: list[str] | None, kinds: Kinds | None
) -> CustomerTable:
    """Name the columns of a matrix, which came in some type of numbers, or in none."""
    dtype = dtype if dtype in (np.float32, np.float16) else None
    names = names or [f"x{position}" for position in range(matrix.shape[1])]
    declared = _declared_kinds(kinds, names)
    columns = tuple(
        _numbers(matrix[:, position], name, declared(name) or "numeric", dtype=dtype)
        for position, name in enumerate(names)
    )
    return CustomerTable(columns, len(matrix), named=False)


def _numbers(
    numbers: npt.NDArray[np.float64],
    name: str,
    kind: str,
    *,
    exact: npt.NDArray[Any] | None = None,
    dtype: Any = None,
) -> Column:
    """Return a column of numbers; of floats too large for their type nobody can say which level they were."""
    limit, rounding = exact_below(dtype), rounding_in(dtype)
    if np.isinf(numbers).any():
        raise ColumnTypeError.infinite(name, int(np.isinf(numbers).sum()))
    if kind in ("nominal", "ordinal"):
        if exact is None and (np.abs(numbers) >= limit).any():
            raise inexact_levels(name, limit)
        known, stored = ~np.isnan(numbers), as_stored(numbers, dtype) if exact is None else exact
        levels = np.unique(stored[known])
        codes = np.where(known, np.searchsorted(levels, stored), -1).astype(np.int64)
        return Column(name, cast("Kind", kind), codes, tuple(map(level_text, levels)))
    if kind == "binary" and not np.isin(numbers[~np.isnan(numbers)], (0.0, 1.0)).all():
        raise ColumnTypeError.expected(name, "0 or 1 to be binary", "other numbers", "Declare it numeric or nominal.")
    return Column(name, cast("Kind", kind), numbers, exact=exact, rounding=rounding)


def _categorical(series: pd.Series[Any], name: str, kind: str | None) -> Column:
    if kind in ("numeric", "binary"):
        raise ColumnTypeError.expected(name, f"numbers to be {kind}", "categories", "Drop it from kinds.")
    codes = series.cat.codes.to_numpy().astype(np.int64)
    refuse_inexact_levels(name, series.cat.categories)
    categories = [level_text(level) for level in series.cat.categories]
    if (kind or ("ordinal" if series.cat.ordered else "nominal")) == "ordinal":
        return Column(name, "ordinal", *merged_levels(codes, categories))
    # Levels of a nominal column are those that occur, in the order of their names, as for text.
    used = np.flatnonzero(np.bincount(codes + 1, minlength=len(categories) + 1)[1:])
    levels, positions = np.unique(np.array(categories, dtype=object)[used], return_inverse=True)
    place = np.full(len(categories) + 1, -1, dtype=np.int64)  # the last for customers of whom it is not known
    place[used] = positions
    return Column(name, "nominal", place[codes], tuple(map(str, levels)))


class CustomerTableMixin:
    """Reads the input of an estimator over customers: a dataframe by name, or a plain numeric matrix.

    Keeps ``n_features_in_`` and ``feature_names_in_`` and compares the columns at ``transform`` and
    ``predict`` with those of ``fit``: reordered columns are put in order, others are refused with
    the difference printed. A column of text is yes or no at ``predict`` where it was so in ``fit``.
    """

    n_features_in_: int
    _columns_in_fit: list[str]
    _pairs_in_fit: Mapping[str, tuple[str, ...]]

    # whether text that is yes or no is binary, and differences by rounding are none
    _interprets: ClassVar[bool] = True

    @asks_as_class
    def _read(
        self,
        X: Any,
        *,
        fitting: bool,
        customer_id: str | None = None,
        kinds: Kinds | None = None,
    ) -> CustomerTable:
        if not fitting:
            check_is_fitted(self)
        if isinstance(X, CustomerTable):
            table = X
        elif is_table(X):
            pairs = self._pairs(fitting)
            table = read_customers(X, customer_id=customer_id, kinds=kinds, must_have_id=fitting, pairs=pairs)
        else:
            table = self._read_matrix(X, fitting, kinds)
        if not fitting:
            return self._as_fitted(table)
        if table is not X and self._interprets:
            table = table.without_rounding()
        self.n_features_in_ = len(table.names)
        self._columns_in_fit = table.names
        self._pairs_in_fit = {column.name: column.pair for column in table.columns if column.pair}
        if table.named:
            self.feature_names_in_ = np.array(table.names, dtype=object)
        return table

    def _pairs(self, fitting: bool) -> Mapping[str, tuple[str, ...]] | None:
        """Return the words for yes and no of each column of text; None where ``fit`` has to find them."""
        if not self._interprets:
            return {}
        return None if fitting else self._pairs_in_fit

    def _read_matrix(self, X: Any, fitting: bool, kinds: Kinds | None) -> CustomerTable:
        matrix = validate_data(self, X, reset=fitting, dtype=np.float64, ensure_all_finite="allow-nan")
        return _of_matrix(matrix, getattr(X, "dtype", None), None if fitting else self._columns_in_fit, kinds)

    def _as_fitted(self, table: CustomerTable) -> CustomerTable:
        fitted = self._columns_in_fit
        if set(fitted) != set(table.names):
            raise ColumnChangeError.between(fitted, table.names)
        return table.select(fitted)

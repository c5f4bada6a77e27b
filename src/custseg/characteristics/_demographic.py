"""Who the customers are: a profile table, one row per customer, in dtypes that say the kind."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import narwhals.stable.v2 as nw
import numpy as np
import numpy.typing as npt
from sklearn.base import TransformerMixin
from sklearn.utils.validation import check_is_fitted

from custseg._core.base import Estimator, TableOutputMixin
from custseg._core.customers import KINDS
from custseg._core.frames import Table, open_table, to_kind
from custseg._core.optional import is_installed
from custseg._core.params import COLUMN, NONE, ParameterTable, Where
from custseg.characteristics._encoding import (
    Encoding,
    MissingWords,
    describe_unseen,
    encode,
    finish_pandas,
    frame_categories,
    learn,
    level_text,
    plain_categories,
)
from custseg.characteristics._row_report import LEFT_OUT, RowPolicy, RowReport
from custseg.exceptions import (
    ColumnChangeError,
    CustomerIdError,
    DataQualityWarning,
    InvalidParameterError,
    InvalidTableError,
)

MISSING_ANSWERS = (
    "",
    "?",
    "-",
    "n/a",
    "na",
    "nan",
    "null",
    "unknown",
    "none/unknown",
    "missing",
    "not available",
    "not specified",
    "not stated",
    "not known",
    "no answer",
    "don't know",
    "undisclosed",
    "refused",
    "prefer not to say",
    "prefer not to answer",
    "rather not say",
)


def _is_texts(value: Any) -> bool:
    return isinstance(value, (list, tuple, set, frozenset)) and all(isinstance(text, str) for text in value)


def _is_orders(value: Any) -> bool:
    if not isinstance(value, Mapping):
        return False
    orders = [list(map(level_text, order)) for order in value.values() if isinstance(order, (list, tuple))]
    return len(orders) == len(value) and all(order and len(set(order)) == len(order) for order in orders)


def _is_kinds(value: Any) -> bool:
    return isinstance(value, Mapping) and all(kind in KINDS for kind in value.values())


@dataclass(frozen=True)
class _Profile:
    """A profile table, read: its rows with an id, how many had none, and the categories declared by its dtypes."""

    table: Table
    rows: nw.DataFrame[Any]
    n_no_id: int
    categories: Mapping[str, list[Any] | None]


class DemographicEncoder(TableOutputMixin, TransformerMixin, Estimator, auto_wrap_output_keys=None):  # type: ignore[call-arg]
    """Read a profile table: who each customer is, in original units and in dtypes that say the kind.

    One row per customer goes in and comes out, sorted by customer id. Later stages read the kind of
    each characteristic from its dtype, so nothing has to be declared twice:

    ============================================== ======= ===============================
    the column holds                               kind    comes out as
    ============================================== ======= ===============================
    numbers                                        numeric the same integers or floats
    text, all of it numbers ("1,200", "29.85")     numeric floats
    bools                                          binary  bools
    bands ("35-44", "65+", "Under 15K", "3", "4+") ordinal ordered categories, low to high
    ordered categories, or text with ``orders``    ordinal ordered categories
    other text, unordered categories               nominal unordered categories
    ============================================== ======= ===============================

    Ordered categories are an ordered ``Categorical`` in pandas and an ``Enum`` in polars; unordered
    ones are a ``Categorical`` in both.

    Parameters
    ----------
    customer_id : str, default="customer_id"
        The column of customer ids: whole numbers or text, each once.
    columns : list of str or None, default=None
        The columns to read; None reads all of them.
    orders : dict of str to list or None, default=None
        For columns whose order the text does not say: the levels from low to high, such as
        ``{"education": ["school", "college", "university"]}``.
    kinds : dict of str to {"numeric", "binary", "ordinal", "nominal"} or None, default=None
        Kinds that overrule the table above: ``{"postal_code": "nominal"}`` keeps digits as names,
        ``{"rating": "ordinal"}`` makes ordered categories of numbers.
    missing : sequence of str, default=("unknown", "prefer not to say", ...)
        Texts that mean that the answer is not known, whatever their case and spaces. The default
        lists the usual ones; an empty text is among them.

    Attributes
    ----------
    kinds_ : dict of str to str
        The kind of each column.
    categories_ : dict of str to list of str
        The levels of the ordinal (low to high) and nominal (alphabetical) columns.
    bands_ : dict of str to DataFrame
        For each banded column its ``category``, ``low`` and ``high``, infinite where open ended.
    row_report_ : RowReport
        How many rows each policy touched in ``fit``: rows without a customer id are left out;
        texts that mean missing are set to missing, counted by column.
    n_features_in_ : int
        The number of columns read.
    feature_names_in_ : ndarray of str
        Their names, without the customer id.

    Raises
    ------
    ColumnNotFoundError
        A named column is not in the table.
    ColumnTypeError
        A column holds timestamps, values of mixed types, infinite numbers, or values that cannot
        be of the kind declared.
    ColumnChangeError
        At ``transform`` the columns, or the kind of one of them, are not those of ``fit``.
    CustomerIdError
        An id is repeated, or the ids are of mixed type.
    InvalidParameterError
        A parameter is out of range, or a declared order lacks an observed level.
    InvalidTableError
        The table has no rows, no row with an id, or no column besides the ids.

    Warns
    -----
    DataQualityWarning
        In ``fit``: a column without any value (it stays, as numbers that are all missing), bands
        that overlap (the column becomes unordered categories), and text that differs in nearly every row.
        In ``transform``: levels unseen in ``fit`` become missing, and rows without an id are left
        out, both counted.

    Notes
    -----
    Missing values stay missing; integers with missing values are floats in pandas. Spaces around
    text are dropped. Two spellings of one band ("65+", ">= 65") are one category. Neighbouring
    bands may share a bound ("0-10", "10-20"). Text of digits with leading zeros ("01067") is taken
    for codes, not numbers.

    Examples
    --------
    >>> import pandas as pd
    >>> from custseg.characteristics import DemographicEncoder
    >>> profile = pd.DataFrame({
    ...     "customer_id": [3, 1, 2],
    ...     "age": ["65+", "19-24", "25-64"],
    ...     "household": ["2 Adults Kids", "Unknown", "1 Adult Kids"],
    ... })
    >>> encoder = DemographicEncoder()
    >>> encoder.fit_transform(profile)
                   age      household
    customer_id
    1            19-24            NaN
    2            25-64   1 Adult Kids
    3              65+  2 Adults Kids
    >>> encoder.kinds_
    {'age': 'ordinal', 'household': 'nominal'}
    >>> encoder.categories_["age"]
    ['19-24', '25-64', '65+']
    """

    _parameters: ClassVar[ParameterTable] = {
        "customer_id": (COLUMN,),
        "columns": (NONE, Where(lambda value: _is_texts(value) and len(value) > 0, "a list of column names")),
        "orders": (NONE, Where(_is_orders, "a dict of column names to lists of different levels, from low to high")),
        "kinds": (NONE, Where(_is_kinds, f"a dict of column names to {' or '.join(map(repr, KINDS))}")),
        "missing": (Where(_is_texts, "a sequence of texts"),),
    }

    _encodings: tuple[Encoding, ...]

    def __init__(
        self,
        *,
        customer_id: str = "customer_id",
        columns: list[str] | None = None,
        orders: Mapping[str, list[Any]] | None = None,
        kinds: Mapping[str, str] | None = None,
        missing: tuple[str, ...] = MISSING_ANSWERS,
    ) -> None:
        self.customer_id = customer_id
        self.columns = columns
        self.orders = orders
        self.kinds = kinds
        self.missing = missing

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn the kinds of the columns and the levels of their categories.

        Parameters
        ----------
        X : dataframe
            One row per customer: pandas, or polars eager or lazy.
        y : None
            Ignored.

        Returns
        -------
        self : DemographicEncoder
            The fitted encoder.
        """
        self._fit(X)
        return self

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        """Learn the columns and return the characteristics of the same customers.

        Parameters
        ----------
        X : dataframe
            One row per customer.
        y : None
            Ignored.

        Returns
        -------
        characteristics : dataframe
            As :meth:`transform` returns them.
        """
        return self._encoded(self._fit(X), {})

    def transform(self, X: Any) -> Any:
        """Return one row per customer, sorted by id, in the kind of frame that came in.

        Parameters
        ----------
        X : dataframe
            One row per customer, with the columns of ``fit`` in any order. A table without rows
            gives one without rows.

        Returns
        -------
        characteristics : dataframe
            pandas: indexed by customer id; polars: the id is the first column.
        """
        check_is_fitted(self)
        who = type(self).__name__
        profile = self._read(X)
        got = [name for name in profile.rows.columns if name != self.customer_id]
        if set(got) != set(self.feature_names_in_):
            raise ColumnChangeError.between(who, self.feature_names_in_, got)
        unseen: dict[str, dict[str, int]] = {}
        characteristics = self._encoded(profile, unseen)
        if profile.n_no_id:
            message = f"{who}: {profile.n_no_id:,} row(s) have no customer id; they were left out."
            warnings.warn(message, DataQualityWarning, stacklevel=2)
        if unseen:
            message = (
                f"{who}: levels that fit did not see are missing now: {describe_unseen(unseen)}. "
                "Fit again with them, or list them in missing=(...) if they mean no answer."
            )
            warnings.warn(message, DataQualityWarning, stacklevel=2)
        return characteristics

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[Any]:
        """Return the names of the characteristics, which are those of the columns.

        Parameters
        ----------
        input_features : array-like of str or None
            If given, must be the names of ``fit``.

        Returns
        -------
        names : ndarray of str
            Without the customer id.
        """
        check_is_fitted(self)
        if input_features is not None and list(input_features) != list(self.feature_names_in_):
            raise ColumnChangeError.between(type(self).__name__, self.feature_names_in_, input_features)
        return self.feature_names_in_.copy()

    def _fit(self, X: Any) -> _Profile:
        who = type(self).__name__
        self._check_parameters()
        profile = self._read(X)
        if len(profile.rows) == 0:
            raise _nothing_to_learn(who, profile.n_no_id)
        names = [name for name in profile.rows.columns if name != self.customer_id]
        if not names:
            raise InvalidTableError(
                f"{who} got a profile table with no column besides the ids. Pass at least one characteristic."
            )
        self._check_declared(names)
        self._encodings = tuple(self._learn(profile, name) for name in names)
        self.feature_names_in_ = np.array(names, dtype=object)
        self.n_features_in_ = len(names)
        self.kinds_ = {encoding.name: encoding.kind for encoding in self._encodings}
        self.categories_ = {
            encoding.name: list(encoding.categories)
            for encoding in self._encodings
            if encoding.kind in ("ordinal", "nominal")
        }
        self.bands_ = {
            encoding.name: encoding.scale.to_frame() for encoding in self._encodings if encoding.scale is not None
        }
        self.row_report_ = self._report(profile)
        return profile

    def _read(self, X: Any) -> _Profile:
        """Open the table, put the rows that have an id in the order of the ids, and count the others."""
        who = type(self).__name__
        wanted = None if self.columns is None else [self.customer_id, *self.columns]
        plain, categories = plain_categories(X, self.customer_id)
        table = open_table(plain, who=who, columns=wanted, customer_id=self.customer_id)
        # polars has the dtypes for ordered and unordered categories, so it is used wherever it can be
        backend: Literal["polars"] | None = "polars" if is_installed("polars") and is_installed("pyarrow") else None
        rows = table.frame.collect(backend)
        known = rows.filter(~nw.col(self.customer_id).is_null()).sort(self.customer_id)
        ids = known[self.customer_id]
        n_repeated = len(ids) - ids.n_unique() if len(ids) else 0
        if n_repeated:
            example = ids.filter(ids.is_duplicated()).to_list()[0]
            raise CustomerIdError.repeated(who, self.customer_id, n_repeated, example)
        return _Profile(table, known, len(rows) - len(known), {**categories, **frame_categories(rows)})

    def _check_declared(self, names: list[str]) -> None:
        who = type(self).__name__
        for parameter in ("orders", "kinds"):
            for name in getattr(self, parameter) or {}:
                if name not in names:
                    raise InvalidParameterError.unknown_name(who, f"column in {parameter}", name, names)
        kinds = self.kinds or {}
        for name in self.orders or {}:
            if kinds.get(name, "ordinal") != "ordinal":
                raise InvalidParameterError(
                    f"{who}: orders gives column {name!r} an order, kinds says that it is {kinds[name]}. "
                    "Drop it from one of the two."
                )

    def _learn(self, profile: _Profile, name: str) -> Encoding:
        who = type(self).__name__
        order = (self.orders or {}).get(name)
        kind = (self.kinds or {}).get(name)
        if order is None and kind in (None, "ordinal"):
            order = profile.categories.get(name)
        column = profile.rows[name]
        encoding, remark = learn(
            column,
            who=who,
            missing=MissingWords(self.missing),
            order=order,
            kind=kind,
            named=name in profile.categories,
        )
        if column.null_count() + encoding.n_missing_words == len(column):
            remark = "it has no value at all, so it says nothing about anyone. Drop it, or check where it comes from."
        if remark:
            warnings.warn(f"{who}: column {name!r}: {remark}", DataQualityWarning, stacklevel=5)
        return encoding

    def _report(self, profile: _Profile) -> RowReport:
        remedy = "Fill in the ids: a row without one belongs to nobody."
        policies = [RowPolicy("customer id is missing", LEFT_OUT, profile.n_no_id, remedy)]
        policies += [
            RowPolicy(
                f"{encoding.name} holds a text that means no answer",
                "set to missing",
                encoding.n_missing_words,
                "Pass missing=(...) with the texts that mean it here.",
            )
            for encoding in self._encodings
            if encoding.n_missing_words
        ]
        return RowReport(len(profile.rows) + profile.n_no_id, tuple(policies))

    def _encoded(self, profile: _Profile, unseen: dict[str, dict[str, int]]) -> Any:
        """Encode every column; the levels unseen in ``fit`` are added to ``unseen``."""
        who = type(self).__name__
        missing = MissingWords(self.missing)
        columns = []
        for encoding in self._encodings:
            column, new = encode(profile.rows[encoding.name], encoding, who=who, missing=missing)
            columns.append(column)
            if new:
                unseen[encoding.name] = new
        frame = profile.rows.select(self.customer_id).with_columns(*columns)
        kind = self._output_kind(profile.table.kind)
        characteristics = to_kind(frame, kind, self.customer_id)
        return finish_pandas(characteristics, self._encodings) if kind == "pandas" else characteristics


def _nothing_to_learn(who: str, n_no_id: int) -> InvalidTableError:
    if n_no_id:
        return InvalidTableError.nothing_left(who, f"{n_no_id:,} row(s) without a customer id")
    return InvalidTableError.empty(who)

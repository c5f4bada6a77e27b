"""One column of a profile table: what it holds is learned once, then applied to any table."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from custseg._core.customers import Kind
from custseg.characteristics._bands import BandScale, read_number, read_scale
from custseg.exceptions import (
    ColumnChangeError,
    ColumnTypeError,
    InvalidParameterError,
    list_names,
    suggest,
)

Source = Literal["numbers", "bools", "text"]

# A text column that differs in more than this share of the customers, and has more levels than
# could be read one by one, describes each of them, not groups.
_MOSTLY_UNIQUE = 0.5
_FEW_LEVELS = 50


@dataclass(frozen=True)
class Encoding:
    """What was learned of one column.

    Attributes
    ----------
    name : str
        The column.
    kind : {"numeric", "binary", "ordinal", "nominal"}
        The kind of characteristic it becomes.
    source : {"numbers", "bools", "text"}
        What the column held in ``fit``.
    categories : tuple of str
        The levels (ordinal: from low to high); empty for numbers and bools.
    scale : BandScale or None
        The bands, where the levels are bands.
    n_missing_words : int
        In how many rows of ``fit`` the column held a text that means missing.
    """

    name: str
    kind: Kind
    source: Source
    categories: tuple[str, ...] = ()
    scale: BandScale | None = None
    n_missing_words: int = field(default=0, compare=False)

    def reader(self) -> Callable[[str], str | float | None]:
        """Return what reads one level: its category, its number where the column is numeric, None where it is new."""
        if self.kind == "numeric":
            return read_number
        categories, scale = {text: text for text in self.categories}, self.scale
        if scale is None:
            return categories.get
        return lambda text: categories.get(text) or scale.category(text)


class MissingWords:
    """The texts that mean a missing answer, whatever their case and spaces."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = frozenset(self._plain(word) for word in words)

    def __contains__(self, text: str) -> bool:
        return self._plain(text) in self._words

    @staticmethod
    def _plain(text: str) -> str:
        return " ".join(text.casefold().split())


def plain_categories(table: Any, customer_id: str) -> tuple[Any, dict[str, list[Any] | None]]:
    """Turn pandas categories into text; return the order of each such column, None where it has none.

    polars, which the rows go through, keeps neither the order of pandas categories nor that numbers were names.
    """
    if not isinstance(table, pd.DataFrame) or not table.columns.is_unique:
        return table, {}
    texts: dict[str, Any] = {}
    orders: dict[str, list[Any] | None] = {}
    for name in table.columns:
        dtype = table[name].dtype
        if isinstance(dtype, pd.CategoricalDtype) and name != customer_id:
            labels = np.array([*map(level_text, dtype.categories), None], dtype=object)
            texts[name] = pd.Series(labels[table[name].cat.codes.to_numpy()], index=table.index, dtype="string")
            orders[name] = list(dtype.categories) if dtype.ordered else None
    return table.assign(**texts), orders


def frame_categories(frame: nw.DataFrame[Any]) -> dict[str, list[Any] | None]:
    """Return the columns whose dtype says that they hold categories: their order, None where they have none."""
    return {
        name: list(dtype.categories) if isinstance(dtype, nw.Enum) else None
        for name, dtype in frame.schema.items()
        if isinstance(dtype, (nw.Enum, nw.Categorical))
    }


def learn(
    column: nw.Series[Any],
    *,
    who: str,
    missing: MissingWords,
    order: Sequence[Any] | None = None,
    kind: str | None = None,
    named: bool = False,
) -> tuple[Encoding, str]:
    """Learn one column: its kind, and its levels in their order.

    Parameters
    ----------
    column : narwhals Series
        The column.
    who : str
        The estimator, for messages.
    missing : MissingWords
        The texts that mean missing.
    order : sequence or None
        The levels from low to high where they were declared.
    kind : str or None
        The kind where it was declared.
    named : bool
        Whether the column came as categories, so that a level such as "1" is a name, not a number.

    Returns
    -------
    encoding : Encoding
        What was learned.
    remark : str
        What a user should know about the column; empty where there is nothing.
    """
    source = _source(column, who)
    _refuse_infinite(column, who)
    column = _as_text(column)
    counts = _level_counts(column) if source == "text" or order is not None or kind in ("ordinal", "nominal") else {}
    texts = {raw: level_text(raw) for raw in counts}
    levels = [text for text in dict.fromkeys(texts.values()) if text not in missing]
    n_words = sum(n_rows for raw, n_rows in counts.items() if texts[raw] in missing)
    learner = _Learner(column, who, source, levels)
    remark = ""
    if order is not None:
        encoding = learner.ordered([text for text in dict.fromkeys(map(level_text, order)) if text not in missing])
    elif kind is not None:
        encoding = learner.as_declared(kind)
    else:
        encoding, remark = learner.as_found(named=named)
    return replace(encoding, n_missing_words=n_words), remark


def _source(column: nw.Series[Any], who: str) -> Source:
    dtype = column.dtype
    if dtype == nw.Boolean:
        return "bools"
    # polars has a dtype for a column of nothing but nulls, which narwhals does not know
    if dtype.is_numeric() or (dtype == nw.Unknown and column.null_count() == len(column)):
        return "numbers"
    if isinstance(dtype, (nw.String, nw.Categorical, nw.Enum)):
        return "text"
    remedy = (
        "Turn it into a number first (a date of birth into the age in years, a date of sign-up into days "
        "since then), or leave it out with columns=[...]."
    )
    raise ColumnTypeError.expected(who, column.name, "numbers, bools, text or categories", dtype, remedy)


def _level_counts(column: nw.Series[Any]) -> dict[Any, int]:
    """Count the rows of each distinct value; the values come in their own order."""
    name = column.name
    known = column.to_frame().filter(~nw.col(name).is_null())
    levels = known.group_by(name).agg(nw.len().alias("__n_rows")).sort(name)
    return dict(zip(levels[name].to_list(), levels["__n_rows"].to_list(), strict=True))


def _as_text(column: nw.Series[Any]) -> nw.Series[Any]:
    return column.cast(nw.String) if isinstance(column.dtype, (nw.Categorical, nw.Enum)) else column


def level_text(raw: Any) -> str:
    """Write one level as text: without spaces around it, whole numbers without a decimal point."""
    if isinstance(raw, (bool, np.bool_)):
        return str(bool(raw))
    return f"{raw:.15g}" if isinstance(raw, (int, float, np.number)) else str(raw).strip()


@dataclass(frozen=True)
class _Learner:
    column: nw.Series[Any]
    who: str
    source: Source
    levels: list[str]

    @property
    def name(self) -> str:
        return str(self.column.name)

    def ordered(self, order: list[str]) -> Encoding:
        """Take the declared order; a level that it lacks is an error, since it has no place."""
        lacking = [level for level in self.levels if level not in order]
        if lacking:
            raise InvalidParameterError(
                f"{self.who}: orders[{self.name!r}] lacks the level(s) {list_names(lacking)}; it has "
                f"{list_names(order, 20)}.{suggest(lacking[0], order)} Add what is missing, or count it as "
                "no answer through missing=(...)."
            )
        return Encoding(self.name, "ordinal", self.source, tuple(order))

    def as_declared(self, kind: str) -> Encoding:
        """Take the declared kind; values that cannot be of it are an error."""
        declared: dict[str, Callable[[], Encoding]] = {
            "numeric": self._declared_numeric,
            "binary": self._declared_binary,
            "ordinal": self._declared_ordinal,
            "nominal": lambda: self._of_kind("nominal", self.levels),
        }
        return declared[kind]()

    def as_found(self, *, named: bool) -> tuple[Encoding, str]:
        """Let the values say the kind, with a remark where they are in two minds."""
        if self.source == "bools":
            return self._of_kind("binary"), ""
        if self.source == "numbers" or not self.levels:
            return self._of_kind("numeric"), ""
        if not named and self._numbers() is not None:
            return self._of_kind("numeric"), ""
        scale, problem = read_scale(self.levels)
        if scale is not None:
            return Encoding(self.name, "ordinal", self.source, scale.categories, scale), ""
        return self._of_kind("nominal", sorted(self.levels)), self._remark_on_text(problem)

    def _of_kind(self, kind: Kind, categories: Iterable[str] = ()) -> Encoding:
        return Encoding(self.name, kind, self.source, tuple(categories))

    def _numbers(self) -> dict[str, float] | None:
        """Return the number that each level stands for; None as soon as one is none."""
        numbers = {}
        for level in self.levels:
            number = read_number(level)
            if number is None:
                return None
            numbers[level] = number
        return numbers

    def _declared_numeric(self) -> Encoding:
        others = [level for level in self.levels if read_number(level) is None]
        if others:
            raise self._impossible("numbers to be numeric", others, "Correct the texts, or list them in missing=(...).")
        return self._of_kind("numeric")

    def _declared_binary(self) -> Encoding:
        if self.source == "text" or not _only_zero_and_one(self.column):
            remedy = "Declare it nominal, or convert it with a comparison such as column == 'Yes'."
            raise self._impossible("bools, or the numbers 0 and 1, to be binary", self.levels, remedy)
        return self._of_kind("binary")

    def _declared_ordinal(self) -> Encoding:
        numbers = self._numbers()
        if numbers is not None:
            return self._of_kind("ordinal", sorted(self.levels, key=numbers.__getitem__))
        scale, problem = read_scale(self.levels)
        if scale is None:
            remedy = f"Declare its order from low to high: orders={{{self.name!r}: [...]}}."
            raise self._impossible("numbers or bands to be ordinal", [problem] if problem else self.levels, remedy)
        return Encoding(self.name, "ordinal", self.source, scale.categories, scale)

    def _impossible(self, expected: str, got: Sequence[str], remedy: str) -> ColumnTypeError:
        return ColumnTypeError.expected(
            self.who, self.name, expected, list_names(got) if got else "other values", remedy
        )

    def _remark_on_text(self, problem: str) -> str:
        n_rows = len(self.column) - self.column.null_count()
        if problem:
            return (
                f"its levels look like bands, but {problem}; it is kept as unordered categories. Declare the order "
                f"(orders={{{self.name!r}: [...]}}), list what means no answer in missing=(...), or say that it "
                f"has no order (kinds={{{self.name!r}: 'nominal'}})."
            )
        if len(self.levels) > max(_FEW_LEVELS, _MOSTLY_UNIQUE * n_rows):
            return (
                f"its text has {len(self.levels):,} levels in {n_rows:,} rows, so it tells customers apart instead "
                "of grouping them. Leave it out with columns=[...], group its levels, or, if it holds numbers, "
                "convert it."
            )
        return ""


def _only_zero_and_one(column: nw.Series[Any]) -> bool:
    return bool(column.drop_nulls().cast(nw.Float64).is_in([0.0, 1.0]).all())


def encode(
    column: nw.Series[Any], encoding: Encoding, *, who: str, missing: MissingWords
) -> tuple[nw.Series[Any], dict[str, int]]:
    """Apply what was learned: the column in its kind, and the levels unseen in fit with their rows.

    Unseen levels and texts that mean missing come out missing.
    """
    if column.null_count() == len(column):
        return _of_no_value(column, encoding), {}
    source = _source(column, who)
    if source != encoding.source and not (encoding.kind == "numeric" and source == "numbers"):
        raise ColumnChangeError.kind(who, encoding.name, encoding.source, source)
    if encoding.kind == "binary":
        return _as_bools(column), {}
    if encoding.kind == "numeric" and source != "text":
        return _as_numbers(column, who), {}
    column, read_level = _as_text(column), encoding.reader()
    known: dict[Any, str | float | None] = {}
    unseen: dict[str, int] = {}
    for raw, n_rows in _level_counts(column).items():
        text = level_text(raw)
        known[raw] = None if text in missing else read_level(text)
        if known[raw] is None and text not in missing:
            unseen[text] = unseen.get(text, 0) + n_rows
    dtype = nw.Float64 if encoding.kind == "numeric" else nw.String
    read = column.replace_strict(list(known), list(known.values()), return_dtype=dtype)
    return _of_kind(read, encoding), unseen


def _of_no_value(column: nw.Series[Any], encoding: Encoding) -> nw.Series[Any]:
    # an empty integer column is not missing anything and keeps its dtype
    if encoding.kind == "numeric" and column.dtype.is_integer():
        return column
    dtype = nw.Float64 if encoding.kind in ("numeric", "binary") else nw.String
    nothing = nw.new_series(column.name, [None] * len(column), dtype, backend=column.implementation)
    return _as_bools(nothing) if encoding.kind == "binary" else _of_kind(nothing, encoding)


def _of_kind(column: nw.Series[Any], encoding: Encoding) -> nw.Series[Any]:
    if encoding.kind == "numeric":
        return column
    return column.cast(nw.Enum(list(encoding.categories)) if encoding.kind == "ordinal" else nw.Categorical())


def _as_bools(column: nw.Series[Any]) -> nw.Series[Any]:
    # plain pandas bools cannot be missing: there the column turns to nullable bools when it leaves
    return column.cast(nw.Boolean) if column.implementation.is_polars() else column


def _as_numbers(column: nw.Series[Any], who: str) -> nw.Series[Any]:
    if column.dtype.is_integer():
        return column
    if column.dtype == nw.Boolean:
        return column.cast(nw.Float64)
    column = column if column.dtype.is_float() else column.cast(nw.Float64)
    _refuse_infinite(column, who)
    return column.to_frame().select(nw.when(~nw.col(column.name).is_nan()).then(nw.col(column.name)))[column.name]


def _refuse_infinite(column: nw.Series[Any], who: str) -> None:
    if column.dtype.is_float():
        n_infinite = int((~column.is_finite() & ~column.is_nan()).fill_null(value=False).sum())
        if n_infinite:
            raise ColumnTypeError.infinite(who, column.name, n_infinite)


def describe_unseen(unseen: dict[str, dict[str, int]]) -> str:
    """Say which levels of which columns are new, and in how many rows."""
    parts = []
    for name, levels in unseen.items():
        parts.append(f"column {name!r}: {list_names(levels)} in {sum(levels.values()):,} row(s)")
    return "; ".join(parts)


def finish_pandas(table: pd.DataFrame, encodings: Collection[Encoding]) -> pd.DataFrame:
    """Give a pandas table the dtypes that say the kinds, with every category of fit."""
    finished: dict[str, Any] = {}
    for encoding in encodings:
        column = table[encoding.name]
        if encoding.kind in ("ordinal", "nominal"):
            # astype would keep the order in which unordered categories were met
            ordered = encoding.kind == "ordinal"
            finished[encoding.name] = column.cat.set_categories(list(encoding.categories), ordered=ordered)
        elif encoding.kind == "binary":
            finished[encoding.name] = column.astype("boolean" if column.hasnans else "bool")
    return table.assign(**finished)

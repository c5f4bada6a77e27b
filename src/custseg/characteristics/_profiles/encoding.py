"""One column of a profile table: what it holds is learned once, then applied to any table."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import narwhals.stable.v2 as nw
import numpy as np
import numpy.typing as npt
import pandas as pd

from custseg._core.arrays import Floats
from custseg._core.composed import composed_text
from custseg._core.customers import Column, Kind
from custseg._core.exact import exact_below, inexact_levels, refuse_inexact_levels
from custseg._core.levels import level_text as written
from custseg._core.rounding import doubles
from custseg._core.surrogates import refuse_odd_levels
from custseg._core.text_columns import as_bit
from custseg.characteristics._profiles.bands import BandScale, Decimal, read_number
from custseg.characteristics._profiles.level_pools import Pool
from custseg.characteristics._row_report import RowPolicy
from custseg.exceptions import (
    ColumnChangeError,
    ColumnTypeError,
    list_names,
)

Source = Literal["numbers", "bools", "text"]

_DIGITS = re.compile(r"-?[0-9]{1,400}")
# So short that every engine reads the very number that Python does.
_PLAIN_NUMBER = r"^-?(?:0|[1-9][0-9]{0,11}|[1-9][0-9]{0,2}(?:,[0-9]{3}){1,3})(?:\.[0-9]{1,6})?$"


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
    decimal : {".", ","}
        The sign before decimals, where numbers are read from text.
    unit : str
        The unit that the text names, or empty.
    pool : Pool or None
        What rare levels become, where they are pooled.
    n_known : int
        In how many rows of ``fit`` the column held an answer.
    pair : tuple of str
        The words for yes and no, where the column is binary and was text.
    """

    name: str
    kind: Kind
    source: Source
    categories: tuple[str, ...] = ()
    scale: BandScale | None = None
    decimal: Decimal = "."
    unit: str = ""
    pool: Pool | None = None
    n_known: int = field(default=0, compare=False)
    pair: tuple[str, ...] = ()

    def reader(self) -> Callable[[str], str | float | None]:
        """Return what reads one level: its category, its number where the column is numeric, None where it is new."""
        if self.kind == "numeric":
            return lambda text: read_number(text, self.decimal)
        if self.kind == "binary":
            return lambda text: as_bit(text, self.pair)
        if self.pool is not None:
            return self.pool.reader()
        categories, scale = {text: text for text in self.categories}, self.scale
        if scale is None:
            return categories.get
        return lambda text: categories.get(text) or scale.category(text)


class MissingWords:
    """What means a missing answer: texts, whatever their case and spaces, and numbers.

    Parameters
    ----------
    answers : iterable of str and numbers
        The texts and numbers.

    Attributes
    ----------
    codes : tuple of int or float
        The numbers; whole ones of any size are exact.
    numbers : tuple of float
        The numbers, and those that the texts stand for.
    """

    def __init__(self, answers: Iterable[str | float]) -> None:
        answers = list(answers)
        self._words = frozenset(self._plain(word) for word in answers if isinstance(word, str))
        self.codes = tuple(sorted({_exact(code) for code in answers if not isinstance(code, str)}))
        # most levels differ from all of the words in their first letter
        self._initials = frozenset(word[:1] for word in self._words)
        read = (read_number(word) for word in self._words)
        self.numbers = (*map(float, self.codes), *(number for number in read if number is not None))

    def __contains__(self, text: str) -> bool:
        if text.lstrip()[:1].casefold()[:1] in self._initials and self._plain(text) in self._words:
            return True
        digits = text.strip()
        return bool(self.codes) and (int(digits) if _DIGITS.fullmatch(digits) else read_number(text)) in self.codes

    @staticmethod
    def _plain(text: str) -> str:
        return " ".join(composed_text(text).casefold().split())


def plain_categories(table: Any, customer_id: str | None) -> tuple[Any, dict[str, list[Any] | None]]:
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
            refuse_odd_levels(table[name])
            refuse_inexact_levels(name, dtype.categories)
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


def source_of(column: nw.Series[Any]) -> Source:
    dtype = column.dtype
    if dtype == nw.Boolean:
        return "bools"
    # polars has a dtype for a column of nothing but nulls, which narwhals does not know
    if dtype.is_numeric() or (dtype == nw.Unknown and column.null_count() == len(column)):
        return "numbers"
    if isinstance(dtype, (nw.String, nw.Categorical, nw.Enum)):
        return "text"
    remedy = (
        "Turn it into a number first (a date of birth into the age in years, a date of sign-up into days since a fixed "
        f"day, for example (table[{str(column.name)!r}] - pandas.Timestamp('2024-01-01')).dt.days), or leave it out "
        "with columns=[...]."
    )
    raise ColumnTypeError.expected(column.name, "numbers, bools, text or categories", dtype, remedy)


def without_answers(column: nw.Series[Any], missing: MissingWords) -> tuple[nw.Series[Any], int]:
    """Return a column whose NaN and whose numbers that mean no answer are missing, and how many the latter are.

    Categories become text; infinite numbers are an error.
    """
    name, dtype = column.name, column.dtype
    if not dtype.is_numeric():
        return as_text(column), 0
    numbers = nw.col(name) if dtype.is_float() else nw.col(name).cast(nw.Float64)
    if not dtype.is_integer():
        floats = column if dtype.is_float() else column.cast(nw.Float64)
        n_infinite = int((~floats.is_finite() & ~floats.is_nan()).fill_null(value=False).sum())
        if n_infinite:
            raise ColumnTypeError.infinite(name, n_infinite)
        column = column.to_frame().select(nw.when(~numbers.is_nan()).then(numbers))[name]
    if not missing.codes:
        return column, 0
    is_code = _is_code(column, missing.codes)
    n_codes = int(is_code.sum())
    if n_codes == 0:
        return column, 0
    return column.to_frame().select(nw.when(~is_code).then(nw.col(name)))[name], n_codes


def _is_code(column: nw.Series[Any], codes: Iterable[int | float]) -> nw.Series[Any]:
    """Say where a number is one of the codes, and not a neighbour that is the same float."""
    if column.dtype.is_integer() and column.dtype not in (nw.Int128, nw.UInt128):
        dtype, low, high = (nw.UInt64, 0, 2**64) if column.dtype == nw.UInt64 else (nw.Int64, -(2**63), 2**63)
        whole = [code for code in codes if isinstance(code, int) and low <= code < high]
        return column.cast(dtype).is_in(whole).fill_null(value=False)
    return doubles(column, column.dtype).is_in(list(map(float, codes))).fill_null(value=False)


def _exact(code: float) -> int | float:
    return int(code) if isinstance(code, (int, np.integer)) or float(code).is_integer() else float(code)


def as_text(column: nw.Series[Any]) -> nw.Series[Any]:
    """Return categories as text, any other column as it is."""
    return column.cast(nw.String) if isinstance(column.dtype, (nw.Categorical, nw.Enum)) else column


def level_counts(column: nw.Series[Any]) -> dict[Any, int]:
    """Count the rows of each distinct value; the values come in their own order."""
    name = column.name
    known = column.to_frame().filter(~nw.col(name).is_null())
    levels = known.group_by(name).agg(nw.len().alias("__n_rows")).sort(name)
    found = levels[name].to_list()
    if column.dtype.is_float() and any(abs(level) >= exact_below(column.dtype) for level in found):
        raise inexact_levels(name, exact_below(column.dtype))
    return dict(zip(found, levels["__n_rows"].to_list(), strict=True))


def plain_numbers(column: nw.Series[Any], missing: MissingWords) -> tuple[Floats, nw.Series[Any]]:
    """Read the text that is plainly a number ("85", "-1,200.50"), all at once.

    Parameters
    ----------
    column : narwhals Series
        Text.
    missing : MissingWords
        What means missing; no such number is read.

    Returns
    -------
    numbers : ndarray of shape (n_rows,)
        The numbers, NaN where the text has to be looked at.
    rest : narwhals Series
        The text of those rows.
    """
    name = column.name
    text = column.str.strip_chars()
    is_plain = text.str.contains(_PLAIN_NUMBER).fill_null(value=False)
    digits = text.str.replace_all(",", "", literal=True)
    plain = column.to_frame().select(nw.when(is_plain).then(digits).cast(nw.Float64).alias(name))[name]
    numbers = _floats(plain)
    numbers[np.isin(numbers, missing.numbers)] = np.nan
    return numbers, column.filter(np.isnan(numbers).tolist())


def level_text(raw: Any) -> str:
    """Write one level as text: without spaces around it, whole numbers without a decimal point."""
    if isinstance(raw, str):
        return composed_text(raw.strip())
    if isinstance(raw, (bool, np.bool_)):
        return str(bool(raw))
    if isinstance(raw, (int, np.integer)):
        return str(int(raw))
    is_fraction = isinstance(raw, (float, np.floating)) and not float(raw).is_integer()
    return f"{raw:.15g}" if is_fraction else written(raw).strip()


@dataclass(frozen=True)
class Reading:
    """One column of a table as a characteristic, and what became of its values.

    Attributes
    ----------
    column : Column
        The characteristic.
    n_missing : int
        Rows with what means no answer.
    unseen : dict of str to int
        The levels unseen in ``fit`` that are missing now, with their rows.
    joined : dict of str to int
        The levels unseen in ``fit`` that belong to a group of pooled levels, with their rows.
    n_pooled : int
        Rows whose level became a group.
    n_rare : int
        Rows whose level is missing because it is rare.
    """

    column: Column
    n_missing: int = 0
    unseen: Mapping[str, int] = field(default_factory=dict)
    joined: Mapping[str, int] = field(default_factory=dict)
    n_pooled: int = 0
    n_rare: int = 0


def encode(column: nw.Series[Any], encoding: Encoding, *, missing: MissingWords) -> Reading:
    """Apply what was learned of a column.

    Unseen levels come out missing unless they belong to a group of pooled ones, and so does what means no answer.
    """
    if column.null_count() == len(column):
        is_integer = column.dtype.is_integer()
        return Reading(_typed(encoding, np.full(len(column), np.nan), is_integer=is_integer))
    source = source_of(column)
    if source != encoding.source and not (encoding.kind == "numeric" and source == "numbers"):
        raise ColumnChangeError.kind(encoding.name, encoding.source, source)
    column, n_codes = without_answers(column, missing)
    if encoding.kind in ("binary", "numeric") and source != "text":
        values, is_integer = _number_values(column)
        return Reading(_typed(encoding, values, is_integer=is_integer), n_codes)
    return _encode_levels(column, encoding, missing, n_codes)


def _encode_levels(column: nw.Series[Any], encoding: Encoding, missing: MissingWords, n_codes: int) -> Reading:
    read_level, pool = encoding.reader(), encoding.pool
    known = {*pool.counts, *pool.categories} if pool else set()
    position = {category: float(place) for place, category in enumerate(encoding.categories)}
    numbers, rest = np.full(len(column), np.nan), column
    if encoding.kind == "numeric" and encoding.decimal == ".":
        numbers, rest = plain_numbers(column, missing)
    values: dict[Any, float] = {}
    unseen: dict[str, int] = {}
    joined: dict[str, int] = {}
    n_missing, n_pooled, n_rare = n_codes, 0, 0
    for raw, n_rows in level_counts(rest).items():
        text = level_text(raw)
        read = None if text in missing else read_level(text)
        values[raw] = np.nan if read is None else position[read] if isinstance(read, str) else read
        if text in missing:
            n_missing += n_rows
        elif read is None and text not in known:
            unseen[text] = unseen.get(text, 0) + n_rows
        elif read is None:
            n_rare += n_rows
        elif pool is not None and text not in known:
            joined[text] = joined.get(text, 0) + n_rows
        elif pool is not None and read != text:
            n_pooled += n_rows
    numbers[np.isnan(numbers)] = map_levels(rest, values)
    return Reading(_typed(encoding, numbers), n_missing, unseen, joined, n_pooled, n_rare)


def map_levels(column: nw.Series[Any], values: Mapping[Any, float]) -> Floats:
    """Return the number that each value of a column stands for, NaN where it is missing."""
    if not values:
        return np.full(len(column), np.nan)
    numbers = column.replace_strict(list(values), list(values.values()), return_dtype=nw.Float64)
    return _floats(numbers)


def _floats(column: nw.Series[Any]) -> Floats:
    return np.array(doubles(column, column.dtype).to_numpy(), dtype=np.float64)


def _number_values(column: nw.Series[Any]) -> tuple[npt.NDArray[Any], bool]:
    """Return whole numbers as int64 where all are known and fit, else floats; and whether they are whole."""
    if column.dtype.is_integer() and column.null_count() == 0 and (len(column) == 0 or int(column.max()) < 2**63):
        return np.array(column.to_numpy(), dtype=np.int64), True
    return _floats(column), False


def _typed(encoding: Encoding, values: npt.NDArray[Any], *, is_integer: bool = False) -> Column:
    if encoding.kind in ("ordinal", "nominal"):
        values = np.where(np.isnan(values), -1.0, values).astype(np.int64)
    elif encoding.kind == "binary":
        values = values.astype(np.float64)
    return Column(encoding.name, encoding.kind, values, encoding.categories, is_integer)


def level_policies(encoding: Encoding, reading: Reading) -> list[RowPolicy]:
    """Return what became of values that mean no answer, and of rare levels, as lines of the row report."""
    name = encoding.name
    least = encoding.pool.least if encoding.pool else 0
    remedy = f"Lower min_customers, for example min_customers={{{name!r}: ...}}."
    means = "holds what means no answer"
    policies = [
        RowPolicy(
            f"{name} {means}", "set to missing", reading.n_missing, "Pass missing_values=(...) with what means it here."
        ),
        RowPolicy(f"{name} is a level of fewer than {least:,} customers", "pooled", reading.n_pooled, remedy),
        RowPolicy(
            f"{name} is a level of fewer than {least:,} customers even with all others that rare",
            "set to missing",
            reading.n_rare,
            remedy,
        ),
    ]
    return [policy for policy in policies if policy.n_rows]


def describe_new(unseen: Mapping[str, Mapping[str, int]], joined: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Say which levels ``fit`` did not see, in how many rows, and what became of them."""
    remarks = []
    if any(unseen.values()):
        remarks.append(
            f"levels that fit did not see are missing now: {_describe_levels(unseen)}. "
            "Fit again with them, or list them in missing_values=(...) if they mean no answer."
        )
    if any(joined.values()):
        remarks.append(
            f"levels that fit did not see are counted among the pooled ones: {_describe_levels(joined)}. "
            "Fit again with them if there are many."
        )
    return remarks


def _describe_levels(levels: Mapping[str, Mapping[str, int]]) -> str:
    return "; ".join(
        f"column {name!r}: {list_names(counts)} in {sum(counts.values()):,} row(s)"
        for name, counts in levels.items()
        if counts
    )

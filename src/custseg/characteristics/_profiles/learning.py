"""What one column of a profile table holds: its kind, and its levels in their order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import narwhals.stable.v2 as nw

from custseg._core.asking import asked
from custseg._core.customers import Kind
from custseg._core.text_columns import BINARY_WORDS, find_pair, refuse_dates, spaced
from custseg.characteristics._profiles.bands import (
    DOT_THOUSANDS,
    MAX_BANDS,
    BandScale,
    Decimal,
    find_decimal,
    parse_band,
    read_number,
    read_scale,
    unit_text,
)
from custseg.characteristics._profiles.encoding import (
    Encoding,
    MissingWords,
    Source,
    level_counts,
    level_text,
    plain_numbers,
    source_of,
    without_answers,
)
from custseg.characteristics._profiles.level_pools import Hierarchy, describe_pool, pool_levels
from custseg.exceptions import ColumnTypeError, InvalidParameterError, list_names, suggest

# A text column that differs in more than this share of the customers, and has more levels than
# could be read one by one, describes each of them, not groups.
_MOSTLY_UNIQUE = 0.5
_FEW_LEVELS = 50
_EXACT_FLOATS = 2**53
_COMMA: Decimal = ","
_DOT_AND_THREE = r"^\s*-?[1-9][0-9]{0,2}\.[0-9]{3}\s*$"
_DECIMAL_REMEDY = "Pass decimal=',' if the comma stands before decimals, decimal='.' if it does not."


@dataclass(frozen=True)
class Declared:
    """What a user says of one column.

    Attributes
    ----------
    order : sequence or None
        The levels from low to high.
    kind : str or None
        The kind.
    named : bool
        Whether the column came as categories, so that a level such as "1" is a name, not a number.
    decimal : {".", ","} or None
        The sign before decimals; None finds it out.
    least : int, float or None
        The number, or share below 1, of customers that a category of a column without order must have.
    other : str
        What rare levels are pooled as.
    hierarchy : Hierarchy or None
        The levels above each level.
    """

    order: Sequence[Any] | None = None
    kind: str | None = None
    named: bool = False
    decimal: str | None = None
    least: float | None = None
    other: str = "other"
    hierarchy: Hierarchy | None = None


def learn(
    column: nw.Series[Any], *, missing: MissingWords, declared: Declared | None = None
) -> tuple[Encoding, tuple[str, ...]]:
    """Learn one column: its kind, and its levels in their order.

    Parameters
    ----------
    column : narwhals Series
        The column.
    missing : MissingWords
        What means missing.
    declared : Declared or None, default=None
        What the user says of the column.

    Returns
    -------
    encoding : Encoding
        What was learned.
    remarks : tuple of str
        What a user should know about the column.
    """
    declared = declared or Declared()
    source = source_of(column)
    column, _ = without_answers(column, missing)
    if source == "text" and not declared.named:
        answers = _yes_or_no(column, declared, missing)
        if answers is not None:
            return answers, ()
    by_level = declared.order is not None or declared.hierarchy is not None or declared.kind in ("ordinal", "nominal")
    counts: dict[Any, int] = {}
    if by_level:
        counts = level_counts(column)
    elif source == "text":
        counts = _telling_levels(column, declared, missing)
    by_text: dict[str, int] = {}
    for raw, n_rows in counts.items():
        by_text[level_text(raw)] = by_text.get(level_text(raw), 0) + n_rows
    levels = {text: n_rows for text, n_rows in by_text.items() if text not in missing}
    learner = _Learner(column, source, levels, declared)
    encoding, remark = learner.learned(missing)
    remarks = [remark] if remark else []
    if encoding.kind == "nominal" and declared.least is not None and levels:
        pool = pool_levels(levels, least=declared.least, other=declared.other, hierarchy=declared.hierarchy)
        encoding = replace(encoding, categories=tuple(pool.categories), pool=pool)
        remarks += [text for text in (describe_pool(pool, encoding.name),) if text]
    if encoding.kind == "numeric" and not _is_exact(column):
        remarks.append(
            "its whole numbers are rounded: they are too large for integers, or for floats that may be missing."
        )
    n_no_answer = sum(by_text.values()) - sum(levels.values())
    n_known = len(column) - column.null_count() - n_no_answer
    if n_known == 0:
        remarks = ["it has no value at all, so it says nothing about anyone. Drop it, or check where it comes from."]
    return replace(encoding, n_known=n_known), tuple(remarks)


def _yes_or_no(column: nw.Series[Any], declared: Declared, missing: MissingWords) -> Encoding | None:
    """Learn a column of text that holds nothing but yes and no; None where it holds more. Dates are refused."""
    if declared.order is not None or declared.hierarchy is not None or declared.kind not in (None, "binary"):
        return None
    known, name = column.drop_nulls(), str(column.name)
    some = [text for text in map(level_text, known[spaced(len(known))].to_list()) if text not in missing]
    if declared.kind is None:
        refuse_dates(name, some, keep=f"kinds={{{name!r}: 'nominal'}}")
    # a few values, which may all be the same one, rule out most columns
    if some and find_pair(some, declared=True) is None:
        return None
    counts = {raw: n for raw, n in level_counts(known).items() if level_text(raw) not in missing}
    levels = {level_text(raw) for raw in counts}
    # an empty text is no answer, unless missing_values=... leaves it out
    pair = None if "" in levels else find_pair(levels, declared=declared.kind == "binary")
    return None if pair is None else Encoding(name, "binary", "text", n_known=sum(counts.values()), pair=pair)


def _telling_levels(column: nw.Series[Any], declared: Declared, missing: MissingWords) -> dict[Any, int]:
    """Count the levels of a text column, without its plain numbers where all else are numbers too.

    Those may be many, and say no more than that the column is numeric.
    """
    if not declared.named and declared.decimal != _COMMA and declared.kind in (None, "numeric"):
        counts = level_counts(plain_numbers(column, missing)[1])
        texts = (text for text in map(level_text, counts) if text not in missing)
        if all(read_number(text) is not None and not DOT_THOUSANDS.search(text) for text in texts):
            # where a dot may group thousands the numbers tell the decimal sign
            in_doubt = column.str.contains(_DOT_AND_THREE).fill_null(value=False)
            if not in_doubt.any():
                return counts
    return level_counts(column)


@dataclass(frozen=True)
class _Learner:
    column: nw.Series[Any]
    source: Source
    counts: Mapping[str, int]
    declared: Declared

    @property
    def name(self) -> str:
        return str(self.column.name)

    @property
    def levels(self) -> list[str]:
        return list(self.counts)

    def learned(self, missing: MissingWords) -> tuple[Encoding, str]:
        declared = self.declared
        if declared.order is not None:
            order = dict.fromkeys(level_text(level) for level in declared.order)
            return self.ordered([text for text in order if text not in missing]), ""
        if declared.hierarchy is not None:
            return self.coded()
        if declared.kind is not None:
            return self.as_declared(declared.kind), ""
        return self.as_found()

    def ordered(self, order: list[str]) -> Encoding:
        """Take the declared order; a level that it lacks is an error, since it has no place."""
        lacking = [level for level in self.levels if level not in order]
        if lacking:
            raise InvalidParameterError(
                f"{asked()}: level_orders[{self.name!r}] lacks the level(s) {list_names(lacking)}; it has "
                f"{list_names(order, 20)}.{suggest(lacking[0], order)} Add what is missing, or count it as "
                "no answer through missing_values=(...)."
            )
        return Encoding(self.name, "ordinal", self.source, tuple(order))

    def coded(self) -> tuple[Encoding, str]:
        """Take the levels for codes; numbers that are none any more are an error, or a remark."""
        remark = ""
        if self.source == "numbers" and self.declared.hierarchy is not None:
            fractions = [level for level in self.levels if not level.lstrip("-").isdigit()]
            if fractions:
                remedy = "Read the column as text: as a number, the code 62.10 is 62.1."
                raise ColumnTypeError.expected(self.name, "text to be codes", list_names(fractions), remedy)
            lengths = sorted({len(level) for level in self.levels})
            if len(lengths) > 1:
                remark = (
                    f"its codes are numbers of {lengths[0]} to {lengths[-1]} digits. If they had zeros in front, those "
                    "are lost and the levels above are wrong: read the column as text."
                )
        return self._of_kind("nominal", sorted(self.levels)), remark

    def as_declared(self, kind: str) -> Encoding:
        """Take the declared kind; values that cannot be of it are an error."""
        learners: dict[str, Callable[[], Encoding]] = {
            "numeric": self._declared_numeric,
            "binary": self._declared_binary,
            "ordinal": self._declared_ordinal,
            "nominal": lambda: self._of_kind("nominal", self.levels),
        }
        return learners[kind]()

    def as_found(self) -> tuple[Encoding, str]:
        """Let the values say the kind, with a remark where they are in two minds."""
        if self.source == "bools":
            return self._of_kind("binary"), ""
        if self.source == "numbers" or not self.counts:
            return self._of_kind("numeric"), ""
        decimal, doubt = self._decimal()
        if not self.declared.named and self._numbers(decimal) is not None:
            return self._numeric(decimal), f"{doubt}. {_DECIMAL_REMEDY}" if doubt else ""
        scale, problem = read_scale(self.levels, decimal)
        if scale is not None:
            return self._banded(scale), f"{doubt}. {_DECIMAL_REMEDY}" if doubt else ""
        return self._of_kind("nominal", sorted(self.levels)), self._remark_on_text(problem, doubt)

    def _of_kind(self, kind: Kind, categories: Iterable[str] = ()) -> Encoding:
        return Encoding(self.name, kind, self.source, tuple(categories))

    def _numeric(self, decimal: Decimal) -> Encoding:
        bands = (parse_band(level, decimal) for level in self.levels[:MAX_BANDS])
        unit = unit_text(band.unit for band in bands if band is not None)
        return Encoding(self.name, "numeric", self.source, decimal=decimal, unit=unit)

    def _banded(self, scale: BandScale) -> Encoding:
        return Encoding(
            self.name, "ordinal", self.source, scale.categories, scale, decimal=scale.decimal, unit=scale.unit
        )

    def _decimal(self) -> tuple[Decimal, str]:
        if self.declared.decimal is None:
            return find_decimal(self.levels)
        return "," if self.declared.decimal == "," else ".", ""

    def _numbers(self, decimal: Decimal) -> dict[str, float] | None:
        """Return the number that each level stands for; None as soon as one is none."""
        numbers = {}
        for level in self.counts:
            number = read_number(level, decimal)
            if number is None:
                return None
            numbers[level] = number
        return numbers

    def _declared_numeric(self) -> Encoding:
        if self.source != "text":
            return self._of_kind("numeric")
        found = self._decimal()[0]
        # who declares numbers says with it that a comma is no list
        for decimal in (found,) if self.declared.decimal else (found, _COMMA):
            if self._numbers(decimal) is not None:
                return self._numeric(decimal)
        others = [level for level in self.levels if read_number(level, found) is None]
        raise self._impossible(
            "numbers to be numeric", others, "Correct the texts, or list them in missing_values=(...)."
        )

    def _declared_binary(self) -> Encoding:
        if self.source == "text" or not _only_zero_and_one(self.column):
            remedy = "Declare it nominal, or convert it with a comparison such as column == 'Paris'."
            expected = BINARY_WORDS if self.source == "text" else "bools, or the numbers 0 and 1, to be binary"
            raise self._impossible(expected, self.levels, remedy)
        return self._of_kind("binary")

    def _declared_ordinal(self) -> Encoding:
        decimal = self._decimal()[0] if self.source == "text" else "."
        numbers = self._numbers(decimal)
        if numbers is not None:
            return self._of_kind("ordinal", sorted(self.levels, key=numbers.__getitem__))
        scale, problem = read_scale(self.levels, decimal)
        if scale is None:
            remedy = f"Declare its order from low to high: level_orders={{{self.name!r}: [...]}}."
            raise self._impossible("numbers or bands to be ordinal", [problem] if problem else self.levels, remedy)
        return self._banded(scale)

    def _impossible(self, expected: str, got: Sequence[str], remedy: str) -> ColumnTypeError:
        return ColumnTypeError.expected(self.name, expected, list_names(got) if got else "other values", remedy)

    def _remark_on_text(self, problem: str, doubt: str) -> str:
        n_rows = sum(self.counts.values())
        if problem:
            return (
                f"its levels look like bands, but {problem}; it is kept as unordered categories. Declare the order "
                f"(level_orders={{{self.name!r}: [...]}}), list what means no answer in missing_values=(...), or say "
                f"that it has no order (kinds={{{self.name!r}: 'nominal'}})."
            )
        if doubt:
            return f"{doubt}; it is kept as unordered categories. {_DECIMAL_REMEDY}"
        others = [] if self.declared.named else self._text_among_numbers()
        if others:
            return (
                f"its levels are numbers but for {list_names(others)}, so it is kept as unordered categories. If that "
                f"means no answer, list it: missing_values={{{self.name!r}: [...]}}; if the numbers are names, say so: "
                f"kinds={{{self.name!r}: 'nominal'}}."
            )
        if self.declared.least is None and len(self.counts) > max(_FEW_LEVELS, _MOSTLY_UNIQUE * n_rows):
            return (
                f"its text has {len(self.counts):,} levels in {n_rows:,} rows, so it tells customers apart instead "
                "of grouping them. Leave it out with columns=[...], group its levels, or, if it holds numbers, "
                "convert it."
            )
        return ""

    def _text_among_numbers(self) -> list[str]:
        """Return the levels that are no numbers where nearly all others are."""
        levels = self.levels[:MAX_BANDS]
        others = [level for level in levels if read_number(level) is None]
        return others if 3 * len(others) < len(levels) else []


def _only_zero_and_one(column: nw.Series[Any]) -> bool:
    return bool(column.drop_nulls().cast(nw.Float64).is_in([0.0, 1.0]).all())


def _is_exact(column: nw.Series[Any]) -> bool:
    """Say whether whole numbers stay what they are: as integers of 64 bits, or as floats where some are missing."""
    if not column.dtype.is_integer() or column.null_count() == len(column):
        return True
    largest = max(abs(int(column.max())), abs(int(column.min())))
    return largest < (_EXACT_FLOATS if column.null_count() else 2**63)

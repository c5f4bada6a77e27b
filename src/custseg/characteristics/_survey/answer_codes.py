"""Survey answers of any form to codes: labels, numbers, "don't know", and what lies outside the range."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from custseg._core.arrays import Floats
from custseg._core.asking import asked
from custseg.characteristics._profiles.bands import read_number
from custseg.characteristics._profiles.encoding import MissingWords, level_text
from custseg.characteristics._survey.answers import is_number, matrix, numbers
from custseg.exceptions import ColumnTypeError, InvalidParameterError, InvalidTableError, list_names, suggest


@dataclass(frozen=True)
class Codes:
    """The coded answers of a table.

    Attributes
    ----------
    values : ndarray of shape (n_customers, n_items)
        The codes, NaN where there is no answer.
    n_dont_know : int
        Rows in which some answer means that the respondent does not know.
    """

    values: Floats
    n_dont_know: int


class AnswerCoder:
    """Turns the answers to survey items into codes within a range.

    Parameters
    ----------
    scale_range : (low, high) or None
        The lowest and the highest code; None takes 1 to the number of labels.
    answers : sequence of str or None
        The labels from the lowest to the highest code.
    dont_know : sequence of str or numbers
        Answers that mean none.
    """

    def __init__(
        self,
        *,
        scale_range: Sequence[float] | None,
        answers: Sequence[str] | None,
        dont_know: Iterable[str | float],
    ) -> None:
        self.low, self.high = self._range(scale_range, answers)
        self._labels = answers or ()
        self._codes = {plain(label): self.low + place for place, label in enumerate(self._labels)}
        # an empty text is a missing cell, not an answer
        self._empty = MissingWords([""])
        self._words = MissingWords(answer for answer in dont_know if isinstance(answer, str))
        self._numbers = np.array([answer for answer in dont_know if not isinstance(answer, str)], dtype=np.float64)

    def _range(self, scale_range: Sequence[float] | None, answers: Sequence[str] | None) -> tuple[float, float]:
        if scale_range is None:
            if answers is None:
                raise InvalidParameterError(
                    f"{asked()}: parameter 'scale_range' must be given unless answers=(...) lists the labels, or the "
                    "items are ordered categories. Pass the lowest and the highest code that the questionnaire "
                    "allows, for example scale_range=(1, 5)."
                )
            return 1.0, float(len(answers))
        low, high = map(float, scale_range)
        if answers is not None and high - low + 1 != len(answers):
            raise InvalidParameterError(
                f"{asked()}: answers lists {len(answers)} labels, scale_range={tuple(scale_range)!r} has "
                f"{high - low + 1:g} codes. Leave scale_range out, or make them agree."
            )
        return low, high

    def read(self, rows: nw.DataFrame[Any], items: Sequence[str]) -> Codes:
        """Return the codes of the named items; answers outside the range are an error."""
        columns, unknown = [], np.zeros(len(rows), dtype=bool)
        for item in items:
            codes, does_not_know = self._read_item(rows[item])
            columns.append(codes)
            unknown |= does_not_know
        values = matrix(columns, len(rows))
        self._refuse_outside(values, items)
        return Codes(values, int(unknown.sum()))

    def _read_item(self, column: nw.Series[Any]) -> tuple[Floats, Any]:
        if not is_number(column):
            return self._read_text(column)
        codes = numbers(column)
        does_not_know = np.isin(codes, self._numbers)
        return np.where(does_not_know, np.nan, codes), does_not_know

    def _read_text(self, column: nw.Series[Any]) -> tuple[Floats, Any]:
        if not isinstance(column.dtype, (nw.String, nw.Categorical, nw.Enum)):
            remedy = "Pass codes, or labels with answers=(...); leave other columns out."
            raise ColumnTypeError.expected(column.name, "answers to an item", column.dtype, remedy)
        column = column.cast(nw.String)
        levels = [level for level in column.unique().to_list() if level is not None]
        read = {level: self._read_level(level_text(level)) for level in levels}
        unread = [level for level, code in read.items() if code is None]
        if unread:
            raise self._not_an_answer(column, sorted(unread))
        codes = np.asarray(
            column.replace_strict(levels, [read[level] for level in levels], return_dtype=nw.Float64).to_numpy(),
            dtype=np.float64,
        )
        # minus infinity stands for "don't know" until it has been counted
        does_not_know = np.isneginf(codes)
        return np.where(np.isfinite(codes), codes, np.nan), does_not_know

    def _read_level(self, text: str) -> float | None:
        if text in self._empty:
            return np.nan
        if text in self._words:
            return -np.inf
        if plain(text) in self._codes:
            return self._codes[plain(text)]
        number = read_number(text)
        return -np.inf if number is not None and number in self._numbers else number

    def _not_an_answer(self, column: nw.Series[Any], unread: list[str]) -> ColumnTypeError:
        n_rows = int(column.is_in(unread).sum())
        if not self._labels:
            known = "List the labels from the lowest to the highest: answers=('strongly disagree', ...)."
        else:
            known = f"answers lists {list_names(self._labels, 20)}.{suggest(unread[0], self._labels)}"
        return ColumnTypeError(
            f"{asked()}: item {str(column.name)!r} holds text that is no answer in {n_rows:,} row(s): "
            f"{list_names(unread)}. {known} What means no answer goes into dont_know=(...)."
        )

    def _refuse_outside(self, values: Floats, items: Sequence[str]) -> None:
        outside = (values < self.low) | (values > self.high)
        n_rows = outside.sum(axis=0)
        if not n_rows.any():
            return
        found = [
            f"{item!r} in {n_rows[place]:,} row(s), for example {values[outside[:, place], place].min():g}"
            for place, item in enumerate(items)
            if n_rows[place]
        ]
        more = f", and {len(found) - 5} more item(s)" if len(found) > 5 else ""
        raise InvalidTableError(
            f"{asked()}: answers outside {self.low:g} to {self.high:g}: {'; '.join(found[:5])}{more}. Correct them "
            "or scale_range, or list codes that mean no answer in dont_know=(...)."
        )


def order_of(
    categories: Mapping[str, Sequence[Any] | None], items: Iterable[str], dont_know: Iterable[str | float]
) -> tuple[str, ...] | None:
    """Return the labels from the lowest to the highest where items are ordered categories; None where none is.

    What means no answer is no label, and categories that are numbers are codes. Items of different labels are refused.
    """
    no_answers = MissingWords(["", *dont_know])
    first = ""
    found: tuple[str, ...] = ()
    for item in items:
        levels = (level_text(level) for level in categories.get(item) or ())
        labels = tuple(text for text in levels if text not in no_answers)
        if len(labels) < 2 or all(read_number(text) is not None for text in labels):
            continue
        if found and list(map(plain, labels)) != list(map(plain, found)):
            raise InvalidTableError(
                f"{asked()}: the ordered categories of item {first!r} are {list_names(found)}, those of {item!r} "
                f"{list_names(labels)}. Give all items the same, from the lowest to the highest, or say answers=(...)."
            )
        first, found = first or item, found or labels
    return found or None


def plain(text: str) -> str:
    """Return a label as it is compared: without case and needless spaces."""
    return " ".join(text.casefold().split())

"""What a column of text may hold besides levels: yes and no, or dates."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from custseg._core.warning import warn
from custseg.exceptions import ColumnTypeError, UnseenCategoryWarning, list_names

Pair = tuple[str, ...]
"""The words for yes and for no."""

PAIRS: tuple[Pair, ...] = (("yes", "no"), ("true", "false"), ("y", "n"), ("t", "f"), ("1", "0"))
"""The words that are read as yes and no, whatever their case."""

# a column of nothing but "F" may hold women, one of nothing but "1" numbers
_TELLING_ALONE = frozenset({"yes", "no", "true", "false"})
BINARY_WORDS = " or ".join("/".join(pair) for pair in PAIRS) + " to be binary"
"""What text must be to be declared binary, for messages."""

_AS_LEVELS = "kinds={...: 'nominal'} where an estimator takes kinds, or the dtype category,"
_WORDS = frozenset(word for pair in PAIRS for word in pair)

# So many values, evenly spaced, tell whether a column holds dates.
_SAMPLE = 1_000
_FEWEST_DATES = 10
_DATES_SHARE = 0.95

_TIME = r"(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?[AP]M)?(?: ?(?:Z|UTC|GMT|[+-]\d{2}:?(?:\d{2})?))?)?"
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_DATE = re.compile(
    rf"(?:(?P<y>\d{{4}})(?P<s>[-/.])(?P<a>\d{{1,2}})(?P=s)(?P<b>\d{{1,2}})"
    rf"|(?P<c>\d{{1,2}})(?P<t>[-/.])(?P<d>\d{{1,2}})(?P=t)\d{{4}}"
    rf"|(?P<e>\d{{1,2}})/(?P<f>\d{{1,2}})/\d{{2}}"
    rf"|\d{{1,2}}[ -]{_MONTH}[ -]\d{{2,4}}"
    rf"|{_MONTH} \d{{1,2}},? \d{{4}}){_TIME}",
    re.IGNORECASE,
)


def plain_word(text: str) -> str:
    """Return what two spellings of yes share: case and spaces around it do not count."""
    return text.strip().casefold()


def find_pair(texts: Iterable[str], *, declared: bool = False) -> Pair | None:
    """Return the words for yes and no that a column holds; None where it holds anything else.

    An empty text is no answer. One word of a pair is enough where it can mean nothing else, as "Yes" can
    not, or where the column was ``declared`` to be binary.
    """
    found = set()
    for text in texts:
        word = plain_word(text)
        if word and word not in _WORDS:
            return None
        found.add(word)
    found.discard("")
    for pair in PAIRS:
        if found and found <= set(pair) and (len(found) == 2 or declared or found <= _TELLING_ALONE):
            return pair
    return None


def as_bit(text: str, pair: Pair) -> float | None:
    """Return 1 for yes, 0 for no, None for anything else."""
    word, (yes, no) = plain_word(text), map(plain_word, pair)
    return float(word == yes) if word in (yes, no) else None


def spaced(n_values: int) -> slice:
    """Return which values of a column to look at: all of a few, so many of many."""
    return slice(None, None, max(1, n_values // _SAMPLE))


def _is_date(text: str) -> bool:
    found = _DATE.fullmatch(text.strip())
    if found is None:
        return False
    parts = [int(part) for name in "abcdef" if (part := found[name]) is not None]
    # day and month, whichever comes first
    return not parts or (1 <= min(parts) <= 12 and max(parts) <= 31)


def refuse_dates(column: str, texts: Sequence[str], *, keep: str) -> None:
    """Refuse text of which nearly all values are dates: they would be nearly as many levels as customers.

    Which of day and month comes first is nobody's to guess.

    Parameters
    ----------
    column : str
        The column.
    texts : sequence of str
        Its known values, or many of them.
    keep : str
        What a user can write to keep them as levels.
    """
    if len(texts) < _FEWEST_DATES or not any(map(_is_date, texts[:_FEWEST_DATES])):
        return  # most columns are done with that
    dates = [text for text in texts if _is_date(text)]
    if len(dates) >= _DATES_SHARE * len(texts):
        day = f"(pandas.to_datetime(table[{column!r}], format='...') - pandas.Timestamp('2024-01-01')).dt.days"
        remedy = (
            f"Turn it into days since a fixed day, for example {day}, or drop it; {keep} keeps every date as a level."
        )
        expected = "numbers, bools, or text that groups customers"
        raise ColumnTypeError.expected(column, expected, f"dates written as text, such as {dates[0]!r}", remedy)


@dataclass(frozen=True)
class TextColumn:
    """What a column of text turned out to be.

    Attributes
    ----------
    kind : {"binary", "nominal"}
        Its kind.
    values : ndarray of shape (n_rows,)
        1 for yes, 0 for no and NaN (binary), or positions in ``levels``, -1 where missing (nominal).
    levels : tuple of str
        The levels of a nominal column.
    pair : tuple of str
        The words for yes and no of a binary one, as they were spelt.
    """

    kind: Literal["binary", "nominal"]
    values: npt.NDArray[Any]
    levels: tuple[str, ...] = ()
    pair: Pair = ()


@dataclass
class TextReader:
    """Reads columns of text: as yes or no where they hold nothing else, else as levels.

    Attributes
    ----------
    pairs : mapping of str to tuple of str or None
        The words for yes and no by column, as ``fit`` found them, all other text being levels; None finds them, and
        refuses dates.
    unseen : dict of str to list of str
        The texts that are neither yes nor no where ``fit`` saw nothing else, one for each row.
    """

    pairs: Mapping[str, Pair] | None
    unseen: dict[str, list[str]] = field(default_factory=dict)

    def read(
        self, name: str, codes: npt.NDArray[np.int64], levels: tuple[str, ...], kind: str | None, *, is_text: bool
    ) -> TextColumn:
        """Read one column: the level of each row, -1 where it is missing. Categories are no text: they are levels."""
        if kind == "numeric":
            raise ColumnTypeError.expected(name, "numbers to be numeric", "text", "Drop it from kinds.")
        if kind == "ordinal":
            remedy = "Give it an order: an ordered category, or DemographicEncoder(orders=...)."
            raise ColumnTypeError.expected(name, "in a stated order to be ordinal", "text", remedy)
        pair = self._pair(name, levels, kind) if is_text else None
        if kind == "binary" and pair is None:
            raise ColumnTypeError.expected(name, BINARY_WORDS, list_names(levels), "Drop it from kinds.")
        if pair is not None:
            return TextColumn("binary", self._bits(name, codes, levels, pair), pair=pair)
        if is_text and kind is None and self.pairs is None:
            known = codes[codes >= 0]
            refuse_dates(name, [levels[code] for code in known[spaced(len(known))]], keep=_AS_LEVELS)
        return TextColumn("nominal", codes, levels)

    def warn_of_unseen(self) -> None:
        """Warn of the texts that are neither yes nor no, once for all columns."""
        if self.unseen:
            warn(UnseenCategoryWarning.of(self.unseen))

    def _pair(self, name: str, levels: tuple[str, ...], kind: str | None) -> Pair | None:
        if self.pairs is not None:
            return self.pairs.get(name)
        pair = None if kind == "nominal" else find_pair(levels, declared=kind == "binary")
        if pair is None:
            return None
        spelt = {plain_word(level): level.strip() for level in levels}
        return tuple(spelt.get(word, word) for word in pair)

    def _bits(
        self, name: str, codes: npt.NDArray[np.int64], levels: tuple[str, ...], pair: Pair
    ) -> npt.NDArray[np.float64]:
        read = [as_bit(level, pair) for level in levels]
        new = {code for code, bit in enumerate(read) if bit is None and levels[code].strip()}
        if new:
            self.unseen[name] = [levels[code] for code in codes[np.isin(codes, list(new))]]
        # a code of -1 picks the last one
        bits = np.array([*(np.nan if bit is None else bit for bit in read), np.nan], dtype=np.float64)
        return bits[codes]

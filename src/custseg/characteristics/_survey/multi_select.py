"""Questions with several answers ("yummy, cheap, greasy"): one bool column per option."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, cast

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from custseg._core.arrays import Bools, Floats, Integers
from custseg._core.asking import asked
from custseg._core.characteristic import Characteristic, in_words, number
from custseg._core.customers import Column
from custseg._core.described import OVERRIDES, ByColumn
from custseg._core.ids import ID_OR_ROWS
from custseg._core.params import COLUMN, NONE, Integer, OneOf, ParameterTable, Where
from custseg._core.warning import warn
from custseg.characteristics._profiles.columns import (
    Texts,
    are_names,
    commonest_spellings,
    is_text,
    list_counts,
    option_key,
    read_numbers,
    read_texts,
)
from custseg.characteristics._profiles.encoder import Encoded, Profile, ProfileEncoder
from custseg.characteristics._row_report import RowPolicy
from custseg.exceptions import (
    ColumnTypeError,
    InvalidParameterError,
    InvalidTableError,
    list_names,
)

RARE = "rare_options"
N_CHOSEN = "n_chosen"

_SEPARATORS = (";", ",", "|", "/", "\n")


@dataclass(frozen=True)
class _Choices:
    """Which options the customers of one table chose.

    Attributes
    ----------
    options : tuple of str
        The options that are told apart.
    chosen : ndarray of shape (n_customers, n_options)
        1 where chosen, 0 where not, NaN where it is not known.
    n_chosen : ndarray of shape (n_customers,)
        How many options were chosen, those that are not told apart included; NaN where it is not known.
    new : dict of str to int
        Options that ``fit`` did not see, with their customers.
    has_new : ndarray of shape (n_customers,)
        Who chose one of them.
    n_repeated : int
        Customers who named an option twice.
    n_empty : int
        Customers whose answer is empty.
    """

    options: tuple[str, ...]
    chosen: Floats
    n_chosen: Floats
    new: dict[str, int]
    has_new: Bools
    n_repeated: int = 0
    n_empty: int = 0


class MultiSelectEncoder(ProfileEncoder):
    """A question with several answers: one bool column per option, and how many were chosen.

    One row per customer goes in and comes out, sorted by customer id. The answers are text with the
    options that were chosen ("yummy, cheap, greasy"), or a block of columns with 0 and 1, one per option.

    Parameters
    ----------
    columns : str, sequence of str, or None, default=None
        One column of text; or the columns of a block, which hold 0 and 1 or bools. None reads all
        columns besides the id: a single one that holds text, else a block.
    customer_id : str or None, default="customer_id"
        The column of customer ids: whole numbers or text, each once. None where each row is a customer: its
        number is the index of a pandas table, else its place from 0.
    separator : str, default=";"
        What stands between two options of a text.
    labels : mapping of str to str or None, default=None
        What columns are called in words, in place of what :meth:`describe` calls them.
    units : mapping of str to str or None, default=None
        The units of columns, in place of those of :meth:`describe`.
    roles : mapping of str to str or None, default=None
        The roles of columns, in place of those of :meth:`describe`.
    min_customers : int, default=10
        Options that fewer customers of ``fit`` chose get no column of their own; together they are
        ``rare_options``.
    empty : {"none_chosen", "missing"}, default="none_chosen"
        What an empty text means: the customer was asked and chose nothing, or did not answer.

    Attributes
    ----------
    options_ : DataFrame
        One row per option of ``fit``, the commonest first: ``option``, ``n_customers`` who chose
        it, ``share`` of those who answered, and ``column``, the column that tells of it.
    row_report_ : RowReport
        How many rows each policy touched in ``fit``.
    units_ : dict of str to str
        The unit of each characteristic.
    n_features_in_ : int
        The number of columns read.
    feature_names_in_ : ndarray of str
        Their names, without the customer id.

    Raises
    ------
    ColumnNotFoundError
        A named column is not in the table.
    ColumnTypeError
        The column of text holds no text, or a column of a block something else than 0, 1 and bools.
    CustomerIdError
        An id is repeated, or the ids are of mixed type.
    InvalidParameterError
        A parameter is out of range.
    InvalidTableError
        The table has no rows, nobody chose any option, or an option is called like a column that is
        added.

    Warns
    -----
    DataQualityWarning
        In ``fit``: no answer holds the separator though many hold another one; a column of a block
        holds 1 and missing values but never 0. In ``transform``: options that ``fit`` did not see,
        and rows without an id, both counted.

    Notes
    -----
    The columns are called like the options: those of a text in alphabetical order, those of a
    block in their own. Then come ``rare_options``, where there are any (true where one or more of
    them was chosen), and ``n_chosen``, the number of different options that the customer chose, rare
    and new ones included.

    *Text*: spaces around options and their case do not count; the commonest spelling names the
    column. An option named twice counts once; nothing between two separators is passed over. An
    option that ``fit`` did not see counts as rare where there are rare options, and in ``n_chosen``.

    *Missing values*: a missing text stays missing in every column: that customer was not asked, or
    skipped the question. In a block each missing value stays missing in its column, and ``n_chosen``
    is then missing too; ``rare_options`` is true where one was chosen, and missing where none was
    but one is not known.

    Examples
    --------
    >>> import pandas as pd
    >>> from custseg.characteristics import MultiSelectEncoder
    >>> survey = pd.DataFrame({
    ...     "customer_id": [1, 2, 3],
    ...     "image": ["yummy, cheap", "cheap,greasy", None],
    ... })
    >>> encoder = MultiSelectEncoder("image", separator=",", min_customers=1)
    >>> encoder.fit_transform(survey)
                 cheap  greasy  yummy  n_chosen
    customer_id
    1             True   False   True       2.0
    2             True    True  False       2.0
    3             <NA>    <NA>   <NA>       NaN
    >>> encoder.options_["option"].tolist()
    ['cheap', 'greasy', 'yummy']
    """

    criterion: ClassVar[str] = "psychographic"

    _parameters: ClassVar[ParameterTable] = {
        "columns": (NONE, COLUMN, Where(are_names, "a list of different column names")),
        "customer_id": ID_OR_ROWS,
        "separator": (Where(lambda value: isinstance(value, str) and value != "", "a text that is not empty"),),
        "min_customers": (Integer(low=1),),
        "empty": (OneOf("none_chosen", "missing"),),
        **OVERRIDES,
    }

    options_: pd.DataFrame
    _text: str | None
    _spelling: dict[str, str]
    _kept: tuple[str, ...]
    _has_rare: bool

    def __init__(
        self,
        columns: str | Sequence[str] | None = None,
        *,
        customer_id: str | None = "customer_id",
        separator: str = ";",
        labels: ByColumn = None,
        units: ByColumn = None,
        roles: ByColumn = None,
        min_customers: int = 10,
        empty: str = "none_chosen",
    ) -> None:
        self.columns = columns
        self.customer_id = customer_id
        self.separator = separator
        self.labels = labels
        self.units = units
        self.roles = roles
        self.min_customers = min_customers
        self.empty = empty

    def _wanted(self) -> Sequence[str] | None:
        return [self.columns] if isinstance(self.columns, str) else self.columns

    def _check(self) -> None:
        self._check_parameters()
        if self.customer_id in (self._wanted() or ()):
            words = "a column that is not among `columns`"
            raise InvalidParameterError.not_allowed("customer_id", words, self.customer_id)

    def _characteristics(self) -> Sequence[Characteristic]:
        columns = [self._spelling[option] for option in self._kept] + ([RARE] if self._has_rare else [])
        question = "" if self._text is None else f"{in_words(self._text)}: "
        told = [
            Characteristic(column=name, kind="binary", role="answer", label=f"{question}{in_words(name)}")
            for name in columns
        ]
        return [*told, *self._expected()]

    def _expected(self) -> Sequence[Characteristic]:
        # which options enough customers chose, the table will tell
        return [number(N_CHOSEN, "number of options chosen", "options")]

    def _learn(self, profile: Profile) -> None:
        names = profile.names
        alone = self.columns is None and len(names) == 1 and is_text(profile.rows[names[0]])
        self._text = names[0] if isinstance(self.columns, str) or alone else None
        self._spelling = {}
        if self._text is None:
            remark = self._remark_on_block(profile)
            self._spelling = {name: name for name in names}
        else:
            texts = self._texts(profile)
            remark = self._remark_on_separator(texts)
            self._spelling = self._spellings(texts)
        choices = self._choices(profile)
        counts = np.nansum(choices.chosen, axis=0)
        if not counts.any():
            raise InvalidTableError(
                f"{asked()}: nobody chose any option in {list_names(names)}. Check the columns, or drop the question."
            )
        is_kept = counts >= self.min_customers
        self._kept = tuple(option for option, keep in zip(choices.options, is_kept, strict=True) if keep)
        self._has_rare = not is_kept.all()
        self._refuse_clashes()
        self.options_ = self._found(choices, counts.astype(np.int64), is_kept)
        if remark:
            warn(remark)

    def _encode(self, profile: Profile) -> Encoded:
        choices = self._choices(profile)
        place = {option: position for position, option in enumerate(choices.options)}
        kept = [place[option] for option in self._kept]
        columns = [
            Column(self._spelling[option], "binary", choices.chosen[:, position])
            for option, position in zip(self._kept, kept, strict=True)
        ]
        if self._has_rare:
            rare = [position for position in range(len(place)) if position not in set(kept)]
            columns.append(Column(RARE, "binary", _any_chosen(choices.chosen[:, rare], choices.has_new)))
        columns.append(Column(N_CHOSEN, "numeric", choices.n_chosen, is_integer=True))
        remarks = (self._remark_on_new(choices),) if choices.new else ()
        return Encoded(tuple(columns), self._policies(choices), remarks)

    def _policies(self, choices: _Choices) -> tuple[RowPolicy, ...]:
        read_as = "kept: nothing chosen" if self.empty == "none_chosen" else "set to missing"
        n_missing = int(np.isnan(choices.chosen).all(axis=1).sum())
        n_missing -= choices.n_empty if self.empty == "missing" else 0
        skipped = RowPolicy("no answer", "kept: missing", n_missing, "Nothing, if the question was skipped.")
        if self._text is None:
            some = np.isnan(choices.chosen).any(axis=1) & ~np.isnan(choices.chosen).all(axis=1)
            remedy = "Put 0 where missing means that it was not chosen."
            return (skipped, RowPolicy("some options without a value", "kept: missing", int(some.sum()), remedy))
        return (
            skipped,
            RowPolicy("empty answer", read_as, choices.n_empty, "See the parameter `empty`."),
            RowPolicy("option named twice", "kept: counted once", choices.n_repeated, "Nothing, if it is a slip."),
        )

    def _choices(self, profile: Profile) -> _Choices:
        return self._choices_of_block(profile) if self._text is None else self._choices_of_text(self._texts(profile))

    def _choices_of_block(self, profile: Profile) -> _Choices:
        names = tuple(self._spelling)
        chosen = np.column_stack([self._zero_or_one(profile, name) for name in names])
        nobody = np.zeros(len(chosen), dtype=bool)
        return _Choices(names, chosen, chosen.sum(axis=1), {}, nobody)

    def _zero_or_one(self, profile: Profile, name: str) -> Floats:
        expected = "0 and 1, or bools"
        remedy = "Answers such as 'a;b;c' stand in one column: pass columns='...'. Otherwise convert it."
        values = read_numbers(profile.rows[name], expected=expected, remedy=remedy)
        other = ~(np.isnan(values) | (values == 0) | (values == 1))
        if other.any():
            got = f"{values[other][0]:g} and the like in {int(other.sum()):,} row(s)"
            remedy = "Convert it, for example with column == 1, or leave it out with columns=[...]."
            raise ColumnTypeError.expected(name, expected, got, remedy)
        return values

    def _texts(self, profile: Profile) -> Texts:
        remedy = "Convert it with astype(str), or pass the columns of a block of 0 and 1 as a list."
        column = profile.rows[cast("str", self._text)]
        if isinstance(column.dtype, (nw.List, nw.Array)):
            remedy = f"Join each list to a text first: column.list.join({self.separator!r})."
        return read_texts(column, numbers=False, remedy=remedy)

    def _split(self, text: str) -> list[str]:
        return [part.strip() for part in text.split(self.separator) if part.strip()]

    def _spellings(self, texts: Texts) -> dict[str, str]:
        """Return the options of the answers in alphabetical order, each with its commonest spelling."""
        counts: dict[str, int] = {}
        for text, n_customers in zip(texts.levels, texts.counts, strict=True):
            for spelling in set(self._split(text)):
                counts[spelling] = counts.get(spelling, 0) + int(n_customers)
        spellings = commonest_spellings(counts)
        return {key: spellings[key] for key in sorted(spellings)}

    def _choices_of_text(self, texts: Texts) -> _Choices:
        """Take every distinct answer apart once, then hand the results to the customers who gave it."""
        options = tuple(self._spelling)
        place = {option: position for position, option in enumerate(options)}
        n_levels = len(texts.levels)
        # the last row is for those without an answer
        chosen = np.zeros((n_levels + 1, len(options)))
        n_chosen = np.zeros(n_levels + 1)
        has_new, is_repeated, is_empty = (np.zeros(n_levels + 1, dtype=bool) for _ in range(3))
        new: dict[str, int] = {}
        counts = texts.counts
        for level, text in enumerate(texts.levels):
            parts = self._split(text)
            keys = {option_key(part): " ".join(part.split()) for part in parts}
            chosen[level, [place[key] for key in keys if key in place]] = 1
            n_chosen[level] = len(keys)
            is_repeated[level], is_empty[level] = len(keys) < len(parts), not keys
            for key in keys.keys() - place.keys():
                new[keys[key]] = new.get(keys[key], 0) + int(counts[level])
                has_new[level] = True
        no_answer = np.append(is_empty[:-1] & (self.empty == "missing"), True)
        chosen[no_answer], n_chosen[no_answer] = np.nan, np.nan
        codes = texts.codes
        n_repeated, n_empty = int(is_repeated[codes].sum()), int(is_empty[codes].sum())
        return _Choices(options, chosen[codes], n_chosen[codes], new, has_new[codes], n_repeated, n_empty)

    def _found(self, choices: _Choices, counts: Integers, is_kept: Bools) -> pd.DataFrame:
        labels = [self._spelling[option] for option in choices.options]
        n_answers = (~np.isnan(choices.chosen)).sum(axis=0)
        found = pd.DataFrame(
            {
                "option": pd.array(labels, dtype="str"),
                "n_customers": counts,
                "share": counts / np.maximum(n_answers, 1),
                "column": pd.array(
                    [label if keep else RARE for label, keep in zip(labels, is_kept, strict=True)], dtype="str"
                ),
            }
        )
        return found.sort_values(["n_customers", "option"], ascending=[False, True], ignore_index=True)

    def _refuse_clashes(self) -> None:
        taken = {N_CHOSEN, self._id_name} | ({RARE} if self._has_rare else set())
        clash = [self._spelling[option] for option in self._kept if self._spelling[option] in taken]
        if clash:
            raise InvalidTableError(
                f"{asked()}: the option {clash[0]!r} is called like a column of the result "
                f"({list_names(sorted(taken))}). Rename the option."
            )

    def _remark_on_block(self, profile: Profile) -> str:
        never = []
        for name in profile.names:
            values = self._zero_or_one(profile, name)
            if np.isnan(values).any() and (values == 1).any() and not (values == 0).any():
                never.append(name)
        if not never:
            return ""
        return (
            f"{list_names(never)} hold(s) 1 and missing values but never 0, so that nobody is known not to have chosen "
            "it. If missing means not chosen, put 0 there, for those who answered the question."
        )

    def _remark_on_separator(self, texts: Texts) -> str:
        counts = texts.counts
        n_answers = int(counts.sum())
        if any(self.separator in text for text in texts.levels):
            return ""
        for other in _SEPARATORS:
            n_with = sum(int(n) for text, n in zip(texts.levels, counts, strict=True) if other in text)
            if 2 * n_with >= n_answers > 0:
                return (
                    f"no answer in column {self._text!r} holds {self.separator!r}, {n_with:,} of {n_answers:,} hold "
                    f"{other!r}. If that separates the options, pass separator={other!r}."
                )
        return ""

    def _remark_on_new(self, choices: _Choices) -> str:
        n_customers = int(choices.has_new.sum())
        where = f"in {RARE!r} and {N_CHOSEN!r}" if self._has_rare else f"in {N_CHOSEN!r} only"
        return (
            f"{n_customers:,} customer(s) chose options that fit did not see: {list_counts(choices.new)}; they "
            f"count {where}. Fit again with them."
        )


def _any_chosen(chosen: Floats, has_new: Bools) -> Floats:
    """Say whether any option was chosen: a missing value leaves it open unless another one was."""
    one = (chosen == 1).any(axis=1) | has_new
    return np.where(one, 1.0, np.where(np.isnan(chosen).any(axis=1), np.nan, 0.0))

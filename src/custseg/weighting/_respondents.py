"""The answers of respondents to questions of importance: one row each, one column per characteristic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from custseg._core.arrays import Bools, Floats
from custseg._core.asking import asked
from custseg._core.customers import read_customers
from custseg._core.frames import is_table
from custseg._core.ids import ID_OR_ROWS
from custseg._core.params import ParameterTable
from custseg._core.warning import warn
from custseg.exceptions import ColumnTypeError, InvalidParameterError, InvalidTableError

__all__ = ["CUSTOMER_ID", "Respondents", "given_names", "read_respondents", "say", "several_tables"]


CUSTOMER_ID: ParameterTable = {"customer_id": ID_OR_ROWS}


@dataclass(frozen=True)
class Respondents:
    """What was answered.

    Attributes
    ----------
    names : tuple of str
        The characteristics.
    values : ndarray of shape (n_respondents, n_characteristics)
        The answers, NaN where there is none.
    ids : sequence
        What to call each respondent in a message.
    mass : ndarray of shape (n_respondents,)
        How many respondents each row stands for.
    """

    names: tuple[str, ...]
    values: Floats
    ids: Sequence[Any]
    mass: Floats

    def keep(self, rows: Bools) -> Respondents:
        """Keep some respondents."""
        ids = [name for name, kept in zip(self.ids, rows, strict=True) if kept]
        return Respondents(self.names, self.values[rows], ids, self.mass[rows])

    @property
    def n_respondents(self) -> float:
        """How many there are, each counting as often as its mass says."""
        return float(np.sort(self.mass).sum())


def read_respondents(
    X: Any,
    *,
    names: Sequence[str] | None = None,
    customer_id: str | None = "customer_id",
    sample_weight: npt.ArrayLike | None = None,
) -> Respondents:
    """Read a table, a path or a matrix of numbers; the respondents' ids are set aside."""
    if is_table(X):
        table = read_customers(X, customer_id=customer_id, must_have_id=True)
        for column in table.columns:
            if column.kind not in ("numeric", "binary"):
                remedy = f"Code the answers as numbers; if it names the respondents, pass customer_id={column.name!r}."
                raise ColumnTypeError.expected(column.name, "answers as numbers", column.kind, remedy)
        found = given_names(names, table.names)
        values = np.column_stack([table[name].values for name in found]).astype(np.float64)
        ids: Sequence[Any] = range(len(values)) if table.ids is None else table.ids.tolist()
    else:
        try:
            values = np.asarray(X)
        except ValueError:  # rows of different lengths
            values = np.asarray(X, dtype=object)
        if values.ndim != 2 or values.dtype.kind not in "biuf":
            raise InvalidTableError(
                f"{asked()} expects a dataframe or a matrix of numbers, one row per respondent and one column per "
                f"characteristic; got {type(X).__name__} of shape {values.shape} and dtype {values.dtype}."
            )
        if not len(values):
            raise InvalidTableError.empty("table of answers")
        values = values.astype(np.float64)
        found = given_names(names, n_names=values.shape[1])
        if np.isinf(values).any():
            first = int(np.isinf(values).any(axis=0).argmax())
            raise ColumnTypeError.infinite(found[first], int(np.isinf(values[:, first]).sum()))
        ids = range(len(values))
    if len(found) < 2:
        raise InvalidTableError(
            f"{asked()} needs at least 2 characteristics to weigh, got {len(found)} ({found[0]!r})."
        )
    return Respondents(tuple(found), values, ids, _mass(sample_weight, len(values)))


def given_names(names: Sequence[str] | None, columns: Sequence[str] | None = None, *, n_names: int = 0) -> list[str]:
    """Return the names of the characteristics: those of a table, a choice of them, or those of a matrix's columns."""
    if names is None:
        return [f"x{position}" for position in range(n_names)] if columns is None else list(columns)
    is_list = not isinstance(names, str) and isinstance(names, Iterable)
    listed = [str(name) for name in names] if is_list else []
    if not is_list or len(set(listed)) < len(listed):
        raise InvalidParameterError.not_allowed("names", "a list of different names", names)
    if columns is None and len(listed) != n_names:
        words = f"{n_names} names, one for each characteristic"
        raise InvalidParameterError.not_allowed("names", words, listed)
    for name in listed if columns is not None else []:
        if name not in (columns or ()):
            raise InvalidParameterError.unknown_name("column in names", name, columns or ())
    return listed


def several_tables(value: Any, word: str) -> dict[str, Any] | None:
    """Return several tables by name (``word`` 1, 2, ... where they have none); None where there is only one."""
    if is_table(value):
        return None
    if isinstance(value, Mapping):
        return {str(name): table for name, table in value.items()}
    is_stack = isinstance(value, np.ndarray) and value.ndim == 3
    if not is_stack and isinstance(value, (list, tuple)) and len(value):
        first = value[0]
        rows = first if isinstance(first, (list, tuple)) and len(first) else [0]
        is_matrix = np.ndim(first) == 2 if isinstance(first, np.ndarray) else isinstance(rows[0], (list, tuple))
        is_stack = is_table(first) or is_matrix or isinstance(rows[0], np.ndarray)
    return {f"{word} {position}": table for position, table in enumerate(value, 1)} if is_stack else None


def _mass(sample_weight: npt.ArrayLike | None, n_rows: int) -> Floats:
    if sample_weight is None:
        return np.ones(n_rows)
    mass = np.asarray(sample_weight, dtype=np.float64)
    if mass.shape != (n_rows,):
        words = f"of shape ({n_rows},), one for each respondent"
        raise InvalidParameterError.not_allowed("sample_weight", words, mass.shape)
    if not np.isfinite(mass).all() or (mass < 0).any() or not mass.sum() > 0:
        words = "finite numbers >= 0 that are not all zero"
        raise InvalidParameterError.not_allowed("sample_weight", words, f"from {mass.min():g} to {mass.max():g}")
    return mass


def say(remarks: Sequence[str]) -> None:
    """Warn the caller of a public function of every remark."""
    for remark in remarks:
        warn(remark)

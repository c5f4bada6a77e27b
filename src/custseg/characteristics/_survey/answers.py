"""Answers to survey items: read as a matrix of numbers, and how each pair of items varies together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from custseg._core.arrays import Floats, Integers
from custseg._core.asking import asked
from custseg._core.frames import collect, is_table, open_table
from custseg._core.ids import check_chosen, without_index
from custseg._core.rounding import ROUNDING, doubles, rounding_in, without_rounding
from custseg.exceptions import ColumnTypeError, InvalidTableError, list_names

# Below this share of the sum of squares a variance is rounding error.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Answers:
    """The answers of respondents to the items of a survey.

    Attributes
    ----------
    items : tuple of str
        The items.
    values : ndarray of shape (n_respondents, n_items)
        The answers, NaN where there is none.
    """

    items: tuple[str, ...]
    values: Floats


def read_answers(X: Any, *, customer_id: str | None, missing: str = "pairwise", at_least: int = 2) -> Answers:
    """Read a table or a matrix of answers: one row per respondent, one column per item.

    Parameters
    ----------
    X : dataframe, path, or array-like of shape (n_respondents, n_items)
        The answers as numbers. The columns of an array are called x0, x1, ...
    customer_id : str or None
        The column of a table that is no item; None where each is one.
    missing : {"pairwise", "listwise"}
        ``"listwise"`` keeps the respondents who answered every item.
    at_least : int
        The number of items needed.

    Returns
    -------
    answers : Answers
        The answers.
    """
    answers = _from_table(X, customer_id) if is_table(X) else _from_array(X)
    if len(answers.values) == 0:
        raise InvalidTableError.empty("table of answers")
    if len(answers.items) < at_least:
        raise InvalidTableError(
            f"{asked()} needs at least {at_least} items, got {len(answers.items)} ({list_names(answers.items)}). "
            "Pass all items of the scale, one a column."
        )
    infinite = np.isinf(answers.values).sum(axis=0)
    if infinite.any():
        first = int(infinite.argmax())
        raise ColumnTypeError.infinite(answers.items[first], int(infinite[first]))
    rounding = rounding_in(X.dtype) if isinstance(X, np.ndarray) and X.dtype.kind == "f" else ROUNDING
    columns = [without_rounding(column, rounding) for column in answers.values.T]
    answers = Answers(answers.items, matrix(columns, len(answers.values)))
    if missing == "pairwise":
        return answers
    complete = np.asarray(~np.isnan(answers.values).any(axis=1))
    if not complete.any():
        raise InvalidTableError(
            f"{asked()}: none of the {len(complete):,} respondents answered all {len(answers.items)} items, which "
            "missing='listwise' asks for. Use missing='pairwise', or drop the items that few answered."
        )
    return Answers(answers.items, answers.values[complete])


def _from_table(X: Any, customer_id: str | None) -> Answers:
    # the index of a pandas table says who answered, and is no item
    opened = open_table(without_index(X))
    check_chosen(X, customer_id, opened.columns)
    rows = collect(opened.frame if customer_id is None else opened.frame.drop(customer_id, strict=False))
    return Answers(tuple(rows.columns), matrix([numbers(rows[name]) for name in rows.columns], len(rows)))


def _from_array(X: Any) -> Answers:
    values = np.asarray(X)
    if values.ndim != 2 or values.dtype.kind not in "biuf":
        raise InvalidTableError(
            f"{asked()} expects a dataframe or a matrix of numbers, one row per respondent and one column per item; "
            f"got {type(X).__name__} of shape {values.shape} and dtype {values.dtype}. Pass the answers as numbers."
        )
    return Answers(tuple(f"x{position}" for position in range(values.shape[1])), values.astype(np.float64))


def is_number(column: nw.Series[Any]) -> bool:
    """Say whether a column holds numbers or bools, or nothing at all."""
    return bool(column.dtype.is_numeric() or column.dtype == nw.Boolean or column.null_count() == len(column))


def numbers(column: nw.Series[Any]) -> Floats:
    """Return a column of numbers as floats, NaN where missing."""
    if column.null_count() == len(column):
        return np.full(len(column), np.nan)
    if not is_number(column):
        remedy = "Code the answers as numbers: PsychographicEncoder(answers=(...)) does it for labelled ones."
        raise ColumnTypeError.expected(column.name, "answers as numbers", column.dtype, remedy)
    return np.asarray(doubles(column, column.dtype).to_numpy(), dtype=np.float64)


def matrix(columns: list[Floats], n_rows: int) -> Floats:
    """Put columns side by side, each one contiguous in memory."""
    values = np.empty((n_rows, len(columns)), order="F")
    for position, column in enumerate(columns):
        values[:, position] = column
    return values


@dataclass(frozen=True)
class Moments:
    """How each pair of items varies together, over the respondents who answered both.

    Attributes
    ----------
    n : ndarray of shape (n_items, n_items)
        How many answered both.
    covariance : ndarray of shape (n_items, n_items)
        NaN where fewer than two answered both; the diagonal is over all who answered the item.
    correlation : ndarray of shape (n_items, n_items)
        With the variances of the respondents who answered both; NaN where one of them is 0.
    """

    n: Integers
    covariance: Floats
    correlation: Floats

    @property
    def scaled(self) -> Floats:
        """The covariances divided by the standard deviations of the whole diagonal."""
        variance = np.diag(self.covariance)
        sd = np.sqrt(np.where(variance > 0, variance, np.nan))
        return np.asarray(self.covariance / np.outer(sd, sd))


def moments(values: Floats) -> Moments:
    """Compute the pairwise moments of a matrix of answers with NaN for missing ones.

    Whole numbers are summed exactly, so that neither the order of the rows nor that of the columns
    changes a digit.
    """
    known = ~np.isnan(values)
    # the lowest answer as origin keeps the sums small, and the variance of a constant item exactly 0
    origin = np.where(known.any(axis=0), np.fmin.reduce(values, axis=0), 0.0)
    x = np.where(known, values - origin, 0.0)
    m = known.astype(np.float64)
    n, sums, squares = m.T @ m, x.T @ m, (x * x).T @ m
    with np.errstate(invalid="ignore", divide="ignore"):
        pairs = np.where(n >= 2, n, np.nan)
        covariance = (x.T @ x - sums * sums.T / pairs) / (pairs - 1)
        spread = squares - sums**2 / pairs
        spread = np.where(spread <= _ROUNDING * squares, 0.0, spread) / (pairs - 1)
        np.fill_diagonal(covariance, np.diag(spread))
        scale = np.sqrt(spread * spread.T)
        correlation = np.where(scale > 0, covariance / scale, np.nan)
    return Moments(n.astype(np.int64), covariance, np.clip(correlation, -1.0, 1.0))

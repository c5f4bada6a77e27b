"""Best-worst choices: counts per customer from the choice sets, and their scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from custseg._core.arrays import Bools, Floats, Integers
from custseg._core.asking import asked, asks
from custseg._core.base import OutputKind
from custseg._core.customer_frames import write_customers
from custseg._core.customers import Column
from custseg._core.frames import collect, open_rows, open_table
from custseg._core.ids import DEFAULT_ID, ID_OR_ROWS
from custseg._core.params import COLUMN, Where, check
from custseg._core.warning import warn
from custseg.characteristics._profiles.columns import are_names, read_texts
from custseg.exceptions import InvalidParameterError, InvalidTableError, list_names


@asks
def best_worst_counts(
    choices: Any,
    *,
    shown: Sequence[str],
    best: str = "best",
    worst: str = "worst",
    customer_id: str | None = "customer_id",
) -> Any:
    """Count per customer how often each option was shown, chosen as best, and chosen as worst.

    Takes the answers of a best-worst survey as they are recorded, one row per customer and choice
    set, to the one row per customer that :class:`PreferenceEncoder` reads.

    Parameters
    ----------
    choices : dataframe or path
        One row per customer and choice set.
    shown : sequence of str
        The columns that hold the options of the set, one option each; missing where a set is smaller.
    best, worst : str, default="best", "worst"
        The columns with the option that was chosen as best, and as worst.
    customer_id : str or None, default="customer_id"
        The column of customer ids; None where each set is the only one of its customer.

    Returns
    -------
    counts : dataframe
        One row per customer, sorted by id, of the kind that came in (in pandas the id is the index).
        For every option in alphabetical order the columns ``best_<option>``, ``worst_<option>`` and
        ``shown_<option>``.

    Raises
    ------
    ColumnNotFoundError
        A column is not in the table.
    InvalidParameterError
        A parameter is out of range, or one column is named twice.
    InvalidTableError
        A choice is not among the options shown, the same option is best and worst, an option is
        shown twice in one set, or no set is left.

    Warns
    -----
    DataQualityWarning
        Sets without an id, a best or a worst choice (missing, or an empty text) are left out, with
        their number.

    Notes
    -----
    Options are text, spelled alike in all columns; spaces around them do not count. The table is
    read into memory.

    Examples
    --------
    >>> import pandas as pd
    >>> from custseg.characteristics import best_worst_counts
    >>> choices = pd.DataFrame({
    ...     "customer_id": [1, 1],
    ...     "a": ["price", "taste"],
    ...     "b": ["taste", "origin"],
    ...     "c": ["origin", "price"],
    ...     "best": ["taste", "taste"],
    ...     "worst": ["origin", "price"],
    ... })
    >>> counts = best_worst_counts(choices, shown=["a", "b", "c"])
    >>> counts.filter(like="taste")
                 best_taste  worst_taste  shown_taste
    customer_id
    1                     2            0            2
    """
    words = "a list of at least two different column names"
    several = Where(lambda value: are_names(value, at_least=2), words)
    table: dict[str, Any] = {"shown": (several,), "best": (COLUMN,), "worst": (COLUMN,), "customer_id": ID_OR_ROWS}
    check(table, {"shown": shown, "best": best, "worst": worst, "customer_id": customer_id})
    if len({customer_id, *shown, best, worst}) < len(shown) + 3:
        raise InvalidParameterError(
            f"{asked()}: customer_id={customer_id!r}, best={best!r}, worst={worst!r} and shown={list(shown)!r} must be "
            "different columns."
        )
    rows, kind, index = _read(choices, [*shown, best, worst], customer_id)
    name = DEFAULT_ID if customer_id is None else customer_id
    texts = [name for name in (best, worst) if rows[name].dtype == nw.String]
    answered = {name: nw.col(name).str.strip_chars() != "" for name in texts}
    rows = rows.with_columns(nw.when(is_given).then(nw.col(name)).alias(name) for name, is_given in answered.items())
    complete = rows.filter(~nw.any_horizontal(*(nw.col(n).is_null() for n in (name, best, worst)), ignore_nulls=True))
    if len(rows) == 0:
        raise InvalidTableError.empty("table of choice sets")
    n_left_out = len(rows) - len(complete)
    if len(complete) == 0:
        found = f"{n_left_out:,} set(s) without an id, a best or a worst choice"
        raise InvalidTableError.nothing_left(found, "Check these three columns.")
    if n_left_out:
        warn(f"{n_left_out:,} choice set(s) without an id, a best or a worst choice were left out.")
    ids = complete.select(name).unique().sort(name)[name]
    columns = _counted(complete, list(shown), best, worst, _positions(complete[name], ids))
    return write_customers(ids, columns, kind=kind, customer_id=customer_id, index=index)


def _read(
    choices: Any, columns: list[str], customer_id: str | None
) -> tuple[nw.DataFrame[Any], OutputKind, pd.Index[Any] | None]:
    """Read the choice sets with the ids; each set is a customer's only one where there are none."""
    if customer_id is None:
        return open_rows(choices, columns=columns)
    opened = open_table(choices, columns=[customer_id, *columns], customer_id=customer_id, or_rows=True)
    return collect(opened.frame), opened.kind, None


def _positions(column: nw.Series[Any], ids: nw.Series[Any]) -> Integers:
    place = {value: position for position, value in enumerate(ids.to_list())}
    return np.array([place[value] for value in column.to_list()], dtype=np.int64)


def _counted(rows: nw.DataFrame[Any], shown: list[str], best: str, worst: str, customers: Integers) -> list[Column]:
    remedy = "Pass the names of the options."
    texts = [read_texts(rows[name], numbers=True, remedy=remedy) for name in (*shown, best, worst)]
    options = sorted({level for text in texts for level in text.levels} - {""})
    place = {option: position for position, option in enumerate(options)} | {"": -1}
    codes = np.column_stack(
        [np.array([*(place[level] for level in text.levels), -1], dtype=np.int64)[text.codes] for text in texts]
    )
    sets, chosen_best, chosen_worst = codes[:, : len(shown)], codes[:, -2], codes[:, -1]
    in_order = np.sort(sets, axis=1)
    twice = ((np.diff(in_order, axis=1) == 0) & (in_order[:, 1:] >= 0)).any(axis=1)
    _refuse(twice, "an option is shown twice in one set", rows, shown)
    for name, chosen in ((best, chosen_best), (worst, chosen_worst)):
        _refuse(
            ~(sets == chosen[:, None]).any(axis=1),
            f"the choice in column {name!r} is not among the options shown",
            rows,
            [*shown, name],
        )
    _refuse(chosen_best == chosen_worst, "the same option is the best and the worst", rows, [best, worst])
    n_customers = int(customers.max()) + 1
    counts = {
        "best": _count(customers, chosen_best, n_customers, len(options)),
        "worst": _count(customers, chosen_worst, n_customers, len(options)),
        "shown": _count(np.repeat(customers, len(shown)), sets.ravel(), n_customers, len(options)),
    }
    return [
        Column(f"{what}_{option}", "numeric", counted[:, position].astype(np.float64), is_integer=True)
        for position, option in enumerate(options)
        for what, counted in counts.items()
    ]


def _count(customers: Integers, options: Integers, n_customers: int, n_options: int) -> Integers:
    given = options >= 0
    flat = np.bincount(customers[given] * n_options + options[given], minlength=n_customers * n_options)
    return flat.reshape(n_customers, n_options).astype(np.int64)


def _refuse(wrong: Bools, what: str, rows: nw.DataFrame[Any], columns: list[str]) -> None:
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        example = {name: rows[name][first] for name in columns}
        raise InvalidTableError(
            f"{asked()}: {what} in {int(wrong.sum()):,} row(s), for example {example}. Correct or leave out these sets."
        )


@asks
def best_worst_scores(best: Any, worst: Any, shown: Any) -> Floats:
    """Score how much each customer prefers each option: (best - worst) / shown.

    Parameters
    ----------
    best, worst, shown : array-like or pandas DataFrame of shape (n_customers, n_options)
        How often each option was chosen as best, chosen as worst, and shown; NaN where that is not known. The
        columns of a DataFrame name the counts in messages.

    Returns
    -------
    scores : ndarray of shape (n_customers, n_options)
        From -1 (always the worst) to 1 (always the best); NaN where a count is missing or the option was not shown.

    Raises
    ------
    InvalidTableError
        If a count is negative, infinite or a fraction, or an option was chosen more often than it was shown.
    InvalidParameterError
        If the three are not of one shape.

    See Also
    --------
    best_worst_counts : The counts from the choice sets.
    PreferenceEncoder : The scores as characteristics of the customers.

    Notes
    -----
    The score is that of best-worst scaling, case 1: divided by the number of times that an option was shown, it can
    be compared between options that were not shown equally often [1]_.

    References
    ----------
    .. [1] J. J. Louviere, T. N. Flynn and A. A. J. Marley (2015), "Best-Worst Scaling: Theory, Methods and
       Applications", Cambridge University Press.

    Examples
    --------
    >>> from custseg.characteristics import best_worst_scores
    >>> best_worst_scores(best=[[2, 0]], worst=[[0, 1]], shown=[[2, 2]])
    array([[ 1. , -0.5]])
    """
    given = {"best": best, "worst": worst, "shown": shown}
    counts = {what: np.asarray(table, dtype=np.float64) for what, table in given.items()}
    shapes = {what: values.shape for what, values in counts.items()}
    if len(set(shapes.values())) > 1 or len(shapes["best"]) != 2:
        raise InvalidParameterError.not_allowed("best, worst, shown", "matrices alike", shapes)
    names = {what: _names_of(table, what, shapes[what][1]) for what, table in given.items()}
    return scores_of(counts["best"], counts["worst"], counts["shown"], names)


def _names_of(table: Any, what: str, n_options: int) -> list[str]:
    if isinstance(table, pd.DataFrame):
        return [str(name) for name in table.columns]
    return [f"{what}[:, {position}]" for position in range(n_options)]


def scores_of(best: Floats, worst: Floats, shown: Floats, names: Mapping[str, Sequence[str]]) -> Floats:
    """Check counts of best and worst choices, and return (best - worst) / shown, from -1 to 1.

    Parameters
    ----------
    best, worst, shown : ndarray of shape (n_customers, n_options)
        The counts.
    names : mapping of str to sequence of str
        The columns that each of the three came from, for messages.

    Returns
    -------
    scores : ndarray of shape (n_customers, n_options)
        NaN where a count is missing or the option was not shown.
    """
    for what, counts in (("best", best), ("worst", worst), ("shown", shown)):
        wrong = ~np.isnan(counts) & ((counts < 0) | (counts != np.floor(counts)) | np.isinf(counts))
        if wrong.any():
            columns = np.flatnonzero(wrong.any(axis=0)).tolist()
            raise InvalidTableError(
                f"{asked()}: column {names[what][columns[0]]!r} must hold counts, got "
                f"{counts[:, columns[0]][wrong[:, columns[0]]][0]:g}; so in {int(wrong.any(axis=1).sum()):,} row(s), "
                f"column(s) {list_names([names[what][column] for column in columns])}. Correct these counts, or set "
                "them to missing."
            )
    above = best + worst > shown
    if above.any():
        columns = np.flatnonzero(above.any(axis=0)).tolist()
        pairs = [f"{names['best'][column]} + {names['worst'][column]}" for column in columns]
        raise InvalidTableError(
            f"{asked()}: an option was chosen more often than it was shown in {int(above.any(axis=1).sum()):,} row(s): "
            f"{list_names(pairs)}. Check the counts, and how often each option was shown (its column, or times_shown)."
        )
    return np.where(shown > 0, (best - worst) / np.maximum(shown, 1), np.nan)

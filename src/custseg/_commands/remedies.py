"""Where in the study file a column was named that a table does not have, and what to write there instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

import pandas as pd

from custseg._commands.guesses import guess_column
from custseg._commands.study_file import Plan
from custseg._core.paths import open_path
from custseg._core.toml import toml_text
from custseg.exceptions import ColumnNotFoundError

__all__ = ["naming_keys"]


@contextmanager
def naming_keys(where: str, plan: Plan, tables: Mapping[str, Path | pd.DataFrame]) -> Iterator[None]:
    """Add the key of the study file to what is said of a column that was not found in one of the tables."""
    try:
        yield
    except ColumnNotFoundError as error:
        remedy = next(_remedies(error, where, plan, tables), None)
        if remedy is None:
            raise
        raise ColumnNotFoundError(remedy) from error


def _remedies(
    error: ColumnNotFoundError, where: str, plan: Plan, tables: Mapping[str, Path | pd.DataFrame]
) -> Iterator[str]:
    for key, place, value in _keys(error, plan, tables):
        if isinstance(value, (list, tuple)) and set(value) & set(error.missing):
            yield f"{error} It stands in {key} of {where}{place}."
        elif value in error.missing:
            guess = guess_column(key, map(str, error.available))
            # a name that is alike may be another thing: an order_id is no customer_id
            said = str(error) if guess is None else error.fact
            yield f"{said} Set {key}{'' if guess is None else f' = {toml_text(guess)}'} in {where}{place}."


def _keys(
    error: ColumnNotFoundError, plan: Plan, tables: Mapping[str, Path | pd.DataFrame]
) -> Iterator[tuple[str, str, Any]]:
    """Give every key that may name a column of the table: the key, where it stands, and its value."""
    if plan.study.characteristics is None or all(plan.customer_id not in _columns(each) for each in tables.values()):
        yield "customer_id", "", plan.customer_id
    for member, estimator, table in getattr(plan.study.characteristics, "members", ()):
        if table in tables and set(_columns(tables[table])) == set(error.available):
            for key, value in estimator.get_params(deep=False).items():
                yield key, f", parameters of [[characteristics]] {member!r}", value
    for field in fields(plan.study.brief):
        yield field.name, ", [brief]", getattr(plan.study.brief, field.name)


def _columns(table: Path | pd.DataFrame) -> list[str]:
    return list(table.columns if isinstance(table, pd.DataFrame) else open_path(str(table)).columns)

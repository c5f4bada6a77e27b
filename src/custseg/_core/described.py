"""Estimators that say what their columns are, before they are fitted and after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from custseg._core.asking import asks_as_class
from custseg._core.characteristic import (
    CRITERIA,
    ROLES,
    Characteristic,
    as_told,
    check_columns,
    distinct,
    from_table,
    to_table,
)
from custseg._core.customers import Column
from custseg._core.params import NONE, ParameterTable, Where

# What is said by column; Any lets other parameters come along as **dict[str, str].
ByColumn = Mapping[str, str] | Any | None


def _is_texts(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(text, str) for pair in value.items() for text in pair)


def _is_labels(value: Any) -> bool:
    return _is_texts(value) and all(label.strip() for label in value.values())


def _is_roles(value: Any) -> bool:
    return _is_texts(value) and set(value.values()) <= ROLES.keys()


OVERRIDES: ParameterTable = {
    "labels": (NONE, Where(_is_labels, "a dict of columns to labels, texts that are not empty")),
    "units": (NONE, Where(_is_texts, "a dict of columns to units (texts)")),
    "roles": (NONE, Where(_is_roles, f"a dict of columns to roles, of {', '.join(ROLES)}")),
}
"""The parameters by which a user says what a column is, in place of the estimator that makes it."""


class DescribedMixin:
    """``describe``, and what the user says of the columns, for estimators that make characteristics.

    A subclass says what it expects of its columns before ``fit``, and keeps what it found in ``_described``.
    """

    criterion: ClassVar[str] = ""

    labels: ByColumn
    units: ByColumn
    roles: ByColumn
    _described: tuple[Characteristic, ...] | None = None

    def _check(self) -> None:
        """Check the parameters."""
        raise NotImplementedError

    def _expected(self) -> Sequence[Characteristic]:
        """Return what is known of the columns before learning, in their order; some may not be known yet."""
        return ()

    @asks_as_class
    def describe(self) -> pd.DataFrame:
        """Say what each column is: before ``fit`` as far as it is known without data, afterwards all of them.

        Returns
        -------
        description : pandas.DataFrame
            One row per characteristic: ``column``; ``member`` of a union that makes it, else empty;
            ``criterion`` ("demographic", "geographic", "behavioural", "psychographic" or "social");
            ``kind`` ("numeric", "binary", "ordinal" or "nominal"); ``role``, such as "recency", where
            it has one that other stages look for; ``unit``, such as "days"; ``label``, the column in
            words; and ``missing_share``, the share (0 to 1) of the customers of ``fit`` for whom it
            is missing. Kind and role are None, criterion and unit empty, and the share NaN where they
            are not known.

        Raises
        ------
        InvalidParameterError
            If a parameter is out of its range.
        """
        if self._described is not None:
            return to_table(self._described)
        self._check()
        return to_table(self._told(self._expected()))

    def _told(self, characteristics: Iterable[Characteristic], *, is_all: bool = False) -> tuple[Characteristic, ...]:
        """Let the user's words stand above the estimator's; where all columns are known, others are refused."""
        found = distinct(
            each if each.criterion else replace(each, criterion=self.criterion) for each in characteristics
        )
        given = {"labels": self.labels, "units": self.units, "roles": self.roles}
        if is_all:
            columns = [each.column for each in found]
            for parameter, said in given.items():
                check_columns(parameter, said or (), columns)
        return as_told(found, {name.removesuffix("s"): said or {} for name, said in given.items()})


def measured(characteristics: Iterable[Characteristic], columns: Sequence[Column]) -> tuple[Characteristic, ...]:
    """Add what the values of ``fit`` show, in the order of the columns: their kind, and how many are missing."""
    said = {each.column: each for each in characteristics}
    return tuple(
        replace(said[column.name], kind=column.kind, missing_share=missing_share(column)) for column in columns
    )


def missing_share(column: Column) -> float:
    """Return the share of the customers for whom a column is missing."""
    return float(np.count_nonzero(column.missing)) / max(len(column.values), 1)


def describe_characteristics(estimator: Any) -> tuple[Characteristic, ...]:
    """Return what is known of the columns that an estimator makes, fitted or not.

    Parameters
    ----------
    estimator : object
        Any transformer. A pipeline is known by its last step. One of another library may say its
        ``criterion`` and, by column, its ``units_``; it says no role, and nothing before it is fitted.

    Returns
    -------
    characteristics : tuple of Characteristic
        In the order of the columns.

    Examples
    --------
    >>> from custseg.characteristics import RFMFeaturizer
    >>> from custseg._core.described import describe_characteristics
    >>> [each.label for each in describe_characteristics(RFMFeaturizer())]
    ['days since the last purchase', 'purchases', 'spend per purchase']
    """
    maker = estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator
    if isinstance(maker, DescribedMixin):
        return from_table(maker.describe())
    return _of_others(estimator, _names_out(estimator))


def characteristics_of(estimator: Any, columns: Iterable[str]) -> tuple[Characteristic, ...]:
    """Return what a fitted estimator says of the columns that it was seen to make, in their order."""
    maker = estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator
    if not isinstance(maker, DescribedMixin):
        return _of_others(estimator, columns)
    said = {each.column: each for each in from_table(maker.describe())}
    return tuple(said[column] for column in columns)


def _of_others(estimator: Any, columns: Iterable[str]) -> tuple[Characteristic, ...]:
    criterion = getattr(estimator, "criterion", "")
    units = getattr(estimator, "units_", {})
    # other libraries may mean something else by these names
    known = criterion if isinstance(criterion, str) and criterion in CRITERIA else ""
    texts = {name: unit for name, unit in units.items() if isinstance(unit, str)} if isinstance(units, Mapping) else {}
    return distinct(Characteristic(column=name, criterion=known, unit=texts.get(name, "")) for name in columns)


def _names_out(estimator: Any) -> list[str]:
    if not hasattr(estimator, "get_feature_names_out"):
        return []
    try:
        check_is_fitted(estimator)
    except NotFittedError:
        # its columns are not known yet
        return []
    return [str(name) for name in estimator.get_feature_names_out()]

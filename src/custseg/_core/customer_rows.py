"""Fitted estimators and results without what they hold of single customers."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from custseg._core.asking import asked
from custseg.exceptions import CustomersNotStoredError, InvalidParameterError

__all__ = ["OfCustomers", "without_customers"]

_LABELS = "labels_"


class OfCustomers:
    """An attribute with something of each customer: where it was not stored, asking for it says why.

    Examples
    --------
    >>> class Segments:
    ...     labels_ = OfCustomers()
    >>> hasattr(Segments(), "labels_")
    False
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, thing: object, owner: type) -> Any:
        # what ``fit`` sets stands in the object itself, and is found first
        if thing is None:
            return self
        if vars(thing).get("_customers_left_out", False):
            raise CustomersNotStoredError.of(type(thing).__name__, self._name)
        raise AttributeError(f"{type(thing).__name__!r} object has no attribute {self._name!r}; call 'fit' first")


def without_customers(thing: Any, n_customers: int) -> Any:
    """Return a copy of something fitted that holds nothing of single customers.

    Parameters
    ----------
    thing : object
        Of custseg, which knows what is of single customers; or an estimator of another library, whose labels are left
        out and which is refused where anything else has as many rows as there were customers.
    n_customers : int
        From how many rows on something is taken to be of single customers.

    Returns
    -------
    object
        The copy.

    Raises
    ------
    InvalidParameterError
        If an estimator of another library holds customers.
    """
    if hasattr(thing, "_without_customers"):
        return thing._without_customers(n_customers)  # noqa: SLF001 - the one door to it
    return _bare(thing, n_customers, type(thing).__name__)


def _bare(value: Any, n_customers: int, where: str) -> Any:
    if hasattr(value, "_without_customers"):
        return without_customers(value, n_customers)
    if not isinstance(value, (str, bytes)) and _n_rows(value) >= n_customers:
        raise InvalidParameterError(
            f"{asked()}: {where} holds a row for each customer, without which it can assign nobody. Store the study "
            "with its customers, or use another engine, such as 'kmeans'."
        )
    if isinstance(value, Mapping):
        return {key: _bare(one, n_customers, f"{where}[{key!r}]") for key, one in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_bare(one, n_customers, where) for one in value)
    if not hasattr(value, "get_params"):
        return value
    bare = copy.copy(value)
    for name, attribute in vars(value).items():
        if name == _LABELS:
            delattr(bare, name)
        else:
            setattr(bare, name, _bare(attribute, n_customers, f"{where}.{name}"))
    return bare


def _n_rows(value: Any) -> int:
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple):
        return int(shape[0]) if shape else 0
    return len(value) if isinstance(value, (list, tuple, dict, set, frozenset)) else 0

"""What every segmenter asks of its customers before it looks for segments: ids, weights, constant columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from custseg._core.customers import CustomerTable, looks_like_id
from custseg._core.params import NONE, Instance, Number
from custseg._core.warning import warn
from custseg.exceptions import InvalidParameterError, list_names
from custseg.segmentation._base.errors import too_many_levels, unmarked_id

__all__ = [
    "MAPPING_OR_NONE",
    "characteristic_weights",
    "check_for_ids",
    "counted_columns",
    "warn_of_constant",
]


MAPPING_OR_NONE = (NONE, Instance(Mapping, words="a mapping by column name"))


# Every level is a column of floats. Of the levels beyond so many in a column, all columns together may take so many
# floats (1 GB): nobody can read that many levels, and the same again is needed for the work.
LEVELS_AT_EASE = 100
MOST_CELLS = 2**27


def characteristic_weights(
    names: Sequence[str], weights: Mapping[str, float] | None, questions: Mapping[str, str] | None = None
) -> dict[str, float]:
    """Give every column its weight: its own, its share of its group's weight, or 1.

    A group is what stands before ``__`` in the names of a union's columns; those that are given weight 0 have no share.
    Where ``questions`` name the question of a column, a question has one share, which is the weight of all its columns.
    """
    found = dict.fromkeys(names, 1.0)
    groups: dict[str, list[str]] = {}
    for name in names:
        group, separator, _ = name.partition("__")
        if separator:
            groups.setdefault(group, []).append(name)
    given = dict(weights or {})
    for name, weight in given.items():
        if not Number(0.0).accepts(weight):
            raise InvalidParameterError.not_allowed(f"weights[{name!r}]", "a finite number >= 0", weight)
        if name in found:
            found[name] = float(weight)
            continue
        if name not in groups:
            raise InvalidParameterError.unknown_name("name in weights", name, [*names, *groups])
        if any(given.get(member, 0.0) != 0.0 for member in groups[name]):
            words = f"either for the group {name!r} or for its columns, not for both (but for weights of 0)"
            raise InvalidParameterError.not_allowed("weights", words, given)
        sharing = [member for member in groups[name] if member not in given]
        n_shares = len({(questions or {}).get(member, member) for member in sharing})
        found |= dict.fromkeys(sharing, float(weight) / max(1, n_shares))
    if not any(found.values()):
        raise InvalidParameterError.not_allowed("weights", "above 0 for at least one column", given)
    return found


def counted_columns(names: Sequence[str], weights: Mapping[str, float] | None) -> list[str]:
    """Return the columns whose weight is above 0."""
    found = characteristic_weights(names, weights)
    return [name for name in names if found[name] > 0]


def check_for_ids(table: CustomerTable, customer_id: str | None, *, with_orders: bool = False) -> None:
    """Refuse text that differs in every row or in too many of them, and warn of such integers: they identify customers.

    ``with_orders`` is whether ordinal levels become columns of their own, as nominal ones do.
    """
    for column in table.columns:
        if not looks_like_id(column):
            continue
        if column.kind == "nominal":
            raise unmarked_id(column.name, customer_id)
        if column.is_integer:  # amounts that were stored as floats may be whole
            warn(
                f"column {column.name!r} holds whole numbers that differ in every row. If it identifies the "
                f"customers, pass customer_id={column.name!r} (now {customer_id!r}), or leave it out."
            )
    _refuse_many_levels(table, ("nominal", "ordinal") if with_orders else ("nominal",))


def _refuse_many_levels(table: CustomerTable, kinds: tuple[str, ...]) -> None:
    n_levels = {column.name: len(column.categories) for column in table.columns if column.kind in kinds}
    beyond = {name: n - LEVELS_AT_EASE for name, n in n_levels.items() if n > LEVELS_AT_EASE}
    if sum(beyond.values()) * table.n_customers > MOST_CELLS:
        worst = max(beyond, key=beyond.__getitem__)
        raise too_many_levels(worst, n_levels[worst], table.n_customers)


def warn_of_constant(columns: Sequence[str]) -> None:
    """Name the columns that cannot tell customers apart."""
    if columns:
        warn(
            f"column(s) {list_names(columns)} hold one value only, or none, and cannot tell customers "
            "apart; they are ignored. Drop them, or give them weight 0."
        )

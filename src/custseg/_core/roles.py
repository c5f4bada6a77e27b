"""Which column bears a role: one of those that count, a descriptor only where none of them does."""

from __future__ import annotations

from collections.abc import Iterable

from custseg._core.characteristic import Characteristic, find_columns, find_role

__all__ = ["column_of_role"]


def column_of_role(
    characteristics: Iterable[Characteristic],
    role: str,
    counted: Iterable[str],
    *,
    prefer: str | None = None,
    strict: bool = True,
) -> str | None:
    """Return the column of a role, None where there is none.

    Parameters
    ----------
    characteristics : iterable of Characteristic
        What is known of the columns.
    role : str
        The role.
    counted : iterable of str
        The columns that form the segments. A descriptor speaks only where none of them bears the role, and it is the
        only one of its role: so adding a descriptor does not disturb what the segments are made of.
    prefer : str or None, default=None
        The column that is meant where several bear its role, and whose member of a union is meant for other roles.
    strict : bool, default=True
        Whether two columns that count are an error; else there is none.

    Returns
    -------
    str or None
        The column.

    Raises
    ------
    InvalidParameterError
        If two columns that count bear the role, and nothing says which is meant.
    """
    known, counted = tuple(characteristics), tuple(counted)
    found = find_columns(known, role, counted)
    if len(found) > 1 and prefer is not None:
        members = {each.column: each.member for each in known}
        own = [name for name in found if name == prefer or members[name] == members.get(prefer)]
        found = (prefer,) if prefer in own else tuple(own) if len(own) == 1 else found
    if len(found) == 1:
        return found[0]
    if found:
        return find_role(known, role, counted) if strict else None
    described = find_columns(known, role)
    return described[0] if len(described) == 1 else None

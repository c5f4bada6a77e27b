"""What a column of a table of records is read as."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import narwhals.stable.v2 as nw

from custseg.exceptions import InvalidParameterError

NO_ID, NO_TIME = "customer_id", "timestamp"

# what can name a level; a column of nothing but nulls is of an unknown type
_NAMES = (nw.String, nw.Categorical, nw.Enum, nw.Boolean, nw.Unknown)


@dataclass(frozen=True)
class Field:
    """One column of a table of records.

    Attributes
    ----------
    role : str
        What it is: the name of the parameter, and of the column of ``Records.frame``.
    column : str
        Its name in the table.
    kind : {"number", "level", "flag", "key"}
        ``"number"`` comes out as float64; ``"flag"`` as 0.0 or 1.0 (from bools or those numbers);
        ``"level"`` as text (numbers as they are written, empty text as missing); ``"key"`` as it is.
    required : bool
        Whether rows without a value are left out.
    remedy : str
        What to do about rows without a value.
    """

    role: str
    column: str
    kind: Literal["number", "level", "flag", "key"]
    required: bool = False
    remedy: str = "Fill it in."

    @property
    def is_numeric(self) -> bool:
        """Whether it comes out as float64."""
        return self.kind in ("number", "flag")


def by_role(customer_id: str, timestamp: str, fields: Sequence[Field]) -> dict[str, Field]:
    """Return every column by its role; refuse one column in two of them."""
    roles = {NO_ID: Field(NO_ID, customer_id, "key"), NO_TIME: Field(NO_TIME, timestamp, "key")}
    roles |= {field.role: field for field in fields}
    taken: dict[str, str] = {}
    for role, field in roles.items():
        if field.column.startswith("__"):
            raise InvalidParameterError.not_allowed(role, "a column name that does not begin with '__'", field.column)
        if field.column in taken:
            raise InvalidParameterError.not_allowed(
                role, f"another column than {taken[field.column]!r} names", field.column
            )
        taken[field.column] = role
    return roles


def problem_with(dtype: Any, field: Field) -> tuple[str, str] | None:
    """Return what a column of this type would have to be, and what to do about it; None where it serves."""
    if field.kind == "number" and not dtype.is_numeric():
        remedy = "Convert it first: with text, column.str.replace(',', '.') and pandas.to_numeric; NaN for unknown."
        return "numbers", remedy
    if field.kind == "level" and not (dtype.is_numeric() or isinstance(dtype, _NAMES)):
        return "text, categories, bools or numbers", "Convert it to text first, or leave it out."
    if field.kind == "flag" and not (dtype.is_numeric() or dtype == nw.Boolean):
        return "bools, or the numbers 0 and 1", "Convert it with a comparison such as column == 'yes'."
    return None

"""What a column of a table of records is read as."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from custseg.exceptions import InvalidParameterError

NO_ID, NO_TIME = "customer_id", "timestamp"


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

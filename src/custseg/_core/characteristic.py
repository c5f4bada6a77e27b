"""What a characteristic is, beside its values: role, unit, criterion and a label in words.

Whoever makes a column says what it is; later stages look here and never at the column's name. The table of
:func:`to_table` is what every estimator of characteristics hands out, so it travels with any kind of frame.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Any

import pandas as pd

from custseg._core.asking import asked, asking, asks
from custseg._core.customers import Kind
from custseg._core.visible import visible
from custseg.exceptions import InvalidParameterError, list_names

CRITERIA = ("demographic", "geographic", "behavioural", "psychographic", "social")

# A role of one column (recency) is asked for by find_role, one of many (channel) by find_columns.
ROLES: Mapping[str, str] = MappingProxyType(
    {
        # purchases
        "recency": "How long ago the customer last bought.",
        "frequency": "How many purchases the customer has made.",
        "monetary": "What the customer spends, per purchase or in total.",
        "tenure": "How long ago the customer first bought.",
        "score": "A rank of recency, frequency or monetary value, the best customers highest.",
        "volume": "How much the customer buys in all: purchases, lines.",
        "basket": "How large one purchase is, in money or lines.",
        "rhythm": "How long it takes from one purchase to the next, and how regularly.",
        "trend": "Whether the customer buys more than before, or less.",
        "returns": "How much of what was bought goes back.",
        "discount": "How much of the list price is taken off what the customer buys.",
        "timing": "When the customer buys: weekends, parts of the day.",
        "variety": "Over how many categories, channels or platforms the customer spreads, and how evenly.",
        "category": "Which kinds of goods the customer buys.",
        # the way to customers, and their answer
        "channel": "Through which channels the customer is met: buys, or comes to buy.",
        "path": "How far, and how quickly, the customer comes on the way to a purchase.",
        "contacts": "How many times the customer was contacted.",
        "response": "What share of contacts the customer responds to, over all of them.",
        "response_by_channel": "What share of the contacts of one channel the customer responds to.",
        "response_by_type": "What share of the contacts of one type of campaign the customer responds to.",
        "response_recency": "How long ago the customer last responded.",
        "response_time": "How long the customer takes to respond.",
        "coupons": "How many coupons the customer redeems.",
        # social media
        "activity": "How much the customer does on social media.",
        "activity_recency": "How long ago the customer was last active on social media.",
        "platform": "On which platforms the customer is active.",
        "engagement": "How deep the customer goes: reading, liking, commenting, sharing, creating.",
        "advocacy": "How often the customer speaks for others to hear.",
        "reach": "How many people the customer reaches.",
        "sentiment": "In which tone the customer speaks.",
        # who and where
        "age": "How old the customer is.",
        "income": "What the customer earns or turns over.",
        "household": "Who lives in the customer's household.",
        "region": "Where the customer is, by name.",
        "distance": "How far it is to the nearest site.",
        "site": "Which site is the nearest.",
        "density": "How densely customers live around this one.",
        # what they think
        "attitude": "What the customer thinks or values.",
        "need": "What the customer prefers or needs, one option against the others.",
        "answer": "What the customer named in answer to a question.",
        "satisfaction": "How satisfied the customer is.",
        "recommendation": "How likely the customer is to recommend, such as 0 to 10.",
        # what it comes to
        "value": "What the customer is worth.",
        "outcome": "What is wanted or feared of the customer, such as that the contract has ended.",
    }
)
"""Every role that a characteristic may have, with what it says of a customer."""

_CURRENCY = re.compile(r"\bcurrency\b")


@dataclass(frozen=True, kw_only=True)
class Characteristic:
    """What one column of a table of customers is.

    Parameters
    ----------
    column : str
        Its name in the table.
    member : str, default=""
        The member of a union that makes it; empty outside a union.
    criterion : str, default=""
        "demographic", "geographic", "behavioural", "psychographic" or "social"; empty where not known.
    kind : {"numeric", "binary", "ordinal", "nominal"} or None, default=None
        What its values are; None where not known yet.
    role : str or None, default=None
        One of :data:`ROLES`; None where no other stage needs to know it.
    unit : str, default=""
        The unit of its numbers, such as "days"; empty where it has none, or it is not known yet.
    label : str, default=""
        The column in words that can be read aloud; by default its name, with spaces.
    missing_share : float or None, default=None
        The share of the customers of ``fit`` for whom it is missing; None where not known.
    """

    column: str
    member: str = ""
    criterion: str = ""
    kind: Kind | None = None
    role: str | None = None
    unit: str = ""
    label: str = ""
    missing_share: float | None = None

    def __post_init__(self) -> None:
        if self.role is not None and self.role not in ROLES:
            with asking(f"column {self.column!r}"):
                raise InvalidParameterError.unknown_name("role", self.role, ROLES)
        if not self.label:  # a frozen dataclass has no other way to fill a field in
            object.__setattr__(self, "label", in_words(self.column.removeprefix(f"{self.member}__")))

    def in_currency(self, currency: str | None) -> Characteristic:
        """Return the same with its unit in a named currency, such as "EUR per order"."""
        return replace(self, unit=unit_in_currency(self.unit, currency))


def number(column: str, label: str, unit: str, role: str | None = None) -> Characteristic:
    """Return what a column of numbers is."""
    return Characteristic(column=column, kind="numeric", role=role, unit=unit, label=label)


def in_words(name: str) -> str:
    """Return a name with spaces for underscores; one of nothing else stays as it is."""
    return visible(" ".join(name.replace("_", " ").split()) or name)


def unit_in_currency(unit: str, currency: str | None) -> str:
    """Name the currency in a unit; None leaves the word "currency".

    Examples
    --------
    >>> unit_in_currency("currency per order", "EUR"), unit_in_currency("days", "EUR")
    ('EUR per order', 'days')
    """
    return unit if currency is None else _CURRENCY.sub(lambda _: currency, unit)


def in_currency(description: pd.DataFrame, currency: str | None) -> pd.DataFrame:
    """Return a description with the currency named in its units; the one passed in stays as it is."""
    units = [unit_in_currency(unit, currency) for unit in description["unit"]]
    return description.assign(unit=pd.array(units, dtype="str"))


def distinct(characteristics: Iterable[Characteristic]) -> tuple[Characteristic, ...]:
    """Make labels differ: where two are alike, the member stands behind them, else the column."""
    found = tuple(characteristics)
    for name in ("member", "column"):
        counts = Counter(each.label for each in found)
        found = tuple(
            replace(each, label=f"{each.label} ({getattr(each, name)})")
            if counts[each.label] > 1 and getattr(each, name)
            else each
            for each in found
        )
    return found


def to_table(characteristics: Iterable[Characteristic]) -> pd.DataFrame:
    """Return one row per characteristic: its fields, None and NaN where they are not known."""
    found = tuple(characteristics)
    # the same dtypes whatever is known, so that tables of several estimators are alike
    dtypes = {"kind": "object", "role": "object", "missing_share": "float64"}
    return pd.DataFrame(
        {
            field.name: pd.Series([getattr(each, field.name) for each in found], dtype=dtypes.get(field.name, "str"))
            for field in fields(Characteristic)
        }
    )


def from_table(description: pd.DataFrame) -> tuple[Characteristic, ...]:
    """Read a description back, as :func:`to_table` makes it."""
    names = [field.name for field in fields(Characteristic)]
    known: list[dict[str, Any]] = [
        {name: None if pd.isna(value) else value for name, value in zip(names, row, strict=True)}
        for row in zip(*(description[name] for name in names), strict=True)
    ]
    return tuple(Characteristic(**each) for each in known)


@asks
def find_columns(
    characteristics: Iterable[Characteristic], role: str, among: Iterable[str] | None = None
) -> tuple[str, ...]:
    """Return the columns of a role, in the order of the table.

    Parameters
    ----------
    characteristics : iterable of Characteristic
        What is known of the columns.
    role : str
        One of :data:`ROLES`.
    among : iterable of str or None, default=None
        The columns that count; None takes all.

    Returns
    -------
    columns : tuple of str
        Those that have the role.

    Raises
    ------
    InvalidParameterError
        If there is no such role.
    """
    if role not in ROLES:
        raise InvalidParameterError.unknown_name("role", role, ROLES)
    count = None if among is None else set(among)
    return tuple(
        each.column for each in characteristics if each.role == role and (count is None or each.column in count)
    )


@asking("find_role", unless_asked=True)
def find_role(characteristics: Iterable[Characteristic], role: str, among: Iterable[str] | None = None) -> str | None:
    """Return the one column of a role, None where there is none.

    Parameters
    ----------
    characteristics : iterable of Characteristic
        What is known of the columns.
    role : str
        One of :data:`ROLES`.
    among : iterable of str or None, default=None
        The columns that count, such as those of a weight above 0; None takes all.

    Returns
    -------
    column : str or None
        The column.

    Raises
    ------
    InvalidParameterError
        If there is no such role, or several columns that count have it: the caller has to say which.

    Examples
    --------
    >>> known = [Characteristic(column="shop__recency", role="recency"), Characteristic(column="who__age", role="age")]
    >>> find_role(known, "recency"), find_role(known, "tenure")
    ('shop__recency', None)
    """
    found = find_columns(characteristics, role, among)
    if len(found) < 2:
        return found[0] if found else None
    raise InvalidParameterError(
        f"{asked()}: which one is meant? {len(found)} columns that count have the role {role!r} ({ROLES[role]}): "
        f"{list_names(found)}. Name one of them, for example order_by={found[0]!r}, or give the others the weight 0."
    )


def check_columns(parameter: str, named: Iterable[str], columns: Sequence[str]) -> None:
    """Refuse columns named by a parameter that do not come out."""
    for name in named:
        if name not in columns:
            raise InvalidParameterError.unknown_name(f"characteristic in {parameter}", name, columns)


def as_told(
    characteristics: Sequence[Characteristic], told: Mapping[str, Mapping[str, Any]]
) -> tuple[Characteristic, ...]:
    """Let what the user says of a column stand above what its maker says.

    Parameters
    ----------
    characteristics : sequence of Characteristic
        What the maker says.
    told : mapping of str to mapping of str to str
        For "label", "unit" and "role" what the user says, by column; other columns are passed over.

    Returns
    -------
    characteristics : tuple of Characteristic
        With the user's words in their place.

    Raises
    ------
    InvalidParameterError
        If a label of the user is that of another column, or a role is unknown.
    """
    own = {
        each.column: {name: said[each.column] for name, said in told.items() if each.column in said}
        for each in characteristics
    }
    found = tuple(replace(each, **own[each.column]) for each in characteristics)
    counts = Counter(each.label for each in found)
    for each in found:
        if counts[each.label] > 1 and "label" in own[each.column]:
            alike = [other.column for other in found if other.label == each.label]
            raise InvalidParameterError(
                f"{asked()}: parameter 'labels' calls column {each.column!r} {each.label!r}, and so are called "
                f"{list_names(alike)} then. Give each column a label of its own."
            )
    return found

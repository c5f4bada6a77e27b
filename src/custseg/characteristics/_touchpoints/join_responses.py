"""Contacts of campaigns and the responses to them, joined to one table with one row per contact."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import narwhals.stable.v2 as nw
import pandas as pd

from custseg._core.asking import asked, asking, asks
from custseg._core.composed import composed
from custseg._core.frames import Table, collect, open_table, to_kind
from custseg._core.ids import ID_IN_TIME
from custseg._core.native import from_native
from custseg._core.optional import require
from custseg._core.params import COLUMN, NONE, check
from custseg._core.paths import is_path
from custseg._core.results import Result
from custseg._core.warning import warn
from custseg.exceptions import ColumnTypeError, InvalidParameterError, InvalidTableError

_ADDED = ("responded", "n_responses", "response_time")


@dataclass(frozen=True, kw_only=True, repr=False)
class JoinedResponses(Result):
    """Contacts with the responses to them, and how the two tables fit each other.

    Attributes
    ----------
    contacts : dataframe
        One row per contact: the columns of the contacts, those of the campaigns, and ``responded``
        (bool), ``n_responses`` (whole number) and ``response_time`` (of the first response, missing
        where there is none; absent where no times were given).
    n_contacts : int
        Rows of the table of contacts.
    n_unidentified : int
        Contacts without customer or campaign: left out.
    n_undescribed : int
        Contacts whose campaign is not in the table of campaigns: kept, its columns missing.
    n_responded : int
        Contacts with at least one response.
    n_responses : int
        Rows of the table of responses.
    n_joined : int
        Responses that belong to a contact.
    n_without_contact : int
        Responses of customers who were not contacted in that campaign: left out.

    Examples
    --------
    >>> from custseg.characteristics import JoinedResponses
    >>> counts = {"n_contacts": 9, "n_unidentified": 0, "n_undescribed": 0, "n_responded": 2}
    >>> joined = JoinedResponses(contacts=None, n_responses=4, n_joined=3, n_without_contact=1, **counts)
    >>> joined.to_frame().loc["n_without_contact", "n_rows"]
    np.int64(1)
    """

    contacts: Any
    n_contacts: int
    n_unidentified: int
    n_undescribed: int
    n_responded: int
    n_responses: int
    n_joined: int
    n_without_contact: int

    _handed_on: ClassVar[frozenset[str]] = frozenset({"contacts"})

    def __str__(self) -> str:
        return (
            f"{self.n_responded:,} of {self.n_contacts:,} contacts were responded to; {self.n_joined:,} of "
            f"{self.n_responses:,} responses belong to one."
        )

    def to_frame(self) -> pd.DataFrame:
        """Return the counts as a table.

        Returns
        -------
        frame : pandas.DataFrame
            Column ``n_rows``, one row per count, indexed by its name.
        """
        counts = {name: count for name, count in vars(self).items() if name != "contacts"}
        return pd.Series(counts, name="n_rows").rename_axis("count").to_frame()


@asks
def join_responses(
    contacts: Any,
    responses: Any,
    *,
    campaigns: Any = None,
    customer_id: str = "customer_id",
    campaign: str = "campaign",
    response_time: str | None = "response_time",
) -> JoinedResponses:
    """Join the contacts of campaigns with the responses to them, and count what does not fit.

    A retailer often keeps who was sent a campaign, what the campaigns are, and which coupons came
    back in three tables. :class:`CampaignResponseFeaturizer` reads one, with a row per contact:
    this function makes it. A response belongs to the contact of the same customer in the same
    campaign.

    Parameters
    ----------
    contacts : dataframe or path
        One row per customer and campaign. Columns besides the two are kept. Files are read into memory, as
        pandas tables.
    responses : dataframe or path
        One row per response, such as an order or a redeemed coupon; a customer may respond several
        times to one campaign, or to one that never reached them.
    campaigns : dataframe, path or None, default=None
        One row per campaign, for example with its type and its first day: the columns are added to
        each contact.
    customer_id : str, default="customer_id"
        Column of customer ids, in both tables.
    campaign : str, default="campaign"
        Column of campaigns, in all tables.
    response_time : str or None, default="response_time"
        Column of ``responses`` with their times: timestamps, dates or ISO 8601 text, of which the
        earliest is kept. None where they are not known.

    Returns
    -------
    joined : JoinedResponses
        The table, and the counts in both directions. The table is of the kind of ``contacts``;
        eager ones are sorted by customer and campaign, lazy ones stay lazy.

    Raises
    ------
    InvalidTableError
        If a column is missing, a contact or campaign occurs twice, the tables run on different
        engines or on two connections of duckdb, or a column that is to be added is there already.
    ColumnTypeError
        If ids are text in one table and numbers in the other, or the times of the responses are
        neither timestamps nor dates nor ISO 8601 text.

    Warns
    -----
    DataQualityWarning
        If responses belong to no contact, or contacts cannot be joined, with their number.

    Examples
    --------
    >>> import pandas as pd
    >>> from custseg.characteristics import join_responses
    >>> contacts = pd.DataFrame({"customer_id": [1, 1, 2], "campaign": ["may", "june", "may"]})
    >>> coupons = pd.DataFrame(
    ...     {
    ...         "customer_id": [1, 1],
    ...         "campaign": ["june", "june"],
    ...         "response_time": pd.to_datetime(["2024-06-09", "2024-06-03"]),
    ...     }
    ... )
    >>> joined = join_responses(contacts, coupons)
    >>> joined.contacts
       customer_id campaign  responded  n_responses response_time
    0            1     june       True            2    2024-06-03
    1            1      may      False            0           NaT
    2            2      may      False            0           NaT
    >>> joined.n_contacts, joined.n_responded, joined.n_responses, joined.n_without_contact
    (3, 1, 2, 0)
    """
    _check_names(customer_id, campaign, response_time)
    keys = [customer_id, campaign]
    contacts, responses, campaigns = (
        _rows_of_path(table, what) if is_path(table) else table
        for what, table in {"contacts": contacts, "responses": responses, "campaigns": campaigns}.items()
    )
    sent = _opened(contacts, "contacts", keys, customer_id=customer_id)
    came = _opened(responses, "responses", keys, customer_id=customer_id, response_time=response_time)
    described = None if campaigns is None else _opened(campaigns, "campaigns", [campaign])
    added = [*_ADDED[:2], *(["response_time"] if response_time is not None else [])]
    _check(_frames(sent, came, described), keys, added)
    known = ~(nw.col(customer_id).is_null() | nw.col(campaign).is_null())
    usable = sent.frame.filter(known)
    n_contacts, n_usable = _count(sent.frame), _count(usable)
    _refuse_repeated(usable, keys, n_usable, "contacts")
    by_contact = _by_contact(came.frame.filter(known), keys, response_time)
    joined, n_undescribed = _with_responses(usable, by_contact, keys), 0
    if described is not None:
        joined, n_described = _with_campaigns(joined, usable, described, campaign)
        n_undescribed = n_usable - n_described
    order = [*sent.columns, *([] if described is None else [n for n in described.columns if n != campaign]), *added]
    result = JoinedResponses(
        contacts=_handed_out(joined.select(order), contacts, sent, keys),
        n_contacts=n_contacts,
        n_unidentified=n_contacts - n_usable,
        n_undescribed=n_undescribed,
        **_joined_counts(by_contact, usable.select(keys), _count(came.frame)),
    )
    _warn(result)
    return result


def _rows_of_path(path: Any, what: str) -> pd.DataFrame:
    with asking(f"{asked()}, {what}"):
        return collect(open_table(path, in_order=True).frame).to_pandas()


def _check_names(customer_id: str, campaign: str, response_time: str | None) -> None:
    names = {"customer_id": customer_id, "campaign": campaign}
    check({"customer_id": ID_IN_TIME, "campaign": (COLUMN,)}, names)
    check({"response_time": (NONE, COLUMN)}, {"response_time": response_time})
    if customer_id == campaign:
        raise InvalidParameterError.not_allowed("campaign", "another column than the customer id", campaign)


def _frames(sent: Table, came: Table, described: Table | None) -> dict[str, nw.LazyFrame[Any]]:
    tables = {"contacts": sent.frame, "responses": came.frame}
    return tables if described is None else {**tables, "campaigns": described.frame}


def _with_responses(usable: nw.LazyFrame[Any], by_contact: nw.LazyFrame[Any], keys: list[str]) -> nw.LazyFrame[Any]:
    """Give each contact the number of responses to it, and whether there was any."""
    joined = usable.join(by_contact, on=keys, how="left")
    joined = joined.with_columns(nw.col("n_responses").fill_null(0).cast(nw.Int64))
    return joined.with_columns((nw.col("n_responses") > 0).alias("responded"))


def _with_campaigns(
    joined: nw.LazyFrame[Any], usable: nw.LazyFrame[Any], described: Table, campaign: str
) -> tuple[nw.LazyFrame[Any], int]:
    """Give each contact what is known of its campaign, and say of how many contacts something is."""
    one_each = described.frame.filter(~nw.col(campaign).is_null())
    _refuse_repeated(one_each, [campaign], _count(one_each), "campaigns")
    n_described = _count(usable.join(one_each.select(campaign), on=campaign, how="inner"))
    return joined.join(one_each, on=campaign, how="left"), n_described


def _joined_counts(by_contact: nw.LazyFrame[Any], contacts: nw.LazyFrame[Any], n_responses: int) -> dict[str, int]:
    """Count the contacts that were answered, and the responses with and without a contact."""
    found = by_contact.join(contacts, on=contacts.collect_schema().names(), how="inner")
    sums = found.select(nw.len().alias("contacts"), nw.col("n_responses").sum()).collect()
    n_joined = int(sums["n_responses"].item() or 0)
    return {
        "n_responded": int(sums["contacts"].item()),
        "n_responses": n_responses,
        "n_joined": n_joined,
        "n_without_contact": n_responses - n_joined,
    }


def _opened(
    table: Any, what: str, keys: list[str], *, customer_id: str | None = None, response_time: str | None = None
) -> Table:
    """Open a table with ids, campaigns and times that can be compared with those of the others."""
    wanted = [*keys, *([] if response_time is None else [response_time])]
    with asking(f"{asked()}, {what}"):
        opened = open_table(table, columns=wanted if what == "responses" else None, customer_id=customer_id)
        if what != "responses":
            # all columns are kept, so that those needed are looked for apart
            open_table(opened.frame.to_native(), columns=keys)
        opened = _with_plain_campaigns(opened, keys[-1])
        if response_time is None:
            return opened
        return replace(opened, frame=_with_comparable_times(opened.frame, response_time))


def _with_plain_campaigns(table: Table, campaign: str) -> Table:
    """Make campaigns of one type in all tables: text of categories, whole numbers of floats, as ids are."""
    dtype = table.frame.collect_schema()[campaign]
    if isinstance(dtype, (nw.Categorical, nw.Enum)):
        return replace(table, frame=composed(table.frame.with_columns(nw.col(campaign).cast(nw.String)), [campaign]))
    if dtype.is_numeric() and not dtype.is_integer():
        # where one campaign is missing, pandas has made floats of all
        plain = open_table(table.frame.to_native(), customer_id=campaign)
        return replace(table, frame=plain.frame)
    return replace(table, frame=composed(table.frame, [campaign]))


def _with_comparable_times(responses: nw.LazyFrame[Any], response_time: str) -> nw.LazyFrame[Any]:
    """Refuse times of which the first cannot be told, such as text that begins with the day."""
    expected, remedy = "timestamps, dates or ISO 8601 text", "Convert it first: pandas.to_datetime(column, format=...)."
    dtype = responses.collect_schema()[response_time]
    if isinstance(dtype, (nw.List, nw.Array, nw.Struct, nw.Boolean)):
        raise ColumnTypeError.expected(response_time, expected, dtype, remedy)
    if not isinstance(dtype, (nw.String, nw.Categorical, nw.Enum)):
        return responses
    text = nw.col(response_time)
    responses = responses.with_columns(text.cast(nw.String))
    responses = responses.with_columns(nw.when(text != "").then(text).alias(response_time))
    odd = responses.filter(~text.is_null() & ~text.str.contains(r"^\s*\d{4}-\d{2}-\d{2}"))
    n_odd = _count(odd)
    if n_odd:
        example = odd.select(text.min()).collect()[response_time].item()
        raise ColumnTypeError.expected(
            response_time, expected, f"other text in {n_odd:,} row(s), such as {example!r}", remedy
        )
    return responses


def _by_contact(responses: nw.LazyFrame[Any], keys: list[str], response_time: str | None) -> nw.LazyFrame[Any]:
    """Count the responses of each customer to each campaign, and find the first."""
    count = nw.len().alias("n_responses")
    if response_time is None:
        return responses.group_by(*keys).agg(count)
    return responses.group_by(*keys).agg(count, nw.col(response_time).min().alias("response_time"))


def _check(tables: dict[str, nw.LazyFrame[Any]], keys: list[str], added: list[str]) -> None:
    """Refuse tables that cannot be joined: other engines, columns of the same name, ids of other types."""
    first = tables["contacts"]
    taken = set(first.collect_schema().names())
    for name, frame in tables.items():
        if frame.implementation != first.implementation:
            raise InvalidTableError(
                f"{asked()}: the contacts are a table of {first.implementation}, the {name} one of "
                f"{frame.implementation}, and neither can be joined to the other. Convert one of them."
            )
        schema, reference = frame.collect_schema(), first.collect_schema()
        for key in keys:
            if key in schema and (schema[key].is_numeric() != reference[key].is_numeric()):
                expected = f"of the type that it has in the contacts ({reference[key]})"
                remedy = "Convert one of them, for example with astype(str)."
                with asking(f"{asked()}, {name}"):
                    raise ColumnTypeError.expected(key, expected, schema[key], remedy)
        if frame.implementation.is_duckdb():
            _refuse_strange(name, first.select(keys[-1]), frame.select(keys[-1]))
        if name == "campaigns":
            _refuse_taken([column for column in schema.names() if column not in keys], taken, name)
            taken |= set(schema.names())
    _refuse_taken(added, taken, "responses")


def _refuse_strange(name: str, contacts: nw.LazyFrame[Any], others: nw.LazyFrame[Any]) -> None:
    """Refuse relations of duckdb that cannot be joined because each belongs to a connection of its own."""
    try:
        contacts.join(others, on=contacts.collect_schema().names(), how="semi")
    except require("duckdb").InvalidInputException as error:
        raise InvalidTableError(
            f"{asked()}: the contacts and the {name} are relations of two duckdb connections. Make both on one "
            "connection."
        ) from error


def _refuse_taken(names: list[str], taken: set[str], source: str) -> None:
    for name in names:
        if name in taken:
            raise InvalidTableError(
                f"{asked()}: column {name!r} would come from the {source}, and there is one already. Rename or drop it."
            )


def _refuse_repeated(frame: nw.LazyFrame[Any], keys: list[str], n_rows: int, what: str) -> None:
    n_repeated = n_rows - _count(frame.select(keys).unique())
    if n_repeated:
        words = "campaign" if len(keys) == 1 else "customer and campaign"
        remedy = "Keep one row for each" if len(keys) == 1 else "Give every mailing a campaign of its own, or keep one"
        raise InvalidTableError(
            f"{asked()}: {n_repeated} row(s) of the {what} repeat a {words}, so that a response would belong to "
            f"several. {remedy}."
        )


def _count(frame: nw.LazyFrame[Any]) -> int:
    return int(frame.select(nw.len().alias("rows")).collect()["rows"].item())


def _handed_out(joined: nw.LazyFrame[Any], contacts: Any, sent: Table, keys: list[str]) -> Any:
    if isinstance(from_native(contacts, pass_through=True), nw.LazyFrame):
        return joined.to_native()
    return to_kind(joined.collect().sort(keys), sent.kind, None)


def _warn(result: JoinedResponses) -> None:
    problems = {
        f"{result.n_without_contact} of {result.n_responses} response(s) are of customers who were not contacted in "
        "that campaign and belong to no contact": result.n_without_contact,
        f"{result.n_unidentified} of {result.n_contacts} contact(s) have no customer or no campaign and are left "
        "out": result.n_unidentified,
        f"{result.n_undescribed} contact(s) are of a campaign that the table of campaigns does not "
        "have": result.n_undescribed,
    }
    found = [words for words, n_rows in problems.items() if n_rows]
    if found:
        warn(f"{'; '.join(found)}.")

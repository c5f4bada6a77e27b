"""How each customer reacts to advertising and promotions, from contacts and the responses to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from custseg._core.arrays import Floats, Integers
from custseg._core.customers import Column
from custseg._core.frames import collect
from custseg._core.params import COLUMN, NONE, Integer, Number, OneOf, ParameterTable
from custseg.characteristics._records.featurizer import AS_OF, Description, RecordFeaturizer
from custseg.characteristics._records.ratio import ratio
from custseg.characteristics._records.records import Field, Records, as_whole
from custseg.characteristics._records.repeated import count_repeated
from custseg.characteristics._records.timestamps import (
    DAY,
    HOUR,
    UNIT_HOURS,
    UNIT_WORDS,
    AsOf,
    Clock,
    period_start,
    read_clock,
)
from custseg.characteristics._records.vocabulary import Vocabulary
from custseg.characteristics._row_report import RowPolicy
from custseg.characteristics._touchpoints.beta_prior import BetaPrior
from custseg.exceptions import ColumnTypeError, InvalidParameterError

_LEVELS = {"campaign_type": "type", "channel": "channel"}
# the day of what never was
_NEVER = -(2**40)


class CampaignResponseFeaturizer(RecordFeaturizer):
    """How each customer reacts to advertising and promotions.

    Contacts go in, one row each: a customer was sent a campaign at some time and responded to it or
    not. One row per customer comes out, sorted by customer id. :func:`join_responses` makes such a
    table from separate ones of contacts, campaigns and responses.

    - ``contacts``: number of contacts;
    - ``campaigns``: number of different campaigns among them (with ``campaign``);
    - ``responses``: number of contacts with a response;
    - ``response_rate``: share of the contacts with a response, drawn towards that of all customers
      where the contacts are few (see Notes);
    - ``response_rate_type_<level>``, ``response_rate_channel_<level>``: the same for the leading types of
      campaign and the leading channels; ``other`` holds the rest (with ``campaign_type``, ``channel``);
    - ``time_to_response``: mean time from contact to response (with ``response_time``);
    - ``response_recency``: time from the last response to ``as_of``; without ``response_time``, from the
      last contact that had a response;
    - ``coupons``: number of coupons redeemed, and ``coupons_per_response`` (with ``coupons``).

    Parameters
    ----------
    customer_id : str, default="customer_id"
        Column of customer ids: whole numbers or text.
    timestamp : str, default="timestamp"
        Column of the times of the contacts, such as the first day of the campaign: timestamps, dates
        or ISO 8601 text.
    responded : str or None, default="responded"
        Column that says whether the customer responded: bools, or 0 and 1. None takes a response
        where ``response_time`` is known.
    campaign : str or None, default=None
        Column of campaigns.
    campaign_type : str or None, default=None
        Column of types of campaign.
    channel : str or None, default=None
        Column of channels, such as "mail" or "e-mail".
    response_time : str or None, default=None
        Column of the times of the (first) responses, missing where there was none.
    coupons : str or None, default=None
        Column of the number of coupons redeemed after the contact.
    contacted : str or None, default=None
        Column that says whether the customer was contacted at all: bools, or 0 and 1. Rows that were
        not, such as the control group of an experiment, are no contacts, and a response in them is
        none.
    n_leading : int, default=3
        How many types of campaign and how many channels, at most, have a rate of their own: those
        with most contacts in ``fit``.
    time_unit : {"D", "h", "W", "M", "Y"}, default="D"
        Unit of all durations. A month is 365.2425 / 12 days, a year 365.2425 days.
    prior_strength : float or None, default=None
        How many contacts the prior of each rate is worth; 0 gives plain shares, None learns it.
    as_of : date, timestamp, text or None, default=None
        The reference time; None takes the latest time of a contact or a response that is seen in
        ``fit``. A date, or a time at midnight, stands for that whole day. Later contacts are left
        out; a later response has not happened yet.

    Attributes
    ----------
    prior_ : DataFrame
        The prior of each rate, indexed by the name of its column: ``mean``, ``strength``, ``source``
        ("learned", "given" or "fallback"), ``n_customers`` with such contacts, ``n_contacts``,
        ``n_responses``.
    levels_ : dict of str to tuple of str
        The levels of ``"campaign_type"`` and ``"channel"`` that have a rate of their own, ``"other"`` last where
        there are rarer ones.
    as_of_ : pandas.Timestamp
        The reference time.
    row_report_ : RowReport
        How many rows of the table seen in ``fit`` each policy touched.
    units_ : dict of str to str
        The unit of each characteristic.
    feature_names_in_ : ndarray of str
        The columns of the table seen in ``fit``.
    n_features_in_ : int
        Their number.

    Notes
    -----
    **Rates.** A customer with one contact and one response has not shown a rate of 100%. With n
    contacts and r responses the rate is ``(r + s m) / (n + s)``: the mean of the posterior under a
    beta prior with mean ``m`` that is worth ``s`` contacts [1]_. Both are learned in ``fit`` by maximum
    likelihood of the beta-binomial distribution over the customers, one prior for each column of
    rates; with ``prior_strength`` given, ``m`` is the share of all contacts with a response. Where
    nobody had two contacts, or all contacts ended alike, ``s`` cannot be learned and is 2. Nothing of
    this takes into account that companies contact those more often who respond.

    **Missing values.** A rate without a contact, a time to respond or a recency without a response,
    and coupons per response without a response are NaN, never 0. A customer with rows but without a
    contact has 0 contacts, and NaN elsewhere. Types and channels that are missing count in the whole
    and under no level.

    **Row policies.** Rows are left out, and counted, where the customer id is missing, the time is
    missing or unreadable, ``responded`` or ``contacted`` is missing, or the contact is later than
    ``as_of``. Kept and counted are rows without a contact, responses later than ``as_of`` (a contact
    without a response so far), times and coupons of contacts without a response (not used),
    responses without a time or on a day before the contact (a response, its time not used), numbers
    of coupons that are missing, and exact duplicates. A response on the day of its contact takes no
    time where its own time, such as a date without hours, is the earlier one.

    References
    ----------
    .. [1] Griffiths, D. A. (1973). Maximum likelihood estimation for the beta-binomial distribution and
       an application to the household distribution of the total number of cases of a disease.
       *Biometrics* 29(4), 637-648.

    Examples
    --------
    >>> import pandas as pd
    >>> from custseg.characteristics import CampaignResponseFeaturizer
    >>> contacts = pd.DataFrame(
    ...     {
    ...         "customer_id": [1, 1, 2, 3],
    ...         "timestamp": ["2024-05-01", "2024-06-01", "2024-06-01", "2024-06-01"],
    ...         "responded": [True, True, False, True],
    ...     }
    ... )
    >>> featurizer = CampaignResponseFeaturizer(prior_strength=1, as_of="2024-06-11")
    >>> featurizer.fit_transform(contacts)
                 contacts  responses  response_rate  response_recency
    customer_id
    1                   2          2       0.916667              10.0
    2                   1          0       0.375000               NaN
    3                   1          1       0.875000              10.0
    >>> featurizer.prior_[["mean", "strength", "source"]]
                   mean  strength source
    response_rate  0.75       1.0  given
    """

    _parameters: ClassVar[ParameterTable] = {
        "customer_id": (COLUMN,),
        "timestamp": (COLUMN,),
        **dict.fromkeys(
            ("responded", "campaign", "campaign_type", "channel", "response_time", "coupons", "contacted"),
            (NONE, COLUMN),
        ),
        "n_leading": (Integer(low=1),),
        "prior_strength": (NONE, Number(low=0.0)),
        "time_unit": tuple(OneOf(unit) for unit in UNIT_HOURS),
        "as_of": AS_OF,
    }

    prior_: pd.DataFrame
    levels_: dict[str, tuple[str, ...]]
    _learned: _Learned

    def __init__(
        self,
        *,
        customer_id: str = "customer_id",
        timestamp: str = "timestamp",
        responded: str | None = "responded",
        campaign: str | None = None,
        campaign_type: str | None = None,
        channel: str | None = None,
        response_time: str | None = None,
        coupons: str | None = None,
        contacted: str | None = None,
        n_leading: int = 3,
        time_unit: str = "D",
        prior_strength: float | None = None,
        as_of: Any = None,
    ) -> None:
        self.customer_id = customer_id
        self.timestamp = timestamp
        self.responded = responded
        self.campaign = campaign
        self.campaign_type = campaign_type
        self.channel = channel
        self.response_time = response_time
        self.coupons = coupons
        self.contacted = contacted
        self.n_leading = n_leading
        self.time_unit = time_unit
        self.prior_strength = prior_strength
        self.as_of = as_of

    def _check(self) -> None:
        self._check_parameters()
        if self.responded is None and self.response_time is None:
            words = "a column name (text) where response_time is None"
            raise InvalidParameterError.not_allowed(type(self).__name__, "responded", words, None)

    def _fields(self) -> Sequence[Field]:
        fields = (
            Field("contacted", self.contacted or "", "flag", required=True, remedy="Say who was contacted."),
            Field("responded", self.responded or "", "flag", required=True, remedy="Say who responded."),
            Field("campaign", self.campaign or "", "key"),
            Field("campaign_type", self.campaign_type or "", "level"),
            Field("channel", self.channel or "", "level"),
            Field("response_time", self.response_time or "", "key"),
            Field("coupons", self.coupons or "", "number"),
        )
        return [field for field in fields if getattr(self, field.role) is not None]

    def _read(self, X: Any, as_of: Any) -> Records:
        records = super()._read(X, as_of)
        if as_of is not None or self.response_time is None or records.as_of is None:
            return records
        clock = self._response_clock(records)
        moment = nw.when(clock.readable).then(clock.moment)
        latest = clock.frame.select(moment.max().alias("latest")).collect()["latest"].item()
        if pd.isna(latest):
            return records
        moment_of_response = AsOf.from_moment(int(latest), records.as_of.time.tzinfo)
        later = moment_of_response.time > records.as_of.time
        return replace(records, as_of=moment_of_response) if later else records

    def _learn(self, records: Records) -> None:
        rows = records.kept(self._rows(records))
        self._learned, counts = self._learn_from(rows)
        self.prior_ = self._learned.frame
        self.levels_ = {role: vocabulary.names for role, vocabulary in self._learned.vocabularies.items()}
        records.computed.update(rows=rows, counts=counts)

    def _learn_from(self, rows: nw.LazyFrame[Any]) -> tuple[_Learned, _Counts]:
        sent = rows.filter(nw.col("contact") == 1)
        vocabularies = {
            role: Vocabulary.learn(sent, role, self.n_leading, column=getattr(self, role)) for role in self._roles
        }
        counts = self._counts(rows, vocabularies)
        priors, table = {}, []
        for name, (contacts, responses) in counts.rates.items():
            prior = priors[name] = BetaPrior.learn(contacts, responses, self.prior_strength)
            n_customers = int(np.count_nonzero(contacts))
            figures = (prior.mean, prior.strength, prior.source, n_customers, int(contacts.sum()), int(responses.sum()))
            table.append(figures)
        columns = ["mean", "strength", "source", "n_customers", "n_contacts", "n_responses"]
        return _Learned(vocabularies, priors, pd.DataFrame(table, columns=columns, index=list(priors))), counts

    @property
    def _roles(self) -> list[str]:
        return [role for role in _LEVELS if getattr(self, role) is not None]

    def _units(self) -> Mapping[str, str]:
        time = UNIT_WORDS[self.time_unit]
        rates = list(self._learned.priors)
        return {
            "contacts": "contacts",
            **({"campaigns": "campaigns"} if self.campaign is not None else {}),
            "responses": "responses",
            **dict.fromkeys(rates, "share"),
            **({"time_to_response": time} if self.response_time is not None else {}),
            "response_recency": time,
            **(
                {"coupons": "coupons", "coupons_per_response": "coupons per response"}
                if self.coupons is not None
                else {}
            ),
        }

    def _noted(self, records: Records) -> Sequence[RowPolicy]:
        remedy = "Drop them first if they are errors."
        return (RowPolicy("repeats another contact in the columns read", "kept", count_repeated(records), remedy),)

    def _describe(self, records: Records) -> Description:
        remarks: list[str] = []
        if records.computed:
            learned, rows, counts = self._learned, records.computed["rows"], records.computed["counts"]
        else:
            rows = records.kept(self._rows(records))
            # check_rows describes with an estimator that may not be fitted
            learned = self._learned if hasattr(self, "_learned") else self._learn_from(rows)[0]
            counts = self._counts(rows, learned.vocabularies)
            sent = rows.filter(nw.col("contact") == 1)
            remarks = [vocabulary.unseen(sent, role) for role, vocabulary in learned.vocabularies.items()]
        facts = collect(rows.select(nw.col(name).sum() for name in self._flags))
        policies = self._policies({name: int(facts[name].item() or 0) for name in facts.columns})
        columns = tuple(self._columns(records, counts, learned.priors))
        return Description(counts.customers, columns, policies, tuple(remark for remark in remarks if remark))

    def _columns(self, records: Records, counts: _Counts, priors: Mapping[str, BetaPrior]) -> list[Column]:
        contacts, responses = counts["contact"], counts["response"]
        columns = [Column("contacts", "numeric", contacts, is_integer=True)]
        if self.campaign is not None:
            columns.append(Column("campaigns", "numeric", counts["campaigns"], is_integer=True))
        columns.append(Column("responses", "numeric", responses, is_integer=True))
        columns += [Column(name, "numeric", prior.rates(*counts.rates[name])) for name, prior in priors.items()]
        if self.response_time is not None:
            mean = ratio(counts["delay"], counts["timed"]) / HOUR / UNIT_HOURS[self.time_unit]
            columns.append(Column("time_to_response", "numeric", mean))
        columns.append(Column("response_recency", "numeric", self._since(records, counts["response_day"])))
        if self.coupons is not None:
            redeemed, known = counts["redeemed"], counts["counted"]
            unknown = (contacts == 0) | ((responses > 0) & (known == 0))
            columns.append(Column("coupons", "numeric", np.where(unknown, np.nan, redeemed), is_integer=True))
            columns.append(Column("coupons_per_response", "numeric", ratio(redeemed, known)))
        return columns

    def _since(self, records: Records, days: Integers) -> Floats:
        assert records.as_of is not None  # given, or taken from a usable row
        hours = records.as_of.start("D") - period_start(days, "D")
        return np.where(days == _NEVER, np.nan, hours / UNIT_HOURS[self.time_unit])

    def _response_clock(self, records: Records) -> Clock:
        """Read the times of the responses; other columns are hidden behind two underscores, so that none clashes."""
        who, column = type(self).__name__, str(self.response_time)
        frame = records.frame.rename(
            {name: f"__{name}" for name in records.frame.collect_schema().names() if name != "response_time"}
        ).rename({"response_time": column})
        try:
            clock = read_clock(frame, column, who)
        except ColumnTypeError:
            # a column without any value has no type worth the name
            if not _is_empty(frame, column):
                raise
            return read_clock(frame.with_columns(nw.lit(None, nw.String).alias(column)), column, who)
        zone = None if records.as_of is None else records.as_of.time.tzinfo
        if records.n_rows and records.as_of is not None and (clock.zone is None) != (zone is None):
            if _is_empty(frame, column):
                return read_clock(frame.with_columns(nw.lit(None, nw.String).alias(column)), column, who)
            words = "without a time zone" if zone is None else "with a time zone"
            got = "timestamps without one" if zone is not None else f"timestamps of the zone {clock.zone}"
            remedy = "Use dt.tz_localize on one of the two columns."
            raise ColumnTypeError.expected(who, column, f"{words}, as {self.timestamp!r} is", got, remedy)
        return clock

    @property
    def _flags(self) -> list[str]:
        """The columns of ``_rows`` that are only counted."""
        flags = ["no_contact", "outside"] if self.contacted is not None else []
        if self.response_time is not None:
            flags += ["late", "untimed", "early", *(["idle_time"] if self.responded is not None else [])]
        if self.coupons is not None:
            flags += ["idle_coupons", "unknown_coupons", "odd_coupons"]
        return flags + [f"no_{role}" for role in self._roles] + ["contact"]

    def _rows(self, records: Records) -> nw.LazyFrame[Any]:
        """Say of each row whether it is a contact, whether it has a response, and what is odd about it.

        All that is summed up is a whole number: contact, response, timed, delay, counted, redeemed
        and the flags. ``response_day`` is missing where there is none.
        """
        frame = self._with_response_times(records)
        contact = nw.col("contacted") == 1.0 if self.contacted is not None else nw.lit(value=True)
        said = nw.col("responded") == 1.0 if self.responded is not None else nw.col("has_time")
        frame = frame.with_columns(contact.alias("is_contact"), said.alias("said"))
        come = nw.col("said") & nw.col("is_contact")
        response = come & ~nw.col("is_late") if self.response_time is not None else come
        frame = frame.with_columns(response.alias("is_response"))
        found = {
            "contact": nw.col("is_contact"),
            "response": nw.col("is_response"),
            "no_contact": ~nw.col("is_contact"),
            "outside": nw.col("said") & ~nw.col("is_contact"),
            **{f"no_{role}": nw.col("is_contact") & nw.col(role).is_null() for role in self._roles},
        }
        answered_on = ("is_response", "period")
        if self.response_time is not None:
            timed = nw.col("is_response") & nw.col("has_time") & (nw.col("response_wall_day") >= nw.col("period"))
            frame = frame.with_columns(timed.alias("is_timed"))
            answered_on = ("is_timed", "response_wall_day")
            found |= {
                "timed": nw.col("is_timed"),
                "late": come & nw.col("is_late"),
                "untimed": nw.col("is_response") & ~nw.col("has_time"),
                "early": nw.col("is_response") & nw.col("has_time") & ~nw.col("is_timed"),
                "idle_time": nw.col("has_time") & nw.col("is_contact") & ~nw.col("said"),
            }
        sums = {name: as_whole(condition) for name, condition in found.items()}
        if self.response_time is not None:
            took = nw.col("response_moment") - nw.col("moment")
            sums["delay"] = nw.when(nw.col("is_timed") & (took > 0)).then(took).otherwise(nw.lit(0)).cast(nw.Int64)
        if self.coupons is not None:
            sums |= _coupons(nw.col("coupons"), nw.col("is_response"), nw.col("is_contact"))
        return frame.with_columns(
            *(expression.alias(name) for name, expression in sums.items()),
            nw.when(nw.col(answered_on[0])).then(nw.col(answered_on[1])).alias("response_day"),
        )

    def _with_response_times(self, records: Records) -> nw.LazyFrame[Any]:
        """Add ``has_time``, ``is_late``, ``response_moment`` and ``response_wall_day`` where times were given."""
        if self.response_time is None:
            return records.frame
        clock = self._response_clock(records)
        late = nw.lit(value=False) if records.as_of is None else records.as_of.is_before(clock)
        names = [name for name in records.frame.collect_schema().names() if name != "response_time"]
        frame = clock.frame.select(
            *(nw.col(f"__{name}").alias(name) for name in names),
            clock.readable.fill_null(value=False).alias("has_time"),
            clock.moment.fill_null(0).cast(nw.Int64).alias("response_moment"),
            (clock.wall.fill_null(0).cast(nw.Int64) // DAY).alias("response_wall_day"),
            late.fill_null(value=False).alias("is_late"),
        )
        return frame.with_columns((nw.col("is_late") & nw.col("has_time")).alias("is_late"))

    def _counts(self, rows: nw.LazyFrame[Any], vocabularies: Mapping[str, Vocabulary]) -> _Counts:
        """Add the rows up to one row per customer."""
        sums = ["contact", "response"]
        sums += ["timed", "delay"] if self.response_time is not None else []
        sums += ["counted", "redeemed"] if self.coupons is not None else []
        rates = {"response_rate": ("contact", "response")}
        parts = {}
        for role, vocabulary in vocabularies.items():
            rows = rows.with_columns(vocabulary.pooled(role))
            for position, level in enumerate(vocabulary.names):
                pair = (f"contact_{role}_{position}", f"response_{role}_{position}")
                rates[f"response_rate_{_LEVELS[role]}_{level}"] = pair
                for name, whole in zip(pair, ("contact", "response"), strict=True):
                    parts[name] = nw.when(nw.col(role) == level).then(nw.col(whole)).otherwise(nw.lit(0))
        rows = rows.with_columns(part.cast(nw.Int64).alias(name) for name, part in parts.items())
        customers = rows.group_by("customer").agg(
            *(nw.col(name).sum() for name in (*sums, *parts)), nw.col("response_day").max()
        )
        if self.campaign is not None:
            different = rows.filter((nw.col("contact") == 1) & ~nw.col("campaign").is_null())
            different = different.select("customer", "campaign").unique()
            counted = different.group_by("customer").agg(nw.len().alias("campaigns"))
            customers = customers.join(counted, on="customer", how="left")
            sums = [*sums, "campaigns"]
        blanks = [*(nw.col(name).fill_null(0) for name in sums), nw.col("response_day").fill_null(_NEVER)]
        found = collect(customers.with_columns(*blanks)).sort("customer")
        arrays = {name: np.asarray(found[name].to_numpy(), dtype=np.int64) for name in found.columns[1:]}
        return _Counts(found["customer"], arrays, {name: (arrays[n], arrays[r]) for name, (n, r) in rates.items()})

    def _policies(self, n_rows: Mapping[str, int]) -> tuple[RowPolicy, ...]:
        if n_rows.get("odd_coupons"):
            got = f"others in {n_rows['odd_coupons']} row(s)"
            remedy = "Count the coupons, or leave coupons=None."
            raise ColumnTypeError.expected(
                type(self).__name__, self.coupons, "whole numbers of coupons, 0 or more", got, remedy
            )
        words = {
            "no_contact": ("not contacted", "kept: no contact", "See the parameter `contacted`."),
            "outside": ("response without a contact", "kept: no response", "See the parameter `contacted`."),
            "late": ("response later than as_of", "kept: no response so far", "Pass a later time."),
            "idle_time": (f"time in {self.response_time!r} without a response", "kept: time not used", "Compare both."),
            "untimed": (f"response without a time in {self.response_time!r}", "kept: no time", "Fill it in."),
            "early": ("response on a day before the contact", "kept: time not used", "Compare both times."),
            "idle_coupons": (f"number in {self.coupons!r} without a response", "kept: not counted", "Compare both."),
            "unknown_coupons": (f"response without a number in {self.coupons!r}", "kept: not counted", "Fill it in."),
            **{
                f"no_{role}": (f"no {role.replace('_', ' ')}", "kept: under no level", "Fill it in.")
                for role in self._roles
            },
        }
        return tuple(
            RowPolicy(words[name][0], words[name][1], count, words[name][2])
            for name, count in n_rows.items()
            if name in words
        )


@dataclass(frozen=True)
class _Learned:
    """What ``fit`` learned: the levels, and the prior of each rate (also as a table)."""

    vocabularies: dict[str, Vocabulary]
    priors: dict[str, BetaPrior]
    frame: pd.DataFrame


@dataclass(frozen=True)
class _Counts:
    """Sums over the rows of each customer; for each rate, contacts and responses."""

    customers: nw.Series[Any]
    arrays: dict[str, Integers]
    rates: dict[str, tuple[Integers, Integers]]

    def __getitem__(self, name: str) -> Integers:
        return self.arrays[name]


def _coupons(number: nw.Expr, is_response: nw.Expr, is_contact: nw.Expr) -> dict[str, nw.Expr]:
    known = ~(number.is_null() | number.is_nan())
    # beyond 2**53 a float counts nothing, and may be no 64-bit number; the table is refused then
    countable = known & (number <= 2.0**53)
    redeemed = nw.when(is_response & countable).then(number).otherwise(nw.lit(0.0))
    return {
        "counted": as_whole(is_response & known),
        "redeemed": redeemed.round(0).cast(nw.Int64),
        "idle_coupons": as_whole(known & (number > 0) & is_contact & ~is_response),
        "unknown_coupons": as_whole(is_response & ~known),
        "odd_coupons": as_whole(known & (~countable | (number < 0) | (number != number.round(0)))),
    }


def _is_empty(frame: nw.LazyFrame[Any], column: str) -> bool:
    """Say whether a column has no value in any row."""
    value = nw.col(column)
    missing = value.is_null()
    if frame.collect_schema()[column].is_float():
        missing = missing | value.is_nan()
    n_known = frame.filter(~missing).select(nw.len().alias("rows")).collect()["rows"].item()
    return int(n_known) == 0

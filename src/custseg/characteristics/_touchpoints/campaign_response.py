"""How each customer reacts to advertising and promotions, from contacts and the responses to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from custseg._core.arrays import Floats, Integers
from custseg._core.characteristic import Characteristic, number
from custseg._core.customers import Column
from custseg._core.described import OVERRIDES, ByColumn
from custseg._core.ids import ID_IN_TIME
from custseg._core.params import COLUMN, NONE, Integer, Number, OneOf, ParameterTable
from custseg.characteristics._records.featurizer import AS_OF, Description, RecordFeaturizer
from custseg.characteristics._records.fields import Field
from custseg.characteristics._records.ratio import ratio
from custseg.characteristics._records.records import Records
from custseg.characteristics._records.vocabulary import Vocabulary
from custseg.characteristics._times.timestamps import HOUR, UNIT_HOURS, UNIT_WORDS, AsOf, period_start
from custseg.characteristics._touchpoints.beta_prior import BetaPrior
from custseg.characteristics._touchpoints.contacts import (
    LEVELS,
    NEVER,
    ContactColumns,
    ContactCounts,
    Contacts,
    rate_of,
)
from custseg.exceptions import InvalidParameterError


@dataclass(frozen=True)
class _Learned:
    """What ``fit`` learned: the levels, and the prior of each rate (also as a table)."""

    vocabularies: dict[str, Vocabulary]
    priors: dict[str, BetaPrior]
    frame: pd.DataFrame


class CampaignResponseFeaturizer(RecordFeaturizer[Contacts, _Learned]):
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
    labels : mapping of str to str or None, default=None
        What columns are called in words, in place of what :meth:`describe` calls them.
    units : mapping of str to str or None, default=None
        The units of columns, in place of those of :meth:`describe`.
    roles : mapping of str to str or None, default=None
        The roles of columns, in place of those of :meth:`describe`.
    prior_strength : float or None, default=None
        How many contacts the prior of each rate is worth; 0 gives plain shares, None learns it.
    as_of : date, timestamp, ISO 8601 text or None, default=None
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
        "customer_id": ID_IN_TIME,
        "timestamp": (COLUMN,),
        **dict.fromkeys(
            ("responded", "campaign", "campaign_type", "channel", "response_time", "coupons", "contacted"),
            (NONE, COLUMN),
        ),
        "n_leading": (Integer(low=1),),
        "prior_strength": (NONE, Number(low=0.0)),
        "time_unit": tuple(OneOf(unit) for unit in UNIT_HOURS),
        "as_of": AS_OF,
        **OVERRIDES,
    }

    _row = "contact"

    prior_: pd.DataFrame
    levels_: dict[str, tuple[str, ...]]

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
        labels: ByColumn = None,
        units: ByColumn = None,
        roles: ByColumn = None,
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
        self.labels = labels
        self.units = units
        self.roles = roles
        self.prior_strength = prior_strength
        self.as_of = as_of

    def _check(self) -> None:
        self._check_parameters()
        if self.responded is None and self.response_time is None:
            words = "a column name (text) where response_time is None"
            raise InvalidParameterError.not_allowed("responded", words, None)

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

    @property
    def _contact_columns(self) -> ContactColumns:
        return ContactColumns(
            timestamp=self.timestamp,
            responded=self.responded,
            campaign=self.campaign,
            campaign_type=self.campaign_type,
            channel=self.channel,
            response_time=self.response_time,
            coupons=self.coupons,
            contacted=self.contacted,
        )

    def _read(self, X: Any, as_of: Any) -> Records:
        records = super()._read(X, as_of)
        latest, lone = (None, ()) if as_of is not None else self._contact_columns.latest_response(records)
        if latest is None or records.as_of is None or latest.time <= records.as_of.time:
            latest = records.as_of
        unreadable = (*records.unreadable, *self._contact_columns.unreadable(records))
        return replace(records, as_of=latest, lone=(*records.lone, *lone), unreadable=unreadable)

    def _latest_time(self, X: Any) -> AsOf | None:
        # a given time is compared with contacts alone: fit has not looked for responses after it
        return super()._latest_time(X) if self.as_of is not None else self._read(X, None).as_of

    def _prepare(self, records: Records) -> Contacts:
        return Contacts(records, self._contact_columns)

    def _learn(self, work: Contacts) -> _Learned:
        vocabularies = {
            role: Vocabulary.learn(work.sent, role, self.n_leading, column=column)
            for role, column in work.columns.levels.items()
        }
        rates = work.counts(vocabularies).rates
        priors = {name: BetaPrior.learn(*counted, self.prior_strength) for name, counted in rates.items()}
        figures = [
            (prior.mean, prior.strength, prior.source, np.count_nonzero(contacts), contacts.sum(), responses.sum())
            for prior, (contacts, responses) in zip(priors.values(), rates.values(), strict=True)
        ]
        columns = ["mean", "strength", "source", "n_customers", "n_contacts", "n_responses"]
        return _Learned(vocabularies, priors, pd.DataFrame(figures, columns=columns, index=list(priors)))

    def _publish(self, learned: _Learned) -> None:
        self.prior_ = learned.frame
        self.levels_ = {role: vocabulary.names for role, vocabulary in learned.vocabularies.items()}

    def _characteristics(self, learned: _Learned | None) -> Sequence[Characteristic]:
        time = UNIT_WORDS[self.time_unit]
        rate = "share of contacts with a response"
        told = [number("contacts", "contacts", "contacts", "contacts")]
        if self.campaign is not None:
            told.append(number("campaigns", "different campaigns", "campaigns"))
        told += [number("responses", "responses", "responses"), number("response_rate", rate, "share", "response")]
        for role, vocabulary in ({} if learned is None else learned.vocabularies).items():
            of, by = LEVELS[role], role.replace("_", " ")
            told += [
                number(rate_of(role, level), f"{rate} by {by}: {level}", "share", f"response_by_{of}")
                for level in vocabulary.names
            ]
        if self.response_time is not None:
            told.append(number("time_to_response", f"{time} from contact to response", time, "response_time"))
        told.append(number("response_recency", f"{time} since the last response", time, "response_recency"))
        if self.coupons is not None:
            told.append(number("coupons", "coupons redeemed", "coupons", "coupons"))
            told.append(number("coupons_per_response", "coupons per response", "coupons per response"))
        return told

    def _describe(self, work: Contacts, learned: _Learned, *, is_own: bool) -> Description:
        counts = work.counts(learned.vocabularies)
        found = {} if is_own else learned.vocabularies
        remarks = [vocabulary.unseen(work.sent, role) for role, vocabulary in found.items()]
        columns = tuple(self._columns(work.records, counts, learned.priors))
        return Description(counts.customers, columns, work.policies(), tuple(filter(None, remarks)))

    def _columns(self, records: Records, counts: ContactCounts, priors: Mapping[str, BetaPrior]) -> list[Column]:
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
        return np.where(days == NEVER, np.nan, hours / UNIT_HOURS[self.time_unit])

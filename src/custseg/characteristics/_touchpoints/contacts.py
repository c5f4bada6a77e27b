"""Contacts and the responses to them: what each row is, what is odd about it, and what they add up to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import narwhals.stable.v2 as nw
import pandas as pd

from custseg._core.arrays import Integers
from custseg._core.frames import collect
from custseg.characteristics._records.counting import add_up, counts_by_name
from custseg.characteristics._records.records import Records, as_whole
from custseg.characteristics._records.vocabulary import Vocabulary
from custseg.characteristics._row_report import RowPolicy
from custseg.characteristics._times.lone_times import LoneTimes, lone_times
from custseg.characteristics._times.timestamps import (
    DAY,
    AsOf,
    Clock,
    UnreadableTimes,
    is_text,
    read_clock,
    unreadable_times,
)
from custseg.exceptions import ColumnTypeError

# the columns whose levels have a rate of their own, and what the rates are called by
LEVELS = {"campaign_type": "type", "channel": "channel"}
# the day of what never was
NEVER = -(2**40)


@dataclass(frozen=True, kw_only=True)
class ContactColumns:
    """The columns of a table of contacts, None for those that it lacks.

    Attributes
    ----------
    timestamp : str
        The times of the contacts.
    responded, campaign, campaign_type, channel, response_time, coupons, contacted : str or None
        What the parameters of the featurizer say.
    """

    timestamp: str
    responded: str | None
    campaign: str | None
    campaign_type: str | None
    channel: str | None
    response_time: str | None
    coupons: str | None
    contacted: str | None

    @property
    def levels(self) -> dict[str, str]:
        """The columns of levels by role."""
        found = {"campaign_type": self.campaign_type, "channel": self.channel}
        return {role: column for role, column in found.items() if column is not None}

    def clock(self, records: Records) -> Clock:
        """Read the times of the responses; other columns are hidden behind two underscores, so that none clashes."""
        column = str(self.response_time)
        frame = records.frame.rename(
            {name: f"__{name}" for name in records.frame.collect_schema().names() if name != "response_time"}
        ).rename({"response_time": column})
        try:
            clock = read_clock(frame, column)
        except ColumnTypeError:
            # a column without any value has no type worth the name
            if not _is_empty(frame, column):
                raise
            return read_clock(frame.with_columns(nw.lit(None, nw.String).alias(column)), column)
        zone = None if records.as_of is None else records.as_of.time.tzinfo
        if records.n_rows and records.as_of is not None and (clock.zone is None) != (zone is None):
            if _is_empty(frame, column):
                return read_clock(frame.with_columns(nw.lit(None, nw.String).alias(column)), column)
            words = "without a time zone" if zone is None else "with a time zone"
            got = "timestamps without one" if zone is not None else f"timestamps of the zone {clock.zone}"
            remedy = "Use dt.tz_localize on one of the two columns."
            raise ColumnTypeError.expected(column, f"{words}, as {self.timestamp!r} is", got, remedy)
        return clock

    def unreadable(self, records: Records) -> tuple[UnreadableTimes, ...]:
        """Count the text that is no time of a response."""
        if self.response_time is None or not is_text(records.frame.collect_schema()["response_time"]):
            return ()
        return unreadable_times(self.clock(records), self.response_time, records.n_rows)

    def latest_response(self, records: Records) -> tuple[AsOf | None, tuple[LoneTimes, ...]]:
        """Return the time of the latest response, None where none is known, and times far beyond all others."""
        if self.response_time is None or records.as_of is None:
            return None, ()
        clock = self.clock(records)
        responses = clock.frame.filter(clock.readable).select(clock.moment.cast(nw.Int64).alias("moment"))
        latest = collect(responses.select(nw.col("moment").max().alias("latest")))["latest"].item()
        if pd.isna(latest):
            return None, ()
        # contacts are times too: few responses alone do not tell which of them is odd
        moments = nw.concat([records.frame.select(nw.col("moment")), responses])
        first = collect(records.frame.select(nw.col("moment").min().alias("first")))["first"].item()
        lone = None if pd.isna(first) else lone_times(moments, self.response_time, int(first), int(latest))
        last = int(latest) if lone is None else lone.after
        return AsOf.from_moment(last, records.as_of.time.tzinfo), () if lone is None else (lone,)


@dataclass(frozen=True)
class ContactCounts:
    """Sums over the rows of each customer; for each rate, contacts and responses."""

    customers: nw.Series[Any]
    arrays: dict[str, Integers]
    rates: dict[str, tuple[Integers, Integers]]

    def __getitem__(self, name: str) -> Integers:
        return self.arrays[name]


@dataclass
class Contacts:
    """The rows of a table of contacts.

    Attributes
    ----------
    records : Records
        The rows used.
    columns : ContactColumns
        What their columns are.
    """

    records: Records
    columns: ContactColumns
    # the last counts and the levels that they are by: learning and describing count by the same
    _counted: tuple[Mapping[str, Vocabulary], ContactCounts] | None = field(default=None, init=False)

    @cached_property
    def rows(self) -> nw.LazyFrame[Any]:
        """Say of each row whether it is a contact, whether it has a response, and what is odd about it.

        All that is summed up is a whole number: contact, response, timed, delay, counted, redeemed
        and the flags. ``response_day`` is missing where there is none.
        """
        columns = self.columns
        frame = self._with_response_times()
        contact = nw.col("contacted") == 1.0 if columns.contacted is not None else nw.lit(value=True)
        said = nw.col("responded") == 1.0 if columns.responded is not None else nw.col("has_time")
        frame = frame.with_columns(contact.alias("is_contact"), said.alias("said"))
        come = nw.col("said") & nw.col("is_contact")
        response = come & ~nw.col("is_late") if columns.response_time is not None else come
        frame = frame.with_columns(response.alias("is_response"))
        found = {
            "contact": nw.col("is_contact"),
            "response": nw.col("is_response"),
            "no_contact": ~nw.col("is_contact"),
            "outside": nw.col("said") & ~nw.col("is_contact"),
            **{f"no_{role}": nw.col("is_contact") & nw.col(role).is_null() for role in columns.levels},
        }
        sums = {name: as_whole(condition) for name, condition in found.items()}
        answered_on = ("is_response", "period")
        if columns.response_time is not None:
            answered_on = ("is_timed", "response_wall_day")
            timed = nw.col("is_response") & nw.col("has_time") & (nw.col("response_wall_day") >= nw.col("period"))
            frame = frame.with_columns(timed.alias("is_timed"))
            sums |= _times_of_responses(come)
        if columns.coupons is not None:
            sums |= _coupons(nw.col("coupons"), nw.col("is_response"), nw.col("is_contact"))
        rows = frame.with_columns(
            *(expression.alias(name) for name, expression in sums.items()),
            nw.when(nw.col(answered_on[0])).then(nw.col(answered_on[1])).alias("response_day"),
        )
        return self.records.kept(rows)

    @property
    def sent(self) -> nw.LazyFrame[Any]:
        """The rows that are contacts."""
        return self.rows.filter(nw.col("contact") == 1)

    def counts(self, vocabularies: Mapping[str, Vocabulary]) -> ContactCounts:
        """Add the rows up to one row per customer; again by the same levels, nothing is computed."""
        if self._counted is None or self._counted[0] != vocabularies:
            self._counted = (vocabularies, self._count(vocabularies))
        return self._counted[1]

    def policies(self) -> tuple[RowPolicy, ...]:
        """Count what is odd, and refuse coupons that are no numbers of them."""
        n_rows = add_up(self.rows, self._flags)
        columns = self.columns
        if n_rows.get("odd_coupons"):
            got = f"others in {n_rows['odd_coupons']} row(s)"
            remedy = "Count the coupons, or leave coupons=None."
            raise ColumnTypeError.expected(columns.coupons, "whole numbers of coupons, 0 or more", got, remedy)
        not_used, compare = "kept: not counted", "Compare both."
        words = {
            "no_contact": ("not contacted", "kept: no contact", "See the parameter `contacted`."),
            "outside": ("response without a contact", "kept: no response", "See the parameter `contacted`."),
            "late": ("response later than as_of", "kept: no response so far", "Pass a later time."),
            "idle_time": (f"time in {columns.response_time!r} without a response", "kept: time not used", compare),
            "untimed": (f"response without a time in {columns.response_time!r}", "kept: no time", "Fill it in."),
            "early": ("response on a day before the contact", "kept: time not used", "Compare both times."),
            "idle_coupons": (f"number in {columns.coupons!r} without a response", not_used, compare),
            "unknown_coupons": (f"response without a number in {columns.coupons!r}", not_used, "Fill it in."),
            **{
                f"no_{role}": (f"no {role.replace('_', ' ')}", "kept: under no level", "Fill it in.")
                for role in columns.levels
            },
        }
        return tuple(
            RowPolicy(words[name][0], words[name][1], count, words[name][2])
            for name, count in n_rows.items()
            if name in words
        )

    @property
    def _flags(self) -> list[str]:
        """The columns of ``rows`` that are only counted."""
        columns = self.columns
        flags = ["no_contact", "outside"] if columns.contacted is not None else []
        if columns.response_time is not None:
            flags += ["late", "untimed", "early", *(["idle_time"] if columns.responded is not None else [])]
        if columns.coupons is not None:
            flags += ["idle_coupons", "unknown_coupons", "odd_coupons"]
        return flags + [f"no_{role}" for role in columns.levels] + ["contact"]

    def _with_response_times(self) -> nw.LazyFrame[Any]:
        """Add ``has_time``, ``is_late``, ``response_moment`` and ``response_wall_day`` where times were given."""
        records = self.records
        if self.columns.response_time is None:
            return records.frame
        clock = self.columns.clock(records)
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

    def _count(self, vocabularies: Mapping[str, Vocabulary]) -> ContactCounts:
        rows, columns = self.rows, self.columns
        sums = ["contact", "response"]
        sums += ["timed", "delay"] if columns.response_time is not None else []
        sums += ["counted", "redeemed"] if columns.coupons is not None else []
        rates = {"response_rate": ("contact", "response")}
        parts = {}
        for role, vocabulary in vocabularies.items():
            rows = rows.with_columns(vocabulary.pooled(role))
            for position, level in enumerate(vocabulary.names):
                pair = (f"contact_{role}_{position}", f"response_{role}_{position}")
                rates[rate_of(role, level)] = pair
                for name, whole in zip(pair, ("contact", "response"), strict=True):
                    parts[name] = nw.when(nw.col(role) == level).then(nw.col(whole)).otherwise(nw.lit(0))
        rows = rows.with_columns(part.cast(nw.Int64).alias(name) for name, part in parts.items())
        customers = rows.group_by("customer").agg(
            *(nw.col(name).sum() for name in (*sums, *parts)), nw.col("response_day").max()
        )
        if columns.campaign is not None:
            different = rows.filter((nw.col("contact") == 1) & ~nw.col("campaign").is_null())
            different = different.select("customer", "campaign").unique()
            counted = different.group_by("customer").agg(nw.len().alias("campaigns"))
            customers = customers.join(counted, on="customer", how="left")
        found = collect(customers.with_columns(nw.col("response_day").fill_null(NEVER))).sort("customer")
        arrays = counts_by_name(found)
        return ContactCounts(
            found["customer"], arrays, {name: (arrays[n], arrays[r]) for name, (n, r) in rates.items()}
        )


def rate_of(role: str, level: str) -> str:
    """Return the column of the rate of one level."""
    return f"response_rate_{LEVELS[role]}_{level}"


def _times_of_responses(come: nw.Expr) -> dict[str, nw.Expr]:
    found = {
        "timed": nw.col("is_timed"),
        "late": come & nw.col("is_late"),
        "untimed": nw.col("is_response") & ~nw.col("has_time"),
        "early": nw.col("is_response") & nw.col("has_time") & ~nw.col("is_timed"),
        "idle_time": nw.col("has_time") & nw.col("is_contact") & ~nw.col("said"),
    }
    took = nw.col("response_moment") - nw.col("moment")
    delay = nw.when(nw.col("is_timed") & (took > 0)).then(took).otherwise(nw.lit(0)).cast(nw.Int64)
    return {**{name: as_whole(condition) for name, condition in found.items()}, "delay": delay}


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

"""Timestamps: text against the standard library, time zones, days of 23 and 25 hours, the meaning of as_of."""

from __future__ import annotations

import datetime as dt
from functools import partial
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from custseg._core import frames
from custseg.characteristics._purchases.rfm import RFMFeaturizer
from custseg.characteristics._times.timestamps import first_day_of_month, period_index, period_start
from custseg.exceptions import ColumnTypeError, DataQualityWarning, InvalidParameterError, InvalidTableError
from tests.sizes import size

pytestmark = pytest.mark.sampled

stamps = partial(pd.to_datetime, format="ISO8601")
ALL = ("recency", "frequency", "monetary", "tenure")
BERLIN = "Europe/Berlin"


@pytest.fixture(params=["pandas", "pandas alone", "polars", "lazy"])
def as_kind(request, monkeypatch):
    """Return a function that makes the kind of frame."""
    if request.param == "pandas alone":
        monkeypatch.setattr(frames, "polars_is_at_hand", lambda: False)

    def make(table):
        if request.param.startswith("pandas"):
            return table
        frame = pl.from_pandas(table)
        return frame.lazy() if request.param == "lazy" else frame

    return make


def table(times, amounts=None, ids=None):
    n_rows = len(times)
    return pd.DataFrame({"customer_id": ids or [1] * n_rows, "timestamp": times, "amount": amounts or [1.0] * n_rows})


def rows(found):
    frame = found.to_pandas().set_index("customer_id") if isinstance(found, pl.DataFrame) else found
    return frame.to_dict("index")


@settings(max_examples=size(55, 300))
@given(day=st.dates(dt.date(1, 1, 1), dt.date(9999, 11, 30)))
def test_days_of_months_and_weeks(day):
    months = day.year * 12 + day.month - 1
    epoch = dt.date(1970, 1, 1)
    assert first_day_of_month(months) == (day.replace(day=1) - epoch).days
    wall = (day - epoch).days * 86_400_000_000 + 3_600_000_001
    start = {
        "h": (day - epoch).days * 24 + 1,
        "D": (day - epoch).days * 24,
        "W": (day - dt.timedelta(days=day.weekday()) - epoch).days * 24 if day.year > 1 else None,
        "M": (day.replace(day=1) - epoch).days * 24,
    }
    for period, expected in start.items():
        if expected is not None:
            assert period_start(period_index(wall, months, period), period) == expected


READABLE = [
    "2024-02-29",
    "2024-02-29T23:59",
    "2024-02-29 23:59:58",
    "2024-02-29T00:00:00.5",
    "2024-02-29T00:00:00.123456789",
    "  2024-02-29 08:00 ",
    "1969-12-31T23:59:59",
    "0001-01-01",
    "2000-02-29",
    "20240101",
]
UNREADABLE = [
    "2023-02-29",
    "1900-02-29",
    "2024-04-31",
    "2024-13-01",
    "2024-00-10",
    "2024-01-00",
    "0000-01-01",
    "2024-01-01T24:00",
    "2024-01-01T10:60",
    "2024-01-01T10:00:60",
    "2024-01-01T10",
    "2024-1-1",
    "2024011",
    "01/02/2024",
    "yesterday",
    "",
    "2024-01-01T10:00+25:00",
    "٢٠٢٤-01-01",
]


def test_text_is_read_as_iso_8601(as_kind):
    texts = [*READABLE, *UNREADABLE, None]
    lines = table(pd.Series(texts, dtype="str"), ids=list(range(len(texts))))
    featurizer = RFMFeaturizer(features=("recency",), period="h", time_unit="h", as_of="2024-03-01")
    # empty text is a missing time
    with pytest.warns(DataQualityWarning, match=f"{len(UNREADABLE) - 1} of {len(texts)} row.* cannot be read"):
        found = rows(featurizer.fit_transform(as_kind(lines)))
    assert list(found) == list(range(len(READABLE)))
    end = dt.datetime(2024, 3, 1)  # noqa: DTZ001
    for position, text in enumerate(READABLE):
        start = dt.datetime.fromisoformat(text.strip()).replace(minute=0, second=0, microsecond=0)
        assert found[position]["recency"] == (end - start) // dt.timedelta(hours=1)
    unreadable = next(policy for policy in featurizer.row_report_.policies if "timestamp" in policy.policy)
    assert unreadable.n_rows == len(UNREADABLE) + 1
    assert "pandas.to_datetime" in unreadable.remedy


@settings(max_examples=size(4, 25))
@given(
    first=st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2098, 1, 1)),  # noqa: DTZ001
    # within two years, where no time stands alone
    later=st.lists(st.timedeltas(dt.timedelta(0), dt.timedelta(700)), max_size=8),
    period=st.sampled_from(["h", "D", "W", "M"]),
    offset=st.sampled_from(["", "Z", "+02:00", "-0530"]),
)
def test_text_and_timestamps_agree(first, later, period, offset):
    times = [first, *(first + after for after in later)]
    texts = [time.isoformat(sep=" ") + offset for time in times]
    typed = pd.Series([dt.datetime.fromisoformat(text) for text in texts])
    read, expected = (
        RFMFeaturizer(features=ALL, period=period).fit(table(column)) for column in (pd.Series(texts), typed)
    )
    assert read.as_of_ == expected.as_of_ == pd.Timestamp(max(typed))
    assert read.as_of_.utcoffset() == expected.as_of_.utcoffset()
    found = [each.transform(table(column)) for each, column in ((read, texts), (expected, typed))]
    assert_frame_equal(*found)


@pytest.mark.parametrize("other", ["2024-01-02T10:00", "2024-01-02", "2024-01-02T10:00+01:00"])
def test_text_of_several_zones_is_refused(as_kind, other):
    lines = as_kind(table(["2024-01-01T10:00+02:00", other]))
    with pytest.raises(ColumnTypeError, match=r"'timestamp' must be in one time zone.*\+0200.*tz_convert"):
        RFMFeaturizer().fit(lines)


def test_z_and_plus_zero_are_one_zone(as_kind):
    featurizer = RFMFeaturizer().fit(as_kind(table(["2024-01-01T10:00Z", "2024-01-02T10:00+00:00"])))
    assert featurizer.as_of_ == pd.Timestamp("2024-01-02T10:00Z")


def test_aware_timestamps_keep_the_calendar_day_of_their_zone(as_kind):
    # 23:30 and 00:30 in Berlin are one day in universal time
    times = pd.Series(stamps(["2024-01-09 23:30", "2024-01-10 00:30"])).dt.tz_localize(BERLIN)
    featurizer = RFMFeaturizer(features=ALL)
    assert rows(featurizer.fit_transform(as_kind(table(times)))) == {
        1: {"recency": 0.0, "frequency": 2, "monetary": 1.0, "tenure": 1.0}
    }
    assert featurizer.as_of_ == pd.Timestamp("2024-01-10 00:30", tz=BERLIN)
    utc = table(times.dt.tz_convert("UTC"))
    assert rows(featurizer.fit_transform(as_kind(utc)))[1]["frequency"] == 1


@pytest.mark.parametrize("day", ["2024-03-31", "2024-10-27"])
def test_days_of_23_and_25_hours_are_days(as_kind, day):
    midnight = pd.Timestamp(day, tz=BERLIN)
    times = pd.Series([midnight, midnight + pd.Timedelta(hours=22), midnight + pd.DateOffset(days=1)])
    length = (times[2] - times[0]) / pd.Timedelta(hours=1)
    assert length in {23, 25}
    found = rows(RFMFeaturizer(features=ALL).fit_transform(as_kind(table(times))))
    assert found == {1: {"recency": 0.0, "frequency": 2, "monetary": 1.5, "tenure": 1.0}}


def test_an_hour_that_comes_twice_is_one_hour_of_the_clock(as_kind):
    times = pd.Series(stamps(["2024-10-27 00:30Z", "2024-10-27 01:30Z"])).dt.tz_convert(BERLIN)
    assert rows(RFMFeaturizer(period="h").fit_transform(as_kind(table(times))))[1]["frequency"] == 1


@pytest.mark.parametrize(
    "as_of",
    [
        "2024-01-05",
        dt.date(2024, 1, 5),
        dt.datetime(2024, 1, 5),  # noqa: DTZ001
        np.datetime64("2024-01-05"),
    ],
)
def test_a_date_stands_for_its_whole_day(as_kind, as_of):
    lines = table(stamps(["2024-01-05 23:59:59.999999", "2024-01-06"]), ids=[1, 2])
    found = rows(RFMFeaturizer(as_of=as_of).fit_transform(as_kind(lines)))
    assert found == {1: {"recency": 0.0, "frequency": 1, "monetary": 1.0}}


def test_a_time_of_day_is_that_time(as_kind):
    lines = table(stamps(["2024-01-05 12:00", "2024-01-05 12:01"]), ids=[1, 2])
    featurizer = RFMFeaturizer(as_of="2024-01-05 12:00")
    assert list(rows(featurizer.fit_transform(as_kind(lines)))) == [1]
    late = featurizer.row_report_.to_frame().query("policy.str.startswith('later')")
    assert late["n_rows"].tolist() == [1]


DAYS = ["2018-11-04", "2024-03-31", "2024-10-27"]


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("day", "zone"),
    size(
        [("2018-11-04", "America/Sao_Paulo"), ("2024-03-31", BERLIN), ("2024-10-27", BERLIN), ("2024-03-31", "UTC")],
        [(day, zone) for day in DAYS for zone in (BERLIN, "America/Sao_Paulo", "UTC")],
    ),
)
def test_a_naive_as_of_is_read_in_the_zone_of_the_column(as_kind, day, zone):
    # in Sao Paulo 2018-11-04 has no midnight
    end = (pd.Timestamp(day) + pd.Timedelta(hours=23)).tz_localize(zone)
    lines = table(pd.Series([end, end + pd.Timedelta(hours=1)]), ids=[1, 2])
    featurizer = RFMFeaturizer(as_of=day).fit(as_kind(lines))
    assert featurizer.row_report_.n_used == 1
    assert str(featurizer.as_of_.date()) == day
    with pytest.warns(DataQualityWarning, match="1 of 2 rows used"):
        assert list(rows(featurizer.transform(as_kind(lines)))) == [1]


def test_an_aware_as_of_is_an_instant(as_kind):
    times = pd.Series(stamps(["2024-10-27 00:30Z", "2024-10-27 01:30Z"])).dt.tz_convert(BERLIN)
    featurizer = RFMFeaturizer(as_of=dt.datetime(2024, 10, 27, 1, 0, tzinfo=ZoneInfo("UTC")))
    assert list(rows(featurizer.fit_transform(as_kind(table(times, ids=[1, 2]))))) == [1]
    assert featurizer.as_of_ == pd.Timestamp("2024-10-27 01:00Z")


def test_text_that_shows_no_zone_takes_that_of_as_of(as_kind):
    texts = table(["2024-01-01T10:00+02:00", "2024-01-05T10:00+02:00"])
    fitted = RFMFeaturizer().fit(as_kind(texts))
    assert len(fitted.transform(as_kind(texts.head(0)))) == 0
    with pytest.raises(InvalidTableError, match="no usable row"):
        fitted.transform(as_kind(texts.assign(timestamp="rubbish")))


def test_an_aware_as_of_needs_aware_timestamps(as_kind):
    lines = as_kind(table(stamps(["2024-01-05"])))
    with pytest.raises(InvalidParameterError, match="'as_of' must be without a time zone"):
        RFMFeaturizer(as_of=pd.Timestamp("2024-01-05", tz="UTC")).fit(lines)
    aware = RFMFeaturizer().fit(table(stamps(["2024-01-05"]).tz_localize("UTC")))
    with pytest.raises(InvalidParameterError, match="as the timestamps of the table have none"):
        aware.transform(lines)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_every_resolution(as_kind, unit):
    times = stamps(["2024-01-01 10:00", "2024-01-05 11:00"]).astype(f"datetime64[{unit}]")
    featurizer = RFMFeaturizer(features=ALL)
    found = rows(featurizer.fit_transform(as_kind(table(times))))
    assert found == {1: {"recency": 0.0, "frequency": 2, "monetary": 1.0, "tenure": 4.0}}
    assert featurizer.as_of_ == pd.Timestamp("2024-01-05 11:00")


def test_dates():
    days = [dt.date(2024, 1, 1), dt.date(2024, 1, 5)]
    for lines in (
        table(pd.Series(days, dtype="object")),
        pl.DataFrame({"customer_id": [1, 1], "timestamp": days, "amount": [1, 1]}),
    ):
        featurizer = RFMFeaturizer(features=("tenure",)).fit(lines)
        assert rows(featurizer.transform(lines)) == {1: {"tenure": 4.0}}
        assert featurizer.as_of_ == pd.Timestamp("2024-01-05")


@pytest.mark.parametrize("column", [[20240105, 20241306], [1.5, 2.5], [True, False]])
def test_other_columns_are_no_timestamps(as_kind, column):
    with pytest.raises(
        ColumnTypeError, match="'timestamp' must be timestamps, dates or ISO 8601 text, got.*to_datetime"
    ):
        RFMFeaturizer().fit(as_kind(table(column)))


def test_time_units_and_period_starts():
    lines = table(stamps(["2024-01-31 10:30", "2024-03-05 09:15"]))
    tenure = {
        (period, unit): RFMFeaturizer(features=("tenure",), period=period, time_unit=unit)
        .fit_transform(lines)
        .loc[1, "tenure"]
        for period in "hDWM"
        for unit in "hDWMY"
    }
    assert tenure["D", "D"] == 34
    assert tenure["D", "h"] == 34 * 24
    assert tenure["h", "h"] == 34 * 24 - 1
    # Monday 29 January to Monday 4 March; 1 January to 1 March
    assert tenure["W", "W"] == 5
    assert tenure["M", "D"] == 60
    assert tenure["M", "M"] == pytest.approx(60 * 12 / 365.2425)
    assert tenure["M", "Y"] == pytest.approx(60 / 365.2425)

"""A last time that stands alone far beyond all others sets no reference time: on every engine, for every featurizer."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custseg import (
    CampaignResponseFeaturizer,
    PurchaseBehaviorFeaturizer,
    PurchasePathFeaturizer,
    RFMFeaturizer,
    SocialMediaFeaturizer,
    split_transactions,
)
from custseg.characteristics._times.lone_times import find_lone
from custseg.exceptions import DataQualityWarning, InvalidParameterError
from tests.engines import ENGINES, comparable
from tests.sizes import size

pytestmark = [pytest.mark.sampled, pytest.mark.thorough]

FRAMES = size(["pandas", "polars lazy", "duckdb", "csv"], [name for name in ENGINES if name != "spark"])
LAST = pd.Timestamp("2024-06-28 12:00")
BAD = [pd.Timestamp(text).as_unit("us") for text in ("9999-12-31", "2042-03-08", "2924-06-01")]


def table(bad=(), **columns):
    """Something happens to twenty customers on 180 days, and at the ``bad`` times to the first."""
    times = [*(LAST - pd.to_timedelta(np.arange(180), unit="D")), *bad]
    common = {"customer_id": [number % 20 for number in range(180)] + [0] * len(bad), "timestamp": times}
    return pd.DataFrame(common | columns).astype({"timestamp": "datetime64[us]"})


MADE = {
    "RFMFeaturizer": (RFMFeaturizer(features=("recency", "tenure", "frequency")), {"amount": 1.0}),
    "PurchaseBehaviorFeaturizer": (PurchaseBehaviorFeaturizer(features=("orders", "spend_trend")), {"amount": 1.0}),
    "PurchasePathFeaturizer": (PurchasePathFeaturizer(stages=("view", "buy"), stage="step"), {"step": "view"}),
    "SocialMediaFeaturizer": (SocialMediaFeaturizer(), {"action": "like", "platform": "forum"}),
    "CampaignResponseFeaturizer": (CampaignResponseFeaturizer(responded="answered"), {"answered": True}),
}


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("bad", [BAD[:1], BAD[1:2], BAD])
def test_every_featurizer_names_and_counts_it_and_leaves_it_out(name, bad):
    made, columns = MADE[name]
    expected = made.fit_transform(table(**columns))
    with pytest.warns(
        DataQualityWarning, match=rf"{name}: {len(bad)} time\(s\) of column 'timestamp' .*2024-06-28.*as_of"
    ):
        found = made.fit_transform(table(bad, **columns))
    pd.testing.assert_frame_equal(found, expected)
    assert made.as_of_ == LAST
    report = made.row_report_.to_frame().set_index("policy")["n_rows"]
    assert report[f"far beyond all other times, the last of them {LAST}"] == len(bad)


@pytest.mark.thorough
@pytest.mark.parametrize("engine", FRAMES)
def test_on_every_engine(engine):
    featurizer = RFMFeaturizer(features=("recency", "frequency"))
    expected = comparable(featurizer.fit_transform(table(amount=1.0)))
    with pytest.warns(DataQualityWarning, match="1 time"):
        found = comparable(featurizer.fit_transform(ENGINES[engine](table(BAD[1:2], amount=1.0))))
    pd.testing.assert_frame_equal(found, expected)
    assert featurizer.as_of_ == LAST


@pytest.mark.parametrize(
    "times",
    [
        # a first time for what is not known, or a few old ones, hide nothing
        [pd.Timestamp("1900-01-01"), *(LAST - pd.to_timedelta(np.arange(60), unit="D")), BAD[1]],
        [pd.Timestamp("1970-01-01"), *(LAST - pd.to_timedelta(np.arange(60), unit="D")), *BAD],
        [pd.Timestamp("2016-01-01"), *(LAST - pd.to_timedelta(np.arange(200), unit="D")), BAD[1]],
        # all others on one day
        [*[LAST] * 9, BAD[0]],
        [*[LAST] * 9, BAD[1]],
    ],
)
def test_few_times_at_the_other_end_hide_none(times):
    lines = pd.DataFrame({"customer_id": 1, "timestamp": [time.as_unit("us") for time in times], "amount": 1.0})
    featurizer = RFMFeaturizer()
    with pytest.warns(DataQualityWarning, match="stand alone"):
        featurizer.fit(lines)
    assert featurizer.as_of_ == LAST


def test_a_given_time_is_taken_at_its_word():
    featurizer = RFMFeaturizer(features=("recency",), as_of="2042-03-08").fit(table(BAD[1:2], amount=1.0))
    assert featurizer.row_report_.n_used == 181


def test_times_of_responses():
    contacts = table(answered=True).assign(came=lambda rows: rows["timestamp"])
    made = CampaignResponseFeaturizer(responded="answered", response_time="came")
    assert made.fit(contacts).as_of_ == LAST
    contacts.loc[3, "came"] = BAD[0]
    with pytest.warns(DataQualityWarning, match="1 time.s. of column 'came' stand alone.*9999-12-31"):
        made.fit(contacts)
    assert made.as_of_ == LAST
    report = made.row_report_.to_frame().set_index("policy")["n_rows"]
    assert report["response later than as_of"] == 1


@pytest.mark.parametrize("engine", ["pandas", "polars lazy", "duckdb", "csv"])
def test_a_split_puts_it_into_neither_part(engine):
    lines, at = table(BAD[:1], amount=1.0), "2024-05-31"
    expected = split_transactions(table(amount=1.0), at=at)
    with pytest.warns(DataQualityWarning, match="left out: 1 .far beyond all other times, the last of them 2024-06-28"):
        split = split_transactions(ENGINES[engine](lines), at=at)
    assert split.end == expected.end == LAST
    assert split.row_report.n_rows == 181
    pd.testing.assert_frame_equal(split.to_frame(), expected.to_frame())
    with pytest.raises(InvalidParameterError, match="lines on both sides"):
        split_transactions(lines, at="2030-01-01")


@pytest.mark.parametrize(
    "days",
    [
        pd.date_range("2000-01-01", "2024-06-01"),
        pd.date_range("2000-01-01", "2024-06-01", freq="YS"),
        [*pd.date_range("2019-01-01", "2019-12-31"), *pd.date_range("2022-01-01", "2022-12-31")],
        ["2019-01-01", "2024-01-01"],
        ["1900-01-01", "2024-01-01"],
        ["1900-01-01", "2024-01-01", "2024-01-02"],
        ["2014-05-01", "2018-05-01", "2018-05-01", "2024-05-01"],
        [*pd.date_range("2023-07-01", "2023-07-03"), "2024-07-05"],
    ],
)
def test_ordinary_tables_have_none(days):
    lines = pd.DataFrame({"customer_id": 1, "timestamp": pd.to_datetime(days), "amount": 1.0})
    featurizer = RFMFeaturizer().fit(lines)
    assert featurizer.as_of_ == lines["timestamp"].max()
    assert featurizer.row_report_.n_left_out == 0


@given(
    days=st.lists(st.integers(0, 700), min_size=100, max_size=300, unique=True).map(sorted),
    years=st.integers(25, 8000),
    shift=st.integers(-4000, 20000),
)
def test_one_day_far_off_is_found_wherever_the_table_lies(days, years, shift):
    # within two years, where no day is far off; then a gap of ten times the longest, and of more than ten years
    ordinary = np.array(days) + shift
    counts = np.ones(len(days), dtype=np.int64)
    far = int(ordinary[-1] + max(years * 366, 11 * np.diff(ordinary).max()))
    assert find_lone(ordinary, counts) is None
    assert find_lone(np.append(ordinary, far), np.append(counts, 1)) == far

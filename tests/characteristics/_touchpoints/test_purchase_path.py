"""Purchase paths: a table worked by hand, the definition event by event, laws, engines and bad input."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from sklearn.base import clone

from custseg._core import frames
from custseg.characteristics._touchpoints.paths import PathRule, _moments, _placed_by_joins, _placed_by_windows
from custseg.characteristics._touchpoints.purchase_path import STAGES, PurchasePathFeaturizer
from custseg.datasets import make_customers
from custseg.exceptions import (
    ColumnNotFoundError,
    DataQualityWarning,
    InvalidParameterError,
    InvalidTableError,
)
from tests.characteristics._touchpoints.path_oracle import brute_force
from tests.sizes import size

pytestmark = pytest.mark.sampled

nan = float("nan")
few = settings(
    max_examples=size(4, 40),
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
ignore_dask = pytest.mark.filterwarnings("ignore:Dask support is moving:FutureWarning")


def table(rows: list[tuple]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["customer_id", "timestamp", "stage", "channel"])
    frame["timestamp"] = pd.to_datetime(frame["timestamp"], format="ISO8601").astype("datetime64[us]")
    return frame.astype({"stage": "str", "channel": "str"})


@pytest.fixture
def twelve():
    return table(
        [
            # a path over two channels; basket and purchase at one moment, written in the wrong order
            (1, "2024-01-01", "visit", "search"),
            (1, "2024-01-03", "product view", "email"),
            (1, "2024-01-05 12:00", "purchase", "till"),
            (1, "2024-01-05 12:00", "basket", "email"),
            # a second one
            (1, "2024-02-01", "visit", "search"),
            (1, "2024-02-11", "purchase", "till"),
            # a basket left behind, and much later a visit that may yet lead somewhere
            (1, "2024-03-01", "basket", "email"),
            (1, "2024-06-15", "visit", "direct"),
            # exactly 30 days of silence (2024 is a leap year) do not break a path
            (2, "2024-02-01", "visit", None),
            (2, "2024-03-02", "visit", "social"),
            # a purchase out of the blue
            (3, "2024-05-01", "purchase", "till"),
            (3, "2024-05-01", "newsletter", "email"),
        ]
    )


def plain(found: Any) -> pd.DataFrame:
    """As pandas, indexed by customer, categories as objects."""
    if not isinstance(found, pd.DataFrame):
        found = found.to_pandas().set_index("customer_id")
    texts = [name for name, dtype in found.dtypes.items() if isinstance(dtype, pd.CategoricalDtype)]
    return found.assign(**{name: found[name].astype(object).where(found[name].notna(), None) for name in texts})


def touched(report):
    return {policy.policy: policy.n_rows for policy in report.policies if policy.n_rows}


BY_HAND = {
    1: {
        "events_visit": 3,
        "events_product view": 1,
        "events_basket": 2,
        "events_purchase": 2,
        # bought 2024-01-05, bought 2024-02-11, left 2024-03-01, open since 2024-06-15
        "paths": 4,
        "path_open": True,
        # of 3 ended paths 3 came to a product view (those of later stages count), 3 to a basket, 2 to a purchase
        "conversion_to_product view": 3 / 3,
        "conversion_to_basket": 3 / 3,
        "conversion_to_purchase": 2 / 3,
        "abandoned_share": 1 / 3,
        # the purchases had 3 touches and 1 touch before them
        "touches_to_purchase": 2.0,
        # after 4.5 days and after 10 days
        "time_to_purchase": 7.25,
        # search, search
        "first_touch_channel": "search",
        # email, search: email is more frequent in the table
        "last_touch_channel": "email",
        # of 3 ended paths only the first has two channels
        "multichannel_share": 1 / 3,
        # of search, email, email, search, email, direct
        "share_channel_email": 3 / 6,
        "share_channel_search": 2 / 6,
        "share_channel_other": 1 / 6,
    },
    2: {
        "events_visit": 2,
        "events_product view": 0,
        "events_basket": 0,
        "events_purchase": 0,
        "paths": 1,
        "path_open": False,
        "conversion_to_product view": 0.0,
        "conversion_to_basket": nan,
        "conversion_to_purchase": nan,
        "abandoned_share": 1.0,
        "touches_to_purchase": nan,
        "time_to_purchase": nan,
        "first_touch_channel": None,
        "last_touch_channel": None,
        "multichannel_share": 0.0,
        "share_channel_email": 0.0,
        "share_channel_search": 0.0,
        "share_channel_other": 1.0,
    },
    3: {
        "events_visit": 0,
        "events_product view": 0,
        "events_basket": 0,
        "events_purchase": 1,
        "paths": 1,
        "path_open": False,
        "conversion_to_product view": 1.0,
        "conversion_to_basket": 1.0,
        "conversion_to_purchase": 1.0,
        "abandoned_share": 0.0,
        "touches_to_purchase": 0.0,
        "time_to_purchase": 0.0,
        "first_touch_channel": None,
        "last_touch_channel": None,
        "multichannel_share": nan,
        "share_channel_email": nan,
        "share_channel_search": nan,
        "share_channel_other": nan,
    },
}


def test_twelve_rows_by_hand(twelve):
    featurizer = PurchasePathFeaturizer(channel="channel", n_leading=2, as_of="2024-06-30")
    found = plain(featurizer.fit_transform(twelve))
    # touches: email 3 (two in the first path, one in the third), search 2, direct 1, social 1
    assert featurizer.levels_ == {"channel": ("email", "search", "other")}
    wanted = pd.DataFrame.from_dict(BY_HAND, orient="index").rename_axis("customer_id")
    assert_frame_equal(found, wanted, check_exact=True, check_dtype=False)
    assert touched(featurizer.row_report_) == {
        "stage in 'stage' is none of stages": 1,
        "no channel in 'channel'": 1,
    }
    (remedy,) = [p.remedy for p in featurizer.row_report_.policies if p.policy.startswith("stage in")]
    assert remedy == "Name them in the parameter stages; there are 'newsletter'."


START = datetime(2024, 1, 30)  # noqa: DTZ001 - naive on purpose
GAP = timedelta(hours=6)
KNOWN = ("look", "cart", "buy")


@st.composite
def event_tables(draw: st.DrawFn, *, faults: bool = True) -> pd.DataFrame:
    """Events on a grid of three hours, so that equal times and silences of exactly the longest length occur."""

    def some(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        return st.one_of(values, values, values, st.none()) if faults else values

    hours = st.integers(0, 15).map(lambda step: START + timedelta(hours=3 * step))
    stages = st.sampled_from([*KNOWN, *KNOWN, *(["gaze"] if faults else [])])
    event = st.tuples(st.integers(1, 3), some(hours), some(stages), some(st.sampled_from(["a", "b", "c", "other"])))
    first = (1, START, "look", "a")
    rows = [first, *draw(st.lists(event, max_size=30))]
    ids, times, found, channels = zip(*rows, strict=True)
    return pd.DataFrame(
        {
            "customer_id": pd.Series(ids, dtype="int64"),
            "timestamp": pd.Series(times, dtype="datetime64[us]"),
            "stage": pd.Series(found, dtype="str"),
            "channel": pd.Series(channels, dtype="str"),
        }
    )


def with_none(events: pd.DataFrame) -> pd.DataFrame:
    return events.astype(object).where(events.notna(), None)


def path(**parameters: Any) -> PurchasePathFeaturizer:
    return PurchasePathFeaturizer(
        **{"stages": KNOWN, "max_gap": "6h", "channel": "channel", "n_leading": 2, **parameters}
    )


@few
@given(
    events=event_tables(),
    n_leading=st.one_of(st.none(), st.integers(1, 4)),
    as_of=st.sampled_from([None, START + timedelta(hours=21)]),
    kind=st.sampled_from(["pandas", "pandas alone", "polars", "lazy", "duckdb"]),
)
def test_the_definition_event_by_event(monkeypatch, events, n_leading, as_of, kind):
    known = with_none(events)
    limit = as_of or max(time for time in known["timestamp"] if time is not None)
    if as_of is None and limit.time() == datetime.min.time():
        # midnight stands for the whole day
        limit = limit + timedelta(days=1)
    expected = brute_force(known, stages=KNOWN, max_gap=GAP, as_of=limit, n_leading=n_leading)
    channel = None if n_leading is None else "channel"
    estimator = path(channel=channel, n_leading=n_leading or 1, as_of=as_of)
    with monkeypatch.context() as patch:
        patch.setattr(frames, "polars_is_at_hand", lambda: kind != "pandas alone")
        found = plain(estimator.fit_transform(as_kind(events, kind)))
    assert_frame_equal(found, expected, check_exact=True, check_dtype=False, check_index_type=False)
    left_out = len(known) - sum(
        known["stage"].isin(KNOWN) & known["timestamp"].notna() & (events["timestamp"] <= limit)
    )
    assert estimator.row_report_.n_left_out == left_out
    if channel is not None:
        used = known[known["stage"].isin(KNOWN) & known["timestamp"].notna() & (events["timestamp"] <= limit)]
        assert touched(estimator.row_report_).get("no channel in 'channel'", 0) == used["channel"].isna().sum()


def as_kind(events: pd.DataFrame, kind: str) -> Any:
    if kind.startswith("pandas"):
        return events
    frame = pl.from_pandas(events)
    if kind == "duckdb":
        return pytest.importorskip("duckdb").from_arrow(frame.to_arrow())
    if kind == "dask":
        return pytest.importorskip("dask.dataframe").from_pandas(events, npartitions=2)
    return frame.lazy() if kind == "lazy" else frame


@few
@given(events=event_tables(faults=False))
def test_joins_and_windows_make_the_same_paths(events):
    steps = events["stage"].map({stage: step for step, stage in enumerate(KNOWN)})
    hours = (events["timestamp"] - START) // timedelta(microseconds=1)
    plain_events = pl.DataFrame({"customer": events["customer_id"], "t": hours, "step": steps}).lazy()
    rule = PathRule(n_stages=3, max_gap=GAP // timedelta(microseconds=1), now=0, span=10**12, n_codes=0)
    moments = _moments(nw.from_native(plain_events), rule)
    found = []
    for placed in (_placed_by_joins, _placed_by_windows):
        paths: dict[Any, set[int]] = {}
        for row in placed(moments, rule).collect().iter_rows(named=True):
            paths.setdefault((row["customer"], row["path"]), set()).add(row["t"])
        found.append(sorted((customer, sorted(times)) for (customer, _), times in paths.items()))
    assert found[0] == found[1]


@few
@given(events=event_tables(), seed=st.integers(0, 99))
def test_the_order_of_rows_and_columns_does_not_matter(events, seed):
    estimator = path()
    expected = estimator.fit_transform(events)
    report = estimator.row_report_
    mixed = events.sample(frac=1, random_state=seed)[["channel", "stage", "timestamp", "customer_id"]]
    assert_frame_equal(estimator.fit_transform(mixed), expected, check_exact=True)
    assert estimator.row_report_ == report


@few
@given(events=event_tables(faults=False), others=event_tables(faults=False))
def test_each_customer_stands_alone(events, others):
    estimator = path(as_of="2024-02-05").fit(events)
    expected = estimator.transform(events)
    assert_frame_equal(estimator.transform(events[events["customer_id"] == 1]), expected.loc[[1]], check_exact=True)
    strangers = others.assign(customer_id=others["customer_id"] + 10)
    strangers = strangers[strangers["channel"].isin(events["channel"]) & (strangers["stage"] != "buy")]
    strangers = strangers[strangers["channel"].isin(events.loc[events["stage"] != "buy", "channel"])]
    both = estimator.transform(pd.concat([events, strangers]))
    assert_frame_equal(both.loc[expected.index], expected, check_exact=True)


@few
@given(events=event_tables(), days=st.integers(-4000, 4000))
def test_moving_all_times_together_changes_nothing(events, days):
    expected = path(as_of="2024-02-05").fit_transform(events)
    moved = events.assign(timestamp=events["timestamp"] + timedelta(days=days))
    as_of = datetime(2024, 2, 5) + timedelta(days=days)  # noqa: DTZ001
    assert_frame_equal(path(as_of=as_of).fit_transform(moved), expected, check_exact=True)


@few
@given(events=event_tables())
def test_conversions_multiply_to_the_share_of_completed_paths(events):
    found = path().fit_transform(events)
    steps = found[["conversion_to_cart", "conversion_to_buy"]].to_numpy()
    # a step from a stage that no path reached is unknown, and by then the product is 0
    product = np.where(np.isnan(steps), 1.0, steps).prod(axis=1)
    completed = 1 - found["abandoned_share"].to_numpy()
    ended = ~np.isnan(completed)
    np.testing.assert_allclose(product[ended], completed[ended], rtol=0, atol=1e-15)
    bought = found["events_buy"].to_numpy() > 0
    assert (np.isnan(found["touches_to_purchase"].to_numpy()) == ~bought).all()
    shares = found.filter(like="share_channel_").sum(axis=1, min_count=1)
    np.testing.assert_allclose(shares.dropna(), 1.0, atol=1e-12)


@ignore_dask
@pytest.mark.thorough
@pytest.mark.parametrize("kind", size(["polars", "lazy", "duckdb"], ["polars", "lazy", "duckdb", "dask"]))
@pytest.mark.parametrize("channel", [None, "channel"])
def test_engines_agree(kind, channel):
    events = make_customers(60, random_state=0).events
    events["timestamp"] = events["timestamp"].astype("datetime64[us]")
    estimator = PurchasePathFeaturizer(channel=channel, n_leading=2)
    expected = plain(estimator.fit_transform(events))
    found = plain(estimator.fit_transform(as_kind(events, kind)))
    assert_frame_equal(found, expected, check_exact=True, check_dtype=False, check_index_type=False)


def test_the_order_of_the_sessions_of_make_customers():
    # every session starts with a visit and takes its stages in order, so no conversion exceeds what was drawn
    sample = make_customers(200, random_state=0)
    found = PurchasePathFeaturizer(max_gap="30min").fit_transform(sample.events)
    events = sample.events["stage"].value_counts()
    assert found[[f"events_{stage}" for stage in STAGES]].sum().tolist() == [events[stage] for stage in STAGES]
    # sessions rarely touch, so that nearly every visit is a path of its own
    assert found["paths"].sum() == pytest.approx(events["visit"], rel=0.01)


def test_a_customer_known_from_a_left_out_event_only_is_left_out(twelve):
    alone = pd.concat([twelve, table([(9, "2024-05-01", "newsletter", "email")])])
    assert list(PurchasePathFeaturizer().fit_transform(alone).index) == [1, 2, 3]


def test_a_channel_that_is_new_is_counted(twelve):
    estimator = PurchasePathFeaturizer(channel="channel", as_of="2024-06-30", n_leading=2).fit(twelve)
    new = table([(1, "2024-01-01", "visit", "radio"), (1, "2024-01-02", "basket", "email")])
    with pytest.warns(DataQualityWarning, match=r"1 row\(s\) hold levels of column 'channel' that fit .*'radio'"):
        found = estimator.transform(new)
    assert found.loc[1, ["share_channel_email", "share_channel_other"]].tolist() == [0.5, 0.5]


def test_a_new_channel_without_a_name_leads_nothing():
    estimator = PurchasePathFeaturizer(channel="channel").fit(table([(1, "2024-01-01", "visit", "email")]))
    new = table([(1, "2024-01-01", "visit", "radio"), (1, "2024-01-01", "purchase", None)])
    with pytest.warns(DataQualityWarning, match="under no level"):
        found = estimator.transform(new)
    assert found["first_touch_channel"].isna().all()
    assert list(found["first_touch_channel"].cat.categories) == ["email"]


def test_a_new_channel_of_a_purchase_is_no_touch(twelve):
    estimator = PurchasePathFeaturizer(channel="channel", as_of="2024-06-30").fit(twelve)
    estimator.transform(table([(1, "2024-01-01", "visit", "email"), (1, "2024-01-02", "purchase", "kiosk")]))


def test_unknown_stages_and_late_events_warn_at_transform(twelve):
    estimator = PurchasePathFeaturizer().fit(twelve)
    late = table([(1, "2024-01-01", "visit", None), (1, "2024-01-01", "gaze", None), (1, "2025-01-01", "visit", None)])
    with pytest.warns(DataQualityWarning, match="'gaze'") as caught:
        estimator.transform(late)
    assert "1 of 3 rows used" in str(caught[0].message)
    assert "later than as_of" in str(caught[0].message)


@pytest.mark.parametrize("kind", ["pandas", "polars", "lazy", "duckdb"])
def test_no_rows_at_transform(twelve, kind):
    estimator = PurchasePathFeaturizer(channel="channel").fit(twelve)
    found = plain(estimator.transform(as_kind(twelve.iloc[:0], kind)))
    assert found.shape == (0, len(estimator.get_feature_names_out()))


def test_as_of_a_day_is_its_end_also_where_clocks_change():
    # 31 March 2024 has 23 hours in Berlin; the path is 29 hours old at its end, and 30 on an ordinary day
    times = pd.to_datetime(["2024-03-30 18:00"]).tz_localize("Europe/Berlin")
    events = pd.DataFrame({"customer_id": [1], "timestamp": times, "stage": ["visit"]})
    for hours, is_open in ((29, True), (28, False)):
        found = PurchasePathFeaturizer(max_gap=f"{hours}h", as_of="2024-03-31").fit_transform(events)
        assert found["path_open"].tolist() == [is_open]


def test_rows_are_checked_before_fit(twelve):
    estimator = PurchasePathFeaturizer(channel="channel")
    before = estimator.check_rows(twelve)
    assert before == estimator.fit(twelve).row_report_
    assert "repeats another event in the columns read" in [policy.policy for policy in before.policies]


def test_repeated_events_are_counted(twelve):
    estimator = PurchasePathFeaturizer().fit(pd.concat([twelve, twelve.iloc[[0, 0]]]))
    assert touched(estimator.row_report_)["repeats another event in the columns read"] == 2


def test_units_and_contract(twelve):
    estimator = PurchasePathFeaturizer(channel="channel", time_unit="h")
    found = clone(estimator).fit_transform(twelve)
    estimator.fit(twelve)
    assert list(found.columns) == list(estimator.units_) == list(estimator.get_feature_names_out())
    assert estimator.units_["time_to_purchase"] == "hours"
    assert found.loc[1, "time_to_purchase"] == 24 * 7.25
    assert estimator.criterion == "behavioural"
    assert PurchasePathFeaturizer(max_gap=timedelta(days=30)).fit_transform(twelve).loc[1, "paths"] == 4


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("stages", ("visit",)),
        ("stages", ("visit", "visit")),
        ("stages", "visit"),
        ("stages", ("visit", 3)),
        ("max_gap", 30),
        ("max_gap", "soon"),
        ("max_gap", "-1D"),
        ("max_gap", None),
        ("max_gap", "NaT"),
        ("n_leading", 0),
        ("channel", 3),
        ("time_unit", "days"),
    ],
)
def test_parameters_out_of_range(twelve, name, value):
    with pytest.raises(InvalidParameterError, match=f"parameter '{name}'"):
        PurchasePathFeaturizer(**{name: value}).fit(twelve)


def test_stages_of_another_language(twelve):
    with pytest.raises(
        InvalidTableError, match=r"no usable row left.*12 \(stage in 'stage' is none of stages.*'visit'"
    ):
        PurchasePathFeaturizer(stages=("besuch", "kauf")).fit(twelve)


def test_a_column_that_is_not_there(twelve):
    with pytest.raises(ColumnNotFoundError, match="'chanel' not found.*Did you mean 'channel'"):
        PurchasePathFeaturizer(channel="chanel").fit(twelve)


def test_times_that_stand_for_unknown_ones():
    rows = table([(1, "2024-01-01", "visit", letter) for letter in "abcde"])
    rows["timestamp"] = rows["timestamp"].astype("str")
    rows.loc[0, "timestamp"] = "0001-01-01"
    rows.loc[1:3, "timestamp"] = "9999-12-31"  # too many to be slips
    with pytest.raises(InvalidTableError, match="column 'timestamp' span .* years"):
        PurchasePathFeaturizer(channel="channel").fit(rows)
    # as_of leaves the far future out
    found = PurchasePathFeaturizer(channel="channel", as_of="2024-01-01").fit_transform(rows)
    assert found.loc[1, ["paths", "events_visit"]].tolist() == [2, 2]

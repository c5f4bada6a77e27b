"""Social media: a table worked by hand, the definitions row by row, laws, engines and bad input."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from sklearn.base import clone

from custseg._core import frames
from custseg.characteristics._touchpoints.interactions import ACTION_WEIGHTS
from custseg.characteristics._touchpoints.social_media import SocialMediaFeaturizer
from custseg.exceptions import (
    ColumnTypeError,
    DataQualityWarning,
    InvalidParameterError,
    InvalidTableError,
)
from tests.characteristics._touchpoints.social_oracle import brute_force
from tests.sizes import size

pytestmark = pytest.mark.sampled

nan = float("nan")
few = settings(
    max_examples=size(4, 40),
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
ignore_dask = pytest.mark.filterwarnings("ignore:Dask support is moving:FutureWarning")
COLUMNS = ["customer_id", "timestamp", "platform", "action", "reach", "sentiment"]


def table(rows: list[tuple]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=COLUMNS)
    frame["timestamp"] = pd.to_datetime(frame["timestamp"], format="ISO8601").astype("datetime64[us]")
    return frame.astype({"platform": "str", "action": "str", "reach": "float64", "sentiment": "float64"})


@pytest.fixture
def twelve():
    return table(
        [
            (1, "2024-03-01 08:00", "video", "Like", 5.0, 0.5),
            (1, "2024-03-01 20:00", "video", "share", 100.0, 1.0),
            (1, "2024-03-03", "forum", "creating", 50.0, -0.25),
            (1, "2024-03-06", "photo", "post", None, None),
            (1, "2024-03-06", "forum", " comment ", 9.0, -0.5),
            (2, "2024-03-09", "photo", "read", 1.0, 0.0),
            (2, "2024-03-10", None, "view", None, None),
            (2, "2024-03-10", "photo", "teleport", 7.0, 1.0),
            (3, "2024-03-10", "blog", "retweet", None, -1.0),
            (3, "2024-03-10", "wiki", "reply", None, -0.5),
            (3, "2024-03-10", "wiki", "favourite", None, 0.5),
            (4, "2024-03-01", None, "reading", None, None),
        ]
    )


def social(**parameters: Any) -> SocialMediaFeaturizer:
    return SocialMediaFeaturizer(**{"reach": "reach", "sentiment": "sentiment", **parameters})


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
        "interactions": 5,
        # the 1st, 3rd and 6th
        "active_days": 3,
        # 5 in the 10 days from the 1st to the 10th
        "activity": 0.5,
        "recency": 4.0,
        "platforms": 3,
        # video and forum both 2 times; forum comes first in the table's order
        "leading_platform": "forum",
        "share_platform_forum": 2 / 5,
        "share_platform_photo": 1 / 5,
        "share_platform_video": 2 / 5,
        "share_platform_other": 0.0,
        # liking 2, sharing 4, creating 5, creating 5, commenting 3 make 19
        "engagement": 19 / 5,
        "deepest_action": "creating",
        # the share, the creation and the post
        "advocacy": 3 / 5,
        # 100 and 50; the like's 5 and the comment's 9 are not the customer's posts
        "reach_total": 150.0,
        "reach_mean": 75.0,
        # .5, 1, -.25 and -.5 make .75
        "sentiment_mean": 0.75 / 4,
        "sentiment_negative_share": 2 / 4,
        # 1 and -.25
        "sentiment_advocacy": 0.375,
    },
    2: {
        # the teleport has no weight
        "interactions": 2,
        "active_days": 2,
        "activity": 2 / 2,
        "recency": 0.0,
        "platforms": 1,
        "leading_platform": "photo",
        # of the one row whose platform is known
        "share_platform_forum": 0.0,
        "share_platform_photo": 1.0,
        "share_platform_video": 0.0,
        "share_platform_other": 0.0,
        "engagement": 1.0,
        "deepest_action": "reading",
        "advocacy": 0.0,
        "reach_total": nan,
        "reach_mean": nan,
        "sentiment_mean": 0.0,
        "sentiment_negative_share": 0.0,
        "sentiment_advocacy": nan,
    },
    3: {
        "interactions": 3,
        "active_days": 1,
        "activity": 3 / 1,
        "recency": 0.0,
        "platforms": 2,
        "leading_platform": "other",
        "share_platform_forum": 0.0,
        "share_platform_photo": 0.0,
        "share_platform_video": 0.0,
        "share_platform_other": 1.0,
        # 4 + 3 + 2
        "engagement": 3.0,
        "deepest_action": "sharing",
        "advocacy": 1 / 3,
        "reach_total": nan,
        "reach_mean": nan,
        # -1, -.5 and .5 make -1
        "sentiment_mean": -1 / 3,
        "sentiment_negative_share": 2 / 3,
        "sentiment_advocacy": -1.0,
    },
    4: {
        "interactions": 1,
        "active_days": 1,
        "activity": 1 / 10,
        "recency": 9.0,
        "platforms": 0,
        "leading_platform": None,
        "share_platform_forum": nan,
        "share_platform_photo": nan,
        "share_platform_video": nan,
        "share_platform_other": nan,
        "engagement": 1.0,
        "deepest_action": "reading",
        "advocacy": 0.0,
        "reach_total": nan,
        "reach_mean": nan,
        "sentiment_mean": nan,
        "sentiment_negative_share": nan,
        "sentiment_advocacy": nan,
    },
}


def test_twelve_rows_by_hand(twelve):
    featurizer = social(n_leading=3, as_of="2024-03-10")
    found = plain(featurizer.fit_transform(twelve))
    # forum, photo (the teleport is left out), video and wiki have 2 rows each, blog has 1
    assert featurizer.levels_ == {"platform": ("forum", "photo", "video", "other")}
    wanted = pd.DataFrame.from_dict(BY_HAND, orient="index").rename_axis("customer_id")
    assert_frame_equal(found, wanted, check_exact=True, check_dtype=False)
    assert touched(featurizer.row_report_) == {
        "action in 'action' has no weight": 1,
        "no platform in 'platform'": 2,
        "no reach in 'reach'": 6,
        "no sentiment in 'sentiment'": 3,
    }
    (remedy,) = [policy.remedy for policy in featurizer.row_report_.policies if policy.policy.startswith("action in")]
    assert remedy == "Give them a weight in action_weights; there are 'teleport'."


def test_the_depths_are_in_order(twelve):
    found = social().fit_transform(twelve)["deepest_action"]
    assert found.cat.ordered
    assert list(found.cat.categories) == ["reading", "liking", "commenting", "sharing", "creating"]
    assert sorted(set(ACTION_WEIGHTS.values())) == [1, 2, 3, 4, 5]


START = datetime(2024, 2, 27, 12)  # noqa: DTZ001 - naive on purpose
WEIGHTS = {"see": 0.1, "cheer": 0.7, "glance": 0.1, "speak": 3.3}


@st.composite
def interactions(draw: st.DrawFn, *, faults: bool = True) -> pd.DataFrame:
    def some(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        return st.one_of(values, values, values, st.none()) if faults else values

    row = st.tuples(
        st.integers(1, 3),
        st.integers(0, 60).map(lambda step: START + timedelta(hours=3 * step)),
        some(st.sampled_from(["a", "b", "c", "d", "other"])),
        some(st.sampled_from([*WEIGHTS, *(["vanish"] if faults else [])])),
        # decimals: float sums would depend on the order of addition
        some(st.integers(0, 10**6).map(lambda number: number / 100)),
        some(st.integers(-100, 100).map(lambda number: number / 100)),
    )
    rows = [(1, START, "a", "see", 0.1, 0.1), *draw(st.lists(row, max_size=30))]
    return table(rows)


def oracle_rows(events: pd.DataFrame) -> list[dict[str, Any]]:
    known = events.astype(object).where(events.notna(), None).rename(columns={"customer_id": "customer"})
    return [{**row, "day": row["timestamp"].date()} for row in known.to_dict("records")]


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
@given(
    events=interactions(),
    n_leading=st.integers(1, 5),
    as_of=st.sampled_from([None, datetime(2024, 3, 4)]),  # noqa: DTZ001
    kind=st.sampled_from(["pandas", "pandas alone", "polars", "lazy", "duckdb"]),
)
def test_the_definitions_row_by_row(monkeypatch, events, n_leading, as_of, kind):
    rows = oracle_rows(events)
    today = (as_of or max(row["timestamp"] for row in rows)).date()
    expected = brute_force(
        [row for row in rows if row["day"] <= today],
        weights=WEIGHTS,
        advocacy=0.7,
        today=today,
        n_leading=n_leading,
    )
    estimator = social(action_weights=WEIGHTS, advocacy_weight=0.7, n_leading=n_leading, as_of=as_of)
    with monkeypatch.context() as patch:
        patch.setattr(frames, "polars_is_at_hand", lambda: kind != "pandas alone")
        found = plain(estimator.fit_transform(as_kind(events, kind)))
    means = ["engagement", "reach_mean", "sentiment_mean", "sentiment_advocacy"]
    exact = [name for name in expected.columns if name not in means]
    assert_frame_equal(found[exact], expected[exact], check_exact=True, check_dtype=False, check_index_type=False)
    # the oracle rounds each weight's product on its own, and no sum that it divides
    np.testing.assert_allclose(found[means], expected[means], rtol=1e-14, atol=1e-16)
    assert list(found.columns) == list(expected.columns)
    used = [row for row in rows if row["day"] <= today and row["action"] in WEIGHTS]
    assert estimator.row_report_.n_used == len(used)
    counts = touched(estimator.row_report_)
    for name in ("platform", "reach", "sentiment"):
        assert counts.get(f"no {name} in {name!r}", 0) == sum(row[name] is None for row in used)


@few
@given(events=interactions(), seed=st.integers(0, 99))
def test_the_order_of_rows_and_columns_does_not_matter(events, seed):
    estimator = social(action_weights=WEIGHTS)
    expected = estimator.fit_transform(events)
    report = estimator.row_report_
    mixed = events.sample(frac=1, random_state=seed)[COLUMNS[::-1]]
    assert_frame_equal(estimator.fit_transform(mixed), expected, check_exact=True)
    assert estimator.row_report_ == report


@few
@given(events=interactions(faults=False), others=interactions(faults=False))
def test_each_customer_stands_alone(events, others):
    estimator = social(action_weights=WEIGHTS, as_of="2024-04-01").fit(events)
    expected = estimator.transform(events)
    assert_frame_equal(estimator.transform(events[events["customer_id"] == 1]), expected.loc[[1]], check_exact=True)
    strangers = others.assign(customer_id=others["customer_id"] + 10)
    strangers = strangers[strangers["platform"].isin(events["platform"])]
    both = estimator.transform(pd.concat([events, strangers]))
    assert_frame_equal(both.loc[expected.index], expected, check_exact=True)


@few
@given(events=interactions(), days=st.integers(-4000, 4000), factor=st.sampled_from([0.5, 4.0]))
def test_moving_times_changes_nothing_and_scaling_reach_scales_it(events, days, factor):
    expected = social(action_weights=WEIGHTS, as_of="2024-04-01").fit_transform(events)
    moved = events.assign(timestamp=events["timestamp"] + timedelta(days=days), reach=events["reach"] * factor)
    as_of = datetime(2024, 4, 1) + timedelta(days=days)  # noqa: DTZ001
    expected[["reach_total", "reach_mean"]] *= factor
    assert_frame_equal(social(action_weights=WEIGHTS, as_of=as_of).fit_transform(moved), expected, check_exact=True)


@few
@given(events=interactions(faults=False))
def test_bounds(events):
    found = social(action_weights=WEIGHTS).fit_transform(events)
    assert found["engagement"].between(0.1 - 1e-12, 3.3 + 1e-12).all()
    assert found["sentiment_mean"].between(-1, 1).all()
    np.testing.assert_allclose(found.filter(like="share_platform_").sum(axis=1), 1.0, atol=1e-12)
    assert (found["active_days"] <= found["interactions"]).all()


@ignore_dask
@pytest.mark.thorough
@pytest.mark.parametrize("kind", size(["polars", "lazy", "duckdb"], ["polars", "lazy", "duckdb", "dask"]))
def test_engines_agree(kind):
    rng = np.random.RandomState(0)
    platforms, actions = (
        np.array(["video", "forum", "photo", "blog"]),
        np.array(["read", "like", "share", "post", "sing"]),
    )
    n_rows = 3000
    minutes = rng.randint(90 * 24 * 60, size=n_rows)
    events = table(
        list(
            zip(
                rng.randint(200, size=n_rows),
                (START + timedelta(minutes=int(minute)) for minute in minutes),
                np.where(rng.rand(n_rows) < 0.1, None, platforms[rng.choice(4, size=n_rows, p=[0.5, 0.3, 0.15, 0.05])]),
                actions[rng.randint(5, size=n_rows)],
                np.where(rng.rand(n_rows) < 0.3, np.nan, np.exp(3 * rng.randn(n_rows))),
                np.where(rng.rand(n_rows) < 0.3, np.nan, rng.uniform(-1, 1, n_rows)),
                strict=True,
            )
        )
    )
    estimator = social(n_leading=2)
    expected = plain(estimator.fit_transform(events))
    report = estimator.row_report_
    found = plain(estimator.fit_transform(as_kind(events, kind)))
    assert_frame_equal(found, expected, check_exact=True, check_dtype=False, check_index_type=False)
    assert estimator.row_report_ == report


def test_the_leader_is_one_platform_not_the_pool():
    rows = [(1, "2024-01-01", name, "like", 1.0, 0.0) for name in ("main", "main", "x", "y", "z")]
    found = social(n_leading=1).fit_transform(table(rows))
    # x, y and z are more together, but main is the one used most
    assert found.loc[1, "leading_platform"] == "main"
    assert found.loc[1, "share_platform_other"] == 0.6


def test_without_optional_columns(twelve):
    found = SocialMediaFeaturizer().fit_transform(twelve)
    assert not [name for name in found.columns if name.startswith(("reach", "sentiment"))]


def test_the_middle_of_another_range(twelve):
    twelve["sentiment"] = twelve["sentiment"] * 2 + 3
    estimator = social(scale_range=(1, 5))
    assert estimator.fit_transform(twelve).loc[1, "sentiment_negative_share"] == 0.5
    assert estimator.units_["sentiment_mean"] == "points 1 to 5"


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("reach", [-1.0, -2.0], r"column 'reach' must be 0 or more, got negative numbers in 2 row\(s\)"),
        ("sentiment", [1.01, -7.0], r"column 'sentiment' must be numbers in \[-1, 1\], got others in 2 row\(s\)"),
        ("reach", [np.inf, 1.0], r"column 'reach' holds infinite values in 1 row\(s\)"),
        ("sentiment", [np.inf, np.nan], r"column 'sentiment' holds infinite values in 1 row\(s\)"),
    ],
)
@pytest.mark.parametrize("kind", ["pandas", "polars", "duckdb"])
def test_numbers_out_of_range(twelve, column, values, message, kind):
    estimator = social().fit(twelve)
    twelve.loc[[0, 3], column] = values
    for call in (social().fit, estimator.transform):
        with pytest.raises(ColumnTypeError, match=message):
            call(as_kind(twelve, kind))


def test_sentiment_as_text(twelve):
    with pytest.raises(ColumnTypeError, match="column 'sentiment' must be numbers"):
        social().fit(twelve.assign(sentiment="good"))


def test_unknown_actions_can_be_refused(twelve):
    message = r"1 row\(s\) have an action in column 'action' that has no weight.*'teleport'"
    with pytest.raises(InvalidTableError, match=message):
        social(unknown_actions="raise").fit(twelve)
    estimator = social().fit(twelve)
    with pytest.warns(DataQualityWarning, match="1 .action in 'action' has no weight: .*'teleport'"):
        estimator.transform(twelve)


def test_only_unknown_actions(twelve):
    with pytest.raises(InvalidTableError, match="no usable row left"):
        social(action_weights={"dance": 1.0}).fit(twelve)


def test_a_platform_that_is_new_is_counted(twelve):
    estimator = social(n_leading=2).fit(twelve)
    new = table([(1, "2024-03-01", "radio", "like", None, None), (1, "2024-03-01", "radio", "sing", None, None)])
    with pytest.warns(DataQualityWarning) as caught:
        found = estimator.transform(new)
    assert any(
        "1 row(s) hold levels of column 'platform' that fit did not see ('radio')" in str(w.message) for w in caught
    )
    assert found.loc[1, ["leading_platform", "share_platform_other"]].tolist() == ["other", 1.0]


@pytest.mark.parametrize("kind", ["pandas", "polars", "lazy", "duckdb"])
def test_no_rows_at_transform(twelve, kind):
    estimator = social().fit(twelve)
    found = plain(estimator.transform(as_kind(twelve.iloc[:0], kind)))
    assert found.shape == (0, len(estimator.get_feature_names_out()))


def test_rows_are_checked_before_fit(twelve):
    assert social().check_rows(twelve) == social().fit(twelve).row_report_


def test_repeated_rows_are_counted(twelve):
    estimator = social().fit(pd.concat([twelve, twelve.iloc[[0, 6]]]))
    assert touched(estimator.row_report_)["repeats another row in the columns read"] == 2


def test_units_and_contract(twelve):
    estimator = social(time_unit="W")
    found = clone(estimator).fit_transform(twelve)
    estimator.fit(twelve)
    assert list(found.columns) == list(estimator.units_) == list(estimator.get_feature_names_out())
    assert estimator.units_["activity"] == "interactions per week"
    assert found.loc[1, ["activity", "recency"]].tolist() == [5 / (10 / 7), 4 / 7]
    assert estimator.criterion == "social"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("action_weights", {}),
        ("action_weights", {"like": -1.0}),
        ("action_weights", {"like": nan}),
        ("action_weights", {"like": "much"}),
        ("action_weights", {3: 1.0}),
        ("action_weights", {"like": 1.0, " LIKE": 2.0}),
        ("unknown_actions", "keep"),
        ("advocacy_weight", -1.0),
        ("scale_range", (1.0, -1.0)),
        ("scale_range", 1.0),
        ("n_leading", 0),
        ("reach", 3),
    ],
)
def test_parameters_out_of_range(twelve, name, value):
    with pytest.raises(InvalidParameterError, match=f"parameter '{name}'"):
        social(**{name: value}).fit(twelve)

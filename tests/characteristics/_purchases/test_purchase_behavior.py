"""How customers buy: a hand-worked table, the definitions row by row, the laws, and bad input."""

from __future__ import annotations

import pickle
from datetime import timedelta
from functools import partial
from typing import Any

import dask.dataframe as dd
import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from sklearn.base import clone

from custseg._core import frames
from custseg.characteristics._purchases.purchase_behavior import PurchaseBehaviorFeaturizer
from custseg.characteristics._purchases.rfm import RFMFeaturizer
from custseg.exceptions import (
    ColumnNotFoundError,
    ColumnTypeError,
    DataQualityWarning,
    InvalidParameterError,
    InvalidTableError,
)
from tests import strategies
from tests.characteristics._purchases.behavior_oracle import brute_force
from tests.sizes import size

pytestmark = pytest.mark.sampled

FRAMES = ("pandas", "pandas alone", "polars", "lazy")
few = settings(
    max_examples=size(3, 25),
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
stamps = partial(pd.to_datetime, format="ISO8601")
full = partial(PurchaseBehaviorFeaturizer, category="category", channel="channel", discount="discount")


def as_frame(lines: pd.DataFrame, kind: str, patch: pytest.MonkeyPatch) -> Any:
    """Give the lines as one of the kinds of frame; "pandas alone" is pandas as if polars were not there."""
    patch.setattr(frames, "polars_is_at_hand", lambda: kind != "pandas alone")
    if kind.startswith("pandas"):
        return lines
    frame = pl.from_pandas(lines)
    return frame.lazy() if kind == "lazy" else frame


def to_pandas(table: Any) -> pd.DataFrame:
    if isinstance(table, pd.DataFrame):
        return table
    return table.to_pandas().set_index("customer_id")


@st.composite
def tables(draw: st.DrawFn, **options: Any) -> pd.DataFrame:
    """Purchase lines with categories, channels and discounts, each missing at times; some times are midnight."""
    lines = draw(strategies.transactions(**options))
    size = len(lines)

    def column(values: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(st.one_of(values, values, st.none()), min_size=size, max_size=size))

    return lines.assign(
        category=pd.Series(column(st.sampled_from(["tea", "jam", "salt", "rye", "other", "oil"])), dtype="str"),
        channel=pd.Series(column(st.sampled_from(["web", "shop"])), dtype="str"),
        # none is 0 < discount <= 1, also at a quarter of it: a table of nothing else would be one of rates
        discount=pd.Series(column(st.just(0.0) | st.integers(20, 160).map(lambda n: n / 4)), dtype="float64"),
        timestamp=lines["timestamp"].where(
            pd.Series(draw(st.lists(st.booleans(), min_size=size, max_size=size))), lines["timestamp"].dt.normalize()
        ),
    )


options = st.fixed_dictionaries(
    {
        "period": st.sampled_from(["h", "D", "W", "M"]),
        "time_unit": st.sampled_from(["h", "D", "W", "M", "Y"]),
        "returns": st.sampled_from(["net", "drop"]),
        "order_id": st.sampled_from([None, "order_id"]),
        "as_of": st.one_of(st.none(), strategies.timestamps(), st.just(strategies.START + timedelta(days=45))),
    }
)


def oracle(lines: pd.DataFrame, parameters: dict[str, Any], leading: dict[str, Any] | None = None) -> pd.DataFrame:
    return brute_force(
        lines, **{**parameters, "order_id": parameters["order_id"] is not None, "leading": leading or {}}
    )


@pytest.fixture
def lines():
    """Twelve lines of four customers; the tests below have worked the figures out by hand."""
    rows = [
        # customer, time, amount, category, channel, discount, order
        (1, "2024-01-01 08:00", 10.0, "tea", "web", 0.0, "a"),  # a Monday morning
        (1, "2024-01-01 19:00", 20.0, "jam", "web", 5.0, "b"),
        (1, "2024-01-05 13:00", 30.0, "tea", "shop", 0.0, "c"),  # a Friday afternoon
        (1, "2024-01-13 20:00", 40.0, "tea", "web", 20.0, "d"),  # a Saturday evening
        (1, "2024-01-16 00:30", 25.0, "salt", "web", 0.0, "e"),  # a Tuesday night
        (1, "2024-01-16 10:00", -50.0, "tea", "web", 0.0, "r"),
        (2, "2024-01-07 09:00", 8.0, "jam", "shop", None, "f"),  # a Sunday morning
        (3, "2024-01-02 00:00", 0.0, "rye", None, 0.0, "g"),
        (3, "2024-01-12 00:00", 0.0, None, None, 0.0, "h"),
        (4, "2024-01-04 17:00", 60.0, "jam", "shop", 0.0, "i"),  # a Thursday afternoon
        (4, "2024-01-10 17:00", 5.0, "jam", "shop", 0.0, "j"),  # a Wednesday afternoon, in the middle of 4 and 16
        (4, "2024-01-11 06:00", 20.0, "tea", "web", 0.0, "j"),  # a Thursday morning
    ]
    table = pd.DataFrame(
        rows, columns=["customer_id", "timestamp", "amount", "category", "channel", "discount", "order_id"]
    )
    return table.assign(timestamp=stamps(table["timestamp"]))


NAN = float("nan")
WORKED = {
    1: {
        "orders": 4,
        "lines": 5,
        "basket_spend": 75 / 4,  # 125 bought, 50 returned
        "basket_lines": 5 / 4,
        "gap_mean": 5.0,  # of 4, 8 and 3
        "gap_spread": 7**0.5,  # (1 + 9 + 4) / 2
        "spend_trend": (65 - 60) / 125,  # the middle of January 1 and 16 is 8.5
        "return_rate": 50 / 125,
        "discount_share": 25 / 150,
        "weekend_share": 1 / 4,
        "morning_share": 1 / 4,  # the first of the two lines of January 1
        "afternoon_share": 1 / 4,
        "evening_share": 1 / 4,
        "night_share": 1 / 4,
        "categories": 3.0,
        "category_concentration": 80 / 125,
        "share_category_jam": 20 / 125,
        "share_category_tea": 80 / 125,
        "share_category_other": 25 / 125,
        "channels": 2.0,
        "channel_concentration": 95 / 125,
        "share_channel_web": 95 / 125,
        "share_channel_shop": 30 / 125,
    },
    2: {
        "orders": 1,
        "lines": 1,
        "basket_spend": 8.0,
        "basket_lines": 1.0,
        "gap_mean": NAN,
        "gap_spread": NAN,
        "spend_trend": NAN,
        "return_rate": 0.0,
        "discount_share": NAN,
        "weekend_share": 1.0,
        "morning_share": 1.0,
        "afternoon_share": 0.0,
        "evening_share": 0.0,
        "night_share": 0.0,
        "categories": 1.0,
        "category_concentration": 1.0,
        "share_category_jam": 1.0,
        "share_category_tea": 0.0,
        "share_category_other": 0.0,
        "channels": 1.0,
        "channel_concentration": 1.0,
        "share_channel_web": 0.0,
        "share_channel_shop": 1.0,
    },
    3: {
        "orders": 2,
        "lines": 2,
        "basket_spend": 0.0,
        "basket_lines": 1.0,
        "gap_mean": 10.0,
        "gap_spread": NAN,
        "spend_trend": NAN,  # nothing was spent
        "return_rate": NAN,
        "discount_share": NAN,
        "weekend_share": 0.0,
        "morning_share": NAN,  # both times are midnight
        "afternoon_share": NAN,
        "evening_share": NAN,
        "night_share": NAN,
        "categories": 1.0,
        "category_concentration": NAN,
        "share_category_jam": NAN,
        "share_category_tea": NAN,
        "share_category_other": NAN,
        "channels": NAN,
        "channel_concentration": NAN,
        "share_channel_web": NAN,
        "share_channel_shop": NAN,
    },
    4: {
        "orders": 3,
        "lines": 3,
        "basket_spend": 85 / 3,
        "basket_lines": 1.0,
        "gap_mean": 3.5,
        "gap_spread": 12.5**0.5,
        "spend_trend": (20 - 60) / 85,
        "return_rate": 0.0,
        "discount_share": 0.0,
        "weekend_share": 0.0,
        "morning_share": 1 / 3,
        "afternoon_share": 2 / 3,
        "evening_share": 0.0,
        "night_share": 0.0,
        "categories": 2.0,
        "category_concentration": 65 / 85,
        "share_category_jam": 65 / 85,
        "share_category_tea": 20 / 85,
        "share_category_other": 0.0,
        "channels": 2.0,
        "channel_concentration": 65 / 85,
        "share_channel_web": 20 / 85,
        "share_channel_shop": 65 / 85,
    },
}


def worked() -> pd.DataFrame:
    table = pd.DataFrame.from_dict(WORKED, orient="index").rename_axis("customer_id")
    return table.astype({"orders": "int64", "lines": "int64"})


def touched(report):
    return {policy.policy: policy.n_rows for policy in report.policies if policy.n_rows}


@pytest.mark.parametrize("kind", FRAMES)
def test_twelve_lines_worked_by_hand(monkeypatch, lines, kind):
    featurizer = full(n_leading=2)
    found = to_pandas(featurizer.fit_transform(as_frame(lines, kind, monkeypatch)))
    assert_frame_equal(found, worked(), rtol=1e-15)
    assert featurizer.levels_ == {"category": ("jam", "tea", "other"), "channel": ("web", "shop")}
    assert touched(featurizer.row_report_) == {
        "return: negative amount in 'amount'": 1,
        "no category in 'category'": 1,
        "no channel in 'channel'": 2,
        "no discount in 'discount'": 1,
        "no time of day in 'timestamp' (exactly midnight)": 2,
    }
    assert featurizer.row_report_.n_left_out == 0
    assert list(featurizer.get_feature_names_out()) == list(worked().columns)


@pytest.mark.filterwarnings("ignore:Dask support:FutureWarning")
@pytest.mark.thorough
@pytest.mark.parametrize("engine", size(["duckdb"], ["dask", "duckdb"]))
def test_the_same_on_other_engines(lines, engine):
    lines = lines.astype({"category": "str", "channel": "str"})
    table = dd.from_pandas(lines, npartitions=2) if engine == "dask" else duckdb.from_df(lines)
    found = full(n_leading=2).fit_transform(table)
    assert_frame_equal(to_pandas(found).rename_axis("customer_id"), worked(), rtol=1e-15, check_dtype=False)


def test_orders(lines):
    found = full(order_id="order_id", n_leading=2, features=["orders", "basket_lines", "gap_mean"]).fit_transform(lines)
    # order j goes over two days: one order, three days
    assert found.loc[4].to_dict() == {"orders": 2.0, "basket_lines": 1.5, "gap_mean": 3.5}
    # two orders on one day, and a return that is none
    assert found.loc[1].to_dict() == {"orders": 5.0, "basket_lines": 1.0, "gap_mean": 5.0}


def test_weekends_within_weeks_need_orders(lines):
    by_order = full(order_id="order_id", period="W", features=["weekend_share", "night_share"])
    assert by_order.fit_transform(lines).loc[1].tolist() == [1 / 5, 1 / 5]
    assert "weekend_share" not in full(period="W").fit(lines).units_
    with pytest.raises(InvalidParameterError, match="'weekend_share' needs the parameter 'order_id', or a period"):
        full(period="M", features=["weekend_share"]).fit(lines)


@few
@given(lines=tables(faults=True), parameters=options, kind=st.sampled_from(FRAMES), n_leading=st.integers(1, 3))
def test_the_definitions_row_by_row(monkeypatch, lines, parameters, kind, n_leading):
    assume(len(oracle(lines, parameters)))
    estimator = full(**parameters, n_leading=n_leading)
    with monkeypatch.context() as patch:
        found = to_pandas(estimator.fit_transform(as_frame(lines, kind, patch)))
        report = estimator.row_report_
    expected = oracle(lines, parameters, estimator.levels_)
    assert list(found.columns) == [name for name in expected if name in found]
    assert_frame_equal(found, expected[list(found.columns)], rtol=1e-12, atol=1e-12)
    left_out = report.to_frame().loc[lambda table: table["action"].str.startswith("left out"), "n_rows"].sum()
    assert report.n_used == len(lines) - left_out


@settings(few, max_examples=size(2, 12))
@given(
    lines=tables(max_rows=25), parameters=options, cents=st.lists(st.integers(-9999, 99999), min_size=25, max_size=25)
)
def test_frame_kinds_agree_to_the_last_bit(monkeypatch, lines, parameters, cents):
    # cents are no multiples of a power of two: their float sums would depend on the order of addition
    lines = lines.assign(amount=np.array(cents[: len(lines)]) / 100, discount=lines["discount"] / 2.5)
    lines.loc[0, "amount"] = 0.1
    lines.loc[0, "timestamp"] = pd.Timestamp(strategies.START)
    results = {}
    for kind in FRAMES:
        with monkeypatch.context() as patch:
            results[kind] = to_pandas(full(**parameters).fit_transform(as_frame(lines, kind, patch)))
    for kind in FRAMES[1:]:
        assert_frame_equal(results[kind], results["pandas"], check_exact=True)
    shuffled = full(**parameters).fit_transform(lines.sample(frac=1, random_state=1)[lines.columns[::-1]])
    assert_frame_equal(shuffled, results["pandas"], check_exact=True)


@few
@given(lines=tables(min_rows=5, returns=False), parameters=options, data=st.data())
def test_a_subset_of_customers_gives_the_same_rows(lines, parameters, data):
    estimator = full(**{**parameters, "as_of": None})
    expected = estimator.fit_transform(lines)
    chosen = data.draw(st.sets(st.sampled_from(sorted(expected.index)), min_size=1))
    subset = lines[lines["customer_id"].isin(chosen)]
    parts = [name for name in expected if name in ("morning_share", "night_share")]
    timed = (subset["timestamp"] != subset["timestamp"].dt.normalize()).any()
    if parts and not timed:
        with pytest.warns(DataQualityWarning, match="has a time of day"):
            found = estimator.transform(subset)
    else:
        found = estimator.transform(subset)
    assert_frame_equal(found, expected.loc[sorted(chosen)], check_exact=True)
    assert_frame_equal(estimator.transform(lines), expected, check_exact=True)


@few
@given(lines=tables(), parameters=options)
def test_shares_lie_between_0_and_1_and_add_up(lines, parameters):
    parameters |= {"as_of": None}
    assume(len(oracle(lines, parameters)))
    found = full(**parameters, n_leading=2).fit_transform(lines)
    shares = found[[name for name in found if "_share" in name or "concentration" in name]]
    assert ((shares >= 0) & (shares <= 1) | shares.isna()).all(axis=None)
    if "spend_trend" in found:
        assert (found["spend_trend"].abs() <= 1)[found["spend_trend"].notna()].all()
    for role in ("category", "channel"):
        parts = found.filter(like=f"share_{role}_")
        # no columns where fit knew the level of no line
        total = parts.sum(axis=1, skipna=False).dropna() if len(parts.columns) else []
        np.testing.assert_allclose(total, 1.0, rtol=1e-12)
        assert (found[f"{role}_concentration"].isna() | (found[f"{role}_concentration"] > 0)).all()


@few
@given(lines=tables(returns=True), parameters=options, factor=st.sampled_from([0.25, 2.0, 1024.0]))
def test_scaling_amounts_changes_the_basket_alone(lines, parameters, factor):
    parameters |= {"as_of": None}
    assume(len(oracle(lines, parameters)))
    expected = full(**parameters).fit_transform(lines)
    scaled = lines.assign(amount=lines["amount"] * factor, discount=lines["discount"] * factor)
    found = full(**parameters).fit_transform(scaled)
    assert_frame_equal(found, expected.assign(basket_spend=expected["basket_spend"] * factor), check_exact=True)


def test_it_agrees_with_recency_frequency_monetary(lines):
    rfm = RFMFeaturizer(order_id="order_id").fit_transform(lines)
    found = PurchaseBehaviorFeaturizer(order_id="order_id").fit_transform(lines)
    assert found["orders"].tolist() == rfm["frequency"].tolist()
    assert found["basket_spend"].tolist() == rfm["monetary"].tolist()


def test_equal_gaps_have_no_spread():
    days = pd.date_range("2020-01-01", periods=200, freq="7D")
    table = pd.DataFrame({"customer_id": 1, "timestamp": days, "amount": 0.1})
    found = PurchaseBehaviorFeaturizer(features=["gap_mean", "gap_spread", "spend_trend"]).fit_transform(table)
    assert found.loc[1].tolist() == [7.0, 0.0, 0.0]


def test_the_trend_says_who_stopped_and_who_grows():
    days = ["2024-01-01", "2024-01-11", "2024-01-01", "2024-03-31", "2024-04-01"]
    table = pd.DataFrame({"customer_id": list("ssggg"), "timestamp": stamps(days), "amount": [9.0, 1.0, 1.0, 4.0, 5.0]})
    found = PurchaseBehaviorFeaturizer(features=["spend_trend"], as_of="2024-04-01").fit_transform(table)
    assert found["spend_trend"].to_dict() == {"g": 0.8, "s": -1.0}


def test_defaults_hold_what_the_table_can_tell(lines):
    plain = PurchaseBehaviorFeaturizer().fit(lines[lines["amount"] >= 0]).units_
    assert "return_rate" not in plain
    assert "discount_share" not in plain
    assert "categories" not in plain
    dates = PurchaseBehaviorFeaturizer().fit(lines.assign(timestamp=lines["timestamp"].dt.normalize()))
    assert "weekend_share" in dates.units_
    assert "morning_share" not in dates.units_
    assert touched(dates.row_report_)["no time of day in 'timestamp' (exactly midnight)"] == 11


def test_dates_have_no_part_of_the_day(lines):
    featurizer = PurchaseBehaviorFeaturizer(features=["morning_share", "night_share"])
    dates = lines.assign(timestamp=lines["timestamp"].dt.normalize())
    assert featurizer.fit_transform(dates).isna().all(axis=None)
    with pytest.warns(DataQualityWarning, match="no time in column 'timestamp' has a time of day"):
        assert featurizer.transform(dates).isna().all(axis=None)


def test_new_levels_are_counted_and_pooled(lines):
    featurizer = full(n_leading=1, features=["share_category", "share_channel", "categories"]).fit(lines)
    new = lines.assign(category=lines["category"].replace({"jam": "fig"}), channel="kiosk")
    with pytest.warns(DataQualityWarning) as caught:
        found = featurizer.transform(new)
    texts = [str(warning.message) for warning in caught]
    assert any("4 row(s) hold levels of column 'category' that fit did not see ('fig')" in text for text in texts)
    assert any("11 row(s) hold levels of column 'channel'" in text for text in texts)
    assert found.loc[2, "share_category_other"] == 1.0
    assert found.loc[1, "categories"] == 3.0
    # tea, salt and the new fig are all among the others: jam alone leads
    assert found.loc[1, ["share_category_jam", "share_category_other"]].tolist() == [0.0, 1.0]


def test_no_other_where_all_levels_lead(lines):
    featurizer = full(features=["share_channel"]).fit(lines)
    assert list(featurizer.units_) == ["share_channel_web", "share_channel_shop"]
    with pytest.warns(DataQualityWarning, match="counted in the whole, under no level"):
        found = featurizer.transform(lines.assign(channel=["fax", *lines["channel"].iloc[1:]]))
    assert found.loc[1].tolist() == [85 / 125, 30 / 125]


def test_zero_rows_at_transform(monkeypatch, lines):
    featurizer = full(n_leading=2).fit(lines)
    for kind in FRAMES:
        with monkeypatch.context() as patch:
            found = to_pandas(featurizer.transform(as_frame(lines.head(0), kind, patch)))
        assert len(found) == 0
        assert list(found.columns) == list(worked().columns)


def test_a_transaction_without_customer_is_counted(lines):
    faulty = lines.assign(customer_id=lines["customer_id"].where(lines.index != 6))
    featurizer = full().fit(faulty)
    assert touched(featurizer.row_report_)["no customer id in 'customer_id'"] == 1
    assert list(featurizer.row_report_.to_frame().columns) == ["policy", "action", "n_rows", "remedy"]


def test_all_lines_returns(lines):
    with pytest.raises(InvalidTableError, match=r"no usable row left.*only returns"):
        full().fit(lines.assign(amount=-1.0))
    with pytest.raises(InvalidTableError, match=r"1 row\(s\) have a negative amount"):
        full(returns="raise").fit(lines)
    only = lines.assign(amount=lines["amount"].where(lines["customer_id"] != 4, -1.0))
    featurizer = full()
    assert list(featurizer.fit_transform(only).index) == [1, 2, 3]
    assert touched(featurizer.row_report_)["customer without a purchase, only returns"] == 3


def test_amounts_as_text_are_one_clear_error(lines):
    text = lines.assign(amount="12,50")
    with pytest.raises(ColumnTypeError, match=r"column 'amount' must be numbers, got .*Convert it first"):
        full().fit(text)
    with pytest.raises(ColumnTypeError, match="column 'discount' must be numbers"):
        full().fit(lines.assign(discount="1,5"))


def test_negative_discounts_are_refused(lines):
    with pytest.raises(
        ColumnTypeError, match=r"'discount' must be .*negative numbers in 2 row\(s\).*Multiply it by -1"
    ):
        full().fit(lines.assign(discount=-lines["discount"]))
    # of a returned line it says nothing
    full().fit(lines.assign(discount=lines["discount"].where(lines["amount"] >= 0, -3.0)))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"features": ["order"]}, "unknown feature 'order'.*Did you mean 'orders'"),
        ({"features": ["channels"]}, "feature 'channels' needs the parameter 'channel'"),
        ({"features": ["discount_share"]}, "feature 'discount_share' needs the parameter 'discount'"),
        ({"features": ["return_rate"], "returns": "drop"}, "feature 'return_rate' needs returns='net'"),
        ({"features": []}, "parameter 'features' must be"),
        ({"n_leading": 0}, "parameter 'n_leading' must be an integer >= 1"),
        ({"period": "Q"}, "parameter 'period' must be"),
        ({"customer_id": "orders"}, "'customer_id' must be a column that is not named like a feature"),
        ({"category": "amount"}, "'category' must be another column than 'amount'|'amount'"),
    ],
)
def test_parameters_out_of_range(lines, parameters, message):
    with pytest.raises(InvalidParameterError, match=message):
        PurchaseBehaviorFeaturizer(**parameters).fit(lines.assign(orders=lines["customer_id"]))


def test_a_missing_column_is_named(lines):
    with pytest.raises(ColumnNotFoundError, match=r"column 'kanal' not found.*Did you mean 'channel'|column 'kanal'"):
        PurchaseBehaviorFeaturizer(channel="kanal").fit(lines)


def test_the_estimator_contract(lines):
    featurizer = full(n_leading=2)
    expected = featurizer.fit(lines).transform(lines)
    before = pickle.dumps(featurizer)
    assert_frame_equal(pickle.loads(before).transform(lines), expected)  # noqa: S301 - our own bytes
    assert_frame_equal(clone(featurizer).fit_transform(lines), expected)
    assert pickle.dumps(featurizer) == before
    assert not hasattr(clone(featurizer), "levels_")
    assert set(featurizer.units_) == set(expected.columns)
    assert featurizer.units_["gap_mean"] == "days"
    assert featurizer.units_["share_channel_web"] == "share"
    assert full().check_rows(lines) == full().fit(lines).row_report_
    polars = featurizer.set_output(transform="polars").transform(lines)
    assert isinstance(polars, pl.DataFrame)
    assert polars.columns == ["customer_id", *expected.columns]


def test_levels_that_are_numbers_or_categories(lines):
    coded = lines.assign(
        channel=lines["channel"].map({"web": 1, "shop": 2}), category=lines["category"].astype("category")
    )
    featurizer = full(n_leading=1, features=["share_channel", "share_category"])
    found = featurizer.fit_transform(coded)
    assert featurizer.levels_["category"] == ("jam", "other")
    assert featurizer.levels_["channel"][0] in ("1", "1.0")
    assert found.iloc[:, 0].dropna().tolist() == worked()["share_channel_web"].dropna().tolist()


@pytest.mark.parametrize("text_ids", [False, True])
def test_text_ids_and_many_levels(lines, text_ids):
    many = pd.concat([lines] * 60, ignore_index=True)
    many["category"] = [f"c{position % 599}" for position in range(len(many))]
    if text_ids:
        many["customer_id"] = many["customer_id"].astype("str")
    featurizer = full(features=["categories", "share_category"], n_leading=1)
    found = featurizer.fit_transform(many)
    # more levels than are remembered: a new one cannot be told from a rare one
    again = featurizer.transform(many.assign(category=many["category"].replace({"c598": "new"})))
    assert_frame_equal(again, found)
    own = many[(many["amount"] >= 0)].groupby("customer_id")["category"].nunique()
    assert found["categories"].tolist() == own.tolist()


@pytest.mark.parametrize("rates", [[0.2, 0.0, 1.0], [0.5, None, 0.25], [1.0, 0.0, 0.0], [True, False, True]])
def test_a_rate_of_discount_is_asked_about(rates):
    lines = pd.DataFrame({"customer_id": [1, 1, 2], "timestamp": ["2024-01-01", "2024-01-02", "2024-01-03"]})
    lines = lines.assign(amount=[80.0, 20.0, 45.0], off=pd.Series(rates, dtype="float64"))
    featurizer = PurchaseBehaviorFeaturizer(discount="off", features=["discount_share"])
    with pytest.raises(ColumnTypeError, match=r"'off' must be money .*numbers from 0 to .* up to 80.*rate.*cents"):
        featurizer.fit(lines)
    share = featurizer.fit(lines.assign(off=[20.0, 0.0, 1.0])).transform(lines)["discount_share"]
    # later lines are read as fit read them
    assert (share.fillna(0.0) >= 0).all()
    assert featurizer.fit(lines.assign(off=0.0)).transform(lines.assign(off=0.0))["discount_share"].tolist() == [0, 0]

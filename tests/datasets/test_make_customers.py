import dataclasses

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal, assert_series_equal
from scipy.stats import chi2_contingency, kendalltau

from custseg.datasets import make_customers
from custseg.exceptions import InvalidParameterError
from tests.sizes import size

LINEAR = {"age": (45, 6), "online_hours": (20, 3), "commute_minutes": (35, 5)}
LOGNORMAL = {"income": 40_000, "leisure_spend": 150, "store_distance": 4}
NOMINAL = ["household", "occupation", "store_format", "region"]
LIKERT = ["price_matters", "quality_matters", "packaging_matters"]
NOISE = {"commute_minutes", "store_distance", "region", "packaging_matters"}


@pytest.fixture(scope="module")
def sample():
    return make_customers(5_000, separation=1.0, random_state=0)


@pytest.fixture(scope="module")
def alike():
    """One segment: how far segments lie apart means nothing."""
    return make_customers(40_000, n_segments=1, separation=3.0, random_state=3)


@pytest.fixture(scope="module")
def structureless():
    return make_customers(5_000, separation=0.0, random_state=0)


def latents(profile):
    """Undo the scales of the numeric columns."""
    linear = {name: (profile[name] - centre) / step for name, (centre, step) in LINEAR.items()}
    lognormal = {name: np.log(profile[name] / median) / 0.6 for name, median in LOGNORMAL.items()}
    return pd.DataFrame(linear | lognormal)


def eta_squared(values, labels):
    values = pd.Series(np.asarray(values, dtype=float))
    means = values.groupby(np.asarray(labels)).transform("mean")
    return means.var(ddof=0) / values.var(ddof=0)


def behaviour(sample):
    """One number per customer for each thing that customers do."""
    bought = sample.transactions[sample.transactions["amount"] > 0]
    by_customer = bought.groupby("customer_id")
    numbers = {
        "log_orders": np.log(by_customer["order_id"].nunique()),
        "log_amount": np.log(by_customer["amount"].mean()),
        "food": (bought["category"] == "food").groupby(bought["customer_id"]).mean(),
        "store": (bought["channel"] == "store").groupby(bought["customer_id"]).mean(),
        "events": np.log1p(sample.events.groupby("customer_id").size()),
        "email": (sample.events["channel"] == "email").groupby(sample.events["customer_id"]).mean(),
    }
    return pd.DataFrame(numbers).reindex(sample.segment.index)


@pytest.mark.thorough
def test_latent_moments_are_the_stated_ones():
    for separation in size((1.5,), (0.6, 1.5)):
        sample = make_customers(40_000, separation=separation, random_state=1)
        by_segment = latents(sample.profile).groupby(sample.segment.to_numpy())
        spread = by_segment.mean().std(ddof=1)
        structured = [name for name in spread.index if name not in NOISE]
        assert spread[structured].to_numpy() == pytest.approx(separation, abs=0.03)
        assert spread[["commute_minutes", "store_distance"]].to_numpy() == pytest.approx(0, abs=0.03)
        assert by_segment.std().to_numpy() == pytest.approx(1, abs=0.05)


def test_shares_are_the_stated_ones():
    default = make_customers(1_000, random_state=0).segment.value_counts()
    assert default.to_dict() == {0: 320, 1: 250, 2: 200, 3: 130, 4: 100}
    given = make_customers(10, n_segments=3, shares=[0.2, 0.5, 0.3], random_state=0).segment.value_counts()
    assert given.to_dict() == {1: 5, 2: 3, 0: 2}


@pytest.mark.parametrize("n_segments", [2, 3, 4, 8, 12])
def test_other_numbers_of_segments_fall_from_three_to_one(n_segments):
    counts = make_customers(4_000, n_segments=n_segments, random_state=0).segment.value_counts(sort=False).sort_index()
    assert list(counts.index) == list(range(n_segments))
    assert (np.diff(counts) < 0).all()
    assert counts.iloc[0] / counts.iloc[-1] == pytest.approx(3, rel=0.01)


def test_every_segment_has_a_customer_however_few_there_are():
    assert set(make_customers(5, random_state=0).segment) == {0, 1, 2, 3, 4}
    assert len(make_customers(1, n_segments=1, random_state=0).profile) == 1
    assert len(make_customers(4, n_segments=2, shares=[0.999, 0.001]).segment.unique()) == 2


def test_structured_columns_differ_between_segments_and_the_others_do_not(sample):
    assert set(sample.structured_columns) == {*LINEAR, *LOGNORMAL, *NOMINAL, *LIKERT} - NOISE
    for name in [*LINEAR, *LOGNORMAL, *LIKERT]:
        values = sample.profile[name]
        explained = eta_squared(np.log(values) if name in LOGNORMAL else values, sample.segment)
        assert (explained > 0.15) == (name in sample.structured_columns), name
    for name in NOMINAL:
        p = chi2_contingency(pd.crosstab(sample.profile[name].to_numpy(), sample.segment.to_numpy())).pvalue
        assert (p < 1e-6) == (name in sample.structured_columns), name


def test_what_customers_do_differs_between_segments(sample):
    numbers = behaviour(sample)
    explained = {name: eta_squared(numbers[name].fillna(0), sample.segment) for name in numbers}
    assert min(explained.values()) > 0.05, explained
    responded = sample.campaign.groupby(["arm", sample.segment.to_numpy()])["responded"].mean()
    assert np.ptp(responded["treatment"] - responded["control"]) > 0.05


def test_at_separation_0_no_table_knows_the_segments(structureless):
    customers = structureless.profile.set_index("customer_id").drop(columns=NOMINAL)
    survey = structureless.survey.set_index("customer_id")
    numbers = pd.concat([customers, survey, behaviour(structureless)], axis=1)
    # under independence (k - 1) / (n - 1) is expected: .0008
    explained = {name: eta_squared(numbers[name].fillna(0), structureless.segment) for name in numbers}
    assert max(explained.values()) < 0.005, explained
    for name in NOMINAL:
        table = pd.crosstab(structureless.profile[name].to_numpy(), structureless.segment.to_numpy())
        assert chi2_contingency(table).pvalue > 0.001
    campaign = structureless.campaign
    groups = pd.crosstab([structureless.segment.to_numpy(), campaign["arm"].to_numpy()], campaign["responded"].array)
    for arm in ("treatment", "control"):
        assert chi2_contingency(groups.xs(arm, level=1)).pvalue > 0.001


def test_one_segment_is_no_structure(alike):
    numbers = latents(alike.profile)
    assert numbers.std().to_numpy() == pytest.approx(1, abs=0.03)


def test_columns_and_types(sample):
    assert {name: list(table.columns) for name, table in sample.tables.items()} == {
        "transactions": ["customer_id", "order_id", "timestamp", "amount", "category", "channel"],
        "profile": ["customer_id", *LINEAR, *LOGNORMAL, *NOMINAL, *LIKERT],
        "survey": ["customer_id", *[f"{scale}_{n}" for scale in ("price", "quality", "novelty") for n in range(1, 5)]],
        "events": ["customer_id", "timestamp", "stage", "channel"],
        "campaign": ["customer_id", "arm", "timestamp", "responded"],
    }
    for table in sample.tables.values():
        assert table["customer_id"].dtype == "int64"
        assert not table.isna().any(axis=None)
        if "timestamp" in table:
            assert set(table["timestamp"].dt.year) == {2024}
    assert (sample.profile[LIKERT].dtypes == "int64").all()
    assert sample.campaign["responded"].dtype == bool


def test_customers_are_the_same_in_every_table(sample):
    ids = set(sample.segment.index)
    assert ids == set(range(1, 5_001))
    for name in ("profile", "survey", "campaign"):
        assert list(sample.tables[name]["customer_id"]) == list(sample.segment.index)
    assert set(sample.events["customer_id"]) <= ids
    assert set(sample.transactions.loc[sample.transactions["amount"] > 0, "customer_id"]) == ids


def test_an_order_has_one_customer_time_channel_and_sign(sample):
    orders = sample.transactions.assign(sold=sample.transactions["amount"] > 0).groupby("order_id")
    assert (orders[["customer_id", "timestamp", "channel", "sold"]].nunique().max() == 1).all()
    assert sample.transactions["timestamp"].is_monotonic_increasing
    assert (sample.transactions["amount"] != 0).all()


def test_what_is_returned_was_bought_before_at_the_same_amount(sample):
    lines = sample.transactions
    returned = lines[lines["amount"] < 0].assign(amount=lambda table: -table["amount"])
    assert 0.02 < len(returned) / len(lines) < 0.03
    pairs = returned.merge(lines, on=["customer_id", "amount", "category", "channel"], suffixes=("", "_bought"))
    waited = (pairs["timestamp"] - pairs["timestamp_bought"]).dt.days
    assert set(pairs.loc[waited.between(1, 21), "order_id"]) == set(returned["order_id"])


def test_counts_of_orders_are_poisson_given_at_least_one(alike):
    # without structure the log-rate is N(log 8, .6²), so P(N = 1) and E[N] follow by quadrature
    bought = alike.transactions[alike.transactions["amount"] > 0]
    n_orders = bought.groupby("customer_id")["order_id"].nunique()
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    rates, weights = 8 * np.exp(0.6 * nodes), weights / weights.sum()
    positive = 1 - np.exp(-rates)
    assert n_orders.mean() == pytest.approx(weights @ (rates / positive), rel=0.02)
    assert (n_orders == 1).mean() == pytest.approx(weights @ (rates * np.exp(-rates) / positive), abs=0.003)


def test_every_online_order_ends_a_session_and_other_sessions_break_off(sample):
    bought = sample.transactions[(sample.transactions["amount"] > 0) & (sample.transactions["channel"] != "store")]
    orders = bought.drop_duplicates("order_id")[["customer_id", "timestamp"]]
    purchases = sample.events.loc[sample.events["stage"] == "purchase", ["customer_id", "timestamp"]]
    assert sorted(map(tuple, orders.to_numpy())) == sorted(map(tuple, purchases.to_numpy()))
    counts = sample.events["stage"].value_counts()
    assert counts["visit"] > counts["product view"] > counts["basket"] > counts["purchase"] == len(orders)


def test_survey_items_of_a_scale_agree_once_reverse_keyed_ones_are_turned(sample):
    assert {item for items in sample.scales.values() for item in items if item.startswith("-")} == {
        "-price_2",
        "-quality_2",
        "-quality_4",
        "-novelty_3",
    }
    assert set(np.unique(sample.survey.iloc[:, 1:])) == {1, 2, 3, 4, 5}
    for items in sample.scales.values():
        turned = pd.DataFrame(
            {item: 6 - sample.survey[item[1:]] if item.startswith("-") else sample.survey[item] for item in items}
        )
        assert turned.corr().to_numpy().min() > 0.5


def test_the_arms_are_drawn_at_random_and_treatment_helps(sample):
    campaign = sample.campaign.merge(sample.profile, on="customer_id")
    treated = campaign["arm"] == "treatment"
    assert treated.sum() == 2_500
    assert kendalltau(treated, campaign["age"]).pvalue > 0.001
    responded = campaign.groupby("arm")["responded"].mean()
    assert responded["treatment"] - responded["control"] > 0.03


def test_missing_cells_are_a_share_of_profile_and_survey_and_never_ids():
    sample = make_customers(2_000, missing_share=0.2, random_state=0)
    for table in (sample.profile, sample.survey):
        assert table["customer_id"].notna().all()
        shares = table.drop(columns="customer_id").isna().mean()
        assert shares.to_numpy() == pytest.approx(0.2, abs=0.04)
        assert set(table["customer_id"]) == set(sample.segment.index)
    full = make_customers(2_000, random_state=0)
    known = sample.profile["income"].notna()
    assert_series_equal(sample.profile.loc[known, "income"], full.profile.loc[known, "income"])
    assert_frame_equal(sample.transactions, full.transactions)
    assert make_customers(50, missing_share=0.0, random_state=0).profile.notna().all(axis=None)


def test_the_same_seed_gives_the_same_tables_and_another_seed_others():
    first, again, other = (make_customers(100, missing_share=0.1, random_state=seed) for seed in (7, 7, 8))
    for name, table in first.tables.items():
        assert_frame_equal(table, again.tables[name])
        assert not table.equals(other.tables[name]), name
    assert_series_equal(first.segment, again.segment)


def test_the_sample_is_frozen_and_keeps_the_truth_out_of_its_tables(sample):
    with pytest.raises(dataclasses.FrozenInstanceError):
        sample.profile = None
    assert not any("segment" in table for table in sample.tables.values())


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_customers": 0}, "'n_customers' must be an integer >= 1, got 0"),
        ({"n_customers": 2.5}, "'n_customers' must be an integer"),
        ({"n_customers": 4}, "'n_customers' must be at least n_segments=5.*got 4"),
        ({"n_segments": 0}, "'n_segments' must be an integer >= 1"),
        ({"separation": -1}, "'separation' must be a number"),
        ({"separation": np.nan}, "'separation' must be a number"),
        ({"missing_share": 1.0}, r"'missing_share' must be a number in \[0, 1\), got 1.0"),
        ({"shares": "half"}, "'shares' must be None or a sequence"),
        ({"shares": [0.5, 0.5]}, "'shares' must be 5 positive numbers that sum to 1"),
        ({"n_segments": 2, "shares": [0.5, 0.6]}, "'shares' must be 2 positive numbers"),
        ({"n_segments": 2, "shares": [1.0, 0.0]}, "'shares' must be 2 positive numbers"),
        ({"random_state": "lucky"}, "'random_state' must be"),
    ],
)
def test_bad_parameters_are_refused_by_name(parameters, message):
    with pytest.raises(InvalidParameterError, match=message):
        make_customers(**parameters)

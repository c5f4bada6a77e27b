"""Equal spend gives equal means: how often a customer bought leaves no trace in their last digits."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custseg.characteristics import (
    PurchaseBehaviorFeaturizer,
    RFMFeaturizer,
    SocialMediaFeaturizer,
    split_transactions,
)
from tests.engines import ENGINES, comparable
from tests.sizes import size

pytestmark = pytest.mark.sampled

DAYS = 60


def lines_of(*amounts: list[float]) -> pd.DataFrame:
    """One customer for each list, who buys once a day."""
    rows = [(customer, day, amount) for customer, own in enumerate(amounts) for day, amount in enumerate(own)]
    table = pd.DataFrame(rows, columns=["customer_id", "day", "amount"])
    return table.assign(timestamp=pd.Timestamp("2024-01-01") + pd.to_timedelta(table.pop("day"), "D"))


# Spark has a session of its own, see tests/common/test_spark.py.
@pytest.mark.thorough
@pytest.mark.parametrize(
    "engine", size(["pandas", "polars lazy", "duckdb", "csv"], [engine for engine in ENGINES if engine != "spark"])
)
@pytest.mark.parametrize("returned", [False, True])
def test_one_price_has_one_mean_on_every_engine(engine, returned):
    table = lines_of(*([9.99] * n for n in range(1, DAYS + 1)))
    if returned:
        large = table.assign(amount=1234.57)
        table = pd.concat([table, large, large.assign(amount=-1234.57)], ignore_index=True)
    source = ENGINES[engine](table)
    assert set(comparable(RFMFeaturizer().fit_transform(source))["monetary"]) == {9.99}
    repeat = comparable(RFMFeaturizer(monetary_as="mean_repeat").fit_transform(source))["monetary"]
    assert repeat.isna().sum() == 1
    assert set(repeat.dropna()) == {9.99}
    baskets = PurchaseBehaviorFeaturizer(features=("basket_spend",)).fit_transform(source)
    assert set(comparable(baskets)["basket_spend"]) == {9.99}


@pytest.mark.parametrize("order_id", [None, "order_id"])
@settings(max_examples=size(5, 100))
@given(
    cents=st.lists(st.integers(1, 10**9), min_size=1, max_size=6),
    n_decimals=st.integers(0, 4),
    copies=st.lists(st.integers(1, 40), min_size=2, max_size=4),
)
def test_decimal_amounts_in_any_number_have_the_mean_that_is_written(order_id, cents, n_decimals, copies):
    unit = 10**n_decimals
    amounts = [cent / unit for cent in cents]
    mean = sum(cents) / (len(cents) * unit)
    table = lines_of(*(amounts * n for n in copies)).assign(order_id=lambda lines: np.arange(len(lines)))
    found = RFMFeaturizer(order_id=order_id).fit_transform(table)["monetary"]
    assert set(found) == {mean}


@settings(max_examples=size(5, 100))
@given(amount=st.floats(1e-300, 1e290), copies=st.lists(st.integers(1, 60), min_size=2, max_size=4))
def test_an_amount_that_comes_several_times_is_its_own_mean(amount, copies):
    found = RFMFeaturizer().fit_transform(lines_of(*([amount] * n for n in copies)))["monetary"]
    np.testing.assert_allclose(found, amount, rtol=1e-15, atol=0)
    assert len(set(found)) == 1


@settings(max_examples=size(5, 100))
@given(
    quantity=st.integers(1, 500),
    price=st.integers(1, 99_999).map(lambda cents: cents / 100),
    copies=st.lists(st.integers(1, 40), min_size=1, max_size=4),
)
def test_a_price_times_a_quantity_is_what_it_costs_at_once(quantity, price, copies):
    whole = round(quantity * price, 2)
    found = RFMFeaturizer().fit_transform(lines_of([whole], *([quantity * price] * n for n in copies)))["monetary"]
    assert set(found) == {whole}


def test_one_sentiment_and_one_reach_have_one_mean():
    table = lines_of(*([0.1] * n for n in range(1, DAYS + 1))).rename(columns={"amount": "sentiment"})
    table = table.assign(platform="x", action="post", reach=33.3)
    featurizer = SocialMediaFeaturizer(
        timestamp="timestamp", platform="platform", action="action", sentiment="sentiment", reach="reach"
    )
    found = featurizer.fit_transform(table)
    assert set(found["sentiment_mean"]) == set(found["sentiment_advocacy"]) == {0.1}
    assert set(found["reach_mean"]) == {33.3}


def test_both_parts_of_a_split_have_the_mean_of_one_price():
    split = split_transactions(lines_of(*([9.99] * n for n in range(10, DAYS + 1))), at="2024-01-10")
    customers = split.to_frame()
    assert set(customers["monetary"]) == {9.99}
    assert set(customers["holdout_monetary"].dropna()) <= {0.0, 9.99}

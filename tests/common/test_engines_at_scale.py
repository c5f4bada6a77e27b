"""All engines against polars at 600,000 rows in at least two partitions: some bugs of engines do not show in less."""

from __future__ import annotations

import warnings
from functools import cache

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from sklearn.base import clone

from custseg import RFMFeaturizer
from tests.engines import ENGINES, comparable

N_LINES = 600_000
ALL = ("recency", "frequency", "monetary", "tenure")

# another table estimator is checked at this size by a row here
AT_SCALE = {
    "RFM": RFMFeaturizer(features=ALL),
    "RFM by order": RFMFeaturizer(features=ALL, order_id="order_id", monetary="mean_repeat", returns="net"),
}


@cache
def purchase_lines():
    random = np.random.default_rng(0)
    order = np.sort(random.integers(0, N_LINES // 3, N_LINES))
    day = random.integers(0, 700, N_LINES // 3)[order]
    amount = np.round(random.lognormal(2.5, 1.0, N_LINES), 2)
    return pd.DataFrame(
        {
            "customer_id": random.integers(0, 40_000, N_LINES // 3)[order],
            "order_id": order,
            "timestamp": pd.Timestamp("2023-01-01") + pd.to_timedelta(day * 86_400 + order % 86_400, unit="s"),
            "amount": np.where(random.random(N_LINES) < 0.03, -amount, amount),
        }
    ).sample(frac=1.0, random_state=0, ignore_index=True)


@cache
def expected(name):
    return comparable(clone(AT_SCALE[name]).fit_transform(ENGINES["polars"](purchase_lines())))


@cache
def made(engine):
    return ENGINES[engine](purchase_lines())


def check_at_scale(name, engine):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        found = clone(AT_SCALE[name]).fit_transform(made(engine))
    assert_frame_equal(comparable(found), expected(name), check_exact=True)


def test_the_table_is_large_and_has_returns():
    lines = purchase_lines()
    assert len(lines) >= 500_000
    assert (lines["amount"] < 0).any()
    assert made("dask").npartitions == 2
    assert len(expected("RFM")) > 30_000


# Spark is checked in test_spark.py
@pytest.mark.parametrize("name", AT_SCALE)
@pytest.mark.parametrize(
    "engine", ["pandas", "polars lazy", "pyarrow", "duckdb", "ibis", "dask", "parquet folder", "csv"]
)
def test_every_engine_gives_what_polars_gives(name, engine):
    check_at_scale(name, engine)

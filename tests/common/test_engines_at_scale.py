"""All engines against polars at 600,000 rows in at least two partitions: some bugs of engines do not show in less.

Nor is a frame with more rows than there are customers made from what is lazy, in a database, distributed or in files.
Vocabularies are no exception: they are shorter than any list of customers here.

Slow, so it runs by itself: ``python -m pytest -m slow``.
"""

from __future__ import annotations

import warnings
from functools import cache

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from sklearn.base import clone

from custseg import (
    CampaignResponseFeaturizer,
    DemographicEncoder,
    GeographicEncoder,
    MultiSelectEncoder,
    PreferenceEncoder,
    PsychographicEncoder,
    PurchaseBehaviorFeaturizer,
    PurchasePathFeaturizer,
    RFMFeaturizer,
    SocialMediaFeaturizer,
)
from custseg._core.frames import collect
from custseg.segmentation._base.segmenter import Segmenter
from tests.common.cases import CASES
from tests.common.discovery import estimator_classes
from tests.engines import ENGINES, LAZY, comparable, compiling, spark_session
from tests.watching import check_rows, watch

pytestmark = pytest.mark.slow

N_ROWS = 600_000
N_CUSTOMERS = 60_000
ALL = ("recency", "frequency", "monetary", "tenure")
START = pd.Timestamp("2023-01-01")


def shuffled(columns):
    return pd.DataFrame(columns).sample(frac=1.0, random_state=0, ignore_index=True)


def choices(random, names, size=N_ROWS):
    """Levels of falling frequency, some of them missing."""
    codes = (random.random(size) ** 2 * len(names)).astype(np.int64)
    return pd.Series(np.array(names, dtype=object)[codes], dtype="str").where(random.random(size) > 0.01)


def times(random, size=N_ROWS):
    return START + pd.to_timedelta(random.integers(0, 700 * 86_400, size), unit="s")


def purchase_lines():
    random = np.random.default_rng(0)
    order = np.sort(random.integers(0, N_ROWS // 3, N_ROWS))
    amount = np.round(random.lognormal(2.5, 1.0, N_ROWS), 2)
    return shuffled(
        {
            "customer_id": random.integers(0, N_CUSTOMERS, N_ROWS // 3)[order],
            "order_id": order,
            "timestamp": times(random, N_ROWS // 3)[order],
            "amount": np.where(random.random(N_ROWS) < 0.03, -amount, amount),
            "discount": np.round(amount * random.choice([0.0, 0.1, np.nan], N_ROWS), 2),
            "category": choices(random, ["food", "drink", "home", "toys", "books", "garden", "pets"]),
            "channel": choices(random, ["shop", "web", "app"]),
        }
    )


def events():
    random = np.random.default_rng(1)
    return shuffled(
        {
            "customer_id": random.integers(0, N_CUSTOMERS, N_ROWS),
            "timestamp": times(random),
            "stage": choices(random, ["visit", "product view", "basket", "purchase"]),
            "channel": choices(random, ["search", "email", "social", "direct"]),
        }
    )


def interactions():
    random = np.random.default_rng(2)
    return shuffled(
        {
            "customer_id": random.integers(0, N_CUSTOMERS, N_ROWS),
            "timestamp": times(random),
            "platform": choices(random, ["video", "forum", "photo", "blog", "chat", "wiki"]),
            "action": choices(random, ["read", "like", "comment", "share", "post"]),
            "reach": np.round(random.lognormal(3.0, 2.0, N_ROWS)),
            "sentiment": np.round(random.uniform(-1, 1, N_ROWS), 3),
        }
    )


def contacts():
    random = np.random.default_rng(3)
    responded = random.random(N_ROWS) < 0.2
    sent = times(random)
    return shuffled(
        {
            "customer_id": random.integers(0, N_CUSTOMERS, N_ROWS),
            "timestamp": sent,
            "campaign": random.integers(0, 500, N_ROWS),
            "type": choices(random, ["A", "B", "C", "D"]),
            "responded": responded,
            "answered": (sent + pd.to_timedelta(random.integers(0, 30, N_ROWS), unit="D")).where(responded),
            "coupons": np.where(responded, random.integers(0, 4, N_ROWS), 0),
        }
    )


def profiles():
    random = np.random.default_rng(4)
    ids = random.permutation(N_ROWS)
    values = ["comfort > price > safety", "price > safety", "safety > comfort", "price"]
    latent = 3 + random.normal(size=N_ROWS)
    answers = {f"q{item}": (latent + random.normal(size=N_ROWS)).round().clip(1, 5) for item in (1, 3, 4)}
    answers["q2"] = 6 - answers["q1"]
    return pd.DataFrame(
        {
            "customer_id": ids,
            "age": choices(random, ["25-34", "35-44", "45-54", "65+", "19-24", "unknown"]),
            "income": np.round(random.lognormal(10.0, 0.5, N_ROWS)),
            "town": choices(random, [f"town {number}" for number in range(300)]),
            "country": choices(random, ["DE", "AT", "CH"]),
            "latitude": np.round(random.uniform(-90, 90, N_ROWS), 4),
            "longitude": np.round(random.uniform(-180, 180, N_ROWS), 4),
            "image": choices(random, ["yummy;cheap", "cheap", "greasy;yummy", "healthy"]),
            "values": choices(random, values),
            **answers,
        }
    )


SCALES = {"first": ["q1", "-q2"], "second": ["q3", "q4"]}

# Every table estimator stands here at least once; the last test of this file sees to it.
AT_SCALE = {
    "RFM": (RFMFeaturizer(features=ALL), purchase_lines),
    "RFM by order": (
        RFMFeaturizer(features=ALL, order_id="order_id", monetary_as="mean_repeat", returns="net"),
        purchase_lines,
    ),
    "behaviour": (
        PurchaseBehaviorFeaturizer(category="category", channel="channel", discount="discount"),
        purchase_lines,
    ),
    "behaviour by order": (PurchaseBehaviorFeaturizer(order_id="order_id", category="category"), purchase_lines),
    "paths": (PurchasePathFeaturizer(channel="channel"), events),
    "social media": (SocialMediaFeaturizer(reach="reach", sentiment="sentiment"), interactions),
    "campaigns": (
        CampaignResponseFeaturizer(
            campaign="campaign", campaign_type="type", response_time="answered", coupons="coupons"
        ),
        contacts,
    ),
    "demographics": (DemographicEncoder(columns=["age", "income", "town"], min_customers=2500), profiles),
    "geography": (
        GeographicEncoder(
            sites={"A": (48.0, 11.0), "B": (-33.0, 151.0)}, density_radius=None, regions=["country", "town"]
        ),
        profiles,
    ),
    "image": (MultiSelectEncoder("image"), profiles),
    "values": (PreferenceEncoder(ranking="values"), profiles),
    "survey": (PsychographicEncoder(SCALES, scale_range=(1, 5)), profiles),
}


@cache
def table(make):
    return make()


@cache
def n_customers(make):
    return table(make)["customer_id"].nunique()


@cache
def expected(name):
    estimator, make = AT_SCALE[name]
    return comparable(clone(estimator).fit_transform(ENGINES["polars"](table(make))))


@cache
def made(engine, make):
    return ENGINES[engine](table(make))


class Collector(RFMFeaturizer):
    """Reads the lines into Python, which no estimator may do."""

    def _learn(self, records):
        collect(records.frame.select("customer"))


def check_collector(engine):
    _, seen = described(Collector(), made(engine, purchase_lines))
    with pytest.raises(AssertionError, match=str(N_ROWS)):
        check_rows(seen, n_customers(purchase_lines))


def check_at_scale(name, engine):
    estimator, make = AT_SCALE[name]
    found, seen = described(estimator, made(engine, make))
    assert_frame_equal(comparable(found), expected(name), check_exact=True)
    if engine in LAZY:
        check_rows(seen, n_customers(make))


def described(estimator, native):
    """What an estimator says of a table, and what came into Python for that."""
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patching:
        warnings.simplefilter("ignore", FutureWarning)
        seen = watch(patching)
        found = clone(estimator).fit_transform(native)
    return found, seen


def test_the_tables_are_large_and_have_what_engines_stumble_over():
    lines = table(purchase_lines)
    assert (lines["amount"] < 0).any()
    assert lines["category"].isna().any()
    for _, make in AT_SCALE.values():
        assert len(table(make)) >= 500_000
    assert made("dask", purchase_lines).npartitions == 2
    assert 30_000 < n_customers(purchase_lines) <= N_CUSTOMERS < N_ROWS / 5


def test_every_table_estimator_is_there():
    tested = {type(estimator).__name__ for estimator, _ in AT_SCALE.values()}
    after_tables = {
        "CharacteristicEmbedder",
        "CharacteristicUnion",
        "PersonaDescriber",
        "RFMScorer",
        "SegmentRules",
        "SegmentTyping",
        "SegmentationStudy",
    }
    after_tables |= {name for name, found in estimator_classes().items() if issubclass(found, Segmenter)}
    assert tested == set(estimator_classes()) - after_tables
    assert tested <= set(CASES)


@pytest.mark.parametrize("name", AT_SCALE)
@pytest.mark.parametrize("engine", ["pandas", "polars lazy", "pyarrow", "duckdb", "ibis", "dask", "parquet folder"])
def test_every_engine_gives_what_polars_gives(name, engine):
    check_at_scale(name, engine)


@pytest.mark.parametrize("name", ["RFM", "behaviour", "demographics"])
def test_a_csv_file_gives_what_polars_gives(name):
    check_at_scale(name, "csv")


@pytest.mark.parametrize("engine", ["polars lazy", "duckdb", "ibis", "dask", "parquet folder", "csv"])
def test_an_estimator_that_collects_the_lines_is_caught(engine):
    check_collector(engine)


# Spark makes its pandas tables with a keyword that pandas 3.1 deprecates
@pytest.mark.filterwarnings("ignore:The copy keyword is deprecated:DeprecationWarning")
def test_spark_gives_what_polars_gives(subtests):
    session = spark_session()
    with subtests.test("an estimator that collects the lines is caught"), compiling(session):
        check_collector("spark")
    for name in AT_SCALE:
        with subtests.test(name), compiling(session):
            check_at_scale(name, "spark")

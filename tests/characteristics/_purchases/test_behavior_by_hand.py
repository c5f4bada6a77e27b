"""What the benchmark computes by hand, in pandas and in polars, is what the featurizer computes."""

from __future__ import annotations

import importlib

import pandas as pd
import pytest

from custseg import PurchaseBehaviorFeaturizer
from tests.engines import ENGINES


@pytest.fixture(scope="module")
def lines():
    pytest.importorskip("polars")
    table = importlib.import_module("benchmarks._lines").purchase_lines(12_000, 2_000)
    # times without a time of day, a customer of them alone, and a level as frequent as another
    table["timestamp"] = table["timestamp"].where(table.index % 9 > 0, table["timestamp"].dt.floor("D"))
    table["timestamp"] = table["timestamp"].where(table["customer_id"] % 50 > 0, table["timestamp"].dt.floor("D"))
    bought = table[table["amount"] >= 0]
    fifth, sixth = bought["category"].value_counts().iloc[4:6]
    table = table.drop(bought.index[bought["category"] == bought["category"].value_counts().index[4]][: fifth - sixth])
    return table.reset_index(drop=True)


@pytest.mark.parametrize("way", ["pandas", "polars"])
def test_by_hand_is_the_same(lines, way):
    by_hand = importlib.import_module("benchmarks._behavior_by_hand")
    benchmark = importlib.import_module("benchmarks.characteristics")
    featurizer = PurchaseBehaviorFeaturizer(category="category", channel="channel", discount="discount")
    expected = featurizer.fit_transform(lines)
    found = getattr(by_hand, f"on_{way}")(ENGINES[way](lines))
    benchmark.check_close({"custseg": expected, way: benchmark.by_customer(found)})
    assert len(expected.columns) == 27


def test_the_table_has_what_the_definitions_speak_of(lines):
    counts = lines.loc[lines["amount"] >= 0, "category"].value_counts()
    assert counts.iloc[4] == counts.iloc[5]
    returned = lines["amount"] < 0
    assert set(lines["customer_id"][returned]) - set(lines["customer_id"][~returned])
    found = PurchaseBehaviorFeaturizer(category="category").fit_transform(lines)
    assert found[["gap_mean", "gap_spread", "spend_trend", "night_share"]].isna().any().all()


@pytest.mark.parametrize("column", ["orders", "spend_trend", "share_channel_web"])
def test_another_result_is_refused(lines, column):
    benchmark = importlib.import_module("benchmarks.characteristics")
    found = PurchaseBehaviorFeaturizer(channel="channel").fit_transform(lines)
    wrong = found.assign(**{column: found[column].mask(found.index == found.index[7], found[column] + 1e-3)})
    with pytest.raises(AssertionError, match="by hand"):
        benchmark.check_close({"custseg": found.astype("float64"), "by hand": pd.DataFrame(wrong)})

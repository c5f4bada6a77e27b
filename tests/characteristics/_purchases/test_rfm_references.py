"""RFM on published data: CDNOW with its published summary, and the counts of Online Retail."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from pandas.testing import assert_frame_equal

from custseg._core import frames
from custseg.characteristics._purchases.rfm import RFMFeaturizer
from tests.characteristics._purchases.rfm_oracle import FEATURES
from tests.conftest import shared_data
from tests.sizes import size


def counts(report):
    return {
        policy.policy.split(" ")[0] + " " + policy.policy.split(" ")[1]: policy.n_rows for policy in report.policies
    }


@pytest.mark.parametrize("dates", ["text", "timestamps"])
def test_cdnow_sample_reproduces_the_published_summary(dates):
    folder = shared_data("cdnow")
    lines = pd.read_csv(folder / "cdnow_sample.csv", parse_dates=["date"] if dates == "timestamps" else False)
    published = pd.read_csv(folder / "cdnow_customers_summary.csv", index_col="ID")
    assert len(lines) == 6919
    featurizer = RFMFeaturizer(
        customer_id="sample_id",
        timestamp="date",
        amount="value",
        as_of="1997-09-30",
        time_unit="W",
        features=("frequency", "recency", "tenure"),
    )
    found = featurizer.fit_transform(lines)
    assert len(found) == 2357
    assert found.index.equals(published.index.rename("sample_id"))
    x, t_x, age = found["frequency"] - 1, found["tenure"] - found["recency"], found["tenure"]
    assert (x == published["frequency"]).all()
    difference = max((t_x - published["recency"]).abs().max(), (age - published["T"]).abs().max())
    # the published numbers have two decimals
    assert difference == pytest.approx(0.0043, abs=5e-5)
    later = (pd.to_datetime(lines["date"]) > "1997-09-30").sum()
    assert featurizer.row_report_.n_left_out == later


def test_cdnow_master_duplicates_are_kept_and_counted():
    lines = pd.read_csv(shared_data("cdnow") / "cdnow_master.csv")
    featurizer = RFMFeaturizer(timestamp="date", amount="value", monetary_as="total")
    found = featurizer.fit_transform(lines)
    assert len(found) == 23570
    assert found["monetary"].sum() == pytest.approx(2500315.63, abs=1e-6)
    repeated = lines.duplicated(["customer_id", "date", "value"]).sum()
    assert counts(featurizer.row_report_)["repeats another"] == repeated
    assert featurizer.row_report_.n_left_out == 0


@pytest.fixture(scope="module")
def online_retail():
    pytest.importorskip("pyarrow", reason="Online Retail is stored as Parquet")
    path = shared_data("online_retail") / "online_retail.parquet"
    lines = pd.read_parquet(path, columns=["InvoiceNo", "CustomerID", "InvoiceDate", "Quantity", "UnitPrice"])
    return lines.assign(amount=lines["Quantity"] * lines["UnitPrice"])


@pytest.mark.parametrize("kind", ["pandas", "polars"])
def test_online_retail_counts(online_retail, kind):
    assert len(online_retail) == 541_909
    cancelled = online_retail["InvoiceNo"].str.startswith("C")
    assert cancelled.sum() == 9_288
    featurizer = RFMFeaturizer(customer_id="CustomerID", timestamp="InvoiceDate", order_id="InvoiceNo")
    table = online_retail if kind == "pandas" else pl.from_pandas(online_retail)
    found = featurizer.fit_transform(table)
    report = counts(featurizer.row_report_)
    assert report["no customer"] == 135_080
    with_id = online_retail.dropna(subset="CustomerID")
    assert with_id["CustomerID"].nunique() == 4_372
    bought = with_id[with_id["amount"] >= 0]
    idle = with_id[~with_id["CustomerID"].isin(bought["CustomerID"])]
    assert len(found) == bought["CustomerID"].nunique() == 4_372 - idle["CustomerID"].nunique()
    assert report["customer without"] == len(idle)
    assert report["return: negative"] == (with_id["amount"] < 0).sum() - len(idle)
    # a negative amount of a known customer is a cancellation, nothing else
    assert (with_id["amount"] < 0).sum() == cancelled[with_id.index].sum()
    orders = bought.groupby("CustomerID")["InvoiceNo"].nunique()
    np.testing.assert_array_equal(found["frequency"].to_numpy(), orders.to_numpy())
    if kind == "pandas":
        assert found.index.dtype == "int64"


def generated(n_rows: int) -> pd.DataFrame:
    random = np.random.RandomState(0)
    seconds = np.datetime64("2021-11-05", "s") + random.randint(0, 900 * 86_400, n_rows).astype("timedelta64[s]")
    amounts = np.round(random.lognormal(2, 1, n_rows), 2) * np.where(random.rand(n_rows) < 0.1, -1, 1)
    amounts[random.rand(n_rows) < 0.01] = np.nan
    return pd.DataFrame(
        {
            "customer_id": random.randint(1, 40_000, n_rows),
            "timestamp": seconds.astype("datetime64[us]"),
            "amount": amounts,
            "order_id": random.randint(0, n_rows // 4, n_rows),
        }
    )


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("monetary", "order_id"),
    size(
        [("mean", None), ("mean_repeat", "order_id")],
        [(monetary, order_id) for monetary in ("mean", "mean_repeat") for order_id in (None, "order_id")],
    ),
)
def test_frame_kinds_agree_at_600_000_rows(monkeypatch, monetary, order_id):
    lines = generated(600_000)
    featurizer = RFMFeaturizer(features=FEATURES, order_id=order_id, monetary_as=monetary)
    found = featurizer.fit_transform(pl.from_pandas(lines).lazy())
    report = featurizer.row_report_
    expected = found.to_pandas().set_index("customer_id")
    assert_frame_equal(featurizer.fit_transform(lines), expected, check_exact=True)
    assert featurizer.row_report_ == report
    monkeypatch.setattr(frames, "polars_is_at_hand", lambda: False)
    assert_frame_equal(featurizer.fit_transform(lines), expected, check_exact=True)
    assert featurizer.row_report_ == report


def test_pandas_by_hand_agrees_at_600_000_rows():
    lines = generated(600_000)
    found = RFMFeaturizer(features=FEATURES, returns="drop").fit_transform(lines)
    kept = lines[lines["amount"] >= 0]
    by_hand = kept.assign(day=kept["timestamp"].dt.floor("D")).groupby("customer_id")
    end = kept["timestamp"].max().floor("D")
    days = by_hand["day"].agg(["min", "max", "nunique"])
    expected = pd.DataFrame(
        {
            "recency": (end - days["max"]) / pd.Timedelta(days=1),
            "frequency": days["nunique"],
            "monetary": by_hand["amount"].sum() / days["nunique"],
            "tenure": (end - days["min"]) / pd.Timedelta(days=1),
        }
    )
    assert_frame_equal(found, expected, rtol=1e-13)

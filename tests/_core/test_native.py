"""Tables of dask, without the plans of narwhals for them."""

from __future__ import annotations

import warnings

import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest

from custseg import (
    CampaignResponseFeaturizer,
    CharacteristicUnion,
    DemographicEncoder,
    PurchaseBehaviorFeaturizer,
    PurchasePathFeaturizer,
    RFMFeaturizer,
    SegmentClusterer,
    SocialMediaFeaturizer,
    assign_segments,
    split_transactions,
)
from custseg._core import native
from custseg._core.native import from_native

N_ROWS = 24
EVENTS = pd.DataFrame(
    {
        "customer_id": np.arange(N_ROWS) // 2,
        "timestamp": pd.date_range("2024-01-01", periods=N_ROWS),
        "amount": np.arange(1.0, N_ROWS + 1),
        "stage": "visit",
        "action": "like",
        "platform": "a",
        "channel": ["web", "shop"] * (N_ROWS // 2),
        "responded": True,
    }
)
CUSTOMERS = EVENTS.drop_duplicates("customer_id")[["customer_id", "amount"]]


def clusterer():
    return SegmentClusterer(2, customer_id="customer_id", random_state=0)


READERS = {
    "rfm": lambda events, _: RFMFeaturizer().fit_transform(events),
    "purchases": lambda events, _: PurchaseBehaviorFeaturizer(channel="channel").fit_transform(events),
    "path": lambda events, _: PurchasePathFeaturizer(channel="channel").fit_transform(events),
    "social": lambda events, _: SocialMediaFeaturizer().fit_transform(events),
    "campaigns": lambda events, _: CampaignResponseFeaturizer().fit_transform(events),
    "union": lambda events, _: CharacteristicUnion([("rfm", RFMFeaturizer(), "events")]).fit_transform(
        {"events": events}
    ),
    "split": lambda events, _: split_transactions(events, at="2024-01-12"),
    "profiles": lambda _, customers: DemographicEncoder().fit_transform(customers),
    "clusterer": lambda _, customers: clusterer().fit(customers).predict(customers),
    "assign": lambda _, customers: assign_segments(clusterer().fit(CUSTOMERS), customers),
}


# what stands for the others in every run; the rest plan for seconds
QUICK = ("profiles", "rfm")


@pytest.mark.parametrize(
    "reader", [pytest.param(reader, marks=[] if reader in QUICK else [pytest.mark.slow]) for reader in sorted(READERS)]
)
def test_dask_is_read_without_a_word_on_its_future(reader):
    events, customers = (dd.from_pandas(table, npartitions=2) for table in (EVENTS, CUSTOMERS))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        READERS[reader](events, customers)
    assert [str(each.message) for each in caught if issubclass(each.category, FutureWarning)] == []


def test_every_other_warning_comes_through_and_the_filters_stay(monkeypatch):
    table = dd.from_pandas(CUSTOMERS, npartitions=2)

    def warning(*_, **__):
        warnings.warn("Dask support is moving out of Narwhals and elsewhere", FutureWarning, stacklevel=1)
        warnings.warn("something else", FutureWarning, stacklevel=1)

    monkeypatch.setattr(native.nw, "from_native", warning)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        before = list(warnings.filters)
        with pytest.raises(FutureWarning, match="something else"):
            from_native(table)
        assert list(warnings.filters) == before

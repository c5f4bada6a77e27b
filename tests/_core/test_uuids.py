"""UUIDs name customers and orders, whatever keeps them."""

from __future__ import annotations

import uuid

import duckdb
import ibis
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from custseg import CharacteristicUnion, DemographicEncoder, RFMFeaturizer, Segmentation
from custseg.exceptions import CustomerIdError
from tests.engines import comparable

IDS = [uuid.UUID(int=number) for number in (5, 3, 2**100)]
TEXTS = list(map(str, IDS))


def in_duckdb():
    connection = duckdb.connect()
    connection.execute("CREATE TABLE t (customer_id UUID, age BIGINT)")
    connection.executemany("INSERT INTO t VALUES (?, ?)", list(zip(TEXTS, [1, 2, 3], strict=True)))
    return connection


def in_parquet(folder):
    file = folder / "t.parquet"
    in_duckdb().execute(f"COPY t TO '{file}'")
    return file


def in_arrow():
    return pa.table({"customer_id": pa.array([each.bytes for each in IDS], pa.uuid()), "age": [1, 2, 3]})


KEPT = {
    "pandas": lambda _: pd.DataFrame({"customer_id": IDS, "age": [1, 2, 3]}),
    "pandas index": lambda _: pd.DataFrame({"age": [1, 2, 3]}, index=pd.Index(IDS, name="customer_id")),
    "pandas of arrow": lambda _: pd.DataFrame(
        {"customer_id": pd.array(in_arrow()["customer_id"], dtype=pd.ArrowDtype(pa.uuid())), "age": [1, 2, 3]}
    ),
    "polars": lambda _: pl.DataFrame({"customer_id": IDS, "age": [1, 2, 3]}),
    "pyarrow": lambda _: in_arrow(),
    "duckdb": lambda _: in_duckdb().table("t"),
    "ibis": lambda _: ibis.duckdb.from_connection(in_duckdb()).table("t"),
    "parquet": in_parquet,
}


@pytest.mark.parametrize("kept", sorted(KEPT))
def test_uuids_are_ids_as_text(kept, tmp_path):
    found = comparable(DemographicEncoder().fit_transform(KEPT[kept](tmp_path)))
    assert found["customer_id"].tolist() == sorted(TEXTS)
    assert found["age"].tolist() == [2.0, 1.0, 3.0]


@pytest.mark.parametrize("kept", sorted(KEPT))
def test_they_meet_the_text_of_another_table(kept, tmp_path):
    homes = pd.DataFrame({"customer_id": TEXTS[:2], "rooms": [4, 7]})
    union = CharacteristicUnion([("home", DemographicEncoder(), "homes"), ("who", DemographicEncoder(), "people")])
    found = comparable(union.fit_transform({"homes": homes, "people": KEPT[kept](tmp_path)}))
    assert found["who__age"].tolist() == [2.0, 1.0]


def test_missing_ones_and_mixtures():
    lines = pd.DataFrame({"customer_id": [*IDS, None, IDS[0]], "order_id": [*IDS, None, IDS[0]], "amount": 1.0})
    lines["timestamp"] = "2024-03-08"
    found = RFMFeaturizer(order_id="order_id").fit(lines)
    assert found.row_report_.to_frame()["n_rows"].max() == 1
    assert found.transform(lines[:3])["frequency"].tolist() == [1, 1, 1]
    with pytest.raises(CustomerIdError, match=r"mixed type \(UUID, str\)"):
        DemographicEncoder().fit(pd.DataFrame({"customer_id": [IDS[0], "a"], "age": [1, 2]}))


def test_labels_are_aligned_by_them():
    table = pd.DataFrame({"customer_id": IDS, "age": [1, 2, 3]})
    for ids in (IDS, TEXTS):
        labels = pd.Series([0, 1, 1], index=pd.Index(ids[::-1], name="customer_id"))
        found = Segmentation.of(table, labels, customer_id="customer_id")
        np.testing.assert_array_equal(found.labels, [1, 1, 0])

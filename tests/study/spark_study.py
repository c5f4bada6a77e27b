"""A whole study of Spark tables, run with all that needs its session (tests/common/test_spark.py)."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pandas.testing import assert_frame_equal, assert_series_equal

from custseg import (
    CharacteristicUnion,
    DemographicEncoder,
    PurchaseBehaviorFeaturizer,
    RFMFeaturizer,
    SegmentationBrief,
    SegmentationStudy,
    SegmentClusterer,
    write_segments,
)
from custseg.datasets import make_customers
from tests.engines import ENGINES, spark_session
from tests.watching import check_rows

N_CUSTOMERS = 2_000


def fitted(tables: Any) -> SegmentationStudy:
    behaviour = RFMFeaturizer(features=("recency", "frequency", "monetary", "tenure"))
    shopping = PurchaseBehaviorFeaturizer(features=("gap_mean", "weekend_share"))
    members = [
        ("behaviour", behaviour, "transactions"),
        ("shopping", shopping, "transactions"),
        ("who", DemographicEncoder(), "profile"),
    ]
    return SegmentationStudy(
        SegmentationBrief("retention", n_segments=4),
        characteristics=CharacteristicUnion(members),
        clusterer=SegmentClusterer(random_state=0),
        n_pairs=3,
    ).fit(tables)


def check_study(subtests: Any, seen: Any, n_customers: int = N_CUSTOMERS) -> None:
    """The labels are those of the single machine; of the lines none leaves Spark."""
    made = make_customers(n_customers, separation=1.2, missing_share=0.02, random_state=1).tables
    tables = {name: made[name] for name in ("transactions", "profile")}
    expected = fitted(tables)
    native = {name: ENGINES["spark"](table) for name, table in tables.items()}
    seen.clear()
    study = fitted(native)
    with subtests.test("of the lines none leaves Spark"):
        assert len(tables["transactions"]) > 5 * n_customers
        check_rows(seen, n_customers)
    with subtests.test("labels and evidence are those of the single machine"):
        np.testing.assert_array_equal(study.labels_, expected.labels_)
        assert_frame_equal(study.evidence_.to_frame(), expected.evidence_.to_frame())
    with subtests.test("later tables are labelled alike"):
        assert_series_equal(study.predict(native), expected.predict(tables))
    with subtests.test("the workers label and write what Spark holds"), tempfile.TemporaryDirectory() as folder:
        customers = spark_session().createDataFrame(study.customers_.reset_index())
        place = Path(folder) / "segments"
        written = write_segments(study.clusterer_, customers, place)
        assert written.n_customers == n_customers
        labels = pd.read_parquet(place).set_index("customer_id")["segment"]
        np.testing.assert_array_equal(labels[expected.customers_.index], expected.labels_)

"""Studies of Spark tables, run with all that needs its session (tests/common/test_spark.py)."""

from __future__ import annotations

import tempfile
import warnings
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
from custseg.exceptions import DataQualityWarning
from tests.engines import ENGINES, compiling, spark_session
from tests.watching import check_rows

N_STUDIED, N_CUSTOMERS = 1_000, 100_000


def tables_of(n_customers: int) -> dict[str, pd.DataFrame]:
    made = make_customers(n_customers, separation=1.2, missing_share=0.02, random_state=1).tables
    return {name: made[name] for name in ("transactions", "profile")}


def on_spark(tables: dict[str, pd.DataFrame]) -> dict[str, Any]:
    return {name: ENGINES["spark"](table) for name, table in tables.items()}


def characteristics() -> CharacteristicUnion:
    behaviour = RFMFeaturizer(features=("recency", "frequency", "monetary", "tenure"))
    shopping = PurchaseBehaviorFeaturizer(features=("gap_mean", "weekend_share"))
    return CharacteristicUnion(
        [
            ("behaviour", behaviour, "transactions"),
            ("shopping", shopping, "transactions"),
            ("who", DemographicEncoder(), "profile"),
        ]
    )


def studied(tables: Any) -> SegmentationStudy:
    study = SegmentationStudy(
        SegmentationBrief("retention", n_segments=4),
        characteristics=characteristics(),
        clusterer=SegmentClusterer(random_state=0),
        n_pairs=3,
    )
    with warnings.catch_warnings():
        # what else there is to say of these customers
        warnings.simplefilter("ignore", DataQualityWarning)
        return study.fit(tables)


def check_study(subtests: Any, seen: Any) -> None:
    """A whole study says of Spark tables what it says of the same in memory."""
    tables = tables_of(N_STUDIED)
    expected = studied(tables)
    native = on_spark(tables)
    seen.clear()
    study = studied(native)
    with subtests.test("of the lines none leaves Spark"):
        assert len(tables["transactions"]) > 5 * N_STUDIED
        check_rows(seen, N_STUDIED)
    with subtests.test("labels and evidence are those of the single machine"):
        np.testing.assert_array_equal(study.labels_, expected.labels_)
        assert_frame_equal(study.evidence_.to_frame(), expected.evidence_.to_frame())
    with subtests.test("later tables are labelled alike"):
        assert_series_equal(study.predict(native), expected.predict(tables))
    _check_written(subtests, study.clusterer_, study.customers_, expected.labels_)


def check_many(subtests: Any, seen: Any) -> None:
    """100,000 customers are described by Spark, segmented, and written by its workers."""
    tables = tables_of(N_CUSTOMERS)
    expected = characteristics().fit_transform(tables)
    native = on_spark(tables)
    seen.clear()
    with compiling(spark_session()):
        found = characteristics().fit_transform(native)
    with subtests.test("of many lines none leaves Spark"):
        check_rows(seen, N_CUSTOMERS)
    with subtests.test("100,000 customers are described to the last digit as by the single machine"):
        assert_frame_equal(found, expected, check_exact=True)
    labels = SegmentClusterer(n_segments=4, random_state=0).fit_predict(expected)
    fitted = SegmentClusterer(n_segments=4, random_state=0).fit(found)
    _check_written(subtests, fitted, found, labels)


def _check_written(subtests: Any, clusterer: Any, customers: pd.DataFrame, expected: Any) -> None:
    with subtests.test("the workers write these labels"), tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "segments"
        written = write_segments(clusterer, spark_session().createDataFrame(customers.reset_index()), place)
        assert written.n_customers == len(customers)
        labels = pd.read_parquet(place).set_index("customer_id")["segment"]
        np.testing.assert_array_equal(labels[customers.index], expected)

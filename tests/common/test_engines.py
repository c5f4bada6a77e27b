"""Every table estimator gives the same on every engine, and leaves the rows where they are."""

from __future__ import annotations

import narwhals.stable.v2 as nw
import pytest
from pandas.testing import assert_frame_equal

from custseg import CharacteristicUnion, DemographicEncoder, RFMFeaturizer, SegmentClusterer
from custseg.characteristics._records.featurizer import RecordFeaturizer
from tests.common.cases import PROFILE, TABLES
from tests.common.engine_checks import ALL, FEW, TABLE_CASES, check_engine
from tests.engines import ENGINES, LAZY, comparable, from_duckdb, plain
from tests.sizes import size
from tests.watching import watch

pytestmark = pytest.mark.sampled

# Spark is checked in test_spark.py
HERE = [name for name in ENGINES if name not in ("pandas", "spark")]
PAIRS = [(name, engine) for name in TABLE_CASES for engine in HERE]
# One engine that has its rows in memory, one in a database and one in partitions. The last plans for seconds, so it
# sees one estimator of each template: tables in time, profiles, surveys.
IN_PARTITIONS = {"RFMFeaturizer", "DemographicEncoder", "PsychographicEncoder"}
FEW_PAIRS = [
    (name, engine)
    for name, engine in PAIRS
    if engine in ("polars", "duckdb") or (engine == "dask" and name in IN_PARTITIONS)
]


def test_every_table_estimator_is_checked():
    assert {"RFMFeaturizer", "DemographicEncoder", "PurchaseBehaviorFeaturizer"} <= set(TABLE_CASES)
    in_time = {name for name, case in TABLE_CASES.items() if isinstance(case.estimator, RecordFeaturizer)}
    assert 5 < len(in_time) < len(TABLE_CASES)
    assert len(HERE) == 9
    assert {engine for _, engine in FEW_PAIRS} == {"polars", "duckdb", "dask"}


@pytest.mark.thorough
@pytest.mark.parametrize(("name", "engine"), size(FEW_PAIRS, PAIRS))
def test_every_engine_gives_what_pandas_gives_and_keeps_its_rows(name, engine, monkeypatch):
    # dask, which plans for seconds, sees the clean tables at their size in test_engines_at_scale.py
    clean = size(engine == "polars", engine != "dask")
    check_engine(name, engine, watch(monkeypatch) if engine in LAZY else None, clean=clean)


@pytest.mark.parametrize("engine", ["polars lazy", "duckdb", "ibis", "dask"])
def test_rows_that_leave_an_engine_are_noticed(engine, monkeypatch):
    native = ENGINES[engine](plain(FEW))
    seen = watch(monkeypatch)
    nw.from_native(native).collect()
    assert max(n_rows for _, n_rows in seen) == len(FEW)


BERLIN = FEW.assign(
    timestamp=FEW["timestamp"].dt.tz_localize("Europe/Berlin", nonexistent="shift_forward", ambiguous=False)
)


@pytest.mark.thorough
@pytest.mark.parametrize(
    "engine", size(["polars", "pyarrow", "duckdb in Berlin"], ["polars", "pyarrow", "dask", "duckdb in Berlin"])
)
def test_a_day_is_that_of_the_zone_of_the_column_or_connection(engine):
    native = from_duckdb(BERLIN, zone="Europe/Berlin") if engine == "duckdb in Berlin" else ENGINES[engine](BERLIN)
    expected = RFMFeaturizer(features=ALL).fit(BERLIN)
    found = RFMFeaturizer(features=ALL).fit(native)
    assert found.as_of_ == expected.as_of_
    assert_frame_equal(comparable(found.transform(native)), comparable(expected.transform(BERLIN)))


@pytest.mark.thorough
@pytest.mark.parametrize("engine", size(["duckdb", "csv"], ["duckdb", "parquet", "csv"]))
def test_a_union_takes_tables_of_any_kind(engine):
    members = [("behaviour", RFMFeaturizer(), "transactions"), ("who", DemographicEncoder(), "profile")]
    union = CharacteristicUnion(members)
    expected = union.fit_transform(TABLES)
    found = union.fit_transform({name: ENGINES[engine](plain(table)) for name, table in TABLES.items()})
    assert_frame_equal(comparable(found), comparable(expected))


@pytest.mark.parametrize("engine", ["polars lazy", "duckdb", "parquet", "csv"])
def test_the_clusterer_takes_customers_of_any_kind(engine):
    clusterer = SegmentClusterer(n_segments=3, n_init=2, random_state=0)
    expected = clusterer.fit(plain(PROFILE)).labels_
    assert (clusterer.fit(ENGINES[engine](plain(PROFILE))).labels_ == expected).all()

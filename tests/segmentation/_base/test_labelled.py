"""The table that goes out of a segmenter: of which kind, and with every customer's own segment."""

from __future__ import annotations

import pytest
from pandas.testing import assert_frame_equal
from sklearn.base import clone

from custseg._core.frames import output_kind
from custseg.segmentation._base.segmenter import Segmenter
from tests.common.cases import CASES
from tests.engines import ENGINES, comparable, plain
from tests.engines import output_kind as expected_kind
from tests.sizes import size

# fewer kinds in the README's command
pytestmark = [pytest.mark.sampled, pytest.mark.thorough]

SEGMENTERS = {name: case for name, case in CASES.items() if isinstance(case.estimator, Segmenter)}
# Spark is checked in tests/common/test_spark.py
KINDS = size(["pandas", "polars lazy", "duckdb", "parquet"], [name for name in ENGINES if name != "spark"])


def library(table):
    return type(table).__module__.partition(".")[0]


def by_id(table):
    # a folder of files has no order of its own
    return comparable(table).sort_values("customer_id", ignore_index=True)


def test_every_segmenter_is_here():
    assert len(SEGMENTERS) == 5


@pytest.fixture(scope="module")
def fitted():
    """Every segmenter, fitted on a table that any engine can hold."""
    return {name: clone(case.estimator).fit(plain(case.data)) for name, case in SEGMENTERS.items()}


@pytest.mark.thorough
@pytest.mark.parametrize("engine", KINDS)
@pytest.mark.parametrize("name", SEGMENTERS)
def test_the_kind_that_goes_out_follows_the_kind_that_came_in(name, engine, fitted):
    table = plain(SEGMENTERS[name].data)
    given = ENGINES[engine](table)
    found = fitted[name].transform(given)
    assert library(found) == output_kind(given) == expected_kind(engine)
    assert_frame_equal(by_id(found), by_id(fitted[name].transform(table)))


@pytest.mark.thorough
@pytest.mark.parametrize("asked", ["pandas", "polars"])
@pytest.mark.parametrize(
    "engine",
    size(["polars lazy", "duckdb", "parquet"], ["polars lazy", "pyarrow", "duckdb", "ibis", "dask", "parquet"]),
)
def test_set_output_overrides_it(engine, asked, fitted):
    segmenter = clone(fitted["RuleSegmenter"]).set_output(transform=asked)
    table = plain(SEGMENTERS["RuleSegmenter"].data)
    found = segmenter.fit(table).transform(ENGINES[engine](table))
    assert library(found) == asked
    assert_frame_equal(by_id(found), by_id(fitted["RuleSegmenter"].transform(table)))


def test_a_pandas_table_keeps_its_missing_bools_where_an_engine_had_them(fitted):
    table = plain(SEGMENTERS["RuleSegmenter"].data).assign(member=[True, None] * 45)
    table["member"] = table["member"].astype("boolean")
    segmenter = clone(fitted["RuleSegmenter"]).fit(table)
    assert segmenter.transform(ENGINES["ibis"](table))["member"].dtype == "boolean"

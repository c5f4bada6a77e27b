"""All that needs a Spark session, in one test: two of them would start two sessions in two workers of pytest-xdist.

Slow, so it runs by itself: ``python -m pytest -n0 -m slow tests/common/test_spark.py``.
"""

from __future__ import annotations

import warnings

import narwhals.stable.v2 as nw
import pytest
from pandas.testing import assert_frame_equal

from custseg import RFMFeaturizer
from tests.common.engine_checks import ALL, FEW, TABLE_CASES, check_engine
from tests.common.test_engines import BERLIN
from tests.engines import ENGINES, comparable, spark_session
from tests.segmentation._scoring.spark_assign import check_assign
from tests.study.spark_study import check_many, check_study
from tests.watching import check_rows, watch

WAYS = {
    **{name: lambda lines, name=name: getattr(lines, name)() for name in ("collect", "toArrow", "toPandas")},
    "take": lambda lines: lines.take(len(FEW)),
    "tail": lambda lines: lines.tail(len(FEW)),
    "row by row": lambda lines: list(lines.toLocalIterator()),
    "rdd": lambda lines: lines.rdd.collect(),
    "rdd, row by row": lambda lines: list(lines.toJSON().toLocalIterator()),
    "narwhals": lambda lines: nw.from_native(lines).collect(),
}


@pytest.mark.slow
def test_spark_gives_what_pandas_gives_and_keeps_its_rows(subtests, monkeypatch):
    session = spark_session()
    check_assign(subtests)
    seen = watch(monkeypatch)
    check_study(subtests, seen)
    check_many(subtests, seen)
    for name in TABLE_CASES:
        with subtests.test(name):
            check_engine(name, "spark", seen)
    with subtests.test("a day is that of the session's zone"):
        _check_zone(session)
    native = ENGINES["spark"](FEW)
    for way, collecting in WAYS.items():
        with subtests.test(f"rows that leave are noticed: {way}"):
            seen.clear()
            with warnings.catch_warnings():
                # pandas and Spark announce changes
                warnings.simplefilter("ignore")
                collecting(native)
            with pytest.raises(AssertionError, match=str(len(FEW))):
                check_rows(seen, len(FEW) - 1)


def _check_zone(session):
    berlin = session.newSession()
    berlin.conf.set("spark.sql.session.timeZone", "Europe/Berlin")
    berlin.conf.set("spark.sql.timestampType", "TIMESTAMP_LTZ")
    native = berlin.read.parquet(ENGINES["parquet folder"](BERLIN))
    expected = RFMFeaturizer(features=ALL).fit(BERLIN)
    found = RFMFeaturizer(features=ALL).fit(native)
    assert found.as_of_ == expected.as_of_
    assert_frame_equal(comparable(found.transform(native)), comparable(expected.transform(BERLIN)))

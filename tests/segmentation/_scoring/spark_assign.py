"""Assigning and writing segments on Spark, run with all that needs its session (tests/common/test_spark.py)."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from custseg import SegmentClusterer
from custseg.exceptions import ColumnNotFoundError, InvalidTableError, OutputPathError, UnseenCategoryWarning
from custseg.segmentation._scoring.assign import assign_segments
from custseg.segmentation._scoring.write import write_segments
from tests.engines import ENGINES

N_CUSTOMERS = 100_000


def _customers():
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "customer_id": rng.permutation(N_CUSTOMERS),
            "spend": np.where(rng.random(N_CUSTOMERS) < 0.1, np.nan, rng.lognormal(3, 1, N_CUSTOMERS)),
            "visits": rng.poisson(3, N_CUSTOMERS),
            "member": rng.random(N_CUSTOMERS) < 0.4,
            # a category that the sample of the fit does not have, in both partitions
            "region": np.where(
                np.arange(N_CUSTOMERS) % 10_000 == 9_999, "moon", rng.choice(["north", "south"], N_CUSTOMERS)
            ),
        }
    )


def fitted_on(table, **options):
    return SegmentClusterer(n_segments=4, n_init=3, random_state=0, **options).fit(table)


def check_assign(subtests):
    """100,000 customers get the labels of the single machine, and are written whole or not at all."""
    table = _customers()
    fitted = fitted_on(table.head(5_000))
    native = ENGINES["spark"](table)
    with pytest.warns(UnseenCategoryWarning):
        expected = fitted.predict(table)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "segments"
        with subtests.test("what is written has the labels of the single machine"):
            with pytest.warns(UnseenCategoryWarning, match=r"10 value\(s\) of 'region' \('moon'\)"):
                report = write_segments(fitted, native, place)
            written = pd.read_parquet(place).set_index("customer_id")["segment"]
            np.testing.assert_array_equal(written.loc[table["customer_id"]], expected)
            assert report.segment_sizes == dict(enumerate(np.bincount(expected).tolist()))
        with subtests.test("what is there is refused, and replaced on request"):
            with pytest.raises(OutputPathError, match="overwrite=True"):
                write_segments(fitted, native, place)
            few = native.filter(native["region"] == "north").limit(30)
            assert write_segments(fitted, few, place, overwrite=True).n_customers == 30
            assert len(pd.read_parquet(place)) == 30
        with subtests.test("its own source is never written over"):
            rows = len(pd.read_parquet(place))
            scored = native.sparkSession.read.parquet(str(place)).join(native, "customer_id").drop("segment")
            for target in (place, place / "inside", Path(folder)):
                with pytest.raises(OutputPathError, match="read from there"):
                    write_segments(fitted, scored, target, overwrite=True)
            assert len(pd.read_parquet(place)) == rows
        with subtests.test("names with dots and quotes"):
            odd = {"customer_id": "the.id", "spend": "net.spend", "visits": "vis`its"}
            renamed = fitted_on(table.head(5_000).rename(columns=odd), customer_id="the.id")
            odd_native = native.limit(50).withColumnsRenamed(odd)
            odd_place = Path(folder) / "odd"
            write_segments(renamed, odd_native, odd_place)
            found = pd.read_parquet(odd_place).set_index("the.id")["segment"]
            shutil.rmtree(odd_place)
            np.testing.assert_array_equal(found, pd.Series(expected, table["customer_id"]).loc[found.index])
        with subtests.test("nothing is left behind"):
            with pytest.raises(InvalidTableError, match="0 sample"):
                write_segments(fitted, native.limit(0), Path(folder) / "none")
            assert [place.name for place in Path(folder).iterdir()] == ["segments"]
        with subtests.test("without a path nothing is computed"):
            lazy = assign_segments(fitted, native)
            assert lazy.columns == ["customer_id", "segment"]
            assert type(lazy) is type(native)
        with subtests.test("a missing column is named at once"), pytest.raises(ColumnNotFoundError, match="'visits'"):
            assign_segments(fitted, native.drop("visits"))

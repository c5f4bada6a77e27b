"""Times as files and databases write them: basic ISO 8601, numbers of eight digits, UTC offsets of hours alone."""

from __future__ import annotations

from functools import cache

import pandas as pd
import pytest

from custseg import RFMFeaturizer
from custseg.exceptions import ColumnTypeError, DataQualityWarning
from tests.engines import ENGINES, comparable
from tests.sizes import size

pytestmark = [pytest.mark.sampled, pytest.mark.thorough]
NAMES = size(["pandas", "polars lazy", "duckdb", "csv"], [name for name in ENGINES if name != "spark"])

# as they are written, and as the commonest form of ISO 8601 has them
FORMS = {
    "postgresql": (
        ["2024-03-08 10:00:00+00", "2024-03-09 23:30:00.5+00", "2024-03-10 00:00+00"],
        ["2024-03-08T10:00:00Z", "2024-03-09T23:30:00.5Z", "2024-03-10T00:00:00Z"],
    ),
    "hours alone": (
        ["2024-03-08 10:00:00-05", "2024-03-09 23:30:00-0500", "2024-03-10T00:00-05:00"],
        ["2024-03-08T10:00:00-05:00", "2024-03-09T23:30:00-05:00", "2024-03-10T00:00:00-05:00"],
    ),
    "basic dates": (["20240308", "20240229", "2024-03-10"], ["2024-03-08", "2024-02-29", "2024-03-10"]),
    "basic times": (
        ["20240308T100000", "20240309T2330", "20240310T000000.25"],
        ["2024-03-08T10:00:00", "2024-03-09T23:30:00", "2024-03-10T00:00:00.25"],
    ),
    "basic times with an offset": (
        ["20240308T100000Z", "20240309T2330+00", "20240310T000000.25+0000"],
        ["2024-03-08T10:00:00Z", "2024-03-09T23:30:00Z", "2024-03-10T00:00:00.25Z"],
    ),
    "numbers": ([20240308, 20240229, 20240310], ["2024-03-08", "2024-02-29", "2024-03-10"]),
}


def lines(times):
    return pd.DataFrame({"customer_id": [1, 2, 3], "timestamp": times, "amount": [1.0, 2.0, 3.0]})


# duckdb reads a file too: what its form makes of it matters where digits may be numbers
PAIRS = [(form, engine) for form in sorted(FORMS) for engine in NAMES]
FEW_PAIRS = [(form, engine) for form, engine in PAIRS if form in ("basic dates", "numbers") or engine in NAMES[1:3]]


@cache
def written_otherwise(form):
    table = lines(FORMS[form][1])
    wanted = RFMFeaturizer().fit(table)
    return wanted.as_of_, comparable(wanted.transform(table))


@pytest.mark.parametrize(("form", "engine"), size(FEW_PAIRS, PAIRS))
def test_each_form_is_the_time_that_it_says(form, engine):
    table = ENGINES[engine](lines(FORMS[form][0]))
    found = RFMFeaturizer().fit(table)
    as_of, expected = written_otherwise(form)
    assert found.as_of_ == as_of
    pd.testing.assert_frame_equal(comparable(found.transform(table)), expected)


# dask asks numpy whether the least text of an example, "a", is a type
@pytest.mark.filterwarnings("ignore:Data type alias 'a' was deprecated:DeprecationWarning")
@pytest.mark.parametrize("engine", NAMES)
def test_what_is_no_date_stays_unreadable_and_is_counted(engine):
    times = ["20240308", "20240230", "20241308"]
    if engine == "csv":  # where unquoted digits are numbers, and not all of these are dates
        with pytest.raises(ColumnTypeError, match="timestamps, dates or ISO 8601 text"):
            RFMFeaturizer().fit(ENGINES[engine](lines(times)))
        return
    with pytest.warns(DataQualityWarning, match=r"2 of 3 row\(s\).*such as '20240230'"):
        featurizer = RFMFeaturizer().fit(ENGINES[engine](lines(times)))
    assert featurizer.row_report_.to_frame()["n_rows"].max() == 2
    assert comparable(featurizer.transform(ENGINES[engine](lines(["20240308"] * 3))))["customer_id"].tolist() == [
        1,
        2,
        3,
    ]


@pytest.mark.parametrize("numbers", [[5, 6, 7], [1709892000, 1709895600, 1709899200], [20240308, 20240310, 20241308]])
def test_other_numbers_are_refused_as_before(numbers):
    with pytest.raises(ColumnTypeError, match="timestamps, dates or ISO 8601 text"):
        RFMFeaturizer().fit(lines(numbers))


def test_numbers_of_which_one_is_missing():
    featurizer = RFMFeaturizer().fit(lines([20240308.0, None, 20240310.0]))
    assert featurizer.as_of_ == pd.Timestamp("2024-03-10")

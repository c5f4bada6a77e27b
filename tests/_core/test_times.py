"""Times as parameters: ISO 8601 or nothing, for every estimator and function that takes one."""

import datetime as dt
import inspect
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custseg import CharacteristicUnion, RFMFeaturizer, SegmentationBrief, SegmentationStudy, split_transactions
from custseg._core.times import TIME, read_time
from custseg.exceptions import InvalidParameterError
from tests.common.discovery import estimator_classes

ODD = [
    "08/03/2024", "31/12/2024", "8.3.2024", "2024/03/08", "03-08-2024", "March 8, 2024", "8 March 2024", "now", "today",
    "", "2024", "2024-03", "2024-3-8", "2024-02-30", "2024-W10-5", "2024-03-08T24:00", "2024-03-08 10am", " 2024-03-08",
    "2024-03-08\n", "2024-03-08T", "٢٠٢٤-٠٣-٠٨", 2024, 20240308, True, np.int64(5), dt.time(10), b"2024-03-08", pd.NaT,
    np.datetime64("NaT"), np.datetime64("2024-03"), np.datetime64("2024"), np.datetime64("2024-03-08", "W"),
]  # fmt: skip
LINES = pd.DataFrame({"customer_id": [1, 1, 2], "timestamp": ["2024-01-01", "2024-01-05", "2024-01-09"], "amount": 1.0})
TAKES = sorted(
    (name, kind) for name, kind in estimator_classes().items() if "as_of" in inspect.signature(kind).parameters
)


@given(st.datetimes(), st.sampled_from([" ", "T"]), st.sampled_from(["auto", "minutes", "seconds", "microseconds"]))
def test_what_the_standard_library_writes_is_read(time, between, exactness):
    text = time.isoformat(between, "auto" if exactness == "auto" else exactness)
    assert read_time(text) == pd.Timestamp(dt.datetime.fromisoformat(text))
    assert read_time(time.date().isoformat()) == read_time(time.date()) == pd.Timestamp(time.date())


@pytest.mark.parametrize("offset", ["Z", "+00", "+0000", "+00:00", "-00:00"])
def test_offsets(offset):
    assert read_time(f"2024-03-08 10:00{offset}") == pd.Timestamp("2024-03-08 10:00", tz="UTC")


def test_times_are_taken_as_they_are():
    at = pd.Timestamp("2024-03-08 10:00", tz="Europe/Berlin")
    assert read_time(at) == at
    assert read_time(np.datetime64("2024-03-08T10")) == pd.Timestamp("2024-03-08 10:00")
    assert read_time("20240308T100000") == pd.Timestamp("2024-03-08 10:00")


@pytest.mark.parametrize("odd", ODD)
def test_everything_else_is_none(odd):
    assert read_time(odd) is None


@pytest.mark.parametrize(
    ("odd", "remedy"),
    [
        ("08/03/2024", "Write '2024-03-08' or '2024-08-03', whichever is meant."),
        ("31.12.2024", "Write '2024-12-31'."),
        ("2024/3/8", "Write '2024-03-08'."),
        ("03-03-2024 10:00", "Write '2024-03-03'."),
        ("now", "Write the day as in '2024-12-31'."),
        ("8/3/24", "Write the day as in '2024-12-31'."),
    ],
)
def test_the_form_to_write_is_named(odd, remedy):
    assert TIME.remedy(odd) == remedy


@pytest.mark.parametrize(("name", "kind"), TAKES, ids=[name for name, _ in TAKES])
@pytest.mark.parametrize("odd", ["08/03/2024", "31/12/2024", "now", "2024-03"])
def test_every_estimator_refuses_another_form(name, kind, odd):
    got = re.escape(repr(odd))
    with pytest.raises(InvalidParameterError, match=rf"{name}: .*'as_of' must be .*ISO 8601.*{got}.* Write "):
        kind(as_of=odd).fit(LINES)


@pytest.mark.parametrize("odd", ["08/03/2024", "today"])
def test_every_function_and_method_refuses_another_form(odd):
    fitted = RFMFeaturizer().fit(LINES)
    union = CharacteristicUnion([("rfm", RFMFeaturizer(), "lines")]).fit({"lines": LINES})
    study = SegmentationStudy(SegmentationBrief(goal="retention"), characteristics=RFMFeaturizer())
    study.characteristics_, study.cut_plan_ = fitted, None
    asked = {
        "as_of": [
            lambda: fitted.transform(LINES, as_of=odd),
            lambda: fitted.check_rows(LINES, as_of=odd),
            lambda: union.transform({"lines": LINES}, as_of=odd),
            lambda: study.transform(LINES, as_of=odd),
            lambda: study.predict(LINES, as_of=odd),
        ],
        "at": [lambda: split_transactions(LINES, at=odd)],
    }
    for parameter, calls in asked.items():
        for call in calls:
            with pytest.raises(InvalidParameterError, match=f"'{parameter}' must be .*ISO 8601.*Write "):
                call()

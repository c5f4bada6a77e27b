"""Text that is plainly a number is read all at once, with what a look at each level would give."""

import math

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from custseg.characteristics._profiles import encoding, learning
from custseg.characteristics._profiles.bands import read_number
from custseg.characteristics._profiles.encoding import MissingWords, encode, level_counts, plain_numbers
from custseg.characteristics._profiles.learning import Declared, learn
from tests.sizes import size

MISSING = MissingWords(["unknown", "", "99", -1])

NUMBERS = st.from_regex(r"-?(0|[1-9][0-9]{0,5}|[1-9][0-9]{0,2}(,[0-9]{3}){1,2})(\.[0-9]{1,4})?", fullmatch=True)
ODDITIES = st.sampled_from(
    [
        *["unknown", " 7 ", "99", "99.0", "-1", "-1.0", "$5", "EUR 1.500", "1.500", "12.345", "12,50", "1e3", "+4"],
        *["007", "3 kids", "5+", "18-24", "", "nothing", "\uff11\uff12", "-0", "1,2", "1,234.567", "9" * 400],
        *[".5", "1.", "-007", "1 200", "-1,200"],
    ]
)
TEXTS = st.lists(st.one_of(NUMBERS, ODDITIES, st.none()), min_size=1, max_size=12)
DECLARED = st.sampled_from(
    [None, Declared(decimal="."), Declared(decimal=","), Declared(kind="numeric"), Declared(named=True)]
)


def series(texts, engine):
    if engine == "polars":
        return nw.from_native(pl.Series("x", texts, dtype=pl.String), series_only=True)
    return nw.from_native(pd.Series(texts, name="x", dtype=engine), series_only=True)


def learned(column, declared):
    """What is learned and read of a column, or the error."""
    try:
        encoding, remarks = learn(column, missing=MISSING, declared=declared)
    except ValueError as error:
        return str(error)
    reading = encode(column, encoding, missing=MISSING)
    values = [None if math.isnan(value) else value for value in reading.column.values.tolist()]
    counts = (reading.n_missing, dict(reading.unseen), encoding.n_known)
    return encoding, remarks, values, counts


@pytest.mark.parametrize("engine", ["polars", "str"])
@settings(max_examples=size(5, 100))
@given(TEXTS, DECLARED)
@example(["1.500", "2"], None)
@example(["1.500", "$2.500"], None)
@example(["12.5", "$2.500"], None)
@example(["1.500", "2.500", "3.500"], None)
def test_reading_numbers_all_at_once_is_reading_them_level_by_level(engine, texts, declared):
    at_once = learned(series(texts, engine), declared)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(learning, "_telling_levels", lambda column, *_: level_counts(column))
        patch.setattr(encoding, "plain_numbers", lambda column, _: (np.full(len(column), np.nan), column))
        by_level = learned(series(texts, engine), declared)
    assert at_once == by_level


@given(TEXTS)
def test_a_plain_number_is_what_python_reads(texts):
    numbers, rest = plain_numbers(series(texts, "polars"), MissingWords([]))
    read = [(text, number) for text, number in zip(texts, numbers, strict=True) if not math.isnan(number)]
    assert all(number == read_number(text.strip()) for text, number in read)
    assert rest.to_list() == [text for text, number in zip(texts, numbers, strict=True) if math.isnan(number)]


@pytest.mark.parametrize("engine", ["polars", "str", "string"])
def test_the_usual_shapes_are_plain(engine):
    numbers, rest = plain_numbers(
        series(["85", "-1200.50", "1,200", "0", "-0.25", " 7 ", None], engine), MissingWords([])
    )
    np.testing.assert_array_equal(numbers, [85.0, -1200.5, 1200.0, 0.0, -0.25, 7.0, np.nan])
    assert len(rest) == 1

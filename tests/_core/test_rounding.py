"""Numbers that are the same but for rounding: made one where something is learned, and where they are compared."""

from __future__ import annotations

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custseg._core.rounding import ROUNDING, doubles, rounding_in, rounding_of, without_rounding
from tests.engines import ENGINES

NUMBERS = st.lists(st.floats(-1e308, 1e308), max_size=30).map(lambda values: np.array(values, dtype=np.float64))


@given(values=NUMBERS)
def test_nothing_moves_further_than_rounding_and_a_second_time_nothing_moves(values):
    found = without_rounding(values)
    assert (np.abs(found - values) <= ROUNDING * np.abs(values) * (1 + 1e-9)).all()
    order = np.argsort(values, kind="stable")
    assert (np.diff(found[order]) >= 0).all()
    np.testing.assert_array_equal(without_rounding(found), found)


@given(
    cents=st.lists(st.integers(-(10**8), 10**8), min_size=1, max_size=20),
    noise=st.lists(st.floats(-1e-12, 1e-12), min_size=40, max_size=40),
)
def test_noise_leaves_no_trace_in_what_is_equal(cents, noise):
    written = np.array(cents * 2) / 100
    found = without_rounding(written * (1 + np.array(noise[: len(written)])))
    np.testing.assert_allclose(found, written, rtol=ROUNDING, atol=0)
    _, one = np.unique(found, return_inverse=True)
    _, other = np.unique(written, return_inverse=True)
    np.testing.assert_array_equal(one, other)


@given(values=NUMBERS)
def test_no_number_is_moved_for_a_missing_one(values):
    found = without_rounding(np.append(values, np.nan))
    assert np.isnan(found[-1])
    np.testing.assert_array_equal(found[:-1], without_rounding(values))


def test_what_differs_more_is_left_alone():
    values = np.array([1.0, 1.0 + 1e-10, 0.0, 1e-300, -1e-300])
    assert without_rounding(values) is values


def test_whole_numbers_are_exact():
    values = np.array([2.0**50, 2.0**50 + 1, 2.0**50 + 2])
    assert without_rounding(values) is values
    assert rounding_of(np.array([2.0**50, 30.0])).max() < 0.5


def test_what_is_dense_is_not_rounded():
    values = 1.0 + np.arange(100) * ROUNDING / 2
    np.testing.assert_array_equal(without_rounding(values), values)


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_floats_of_fewer_bits_have_more_room(dtype):
    price = dtype(9.99)
    near = np.array([np.nextafter(price, dtype(0)), price, np.nextafter(price, dtype(20))], dtype=np.float64)
    assert len(set(without_rounding(near, rounding_in(np.dtype(dtype))))) == 1
    assert len(set(without_rounding(near))) == 3
    assert abs(float(price) - 9.99) < rounding_of(np.array([9.99]), rounding_in(np.dtype(dtype)))[0]
    assert rounding_in(np.dtype(float)) == rounding_in(nw.Float64()) == rounding_in(nw.Int64()) == ROUNDING
    # whole numbers are told apart as far as the type does
    whole = np.array([5.0, 6.0, 100.0, 101.0])
    assert without_rounding(whole, rounding_in(np.dtype(dtype))) is whole


@pytest.mark.parametrize("engine", ["pandas", "polars", "duckdb", "dask"])
def test_floats_of_fewer_bits_are_widened_to_what_was_written(engine):
    written = [0.1, 9.99, -2.5, 1e30, np.nan, 16777215.0]
    frame = nw.from_native(ENGINES[engine](pd.DataFrame({"x": np.array(written, dtype="float32")}))).lazy()
    found = frame.select(doubles(nw.col("x"), frame.collect_schema()["x"])).collect()["x"].to_list()
    np.testing.assert_array_equal(np.array(found, dtype=float), written)

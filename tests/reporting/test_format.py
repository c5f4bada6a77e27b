"""Numbers as readers write them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custseg.reporting._format import UNKNOWN, amount, known, number, percent, signed, value_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1234, "1,234"),
        (1469307.0, "1,469,307"),
        (999.96, "1000.0"),
        (34.12, "34.1"),
        (-34.12, "-34.1"),
        (3.14159, "3.14"),
        (0.5, "0.50"),
        (0.00123, "0.0012"),
        (0, "0"),
        (-0.0, "0"),
        (np.int64(7), "7"),
        (np.float64("nan"), UNKNOWN),
        (math.inf, UNKNOWN),
        (None, UNKNOWN),
    ],
)
def test_numbers_have_as_many_decimals_as_their_size_deserves(value, text):
    assert number(value) == text


@given(st.floats(-1e12, 1e12))
def test_a_number_reads_back_to_within_its_last_digit(value):
    # one half of the last place shown; numbers below .01 keep two digits
    slack = 0.5 if abs(value) >= 1000 else 0.05 if abs(value) >= 10 else max(0.005, 0.0)
    assert abs(float(number(value).replace(",", "")) - value) <= slack * 1.0001


@pytest.mark.parametrize(("share", "text"), [(0.1234, "12.3%"), (1, "100.0%"), (0, "0.0%"), (None, UNKNOWN)])
def test_shares_are_percentages_with_one_decimal(share, text):
    assert percent(share) == text


@pytest.mark.parametrize(
    ("effect", "text"), [(1.234, "+1.23"), (-0.5, "-0.50"), (-math.inf, "-∞"), (math.nan, UNKNOWN), (None, UNKNOWN)]
)
def test_effects_carry_their_sign(effect, text):
    assert signed(effect) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "yes"),
        (np.bool_(False), "no"),
        ("1e5", "1e5"),
        (None, UNKNOWN),
        (float("nan"), UNKNOWN),
        (np.float64(1234), "1,234"),
        (("a", "b"), "('a', 'b')"),
    ],
)
def test_any_value_of_a_profile_has_a_text(value, text):
    assert value_text(value) == text


def test_money_is_whole():
    assert (amount(1234.56), amount(0.2), amount(None)) == ("1,235", "0", UNKNOWN)


def test_what_is_not_a_number_is_not_known():
    assert not known("12")
    assert known(np.float32(12))

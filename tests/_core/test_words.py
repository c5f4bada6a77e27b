import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custseg._core.words import (
    UNKNOWN,
    format_effect,
    format_lift,
    format_number,
    format_numbers,
    format_points,
    format_share,
    format_shares,
    format_total,
    format_value,
    humanise,
    known,
    plain,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (34.1, "34.1"),
        (34.129, "34.1"),
        (999.7, "1,000"),
        (1234.4, "1,234"),
        (1987, "1,987"),
        (1234567, "1,235,000"),
        (-56789.0, "-56,790"),
        (0.0123456, "0.0123"),
        (2.0, "2"),
        (1.5e-9, "1.50e-09"),
        (1e300, "1.000e+300"),
        (math.nan, UNKNOWN),
        (None, UNKNOWN),
        (math.inf, "∞"),
        (-math.inf, "-∞"),
    ],
)
def test_numbers_as_written(value, text):
    assert format_number(value) == text


@given(st.floats(1e-4, 1e12))
def test_a_written_number_is_near_the_number(value):
    assert float(format_number(value).replace(",", "")) == pytest.approx(value, rel=5.1e-3)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1234567, "1,234,567"),
        (1469307.4, "1,469,307"),
        (999.96, "1,000"),
        (-0.2, "0"),
        (np.int64(7), "7"),
        (None, UNKNOWN),
        (np.float64("nan"), UNKNOWN),
        (-math.inf, "-∞"),
    ],
)
def test_counts_and_sums_of_money_are_exact_to_the_unit(value, text):
    assert format_total(value) == text


@pytest.mark.parametrize(
    ("effect", "text"), [(1.234, "+1.23"), (-0.5, "-0.50"), (-math.inf, "-∞"), (math.nan, UNKNOWN), (None, UNKNOWN)]
)
def test_effects_carry_their_sign(effect, text):
    assert format_effect(effect) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "yes"),
        (np.bool_(False), "no"),
        ("1e5", "1e5"),
        (None, UNKNOWN),
        (float("nan"), UNKNOWN),
        (np.float64(123456), "123,456"),
        (123456.7, "123,500"),
        (34.129, "34.1"),
        (("a", "b"), "('a', 'b')"),
    ],
)
def test_any_value_has_a_text(value, text):
    assert format_value(value) == text


@given(st.floats(-1e12, 1e12))
def test_a_value_and_a_number_rounded_before_look_the_same(value):
    # as the median of a typical customer and that of a trait do
    rounded = float(f"{value:.2e}")
    assert abs(value) < 1e-4 or format_value(rounded) == format_number(rounded)


def test_a_lift_is_written_one_way():
    assert format_lift(3.169) == "lift 3.2"


def test_what_is_not_a_number_is_not_known():
    assert not known("12")
    assert known(np.float32(12))


def test_different_numbers_look_different():
    assert format_numbers(1001.2, 1001.3) == ("1,001.2", "1,001.3")
    assert format_numbers(2.0, 2.0) == ("2", "2")
    assert format_numbers(0.1, 0.1 + 1e-17) == ("0.1", "0.1")
    assert format_numbers(1.0, 1.0 + 1e-15) == ("1", "1")
    assert format_shares(0.112, 0.108) == ("11.2%", "10.8%")
    assert format_shares(0.5, 0.5) == ("50%", "50%")


def test_shares_are_never_rounded_to_nobody_or_everybody():
    assert [format_share(share) for share in (0, 1e-9, 0.999999, 1)] == ["0%", "under 1%", "over 99%", "100%"]
    assert format_share(1e-9, 1) == "under 0.1%"
    assert format_share(math.nan) == format_share(None) == UNKNOWN


def test_points_agree_with_the_shares_as_written():
    assert format_points(0.616, 0.194) == "+43 points"
    assert format_points(0.2, 0.46) == "-26 points"
    assert format_points(0.112, 0.108) == "+0.4 points"


def test_labels_drop_the_member_where_that_is_clear():
    columns = ["behaviour__net_spend", "shop__visits", "web__visits", "age_band", "age band", "__", "plain"]
    labels = humanise(columns)
    assert list(labels.values()) == ["net spend", "shop visits", "web visits", "age_band", "age band", "__", "plain"]


@given(st.lists(st.text(alphabet="ab_ ", max_size=6), unique=True, max_size=6))
def test_labels_are_unique_whenever_they_need_to_be(columns):
    labels = humanise(columns)
    assert list(labels) == columns
    short = [label for column, label in labels.items() if label != column]
    assert len(set(short)) == len(short)


def test_text_from_the_data_is_one_bearable_line():
    assert plain("a\n b\t c") == "a b c"
    assert len(plain("x" * 1000)) == 60
    assert plain("x" * 1000).endswith("…")

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custseg.characteristics._bands import MAX_BANDS, Band, parse_band, read_number, read_scale

INF = math.inf

AGE = ["19-24", "25-34", "35-44", "45-54", "55-64", "65+"]
INCOME = [
    "Under 15K", "15-24K", "25-34K", "35-49K", "50-74K", "75-99K", "100-124K", "125-149K", "150-174K", "175-199K",
    "200-249K", "250K+",
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("35-44", 35, 44),
        ("35 - 44", 35, 44),
        ("35\u201344", 35, 44),
        ("35\u221244", 35, 44),
        ("35 to 44", 35, 44),
        ("between 35 and 44", 35, 44),
        ("from 35 to 44", 35, 44),
        ("18-24 years", 18, 24),
        ("150-174K", 150_000, 174_000),
        ("150K-174K", 150_000, 174_000),
        ("$30,001 to $60,000", 30_001, 60_000),
        ("1 000 - 4 999", 1_000, 4_999),
        ("\u20ac1'000\u2013\u20ac4'999", 1_000, 4_999),
        ("USD 5K - 10K", 5_000, 10_000),
        ("900-1K", 900, 1_000),
        ("500K-1.5M", 500_000, 1_500_000),
        ("11-50 employees", 11, 50),
        ("0.5-1.5", 0.5, 1.5),
        ("10-20%", 10, 20),
    ],
)
def test_a_closed_band(text, low, high):
    band = parse_band(text)
    assert (band.low, band.high, band.low_open, band.high_open) == (low, high, False, False)
    assert not band.is_number


@pytest.mark.parametrize(
    ("text", "low", "high", "left_out"),
    [
        ("65+", 65, INF, False),
        ("1,000 +", 1_000, INF, False),
        ("250K+", 250_000, INF, False),
        (">= 65", 65, INF, False),
        ("\u2265 65", 65, INF, False),
        ("15K or more", 15_000, INF, False),
        ("65 years and over", 65, INF, False),
        ("65 and older", 65, INF, False),
        ("at least 3", 3, INF, False),
        ("3+ kids", 3, INF, False),
        (">120k", 120_000, INF, True),
        ("more than $240,001", 240_001, INF, True),
        ("over 65", 65, INF, True),
        ("<15", -INF, 15, True),
        ("Under 15K", -INF, 15_000, True),
        ("less than 15K", -INF, 15_000, True),
        ("Less than $30,000", -INF, 30_000, True),
        ("below 5", -INF, 5, True),
        ("<= 4", -INF, 4, False),
        ("up to 4", -INF, 4, False),
        ("4 or fewer", -INF, 4, False),
        ("17 and under", -INF, 17, False),
    ],
)
def test_an_open_ended_band_knows_whether_its_bound_is_left_out(text, low, high, left_out):
    band = parse_band(text)
    assert (band.low, band.high) == (low, high)
    assert (band.low_open if high == INF else band.high_open) is left_out


def test_the_upper_bound_may_be_left_out():
    assert parse_band("30K to under 50K") == Band(30_000, 50_000, high_open=True)


@pytest.mark.parametrize(
    ("text", "number"), [("0", 0), ("3", 3), ("-2", -2), ("1,200", 1_200), ("$85", 85), ("3 kids", 3)]
)
def test_a_number_is_a_band_of_one_number(text, number):
    assert parse_band(text).is_number
    assert read_number(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "2 Adults No Kids", "1 Adult Kids", "Homeowner", "Q4", "", "-", "+", "2020-01", "12,50", "1-2-3", "nan", "inf",
        "7590-VHVEG", "<b>5</b>", "5 -", "over 65s", "no kids",
    ],
)  # fmt: skip
def test_other_text_is_no_band(text):
    assert parse_band(text) is None
    assert read_number(text) is None


@pytest.mark.parametrize(
    ("text", "number"), [("29.85", 29.85), (".5", 0.5), ("5.", 5), ("1e3", 1000), ("-3.25", -3.25)]
)
def test_numbers_as_programs_write_them(text, number):
    assert read_number(text) == number


@pytest.mark.parametrize("text", ["0123", "00", "007", "35-44", "5+", "1e999"])
def test_codes_and_bands_and_overflows_are_no_numbers(text):
    assert read_number(text) is None


@pytest.mark.parametrize(
    "ordered",
    [
        AGE,
        INCOME,
        ["1", "2", "3", "4", "5+"],
        ["0", "1", "2", "3+"],
        ["<30k", "30-60k", "60-90k", "90-120k", ">120k"],
        ["Less than $30,000", "$30,001 to $60,000", "$60,001 to $90,000", "more than $240,001"],
        ["0-10", "10-20", "20+"],
        ["<15", "15", ">15"],
        ["up to 4", "5", "6 or more"],
        ["1-10 employees", "11-50 employees", "51-200 employees", "1,000+ employees"],
        ["-1", "0", "1+"],
    ],
)
@given(data=st.data())
def test_bands_come_out_in_order_whatever_order_they_come_in(ordered, data):
    scale, problem = read_scale(data.draw(st.permutations(ordered)))
    assert problem == ""
    assert list(scale.categories) == ordered


@given(st.lists(st.integers(0, 10**7), min_size=2, max_size=12, unique=True), st.randoms())
def test_any_partition_of_the_numbers_is_read_back(cuts, random):
    cuts = sorted(cuts)
    ordered = [
        f"<{cuts[0]}",
        *(f"{low:,} - {high - 1:,}" for low, high in pairwise(cuts) if high - low > 1),
    ]
    ordered.append(f"{cuts[-1]}+")
    shuffled = random.sample(ordered, len(ordered))
    scale, _ = read_scale(shuffled)
    assert list(scale.categories) == ordered


@given(st.integers(0, 999), st.integers(1, 999))
def test_a_factor_behind_the_upper_bound_counts_for_both(low, width):
    band = parse_band(f"{low}-{low + width}K")
    assert (band.low, band.high) == (low * 1000, (low + width) * 1000)


def test_the_bounds_of_a_scale_are_a_table():
    scale, _ = read_scale(INCOME)
    frame = scale.to_frame()
    assert frame["category"].tolist() == INCOME
    assert frame["low"].tolist()[:3] == [-INF, 15_000, 25_000]
    assert frame["high"].tolist()[-2:] == [249_000, INF]


def test_two_spellings_of_a_band_are_one_category():
    scale, problem = read_scale([">= 65", "65+", "18 - 64", "18-64"])
    assert problem == ""
    assert scale.categories == ("18 - 64", "65+")
    assert scale.category("65 and older") == scale.categories[1]
    assert scale.category("18\u201364") == "18 - 64"
    assert scale.category("17-64") is None
    assert scale.category("adult") is None


@pytest.mark.parametrize(
    "levels",
    [
        ["2 Adults No Kids", "1 Adult Kids"],
        ["1", "2", "3"],
        ["Homeowner", "Renter"],
        [],
        [f"{number}-{number}5" for number in range(10, MAX_BANDS + 20)],
        ["AB-12", "5+"],
    ],
)
def test_levels_that_do_not_look_like_bands_are_none(levels):
    assert read_scale(levels) == (None, "")


@pytest.mark.parametrize(
    ("levels", "problem"),
    [
        (["18-30", "25-40", "41+"], "'18-30' and '25-40' overlap"),
        (["under 20", "10-30"], "'under 20' and '10-30' overlap"),
        (["15+", ">15"], "'15+' and '>15' overlap"),
        (["Under 15K", "15-24", "25-34"], "overlap"),
        (["18-24", "25-34", "retired"], "'retired' among them is no band"),
        (["under 6 months", "1-2 years", "3+ years"], "their units are mixed (month, year)"),
    ],
)
def test_bands_that_contradict_each_other_are_named(levels, problem):
    scale, said = read_scale(levels)
    assert scale is None
    assert problem in said

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custseg.characteristics._profiles.bands import MAX_BANDS, Band, find_decimal, parse_band, read_number, read_scale

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


@pytest.mark.parametrize(
    ("text", "band"),
    [
        ("[18, 25)", Band(18, 25, high_open=True)),
        ("(17.999, 25.0]", Band(17.999, 25, low_open=True)),
        ("(-0.001, 10]", Band(-0.001, 10, low_open=True)),
        ("(-inf, 18.0]", Band(-INF, 18)),
        ("[65, inf)", Band(65, INF)),
        ("[18;25[", Band(18, 25, high_open=True)),
        (">= 18 and < 25", Band(18, 25, high_open=True)),
        (">=18, <25", Band(18, 25, high_open=True)),
        ("over 5 but under 10", Band(5, 10, low_open=True, high_open=True)),
        ("5 - <10", Band(5, 10, high_open=True)),
        ("18 up to 24", Band(18, 24)),
        ("18 through 24", Band(18, 24)),
        ("18...24", Band(18, 24)),
        ("18~24", Band(18, 24)),
        ("aged 18-24", Band(18, 24)),
        ("age 18+", Band(18, INF)),
        ("=> 65", Band(65, INF)),
        ("65 & over", Band(65, INF)),
        ("<18", Band(-INF, 18, high_open=True)),
        ("1980s", Band(1980, 1989)),
        ("30s", Band(30, 39)),
        ("1-5k", Band(1_000, 5_000)),
        ("100k-1m", Band(100_000, 1_000_000)),
        ("18-24-year-olds", Band(18, 24, unit="year")),
        ("65 years +", Band(65, INF, unit="year")),
        ("$1M-$10M", Band(1e6, 1e7, unit="$")),
        ("$500M - $1B", Band(5e8, 1e9, unit="$")),
        ("US$5,000+", Band(5_000, INF, unit="USD")),
        ("10-50 Mio. EUR", Band(1e7, 5e7, unit="EUR")),
        ("\u00a320k\u2013\u00a330k p.a.", Band(20_000, 30_000, unit="GBP per year")),
        ("$30,000-$40,000 per year", Band(30_000, 40_000, unit="$ per year")),
        ("1-5 per month", Band(1, 5, unit="per month")),
        ("1,000-4,999 staff", Band(1_000, 4_999, unit="employee")),
        ("2 adults", Band(2, 2, unit="adult")),
    ],
)
def test_more_shapes_of_real_profile_files(text, band):
    assert parse_band(text) == band


@pytest.mark.parametrize(
    "text",
    [
        "10b",
        "18 24",
        "1/2",
        "(48.1, 11.5)",
        "(5, 5)",
        "$5 and \u20ac10",
        "5 years - 8 months",
        "1900ss",
        "100s",
        "no kids",
    ],
)
def test_what_looks_like_a_shape_and_is_none(text):
    assert parse_band(text) is None


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("EUR 1.500-2.000", 1_500, 2_000),
        ("1.000.000 - 2.500.000,50", 1_000_000, 2_500_000.5),
        ("0,5-1,5", 0.5, 1.5),
        ("1,5 Mio. \u20ac", 1_500_000, 1_500_000),
        ("(0,5; 1,5]", 0.5, 1.5),
    ],
)
def test_the_decimal_comma_where_it_is_asked_for(text, low, high):
    band = parse_band(text, ",")
    assert (band.low, band.high) == (low, high)
    assert read_number("1.234,5", ",") == 1234.5
    assert read_number("29.85", ",") is None


@pytest.mark.parametrize(
    ("levels", "decimal", "doubt"),
    [
        (["EUR 1.500-2.000", "EUR 2.001+"], ",", ""),
        (["500-1.000", "1.001-2.000"], ",", ""),
        (["1.500.000", "250.000"], ",", ""),
        (["1.234,50", "20"], ",", ""),
        (["\u20ac 12,50", "\u20ac 7"], ",", ""),
        (["12,50", "7,25"], ".", "'12,50' may have a decimal comma"),
        (["1,2", "2,3", "1"], ".", "'1,2' may have a decimal comma"),
        (["1,2", "1,2,3"], ".", ""),
        (["1.500", "2.750"], ".", "'1.500' is read with decimals, though the dot may group thousands"),
        (["1.500", "2.75"], ".", ""),
        (["29.85", "1,889.5"], ".", ""),
        (["29.85", "12,50"], ".", ""),
        (["1,500-2,000"], ".", ""),
        (["homeowner", "12,50"], ".", ""),
        ([], ".", ""),
    ],
)
def test_the_decimal_sign_is_found_only_where_there_is_no_doubt(levels, decimal, doubt):
    assert find_decimal(levels) == (decimal, doubt)
    assert find_decimal(levels[::-1])[0] == decimal


@pytest.mark.parametrize(
    ("levels", "categories"),
    [
        (["none", "1-2", "3+"], ("none", "1-2", "3+")),
        (["No kids", "1 kid", "2+ kids"], ("No kids", "1 kid", "2+ kids")),
        (["none", "> 0"], ("none", "> 0")),
    ],
)
def test_none_is_zero_where_just_zero_is_left(levels, categories):
    assert read_scale(levels[::-1])[0].categories == categories


@pytest.mark.parametrize("levels", [["none", "18-24", "25+"], ["none", "0", "1-2", "3+"], ["none", "<5", "5-9", "10+"]])
def test_none_is_no_zero_elsewhere(levels):
    scale, problem = read_scale(levels)
    assert scale is None
    assert problem == "'none' among them is no band"


@pytest.mark.parametrize(
    ("levels", "unit"),
    [
        (["18-24 years", "25+"], "years"),
        (["1 kid", "2+ children"], "children"),
        (["$1M-$5M", "USD 6M+"], "USD"),
        (["\u20ac5 - \u20ac10", "EUR 11+"], "EUR"),
        (["1-2", "3+"], ""),
    ],
)
def test_the_unit_of_a_scale(levels, unit):
    assert read_scale(levels)[0].unit == unit


def test_mixed_currencies_are_no_scale():
    assert read_scale(["$1-$5", "\u20ac6-\u20ac10"]) == (None, "their units are mixed ($, EUR)")


currencies = st.sampled_from(["", "$", "\u20ac", "EUR ", "\u00a3"])
links = st.sampled_from(["-", " - ", "\u2013", " to ", "..."])
units = st.sampled_from(["", " years", " employees", " people"])


@given(st.integers(0, 10**9), st.integers(1, 10**6), currencies, links, units)
def test_a_band_written_in_any_way_is_read_back(low, width, currency, link, unit):
    written = f"{currency}{low:,}{link}{currency}{low + width:,}{unit}"
    band = parse_band(written)
    assert (band.low, band.high) == (low, low + width)
    continental = written.replace(",", ".")
    assert parse_band(continental, ",") == band


@given(st.floats(-1e6, 1e6).map(lambda number: round(number, 3)), st.integers(1, 10**6))
def test_an_interval_of_pandas_is_read_back(low, width):
    band = parse_band(f"({low}, {low + width}]")
    assert (band.low, band.high) == (low, low + width)
    assert band.low_open
    assert not band.high_open


@given(st.text(max_size=25))
def test_any_text_is_read_or_not_but_never_an_error(text):
    for decimal in (".", ","):
        band = parse_band(text, decimal)
        assert band is None or band.low <= band.high
        number = read_number(text, decimal)
        assert number is None or math.isfinite(number)
    read_scale([text, "1-2"])
    find_decimal([text])

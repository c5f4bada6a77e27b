import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custseg.characteristics._demographic.plausible import CODE, FAR, OK, OUT_OF_RANGE, Plausibility, expected_range
from tests.conftest import shared_data

INCOMES = np.linspace(18_000, 95_000, 200)


@pytest.mark.parametrize(
    ("name", "reference_year", "low", "high"),
    [
        ("age", None, 0, 120),
        ("Customer_Age", None, 0, 120),
        ("Year_Birth", None, 1900, 2100),
        ("birth year", 2014, 1894, 2014),
        ("YOB", 2014, 1894, 2014),
        ("founded", 2024, 500, 2024),
        ("Number of siblings", None, 0, None),
        ("Height", None, 0, None),
        ("account_age", None, None, None),
        ("page", None, None, None),
        ("balance", 2024, None, None),
    ],
)
def test_the_name_of_a_column_says_what_can_be(name, reference_year, low, high):
    assert expected_range(name, reference_year=reference_year) == (low, high)


def test_years_that_become_an_age():
    assert expected_range("jahr", reference_year=2020, age="age") == (1900, 2020)
    assert expected_range("jahr", reference_year=2020, age="company_age") == (500, 2020)


@pytest.mark.parametrize("code", [666_666, 999_999, 9_999_999, 1_111_111])
def test_repeated_digits_far_above_the_others_look_like_a_code(code):
    plausible = Plausibility.learn(np.append(INCOMES, code), 0, None)
    assert plausible.codes == (code,)
    assert plausible.flags(np.array([code, 50_000.0, np.nan])).tolist() == [CODE, OK, OK]


@pytest.mark.parametrize("value", [55_555, 77_777, 99_999, 123_456_789])
def test_repeated_digits_among_the_others_and_other_digits_do_not(value):
    assert Plausibility.learn(np.append(INCOMES, value), 0, None).codes == ()


def test_repeated_digits_that_are_more_frequent_than_any_other_number():
    assert Plausibility.learn(np.append(INCOMES, [77_777] * 5), 0, None).codes == (77_777,)
    # but not where another number is as frequent
    assert Plausibility.learn(np.concatenate([INCOMES, [77_777] * 5, [50_000] * 5]), 0, None).codes == ()


def test_negative_codes_where_nothing_else_is_negative():
    sizes = np.tile([1.0, 2.0, 3.0, 4.0], 20)
    assert Plausibility.learn(np.append(sizes, [-1, -99, 99]), None, None).codes == (-99.0, -1.0, 99.0)
    assert Plausibility.learn(np.append(sizes, [-1, -2.5]), None, None).codes == ()
    assert Plausibility.learn(-np.append(sizes, 1), None, None).codes == ()


def test_what_is_out_of_range_is_no_code():
    plausible = Plausibility.learn(np.append(np.arange(18.0, 80), [999, -1]), 0, 120)
    assert plausible.codes == ()
    assert plausible.flags(np.array([999.0, -1.0, 120.0, 0.0])).tolist() == [OUT_OF_RANGE, OUT_OF_RANGE, OK, OK]
    assert [finding.reason for finding in plausible.findings(np.array([999.0]))] == ["outside 0 to 120"]


@pytest.mark.parametrize(
    ("low", "high", "reason"),
    [(0, None, "below 0"), (None, 50_000, "above 50,000"), (1894, 2014, "outside 1894 to 2014")],
)
def test_the_range_is_named(low, high, reason):
    assert Plausibility.learn(np.array([]), low, high).reason(OUT_OF_RANGE) == reason


def test_skewed_numbers_are_not_far_from_each_other():
    spend = np.exp(np.random.RandomState(0).normal(4, 1.2, 2_000))
    assert Plausibility.learn(spend, 0, None).findings(spend) == []


def test_few_numbers_are_not_judged():
    assert Plausibility.learn(np.array([1.0] * 10 + [9_999.0]), None, None) == Plausibility()


def test_the_survey_of_young_people():
    answers = pd.read_csv(shared_data("young_people_survey") / "responses.csv")
    flagged = {}
    for name in ("Age", "Height", "Weight", "Number of siblings"):
        values = answers[name].to_numpy(dtype=float)
        plausible = Plausibility.learn(values, *expected_range(name, reference_year=None))
        flagged[name] = values[plausible.flags(values) == FAR].tolist()
        assert all(not finding.is_sure for finding in plausible.findings(values))
    assert flagged == {"Age": [], "Height": [62.0], "Weight": [], "Number of siblings": [10.0]}


numbers = st.lists(st.one_of(st.integers(-99, 9_999).map(float), st.just(np.nan), st.just(9_999.0)), max_size=80)


@given(numbers, st.randoms(use_true_random=False))
def test_laws_of_plausibility(values, random):
    column = np.array(values, dtype=float)
    plausible = Plausibility.learn(column, 0, 5_000)
    shuffled = np.array(random.sample(values, len(values)), dtype=float)
    assert Plausibility.learn(shuffled, 0, 5_000) == plausible
    flags = plausible.flags(column)
    assert (flags[np.isnan(column)] == OK).all()
    assert ((flags == OUT_OF_RANGE) == ((column < 0) | (column > 5_000))).all()
    assert sum(finding.n_rows for finding in plausible.findings(column)) == (flags != OK).sum()

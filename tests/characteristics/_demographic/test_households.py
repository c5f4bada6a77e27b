import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custseg.characteristics._demographic.households import read_household

UNKNOWN = None


@pytest.mark.parametrize(
    ("text", "adults", "children", "has_children"),
    [
        ("2 Adults Kids", 2, UNKNOWN, True),
        ("2 Adults No Kids", 2, 0, False),
        ("1 Adult Kids", 1, UNKNOWN, True),
        ("1 adult, 2 children", 1, 2, True),
        ("2 adults,1 child", 2, 1, True),
        ("1.5 children", UNKNOWN, UNKNOWN, True),
        ("2,5 children", UNKNOWN, UNKNOWN, True),
        ("99999999999999999999999 adults, no kids", UNKNOWN, 0, False),
        ("Two adults and one child", 2, 1, True),
        ("2 adults + 3+ kids", 2, UNKNOWN, True),
        ("2 adults, 1-2 kids", 2, UNKNOWN, True),
        ("3 or more adults", UNKNOWN, UNKNOWN, None),
        ("Couple with 2 children", 2, 2, True),
        ("couple without children", 2, 0, False),
        ("Single parent", 1, UNKNOWN, True),
        ("single mother, 1 child", 1, 1, True),
        ("Single Female", 1, UNKNOWN, None),
        ("living alone", 1, 0, False),
        ("1-person household", 1, 0, False),
        ("2 adults, 0 kids", 2, 0, False),
        ("2 adults, 10 kids", 2, 10, True),
        ("childless", UNKNOWN, 0, False),
        ("4 kids", UNKNOWN, 4, True),
        ("Homeowner", UNKNOWN, UNKNOWN, None),
        ("Married", UNKNOWN, UNKNOWN, None),
        ("Kidderminster", UNKNOWN, UNKNOWN, None),
        ("", UNKNOWN, UNKNOWN, None),
    ],
)
def test_what_a_text_says_of_a_household(text, adults, children, has_children):
    household = read_household(text)
    assert [None if math.isnan(number) else number for number in (household.adults, household.children)] == [
        adults,
        children,
    ]
    assert household.has_children is has_children


@given(st.integers(1, 12), st.integers(0, 12), st.sampled_from([", ", " and ", " + ", " "]))
def test_any_household_written_out_is_read_back(n_adults, n_children, link):
    text = (
        f"{n_adults} Adult{'s' * (n_adults > 1)}{link}{n_children or 'no'} {'child' if n_children == 1 else 'children'}"
    )
    household = read_household(text)
    assert (household.adults, household.children) == (n_adults, n_children)
    assert household.has_children is (n_children > 0)

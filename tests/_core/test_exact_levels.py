"""Whole numbers beyond 2**53 are levels of their own, or are refused, in every reader of levels."""

from __future__ import annotations

from decimal import Decimal

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone

from custseg import DemographicEncoder, PersonaDescriber
from custseg._core.customers import read_customers
from custseg.characteristics._profiles.columns import read_texts
from custseg.exceptions import ColumnTypeError, DataQualityWarning
from custseg.segmentation import Rule, RuleFilter
from tests.engines import ENGINES
from tests.sizes import size

pytestmark = pytest.mark.thorough

FIRST = 2**53
NUMBERS = [FIRST + 2, FIRST + 1, FIRST, 5, -FIRST - 1]
IN_ORDER = size(
    ["pandas", "polars lazy", "duckdb", "csv"], [name for name in ENGINES if name not in ("spark", "parquet folder")]
)


@pytest.mark.thorough
@pytest.mark.parametrize("engine", IN_ORDER)
@pytest.mark.parametrize("kind", ["nominal", "ordinal"])
def test_levels_of_customers_are_exact_on_every_engine(engine, kind):
    table = pd.DataFrame({"customer_id": range(5), "s": NUMBERS})
    column = read_customers(ENGINES[engine](table), customer_id="customer_id", kinds={"s": kind})["s"]
    assert [column.categories[code] for code in column.values] == list(map(str, NUMBERS))
    assert column.categories == tuple(map(str, sorted(NUMBERS)))
    encoded = DemographicEncoder(kinds={"s": kind}).set_output(transform="pandas").fit_transform(ENGINES[engine](table))
    assert encoded["s"].astype(str).tolist() == list(map(str, NUMBERS))


@pytest.mark.parametrize("dtype", ["Int64", "int64[pyarrow]", "UInt64"])
def test_a_missing_one_rounds_no_other(dtype):
    values = pd.array([FIRST + 1, None, FIRST], dtype=dtype)
    column = read_customers(pd.DataFrame({"s": values}), kinds={"s": "nominal"})["s"]
    assert column.categories == (str(FIRST), str(FIRST + 1))
    assert column.values.tolist() == [1, -1, 0]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_floats_that_may_be_two_levels_are_refused(dtype):
    limit = 2 ** (np.finfo(dtype).nmant + 1)
    table = pd.DataFrame({"s": np.array([limit + 1, 5], dtype=dtype)})
    message = rf"'s'.*2\*\*{limit.bit_length() - 1}.*two levels may have become one.*Int64"
    with pytest.raises(ColumnTypeError, match=message):
        read_customers(table, kinds={"s": "nominal"})
    with pytest.raises(ColumnTypeError, match=message):
        read_customers(table.astype("category"))
    with pytest.raises(ColumnTypeError, match=message):
        DemographicEncoder(kinds={"s": "nominal"}, customer_id=None).fit(table)
    with pytest.raises(ColumnTypeError, match=message):
        read_texts(nw.from_native(table["s"], series_only=True), numbers=True, remedy="")


def test_categories_that_are_such_floats_are_refused():
    table = pd.DataFrame({"s": pd.Categorical([float(FIRST), 5.0])})
    with pytest.raises(ColumnTypeError, match=r"'s'.*two levels may have become one"):
        DemographicEncoder(customer_id=None).fit(table)


@pytest.mark.parametrize("others", [[], [2.0]])
def test_whole_numbers_among_objects_are_exact(others):
    numbers = [Decimal(FIRST + 1), Decimal(FIRST)] if not others else [FIRST + 1, FIRST]
    table = pd.DataFrame({"s": pd.Series([*numbers, *others], dtype=object)})
    column = read_customers(table, kinds={"s": "nominal"})["s"]
    assert set(column.categories) >= {str(FIRST), str(FIRST + 1)}
    rest = [False] * len(others)
    for rule, met in ((f"s > {FIRST}", [True, False]), (f"s == {FIRST}", [False, True])):
        assert RuleFilter(Rule.read(rule), table).matches(table).tolist() == met + rest


def test_floats_below_are_all_told_apart():
    numbers = [FIRST - 1.0, FIRST - 2.0, 1234567890123456.0]
    table = pd.DataFrame({"s": numbers})
    encoded = DemographicEncoder(kinds={"s": "nominal"}, customer_id=None).fit_transform(table)
    assert encoded["s"].tolist() == [str(int(number)) for number in numbers]


def test_what_means_no_answer_is_no_neighbour_of_it():
    table = pd.DataFrame({"s": [FIRST, FIRST + 1, 5]})
    for values in ([FIRST + 1], [str(FIRST + 1)]):
        encoder = DemographicEncoder(kinds={"s": "nominal"}, missing_values={"s": values}, customer_id=None)
        assert encoder.fit_transform(table)["s"].isna().tolist() == [False, True, False]
    encoder = DemographicEncoder(missing_values={"s": [FIRST + 1]}, customer_id=None)
    with pytest.warns(DataQualityWarning, match="rounded"):
        assert encoder.fit_transform(table)["s"].isna().tolist() == [False, True, False]


@pytest.mark.parametrize(
    "numbers",
    [
        [FIRST, FIRST + 1],
        [2**63 - 1, 2**63 - 2],
        [-(2**63), -(2**63) + 1],
        [-(2**63), 2**63 - 1],
        [2**64 - 1, 2**64 - 2],
        [Decimal(10**20), Decimal(10**20 + 1)],
    ],
)
def test_personas_see_differences_that_floats_do_not(numbers):
    low, high = numbers if numbers[0] < numbers[1] else numbers[::-1]
    labels = np.repeat([0, 1], 20)
    # one customer of each group is like the others
    values = [low] * 19 + [high] * 20 + [low]
    table = pl.DataFrame({"s": pl.Series(values, dtype=pl.UInt64 if high >= 2**63 and high < 2**64 else None)})
    # nobody is hidden: of the small numbers one customer makes the whole sum
    describer = PersonaDescriber(min_group_size=1)
    profile = clone(describer).fit(table, labels).profile_.set_index("segment")
    small = describer.fit(pd.DataFrame({"s": [float(value == high) for value in values]}), labels)
    expected = small.profile_.set_index("segment")
    np.testing.assert_allclose(profile["effect_size"], expected["effect_size"])
    np.testing.assert_allclose(profile["v_test"], expected["v_test"])
    np.testing.assert_allclose(
        profile["segment_value"], float(low) + (float(high) - float(low)) * expected["segment_value"]
    )

"""Columns made of others: what is understood, and that nothing is run."""

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from hypothesis import given

from custseg._commands.expression import Expression
from custseg.exceptions import ColumnNotFoundError, ColumnTypeError, ConfigurationError

TABLE = pd.DataFrame(
    {"quantity": [2, 3, 4], "unit price": [1.5, np.nan, 10.0], "quoted0": [1, 1, 1], "name": list("abc")}
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("quantity * `unit price`", [3.0, np.nan, 40.0]),
        ("quantity * (`unit price` - 0.5) + quoted0", [3.0, np.nan, 39.0]),
        ("-quantity + 1", [-1.0, -2.0, -3.0]),
        ("`quoted0` + quoted0 * `quantity`", [3.0, 4.0, 5.0]),
        ("1", [1.0, 1.0, 1.0]),
    ],
)
def test_sums_and_products_of_columns_and_numbers(text, expected):
    np.testing.assert_array_equal(Expression.read(text, "where").of(TABLE), expected)


numbers = st.integers(-99, 99)
sums = st.recursive(
    numbers.map(lambda number: (str(number) if number >= 0 else f"({number})", lambda x: number))
    | st.just(("x", lambda x: x)),
    lambda inner: st.tuples(inner, st.sampled_from("+-*"), inner).map(
        lambda made: (
            f"({made[0][0]} {made[1]} {made[2][0]})",
            lambda x: {"+": np.add, "-": np.subtract, "*": np.multiply}[made[1]](made[0][1](x), made[2][1](x)),
        )
    ),
    max_leaves=6,
)


@given(sums, st.lists(st.integers(-9, 9), min_size=1, max_size=4))
def test_an_expression_is_worth_what_arithmetic_says(made, values):
    text, value = made
    table = pd.DataFrame({"x": values})
    expected = np.broadcast_to(value(np.array(values, dtype=float)), len(values))
    np.testing.assert_allclose(Expression.read(text, "where").of(table), expected, rtol=1e-12)


@pytest.mark.parametrize(
    "text",
    [
        "quantity / 2",
        "quantity ** 9",
        "__import__('os')",
        "quantity.sum()",
        "quantity[0]",
        "[quantity for quantity in (1,)]",
        "quantity if True else 2",
        "lambda: 1",
        "quantity + 'a'",
        "quantity + True",
        "quantity + 1j",
        "quantity < 3",
        "quantity = 3",
        "quantity +",
        "unit price * 2",
        "`unit price",
        "(" * 400 + ")",
    ],
)
def test_whatever_is_more_is_refused_and_not_run(text):
    with pytest.raises(ConfigurationError, match="^where: .*Write sums and products of columns and numbers"):
        Expression.read(text, "where")


@pytest.mark.parametrize("text", [3, "", "  ", "x + " * 200 + "x", None])
def test_what_is_no_short_text_is_refused(text):
    with pytest.raises(ConfigurationError, match="^where must be a sum or product of columns in quotes"):
        Expression.read(text, "where")


def test_a_column_that_cannot_be_added_up_is_named():
    with pytest.raises(ColumnNotFoundError, match="'quantty' not found.*Did you mean 'quantity'"):
        Expression.read("quantty * 2", "where").of(TABLE)
    with pytest.raises(ColumnTypeError, match="'name' must be numbers.*decimal comma"):
        Expression.read("name * 2", "where").of(TABLE)

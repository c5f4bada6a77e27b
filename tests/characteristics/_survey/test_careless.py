import itertools
import math
import statistics

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import chi2

from custseg.characteristics._survey.careless import careless_responses, longest_runs, within_person_sd
from custseg.exceptions import ColumnNotFoundError, ColumnTypeError, DataQualityWarning, InvalidTableError
from tests.conftest import shared_data
from tests.sizes import size

ANSWERS = arrays(
    np.float64,
    st.tuples(st.integers(1, 12), st.integers(2, 9)),
    elements=st.sampled_from([1.0, 1.0, 1.0, 2.0, 3.0, np.nan]),
)


def drawn(n_rows=60, n_items=5, missing=0.1, seed=0):
    rng = np.random.RandomState(seed)
    values = rng.randint(1, 6, size=(n_rows, n_items)) + 0.0
    values[rng.random_sample(values.shape) < missing] = np.nan
    return values


def test_the_published_table_of_longest_runs():
    items = pd.read_csv(shared_data("bfi_bigfive") / "bfi.csv").iloc[:, :25]
    runs = careless_responses(items)["longest_run"].value_counts()
    assert runs.to_dict() == {1: 5, 2: 612, 3: 1110, 4: 615, 5: 292, 6: 95, 7: 47, 8: 14, 9: 5, 10: 1, 25: 4}


def runs_in_plain_python(row):
    groups = [
        list(group) for _, group in itertools.groupby(row, key=lambda answer: None if math.isnan(answer) else answer)
    ]
    return max((len(group) for group in groups if not math.isnan(group[0])), default=0)


@given(values=ANSWERS)
def test_runs_and_variability_by_brute_force(values):
    assert longest_runs(values).tolist() == [runs_in_plain_python(row) for row in values.tolist()]
    for row, found in zip(values.tolist(), within_person_sd(values), strict=True):
        known = [answer for answer in row if not math.isnan(answer)]
        expected = statistics.stdev(known) if len(known) > 1 else math.nan
        assert found == pytest.approx(expected, abs=1e-12, nan_ok=True)


def test_equal_answers_have_a_variability_of_exactly_zero():
    assert within_person_sd(np.full((1, 7), 0.1)).tolist() == [0.0]


@given(seed=st.integers(0, 1000), missing=st.sampled_from([0.0, 0.1, 0.4]))
@settings(max_examples=size(6, 30))
def test_the_mahalanobis_distance_is_over_the_answered_items(seed, missing):
    values = drawn(seed=seed, missing=missing)
    signs = careless_responses(values)
    frame = pd.DataFrame(values)
    mean, covariance = frame.mean().to_numpy(), frame.cov().to_numpy()
    for row, found in zip(values, signs["mahalanobis"], strict=True):
        known = ~np.isnan(row)
        if not known.any():
            assert math.isnan(found)
            continue
        away = row[known] - mean[known]
        assert found == pytest.approx(away @ np.linalg.inv(covariance[np.ix_(known, known)]) @ away)


def test_each_flag_is_raised_by_its_own_sign():
    rng = np.random.RandomState(0)
    common = rng.randint(2, 5, size=300)[:, None]
    values = np.clip(common + rng.randint(-1, 2, size=(300, 10)), 1, 5).astype(float)
    values[0] = 3
    values[1] = [1, 5] * 5
    values[2, :7] = 4
    values[2, 7:] = [5, 3, 5]
    signs = careless_responses(values, max_run=6)
    assert signs.loc[0, ["long_run", "low_variability", "unusual"]].to_list() == [True, True, False]
    assert signs.loc[1, ["long_run", "low_variability", "unusual"]].to_list() == [False, False, True]
    assert signs.loc[2, "long_run"]
    assert signs["n_flags"].tolist() == signs[["long_run", "low_variability", "unusual"]].sum(axis=1).tolist()
    assert len(signs) == 300


def test_the_limits_are_those_that_were_asked_for():
    values = drawn()
    signs = careless_responses(values, max_run=1, min_variability=1.5, significance_level=0.2)
    assert signs["long_run"].equals(signs["longest_run"] > 1)
    assert signs["low_variability"].equals(signs["variability"] < 1.5)
    unusual = chi2.sf(signs["mahalanobis"], signs["n_answered"]) <= 0.2
    assert signs["unusual"].tolist() == unusual.tolist()
    assert not signs["unusual"].equals(careless_responses(values)["unusual"])


def test_half_of_the_items_is_the_longest_run_by_default():
    values = drawn(n_items=6, missing=0)
    values[0], values[1] = [2, 2, 2, 1, 2, 3], [2, 2, 2, 2, 1, 3]
    assert careless_responses(values)["long_run"].iloc[:2].to_list() == [False, True]


def test_the_ids_come_from_the_column_else_from_the_index_and_the_order_of_the_rows_stays():
    table = pd.DataFrame(drawn(), columns=list("abcde")).assign(customer_id=np.arange(60)[::-1])
    by_column = careless_responses(table)
    assert by_column.index.name == "customer_id"
    assert by_column.index.tolist() == list(range(59, -1, -1))
    by_index = careless_responses(table.set_index("customer_id"))
    pd.testing.assert_frame_equal(by_index, by_column)
    pd.testing.assert_frame_equal(careless_responses(pl.from_pandas(table)), by_column)
    pd.testing.assert_frame_equal(careless_responses(pl.from_pandas(table).lazy()), by_column)
    assert (
        careless_responses(table.drop(columns="customer_id").to_numpy())
        .reset_index(drop=True)
        .equals(by_column.reset_index(drop=True))
    )


def test_other_columns_are_left_out_by_naming_the_items():
    table = pd.DataFrame(drawn(), columns=list("abcde")).assign(city="Bern")
    signs = careless_responses(table, items=list("abcde"))
    pd.testing.assert_frame_equal(signs, careless_responses(table.drop(columns="city")))
    reordered = careless_responses(table, items=list("edcba"))
    assert reordered["longest_run"].equals(signs["longest_run"])
    assert not careless_responses(table, items=list("acebd"))["longest_run"].equals(signs["longest_run"])


def test_whoever_answered_nothing_is_not_flagged():
    values = drawn()
    values[0] = np.nan
    signs = careless_responses(values)
    assert signs.loc[0, ["n_answered", "longest_run", "n_flags"]].to_list() == [0, 0, 0]
    assert signs.loc[0, ["variability", "mahalanobis"]].isna().all()


def test_nobody_with_two_answers_has_a_variability_or_a_distance():
    with pytest.warns(DataQualityWarning, match="singular"):
        signs = careless_responses([[1, np.nan], [np.nan, 2], [3, np.nan], [np.nan, 4]])
    assert signs[["variability", "mahalanobis"]].isna().all(axis=None)
    assert signs["n_flags"].tolist() == [0, 0, 0, 0]


def test_an_item_that_does_not_vary_is_left_out_of_the_distance():
    values = drawn(missing=0)
    constant = np.column_stack([values, np.full(60, 3.0)])
    pd.testing.assert_series_equal(
        careless_responses(constant)["mahalanobis"], careless_responses(values)["mahalanobis"]
    )


@pytest.mark.parametrize("values", [drawn(n_rows=4), np.repeat(drawn(missing=0), 2, axis=1), np.ones((5, 3))])
def test_a_singular_covariance_gives_no_distance_and_says_so(values):
    with pytest.warns(DataQualityWarning, match="covariance of the items is singular"):
        signs = careless_responses(values)
    assert signs["mahalanobis"].isna().all()
    assert not signs["unusual"].any()


def test_what_cannot_be_used_is_refused_by_name():
    table = pd.DataFrame(drawn(), columns=list("abcde"))
    with pytest.raises(ColumnNotFoundError, match="'f' not found"):
        careless_responses(table, items=["a", "f"])
    with pytest.raises(ColumnTypeError, match="'a' must be answers as numbers"):
        careless_responses(table.assign(a="agree"))
    with pytest.raises(ColumnTypeError, match="'b' holds infinite values in 60"):
        careless_responses(table.assign(b=math.inf))
    with pytest.raises(InvalidTableError, match="at least 2 items"):
        careless_responses(table, items=["a"])
    with pytest.raises(InvalidTableError, match=r"0 sample\(s\)"):
        careless_responses(table.head(0))

import math

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from custseg.characteristics._survey.answers import moments
from custseg.characteristics._survey.factors import factorability, parallel_analysis
from custseg.characteristics._survey.reliability import cronbach_alpha, item_analysis, mcdonald_omega, minres_loadings
from custseg.exceptions import ColumnTypeError, DataQualityWarning, InvalidParameterError, InvalidTableError
from tests.conftest import shared_data
from tests.sizes import size

FUNCTIONS = (cronbach_alpha, mcdonald_omega, item_analysis)
REVERSED = ("A1", "C4", "C5", "E1", "E2")
SCALES = {letter: [f"{letter}{number}" for number in range(1, 6)] for letter in "ACE"}


@pytest.fixture(scope="module")
def bfi():
    items = pd.read_csv(shared_data("bfi_bigfive") / "bfi.csv")[[item for scale in SCALES.values() for item in scale]]
    return items.assign(**{item: 7 - items[item] for item in REVERSED})


# the psych package of R on the same data
@pytest.mark.parametrize(
    ("scale", "alpha", "standardized", "omega"),
    [
        ("A", 0.703018, 0.713029, 0.723211),
        ("C", 0.726735, 0.730073, 0.731204),
        ("E", 0.761733, 0.761795, 0.763981),
    ],
)
def test_the_published_coefficients_of_the_big_five(bfi, scale, alpha, standardized, omega):
    items = bfi[SCALES[scale]]
    assert cronbach_alpha(items) == pytest.approx(alpha, abs=5e-7)
    assert cronbach_alpha(items, standardized=True) == pytest.approx(standardized, abs=5e-7)
    assert mcdonald_omega(items) == pytest.approx(omega, abs=5e-7)


def test_listwise_keeps_the_complete_respondents(bfi):
    items = bfi[SCALES["A"]]
    assert len(items.dropna()) == 2709
    assert cronbach_alpha(items, missing="listwise") == pytest.approx(0.703756, abs=5e-7)
    assert item_analysis(items, missing="listwise")["n"].to_list() == [2709] * 5


def test_the_published_item_table(bfi):
    report = item_analysis(bfi[SCALES["A"]])
    expected = {
        "loading": [0.374177, 0.678674, 0.753790, 0.480337, 0.614755],
        "alpha_if_dropped": [0.718517, 0.617180, 0.600260, 0.685806, 0.642953],
        "item_rest": [0.308418, 0.563615, 0.587005, 0.394444, 0.488565],
    }
    for column, values in expected.items():
        np.testing.assert_allclose(report[column], values, atol=5e-7)
    assert report.index.to_list() == SCALES["A"]
    assert report["n"].to_list() == bfi[SCALES["A"]].count().to_list()
    np.testing.assert_allclose(report["mean"], bfi[SCALES["A"]].mean())
    np.testing.assert_allclose(report["sd"], bfi[SCALES["A"]].std())


def likert(fewest=2, most=6, missing=True):
    codes = [1.0, 2.0, 3.0, 4.0, 5.0, np.nan] if missing else [1.0, 2.0, 3.0, 4.0, 5.0]
    return st.integers(fewest, most).flatmap(
        lambda k: arrays(np.float64, st.tuples(st.integers(4, 25), st.just(k)), elements=st.sampled_from(codes))
    )


@given(values=likert())
def test_pairwise_moments_are_those_of_pandas(values):
    found, frame = moments(values), pd.DataFrame(values)
    answered = frame.notna().astype(int)
    np.testing.assert_array_equal(found.n, answered.T @ answered)
    np.testing.assert_allclose(found.covariance, frame.cov(min_periods=2), atol=1e-12)
    np.testing.assert_allclose(found.correlation, frame.corr(min_periods=2), atol=1e-12)


@given(values=likert(), seed=st.integers(0, 1000))
def test_no_digit_depends_on_the_order_of_rows_or_items(values, seed):
    rng = np.random.RandomState(seed)
    rows, items = rng.permutation(len(values)), rng.permutation(values.shape[1])
    one, other = moments(values), moments(values[rows][:, items])
    np.testing.assert_array_equal(one.covariance[np.ix_(items, items)], other.covariance)
    np.testing.assert_array_equal(one.correlation[np.ix_(items, items)], other.correlation)


def test_a_negative_alpha_is_said():
    a = np.array([1.0, 2.0, 4.0, 5.0, 3.0, 2.0])
    with pytest.warns(DataQualityWarning, match=r"cronbach_alpha: alpha is -\d.*against each other.*Reverse"):
        assert cronbach_alpha(np.column_stack([a, 5.5 - a + np.arange(6) / 9])) < -2


@given(values=likert(), factor=st.sampled_from([-3.0, 0.5, 7.0]), shift=st.integers(-9, 9), order=st.randoms())
@pytest.mark.filterwarnings("ignore:.*alpha is -:custseg.exceptions.DataQualityWarning")
def test_alpha_does_not_change_with_the_unit_or_the_order_of_the_items(values, factor, shift, order):
    alpha = cronbach_alpha(values)
    items = list(range(values.shape[1]))
    order.shuffle(items)
    for changed in (factor * values + shift, values[:, items]):
        assert cronbach_alpha(changed) == pytest.approx(alpha, abs=1e-9, nan_ok=True)
        standardized = cronbach_alpha(values, standardized=True)
        assert cronbach_alpha(changed, standardized=True) == pytest.approx(standardized, abs=1e-9, nan_ok=True)


@given(k=st.integers(2, 8), r=st.floats(0.05, 0.95), seed=st.integers(0, 1000), sd=st.floats(0.1, 50))
def test_parallel_items_have_the_alpha_of_spearman_and_brown(k, r, seed, sd):
    correlation = np.full((k, k), r) + (1 - r) * np.eye(k)
    items = sd * with_correlation(correlation, seed)
    expected = k * r / (1 + (k - 1) * r)
    assert cronbach_alpha(items) == pytest.approx(expected)
    assert cronbach_alpha(items, standardized=True) == pytest.approx(expected)
    if k > 2:
        assert mcdonald_omega(items) == pytest.approx(expected)


def with_correlation(correlation, seed):
    """Rows whose sample correlations are exactly these."""
    k = len(correlation)
    drawn = np.random.RandomState(seed).standard_normal((k + 20, k))
    white = np.linalg.qr(drawn - drawn.mean(axis=0))[0] * math.sqrt(k + 19)
    return white @ np.linalg.cholesky(correlation).T


@given(
    loadings=st.lists(st.floats(0.2, 0.95), min_size=3, max_size=8),
    turned=st.integers(0, 2),
    seed=st.integers(0, 100),
)
@settings(max_examples=size(4, 40))
def test_minres_finds_the_loadings_of_one_exact_factor(loadings, turned, seed):
    loadings = np.array(loadings)
    loadings[:turned] *= -1
    assume(abs(loadings.sum()) > 0.05)
    correlation = np.outer(loadings, loadings)
    np.fill_diagonal(correlation, 1.0)
    found = minres_loadings(correlation)
    np.testing.assert_allclose(found, loadings * np.sign(loadings.sum()), atol=1e-5)
    omega = loadings.sum() ** 2 / (loadings.sum() ** 2 + (1 - loadings**2).sum())
    assert mcdonald_omega(with_correlation(correlation, seed)) == pytest.approx(omega, abs=1e-5)


@given(values=likert(missing=False), seed=st.integers(0, 100))
@settings(max_examples=size(4, 40))
def test_no_small_change_of_the_loadings_fits_the_correlations_better(values, seed):
    correlation = moments(values).correlation
    assume(np.isfinite(correlation).all() and len(correlation) > 2)
    loadings = minres_loadings(correlation)
    off = np.triu_indices(len(correlation), 1)

    def misfit(tried):
        return ((correlation - np.outer(tried, tried))[off] ** 2).sum()

    for step in np.random.RandomState(seed).standard_normal((20, len(loadings))) * 0.01:
        assert misfit(np.clip(loadings + step, -1, 1)) >= misfit(loadings) - 1e-9
    assert loadings.sum() >= 0


@settings(max_examples=size(6, 100))
@given(values=likert(fewest=3, most=5, missing=False))
@pytest.mark.filterwarnings("ignore::custseg.exceptions.DataQualityWarning")
def test_item_analysis_by_brute_force(values):
    frame = pd.DataFrame(values, columns=list("abcde")[: values.shape[1]])
    report = item_analysis(frame)
    for item in frame:
        rest = frame.drop(columns=item)
        total = rest.sum(axis=1)
        varies = frame[item].std() > 0 and total.std() > 0
        expected = np.corrcoef(frame[item], total)[0, 1] if varies else math.nan
        assert report.loc[item, "item_rest"] == pytest.approx(expected, abs=1e-9, nan_ok=True)
        assert report.loc[item, "alpha_if_dropped"] == pytest.approx(cronbach_alpha(rest), abs=1e-9, nan_ok=True)


def test_the_same_answers_in_any_kind_of_frame_give_the_same():
    frame = pd.DataFrame({"a": [1, 2, 4, 5, None], "b": [1, 3, 4, 4, 2], "c": [2, 2, 5, 4, 1]}, index=list("vwxyz"))
    polars = pl.from_pandas(frame)
    for function in (cronbach_alpha, mcdonald_omega):
        expected = function(frame)
        for other in (frame.to_numpy(), polars, polars.lazy(), polars.to_arrow(), frame.convert_dtypes()):
            assert function(other) == expected
    pd.testing.assert_frame_equal(item_analysis(polars), item_analysis(frame))
    assert item_analysis(frame.to_numpy()).index.to_list() == ["x0", "x1", "x2"]


def test_the_index_of_a_pandas_table_is_no_item():
    frame = pd.DataFrame({"a": [1, 2, 4], "b": [1, 3, 4]}, index=pd.Index([7, 8, 9], name="customer_id"))
    assert item_analysis(frame).index.to_list() == ["a", "b"]


@pytest.mark.parametrize("function", [*FUNCTIONS, factorability, parallel_analysis])
@pytest.mark.parametrize("name", ["customer_id", "respondent"])
def test_the_customer_id_is_no_item(function, name):
    options = {"random_state": 0} if function is parallel_analysis else {}
    items = pd.DataFrame({"a": [1, 2, 4, 5, 3], "b": [1, 3, 4, 4, 2], "c": [2, 2, 5, 4, 1]})
    ids = pd.Series(["k1", "k2", "k3", "k4", "k5"], name=name)
    expected = function(items, **options)
    for table in (items.assign(**{name: ids}), pl.from_pandas(items.assign(**{name: ids}))):
        found = function(table, customer_id=name, **options)
        assert str(found) == str(expected)


def test_an_item_against_the_others_is_named_and_its_reversal_suggested():
    frame = pd.DataFrame({"a": [1, 2, 4, 5], "b": [1, 3, 4, 5], "c": [1, 2, 4, 4], "d": [5, 4, 2, 1]})
    with pytest.warns(DataQualityWarning, match=r"correlation\): 'd' \(-0\.9\d\)\. .*reverse it \('-d' .*\); other"):
        item_analysis(frame)
    with pytest.warns(DataQualityWarning, match=r"'d' \(-0\.99\), 'a' \(-0\.37\)\. .*'-d'.*look again at the others"):
        item_analysis(frame[["a", "b", "d"]])
    with pytest.warns(DataQualityWarning, match="alpha is -"):
        assert cronbach_alpha(frame[["a", "b", "d"]]) < 0


def test_an_item_that_does_not_vary_leaves_alpha_and_undefines_the_rest():
    frame = pd.DataFrame({"a": [1, 2, 4, 5], "b": [1, 3, 4, 5], "c": [0.1, 0.1, 0.1, 0.1]})
    with pytest.warns(DataQualityWarning, match="one and the same answer from everybody: 'c'"):
        report = item_analysis(frame)
    assert math.isnan(report.loc["c", "item_rest"])
    assert report.loc["a", "item_rest"] > 0
    assert report["loading"].isna().all()
    assert cronbach_alpha(frame) > 0
    assert math.isnan(cronbach_alpha(frame, standardized=True))
    assert math.isnan(mcdonald_omega(frame))


def test_an_item_that_nobody_answered_undefines_the_coefficients():
    frame = pd.DataFrame({"a": [1, 2, 4, 5], "b": [1, 3, 4, 5], "c": [None] * 4})
    with pytest.warns(DataQualityWarning, match="nobody answered: 'c'"):
        report = item_analysis(frame)
    assert report.loc["c", "n"] == 0
    assert math.isnan(cronbach_alpha(frame))
    assert math.isnan(mcdonald_omega(frame))


def test_with_two_items_there_is_alpha_and_no_factor():
    frame = pd.DataFrame({"a": [1, 2, 4, 5], "b": [1, 3, 4, 5]})
    report = item_analysis(frame)
    assert report["item_rest"].to_list() == pytest.approx([frame["a"].corr(frame["b"])] * 2)
    assert report[["alpha_if_dropped", "loading"]].isna().all(axis=None)
    assert cronbach_alpha(frame) > 0.9
    assert math.isnan(mcdonald_omega(frame))


def test_one_respondent_defines_nothing():
    assert math.isnan(cronbach_alpha([[1, 2, 3]]))
    assert math.isnan(mcdonald_omega([[1, 2, 3]]))


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    ("table", "error", "message"),
    [
        (pd.DataFrame({"a": [1, 2]}), InvalidTableError, r"at least 2 items, got 1 \('a'\)"),
        (pd.DataFrame({"a": [], "b": []}), InvalidTableError, r"0 sample\(s\)"),
        (
            pd.DataFrame({"a": [1, 2], "b": ["agree", "no"]}),
            ColumnTypeError,
            "'b' must be answers as numbers.*answers=",
        ),
        (pd.DataFrame({"a": [1, 2], "b": [math.inf, 2]}), ColumnTypeError, r"'b' holds infinite values in 1 row\(s\)"),
        ([1, 2, 3], InvalidTableError, r"of shape \(3,\)"),
        (np.array([["a", "b"]]), InvalidTableError, "matrix of numbers"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(function, table, error, message):
    with pytest.raises(error, match=f"{function.__name__}.*{message}"):
        function(table)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_listwise_without_a_complete_row_is_an_error(function):
    with pytest.raises(InvalidTableError, match="none of the 2 respondents answered all 2 items"):
        function([[1, math.nan], [math.nan, 2]], missing="listwise")
    with pytest.raises(InvalidParameterError, match="'missing' must be 'pairwise' or 'listwise'"):
        function([[1, 2], [3, 4]], missing="casewise")

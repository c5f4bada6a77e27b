"""Published references, definitions by brute force, and independent software for the profile statistics."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.special import ndtri
from sklearn.datasets import load_iris

from custseg.personas import (
    benjamini_hochberg,
    category_p_value,
    category_v_test,
    eta_squared,
    hedges_g,
    is_marker,
    lift,
    numeric_v_test,
)


def tails(both, segment, level, total):
    """Exact probabilities of fewer, as many and more customers with the category."""
    ways = [
        math.comb(level, j) * math.comb(total - level, segment - j) if 0 <= segment - j <= total - level else 0
        for j in range(min(segment, level) + 1)
    ]
    everything = math.comb(total, segment)
    return [Fraction(sum(part), everything) for part in (ways[:both], ways[both : both + 1], ways[both + 1 :])]


def exact_p(*counts):
    fewer, equal, more = tails(*counts)
    return min(2 * fewer + equal, 2 * more + equal)


counts = st.integers(1, 60).flatmap(
    lambda total: st.tuples(st.integers(0, total), st.integers(0, total), st.just(total)).flatmap(
        lambda sizes: st.tuples(
            st.integers(max(0, sizes[0] + sizes[1] - total), min(sizes[0], sizes[1])), *map(st.just, sizes)
        )
    )
)


def test_v_tests_of_iris_setosa():
    X, species = load_iris(return_X_y=True)
    setosa = X[species == 0]
    v = numeric_v_test(
        segment_mean=setosa.mean(axis=0),
        overall_mean=X.mean(axis=0),
        overall_sd=X.std(axis=0),
        n_segment=50,
        n_overall=150,
    )
    np.testing.assert_allclose(v, [-8.757174, 7.364799, -11.263787, -10.831410], atol=5e-7)


def test_eta_squared_of_iris():
    X, species = load_iris(return_X_y=True)
    groups = [X[species == label] for label in range(3)]
    means, sds = np.array([group.mean(axis=0) for group in groups]), np.array([group.std(axis=0) for group in groups])
    np.testing.assert_allclose(
        eta_squared(means=means, sds=sds, counts=np.full((3, 1), 50)),
        [0.618706, 0.400783, 0.941372, 0.928883],
        atol=5e-7,
    )


def test_the_published_category():
    assert category_p_value(n_both=51, n_segment=74, n_level=155, n_overall=300) == pytest.approx(
        0.000616301, abs=5e-10
    )
    assert category_v_test(n_both=51, n_segment=74, n_level=155, n_overall=300) == pytest.approx(3.424337, abs=5e-7)


def two_by_two(n_both, n_segment, n_level, n_overall):
    return {"n_both": n_both, "n_segment": n_segment, "n_level": n_level, "n_overall": n_overall}


@given(counts)
def test_category_p_is_its_definition(numbers):
    p = exact_p(*numbers)
    assert category_p_value(**two_by_two(*numbers)) == pytest.approx(float(p), rel=1e-9)
    assert 0 < category_p_value(**two_by_two(*numbers)) <= 1
    both, segment, level, total = numbers
    sign = np.sign(both * total - segment * level)
    assert category_v_test(**two_by_two(*numbers)) == pytest.approx(sign * -ndtri(float(p) / 2), abs=1e-7)


@given(counts)
def test_category_p_has_the_symmetries_of_a_two_by_two_table(numbers):
    both, segment, level, total = numbers
    p, v = category_p_value(**two_by_two(*numbers)), category_v_test(**two_by_two(*numbers))
    assert category_p_value(**two_by_two(both, level, segment, total)) == pytest.approx(p, rel=1e-9)
    assert category_v_test(**two_by_two(segment - both, segment, total - level, total)) == pytest.approx(-v, abs=1e-7)
    assert category_v_test(**two_by_two(level - both, total - segment, level, total)) == pytest.approx(-v, abs=1e-7)


def test_category_v_agrees_with_scipy_on_large_counts():
    random = np.random.RandomState(0)
    total = 1_000_000
    segment, level = random.randint(10, total // 5, 500), random.randint(10, total // 2, 500)
    both = random.hypergeometric(level, total - level, segment)
    law = stats.hypergeom(total, level, segment)
    p = np.minimum(2 * law.cdf(both - 1) + law.pmf(both), 2 * law.sf(both) + law.pmf(both))
    np.testing.assert_allclose(category_p_value(**two_by_two(both, segment, level, total)), p, rtol=1e-6)


def test_category_v_stays_finite_where_p_vanishes():
    both, segment, level, total = 1000, 1000, 2000, 10_000
    p = exact_p(both, segment, level, total)
    log_p = math.log(p.numerator) - math.log(p.denominator)
    v = category_v_test(**two_by_two(both, segment, level, total))
    assert category_p_value(**two_by_two(both, segment, level, total)) == 0 < p
    assert stats.norm.logsf(v) + math.log(2) == pytest.approx(log_p, rel=1e-9)


@pytest.mark.parametrize("numbers", [(5, 5, 10, 20), (10, 20, 10, 20), (0, 5, 0, 20), (5, 5, 20, 20), (0, 0, 5, 20)])
def test_a_share_as_expected_has_no_v(numbers):
    expected = numbers[1] * numbers[2] == numbers[0] * numbers[3]
    assert (category_v_test(**two_by_two(*numbers)) == 0) == expected


@given(st.integers(2, 30), st.integers(2, 30), st.integers(0, 2**31 - 1))
def test_hedges_g_is_its_definition(n, n_other, seed):
    random = np.random.RandomState(seed)
    here, rest = random.randn(n) + 1, 2 * random.randn(n_other)
    pooled = np.sqrt(((n - 1) * here.var(ddof=1) + (n_other - 1) * rest.var(ddof=1)) / (n + n_other - 2))
    expected = (here.mean() - rest.mean()) / pooled * (1 - 3 / (4 * (n + n_other) - 9))
    g = hedges_g(
        segment_mean=here.mean(),
        segment_sd=here.std(),
        n_segment=n,
        rest_mean=rest.mean(),
        rest_sd=rest.std(),
        n_rest=n_other,
    )
    assert g == pytest.approx(expected)
    assert g * np.sqrt(n * n_other / (n + n_other)) / (1 - 3 / (4 * (n + n_other) - 9)) == pytest.approx(
        stats.ttest_ind(here, rest).statistic
    )


def test_effects_where_nothing_varies():
    assert hedges_g(segment_mean=2, segment_sd=0, n_segment=5, rest_mean=1, rest_sd=0, n_rest=5) == np.inf
    assert np.isnan(hedges_g(segment_mean=1, segment_sd=0, n_segment=5, rest_mean=1, rest_sd=0, n_rest=5))
    assert np.isnan(hedges_g(segment_mean=1, segment_sd=0, n_segment=1, rest_mean=2, rest_sd=0, n_rest=1))
    assert np.isnan(hedges_g(segment_mean=1, segment_sd=1, n_segment=9, rest_mean=0, rest_sd=0, n_rest=0))
    assert np.isnan(numeric_v_test(segment_mean=1, overall_mean=1, overall_sd=0, n_segment=5, n_overall=10))
    assert np.isnan(numeric_v_test(segment_mean=1, overall_mean=1, overall_sd=2, n_segment=10, n_overall=10))
    assert np.isnan(eta_squared(means=[1, 1], sds=[0, 0], counts=[5, 5]))
    assert eta_squared(means=[1, 3, np.nan], sds=[1, 1, np.nan], counts=[5, 5, 0]) == pytest.approx(0.5)


def test_v_test_of_random_segments_is_standard():
    random = np.random.RandomState(0)
    values = random.exponential(size=60)
    means = np.array([values[random.permutation(60)[:20]].mean() for _ in range(4000)])
    v = numeric_v_test(
        segment_mean=means, overall_mean=values.mean(), overall_sd=values.std(), n_segment=20, n_overall=60
    )
    assert abs(v.mean()) < 0.06
    assert v.std() == pytest.approx(1, abs=0.04)


def test_markers_and_lift():
    shares, overall = [0.75, 0.74, 0.85, 0.15, 0.14, 0.0, np.nan], [0.5, 0.5, 0.6, 0.1, 0.1, 0.0, 0.5]
    assert is_marker(segment_share=shares, overall_share=overall).tolist() == [
        True,
        False,
        True,
        True,
        False,
        False,
        False,
    ]
    np.testing.assert_array_equal(lift(segment_share=[0.5, 0.0, 0.3], overall_share=[0.25, 0.5, 0.0]), [2, 0, np.nan])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.integers(0, 3))
def test_benjamini_hochberg_agrees_with_scipy(p_values, n_missing):
    p = np.array(p_values + [np.nan] * n_missing)
    adjusted = benjamini_hochberg(p)
    np.testing.assert_allclose(adjusted[: len(p_values)], stats.false_discovery_control(p_values), rtol=1e-12)
    assert np.isnan(adjusted[len(p_values) :]).all()

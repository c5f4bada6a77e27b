"""Which columns go with another, by tests that keep their level where levels are rare."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency

from custseg._core.customers import Column, CustomerTable
from custseg.segmentation._selection.associations import LEVEL, _p_of_levels, _variance_parts, related_columns


def category(name, codes, kind="nominal"):
    return Column(name, kind, np.asarray(codes, dtype=np.int64), tuple(f"l{level}" for level in range(300)))


def number(name, values):
    return Column(name, "numeric", np.asarray(values, dtype=np.float64))


def related(*columns):
    return related_columns(CustomerTable(columns, len(columns[0].values)))


def test_what_goes_together_stays_and_noise_does_not():
    random = np.random.RandomState(0)
    group = random.randint(2, size=800)
    told = number("told", random.normal(size=800))
    by_number = category("by number", np.digitize(told.values + random.normal(size=800), [-1, 0, 1]))
    pair = [category(name, np.where(random.random_sample(800) < 0.8, group, 2)) for name in ("one", "other")]
    noise = [category(f"noise of {n_levels}", random.randint(n_levels, size=800)) for n_levels in (2, 5, 20, 300)]
    noise += [number(f"noise {place}", random.normal(size=800)) for place in range(3)]
    assert related(told, *noise, by_number, *pair) == ["told", "by number", "one", "other"]


def test_numbers_that_bend_together_are_related():
    random = np.random.RandomState(1)
    angle = random.uniform(0, 2 * np.pi, 600)
    ring = number("x", np.cos(angle)), number("y", np.sin(angle))
    assert abs(np.corrcoef(ring[0].values, ring[1].values)[0, 1]) < 0.1
    assert related(*ring, number("noise", random.normal(size=600))) == ["x", "y"]


def test_a_weak_order_of_many_levels_is_seen():
    random = np.random.RandomState(2)
    trait = random.normal(size=600)
    answers = [
        category(name, np.digitize(0.5 * trait + random.normal(size=600), np.linspace(-1.5, 1.5, 9)), "ordinal")
        for name in "ab"
    ]
    assert related(*answers, category("noise", random.randint(10, size=600), "ordinal")) == ["a", "b"]
    # by their levels alone, whose order is not looked at, they do not go together
    assert _p_of_levels(*(answer.values for answer in answers)) > LEVEL / 3


def test_columns_that_each_mark_a_group_are_related():
    random = np.random.RandomState(0)
    group = random.randint(6, size=150)
    markers = [number(f"marks {place}", 6.0 * (group == place) + random.normal(size=150)) for place in range(6)]
    noise = [number(f"noise {place}", random.normal(size=150)) for place in range(4)]
    assert related(*markers, *noise) == [f"marks {place}" for place in range(6)]


def test_missing_values_and_constants_tell_nothing():
    random = np.random.RandomState(3)
    half = number("half", np.where(random.random_sample(200) < 0.5, np.nan, random.normal(size=200)))
    absent = category("absent", np.where(np.isnan(half.values), random.randint(3, size=200), -1))
    unknown = number("unknown", np.full(200, np.nan))
    assert related(half, absent, category("constant", np.zeros(200)), unknown) == []


@given(seed=st.integers(0, 10_000), n_levels=st.integers(2, 6))
def test_with_many_customers_in_each_level_the_test_is_pearsons(seed, n_levels):
    random = np.random.RandomState(seed)
    one = random.randint(n_levels, size=3_000)
    other = np.where(random.random_sample(3_000) < 0.02, one, random.randint(3, size=3_000))
    crossed = np.histogram2d(one, other, [range(n_levels + 1), range(max(n_levels, 3) + 1)])[0]
    crossed = crossed[:, crossed.sum(axis=0) > 0]
    assert _p_of_levels(one, other) == pytest.approx(chi2_contingency(crossed, correction=False).pvalue, abs=2e-3)


def test_the_moments_of_chi_squared_are_those_of_permutations():
    random = np.random.RandomState(4)
    one, other = random.choice(4, 40, p=[0.9, 0.04, 0.03, 0.03]), random.choice(3, 40, p=[0.8, 0.1, 0.1])
    margins = [np.bincount(codes)[np.bincount(codes) > 0].astype(float) for codes in (one, other)]
    expected = np.outer(*margins) / 40

    def statistic(permuted):
        crossed = np.array([[((one == i) & (permuted == j)).sum() for j in np.unique(other)] for i in np.unique(one)])
        return ((crossed - expected) ** 2 / expected).sum()

    drawn = [statistic(random.permutation(other)) for _ in range(4_000)]
    (even, rare), (even_too, rare_too) = map(_variance_parts, margins)
    variance = 2 * 40 / 37 * even * even_too + 40**2 / 39 * rare * rare_too
    assert np.mean(drawn) == pytest.approx(40 / 39 * (len(margins[0]) - 1) * (len(margins[1]) - 1), rel=0.08)
    assert np.var(drawn) == pytest.approx(variance, rel=0.2)


@pytest.mark.parametrize(("n_levels", "n_levels_too"), [(300, 300), (20, 300), (20, 20)])
def test_rare_levels_do_not_make_noise_related(n_levels, n_levels_too):
    random = np.random.RandomState(5)
    p = [_p_of_levels(random.randint(n_levels, size=600), random.randint(n_levels_too, size=600)) for _ in range(300)]
    assert np.mean(np.array(p) <= 0.05) < 0.09
    assert np.mean(np.array(p) <= 0.5) == pytest.approx(0.5, abs=0.09)

"""Which columns latent classes are fitted to: categories that go with no other are left out."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency

from custseg._core.customers import Column, CustomerTable
from custseg.segmentation._selection.associations import _p_of_levels, without_unrelated


def category(name, codes):
    return Column(name, "nominal", np.asarray(codes, dtype=np.int64), tuple(f"l{level}" for level in range(30)))


def table(*columns):
    return CustomerTable(columns, len(columns[0].values))


def test_noise_is_left_out_and_what_goes_together_stays():
    random = np.random.RandomState(0)
    group = random.randint(2, size=800)
    number = Column("number", "numeric", random.normal(size=800))
    with_number = category("with number", np.digitize(number.values + random.normal(size=800), [-1, 0, 1]))
    pair = [category(name, np.where(random.random_sample(800) < 0.8, group, 2)) for name in ("one", "other")]
    noise = [category(f"noise of {n_levels}", random.randint(n_levels, size=800)) for n_levels in (2, 5, 20)]
    kept = without_unrelated(table(number, with_number, *pair, *noise))
    assert kept.names == ["number", "with number", "one", "other"]


def test_numbers_stay_and_a_table_of_noise_stays_whole():
    random = np.random.RandomState(1)
    numbers = [Column(name, "numeric", random.normal(size=300)) for name in "ab"]
    noise = [category(name, random.randint(5, size=300)) for name in "cd"]
    assert without_unrelated(table(*numbers, *noise)).names == ["a", "b"]
    assert without_unrelated(table(*noise)).names == ["c", "d"]


def test_missing_values_and_constants_tell_nothing():
    random = np.random.RandomState(2)
    number = Column("number", "numeric", np.where(random.random_sample(200) < 0.5, np.nan, random.normal(size=200)))
    absent = category("absent", np.where(np.isnan(number.values), random.randint(3, size=200), -1))
    constant = category("constant", np.zeros(200))
    noise = Column("noise", "numeric", random.normal(size=200))
    assert without_unrelated(table(number, noise, absent, constant)).names == ["number", "noise"]


@given(seed=st.integers(0, 10_000), n_levels=st.integers(2, 6))
def test_the_test_of_two_categories_is_pearsons(seed, n_levels):
    random = np.random.RandomState(seed)
    one = random.randint(n_levels, size=150)
    other = np.where(random.random_sample(150) < 0.2, one, random.randint(3, size=150))
    crossed = np.array([[((one == i) & (other == j)).sum() for j in np.unique(other)] for i in np.unique(one)])
    assert np.isclose(_p_of_levels(one, other), chi2_contingency(crossed, correction=False).pvalue, atol=1e-12)

import functools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from custseg._core.customers import Column, CustomerTable
from custseg.segmentation._selection.copula import calibrate, pairwise_correlation, recolored, square_root, whitened
from custseg.segmentation._selection.null import NullGenerator
from tests.sizes import size


def table_of(*columns):
    return CustomerTable(columns, len(columns[0].values))


def mixed_table(n=800, seed=0, missing=0.0):
    """Two numeric columns (one skewed), an ordinal, a binary and a nominal one that all depend on one factor."""
    random = np.random.RandomState(seed)
    factor = random.normal(size=n)

    def latent():
        return 0.8 * factor + 0.6 * random.normal(size=n)

    utilities = np.column_stack([latent(), random.normal(size=n), -latent()])
    columns = [
        Column("age", "numeric", latent()),
        Column("spend", "numeric", np.exp(latent())),
        Column("opinion", "ordinal", np.searchsorted([-1.0, 0.0, 1.0], latent()), tuple("abcd")),
        Column("member", "binary", (latent() > 0.5).astype(float)),
        Column("region", "nominal", utilities.argmax(axis=1), ("north", "east", "south")),
    ]
    if missing:
        columns = [hide(column, random.random_sample(n) < missing) for column in columns]
    return table_of(*columns)


def hide(column, rows):
    values = column.values.copy()
    values[rows] = -1 if column.kind in ("ordinal", "nominal") else np.nan
    return replace(column, values=values)


def sorted_values(column):
    return np.sort(column.values[~column.missing])


def mask_rows(table):
    """Count how often each pattern of missing values occurs."""
    masks = np.column_stack([column.missing for column in table.columns])
    return {tuple(row): count for row, count in zip(*np.unique(masks, axis=0, return_counts=True), strict=True)}


@pytest.mark.parametrize("noise", [None, 1.0])
@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_scalar_margins_and_missing_patterns_are_exact(noise, missing):
    table = mixed_table(missing=missing)
    draw = NullGenerator.fit(table, noise=noise).draw(random_state=3)
    assert draw.names == table.names
    for name in ("age", "spend", "opinion", "member"):
        np.testing.assert_array_equal(sorted_values(draw[name]), sorted_values(table[name]))
    assert mask_rows(draw) == mask_rows(table)


@pytest.mark.parametrize("noise", [None, 1.0])
def test_associations_and_nominal_frequencies_are_reproduced(noise):
    table = mixed_table(2000, missing=0.05)
    generator = NullGenerator.fit(table, noise=noise)
    assert generator.error < 0.01
    shares = np.bincount(sorted_values(table["region"])) / len(sorted_values(table["region"]))
    found, drawn_shares = [], []
    for seed in range(10):
        draw = generator.draw(seed)
        found.append(NullGenerator.fit(draw, noise=1.0).target)
        region = sorted_values(draw["region"])
        drawn_shares.append(np.bincount(region, minlength=3) / len(region))
    np.testing.assert_allclose(np.mean(drawn_shares, axis=0), shares, atol=0.01)
    # the nominal columns are last and in order of frequency in each table, here the same
    np.testing.assert_allclose(np.mean(found, axis=0)[:4, :4], generator.target[:4, :4], atol=0.02)
    np.testing.assert_allclose(np.mean(found, axis=0)[:4, 4:], generator.target[:4, 4:], atol=0.03)


def test_the_latent_correlation_exceeds_that_of_coarse_columns():
    random = np.random.RandomState(1)
    latent = random.multivariate_normal([0, 0], [[1, 0.7], [0.7, 1]], size=20_000)
    yes = tuple(Column(name, "binary", (x > 1).astype(float)) for name, x in zip("ab", latent.T, strict=True))
    generator = NullGenerator.fit(table_of(*yes), noise=1.0)
    assert generator.target[0, 1] < 0.5
    assert generator.correlation[0, 1] == pytest.approx(0.7, abs=0.02)


def test_a_gaussian_copula_gives_its_own_correlation_back():
    random = np.random.RandomState(2)
    latent = random.multivariate_normal([0, 0], [[1, -0.6], [-0.6, 1]], size=5_000)
    table = table_of(Column("a", "numeric", np.exp(latent[:, 0])), Column("b", "numeric", latent[:, 1] ** 3))
    for noise in (None, 1.0):
        assert NullGenerator.fit(table, noise=noise).correlation[0, 1] == pytest.approx(-0.6, abs=0.03)


def test_less_noise_keeps_more_of_a_bend():
    """Straight association cannot show a parabola; the smoothed copula does."""
    random = np.random.RandomState(3)
    x = random.normal(size=2_000)
    table = table_of(Column("x", "numeric", x), Column("y", "numeric", x**2 + 0.3 * random.normal(size=2_000)))

    def bend(noise):
        draw = NullGenerator.fit(table, noise=noise).draw(0)
        return spearmanr(np.abs(draw["x"].values), draw["y"].values).statistic

    observed = spearmanr(np.abs(x), table["y"].values).statistic
    assert abs(bend(1.0)) < 0.1
    assert 0.5 * observed < bend(None) < observed


def test_noise_follows_scotts_bandwidth():
    generator = NullGenerator.fit(mixed_table(500))
    bandwidth = 500 ** (-1 / (len(generator.correlation) + 4))
    assert generator.noise == pytest.approx(bandwidth**2 / (1 + bandwidth**2))


def test_scores_decide_which_correlation_is_kept():
    table = mixed_table()
    spend = table["spend"].values
    raw = NullGenerator.fit(table, scores={"age": table["age"].values, "spend": spend}).target[0, 1]
    logs = NullGenerator.fit(table, scores={"age": table["age"].values, "spend": np.log(spend)}).target[0, 1]
    assert raw == pytest.approx(np.corrcoef(table["age"].values, spend)[0, 1])
    assert logs == pytest.approx(np.corrcoef(table["age"].values, np.log(spend))[0, 1])


def test_draws_are_reproducible_and_differ_by_seed():
    generator = NullGenerator.fit(mixed_table(200, missing=0.1))
    first, again, other = generator.draw(5), generator.draw(5), generator.draw(6)
    for name in first.names:
        np.testing.assert_array_equal(first[name].values, again[name].values)
    assert not np.array_equal(first["age"].values, other["age"].values, equal_nan=True)


@functools.cache
def drawn_once():
    return NullGenerator.fit(mixed_table(120, missing=0.1)).draw(0)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=size(2, 5))
def test_the_order_of_rows_changes_no_draw(seed):
    table = mixed_table(120, missing=0.1)
    shuffled = table.take(np.random.RandomState(seed).permutation(table.n_customers))
    first, second = drawn_once(), NullGenerator.fit(shuffled).draw(0)
    for name in first.names:
        np.testing.assert_array_equal(first[name].values, second[name].values)


def test_constant_and_empty_columns_are_drawn_as_they_are():
    table = mixed_table(60)
    constant = Column("country", "nominal", np.zeros(60, dtype=np.int64), ("here",))
    unknown = Column("income", "numeric", np.full(60, np.nan))
    draw = NullGenerator.fit(table_of(*table.columns, constant, unknown)).draw(0)
    assert (draw["country"].values == 0).all()
    assert np.isnan(draw["income"].values).all()
    alone = NullGenerator.fit(table_of(constant, unknown)).draw(0)
    assert alone.n_customers == 60
    assert (alone["country"].values == 0).all()


@pytest.mark.parametrize("noise", [None, 1.0])
def test_collinear_columns_stay_collinear(noise):
    x = np.random.RandomState(4).normal(size=300)
    table = table_of(Column("x", "numeric", x), Column("twice", "numeric", 2 * x), Column("bent", "numeric", np.exp(x)))
    draw = NullGenerator.fit(table, noise=noise).draw(0)
    assert spearmanr(draw["x"].values, draw["twice"].values).statistic > 0.999
    assert spearmanr(draw["x"].values, draw["bent"].values).statistic > 0.99


def test_impossible_pairwise_correlations_are_projected():
    """Pairs that are never seen together can ask for a ~ b ~ c ~ -a; the nearest possible is used."""
    random = np.random.RandomState(5)
    x = random.normal(size=300)
    a, b, c = x.copy(), x.copy(), x.copy()
    a[:100] = np.nan
    b[100:200] = np.nan
    c[200:] = np.nan
    c[100:200] *= -1
    table = table_of(*(Column(name, "numeric", values) for name, values in zip("abc", (a, b, c), strict=True)))
    generator = NullGenerator.fit(table)
    assert np.linalg.eigvalsh(generator.target).min() < -0.5
    assert np.linalg.eigvalsh(generator.correlation).min() > -1e-9
    assert sorted_values(generator.draw(0)["a"]).tolist() == sorted_values(table["a"]).tolist()


def test_rare_levels_share_a_utility_and_all_occur_about_as_often():
    random = np.random.RandomState(6)
    towns = np.concatenate([np.arange(60), random.randint(0, 5, size=2_940)])
    table = table_of(
        Column("town", "nominal", towns, tuple(f"town {i}" for i in range(60))),
        Column("age", "numeric", random.normal(size=3_000)),
    )
    generator = NullGenerator.fit(table)
    assert len(generator.correlation) == 5 + 1 + 1  # five frequent towns, the others together, and age
    counts = np.mean([np.bincount(generator.draw(seed)["town"].values, minlength=60) for seed in range(10)], axis=0)
    np.testing.assert_allclose(counts[:5], np.bincount(towns)[:5], rtol=0.1)
    assert 40 < counts[5:].sum() < 70
    assert counts[5:].max() < 3


def test_no_more_than_twenty_levels_have_a_utility():
    towns = np.random.RandomState(7).randint(0, 30, size=900)
    table = table_of(Column("town", "nominal", towns, tuple(f"town {i}" for i in range(30))))
    generator = NullGenerator.fit(table)
    assert len(generator.correlation) == 20
    assert set(generator.draw(0)["town"].values) == set(range(30))


def test_a_column_of_rare_levels_only_is_drawn_at_random():
    towns = np.repeat(np.arange(150), 2)
    table = table_of(
        Column("town", "nominal", towns, tuple(f"town {i}" for i in range(150))),
        Column("age", "numeric", np.arange(300.0)),
    )
    draw = NullGenerator.fit(table).draw(0)
    assert len(set(draw["town"].values)) > 100
    assert abs(spearmanr(draw["town"].values, draw["age"].values).statistic) < 0.2


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_tiny_tables_are_drawn(n):
    draw = NullGenerator.fit(mixed_table(n)).draw(0)
    assert draw.n_customers == n
    np.testing.assert_array_equal(sorted_values(draw["age"]), sorted_values(mixed_table(n)["age"]))


def test_pairwise_correlation_is_that_of_the_complete_pairs():
    random = np.random.RandomState(7)
    features = random.normal(size=(200, 3)) @ random.normal(size=(3, 3))
    features[random.random_sample(features.shape) < 0.2] = np.nan
    both = ~np.isnan(features[:, 0]) & ~np.isnan(features[:, 2])
    expected = np.corrcoef(features[both, 0], features[both, 2])[0, 1]
    assert pairwise_correlation(features)[0, 2] == pytest.approx(expected, abs=1e-12)
    never_together = np.array([[1.0, np.nan], [2.0, np.nan], [np.nan, 1.0], [np.nan, 3.0]])
    np.testing.assert_array_equal(pairwise_correlation(never_together), np.eye(2))


@given(n_columns=st.integers(1, 5), seed=st.integers(0, 1000))
@settings(max_examples=size(4, 20))
def test_whitening_and_recolouring_are_exact(n_columns, seed):
    random = np.random.RandomState(seed)
    sample = random.normal(size=(50, n_columns)) @ random.normal(size=(n_columns, n_columns))
    white = whitened(sample)
    np.testing.assert_allclose(white.T @ white / 50, np.eye(n_columns), atol=1e-8)
    np.testing.assert_allclose(white.mean(axis=0), 0, atol=1e-8)
    factors = random.normal(size=(n_columns, n_columns + 1))
    scale = np.sqrt((factors**2).sum(axis=1))
    correlation = factors @ factors.T / np.outer(scale, scale)
    moved = recolored(white, correlation)
    np.testing.assert_allclose(moved.T @ moved / 50, correlation, atol=1e-6)
    root = square_root(correlation)
    np.testing.assert_allclose(root @ root, correlation, atol=1e-8)


def test_too_few_rows_are_centred_only():
    sample = np.random.RandomState(8).normal(size=(3, 4))
    np.testing.assert_allclose(whitened(sample), sample - sample.mean(axis=0))


def test_calibration_keeps_its_best_step():
    """More steps never end with a larger error than the first one."""
    table = mixed_table(400)
    generator = NullGenerator.fit(table, noise=1.0)
    base = whitened(np.random.RandomState(0).standard_normal((10_000, len(generator.target))))
    offsets = np.concatenate([np.log(part.shares) for part in generator._parts])
    _, _, error = calibrate(generator._parts, generator.target, base, generator.target, offsets)
    assert error == pytest.approx(generator.error)
    assert error < 0.01

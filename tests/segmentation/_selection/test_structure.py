from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans

from custseg._core.customers import Column, CustomerTable, read_customers
from custseg.datasets import make_customers
from custseg.exceptions import DataQualityWarning
from custseg.segmentation import CharacteristicEmbedder
from custseg.segmentation._kmeans.patterns import distinct_patterns
from custseg.segmentation._selection.space import Space
from custseg.segmentation._selection.structure import effect_floor, grown, improved, run_structure_test
from custseg.validation import structure_test
from tests.sizes import size


def columns_of(matrix):
    columns = tuple(Column(f"x{position}", "numeric", values) for position, values in enumerate(matrix.T))
    return CustomerTable(columns, len(matrix))


def space_of(matrix, max_customers=2_500):
    matrix = np.asarray(matrix, dtype=float)
    return Space.of(columns_of(matrix), None, matrix, max_customers=max_customers, random=np.random.RandomState(0))


def blobs(n=300, n_columns=4, distance=6.0, seed=0, n_groups=3):
    """Return groups that differ in a column each; where these are fewer than the columns, the others are noise."""
    random = np.random.RandomState(seed)
    return random.normal(size=(n, n_columns)) + distance * np.eye(n_columns)[random.randint(n_groups, size=n)]


def outcome(matrix, seed=0, **kwargs):
    return run_structure_test(space_of(matrix), random=np.random.RandomState(seed), **kwargs)


def test_separated_groups_are_structure():
    found = outcome(blobs(n_groups=4))
    assert found.rejected
    assert found.p_value == pytest.approx(1 / 40)
    assert found.effect > 0.1
    assert found.strongest_at == 4
    assert found.table["n_segments"].tolist() == list(range(2, 9))


@pytest.mark.thorough
def test_one_correlated_cloud_is_none():
    random = np.random.RandomState(1)
    cloud = random.normal(size=(size(200, 400), 4)) @ random.normal(size=(4, 4))
    assert not any(outcome(cloud, seed).rejected for seed in range(size(2, 3)))


def test_the_figures_are_those_of_kmeans_and_agree_with_each_other():
    matrix = blobs()[:, :3]
    found = outcome(matrix).table.set_index("n_segments")
    total = matrix.var(axis=0).sum() * len(matrix)
    for k in (2, 3):
        best = KMeans(k, n_init=20, random_state=0).fit(matrix).inertia_ / total
        assert found.loc[k, "unexplained"] == pytest.approx(best, rel=1e-3)
    np.testing.assert_allclose(found["excess"], np.log(found["null_unexplained"] / found["unexplained"]))
    assert found["unexplained"].is_monotonic_decreasing


def test_the_p_value_counts_draws_as_extreme_as_the_data():
    found = outcome(blobs(distance=0.0), n_draws=19, significance_level=0.05)
    assert 9 <= found.n_draws <= 19
    beating = found.p_value * (found.n_draws + 1) - 1
    assert beating == pytest.approx(round(beating))
    assert not found.rejected


def test_a_hopeless_test_stops_early_and_a_promising_one_does_not():
    assert outcome(blobs(n=100, distance=0.0)).n_draws < 39
    assert outcome(blobs(n=100)).n_draws == 39


def test_small_differences_are_no_structure():
    assert effect_floor(1) == pytest.approx(0.1)
    assert effect_floor(3) == pytest.approx(0.1 / 3)
    assert effect_floor(50) == pytest.approx(0.01)


@pytest.mark.thorough
@pytest.mark.parametrize("seed", range(size(1, 3)))
def test_the_order_of_rows_and_columns_changes_nothing(seed):
    matrix = blobs(n=size(100, 200))
    random = np.random.RandomState(seed)
    shuffled = matrix[random.permutation(len(matrix))][:, random.permutation(4)]
    first, second = outcome(matrix, n_draws=19), outcome(shuffled, n_draws=19)
    pd.testing.assert_frame_equal(first.table, second.table)
    assert first.p_value == second.p_value


def test_a_sample_does_not_depend_on_the_order_either():
    matrix = blobs(n=300)
    shuffled = matrix[np.random.RandomState(2).permutation(300)]
    first, second = space_of(matrix, max_customers=100), space_of(shuffled, max_customers=100)
    assert first.table.n_customers == 100
    np.testing.assert_array_equal(first.embed(first.table), second.embed(second.table))


def test_the_space_embeds_as_the_embedder_does_and_leaves_descriptors_out():
    random = np.random.RandomState(3)
    frame = pd.DataFrame(
        {
            "age": random.normal(size=50),
            "note": random.choice(["a", "b"], size=50),
            "region": random.choice(["n", "e", "s"], size=50),
        }
    )
    table = read_customers(frame)
    embedder = CharacteristicEmbedder(weights={"note": 0, "age": 2}).fit(table)
    matrix = embedder.transform(table)
    space = Space.of(table, embedder, matrix, max_customers=2_500, random=np.random.RandomState(0))
    assert sorted(space.table.names) == ["age", "region"]
    assert space.n_columns == pytest.approx(9 / 5)
    embedded = space.embed(space.table)
    np.testing.assert_allclose(np.sort(embedded, axis=None), np.sort(matrix, axis=None))
    np.testing.assert_allclose(np.sort(space.scores()["age"]), np.sort(matrix[:, 0]))
    moved = replace(space.table["age"], values=space.table["age"].values + 1.0)
    changed = space.embed(CustomerTable((space.table["region"], moved), 50))
    assert (np.abs(changed - embedded).max(axis=0) > 0.1).sum() == 1


def test_columns_of_a_question_count_by_their_variance():
    random = np.random.RandomState(0)
    ticked = random.random_sample((400, 6)) < [0.5, 0.5, 0.5, 0.3, 0.1, 0.02]
    frame = pd.DataFrame(ticked, columns=[f"image__{option}" for option in range(6)])
    frame = frame.assign(spend=random.randn(400), visits=random.randn(400), image__same=True)
    own = frame.drop(columns=["spend", "visits"]).var(ddof=0).to_numpy()
    for weight in (1.0, 3.0):
        embedder = CharacteristicEmbedder(weights={"image": weight}).set_output(transform="default")
        table = read_customers(frame)
        with pytest.warns(DataQualityWarning, match="image__same"):
            matrix = embedder.fit_transform(table)
        space = Space.of(table, embedder, matrix, max_customers=2_500, random=np.random.RandomState(0))
        variances = np.concatenate([[1.0, 1.0], weight * own / own.sum()])
        assert space.n_columns == pytest.approx(variances.sum() ** 2 / (variances**2).sum())
        assert space.n_varying == 8
        assert space.weights == dict.fromkeys(frame.columns[:6], weight) | {
            "spend": 1,
            "visits": 1,
            "image__same": weight,
        }


def test_growing_reaches_the_best_partition_of_clear_groups():
    patterns = distinct_patterns(blobs())
    random = np.random.RandomState(0)
    two = improved(patterns, patterns.values[:2])
    three = min((grown(patterns, two, random) for _ in range(4)), key=lambda solution: solution.sse)
    best = KMeans(3, n_init=20, random_state=0).fit(patterns.values)
    assert three.sse == pytest.approx(best.inertia_, rel=1e-4)


def test_few_distinct_patterns_do_not_break_the_test():
    random = np.random.RandomState(4)
    answers = (random.random_sample((200, 3)) < 0.5).astype(float)
    found = outcome(answers)
    assert found.table["n_segments"].max() == 7
    assert not found.rejected


def test_columns_of_noise_change_nothing():
    sample = make_customers(400, n_segments=3, separation=2.0, random_state=0)
    table = sample.profile[["customer_id", *sample.structured_columns[:6]]]
    random = np.random.RandomState(0)
    texts = {
        f"text {place}": np.array(list("abcdefghijklmnopqrst"))[random.randint(20, size=400)] for place in range(8)
    }
    numbers = {f"number {place}": random.normal(size=400) for place in range(8)}
    alone = structure_test(table, n_draws=19, random_state=0)
    assert alone.rejected
    beside = structure_test(table.assign(**texts, **numbers), n_draws=19, random_state=0)
    pd.testing.assert_frame_equal(beside.table, alone.table)
    assert beside.p_value == alone.p_value
    assert beside.least_effect == alone.least_effect


def test_where_too_little_goes_together_all_columns_take_part():
    random = np.random.RandomState(0)
    noise = random.normal(size=(200, 4))
    assert len(space_of(noise).table.columns) == 4
    same = np.repeat(noise[:, :1] > 0, 3, axis=1)
    # three columns that say the same show two kinds of customers only
    assert len(space_of(np.column_stack([noise[:, 1:], same])).table.columns) == 6
    pair = noise[:, :1] + 0.5 * random.normal(size=(200, 2))
    assert len(space_of(np.column_stack([noise[:, 1:], pair])).table.columns) == 5
    triple = noise[:, :1] + 0.5 * random.normal(size=(200, 3))
    assert len(space_of(np.column_stack([noise[:, 1:], triple])).table.columns) == 3

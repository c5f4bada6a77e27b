"""Valleys between groups: where there are some, where there are none, and what may not matter."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import KMeans

from custseg.segmentation._selection.valleys import FEWEST, NO_VALLEY, depth_of_valleys, joined


def cut(matrix, k, seed=0):
    return KMeans(k, n_init=5, random_state=seed).fit_predict(matrix)


def n_separated(ratios, labels):
    return len(np.unique(joined(ratios, labels)))


def groups(distance, sizes=(300, 200), n_columns=4, seed=0):
    random = np.random.RandomState(seed)
    labels = np.repeat(np.arange(len(sizes)), sizes)
    return random.normal(size=(len(labels), n_columns)) + distance * np.eye(n_columns)[labels], labels


def test_far_groups_have_a_deep_valley_and_touching_ones_none():
    deep, shallow, none = (depth_of_valleys(*groups(distance), 2)[0, 1] for distance in (6.0, 2.6, 0.8))
    assert deep < 0.02
    assert 0.2 < shallow < 0.8
    assert none >= NO_VALLEY


@pytest.mark.parametrize("k", [2, 3, 5])
@pytest.mark.parametrize("stretch", [1.0, 4.0])
def test_slices_of_one_cloud_are_one_group(k, stretch):
    cloud = np.random.RandomState(k).normal(size=(800, 5)) * [stretch, 1, 1, 1, 1]
    labels = cut(cloud, k)
    assert n_separated(depth_of_valleys(cloud, labels, k), labels) == 1


def test_slices_inside_groups_are_joined_and_the_groups_are_not():
    random = np.random.RandomState(1)
    long = random.normal(size=(900, 3)) * [5, 1, 1]
    matrix = long + 8 * np.array([[0, 0, 0], [0, 1, 0], [0, 0, 1.0]])[random.randint(3, size=900)]
    labels = cut(matrix, 6)
    assert n_separated(depth_of_valleys(matrix, labels, 6), labels) == 3


def test_groups_of_a_few_customers_share_the_hill_of_the_nearest():
    matrix, labels = groups(9.0)
    labels = labels.copy()
    labels[: FEWEST - 1] = 2
    ratios = depth_of_valleys(matrix, labels, 3)
    assert ratios[0, 2] == 1.0
    assert ratios[1, 2] == 0.0
    assert n_separated(ratios, labels) == 2


def test_groups_without_customers_do_not_count():
    matrix, labels = groups(9.0)
    assert n_separated(depth_of_valleys(matrix, labels, 4), labels) == 2


def test_single_points_are_apart_where_they_differ():
    matrix = np.repeat([[0.0, 0.0], [1.0, 0.0], [1.0, 0.0]], 10, axis=0)
    ratios = depth_of_valleys(matrix, np.repeat([0, 1, 2], 10), 3)
    assert ratios[0, 1] == 0.0
    assert ratios[1, 2] == 1.0


@given(seed=st.integers(0, 500), scale=st.sampled_from([1e-3, 1.0, 1e3]))
def test_neither_rows_nor_labels_nor_units_matter(seed, scale):
    matrix, labels = groups(3.0, sizes=(60, 40, 30), seed=seed)
    ratios = depth_of_valleys(matrix, labels, 3)
    random = np.random.RandomState(seed)
    rows, names = random.permutation(len(labels)), random.permutation(3)
    other = depth_of_valleys(scale * matrix[rows] + 5.0, names[labels[rows]], 3)
    np.testing.assert_allclose(other[np.ix_(names, names)], ratios, atol=1e-6)
    np.testing.assert_array_equal(ratios, ratios.T)
    assert ((ratios >= 0) & (ratios <= 1)).all()

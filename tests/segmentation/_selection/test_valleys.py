"""Valleys between groups: where there are some, where there are none, and what may not matter."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import KMeans

from custseg.segmentation._selection import valleys
from custseg.segmentation._selection.directions import Coordinates
from custseg.segmentation._selection.valleys import FEWEST, MANY_JOINED, PROVEN, PROVEN_WIDE, valley


def find_hills(matrix, labels, levels=None):
    """Numbers, and categories as columns of codes from 0."""
    levels = np.empty((len(matrix), 0), dtype=np.int64) if levels is None else levels
    starts = np.cumsum([0, *(column.max() + 2 for column in levels.T)])
    return valleys.find_hills(Coordinates(matrix, levels + starts[:-1], starts, np.ones(levels.shape[1])), labels)


def cut(matrix, k, seed=0):
    return KMeans(k, n_init=5, random_state=seed).fit_predict(matrix)


def n_proven(matrix, labels):
    return len(np.unique(find_hills(matrix, labels).proven))


def groups(distance, sizes=(300, 200), n_columns=4, seed=0):
    random = np.random.RandomState(seed)
    labels = np.repeat(np.arange(len(sizes)), sizes)
    return random.normal(size=(len(labels), n_columns)) + distance * np.eye(n_columns)[labels], labels


def bodies(kind, n, p, seed):
    """One convex body without any valley."""
    random = np.random.RandomState(seed)
    if kind == "disc":
        points = random.normal(size=(n, p))
        return points / np.linalg.norm(points, axis=1)[:, None] * random.random_sample(n)[:, None] ** (1 / p)
    if kind == "square":
        return random.uniform(-1, 1, (n, p))
    if kind == "diamond":
        parts = random.exponential(size=(n, p + 1))
        return parts[:, :p] / parts.sum(axis=1)[:, None] * random.choice([-1, 1], size=(n, p))
    return random.gamma(2.0, size=(n, p))


KINDS = ("disc", "square", "diamond", "skewed")


def test_far_groups_are_proven_near_ones_distinct_and_touching_ones_neither():
    far, near, touching = (find_hills(*groups(distance)) for distance in (4.5, 2.8, 0.8))
    assert far.proven.max() == far.distinct.max() == 1
    assert near.distinct.max() == 1
    assert touching.proven.max() == touching.distinct.max() == 0


@pytest.mark.parametrize("p", [2, 5])
@pytest.mark.parametrize("k", [2, 5, 8])
@pytest.mark.parametrize("kind", KINDS)
def test_slices_of_one_body_are_one_group(kind, k, p):
    body = bodies(kind, 800, p, seed=k)
    assert n_proven(body, cut(body, k)) == 1


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize(("kind", "apart"), [("disc", (2.0, 0.0)), ("diamond", (2.0, 0.0)), ("square", (2.2, 0.7))])
def test_two_touching_bodies_are_two_hills(kind, apart, seed):
    two = np.vstack([bodies(kind, 500, 2, seed), bodies(kind, 500, 2, seed + 50) + apart])
    assert n_proven(two, np.repeat([0, 1], 500)) == 2


def test_slices_are_a_poor_description_and_groups_are_a_good_one():
    body = bodies("square", 800, 2, 3)
    assert find_hills(body, cut(body, 6)).n_doubtful >= MANY_JOINED
    assert find_hills(*groups(5.0, sizes=(200, 200, 200))).n_doubtful == 0


def test_slices_inside_groups_are_joined_and_the_groups_are_not():
    random = np.random.RandomState(1)
    long = random.normal(size=(900, 3)) * [5, 1, 1]
    matrix = long + 8 * np.array([[0, 0, 0], [0, 1, 0], [0, 0, 1.0]])[random.randint(3, size=900)]
    assert n_proven(matrix, cut(matrix, 6)) == 3


@pytest.mark.parametrize("n_levels", [20, 300])
def test_noise_that_tells_classes_apart_opens_no_valley(n_levels):
    """By a direction fitted to 60 customers, texts of many levels at random separate any two classes."""
    random = np.random.RandomState(n_levels)
    matrix, levels = random.normal(size=(240, 3)), random.randint(n_levels, size=(240, 10))
    labels = cut(matrix, 4)
    apart = matrix + 12.0 * np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])[labels]
    assert len(np.unique(find_hills(matrix, labels, levels).proven)) == 1
    assert len(np.unique(find_hills(apart, labels, levels).proven)) == 4


def test_categories_tell_classes_apart():
    random = np.random.RandomState(0)
    labels = np.arange(600) % 2
    told = np.where(random.random_sample((600, 12)) < 0.9, labels[:, None], random.randint(4, size=(600, 12)))
    matrix = random.normal(size=(600, 1))
    assert len(np.unique(find_hills(matrix, labels, told).distinct)) == 2
    assert len(np.unique(find_hills(matrix, labels, random.randint(4, size=(600, 12))).distinct)) == 1


def test_a_valley_of_a_few_customers_is_not_proven():
    random = np.random.RandomState(0)
    few, many = (np.concatenate([random.uniform(0, 1, n), random.uniform(1.4, 2.4, n)]) for n in (10, 500))
    assert valley(few[few < 1.2], few[few > 1.2])[1] < PROVEN < valley(many[many < 1.2], many[many > 1.2])[1]


def test_steps_of_a_scale_are_no_valley():
    random = np.random.RandomState(0)
    steps = np.round(random.normal(size=2_000) * 3)
    assert valley(steps[steps < 0], steps[steps >= 0])[1] > PROVEN  # between the steps there is nobody
    assert valley(steps[steps < 0], steps[steps >= 0])[0] < PROVEN_WIDE
    assert n_proven(steps[:, None], (steps >= 0).astype(int)) == 1


def test_groups_of_a_few_customers_share_the_hill_of_the_nearest():
    matrix, labels = groups(9.0)
    labels = labels.copy()
    labels[: FEWEST - 1] = 2
    found = find_hills(matrix, labels)
    np.testing.assert_array_equal(found.distinct, np.repeat([0, 1], [300, 200]))
    np.testing.assert_array_equal(found.proven, found.distinct)


def test_numbers_without_customers_do_not_count():
    matrix, labels = groups(9.0)
    assert n_proven(matrix, 3 * labels) == 2


def test_single_points_are_apart_where_they_differ():
    matrix = np.repeat([[0.0, 0.0], [1.0, 0.0], [1.0, 0.0]], 10, axis=0)
    found = find_hills(matrix, np.repeat([0, 1, 2], 10))
    np.testing.assert_array_equal(found.proven, np.repeat([0, 1, 1], 10))


@given(seed=st.integers(0, 500), scale=st.sampled_from([1e-3, 1.0, 3.0, 1e3]))
def test_neither_labels_nor_units_matter(seed, scale):
    matrix, labels = groups(3.0, sizes=(60, 40, 30), seed=seed)
    found = find_hills(matrix, labels)
    names = np.random.RandomState(seed).permutation(3)
    other = find_hills(scale * matrix, names[labels])
    for one, again in ((found.distinct, other.distinct), (found.proven, other.proven)):
        np.testing.assert_array_equal(one[:, None] == one, again[:, None] == again)
    assert found.n_doubtful == other.n_doubtful

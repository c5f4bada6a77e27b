"""Customers of one continuum, embedded as those whom they stand beside."""

import numpy as np
import pandas as pd
import pytest

from custseg._core.customers import read_customers
from custseg.segmentation import CharacteristicEmbedder
from custseg.segmentation._selection.continuum import one_continuum


@pytest.fixture(scope="module")
def customers():
    random = np.random.RandomState(0)
    groups = random.randint(3, size=300)
    return pd.DataFrame(
        {
            "age": random.normal(40, 8, 300) + 10 * groups,
            "visits": random.poisson(3 + 2 * groups).astype(float),
            "way": np.array(["bus", "car", "foot"])[groups],
            "ignored": random.normal(size=300),
        }
    )


def draws(customers, n_draws=1, max_customers=1000):
    table = read_customers(customers)
    embedder = CharacteristicEmbedder(weights={"age": 1, "visits": 1, "way": 2}).fit(table)
    matrix = np.asarray(embedder.transform(table))
    options = {"n_draws": n_draws, "max_customers": max_customers, "random": np.random.RandomState(1)}
    return matrix, one_continuum(table, embedder, matrix, **options)


def test_a_draw_keeps_values_and_associations(customers):
    matrix, found = draws(customers, n_draws=3)
    assert len(found) == 3
    for drawn in found:
        assert drawn.shape == matrix.shape
        np.testing.assert_allclose(np.sort(drawn[:, :2], axis=0), np.sort(matrix[:, :2], axis=0), atol=1e-9)
        assert np.corrcoef(drawn[:, 0], drawn[:, 1])[0, 1] == pytest.approx(
            np.corrcoef(matrix[:, 0], matrix[:, 1])[0, 1], abs=0.1
        )
    assert not np.array_equal(found[0], found[1])


def test_the_order_of_rows_does_not_count(customers):
    order = np.random.RandomState(2).permutation(len(customers))
    _, (first,) = draws(customers)
    _, (second,) = draws(customers.iloc[order].reset_index(drop=True))
    np.testing.assert_allclose(first, second)


def test_of_many_customers_a_sample_is_drawn_after(customers):
    assert draws(customers, max_customers=120)[1][0].shape[0] == 120


def test_numbers_as_they_are_keep_their_values():
    points = np.random.RandomState(0).normal(size=(80, 3)) * [1, 5, 0]
    table = read_customers(pd.DataFrame(points, columns=list("abc")))
    (drawn,) = one_continuum(table, None, points, n_draws=1, max_customers=100, random=np.random.RandomState(0))
    np.testing.assert_array_equal(np.sort(drawn, axis=0), np.sort(points, axis=0))

"""The order of columns without names follows from what they hold."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from custseg.segmentation._base.order import order_by_content
from tests.sizes import size


def sets_of_rows(matrix: np.ndarray) -> set[bytes]:
    """Put the columns in order, for every order they may come in; rows sorted."""
    found = set()
    for columns in permutations(range(matrix.shape[1])):
        arranged = matrix[:, columns]
        ordered = arranged[:, order_by_content(arranged, np.ones(len(matrix)))]
        found.add(ordered[np.lexsort(ordered.T)].tobytes())
    return found


@pytest.mark.thorough
@pytest.mark.parametrize("seed", range(size(6, 20)))
def test_columns_whose_moments_tie_are_told_apart_by_how_they_go_with_others(seed: int) -> None:
    matrix = np.random.RandomState(seed).randint(0, 2, (16, 5)).astype(float)
    matrix[:, 1] = matrix[::-1, 0]  # as many ones
    assert len(sets_of_rows(matrix)) == 1


def test_columns_that_may_change_places_and_columns_alike_have_some_order() -> None:
    for matrix in (np.eye(4), np.zeros((3, 4)), np.ones((2, 1))):
        assert len(sets_of_rows(matrix)) == 1

"""The search among local optima of k-prototypes: optima that are known, and what it says of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custseg.segmentation._prototypes.clusterer import KPrototypesClusterer
from custseg.segmentation._prototypes.evolved import affordable, best_prototypes
from custseg.segmentation._prototypes.search import MixedPatterns, find_prototypes, prototype_cost, prototypes_of
from custseg.segmentation._prototypes.space import Layout
from tests.segmentation.partitions import partitions
from tests.sizes import size


def mixed(n_rows: int, seed: int) -> MixedPatterns:
    """Two numbers and two categories, of 3 and 4 levels."""
    random = np.random.RandomState(seed)
    levels = [random.randint(-1, width, size=n_rows) for width in (3, 4)]
    coordinates = np.unique(np.column_stack([random.randint(0, 4, (n_rows, 2)), *levels]).astype(float), axis=0)
    coordinates[:, :2] -= coordinates[:, :2].mean(axis=0)
    return MixedPatterns.of(coordinates, np.ones(len(coordinates)), Layout(2, (3, 4), (0.8, 0.9)))


@settings(max_examples=size(3, 30), deadline=None)
@given(st.integers(0, 10_000))
def test_it_finds_the_least_of_all_partitions(seed: int) -> None:
    patterns = mixed(7, seed)
    least = min(
        prototype_cost(patterns, prototypes_of(patterns, labels[None], 3)[0], labels)
        for labels in partitions(len(patterns.points), 3)
    )
    _, optimum = best_prototypes(patterns, 3, n_init=8, random_state=seed)
    assert optimum.objective == pytest.approx(least, abs=1e-9)


def test_it_is_never_worse_than_the_restarts_and_better_where_they_disagree() -> None:
    patterns = mixed(150, 0)
    gains = []
    for seed in range(3):
        _, restarts = find_prototypes(patterns, 6, n_init=5, random_state=np.random.RandomState(seed))
        centers, optimum = best_prototypes(patterns, 6, n_init=5, random_state=seed)
        assert centers.shape == (6, 9)
        assert optimum.n_hits == restarts.n_hits
        gains.append(restarts.objective - optimum.objective)
    assert min(gains) >= 0
    assert max(gains) > 0


def test_clear_groups_are_confirmed_and_take_no_search() -> None:
    groups = np.arange(90) % 3
    table = pd.DataFrame({"spend": groups * 10.0 + np.arange(90) / 100, "region": np.array(["N", "S", "E"])[groups]})
    found = KPrototypesClusterer(3, random_state=0).fit(table)
    assert found.optimum_.is_confirmed
    assert sorted(found.segment_sizes_) == [30, 30, 30]


def test_what_it_costs_is_bounded_by_restarts_and_by_size() -> None:
    assert affordable(20, 100_000, 8, 20) == 0
    assert affordable(2, 500, 4, 12) * 10 == affordable(20, 500, 4, 12) == 1600

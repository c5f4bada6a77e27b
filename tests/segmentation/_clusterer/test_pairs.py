"""Pairs of bootstrap samples within a clusterer: alike whatever else is asked for, in cells and out of them."""

from __future__ import annotations

import numpy as np
import pytest

from custseg.segmentation._clusterer.embedding_step import Embedding, embedded, task_of
from custseg.segmentation._clusterer.engines import engine_of
from custseg.segmentation._clusterer.pairs import counts_of_rows, pairs_of
from custseg.segmentation._kmeans._many import cell_refits
from custseg.segmentation._reproducibility.measures import adjusted_rand, cross_table

SEEDS = np.random.RandomState(1).randint(2**31 - 1, size=(5, 2))


def task_and_engine(X, engine="kmeans"):
    machinery = engine_of(engine, n_init=5, sample_above=100_000)
    customers = embedded(X, Embedding("passthrough", None, None, None), np.ones(len(X)))
    return task_of(customers, machinery, n_segments=None, min_segment_share=0.0, random_state=0), machinery


def three_groups(n=300):
    random = np.random.RandomState(0)
    return random.normal(size=(n, 3)) + 6 * (np.arange(n) % 3)[:, None]


@pytest.fixture(params=["each customer is a cell", "cells"])
def way(request, monkeypatch):
    if request.param == "cells":
        monkeypatch.setattr(cell_refits, "FEW_CUSTOMERS", 50)
        monkeypatch.setattr(cell_refits, "N_CELLS", (60,))
        monkeypatch.setattr(cell_refits, "CELLS_TOGETHER", 120)


@pytest.mark.usefixtures("way")
def test_a_pair_does_not_depend_on_other_pairs_and_numbers():
    task, engine = task_and_engine(three_groups())
    pairs = pairs_of(engine, task, SEEDS)
    together = list(pairs([2, 3, 4], SEEDS))
    alone = list(pairs([4], SEEDS[3:]))
    assert len(together) == 5
    for mine, theirs in zip(together[3:], alone, strict=True):
        np.testing.assert_array_equal(np.array(mine[2]), np.array(theirs[0]))


@pytest.mark.usefixtures("way")
def test_clear_groups_come_back_and_others_do_not():
    task, engine = task_and_engine(three_groups())
    counts = counts_of_rows(engine, task)
    agreement = [
        [adjusted_rand(cross_table(*each, (6, 6), counts)) for each in pair]
        for pair in pairs_of(engine, task, SEEDS)([3, 6], SEEDS)
    ]
    three, six = np.mean(agreement, axis=0)
    assert three == 1.0
    assert six < 0.9


@pytest.mark.parametrize("engine", ["kmeans", "k_prototypes"])
def test_a_number_that_a_sample_cannot_be_cut_into_has_no_labels(engine):
    X = np.repeat(np.arange(6.0), [50, 50, 50, 1, 1, 1])[:, None]
    task, machinery = task_and_engine(X, engine)
    found = list(pairs_of(machinery, task, SEEDS)([3, 6], SEEDS))
    assert all(pair[0] is not None for pair in found)
    assert any(pair[1] is None for pair in found)

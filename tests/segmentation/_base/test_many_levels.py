"""Columns of so many levels that, one column each, they would not fit into memory."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from custseg import (
    CharacteristicEmbedder,
    KPrototypesClusterer,
    LatentClassClusterer,
    Segmentation,
    SegmentClusterer,
    bootstrap_stability,
    describe_segments,
    segment_separation,
    select_n_segments,
    structure_test,
)
from custseg.exceptions import ColumnTypeError
from custseg.segmentation._base import checks

N_CUSTOMERS = 100_000


def customers(n_customers=N_CUSTOMERS, n_levels=None):
    levels = np.arange(n_customers) % (n_levels or n_customers - 1)
    return pd.DataFrame(
        {
            "age": np.arange(n_customers) % 60 + 20.0,
            "town": pd.Categorical.from_codes(levels, np.arange(levels.max() + 1)),
        }
    )


READERS = {
    "embedder": lambda X: CharacteristicEmbedder().fit(X),
    "kmeans": lambda X: SegmentClusterer(2, random_state=0).fit(X),
    "latent classes": lambda X: LatentClassClusterer(2, random_state=0).fit(X),
    "k-prototypes": lambda X: KPrototypesClusterer(2, random_state=0).fit(X),
    "structure": lambda X: structure_test(X, random_state=0),
    "selection": lambda X: select_n_segments(X, random_state=0),
    "stability": lambda X: bootstrap_stability(SegmentClusterer(2, random_state=0), X, n_pairs=2),
    "separation": lambda X: segment_separation(X, np.arange(len(X)) % 2),
}


@pytest.mark.parametrize("reader", sorted(READERS))
def test_a_hundred_thousand_levels_are_refused_by_name(reader, monkeypatch):
    # the same of a table that is quick to read
    monkeypatch.setattr(checks, "MOST_CELLS", 200_000)
    with pytest.raises(
        ColumnTypeError, match=r"'town' must be levels that group customers, got 999 levels among 1,000"
    ):
        READERS[reader](customers(1_000))


def test_the_limit_is_one_of_memory():
    with pytest.raises(ColumnTypeError, match="99,999 levels among 100,000 customers.* take 80.0 GB. Pool"):
        CharacteristicEmbedder().fit(customers())
    # few customers may have many levels, and a level of many customers is nothing odd
    few = customers(2_000, 1_500)
    assert CharacteristicEmbedder().fit_transform(few).shape == (2_000, 1_501)
    assert CharacteristicEmbedder().fit(customers(n_levels=90)).transforms_["kind"].tolist() == ["numeric", "nominal"]
    # a column of weight 0 is described only
    assert CharacteristicEmbedder(weights={"town": 0}).fit(customers()).transforms_["weight"].tolist() == [1.0, 0.0]


def test_personas_describe_such_columns_all_the_same():
    found = describe_segments(Segmentation.of(customers(), np.arange(N_CUSTOMERS) % 2))
    assert len(found.personas) == 2

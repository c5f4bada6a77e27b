"""How many customers change segment: against a definition by brute force, and where the answer is known."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joblib import parallel_config
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs
from sklearn.ensemble import VotingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from custseg.exceptions import DataQualityWarning, InvalidParameterError
from custseg.segmentation import CharacteristicEmbedder, SegmentClusterer
from custseg.validation import weight_sensitivity
from custseg.validation._sensitivity import _changed
from custseg.weighting import CharacteristicWeights


def customers(n: int = 120, seed: int = 0) -> pd.DataFrame:
    rng = np.random.RandomState(seed)
    table = pd.DataFrame({"spend": rng.randn(n), "visits": rng.randn(n), "region": rng.choice(list("NS"), n)})
    return table.rename_axis("customer_id")


def planted() -> pd.DataFrame:
    """Two segments in ``spend``, far apart; nothing but noise in ``luck``, whose weight is small."""
    rng = np.random.RandomState(0)
    return pd.DataFrame({"spend": np.repeat([0.0, 20.0], 40) + rng.randn(80), "luck": rng.randn(80)})


def wide() -> CharacteristicWeights:
    weights = {"spend": 0.4, "visits": 0.4, "region": 0.2}
    return CharacteristicWeights(weights, intervals={"spend": (0.05, 0.9), "visits": (0.3, 0.5), "region": (0.2, 0.2)})


LABELS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(1, 3)), min_size=1, max_size=12)


@given(LABELS)
def test_matched_segments_keep_as_many_customers_as_any_relabelling(rows: list[tuple[int, int, int]]) -> None:
    stated, labels, mass = (np.array(column) for column in zip(*rows, strict=True))
    changed = _changed(stated, labels, mass.astype(float))
    fewest = min(mass[np.array(names)[labels] != stated].sum() for names in permutations(range(4)))
    assert mass[changed].sum() == fewest


def test_weights_that_do_not_matter_change_nobody() -> None:
    weights = CharacteristicWeights({"spend": 0.9, "luck": 0.1}, intervals={"spend": (0.7, 1), "luck": (0, 0.2)})
    found = weight_sensitivity(SegmentClusterer(2), planted(), weights, n_draws=10, random_state=0)
    assert found.share_changed == 0
    assert found.driver is None
    assert found.to_frame()["share_changed"].tolist() == [0] * 5
    assert sorted(found.segments["n_customers"]) == [40, 40]


def test_the_shares_are_those_of_the_refits() -> None:
    clusterer = SegmentClusterer(3, n_init=4, random_state=0)
    found = weight_sensitivity(clusterer, customers(), wide(), n_draws=8, random_state=0)
    stated = clone(clusterer).set_params(weights=dict(wide())).fit(customers())
    assert np.array_equal(found.labels, stated.labels_)
    assert not hasattr(clusterer, "labels_")
    assert clusterer.weights is None
    # one weight at a time, by hand
    table = found.weights.set_index("characteristic")
    for name, (low, high) in wide().intervals.items():
        for end, limit in (("low", low), ("high", high)):
            moved = clone(clusterer).set_params(weights={**wide(), name: limit}).fit(customers())
            fewest = min((np.array(order)[moved.labels_] != stated.labels_).mean() for order in permutations(range(3)))
            assert table.loc[name, f"share_changed_{end}"] == pytest.approx(fewest)
    assert found.driver == table["share_changed"].idxmax() == "spend"
    assert table.loc["region", "share_changed"] == 0
    # the parts add up to the whole
    sizes = found.segments["n_customers"].to_numpy()
    assert (found.segments["share_changed"] * sizes).sum() / sizes.sum() == pytest.approx(found.share_changed)
    assert found.draws.mean() == pytest.approx(found.share_changed) == found.customers.mean()
    assert 0 < found.share_changed < 1
    assert found.to_frame()["scope"].tolist() == ["all", *["segment"] * 3, *["weight"] * 3]


def test_orders_jobs_and_kinds_of_frame_change_nothing() -> None:
    def solve(table: Any, weights: Any, **parameters: Any) -> Any:
        return weight_sensitivity(
            SegmentClusterer(3, n_init=3, random_state=0), table, weights, n_draws=3, random_state=0, **parameters
        )

    ours = solve(customers(), wide())
    order = np.random.RandomState(1).permutation(120)
    reversed_weights = CharacteristicWeights(dict(reversed(list(wide().items()))), intervals=wide().intervals)
    others = [
        solve(customers().iloc[order, ::-1], wide()),
        solve(pl.DataFrame(customers().reset_index()), reversed_weights),
    ]
    # threads suffice here: that processes change nothing is tested where they start, in bootstrap_stability
    with parallel_config(backend="threading"):
        others.append(solve(customers(), wide(), n_jobs=2))
    for other in others:
        assert other.share_changed == ours.share_changed
        pd.testing.assert_frame_equal(other.segments, ours.segments)
        assert other.driver == ours.driver
    assert np.array_equal(others[0].customers, ours.customers[order])


def test_a_sample_weight_of_2_equals_the_row_twice() -> None:
    counts = np.random.RandomState(0).randint(1, 3, size=120)
    clusterer = SegmentClusterer(3, n_init=3, random_state=0)
    table = customers().reset_index(drop=True)
    weighted = weight_sensitivity(clusterer, table, wide(), 4, sample_weight=counts, random_state=0)
    repeated = weight_sensitivity(clusterer, table.loc[np.repeat(np.arange(120), counts)], wide(), 4, random_state=0)
    assert weighted.share_changed == pytest.approx(repeated.share_changed)
    assert sorted(weighted.segments["n_customers"]) == sorted(repeated.segments["n_customers"])


def test_a_plain_mapping_moves_by_the_spread() -> None:
    plain = {"spend": 2.0, "visits": 1.0}
    found = weight_sensitivity(SegmentClusterer(2, n_init=2), customers(), plain, 3, spread=0.5, random_state=0)
    assert found.weights[["low", "high"]].to_numpy().tolist() == [[1.0, 3.0], [0.5, 1.5]]
    with pytest.warns(DataQualityWarning, match="no weight can move"):
        still = weight_sensitivity(SegmentClusterer(2, n_init=2), customers(), plain, 2, spread=0.0, random_state=0)
    assert still.share_changed == 0


def test_intervals_as_wide_as_their_rounding_errors_are_of_no_width() -> None:
    weights = {"spend": 0.5, "visits": 0.3, "region": 0.2}
    intervals = {name: (weight, np.nextafter(weight, 1.0)) for name, weight in weights.items()}
    rounded = CharacteristicWeights(weights, intervals=intervals)
    with pytest.warns(DataQualityWarning, match="no weight can move"):
        weight_sensitivity(SegmentClusterer(2, n_init=2), customers(), rounded, 2, random_state=0)


@pytest.mark.parametrize(
    ("table", "weights", "spread"),
    [
        (customers()[["spend"]], {"spend": 1.0}, 1.0),
        (customers(), CharacteristicWeights({"spend": 1, "visits": 0, "region": 0}, intervals={"spend": (0, 1)}), 0.2),
    ],
    ids=["a single column", "the only weight above 0"],
)
def test_the_only_weight_may_have_an_interval_from_0(table: pd.DataFrame, weights: Any, spread: float) -> None:
    clusterer = SegmentClusterer(2, n_init=3, random_state=0)
    found = weight_sensitivity(clusterer, table, weights, 2, spread=spread, random_state=0)
    assert found.weights["low"][0] == 0
    assert found.share_changed == found.weights["share_changed"].sum() == 0


def test_weights_of_the_clusterer_that_are_not_named_stay() -> None:
    clusterer = SegmentClusterer(2, n_init=3, weights={"region": 0, "spend": 9}, random_state=0)
    found = weight_sensitivity(clusterer, customers(), {"spend": 1.0}, 2, random_state=0)
    alone = SegmentClusterer(2, n_init=3, weights={"region": 0, "spend": 1}, random_state=0).fit(customers())
    assert np.array_equal(found.labels, alone.labels_)


def test_weights_are_set_where_they_belong() -> None:
    plain = SegmentClusterer(2, n_init=3, random_state=0)
    embedder = CharacteristicEmbedder(kinds={"visits": "numeric"})
    inside = SegmentClusterer(2, n_init=3, random_state=0, embedder=embedder)
    ours = weight_sensitivity(plain, customers(), wide(), 2, random_state=0)
    for clusterer in (
        inside,
        make_pipeline(FunctionTransformer(), plain),
        make_pipeline(FunctionTransformer(), inside),
    ):
        found = weight_sensitivity(clusterer, customers(), wide(), 2, random_state=0)
        assert np.array_equal(found.labels, ours.labels)
        assert np.array_equal(found.draws, ours.draws)


@pytest.mark.parametrize("in_pipeline", [False, True])
def test_the_number_of_segments_is_chosen_once(in_pipeline: bool) -> None:
    clusterer: Any = SegmentClusterer(max_segments=3, n_init=2, random_state=0)
    if in_pipeline:
        clusterer = make_pipeline(FunctionTransformer(), clusterer)
    points, _ = make_blobs(60, centers=[(0, 0), (8, 0), (4, 7)], random_state=0)
    table = pd.DataFrame(points, columns=["spend", "visits"])
    found = weight_sensitivity(clusterer, table, {"spend": 1.0}, 2, random_state=0)
    chosen = SegmentClusterer(max_segments=3, n_init=2, random_state=0).fit(table)
    assert len(found.segments) == chosen.n_segments_ > 1
    assert found.share_changed == 0


@pytest.mark.parametrize(
    ("clusterer", "message"),
    [
        (KMeans(3), "KMeans has none"),
        (VotingClassifier([("one", SegmentClusterer()), ("other", SegmentClusterer())]), "has 3"),
        (SegmentClusterer, "an instance"),
        ("kmeans", "an instance"),
    ],
)
def test_clusterers_without_weights(clusterer: Any, message: str) -> None:
    with pytest.raises(InvalidParameterError, match=message):
        weight_sensitivity(clusterer, customers(), wide())


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"spend": -1}, r"weights\['spend'\].* a finite number >= 0, got -1"),
        ({"spend": 0}, "above 0 for at least one column"),
        ({"spned": 1}, r"unknown name in weights 'spned'.*Did you mean 'spend'"),
        ([1, 2], "a mapping by column name"),
    ],
)
def test_weights_that_make_no_sense(weights: Any, message: str) -> None:
    with pytest.raises(InvalidParameterError, match=message):
        weight_sensitivity(SegmentClusterer(2), customers(), weights)


@pytest.mark.parametrize("parameter", [{"n_draws": 0}, {"spread": 2.0}, {"n_jobs": 0}, {"random_state": "seed"}])
def test_parameters_out_of_range(parameter: dict[str, Any]) -> None:
    with pytest.raises(InvalidParameterError, match=next(iter(parameter))):
        weight_sensitivity(SegmentClusterer(2), customers(), wide(), **parameter)


def test_columns_that_the_weights_do_not_name_are_warned_of() -> None:
    random = np.random.RandomState(0)
    table = pd.DataFrame(random.randn(60, 3), columns=list("abc"))
    weights = CharacteristicWeights({"a": 0.6, "b": 0.4}, intervals={"a": (0.5, 0.7), "b": (0.3, 0.5)})
    with pytest.warns(DataQualityWarning, match=r"'c' are not among the weights .* weights \| \{'c': 0\}"):
        weight_sensitivity(SegmentClusterer(2, n_init=2), table, weights, n_draws=2, random_state=0)
    found = weight_sensitivity(SegmentClusterer(2, n_init=2), table, weights | {"c": 0}, n_draws=2, random_state=0)
    assert found.share_changed >= 0

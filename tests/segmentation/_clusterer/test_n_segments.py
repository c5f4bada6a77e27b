"""The number of segments as a function: the same answer as the clusterer's, the guard, the limits, what is refused."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_blobs

from custseg.datasets import make_customers
from custseg.exceptions import DataQualityWarning, InvalidParameterError, InvalidTableError
from custseg.segmentation import CharacteristicEmbedder, SegmentClusterer, select_n_segments
from tests.sizes import WHOLE, size

pytestmark = pytest.mark.sampled


def dependent(n, n_columns=10, n_segments=3, seed=0):
    """Planted segments; inside them all columns correlate by .4."""
    random = np.random.RandomState(seed)
    factor = random.normal(size=(n, 1)) * np.sqrt(0.4)
    centers = random.normal(0, 1.5, size=(n_segments, n_columns))
    return centers[random.randint(n_segments, size=n)] + factor + np.sqrt(0.6) * random.normal(size=(n, n_columns))


@pytest.mark.thorough
def test_it_answers_as_the_clusterer_does():
    table = make_customers(size(250, 500), n_segments=4, separation=1.5, missing_share=0.05, random_state=3).profile
    if not WHOLE:
        table = table[["customer_id", "age", "income", "online_hours", "leisure_spend", "household", "store_format"]]
    alone = select_n_segments(table, max_segments=size(6, 10), random_state=0)
    clusterer = SegmentClusterer(max_segments=size(6, 10), random_state=0).fit(table)
    assert alone.n_segments == clusterer.n_segments_ == 4
    assert alone.reason == clusterer.selection_.reason
    pd.testing.assert_frame_equal(alone.table, clusterer.selection_.table)


@pytest.mark.thorough
def test_dependence_inside_segments_is_said_and_splits_nothing():
    customers = dependent(size(500, 900))
    with pytest.warns(DataQualityWarning, match="characteristics go together inside the segments"):
        selection = select_n_segments(customers, max_segments=size(6, 10), embedder="passthrough", random_state=0)
    assert selection.n_segments == 3
    figures = selection.table.set_index("n_segments")
    assert figures["bic"].idxmin() > 4
    assert figures["icl"].idxmin() > 3  # which is why the ICL is not the guard
    assert "go together" in selection.warning
    parameters = {"max_segments": size(6, 10), "n_init": size(4, 20), "random_state": 0}
    with pytest.warns(DataQualityWarning, match="SegmentClusterer: characteristics go together"):
        assert SegmentClusterer(embedder="passthrough", **parameters).fit(customers).n_segments_ == 3


@pytest.mark.thorough
def test_independent_characteristics_raise_no_warning():
    X, _ = make_blobs(size(250, 600), n_features=6, centers=5, cluster_std=1.5, random_state=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert select_n_segments(X, random_state=0).warning is None


@pytest.mark.thorough
def test_small_classes_are_left_out():
    random, n = np.random.RandomState(0), size(240, 600)
    labels = random.choice(3, p=[0.55, 0.40, 0.05], size=n)
    X = random.normal(size=(n, 4)) + 7 * np.eye(4)[labels]
    free = select_n_segments(X, max_segments=size(5, 10), random_state=0)
    limited = select_n_segments(X, max_segments=size(5, 10), min_segment_share=0.1, random_state=0)
    assert free.n_segments == 3
    assert limited.n_segments == 2
    assert limited.table.set_index("n_segments").loc[3, "smallest_share"] == pytest.approx(0.05, abs=0.02)
    assert "no group has much less than 10.0%" in limited.reason


def test_a_share_that_the_clusterer_can_keep_leaves_nothing_out():
    X, _ = make_blobs([42, 40, 38], n_features=3, centers=10 * np.eye(3), random_state=0)
    clusterer = SegmentClusterer("auto", min_segment_share=0.33, random_state=0).fit(X)
    assert clusterer.n_segments_ == 3
    assert clusterer.segment_sizes_.tolist() == [40, 40, 40]


def test_a_single_characteristic_is_not_tested():
    column = np.repeat([0.0, 100.0, 300.0], 60) + np.random.RandomState(0).normal(size=180)
    selection = select_n_segments(pd.DataFrame({"a": column}), random_state=0)
    assert selection.n_segments == 1
    assert selection.structured is None
    assert "one characteristic only" in selection.reason


def test_what_was_found_has_three_answers():
    blobs, _ = make_blobs(150, n_features=3, centers=10 * np.eye(3), random_state=0)
    cloud = np.random.RandomState(0).normal(size=(150, 3))
    assert [select_n_segments(X, random_state=0).structured for X in (blobs, cloud, blobs[:10])] == [True, False, None]


@pytest.mark.thorough
def test_weights_of_any_size_are_the_same():
    customers = make_customers(size(100, 200), n_segments=3, separation=2.0, random_state=1).profile
    table = customers.set_index("customer_id")
    if not WHOLE:
        table = table[["age", "income", "household", "price_matters"]]
    units = (1.0, 1e-200, 1e100)[: size(2, 3)]
    embedders = [CharacteristicEmbedder(weights=dict.fromkeys(table.columns, unit)) for unit in units]
    options = {"max_segments": size(5, 10), "random_state": 0}
    found = [select_n_segments(table, embedder=embedder, **options) for embedder in embedders]
    assert len({selection.n_segments for selection in found}) == 1


def test_the_effect_is_told_as_a_share():
    blobs, _ = make_blobs(150, n_features=3, centers=1000 * np.eye(3), random_state=0)
    selection = select_n_segments(blobs, random_state=0)
    assert selection.effect > 1
    assert f"(by {1 - np.exp(-selection.effect):.1%} at" in selection.reason


@pytest.mark.thorough
def test_a_characteristic_counts_by_its_weight():
    """Two columns fall into three groups, two others into two; who weighs decides."""
    random, n = np.random.RandomState(2), size(150, 500)
    three, two = 6 * np.eye(3)[random.randint(3, size=n)][:, :2], 6 * np.eye(2)[random.randint(2, size=n)]
    matrix = np.column_stack([three, two]) + random.normal(size=(n, 4))
    table = pd.DataFrame(matrix, columns=["a", "b", "c", "d"])
    light = {
        "three": CharacteristicEmbedder(weights={"c": 0.01, "d": 0.01}),
        "two": CharacteristicEmbedder(weights={"a": 0.01, "b": 0.01}),
    }
    options = {"max_segments": size(7, 10), "random_state": 0}
    assert select_n_segments(table, embedder=light["three"], **options).n_segments == 3
    assert select_n_segments(table, embedder=light["two"], **options).n_segments == 2
    assert select_n_segments(table, **options).n_segments == 6


@pytest.mark.thorough
def test_numbers_on_few_values_and_spikes_are_no_segments_of_their_own():
    """Counts with half of the customers at 0, and answers from 1 to 5: two planted groups, not one per value."""
    random, n = np.random.RandomState(5), size(300, 800)
    group = random.randint(2, size=n)
    frame = pd.DataFrame(
        {
            "orders": random.poisson(np.where(group == 1, 3.0, 0.4)),
            "visits": random.poisson(np.where(group == 1, 20.0, 2.0)),
            **{f"q{i}": np.clip(np.round(random.normal(2 + 2 * group, 0.8)), 1, 5) for i in range(4)},
        }
    )
    assert select_n_segments(frame, max_segments=size(5, 10), random_state=0).n_segments == 2


@pytest.mark.thorough
def test_many_levels_are_pooled():
    random, n = np.random.RandomState(6), size(300, 600)
    group = random.randint(2, size=n)
    towns = np.array([f"t{i}" for i in range(80)])[random.randint(40, size=n) + 40 * group]
    frame = pd.DataFrame({"town": towns, "age": random.normal(30 + 20 * group, 4), "spend": random.normal(5 * group)})
    assert select_n_segments(frame, max_segments=size(5, 10), random_state=0).n_segments == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_segments": 0}, "'max_segments' must be an integer >= 1"),
        ({"min_segment_share": 1.5}, "'min_segment_share' must be a number in"),
        ({"embedder": "none"}, "'embedder' must be"),
        ({"random_state": "x"}, "'random_state' must be"),
    ],
)
def test_parameters_that_cannot_be_used_are_named(options, message):
    with pytest.raises(InvalidParameterError, match=f"select_n_segments.*{message}"):
        select_n_segments(np.eye(30), **options)


def test_tables_that_cannot_be_used_are_refused_by_its_own_name():
    with pytest.raises(InvalidTableError, match="select_n_segments.*'x1'.*NaN in 1 row"):
        select_n_segments(np.array([[1.0, np.nan], [2.0, 3.0]]), embedder="passthrough")

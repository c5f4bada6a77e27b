"""The largest number of segments that comes back, at least so many, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import HDBSCAN, KMeans
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits

from custseg import SegmentClusterer, bootstrap_stability
from custseg.datasets import make_customers
from custseg.exceptions import InfeasibleError, InvalidParameterError
from tests.sizes import size

FIGURES = ["mean_adjusted_rand", "min_slsw", "smallest_share", "least_difference"]


def square(n_customers=400, seed=0):
    """Customers without groups whom four quadrants cut alike in every sample, but for the corners."""
    return pd.DataFrame(
        np.random.RandomState(seed).uniform(size=(n_customers, 2)) * [100, 1], columns=["spend", "visits"]
    )


def fit(table, n_segments="reproducible", **options):
    options = {"max_segments": 5, "n_init": 4, "random_state": 0, "customer_id": None} | options
    return SegmentClusterer(n_segments, **options).fit(table)


@pytest.fixture(scope="module")
def quadrants():
    return fit(square())


def test_four_quadrants_of_a_square_come_back(quadrants):
    number = quadrants.number_of_segments_
    assert quadrants.selection_.n_segments == 1
    assert (quadrants.n_segments_, number.n_segments, number.word) == (4, 4, "reproducible")
    assert number.table["n_segments"].tolist() == [2, 3, 4, 5]
    assert number.table.loc[number.table["taken"], "standing"].tolist() == ["stable"]
    assert (quadrants.labels_ == fit(square(), 4).labels_).all()


def test_figures_are_those_of_the_segments(quadrants):
    row = quadrants.number_of_segments_.table.set_index("n_segments").loc[4]
    assert row["smallest_share"] == quadrants.segment_sizes_.min() / 400
    assert row["least_difference"] > 2
    known = bootstrap_stability(SegmentClusterer(n_init=4, random_state=0), square(), 4, n_pairs=20, random_state=1)
    assert row["mean_adjusted_rand"] == pytest.approx(known.mean_adjusted_rand[4], abs=0.06)


def test_neither_order_nor_threads_nor_another_order_of_columns_changes_a_figure(quadrants):
    table = square()
    order = np.random.RandomState(1).permutation(len(table))
    with threadpool_limits(2):
        other = fit(table.iloc[order][["visits", "spend"]])
    before, after = quadrants.number_of_segments_.table, other.number_of_segments_.table
    pd.testing.assert_frame_equal(before, after)
    assert (other.labels_ == quadrants.labels_[order]).all()


@pytest.mark.thorough
def test_a_continuum_gets_the_same_number_in_another_sample():
    numbers = {fit(square(seed=seed)).n_segments_ for seed in size([1], [1, 2, 3, 4, 5])}
    assert numbers == {4}


def test_the_groups_that_the_data_ask_for_are_called_natural():
    random = np.random.RandomState(0)
    found = fit(random.normal(size=(300, 3)) + 6 * np.eye(3)[np.arange(300) % 3], max_segments=3)
    assert (found.n_segments_, found.number_of_segments_.word) == (3, "natural")
    evidence = found.number_of_segments_.table.set_index("n_segments")
    assert evidence["bic"].idxmin() == 3
    assert evidence.loc[2, "standing"] == "not stable"
    assert evidence.loc[3, "n_separated"] == 3


def test_auto_is_as_it_was_and_at_least_so_many_are_answered():
    auto = fit(square(), "auto")
    assert (auto.n_segments_, auto.number_of_segments_) == (1, None)
    least = fit(square(), "auto", min_segments=3)
    assert (least.n_segments_, least.number_of_segments_.word) == (4, "reproducible")
    five = fit(square(), "auto", min_segments=5)
    assert (five.n_segments_, five.number_of_segments_.word) == (5, "constructive")
    assert five.number_of_segments_.table["n_segments"].tolist() == [5]


def test_auto_that_finds_enough_asks_no_further():
    sample = make_customers(300, n_segments=3, separation=3.0, random_state=0)
    found = fit(sample.profile[["age", "income", "online_hours", "household"]], "auto", min_segments=2)
    assert (found.n_segments_, found.number_of_segments_) == (3, None)


def test_more_than_come_back_are_answered():
    line = pd.DataFrame(
        {"x": np.random.RandomState(0).normal(size=300), "y": np.random.RandomState(1).normal(size=300)}
    )
    found = fit(line, min_segments=7, max_segments=8)
    assert found.n_segments_ in (7, 8)
    assert found.number_of_segments_.word == "constructive"


def test_every_segment_holds_the_least_share():
    number = fit(square(), min_segment_share=0.24).number_of_segments_
    assert number.table["smallest_share"].min() >= 0.24
    assert (number.table["n_segments"] * 0.24 <= 0.8).all()


@pytest.mark.sampled
@pytest.mark.parametrize("engine", [KMeans(n_init=2), GaussianMixture(n_init=1), "latent_class", "k_prototypes"])
def test_engines(engine):
    table = pd.concat([square(150), square(150).add([300, 3])], ignore_index=True)
    found = fit(table, engine=engine, max_segments=2)
    assert (found.n_segments_, found.number_of_segments_.table["standing"].tolist()) == (2, ["stable"])


@pytest.mark.filterwarnings("ignore:.*hold one value only")
@pytest.mark.thorough
def test_identical_customers_are_one_segment():
    alike = pd.DataFrame(np.ones((size(1000, 1_000_000), 2)), columns=["x", "y"])
    found = fit(alike)
    assert (found.n_segments_, len(found.number_of_segments_.table)) == (1, 0)
    with pytest.raises(InfeasibleError, match=r"n_segments=2 needs at least 2 customers that differ"):
        fit(alike, min_segments=2)


def test_a_share_that_so_many_cannot_hold():
    with pytest.raises(InfeasibleError, match="share of 0.4"):
        fit(square(), min_segments=3, min_segment_share=0.4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_segments": 1}, r"'max_segments' must be at least 2 with n_segments=\"reproducible\""),
        ({"min_segments": 6}, "'min_segments' must be at most max_segments, which is 5, got 6"),
        ({"n_segments": 3, "min_segments": 2}, "'min_segments' must be 1 where the number of segments is given"),
        ({"min_segments": 0}, "'min_segments' must be an integer >= 1, got 0"),
        ({"n_segments": "largest"}, "'n_segments' must be 'auto' or 'reproducible' or an integer >= 1"),
        ({"engine": HDBSCAN()}, "'n_segments' must be \"auto\" with HDBSCAN"),
        ({"n_segments": "auto", "engine": HDBSCAN(), "min_segments": 2}, "'min_segments' must be 1 where the number"),
    ],
)
def test_what_contradicts_itself_is_refused(options, message):
    with pytest.raises(InvalidParameterError, match=message):
        fit(square(), **options)


def test_weights_do_not_choose_the_number():
    with pytest.raises(InvalidParameterError, match="'n_segments' must be a number where sample_weight is given"):
        SegmentClusterer("reproducible").fit(square(), sample_weight=np.ones(400))

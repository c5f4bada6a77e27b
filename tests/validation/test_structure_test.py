"""The structure test as a function: its level, its power, its embedding, and what it refuses."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custseg.datasets import make_customers
from custseg.exceptions import InfeasibleError, InvalidParameterError, InvalidTableError
from custseg.segmentation import CharacteristicEmbedder, SegmentClusterer, StructureResult
from custseg.validation import structure_test
from tests.sizes import size

pytestmark = [pytest.mark.sampled, pytest.mark.thorough]


def few_columns(profile):
    """One column of each kind, and the ids; all of them in the whole size."""
    return profile[size(["customer_id", "age", "income", "store_format", "price_matters"], list(profile.columns))]


def cloud(n=250, n_columns=4, seed=0):
    random = np.random.RandomState(seed)
    return random.normal(size=(n, n_columns)) @ random.normal(size=(n_columns, n_columns))


@pytest.mark.thorough
def test_planted_segments_are_told_from_none():
    n = size(150, 400)
    planted = make_customers(n, n_segments=4, separation=1.5, missing_share=0.05, random_state=1).profile
    none = make_customers(n, separation=0.0, missing_share=0.05, random_state=1).profile
    options = {"n_draws": 39, "n_segments": size(range(2, 6), range(2, 9)), "random_state": 0}
    found, continuum = (structure_test(table, **options) for table in (planted, none))
    assert isinstance(found, StructureResult)
    assert found.rejected
    assert found.p_value == pytest.approx(1 / 40)
    assert not continuum.rejected
    assert continuum.p_value > 0.05
    assert found.reason.startswith("the customers are more compact")
    assert continuum.reason.startswith("one continuum with the same")


@pytest.mark.slow
def test_independent_columns_are_rejected_no_more_often_than_the_level():
    """60 sets at level .2: more than 20 rejections would be 2.6 standard deviations above it."""
    rejected = 0
    for seed in range(60):
        table = np.random.RandomState(seed).gamma(1.5, size=(150, 5))
        rejected += (
            structure_test(table, n_draws=9, significance_level=0.2, n_segments=range(2, 6), random_state=seed).p_value
            <= 0.2
        )
    assert rejected <= 20


@pytest.mark.thorough
def test_more_draws_resolve_smaller_p_values():
    planted = make_customers(100, n_segments=3, separation=2.0, random_state=1).profile
    numbers = size(range(2, 5), range(2, 9))
    assert structure_test(planted, n_draws=99, n_segments=numbers, random_state=0).p_value == pytest.approx(0.01)


def test_only_the_numbers_asked_for_are_tried():
    found = structure_test(cloud(), n_segments=[5, 3, 3], n_draws=19, random_state=0)
    assert found.to_frame()["n_segments"].tolist() == [3, 5]
    assert found.strongest_at in (3, 5)


def test_numbers_beyond_the_different_customers_are_left_out():
    corners = np.random.RandomState(0).randint(2, size=(100, 2)).astype(float)
    found = structure_test(corners, embedder="passthrough", n_draws=19, random_state=0)
    assert found.table["n_segments"].tolist() == [2, 3]


@pytest.mark.thorough
def test_weights_and_kinds_come_with_the_embedder():
    n = size(100, 250)
    group = np.repeat([0.0, 9.0], n // 2)[:, None] + np.random.RandomState(1).normal(size=(n, 2))
    frame = pd.DataFrame(np.hstack([cloud(n), group]), columns=["a", "b", "c", "d", "club", "card"])
    assert structure_test(frame, n_draws=19, random_state=0).rejected
    without = structure_test(
        frame, embedder=CharacteristicEmbedder(weights={"club": 0, "card": 0}), n_draws=19, random_state=0
    )
    alone = structure_test(frame.drop(columns=["club", "card"]), n_draws=19, random_state=0)
    assert not without.rejected
    assert without.p_value == alone.p_value


def test_many_customers_are_sampled_and_it_is_said():
    found = structure_test(cloud(3_000), n_draws=19, n_segments=[2, 3], random_state=0)
    assert found.n_customers == 2_500


@pytest.mark.thorough
def test_it_is_the_first_step_of_the_clusterer():
    table = few_columns(make_customers(size(100, 300), n_segments=3, separation=2.0, random_state=1).profile)
    selection = SegmentClusterer(max_segments=size(4, 10), random_state=5).fit(table).selection_
    alone = structure_test(table, n_draws=39, random_state=5)
    assert (selection.p_value, selection.effect) == (alone.p_value, alone.effect)


@settings(max_examples=size(2, 5))
@given(seed=st.integers(0, 100))
def test_neither_the_order_of_rows_nor_of_columns_matters(seed):
    frame = few_columns(make_customers(60, n_segments=3, separation=1.5, missing_share=0.05, random_state=seed).profile)
    random = np.random.RandomState(seed)
    shuffled = frame.iloc[random.permutation(len(frame))][list(random.permutation(frame.columns))]
    first, other = (structure_test(table, n_draws=19, random_state=0) for table in (frame, shuffled))
    assert (first.p_value, first.strongest_at) == (other.p_value, other.strongest_at)
    pd.testing.assert_frame_equal(first.table, other.table)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_draws": 18}, "'n_draws' must be at least 19 at level 0.05"),
        ({"n_draws": 0}, "'n_draws' must be an integer >= 1"),
        ({"significance_level": 5}, "'significance_level' must be a number in"),
        ({"significance_level": 0.01, "n_draws": 50}, "'n_draws' must be at least 99 at level 0.01"),
        ({"n_segments": 1}, "'n_segments' must be one or more integers >= 2"),
        ({"n_segments": []}, "'n_segments' must be one or more integers >= 2"),
        ({"embedder": KeyError}, "'embedder' must be"),
    ],
)
def test_parameters_that_cannot_be_used_are_named(options, message):
    with pytest.raises(InvalidParameterError, match=f"structure_test.*{message}"):
        structure_test(cloud(), **options)


def test_nothing_to_test_is_an_error():
    with pytest.raises(InfeasibleError, match=r"structure_test got 19 customer\(s\)"):
        structure_test(cloud(19))
    with pytest.raises(InfeasibleError, match=r"only 1 kind\(s\) of customers"):
        structure_test(np.ones((50, 3)), embedder="passthrough")
    five = np.eye(5)[np.arange(60) % 5]
    with pytest.raises(InfeasibleError, match="n_segments=5 leaves no two different customers together.* at most 4"):
        structure_test(five, n_segments=5, embedder="passthrough")
    with pytest.raises(InfeasibleError, match="one characteristic only"):
        structure_test(np.column_stack([np.arange(60.0), np.ones(60)]), embedder="passthrough")
    with pytest.raises(InvalidTableError, match="structure_test"):
        structure_test(pd.DataFrame({"a": []}))

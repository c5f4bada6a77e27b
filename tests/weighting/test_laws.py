"""What a weight means in the segments: the laws of weights, on many tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custseg.exceptions import InfeasibleError
from custseg.segmentation import SegmentClusterer
from custseg.weighting import CharacteristicWeights
from tests.sizes import size
from tests.strategies import customer_tables

# Random tables have constant and sparse columns; the warnings have tests of their own.
pytestmark = pytest.mark.filterwarnings("ignore::custseg.exceptions.DataQualityWarning")
lawful = settings(max_examples=size(8, 40))


def fit(table: pd.DataFrame, weights: dict[str, float], **parameters: object) -> SegmentClusterer | None:
    """Fit, or return None where fewer customers differ than there are segments."""
    weighed = CharacteristicWeights(weights)
    try:
        return SegmentClusterer(2, n_init=3, random_state=0, weights=weighed, **parameters).fit(table)
    except InfeasibleError:
        return None


def mixed(seed: int) -> pd.DataFrame:
    """Customers none of whom is as near to one centre as to another."""
    rng = np.random.RandomState(seed)
    levels = pd.Categorical(rng.choice(["low", "high"], 40), categories=["low", "high"], ordered=True)
    table = {"spend": np.exp(rng.randn(40)), "visits": rng.randn(40), "region": rng.choice(list("NSW"), 40)}
    return pd.DataFrame(table).assign(level=levels)


@lawful
@given(customer_tables(min_columns=2, max_rows=25), st.data())
def test_weight_0_equals_dropping_the_column(table: pd.DataFrame, data: st.DataObject) -> None:
    dropped = data.draw(st.sampled_from(list(table.columns)))
    weights = {name: data.draw(st.sampled_from([0.25, 1.0, 3.0])) for name in table.columns}
    without = fit(table.drop(columns=dropped), {name: w for name, w in weights.items() if name != dropped})
    zero = fit(table, {**weights, dropped: 0.0})
    if without is None or zero is None:
        assert without is zero
        return
    assert np.array_equal(zero.labels_, without.labels_)
    assert np.array_equal(zero.segment_centers_, without.segment_centers_)


@lawful
@given(st.integers(0, 10_000), st.floats(1e-3, 1e3), st.integers(2, 5))
def test_multiplying_all_weights_changes_no_label(seed: int, factor: float, n_segments: int) -> None:
    table = mixed(seed)
    weights = {"spend": 1.0, "visits": 0.3, "region": 2.0, "level": 0.7}
    ours, theirs = (
        SegmentClusterer(n_segments, n_init=3, random_state=0, weights=CharacteristicWeights(given)).fit(table)
        for given in (weights, {name: factor * weight for name, weight in weights.items()})
    )
    assert np.array_equal(ours.labels_, theirs.labels_)
    assert theirs.optimum_.objective == pytest.approx(factor * ours.optimum_.objective)


@lawful
@given(customer_tables(max_rows=25), st.integers(-3, 3))
def test_multiplying_all_weights_changes_no_label_even_at_ties(table: pd.DataFrame, power: int) -> None:
    # a power of 4 multiplies every coordinate by a power of 2: exactly
    weights = dict.fromkeys(table.columns, 1.0)
    ours = fit(table, weights)
    theirs = fit(table, dict.fromkeys(weights, 4.0**power))
    if ours is None or theirs is None:
        assert ours is theirs
        return
    assert np.array_equal(ours.labels_, theirs.labels_)


@lawful
@given(st.integers(0, 10_000), st.sampled_from(["spend", "visits", "region", "level"]), st.floats(0.1, 10))
def test_duplicating_a_column_and_halving_both_changes_no_label(seed: int, name: str, weight: float) -> None:
    table = mixed(seed)
    whole = {**dict.fromkeys(table.columns, 1.0), name: weight}
    # last in the order of the names: segments of one size are told apart by the first column that differs
    halved = {**whole, name: weight / 2, "z": weight / 2}
    ours, theirs = fit(table, whole), fit(table.assign(z=table[name]), halved)
    assert ours is not None
    assert theirs is not None
    assert np.array_equal(ours.labels_, theirs.labels_)
    assert theirs.optimum_.objective == pytest.approx(ours.optimum_.objective)

"""Constant sums and ratings: means, intervals, missing answers and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import friedmanchisquare

from custseg.exceptions import (
    ColumnTypeError,
    DataQualityWarning,
    InvalidParameterError,
    InvalidTableError,
    JudgementError,
)
from custseg.weighting import CharacteristicWeights, constant_sum_weights, rating_weights
from tests.sizes import size

NAMES = ["spend", "region", "age"]


def points(n_respondents: int = 40, seed: int = 0) -> pd.DataFrame:
    rng = np.random.RandomState(seed)
    return pd.DataFrame(rng.multinomial(100, [0.5, 0.3, 0.2], size=n_respondents), columns=NAMES)


def ratings(n_respondents: int = 40, seed: int = 0) -> pd.DataFrame:
    rng = np.random.RandomState(seed)
    values = np.clip(np.rint(rng.randn(n_respondents, 3) + np.array([4, 3, 2])), 1, 5)
    return pd.DataFrame(values, columns=NAMES)


def rated(table: Any, **parameters: Any) -> CharacteristicWeights:
    return rating_weights(table, **{"scale_range": (1, 5), "random_state": 0, **parameters})


def divided(table: Any, **parameters: Any) -> CharacteristicWeights:
    return constant_sum_weights(table, **{"random_state": 0, **parameters})


BOTH = pytest.mark.parametrize(("weigh", "table"), [(divided, points()), (rated, ratings())], ids=["sum", "rating"])


def test_the_weights_are_the_mean_shares() -> None:
    found = divided(points())
    assert dict(found) == pytest.approx((points() / 100).mean().to_dict())
    frame = found.to_frame()
    assert frame["standard_deviation"].tolist() == pytest.approx((points() / 100).std().tolist())
    assert ((frame["low"] < frame["weight"]) & (frame["weight"] < frame["high"])).all()
    assert found.consistency == {"n_respondents": 40}
    assert divided(points().to_numpy(), names=NAMES).intervals == found.intervals


def test_the_weights_are_the_mean_ratings_above_the_low_end() -> None:
    found = rated(ratings())
    above = ratings().mean() - 1
    assert dict(found) == pytest.approx((above / above.sum()).to_dict())
    frame = found.to_frame()
    assert frame["mean"].tolist() == pytest.approx(ratings().mean().tolist())
    assert frame["standard_deviation"].tolist() == pytest.approx(ratings().std().tolist())
    # Friedman's statistic is m (n - 1) W, with the same correction for ties
    statistic = friedmanchisquare(*ratings().to_numpy().T).statistic
    assert found.consistency["kendall_w"] == pytest.approx(statistic / 40 / 2)


@BOTH
def test_order_kind_of_frame_and_ids_change_nothing(weigh: Callable[..., Any], table: pd.DataFrame) -> None:
    ours = weigh(table).to_frame()
    with_ids = table.assign(customer_id=[f"c{row}" for row in range(len(table))])
    shuffled = table.sample(frac=1, random_state=1)
    others = [shuffled, shuffled.to_numpy(), with_ids, pl.DataFrame(with_ids), with_ids.set_index("customer_id")]
    for other in others:
        theirs = weigh(other, names=NAMES).to_frame()
        pd.testing.assert_frame_equal(theirs, ours, check_exact=True)
    reversed_names = weigh(table, names=NAMES[::-1])
    assert list(reversed_names) == NAMES[::-1]
    assert weigh(table, random_state=1).intervals != weigh(table).intervals


@BOTH
@pytest.mark.filterwarnings("ignore::custseg.exceptions.DataQualityWarning")
@given(data=st.data())
def test_a_sample_weight_of_2_equals_the_row_twice(weigh: Any, table: pd.DataFrame, data: st.DataObject) -> None:
    some = table.iloc[:6]
    counts = np.array(data.draw(st.lists(st.integers(0, 3), min_size=6, max_size=6).filter(any)))
    weighted = weigh(some, sample_weight=counts, n_boot=20)
    repeated = weigh(some.iloc[np.repeat(np.arange(6), counts)], n_boot=20)
    assert dict(weighted) == dict(repeated)
    assert weighted.intervals == repeated.intervals
    pd.testing.assert_frame_equal(weighted.to_frame(), repeated.to_frame())


@pytest.mark.thorough
@BOTH
def test_intervals_hold_the_true_weight_as_often_as_they_say(weigh: Any, table: pd.DataFrame) -> None:
    draw = points if weigh is divided else ratings
    truth = weigh(draw(20_000, 999), n_boot=1)
    inside = []
    for seed in range(size(75, 150)):
        found = weigh(draw(100, seed), n_boot=200)
        inside += [low <= truth[name] <= high for name, (low, high) in found.intervals.items()]
    assert np.mean(inside) == pytest.approx(0.95, abs=0.03)


@BOTH
def test_a_single_respondent_has_no_intervals(weigh: Any, table: pd.DataFrame) -> None:
    one = weigh(table.iloc[:1])
    assert one.intervals == {}
    assert sum(one.values()) == pytest.approx(1)


def test_points_of_another_sum_are_refused() -> None:
    table = points().rename_axis("customer_id")
    table.loc[7, "age"] += 5
    with pytest.raises(JudgementError, match=r"must sum to 100; so not in 1 row\(s\), .*respondent 7 with 105"):
        divided(table)
    found = divided(table, tolerance=0.05)
    assert dict(found) == pytest.approx(table.div(table.sum(axis=1), axis=0).mean().to_dict())
    assert dict(divided(points() / 10, total=10)) == pytest.approx(dict(divided(points())))
    with pytest.raises(JudgementError, match=r"must sum to 11; so not in 40 row\(s\)"):
        divided(points() / 10, total=11)


def test_negative_points_are_refused() -> None:
    with pytest.raises(JudgementError, match="'region' must hold points of at least 0, got -10"):
        divided(pd.DataFrame({"spend": [110, 50], "region": [-10, 50]}))


def test_blanks_and_silent_respondents() -> None:
    table = pd.DataFrame({"spend": [60, 100, np.nan], "region": [40, np.nan, np.nan]})
    with pytest.warns(DataQualityWarning, match="1 respondent.s. without any answer|1 blank.s. count as 0") as caught:
        found = divided(table)
    assert len(caught) == len(found.warnings) == 2
    assert dict(found) == pytest.approx({"spend": 0.8, "region": 0.2})
    with pytest.raises(InvalidTableError, match=r"3 respondent\(s\) without any answer"):
        divided(table * np.nan)


def test_a_characteristic_without_a_point_is_said_to_be_a_descriptor() -> None:
    with pytest.warns(DataQualityWarning, match="nobody gave 'age' a point: weight 0"):
        assert divided(points().assign(spend=points()["spend"] + points()["age"], age=0))["age"] == 0
    with pytest.warns(DataQualityWarning, match="everybody put 'age' at the low end"):
        assert rated(ratings().assign(age=1))["age"] == 0


def test_missing_ratings_are_left_out_of_their_mean() -> None:
    table = ratings()
    table.iloc[:10, 0] = np.nan
    above = table.mean() - 1
    found = rated(table)
    assert dict(found) == pytest.approx((above / above.sum()).to_dict())
    assert found.to_frame()["n_rated"].tolist() == [30, 40, 40]
    with pytest.raises(InvalidTableError, match="nobody rated 'age'"):
        rated(table.assign(age=np.nan))
    with pytest.raises(InvalidTableError, match="every rating is 1"):
        rated(table * 0 + 1)


@pytest.mark.parametrize("wrong", [0, 6, 99, -1])
def test_ratings_off_the_scale_are_refused(wrong: float) -> None:
    table = ratings()
    table.loc[[3, 5], "region"] = wrong
    with pytest.raises(JudgementError, match=rf"'region' must hold ratings from 1 to 5, got {wrong}; so in 2 row"):
        rated(table)


@BOTH
@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"names": ["spend", "aeg"]}, "Did you mean 'age'"),
        ({"names": "spend"}, "a list of different names"),
        ({"sample_weight": [1.0]}, "sample_weight"),
        ({"sample_weight": [-1.0] * 40}, "finite numbers >= 0"),
        ({"confidence_level": 95}, "confidence_level"),
        ({"n_boot": 0}, "n_boot"),
        ({"random_state": "seed"}, "random_state"),
        ({"customer_id": 3}, "customer_id"),
    ],
)
def test_parameters_out_of_range(weigh: Any, table: pd.DataFrame, parameters: Any, message: str) -> None:
    with pytest.raises(InvalidParameterError, match=message):
        weigh(table, **parameters)


def test_own_parameters_out_of_range() -> None:
    for scale in ((5, 1), (1,), 5, (1, np.inf)):
        with pytest.raises(InvalidParameterError, match="scale_range"):
            rated(ratings(), scale_range=scale)
    for parameter in ({"total": 0}, {"total": -1}, {"tolerance": 1.0}):
        with pytest.raises(InvalidParameterError, match=next(iter(parameter))):
            divided(points(), **parameter)


@BOTH
def test_tables_that_cannot_be_read(weigh: Any, table: pd.DataFrame) -> None:
    with pytest.raises(ColumnTypeError, match="'name' must be answers as numbers"):
        weigh(table.assign(name="x"))
    with pytest.raises(InvalidTableError, match="at least 2 characteristics"):
        weigh(table[["age"]])
    with pytest.raises(InvalidTableError, match="matrix of numbers"):
        weigh([1, 2, 3])
    with pytest.raises(InvalidTableError, match="matrix of numbers"):
        weigh([[1, 2, 3], [1]])
    with pytest.raises(InvalidTableError, match="a minimum of 1 is required"):
        weigh(table.to_numpy()[:0])
    with pytest.raises(ColumnTypeError, match="'x1' holds infinite values"):
        weigh(np.array([[1.0, np.inf]]))

"""One characteristic in the distance: its total variance, its limits, and back again."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custseg._core.customers import Column, Kind
from custseg.exceptions import ColumnChangeError
from custseg.segmentation._base.weighted import distribution, mid_ranks, quantile
from custseg.segmentation._embedding.blocks import NoInformation, NumberBlock, RankBlock, Settings, make_block


def column_of(values: Any, kind: Kind = "numeric", categories: tuple[str, ...] = ()) -> Column:
    dtype = np.int64 if categories else np.float64
    return Column("x", kind, np.asarray(values, dtype=dtype), categories)


def block_of(column: Column, weight: float = 1.0, mass: Any = None, settings: Settings = Settings()) -> Any:  # noqa: B008
    mass = np.ones(len(column.values)) if mass is None else np.asarray(mass, dtype=float)
    return make_block(column, weight, mass, settings)


@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(1, 4)), min_size=1, max_size=40), st.floats(0, 1))
def test_weighted_quantile_is_numpys_of_the_repeated_values(pairs: list[tuple[int, int]], level: float) -> None:
    values, weights = (np.array(part, dtype=float) for part in zip(*pairs, strict=True))
    repeated = np.repeat(values, weights.astype(int))
    # Where the level falls on a step, rounding of level * n decides; ours takes the step as reached.
    assert quantile(*distribution(values, weights), level) in (
        np.quantile(repeated, level, method="inverted_cdf"),
        np.quantile(repeated, level * (1 - 1e-11), method="inverted_cdf"),
    )


def test_distribution_leaves_out_what_has_no_weight() -> None:
    values, counts = distribution(np.array([3.0, 1.0, 3.0, 2.0]), np.array([1.0, 2.0, 0.5, 0.0]))
    assert values.tolist() == [1.0, 3.0]
    assert counts.tolist() == [2.0, 1.5]


def test_mid_ranks_are_the_share_below_plus_half_the_share_equal() -> None:
    assert mid_ranks(np.array([2.0, 6.0, 2.0])).tolist() == [0.1, 0.5, 0.9]


@pytest.mark.parametrize("weight", [1.0, 2.5])
@pytest.mark.parametrize(
    "column",
    [
        column_of(np.random.RandomState(0).randn(200)),
        column_of(np.exp(np.random.RandomState(0).randn(200))),
        column_of([0, 1, 1, 1, 0], "binary"),
        column_of([0, 1, 1, 2, 0, 2, 2], "ordinal", ("low", "middle", "high")),
        column_of([0, 1, 1, 2, 0, 2, 2], "nominal", ("a", "b", "c")),
        column_of([*range(30)] * 2, "nominal", tuple(map(str, range(30)))),
    ],
    ids=["numeric", "heavy", "binary", "ordinal", "nominal", "many levels"],
)
def test_total_variance_is_the_weight_and_the_mean_is_0(column: Column, weight: float) -> None:
    embedded = block_of(column, weight).embed(column)
    assert embedded.var(axis=0).sum() == pytest.approx(weight)
    assert embedded.mean(axis=0) == pytest.approx(0.0, abs=1e-12)


def test_a_binary_column_is_its_one_hot() -> None:
    values = [0, 1, 1, 1, 0]
    binary = block_of(column_of(values, "binary")).embed(column_of(values, "binary"))
    levels = column_of(values, "nominal", ("no", "yes"))
    one_hot = block_of(levels).embed(levels)
    squared = (binary - binary.T) ** 2
    assert squared == pytest.approx(((one_hot[:, None] - one_hot) ** 2).sum(axis=2))


def test_heavy_tails_go_to_logs_by_the_stated_rule() -> None:
    values = np.exp(np.random.RandomState(0).randn(1_000))
    low, middle, high = np.quantile(values, [0.01, 0.5, 0.99], method="inverted_cdf")
    assert ((high - middle) - (middle - low)) / (high - low) > 0.35
    block = block_of(column_of(values))
    assert block.shift == pytest.approx(0.05 * np.quantile(values, 0.5, method="inverted_cdf"))
    expected = np.log(np.clip(values, low, high) + block.shift)
    expected = (expected - expected.mean()) / expected.std()
    assert block.embed(column_of(values)).ravel() == pytest.approx(expected)
    assert "log(x + " in block.words


@pytest.mark.parametrize(
    "values",
    [
        np.random.RandomState(0).randn(500),
        -np.exp(np.random.RandomState(0).randn(500)),
        np.random.RandomState(0).rand(500),
        np.r_[np.zeros(95), np.full(5, 1000.0)],
    ],
    ids=["symmetric", "negative", "uniform", "two values"],
)
def test_other_columns_stay_as_they_are(values: Any) -> None:
    assert block_of(column_of(values)).shift is None


def test_logs_and_limits_can_be_switched_off() -> None:
    values = np.exp(2 * np.random.RandomState(0).randn(300))
    block = block_of(column_of(values), settings=Settings(None, None))
    assert (block.shift, block.low, block.high) == (None, -math.inf, math.inf)
    assert block.embed(column_of(values)).ravel() == pytest.approx((values - values.mean()) / values.std())


def test_a_column_that_limits_would_make_constant_keeps_its_values() -> None:
    values = np.r_[np.zeros(998), 1.0, 2.0]
    block = block_of(column_of(values))
    assert not math.isfinite(block.low)
    assert len(np.unique(block.embed(column_of(values)))) == 3


def test_a_zero_has_a_log_and_a_later_negative_value_counts_as_zero() -> None:
    values = np.r_[np.zeros(10), np.exp(np.random.RandomState(0).randn(90))]
    block = block_of(column_of(values), settings=Settings("log", None))
    assert block.shift is not None
    embedded = block.embed(column_of([0.0, -3.0])).ravel()
    assert np.isfinite(embedded).all()
    assert embedded[0] == embedded[1]


def test_missing_values_are_the_mean() -> None:
    column = column_of([1.0, 3.0, np.nan])
    assert block_of(column).embed(column).ravel().tolist() == [-1.0, 1.0, 0.0]
    levels = column_of([0, 1, -1], "nominal", ("a", "b"))
    assert block_of(levels).embed(levels)[2].tolist() == [0.0, 0.0]
    ranks = column_of([0, 1, -1], "ordinal", ("a", "b"))
    assert block_of(ranks).embed(ranks).ravel().tolist() == [-1.0, 1.0, 0.0]
    assert block_of(levels).missing_share == pytest.approx(1 / 3)


def test_levels_are_found_by_name_and_others_are_unseen() -> None:
    block = block_of(column_of([0, 1, 1], "nominal", ("north", "south")))
    new = column_of([0, 1, 2, -1], "nominal", ("east", "north", "south"))
    embedded = block.embed(new)
    assert embedded[0].tolist() == embedded[3].tolist() == [0.0, 0.0]
    assert embedded[1, 0] > 0 > embedded[1, 1]
    assert block.unseen(new) == ["east"]


def test_declared_levels_that_nobody_has_are_unseen() -> None:
    block = block_of(column_of([0, 2, 2, 0], "ordinal", ("low", "middle", "high")))
    assert isinstance(block, RankBlock)
    assert block.levels == ("low", "high")
    assert block.unseen(column_of([1, 0], "ordinal", ("low", "middle", "high"))) == ["middle"]


@pytest.mark.parametrize("kind", ["numeric", "binary"])
def test_one_value_is_no_information(kind: Kind) -> None:
    block = block_of(column_of([1.0, 1.0, np.nan], kind))
    assert isinstance(block, NoInformation)
    assert block.embed(column_of([5.0])).tolist() == [[0.0]]
    assert block.invert(np.zeros((1, 1))).tolist() == [1.0]
    assert "one value" in block.words


def test_values_that_differ_in_their_last_digits_only_are_no_information() -> None:
    values = np.array([1e9, np.nextafter(1e9, 2e9), np.nextafter(1e9, 0)] * 9)
    block = block_of(column_of(values))
    assert isinstance(block, (NoInformation, NumberBlock))
    assert np.isfinite(block.embed(column_of(values))).all()


@pytest.mark.parametrize("unit", [1e-300, 1e300])
def test_units_far_out_are_no_problem(unit: float) -> None:
    values = np.array([1.0, 2.0, 3.0])
    here, there = block_of(column_of(values)), block_of(column_of(values * unit))
    assert there.embed(column_of(values * unit)) == pytest.approx(here.embed(column_of(values)))


def test_back_to_original_units() -> None:
    spend = column_of(np.exp(np.random.RandomState(0).randn(50)))
    block = block_of(spend, 3.0, settings=Settings("log", None))
    assert block.invert(block.embed(spend)).to_numpy() == pytest.approx(spend.values)
    ranks = column_of([0, 1, 1, 2], "ordinal", ("low", "middle", "high"))
    back = block_of(ranks).invert(block_of(ranks).embed(ranks))
    assert back.tolist() == ["low", "middle", "middle", "high"]
    assert back.cat.ordered
    levels = column_of([0, 1, 1, 2], "nominal", ("a", "b", "c"))
    assert block_of(levels).invert(block_of(levels).embed(levels)).tolist() == ["a", "b", "b", "c"]


def test_numbers_and_text_are_not_the_same_column() -> None:
    block = block_of(column_of([1.0, 2.0]))
    text = column_of([0, 0], "nominal", ("a",))
    with pytest.raises(ColumnChangeError, match="column 'x' was numeric in fit and is nominal now"):
        block.check_kind(text)
    nothing = column_of([-1, -1], "nominal", ("a",))
    block.check_kind(nothing)
    assert block.embed(nothing).ravel().tolist() == [0.0, 0.0]
    levels = block_of(column_of([0, 1], "nominal", ("a", "b")))
    unknown = column_of([np.nan])
    levels.check_kind(unknown)
    assert levels.embed(unknown).tolist() == [[0.0, 0.0]]
    assert levels.unseen(unknown) == []

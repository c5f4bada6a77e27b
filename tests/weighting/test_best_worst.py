"""Best-worst weights: the closed form, both input forms, and intervals against simulation."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custseg.characteristics import best_worst_counts
from custseg.exceptions import ColumnNotFoundError, DataQualityWarning, InvalidParameterError, InvalidTableError
from custseg.weighting import best_worst_weights
from tests.sizes import size

Ints = npt.NDArray[np.int64]

SHOWN = ["first", "second", "third"]
ITEMS = ["price", "quality", "service", "taste"]
UTILITY = np.array([1.0, 0.3, -0.4, -0.9])


def survey(n_respondents: int, seed: int, spread: float = 0.0) -> pd.DataFrame:
    """Simulate respondents who see all four sets of three and choose by the logit model."""
    rng = np.random.RandomState(seed)
    rows = []
    for respondent in range(n_respondents):
        utility = UTILITY + spread * rng.randn(4)
        for left_out in range(4):
            items = rng.permutation([item for item in range(4) if item != left_out])
            value = utility[items] + rng.gumbel(size=3)
            best, worst = items[value.argmax()], items[value.argmin()]
            rows.append([respondent, *(ITEMS[item] for item in (*items, best, worst))])
    return pd.DataFrame(rows, columns=["customer_id", *SHOWN, "best", "worst"])


def totals(**counts: list[float]) -> pd.DataFrame:
    """One row of counts: best, worst, shown of each characteristic."""
    columns = {
        f"{part}_{name}": [count]
        for name, row in counts.items()
        for part, count in zip(("best", "worst", "shown"), row, strict=True)
    }
    return pd.DataFrame(columns)


def test_the_closed_form_of_the_logit() -> None:
    table = totals(a=[5218, 113, 7144], b=[113, 5218, 7144], c=[1000, 1000, 7144])
    found = best_worst_weights(table).to_frame().set_index("characteristic")
    assert found.loc["a", "utility"] == pytest.approx(1.79298, abs=1e-5)
    assert found.loc["b", "utility"] == pytest.approx(-1.79298, abs=1e-5)
    assert found.loc["c", ["score", "utility"]].tolist() == pytest.approx([0, 0])
    strengths = np.exp([1.79298, -1.79298, 0])
    assert found["weight"].tolist() == pytest.approx(strengths / strengths.sum(), abs=1e-5)
    counts = best_worst_weights(table, method="counts")
    shares = np.array([7144 + 5218 - 113, 7144 - 5218 + 113, 7144]) / (3 * 7144)
    assert list(counts.values()) == pytest.approx(shares.tolist())


def test_choices_counts_and_other_frames_say_the_same() -> None:
    choices = survey(30, 0)
    ours = best_worst_weights(choices, shown=SHOWN, random_state=0)
    assert list(ours) == sorted(ITEMS)
    assert ours.consistency == {"n_respondents": 30, "n_choices": 120}
    counts = best_worst_counts(choices, shown=SHOWN)
    others = [
        best_worst_weights(counts, random_state=0),
        best_worst_weights(counts.sample(frac=1, random_state=1), random_state=0),
        best_worst_weights(pl.DataFrame(counts.reset_index()), random_state=0),
        best_worst_weights(pl.DataFrame(choices), shown=SHOWN, random_state=0),
        best_worst_weights(choices.sample(frac=1, random_state=1), shown=SHOWN, random_state=0),
    ]
    for other in others:
        pd.testing.assert_frame_equal(other.to_frame(), ours.to_frame(), check_exact=True)
    assert best_worst_weights(choices, shown=SHOWN, random_state=1).intervals != ours.intervals


def test_it_finds_the_weights_behind_the_choices() -> None:
    found = best_worst_weights(survey(3000, 1), shown=SHOWN, random_state=0, n_boot=50)
    order = sorted(found, key=found.__getitem__)
    assert order == ["taste", "service", "quality", "price"]
    table = found.to_frame().set_index("characteristic")
    # the closed form approximates the maximum of the likelihood, close where sets are small
    assert np.corrcoef(table.loc[ITEMS, "utility"], UTILITY)[0, 1] > 0.99


@functools.cache
def differing(n_respondents: int, seed: int) -> pd.DataFrame:
    """Respondents who differ, so that their sets are not independent of each other."""
    return survey(n_respondents, seed, spread=1.0)


@pytest.mark.thorough
@pytest.mark.parametrize(("intervals", "n_repeats"), [("standard_error", size(60, 200)), ("bootstrap", size(50, 100))])
def test_intervals_hold_the_true_share_as_often_as_they_say(intervals: Any, n_repeats: int) -> None:
    truth = best_worst_weights(differing(4000, 99), shown=SHOWN, n_boot=1, random_state=0)
    inside = []
    for seed in range(n_repeats):
        found = best_worst_weights(differing(40, seed), shown=SHOWN, intervals=intervals, n_boot=200, random_state=0)
        inside += [low <= truth[name] <= high for name, (low, high) in found.intervals.items()]
    assert np.mean(inside) == pytest.approx(0.95, abs=0.04)


def test_the_standard_error_is_that_of_the_bootstrap() -> None:
    choices = survey(400, 3, spread=1.0)
    by_error = best_worst_weights(choices, shown=SHOWN, intervals="standard_error")
    by_bootstrap = best_worst_weights(choices, shown=SHOWN, random_state=0, n_boot=4000)
    for name in by_error:
        assert by_error.intervals[name] == pytest.approx(by_bootstrap.intervals[name], rel=0.06)


def test_a_single_row_has_the_standard_errors_of_independent_sets() -> None:
    found = best_worst_weights(totals(a=[60, 20, 100], b=[20, 60, 100])).to_frame()
    won, score = 0.7, 0.4
    error = np.sqrt((0.8 - score**2) / 100) / 2 / (won * (1 - won))
    assert found["standard_error"].tolist() == pytest.approx([error, error])
    assert (found["low"] < found["weight"]).all()
    assert (found["weight"] < found["high"]).all()
    with pytest.raises(InvalidParameterError, match="a single row of counts"):
        best_worst_weights(totals(a=[60, 20, 100], b=[20, 60, 100]), intervals="bootstrap")


COUNTS = st.integers(1, 20).flatmap(
    lambda shown: st.integers(0, shown).flatmap(
        lambda best: st.integers(0, shown - best).map(lambda worst: [best, worst, shown])
    )
)


@pytest.mark.filterwarnings("ignore::custseg.exceptions.DataQualityWarning")
@pytest.mark.parametrize("method", ["logit", "counts"])
@given(rows=st.lists(COUNTS, min_size=2, max_size=5))
def test_weights_are_in_the_order_of_the_scores(method: Any, rows: list[list[float]]) -> None:
    n_best, n_worst, _ = np.sum(rows, axis=0).tolist()
    even = [max(n_worst - n_best, 0), max(n_best - n_worst, 0), 1000]
    table = totals(**{f"item{position}": row for position, row in enumerate(rows)}, rest=even)
    found = best_worst_weights(table, method=method).to_frame()
    assert found["weight"].sum() == pytest.approx(1)
    for one in range(len(rows)):
        for other in range(len(rows)):
            if rows[one][2] == rows[other][2] and found["score"][one] > found["score"][other]:
                assert found["weight"][one] > found["weight"][other]


def test_a_characteristic_that_always_won_has_a_finite_weight() -> None:
    with pytest.warns(DataQualityWarning, match="'a' was chosen as best every time|'b' was chosen as worst") as caught:
        found = best_worst_weights(totals(a=[10, 0, 10], b=[0, 10, 10], c=[0, 0, 10]))
    assert len(caught) == len(found.warnings) == 2
    assert found.to_frame()["utility"].tolist() == pytest.approx([np.log(41), -np.log(41), 0])


@pytest.mark.parametrize(
    ("table", "error", "message"),
    [
        (pd.DataFrame({"a": [1]}), InvalidTableError, r"no column shown_<name>"),
        (totals(a=[1, 1, 4], b=[1, 1, 4]).drop(columns="worst_b"), ColumnNotFoundError, "'worst_b' not found"),
        (
            totals(a=[5, 0, 10], b=[0, 1, 10]),
            InvalidTableError,
            "one best and one worst.* for example 5 best and 1 worst",
        ),
        (totals(a=[3, 2, 4], b=[1, 1, 4]), InvalidTableError, "chosen more often than it was shown"),
        (totals(a=[-3, 2, 4], b=[1, 1, 4]), InvalidTableError, "'best_a' must hold counts"),
        (totals(a=[0, 0, 0], b=[1, 1, 4]), InvalidTableError, "'a' was never shown"),
        (totals(a=[0, 0, 1]), InvalidTableError, "at least 2 characteristics"),
    ],
)
def test_counts_that_cannot_be(table: pd.DataFrame, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        best_worst_weights(table)


@pytest.mark.parametrize("parameter", [{"method": "hb"}, {"intervals": "none"}, {"confidence_level": 1}, {"n_boot": 0}])
def test_parameters_out_of_range(parameter: dict[str, Any]) -> None:
    with pytest.raises(InvalidParameterError, match=next(iter(parameter))):
        best_worst_weights(survey(2, 0), shown=SHOWN, **parameter)

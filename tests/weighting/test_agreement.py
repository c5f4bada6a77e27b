"""Kendall's W: the reference, an independent library, ties, rounds, and the weights of the last round."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import friedmanchisquare

from custseg.exceptions import DataQualityWarning, InvalidParameterError, InvalidTableError, JudgementError
from custseg.weighting import CharacteristicWeights, rating_agreement

RANKS = [[1, 2, 3, 4, 5], [2, 1, 3, 5, 4], [1, 3, 2, 4, 5], [1, 2, 4, 3, 5]]
SCATTERED = [[1, 2, 3], [3, 1, 2], [2, 3, 1], [3, 2, 1]]
AGREED = [[1, 2, 3], [1, 2, 3], [1, 2, 3], [2, 1, 3]]


def test_the_reference() -> None:
    found = rating_agreement(RANKS, by="rank")
    assert isinstance(found, CharacteristicWeights)
    assert found.consistency["kendall_w"] == pytest.approx(0.8125, abs=1e-12)
    assert found.consistency["chi2"] == pytest.approx(13)
    assert found.consistency["df"] == 4
    assert found.consistency["p_value"] == pytest.approx(0.011276, abs=5e-7)


@pytest.mark.filterwarnings("ignore::custseg.exceptions.DataQualityWarning")
@given(st.integers(3, 6).flatmap(lambda n: st.lists(st.lists(st.integers(1, 4), min_size=n, max_size=n), min_size=2)))
def test_w_with_ties_is_friedmans_statistic(rows: list[list[int]]) -> None:
    values = np.array(rows)
    found = rating_agreement(values)
    if (values == values[:, :1]).all():
        assert np.isnan(found.consistency["kendall_w"])
        return
    m, n = values.shape
    theirs = friedmanchisquare(*values.T)
    assert found.consistency["kendall_w"] == pytest.approx(theirs.statistic / (m * (n - 1)), abs=1e-12)
    assert found.consistency["p_value"] == pytest.approx(theirs.pvalue, abs=1e-9)
    assert -1e-12 <= found.consistency["kendall_w"] <= 1 + 1e-12


@pytest.mark.filterwarnings("ignore::custseg.exceptions.DataQualityWarning")
@given(st.permutations(range(4)), st.permutations(range(5)), st.integers(2, 5))
def test_neither_the_order_of_judges_nor_a_monotone_scale_changes_w(judges: Any, columns: Any, power: int) -> None:
    values = np.array(RANKS)
    ours = rating_agreement(values).consistency
    assert rating_agreement(values[judges][:, columns] ** power).consistency == ours
    assert rating_agreement(values, by="rank").consistency == ours


def test_the_same_order_from_all_is_1_and_opposite_orders_0() -> None:
    assert rating_agreement([[1, 5, 9]] * 5).consistency["kendall_w"] == 1
    with pytest.warns(DataQualityWarning, match="agree no more than by chance"):
        assert rating_agreement([[1, 2, 3], [3, 2, 1]]).consistency["kendall_w"] == 0


def test_few_judges_who_agree_are_called_few_and_those_who_do_not_nobody() -> None:
    with pytest.warns(
        DataQualityWarning, match=r"too few judges \(2\) to tell agreement from chance .*W 1.00, p 0.14"
    ) as few:
        rating_agreement([[1, 2, 3], [1, 2, 3]])
    assert "nobody" not in str(few[0].message)
    # a W of a half is what two judges have by chance
    with pytest.warns(DataQualityWarning, match="W 0.50.*the mean order is nobody's"):
        rating_agreement([[1, 2, 3, 4], [2, 4, 1, 3]])


def test_weights_count_ranks_from_the_least_important() -> None:
    ranked = rating_agreement(RANKS, by="rank", names=list("abcde"))
    mean_rank = np.array(RANKS).mean(axis=0)
    assert list(ranked.values()) == pytest.approx(((6 - mean_rank) / 15).tolist())
    assert ranked.to_frame()["mean_rank"].tolist() == mean_rank.tolist()
    rated = rating_agreement(6 - np.array(RANKS), names=list("abcde"))
    assert dict(rated) == pytest.approx(dict(ranked))


def test_rounds_show_how_agreement_grows() -> None:
    with pytest.warns(DataQualityWarning, match="in round 1 the judges agree no more than by chance"):
        found = rating_agreement([SCATTERED, AGREED], names=["a", "b", "c"], by="rank")
    assert found.rounds["round"].tolist() == ["round 1", "round 2"]
    assert found.rounds["kendall_w"].tolist() == pytest.approx(
        [friedmanchisquare(*np.array(rows).T).statistic / 8 for rows in (SCATTERED, AGREED)]
    )
    assert found.rounds["change"].tolist()[1] == pytest.approx(np.diff(found.rounds["kendall_w"])[0])
    assert np.isnan(found.rounds["change"][0])
    assert dict(found) == dict(rating_agreement(AGREED, names=["a", "b", "c"], by="rank"))
    assert found.consistency["n_rounds"] == 2
    named = {"spring": pd.DataFrame(AGREED, columns=["a", "b", "c"])}
    named["autumn"] = named["spring"][["c", "a", "b"]]
    again = rating_agreement(named, by="rank")
    assert again.rounds["round"].tolist() == ["spring", "autumn"]
    assert dict(again) == dict(found)
    assert list(again) == ["a", "b", "c"]


def test_judges_who_left_something_out_do_not_count() -> None:
    table = pd.DataFrame([*RANKS, [1, 2, 3, 4, np.nan]])
    table.columns = list("abcde")
    with pytest.warns(DataQualityWarning, match=r"1 judge\(s\) of round 1 left a characteristic out"):
        found = rating_agreement(table, by="rank")
    assert found.consistency["n_judges"] == 4
    assert found.consistency["kendall_w"] == pytest.approx(0.8125)


def test_no_order_to_agree_on() -> None:
    with pytest.warns(DataQualityWarning, match="every judge gave all characteristics one value"):
        found = rating_agreement(np.ones((4, 3)))
    assert np.isnan(found.consistency["kendall_w"])
    assert list(found.values()) == pytest.approx([1 / 3] * 3)


@pytest.mark.parametrize(
    ("rounds", "error", "message"),
    [
        ([[1, 2, 3]], InvalidTableError, "at least 2 judges .* got 1 of 1"),
        ([], InvalidTableError, "matrix of numbers"),
        ({}, InvalidParameterError, "at least one round"),
        ([AGREED, RANKS], JudgementError, "the judgements of round 2 are about"),
        ("no such file.csv", Exception, "no such file"),
    ],
)
def test_rounds_that_cannot_be_used(rounds: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        rating_agreement(rounds)


def test_parameters_out_of_range() -> None:
    with pytest.raises(InvalidParameterError, match="'by' must be 'rating' or 'rank'"):
        rating_agreement(RANKS, by="best")  # type: ignore[arg-type]

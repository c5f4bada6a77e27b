"""Analytic hierarchy process: Saaty's examples, the law of consistency, the judgement to blame, the intervals."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.sparse.csgraph import connected_components

from custseg.exceptions import ColumnTypeError, DataQualityWarning, InvalidParameterError, JudgementError
from custseg.weighting import _ahp, ahp_weights
from tests.sizes import size

Floats = npt.NDArray[np.float64]

DRINKS = ["coffee", "wine", "tea", "beer", "sodas", "milk", "water"]
LEADER = [[1, 4, 3, 7], [1 / 4, 1, 1 / 3, 3], [1 / 3, 3, 1, 5], [1 / 7, 1 / 3, 1 / 5, 1]]
POOR = [[1, 9, 2], [1 / 9, 1, 5], [1 / 2, 1 / 5, 1]]


def drinks() -> Floats:
    upper = [[9, 5, 2, 1, 1, 1 / 2], [1 / 3, 1 / 9, 1 / 9, 1 / 9, 1 / 9], [1 / 3, 1 / 4, 1 / 3, 1 / 9]]
    upper += [[1 / 2, 1, 1 / 3], [2, 1 / 2], [1 / 3]]
    return reciprocal([value for row in upper for value in row])


def reciprocal(upper: list[float]) -> Floats:
    """Build a judgement matrix from the part above its diagonal."""
    n = int((1 + np.sqrt(1 + 8 * len(upper))) / 2)
    matrix = np.ones((n, n))
    matrix[np.triu_indices(n, 1)] = upper
    matrix.T[np.triu_indices(n, 1)] = 1 / np.asarray(upper)
    return matrix


def test_saatys_drinks() -> None:
    found = ahp_weights(drinks(), names=DRINKS)
    published = [0.1775, 0.0191, 0.0418, 0.1164, 0.1896, 0.1288, 0.3268]
    assert list(found) == DRINKS
    assert list(found.values()) == pytest.approx(published, abs=5e-5)
    assert found.consistency["lambda_max"] == pytest.approx(7.176629, abs=5e-7)
    assert found.consistency["consistency_ratio"] == pytest.approx(0.022302, abs=5e-7)
    assert found.warnings == ()


def test_choosing_a_leader() -> None:
    found = ahp_weights(LEADER)
    assert list(found) == ["x0", "x1", "x2", "x3"]
    assert list(found.values()) == pytest.approx([0.5476, 0.1266, 0.2699, 0.0559], abs=5e-5)
    assert found.consistency["lambda_max"] == pytest.approx(4.118418, abs=5e-7)
    assert found.consistency["consistency_index"] == pytest.approx(0.118418 / 3, abs=5e-7)
    assert found.consistency["consistency_ratio"] == pytest.approx(0.043859, abs=5e-7)


@given(st.lists(st.floats(0.001, 1000), min_size=2, max_size=15))
def test_a_consistent_matrix_returns_its_weights_with_ratio_0(importance: list[float]) -> None:
    w = np.array(importance) / sum(importance)
    found = ahp_weights(w[:, None] / w[None, :])
    assert list(found.values()) == pytest.approx(w.tolist(), rel=1e-9)
    assert found.consistency["consistency_ratio"] == pytest.approx(0.0, abs=1e-9)
    assert found.warnings == ()
    for name, (low, high) in found.intervals.items():
        assert low == pytest.approx(found[name], rel=1e-5) == high


SAATY = st.sampled_from([1 / 9, 1 / 7, 1 / 5, 1 / 3, 1.0, 3.0, 5.0, 7.0, 9.0])


@pytest.mark.filterwarnings("ignore::custseg.exceptions.DataQualityWarning")
@given(st.integers(3, 6).flatmap(lambda n: st.lists(SAATY, min_size=n * (n - 1) // 2, max_size=n * (n - 1) // 2)))
def test_the_weights_are_the_principal_eigenvector(upper: list[float]) -> None:
    matrix = reciprocal(upper)
    found = ahp_weights(matrix)
    w = np.ones(len(matrix))
    for _ in range(2000):
        w = matrix @ w / (matrix @ w).sum()
    assert list(found.values()) == pytest.approx(w.tolist(), rel=1e-6)
    assert found.consistency["lambda_max"] == pytest.approx((matrix @ w / w).mean(), rel=1e-6)
    # the order of the characteristics changes nothing
    order = np.arange(len(matrix))[::-1]
    again = ahp_weights(matrix[np.ix_(order, order)])
    assert list(again.values()) == pytest.approx(w[order].tolist(), rel=1e-6)


@given(st.lists(st.floats(0.2, 5), min_size=5, max_size=5), st.integers(0, 9))
def test_a_single_wrong_judgement_is_named_with_the_consistent_value(importance: list[float], wrong: int) -> None:
    w = np.array(importance)
    matrix = w[:, None] / w[None, :]
    i, j = (int(positions[wrong]) for positions in np.triu_indices(5, 1))
    matrix[i, j] *= 40
    matrix[j, i] = 1 / matrix[i, j]
    names = list("abcde")
    consistent = float(w[i] / w[j])
    assume(abs(np.log(consistent)) > 0.01)
    with pytest.warns(DataQualityWarning, match="consistency ratio is") as caught:
        found = ahp_weights(matrix, names)
    assert found.consistency["consistency_ratio"] > 0.10
    assert len(caught) == 1
    assert found.warnings[0] in str(caught[0].message)
    # 40 times as important as it should be, so that the first is now the more important
    said = f"{consistent:.2g}" if consistent > 0.95 else f"1/{1 / consistent:.2g}"
    judged = f"{names[i]!r} over {names[j]!r} = {matrix[i, j]:.3g}, where {said} would be consistent"
    assert judged in found.warnings[0]


def test_several_judges_are_joined_by_the_geometric_mean() -> None:
    other = [[1, 2, 5, 6], [1 / 2, 1, 2, 3], [1 / 5, 1 / 2, 1, 1], [1 / 6, 1 / 3, 1, 1]]
    joined = ahp_weights(np.sqrt(np.array(LEADER) * np.array(other)))
    for several in ([LEADER, other], np.array([LEADER, other]), (np.array(LEADER), np.array(other))):
        found = ahp_weights(several)
        assert list(found.values()) == pytest.approx(list(joined.values()))
        assert found.consistency["n_judges"] == 2
        ratios = [ahp_weights(one).consistency["consistency_ratio"] for one in (LEADER, other)]
        assert found.consistency["largest_judge_ratio"] == max(ratios)
    same = ahp_weights([LEADER] * 3)
    assert list(same.values()) == pytest.approx(list(ahp_weights(LEADER).values()))
    assert all(low == pytest.approx(high) for low, high in same.intervals.values())


def test_judges_who_contradict_themselves_are_named() -> None:
    good = [[1, 3, 2], [1 / 3, 1, 2 / 3], [1 / 2, 3 / 2, 1]]
    with pytest.warns(DataQualityWarning, match=r"1 of 6 judges .*Ann \(1.01: 'a' over 'b' = 9, where 1/2.5 would"):
        found = ahp_weights({"Ann": POOR, **{f"judge {k}": good for k in range(5)}}, names=["a", "b", "c"])
    assert len(found.warnings) == 1  # together they are consistent enough
    with pytest.warns(DataQualityWarning, match="consistency ratio is 1.01"):
        ahp_weights(POOR)


def test_tables_bring_their_names() -> None:
    frame = pd.DataFrame(LEADER, columns=list("abcd"), index=list("abcd"))
    expected = dict(zip("abcd", ahp_weights(LEADER).values(), strict=True))
    assert dict(ahp_weights(frame)) == expected
    assert dict(ahp_weights(frame.loc[list("dbca")])) == expected  # rows are found by name
    assert dict(ahp_weights(pl.DataFrame(frame))) == expected
    both = ahp_weights([frame, frame.loc[list("dbca"), list("cabd")]])
    assert dict(both) == pytest.approx(expected)
    assert list(ahp_weights(frame, names=list("dcba"))) == list("dcba")
    assert dict(ahp_weights(frame, names=list("dcba"))) == pytest.approx(expected)


def test_rounded_reciprocals_are_taken_as_exact() -> None:
    rounded = np.round(LEADER, 2)
    assert list(ahp_weights(rounded).values()) == pytest.approx(list(ahp_weights(LEADER).values()), abs=1e-12)
    assert list(ahp_weights(np.round(drinks(), 2)).values()) == pytest.approx(list(ahp_weights(drinks()).values()))


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ([[1, 3], [1 / 2, 1]], r"'x0' over 'x1' = 3 and 'x1' over 'x0' = 0.5 contradict .* second to 0.3333"),
        ([[1, 3], [3, 1]], "'x0' over 'x1' = 3 and 'x1' over 'x0' = 3 contradict"),
        ([[1, 0.5], [0.5, 1]], "'x0' over 'x1' = 0.5 and 'x1' over 'x0' = 0.5 contradict"),
        ([[1, 1000], [0.005, 1]], "contradict each other"),
        ([[1, -3], [-1 / 3, 1]], "'x0' over 'x1' must be a positive number, got -3"),
        ([[1, 2], [0, 1]], "'x1' over 'x0' must be a positive number, got 0"),
        ([[1, np.nan], [0, 1]], "'x1' over 'x0' must be a positive number, got 0"),
        ([[1, np.inf], [np.nan, 1]], "'x0' over 'x1' must be a positive number, got inf"),
        ([[1, np.inf], [0, 1]], "'x0' over 'x1' must be a positive number, got inf"),
        ([[1, 2], [0.5, 2]], "'x1' over itself must be 1, got 2"),
        ([[1, 2, 3], [0.5, 1, 2]], r"must be square.* got shape \(2, 3\)"),
        ([[1]], "at least 2 characteristics"),
        ([1, 2], "must be square"),
        ([LEADER, [[1, 3], [3, 1]]], "the judgements of judge 2 are about 'x0', 'x1', not about"),
    ],
)
def test_judgements_that_make_no_sense(matrix: Any, message: str) -> None:
    with pytest.raises((JudgementError, InvalidParameterError), match=message):
        ahp_weights(matrix)


def test_the_judge_and_the_pair_are_named() -> None:
    frame = pd.DataFrame([[1.0, 5.0], [5.0, 1.0]], columns=["price", "taste"])
    with pytest.raises(JudgementError, match="judge 2: the judgements 'price' over 'taste' = 5"):
        ahp_weights([frame.replace({5.0: 1.0}), frame])


@pytest.mark.parametrize(
    ("matrix", "names", "message"),
    [
        (LEADER, ["a", "b"], "4 names, one for each characteristic"),
        (LEADER, ["a", "b", "c", "c"], "a list of different names"),
        (LEADER, "abcd", "a list of different names"),
        ([], None, "square"),
        ({}, None, "at least one judge"),
        ([["a", "b"], ["c", "d"]], None, "a square matrix of numbers"),
        (pd.DataFrame([[1, 2], [0.5, 1]], columns=["a", "b"], index=["a", "c"]), None, "rows of the matrix"),
        (pd.DataFrame([[1, 2], [0.5, 1]], columns=["a", "b"]), ["a", "c"], "not about 'a', 'c'"),
    ],
)
def test_names_that_do_not_fit(matrix: Any, names: Any, message: str) -> None:
    with pytest.raises((JudgementError, InvalidParameterError), match=message):
        ahp_weights(matrix, names)


def test_text_in_a_table_is_refused() -> None:
    with pytest.raises(ColumnTypeError, match="'b' must be judgements as numbers"):
        ahp_weights(pd.DataFrame({"a": [1.0, 0.5], "b": ["2", "1"]}))
    with pytest.raises(InvalidParameterError, match="confidence_level"):
        ahp_weights(LEADER, confidence_level=1.0)


def test_two_characteristics_and_more_than_fifteen() -> None:
    two = ahp_weights([[1, 4], [0.25, 1]])
    assert dict(two) == pytest.approx({"x0": 0.8, "x1": 0.2})
    assert two.consistency["consistency_ratio"] == 0
    assert two.intervals == {}
    with pytest.warns(DataQualityWarning, match="random index ends at 15"):
        many = ahp_weights(np.ones((16, 16)))
    assert np.isnan(many.consistency["consistency_ratio"])
    assert list(many.values()) == pytest.approx([1 / 16] * 16)


@pytest.mark.thorough
@pytest.mark.parametrize("n_judges", size([4], [1, 4]))
def test_intervals_hold_the_true_weight_as_often_as_they_say(n_judges: int) -> None:
    rng = np.random.RandomState(0)
    truth = np.array([0.4, 0.25, 0.15, 0.12, 0.08])
    inside = []
    for _ in range(300):
        upper = (truth[:, None] / truth)[np.triu_indices(5, 1)] * np.exp(0.15 * rng.randn(n_judges, 10))
        found = ahp_weights(
            [reciprocal(row) for row in upper.tolist()] if n_judges > 1 else reciprocal(upper[0].tolist())
        )
        limits = np.array(list(found.intervals.values()))
        assert ((limits > 0) & (limits < 1)).all()
        inside.append((limits[:, 0] <= truth) & (truth <= limits[:, 1]))
    assert np.mean(inside) == pytest.approx(0.95, abs=0.02)


def without(matrix: Any, *pairs: tuple[int, int]) -> Floats:
    """Take judgements out of a matrix."""
    found = np.array(matrix, dtype=np.float64)
    for i, j in pairs:
        found[i, j] = found[j, i] = np.nan
    return found


@pytest.mark.filterwarnings("ignore::custseg.exceptions.DataQualityWarning")
@given(st.lists(st.floats(0.01, 100), min_size=4, max_size=7), st.randoms(use_true_random=False))
def test_missing_judgements_of_a_consistent_judge_change_nothing(importance: list[float], random: Any) -> None:
    w = np.array(importance) / sum(importance)
    matrix = w[:, None] / w[None, :]
    # a chain is kept, so that everything stays compared
    pairs = [(i, j) for i in range(len(w)) for j in range(i + 2, len(w)) if random.random() < 0.5]
    found = ahp_weights(without(matrix, *pairs))
    assert list(found.values()) == pytest.approx(w.tolist(), rel=1e-8)
    assert found.consistency["consistency_ratio"] == pytest.approx(0.0, abs=1e-7)
    assert found.consistency.get("n_missing", 0.0) == len(pairs)


def test_a_missing_judgement_is_the_ratio_of_the_weights() -> None:
    with pytest.warns(DataQualityWarning, match=r"1 of 6 pairs were not judged.* \(Harker's method\)"):
        found = ahp_weights(without(LEADER, (1, 2)))
    completed = np.array(LEADER)
    completed[1, 2], completed[2, 1] = found["x1"] / found["x2"], found["x2"] / found["x1"]
    again = ahp_weights(completed)
    assert dict(again) == pytest.approx(dict(found), rel=1e-9)
    assert again.consistency["lambda_max"] == pytest.approx(found.consistency["lambda_max"], rel=1e-12)
    # of three independent ways round, one is gone: the random index of such matrices is two thirds
    ratio = found.consistency["consistency_index"] / (0.90 * 2 / 3)
    assert found.consistency["consistency_ratio"] == pytest.approx(ratio)
    assert "incomplete matrices" in found.warnings[0]
    assert all(low < found[name] < high for name, (low, high) in found.intervals.items())


def test_a_tree_of_judgements_has_nothing_to_contradict() -> None:
    with pytest.warns(DataQualityWarning, match="3 of 6 pairs"):
        found = ahp_weights(without(LEADER, (1, 2), (1, 3), (2, 3)))
    assert found.consistency["consistency_ratio"] == 0.0
    assert found.intervals == {}
    assert [found["x0"] / found[name] for name in ("x1", "x2", "x3")] == pytest.approx([4, 3, 7])


def test_one_direction_is_enough() -> None:
    upper = np.array(LEADER)
    upper[np.tril_indices(4)] = np.nan
    assert ahp_weights(upper) == ahp_weights(LEADER)
    frame = pd.DataFrame(upper, columns=list("abcd"), index=list("abcd"))
    assert dict(ahp_weights(pl.DataFrame(frame))) == dict(zip("abcd", ahp_weights(LEADER).values(), strict=True))


def test_judges_are_joined_by_those_who_judged_a_pair() -> None:
    other = np.array([[1, 2, 5, 6], [1 / 2, 1, 2, 3], [1 / 5, 1 / 2, 1, 1], [1 / 6, 1 / 3, 1, 1]])
    joined = np.sqrt(np.array(LEADER) * other)
    joined[1, 2], joined[2, 1] = 2, 1 / 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # somebody judged every pair
        found = ahp_weights([without(LEADER, (1, 2)), other])
    assert list(found.values()) == pytest.approx(list(ahp_weights(joined).values()))
    assert "n_missing" not in found.consistency


def test_a_contradiction_beside_a_missing_judgement_is_named() -> None:
    w = np.array([5.0, 4.0, 3.0, 2.0, 1.0])
    matrix = w[:, None] / w[None, :]
    matrix[0, 4], matrix[4, 0] = 1 / 9, 9
    with pytest.warns(DataQualityWarning) as caught:
        found = ahp_weights(without(matrix, (1, 3)))
    assert [str(each.message).partition(": ")[2] for each in caught] == list(found.warnings)
    assert "'x4' over 'x0' = 9, where 1/5 would be consistent with them" in found.warnings[1]


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([(0, 3), (1, 3), (2, 3)], "compares 'x3' with 'x0', 'x1', 'x2'. Ask about one pair across"),
        ([(0, 2), (0, 3), (1, 2), (1, 3)], "compares 'x0', 'x1' with 'x2', 'x3'"),
    ],
)
def test_judgements_that_fall_apart_name_the_characteristics(pairs: Any, message: str) -> None:
    with pytest.raises(JudgementError, match=message):
        ahp_weights(without(LEADER, *pairs))
    with pytest.raises(JudgementError, match=f"judge 2: no judgement.*{message}"):
        ahp_weights([LEADER, without(LEADER, *pairs)])


@pytest.mark.slow
@pytest.mark.parametrize(("n", "n_missing"), [(4, 1), (4, 2), (5, 1), (5, 3), (6, 2), (6, 5), (7, 5)])
def test_the_random_index_of_incomplete_matrices_is_that_of_random_judgements(n: int, n_missing: int) -> None:
    rng = np.random.RandomState(0)
    scale = np.log([*(1 / np.arange(9, 1, -1)), *range(1, 10)])
    upper = np.triu_indices(n, 1)
    indices: list[float] = []
    while len(indices) < 2_000:
        logs = np.zeros((n, n))
        logs[upper] = rng.choice(scale, len(upper[0]))
        logs -= logs.T
        out = rng.choice(len(upper[0]), n_missing, replace=False)
        logs[upper[0][out], upper[1][out]] = logs[upper[1][out], upper[0][out]] = np.nan
        if connected_components(~np.isnan(logs))[0] == 1:
            indices.append(_ahp._solve(logs).index)
    expected = _ahp.random_index(n, n_missing)
    error = 0.08 * expected + 3 * np.std(indices) / np.sqrt(len(indices))
    assert np.mean(indices) == pytest.approx(expected, rel=0, abs=error)

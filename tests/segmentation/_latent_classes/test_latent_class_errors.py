"""Standard errors of latent classes against numerical curvature, and where there are none."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from custseg.exceptions import DataQualityWarning
from custseg.segmentation._latent_classes import errors
from custseg.segmentation._latent_classes.clusterer import LatentClassClusterer
from tests.conftest import shared_data
from tests.sizes import size

KINDS = {"b0": "binary", "b1": "binary", "c": "nominal"}


def customers(n_rows: int, missing: float, seed: int = 0) -> pd.DataFrame:
    """Two planted classes with two bools, a category and a number."""
    rng = np.random.RandomState(seed)
    z = rng.choice(2, n_rows, p=[0.6, 0.4])
    levels = np.array([[0.6, 0.3, 0.1], [0.2, 0.3, 0.5]])
    table = pd.DataFrame(
        {
            "b0": (rng.rand(n_rows) < np.array([0.8, 0.3])[z]).astype(float),
            "b1": (rng.rand(n_rows) < np.array([0.3, 0.7])[z]).astype(float),
            "c": (rng.rand(n_rows, 1) > levels[z].cumsum(axis=1)).sum(axis=1).clip(max=2).astype(float),
            "x": np.array([100.0, 250.0])[z] + np.array([50.0, 90.0])[z] * rng.randn(n_rows),
        }
    )
    return table.mask(rng.rand(*table.shape) < missing)


def log_likelihood(parameters: Any, table: pd.DataFrame, weights: Any) -> float:
    """Two classes: share of the first, then of each: two chances, two of three levels, mean and sd."""
    joint = np.log([parameters[0], 1 - parameters[0]]) + np.zeros((len(table), 2))
    for k in range(2):
        b0, b1, first, second, mean, deviation = parameters[1 + 6 * k : 7 + 6 * k]
        levels = np.log([first, second, 1 - first - second])
        codes = table["c"].fillna(0).to_numpy().astype(int)
        for name, terms in (
            ("b0", stats.bernoulli.logpmf(table["b0"].fillna(0), b0)),
            ("b1", stats.bernoulli.logpmf(table["b1"].fillna(0), b1)),
            ("c", levels[codes]),
            ("x", stats.norm.logpdf(table["x"], mean, deviation)),
        ):
            joint[:, k] += np.where(table[name].isna(), 0.0, terms)
    return float(weights @ np.logaddexp.reduce(joint, axis=1))


def curvature(parameters: Any, table: pd.DataFrame, weights: Any) -> Any:
    """Minus the second derivatives by central differences."""
    steps = np.maximum(np.abs(parameters), 0.1) * 1e-4
    size = len(parameters)
    found = np.empty((size, size))
    for i in range(size):
        for j in range(i + 1):
            total = 0.0
            for one in (-1, 1):
                for other in (-1, 1):
                    moved = parameters.copy()
                    moved[i] += one * steps[i]
                    moved[j] += other * steps[j]
                    total += one * other * log_likelihood(moved, table, weights)
            found[i, j] = found[j, i] = -total / (4 * steps[i] * steps[j])
    return found


@pytest.mark.thorough
@pytest.mark.parametrize(("missing", "weighted"), size([(0.15, True)], [(0.0, False), (0.15, False), (0.15, True)]))
def test_errors_are_those_of_the_numerical_curvature(missing: float, weighted: bool) -> None:
    table = customers(size(150, 300), missing)
    weights = np.random.RandomState(1).randint(1, 4, len(table)).astype(float) if weighted else np.ones(len(table))
    fitted = LatentClassClusterer(2, kinds=KINDS, tol=1e-10, random_state=0).fit(table, sample_weight=weights)
    profiles = fitted.profiles_[~((fitted.profiles_["characteristic"] == "c") & (fitted.profiles_["level"] == "2"))]
    parameters = np.append(fitted.class_shares_[0], profiles["estimate"])
    assert log_likelihood(parameters, table, weights) == pytest.approx(fitted.log_likelihood_, abs=1e-6)
    covariance = np.linalg.inv(curvature(parameters, table, weights))
    expected = np.sqrt(np.diag(covariance))
    assert fitted.class_share_errors_ == pytest.approx([expected[0]] * 2, rel=1e-3)
    assert profiles["standard_error"].to_numpy() == pytest.approx(expected[1:], rel=1e-3)
    last = fitted.profiles_.query("characteristic == 'c' and level == '2'")["standard_error"]
    thirds = [math.sqrt(covariance[a : a + 2, a : a + 2].sum()) for a in (3, 9)]
    assert last.to_numpy() == pytest.approx(thirds, rel=1e-3)


def test_errors_shrink_with_the_root_of_the_weights() -> None:
    table = customers(200, 0.1)
    once, often = (
        LatentClassClusterer(2, kinds=KINDS, tol=1e-9, random_state=0).fit(table, sample_weight=np.full(200, weight))
        for weight in (1.0, 25.0)
    )
    ratio = once.profiles_["standard_error"] / often.profiles_["standard_error"]
    assert ratio.to_numpy() == pytest.approx(np.full(len(ratio), 5.0), rel=1e-3)


def test_a_probability_on_the_edge_has_no_error() -> None:
    ratings = pd.read_csv(shared_data("polca_carcinoma") / "carcinoma.csv") - 1.0
    profiles = LatentClassClusterer(3, kinds="binary", tol=1e-10, random_state=0).fit(ratings).profiles_
    edge = (profiles["estimate"] < 1e-6) | (profiles["estimate"] > 1 - 1e-6)
    assert edge.sum() > 0
    assert (profiles["standard_error"].isna() == edge).all()
    assert (profiles["standard_error"].dropna() > 0).all()


def test_what_the_data_cannot_tell_apart_has_no_error() -> None:
    answers = (np.random.RandomState(0).rand(500, 2) < 0.4).astype(float)
    fitted = LatentClassClusterer(2, kinds="binary", random_state=0).fit(answers)  # 5 parameters for 4 counts
    assert fitted.profiles_["standard_error"].isna().all()
    assert np.isnan(fitted.class_share_errors_).all()


def test_errors_can_be_left_out() -> None:
    table = customers(200, 0.1)
    plain, with_errors = (
        LatentClassClusterer(2, kinds=KINDS, standard_errors=wanted, random_state=0).fit(table)
        for wanted in (False, True)
    )
    assert plain.profiles_["standard_error"].isna().all()
    assert np.isnan(plain.class_share_errors_).all()
    pd.testing.assert_series_equal(plain.profiles_["estimate"], with_errors.profiles_["estimate"])


def test_of_too_many_parameters_there_are_no_errors_and_a_warning(monkeypatch) -> None:
    monkeypatch.setattr(errors, "MOST_PARAMETERS", 10)
    table = customers(200, 0.0)
    with pytest.warns(DataQualityWarning, match=r"parameters are too many for standard errors.*standard_errors=False"):
        fitted = LatentClassClusterer(2, kinds=KINDS, random_state=0, n_init=2).fit(table)
    assert fitted.profiles_["standard_error"].isna().all()
    assert np.isnan(fitted.class_share_errors_).all()
    silent = LatentClassClusterer(2, kinds=KINDS, random_state=0, n_init=2, standard_errors=False).fit(table)
    pd.testing.assert_frame_equal(fitted.profiles_, silent.profiles_)


def test_hundreds_of_columns_take_no_matrix_of_their_parameters() -> None:
    table = pd.DataFrame(np.random.RandomState(0).randn(30, 800)).add_prefix("c")
    with pytest.warns(DataQualityWarning, match=r"3,20. parameters are too many"):
        fitted = LatentClassClusterer(2, random_state=0, n_init=1, max_iter=2, tol=0.0).fit(table)
    assert fitted.n_parameters_ == 3_201

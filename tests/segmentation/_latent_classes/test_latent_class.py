"""Latent classes: published figures, an independent program, laws, and what they make of bad input."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture
from sklearn.utils.estimator_checks import parametrize_with_checks

from custseg.exceptions import (
    ColumnChangeError,
    ColumnTypeError,
    CustomerIdError,
    DataQualityWarning,
    InfeasibleError,
    InvalidParameterError,
    SegmentLabelError,
    UnseenCategoryWarning,
)
from custseg.segmentation._latent_classes import em
from custseg.segmentation._latent_classes.clusterer import LatentClassClusterer
from tests.conftest import shared_data
from tests.sizes import size
from tests.strategies import customer_tables

pytestmark = pytest.mark.sampled

# Constant, sparse and unseen values occur in random tables; the warnings have tests of their own.
quiet = pytest.mark.filterwarnings("ignore::custseg.exceptions.DataQualityWarning")
unhurried = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
lawful = settings(max_examples=size(3, 20))

KINDS = {"b0": "binary", "b1": "binary", "b2": "binary", "c0": "nominal", "c1": "nominal"}


def customers(n_rows: int = 400, missing: float = 0.0, seed: int = 0) -> pd.DataFrame:
    """Three planted classes of .5, .3 and .2 with bools, categories (as codes) and numbers."""
    rng = np.random.RandomState(seed)
    z = rng.choice(3, n_rows, p=[0.5, 0.3, 0.2])
    yes = np.array([[0.8, 0.2, 0.7], [0.2, 0.8, 0.6], [0.5, 0.1, 0.1]])
    levels = np.array(
        [[[0.7, 0.2, 0.1], [0.1, 0.7, 0.2], [0.2, 0.2, 0.6]], [[0.2, 0.2, 0.6], [0.5, 0.3, 0.2], [0.1, 0.8, 0.1]]]
    )
    means = np.array([[0.0, 1.0, 200.0], [2.0, -1.0, 0.0], [-2.0, 0.0, 100.0]])
    spreads = np.array([[1.0, 1.0, 50.0], [0.7, 1.0, 80.0], [1.0, 2.0, 60.0]])
    table = {f"b{j}": (rng.rand(n_rows) < yes[z, j]).astype(float) for j in range(3)}
    for j in range(2):
        table[f"c{j}"] = (rng.rand(n_rows, 1) > levels[j][z].cumsum(axis=1)).sum(axis=1).clip(max=2).astype(float)
    for j in range(3):
        table[f"x{j}"] = means[z, j] + spreads[z, j] * rng.randn(n_rows)
    frame = pd.DataFrame(table)
    return frame.mask(rng.rand(*frame.shape) < missing)


def fit(table: Any, n_segments: int = 3, **parameters: Any) -> LatentClassClusterer:
    return LatentClassClusterer(n_segments, **{"random_state": 0, **parameters}).fit(table)


def mixed(missing: float = 0.0, **parameters: Any) -> LatentClassClusterer:
    return fit(customers(missing=missing), **{"kinds": KINDS, "min_variance": 1e-6, **parameters})


@quiet
@unhurried
@pytest.mark.thorough
@parametrize_with_checks([LatentClassClusterer(n_segments=3, n_init=size(1, 2))])
def test_scikit_learns_checks(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)


# ---- published figures and other programs


@pytest.mark.parametrize(("n_segments", "log_likelihood"), [(2, -317.2568), (3, -293.7050), (4, -289.2858)])
@pytest.mark.thorough
@pytest.mark.parametrize("seed", range(size(2, 5)))
def test_carcinoma_ratings_reach_the_published_log_likelihood(
    n_segments: int, log_likelihood: float, seed: int
) -> None:
    ratings = pd.read_csv(shared_data("polca_carcinoma") / "carcinoma.csv")
    as_levels = fit(ratings, n_segments, kinds="nominal", random_state=seed)
    assert as_levels.log_likelihood_ == pytest.approx(log_likelihood, abs=5e-5)
    assert as_levels.n_parameters_ == n_segments * 8 - 1
    assert as_levels.converged_
    as_bits = fit(ratings.to_numpy() - 1.0, n_segments, kinds="binary", random_state=seed)
    assert as_bits.log_likelihood_ == pytest.approx(log_likelihood, abs=5e-5)


def test_carcinoma_criteria_follow_from_their_definitions() -> None:
    ratings = pd.read_csv(shared_data("polca_carcinoma") / "carcinoma.csv")
    fitted = fit(ratings, 3, kinds="nominal")
    assert fitted.aic_ == pytest.approx(633.41, abs=0.005)
    assert fitted.bic_ == pytest.approx(697.1357, abs=5e-4)
    assert fitted.class_shares_.round(4) == pytest.approx([0.4447, 0.3736, 0.1817], abs=1e-4)


def stepmix_log_likelihood(data: Any, measurement: Any, n_rows: int) -> tuple[float, Any]:
    stepmix = pytest.importorskip("stepmix", reason="stepmix, the independent program, is not installed")
    peer = stepmix.StepMix(
        3, measurement=measurement, n_init=5, random_state=1, abs_tol=1e-12, max_iter=5000, progress_bar=0, verbose=0
    ).fit(data)
    return float(peer.score(data)) * n_rows, peer


@pytest.mark.parametrize("missing", [0.0, 0.15])
def test_mixed_log_likelihood_equals_stepmix(missing: float) -> None:
    utils = pytest.importorskip("stepmix.utils", reason="stepmix, the independent program, is not installed")
    table, suffix = customers(missing=missing), "_nan" if missing else ""
    groups = {f"{kind}{suffix}": [name for name in table if name[0] == first] for kind, first in KIND_OF_PEER.items()}
    data, measurement = utils.get_mixed_descriptor(table, **groups)
    log_likelihood, peer = stepmix_log_likelihood(data, measurement, len(table))
    ours = mixed(missing, tol=1e-8)
    assert ours.log_likelihood_ == pytest.approx(log_likelihood, abs=5e-5)
    assert ours.n_parameters_ == peer.n_parameters
    assert ours.bic_ == pytest.approx(peer.bic(data), abs=1e-4)
    assert ours.entropy_ == pytest.approx(peer.relative_entropy(data), abs=1e-4)


KIND_OF_PEER = {"binary": "b", "categorical": "c", "gaussian_diag": "x"}


@pytest.mark.thorough
@pytest.mark.parametrize("missing", [0.0, 0.15])
def test_binary_log_likelihood_equals_stepmix(missing: float) -> None:
    rng = np.random.RandomState(1)
    chances = np.array([[0.8] * 8, [0.2] * 4 + [0.7] * 4, [0.1] * 8])
    n = size(250, 500)
    answers = (rng.rand(n, 8) < chances[rng.choice(3, n)]).astype(float)
    answers[rng.rand(n, 8) < missing] = np.nan
    measurement = "binary_nan" if missing else "binary"
    log_likelihood, _ = stepmix_log_likelihood(answers, measurement, len(answers))
    assert fit(answers, kinds="binary", tol=1e-8).log_likelihood_ == pytest.approx(log_likelihood, abs=5e-5)


def test_numbers_alone_are_a_gaussian_mixture_of_diagonal_covariances() -> None:
    X = customers()[["x0", "x1", "x2"]].to_numpy()
    peer = GaussianMixture(3, covariance_type="diag", n_init=10, tol=1e-10, max_iter=5000, random_state=0).fit(X)
    ours = fit(X, min_variance=1e-6, tol=1e-8)
    assert ours.log_likelihood_ == pytest.approx(peer.score(X) * len(X), abs=1e-3)
    assert ours.bic_ == pytest.approx(peer.bic(X), abs=2e-3)
    order = np.argsort(-peer.weights_)
    assert ours.class_shares_ == pytest.approx(peer.weights_[order], abs=1e-4)
    assert ours.predict_proba(X) == pytest.approx(peer.predict_proba(X)[:, order], abs=1e-3)


# ---- what the figures mean


def log_densities(fitted: LatentClassClusterer, table: pd.DataFrame) -> Any:
    """The log-probability of class and row, term by term from the profiles."""
    joint = np.tile(np.log(fitted.class_shares_), (len(table), 1))
    for (k, name), rows in fitted.profiles_.groupby(["class", "characteristic"]):
        values, estimate = table[name].to_numpy(), rows.set_index("statistic")["estimate"]
        if name[0] == "b":
            terms = stats.bernoulli.logpmf(np.nan_to_num(values), estimate["probability"])
        elif name[0] == "c":
            chances = rows.set_index("level")["estimate"]
            terms = np.log([chances[str(int(value))] if np.isfinite(value) else 1.0 for value in values])
        else:
            terms = stats.norm.logpdf(values, estimate["mean"], estimate["sd"])
        joint[:, k] += np.where(np.isnan(values), 0.0, terms)
    return joint


@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_probabilities_and_criteria_follow_from_the_profiles(missing: float) -> None:
    table, fitted = customers(missing=missing), mixed(missing)
    joint = log_densities(fitted, table)
    by_row = np.logaddexp.reduce(joint, axis=1)
    shares = np.exp(joint - by_row[:, None])
    assert fitted.score_samples(table) == pytest.approx(by_row, abs=1e-8)
    assert fitted.score(table) == pytest.approx(by_row.mean(), abs=1e-9)
    assert fitted.log_likelihood_ == pytest.approx(by_row.sum(), abs=1e-6)
    assert fitted.optimum_.objective == pytest.approx(by_row.sum(), abs=1e-6)
    assert fitted.predict_proba(table) == pytest.approx(shares, abs=1e-9)
    assert (fitted.labels_ == shares.argmax(axis=1)).all()
    n_parameters = 2 + 3 * (3 + 2 * 2 + 3 * 2)
    assert fitted.n_parameters_ == n_parameters
    assert fitted.aic_ == pytest.approx(2 * n_parameters - 2 * by_row.sum(), abs=1e-6)
    assert fitted.bic_ == pytest.approx(n_parameters * math.log(len(table)) - 2 * by_row.sum(), abs=1e-6)
    assert fitted.icl_ == pytest.approx(fitted.bic_ - 2 * (shares * np.log(shares)).sum(), abs=1e-6)
    assert fitted.entropy_ == pytest.approx(1 + (shares * np.log(shares)).sum() / (len(table) * math.log(3)), abs=1e-8)


def test_planted_classes_come_back() -> None:
    profiles = fit(customers(4000), kinds=KINDS).profiles_.set_index(["class", "characteristic", "statistic"])
    estimate, error = profiles["estimate"], profiles["standard_error"]
    for k, mean in enumerate([200.0, 0.0, 100.0]):
        assert abs(estimate[k, "x2", "mean"] - mean) < 4 * error[k, "x2", "mean"]
    for k, chance in enumerate([0.8, 0.2, 0.5]):
        assert abs(estimate[k, "b0", "probability"] - chance) < 4 * error[k, "b0", "probability"]


def test_one_class_is_independence() -> None:
    table = customers(missing=0.1)
    fitted = fit(table, 1, kinds=KINDS)
    assert fitted.entropy_ == 1.0
    assert fitted.icl_ == fitted.bic_
    assert fitted.optimum_.n_init == 1
    mean = fitted.profiles_.query("characteristic == 'x2' and statistic == 'mean'")
    assert mean["estimate"].item() == pytest.approx(table["x2"].mean())
    known = table["x2"].notna().sum()
    assert mean["standard_error"].item() == pytest.approx(table["x2"].std(ddof=0) / math.sqrt(known))
    share = fitted.profiles_.query("characteristic == 'b0'")
    p, n = table["b0"].mean(), table["b0"].notna().sum()
    assert share["standard_error"].item() == pytest.approx(math.sqrt(p * (1 - p) / n))


def test_a_step_never_lowers_the_log_likelihood() -> None:
    table = customers(missing=0.1)
    found = [fit(table, 4, kinds=KINDS, n_init=1, tol=0.0, max_iter=n).log_likelihood_ for n in range(1, 30)]
    assert (np.diff(found) > -1e-8).all()


def test_tolerance_0_takes_every_step() -> None:
    fitted = mixed(tol=0.0, max_iter=37, n_init=3)
    assert fitted.n_iter_ == 37
    assert not fitted.converged_


def test_a_looser_tolerance_stops_earlier_and_within_it() -> None:
    answers = pd.read_csv(shared_data("polca_carcinoma") / "carcinoma.csv") - 1.0
    loose, tight = (fit(answers, 4, kinds="binary", tol=tol, n_init=4) for tol in (1e-3, 1e-9))
    assert loose.n_iter_ < tight.n_iter_
    assert 0 < tight.log_likelihood_ - loose.log_likelihood_ < 5e-3


def test_the_optimum_says_how_many_starts_reached_it() -> None:
    answers = pd.read_csv(shared_data("polca_carcinoma") / "carcinoma.csv") - 1.0
    optimum = fit(answers, 3, kinds="binary").optimum_
    assert (optimum.n_init, optimum.n_finished) == (20, 5)
    assert 1 <= optimum.n_hits <= 5
    assert optimum.hit_rate == optimum.n_hits / 5
    assert optimum.to_frame()["objective"].item() == optimum.objective


# ---- laws


def two_where_possible(table: pd.DataFrame) -> int:
    """Two classes, or one where no two customers differ in what they are known for."""
    telling = table[[name for name in table if len(table[name].dropna().unique()) > 1]]
    return 2 if telling.shape[1] and len(telling.drop_duplicates()) > 1 else 1


@quiet
@unhurried
@lawful
@given(table=customer_tables(), seed=st.integers(0, 2**16))
def test_labels_depend_neither_on_row_order_nor_on_column_order(table: pd.DataFrame, seed: int) -> None:
    rng = np.random.RandomState(seed)
    rows, columns = rng.permutation(len(table)), rng.permutation(table.shape[1])
    n_segments = two_where_possible(table)
    before = fit(table, n_segments, n_init=3, max_iter=60)
    after = fit(table.iloc[rows, columns], n_segments, n_init=3, max_iter=60)
    assert (after.labels_ == before.labels_[rows]).all()
    assert after.log_likelihood_ == before.log_likelihood_
    assert (before.predict(table) == before.labels_).all()
    assert (before.predict(table.iloc[rows]) == before.labels_[rows]).all()


@pytest.mark.parametrize("missing", [0.0, 0.15])
def test_a_matrix_may_have_its_columns_in_any_order(missing: float) -> None:
    X = customers(missing=missing)[["x0", "x1", "x2"]].to_numpy()
    before, after = fit(X), fit(X[::-1, ::-1])
    assert (after.labels_[::-1] == before.labels_).all()
    assert after.log_likelihood_ == pytest.approx(before.log_likelihood_, abs=1e-9)


@quiet
@unhurried
@lawful
@given(table=customer_tables(), seed=st.integers(0, 2**16))
def test_weight_2_is_the_row_twice(table: pd.DataFrame, seed: int) -> None:
    weights = np.random.RandomState(seed).randint(0, 3, len(table))
    weights[:2] = 1
    often = table.loc[table.index.repeat(weights)]
    n_segments = two_where_possible(often)
    made = LatentClassClusterer(n_segments, n_init=3, max_iter=60, random_state=0)
    weighted = clone(made).fit(table, sample_weight=weights)
    repeated = clone(made).fit(often)
    assert weighted.log_likelihood_ == repeated.log_likelihood_
    assert weighted.bic_ == repeated.bic_
    pd.testing.assert_frame_equal(weighted.profiles_, repeated.profiles_)
    assert (weighted.predict(table) == repeated.predict(table)).all()
    assert (weighted.labels_ == weighted.predict(table)).all()


def test_numbers_in_other_units_give_the_same_classes() -> None:
    table = customers()
    before, after = (fit(part, kinds=KINDS) for part in (table, table.assign(x2=table["x2"] * -1e6 + 1e9)))
    assert (before.labels_ == after.labels_).all()
    assert after.log_likelihood_ == pytest.approx(before.log_likelihood_ - len(table) * math.log(1e6), rel=1e-9)


def test_more_starts_never_end_lower() -> None:
    table = customers(200, seed=3)
    found = [fit(table, 4, kinds=KINDS, n_init=n).log_likelihood_ for n in (1, 8, 40)]
    assert found[0] <= found[1] + 1e-6 <= found[2] + 2e-6


def test_the_segment_with_most_customers_comes_first() -> None:
    fitted = mixed()
    assert (np.diff(fitted.segment_sizes_) <= 0).all()
    assert (fitted.segment_sizes_ == np.bincount(fitted.labels_)).all()
    assert fitted.segment_names_ == ["Segment 0", "Segment 1", "Segment 2"]


def test_a_characteristic_orders_the_segments() -> None:
    table = customers()
    fitted = fit(table, kinds=KINDS, order_by="x2")
    means = table["x2"].groupby(fitted.labels_).mean()
    assert means.is_monotonic_decreasing
    estimates = fitted.profiles_.query("characteristic == 'x2' and statistic == 'mean'")["estimate"]
    assert estimates.is_monotonic_decreasing
    with pytest.raises(InvalidParameterError, match="column in order_by"):
        fit(table, kinds=KINDS, order_by="x9")
    with pytest.raises(InvalidParameterError, match="with an order"):
        fit(table, kinds=KINDS, order_by="c0")


def test_a_fitted_clusterer_survives_pickling() -> None:
    fitted = mixed()
    again = pickle.loads(pickle.dumps(fitted))  # noqa: S301
    assert (again.predict_proba(customers()) == fitted.predict_proba(customers())).all()


# ---- kinds, missing and unseen values


def test_bools_and_text_need_no_kinds() -> None:
    table = customers()
    typed = table.astype({"b0": bool, "b1": bool, "b2": bool})
    typed[["c0", "c1"]] = table[["c0", "c1"]].map(lambda code: "abc"[int(code)])
    typed["c1"] = pd.Categorical(typed["c1"], categories=list("abcd"), ordered=True)
    left, right = fit(typed), fit(table, kinds=KINDS)
    assert left.log_likelihood_ == pytest.approx(right.log_likelihood_, abs=1e-9)
    assert left.n_parameters_ == right.n_parameters_  # level d does not occur
    levels = left.profiles_.query("`class` == 0 and characteristic == 'c1'")["level"]
    assert levels.tolist() == ["a", "b", "c"]


@pytest.mark.thorough
def test_numbers_of_0_and_1_are_numeric_unless_said() -> None:
    X = customers(size(100, 400))[["b0", "b1", "b2"]].to_numpy()
    with pytest.warns(DataQualityWarning, match=r"two different numbers .*'x0', 'x1', 'x2'.*bools.*kinds="):
        assert set(fit(X, 2).profiles_["statistic"]) == {"mean", "sd"}
    # whoever says that they are numbers is not asked
    assert set(fit(X, 2, kinds="numeric").profiles_["statistic"]) == {"mean", "sd"}
    for kinds in ("binary", {"x0": "binary", "x1": "binary", "x2": "binary"}):
        assert set(fit(X, 2, kinds=kinds).profiles_["statistic"]) == {"probability"}
    with pytest.raises(InvalidParameterError, match="kinds"):
        fit(X, 2, kinds="boolean")


def test_who_is_not_known_belongs_by_the_shares() -> None:
    fitted = mixed(0.1)
    nobody = customers().iloc[:2] * np.nan
    assert fitted.predict_proba(nobody) == pytest.approx(np.tile(fitted.class_shares_, (2, 1)))
    assert fitted.score_samples(nobody) == pytest.approx([0.0, 0.0])


def test_an_unseen_category_counts_as_missing_and_is_counted_once() -> None:
    table = customers().assign(c0=lambda t: t["c0"].map({0.0: "a", 1.0: "b", 2.0: "c"}))
    fitted = fit(table, kinds={key: kind for key, kind in KINDS.items() if key != "c0"})
    new = table.iloc[:3].assign(c0=["z", "a", "y"])
    with pytest.warns(UnseenCategoryWarning, match=r"2 value\(s\) of 'c0' \('y', 'z'\)") as caught:
        found = fitted.predict_proba(new)
    assert len(caught) == 1
    assert (found == fitted.predict_proba(new.assign(c0=[None, "a", None]))).all()
    with pytest.raises(ColumnChangeError):
        fitted.predict(table.assign(c0=1.0))


def test_columns_may_change_their_dtype_but_not_their_kind() -> None:
    table = customers().astype({"b0": bool})
    kinds = {name: kind for name, kind in KINDS.items() if name != "b0"}
    fitted = fit(table, kinds=kinds)
    expected = fitted.predict_proba(table)
    assert (fitted.predict_proba(table.astype({"b0": float})) == expected).all()
    with pytest.raises(ColumnTypeError, match="'b0' must be 0 or 1 as in fit"):
        fitted.predict(table.assign(b0=2.0))
    with pytest.raises(ColumnChangeError):
        fitted.predict(table.assign(b0="yes"))
    unknown = [fitted.predict_proba(table.assign(b0=nothing)) for nothing in (np.nan, None)]
    assert (unknown[0] == unknown[1]).all()
    no_text = table.assign(
        b0=pd.Series([None] * len(table), dtype="str"), x0=pd.Series([None] * len(table), dtype="str")
    )
    assert fitted.predict_proba(no_text) == pytest.approx(fitted.predict_proba(table.assign(b0=np.nan, x0=np.nan)))


def test_columns_of_one_value_are_ignored_with_a_warning() -> None:
    table = customers()
    with pytest.warns(DataQualityWarning, match="'constant', 'empty', 'yes'"):
        fitted = fit(table.assign(constant=3.0, empty=np.nan, yes=True), kinds=KINDS)
    assert fitted.log_likelihood_ == fit(table, kinds=KINDS).log_likelihood_
    assert fitted.clustered_on_ == list(table)


def test_customers_of_weight_0_shape_nothing_and_get_labels() -> None:
    table = customers()
    weights = np.append(np.ones(len(table)), [0.0, 0.0])
    odd = pd.DataFrame({**{name: [1.0, np.nan] for name in KINDS}, "c0": [9.0, 0.0], "x0": [1e9, 0.0]})
    both = pd.concat([table, odd.reindex(columns=table.columns)], ignore_index=True)
    made = LatentClassClusterer(3, kinds=KINDS, random_state=0)
    with pytest.warns(UnseenCategoryWarning, match="'c0'"):
        fitted = made.fit(both, sample_weight=weights)
    assert fitted.log_likelihood_ == fit(table, kinds=KINDS).log_likelihood_
    assert len(fitted.labels_) == len(both)


# ---- bad input


def test_collinear_columns_count_as_evidence_twice() -> None:
    table = customers()
    doubled = table.assign(twin=table["x2"] * 3.0 + 1.0, echo=table["b0"])
    fitted = fit(doubled, kinds={**KINDS, "echo": "binary"})
    assert np.isfinite(fitted.log_likelihood_)
    assert fitted.entropy_ > fit(table, kinds=KINDS).entropy_


def test_equal_values_in_a_class_meet_the_floor() -> None:
    rng = np.random.RandomState(0)
    spend = np.where(rng.rand(300) < 0.4, 0.0, 50.0 + 10.0 * rng.randn(300))
    fitted = fit(pd.DataFrame({"spend": spend, "age": rng.randn(300)}), 2)
    deviations = fitted.profiles_.query("characteristic == 'spend' and statistic == 'sd'").set_index("class")
    lowest = deviations["estimate"].min()
    assert lowest == pytest.approx(0.1 * spend.std(), rel=1e-6)
    assert np.isnan(deviations["standard_error"][deviations["estimate"] == lowest]).all()
    assert adjusted_rand_score(spend == 0.0, fitted.labels_) == 1.0


@pytest.mark.parametrize("scale", [1e-300, 1e300, 5e306])
def test_numbers_at_the_ends_of_their_range(scale: float) -> None:
    table = customers()
    plain, scaled = (fit(part, kinds=KINDS) for part in (table, table.assign(x0=table["x0"] * scale)))
    assert (plain.labels_ == scaled.labels_).all()
    assert np.isfinite(scaled.profiles_["estimate"]).all()
    assert np.isfinite(scaled.predict_proba(table)).all()  # 300 orders of magnitude from those of fit
    assert np.isfinite(scaled.log_likelihood_)


def test_tiny_and_huge_values_in_one_column() -> None:
    X = np.column_stack([np.repeat([1e-300, 1e300], 20), np.random.RandomState(0).randn(40)])
    fitted = fit(X, 2)
    assert adjusted_rand_score(np.repeat([0, 1], 20), fitted.labels_) == 1.0
    assert np.isfinite(fitted.log_likelihood_)


def test_infinite_values_are_refused_by_name() -> None:
    with pytest.raises(ColumnTypeError, match="'x0' holds infinite values in 1 row"):
        fit(customers().assign(x0=[np.inf] + [0.0] * 399), kinds=KINDS)


def test_more_classes_than_distinct_customers_are_refused() -> None:
    with pytest.raises(InfeasibleError, match="at most 2 segment"):
        fit(pd.DataFrame({"a": [0.0, 0.0, 1.0], "b": ["x", "x", "y"]}), 3)


def test_a_class_without_customers_is_refused_where_no_start_has_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(em, "EMPTY_SHARE", 0.9)
    with pytest.raises(InfeasibleError, match="ended without customers in each of 5 start"):
        mixed()


def test_a_class_that_nobody_is_most_likely_in_is_warned_of() -> None:
    answers = np.indices((2, 2, 2)).reshape(3, -1).T.astype(float)
    yes = answers.sum(axis=1)
    expected = 0.9 * 0.35**yes * 0.65 ** (3 - yes) + 0.1 * 0.65**yes * 0.35 ** (3 - yes)
    made = LatentClassClusterer(2, kinds="binary", tol=0.0, max_iter=300, n_init=2, random_state=0)
    with pytest.warns(DataQualityWarning, match="no customer is most likely in segment"):
        fitted = made.fit(answers, sample_weight=1000 * expected)
    assert fitted.segment_sizes_.tolist() == [8, 0]
    assert fitted.class_shares_ == pytest.approx([0.9, 0.1], abs=0.02)


def test_too_few_steps_are_warned_of() -> None:
    with pytest.warns(ConvergenceWarning, match="max_iter=4"):
        fitted = mixed(max_iter=4)
    assert not fitted.converged_


def test_ids_and_labels_among_the_characteristics_are_refused() -> None:
    table = customers(20)
    with pytest.raises(CustomerIdError):
        fit(table.assign(name=[f"person {i}" for i in range(20)]), kinds=KINDS)
    with pytest.raises(SegmentLabelError):
        fit(table.assign(segment=0.0), kinds=KINDS)


@pytest.mark.parametrize(
    "parameters", [{"n_segments": 0}, {"tol": -1.0}, {"min_variance": 0.0}, {"standard_errors": 1}, {"n_init": 0}]
)
def test_parameters_out_of_range_are_refused(parameters: dict[str, Any]) -> None:
    with pytest.raises(InvalidParameterError, match=next(iter(parameters))):
        LatentClassClusterer(**parameters).fit(customers(), None)

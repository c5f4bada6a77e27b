"""Whose instability it is: the definitions by brute force, the optimiser's share, and interrupts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.cluster import Birch, KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.utils import check_random_state
from threadpoolctl import threadpool_limits

from custseg.segmentation import RFMSegmenter
from custseg.validation import StabilityResult, bootstrap_stability
from custseg.validation._pairs import FEWEST_REFITS
from tests.conftest import shared_data
from tests.sizes import size


def jaccard(one, other):
    return np.sum(one & other) / np.sum(one | other)


def share_of_equal_entropy(origins, n_origins):
    shares = [np.mean(origins == origin) for origin in np.unique(origins)]
    return -sum(share * np.log(share) for share in shares) / np.log(n_origins)


def by_brute_force(X, numbers, n_pairs, random_state):
    """Take every figure from its definition, customer by customer, with the seeds in the order they are drawn in."""
    most = np.iinfo(np.int32).max
    random = np.random.RandomState(random_state)
    own_seed, seeds = random.randint(most), random.randint(most, size=(n_pairs, 2))
    by_content = X[np.lexsort(X.T)]
    figures = []
    before = None
    for k in numbers:
        reference = KMeans(k, n_init=1, random_state=own_seed).fit_predict(X)
        agreement, optimiser, best = [], [], []
        for pair in seeds:
            found = []
            for seed in pair:
                own = np.random.RandomState(seed)
                sample = by_content[own.randint(len(X), size=len(X))]
                again = [KMeans(k, n_init=1, random_state=own.randint(most)).fit(sample) for _ in range(2)]
                found.append([fitted.predict(X) for fitted in again])
                mine = [reference == segment for segment in range(k)]
                theirs = [found[-1][0] == segment for segment in range(k)]
                best.append([max(jaccard(one, other) for other in theirs) for one in mine])
            agreement.append(adjusted_rand_score(found[0][0], found[1][0]))
            optimiser.append(adjusted_rand_score(found[0][0], found[0][1]))
        slsa = [np.nan] * k
        if before is not None:
            slsa = [1 - share_of_equal_entropy(before[reference == s], before.max() + 1) for s in range(k)]
        figures.append((agreement, optimiser, np.mean(best, axis=0), slsa, reference))
        before = reference
    return figures


def hard_numbers():
    return np.random.default_rng(4).normal(size=(80, 3))


def travel_motives():
    return np.loadtxt(shared_data("vacmot_flexclust") / "vacmot.csv", delimiter=",", skiprows=1)


@pytest.mark.parametrize(("load", "numbers"), [(hard_numbers, [2, 4, 5]), (travel_motives, [3, 4, 6])])
def test_every_figure_is_its_definition(load, numbers):
    X = load()
    result = bootstrap_stability(KMeans(n_init=1), X, numbers, n_pairs=3, random_state=7)
    with threadpool_limits(limits=1):
        figures = by_brute_force(X, numbers, 3, 7)
    for position, (k, (agreement, optimiser, slsw, slsa, reference)) in enumerate(zip(numbers, figures, strict=True)):
        segments = result.segments[result.segments["n_segments"] == k]
        np.testing.assert_array_equal(result.reference_labels[k], reference)
        np.testing.assert_allclose(result.adjusted_rand[position], agreement, atol=1e-12)
        np.testing.assert_allclose(result.optimiser_adjusted_rand[position], optimiser, atol=1e-12)
        np.testing.assert_allclose(segments["slsw"], slsw)
        np.testing.assert_allclose(segments["slsa"], slsa, atol=1e-12)
        share = np.clip((1 - np.mean(optimiser)) / (1 - np.mean(agreement)), 0, 1)
        assert result.optimiser_share[k] == pytest.approx(share)


class Cuts(ClusterMixin, BaseEstimator):
    """Cuts at places that depend on neither the sample nor a seed; counts how often it is fitted."""

    n_fits = 0

    def __init__(self, n_clusters=2, *, places=(0.0,)):
        self.n_clusters = n_clusters
        self.places = places

    def fit(self, X, y=None):
        type(self).n_fits += 1
        return self

    def predict(self, X):
        return np.digitize(np.asarray(X)[:, 0], self.places)


class ShuffledCuts(Cuts):
    """Names its segments anew in each fit."""

    def __init__(self, n_clusters=2, *, places=(0.0,), random_state=None):
        super().__init__(n_clusters, places=places)
        self.random_state = random_state

    def fit(self, X, y=None):
        self.names_ = check_random_state(self.random_state).permutation(self.n_clusters)
        return super().fit(X)

    def predict(self, X):
        return self.names_[super().predict(X)]


places = st.lists(st.integers(1, 29), min_size=1, max_size=5, unique=True).map(sorted)


@settings(max_examples=size(5, 25))
@given(places, st.integers(0, 2**31 - 1))
def test_identical_refits_agree_fully_whatever_their_labels(cuts, seed):
    X = np.arange(30.0)[:, None]
    for clusterer in (Cuts(places=cuts), ShuffledCuts(places=cuts)):
        result = bootstrap_stability(clusterer, X, len(cuts) + 1, n_pairs=2, random_state=seed)
        assert (result.adjusted_rand == 1).all()
        assert (result.segments["slsw"] == 1).all()
        assert (result.optimiser_adjusted_rand == 1).all()
        assert result.optimiser_share.isna().all()


class Renamed(KMeans):
    """k-means with its segments in the reverse order."""

    def predict(self, X):
        return self.n_clusters - 1 - super().predict(X)


@settings(max_examples=size(3, 15))
@given(st.integers(0, 2**31 - 1), st.integers(2, 4))
def test_relabelling_the_solutions_changes_nothing(seed, k):
    X = np.random.default_rng(seed).normal(size=(40, 2))
    plain, renamed = (
        bootstrap_stability(clusterer(n_init=1), X, [k, k + 1], n_pairs=2, random_state=seed)
        for clusterer in (KMeans, Renamed)
    )
    np.testing.assert_array_equal(plain.adjusted_rand, renamed.adjusted_rand)
    np.testing.assert_array_equal(plain.optimiser_adjusted_rand, renamed.optimiser_adjusted_rand)
    for number in (k, k + 1):
        mine, theirs = (one.segments[one.segments["n_segments"] == number] for one in (plain, renamed))
        for column in ("n_customers", "slsw", "slsa"):
            np.testing.assert_allclose(mine[column], theirs[column].iloc[::-1], atol=1e-12)


def test_what_has_no_seed_is_solved_once(monkeypatch):
    monkeypatch.setattr(Cuts, "n_fits", 0)
    X = np.arange(-20.0, 20.0)[:, None]
    result = bootstrap_stability(Cuts(), X, [2], n_pairs=FEWEST_REFITS + 3, random_state=0)
    assert Cuts.n_fits == 1 + 2 * (FEWEST_REFITS + 3)
    assert result.optimiser_adjusted_rand.shape == (1, FEWEST_REFITS)
    assert (result.optimiser_adjusted_rand == 1).all()


def test_no_share_of_samples_that_differ_is_put_down_to_a_clusterer_without_a_seed():
    X = np.random.default_rng(0).normal(size=(100, 3))
    result = bootstrap_stability(Birch(), X, [4], n_pairs=3, random_state=0)
    assert result.mean_adjusted_rand[4] < 1
    assert result.optimiser_share[4] == 0.0
    table = pd.DataFrame(np.abs(X), columns=["recency", "frequency", "monetary"])
    rules = bootstrap_stability(RFMSegmenter(), table, n_pairs=3, random_state=0)
    assert rules.optimiser_share.tolist() == [0.0]
    assert rules.flows.empty
    assert rules.segments["slsa"].isna().all()
    assert rules.segments["relabelled"].tolist() == rules.segments["segment"].tolist()


def test_only_the_first_pairs_are_solved_again(monkeypatch):
    monkeypatch.setattr(ShuffledCuts, "n_fits", 0)
    X = np.arange(-20.0, 20.0)[:, None]
    bootstrap_stability(ShuffledCuts(), X, [2], n_pairs=FEWEST_REFITS + 3, random_state=0)
    assert ShuffledCuts.n_fits == 1 + 2 * (FEWEST_REFITS + 3) + FEWEST_REFITS


@pytest.mark.thorough
def test_restarts_lower_the_share_of_the_optimiser():
    X = np.random.default_rng(0).normal(size=(size(150, 300), 3))
    one, many = (
        bootstrap_stability(KMeans(n_init=n_init, init="random"), X, [5], n_pairs=size(6, 10), random_state=0)
        for n_init in (1, 30)
    )
    assert one.optimiser_share[5] > 0.8
    assert many.optimiser_share[5] < 0.4
    assert many.mean_adjusted_rand[5] > one.mean_adjusted_rand[5] + 0.05


def test_other_numbers_and_more_pairs_change_no_agreement_of_the_optimiser():
    X = np.random.default_rng(0).normal(size=(100, 3))
    wide = bootstrap_stability(KMeans(n_init=1), X, [2, 5, 6], n_pairs=4, random_state=0)
    narrow = bootstrap_stability(KMeans(n_init=1), X, [5], n_pairs=3, random_state=0)
    assert (wide.optimiser_adjusted_rand[1] < 1).any()
    np.testing.assert_array_equal(narrow.optimiser_adjusted_rand[0], wide.optimiser_adjusted_rand[1, :3])


def result_with(adjusted_rand, optimiser):
    segments = pd.DataFrame({"n_segments": 2, "segment": [0, 1], "n_customers": 5, "slsw": 1.0})
    return StabilityResult(
        numbers=(2,),
        adjusted_rand=np.array([adjusted_rand]),
        segments=segments,
        reference_labels={},
        optimiser_adjusted_rand=np.array([optimiser]),
    )


@pytest.mark.parametrize(
    ("adjusted_rand", "optimiser", "share"),
    [
        # the third pair was not solved again, and does not count
        ([0.5, 0.7, 0.0], [0.8, 0.8], 0.5),
        ([0.5, 0.7], [0.3, 0.3], 1.0),
        ([0.5, 0.7], [1.0, 1.0], 0.0),
        ([1.0, 1.0], [1.0, 1.0], np.nan),
        ([1.0, 1.0], [0.5, 0.5], 1.0),
        ([0.5, 0.7], [], np.nan),
    ],
    ids=["half", "more than all", "none of it", "all stable", "only the optimiser", "never solved again"],
)
def test_the_share_is_what_refits_lack_over_what_pairs_lack(adjusted_rand, optimiser, share):
    result = result_with(adjusted_rand, optimiser)
    assert result.optimiser_share.loc[2] == pytest.approx(share, nan_ok=True)
    summary = result.summary.iloc[0]
    assert summary["optimiser_share"] == pytest.approx(share, nan_ok=True)
    mean = np.mean(optimiser) if optimiser else np.nan
    assert summary["mean_optimiser_adjusted_rand"] == pytest.approx(mean, nan_ok=True)


def test_a_result_put_together_without_refits_has_no_share():
    segments = pd.DataFrame({"n_segments": 2, "segment": [0, 1], "n_customers": 5, "slsw": 1.0})
    result = StabilityResult(numbers=(2,), adjusted_rand=np.array([[0.4, 0.6]]), segments=segments, reference_labels={})
    assert result.optimiser_share.isna().all()
    assert result.flows.empty

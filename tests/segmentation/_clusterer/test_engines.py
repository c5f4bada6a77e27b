"""SegmentClusterer with every engine: the same laws, whatever finds the segments."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.cluster import (
    DBSCAN,
    HDBSCAN,
    AgglomerativeClustering,
    Birch,
    BisectingKMeans,
    KMeans,
    MeanShift,
    SpectralClustering,
)
from sklearn.linear_model import LinearRegression
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture
from sklearn.preprocessing import StandardScaler

from custseg.datasets import make_customers
from custseg.exceptions import DataQualityWarning, InfeasibleError, InvalidParameterError, UnseenCategoryWarning
from custseg.segmentation import SegmentClusterer
from tests.conftest import shared_data
from tests.sizes import size

pytestmark = pytest.mark.sampled

N_SEGMENTS = 4
SAMPLE = make_customers(400, n_segments=N_SEGMENTS, separation=3.0, random_state=3)
CUSTOMERS = SAMPLE.profile.set_index("customer_id")[list(SAMPLE.structured_columns)]
PLANTED = SAMPLE.segment.to_numpy()

FOREIGN = {
    "KMeans": KMeans(n_init=4),
    "BisectingKMeans": BisectingKMeans(n_init=4),
    "Birch": Birch(),
    "AgglomerativeClustering": AgglomerativeClustering(),
    "SpectralClustering": SpectralClustering(gamma=0.1),
    "GaussianMixture": GaussianMixture(covariance_type="diag", n_init=2),
}
OWN = ("kmeans", "latent_class", "k_prototypes")
ENGINES = {**{name: name for name in OWN}, **FOREIGN}
FINDS_NUMBER = {"HDBSCAN": HDBSCAN(min_cluster_size=20, copy=True), "MeanShift": MeanShift(bandwidth=2.5)}
WEIGHTED = ("kmeans", "latent_class", "k_prototypes", "KMeans", "BisectingKMeans")


@pytest.fixture(params=ENGINES)
def clusterer(request: pytest.FixtureRequest) -> SegmentClusterer:
    return SegmentClusterer(N_SEGMENTS, engine=ENGINES[request.param], n_init=6, random_state=0)


def test_planted_segments_are_found(clusterer: SegmentClusterer) -> None:
    clusterer.fit(CUSTOMERS)
    assert adjusted_rand_score(PLANTED, clusterer.labels_) > 0.8
    assert clusterer.n_segments_ == N_SEGMENTS
    assert clusterer.selection_ is None
    assert list(clusterer.segment_sizes_) == sorted(np.bincount(clusterer.labels_), reverse=True)
    assert clusterer.segment_centers_.shape == (N_SEGMENTS, clusterer.embedder_.transform(CUSTOMERS).shape[1])
    assert 0.2 < clusterer.score(CUSTOMERS) < 1.0


def test_labels_are_predictions(clusterer: SegmentClusterer) -> None:
    clusterer.fit(CUSTOMERS)
    assert (clusterer.predict(CUSTOMERS) == clusterer.labels_).all()
    some = CUSTOMERS.iloc[5:40]
    assert (clusterer.predict(some) == clusterer.labels_[5:40]).all()


def test_the_order_of_rows_and_columns_changes_nothing(clusterer: SegmentClusterer) -> None:
    labels = pd.Series(clusterer.fit(CUSTOMERS).labels_, CUSTOMERS.index)
    shuffled = CUSTOMERS.sample(frac=1.0, random_state=1)[CUSTOMERS.columns[::-1]]
    found = pd.Series(clone(clusterer).fit(shuffled).labels_, shuffled.index)
    pd.testing.assert_series_equal(found.sort_index(), labels.sort_index())


@pytest.mark.parametrize("engine", WEIGHTED)
def test_weight_2_is_the_row_twice(engine: str) -> None:
    clusterer = SegmentClusterer(N_SEGMENTS, engine=ENGINES[engine], n_init=6, random_state=0)
    mass = np.random.RandomState(0).randint(0, 3, len(CUSTOMERS))
    weighted = clusterer.fit(CUSTOMERS, sample_weight=mass).labels_
    repeated = CUSTOMERS.loc[CUSTOMERS.index.repeat(mass)].reset_index(drop=True)
    expected = clone(clusterer).fit(repeated).predict(CUSTOMERS)
    # what scikit-learn draws from differs with the number of rows
    if engine in OWN:
        assert (weighted == expected).all()
    else:
        assert adjusted_rand_score(weighted, expected) > 0.9


def test_an_engine_without_weights_says_so() -> None:
    clusterer = SegmentClusterer(2, engine=AgglomerativeClustering())
    with pytest.raises(InvalidParameterError, match="sample_weight.* None with AgglomerativeClustering"):
        clusterer.fit(CUSTOMERS, sample_weight=np.arange(len(CUSTOMERS)))
    assert clusterer.fit(CUSTOMERS, sample_weight=np.ones(len(CUSTOMERS))).n_segments_ == 2


@pytest.mark.thorough
@pytest.mark.parametrize("engine", FINDS_NUMBER)
def test_a_clusterer_may_find_the_number_itself(engine: str) -> None:
    clusterer = SegmentClusterer(engine=FINDS_NUMBER[engine]).fit(CUSTOMERS.head(size(150, 200)))
    assert clusterer.n_segments_ == clusterer.labels_.max() + 1 > 1
    assert clusterer.selection_ is None
    with pytest.raises(InvalidParameterError, match=f'"auto" with {engine}'):
        SegmentClusterer(3, engine=FINDS_NUMBER[engine]).fit(CUSTOMERS)


def test_whom_no_group_takes_goes_to_the_nearest() -> None:
    points = np.r_[np.zeros((30, 1)), np.full((30, 1), 10.0), [[2.0]]] + np.linspace(0, 0.5, 61)[:, None]
    dense = DBSCAN(eps=0.5, min_samples=4)
    assert dense.fit(points).labels_[-1] == -1
    clusterer = SegmentClusterer(engine=dense, embedder="passthrough").fit(points)
    assert clusterer.labels_[-1] == clusterer.labels_[0]
    with pytest.raises(InfeasibleError, match="DBSCAN put no customer into any segment"):
        SegmentClusterer(engine=DBSCAN(eps=1e-9, min_samples=9), embedder="passthrough").fit(points)


@pytest.mark.parametrize(
    "engine", [name for name in ENGINES if name not in ("GaussianMixture", "latent_class", "Birch")]
)
def test_engines_with_centres_keep_the_least_share(engine: str) -> None:
    random = np.random.RandomState(0)
    lopsided = pd.DataFrame(np.r_[random.normal(0, 1, (180, 2)), random.normal(6, 1, (20, 2))], columns=["a", "b"])
    clusterer = SegmentClusterer(2, engine=ENGINES[engine], min_segment_share=0.25, random_state=0).fit(lopsided)
    assert clusterer.segment_sizes_.min() >= 50
    assert (clusterer.predict(lopsided) == clusterer.labels_).all()
    with pytest.raises(InfeasibleError, match=r"largest share that was found feasible is"):
        clone(clusterer).set_params(min_segment_share=0.51).fit(lopsided)


@pytest.mark.parametrize("engine", ["GaussianMixture", "latent_class"])
def test_engines_that_assign_themselves_must_keep_the_least_share(engine: str) -> None:
    random = np.random.RandomState(0)
    lopsided = pd.DataFrame(np.r_[random.normal(0, 1, (180, 2)), random.normal(9, 1, (20, 2))], columns=["a", "b"])
    clusterer = SegmentClusterer(2, engine=ENGINES[engine], min_segment_share=0.09, random_state=0).fit(lopsided)
    assert list(clusterer.segment_sizes_) == [180, 20]
    with pytest.raises(InfeasibleError, match=r"smallest segment a share of 0\.1, not 0\.25"):
        clusterer.set_params(min_segment_share=0.25).fit(lopsided)


@pytest.mark.parametrize("engine", ["GaussianMixture", "latent_class"])
def test_probabilities_belong_to_the_segments(engine: str) -> None:
    clusterer = SegmentClusterer(N_SEGMENTS, engine=ENGINES[engine], random_state=0).fit(CUSTOMERS)
    found = clusterer.predict_proba(CUSTOMERS)
    assert found.sum(axis=1) == pytest.approx(1.0)
    assert (found.argmax(axis=1) == clusterer.labels_).all()
    assert not hasattr(SegmentClusterer(2, random_state=0).fit(CUSTOMERS), "predict_proba")


def test_the_engine_given_is_not_changed() -> None:
    engine = KMeans(n_clusters=2)
    clusterer = SegmentClusterer(3, engine=engine, random_state=0).fit(CUSTOMERS)
    assert engine.n_clusters == 2
    assert not hasattr(engine, "labels_")
    assert clusterer.engine_.n_clusters == 3
    assert clusterer.engine_.random_state is not None


@pytest.mark.parametrize("engine", ["k-means", KMeans, LinearRegression, 3])
def test_no_engine(engine: Any) -> None:
    with pytest.raises(InvalidParameterError, match="engine"):
        SegmentClusterer(2, engine=engine).fit(CUSTOMERS)


def test_latent_classes_know_no_weights() -> None:
    column = CUSTOMERS.columns[0]
    with pytest.raises(InvalidParameterError, match="likelihoods know no weights"):
        SegmentClusterer(2, engine="latent_class", weights={column: 2.0}).fit(CUSTOMERS)
    clusterer = SegmentClusterer(2, engine="latent_class", weights={column: 0}, random_state=0)
    without = CUSTOMERS.drop(columns=column)
    expected = SegmentClusterer(2, engine="latent_class", random_state=0).fit(without).labels_
    assert (clusterer.fit(CUSTOMERS).labels_ == expected).all()


def test_mixed_engines_recover_mixed_segments() -> None:
    """300 consumers of a textbook, four planted segments; the figures stand in the user guide."""
    consumers = pd.read_csv(shared_data("marketing_research_book") / "chapter5_data.csv")
    planted = consumers.pop("Segment")
    one_hot = StandardScaler().fit_transform(pd.get_dummies(consumers).astype(np.float64))
    plain = adjusted_rand_score(planted, KMeans(4, n_init=10, random_state=0).fit_predict(one_hot))
    assert plain == pytest.approx(0.156, abs=0.01)
    found = {
        engine: adjusted_rand_score(planted, SegmentClusterer(4, engine=engine, random_state=0).fit(consumers).labels_)
        for engine in OWN
    }
    assert found["kmeans"] > 0.3
    assert found["latent_class"] > 0.45
    assert found["k_prototypes"] > 0.45


@pytest.mark.parametrize("engine", ENGINES)
def test_many_customers_are_fitted_on_a_sample(engine: str) -> None:
    whole = SegmentClusterer(N_SEGMENTS, engine=ENGINES[engine], n_init=6, random_state=0).fit(CUSTOMERS)
    clusterer = clone(whole).set_params(sample_above=250).fit(CUSTOMERS)
    assert adjusted_rand_score(whole.labels_, clusterer.labels_) > 0.8
    assert (clusterer.predict(CUSTOMERS) == clusterer.labels_).all()
    assert whole.sample_loss_ is None
    sample = clusterer.sample_loss_
    assert sample.n_patterns == len(CUSTOMERS)
    assert 200 < sample.n_sampled < 300
    if engine in OWN:
        assert sample is clusterer.optimum_.sample
    if engine in OWN and engine != "kmeans":
        assert sample is clusterer.engine_.sample_loss_


def test_the_loss_of_a_sample_is_what_it_cost() -> None:
    """Each measure against what is left to gain, taken from the fit on all."""
    for engine in ("kmeans", "k_prototypes"):
        whole = SegmentClusterer(N_SEGMENTS, engine=engine, n_init=6, random_state=0).fit(CUSTOMERS)
        sampled = clone(whole).set_params(sample_above=250).fit(CUSTOMERS)
        assert (
            whole.optimum_.objective
            <= sampled.optimum_.objective * (1 + 1e-9)
            <= sampled.sample_loss_.sample_objective * (1 + 2e-9)
        )
        assert sampled.optimum_.objective / whole.optimum_.objective - 1 < 0.02
        assert sampled.sample_loss_.loss == pytest.approx(
            sampled.sample_loss_.sample_objective / sampled.sample_loss_.objective - 1
        )
    whole = SegmentClusterer(N_SEGMENTS, engine="latent_class", n_init=6, random_state=0).fit(CUSTOMERS)
    sampled = clone(whole).set_params(sample_above=250).fit(CUSTOMERS)
    classes, loss = sampled.engine_, sampled.sample_loss_
    assert classes.log_likelihood_ <= whole.engine_.log_likelihood_ + 1e-6
    # it goes on to a maximum of all customers, not only of the sample
    assert classes.converged_
    assert classes.log_likelihood_ == pytest.approx(whole.engine_.log_likelihood_, abs=1e-3)
    assert loss.objective * len(CUSTOMERS) == pytest.approx(classes.log_likelihood_)
    assert loss.loss > 0
    errors = [np.isfinite(found.profiles_["standard_error"]).sum() for found in (classes, whole.engine_)]
    assert errors[0] == errors[1]


def test_the_loss_of_a_sample_with_a_clusterer() -> None:
    """The squares around the means of the sample, against a plain computation."""
    matrix = np.random.RandomState(0).randn(400, 2)
    matrix[:200] += 5
    clusterer = SegmentClusterer(2, engine=KMeans(n_init=1), embedder="passthrough", sample_above=100, random_state=0)
    clusterer.fit(matrix)
    centers, labels = clusterer.segment_centers_, clusterer.labels_
    means = np.stack([matrix[labels == label].mean(axis=0) for label in range(2)])
    around = ((matrix - centers[labels]) ** 2).sum(), ((matrix - means[labels]) ** 2).sum()
    found = clusterer.sample_loss_
    assert (found.sample_objective, found.objective) == pytest.approx(around)


@pytest.mark.thorough
@pytest.mark.parametrize("engine", OWN)
def test_the_columns_of_a_matrix_may_come_in_any_order(engine: str) -> None:
    for seed in range(size(3, 6)):
        random = np.random.RandomState(seed)
        matrix, order = random.randint(0, 4, (40, 4)).astype(float), random.permutation(4)
        clusterer = SegmentClusterer(3, engine=engine, n_init=5, random_state=0)
        labels = clone(clusterer).fit(matrix[:, order]).labels_
        assert (labels == clusterer.fit(matrix).labels_).all()


@pytest.mark.parametrize("engine", OWN)
def test_a_matrix_with_a_descriptor_is_predicted_too(engine: str) -> None:
    matrix = np.random.RandomState(0).randn(60, 3)
    clusterer = SegmentClusterer(2, engine=engine, weights={"x1": 0}, random_state=0).fit(matrix)
    assert (clusterer.predict(matrix) == clusterer.labels_).all()
    named = pd.DataFrame(matrix, columns=["x0", "x1", "x2"])
    assert (clusterer.predict(named) == clusterer.labels_).all()


@pytest.mark.parametrize(
    ("engine", "total"),  # the tolerance of latent classes is in log-likelihood, which is a sum over the weights
    [("kmeans", 1e-90), ("k_prototypes", 1e-90), ("kmeans", 1e90), ("k_prototypes", 1e90), ("latent_class", 1e90)],
)
def test_the_unit_of_the_weights_changes_nothing(engine: str, total: float) -> None:
    weights = np.full(len(CUSTOMERS), 2.0 ** round(np.log2(total / len(CUSTOMERS))))
    clusterer = SegmentClusterer(3, engine=engine, n_init=2, random_state=0)
    assert (clone(clusterer).fit(CUSTOMERS, sample_weight=weights).labels_ == clusterer.fit(CUSTOMERS).labels_).all()


@pytest.mark.parametrize("engine", OWN)
def test_poor_columns_and_unseen_categories_in_fit_are_warned_of_once(engine: str) -> None:
    random = np.random.RandomState(0)
    customers = pd.DataFrame(
        {"spend": random.randn(60), "same": 1.0, "region": ["moon", *["north", "south", "east"] * 20][:60]}
    )
    with pytest.warns(DataQualityWarning) as warned:
        SegmentClusterer(2, engine=engine, n_init=2, random_state=0).fit(
            customers, sample_weight=np.append(0.0, np.ones(59))
        )
    assert [type(each.message) for each in warned] == [DataQualityWarning, UnseenCategoryWarning]


@pytest.mark.parametrize("engine", OWN)
def test_an_unseen_category_is_warned_of_once(engine: str) -> None:
    random = np.random.RandomState(0)
    customers = pd.DataFrame({"spend": random.randn(60), "region": random.choice(["north", "south"], 60)})
    clusterer = SegmentClusterer(2, engine=engine, n_init=2, random_state=0).fit(customers)
    later = customers.assign(region=["moon", *customers["region"][1:]])
    with pytest.warns(UnseenCategoryWarning, match="moon") as warned:
        clusterer.predict(later)
    assert len(warned) == 1

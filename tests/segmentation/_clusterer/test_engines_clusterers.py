"""Any clusterer of scikit-learn as the engine: pipelines, numbers of its own, our own ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.cluster import DBSCAN, AgglomerativeClustering, KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from custseg.exceptions import InfeasibleError, InvalidParameterError
from custseg.segmentation import KPrototypesClusterer, LatentClassClusterer, SegmentClusterer

RANDOM = np.random.RandomState(0)
TRUTH = np.repeat(np.arange(3), 40)
MATRIX = np.array([[0.0, 0.0], [9.0, 0.0], [0.0, 9.0]])[TRUTH] + RANDOM.randn(120, 2)
TABLE = pd.DataFrame(
    {"spend": MATRIX[:, 0], "visits": MATRIX[:, 1], "town": np.where(RANDOM.rand(120) < 0.9, TRUTH, 0).astype(str)}
)


class OnlyFitPredict(ClusterMixin, BaseEstimator):
    def __init__(self, n_clusters: int = 2) -> None:
        self.n_clusters = n_clusters

    def fit_predict(self, X: Any, y: Any = None) -> Any:
        return AgglomerativeClustering(self.n_clusters).fit_predict(X)


class NoCentre(ClusterMixin, BaseEstimator):
    """As AffinityPropagation where it does not converge."""

    def fit(self, X: Any, y: Any = None) -> NoCentre:
        self.cluster_centers_ = np.empty((0, X.shape[1]))
        self.labels_ = np.full(len(X), -1)
        return self

    def predict(self, X: Any) -> Any:
        return np.full(len(X), -1)


@pytest.mark.parametrize(
    ("engine", "n_segments"),
    [
        (make_pipeline(StandardScaler(), AgglomerativeClustering(7)), 3),
        (make_pipeline(StandardScaler(), KMeans()), 3),
        (make_pipeline(StandardScaler(), DBSCAN(0.5)), "auto"),
        (AgglomerativeClustering(n_clusters=None, distance_threshold=30.0), "auto"),
        (OnlyFitPredict(), 3),
    ],
    ids=["pipeline", "pipeline with predict", "pipeline that finds the number", "distance threshold", "fit_predict"],
)
def test_the_three_groups_are_found(engine: Any, n_segments: Any) -> None:
    clusterer = SegmentClusterer(n_segments, engine=engine, embedder="passthrough", random_state=0).fit(MATRIX)
    assert clusterer.n_segments_ == 3
    assert adjusted_rand_score(TRUTH, clusterer.labels_) > 0.9
    assert (clusterer.predict(MATRIX) == clusterer.labels_).all()


def test_seeds_of_a_pipeline_are_set() -> None:
    engine = make_pipeline(StandardScaler(), KMeans(n_init=1, init="random"))
    found = [SegmentClusterer(5, engine=engine, random_state=0).fit(TABLE).labels_ for _ in range(3)]
    assert (found[0] == found[1]).all()
    assert (found[0] == found[2]).all()


@pytest.mark.parametrize(
    ("name", "model"), [("latent_class", LatentClassClusterer), ("k_prototypes", KPrototypesClusterer)]
)
def test_our_own_clusterers_are_engines_as_their_names_are(name: str, model: Any) -> None:
    by_name = SegmentClusterer(3, engine=name, n_init=5, random_state=0).fit(TABLE)
    as_given = SegmentClusterer(3, engine=model(n_init=5), random_state=0).fit(TABLE)
    assert (by_name.labels_ == as_given.labels_).all()


def test_weights_of_prototypes_are_those_of_the_clusterer() -> None:
    engine = KPrototypesClusterer(weights={"town": 2.0})
    with pytest.raises(InvalidParameterError, match="'weights' must be left to SegmentClusterer"):
        SegmentClusterer(3, engine=engine, random_state=0).fit(TABLE)


def test_a_number_is_refused_where_a_threshold_finds_it() -> None:
    engine = AgglomerativeClustering(n_clusters=None, distance_threshold=30.0)
    with pytest.raises(InvalidParameterError, match="finds the number itself"):
        SegmentClusterer(3, engine=engine).fit(TABLE)


def test_no_centre_is_an_error() -> None:
    with pytest.raises(InfeasibleError, match="NoCentre"):
        SegmentClusterer("auto", engine=NoCentre(), embedder="passthrough", random_state=0).fit(MATRIX)


def test_a_small_sample_still_has_fifty_for_each_segment() -> None:
    matrix = np.random.RandomState(0).randn(3_000, 2)
    clusterer = SegmentClusterer(20, engine=KMeans(n_init=1), embedder="passthrough", sample_above=30, random_state=0)
    assert clusterer.fit(matrix).sample_loss_.n_sampled > 800


def test_segments_that_rounding_makes_one_are_an_error() -> None:
    matrix = np.repeat([[1e-300], [1.0], [1e300]], 5, axis=0)
    with pytest.raises(InfeasibleError):
        SegmentClusterer(3, embedder="passthrough", random_state=0).fit(matrix)

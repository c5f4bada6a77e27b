"""Bootstrap stability: the definition by brute force, its laws, what it tells apart, what it refuses."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from joblib import parallel_config
from scipy import sparse
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.cluster import DBSCAN, HDBSCAN, AgglomerativeClustering, Birch, KMeans, MeanShift
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from custseg._core.asking import asking
from custseg._core.customers import CustomerTable, CustomerTableMixin, read_customers
from custseg.exceptions import DataQualityWarning, InfeasibleError, InvalidParameterError, InvalidTableError
from custseg.segmentation import SegmentClusterer
from custseg.validation import STABLE_ADJUSTED_RAND, STABLE_SEGMENT, StabilityResult, _pairs, bootstrap_stability
from custseg.validation._rows import read_rows
from tests.sizes import size

pytestmark = pytest.mark.sampled

# what is told of each segment
SEGMENTS = ["n_segments", "segment", "n_customers", "slsw", "slsw_error", "slsa", "relabelled"]


@pytest.fixture(scope="module")
def blobs():
    X, _ = make_blobs(240, centers=[(0, 0), (9, 0), (4, 9)], random_state=3)
    return X


@pytest.fixture(scope="module")
def continuum():
    return np.random.default_rng(0).normal(size=(240, 6))


class Halves(ClusterMixin, BaseEstimator):
    """Cuts at fixed places, whatever it is fitted on; warns in each fit."""

    def __init__(self, n_segments=2, *, bounds=(0.0,), labels=None):
        self.n_segments = n_segments
        self.bounds = bounds
        self.labels = labels

    def fit(self, X, y=None):
        if self.labels is None:
            warnings.warn("half of the values are missing", DataQualityWarning, stacklevel=2)
        return self

    def predict(self, X):
        codes = np.digitize(np.asarray(X)[:, 0], self.bounds)
        return codes if self.labels is None else np.array(self.labels)[codes]


class TableKMeans(CustomerTableMixin, ClusterMixin, BaseEstimator):
    """Reads customers as the clusterer of custseg does; counts how many dataframes it was given."""

    n_frames = 0

    def __init__(self, n_segments="auto", *, customer_id="id", kinds=None, random_state=None):
        self.n_segments = n_segments
        self.customer_id = customer_id
        self.kinds = kinds
        self.random_state = random_state

    def fit(self, X, y=None):
        table = self._table(X, fitting=True)
        if len(np.unique(table[:, 0])) < self.n_segments:
            with asking("TableKMeans"):
                raise InfeasibleError.too_few_customers(self.n_segments, 2, len(table))
        self.fitted_ = KMeans(self.n_segments, n_init=3, random_state=self.random_state).fit(table)
        return self

    def predict(self, X):
        return self.fitted_.predict(self._table(X, fitting=False))

    def _table(self, X, *, fitting):
        TableKMeans.n_frames += not isinstance(X, CustomerTable)
        table = self._read(X, fitting=fitting, customer_id=self.customer_id, kinds=self.kinds)
        return np.column_stack([column.values for column in table.columns])


def jaccard(one, other):
    return np.sum(one & other) / np.sum(one | other)


def test_it_is_the_definition(blobs):
    k, n_pairs, X = 4, 3, blobs[:60]
    clusterer = KMeans(n_init=1, random_state=5)
    result = bootstrap_stability(clusterer, X, k, n_pairs, random_state=7)

    random = np.random.RandomState(7)
    random.randint(np.iinfo(np.int32).max)
    seeds = random.randint(np.iinfo(np.int32).max, size=(n_pairs, 2))
    by_content = X[np.lexsort(X.T)]
    reference = KMeans(k, n_init=1, random_state=5).fit_predict(X)
    best = np.zeros((n_pairs, 2, k))
    for pair in range(n_pairs):
        labels = []
        for member in range(2):
            own = np.random.RandomState(seeds[pair, member])
            sample = by_content[own.randint(60, size=60)]
            fitted = KMeans(k, n_init=1, random_state=own.randint(np.iinfo(np.int32).max)).fit(sample)
            labels.append(fitted.predict(X))
            for segment in range(k):
                matches = [jaccard(reference == segment, labels[-1] == other) for other in range(k)]
                best[pair, member, segment] = max(matches)
        assert result.adjusted_rand[0, pair] == pytest.approx(adjusted_rand_score(*labels), abs=1e-12)
    np.testing.assert_allclose(result.segments["slsw"], best.mean(axis=(0, 1)))
    np.testing.assert_array_equal(result.reference_labels[k], reference)
    np.testing.assert_array_equal(result.segments["n_customers"], np.bincount(reference))


@pytest.mark.thorough
def test_clear_clusters_come_back(blobs):
    result = bootstrap_stability(KMeans(n_init=5), blobs, range(2, 6), n_pairs=size(5, 10), random_state=0)
    assert result.mean_adjusted_rand.idxmax() == 3
    assert result.mean_adjusted_rand[3] > 0.99
    assert result.is_stable(3)
    assert not result.is_stable(5)


@pytest.mark.thorough
def test_a_continuum_does_not_come_back(continuum):
    result = bootstrap_stability(KMeans(n_init=5), continuum, [3, 5], n_pairs=size(5, 10), random_state=0)
    assert (result.mean_adjusted_rand < 0.5).all()
    assert not result.is_stable(3)


def test_the_unstable_segments_are_recognised():
    """Two far groups and a featureless disc that four segments must cut somewhere."""
    random = np.random.default_rng(1)
    angle, radius = random.uniform(0, 2 * np.pi, 300), 3 * np.sqrt(random.uniform(size=300))
    disc = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    X = np.vstack([disc, random.normal((20, 0), 0.2, size=(60, 2)), random.normal((0, 20), 0.2, size=(60, 2))])
    result = bootstrap_stability(KMeans(n_init=5), X, 4, n_pairs=10, random_state=0)
    segments = result.segments.sort_values("slsw")
    assert (segments["slsw"].iloc[:2] < 0.85).all()
    assert (segments["slsw"].iloc[2:] > 0.99).all()
    assert list(segments["n_customers"].iloc[2:]) == [60, 60]


def test_refits_that_agree_are_fully_stable(blobs):
    cuts = Halves(bounds=(0.0, 5.0), labels=(0, 1, 2))
    result = bootstrap_stability(cuts, blobs, 3, n_pairs=2, random_state=0)
    np.testing.assert_array_equal(result.adjusted_rand, 1.0)
    np.testing.assert_array_equal(result.segments["slsw"], 1.0)


def test_an_empty_segment_makes_a_solution_unstable(blobs):
    cuts = Halves(bounds=(0.0, 5.0), labels=(0, 1, 2))
    result = bootstrap_stability(cuts, blobs, 4, n_pairs=2, random_state=0)
    assert list(result.segments["slsw"]) == [1.0, 1.0, 1.0, 0.0]
    assert result.segments["n_customers"].iloc[3] == 0
    assert not result.is_stable(4)


def test_more_segments_than_asked_for_are_all_reported(blobs):
    cuts = Halves(bounds=(0.0, 5.0), labels=(0, 1, 2))
    assert len(bootstrap_stability(cuts, blobs, 2, n_pairs=2, random_state=0).segments) == 3


def test_relabelled_refits_change_nothing(blobs):
    plain = bootstrap_stability(Halves(labels=(0, 1)), blobs, 2, n_pairs=2, random_state=0)
    swapped = bootstrap_stability(Halves(labels=(1, 0)), blobs, 2, n_pairs=2, random_state=0)
    np.testing.assert_array_equal(plain.adjusted_rand, swapped.adjusted_rand)
    assert sorted(plain.segments["n_customers"]) == sorted(swapped.segments["n_customers"])


@pytest.mark.thorough
@pytest.mark.parametrize("seed", range(size(1, 3)))
def test_the_order_of_the_rows_changes_nothing(seed):
    random = np.random.default_rng(seed)
    X = random.integers(0, 3, size=(150, 3)).astype(float)
    mixed = random.permutation(150)
    clusterer = GaussianMixture(covariance_type="spherical", random_state=0)
    one = bootstrap_stability(clusterer, X, [2, 3], n_pairs=3, random_state=seed)
    other = bootstrap_stability(clusterer, X[mixed], [2, 3], n_pairs=3, random_state=seed)
    np.testing.assert_array_equal(one.adjusted_rand, other.adjusted_rand)


def test_other_numbers_and_more_pairs_change_no_value(blobs):
    wide = bootstrap_stability(KMeans(n_init=1), blobs, range(2, 6), n_pairs=5, random_state=0)
    narrow = bootstrap_stability(KMeans(n_init=1), blobs, [4], n_pairs=3, random_state=0)
    np.testing.assert_array_equal(narrow.adjusted_rand[0], wide.adjusted_rand[2, :3])


@pytest.mark.thorough
def test_any_number_of_workers_gives_and_tells_the_same(continuum, monkeypatch):
    counted = []
    monkeypatch.setattr(_pairs, "advance", lambda *told: counted.append(told))
    # processes would each import custseg
    with parallel_config(backend=size("threading", "loky")):
        one, two = (
            bootstrap_stability(
                KMeans(n_init=2), continuum, [2, 4], n_pairs=4, random_state=0, n_jobs=n_jobs, verbose=True
            )
            for n_jobs in (1, 2)
        )
    assert counted == 2 * [(1, 4, 3 / 12), (2, 4, 6 / 12), (3, 4, 9 / 12), (4, 4, 1.0)]
    np.testing.assert_array_equal(one.adjusted_rand, two.adjusted_rand)
    np.testing.assert_array_equal(one.optimiser_adjusted_rand, two.optimiser_adjusted_rand)
    pd.testing.assert_frame_equal(one.segments, two.segments)
    pd.testing.assert_frame_equal(one.flows, two.flows)


def test_a_seed_repeats_and_another_does_not(continuum):
    first, again, other = (
        bootstrap_stability(KMeans(n_init=1), continuum, [4], n_pairs=2, random_state=seed) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first.adjusted_rand, again.adjusted_rand)
    np.testing.assert_array_equal(first.reference_labels[4], again.reference_labels[4])
    assert (first.adjusted_rand != other.adjusted_rand).any()


@pytest.mark.parametrize(
    "clusterer",
    [
        KMeans(n_init=2),
        GaussianMixture(),
        Birch(),
        make_pipeline(StandardScaler(), KMeans(n_init=2)),
        make_pipeline(StandardScaler(), make_pipeline(StandardScaler(), GaussianMixture())),
    ],
    ids=["kmeans", "mixture", "birch", "pipeline", "nested"],
)
def test_any_clusterer_with_predict_works(clusterer, blobs):
    result = bootstrap_stability(clusterer, blobs, [3], n_pairs=3, random_state=0)
    assert result.mean_adjusted_rand[3] > 0.95
    assert result.is_stable(3)


def test_all_kinds_of_frames_agree(blobs):
    table = pd.DataFrame(blobs, columns=["b", "a"], index=range(1000, 1240))
    clusterer = KMeans(n_init=1, random_state=0)
    options = {"n_segments": [2, 4], "n_pairs": 2, "random_state": 0}
    expected = bootstrap_stability(clusterer, table, **options)
    for frame in (pl.DataFrame(table), pl.LazyFrame(table)):
        got = bootstrap_stability(clusterer, frame, **options)
        np.testing.assert_array_equal(got.adjusted_rand, expected.adjusted_rand)
        pd.testing.assert_frame_equal(got.segments, expected.segments)
    assert bootstrap_stability(clusterer, blobs.tolist(), **options).segments["n_customers"].sum() == 2 * 240


@pytest.mark.parametrize("build", [pd.DataFrame, pl.DataFrame, pl.LazyFrame, read_customers])
def test_a_table_of_customers_is_read_once(build, monkeypatch):
    monkeypatch.setattr(TableKMeans, "n_frames", 0)
    random = np.random.default_rng(0)
    table = pd.DataFrame({"id": [f"c{row}" for row in range(90)], "spend": np.repeat([1.0, 5.0, 9.0], 30)})
    table["spend"] += random.normal(0, 0.1, 90)
    table["plan"] = random.choice(["a", "b"], 90)
    table["unused"] = pd.Categorical(["low"] * 90, ["low", "high"], ordered=True)
    X = build(table, customer_id="id") if build is read_customers else build(table)
    result = bootstrap_stability(TableKMeans(), X, [3], n_pairs=3, random_state=0)
    assert TableKMeans.n_frames == 0
    assert result.is_stable(3)
    again = bootstrap_stability(TableKMeans(), table.sample(frac=1.0, random_state=0), [3], n_pairs=3, random_state=0)
    np.testing.assert_array_equal(again.adjusted_rand, result.adjusted_rand)
    expected = TableKMeans(3, random_state=1).fit(table).predict(table)
    assert adjusted_rand_score(result.reference_labels[3], expected) == 1.0


def test_the_clusterers_kinds_are_heeded():
    table = pd.DataFrame({"plan": [0, 1, 2] * 20})
    rows = read_rows(table, TableKMeans(kinds={"plan": "nominal"}))
    assert rows.data["plan"].kind == "nominal"


def test_a_refit_that_cannot_be_had_says_which_number_of_segments():
    X = pd.DataFrame({"a": [0.0, 1.0] * 20, "b": np.arange(40.0)})
    with pytest.raises(InfeasibleError, match="a solution with 3 segments, .* failed. TableKMeans: n_segments=3"):
        bootstrap_stability(TableKMeans(), X, [2, 3], n_pairs=2, random_state=0)


@pytest.mark.parametrize("build", [pd.DataFrame, pl.DataFrame, lambda data: pd.DataFrame(data).to_numpy(dtype=object)])
def test_distinct_rows_of_any_content_are_told_apart(build):
    data = {
        "plan": ["a", None, "a", "b", None, "a"],
        "age": [1.0, 2.0, 1.0, 1.0, 2.0, float("nan")],
        "active": [True, False, True, True, False, True],
    }
    rows = read_rows(build(data), None)
    assert len(rows.first) == 4
    groups = {tuple(np.flatnonzero(rows.pattern == pattern)) for pattern in range(4)}
    assert groups == {(0, 2), (1, 4), (3,), (5,)}
    assert sorted(rows.counts) == [1, 1, 2, 2]
    assert len(rows.take(np.array([3, 3, 0]))) == 3


def test_frames_of_the_result(continuum):
    result = bootstrap_stability(KMeans(n_init=1), continuum, [4, 2], n_pairs=3, random_state=0)
    frame = result.pairs
    assert list(frame.columns) == ["n_segments", "pair", "adjusted_rand"]
    assert list(frame["n_segments"]) == [2, 2, 2, 4, 4, 4]
    assert list(frame["pair"]) == [0, 1, 2] * 2
    means = frame.groupby("n_segments")["adjusted_rand"].mean()
    pd.testing.assert_series_equal(result.mean_adjusted_rand, means, check_names=False)
    assert list(result.segments.columns) == SEGMENTS
    assert list(result.segments["segment"]) == [0, 1, 0, 1, 2, 3]
    summary = result.summary
    np.testing.assert_allclose(summary["mean_adjusted_rand"], means)
    np.testing.assert_allclose(summary["min_slsw"], result.segments.groupby("n_segments")["slsw"].min())
    assert (summary["low_adjusted_rand"] <= summary["high_adjusted_rand"]).all()


def result_with(adjusted_rand, slsw):
    segments = pd.DataFrame({"n_segments": 2, "segment": [0, 1], "n_customers": 5, "slsw": slsw})
    return StabilityResult(
        numbers=(2,), adjusted_rand=np.array([adjusted_rand]), segments=segments, reference_labels={}
    )


def test_stable_asks_for_the_whole_and_for_each_segment():
    level, segment = STABLE_ADJUSTED_RAND, STABLE_SEGMENT
    assert result_with([level, level], [segment, 1.0]).is_stable(2)
    assert not result_with([level, level - 0.01], [segment, 1.0]).is_stable(2)
    assert not result_with([1.0, 1.0], [segment - 0.01, 1.0]).is_stable(2)
    assert list(result_with([1.0, 1.0], [1.0, 1.0]).summary["stable"]) == [True]
    with pytest.raises(InvalidParameterError, match="unknown n_segments '3'; known: '2'"):
        result_with([1.0], [1.0, 1.0]).is_stable(3)


def test_an_empty_result_has_empty_frames():
    empty = StabilityResult.empty()
    assert empty.to_frame().empty
    assert empty.summary.empty
    assert empty.mean_adjusted_rand.empty
    assert list(empty.segments.columns) == SEGMENTS
    assert empty.flows.empty
    assert empty.optimiser_share.empty


def test_each_pair_is_told(continuum):
    steps = []
    bootstrap_stability(
        KMeans(n_init=1),
        continuum,
        [2],
        n_pairs=3,
        random_state=0,
        on_step=lambda done, total: steps.append((done, total)),
    )
    assert steps == [(1, 3), (2, 3), (3, 3)]


def test_the_clusterer_is_left_alone(blobs):
    clusterer = KMeans(7, n_init=1)
    bootstrap_stability(clusterer, blobs, [2], n_pairs=2, random_state=0)
    assert not hasattr(clusterer, "labels_")
    assert clusterer.n_clusters == 7
    assert clusterer.random_state is None


def test_a_warning_about_the_data_comes_once(blobs):
    with pytest.warns(DataQualityWarning, match="half of the values") as caught:
        bootstrap_stability(Halves(), blobs, [2, 3], n_pairs=4, random_state=0)
    assert len(caught) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_segments": 1}, "'n_segments' must be one or more integers >= 2 .* got 1"),
        ({"n_segments": [2, 1]}, "of a single segment there is nothing to ask"),
        ({"n_segments": []}, r"'n_segments' must be .* got \[\]"),
        ({"n_segments": 2.0}, "got 2.0"),
        ({"n_segments": "auto"}, "got 'a'"),
        ({"n_pairs": 1}, "'n_pairs' must be an integer >= 2, got 1"),
        ({"n_jobs": 0}, "'n_jobs' must be .* other than 0, got 0"),
        ({"random_state": "x"}, "'random_state' must be"),
        ({"on_step": 3}, "'on_step' must be"),
        ({"clusterer": KMeans}, "'clusterer' must be a scikit-learn clusterer"),
        ({"clusterer": None}, "'clusterer' must be a scikit-learn clusterer"),
        ({"clusterer": DBSCAN()}, "DBSCAN has no predict.* Use an engine that has one"),
        ({"clusterer": AgglomerativeClustering()}, "AgglomerativeClustering has no predict"),
        ({"clusterer": MeanShift()}, "MeanShift has none of the parameters n_segments, n_clusters"),
        ({"clusterer": SegmentClusterer(engine=HDBSCAN())}, "HDBSCAN finds the number of segments itself, so Segment"),
        ({"clusterer": make_pipeline(StandardScaler(), DBSCAN())}, "Pipeline has no predict"),
        ({"clusterer": Halves(labels=(-1, 0))}, r"numbered from 0, got .*-1 \(not assigned\)"),
        ({"clusterer": Halves(labels=("a", "b"))}, "numbered from 0, got"),
    ],
)
def test_parameters_that_cannot_be_used_are_named(options, message, blobs):
    options = {"clusterer": KMeans(n_init=1), "n_segments": [2], "n_pairs": 2, **options}
    with pytest.raises(InvalidParameterError, match=message):
        bootstrap_stability(X=blobs, **options)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros((0, 2)), r"0 sample\(s\)"),
        (np.zeros(5), r"1 dimension.*reshape\(-1, 1\)"),
        (np.zeros((5, 0)), "without columns"),
        (pd.DataFrame(index=range(5)), "without columns"),
        (sparse.csr_array(np.eye(3)), r"sparse matrix\. Pass X\.toarray"),
    ],
    ids=["empty", "vector", "no columns", "no columns, framed", "sparse"],
)
def test_data_that_cannot_be_used_is_refused(X, message):
    with pytest.raises(InvalidTableError, match=message):
        bootstrap_stability(KMeans(n_init=1), X, [2], n_pairs=2, random_state=0)


def test_more_segments_than_distinct_rows_are_refused_with_the_largest_number():
    X = np.repeat(np.arange(6.0), 5)[:, None]
    with pytest.raises(InfeasibleError, match=r"n_segments=7 .* 6 distinct row\(s\)\. Ask for at most 6"):
        bootstrap_stability(KMeans(n_init=1), X, [2, 7], n_pairs=2, random_state=0)
    rare = np.r_[np.zeros(50), np.arange(1.0, 9.0)][:, None]
    with pytest.raises(InfeasibleError, match=r"every bootstrap sample; .* Ask for at most (\d)") as caught:
        bootstrap_stability(KMeans(n_init=1), rare, [9], n_pairs=20, random_state=0)
    largest = int(str(caught.value).rsplit("at most ", 1)[1][0])
    result = bootstrap_stability(KMeans(n_init=1), rare, [largest], n_pairs=20, random_state=0)
    assert result.numbers == (largest,)


def test_customers_who_are_all_alike_are_refused():
    with pytest.raises(InfeasibleError, match=r"only 1 kind\(s\) of customers differ .* Drop constant columns"):
        bootstrap_stability(KMeans(n_init=1), np.ones((30, 2)), [2], n_pairs=2, random_state=0)
    with pytest.raises(InfeasibleError, match="smallest number in one is 1. Pass more customers that differ"):
        bootstrap_stability(KMeans(n_init=1), np.eye(30)[:, :1], [2], n_pairs=30, random_state=0)


def test_constant_columns_change_nothing(continuum):
    with_constants = np.column_stack([np.ones(240), continuum, np.full(240, -3.0)])
    plain, other = (
        bootstrap_stability(KMeans(n_init=1), X, [2, 3], n_pairs=3, random_state=0) for X in (continuum, with_constants)
    )
    np.testing.assert_array_equal(plain.adjusted_rand, other.adjusted_rand)
    pd.testing.assert_frame_equal(plain.segments, other.segments)


@pytest.mark.thorough
@pytest.mark.parametrize("engine", ["kmeans", "latent_class", "k_prototypes"])
def test_repeated_customers_are_counted_not_repeated(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.RandomState(0)
    table = pd.DataFrame(
        {"a": random.randint(0, 4, 80), "b": random.choice(list("xy"), 80), "c": random.randint(0, 3, 80)}
    )
    clusterer = SegmentClusterer(engine=engine, n_init=size(2, 4), random_state=0)
    counted = bootstrap_stability(clusterer, table, [2, 3], n_pairs=3, random_state=0)
    monkeypatch.setattr(_pairs, "takes_counts", lambda clusterer: False)
    repeated = bootstrap_stability(clusterer, table, [2, 3], n_pairs=3, random_state=0)
    np.testing.assert_allclose(counted.adjusted_rand, repeated.adjusted_rand)
    pd.testing.assert_frame_equal(counted.segments, repeated.segments)

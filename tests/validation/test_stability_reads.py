"""What bootstrap_stability reads is what the clusterer would read, and it leaves the process as it was."""

import warnings

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_backend
from sklearn.datasets import make_blobs
from sklearn.pipeline import make_pipeline
from threadpoolctl import threadpool_info

from custseg import DemographicEncoder
from custseg.datasets import make_customers
from custseg.exceptions import CustomerIdError, DataQualityWarning
from custseg.segmentation import CharacteristicEmbedder, LatentClassClusterer, RuleSegmenter, SegmentClusterer
from custseg.validation import bootstrap_stability


@pytest.fixture(scope="module")
def blobs():
    return make_blobs(120, n_features=3, centers=3, random_state=0)[0]


def plans(n=200):
    random = np.random.RandomState(0)
    return pd.DataFrame({"plan": random.randint(0, 3, n), "age": random.normal(size=n)})


def test_the_kinds_of_an_embedder_are_heeded():
    table = plans()
    kinds = {"plan": "nominal"}
    own = SegmentClusterer(3, n_init=5, random_state=0, embedder=CharacteristicEmbedder(kinds=kinds))
    result = bootstrap_stability(own, table, 3, 3, random_state=0)
    np.testing.assert_array_equal(result.reference_labels[3], own.fit(table).labels_)
    named = bootstrap_stability(SegmentClusterer(3, n_init=5, random_state=0, kinds=kinds), table, 3, 3, random_state=0)
    np.testing.assert_array_equal(result.adjusted_rand, named.adjusted_rand)


def test_the_id_of_an_embedder_is_no_characteristic():
    table = plans().assign(cid=np.arange(1000, 1200))
    clusterer = SegmentClusterer(3, n_init=5, random_state=0, embedder=CharacteristicEmbedder(customer_id="cid"))
    with_id, without = (bootstrap_stability(clusterer, X, 3, 2, random_state=0) for X in (table, plans()))
    np.testing.assert_array_equal(with_id.adjusted_rand, without.adjusted_rand)


def test_one_kind_for_all_columns_of_a_table():
    random = np.random.RandomState(0)
    likely = np.where(np.arange(150)[:, None] < 60, 0.9, 0.2)
    answers = pd.DataFrame((random.random_sample((150, 6)) < likely).astype(int)).add_prefix("q")
    result = bootstrap_stability(LatentClassClusterer(kinds="binary", n_init=2), answers, 2, 2, random_state=0)
    assert result.numbers == (2,)


def test_a_clusterer_derived_from_ours_is_refitted_as_it_is(blobs):
    class Lumped(SegmentClusterer):
        def predict(self, X):
            return np.zeros(len(super().predict(X)), dtype=np.int64)

    result = bootstrap_stability(Lumped(2, n_init=2, random_state=0), blobs, 2, 2, random_state=0)
    np.testing.assert_array_equal(result.adjusted_rand, 1.0)


def test_rules_that_nobody_meets_are_not_stable():
    table = pd.DataFrame({"a": np.arange(50.0)})
    result = bootstrap_stability(RuleSegmenter({"high": "a > 200"}), table, n_pairs=2, random_state=0)
    assert np.isnan(result.summary["min_slsw"]).all()
    assert not result.is_stable(1)


def test_steps_that_read_ids_are_refused_with_a_remedy():
    profile = make_customers(100, random_state=0).profile
    pipeline = make_pipeline(DemographicEncoder(), SegmentClusterer(n_init=2, random_state=0))
    with pytest.raises(CustomerIdError, match="a bootstrap sample repeats customers.*Transform the customers first"):
        bootstrap_stability(pipeline, profile, 3, 2, random_state=0)


def test_a_warning_about_the_data_comes_once_for_all_numbers(blobs):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        table = pd.DataFrame(blobs).add_prefix("x").assign(same=1.0)
        bootstrap_stability(SegmentClusterer(n_init=2, random_state=0), table, (2, 3, 4), 2, random_state=0)
    assert sum(issubclass(each.category, DataQualityWarning) for each in caught) == 1


def test_workers_that_are_threads_leave_filters_and_threads_alone(blobs):
    filters, threads = list(warnings.filters), [pool["num_threads"] for pool in threadpool_info()]
    with parallel_backend("threading"):
        for _ in range(3):
            bootstrap_stability(SegmentClusterer(n_init=2, random_state=0), blobs, (2, 3), 6, random_state=0, n_jobs=3)
    assert warnings.filters == filters
    assert [pool["num_threads"] for pool in threadpool_info()] == threads


def test_numbers_may_be_an_array_or_a_generator(blobs):
    clusterer = SegmentClusterer(n_init=2, random_state=0)
    for numbers in (np.array([2, 3]), (k for k in (2, 3)), pd.Series([2, 3])):
        assert bootstrap_stability(clusterer, blobs, numbers, 2, random_state=0).numbers == (2, 3)
    with pytest.raises(ValueError, match="one or more integers"):
        bootstrap_stability(clusterer, blobs, np.array(3), 2)

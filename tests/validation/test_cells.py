"""Refits among cells of customers: exact where each is a cell, honest about the loss, blind to order and company."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from custseg.exceptions import InfeasibleError
from custseg.segmentation import CharacteristicEmbedder, SegmentClusterer
from custseg.segmentation._base.order import order_by_content
from custseg.segmentation._clusterer import cell_refits as embedded_refits
from custseg.segmentation._clusterer.cell_refits import EmbeddedRefits
from custseg.segmentation._kmeans._many import cell_refits
from custseg.segmentation._kmeans._many.cell_refits import CellRefits
from custseg.segmentation._kmeans._many.refits import Refits, end
from custseg.segmentation._kmeans._many.steps import Sample
from custseg.segmentation._kmeans.kmeans import fit_kmeans
from custseg.segmentation._kmeans.nearest import nearest
from custseg.segmentation._kmeans.patterns import distinct_patterns
from custseg.validation import bootstrap_stability
from tests.conftest import shared_data
from tests.sizes import size

MOST = np.iinfo(np.int32).max


def groups(n=200, n_columns=3, seed=0):
    random = np.random.RandomState(seed)
    return np.round(
        random.normal(size=(4, n_columns))[random.randint(0, 4, n)] * 3 + random.normal(size=(n, n_columns)), 6
    )


def answers(n=150, seed=1):
    return (np.random.RandomState(seed).random_sample((n, 5)) < 0.4).astype(float)


@pytest.mark.parametrize("X", [groups(), answers()], ids=["all differ", "many alike"])
def test_where_each_customer_is_a_cell_a_refit_is_one_on_the_customers_of_the_sample(X):
    X = X[:, order_by_content(X, np.ones(len(X)))]
    clusterer = SegmentClusterer(embedder="passthrough", n_init=4, random_state=0)
    result = bootstrap_stability(clusterer, X, [3, 4], n_pairs=3, random_state=7)
    random = np.random.RandomState(7)
    random.randint(MOST)
    by_content = X[np.lexsort(X.T)]
    are_answers = len(X) >= 2 * len(np.unique(X, axis=0))
    for pair, seeds in enumerate(random.randint(MOST, size=(3, 2))):
        refits = []
        for seed in seeds:
            own = np.random.RandomState(seed)
            drawn = distinct_patterns(by_content[own.randint(len(X), size=len(X))])
            refits.append((Sample(drawn.values, drawn.counts), own.randint(MOST)))
        for position, k in enumerate([3, 4]):
            found = [Refits([one], are_answers=are_answers).search(k, 4, [seed])[0] for one, seed in refits]
            labels = [nearest(X, end(one, own)) for (one, _), own in zip(refits, found, strict=True)]
            assert result.adjusted_rand[position, pair] == pytest.approx(adjusted_rand_score(*labels), abs=1e-12)
    assert result.cell_loss == 0.0
    assert result.n_cells == len(np.unique(X, axis=0))


@pytest.fixture
def in_few_cells(monkeypatch):
    """Cells for tables that are small enough for a test."""
    monkeypatch.setattr(cell_refits, "FEW_CUSTOMERS", 100)
    monkeypatch.setattr(cell_refits, "N_CELLS", (60, 120))


@pytest.fixture(params=["each customer is one of many cells", "many cells too"])
def way(request, in_few_cells, monkeypatch):
    if request.param == "many cells too":
        monkeypatch.setattr(cell_refits, "MANY_CELLS", 200)
        monkeypatch.setattr(embedded_refits, "EMBEDDED_AGAIN", 0)
        monkeypatch.setattr(cell_refits, "SMALL", 0)
        monkeypatch.setattr(cell_refits, "SETTLED", 0)


def table(n=400, seed=0):
    frame = pd.DataFrame(groups(n, 3, seed), columns=["b", "c", "a"])
    frame["plan"] = np.random.RandomState(seed).choice(["x", "y", "z"], n)
    frame.loc[::7, "c"] = np.nan
    return frame


def figures(result):
    yield from (result.adjusted_rand, result.optimiser_adjusted_rand, np.array([result.cell_loss, result.n_cells]))
    yield result.segments[["n_segments", "segment", "n_customers", "slsw", "slsa"]].to_numpy()


@pytest.mark.usefixtures("way")
@pytest.mark.thorough
def test_the_order_of_rows_and_columns_changes_nothing():
    X = table()
    clusterer = SegmentClusterer(customer_id=None, n_init=3, random_state=0)
    one = bootstrap_stability(clusterer, X, [2, 4], n_pairs=2, random_state=0)
    mixed = X.sample(frac=1.0, random_state=1)[["plan", "a", "b", "c"]]
    other = bootstrap_stability(clusterer, mixed, [2, 4], n_pairs=2, random_state=0)
    assert one.n_cells <= 120
    for mine, theirs in zip(figures(one), figures(other), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    labels = pd.Series(other.reference_labels[4], index=mixed.index).sort_index()
    np.testing.assert_array_equal(one.reference_labels[4], labels)


@pytest.mark.usefixtures("way")
def test_other_numbers_more_pairs_and_workers_change_no_value():
    X = groups(400)
    clusterer = SegmentClusterer(embedder="passthrough", n_init=3, random_state=0)
    wide = bootstrap_stability(clusterer, X, [2, 3, 5], n_pairs=4, random_state=0)
    narrow = bootstrap_stability(clusterer, X, [5], n_pairs=2, random_state=0, n_jobs=1)
    np.testing.assert_array_equal(narrow.adjusted_rand[0], wide.adjusted_rand[2, :2])
    np.testing.assert_array_equal(narrow.optimiser_adjusted_rand[0], wide.optimiser_adjusted_rand[2, :2])
    np.testing.assert_array_equal(narrow.reference_labels[5], wide.reference_labels[5])
    assert (narrow.n_cells, narrow.cell_loss) == (wide.n_cells, wide.cell_loss)


@pytest.mark.usefixtures("way")
def test_the_loss_is_the_excess_in_what_is_left_and_cells_grow_while_it_is_large(monkeypatch):
    X = np.random.RandomState(0).normal(size=(600, 6))
    clusterer = SegmentClusterer(embedder="passthrough", n_init=8, random_state=0)
    found = {}
    for least in (np.inf, 0.0):
        monkeypatch.setattr(cell_refits, "LEAST_LOSS", least)
        found[least] = bootstrap_stability(clusterer, X, [3, 8], n_pairs=2, random_state=0)
    assert (found[np.inf].n_cells, found[0.0].n_cells) == (60, 120)
    assert found[np.inf].cell_loss > 0

    by_content = X[np.lexsort(X.T)]
    refits = CellRefits(by_content, np.ones(600), 8).in_cells(found[np.inf].n_cells)
    random = np.random.RandomState(0)
    random.randint(MOST)
    excess = []
    for seed in random.randint(MOST, size=(2, 2))[0]:
        own = np.random.RandomState(seed)
        drawn = np.bincount(own.randint(600, size=600), minlength=600)
        labels = refits.sampled([(drawn, own.randint(MOST))])
        excess += [left(by_content, drawn, labels(k)[0]) / best_there_is(by_content, drawn, k) - 1 for k in (3, 8)]
    # what it is compared with is searched for no longer than refits are: no more than the excess over the best there is
    assert found[np.inf].cell_loss <= np.mean(excess) + 1e-3
    assert np.mean(excess) < 0.03


BEST = {}


def best_there_is(X, counts, n_segments):
    """The least that fifty restarts leave: the same for every way that refits go."""
    key = (X.tobytes(), counts.tobytes(), n_segments)
    if key not in BEST:
        BEST[key] = fit_kmeans(distinct_patterns(X, counts.astype(float)), n_segments, n_init=50, random_state=0).sse
    return BEST[key]


def left(X, counts, labels):
    means = [np.average(X[labels == each], axis=0, weights=counts[labels == each]) for each in range(labels.max() + 1)]
    return float(counts @ ((X - np.array(means)[labels]) ** 2).sum(axis=1))


def test_other_engines_are_refitted_on_the_customers():
    clusterer = SegmentClusterer(engine="latent_class", n_init=1, random_state=0)
    result = bootstrap_stability(clusterer, groups(120), [2], n_pairs=2, random_state=0)
    assert result.n_cells is None
    assert result.cell_loss == 0.0


@pytest.mark.usefixtures("way")
def test_a_least_share_holds_among_those_drawn():
    X = np.vstack([groups(380), 40 + np.random.RandomState(1).normal(size=(20, 3))])
    drawn = np.bincount(np.random.RandomState(0).randint(400, size=400), minlength=400)
    labels = CellRefits(X, np.ones(400), 3, 0.2).in_cells(100).sampled([(drawn, 0)])(3)[0]
    assert np.bincount(labels, drawn).min() >= 0.2 * 400 - 5
    labels = CellRefits(X, np.ones(400), 3).in_cells(100).sampled([(drawn, 0)])(3)[0]
    assert np.bincount(labels, drawn).min() < 0.1 * 400


@pytest.mark.usefixtures("in_few_cells")
def test_references_in_cells_are_those_of_a_fit_but_for_a_few_customers():
    X = table(500)
    for embedder in (None, CharacteristicEmbedder(weights={"plan": 0})):
        clusterer = SegmentClusterer(4, embedder=embedder, customer_id=None, random_state=0)
        result = bootstrap_stability(clusterer, X, [4], n_pairs=2, random_state=0)
        assert result.n_cells < 500
        fitted = clusterer.fit(X)
        assert (result.reference_labels[4] != fitted.labels_).mean() <= 0.01
        matrix, every = fitted.embedder_.transform(X), np.ones(500)
        assert left(matrix, every, result.reference_labels[4]) <= left(matrix, every, fitted.labels_) * 1.001


@pytest.mark.usefixtures("in_few_cells")
def test_an_embedding_of_the_sample_is_that_of_a_fit_on_its_customers():
    X, n_segments = table(300), 3
    clusterer = SegmentClusterer(n_segments, customer_id=None, n_init=10, random_state=0)
    random = np.random.RandomState(0)
    far = X.assign(b=X["b"] + 60 * (X["plan"] == "x"), a=X["a"] - 60 * (X["plan"] == "y"))
    drawn = np.bincount(random.randint(300, size=300), minlength=300)
    refits = EmbeddedRefits(clusterer, far, np.ones(300), [(drawn, 0)])
    assert refits.cells.n_cells <= 120
    labels = refits.sampled([(drawn, 0)])(n_segments)[0]
    assert adjusted_rand_score(labels, clusterer.fit(far, sample_weight=drawn).predict(far)) == 1.0


@pytest.mark.thorough
def test_refits_of_binary_answers_end_where_many_restarts_end():
    """1,000 tourists, 20 motives: 100 restarts of each sample are the curve; ten read .05 lower and more."""
    X = np.loadtxt(shared_data("vacmot_flexclust") / "vacmot.csv", delimiter=",", skiprows=1)
    clusterer = SegmentClusterer(embedder="passthrough", random_state=0)
    result = bootstrap_stability(clusterer, X, [3, 5], n_pairs=size(3, 12), random_state=0)
    assert result.cell_loss == 0.0
    assert (result.mean_optimiser_adjusted_rand > 0.8).all()


def test_more_segments_than_few_cells_are_searched_among_many(monkeypatch):
    points = groups(n=1_600)
    monkeypatch.setattr(cell_refits, "N_CELLS", (40,))
    clusterer = SegmentClusterer(embedder="passthrough", n_init=1, random_state=0)
    result = bootstrap_stability(clusterer, points, [3, 60], n_pairs=2, random_state=0)
    assert result.n_cells == 40
    assert 0 < result.mean_adjusted_rand[60] < 1
    monkeypatch.setattr(cell_refits, "MANY_CELLS", 50)
    with pytest.raises(InfeasibleError, match=r"no more than \d+ cells of customers, got n_segments=60"):
        bootstrap_stability(clusterer, points, [60], n_pairs=2, random_state=0)

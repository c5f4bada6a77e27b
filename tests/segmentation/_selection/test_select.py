import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from custseg._core.customers import Column, CustomerTable, read_customers
from custseg.datasets import make_customers
from custseg.segmentation import CharacteristicEmbedder, LatentClassClusterer, SegmentClusterer
from custseg.segmentation._selection.select import SegmentSelection, choose_n_segments
from tests.sizes import size

pytestmark = pytest.mark.sampled


def chosen(X, max_segments=10, random_state=0, min_segment_share=0.0, weights=None):
    """Choose for a frame through the embedder, for a matrix as it is."""
    if isinstance(X, pd.DataFrame):
        table = read_customers(X)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            embedder = CharacteristicEmbedder(weights=weights).fit(table)
        matrix = embedder.transform(table)
    else:
        matrix = np.asarray(X, dtype=float)
        columns = tuple(Column(f"x{position}", "numeric", values) for position, values in enumerate(matrix.T))
        table, embedder = CustomerTable(columns, len(matrix)), None
    return choose_n_segments(
        table,
        embedder,
        matrix,
        max_segments=max_segments,
        min_segment_share=min_segment_share,
        random_state=random_state,
    )


def blobs(n=300, n_groups=3, n_columns=5, distance=6.0, seed=0):
    random = np.random.RandomState(seed)
    return random.normal(size=(n, n_columns)) + distance * np.eye(n_columns)[random.randint(n_groups, size=n)]


def continuum(n=500, seed=0, missing=0.0):
    """Customers on two factors: numeric, heavy-tailed, ordinal, nominal, binary columns."""
    random = np.random.RandomState(seed)
    factors = random.normal(size=(n, 2))

    def latent():
        return factors @ random.normal(size=2) * 0.7 + 0.7 * random.normal(size=n)

    frame = pd.DataFrame(
        {
            "age": latent(),
            "visits": np.floor(np.exp(latent())),
            "spend": np.exp(latent()),
            "opinion": pd.Categorical.from_codes(np.searchsorted([-1, 0, 1], latent()), list("abcd"), ordered=True),
            "region": np.array(["n", "e", "s"])[np.column_stack([latent(), latent(), latent()]).argmax(axis=1)],
            "member": latent() > 0.5,
        }
    )
    return frame.mask(random.random_sample(frame.shape) < missing) if missing else frame


@pytest.mark.thorough
@pytest.mark.parametrize("missing", [0.0, 0.05])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_continuum_is_one_segment(seed, missing):
    selection = chosen(continuum(size(200, 500), seed=seed, missing=missing))
    assert selection.n_segments == 1
    assert selection.reason.startswith("One segment: ")
    assert f"p = {selection.p_value:.3g}" in selection.reason or "only" in selection.reason


@pytest.mark.thorough
def test_buyers_of_one_population_are_one_segment():
    """Recency, frequency and spend are correlated, skewed and full of ties without any segment."""
    random, n = np.random.RandomState(0), size(400, 800)
    rate = random.gamma(1.5, 1 / 20, n)
    orders = 1 + random.poisson(rate * 365)
    frame = pd.DataFrame(
        {
            "recency": np.floor(365 * (1 - random.beta(orders, 1))),
            "frequency": orders,
            "monetary": np.exp(random.normal(3, 0.7, n) + random.normal(size=n) / np.sqrt(orders)),
        }
    )
    assert chosen(frame).n_segments == 1


@pytest.mark.thorough
@pytest.mark.parametrize("n_segments", [3, 5])
def test_planted_segments_are_found(n_segments):
    sample = make_customers(
        size(250, 1_000), n_segments=n_segments, separation=1.5, missing_share=0.05, random_state=n_segments
    )
    selection = chosen(sample.profile.set_index("customer_id"), max_segments=size(7, 10))
    assert abs(selection.n_segments - n_segments) <= 1
    assert selection.p_value <= 0.05
    assert selection.reason.startswith(f"{selection.n_segments} segments: ")


@pytest.mark.thorough
def test_generated_customers_without_separation_are_one_segment():
    sample = make_customers(size(200, 800), separation=0.0, random_state=3)
    assert chosen(sample.profile.set_index("customer_id")).n_segments == 1


@pytest.mark.thorough
def test_descriptors_take_no_part():
    random, n = np.random.RandomState(5), size(150, 400)
    frame = continuum(n)
    frame["club"] = random.choice([0.0, 50.0, 100.0], size=n) + random.normal(size=n)
    frame["group"] = np.where(frame["club"] > 25, "in", "out")
    weighted = chosen(frame, weights={"club": 0, "group": 0})
    alone = chosen(frame.drop(columns=["club", "group"]))
    assert weighted.n_segments == alone.n_segments == 1
    assert weighted.p_value == alone.p_value


def test_the_table_shows_the_rule_at_work():
    selection = chosen(blobs(n=200, n_groups=4, n_columns=4), max_segments=6)
    figures = selection.to_frame().set_index("n_segments")
    assert selection.n_segments == 4
    assert figures["bic"].idxmin() == figures["icl"].idxmin() == 4
    assert figures.loc[4, "n_separated"] == 4
    assert 0 < figures.loc[4, "smallest_share"] <= 0.25
    assert figures.loc[1, "unexplained"] == 1.0
    assert (figures["icl"] >= figures["bic"] - 1e-9).loc[1:4].all()
    assert (figures["log_likelihood"].dropna().diff().iloc[1:4] > 0).all()


@pytest.mark.thorough
def test_the_criteria_are_those_of_latent_classes():
    """Equal weights: the very figures of the estimator, but for the unit of numbers."""
    frame = make_customers(size(150, 400), n_segments=3, separation=2.0, random_state=4).profile
    table = read_customers(frame[["customer_id", "age", "household", "store_format"]], customer_id="customer_id")
    embedder = CharacteristicEmbedder().fit(table)
    selection = choose_n_segments(
        table, embedder, embedder.transform(table), max_segments=4, min_segment_share=0.0, random_state=0
    )
    figures = selection.to_frame().set_index("n_segments")
    age = embedder.transform(table)[:, list(embedder.get_feature_names_out()).index("age")]
    standardised = table.select(["household", "store_format"])
    columns = (*standardised.columns, Column("age", "numeric", (age - age.mean()) / age.std()))
    for n_classes in (1, 2, 3):
        fitted = LatentClassClusterer(n_classes, random_state=0).fit(replace(standardised, columns=columns))
        assert figures.loc[n_classes, "log_likelihood"] == pytest.approx(fitted.log_likelihood_, abs=0.05)
        assert figures.loc[n_classes, "bic"] == pytest.approx(fitted.bic_, abs=0.1)
        assert figures.loc[n_classes, "icl"] == pytest.approx(fitted.icl_, abs=0.5)


@pytest.mark.parametrize("most", [1, 2, 3])
def test_no_more_than_allowed(most):
    selection = chosen(blobs(n=150, n_groups=5), max_segments=most)
    assert selection.n_segments == most
    assert "allowed" in selection.reason


@pytest.mark.thorough
@pytest.mark.parametrize("groups", [1, 3])
def test_the_order_of_customers_and_the_seed_of_the_run(groups):
    matrix = blobs(n=size(80, 250), n_groups=groups, n_columns=size(3, 5))
    shuffled = matrix[np.random.RandomState(1).permutation(len(matrix))]
    first, again, other = (chosen(rows, max_segments=size(5, 10)) for rows in (matrix, matrix, shuffled))
    pd.testing.assert_frame_equal(first.table, again.table)
    pd.testing.assert_frame_equal(first.table, other.table)
    assert first.reason == other.reason


@pytest.mark.thorough
def test_the_order_of_mixed_rows_and_columns_changes_nothing():
    frame = continuum(size(100, 300), missing=0.05)
    random = np.random.RandomState(2)
    shuffled = frame.iloc[random.permutation(len(frame))][list(random.permutation(frame.columns))]
    assert chosen(frame).reason == chosen(shuffled).reason


def test_many_customers_are_decided_on_a_sample(monkeypatch):
    monkeypatch.setattr("custseg.segmentation._selection.select.MAX_CUSTOMERS", 100)
    selection = chosen(blobs(n=400, n_columns=3), max_segments=5)
    assert selection.n_segments == 3
    assert "random sample of 100 customers" in selection.reason


@pytest.mark.parametrize("n", [1, 2, 5, 19])
def test_few_customers_are_one_segment(n):
    selection = chosen(blobs(n=n))
    assert selection.n_segments == 1
    assert f"{n} customer(s)" in selection.reason
    assert np.isnan(selection.p_value)


@pytest.mark.parametrize("kinds", [1, 2, 3])
def test_few_kinds_of_customers_are_one_segment(kinds):
    rows = np.repeat(np.arange(kinds, dtype=float), 30)
    selection = chosen(np.column_stack([rows, rows]))
    assert selection.n_segments == 1
    assert f"only {kinds} kind(s)" in selection.reason


def test_more_segments_allowed_than_customers_differ():
    random = np.random.RandomState(6)
    corners = np.array([[0, 0, 0], [0, 9, 0], [9, 0, 0], [0, 0, 9], [9, 9, 9.0]])
    selection = chosen(corners[random.randint(5, size=200)], max_segments=50)
    assert 1 <= selection.n_segments <= 5


def test_constant_and_collinear_columns_do_no_harm():
    matrix = blobs(n=100, n_columns=3)
    wider = np.column_stack([matrix, np.full(len(matrix), 7.0), 2 * matrix[:, 0]])
    assert chosen(wider).n_segments == 3
    cloud = blobs(n=100, n_groups=1, n_columns=3)
    assert chosen(np.column_stack([cloud, cloud])).n_segments == 1


@pytest.mark.parametrize("unit", [1e-160, 1e160])
def test_the_unit_of_a_matrix_does_not_matter(unit):
    assert chosen(blobs(n=100, n_columns=3) * unit, max_segments=5).n_segments == 3


@pytest.mark.thorough
def test_dependence_inside_segments_is_named():
    """One strong factor in every segment: splitting along it always pays."""
    random, n = np.random.RandomState(7), size(600, 900)
    along = random.normal(size=(n, 1)) * np.ones((1, 12)) * 1.5
    matrix = along + random.normal(size=(n, 12)) + 10 * np.eye(12)[random.randint(2, size=n)]
    selection = chosen(matrix)
    assert 1 < selection.n_segments <= 8
    assert "go together inside segments" in selection.reason


def test_the_clusterer_keeps_the_selection():
    matrix = blobs(n=100, n_columns=3)
    clusterer = SegmentClusterer(embedder="passthrough", max_segments=5, random_state=0).fit(matrix)
    assert isinstance(clusterer.selection_, SegmentSelection)
    assert clusterer.n_segments_ == clusterer.selection_.n_segments == 3
    assert SegmentClusterer(n_segments=2, embedder="passthrough", random_state=0).fit(matrix).selection_ is None

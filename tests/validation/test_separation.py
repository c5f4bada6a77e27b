"""segment_separation against definitions by loops, scikit-learn, scipy and published figures, and its laws."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import f_oneway
from sklearn.datasets import load_iris
from sklearn.metrics import silhouette_samples

from custseg.exceptions import (
    ColumnTypeError,
    CustomerIdError,
    InvalidParameterError,
    InvalidTableError,
    SegmentLabelError,
)
from custseg.segmentation import CharacteristicEmbedder, SegmentClusterer
from custseg.segmentation._clusterer.embedding_step import Embedding, embedded
from custseg.validation import _separation
from custseg.validation._separation import segment_separation
from tests.strategies import customer_tables


def gathered(n=120, k=4, p=3, seed=0):
    random = np.random.RandomState(seed)
    labels = random.randint(k, size=n)
    return 2.0 * random.normal(size=(k, p))[labels] + random.normal(size=(n, p)), labels


def mixed(n=60, seed=0):
    random = np.random.RandomState(seed)
    spend = random.lognormal(size=n)
    spend[::7] = np.nan
    return pd.DataFrame(
        {
            "spend": spend,
            "region": random.choice(["N", "S", "W"], size=n),
            "rating": pd.Categorical(random.choice(["low", "mid", "high"], n), ["low", "mid", "high"], ordered=True),
            "member": random.rand(n) < 0.4,
        },
        index=pd.Index(np.arange(n) + 500, name="customer_id"),
    )


def frames(result):
    return result.segments, result.characteristics, result.distances, result.neighbourhood


def same(one, other, *, rtol=1e-9):
    for first, second in zip(frames(one), frames(other), strict=True):
        pd.testing.assert_frame_equal(first, second, rtol=rtol, atol=1e-9)
    assert (one.n_customers, one.n_not_assigned, one.n_sampled) == (
        other.n_customers,
        other.n_not_assigned,
        other.n_sampled,
    )
    for name in ("silhouette", "shadow", "explained"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=rtol, atol=1e-9)


# --- Definitions and oracles ---


def test_silhouettes_are_those_of_scikit_learn():
    points, labels = gathered()
    result = segment_separation(points, labels, embedder="passthrough")
    expected = silhouette_samples(points, labels)
    np.testing.assert_allclose(result.segments["silhouette"], [expected[labels == k].mean() for k in range(4)])
    assert result.silhouette == pytest.approx(expected.mean())
    assert result.n_sampled == result.n_customers == 120


def brute_force_shadows(points, labels):
    k = labels.max() + 1
    centers = [points[labels == segment].mean(axis=0) for segment in range(k)]
    shadows, neighbourhood = np.zeros(k), np.zeros((k, k))
    for point, own in zip(points, labels, strict=True):
        distances = [np.linalg.norm(point - center) for center in centers]
        first, second = sorted(distances)[:2]
        value = 2 * first / (first + second)
        others = [j for j in np.argsort(distances) if j != own]
        shadows[own] += value / (labels == own).sum()
        neighbourhood[own, others[0]] += value / (labels == own).sum()
    return shadows, neighbourhood, centers


def test_shadow_values_and_neighbourhood_follow_their_definition():
    points, labels = gathered()
    result = segment_separation(points, labels, embedder="passthrough")
    shadows, neighbourhood, centers = brute_force_shadows(points, labels)
    np.testing.assert_allclose(result.segments["shadow"], shadows)
    np.testing.assert_allclose(result.neighbourhood, neighbourhood)
    np.testing.assert_allclose(result.distances, [[np.linalg.norm(a - b) for b in centers] for a in centers])
    assert result.shadow == pytest.approx(shadows @ np.bincount(labels) / len(labels))


def test_for_k_means_the_neighbour_is_the_second_nearest_centre_of_all():
    points, _ = gathered()
    labels = SegmentClusterer(4, embedder="passthrough", random_state=0).fit_predict(points)
    centers = np.array([points[labels == k].mean(axis=0) for k in range(4)])
    distances = np.linalg.norm(points[:, None] - centers, axis=2)
    expected = np.zeros((4, 4))
    for row in distances:
        first, second = np.argsort(row)[:2]
        expected[first, second] += 2 * row[first] / (row[first] + row[second]) / (labels == first).sum()
    result = segment_separation(points, labels, embedder="passthrough")
    np.testing.assert_allclose(result.neighbourhood, expected)


def test_four_customers_by_hand():
    # centres 1 and 11; shadow of 0: 2 * 1 / (1 + 11), of 2: 2 * 1 / (1 + 9), and likewise on the other side
    result = segment_separation([[0.0], [2.0], [10.0], [12.0]], ["a", "a", "b", "b"], embedder="passthrough")
    assert result.shadow == pytest.approx((2 / 12 + 2 / 10) / 2)
    # silhouette of 0: (11 - 2) / 11, of 2: (9 - 2) / 9
    assert result.silhouette == pytest.approx((9 / 11 + 7 / 9) / 2)
    assert result.explained == pytest.approx(1 - 4 / 104)
    assert result.segments["relative_variance"].tolist() == pytest.approx([1 / 26, 1 / 26])
    assert result.distances.loc["a", "b"] == pytest.approx(10.0)


def test_eta_squared_of_the_iris_data_is_the_published_one():
    iris = load_iris(as_frame=True)
    eta2 = segment_separation(iris.data, iris.target, embedder="passthrough").characteristics["eta2"]
    # sepal length and width, petal length and width (R, FactoMineR)
    np.testing.assert_allclose(eta2, [0.618706, 0.400783, 0.941372, 0.928883], atol=1e-6)


def test_eta_squared_agrees_with_the_f_test_of_the_embedded_column():
    customers, labels = mixed(), np.arange(60) % 3
    embedded = CharacteristicEmbedder().fit(customers).transform(customers)
    result = segment_separation(customers, labels).characteristics.set_index("characteristic")
    for position, name in ((0, "spend"), (4, "rating"), (5, "member")):
        known = customers[name].notna().to_numpy()
        groups = [embedded[known & (labels == k), position] for k in range(3)]
        ratio = f_oneway(*groups).statistic * 2 / (known.sum() - 3)
        assert result.loc[name, "eta2"] == pytest.approx(ratio / (1 + ratio))
        assert result.loc[name, "n_known"] == known.sum()


def test_eta_squared_of_a_nominal_characteristic_is_goodman_and_kruskals_tau():
    customers, labels = mixed(), np.arange(60) % 3
    table = pd.crosstab(labels, customers["region"].to_numpy(), normalize=True).to_numpy()
    inside, overall = table.sum(axis=1, keepdims=True), table.sum(axis=0)
    tau = ((table**2 / inside).sum() - (overall**2).sum()) / (1 - (overall**2).sum())
    result = segment_separation(customers, labels).characteristics.set_index("characteristic")
    assert result.loc["region", "eta2"] == pytest.approx(tau)


def test_what_is_explained_is_the_score_of_the_clusterer_that_found_the_segments():
    customers = mixed()
    clusterer = SegmentClusterer(3, random_state=0).fit(customers)
    result = segment_separation(customers, clusterer.labels_)
    assert result.explained == pytest.approx(clusterer.score(customers))
    within = (result.segments["relative_variance"] * result.segments["n_customers"]).sum() / result.n_customers
    assert within == pytest.approx(1 - result.explained)


def test_weights_count_in_the_distance_and_descriptors_are_not_judged():
    customers, labels = mixed(), np.arange(60) % 2
    embedder = CharacteristicEmbedder(weights={"spend": 0, "region": 3})
    result = segment_separation(customers, labels, embedder=embedder)
    assert result.characteristics["characteristic"].tolist() == ["region", "rating", "member"]
    assert not hasattr(embedder, "weights_"), "a given embedder is cloned, not fitted"
    fitted = embedder.fit(customers.iloc[:30])
    same(result, segment_separation(customers, labels, embedder=fitted))
    assert fitted.transforms_["missing_share"].iloc[0] == customers["spend"].iloc[:30].isna().mean()


# --- Samples and batches ---


def test_silhouettes_of_a_sample_come_near_those_of_all(monkeypatch):
    points, labels = gathered(3000)
    whole = segment_separation(points, labels, embedder="passthrough")
    monkeypatch.setattr(_separation, "SILHOUETTE_CUSTOMERS", 600)
    sampled = segment_separation(points, labels, embedder="passthrough", random_state=0)
    assert 590 <= sampled.n_sampled <= 600
    np.testing.assert_allclose(sampled.segments["silhouette"], whole.segments["silhouette"], atol=0.05)
    assert sampled.silhouette != whole.silhouette
    assert sampled.shadow == whole.shadow


def test_a_sample_depends_on_content_and_seed_not_on_order_or_names(monkeypatch):
    monkeypatch.setattr(_separation, "SILHOUETTE_CUSTOMERS", 100)
    points, labels = gathered(500)
    order = np.random.RandomState(1).permutation(500)
    result = segment_separation(points, labels, embedder="passthrough", random_state=3)
    shuffled = segment_separation(points[order], labels[order], embedder="passthrough", random_state=3)
    assert result.segments.equals(shuffled.segments)
    renamed = segment_separation(points, 3 - labels, embedder="passthrough", random_state=3)
    np.testing.assert_allclose(renamed.segments["silhouette"][::-1], result.segments["silhouette"])
    other = segment_separation(points, labels, embedder="passthrough", random_state=4)
    assert other.silhouette != result.silhouette


def test_a_small_segment_is_sampled_whole_where_it_can_be(monkeypatch):
    monkeypatch.setattr(_separation, "SILHOUETTE_CUSTOMERS", 200)
    random = np.random.RandomState(0)
    points = np.vstack([random.normal(size=(2000, 2)), random.normal(size=(20, 2)) + 30])
    labels = np.repeat([0, 1], [2000, 20])
    result = segment_separation(points, labels, embedder="passthrough", random_state=0)
    assert result.segments["silhouette"][1] > 0.9


def test_batches_change_nothing(monkeypatch):
    points, labels = gathered()
    whole = segment_separation(points, labels, embedder="passthrough")
    monkeypatch.setattr(_separation, "_BLOCK", 50)
    same(whole, segment_separation(points, labels, embedder="passthrough"))


# --- Laws ---


@st.composite
def labelled(draw, **options):
    customers = draw(customer_tables(min_rows=4, max_rows=20, kinds=("numeric", "binary"), missing=False, **options))
    labels = draw(st.lists(st.integers(0, 3), min_size=len(customers), max_size=len(customers)))
    labels[:2] = [0, 1]
    return customers, np.array(labels)


@given(labelled(), st.randoms(use_true_random=False))
def test_the_order_of_rows_and_columns_changes_nothing(data, random):
    customers, labels = data
    rows, columns = list(range(len(customers))), list(customers.columns)
    random.shuffle(rows)
    result = segment_separation(customers, labels, embedder="passthrough")
    shuffled = segment_separation(customers.iloc[rows], labels[rows], embedder="passthrough")
    for one, other in zip(frames(result), frames(shuffled), strict=True):
        assert one.equals(other)
    random.shuffle(columns)
    moved = segment_separation(customers[columns], labels, embedder="passthrough")
    assert result.segments.equals(moved.segments)
    assert result.neighbourhood.equals(moved.neighbourhood)


@given(labelled(), st.permutations(range(4)))
def test_other_names_of_the_segments_permute_the_figures(data, names):
    customers, labels = data
    names = np.array(names)
    result = segment_separation(customers, labels, embedder="passthrough")
    renamed = segment_separation(customers, names[labels], embedder="passthrough")
    order = np.argsort(names[result.segments["segment"]])
    for name in ("silhouette", "shadow", "relative_variance"):
        one, other = result.segments[name].to_numpy()[order], renamed.segments[name].to_numpy()
        np.testing.assert_allclose(other, one, rtol=1e-7, atol=1e-7)
    for name in ("distances", "neighbourhood"):
        one, other = (getattr(of, name).to_numpy() for of in (result, renamed))
        np.testing.assert_allclose(other, one[np.ix_(order, order)], rtol=1e-7, atol=1e-7)
    assert renamed.characteristics["eta2"].tolist() == pytest.approx(
        result.characteristics["eta2"].tolist(), nan_ok=True
    )


@given(labelled())
def test_customers_that_are_there_twice_change_counts_and_silhouettes_only(data):
    customers, labels = data
    once = segment_separation(customers, labels, embedder="passthrough")
    twice = segment_separation(
        pd.concat([customers, customers], ignore_index=True), np.tile(labels, 2), embedder="passthrough"
    )
    assert twice.segments["n_customers"].tolist() == (2 * once.segments["n_customers"]).tolist()
    for name in ("shadow", "relative_variance"):
        np.testing.assert_allclose(twice.segments[name], once.segments[name], rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(twice.neighbourhood, once.neighbourhood, rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(twice.characteristics["eta2"], once.characteristics["eta2"], rtol=1e-7, atol=1e-9)


@given(labelled(), st.sampled_from([1e-150, 1e-3, 0.1, 7.0, 1e6, 1e200]))
def test_another_unit_of_all_numbers_changes_no_ratio(data, factor):
    customers, labels = data
    matrix = customers.to_numpy(dtype=np.float64)
    one = segment_separation(matrix, labels, embedder="passthrough")
    other = segment_separation(matrix * factor, labels, embedder="passthrough")
    pd.testing.assert_frame_equal(one.segments, other.segments, rtol=1e-7, atol=1e-7)
    pd.testing.assert_frame_equal(one.neighbourhood, other.neighbourhood, rtol=1e-7, atol=1e-7)
    pd.testing.assert_frame_equal(one.characteristics, other.characteristics, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(other.distances, one.distances * factor, rtol=1e-7, atol=1e-7 * factor)


@pytest.mark.filterwarnings("ignore::custseg.exceptions.DataQualityWarning")
@given(customer_tables(min_rows=4, max_rows=15))
def test_every_embedded_column_belongs_to_its_characteristic(customers):
    space = embedded(customers, Embedding(None))
    names, owners = space.embedder.get_feature_names_out(), _separation._owner(space)
    assert all(name.startswith(owner) for name, owner in zip(names, owners, strict=True))
    result = segment_separation(customers, np.arange(len(customers)) % 2)
    assert result.characteristics["characteristic"].tolist() == list(customers.columns)
    assert result.characteristics["n_known"].tolist() == customers.notna().sum().tolist()
    assert result.characteristics["eta2"].dropna().between(0, 1 + 1e-12).all()


@given(labelled())
def test_figures_stay_in_their_ranges(data):
    result = segment_separation(*data, embedder="passthrough")
    assert result.segments["silhouette"].between(-1, 1).all()
    assert result.segments["shadow"].between(0, 1 + 1e-12).all()
    assert result.characteristics["eta2"].dropna().between(0, 1).all()
    np.testing.assert_allclose(result.neighbourhood.sum(axis=1), result.segments["shadow"])
    assert (np.diag(result.neighbourhood) == 0).all()


# --- Edges ---


def test_a_segment_of_one_customer_has_silhouette_zero():
    result = segment_separation([[0.0], [1.0], [9.0]], [0, 0, 1], embedder="passthrough")
    assert result.segments["silhouette"].tolist()[1] == 0.0
    assert result.segments["shadow"].tolist()[1] == 0.0
    alone = segment_separation([[0.0], [1.0]], [0, 1], embedder="passthrough")
    assert (alone.silhouette, alone.shadow, alone.explained) == (0.0, 0.0, 1.0)


def test_coincident_centres_divide_by_nothing():
    result = segment_separation([[0.1], [0.3], [0.1], [0.3], [0.2], [7.0]], [0, 0, 1, 1, 1, 2], embedder="passthrough")
    assert result.distances.loc[0, 1] == pytest.approx(0.0, abs=1e-12)
    assert result.segments["shadow"].tolist() == pytest.approx([1.0, 1.0, 0.0])


def test_customers_that_are_all_alike_separate_nothing():
    result = segment_separation(np.full((4, 2), 0.1), [0, 0, 1, 1], embedder="passthrough")
    assert (result.silhouette, result.shadow) == (0.0, 1.0)
    assert np.isnan(result.explained)
    assert result.characteristics["eta2"].isna().all()
    assert result.segments["relative_variance"].isna().all()


def test_a_constant_column_has_no_eta_squared():
    points, labels = gathered(30)
    points[:, 1] = 0.1
    eta2 = segment_separation(points, labels, embedder="passthrough").characteristics["eta2"]
    assert eta2.isna().tolist() == [False, True, False]


def test_a_column_without_any_value_has_no_eta_squared():
    customers = mixed().assign(spend=np.nan)
    with pytest.warns(UserWarning, match="one value only"):
        result = segment_separation(customers, np.arange(60) % 2).characteristics
    assert result["n_known"].tolist()[0] == 0
    assert np.isnan(result["eta2"][0])


# --- Labels ---


@pytest.mark.parametrize(
    "labels",
    [
        [3, 3, 8, 8, -1],
        np.array([3.0, 3.0, 8.0, 8.0, np.nan]),
        [3, 3, 8, 8, None],
        pd.Series([3, 3, 8, 8, None], dtype="Int64"),
        pl.Series([3, 3, 8, 8, None]),
        pl.Series([3, 3, 8, 8, -1]),
        pd.Series([3, 3, 8, 8, -1], dtype="category"),
    ],
)
def test_customers_in_no_segment_are_left_out_and_counted(labels):
    points = np.array([[0.0], [1.0], [7.0], [9.0], [500.0]])
    result = segment_separation(points, labels, embedder="passthrough")
    assert (result.n_customers, result.n_not_assigned) == (4, 1)
    assert result.segments["segment"].tolist() == [3, 8]
    expected = segment_separation(points[:4], [0, 0, 1, 1], embedder="passthrough")
    assert (result.silhouette, result.shadow) == (expected.silhouette, expected.shadow)


@pytest.mark.parametrize(
    "labels",
    [
        ["a", "a", "b", "b", None],
        ["a", "a", "b", "b", float("nan")],
        pl.Series(["a", "a", "b", "b", None]),
        pl.Series(["a", "a", "b", "b", None], dtype=pl.Categorical),
        pd.Categorical(["a", "a", "b", "b", None]),
        pd.Series(["a", "a", "b", "b", None], dtype="str"),
    ],
)
def test_labels_may_be_text(labels):
    result = segment_separation(np.arange(5.0)[:, None], labels, embedder="passthrough")
    assert result.distances.index.tolist() == ["a", "b"]
    assert result.n_not_assigned == 1
    assert result.to_frame() is result.segments


def test_labels_by_customer_id_are_aligned():
    customers = mixed().drop(columns="rating")  # polars would forget the order
    labels = pd.Series(np.arange(60) % 3, index=customers.index)
    expected = segment_separation(customers, labels.to_numpy())
    same(expected, segment_separation(customers, labels.iloc[::-1]))
    as_column = customers.reset_index()
    same(expected, segment_separation(as_column, labels.sample(frac=1, random_state=0)))
    same(expected, segment_separation(pl.from_pandas(as_column), labels.iloc[::-1]))


def test_labels_with_the_index_of_the_rows_stand_in_their_order():
    customers = mixed().drop(columns="rating")
    labels = np.arange(60) % 3
    expected = segment_separation(customers, labels)
    as_column = customers.reset_index()
    same(expected, segment_separation(as_column, pd.Series(labels)))
    same(expected, segment_separation(pl.from_pandas(as_column), pd.Series(labels)))
    # ids that are a permutation of the row numbers: an index that bears their name are ids
    order = np.random.RandomState(0).permutation(60)
    permuted = as_column.assign(customer_id=order)
    by_id = pd.Series(labels, index=pd.Index(order, name="customer_id")).sort_index()
    same(expected, segment_separation(permuted, by_id))


def test_labels_that_cannot_be_aligned_are_refused():
    customers = mixed()
    labels = pd.Series(np.arange(60) % 3, index=customers.index)
    with pytest.raises(CustomerIdError, match="60 customer\\(s\\) are not in the index of the labels, for example 500"):
        segment_separation(customers, labels.reset_index(drop=True))
    twice = labels.set_axis([500, 500, *range(502, 560)])
    with pytest.raises(CustomerIdError, match="the labels have the id 500 more than once"):
        segment_separation(customers, twice)
    with pytest.raises(CustomerIdError, match="the customers have the id 500 more than once"):
        segment_separation(customers.set_axis(twice.index), labels)


@pytest.mark.parametrize("labels", [[0, 1], np.zeros(61), pd.Series(["a"])])
def test_another_number_of_labels_is_refused(labels):
    with pytest.raises(SegmentLabelError, match="labels and 60 customers; they must match"):
        segment_separation(mixed(), labels)


@pytest.mark.parametrize("labels", [[0] * 60, [0] * 59 + [-1], ["a"] * 59 + [None]])
def test_fewer_than_two_segments_are_refused(labels):
    with pytest.raises(InvalidParameterError, match="at least 2 segments"):
        segment_separation(mixed(), labels)


@pytest.mark.parametrize("labels", [[-1] * 60, [None] * 60, ["not assigned"] * 60])
def test_labels_of_nobody_are_refused(labels):
    with pytest.raises(SegmentLabelError, match="not assigned: there is no segment"):
        segment_separation(mixed(), labels)


def test_ids_passed_as_labels_are_refused():
    with pytest.raises(SegmentLabelError, match="hold 1,001 different values"):
        segment_separation(np.arange(1001.0)[:, None] % 7, np.arange(1001), embedder="passthrough")


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ("segment", "got str of shape"),
        (None, "got NoneType of shape"),
        (np.zeros((60, 2)), "of shape \\(60, 2\\)"),
        ([-2, 0, 1] * 20, "got the label -2"),
        (np.arange(60) / 2, "fractions"),
        (np.array([np.inf, *range(59)]), "fractions"),
        (pd.date_range("2024-01-01", periods=60), "values of type datetime64"),
    ],
)
def test_labels_of_another_kind_are_refused(labels, words):
    with pytest.raises(SegmentLabelError, match=words):
        segment_separation(mixed(), labels)


def test_labels_of_mixed_type_are_refused():
    with pytest.raises(ColumnTypeError, match="'labels' must be of one type"):
        segment_separation(mixed(), [1, "a"] * 30)


def test_what_the_clusterer_refuses_is_refused_in_the_name_of_the_function():
    labels = np.arange(60) % 2
    with pytest.raises(InvalidTableError, match="^segment_separation: column 'spend' must be known"):
        segment_separation(mixed()[["spend"]], labels, embedder="passthrough")
    with pytest.raises(SegmentLabelError, match="^segment_separation: the table has a column 'segment'"):
        segment_separation(mixed().assign(segment=labels), labels)
    with pytest.raises(InvalidParameterError, match="segment_separation: parameter 'embedder'"):
        segment_separation(mixed(), labels, embedder="scaled")
    with pytest.raises(InvalidParameterError, match="segment_separation: parameter 'random_state'"):
        segment_separation(mixed(), labels, random_state="0")

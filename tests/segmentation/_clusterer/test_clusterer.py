"""The clusterer: its laws, its order, what it makes of bad input, and scikit-learn's checks."""

from __future__ import annotations

import ast
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.callback import ProgressBar
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from threadpoolctl import threadpool_info, threadpool_limits

from custseg.exceptions import (
    ColumnChangeError,
    ColumnTypeError,
    CustomerIdError,
    DataQualityWarning,
    DuplicateColumnError,
    InfeasibleError,
    InvalidParameterError,
    InvalidTableError,
    SegmentLabelError,
)
from custseg.segmentation import CharacteristicEmbedder, SegmentClusterer
from tests.common.discovery import PROJECT
from tests.sizes import size
from tests.strategies import customer_tables

pytestmark = [pytest.mark.sampled, pytest.mark.thorough]

# Constant, sparse and unseen values occur in random tables; the warnings have tests of their own.
quiet = pytest.mark.filterwarnings("ignore::custseg.exceptions.DataQualityWarning")
lawful = settings(max_examples=size(6, 30))


def customers(n_customers: int = 90, seed: int = 0) -> pd.DataFrame:
    """Three planted segments of 1/2, 1/3 and 1/6 that differ in every column but the last, in age with exceptions."""
    rng = np.random.RandomState(seed)
    segment = np.repeat([0, 1, 2], [n_customers // 2, n_customers // 3, n_customers - n_customers * 5 // 6])
    rng.shuffle(segment)
    levels = np.array(["low", "middle", "high"])
    flip = rng.rand(n_customers) < 0.1
    other = np.where(flip, rng.randint(0, 3, n_customers), segment)
    table = pd.DataFrame(
        {
            "spend": np.exp(np.array([0.0, 2.0, 4.0])[segment] + 0.4 * rng.randn(n_customers)),
            "visits": np.array([20.0, 5.0, 12.0])[segment] + rng.randn(n_customers),
            "region": np.array(["north", "south", "west"])[segment],
            "age": pd.Categorical(levels[other], categories=levels, ordered=True),
            "luck": rng.randn(n_customers),
        },
        index=pd.Index(1000 + np.arange(n_customers), name="customer_id"),
    )
    table.attrs["segment"] = segment.tolist()
    return table


def same_partition(left: Any, right: Any) -> bool:
    return bool(adjusted_rand_score(left, right) == 1.0)


def fit(table: Any, n_segments: Any = 3, **parameters: Any) -> SegmentClusterer:
    parameters = {"random_state": 0, **parameters}
    return SegmentClusterer(n_segments, **parameters).fit(table)


@quiet
@parametrize_with_checks([SegmentClusterer(n_segments=3, n_init=2)])
def test_scikit_learns_checks(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)


def test_planted_segments_are_found_the_largest_first() -> None:
    table = customers()
    clusterer = fit(table)
    assert np.array_equal(clusterer.labels_, table.attrs["segment"])
    assert clusterer.segment_sizes_.tolist() == [45, 30, 15]
    assert clusterer.n_segments_ == 3
    assert clusterer.clustered_on_ == list(table.columns)
    assert clusterer.selection_ is None
    assert clusterer.optimum_.n_init == 20
    assert clusterer.segment_centers_.shape == (3, len(clusterer.embedder_.get_feature_names_out()))
    assert not clusterer.segment_subsidies_.any()


def test_centres_are_the_means_of_the_segments() -> None:
    table = customers()
    clusterer = fit(table)
    embedded = clusterer.embedder_.transform(table)
    for segment in range(3):
        mean = embedded[clusterer.labels_ == segment].mean(axis=0)
        assert clusterer.segment_centers_[segment] == pytest.approx(mean, abs=1e-9)
    shown = clusterer.embedder_.inverse_transform(clusterer.segment_centers_)
    assert shown["region"].tolist() == ["north", "south", "west"]
    assert shown["visits"].to_numpy() == pytest.approx([20, 5, 12], abs=1)


@quiet
@lawful
@given(customer_tables(max_rows=25), st.integers(1, 3), st.data())
def test_labels_are_predict_and_the_order_of_rows_and_columns_changes_nothing(
    table: pd.DataFrame, n_segments: int, data: st.DataObject
) -> None:
    try:
        clusterer = fit(table, n_segments, n_init=3)
    except InfeasibleError:
        return
    assert np.array_equal(clusterer.labels_, clusterer.predict(table))
    assert np.array_equal(np.unique(clusterer.labels_), np.arange(n_segments))
    sizes = clusterer.segment_sizes_
    assert (np.diff(sizes) <= 0).all()
    assert sizes.sum() == len(table)
    rows = data.draw(st.permutations(range(len(table))))
    columns = data.draw(st.permutations(list(table.columns)))
    again = fit(table.iloc[rows][columns], n_segments, n_init=3)
    assert np.array_equal(again.labels_, clusterer.labels_[rows])
    assert np.array_equal(again.predict(table), clusterer.labels_)


@pytest.mark.parametrize("embedder", [None, "passthrough"])
def test_the_order_of_the_columns_of_a_matrix_changes_nothing(embedder: Any) -> None:
    rng = np.random.RandomState(0)
    matrix = rng.randn(120, 5)  # no structure: every other start would show
    order = rng.permutation(5)
    rows = rng.permutation(120)
    ours = fit(matrix, 4, n_init=1, embedder=embedder)
    theirs = fit(matrix[rows][:, order], 4, n_init=1, embedder=embedder)
    assert np.array_equal(theirs.labels_, ours.labels_[rows])
    assert theirs.segment_centers_ == pytest.approx(ours.segment_centers_[:, order])


@quiet
@lawful
@given(customer_tables(min_columns=2, max_rows=25))
def test_weight_0_equals_dropping_the_column(table: pd.DataFrame) -> None:
    name = str(table.columns[-1])
    try:
        without = fit(table.drop(columns=name), 2, n_init=3)
    except InfeasibleError:
        return
    clusterer = fit(table, 2, n_init=3, weights={name: 0})
    assert np.array_equal(clusterer.labels_, without.labels_)
    assert name not in clusterer.clustered_on_


@pytest.mark.parametrize("factor", [0.01, 3.0, 1000.0])
@pytest.mark.parametrize("seed", range(5))
def test_multiplying_all_weights_changes_no_label(factor: float, seed: int) -> None:
    table = customers(seed=seed)
    weights = {"spend": 1.0, "visits": 2.0, "region": 0.5, "age": 0.7, "luck": 1.3}
    scaled = {name: factor * weight for name, weight in weights.items()}
    ours, theirs = fit(table, weights=weights), fit(table, weights=scaled)
    assert np.array_equal(ours.labels_, theirs.labels_)
    assert theirs.optimum_.objective == pytest.approx(factor * ours.optimum_.objective)


@pytest.mark.parametrize("name", ["spend", "region", "age", "luck"])
def test_duplicating_a_column_and_halving_both_weights_changes_no_label(name: str) -> None:
    table = customers()
    twice = table.assign(copy=table[name])
    halved = fit(twice, weights={name: 0.5, "copy": 0.5})
    assert np.array_equal(halved.labels_, fit(table).labels_)


@quiet
@lawful
@given(customer_tables(max_rows=20), st.data())
def test_a_sample_weight_of_2_equals_the_row_twice(table: pd.DataFrame, data: st.DataObject) -> None:
    weights = np.array(data.draw(st.lists(st.integers(1, 3), min_size=len(table), max_size=len(table))))
    repeated = table.iloc[np.repeat(np.arange(len(table)), weights)]
    try:
        twice = fit(repeated, 2, n_init=3)
    except InfeasibleError:
        return
    weighted = SegmentClusterer(2, n_init=3, random_state=0).fit(table, sample_weight=weights)
    assert np.array_equal(weighted.labels_, twice.predict(table))
    assert weighted.optimum_ == twice.optimum_


def test_customers_of_weight_0_shape_nothing() -> None:
    table = customers()
    far = table.iloc[[0]].assign(spend=1e9, luck=-1e9)
    both = pd.concat([table, far])
    weighted = SegmentClusterer(3, random_state=0).fit(both, sample_weight=[1.0] * 90 + [0.0])
    assert np.array_equal(weighted.labels_[:90], fit(table).labels_)
    assert weighted.segment_sizes_.sum() == 91


def found_with(threads: int) -> list[tuple[list[int], float]]:
    """Labels and objective of few and of many customers with so many threads in this process."""
    found = []
    with threadpool_limits(threads):
        # a limit that no pool heeds would show nothing
        assert {pool["num_threads"] for pool in threadpool_info()} == {threads}
        for n_customers in (200, 2_000):
            matrix = np.random.RandomState(0).randn(n_customers, 6)
            clusterer = fit(matrix, 5, n_init=size(1, 3))
            found.append((clusterer.labels_.tolist(), clusterer.optimum_.objective))
    return found


def found_in_a_process(threads: int) -> list[tuple[list[int], float]]:
    """The same in a process that is started with so many."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads)}
    program = f"from {__name__} import found_with; print(found_with({threads}))"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=environment, cwd=PROJECT, capture_output=True, check=True)
    return list(ast.literal_eval(done.stdout.decode()))


@pytest.mark.thorough
def test_the_number_of_threads_changes_no_label() -> None:
    find = size(found_with, found_in_a_process)
    few, many = find(1), find(2)
    assert few == many
    assert [len(labels) for labels, _ in few] == [200, 2_000]


def test_order_by_a_characteristic_highest_first() -> None:
    table = customers().assign(loyal=lambda frame: frame["visits"] > 15)
    for name in ("spend", "visits", "loyal", "luck"):
        clusterer = fit(table, order_by=name)
        means = table[name].groupby(clusterer.labels_).mean()
        assert means.is_monotonic_decreasing
    ranked = fit(table, order_by="age")
    ranks = table["age"].cat.codes.groupby(ranked.labels_).mean()
    assert ranks.is_monotonic_decreasing
    descriptor = fit(table, order_by="visits", weights={"visits": 0})
    assert table["visits"].groupby(descriptor.labels_).mean().is_monotonic_decreasing


def test_a_segment_where_nothing_is_known_comes_last() -> None:
    table = customers()
    table.loc[np.array(table.attrs["segment"]) == 0, "luck"] = np.nan
    clusterer = fit(table, order_by="luck", weights={"luck": 0})
    assert table["luck"].groupby(clusterer.labels_).count().tolist()[-1] == 0


@pytest.mark.parametrize(("name", "message"), [("spent", "Did you mean 'spend'"), ("region", "with an order")])
def test_order_by_what_has_no_order(name: str, message: str) -> None:
    with pytest.raises(InvalidParameterError, match=message):
        fit(customers(), order_by=name)


def test_equal_sizes_are_ordered_by_the_centre() -> None:
    clusterer = fit([[0.0], [1.0], [10.0], [11.0]], 2, embedder="passthrough")
    assert clusterer.segment_centers_.ravel().tolist() == [10.5, 0.5]


@pytest.mark.parametrize("share", [0.2, 0.25, 0.3, 1 / 3])
def test_least_shares_hold_and_predict_follows(share: float) -> None:
    table = customers()
    clusterer = fit(table, min_segment_share=share)
    assert clusterer.segment_sizes_.min() >= share * len(table)
    assert clusterer.segment_subsidies_.any()
    assert np.array_equal(clusterer.predict(table), clusterer.labels_)
    assert np.array_equal(fit(table.iloc[::-1], min_segment_share=share).labels_, clusterer.labels_[::-1])


def test_shares_are_of_weights() -> None:
    table = customers()
    weights = np.where(np.array(table.attrs["segment"]) == 2, 3.0, 1.0)
    clusterer = SegmentClusterer(3, min_segment_share=0.25, random_state=0).fit(table, sample_weight=weights)
    masses = np.bincount(clusterer.labels_, weights=weights)
    assert masses.min() >= 0.25 * weights.sum()
    assert masses.argmax() == 0


@pytest.mark.parametrize(("n_segments", "share", "largest"), [(3, 0.34, "0.3333"), (4, 0.26, r"0\.24?")])
def test_a_share_that_cannot_be_had_names_the_largest(n_segments: int, share: float, largest: str) -> None:
    with pytest.raises(InfeasibleError, match=f"each a share of {share}; the largest .* is {largest}"):
        fit(customers(), n_segments, min_segment_share=share)


def test_auto_says_how_it_chose() -> None:
    table = customers()[["spend", "visits", "region"]]
    clusterer = fit(table, "auto", n_init=4, max_segments=5)
    assert clusterer.selection_ is not None
    assert clusterer.selection_.n_segments == clusterer.n_segments_ == 3
    assert clusterer.selection_.reason
    assert same_partition(clusterer.labels_, customers().attrs["segment"])
    assert np.array_equal(clusterer.labels_, fit(table, 3, n_init=4).labels_)


def test_auto_stays_within_its_limits() -> None:
    table = customers()[["spend", "visits"]]
    assert fit(table, "auto", n_init=4, max_segments=2).n_segments_ <= 2
    assert fit(table, "auto", n_init=4, max_segments=5, min_segment_share=0.45).n_segments_ <= 2
    assert fit(table, "auto", n_init=4, max_segments=1).n_segments_ == 1


@quiet
def test_one_customer_is_one_segment() -> None:
    clusterer = fit(customers().iloc[[0]], "auto")
    assert (clusterer.n_segments_, clusterer.labels_.tolist()) == (1, [0])
    alike = fit(pd.DataFrame({"x": [1.0] * 20, "y": ["a"] * 20}), "auto")
    assert alike.n_segments_ == 1
    assert alike.score(pd.DataFrame({"x": [1.0] * 20, "y": ["a"] * 20})) == 0.0


@quiet
@pytest.mark.parametrize("rows", [1, 2])
def test_fewer_customers_than_segments(rows: int) -> None:
    message = f"n_segments=3 needs at least 3 customers that differ, got n_samples={rows} with {rows} distinct row"
    with pytest.raises(InfeasibleError, match=message):
        fit(customers().iloc[:rows])


def test_all_weighted_columns_without_information() -> None:
    table = pd.DataFrame({"x": [1.0] * 5, "y": [np.nan] * 5})
    with (
        pytest.warns(DataQualityWarning, match="'x', 'y' hold one value only, or none"),
        pytest.raises(InfeasibleError, match=r"n_samples=5 with 1 distinct row\(s\)"),
    ):
        fit(table, 2)


def test_score_is_the_explained_share() -> None:
    table = customers()
    clusterer = fit(table)
    embedded = clusterer.embedder_.transform(table)
    total = ((embedded - embedded.mean(axis=0)) ** 2).sum()
    assert clusterer.score(table) == pytest.approx(1 - clusterer.optimum_.objective / total)
    assert fit(table, 1).score(table) == pytest.approx(0.0, abs=1e-12)
    assert clusterer.score(table.iloc[:1]) <= 1.0


def test_transform_appends_the_segment() -> None:
    table = customers()
    clusterer = fit(table)
    out = clusterer.transform(table)
    assert out.drop(columns="segment").equals(table)
    assert out["segment"].dtype == np.int64
    assert np.array_equal(out["segment"], clusterer.labels_)
    assert "segment" not in table
    assert list(out.columns) == clusterer.get_feature_names_out().tolist()
    assert np.array_equal(SegmentClusterer(3, random_state=0).fit_transform(table)["segment"], clusterer.labels_)


def test_the_customer_id_survives_every_kind_of_frame() -> None:
    table = customers()
    frame = pl.from_pandas(table.astype({"age": "str"}), include_index=True)
    clusterer = fit(table.astype({"age": "str"}))
    assert np.array_equal(fit(frame).labels_, clusterer.labels_)
    out = clusterer.transform(frame)
    assert isinstance(out, pl.DataFrame)
    assert out.columns == ["customer_id", *table.columns, "segment"]
    assert clusterer.transform(frame.lazy()).equals(out)
    clusterer.set_output(transform="pandas")
    assert clusterer.transform(frame).index.equals(table.index)
    clusterer.set_output(transform="polars")
    assert clusterer.transform(table.astype({"age": "str"})).equals(out)
    arrow = frame.to_arrow()
    assert clusterer.set_output(transform="default").transform(arrow).column_names[-1] == "segment"


def test_a_matrix_gets_one_more_column() -> None:
    matrix = np.random.RandomState(0).randn(30, 2)
    clusterer = fit(matrix, 2)
    out = clusterer.transform(matrix)
    assert np.array_equal(out[:, :2], matrix)
    assert np.array_equal(out[:, 2], clusterer.labels_)
    frame = clusterer.set_output(transform="pandas").transform(matrix)
    assert list(frame.columns) == ["x0", "x1", "segment"]
    assert clusterer.embedder_.get_feature_names_out().tolist() == ["x0", "x1"]
    # The embedder of a matrix knows it as a matrix.
    assert clusterer.embedder_.transform(matrix).shape == (30, 2)


def test_fitting_a_frame_and_then_a_matrix_forgets_the_names() -> None:
    clusterer = fit(customers()[["spend", "visits"]], 2)
    clusterer.fit(customers()[["spend", "visits"]].to_numpy())
    assert not hasattr(clusterer, "feature_names_in_")
    assert clusterer.get_feature_names_out().tolist() == ["x0", "x1", "segment"]


def test_passthrough_clusters_numbers_as_they_are() -> None:
    matrix = np.array([[0.0, 0], [0, 1], [100, 0], [100, 1]])
    clusterer = fit(matrix, 2, embedder="passthrough")
    assert clusterer.embedder_ is None
    assert same_partition(clusterer.labels_, [0, 0, 1, 1])
    assert clusterer.optimum_.objective == 1.0
    frame = pd.DataFrame(matrix, columns=["b", "a"])
    assert same_partition(fit(frame, 2, embedder="passthrough").predict(frame[["a", "b"]]), [0, 0, 1, 1])


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pd.DataFrame({"x": [1.0, None, 2.0]}), r"'x' must be known for every customer .* got NaN in 1 row"),
        (pd.DataFrame({"x": ["a", "b", "c"]}), "'x' must be numbers with embedder=.passthrough., got nominal"),
        (np.array([[1.0], [np.nan]]), "'x0' must be known for every customer"),
    ],
)
def test_passthrough_takes_complete_numbers_only(table: Any, message: str) -> None:
    with pytest.raises(ColumnTypeError, match=message):
        fit(table, 2, embedder="passthrough")


def test_a_given_embedder_is_cloned() -> None:
    embedder = CharacteristicEmbedder(weights={"luck": 0}, kinds={"visits": "numeric"})
    clusterer = fit(customers(), embedder=embedder)
    assert not hasattr(embedder, "transforms_")
    assert clusterer.clustered_on_ == ["spend", "visits", "region", "age"]
    assert np.array_equal(clusterer.labels_, fit(customers(), weights={"luck": 0}).labels_)
    for name in ("weights", "kinds"):
        with pytest.raises(InvalidParameterError, match=f"{name!r} must be None where an embedder is given"):
            fit(customers(), embedder=embedder, **{name: {}})


def test_the_embedders_customer_id_counts_where_the_clusterer_has_none() -> None:
    table = customers().rename_axis("household_id").reset_index()
    embedder = CharacteristicEmbedder(customer_id="household_id")
    for clusterer in (fit(table, embedder=embedder), fit(table, customer_id="household_id")):
        assert np.array_equal(clusterer.labels_, fit(customers()).labels_)
        assert "household_id" not in clusterer.get_feature_names_out()
    with pytest.raises(InvalidParameterError, match="customer_id' must be the 'household_id' of the embedder"):
        fit(table, embedder=embedder, customer_id="number")


def test_weights_of_groups_and_unknown_weights() -> None:
    table = customers().rename(columns={"spend": "rfm__spend", "visits": "rfm__visits"})
    clusterer = fit(table, weights={"rfm": 0})
    assert clusterer.clustered_on_ == ["region", "age", "luck"]
    with pytest.raises(InvalidParameterError, match="unknown name in weights 'rmf'.*Did you mean 'rfm'"):
        fit(table, weights={"rmf": 0})


@pytest.mark.parametrize(
    "parameter",
    [
        {"n_segments": 0},
        {"n_segments": "some"},
        {"n_segments": 2.0},
        {"engine": "magic"},
        {"embedder": StandardScaler()},
        {"min_segment_share": 1.5},
        {"max_segments": 0},
        {"n_init": 0},
        {"random_state": -1},
    ],
)
def test_parameters_out_of_range(parameter: dict[str, Any]) -> None:
    with pytest.raises(InvalidParameterError, match=next(iter(parameter))):
        SegmentClusterer(**parameter).fit(customers())


def test_kinds_are_refused_where_nothing_reads_them() -> None:
    with pytest.raises(InvalidParameterError, match="None where an embedder is given \\(set it there\\)"):
        SegmentClusterer(2, embedder=CharacteristicEmbedder(), kinds={"x0": "nominal"}).fit([[1.0], [2.0]])
    with pytest.raises(
        InvalidParameterError, match='None with embedder="passthrough", which takes numbers as they are'
    ):
        SegmentClusterer(2, embedder="passthrough", kinds={"x0": "nominal"}).fit([[1.0], [2.0]])


def test_weights_of_customers_need_a_stated_number_of_segments() -> None:
    with pytest.raises(InvalidParameterError, match="'n_segments' must be a number where sample_weight is given"):
        SegmentClusterer().fit(customers(), sample_weight=np.ones(90))


@pytest.mark.parametrize(
    ("table", "error", "message"),
    [
        (pd.DataFrame({"x": []}), InvalidTableError, r"0 sample\(s\)"),
        (pd.DataFrame([[1, 2], [3, 4]], columns=["x", "x"]), DuplicateColumnError, "must be unique, got 'x'"),
        (pd.DataFrame({"x": [1.0, np.inf]}), ColumnTypeError, "column 'x' holds infinite values in 1 row"),
        (pd.DataFrame({"x": [1.0, 2.0], "segment": [0, 1]}), SegmentLabelError, "has a column 'segment' already"),
        (pd.DataFrame({"name": list("abcdefghij")}), CustomerIdError, "customer_id='name'"),
    ],
)
def test_tables_that_cannot_be_used(table: pd.DataFrame, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        fit(table, 2)


def test_columns_at_predict() -> None:
    table = customers()
    clusterer = fit(table)
    assert np.array_equal(clusterer.predict(table[table.columns[::-1]]), clusterer.labels_)
    with pytest.raises(ColumnChangeError, match="now missing:\n- age"):
        clusterer.predict(table.drop(columns="age"))
    with pytest.raises(ColumnChangeError, match="unseen at fit time:\n- new"):
        clusterer.predict(table.assign(new=1))
    with pytest.warns(DataQualityWarning, match=r"90 value\(s\) of 'region' \('moon'\)"):
        labels = clusterer.predict(table.assign(region="moon"))
    assert np.mean(labels == clusterer.labels_) > 0.9


def test_missing_values_are_assigned_too() -> None:
    table = customers()
    hole = table.copy()
    hole.iloc[::4, 0] = np.nan
    hole.iloc[1::4, 2] = None
    assert adjusted_rand_score(fit(hole).labels_, table.attrs["segment"]) > 0.9


def test_pickle_clone_and_html() -> None:
    clusterer = fit(customers(), weights={"luck": 0}, order_by="spend")
    again = pickle.loads(pickle.dumps(clusterer))  # noqa: S301 - our own bytes
    assert np.array_equal(again.predict(customers()), clusterer.labels_)
    assert clone(clusterer).get_params() == clusterer.get_params()
    assert "SegmentClusterer" in clusterer._repr_html_()


def test_a_random_state_object_is_drawn_from_once() -> None:
    labels = [fit(customers(), 4, n_init=1, random_state=np.random.RandomState(5)).labels_ for _ in range(2)]
    assert np.array_equal(labels[0], labels[1])


def test_in_a_pipeline_and_a_grid_search() -> None:
    matrix = customers()[["spend", "visits"]].to_numpy()
    pipeline = make_pipeline(StandardScaler(), SegmentClusterer(n_init=2, random_state=0))
    search = GridSearchCV(pipeline, {"segmentclusterer__n_segments": [2, 3]}, cv=3).fit(matrix)
    assert search.best_params_ == {"segmentclusterer__n_segments": 3}
    assert search.best_estimator_.predict(matrix).shape == (90,)


class Recorder:
    """Notes the tasks that scikit-learn's callbacks are told of."""

    def __init__(self) -> None:
        self.tasks: list[tuple[str, str]] = []

    def setup(self, estimator: Any, context: Any) -> None:
        self.tasks.append(("setup", context.task_name))

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        self.tasks.append(("begin", context.task_name))

    def on_fit_task_end(self, estimator: Any, context: Any) -> None:
        self.tasks.append(("end", context.task_name))

    def teardown(self, estimator: Any, context: Any) -> None:
        self.tasks.append(("teardown", context.task_name))


def test_callbacks_are_told_of_the_tasks() -> None:
    recorder = Recorder()
    SegmentClusterer(n_init=2, max_segments=1, random_state=0).set_callbacks(recorder).fit(customers())
    ended = [name for what, name in recorder.tasks if what == "end"]
    assert ended == ["choose the number of segments", "fit", "fit"]
    assert recorder.tasks[-1][0] == "teardown"


def test_a_progress_bar_can_be_set(capsys: pytest.CaptureFixture[str]) -> None:
    SegmentClusterer(3, n_init=2, random_state=0).set_callbacks(ProgressBar()).fit(customers())
    assert "SegmentClusterer" in capsys.readouterr().out


def test_a_path_is_a_table_like_any_other(tmp_path: Path) -> None:
    customers = pd.DataFrame({"customer_id": [7, 5, 6, 8], "visits": [1.0, 9.0, 1.2, 9.1]})
    path = tmp_path / "customers.csv"
    customers.to_csv(path, index=False)
    clusterer = SegmentClusterer(n_segments=2, random_state=0)
    found = clusterer.fit_transform(path)
    expected = clusterer.fit_transform(customers.set_index("customer_id"))
    pd.testing.assert_frame_equal(found, expected)
    assert clusterer.segment_names_ == ["Segment 0", "Segment 1"]

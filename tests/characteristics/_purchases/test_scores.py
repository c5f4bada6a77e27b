"""Scores of recency, frequency and monetary value: cuts, orientation, ties, missing values, and the contract."""

from __future__ import annotations

import pickle

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from sklearn.base import clone

from custseg._core.rounding import without_rounding
from custseg.characteristics._purchases.rfm import RFMFeaturizer
from custseg.characteristics._purchases.scores import SCORED, RFMScorer
from custseg.datasets import make_customers
from custseg.exceptions import (
    ColumnNotFoundError,
    ColumnTypeError,
    CustomerIdError,
    DuplicateColumnError,
    InvalidParameterError,
    InvalidTableError,
)
from tests.sizes import size

SCORES = [f"{name}_score" for name in SCORED]
numbers = st.one_of(st.integers(0, 6).map(float), st.floats(-1e9, 1e9, allow_nan=False), st.just(float("nan")))
laws = settings(max_examples=size(5, 60))


def table(recency, frequency=None, monetary=None):
    first = pd.Series(recency, dtype="float64")
    rest = {"frequency": frequency, "monetary": monetary}
    columns = {name: first if values is None else pd.Series(values, dtype="float64") for name, values in rest.items()}
    return pd.DataFrame({"recency": first, **columns}).rename_axis("customer_id")


@st.composite
def customers(draw, min_rows=1):
    rows = draw(st.lists(st.tuples(numbers, numbers, numbers), min_size=min_rows, max_size=40))
    # one row is whole, so that there is something to learn from in every column
    return table(*zip(*rows, (1.0, 2.0, 3.0), strict=True))


def by_definition(fitted, values, n_bins, highest_first):
    """Score one value after the other: how many cuts are below it, each the first value that a share reaches.

    The share is that of the worst. No cut is the best value, unless there is no other; where the lowest are
    the best, a cut moves to the next better value, which is on its better side.
    """
    sign = -1.0 if highest_first else 1.0
    known = sorted(sign * value for value in fitted if not np.isnan(value))
    cuts = [
        next(v for v in known if sum(other <= v for other in known) * n_bins >= group * len(known))
        for group in range(1, n_bins)
    ]
    cuts = [min([cut, *(v for v in known[::-1] if v < known[-1])][:2]) for cut in cuts]
    if highest_first:
        cuts = [-min([v for v in known if v > cut] or [cut]) for cut in cuts]
    below = [sum(cut < value for cut in cuts) for value in values]
    scores = [n_bins - count if highest_first else count + 1 for count in below]
    return [np.nan if np.isnan(value) else score for value, score in zip(values, scores, strict=True)]


@laws
@given(fitted=customers(), applied=customers(), n_bins=st.integers(2, 7))
def test_the_definition_value_by_value(fitted, applied, n_bins):
    found = RFMScorer(n_bins).fit(fitted).transform(applied)
    assert list(found.columns) == SCORES
    for name in SCORED:
        expected = by_definition(fitted[name], applied[name], n_bins, highest_first=name == "recency")
        np.testing.assert_array_equal(found[f"{name}_score"].astype(float), expected)


@pytest.mark.parametrize("n_bins", [2, 4, 5, 10])
def test_without_ties_it_is_pandas_qcut(n_bins):
    values = np.random.default_rng(0).permutation(n_bins * 20).astype(float) * 1.5
    found = RFMScorer(n_bins).fit(table(values)).transform(table(values))
    labels = range(1, n_bins + 1)
    np.testing.assert_array_equal(found["monetary_score"], pd.qcut(values, n_bins, labels=labels).astype(int))
    np.testing.assert_array_equal(found["recency_score"], pd.qcut(values, n_bins, labels=labels[::-1]).astype(int))


def test_ties_where_pandas_qcut_fails():
    values = [1.0] * 80 + [2.0] * 12 + [3.0] * 8
    with pytest.raises(ValueError, match="Bin edges must be unique"):
        pd.qcut(values, 5)
    scorer = RFMScorer().fit(table(values))
    found = scorer.transform(table(values))
    assert found["frequency_score"].tolist() == [1] * 80 + [5] * 20
    assert found["recency_score"].tolist() == [5] * 80 + [1] * 20
    assert scorer.edges_["frequency"] == (1.0, 1.0, 1.0, 1.0)
    assert scorer.attainable_scores_ == dict.fromkeys(SCORES, (1, 5))
    # 60% of the customers share a value: it takes three of the five scores
    some = RFMScorer().fit(table([1.0] * 60 + [2.0] * 20 + [3.0] * 20))
    assert some.attainable_scores_["monetary_score"] == (1, 4, 5)
    assert some.transform(table([1.0, 2.0, 3.0]))["monetary_score"].tolist() == [1, 4, 5]


@pytest.mark.parametrize("n_low", [20, 30, 45, 50, 55, 70, 80, 99])
def test_a_tie_at_an_end_has_the_score_of_that_end(n_low):
    values = [1.0] * n_low + [2.0] * (100 - n_low)
    scorer = RFMScorer().fit(table(values))
    found = scorer.transform(table(values))
    assert scorer.attainable_scores_ == dict.fromkeys(SCORES, (1, 5))
    for name in ("frequency_score", "monetary_score"):
        assert found[name].tolist() == [1] * n_low + [5] * (100 - n_low)
    assert found["recency_score"].tolist() == [5] * n_low + [1] * (100 - n_low)


@laws
@given(everyone=customers(), n_bins=st.integers(2, 7))
def test_the_best_have_the_best_score_and_the_worst_the_lowest_in_all_three(everyone, n_bins):
    scorer = RFMScorer(n_bins).fit(everyone)
    found = scorer.transform(everyone)
    for name in SCORED:
        own, score = everyone[name], found[f"{name}_score"]
        assert set(score.dropna()) <= set(scorer.attainable_scores_[f"{name}_score"])
        if np.ptp(without_rounding(own.dropna().to_numpy())) == 0:
            assert set(score.dropna()) == {n_bins if name == "recency" else 1}
            continue
        best, worst = (own.min(), own.max()) if name == "recency" else (own.max(), own.min())
        assert set(score[own == best]) == {n_bins}
        assert set(score[own == worst]) == {1}


@laws
@given(values=customers(), n_bins=st.integers(2, 7), data=st.data())
def test_recency_is_scored_as_frequency_turned_round(values, n_bins, data):
    own = values["monetary"].to_numpy()
    assume(np.ptp(own[~np.isnan(own)]) > 0)
    turned = table(-own, own, own)
    weights = data.draw(st.none() | st.lists(st.integers(1, 3), min_size=len(own), max_size=len(own)))
    scores = RFMScorer(n_bins).fit(turned, sample_weight=weights).transform(turned)
    for name in ("recency_score", "frequency_score"):
        pd.testing.assert_series_equal(scores[name], scores["monetary_score"], check_names=False)


def test_the_best_customer_scores_highest():
    everyone = table([1, 20, 300], [9, 3, 1], [80, 30, 5])
    assert RFMScorer(3).fit(everyone).transform(everyone).to_numpy().tolist() == [[3, 3, 3], [2, 2, 2], [1, 1, 1]]


def test_values_beyond_those_of_fit_get_the_end_scores():
    scorer = RFMScorer().fit(table(np.arange(50.0)))
    found = scorer.transform(table([-1e9, 1e9]))
    assert found.to_numpy().tolist() == [[5, 1, 1], [1, 5, 5]]


def test_given_edges():
    edges = {"recency": [30, 90, 365], "monetary": (10.0,)}
    scorer = RFMScorer(4, edges=edges).fit(table([1.0, 2.0, 3.0, 4.0]))
    found = scorer.transform(table([30, 30.5, 90, 365, 366], [0, 2, 3, 4, 9], [10, 10.5, 0, 99, np.nan]))
    assert found["recency_score"].tolist() == [4, 3, 3, 2, 1]
    assert found["frequency_score"].tolist() == [1, 2, 3, 4, 4]
    np.testing.assert_array_equal(found["monetary_score"], [1, 2, 1, 2, np.nan])
    assert scorer.edges_["recency"] == (30.0, 90.0, 365.0)
    assert scorer.attainable_scores_["monetary_score"] == (1, 2)
    # what is given need not be learned
    nothing = {name: [0.5] for name in SCORED}
    missing = table([np.nan])
    assert RFMScorer(edges=nothing).fit(missing).transform(missing).isna().all(axis=None)


@laws
@given(everyone=customers(min_rows=3), seed=st.integers(0, 99), times=st.integers(2, 3))
def test_order_and_repetition_of_customers_change_nothing(everyone, seed, times):
    scorer = RFMScorer().fit(everyone)
    expected = scorer.transform(everyone)
    shuffled = everyone.sample(frac=1, random_state=seed)[["monetary", "recency", "frequency"]]
    again = RFMScorer().fit(shuffled)
    assert again.edges_ == scorer.edges_
    assert_frame_equal(again.transform(shuffled).sort_index(), expected)
    assert RFMScorer().fit(pd.concat([everyone] * times)).edges_ == scorer.edges_
    assert_frame_equal(scorer.transform(everyone.iloc[1:]).astype(float), expected.iloc[1:].astype(float))


@laws
@given(everyone=customers(), n_bins=st.integers(2, 6))
def test_equal_values_equal_scores_and_better_values_no_lower_ones(everyone, n_bins):
    scorer = RFMScorer(n_bins).fit(everyone)
    found = scorer.transform(everyone)
    for name in SCORED:
        pairs = pd.DataFrame({"value": everyone[name], "score": found[f"{name}_score"].astype(float)}).dropna()
        by_value = pairs.groupby("value")["score"].agg(["min", "max"])
        assert (by_value["min"] == by_value["max"]).all()
        assert by_value["min"].is_monotonic_decreasing if name == "recency" else by_value["min"].is_monotonic_increasing
        assert set(pairs["score"]) <= set(scorer.attainable_scores_[f"{name}_score"])


@laws
@given(everyone=customers(), factor=st.sampled_from([0.5, 2.0, 64.0]), shift=st.integers(-5, 5))
def test_scores_do_not_depend_on_the_unit(everyone, factor, shift):
    everyone = everyone.clip(-1000, 1000).round()
    other = everyone * factor + shift
    assert_frame_equal(RFMScorer().fit(everyone).transform(everyone), RFMScorer().fit(other).transform(other))


def test_it_scores_what_the_featurizer_gives():
    lines = make_customers(200, random_state=0).transactions
    found = RFMFeaturizer().fit_transform(lines)
    scores = RFMScorer().fit(found).transform(found)
    assert scores.index.equals(found.index)
    assert scores.dtypes.tolist() == ["int64"] * 3
    # groups of equal size, but for ties
    assert scores["monetary_score"].value_counts().tolist() == [40] * 5


def test_columns_of_a_union():
    plain = table([1, 20, 300], [9, 3, 1], [80, 30, 5])
    union = plain.add_prefix("rfm__").assign(who__age=[3, 4, 5], social__recency=1.0)
    scorer = RFMScorer(3).fit(union)
    assert scorer.feature_names_in_.tolist() == ["rfm__recency", "rfm__frequency", "rfm__monetary"]
    assert_frame_equal(scorer.transform(union), RFMScorer(3).fit(plain).transform(plain))
    # without a prefix means those
    assert RFMScorer(3).fit(union.join(plain)).feature_names_in_.tolist() == list(SCORED)
    two = union.join(plain.add_prefix("shop__"))
    with pytest.raises(InvalidParameterError, match="several members of a union.*'rfm', 'shop'.*X.filter"):
        RFMScorer().fit(two)


@pytest.mark.parametrize("kind", ["polars", "lazy", "pyarrow"])
def test_kinds_of_frame(kind):
    plain = table([1, 20, np.nan], [9, 3, 1], [80, 30, 5])
    frame = pl.from_pandas(plain.reset_index())
    frame = {"polars": frame, "lazy": frame.lazy(), "pyarrow": frame.to_arrow()}[kind]
    found = RFMScorer(2).fit(frame).transform(frame)
    assert isinstance(found, pa.Table if kind == "pyarrow" else pl.DataFrame)
    assert_frame_equal(found.to_pandas().set_index("customer_id"), RFMScorer(2).fit_transform(plain))
    bare = nw.from_native(frame).drop("customer_id").to_native()
    without = RFMScorer(2).fit(bare).transform(bare)
    assert list((without.to_pandas() if kind == "pyarrow" else without).columns) == SCORES
    with pytest.raises(ColumnNotFoundError, match="column 'person' not found"):
        RFMScorer(2, customer_id="person").fit(frame)


def test_ids_stay_where_they_are():
    named = table([1, 2, 3]).reset_index().assign(customer_id=["a", "b", "c"])
    scorer = RFMScorer().fit(named)
    assert scorer.transform(named).index.tolist() == ["a", "b", "c"]
    dates = table([1, 2, 3]).set_axis(pd.date_range("2024-01-01", periods=3))
    assert scorer.transform(dates).index.equals(dates.index)
    levels = table([1, 2, 3]).set_axis(pd.MultiIndex.from_product([["x"], [1, 2, 3]]))
    with pytest.raises(CustomerIdError, match=r"several levels.*reset_index\(\)"):
        scorer.transform(levels)
    assert scorer.set_output(transform="polars").transform(table([1, 2])).columns == ["customer_id", *SCORES]


@pytest.mark.parametrize("backend", ["pandas", "polars"])
def test_ids_in_a_column_are_checked(backend):
    everyone = table([1.0, 2.0, 3.0]).reset_index(drop=True)
    scorer = RFMScorer(2).fit(everyone)

    def transform(ids):
        customers = everyone.assign(customer_id=ids)
        return scorer.transform(customers if backend == "pandas" else pl.from_pandas(customers))

    # an unknown id is no customer -9223372036854775808
    with pytest.raises(CustomerIdError, match=r"1 row\(s\) have no id in column 'customer_id'"):
        transform(pd.array([7, None, 9], dtype="Int64"))
    with pytest.raises(CustomerIdError, match=r"1 row\(s\) repeat an id of column 'customer_id', for example 9"):
        transform([7, 9, 9])
    # whole numbers that were read as floats stay numbers
    scores = transform([7.0, 8.0, 9.0])
    ids = scores.index if backend == "pandas" else scores["customer_id"]
    assert ids.to_list() == [7, 8, 9]


def test_column_names_of_other_types():
    everyone = table([1.0, 2.0, 3.0])
    with pytest.raises(DuplicateColumnError, match="'recency' more than once"):
        RFMScorer(2).fit(pd.concat([everyone, everyone[["recency"]]], axis=1))
    assert RFMScorer(2).fit(everyone.assign(other=1).rename(columns={"other": 7})).n_features_in_ == 3
    with pytest.raises(ColumnNotFoundError, match="column 'recency' not found"):
        RFMScorer(2).fit(everyone.set_axis(pd.MultiIndex.from_product([["a"], everyone.columns]), axis=1))


def test_bad_input():
    with pytest.raises(ColumnNotFoundError, match="column 'monetary' not found"):
        RFMScorer().fit(table([1, 2]).drop(columns="monetary"))
    with pytest.raises(ColumnTypeError, match="column 'frequency' must be numbers, got nominal"):
        RFMScorer().fit(table([1, 2]).assign(frequency=["1", "2"]))
    with pytest.raises(ColumnTypeError, match="'recency' holds infinite values in 1 row"):
        RFMScorer().fit(table([1, np.inf]))
    with pytest.raises(InvalidTableError, match="column 'recency' has no value but missing ones.*edges="):
        RFMScorer().fit(table([np.nan], [1], [1]))
    with pytest.raises(InvalidTableError, match="0 sample"):
        RFMScorer().fit(table([]))
    with pytest.raises(InvalidTableError, match="expects a dataframe"):
        RFMScorer().fit([[1, 2, 3]])


@pytest.mark.parametrize(
    "parameters",
    [
        {"n_bins": 1},
        {"n_bins": 2.5},
        {"edges": [1, 2]},
        {"edges": {"age": [1]}},
        {"edges": {"recency": []}},
        {"edges": {"recency": [2, 2]}},
        {"edges": {"recency": [1, np.nan]}},
        {"edges": {"recency": "abc"}},
    ],
)
def test_parameters_out_of_range(parameters):
    with pytest.raises(InvalidParameterError, match=f"parameter '{next(iter(parameters))}' must be"):
        RFMScorer(**parameters).fit(table([1, 2]))


def test_the_estimator_contract():
    everyone = table([1, 20, 300], [9, 3, 1], [80, 30, 5])
    scorer = RFMScorer()
    assert scorer.fit(everyone) is scorer
    before = pickle.dumps(scorer)
    expected = scorer.transform(everyone)
    assert pickle.dumps(scorer) == before
    assert_frame_equal(pickle.loads(before).transform(everyone), expected)  # noqa: S301 - our own bytes
    assert_frame_equal(clone(scorer).fit_transform(everyone), expected)
    assert scorer.get_feature_names_out().tolist() == SCORES
    assert not hasattr(clone(scorer), "edges_")


@pytest.mark.parametrize("as_kind", [lambda table: table, lambda table: pl.from_pandas(table.reset_index())])
def test_no_customers_give_no_scores(as_kind):
    customers = pd.DataFrame(
        {"recency": [1.0, 9.0], "frequency": [5, 1], "monetary": [20.0, 3.0]},
        index=pd.Index([7, 8], name="customer_id"),
    )
    scorer = RFMScorer(2).fit(as_kind(customers))
    found = scorer.transform(as_kind(customers.iloc[:0]))
    assert len(found) == 0
    assert list(found.columns)[-3:] == list(scorer.get_feature_names_out())

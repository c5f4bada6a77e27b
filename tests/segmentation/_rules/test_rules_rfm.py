"""RFMSegmenter: the presets cell by cell, the cuts by the scorer, and SQL over raw columns."""

import itertools

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custseg import RFMFeaturizer, RFMScorer
from custseg.datasets import make_customers
from custseg.exceptions import ColumnNotFoundError, ColumnTypeError, InvalidParameterError
from custseg.segmentation._rules.rfm import RFM_PRESETS, RFMSegmenter
from tests.sizes import size

PRESETS = list(RFM_PRESETS)
NAMES = ["recency", "frequency", "monetary"]
# Raw values that score 1 to 5 with these cuts; a low recency scores high.
EDGES = {name: [1, 2, 3, 4] for name in NAMES}
CELLS = pd.DataFrame(itertools.product(range(1, 6), repeat=3), columns=NAMES)
RAW = CELLS.assign(recency=6 - CELLS["recency"]).astype(float)


@pytest.fixture(scope="module")
def customers():
    return RFMFeaturizer().fit_transform(make_customers(400, random_state=1).transactions)


def by_hand(preset, scores):
    for place, (_, *intervals) in enumerate(RFM_PRESETS[preset]):
        if all(low <= score <= high for score, (low, high) in zip(scores, intervals, strict=True)):
            return place
    return -1


def test_the_intervals_of_r_leave_ten_of_125_cells_to_others():
    segmenter = RFMSegmenter("rfm_r", edges=EDGES).fit(RAW)
    others = CELLS[segmenter.labels_ == 10]
    assert ["".join(map(str, cell)) for cell in others.to_numpy()] == (
        ["215", "241", "251", "252", "341", "351", "441", "451", "541", "551"]
    )
    assert segmenter.segment_names_[10] == "Others"
    report = segmenter.rule_report_
    assert (report.exhaustive, report.n_cells, report.n_uncovered_cells) == (False, 125, 10)
    assert report.never_reached == []


def test_the_default_covers_all_125_cells_and_reaches_every_rule():
    segmenter = RFMSegmenter(edges=EDGES).fit(RAW)
    assert (segmenter.labels_ >= 0).all()
    assert (segmenter.segment_sizes_ > 0).all()
    report = segmenter.rule_report_
    assert (report.exhaustive, report.n_cells, report.n_uncovered_cells) == (True, 125, 0)
    assert segmenter.otherwise_ is None


@pytest.mark.parametrize("preset", PRESETS)
def test_every_cell_goes_to_the_first_rule_that_has_it(preset):
    labels = RFMSegmenter(preset, edges=EDGES).fit(RAW).labels_
    expected = [by_hand(preset, cell) for cell in CELLS.to_numpy()]
    assert np.where(labels == len(RFM_PRESETS[preset]), -1, labels).tolist() == expected


@settings(max_examples=size(5, 100))
@given(
    st.lists(st.tuples(*[st.integers(0, 6)] * 3), min_size=1, max_size=40),
    st.sampled_from(PRESETS),
    st.randoms(use_true_random=False),
)
def test_labels_are_those_of_the_scores_whatever_the_ties_and_the_order(rows, preset, random):
    table = pd.DataFrame(rows, columns=NAMES).astype(float)
    segmenter = RFMSegmenter(preset).fit(table)
    scores = RFMScorer().fit_transform(table).to_numpy()
    expected = [by_hand(preset, score) for score in scores]
    labels = np.where(segmenter.labels_ == len(RFM_PRESETS[preset]), -1, segmenter.labels_)
    assert labels.tolist() == expected
    assert segmenter.predict(table).tolist() == segmenter.labels_.tolist()
    order = random.sample(range(len(table)), len(table))
    shuffled = table.iloc[order][random.sample(NAMES, 3)]
    assert RFMSegmenter(preset).fit(shuffled).labels_.tolist() == segmenter.labels_[order].tolist()
    with duckdb.connect() as connection:
        connection.register("t", table)
        found = connection.execute(f"SELECT {segmenter.to_sql()} FROM t").fetchall()  # noqa: S608
    assert [label for (label,) in found] == segmenter.labels_.tolist()


@settings(max_examples=size(5, 100))
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), min_size=1, max_size=30))
def test_weight_two_is_the_customer_twice(rows):
    values, weights = map(np.array, zip(*rows, strict=True))
    if not weights.any():
        weights[0] = 1
    table = pd.DataFrame({name: values.astype(float) for name in NAMES})
    weighted = RFMSegmenter().fit(table, sample_weight=weights)
    repeated = RFMSegmenter().fit(table.loc[np.repeat(np.arange(len(table)), weights)])
    assert weighted.scorer_.edges_ == repeated.scorer_.edges_
    assert weighted.labels_.tolist() == repeated.predict(table).tolist()


def test_columns_are_found_under_the_name_of_a_member(customers):
    plain = RFMSegmenter().fit(customers)
    prefixed = customers.add_prefix("behaviour__").assign(other=1)
    segmenter = RFMSegmenter().fit(prefixed)
    assert segmenter.labels_.tolist() == plain.labels_.tolist()
    assert segmenter.clustered_on_ == [f"behaviour__{name}" for name in NAMES]
    named = RFMSegmenter(recency="days", frequency="n", monetary="spend")
    renamed = customers.set_axis(["days", "n", "spend"], axis=1)
    assert named.fit(renamed).labels_.tolist() == plain.labels_.tolist()


def test_a_missing_value_is_in_no_segment_that_asks_for_it(customers):
    table = customers.astype(float)
    table.iloc[0] = np.nan
    assert RFMSegmenter().fit(table).labels_[0] == -1
    others = RFMSegmenter("rfm_r").fit(table)
    assert others.segment_names_[others.labels_[0]] == "Others"


@pytest.mark.parametrize(
    ("options", "change", "error", "message"),
    [
        ({"preset": "R"}, {}, InvalidParameterError, "'preset' must be 'default' or 'rfm_r', got 'R'"),
        ({"edges": {"recency": [30]}}, {}, InvalidParameterError, "'edges' must be 4 cuts for each"),
        ({"recency": "days"}, {}, ColumnNotFoundError, "column 'days' not found"),
        ({}, {"monetary": "much"}, ColumnTypeError, "'monetary' must be numbers, got nominal"),
        ({"recency": "gap"}, {"a__gap": 1, "b__gap": 2}, InvalidParameterError, "several columns.*recency='a__gap'"),
    ],
)
def test_what_cannot_be_used_is_refused(customers, options, change, error, message):
    with pytest.raises(error, match=message):
        RFMSegmenter(**options).fit(customers.assign(**change))


@pytest.mark.parametrize(
    ("options", "changes", "message"),
    [
        (
            {"recency": "frequency"},
            {},
            "parameter 'recency, frequency, monetary' must be different columns, got .*'freq",
        ),
        ({"edges": {"recency": [2, 1]}}, {}, "parameter 'edges' must be None or a mapping from some of 'recency'"),
        ({"monetary": "spend"}, {"spend": np.nan}, "column 'spend' must be known of some customers.*edges={'monetary'"),
    ],
)
def test_errors_name_the_segmenter_and_its_columns(options, changes, message):
    with pytest.raises((InvalidParameterError, ColumnTypeError), match=f"^RFMSegmenter: {message}"):
        RFMSegmenter(**options).fit(RAW.assign(**changes))


def test_columns_without_values_are_scored_at_given_cuts():
    segmenter = RFMSegmenter("rfm_r", edges=EDGES).fit(RAW.assign(monetary=np.nan))
    assert set(segmenter.labels_) == {4, 9, 10}

"""Customers by recency and frequency: counts, means, and the segment that most of a tile are in."""

import numpy as np
import pandas as pd
import pytest

from custseg import RFMFeaturizer, RFMScorer, RFMSegmenter
from custseg.datasets import make_customers
from custseg.exceptions import ColumnNotFoundError, ColumnTypeError, InfeasibleError
from custseg.plotting import RFMGridDisplay
from custseg.segmentation import Segmentation
from tests.plotting.conftest import texts_of


@pytest.fixture(scope="module")
def customers():
    return RFMFeaturizer().fit_transform(make_customers(1500, random_state=0).transactions)


@pytest.fixture(scope="module")
def segmenter(customers):
    return RFMSegmenter().fit(customers)


def test_tiles_are_the_customers_of_each_pair_of_scores(customers, segmenter):
    display = RFMGridDisplay.from_estimator(segmenter, customers, min_group_size=1)
    scores = RFMScorer().fit_transform(customers)
    groups = customers["monetary"].groupby([scores["recency_score"], scores["frequency_score"]])
    data = display.data_.set_index(["recency_score", "frequency_score"])
    assert data["n_customers"].sum() == len(customers)
    for place, spent in groups:
        assert data.loc[place, "n_customers"] == len(spent)
        assert data.loc[place, "monetary"] == pytest.approx(spent.mean())
    assert display.edges_ == {name: segmenter.scorer_.edges_[name] for name in ("recency", "frequency")}


def test_the_segment_of_a_tile_is_that_of_most(customers, segmenter):
    data = RFMGridDisplay.from_estimator(segmenter, customers, min_group_size=1).data_
    scores = RFMScorer().fit_transform(customers)
    names = pd.Series(np.array(segmenter.segment_names_)[segmenter.labels_], index=customers.index)
    for row in data.itertuples():
        here = (scores["recency_score"] == row.recency_score) & (scores["frequency_score"] == row.frequency_score)
        counts = names[here].value_counts()
        assert counts[row.segment] == counts.max() if len(counts) else pd.isna(row.segment)


def test_few_customers_have_no_figures_and_do_not_follow_from_the_total(customers, segmenter):
    display = RFMGridDisplay.from_estimator(segmenter, customers, min_group_size=14).plot()
    data = display.data_
    hidden = data[data["n_customers"].isna()]
    assert len(hidden)
    assert hidden[["monetary", "segment"]].isna().all(axis=None)
    assert data["n_customers"].dropna()[lambda counts: counts > 0].min() >= 14
    whole = RFMGridDisplay.from_estimator(segmenter, customers, min_group_size=1).data_
    n_hidden = int(whole["n_customers"][hidden.index].sum())
    assert len(customers) - data["n_customers"].sum() == len(hidden) * 13 > n_hidden
    assert display.how_to_read.partition("Hatched")[2].startswith(": fewer than 14 customers.")
    hatched = [patch for patch in display.ax_.patches if patch.get_hatch()]
    assert len(hatched) == len(hidden)


def test_a_mean_that_one_customer_makes_is_not_told():
    random = np.random.RandomState(0)
    table = pd.DataFrame(
        {"recency": random.permutation(200) * 1.0, "frequency": random.randint(1, 9, 200), "monetary": 1.0}
    )
    table.loc[0, "monetary"] = 1e6
    data = RFMGridDisplay.from_predictions(table, np.arange(200) % 2, min_group_size=2).data_
    told = data["monetary"].dropna()
    assert (told == 1).all()
    assert len(told) < (data["n_customers"].fillna(0) > 0).sum()


def test_what_is_written_and_outlined_is_the_data(customers, segmenter):
    display = RFMGridDisplay.from_estimator(segmenter, customers, currency="EUR").plot()
    words = texts_of(display.ax_)
    assert {f"{count:,}" for count in display.data_["n_customers"].dropna() if count} <= set(words)
    written = {word.replace("\n", " ") for word in words}
    assert set(display.data_["segment"].dropna()) <= written
    assert any(word.endswith(" EUR") for word in words)
    names = display.data_["segment"].to_numpy().reshape(5, 5)
    n_borders = (names[1:] != names[:-1]).sum() + (names[:, 1:] != names[:, :-1]).sum()
    assert sum(line.get_linewidth() == 2 for line in display.ax_.lines) == n_borders


def test_rows_do_not_count(customers, segmenter):
    order = np.random.RandomState(0).permutation(len(customers))
    first, second = (
        RFMGridDisplay.from_estimator(segmenter, table, min_group_size=14)
        for table in (customers, customers.iloc[order])
    )
    pd.testing.assert_frame_equal(first.data_, second.data_)


def test_segments_from_anywhere_are_scored_by_their_own_customers(customers):
    union = customers.add_prefix("rfm__")
    display = RFMGridDisplay.from_predictions(union, np.where(union["rfm__monetary"] > 50, "much", "little"))
    assert set(display.data_["segment"].dropna()) <= {"much", "little"}
    with pytest.raises(ColumnNotFoundError, match="'frequency' not found"):
        RFMGridDisplay.from_predictions(customers.drop(columns="frequency"), np.arange(len(customers)) % 2)
    words = Segmentation.of(customers.assign(monetary="much"), np.arange(len(customers)) % 2)
    with pytest.raises(ColumnTypeError, match="'monetary' must be numbers"):
        RFMGridDisplay(words)
    with pytest.raises(
        InfeasibleError, match="1,500 customers are too few to fill the tiles with groups of at least 300"
    ):
        RFMGridDisplay.from_predictions(customers, np.arange(len(customers)) % 2, min_group_size=300)

"""The object that every later stage takes: customers, labels, names, value."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError

import numpy as np
import pandas as pd
import polars as pl
import pytest

from custseg import PersonaDescriber, RuleSegmenter, SegmentClusterer
from custseg.exceptions import (
    ColumnNotFoundError,
    ColumnTypeError,
    CustomerIdError,
    InvalidParameterError,
    SegmentLabelError,
)
from custseg.segmentation import Segmentation
from custseg.validation import segment_separation


@pytest.fixture
def customers():
    random = np.random.RandomState(0)
    group = np.repeat([0, 1, 2], [30, 20, 10])
    return pd.DataFrame(
        {"spend": 10.0 + 20 * group + random.randn(60), "visits": random.poisson(3, 60), "town": ["A", "B"] * 30},
        index=pd.Index(random.permutation(60) + 100, name="customer_id"),
    )


@pytest.fixture
def labels():
    return np.repeat([0, 1, 2], [30, 20, 10])


def test_sizes_shares_and_value_add_up(customers, labels):
    labels[0] = -1
    found = Segmentation.of(customers, labels, value="spend")
    frame = found.to_frame()
    assert list(frame) == ["segment", "name", "n_customers", "share", "value", "value_share"]
    assert frame["n_customers"].tolist() == found.sizes.tolist() == [29, 20, 10]
    assert found.n_not_assigned == 1
    assert frame["share"].sum() == pytest.approx(1)
    assert frame["value_share"].sum() == pytest.approx(1)
    assert frame["value"].tolist() == pytest.approx(
        [customers["spend"].to_numpy()[labels == segment].sum() for segment in range(3)]
    )
    assert str(found) == "60 customers in 3 segment(s) given by labels; 1 are in none."


def test_value_is_unknown_unless_it_is_given(customers, labels):
    assert Segmentation.of(customers, labels).to_frame()[["value", "value_share"]].isna().all(axis=None)
    nothing = Segmentation.of(customers, labels, value=np.zeros(60)).to_frame()
    assert (nothing["value"] == 0).all()
    assert nothing["value_share"].isna().all()
    by_id = pd.Series(customers["spend"]).sort_index()
    expected = Segmentation.of(customers, labels, value="spend").to_frame()
    pd.testing.assert_frame_equal(Segmentation.of(customers, labels, value=by_id).to_frame(), expected)


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        ("spnd", ColumnNotFoundError, "Did you mean 'spend'"),
        ("town", ColumnTypeError, "numbers to be a value"),
        (np.zeros(3), InvalidParameterError, "one number for each of 60 customers"),
        (pd.Series(np.zeros(60), index=range(60)), CustomerIdError, "not in the index of the value"),
    ],
)
def test_a_value_that_cannot_be_read_is_refused(customers, labels, value, error, message):
    with pytest.raises(error, match=message):
        Segmentation.of(customers, labels, value=value)


def test_labels_stand_in_a_column_or_beside_the_table(customers, labels):
    table = customers.assign(segment=labels)
    assert Segmentation.of(table).labels.tolist() == labels.tolist()
    assert "segment" not in Segmentation.of(table).customer_table.names
    assert Segmentation.of(table.rename(columns={"segment": "group"}), segment="group").n_segments == 3
    with pytest.raises(SegmentLabelError, match="has a column 'segment' too"):
        Segmentation.of(table, labels)
    with pytest.raises(ColumnNotFoundError, match="'segment' not found"):
        Segmentation.of(customers)
    assert Segmentation.of(customers[["spend"]].to_numpy(), labels).labels_by_customer.index.tolist() == [*range(60)]


def test_a_fitted_segmenter_hands_over_what_it_knows(customers):
    clusterer = SegmentClusterer(3, weights={"town": 0}, random_state=0).fit(customers)
    found = Segmentation.by(clusterer, customers)
    assert found.labels.tolist() == clusterer.labels_.tolist()
    assert found.clustered_on == ("spend", "visits")
    assert found.made_by == "clusterer"
    assert found.names is None
    assert found.segment_names == ("Segment 0", "Segment 1", "Segment 2")
    rules = RuleSegmenter({"Much": "spend > 40", "None": "spend < -1000", "Some": "spend > 25"}).fit(customers)
    defined = Segmentation.by(rules, customers)
    assert defined.made_by == "rules"
    assert defined.names == ("Much", "None", "Some")
    assert defined.sizes.tolist() == [10, 0, 20]
    assert defined.n_not_assigned == 30
    personas = PersonaDescriber().fit(defined).personas_
    assert [persona.name for persona in personas] == ["Much", "None", "Some"]


def test_describer_and_separation_take_it(customers, labels):
    found = Segmentation.of(customers, labels, clustered_on=["spend"])
    by_hand = PersonaDescriber().fit(customers, labels, clustered_on=["spend"])
    assert PersonaDescriber().fit(found).personas_ == by_hand.personas_
    expected = segment_separation(customers, labels)
    assert segment_separation(found).silhouette == expected.silhouette
    for given in ({"y": labels}, {"clustered_on": ["spend"]}, {"names": ["a", "b", "c"]}):
        with pytest.raises(InvalidParameterError, match="since the segmentation says it"):
            PersonaDescriber().fit(found, **given)
    with pytest.raises(InvalidParameterError, match="since the segmentation says who"):
        segment_separation(found, labels)


def test_separation_measures_in_the_distances_of_the_clusterer(customers):
    clusterer = SegmentClusterer(3, weights={"town": 0, "visits": 0}, random_state=0).fit(customers)
    measured = segment_separation(Segmentation.by(clusterer, customers))
    assert measured.characteristics["characteristic"].tolist() == ["spend"]


def test_two_segmentations_are_compared_by_customer(customers, labels):
    found = Segmentation.of(customers, labels).named(["few", "some", "much"])
    other = Segmentation.of(customers.iloc[5:].sort_index(), pd.Series(labels, customers.index).iloc[5:] // 2)
    table = found.compare(other)
    assert table.loc["much"].tolist() == [0, 10]
    assert table.loc["few"].tolist() == [25, 0]
    assert table.to_numpy().sum() == 55


def test_names_are_one_for_each_segment(customers, labels):
    found = Segmentation.of(customers, labels)
    assert found.named(["a", "b", "c"]).to_frame()["name"].tolist() == ["a", "b", "c"]
    with pytest.raises(InvalidParameterError, match="one name for each of 3"):
        found.named(["a"])
    with pytest.raises(InvalidParameterError, match="names that differ"):
        found.named(["a", "a", "b"])


def test_the_customers_of_a_segment_come_in_their_own_kind(customers, labels):
    found = Segmentation.of(customers, labels).named(["a", "b", "c"])
    pd.testing.assert_frame_equal(found.customers_of("b"), customers[labels == 1])
    frame = pl.from_pandas(customers.reset_index())
    assert Segmentation.of(frame, labels).customers_of(2).equals(frame.filter(pl.Series(labels == 2)))
    assert Segmentation.of(frame.lazy(), labels).customers_of(-1).is_empty()
    matrix = customers[["spend"]].to_numpy()
    assert Segmentation.of(matrix, labels).customers_of(0).shape == (30, 1)
    with pytest.raises(InvalidParameterError, match="Did you mean|'d'"):
        found.customers_of("d")
    with pytest.raises(InvalidParameterError, match="-1 to 2"):
        found.customers_of(3)


def test_it_is_frozen_and_can_be_pickled(customers, labels):
    found = Segmentation.of(customers, labels, value="spend")
    with pytest.raises(FrozenInstanceError):
        found.labels = labels
    again = pickle.loads(pickle.dumps(found))  # noqa: S301
    pd.testing.assert_frame_equal(again.to_frame(), found.to_frame())

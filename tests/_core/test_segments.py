"""One reader of labels: aligned by id, text as names, nothing taken by position that bears ids."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custseg import PersonaDescriber
from custseg._core.customers import read_customers
from custseg._core.segments import known_segments, read_segments
from custseg.exceptions import CustomerIdError, SegmentLabelError
from custseg.segmentation import Segmentation
from custseg.validation import segment_separation

IDS = pd.Index([11, 14, 12, 19], name="customer_id")
CUSTOMERS = pd.DataFrame({"spend": [1.0, 2.0, 3.0, 4.0]}, index=IDS)


def read(labels, X=CUSTOMERS, **options):
    return read_segments(labels, read_customers(X, customer_id="customer_id"), X=X, **options)


@pytest.mark.parametrize(
    ("labels", "codes", "names"),
    [
        ([0, 1, 1, -1], [0, 1, 1, -1], None),
        ([0.0, 1.0, np.nan, 1.0], [0, 1, -1, 1], None),
        ([1, 2, 2, 1], [0, 1, 1, 0], ("1", "2")),
        ([5, 9, 9, None], [0, 1, 1, -1], ("5", "9")),
        (["web", "shop", "not assigned", "web"], [1, 0, -1, 1], ("shop", "web")),
        (["web", "shop", None, ""], [1, 0, -1, -1], ("shop", "web")),
        ([True, False, True, True], [1, 0, 1, 1], ("False", "True")),
        (pd.Categorical(["low", "high", "low", None], ["low", "high"]), [0, 1, 0, -1], ("low", "high")),
        (pl.Series(["b", "a", None, "a"]), [1, 0, -1, 0], ("a", "b")),
    ],
)
def test_whole_numbers_from_0_are_positions_and_all_else_is_a_name(labels, codes, names):
    found = read(labels)
    assert found.codes.tolist() == codes
    assert found.names == names


@given(st.permutations(range(4)))
def test_a_series_by_id_means_the_same_in_any_order(order):
    labels = pd.Series([0, 1, 0, -1], index=IDS)
    assert read(labels.iloc[order]).codes.tolist() == [0, 1, 0, -1]
    as_column = pl.from_pandas(CUSTOMERS.reset_index())
    found = read(labels.iloc[order], as_column, customer_id="customer_id")
    assert found.codes.tolist() == [0, 1, 0, -1]


def test_a_table_of_one_column_is_aligned_as_a_series_is():
    labels = pd.Series([0, 1, 0, -1], index=IDS, name="group").iloc[[3, 0, 2, 1]]
    assert read(labels.to_frame()).codes.tolist() == [0, 1, 0, -1]
    with pytest.raises(CustomerIdError, match="not in the index of the labels"):
        read(labels.set_axis([1, 2, 3, 4]).to_frame())
    with pytest.raises(SegmentLabelError, match="of shape"):
        read(pd.concat([labels, labels], axis=1))


def test_labels_of_other_customers_are_refused():
    other = pd.Series([0, 1, 0, 1], index=[11, 14, 12, 20])
    for use in (
        lambda: PersonaDescriber(min_group_size=1).fit(CUSTOMERS, other),
        lambda: segment_separation(CUSTOMERS, other),
        lambda: Segmentation.of(CUSTOMERS, other),
    ):
        with pytest.raises(CustomerIdError, match=r"1 customer\(s\) are not in .* labels, for example 19"):
            use()


def test_the_personas_of_labels_in_another_order_are_those_of_the_aligned_ones():
    random = np.random.RandomState(0)
    index = pd.Index(random.permutation(200) + 1000, name="customer_id")
    customers = pd.DataFrame({"spend": random.gamma(2, 10, 200), "visits": random.poisson(3, 200)}, index=index)
    labels = pd.Series((customers["spend"] > 20).astype(int), index=index)
    expected = PersonaDescriber().fit(customers, labels.to_numpy()).personas_
    assert PersonaDescriber().fit(customers, labels.sort_index()).personas_ == expected
    names = labels.map({0: "thrifty", 1: "generous"}).sort_index()
    found = PersonaDescriber().fit(customers, names)
    assert found.segment_names_ == ["generous", "thrifty"]
    # a sum that runs in another order of the segments may differ in its last digit
    assert found.profile_["segment_value"].sort_values().to_numpy() == pytest.approx(
        PersonaDescriber().fit(customers, labels).profile_["segment_value"].sort_values().to_numpy(), rel=1e-12
    )
    assert found.predict(["thrifty", "not assigned"]).tolist() == ["thrifty", "not assigned"]


def test_labels_with_gaps_are_known_by_what_they_were():
    customers = pd.DataFrame({"spend": np.arange(40.0)})
    describer = PersonaDescriber().fit(customers, np.repeat([3, 7], 20))
    assert describer.segment_names_ == ["3", "7"]
    assert describer.predict([7, 3, -1]).tolist() == ["7", "3", "not assigned"]
    with pytest.raises(SegmentLabelError, match="segments '0', '1' were not there in fit, which saw 2: '3', '7'"):
        describer.predict([0, 1])


def test_names_may_be_of_nobody_and_labels_may_be_names():
    found = read([2, 0, 0, -1], names=["a", "b", "c"])
    assert found.codes.tolist() == [2, 0, 0, -1]
    assert found.n_segments == 3
    assert read(["c", "a", "a", None], names=["a", "b", "c"]).codes.tolist() == [2, 0, 0, -1]
    with pytest.raises(SegmentLabelError, match="segments '3' have no name"):
        read([3, 0, 0, 0], names=["a", "b", "c"])
    with pytest.raises(SegmentLabelError, match="segments 'd' have no name"):
        read(["d", "a", "a", "a"], names=["a", "b", "c"])
    assert known_segments([1, 0], ["a", "b"], by_position=True).tolist() == [1, 0]

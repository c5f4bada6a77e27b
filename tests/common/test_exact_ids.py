"""No two customers become one because the type of their ids cannot tell them apart."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custseg import (
    CharacteristicUnion,
    DemographicEncoder,
    RFMFeaturizer,
    RFMScorer,
    Segmentation,
    SegmentClusterer,
    assign_segments,
)
from custseg.exceptions import CustomerIdError
from tests.engines import ENGINES, comparable
from tests.sizes import size

ID = "customer_id"
LIMITS = {"float16": 2**11, "float32": 2**24, "float64": 2**53}
pytestmark = [pytest.mark.sampled, pytest.mark.thorough]
# duckdb has no floats of 16 bits
NARROW = size(
    ["pandas", "polars lazy", "duckdb", "parquet"], [name for name in ENGINES if name not in ("spark", "csv")]
)


def profile(ids, dtype):
    return pd.DataFrame({ID: np.array(ids, dtype=dtype), "age": range(len(ids))})


def frames(dtype):
    has_none = ("duckdb", "ibis") if dtype == "float16" else ()
    return [name for name in NARROW if name not in has_none]


CASES = [(dtype, engine) for dtype in LIMITS for engine in frames(dtype)]


@pytest.mark.thorough
@pytest.mark.parametrize(("dtype", "engine"), CASES)
def test_floats_that_hold_each_id_are_taken_and_no_others(dtype, engine):
    limit = LIMITS[dtype]
    exact = DemographicEncoder().fit_transform(ENGINES[engine](profile([limit - 1, 7], dtype)))
    assert comparable(exact)[ID].tolist() == [7, limit - 1]
    message = rf"DemographicEncoder: column 'customer_id' holds ids as floats.*below 2\*\*{limit.bit_length() - 1} "
    for sign in (1, -1):
        with pytest.raises(CustomerIdError, match=message):
            DemographicEncoder().fit(ENGINES[engine](profile([sign * (limit + 1), 7], dtype)))


@pytest.mark.parametrize(
    "as_ids",
    [
        lambda ids: pd.array(ids, dtype="Float32"),
        lambda ids: pd.array(ids, dtype="float32[pyarrow]"),
        lambda ids: pd.Categorical(ids.astype("float32")),
        lambda ids: pd.arrays.SparseArray(ids.astype("float32")),
        lambda ids: pd.Series(list(ids.astype("float32")), dtype=object),
        lambda ids: np.where(ids == 7, np.float32(np.nan), ids.astype("float32")),
    ],
    ids=["nullable", "arrow", "categories", "sparse", "objects", "one missing"],
)
@pytest.mark.parametrize("as_index", [False, True])
def test_every_way_that_pandas_keeps_them(as_ids, as_index):
    pytest.importorskip("pyarrow")
    table = pd.DataFrame({ID: as_ids(np.array([2**24, 7])), "age": [1, 2]})
    with pytest.raises(CustomerIdError, match=r"exact below 2\*\*24"):
        DemographicEncoder().fit(table.set_index(ID) if as_index else table)


@pytest.mark.parametrize("as_index", [False, True])
def test_ids_that_are_only_handed_on_are_looked_at(as_index):
    table = pd.DataFrame({ID: np.array([2**24, 7], "float32"), "recency": [1, 2], "frequency": 1, "monetary": 1})
    with pytest.raises(CustomerIdError, match=r"RFMScorer: column 'customer_id'.*exact below 2\*\*24"):
        RFMScorer().fit_transform(table.set_index(ID) if as_index else table)


@pytest.mark.thorough
@pytest.mark.parametrize("engine", NARROW)
def test_ids_of_a_union_are_refused_and_never_those_of_another(engine):
    whole = pd.DataFrame({ID: [2**24, 2**24 + 1], "age": [30, 40]})
    rounded = pd.DataFrame({ID: np.array([2**24 + 1], dtype="float32"), "rooms": [5]})
    union = CharacteristicUnion([("a", DemographicEncoder(), "a"), ("b", DemographicEncoder(), "b")])
    with pytest.raises(CustomerIdError, match="two ids may have become one"):
        union.fit({"a": ENGINES[engine](whole), "b": ENGINES[engine](rounded)})


@pytest.mark.thorough
@pytest.mark.parametrize("engine", NARROW)
def test_orders_that_have_become_one_are_refused(engine):
    lines = pd.DataFrame(
        {
            ID: [1, 1, 2],
            "timestamp": pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-02"]),
            "amount": [1.0, 2.0, 3.0],
            "order_id": np.array([2**24, 2**24 + 1, 5], dtype="float32"),
        }
    )
    featurizer = RFMFeaturizer(order_id="order_id")
    with pytest.raises(CustomerIdError, match="column 'order_id' holds ids as floats"):
        featurizer.fit(ENGINES[engine](lines))
    lines["order_id"] = np.array([2**24 - 1, np.nan, 5], dtype="float32")
    frequency = comparable(featurizer.fit_transform(ENGINES[engine](lines)))["frequency"]
    assert frequency.tolist() == [1, 1]


@pytest.mark.thorough
@pytest.mark.parametrize("engine", NARROW)
def test_customers_and_their_labels(engine):
    table = pd.DataFrame({ID: np.array([3, 2**24 + 1, 5, 9], dtype="float32"), "visits": [1.0, 1.0, 9.0, 9.0]})
    clusterer = SegmentClusterer(n_segments=2, n_init=2, random_state=0)
    with pytest.raises(CustomerIdError, match=r"exact below 2\*\*24"):
        clusterer.fit(ENGINES[engine](table))
    clusterer.fit(table.assign(**{ID: [1, 2, 3, 4]}))
    with pytest.raises(CustomerIdError, match=r"exact below 2\*\*24"):
        assign_segments(clusterer, ENGINES[engine](table))


def test_labels_by_float_ids_are_not_those_of_a_neighbour():
    ids = [2**53, 2**53 + 1, 5, 9]
    table = pd.DataFrame({ID: ids, "visits": [1.0, 1.0, 9.0, 9.0]})
    labels = pd.Series([0, 1, 0, 1], index=pd.Index([2.0**53, 5.0, 9.0, 2.0**53 + 2], name=ID))
    with pytest.raises(CustomerIdError, match=r"column 'index of the labels' holds ids as floats"):
        Segmentation.of(table, labels)
    exact = pd.Series([0, 1, 0, 1], index=pd.Index([2**53 + 1, 2**53, 9, 5], name=ID))
    assert Segmentation.of(table, exact).labels.tolist() == [1, 0, 1, 0]


@pytest.mark.parametrize("engine", ["pandas", "polars", "pyarrow", "duckdb", "parquet"])
def test_decimals_are_exact_to_64_bits(engine):
    pytest.importorskip("pyarrow")

    def table(*ids):
        return ENGINES[engine](pd.DataFrame({ID: list(map(Decimal, ids)), "age": range(len(ids))}))

    found = (
        DemographicEncoder()
        .fit(table("9007199254740993", "9007199254740992"))
        .transform(table("9007199254740993", "9007199254740992"))
    )
    ids = found.index.tolist() if isinstance(found, pd.DataFrame) else list(found[ID].to_numpy())
    assert ids == [2**53, 2**53 + 1]
    with pytest.raises(CustomerIdError, match="fractions"):
        DemographicEncoder().fit(table("123456789012345.001", "123456789012345.000"))


@given(
    dtype=st.sampled_from(["float16", "float32", "float64"]),
    data=st.data(),
)
def test_any_type_that_holds_the_ids_gives_the_same(dtype, data):
    bound = LIMITS[dtype] - 1
    ids = data.draw(st.lists(st.integers(-bound, bound), min_size=1, unique=True))
    whole, floats = profile(ids, "int64"), profile(ids, dtype)
    pd.testing.assert_frame_equal(DemographicEncoder().fit_transform(floats), DemographicEncoder().fit_transform(whole))

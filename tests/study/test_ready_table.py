"""The most common file: one table with one row per customer."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone

from custseg import (
    CharacteristicEmbedder,
    KPrototypesClusterer,
    LatentClassClusterer,
    RuleSegmenter,
    SegmentationBrief,
    SegmentationStudy,
    SegmentClusterer,
)
from custseg.exceptions import ColumnNotFoundError, ColumnTypeError, InvalidParameterError
from custseg.personas import describe_segments, outcomes_by_segment
from custseg.segmentation import Segmentation
from tests.conftest import shared_data
from tests.sizes import size

RANDOM = np.random.RandomState(0)
GROUP = np.repeat([0, 1, 2], [80, 70, 50])
CUSTOMERS = pd.DataFrame(
    {
        "client": [f"C{number:03}" for number in RANDOM.permutation(200)],
        "charges": 20.0 + 30 * GROUP + RANDOM.randn(200),
        "months": RANDOM.poisson(10 + 20 * (GROUP == 1)),
        "paperless": np.where(RANDOM.rand(200) < 0.3 + 0.3 * (GROUP == 2), "Yes", "No"),
        "left": np.where(RANDOM.rand(200) < 0.1 + 0.6 * (GROUP == 0), "Yes", "No"),
    }
)
BRIEF = SegmentationBrief("retention", value="charges", outcomes=["left"], currency="EUR")


def study(brief=BRIEF, customer_id="client", **clusterer):
    # a number is given, and without room for another one, what the data say of it is not tested
    options = {"n_segments": 3, "n_init": 3, "max_segments": 1, "random_state": 0, **clusterer}
    return SegmentationStudy(brief, clusterer=SegmentClusterer(**options), customer_id=customer_id, n_pairs=2)


@pytest.fixture(scope="module")
def fitted():
    return study().fit(CUSTOMERS)


def test_kinds_are_read_and_nothing_is_lost(fitted):
    kinds = {column.name: column.kind for column in fitted.segmentation_.customer_table.columns}
    assert kinds == {"charges": "numeric", "months": "numeric", "paperless": "binary", "left": "binary"}
    assert fitted.customers_.index.tolist() == sorted(CUSTOMERS["client"])
    assert not {"No"} & {trait.level for persona in fitted.personas_ for trait in persona.traits}


def test_value_is_the_column_that_the_brief_names(fitted):
    table = fitted.segment_table_
    assert table["value"].sum() == pytest.approx(CUSTOMERS["charges"].sum())
    assert table["value_share"].sum() == pytest.approx(1)


def test_outcomes_describe_and_never_make_the_segments(fitted):
    assert "left" not in fitted.clusterer_.clustered_on_
    without = study(SegmentationBrief("retention")).fit(CUSTOMERS.drop(columns="left"))
    assert fitted.labels_.tolist() == without.labels_.tolist()
    outcomes = fitted.outcomes_
    assert outcomes["outcome"].unique().tolist() == ["left"]
    left = (CUSTOMERS.set_index("client")["left"] == "Yes").loc[fitted.customers_.index].to_numpy()
    expected = [left[fitted.labels_ == segment].mean() for segment in range(3)]
    assert outcomes["value"].tolist() == pytest.approx(expected)
    assert outcomes["value_overall"].tolist() == pytest.approx([left.mean()] * 3)
    assert ((outcomes["low"] < outcomes["value"]) & (outcomes["value"] < outcomes["high"])).all()


def test_an_outcome_with_a_weight_is_refused():
    with pytest.raises(InvalidParameterError, match="0 for 'left', an outcome of the brief"):
        study(weights={"left": 2}).fit(CUSTOMERS)
    found = study(weights={"left": 0, "months": 3}).fit(CUSTOMERS)
    assert found.clusterer_.embedder_.weights_ == {"charges": 1, "months": 3, "paperless": 1, "left": 0}


def test_the_weight_of_a_group_is_that_of_its_columns_that_are_no_outcome():
    answers = pd.DataFrame(RANDOM.rand(200, 3) < [0.5, 0.3, 0.1], columns=["survey__a", "survey__b", "survey__c"])
    table = pd.concat(
        [CUSTOMERS[["client", "charges", "left"]].rename(columns={"left": "survey__left"}), answers], axis=1
    )
    brief = SegmentationBrief("retention", outcomes=["survey__left"])
    found = study(brief, weights={"survey": 3}).fit(table)
    transforms = found.clusterer_.embedder_.transforms_.set_index("column")
    assert transforms["variance"].filter(like="survey").sum() == pytest.approx(3)
    assert transforms.loc["survey__left", "weight"] == 0
    without = study(SegmentationBrief("retention"), weights={"survey": 3}).fit(table.drop(columns="survey__left"))
    assert found.labels_.tolist() == without.labels_.tolist()


@pytest.mark.parametrize("field", ["value", "outcomes", "order_by"])
def test_a_column_of_the_brief_that_is_not_there_is_refused(field):
    brief = SegmentationBrief(**{field: ["mnths"] if field == "outcomes" else "mnths"})
    with pytest.raises(ColumnNotFoundError, match="Did you mean 'months'"):
        study(brief).fit(CUSTOMERS)


def test_the_currency_stands_in_the_units(fitted):
    known = {each.column: each.unit for each in fitted.segmentation_.characteristics}
    assert set(known) == {"charges", "months", "paperless", "left"}


@pytest.mark.parametrize("kind", ["polars", "path", "index"])
def test_any_kind_of_table_gives_the_same_segments(kind, fitted, tmp_path):
    CUSTOMERS.to_csv(tmp_path / "customers.csv", index=False)
    given = {
        "polars": pl.from_pandas(CUSTOMERS),
        "path": str(tmp_path / "customers.csv"),
        "index": CUSTOMERS.set_index("client"),
    }[kind]
    found = study().fit(given)
    assert found.segmentation_.labels_by_customer.sort_index().tolist() == fitted.labels_.tolist()
    assert found.predict(given).sort_index().tolist() == fitted.labels_.tolist()


def test_rows_may_be_the_customers():
    rows = CUSTOMERS.drop(columns="client")
    found = study(customer_id=None).fit(rows)
    assert len(found.predict(rows)) == 200
    assert found.predict(rows).index.tolist() == rows.index.tolist()
    with pytest.raises(ColumnNotFoundError, match="customer_id=None"):
        study(customer_id="customer_id").fit(rows)


def test_numbers_and_categories_are_outcomes_too():
    customers = pd.DataFrame({"spend": [1.0, 3.0] * 40, "plan": ["a", "b", None, "a"] * 20})
    table = outcomes_by_segment(Segmentation.of(customers, [0] * 40 + [1] * 40), ["spend", "plan"])
    assert table["statistic"].tolist() == ["mean"] * 2 + ["share"] * 4
    assert table["level"].fillna("").tolist() == ["", "", "a", "a", "b", "b"]
    assert table["value"].tolist() == pytest.approx([2, 2, 2 / 3, 2 / 3, 1 / 3, 1 / 3])
    # Student's interval of twenty ones and twenty threes: 2 +- t(.975, 39) * sqrt(40 / 39 / 40)
    assert table.loc[0, ["low", "high"]].tolist() == pytest.approx([2 - 0.32390, 2 + 0.32390], abs=1e-4)
    # Wilson's of 20 in 30
    assert table.loc[2, ["low", "high"]].tolist() == pytest.approx([0.4878, 0.8077], abs=1e-4)
    few = outcomes_by_segment(Segmentation.of(customers, [0] * 75 + [1] * 5), ["spend"])
    assert few["value"].isna().tolist() == [False, True]


@pytest.mark.thorough
def test_telco_churn_is_an_outcome():
    n = size(500, 1500)
    table = pd.read_csv(shared_data("telco_churn") / "Telco-Customer-Churn.csv")
    brief = SegmentationBrief("retention", value="MonthlyCharges", outcomes=["Churn"])
    found = study(brief, customer_id="customerID", max_segments=size(1, 3)).fit(table.head(n))
    assert found.segment_table_["n_customers"].sum() == n
    overall = (table.head(n)["Churn"] == "Yes").mean()
    assert found.outcomes_["value_overall"].tolist() == pytest.approx([overall] * 3)
    # 6,531 different totals are numbers, not levels
    assert found.segmentation_.customer_table["TotalCharges"].kind == "numeric"


@pytest.mark.parametrize(
    "clusterer",
    [
        LatentClassClusterer(2, n_init=2, random_state=0),
        RuleSegmenter({"Gone": "left == True"}, otherwise="Here"),
    ],
)
def test_no_segmenter_makes_segments_of_an_outcome_in_silence(clusterer):
    wanted = SegmentationStudy(BRIEF, clusterer=clusterer, customer_id="client", n_pairs=2)
    with pytest.raises(InvalidParameterError, match=f"outcomes.*{type(clusterer).__name__} makes them of 'left'"):
        wanted.fit(CUSTOMERS)


def test_outcomes_and_order_know_the_weights_of_an_embedder():
    embedder = CharacteristicEmbedder(weights={"months": 0.5})
    found = study(weights=None, embedder=embedder).fit(CUSTOMERS)
    assert found.clusterer_.embedder.weights == {"months": 0.5, "left": 0.0}
    assert set(found.segmentation_.clustered_on) == {"charges", "months", "paperless"}
    assert embedder.weights == {"months": 0.5}


@pytest.mark.thorough
def test_what_does_not_count_says_nothing_of_the_number_of_segments():
    clusterer = KPrototypesClusterer(2, weights={"left": 0}, n_init=2, random_state=0)
    # the first of them are one group, in which the test stops early
    table = CUSTOMERS.assign(left=np.where(np.arange(200) % 2, "Yes", "No")).head(size(70, 200))
    chosen = [
        SegmentationStudy(SegmentationBrief(), clusterer=one, customer_id="client", n_pairs=2).fit(each).selection_
        for one, each in [(clusterer, table), (clone(clusterer).set_params(weights=None), table.drop(columns="left"))]
    ]
    assert chosen[0].reason == chosen[1].reason


def test_levels_are_worth_nothing():
    table = CUSTOMERS.assign(region=np.array(["north", "south", "east"])[GROUP])
    with pytest.raises(ColumnTypeError, match=r"SegmentationBrief.value: column 'region' must be numbers"):
        study(SegmentationBrief("retention", value="region")).fit(table)


@pytest.mark.parametrize("describe", [describe_segments, lambda table: outcomes_by_segment(table, ["left"])])
def test_customers_without_segments_are_refused_with_the_way_to_make_some(describe):
    with pytest.raises(InvalidParameterError, match=r"Segmentation.of\(X, labels\) makes one"):
        describe(CUSTOMERS)


def test_one_outcome_is_a_list_of_one(fitted):
    with pytest.raises(InvalidParameterError, match="a list of column names"):
        outcomes_by_segment(fitted.segmentation_, "left")

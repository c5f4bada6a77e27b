"""The whole flow: planted segments come back, a continuum is called one, and the brief steers."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from joblib import parallel_config
from sklearn.base import clone
from sklearn.cluster import HDBSCAN, AgglomerativeClustering
from sklearn.metrics import adjusted_rand_score

from custseg import (
    CharacteristicUnion,
    DemographicEncoder,
    PersonaDescriber,
    RFMFeaturizer,
    SegmentationBrief,
    SegmentationStudy,
    SegmentClusterer,
)
from custseg.characteristics import CampaignResponseFeaturizer
from custseg.datasets import make_customers
from custseg.exceptions import (
    ColumnNotFoundError,
    ColumnTypeError,
    DataQualityWarning,
    InvalidParameterError,
    InvalidTableError,
)
from custseg.plotting import ComparisonDisplay
from custseg.reporting import finding
from custseg.study._characterise import admit, characterise
from tests.sizes import size

pytestmark = pytest.mark.sampled

CUSTOMER = "customer_id"


# Structured and noise columns of every kind, few enough for many studies.
PROFILE = ["age", "income", "household", "price_matters", "region"]


def union(columns=PROFILE, **rfm):
    return CharacteristicUnion(
        [
            ("profile", DemographicEncoder(columns=columns), "profile"),
            ("behaviour", RFMFeaturizer(**rfm), "transactions"),
        ],
        customer_id=CUSTOMER,
    )


def study(brief=None, n_segments=4, n_pairs=2, max_segments=1, **options):
    """A study of a number that is given; without room for another one, what the data say of it is not tested."""
    weights = options.pop("weights", None)
    clusterer = SegmentClusterer(n_segments, weights=weights, max_segments=max_segments, n_init=4, random_state=0)
    return SegmentationStudy(
        brief or SegmentationBrief(), characteristics=union(), clusterer=clusterer, n_pairs=n_pairs, **options
    )


@pytest.fixture(scope="module")
def sample():
    return make_customers(200, separation=2.0, random_state=3)


@pytest.fixture(scope="module")
def fitted(sample):
    return study(max_segments=4).fit(sample.tables)


@pytest.mark.thorough
@pytest.mark.parametrize("random_state", range(size(1, 3)))
def test_planted_segments_are_recovered(random_state):
    sample = make_customers(size(300, 1500), separation=1.5, random_state=random_state)
    clusterer = SegmentClusterer(n_init=size(4, 20), max_segments=size(6, 10), random_state=0)
    # of 300 customers two pairs do not say whether segments come back
    n_pairs = size(6, 2)
    found = SegmentationStudy(SegmentationBrief(), characteristics=union(None), clusterer=clusterer, n_pairs=n_pairs)
    labels = found.fit(sample.tables).predict(sample.tables)
    assert adjusted_rand_score(sample.segment.loc[labels.index], labels) >= 0.8
    assert found.verdict_.word == "natural"


@pytest.mark.thorough
@pytest.mark.parametrize("random_state", range(size(1, 3)))
def test_a_continuum_is_called_one_and_its_cut_constructive(random_state):
    sample = make_customers(size(150, 1000), separation=0.0, random_state=random_state)
    clusterer = SegmentClusterer(random_state=0, n_init=4, max_segments=4)
    characteristics = union(size(PROFILE, None))
    found = SegmentationStudy(SegmentationBrief(), characteristics=characteristics, clusterer=clusterer, n_pairs=2)
    found.fit(sample.tables)
    assert found.n_segments_ == 1
    assert (found.labels_ == 0).all()
    assert len(found.personas_) == 1
    assert found.verdict_.word == "constructive"
    assert found.verdict_.sentence.startswith("No distinct segments were found")
    agreement = found.stability_.mean_adjusted_rand
    assert list(agreement.index) == [2, 3, 4]
    assert found.cut_.n_segments == agreement.idxmax()
    assert found.evidence_.mean_adjusted_rand_of(found.cut_) == agreement.max()
    assert found.cut_.made_by == "cut"
    assert len(found.cut_plan_.personas.personas) == found.cut_.n_segments == len(found.cut_plan_.actions)
    assert np.bincount(found.cut_.labels).tolist() == found.cut_table_["n_customers"].tolist()
    assert found.cut_.predict(found.customers_).tolist() == found.cut_.labels.tolist()


def test_the_segment_table_adds_up(sample, fitted):
    table = fitted.segment_table_
    assert list(table.columns) == ["segment", "name", "n_customers", "share", "value", "value_share", "stability"]
    assert table["segment"].tolist() == list(range(fitted.n_segments_))
    assert table["name"].tolist() == [persona.name for persona in fitted.personas_]
    assert table["n_customers"].sum() == len(fitted.customers_) == len(sample.profile)
    assert table["share"].sum() == pytest.approx(1)
    assert table["value_share"].sum() == pytest.approx(1)
    assert table["value"].sum() == pytest.approx(sample.transactions["amount"].sum())
    spend = sample.transactions.groupby(CUSTOMER)["amount"].sum().loc[fitted.customers_.index]
    assert table["value"].to_numpy() == pytest.approx(spend.groupby(fitted.labels_).sum().to_numpy())
    slsw = fitted.stability_.segments.query("n_segments == 4").set_index("segment")["slsw"]
    assert table["stability"].to_numpy() == pytest.approx(slsw.to_numpy())
    assert len(fitted.actions_) == fitted.n_segments_


def test_a_number_that_was_given_is_not_called_the_choice_of_the_data(fitted):
    assert fitted.clusterer_.selection_ is None
    assert "Left to the data: " in fitted.verdict_.sentence
    assert fitted.selection_.reason[1:] in fitted.verdict_.sentence


def test_value_is_unknown_without_transactions(sample):
    brief = SegmentationBrief("advertising")
    clusterer = SegmentClusterer(3, n_init=3, max_segments=1, random_state=0)
    found = SegmentationStudy(
        brief, characteristics=DemographicEncoder(columns=PROFILE), clusterer=clusterer, n_pairs=2
    )
    found.fit(sample.profile)
    assert found.segment_table_[["value", "value_share"]].isna().all(axis=None)
    assert [action.action for action in found.actions_]


def test_predict_gives_each_customer_the_segment_of_fit(sample, fitted):
    labels = fitted.predict(sample.tables)
    assert labels.name == "segment"
    assert labels.index.name == CUSTOMER
    assert labels.tolist() == fitted.labels_.tolist()
    table = fitted.transform(sample.tables)
    assert table.columns[-1] == "segment"
    assert table["segment"].tolist() == labels.tolist()


def test_later_customers_are_described_as_of_a_later_time(sample):
    found = SegmentationStudy(
        SegmentationBrief(),
        characteristics=RFMFeaturizer(as_of="2024-06-30"),
        clusterer=SegmentClusterer(3, n_init=3, random_state=0, max_segments=1),
        n_pairs=2,
    ).fit(sample.transactions)
    with pytest.warns(DataQualityWarning, match="later than as_of"):
        early = found.transform(sample.transactions)
    late = found.transform(sample.transactions, as_of="2024-12-31")
    expected = RFMFeaturizer(as_of="2024-12-31").fit_transform(sample.transactions)
    pd.testing.assert_frame_equal(late.drop(columns="segment"), expected)
    assert len(early) < len(late)
    assert found.predict(sample.transactions, as_of="2024-12-31").tolist() == late["segment"].tolist()


def test_the_number_of_workers_changes_nothing(sample):
    # of a single characteristic, so that no structure can be tested
    one, two = (
        study(max_segments=4, n_jobs=n_jobs).set_params(characteristics=DemographicEncoder(columns=["age"]))
        for n_jobs in (1, 2)
    )
    # threads suffice here: that processes change nothing is tested where they start, in bootstrap_stability
    with parallel_config(backend="threading"):
        two.fit(sample.profile)
    pd.testing.assert_frame_equal(two.stability_.pairs, one.fit(sample.profile).stability_.pairs)
    assert list(one.stability_.numbers) == [2, 3, 4]


def test_a_study_of_few_customers_says_so_and_goes_on(sample):
    few = sample.profile.head(12)
    found = SegmentationStudy(SegmentationBrief(), characteristics=DemographicEncoder(), n_pairs=2).fit(few)
    assert found.n_segments_ == 1
    assert "too few" in found.selection_.reason
    assert found.cut_ is None
    assert found.stability_.to_frame().empty


def test_one_table_and_one_estimator_will_do(sample):
    clusterer = SegmentClusterer(3, n_init=3, max_segments=1, random_state=0)
    found = SegmentationStudy(SegmentationBrief(), characteristics=RFMFeaturizer(), clusterer=clusterer, n_pairs=2)
    labels = found.fit_predict(sample.transactions)
    assert sorted(labels.unique()) == [0, 1, 2]
    assert found.segment_table_["value"].sum() == pytest.approx(sample.transactions["amount"].sum())


def test_polars_tables_give_the_segments_of_pandas_tables(sample, fitted):
    tables = {name: pl.from_pandas(table) for name, table in sample.tables.items()}
    found = study().fit(tables)
    assert isinstance(found.customers_, pl.DataFrame)
    assert found.labels_.tolist() == fitted.labels_.tolist()
    assert found.predict(tables).tolist() == fitted.labels_.tolist()
    assert isinstance(found.transform(tables), pl.DataFrame)
    assert found.transform(tables)["segment"].to_list() == fitted.labels_.tolist()
    assert [persona.to_dict() for persona in found.personas_] == [persona.to_dict() for persona in fitted.personas_]


def test_row_order_changes_nothing(sample, fitted):
    tables = {name: table.sample(frac=1, random_state=1) for name, table in sample.tables.items()}
    assert study().fit(tables).labels_.tolist() == fitted.labels_.tolist()


def test_the_goal_orders_the_segments(sample, fitted):
    pricing = study(SegmentationBrief("pricing")).fit(sample.tables)
    means = pricing.customers_.groupby(pricing.labels_)["behaviour__monetary"].mean()
    assert means.is_monotonic_decreasing
    retention = fitted
    assert retention.brief.goal == "retention"
    means = retention.customers_.groupby(retention.labels_)["behaviour__recency"].mean()
    assert means.is_monotonic_decreasing
    advertising = study(SegmentationBrief("advertising")).fit(sample.tables)
    assert advertising.segment_table_["n_customers"].is_monotonic_decreasing
    assert {action.action for action in pricing.actions_} != {action.action for action in retention.actions_}


def test_an_order_set_on_the_clusterer_wins(sample):
    found = study(SegmentationBrief("pricing"))
    found.set_params(clusterer__order_by="profile__age").fit(sample.tables)
    assert found.customers_.groupby(found.labels_)["profile__age"].mean().is_monotonic_decreasing


def test_the_limits_of_the_brief_override_those_of_the_clusterer(sample):
    # of a single characteristic, so that no structure can be tested
    alone = DemographicEncoder(columns=["age"])
    found = study(SegmentationBrief(min_segment_share=0.2, max_segments=3), n_segments=3)
    found.set_params(characteristics=alone).fit(sample.profile)
    assert found.clusterer_.min_segment_share == 0.2
    assert found.clusterer_.max_segments == 3
    assert (found.segment_table_["share"] >= 0.2).all()
    assert found.clusterer.min_segment_share == 0.0


def test_a_number_of_segments_above_the_limit_of_the_brief_is_refused(sample):
    with pytest.raises(InvalidParameterError, match="'max_segments' must be at least 4, the n_segments of the clus"):
        study(SegmentationBrief(max_segments=3), n_segments=4).fit(sample.tables)


@pytest.mark.filterwarnings("ignore:CharacteristicEmbedder. column.*hold one value only")
@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (("behaviour__frequency", ">=", 5), lambda t: t["behaviour__frequency"] >= 5),
        (("profile__region", "==", "north"), lambda t: t["profile__region"] == "north"),
        (
            ("profile__region", "!=", "north"),
            lambda t: (t["profile__region"] != "north") & t["profile__region"].notna(),
        ),
        (("profile__region", "in", ["north", "east"]), lambda t: t["profile__region"].isin(["north", "east"])),
        (("profile__region", "not in", ["north"]), lambda t: ~t["profile__region"].isin(["north", np.nan])),
        (("profile__income", "<", 40_000), lambda t: t["profile__income"] < 40_000),
    ],
)
def test_the_audience_is_filtered_before_fit_and_counted(condition, expected):
    sample = make_customers(200, separation=1.0, missing_share=0.1, random_state=0)
    everyone = union().fit_transform(sample.tables)
    inside = expected(everyone).fillna(False).astype(bool)
    brief = SegmentationBrief(audience=[condition])
    admitted = admit(brief, characterise(union(), sample.tables, CUSTOMER))
    assert admitted.frame.index.tolist() == everyone.index[inside].tolist()
    assert admitted.audience_report["n_left_out"].tolist() == [(~inside).sum()]


@pytest.mark.filterwarnings("ignore:.*column.*hold one value only")
def test_whom_the_audience_leaves_out_predict_leaves_out_too():
    sample = make_customers(200, separation=1.0, missing_share=0.1, random_state=0)
    everyone = union().fit_transform(sample.tables)
    inside = (everyone["profile__region"] == "north").fillna(False).astype(bool)
    brief = SegmentationBrief(audience="profile__region == 'north'")
    found = study(brief, n_segments=2, n_pairs=2).fit(sample.tables)
    assert found.customers_.index.tolist() == everyone.index[inside].tolist()
    assert found.audience_report_["n_left_out"].tolist() == [(~inside).sum()]
    assert found.n_customers_seen_ == len(everyone)
    labels = found.predict(sample.tables)
    assert (labels[~inside] == -1).all()
    assert labels[inside].tolist() == found.labels_.tolist()


def test_an_ordered_level_is_compared_by_its_order():
    profile = pd.DataFrame({CUSTOMER: range(60), "age": ["19-24", "25-34", "65+"] * 20, "x": np.arange(60.0) % 7})
    brief = SegmentationBrief(audience=[("age", ">", "19-24")])
    clusterer = SegmentClusterer(2, max_segments=1, random_state=0)
    found = SegmentationStudy(brief, characteristics=DemographicEncoder(), clusterer=clusterer, n_pairs=2).fit(profile)
    assert set(found.customers_["age"]) == {"25-34", "65+"}


@pytest.mark.parametrize(
    ("condition", "error", "message"),
    [
        (("profile__incme", ">", 3), ColumnNotFoundError, "Did you mean 'profile__income'"),
        (("profile__income", ">", "rich"), ColumnTypeError, "compared with numbers"),
        (("profile__region", ">", "north"), ColumnTypeError, "unordered categories"),
        (("profile__region", "==", "nort"), InvalidParameterError, "Did you mean 'north'"),
        (("behaviour__frequency", ">", 10**6), InvalidTableError, "none of 200 customers is in the audience"),
    ],
)
def test_a_condition_that_cannot_be_meant_is_refused(sample, condition, error, message):
    with pytest.raises(error, match=message):
        study(SegmentationBrief(audience=[condition])).fit(sample.tables)


@pytest.mark.parametrize(
    "options",
    [
        {"goal": "retenton"},
        {"audience": [("a", "~", 3)]},
        {"audience": [("a", "in", 3)]},
        {"audience": "a"},
        {"audience": 3},
        {"audience": [("", ">", 3)]},
        {"audience": ("a", ">", 3)},
        {"audience": [("a", "in", [])]},
        {"audience": "a > 3 and (b > 2 or c > 1)"},
        {"value": 3},
        {"outcomes": "churned"},
        {"outcomes": ["churned", "churned"]},
        {"order_by": ["a"]},
        {"currency": " "},
        {"min_segment_share": 1.5},
        {"max_segments": 0},
    ],
)
def test_a_brief_that_makes_no_sense_is_refused(options):
    with pytest.raises(InvalidParameterError, match="SegmentationBrief"):
        SegmentationBrief(**options)


def test_the_study_is_an_estimator(sample, fitted):
    copy = clone(fitted)
    assert copy.get_params()["clusterer__n_init"] == 4
    assert copy.set_params(n_pairs=3, characteristics__behaviour__period="W").n_pairs == 3
    restored = pickle.loads(pickle.dumps(fitted))  # noqa: S301
    assert restored.predict(sample.tables).tolist() == fitted.labels_.tolist()
    assert "SegmentationStudy" in fitted._repr_html_()
    with pytest.raises(InvalidParameterError, match="'brief' must be a SegmentationBrief"):
        SegmentationStudy("retention", characteristics=union()).fit(sample.tables)


def test_the_row_report_names_tables_and_policies(sample):
    transactions = pd.concat([sample.transactions, sample.transactions.head(3).assign(customer_id=np.nan)])
    found = study().fit({**sample.tables, "transactions": transactions})
    report = found.row_report_.to_frame()
    assert list(report.columns) == ["table", "member", "policy", "action", "n_rows", "remedy"]
    without_id = report[(report["table"] == "transactions") & report["policy"].str.contains("id")]
    assert without_id["n_rows"].tolist() == [3]


@pytest.mark.thorough
@pytest.mark.parametrize("engine", ["latent_class", AgglomerativeClustering()])
def test_any_engine_finds_the_segments(engine):
    sample = make_customers(size(120, 300), n_segments=3, separation=3.0, random_state=0)
    clusterer = SegmentClusterer(3, engine=engine, n_init=4, max_segments=size(3, 10), random_state=0)
    study = SegmentationStudy(
        SegmentationBrief("retention"), characteristics=DemographicEncoder(), clusterer=clusterer, n_pairs=2
    ).fit(sample.profile)
    assert adjusted_rand_score(sample.segment, study.labels_) > 0.8
    assert study.selection_ is not None
    assert study.verdict_.word in ("natural", "reproducible", "constructive")


def test_an_engine_that_finds_its_own_number_cannot_be_asked_at_several(sample):
    study = SegmentationStudy(
        SegmentationBrief("retention"),
        characteristics=DemographicEncoder(),
        clusterer=SegmentClusterer(engine=HDBSCAN(copy=True)),
    )
    with pytest.raises(InvalidParameterError, match="clusterer.*takes a number of segments"):
        study.fit(sample.profile)


def test_a_describer_of_ones_own(sample):
    found = study(describer=PersonaDescriber(n_traits=1)).fit(sample.tables)
    assert all(len(persona.traits) <= 1 for persona in found.personas_)


def test_weight_zero_is_profiled_and_not_clustered_on(sample):
    found = study(weights={"profile": 0}).fit(sample.tables)
    profile = found.describer_.profile_.set_index("characteristic")["clustered_on"]
    assert profile["behaviour__recency"].all()
    assert not profile["profile__age"].any()


def test_response_to_campaigns_describes_segments_without_making_them(sample, fitted):
    tables = {**sample.tables, "campaign": sample.campaign.assign(sent=sample.campaign["arm"] == "treatment")}
    members = [*union().members, ("campaign", CampaignResponseFeaturizer(contacted="sent"), "campaign")]
    found = SegmentationStudy(
        SegmentationBrief(),
        characteristics=CharacteristicUnion(members),
        clusterer=SegmentClusterer(4, weights={"campaign": 0}, max_segments=1, n_init=4, random_state=0),
        n_pairs=2,
    ).fit(tables)
    assert found.labels_.tolist() == fitted.labels_.tolist()
    profile = found.describer_.profile_.set_index("characteristic")
    assert not profile["clustered_on"].loc["campaign__response_rate"].any()
    criteria = found.characteristics_.describe().groupby("member")["criterion"].unique().map(list).to_dict()
    assert criteria == {"behaviour": ["behavioural"], "campaign": ["behavioural"], "profile": ["demographic"]}
    assert "campaign" in {policy.table for policy in found.row_report_.policies}


def test_progress_is_shown_through_scikit_learns_callbacks(sample):
    seen = []

    class Watch:
        def setup(self, estimator, context): ...

        def teardown(self, estimator, context): ...

        def on_fit_task_begin(self, estimator, context):
            seen.append(context.task_name)

        def on_fit_task_end(self, estimator, context): ...

    study().set_callbacks(Watch()).fit(sample.tables)
    steps = [name for name in seen if not name.startswith("pair")]
    assert steps == ["fit", "characteristics", "segments", "stability", "personas"]
    assert sum(name.startswith("pair") for name in seen) == 2


@pytest.mark.parametrize("suffix", [".html", ".md", ".json"])
def test_the_report_is_written(fitted, tmp_path, suffix):
    path = fitted.write_report(tmp_path / f"report{suffix}")
    text = path.read_text(encoding="utf-8")
    assert fitted.personas_[0].name in (json.dumps(json.loads(text), ensure_ascii=False) if suffix == ".json" else text)


def test_a_warning_reaches_the_user_once_though_the_customers_are_refitted():
    sample = make_customers(120, separation=2.0, random_state=0)
    profile = sample.profile[[CUSTOMER, *PROFILE]].assign(country="DE", language="German")
    several = SegmentationStudy(
        SegmentationBrief(),
        characteristics=DemographicEncoder(),
        clusterer=SegmentClusterer(3, n_init=2, max_segments=1, random_state=0),
        n_pairs=2,
    )
    for _ in range(2):
        with pytest.warns(DataQualityWarning) as caught:
            several.fit(profile)
        messages = [str(warning.message) for warning in caught]
        assert len(messages) == len(set(messages)) > 0
        assert sum("hold one value only" in message for message in messages) == 1
    # turned into an error, as pytest does, it still is one
    with pytest.raises(DataQualityWarning, match="hold one value only"):
        several.fit(profile)


@pytest.mark.thorough
@pytest.mark.parametrize("share", size([0.25], [0.1, 0.2, 0.25]))
def test_a_least_share_leaves_room_for_refits(share):
    study = SegmentationStudy(
        SegmentationBrief("advertising"),
        # of a single characteristic no structure is tested
        characteristics=DemographicEncoder(columns=size(["age"], None)),
        clusterer=SegmentClusterer(2, min_segment_share=share, n_init=3, random_state=0),
        n_pairs=2,
    ).fit(make_customers(size(100, 300), random_state=0).profile)
    assert max(study.stability_.numbers) <= 0.8 / share


def test_a_notebook_shows_the_answer_first(fitted):
    page = fitted._repr_html_()
    assert finding(fitted) in page
    order = [finding(fitted), "share of customers", "everyone", "SegmentationStudy"]
    assert order == sorted(order, key=page.index)
    display = ComparisonDisplay.from_estimator(fitted)
    assert [name for name in display.segments_["name"] if f">{name}</th>" not in page] == []
    assert page.count("<tr>") >= len(display.data_) / len(display.segments_)
    assert "sk-" in clone(fitted)._repr_html_()
    assert "custseg-result" not in clone(fitted)._repr_html_()

"""Segments defined by rules in every later stage: personas, stability, the study and its report."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline

from custseg import CharacteristicUnion, DemographicEncoder, PersonaDescriber, RFMFeaturizer, SegmentationBrief
from custseg import SegmentationStudy as Study
from custseg.datasets import make_customers
from custseg.exceptions import InvalidParameterError, SegmentLabelError
from custseg.segmentation import Segmentation
from custseg.segmentation._rules.rfm import RFMSegmenter
from custseg.segmentation._rules.segmenter import RuleSegmenter
from custseg.validation import bootstrap_stability

RULES = {
    "Recent": "behaviour__recency <= 20",
    "Nobody": "behaviour__recency > 1e6",
    "Older & lapsed": "profile__age > 50",
}


@pytest.fixture(scope="module")
def sample():
    return make_customers(300, separation=2.0, random_state=3)


def union():
    return CharacteristicUnion(
        [
            ("profile", DemographicEncoder(columns=["age", "income", "region"]), "profile"),
            ("behaviour", RFMFeaturizer(), "transactions"),
        ]
    )


@pytest.fixture(scope="module")
def ruled(sample):
    return Study(SegmentationBrief(), characteristics=union(), clusterer=RuleSegmenter(RULES), n_pairs=2).fit(
        sample.tables
    )


def test_personas_bear_the_names_of_the_rules_and_an_empty_rule_keeps_its_place(ruled, sample):
    assert [persona.name for persona in ruled.personas_] == list(RULES)
    nobody = ruled.personas_[1]
    assert not nobody.suppressed
    assert (nobody.n_customers, nobody.summary) == (0, "Nobody: no customers.")
    assert ruled.actions_[1].action == "Nothing to do"
    table = ruled.segment_table_
    assert table["n_customers"].tolist() == np.bincount(ruled.labels_[ruled.labels_ >= 0], minlength=3).tolist()
    assert table["share"].sum() == pytest.approx(1)
    n_left = int((ruled.labels_ == -1).sum())
    assert n_left > 0
    assert ruled.describer_.n_not_assigned_ == n_left == ruled.clusterer_.n_not_assigned_
    assert ruled.predict(sample.tables).tolist() == ruled.labels_.tolist()


def test_what_is_defined_is_not_called_discovered(ruled):
    assert ruled.verdict_.word == "defined"
    assert "always give the same segments" in ruled.verdict_.sentence
    assert f"{ruled.clusterer_.n_not_assigned_} customer(s) meet no rule" in ruled.verdict_.sentence
    assert ruled.selection_ is None
    assert ruled.cut_ is None
    assert ruled.stability_.is_stable(3)
    assert ruled.segment_table_["stability"].isna().tolist() == [False, True, False]


@pytest.mark.parametrize("ending", [".html", ".md", ".json"])
def test_the_report_says_it_too(ruled, tmp_path, ending):
    text = ruled.write_report(tmp_path / f"report{ending}").read_text(encoding="utf-8")
    assert "defined by rule" in text
    assert "Recent" in text
    if ending != ".json":
        assert "Not assigned" in text
        assert "net spend of the customers in a segment" in text
    if ending == ".json":
        assert json.loads(text)["verdict"]["word"] == "defined"


def test_the_limits_of_a_brief_do_not_bind_rules(sample):
    brief = SegmentationBrief(max_segments=4)
    with pytest.raises(InvalidParameterError, match="'max_segments' must be None with RFMSegmenter"):
        Study(brief, characteristics=RFMFeaturizer(), clusterer=RFMSegmenter()).fit(sample.transactions)


def test_rfm_segments_make_a_study_whose_learned_bounds_are_measured(sample):
    found = Study(SegmentationBrief(), characteristics=union(), clusterer=RFMSegmenter(), n_pairs=2).fit(sample.tables)
    assert [persona.name for persona in found.personas_][:2] == ["Champions", "Loyal Customers"]
    assert found.verdict_.word == "defined"
    assert "Their bounds are learned" in found.verdict_.sentence
    assert 0 < found.stability_.mean_adjusted_rand.loc[11] < 1
    later = found.transform(sample.tables)
    assert later["segment"].tolist() == found.labels_.tolist()


def test_a_single_rule_is_a_study_too(sample):
    one = RuleSegmenter({"Recent": "recency <= 20"})
    found = Study(SegmentationBrief(), characteristics=RFMFeaturizer(), clusterer=one, n_pairs=2).fit(
        sample.transactions
    )
    assert (found.n_segments_, found.cut_, found.verdict_.word) == (1, None, "defined")


def test_bootstrap_stability_takes_rules_with_their_own_number():
    random = np.random.RandomState(0)
    table = pd.DataFrame({name: random.gamma(2, size=120) for name in ("recency", "frequency", "monetary")})
    fixed = RuleSegmenter({"A": "recency < 1", "None": "recency > 1e3", "B": "frequency < 1"})
    result = bootstrap_stability(fixed, table, n_pairs=3, random_state=0)
    assert result.numbers == (3,)
    assert (result.adjusted_rand == 1).all()
    assert result.segments["segment"].tolist() == [0, 2]
    assert (result.segments["slsw"] == 1).all()
    assert result.reference_labels[3].tolist() == fixed.fit(table).labels_.tolist()
    order = random.permutation(120)
    learned = bootstrap_stability(RFMSegmenter(), table, n_pairs=3, random_state=0)
    again = bootstrap_stability(RFMSegmenter(), table.iloc[order], n_pairs=3, random_state=0)
    assert learned.numbers == (11,)
    assert (learned.adjusted_rand < 1).all()
    np.testing.assert_array_equal(learned.adjusted_rand, again.adjusted_rand)


def test_a_pipeline_ends_in_personas_with_given_names(sample):
    names = RFMSegmenter("rfm_r").fit(RFMFeaturizer().fit_transform(sample.transactions)).segment_names_
    pipeline = make_pipeline(RFMFeaturizer(), RFMSegmenter("rfm_r"), PersonaDescriber())
    pipeline.fit(sample.transactions, personadescriber__names=names)
    assert pipeline[-1].segment_names_ == names
    assert set(pipeline.predict(sample.transactions)) <= set(names)


def test_an_empty_rule_without_names_leaves_a_gap_that_stays_known():
    table = pd.DataFrame({"x": np.arange(40.0) % 4, "y": np.arange(40.0) % 7})
    segmenter = RuleSegmenter({"Low": "x < 2", "Nobody": "x > 1e6", "High": "x >= 2"}).fit(table)
    assert PersonaDescriber().fit(segmenter.transform(table)).segment_names_ == ["0", "2"]
    describer = PersonaDescriber().fit(segmenter.transform(table), names=segmenter.segment_names_)
    assert describer.segment_names_ == ["Low", "Nobody", "High"]
    assert PersonaDescriber().fit(Segmentation.by(segmenter, table)).segment_names_ == ["Low", "Nobody", "High"]


def test_a_study_in_which_nobody_meets_a_rule_speaks_of_the_rules(sample):
    nobody = RuleSegmenter({"Nobody": "recency > 1e6"})
    study = Study(SegmentationBrief(), characteristics=RFMFeaturizer(), clusterer=nobody, n_pairs=2)
    with pytest.raises(SegmentLabelError, match="of segments defined by rules, that customers meet one"):
        study.fit(sample.transactions)


@pytest.mark.parametrize(
    ("names", "error", "message"),
    [
        (["A"], SegmentLabelError, "segments '1', '2' have no name; the names are 'A'"),
        (["A", "B", "A"], InvalidParameterError, "'names' must be names that differ"),
        ("ABC", InvalidParameterError, "'names' must be a list of names"),
        ([], InvalidParameterError, "'names' must be a list of names"),
    ],
)
def test_names_that_do_not_fit_the_labels_are_refused(names, error, message):
    table = pd.DataFrame({"x": range(30), "segment": [0, 1, 2] * 10})
    with pytest.raises(error, match=message):
        PersonaDescriber().fit(table, names=names)

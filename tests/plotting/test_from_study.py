"""Pictures of a fitted study: its segments under the names of their personas, and nobody who may not be told of."""

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from custseg import (
    CharacteristicUnion,
    DemographicEncoder,
    RFMFeaturizer,
    SegmentationBrief,
    SegmentationStudy,
    SegmentClusterer,
)
from custseg.datasets import make_customers
from custseg.exceptions import InvalidParameterError
from custseg.plotting import (
    ComparisonDisplay,
    DistributionDisplay,
    GorgeDisplay,
    MosaicDisplay,
    RFMGridDisplay,
    SegmentMapDisplay,
    SegmentProfileDisplay,
    SegmentValueDisplay,
    SelectionDisplay,
    SeparationDisplay,
    StabilityDisplay,
)


@pytest.fixture(scope="module")
def study():
    sample = make_customers(120, n_segments=3, separation=2.0, random_state=0)
    union = CharacteristicUnion([("rfm", RFMFeaturizer(), "transactions"), ("demo", DemographicEncoder(), "profile")])
    brief = SegmentationBrief(goal="development", currency="EUR", max_segments=3)
    clusterer = SegmentClusterer(n_init=1, random_state=0)
    study = SegmentationStudy(brief, characteristics=union, clusterer=clusterer, n_pairs=2)
    return study.fit({"transactions": sample.transactions, "profile": sample.profile})


def test_pictures_bear_the_names_of_the_personas(study):
    names = {persona.name for persona in study.personas_}
    assert set(SegmentValueDisplay.from_estimator(study).data_["name"]) == names
    assert set(StabilityDisplay.from_estimator(study).segments_["name"]) == names
    assert set(SegmentMapDisplay.from_estimator(study).centres_["name"]) == names
    assert set(GorgeDisplay.from_estimator(study).segments_["name"]) == names
    assert set(SeparationDisplay.from_estimator(study).data_["segment"]) == names
    assert set(DistributionDisplay.from_estimator(study, characteristic="demo__age").data_["name"]) == names
    assert set(MosaicDisplay.from_estimator(study, characteristic="demo__household").data_["name"]) == names
    assert set(ComparisonDisplay.from_estimator(study).data_["name"]) == names
    of_money = ["demo__income", "demo__leisure_spend"]
    assert set(SegmentProfileDisplay.from_estimator(study, columns=of_money).data_["name"]) == names
    assert set(RFMGridDisplay(study.segmentation_, min_group_size=1).data_["segment"].dropna()) <= names


def test_the_figures_are_those_of_the_study(study):
    value = SegmentValueDisplay.from_estimator(study)
    table = study.segment_table_.set_index("segment").loc[value.data_["segment"]]
    np.testing.assert_allclose(value.data_["value_share"], table["value_share"])
    assert "EUR" in value.how_to_read
    stability = StabilityDisplay.from_estimator(study).segments_
    np.testing.assert_allclose(stability["slsw"], study.segment_table_["stability"][stability["segment"]])
    assert "spend per purchase, EUR" in set(ComparisonDisplay.from_estimator(study).data_["label"])
    selection = SelectionDisplay.from_estimator(study)
    assert selection.data_.loc[selection.data_["shown"], "n_segments"].tolist() == [study.n_segments_]


def test_a_study_with_a_cut_shows_the_cut(study, planted):
    cut = SimpleNamespace(personas=SimpleNamespace(described=planted, describer=study.describer_), segmentation=planted)
    stand_in = SimpleNamespace(plan_=study.plan_, cut_plan_=cut, evidence_=study.evidence_, brief=study.brief)
    assert set(SegmentMapDisplay.from_estimator(stand_in).centres_["name"]) == set(planted.segment_names)
    with pytest.raises(InvalidParameterError, match="unknown n_segments '4'"):
        StabilityDisplay.from_estimator(stand_in)


def test_a_study_says_itself_how_few_may_be_told_of(study, planted):
    def of_least(least):
        personas = SimpleNamespace(described=planted, describer=SimpleNamespace(min_group_size=least))
        return SimpleNamespace(plan_=SimpleNamespace(personas=personas), cut_plan_=None)

    assert len(SegmentMapDisplay.from_estimator(of_least(5), min_group_size=100).centres_) == 4
    assert len(SegmentMapDisplay.from_estimator(of_least(80)).centres_) == 3


def test_what_is_not_fitted_or_not_needed_is_refused(study):
    with pytest.raises(NotFittedError):
        SegmentValueDisplay.from_estimator(SegmentationStudy(SegmentationBrief(goal="pricing")))
    with pytest.raises(InvalidParameterError, match="'X' must be None, since the study has its customers"):
        GorgeDisplay.from_estimator(study, study.customers_)

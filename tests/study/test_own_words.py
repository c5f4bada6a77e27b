"""Names, labels, actions and the title of a study: what its user says stands, and stays through refits."""

import pytest
from sklearn.base import clone

from custseg import RuleSegmenter, SegmentationBrief, SegmentationStudy, SegmentClusterer, load_study, store_study
from custseg.datasets import make_customers
from custseg.exceptions import InvalidParameterError

SAID = {
    "names": {0: "Our friends"},
    "labels": {"online_hours": "hours on the web"},
    "actions": {"Our friends": "Call them", 1: {"action": "Write", "advice": "By hand."}},
    "title": "Customers of this year",
}


def study(clusterer=None, **given):
    rules = RuleSegmenter({"Old": "age >= 50", "Young": "age < 35"}, otherwise="Others")
    return SegmentationStudy(SegmentationBrief("pricing"), clusterer=clusterer or rules, n_pairs=2, **given)


def found(**given):
    return study(SegmentClusterer(3, max_segments=3, n_init=2, random_state=0), **given)


def profile(n=90):
    table = make_customers(n, n_segments=3, separation=3.0, random_state=0).profile
    return table[["customer_id", "age", "online_hours", "leisure_spend"]]


@pytest.fixture(scope="module")
def fitted():
    return study(**SAID).fit(profile())


def test_what_is_said_stands_in_names_figures_and_actions(fitted):
    assert [persona.name for persona in fitted.personas_] == ["Our friends", "Young", "Others"]
    assert fitted.segmentation_.names == ("Our friends", "Young", "Others")
    assert "hours on the web" in fitted.describer_.to_markdown()
    assert [str(action) for action in fitted.actions_[:2]] == ["Call them.", "Write: By hand."]
    assert fitted.actions_[2].advice
    assert "Our friends: call them" in str(fitted.plan_)


def test_it_is_kept_by_clones_refits_and_files(fitted, tmp_path):
    again = clone(fitted).fit(profile(60))
    assert again.segmentation_.names == fitted.segmentation_.names
    assert again.actions_[0] == fitted.actions_[0]
    read = load_study(store_study(fitted, tmp_path / "study.skops", include_customers=False))
    assert (read.title, read.personas_[0]) == (SAID["title"], fitted.personas_[0])


@pytest.mark.thorough
def test_a_next_month_keeps_the_names_of_segments_that_are_the_same(tmp_path):
    before = found(names={0: "Our friends"}).fit(profile())
    assert "Our friends" not in before.at(2).names
    again = found().fit(profile(), names_from=before)
    assert again.segmentation_.names == before.segmentation_.names
    # without its customers the segmenter of before says which segments are the same
    bare = load_study(store_study(before, tmp_path / "study.skops", include_customers=False))
    assert "Our friends" in found().fit(profile(120), names_from=bare).segmentation_.names


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"names": {5: "x"}}, "unknown segment in names '5'; known: '0 "),
        ({"labels": {"hours": "x"}}, "unknown characteristic in labels 'hours'; known: 'age'"),
        ({"actions": {"Friends": "x"}}, "unknown segment in actions 'Friends'; known: '0 "),
        ({"actions": {0: {"advice": "x"}}}, "'actions' must be"),
        ({"actions": {0: {"action": "x", "when": "y"}}}, "'actions' must be"),
        ({"actions": ["x"]}, "'actions' must be"),
        ({"title": " "}, "'title' must be"),
    ],
)
def test_a_slip_is_one_error(given, words):
    with pytest.raises(InvalidParameterError, match=words):
        study(**given).fit(profile())


def test_names_are_taken_from_a_fitted_study():
    with pytest.raises(InvalidParameterError, match="'names_from' must be None or a fitted SegmentationStudy"):
        study().fit(profile(), names_from={0: "x"})

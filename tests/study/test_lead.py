"""What a study leads with: natural segments, else those that come back, else one segment with a cut beside it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from custseg import SegmentationBrief, SegmentationStudy, SegmentClusterer, load_study, render_json, store_study
from custseg.exceptions import CustomersNotStoredError, InfeasibleError, InvalidParameterError
from custseg.reporting import render_html, render_markdown, render_text
from custseg.segmentation import KPrototypesClusterer, RuleSegmenter, Segmentation


def square(n_customers=300, seed=0):
    """Customers without groups whom four quadrants cut alike in other samples."""
    places = np.random.RandomState(seed).uniform(size=(n_customers, 2)) * [100, 20]
    return pd.DataFrame(places, columns=["spend", "visits"], index=pd.RangeIndex(n_customers, name="customer_id"))


def cloud(n_customers=300):
    """Customers whom no number of segments cuts alike twice."""
    places = np.random.RandomState(1).normal(size=(n_customers, 4))
    index = pd.RangeIndex(n_customers, name="customer_id")
    return pd.DataFrame(places, columns=["price", "service", "range", "advice"], index=index)


def groups(n_customers=300):
    """Three groups far from each other."""
    table = cloud(n_customers)
    return table + 12 * np.eye(4)[np.arange(n_customers) % 3]


def study(table, chosen="auto", *, max_segments=5, n_pairs=10, **brief):
    clusterer = SegmentClusterer(chosen, max_segments=max_segments, n_init=3, random_state=0)
    return SegmentationStudy(SegmentationBrief(**brief), clusterer=clusterer, n_pairs=n_pairs).fit(table)


@pytest.fixture(scope="module")
def reproducible():
    return study(square())


def test_natural_segments_stay():
    found = study(groups(), max_segments=3)
    assert (found.n_segments_, found.verdict_.word, found.cut_) == (3, "natural", None)
    assert found.at(2).n_segments == 2


def test_a_continuum_is_led_by_what_comes_back_and_told_what_it_is(reproducible):
    found = reproducible
    assert (found.n_segments_, found.verdict_.word, found.cut_) == (4, "reproducible", None)
    assert found.number_of_segments_.n_segments == 4
    assert found.selection_.n_segments == 1
    assert "these are lines through a continuum, but the same segments come back in other samples" in str(
        found.verdict_
    )
    assert len(found.personas_) == len(found.actions_) == 4
    assert found.predict(square()).tolist() == found.labels_.tolist()
    assert str(found.segmentation_) == "300 customers in 4 segment(s) cut out of one continuum."


def test_where_nothing_comes_back_there_is_one_segment_and_a_cut():
    found = study(cloud(), max_segments=3)
    assert (found.n_segments_, found.verdict_.word) == (1, "constructive")
    assert found.number_of_segments_.word == "constructive"
    assert found.cut_.n_segments == found.number_of_segments_.n_segments


def test_at_least_so_many_are_answered_with_the_verdict():
    found = study(cloud(), max_segments=4, min_segments=3)
    assert found.n_segments_ >= 3
    assert (found.cut_, found.verdict_.word) == (None, "constructive")
    assert "At least 3 were asked for." in found.verdict_.sentence


def test_the_number_that_the_company_wants_and_what_the_data_say_of_it():
    found = study(square(), max_segments=5, n_segments=5)
    assert (found.n_segments_, found.clusterer_.n_segments) == (5, 5)
    assert "Left to the data: one segment" in found.verdict_.sentence
    assert "The largest number that comes back is 4." in found.verdict_.sentence
    assert "5 segments" in dict(found_brief(found))["Limits"]


def found_brief(found):
    """The terms of the brief as the report tells them."""
    lines = render_markdown(found).splitlines()
    return [line.removeprefix("- ").split(": ", 1) for line in lines if line.startswith("- ") and ": " in line]


def test_a_clusterer_that_asks_for_what_comes_back_gets_it_where_groups_are_natural():
    found = study(groups(), "reproducible", max_segments=3)
    assert (found.n_segments_, found.verdict_.word) == (3, "natural")


@pytest.mark.parametrize("number", [2, 3, 5])
def test_the_best_segments_at_every_number_are_kept_with_their_personas(reproducible, number):
    found = reproducible.at(number)
    assert isinstance(found, Segmentation)
    assert found.n_segments == number
    assert found.names == tuple(persona.name for persona in reproducible.plan_at(number).personas.personas)
    clusterer = SegmentClusterer(number, n_init=3, random_state=0, order_by=reproducible.clusterer_.order_by)
    assert found.labels.tolist() == clusterer.fit(square()).labels_.tolist()
    assert found.predict(square()).tolist() == found.labels.tolist()


def test_its_own_number_is_the_segmentation_itself(reproducible):
    assert reproducible.at(4) is reproducible.segmentation_


def test_a_number_that_was_not_tried_is_an_error_that_names_those_that_were(reproducible):
    with pytest.raises(InvalidParameterError, match=r"one of the numbers that were tried, \[2, 3, 4, 5\], got 9"):
        reproducible.at(9)


def test_stored_studies_keep_every_number_unless_customers_are_left_out(reproducible, tmp_path):
    kept = load_study(store_study(reproducible, tmp_path / "kept.skops"))
    assert kept.at(3).labels.tolist() == reproducible.at(3).labels.tolist()
    assert str(kept.number_of_segments_) == str(reproducible.number_of_segments_)
    bare = load_study(store_study(reproducible, tmp_path / "bare.skops", include_customers=False))
    assert bare.at(4).n_segments == 4
    with pytest.raises(CustomersNotStoredError, match=r"at\(3\)"):
        bare.at(3)


@pytest.mark.parametrize("render", [render_html, render_markdown, render_text, render_json])
def test_every_report_has_the_verdict_the_segments_and_every_number(reproducible, render):
    page = render(reproducible)
    assert "The 4 segments are reproducible" in page
    assert "4 segments, the largest number from 2 to 5 at which the segments come back" in page
    for persona in reproducible.personas_:
        assert persona.name in page
    if render is not render_json:
        assert "Groups apart" in page


def test_neither_the_order_of_rows_nor_of_columns_changes_the_answer(reproducible):
    order = np.random.RandomState(0).permutation(300)
    other = study(square().iloc[order][["visits", "spend"]])
    pd.testing.assert_frame_equal(other.number_of_segments_.table, reproducible.number_of_segments_.table)
    labels = other.segmentation_.labels_by_customer.sort_index()
    assert labels.tolist() == reproducible.segmentation_.labels_by_customer.sort_index().tolist()


def test_refits_go_on_only_where_it_is_open(reproducible):
    tried = reproducible.number_of_segments_.table.set_index("n_segments")
    assert tried["n_pairs"].isin([10, 20, 40]).all()
    assert (tried.loc[tried["n_pairs"] < 40, "standing"] != "open").all()
    assert tried.loc[4, "standing"] == "stable"


@pytest.mark.parametrize(
    ("brief", "message"),
    [
        ({"n_segments": 0}, "'n_segments' must be None or an integer >= 1, got 0"),
        ({"min_segments": 0}, "'min_segments' must be None or an integer >= 1, got 0"),
        ({"min_segments": 6, "max_segments": 5}, "'min_segments' must be at most max_segments, which is 5, got 6"),
        ({"n_segments": 6, "max_segments": 5}, "'n_segments' must be at most max_segments, which is 5, got 6"),
        ({"n_segments": 3, "min_segments": 2}, "'min_segments' must be None where n_segments says the number, got 2"),
    ],
)
def test_briefs_that_contradict_themselves(brief, message):
    with pytest.raises(InvalidParameterError, match=message):
        SegmentationBrief(**brief)


@pytest.mark.parametrize(
    ("clusterer", "brief", "message"),
    [
        (
            SegmentClusterer(3),
            {"min_segments": 2},
            "'min_segments' must be None where the n_segments of the clusterer is",
        ),
        (SegmentClusterer(), {"min_segments": 11}, "'min_segments' must be at most max_segments, which is 10, got 11"),
        (SegmentClusterer(min_segments=11), {}, "'min_segments' must be at most max_segments, which is 10, got 11"),
        (SegmentClusterer("reproducible"), {"max_segments": 1}, "'max_segments' must be at least 2"),
        (RuleSegmenter({"Many": "visits > 9"}), {"n_segments": 2}, "'n_segments' must be None with RuleSegmenter"),
        (KPrototypesClusterer(3), {"min_segments": 2}, "'min_segments' must be None with KPrototypesClusterer"),
    ],
)
def test_briefs_that_a_clusterer_cannot_keep(clusterer, brief, message):
    with pytest.raises(InvalidParameterError, match=message):
        SegmentationStudy(SegmentationBrief(**brief), clusterer=clusterer, n_pairs=2).fit(square(60))


def test_a_brief_changes_the_number_of_any_clusterer():
    clusterer = KPrototypesClusterer(3, n_init=2, random_state=0)
    found = SegmentationStudy(SegmentationBrief(n_segments=2), clusterer=clusterer, n_pairs=2)
    assert found.fit(square(60)).n_segments_ == 2


@pytest.mark.filterwarnings("ignore:.*hold one value only")
def test_identical_customers():
    alike = square() * 0
    found = study(alike)
    assert (found.n_segments_, found.cut_, found.number_of_segments_) == (1, None, None)
    with pytest.raises(InfeasibleError, match=r"n_segments=2 needs at least 2 customers that differ"):
        study(alike, min_segments=2)

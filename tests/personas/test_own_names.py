"""What users call segments and columns, and which names stay when customers are segmented anew."""

import numpy as np
import pandas as pd
import pytest

from custseg import RuleSegmenter, SegmentClusterer
from custseg.exceptions import InvalidParameterError
from custseg.personas import PersonaDescriber, describe_segments
from custseg.segmentation import Segmentation

LONG = "Those of whom we have said for years that somebody should write to them"


def customers(seed=0, n=300, shift=0.0):
    random = np.random.RandomState(seed)
    kind = np.arange(n) % 3
    ids = pd.Index(np.arange(n) + 10_000 * seed, name="customer_id")
    columns = {
        "recency": np.array([5.0, 30.0, 90.0])[kind] + random.normal(size=n),
        "spend": np.array([60.0, 20.0, 40.0])[kind] + random.normal(size=n) + shift,
    }
    return pd.DataFrame(columns, index=ids)


def found(table, labels=None, clusterer=None):
    clusterer = clusterer or SegmentClusterer(3, random_state=0)
    return Segmentation.by(clusterer.fit(table), table, labels)


def names(segmentation, describer=None, **options):
    return [persona.name for persona in describe_segments(segmentation, describer, **options).personas]


@pytest.fixture(scope="module")
def segmentation():
    return found(customers())


@pytest.mark.parametrize("key", [1, np.int64(1), "1", "generated"])
def test_a_name_of_ones_own_by_number_or_by_the_name_that_it_replaces(segmentation, key):
    before = names(segmentation)
    own = {before[1] if key == "generated" else key: LONG}
    personas = describe_segments(segmentation, PersonaDescriber(names=own))
    assert [persona.name for persona in personas.personas] == [before[0], LONG, before[2]]
    assert personas.segmentation.names == (before[0], LONG, before[2])
    assert LONG in personas.personas[1].summary
    assert personas.describer.predict([1, -1]).tolist() == [LONG, "not assigned"]


def test_a_list_names_all_and_names_of_rules_can_be_replaced(segmentation):
    assert names(segmentation, PersonaDescriber(names=["A", "B", "C"])) == ["A", "B", "C"]
    rules = RuleSegmenter({"Recent": "recency < 20"}, otherwise="Others")
    assert names(found(customers(), clusterer=rules), PersonaDescriber(names={"Others": "The rest"})) == [
        "Recent",
        "The rest",
    ]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"names": {3: "x"}}, r"unknown segment in names '3'; known: '0 \(.*\)', '1 \(.*\)', '2 \("),
        ({"names": {"Nobody": "x"}}, "unknown segment in names 'Nobody'"),
        ({"names": {True: "x"}}, "unknown segment in names 'True'"),
        ({"names": ["A", "B"]}, r"one name for each of 3 segment\(s\)"),
        ({"names": {0: "A", 1: "A"}}, "no two segments bear the same name"),
        ({"names": {0: " "}}, "texts that are not empty"),
        ({"names": "A"}, "'names' must be None or a list of names"),
        (
            {"labels": {"spent": "x"}},
            "unknown characteristic in labels 'spent'; known: 'recency', 'spend'",
        ),
        ({"labels": {"spend": "recency"}}, "parameter 'labels' calls column 'spend' 'recency'"),
        ({"labels": {"spend": ""}}, "parameter 'labels' must be"),
    ],
)
def test_a_slip_is_one_error_that_says_what_there_is(segmentation, given, words):
    with pytest.raises(InvalidParameterError, match=words):
        describe_segments(segmentation, PersonaDescriber(**given))


def test_labels_reach_texts_names_and_the_segmentation(segmentation):
    personas = describe_segments(segmentation, PersonaDescriber(labels={"recency": "silence"}))
    assert personas.column_labels == {"recency": "silence", "spend": "spend"}
    assert any("silence" in persona.name for persona in personas.personas)
    assert "recency" not in personas.describer.to_markdown()
    assert [(each.column, each.label) for each in personas.segmentation.characteristics] == [("recency", "silence")]


def test_names_stay_for_customers_who_are_found_again():
    before = describe_segments(found(customers()), PersonaDescriber(names=["A", "B", "C"]))
    now = customers()
    now["spend"] = 100 - now["spend"]
    again = found(now)
    kept = describe_segments(again, names_from=before)
    pairs = pd.crosstab(before.segmentation.labels, again.labels)
    assert [kept.personas[segment].name for segment in pairs.to_numpy().argmax(axis=1)] == ["A", "B", "C"]


def test_names_stay_for_other_customers_whom_the_segmenter_of_before_would_have_put_there():
    before = describe_segments(found(customers()), PersonaDescriber(names=["A", "B", "C"]))
    new = found(customers(seed=1, n=360))
    kept = names(new, names_from=before)
    assert sorted(kept) == ["A", "B", "C"]
    assert [kept[label] for label in new.labels[:3]] == [["A", "B", "C"][at] for at in before.segmentation.labels[:3]]


def test_only_a_clear_match_keeps_a_name_and_no_name_is_given_twice():
    table, labels = customers(), np.arange(300) % 3
    before = describe_segments(Segmentation.of(table, labels))
    # the first stays as it was, the second and third are mixed half and half
    mixed = np.where(labels == 0, 0, 1 + (np.arange(300) // 3) % 2)
    kept = names(Segmentation.of(table, mixed), names_from=before)
    old = [persona.name for persona in before.personas]
    assert kept[0] == old[0]
    assert not set(kept[1:]) & set(old)
    assert len(set(kept)) == 3


def test_names_that_say_nothing_are_not_kept():
    flat = pd.DataFrame({"x": np.tile([1.0, 2.0], 100)})
    before = describe_segments(Segmentation.of(flat, np.repeat([0, 1], 100)))
    assert before.personas[0].name == "Average customers"
    table = flat.assign(x=np.repeat([1.0, 5.0], 100) + np.tile([0.0, 0.1], 100))
    assert names(Segmentation.of(table, np.repeat([0, 1], 100)), names_from=before) == ["Low x", "High x"]


def test_labels_of_other_customers_have_nothing_to_be_matched_by():
    before = describe_segments(Segmentation.of(customers(), np.arange(300) % 3))
    with pytest.raises(InvalidParameterError, match="names_from"):
        describe_segments(found(customers(seed=2)), names_from=before)
    with pytest.raises(InvalidParameterError, match="the Personas of before"):
        describe_segments(found(customers()), names_from=["A"])

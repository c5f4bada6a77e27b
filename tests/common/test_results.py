"""What every result offers, checked for each that there is: a table, a dictionary, a sentence, a fragment of HTML."""

import dataclasses
import json
import pickle
import re
from functools import cache

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans

from custseg import (
    CharacteristicUnion,
    PersonaDescriber,
    RFMFeaturizer,
    RuleSegmenter,
    SegmentationBrief,
    SegmentClusterer,
    bootstrap_stability,
    segment_separation,
    select_n_segments,
    split_transactions,
    structure_test,
    write_segments,
)
from custseg._core._html import escape
from custseg._core.results import Result
from custseg.characteristics import factorability, join_responses, parallel_analysis
from custseg.datasets import make_customers
from custseg.personas import Need, Prevalence, describe_segments, needs_by_segment, profile_segments
from custseg.segmentation import Rule, Segmentation
from custseg.targeting import SegmentFacts, find_goal, plan_actions, recommend
from custseg.validation import examine_segments, judge, weight_sensitivity
from custseg.weighting import CharacteristicWeights, rating_agreement
from tests.common.discovery import public_classes

# A name that comes from the data, wherever the example has one.
EVIL = "<script>"
SAMPLE = make_customers(60, n_segments=2, separation=3.0, random_state=0)
POINTS = np.random.RandomState(0).randn(60, 2) + 6 * (np.arange(60)[:, None] % 2)
CUSTOMERS = pd.DataFrame(POINTS, columns=[EVIL, "visits"])
LINES = pd.DataFrame(
    {
        "customer_id": [EVIL, EVIL, "b", "b", "c"],
        "timestamp": ["2024-01-01", "2024-03-31", "2024-04-01", "2024-02-01", "2024-04-02"],
        EVIL: [10.0, 20.0, 40.0, 5.0, None],
    }
)
RATINGS = np.random.RandomState(1).randint(1, 6, size=(40, 4)) + POINTS[:40, :1].round()


@cache
def clusterer():
    points = np.random.RandomState(0).randn(300, 2)
    return SegmentClusterer(2, sample_above=20, n_init=3, random_state=0).fit(points)


@cache
def personas():
    describer = PersonaDescriber()
    return describer.fit(CUSTOMERS, np.arange(60) % 2, names=[EVIL, "others"]).personas_


@cache
def stability():
    return bootstrap_stability(KMeans(n_init=1), POINTS, [2, 3], n_pairs=3, random_state=0)


@cache
def described():
    return describe_segments(Segmentation.of(CUSTOMERS, np.where(np.arange(60) % 2, EVIL, "others")))


@cache
def evidence():
    segmenter = RuleSegmenter({EVIL: "visits > 3"}).fit(CUSTOMERS)
    return examine_segments(Segmentation.by(segmenter, CUSTOMERS), n_pairs=2)


def joined():
    contacts = pd.DataFrame({"customer_id": [1, 2, 3], "campaign": ["A", "A", "B"]})
    responses = pd.DataFrame({"customer_id": [1], "campaign": ["A"], "response_time": ["2024-02-01"]})
    return join_responses(contacts, responses)


def matched():
    union = CharacteristicUnion([("behaviour", RFMFeaturizer(amount=EVIL), EVIL)])
    return union.fit({EVIL: LINES[:4]}).match_report_


def assigned(folder):
    segmenter = SegmentClusterer(2, n_init=2, random_state=0).fit(CUSTOMERS)
    return write_segments(segmenter, CUSTOMERS, folder / f"{EVIL}.csv")


RESULTS = {
    "Action": lambda _: recommend("retention", SegmentFacts(share=0.1, value_share=0.3, effects={"recency": 0.9})),
    "CharacteristicWeights": lambda _: CharacteristicWeights({EVIL: 0.75, "region": 0.25}),
    "CustomerSample": lambda _: SAMPLE,
    "Evidence": lambda _: evidence(),
    "Factorability": lambda _: factorability(RATINGS),
    "JoinedResponses": lambda _: joined(),
    "MatchReport": lambda _: matched(),
    "Need": lambda _: Need(label=EVIL, kind="need", here=4.5, elsewhere=2.0, text=f"{EVIL}: 4.5, against 2 elsewhere"),
    "NumberOfSegments": lambda _: (
        SegmentClusterer("reproducible", max_segments=2, random_state=0).fit(POINTS).number_of_segments_
    ),
    "Optimum": lambda _: clusterer().optimum_,
    "ParallelAnalysis": lambda _: parallel_analysis(RATINGS, n_draws=10, random_state=0),
    "Persona": lambda _: personas()[0],
    "Personas": lambda _: described(),
    "Plan": lambda _: plan_actions("pricing", described()),
    "Prevalence": lambda _: Prevalence(
        labels=(EVIL,), shares=(0.9,), here=0.9, elsewhere=0.1, in_segment=0.5, text=f"{EVIL} 90%"
    ),
    "RatingAgreement": lambda _: rating_agreement(
        np.tile([5, 4, 2, 1], (8, 1)), names=[EVIL, "taste", "origin", "pack"]
    ),
    "RowReport": lambda _: RFMFeaturizer(amount=EVIL).check_rows(LINES),
    "RuleReport": lambda _: RuleSegmenter({EVIL: "visits > 3"}).fit(CUSTOMERS).rule_report_,
    "SampleCost": lambda _: clusterer().sample_loss_,
    "SegmentAssignment": assigned,
    "SegmentNeeds": lambda _: needs_by_segment(
        CUSTOMERS[["visits"]].rename(columns={"visits": EVIL}),
        None,
        Segmentation.of(CUSTOMERS, np.where(np.arange(60) % 2, EVIL, "others")),
    ),
    "SegmentProfile": lambda _: profile_segments(CUSTOMERS, np.where(np.arange(60) % 2, EVIL, "others")),
    "SegmentSelection": lambda _: select_n_segments(POINTS, max_segments=3, random_state=0),
    "Segmentation": lambda _: Segmentation.of(CUSTOMERS, np.where(np.arange(60) % 2, EVIL, "others")),
    "SeparationResult": lambda _: segment_separation(CUSTOMERS, np.where(np.arange(60) % 2, EVIL, "others")),
    "StabilityResult": lambda _: stability(),
    "StructureResult": lambda _: structure_test(POINTS, n_segments=[2, 3], n_draws=19, random_state=0),
    "Trait": lambda _: next(trait for trait in personas()[0].traits if trait.characteristic == EVIL),
    "TransactionSplit": lambda _: split_transactions(LINES[:4], at="2024-03-31", amount=EVIL),
    "Verdict": lambda _: judge(n_segments=2, structured=True, reason=f"{EVIL} stands out.", stability=stability()),
    "WeightSensitivity": lambda _: weight_sensitivity(
        SegmentClusterer(2, n_init=1), CUSTOMERS, {EVIL: 2.0, "visits": 1.0}, 2, random_state=0
    ),
}

# Public dataclasses that are no results, why, and an example.
NO_RESULTS = {
    "Goal": ("declares what a company may want", lambda: find_goal("pricing")),
    "Rule": ("declares a segment: it goes into a RuleSegmenter", lambda: Rule(name="A", alternatives=())),
    "SegmentFacts": ("what rules look at: it goes into recommend", lambda: SegmentFacts(share=0.5)),
    "SegmentationBrief": ("declares what the company wants", lambda: SegmentationBrief("pricing")),
}

# Fields that may be given by position, and why.
POSITIONAL = {
    "CharacteristicWeights": ({"weights"}, "it wraps one mapping, as dict does"),
    "RatingAgreement": ({"weights"}, "as CharacteristicWeights"),
    "SegmentationBrief": ({"goal"}, "the first parameter is positional, as an estimator's"),
}
# Results whose table and sentence hold no name from the data.
NAMELESS = {
    "Action": "its words are the goal's",
    "CustomerSample": "generated",
    "Evidence": "segments are numbered",
    "Factorability": "figures of all items together",
    "JoinedResponses": "counts",
    "NumberOfSegments": "segments are numbered",
    "Optimum": "figures",
    "ParallelAnalysis": "factors are numbered",
    "SampleCost": "figures",
    "SegmentSelection": "segments are numbered",
    "StabilityResult": "segments are numbered",
    "StructureResult": "segments are numbered",
}
# Results that say more than a sentence, and why.
SEVERAL_SENTENCES = {
    "Action": "the advice is the goal's own sentence, after what to do",
    "Evidence": "as Verdict",
    "RowReport": "the remedy of each policy is a sentence",
    "Verdict": "a verdict stands with the figures of the tests behind it",
}


def dataclasses_of(bases=(object,)):
    return {
        thing.__name__: thing
        for thing in public_classes().values()
        if dataclasses.is_dataclass(thing) and issubclass(thing, bases)
    }


def subclasses(thing):
    for child in thing.__subclasses__():
        yield from (child, *subclasses(child))


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    return cache(lambda name: RESULTS[name](folder))


def test_every_public_dataclass_is_a_result_or_says_why_not():
    everything = dataclasses_of()
    assert set(dataclasses_of((Result,))) == set(RESULTS)
    assert set(everything) - set(RESULTS) == set(NO_RESULTS)
    found = {thing.__name__ for thing in subclasses(Result) if thing.__module__.startswith("custseg.")}
    # a Segmentation that was stored without its customers; tests/study/test_stored.py has it
    assert found - {"RowlessSegmentation"} == set(RESULTS)


@pytest.mark.parametrize("exempt", [POSITIONAL, NAMELESS, SEVERAL_SENTENCES], ids=["positional", "nameless", "several"])
def test_exemptions_are_of_classes_that_there_are(exempt):
    assert set(exempt) <= {*RESULTS, *NO_RESULTS}


@pytest.mark.parametrize("name", sorted({*RESULTS, *NO_RESULTS}))
def test_fields_are_frozen_and_given_by_keyword(name, example):
    thing = dataclasses_of()[name]
    assert {field.name for field in dataclasses.fields(thing) if not field.kw_only} == POSITIONAL.get(name, [set()])[0]
    found = example(name) if name in RESULTS else NO_RESULTS[name][1]()
    assert type(found) is thing
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(found, dataclasses.fields(thing)[0].name, None)


@pytest.mark.parametrize("name", sorted({*RESULTS, *NO_RESULTS}))
def test_it_can_be_pickled(name, example):
    found = example(name) if name in RESULTS else NO_RESULTS[name][1]()
    again = pickle.loads(pickle.dumps(found))  # noqa: S301
    assert type(again) is type(found)
    assert repr(again) == repr(found)
    if name in RESULTS:
        assert again.to_dict() == found.to_dict()


@pytest.mark.parametrize("name", sorted(RESULTS))
def test_the_main_table_has_rows(name, example):
    frame = example(name).to_frame()
    assert isinstance(frame, pd.DataFrame)
    assert len(frame)
    assert frame.columns.is_unique
    assert all(isinstance(column, str) for column in frame.columns)


@pytest.mark.parametrize("name", sorted(RESULTS))
def test_the_dictionary_survives_json(name, example):
    found = example(name)
    values = found.to_dict()
    assert json.loads(json.dumps(values, allow_nan=False)) == values
    fields = {field.name for field in dataclasses.fields(found)}
    assert set(values) == fields - type(found)._handed_on
    assert type(found)._handed_on <= fields


@pytest.mark.parametrize("name", sorted(RESULTS))
def test_it_is_said_in_one_sentence(name, example):
    text = str(example(name))
    assert re.fullmatch(r"(?s:[A-Z0-9<a-z].*\.)", text)
    assert text.isprintable()
    assert bool(re.search(r"[.!?:] [A-Z]", text)) == (name in SEVERAL_SENTENCES)


@pytest.mark.parametrize("name", sorted(RESULTS))
def test_its_repr_fits_on_a_line(name, example):
    text = repr(example(name))
    assert text.startswith(f"{name}(")
    assert text.endswith(")")
    assert len(text) < 100
    assert "\n" not in text


@pytest.mark.parametrize("name", sorted(RESULTS))
def test_a_notebook_shows_sentence_and_table_escaped(name, example):
    found = example(name)
    page = found._repr_html_()
    assert page.startswith('<div class="custseg-result"><p>')
    shown = found.by_segment if name == "SegmentProfile" else found.to_frame().reset_index()
    last = "share of customers" if name == "Segmentation" else escape(shown.columns[-1])
    assert re.search(f'<th scope="col"( class="num")?>{re.escape(last)}</th>', page)
    assert page.count("<tr>") == 1 + min(len(shown), 20)
    assert EVIL not in page
    assert ("&lt;script&gt;" in page) == (name not in NAMELESS)


def test_a_long_table_is_cut_in_a_notebook_and_says_so():
    page = SAMPLE._repr_html_()
    assert "<p>40 more rows in to_frame().</p>" in page


def test_a_long_repr_keeps_whole_parts():
    weights = CharacteristicWeights({f"characteristic {position}": 1.0 for position in range(20)})
    assert repr(weights) == (
        "CharacteristicWeights(stated: characteristic 0 1, characteristic 1 1, characteristic 2 1, ...)"
    )
    assert repr(CharacteristicWeights({"x" * 200: 1.0})) == "CharacteristicWeights(...)"


def test_what_has_no_place_in_json_is_none_or_words():
    @dataclasses.dataclass(frozen=True, kw_only=True, repr=False)
    class Odd(Result):
        values: dict
        model: KMeans

        def __str__(self):
            return "Odd."

    inner = stability()
    frame = pd.DataFrame({"x": [np.inf, 1.0]}, index=pd.Index(["a", "b"], name="who"))
    values = {1: (np.nan, pd.NaT, pd.NA, None), "frame": frame, "at": pd.Timestamp("2024-01-02"), "inner": inner}
    assert Odd(values=values, model=KMeans(2)).to_dict() == {
        "values": {
            "1": [None, None, None, None],
            "frame": [{"who": "a", "x": None}, {"who": "b", "x": 1.0}],
            "at": "2024-01-02 00:00:00",
            "inner": inner.to_dict(),
        },
        "model": "KMeans(n_clusters=2)",
    }

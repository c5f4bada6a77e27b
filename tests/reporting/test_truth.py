"""Whatever the verdict, the whole report says one thing: no sentence contradicts another, or a figure beside it."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest

from custseg import DemographicEncoder, SegmentationBrief, SegmentationStudy, SegmentClusterer
from custseg.datasets import make_customers
from custseg.reporting import render_html, render_json, render_markdown, render_text
from custseg.validation import STABLE_ADJUSTED_RAND, STABLE_SEGMENT, StabilityResult, judge
from tests.reporting.stand_in import NO_OUTCOMES, selection_of, stand_in
from tests.sizes import size

pytestmark = [pytest.mark.sampled, pytest.mark.thorough]

STRUCTURED = "the customers are more compact than one continuum with the same characteristics (p = 0.025)."
NONE = "one continuum with the same characteristics splits as well as these customers (p = 0.4)."
UNTESTED = "One segment: there are fewer than 20 customers."
RENDERERS = {"html": render_html, "markdown": render_markdown, "text": render_text, "json": render_json}


def stability(mean, weakest):
    """Three segments over three numbers, so far stable; ``weakest`` of the last segment."""
    rows = [
        {"n_segments": k, "segment": s, "n_customers": 10, "slsw": weakest if s == k - 1 else 0.9}
        for k in (2, 3, 4)
        for s in range(k)
    ]
    return StabilityResult(
        numbers=(2, 3, 4), adjusted_rand=np.full((3, 4), mean), segments=pd.DataFrame(rows), reference_labels={}
    )


STABILITIES = {
    "stable": stability(0.9, 0.8),
    "moves": stability(0.4, 0.8),
    "one moves": stability(0.78, 0.45),
    "just below": stability(0.7499, 0.8),
    "one just below": stability(0.8, 0.5999),
    "nobody in one": stability(1.0, np.nan),
    "none": StabilityResult.empty(),
}
REASONS = {True: STRUCTURED, False: NONE, None: UNTESTED}
CASES = [(3, structured, None, name) for structured in REASONS for name in STABILITIES if name != "none"]
CASES += [(1, structured, None, name) for structured in REASONS for name in STABILITIES]
CASES += [(3, None, left, name) for left in (0, 85) for name in STABILITIES]


# Every case in every format; in the README's command in two of the four, which take turns.
IN_FORMATS = [
    (*case, kind) for place, case in enumerate(CASES) for kind in size([*RENDERERS][place % 2 :: 2], [*RENDERERS])
]


def verdict_of(n_segments, structured, n_not_assigned, found):
    return judge(
        n_segments=n_segments,
        structured=structured,
        reason="" if n_not_assigned is not None else REASONS[structured],
        n_not_assigned=n_not_assigned,
        stability=STABILITIES[found],
    )


def report_of(n_segments, structured, n_not_assigned, found, kind):
    """A report on the verdict that was really given, of segments that a study would have with it."""
    evidence = STABILITIES[found]
    verdict = verdict_of(n_segments, structured, n_not_assigned, found)
    selection = None
    if n_not_assigned is None:
        selection = selection_of(n_segments, REASONS[structured], structured)
    is_cut = n_segments == 1 and bool(evidence.numbers)
    names = ("All customers",) if n_segments == 1 and not is_cut else ("Frequent", "Lapsed", "The rest")
    study = stand_in(names, cut=is_cut, verdict=verdict, selection=selection, stability=evidence)
    study.plan_.segmentation.n_not_assigned = n_not_assigned or 0
    study.outcomes_ = NO_OUTCOMES
    return verdict, plain(RENDERERS[kind](study))


def plain(text):
    text = re.sub(r"<style>.*?</style>", " ", text, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).replace("\\", "").split())


# What cannot both be said of the same customers.
CONTRADICTIONS = [
    (r"differ from one continuum|more compact than one continuum", r"form one continuum|divide a continuum"),
    (r"differ from one continuum|more compact than one continuum", r"[Nn]o distinct segments|no distinct groups"),
    (
        r"was not tested",
        r"form one continuum|divide a continuum|[Nn]o distinct segments|the customers form no distinct",
    ),
    (r"segments are natural", r"segments are reproducible|segments are a constructive|A constructive cut into"),
    (r"the same segments come back|distinct groups that come back", r"not all of them come back|they do not come back"),
    (r"segments are a constructive cut", r"the same segments come back|distinct groups that come back"),
    (r"not all of them come back", r"they do not come back"),
    (r"All customers were put into one segment", r"[Nn]o distinct segments were found"),
    (r"meet no rule and are in no segment", r"belongs to exactly one"),
    (r"defined by rule", r"What the data ask for"),
    (r"no stability is known", r"Mean adjusted Rand index over|\(stable:|\(not stable:|agree with a mean"),
]


@pytest.mark.thorough
@pytest.mark.parametrize(("n_segments", "structured", "n_not_assigned", "found", "kind"), IN_FORMATS)
def test_no_sentence_contradicts_another(n_segments, structured, n_not_assigned, found, kind):
    verdict, text = report_of(n_segments, structured, n_not_assigned, found, kind)
    assert verdict.sentence in text
    for one, other in CONTRADICTIONS:
        assert not (re.search(one, text) and re.search(other, text)), (one, other, text)
    for figure in re.findall(r"index of ([0-9.]+) \(not stable: 0\.75 is asked for", text):
        assert float(figure) < STABLE_ADJUSTED_RAND
    for figure in re.findall(r"the weakest segment comes back with ([0-9.]+)", text):
        assert float(figure) < STABLE_SEGMENT
    for figure in re.findall(r"index of ([0-9.]+) \(stable:", text):
        assert float(figure) >= STABLE_ADJUSTED_RAND


@pytest.mark.parametrize("found", [name for name in STABILITIES if name != "none"])
def test_a_number_of_segments_is_called_stable_as_its_figures_say(found):
    _, text = report_of(3, True, None, found, "markdown")
    rows = re.findall(r"\| [234] \| ([0-9.]+) \| \S+ to \S+ \| ([0-9.]+|unknown) \| (yes|no) \|", text)
    assert len(rows) == 3
    for mean, weakest, stable in rows:
        is_stable = float(mean) >= STABLE_ADJUSTED_RAND and (weakest == "unknown" or float(weakest) >= STABLE_SEGMENT)
        assert (stable == "yes") == is_stable


@pytest.mark.parametrize("kind", ["html", "markdown"])
def test_a_stable_mean_is_never_said_to_be_enough(kind):
    _, text = report_of(3, True, None, "one moves", kind)
    assert re.search(
        r"stable from the dashed line at 0\.75 on, where its weakest|stable from a mean of 0\.75 where", text
    )
    assert not re.search(r"from (the dashed line at )?0\.75 a number of segments counts as stable", text)


@pytest.mark.parametrize("kind", RENDERERS)
def test_what_is_done_for_everyone_is_not_recommended(kind):
    _, text = report_of(1, False, None, "none", kind)
    assert "Recommended" not in text
    if kind != "json":
        assert "Contact them personally." not in text


@pytest.mark.parametrize("kind", ["html", "markdown"])
def test_what_is_known_of_few_says_so_on_the_card(kind):
    study = stand_in(("All",))
    told = study.plan_.personas.personas[0]
    trait = replace(told.traits[1], known_share=0.17, known_share_rest=0.9)
    typical = {"demographics__age": "35-44", "demographics__home": None, "demographics__kids": None}
    shares = {"demographics__age": 0.62, "demographics__home": 0.17}
    few = ("home (of 204 of 1,200)", "kids")
    persona = replace(told, traits=(trait,), typical_customer=typical, known_shares=shares, known_of_few=few)
    study.plan_.personas.personas = [persona]
    text = plain(RENDERERS[kind](study))
    assert "of the 17% of whom it is known" in text
    if kind == "html":
        # the page has no typical customer
        assert "Known of few: home (of 204 of 1,200), kids" in text
        return
    assert re.search(r"age 35-44 \(?of the 62% of whom it is known", text)
    assert "Known of too few: home (of 204 of 1,200), kids" in text


def test_an_outcome_that_is_known_of_few_says_so():
    study = stand_in(outcomes=True)
    study.outcomes_["n_known"] = [204, 800, None]
    # wide enough to fold no figure
    for render in (render_html, render_markdown, partial(render_text, width=100)):
        text = plain(render(study))
        assert "40%, of the 17% of whom it is known" in text
        assert "10%, of" not in text


@pytest.mark.thorough
@pytest.mark.parametrize("separation", size([3.0], [0.0, 3.0]))
@pytest.mark.parametrize("n_segments", size([1], [1, 2, "auto"]))
def test_a_study_reads_as_one(n_segments, separation):
    given = make_customers(size(100, 300), n_segments=3, separation=separation, random_state=0).profile
    fitted = SegmentationStudy(
        SegmentationBrief("retention", max_segments=4),
        characteristics=DemographicEncoder(),
        clusterer=SegmentClusterer(n_segments, n_init=2, random_state=0),
        n_pairs=2,
    ).fit(given)
    for render in RENDERERS.values():
        text = plain(render(fitted))
        for one, other in CONTRADICTIONS:
            assert not (re.search(one, text) and re.search(other, text)), (one, other)
        assert "Keep in touch" not in text
    facts = json.loads(render_json(fitted))
    shown = [*facts["actions"], *(facts["cut"]["actions"] if facts["cut"] else [])]
    assert {action["action"] for action in shown} <= {"No action of its own", "Not enough is known: add purchases"}


def test_every_case_is_looked_at():
    for kind in RENDERERS:
        words = {verdict_of(*case).word for *case, shown in IN_FORMATS if shown == kind}
        assert words == {"natural", "reproducible", "constructive", "defined"}
    assert {tuple(case) for *case, _ in IN_FORMATS} == set(CASES)
    assert len(CASES) == len(set(CASES))

"""The page: complete in itself, escaped, in order, and saying what it must."""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
import sys
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

from custseg._core.customer_rows import without_customers
from custseg._core.visible import visible
from custseg.characteristics._row_report import RowPolicy, RowReport
from custseg.exceptions import MissingDependencyError
from custseg.reporting import render_html, render_markdown, render_text
from custseg.reporting._finding import finding
from custseg.segmentation import Rule
from custseg.validation import StabilityResult, Verdict
from tests.reporting.html_page import Page, inside
from tests.reporting.small import STUDIES as SMALL
from tests.reporting.stand_in import (
    EVIL,
    TYPICAL,
    persona,
    stability_falling,
    stand_in,
    table_of,
    trait,
    with_customers,
)
from tests.sizes import size


def suppressed():
    small = persona(2, "The rest", 4, 2004, suppressed=True, traits=(), typical_customer={})
    small = replace(small, n_customers=None, share=None, size="fewer than 10 customers")
    personas = [*stand_in().plan_.personas.personas[:2], small]
    table = table_of(stand_in().plan_.personas.personas)
    table.loc[2, ["n_customers", "share", "value", "value_share"]] = np.nan
    return stand_in(personas=personas, table=table)


STUDIES = {
    "natural": lambda: with_customers(stand_in()),
    "no pictures": stand_in,
    "cut": lambda: with_customers(stand_in(cut=True)),
    "cut in two": lambda: with_customers(stand_in(("One", "Other"), cut=True)),
    "one point": lambda: stand_in(stability=stability_falling([3]), selection=None),
    "no stability": lambda: stand_in(stability=StabilityResult.empty(), row_report=RowReport(n_rows=0, policies=())),
    "suppressed": suppressed,
    "no value": lambda: stand_in(value=False),
    "outcomes": lambda: stand_in(outcomes=True),
}


SMALL_STUDIES = {f"a study: {name}": make for name, make in SMALL.items()}


@cache
def made(name):
    """A study, and its page."""
    study = (STUDIES | SMALL_STUDIES)[name]()
    return study, Page(render_html(study))


@pytest.fixture(params=[*STUDIES, *(pytest.param(name, marks=pytest.mark.slow) for name in SMALL_STUDIES)])
def study(request):
    return made(request.param)[0]


@pytest.fixture
def page(request, study):
    return made(request.node.callspec.params["study"])[1]


def test_the_page_asks_nobody_for_anything(page):
    for element in page.elements:
        for name in ("src", "srcset", "data", "action", "poster", "background", "xlink:href"):
            assert name not in element["attributes"]
        assert element["attributes"].get("href", "#")[0] == "#" or element["attributes"]["href"] == "data:,"
        assert not [name for name in element["attributes"] if name.startswith("on")]
        assert "style" not in element["attributes"]
    assert not page.all("script") + page.all("iframe") + page.all("object")
    (style,) = page.all("style")
    assert "url(" not in style["text"]
    assert "@import" not in style["text"]
    policy = page.all("meta", **{"http-equiv": "Content-Security-Policy"})[0]["attributes"]["content"]
    digest = base64.b64encode(hashlib.sha256(style["text"].encode()).digest()).decode()
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:;")


def test_ids_are_unique_and_every_reference_has_its_target(page):
    ids = [element["attributes"]["id"] for element in page.elements if "id" in element["attributes"]]
    assert len(set(ids)) == len(ids)
    for element in page.elements:
        assert element["attributes"].get("href", "#answer").removeprefix("#") in [*ids, "data:,"]
        for reference in element["attributes"].get("aria-labelledby", "").split():
            assert reference in ids


def test_headings_are_in_order(page):
    levels = [int(element["tag"][1]) for element in page.elements if re.fullmatch(r"h[1-6]", element["tag"])]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_the_contents_come_in_their_order(page):
    sections = [element["attributes"]["id"] for element in page.all("section")]
    order = ["value", "glance", "personas", "outcomes", "near", "real", "back", "why", "data", "method"]
    assert sections == [name for name in order if name in sections]
    assert {"value", "real", "back", "data", "method"} <= set(sections)


def test_the_title_is_the_finding_unless_another_is_given():
    assert Page(render_html(stand_in())).texts("h1") == [finding(stand_in())]
    page = Page(render_html(stand_in(), title="Spring"))
    assert page.texts("h1") == page.texts("title") == ["Spring"]


def test_every_table_says_what_it_shows_and_what_its_headings_head(page):
    tables, captions = page.all("table"), page.texts("caption")
    assert len(tables) == len(captions) > 3
    assert all(captions)
    assert {element["attributes"].get("scope") for element in page.all("th")} <= {"col", "row", "rowgroup"}


def test_a_drawing_is_named_or_hidden(page):
    for drawing in page.all("svg"):
        named = drawing["attributes"].get("role") == "img" and "aria-labelledby" in drawing["attributes"]
        assert named or drawing["attributes"].get("aria-hidden") == "true" or "svg" in drawing["inside"]


def test_verdict_and_brief_stand_first(study, page):
    sentence = study.evidence_.verdict.sentence
    (words,) = page.texts("div", **{"class": f"verdict {study.evidence_.verdict.word}"})
    assert words.startswith(sentence.partition(". ")[0])
    assert " ".join(re.sub(r"'\S+'", "", sentence).split()[-5:]) in page.texts("body")[0]


def test_the_brief_stands_on_the_page():
    (brief,) = Page(render_html(stand_in())).texts("div", **{"class": "about"})
    assert "Retention. Which customers are slipping away" in brief
    assert "frequency >= 2" in brief
    assert "2,469 customers of the 2,500 in the tables" in brief


def test_each_group_has_a_row_and_a_card(study, page):
    shown = (study.cut_plan_ or study.plan_).personas.personas
    names = {visible(persona.name, keep="\n\t") for persona in shown}
    (table,) = page.all("section", id="value")
    assert {" ".join(element["text"].split()) for element in inside(page, table, "bdi")} == names
    cards = [" ".join(element["text"].split()) for element in page.all("h3") if "article" in element["inside"]]
    mirrored = study.cut_plan_ is not None and len(shown) == 2 and page.all("section", id="glance")
    assert sorted(cards) == ([] if mirrored else sorted(names))


def test_glossary_explains_every_term(page):
    terms = page.texts("dt")
    assert {"Lift", "Effect size", "Stability of a segment", "Adjusted Rand index"} <= set(terms)


def test_a_cut_in_two_is_one_comparison_without_a_mirrored_card():
    page = made("cut in two")[1]
    assert not page.all("article")
    assert "2 groups of a constructive cut" in page.texts("h2")[0]
    (section,) = page.all("section", id="glance")
    assert "Win back first." in section["text"]
    assert "No distinct segments were found." in page.texts("p", **{"class": "notice"})[0]


def test_a_constructive_cut_is_labelled_on_every_card():
    page = made("cut")[1]
    assert list(page.texts("p", **{"class": "kicker"}))[1:] == [
        f"Group {place} of 3 constructive" for place in (1, 2, 3)
    ]
    assert "All customers" not in page.texts("h3")


def test_chosen_segments_that_do_not_come_back_are_labelled_too():
    verdict = Verdict(word="constructive", sentence="The 3 segments are a constructive cut at best.")
    page = Page(render_html(stand_in(verdict=verdict)))
    assert all(text.endswith(" constructive") for text in page.texts("p", **{"class": "kicker"})[1:])


def test_natural_segments_are_not_called_constructive():
    page = Page(render_html(stand_in()))
    assert not [text for text in page.texts("p", **{"class": "kicker"}) if "constructive" in text]
    assert not page.all("p", **{"class": "notice"})


def test_traits_show_direction_here_and_elsewhere():
    page = Page(render_html(stand_in(names=("Only", "Other"))))
    rows = [text for text in page.texts("li") if "recency" in text or "income" in text]
    assert rows[0] == "▼recency: 3.1 here, 41.7 elsewhere"
    assert rows[1] == "▲income: 100-124K or higher: 31% here, 13% elsewhere"


@pytest.mark.thorough
@pytest.mark.parametrize("make", size([SMALL["gaps"]], [SMALL["rules"], SMALL["gaps"]]))
def test_segments_of_rules_show_their_rules(make):
    study = make()
    text = " ".join(Page(render_html(study)).texts("article"))
    assert text.count("The rule") == len(study.clusterer_.rules_)
    assert "customers meet no rule" not in text
    if make is SMALL["gaps"]:
        assert "Age < 35." in text
        assert "Age >= 50." in text


def test_a_study_without_its_customers_says_what_cannot_be_shown():
    study = SMALL["gaps"]()
    page = Page(render_html(without_customers(study, len(study.labels_))))
    (section,) = page.all("section", id="method")
    assert "Map: " in section["text"]
    assert "which were left out when the study was stored" in section["text"]
    assert page.all("section", id="glance")
    assert not page.all("section", id="near")


def test_what_comes_from_the_data_is_escaped_everywhere():
    study = stand_in(names=(EVIL, '"><img src=x onerror=alert(1)>', "' onclick='x"))
    study.brief.audience_rule = Rule.read([(EVIL, "in", [EVIL, "b"])])
    study.verdict_ = Verdict(word="natural", sentence=f"The segment {EVIL} is natural.")
    study.row_report_ = RowReport(n_rows=2, policies=(RowPolicy(EVIL, EVIL, 2, EVIL, table=EVIL, member=EVIL),))
    study.audience_report_ = pd.DataFrame({"condition": [EVIL], "n_left_out": [1]})
    bad = {"label": EVIL, "level": EVIL, "statistic": "median", "segment_value": EVIL, "rest_value": EVIL}
    evil = [replace(trait, **bad) for trait in study.plan_.personas.personas[0].traits]
    personas = study.plan_.personas.personas
    personas[0] = replace(personas[0], traits=tuple(evil), typical_customer={EVIL: EVIL}, summary=EVIL)
    text = render_html(study, title=EVIL)
    page = Page(text)
    assert not page.all("script")
    assert not page.all("img")
    assert "<script" not in text
    assert page.texts("h1") == [EVIL]
    assert text.count("&lt;script&gt;") > 10


def test_without_jinja2_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingDependencyError, match=r"custseg\[report\]"):
        render_html(stand_in())


TINTS = [("on4", "u4"), ("on4", "d4"), ("on3", "u3"), ("on3", "d3")]
TINTS += [("ink", f"{side}{step}") for side in "ud" for step in (1, 2)]
CONTRASTS = [*TINTS, ("ink", "paper"), ("ink", "card"), ("soft", "paper"), ("soft", "card"), ("accent", "paper")]
CONTRASTS += [("note-ink", "note"), ("more", "paper"), ("less", "paper"), ("ink", "do"), ("soft", "do")]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("front", "back"), CONTRASTS)
def test_text_stands_out_from_its_ground(scheme, front, back):
    style = render_html(stand_in())
    found = [re.findall(rf"--{name}: (#[0-9a-f]{{6}});", style)[scheme] for name in (front, back)]
    light, dark = sorted((luminance(colour) for colour in found), reverse=True)
    # level AA of the Web Content Accessibility Guidelines
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def luminance(colour):
    parts = [int(colour[position : position + 2], 16) / 255 for position in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_method_says_how_each_characteristic_entered_the_distance():
    page = Page(render_html(stand_in()))
    (section,) = page.all("section", id="method")
    method = {cell["text"] for tag in ("th", "td") for cell in inside(page, section, tag)}
    assert "Characteristics and how they entered the distance" in page.texts("caption")
    assert [row for row in page.texts("tr") if row.startswith("recencynumeric")] == ["recencynumeric1log(x + 2.5)0%"]
    assert {"68%", "n_pairs", "scikit-learn"} <= method


@pytest.mark.parametrize("render", [render_html, render_markdown])
def test_a_report_has_one_word_for_a_column_and_one_text_for_a_number(render):
    study = stand_in(("All",))
    told = replace(
        study.plan_.personas.personas[0],
        typical_customer={**TYPICAL, "behaviour__frequency": 3.0, "behaviour__monetary": 123500.0},
        traits=(trait("monetary", 123456.0, 98765.4, 0.9),),
    )
    study.plan_.personas.personas = [told]
    study.brief.audience_rule = Rule.read("behaviour__monetary >= 123456.5")
    page = render(study).replace("&gt;", ">")
    assert "behaviour: " not in page
    # a limit is told as it was set, what is measured of customers with the digits that it deserves
    # the page has no typical customer
    assert set(re.findall(r"12[34],\d+(?:\.\d+)?", page)) == {"123,456.5", "123,500"}
    assert "monetary >= 123,456.5" in page


def test_a_clusterer_without_an_embedder_has_settings_only():
    study = stand_in()
    study.plan_.segmentation.clusterer.embedder_ = None
    assert "Characteristics and how they entered the distance" not in Page(render_html(study)).texts("caption")


def test_a_matrix_of_one_table_has_no_column_of_tables():
    policies = tuple(replace(policy, table="", member="") for policy in stand_in().row_report_.policies)
    page = Page(render_html(stand_in(row_report=RowReport(n_rows=1_000, policies=policies))))
    assert next(row for row in page.texts("tr") if "amount" in row).startswith("amount is missingleft out12")


@pytest.mark.parametrize("render", [render_html, render_markdown, render_text])
def test_outcomes_stand_by_segment_with_their_intervals(render):
    text = " ".join(render(stand_in(outcomes=True)).replace("|", " ").split())
    assert "age: what became of each segment" in text
    for words in ("40%", "35% to 45%", "5% to 15%", "too few", "25%"):
        assert words in text
    assert "what became of" not in render(stand_in())

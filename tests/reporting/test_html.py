"""The page: complete in itself, escaped, in order, and saying what it must."""

from __future__ import annotations

import itertools
import re
import sys
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from custseg.characteristics._row_report import RowPolicy, RowReport
from custseg.exceptions import MissingDependencyError
from custseg.reporting import render_html, render_markdown, render_text
from custseg.segmentation import Rule
from custseg.validation import StabilityResult, Verdict
from tests.reporting.stand_in import EVIL, TYPICAL, persona, stability_falling, stand_in, table_of, trait

VOID = {"meta", "link", "rect", "line", "circle", "polyline"}


class Page(HTMLParser):
    """Every element with its attributes and its own text; fails where the nesting is broken."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.open = [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        names = [name for name, _ in attributes]
        assert len(set(names)) == len(names)
        element = {"tag": tag, "attributes": dict(attributes), "text": "", "inside": [e["tag"] for e in self.open]}
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop()["tag"] == tag

    def handle_data(self, data):
        for element in self.open:
            element["text"] += data

    def all(self, tag, **attributes):
        return [
            element
            for element in self.elements
            if element["tag"] == tag and attributes.items() <= element["attributes"].items()
        ]

    def texts(self, tag, **attributes):
        return [" ".join(element["text"].split()) for element in self.all(tag, **attributes)]


def suppressed():
    small = persona(2, "The rest", 4, 2004, suppressed=True, traits=(), typical_customer={})
    small = replace(small, n_customers=None, share=None, size="fewer than 10 customers")
    personas = [*stand_in().plan_.personas.personas[:2], small]
    table = table_of(stand_in().plan_.personas.personas)
    table.loc[2, ["n_customers", "share", "value", "value_share"]] = np.nan
    return stand_in(personas=personas, table=table)


STUDIES = {
    "natural": stand_in,
    "cut": lambda: stand_in(cut=True),
    "one point": lambda: stand_in(stability=stability_falling([3]), selection=None),
    "no stability": lambda: stand_in(stability=StabilityResult.empty(), row_report=RowReport(n_rows=0, policies=())),
    "suppressed": suppressed,
    "no value": lambda: stand_in(value=False),
    "outcomes": lambda: stand_in(outcomes=True),
}


@pytest.fixture(scope="module", params=STUDIES)
def study(request):
    return STUDIES[request.param]()


@pytest.fixture(scope="module")
def page(study):
    return Page(render_html(study))


def test_the_page_asks_nobody_for_anything(page):
    for element in page.elements:
        for name in ("src", "srcset", "data", "action", "poster", "background", "xlink:href"):
            assert name not in element["attributes"]
        assert element["attributes"].get("href", "#")[0] == "#" or element["attributes"]["href"] == "data:,"
        assert not [name for name in element["attributes"] if name.startswith("on")]
    assert not page.all("script") + page.all("iframe") + page.all("object")
    style = page.texts("style")[0]
    assert "url(" not in style
    assert "@import" not in style
    policy = page.all("meta", **{"http-equiv": "Content-Security-Policy"})[0]["attributes"]["content"]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:;")


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
    assert page.texts("html")[0].startswith("Customer segments")
    sections = [element["attributes"]["id"] for element in page.all("section")]
    assert sections == ["answer", "segments", "personas", "stability", "data", "method", "reading"]


def test_every_table_says_what_it_shows_and_what_its_headings_head(page):
    tables, captions = page.all("table"), page.texts("caption")
    assert len(tables) == len(captions) > 3
    assert all(captions)
    assert {element["attributes"].get("scope") for element in page.all("th")} == {"col", "row"}


def test_a_drawing_is_named_or_hidden(page):
    for drawing in page.all("svg"):
        assert drawing["attributes"].get("aria-hidden") == "true" or "chart-title" in str(drawing["attributes"])


def test_verdict_and_brief_stand_first(study, page):
    words = page.texts("div", **{"class": f"verdict {study.evidence_.verdict.word}"})
    assert words == [study.evidence_.verdict.sentence]
    brief = " ".join(page.texts("header"))
    assert "Retention. Which customers are slipping away" in brief
    assert "frequency >= 2" in brief
    assert "2,469 customers of the 2,500 in the tables" in brief


def test_each_group_has_a_row_and_a_card(study, page):
    found = study.plan_.personas.personas
    shown = found if study.cut_plan_ is None else study.cut_plan_.personas.personas
    personas = found if study.cut_plan_ is None else [*found, *shown]
    assert [text.removesuffix(" constructive") for text in page.texts("h3")] == [persona.name for persona in personas]
    table = page.all("section", id="segments")[0]["text"]
    assert all(persona.name in table for persona in shown)


def test_glossary_explains_every_term(page):
    terms = page.texts("dt")
    assert {"Lift", "Effect size", "Stability of a segment", "Adjusted Rand index"} <= set(terms)


def test_a_constructive_cut_is_labelled_wherever_it_is_shown():
    page = Page(render_html(stand_in(cut=True)))
    assert page.texts("h2")[1] == "A constructive cut into 3 groups"
    assert [text.endswith(" constructive") for text in page.texts("h3")] == [False, True, True, True]
    rows = [element for element in page.all("th", scope="row") if "stack" not in element["inside"]][:3]
    assert all(row["text"].strip().endswith("constructive") for row in rows)
    assert "No distinct segments were found." in page.texts("p", **{"class": "notice"})[0]


def test_chosen_segments_that_do_not_come_back_are_labelled_too():
    verdict = Verdict(word="constructive", sentence="The 3 segments are a constructive cut at best.")
    page = Page(render_html(stand_in(verdict=verdict)))
    assert all(text.endswith(" constructive") for text in page.texts("h3"))


def test_natural_segments_are_not_called_constructive():
    page = Page(render_html(stand_in()))
    assert not [text for text in page.texts("h3") if "constructive" in text]
    assert not page.all("p", **{"class": "notice"})


def test_traits_show_direction_here_elsewhere_and_the_mark_of_clustering():
    page = Page(render_html(stand_in(names=("Only",))))
    rows = [text for text in page.texts("tr") if "recency" in text or "income" in text]
    assert rows[0] == "▼lower: recency ● (used for clustering) 3.1median 41.7 -1.24"
    assert rows[1] == "▲higher: income: 100-124K or higher 31%share 13% +0.44"


def test_the_chart_has_a_point_per_number_of_segments_and_marks_the_shown_one():
    page = Page(render_html(stand_in()))
    circles = page.all("circle")
    assert len(circles) == 7
    assert [c["attributes"]["class"] for c in circles].index("point shown") == 1
    heights = [float(circle["attributes"]["cy"]) for circle in circles]
    assert heights == sorted(heights)
    described = page.texts("desc")[0]
    assert "2 segments:" in described
    assert "8 segments:" in described


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


def test_effect_bars_grow_from_the_middle_and_stay_inside():
    page = Page(render_html(stand_in(names=("Only",))))
    bars = [e["attributes"] for e in page.all("rect") if e["attributes"].get("class") in ("more", "less", "same")]
    spans = [(float(bar["x"]), float(bar["x"]) + float(bar["width"])) for bar in bars]
    assert spans[0][1] == 50
    assert spans[1][0] == 50
    assert spans[-1] == (50, 100)
    assert all(0 <= low <= high <= 100 for low, high in spans)


def test_without_jinja2_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingDependencyError, match=r"custseg\[report\]"):
        render_html(stand_in())


CONTRASTS = [("ink", "paper"), ("ink", "card"), ("soft", "paper"), ("soft", "card"), ("accent", "paper")]
CONTRASTS += [("note-ink", "note"), ("up", "card"), ("down", "card")]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("front", "back"), CONTRASTS)
def test_text_stands_out_from_its_ground(scheme, front, back):
    style = render_html(stand_in())
    found = [re.findall(rf"--{name}: (#[0-9a-f]{{6}})", style)[scheme] for name in (front, back)]
    light, dark = sorted((luminance(colour) for colour in found), reverse=True)
    # level AA of the Web Content Accessibility Guidelines
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def luminance(colour):
    parts = [int(colour[position : position + 2], 16) / 255 for position in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_method_says_how_each_characteristic_entered_the_distance():
    page = Page(render_html(stand_in()))
    method = page.all("section", id="method")[0]["text"].split()
    assert "Characteristics and how they entered the distance" in page.texts("caption")
    assert [row for row in page.texts("tr") if row.startswith("recency numeric")] == [
        "recency numeric 1 log(x + 2.5) 0%"
    ]
    assert {"68%", "n_pairs", "scikit-learn"} <= set(method)


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
    assert sorted(re.findall(r"12[34],\d+(?:\.\d+)?", page)) == ["123,456.5", "123,500", "123,500"]
    assert "monetary >= 123,456.5" in page


def test_a_clusterer_without_an_embedder_has_settings_only():
    study = stand_in()
    study.plan_.segmentation.clusterer.embedder_ = None
    assert "Characteristics and how they entered the distance" not in Page(render_html(study)).texts("caption")


def test_a_matrix_of_one_table_has_no_column_of_tables():
    policies = tuple(replace(policy, table="", member="") for policy in stand_in().row_report_.policies)
    page = Page(render_html(stand_in(row_report=RowReport(n_rows=1_000, policies=policies))))
    assert next(row for row in page.texts("tr") if "amount" in row).startswith("amount is missing left out 12")


@pytest.mark.parametrize("render", [render_html, render_markdown, render_text])
def test_outcomes_stand_by_segment_with_their_intervals(render):
    text = " ".join(render(stand_in(outcomes=True)).replace("|", " ").split())
    assert "age: what became of each segment" in text
    for words in ("40%", "35% to 45%", "5% to 15%", "too few", "25%"):
        assert words in text
    assert "what became of" not in render(stand_in())

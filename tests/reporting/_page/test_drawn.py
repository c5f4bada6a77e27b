"""What is drawn on the page: the figures of the Displays, on scales that can be compared."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from custseg.plotting import ComparisonDisplay, GorgeDisplay, SegmentMapDisplay
from custseg.reporting import render_html
from custseg.reporting._page.borders import gorge
from custseg.reporting._page.plots import UNITS, _Frame, _ticks
from custseg.validation import StabilityResult
from tests.reporting.html_page import Page, inside
from tests.reporting.stand_in import stand_in, table_of, trait, with_customers


@cache
def natural():
    """A study of three segments with customers, and its page."""
    study = with_customers(stand_in())
    return study, Page(render_html(study))


def test_segments_stand_in_the_order_of_their_value_or_else_of_their_size():
    people = stand_in().plan_.personas.personas
    table = table_of(people).assign(value_share=[0.2, 0.5, 0.3], value=[20.0, 50.0, 30.0])
    page = Page(render_html(with_customers(stand_in(personas=people, table=table))))
    order = [people[place].name for place in (1, 2, 0)]
    assert [text for text in page.texts("h3") if text in order][:3] == order
    heads = [element for element in page.all("th", scope="col") if "bdi" in str(element["children"])]
    assert [" ".join(head["text"].split()) for head in heads] == order
    assert "the segments that carry most of the value first" in page.texts("caption")[0]
    page = Page(render_html(stand_in(value=False)))
    assert page.texts("caption")[0] == "Share of the customers, the largest first."


def test_bars_of_customers_and_of_value_have_one_scale():
    people = stand_in().plan_.personas.personas
    table = table_of(people).assign(share=[0.25, 0.25, 0.5], value_share=[0.1, 0.8, 0.1])
    text = render_html(with_customers(stand_in(personas=people, table=table)))
    assert "--bars: minmax(0, 0.5fr) minmax(0, 0.8fr)" in text
    rows = re.findall(
        r'class="l">(\S+?)<svg width="(\S+?)%".*?class="r"><svg width="(\S+?)%".*?</svg>(\S+?)</td>', text
    )
    assert [tuple(row) for row in rows] == [
        ("25%", "50.0", "100.0", "80%"),
        ("50%", "100.0", "12.5", "10%"),
        ("25%", "50.0", "12.5", "10%"),
    ]


def test_the_comparison_is_that_of_the_display():
    study, page = natural()
    display = ComparisonDisplay(study.plan_.personas.compare(), labels=study.plan_.personas.column_labels)
    (section,) = page.all("section", id="glance")
    cells = [element for element in inside(page, section, "td") if element["attributes"]["class"] != "soft"]
    figures = [element["text"].split("▲")[0].split("▼")[0].split() for element in cells]
    assert [text[0] for text in figures] == display.data_["text"].tolist()
    tints = [
        f"{'u' if row.effect_size > 0 else 'd'}{row.step}" if row.step else "z" for row in display.data_.itertuples()
    ]
    assert [element["attributes"]["class"] for element in cells] == tints
    text = " ".join(section["text"].split())
    assert "made the segments, so they differ" in text
    assert "not used to make the segments: findings" in text


def test_strips_have_one_scale_in_every_segment():
    study = with_customers(stand_in())
    people = study.plan_.personas.personas
    for place, (here, effect) in enumerate(((60.0, 1.2), (40.0, 0.3), (20.0, -1.2))):
        told = trait("recency", here, 40.0, effect)
        people[place] = replace(people[place], traits=(told,))
    page = Page(render_html(study))
    dots = [float(e["attributes"]["cx"][:-1]) for e in page.all("circle") if "dot" in e["attributes"]["class"]]
    ticks = {e["attributes"]["x1"] for e in page.all("line", **{"class": "tick"})}
    assert len(ticks) == 1
    assert dots[0] > dots[1] > dots[2]
    bands = [e["attributes"] for e in page.all("rect", **{"class": "band"})]
    assert len({(band["x"], band["width"]) for band in bands}) == 1


def test_the_curve_has_a_point_per_number_of_segments_and_marks_the_shown_one():
    _, page = natural()
    circles = [e for e in page.all("circle") if e["attributes"]["class"].startswith("point")]
    assert len(circles) == 7
    assert [c["attributes"]["class"] for c in circles].index("point shown") == 1
    heights = [float(circle["attributes"]["cy"][:-1]) for circle in circles]
    assert heights == sorted(heights)
    described = next(text for text in page.texts("desc") if "refits" in text)
    assert "2: 0.9" in described
    assert ", 8: 0.2" in described


def test_pictures_hold_what_their_displays_hold():
    study, page = natural()
    plane = SegmentMapDisplay(study.plan_.personas.described, min_group_size=10)
    marks = [element["attributes"]["d"] for element in page.all("path", **{"class": "marks"})]
    assert sum(path.count("h0") for path in marks) == len(plane.data_)
    assert plane.title in page.texts("title")
    gorge = GorgeDisplay(study.plan_.personas.described, min_group_size=10)
    assert gorge.title in page.texts("p", **{"class": "figure-title"})
    assert len(page.all("div", **{"class": "panel"})) == 3


def test_bands_of_too_few_customers_are_not_drawn():
    study = with_customers(stand_in())
    flows = pd.DataFrame(
        {"from_n_segments": 2, "from_segment": [0, 0, 1, 1], "n_segments": 3, "segment": [0, 1, 1, 2]}
    ).assign(n_customers=[30, 9, 30, 10], share=0.5)
    segments = pd.DataFrame({"n_segments": [2, 2, 3, 3, 3], "segment": [0, 1, 0, 1, 2], "slsw": 0.9, "slsa": 0.9})
    segments = segments.assign(n_customers=[39, 40, 30, 39, 10])
    study.evidence_.stability = StabilityResult(
        numbers=(2, 3), adjusted_rand=np.full((2, 5), 0.9), segments=segments, reference_labels={}, flows=flows
    )
    page = Page(render_html(study))
    bands = [e for e in page.all("path") if e["attributes"]["class"] in ("stays", "goes")]
    assert len(bands) == 3


def test_the_outlines_of_a_gap_are_as_high_as_its_bars():
    study, _ = natural()
    display = GorgeDisplay(study.plan_.personas.described, min_group_size=10)
    for panel, (_, bars) in zip(gorge(display, [0, 1, 2]), display.data_.groupby("segment"), strict=True):
        both = bars["n_others"] + bars["n_members"]
        most = max(both.max(), bars["null"].max())
        for path, heights in ((panel.others, bars["n_others"]), (panel.members, both), (panel.null, bars["null"])):
            found = heights_of(path, len(bars))
            assert np.abs(found - heights.to_numpy() / most).max() <= 1 / UNITS


def heights_of(path, n_bars):
    """Walk along an outline; return how high it is above each bar."""
    heights, x, y = np.zeros(n_bars), 0, int(re.match(r"M0 (\d+)", path).group(1))
    for kind, number in re.findall(r"([VH])(\d+)", path):
        if kind == "V":
            y = int(number)
        else:
            first, x = x, int(number)
            heights[round(first * n_bars / UNITS) : round(x * n_bars / UNITS)] = 1 - y / UNITS
    return heights


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9))
def test_ticks_are_few_round_and_within_the_frame(low, span):
    ticks = _ticks(_Frame((2, 9), low, low + span))
    assert len(ticks) <= 6
    assert all(low - 1e-6 * span <= tick <= low + span * (1 + 1e-6) for tick in ticks)

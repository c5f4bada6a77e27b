"""What is drawn on the page: the figures of the Displays, on scales that can be compared."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from custseg.plotting import (
    ComparisonDisplay,
    GorgeDisplay,
    SegmentMapDisplay,
    SegmentValueDisplay,
    StabilityDisplay,
)
from custseg.reporting import render_html
from custseg.reporting._contents import read_study
from custseg.reporting._page.borders import flow, gorge
from custseg.reporting._page.plots import UNITS, _Frame, _ticks
from custseg.reporting._page.strips import Scales
from custseg.reporting._page.value import in_order, value_bars
from custseg.validation import StabilityResult
from tests.reporting.html_page import Page, inside
from tests.reporting.stand_in import stand_in, table_of, trait, with_customers


@cache
def natural():
    """A study of three segments with customers, and its page."""
    study = with_customers(stand_in())
    return study, Page(render_html(study))


def groups_of(**columns):
    """Three segments with other figures."""
    people = stand_in().plan_.personas.personas
    table = table_of(people).assign(**columns)
    contents = read_study(stand_in(personas=people, table=table), "")
    return contents.found.groups, SegmentValueDisplay(table.drop(columns="stability"))


def test_segments_stand_in_the_order_of_their_value_or_else_of_their_size():
    groups, display = groups_of(value_share=[0.2, 0.5, 0.3], value=[20.0, 50.0, 30.0], share=[0.2, 0.3, 0.5])
    assert [group.segment for group in in_order(groups, display)] == [1, 2, 0]
    assert [group.segment for group in in_order(groups, None)] == [0, 1, 2]
    _, page = natural()
    heads = [" ".join(head["text"].split()) for head in page.all("th", scope="col") if "bdi" in head["children"]]
    rows = [" ".join(row["text"].split()) for row in page.all("th", scope="row") if "a" in row["children"]]
    names = [name for name in page.texts("h3") if name in rows]
    assert heads == rows == names[:3]
    assert "the segments that carry most of the value first" in page.texts("caption")[0]
    page = Page(render_html(stand_in(value=False)))
    assert page.texts("caption")[0] == "Share of the customers, the largest first."


def test_bars_of_customers_and_of_value_have_one_scale():
    groups, display = groups_of(share=[0.25, 0.25, 0.5], value_share=[0.1, 0.8, 0.1])
    drawn = value_bars(in_order(groups, display), display, {})
    assert drawn.longest == (0.5, 0.8)
    assert [(bar.share, bar.size, bar.worth, bar.value) for bar in drawn.bars] == [
        ("25%", 50.0, 100.0, "80%"),
        ("50%", 100.0, 12.5, "10%"),
        ("25%", 50.0, 12.5, "10%"),
    ]
    assert [bar.is_above for bar in drawn.bars] == [True, False, False]


def test_a_value_that_is_negative_or_may_not_be_told_has_no_bar():
    groups, display = groups_of(share=[0.25, 0.25, 0.5], value_share=[1.2, -0.2, np.nan])
    drawn = value_bars(in_order(groups, display), display, {})
    assert [(bar.worth, bar.value) for bar in drawn.bars] == [(100.0, "120%"), (0.0, "-20%"), (0.0, "")]


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
    study, _ = natural()
    personas = study.plan_.personas
    told = [trait("recency", here, 40.0, 1.0) for here in (60.0, 40.0, 20.0)]
    scales = Scales(told, personas.compare(), personas.described)
    strips = [scales.strip(each, segment, 1 / 3) for segment, each in enumerate(told)]
    assert strips[0].dot > strips[1].dot > strips[2].dot
    assert len({(strip.tick, strip.band) for strip in strips}) == 1
    assert 0 <= strips[0].band[0] < strips[0].tick < strips[0].band[1] <= 100


def test_the_strip_of_a_share_goes_from_none_to_all():
    study, _ = natural()
    told = replace(trait("home", 0.6, 0.3, 0.5, statistic="share"), lift=1.5)
    scales = Scales([told], study.plan_.personas.compare(), study.plan_.personas.described)
    strip = scales.strip(told, 0, 1 / 3)
    assert (strip.band, strip.tick, strip.dot) == (None, 40.0, 60.0)
    # nobody here has it: everyone else has all of it
    strip = scales.strip(replace(told, segment_value=0.0, lift=0.0), 0, 1 / 3)
    assert (strip.tick, strip.dot) == (20.0, 0.0)


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
    flows = pd.DataFrame(
        {"from_n_segments": 2, "from_segment": [0, 0, 1, 1], "n_segments": 3, "segment": [0, 1, 1, 2]}
    ).assign(n_customers=[30, 9, 30, 10], share=0.5)
    segments = pd.DataFrame({"n_segments": [2, 2, 3, 3, 3], "segment": [0, 1, 0, 1, 2], "slsw": 0.9, "slsa": 0.9})
    segments = segments.assign(n_customers=[39, 40, 30, 39, 10])
    stability = StabilityResult(
        numbers=(2, 3), adjusted_rand=np.full((2, 5), 0.9), segments=segments, reference_labels={}, flows=flows
    )
    drawn = flow(StabilityDisplay(stability, 3), segments, 10, {0: 1, 1: 2, 2: 3})
    assert len(drawn.bands) == 3
    assert len(drawn.boxes) == 5
    assert [number for _, number, _ in drawn.numbers] == ["2", "3"]
    assert [lines[0][0] for _, lines in sorted(drawn.names)] == ["3", "2", "1"]


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

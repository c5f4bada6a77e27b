"""The slides, read back: titles, pictures with their texts, notes and personas; equal studies give equal files."""

from __future__ import annotations

import io
import sys

import pptx
import pytest
from PIL import Image
from pptx.enum.shapes import MSO_SHAPE_TYPE

from custseg.exceptions import MissingDependencyError
from custseg.reporting import check_report_path, write_report
from custseg.reporting._export import slides
from custseg.reporting._export.figures import Figure, Figures, figures_of
from custseg.reporting._export.slides import render_slides
from custseg.reporting._finding import finding
from tests.reporting.small import gaps, hostile, rules
from tests.reporting.stand_in import stand_in
from tests.sizes import WHOLE


class Sketch:
    """A picture that is quickly drawn, of a shape of its own."""

    title, how_to_read, alt_ = "More \x0b is more", "Up is more.", "One bar: 1."

    def __init__(self, width, height):
        self.size = width, height

    def save(self, path, *, heading):
        assert not heading
        Image.new("RGB", self.size).save(path)
        return path


@pytest.fixture
def quick(monkeypatch):
    pictures = Figures((Figure("01_wide", Sketch(400, 50)), Figure("02_high", Sketch(40, 400))), ())
    monkeypatch.setattr(slides, "figures_of", lambda study: pictures)


def deck(study, title="Spring"):
    return list(pptx.Presentation(io.BytesIO(render_slides(study, title))).slides)


def words(slide):
    return "\n".join(shape.text_frame.text for shape in slide.shapes if shape.has_text_frame)


@pytest.mark.parametrize("make", [stand_in, rules, hostile])
def test_the_verdict_the_pictures_and_the_personas_have_a_slide_each(quick, make):
    study = make()
    found = deck(study)
    personas = study.plan_.personas.personas
    assert len(found) == 1 + 2 + len(personas)
    assert found[0].shapes.title.text == "Spring"
    assert study.evidence_.verdict.sentence.partition(". ")[0] in words(found[0])
    for slide, persona in zip(found[3:], personas, strict=True):
        assert slide.shapes.title.text == persona.name.replace("\x07", "\\x07")


def test_a_cut_is_told_of_not_everyone(quick):
    study = stand_in(cut=True)
    names = [slide.shapes.title.text for slide in deck(study)[3:]]
    assert names == [persona.name for persona in study.cut_plan_.personas.personas]


def test_a_picture_fills_its_room_and_is_told_to_who_does_not_see_it(quick):
    study = stand_in()
    presentation = pptx.Presentation(io.BytesIO(render_slides(study, "Spring")))
    assert presentation.slide_width / presentation.slide_height == pytest.approx(16 / 9, rel=1e-3)
    for slide in list(presentation.slides)[1:3]:
        (picture,) = [shape for shape in slide.shapes if shape.shape_type == MSO_SHAPE_TYPE.PICTURE]
        assert picture._element._nvXxPr.cNvPr.get("descr") == "One bar: 1."
        assert slide.shapes.title.text == "More \\x0b is more"
        assert slide.notes_slide.notes_text_frame.text == "Up is more. One bar: 1."
        assert picture.top >= slide.shapes.title.top + slide.shapes.title.height
        assert picture.left >= 0
        assert picture.left + picture.width <= presentation.slide_width
        assert picture.top + picture.height <= presentation.slide_height
        drawn = picture.image.size
        assert picture.width / picture.height == pytest.approx(drawn[0] / drawn[1], rel=0.01)


def test_of_few_nothing_is_told(quick):
    study = rules()
    few = {persona.name for persona in study.personas_ if persona.suppressed}
    cards = [slide for slide in deck(study) if slide.shapes.title.text in few]
    assert len(cards) == len(few) > 0
    assert all("they are left out" in words(slide) for slide in cards)


def test_equal_studies_give_equal_files_whenever_they_are_written(quick, monkeypatch):
    first = render_slides(stand_in(), "Spring")
    monkeypatch.setattr("time.time", lambda: 2e9)
    assert render_slides(stand_in(), "Spring") == first
    properties = pptx.Presentation(io.BytesIO(first)).core_properties
    assert properties.title == "Spring"
    assert properties.created == properties.modified


def test_the_ending_writes_them(quick, tmp_path):
    path = write_report(stand_in(), tmp_path / "deck.pptx")
    assert pptx.Presentation(path).slides[0].shapes.title.text == finding(stand_in())


@pytest.mark.parametrize("library", ["pptx", "matplotlib"])
def test_a_library_is_missed_before_the_work(tmp_path, monkeypatch, library):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingDependencyError, match=f"the PowerPoint report needs the library '{library}'"):
        check_report_path(tmp_path / "deck.pptx")


@pytest.mark.thorough
@pytest.mark.skipif(not WHOLE, reason="the pictures are drawn twice")
def test_real_pictures_have_slides_that_are_the_same_each_time():
    study = gaps()
    titles = [slide.shapes.title.text for slide in deck(study)]
    assert titles[1:-2] == [figure.picture.title for figure in figures_of(study).drawn]
    assert render_slides(study, "Spring") == render_slides(study, "Spring")

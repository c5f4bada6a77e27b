"""The slides: the verdict, a slide for each picture, and a slide for each persona, to present and to change."""

from __future__ import annotations

import io
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from custseg._core.optional import require
from custseg._core.visible import visible
from custseg._core.words import format_effect
from custseg._version import __version__
from custseg.reporting._contents import Contents, Group, TraitLine, read_study
from custseg.reporting._export.figures import Figure, figures_of
from custseg.reporting._export.sketch import sketches
from custseg.reporting._export.zipped import timeless
from custseg.reporting._study import FittedStudy

__all__ = ["NEEDED_BY", "render_slides"]

NEEDED_BY = "the PowerPoint report"

_WIDTH, _HEIGHT, _MARGIN, _TOP, _FOOT = 13.333, 7.5, 0.6, 1.45, 0.35
_INK, _SOFT, _MORE = "1D2530", "566170", "17607A"
_TITLE, _LEAD, _BODY, _FACT, _SMALL = 26, 20, 16, 14, 12
_ARROWS = {"more": "▲", "less": "▼", "same": "="}
_MOST_TRAITS = 6
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

Line = tuple[str, int, str, bool]
"""A paragraph: its words, their size, colour, and whether they are bold."""


def render_slides(study: FittedStudy, title: str) -> bytes:
    """Return a study as a PowerPoint file: the same bytes for the same study."""
    deck = require("pptx", NEEDED_BY).Presentation()
    util = require("pptx.util", NEEDED_BY)
    deck.slide_width, deck.slide_height = util.Inches(_WIDTH), util.Inches(_HEIGHT)
    deck.core_properties.title, deck.core_properties.author = _text(title), f"custseg {__version__}"
    contents = read_study(study, title)
    _say(_slide(deck, title), _verdict(contents))
    figures = figures_of(study)
    with tempfile.TemporaryDirectory() as folder:
        for figure in figures.drawn:
            _show(_slide(deck, figure.picture.title), figure, folder)
    told = sketches(study, contents)
    for group in (contents.cut or contents.found).groups:
        slide = _slide(deck, group.name)
        _say(slide, _card(group))
        # what has no room on the slide is for who speaks
        beside = [f"{term}: {words}" for term, words in told.get(group.segment, ())]
        slide.notes_slide.notes_text_frame.text = "\n".join(map(_text, beside))
    out = io.BytesIO()
    deck.save(out)
    return timeless(out.getvalue())


def _text(words: str) -> str:
    """Spell out what turns the direction of writing and what XML cannot hold."""
    return _NO_XML.sub("", visible(words))


def _slide(deck: Any, title: str) -> Any:
    """Add a slide with its title in the place that layouts, outlines and screen readers know."""
    util = require("pptx.util", NEEDED_BY)
    (only_title,) = (layout for layout in deck.slide_layouts if layout.name == "Title Only")
    slide = deck.slides.add_slide(only_title)
    shape = slide.shapes.title
    shape.left, shape.top = util.Inches(_MARGIN), util.Inches(_FOOT)
    shape.width, shape.height = util.Inches(_WIDTH - 2 * _MARGIN), util.Inches(_TOP - _FOOT)
    _fill(shape.text_frame, [(title, _TITLE, _INK, True)], anchor="MIDDLE")
    return slide


def _say(slide: Any, lines: Sequence[Line]) -> None:
    util = require("pptx.util", NEEDED_BY)
    size = (_MARGIN, _TOP, _WIDTH - 2 * _MARGIN, _HEIGHT - _TOP - _FOOT)
    _fill(slide.shapes.add_textbox(*map(util.Inches, size)).text_frame, lines, anchor="TOP")


def _fill(frame: Any, lines: Sequence[Line], *, anchor: str) -> None:
    util, text, color = (require(f"pptx.{name}", NEEDED_BY) for name in ("util", "enum.text", "dml.color"))
    frame.word_wrap, frame.vertical_anchor = True, getattr(text.MSO_ANCHOR, anchor)
    for place, (words, size, colour, bold) in enumerate(lines):
        paragraph = frame.paragraphs[0] if place == 0 else frame.add_paragraph()
        paragraph.alignment, paragraph.space_after = text.PP_ALIGN.LEFT, util.Pt(size / 3)
        run = paragraph.add_run()
        run.text = _text(words)
        run.font.size, run.font.bold, run.font.name = util.Pt(size), bold, "Calibri"
        run.font.color.rgb = color.RGBColor.from_string(colour)


def _verdict(contents: Contents) -> list[Line]:
    lead, stop, more = contents.verdict.partition(". ")
    lines = [(lead + stop.rstrip(), _LEAD, _INK, False), (contents.notice, _BODY, _INK, False)]
    lines.append((more, _SMALL, _SOFT, False))
    lines += [(f"{term}: {figure} ({gloss})", _BODY, _INK, False) for term, figure, gloss in contents.figures]
    lines += [(f"{term}: {words}", _SMALL, _SOFT, False) for term, words in contents.brief]
    return [line for line in lines if line[0]]


def _show(slide: Any, figure: Figure, folder: str) -> None:
    """Put a picture below the title, as large as it has room, with its text for who does not see it."""
    util = require("pptx.util", NEEDED_BY)
    path = figure.picture.save(Path(folder) / f"{figure.stem}.png", heading=False)
    shape = slide.shapes.add_picture(str(path), 0, 0)
    room = util.Inches(_WIDTH - 2 * _MARGIN), util.Inches(_HEIGHT - _TOP - _FOOT)
    scale = min(room[0] / shape.width, room[1] / shape.height)
    shape.width, shape.height = int(shape.width * scale), int(shape.height * scale)
    shape.left, shape.top = (util.Inches(_WIDTH) - shape.width) // 2, util.Inches(_TOP)
    shape.name = figure.stem
    # no property of the library has the alternative text
    shape._element._nvXxPr.cNvPr.set("descr", _text(figure.picture.alt_))  # noqa: SLF001
    slide.notes_slide.notes_text_frame.text = _text(f"{figure.picture.how_to_read} {figure.picture.alt_}")


def _card(group: Group) -> list[Line]:
    lines: list[Line] = [(group.summary, _LEAD, _INK, False)]
    if group.suppressed:
        lines.append(("So few customers that figures could point at a person: they are left out.", _BODY, _SOFT, False))
    lines += [(_trait(trait), _FACT, _INK, False) for trait in group.traits[:_MOST_TRAITS]]
    for action, advice, because in group.actions:
        lines += [(f"→ {action}", _LEAD, _MORE, True), (advice, _BODY, _INK, False)]
        lines += [(f"Because: {because}.", _SMALL, _SOFT, False)] if because else []
    return lines


def _trait(trait: TraitLine) -> str:
    known = f" ({trait.known})" if trait.known else ""
    effect = "" if trait.effect is None else f"; effect {format_effect(trait.effect)}"
    here = f"{trait.here} here, {trait.elsewhere} elsewhere"
    return f"{_ARROWS[trait.direction]} {trait.characteristic}: {here}{effect}{known}"

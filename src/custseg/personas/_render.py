"""Personas as Markdown and as HTML; data is escaped here and nowhere before."""

from __future__ import annotations

from collections.abc import Sequence

from custseg._core._html import Html, element, join, table
from custseg._core.characteristic import Characteristic
from custseg._core.markdown import escape_markdown
from custseg._core.words import format_share
from custseg.personas._card.typical import write_typical
from custseg.personas._parts import UNKNOWN_SECTION
from custseg.personas._traits import Persona, Trait

CIRCULAR = (
    "Counted among the characteristics that formed the segments: that they differ in it is no finding, "
    "and its p-value is circular."
)
_MARK = "†"
_MOST_LISTED = 8
_ALONE = "What sets them apart"

STYLE = """
.custseg-personas { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
.custseg-personas section { margin: 0 0 1rem; padding: 0.75rem 1rem; max-width: 46rem;
  border: 1px solid light-dark(#cdd2d8, #3b434c); border-radius: 6px;
  color: light-dark(#1b1f24, #e6e8eb); background: light-dark(#fff, #16191d); }
.custseg-personas h2 { margin: 0; font-size: 1.25rem; }
.custseg-personas h3 { margin: 0.75rem 0 0.25rem; font-size: 1rem; }
.custseg-personas p, .custseg-personas ul { margin: 0.25rem 0; }
.custseg-personas ul { padding-left: 1.25rem; }
.custseg-personas .persona-size, .custseg-personas .persona-note { color: light-dark(#4a525b, #a9b1ba); }
.custseg-personas th, .custseg-personas td { padding: 0.1rem 0.75rem 0.1rem 0; text-align: left; }
"""
"""For a page that has no style for personas: nothing outside them changes."""


def not_assigned(n_customers: int) -> str:
    """Say how many customers are in no segment, and so in no figure."""
    who = "1 customer is" if n_customers == 1 else f"{n_customers:,} customers are"
    return f"{who} not assigned to a segment and left out of every figure."


def _typical(persona: Persona, columns: Sequence[Characteristic]) -> list[tuple[str, str]]:
    """Return the characteristics of the typical customer in words, each with its value."""
    typical, known = persona.typical_customer, persona.known_shares
    return [
        (each.label, write_typical(typical[each.column], each, known.get(each.column, 1.0)))
        for each in columns
        if each.column in typical
    ]


def _share(persona: Persona) -> str:
    return "" if persona.share is None else format_share(persona.share)


def _size(persona: Persona) -> str:
    return persona.size if persona.share is None else f"{persona.size} ({_share(persona)})"


def _trait(trait: Trait) -> str:
    also = f"; {', '.join(trait.also)} likewise" if trait.also else ""
    return f"{trait.text}{also}{' ' + _MARK if trait.clustered_on else ''}"


def _lists(persona: Persona) -> list[tuple[str, list[str]]]:
    """Return headings with what stands under each, one line an item."""
    sections = persona.sections
    alone = len(sections) == 1 and sections[0][0] == UNKNOWN_SECTION
    told = [(_ALONE if alone else heading, [_trait(trait) for trait in traits]) for heading, traits in sections]
    told += [
        ("Where to reach them", [_trait(trait) for trait in persona.where_to_reach]),
        ("When they buy", [_trait(trait) for trait in persona.when]),
        ("Needs and concerns", [need.text for need in persona.needs]),
    ]
    return [(heading, lines) for heading, lines in told if lines]


def _sentences(persona: Persona) -> list[tuple[str, str]]:
    """Return what is said of the sketch as a whole: in what words it begins, and how it goes on."""
    told = [
        ("How well the sketch fits", "" if persona.prevalence is None else f"{persona.prevalence.text}."),
        ("Like everyone else in", _some(persona.like_everyone)),
        ("Known of few", _some(persona.known_of_few)),
        ("Careful", persona.answering_style),
    ]
    return [(lead, text) for lead, text in told if text]


def _some(told: Sequence[str]) -> str:
    more = len(told) - _MOST_LISTED
    return "; ".join(told[:_MOST_LISTED]) + (f"; and {more} more" if more > 0 else "")


def _notes(personas: Sequence[Persona], n_not_assigned: int) -> list[str]:
    notes = [not_assigned(n_not_assigned)] if n_not_assigned else []
    if any(trait.clustered_on for persona in personas for trait in persona.traits):
        notes.append(f"{_MARK} {CIRCULAR}")
    return notes


def to_markdown(personas: Sequence[Persona], columns: Sequence[Characteristic], n_not_assigned: int) -> str:
    """Write an overview table, a section for each persona, and the notes."""
    lines = ["| segment | persona | size | share |", "| ---: | --- | --- | ---: |"]
    lines += [
        f"| {persona.segment} | {escape_markdown(persona.name)} | {persona.size} | {_share(persona)} |"
        for persona in personas
    ]
    for persona in personas:
        lines += ["", f"## {escape_markdown(persona.name)}", "", escape_markdown(persona.summary)]
        for heading, told in _lists(persona):
            lines += ["", f"### {heading}", "", *(f"- {escape_markdown(line)}" for line in told)]
        for lead, text in _sentences(persona):
            lines += ["", f"**{lead}:** {escape_markdown(text)}"]
        if persona.typical_customer:
            typical = [
                f"{escape_markdown(name)} {escape_markdown(value)}" for name, value in _typical(persona, columns)
            ]
            lines += ["", f"Typical customer (synthetic): {'; '.join(typical)}."]
    for note in _notes(personas, n_not_assigned):
        lines += ["", note]
    return "\n".join(lines) + "\n"


def to_html(
    personas: Sequence[Persona], columns: Sequence[Characteristic], n_not_assigned: int, *, styled: bool = False
) -> Html:
    """Build one fragment: a section for each persona, then the notes."""
    sections = [_section(persona, columns) for persona in personas]
    notes = [element("p", note, class_="persona-note") for note in _notes(personas, n_not_assigned)]
    style = [element("style", Html(STYLE))] if styled else []
    return element("div", *style, *sections, *notes, class_="custseg-personas")


def _section(persona: Persona, columns: Sequence[Characteristic]) -> Html:
    parts = [
        element("h2", element("bdi", persona.name)),
        element("p", element("b", f"Segment {persona.segment}"), f": {_size(persona)}", class_="persona-size"),
    ]
    lists = _lists(persona)
    for heading, told in lists:
        parts += [element("h3", heading), element("ul", *(element("li", line) for line in told))]
    if not lists:
        parts.append(element("p", persona.summary))
    parts += [element("p", element("b", f"{lead}:"), f" {text}") for lead, text in _sentences(persona)]
    if persona.typical_customer:
        typical = table(("characteristic", "typical value"), _typical(persona, columns))
        parts.append(element("details", element("summary", "Typical customer (synthetic)"), typical))
    return element("section", join(parts), class_="persona")

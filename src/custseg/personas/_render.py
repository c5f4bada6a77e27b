"""Personas as Markdown and as HTML; data is escaped here and nowhere before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from custseg._core._html import Html, element, join, table
from custseg._core.coverage import known_of
from custseg._core.markdown import escape_markdown
from custseg._core.words import format_share, format_value, plain
from custseg.personas._traits import Persona, Trait

CIRCULAR = (
    "Counted among the characteristics that formed the segments: that they differ in it is no finding, "
    "and its p-value is circular."
)
_MARK = "†"


def not_assigned(n_customers: int) -> str:
    """Say how many customers are in no segment, and so in no figure."""
    who = "1 customer is" if n_customers == 1 else f"{n_customers:,} customers are"
    return f"{who} not assigned to a segment and left out of every figure."


def _typical(persona: Persona, labels: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the characteristics of the typical customer in words, each with its value."""
    known = persona.known_shares
    return [
        (labels[name], write_typical(value, known.get(name, 1.0))) for name, value in persona.typical_customer.items()
    ]


def write_typical(value: Any, known_share: float = 1.0) -> str:
    """Write a value of the typical customer, and of how many it is known where that is not most of them."""
    note = "" if value is None else known_of(known_share)
    return plain(format_value(value)) + (f" ({note})" if note else "")


def _share(persona: Persona) -> str:
    return "" if persona.share is None else format_share(persona.share)


def _size(persona: Persona) -> str:
    return persona.size if persona.share is None else f"{persona.size} ({_share(persona)})"


def _trait(trait: Trait) -> str:
    return f"{trait.text}{' ' + _MARK if trait.clustered_on else ''}"


def _notes(personas: Sequence[Persona], n_not_assigned: int) -> list[str]:
    notes = [not_assigned(n_not_assigned)] if n_not_assigned else []
    if any(trait.clustered_on for persona in personas for trait in persona.traits):
        notes.append(f"{_MARK} {CIRCULAR}")
    return notes


def to_markdown(personas: Sequence[Persona], labels: Mapping[str, str], n_not_assigned: int) -> str:
    """Write an overview table, a section for each persona, and the notes."""
    lines = ["| segment | persona | size | share |", "| ---: | --- | --- | ---: |"]
    lines += [
        f"| {persona.segment} | {escape_markdown(persona.name)} | {persona.size} | {_share(persona)} |"
        for persona in personas
    ]
    for persona in personas:
        lines += ["", f"## {escape_markdown(persona.name)}", "", escape_markdown(persona.summary)]
        if persona.traits:
            lines += ["", *(f"- {escape_markdown(_trait(trait))}" for trait in persona.traits)]
        if persona.typical_customer:
            typical = [f"{escape_markdown(name)} {escape_markdown(value)}" for name, value in _typical(persona, labels)]
            lines += ["", f"Typical customer (synthetic): {'; '.join(typical)}."]
    for note in _notes(personas, n_not_assigned):
        lines += ["", note]
    return "\n".join(lines) + "\n"


def to_html(personas: Sequence[Persona], labels: Mapping[str, str], n_not_assigned: int) -> Html:
    """Build one fragment: a section for each persona, then the notes."""
    sections = [_section(persona, labels) for persona in personas]
    notes = [element("p", note, class_="persona-note") for note in _notes(personas, n_not_assigned)]
    return element("div", *sections, *notes, class_="custseg-personas")


def _section(persona: Persona, labels: Mapping[str, str]) -> Html:
    parts = [
        element("h3", persona.name),
        element("p", element("b", f"Segment {persona.segment}"), f": {_size(persona)}", class_="persona-size"),
    ]
    if persona.traits:
        parts.append(element("ul", *(element("li", _trait(trait)) for trait in persona.traits)))
    else:
        parts.append(element("p", persona.summary))
    if persona.typical_customer:
        typical = table(("characteristic", "typical value"), _typical(persona, labels))
        parts.append(element("details", element("summary", "Typical customer (synthetic)"), typical))
    return element("section", join(parts), class_="persona")

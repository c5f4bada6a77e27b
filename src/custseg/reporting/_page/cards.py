"""One card for each segment: who they are, where to reach them, what to do, and how well the sketch fits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from custseg._core.words import format_share, format_total, is_year
from custseg.personas import Need, Persona, Trait
from custseg.plotting._for_reporting import shown_plan, with_unit, written
from custseg.reporting._contents import Contents, Group, rule_in_words
from custseg.reporting._page.strips import Scales, Strip
from custseg.reporting._page.value import agreement, money, times_average
from custseg.reporting._study import FittedStudy, compared
from custseg.validation import STABLE_SEGMENT

__all__ = ["Card", "Fact", "TraitRow", "cards_of"]

_KINDS = {"need": "Matters more to them", "concern": "Concerns", "strength": "Well served", "weakness": "Badly served"}


@dataclass(frozen=True)
class Fact:
    """A figure with its meter, in percent; ``mark`` is a limit on it."""

    term: str
    figure: str
    gloss: str
    meter: float
    mark: float | None = None


@dataclass(frozen=True)
class TraitRow:
    """One trait: here against elsewhere, and where the segment stands between the customers."""

    label: str
    direction: str
    here: str
    elsewhere: str
    note: str
    also: tuple[str, ...]
    strip: Strip | None
    is_share: bool


@dataclass(frozen=True)
class Card:
    """Everything on the card of a segment."""

    id: str
    kicker: str
    name: str
    tag: str
    lead: str
    is_suppressed: bool
    facts: tuple[Fact, ...]
    rule: str
    sections: tuple[tuple[str, tuple[TraitRow, ...]], ...]
    reach: tuple[TraitRow, ...]
    when: tuple[TraitRow, ...]
    needs: tuple[tuple[str, tuple[str, ...]], ...]
    action: tuple[str, str, str] | None
    fits: str
    like: tuple[str, ...]
    few: tuple[str, ...]
    answering: str
    nobody: str


def cards_of(study: FittedStudy, contents: Contents, groups: Sequence[Group]) -> tuple[Card, ...]:
    """Make the cards, in the order of the report."""
    plan, shown = shown_plan(study), contents.cut or contents.found
    personas = {persona.segment: persona for persona in plan.personas.personas}
    traits = [trait for persona in personas.values() for trait in _told(persona)]
    profile = compared(study)
    scales = None if profile is None else Scales(traits, profile, plan.personas.described)
    rules = getattr(plan.segmentation.clusterer, "rules_", ())
    currency = study.brief.currency or ""
    cards = []
    for position, group in enumerate(groups, 1):
        persona = personas[group.segment]
        rule = rules[group.segment] if group.segment < len(rules) else None
        others = "" if not rules or rule is not None else "everyone who meets none of the rules before"
        cards.append(
            Card(
                id=f"card-{position}",
                kicker=f"{'Group' if shown.constructive else 'Segment'} {position} of {len(groups)}",
                name=group.name,
                tag="constructive" if shown.constructive else "",
                lead=group.summary,
                is_suppressed=group.suppressed,
                facts=() if group.suppressed else tuple(_facts(group, currency)),
                rule=others if rule is None else rule_in_words(rule, plan.personas.column_labels),
                **_of_persona(persona, scales),
                action=group.actions[0] if group.actions else None,
            )
        )
    return tuple(cards)


def _told(persona: Persona) -> list[Trait]:
    sections = [trait for _, traits in persona.sections for trait in traits]
    return [*sections, *persona.where_to_reach, *persona.when]


def _of_persona(persona: Persona, scales: Scales | None) -> dict[str, Any]:
    def rows(traits: Sequence[Trait]) -> tuple[TraitRow, ...]:
        return tuple(_row(trait, persona, scales) for trait in traits)

    size = "" if persona.n_customers is None else f" of {format_total(persona.n_customers)} customers"
    return {
        "sections": tuple((heading, rows(traits)) for heading, traits in persona.sections),
        "reach": rows(persona.where_to_reach),
        "when": rows(persona.when),
        "needs": _needs(persona.needs),
        "fits": "" if persona.prevalence is None else _sentence(persona.prevalence.text),
        "like": persona.like_everyone,
        "few": persona.known_of_few,
        "answering": persona.answering_style,
        "nobody": f"Medians, means and shares{size}: a sketch, nobody's record." if persona.traits else "",
    }


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _facts(group: Group, currency: str) -> list[Fact]:
    facts, size, share = [], group.n_customers, group.share or 0.0
    if size is not None:
        facts.append(Fact("Customers", format_total(size), f"{format_share(share)} of all", _meter(share)))
    if group.value is not None and group.value_share is not None and size:
        gloss = f"{f'{money(group.value / size)} {currency}'.rstrip()} each"
        gloss += f", {times_average(group.value_share / share)} times the average" if share else ""
        facts.append(Fact("Value", format_share(group.value_share), gloss, _meter(group.value_share)))
    if group.stability is not None:
        gloss = "of 1 in other samples"
        gloss += "" if group.stability >= STABLE_SEGMENT else ": not found again"
        figure = agreement(group.stability, STABLE_SEGMENT)
        facts.append(Fact("Comes back", figure, gloss, _meter(group.stability), 100 * STABLE_SEGMENT))
    return facts


def _meter(share: float) -> float:
    return round(100 * min(max(share, 0.0), 1.0), 1)


def _row(trait: Trait, persona: Persona, scales: Scales | None) -> TraitRow:
    is_share = "share" in (trait.statistic, trait.unit)
    if isinstance(trait.segment_value, str) or isinstance(trait.rest_value, str):
        here, elsewhere = str(trait.segment_value), str(trait.rest_value)
    else:
        figures = [trait.segment_value, trait.rest_value]
        here, elsewhere = written(figures, share=is_share, year=is_year(trait.label, trait.unit, figures))
    named = trait.level is not None and trait.kind != "binary"
    return TraitRow(
        label=f"{trait.label}: {trait.level}" if named else with_unit(trait.label, "" if is_share else trait.unit),
        direction="more" if trait.effect_size > 0 else "less",
        here=here,
        elsewhere=elsewhere,
        note=trait.note,
        also=trait.also,
        strip=None if scales is None else scales.strip(trait, persona.segment, persona.share),
        is_share=trait.statistic == "share",
    )


def _needs(needs: Sequence[Need]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    kinds: Mapping[str, list[str]] = {kind: [need.text for need in needs if need.kind == kind] for kind in _KINDS}
    return tuple((_KINDS[kind], tuple(texts)) for kind, texts in kinds.items() if texts)

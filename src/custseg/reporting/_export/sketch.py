"""What the card of a persona says beside its traits, in words that any form can hold."""

from __future__ import annotations

from collections.abc import Sequence

from custseg.reporting._contents import Contents
from custseg.reporting._page.cards import TraitRow, cards_of
from custseg.reporting._study import FittedStudy

__all__ = ["sketches"]

Sketch = tuple[tuple[str, str], ...]


def sketches(study: FittedStudy, contents: Contents) -> dict[int, Sketch]:
    """Return terms and words by segment: where and when they are met, needs, how well it fits, what is not known."""
    groups = (contents.cut or contents.found).groups
    told = {}
    for group, card in zip(groups, cards_of(study, contents, groups), strict=True):
        terms = [("Rule", card.rule), ("Where to reach them", _rows(card.reach)), ("When", _rows(card.when))]
        terms += [(kind, "; ".join(texts)) for kind, texts in card.needs]
        terms += [("How well the sketch fits", card.fits), ("Like everyone else in", ", ".join(card.like))]
        terms += [("Known of few", "; ".join(card.few)), ("Mind", card.answering)]
        told[group.segment] = tuple((term, words) for term, words in terms if words)
    return told


def _rows(rows: Sequence[TraitRow]) -> str:
    return "; ".join(
        f"{row.label} {row.here}, {row.elsewhere} elsewhere{f' ({row.note})' if row.note else ''}" for row in rows
    )

"""The page of a study: the words of a report, in the order of the segments, with everything that is drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from custseg._core.words import format_number, format_share, format_total, known
from custseg.plotting import GorgeDisplay
from custseg.plotting._for_reporting import joined, sentence, shown_plan
from custseg.reporting._contents import Contents, Group
from custseg.reporting._page.borders import Flow, Panel, flow, gorge
from custseg.reporting._page.cards import Card, cards_of
from custseg.reporting._page.glance import Glance, glance
from custseg.reporting._page.pictures import Pictures
from custseg.reporting._page.plane import Plane, plane
from custseg.reporting._page.plots import Plot, selection_plots, stability_plot
from custseg.reporting._page.value import ValueBars, agreement, in_order, value_bars
from custseg.reporting._study import FittedStudy
from custseg.validation import STABLE_ADJUSTED_RAND, STABLE_SEGMENT, Evidence

__all__ = ["Page", "page_of"]

# a cut into two has no cards: the second would say of everything the opposite of the first
_MIRRORED = 2
# figures that belong to what was asked
_ASKED = ("Not assigned", "Value")
# the comparison of segments needs so many rem of width, and for each segment
_LABELS, _COLUMN = 18, 5.25


@dataclass(frozen=True)
class Page:
    """What stands on the page beside its ``contents``."""

    kicker: str
    lead: str
    known: str
    more: str
    order: str
    each: str
    bars: ValueBars
    currency: str
    figures: tuple[tuple[str, str], ...]
    todo: tuple[tuple[str, tuple[str, str, str]], ...]
    glance: Glance | None
    cards: tuple[Card, ...]
    plane: Plane | None
    gorge: tuple[Panel, ...]
    gorge_title: str
    gorge_how: str
    curve: Plot | None
    back: tuple[tuple[str, float, str, bool], ...]
    back_title: str
    back_how: str
    flow: Flow | None
    selection: tuple[Plot, ...]
    selection_title: str
    selection_how: str
    data: str
    missing: tuple[tuple[str, str], ...]

    @property
    def rules(self) -> str:
        """The rules of style that depend on the figures: both sides of the bars on one scale, and room for segments."""
        left, right = (f"minmax(0, {longest:g}fr)" for longest in self.bars.longest)
        bars = f"{left} {right}" if self.bars.has_value else left
        return f":root {{ --bars: {bars}; --least: {_LABELS + _COLUMN * len(self.bars.bars):g}rem; }}\n"


def page_of(study: FittedStudy, contents: Contents) -> Page:
    """Lay out the page of a fitted study."""
    shown, pictures = contents.cut or contents.found, Pictures.of(study)
    groups = in_order(shown.groups, pictures.value)
    number = {group.segment: place for place, group in enumerate(groups, 1)}
    mirrored = contents.cut is not None and len(groups) == _MIRRORED and pictures.comparison is not None
    cards = () if mirrored else cards_of(study, contents, groups)
    links = {group.segment: card.id for group, card in zip(groups, cards, strict=False)}
    order, stability = [group.segment for group in groups], pictures.stability
    lead, known_, more = _verdict(study.evidence_, contents, pictures.gorge)
    least = shown_plan(study).personas.describer.min_group_size
    return Page(
        kicker=_kicker(study, contents),
        lead=lead,
        known=known_,
        more=more,
        order="the segments that carry most of the value first" if pictures.value else "the largest first",
        each="Group" if shown.constructive else "Segment",
        bars=value_bars(groups, pictures.value, links),
        currency=study.brief.currency or "Value",
        figures=tuple((term, f"{figure}: {gloss}") for term, figure, gloss in contents.figures if term in _ASKED),
        todo=() if cards else _todo(groups),
        glance=None if pictures.comparison is None else glance(pictures.comparison, order),
        cards=cards,
        plane=None if pictures.plane is None else plane(pictures.plane, number),
        gorge=() if pictures.gorge is None else gorge(pictures.gorge, order),
        gorge_title="" if pictures.gorge is None else pictures.gorge.title,
        gorge_how="" if pictures.gorge is None else pictures.gorge.how_to_read,
        curve=None if stability is None or len(contents.stability) < 2 else stability_plot(stability),
        back=_back(pictures, order),
        back_title="" if stability is None else stability.title,
        back_how="" if stability is None else stability.how_to_read,
        flow=None if stability is None else flow(stability, study.evidence_.stability.segments, least, number),
        selection=() if pictures.selection is None else selection_plots(pictures.selection),
        selection_title="" if pictures.selection is None else pictures.selection.title,
        selection_how="" if pictures.selection is None else pictures.selection.how_to_read,
        data=_data(study),
        missing=tuple(pictures.missing.items()),
    )


def _kicker(study: FittedStudy, contents: Contents) -> str:
    brief = dict(contents.brief)
    return f"{brief['Customers']} · goal: {study.brief.goal}"


def _verdict(evidence: Evidence, contents: Contents, borders: GorgeDisplay | None) -> tuple[str, str, str]:
    """Return the verdict in a sentence, how we know in another, and all else that was said of it."""
    lead, stop, more = contents.verdict.partition(". ")
    lead = lead + stop.rstrip()
    if contents.word == "defined":
        return lead, more, more
    told, selection = [], evidence.selection
    if selection is not None and known(getattr(selection, "effect", None)):
        if selection.structured:
            told.append(f"they are {format_share(1 - math.exp(-selection.effect))} more compact than one continuum")
        else:
            told.append("one continuum splits as well")
        told[-1] += f" (p = {format_number(selection.p_value, 2)})"
    shown = contents.cut or contents.found
    if shown.mean_adjusted_rand is not None:
        told.append(f"refits agree to {agreement(shown.mean_adjusted_rand, STABLE_ADJUSTED_RAND)} of 1")
    if borders is not None:
        here, null = (float(borders.segments_[name].mean()) for name in ("near_border", "near_border_null"))
        told.append(f"{format_share(here)} of the customers stand near a border, {format_share(null)} of a continuum")
    return lead, f"{sentence('; '.join(told))}." if told else "", more


def _todo(groups: Sequence[Group]) -> tuple[tuple[str, tuple[str, str, str]], ...]:
    """Return what to do about each group that has no card; what is done for all of them is said once."""
    told = [(group.name, action) for group in groups for action in group.actions]
    if len({action for _, action in told}) == 1 < len(told):
        return (("All of them", told[0][1]),)
    return tuple(told)


def _back(pictures: Pictures, order: list[int]) -> tuple[tuple[str, float, str, bool], ...]:
    """Return how well each segment comes back: its name, percent, figure, and whether that is enough."""
    if pictures.stability is None:
        return ()
    rows = {row["segment"]: row for row in pictures.stability.segments_.to_dict("records")}
    return tuple(
        (
            str(rows[segment]["name"]),
            round(100 * rows[segment]["slsw"], 1),
            agreement(rows[segment]["slsw"], STABLE_SEGMENT),
            bool(rows[segment]["trusted"]),
        )
        for segment in order
        if segment in rows
    )


def _data(study: FittedStudy) -> str:
    """Say in one sentence what was read, and what became of every row."""
    tables = study.tables_read_.drop_duplicates()
    named = tables if "table" in tables else tables.assign(table="the table")
    read = [
        f"{format_total(rows['rows'].iloc[0])} rows of {name} ({' to '.join(_left(rows['rows left out']))} left out)"
        for name, rows in named.groupby("table", sort=False)
    ]
    told = [f"Read: {joined(read)}"] if read else []
    policies = [policy for policy in study.row_report_.policies if policy.n_rows]
    if policies:
        rows = [f"{format_total(policy.n_rows)} rows, {policy.policy} ({policy.action})" for policy in policies]
        told.append(f"of these {joined(list(dict.fromkeys(rows)))}")
    if study.match_report_ is not None and (strangers := int(study.match_report_["n_unmatched"].sum())):
        told.append(f"{format_total(strangers)} customers of other tables are not in the first, and left out")
    if outside := study.n_customers_seen_ - study.plan_.segmentation.n_customers:
        told.append(f"{format_total(outside)} customers are outside the audience of the brief")
    return f"{'; '.join(told)}." if told else ""


def _left(figures: object) -> list[str]:
    """Of several members that read a table, each may have left out others of its rows."""
    return [format_total(figure) for figure in sorted(set(figures))]  # type: ignore[call-overload]

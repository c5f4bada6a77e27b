"""What stands on each sheet of the workbook: cells with a value, a number format and a look, and no library yet."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from custseg._core.visible import visible
from custseg._core.words import known
from custseg._version import __version__
from custseg.plotting import ComparisonDisplay
from custseg.reporting._contents import Contents, Group, read_study
from custseg.reporting._data_table import DataTable
from custseg.reporting._export.sketch import sketches
from custseg.reporting._study import FittedStudy, comparison_of
from custseg.segmentation import Segmentation
from custseg.targeting import Plan

__all__ = ["MOST_ROWS", "Cell", "Sheet", "sheets_of"]

MOST_ROWS = 1_048_576
"""Of a sheet, as Excel has them."""

_SHARE, _FINE_SHARE, _WHOLE, _PLAIN, _CENTS = "0%", "0.0%", "#,##0", "0", "0.00"
_ARROWS = {0: "", 1: " ▲", 2: " ▲▲", -1: " ▼", -2: " ▼▼"}
_TWICE = 4
_LEGEND = "▲ higher, ▼ lower than among all other customers; the darker, the clearer: effects of .2, .5, .8 and 1.2. "


@dataclass(frozen=True)
class Cell:
    """A value, and how it looks: its number format, and a role that the writer knows.

    Roles are "title", "note", "head", "name", "wide" (over the rest of the row), "text", and steps of an effect from -4
    to 4 as numbers.
    """

    value: Any
    form: str = "General"
    role: str | int = "text"


Row = Sequence[Cell]


@dataclass(frozen=True)
class Sheet:
    """A sheet: its rows, how many of them stay in sight, and whether the last of these is a head to filter by."""

    name: str
    widths: tuple[int, ...]
    rows: Iterable[Row]
    n_frozen: int = 0
    is_filtered: bool = False


def sheets_of(study: FittedStudy, title: str) -> Iterator[Sheet]:
    """Lay out a study for work, sheet by sheet."""
    contents, plan = read_study(study, title), study.cut_plan_ or study.plan_
    yield _segments(contents, study.brief.currency)
    display = comparison_of(study)
    if display is not None:
        yield _comparison(display)
    yield _personas(contents, sketches(study, contents))
    if len(study.outcomes_):
        yield _outcomes(study.outcomes_, plan)
    yield from _customers(plan.segmentation)
    yield _columns(plan)
    yield Sheet("Read", (44, 24, 24, 24, 60), list(_tables(contents.read, contents.checked)))
    yield Sheet("About", (28, 60, 16, 30, 16), list(_about(contents)))


def _text(value: object, role: str = "text") -> Cell:
    return Cell(visible(value, keep="\n"), role=role)


def _number(value: Any, form: str) -> Cell:
    return Cell(float(value) if known(value) else None, form)


def _share(value: Any) -> Cell:
    """Write a share in percent, with a decimal where it would look like nobody or everyone."""
    is_fine = known(value) and (0 < value < 0.005 or 0.995 < value < 1)
    return _number(value, _FINE_SHARE if is_fine else _SHARE)


def _head(*names: str) -> list[Cell]:
    return [_text(name, "head") for name in names]


def _headed(title: str, note: str, names: Sequence[str]) -> list[Row]:
    return [[_text(title, "title")], [_text(note, "note")], [], _head(*names)]


def _segments(contents: Contents, currency: str | None) -> Sheet:
    """Lay out a row per segment: how many, what they are worth, whether it comes back, what to do."""
    part = contents.cut or contents.found
    money = f", {currency}" if currency else ""
    value = [f"Value{money}", "Share of value", f"Value per customer{money}", "Index, 100 = average"]
    names = ["Number", "Group" if part.constructive else "Segment", "Customers", "Share of customers"]
    names += [*(value if part.has_value else []), "Comes back (SLSw, 0 to 1)", "Action", "Advice", "Because"]
    rows = _headed(contents.title, contents.verdict, names)
    widths = (9, 34, 12, 12, *((16, 12, 16, 12) if part.has_value else ()), 14, 26, 60, 50)
    rows += [_segment(group, has_value=part.has_value) for group in part.groups]
    return Sheet("Segments", widths, rows, n_frozen=4, is_filtered=True)


def _segment(group: Group, *, has_value: bool) -> Row:
    size = _number(group.n_customers, _WHOLE) if known(group.n_customers) else _text(group.size)
    row = [Cell(group.segment, _PLAIN), _text(group.name, "name"), size, _share(group.share)]
    if has_value:
        each, index = _ratio(group.value, group.n_customers), _ratio(group.value_share, group.share)
        row += [_number(group.value, _WHOLE), _share(group.value_share), _number(each, "#,##0.00")]
        row.append(_number(None if index is None else 100 * index, _PLAIN))
    (action, advice, because), *_ = (*group.actions, ("", "", ""))
    return [*row, _number(group.stability, _CENTS), _text(action), _text(advice), _text(because)]


def _ratio(one: float | None, other: float | None) -> float | None:
    return one / other if one is not None and other else None


def _comparison(display: ComparisonDisplay) -> Sheet:
    """Lay out a row per characteristic, tinted as its picture."""
    names = [visible(name) for name in display.segments_["name"]]
    note = f"{_LEGEND}Empty where too few are known to be told of. Medians, means and shares in original units."
    rows = _headed(display.title, note, ["Tells of", "Characteristic", "Made the segments", "Everyone", *names])
    for place in range(0, len(display.data_), len(names)):
        rows.append(_compared(display.data_.iloc[place : place + len(names)]))
    return Sheet("Comparison", (18, 40, 12, 14, *[18] * len(names)), rows, n_frozen=4, is_filtered=True)


def _compared(cells: pd.DataFrame) -> Row:
    first = cells.iloc[0]
    form = _form([*cells["text"], first["overall_text"]])
    told = [
        _text(first["block"]),
        _text(first["label"], "name"),
        _text("yes" if first["used_for_clustering"] else "no"),
    ]
    row = [*told, _number(first["overall_value"], form)]
    for value, step, effect in zip(cells["segment_value"], cells["step"], cells["effect_size"], strict=True):
        sign = int(np.sign(effect)) if step else 0
        arrow = _ARROWS[sign * (2 if step == _TWICE else 1)]
        row.append(replace(_number(value, f'{form}"{arrow}"' if arrow else form), role=sign * int(step)))
    return row


def _form(texts: Sequence[str]) -> str:
    """Return the number format of figures that are written so; a year is a large number without a mark."""
    told = [text for text in texts if text]
    if any(text.endswith("%") for text in told):
        return _SHARE
    digits = max((len(text.partition(".")[2]) for text in told if "e" not in text), default=0)
    is_year = any("," not in text and text.isdigit() and len(text) >= 4 for text in told)
    return (_PLAIN if is_year else _WHOLE) + ("." + "0" * digits if digits else "")


def _personas(contents: Contents, told: Mapping[int, Sequence[tuple[str, str]]]) -> Sheet:
    """Lay out a block for each persona: name and sentence, then its traits here and elsewhere, then what to do."""
    names = ("Persona and traits", "Here", "Elsewhere", "Effect size", "Statistic", "Made the segments", "Known")
    rows: list[Row] = [[_text("Who they are", "title")], [], _head(*names)]
    for group in (contents.cut or contents.found).groups:
        rows.append([_text(group.name, "name"), _text(group.summary, "wide")])
        if group.suppressed:
            rows.append([_text("So few customers that figures could point at a person: they are left out.", "note")])
        for trait in group.traits:
            effect = replace(_number(trait.effect, "+0.00;-0.00;0.00"), role=_step(trait.effect))
            figures = [_text(trait.here), _text(trait.elsewhere), effect, _text(trait.statistic)]
            made = _text("yes" if trait.used_for_clustering else "no")
            rows.append([_text(trait.characteristic), *figures, made, _text(trait.known)])
        rows += [[_text(term), _text(words, "wide")] for term, words in told.get(group.segment, ())]
        rows += [[_text(f"→ {action}"), _text(advice, "wide")] for action, advice, _ in group.actions]
        rows.append([])
    return Sheet("Personas", (40, 20, 20, 12, 20, 12, 40), rows, n_frozen=3)


def _step(effect: float | None) -> int:
    if not known(effect) or effect is None:
        return 0
    return int(math.copysign(np.searchsorted((0.2, 0.5, 0.8, 1.2), abs(effect), side="right"), effect))


def _outcomes(outcomes: pd.DataFrame, plan: Plan) -> Sheet:
    """Tell what became of each segment, with intervals."""
    names = ["Outcome", "Level", "Segment", "Statistic", "Here", "95% from", "95% to", "All customers"]
    note = "They made no segment, and a difference does not say why. Empty where too few are known to be told of."
    rows = _headed("What became of them", note, names)
    for row in outcomes.to_dict("records"):
        write = _share if row["statistic"] == "share" else lambda value: _number(value, "#,##0.00")
        level = "" if row["level"] is None or pd.isna(row["level"]) else row["level"]
        words = (plan.personas.column_labels[row["outcome"]], level, row["name"], row["statistic"])
        figures = (row["value"], row["low"], row["high"], row["value_overall"])
        rows.append([*map(_text, words), *map(write, figures)])
    return Sheet("Outcomes", (30, 20, 34, 12, 12, 12, 12, 14), rows, n_frozen=4, is_filtered=True)


def _customers(segmentation: Segmentation) -> Iterator[Sheet]:
    """List every customer with the segment, on as many sheets as that takes; none where the customers are not held."""
    table = getattr(segmentation, "customer_table", None)
    if table is None or table.ids is None:
        return
    room = MOST_ROWS - 1
    for part, start in enumerate(range(0, table.n_customers, room), start=1):
        rows = _customer_rows(table.ids[start : start + room], segmentation, start)
        yield Sheet(f"Customers {part}" if part > 1 else "Customers", (28, 10, 40), rows, 1, is_filtered=True)


def _customer_rows(ids: Any, segmentation: Segmentation, start: int) -> Iterator[Row]:
    yield _head("Customer", "Number", "Segment")
    names = {label: _text(name) for label, name in enumerate(segmentation.segment_names)}
    labels = segmentation.labels[start : start + len(ids)].tolist()
    for customer, label in zip(ids.tolist(), labels, strict=True):
        yield [Cell(customer, _PLAIN), Cell(label, _PLAIN), names.get(label, _text("in no segment"))]


def _columns(plan: Plan) -> Sheet:
    """Explain the columns: what each says, and how it entered the distance."""
    names = ["Column", "In words", "Unit", "Criterion", "Role", "Kind", "Missing", "Made the segments", "Weight"]
    rows = _headed("What the columns are", "Weight 0: it describes the segments, and did not make them.", names)
    segmentation, labels = plan.segmentation, plan.personas.column_labels
    clusterer = segmentation.clusterer
    embedder = None if clusterer is None else clusterer.embedder_
    entered = {} if embedder is None else embedder.transforms_.set_index("column").to_dict("index")
    for each in segmentation.characteristics:
        own = entered.get(each.column, {})
        missing = own.get("missing_share", each.missing_share)
        kind = each.kind or own.get("kind", "")
        words = (each.column, labels[each.column], each.unit, each.criterion, each.role or "", kind)
        made = "yes" if each.column in segmentation.clustered_on else "no"
        row = [*map(_text, words), _share(None if missing is None else round(missing, 2)), _text(made)]
        rows.append([*row, _number(own.get("weight"), "0.##")])
    return Sheet("Columns", (34, 34, 20, 16, 18, 12, 10, 12, 10), rows, n_frozen=4, is_filtered=True)


def _tables(tables: Iterable[DataTable], checked: str) -> Iterator[Row]:
    yield [_text("What was read, and what was left out", "title")]
    for table in tables:
        yield from _table(table)
    if checked:
        yield from ([], [_text("Policies that touched no row", "name"), _text(checked, "wide")])


def _table(table: DataTable) -> Iterator[Row]:
    yield from ([], [_text(table.caption, "name")], _head(*table.columns))
    for row in table.rows:
        yield [_counted(text) if is_number else _text(text) for text, is_number in zip(row, table.numeric, strict=True)]


def _counted(text: str) -> Cell:
    """Take a count back out of its text."""
    digits = text.replace(",", "")
    return Cell(int(digits), _WHOLE) if digits.isdigit() else _text(text)


def _about(contents: Contents) -> Iterator[Row]:
    yield [_text(contents.title, "title")]
    told = [("Are these segments real?", contents.verdict), ("What they are good for", contents.notice)]
    told += [("What the data ask for", contents.selection or ""), ("What can be used", contents.largest or "")]
    for term, words in (*told, *contents.brief, ("Written by", f"custseg {__version__}")):
        if words:
            yield [_text(term, "name"), _text(words, "wide")]
    for table in contents.method:
        yield from _table(table)

"""The workbook: the sheets of a study as an Excel file, in which no text is run."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from typing import Any

from custseg._core.formulas import is_formula
from custseg._core.optional import require
from custseg._version import __version__
from custseg.reporting._export.sheets import Cell, Row, Sheet, sheets_of
from custseg.reporting._export.zipped import timeless
from custseg.reporting._study import FittedStudy

__all__ = ["NEEDED_BY", "render_workbook"]

NEEDED_BY = "the Excel report"

_INK, _SOFT, _PAPER, _HEAD, _LINE = "1D2530", "566170", "FFFFFF", "17607A", "DCDFE3"
# of effects from .2, .5, .8 and 1.2: more than elsewhere in blue, less in orange, as in the pictures
_TINTS = {1: "E4EFF3", 2: "B9D6E0", 3: "6FA9BD", 4: "17607A", -1: "FAE9DF", -2: "F2C9B0", -3: "DC9467", -4: "B4531F"}
_BOLD_FROM, _WHITE_FROM = 3, 4
_TITLE, _BODY = 14, 10
# beyond these digits a spreadsheet rounds whole numbers
_EXACT = 10**15
# what XML cannot hold, and what Excel takes for an escape of it
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")


def render_workbook(study: FittedStudy, title: str) -> bytes:
    """Return a study as an Excel file: the same bytes for the same study."""
    workbook = require("openpyxl", NEEDED_BY).Workbook(write_only=True)
    workbook.properties.creator, workbook.properties.title = f"custseg {__version__}", _written(title)
    looks = _looks()
    for sheet in sheets_of(study, title):
        _write(workbook.create_sheet(sheet.name), sheet, looks)
    out = io.BytesIO()
    workbook.save(out)
    return timeless(out.getvalue())


def _write(page: Any, sheet: Sheet, looks: Mapping[str | int, Mapping[str, Any]]) -> None:
    utils, cell = require("openpyxl.utils", NEEDED_BY), require("openpyxl.cell", NEEDED_BY).WriteOnlyCell
    for place, width in enumerate(sheet.widths, start=1):
        page.column_dimensions[utils.get_column_letter(place)].width = width
    last = utils.get_column_letter(len(sheet.widths))
    if sheet.n_frozen:
        page.freeze_panes = f"{'C' if sheet.is_filtered and len(sheet.widths) > 3 else 'A'}{sheet.n_frozen + 1}"
    page.page_setup.orientation, page.page_setup.fitToHeight = "landscape", 0
    page.sheet_properties.pageSetUpPr.fitToPage = True
    n_rows = 0
    for row in sheet.rows:
        n_rows += 1
        # a row is written as it is appended, and its height with it
        _span(page, row, n_rows, last)
        page.append([_styled(cell(page), each, looks) for each in row])
    if sheet.is_filtered:
        page.auto_filter.ref = f"A{sheet.n_frozen}:{last}{n_rows}"


def _span(page: Any, row: Row, number: int, last: str) -> None:
    """Let what is said of a whole row have the room of it."""
    if row and row[-1].role in ("wide", "note"):
        first = "AB"[len(row) - 1]
        page.merged_cells.add(f"{first}{number}:{last}{number}")
        room = sum(page.column_dimensions[letter].width for letter in _letters(first, last))
        page.row_dimensions[number].height = 14 * max(1, -(-len(str(row[-1].value)) // max(1, int(room))))


def _letters(first: str, last: str) -> Iterator[str]:
    utils = require("openpyxl.utils", NEEDED_BY)
    for place in range(utils.column_index_from_string(first), utils.column_index_from_string(last) + 1):
        yield utils.get_column_letter(place)


def _styled(page_cell: Any, cell: Cell, looks: Mapping[str | int, Mapping[str, Any]]) -> Any:
    value = cell.value
    if isinstance(value, bool) or not isinstance(value, (int, float, type(None))) or abs(value or 0) >= _EXACT:
        page_cell.value = _written(value)
        # a text is a text, whatever it begins with, and stays one where it is edited
        page_cell.data_type = "s"
        page_cell.quotePrefix = is_formula(page_cell.value)
    else:
        page_cell.value = value
    page_cell.number_format = cell.form
    for name, look in looks[cell.role].items():
        setattr(page_cell, name, look)
    return page_cell


def _written(value: object) -> str:
    """Spell out the characters that no workbook can hold."""
    text = _FORBIDDEN.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), str(value))
    return _ESCAPE.sub("_x005F_", text)


def _looks() -> dict[str | int, dict[str, Any]]:
    styles = require("openpyxl.styles", NEEDED_BY)

    def look(
        size: int = _BODY, colour: str = _INK, fill: str | None = None, *, bold: bool = False, wrap: bool = True
    ) -> dict[str, Any]:
        made = {
            "font": styles.Font(name="Calibri", size=size, bold=bold, color=colour),
            "alignment": styles.Alignment(vertical="top", wrap_text=wrap),
        }
        if fill is not None:
            made["fill"] = styles.PatternFill("solid", fgColor=fill)
            made["border"] = styles.Border(*[styles.Side("thin", color=_LINE)] * 4)
        return made

    tints: dict[str | int, dict[str, Any]] = {
        step: look(colour=_PAPER if abs(step) >= _WHITE_FROM else _INK, fill=tint, bold=abs(step) >= _BOLD_FROM)
        for step, tint in _TINTS.items()
    }
    return tints | {
        0: look(),
        "text": look(),
        "wide": look(),
        "name": look(bold=True),
        "title": look(_TITLE, bold=True, wrap=False),
        "note": look(colour=_SOFT),
        "head": look(colour=_PAPER, fill=_HEAD, bold=True),
    }

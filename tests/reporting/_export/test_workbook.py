"""The workbook, read back: what stands in it, that no text is run, and that equal studies give equal files."""

from __future__ import annotations

import io
import sys
from functools import cache

import openpyxl
import pytest

from custseg._core.customer_rows import without_customers
from custseg.exceptions import MissingDependencyError
from custseg.plotting import ComparisonDisplay
from custseg.reporting import check_report_path, write_report
from custseg.reporting._export import sheets, workbook
from custseg.reporting._export.workbook import render_workbook
from custseg.reporting._finding import finding
from custseg.reporting._study import compared
from tests.reporting.small import HOSTILE, STUDIES, continuum, gaps, hostile, natural, rules
from tests.reporting.stand_in import EVIL, stand_in
from tests.sizes import size


@cache
def book(make):
    return read(render_workbook(make(), finding(make())))


def read(content):
    return openpyxl.load_workbook(io.BytesIO(content))


def table(page, head=4):
    """The rows below the head, by its names."""
    rows = list(page.iter_rows(min_row=head, values_only=True))
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


@pytest.mark.thorough
@pytest.mark.parametrize("make", size([gaps, hostile], [*STUDIES.values()]))
def test_every_study_is_a_workbook_the_same_each_time(make):
    content = render_workbook(make(), "Spring")
    assert content == render_workbook(make(), "Spring")
    names = read(content).sheetnames
    expected = ["Segments", "Comparison", "Personas", "Outcomes", "Customers", "Columns", "Read", "About"]
    assert names == [name for name in expected if name != "Outcomes" or make is natural]


def test_no_moment_stands_in_it(monkeypatch):
    first = render_workbook(gaps(), "Spring")
    monkeypatch.setattr("time.time", lambda: 2e9)
    assert render_workbook(gaps(), "Spring") == first
    properties = read(first).properties
    assert properties.created == properties.modified
    assert properties.created.year == 1980


def test_the_ending_writes_it(tmp_path):
    path = write_report(gaps(), tmp_path / "book.xlsx", title="Spring")
    assert openpyxl.load_workbook(path)["Segments"]["A1"].value == "Spring"
    assert [each.name for each in tmp_path.iterdir()] == ["book.xlsx"]


def test_segments_bear_their_figures_as_numbers():
    rows = table(book(natural)["Segments"])
    expected = natural().segment_table_
    assert [row["Segment"] for row in rows] == expected["name"].tolist()
    assert [row["Customers"] for row in rows] == expected["n_customers"].tolist()
    assert [row["Value, EUR"] for row in rows] == pytest.approx(expected["value"].tolist())
    index = 100 * expected["value_share"] / expected["share"]
    assert [row["Index, 100 = average"] for row in rows] == pytest.approx(index.tolist())
    each = expected["value"] / expected["n_customers"]
    assert [row["Value per customer, EUR"] for row in rows] == pytest.approx(each.tolist())
    page = book(natural)["Segments"]
    forms = {page.cell(4, place).value: page.cell(5, place).number_format for place in range(1, page.max_column + 1)}
    assert (forms["Customers"], forms["Share of value"], forms["Value, EUR"]) == ("#,##0", "0%", "#,##0")


def test_a_cut_is_said_to_be_one_and_has_no_value():
    page = book(continuum)["Segments"]
    assert page["B4"].value == "Group"
    assert "No distinct segments were found" in page["A2"].value
    assert not any("Value" in str(cell.value) for cell in page[4])


def test_of_few_nothing_is_told():
    rows = {row["Segment"]: row for row in table(book(rules)["Segments"])}
    few = [persona for persona in rules().personas_ if persona.suppressed]
    assert few
    for persona in few:
        assert rows[persona.name]["Customers"] == persona.size
        assert rows[persona.name]["Value"] is rows[persona.name]["Share of customers"] is None
    shown = {cell.value for cell in book(rules)["Comparison"][4]}
    assert not shown & {persona.name for persona in few}


def test_the_comparison_is_that_of_the_picture():
    study, page = natural(), book(natural)["Comparison"]
    data = ComparisonDisplay(compared(study), labels=study.plan_.personas.column_labels).data_
    n_segments, rows = data["segment"].nunique(), table(page)
    assert len(rows) == len(data) / n_segments
    for place, row in enumerate(rows):
        own = data.iloc[place * n_segments : (place + 1) * n_segments]
        assert row["Characteristic"] == own["label"].iloc[0]
        assert [row[name] for name in own["name"]] == pytest.approx(own["segment_value"].tolist(), nan_ok=True)
        for cell, step, effect in zip(page[5 + place][4:], own["step"], own["effect_size"], strict=True):
            assert (cell.fill.fgColor.rgb == "00000000") is (step == 0)
            assert ("▲" in cell.number_format) is (step > 0 and effect > 0)
            assert ("▼" in cell.number_format) is (step > 0 and effect < 0)
    assert "left" not in {row["Characteristic"] for row in rows}


def test_figures_are_formatted_by_what_they_are():
    rows = {row[1].value: row for row in book(hostile)["Comparison"].iter_rows(min_row=5)}
    assert rows["year of birth"][3].number_format == "0"
    assert rows["@way: -2"][3].number_format == "0%"
    assert {row[1].value: row[3].number_format for row in book(natural)["Comparison"].iter_rows(min_row=5)}[
        "income"
    ] == "#,##0"


def test_heads_stay_in_sight_and_filter():
    for page in book(natural):
        assert page.page_setup.orientation == "landscape"
        assert all(page.column_dimensions[letter].width > 5 for letter in "ABC")
        if page.title in ("Segments", "Comparison", "Columns", "Outcomes"):
            assert page.freeze_panes == "C5"
            assert page.auto_filter.ref == f"A4:{page.cell(1, page.max_column).column_letter}{page.max_row}"
            assert page["A4"].font.bold
    assert book(natural)["Customers"].freeze_panes == "A2"


@pytest.mark.parametrize("make", [hostile, natural])
def test_no_text_is_run(make):
    cells = [cell for page in book(make) for row in page.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} <= {"s", "n"}
    formulas = [cell for cell in cells if isinstance(cell.value, str) and cell.value.startswith(("=", "+", "-", "@"))]
    assert all(cell.quotePrefix for cell in formulas)
    assert bool(formulas) is (make is hostile)


def test_names_are_kept_and_what_no_workbook_holds_is_spelt_out():
    page = book(hostile)["Segments"]
    assert [page["B5"].value, page["B6"].value] == ["=HYPERLINK(1)", "-\\x07b"]
    ids = [row[0].value for row in book(hostile)["Customers"].iter_rows(min_row=2)]
    assert sorted(ids) == sorted(f"{HOSTILE[place % len(HOSTILE)]}{place}" for place in range(90))
    assert "@way\\x0b" in [row["Column"] for row in table(book(hostile)["Columns"])]
    title = "_x0041_ \ud800 " + EVIL
    assert read(render_workbook(stand_in(), title))["Segments"]["A1"].value == "_x005F_x0041_ \\ud800 " + EVIL


def test_customers_bear_their_segments():
    study = gaps()
    rows = table(book(gaps)["Customers"], head=1)
    assert [row["Customer"] for row in rows] == study.customers_.index.tolist()
    assert [row["Number"] for row in rows] == study.labels_.tolist()
    assert {row["Segment"] for row in rows if row["Number"] == -1} == {"in no segment"}


def test_more_customers_than_a_sheet_holds_take_another(monkeypatch):
    monkeypatch.setattr(sheets, "MOST_ROWS", 51)
    pages = read(render_workbook(gaps(), "Spring"))
    named = [name for name in pages.sheetnames if name.startswith("Customers")]
    assert named == ["Customers", "Customers 2", "Customers 3"]
    found = [row["Customer"] for name in named for row in table(pages[name], head=1)]
    assert found == gaps().customers_.index.tolist()


def test_without_its_customers_a_study_has_no_sheet_of_them():
    study = natural()
    bare = without_customers(study, study.segmentation_.n_customers)
    pages = read(render_workbook(bare, finding(study)))
    assert "Customers" not in pages.sheetnames
    assert table(pages["Comparison"]) == table(book(natural)["Comparison"])


def test_large_ids_keep_their_digits():
    segmentation = natural().segmentation_
    rows = sheets._customer_rows(segmentation.customer_table.ids, segmentation, 0)
    next(rows)
    cell = next(rows)[0]
    page = openpyxl.Workbook(write_only=True).create_sheet()
    large = workbook._styled(openpyxl.cell.WriteOnlyCell(page), sheets.Cell(2**60 + 1), workbook._looks())
    assert (large.data_type, large.value) == ("s", str(2**60 + 1))
    assert isinstance(cell.value, int)


def test_the_dictionary_says_what_made_the_segments():
    rows = {row["Column"]: row for row in table(book(natural)["Columns"])}
    assert rows["who__age"]["Made the segments"] == "yes"
    assert (rows["who__household"]["Made the segments"], rows["who__household"]["Weight"]) == ("no", 0)
    assert rows["behaviour__monetary"]["Role"] == "monetary"
    assert "EUR" in rows["behaviour__monetary"]["Unit"]


def test_the_library_is_missed_before_the_work(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(MissingDependencyError, match=r"custseg\[excel\]"):
        check_report_path(tmp_path / "book.xlsx")

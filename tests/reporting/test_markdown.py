"""The report as Markdown: its order, and the segments side by side."""

from __future__ import annotations

import re

import pytest

from custseg.reporting import render_markdown
from custseg.reporting._finding import finding
from custseg.reporting._study import comparison_of
from tests.reporting.small import STUDIES, continuum, gaps, hostile, natural, rules
from tests.reporting.stand_in import stand_in
from tests.sizes import size


def headings(text):
    return re.findall(r"^##? (.*)$", text, re.MULTILINE)


def grid(text, heading):
    """The rows of the table below a heading, without head and line."""
    lines = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines if line.startswith("|")][2:]


@pytest.mark.parametrize("make", [natural, continuum])
def test_what_matters_most_comes_first(make):
    study = make()
    first = "Segments" if make is natural else f"A constructive cut into {study.cut_.n_segments} groups"
    text = render_markdown(study)
    assert headings(text) == [
        *(finding(study), first, "Side by side", *(["What became of them"] if make is natural else [])),
        *("Personas", "Do they come back?", "What was asked for"),
        *("What was read, what was dropped, and why", "Method", "How to read this report"),
    ]
    assert text.splitlines()[2].startswith(study.verdict_.sentence.partition(". ")[0])


@pytest.mark.thorough
@pytest.mark.parametrize("make", size([gaps, hostile, rules], [*STUDIES.values()]))
def test_every_figure_side_by_side_is_that_of_the_picture(make):
    study, data = make(), comparison_of(make()).data_
    n_segments = data["segment"].nunique()
    rows = [row for row in grid(render_markdown(study), "Side by side") if any(row[1:])]
    assert len(rows) == len(data) / n_segments
    for place, row in enumerate(rows):
        cells = data.iloc[place * n_segments : (place + 1) * n_segments]
        assert row[1] == cells["overall_text"].iloc[0].replace("<", "&lt;")
        for told, cell in zip(row[2:], cells.to_dict("records"), strict=True):
            assert told.strip("*").split(" ")[0] == (cell["text"] or "too").split(" ")[0]
            assert ("▲" in told, "▼" in told) == (
                cell["step"] > 0 and cell["effect_size"] > 0,
                cell["step"] > 0 and cell["effect_size"] < 0,
            )
            assert told.startswith("**") is (cell["step"] >= 3)


def test_what_a_customer_is_worth_stands_beside_the_segment():
    rows = grid(render_markdown(gaps()), "Segments")
    table = gaps().segment_table_
    assert [float(row[5].replace(",", "")) for row in rows] == pytest.approx(
        (table["value"] / table["n_customers"]).tolist(), rel=1e-3
    )
    assert [int(row[6]) for row in rows] == (100 * table["value_share"] / table["share"]).round().astype(int).tolist()


def test_of_few_nothing_is_told():
    few = [persona for persona in rules().personas_ if persona.suppressed]
    rows = {row[0]: row[1:] for row in grid(render_markdown(rules()), "Segments")}
    for persona in few:
        assert rows[persona.name][:3] == [persona.size, "unknown", "unknown"]
    assert all(
        persona.name not in render_markdown(rules()).partition("## Side by side")[2].partition("## ")[0]
        for persona in few
    )


def test_where_nobody_may_be_told_of_there_is_no_comparison():
    assert "Side by side" not in headings(render_markdown(stand_in()))


def test_hostile_names_stay_names():
    text = render_markdown(hostile())
    assert "<script>" not in text
    assert "\x0b" not in text
    assert len({len(row) for row in grid(text, "Side by side")}) == 1

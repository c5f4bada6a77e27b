"""A study on a terminal: the answer on one screen, fitted to its width, and all the rest where that is asked for."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from custseg._core.cells import n_cells
from custseg.characteristics._row_report import RowPolicy, RowReport
from custseg.exceptions import InvalidParameterError
from custseg.reporting import render_markdown, render_text
from custseg.validation import Verdict
from tests.reporting.stand_in import persona, stand_in, table_of

CODE = re.compile(r"\x1b\[[0-9;]*m")


def named(names):
    """A study of segments with these names."""
    personas = [persona(place, name, 100, 100 * len(names)) for place, name in enumerate(names)]
    table = table_of(personas).assign(stability=0.9)
    return stand_in(personas=personas, table=table)


@pytest.mark.parametrize("width", [40, 60, 75, 76, 80, 120])
@pytest.mark.parametrize("options", [{}, {"cut": True}, {"value": False}, {"outcomes": True}])
def test_no_line_is_wider_than_the_terminal(width, options):
    study = stand_in(**options)
    for short in (True, False):
        lines = render_text(study, width=width, short=short).splitlines()
        assert max(map(n_cells, lines)) <= min(width, 100)
    assert len(render_text(study, width=width, short=True).splitlines()) <= 21


@pytest.mark.parametrize("width", [40, 60, 80])
@pytest.mark.parametrize("n_segments", [2, 5, 9, 14, 30])
def test_the_answer_is_one_screen_however_many_segments(n_segments, width):
    names = [f"Segment {place} with a name that is longer than any column is wide" for place in range(n_segments)]
    lines = render_text(named(names), width=width, short=True).splitlines()
    assert len(lines) <= 21
    shown = sum(f"Segment {place} " in "\n".join(lines) for place in range(n_segments))
    hidden = [line for line in lines if line.startswith("and ")]
    assert shown == n_segments if not hidden else hidden[0].startswith(f"and {n_segments - shown} more: see --verbose")


def test_the_verdict_comes_first_and_in_one_sentence():
    first, sentence, *_ = render_text(stand_in(), short=True).splitlines()
    assert first.startswith("╭─ ")
    study = stand_in()
    assert sentence.strip("│ ").split(". ")[0] in study.evidence_.verdict.sentence


def test_what_is_not_known_has_no_column():
    text = render_text(stand_in(value=False), short=True)
    assert "customers" in text
    assert "value" not in text.partition("segment")[2]
    assert "\u00d7avg" not in text
    assert "unknown" not in text
    whole = render_text(stand_in(value=False))
    assert "share of value" not in whole


def test_columns_give_way_below_76():
    wide, narrow = (render_text(stand_in(), width=width, short=True) for width in (76, 75))
    assert "█" in wide
    assert "comes back" in wide
    assert "█" not in narrow
    assert "comes back" not in narrow
    assert "back" in narrow


def test_what_came_back_is_marked_and_what_did_not_looks_like_it():
    study = named(["First", "Second"])
    study.evidence_.stability_of = lambda segmentation: np.array([0.6, 0.5999])
    first, second = [line for line in render_text(study, short=True).splitlines() if line.startswith(("First", "Sec"))]
    assert first.endswith("0.60 ✓")
    assert second.endswith("0.59")


def test_an_action_for_all_of_them_is_said_once():
    text = render_text(named(["First", "Second", "Third"]), short=True)
    assert text.count("Win back first") == 1
    assert "→ For all of them: Win back first" in text


def test_names_cannot_steer_the_terminal_or_break_the_frame():
    study = named(["red\x1b[31m\nand \u202eback", "漢字 名前"])
    study.evidence_.verdict = Verdict(word="natural", sentence="The \x1b[31m segments. And more.")
    for options in ({}, {"short": True}):
        text = render_text(study, **options)
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert len({n_cells(line) for line in text.splitlines() if line[0:1] in "╭│╰" and line}) == 1


def test_colours_change_no_letter():
    pytest.importorskip("rich")
    plain, coloured = (render_text(stand_in(), short=True, colour=colour) for colour in (False, True))
    assert "\x1b[1m" in coloured
    bare = [line.rstrip() for line in CODE.sub("", coloured).splitlines()]
    assert bare == plain.splitlines()


def test_each_table_has_a_line_where_there_is_room():
    study = stand_in()
    assert "Read the table: 1,000 rows, 12 left out" in render_text(study, short=True)
    rows = [("lines", 9_000, 0), ("lines", 9_000, 20), ("people", 400, 3)]
    study.tables_read_ = pd.DataFrame(rows, columns=["table", "rows", "rows left out"])
    study.match_report_ = pd.DataFrame({"n_unmatched": [0, 2, 0]})
    lines = render_text(study, short=True).splitlines()
    assert "Read lines: 9,000 rows, 0 to 20 left out" in lines
    assert "Read people: 400 rows, 3 left out" in lines
    assert "2 customers of other tables are not in the first, and left out" in lines
    many = [(f"table {place}", 10, 1) for place in range(12)]
    study.tables_read_ = pd.DataFrame(many, columns=["table", "rows", "rows left out"])
    assert "Read 12 tables: 12 rows left out" in render_text(study, short=True)


def report(*policies):
    return RowReport(
        n_rows=10,
        policies=tuple(
            RowPolicy(policy, "kept", n, "Look.", table="lines", member=member) for policy, member, n in policies
        ),
    )


def test_what_members_of_one_table_share_is_said_once_and_named_where_they_differ():
    rows = report(("no id", "first", 3), ("no id", "second", 3), ("repeats", "first", 2), ("repeats", "second", 5))
    for render in (render_text, render_markdown):
        text = " ".join(render(stand_in(row_report=rows)).replace("|", " ").split())
        assert text.count("no id") == 1
        assert "repeats (first) kept 2" in text
        assert "repeats (second) kept 5" in text


def test_policies_that_touched_nothing_are_told_where_all_is():
    rows = report(("no id", "first", 0))
    assert "no id" not in render_text(stand_in(row_report=rows), short=True)
    assert "no id" in render_text(stand_in(row_report=rows))


@pytest.mark.parametrize("parameter", [{"width": 39}, {"width": "wide"}, {"short": 1.5}, {"colour": "red"}])
def test_bad_parameters(parameter):
    (name,) = parameter
    with pytest.raises(InvalidParameterError, match=f"^render_text: parameter '{name}'"):
        render_text(stand_in(), **parameter)

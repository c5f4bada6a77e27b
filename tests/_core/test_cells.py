"""Text in the cells of a terminal: nothing is wider than it may be, and nothing but blanks is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custseg._core.cells import cut, fold, grid, n_cells, pad

TEXTS = st.text(st.sampled_from("ab é漢字🙂\u0301,:x "), max_size=40)
WIDTHS = st.integers(2, 30)


@pytest.mark.parametrize(("text", "cells"), [("", 0), ("abc", 3), ("é", 1), ("e\u0301", 1), ("漢字", 4), ("🙂", 2)])
def test_cells(text, cells):
    assert n_cells(text) == cells
    assert n_cells(pad(text, 9)) == 9
    assert pad(text, 9, right=True).endswith(text)


@given(TEXTS, WIDTHS)
def test_folded_text_fits_and_lacks_nothing(text, width):
    lines = fold(text, width)
    assert all(n_cells(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


@given(TEXTS, WIDTHS)
def test_words_are_broken_only_where_they_are_wider_than_a_line(text, width):
    words = text.split()
    whole = [word for line in fold(text, width) for word in line.split()]
    assert [word for word in words if n_cells(word) <= width and word not in whole] == [] or any(
        n_cells(word) > width for word in words
    )


def test_other_lines_hang():
    assert fold("one two three", 7, "  ") == ["one two", "  three"]
    assert fold("abcdefghij", 4, " ") == ["abcd", " efg", " hij"]


@given(TEXTS, WIDTHS)
def test_what_is_cut_shows_it(text, width):
    shown = cut(text, width)
    assert n_cells(shown) <= width
    assert shown == text or shown.endswith("…")


def test_columns_are_aligned_and_folded_where_they_do_not_fit():
    rows = [["segment", "customers"], ["Older, household: family", "1,200"], ["漢字", "7"]]
    assert list(grid(rows, [False, True], 60)) == [
        "segment                   customers",
        "Older, household: family      1,200",
        "漢字                              7",
    ]
    assert list(grid(rows, [False, True], 22)) == [
        "segment      customers",
        "Older,           1,200",
        "household:",
        "family",
        "漢字                 7",
    ]


@given(st.lists(st.lists(TEXTS, min_size=3, max_size=3), min_size=2, max_size=4), st.integers(20, 60))
def test_a_grid_fits(rows, width):
    assert all(n_cells(line) <= width for line in grid(rows, [False, True, False], width))

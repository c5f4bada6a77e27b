"""What would steer a terminal is spelt out; what is a word stays a word."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custseg._core._html import element
from custseg._core.visible import visible
from custseg._core.words import format_value, humanise, plain


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("a\nb\r\tc", r"a\nb\r\tc"),
        ("\x00\x07\x7f\x9b", r"\x00\x07\x7f\x9b"),
        ("\u202egnp.exe\u2066", r"\u202egnp.exe\u2066"),
        ("\u2028\u2029\ufeff", r"\u2028\u2029\ufeff"),
        ("\ud800", r"\ud800"),
        ("\U000e0041", r"\U000e0041"),
        ("Café, 東京, नी, علي", "Café, 東京, नी, علي"),
        ("👩\u200d👧 \u0645\u06cc\u200c\u062e", "👩\u200d👧 \u0645\u06cc\u200c\u062e"),
    ],
)
def test_what_steers_is_spelt_out(text, seen):
    assert visible(text) == seen


@given(st.text())
def test_it_is_one_line_that_every_terminal_may_have(text):
    seen = visible(text)
    assert len(f"{seen}.".splitlines()) == 1
    assert not {unicodedata.category(one) for one in seen} & {"Cc", "Cs", "Zl", "Zp"}
    assert visible(seen) == seen
    seen.encode()


def test_lines_may_be_kept():
    assert visible("a\n\x1bb", keep="\n") == "a\n\\x1bb"


@pytest.mark.parametrize("text", ["\x1b[2J", "a\u202eb", "\x07"])
def test_every_way_of_words_spells_it_out(text):
    seen = visible(text)
    assert plain(text) == seen
    assert format_value(text) == seen
    assert set(humanise([text, "age"]).values()) == {seen, "age"}
    assert element("p", text, title=text) == f'<p title="{seen}">{seen}</p>'

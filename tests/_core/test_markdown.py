import pytest
from hypothesis import given
from hypothesis import strategies as st

from custseg._core.markdown import escape_markdown


def test_nothing_from_the_data_is_markup():
    escaped = escape_markdown("# a|b *c* _d_ `e` [f](g) ~h~ $i$ !j \\k <l> &amp;")
    assert escaped == ("\\# a\\|b \\*c\\* \\_d\\_ \\`e\\` \\[f\\](g) \\~h\\~ \\$i\\$ \\!j \\\\k &lt;l&gt; &amp;amp;")


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("- a", "\\- a"),
        ("+ a", "\\+ a"),
        ("-", "\\-"),
        ("---", "\\---"),
        ("===", "\\==="),
        ("1. a", "1\\. a"),
        ("12) a", "12\\) a"),
        ("-5% to 1.5", "-5% to 1.5"),
        ("18-25", "18-25"),
        ("https://shop.example/a", "https&#58;//shop.example/a"),
        ("at HTTP://shop.example", "at HTTP&#58;//shop.example"),
        ("see www.shop.example", "see www&#46;shop.example"),
        ("mailto:a", "mailto&#58;a"),
        ("a.b@shop.example", "a.b&#64;<!-- -->shop.example"),
        ("@team", "&#64;<!-- -->team"),
        ("a @ b: c", "a @ b: c"),
        ("red\x1b[31m", "red\\\\x1b\\[31m"),
        ("a\u202eb", "a\\\\u202eb"),
    ],
)
def test_nothing_begins_a_list_and_no_address_is_live(text, escaped):
    assert escape_markdown(text) == escaped


@given(st.text())
def test_text_stays_on_one_line(text):
    assert len(escape_markdown(text).splitlines()) <= 1

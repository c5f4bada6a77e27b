from hypothesis import given
from hypothesis import strategies as st

from custseg._core.markdown import escape_markdown


def test_nothing_from_the_data_is_markup():
    escaped = escape_markdown("# a|b *c* _d_ `e` [f](g) ~h~ $i$ !j \\k <l> &amp;")
    assert escaped == ("\\# a\\|b \\*c\\* \\_d\\_ \\`e\\` \\[f\\](g) \\~h\\~ \\$i\\$ \\!j \\\\k &lt;l&gt; &amp;amp;")


@given(st.text())
def test_text_stays_on_one_line(text):
    assert len(escape_markdown(text).splitlines()) <= 1

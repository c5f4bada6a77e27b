from custseg._core._html import Html, element, escape, join, table

EVIL = '<script>alert("1")</script>'


def test_text_is_escaped_once_and_html_not_at_all():
    assert escape(EVIL) == "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;"
    assert escape(escape(EVIL)) == escape(EVIL)
    assert escape(3.5) == "3.5"
    assert join(["a<b", Html("<i>")]) == "a&lt;b<i>"


def test_an_element_escapes_children_and_attributes():
    made = element("p", EVIL, element("b", "&"), class_="x", title='"', aria_label="l", hidden=None)
    assert made == (
        '<p class="x" title="&quot;" aria-label="l">&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;<b>&amp;</b></p>'
    )


def test_a_table_has_headings_cells_and_a_caption():
    made = table(["n<"], [[1], [Html("<b>2</b>")]], caption="c&")
    assert made == (
        '<table><caption>c&amp;</caption><thead><tr><th scope="col">n&lt;</th></tr></thead>'
        "<tbody><tr><td>1</td></tr><tr><td><b>2</b></td></tr></tbody></table>"
    )
    assert "caption" not in table(["n"], [])


def test_template_engines_take_it_as_html():
    assert Html("<b>").__html__() == "<b>"

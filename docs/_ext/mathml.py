"""Formulas as MathML, which browsers draw and screen readers read by themselves: no script, no request."""

from docutils import nodes
from latex2mathml.converter import convert


def inline(translator, node):
    translator.body.append(convert(node.astext()))
    raise nodes.SkipNode


def block(translator, node):
    # formulas side by side stand below each other on a phone; one that is wider is scrolled, by the keyboard too
    formulas = "\n".join(convert(part, display="block") for part in node.astext().split(r"\qquad"))
    translator.body.append(f'<div class="math" tabindex="0" role="group" aria-label="formula">{formulas}</div>\n')
    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", inline_renderers=(inline, None), block_renderers=(block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}

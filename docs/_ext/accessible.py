"""What themes and generators leave undone for who reads by ear or by keyboard."""

import re

MENDED = (
    # a list without items
    (re.compile(r'<div role="list" class="citation-list">'), '<div class="citation-list">'),
    # a table wider than the page is scrolled, by the keyboard too
    (re.compile(r'<div class="output_subarea '), '<div tabindex="0" class="output_subarea '),
    # a link over a thumbnail whose text is hidden, and stands below
    (
        re.compile(
            r'(<p><a class="reference internal" href="[^"]+")(><span class="doc">)([^<"]+)'
            r'(</span></a></p>\s*<div class="sphx-glr-thumbnail-title">)'
        ),
        r'\1 aria-label="\3"\2\3\4',
    ),
)


def mend(_app, _pagename, _templatename, context, _doctree):
    for pattern, text in MENDED:
        if "body" in context:
            context["body"] = pattern.sub(text, context["body"])


def setup(app):
    app.connect("html-page-context", mend)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

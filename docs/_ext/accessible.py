"""What themes and generators leave undone for who reads by ear or by keyboard."""

import re

# A citation list is announced as a list without items; a thumbnail's picture says what its link says; a table or code
# wider than a phone is scrolled, by the keyboard too.
MENDED = ((re.compile(r'<div role="list" class="citation-list">'), '<div class="citation-list">'),)


def mend(_app, _pagename, _templatename, context, _doctree):
    for pattern, text in MENDED:
        if "body" in context:
            context["body"] = pattern.sub(text, context["body"])


def setup(app):
    app.connect("html-page-context", mend)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

"""Text from the data in Markdown, shown as it is."""

from __future__ import annotations

# What Markdown, or the HTML and the formulas that it may hold, would take for markup.
_MARKUP = str.maketrans({**{sign: "\\" + sign for sign in "\\`*_[]#|~$!"}, "<": "&lt;", ">": "&gt;", "&": "&amp;"})


def escape_markdown(text: object) -> str:
    r"""Put text on one line and make it show as it is: no markup, no HTML, no formula, no border of a cell.

    Examples
    --------
    >>> print(escape_markdown("a|b <i> [c](d)"))
    a\|b &lt;i&gt; \[c\](d)
    """
    return " ".join(str(text).split()).translate(_MARKUP)

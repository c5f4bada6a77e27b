"""Text from the data in Markdown, shown as it is."""

from __future__ import annotations

import re

from custseg._core.visible import visible

# What Markdown, or the HTML and the formulas that it may hold, would take for markup.
_MARKUP = str.maketrans({**{sign: "\\" + sign for sign in "\\`*_[]#|~$!"}, "<": "&lt;", ">": "&gt;", "&": "&amp;"})
# What begins a list, a rule or an underlined heading; the others of that kind are markup anywhere.
_BEGINNING = re.compile(r"^(?:[-+](?=\s|$)|[-=](?=[-=\s]*$)|\d{1,9}(?=[.)](?:\s|$)))")
# GitHub and others make links of bare addresses, and of a name behind an @.
_SCHEME = re.compile(r"(?i)(?<=[a-z0-9])(?<!\\):(?=//)|(?<=\bmailto):|(?<=\bxmpp):")
_WWW = re.compile(r"(?i)\b(www)\.")
_AT = re.compile(r"@(?=\w)")


def escape_markdown(text: object) -> str:
    r"""Put text on one line and make it show as it is: no markup, no HTML, no formula, no link, no border of a cell.

    Examples
    --------
    >>> print(escape_markdown("a|b <i> [c](d)"))
    a\|b &lt;i&gt; \[c\](d)
    >>> print(escape_markdown("- www.shop.example or 1. https://shop.example"))
    \- www&#46;shop.example or 1. https&#58;//shop.example
    """
    line = visible(" ".join(str(text).split())).translate(_MARKUP)
    line = _BEGINNING.sub(_escaped, line)
    line = _WWW.sub(r"\1&#46;", _SCHEME.sub("&#58;", line))
    # what is between them keeps the two sides apart, which an entity alone does not
    return _AT.sub("&#64;<!-- -->", line)


def _escaped(start: re.Match[str]) -> str:
    found = start[0]
    # of a number it is the sign behind it that makes a list
    return f"{found}\\" if found.isdigit() else f"\\{found}"

r"""Text from the data as something to be seen: whatever would steer a terminal or turn the line around is spelt out.

This is the one door: text of personas, labels, figures in a terminal, Markdown, HTML, warnings and the lines of the
command pass through :func:`visible`. Data themselves (ids, names and levels in tables, JSON and files) stay exact.
"""

from __future__ import annotations

import re
import unicodedata

__all__ = ["visible"]

# of the characters that format text, those that join letters and pictures are part of a word
_JOINERS = "\u200c\u200d"
_PLAIN = re.compile(r"[ -~]*")


def visible(text: object, *, keep: str = "") -> str:
    r"""Write control characters, line breaks, what turns the direction of writing and lone surrogates as escapes.

    Parameters
    ----------
    text : object
        Anything that has a text.
    keep : str, default=""
        Characters that stay, such as the line breaks of a text that has lines of its own.

    Returns
    -------
    str
        One line, unless ``keep`` says otherwise.

    Examples
    --------
    >>> print(visible("red\x1b[31m\nand \u202eback"))
    red\x1b[31m\nand \u202eback
    """
    written = str(text)
    if _PLAIN.fullmatch(written):
        return written
    return "".join(
        one if one in keep or not _steers(one) else one.encode("unicode_escape").decode("ascii") for one in written
    )


def _steers(character: str) -> bool:
    kind = unicodedata.category(character)
    return kind in ("Cc", "Cs", "Zl", "Zp") or (kind == "Cf" and character not in _JOINERS)

"""Small pieces of HTML, safe by construction: whatever is not marked as HTML is escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

from custseg._core.visible import visible

LINES = "\n\t"
"""What has no effect in HTML but that of a space."""


class Html(str):
    """Text that is HTML already.

    Template engines that look for ``__html__`` (jinja2 does) insert it as it is.
    """

    __slots__ = ()

    def __html__(self) -> str:
        return str(self)


def escape(value: object) -> Html:
    """Turn any value into HTML; what is :class:`Html` already stays as it is."""
    return value if isinstance(value, Html) else Html(html.escape(visible(value, keep=LINES), quote=True))


def join(parts: Iterable[object]) -> Html:
    """Put pieces one after the other, escaping those that are not HTML yet."""
    return Html("".join(escape(part) for part in parts))


def element(tag: str, *children: object, **attributes: object) -> Html:
    """Build one element.

    Parameters
    ----------
    tag : str
        Its name.
    *children : object
        Its content: HTML as it is, all else escaped.
    **attributes : object
        Its attributes; a trailing underscore is dropped (``class_``), an underscore inside becomes a
        hyphen (``aria_label``), None leaves the attribute out.

    Returns
    -------
    Html
        The element.

    Examples
    --------
    >>> element("p", "fewer than ", element("b", 10), " <b>", class_="note")
    '<p class="note">fewer than <b>10</b> &lt;b&gt;</p>'
    """
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{html.escape(visible(value, keep=LINES), quote=True)}"'
        for name, value in attributes.items()
        if value is not None
    )
    return Html(f"<{tag}{written}>{join(children)}</{tag}>")


def table(header: Sequence[object], rows: Iterable[Sequence[object]], *, caption: object = None) -> Html:
    """Build a table with one header row.

    Parameters
    ----------
    header : sequence
        The column headings.
    rows : iterable of sequences
        The cells, row by row.
    caption : object, default=None
        What the table shows; None for no caption.

    Returns
    -------
    Html
        The table.
    """
    head = element("thead", element("tr", *(element("th", name, scope="col") for name in header)))
    body = element("tbody", *(element("tr", *(element("td", cell) for cell in row)) for row in rows))
    return element("table", *([] if caption is None else [element("caption", caption)]), head, body)

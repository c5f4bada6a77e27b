"""Text as a terminal sets it: a letter has a cell, an ideograph or a picture two, and a mark on a letter none."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

__all__ = ["cut", "fold", "grid", "n_cells", "pad"]

_GAP = "  "
# a longer word is broken rather than another column made narrow, and no column is narrower than the second
_LONG, _NARROWEST = 20, 4


def n_cells(text: str) -> int:
    """Count the cells that a text takes."""
    return sum(map(_cells_of, text))


def _cells_of(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cut(text: str, width: int) -> str:
    """Cut a text that is too wide, and show that it was."""
    return text if n_cells(text) <= width else f"{_broken(text, width - 1)[0].rstrip()}…"


def _broken(text: str, width: int) -> tuple[str, str]:
    """Break a text where the width ends, after one character at least."""
    taken = 0
    for position, character in enumerate(text):
        taken += _cells_of(character)
        if taken > width and position:
            return text[:position], text[position:]
    return text, ""


def fold(text: str, width: int, hanging: str = "") -> list[str]:
    """Break a text into lines at its blanks; a word that is wider than a line is broken itself.

    Examples
    --------
    >>> fold("Household: single, high income", 20)
    ['Household: single,', 'high income']
    """
    lines = [""]
    for word in text.split():
        rest = word
        joined = f"{lines[-1]} {word}" if lines[-1].strip() else lines[-1] + word
        if n_cells(joined) <= width:
            lines[-1] = joined
            continue
        if lines[-1].strip():
            lines.append(hanging)
        while n_cells(lines[-1] + rest) > width:
            part, rest = _broken(rest, width - n_cells(lines[-1]))
            lines[-1] += part
            if not rest:
                break
            lines.append(hanging)
        lines[-1] += rest
    return lines


def pad(text: str, width: int, *, right: bool = False) -> str:
    """Fill a text up with blanks, behind it, or before it where it is to stand on the right."""
    blanks = " " * (width - n_cells(text))
    return blanks + text if right else text + blanks


def grid(rows: Sequence[Sequence[str]], numeric: Sequence[bool], width: int) -> Iterator[str]:
    """Align cells in columns; what does not fit into the width is folded, the widest column first.

    Parameters
    ----------
    rows : sequence of sequences of str
        The cells; those of the first row are the names of the columns.
    numeric : sequence of bool
        Whether a column stands on the right.
    width : int
        The cells of a line.
    """
    columns = list(zip(*rows, strict=True))
    widths = [max(map(n_cells, column)) for column in columns]
    # figures are whole, and words as long as there is another way
    whole = [_longest(column, figures=right) for column, right in zip(columns, numeric, strict=True)]
    for least in (whole, [_NARROWEST] * len(columns)):
        while sum(widths) + len(_GAP) * (len(widths) - 1) > width:
            spare = [own - floor for own, floor in zip(widths, least, strict=True)]
            widest = max(range(len(widths)), key=lambda position: (spare[position] > 0, widths[position]))
            if spare[widest] <= 0:
                break
            widths[widest] -= 1
    for row in rows:
        yield from _beside([fold(cell, own) for cell, own in zip(row, widths, strict=True)], widths, numeric)


def _longest(column: Sequence[str], *, figures: bool) -> int:
    """Count the cells of what had better not be broken."""
    name, *cells = column
    words = [word for cell in cells for word in ([cell] if figures else cell.split())]
    return max(max(map(n_cells, name.split()), default=0), min(_LONG, max(map(n_cells, words), default=0)))


def _beside(cells: Sequence[Sequence[str]], widths: Sequence[int], numeric: Sequence[bool]) -> Iterator[str]:
    for position in range(max(map(len, cells))):
        parts = (
            pad(lines[position] if position < len(lines) else "", own, right=right)
            for lines, own, right in zip(cells, widths, numeric, strict=True)
        )
        yield _GAP.join(parts).rstrip()

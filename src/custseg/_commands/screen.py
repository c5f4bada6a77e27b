"""What a study found, on standard output: fitted to the terminal, in colours where rich is there to say how."""

from __future__ import annotations

import os
import sys

from custseg._core.cells import fold
from custseg._core.optional import is_installed
from custseg._core.progress import is_terminal, width_of
from custseg._core.visible import visible
from custseg.reporting import render_text
from custseg.study import SegmentationStudy

__all__ = ["say", "show"]

_LEAST = 40
# for terminals that cannot show the former: one sign for one, so that columns stay where they are
_PLAIN = str.maketrans("╭╮╰╯─│█▉▊▋▌▍▎▏→×✓…", "++++-|#####   >x*~")  # noqa: RUF001


def show(study: SegmentationStudy, *, short: bool) -> None:
    """Print the answer, or all there is to tell."""
    colour = is_terminal(sys.stdout) and is_installed("rich") and not os.environ.get("NO_COLOR")
    text = render_text(study, width=_width(), short=short, colour=colour)
    print(text if _can_show_lines() else text.translate(_PLAIN), flush=True)


def say(text: str) -> None:
    """Print a sentence, folded to the terminal."""
    print("\n".join(fold(visible(text), _width(), "  ")))


def _width() -> int:
    asked_for = os.environ.get("COLUMNS", "")
    return max(_LEAST, int(asked_for) if asked_for.isdecimal() else width_of(sys.stdout))


def _can_show_lines() -> bool:
    try:
        "╭█→✓".encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True

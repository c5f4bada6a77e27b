"""What is being done, how much of it and since when: told by the work wherever it is, shown on standard error.

The work says :func:`doing` where a named piece of it begins and ends, and :func:`advance` where it counts. Both cost
next to nothing and write nothing. Who wants to see it opens :func:`showing` around the work, in the same thread: a
thread of its own then writes, on a terminal one line again and again, elsewhere a line now and then. Other processes
and threads tell nothing; what they finish is counted where it arrives.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TextIO

from custseg._core.visible import visible

__all__ = ["advance", "clear_line", "doing", "is_terminal", "showing", "width_of"]

# seconds between two looks at the clock
_TICK = 0.5
# Elsewhere than on a terminal the first line of a long part comes after so many seconds, the next ones after twice as
# many each, up to the last.
_FIRST_LINE, _LAST_LINE = 10.0, 60.0
# What is left is told once so much of a part is done, and so many seconds of it have passed: before, the start of
# workers, and what they all have begun and not ended, is most of what was measured.
_LEAST_DONE, _LEAST_SECONDS = 0.25, 2.0
_WIDTH = 80

# what is shown of the work of this thread
_SHOWN: ContextVar[_Shown | None] = ContextVar("shown", default=None)


class _Lines:
    """Whose line is rewritten on a terminal: of several at a time the first has it, the others write their own."""

    def __init__(self) -> None:
        # an interrupt may come while a line is written
        self.lock = threading.RLock()
        self.rewritten: dict[int, _Shown] = {}

    def forget(self) -> None:
        """Begin anew in a child process, where a lock that another thread held would stay closed."""
        _Lines.__init__(self)


_LINES = _Lines()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_LINES.forget)


class _Part:
    """A piece of the work: where it lies in the whole (from 0 to 1), and how much of it is done."""

    def __init__(self, name: str, start: float, span: float) -> None:
        self.name, self.start, self.span = name, start, span
        self.begun = time.monotonic()
        self.place = start  # in the whole
        self.count, self.n_left = "", 0
        # the share of the part that is known to be done, and when that was told
        self.known = 0.0, self.begun

    def left(self, now: float) -> float | None:
        """Return how many seconds the rest of this part will take at the speed it had so far; None if unknown.

        What comes after it was never measured, and differs too much from one study to another to be told.
        """
        share, at = self.known
        if share < _LEAST_DONE or at - self.begun < _LEAST_SECONDS:
            return None
        left = (at - self.begun) * (1.0 - share) / share - (now - at)
        # what takes longer than it did so far is not known
        return left if left > 0.0 else None


class _Shown:
    """The work of one thread, and where it is shown."""

    def __init__(self, stream: TextIO) -> None:
        self.stream, self.process = stream, os.getpid()
        self.begun = time.monotonic()
        self.parts = [_Part("", 0.0, 1.0)]
        self.written, self.wait = self.begun, _FIRST_LINE
        self.line = ""
        self.ended = threading.Event()
        with _LINES.lock:
            self.rewrites = is_terminal(stream) and _LINES.rewritten.setdefault(id(stream), self) is self
        self.ticker = threading.Thread(target=self._tick, name="custseg progress", daemon=True)
        self.ticker.start()

    def begin(self, name: str, share: float) -> None:
        above = self.parts[-1]
        share = min(share * above.span, above.start + above.span - above.place)
        self.parts.append(_Part(name, above.place, max(0.0, share)))
        if self.rewrites or len(self.parts) == 2:
            self.write()

    def end(self) -> None:
        done = self.parts.pop()
        above = self.parts[-1]
        above.place = max(above.place, done.start + done.span)

    def advance(self, done: int, total: int, share: float | None) -> None:
        part = self.parts[-1]
        part.count, part.n_left = f"{done} of {total}", total - done
        if share is None:
            share = done / total
        else:
            part.known = share, time.monotonic()
        part.place = max(part.place, part.start + part.span * share)

    def close(self, *, is_done: bool) -> None:
        self.ended.set()
        self.ticker.join(_TICK)
        with _LINES.lock:
            if is_done:
                self._put(f"custseg: done in {_clock(time.monotonic() - self.begun)}", ends=True)
            elif self.line:
                self._put(self.line, ends=True)
            if _LINES.rewritten.get(id(self.stream)) is self:
                del _LINES.rewritten[id(self.stream)]

    def write(self) -> None:
        with _LINES.lock:
            if self.ended.is_set():
                return
            self.written = time.monotonic()
            self._put(self._text(self.written), ends=not self.rewrites)

    def clear(self) -> None:
        """Leave the line to others, until the next tick."""
        if self.line:
            self._out(f"\r{' ' * len(self.line)}\r")
            self.line = ""

    def _tick(self) -> None:
        while not self.ended.wait(_TICK):
            if self.rewrites:
                self.write()
            elif time.monotonic() - self.written >= self.wait:
                self.wait = min(2 * self.wait, _LAST_LINE)
                self.write()

    def _put(self, text: str, *, ends: bool) -> None:
        if not self.rewrites:
            other = _LINES.rewritten.get(id(self.stream))
            if other is not None:
                other.clear()
            self._out(f"{text}\n")
            return
        text = text[: max(1, width_of(self.stream) - 1)]
        gone = " " * (len(self.line) - len(text))
        self.line = "" if ends else text
        # no codes of the terminal are needed for a line that is written over with blanks
        self._out(f"\r{text}{gone}\n" if ends else f"\r{text}{gone}")

    def _out(self, text: str) -> None:
        try:
            self.stream.write(text)
            self.stream.flush()
        except (OSError, ValueError):  # nobody is there to read, as where the terminal or the stream was closed
            self.ended.set()

    def _text(self, now: float) -> str:
        """Say how far the work is, how long it has taken, and what is done; a narrow terminal lacks the end."""
        part = self.parts[-1]
        name = visible(part.name) or "Beginning"
        count, left = part.count and f": {part.count}", part.left(now)
        rest = "" if left is None else f", about {_about(left)} for the other {part.n_left}"
        return f"custseg: {int(100 * part.place):2d}% {_clock(now - self.begun)} - {name}{count}{rest}"


@contextmanager
def showing(wanted: bool = True) -> Iterator[None]:
    """Show on standard error what the work of this thread tells in a ``with`` block; once, where blocks are nested.

    Parameters
    ----------
    wanted : bool, default=True
        Whether it is to be shown at all.

    Examples
    --------
    >>> from custseg._core.progress import advance, doing, showing
    >>> with showing(), doing("stability"):
    ...     for done in range(1, 4):
    ...         advance(done, 3)
    """
    if not wanted or sys.stderr is None or _here() is not None:
        yield
        return
    shown, is_done = _Shown(sys.stderr), False
    token = _SHOWN.set(shown)
    try:
        yield
        is_done = True
    finally:
        _SHOWN.reset(token)
        shown.close(is_done=is_done)


@contextmanager
def doing(name: str, share: float = 1.0) -> Iterator[None]:
    """Do a named part of the work in a ``with`` block.

    Parameters
    ----------
    name : str
        What is done, in words that stand alone: of parts within parts only the innermost is shown.
    share : float, default=1.0
        The share that it usually has in the time of the part that it is in.
    """
    shown = _here()
    if shown is None:
        yield
        return
    shown.begin(name, share)
    try:
        yield
    finally:
        shown.end()


def advance(done: int, total: int, share: float | None = None) -> None:
    """Tell how much of the innermost part is done.

    Parameters
    ----------
    done, total : int
        What can be counted of it.
    share : float or None, default=None
        The share of its work that is done, where that is known: then the time that the rest will take is told. None
        takes the share of what is counted, each of which may take another time.
    """
    shown = _here()
    if shown is not None:
        shown.advance(done, total, share)


def clear_line() -> None:
    """Clear the line that is rewritten on standard error, for a line that is to stay."""
    with _LINES.lock:
        shown = _LINES.rewritten.get(id(sys.stderr))
        if shown is not None:
            shown.clear()


def is_terminal(stream: Any) -> bool:
    """Say whether a line of a stream can be rewritten; not where there is none (None), or it is closed."""
    try:
        return bool(stream.isatty()) and os.environ.get("TERM") != "dumb"
    except (AttributeError, ValueError):
        return False


def _here() -> _Shown | None:
    """Return what is shown of this thread, but not that of the process that this one was forked from."""
    shown = _SHOWN.get()
    return None if shown is None or shown.process != os.getpid() else shown


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _about(seconds: float) -> str:
    """Say an estimate no more exactly than it is known."""
    if seconds < 90:
        return f"{max(10, round(seconds, -1)):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.0f} h"


def width_of(stream: Any) -> int:
    """Return how many cells a line of a stream has: those of its terminal, else 80."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or _WIDTH
    except (AttributeError, OSError, ValueError):
        return _WIDTH

"""Progress on standard error: what a terminal and what a file is shown, and that nothing else depends on it."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import threading
import time
import warnings
from types import SimpleNamespace

import pytest

from custseg._core import progress
from custseg._core.progress import advance, clear_line, doing, is_terminal, showing


class Terminal(io.StringIO):
    """Counts as a terminal, and says what stands on it at last."""

    def isatty(self):
        return True

    @property
    def lines(self):
        shown, column = [""], 0
        for sign in self.getvalue():
            if sign == "\n":
                shown.append("")
            elif sign != "\r":
                shown[-1] = shown[-1][:column] + sign + shown[-1][column + 1 :]
            column = 0 if sign in "\r\n" else column + 1
        return [line.rstrip() for line in shown]


class Clock:
    """Goes on when it is told to."""

    def __init__(self):
        self.now = 100.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still; the thread that writes never wakes."""
    own = Clock()
    monkeypatch.setattr(progress, "time", own)
    monkeypatch.setattr(progress._Shown, "_tick", lambda self: None)
    monkeypatch.delenv("TERM", raising=False)
    return own


@pytest.fixture
def terminal(monkeypatch):
    stream = Terminal()
    monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=stream))
    return stream


@pytest.fixture
def file(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=stream))
    return stream


def shown():
    return progress._SHOWN.get()


def test_a_terminal_has_one_line_that_is_rewritten(clock, terminal):
    with showing():
        with doing("characteristics", 0.25):
            clock.now += 3
        with doing("stability", 0.75), doing("pairs of refits"):
            advance(1, 3)
            clock.now += 62
            shown().write()
            assert terminal.lines == ["custseg: 50% 1:05 - pairs of refits: 1 of 3"]
    assert terminal.lines == ["custseg: done in 1:05", ""]
    assert "\x1b" not in terminal.getvalue()


def test_a_file_has_a_line_for_each_step_and_no_line_is_rewritten(clock, file):
    with showing(), doing("segments", 0.5), doing("fit"):
        clock.now += 1
    with showing(), doing("stability"):
        pass
    assert file.getvalue().splitlines() == [
        "custseg:  0% 0:00 - segments",
        "custseg: done in 0:01",
        "custseg:  0% 0:00 - stability",
        "custseg: done in 0:00",
    ]


def test_lines_in_a_file_become_rare(monkeypatch, file):
    monkeypatch.setattr(progress, "_TICK", 0.001)
    monkeypatch.setattr(progress, "_FIRST_LINE", 0.01)
    monkeypatch.setattr(progress, "_LAST_LINE", 0.04)
    with showing(), doing("stability"):
        advance(1, 2)
        begun = time.monotonic()
        while file.getvalue().count("\n") < 4:
            time.sleep(0.001)
        # after .01, .02 and .04 seconds
        assert time.monotonic() - begun >= 0.06
        assert shown().wait == 0.04
    assert file.getvalue().splitlines()[1:4] == ["custseg: 50% 0:00 - stability: 1 of 2"] * 3


def test_a_long_part_that_counts_nothing_shows_the_time(monkeypatch, terminal):
    monkeypatch.setattr(progress, "_TICK", 0.001)
    with showing(), doing("segments"):
        before = terminal.getvalue()
        while terminal.getvalue() == before:
            time.sleep(0.001)
    assert not [thread for thread in threading.enumerate() if thread.name == "custseg progress"]


def test_what_is_left_is_told_once_it_was_measured(clock, terminal):
    with showing(), doing("pairs of refits"):
        assert left() is None
        clock.now += 10
        advance(1, 8, 0.2)
        assert left() is None  # little is known of the rest
        clock.now += 10
        advance(2, 8, 0.4)
        assert left() == pytest.approx(30)
        clock.now += 5
        assert left() == pytest.approx(25)
        shown().write()
        assert terminal.lines == ["custseg: 40% 0:25 - pairs of refits: 2 of 8, about 20 s for the other 6"]
        clock.now += 30  # longer than what came before: nobody knows
        assert left() is None
        shown().write()
        assert terminal.lines == ["custseg: 40% 0:55 - pairs of refits: 2 of 8"]


def test_nothing_is_told_of_what_is_left_where_that_is_not_known(clock, terminal):
    with showing(), doing("pairs of refits"):
        clock.now += 1
        advance(10, 20, 0.5)
        assert left() is None  # it took a moment
    with showing(), doing("numbers of segments"):
        clock.now += 100
        advance(10, 20)  # the others may take longer
        assert left() is None
        assert shown().parts[-1].place == 0.5


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "10 s"), (44, "40 s"), (96, "2 min"), (149, "2 min"), (5000, "83 min"), (9001, "3 h")],
)
def test_an_estimate_is_round(seconds, words):
    assert progress._about(seconds) == words


def left():
    return shown().parts[-1].left(progress.time.monotonic())


def test_the_share_done_never_falls(clock, terminal):
    places = []

    def note():
        places.append(shown().parts[-1].place)

    with showing():
        for total in (4, 8):  # more turns out to be needed
            with doing("stability", 0.5):
                for done in range(1, total + 1):
                    advance(done, 2 * total if done == 2 else total)
                    note()
                with doing("more", 0.9):
                    note()
        with doing("personas", 0.9):  # more than is left
            note()
            advance(1, 1)
            note()
        note()
    assert places == sorted(places)
    assert places[-1] == 1.0


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_the_line_ends_where_the_work_does_not(clock, terminal, error):
    with pytest.raises(error):
        end_in(error)
    assert terminal.lines == ["custseg: 50% 0:00 - stability: 1 of 2", ""]
    assert shown() is None
    assert not progress._LINES.rewritten


@showing()
def end_in(error):
    with doing("stability"):
        advance(1, 2)
        shown().write()
        raise error


def test_one_showing_inside_another_shows_nothing_of_its_own(clock, terminal):
    with showing():
        outer = shown()
        with showing(), doing("stability"):
            assert shown() is outer
        assert shown() is outer
    assert terminal.lines.count("custseg: done in 0:00") == 1


def test_a_name_cannot_steer_the_terminal(clock, terminal):
    with showing(), doing("\x1b[31mred"):
        assert terminal.lines == [r"custseg:  0% 0:00 - \x1b[31mred"]


def test_nothing_is_shown_unless_it_is_wanted(clock, terminal):
    with showing(False), doing("stability"):
        advance(1, 2)
    advance(1, 2)
    assert terminal.getvalue() == ""


@pytest.mark.parametrize("columns", [0, 12, 30])
def test_a_line_fits_into_a_narrow_terminal(monkeypatch, clock, terminal, columns):
    monkeypatch.setattr(terminal, "fileno", lambda: 2, raising=False)
    monkeypatch.setattr(os, "get_terminal_size", lambda number: os.terminal_size((columns, 24)))
    with showing(), doing("a part with a name that is longer than any terminal is wide, which may well happen"):
        (line,) = terminal.lines
        # a line that reaches the last column breaks
        assert len(line) == (columns or 80) - 1


@pytest.mark.parametrize("fault", [OSError, ValueError])
def test_a_stream_that_was_closed_ends_the_show_and_not_the_work(clock, monkeypatch, terminal, fault):
    with showing(), doing("segments"):
        monkeypatch.setattr(terminal, "write", raising(fault))
        with doing("fit"):
            advance(1, 2)
        assert shown().ended.is_set()
    assert terminal.getvalue().count("custseg") == 1


def raising(fault):
    def write(text):
        raise fault

    return write


def test_without_standard_error_there_is_nothing_to_show(monkeypatch):
    monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=None))  # as under pythonw
    with showing(), doing("segments"):
        advance(1, 2)
        assert shown() is None
    clear_line()
    assert not is_terminal(None)


def test_what_is_a_terminal(monkeypatch):
    stream = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    assert is_terminal(stream)
    monkeypatch.setenv("TERM", "dumb")
    assert not is_terminal(stream)
    monkeypatch.delenv("TERM")
    stream.close()
    closed = io.StringIO()
    closed.close()
    assert not is_terminal(closed)


def test_a_line_that_is_to_stay_takes_the_place_of_the_one_that_is_rewritten(clock, terminal):
    with showing(), doing("segments"):
        clear_line()
        terminal.write("custseg: warning: few customers\n")
        shown().write()
    assert terminal.lines == ["custseg: warning: few customers", "custseg: done in 0:00", ""]


def test_two_threads_tell_of_their_own_work(clock, terminal):
    """The first has the line that is rewritten; the lines of the other stand whole above it."""
    ready, go_on = threading.Event(), threading.Event()

    def other():
        with showing(), doing("of the other"):
            advance(1, 4)
            ready.set()
            go_on.wait(10)

    with showing(), doing("of the first"):
        advance(1, 2)
        thread = threading.Thread(target=other)
        thread.start()
        assert ready.wait(10)
        assert shown().parts[-1].count == "1 of 2"
        go_on.set()
        thread.join()
        shown().write()
        assert terminal.lines == [
            "custseg:  0% 0:00 - of the other",
            "custseg: done in 0:00",
            "custseg: 50% 0:00 - of the first: 1 of 2",
        ]


def test_a_child_process_does_not_write_the_lines_of_its_parent(clock, monkeypatch, file):
    with showing(), doing("stability"):
        before = file.getvalue()
        with monkeypatch.context() as inside:
            inside.setattr(os, "getpid", lambda: -1)
            with doing("of the child"):
                advance(1, 2)
        assert file.getvalue() == before
        assert [part.name for part in shown().parts] == ["", "stability"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_child_finds_the_lock_open_that_a_thread_of_its_parent_held():
    held = threading.Event(), threading.Event()

    def hold():
        with progress._LINES.lock:
            held[0].set()
            held[1].wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    held[0].wait(10)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        os._exit(0 if progress._LINES.lock.acquire(timeout=5) else 1)
    try:
        assert os.waitpid(child, 0)[1] == 0
    finally:
        held[1].set()
        thread.join()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_on_a_real_terminal():
    import pty  # noqa: PLC0415 - only where there is one

    code = """
import os, signal
from custseg._core.progress import advance, doing, showing
with showing(), doing("stability"):
    advance(1, 2)
    os.kill(os.getpid(), signal.SIGINT)
"""
    ours, theirs = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "TERM"}
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=theirs, env=environment
    ) as process:
        assert process.communicate()[0] == b""
    os.close(theirs)
    written = os.read(ours, 100_000).decode()
    os.close(ours)
    # the line ends before the traceback, and nothing is left to undo
    assert re.match(r"(\rcustseg: +0% 0:00 - stability){2}\r\nTraceback", written)
    assert written.rstrip().endswith("KeyboardInterrupt")

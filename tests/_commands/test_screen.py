"""What stands on a terminal: a real one of a width, with and without colours, and what a pipe gets."""

from __future__ import annotations

import contextlib
import io
import os
import re
import struct
import subprocess
import sys
import threading

import pytest

from custseg import cli
from custseg._commands import commands, screen
from custseg._core.cells import n_cells
from custseg.datasets import make_customers
from custseg.study import SegmentationStudy
from tests._commands.project import CONFIG, failing, few_columns, write_project
from tests.sizes import WHOLE, size

CODE = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    write_project(folder, few_columns(make_customers(60, separation=2.0, random_state=0).tables))
    (folder / "study.toml").write_text(CONFIG.partition("[outputs]")[0])
    return folder


def on_a_terminal(arguments, columns, **environment):
    """Run a command on a terminal of so many columns; return what it wrote there, and its code."""
    pty, fcntl, termios = map(pytest.importorskip, ("pty", "fcntl", "termios"))
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")}
    environment = {**kept, "TERM": "xterm-256color", **environment}
    work = subprocess.Popen(
        [sys.executable, "-m", "custseg", *map(str, arguments)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
    )
    os.close(theirs)
    written = []

    def read():
        with contextlib.suppress(OSError):  # the other end was closed
            while part := os.read(ours, 4096):
                written.append(part)

    reader = threading.Thread(target=read)
    reader.start()
    code = work.wait(120)
    reader.join(10)
    os.close(ours)
    return b"".join(written).decode().replace("\r\n", "\n"), code


@pytest.mark.thorough
@pytest.mark.parametrize("columns", size([60], [60, 80, 120]))
def test_the_answer_fits_a_terminal_after_progress_in_words(project, columns):
    pytest.importorskip("rich")
    text, code = on_a_terminal(["run", "--config", project / "study.toml"], columns)
    assert code == 0
    progress, _, answer = text.partition("custseg: done in ")
    for words in ("Reading transactions", "Describing the customers", "Testing the segments"):
        assert words in progress
    assert "\x1b" not in progress
    assert all(len(line.rstrip()) < columns for line in re.split(r"[\r\n]", progress))
    assert "\x1b[1m" in answer
    lines = CODE.sub("", answer).splitlines()[1:]
    assert lines[0].startswith("╭─ ")
    assert len(lines) <= 24
    assert max(map(n_cells, lines)) <= columns


@pytest.mark.skipif(not WHOLE, reason="a run of its own; the parts are tested below")
@pytest.mark.thorough
def test_who_wants_no_colour_gets_none_and_who_wants_quiet_no_progress(project):
    text, code = on_a_terminal(["run", "--config", project / "study.toml", "--quiet"], 80, NO_COLOR="1")
    assert code == 0
    assert "\x1b" not in text
    assert "custseg: done" not in text
    assert "╭─ " in text


class Stream(io.TextIOWrapper):
    def __init__(self, encoding, *, terminal=False):
        super().__init__(io.BytesIO(), encoding=encoding, errors="replace")
        self.terminal = terminal

    def isatty(self):
        return self.terminal

    @property
    def written(self):
        self.flush()
        return self.buffer.getvalue().decode(self.encoding)


@pytest.fixture
def print_to(monkeypatch):
    def to(stream, **environment):
        monkeypatch.delenv("NO_COLOR", raising=False)
        monkeypatch.setenv("TERM", "xterm")
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "stdout", stream)
        asked = []
        text = "╭─ natural ─╮\n→ Ask ▏ 1.2\u00d7 0.98 ✓…\n"
        monkeypatch.setattr(screen, "render_text", lambda study, **options: asked.append(options) or text)
        screen.show(None, short=True)
        return stream.written, asked[0]

    return to


def test_a_terminal_of_few_letters_gets_others_of_the_same_width(print_to):
    written, _ = print_to(Stream("ascii"))
    assert written == "+- natural -+\n> Ask   1.2x 0.98 *~\n\n"
    assert print_to(Stream("utf-8"))[0].startswith("╭─ natural ─╮\n→ Ask ▏ 1.2\u00d7 0.98 ✓…\n")


def test_colours_are_for_terminals_where_rich_is_and_nobody_is_against(print_to, monkeypatch):
    for terminal, environment, rich, wanted in (
        (True, {}, True, True),
        (True, {"NO_COLOR": "1"}, True, False),
        (True, {"NO_COLOR": ""}, True, True),
        (True, {"TERM": "dumb"}, True, False),
        (True, {}, False, False),
        (False, {}, True, False),
    ):
        monkeypatch.setattr(screen, "is_installed", lambda name, rich=rich: rich)
        _, asked = print_to(Stream("utf-8", terminal=terminal), **environment)
        assert asked["colour"] is wanted


@pytest.mark.parametrize(("columns", "width"), [("60", 60), ("12", 40), ("", 80), ("wide", 80)])
def test_elsewhere_the_width_is_80_or_what_is_asked_for(print_to, columns, width):
    assert print_to(Stream("utf-8"), COLUMNS=columns)[1]["width"] == width


def test_alone_the_command_says_what_there_is(capsys):
    assert cli.main([]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("usage: custseg")
    assert "custseg init purchases.csv customers.csv" in printed.out
    assert printed.err == ""


@pytest.mark.parametrize("command", ["demo", "init", "run", "assign", "report"])
def test_help_has_examples_that_can_be_parsed(capsys, command):
    with pytest.raises(SystemExit):
        cli.main([command, "--help"])
    _, _, examples = capsys.readouterr().out.partition("examples:\n")
    parser = cli._parser()
    for line in filter(None, map(str.strip, examples.splitlines())):
        words = [word.strip('"') for word in line.partition(" >")[0].split()]
        assert words[:2] == ["custseg", command]
        parser.parse_args(words[1:])


def test_all_is_told_where_it_is_asked_for(project, monkeypatch):
    asked = []
    monkeypatch.setattr(SegmentationStudy, "fit", lambda study, tables, **options: study)
    monkeypatch.setattr(commands, "show", lambda study, short: asked.append(short))
    for options in ([], ["--quiet"], ["--verbose"]):
        assert cli.main(["run", "--config", str(project / "study.toml"), *options]) == 0
    assert asked == [True, True, False]


def test_a_title_without_a_report_is_refused_before_the_work(project, capsys):
    error = failing(capsys, "run", "--config", project / "study.toml", "--title", "Spring")
    assert "--title needs a report: study.toml, [outputs]: 'report' is missing" in error

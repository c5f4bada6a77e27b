"""A command that is told to end says so in one line, leaves nothing half done, and gives the signals back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from custseg import _demo, cli
from custseg.datasets import make_customers
from tests._commands.project import few_columns, table_options, write_project

pytestmark = [
    pytest.mark.skipif(os.name == "nt", reason="Windows has other signals"),
    pytest.mark.usefixtures("heeded_signals"),
]
CODES = {"SIGINT": 130, "SIGTERM": 143, "SIGHUP": 129}
WORDS = {"SIGINT": "interrupted", "SIGTERM": "ended by SIGTERM", "SIGHUP": "ended by SIGHUP"}


def handlers():
    return {name: signal.getsignal(getattr(signal, name)) for name in CODES}


@pytest.mark.parametrize("name", CODES)
def test_a_signal_ends_a_command_in_one_line(name, monkeypatch, capsys):
    before = handlers()
    monkeypatch.setattr(_demo, "load_complete_journey", lambda *_: signal.raise_signal(getattr(signal, name)))
    assert cli.main(["demo", "--output", "report.md"]) == CODES[name]
    assert capsys.readouterr().err == f"custseg: {WORDS[name]}\n"
    assert handlers() == before


def test_what_another_library_makes_of_it_is_no_error_of_its_own(monkeypatch, capsys):
    def swallowing(*_):
        try:
            signal.raise_signal(signal.SIGTERM)
        except KeyboardInterrupt:
            raise RuntimeError("Query interrupted") from None

    monkeypatch.setattr(_demo, "load_complete_journey", swallowing)
    assert cli.main(["demo", "--output", "report.md"]) == 143
    assert capsys.readouterr().err == "custseg: ended by SIGTERM\n"


def test_what_the_user_has_set_stays_inside(monkeypatch):
    own = []
    before = {
        name: signal.signal(getattr(signal, name), handler)
        for name, handler in (("SIGTERM", lambda *_: own.append("TERM")), ("SIGHUP", signal.SIG_IGN))
    }

    def look(*_):
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGHUP)
        raise ValueError("in the end")

    try:
        monkeypatch.setattr(_demo, "load_complete_journey", look)
        assert cli.main(["demo", "--output", "report.md"]) == 2
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)
    assert own == ["TERM"]


def test_a_thread_may_run_a_command(monkeypatch):
    def fail(*_):
        raise ValueError("in the end")

    monkeypatch.setattr(_demo, "load_complete_journey", fail)
    codes = []
    thread = threading.Thread(target=lambda: codes.append(cli.main(["demo", "--output", "report.md"])))
    thread.start()
    thread.join()
    assert codes == [2]


INTERRUPTED_WHILE_A_CLASS_IS_MADE = """
import runpy
from custseg import cli

def main():
    try:
        exec("raise KeyboardInterrupt")
    except KeyboardInterrupt:
        return 129

cli.main = main
runpy.run_module("custseg", run_name="__main__")
"""


def test_the_code_is_that_of_the_signal_wherever_it_came(tmp_path):
    (tmp_path / "interrupted.py").write_text(INTERRUPTED_WHILE_A_CLASS_IS_MADE)
    done = subprocess.run([sys.executable, "-m", "interrupted"], cwd=tmp_path, check=False)
    assert done.returncode == 129


def start(folder, *arguments):
    command = [sys.executable, "-m", "custseg", *map(str, arguments)]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture(scope="module")
def tables():
    return few_columns(make_customers(200, separation=2.0, random_state=0).tables)


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.mark.slow
def test_a_run_that_is_told_to_end_at_any_point(tables, tmp_path):
    write_project(tmp_path, tables)
    before = files(tmp_path)
    started = time.perf_counter()
    run = start(tmp_path, "run", "--config", "study.toml")
    assert run.communicate()[1] == ""
    took = time.perf_counter() - started
    outputs = ["out.csv", "out.html", "out.skops"]
    for point in range(10):
        for name in outputs:
            (tmp_path / name).unlink(missing_ok=True)
        name = list(CODES)[point % 3]
        run = start(tmp_path, "run", "--config", "study.toml")
        time.sleep(took * (0.4 + 0.06 * point))
        run.send_signal(getattr(signal, name))
        error = run.communicate()[1]
        assert run.returncode in (CODES[name], 0, -getattr(signal, name))
        if run.returncode > 0:
            assert error.startswith(f"custseg: {WORDS[name]}")
            assert error.count("\n") == 1
        # each output whole or not at all, and no file of another name
        left = [file for file in files(tmp_path) if file not in before]
        assert left == sorted(set(left) & set(outputs))


@pytest.mark.slow
def test_of_two_commands_that_write_one_file_one_succeeds(tables, tmp_path):
    write_project(tmp_path, tables)
    assert cli.main(["run", "--config", str(tmp_path / "study.toml")]) == 0
    command = ["assign", *table_options(tmp_path), "--study", tmp_path / "out.skops", "--output", tmp_path / "new.csv"]
    for _ in range(3):
        both = [start(tmp_path, *command) for _ in range(2)]
        errors = "".join(one.communicate()[1] for one in both)
        assert sorted(one.returncode for one in both) == [0, 2]
        assert errors.count("it exists") == errors.count("\n") == 1
        (tmp_path / "new.csv").unlink()

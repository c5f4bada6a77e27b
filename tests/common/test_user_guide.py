"""Every example of the user guide runs; every page has its links, and says when not to use what it describes."""

import doctest
import re

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config

from custseg.cli import main
from custseg.datasets import make_customers
from tests.common.discovery import PROJECT, public_names
from tests.sizes import size

pytestmark = pytest.mark.sampled

GUIDE = PROJECT / "docs" / "user_guide"
PAGES = sorted(path for path in GUIDE.glob("*.md") if path.stem != "index")
FORMULAS = sorted(path for path in (GUIDE / "formulas").glob("*.md") if path.stem != "index")
# pages that are written from elsewhere: the terms of the report, the other pages, the file of the citation
COLLECTED = {"citation", "glossary", "when_not"}
TASKS = [page for page in PAGES if page.stem not in COLLECTED]
# of what to install, and of other tools, there is nothing to see
UNSEEN = {"coming_from_r", "faq", "install", "interoperability", "peers", "performance"}
SHOWN = [page for page in TASKS if page.stem not in UNSEEN]


def test_the_index_lists_every_page():
    text = (GUIDE / "index.md").read_text(encoding="utf-8")
    listed = re.findall(r"^[a-z_]+$", text, flags=re.MULTILINE)
    assert sorted(listed) == [path.stem for path in PAGES]
    told = re.findall(r"^\| \[[^]]+\]\((?:formulas/)?([a-z_]+)\.md\) \| .+ \|$", text, flags=re.MULTILINE)
    assert sorted(told) == sorted([*(path.stem for path in PAGES), "index"])


def test_every_stage_has_its_formulas():
    text = (GUIDE / "formulas" / "index.md").read_text(encoding="utf-8")
    stems = [path.stem for path in FORMULAS]
    assert sorted(re.findall(r"^[a-z_]+$", text, flags=re.MULTILINE)) == stems
    assert sorted(re.findall(r"^\| \[[^]]+\]\(([a-z_]+)\.md\)", text, flags=re.MULTILINE)) == stems


@pytest.mark.parametrize("page", SHOWN, ids=lambda path: path.stem)
def test_a_page_has_a_picture(page):
    shown = r"^```\{include\} \.\./api/generated/pictures/\w+\.txt$"
    assert re.search(shown, page.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("page", TASKS, ids=lambda path: path.stem)
def test_a_page_says_when_not_to_use_its_stage(page):
    assert re.search(
        r"^##+ When not to use it|^##+ When not to use them", page.read_text(encoding="utf-8"), re.MULTILINE
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_a_page_links_to_its_neighbours_and_to_what_it_names(page):
    prose = re.sub(r"^```.*?^```$|^#.*?$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    neighbours = set(re.findall(r"\]\(([a-z_]+)\.md", prose)) - {page.stem}
    assert neighbours
    assert neighbours <= {path.stem for path in PAGES}
    links = set(re.findall(r"\{(?:class|data|exc|func)\}`~([\w.]+)`", prose))
    assert {name for name in links if name.startswith("custseg.")} <= set(public_names())
    named = {name for name in public_names() if re.search(rf"(?<![\[`}}])`{name.rpartition('.')[2]}`(?!`)", prose)}
    assert named <= links


# A page is one doctest: what a later block shows rests on an earlier one, so a page is run whole or not at all.
FIRST = PROJECT / "docs" / "index.md"
LONG_PAGES = ("recipes", "report", "segmentation", "study", "validation")


@pytest.mark.thorough
@pytest.mark.parametrize(
    "page",
    [*size([page for page in TASKS if page.stem not in LONG_PAGES], [FIRST, *TASKS]), *FORMULAS],
    ids=lambda path: path.stem if path.parent == GUIDE else f"{path.parent.stem}-{path.stem}",
)
def test_the_examples_of_a_page_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```pycon\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    assert blocks
    example = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, page.stem, str(page), 0)
    failures = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    runner.run(example, out=failures.append)
    assert not runner.failures, "".join(failures)


STUDY_FILES = re.findall(
    r"^```toml\n(.*?)^```", (GUIDE / "study_file.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
)


def of_the_guide(tmp_path, study_file):
    """Write the tables of the guide's study files, and one of these."""
    sample = make_customers(100, n_segments=3, separation=2.0, random_state=0)
    sample.transactions.assign(
        day=sample.transactions["timestamp"].dt.strftime("%d/%m/%Y"), quantity=2, **{"unit price": 1.5}
    ).drop(columns="amount").to_csv(tmp_path / "transactions.csv", index=False)
    sample.profile.to_csv(tmp_path / "profile.csv", index=False)
    (tmp_path / "study.toml").write_text(study_file.replace("n_pairs = 20", "n_pairs = 2"), encoding="utf-8")
    return ["run", "--config", str(tmp_path / "study.toml")]


def test_the_study_file_of_several_tables_runs(tmp_path, capsys):
    assert main(of_the_guide(tmp_path, STUDY_FILES[1])) == 0, capsys.readouterr().err
    assert all((tmp_path / name).stat().st_size for name in ("report.html", "segments.csv", "study.skops"))


def test_the_rules_of_the_guide_run(tmp_path, capsys):
    before, _, _ = STUDY_FILES[1].partition("[segmenter]")
    assert main(of_the_guide(tmp_path, before + STUDY_FILES[2])) == 0, capsys.readouterr().err
    assert "Everyone else" in capsys.readouterr().out


@pytest.mark.filterwarnings("ignore::custseg.exceptions.DataQualityWarning")
def test_the_study_file_of_one_table_runs(tmp_path, capsys):
    tenure = np.arange(80)
    telco = {
        "customerID": [f"{number:04}-A" for number in tenure],
        "gender": np.where(tenure % 2, "Female", "Male"),
        "tenure": tenure % 70,
        "Contract": np.array(["Month-to-month", "One year", "Two year"])[tenure % 3],
        "MonthlyCharges": 20.5 + tenure % 90,
        "Churn": np.where(tenure % 4, "No", "Yes"),
    }
    pd.DataFrame(telco).to_csv(tmp_path / "telco.csv", index=False)
    # all cores, in threads: processes would each import custseg
    with parallel_config(backend="threading"):
        assert main(of_the_guide(tmp_path, STUDY_FILES[0])) == 0, capsys.readouterr().err
    assert (tmp_path / "segments.csv").read_text().startswith("customerID,segment,name")

"""Every example of the user guide runs; every page has its links, and says when not to use what it describes."""

import doctest
import re

import pytest

from custseg.cli import main
from custseg.datasets import make_customers
from tests.common.discovery import PROJECT, public_names

GUIDE = PROJECT / "docs" / "user_guide"
PAGES = sorted(path for path in GUIDE.glob("*.md") if path.stem != "index")


def test_the_index_lists_every_page():
    listed = re.findall(r"^[a-z_]+$", (GUIDE / "index.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert sorted(listed) == [path.stem for path in PAGES]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
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
    assert links <= set(public_names())
    named = {name for name in public_names() if re.search(rf"(?<![\[`}}])`{name.rpartition('.')[2]}`(?!`)", prose)}
    assert named <= links


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
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


def test_the_study_file_of_the_guide_runs(tmp_path, capsys):
    (study_file,) = re.findall(
        r"^```toml\n(.*?)^```", (GUIDE / "report.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    (tmp_path / "study.toml").write_text(study_file, encoding="utf-8")
    sample = make_customers(200, n_segments=3, separation=2.0, random_state=0)
    sample.transactions.to_csv(tmp_path / "transactions.csv", index=False)
    sample.profile.to_csv(tmp_path / "profile.csv", index=False)
    assert main(["run", "--config", str(tmp_path / "study.toml")]) == 0, capsys.readouterr().err
    assert all((tmp_path / name).stat().st_size for name in ("report.html", "segments.csv", "study.joblib"))

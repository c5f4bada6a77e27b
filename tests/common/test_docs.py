"""What the pages are built from: names of other libraries, the extras, the terms, the pictures."""

import ast
import re
import tomllib

import pytest

import custseg
from tests.common.discovery import PROJECT, public_names

DOCS = PROJECT / "docs"
PACKAGE = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
INVENTORIES = sorted((DOCS / "_inventories").glob("*.inv"))


def texts():
    """Everything that may refer to another library: the pages, how they are built, the docstrings."""
    paths = [path for kind in ("*.md", "*.rst") for path in DOCS.rglob(kind)]
    paths += [DOCS / "conf.py", *(DOCS / "examples").glob("*.py"), *(PROJECT / "src").rglob("*.py")]
    return "\n".join(path.read_text(encoding="utf-8") for path in paths if "generated" not in path.parts)


@pytest.mark.parametrize("inventory", INVENTORIES, ids=lambda path: path.stem)
def test_a_stored_inventory_names_what_is_referred_to_and_nothing_else(inventory):
    head, _, *names = inventory.read_text(encoding="utf-8").splitlines()
    assert head == "# Sphinx inventory version 1"
    everything = texts()
    for name, kind, place in (line.split() for line in names[1:]):
        assert re.search(rf"[`\"<]~?{re.escape(name)}[`\">]", everything), name
        assert kind in ("class", "data", "function")
        assert place.endswith(".html")


def test_every_library_that_is_linked_has_its_inventory():
    linked = re.findall(r"^        \"(\w+)\": \"https://", (DOCS / "conf.py").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(linked) == [path.stem for path in INVENTORIES]


def test_every_extra_is_told():
    tables = (DOCS / "_ext" / "tables.py").read_text(encoding="utf-8")
    (told,) = (node.value for node in ast.parse(tables).body if ast.unparse(node).startswith("EXTRAS = "))
    assert set(ast.literal_eval(told)) == set(PACKAGE["project"]["optional-dependencies"])


def test_every_stage_and_constant_has_its_words():
    tables = ast.parse((DOCS / "_ext" / "tables.py").read_text(encoding="utf-8"))
    words = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in tables.body
        if isinstance(node, ast.Assign) and node.targets[0].id in ("STAGES", "CONSTANTS")
    }
    pages = {path.stem for path in (DOCS / "api").glob("*.rst")} - {"index"}
    assert set(words["STAGES"]) == pages
    constants = {name.rpartition(".")[2] for name, thing in public_names().items() if not callable(thing)}
    assert set(words["CONSTANTS"]) == constants


def test_every_picture_is_drawn_and_shown():
    drawn = set(re.findall(r'yield (?:\(\s*)?"(\w+)"', (DOCS / "_ext" / "pictures.py").read_text(encoding="utf-8")))
    shown = {
        name for path in DOCS.rglob("*.md") for name in re.findall(r"pictures/(\w+)\.txt", path.read_text("utf-8"))
    }
    assert shown == drawn


@pytest.mark.parametrize("example", sorted((DOCS / "examples").glob("*.py")), ids=lambda path: path.stem)
def test_an_example_shows_a_picture_and_has_it_as_its_thumbnail(example):
    text = example.read_text(encoding="utf-8")
    assert re.search(r"Display.*\.plot\(\)$|^display\.plot\(\)$", text, re.MULTILINE)
    assert "\n# sphinx_gallery_thumbnail_number = -1\n" in text


def test_every_kind_of_picture_has_an_example():
    examples = "\n".join(path.read_text(encoding="utf-8") for path in (DOCS / "examples").glob("*.py"))
    displays = {name.rpartition(".")[2] for name in public_names() if name.startswith("custseg.plotting.")}
    assert displays == {name for name in displays if f"{name}." in examples or f"{name}(" in examples}


def test_the_figures_of_performance_are_those_of_the_benchmarks():
    page = (DOCS / "user_guide" / "performance.md").read_text(encoding="utf-8")
    measured = (PROJECT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    rows = [row.split("|")[2:4] for row in page.splitlines() if re.match(r"\| .*\d", row)]
    figures = [figure.strip() for row in rows for figure in row if figure.strip()]
    assert len(figures) > 6
    assert [
        figure for figure in figures if not re.search(rf"(?<![\d.]){re.escape(figure)}(?![\d.]*\d)", measured)
    ] == []


def test_the_citation_is_of_this_version():
    citation = (PROJECT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"version: {custseg.__version__}\n" in citation
    assert f"license: {PACKAGE['project']['license']}\n" in citation
    page = (DOCS / "user_guide" / "citation.md").read_text(encoding="utf-8")
    assert f"Version {custseg.__version__.partition('.dev')[0]}." in page

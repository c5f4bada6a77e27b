"""What the pages are built from: names of other libraries, the extras, the terms, the pictures."""

import re

import pytest

from tests.common.discovery import PROJECT

DOCS = PROJECT / "docs"
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

"""The examples of hypothesis are the same whatever is imported, and no test loses its whole size or its cases."""

import ast
import importlib
import sys
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.common.discovery import PROJECT, python_files
from tests.conftest import mark_thorough, sampled

# numbers and texts that no other file has
MODULE = "NUMBERS = [" + ", ".join(f"{number}.62521, {number + 1}99173" for number in range(300)) + "]\n"
MODULE += "TEXTS = [" + ", ".join(f"'zq{number}'" for number in range(300)) + "]\n"


def drawn():
    """The examples that a test gets in the profile of this run."""
    seen = []

    @settings(database=None, max_examples=100)
    @given(st.floats(), st.integers(), st.text())
    def keep(number, whole, text):
        seen.append((repr(number), whole, text))

    keep()
    return seen


@pytest.mark.skipif(not settings.default.derandomize, reason="the profile looks for new examples")
def test_examples_do_not_depend_on_what_is_imported(tmp_path, monkeypatch):
    before = drawn()
    assert len(set(before)) > 50
    (tmp_path / "a_module_of_constants.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    importlib.import_module("a_module_of_constants")
    try:
        assert drawn() == before
    finally:
        del sys.modules["a_module_of_constants"]


def sizes(tree):
    """Each call of ``size``, with what stands around it, outermost first."""

    def walk(node, around):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "size":
            yield node, around
        for child in ast.iter_child_nodes(node):
            yield from walk(child, [*around, node])

    return walk(tree, [])


def is_thorough(around):
    """Whether a test bears the marker, or is one of hypothesis, which gets it as it is collected."""
    if any(isinstance(node, ast.Call) and ast.unparse(node.func) == "settings" for node in around):
        return True
    marks = [mark for node in around for mark in getattr(node, "decorator_list", [])]
    assigned = [node for node in around[0].body if isinstance(node, ast.Assign)]
    marks += [node.value for node in assigned if ast.unparse(node.targets[0]) == "pytestmark"]
    return any("mark.thorough" in ast.unparse(mark) for mark in marks)


def test_the_whole_size_of_every_test_is_run_by_the_marker():
    found = 0
    for path in set(python_files("tests")) - {PROJECT / "tests/conftest.py"}:
        for call, around in sizes(ast.parse(path.read_text(encoding="utf-8"))):
            found += 1
            assert is_thorough(around), f"{path.name}, line {call.lineno}: mark the test as thorough"
    assert found > 50


@given(st.integers())
def test_tests_of_hypothesis_are_marked_as_thorough(number):
    """Looked at below."""


def test_the_marker_is_there(request):
    items = {item.name: item for item in request.session.items}
    item = items["test_tests_of_hypothesis_are_marked_as_thorough"]
    assert item.get_closest_marker("thorough") is not None
    assert request.node.get_closest_marker("thorough") is None


class Item(SimpleNamespace):
    """What pytest collects, as far as a sample of it is drawn."""

    def get_closest_marker(self, name):
        return name in self.markers

    def add_marker(self, name):
        self.markers = (*self.markers, name)

    def __hash__(self):
        return hash(self.nodeid)


def case_of(function, number, *markers):
    return Item(nodeid=f"test_it.py::{function}[{number}]", markers=markers, callspec=None)


def test_a_sample_holds_a_third_of_the_marked_cases_the_same_whatever_stands_beside_them():
    cases = [case_of("of_ten", number, "sampled") for number in range(10)]
    others = [case_of("of_two", number, "sampled") for number in range(2)]
    others += [case_of("slow", number, "sampled", "slow") for number in range(6)]
    others += [case_of("plain", number) for number in range(6)]
    kept, left_out = sampled(cases + others)
    assert len(left_out) == 7
    assert all("of_ten" in item.nodeid for item in left_out)
    assert set(sampled([*others[::-1], *cases[::-1]])[0]) == set(kept)


def test_cases_that_the_sample_leaves_out_are_thorough():
    """And those that it keeps are not, unless they have a whole size: nothing is run twice alike."""
    cases = [case_of("of_ten", number, "sampled") for number in range(10)]
    cases += [case_of("sized", number, "sampled", "thorough") for number in range(10)]
    kept, left_out = sampled(cases)
    mark_thorough(cases)
    assert (len(kept), len(left_out)) == (6, 14)
    for item in kept:
        assert ("thorough" in item.markers) == ("sized" in item.nodeid)
    assert all("thorough" in item.markers for item in left_out)

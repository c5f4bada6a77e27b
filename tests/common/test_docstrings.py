"""Every public name says what it takes, gives and raises, and shows an example."""

import dataclasses
import inspect
import re

import pytest

from tests.common.discovery import PROJECT, public_classes, public_functions, public_modules, public_names

RULE = re.compile(r"^-{3,}$")


def sections(thing):
    """Split a numpydoc docstring into its sections: title -> lines; the summary is under ''.

    A method that differs in nothing from that of its base inherits the words; a class has its own.
    """
    found, title = {"": []}, ""
    documented = thing.__doc__ if inspect.isclass(thing) else inspect.getdoc(thing)
    lines = inspect.cleandoc(documented).splitlines() if documented else []
    for position, line in enumerate(lines):
        if position + 1 < len(lines) and RULE.match(lines[position + 1]):
            title = line.strip()
            found[title] = []
        elif not RULE.match(line):
            found[title].append(line)
    return found


def documented(lines):
    """The names of a Parameters or Attributes section, ``first, second : type`` being two."""
    heads = [line.partition(" : ")[0] for line in lines if line and not line.startswith(" ")]
    return [name.strip().lstrip("*") for head in heads for name in head.split(",") if name.strip()]


def parameters(function):
    if inspect.isabstract(function):
        return []  # what its subclasses take is their own
    return [name for name in inspect.signature(function).parameters if name not in ("self", "cls")]


def public_methods():
    for class_name, thing in public_classes().items():
        if issubclass(thing, BaseException):
            continue
        for name, member in vars(thing).items():
            function = getattr(member, "__func__", member)
            if inspect.isfunction(function) and not name.startswith("_"):
                yield f"{class_name}.{name}", function


CLASSES = {name: thing for name, thing in public_classes().items() if not issubclass(thing, BaseException)}


def test_discovery_finds_the_public_names():
    names = public_names()
    assert "custseg.datasets.make_customers" in names
    assert "custseg.segmentation.SegmentClusterer" in names
    assert len(public_functions()) > 3
    assert len(CLASSES) > 8


@pytest.mark.parametrize("module", [module for module in public_modules() if hasattr(module, "__path__")], ids=str)
def test_a_stage_opens_with_a_paragraph_and_says_what_is_public(module):
    assert len(module.__doc__.split()) >= 12
    assert module.__all__ == sorted(module.__all__, key=_as_ruff_sorts)


def _as_ruff_sorts(name):
    """Constants, then classes, then functions, each in alphabetical order."""
    rank = 0 if name.isupper() else 1 if name[0].isupper() else 2
    return rank, name


@pytest.mark.parametrize("name", sorted(public_functions()))
def test_a_function_documents_its_parameters_result_and_an_example(name):
    function = public_functions()[name]
    found = sections(function)
    assert sorted(documented(found.get("Parameters", []))) == sorted(parameters(function))
    assert inspect.signature(function).return_annotation in ("None", None) or found.get("Returns")
    assert any(line.startswith(">>>") for line in found.get("Examples", []))


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_a_class_documents_its_parameters_or_attributes_and_an_example(name):
    found = sections(CLASSES[name])
    taken, attributes = documented(found.get("Parameters", [])), documented(found.get("Attributes", []))
    assert set(parameters(CLASSES[name])) <= {*taken, *attributes}
    # a result, which has attributes only, is shown in the example of what returns it
    is_result = dataclasses.is_dataclass(CLASSES[name]) and not taken
    assert is_result or any(line.startswith(">>>") for line in found.get("Examples", []))


@pytest.mark.parametrize("method", [pytest.param(function, id=name) for name, function in public_methods()])
def test_a_method_documents_its_parameters(method):
    found = sections(method)
    assert found[""], "no docstring"
    assert documented(found.get("Parameters", [])) == parameters(method)


def test_every_public_name_stands_in_the_api_reference_once():
    listed = []
    for page in sorted((PROJECT / "docs" / "api").glob("[!i]*.rst")):  # all but the index
        module = ""
        for line in page.read_text(encoding="utf-8").splitlines():
            if line.startswith(".. currentmodule:: "):
                module = line.split()[-1]
            elif re.fullmatch(r"   [A-Za-z_]\w*", line):
                listed.append(f"{module}.{line.strip()}")
    assert sorted(listed) == sorted(public_names())

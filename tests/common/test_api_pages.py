"""The API pages show every public method, those that a class has from the project's own bases too."""

import inspect
import re

import pytest

from tests.common.discovery import PROJECT, public_classes

TEMPLATE = (PROJECT / "docs" / "_templates" / "autosummary" / "class.rst").read_text(encoding="utf-8")
OPTIONS = dict(re.findall(r"^   :([a-z-]+):(.*)$", TEMPLATE, flags=re.MULTILINE))
CLASSES = {name: thing for name, thing in public_classes().items() if not issubclass(thing, BaseException)}


def named(option):
    return {name.strip() for name in OPTIONS.get(option, "").split(",")}


def shown(thing):
    """The members that autodoc documents: its own, and inherited ones that no class left out defines or hands on."""
    assert "members" in OPTIONS
    bases = thing.__mro__ if "inherited-members" in OPTIONS else [thing]
    first = {}
    for base in bases:
        if base is not thing and base.__name__ in named("inherited-members"):
            # a class left out takes with it all that stands in it or behind it, unless a class before has it
            first |= {name: None for name in dir(base) if name not in first}
        first |= {name: base for name in vars(base) if name not in first}
    return {name for name, base in first.items() if base is not None} - named("exclude-members")


def own_methods(thing):
    """The public methods and properties that the project defines, wherever in the bases."""
    for name in dir(thing):
        base = next((base for base in thing.__mro__ if name in vars(base)), None)
        if name.startswith("_") or base is None or not base.__module__.startswith("custseg."):
            continue
        member = vars(base)[name]
        function = getattr(member, "__func__", getattr(member, "fget", None) or getattr(member, "fn", member))
        if inspect.isfunction(function) and inspect.getdoc(function):
            yield name


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_a_page_shows_every_method(name):
    assert set(own_methods(CLASSES[name])) <= shown(CLASSES[name])


def test_what_is_inherited_counts():
    rules = CLASSES["custseg.segmentation.RuleSegmenter"]
    assert {"predict", "segment_names_", "to_sql", "transform"} <= set(own_methods(rules))
    assert "predict_proba" in own_methods(CLASSES["custseg.segmentation.SegmentClusterer"])
    assert not {"get_params", "set_fit_request"} & shown(rules)

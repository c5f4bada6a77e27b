"""The newcomer's walk in CONTRIBUTING.md: every name stands where it says, and the folders come in their order."""

import inspect
import re
import tomllib
from importlib import import_module

import pytest

from tests.common.discovery import PROJECT, SOURCE

PAGE = (PROJECT / "CONTRIBUTING.md").read_text(encoding="utf-8")
(WALK,) = re.findall(r"^## A newcomer's walk\n(.*?)^## ", PAGE, re.MULTILINE | re.DOTALL)
NAMES = re.findall(r"`(custseg\.[\w.]+)`", WALK)
(CHAIN,) = re.findall(r"^    (datasets < .*)$", PAGE, re.MULTILINE)
STAGES = CHAIN.split(" < ")
SCREEN = 40


def contracts():
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    return {
        contract["containers"][0]: contract["layers"]
        for contract in settings["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers"
    }


def layers(container):
    """The layers of a package that exist, the lowest first, each with its members."""
    folder = SOURCE.joinpath(*container.split(".")[1:])
    there = {path.stem for path in folder.iterdir()}
    each = [re.findall(r"\w+", layer) for layer in reversed(contracts()[container])]
    return [sorted(found) for layer in each if (found := [name for name in layer if name in there])]


def test_the_walk_fits_on_a_screen():
    assert len(WALK.strip().splitlines()) <= SCREEN


@pytest.mark.parametrize("name", NAMES)
def test_a_name_of_the_walk_stands_where_it_says(name):
    module, _, thing = name.rpartition(".")
    found = getattr(import_module(module), thing)
    assert inspect.isclass(found) or inspect.isfunction(found)
    assert found.__module__ == module


def test_the_walk_passes_every_stage_in_the_order_of_the_layers():
    passed = [name.split(".")[1] for name in NAMES]
    passed = [stage for stage in passed if stage != "_core"]
    assert sorted(passed, key=STAGES.index) == passed
    assert set(passed) == set(STAGES)


def test_the_stages_are_those_of_the_import_contracts():
    ordered = [stage for layer in layers("custseg") for stage in layer if not stage.startswith("__")]
    assert ordered == STAGES


@pytest.mark.parametrize("stage", ["characteristics", "segmentation"])
def test_the_packages_of_a_stage_are_those_of_its_contract(stage):
    (written,) = re.findall(rf"^    {stage}: (.*)$", PAGE, re.MULTILINE)
    assert [sorted(layer.split(", ")) for layer in written.split(" < ")] == layers(f"custseg.{stage}")

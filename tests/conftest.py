"""What all tests share: the real data sets, which live outside the project, and how examples are drawn."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# No deadline: no test asserts a time. The same examples everywhere, so that a red run can be repeated;
# HYPOTHESIS_PROFILE=search looks for new ones.
settings.register_profile("fixed", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("search", settings.get_profile("fixed"), derandomize=False, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))

SHARED_DATA = Path(os.environ.get("CUSTSEG_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))


def shared_data(name: str) -> Path:
    """Return the folder of a shared data set, or skip the test where it is absent."""
    folder = SHARED_DATA / name
    if not folder.is_dir():
        pytest.skip(f"shared data set {name!r} is not here; set CUSTSEG_SHARED_DATA to the folder that holds it")
    return folder


def pytest_collection_modifyitems(items):
    """Begin with the longest test, so that no worker is left alone with it at the end."""
    items.sort(key=lambda item: "test_spark" not in item.nodeid)

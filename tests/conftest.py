"""What all tests share: the real data sets, which live outside the project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SHARED_DATA = Path(os.environ.get("CUSTSEG_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))


def shared_data(name: str) -> Path:
    """Return the folder of a shared data set, or skip the test where it is absent."""
    folder = SHARED_DATA / name
    if not folder.is_dir():
        pytest.skip(f"shared data set {name!r} is not here; set CUSTSEG_SHARED_DATA to the folder that holds it")
    return folder

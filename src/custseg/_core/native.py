"""Frames of libraries as narwhals frames, without what narwhals says of dask to whoever installs it."""

from __future__ import annotations

import warnings
from threading import Lock
from typing import Any

import narwhals.stable.v2 as nw

# The state of warnings is that of the process.
_ONE_AT_A_TIME = Lock()


def from_native(native: Any, **options: Any) -> Any:
    """Return ``narwhals.from_native``, silent about its plan to move dask into a library of its own.

    There is nothing that users of custseg could do about it while that library is not to be had; nothing else that
    narwhals or dask warn of is held back.
    """
    if type(native).__module__.partition(".")[0] not in ("dask", "dask_expr"):
        return nw.from_native(native, **options)
    with _ONE_AT_A_TIME, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Dask support is moving out of Narwhals", FutureWarning)
        return nw.from_native(native, **options)

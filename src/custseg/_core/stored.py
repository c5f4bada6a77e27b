"""What was stored in files: whether it is known, before anything is made of it, and whether it is what is asked for."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from custseg._core.files import replacing
from custseg._core.optional import require
from custseg.exceptions import StoredStudyError

__all__ = ["fitted", "holds_skops", "read_skops", "unknown_types", "write_skops"]

_Kind = TypeVar("_Kind")
_CONTENT = "schema.json"
_LIBRARY = "skops.io"


def holds_skops(path: Path) -> bool:
    """Say whether a file is one of skops, by its content and not by its name."""
    if "\0" in str(path):
        raise StoredStudyError.no_study(path, "its name has a NUL")
    with path.open("rb") as file:
        if not zipfile.is_zipfile(file):
            return False
        try:
            return _CONTENT in zipfile.ZipFile(file).namelist()
        except zipfile.BadZipFile:
            return False


def unknown_types(path: Path, known: Iterable[str]) -> list[str]:
    """Return what a file holds that is neither known nor trusted by skops itself."""
    skops, names = require(_LIBRARY), set(known)
    with _reading(path):
        return [name for name in skops.get_untrusted_types(file=path) if name not in names]


def read_skops(path: Path, trusted: Iterable[str]) -> Any:
    """Read what a file holds; types that are not trusted are an error."""
    skops = require(_LIBRARY)
    with _reading(path):
        return skops.load(path, trusted=sorted(trusted))


def fitted(thing: Any, kind: type[_Kind], path: Path) -> _Kind:
    """Make sure that what a file held is of a kind, and fitted."""
    if not isinstance(thing, kind):
        raise StoredStudyError.no_study(path, f"it is a {type(thing).__name__}")
    try:
        check_is_fitted(thing)
    except NotFittedError as error:
        raise StoredStudyError.no_study(path, "the study in it is not fitted") from error
    return thing


def write_skops(thing: Any, path: Path, *, overwrite: bool) -> None:
    """Write something to a file, whole or not at all."""
    skops = require(_LIBRARY)
    with replacing(path, overwrite=overwrite) as temporary:
        try:
            skops.dump(thing, temporary, compression=zipfile.ZIP_DEFLATED)
        except OSError:
            raise
        except Exception as error:
            # what an engine of another library raises is not bounded
            raise StoredStudyError.not_storable(_one_line(error)) from error


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, MemoryError):
        raise
    except Exception as error:
        # what a broken file raises is not bounded
        raise StoredStudyError.no_study(path, _one_line(error)) from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__

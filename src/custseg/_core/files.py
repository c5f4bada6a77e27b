"""Files written whole or not at all, and refused before the work where they cannot be written."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from custseg.exceptions import OutputPathError


def check_writable(path: str | Path) -> Path:
    """Make sure that a file can be written, before the computation whose result it will hold.

    Nothing is left behind, and a file that exists keeps its content.

    Parameters
    ----------
    path : str or path
        The file to be written.

    Returns
    -------
    pathlib.Path
        The same path.

    Raises
    ------
    OutputPathError
        If the folder does not exist or cannot be written to, or the path is a folder.

    Examples
    --------
    >>> check_writable("no-such-folder/report.html")
    Traceback (most recent call last):
    ...
    custseg.exceptions.OutputPathError: cannot write 'no-such-folder/report.html': the folder does not exist. Choose a \
file in a folder that can be written to.
    """
    path = Path(path)
    if path.is_dir():
        raise OutputPathError.unwritable(path, "it is a folder")
    if not path.parent.exists():
        raise OutputPathError.unwritable(path, "the folder does not exist")
    if not path.parent.is_dir():
        raise OutputPathError.unwritable(path, f"{str(path.parent)!r} is not a folder")
    if path.exists() and not os.access(path, os.W_OK):
        raise OutputPathError.unwritable(path, "the file is write-protected")
    with _explained(path), tempfile.TemporaryFile(dir=path.parent, prefix=".custseg-"):
        return path


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Hand out a temporary file that takes the place of ``path`` once it is written without an error."""
    path = check_writable(path)
    with _explained(path):
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".custseg-", suffix=path.suffix)
        os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with _explained(path):
            # mkstemp makes private files; the result gets the permissions of any other new file.
            temporary.chmod(path.stat().st_mode if path.exists() else 0o666 & ~_umask())
            temporary.replace(path)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputPathError.unwritable(path, error.strerror or str(error)) from error


def _umask() -> int:
    # The only way to read the mask is to set it.
    mask = os.umask(0o077)
    os.umask(mask)
    return mask

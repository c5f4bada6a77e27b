"""Files written whole or not at all, and refused before the work where they cannot be written."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import combinations
from pathlib import Path

from custseg.exceptions import OutputPathError

_PREFIX = ".custseg-"
_LONGEST_ENDING = 16
# the disk, or what a user may have of it, is full
_NO_ROOM = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EIO)
TABLE_ENDINGS = (".parquet", ".csv", ".csv.gz")


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
    with _explained(path):
        # no file system takes a name that is too long, and python no NUL
        with suppress(FileNotFoundError, NotADirectoryError):
            path.stat()
        is_folder = path.is_dir()
    if is_folder:
        raise OutputPathError.unwritable(path, "it is a folder")
    if not path.parent.exists():
        raise OutputPathError.unwritable(path, "the folder does not exist")
    if not path.parent.is_dir():
        raise OutputPathError.unwritable(path, f"{str(path.parent)!r} is not a folder")
    if path.exists() and not os.access(path, os.W_OK):
        raise OutputPathError.unwritable(path, "the file is write-protected")
    with _explained(path), tempfile.TemporaryFile(dir=path.parent, prefix=_PREFIX, suffix=_ending(path)):
        return path


def is_read_from(path: str | Path, source: str | os.PathLike[str]) -> bool:
    """Say whether a file that is to be written is one that ``source`` is read from, by whatever name or link.

    Parameters
    ----------
    path : str or path
        The file to be written.
    source : str or path
        A file, or a folder of table files, of which a new one would be a part the next time.

    Returns
    -------
    bool
        False where there is nothing at ``source``: nothing can be lost.

    Examples
    --------
    >>> is_read_from("no-such-folder/table.csv", "no-such-folder/table.csv")
    False
    """
    if not is_there(source):
        return False
    if _is_same(path, source):
        return True
    folder = Path(source)
    if not folder.is_dir():
        return False
    target, place = Path(os.path.realpath(path)), Path(os.path.realpath(folder))
    if place in target.parents and target.name.lower().endswith(TABLE_ENDINGS):
        return True
    return is_there(path) and any(_is_same(path, file) for file in folder.rglob("*") if file.is_file())


def is_there(path: str | os.PathLike[str]) -> bool:
    """Say whether a path leads to something; one that no file system takes does not."""
    try:
        Path(path).stat()
    except (OSError, ValueError):
        return False
    return True


def _is_same(one: str | os.PathLike[str], other: str | os.PathLike[str]) -> bool:
    # two hard links of a file have different paths, two names of a file that is not there yet may have one
    if is_there(one) and is_there(other):
        return Path(one).samefile(other)
    return os.path.realpath(one) == os.path.realpath(other)


def refuse_collisions(outputs: Mapping[str, Path]) -> None:
    """Refuse two outputs in one file; ``outputs`` are the files by what they are to hold."""
    for (name, path), (other, place) in combinations(outputs.items(), 2):
        if _is_same(path, place):
            raise OutputPathError.twice(place, (name, other))


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Hand out a temporary file that takes the place of ``path`` once it is written without an error."""
    path = check_writable(path)
    with _explained(path):
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=_PREFIX, suffix=_ending(path))
        os.close(handle)
    temporary = Path(name)
    try:
        with _explained(path, _NO_ROOM):
            yield temporary
        with _explained(path):
            # mkstemp makes private files; the result gets the permissions of any other new file.
            temporary.chmod(path.stat().st_mode if path.exists() else 0o666 & ~_umask())
            temporary.replace(path)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def _ending(path: Path) -> str:
    """Return the ending that tells what a temporary file holds; a longer one is part of a name."""
    return path.suffix if len(path.suffix) <= _LONGEST_ENDING else ""


@contextmanager
def _explained(path: Path, numbers: Container[int] | None = None) -> Iterator[None]:
    """Say which file could not be written; of errors with other ``numbers`` another file may be the reason."""
    try:
        yield
    except OSError as error:
        if numbers is not None and error.errno not in numbers:
            raise
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise OutputPathError.unwritable(path, reason) from error
    except ValueError as error:
        if numbers is not None or ("null byte" not in str(error) and "null character" not in str(error)):
            raise
        raise OutputPathError.unwritable(path, "its name has a NUL") from error


def _umask() -> int:
    # The only way to read the mask is to set it.
    mask = os.umask(0o077)
    os.umask(mask)
    return mask

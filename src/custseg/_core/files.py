"""Files written whole or not at all, and refused before the work where they cannot be written."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
import uuid
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
def replacing(path: str | Path, *, overwrite: bool = True) -> Iterator[Path]:
    """Hand out a file to write, which takes the place of ``path`` once it is written without an error.

    Of several that write to one path at once with ``overwrite=False``, one succeeds. The file handed out has no ending:
    who writes it says what is in it.

    Parameters
    ----------
    path : str or path
        The file to be written. Its permissions stay as they are; those of a new one follow the umask.
    overwrite : bool, default=True
        Whether a file that is there by the end is replaced; otherwise it is refused.
    """
    path = check_writable(path)
    with _explained(path):
        draft = _Draft(path)
    try:
        with _explained(path, _NO_ROOM):
            yield draft.place
        with _explained(path):
            draft.publish(overwrite=overwrite)
    finally:
        draft.discard()


class _Draft:
    """A file that is being written: one without a name, of which nothing is left however the process ends.

    Where the system has no such files its name is a hidden one, which no reader takes for data.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        # what nobody else may read is not to be read while it is written; a new file follows the umask as any other
        self._mode = 0o600 if is_there(path) else 0o666
        self._name: Path | None = None
        self._handle = _nameless(path.parent, self._mode)
        self.place = self._named() if self._handle is None else _opened(self._handle)

    def publish(self, *, overwrite: bool) -> None:
        """Give the file its name, in one step."""
        if not overwrite:
            self._publish_new()
            return
        if self._path.exists():
            self.place.chmod(stat.S_IMODE(self._path.stat().st_mode))
        self._with_name().replace(self._path)

    def discard(self) -> None:
        """Remove what has not been published."""
        if self._handle is not None:
            os.close(self._handle)
        if self._name is not None:
            self._name.unlink(missing_ok=True)

    def _publish_new(self) -> None:
        try:
            if _linked(self.place, self._path):
                return
            named = self._with_name()
            # without links, an empty file keeps the place for a moment
            os.close(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        except FileExistsError as error:
            raise OutputPathError.taken(self._path) from error
        try:
            named.replace(self._path)
        except OSError:
            self._path.unlink()
            raise

    def _with_name(self) -> Path:
        """Return the file under a name of its own."""
        if self._name is not None:
            return self._name
        hidden = self._hidden()
        if _linked(self.place, hidden):
            self._name = hidden
            return hidden
        named = self._named()
        shutil.copyfile(self.place, named)
        named.chmod(stat.S_IMODE(self.place.stat().st_mode))
        return named

    def _named(self) -> Path:
        self._name = self._hidden()
        os.close(os.open(self._name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, self._mode))
        return self._name

    def _hidden(self) -> Path:
        return self._path.parent / f"{_PREFIX}{uuid.uuid4().hex}{_ending(self._path)}"


def _nameless(folder: Path, mode: int) -> int | None:
    """Open a new file without a name, as Linux has them on most file systems; None elsewhere."""
    if not hasattr(os, "O_TMPFILE"):
        return None
    with suppress(OSError):
        handle = os.open(folder, os.O_TMPFILE | os.O_RDWR, mode)
        if is_there(_opened(handle)):
            return handle
        os.close(handle)
    return None


def _opened(handle: int) -> Path:
    return Path(f"/proc/self/fd/{handle}")


def _linked(source: Path, path: Path) -> bool:
    """Give a file another name, unless that is taken; False where the file system cannot."""
    try:
        # with the number of a folder, which an absolute path does not need, the link is followed
        os.link(source.absolute(), path.absolute(), src_dir_fd=0 if source.is_symlink() else None, follow_symlinks=True)
    except FileExistsError:
        raise
    except (OSError, NotImplementedError):
        return False
    return True


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

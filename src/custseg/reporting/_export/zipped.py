"""Office files as they were saved, without the moment at which that was."""

from __future__ import annotations

import io
import re
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

__all__ = ["MOMENT", "timeless"]

MOMENT = (1980, 1, 1, 0, 0, 0)
"""What a zip file can say of the time at the earliest."""

_PROPERTIES = "docProps/core.xml"
_TIMES = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*")


def timeless(content: bytes) -> bytes:
    """Return the same file with one moment in all places that say when it was made, so that equal work is equal.

    Examples
    --------
    >>> import io, zipfile
    >>> def made(second):
    ...     with zipfile.ZipFile(out := io.BytesIO(), "w") as archive:
    ...         archive.writestr(zipfile.ZipInfo("a.xml", (2024, 1, 1, 0, 0, second)), "<a/>")
    ...     return out.getvalue()
    >>> made(0) == made(2), timeless(made(0)) == timeless(made(2))
    (False, True)
    """
    out = io.BytesIO()
    with ZipFile(io.BytesIO(content)) as given, ZipFile(out, "w", ZIP_DEFLATED) as kept:
        for name in given.namelist():
            part = given.read(name)
            if name == _PROPERTIES:
                part = _TIMES.sub(rb"\g<1>1980-01-01T00:00:00Z", part)
            entry = ZipInfo(name, MOMENT)
            entry.compress_type = ZIP_DEFLATED
            kept.writestr(entry, part)
    return out.getvalue()

"""Lines that are too many for memory, brought there a part of the customers at a time."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import narwhals.stable.v2 as nw

from custseg._core.frames import collect, lazy_frame
from custseg._core.paths import literal, quoted_text, reading_files
from custseg.characteristics._records.records import Records

Result = TypeVar("Result")

# lines at a time: 0.3 GB, and as much again while they are sorted
AT_ONCE = 2**23
# a part of more lines is that of few customers with very many: duckdb, which can do with less memory, adds those up
_MOST = AT_ONCE * 5 // 4


def are_many(records: Records) -> bool:
    """Say whether lines are in files and too many to be grouped at once."""
    return records.in_files and records.n_used > AT_ONCE


def by_parts(records: Records, step: Callable[[Records], Result]) -> list[Result]:
    """Take a step with all lines of some customers at a time, in no order of the customers.

    The lines are read once and written to temporary files by a hash of the customer. In memory they are sorted in a
    fraction of the time and memory in which an engine groups all of them at once.

    Parameters
    ----------
    records : Records
        Lines in files, of which there are many.
    step : callable
        Takes the lines of some customers. What is known of the whole table (such as the largest amount, which decides
        in which steps amounts are added up) stays that of the whole table.

    Returns
    -------
    results : list
        What each step gives.
    """
    n_parts = -(-records.n_used // AT_ONCE)
    # the files are removed when all is done, or fails
    with tempfile.TemporaryDirectory(prefix="custseg-") as folder:
        return [step(_part(records, relation)) for relation in _divided(records.frame.to_native(), n_parts, folder)]


def _divided(lines: Any, n_parts: int, folder: str) -> list[Any]:
    """Write the lines of a duckdb relation into a folder for each part, and open those."""
    number = f"(hash(customer) % {n_parts})::INTEGER AS __part"
    with reading_files(query=lines):
        lines.project(f"*, {number}").write_parquet(
            str(Path(folder) / "lines"), partition_by=["__part"], compression="snappy"
        )
    found = []
    for part in sorted((Path(folder) / "lines").iterdir()):
        names = ", ".join(quoted_text(literal(file)) for file in sorted(part.iterdir()))
        # by the same connection, whose limit of memory holds for all
        found.append(lines.query("lines", f"FROM read_parquet([{names}], hive_partitioning = false)"))
    return found


def _part(records: Records, relation: Any) -> Records:
    frame = lazy_frame(relation)
    n_lines = int(collect(frame.select(nw.len().alias("lines")))["lines"].item())
    in_memory = n_lines <= _MOST
    frame = collect(frame).lazy() if in_memory else frame
    return replace(records, frame=frame, n_used=n_lines, in_memory=in_memory, in_files=False)

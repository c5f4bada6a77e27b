"""Scoring a table of Spark where it lies: the fitted estimator travels to the rows."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

import narwhals.stable.v2 as nw

from custseg._core.asking import asking
from custseg._core.native import from_native
from custseg._core.optional import require
from custseg._core.paths import is_path
from custseg._core.segments import SEGMENT
from custseg.exceptions import InvalidTableError, OutputPathError
from custseg.segmentation._scoring.scorer import Notes, Scorer

__all__ = ["is_spark", "score_on_spark", "write_from_spark"]


@dataclass(frozen=True)
class _Carried:
    """What stands in for a broadcast where there is none."""

    value: Any


class _MergedNotes:
    """How Spark adds up the notes of its workers (an ``AccumulatorParam``)."""

    def zero(self, value: Notes) -> Notes:
        return Notes()

    def addInPlace(self, first: Notes, second: Notes) -> Notes:  # noqa: N802 - Spark's name
        return first.merge(second)


def is_spark(X: Any) -> bool:
    """Say whether a table is one of pyspark's."""
    frame = X if is_path(X) else from_native(X)
    return isinstance(frame, nw.LazyFrame) and frame.implementation.is_spark_like()


def score_on_spark(scorer: Scorer, X: Any, notes: Any = None) -> Any:
    """Return a table of ids and segments that Spark computes when it is used.

    Parameters
    ----------
    scorer : Scorer
        The fitted estimator.
    X : pyspark DataFrame
        One row per customer.
    notes : accumulator, optional
        Where the workers leave their warnings; in their logs otherwise.

    Returns
    -------
    pyspark DataFrame
        The column of the ids and ``segment``, a whole number of 64 bits.
    """
    types = require("pyspark.sql.types")
    columns = scorer.columns(list(X.columns))
    # mapInArrow asks for its columns by their names as they are, and takes a dot in one for a field
    quoted = ("`" + name.replace("`", "``") + "`" for name in columns)
    needed = X.selectExpr(*(f"{name} AS c{position}" for position, name in enumerate(quoted)))
    fields = [
        types.StructField(scorer.customer_id, needed.schema["c0"].dataType),
        types.StructField(SEGMENT, types.LongType()),
    ]
    carried = _Carried(scorer) if _is_remote(X) else X.sparkSession.sparkContext.broadcast(scorer)
    return needed.mapInArrow(partial(_score, carried, notes, columns), types.StructType(fields))


def _score(carried: Any, notes: Any, columns: Sequence[str], batches: Iterable[Any]) -> Iterator[Any]:
    """Score the batches of one partition, on a worker; ``columns`` are the names of their columns, the id first."""
    scorer = carried.value
    arrow = require("pyarrow")
    own = Notes()
    for batch in batches:
        if not batch.num_rows:
            continue
        rows = nw.from_native(arrow.Table.from_batches([batch]).rename_columns(list(columns)), eager_only=True)
        with own.taken(), asking(scorer.name):
            labels = scorer.labels(rows)
        yield arrow.RecordBatch.from_arrays([batch.column(0), arrow.array(labels)], names=[scorer.customer_id, SEGMENT])
    if notes is None:
        own.tell()
    else:
        notes.add(own)


def write_from_spark(scorer: Scorer, X: Any, path: str, *, overwrite: bool) -> dict[int, int]:
    """Write ids and segments to a folder of Parquet files; return the sizes of the segments.

    All goes to a hidden folder beside it first, which no reader takes for data; it is renamed at the end and removed
    if anything fails. What was there is removed last.
    """
    if _is_remote(X):
        reason = "Spark Connect cannot rename what it has written; write the table that assign_segments returns"
        raise OutputPathError.unwritable(path, reason)
    session = X.sparkSession
    # the way to its file systems that Spark has in Python
    path_of = session.sparkContext._jvm.org.apache.hadoop.fs.Path  # noqa: SLF001
    files = path_of(path).getFileSystem(session.sparkContext._jsc.hadoopConfiguration())  # noqa: SLF001
    place = files.makeQualified(path_of(path))
    _refuse_source(X, place.toUri().normalize().toString(), path)
    if files.exists(place) and not overwrite:
        raise OutputPathError.exists(path)
    name = f".custseg-{uuid.uuid4().hex}"
    temporary, old = path_of(place.getParent(), name), path_of(place.getParent(), f"{name}-old")
    notes = session.sparkContext.accumulator(Notes(), _MergedNotes())
    try:
        score_on_spark(scorer, X, notes).write.parquet(temporary.toString())
        counted = session.read.parquet(temporary.toString()).groupBy(SEGMENT).count().collect()
        sizes = {int(row[SEGMENT]): int(row["count"]) for row in counted}
        if not sizes:
            raise InvalidTableError.empty("customer table")
        _put_in_place(files, temporary, place, old, overwrite=overwrite)
    finally:
        files.delete(temporary, True)
    notes.value.tell()
    return sizes


def _refuse_source(X: Any, target: str, path: str) -> None:
    """Refuse a folder that holds files that are read, or is in a folder that is read."""
    place = _location(target)
    files = [_location(file) for file in X.inputFiles()]
    for file in files:
        # of a single file it is not known whether its folder was meant, unless Spark named it
        is_folder = len(files) > 1 or file.name.startswith("part-")
        if place in (file, *file.parents) or (is_folder and _table_folder(file) in place.parents):
            raise OutputPathError.is_source(path)


def _table_folder(file: PurePosixPath) -> PurePosixPath:
    """Return the folder of a table, of which ``name=value`` folders are parts."""
    return next(folder for folder in file.parents if "=" not in folder.name)


def _location(uri: str) -> PurePosixPath:
    parts = urlsplit(uri)
    path = unquote(parts.path)
    # a folder of this machine may have a second name by a link
    path = os.path.realpath(path) if parts.scheme == "file" else path
    return PurePosixPath(f"/{parts.scheme}:{parts.netloc}") / path.lstrip("/")


def _put_in_place(files: Any, temporary: Any, place: Any, old: Any, *, overwrite: bool) -> None:
    """Rename a finished folder; one that was there is moved to ``old``, and removed when it is no longer needed."""
    is_there = files.exists(place)
    if is_there and not overwrite:
        raise OutputPathError.taken(place.toString())
    if is_there and not files.rename(place, old):
        raise OutputPathError.unwritable(place.toString(), "what is there could not be moved aside")
    is_done = False
    try:
        is_done = _renamed(files, temporary, place)
    finally:
        if is_there and not is_done and not files.exists(place):
            files.rename(old, place)
        elif is_there:
            files.delete(old, True)
    if not is_done and files.exists(place) and not is_there:
        raise OutputPathError.taken(place.toString())
    if not is_done:
        raise OutputPathError.unwritable(place.toString(), "the finished folder could not be renamed")


def _renamed(files: Any, temporary: Any, place: Any) -> bool:
    """Rename a folder to one that is not there; Hadoop would move it into one that has come there meanwhile."""
    is_renamed = bool(files.rename(temporary, place))
    inside = place.suffix(f"/{temporary.getName()}")
    if is_renamed and files.exists(inside):
        files.delete(inside, True)
        return False
    return is_renamed


def _is_remote(X: Any) -> bool:
    return ".connect." in type(X).__module__

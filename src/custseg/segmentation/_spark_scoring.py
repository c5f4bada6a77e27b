"""Scoring a table of Spark where it lies: the fitted estimator travels to the rows."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import narwhals.stable.v2 as nw

from custseg._core.optional import require
from custseg._core.paths import is_path
from custseg.exceptions import InvalidTableError, ReportPathError
from custseg.segmentation._labelled import SEGMENT
from custseg.segmentation._scorer import Notes, Scorer

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


def is_spark(source: Any) -> bool:
    """Say whether a table is one of pyspark's."""
    frame = source if is_path(source) else nw.from_native(source)
    return isinstance(frame, nw.LazyFrame) and frame.implementation.is_spark_like()


def score_on_spark(scorer: Scorer, source: Any, notes: Any = None) -> Any:
    """Return a table of ids and segments that Spark computes when it is used.

    Parameters
    ----------
    scorer : Scorer
        The fitted estimator.
    source : pyspark DataFrame
        One row per customer.
    notes : accumulator, optional
        Where the workers leave their warnings; in their logs otherwise.

    Returns
    -------
    pyspark DataFrame
        The column of the ids and ``segment``, a whole number of 64 bits.
    """
    types = require("pyspark.sql.types", scorer.who)
    columns = scorer.columns(list(source.columns))
    needed = source.select(*("`" + name.replace("`", "``") + "`" for name in columns))
    fields = [
        types.StructField(scorer.customer_id, needed.schema[scorer.customer_id].dataType),
        types.StructField(SEGMENT, types.LongType()),
    ]
    carried = _Carried(scorer) if _is_remote(source) else source.sparkSession.sparkContext.broadcast(scorer)
    return needed.mapInArrow(partial(_score, carried, notes), types.StructType(fields))


def _score(carried: Any, notes: Any, batches: Iterable[Any]) -> Iterator[Any]:
    """Score the batches of one partition, on a worker."""
    scorer = carried.value
    arrow = require("pyarrow", scorer.who)
    own = Notes()
    for batch in batches:
        if not batch.num_rows:
            continue
        rows = nw.from_native(arrow.Table.from_batches([batch]), eager_only=True)
        with own.taken():
            labels = scorer.labels(rows)
        yield arrow.RecordBatch.from_arrays(
            [batch.column(scorer.customer_id), arrow.array(labels)], names=[scorer.customer_id, SEGMENT]
        )
    if notes is None:
        own.tell()
    else:
        notes.add(own)


def write_from_spark(scorer: Scorer, source: Any, destination: str, *, overwrite: bool) -> dict[int, int]:
    """Write ids and segments to a folder of Parquet files; return the sizes of the segments.

    All goes to another folder beside it first, which is renamed at the end and removed if anything fails.
    """
    if _is_remote(source):
        reason = "Spark Connect cannot rename what it has written; leave destination out and write the table it returns"
        raise ReportPathError.unwritable(destination, reason)
    session = source.sparkSession
    # the way to its file systems that Spark has in Python
    place = session.sparkContext._jvm.org.apache.hadoop.fs.Path(destination)  # noqa: SLF001
    files = place.getFileSystem(session.sparkContext._jsc.hadoopConfiguration())  # noqa: SLF001
    if files.exists(place) and not overwrite:
        raise ReportPathError.exists(destination)
    temporary = place.suffix(f"-custseg-{uuid.uuid4().hex}")
    notes = session.sparkContext.accumulator(Notes(), _MergedNotes())
    try:
        score_on_spark(scorer, source, notes).write.parquet(temporary.toString())
        counted = session.read.parquet(temporary.toString()).groupBy(SEGMENT).count().collect()
        sizes = {int(row[SEGMENT]): int(row["count"]) for row in counted}
        if not sizes:
            raise InvalidTableError.empty(scorer.who, "customer table")
        if files.exists(place):
            files.delete(place, True)
        if not files.rename(temporary, place):
            raise ReportPathError.unwritable(destination, "the finished folder could not be renamed")
    finally:
        files.delete(temporary, True)
    notes.value.tell()
    return sizes


def _is_remote(source: Any) -> bool:
    return ".connect." in type(source).__module__

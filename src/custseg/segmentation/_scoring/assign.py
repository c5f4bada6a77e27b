"""Scoring any number of customers with a fitted segmentation, batch by batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from custseg._core.files import check_writable, replacing
from custseg._core.frames import is_frame, output_kind, to_kind
from custseg._core.optional import require
from custseg._core.params import COLUMN, NONE, Instance, Integer, OneOf, check
from custseg._core.paths import is_path
from custseg._core.segments import SEGMENT
from custseg.exceptions import ConfigurationError, CustomerIdError, InvalidTableError, ReportPathError
from custseg.segmentation._scoring.batches import read_batches
from custseg.segmentation._scoring.scorer import Notes, Scorer, make_scorer
from custseg.segmentation._scoring.spark import is_spark, score_on_spark, write_from_spark

__all__ = ["SegmentAssignment", "assign_segments"]

WHO = "assign_segments"
ENDINGS = (".parquet", ".csv")


@dataclass(frozen=True)
class SegmentAssignment:
    """What was written where.

    Attributes
    ----------
    destination : str
        The file or folder that holds the ids and segments.
    n_customers : int
        The number of rows in it.
    segment_sizes : mapping of int to int
        The number of customers in each segment, those without any included; -1 is not assigned.

    Examples
    --------
    >>> from custseg.segmentation import SegmentAssignment
    >>> report = SegmentAssignment("segments.parquet", 5, {0: 3, 1: 2})
    >>> report.to_frame()
       segment  n_customers  share
    0        0            3    0.6
    1        1            2    0.4
    """

    destination: str
    n_customers: int
    segment_sizes: Mapping[int, int]

    def to_frame(self) -> pd.DataFrame:
        """Return one row per segment: ``segment``, ``n_customers``, ``share``."""
        sizes = pd.Series(dict(self.segment_sizes), dtype="int64")
        shares = (sizes / self.n_customers).to_numpy()
        return pd.DataFrame({SEGMENT: sizes.index, "n_customers": sizes.to_numpy(), "share": shares})


def assign_segments(
    fitted: Any,
    source: Any,
    destination: Any = None,
    batch_size: int = 65_536,
    *,
    customer_id: str | None = None,
    overwrite: bool = False,
) -> Any:
    """Say which segment each customer of a table of any size belongs to.

    Rows are read, scored and handed on in batches, so that memory holds one batch, not the table.
    The labels are those of ``fitted.predict`` in memory, whatever the size of the batches.

    Parameters
    ----------
    fitted : estimator
        Anything fitted whose ``predict`` gives whole numbers for customers in rows:
        :class:`SegmentClusterer`, another segmenter, a ``Pipeline``, a clusterer of scikit-learn.
    source : path or DataFrame
        One row per customer: the path of a Parquet or CSV file or of a folder of Parquet files, or a
        table of polars (lazy or not), pandas, pyarrow, duckdb, ibis, dask or pyspark. Columns that
        ``fitted`` does not know are not read.
    destination : path, optional
        Where to write the ids and segments: a file whose name ends in .parquet or .csv; for a pyspark
        table, a folder of Parquet files. It appears when all is written, or not at all.
    batch_size : int, default=65_536
        How many customers are scored at once; at most, where an engine makes smaller batches.
    customer_id : str, optional
        The column that identifies the customers, by default that of ``fitted``; of a pandas or dask
        table without such a column, the index.
    overwrite : bool, default=False
        Whether an existing destination is replaced; otherwise it is refused.

    Returns
    -------
    SegmentAssignment, DataFrame or Table
        With a destination, what was written. Without, the ids and the column ``segment`` in the order
        of the rows: polars for polars, pyarrow for pyarrow and duckdb, pandas (indexed by the id) for
        the others; for pyspark a table that is computed when it is used.

    Raises
    ------
    ColumnNotFoundError
        If the source, or one file of its folder, lacks a characteristic or the customer id.
    CustomerIdError
        If ids of a pandas table that are to be written are of several types.
    InvalidTableError
        If the source is empty or cannot be read. A pyspark table that nothing is written from is not
        looked at, so an empty one gives an empty one.
    InvalidParameterError
        If ``fitted`` gives no whole numbers, or reads purchase lines: one customer's could be in two batches;
        if the ids are called ``segment``.
    ReportPathError
        If the destination exists, is (in) the source, or cannot be written. Which files a lazy table of
        polars, duckdb, ibis or dask reads is not known: with ``overwrite=True`` it may replace its own source.
    NotFittedError
        If ``fitted`` is not.

    See Also
    --------
    SegmentClusterer : Finds the segments.

    Notes
    -----
    Warnings of ``predict``, such as that of unseen categories, are given once, with the counts of all
    batches. Where a pyspark table is computed later, they go to the logs of its workers.

    An id that occurs twice is scored twice: finding it would need the whole column in memory.

    On Spark the fitted estimator is sent to every worker once and scores inside ``mapInArrow``; the
    workers need custseg and the same Python (``PYSPARK_PYTHON``). Writing goes to another folder
    beside it first, which is renamed; Spark Connect cannot rename, so write from the table it returns there.

    Examples
    --------
    >>> import pandas as pd
    >>> from custseg.segmentation import SegmentClusterer, assign_segments
    >>> customers = pd.DataFrame(
    ...     {"customer_id": [11, 12, 13, 14, 15], "visits": [1, 2, 1, 9, 8], "region": ["N", "N", "N", "S", "S"]}
    ... )
    >>> clusterer = SegmentClusterer(n_segments=2, random_state=0).fit(customers)
    >>> assign_segments(clusterer, customers, batch_size=2)["segment"].to_dict()
    {11: 0, 12: 0, 13: 0, 14: 1, 15: 1}
    >>> import os, tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> report = assign_segments(clusterer, customers, os.path.join(folder.name, "segments.csv"))
    >>> report.n_customers, report.segment_sizes
    (5, {0: 3, 1: 2})
    >>> folder.cleanup()
    """
    _check(destination, batch_size, customer_id, overwrite)
    scorer = make_scorer(fitted, WHO, customer_id)
    if not is_path(source) and not is_frame(source):
        raise InvalidTableError.unsupported(WHO, source)
    if is_spark(source):
        if destination is None:
            return score_on_spark(scorer, source)
        written = write_from_spark(scorer, source, str(destination), overwrite=overwrite)
        return SegmentAssignment(str(destination), sum(written.values()), _sizes(scorer, written))
    place = None if destination is None else _checked(destination, source, overwrite)
    notes = Notes()
    scored = _scored(scorer, read_batches(source, scorer, batch_size), notes)
    if place is None:
        result = _gathered(scored, source, scorer)
        notes.tell()
        return result
    sizes = _written(scored, place, _object_ids(source, scorer.customer_id))
    notes.tell()
    return SegmentAssignment(str(destination), sum(sizes.values()), _sizes(scorer, sizes))


def _check(destination: Any, batch_size: Any, customer_id: Any, overwrite: Any) -> None:
    allowed = {
        "destination": (NONE, Instance(str, Path, words="a path (text or pathlib.Path)")),
        "batch_size": (Integer(1),),
        "customer_id": (NONE, COLUMN),
        "overwrite": (OneOf(True, False),),
    }
    given = {"destination": destination, "batch_size": batch_size, "customer_id": customer_id, "overwrite": overwrite}
    check(WHO, allowed, given)


def _checked(destination: str | Path, source: Any, overwrite: bool) -> Path:
    place = Path(destination)
    if place.suffix not in ENDINGS:
        raise ConfigurationError.not_a_table(place, ENDINGS)
    if is_path(source):
        origin, target = Path(source).resolve(), place.resolve()
        if origin == target or origin in target.parents:
            raise ReportPathError.is_source(place)
    if place.exists() and not overwrite:
        raise ReportPathError.exists(place)
    return check_writable(place)


def _scored(scorer: Scorer, batches: Iterable[nw.DataFrame[Any]], notes: Notes) -> Iterator[nw.DataFrame[Any]]:
    """Yield ids and segments of each batch."""
    is_empty = True
    for batch in batches:
        if not len(batch):
            continue
        is_empty = False
        with notes.taken():
            labels = scorer.labels(batch)
        # a copy: a column of a batch keeps all its columns in memory
        ids = batch.select(scorer.customer_id)[np.arange(len(batch))]
        yield ids.with_columns(nw.new_series(SEGMENT, labels, nw.Int64(), backend=batch.implementation))
    if is_empty:
        raise InvalidTableError.empty(WHO, "customer table")


def _gathered(scored: Iterable[nw.DataFrame[Any]], source: Any, scorer: Scorer) -> Any:
    table = nw.concat(list(scored))
    return to_kind(table, output_kind(source), scorer.customer_id)


def _object_ids(source: Any, customer_id: str) -> Any:
    """Return the ids of a pandas table that keeps them as objects in one type; one batch may suggest another."""
    if not isinstance(source, pd.DataFrame):
        return None
    index = source.index
    ids = source[customer_id] if customer_id in source.columns else pd.Series(index, dtype=index.dtype)
    dtype = ids.cat.categories.dtype if isinstance(ids.dtype, pd.CategoricalDtype) else ids.dtype
    if dtype != np.dtype(object):
        return None
    arrow = require("pyarrow", WHO)
    values = ids.astype(object)
    for kind in (None, arrow.uint64()):
        try:
            return arrow.array(values, kind, from_pandas=True)
        except (arrow.ArrowException, OverflowError):
            continue
    kinds = {type(value).__name__ for value in values.dropna()}
    if len(kinds) > 1:
        raise CustomerIdError.mixed(WHO, customer_id, kinds)
    return arrow.array(values.where(values.isna(), values.astype(str)), arrow.string(), from_pandas=True)


def _written(scored: Iterable[nw.DataFrame[Any]], place: Path, ids: Any) -> Counter[int]:
    """Write batches to a temporary file that takes its place at the end; ``ids`` are those of all batches if known."""
    sizes: Counter[int] = Counter()
    with replacing(place) as temporary:
        writer: Any = None
        try:
            for part in scored:
                table = _plain(part, None if ids is None else ids.slice(sizes.total(), len(part)))
                if writer is None:
                    writer = _writer(temporary, place.suffix, table.schema)
                writer.write_table(table.cast(writer.schema if place.suffix == ".parquet" else table.schema))
                sizes.update(part[SEGMENT].to_list())
        finally:
            if writer is not None:
                writer.close()
    return sizes


def _writer(file: Path, ending: str, schema: Any) -> Any:
    if ending == ".parquet":
        return require("pyarrow.parquet", WHO).ParquetWriter(file, schema)
    return require("pyarrow.csv", WHO).CSVWriter(str(file), schema)


def _plain(part: nw.DataFrame[Any], ids: Any) -> Any:
    """Turn ids that are categories into text: each batch may have other categories."""
    arrow = require("pyarrow", WHO)
    if ids is not None:
        name = part.columns[0]
        return part.drop(name).to_arrow().add_column(0, name, ids)
    table = part.to_arrow()
    fields = [
        arrow.field(field.name, field.type.value_type) if arrow.types.is_dictionary(field.type) else field
        for field in table.schema
    ]
    return table.cast(arrow.schema(fields))


def _sizes(scorer: Scorer, counted: Mapping[int, int]) -> dict[int, int]:
    """Order sizes by segment, those without customers included."""
    sizes = dict.fromkeys(range(scorer.n_segments), 0) | {int(label): int(n) for label, n in counted.items()}
    return dict(sorted(sizes.items()))

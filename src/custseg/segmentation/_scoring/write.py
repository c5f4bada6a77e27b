"""Writing the segments of any number of customers, with one batch in memory."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from custseg._core.asking import asks
from custseg._core.files import check_writable, is_read_from, replacing
from custseg._core.formulas import Formulas
from custseg._core.optional import require
from custseg._core.params import Instance, OneOf, check
from custseg._core.paths import is_path
from custseg._core.results import Result
from custseg._core.segments import SEGMENT
from custseg._core.visible import visible
from custseg.exceptions import ConfigurationError, CustomerIdError, OutputPathError
from custseg.segmentation._scoring.assign import PARAMETERS, score_batches, scorer_of
from custseg.segmentation._scoring.scorer import Notes, Scorer
from custseg.segmentation._scoring.spark import is_spark, write_from_spark

__all__ = ["SegmentAssignment", "write_segments"]

_PARAMETERS = {
    **PARAMETERS,
    "path": (Instance(str, Path, words="a path (text or pathlib.Path)"),),
    "overwrite": (OneOf(True, False),),
    "escape_formulas": (OneOf(True, False),),
}
ENDINGS = (".parquet", ".csv")


@dataclass(frozen=True, kw_only=True, repr=False)
class SegmentAssignment(Result):
    """What was written where.

    Attributes
    ----------
    path : str
        The file or folder that holds the ids and segments.
    n_customers : int
        The number of rows in it.
    segment_sizes : mapping of int to int
        The number of customers in each segment, those without any included; -1 is not assigned.

    Examples
    --------
    >>> from custseg.segmentation import SegmentAssignment
    >>> report = SegmentAssignment(path="segments.parquet", n_customers=5, segment_sizes={0: 3, 1: 2})
    >>> report.to_frame()
       segment  n_customers  share
    0        0            3    0.6
    1        1            2    0.4
    """

    path: str
    n_customers: int
    segment_sizes: Mapping[int, int]

    def __str__(self) -> str:
        n_segments = sum(label >= 0 for label in self.segment_sizes)
        return f"{self.n_customers:,} customers in {n_segments:,} segments were written to {visible(self.path)}."

    def to_frame(self) -> pd.DataFrame:
        """Return one row per segment: ``segment``, ``n_customers``, ``share``."""
        sizes = pd.Series(dict(self.segment_sizes), dtype="int64")
        shares = (sizes / self.n_customers).to_numpy()
        return pd.DataFrame({SEGMENT: sizes.index, "n_customers": sizes.to_numpy(), "share": shares})


@asks
def write_segments(
    segmenter: Any,
    X: Any,
    path: str | Path,
    *,
    customer_id: str | None = None,
    batch_size: int = 65_536,
    overwrite: bool = False,
    escape_formulas: bool = False,
) -> SegmentAssignment:
    """Write which segment each customer of a table of any size belongs to.

    Rows are read, scored and written in batches, so that memory holds one batch, not the table.
    The labels are those of ``segmenter.predict`` in memory, whatever the size of the batches.

    Parameters
    ----------
    segmenter : estimator
        Anything fitted whose ``predict`` gives whole numbers for customers in rows:
        :class:`SegmentClusterer`, another segmenter, a ``Pipeline``, a clusterer of scikit-learn.
    X : path or DataFrame
        One row per customer, of any kind that :func:`assign_segments` takes.
    path : str or path
        Where to write the ids and segments: a file whose name ends in .parquet or .csv; for a pyspark
        table, a folder of Parquet files. It appears when all is written, or not at all.
    customer_id : str, optional
        The column that identifies the customers, by default that of ``segmenter``; of a pandas or dask
        table without such a column, the index.
    batch_size : int, default=65_536
        How many customers are scored at once; at most, where an engine makes smaller batches.
    overwrite : bool, default=False
        Whether what is at ``path`` is replaced; otherwise it is refused, also where it came there in the meantime: of
        several that write there at once, one succeeds.
    escape_formulas : bool, default=False
        Whether a ``'`` is put before ids of a .csv file that begin with =, +, -, @, a tab or a carriage return, which
        spreadsheets may run as formulas. Otherwise ids are exact, and a warning counts these. Parquet keeps all exact.

    Returns
    -------
    SegmentAssignment
        What was written.

    Raises
    ------
    ColumnNotFoundError
        If the table, or one file of its folder, lacks a characteristic or the customer id.
    ConfigurationError
        If the name of the file ends otherwise.
    CustomerIdError
        If the ids of a pandas table are of several types.
    InvalidTableError
        If the table is empty or cannot be read.
    InvalidParameterError
        If ``segmenter`` gives no whole numbers, or reads purchase lines: one customer's could be in two
        batches; if the ids are called ``segment``.
    OutputPathError
        If the path exists, is (in) the table's own, or cannot be written. Which files a lazy table of
        polars, duckdb, ibis or dask reads is not known: with ``overwrite=True`` it may replace its own source.
    NotFittedError
        If ``segmenter`` is not.

    Warns
    -----
    DataQualityWarning
        If ids in a .csv file are formulas to a spreadsheet, with their number.

    See Also
    --------
    assign_segments : The same as a table.

    Notes
    -----
    Warnings of ``predict``, such as that of unseen categories, are given once, with the counts of all
    batches. An id that occurs twice is scored twice: finding it would need the whole column in memory.

    On Spark all is written to another folder beside ``path`` first, which is renamed. Spark Connect cannot
    rename: there, write the table that ``assign_segments`` returns.

    Examples
    --------
    >>> import os, tempfile
    >>> import pandas as pd
    >>> from custseg import SegmentClusterer, write_segments
    >>> customers = pd.DataFrame(
    ...     {"customer_id": [11, 12, 13, 14, 15], "visits": [1, 2, 1, 9, 8], "region": ["N", "N", "N", "S", "S"]}
    ... )
    >>> clusterer = SegmentClusterer(n_segments=2, random_state=0).fit(customers)
    >>> folder = tempfile.TemporaryDirectory()
    >>> written = write_segments(clusterer, customers, os.path.join(folder.name, "segments.csv"))
    >>> written.n_customers, written.segment_sizes
    (5, {0: 3, 1: 2})
    >>> folder.cleanup()
    """
    given = {"customer_id": customer_id, "batch_size": batch_size, "path": path, "overwrite": overwrite}
    check(_PARAMETERS, given | {"escape_formulas": escape_formulas})
    scorer = scorer_of(segmenter, X, customer_id=customer_id)
    if is_spark(X):
        sizes: Mapping[int, int] = write_from_spark(scorer, X, str(path), overwrite=overwrite)
    else:
        place, notes, formulas = _checked(path, X, overwrite), Notes(), Formulas(escape=escape_formulas)
        ids = _object_ids(X, scorer.customer_id)
        with replacing(place, overwrite=overwrite) as draft:
            scored = score_batches(scorer, X, batch_size, notes)
            sizes = _written(scored, draft, place.suffix.lower(), ids, formulas)
        notes.tell()
        formulas.tell("escape_formulas=True")
    return SegmentAssignment(path=str(path), n_customers=sum(sizes.values()), segment_sizes=_sizes(scorer, sizes))


def _checked(path: str | Path, X: Any, overwrite: bool) -> Path:
    place = Path(path)
    if place.suffix.lower() not in ENDINGS:
        raise ConfigurationError.not_a_table(place, ENDINGS)
    if is_path(X) and is_read_from(place, X):
        raise OutputPathError.is_source(place)
    if os.path.lexists(place) and not overwrite:
        raise OutputPathError.exists(place)
    return check_writable(place)


def _object_ids(X: Any, customer_id: str) -> Any:
    """Return the ids of a pandas table that keeps them as objects in one type; one batch may suggest another."""
    if not isinstance(X, pd.DataFrame):
        return None
    index = X.index
    ids = X[customer_id] if customer_id in X.columns else pd.Series(index, dtype=index.dtype)
    dtype = ids.cat.categories.dtype if isinstance(ids.dtype, pd.CategoricalDtype) else ids.dtype
    if dtype != np.dtype(object):
        return None
    arrow = require("pyarrow")
    values = ids.astype(object)
    for kind in (None, arrow.uint64()):
        try:
            return arrow.array(values, kind, from_pandas=True)
        except (arrow.ArrowException, OverflowError):
            continue
    kinds = {type(value).__name__ for value in values.dropna()}
    if len(kinds) > 1:
        raise CustomerIdError.mixed(customer_id, kinds)
    return arrow.array(values.where(values.isna(), values.astype(str)), arrow.string(), from_pandas=True)


def _written(
    scored: Iterable[nw.DataFrame[Any]], file: Path, ending: str, ids: Any, formulas: Formulas
) -> Counter[int]:
    """Write batches to a file; ``ids`` are those of all batches if known."""
    sizes: Counter[int] = Counter()
    is_parquet = ending == ".parquet"
    writer: Any = None
    try:
        for part in scored:
            table = _plain(part, None if ids is None else ids.slice(sizes.total(), len(part)))
            table = table if is_parquet else _without_formulas(table, formulas)
            if writer is None:
                writer = _writer(file, ending, table.schema)
            writer.write_table(table.cast(writer.schema if is_parquet else table.schema))
            sizes.update(part[SEGMENT].to_list())
    finally:
        if writer is not None:
            writer.close()
    return sizes


def _without_formulas(table: Any, formulas: Formulas) -> Any:
    """Look at the ids, and at what they are called, where they are text."""
    arrow, ids = require("pyarrow"), table.column(0)
    (name,), _ = formulas.checked([table.column_names[0]])
    table = table.rename_columns([name, *table.column_names[1:]])
    if not (arrow.types.is_string(ids.type) or arrow.types.is_large_string(ids.type)):
        return table
    texts, found = formulas.checked(ids.to_pylist())
    return table.set_column(0, name, arrow.array(texts, ids.type)) if found.any() else table


def _writer(file: Path, ending: str, schema: Any) -> Any:
    if ending == ".parquet":
        return require("pyarrow.parquet").ParquetWriter(file, schema)
    return require("pyarrow.csv").CSVWriter(str(file), schema)


def _plain(part: nw.DataFrame[Any], ids: Any) -> Any:
    """Turn ids that are categories into text: each batch may have other categories."""
    arrow = require("pyarrow")
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

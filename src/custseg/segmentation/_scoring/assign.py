"""Saying which segment each of any number of customers belongs to, batch by batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from custseg._core.asking import asks
from custseg._core.frames import is_frame, output_kind, to_kind
from custseg._core.params import COLUMN, NONE, Integer, ParameterTable, check
from custseg._core.paths import is_path
from custseg._core.segments import SEGMENT
from custseg.exceptions import InvalidTableError
from custseg.segmentation._scoring.batches import read_batches
from custseg.segmentation._scoring.scorer import Notes, Scorer, make_scorer
from custseg.segmentation._scoring.spark import is_spark, score_on_spark

__all__ = ["PARAMETERS", "assign_segments", "score_batches", "scorer_of"]

PARAMETERS: ParameterTable = {"customer_id": (NONE, COLUMN), "batch_size": (Integer(1),)}


@asks
def assign_segments(segmenter: Any, X: Any, *, customer_id: str | None = None, batch_size: int = 65_536) -> Any:
    """Say which segment each customer of a table of any size belongs to.

    Rows are read and scored in batches, and ids and segments are all that is kept of them. The labels are
    those of ``segmenter.predict`` in memory, whatever the size of the batches.

    Parameters
    ----------
    segmenter : estimator
        Anything fitted whose ``predict`` gives whole numbers for customers in rows:
        :class:`SegmentClusterer`, another segmenter, a ``Pipeline``, a clusterer of scikit-learn.
    X : path or DataFrame
        One row per customer: the path of a Parquet or CSV file or of a folder of Parquet files, or a
        table of polars (lazy or not), pandas, pyarrow, duckdb, ibis, dask or pyspark. Columns that
        ``segmenter`` does not know are not read.
    customer_id : str, optional
        The column that identifies the customers, by default that of ``segmenter``; of a pandas or dask
        table without such a column, the index.
    batch_size : int, default=65_536
        How many customers are scored at once; at most, where an engine makes smaller batches.

    Returns
    -------
    DataFrame or Table
        The ids and the column ``segment`` in the order of the rows: polars for polars, pyarrow for
        pyarrow and duckdb, pandas (indexed by the id) for the others; for pyspark a table that is
        computed when it is used.

    Raises
    ------
    ColumnNotFoundError
        If the table, or one file of its folder, lacks a characteristic or the customer id.
    InvalidTableError
        If the table is empty or cannot be read. A pyspark table is not looked at, so an empty one gives an
        empty one.
    InvalidParameterError
        If ``segmenter`` gives no whole numbers, or reads purchase lines: one customer's could be in two
        batches; if the ids are called ``segment``.
    NotFittedError
        If ``segmenter`` is not.

    See Also
    --------
    write_segments : The same into a file, with one batch in memory.
    SegmentClusterer : Finds the segments.

    Notes
    -----
    Warnings of ``predict``, such as that of unseen categories, are given once, with the counts of all
    batches. Where a pyspark table is computed later, they go to the logs of its workers.

    An id that occurs twice is scored twice: finding it would need the whole column in memory.

    On Spark the fitted estimator is sent to every worker once and scores inside ``mapInArrow``; the
    workers need custseg and the same Python (``PYSPARK_PYTHON``).

    Examples
    --------
    >>> import pandas as pd
    >>> from custseg import SegmentClusterer, assign_segments
    >>> customers = pd.DataFrame(
    ...     {"customer_id": [11, 12, 13, 14, 15], "visits": [1, 2, 1, 9, 8], "region": ["N", "N", "N", "S", "S"]}
    ... )
    >>> clusterer = SegmentClusterer(n_segments=2, random_state=0).fit(customers)
    >>> assign_segments(clusterer, customers, batch_size=2)["segment"].to_dict()
    {11: 0, 12: 0, 13: 0, 14: 1, 15: 1}
    """
    check(PARAMETERS, {"customer_id": customer_id, "batch_size": batch_size})
    scorer = scorer_of(segmenter, X, customer_id=customer_id)
    if is_spark(X):
        return score_on_spark(scorer, X)
    notes = Notes()
    result = _gathered(score_batches(scorer, X, batch_size, notes), X, scorer)
    notes.tell()
    return result


def scorer_of(segmenter: Any, X: Any, *, customer_id: str | None) -> Scorer:
    """Make the scorer, and refuse what is no table of customers."""
    scorer = make_scorer(segmenter, customer_id)
    if not is_path(X) and not is_frame(X):
        raise InvalidTableError.unsupported(X)
    return scorer


def score_batches(scorer: Scorer, X: Any, batch_size: int, notes: Notes) -> Iterator[nw.DataFrame[Any]]:
    """Yield ids and segments of each batch; its warnings go to ``notes``."""
    is_empty = True
    for batch in read_batches(X, scorer, batch_size):
        if not len(batch):
            continue
        is_empty = False
        with notes.taken():
            labels = scorer.labels(batch)
        # a copy: a column of a batch keeps all its columns in memory
        ids = batch.select(scorer.customer_id)[np.arange(len(batch))]
        yield ids.with_columns(nw.new_series(SEGMENT, labels, nw.Int64(), backend=batch.implementation))
    if is_empty:
        raise InvalidTableError.empty("customer table")


def _gathered(scored: Iterable[nw.DataFrame[Any]], X: Any, scorer: Scorer) -> Any:
    table = nw.concat(list(scored))
    return to_kind(table, output_kind(X), scorer.customer_id)

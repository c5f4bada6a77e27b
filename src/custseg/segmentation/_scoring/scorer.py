"""What a fitted segmentation needs of a batch of customers, and what it says of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from custseg._core.asking import asked, asking
from custseg._core.base import Estimator
from custseg._core.exact import refuse_inexact_ids
from custseg._core.warning import keeping, warn
from custseg.exceptions import ColumnNotFoundError, InvalidParameterError, UnseenCategoryWarning
from custseg.segmentation._base.segmenter import DEFAULT_ID, Segmenter, refuse_segment_as_id

__all__ = ["Notes", "Scorer", "make_scorer"]

# How many unseen categories of a column are remembered for the warning.
REMEMBERED = 1_000


@dataclass(frozen=True)
class Scorer:
    """A fitted estimator with the columns that it reads.

    Attributes
    ----------
    segmenter : estimator
        What predicts.
    name : str
        Who was asked, for the workers of Spark, which are not told otherwise.
    customer_id : str
        The column of the ids.
    features : tuple of str or None
        The columns that ``segmenter`` reads; None where it knows their number only.
    reads_frames : bool
        Whether it reads frames of any kind, rather than pandas.
    wants_id : bool
        Whether it sets the ids aside itself.
    n_segments : int
        How many segments it knows; 0 where it does not say.
    """

    segmenter: Any
    name: str
    customer_id: str
    features: tuple[str, ...] | None
    reads_frames: bool
    wants_id: bool
    n_segments: int

    def columns(self, available: list[str]) -> list[str]:
        """Return the columns to be read, the id first; refuse a table that lacks one."""
        wanted = [self.customer_id, *(available if self.features is None else self.features)]
        wanted = list(dict.fromkeys(wanted))
        missing = [name for name in wanted if name not in available]
        if missing:
            raise ColumnNotFoundError.in_table(missing, available)
        return wanted

    def labels(self, batch: nw.DataFrame[Any]) -> npt.NDArray[np.int64]:
        """Predict the segments of a batch with the columns of :meth:`columns`."""
        refuse_inexact_ids(self.customer_id, batch[self.customer_id])
        names = [name for name in batch.columns if name != self.customer_id]
        if self.features is not None:
            names = list(self.features)
        if self.reads_frames:
            own = [self.customer_id] if self.wants_id and self.customer_id not in names else []
            rows = batch.select(own + names).to_native()
        else:
            rows = batch.select(names).to_pandas()
            rows = rows.to_numpy() if self.features is None else rows
        found = np.asarray(self.segmenter.predict(rows))
        if found.shape != (len(batch),):
            words = f"an estimator that answers for each row, here {len(batch)} of them"
            raise InvalidParameterError.not_allowed("segmenter", words, f"answers of shape {found.shape}")
        if found.dtype.kind not in "iu":
            words = "an estimator that predicts whole numbers (of a pipeline that ends in names, pass pipeline[:-1])"
            raise InvalidParameterError.not_allowed("segmenter", words, found[:1].tolist())
        return found.astype(np.int64)


def make_scorer(segmenter: Any, customer_id: str | None) -> Scorer:
    """Find out what a fitted estimator reads.

    Parameters
    ----------
    segmenter : estimator
        What predicts.
    customer_id : str or None
        The column of the ids; None for the one that the estimator names.

    Returns
    -------
    Scorer
        The estimator with its columns.
    """
    if not hasattr(segmenter, "predict"):
        raise InvalidParameterError.not_allowed("segmenter", "a fitted estimator with predict", segmenter)
    if isinstance(segmenter, BaseEstimator):
        check_is_fitted(segmenter)
    head, last = segmenter, segmenter
    while isinstance(head, Pipeline):
        head = head.steps[0][1]
    while isinstance(last, Pipeline):
        last = last.steps[-1][1]
    if isinstance(head, Estimator) and not head.reads_customers:
        words = (
            "an estimator that reads one row per customer (first transform the lines to a table of customers, then "
            "assign with pipeline[1:])"
        )
        raise InvalidParameterError.not_allowed("segmenter", words, head)
    own = getattr(head, "customer_id", DEFAULT_ID)
    if isinstance(head, Segmenter):  # which may have it from its embedder
        own = head._customer_id()  # noqa: SLF001 - of the same family
    names = getattr(segmenter, "feature_names_in_", None)
    if names is None and isinstance(head, Segmenter):
        names = [f"x{position}" for position in range(head.n_features_in_)]
    name = customer_id or own or DEFAULT_ID
    refuse_segment_as_id(name)
    return Scorer(
        segmenter=segmenter,
        name=asked(),
        customer_id=name,
        features=None if names is None else tuple(str(name) for name in names),
        reads_frames=isinstance(head, Estimator),
        wants_id=name == own,
        n_segments=int(getattr(last, "n_segments_", 0)),
    )


class Notes:
    """Warnings of many batches, told once."""

    def __init__(self) -> None:
        self.n_batches = 0
        self._unseen: dict[str, Counter[str]] = {}
        self._levels: dict[tuple[str, str], set[str]] = {}
        self._others: Counter[tuple[type[Warning], str]] = Counter()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Keep the warnings of one batch."""
        self.n_batches += 1
        with keeping() as kept:
            yield
        for warning in {(type(each), str(each)): each for each in kept}.values():
            if isinstance(warning, UnseenCategoryWarning):
                self._add(warning)
            else:
                self._others[type(warning), str(warning)] += 1

    def _add(self, warning: UnseenCategoryWarning) -> None:
        self._unseen.setdefault(warning.who, Counter()).update(warning.counts)
        for column, levels in warning.levels.items():
            known = self._levels.setdefault((warning.who, column), set())
            known.update(list(levels)[: REMEMBERED - len(known)])

    def merge(self, other: Notes) -> Notes:
        """Take over what another part of the customers led to."""
        self.n_batches += other.n_batches
        for who, counts in other._unseen.items():
            levels = {column: sorted(other._levels[who, column]) for column in counts}
            with asking(who):
                self._add(UnseenCategoryWarning.counted(counts, levels))
        self._others.update(other._others)
        return self

    def tell(self) -> None:
        """Give each warning once: unseen categories with their total counts, others with the number of batches."""
        for who, counts in self._unseen.items():
            levels = {column: sorted(self._levels[who, column]) for column in counts}
            with asking(who):
                warn(UnseenCategoryWarning.counted(dict(sorted(counts.items())), levels))
        for (category, text), n_batches in self._others.items():
            where = f" (in {n_batches} of {self.n_batches} batches)" if self.n_batches > 1 else ""
            warn(category(text + where))  # it names who said it already

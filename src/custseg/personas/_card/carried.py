"""Which names segments keep when customers are segmented anew, such as every month."""

from __future__ import annotations

import numpy as np
import pandas as pd

from custseg._core.arrays import Integers
from custseg._core.segments import NOT_ASSIGNED
from custseg.exceptions import InvalidParameterError
from custseg.personas._naming import is_generic
from custseg.segmentation import Segmentation

__all__ = ["carried_names"]

_CLEARLY = 0.5
_ENOUGH_KNOWN = 0.5


def carried_names(new: Segmentation, old: Segmentation) -> dict[int, str]:
    """Return the segments that clearly are ones of before, with their names.

    Clearly is a Jaccard index above .5: of all customers who are in the one or the other more than half are in both. So
    no segment has two of before, nor two of them the same one (Hennig 2007: below .5 a cluster is dissolved). Customers
    are found again by their ids, where half of the new ones are among the old ones; else the segmenter of before says
    where the new ones would have been.

    References
    ----------
    C. Hennig (2007), "Cluster-wise assessment of cluster stability", Computational Statistics & Data Analysis 52.
    """
    before = _segments_before(new, old)
    shared = (before >= 0) & (new.labels >= 0)
    both = np.zeros((new.n_segments, old.n_segments))
    np.add.at(both, (new.labels[shared], before[shared]), 1)
    either = both.sum(axis=1, keepdims=True) + both.sum(axis=0) - both
    found = zip(*np.nonzero(both > _CLEARLY * either), strict=True)
    names = {int(segment): old.segment_names[earlier] for segment, earlier in found}
    return {segment: name for segment, name in names.items() if not is_generic(name)}


def _segments_before(new: Segmentation, old: Segmentation) -> Integers:
    """Return the old segment of each new customer; -1 where there is none."""
    ids = new.customer_table.ids
    # a study that was stored without its customers has none to find again
    known = old.customer_table.ids if "customer_table" in vars(old) else None
    if ids is not None and known is not None:
        places = pd.Index(known).get_indexer(pd.Index(ids))
        if (places >= 0).mean() >= _ENOUGH_KNOWN:
            return np.where(places >= 0, old.labels[places], NOT_ASSIGNED)
    if old.clusterer is None:
        words = "personas of half of these customers, by their ids, or of segments that a segmenter made"
        raise InvalidParameterError.not_allowed("names_from", words, old)
    return old.predict(new.customers)

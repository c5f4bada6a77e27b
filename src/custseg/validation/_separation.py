"""How far the segments stand apart: silhouettes, shadow values, centres, and what each characteristic separates."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.spatial.distance import cdist
from sklearn.base import clone
from sklearn.utils import check_random_state

from custseg._core.arrays import Floats, Integers
from custseg._core.asking import asks
from custseg._core.customers import Column, CustomerTable
from custseg._core.params import RANDOM_STATE, check
from custseg._core.results import Result
from custseg._core.segments import Segments, read_segments
from custseg.exceptions import InvalidParameterError
from custseg.segmentation import CharacteristicEmbedder, Segmentation
from custseg.segmentation._for_validation import (
    EMBEDDER,
    Embedded,
    Embedding,
    content_hash,
    embedded,
    order_by_content,
    unit_of,
)

__all__ = ["SILHOUETTE_CUSTOMERS", "SeparationResult", "segment_separation"]

SILHOUETTE_CUSTOMERS = 10_000
"""Above so many customers, silhouettes are those of a sample of at most this size."""


_PARAMETERS = {"embedder": EMBEDDER, "random_state": RANDOM_STATE}

# Distances held in memory at a time (32 MB).
_BLOCK = 4_000_000
# Distances below this share of the largest coordinate are 0 but for rounding, ...
_ROUNDING = 1e-12
# ... and those that differ by less than this share are equal.
_EQUAL = 1e-9


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SeparationResult(Result):
    """What :func:`segment_separation` found.

    Attributes
    ----------
    segments : pandas.DataFrame
        One row per segment, sorted by label: ``segment`` (its label); ``n_customers``; ``silhouette``, the mean of its
        customers, from -1 (nearer to another segment) over 0 (between two) to 1 (far from all others), and 0 for a
        segment of one customer; ``shadow``, the mean of its customers, from 0 (at the centre) to 1 (halfway between
        two centres); ``relative_variance``, the mean squared distance to its centre divided by that of all customers
        to their mean, 0 where all of the segment are alike and 1 where they differ as much as customers at large.
    characteristics : pandas.DataFrame
        One row per characteristic that counts in the distance: ``characteristic``, ``kind``, ``n_known`` (customers
        in a segment whose value is not missing), ``eta2`` (Eta squared, the share of its variance that lies between
        the segments; NaN where all values are alike).
    distances : pandas.DataFrame of shape (n_segments, n_segments)
        The distances between the centres, in the embedding; rows and columns are labels.
    neighbourhood : pandas.DataFrame of shape (n_segments, n_segments)
        The sum of the shadow values of the row segment's customers to whom, of all other centres, that of the column
        segment is nearest, divided by the number of all customers of the row segment. A row adds up to the segment's
        ``shadow``, its largest entry is the neighbour with the weakest border, and its diagonal is 0.
    silhouette, shadow : float
        The means over all customers in a segment.
    explained : float
        The share of the variance that lies between the segments, 1 - SSE / SST; NaN where all customers are alike.
    n_customers : int
        The number of customers in a segment.
    n_not_assigned : int
        The number of customers in no segment, who are left out.
    n_sampled : int
        The number of customers behind the silhouettes: ``n_customers``, or about :data:`SILHOUETTE_CUSTOMERS` of more.
    """

    segments: pd.DataFrame
    characteristics: pd.DataFrame
    distances: pd.DataFrame
    neighbourhood: pd.DataFrame
    silhouette: float
    shadow: float
    explained: float
    n_customers: int
    n_not_assigned: int
    n_sampled: int

    def __str__(self) -> str:
        explained = "an unknown share" if math.isnan(self.explained) else f"{self.explained:.0%}"
        return (
            f"{len(self.segments):,} segments of {self.n_customers:,} customers explain {explained} of their variance "
            f"(mean silhouette {self.silhouette:.2f}, mean shadow value {self.shadow:.2f})."
        )

    def to_frame(self) -> pd.DataFrame:
        """Return one row per segment: ``segment, n_customers, silhouette, shadow, relative_variance``."""
        return self.segments


@asks
def segment_separation(
    X: Any,
    labels: Any = None,
    *,
    embedder: CharacteristicEmbedder | Literal["passthrough"] | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> SeparationResult:
    """Measure how far segments stand apart, in the distances in which the clusterer finds them.

    The labels may come from anywhere: a clusterer, rules, another tool. The customers are embedded as
    :class:`~custseg.segmentation.SegmentClusterer` embeds them.

    Parameters
    ----------
    X : Segmentation, DataFrame, path, or array-like of shape (n_customers, n_characteristics)
        A segmentation, or one row per customer. A matrix holds numeric characteristics ``x0``, ``x1``, ...
    labels : array-like or Series of shape (n_customers,), default=None
        The segment of each customer, whole numbers or text; -1, None and NaN for a customer in none. A pandas Series
        whose index is not that of ``X`` is aligned by customer id. A segmentation has them.
    embedder : CharacteristicEmbedder, "passthrough" or None, default=None
        What turns characteristics into distances. It is cloned and fitted on ``X``, those in no segment included; None
        stands for that of the segmentation's clusterer where there is one, else ``CharacteristicEmbedder()``;
        ``"passthrough"`` for numbers as they are, without missing values.
    random_state : int, RandomState or None, default=None
        Source of the sample of more than :data:`SILHOUETTE_CUSTOMERS` customers.

    Returns
    -------
    SeparationResult
        Figures for all, for every segment, pair of segments, and characteristic. They do not depend on the order of
        rows or columns.

    Raises
    ------
    InvalidParameterError
        If there are fewer than 2 segments.
    SegmentLabelError
        If there are more or fewer labels than customers, or of more than 1,000 segments; if they are neither whole
        numbers nor text; if ``X`` has a column ``segment``.
    CustomerIdError
        If labels with an index of their own cannot be aligned: an id is missing or there twice.
    InvalidTableError
        If the table cannot be used, as :meth:`~custseg.segmentation.SegmentClusterer.fit`.

    Notes
    -----
    A customer's **silhouette** [1]_ is (b - a) / max(a, b), where a is the mean distance to the others of the segment
    and b that to the customers of the nearest other segment. It takes all pairs of customers. Above
    :data:`SILHOUETTE_CUSTOMERS` they are a random sample, half of it drawn from all segments in equal numbers,
    so that small ones are judged too, and half in proportion to size; in the overall mean the segments count by their
    full sizes. Everything else is of all customers.

    The **shadow value** [2]_ is 2 d1 / (d1 + d2), where d1 and d2 are the distances to the nearest and the
    second nearest of all centres, the means of the segments; where both are 0, it is 1. For k-means the nearest centre
    is that of the own segment, and **neighbourhood** is then the similarity behind neighbourhood graphs [2]_. Where
    several other centres are equally near, the customer counts for each in part.

    **Eta squared** is taken from the embedded columns of a characteristic, so that all kinds are on one
    scale: of numbers after logs and winsorising, of mid-ranks of ordered levels, and of one column for each level
    of a nominal characteristic, all together (there it is Goodman and Kruskal's tau [3]_). Each yes/no column of a
    question has its own figure, which says nothing of how much it counts there. A missing value,
    the mean in the distance, is left out of its characteristic's own figure. Characteristics of weight 0 have none.

    These figures describe; high ones prove nothing. Any cut through one continuum separates something.

    References
    ----------
    .. [1] P. J. Rousseeuw (1987), "Silhouettes: a graphical aid to the interpretation and validation of cluster
       analysis", Journal of Computational and Applied Mathematics 20, 53-65.
    .. [2] F. Leisch (2010), "Neighborhood graphs, stripes and shadow plots for cluster visualization", Statistics and
       Computing 20, 457-469.
    .. [3] L. A. Goodman and W. H. Kruskal (1954), "Measures of association for cross classifications", Journal of the
       American Statistical Association 49, 732-764.

    Examples
    --------
    >>> import pandas as pd
    >>> from custseg.validation import segment_separation
    >>> customers = pd.DataFrame({"visits": [1, 2, 1, 9, 8], "region": ["N", "N", "S", "S", "S"]})
    >>> separation = segment_separation(customers, ["rare", "rare", "rare", "often", "often"])
    >>> separation.to_frame().round(2)
      segment  n_customers  silhouette  shadow  relative_variance
    0   often            2        0.95    0.05               0.00
    1    rare            3        0.34    0.55               0.52
    >>> separation.characteristics.round(2)
      characteristic     kind  n_known  eta2
    0         visits  numeric        5  0.93
    1         region  nominal        5  0.44
    >>> round(separation.explained, 2)
    0.69
    """
    check(_PARAMETERS, {"embedder": embedder, "random_state": random_state})
    space, segments = _read(X, labels, embedder)
    names = segments.levels
    customers, table = _arrange(space, segments.codes, len(names))
    variance = _Variance.of(customers.points, customers.codes, len(names))
    with np.errstate(over="ignore"):
        distances = cdist(variance.centers, variance.centers) * customers.unit
    silhouettes, n_sampled = _silhouettes(customers, check_random_state(random_state))
    shadows, neighbourhood = _shadows(customers, variance.centers)
    shares = customers.sizes / len(customers.codes)
    within, total = variance.within.sum(axis=1), float(variance.within.sum() + variance.between.sum())
    per_segment = pd.DataFrame(
        {
            "segment": names,
            "n_customers": customers.sizes,
            "silhouette": silhouettes,
            "shadow": shadows,
            "relative_variance": within / (shares * total) if total > 0 else np.full(len(names), np.nan),
        }
    )
    rows = pd.Index(names, name="segment")
    return SeparationResult(
        segments=per_segment,
        characteristics=_characteristics(customers, table, variance),
        distances=pd.DataFrame(distances, index=rows, columns=names),
        neighbourhood=pd.DataFrame(neighbourhood, index=rows, columns=names),
        silhouette=float((shares * silhouettes).sum()),
        shadow=float((shares * shadows).sum()),
        explained=1.0 - float(within.sum()) / total if total > 0 else math.nan,
        n_customers=len(customers.codes),
        n_not_assigned=int((segments.codes < 0).sum()),
        n_sampled=n_sampled,
    )


def _read(X: Any, labels: Any, embedder: Any) -> tuple[Embedded, Segments]:
    """Embed the customers and read who is in which segment; refuse fewer than two segments."""
    if isinstance(X, Segmentation):
        embedder = _embedder_of(X, labels, embedder)
        X, labels = X.customer_table, np.array([*X.segment_names, None], dtype=object)[X.labels]
    space = embedded(X, Embedding(embedder))
    segments = read_segments(labels, space.table, X=X, customer_id=space.customer_id)
    if len(segments.levels) < 2:
        words = "of at least 2 segments with customers (-1, None and NaN are none)"
        raise InvalidParameterError.not_allowed("labels", words, f"{len(segments.levels):,} segment(s)")
    return space, segments


def _embedder_of(segmentation: Segmentation, labels: Any, embedder: Any) -> Any:
    """Return the embedder to be used for a segmentation: the one asked for, else that of its clusterer."""
    if labels is not None:
        words = "None, since the segmentation says who is in which segment"
        raise InvalidParameterError.not_allowed("labels", words, labels)
    fitted = None if segmentation.clusterer is None else segmentation.clusterer.embedder_
    return embedder if embedder is not None or fitted is None else clone(fitted)


@dataclass(frozen=True)
class _Customers:
    """Customers in a segment, sorted by it and then by content: the order of the table changes no sum and no sample.

    ``points`` are their places, counted from the first of them in multiples of ``unit``; ``content`` is a hash of
    them, and ``owner`` names the characteristic of each column.
    """

    points: Floats
    codes: Integers
    sizes: Integers
    content: npt.NDArray[np.uint64]
    owner: npt.NDArray[Any]
    unit: float

    def parts(self) -> Iterator[tuple[int, Floats]]:
        """Yield the customers of each segment, at most so many at a time that their distances fit in memory."""
        step = max(1, _BLOCK // len(self.sizes))
        for segment, end in enumerate(np.cumsum(self.sizes)):
            for start in range(end - self.sizes[segment], end, step):
                yield segment, self.points[start : min(start + step, end)]


def _arrange(space: Embedded, codes: Integers, n_segments: int) -> tuple[_Customers, CustomerTable]:
    """Leave out who is in no segment, and put customers and columns in an order of their own."""
    owner = _owner(space)
    if not space.table.named:
        columns = order_by_content(space.matrix, np.ones(len(space.matrix)))
    else:
        names = owner if space.embedder is None else space.embedder.get_feature_names_out()
        columns = np.argsort(np.asarray(names, dtype=str), kind="stable")
    rows = np.flatnonzero(codes >= 0)
    points = space.matrix[np.ix_(rows, columns)]
    points += 0.0  # -0.0 becomes 0.0, which has another hash
    content = content_hash(points)
    order = np.lexsort((content, codes[rows]))
    rows, points = rows[order], points[order]
    unit = unit_of(points)
    points /= unit
    points -= points[0].copy()  # equal customers are then exactly 0, and an offset costs no digits
    sizes = np.bincount(codes[rows], minlength=n_segments)
    return _Customers(points, codes[rows], sizes, content[order], owner[columns], unit), space.table.take(rows)


def _owner(space: Embedded) -> npt.NDArray[Any]:
    """Name the characteristic of each embedded column: of a nominal one, there is a column for each level."""
    if space.embedder is None:
        return np.array(space.table.names, dtype=object)
    counted = [column for column in space.table.columns if space.embedder.weights_[column.name] > 0]
    return np.repeat(np.array([column.name for column in counted], dtype=object), [_width(c) for c in counted])


def _width(column: Column) -> int:
    return max(1, len(column.categories)) if column.kind == "nominal" else 1


@dataclass(frozen=True)
class _Variance:
    """Sums of squares inside the segments (n_segments, n_columns) and between them (n_columns), and the centres."""

    centers: Floats
    within: Floats
    between: Floats

    @classmethod
    def of(cls, points: Floats, codes: Integers, n_segments: int) -> _Variance:
        counts = np.bincount(codes, minlength=n_segments)
        centers, within = np.zeros((2, n_segments, points.shape[1]))
        between = np.zeros(points.shape[1])
        for position, column in enumerate(points.T):
            values = column - column[0]  # a constant is exactly 0
            means = np.bincount(codes, values, n_segments) / np.maximum(counts, 1)
            within[:, position] = np.bincount(codes, (values - means[codes]) ** 2, n_segments)
            between[position] = (counts * (means - values.sum() / len(values)) ** 2).sum()
            centers[:, position] = means + column[0]
        return cls(centers, within, between)


def _characteristics(customers: _Customers, table: CustomerTable, variance: _Variance) -> pd.DataFrame:
    rows = []
    for column in table.columns:
        own = customers.owner == column.name
        if not own.any():
            continue
        known = ~column.missing
        own_variance = _Variance(variance.centers, variance.within[:, own], variance.between[own])
        if 0 < known.sum() < len(known):
            places = np.ix_(known, own)
            own_variance = _Variance.of(customers.points[places], customers.codes[known], len(customers.sizes))
        between = float(own_variance.between.sum())
        total = between + float(own_variance.within.sum())
        rows.append((column.name, column.kind, int(known.sum()), between / total if total > 0 else math.nan))
    return pd.DataFrame(rows, columns=["characteristic", "kind", "n_known", "eta2"])


def _silhouettes(customers: _Customers, random: np.random.RandomState) -> tuple[Floats, int]:
    """Return the mean silhouette of each segment, and of how many customers they are."""
    rows, sizes = _sample(customers, random)
    points, codes = customers.points[rows], customers.codes[rows]
    starts = np.cumsum(sizes) - sizes
    silhouettes = np.zeros(len(points))
    step = max(1, _BLOCK // len(points))
    for start in range(0, len(points), step):
        own = codes[start : start + step]
        places = np.arange(len(own))
        sums = np.add.reduceat(cdist(points[start : start + step], points), starts, axis=1)
        inside = sums[places, own] / np.maximum(sizes[own] - 1, 1)
        others = sums / sizes
        others[places, own] = np.inf
        nearest = others.min(axis=1)
        larger = np.maximum(inside, nearest)
        known = (larger > 0) & (sizes[own] > 1)
        np.divide(nearest - inside, larger, out=silhouettes[start : start + step], where=known)
    return np.add.reduceat(silhouettes, starts) / sizes, len(points)


def _sample(customers: _Customers, random: np.random.RandomState) -> tuple[Integers, Integers]:
    """Draw customers from every segment; returns their places, sorted by segment, and how many are of each."""
    sizes, n = customers.sizes, len(customers.codes)
    if n <= SILHOUETTE_CUSTOMERS:
        return np.arange(n), sizes
    wanted = SILHOUETTE_CUSTOMERS / 2.0 * (sizes / n + 1.0 / len(sizes))
    drawn = np.minimum(sizes, np.maximum(wanted.astype(np.int64), 2))
    # numbers are given out by content alone, so that other names of the segments draw the same customers
    numbers = np.empty(n)
    numbers[np.argsort(customers.content, kind="stable")] = random.random_sample(n)
    shuffled = np.lexsort((numbers, customers.codes))
    place = np.arange(n) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return shuffled[place < drawn[customers.codes]], drawn


def _shadows(customers: _Customers, centers: Floats) -> tuple[Floats, Floats]:
    """Return the mean shadow value of each segment, and by which other segments it is cast."""
    n_segments = len(centers)
    shadows, neighbourhood = np.zeros(n_segments), np.zeros((n_segments, n_segments))
    tiny = _ROUNDING * float(np.abs(customers.points).max(initial=0.0))
    for segment, points in customers.parts():
        distances = cdist(points, centers)
        distances[distances < tiny] = 0.0
        nearest, second = np.partition(distances, 1, axis=1)[:, :2].T
        both = nearest + second
        values = np.divide(2.0 * nearest, both, out=np.ones(len(points)), where=both > 0)
        distances[:, segment] = np.inf
        share = (distances <= distances.min(axis=1, keepdims=True) * (1.0 + _EQUAL)).astype(np.float64)
        share *= (values / share.sum(axis=1))[:, None]
        shadows[segment] += values.sum()
        neighbourhood[segment] += share.sum(axis=0)
    return shadows / customers.sizes, neighbourhood / customers.sizes[:, None]

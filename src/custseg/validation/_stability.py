"""Stability under the bootstrap: of a number of segments, and of each segment."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.base import clone

from custseg._core.asking import asks
from custseg._core.params import NONE, RANDOM_STATE, Integer, OneOf, Where, check
from custseg._core.progress import doing, showing
from custseg._core.threads import one_thread
from custseg._core.warning import each_warning_once
from custseg.segmentation._for_validation import seeded
from custseg.validation._clusterers import is_defined_by_rules
from custseg.validation._numbers import numbers_of_segments
from custseg.validation._pairs import (
    Design,
    check_can_refit,
    compared_pairs,
    n_refits_of,
    on_all_customers,
    saying_how_far,
    seeds_of,
)
from custseg.validation._rows import read_rows
from custseg.validation._stability_result import StabilityResult

__all__ = ["bootstrap_stability"]

_PARAMETERS = {
    "n_pairs": (Integer(2),),
    "random_state": RANDOM_STATE,
    "n_jobs": (NONE, Where(lambda n: isinstance(n, (int, np.integer)) and n != 0, "an integer other than 0")),
    "on_step": (NONE, Where(callable, "a function of (done, total)")),
    "verbose": (OneOf(True, False),),
}


@asks
def bootstrap_stability(
    clusterer: Any,
    X: Any,
    n_segments: int | Iterable[int] = range(2, 9),
    n_pairs: int = 100,
    *,
    random_state: int | np.random.RandomState | None = None,
    n_jobs: int | None = None,
    on_step: Callable[[int, int], object] | None = None,
    verbose: bool = False,
) -> StabilityResult:
    """Measure how far segments come back when the customers are drawn again.

    For each of ``n_pairs`` pairs, two bootstrap samples of the customers are segmented, all
    customers are assigned by both solutions, and the adjusted Rand index between the two
    assignments is taken (global stability [1]_). For each segment of the solution on all customers,
    the Jaccard coefficient with its best match in each of the ``2 * n_pairs`` assignments is
    averaged (stability within a solution, SLSw [2]_), and its customers are traced back to the
    segments of the next smaller number tried (stability across solutions, SLSa [3]_).

    Solutions may also differ because the clusterer stops at different local optima. To tell this apart,
    the first sample of each of the first pairs (a fifth of them, 5 to 20) is solved once more, with another seed.

    A pair's samples are the same for every number of segments, and its values do not depend on
    which other numbers, or how many more pairs, are asked for (SLSa alone looks at the next smaller
    number). Identical customers are interchangeable and samples are drawn by content, so the order of
    the rows changes nothing in the pairs; nor do ``n_jobs`` or the number of threads (linear algebra is
    kept to one).

    Refits by the ``"kmeans"`` of a ``SegmentClusterer`` search all samples together, from ``n_init`` starts and on with
    children of the best result, as long as these gain something (compare [4]_). Where more than 1,500 customers
    differ, they search among some hundred cells of customers who are alike, each with the mean and number of its
    members in the sample; the best two results go on among all customers drawn (above 5,000, first among as many
    cells). ``n_cells`` and ``cell_loss`` of the result say how many cells there were, and by which share they raise the
    sum of squares: cells grow until it is below .003. Segments on all customers are found in the same way there, and
    may differ in a few customers from those of ``fit``.

    Parameters
    ----------
    clusterer : object
        A :class:`~custseg.segmentation.SegmentClusterer`, any scikit-learn clusterer with ``predict``, or a
        Pipeline that ends in one and reads no customer ids: a sample repeats them. It is cloned,
        never fitted itself. Its number of segments
        (``n_segments``, ``n_clusters`` or ``n_components``) is set to each number tried. Segments
        defined by rules (:class:`~custseg.segmentation.RuleSegmenter`, ``RFMSegmenter``) have their
        own number, whatever ``n_segments`` says; customers in none of them count as one more group
        in the adjusted Rand index, and segments without customers are left out. Each
        bootstrap sample gets its own seed; the solution on all customers keeps the seed of the
        clusterer, if it has one. A clusterer without any ``random_state`` counts as one that always
        finds the same solution of a sample.
    X : DataFrame, path, or array-like of shape (n_customers, n_features)
        What the clusterer is fitted on, one row per customer. Missing values are the clusterer's
        affair.
    n_segments : int or iterable of int, default=range(2, 9)
        The numbers of segments to try, each at least 2.
    n_pairs : int, default=100
        The number of pairs, at least 2.
    random_state : int, RandomState or None, default=None
        Seed of the samples and of the clusterers fitted on them.
    n_jobs : int or None, default=None
        Number of joblib workers; ``None`` is one unless a joblib context says otherwise.
    on_step : callable or None, default=None
        Called as ``on_step(done, total)`` in the calling process after each pair; ``total`` is
        ``n_pairs``. An estimator with scikit-learn callbacks opens one subcontext per call.
    verbose : bool, default=False
        Whether to show on standard error what is done, how far it is and how long it has taken.

    Returns
    -------
    result : StabilityResult
        The distribution per number of segments, the optimiser's part in it, the stability of each
        segment, and the labels of the solutions on all customers.

    Raises
    ------
    InvalidParameterError
        Where a parameter is out of its range, a number of segments is below 2, or the clusterer
        lacks ``predict`` or a number of segments that can be set.
    InfeasibleError
        Where a number of segments exceeds the distinct rows of a bootstrap sample.
    InvalidTableError
        Where ``X`` cannot be read.
    KeyboardInterrupt
        Where it is interrupted; workers are stopped, nothing is kept, and a note on the exception says
        how many pairs were done.

    References
    ----------
    .. [1] S. Dolnicar and F. Leisch (2010). Evaluation of structure and reproducibility of cluster
       solutions using the bootstrap. Marketing Letters 21, 83-101.
    .. [2] C. Hennig (2007). Cluster-wise assessment of cluster stability. Computational Statistics &
       Data Analysis 52, 258-271.
    .. [3] S. Dolnicar and F. Leisch (2017). Using segment level stability to select target segments in
       data-driven market segmentation studies. Marketing Letters 28, 423-436.
    .. [4] D. Gribel and T. Vidal (2019). HG-means: a scalable hybrid genetic algorithm for minimum
       sum-of-squares clustering. Pattern Recognition 88, 569-583.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> from sklearn.datasets import make_blobs
    >>> from custseg.validation import bootstrap_stability
    >>> X, _ = make_blobs(150, centers=[(0, 0), (8, 0), (4, 7)], random_state=0)
    >>> result = bootstrap_stability(KMeans(n_init=5), X, range(2, 5), n_pairs=5, random_state=0)
    >>> int(result.mean_adjusted_rand.idxmax()), result.is_stable(3)
    (3, True)
    >>> bool(result.optimiser_share[4] < 0.5)  # it is the samples that cut one of the three differently
    True
    """
    values = {"n_pairs": n_pairs, "random_state": random_state, "n_jobs": n_jobs, "on_step": on_step}
    check(_PARAMETERS, {**values, "verbose": verbose})
    tried = numbers_of_segments(n_segments)
    check_can_refit(clusterer)
    rows = read_rows(X, clusterer)
    own_seed, seeds = seeds_of(random_state, n_pairs)
    if is_defined_by_rules(clusterer):
        tried = (clone(clusterer).fit(rows.whole).n_segments_,)
    with showing(verbose):
        with doing("Segmenting all customers", 0.1), saying_how_far(n_pairs), one_thread(), each_warning_once():
            design = Design.of(clusterer, rows, tried, seeds)
            references = {
                k: on_all_customers(seeded(clone(blank), own_seed, keep=True), design, k)
                for k, blank in design.blanks.items()
            }
        with doing("Drawing the customers again"):
            return compared_pairs(replace(design, references=references), seeds, n_refits_of(n_pairs), n_jobs, on_step)

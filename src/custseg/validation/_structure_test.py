"""Are there segments at all? The customers against customers of one continuum."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
from sklearn.utils import check_random_state

from custseg._core.asking import asks
from custseg._core.params import RANDOM_STATE, Integer, Number, check
from custseg._core.threads import one_thread
from custseg.exceptions import InvalidParameterError
from custseg.segmentation import CharacteristicEmbedder, StructureResult
from custseg.segmentation._for_validation import (
    EMBEDDER,
    FEWEST_CUSTOMERS,
    FEWEST_DISTINCT,
    LEVEL,
    MAX_CUSTOMERS,
    N_SEGMENTS,
    Embedding,
    Space,
    embedded,
    run_structure_test,
)
from custseg.validation._errors import nobody_together, one_characteristic, too_few_differ, too_few_to_test
from custseg.validation._numbers import numbers_of_segments

__all__ = ["structure_test"]

# Levels outside these are slips: 5 for 5%, or one that asks for a hundred thousand draws.
LEAST_LEVEL, MOST_LEVEL = 1e-5, 0.5
_PARAMETERS = {
    "n_draws": (Integer(1),),
    "significance_level": (Number(LEAST_LEVEL, MOST_LEVEL),),
    "embedder": EMBEDDER,
    "random_state": RANDOM_STATE,
}


@asks
def structure_test(
    X: Any,
    *,
    n_segments: int | Iterable[int] = N_SEGMENTS,
    n_draws: int = 99,
    significance_level: float = LEVEL,
    embedder: CharacteristicEmbedder | Literal["passthrough"] | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> StructureResult:
    """Test whether customers gather in groups at all, or are one continuum.

    The null hypothesis is one continuum with the same columns: draws from it have the values of every column,
    missing ones too, and the columns go together as the customers' do, straight or curved, as far as the number of
    customers shows it. What they lack is groups. Customers and draws are embedded and partitioned alike. For each
    number of segments the statistic is the log of the share of variance that k-means leaves inside
    segments [1]_; it is standardised over data and draws together, and its largest value decides, so
    that trying several numbers costs no error. A column that goes with no other takes no part: its groups would be its
    own distribution, which the draws have as well. Where fewer than three go with another, all take part.

    Parameters
    ----------
    X : DataFrame, path, or array-like of shape (n_customers, n_characteristics)
        One row per customer, at least 20. Of more than 2,500 a random sample of so many is compared.
    n_segments : int or iterable of int, default=range(2, 9)
        The numbers of segments that are tried, each at least 2. Those that leave no two different customers
        together are left out.
    n_draws : int, default=99
        The largest number of draws. The test stops early, to accept only, where it cannot reject any more.
    significance_level : float, default=0.05
        The probability of rejecting one continuum, at most .5; at least 1 / (n_draws + 1).
    embedder : CharacteristicEmbedder, "passthrough" or None, default=None
        What turns characteristics into distances, as in :class:`~custseg.segmentation.SegmentClusterer`; with
        weights and kinds, if any. Characteristics of weight 0 take no part.
    random_state : int, RandomState or None, default=None
        Source of the draws, the sample and the starts.

    Returns
    -------
    result : :class:`~custseg.segmentation.StructureResult`
        ``p_value``, ``effect``, ``rejected`` and the table of all numbers of segments. One continuum is rejected
        where the p-value is at most ``significance_level`` *and* the effect above ``least_effect``: in many customers
        the smallest misfit of the draws becomes significant.

    Raises
    ------
    InvalidParameterError
        If a parameter is out of its range, or so few draws cannot reject at the level.
    InfeasibleError
        If there is nothing to test: fewer than 20 customers, fewer than 4 different ones, or a single
        characteristic in which they differ.
    InvalidTableError
        If the table cannot be used.

    See Also
    --------
    custseg.segmentation.select_n_segments : How many segments, where there are any.
    bootstrap_stability : Whether segments come back, which those of one continuum may too.

    Notes
    -----
    The draws come from a smoothed bootstrap [2]_ in the space of normal variables behind the columns: one
    per numeric, ordinal or binary column, one utility per level of a nominal one. Their correlation is
    calibrated until drawn columns correlate as the observed ones do [3]_.

    **When not to use it**: it asks whether *k-means* finds groups in *this* embedding. Groups inside each
    other, or differing in a few of many characteristics, may pass unseen; groups in the values of a single
    characteristic belong to its distribution, which the draws have as well. With fewer than some two
    hundred customers only far groups are found: a large p-value is no proof of one continuum. Hard edges, such
    as a recency that cannot exceed the tenure, may be taken for structure.

    References
    ----------
    .. [1] R. Tibshirani, G. Walther and T. Hastie (2001). Estimating the number of clusters in a data set
       via the gap statistic. Journal of the Royal Statistical Society B 63, 411-423.
    .. [2] B. W. Silverman and G. A. Young (1987). The bootstrap: to smooth or not to smooth? Biometrika
       74, 469-479.
    .. [3] M. C. Cario and B. L. Nelson (1997). Modeling and generating random vectors with arbitrary
       marginal distributions and correlation matrix. Northwestern University.

    Examples
    --------
    >>> from custseg.datasets import make_customers
    >>> from custseg.validation import structure_test
    >>> numbers = ["age", "income", "online_hours", "leisure_spend"]
    >>> planted = make_customers(100, n_segments=4, separation=1.5, random_state=0)
    >>> structure_test(planted.profile[numbers], random_state=0).rejected
    True
    >>> none = make_customers(100, separation=0.0, random_state=0)
    >>> result = structure_test(none.profile[numbers], random_state=0)
    >>> result.rejected
    False
    >>> result.reason.partition(" (")[0]
    'one continuum with the same characteristics and associations splits as well as these customers'
    """
    options = {"n_draws": n_draws, "significance_level": significance_level}
    check(_PARAMETERS, {**options, "embedder": embedder, "random_state": random_state})
    tried = numbers_of_segments(n_segments)
    fewest = int(np.ceil(1 / significance_level - 1e-9)) - 1
    if n_draws < fewest:
        words = f"at least {fewest} at level {significance_level:g}: with fewer nothing can be rejected"
        raise InvalidParameterError.not_allowed("n_draws", words, n_draws)
    customers = embedded(X, Embedding(embedder))
    if len(customers.matrix) < FEWEST_CUSTOMERS:
        raise too_few_to_test(len(customers.matrix), FEWEST_CUSTOMERS)
    random = check_random_state(random_state)
    with one_thread():
        space = Space.of(
            customers.table, customers.embedder, customers.matrix, max_customers=MAX_CUSTOMERS, random=random
        )
        n_distinct = space.n_distinct
        if n_distinct < FEWEST_DISTINCT:
            raise too_few_differ(n_distinct, FEWEST_DISTINCT)
        if space.n_varying < 2:
            raise one_characteristic()
        if n_distinct <= tried[0]:
            raise nobody_together(tried[0], n_distinct)
        return run_structure_test(
            space, random=random, n_segments=tried, n_draws=n_draws, significance_level=significance_level
        )

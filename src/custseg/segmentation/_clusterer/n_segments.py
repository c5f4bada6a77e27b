"""The choice of the number of segments as a function, for whoever clusters by other means."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from custseg._core.asking import asks
from custseg._core.params import RANDOM_STATE, Integer, Number, check
from custseg._core.warning import warn
from custseg.segmentation._clusterer.embedding_step import EMBEDDER, Embedding, embedded
from custseg.segmentation._embedding.embedder import CharacteristicEmbedder
from custseg.segmentation._selection.select import SegmentSelection, choose_n_segments

__all__ = ["select_n_segments"]

_PARAMETERS = {
    "embedder": EMBEDDER,
    "max_segments": (Integer(1),),
    "min_segment_share": (Number(0.0, 1.0),),
    "random_state": RANDOM_STATE,
}


@asks
def select_n_segments(
    X: Any,
    *,
    embedder: CharacteristicEmbedder | Literal["passthrough"] | None = None,
    max_segments: int = 10,
    min_segment_share: float = 0.0,
    random_state: int | np.random.RandomState | None = None,
) -> SegmentSelection:
    """Choose a number of segments from the data, 1 where there are none.

    It is what ``SegmentClusterer(n_segments="auto")`` does, for those who cluster by other means. First the customers
    are compared with one continuum (:func:`~custseg.validation.structure_test`); where they do not differ,
    the answer is 1. Else latent classes are fitted for 1, 2, ... segments and the number with the
    lowest BIC is taken [1]_. Classes without a valley between them then count as one group [2]_:
    where characteristics go together inside segments, a latent class model, which takes them for
    independent there, would split segments for ever. So it would groups that are no normal clouds. Columns
    that go with no other take no part in any of this: they say nothing of groups, and hide them.

    Parameters
    ----------
    X : DataFrame, path, or array-like of shape (n_customers, n_characteristics)
        One row per customer. Missing values are left out of the likelihood. More than 2,500 customers are judged
        by a random sample of so many.
    embedder : CharacteristicEmbedder, "passthrough" or None, default=None
        What turns characteristics into distances, as in :class:`SegmentClusterer`; with weights and kinds, if
        any. Characteristics of weight 0 take no part.
    max_segments : int, default=10
        The largest answer.
    min_segment_share : float, default=0.0
        Numbers of segments at which a group has less than four fifths of this share of the customers are left
        out; a clusterer with a least share moves customers for the rest.
    random_state : int, RandomState or None, default=None
        Source of the draws, the sample and the starts.

    Returns
    -------
    selection : SegmentSelection
        The choice, its reason in a sentence, and the table of all numbers that were looked at: latent class
        BIC and ICL [3]_ beside how the customers compare with one continuum.

    Raises
    ------
    InvalidParameterError
        If a parameter is out of its range.
    InvalidTableError
        If the table cannot be used.

    See Also
    --------
    custseg.validation.structure_test : The first step, with more draws.
    custseg.validation.bootstrap_stability : Whether the segments come back.

    Notes
    -----
    Compared with the ICL, which asks for distinct classes as well, valleys need no model: where
    characteristics go together inside segments, posterior probabilities are too sure of themselves, and the
    ICL follows the BIC. The ICL stays in the table.

    The answer does not depend on the order of customers or characteristics.

    References
    ----------
    .. [1] C. Fraley and A. E. Raftery (1998). How many clusters? Which clustering method? Answers via
       model-based cluster analysis. The Computer Journal 41, 578-588.
    .. [2] C. Hennig (2010). Methods for merging Gaussian mixture components. Advances in Data Analysis
       and Classification 4, 3-34.
    .. [3] C. Biernacki, G. Celeux and G. Govaert (2000). Assessing a mixture model for clustering with the
       integrated completed likelihood. IEEE PAMI 22, 719-725.

    Examples
    --------
    >>> from custseg.datasets import make_customers
    >>> from custseg.segmentation import select_n_segments
    >>> sample = make_customers(300, n_segments=4, separation=2.0, random_state=0)
    >>> selection = select_n_segments(sample.profile, random_state=0)
    >>> selection.n_segments
    4
    >>> selection.to_frame().set_index("n_segments")["bic"].idxmin()
    4
    """
    values = {
        "embedder": embedder,
        "max_segments": max_segments,
        "min_segment_share": min_segment_share,
        "random_state": random_state,
    }
    check(_PARAMETERS, values)
    customers = embedded(X, Embedding(embedder))
    selection = choose_n_segments(
        customers.table,
        customers.embedder,
        customers.matrix,
        max_segments=max_segments,
        min_segment_share=min_segment_share,
        random_state=random_state,
    )
    if selection.warning is not None:
        warn(f"{selection.warning}.")
    return selection

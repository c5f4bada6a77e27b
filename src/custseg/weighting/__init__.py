"""Weighting: how strongly each characteristic counts, decided by a survey or a discussion.

Judges compare characteristics in pairs (:func:`ahp_weights`), respondents choose the best and the worst
(:func:`best_worst_weights`), divide points (:func:`constant_sum_weights`) or rate
(:func:`rating_weights`), a panel discusses in rounds (:func:`rating_agreement`). Each gives
:class:`CharacteristicWeights`, a mapping that the clusterer takes, with intervals in which
:func:`custseg.validation.weight_sensitivity` moves the weights, to see whether the segments depend on them.
"""

from custseg.weighting._agreement import RatingAgreement, rating_agreement
from custseg.weighting._ahp import ahp_weights
from custseg.weighting._best_worst import best_worst_weights
from custseg.weighting._constant_sum import constant_sum_weights
from custseg.weighting._ratings import rating_weights
from custseg.weighting._weights import CharacteristicWeights

__all__ = [
    "CharacteristicWeights",
    "RatingAgreement",
    "ahp_weights",
    "best_worst_weights",
    "constant_sum_weights",
    "rating_agreement",
    "rating_weights",
]

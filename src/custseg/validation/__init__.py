"""Are the segments real? What comes back, what stands apart, and what is one continuum cut in pieces.

Every clusterer returns as many groups as it is asked for, on any data. :func:`structure_test` asks
whether the customers form groups at all; :func:`bootstrap_stability` draws them again and again and
says how well the solutions agree, as a whole and segment by segment; :func:`segment_separation`
measures how far the segments stand apart; :func:`weight_sensitivity` moves the weights, to see how many
customers change segment; :func:`judge` puts the first two into a verdict, and
:func:`examine_segments` does all that a segmentation needs.
"""

from custseg.validation._evidence import Evidence, examine_segments
from custseg.validation._sensitivity import WeightSensitivity, weight_sensitivity
from custseg.validation._separation import SILHOUETTE_CUSTOMERS, SeparationResult, segment_separation
from custseg.validation._stability import bootstrap_stability
from custseg.validation._stability_result import STABLE_ADJUSTED_RAND, STABLE_SEGMENT, StabilityResult
from custseg.validation._structure_test import structure_test
from custseg.validation._verdict import Verdict, judge

__all__ = [
    "SILHOUETTE_CUSTOMERS",
    "STABLE_ADJUSTED_RAND",
    "STABLE_SEGMENT",
    "Evidence",
    "SeparationResult",
    "StabilityResult",
    "Verdict",
    "WeightSensitivity",
    "bootstrap_stability",
    "examine_segments",
    "judge",
    "segment_separation",
    "structure_test",
    "weight_sensitivity",
]

"""Are the segments real? What comes back when the customers are drawn again.

A segmentation that is worth acting on does not depend on which customers happened to be in the
table. :func:`bootstrap_stability` draws the customers again and again, segments each draw, and
says how well the solutions agree: for each number of segments, and for each single segment.
"""

from custseg.validation._stability import (
    STABLE_ADJUSTED_RAND,
    STABLE_SEGMENT,
    StabilityResult,
    bootstrap_stability,
)
from custseg.validation._verdict import Verdict, judge

__all__ = ["STABLE_ADJUSTED_RAND", "STABLE_SEGMENT", "StabilityResult", "Verdict", "bootstrap_stability", "judge"]

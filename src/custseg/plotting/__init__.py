"""Pictures: each answers one question about segments, says the answer as its title, and how to read it.

A Display is made of a fitted study, of a fitted segmenter and its customers, or of customers and labels from anywhere;
``plot`` draws it with matplotlib (the extra ``plot``), ``save`` writes it as SVG or PNG, the same bytes for the same
data. What is drawn stands in ``data_``, and in ``alt_`` in words. No picture shows figures of fewer than
``min_group_size`` customers.
"""

from custseg.plotting._comparison import ComparisonDisplay
from custseg.plotting._distribution import DistributionDisplay
from custseg.plotting._gorge import GorgeDisplay
from custseg.plotting._map import SegmentMapDisplay
from custseg.plotting._mosaic import MosaicDisplay
from custseg.plotting._needs import NeedsDisplay
from custseg.plotting._profile import SegmentProfileDisplay
from custseg.plotting._rfm_grid import RFMGridDisplay
from custseg.plotting._selection import SelectionDisplay
from custseg.plotting._separation import SeparationDisplay
from custseg.plotting._stability import StabilityDisplay
from custseg.plotting._value import SegmentValueDisplay

__all__ = [
    "ComparisonDisplay",
    "DistributionDisplay",
    "GorgeDisplay",
    "MosaicDisplay",
    "NeedsDisplay",
    "RFMGridDisplay",
    "SegmentMapDisplay",
    "SegmentProfileDisplay",
    "SegmentValueDisplay",
    "SelectionDisplay",
    "SeparationDisplay",
    "StabilityDisplay",
]

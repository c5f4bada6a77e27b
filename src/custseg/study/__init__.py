"""The whole flow in one estimator: a brief and raw tables in; segments, personas and a report out."""

from custseg.study._brief import SegmentationBrief
from custseg.study._stored import load_study, store_study, trusted_types
from custseg.study._study import SegmentationStudy

__all__ = ["SegmentationBrief", "SegmentationStudy", "load_study", "store_study", "trusted_types"]

"""Segmentation: from one row per customer to segments.

The embedder gives every characteristic its weight in the distance, whatever its unit and kind; the
clusterer finds the segments, in a stated order and the same on every machine, by k-means, latent
classes, prototypes or any clusterer of scikit-learn. Segments may also be defined by rules. Values
stay in original units outside: only what the distance sees is scaled. Tables of any size are
assigned batch by batch.
"""

from custseg.segmentation._base.segmentation import Segmentation
from custseg.segmentation._base.segmenter import Segmenter
from custseg.segmentation._clusterer.clusterer import SegmentClusterer
from custseg.segmentation._clusterer.n_segments import select_n_segments
from custseg.segmentation._embedding.embedder import CharacteristicEmbedder
from custseg.segmentation._kmeans.optimum import Optimum, SampleCost
from custseg.segmentation._latent_classes.clusterer import LatentClassClusterer
from custseg.segmentation._prototypes.clusterer import KPrototypesClusterer
from custseg.segmentation._reproducibility.number import NumberOfSegments
from custseg.segmentation._rules.filter import RuleFilter
from custseg.segmentation._rules.report import RuleReport
from custseg.segmentation._rules.rfm import RFMSegmenter
from custseg.segmentation._rules.rules import Rule
from custseg.segmentation._rules.segmenter import RuleSegmenter
from custseg.segmentation._scoring.assign import assign_segments
from custseg.segmentation._scoring.write import SegmentAssignment, write_segments
from custseg.segmentation._selection.select import SegmentSelection
from custseg.segmentation._selection.structure import StructureResult

__all__ = [
    "CharacteristicEmbedder",
    "KPrototypesClusterer",
    "LatentClassClusterer",
    "NumberOfSegments",
    "Optimum",
    "RFMSegmenter",
    "Rule",
    "RuleFilter",
    "RuleReport",
    "RuleSegmenter",
    "SampleCost",
    "SegmentAssignment",
    "SegmentClusterer",
    "SegmentSelection",
    "Segmentation",
    "Segmenter",
    "StructureResult",
    "assign_segments",
    "select_n_segments",
    "write_segments",
]

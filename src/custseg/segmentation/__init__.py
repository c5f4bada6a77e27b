"""Segmentation: from one row per customer to segments.

The embedder gives every characteristic its weight in the distance, whatever its unit and kind; the
clusterer finds the segments, in a stated order and the same on every machine, by k-means, latent
classes, prototypes or any clusterer of scikit-learn. Segments may also be defined by rules. Values
stay in original units outside: only what the distance sees is scaled. Tables of any size are
assigned batch by batch.
"""

from custseg.segmentation._assign import SegmentAssignment, assign_segments
from custseg.segmentation._clusterer import SegmentClusterer
from custseg.segmentation._embedder import CharacteristicEmbedder
from custseg.segmentation._k_prototypes import KPrototypesClusterer
from custseg.segmentation._kmeans import Optimum
from custseg.segmentation._latent_class import LatentClassClusterer
from custseg.segmentation._latent_em import LatentOptimum
from custseg.segmentation._n_segments import select_n_segments
from custseg.segmentation._rfm_segmenter import RFMSegmenter
from custseg.segmentation._rule_report import RuleReport
from custseg.segmentation._rule_segmenter import RuleSegmenter
from custseg.segmentation._rules import Rule
from custseg.segmentation._sample import SampleLikelihood, SampleLoss
from custseg.segmentation._select import SegmentSelection

__all__ = [
    "CharacteristicEmbedder",
    "KPrototypesClusterer",
    "LatentClassClusterer",
    "LatentOptimum",
    "Optimum",
    "RFMSegmenter",
    "Rule",
    "RuleReport",
    "RuleSegmenter",
    "SampleLikelihood",
    "SampleLoss",
    "SegmentAssignment",
    "SegmentClusterer",
    "SegmentSelection",
    "assign_segments",
    "select_n_segments",
]

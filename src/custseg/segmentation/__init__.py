"""Segmentation: from one row per customer to segments.

The embedder gives every characteristic its weight in the distance, whatever its unit and kind; the
clusterer finds the segments, in a stated order and the same on every machine. Values stay in
original units outside: only what the distance sees is scaled.
"""

from custseg.segmentation._clusterer import SegmentClusterer
from custseg.segmentation._embedder import CharacteristicEmbedder
from custseg.segmentation._kmeans import Optimum
from custseg.segmentation._select import SegmentSelection

__all__ = ["CharacteristicEmbedder", "Optimum", "SegmentClusterer", "SegmentSelection"]

"""What is asked of segments that are to be used: the levels, each said once."""

from __future__ import annotations

__all__ = ["CLEAR_DIFFERENCE", "STABLE_ADJUSTED_RAND", "STABLE_SEGMENT"]

# The level at which Hennig (2007) calls a cluster stable, applied to whole partitions.
STABLE_ADJUSTED_RAND = 0.75
# A cluster below should not be trusted (Hennig 2007).
STABLE_SEGMENT = 0.6
# A medium effect (Cohen 1988): what an attentive eye sees without being told.
CLEAR_DIFFERENCE = 0.5

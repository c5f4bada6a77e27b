"""What is asked of a clusterer before it is fitted again: ours say it, of all others little is known."""

from __future__ import annotations

from typing import Any

from custseg.exceptions import InvalidParameterError
from custseg.segmentation._for_validation import Segmenter

__all__ = ["MAX_SEED", "check_clusterer", "is_defined_by_rules", "takes_counts"]

MAX_SEED = 2**31 - 1
"""Seeds are drawn below it."""


def check_clusterer(clusterer: Any, words: str) -> None:
    """Refuse what cannot be cloned and fitted, and a class in place of an instance."""
    if isinstance(clusterer, type) or not (hasattr(clusterer, "get_params") and hasattr(clusterer, "fit")):
        raise InvalidParameterError.not_allowed("clusterer", words, clusterer)


def is_defined_by_rules(clusterer: Any) -> bool:
    """Say whether the segments were defined beforehand, so that their number is that of the rules."""
    return isinstance(clusterer, Segmenter) and clusterer.defined_by_rules


def takes_counts(clusterer: Any) -> bool:
    """Say whether a row that stands for several customers gives what they give one by one."""
    return isinstance(clusterer, Segmenter) and clusterer.takes_counts

"""Which segments a study leads with: natural ones, else those that come back, else a cut beside one segment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

from sklearn.base import clone

from custseg.segmentation import Segmentation, Segmenter
from custseg.validation import Evidence, Verdict, judge

__all__ = ["Wanted"]

_AUTO, _REPRODUCIBLE = "auto", "reproducible"


@dataclass(frozen=True)
class Wanted:
    """What was asked for: a number of segments, or how it is chosen, and the least number that is of use."""

    n_segments: Any
    min_segments: int

    @classmethod
    def of(cls, clusterer: Segmenter) -> Self:
        """Read what a clusterer is asked for."""
        own = clusterer.get_params(deep=False)
        return cls(own.get("n_segments"), own.get("min_segments", 1))

    @property
    def chosen(self) -> bool:
        """Whether the number is left to the data."""
        return self.n_segments in (_AUTO, _REPRODUCIBLE)

    def first(self, clusterer: Segmenter) -> Segmenter:
        """Return the clusterer that looks for natural segments; whether others come back is asked of the evidence."""
        if not self.chosen:
            return clusterer
        first: Segmenter = clone(clusterer).set_params(n_segments=_AUTO)
        return first.set_params(min_segments=1) if "min_segments" in first.limits else first

    def lead(self, found: Segmentation, evidence: Evidence) -> tuple[Segmentation, Evidence]:
        """Return the segments that are of most use with the evidence on them.

        Natural segments stay. Else it is the largest number that comes back; where none does, one segment with a cut
        beside it, unless more were asked for: then it is the most stable number of those.
        """
        numbers = evidence.numbers
        if not self.chosen or numbers is None:
            return found, evidence
        enough = found.n_segments >= self.min_segments
        natural = evidence.verdict.word == "natural" and enough and self.n_segments == _AUTO
        nothing_better = numbers.word == "constructive" and enough and self.n_segments == _AUTO
        if natural or nothing_better or numbers.n_segments == found.n_segments:
            return found, evidence
        return evidence.at(numbers.n_segments, found), replace(evidence, verdict=self._verdict(evidence), cut=None)

    def _verdict(self, evidence: Evidence) -> Verdict:
        numbers, selection = evidence.numbers, evidence.selection
        assert numbers is not None
        assert selection is not None
        asked = f"At least {self.min_segments} were asked for. " if self.min_segments > 1 else ""
        return judge(
            n_segments=numbers.n_segments,
            structured=selection.structured,
            n_natural=selection.n_segments,
            reason=f"{asked}{_largest(numbers.word)}{selection.reason}",
            stability=evidence.stability,
        )


def _largest(word: str) -> str:
    return "" if word == "constructive" else "None larger is known to come back. "

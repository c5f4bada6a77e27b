"""What the company wants of a segmentation, as data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from custseg._core.params import NONE, Integer, Number, ParameterTable, Where, check
from custseg.study._audience import OPERATORS, Condition, is_condition
from custseg.targeting import find_goal

__all__ = ["SegmentationBrief"]


@dataclass(frozen=True)
class SegmentationBrief:
    """What the company wants of a segmentation, and whom it looks at.

    Parameters
    ----------
    goal : {"retention", "acquisition", "development", "pricing", "advertising"}, default="retention"
        Selects the order of the segments, the characteristics shown first and the recommended
        actions; :func:`custseg.targeting.goals_to_frame` is the whole table.
    audience : sequence of (column, operator, value), default=()
        Conditions on columns of the characteristics that a customer must meet, all of them, to be
        segmented, such as ``("behaviour__frequency", ">=", 2)``. Operators: ``==``, ``!=``, ``<``,
        ``<=``, ``>``, ``>=``, ``in``, ``not in`` (with a list). Ordered categories compare by their
        order. A missing value meets no condition.
    min_segment_share : float or None, default=None
        The smallest share of customers a segment may have; None leaves the clusterer's.
    max_segments : int or None, default=None
        The largest number of segments considered; None leaves the clusterer's. A clusterer with a number of segments
        of its own must keep to it.

    Raises
    ------
    InvalidParameterError
        If a field is not one of those listed.

    Examples
    --------
    >>> from custseg import SegmentationBrief
    >>> SegmentationBrief("pricing", audience=[("behaviour__frequency", ">=", 2)]).goal
    'pricing'
    """

    goal: str = "retention"
    audience: Sequence[Condition] = field(default=(), kw_only=True)
    min_segment_share: float | None = field(default=None, kw_only=True)
    max_segments: int | None = field(default=None, kw_only=True)

    _parameters: ClassVar[ParameterTable] = {
        "audience": (
            Where(
                lambda audience: isinstance(audience, Sequence) and all(map(is_condition, audience)),
                f"a list of (column, operator, value) with an operator of {', '.join(OPERATORS)}",
            ),
        ),
        "min_segment_share": (NONE, Number(0, 1)),
        "max_segments": (NONE, Integer(1)),
    }

    def __post_init__(self) -> None:
        find_goal(self.goal)
        check("SegmentationBrief", self._parameters, vars(self))

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a dictionary."""
        return {
            "goal": self.goal,
            "audience": [list(condition) for condition in self.audience],
            "min_segment_share": self.min_segment_share,
            "max_segments": self.max_segments,
        }

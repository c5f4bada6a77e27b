"""The clusterer as a brief wants it: its limits, one seed, the order of the goal, outcomes as descriptors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_random_state

from custseg._core.asking import asking
from custseg._core.characteristic import Characteristic
from custseg._core.roles import column_of_role
from custseg.exceptions import InvalidParameterError
from custseg.segmentation import CharacteristicEmbedder, Segmentation, SegmentClusterer, Segmenter
from custseg.study._brief import SegmentationBrief
from custseg.targeting import find_goal

__all__ = ["check_outcomes", "fit_to_brief"]


def fit_to_brief(
    brief: SegmentationBrief,
    clusterer: Segmenter | None,
    characteristics: Sequence[Characteristic],
    *,
    customer_id: str,
) -> Segmenter:
    """Return a copy of the clusterer that keeps to the brief; None stands for ``SegmentClusterer()``."""
    fitting: Segmenter = SegmentClusterer() if clusterer is None else clone(clusterer)
    if fitting.finds_number:
        words = "one that takes a number of segments: whether segments come back is asked at several numbers"
        engine = getattr(fitting, "engine", fitting)
        raise InvalidParameterError.not_allowed("clusterer", words, engine)
    fitting.set_params(customer_id=customer_id)
    own = fitting.get_params(deep=False)
    _keep_limits(brief, fitting, own)
    if "random_state" in own and not isinstance(own["random_state"], (int, np.integer)):
        # One seed for everything, so that the refits and the cut order their segments as the solution does.
        seed = int(check_random_state(own["random_state"]).randint(np.iinfo(np.int32).max))
        fitting.set_params(random_state=seed)
    columns = [each.column for each in characteristics]
    # an embedder of its own holds the weights of a clusterer
    holder = "embedder__weights" if isinstance(own.get("embedder"), CharacteristicEmbedder) else "weights"
    weights = fitting.get_params().get(holder)
    if "weights" in own and brief.outcomes:
        weights = _without_outcomes(weights, brief.outcomes)
        fitting.set_params(**{holder: weights})
    if "order_by" in own and own["order_by"] is None:
        counted = fitting.counted(columns)
        fitting.set_params(order_by=brief.order_by or _column_of_goal(brief, characteristics, counted))
    return fitting


@asking("SegmentationBrief")
def check_outcomes(brief: SegmentationBrief, found: Segmentation) -> None:
    """Refuse segments made of an outcome: by rules that name it, or a segmenter that knows no weights."""
    used = [name for name in brief.outcomes if name in found.clustered_on]
    if used:
        maker = type(found.clusterer).__name__
        words = (
            f"columns that make no segments, and {maker} makes them of {used[0]!r} (a SegmentClusterer leaves outcomes "
            "out; others need characteristics or rules without them)"
        )
        raise InvalidParameterError.not_allowed("outcomes", words, list(brief.outcomes))


@asking("SegmentationBrief")
def _keep_limits(brief: SegmentationBrief, fitting: Segmenter, own: Mapping[str, Any]) -> None:
    can = fitting.limits | ({"n_segments"} & set(own))
    for name in ("min_segment_share", "min_segments", "max_segments", "n_segments"):
        if (limit := getattr(brief, name)) is not None:
            if name not in can:
                words = f"None with {type(fitting).__name__}, which cannot keep to it"
                raise InvalidParameterError.not_allowed(name, words, limit)
            fitting.set_params(**{name: limit})
    if brief.n_segments is not None and "min_segments" in own:
        fitting.set_params(min_segments=1)  # the brief says the number itself
    own = fitting.get_params(deep=False)
    _keep_to_number(brief, own.get("n_segments"))
    most = own.get("max_segments", 1)
    if (least := own.get("min_segments", 1)) > max(1, most):
        raise InvalidParameterError.not_allowed("min_segments", f"at most max_segments, which is {most}", least)
    if own.get("n_segments") == "reproducible" and most < 2:
        words = 'at least 2 with n_segments="reproducible" (a single segment always comes back)'
        raise InvalidParameterError.not_allowed("max_segments", words, most)


def _keep_to_number(brief: SegmentationBrief, stated: Any) -> None:
    """Refuse limits that a stated number of segments does not keep."""
    if not isinstance(stated, (int, np.integer)):
        return
    words = f'{stated}, the n_segments of the clusterer, or the clusterer\'s n_segments "auto"'
    if brief.max_segments is not None and stated > brief.max_segments:
        raise InvalidParameterError.not_allowed("max_segments", f"at least {words}", brief.max_segments)
    if brief.min_segments is not None:
        words = f'None where the n_segments of the clusterer is {stated} ("auto" leaves it to the data)'
        raise InvalidParameterError.not_allowed("min_segments", words, brief.min_segments)


def _column_of_goal(
    brief: SegmentationBrief, characteristics: Sequence[Characteristic], counted: Sequence[str]
) -> str | None:
    """Return the characteristic that orders the segments for the goal; None for the largest first."""
    role = find_goal(brief.goal).order_by
    if role is None:
        return None
    numeric = [each for each in characteristics if each.kind in (None, "numeric")]
    return column_of_role(numeric, role, counted)


def _without_outcomes(weights: Mapping[str, float] | None, outcomes: Sequence[str]) -> Mapping[str, float]:
    """Give outcomes the weight 0; the weight of their group is then that of its other columns."""
    given: Any = weights or {}  # those of a survey stay what they are
    for name in outcomes:
        if given.get(name, 0.0) != 0:
            words = f"0 for {name!r}, an outcome of the brief: segments made of it could not be asked about it"
            raise InvalidParameterError.not_allowed("clusterer__weights", words, given[name])
        given = given | {name: 0.0}
    found: Mapping[str, float] = given
    return found

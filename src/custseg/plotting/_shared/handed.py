"""What a picture is made of: a fitted study, a segmenter with its customers, or customers with their labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from custseg._core.customers import Column
from custseg._core.disclosure import described, enter
from custseg._core.params import Integer, check
from custseg._core.visible import visible
from custseg._core.words import humanise
from custseg.exceptions import ColumnNotFoundError, InvalidParameterError
from custseg.plotting._shared.look import joined
from custseg.segmentation import Segmentation, Segmenter
from custseg.targeting import Plan
from custseg.validation import Evidence

MIN_GROUP_SIZE = 10
_PARAMETERS = {"min_group_size": (Integer(1),)}


class FittedStudy(Protocol):
    """What a picture reads of a fitted study, and nothing else of it."""

    @property
    def brief(self) -> Any: ...
    @property
    def plan_(self) -> Plan: ...
    @property
    def cut_plan_(self) -> Plan | None: ...
    @property
    def evidence_(self) -> Evidence: ...


def is_study(estimator: Any) -> bool:
    """Say whether a fitted estimator is a study; any other is refused if it is no segmenter either."""
    if hasattr(estimator, "fit"):
        check_is_fitted(estimator)
    if hasattr(estimator, "cut_plan_"):
        return True
    if not isinstance(estimator, Segmenter):
        words = "a fitted SegmentationStudy or segmenter"
        raise InvalidParameterError.not_allowed("estimator", words, estimator, "Use from_predictions for other labels.")
    return False


def shown_plan(study: FittedStudy) -> Plan:
    """Return the plan of the segments that the study leads with: of the cut where there is a single segment."""
    return study.plan_ if study.cut_plan_ is None else study.cut_plan_


def of_estimator(estimator: Any, X: Any, min_group_size: int) -> tuple[Segmentation, int]:
    """Return the segments of a study, or those into which a segmenter puts ``X``, and the least number told of."""
    if is_study(estimator):
        if X is not None:
            raise InvalidParameterError.not_allowed("X", "None, since the study has its customers", X)
        personas = shown_plan(estimator).personas
        return personas.described, personas.describer.min_group_size
    if X is None:
        raise InvalidParameterError.not_allowed("X", "the customers, since a segmenter keeps none", X)
    return told(Segmentation.by(estimator, X), min_group_size), min_group_size


def of_predictions(
    X: Any, labels: Any, names: Sequence[str] | None, min_group_size: int, value: Any = None
) -> Segmentation:
    """Return customers and labels together, as they may be told."""
    if not isinstance(X, Segmentation):
        X = Segmentation.of(X, labels, names=names, value=value)
    elif labels is not None:
        raise InvalidParameterError.not_allowed("labels", "None, since the segmentation has them", labels)
    elif names is not None:
        X = X.named(names)
    return told(X, min_group_size)


def told(segmentation: Segmentation, min_group_size: int) -> Segmentation:
    """Leave out of whom no figure may tell, and the values that may not be told."""
    check(_PARAMETERS, {"min_group_size": min_group_size})
    n_segments = segmentation.n_segments
    labels = described(segmentation.labels, n_segments, min_group_size, segmentation.customer_table)
    value = segmentation.value
    if value is not None:
        value = np.where(enter(~np.isnan(value), labels, n_segments, min_group_size, value), value, np.nan)
    return replace(segmentation, labels=labels, value=value)


def left_out(table: pd.DataFrame, shown: pd.DataFrame) -> str:
    """Say which segments of a table are not shown; nothing where all are."""
    names = [visible(name) for name in table["name"] if name not in set(shown["name"])]
    return f" Not shown, for too few customers: {joined(names)}." if names else ""


def column_of(segmentation: Segmentation, name: str) -> tuple[Column, str]:
    """Return a column of the customers, and what it is called in words."""
    table = segmentation.customer_table
    if name not in table.names:
        raise ColumnNotFoundError.in_table([name], table.names)
    said = {each.column: each.label for each in segmentation.characteristics}
    return table[name], said.get(name) or humanise(table.names)[name]


def unit_of(segmentation: Segmentation, name: str) -> str:
    """Return the unit of a column, as far as it is known."""
    return next((each.unit for each in segmentation.characteristics if each.column == name), "") or ""

"""One instance of every public estimator with data it can be fitted on, and the checks it may leave out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from custseg import (
    CharacteristicEmbedder,
    CharacteristicUnion,
    DemographicEncoder,
    PersonaDescriber,
    RFMFeaturizer,
    SegmentationBrief,
    SegmentationStudy,
    SegmentClusterer,
)
from custseg.datasets import make_customers

SAMPLE = make_customers(90, n_segments=3, separation=2.0, random_state=0)
PROFILE = SAMPLE.profile.set_index("customer_id")
TABLES = {"transactions": SAMPLE.transactions, "profile": SAMPLE.profile}

# Estimators over plain numeric matrices: these meet scikit-learn's own checks, whole.
MATRIX = {
    "CharacteristicEmbedder": CharacteristicEmbedder(),
    "SegmentClusterer": SegmentClusterer(n_segments=3, n_init=2),
}

# Estimators that take no numeric matrix, and why: the checks of test_estimators.py stand in for scikit-learn's.
NAMED_TABLES = {
    "CharacteristicUnion": "fits a dictionary of tables, each read by the names of its columns",
    "DemographicEncoder": "reads customer ids by name, and text",
    "PersonaDescriber": "reads a column of segments by name, and describes columns by their names",
    "RFMFeaturizer": "reads purchase lines by name: an id, a timestamp and an amount",
    "SegmentationStudy": "fits a dictionary of tables, each read by the names of its columns",
}

# estimator -> check of scikit-learn -> why it is expected to fail
EXPECTED_FAILED_CHECKS: dict[str, dict[str, str]] = {}


@dataclass(frozen=True)
class Case:
    """An estimator and what it is fitted on."""

    estimator: Any
    data: Any


def _union():
    return CharacteristicUnion(
        [("behaviour", RFMFeaturizer(), "transactions"), ("who", DemographicEncoder(), "profile")]
    )


CASES = {
    "CharacteristicEmbedder": Case(CharacteristicEmbedder(), PROFILE),
    "CharacteristicUnion": Case(_union(), TABLES),
    "DemographicEncoder": Case(DemographicEncoder(), SAMPLE.profile),
    "PersonaDescriber": Case(PersonaDescriber(), PROFILE.assign(segment=SAMPLE.segment)),
    "RFMFeaturizer": Case(RFMFeaturizer(), SAMPLE.transactions),
    "SegmentClusterer": Case(SegmentClusterer(n_segments=3, n_init=2, random_state=0), PROFILE),
    "SegmentationStudy": Case(
        SegmentationStudy(
            SegmentationBrief("retention"),
            characteristics=_union(),
            clusterer=SegmentClusterer(n_segments=3, n_init=2, random_state=0),
            n_boot=2,
        ),
        TABLES,
    ),
}


def same(first, second):
    """Say whether two outputs are equal, of whatever kind they are."""
    if isinstance(first, pd.DataFrame):
        return first.equals(second)
    if isinstance(first, pd.Series):
        return first.equals(second)
    return bool((first == second).all())

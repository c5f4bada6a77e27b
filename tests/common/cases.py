"""One instance of every public estimator with data it can be fitted on, and the checks it may leave out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from custseg import (
    CampaignResponseFeaturizer,
    CharacteristicEmbedder,
    CharacteristicUnion,
    DemographicEncoder,
    GeographicEncoder,
    KPrototypesClusterer,
    LatentClassClusterer,
    MultiSelectEncoder,
    PersonaDescriber,
    PreferenceEncoder,
    PsychographicEncoder,
    PurchaseBehaviorFeaturizer,
    PurchasePathFeaturizer,
    RFMFeaturizer,
    RFMScorer,
    RFMSegmenter,
    RuleSegmenter,
    SegmentationBrief,
    SegmentationStudy,
    SegmentClusterer,
    SegmentRules,
    SegmentTyping,
    SocialMediaFeaturizer,
)
from custseg.datasets import make_customers

SAMPLE = make_customers(90, n_segments=3, separation=2.0, random_state=0)
PROFILE = SAMPLE.profile.set_index("customer_id")
PLACES = pd.DataFrame(
    {
        "customer_id": [1, 2, 3, 4],
        "latitude": [48.1, 48.2, 52.5, None],
        "longitude": [11.5, 11.6, 13.4, None],
        "country": ["DE", "DE", "DE", "AT"],
        "city": ["Munich", "Munich", "Berlin", "Vienna"],
    }
)
CHOICES = pd.DataFrame(
    {"customer_id": [1, 2, 3], "image": ["a;b", "b", None], "values": ["x > y", "y > x", None]},
)
INTERACTIONS = pd.DataFrame(
    {
        "customer_id": [1, 1, 2, 3],
        "timestamp": ["2024-01-01", "2024-01-04", "2024-01-02", "2024-01-03"],
        "platform": ["video", "forum", "forum", "video"],
        "action": ["like", "share", "read", "post"],
        "reach": [5.0, 100.0, None, 20.0],
        "sentiment": [0.5, 1.0, None, -0.5],
    }
)
TABLES = {"transactions": SAMPLE.transactions, "profile": SAMPLE.profile}

# Estimators over plain numeric matrices: these meet scikit-learn's own checks, whole.
MATRIX = {
    "CharacteristicEmbedder": CharacteristicEmbedder(),
    "KPrototypesClusterer": KPrototypesClusterer(n_segments=3, n_init=2),
    "LatentClassClusterer": LatentClassClusterer(n_segments=3, n_init=2),
    "RuleSegmenter": RuleSegmenter({"Low": "x0 < -1", "Middle": "-1 <= x0 <= 0.4", "High": "x0 > 0.4"}),
    "SegmentClusterer": SegmentClusterer(n_segments=3, n_init=2),
}

# Estimators that take no numeric matrix, and why: the checks of test_estimators.py stand in for scikit-learn's.
NAMED_TABLES = {
    "CampaignResponseFeaturizer": "reads contacts by name: an id, a time and a response",
    "GeographicEncoder": "reads customer ids, coordinates and regions by name",
    "MultiSelectEncoder": "reads customer ids and answers by name",
    "PreferenceEncoder": "reads customer ids and rankings by name",
    "PsychographicEncoder": "reads customer ids and survey items by name",
    "PurchaseBehaviorFeaturizer": "reads purchase lines by name: an id, a timestamp and an amount",
    "PurchasePathFeaturizer": "reads events by name: an id, a timestamp and a stage",
    "RFMSegmenter": "reads recency, frequency and monetary by name",
    "RFMScorer": "reads recency, frequency and monetary by name",
    "SocialMediaFeaturizer": "reads interactions by name: an id, a timestamp, a platform and an action",
    "CharacteristicUnion": "fits a dictionary of tables, each read by the names of its columns",
    "DemographicEncoder": "reads customer ids by name, and text",
    "PersonaDescriber": "reads a column of segments by name, and describes columns by their names",
    "RFMFeaturizer": "reads purchase lines by name: an id, a timestamp and an amount",
    "SegmentRules": "reads a column of segments by name, and its rules name columns",
    "SegmentTyping": "reads a column of segments by name, and asks for columns by their names",
    "SegmentationStudy": "fits a dictionary of tables, each read by the names of its columns",
}

# estimator -> check of scikit-learn -> why it is expected to fail
EXPECTED_FAILED_CHECKS: dict[str, dict[str, str]] = {
    "RuleSegmenter": {
        "check_sample_weights_pandas_series": "rules name their columns; the check calls them otherwise",
    },
}


@dataclass(frozen=True)
class Case:
    """An estimator and what it is fitted on."""

    estimator: Any
    data: Any


def _union():
    return CharacteristicUnion(
        [
            ("behaviour", RFMFeaturizer(), "transactions"),
            ("who", DemographicEncoder(columns=["age", "income", "region"]), "profile"),
        ]
    )


CASES = {
    "CampaignResponseFeaturizer": Case(CampaignResponseFeaturizer(), SAMPLE.campaign),
    "GeographicEncoder": Case(
        GeographicEncoder(
            sites={"Munich": (48.14, 11.56)}, nearest_site=True, regions=["country", "city"], min_customers=2
        ),
        PLACES,
    ),
    "MultiSelectEncoder": Case(MultiSelectEncoder("image", min_customers=1), CHOICES),
    "PreferenceEncoder": Case(PreferenceEncoder(ranking="values"), CHOICES),
    "PsychographicEncoder": Case(PsychographicEncoder(SAMPLE.scales, scale_range=(1, 5)), SAMPLE.survey),
    "PurchaseBehaviorFeaturizer": Case(
        PurchaseBehaviorFeaturizer(category="category", channel="channel", n_leading=2), SAMPLE.transactions
    ),
    "PurchasePathFeaturizer": Case(PurchasePathFeaturizer(channel="channel", n_leading=2), SAMPLE.events),
    "RFMScorer": Case(RFMScorer(), RFMFeaturizer().fit_transform(SAMPLE.transactions)),
    "SocialMediaFeaturizer": Case(SocialMediaFeaturizer(reach="reach", sentiment="sentiment"), INTERACTIONS),
    "CharacteristicEmbedder": Case(CharacteristicEmbedder(), PROFILE),
    "CharacteristicUnion": Case(_union(), TABLES),
    "DemographicEncoder": Case(DemographicEncoder(), SAMPLE.profile),
    "PersonaDescriber": Case(PersonaDescriber(), PROFILE.assign(segment=SAMPLE.segment)),
    "RFMFeaturizer": Case(RFMFeaturizer(), SAMPLE.transactions),
    "KPrototypesClusterer": Case(KPrototypesClusterer(n_segments=3, n_init=2, random_state=0), PROFILE),
    "LatentClassClusterer": Case(LatentClassClusterer(n_segments=3, n_init=2, random_state=0), PROFILE),
    "RFMSegmenter": Case(RFMSegmenter(), RFMFeaturizer().fit_transform(SAMPLE.transactions)),
    "RuleSegmenter": Case(RuleSegmenter({"Older": "age > 50", "Younger": "age <= 50"}), PROFILE),
    "SegmentClusterer": Case(SegmentClusterer(n_segments=3, n_init=2, random_state=0), PROFILE),
    "SegmentRules": Case(SegmentRules(), PROFILE.assign(segment=SAMPLE.segment)),
    "SegmentTyping": Case(SegmentTyping(2), PROFILE.assign(segment=SAMPLE.segment)),
    "SegmentationStudy": Case(
        SegmentationStudy(
            SegmentationBrief("retention"),
            characteristics=_union(),
            clusterer=SegmentClusterer(n_segments=3, n_init=2, random_state=0),
            n_pairs=2,
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

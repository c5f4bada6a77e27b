"""Customer segmentation with scikit-learn estimators: from raw tables to segments, personas and a report.

The folders stand in the order in which a customer's data flows: ``characteristics`` turns raw tables
into one row per customer, ``weighting`` says how strongly each characteristic counts, ``segmentation``
finds the segments, ``validation`` asks whether they are real, ``personas`` says who they are,
``targeting`` what to do about them, ``reporting`` writes it down; ``study`` is the whole flow in one
estimator.
"""

from custseg import datasets
from custseg._version import __version__
from custseg.characteristics import (
    CampaignResponseFeaturizer,
    CharacteristicUnion,
    DemographicEncoder,
    GeographicEncoder,
    MultiSelectEncoder,
    PreferenceEncoder,
    PsychographicEncoder,
    PurchaseBehaviorFeaturizer,
    PurchasePathFeaturizer,
    RFMFeaturizer,
    RFMScorer,
    SocialMediaFeaturizer,
    split_transactions,
)
from custseg.personas import PersonaDescriber
from custseg.segmentation import (
    CharacteristicEmbedder,
    KPrototypesClusterer,
    LatentClassClusterer,
    RFMSegmenter,
    RuleSegmenter,
    SegmentClusterer,
    assign_segments,
)
from custseg.study import SegmentationBrief, SegmentationStudy
from custseg.validation import bootstrap_stability

__all__ = [
    "CampaignResponseFeaturizer",
    "CharacteristicEmbedder",
    "CharacteristicUnion",
    "DemographicEncoder",
    "GeographicEncoder",
    "KPrototypesClusterer",
    "LatentClassClusterer",
    "MultiSelectEncoder",
    "PersonaDescriber",
    "PreferenceEncoder",
    "PsychographicEncoder",
    "PurchaseBehaviorFeaturizer",
    "PurchasePathFeaturizer",
    "RFMFeaturizer",
    "RFMScorer",
    "RFMSegmenter",
    "RuleSegmenter",
    "SegmentClusterer",
    "SegmentationBrief",
    "SegmentationStudy",
    "SocialMediaFeaturizer",
    "__version__",
    "assign_segments",
    "bootstrap_stability",
    "datasets",
    "split_transactions",
]

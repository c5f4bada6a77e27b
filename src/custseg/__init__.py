"""Customer segmentation with scikit-learn estimators: from raw tables to segments, personas and a report.

The folders stand in the order in which a customer's data flows: ``characteristics`` turns raw tables
into one row per customer, ``weighting`` says how strongly each characteristic counts, ``segmentation``
finds the segments, ``validation`` asks whether they are real, ``personas`` says who they are,
``targeting`` what to do about them, ``reporting`` writes it down; ``study`` is the whole flow in one
estimator.

A stage is imported when one of its names is first used.
"""

import importlib
import threading
from typing import TYPE_CHECKING

from custseg._version import __version__

if TYPE_CHECKING:
    from custseg import characteristics as characteristics
    from custseg import datasets
    from custseg import exceptions as exceptions
    from custseg import personas as personas
    from custseg import reporting as reporting
    from custseg import segmentation as segmentation
    from custseg import study as study
    from custseg import targeting as targeting
    from custseg import validation as validation
    from custseg import weighting as weighting
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
        select_n_segments,
    )
    from custseg.study import SegmentationBrief, SegmentationStudy
    from custseg.validation import bootstrap_stability, segment_separation, structure_test

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
    "segment_separation",
    "select_n_segments",
    "split_transactions",
    "structure_test",
]

_STAGES = (
    "characteristics",
    "datasets",
    "exceptions",
    "personas",
    "reporting",
    "segmentation",
    "study",
    "targeting",
    "validation",
    "weighting",
)
# public name -> the stage that it comes from
_STAGE_OF = {
    "CampaignResponseFeaturizer": "characteristics",
    "CharacteristicEmbedder": "segmentation",
    "CharacteristicUnion": "characteristics",
    "DemographicEncoder": "characteristics",
    "GeographicEncoder": "characteristics",
    "KPrototypesClusterer": "segmentation",
    "LatentClassClusterer": "segmentation",
    "MultiSelectEncoder": "characteristics",
    "PersonaDescriber": "personas",
    "PreferenceEncoder": "characteristics",
    "PsychographicEncoder": "characteristics",
    "PurchaseBehaviorFeaturizer": "characteristics",
    "PurchasePathFeaturizer": "characteristics",
    "RFMFeaturizer": "characteristics",
    "RFMScorer": "characteristics",
    "RFMSegmenter": "segmentation",
    "RuleSegmenter": "segmentation",
    "SegmentClusterer": "segmentation",
    "SegmentationBrief": "study",
    "SegmentationStudy": "study",
    "SocialMediaFeaturizer": "characteristics",
    "assign_segments": "segmentation",
    "write_segments": "segmentation",
    "bootstrap_stability": "validation",
    "segment_separation": "validation",
    "select_n_segments": "segmentation",
    "split_transactions": "characteristics",
    "structure_test": "validation",
}

# scikit-learn's modules import each other in circles: threads that enter them at different places are told
# of a deadlock or read half a module, so one thread imports and the others wait
_IMPORTING = threading.RLock()

# Type checkers read the imports above; with these functions they would take any name for a public one.
if not TYPE_CHECKING:

    def __getattr__(name):
        """Import a stage, or a public name from its stage, at first use (PEP 562)."""
        if name not in _STAGES and name not in _STAGE_OF:
            raise AttributeError(f"module 'custseg' has no attribute {name!r}")
        with _IMPORTING:
            stage = importlib.import_module(f"custseg.{_STAGE_OF.get(name, name)}")
        # kept, so that it is looked up once
        found = globals()[name] = getattr(stage, name) if name in _STAGE_OF else stage
        return found

    def __dir__():
        """Return what is here and what a first use would bring."""
        return sorted({*globals(), *_STAGES, *_STAGE_OF})

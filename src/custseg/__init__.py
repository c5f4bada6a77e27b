"""Customer segmentation with scikit-learn estimators: from raw tables to segments, personas and a report.

The folders stand in the order in which a customer's data flows: ``characteristics`` turns raw tables
into one row per customer, ``weighting`` says how strongly each characteristic counts, ``segmentation``
finds the segments, ``validation`` asks whether they are real, ``personas`` says who they are,
``targeting`` what to do about them, ``plotting`` draws it, ``reporting`` writes it down; ``study`` is the
whole flow in one estimator.

Every estimator, and every function that is meant to be called, is here under its own name; what they return
is at home in its stage. A stage is imported when one of its names is first used. Type checkers read the names
in ``__init__.pyi``.
"""

import importlib
import threading

from custseg._version import __version__

# public name -> the stage that it comes from; all else here follows from it
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
    "SegmentRules": "personas",
    "SegmentTyping": "personas",
    "Segmentation": "segmentation",
    "SegmentationBrief": "study",
    "SegmentationStudy": "study",
    "SocialMediaFeaturizer": "characteristics",
    "ahp_weights": "weighting",
    "assign_segments": "segmentation",
    "best_worst_counts": "characteristics",
    "best_worst_scores": "characteristics",
    "best_worst_weights": "weighting",
    "bootstrap_stability": "validation",
    "careless_responses": "characteristics",
    "constant_sum_weights": "weighting",
    "cronbach_alpha": "characteristics",
    "describe_segments": "personas",
    "examine_segments": "validation",
    "factorability": "characteristics",
    "find_goal": "targeting",
    "finding": "reporting",
    "goals_to_frame": "targeting",
    "item_analysis": "characteristics",
    "join_responses": "characteristics",
    "judge": "validation",
    "load_complete_journey": "datasets",
    "load_study": "study",
    "make_customers": "datasets",
    "mcdonald_omega": "characteristics",
    "named_actions_to_frame": "targeting",
    "needs_by_segment": "personas",
    "outcomes_by_segment": "personas",
    "profile_segments": "personas",
    "parallel_analysis": "characteristics",
    "plan_actions": "targeting",
    "rating_agreement": "weighting",
    "rating_weights": "weighting",
    "recommend": "targeting",
    "render_html": "reporting",
    "render_json": "reporting",
    "render_markdown": "reporting",
    "render_text": "reporting",
    "report_schema": "reporting",
    "segment_separation": "validation",
    "select_n_segments": "segmentation",
    "split_transactions": "characteristics",
    "store_study": "study",
    "structure_test": "validation",
    "trusted_types": "study",
    "weight_sensitivity": "validation",
    "write_figures": "reporting",
    "write_report": "reporting",
    "write_segments": "segmentation",
}
_STAGES = frozenset({*_STAGE_OF.values(), "plotting", "exceptions"})

__all__ = ["__version__", "datasets", *_STAGE_OF]  # noqa: PLE0604 - texts, which ruff cannot see
__all__.sort(key=lambda name: (not name[0].isupper(), name))  # classes first, as in every stage

# what the command line does, for custseg.cli alone
_COMMANDS = "_commands"

# scikit-learn's modules import each other in circles: threads that enter them at different places are told
# of a deadlock or read half a module, so one thread imports and the others wait
_IMPORTING = threading.RLock()


def __getattr__(name):
    """Import a stage, or a public name from its stage, at first use (PEP 562)."""
    if name not in _STAGES and name not in _STAGE_OF and name != _COMMANDS:
        raise AttributeError(f"module 'custseg' has no attribute {name!r}")
    with _IMPORTING:
        stage = importlib.import_module(f"custseg.{_STAGE_OF.get(name, name)}")
    # kept, so that it is looked up once
    found = globals()[name] = getattr(stage, name) if name in _STAGE_OF else stage
    return found


def __dir__():
    """Return what is here and what a first use would bring."""
    return sorted({*globals(), *_STAGES, *_STAGE_OF})

"""From raw tables to one row per customer.

Each estimator of this stage reads one kind of table and describes every customer in it. Tables in
time say what customers do: purchases (:class:`RFMFeaturizer`, :class:`PurchaseBehaviorFeaturizer`), the
way to them (:class:`PurchasePathFeaturizer`), contacts (:class:`CampaignResponseFeaturizer`) and
interactions (:class:`SocialMediaFeaturizer`). Tables with one row per customer say who they are
(:class:`DemographicEncoder`), where they are (:class:`GeographicEncoder`) and what they think, choose
and prefer (:class:`PsychographicEncoder`, :class:`MultiSelectEncoder`, :class:`PreferenceEncoder`).

Values stay in their original units, and the dtype of a column says its kind: numbers, bools, ordered
categories, unordered categories. :class:`CharacteristicUnion` joins several of them to one table,
which is what the later stages segment and describe.
"""

from custseg.characteristics._demographic.encoder import DemographicEncoder
from custseg.characteristics._geographic.encoder import GeographicEncoder
from custseg.characteristics._purchases.purchase_behavior import PurchaseBehaviorFeaturizer
from custseg.characteristics._purchases.rfm import RFMFeaturizer
from custseg.characteristics._purchases.scores import RFMScorer
from custseg.characteristics._purchases.split import TransactionSplit, split_transactions
from custseg.characteristics._row_report import RowReport
from custseg.characteristics._survey.best_worst import best_worst_counts, best_worst_scores
from custseg.characteristics._survey.careless import careless_responses
from custseg.characteristics._survey.factors import Factorability, ParallelAnalysis, factorability, parallel_analysis
from custseg.characteristics._survey.multi_select import MultiSelectEncoder
from custseg.characteristics._survey.preferences import PreferenceEncoder
from custseg.characteristics._survey.psychographic import PsychographicEncoder
from custseg.characteristics._survey.reliability import cronbach_alpha, item_analysis, mcdonald_omega
from custseg.characteristics._touchpoints.campaign_response import CampaignResponseFeaturizer
from custseg.characteristics._touchpoints.join_responses import JoinedResponses, join_responses
from custseg.characteristics._touchpoints.purchase_path import PurchasePathFeaturizer
from custseg.characteristics._touchpoints.social_media import SocialMediaFeaturizer
from custseg.characteristics._union import CharacteristicUnion, MatchReport

__all__ = [
    "CampaignResponseFeaturizer",
    "CharacteristicUnion",
    "DemographicEncoder",
    "Factorability",
    "GeographicEncoder",
    "JoinedResponses",
    "MatchReport",
    "MultiSelectEncoder",
    "ParallelAnalysis",
    "PreferenceEncoder",
    "PsychographicEncoder",
    "PurchaseBehaviorFeaturizer",
    "PurchasePathFeaturizer",
    "RFMFeaturizer",
    "RFMScorer",
    "RowReport",
    "SocialMediaFeaturizer",
    "TransactionSplit",
    "best_worst_counts",
    "best_worst_scores",
    "careless_responses",
    "cronbach_alpha",
    "factorability",
    "item_analysis",
    "join_responses",
    "mcdonald_omega",
    "parallel_analysis",
    "split_transactions",
]

"""From raw tables to one row per customer.

Each estimator of this stage reads one kind of table and describes every customer in it: what they
buy (:class:`RFMFeaturizer`) and who they are (:class:`DemographicEncoder`). Values stay in their
original units, and the dtype of a column says its kind: numbers, bools, ordered categories,
unordered categories. :class:`CharacteristicUnion` joins several of them to one table, which is what
the later stages segment and describe.
"""

from custseg.characteristics._demographic import DemographicEncoder
from custseg.characteristics._rfm import RFMFeaturizer
from custseg.characteristics._row_report import RowReport
from custseg.characteristics._union import CharacteristicUnion, MatchReport

__all__ = ["CharacteristicUnion", "DemographicEncoder", "MatchReport", "RFMFeaturizer", "RowReport"]

"""Who are they? Profile statistics of every segment against everyone else, and a persona for each.

:class:`PersonaDescriber` takes customers with their segments and ranks, for each segment, the
characteristics in which it differs most, in original units; names it from the two strongest; and
writes the personas as text, Markdown, JSON and HTML. A persona never exposes a person: small groups
are suppressed, and the typical customer is a synthetic profile of medians and modes. The statistics
behind it are public functions of counts, means and standard deviations. :class:`SegmentRules` says in one
short rule who is in each segment, :class:`SegmentTyping` which few questions find a new customer's.
"""

from custseg._core.effects import hedges_g
from custseg.personas._describer import PersonaDescriber
from custseg.personas._needs import SegmentNeeds, needs_by_segment
from custseg.personas._outcomes import outcomes_by_segment
from custseg.personas._parts import Need, Prevalence
from custseg.personas._personas import Personas, describe_segments
from custseg.personas._segment_profile.profile import SegmentProfile, profile_segments
from custseg.personas._statistics import (
    benjamini_hochberg,
    category_p_value,
    category_v_test,
    eta_squared,
    is_marker,
    lift,
    numeric_v_test,
)
from custseg.personas._telling.segment_rules import SegmentRules
from custseg.personas._telling.segment_typing import SegmentTyping
from custseg.personas._traits import Persona, Trait

__all__ = [
    "Need",
    "Persona",
    "PersonaDescriber",
    "Personas",
    "Prevalence",
    "SegmentNeeds",
    "SegmentProfile",
    "SegmentRules",
    "SegmentTyping",
    "Trait",
    "benjamini_hochberg",
    "category_p_value",
    "category_v_test",
    "describe_segments",
    "eta_squared",
    "hedges_g",
    "is_marker",
    "lift",
    "needs_by_segment",
    "numeric_v_test",
    "outcomes_by_segment",
    "profile_segments",
]

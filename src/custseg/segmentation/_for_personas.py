"""What personas may use of the inside of this stage, and no other stage: public to it, private to users.

Rules that tell the segments apart are written, met and put into SQL as those of a RuleSegmenter are.
"""

from custseg.segmentation._kmeans.patterns import content_hash
from custseg.segmentation._rules.columns import Domain, find_domains, first_match, matches, unseen_levels
from custseg.segmentation._rules.rules import Condition, Rule
from custseg.segmentation._rules.sql import write_query

__all__ = [
    "Condition",
    "Domain",
    "Rule",
    "content_hash",
    "find_domains",
    "first_match",
    "matches",
    "unseen_levels",
    "write_query",
]

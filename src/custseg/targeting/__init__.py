"""Whom to address, and how: what each goal asks of the segments, and the action it recommends.

The goal of a brief selects the order of the segments, the characteristics shown first and, by a
table of rules over computed facts, one recommended action for each segment.
"""

from custseg.targeting._facts import SegmentFacts
from custseg.targeting._goals import (
    GOALS,
    Action,
    Goal,
    find_goal,
    goals_to_frame,
    named_actions_to_frame,
    recommend,
)
from custseg.targeting._plan import Plan, plan_actions

__all__ = [
    "GOALS",
    "Action",
    "Goal",
    "Plan",
    "SegmentFacts",
    "find_goal",
    "goals_to_frame",
    "named_actions_to_frame",
    "plan_actions",
    "recommend",
]

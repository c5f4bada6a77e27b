"""What to do about each segment: the facts that the rules of a goal look at, and the actions they call for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from custseg._core.asking import asks
from custseg._core.results import Result
from custseg._core.roles import column_of_role
from custseg.personas import Personas
from custseg.segmentation import Segmentation
from custseg.targeting._goals import FACT_ROLES, Action, Goal, SegmentFacts, find_goal, recommend

__all__ = ["Plan", "plan_actions"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Plan(Result):
    """Who is in each segment, and what to do about it.

    Attributes
    ----------
    goal : Goal
        What the company wants.
    personas : Personas
        Who is in each segment.
    actions : tuple of Action
        The recommended action for each segment; position = label.
    """

    goal: Goal
    personas: Personas
    actions: tuple[Action, ...]

    @property
    def segmentation(self) -> Segmentation:
        """The segments, bearing the names of their personas."""
        return self.personas.segmentation

    def to_frame(self) -> pd.DataFrame:
        """Return one row per segment.

        Returns
        -------
        pandas.DataFrame
            Columns ``segment, name, n_customers, share, value, value_share, action, advice, because``.
        """
        actions = pd.DataFrame([action.to_dict() for action in self.actions])
        return pd.concat([self.segmentation.to_frame(), actions], axis="columns")

    def __str__(self) -> str:
        names = self.segmentation.segment_names
        told = [f"{name}: {action.action.lower()}" for name, action in zip(names, self.actions, strict=True)]
        return f"For {self.goal.name}, {'; '.join(told)}."


@asks
def plan_actions(goal: str | Goal, personas: Personas, *, order_by: str | None = None) -> Plan:
    """Recommend an action for each segment, by the rules of a goal.

    Parameters
    ----------
    goal : str or Goal
        What the company wants.
    personas : Personas
        Who is in each segment.
    order_by : str or None, default=None
        A column that says which is meant where several bear a role, and whose union member is meant for other roles.

    Returns
    -------
    Plan
        An action for each segment.

    Raises
    ------
    InvalidParameterError
        If there is no such goal, or two columns that count bear a role that the goal asks for.

    Notes
    -----
    The facts are effects (Hedges g against everyone else) of the characteristics that *are* recency, frequency,
    monetary value or tenure, as the estimators that made them say. Those that formed the segments come first: a
    descriptor speaks only where none of them bears the role.

    Examples
    --------
    >>> from custseg import RFMFeaturizer, SegmentClusterer
    >>> from custseg.datasets import make_customers
    >>> from custseg.personas import describe_segments
    >>> from custseg.segmentation import Segmentation
    >>> from custseg.targeting import plan_actions
    >>> featurizer = RFMFeaturizer()
    >>> customers = featurizer.fit_transform(make_customers(200, random_state=0).transactions)
    >>> clusterer = SegmentClusterer(2, random_state=0).fit(customers)
    >>> segmentation = Segmentation.by(clusterer, customers, characteristics=featurizer.describe())
    >>> plan = plan_actions("development", describe_segments(segmentation))
    >>> plan.to_frame()[["segment", "action"]].shape
    (2, 2)
    """
    goal = find_goal(goal) if isinstance(goal, str) else goal
    segmentation = personas.segmentation
    columns = _columns_of_roles(goal, segmentation, order_by)
    profile = personas.profile
    figures = profile[profile["effect_size"].notna() & (profile["kind"] == "numeric")]
    effects = figures.set_index(["segment", "characteristic"])["effect_size"].to_dict()
    actions = []
    for segment, row in enumerate(segmentation.to_frame().to_dict("records")):
        known = {role: effects.get((segment, column)) for role, column in columns.items()}
        facts = SegmentFacts(
            share=row["share"],
            value_share=None if pd.isna(row["value_share"]) else row["value_share"],
            effects={role: float(effect) for role, effect in known.items() if effect is not None},
        )
        actions.append(recommend(goal, facts))
    return Plan(goal=goal, personas=personas, actions=tuple(actions))


def _columns_of_roles(goal: Goal, segmentation: Segmentation, order_by: str | None) -> Mapping[str, str]:
    """Return the column of each role; two that count are an error where the goal asks for the role."""
    asked = {fact for rule in goal.rules for fact in (*rule.at_least, *rule.at_most)}
    found = {
        role: column_of_role(
            segmentation.characteristics,
            role,
            segmentation.clustered_on,
            prefer=order_by,
            strict=role in asked,
        )
        for role in FACT_ROLES
    }
    return {role: column for role, column in found.items() if column is not None}

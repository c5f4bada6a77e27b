"""What to do about each segment: the facts that the rules of a goal look at, and the actions they call for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from custseg._core.asking import asks
from custseg._core.characteristic import find_columns
from custseg._core.customer_rows import without_customers
from custseg._core.results import Result
from custseg._core.roles import column_of_role
from custseg.personas import Persona, Personas
from custseg.segmentation import Segmentation
from custseg.targeting._facts import FACT_ROLES, SegmentFacts
from custseg.targeting._goals import Action, Goal, find_goal, recommend
from custseg.targeting._measured import measure
from custseg.targeting._own_actions import OwnAction, own_actions

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

    def _without_customers(self, n_customers: int) -> Plan:
        return replace(self, personas=without_customers(self.personas, n_customers))

    def to_frame(self) -> pd.DataFrame:
        """Return one row per segment.

        Returns
        -------
        pandas.DataFrame
            Columns ``segment, name, n_customers, share, value, value_share, action, advice, because``; missing where a
            figure would tell of too few customers.
        """
        actions = pd.DataFrame([action.to_dict() for action in self.actions])
        return pd.concat([self.personas.segment_table, actions], axis="columns")

    def __str__(self) -> str:
        names = self.segmentation.segment_names
        words = [action.action[:1].lower() + action.action[1:] for action in self.actions]
        told = [f"{name}: {action}" for name, action in zip(names, words, strict=True)]
        return f"For {self.goal.name}, {'; '.join(told)}."


@asks
def plan_actions(
    goal: str | Goal,
    personas: Personas,
    *,
    order_by: str | None = None,
    outcomes: Iterable[str] | None = None,
    actions: Mapping[int | str, OwnAction] | None = None,
) -> Plan:
    """Recommend an action for each segment, by the rules of a goal.

    Parameters
    ----------
    goal : str or Goal
        What the company wants.
    personas : Personas
        Who is in each segment.
    order_by : str or None, default=None
        A column that says which is meant where several bear a role, and whose union member is meant for other roles.
    outcomes : iterable of str or None, default=None
        Columns of what the company wants or fears, the one that the goal is about first. None takes those that bear the
        role "outcome" and did not form the segments.
    actions : mapping of int or str to str or dict, default=None
        What you have decided for segments, by number or name, in place of what the rules recommend: the action in a few
        words, or with advice too, ``{"action": ..., "advice": ...}``.

    Returns
    -------
    Plan
        An action for each segment.

    Raises
    ------
    InvalidParameterError
        If there is no such goal, two columns that count bear a role that the goal asks for, or ``actions`` is of a
        segment that there is not, or no action.
    ColumnNotFoundError
        If an outcome is no column of the customers.

    Notes
    -----
    A reason cites what was measured: means here and elsewhere, what a customer is worth against the average, the
    outcomes with their intervals. What is known of less than half of the customers calls for nothing. Where more than
    half of the segments are told the same, the advice says so. A segment that is too small to be described has no
    figures in its reason.

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
    if outcomes is None:
        found = find_columns(segmentation.characteristics, "outcome")
        outcomes = [name for name in found if name not in segmentation.clustered_on]
    facts = measure(personas, _columns_of_roles(goal, segmentation, order_by), list(outcomes))
    told = [_act(goal, each, persona) for each, persona in zip(facts, personas.personas, strict=True)]
    own = own_actions(actions, segmentation.segment_names)
    sizes = [0 if segment in own else size for segment, size in enumerate(segmentation.sizes.tolist())]
    decided = tuple(own.get(segment, action) for segment, action in enumerate(_alike(told, sizes)))
    return Plan(goal=goal, personas=personas, actions=decided)


# For a segment that is not described, so that nobody can be recognised.
_TOO_FEW = Action(action="Too few to say", advice="Treat them as everyone until there are more of them.", because="")


def _act(goal: Goal, facts: SegmentFacts, persona: Persona) -> Action:
    if not persona.suppressed:
        return recommend(goal, facts)
    named = goal.by_name.get(facts.name)
    return _TOO_FEW if named is None else Action(action=named.action, advice=named.advice, because="")


def _alike(actions: Sequence[Action], sizes: Sequence[int]) -> tuple[Action, ...]:
    """Say so where more than half of the segments are told the same: between them nothing differs."""
    counts = Counter(action.advice for action, size in zip(actions, sizes, strict=True) if size)
    n_segments = sum(counts.values())
    return tuple(
        replace(
            action,
            advice=f"{action.advice} {n_alike} of {n_segments} segments get this advice: by what is known, no "
            "different treatment is called for between them.",
        )
        if size and (n_alike := counts[action.advice]) > n_segments / 2 and n_segments > 1
        else action
        for action, size in zip(actions, sizes, strict=True)
    )


def _columns_of_roles(goal: Goal, segmentation: Segmentation, order_by: str | None) -> Mapping[str, str]:
    """Return the column of each role; two that count are an error where the goal asks for the role."""
    asked = {fact for rule in goal.rules for fact in rule.asked}
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

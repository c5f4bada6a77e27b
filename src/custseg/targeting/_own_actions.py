"""What the user has decided for segments, in place of what the rules recommend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from custseg._core.own_words import ACTIONS, find_segment
from custseg._core.params import check
from custseg.targeting._goals import Action

__all__ = ["OwnAction", "own_actions"]

OwnAction = str | Mapping[str, str]


def own_actions(given: Mapping[int | str, OwnAction] | None, names: Sequence[str]) -> dict[int, Action]:
    """Return the user's own action of each segment that has one."""
    check(ACTIONS, {"actions": given})
    return {find_segment(key, names, "actions"): _action(own) for key, own in (given or {}).items()}


def _action(own: OwnAction) -> Action:
    said = {"action": own} if isinstance(own, str) else own
    return Action(action=said["action"], advice=said.get("advice", ""), because="")

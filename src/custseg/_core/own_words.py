"""What users call segments, and have decided for them: by the number of a segment or by its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from custseg._core.params import NONE, ParameterTable, Where
from custseg.exceptions import InvalidParameterError

__all__ = ["ACTIONS", "NAMES", "TEXT", "find_segment"]


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _are_names(value: Any) -> bool:
    is_list = isinstance(value, Sequence) and not isinstance(value, str)
    return all(map(_is_text, value.values() if isinstance(value, Mapping) else value if is_list else [None]))


def _is_action(value: Any) -> bool:
    if not isinstance(value, Mapping):
        return _is_text(value)
    return _is_text(value.get("action")) and all(
        part in ("action", "advice") and isinstance(words, str) for part, words in value.items()
    )


TEXT = Where(_is_text, "text that is not empty")
NAMES: ParameterTable = {
    "names": (NONE, Where(_are_names, "a list of names, or a dict of segments to names, texts that are not empty"))
}
ACTIONS: ParameterTable = {
    "actions": (
        NONE,
        Where(
            lambda value: isinstance(value, Mapping) and all(map(_is_action, value.values())),
            'a dict of segments to actions: each a text that is not empty, or {"action": ..., "advice": ...}',
        ),
    )
}


def find_segment(key: Any, names: Sequence[str], parameter: str) -> int:
    """Return the segment that a key of a parameter means: its name, or its number, also as text.

    Examples
    --------
    >>> find_segment("Lapsed", ["Recent", "Lapsed"], "actions"), find_segment("0", ["Recent", "Lapsed"], "actions")
    (1, 0)
    """
    if isinstance(key, str) and key in names:
        return list(names).index(key)
    is_number = isinstance(key, (int, np.integer, str)) and not isinstance(key, bool) and str(key).isdecimal()
    if is_number and int(key) < len(names):
        return int(key)
    known = [f"{segment} ({name})" for segment, name in enumerate(names)]
    raise InvalidParameterError.unknown_name(f"segment in {parameter}", key, known)
